/* SPDX-License-Identifier: Apache-2.0
 *
 * Distinct sets and distributions inside the store. Both are members with a count: identities with their multiplicity,
 * buckets with the values in them. A day's row has, of each kind, a list `[kind, view, value, currency, origin, n,
 * bytes]` in the order of the keys (cell_text.h), and the members of all of them one behind another in a BLOB. One
 * thread. */
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

/* What differs between sets and distributions. */
typedef struct ent__shape {
	const char *list, *bytes;                          /* columns */
	unsigned kinds;                                    /* ent_set or ent_dist: below */
	int64_t (*write)(ent_buf *, const ent__members *); /* appends; returns n; -1: it leaves 64 bits */
	bool (*read)(ent_read, int64_t n, ent__members *); /* false: damaged */
	int64_t (*id)(uint32_t member);                    /* of a change */
	int64_t most;                                      /* count of one member stays below */
} ent__shape;

extern const ent__shape ent__shapes[ENT__MEMBER_KINDS];

/* What a row has, read one after another. */
typedef struct ent__entry {
	ent_cell_key key;
	int64_t n;
	const uint8_t *bytes;
	size_t size;
} ent__entry;

typedef struct ent__entries {
	ent_read list, bytes;
	ent__entry at;
} ent__entries;

/* Goes on to the next. false: there is none, or, with list.bad, this is no such list. The key has partner and day of
 * the one before: they are to be set at first. */
bool ent__entries_next(ent__entries *, const ent__shape *);

/* Memory that is kept from row to row. */
typedef struct ent__merge {
	ent_store *s;
	ent__members change, old, sum;
	ent_error *e;
} ent__merge;

/* The columns of a row, `old` the stored ones, with the changes. Both buffers are written anew, and stay empty if
 * nothing is left. */
int ent__members_merge(ent__merge *, const ent__shape *, ent__entries old, const ent_members_change *, size_t n,
	ent_buf *list, ent_buf *bytes);

/* A column of the row that a statement is at, as what it holds; of no statement (NULL), or NULL: nothing. */
static inline ent_read ent__column_at(sqlite3_stmt *statement, int column) {
	const void *p = statement ? sqlite3_column_blob(statement, column) : NULL;
	return ent_read_of(p ? p : "", p ? (size_t)sqlite3_column_bytes(statement, column) : 0);
}

/* Reads the next cell of a family's list, `c->key` with partner, day and family. false: there is none, or, with
 * list->bad, this is no such list. */
bool ent__cell_next(ent_read *list, ent_cell *c);

int ent__cells_damaged(ent_store *, const ent_cell_key *, const char *column, const char *what, ent_error *);

#endif
