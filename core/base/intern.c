/* SPDX-License-Identifier: Apache-2.0
 *
 * Interning, see intern.h. */
#include "base/intern.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL /* keys are short: a call would cost as much as the hash */
#include <xxhash.h>

uint64_t ent_hash64(const void *p, size_t n, uint64_t seed) { return XXH3_64bits_withSeed(p, n, seed); }

void ent_intern_init(ent_intern *t) {
	*t = (ent_intern){.mask = 63};
	t->slots = ent_xcalloc(t->mask + 1, sizeof *t->slots);
	ent_intern_put(t, "", 0);
}

void ent_intern_finish(ent_intern *t) {
	if (!t) {
		return;
	}
	ent_arena_finish(&t->arena);
	free(t->items);
	free(t->slots);
	*t = (ent_intern){0};
}

static uint32_t slot_of(const ent_intern *t, const char *p, size_t n, uint64_t hash) {
	uint32_t i = (uint32_t)hash & t->mask;
	for (; t->slots[i]; i = (i + 1) & t->mask) {
		const struct ent__intern_item *item = &t->items[t->slots[i] - 1];
		if (item->hash == hash && item->n == n && !memcmp(item->p, p, n)) {
			break;
		}
	}
	return i;
}

static void grow(ent_intern *t) {
	uint32_t mask = t->mask * 2 + 1;
	uint32_t *slots = ent_xcalloc((size_t)mask + 1, sizeof *slots);
	for (uint32_t k = 0; k < t->count; k++) {
		uint32_t i = (uint32_t)t->items[k].hash & mask;
		while (slots[i]) {
			i = (i + 1) & mask;
		}
		slots[i] = k + 1;
	}
	free(t->slots);
	t->slots = slots;
	t->mask = mask;
}

uint32_t ent_intern_find(const ent_intern *t, const char *p, size_t n) {
	uint32_t i = slot_of(t, p ? p : "", n, ent_hash64(p ? p : "", n, 0));
	return t->slots[i] ? t->slots[i] - 1 : UINT32_MAX;
}

uint32_t ent_intern_put(ent_intern *t, const char *p, size_t n) {
	p = p ? p : "";
	uint64_t hash = ent_hash64(p, n, 0);
	uint32_t i = slot_of(t, p, n, hash);
	if (t->slots[i]) {
		return t->slots[i] - 1;
	}
	ENT_GROW(t->items, t->count, t->capacity);
	t->items[t->count] = (struct ent__intern_item){ent_arena_copy(&t->arena, p, n), (uint32_t)n, hash};
	t->slots[i] = ++t->count;
	if (t->count * 2 > t->mask) {
		grow(t);
	}
	return t->count - 1;
}

const char *ent_intern_text(const ent_intern *t, uint32_t number, size_t *n) {
	if (n) {
		*n = t->items[number].n;
	}
	return t->items[number].p;
}
