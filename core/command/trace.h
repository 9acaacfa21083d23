/* SPDX-License-Identifier: Apache-2.0
 *
 * command/trace.h: from a figure to the records that make it, and to the rows of the files that they stand in: what
 * `entente rules explain` and `entente metrics why` share. One thread; owned by the command. */
#ifndef ENT_COMMAND_TRACE_H
#define ENT_COMMAND_TRACE_H

#include "command/lines.h"
#include "command/project.h"
#include "engine/account.h"

typedef struct ent__trace {
	ent_call *call;
	ent__project *project; /* with its engine and a snapshot */
	const char *partner;
	uint32_t code;  /* of the partner */
	uint32_t index; /* of it in the snapshot */
	ent_versions *versions;
	ent__lines lines;
	ent_buf frame, text;
	ent_document document;
	ent_arena arena;
	char currency[8];       /* that was converted last, */
	uint32_t currency_text; /* and its number in the snapshot */
} ent__trace;

/* One metric of the partner over some days. */
typedef struct ent__wanted {
	unsigned metric;
	int16_t origin; /* -1: the first that speaks of it, family by family */
	uint8_t view;
	const char *const *values;
	size_t n_values;
	int32_t start, stop;
} ent__wanted;

/* The partner is in the snapshot. */
void ent__trace_init(ent__trace *, ent_call *, ent__project *, const char *partner, uint32_t index);
void ent__trace_finish(ent__trace *); /* zeroed is fine */
/* Where the documents stood at both moments; then: NULL: of no interest. */
int ent__trace_versions(ent__trace *, const ent_moment *then, const ent_moment *now, ent_error *);
int ent__trace_account(ent__trace *, const ent__wanted *, const ent_account_side *then, const ent_account_side *now,
	ent_account *out, ent_error *);

static inline const ent_metric *ent__metric(const ent__trace *t, unsigned metric) {
	return &ent_engine_catalogue(t->project->engine)->metrics[metric];
}
static inline const ent_measure_def *ent__measure(const ent__trace *t, unsigned measure) {
	return &ent_engine_catalogue(t->project->engine)->measures[measure];
}

/* ---- figures as people read them; `sum` in 1/ENT_ACCOUNT_ONE of the unit as it is kept
 * ---------------------------------- */

/* Into out (ENT_NUMBER_TEXT). A unit of money is written behind it by whoever knows the currency. */
char *ent__sum_text(unsigned unit, __int128 sum, char *out);
/* Unit of the metric's top, and of its bottom. */
unsigned ent__top_unit(const ent__trace *, const ent_metric *);
unsigned ent__bottom_unit(const ent__trace *, const ent_metric *);
/* Sum of one term of the metric, by its place in an ent_account_cell. */
__int128 ent__term_sum(const ent__trace *, const ent_metric *, const ent_account *, unsigned term);
/* The figure itself with its unit: a sum, a quotient ("1.21 %", "45.00 EUR"), a count. "nothing to divide by". */
char *ent__value_text(const ent__trace *, const ent_metric *, __int128 top, __int128 bottom, char *out);
void ent__sum_json(ent_json *, unsigned unit, __int128 sum);

/* ---- records -------------------------------------------------------------------------------------------------------
 */

/* "orders.csv:12", or "orders.csv.gz, byte 345"; into the trace's arena. */
const char *ent__trace_where(ent__trace *, uint32_t source, uint32_t input, uint64_t place);
/* What stands there, masked as rejects are; "" if the file is packed or gone. */
const char *ent__trace_excerpt(ent__trace *, uint32_t source, uint32_t input, uint64_t place);
/* What became of the file since it was read: "" nothing, "is gone", "has changed since". */
const char *ent__trace_file(ent__trace *, uint32_t source, uint32_t input);
/* The document's head as people read it: "2026-03-01 10:00:00, status sold, gross 100.00 EUR, …". */
const char *ent__trace_fact(ent__trace *, ent_position);
/* "order A4"; keys of visits are made of identities and say nothing to people. */
const char *ent__trace_name(ent__trace *, const ent_account_part *);
/* Members of the object in hand: kind, key, day, source, file, line, place, arrived, excerpt. */
void ent__trace_part_json(ent__trace *, const ent_metric *, const ent_account_part *, bool compared);
/* When it arrived: "2026-11-22 20:15:04 UTC". */
char *ent__trace_time(int64_t us, char out[32]);

#endif
