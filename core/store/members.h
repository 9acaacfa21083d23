/* SPDX-License-Identifier: Apache-2.0
 *
 * Distinct sets and distributions inside the store. Both are members with a count: identities with their multiplicity,
 * buckets with the values in them. One thread. */
#ifndef ENT_STORE_MEMBERS_H
#define ENT_STORE_MEMBERS_H

#include "base/arena.h"
#include "store/sql.h"

#include <stdlib.h>

typedef struct ent__member {
	int64_t id, count;
} ent__member;

typedef struct ent__members {
	ent__member *items; /* by id; counts above 0, in changes any but 0 */
	size_t n, capacity;
} ent__members;

static inline void ent__members_push(ent__members *m, int64_t id, int64_t count) {
	ENT_GROW(m->items, m->n, m->capacity);
	m->items[m->n++] = (ent__member){id, count};
}

static inline void ent__members_finish(ent__members *m) { free(m->items); }

/* What differs between the two tables. */
typedef struct ent__shape {
	const char *name;                                  /* of the table */
	const char *grow;                                  /* makes cells from ent_given, or adds to those that are there */
	const char *get, *add, *set, *drop;                /* one cell */
	const char *scan, *scan_one;                       /* all partners; one space of one partner */
	int64_t (*write)(ent_buf *, const ent__members *); /* returns the column n; -1: it leaves 64 bits */
	bool (*read)(ent_read, int64_t n, ent__members *); /* false: damaged */
	int64_t most;                                      /* count of one member stays below */
} ent__shape;

extern const ent__shape ent__shapes[ENT__MEMBER_TABLES];

int ent__members_damaged(ent_store *, const ent_cell_key *, const char *table, const char *what, ent_error *);

#endif
