/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the dispatch share: dispatch.c is the loop and puts chunks in order, dispatch_give.c says who is given
 * what, dispatch_take.c reads what workers hand over. Loop thread only. */
#ifndef ENT_ENGINE_DISPATCH_H
#define ENT_ENGINE_DISPATCH_H

#include "engine/internal.h"

typedef struct ent__chunk {
	ent_assignment *a;
	ent__work *work;
	uint64_t begin, end;
	bool exact; /* began where the one before it ended, not where it guessed */
	unsigned attempts;
	uint64_t batches; /* folded so far */
	uint64_t records, consumed, rejected, skipped, facts; /* seen in those batches */
	uint64_t keys; /* of the ledger that it brought */
	struct ent__chunk *next;
} ent__chunk;

/* Documents that wait for their turn: of one source in a service, of all in a run of its own. */
typedef struct ent__queue {
	ent__source *source; /* NULL: of all */
	ent__work *next, **end;
	unsigned n_active;
} ent__queue;

enum { ENT__ACTIVE = 64 };
#define ENT__DEBT (UINT64_C(64) << 20) /* bytes that a source may be behind the others at most, however much it was given before */

typedef struct ent__run {
	ent_engine *e;
	ent__work *active[ENT__ACTIVE];
	unsigned n_active;
	ent__queue *queues;
	unsigned n_queues;
	ent_error *error;
	int status;
	bool stopping; /* a signal asked to */
	bool given;    /* something was given out */
	bool closing;  /* no more is given out; what is under way is waited for */
	uint64_t until_ns; /* when that begins; 0: never */
	uint64_t cut_ns;   /* when it was interrupted; 0: not */
	void (*progress)(void *ctx, const ent_ingest_progress *);
	void *progress_ctx;
} ent__run;

/* Folds one batch. ENT_ERR_WORKER: it is nonsense. */
int ent__take_batch(ent__run *, ent__chunk *, const ent_slot_batch *);
/* Gives out whatever workers can take. Did anything happen? */
bool ent__give_out(ent__run *);
/* The document is left alone; what failed is told. */
void ent__give_up(ent__run *, ent__work *, ent__cause, const ent_error *why, uint64_t place, bool with_place);
/* Has the document begun to take the place of its old self? Then it must come to its end. */
bool ent__in_place_of(const ent__work *);
/* Documents that were not given out yet? */
bool ent__any_waiting(const ent__run *);

#endif
