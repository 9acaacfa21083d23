/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading cells, distinct sets and distributions, see store.h. One thread. */
#include "store/members.h"

#include <stdio.h>

typedef int (*row_visit)(void *ctx, ent_cell_key day, ent_read list, ent_read bytes);

/* Rows of one partner, or of all (UINT32_MAX), in which a column stands; with the column of its members, if it has one.
 */
static int scan(
	ent_store *s, const char *list, const char *bytes, uint32_t partner, row_visit visit, void *ctx, ent_error *e) {
	char sql[200];
	sqlite3_stmt *statement = NULL;
	snprintf(sql, sizeof sql,
		"SELECT partner_day, %s, %s FROM cell WHERE %s IS NOT NULL AND partner_day BETWEEN ?1 AND ?2 ORDER BY "
		"partner_day",
		list, bytes ? bytes : "NULL", list);
	int status = ent__sql_keep(s, &statement, sql, e);
	if (status) {
		return status;
	}
	bool all = partner == UINT32_MAX;
	sqlite3_bind_int64(statement, 1, all ? 0 : ent__partner_day(partner, INT32_MIN));
	sqlite3_bind_int64(statement, 2, all ? INT64_MAX : ent__partner_day(partner, INT32_MAX));
	for (int step; !status && (step = sqlite3_step(statement)) != SQLITE_DONE;) {
		if (step != SQLITE_ROW) {
			status = ent__sql_error(s, "cell", e);
			break;
		}
		status = visit(ctx, ent__cell_key_of_day(sqlite3_column_int64(statement, 0)), ent__column_at(statement, 1),
			ent__column_at(statement, 2));
	}
	sqlite3_finalize(statement);
	return status;
}

typedef struct cells {
	ent_store *s;
	unsigned family;
	ent_cell_visit visit;
	void *ctx;
	ent_error *e;
} cells;

static int visit_cells(void *ctx, ent_cell_key day, ent_read list, ent_read bytes) {
	(void)bytes;
	const cells *x = ctx;
	ent_cell c = {.key = day};
	int status = 0;
	c.key.family = (uint8_t)x->family;
	while (!status && ent__cell_next(&list, &c)) {
		status = x->visit(x->ctx, &c); /* of the blocks of users, which share a list, each row says its own */
	}
	if (list.bad && !status) {
		status = ent__cells_damaged(x->s, &c.key, ent_family_name(x->family), "the stored list cannot be read", x->e);
	}
	return status;
}

int ent_store_cells_scan(ent_store *s, unsigned f, uint32_t partner, ent_cell_visit visit, void *ctx, ent_error *e) {
	cells x = {s, f, visit, ctx, e};
	return scan(s, ent_family_name(f), NULL, partner, visit_cells, &x, e);
}

/* The arrays that the visitors of sets and distributions get. */
typedef struct members {
	ent_store *s;
	const ent__shape *shape;
	ent_error *e;
	ent_set_visit set; /* or */
	ent_dist_visit dist;
	void *ctx;
	ent__members m;
	union {
		uint32_t *set;
		int32_t *dist;
	} ids;
	union {
		uint32_t *set;
		int64_t *dist;
	} counts;
	size_t capacity;
} members;

static int hand_out(members *x, const ent_cell_key *key) {
	if (x->m.n > x->capacity) {
		x->capacity = x->m.n + x->m.n / 2;
		x->ids.set = ent_xrealloc(x->ids.set, x->capacity * sizeof(uint32_t));
		x->counts.set = ent_xrealloc(x->counts.set, x->capacity * sizeof(int64_t));
	}
	for (size_t i = 0; i < x->m.n && x->set; i++) {
		x->ids.set[i] = (uint32_t)x->m.items[i].id;
		x->counts.set[i] = (uint32_t)x->m.items[i].count;
	}
	for (size_t i = 0; i < x->m.n && x->dist; i++) {
		x->ids.dist[i] = (int32_t)x->m.items[i].id;
		x->counts.dist[i] = x->m.items[i].count;
	}
	return x->set ? x->set(x->ctx, key, x->ids.set, x->counts.set, x->m.n)
				  : x->dist(x->ctx, key, x->ids.dist, x->counts.dist, x->m.n);
}

static int visit_members(void *ctx, ent_cell_key day, ent_read list, ent_read bytes) {
	members *x = ctx;
	ent__entries at = {.list = list, .bytes = bytes, .at.key = day};
	int status = 0;
	while (!status && ent__entries_next(&at, x->shape)) {
		status = x->shape->read(ent_read_of(at.at.bytes, at.at.size), at.at.n, &x->m)
					 ? hand_out(x, &at.at.key)
					 : ent__cells_damaged(x->s, &at.at.key, x->shape->list, "the stored members cannot be read", x->e);
	}
	if (!status && at.list.bad) {
		status = ent__cells_damaged(x->s, &at.at.key, x->shape->list, "the stored list cannot be read", x->e);
	}
	return status;
}

static int scan_members(members *x, uint32_t partner) {
	int status = scan(x->s, x->shape->list, x->shape->bytes, partner, visit_members, x, x->e);
	ent__members_finish(&x->m);
	free(x->ids.set);
	free(x->counts.set);
	return status;
}

int ent_store_sets_scan(ent_store *s, uint32_t partner, ent_set_visit visit, void *ctx, ent_error *e) {
	return scan_members(
		&(members){.s = s, .shape = &ent__shapes[ENT__SETS], .set = visit, .ctx = ctx, .e = e}, partner);
}

int ent_store_sets_of_day(ent_store *s, uint32_t partner, int32_t day, ent_set_visit visit, void *ctx, ent_error *e) {
	const ent__shape *shape = &ent__shapes[ENT__SETS];
	members x = {.s = s, .shape = shape, .set = visit, .ctx = ctx, .e = e};
	char sql[160];
	snprintf(sql, sizeof sql, "SELECT %s, %s FROM cell WHERE %s IS NOT NULL AND partner_day = ?1", shape->list, shape->bytes,
		shape->list);
	int status = ent__sql_keep(s, &s->sets_of_day, sql, e);
	if (status) {
		return status;
	}
	int64_t key = ent__partner_day(partner, day);
	sqlite3_bind_int64(s->sets_of_day, 1, key);
	int step = sqlite3_step(s->sets_of_day);
	if (step == SQLITE_ROW) {
		status = visit_members(
			&x, ent__cell_key_of_day(key), ent__column_at(s->sets_of_day, 0), ent__column_at(s->sets_of_day, 1));
	} else if (step != SQLITE_DONE) {
		status = ent__sql_error(s, "cell", e);
	}
	sqlite3_reset(s->sets_of_day);
	ent__members_finish(&x.m);
	free(x.ids.set);
	free(x.counts.set);
	return status;
}

int ent_store_dists_scan(ent_store *s, uint32_t partner, ent_dist_visit visit, void *ctx, ent_error *e) {
	return scan_members(
		&(members){.s = s, .shape = &ent__shapes[ENT__DISTS], .dist = visit, .ctx = ctx, .e = e}, partner);
}
