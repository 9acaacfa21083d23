/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of past moments share. Loop thread only. */
#ifndef ENT_ENGINE_PAST_INTERNAL_H
#define ENT_ENGINE_PAST_INTERNAL_H

#include "engine/facts_table.h"
#include "engine/past.h"
#include "engine/snapshot_build.h"

/* ---- past_input.c: when documents came and went -------------------------------------------------------------------
 */

/* Days of the facts that one input brought at one time. */
typedef struct ent__past_part {
	int64_t arrival;
	int32_t first, last;
} ent__past_part;

typedef struct ent__past_input {
	int64_t arrived, gone; /* microseconds; gone: INT64_MAX: it counts */
	int64_t visits_gone;   /* visits of it are told by a newer edition since then */
	uint32_t older;        /* the input that told the same before it, 0 none */
	ent__past_part *parts; /* by arrival */
	size_t n, capacity;
} ent__past_input;

/* A document that is complete for its days: what it lacks is gone since it came. */
typedef struct ent__past_complete {
	ent_cover cover;
	int64_t snapshot, arrived;
} ent__past_complete;

typedef struct ent__past_inputs {
	ent_engine *e;
	ent__past_input *v; /* by id */
	uint32_t n;
	ent_cover *covers;
	size_t n_covers, covers_capacity;
	ent__past_complete *completes;
	size_t n_completes, completes_capacity;
} ent__past_inputs;

/* Before any frame is read; and behind all of them. */
int ent__past_inputs_open(ent__past_inputs *, ent_engine *, ent_error *e);
void ent__past_inputs_seen(ent__past_inputs *, const ent_document *); /* of every frame */
void ent__past_inputs_settle(ent__past_inputs *);
void ent__past_inputs_close(ent__past_inputs *);
/* Coverage as it was known at the end of the day. */
int ent__past_covers(const ent__past_inputs *, ent_knowledge, int32_t day, ent_cover_visit, void *to, ent_error *e);

/* ---- past_document.c: one key of the ledger ------------------------------------------------------------------------
 */

/* Frames of one key, decoded; their texts are borrowed from the bodies. */
typedef struct ent__past_key {
	ent_document *frames;
	ent_buf *bodies;
	bool *live; /* is it the one that counts? */
	uint32_t n, capacity;
	int32_t *days; /* scratch: on which what is known of it changes */
	size_t n_days, days_capacity;
	ent_document part; /* scratch */
} ent__past_key;

void ent__past_key_finish(ent__past_key *);
/* Reads one more frame. */
int ent__past_key_add(ent__past_key *, ent_engine *, ent_position, bool live, ent_error *e);
/* The same, already read: `body` must stay. */
int ent__past_key_put(ent__past_key *, const uint8_t *body, size_t n, bool live, ent_error *e);
/* Fills key->days: they may repeat, and are in no order. */
void ent__past_days(ent__past_key *, const ent__past_inputs *, ent_knowledge, ent_past_untold *);
/* What it says at the end of the day, into `out` (zeroed, or of the call before); out->n 0: nothing. */
void ent__past_state(ent__past_key *, const ent__past_inputs *, ent_knowledge, int32_t day, ent_document *out);
/* A document that counts, as it was at the end of the day by its own times. d->n 0: there was nothing. Of entries,
 * whose versions are asked one by one, it knows nothing. */
void ent__past_cut(ent_engine *, ent_document *d, int32_t day);
/* The partner in whose zone its days turn; 0: UTC. */
uint32_t ent__past_partner(const ent_document *);

/* past_facts.c: documents of a partner as they were known on the day that is judged, for ent__facts_each. */
int ent__past_each(ent_past *, uint32_t partner, unsigned kinds, ent__facts_visit, void *ctx, ent_error *e);

/* ---- past.c
 * ------------------------------------------------------------------------------------------------------------ */

/* A key whose state changes on a step: one frame, or some of `pieces`. */
typedef struct ent__past_task {
	int32_t step, before; /* before: the step at which it was added last; -1: it was not */
	uint32_t n;           /* pieces; 0: the frame at `at` */
	uint64_t at;
} ent__past_task;

/* A frame of a key that has several. */
typedef struct ent__past_piece {
	uint64_t hash;
	ent_position at;
	bool live;
} ent__past_piece;

/* The pieces of one key. */
typedef struct ent__past_group {
	uint32_t partner; /* 0: several may have a part of it */
	uint32_t kind, n;
	uint64_t at;
} ent__past_group;

struct ent_past {
	ent_engine *e;
	ent_knowledge knowledge;
	int32_t *days;
	size_t n_days, next;
	int32_t day;   /* that is judged */
	ent_fold fold; /* the engine's, into our cells */
	struct ent__past_base *base;
	ent__past_inputs inputs;
	ent__past_task *tasks;
	size_t n_tasks, tasks_capacity, done;
	ent__past_piece *pieces;
	size_t n_pieces, pieces_capacity;
	ent__past_group *groups; /* by partner */
	size_t n_groups, groups_capacity;
	ent_index *several; /* keys with pieces */
	ent__past_key key;
	ent_document state;
	ent_buf text;
	ent_past_untold untold;
	int32_t *first; /* by code of the partner */
	uint32_t n_first;
	ent_past_progress progress;
	void *ctx;
	uint64_t frames;
	ent_error *error;
};

/* Reads pieces into p->key. */
int ent__past_load(ent_past *, uint64_t at, uint32_t n);

/* ---- past_cells.c: what the days before have added up to ------------------------------------------------------------
 */

typedef struct ent__past_base ent__past_base;
ent__past_base *ent__past_base_create(ent_engine *);
void ent__past_base_destroy(ent__past_base *); /* NULL allowed */
int ent__past_base_add(ent__past_base *, const ent_cells_flush *, ent_error *e);
void ent__past_base_record(ent__past_base *, const ent_record *, bool drop);
/* Of ENT_FAMILY_CUSTOM those of all blocks. */
int ent__past_base_cells(void *base, ent_family, ent_cell_visit, void *to, ent_error *e);
int ent__past_base_sets(void *base, ent_set_visit, void *to, ent_error *e);
int ent__past_base_dists(void *base, ent_dist_visit, void *to, ent_error *e);
int ent__past_base_records(void *base, uint32_t kind, uint32_t partner, ent_record_visit, void *to, ent_error *e);

#endif
