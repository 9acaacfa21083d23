/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests: pushes whatever its rows say. Kind,Key,Order,Partner,How: Kind is the name of a fact, How bends it:
 *   retract, short (an older, shorter struct), dirty (fields without their bit are not zero), and faults: nokey,
 * longkey, year (out of range), code (an unknown one), currency, many (65 fields), kind (no fact at all); late rejects
 * the row before it, lateskip skips it; twice rejects the row in hand two times */
#include "entente/plugin.h"

#include <stdlib.h>
#include <string.h>

typedef struct kinds {
	const ent_host *host;
	ent_ctx *ctx;
	uint64_t before;
} kinds;

enum { C_KIND, C_KEY, C_ORDER, C_PARTNER, C_HOW };
static const ent_column columns[] = {
	{"Kind", NULL, 1}, {"Key", NULL, 1}, {"Order", NULL, 1}, {"Partner", NULL, 1}, {"How", NULL, 1}, {NULL, NULL, 0}};

static int is(ent_str s, const char *text) { return s.n == strlen(text) && !memcmp(s.p, text, s.n); }

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *options, void **self) {
	(void)options;
	kinds *k = calloc(1, sizeof *k);
	if (!k) {
		return ENT_ENOMEM;
	}
	*k = (kinds){.host = host, .ctx = ctx};
	*self = k;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)self;
	(void)doc;
	return ENT_OK;
}

static ent_status end(void *self) {
	(void)self;
	return ENT_OK;
}

static ent_status row(void *self, const ent_row *r) {
	kinds *k = self;
	ent_str kind = r->cell[C_KIND], how = r->cell[C_HOW];
	char longest[300];
	memset(longest, 'k', sizeof longest);
	ent_head h = {.place = r->place, .key = r->cell[C_KEY], .partner = r->cell[C_PARTNER], .op = is(how, "retract")};
	if (!h.partner.n) {
		h.partner = (ent_str){NULL, 0};
	}
	if (is(how, "nokey")) {
		h.key = (ent_str){NULL, 0};
	} else if (is(how, "longkey")) {
		h.key = (ent_str){longest, 256};
	} else if (is(how, "late")) {
		k->host->reject(k->ctx, k->before, ENT_NO_COLUMN, "seen too late");
		k->host->reject(k->ctx, k->before, ENT_NO_COLUMN, "and once more");
	} else if (is(how, "lateskip")) {
		k->host->skip(k->ctx, k->before, "seen too late");
	} else if (is(how, "log")) {
		for (int i = 0; i < 100; i++) {
			k->host->log(k->ctx, ENT_LOG_WARNING, "said;");
		}
	} else if (is(how, "covers")) {
		k->host->covers(k->ctx, ENT_VISIT, (ent_time){.kind = 99}, (ent_time){.kind = ENT_TIME_DATE}, 1);
	} else if (is(how, "twice")) {
		k->host->reject(k->ctx, r->place, C_KEY, "first");
		k->host->reject(k->ctx, r->place, C_ORDER, "second");
	}
	k->before = r->place;
	ent_time at = {.v = is(how, "year") ? INT64_C(9000000000000000) : INT64_C(1700000000000000),
		.kind = ENT_TIME_INSTANT,
		.offset_min = 60};
	uint8_t code = is(how, "code") ? 77 : 0;
	int dirty = is(how, "dirty");
	char eur[4] = "EUR", bad[4] = "eur";
	const char *currency = is(how, "currency") ? bad : eur;
	if (is(how, "kind")) {
		return k->host->push(k->ctx, (ent_fact)99, &h, sizeof h, 1) == ENT_EINTERNAL ? ENT_OK : ENT_EINTERNAL;
	}
#define PUSH(KIND, x) k->host->push(k->ctx, KIND, &x, is(how, "short") ? sizeof x - 16 : sizeof x, 1)
	if (is(kind, "order")) {
		ent_order x = {.h = h, .at = at, .status = code, .gross = dirty ? 5 : 0, .tax_included = (uint8_t)dirty};
		memcpy(x.currency, currency, 4);
		return PUSH(ENT_ORDER, x);
	}
	if (is(kind, "line")) {
		ent_line x = {.h = h, .order_key = r->cell[C_ORDER], .quantity = dirty ? 5 : 0};
		memcpy(x.currency, currency, 4);
		return PUSH(ENT_LINE, x);
	}
	if (is(kind, "refund")) {
		ent_refund x = {.h = h, .order_key = r->cell[C_ORDER], .at = at, .kind = code};
		return PUSH(ENT_REFUND, x);
	}
	if (is(kind, "cart")) {
		ent_cart x = {.h = h, .started_at = at};
		return PUSH(ENT_CART, x);
	}
	if (is(kind, "visit")) {
		ent_visit x = {.h = h, .at = at, .consent = code};
		return PUSH(ENT_VISIT, x);
	}
	if (is(kind, "touch")) {
		ent_touch x = {.h = h, .at = at};
		memcpy(x.currency, currency, 4);
		return PUSH(ENT_TOUCH, x);
	}
	if (is(kind, "contact")) {
		ent_contact x = {.h = h, .at = at, .direction = code};
		return PUSH(ENT_CONTACT, x);
	}
	if (is(kind, "observation")) {
		ent_observation x = {.h = h, .from = at, .origin = code};
		return PUSH(ENT_OBSERVATION, x);
	}
	if (is(kind, "entry")) {
		ent_str words[65];
		for (int i = 0; i < 65; i++) {
			words[i] = r->cell[C_KIND];
		}
		ent_entry x = {.h = h, .reg = {"claims", 6}, .names = words, .values = words, .n = is(how, "many") ? 65 : 2};
		return PUSH(ENT_ENTRY, x);
	}
	return ENT_OK;
}

static const ent_decoder decoder = {.size = sizeof(ent_decoder),
	.name = "kinds",
	.doc = "For tests.",
	.version = "1",
	.system = "test",
	.facts = UINT64_MAX,
	.frame = ENT_FRAME_DELIMITED,
	.columns = columns,
	.create = create,
	.begin = begin,
	.row = row,
	.end = end,
	.destroy = free};

static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR + 1,
	.size = sizeof(ent_plugin) + 64,
	.name = "kinds",
	.version = "1.0",
	.decoders = decoders};
