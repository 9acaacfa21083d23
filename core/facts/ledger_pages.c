/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory in large pages, see ledger_pages.h. */
#include "facts/ledger_pages.h"
#include "base/arena.h"

#include <stdint.h>
#include <sys/mman.h>

#define SMALL ((size_t)4096)
#define LARGE ((size_t)2 << 20)

/* The end may be in small pages: 2 MB more would be too much for small tables. */
size_t ent__pages_size(size_t bytes) { return (bytes + SMALL - 1) / SMALL * SMALL; }

static void *mapped(void *p) { return p == MAP_FAILED ? ent_xmalloc(SIZE_MAX / 4) : p; }

/* Advice: a kernel without it is only slower. Workers are started by fork and exec: they need no copy of the tables. */
static void *advised(void *p, size_t bytes) {
	madvise(p, bytes, MADV_HUGEPAGE);
	madvise(p, bytes, MADV_DONTFORK);
	return p;
}

/* A place that begins where a large page may begin. */
static uint8_t *place(size_t bytes) {
	size_t slack = bytes < LARGE ? 0 : LARGE;
	uint8_t *p = mapped(mmap(NULL, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	size_t before = slack ? (LARGE - (uintptr_t)p % LARGE) % LARGE : 0;
	if (before) {
		munmap(p, before);
	}
	if (slack - before) {
		munmap(p + before + bytes, slack - before);
	}
	return p + before;
}

void *ent__pages_map(size_t bytes) { return advised(place(bytes), bytes); }

void *ent__pages_grow(void *p, size_t old, size_t new_bytes) {
	if (new_bytes == old) {
		return p;
	}
	void *to = place(new_bytes); /* holds the address until the old pages are moved over it */
	return advised(mapped(mremap(p, old, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to)), new_bytes);
}

void ent__pages_ready(void *p, size_t bytes) {
#ifdef MADV_POPULATE_WRITE
	uintptr_t from = (uintptr_t)p / SMALL * SMALL, to = ((uintptr_t)p + bytes + SMALL - 1) / SMALL * SMALL;
	madvise((void *)from, to - from, MADV_POPULATE_WRITE);
#else
	(void)p;
	(void)bytes;
#endif
}

void ent__pages_unmap(void *p, size_t bytes) {
	if (p) {
		munmap(p, bytes);
	}
}
