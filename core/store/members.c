/* SPDX-License-Identifier: Apache-2.0
 *
 * Distinct sets and distributions, see store.h. Both are members with a count: identities with their multiplicity,
 * buckets with the values in them. One thread.
 *
 * As bytes: of a set, the sorted ids as varint differences, `n` of them, then for each id whose multiplicity is above 1
 * its place as a varint difference and the multiplicity - 2 (of 1.24 million members of the reference data 0.5 % have
 * one). Of a distribution, bucket differences (zigzag) and counts in turns, to the end; `n` is the sum of the counts.
 */
#include "base/arena.h"
#include "store/sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct member {
	int64_t id, count;
} member;

typedef struct members {
	member *items;
	size_t n, capacity;
} members;

static void push(members *m, int64_t id, int64_t count) {
	ENT_GROW(m->items, m->n, m->capacity);
	m->items[m->n++] = (member){id, count};
}

static void finish(members *m) { free(m->items); }

/* ---- bytes
 * ----------------------------------------------------------------------------------------------------------- */

static void put(ent_buf *b, uint64_t v) {
	ent_buf_reserve(b, 10);
	b->n = (size_t)(ent_varint_put(b->data + b->n, v) - b->data);
}

/* Returns what stands in the column `n`. */
static int64_t write_set(ent_buf *b, const members *m) {
	uint64_t last = 0;
	b->n = 0;
	for (size_t i = 0; i < m->n; i++) {
		put(b, (uint64_t)m->items[i].id - last);
		last = (uint64_t)m->items[i].id;
	}
	last = 0;
	for (size_t i = 0; i < m->n; i++) {
		if (m->items[i].count > 1) {
			put(b, i - last);
			put(b, (uint64_t)m->items[i].count - 2);
			last = i;
		}
	}
	return (int64_t)m->n;
}

static bool read_set(ent_read r, int64_t n, members *m) {
	uint64_t id = 0, at = 0;
	m->n = 0;
	for (int64_t i = 0; i < n && !r.bad; i++) {
		id += ent_read_varint(&r);
		r.bad |= id > UINT32_MAX;
		push(m, (int64_t)id, 1);
	}
	while (r.p < r.end && !r.bad) {
		at += ent_read_varint(&r);
		uint64_t more = ent_read_varint(&r);
		if (r.bad || at >= m->n || more > UINT32_MAX - 2) {
			return false;
		}
		m->items[at].count = (int64_t)more + 2;
	}
	return !r.bad;
}

static int64_t write_dist(ent_buf *b, const members *m) {
	int64_t last = 0, sum = 0;
	b->n = 0;
	for (size_t i = 0; i < m->n; i++) {
		put(b, ent_zigzag(m->items[i].id - last));
		put(b, (uint64_t)m->items[i].count);
		last = m->items[i].id;
		if (__builtin_add_overflow(sum, m->items[i].count, &sum)) {
			return -1;
		}
	}
	return sum;
}

static bool read_dist(ent_read r, int64_t n, members *m) {
	int64_t id = 0, sum = 0;
	m->n = 0;
	while (r.p < r.end && !r.bad) {
		int64_t step = ent_read_zigzag(&r), count = (int64_t)ent_read_varint(&r);
		if (__builtin_add_overflow(id, step, &id) || id != (int32_t)id || count <= 0 ||
			__builtin_add_overflow(sum, count, &sum)) {
			return false;
		}
		push(m, id, count);
	}
	return !r.bad && sum == n;
}

static const struct shape {
	const char *name, *add, *get, *set, *drop, *scan, *scan_one;
	int64_t (*write)(ent_buf *, const members *);
	bool (*read)(ent_read, int64_t n, members *);
	int64_t most; /* count of one member */
} shapes[ENT__MEMBER_TABLES] = {
#define STATEMENTS(t)                                                                                                  \
	"INSERT INTO " t " VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO NOTHING",                                                 \
		"SELECT n, members FROM " t " WHERE space = ?1 AND partner_day = ?2 AND rest = ?3",                            \
		"UPDATE " t " SET n = ?4, members = ?5 WHERE space = ?1 AND partner_day = ?2 AND rest = ?3",                   \
		"DELETE FROM " t " WHERE space = ?1 AND partner_day = ?2 AND rest = ?3",                                       \
		"SELECT * FROM " t " ORDER BY space, partner_day, rest",                                                       \
		"SELECT * FROM " t " WHERE space = ?3 AND partner_day BETWEEN ?1 AND ?2 ORDER BY space, partner_day, rest"
	[ENT__SETS] = {"cell_set", STATEMENTS("cell_set"), write_set, read_set, UINT32_MAX},
	[ENT__DISTS] = {"cell_dist", STATEMENTS("cell_dist"), write_dist, read_dist, INT64_MAX},
};

static int damaged(ent_store *s, const ent_cell_key *k, const char *table, const char *what, ent_error *e) {
	ent_error_set(e, ENT_ERR_CORRUPT, "%s %u of partner %u, day %d, view %u, value %u: %s", table, k->family,
		k->partner, k->day, k->view, k->value, what);
	return ent_error_at(e, s->file, 0, 0), ENT_ERR_CORRUPT;
}

/* ---- change
 * ----------------------------------------------------------------------------------------------------------- */

/* What a call works with; kept over its cells so that memory is had once. */
typedef struct work {
	members change, old, sum;
	ent_buf bytes;
} work;

static void work_finish(work *w) {
	finish(&w->change);
	finish(&w->old);
	finish(&w->sum);
	ent_buf_finish(&w->bytes);
}

/* w->sum = w->old + w->change; both sorted. */
static int merge(ent_store *s, const struct shape *shape, const ent_cell_key *key, work *w, ent_error *e) {
	const member *a = w->old.items, *a_end = a + w->old.n, *b = w->change.items, *b_end = b + w->change.n;
	w->sum.n = 0;
	while (a < a_end || b < b_end) {
		if (b == b_end || (a < a_end && a->id < b->id)) {
			push(&w->sum, a->id, a->count);
			a++;
			continue;
		}
		int64_t count = b->count;
		if (a < a_end && a->id == b->id) {
			if (__builtin_add_overflow(count, a->count, &count)) {
				count = INT64_MAX;
			}
			a++;
		}
		if (count < 0) {
			char what[96];
			snprintf(what, sizeof what, "member %" PRId64 " was taken away more often than it was there", b->id);
			return damaged(s, key, shape->name, what, e);
		}
		if (count >= shape->most) {
			ent_error_set(e, ENT_ERR_RANGE, "%s: member %" PRId64 " is there too often", shape->name, b->id);
			return ent_error_at(e, s->file, 0, 0), ENT_ERR_RANGE;
		}
		if (count) {
			push(&w->sum, b->id, count);
		}
		b++;
	}
	return 0;
}

static void bind_key(sqlite3_stmt *statement, const ent_cell_key *key) {
	ent__cell_key k = ent__cell_key_pack(key);
	sqlite3_bind_int64(statement, 1, key->family);
	sqlite3_bind_int64(statement, 2, k.partner_day);
	sqlite3_bind_int64(statement, 3, k.rest);
}

static int bind_members(
	ent_store *s, const struct shape *shape, sqlite3_stmt *statement, const members *m, ent_buf *b, ent_error *e) {
	int64_t n = shape->write(b, m);
	if (n < 0) {
		ent_error_set(e, ENT_ERR_RANGE, "%s: a sum leaves 64 bits", shape->name);
		return ent_error_at(e, s->file, 0, 0), ENT_ERR_RANGE;
	}
	sqlite3_bind_int64(statement, 4, n);
	sqlite3_bind_blob64(statement, 5, b->data, b->n, SQLITE_STATIC);
	return 0;
}

/* The stored members of a cell; none if there is no row. */
static int get(ent_store *s, int table, const ent_cell_key *key, members *out, ent_error *e) {
	const struct shape *shape = &shapes[table];
	sqlite3_stmt *statement = s->member_get[table];
	bind_key(statement, key);
	int step = sqlite3_step(statement), status = 0;
	out->n = 0;
	if (step == SQLITE_ROW) {
		const void *bytes = sqlite3_column_blob(statement, 1);
		ent_read r = ent_read_of(bytes ? bytes : "", bytes ? (size_t)sqlite3_column_bytes(statement, 1) : 0);
		if (!shape->read(r, sqlite3_column_int64(statement, 0), out)) {
			status = damaged(s, key, shape->name, "the stored members cannot be read", e);
		}
	} else if (step != SQLITE_DONE) {
		status = ent__sql_error(s, shape->name, e);
	}
	sqlite3_reset(statement);
	return status;
}

/* Applies w->change to one cell. */
static int apply(ent_store *s, int table, const ent_cell_key *key, bool only_grows, work *w, ent_error *e) {
	const struct shape *shape = &shapes[table];
	int status = 0;
	if (!w->change.n) {
		return 0;
	}
	if (only_grows) { /* loading is the common case: most cells are new, and nothing has to be read for them */
		w->old.n = 0;
		status = merge(s, shape, key, w, e);
		status = status ? status : bind_members(s, shape, s->member_add[table], &w->sum, &w->bytes, e);
		if (!status) {
			bind_key(s->member_add[table], key);
			status = ent__sql_do(s, s->member_add[table], shape->name, e);
		}
		if (status || sqlite3_changes(s->db) == 1) {
			return status;
		}
	}
	status = get(s, table, key, &w->old, e);
	status = status ? status : merge(s, shape, key, w, e);
	if (status) {
		return status;
	}
	sqlite3_stmt *statement = w->sum.n ? w->old.n ? s->member_set[table] : s->member_add[table] : s->member_drop[table];
	if (w->sum.n) {
		status = bind_members(s, shape, statement, &w->sum, &w->bytes, e);
	}
	bind_key(statement, key);
	return status ? status : ent__sql_do(s, statement, shape->name, e);
}

static int prepare(ent_store *s, int table, ent_error *e) {
	const struct shape *shape = &shapes[table];
	int status = ent__sql_keep(s, &s->member_add[table], shape->add, e);
	status = status ? status : ent__sql_keep(s, &s->member_get[table], shape->get, e);
	status = status ? status : ent__sql_keep(s, &s->member_set[table], shape->set, e);
	return status ? status : ent__sql_keep(s, &s->member_drop[table], shape->drop, e);
}

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

static bool same_cell(const ent_cell_key *a, const ent_cell_key *b) {
	ent__cell_key x = ent__cell_key_pack(a), y = ent__cell_key_pack(b);
	return x.partner_day == y.partner_day && x.rest == y.rest && a->family == b->family;
}

static int add(ent_store *s, int table, unsigned spaces, change_at at, const void *changes, size_t n, ent_error *e) {
	work w = {0};
	int status = prepare(s, table, e);
	for (size_t i = 0; i < n && !status;) {
		const ent_cell_key *key = at(changes, i).key;
		bool only_grows = true;
		if (!ent__cell_key_fits(key) || key->family >= spaces) {
			status = ent_error_set(e, ENT_ERR_INVALID, "%s: a code of the cell is too large", shapes[table].name);
			break;
		}
		w.change.n = 0;
		for (change c; i < n && (c = at(changes, i), same_cell(c.key, key)); i++) {
			member *last = w.change.n ? &w.change.items[w.change.n - 1] : NULL;
			if (last && last->id == c.id) {
				last->count += c.net;
			} else {
				push(&w.change, c.id, c.net);
			}
			only_grows &= c.net > 0;
		}
		status = apply(s, table, key, only_grows, &w, e);
	}
	work_finish(&w);
	return status;
}

int ent_store_sets_add(ent_store *s, const ent_set_change *changes, size_t n, ent_error *e) {
	return add(s, ENT__SETS, ENT_SET_COUNT, set_change, changes, n, e);
}

int ent_store_dists_add(ent_store *s, const ent_dist_change *changes, size_t n, ent_error *e) {
	return add(s, ENT__DISTS, ENT_DIST_COUNT, dist_change, changes, n, e);
}

/* ---- scan
 * --------------------------------------------------------------------------------------------------------------- */

typedef int (*members_visit)(void *ctx, const ent_cell_key *, const members *);

/* One range of rows; of all partners it is the whole table. */
static int scan_range(ent_store *s, int table, uint32_t partner, unsigned space, members *m, members_visit visit,
	void *ctx, ent_error *e) {
	const struct shape *shape = &shapes[table];
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
					 : damaged(s, &key, shape->name, "the stored members cannot be read", e);
	}
	sqlite3_finalize(statement);
	return status;
}

static int scan(
	ent_store *s, int table, unsigned spaces, uint32_t partner, members_visit visit, void *ctx, ent_error *e) {
	members m = {0};
	int status = 0;
	for (unsigned space = 0; space < (partner == UINT32_MAX ? 1 : spaces) && !status; space++) {
		status = scan_range(s, table, partner, space, &m, visit, ctx, e);
	}
	finish(&m);
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

static int visit_set(void *ctx, const ent_cell_key *key, const members *m) {
	arrays *a = ctx;
	arrays_room(a, m->n);
	for (size_t i = 0; i < m->n; i++) {
		a->ids.set[i] = (uint32_t)m->items[i].id;
		a->counts.set[i] = (uint32_t)m->items[i].count;
	}
	return a->visit.set(a->ctx, key, a->ids.set, a->counts.set, m->n);
}

static int visit_dist(void *ctx, const ent_cell_key *key, const members *m) {
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
