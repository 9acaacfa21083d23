/* SPDX-License-Identifier: Apache-2.0
 *
 * Changing distinct sets and distributions, see store.h. One thread.
 *
 * Cells whose members only grow, which loading consists of, go through one statement for thousands of them: new ones
 * are written without a look at what is there, and for known ones the database calls ent_merged(). Where something is
 * taken away, the cell may vanish: these go one by one. */
#include "store/members.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One change of either kind. */
typedef struct change {
	const ent_cell_key *key;
	int64_t id, net;
} change;
typedef change (*change_at)(const void *changes, size_t i);

static change set_change(const void *changes, size_t i) {
	const ent_set_change *c = (const ent_set_change *)changes + i;
	return (change){&c->key, c->id, c->net};
}

static change dist_change(const void *changes, size_t i) {
	const ent_dist_change *c = (const ent_dist_change *)changes + i;
	return (change){&c->key, c->bucket, c->net};
}

/* The changes [from, to) are those of one cell. */
typedef struct group {
	size_t from, to;
} group;

typedef struct batch {
	ent_store *s;
	const ent__shape *shape;
	int table;
	change_at at;
	const void *changes;
	group *groups; /* that wait for the statement */
	size_t n;
	/* Memory that is kept from cell to cell. */
	ent__members change, old, sum;
	ent_buf fresh, merged;
	/* What fresh and merged hold: the row, SIZE_MAX none, and the column n. */
	size_t fresh_at, merged_at;
	int64_t fresh_n, merged_n;
	int status; /* of a call that the database made */
	ent_error *e;
} batch;

static const ent_cell_key *key_of(const batch *b, group g) { return b->at(b->changes, g.from).key; }

/* Sums up in b->change what a group does to each member. */
static void load(batch *b, group g) {
	b->change.n = 0;
	for (size_t i = g.from; i < g.to; i++) {
		change c = b->at(b->changes, i);
		ent__member *last = b->change.n ? &b->change.items[b->change.n - 1] : NULL;
		if (!last || last->id != c.id) {
			ent__members_push(&b->change, c.id, c.net);
		} else if (__builtin_add_overflow(last->count, c.net, &last->count)) {
			last->count = INT64_MAX; /* refused when merged */
		}
	}
}

/* b->sum = b->old + b->change. */
static int merge(batch *b, const ent_cell_key *key) {
	const ent__member *p = b->old.items, *p_end = p + b->old.n, *q = b->change.items, *q_end = q + b->change.n;
	b->sum.n = 0;
	while (p < p_end || q < q_end) {
		if (q == q_end || (p < p_end && p->id < q->id)) {
			ent__members_push(&b->sum, p->id, p->count);
			p++;
			continue;
		}
		int64_t count = q->count;
		if (p < p_end && p->id == q->id) {
			if (__builtin_add_overflow(count, p->count, &count)) {
				count = INT64_MAX;
			}
			p++;
		}
		if (count < 0) {
			char what[96];
			snprintf(what, sizeof what, "member %" PRId64 " was taken away more often than it was there", q->id);
			return ent__members_damaged(b->s, key, b->shape->name, what, b->e);
		}
		if (count >= b->shape->most) {
			ent_error_set(b->e, ENT_ERR_RANGE, "%s: member %" PRId64 " is there too often", b->shape->name, q->id);
			return ent_error_at(b->e, b->s->file, 0, 0), ENT_ERR_RANGE;
		}
		if (count) {
			ent__members_push(&b->sum, q->id, count);
		}
		q++;
	}
	return 0;
}

static int write(batch *b, const ent__members *m, ent_buf *out, int64_t *n) {
	*n = b->shape->write(out, m);
	if (*n < 0) {
		ent_error_set(b->e, ENT_ERR_RANGE, "%s: a sum leaves 64 bits", b->shape->name);
		return ent_error_at(b->e, b->s->file, 0, 0), ENT_ERR_RANGE;
	}
	return 0;
}

/* ---- many at once -------------------------------------------------------------------------------------------------
 */

static void column(const ent__given *given, sqlite3_context *out, int i) {
	batch *b = given->rows;
	group g = b->groups[given->at];
	ent__cell_key k = ent__cell_key_pack(key_of(b, g));
	if (i >= 3 && b->fresh_at != given->at) {
		load(b, g);
		b->fresh_n = b->shape->write(&b->fresh, &b->change); /* nets of 32 bits: it cannot leave 64 */
		b->fresh_at = given->at;
	}
	switch (i) {
	case 0:
		sqlite3_result_int64(out, key_of(b, g)->family);
		break;
	case 1:
		sqlite3_result_int64(out, k.partner_day);
		break;
	case 2:
		sqlite3_result_int64(out, k.rest);
		break;
	case 3:
		sqlite3_result_int64(out, b->fresh_n);
		break;
	default:
		sqlite3_result_blob64(out, b->fresh.data, b->fresh.n, SQLITE_STATIC);
		break;
	}
}

/* ent_merged(n, members, which) for the row that the statement is at: what is there with the changes; which: 0 for the
 * column n, 1 for the members. */
void ent__members_merged(sqlite3_context *out, int argc, sqlite3_value **argv) {
	(void)argc;
	ent_store *s = sqlite3_user_data(out);
	batch *b = s->given.rows;
	if (b->merged_at != s->given.at) {
		group g = b->groups[s->given.at];
		const void *bytes = sqlite3_value_blob(argv[1]);
		ent_read r = ent_read_of(bytes ? bytes : "", bytes ? (size_t)sqlite3_value_bytes(argv[1]) : 0);
		load(b, g);
		if (!b->shape->read(r, sqlite3_value_int64(argv[0]), &b->old)) {
			b->status =
				ent__members_damaged(s, key_of(b, g), b->shape->name, "the stored members cannot be read", b->e);
		} else {
			b->status = merge(b, key_of(b, g));
			b->status = b->status ? b->status : write(b, &b->sum, &b->merged, &b->merged_n);
		}
		if (b->status) {
			sqlite3_result_error(out, "members", -1); /* ends the statement; b->e says it better */
			return;
		}
		b->merged_at = s->given.at;
	}
	if (sqlite3_value_int(argv[2])) {
		sqlite3_result_blob64(out, b->merged.data, b->merged.n, SQLITE_STATIC);
	} else {
		sqlite3_result_int64(out, b->merged_n);
	}
}

static int grow(batch *b) {
	ent_store *s = b->s;
	int status = b->n ? ent__sql_keep(s, &s->member_grow[b->table], b->shape->grow, b->e) : 0;
	if (status || !b->n) {
		return status;
	}
	s->given.rows = b;
	s->given.n = b->n;
	s->given.column = column;
	b->fresh_at = b->merged_at = SIZE_MAX;
	b->status = 0;
	ent_error e;
	status = ent__sql_do(s, s->member_grow[b->table], b->shape->name, &e);
	if (status && !b->status && b->e) {
		*b->e = e;
	}
	s->given.n = 0;
	b->n = 0;
	return b->status ? b->status : status;
}

/* ---- one by one ---------------------------------------------------------------------------------------------------
 */

static void bind_key(sqlite3_stmt *statement, const ent_cell_key *key) {
	ent__cell_key k = ent__cell_key_pack(key);
	sqlite3_bind_int64(statement, 1, key->family);
	sqlite3_bind_int64(statement, 2, k.partner_day);
	sqlite3_bind_int64(statement, 3, k.rest);
}

/* The stored members of a cell, into b->old; none if there is no row. */
static int get(batch *b, const ent_cell_key *key) {
	sqlite3_stmt *statement = b->s->member_get[b->table];
	bind_key(statement, key);
	int step = sqlite3_step(statement), status = 0;
	b->old.n = 0;
	if (step == SQLITE_ROW) {
		const void *bytes = sqlite3_column_blob(statement, 1);
		ent_read r = ent_read_of(bytes ? bytes : "", bytes ? (size_t)sqlite3_column_bytes(statement, 1) : 0);
		if (!b->shape->read(r, sqlite3_column_int64(statement, 0), &b->old)) {
			status = ent__members_damaged(b->s, key, b->shape->name, "the stored members cannot be read", b->e);
		}
	} else if (step != SQLITE_DONE) {
		status = ent__sql_error(b->s, b->shape->name, b->e);
	}
	sqlite3_reset(statement);
	return status;
}

static int prepare(batch *b) {
	ent_store *s = b->s;
	int status = ent__sql_keep(s, &s->member_add[b->table], b->shape->add, b->e);
	status = status ? status : ent__sql_keep(s, &s->member_get[b->table], b->shape->get, b->e);
	status = status ? status : ent__sql_keep(s, &s->member_set[b->table], b->shape->set, b->e);
	return status ? status : ent__sql_keep(s, &s->member_drop[b->table], b->shape->drop, b->e);
}

static int apply(batch *b, group g) {
	ent_store *s = b->s;
	const ent_cell_key *key = key_of(b, g);
	int status = prepare(b);
	load(b, g);
	status = status ? status : get(b, key);
	status = status ? status : merge(b, key);
	if (status || (!b->sum.n && !b->old.n)) {
		return status;
	}
	sqlite3_stmt *statement =
		b->sum.n ? b->old.n ? s->member_set[b->table] : s->member_add[b->table] : s->member_drop[b->table];
	if (b->sum.n) {
		int64_t n;
		status = write(b, &b->sum, &b->merged, &n);
		sqlite3_bind_int64(statement, 4, n);
		sqlite3_bind_blob64(statement, 5, b->merged.data, b->merged.n, SQLITE_STATIC);
	}
	bind_key(statement, key);
	return status ? status : ent__sql_do(s, statement, b->shape->name, b->e);
}

/* ---- both ---------------------------------------------------------------------------------------------------------
 */

static bool same_cell(const ent_cell_key *a, const ent_cell_key *b) {
	ent__cell_key x = ent__cell_key_pack(a), y = ent__cell_key_pack(b);
	return x.partner_day == y.partner_day && x.rest == y.rest && a->family == b->family;
}

static int add(batch *b, unsigned spaces, size_t n) {
	int status = 0;
	b->shape = &ent__shapes[b->table];
	b->groups = ent_xmalloc(ENT__GIVEN_ROWS * sizeof *b->groups);
	for (size_t i = 0; i < n && !status;) {
		const ent_cell_key *key = b->at(b->changes, i).key;
		group g = {.from = i};
		bool grows = true;
		if (!ent__cell_key_fits(key) || key->family >= spaces) {
			status = ent_error_set(b->e, ENT_ERR_INVALID, "%s: a code of the cell is too large", b->shape->name);
			break;
		}
		for (change c; i < n && (c = b->at(b->changes, i), same_cell(c.key, key)); i++) {
			grows &= c.net > 0 && c.net <= INT32_MAX;
		}
		g.to = i;
		if (!grows) {
			status = apply(b, g);
			continue;
		}
		b->groups[b->n++] = g;
		status = b->n == ENT__GIVEN_ROWS ? grow(b) : 0;
	}
	status = status ? status : grow(b);
	free(b->groups);
	ent__members_finish(&b->change);
	ent__members_finish(&b->old);
	ent__members_finish(&b->sum);
	ent_buf_finish(&b->fresh);
	ent_buf_finish(&b->merged);
	return status;
}

int ent_store_sets_add(ent_store *s, const ent_set_change *changes, size_t n, ent_error *e) {
	return add(&(batch){.s = s, .table = ENT__SETS, .at = set_change, .changes = changes, .e = e}, ENT_SET_COUNT, n);
}

int ent_store_dists_add(ent_store *s, const ent_dist_change *changes, size_t n, ent_error *e) {
	return add(&(batch){.s = s, .table = ENT__DISTS, .at = dist_change, .changes = changes, .e = e}, ENT_DIST_COUNT, n);
}
