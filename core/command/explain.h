/* SPDX-License-Identifier: Apache-2.0
 *
 * command/explain.h: what the files of `entente rules explain` share: a finding, the figures that its rule read, and
 * the records that are no part of cells. One thread; owned by the command. */
#ifndef ENT_COMMAND_EXPLAIN_H
#define ENT_COMMAND_EXPLAIN_H

#include "command/findings.h"
#include "command/trace.h"
#include "command/why.h"
#include "engine/lineage.h"

#include <json-c/json.h>
#include <string.h>

enum { ENT__EXPLAIN_VALUES = 16 };

/* What a figure is made of. */
typedef enum ent__explain_sort {
	ENT__OF_CELLS,
	ENT__OF_TOLD,
	ENT__OF_REGISTER,
	ENT__OF_COHORT,
	ENT__OF_DAYS,
	ENT__OF_OTHER
} ent__explain_sort;

/* One read of the rule, as its record keeps it. */
typedef struct ent__explain_figure {
	json_object *json;
	const char *metric, *from, *through, *value, *unit, *state, *origin, *slice, *cohort;
	ent__explain_sort sort;
	bool known, spoken; /* spoken: its value stands in the text of the finding */
	ent__wanted wanted;
	const char *values[ENT__EXPLAIN_VALUES];
} ent__explain_figure;

/* A record of the store that is no part of a cell, and the row of the file that it came from. */
typedef struct ent__explain_told {
	ent_lineage_row row; /* its texts are the arena's */
	json_object *fields; /* NULL: not in the store */
} ent__explain_told;

typedef struct ent__explaining {
	ent_call *call;
	ent__findings found;
	ent__trace trace;
	const ent__finding *f;
	json_object *record; /* of the rule, or NULL */
	char said[16];
	int32_t as_of;
	ent__explain_figure *figures;
	size_t n, capacity;
	size_t rows, shown; /* as many at most, of each figure, and figures */
	bool days, detailed;
	ent__explain_told *told;
	size_t n_told, told_capacity;
	bool told_read;
	ent__since since;
} ent__explaining;

static inline json_object *ent__explain_get(json_object *o, const char *key) {
	json_object *v = NULL;
	return o && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static inline const char *ent__explain_text(json_object *o, const char *key) {
	json_object *v = ent__explain_get(o, key);
	const char *text = v ? json_object_get_string(v) : NULL;
	return text ? text : "";
}

/* The parts of an account, those that weigh most first; malloc'ed. */
const ent_account_part **ent__explain_heaviest(const ent_account *);
/* Does what the records make differ from what the rule read? It may since it judged, and must not otherwise. */
bool ent__explain_differs(const ent__explaining *, const ent__explain_figure *, const ent_account *);

/* explain_told.c: reads all of them, of this partner and of none (benchmarks), once. */
int ent__told_read(ent__explaining *, ent_error *e);
void ent__told_show(ent__explaining *, const ent__explain_figure *);
/* A member "rows" of the object in hand. */
void ent__told_json(ent__explaining *, const ent__explain_figure *);
void ent__told_finish(ent__explaining *);

/* explain_show.c: one figure as text, numbered; `account` and `why` where it is made of cells (why: NULL: nothing is
 * compared). */
void ent__explain_show(
	ent__explaining *, size_t number, const ent__explain_figure *, const ent_account *account, const ent__why *why);
/* Text broken to the width, and a newline. */
void ent__explain_plain(ent_call *, unsigned indent, const char *text);

/* explain_json.c: the same as an object; `account` NULL: it is not made of cells. */
void ent__explain_json(ent__explaining *, const ent__explain_figure *, const ent_account *account, const ent__why *why);

#endif
