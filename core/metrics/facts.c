/* SPDX-License-Identifier: Apache-2.0
 *
 * Which columns tables of facts have, and the check of a block that holds one. Pure functions; any thread. */
#include "metrics/facts.h"

#include <string.h>

#define MOMENT(name)                                                                                                   \
	{ name, ENT_FACTS_MOMENT, 0 }
#define MONEY(name)                                                                                                    \
	{ name, ENT_FACTS_MONEY, ENT_UNIT_MONEY }
#define NUMBER(name, unit)                                                                                             \
	{ name, ENT_FACTS_NUMBER, ENT_UNIT_##unit }
#define DAY(name)                                                                                                      \
	{ name, ENT_FACTS_DAY, 0 }
#define TEXT(name)                                                                                                     \
	{ name, ENT_FACTS_TEXT, 0 }
#define FLAG(name)                                                                                                     \
	{ name, ENT_FACTS_FLAG, 0 }

/* Who reads these by their place is engine/facts_rows.c: both change together. */
static const ent_facts_column_def orders[] = {MOMENT("at"), DAY("day"), TEXT("key"), TEXT("status"), TEXT("customer"),
	TEXT("agent"), TEXT("channel"), TEXT("country"), TEXT("region"), TEXT("campaign"), TEXT("payment"),
	TEXT("customer_kind"), TEXT("currency"), MONEY("gross"), MONEY("discount"), MONEY("returns"), MONEY("net"),
	MONEY("refunded"), MONEY("shipping"), MONEY("tax"), MONEY("total"), MONEY("due"), MONEY("cost"),
	NUMBER("lines", COUNT), NUMBER("units", PIECES), MOMENT("paid_at")};
static const ent_facts_column_def lines[] = {MOMENT("at"), DAY("day"), TEXT("order"), TEXT("status"), TEXT("customer"),
	TEXT("agent"), TEXT("channel"), TEXT("sku"), TEXT("product"), TEXT("name"), TEXT("category"), TEXT("vendor"),
	TEXT("currency"), MONEY("gross"), MONEY("discount"), MONEY("net"), MONEY("cost"), NUMBER("units", PIECES)};
static const ent_facts_column_def refunds[] = {MOMENT("at"), DAY("day"), TEXT("order"), TEXT("kind"), TEXT("reason"),
	TEXT("customer"), TEXT("agent"), TEXT("channel"), TEXT("currency"), MONEY("amount"), NUMBER("units", PIECES)};
static const ent_facts_column_def carts[] = {MOMENT("at"), DAY("day"), TEXT("key"), TEXT("status"), TEXT("step"),
	TEXT("visitor"), TEXT("channel"), TEXT("order"), TEXT("currency"), MONEY("value"), NUMBER("items", COUNT),
	MOMENT("recovered_at")};
static const ent_facts_column_def visits[] = {MOMENT("at"), DAY("day"), TEXT("visitor"), TEXT("channel"),
	TEXT("source"), TEXT("campaign"), TEXT("country"), TEXT("device"), TEXT("landing"), NUMBER("pageviews", COUNT),
	NUMBER("purchases", COUNT), NUMBER("attention", SECONDS), NUMBER("load_time", SECONDS), FLAG("item"), FLAG("cart"),
	FLAG("checkout"), FLAG("purchase"), FLAG("engaged"), FLAG("new"), MOMENT("until")};
static const ent_facts_column_def contacts[] = {MOMENT("at"), DAY("day"), TEXT("kind"), TEXT("whom"), TEXT("subject"),
	TEXT("direction"), NUMBER("minutes", COUNT), NUMBER("held", COUNT), MOMENT("answered_at")};
static const ent_facts_column_def touches[] = {MOMENT("at"), DAY("day"), TEXT("visitor"), TEXT("channel"),
	TEXT("source"), TEXT("campaign"), TEXT("order"), TEXT("currency"), MONEY("cost")};

#define ROW(kind, document, family, table)                                                                             \
	{ kind, document, family, sizeof table / sizeof *table, table }
static const ent_facts_kind_def kinds[] = {
	ROW(ENT_ORDER, ENT_ORDER, ENT_SALES, orders),
	ROW(ENT_LINE, ENT_ORDER, ENT_SALES, lines),
	ROW(ENT_REFUND, ENT_ORDER, ENT_SALES, refunds),
	ROW(ENT_CART, ENT_CART, ENT_CARTS, carts),
	ROW(ENT_VISIT, ENT_VISIT, ENT_TRAFFIC, visits),
	ROW(ENT_CONTACT, ENT_CONTACT, ENT_FAMILY_COUNT, contacts),
	ROW(ENT_TOUCH, ENT_TOUCH, ENT_FAMILY_COUNT, touches),
};

const ent_facts_kind_def *ent_facts_kind(unsigned kind) {
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (kinds[i].kind == kind) {
			return &kinds[i];
		}
	}
	return NULL;
}

/* ---- the check
 * ---------------------------------------------------------------------------------------------------- */

static int broken(ent_error *e, const char *what) {
	ent_error_set(e, ENT_ERR_CORRUPT, "the table of facts is broken: %s", what);
	return ent_error_todo(e, "install entente and entente-rules from one build");
}

static bool lies_in(uint64_t bytes, uint64_t offset, uint64_t n, uint64_t width) {
	uint64_t length;
	return offset % 8 == 0 && offset <= bytes && !__builtin_mul_overflow(n, width, &length) && length <= bytes - offset;
}

static bool texts_hold(const ent_facts *f, uint64_t bytes) {
	for (uint64_t i = 0; i < f->head->n_texts; i++) {
		const ent_facts_text *t = &f->texts[i];
		if (t->offset >= bytes || t->n >= bytes - t->offset || f->base[t->offset + t->n] != 0) {
			return false;
		}
	}
	return f->head->n_texts && f->texts[0].n == 0;
}

static bool column_holds(const ent_facts *f, unsigned column) {
	const ent_facts_column_def *d = &f->kind->columns[column];
	const uint32_t *v = (const uint32_t *)(f->base + f->columns[column]);
	uint64_t most = d->type == ENT_FACTS_TEXT ? f->head->n_texts : d->type == ENT_FACTS_FLAG ? 2 : UINT64_MAX;
	for (uint64_t i = 0; most != UINT64_MAX && i < f->rows; i++) {
		if (v[i] >= most) {
			return false;
		}
	}
	return true;
}

int ent_facts_open(ent_facts *f, const void *block, size_t bytes, ent_error *e) {
	*f = (ent_facts){.base = block, .head = block};
	const ent_facts_head *h = block;
	if (bytes < sizeof *h || h->magic != ENT_FACTS_MAGIC || h->version != ENT_FACTS_VERSION || h->bytes != bytes) {
		return broken(e, "its head");
	}
	f->kind = ent_facts_kind(h->kind);
	if (!f->kind || h->n_columns != f->kind->n_columns || h->rows > ENT_FACTS_MOST_ROWS ||
		!lies_in(bytes, h->columns, h->n_columns, sizeof(uint64_t)) ||
		!lies_in(bytes, h->texts, h->n_texts, sizeof(ent_facts_text))) {
		return broken(e, "its sections");
	}
	f->columns = (const uint64_t *)(f->base + h->columns);
	f->texts = (const ent_facts_text *)(f->base + h->texts);
	f->rows = h->rows;
	if (!texts_hold(f, bytes)) {
		return broken(e, "its texts");
	}
	for (unsigned i = 0; i < h->n_columns; i++) {
		if (!lies_in(bytes, f->columns[i], f->rows, ent_facts_width(f->kind->columns[i].type)) || !column_holds(f, i)) {
			return broken(e, f->kind->columns[i].name);
		}
	}
	return 0;
}
