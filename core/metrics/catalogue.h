/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalogue: what a cell counts (measures, sets, distributions) and what a reader may ask for (metrics). Constant
 * tables; the store's columns, help, documentation, the Python names and the definition hashes are made from them.
 *
 * What users declare (metrics/custom.h) goes on behind them with the next numbers, in a catalogue of its own: a constant
 * once it is made, that a configuration has and a snapshot carries.
 *
 * A cell is the row of measures of one family for one (partner, day, view, value, currency, origin). All measures are
 * int64: money in micro-units of the cell's currency, quantities in 1/1000 piece, times in microseconds, else counts. */
#ifndef ENT_METRICS_CATALOGUE_H
#define ENT_METRICS_CATALOGUE_H

#include "entente/plugin.h"

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

typedef enum ent_family { ENT_SALES, ENT_TRAFFIC, ENT_CARTS, ENT_FAMILY_COUNT } ent_family;

/* Measures; the number is the index of the table ent_measures[]. Those of one family are adjacent. */
typedef enum ent_measure {
	ENT_M_ORDERS,
	ENT_M_ORDERS_CANCELLED,
	ENT_M_ORDERS_SHARED, /* of ENT_M_ORDERS: counted for another partner, too; every partner of an order but one has it */
	ENT_M_ORDERS_SHARED_CANCELLED,
	ENT_M_ORDERS_GUEST,
	ENT_M_QUOTES,
	ENT_M_LINES,
	ENT_M_LINES_CANCELLED,
	ENT_M_UNITS,
	ENT_M_UNITS_CANCELLED,
	ENT_M_GROSS,
	ENT_M_GROSS_CANCELLED,
	ENT_M_DISCOUNT,
	ENT_M_SHIPPING,
	ENT_M_SHIPPING_CANCELLED,
	ENT_M_TAX,
	ENT_M_TOTAL,
	ENT_M_TOTAL_CANCELLED,
	ENT_M_REFUNDED,        /* as paid back, shipping and tax included, dated to the order */
	ENT_M_RETURNS,         /* the part of it that is goods, without tax, dated to the order */
	ENT_M_RETURNS_ON_DAY,  /* the same, dated to the refund: only where refunds are dated */
	ENT_M_COST,
	ENT_M_DUE,
	ENT_M_SESSIONS,
	ENT_M_SESSIONS_ENGAGED,
	ENT_M_SESSIONS_NEW,
	ENT_M_SESSIONS_UNIDENTIFIED,
	ENT_M_SESSIONS_ITEM,
	ENT_M_SESSIONS_CART,
	ENT_M_SESSIONS_CHECKOUT,
	ENT_M_SESSIONS_PURCHASE,
	ENT_M_SESSIONS_CART_LEFT,
	ENT_M_PAGEVIEWS,
	ENT_M_PURCHASES,
	ENT_M_ENGAGED_US,
	ENT_M_LOAD_MS,
	ENT_M_LOADS,
	ENT_M_CARTS,
	ENT_M_CARTS_LEFT,
	ENT_M_CARTS_LEFT_VALUE,
	ENT_M_CARTS_RECOVERED,
	ENT_MEASURE_COUNT
} ent_measure;

#define ENT_FAMILY_WIDTH 24 /* at least the most measures of one family: the width of a cell in memory; a multiple of 4 */

/* Measures of users are cells of families behind ENT_FAMILY_COUNT, each a block as wide as a cell; one block counts facts of
 * one family. Their sets and distributions come behind the built-in ones, and gather in cells of families behind the blocks,
 * which have no measures. */
#define ENT_CUSTOM_BLOCKS 8u
#define ENT_CUSTOM_SETS 24u
#define ENT_CUSTOM_DISTS 24u
#define ENT_CUSTOM_MEASURES (ENT_CUSTOM_BLOCKS * ENT_FAMILY_WIDTH)
#define ENT_CUSTOM_METRICS 160u
enum {
	ENT_FAMILY_CUSTOM = ENT_FAMILY_COUNT,
	ENT_FAMILY_OF_SETS = ENT_FAMILY_CUSTOM + ENT_CUSTOM_BLOCKS,
	ENT_FAMILY_OF_DISTS = ENT_FAMILY_OF_SETS + ENT_CUSTOM_SETS,
	ENT_MEASURES_MOST = ENT_MEASURE_COUNT + ENT_CUSTOM_MEASURES
};

typedef enum ent_unit {
	ENT_UNIT_COUNT,
	ENT_UNIT_MONEY,   /* micro-units of a currency */
	ENT_UNIT_PIECES,  /* 1/1000 */
	ENT_UNIT_SECONDS, /* microseconds; ENT_M_LOAD_MS alone: milliseconds, which readers get as microseconds */
	ENT_UNIT_DAYS,
	ENT_UNIT_RATIO
} ent_unit;

typedef struct ent_measure_def {
	const char *name; /* column of the store */
	uint8_t family, unit; /* family: of the facts, whose coverage is its own */
	uint8_t column;   /* index within the cell */
	uint8_t revision; /* grows when the way it is counted changes: part of the definition */
	const char *doc;  /* what is counted */
	uint16_t shared;  /* measure that says how much of it another partner counts, too; 0: none */
	const char *definition; /* of a user's: the hash; NULL: made from the rest */
} ent_measure_def;

extern const ent_measure_def ent_measures[ENT_MEASURE_COUNT];

/* First measure of a family of cells, and how many it has; of those of users as well, where a width is the most. */
unsigned ent_family_first(unsigned family);
unsigned ent_family_width(unsigned family);
const char *ent_family_name(unsigned family); /* "sales": table cell_sales */

/* Distinct sets kept beside the cells. */
typedef enum ent_set { ENT_SET_CUSTOMERS, ENT_SET_VISITORS, ENT_SET_COUNT } ent_set;
/* Distributions, view `total` only: log histograms of int64 values, see metrics/dist.h. What goes in: order_value the
 * total of an order in micro-units of its currency, days_to_paid whole days (0: paid on the day), load_time microseconds
 * (the mean page load of a visit). */
typedef enum ent_dist { ENT_DIST_ORDER_VALUE, ENT_DIST_DAYS_TO_PAID, ENT_DIST_LOAD_TIME, ENT_DIST_COUNT } ent_dist;

typedef enum ent_view {
	ENT_VIEW_TOTAL,
	ENT_VIEW_CHANNEL,
	ENT_VIEW_CATEGORY,
	ENT_VIEW_COUNTRY,
	ENT_VIEW_CAMPAIGN,
	ENT_VIEW_DEVICE,
	ENT_VIEW_SOURCE,
	ENT_VIEW_REGION,
	ENT_VIEW_VENDOR,
	ENT_VIEW_PRODUCT,
	ENT_VIEW_KEPT, /* the views before it may be kept in cells; those from it on are worked out where a rule asks for them */
	ENT_VIEW_CUSTOMER = ENT_VIEW_KEPT,
	ENT_VIEW_STEP,      /* at which a cart was left */
	ENT_VIEW_LOAD_TIME, /* ent_load_times */
	ENT_VIEW_COUNT
} ent_view;

extern const char *const ent_view_names[ENT_VIEW_COUNT];
/* Whose facts can be cut by a view, as bits 1 << ent_family. */
extern const uint8_t ent_view_families[ENT_VIEW_COUNT];

/* Values of the view load_time, in order: a visit belongs to the last that begins at or before its mean. */
typedef struct ent_load_time {
	int64_t from; /* microseconds */
	const char *name;
} ent_load_time;
#define ENT_LOAD_TIMES 14
extern const ent_load_time ent_load_times[ENT_LOAD_TIMES];
extern const char *const ent_origin_names[ENT_ORIGIN_COUNT];

typedef enum ent_metric_kind { ENT_METRIC_SUM, ENT_METRIC_RATIO, ENT_METRIC_DISTINCT, ENT_METRIC_DISTRIBUTION } ent_metric_kind;

typedef enum ent_additivity {
	ENT_ADD_ALL,  /* over days, values of a view and partners */
	ENT_ADD_DAYS, /* over days and values, but not over partners */
	ENT_ADD_NONE, /* ratios and uniques: built anew for every window */
	ENT_ADD_WHOLE /* the same, but a ratio over uniques: nor for several values of a view together */
} ent_additivity;

/* A set or a distribution. */
typedef struct ent_space_def {
	const char *name;
	uint8_t family, unit;
	bool texts; /* its members are codes of texts, and no identities */
	const char *definition; /* as of a measure */
} ent_space_def;

typedef struct ent_metric_term {
	int8_t sign; /* +1, -1; 0 ends the list */
	uint16_t measure;
	uint32_t times; /* 0 and 1: once */
} ent_metric_term;

#define ENT_TERMS 12

typedef struct ent_metric {
	const char *name;
	uint8_t kind, unit, additivity;
	uint8_t set_or_dist;     /* DISTINCT: ent_set, DISTRIBUTION: ent_dist */
	ent_metric_term top[ENT_TERMS]; /* SUM: the sum; RATIO: numerator */
	ent_metric_term bottom[ENT_TERMS];
	const char *tags;        /* blank-separated, for metrics.tagged() */
	const char *doc;         /* one sentence, with the choice that the name carries */
	uint8_t top_set, bottom_set; /* RATIO: ent_set + 1 whose members are counted in place of terms; 0: none */
	uint32_t top_times, bottom_times; /* and how often each counts */
	uint32_t over;           /* SUM: the sum is divided by it; 0 and 1: not */
	uint8_t families;        /* of a user's: see ent_metric_families; 0: found from the terms */
	const char *definition;  /* as of a measure */
} ent_metric;

extern const ent_metric ent_metrics[]; /* ends with name NULL */
extern const unsigned ent_metric_count;

extern const char *const ent_unit_names[];       /* "count", "money", ... */
extern const char *const ent_kind_names[];       /* "sum", "ratio", ... */
extern const char *const ent_additivity_names[]; /* "all", "days", "none" */

/* All there is: the built-in ones, and behind them those of users. Of measures, a number between the blocks has no name. */
typedef struct ent_catalogue {
	const ent_metric *metrics;
	const ent_measure_def *measures;
	const ent_space_def *sets, *dists;
	unsigned n_metrics, n_measures, n_sets, n_dists;
} ent_catalogue;

extern const ent_catalogue ent_builtin;

static inline int64_t ent_term_factor(const ent_metric_term *t) { return t->sign * (int64_t)(t->times ? t->times : 1); }

/* Index of a metric, or -1. */
int ent_catalogue_find(const ent_catalogue *, const char *name, size_t n);
/* The same of the built-in ones. */
int ent_metric_find(const char *name, size_t n);
/* 16 hex digits over kind, unit, terms and names of measures: changes when what the metric means changes. */
void ent_metric_definition(const ent_metric *, char out[17]);
/* The same for a measure. */
void ent_measure_definition(const ent_measure_def *, char out[17]);
/* Which families a metric reads, as bits 1 << ent_family: their coverage is the coverage of its windows. */
unsigned ent_metric_families(const ent_metric *);

#endif
