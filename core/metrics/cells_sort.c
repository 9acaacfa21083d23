/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorting of cells and their members for the commit, see cells.h. One thread; not while anybody adds to the same cells. */
#include "metrics/cells_internal.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

typedef struct sortable {
	uint64_t key;
	uint32_t number;
} sortable;

/* Radix sorts by the low `bits` of the keys, 11 bits a pass; passes in which all keys agree are left out. */
#define RADIX_SORT(name, type, key_of)                                                                                 \
	static void name(type *a, size_t n, unsigned bits) {                                                               \
		type *b = ent_xmalloc(n * sizeof *b), *from = a, *to = b;                                                      \
		for (unsigned shift = 0; shift < bits && n; shift += 11) {                                                     \
			uint32_t count[2048] = {0}, sum = 0;                                                                       \
			for (size_t i = 0; i < n; i++) {                                                                           \
				count[(key_of(from[i]) >> shift) & 2047]++;                                                            \
			}                                                                                                          \
			if (count[(key_of(from[0]) >> shift) & 2047] == n) {                                                       \
				continue;                                                                                              \
			}                                                                                                          \
			for (size_t d = 0; d < 2048; d++) {                                                                        \
				uint32_t next = sum + count[d];                                                                        \
				count[d] = sum;                                                                                        \
				sum = next;                                                                                            \
			}                                                                                                          \
			for (size_t i = 0; i < n; i++) {                                                                           \
				to[count[(key_of(from[i]) >> shift) & 2047]++] = from[i];                                              \
			}                                                                                                          \
			type *swap = from;                                                                                         \
			from = to;                                                                                                 \
			to = swap;                                                                                                 \
		}                                                                                                              \
		if (from != a) {                                                                                               \
			memcpy(a, from, n * sizeof *a);                                                                            \
		}                                                                                                              \
		free(b);                                                                                                       \
	}
#define SORTABLE_KEY(s) ((s).key)
#define MEMBER_KEY(v) ((v) >> 32)
RADIX_SORT(sort_numbers, sortable, SORTABLE_KEY)
RADIX_SORT(sort_members, uint64_t, MEMBER_KEY)

enum { KEY_BYTES = 19 };

/* The key as bytes that compare like ent_cell_key_compare. */
static void key_bytes(const ent_cell_key *k, uint8_t out[KEY_BYTES]) {
	uint32_t words[4] = {__builtin_bswap32(k->partner), __builtin_bswap32((uint32_t)k->day ^ UINT32_C(0x80000000)),
		__builtin_bswap32(k->value), __builtin_bswap32(k->currency)};
	out[0] = k->family;
	memcpy(out + 1, words, 8);
	out[9] = k->view;
	memcpy(out + 10, words + 2, 8);
	out[18] = k->origin;
}

static int by_key(const void *a, const void *b, void *keys) {
	return ent_cell_key_compare((const ent_cell_key *)keys + *(const uint32_t *)a,
		(const ent_cell_key *)keys + *(const uint32_t *)b);
}

/* Numbers of the keys in their order. Of the 19 bytes of a key few differ anywhere: those are packed and radix-sorted. */
static uint32_t *order_of(const ent__keytab *t) {
	uint32_t *order = ent_xmalloc((size_t)t->n * sizeof *order);
	uint8_t first[KEY_BYTES], bytes[KEY_BYTES], differs[KEY_BYTES] = {0};
	unsigned places[KEY_BYTES], n = 0;
	for (uint32_t i = 0; i < t->n; i++) {
		order[i] = i;
		key_bytes(&t->keys[i], bytes);
		if (i == 0) {
			memcpy(first, bytes, sizeof first);
		}
		for (unsigned k = 0; k < KEY_BYTES; k++) {
			differs[k] |= bytes[k] ^ first[k];
		}
	}
	for (unsigned k = 0; k < KEY_BYTES; k++) {
		if (differs[k]) {
			places[n++] = k;
		}
	}
	if (n > sizeof(uint64_t)) {
		qsort_r(order, t->n, sizeof *order, by_key, t->keys);
		return order;
	}
	sortable *items = ent_xmalloc((size_t)t->n * sizeof *items);
	for (uint32_t i = 0; i < t->n; i++) {
		uint64_t key = 0;
		key_bytes(&t->keys[i], bytes);
		for (unsigned k = 0; k < n; k++) {
			key = key << 8 | bytes[places[k]];
		}
		items[i] = (sortable){key, i};
	}
	sort_numbers(items, t->n, 8 * n);
	for (uint32_t i = 0; i < t->n; i++) {
		order[i] = items[i].number;
	}
	free(items);
	return order;
}

/* A few members, mostly in order already. */
static void sort_few(uint64_t *a, size_t n) {
	for (size_t i = 1; i < n; i++) {
		uint64_t v = a[i];
		size_t k = i;
		for (; k && a[k - 1] > v; k--) {
			a[k] = a[k - 1];
		}
		a[k] = v;
	}
}

typedef void (*net_change)(ent_cells *, size_t at, const ent_cell_key *, uint32_t member, int64_t net);

static void set_change(ent_cells *c, size_t at, const ent_cell_key *key, uint32_t member, int64_t net) {
	c->set_changes[at] = (ent_set_change){*key, member, (int32_t)net};
}

static void dist_change(ent_cells *c, size_t at, const ent_cell_key *key, uint32_t member, int64_t net) {
	c->dist_changes[at] =
		(ent_dist_change){.key = *key, .bucket = (int32_t)(member ^ UINT32_C(0x80000000)), .net = net};
}

/* Pairs in order of (key, member), equal ones added up, zeros left out. They are dealt out to their keys, whose order is
 * found first, and each key's few members are sorted for themselves: pairs come in clusters, so this stays in the cache. */
static inline __attribute__((always_inline)) size_t net_pairs(ent_cells *c, const ent__pairs *p, net_change emit) {
	uint32_t *order = order_of(&p->keys);
	size_t *ends = ent_xcalloc((size_t)p->keys.n + 1, sizeof *ends), sum = 0, kept = 0;
	uint64_t *members = ent_xmalloc(p->n * sizeof *members);
	for (size_t i = 0; i < p->n; i++) {
		ends[p->items[i].key]++;
	}
	for (uint32_t i = 0; i < p->keys.n; i++) {
		size_t n = ends[order[i]];
		ends[order[i]] = sum;
		sum += n;
	}
	for (size_t i = 0; i < p->n; i++) {
		members[ends[p->items[i].key]++] = (uint64_t)p->items[i].member << 32 | (uint32_t)p->items[i].net;
	}
	for (size_t i = 0, at = 0; i < p->keys.n; i++) {
		const ent_cell_key *key = &p->keys.keys[order[i]];
		size_t end = ends[order[i]];
		if (end - at <= 32) {
			sort_few(members + at, end - at);
		} else {
			sort_members(members + at, end - at, 32);
		}
		while (at < end) {
			uint32_t member = (uint32_t)(members[at] >> 32);
			int64_t net = (int32_t)(uint32_t)members[at++];
			for (; at < end && members[at] >> 32 == member; at++) {
				net += (int32_t)(uint32_t)members[at];
			}
			if (net) {
				emit(c, kept++, key, member, net);
			}
		}
	}
	free(order);
	free(ends);
	free(members);
	return kept;
}

ent_cells_flush ent_cells_sort(ent_cells *c) {
	uint32_t *order = order_of(&c->keys);
	c->sorted = ent_xrealloc(c->sorted, (size_t)c->keys.n * sizeof *c->sorted);
	size_t n = 0;
	static const int64_t zero[ENT_FAMILY_WIDTH];
	for (uint32_t i = 0; i < c->keys.n; i++) {
		const ent__row *r = &c->rows[order[i]];
		if (memcmp(r->m, zero, sizeof zero) != 0) {
			c->sorted[n].key = c->keys.keys[order[i]];
			memcpy(c->sorted[n++].m, r->m, sizeof zero);
		}
	}
	free(order);
	c->set_changes = ent_xrealloc(c->set_changes, c->sets.n * sizeof *c->set_changes);
	c->dist_changes = ent_xrealloc(c->dist_changes, c->dists.n * sizeof *c->dist_changes);
	ent_cells_flush f = {.cells = c->sorted, .n_cells = n};
	f.n_sets = net_pairs(c, &c->sets, set_change);
	f.n_dists = net_pairs(c, &c->dists, dist_change);
	f.sets = c->set_changes;
	f.dists = c->dist_changes;
	return f;
}
