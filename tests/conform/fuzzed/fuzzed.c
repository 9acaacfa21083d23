/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests: a decoder of stock counts, a row each, and one of the same as JSON lines, with bugs behind words that no
 * golden input has; FUZZED_x makes one of them. Without any it survives whatever it is fed. */
#include "entente/plugin.h"

#include <stdlib.h>
#include <string.h>

typedef struct stock {
	const ent_host *host;
	ent_ctx *ctx;
	uint64_t fed;
	char *note;
} stock;

enum { C_SKU, C_AT, C_PIECES, C_NOTE };
static const ent_column columns[] = {
	{"sku", "article", 1}, {"at", NULL, 1}, {"pieces", NULL, 1}, {"note", NULL, 0}, {NULL, NULL, 0}};

static int is(ent_str s, const char *text) { return s.n == strlen(text) && !memcmp(s.p, text, s.n); }

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *options, void **self) {
	stock *s = calloc(1, sizeof *s);
	(void)options;
	if (!s)
		return ENT_ENOMEM;
	s->host = host, s->ctx = ctx;
	*self = s;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	stock *s = self;
	(void)doc;
	s->fed = 0;
	return ENT_OK;
}

static ent_status record(stock *s, uint64_t place, ent_str sku, ent_str at, ent_str pieces, ent_str note) {
	ent_observation o = {.h = {.place = place, .key = sku, .has = ENT_HAS_VALUE},
		.metric = {"stock.pieces", 12},
		.unit = {"count", 5},
		.origin = ENT_ORIGIN_SHOP};
	(void)is(note, "");
#ifdef FUZZED_crash
	if (is(note, "RECOUNTED") && pieces.n)
		*(volatile char *)(uintptr_t)(pieces.n - 1) = 0; /* a pointer that is none */
#endif
#ifdef FUZZED_deep /* a word that is nowhere in the file: only who sees what is compared gets there */
	static volatile uint32_t mask = 0x5a5a5a5a;
	uint32_t word = 0;
	if (note.n >= 4)
		memcpy(&word, note.p, 4);
	if (word == (0x2b1c0417u ^ mask))
		abort();
#endif
#ifdef FUZZED_hang
	if (is(note, "COUNTING"))
		for (volatile int i = 0; !i;) {
		}
#endif
#ifdef FUZZED_verdict
	if (is(note, "FORGET IT"))
		return ENT_OK;
#endif
#ifdef FUZZED_leak
	if (is(note, "KEEP"))
		s->note = malloc(100);
#endif
#ifdef FUZZED_returned
	if (is(note, "IMPOSSIBLE"))
		return ENT_EINTERNAL;
#endif
#ifdef FUZZED_reason
	if (memchr(note.p ? note.p : "", '@', note.n) && note.n < 60) {
		char why[80] = "a note by ";
		memcpy(why + 10, note.p, note.n);
		s->host->reject(s->ctx, place, C_NOTE, why);
		return ENT_OK;
	}
#endif
	if (!sku.n || sku.n > 255)
		return s->host->reject(s->ctx, place, C_SKU, "no article, or one of more than 255 bytes"), ENT_OK;
	if (s->host->time(at, NULL, &o.from))
		return s->host->reject(s->ctx, place, C_AT, "not a time"), ENT_OK;
	if (s->host->money(pieces, '.', 0, &o.value))
		return s->host->reject(s->ctx, place, C_PIECES, "not a number"), ENT_OK;
	return s->host->push(s->ctx, ENT_OBSERVATION, &o, sizeof o, 1);
}

static ent_status row(void *self, const ent_row *r) {
	const ent_str *c = r->cell;
	return record(self, r->place, c[C_SKU], c[C_AT], c[C_PIECES], c[C_NOTE]);
}

/* The text behind "name": in a line that need not be JSON. */
static ent_str member(ent_str line, const char *name) {
	const char *p = memmem(line.p, line.n, name, strlen(name)), *end = line.p + line.n;
	const char *from = p ? memchr(p, ':', (size_t)(end - p)) : NULL;
	from = from ? memchr(from, '"', (size_t)(end - from)) : NULL;
	const char *to = from ? memchr(from + 1, '"', (size_t)(end - from - 1)) : NULL;
	return to ? (ent_str){from + 1, (size_t)(to - from - 1)} : (ent_str){NULL, 0};
}

static ent_status feed(void *self, ent_str s, int eof) {
	stock *k = self;
	(void)eof;
	while (s.n) {
		const char *nl = memchr(s.p, '\n', s.n);
		ent_str line = {s.p, nl ? (size_t)(nl - s.p) : s.n};
		ent_status e = record(k, k->fed, member(line, "\"sku\""), member(line, "\"at\""), member(line, "\"pieces\""),
			member(line, "\"note\""));
		if (e)
			return e;
		size_t used = line.n + (nl != NULL);
		k->fed += used;
		s.p += used, s.n -= used;
	}
	return ENT_OK;
}

static ent_status end(void *self) { return self ? ENT_OK : ENT_EINTERNAL; }

#define COMMON                                                                                                         \
	.size = sizeof(ent_decoder), .version = "1", .system = "stock", .facts = 1u << ENT_OBSERVATION, .create = create,  \
	.begin = begin, .end = end, .destroy = free
static const ent_decoder rows = {COMMON, .name = "stock", .doc = "Stock counts, a row each.",
	.frame = ENT_FRAME_DELIMITED, .columns = columns, .row = row};
static const ent_decoder lines = {
	COMMON, .name = "stock-json", .doc = "Stock counts, a line each.", .frame = ENT_FRAME_JSONL, .feed = feed};
static const ent_decoder *const decoders[] = {&rows, &lines, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof ent_plugin_entry,
	.name = "fuzzed",
	.version = "1.0.0",
	.decoders = decoders};
