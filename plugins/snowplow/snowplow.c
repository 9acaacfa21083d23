/* SPDX-License-Identifier: Apache-2.0
 *
 * Snowplow's enriched events, see README.md: the entry, and rows. Events are delivered at least once, so the decoder
 * has to see a document from its beginning to its end, and frames for itself.
 */
#include "snowplow.h"

static const ent_option options[] = {
	{.key = "currency",
		.type = ENT_OPT_STR,
		.doc = "Currency (ISO 4217) of purchases whose event names none; without it they are rejected."},
	{.key = NULL}};

/* The number of fields; the first 131 in f. */
static size_t cut(const char *p, size_t n, ent_str f[FIELDS]) {
	const char *end = p + n;
	for (size_t field = 0;; field++) {
		const char *tab = memchr(p, '\t', (size_t)(end - p));
		if (field < FIELDS)
			f[field] = (ent_str){p, (size_t)((tab ? tab : end) - p)};
		if (!tab)
			return field + 1;
		p = tab + 1;
	}
}

static ent_status row(void *self, const char *p, size_t n, uint64_t place) {
	snowplow *s = self;
	if (n && p[n - 1] == '\r')
		n--;
	if (!n)
		return ENT_OK;
	size_t fields = cut(p, n, s->f);
	if (fields != FIELDS) { /* shifted fields would be worse than none */
		s->bad++;
		s->host->reject(s->ctx, place, ENT_NO_COLUMN,
			fields < FIELDS ? "fewer than the 131 fields of an enriched event"
							: "more than the 131 fields of an enriched event");
		if (!s->good && s->bad == 1000)
			return s->host->error(s->ctx, place, ENT_NO_COLUMN,
				"none of the first thousand lines has the 131 fields of an enriched event",
				"check that these are Snowplow's enriched events as TSV, not bad rows or JSON");
		return ENT_OK;
	}
	s->good++;
	if (!rows_utf8((ent_str){p, n})) {
		s->host->reject(s->ctx, place, ENT_NO_COLUMN, "not UTF-8");
		return ENT_OK;
	}
	return event(s, place);
}

static ent_status feed(void *self, ent_str bytes, int eof) {
	snowplow *s = self;
	ent_status e = rows_feed(&s->rows, bytes, eof, row, s);
	return e == ENT_ENOTFORMAT && s->rows.too_long
			   ? s->host->error(s->ctx, s->rows.place, ENT_NO_COLUMN, "a line is longer than 16 MiB",
					 "check that these are Snowplow's enriched events as TSV")
			   : e;
}

static void clear(snowplow *s) {
	carts_clear(&s->carts);
	seen_finish(&s->events);
	rows_begin(&s->rows, 0);
	s->n_days = 0;
	s->good = s->bad = 0;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)doc;
	clear(self);
	return ENT_OK;
}

static ent_status end(void *self) {
	snowplow *s = self;
	if (!s->good && s->bad)
		return s->host->error(s->ctx, 0, ENT_NO_COLUMN, "no line has the 131 fields of an enriched event",
			"check that these are Snowplow's enriched events as TSV, not bad rows or JSON");
	static const ent_fact kinds[] = {ENT_VISIT, ENT_CART, ENT_ORDER};
	for (int i = 0; i < s->n_days; i++)
		for (int k = 0; k < 3; k++) {
			ent_time from = {.v = s->days[i], .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_DATE}, to = from;
			to.v++;
			s->host->covers(s->ctx, kinds[k], from, to, 0);
		}
	return carts_push(&s->carts, s->host, s->ctx);
}

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	ent_str f[FIELDS];
	(void)doc;
	const char *stop = head.n ? memchr(head.p, '\n', head.n) : NULL;
	size_t fields = cut(head.p, stop ? (size_t)(stop - head.p) : head.n, f);
	*why = "no line of 131 fields between tabs, as enriched events of Snowplow are";
	if (fields != FIELDS)
		return 0;
	if (f[F_COLLECTOR].n < 19 || f[F_COLLECTOR].p[4] != '-' || f[F_EVENT_ID].n != 36) {
		*why = "131 fields, but no collector's time and no event_id in their places";
		return 20;
	}
	*why = "131 fields, with a collector's time and an event_id in their places";
	return 97;
}

static void destroy(void *self) {
	snowplow *s = self;
	if (!s)
		return;
	rows_finish(&s->rows);
	carts_finish(&s->carts);
	seen_finish(&s->events);
	if (s->tokener)
		json_tokener_free(s->tokener);
	free(s);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	snowplow *s = calloc(1, sizeof *s);
	ent_str currency = values[0].s;
	if (!s)
		return ENT_ENOMEM;
	s->host = host;
	s->ctx = ctx;
	s->tokener = json_tokener_new_ex(JSONL_DEPTH);
	if (!s->tokener) {
		free(s);
		return ENT_ENOMEM;
	}
	json_tokener_set_flags(s->tokener, JSON_TOKENER_STRICT);
	if (values[0].set && currency.n && (currency.n != 3 || currency_of(s, currency, s->currency))) {
		host->error(ctx, 0, ENT_NO_COLUMN, "the option currency is no ISO 4217 code",
			"write three capital letters, such as EUR");
		destroy(s);
		return ENT_EOPTION;
	}
	*self = s;
	return ENT_OK;
}

static const ent_decoder decoder = {.size = sizeof decoder,
	.flags = ENT_DECODER_RESTATES | ENT_DECODER_ANALYTICS,
	.name = "snowplow",
	.doc = "Sessions, carts and purchases from Snowplow's enriched events as TSV, 131 fields a line.",
	.version = "1",
	.system = "snowplow",
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
	.name = "snowplow",
	.version = "1.0.0",
	.decoders = decoders};
