/* SPDX-License-Identifier: Apache-2.0
 *
 * What a judgement leaves in the store: shared by judge.c, which has the rules run, and judged.c, which stores. */
#ifndef ENT_ENGINE_JUDGED_H
#define ENT_ENGINE_JUDGED_H

#include "engine/rules_worker.h"

enum { ENT__STOPPED_MOST = 16 };

/* A rule that had to be stopped. */
typedef struct ent__stopped {
	char *rule;
	char why[256], file[256];
	uint32_t line, partner;
	char *traceback;
} ent__stopped;

/* Records of the partner that a worker is at. */
typedef struct ent__gathered {
	ent_buf partner; /* its id, as JSON */
	ent_buf records;
} ent__gathered;

typedef struct ent__judge {
	ent_engine *e;
	const ent_snapshot_block *snapshot; /* NULL: only some rules of some partners are judged */
	int32_t as_of;
	const uint8_t *behind; /* see ent_snapshot_block */
	int32_t day;           /* as of which the partner at hand was judged */
	ent_judge_report *report;
	ent_error *error;
	uint64_t run;
	json_tokener *tokener;
	ent__stopped stopped[ENT__STOPPED_MOST];
	unsigned n_stopped;
	int status; /* of storing, while the workers are at it */
	ent__gathered gathered[ENT__RULES_MOST];
	ent_buf refused; /* releases of cohorts that contradict others: rows of a JSON array */
	ent_buf old, merged, evidence;
	ent_intern spoken_of; /* partners of whom anything was stored, if rules were stopped or are vectorized */
	ent_buf together;     /* records of vectorized rules: stored when all else is, each beside those of its partner */
	bool adding;          /* they are being stored */
	ent_intern held;      /* rules of which it was said that they are held back */
	ent_rule_tally *before; /* the engine's tallies when this began */
	size_t n_before;
} ent__judge;

/* How many workers are worth their start. */
unsigned ent__judge_workers(const ent_engine *, uint64_t partners);
/* A transaction for all that the workers say until its end. */
int ent__judged_begin(ent__judge *);
/* Records of a worker, each with its newline, those of one partner in a row. */
void ent__judged_take(ent__judge *, unsigned worker, const char *records, size_t n);
int ent__judged_end(ent__judge *);
/* Nothing of it stays. */
void ent__judged_abort(ent__judge *);
void ent__judged_finish(ent__judge *);
/* held.c: says, once for each rule, that it read what the partner may not know of. */
void ent__held_tell(ent__judge *, const char *record, size_t n, const char *rule, const char *partner);
/* runs.c: what was found under the old names of renamed rules goes over to the new ones. */
int ent__runs_rename(ent__judge *);
/* Remembers within that transaction that this was judged, by which rules, and where the ledger stood. */
void ent__runs_begin(ent__judge *);
int ent__runs_save(ent__judge *);
/* generations.c: remembers within that transaction which rules these are. */
int ent__generation_save(ent__judge *);
/* Those that were read now were refused, and the ones before go on; or they were taken. */
void ent__generation_refuse(ent_engine *, const ent_errors *);
void ent__generation_accept(ent_engine *);
/* Lets the rules that `fresh` has loaded judge a few partners of `active`; what goes wrong is among the errors. */
void ent__generation_try(ent_engine *fresh, ent_engine *active, ent_errors *);
/* standing.c: remembers within that transaction what they rest on, if ent_engine_judged was asked before. */
int ent__standing_save(ent__judge *);
/* notices.c: as those of the store, and noted for who is to be told. */
int ent__finding_put(ent_engine *, const ent_finding *, const char *evidence, ent_error *);
int ent__findings_close(ent_engine *, const char *rule, const char *partner, uint64_t run, const char *state,
	const char *evidence, ent_error *);
/* What a record rests on, a line for each figure; terminated. */
void ent__evidence_lines(const char *record, size_t n, ent_buf *out);
/* What is remembered of findings in the store. */
void ent__judged_forget(ent_engine *);

#endif
