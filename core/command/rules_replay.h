/* SPDX-License-Identifier: Apache-2.0
 *
 * command/rules_replay.h: what `entente rules replay` gathers day by day, and how it is set and shown. One thread. */
#ifndef ENT_COMMAND_RULES_REPLAY_H
#define ENT_COMMAND_RULES_REPLAY_H

#include "base/intern.h"
#include "command/project.h"
#include "engine/past.h"

#include <json-c/json.h>

/* ---- settings: rules_replay_set.c ----------------------------------------------------------------------------------
 */

enum { ENT__REPLAY_SETS = 200 };

typedef struct ent__replay_sets {
	size_t n;           /* at least 1: as configured */
	const char **names; /* of each, as it is shown: "quantile=0.25, window=28d"; "" as configured */
	ent_buf json;       /* a list of {rule: {setting: value}}, terminated; empty: nothing is set */
} ent__replay_sets;

/* Reads the values of --set for rules that were chosen (objects as `rules list` has them). ENT_EXIT_OK, or told. */
int ent__replay_sets_read(ent_call *, json_object *const *rules, size_t n, ent__replay_sets *, ent_arena *);
void ent__replay_sets_finish(ent__replay_sets *);

/* ---- what was said: rules_replay_said.c
 * ------------------------------------------------------------------------------ */

/* A finding, by set, rule, partner and key. */
typedef struct ent__replayed {
	uint32_t set, rule, pair;
	const char *partner, *key; /* in the arena */
	char *kind, *text;         /* as said last */
	int64_t worth;
	bool has_worth;
	bool said, stale;  /* it stands; it could not be judged again */
	int32_t at, since; /* steps: said last, since when; -1: never */
	int32_t first;
	unsigned times; /* that it was opened */
} ent__replayed;

/* What a rule says of a partner. */
typedef struct ent__replay_pair {
	uint32_t set, rule;
	const char *partner;
	char verdict, before; /* t, f, u, x; 0: none yet */
	int32_t at;           /* step */
	char *why;            /* it is not known, or failed */
} ent__replay_pair;

typedef enum ent__replay_what {
	ENT__REPLAY_STANDS, /* on the first day */
	ENT__REPLAY_OPENED,
	ENT__REPLAY_CLEARED,
	ENT__REPLAY_UNKNOWN, /* the rule cannot judge the partner any more */
	ENT__REPLAY_KNOWN,   /* it can again */
	ENT__REPLAY_FAILED
} ent__replay_what;

extern const char *const ent__replay_words[]; /* by ent__replay_what */

typedef struct ent__replay_change {
	int32_t step;
	uint8_t what;
	uint32_t set, rule;
	const char *partner, *key, *kind, *text; /* in the arena; key and kind NULL: of the whole verdict */
	int64_t worth;
	bool has_worth;
} ent__replay_change;

/* Of one rule with one set. */
typedef struct ent__replay_total {
	uint64_t said_true, said_false, unknown, failed; /* partners and days */
	uint64_t findings, opened, cleared, standing;    /* standing: at the end */
	uint64_t partners;                               /* with any */
	int64_t worth;                                   /* of what stands at the end */
	int64_t worth_all;                               /* of each that was ever said, as said last */
	bool has_worth;
	uint32_t *by_step, *unknown_by_step; /* findings that stand; partners that are not known */
	int64_t *worth_by_step;
} ent__replay_total;

typedef struct ent__replay {
	const char *const *rules; /* chosen */
	size_t n_rules, n_sets, n_steps;
	int32_t step;
	ent_arena arena;
	ent_intern pairs_by, found_by, partners_by;
	const char **partners; /* by number of partners_by */
	uint32_t partners_n, partners_capacity;
	ent__replay_pair *pairs;
	size_t n_pairs, pairs_capacity;
	ent__replayed *found;
	size_t n_found, found_capacity;
	ent__replay_change *changes;
	size_t n_changes, changes_capacity;
	ent__replay_total *totals; /* by set * n_rules + rule */
	json_tokener *tokener;
} ent__replay;

void ent__replay_begin(ent__replay *, const char *const *rules, size_t n_rules, size_t n_sets, size_t n_steps);
/* A record; of rules that were not chosen: nothing. May come twice. `ctx` is an ent__replay. */
void ent__replay_take(void *ctx, size_t set, const char *record, size_t n);
/* All of this step were taken: what changed? */
void ent__replay_step(ent__replay *);
void ent__replay_end(ent__replay *);    /* after the last step: totals */
void ent__replay_finish(ent__replay *); /* zeroed is fine */

/* ---- showing: rules_replay_show.c
 * ------------------------------------------------------------------------------------ */

/* A finding in which what is said now and what was said on the last day differ, or agree. */
typedef struct ent__replay_diff {
	const char *rule, *partner, *key, *kind, *text;
	bool now, then;
	int32_t since_now, since_then; /* days; INT32_MIN: not said */
} ent__replay_diff;

typedef struct ent__replay_view {
	ent_call *call;
	const ent__replay *r;
	const ent__replay_sets *sets;
	const int32_t *days;
	ent_knowledge knowledge;
	const char *because;
	const ent_past_untold *untold;
	const char *currency;
	const char *const *notes; /* what besides is not known */
	size_t n_notes;
	ent__replay_diff *diffs;
	size_t n_diffs;
	bool diff;
	int32_t judged_on; /* what is said now is of that day; INT32_MIN: nothing was judged */
} ent__replay_view;

/* Into call->out or call->writer. */
void ent__replay_show(const ent__replay_view *);
/* What the page with the chart is made of. */
void ent__replay_request(const ent__replay_view *, ent_buf *json);

#endif
