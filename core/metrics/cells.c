/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells in memory, see cells.h. */
#include "metrics/cells_internal.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(ent_cell_key) == 20, "the key is hashed and compared as bytes: no padding");

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

static void keytab_grow(ent__keytab *t) {
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

static uint32_t keytab_put(ent__keytab *t, const ent_cell_key *key) {
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

static void keytab_clear(ent__keytab *t) {
	t->n = 0;
	if (t->slots) {
		memset(t->slots, 0, ((size_t)t->mask + 1) * sizeof *t->slots);
	}
}

static void keytab_finish(ent__keytab *t) {
	free(t->keys);
	free(t->slots);
}

ent_cells *ent_cells_create(void) { return ent_xcalloc(1, sizeof(ent_cells)); }

void ent_cells_destroy(ent_cells *c) {
	if (!c) {
		return;
	}
	keytab_finish(&c->keys);
	free(c->rows);
	free(c->sets.items);
	free(c->dists.items);
	ent__sorting_finish(&c->sorting);
	free(c);
}

static unsigned memo_of(const ent_cell_key *key) { return (key->view * 8u ^ key->value) % ENT__MEMO; }

static bool remembered(const ent_cells *c, uint32_t memo, const ent_cell_key *key) {
	return memo && !memcmp(&c->keys.keys[memo - 1], key, sizeof *key);
}

void ent_cells_prefetch(const ent_cells *c, const ent_cell_key *key) {
	if (c->keys.slots && !remembered(c, c->memo[memo_of(key)], key)) {
		__builtin_prefetch(&c->keys.slots[hash(key) & c->keys.mask]);
	}
}

static inline uint32_t cell_at(ent_cells *c, const ent_cell_key *key, uint32_t *memo) {
	if (remembered(c, *memo, key)) {
		return *memo - 1;
	}
	uint32_t before = c->keys.n;
	uint32_t number = keytab_put(&c->keys, key);
	if (c->keys.n != before) {
		ENT_GROW(c->rows, number, c->row_capacity);
		memset(&c->rows[number], 0, sizeof c->rows[number]);
	} else {
		for (size_t i = 0; i < sizeof *c->rows; i += 64) {
			__builtin_prefetch((const char *)&c->rows[number] + i, 1);
		}
	}
	*memo = number + 1;
	return number;
}

uint32_t ent_cells_at(ent_cells *c, const ent_cell_key *key) { return cell_at(c, key, &c->memo[memo_of(key)]); }

uint32_t ent_cells_custom_at(ent_cells *c, const ent_cell_key *key) {
	return cell_at(c, key, &c->custom_memo[(memo_of(key) ^ key->family * 21u) % ENT__MEMO]);
}

int64_t *ent_cells_row(ent_cells *c, uint32_t cell) { return c->rows[cell].m; }

static void add_pair(ent__pairs *p, uint32_t key, uint32_t member, int32_t net) {
	ENT_GROW(p->items, p->n, p->capacity);
	p->items[p->n++] = (ent__pair){key, member, net};
}

void ent_cells_set(ent_cells *c, uint32_t cell, uint8_t family, uint32_t id, int32_t net) {
	c->rows[cell].set = family + 1;
	add_pair(&c->sets, cell, id, net);
}

void ent_cells_dist(ent_cells *c, uint32_t cell, uint8_t family, bool currency, int32_t bucket, int32_t net) {
	uint8_t *dists = c->rows[cell].dists, dist = (uint8_t)(family + 1) | (currency ? ENT__CURRENCY : 0);
	unsigned i = dists[0] && dists[0] != dist;
	dists[i] = dist;
	add_pair(&c->dists, cell * ENT__DISTS_A_CELL + i, ent_bucket_member(bucket), net);
}

size_t ent_cells_bytes(const ent_cells *c) {
	return (size_t)c->keys.n * (sizeof(ent_cell_key) + sizeof *c->rows + 8) + c->sets.n * sizeof(ent__pair) +
		   c->dists.n * sizeof(ent__pair);
}

bool ent_cells_empty(const ent_cells *c) { return c->keys.n == 0; }

void ent_cells_reset(ent_cells *c) {
	keytab_clear(&c->keys);
	c->sets.n = c->dists.n = 0;
	memset(c->memo, 0, sizeof c->memo);
	memset(c->custom_memo, 0, sizeof c->custom_memo);
}
