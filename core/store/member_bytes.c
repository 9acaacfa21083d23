/* SPDX-License-Identifier: Apache-2.0
 *
 * Members as bytes, and the two tables that hold them; see members.h.
 *
 * Of a set: the sorted ids as varint differences, `n` of them, then for each id whose multiplicity is above 1 its place
 * as a varint difference and the multiplicity - 2 (of 1.24 million members of the reference data 0.5 % have one). Of a
 * distribution: bucket differences (zigzag) and counts in turns, to the end; `n` is the sum of the counts. */
#include "store/members.h"

static void put(ent_buf *b, uint64_t v) {
	ent_buf_reserve(b, 10);
	b->n = (size_t)(ent_varint_put(b->data + b->n, v) - b->data);
}

/* Returns what stands in the column `n`. */
static int64_t write_set(ent_buf *b, const ent__members *m) {
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

static bool read_set(ent_read r, int64_t n, ent__members *m) {
	uint64_t id = 0, at = 0;
	m->n = 0;
	for (int64_t i = 0; i < n && !r.bad; i++) {
		uint64_t step = ent_read_varint(&r);
		id += step;
		r.bad |= step > UINT32_MAX || id > UINT32_MAX || (i && !step);
		ent__members_push(m, (int64_t)id, 1);
	}
	while (r.p < r.end && !r.bad) {
		at += ent_read_varint(&r);
		uint64_t more = ent_read_varint(&r);
		if (r.bad || at >= m->n || more >= UINT32_MAX - 2) {
			return false;
		}
		m->items[at].count = (int64_t)more + 2;
	}
	return !r.bad && m->n > 0;
}

static int64_t write_dist(ent_buf *b, const ent__members *m) {
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

static bool read_dist(ent_read r, int64_t n, ent__members *m) {
	int64_t id = 0, sum = 0;
	m->n = 0;
	while (r.p < r.end && !r.bad) {
		int64_t step = ent_read_zigzag(&r), count = (int64_t)ent_read_varint(&r);
		if (__builtin_add_overflow(id, step, &id) || id != (int32_t)id || count <= 0 || (m->n && step <= 0) ||
			__builtin_add_overflow(sum, count, &sum)) {
			return false;
		}
		ent__members_push(m, id, count);
	}
	return !r.bad && sum == n && m->n > 0;
}

const ent__shape ent__shapes[ENT__MEMBER_TABLES] = {
#define STATEMENTS(t)                                                                                                  \
	"INSERT INTO " t " SELECT c0, c1, c2, c3, c4 FROM ent_given WHERE 1 "                                              \
	"ON CONFLICT DO UPDATE SET n = ent_merged(n, members, 0), members = ent_merged(n, members, 1)",                    \
		"SELECT n, members FROM " t " WHERE space = ?1 AND partner_day = ?2 AND rest = ?3",                            \
		"INSERT INTO " t " VALUES(?1, ?2, ?3, ?4, ?5)",                                                                \
		"UPDATE " t " SET n = ?4, members = ?5 WHERE space = ?1 AND partner_day = ?2 AND rest = ?3",                   \
		"DELETE FROM " t " WHERE space = ?1 AND partner_day = ?2 AND rest = ?3",                                       \
		"SELECT * FROM " t " ORDER BY space, partner_day, rest",                                                       \
		"SELECT * FROM " t " WHERE space = ?3 AND partner_day BETWEEN ?1 AND ?2 ORDER BY space, partner_day, rest"
	[ENT__SETS] = {"cell_set", STATEMENTS("cell_set"), write_set, read_set, UINT32_MAX},
	[ENT__DISTS] = {"cell_dist", STATEMENTS("cell_dist"), write_dist, read_dist, INT64_MAX},
};

int ent__members_damaged(ent_store *s, const ent_cell_key *k, const char *table, const char *what, ent_error *e) {
	ent_error_set(e, ENT_ERR_CORRUPT, "%s %u of partner %u, day %d, view %u, value %u: %s", table, k->family,
		k->partner, k->day, k->view, k->value, what);
	return ent_error_at(e, s->file, 0, 0), ENT_ERR_CORRUPT;
}
