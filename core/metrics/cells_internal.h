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

enum { ENT__DISTS_A_CELL = 2, ENT__MEMO = 64 };

/* One member that came or went: of the set of cell `key`, or of distribution key % ENT__DISTS_A_CELL of cell
 * key / ENT__DISTS_A_CELL. */
typedef struct ent__pair {
	uint32_t key, member;
	int32_t net;
} ent__pair;

typedef struct ent__pairs {
	ent__pair *items;
	size_t n, capacity;
} ent__pairs;

/* What the members of a cell are: family + 1, 0 none; of a distribution that keeps the currency with ENT__CURRENCY. */
#define ENT__CURRENCY 0x80u

typedef struct ent__row {
	int64_t m[ENT_FAMILY_WIDTH];
	uint8_t set, dists[ENT__DISTS_A_CELL];
} ent__row;

typedef struct ent__sortable {
	uint64_t key;
	uint32_t number;
} ent__sortable;

/* Where the members of one set or distribution gather: those of all its cells, one after another. */
typedef struct ent__group {
	ent_cell_key key;
	uint32_t pair; /* what its pairs have as key */
} ent__group;

/* Memory of the sorting, kept from commit to commit. */
typedef struct ent__sorting {
	ent__sortable *items, *others;
	size_t capacity;
	ent_cell_change *cells;
	size_t cells_capacity;
	ent__group *groups[2]; /* of sets, of distributions */
	size_t groups_capacity[2];
	ent_members_change *changes[2];
	size_t changes_capacity[2];
	uint64_t *members[2];
	size_t members_capacity[2];
	size_t *ends; /* of the members with each key */
	size_t ends_capacity;
	uint64_t *spare;
	size_t spare_capacity;
} ent__sorting;

struct ent_cells {
	ent__keytab keys;
	ent__row *rows;
	uint32_t row_capacity;
	/* The cell that was last found for a view and the end of its value: what is read one after another mostly falls
	 * into the same day. Numbers + 1. */
	uint32_t memo[ENT__MEMO], custom_memo[ENT__MEMO];
	ent__pairs sets, dists;
	ent__sorting sorting;
};

/* cells_sort.c */
void ent__sorting_finish(ent__sorting *);

#endif
