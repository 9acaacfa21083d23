/* SPDX-License-Identifier: Apache-2.0
 *
 * The benchmark plugin: series of an industry or a market, a row a period, a column a series. This file holds the
 * tables and reads rows; series.c knows columns, period.c dates. */
#include "benchmark.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const units[] = {"count", "ratio", "percent", "money", "seconds", NULL};
static const char *const periods[] = {"auto", "month", "quarter", "year", NULL};
static const char *const marks[] = {".", ",", NULL};
static const char *const grades[] = {"A", "B", "C", "D", "E", "F", NULL};

static const ent_option item[] = {[ITEM_METRIC] = {.key = "metric",
									  .type = ENT_OPT_STR,
									  .required = 1,
									  .doc = "The name by which rules ask for it: online_share."},
	[ITEM_UNIT] = {.key = "unit",
		.type = ENT_OPT_ENUM,
		.preset = "count",
		.choices = units,
		.doc = "What its numbers are; percent are hundredths of a ratio."},
	[ITEM_CURRENCY] = {.key = "currency", .type = ENT_OPT_STR, .doc = "Of money, by ISO 4217."},
	[ITEM_TIMES] = {.key = "times",
		.type = ENT_OPT_INT,
		.preset = "1",
		.doc = "Its numbers are in so many: 1000000 where the file says millions."},
	[ITEM_INDUSTRY] = {.key = "industry",
		.type = ENT_OPT_STR,
		.doc = "Which industry it is of, as profiles of partners name it. Left out: of all."},
	[ITEM_REGION] = {.key = "region",
		.type = ENT_OPT_STR,
		.doc = "Which region it is of, as profiles of partners name it. Left out: of all."},
	[ITEM_GRADE] = {.key = "grade",
		.type = ENT_OPT_ENUM,
		.choices = grades,
		.doc = "How sure it is: A audited, F hearsay."},
	{.key = NULL}};
static const ent_option series_items[] = {
	{.key = "*", .type = ENT_OPT_MAP, .item = item, .doc = "What the column of this name holds."}, {.key = NULL}};

static const ent_option options[] = {
	[OPT_SYSTEM] = {.key = "system",
		.type = ENT_OPT_STR,
		.preset = "benchmark",
		.doc = "Keyspace: of several files of one system, the newest says what a period's figure is, as revisions do."},
	[OPT_SERIES] = {.key = "series",
		.type = ENT_OPT_MAP,
		.item = series_items,
		.doc = "Columns that are series, and what they are. ECOMPCTSA, ECOMPCTNSA, ECOMSA and ECOMNSA of the US Census "
			   "are known."},
	[OPT_PERIOD] = {.key = "period",
		.type = ENT_OPT_ENUM,
		.preset = "auto",
		.choices = periods,
		.doc =
			"What a date is the first day of, where neither it nor the series says: 2024-Q1, 2024-01 and 2024 say it."},
	[OPT_DATES] = {.key = "dates",
		.type = ENT_OPT_STR,
		.doc = "How dates are written, where that cannot be told: %Y%m%d."},
	[OPT_DECIMAL] = {.key = "decimal", .type = ENT_OPT_ENUM, .preset = ".", .choices = marks, .doc = "Decimal mark."},
	[OPT_WHO] = {.key = "who", .type = ENT_OPT_STR, .doc = "Who publishes it, for the evidence."},
	{.key = NULL},
};

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;
	ent_str line = {head.p, end ? (size_t)(end - head.p) : head.n};
	if (line.n < 400 && (text_has_fold(line, "observation_date") || text_has_fold(line, "date")))
		for (const benchmark_series *k = benchmark__known; k->column; k++)
			for (size_t i = 0, n = strlen(k->column); i + n <= line.n; i++)
				if (!memcmp(line.p + i, k->column, n)) {
					*why = "a column that is one of the US Census Bureau's series of e-commerce";
					return 95;
				}
	*why = "no column is a series that is known by its name";
	return 0;
}

static void destroy(void *self) {
	benchmark *b = self;
	if (!b)
		return;
	free(b->texts);
	free(b);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	static const int months[] = {0, 1, 3, 12};
	benchmark *b = calloc(1, sizeof *b);
	if (!b)
		return ENT_ENOMEM;
	*b = (benchmark){.host = host,
		.ctx = ctx,
		.months = months[values[OPT_PERIOD].i & 3],
		.decimal = values[OPT_DECIMAL].i == 1 ? ',' : '.'};
	const char *wrong = benchmark__configure(b, values);
	if (wrong) {
		if (*wrong)
			host->error(
				ctx, 0, ENT_NO_COLUMN, wrong, "write it like series: {SHARE: {metric: online_share, unit: percent}}");
		destroy(b);
		return *wrong ? ENT_EOPTION : ENT_ENOMEM;
	}
	*self = b;
	return ENT_OK;
}

static const ent_column *wants(void *self) { return ((benchmark *)self)->wanted; }

static ent_status begin(void *self, const ent_doc *doc) {
	(void)doc;
	((benchmark *)self)->day_first = 0;
	return ENT_OK;
}

/* NULL, or why not. Shares are hundredths; what is in millions has so many more. */
static const char *value_of(const benchmark *b, const benchmark_series *s, ent_str text, decimal *out) {
	if (decimal_read(text, b->decimal, out))
		return "no number";
	__int128 v = (__int128)out->value * s->times;
	int scale = out->scale + (s->unit == UNIT_PERCENT ? 2 : 0);
	while (scale && v % 10 == 0)
		v /= 10, scale--;
	if (scale > 18 || v > INT64_MAX / 10 || v < -(INT64_MAX / 10))
		return "a number with more digits than fit";
	*out = (decimal){(int64_t)v, (uint8_t)scale};
	if (!scale)
		*out = (decimal){(int64_t)v * 10, 1}; /* 0 would mean six */
	return NULL;
}

static ent_status push(const benchmark *b, const ent_row *r, const benchmark_series *s, benchmark_period p, decimal v) {
	static const char *const words[] = {"count", "ratio", "ratio", "money", "seconds"};
	char key[256];
	int year;
	unsigned m, d;
	text_date_back(text_month_day(p.month), &year, &m, &d);
	int n =
		snprintf(key, sizeof key, "%s%s%s/%04d-%02u/%d", s->metric, *s->dims ? "/" : "", s->dims, year, m, p.months);
	if (n >= (int)sizeof key) {
		b->host->reject(b->ctx, r->place, ENT_NO_COLUMN, "the names of metric, industry and region are too long");
		return ENT_OK;
	}
	ent_observation o = {.h = {.has = ENT_HAS_VALUE, .place = r->place, .key = {key, (size_t)n}},
		.from = {.v = p.month, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_MONTH},
		.to = {.v = p.month + p.months, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_MONTH},
		.metric = {s->metric, strlen(s->metric)},
		.dims = text_given((ent_str){s->dims, strlen(s->dims)}),
		.unit = {words[s->unit], strlen(words[s->unit])},
		.who = b->who,
		.origin = ENT_ORIGIN_BENCHMARK,
		.scale = v.scale,
		.grade = s->grade,
		.additive = s->unit == UNIT_COUNT || s->unit == UNIT_MONEY,
		.value = v.value};
	memcpy(o.currency, s->currency, 4);
	return b->host->push(b->ctx, ENT_OBSERVATION, &o, sizeof o, 1);
}

static ent_status row(void *self, const ent_row *r) {
	benchmark *b = self;
	const char *why = "";
	benchmark_period p;
	uint32_t bad = ENT_NO_COLUMN;
	size_t there = 0, pushed = 0;
	ent_status status = ENT_OK;
	if (benchmark__period(b, r->cell[COL_DATE], &p, &why)) {
		b->host->reject(b->ctx, r->place, COL_DATE, why);
		return ENT_OK;
	}
	const char *wrong = NULL;
	for (size_t i = 0; i < b->n && !status; i++) {
		const benchmark_series *s = &b->series[i];
		ent_str cell = text_trim(r->cell[COL_FIRST + i]);
		if (!r->cell[COL_FIRST + i].p)
			continue;
		there++;
		benchmark_period own = p;
		own.months = p.months ? p.months : b->months ? b->months : s->months;
		if (!own.months)
			return b->host->error(b->ctx, r->place, COL_DATE,
				"a date, and nothing that says what it is the first day of", "write period: month, quarter or year");
		if (decimal_absent(cell))
			continue;
		decimal v;
		why = own.months > 1 && (own.month % own.months + own.months) % own.months
				  ? "not the first month of a quarter or year"
				  : value_of(b, s, cell, &v);
		if (why) {
			bad = (uint32_t)(COL_FIRST + i);
			wrong = why;
			continue;
		}
		status = push(b, r, s, own, v);
		pushed++;
	}
	if (status)
		return status;
	if (!there)
		return b->host->error(b->ctx, r->place, ENT_NO_COLUMN, "no column is a series that is known",
			"say which columns are, like series: {SHARE: {metric: online_share, unit: percent}}");
	if (wrong)
		b->host->reject(b->ctx, r->place, bad, wrong);
	else if (!pushed)
		b->host->skip(b->ctx, r->place, "no figure was published");
	return ENT_OK;
}

/* Which part of a date is the day is learnt from the rows before. Such files are small. */
static int starts(void *self, const ent_row *before, const ent_row *r) {
	(void)self;
	(void)r;
	return !before;
}

static ent_status end(void *self) {
	(void)self; /* nothing is held back */
	return ENT_OK;
}

static const ent_decoder decoder = {
	.size = sizeof(ent_decoder),
	.name = "benchmark",
	.doc = "Series of an industry or a market by month, quarter or year, such as the share of e-commerce that the US "
		   "Census publishes.",
	.version = "1",
	.system = "benchmark",
	.facts = 1u << ENT_OBSERVATION,
	.frame = ENT_FRAME_DELIMITED,
	.options = options,
	.probe = probe,
	.create = create,
	.wants = wants,
	.begin = begin,
	.row = row,
	.starts = starts,
	.end = end,
	.destroy = destroy,
};

static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "benchmark",
	.version = "1.0.0",
	.decoders = decoders,
};
