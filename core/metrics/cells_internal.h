/* SPDX-License-Identifier: Apache-2.0
 *
 * What finding cells (cells.c) and sorting them for the commit (cells_sort.c) share. */
#ifndef ENT_METRICS_CELLS_INTERNAL_H
#define ENT_METRICS_CELLS_INTERNAL_H

#include "metrics/cells.h"

/* Keys to dense numbers, open addressing. */
typedef struct ent__keytab {
	ent_cell_key *keys;
	uint32_t n, capacity;
	uint32_t *slots; /* number + 1 */
	uint32_t mask;
} ent__keytab;

/* One member that came or went; `key` is a number of an ent__keytab. */
typedef struct ent__pair {
	uint32_t key, member;
	int32_t net;
} ent__pair;

typedef struct ent__pairs {
	ent__keytab keys;
	ent__pair *items;
	size_t n, capacity;
} ent__pairs;

enum { ENT__DISTS_A_CELL = 2, ENT__MEMO = 64 };

typedef struct ent__row {
	int64_t m[ENT_FAMILY_WIDTH];
	/* where the members gather: number of an ent__keytab + 1, 0: not looked up yet */
	uint32_t set, dists[ENT__DISTS_A_CELL];
	uint8_t dist_family[ENT__DISTS_A_CELL];
} ent__row;

struct ent_cells {
	ent__keytab keys;
	ent__row *rows;
	uint32_t row_capacity;
	/* The cell that was last found for a view and the end of its value: what is read one after another mostly falls into
	 * the same day. Numbers + 1. */
	uint32_t memo[ENT__MEMO];
	ent__pairs sets, dists;
	ent_cell *sorted;
	ent_set_change *set_changes;
	ent_dist_change *dist_changes;
};

#endif
