/* SPDX-License-Identifier: Apache-2.0
 *
 * Changing distinct sets and distributions, see members.h. One thread. */
#include "store/members.h"
#include "store/cell_text.h"

#include <inttypes.h>
#include <stdio.h>

enum { KIND, VIEW, VALUE, CURRENCY, ORIGIN, COUNT, BYTES, NUMBERS };

int ent__cells_damaged(ent_store *s, const ent_cell_key *k, const char *column, const char *what, ent_error *e) {
	ent_error_set(e, ENT_ERR_CORRUPT, "%s %u of partner %u, day %d, view %u, value %u: %s", column, k->family,
		k->partner, k->day, k->view, k->value, what);
	return ent_error_at(e, s->file, 0, 0), ENT_ERR_CORRUPT;
}

bool ent__entries_next(ent__entries *x, const ent__shape *shape) {
	int64_t v[ENT__TEXT_NUMBERS];
	unsigned n = ent__text_next(&x->list, v);
	ent_cell_key before = x->at.key;
	if (!n) {
		x->list.bad |= x->bytes.p != x->bytes.end;
		return false;
	}
	bool first = x->at.bytes == NULL;
	bool fits = n == NUMBERS && v[KIND] >= 0 && v[KIND] < shape->kinds && v[VIEW] >= 0 && v[VIEW] <= UINT8_MAX &&
				v[VALUE] >= 0 && v[VALUE] <= UINT32_MAX && v[CURRENCY] >= 0 && v[CURRENCY] <= UINT32_MAX &&
				v[ORIGIN] >= 0 && v[ORIGIN] <= UINT8_MAX && v[BYTES] > 0;
	if (fits) {
		x->at.key.family = (uint8_t)v[KIND];
		x->at.key.view = (uint8_t)v[VIEW];
		x->at.key.value = (uint32_t)v[VALUE];
		x->at.key.currency = (uint32_t)v[CURRENCY];
		x->at.key.origin = (uint8_t)v[ORIGIN];
		x->at.n = v[COUNT];
		x->at.size = (size_t)v[BYTES];
		x->at.bytes = ent_read_take(&x->bytes, (size_t)v[BYTES]);
		fits = x->at.bytes && (first || ent_cell_key_compare(&before, &x->at.key) < 0);
	}
	x->list.bad |= !fits;
	return fits;
}

static void put_entry(ent_buf *list, const ent_cell_key *k, int64_t n, size_t size) {
	uint8_t *p = ent__text_begin(list, NUMBERS);
	p = ent__text_small(p, k->family);
	p = ent__text_small(p, k->view);
	p = ent__text_small(p, k->value);
	p = ent__text_small(p, k->currency);
	p = ent__text_small(p, k->origin);
	p = ent__text_small(p, n);
	p = ent__text_small(p, (int64_t)size);
	ent__text_end(list, p);
}

static void load(ent__merge *m, const ent__shape *shape, const ent_members_change *c) {
	m->change.n = 0;
	for (uint32_t i = 0; i < c->n; i++) {
		ent__members_push(&m->change, shape->id(ent_change_member(c->items[i])), ent_change_net(c->items[i]));
	}
}

/* m->sum = m->old + m->change. */
static int add(ent__merge *m, const ent__shape *shape, const ent_cell_key *key) {
	const ent__member *p = m->old.items, *p_end = p + m->old.n, *q = m->change.items, *q_end = q + m->change.n;
	m->sum.n = 0;
	while (p < p_end || q < q_end) {
		if (q == q_end || (p < p_end && p->id < q->id)) {
			ent__members_push(&m->sum, p->id, p->count);
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
			return ent__cells_damaged(m->s, key, shape->list, what, m->e);
		}
		if (count >= shape->most) {
			ent_error_set(m->e, ENT_ERR_RANGE, "%s: member %" PRId64 " is there too often", shape->list, q->id);
			return ent_error_at(m->e, m->s->file, 0, 0), ENT_ERR_RANGE;
		}
		if (count) {
			ent__members_push(&m->sum, q->id, count);
		}
		q++;
	}
	return 0;
}

static int put(ent__merge *m, const ent__shape *shape, const ent_cell_key *key, const ent__members *what, ent_buf *list,
	ent_buf *bytes) {
	size_t before = bytes->n;
	if (what->n) {
		int64_t n = shape->write(bytes, what);
		if (n < 0) {
			ent_error_set(m->e, ENT_ERR_RANGE, "%s: a sum leaves 64 bits", shape->list);
			return ent_error_at(m->e, m->s->file, 0, 0), ENT_ERR_RANGE;
		}
		put_entry(list, key, n, bytes->n - before);
	}
	return 0;
}

static int apply(ent__merge *m, const ent__shape *shape, const ent__entry *old, const ent_members_change *c,
	ent_buf *list, ent_buf *bytes) {
	load(m, shape, c);
	m->old.n = 0;
	if (old && !shape->read(ent_read_of(old->bytes, old->size), old->n, &m->old)) {
		return ent__cells_damaged(m->s, c->key, shape->list, "the stored members cannot be read", m->e);
	}
	bool grows = !old;
	for (size_t i = 0; i < m->change.n && grows; i++) {
		grows = m->change.items[i].count > 0;
	}
	if (grows) {
		return put(m, shape, c->key, &m->change, list, bytes);
	}
	int status = add(m, shape, c->key);
	return status ? status : put(m, shape, c->key, &m->sum, list, bytes);
}

int ent__members_merge(ent__merge *m, const ent__shape *shape, ent__entries old, const ent_members_change *changes,
	size_t n, ent_buf *list, ent_buf *bytes) {
	int status = 0;
	size_t i = 0;
	list->n = bytes->n = 0;
	bool has = ent__entries_next(&old, shape);
	while (!status && (has || i < n)) {
		int order = !has ? 1 : i == n ? -1 : ent_cell_key_compare(&old.at.key, changes[i].key);
		if (order < 0) {
			put_entry(list, &old.at.key, old.at.n, old.at.size);
			ent_buf_add(bytes, old.at.bytes, old.at.size);
		} else {
			status = apply(m, shape, order ? NULL : &old.at, &changes[i++], list, bytes);
		}
		has = order <= 0 ? ent__entries_next(&old, shape) : has;
	}
	if (!status && old.list.bad) {
		status = ent__cells_damaged(m->s, &old.at.key, shape->list, "the stored list cannot be read", m->e);
	}
	return status;
}
