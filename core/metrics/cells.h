/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells in memory: what the facts folded since the last flush add to the cells in the store. Deltas, never whole
 * cells: nothing is read from the store while folding. One look-up per fact and view finds the row; members of distinct
 * sets and distributions are appended as pairs and sorted at the flush, never hashed. One thread; owned by the engine.
 */
#ifndef ENT_METRICS_CELLS_H
#define ENT_METRICS_CELLS_H

#include "metrics/catalogue.h"

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

typedef struct ent_cell_key {
	uint32_t partner; /* code */
	int32_t day;
	uint32_t value;    /* code of the view's value */
	uint32_t currency; /* code; 0 none */
	uint8_t view, origin;
	uint8_t family; /* ent_family; of a set: ent_set; of a distribution: ent_dist */
	uint8_t reserved;
} ent_cell_key;

typedef struct ent_cell {
	ent_cell_key key;
	int64_t m[ENT_FAMILY_WIDTH]; /* by ent_measure_def.column */
} ent_cell;

/* What a cell changes by. */
typedef struct ent_cell_change {
	const ent_cell_key *key;
	const int64_t *m; /* as many as its family is wide */
} ent_cell_change;

/* What the members of one set change by, or the counts of the buckets of one distribution: each member once, in their
 * order. Of a set the key's family is its ent_set and its currency 0; of a distribution it is the ent_dist. */
typedef struct ent_members_change {
	const ent_cell_key *key;
	const uint64_t *items; /* ent_change() */
	uint32_t n;
} ent_members_change;

/* A member and its net change in one word, so that they sort by member. */
static inline uint64_t ent_change(uint32_t member, int32_t net) { return (uint64_t)member << 32 | (uint32_t)net; }
static inline uint32_t ent_change_member(uint64_t change) { return (uint32_t)(change >> 32); }
static inline int32_t ent_change_net(uint64_t change) { return (int32_t)(uint32_t)change; }
/* Buckets may be negative; as members they keep their order. */
static inline uint32_t ent_bucket_member(int32_t bucket) { return (uint32_t)bucket ^ UINT32_C(0x80000000); }
static inline int32_t ent_member_bucket(uint32_t member) { return (int32_t)(member ^ UINT32_C(0x80000000)); }

/* Order of the commit: partner, day, family, view, value, currency, origin. */
static inline int ent_cell_key_compare(const ent_cell_key *a, const ent_cell_key *b) {
#define ENT__BY(field)                                                                                                 \
	if (a->field != b->field)                                                                                          \
	return a->field < b->field ? -1 : 1
	ENT__BY(partner);
	ENT__BY(day);
	ENT__BY(family);
	ENT__BY(view);
	ENT__BY(value);
	ENT__BY(currency);
	ENT__BY(origin);
#undef ENT__BY
	return 0;
}

typedef struct ent_cells ent_cells;

ent_cells *ent_cells_create(void);
void ent_cells_destroy(ent_cells *);
/* Asks for the memory in which the cell will be looked for: for who knows the key some time before. */
void ent_cells_prefetch(const ent_cells *, const ent_cell_key *);
/* Number of a cell, good until the next reset. Its measures are on their way from memory then. */
uint32_t ent_cells_at(ent_cells *, const ent_cell_key *);
/* The same of cells of families behind the built-in ones, which are asked for in turns with these. */
uint32_t ent_cells_custom_at(ent_cells *, const ent_cell_key *);
/* Its measures; valid until the next ent_cells_at. */
int64_t *ent_cells_row(ent_cells *, uint32_t cell);
/* A member of the set that belongs to a cell, or a value of one of its distributions: `family` is the ent_set or
 * ent_dist. The cell of the set has the key of this one without its currency, that of a distribution keeps it if
 * `currency`: which cells are one then is found when they are sorted. A cell has one set and two distributions at most. */
void ent_cells_set(ent_cells *, uint32_t cell, uint8_t family, uint32_t id, int32_t net);
void ent_cells_dist(ent_cells *, uint32_t cell, uint8_t family, bool currency, int32_t bucket, int32_t net);
/* Memory in use, for the decision to flush. */
size_t ent_cells_bytes(const ent_cells *);
bool ent_cells_empty(const ent_cells *);

/* What is to be flushed, each in the order of ent_cell_key_compare; changes of net zero are left out. It stays owned by
 * `cells`, and good until they change. */
typedef struct ent_cells_flush {
	const ent_cell_change *cells;
	size_t n_cells;
	const ent_members_change *sets;
	size_t n_sets;
	const ent_members_change *dists;
	size_t n_dists;
} ent_cells_flush;
ent_cells_flush ent_cells_sort(ent_cells *);
void ent_cells_reset(ent_cells *);

#endif
