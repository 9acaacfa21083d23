/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading distinct sets and distributions, see store.h. One thread. */
#include "store/members.h"

typedef int (*members_visit)(void *ctx, const ent_cell_key *, const ent__members *);

/* One range of rows; of all partners it is the whole table. */
static int scan_range(ent_store *s, int table, uint32_t partner, unsigned space, ent__members *m, members_visit visit,
	void *ctx, ent_error *e) {
	const ent__shape *shape = &ent__shapes[table];
	sqlite3_stmt *statement = NULL;
	bool all = partner == UINT32_MAX;
	int status = ent__sql_keep(s, &statement, all ? shape->scan : shape->scan_one, e);
	if (!status && !all) {
		sqlite3_bind_int64(statement, 1, (int64_t)((uint64_t)partner << 32));
		sqlite3_bind_int64(statement, 2, (int64_t)((uint64_t)partner << 32 | UINT32_MAX));
		sqlite3_bind_int64(statement, 3, space);
	}
	for (int step; !status && (step = sqlite3_step(statement)) != SQLITE_DONE;) {
		if (step != SQLITE_ROW) {
			status = ent__sql_error(s, shape->name, e);
			break;
		}
		ent_cell_key key = ent__cell_key_unpack(sqlite3_column_int64(statement, 1), sqlite3_column_int64(statement, 2),
			(uint8_t)sqlite3_column_int(statement, 0));
		const void *bytes = sqlite3_column_blob(statement, 4);
		ent_read r = ent_read_of(bytes ? bytes : "", bytes ? (size_t)sqlite3_column_bytes(statement, 4) : 0);
		status = shape->read(r, sqlite3_column_int64(statement, 3), m)
					 ? visit(ctx, &key, m)
					 : ent__members_damaged(s, &key, shape->name, "the stored members cannot be read", e);
	}
	sqlite3_finalize(statement);
	return status;
}

static int scan(
	ent_store *s, int table, unsigned spaces, uint32_t partner, members_visit visit, void *ctx, ent_error *e) {
	ent__members m = {0};
	int status = 0;
	for (unsigned space = 0; space < (partner == UINT32_MAX ? 1 : spaces) && !status; space++) {
		status = scan_range(s, table, partner, space, &m, visit, ctx, e);
	}
	ent__members_finish(&m);
	return status;
}

/* The arrays that the visitors of sets and distributions get. */
typedef struct arrays {
	union {
		ent_set_visit set;
		ent_dist_visit dist;
	} visit;
	void *ctx;
	union {
		uint32_t *set;
		int32_t *dist;
	} ids;
	union {
		uint32_t *set;
		int64_t *dist;
	} counts;
	size_t capacity;
} arrays;

static void arrays_room(arrays *a, size_t n) {
	if (n > a->capacity) {
		a->capacity = n + n / 2;
		a->ids.set = ent_xrealloc(a->ids.set, a->capacity * sizeof(uint32_t));
		a->counts.set = ent_xrealloc(a->counts.set, a->capacity * sizeof(int64_t));
	}
}

static int visit_set(void *ctx, const ent_cell_key *key, const ent__members *m) {
	arrays *a = ctx;
	arrays_room(a, m->n);
	for (size_t i = 0; i < m->n; i++) {
		a->ids.set[i] = (uint32_t)m->items[i].id;
		a->counts.set[i] = (uint32_t)m->items[i].count;
	}
	return a->visit.set(a->ctx, key, a->ids.set, a->counts.set, m->n);
}

static int visit_dist(void *ctx, const ent_cell_key *key, const ent__members *m) {
	arrays *a = ctx;
	arrays_room(a, m->n);
	for (size_t i = 0; i < m->n; i++) {
		a->ids.dist[i] = (int32_t)m->items[i].id;
		a->counts.dist[i] = m->items[i].count;
	}
	return a->visit.dist(a->ctx, key, a->ids.dist, a->counts.dist, m->n);
}

int ent_store_sets_scan(ent_store *s, uint32_t partner, ent_set_visit visit, void *ctx, ent_error *e) {
	arrays a = {.visit.set = visit, .ctx = ctx};
	int status = scan(s, ENT__SETS, ENT_SET_COUNT, partner, visit_set, &a, e);
	free(a.ids.set);
	free(a.counts.set);
	return status;
}

int ent_store_dists_scan(ent_store *s, uint32_t partner, ent_dist_visit visit, void *ctx, ent_error *e) {
	arrays a = {.visit.dist = visit, .ctx = ctx};
	int status = scan(s, ENT__DISTS, ENT_DIST_COUNT, partner, visit_dist, &a, e);
	free(a.ids.set);
	free(a.counts.set);
	return status;
}
