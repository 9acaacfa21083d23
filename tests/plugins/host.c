/* SPDX-License-Identifier: Apache-2.0
 *
 * See host.h: loading, the host's functions, and the framing of delimited files, of JSON lines and of bodies.
 */
#include "host.h"
#include "options.h"
#include "write.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct ent_ctx {
	host_text *out, error;
	uint64_t base; /* place of the first byte fed */
	const ent_column *columns;
};

struct host {
	void *so, *self;
	const ent_decoder *decoder;
	options *options;
	ent_ctx ctx;
	ent_str beside;
};

typedef struct table { /* a delimited document, cut into cells */
	ent_str *cells;    /* rows * columns of the file */
	uint64_t *place;
	size_t rows, columns;
	char *text; /* unquoted cells */
} table;

static ent_status host_push(ent_ctx *c, ent_fact kind, const void *items, size_t stride, size_t n) {
	for (size_t i = 0; i < n; i++)
		write_fact(c->out, kind, (const char *)items + i * stride);
	return ENT_OK;
}

static void verdict(ent_ctx *c, const char *word, uint64_t place, uint32_t column, const char *why) {
	host_text *t = c->out;
	host_text_add(t, "{", 1);
	write_string(t, "verdict", (ent_str){word, strlen(word)});
	write_number(t, "place", (int64_t)place);
	if (column != ENT_NO_COLUMN && c->columns)
		write_string(t, "column", (ent_str){c->columns[column].name, strlen(c->columns[column].name)});
	write_string(t, "why", (ent_str){why, strlen(why)});
	host_text_add(t, "}\n", 2);
}

static void host_reject(ent_ctx *c, uint64_t place, uint32_t column, const char *why) {
	verdict(c, "reject", place, column, why);
}

static void host_skip(ent_ctx *c, uint64_t place, const char *why) { verdict(c, "skip", place, ENT_NO_COLUMN, why); }

static ent_status host_error(ent_ctx *c, uint64_t place, uint32_t column, const char *what, const char *todo) {
	char b[600];
	snprintf(b, sizeof b, "%s; %s", what, todo);
	if (c->out)
		verdict(c, "error", place, column, b);
	else
		host_text_add(&c->error, b, strlen(b));
	return ENT_ENOTFORMAT;
}

/* No secret is needed here: FNV with the kind's space mixed in, after the normalization that plugin.h names. */
static ent_id host_identity(ent_ctx *c, ent_id_kind kind, ent_str s) {
	ent_id id = {{0}};
	uint64_t h = 0xcbf29ce484222325ULL, n = 0;
	(void)c;
	while (s.n && s.p[0] == ' ')
		s.p++, s.n--;
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	h = (h ^ (kind == ENT_ID_COOKIE ? 2 : kind == ENT_ID_STAFF ? 3 : 1)) * 0x100000001b3ULL;
	for (size_t i = 0; i < s.n; i++) {
		char b = s.p[i];
		if (kind == ENT_ID_EMAIL && b >= 'A' && b <= 'Z')
			b |= 0x20;
		if (kind == ENT_ID_PHONE && (b < '0' || b > '9'))
			continue;
		h = (h ^ (unsigned char)b) * 0x100000001b3ULL;
		n++;
	}
	if (n)
		for (int i = 0; i < 16; i++)
			id.b[i] = (uint8_t)(h >> (i % 8 * 8)) ^ (uint8_t)(i / 8 * 0x55);
	return id;
}

static void host_covers(ent_ctx *c, ent_fact kind, ent_time from, ent_time to, int complete) {
	host_text *t = c->out;
	host_text_add(t, "{", 1);
	write_number(t, "covers", kind);
	write_time(t, "from", from);
	write_time(t, "to", to);
	write_number(t, "complete", complete);
	host_text_add(t, "}\n", 2);
}

static void host_slice(ent_ctx *c, ent_str name, int grade) {
	host_text *t = c->out;
	host_text_add(t, "{", 1);
	write_string(t, "slice", name);
	write_number(t, "grade", grade);
	host_text_add(t, "}\n", 2);
}

static void host_cursor(ent_ctx *c, const char *name, ent_str value) { (void)c, (void)name, (void)value; }

static void host_log(ent_ctx *c, int level, const char *text) { (void)c, (void)level, (void)text; }

static const ent_host functions = {.size = sizeof(ent_host),
	.minor = ENT_PLUGIN_MINOR,
	.push = host_push,
	.reject = host_reject,
	.skip = host_skip,
	.error = host_error,
	.identity = host_identity,
	.covers = host_covers,
	.slice = host_slice,
	.cursor = host_cursor,
	.log = host_log,
	.money = host_money,
	.time = host_time};

static void die(const char *what, const char *more) {
	fprintf(stderr, "test host: %s: %s\n", what, more);
	abort();
}

host *host_open(const char *plugin, const char *decoder, const char *text, char **why) {
	char path[1024], reason[200] = "";
	host *h = calloc(1, sizeof *h);
	if (!h)
		abort();
	snprintf(path, sizeof path, "%s/plugins/%s.so", ENTENTE_BUILD_DIR, plugin);
	h->so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!h->so)
		die("cannot load", dlerror());
	const ent_plugin *p = dlsym(h->so, "ent_plugin_entry");
	if (!p || p->magic != ENT_PLUGIN_MAGIC || p->major != ENT_PLUGIN_MAJOR || p->size < sizeof *p)
		die("no plugin of this ABI", path);
	for (size_t i = 0; p->decoders[i]; i++)
		if (!strcmp(p->decoders[i]->name, decoder))
			h->decoder = p->decoders[i];
	if (!h->decoder)
		die("no such decoder", decoder);
	h->options = options_read(h->decoder->options, text, reason);
	ent_status e = ENT_EOPTION;
	if (h->options)
		e = h->decoder->create(&functions, &h->ctx, options_values(h->options), &h->self);
	if (!e)
		return h;
	if (why)
		*why = strdup(h->ctx.error.p ? h->ctx.error.p : reason);
	h->self = NULL;
	host_close(h);
	return NULL;
}

void host_close(host *h) {
	if (!h)
		return;
	h->decoder->destroy(h->self);
	options_free(h->options);
	host_text_free(&h->ctx.error);
	/* never dlclose(): leak reports need the plugin's symbols, and the real host keeps it, too */
	free(h);
}

void host_beside(host *h, const char *bytes, size_t n) { h->beside = (ent_str){bytes, n}; }

const ent_decoder *host_decoder(const host *h) { return h->decoder; }

static int named(ent_str cell, const char *name, size_t n) {
	while (cell.n && cell.p[0] == ' ')
		cell.p++, cell.n--;
	while (cell.n && cell.p[cell.n - 1] == ' ')
		cell.n--;
	return cell.n == n && !strncasecmp(cell.p, name, n);
}

static int is_column(ent_str cell, const ent_column *c) {
	if (named(cell, c->name, strlen(c->name)))
		return 1;
	for (const char *a = c->aliases; a && *a;) {
		size_t n = strcspn(a, "|");
		if (named(cell, a, n))
			return 1;
		a += n + (a[n] == '|');
	}
	return 0;
}

/* RFC 4180, comma or (when the header has none) semicolon or tab. */
static table cut(const char *p, size_t n) {
	table t = {0};
	size_t room = 0, cells = 0, width = 0;
	char *o = t.text = malloc(n + 1), delimiter = ',';
	const char *e = p + n, *base = p;
	if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		p += 3;
	const char *nl = memchr(p, '\n', (size_t)(e - p));
	size_t first = nl ? (size_t)(nl - p) : (size_t)(e - p);
	if (!memchr(p, ',', first))
		delimiter = memchr(p, ';', first) ? ';' : '\t';
	while (p < e) {
		size_t at = 0;
		t.place = realloc(t.place, (t.rows + 1) * sizeof *t.place);
		t.place[t.rows] = (uint64_t)(p - base);
		for (int more = 1; more; at++) {
			char *from = o;
			if (p < e && *p == '"') {
				for (p++; p < e && (*p != '"' || (p + 1 < e && p[1] == '"')); p++) {
					p += *p == '"';
					*o++ = *p;
				}
				p += p < e;
			}
			while (p < e && *p != delimiter && *p != '\n')
				*o++ = *p++;
			more = p < e && *p == delimiter;
			if (!more && o > from && o[-1] == '\r')
				o--;
			p += p < e;
			if (cells + 1 > room)
				t.cells = realloc(t.cells, (room = room * 2 + 64) * sizeof *t.cells);
			t.cells[cells++] = (ent_str){from, (size_t)(o - from)};
		}
		if (!t.rows)
			width = at;
		for (; at < width; at++) {
			if (cells + 1 > room)
				t.cells = realloc(t.cells, (room = room * 2 + 64) * sizeof *t.cells);
			t.cells[cells++] = (ent_str){NULL, 0}; /* a short row, as with short_rows: fill */
		}
		if (at > width)
			cells -= at - width;
		t.rows++;
	}
	t.columns = width;
	return t;
}

static void table_free(table *t) {
	free(t->cells);
	free(t->place);
	free(t->text);
}

/* Which column of the file is column i of the decoder's? -1: none. Returns the number of columns, or -1 if a required
 * one is missing. */
static int match(host *h, const table *t, int *map, size_t room) {
	const ent_column *c = h->decoder->wants ? h->decoder->wants(h->self) : h->decoder->columns;
	size_t n = 0;
	for (h->ctx.columns = c; c[n].name && n < room; n++) {
		map[n] = -1;
		for (size_t k = t->columns; k-- > 0;)
			if (is_column(t->cells[k], &c[n]))
				map[n] = (int)k;
		if (map[n] < 0 && c[n].required)
			return -1;
	}
	return (int)n;
}

static ent_row row_of(const table *t, const int *map, size_t n, size_t i, ent_str *cells) {
	for (size_t k = 0; k < n; k++)
		cells[k] = map[k] < 0 ? (ent_str){NULL, 0} : t->cells[(i + 1) * t->columns + (size_t)map[k]];
	return (ent_row){.place = t->place[i + 1], .line = i + 2, .cell = cells, .n = n};
}

static ent_status rows(host *h, const char *bytes, size_t n, host_cut c) {
	int map[256];
	ent_str cells[256];
	ent_status e = ENT_OK;
	table t = cut(bytes, n);
	int columns = match(h, &t, map, 256);
	if (columns < 0)
		e = host_error(&h->ctx, 0, ENT_NO_COLUMN, "a required column is missing", "give the right file");
	for (size_t i = c.from; !e && i + 1 < t.rows && (!c.to || i < c.to); i++) {
		/* Each row in memory of its own, so that a sanitizer sees a decoder that keeps borrowed strings. */
		ent_row r = row_of(&t, map, (size_t)columns, i, cells);
		size_t size = 0;
		for (int k = 0; k < columns; k++)
			size += cells[k].n;
		char *copy = malloc(size + 1), *at = copy;
		for (int k = 0; k < columns; k++)
			if (cells[k].p) {
				memcpy(at, cells[k].p, cells[k].n);
				cells[k].p = at;
				at += cells[k].n;
			}
		e = h->decoder->row(h->self, &r);
		free(copy);
	}
	table_free(&t);
	return e;
}

static ent_status lines(host *h, const char *bytes, size_t n, host_cut c) {
	size_t at = 0, line = 0;
	ent_status e = ENT_OK;
	const char *end = bytes + n, *p = bytes;
	for (; line < c.from && p < end; line++)
		p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
	do {
		const char *from = p;
		for (size_t k = 0; p < end && (!c.step || k < c.step) && (!c.to || line < c.to); k++, line++) {
			const char *nl = memchr(p, '\n', (size_t)(end - p));
			p = nl ? nl + 1 : end;
		}
		size_t size = (size_t)(p - from);
		char *copy = malloc(size + 1 + ENT_FEED_PADDING);
		memcpy(copy, from, size);
		if (size && copy[size - 1] != '\n')
			copy[size++] = '\n';
		memset(copy + size, 'x', ENT_FEED_PADDING);
		at = p < end && (!c.to || line < c.to);
		e = h->decoder->feed(h->self, (ent_str){copy, size}, !at);
		free(copy);
	} while (!e && at);
	return e;
}

/* BYTES: `step` bytes a feed, each piece in memory of its own; DOCUMENT: all at once. */
static ent_status body(host *h, const char *bytes, size_t n, host_cut c) {
	size_t at = 0, step = h->decoder->frame == ENT_FRAME_BYTES && c.step ? c.step : n;
	ent_status e;
	do {
		size_t size = n - at < step ? n - at : step;
		char *copy = malloc(size + ENT_FEED_PADDING);
		memcpy(copy, bytes + at, size);
		memset(copy + size, 'x', ENT_FEED_PADDING);
		at += size;
		e = h->decoder->feed(h->self, (ent_str){copy, size}, at == n);
		free(copy);
	} while (!e && at < n);
	return e;
}

ent_status host_run(host *h, const char *name, const char *bytes, size_t n, host_cut c, host_text *out) {
	ent_doc doc = {.size = sizeof doc, .name = {name, strlen(name)}, .length = (int64_t)n};
	h->ctx.out = out;
	if (h->beside.p) {
		doc.companions = &h->beside;
		doc.n_companions = 1;
	}
	ent_status e = h->decoder->begin(h->self, &doc);
	if (!e)
		e = h->decoder->frame == ENT_FRAME_JSONL       ? lines(h, bytes, n, c)
			: h->decoder->frame == ENT_FRAME_DELIMITED ? rows(h, bytes, n, c)
													   : body(h, bytes, n, c);
	if (!e)
		e = h->decoder->end(h->self);
	h->ctx.out = NULL;
	return e;
}

size_t host_rows(host *h, const char *bytes, size_t n) {
	(void)h;
	table t = cut(bytes, n);
	size_t rows_n = t.rows ? t.rows - 1 : 0;
	table_free(&t);
	return rows_n;
}

int host_starts(host *h, const char *bytes, size_t n, size_t i) {
	int map[256], starts = 1;
	ent_str a[256], b[256];
	table t = cut(bytes, n);
	int columns = match(h, &t, map, 256);
	if (columns > 0 && h->decoder->starts) {
		ent_row before = i ? row_of(&t, map, (size_t)columns, i - 1, a) : (ent_row){0};
		ent_row row = row_of(&t, map, (size_t)columns, i, b);
		starts = h->decoder->starts(h->self, i ? &before : NULL, &row);
	}
	table_free(&t);
	return starts;
}
