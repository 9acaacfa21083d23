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

typedef struct ent__judge {
	ent_engine *e;
	const ent_snapshot_block *snapshot; /* whose partners a stopped rule said nothing of */
	int32_t as_of;
	ent_judge_report *report;
	ent_error *error;
	uint64_t run;
	json_tokener *tokener;
	ent__stopped stopped[ENT__STOPPED_MOST];
	unsigned n_stopped;
} ent__judge;

/* Findings and verdicts of all workers, in one transaction. */
int ent__judged_store(ent__judge *);
/* standing.c: remembers within that transaction what they rest on, if ent_engine_judged was asked before. */
int ent__standing_save(ent__judge *);

#endif
