/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells in memory, see cells.h. */
#include "metrics/cells.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(ent_cell_key) == 20, "the key is hashed and compared as bytes: no padding");

/* Keys to dense numbers, open addressing. */
typedef struct keytab {
	ent_cell_key *keys;
	uint32_t n, capacity;
	uint32_t *slots; /* number + 1 */
	uint32_t mask;
} keytab;

/* One member that came or went; `key` is a number of a keytab. */
typedef struct pair {
	uint32_t key, member;
	int32_t net;
} pair;

typedef struct pairs {
	keytab keys;
	pair *items;
	size_t n, capacity;
} pairs;

struct ent_cells {
	keytab keys;
	int64_t (*rows)[ENT_FAMILY_WIDTH];
	uint32_t row_capacity;
	pairs sets, dists;
	ent_cell *sorted;
	ent_set_change *set_changes;
	ent_dist_change *dist_changes;
};

int ent_cell_key_compare(const ent_cell_key *a, const ent_cell_key *b) {
#define BY(field)                                                                                                      \
	if (a->field != b->field)                                                                                          \
	return a->field < b->field ? -1 : 1
	BY(family);
	BY(partner);
	BY(day);
	BY(view);
	BY(value);
	BY(currency);
	BY(origin);
#undef BY
	return 0;
}

static uint32_t hash(const ent_cell_key *k) {
	uint64_t a, b;
	uint32_t c;
	memcpy(&a, k, 8);
	memcpy(&b, (const char *)k + 8, 8);
	memcpy(&c, (const char *)k + 16, 4);
	uint64_t h = (a ^ UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xBF58476D1CE4E5B9);
	h = (h ^ h >> 29 ^ b) * UINT64_C(0x94D049BB133111EB);
	h = (h ^ h >> 32 ^ c) * UINT64_C(0xD6E8FEB86659FD93);
	return (uint32_t)(h >> 32);
}

static void keytab_grow(keytab *t) {
	uint32_t mask = t->mask ? t->mask * 2 + 1 : 1023;
	uint32_t *slots = ent_xcalloc((size_t)mask + 1, sizeof *slots);
	for (uint32_t k = 0; k < t->n; k++) {
		uint32_t i = hash(&t->keys[k]) & mask;
		while (slots[i]) {
			i = (i + 1) & mask;
		}
		slots[i] = k + 1;
	}
	free(t->slots);
	t->slots = slots;
	t->mask = mask;
}

static uint32_t keytab_put(keytab *t, const ent_cell_key *key) {
	if ((t->n + 1) * 2 > t->mask) {
		keytab_grow(t);
	}
	uint32_t i = hash(key) & t->mask;
	for (; t->slots[i]; i = (i + 1) & t->mask) {
		if (!memcmp(&t->keys[t->slots[i] - 1], key, sizeof *key)) {
			return t->slots[i] - 1;
		}
	}
	ENT_GROW(t->keys, t->n, t->capacity);
	t->keys[t->n] = *key;
	t->slots[i] = ++t->n;
	return t->n - 1;
}

static void keytab_clear(keytab *t) {
	t->n = 0;
	if (t->slots) {
		memset(t->slots, 0, ((size_t)t->mask + 1) * sizeof *t->slots);
	}
}

static void keytab_finish(keytab *t) {
	free(t->keys);
	free(t->slots);
}

ent_cells *ent_cells_create(void) { return ent_xcalloc(1, sizeof(ent_cells)); }

void ent_cells_destroy(ent_cells *c) {
	if (!c) {
		return;
	}
	keytab_finish(&c->keys);
	keytab_finish(&c->sets.keys);
	keytab_finish(&c->dists.keys);
	free(c->rows);
	free(c->sets.items);
	free(c->dists.items);
	free(c->sorted);
	free(c->set_changes);
	free(c->dist_changes);
	free(c);
}

int64_t *ent_cells_at(ent_cells *c, const ent_cell_key *key) {
	uint32_t before = c->keys.n;
	uint32_t number = keytab_put(&c->keys, key);
	if (c->keys.n != before) {
		ENT_GROW(c->rows, number, c->row_capacity);
		memset(c->rows[number], 0, sizeof c->rows[number]);
	}
	return c->rows[number];
}

static void add_pair(pairs *p, const ent_cell_key *key, uint32_t member, int32_t net) {
	ENT_GROW(p->items, p->n, p->capacity);
	p->items[p->n++] = (pair){keytab_put(&p->keys, key), member, net};
}

void ent_cells_set(ent_cells *c, const ent_cell_key *key, uint32_t id, int32_t net) { add_pair(&c->sets, key, id, net); }

void ent_cells_dist(ent_cells *c, const ent_cell_key *key, int32_t bucket, int32_t net) {
	/* buckets may be negative; the offset keeps their order as unsigned members */
	add_pair(&c->dists, key, (uint32_t)bucket ^ UINT32_C(0x80000000), net);
}

size_t ent_cells_bytes(const ent_cells *c) {
	return (size_t)c->keys.n * (sizeof(ent_cell_key) + sizeof *c->rows + 8) + c->sets.n * sizeof(pair) +
		   c->dists.n * sizeof(pair);
}

bool ent_cells_empty(const ent_cells *c) { return c->keys.n == 0 && c->sets.n == 0 && c->dists.n == 0; }

static int by_key(const void *a, const void *b, void *keys) {
	return ent_cell_key_compare((const ent_cell_key *)keys + *(const uint32_t *)a,
		(const ent_cell_key *)keys + *(const uint32_t *)b);
}

/* Numbers of the keys in their order. */
static uint32_t *order_of(const keytab *t) {
	uint32_t *order = ent_xmalloc((size_t)t->n * sizeof *order);
	for (uint32_t i = 0; i < t->n; i++) {
		order[i] = i;
	}
	qsort_r(order, t->n, sizeof *order, by_key, t->keys);
	return order;
}

typedef struct sortable {
	uint64_t key;
	int64_t net;
} sortable;

/* Radix sort by the 64-bit key, 16 bits a pass; passes in which all keys agree are left out. */
static void radix_sort(sortable *a, size_t n) {
	sortable *b = ent_xmalloc(n * sizeof *b), *from = a, *to = b;
	uint32_t *count = ent_xmalloc(65536 * sizeof *count);
	for (unsigned shift = 0; shift < 64; shift += 16) {
		memset(count, 0, 65536 * sizeof *count);
		for (size_t i = 0; i < n; i++) {
			count[from[i].key >> shift & 0xffff]++;
		}
		if (n == 0 || count[from[0].key >> shift & 0xffff] == n) {
			continue;
		}
		uint32_t sum = 0;
		for (size_t d = 0; d < 65536; d++) {
			uint32_t next = sum + count[d];
			count[d] = sum;
			sum = next;
		}
		for (size_t i = 0; i < n; i++) {
			to[count[from[i].key >> shift & 0xffff]++] = from[i];
		}
		sortable *swap = from;
		from = to;
		to = swap;
	}
	if (from != a) {
		memcpy(a, from, n * sizeof *a);
	}
	free(b);
	free(count);
}

/* Pairs in order of (key, member), equal ones added up, zeros left out. The upper half of each sortable's key is the rank
 * of the cell's key; *keys_in_order gives the key back. */
static size_t net_pairs(const pairs *p, sortable **out, ent_cell_key **keys_in_order) {
	uint32_t *order = order_of(&p->keys), *rank = ent_xmalloc((size_t)p->keys.n * sizeof *rank);
	ent_cell_key *keys = ent_xmalloc((size_t)p->keys.n * sizeof *keys);
	for (uint32_t i = 0; i < p->keys.n; i++) {
		rank[order[i]] = i;
		keys[i] = p->keys.keys[order[i]];
	}
	sortable *items = ent_xmalloc(p->n * sizeof *items);
	for (size_t i = 0; i < p->n; i++) {
		items[i] = (sortable){(uint64_t)rank[p->items[i].key] << 32 | p->items[i].member, p->items[i].net};
	}
	radix_sort(items, p->n);
	size_t kept = 0;
	for (size_t i = 0; i < p->n;) {
		sortable sum = items[i++];
		while (i < p->n && items[i].key == sum.key) {
			sum.net += items[i++].net;
		}
		if (sum.net) {
			items[kept++] = sum;
		}
	}
	free(order);
	free(rank);
	*out = items;
	*keys_in_order = keys;
	return kept;
}

ent_cells_flush ent_cells_sort(ent_cells *c) {
	uint32_t *order = order_of(&c->keys);
	c->sorted = ent_xrealloc(c->sorted, (size_t)c->keys.n * sizeof *c->sorted);
	size_t n = 0;
	static const int64_t zero[ENT_FAMILY_WIDTH];
	for (uint32_t i = 0; i < c->keys.n; i++) {
		if (memcmp(c->rows[order[i]], zero, sizeof zero) != 0) {
			c->sorted[n].key = c->keys.keys[order[i]];
			memcpy(c->sorted[n++].m, c->rows[order[i]], sizeof zero);
		}
	}
	free(order);
	ent_cells_flush f = {.cells = c->sorted, .n_cells = n};
	sortable *items;
	ent_cell_key *keys;
	f.n_sets = net_pairs(&c->sets, &items, &keys);
	c->set_changes = ent_xrealloc(c->set_changes, f.n_sets * sizeof *c->set_changes);
	for (size_t i = 0; i < f.n_sets; i++) {
		c->set_changes[i] = (ent_set_change){keys[items[i].key >> 32], (uint32_t)items[i].key, (int32_t)items[i].net};
	}
	free(items);
	free(keys);
	f.n_dists = net_pairs(&c->dists, &items, &keys);
	c->dist_changes = ent_xrealloc(c->dist_changes, f.n_dists * sizeof *c->dist_changes);
	for (size_t i = 0; i < f.n_dists; i++) {
		c->dist_changes[i] = (ent_dist_change){.key = keys[items[i].key >> 32],
			.bucket = (int32_t)((uint32_t)items[i].key ^ UINT32_C(0x80000000)), .net = items[i].net};
	}
	free(items);
	free(keys);
	f.sets = c->set_changes;
	f.dists = c->dist_changes;
	return f;
}

void ent_cells_reset(ent_cells *c) {
	keytab_clear(&c->keys);
	keytab_clear(&c->sets.keys);
	keytab_clear(&c->dists.keys);
	c->sets.n = c->dists.n = 0;
}
