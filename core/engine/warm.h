/* SPDX-License-Identifier: Apache-2.0
 *
 * An engine that stays open: the blocks that its rules workers read, and what commits have changed since they judged.
 * From both a layer is made, which holds the changed partners alone. Loop thread only. */
#ifndef ENT_ENGINE_WARM_H
#define ENT_ENGINE_WARM_H

#include "engine/snapshot_build.h"
#include "metrics/window.h"

/* Documents of a kind that changed, where rules read single facts. */
typedef struct ent__warm_facts {
	uint32_t partner; /* code */
	uint32_t kinds;   /* 1 << ent_fact */
} ent__warm_facts;

/* A block that is read; the first is the whole, the others are layers. */
typedef struct ent__warm_block {
	ent_snapshot_block block; /* data NULL: nobody is read from it any more, it was let go */
	ent_snap snap;
	uint32_t *code_of; /* by text of the block, + 1; 0: not looked up yet */
	uint32_t read;     /* partners that are read from it */
} ent__warm_block;

typedef struct ent__warm_place {
	uint32_t code;
	uint32_t block, partner; /* where it is read: number of the block, its index there */
} ent__warm_place;

typedef struct ent__warm {
	int32_t as_of;
	uint64_t days;         /* as ent_engine_days has it */
	const uint8_t *behind; /* of the first block, see ent_snapshot_block */
	ent__warm_block *blocks;
	size_t n_blocks, blocks_capacity, layers; /* layers: that are not let go */
	uint64_t layer_bytes;
	ent__warm_place *places; /* by index in the first block */
	uint32_t n_partners;
	uint32_t *index_of, n_index_of; /* by code, + 1 */
	ent_cover *common;              /* of sources of many partners, as stored */
	size_t n_common, common_capacity;
	/* since the rules judged */
	const char *all; /* why everything has to be judged; NULL: only what is below */
	ent_cell *cells;
	size_t n_cells, cells_capacity;
	ent_cell_key *sets;
	size_t n_sets, sets_capacity;
	ent__build_bucket *dists; /* by how much they change */
	size_t n_dists, dists_capacity;
	uint32_t *known; /* codes of partners of whom something else is known now: registers, coverage */
	size_t n_known, known_capacity;
	ent__warm_facts *facts;
	size_t n_facts, facts_capacity;
} ent__warm;

/* The last day of a partner that is judged of which its rules may know. */
static inline int32_t ent__warm_day(const ent__warm *w, uint32_t partner) {
	return w->behind ? w->as_of - w->behind[partner] : w->as_of;
}

/* Takes over a snapshot that the rules have judged as a whole; the block is the engine's from now on. */
int ent__warm_open(ent_engine *, ent_snapshot_block *, ent_error *e);
void ent__warm_close(ent_engine *);
/* Takes over a layer that the rules have judged; forgets the changes that are in it. */
int ent__warm_lay(ent_engine *, ent_snapshot_block *layer, ent_error *e);

/* Of the partners that changed: their indices, sorted, in a malloc'd array. Sorts the changes by partner. */
uint32_t *ent__warm_changed(ent__warm *, size_t *n);
/* Partners that lie in layers, too, if the layers have become many or large: the next layer takes their place. */
uint32_t *ent__warm_gather(ent__warm *, uint32_t *changed, size_t *n);

/* warm_layer.c: the layer with these partners, and the request that tells the worker what of them changed. */
int ent__warm_layer(
	ent_engine *, const uint32_t *partners, size_t n, ent_snapshot_block *out, ent_buf *request, ent_error *e);

/* ---- what commit and intake tell: nothing happens unless the engine is warm
 * --------------------------------------------- */

/* These were committed. */
void ent__warm_cells(ent_engine *, const ent_cells_flush *);
/* It is folded, or taken back. Every document goes by here: nothing is noted unless a rule asked for facts of its kind. */
void ent__warm_document(ent_engine *, const ent_document *);
void ent__warm_cover(ent_engine *, const ent_cover *);
void ent__warm_record(ent_engine *, const ent_record *);
/* Something that no layer can tell. */
void ent__warm_all(ent_engine *, const char *why);

#endif
