/* SPDX-License-Identifier: Apache-2.0
 *
 * Adobe Analytics data feeds, see README.md: the entry, and rows. A row ends with a line feed that no backslash
 * precedes, so the decoder frames for itself; the names of its columns are in another file.
 */
#include "adobe.h"

#include <stdio.h>

static const char *const encodings[] = {"auto", "latin1", "utf-8", NULL};
enum { AUTO, LATIN1, UTF8 };

static const ent_option options[] = {{.key = "currency",
										 .type = ENT_OPT_STR,
										 .doc = "Currency (ISO 4217) of the report suite, in which the feed has all "
												"amounts; without it purchases are rejected."},
	{.key = "encoding",
		.type = ENT_OPT_ENUM,
		.preset = "auto",
		.choices = encodings,
		.doc = "Of texts; auto: one that is UTF-8 is that, any other one is ISO-8859-1."},
	{.key = NULL}};

/* ---- texts ---- */

int text_utf8(adobe *a, ent_str *s) {
	size_t high = 0;
	for (size_t i = 0; i < s->n; i++)
		high += (unsigned char)s->p[i] >= 0x80;
	if (!high || (a->encoding != LATIN1 && rows_utf8(*s)))
		return 0;
	if (a->encoding == UTF8 || a->scratch_room - a->scratch_n < s->n + high)
		return -1;
	char *o = a->scratch + a->scratch_n, *from = o;
	for (size_t i = 0; i < s->n; i++) {
		unsigned char c = (unsigned char)s->p[i];
		if (c >= 0x80)
			*o++ = (char)(0xc0 | c >> 6);
		*o++ = (char)(c < 0x80 ? c : 0x80 | (c & 63));
	}
	*s = (ent_str){from, (size_t)(o - from)};
	a->scratch_n += s->n;
	return 0;
}

/* ---- rows ---- */

/* Room for what is unescaped and converted of a row; nothing points into it yet. */
static int scratch_for(adobe *a, size_t n) {
	a->scratch_n = 0;
	if (a->scratch_room < n * 4 + 4096) {
		char *p = realloc(a->scratch, n * 8 + 4096);
		if (!p)
			return -1;
		a->scratch = p;
		a->scratch_room = n * 8 + 4096;
	}
	return 0;
}

/* \t, \n, \\ as letters or as the byte itself behind a backslash. */
static ent_str unescaped(adobe *a, ent_str s) {
	char *o = a->scratch + a->scratch_n, *from = o;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '\\' && i + 1 < s.n) {
			c = s.p[++i];
			c = (char)(c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c);
		}
		*o++ = c;
	}
	a->scratch_n += (size_t)(o - from);
	return (ent_str){from, (size_t)(o - from)};
}

/* Cells of the columns that are read. The number of fields. */
static size_t cut(adobe *a, const char *p, const char *end) {
	size_t field = 0;
	for (int c = 0; c < COLUMNS; c++)
		a->cell[c] = (ent_str){"", 0};
	for (;; field++) {
		const char *from = p;
		int escapes = 0;
		while (p < end && *p != '\t') {
			escapes |= *p == '\\';
			p += *p == '\\' && p + 1 < end ? 2 : 1;
		}
		uint32_t column = field < a->fields ? a->column_of[field] : 0;
		if (column) {
			ent_str s = {from, (size_t)(p - from)};
			a->cell[column - 1] = escapes ? unescaped(a, s) : s;
		}
		if (p >= end)
			return field + 1;
		p++;
	}
}

static ent_status row(void *self, const char *p, size_t n, uint64_t place) {
	adobe *a = self;
	const char *why = NULL;
	if (n && p[n - 1] == '\r')
		n--;
	if (!n)
		return ENT_OK;
	if (!place && n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		p += 3, n -= 3;
	if (!place && n > 262 && !memcmp(p + 257, "ustar", 5))
		return a->host->error(
			a->ctx, 0, ENT_NO_COLUMN, "this is an archive, not a hit_data.tsv", "unpack it: tar -xf ARCHIVE");
	if (!a->named) {
		if (names_take(a, (ent_str){p, n}, &why))
			return !why ? ENT_ENOMEM
						: a->host->error(a->ctx, place, ENT_NO_COLUMN, why,
							  "a feed's columns are named in a file of their own: write companions: "
							  "[column_headers.tsv] under the "
							  "source's `from:`");
		return ENT_OK;
	}
	a->hits++;
	if (scratch_for(a, n))
		return ENT_ENOMEM;
	size_t fields = cut(a, p, p + n);
	if (fields != a->fields) {
		a->host->reject(a->ctx, place, ENT_NO_COLUMN,
			fields < a->fields ? "fewer fields than columns are named" : "more fields than columns are named");
		return ENT_OK;
	}
	return hit(a, place);
}

static ent_status feed(void *self, ent_str bytes, int eof) {
	adobe *a = self;
	ent_status e = rows_feed(&a->rows, bytes, eof, row, a);
	return e == ENT_ENOTFORMAT && a->rows.too_long
			   ? a->host->error(a->ctx, a->rows.place, ENT_NO_COLUMN, "a row is longer than 16 MiB",
					 "check that this is a hit_data.tsv")
			   : e;
}

/* ---- documents ---- */

/* The day that a name holds: YYYY-MM-DD or YYYYMMDD, the last one in it. -1: none. */
static int day_of_name(ent_str name, int64_t *day) {
	int found = -1;
	for (size_t i = 0; i + 8 <= name.n; i++) {
		int dashed = i + 10 <= name.n && name.p[i + 4] == '-' && name.p[i + 7] == '-';
		int64_t y, m, d;
		if ((i && name.p[i - 1] >= '0' && name.p[i - 1] <= '9') || text_digits(name.p + i, 4, &y) || y < 1990 ||
			y > 2200 || text_digits(name.p + i + 4 + dashed, 2, &m) || text_digits(name.p + i + 6 + 2 * dashed, 2, &d))
			continue;
		if (!text_date_of((unsigned)y, (unsigned)m, (unsigned)d, day))
			found = 0;
	}
	return found;
}

static void covers(adobe *a, int64_t day) {
	ent_time from = {.v = day, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_DATE}, to = from;
	to.v++;
	a->host->covers(a->ctx, ENT_VISIT, from, to, 0);
	a->host->covers(a->ctx, ENT_CART, from, to, 0);
	if (a->currency[0])
		a->host->covers(a->ctx, ENT_ORDER, from, to, 0);
}

static ent_status begin(void *self, const ent_doc *doc) {
	adobe *a = self;
	int64_t day = 0;
	rows_begin(&a->rows, 1);
	a->n_days = 0;
	beside_clear(a);
	carts_clear(&a->carts);
	ent_status e = beside_take(a, doc);
	a->dated = !day_of_name(doc->name, &day);
	if (!e && a->dated)
		covers(a, day);
	return e;
}

static ent_status end(void *self) {
	adobe *a = self;
	if (!a->named)
		return a->host->error(a->ctx, 0, ENT_NO_COLUMN, "the document is empty, and nothing names its columns",
			"write companions: [column_headers.tsv] under the source's `from:`");
	if (a->expected >= 0 && a->expected != a->hits) {
		char what[120];
		snprintf(what, sizeof what, "the manifest tells of %lld records, and there are %lld", (long long)a->expected,
			(long long)a->hits);
		return a->host->error(a->ctx, a->rows.place, ENT_NO_COLUMN, what,
			"fetch the file again: it was cut off, or is another delivery's");
	}
	for (int i = 0; i < a->n_days; i++)
		covers(a, a->days[i]);
	return carts_push(&a->carts, a->host, a->ctx);
}

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	size_t tabs = 0, n = 0;
	while (n < head.n && head.p[n] != '\n')
		tabs += head.p[n++] == '\t';
	int name = text_has_fold(doc->name, "hit_data");
	*why = "not a hit_data.tsv: neither its name nor its columns say so";
	if (tabs && text_has_fold((ent_str){head.p, n}, "visid_high\t") &&
		text_has_fold((ent_str){head.p, n}, "hit_time_gmt")) {
		*why = "column names of an Adobe data feed";
		return 95;
	}
	if (name && tabs >= 10) {
		*why = "the name of an Adobe data feed's hits, and rows of many columns";
		return 85;
	}
	return 0;
}

static void destroy(void *self) {
	adobe *a = self;
	if (!a)
		return;
	beside_clear(a);
	carts_finish(&a->carts);
	free(a->column_of);
	rows_finish(&a->rows);
	free(a->scratch);
	free(a->products);
	free(a->product_text);
	free(a);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	adobe *a = calloc(1, sizeof *a);
	ent_str currency = values[0].s;
	if (!a)
		return ENT_ENOMEM;
	a->host = host;
	a->ctx = ctx;
	a->encoding = (int)values[1].i;
	for (size_t i = 0; values[0].set && i < currency.n; i++)
		if (currency.n != 3 || currency.p[i] < 'A' || currency.p[i] > 'Z') {
			host->error(ctx, 0, ENT_NO_COLUMN, "the option currency is no ISO 4217 code",
				"write three capital letters, such as EUR");
			free(a);
			return ENT_EOPTION;
		}
	if (values[0].set && currency.n == 3)
		memcpy(a->currency, currency.p, 3);
	*self = a;
	return ENT_OK;
}

static const ent_decoder decoder = {.size = sizeof decoder,
	.flags = ENT_DECODER_RESTATES | ENT_DECODER_ANALYTICS,
	.name = "adobe",
	.doc = "Visits, carts and purchases from Adobe Analytics data feeds: hit_data.tsv, with column_headers.tsv as its "
		   "companion.",
	.version = "1",
	.system = "adobe",
	.facts = 1 << ENT_VISIT | 1 << ENT_CART | 1 << ENT_ORDER | 1 << ENT_LINE,
	.frame = ENT_FRAME_BYTES,
	.options = options,
	.probe = probe,
	.create = create,
	.begin = begin,
	.feed = feed,
	.end = end,
	.destroy = destroy};

static const ent_decoder *const decoders[] = {&decoder, NULL};

ENT_EXPORT const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "adobe",
	.version = "1.0.0",
	.decoders = decoders};
