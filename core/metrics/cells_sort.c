/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorting of cells and their members for the commit, see cells.h. One thread; not while anybody adds to the same cells.
 *
 * Of a key's 159 bits few differ between the cells of one commit: they are packed into one word and radix-sorted.
 * Members are dealt out to their keys first and each key's few are sorted for themselves: they came in clusters, so
 * that this stays in the cache. Memory is kept for the next time. */
#include "metrics/cells_internal.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { DIGIT = 11, PASSES = (64 + DIGIT - 1) / DIGIT, FIELDS = 7, FEW = 24, MANY = 2048 };

/* Room for n items; what was in it is lost. */
#define ROOM(array, n, capacity)                                                                                       \
	do {                                                                                                               \
		if ((n) > (capacity)) {                                                                                        \
			(capacity) = (n) + (n) / 4;                                                                                \
			free(array);                                                                                               \
			(array) = ent_xmalloc((capacity) * sizeof *(array));                                                       \
		}                                                                                                              \
	} while (0)

void ent__sorting_finish(ent__sorting *s) {
	free(s->items);
	free(s->others);
	free(s->cells);
	for (int i = 0; i < 2; i++) {
		free(s->groups[i]);
		free(s->changes[i]);
		free(s->members[i]);
	}
	free(s->ends);
	free(s->spare);
}

/* ---- order of keys --------------------------------------------------------------------------------------------------
 */

/* A key as three words, in which the day is unsigned. */
typedef struct words {
	uint64_t a, b;
	uint32_t c;
} words;

_Static_assert(offsetof(ent_cell_key, value) == 8 && offsetof(ent_cell_key, view) == 16, "words are taken of it");

static inline words words_of(const ent_cell_key *k) {
	words w;
	memcpy(&w.a, k, 8);
	memcpy(&w.b, &k->value, 8);
	memcpy(&w.c, &k->view, 4);
	return w;
}

/* The parts of a key in their order, the day as unsigned. */
static inline __attribute__((always_inline)) void parts_of(const ent_cell_key *k, uint32_t parts[FIELDS]) {
	parts[0] = k->partner;
	parts[1] = (uint32_t)k->day ^ UINT32_C(0x80000000);
	parts[2] = k->family;
	parts[3] = k->view;
	parts[4] = k->value;
	parts[5] = k->currency;
	parts[6] = k->origin;
}

/* Which bits of each part go into the packed word, and where. Bits above those in which keys differ order nothing. */
typedef struct packing {
	uint32_t mask[FIELDS];
	unsigned shift[FIELDS], bits;
} packing;

static packing find_packing(const ent__keytab *t) {
	packing p = {.bits = 0};
	words first = t->n ? words_of(t->keys) : (words){0}, differ = {0};
	for (uint32_t i = 1; i < t->n; i++) {
		words w = words_of(&t->keys[i]);
		differ.a |= w.a ^ first.a;
		differ.b |= w.b ^ first.b;
		differ.c |= w.c ^ first.c;
	}
	ent_cell_key as_key;
	memcpy(&as_key, &differ.a, 8);
	memcpy(&as_key.value, &differ.b, 8);
	memcpy(&as_key.view, &differ.c, 4);
	as_key.day ^= INT32_MIN; /* parts_of turns it */
	parts_of(&as_key, p.mask);
	for (unsigned k = FIELDS; k-- > 0;) {
		unsigned n = p.mask[k] ? 32u - (unsigned)__builtin_clz(p.mask[k]) : 0;
		p.mask[k] = (uint32_t)((UINT64_C(1) << n) - 1);
		p.shift[k] = p.bits;
		p.bits += n;
	}
	return p;
}

/* Radix sort by the low `bits` of the keys. Returns where the items are then. */
static ent__sortable *radix_sort(ent__sortable *from, ent__sortable *to, size_t n, unsigned bits) {
	static const uint64_t mask = (1 << DIGIT) - 1;
	uint32_t counts[PASSES][1 << DIGIT];
	unsigned passes = (bits + DIGIT - 1) / DIGIT;
	memset(counts, 0, passes * sizeof *counts);
	for (size_t i = 0; i < n; i++) {
		for (unsigned p = 0; p < passes; p++) {
			counts[p][from[i].key >> p * DIGIT & mask]++;
		}
	}
	for (unsigned p = 0; p < passes; p++) {
		uint32_t sum = 0;
		for (unsigned d = 0; d <= mask; d++) {
			uint32_t next = sum + counts[p][d];
			counts[p][d] = sum;
			sum = next;
		}
		for (size_t i = 0; i < n; i++) {
			to[counts[p][from[i].key >> p * DIGIT & mask]++] = from[i];
		}
		ent__sortable *swap = from;
		from = to;
		to = swap;
	}
	return from;
}

static int by_key(const void *a, const void *b, void *keys) {
	return ent_cell_key_compare((const ent_cell_key *)keys + ((const ent__sortable *)a)->number,
		(const ent_cell_key *)keys + ((const ent__sortable *)b)->number);
}

/* Numbers of the keys in their order. */
static const ent__sortable *sort_keys(ent__sorting *s, const ent__keytab *t) {
	uint32_t parts[FIELDS];
	if (t->n > s->capacity) {
		size_t other = s->capacity;
		ROOM(s->items, t->n, s->capacity);
		ROOM(s->others, t->n, other);
	}
	packing p = find_packing(t);
	bool fits = p.bits <= 64;
	for (uint32_t i = 0; i < t->n; i++) {
		uint64_t key = 0;
		if (fits) {
			parts_of(&t->keys[i], parts);
			for (unsigned k = 0; k < FIELDS; k++) {
				/* one that is the same everywhere adds nothing, wherever it would go */
				key |= (uint64_t)(parts[k] & p.mask[k]) << (p.shift[k] & 63);
			}
		}
		s->items[i] = (ent__sortable){key, i};
	}
	if (!fits) {
		qsort_r(s->items, t->n, sizeof *s->items, by_key, t->keys);
		return s->items;
	}
	return radix_sort(s->items, s->others, t->n, p.bits);
}

/* ---- members --------------------------------------------------------------------------------------------------------
 */

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

/* Many: by the bits of their upper halves in which they differ, with so few digits that counting does not cost more than the
 * members. */
static void sort_many(ent__sorting *s, uint64_t *a, size_t n) {
	ROOM(s->spare, n, s->spare_capacity);
	uint64_t differ = 0;
	for (size_t i = 1; i < n; i++) {
		differ |= a[i] ^ a[0];
	}
	differ >>= 32;
	if (!differ) {
		return;
	}
	unsigned digit = n < 256 ? 6 : n < MANY ? 8 : DIGIT, end = 96 - (unsigned)__builtin_clzll(differ);
	uint64_t *from = a, *to = s->spare, mask = (1u << digit) - 1;
	for (unsigned shift = 32 + (unsigned)__builtin_ctzll(differ); shift < end; shift += digit) {
		uint32_t count[1 << DIGIT], sum = 0;
		memset(count, 0, (mask + 1) * sizeof *count);
		for (size_t i = 0; i < n; i++) {
			count[from[i] >> shift & mask]++;
		}
		for (unsigned d = 0; d <= mask; d++) {
			uint32_t next = sum + count[d];
			count[d] = sum;
			sum = next;
		}
		for (size_t i = 0; i < n; i++) {
			to[count[from[i] >> shift & mask]++] = from[i];
		}
		uint64_t *swap = from;
		from = to;
		to = swap;
	}
	if (from != a) {
		memcpy(a, from, n * sizeof *a);
	}
}

/* Adds up equal members and leaves out those of which nothing remains. Returns how many are left. */
static uint32_t net(uint64_t *a, size_t n) {
	uint32_t kept = 0;
	for (size_t i = 0; i < n;) {
		uint32_t member = ent_change_member(a[i]);
		int32_t sum = ent_change_net(a[i++]);
		for (; i < n && ent_change_member(a[i]) == member; i++) {
			sum += ent_change_net(a[i]);
		}
		if (sum) {
			a[kept++] = ent_change(member, sum);
		}
	}
	return kept;
}

/* The groups of the cells of one partner's day in their order, which nearly always they have: not where there are several
 * currencies, and a currency is left out or cells have two distributions. */
static void order_groups(ent__group *first, ent__group *end) {
	if (end - first < 2) {
		return;
	}
	for (ent__group *g = first + 1; g < end; g++) {
		if (ent_cell_key_compare(&g[-1].key, &g->key) <= 0) {
			continue;
		}
		ent__group v = *g, *k = g;
		for (; k > first && ent_cell_key_compare(&k[-1].key, &v.key) > 0; k--) {
			*k = k[-1];
		}
		*k = v;
	}
}

static void add_group(ent__group *g, const ent_cell_key *cell, uint8_t family, bool currency, uint32_t pair) {
	*g = (ent__group){*cell, pair};
	g->key.family = family;
	g->key.currency = currency ? cell->currency : 0;
}

/* Finds the groups of all sets (which 0) or distributions (1), in order; of one key there may be several, side by side. */
static size_t find_groups(ent_cells *c, const ent__sortable *order, unsigned which) {
	ent__sorting *s = &c->sorting;
	ROOM(s->groups[which], (size_t)c->keys.n * (which ? ENT__DISTS_A_CELL : 1), s->groups_capacity[which]);
	ent__group *first = s->groups[which], *g = first;
	for (uint32_t i = 0; i < c->keys.n; i++) {
		uint32_t cell = order[i].number;
		const ent_cell_key *key = &c->keys.keys[cell];
		const ent__row *r = &c->rows[cell];
		if (g > first && (g[-1].key.partner != key->partner || g[-1].key.day != key->day)) {
			order_groups(first, g);
			first = g;
		}
		if (!which && r->set) {
			add_group(g++, key, r->set - 1, false, cell);
		}
		for (unsigned k = 0; which && k < ENT__DISTS_A_CELL && r->dists[k]; k++) {
			add_group(g++, key, (uint8_t)((r->dists[k] & ~ENT__CURRENCY) - 1), r->dists[k] & ENT__CURRENCY,
				cell * ENT__DISTS_A_CELL + k);
		}
	}
	order_groups(first, g);
	return (size_t)(g - s->groups[which]);
}

/* Changes of all sets (which 0) or distributions (1). */
static size_t sort_members(ent_cells *c, const ent__sortable *order, unsigned which) {
	ent__sorting *s = &c->sorting;
	const ent__pairs *p = which ? &c->dists : &c->sets;
	size_t keys = (size_t)c->keys.n * (which ? ENT__DISTS_A_CELL : 1), n_groups = find_groups(c, order, which), sum = 0,
		   kept = 0;
	const ent__group *groups = s->groups[which];
	ROOM(s->ends, keys, s->ends_capacity);
	ROOM(s->changes[which], n_groups, s->changes_capacity[which]);
	ROOM(s->members[which], p->n, s->members_capacity[which]);
	uint64_t *members = s->members[which];
	size_t *ends = s->ends;
	if (keys) {
		memset(ends, 0, keys * sizeof *ends);
	}
	for (size_t i = 0; i < p->n; i++) {
		ends[p->items[i].key]++;
	}
	for (size_t i = 0; i < n_groups; i++) {
		size_t n = ends[groups[i].pair];
		ends[groups[i].pair] = sum;
		sum += n;
	}
	for (size_t i = 0; i < p->n; i++) {
		members[ends[p->items[i].key]++] = ent_change(p->items[i].member, p->items[i].net);
	}
	for (size_t i = 0, at = 0; i < n_groups;) {
		const ent_cell_key *key = &groups[i].key;
		size_t end = ends[groups[i++].pair];
		for (; i < n_groups && !ent_cell_key_compare(key, &groups[i].key); i++) {
			end = ends[groups[i].pair];
		}
		if (end - at <= FEW) {
			sort_few(members + at, end - at);
		} else {
			sort_many(s, members + at, end - at);
		}
		uint32_t left = net(members + at, end - at);
		if (left) {
			s->changes[which][kept++] = (ent_members_change){.key = key, .items = members + at, .n = left};
		}
		at = end;
	}
	return kept;
}

/* ---- all ------------------------------------------------------------------------------------------------------------
 */

static bool is_zero(const int64_t *m) {
	int64_t any = 0;
	for (unsigned i = 0; i < ENT_FAMILY_WIDTH; i++) {
		any |= m[i];
	}
	return !any;
}

ent_cells_flush ent_cells_sort(ent_cells *c) {
	ent__sorting *s = &c->sorting;
	ent_cells_flush f = {0};
	ROOM(s->cells, c->keys.n, s->cells_capacity);
	const ent__sortable *order = sort_keys(s, &c->keys);
	for (uint32_t i = 0; i < c->keys.n; i++) {
		const int64_t *m = ent_cells_row(c, order[i].number);
		if (!is_zero(m)) {
			s->cells[f.n_cells++] = (ent_cell_change){&c->keys.keys[order[i].number], m};
		}
	}
	f.n_sets = sort_members(c, order, 0);
	f.n_dists = sort_members(c, order, 1);
	f.cells = s->cells;
	f.sets = s->changes[0];
	f.dists = s->changes[1];
	return f;
}
