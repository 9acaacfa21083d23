/* SPDX-License-Identifier: Apache-2.0
 *
 * Interning: text to a dense number and back. Number 0 is always the empty text. Open addressing over 64-bit hashes;
 * the text is kept in an arena, so pointers stay valid until finish. One thread. */
#ifndef ENT_BASE_INTERN_H
#define ENT_BASE_INTERN_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct ent_intern {
	ent_arena arena;
	struct ent__intern_item {
		const char *p;
		uint32_t n;
		uint64_t hash;
	} *items;
	uint32_t count, capacity;
	uint32_t *slots; /* number + 1, 0 = free */
	uint32_t mask;
} ent_intern;

void ent_intern_init(ent_intern *); /* a zeroed struct is not enough: number 0 has to exist */
void ent_intern_finish(ent_intern *);
/* The number of the text; a new one if it is new. */
uint32_t ent_intern_put(ent_intern *, const char *p, size_t n);
/* As put, but UINT32_MAX if the text is not there. */
uint32_t ent_intern_find(const ent_intern *, const char *p, size_t n);
/* NUL-terminated; number must be below count. */
const char *ent_intern_text(const ent_intern *, uint32_t number, size_t *n);

/* 64-bit hash of bytes (XXH3), the same on every machine and in every version. */
uint64_t ent_hash64(const void *p, size_t n, uint64_t seed);

#endif
