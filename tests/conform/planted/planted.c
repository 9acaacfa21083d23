/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin for testing the checker of plugins: three small decoders, one for each way of being given bytes, that are
 * right, and bugs that are compiled in one at a time: PLANTED_x makes the bug that the test x has to find. Without any
 * it passes every test. */
#include "entente/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 4096 /* of a line that `stream` takes */

typedef struct shop {
	const ent_host *host;
	ent_ctx *ctx;
	char currency[4];
	char *last; /* rows: key of the order in hand; stream: the line that has not ended; LONGEST bytes */
	size_t n;
	uint64_t at; /* bytes fed */
	int too_long;
	int pieces; /* of the line that has not ended */
#ifdef PLANTED_huge
	char *all;
	size_t room;
#endif
} shop;

#ifdef PLANTED_symbols
ENT_EXPORT int planted_helper(void);
ENT_EXPORT int planted_helper(void) { return 1; }
#endif

#ifdef PLANTED_undefined
int ent_money_parse(ent_str text, char decimal, char group, int64_t *micro);
#endif

/* ---- what all three say of an order ----------------------------------------------------------------------------- */

typedef struct order_text {
	uint64_t place;
	ent_str key, at, total, mail;
} order_text;

enum { REJECTED = 1 };

/* ent_status, or REJECTED. */
static int order(shop *s, const order_text *t, uint32_t at_column, uint32_t total_column) {
	ent_order o = {.h = {.place = t->place, .key = t->key}};
	if (!t->key.n || t->key.n > 255) {
		s->host->reject(s->ctx, t->place, ENT_NO_COLUMN, "an order without a number, or with too long a one");
		return REJECTED;
	}
	if (s->host->time(t->at, NULL, &o.at)) {
		s->host->reject(s->ctx, t->place, at_column, "not a time");
		return REJECTED;
	}
#ifdef PLANTED_undefined
	int bad = ent_money_parse(t->total, '.', ',', &o.total);
#else
	int bad = s->host->money(t->total, '.', ',', &o.total);
#endif
#ifdef PLANTED_flipped
	if (t->total.n && memchr(t->total.p, '}', t->total.n)) {
		abort();
	}
#endif
	if (bad) {
		s->host->reject(s->ctx, t->place, total_column, "not an amount");
		return REJECTED;
	}
#ifdef PLANTED_golden
	o.total += 10000;
#endif
#ifdef PLANTED_facts
	o.at.v = -o.at.v;
#endif
#ifdef PLANTED_personal
	o.channel = t->mail;
#endif
	o.h.has = ENT_HAS_TOTAL;
	memcpy(o.currency, s->currency, sizeof o.currency);
	o.customer = s->host->identity(s->ctx, ENT_ID_EMAIL, t->mail);
	return s->host->push(s->ctx, ENT_ORDER, &o, sizeof o, 1);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *options, void **self) {
	ent_str currency = options[0].set ? options[0].s : (ent_str){"EUR", 3};
#ifdef PLANTED_create
	if (!options[0].set) {
		return ENT_EOPTION;
	}
#endif
	if (currency.n != 3) {
		host->error(ctx, 0, ENT_NO_COLUMN, "the currency is not three letters", "write one of ISO 4217: EUR");
		return ENT_EOPTION;
	}
	shop *s = calloc(1, sizeof *s);
	if (!s) {
		return ENT_ENOMEM;
	}
	s->host = host;
	s->ctx = ctx;
	memcpy(s->currency, currency.p, 3);
#ifdef PLANTED_threads
	static char shared[LONGEST];
	s->last = shared;
#else
	s->last = malloc(LONGEST);
#endif
	if (!s->last) {
#ifndef PLANTED_allocations
		free(s);
#endif
		return ENT_ENOMEM;
	}
	*self = s;
	return ENT_OK;
}

static void destroy(void *self) {
	shop *s = self;
	if (!s) {
		return;
	}
#ifdef PLANTED_huge
	free(s->all);
#endif
#if !defined PLANTED_leaks && !defined PLANTED_threads
	free(s->last);
#endif
	free(s);
}

static ent_status begin(void *self, const ent_doc *doc) {
	shop *s = self;
	(void)doc;
#ifndef PLANTED_again
	s->n = 0;
#endif
	s->at = 0;
	s->too_long = s->pieces = 0;
	return ENT_OK;
}

static ent_status end(void *self) {
	(void)self;
	return ENT_OK;
}

/* ---- planted-rows: an order in as many rows as it has lines ------------------------------------------------------ */

enum { ORDER, AT, TOTAL, MAIL, SKU, PRICE };
static const ent_column columns[] = {{"Order", "Number", 1}, {"At", NULL, 1}, {"Total", NULL, 1}, {"Email", NULL, 0},
	{"SKU", NULL, 0}, {"Price", NULL, 0}, {NULL, NULL, 0}};

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	int score = head.n > 8 && !memcmp(head.p, "Order,At,", 9) ? 90 : 0;
	(void)doc;
	*why = score ? "its columns" : "it does not begin with Order,At";
#ifdef PLANTED_probe
	score = 90;
#endif
	return score;
}

static int same(ent_str a, ent_str b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }

static void not_an_amount(shop *s, const ent_row *r) {
	uint64_t place = r->place;
#ifdef PLANTED_balance
	place++;
#endif
	s->host->reject(s->ctx, place, PRICE, "not an amount");
#ifdef PLANTED_verdicts
	s->host->reject(s->ctx, place, PRICE, "not an amount");
#endif
}

static ent_status row(void *self, const ent_row *r) {
	shop *s = self;
	ent_str key = r->cell[ORDER];
#ifdef PLANTED_found
	if (same(key, (ent_str){"NOTHING", 7})) {
		return ENT_EINTERNAL; /* what no input may bring about */
	}
#endif
#ifdef PLANTED_borrowed
	static _Thread_local const char *lent; /* the bytes are gone when the next row comes */
	ent_str last = {s->n ? lent : NULL, s->n};
#else
	ent_str last = {s->last, s->n};
#endif
	if (!same(key, last)) {
		order_text t = {r->place, key, r->cell[AT], r->cell[TOTAL], r->cell[MAIL]};
		int status = order(s, &t, AT, TOTAL);
		s->n = status ? 0 : key.n;
		if (status) {
			return status == REJECTED ? ENT_OK : (ent_status)status;
		}
#ifdef PLANTED_borrowed
		lent = key.p;
#else
		memcpy(s->last, key.p, key.n);
#endif
	}
	ent_line l = {.h = {.place = r->place, .key = r->cell[SKU]}, .order_key = key, .sku = r->cell[SKU]};
	if (!r->cell[SKU].n || r->cell[SKU].n > 255) {
		s->host->reject(s->ctx, r->place, SKU, "a line without an article, or with too long a one");
		return ENT_OK;
	}
	if (r->cell[PRICE].n) {
		if (s->host->money(r->cell[PRICE], '.', ',', &l.gross)) {
			not_an_amount(s, r);
			return ENT_OK;
		}
		l.h.has = ENT_HAS_GROSS;
	}
	return s->host->push(s->ctx, ENT_LINE, &l, sizeof l, 1);
}

static int starts(void *self, const ent_row *before, const ent_row *r) {
	(void)self;
#ifdef PLANTED_starts
	(void)before, (void)r;
	return 1;
#else
	return before && !same(before->cell[ORDER], r->cell[ORDER]);
#endif
}

/* ---- planted-lines and planted-stream: an order a line, "key;time;total;mail" ------------------------------------ */

static ent_status line(shop *s, const char *p, size_t n, uint64_t place) {
	ent_str part[4] = {{p, 0}, {p, 0}, {p, 0}, {p, 0}};
	const char *stop = p + n;
#ifdef PLANTED_truncated
	if (n == 5) {
		abort();
	}
#endif
#ifdef PLANTED_nul
	if (memchr(p, 0, n)) {
		abort();
	}
#endif
#ifdef PLANTED_encoding
	if (memchr(p, 0xed, n)) {
		abort();
	}
#endif
	if (n && p[n - 1] == '\r') {
		stop--;
	}
	if (p == stop || *p == '#') {
		s->host->skip(s->ctx, place, p == stop ? "an empty line" : "a remark");
		return ENT_OK;
	}
	for (int i = 0; i < 4; i++) {
		const char *semicolon = p < stop ? memchr(p, ';', (size_t)(stop - p)) : NULL;
		part[i] = (ent_str){p, (size_t)((semicolon ? semicolon : stop) - p)};
		p = semicolon ? semicolon + 1 : stop;
	}
	order_text t = {place, part[0], part[1], part[2], part[3]};
	int status = order(s, &t, ENT_NO_COLUMN, ENT_NO_COLUMN);
	return status == REJECTED ? ENT_OK : (ent_status)status;
}

static ent_status feed_lines(void *self, ent_str bytes, int eof) {
	shop *s = self;
	(void)eof;
	for (const char *p = bytes.p, *stop = p + bytes.n, *line_end; p < stop; p = line_end + 1) {
		line_end = memchr(p, '\n', (size_t)(stop - p));
		ent_status e = line(s, p, (size_t)(line_end - p), s->at);
		if (e) {
			return e;
		}
		s->at += (size_t)(line_end + 1 - p);
	}
	return ENT_OK;
}

/* The line that has been gathered is whole. */
static ent_status whole(shop *s) {
	ent_status e = ENT_OK;
	int pieces = s->pieces;
	s->pieces = 0;
#ifdef PLANTED_pieces
	if (pieces > 2) {
		return ENT_OK;
	}
#endif
	(void)pieces;
	if (s->too_long) {
		s->host->reject(s->ctx, s->at, ENT_NO_COLUMN, "a line of more than 4096 bytes");
	} else {
		e = line(s, s->last, s->n, s->at);
	}
	return e;
}

/* More of the line that has not ended. */
static ent_status gather(shop *s, const char *p, size_t n) {
	size_t room = LONGEST - (s->n < LONGEST ? s->n : LONGEST);
#ifdef PLANTED_huge
	if (s->n + n > s->room) {
		size_t more = 2 * (s->n + n);
		char *all = realloc(s->all, more);
		if (!all) {
			return ENT_ENOMEM;
		}
		s->all = all;
		s->room = more;
	}
	memcpy(s->all + s->n, p, n);
#endif
	s->too_long |= n > room;
	memcpy(s->last + (LONGEST - room), p, n < room ? n : room);
	s->n += n;
	s->pieces += n > 0;
	return ENT_OK;
}

static ent_status feed_stream(void *self, ent_str bytes, int eof) {
	shop *s = self;
	ent_status e = ENT_OK;
	const char *p = bytes.p, *stop = bytes.n ? p + bytes.n : p;
	while (p < stop && !e) {
		const char *line_end = memchr(p, '\n', (size_t)(stop - p));
		e = gather(s, p, (size_t)((line_end ? line_end : stop) - p));
		if (!e && line_end) {
			e = whole(s);
			s->at += s->n + 1;
			s->n = 0;
			s->too_long = 0;
		}
		p = line_end ? line_end + 1 : stop;
	}
#ifdef PLANTED_splits
	eof = 1; /* what the next piece begins with is taken for a line of its own */
#endif
	if (!e && eof && s->n) {
		e = whole(s);
		s->at += s->n;
		s->n = 0;
	}
	return e;
}

static ent_status end_stream(void *self) {
#ifdef PLANTED_empty
	shop *s = self;
	order_text t = {0, {"0", 1}, {"2024-03-01", 10}, {"0.00", 4}, {NULL, 0}};
	return s->at ? ENT_OK : (ent_status)order(s, &t, ENT_NO_COLUMN, ENT_NO_COLUMN);
#else
	return end(self);
#endif
}

static ent_status save(void *self, int (*write)(void *to, const void *bytes, size_t n), void *to) {
	const shop *s = self;
	size_t kept = s->n < LONGEST ? s->n : LONGEST;
	uint64_t at = s->at;
#ifdef PLANTED_state
	at = 0;
#endif
	return write(to, &at, sizeof at) || write(to, &s->n, sizeof s->n) || write(to, &s->too_long, sizeof s->too_long) ||
				   write(to, s->last, kept)
			   ? ENT_EINTERNAL
			   : ENT_OK;
}

static ent_status load(void *self, ent_str state) {
	shop *s = self;
	size_t head = sizeof s->at + sizeof s->n + sizeof s->too_long;
	if (state.n < head || state.n - head > LONGEST) {
		return ENT_EINTERNAL;
	}
	const char *p = state.p;
	memcpy(&s->at, p, sizeof s->at);
	memcpy(&s->n, p + sizeof s->at, sizeof s->n);
	memcpy(&s->too_long, p + sizeof s->at + sizeof s->n, sizeof s->too_long);
	memcpy(s->last, p + head, state.n - head);
	return ENT_OK;
}

/* ---- tables --------------------------------------------------------------------------------------------------- */

#ifdef PLANTED_options
#define SENTENCE ""
#else
#define SENTENCE "Of all amounts, as ISO 4217 has it."
#endif

static const ent_option options[] = {
	{.key = "currency", .type = ENT_OPT_STR, .preset = "EUR", .doc = SENTENCE},
	{.key = NULL},
};

#define COMMON(decoder, sentence)                                                                                      \
	.size = sizeof(ent_decoder), .name = decoder, .doc = sentence, .version = "1", .system = "planted",                \
	.options = options, .create = create, .begin = begin, .destroy = destroy

static const ent_decoder rows = {COMMON("planted-rows", "Orders, a row for each line."),
	.facts = 1u << ENT_ORDER | 1u << ENT_LINE, .frame = ENT_FRAME_DELIMITED, .columns = columns, .probe = probe,
	.row = row, .starts = starts, .end = end};

static const ent_decoder lines = {COMMON("planted-lines", "Orders, one a line, which the host finds."),
	.facts = 1u << ENT_ORDER, .frame = ENT_FRAME_JSONL, .feed = feed_lines, .end = end};

static const ent_decoder stream = {COMMON("planted-stream", "Orders, one a line, which the decoder finds."),
	.facts = 1u << ENT_ORDER, .frame = ENT_FRAME_BYTES, .feed = feed_stream, .end = end_stream, .save = save,
	.load = load};

static const ent_decoder *const decoders[] = {&rows, &lines, &stream, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
#ifdef PLANTED_abi
	.size = sizeof(ent_plugin) - 8,
#else
	.size = sizeof(ent_plugin),
#endif
	.name = "planted",
	.version = "1.0.0",
	.decoders = decoders};
