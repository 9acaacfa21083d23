/* SPDX-License-Identifier: Apache-2.0
 *
 * A row to facts: one rate where it names a currency or a pair, as many as it has columns of currencies otherwise. A
 * cell that cannot be read rejects the row and is named; the other rates of the row are kept. */
#include "rates.h"

#include <stdio.h>

static int same_code(const char *a, const char *b) { return !memcmp(a, b, 4); }

static int inverse(const rates *r, ent_str text, const char code[4]) {
	for (size_t i = 0; i < r->n_inverse; i++)
		if (text_equal(r->inverse[i].written, text) || text_equal(r->inverse[i].written, (ent_str){code, 3}))
			return 1;
	return 0;
}

/* `currency` against `base`, the way the options say. */
static rates_pair against(const rates *r, const char currency[4], const char base[4], ent_str written) {
	rates_pair p = {.units = 1};
	int per_unit = r->per_unit ^ inverse(r, written, currency);
	memcpy(p.unit, per_unit ? currency : base, 4);
	memcpy(p.currency, per_unit ? base : currency, 4);
	return p;
}

static ent_status push(const rates *r, uint64_t place, ent_time at, const rates_pair *p, decimal n) {
	char key[48];
	int month = at.kind == ENT_TIME_MONTH, year;
	unsigned m, d;
	text_date_back(month ? text_month_day(at.v) : at.v, &year, &m, &d);
	int length =
		snprintf(key, sizeof key, month ? "%s/%s/%04d-%02u" : "%s/%s/%04d-%02u-%02u", p->unit, p->currency, year, m, d);
	ent_observation o = {.h = {.has = ENT_HAS_VALUE, .place = place, .key = {key, (size_t)length}},
		.from = at,
		.metric = TEXT("rate"),
		.unit = {p->unit, 3},
		.who = r->who,
		.origin = ENT_ORIGIN_RATE,
		.scale = n.scale ? n.scale : 1, /* 0 would mean six */
		.value = n.scale ? n.value : n.value * 10};
	memcpy(o.currency, p->currency, 4);
	return r->host->push(r->ctx, ENT_OBSERVATION, &o, sizeof o, 1);
}

/* 1: not published; 0; -1 and *why. */
static int number(ent_str text, char mark, decimal *out, const char **why) {
	text = text_trim(text);
	if (decimal_absent(text))
		return 1;
	*why = "no number";
	if (decimal_read(text, mark, out))
		return -1;
	*why = "a rate must be above zero, and below a hundred million millions";
	return out->value > 0 && out->value <= INT64_MAX / 10 ? 0 : -1;
}

/* "EUR/USD", "EURUSD", "EUR-USD", "EUR USD": 1 EUR = x USD. */
static int pair_of(ent_str s, rates_pair *p) {
	if (s.n != 6 && s.n != 7)
		return -1;
	if (s.n == 7 && s.p[3] != '/' && s.p[3] != '-' && s.p[3] != '_' && s.p[3] != ' ' && s.p[3] != ':')
		return -1;
	return rates__code((ent_str){s.p, 3}, p->unit) || rates__code((ent_str){s.p + s.n - 3, 3}, p->currency) ? -1 : 0;
}

/* Days and months. 0, or -1. Which of 03/04 is the month is nothing to guess: the document is refused. */
static int date_of(rates *r, const ent_row *row, ent_time *out, ent_status *refused) {
	static const char *const others[] = {"%d %B %Y", "%d %b %Y", "%d.%m.%Y", "%d-%b-%Y", "%b-%Y", "%B %Y"};
	ent_str text = text_trim(row->cell[COL_DATE]);
	int ok = r->host->time(text, r->pattern, out);
	for (size_t i = 0; ok && !r->pattern && i < sizeof others / sizeof *others; i++)
		ok = r->host->time(text, others[i], out);
	if (ok && !r->pattern && text.n && memchr(text.p, '/', text.n)) {
		*refused =
			r->host->error(r->ctx, row->place, COL_DATE, "it is not said which part of a date like this is the day",
				"write dates: \"%d/%m/%Y\" or dates: \"%m/%d/%Y\"");
		return -1;
	}
	if (!ok && (out->kind == ENT_TIME_INSTANT || out->kind == ENT_TIME_LOCAL)) { /* the day as it is written */
		int64_t us = out->v + (out->kind == ENT_TIME_INSTANT ? out->offset_min * INT64_C(60000000) : 0);
		*out = (ent_time){.v = us / INT64_C(86400000000) - (us % INT64_C(86400000000) < 0),
			.offset_min = ENT_NO_OFFSET,
			.kind = ENT_TIME_DATE};
	}
	return ok;
}

static int present(const ent_row *row, size_t column) { return row->cell[column].p != NULL; }

/* Once for each document: can its rows be read at all? */
static ent_status look(rates *r, const ent_row *row) {
	size_t codes = 0, series = 0;
	for (size_t i = 0; i < rates__wide_count(); i++)
		if (present(row, COL_WIDE + i))
			*(rates__wide(i)->unit[0] ? &series : &codes) += 1;
	int one = present(row, COL_RATE);
	int pair = present(row, COL_PAIR) || (present(row, COL_FROM) && present(row, COL_TO));
	int currency = present(row, COL_CODE) || present(row, COL_CURRENCY) || present(row, COL_COUNTRY);
	r->looked = 1;
	if (one && (pair || (currency && (present(row, COL_DENOMINATOR) || r->base[0]))))
		return ENT_OK;
	if (!one && series && !codes)
		return ENT_OK;
	if (!one && codes && r->base[0])
		return ENT_OK;
	if (one ? currency : codes > 0)
		return r->host->error(r->ctx, row->place, ENT_NO_COLUMN, "nothing says against which currency these are quoted",
			"write base: EUR, or which one it is; the European Central Bank's tables are against the euro");
	return r->host->error(r->ctx, row->place, ENT_NO_COLUMN, "no column holds rates",
		"a table of rates has a column for each currency, named by its code, or columns for currency and rate");
}

/* A row that names its currency, or its pair. */
static ent_status one_rate(rates *r, const ent_row *row, ent_time at, int64_t day) {
	rates_pair p = {.units = 1};
	const char *why = "";
	uint32_t bad = COL_PAIR;
	int failed = 0;
	if (present(row, COL_FROM) && present(row, COL_TO)) {
		bad = COL_FROM;
		failed = rates__currency(r, text_trim(row->cell[COL_FROM]), day, p.unit, &why);
		if (!failed) {
			bad = COL_TO;
			failed = rates__currency(r, text_trim(row->cell[COL_TO]), day, p.currency, &why);
		}
	} else if (present(row, COL_PAIR)) {
		why = "no pair of currencies like EUR/USD";
		failed = pair_of(text_trim(row->cell[COL_PAIR]), &p);
	} else {
		char currency[4], base[4];
		memcpy(base, r->base, 4);
		bad = present(row, COL_CODE) ? COL_CODE : present(row, COL_CURRENCY) ? COL_CURRENCY : COL_COUNTRY;
		ent_str written = text_trim(row->cell[bad]);
		failed = rates__currency(r, written, day, currency, &why);
		if (!failed && present(row, COL_DENOMINATOR)) { /* 1 of the denominator = x of the currency */
			bad = COL_DENOMINATOR;
			failed = rates__currency(r, text_trim(row->cell[bad]), day, base, &why);
		}
		if (!failed)
			p = against(r, currency, base, written);
	}
	if (failed) {
		r->host->reject(r->ctx, row->place, bad, why);
		return ENT_OK;
	}
	for (size_t i = 0; i < r->n_units; i++)
		if (same_code(r->units[i].code, p.unit))
			p.units = r->units[i].units;
	ent_str units = text_trim(present(row, COL_UNITS) ? row->cell[COL_UNITS] : TEXT(""));
	if (units.n && (text_digits(units.p, units.n, &p.units) || !p.units)) {
		r->host->reject(r->ctx, row->place, COL_UNITS, "not a number of units that a quote may be for");
		return ENT_OK;
	}
	decimal n;
	int got = number(row->cell[COL_RATE], r->decimal, &n, &why);
	if (got > 0) {
		r->host->skip(r->ctx, row->place, "no rate was published");
		return ENT_OK;
	}
	if (same_code(p.unit, p.currency)) {
		r->host->skip(r->ctx, row->place, "a currency against itself");
		return ENT_OK;
	}
	if (got < 0 || (p.units > 1 && decimal_divide(&n, p.units))) {
		r->host->reject(r->ctx, row->place, COL_RATE, why);
		return ENT_OK;
	}
	return push(r, row->place, at, &p, n);
}

static ent_status wide_row(rates *r, const ent_row *row, ent_time at) {
	ent_status status = ENT_OK;
	const char *why = "", *bad_why = NULL;
	uint32_t bad = 0;
	size_t pushed = 0;
	for (size_t i = 0; i < rates__wide_count() && !status; i++) {
		const rates_column *c = rates__wide(i);
		ent_str cell = row->cell[COL_WIDE + i];
		rates_pair p = {.units = 1};
		decimal n;
		if (!cell.p)
			continue;
		int got = number(cell, r->decimal, &n, &why);
		if (got > 0)
			continue;
		if (c->unit[0]) {
			memcpy(p.unit, c->unit, 4);
			memcpy(p.currency, c->currency, 4);
		} else {
			p = against(r, c->currency, r->base, (ent_str){c->currency, 3});
		}
		if (!got && same_code(p.unit, p.currency)) {
			if (n.value != 1 || n.scale)
				return r->host->error(r->ctx, row->place, (uint32_t)(COL_WIDE + i),
					"the currency that the others are said to be quoted against is not 1 against itself",
					"write as base: the one whose column is 1 everywhere");
			continue;
		}
		for (size_t k = 0; k < r->n_units; k++)
			if (same_code(r->units[k].code, p.unit))
				p.units = r->units[k].units;
		if (got < 0 || (p.units > 1 && decimal_divide(&n, p.units))) {
			bad = (uint32_t)(COL_WIDE + i);
			bad_why = why;
			continue;
		}
		status = push(r, row->place, at, &p, n);
		pushed++;
	}
	if (status)
		return status;
	if (bad_why)
		r->host->reject(r->ctx, row->place, bad, bad_why);
	else if (!pushed)
		r->host->skip(r->ctx, row->place, "no rate was published");
	return ENT_OK;
}

ent_status rates__row(rates *r, const ent_row *row) {
	ent_status refused = ENT_OK;
	ent_time at = {0};
	if (!r->looked) {
		refused = look(r, row);
		if (refused)
			return refused;
	}
	if (date_of(r, row, &at, &refused)) {
		if (!refused)
			r->host->reject(r->ctx, row->place, COL_DATE, "neither a day nor a month");
		return refused;
	}
	int64_t day = at.kind == ENT_TIME_MONTH ? text_month_day(at.v) : at.v;
	return present(row, COL_RATE) ? one_rate(r, row, at, day) : wide_row(r, row, at);
}
