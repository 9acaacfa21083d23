/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger's index, see ledger.h. One thread; owned by whoever created it.
 *
 * Open addressing with linear probing, kept in order: an entry's home is the upper part of its mixed key, scaled to
 * the size of the table, and entries stand in the order of their mixed keys. So a search ends at the first larger key,
 * nothing is ever marked as deleted, and the table grows in place, by two sequential passes, instead of into a second
 * one beside it: the peak is the table itself. Filled to 0.8 and grown by 1.3 it takes 30 to 39 bytes an entry. */
#include "facts/ledger.h"
#include "base/arena.h"
#include "facts/ledger_pages.h"

#include <stdlib.h>
#include <string.h>

#define LEAST 1024u

struct ent_index {
	ent_index_entry *slots;
	uint64_t homes; /* homes are 0 .. homes - 1 */
	uint64_t n;     /* slots; those beyond the homes take what is pushed out at the end. The last one is always free */
	uint64_t count, limit;
	size_t bytes; /* mapped */
};

/* Odd, so no two keys become one. Keys are hashes already; this keeps small numbers apart, too. */
static inline uint64_t mixed(uint64_t key) { return key * UINT64_C(0x9e3779b97f4a7c15); }

static inline uint64_t home_of(const ent_index *x, uint64_t mix) {
	return (uint64_t)((unsigned __int128)mix * x->homes >> 64);
}

static void size_for(ent_index *x, uint64_t homes) {
	x->homes = homes;
	uint64_t n = homes + homes / 1024 + 64;
	x->n = n > x->n ? n : x->n;
	x->limit = homes / 5 * 4;
}

ent_index *ent_index_create(uint64_t expected) {
	ent_index *x = ent_xcalloc(1, sizeof *x);
	uint64_t homes = expected + expected / 4 + expected / 64;
	size_for(x, homes < LEAST ? LEAST : homes);
	x->bytes = ent__pages_size(x->n * sizeof *x->slots);
	x->slots = ent__pages_map(x->bytes);
	return x;
}

void ent_index_destroy(ent_index *x) {
	if (x) {
		ent__pages_unmap(x->slots, x->bytes);
		free(x);
	}
}

static void remap(ent_index *x) {
	size_t bytes = ent__pages_size(x->n * sizeof *x->slots);
	x->slots = ent__pages_grow(x->slots, x->bytes, bytes);
	x->bytes = bytes;
}

static void lengthen(ent_index *x, uint64_t slots) {
	x->n += slots;
	remap(x);
}

/* More homes. First everything moves to the upper end, without gaps; then each entry, from the lowest on, goes to its
 * home or the next free slot. That is never above the place where it waits, except when the slots beyond the homes
 * cannot take what is pushed out: then there are made more of them. */
static void grow(ent_index *x) {
	uint64_t old = x->n;
	size_for(x, x->homes + x->homes * 3 / 10);
	remap(x);
	uint64_t to = x->n;
	for (uint64_t i = old; i-- > 0;) {
		if (x->slots[i].at && --to != i) {
			x->slots[to] = x->slots[i];
			x->slots[i].at = 0;
		}
	}
	uint64_t next = 0;
	for (uint64_t i = to; i < x->n; i++) {
		uint64_t slot = home_of(x, mixed(x->slots[i].key));
		slot = slot < next ? next : slot;
		if (slot > i) {
			uint64_t end = x->n, more = slot - i + 64;
			lengthen(x, more);
			memmove(x->slots + i + more, x->slots + i, (size_t)(end - i) * sizeof *x->slots);
			memset(x->slots + i, 0, (size_t)more * sizeof *x->slots);
			i += more;
		}
		if (slot != i) {
			x->slots[slot] = x->slots[i];
			x->slots[i].at = 0;
		}
		next = slot + 1;
	}
	if (x->slots[x->n - 1].at) {
		lengthen(x, x->n / 64 + 64);
	}
}

ent_index_entry *ent_index_find(const ent_index *x, uint64_t key, const ent_index_entry *after) {
	uint64_t mix = mixed(key);
	ent_index_entry *e = after ? x->slots + (after - x->slots) + 1 : x->slots + home_of(x, mix);
	for (; e->at; e++) {
		if (e->key == key) {
			return e;
		}
		if (mixed(e->key) > mix) {
			break;
		}
	}
	return NULL;
}

ent_index_entry *ent_index_add(ent_index *x, uint64_t key, uint64_t content, ent_position at) {
	if (x->count >= x->limit) {
		grow(x);
	}
	uint64_t mix = mixed(key);
	ent_index_entry *e = x->slots + home_of(x, mix);
	while (e->at && mixed(e->key) <= mix) {
		e++;
	}
	if (e->at) { /* the larger ones make room, up to the next free slot */
		ent_index_entry *end = e;
		while (end->at) {
			end++;
		}
		memmove(e + 1, e, (size_t)(end - e) * sizeof *e);
	}
	*e = (ent_index_entry){.key = key, .content = content, .at = at};
	x->count++;
	if (x->slots[x->n - 1].at) {
		uint64_t i = (uint64_t)(e - x->slots);
		lengthen(x, x->n / 64 + 64);
		e = x->slots + i;
	}
	return e;
}

void ent_index_remove(ent_index *x, ent_index_entry *e) {
	uint64_t gap = (uint64_t)(e - x->slots);
	/* What stands behind moves down by one as long as it is not at home: the first one at home ends the run. */
	uint64_t end = gap + 1;
	while (x->slots[end].at && home_of(x, mixed(x->slots[end].key)) < end) {
		end++;
	}
	memmove(e, e + 1, (size_t)(end - gap - 1) * sizeof *e);
	x->slots[end - 1].at = 0;
	x->count--;
}

void ent_index_prefetch(const ent_index *x, uint64_t key) {
	const ent_index_entry *e = x->slots + home_of(x, mixed(key));
	__builtin_prefetch(e);
	__builtin_prefetch(e + 3); /* the next line: a search passes three entries at the fullest */
}

uint64_t ent_index_count(const ent_index *x) { return x->count; }

int ent_index_each(ent_index *x, ent_index_visit visit, void *ctx) {
	for (uint64_t i = 0; i < x->n; i++) {
		if (x->slots[i].at) {
			int status = visit(ctx, &x->slots[i]);
			if (status) {
				return status;
			}
		}
	}
	return 0;
}
