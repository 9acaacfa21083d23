/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of one of the ten tables, and what is said at the end of them.
 */
#include "plausible.h"

static const int sum_columns[SUM_COUNT] = {
	[SUM_VISITS] = C_VISITS,
	[SUM_BOUNCES] = C_BOUNCES,
	[SUM_PAGEVIEWS] = C_PAGEVIEWS,
	[SUM_SECONDS] = C_DURATION,
	[SUM_EVENTS] = C_EVENTS,
};

typedef struct numbers {
	int64_t sums[SUM_COUNT], visitors;
	uint8_t has;
} numbers;

static ent_status reject(plausible *p, const ent_row *r, uint32_t column, const char *why) {
	p->holes = 1;
	p->host->reject(p->ctx, r->place, column, why);
	return ENT_OK;
}

/* 0, or -1 with the row rejected. */
static int read_numbers(plausible *p, const ent_row *r, numbers *n) {
	*n = (numbers){.visitors = -1};
	for (int i = 0; i < SUM_COUNT; i++) {
		ent_str s = text_trim(r->cell[sum_columns[i]]);
		if (!s.n)
			continue;
		if (text_digits(s.p, s.n, &n->sums[i])) {
			reject(p, r, (uint32_t)sum_columns[i], "not a whole number");
			return -1;
		}
		n->has |= (uint8_t)(1u << i);
	}
	ent_str s = text_trim(r->cell[C_VISITORS]);
	if (s.n && text_digits(s.p, s.n, &n->visitors)) {
		reject(p, r, C_VISITORS, "not a whole number");
		return -1;
	}
	return 0;
}

/* `one`: no other row speaks of the same, so that its visitors are all of them. */
static ent_status add(
	plausible *p, const ent_row *r, int64_t day, const char *dim, ent_str value, const numbers *n, int one) {
	value = text_trim(value);
	group *g = plausible__group(p, day, dim, dim && !value.n ? TEXT("(none)") : value, r->place);
	if (!g)
		return p->n ? p->host->error(p->ctx, r->place, ENT_NO_COLUMN, "more days and values than can be added up",
						  "export fewer days at once")
					: ENT_ENOMEM;
	for (int i = 0; i < SUM_COUNT; i++)
		if (n->has >> i & 1 && __builtin_add_overflow(g->sums[i], n->sums[i], &g->sums[i]))
			return reject(p, r, (uint32_t)sum_columns[i], "the sum of a day is out of range");
	g->visitors = one && !g->has ? n->visitors : -1;
	g->has |= n->has;
	return ENT_OK;
}

static ent_status event(plausible *p, const ent_row *r, int64_t day, const numbers *n) {
	ent_str name = text_trim(r->cell[C_NAME]);
	numbers only = {.has = 1u << SUM_EVENTS, .visitors = -1};
	only.sums[SUM_EVENTS] = n->sums[SUM_EVENTS];
	for (size_t i = 0; p->events && i < p->events->n; i++)
		if (text_equal(p->events->keys[i], name) && n->has >> SUM_EVENTS & 1)
			return add(p, r, day, NULL, (ent_str){NULL, 0}, &only, 0);
	p->host->skip(p->ctx, r->place, "an event that no figure is kept by; the option events says which are purchases");
	return ENT_OK;
}

/* The table is known by the columns that it alone has. */
static ent_status table(plausible *p, const ent_row *r, int64_t day, const numbers *n) {
	const ent_str *c = r->cell;
	ent_status e;
	if (c[C_NAME].p && c[C_EVENTS].p)
		return event(p, r, day, n);
	if (c[C_PAGE].p || c[C_ENTRY_PAGE].p || c[C_EXIT_PAGE].p) {
		p->host->skip(p->ctx, r->place, "a page: no figure is kept by pages");
		return ENT_OK;
	}
	if (c[C_BROWSER].p || c[C_SYSTEM].p) {
		p->host->skip(p->ctx, r->place, "a browser or an operating system: no figure is kept by them");
		return ENT_OK;
	}
	if (c[C_SOURCE].p) {
		e = add(p, r, day, "source", c[C_SOURCE], n, 0);
		e = e ? e : add(p, r, day, "channel", c[C_MEDIUM], n, 0);
		return e ? e : add(p, r, day, "campaign", c[C_CAMPAIGN], n, 0);
	}
	if (c[C_COUNTRY].p)
		return add(p, r, day, "country", c[C_COUNTRY], n, 0);
	if (c[C_DEVICE].p)
		return add(p, r, day, "device", c[C_DEVICE], n, 1);
	p->whole = 1;
	return add(p, r, day, NULL, (ent_str){NULL, 0}, n, 1);
}

ent_status plausible__row(void *self, const ent_row *r) {
	plausible *p = self;
	report_days day;
	numbers n;
	if (r->cell[C_BOUNCE_RATE].p || r->cell[C_VIEWS_PER_VISIT].p || !r->cell[C_DATE].p)
		return p->host->error(p->ctx, r->place, ENT_NO_COLUMN,
			"this is no table of a full export; the export of the dashboard is cut after 300 rows (pages after 100), "
			"and "
			"rounded",
			"in Plausible's settings of the site take Imports & Exports, Prepare download, and its imported_….csv");
	if (report_date(text_trim(r->cell[C_DATE]), &day) || day.to != day.from + 1)
		return reject(p, r, C_DATE, "not a day written 2026-05-04");
	if (read_numbers(p, r, &n))
		return ENT_OK;
	int none = p->seen.from == p->seen.to;
	p->seen.from = none || day.from < p->seen.from ? day.from : p->seen.from;
	p->seen.to = none || day.to > p->seen.to ? day.to : p->seen.to;
	return table(p, r, day.from, &n);
}

static ent_status say(const report *x, const group *g) {
	ent_status e = ENT_OK;
	const int64_t million = 1000000;
	int64_t visits = g->sums[SUM_VISITS], bounces = g->sums[SUM_BOUNCES];
	if (g->has >> SUM_VISITS & 1)
		e = report_say(x, "sessions", "count", visits * million, 1);
	if (!e && g->has >> SUM_VISITS & 1 && g->has >> SUM_BOUNCES & 1 && bounces <= visits)
		e = report_say(x, "sessions.engaged", "count", (visits - bounces) * million, 1);
	if (!e && g->has >> SUM_PAGEVIEWS & 1)
		e = report_say(x, "pageviews", "count", g->sums[SUM_PAGEVIEWS] * million, 1);
	if (!e && g->has >> SUM_SECONDS & 1)
		e = report_say(x, "attention", "seconds", g->sums[SUM_SECONDS] * million, 1);
	if (!e && g->has >> SUM_EVENTS & 1)
		e = report_say(x, "purchases", "count", g->sums[SUM_EVENTS] * million, 1);
	if (!e && g->visitors >= 0)
		e = report_say(x, "visitors", "count", g->visitors * million, 0);
	return e;
}

/* Days that the export speaks for and has no row of had no visit. Where a row was rejected nothing is known of its day,
 * which may be any. */
static ent_status quiet_days(plausible *p, report_days of) {
	size_t n = p->n;
	for (int64_t day = of.from; day < of.to; day++) {
		group *g = plausible__group(p, day, NULL, (ent_str){NULL, 0}, 0);
		if (!g)
			return ENT_ENOMEM;
		if (p->n == n)
			continue;
		n = p->n;
		g->visitors = 0;
		g->has = 1u << SUM_VISITS | 1u << SUM_BOUNCES | 1u << SUM_PAGEVIEWS | 1u << SUM_SECONDS;
	}
	return ENT_OK;
}

ent_status plausible__end(void *self) {
	plausible *p = self;
	report_days of = p->named.from < p->named.to ? p->named : p->seen;
	ent_status e = p->whole && !p->holes && of.to - of.from < 20000 ? quiet_days(p, of) : ENT_OK;
	for (size_t i = 0; i < p->n && !e; i++) {
		const group *g = &p->groups[i];
		report x = {.host = p->host, .ctx = p->ctx, .place = g->place, .days = {g->day, g->day + 1}};
		if (g->dim && report_dim(&x, g->dim, (ent_str){p->texts + g->value, g->value_n}))
			p->host->reject(p->ctx, g->place, ENT_NO_COLUMN, "a value that is too long");
		else
			e = say(&x, g);
	}
	if (!e && of.from < of.to && p->n)
		p->host->covers(p->ctx, ENT_OBSERVATION, report_day(of.from), report_day(of.to), 0);
	return e;
}
