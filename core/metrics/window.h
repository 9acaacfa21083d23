/* SPDX-License-Identifier: Apache-2.0
 *
 * Reader of a snapshot: metrics over windows of days, by day, by value of a view. The core's commands and the rules
 * worker read through these functions alike, so that a figure in a table and a figure in a rule are the same figure.
 *
 * A reader belongs to one thread (it keeps scratch memory) and borrows the block, which must outlive it. Windows are
 * half open, [start, stop), and never reach beyond the reader's as_of, which is the snapshot's unless it is set to an earlier day:
 * a stop after it is cut. So all partners are read as of the day of the one that is judged. */
#ifndef ENT_METRICS_WINDOW_H
#define ENT_METRICS_WINDOW_H

#include "base/error.h"
#include "metrics/catalogue.h"
#include "metrics/snapshot.h"

#include <stdbool.h>

#define ENT_WINDOW_COVERAGE 800u /* of 1000: share of a window's days that sources must speak for, unless asked otherwise */
#define ENT_NO_TEXT UINT32_MAX
#define ENT_NONE_NAME "(none)" /* how the absent value of a view is shown and asked for */

typedef enum ent_window_state {
	ENT_WINDOW_KNOWN,
	ENT_WINDOW_NO_COVERAGE,    /* no source speaks for the window, or for too few of its days */
	ENT_WINDOW_NO_RATE,        /* a day's exchange rate is missing */
	ENT_WINDOW_NO_DENOMINATOR, /* a ratio over nothing, a median of nothing */
	ENT_WINDOW_STATE_COUNT
} ent_window_state;

extern const char *const ent_window_state_names[ENT_WINDOW_STATE_COUNT];

typedef struct ent_snap {
	const uint8_t *base;
	const ent_snap_head *head;
	const ent_snap_text *texts;
	const ent_snap_partner *partners;
	const ent_snap_series *series;
	const ent_snap_set *sets;
	const ent_snap_dist *dists;
	const ent_snap_cover *covers;
	const ent_snap_rate *rates;
	uint32_t n_texts, n_partners, n_rates;
	int32_t as_of; /* the last day that windows include */
	const ent_catalogue *catalogue; /* what can be asked for: the built-in, and behind it what users declared */
	struct ent__snap_index *index; /* made by open: merged coverage, origins, scratch */
} ent_snap;

/* Checks every offset, number and order of the block; afterwards reading needs no checks. 0 or ENT_ERR_CORRUPT. */
int ent_snap_open(ent_snap *, const void *block, size_t bytes, ent_error *);
void ent_snap_finish(ent_snap *);

static inline const ent_metric *ent_snap_metric(const ent_snap *s, unsigned metric) { return &s->catalogue->metrics[metric]; }
static inline const ent_measure_def *ent_snap_measure(const ent_snap *s, unsigned measure) {
	return &s->catalogue->measures[measure];
}
static inline const char *ent_snap_text_of(const ent_snap *s, uint32_t text) {
	return (const char *)s->base + s->texts[text].offset;
}
static inline const char *ent_snap_partner_id(const ent_snap *s, uint32_t partner) {
	return ent_snap_text_of(s, s->partners[partner].id);
}
/* The day as of which the partner is judged. */
static inline int32_t ent_snap_partner_day(const ent_snap *s, uint32_t partner) {
	return s->head->as_of - (int32_t)s->partners[partner].behind;
}
/* Index of the partner, or -1. */
int64_t ent_snap_find_partner(const ent_snap *, const char *id, size_t n);
/* Number of a view's value: 0 for "" and "(none)", ENT_NO_TEXT if the snapshot has no such text. */
uint32_t ent_snap_find_value(ent_snap *, const char *value, size_t n);
/* As shown: "(none)" for 0. */
const char *ent_snap_value_name(const ent_snap *, uint32_t value);

/* What one unit of `currency` (a text) is worth on a day, in 1e-12 of the reporting currency; 0: not known. */
int64_t ent_snap_rate_on(const ent_snap *, uint32_t currency, int32_t day);

typedef struct ent_query {
	uint32_t partner;
	uint16_t metric;   /* index into the snapshot's catalogue */
	int16_t origin;    /* ent_origin; -1: for each family that the metric reads the first that speaks of it, in the order
	                      shop, analytics, declared */
	int32_t start, stop;
	uint8_t view;      /* ent_view */
	uint32_t value;    /* text; 0 for ENT_VIEW_TOTAL; ENT_NO_TEXT reads as a value without data */
	uint32_t coverage; /* of 1000: below it the window is NO_COVERAGE; 0: whatever there is */
} ent_query;

typedef struct ent_window {
	uint8_t state;             /* ent_window_state; if not KNOWN, top and bottom hold what is there all the same */
	int32_t covered, declared; /* days that sources speak for, and those of them said by a decoder; the least of all
	                              families that the metric reads */
	int32_t day;               /* NO_RATE: the first day without a rate; else 0 */
	__int128 top, bottom;      /* RATIO: top / bottom; else bottom is 1. DISTRIBUTION: the median */
} ent_window;

/* 0, ENT_ERR_RANGE if a sum leaves 128 bits, ENT_ERR_NOTFOUND if partner, metric, view or origin do not exist. */
int ent_window_read(ent_snap *, const ent_query *, ent_window *);
/* A DISTRIBUTION's quantile q (0..1), in top. As above; ENT_ERR_INVALID for another kind of metric. */
int ent_window_quantile(ent_snap *, const ent_query *, double q, ent_window *);

typedef struct ent_portfolio {
	ent_window w;   /* sum, quotient of sums, union: over the partners counted in `known`; state KNOWN if there is one.
	                   covered, declared: the least of those partners */
	uint32_t known; /* partners with enough coverage and all rates */
	uint32_t left_out;
} ent_portfolio;

/* The metric over all partners of the snapshot; query.partner is not read. An order that partners share counts once: only
 * over all its partners is that exact. Distinct identities are united. Status as for read. */
int ent_window_portfolio(ent_snap *, const ent_query *, ent_portfolio *);

/* A SUM metric by day into out[stop - start]; days without data are zero. 0, or ENT_ERR_INVALID if it is no SUM,
 * ENT_ERR_RANGE, or ENT_ERR_NOTFOUND. `missing` gets the first day without a rate, or INT32_MAX. */
int ent_window_series(ent_snap *, const ent_query *, int64_t *out, int32_t *missing);
/* The same without a copy, where the memory of the snapshot holds just that: one measure, added, unscaled, one series in
 * the reporting currency that spans the window. Else NULL. */
const int64_t *ent_window_column(ent_snap *, const ent_query *);

/* Values of query.view with data of the metric in the window, sorted by name, into a malloc'd array that the caller frees
 * (NULL if *n is 0). Status as for read; ENT_ERR_INVALID for a DISTRIBUTION, which has no views. */
int ent_window_values(ent_snap *, const ent_query *, uint32_t **values, size_t *n);

/* Bits 1 << ent_origin: those with coverage or data in all families that the metric reads. */
unsigned ent_window_origins(const ent_snap *, uint32_t partner, unsigned metric);
/* The origin that origin -1 reads for a family. */
ent_origin ent_window_origin(const ent_snap *, uint32_t partner, ent_family);

#endif
