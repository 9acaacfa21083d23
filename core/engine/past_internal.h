/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of past moments share. Loop thread only. */
#ifndef ENT_ENGINE_PAST_INTERNAL_H
#define ENT_ENGINE_PAST_INTERNAL_H

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
