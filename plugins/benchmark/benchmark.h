/* SPDX-License-Identifier: Apache-2.0
 *
 * The benchmark plugin's insides: which columns are which series, and what period a row is of. One decoder instance is
 * used from one thread; from row to row it carries which part of a date is the day. */
#ifndef ENTENTE_PLUGIN_BENCHMARK_H
#define ENTENTE_PLUGIN_BENCHMARK_H

#include "../common/decimal.h"

enum { OPT_SYSTEM, OPT_SERIES, OPT_PERIOD, OPT_DATES, OPT_DECIMAL, OPT_WHO };
enum { ITEM_METRIC, ITEM_UNIT, ITEM_CURRENCY, ITEM_TIMES, ITEM_INDUSTRY, ITEM_REGION, ITEM_GRADE, ITEM_COUNT };

enum { COL_DATE, COL_FIRST }; /* columns: the date, then one for each series */
enum { SERIES_MAX = 64, DIMS_MAX = 200 };

typedef enum benchmark_unit { /* the choices of the option `unit`, in order */
	UNIT_COUNT,
	UNIT_RATIO,
	UNIT_PERCENT, /* hundredths of a ratio */
	UNIT_MONEY,
	UNIT_SECONDS
} benchmark_unit;

typedef struct benchmark_series {
	const char *column, *aliases; /* aliases: NULL, or more spellings of it */
	const char *metric, *dims;    /* dims: "industry=retail,region=US", or "" */
	char currency[4];
	uint8_t unit; /* benchmark_unit */
	char grade;
	uint8_t months; /* what a date stands for, if that is known of the series; 0: the option says */
	int64_t times;  /* values are in so many: 1000000 where they are in millions */
} benchmark_series;

typedef struct benchmark {
	const ent_host *host;
	ent_ctx *ctx;
	benchmark_series series[SERIES_MAX];
	size_t n;
	ent_column wanted[SERIES_MAX + 2];
	int months; /* of the option `period`; 0: not said */
	char decimal;
	const char *pattern; /* NULL: as it stands */
	ent_str who;
	char *texts; /* of the options: they are only lent to create() */
	/* the document */
	int day_first; /* 0 not known, 1 days come first in dates with slashes, 2 months do */
} benchmark;

typedef struct benchmark_period {
	int64_t month; /* first one, counted from 1970-01 */
	int months;    /* 0: the text is a date, and does not say of what it is the first day */
} benchmark_period;

/* series.c */
extern const benchmark_series benchmark__known[];
const char *benchmark__configure(benchmark *b, const ent_value *options); /* NULL, or what is wrong; "" out of memory */

/* period.c. 0, or -1 and *why. */
int benchmark__period(benchmark *b, ent_str text, benchmark_period *out, const char **why);

#endif
