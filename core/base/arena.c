/* SPDX-License-Identifier: Apache-2.0
 *
 * Arena and the allocating helpers, see arena.h. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ent__arena_block {
	struct ent__arena_block *next;
	size_t size;
	_Alignas(16) char data[];
};

enum { FIRST_BLOCK = 16 * 1024 };

static void out_of_memory(void) {
	static const char text[] = "entente: out of memory\n";
	fwrite(text, 1, sizeof text - 1, stderr);
	abort();
}

void *ent_xmalloc(size_t bytes) {
	void *p = malloc(bytes ? bytes : 1);
	if (!p) {
		out_of_memory();
	}
	return p;
}

void *ent_xcalloc(size_t n, size_t bytes) {
	void *p = calloc(n ? n : 1, bytes ? bytes : 1);
	if (!p) {
		out_of_memory();
	}
	return p;
}

void *ent_xrealloc(void *old, size_t bytes) {
	void *p = realloc(old, bytes ? bytes : 1);
	if (!p) {
		out_of_memory();
	}
	return p;
}

void *ent_xaligned(size_t alignment, size_t bytes) {
	void *p;
	if (posix_memalign(&p, alignment, bytes)) {
		out_of_memory();
	}
	return p;
}

char *ent_xstrdup(const char *s) {
	size_t n = strlen(s) + 1;
	return memcpy(ent_xmalloc(n), s, n);
}

void ent_arena_finish(ent_arena *a) {
	if (!a) {
		return;
	}
	for (struct ent__arena_block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	*a = (ent_arena){0};
}

void *ent_arena_alloc(ent_arena *a, size_t bytes) {
	bytes = (bytes + 15) & ~(size_t)15;
	struct ent__arena_block *b = a->blocks;
	if (!b || b->size - a->used < bytes) {
		size_t size = b ? b->size * 2 : FIRST_BLOCK;
		if (size < bytes) {
			size = bytes;
		}
		struct ent__arena_block *fresh = ent_xmalloc(sizeof *fresh + size);
		fresh->next = b;
		fresh->size = size;
		a->blocks = b = fresh;
		a->used = 0;
	}
	void *p = b->data + a->used;
	a->used += bytes;
	return memset(p, 0, bytes);
}

char *ent_arena_copy(ent_arena *a, const char *bytes, size_t n) {
	char *p = ent_arena_alloc(a, n + 1);
	if (n) {
		memcpy(p, bytes, n);
	}
	return p;
}

char *ent_arena_printf(ent_arena *a, const char *format, ...) {
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *p = ent_arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
	vsnprintf(p, (size_t)(n < 0 ? 0 : n) + 1, format, again);
	va_end(again);
	return p;
}
