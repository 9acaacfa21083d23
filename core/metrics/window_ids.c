/* SPDX-License-Identifier: Apache-2.0
 *
 * How many different identities there are among those of some days: by a small table, by sorting, or by CRoaring,
 * whichever is quickest for so many. Of the reader of windows (window.h): no thread but its own. */
#include "base/arena.h"
#include "metrics/window_index.h"

#include <roaring/roaring.h>
#include <string.h>

#define FEW 512         /* identities: fewer are counted by a small table */
#define SORT_LIMIT 4096 /* identities: more are united by CRoaring */

static void make_room(struct ent__snap_index *x, size_t n) {
	if (x->ids_capacity < n) {
		size_t capacity = n < SORT_LIMIT ? SORT_LIMIT : n;
		x->ids = ent_xrealloc(x->ids, capacity * sizeof *x->ids);
		x->ids_other = ent_xrealloc(x->ids_other, capacity * sizeof *x->ids_other);
		x->ids_capacity = capacity;
	}
}

/* Radix sort by bytes; passes in which all agree are left out. Returns where the sorted ids are. */
static const uint32_t *sort_ids(uint32_t *a, uint32_t *b, size_t n) {
	for (unsigned shift = 0; shift < 32; shift += 8) {
		uint32_t count[256] = {0};
		for (size_t i = 0; i < n; i++) {
			count[a[i] >> shift & 255]++;
		}
		if (n && count[a[0] >> shift & 255] == n) {
			continue;
		}
		uint32_t at = 0;
		for (unsigned i = 0; i < 256; i++) {
			uint32_t c = count[i];
			count[i] = at;
			at += c;
		}
		for (size_t i = 0; i < n; i++) {
			b[count[a[i] >> shift & 255]++] = a[i];
		}
		uint32_t *other = a;
		a = b;
		b = other;
	}
	return a;
}

/* Of few: by a table with room for twice as many. Its slots hold id + 1, so that none is free by mistake. */
static size_t count_few(const uint32_t *ids, size_t n) {
	uint64_t slots[2 * FEW];
	size_t different = 0, mask = 15;
	while (mask + 1 < 2 * n) {
		mask = 2 * mask + 1;
	}
	memset(slots, 0, (mask + 1) * sizeof *slots);
	for (size_t i = 0; i < n; i++) {
		uint64_t wanted = (uint64_t)ids[i] + 1;
		size_t at = (size_t)(wanted * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
		while (slots[at] && slots[at] != wanted) {
			at = (at + 1) & mask;
		}
		different += !slots[at];
		slots[at] = wanted;
	}
	return different;
}

static size_t count_different(struct ent__snap_index *x, size_t n) {
	if (n < 2) {
		return n;
	}
	const uint32_t *ids = sort_ids(x->ids, x->ids_other, n);
	size_t different = 1;
	for (size_t i = 1; i < n; i++) {
		different += ids[i] != ids[i - 1];
	}
	return different;
}

uint64_t ent__ids_different(struct ent__snap_index *x, const uint32_t *ids, size_t n) {
	if (n <= FEW) {
		return count_few(ids, n);
	}
	if (n <= SORT_LIMIT) {
		make_room(x, n);
		memcpy(x->ids, ids, n * sizeof *ids);
		return count_different(x, n);
	}
	roaring_bitmap_t *all = roaring_bitmap_create();
	roaring_bitmap_add_many(all, n, ids);
	uint64_t different = roaring_bitmap_get_cardinality(all);
	roaring_bitmap_free(all);
	return different;
}
