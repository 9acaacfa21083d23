/* SPDX-License-Identifier: Apache-2.0
 *
 * The GA4 plugin: Google Analytics 4's BigQuery export, the events_YYYYMMDD tables as JSON lines. This file holds the
 * tables and takes documents line by line; scan.c finds the structure of a line, event.c its fields, facts.c what they
 * mean, sessions.c the visits that they add up to.
 */
#include "ga4.h"
#include "report.h"

#include <stdlib.h>

/* So many lines without one event, and the document is something else. A few torn lines are not: this may be a later
 * part of a large document, and a decoder is not told. */
enum { LINES_TO_TRY = 1000 };

static const ent_option options[] = {
	[GA4_OPT_CURRENCY] = {.key = "currency",
		.type = ENT_OPT_STR,
		.doc = "Currency (ISO 4217) of purchases whose event names none; without it they are rejected."},
	{.key = NULL},
};

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	const char *seen = "the first line is no JSON object with the keys event_name, event_date and event_params";
	int sure = 0;
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;
	ent_str line = {head.p, end ? (size_t)(end - head.p) : head.n};
	while (line.n && (text_blank(line.p[0]) || (unsigned char)line.p[0] >= 0x80)) /* a byte order mark, too */
		line.p++, line.n--;
	if (line.n && line.p[0] == '{') {
		static const char *const keys[] = {"\"event_name\"", "\"event_date\"", "\"event_params\""};
		int found = 0;
		for (int i = 0; i < 3; i++)
			found += text_has_fold(line, keys[i]);
		if (found == 3)
			sure = 95, seen = "JSON lines with event_name, event_date and event_params: GA4's BigQuery export";
		else if (found == 2)
			sure = 60, seen = "JSON lines with two of event_name, event_date and event_params";
	}
	if (why)
		*why = seen;
	return sure;
}

static void destroy(void *self) {
	ga4 *g = self;
	if (!g)
		return;
	scan_finish(&g->scan);
	sessions_finish(&g->sessions);
	free(g);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	ga4 *g = calloc(1, sizeof *g);
	if (!g)
		return ENT_ENOMEM;
	g->host = host;
	g->ctx = ctx;
	if (scan_init(&g->scan) || sessions_init(&g->sessions)) {
		destroy(g);
		return ENT_ENOMEM;
	}
	const ent_value *currency = &values[GA4_OPT_CURRENCY];
	if (currency->set) {
		int good = currency->s.n == 3;
		for (size_t i = 0; i < currency->s.n; i++)
			good &= currency->s.p[i] >= 'A' && currency->s.p[i] <= 'Z';
		if (!good) {
			host->error(ctx, 0, ENT_NO_COLUMN, "currency is no code of three capital letters", "write it as in EUR");
			destroy(g);
			return ENT_EOPTION;
		}
		memcpy(g->currency, currency->s.p, 3);
	}
	*self = g;
	return ENT_OK;
}

static ent_time date(int64_t day) { return (ent_time){.v = day, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_DATE}; }

static void covers(ga4 *g, int64_t from, int64_t to, int complete) {
	g->host->covers(g->ctx, ENT_VISIT, date(from), date(to), complete);
	g->host->covers(g->ctx, ENT_ORDER, date(from), date(to), complete);
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }

/* events_20240301.json, events_intraday_20240301.json.gz: an edition of that day. BigQuery cuts large exports into
 * shards, events_20240301_000000000003.json: each belongs to the day's slice, and none speaks for the whole day. */
static void name_of(ga4 *g, ent_str name) {
	for (size_t i = name.n; i-- > 0;)
		if (name.p[i] == '/') {
			name.n -= i + 1;
			name.p += i + 1;
			break;
		}
	int grade = 1;
	if (name.n >= 16 && !memcmp(name.p, "events_intraday_", 16))
		name.p += 16, name.n -= 16, grade = 0;
	else if (name.n >= 7 && !memcmp(name.p, "events_", 7))
		name.p += 7, name.n -= 7;
	else
		return;
	int64_t n, day;
	if (name.n < 8 || text_digits(name.p, 8, &n) || (name.n > 8 && is_digit(name.p[8])) ||
		text_date_of((unsigned)(n / 10000), (unsigned)(n / 100 % 100), (unsigned)(n % 100), &day))
		return;
	int shard = 0;
	for (size_t i = 8; i < name.n && name.p[i] != '.'; i++)
		shard |= is_digit(name.p[i]);
	g->host->slice(g->ctx, (ent_str){name.p, 8}, grade);
	if (shard)
		return; /* the days of its events are declared at the end */
	g->named_day = 1;
	covers(g, day, day + 1, 1);
}

static ent_status begin(void *self, const ent_doc *doc) {
	ga4 *g = self;
	sessions_clear(&g->sessions);
	g->at = 0;
	g->named_day = 0;
	g->tried = 0;
	g->events = 0;
	g->wrong = NULL;
	g->n_days = 0;
	g->length = doc->length;
	name_of(g, doc->name);
	return ENT_OK;
}

static ent_status not_events(ga4 *g) {
	return g->host->error(g->ctx, g->first_wrong, ENT_NO_COLUMN, g->wrong,
		"give the events_YYYYMMDD tables of GA4's BigQuery export as JSON lines, one event a line");
}

static ent_status line(ga4 *g, const char *p, uint64_t place) {
	event e;
	size_t at = 0;
	const char *wrong = event_parse(&g->scan, p, &e, &at);
	if (!wrong) {
		if (e.name.kind == VALUE_STRING && e.date.kind) {
			g->events = 1;
			return ga4__event(g, &e, place);
		}
		wrong = "a JSON object without event_name and event_date: no event";
		at = 0;
	}
	g->host->reject(g->ctx, place + at, ENT_NO_COLUMN, wrong);
	if (!g->events) {
		if (!g->tried) {
			g->first_wrong = place + at;
			g->wrong = wrong;
		}
		if (++g->tried == LINES_TO_TRY)
			return not_events(g);
	}
	return ENT_OK;
}

static ent_status feed(void *self, ent_str bytes, int eof) {
	ga4 *g = self;
	const char *p = bytes.p, *end = bytes.p + bytes.n;
	(void)eof;
	if (bytes.n && end[-1] != '\n')
		return ENT_EINTERNAL; /* what follows could not be told from the line's end */
	while (p < end) {
		if (scan_line(&g->scan, p, (size_t)(end - p)))
			return ENT_ENOMEM;
		size_t n = g->scan.n;
		size_t blank = 0;
		while (blank < n && text_blank(p[blank]))
			blank++;
		if (blank < n) {
			ent_status e = line(g, p, g->at);
			if (e)
				return e;
		}
		p += n + 1;
		g->at += n + 1;
	}
	return ENT_OK;
}

static ent_status end(void *self) {
	ga4 *g = self;
	/* Blank lines and byte order marks are not fed: a kilobyte of them may be missing of a whole document. */
	if (!g->events && g->tried && (g->length < 0 || g->at + 1024 >= (uint64_t)g->length))
		return not_events(g);
	ent_status e = ga4__flush(g);
	if (e || g->named_day)
		return e;
	for (uint32_t i = 0, from = 0; i < g->n_days; i++)
		if (i + 1 == g->n_days || g->days[i + 1] != g->days[i] + 1) {
			covers(g, g->days[from], g->days[i] + 1, 0);
			from = i + 1;
		}
	return ENT_OK;
}

static const ent_decoder decoder = {
	.size = sizeof(ent_decoder),
	.flags = ENT_DECODER_RESTATES | ENT_DECODER_ANALYTICS,
	.name = "ga4",
	.doc = "Visits, purchases and refunds from Google Analytics 4's BigQuery export as JSON lines.",
	.version = "1",
	.system = "ga4",
	.facts = 1u << ENT_VISIT | 1u << ENT_ORDER | 1u << ENT_REFUND,
	.frame = ENT_FRAME_JSONL,
	.options = options,
	.probe = probe,
	.create = create,
	.begin = begin,
	.feed = feed,
	.end = end,
	.destroy = destroy,
};

static const ent_decoder *const decoders[] = {&decoder, &ga4__report_decoder, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "ga4",
	.version = "1.1.0",
	.decoders = decoders,
};
