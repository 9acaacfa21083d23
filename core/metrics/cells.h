/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells in memory: what the facts folded since the last flush add to the cells in the store. Deltas, never whole
 * cells: nothing is read from the store while folding. One look-up per fact and view finds the row; members of distinct
 * sets and distributions are appended as pairs and sorted at the flush, never hashed. One thread; owned by the engine. */
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
	uint8_t family;    /* ent_family; of a set: ent_set; of a distribution: ent_dist */
	uint8_t reserved;
} ent_cell_key;

typedef struct ent_cell {
	ent_cell_key key;
	int64_t m[ENT_FAMILY_WIDTH]; /* by ent_measure_def.column */
} ent_cell;

/* Net change of the multiplicity of one identity in one set. */
typedef struct ent_set_change {
	ent_cell_key key; /* currency 0 */
	uint32_t id;
	int32_t net;
} ent_set_change;

/* Net change of the count of one bucket of one distribution. */
typedef struct ent_dist_change {
	ent_cell_key key; /* view total */
	int32_t bucket;
	int32_t reserved;
	int64_t net;
} ent_dist_change;

/* Order of the store: family, partner, day, view, value, currency, origin. */
int ent_cell_key_compare(const ent_cell_key *, const ent_cell_key *);

typedef struct ent_cells ent_cells;

ent_cells *ent_cells_create(void);
void ent_cells_destroy(ent_cells *);
/* Number of a cell, good until the next reset. */
uint32_t ent_cells_at(ent_cells *, const ent_cell_key *);
/* Its measures; valid until the next ent_cells_at. */
int64_t *ent_cells_row(ent_cells *, uint32_t cell);
/* A member of the set that belongs to a cell, or a value of one of its distributions: `family` is the ent_set or ent_dist.
 * The cell of the set has the key of this one without its currency, that of a distribution keeps it if `currency`. No
 * look-up but the first: the cell knows where its members gather. A cell has one set and two distributions at most. */
void ent_cells_set(ent_cells *, uint32_t cell, uint8_t family, uint32_t id, int32_t net);
void ent_cells_dist(ent_cells *, uint32_t cell, uint8_t family, bool currency, int32_t bucket, int32_t net);
/* Memory in use, for the decision to flush. */
size_t ent_cells_bytes(const ent_cells *);
bool ent_cells_empty(const ent_cells *);

/* What is to be flushed: sorted, changes of net zero left out. Arrays stay owned by `cells` until reset. */
typedef struct ent_cells_flush {
	const ent_cell *cells;
	size_t n_cells;
	const ent_set_change *sets;
	size_t n_sets;
	const ent_dist_change *dists;
	size_t n_dists;
} ent_cells_flush;
ent_cells_flush ent_cells_sort(ent_cells *);
void ent_cells_reset(ent_cells *);

#endif
