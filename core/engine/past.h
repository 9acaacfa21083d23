/* SPDX-License-Identifier: Apache-2.0
 *
 * Past moments: what rules would have read on days that are over, as of each of those days and with nothing of what
 * came to be known later. The ledger is read once; then days follow one another, each adding what changed, and of each
 * a snapshot is made as ent_engine_snapshot makes one of the store. Nothing of the store is written. Loop thread only.
 */
#ifndef ENT_ENGINE_PAST_H
#define ENT_ENGINE_PAST_H

#include "engine/engine.h"

typedef enum ent_knowledge {
	ENT_KNOWLEDGE_ARRIVAL, /* what had arrived by the end of the day */
	ENT_KNOWLEDGE_EVENT    /* what is known today, cut at the end of the day by the times that facts tell themselves */
} ent_knowledge;

extern const char *const ent_knowledge_names[]; /* by ent_knowledge; ends with NULL */

/* How far back it is known what had arrived. */
typedef struct ent_past_reach {
	int32_t first_day; /* on which the first fact arrived (UTC); INT32_MAX: there is none */
	int32_t kept_day;  /* versions superseded before it may have been compacted away; INT32_MIN: none was */
} ent_past_reach;
int ent_engine_past_reach(ent_engine *, ent_past_reach *out, ent_error *e);

/* What the times of facts do not tell, in ENT_KNOWLEDGE_EVENT: these are taken as they are known today, on all days. */
typedef struct ent_past_untold {
	uint64_t cancelled; /* orders cancelled, nobody says when */
	uint64_t refunded;  /* orders of which only the sum of what was paid back is known */
	uint64_t recovered; /* carts that were bought later, nobody says when */
	uint64_t entries;   /* of registers, without a date: known from the day on which they were recorded */
	uint64_t figures;   /* declared, reported and of benchmarks: known from the day on which their period was over */
} ent_past_untold;

typedef struct ent_past ent_past;
typedef void (*ent_past_progress)(void *ctx, const char *what, uint64_t frames);

/* Reads the ledger. `days` rise, and there is at least one. The engine is open for reading or writing, and stays the
 * caller's; nothing may be ingested meanwhile. `progress` may be NULL. */
int ent_past_open(ent_past **out, ent_engine *, ent_knowledge, const int32_t *days, size_t n,
	ent_past_progress progress, void *ctx, ent_error *e);
/* The snapshot of the next of the days; to be finished by the caller. */
int ent_past_next(ent_past *, ent_snapshot_block *out, ent_error *e);
const ent_past_untold *ent_past_untold_of(const ent_past *);
/* The day on which the first fact of a partner was known, by its code; INT32_MAX: none until the last day. */
int32_t ent_past_first_day(const ent_past *, uint32_t partner);
void ent_past_close(ent_past *); /* NULL allowed */

/* ---- judging: nothing of it is stored ------------------------------------------------------------------------------
 */

typedef struct ent_past_question {
	const char *const *rules; /* names, with those that they come after; NULL: all */
	size_t n_rules;
	const char *const *skip; /* rules that are left out */
	size_t n_skip;
	const char *const *partners; /* ids; NULL: all */
	size_t n_partners;
	const char *sets; /* JSON: a list of {rule: {setting: value}}: all is judged with each of them */
} ent_past_question;

enum { ENT_PAST_WORKERS = 16 };

typedef struct ent_past_answers {
	/* One record as docs/rules.md has it (n bytes), said with the set of that number. */
	void (*take)(void *ctx, size_t set, const char *record, size_t n);
	void *ctx;
	/* of the asking itself */
	size_t set[ENT_PAST_WORKERS]; /* that a worker is at */
	unsigned workers;
	ent_error mistake; /* in the settings */
} ent_past_answers;

/* Has the snapshot of a day judged; returns at once. What it is given must stay until the end. Facts that rules ask for
 * are told as they were known on that day; `past` NULL: as they are now. */
int ent_past_ask(ent_engine *, ent_past *past, const ent_snapshot_block *, const ent_past_question *,
	ent_past_answers *, ent_error *e);
/* Waits for the answers. ENT_ERR_WORKER with *stopped set: that rule missed its deadline or ended its process;
 * what was said is not whole. */
int ent_past_answered(ent_engine *, ent_past_answers *, char stopped[128], ent_error *e);
/* Do the settings of a question fit their rules? */
int ent_past_check(ent_engine *, const ent_past_question *, ent_error *e);
/* A page that the rules worker makes of `request`, a JSON object with the member "replay". */
int ent_past_page(ent_engine *, const char *request, ent_buf *page, ent_error *e);

#endif
