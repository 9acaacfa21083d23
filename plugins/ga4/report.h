/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of GA4's Data API. What the files of this decoder share; the decoder of the BigQuery export shares nothing
 * with it but the plugin. One instance, one thread.
 */
#ifndef ENTENTE_PLUGIN_GA4_REPORT_H
#define ENTENTE_PLUGIN_GA4_REPORT_H

#include "../common/jsonl.h"
#include "../common/report.h"
#include "../common/rows.h"

extern const ent_decoder ga4__report_decoder;

/* Places of the rows of each report, found in the text: the parser does not tell them. */
typedef struct report_places {
	uint64_t *at;
	size_t n, room;
	size_t *first; /* by report: number of its first row */
	size_t reports, reports_room;
} report_places;

/* Walks over the JSON text. 0, or -1: out of memory. */
int report_places_find(report_places *p, ent_str text);
/* Of row i of a report; where it is not known, 0. */
uint64_t report_place(const report_places *p, size_t number, size_t i);
void report_places_finish(report_places *p);

/* A metric that is kept, and what it is called here. */
typedef struct report_metric {
	const char *name, *metric, *unit;
	int additive;
} report_metric;

/* NULL: no figure is kept by it. */
const report_metric *report_metric_of(ent_str name);
/* The view that a dimension is; NULL: it keeps its own name. */
const char *report_dim_of(ent_str name);

#endif
