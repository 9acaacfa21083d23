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

enum { DISTS = 2, MEMO = 64 };

typedef struct row {
	int64_t m[ENT_FAMILY_WIDTH];
	/* where the members gather: number of a keytab + 1, 0: not looked up yet */
	uint32_t set, dists[DISTS];
	uint8_t dist_family[DISTS];
} row;

struct ent_cells {
	keytab keys;
	row *rows;
	uint32_t row_capacity;
	/* The cell that was last found for a view and the end of its value: what is read one after another mostly falls into
	 * the same day. Numbers + 1. */
	uint32_t memo[MEMO];
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

uint32_t ent_cells_at(ent_cells *c, const ent_cell_key *key) {
	uint32_t *memo = &c->memo[(key->view * 8u ^ key->value) % MEMO];
	if (*memo && !memcmp(&c->keys.keys[*memo - 1], key, sizeof *key)) {
		return *memo - 1;
	}
	uint32_t before = c->keys.n;
	uint32_t number = keytab_put(&c->keys, key);
	if (c->keys.n != before) {
		ENT_GROW(c->rows, number, c->row_capacity);
		memset(&c->rows[number], 0, sizeof c->rows[number]);
	}
	*memo = number + 1;
	return number;
}

int64_t *ent_cells_row(ent_cells *c, uint32_t cell) { return c->rows[cell].m; }

static void add_pair(pairs *p, uint32_t key, uint32_t member, int32_t net) {
	ENT_GROW(p->items, p->n, p->capacity);
	p->items[p->n++] = (pair){key, member, net};
}

void ent_cells_set(ent_cells *c, uint32_t cell, uint8_t family, uint32_t id, int32_t net) {
	uint32_t *set = &c->rows[cell].set;
	if (!*set) {
		ent_cell_key key = c->keys.keys[cell];
		key.family = family;
		key.currency = 0;
		*set = keytab_put(&c->sets.keys, &key) + 1;
	}
	add_pair(&c->sets, *set - 1, id, net);
}

void ent_cells_dist(ent_cells *c, uint32_t cell, uint8_t family, bool currency, int32_t bucket, int32_t net) {
	row *r = &c->rows[cell];
	unsigned i = r->dists[0] && r->dist_family[0] != family;
	if (!r->dists[i]) {
		ent_cell_key key = c->keys.keys[cell];
		key.family = r->dist_family[i] = family;
		key.currency = currency ? key.currency : 0;
		r->dists[i] = keytab_put(&c->dists.keys, &key) + 1;
	}
	/* buckets may be negative; the offset keeps their order as unsigned members */
	add_pair(&c->dists, r->dists[i] - 1, (uint32_t)bucket ^ UINT32_C(0x80000000), net);
}

size_t ent_cells_bytes(const ent_cells *c) {
	return (size_t)c->keys.n * (sizeof(ent_cell_key) + sizeof *c->rows + 8) + c->sets.n * sizeof(pair) +
		   c->dists.n * sizeof(pair);
}

bool ent_cells_empty(const ent_cells *c) { return c->keys.n == 0 && c->sets.n == 0 && c->dists.n == 0; }

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
static uint32_t *order_of(const keytab *t) {
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
static inline __attribute__((always_inline)) size_t net_pairs(ent_cells *c, const pairs *p, net_change emit) {
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
		const row *r = &c->rows[order[i]];
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

void ent_cells_reset(ent_cells *c) {
	keytab_clear(&c->keys);
	keytab_clear(&c->sets.keys);
	keytab_clear(&c->dists.keys);
	c->sets.n = c->dists.n = 0;
	memset(c->memo, 0, sizeof c->memo);
}
