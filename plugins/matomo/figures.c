/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of a report: figures that Matomo has added up. They become observations of the metrics that the catalogue has;
 * what it has no name for, and what Matomo counts in a way that would mislead, is skipped and says why.
 */
#include "matomo.h"

enum { PRODUCT = 1, VISITS };

static int hex(char c) {
	c = text_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes what URLs do to text; never longer. */
static size_t plain(ent_str s, char *out) {
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		int high = s.p[i] == '%' && i + 2 < s.n ? hex(s.p[i + 1]) : -1, low = high < 0 ? -1 : hex(s.p[i + 2]);
		out[n++] = low >= 0 ? (char)(high * 16 + low) : s.p[i] == '+' ? ' ' : s.p[i];
		i += low >= 0 ? 2 : 0;
	}
	return n;
}

/* By what a row is told apart: the segment says it in every language. PRODUCT: an article or a category; VISITS: visits
 * of one kind; 0: nothing that figures are kept by; -1: too long. */
static int dimension(report *r, ent_str segment) {
	static const struct {
		const char *name, *dim;
		int what;
	} known[] = {{"countryCode==", "country", VISITS}, {"deviceType==", "device", VISITS},
		{"referrerType==campaign;referrerName==", "campaign", VISITS}, {"referrerType==", "channel", VISITS},
		{"referrerName==", "source", VISITS}, {"productSku==", "product", PRODUCT},
		{"productCategory==", "category", PRODUCT}};
	char value[REPORT_DIMS];
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t n = strlen(known[i].name);
		if (segment.n <= n || memcmp(segment.p, known[i].name, n) || memchr(segment.p + n, ';', segment.n - n))
			continue;
		if (segment.n - n > sizeof value)
			return -1;
		n = plain((ent_str){segment.p + n, segment.n - n}, value);
		for (size_t k = 0; k < n && i == 0; k++)
			value[k] = value[k] >= 'a' && value[k] <= 'z' ? (char)(value[k] & ~0x20) : value[k];
		return report_dim(r, known[i].dim, (ent_str){value, n}) ? -1 : known[i].what;
	}
	return 0;
}

typedef struct row {
	matomo *m;
	report r;
	const ent_str *field;
	int table; /* fields are columns */
	int said;
	uint32_t bad;
	const char *why;
} row;

/* 0: there is none, or none that can be read, and then `why` says so. */
static int amount(row *x, int field, int64_t *out) {
	ent_str s = text_trim(x->field[field]);
	if (!s.n || x->why)
		return 0;
	if (x->m->decimal == '.' ? text_money(x->m->host, s, out) : x->m->host->money(s, ',', '.', out)) {
		x->why = "a figure that is no number";
		x->bad = (uint32_t)field;
		return 0;
	}
	return 1;
}

static ent_status say(row *x, const char *metric, const char *unit, int64_t micro, int additive) {
	x->said++;
	return report_say(&x->r, metric, unit, micro, additive);
}

static ent_status say_field(row *x, int field, const char *metric, const char *unit, int additive) {
	int64_t v;
	return amount(x, field, &v) ? say(x, metric, unit, v, additive) : ENT_OK;
}

static ent_status visits(row *x) {
	int64_t v, bounces;
	ent_status e = say_field(x, FIGURE_VISITS, "sessions", "count", 1);
	if (!e && amount(x, FIGURE_VISITS, &v) && amount(x, FIGURE_BOUNCES, &bounces) && bounces <= v)
		e = say(x, "sessions.engaged", "count", v - bounces, 1);
	e = e ? e : say_field(x, FIGURE_PAGEVIEWS, "pageviews", "count", 1);
	e = e ? e : say_field(x, FIGURE_LENGTH, "attention", "seconds", 1);
	return e ? e : say_field(x, FIGURE_VISITORS, "visitors", "count", 0);
}

/* Goals.get of idGoal=ecommerceOrder, the only one with a sub-total. Its revenue is what buyers were asked to pay. */
static ent_status orders(row *x) {
	ent_status e = say_field(x, FIGURE_CONVERSIONS, "orders", "count", 1);
	e = e ? e : say_field(x, FIGURE_CONVERTED, "sessions.with_purchase", "count", 1);
	e = e ? e : say_field(x, FIGURE_REVENUE, "total", "money", 1);
	e = e ? e : say_field(x, FIGURE_TAX, "tax", "money", 1);
	e = e ? e : say_field(x, FIGURE_SHIPPING, "shipping", "money", 1);
	e = e ? e : say_field(x, FIGURE_DISCOUNT, "discounts", "money", 1);
	return e ? e : say_field(x, FIGURE_ITEMS, "units", "count", 1);
}

static ent_status articles(row *x) {
	ent_status e = say_field(x, FIGURE_ORDERS, "orders", "count", 1);
	e = e ? e : say_field(x, FIGURE_QUANTITY, "units", "count", 1);
	return e ? e : say_field(x, FIGURE_REVENUE, "revenue.gross", "money", 1);
}

static int given(const row *x, int field) { return text_trim(x->field[field]).n > 0; }

/* Why the row is none of ours, or NULL. */
static const char *unwanted(const row *x, int what) {
	if (given(x, FIGURE_CARTS))
		return "left carts are counted once for each visit that shows them: visits tell them, reports do not";
	if (given(x, FIGURE_LABEL) && !what)
		return "a row of a report that is told apart by nothing that figures are kept by";
	if (what == PRODUCT && !given(x, FIGURE_ORDERS))
		return "an article that was looked at and not bought";
	if (what || given(x, FIGURE_VISITS) || given(x, FIGURE_VISITORS) || given(x, FIGURE_PAGEVIEWS))
		return NULL;
	if (given(x, FIGURE_CONVERSIONS) && !given(x, FIGURE_SUBTOTAL))
		return given(x, FIGURE_ITEMS) ? "left carts are counted once for each visit that shows them: visits tell them, "
										"reports do not"
									  : "conversions of all goals: for orders alone ask for idGoal=ecommerceOrder";
	return NULL;
}

static int any(const ent_str field[FIGURE_FIELDS]) {
	for (int i = FIGURE_VISITS; i < FIGURE_FIELDS; i++)
		if (field[i].p && i != FIGURE_LABEL && i != FIGURE_SEGMENT && i != FIGURE_CODE)
			return 1;
	return 0;
}

ent_status mat__figures(matomo *m, const ent_str field[FIGURE_FIELDS], uint64_t place, int table) {
	row x = {.m = m,
		.r = {.host = m->host, .ctx = m->ctx, .place = place, .days = m->days},
		.field = field,
		.table = table,
		.bad = ENT_NO_COLUMN};
	ent_status e = ENT_OK;
	if (!any(field)) {
		if (table)
			return mat__refuse(m, place, "no column is one of a report that is known",
				"export in English, or without translated column names, or name the headers with the option columns");
		m->host->reject(m->ctx, place, ENT_NO_COLUMN, "neither a visit nor a row of a report that is known");
		return ENT_OK;
	}
	if (field[FIGURE_DATE].n && report_span(field[FIGURE_DATE], &x.r.days)) {
		m->host->reject(m->ctx, place, table ? FIGURE_DATE : ENT_NO_COLUMN,
			"a date that is neither a day, a month, a year nor two days with a comma between");
		return ENT_OK;
	}
	if (x.r.days.from == x.r.days.to)
		return mat__refuse(m, place, "neither the report nor the name of its document says of which days it is",
			"put the day, or the first and the last, into the file's name (visits-2026-05-04.csv), or set the option "
			"period");
	int what = field[FIGURE_SEGMENT].n ? dimension(&x.r, field[FIGURE_SEGMENT]) : 0;
	if (what < 0) {
		m->host->reject(m->ctx, place, table ? FIGURE_SEGMENT : ENT_NO_COLUMN, "a segment that is too long");
		return ENT_OK;
	}
	const char *skip = unwanted(&x, what);
	if (skip) {
		m->host->skip(m->ctx, place, skip);
		return ENT_OK;
	}
	if (table && !what && !field[FIGURE_DATE].n && m->totals++)
		return mat__refuse(m, place, "several rows, and no column that is known tells them apart",
			"name the header of the dates or of the segments: columns: {date: …} or {segment: …}");
	int money = what == PRODUCT || given(&x, FIGURE_SUBTOTAL);
	if (money && mat__currency(m, (ent_str){NULL, 0}, x.r.currency)) {
		m->host->reject(
			m->ctx, place, ENT_NO_COLUMN, "a report names no currency: set the option currency to that of the site");
		return ENT_OK;
	}
	if (what != PRODUCT)
		e = visits(&x);
	if (!e && what == PRODUCT)
		e = articles(&x);
	else if (!e && given(&x, FIGURE_SUBTOTAL))
		e = orders(&x);
	if (e)
		return e;
	if (x.why)
		m->host->reject(m->ctx, place, table ? x.bad : ENT_NO_COLUMN, x.why);
	else if (!x.said)
		m->host->skip(m->ctx, place, "a row of a report without a figure that is kept");
	if (x.said) {
		int none = m->least.from == m->least.to;
		m->least.from = none || x.r.days.from < m->least.from ? x.r.days.from : m->least.from;
		m->least.to = none || x.r.days.to > m->least.to ? x.r.days.to : m->least.to;
		m->seen |= 1u << ENT_OBSERVATION;
	}
	return ENT_OK;
}
