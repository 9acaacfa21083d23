/* SPDX-License-Identifier: Apache-2.0
 *
 * till: receipts of a cash desk, one row for each article, the receipt's own fields on its first row only. A whole plugin in
 * one file: change it, piece by piece, until it reads your format. What each piece may do is in entente/plugin.h. */
#include <entente/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Columns that are asked for: name, other names of it, must it be there? The host finds them in any order, and row() gets their
 * cells in this order. What is not asked for never leaves the host. */
enum { C_RECEIPT, C_TIME, C_CASHIER, C_PAID, C_DISCOUNT, C_ARTICLE, C_PIECES, C_PRICE, C_COUNT };
static const ent_column columns[C_COUNT + 1] = {
	[C_RECEIPT] = {"receipt", "receipt no|bon", 1},
	[C_TIME] = {"time", "date", 1},
	[C_CASHIER] = {"cashier", NULL, 0},
	[C_PAID] = {"paid", NULL, 1},
	[C_DISCOUNT] = {"discount", NULL, 0},
	[C_ARTICLE] = {"article", NULL, 1},
	[C_PIECES] = {"pieces", "qty", 1},
	[C_PRICE] = {"price", NULL, 1},
};

/* What may be set in entente.yaml. The host checks it against this table before create(); `doc` is the documentation. */
enum { OPT_CURRENCY, OPT_TRAINING };
static const ent_option options[] = {
	[OPT_CURRENCY] = {.key = "currency", .type = ENT_OPT_STR, .required = 1, .doc = "Currency of the amounts, ISO 4217."},
	[OPT_TRAINING] = {.key = "training", .type = ENT_OPT_STR, .preset = "TRAINING", .doc = "Cashier who only practises."},
	{.key = NULL},
};

/* One instance. What is carried from row to row must be copied: cells live only until row() returns. */
typedef struct decoder_state {
	const ent_host *host;
	ent_ctx *ctx;
	char currency[4], training[64];
	char receipt[64]; /* the receipt in hand */
	size_t receipt_n; /* 0: none */
	unsigned line;    /* number of its last line */
	int bad;          /* it was rejected, so its rows are */
} decoder_state;

static int same(ent_str a, const char *p, size_t n) { return a.n == n && (!n || !memcmp(a.p, p, n)); }

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	const ent_str currency = values[OPT_CURRENCY].s, training = values[OPT_TRAINING].s;
	if (currency.n != 3 || training.n >= sizeof((decoder_state *)0)->training) { /* what a table cannot say */
		host->error(ctx, 0, ENT_NO_COLUMN, "currency is no code of three letters, or training is too long", "write EUR");
		return ENT_EOPTION;
	}
	decoder_state *d = calloc(1, sizeof *d);
	if (!d)
		return ENT_ENOMEM;
	d->host = host, d->ctx = ctx;
	memcpy(d->currency, currency.p, 3);
	if (training.n)
		memcpy(d->training, training.p, training.n);
	*self = d;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	decoder_state *d = self;
	(void)doc;
	d->receipt_n = 0; /* nothing is carried from one document to the next */
	return ENT_OK;
}

/* One bad record is rejected and is no error: the file goes on. The reason holds nothing of the record, so that equal ones count. */
static ent_status reject(decoder_state *d, const ent_row *r, uint32_t column, const char *why) {
	d->host->reject(d->ctx, r->place, column, why);
	return ENT_OK;
}

/* An amount that may be missing: without its bit it is absent, which is not zero. 0, or -1: it is no amount. */
static int amount(const decoder_state *d, ent_str cell, uint64_t bit, int64_t *to, uint64_t *has) {
	if (!cell.n) /* an empty cell, or no such column */
		return 0;
	*has |= bit;
	return d->host->money(cell, ',', '.', to);
}

/* The first row of a receipt: its order. The lines that follow are all of its lines. */
static ent_status receipt(decoder_state *d, const ent_row *r) {
	const ent_str *c = r->cell;
	ent_order o = {.h = {.place = r->place, .key = c[C_RECEIPT]}, .flags = ENT_ORDER_LINES_COMPLETE};
	d->receipt_n = 0, d->line = 0, d->bad = 1;
	if (!c[C_RECEIPT].n || c[C_RECEIPT].n > sizeof d->receipt)
		return reject(d, r, C_RECEIPT, "no receipt number, or one of more than 64 bytes");
	memcpy(d->receipt, c[C_RECEIPT].p, c[C_RECEIPT].n);
	d->receipt_n = c[C_RECEIPT].n;
	if (d->host->time(c[C_TIME], "%d.%m.%Y %H:%M", &o.at))
		return reject(d, r, C_TIME, "not a time like 31.12.2024 18:05");
	if (amount(d, c[C_PAID], ENT_HAS_TOTAL, &o.total, &o.h.has))
		return reject(d, r, C_PAID, "not an amount");
	if (amount(d, c[C_DISCOUNT], ENT_HAS_DISCOUNT, &o.discount, &o.h.has))
		return reject(d, r, C_DISCOUNT, "not an amount");
	memcpy(o.currency, d->currency, sizeof o.currency);
	if (c[C_CASHIER].n && same(c[C_CASHIER], d->training, strlen(d->training)))
		o.status = ENT_ORDER_TEST;
	else
		o.agent = d->host->identity(d->ctx, ENT_ID_STAFF, c[C_CASHIER]); /* keyed: no name leaves the decoder */
	o.channel = (ent_str){"counter", 7};
	d->bad = 0;
	return d->host->push(d->ctx, ENT_ORDER, &o, sizeof o, 1);
}

static ent_status row(void *self, const ent_row *r) {
	decoder_state *d = self;
	const ent_str *c = r->cell;
	if (same(c[C_RECEIPT], "SUM", 3)) { /* of the day, below its receipts: right, and none of ours */
		d->receipt_n = 0;
		d->host->skip(d->ctx, r->place, "the sum of a day");
		return ENT_OK;
	}
	if (!d->receipt_n || !same(c[C_RECEIPT], d->receipt, d->receipt_n)) {
		ent_status e = receipt(d, r);
		if (e || d->bad)
			return e;
	} else if (d->bad) {
		return reject(d, r, C_RECEIPT, "its receipt was rejected");
	}
	char key[16];
	int n = snprintf(key, sizeof key, "%u", ++d->line); /* rows have no number of their own */
	ent_line l = {.h = {.place = r->place, .key = {key, (size_t)n}}, .order_key = {d->receipt, d->receipt_n}};
	int64_t pieces;
	if (d->host->money(c[C_PIECES], ',', '.', &pieces) || pieces % 1000)
		return reject(d, r, C_PIECES, "not a number of pieces");
	if (d->host->money(c[C_PRICE], ',', '.', &l.unit_price))
		return reject(d, r, C_PRICE, "not an amount");
	l.quantity = pieces / 1000; /* money() counts in millionths, pieces are counted in thousandths */
	if (__builtin_mul_overflow(l.unit_price, l.quantity, &l.gross))
		return reject(d, r, C_PRICE, "pieces times price is out of range");
	l.gross /= 1000;
	l.h.has = ENT_HAS_QUANTITY | ENT_HAS_UNIT_PRICE | ENT_HAS_GROSS;
	l.sku = c[C_ARTICLE];
	return d->host->push(d->ctx, ENT_LINE, &l, sizeof l, 1);
}

/* A large file is decoded in parts, on all cores: may one begin at this row? Where row() needs nothing of the row before. */
static int starts(void *self, const ent_row *before, const ent_row *r) {
	(void)self;
	return !before || !same(before->cell[C_RECEIPT], r->cell[C_RECEIPT].p, r->cell[C_RECEIPT].n);
}

static ent_status end(void *self) { return self ? ENT_OK : ENT_EINTERNAL; } /* nothing was held back */

/* Does the first line have the word, in capitals or not? */
static int header_has(ent_str head, const char *word) {
	size_t n = strlen(word);
	for (; head.n >= n && *head.p != '\n'; head.p++, head.n--)
		if (!strncasecmp(head.p, word, n))
			return 1;
	return 0;
}

/* `decode: auto` asks how sure it is, from 0 to 100; look at what the file says rather than at its name. */
static int probe(ent_str head, const ent_doc *doc, const char **why) {
	int receipt = header_has(head, "receipt") || header_has(head, "bon");
	int yes = receipt && header_has(head, "article") && header_has(head, "paid") && header_has(head, "price");
	(void)doc;
	*why = yes ? "a header with receipt, article, paid and price" : "no header with receipt, article, paid and price";
	return yes ? 80 : 0;
}

/* `version` is that of the meaning: change it when the same file brings other facts, and all is decoded again. */
static const ent_decoder decoder = {
	.size = sizeof decoder, .name = "till", .doc = "Receipts of a cash desk, one row for each article.", .version = "1",
	.system = "till", .facts = 1u << ENT_ORDER | 1u << ENT_LINE, .frame = ENT_FRAME_DELIMITED, .options = options,
	.columns = columns, .probe = probe, .create = create, .begin = begin, .row = row, .starts = starts, .end = end,
	.destroy = free};
static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC, .major = ENT_PLUGIN_MAJOR, .minor = ENT_PLUGIN_MINOR,
	.size = sizeof ent_plugin_entry, .name = "till", .version = "1.0.0", .decoders = decoders};
