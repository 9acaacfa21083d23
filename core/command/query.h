/* SPDX-License-Identifier: Apache-2.0
 *
 * command/query.h: what `entente metrics query` reads, apart from how it is shown. One thread; owned by the command. */
#ifndef ENT_COMMAND_QUERY_H
#define ENT_COMMAND_QUERY_H

#include "command/project.h"
#include "command/span.h"

enum { ENT__QUERY_METRICS = 32 };

typedef enum ent__by { ENT__BY_NONE, ENT__BY_PARTNER, ENT__BY_DAY, ENT__BY_WEEK, ENT__BY_MONTH, ENT__BY_VIEW } ent__by;

/* One metric over one window, of one partner or of all. */
typedef struct ent__figure {
	ent_window w;  /* what is there, whatever the coverage */
	uint8_t state; /* ent_window_state, by the coverage that is usual */
	bool all;      /* of all partners */
	int32_t start, stop;
	uint32_t known, left_out; /* all: partners that speak for enough of the days, and those that do not */
	uint32_t without; /* all: of left_out, those that are not even in what is there: a rate or the days of refunds are
						 missing */
} ent__figure;

typedef struct ent__query_row {
	const char *name; /* of the group; "" for the only row without --by */
	int32_t start, stop;
	ent__figure *figures; /* one for each metric */
} ent__query_row;

typedef struct ent__query {
	ent_call *call;
	ent__project project;
	ent_arena arena;
	unsigned metrics[ENT__QUERY_METRICS];
	size_t n_metrics;
	uint32_t *partners; /* indices; none: all */
	size_t n_partners;
	int32_t start, stop;
	ent__days days[ENT__QUERY_METRICS]; /* with data, of each metric */
	bool whole;                         /* all days with data; without --by, of each metric its own */
	const char *window;                 /* as typed, or NULL */
	int16_t origin;
	uint8_t view;
	uint32_t value;
	const char *value_text; /* of --value, or NULL */
	ent__by by;
	uint8_t by_view;
	ent__query_row *rows;
	size_t n_rows, capacity;
	ent__query_row total; /* of a grouped query: the window as a whole; figures NULL: none */
} ent__query;

/* Says that there is no such metric, or not yet. Returns the exit status. */
int ent__metric_unknown(ent_call *, const ent_config *, const ent_catalogue *, const char *name);

/* Reads rows and total of what is asked for. 0, or a negative status. */
int ent__query_read(ent__query *, ent_error *e);

/* value / 10^*scale, rounded half-even once; false: there is nothing to divide by. */
bool ent__figure_value(const ent_metric *, const ent_window *, __int128 *value, unsigned *scale);
/* Digits behind the point that the value needs. */
unsigned ent__figure_digits(const ent_metric *, const ent_window *);
/* "EUR", "s", "days", "" */
const char *ent__figure_unit(const ent__query *, const ent_metric *);
/* Is there a number to show, known or not? */
bool ent__figure_there(const ent_metric *, const ent__figure *, __int128 *value, unsigned *scale);
/* "known", "partial" (some partners lack data), "no_coverage", ... */
const char *ent__figure_state(const ent__figure *);
/* Why it is not known, or known in part; "" if it is. Into out. Returns out. */
char *ent__figure_reason(const ent_metric *, const ent__figure *, char *out, size_t size);

void ent__query_show_text(ent__query *);
void ent__query_show_json(ent__query *);
void ent__query_show_csv(ent__query *);

#endif
