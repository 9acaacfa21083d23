/* SPDX-License-Identifier: Apache-2.0
 *
 * A well-behaved plugin for the tests of entente-decoder, with one decoder for each frame:
 *   rows   orders with lines, carried over continuation rows; a group starts where the order's name changes
 *   flat   every row an observation; a group of its own
 *   lines  {"k":"KEY"...} a visit; "bad" in the line rejects it, "skip" skips it
 *   whole  a document of such lines
 *   bytes  the same, in any split */
#include "entente/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct shop {
	const ent_host *host;
	ent_ctx *ctx;
	char order[256]; /* rows: the order that lines belong to; bytes: an unfinished line */
	size_t order_n;
	uint64_t line, at; /* bytes: offset of the unfinished line */
} shop;

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *options, void **self) {
	(void)options;
	shop *s = calloc(1, sizeof *s);
	if (!s) {
		return ENT_ENOMEM;
	}
	s->host = host;
	s->ctx = ctx;
	*self = s;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	shop *s = self;
	s->order_n = 0;
	s->line = s->at = 0;
	ent_time day = {.v = 19000, .kind = ENT_TIME_DATE, .offset_min = ENT_NO_OFFSET};
	s->host->slice(s->ctx, (ent_str){"slice", 5}, 2);
	if (doc->n_companions) {
		s->host->cursor(s->ctx, "companion", doc->companions[0]);
	}
	s->host->covers(s->ctx, ENT_ORDER, day, day, 1);
	return ENT_OK;
}

static ent_status end(void *self) {
	(void)self;
	return ENT_OK;
}

/* ---- rows ---- */

enum { C_NAME, C_AT, C_CURRENCY, C_TOTAL, C_SKU, C_QTY, C_EMAIL, C_VENDOR, C_NOTE };
static const ent_column columns[] = {{"Name", NULL, 1}, {"At", "Created at|Date", 1}, {"Currency", NULL, 1},
	{"Total", NULL, 1}, {"Sku", NULL, 0}, {"Qty", NULL, 0}, {"Email", NULL, 0}, {"Vendor", NULL, 0}, {"Note", NULL, 0},
	{NULL, NULL, 0}};

static int same(ent_str a, ent_str b) { return a.n == b.n && !memcmp(a.p, b.p, a.n); }

static int starts(void *self, const ent_row *before, const ent_row *row) {
	(void)self;
	return before && !same(before->cell[C_NAME], row->cell[C_NAME]);
}

static ent_status row(void *self, const ent_row *r) {
	shop *s = self;
	ent_str name = r->cell[C_NAME];
	if (name.n >= sizeof s->order) {
		s->host->reject(s->ctx, r->place, C_NAME, "the name is too long");
		return ENT_OK;
	}
	if (name.n == 4 && !memcmp(name.p, "skip", 4)) {
		s->host->skip(s->ctx, r->place, "a heading");
		return ENT_OK;
	}
	if (name.n == 4 && !memcmp(name.p, "fail", 4)) {
		return s->host->error(s->ctx, r->place, C_NAME, "this is no order", "export orders");
	}
	if (s->order_n != name.n || memcmp(s->order, name.p, name.n) != 0) {
		ent_order o = {.h = {.place = r->place, .key = name, .partner = r->cell[C_VENDOR], .has = ENT_HAS_TOTAL},
			.flags = ENT_ORDER_LINES_COMPLETE,
			.channel = {"web", 3}};
		s->order_n = 0;
		if (s->host->time(r->cell[C_AT], NULL, &o.at)) {
			s->host->reject(s->ctx, r->place, C_AT, "not a time");
			return ENT_OK;
		}
		if (s->host->money(r->cell[C_TOTAL], '.', 0, &o.total)) {
			s->host->reject(s->ctx, r->place, C_TOTAL, "not an amount");
			return ENT_OK;
		}
		memcpy(o.currency, r->cell[C_CURRENCY].p, r->cell[C_CURRENCY].n < 3 ? r->cell[C_CURRENCY].n : 3);
		o.customer = s->host->identity(s->ctx, ENT_ID_EMAIL, r->cell[C_EMAIL]);
		memcpy(s->order, name.p, name.n);
		s->order_n = name.n;
		s->line = 0;
		ent_status status = s->host->push(s->ctx, ENT_ORDER, &o, sizeof o, 1);
		if (status) {
			return status;
		}
	}
	char number[24];
	int n = snprintf(number, sizeof number, "%llu", (unsigned long long)++s->line);
	ent_line l = {.h = {.place = r->place, .key = {number, (size_t)n}},
		.order_key = name,
		.sku = r->cell[C_SKU],
		.name = r->cell[C_NOTE]};
	if (r->cell[C_QTY].n && !s->host->money(r->cell[C_QTY], '.', 0, &l.quantity)) {
		l.quantity /= 1000;
		l.h.has |= ENT_HAS_QUANTITY;
	}
	return s->host->push(s->ctx, ENT_LINE, &l, sizeof l, 1);
}

static ent_status flat_row(void *self, const ent_row *r) {
	shop *s = self;
	ent_observation o = {.h = {.place = r->place, .key = r->cell[C_NAME]},
		.from = {.v = 19000, .kind = ENT_TIME_DATE, .offset_min = ENT_NO_OFFSET},
		.metric = r->cell[C_NOTE]};
	return s->host->push(s->ctx, ENT_OBSERVATION, &o, sizeof o, 1);
}

static const ent_column flat_columns[] = {{"Name", NULL, 1}, {"At", NULL, 0}, {"Currency", NULL, 0}, {"Total", NULL, 0},
	{"Sku", NULL, 0}, {"Qty", NULL, 0}, {"Email", NULL, 0}, {"Vendor", NULL, 0}, {"Note", NULL, 1}, {NULL, NULL, 0}};

/* ---- lines, whole, bytes ---- */

static ent_status visit(shop *s, ent_str key, uint64_t place) {
	ent_visit v = {
		.h = {.place = place, .key = key}, .at = {.v = 1600000000000000, .kind = ENT_TIME_INSTANT}, .pageviews = 1};
	return s->host->push(s->ctx, ENT_VISIT, &v, sizeof v, 1);
}

static ent_status one_line(shop *s, const char *p, const char *stop, uint64_t place) {
	if (memmem(p, (size_t)(stop - p), "bad", 3)) {
		s->host->reject(s->ctx, place, ENT_NO_COLUMN, "a bad line");
		if (stop - p > 1) {
			s->host->reject(s->ctx, place, ENT_NO_COLUMN, "a bad line, said twice");
		}
	} else if (memmem(p, (size_t)(stop - p), "skip", 4)) {
		s->host->skip(s->ctx, place, "of no interest");
	} else {
		const char *key = memmem(p, (size_t)(stop - p), "\"k\":\"", 5);
		const char *e = key ? memchr(key + 5, '"', (size_t)(stop - key - 5)) : NULL;
		if (e) {
			return visit(s, (ent_str){key + 5, (size_t)(e - key - 5)}, place);
		}
	}
	return ENT_OK;
}

static ent_status feed_lines(void *self, ent_str bytes, int eof) {
	shop *s = self;
	(void)eof;
	const char *p = bytes.p, *stop = bytes.p + bytes.n;
	volatile char padding = bytes.n ? stop[ENT_FEED_PADDING - 1] : 0;
	(void)padding;
	while (p < stop) {
		const char *e = memchr(p, '\n', (size_t)(stop - p));
		if (!e) {
			return s->host->error(s->ctx, s->at, ENT_NO_COLUMN, "a line without an end", "this is a fault of the host");
		}
		ent_status status = one_line(s, p, e, s->at + (uint64_t)(p - bytes.p));
		if (status) {
			return status;
		}
		p = e + 1;
	}
	s->at += bytes.n;
	return ENT_OK;
}

static ent_status feed_whole(void *self, ent_str bytes, int eof) {
	shop *s = self;
	const char *p = bytes.p, *stop = bytes.p + bytes.n;
	if (!eof) {
		return ENT_EINTERNAL;
	}
	while (p < stop) {
		const char *e = memchr(p, '\n', (size_t)(stop - p));
		e = e ? e : stop;
		ent_status status = one_line(s, p, e, (uint64_t)(p - bytes.p));
		if (status) {
			return status;
		}
		p = e + 1;
	}
	return ENT_OK;
}

static ent_status feed_bytes(void *self, ent_str bytes, int eof) {
	shop *s = self;
	for (size_t i = 0; i < bytes.n; i++) {
		if (bytes.p[i] == '\n') {
			ent_status status = one_line(s, s->order, s->order + s->order_n, s->line);
			if (status) {
				return status;
			}
			s->order_n = 0;
			s->line = s->at + i + 1;
		} else if (s->order_n < sizeof s->order) {
			s->order[s->order_n++] = bytes.p[i];
		}
	}
	s->at += bytes.n;
	return eof && s->order_n ? one_line(s, s->order, s->order + s->order_n, s->line) : ENT_OK;
}

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	*why = head.n > 4 && !memcmp(head.p, "Name", 4) ? "starts with Name" : "does not start with Name";
	return **why == 's' ? 90 : 0;
}

static const char *const choices[] = {"one", "two", NULL};
static const ent_option options[] = {
	{"mode", ENT_OPT_ENUM, 0, "one", choices, "how", NULL}, {NULL, 0, 0, NULL, NULL, NULL, NULL}};

#define DECODER(id, f, ...)                                                                                            \
	static const ent_decoder id = {.size = sizeof(ent_decoder),                                                        \
		.name = #id,                                                                                                   \
		.doc = "For tests.",                                                                                           \
		.version = "1",                                                                                                \
		.system = "test",                                                                                              \
		.facts = 1u << ENT_ORDER | 1u << ENT_LINE | 1u << ENT_VISIT,                                                   \
		.frame = f,                                                                                                    \
		.create = create,                                                                                              \
		.begin = begin,                                                                                                \
		.end = end,                                                                                                    \
		.destroy = free,                                                                                               \
		__VA_ARGS__}
DECODER(
	rows, ENT_FRAME_DELIMITED, .options = options, .columns = columns, .row = row, .starts = starts, .probe = probe);
DECODER(flat, ENT_FRAME_DELIMITED, .columns = flat_columns, .row = flat_row);
DECODER(lines, ENT_FRAME_JSONL, .feed = feed_lines);
DECODER(whole, ENT_FRAME_DOCUMENT, .feed = feed_whole);
DECODER(bytes, ENT_FRAME_BYTES, .feed = feed_bytes);

static const ent_decoder *const decoders[] = {&rows, &flat, &lines, &whole, &bytes, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "shop",
	.version = "1.0",
	.decoders = decoders};
