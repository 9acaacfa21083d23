/* SPDX-License-Identifier: Apache-2.0
 *
 * Which column of a file is which series: those of the US Census Bureau that are known by their names, and what the
 * options say. What the options say of a column goes before what is known of it. */
#include "benchmark.h"

#include <stdio.h>
#include <stdlib.h>

/* Quarterly Retail E-Commerce Sales, as FRED names its series. Without season: SA; as they came: NSA. */
const benchmark_series benchmark__known[] = {
	{.column = "ECOMPCTSA",
		.metric = "online_share",
		.dims = "region=US",
		.unit = UNIT_PERCENT,
		.months = 3,
		.times = 1},
	{.column = "ECOMPCTNSA",
		.metric = "online_share.unadjusted",
		.dims = "region=US",
		.unit = UNIT_PERCENT,
		.months = 3,
		.times = 1},
	{.column = "ECOMSA",
		.aliases = "ECOMSA(in millions USD)",
		.metric = "online_sales",
		.dims = "region=US",
		.currency = "USD",
		.unit = UNIT_MONEY,
		.months = 3,
		.times = 1000000},
	{.column = "ECOMNSA",
		.aliases = "ECOMNSA(in millions USD)",
		.metric = "online_sales.unadjusted",
		.dims = "region=US",
		.currency = "USD",
		.unit = UNIT_MONEY,
		.months = 3,
		.times = 1000000},
	{.column = NULL},
};

static const char *keep(char **room, ent_str s) {
	char *p = *room;
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = 0;
	*room += s.n + 1;
	return p;
}

static int plain(ent_str s) { return !s.n || (!memchr(s.p, ',', s.n) && !memchr(s.p, '=', s.n)); }

/* One of the option's: NULL, or what is wrong. */
static const char *one(benchmark_series *to, ent_str column, const ent_value *items, char **room) {
	const ent_value *unit = &items[ITEM_UNIT], *currency = &items[ITEM_CURRENCY], *grade = &items[ITEM_GRADE];
	ent_str industry = items[ITEM_INDUSTRY].s, region = items[ITEM_REGION].s;
	char dims[DIMS_MAX];
	*to = (benchmark_series){.column = keep(room, column),
		.metric = keep(room, items[ITEM_METRIC].s),
		.unit = (uint8_t)unit->i,
		.times = items[ITEM_TIMES].i,
		.grade = grade->s.n == 1 ? *grade->s.p : 0};
	if (!plain(industry) || !plain(region) || industry.n + region.n + 20 > sizeof dims)
		return "series: an industry or region with a comma or an equals sign, or a very long one";
	snprintf(dims, sizeof dims, "%s%.*s%s%s%.*s", industry.n ? "industry=" : "", (int)industry.n,
		industry.n ? industry.p : "", industry.n && region.n ? "," : "", region.n ? "region=" : "", (int)region.n,
		region.n ? region.p : "");
	to->dims = keep(room, (ent_str){dims, strlen(dims)});
	if (!items[ITEM_METRIC].s.n)
		return "series: a series without a metric";
	if (to->times < 1)
		return "series: times must be 1 or more";
	if ((to->unit == UNIT_MONEY) != (currency->s.n == 3))
		return "series: money needs a currency of three letters, and nothing else has one";
	for (size_t i = 0; i < currency->s.n; i++)
		if (currency->s.p[i] < 'A' || currency->s.p[i] > 'Z')
			return "series: a currency is three capital letters";
	if (currency->s.n)
		memcpy(to->currency, currency->s.p, 3);
	return NULL;
}

static void want(benchmark *b, const benchmark_series *s) {
	b->wanted[COL_FIRST + b->n] = (ent_column){s->column, s->aliases, 0};
	b->series[b->n++] = *s;
}

const char *benchmark__configure(benchmark *b, const ent_value *options) {
	const ent_value *series = &options[OPT_SERIES];
	size_t room = options[OPT_DATES].s.n + options[OPT_WHO].s.n + 2;
	for (size_t i = 0; i < series->n; i++)
		room += series->keys[i].n + series->items[i].items[ITEM_METRIC].s.n + DIMS_MAX + 2;
	char *at = b->texts = malloc(room);
	if (!at)
		return "";
	b->wanted[COL_DATE] =
		(ent_column){"observation_date", "DATE|Period|TIME_PERIOD|Time Period|Quarter|Month|Year|Day", 1};
	for (size_t i = 0; i < series->n; i++) {
		benchmark_series s;
		if (b->n == SERIES_MAX)
			return "series: more than 64";
		const char *wrong = one(&s, series->keys[i], series->items[i].items, &at);
		if (wrong)
			return wrong;
		want(b, &s);
	}
	for (const benchmark_series *k = benchmark__known; k->column && b->n < SERIES_MAX; k++) {
		int said = 0;
		for (size_t i = 0; i < series->n; i++)
			said |= series->keys[i].n == strlen(k->column) && !memcmp(series->keys[i].p, k->column, series->keys[i].n);
		if (!said)
			want(b, k);
	}
	b->pattern = options[OPT_DATES].s.n ? keep(&at, options[OPT_DATES].s) : NULL;
	b->who = options[OPT_WHO].s.n ? (ent_str){keep(&at, options[OPT_WHO].s), options[OPT_WHO].s.n} : (ent_str){NULL, 0};
	return NULL;
}
