/* SPDX-License-Identifier: Apache-2.0
 *
 * Arena: memory that is given back all at once. Allocation never fails: out of memory ends the process (a half-built
 * configuration or catalogue is of no use to anyone). Not shared between threads; owned by whoever holds the struct. */
#ifndef ENT_BASE_ARENA_H
#define ENT_BASE_ARENA_H

#include <stddef.h>

typedef struct ent_arena {
	struct ent__arena_block *blocks;
	size_t used; /* in the newest block */
} ent_arena;

/* A zeroed struct is an empty arena. */
void ent_arena_finish(ent_arena *);
/* Zeroed, aligned to 16. */
void *ent_arena_alloc(ent_arena *, size_t bytes);
/* Copies n bytes and adds a NUL. */
char *ent_arena_copy(ent_arena *, const char *bytes, size_t n);
char *ent_arena_printf(ent_arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* malloc family that ends the process when memory is out. */
void *ent_xmalloc(size_t bytes);
void *ent_xcalloc(size_t n, size_t bytes);
void *ent_xrealloc(void *old, size_t bytes);
void *ent_xaligned(size_t alignment, size_t bytes); /* a power of two, at least 8; free() frees it */
char *ent_xstrdup(const char *);

/* Makes room for one more item in a growing array: `*capacity` doubles as needed. */
#define ENT_GROW(array, count, capacity)                                                                               \
	do {                                                                                                               \
		if ((count) >= (capacity)) {                                                                                   \
			(capacity) = (capacity) ? (capacity)*2 : 16;                                                               \
			(array) = ent_xrealloc((array), (size_t)(capacity) * sizeof *(array));                                     \
		}                                                                                                              \
	} while (0)

/* Sorts an array made by ENT_GROW: while it is empty it is NULL, which qsort must not see. */
#define ENT_SORT(array, count, compare)                                                                                \
	do {                                                                                                               \
		if (count) {                                                                                                   \
			qsort((array), (count), sizeof *(array), (compare));                                                       \
		}                                                                                                              \
	} while (0)
#define ENT_SORT_R(array, count, compare, ctx)                                                                         \
	do {                                                                                                               \
		if (count) {                                                                                                   \
			qsort_r((array), (count), sizeof *(array), (compare), (ctx));                                              \
		}                                                                                                              \
	} while (0)

#endif
