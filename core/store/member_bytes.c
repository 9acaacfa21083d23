/* SPDX-License-Identifier: Apache-2.0
 *
 * Members as bytes; see members.h.
 *
 * Of a set: the sorted ids as varint differences, `n` of them, then for each id whose multiplicity is above 1 its place
 * as a varint difference and the multiplicity - 2 (of 1.24 million members of the reference data 0.5 % have one). Of a
 * distribution: bucket differences (zigzag) and counts in turns, to the end; `n` is the sum of the counts. */
#include "store/members.h"

/* Returns what stands as `n` in the list. */
static int64_t write_set(ent_buf *b, const ent__members *m) {
	uint64_t last = 0;
	ent_buf_reserve(b, m->n * 30); /* three varints for each at most */
	uint8_t *p = b->data + b->n;
	for (size_t i = 0; i < m->n; i++) {
		p = ent_varint_put(p, (uint64_t)m->items[i].id - last);
		last = (uint64_t)m->items[i].id;
	}
	last = 0;
	for (size_t i = 0; i < m->n; i++) {
		if (m->items[i].count > 1) {
			p = ent_varint_put(p, i - last);
			p = ent_varint_put(p, (uint64_t)m->items[i].count - 2);
			last = i;
		}
	}
	b->n = (size_t)(p - b->data);
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
	ent_buf_reserve(b, m->n * 20);
	uint8_t *p = b->data + b->n;
	for (size_t i = 0; i < m->n; i++) {
		p = ent_varint_put(p, ent_zigzag(m->items[i].id - last));
		p = ent_varint_put(p, (uint64_t)m->items[i].count);
		last = m->items[i].id;
		if (__builtin_add_overflow(sum, m->items[i].count, &sum)) {
			return -1;
		}
	}
	b->n = (size_t)(p - b->data);
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

static int64_t identity(uint32_t member) { return member; }
static int64_t bucket(uint32_t member) { return ent_member_bucket(member); }

const ent__shape ent__shapes[ENT__MEMBER_KINDS] = {
	[ENT__SETS] = {"sets", "set_members", ENT_SET_COUNT + ENT_CUSTOM_SETS, write_set, read_set, identity, UINT32_MAX},
	[ENT__DISTS] = {"dists", "dist_members", ENT_DIST_COUNT + ENT_CUSTOM_DISTS, write_dist, read_dist, bucket, INT64_MAX},
};
