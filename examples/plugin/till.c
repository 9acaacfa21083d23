/* SPDX-License-Identifier: Apache-2.0
 *
 * till: receipts of a shop's till, a row for each article, the receipt's own fields on its first row only. A whole
 * plugin in one file, to start one's own from; docs/plugins.md explains it line by line.
 */
#include <entente/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the file may be called to have. The host finds the columns by name; row() gets them in this order. */
enum { C_RECEIPT, C_TIME, C_CASHIER, C_PAID, C_ARTICLE, C_PIECES, C_PRICE, C_COUNT };
static const ent_column columns[C_COUNT + 1] = {
	[C_RECEIPT] = {"receipt", "receipt no|bon", 1},
	[C_TIME] = {"time", "date", 1},
	[C_CASHIER] = {"cashier", NULL, 0},
	[C_PAID] = {"paid", NULL, 1},
	[C_ARTICLE] = {"article", NULL, 1},
	[C_PIECES] = {"pieces", "qty", 1},
	[C_PRICE] = {"price", NULL, 1},
};

/* What may be set in entente.yaml. The host checks it against this table before create(). */
enum { OPT_CURRENCY, OPT_TRAINING };
static const ent_option options[] = {
	[OPT_CURRENCY] = {.key = "currency", .type = ENT_OPT_STR, .required = 1, .doc = "Currency of the till, ISO 4217."},
	[OPT_TRAINING] = {.key = "training", .type = ENT_OPT_STR, .preset = "TRAINING", .doc = "Cashier who only practises."},
	{.key = NULL},
};

typedef struct till {
	const ent_host *host;
	ent_ctx *ctx;
	char currency[4], training[64];
	char receipt[64]; /* the receipt in hand: cells live only until row() returns, so its key is copied */
	size_t receipt_n;
	unsigned line;    /* number of its last line */
	int bad;          /* it was rejected */
} till;

static int same(ent_str a, const char *p, size_t n) { return a.n == n && !memcmp(a.p, p, n); }

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	const ent_str currency = values[OPT_CURRENCY].s, training = values[OPT_TRAINING].s;
	till *t;
	if (currency.n != 3 || training.n >= sizeof t->training) {
		host->error(ctx, 0, ENT_NO_COLUMN, "currency is no code of three letters, or training is too long", "write EUR");
		return ENT_EOPTION;
	}
	t = calloc(1, sizeof *t);
	if (!t)
		return ENT_ENOMEM;
	t->host = host, t->ctx = ctx;
	memcpy(t->currency, currency.p, 3);
	if (training.n)
		memcpy(t->training, training.p, training.n);
	*self = t;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	till *t = self;
	(void)doc;
	t->receipt_n = 0; /* nothing is carried from one document to the next */
	return ENT_OK;
}

/* One bad record is rejected and is no error: the file goes on. */
static ent_status reject(till *t, const ent_row *r, uint32_t column, const char *why) {
	t->host->reject(t->ctx, r->place, column, why);
	return ENT_OK;
}

/* A new receipt: its order. The lines follow, and are all of its lines. */
static ent_status receipt(till *t, const ent_row *r) {
	const ent_str *c = r->cell;
	ent_order o = {.h = {.place = r->place, .key = c[C_RECEIPT]}, .flags = ENT_ORDER_LINES_COMPLETE};
	t->receipt_n = 0, t->line = 0, t->bad = 1;
	if (!c[C_RECEIPT].n || c[C_RECEIPT].n > sizeof t->receipt)
		return reject(t, r, C_RECEIPT, "no receipt number, or one of more than 64 bytes");
	memcpy(t->receipt, c[C_RECEIPT].p, c[C_RECEIPT].n);
	t->receipt_n = c[C_RECEIPT].n;
	if (t->host->time(c[C_TIME], "%d.%m.%Y %H:%M", &o.at))
		return reject(t, r, C_TIME, "not a time like 31.12.2024 18:05");
	if (t->host->money(c[C_PAID], ',', '.', &o.total))
		return reject(t, r, C_PAID, "not an amount");
	o.h.has = ENT_HAS_TOTAL;
	memcpy(o.currency, t->currency, sizeof o.currency);
	if (c[C_CASHIER].n && same(c[C_CASHIER], t->training, strlen(t->training)))
		o.status = ENT_ORDER_TEST;
	else
		o.agent = t->host->identity(t->ctx, ENT_ID_STAFF, c[C_CASHIER]);
	o.channel = (ent_str){"till", 4};
	t->bad = 0;
	return t->host->push(t->ctx, ENT_ORDER, &o, sizeof o, 1);
}

static ent_status row(void *self, const ent_row *r) {
	till *t = self;
	const ent_str *c = r->cell;
	char key[16];
	int64_t pieces;
	if (!t->receipt_n || !same(c[C_RECEIPT], t->receipt, t->receipt_n)) {
		ent_status e = receipt(t, r);
		if (e || t->bad)
			return e;
	} else if (t->bad) {
		return reject(t, r, C_RECEIPT, "its receipt was rejected");
	}
	int n = snprintf(key, sizeof key, "%u", ++t->line); /* rows have no number of their own */
	ent_line l = {.h = {.place = r->place, .key = {key, (size_t)n}}, .order_key = {t->receipt, t->receipt_n}};
	if (t->host->money(c[C_PIECES], ',', '.', &pieces) || pieces % 1000)
		return reject(t, r, C_PIECES, "not a number of pieces");
	if (t->host->money(c[C_PRICE], ',', '.', &l.unit_price))
		return reject(t, r, C_PRICE, "not an amount");
	l.quantity = pieces / 1000; /* money() counts in millionths, pieces are counted in thousandths */
	if (__builtin_mul_overflow(l.unit_price, l.quantity, &l.gross))
		return reject(t, r, C_PRICE, "pieces times price is out of range");
	l.gross /= 1000;
	l.h.has = ENT_HAS_QUANTITY | ENT_HAS_UNIT_PRICE | ENT_HAS_GROSS;
	l.sku = c[C_ARTICLE];
	return t->host->push(t->ctx, ENT_LINE, &l, sizeof l, 1);
}

/* A large file is decoded in parts, on all cores: may one begin at this row? Where it carries nothing from the row before. */
static int starts(void *self, const ent_row *before, const ent_row *r) {
	(void)self;
	return !before || !same(before->cell[C_RECEIPT], r->cell[C_RECEIPT].p, r->cell[C_RECEIPT].n);
}

static ent_status end(void *self) { return self ? ENT_OK : ENT_EINTERNAL; } /* nothing was held back */

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	static const char first[] = "receipt;time;";
	int yes = head.n >= sizeof first - 1 && !memcmp(head.p, first, sizeof first - 1);
	(void)doc;
	*why = yes ? "the header of a till's receipts" : "the header does not begin with receipt;time;";
	return yes ? 90 : 0;
}

static const ent_decoder decoder = {
	.size = sizeof decoder, .name = "till", .doc = "Receipts of a shop's till, a row for each article.", .version = "1",
	.system = "till", .facts = 1u << ENT_ORDER | 1u << ENT_LINE, .frame = ENT_FRAME_DELIMITED, .options = options,
	.columns = columns, .probe = probe, .create = create, .begin = begin, .row = row, .starts = starts, .end = end,
	.destroy = free};
static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC, .major = ENT_PLUGIN_MAJOR, .minor = ENT_PLUGIN_MINOR,
	.size = sizeof ent_plugin_entry, .name = "till", .version = "1.0.0", .decoders = decoders};
