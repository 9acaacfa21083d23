/* SPDX-License-Identifier: Apache-2.0
 *
 * A metric as the table describes it, and where its values are. Of exposition.c and exposition_table.c alone. Constants. */
#ifndef ENT_SERVE_EXPOSITION_TABLE_H
#define ENT_SERVE_EXPOSITION_TABLE_H

#include "serve/exposition.h"

typedef enum ent__metric_type { ENT__GAUGE, ENT__COUNTER } ent__metric_type;

/* Which struct a metric is in: one value, or one for each row. */
typedef enum ent__metric_of {
	ENT__OF_SERVICE,
	ENT__OF_SOURCE, /* label source */
	ENT__OF_INBOX,  /* label source */
	ENT__OF_RULE,   /* label rule */
	ENT__OF_HTTP,
	ENT__OF_HOOKS,
	ENT__OF_TELL, /* label target */
	ENT__OF_PROCESS,
	ENT__OF_ALL /* of ent_figures itself */
} ent__metric_of;

typedef enum ent__metric_how {
	ENT__U64,
	ENT__U32,
	ENT__UINT, /* unsigned */
	ENT__SIZE,
	ENT__BOOL,
	ENT__DOUBLE,
	ENT__TIME,        /* int64_t, microseconds since 1970: in seconds; 0 is left out: never */
	ENT__SINCE,       /* the same as an age in seconds; 0 is 0: nothing waits */
	ENT__NANOSECONDS, /* uint64_t: in seconds */
	ENT__STATE,       /* ent_source_state: 1 for the one it is in, with the label state */
	ENT__WORDS,       /* uint64_t for each word of `words`, with the label `label` */
	ENT__INFO         /* 1, with the label version */
} ent__metric_how;

typedef struct ent__metric {
	const char *name; /* with the unit and, of a counter, without _total; NULL ends the table */
	ent__metric_type type;
	const char *unit; /* "seconds", "bytes", "" */
	ent__metric_of of;
	ent__metric_how how;
	size_t at; /* in the struct */
	const char *label;
	const char *const *words;
	const char *help;
} ent__metric;

extern const ent__metric ent__metrics[];

#endif
