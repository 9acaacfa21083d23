/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger's index, see ledger.h. One thread; owned by whoever created it.
 *
 * Open addressing with linear probing, kept in order: an entry's home is the upper part of its mixed key, scaled to
 * the number of homes, and entries stand in the order of their mixed keys. So a search ends at the first larger key,
 * nothing is ever marked as deleted, and the entries can be written out and read in again in one sequence.
 *
 * The table grows in place, by three quarters, when as many of its homes are taken (21 to 38 bytes an entry), and without
 * a pause: entries move to their new homes from the upper end down, some at each add, while those below a limit that
 * falls still have the old ones. All that the search needs is that homes rise with the keys, and across that limit they
 * do. When it has reached the lower end, no more than an eighth was added: the densest part was 0.84 full. */
#include "base/arena.h"
#include "facts/ledger.h"
#include "facts/ledger_pages.h"

#include <stdlib.h>
#include <string.h>

#define LEAST 1024u
enum { EVERY = 64, MOVES = EVERY * 8, FORESEEN = 256 }; /* at every 64th add, 8 for each of these */
#define AT_ONCE ((uint64_t)1 << 16) /* slots whose memory is asked for at once: 1 MiB */

struct ent_index {
	ent_index_entry *slots;
	uint64_t homes;  /* homes are 0 .. homes - 1 */
	uint64_t before; /* as many there were before the table grew; the same if nothing has to move any more */
	uint64_t upto;   /* mixed keys up to this one have their home among those */
	uint64_t n;      /* slots; those beyond the homes take what is pushed out at the end. The last one is always free */
	uint64_t count, limit, expected;
	uint64_t filled; /* first slot that ent_index_fill may use */
	uint64_t ready;  /* growing: the new slots from this one on have their memory; filling: those before it */
	uint64_t fresh;  /* the first new slot */
	size_t bytes;            /* mapped */
	ent_index_entry *moving; /* on their way */
	size_t moving_n, moving_capacity;
};

/* Odd, so no two keys become one. Keys are hashes already; this keeps small numbers apart, too. */
static inline uint64_t mixed(uint64_t key) { return key * UINT64_C(0x9e3779b97f4a7c15); }

static inline uint64_t scaled(uint64_t mix, uint64_t homes) { return (uint64_t)((unsigned __int128)mix * homes >> 64); }

static inline uint64_t home_of(const ent_index *x, uint64_t mix) {
	return scaled(mix, mix > x->upto ? x->homes : x->before);
}

static void size_for(ent_index *x, uint64_t homes) {
	x->homes = homes;
	uint64_t n = homes + homes / 1024 + 64;
	x->n = n > x->n ? n : x->n;
	x->limit = homes / 4 * 3;
}

static uint64_t homes_for(uint64_t entries) { return entries + entries / 3 + entries / 64; }

ent_index *ent_index_create(uint64_t expected) {
	ent_index *x = ent_xcalloc(1, sizeof *x);
	uint64_t homes = homes_for(expected);
	size_for(x, homes < LEAST ? LEAST : homes);
	x->before = x->homes;
	x->bytes = ent__pages_size(x->n * sizeof *x->slots);
	x->slots = ent__pages_map(x->bytes);
	return x;
}

void ent_index_expect(ent_index *x, uint64_t entries) { x->expected = entries; }

void ent_index_destroy(ent_index *x) {
	if (x) {
		ent__pages_unmap(x->slots, x->bytes);
		free(x->moving);
		free(x);
	}
}

static void remap(ent_index *x) {
	size_t bytes = ent__pages_size(x->n * sizeof *x->slots);
	x->slots = ent__pages_grow(x->slots, x->bytes, bytes);
	x->bytes = bytes;
}

static void lengthen(ent_index *x) {
	x->n += x->n / 64 + 64;
	remap(x);
}

/* Puts an entry into a slot; the larger ones that stand there make room, up to the next free slot. */
static inline void place(ent_index *x, uint64_t slot, ent_index_entry entry) {
	ent_index_entry *e = x->slots + slot;
	if (e->at) {
		ent_index_entry *end = e;
		while (end->at) {
			end++;
		}
		memmove(e + 1, e, (size_t)(end - e) * sizeof *e);
	}
	*e = entry;
	if (x->slots[x->n - 1].at) {
		lengthen(x);
	}
}

/* The uppermost entries of those with old homes move to their new ones: they are taken out, the limit falls below them,
 * and they are put in again, from the lowest on. Entries of one mixed key stay together. */
static void move_some(ent_index *x) {
	uint64_t end = scaled(x->upto, x->before);
	while (x->slots[end].at && mixed(x->slots[end].key) <= x->upto) {
		end++;
	}
	uint64_t from = end, low = 0, n = 0;
	while (from > 0) {
		const ent_index_entry *e = x->slots + from - 1;
		if (e->at) {
			uint64_t mix = mixed(e->key);
			if (n >= MOVES && mix != low) {
				break;
			}
			low = mix;
			n++;
		}
		from--;
	}
	x->moving_n = 0;
	for (uint64_t i = from; i < end; i++) {
		if (x->slots[i].at) {
			ENT_GROW(x->moving, x->moving_n, x->moving_capacity);
			x->moving[x->moving_n++] = x->slots[i];
			x->slots[i].at = 0;
		}
	}
	uint64_t lowest = x->moving_n ? scaled(mixed(x->moving[0].key), x->homes) : 0;
	while (x->ready > lowest && x->ready > x->fresh) {
		uint64_t n_ready = x->ready - x->fresh < AT_ONCE ? x->ready - x->fresh : AT_ONCE;
		x->ready -= n_ready;
		ent__pages_ready(x->slots + x->ready, n_ready * sizeof *x->slots);
	}
	if (from) {
		x->upto = low - 1;
	} else {
		x->before = x->homes;
	}
	uint64_t next = from;
	for (size_t i = 0; i < x->moving_n; i++) {
		uint64_t slot = scaled(mixed(x->moving[i].key), x->homes);
		slot = slot < next ? next : slot;
		place(x, slot, x->moving[i]);
		next = slot + 1;
	}
}

/* Before each add. */
static inline void make_room(ent_index *x) {
	if (x->before != x->homes) {
		if (x->count % EVERY == 0) {
			move_some(x);
		}
	} else if (x->count >= x->limit) {
		x->fresh = x->n;
		/* more than that, and it was a mistake: what is expected changes from time to time */
		uint64_t least = x->homes + x->homes / 4 * 3, most = x->homes * FORESEEN;
		uint64_t homes = x->expected < most ? homes_for(x->expected) : most;
		size_for(x, homes < least ? least : homes);
		x->upto = UINT64_MAX;
		x->ready = x->n;
		remap(x);
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

ent_index_entry *ent_index_find_or_slot(ent_index *x, uint64_t key, ent_index_slot *slot) {
	make_room(x);
	uint64_t mix = mixed(key);
	ent_index_entry *e = x->slots + home_of(x, mix);
	for (; e->at; e++) {
		if (e->key == key) {
			return e;
		}
		if (mixed(e->key) > mix) {
			break;
		}
	}
	*slot = (ent_index_slot)(e - x->slots);
	return NULL;
}

ent_index_entry *ent_index_add_at(ent_index *x, ent_index_slot slot, uint64_t key, ent_position at) {
	place(x, slot, (ent_index_entry){.key = key, .at = at});
	x->count++;
	return x->slots + slot;
}

ent_index_entry *ent_index_add(ent_index *x, uint64_t key, ent_position at) {
	make_room(x);
	uint64_t mix = mixed(key);
	const ent_index_entry *e = x->slots + home_of(x, mix);
	while (e->at && mixed(e->key) <= mix) {
		e++;
	}
	return ent_index_add_at(x, (ent_index_slot)(e - x->slots), key, at);
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
	__builtin_prefetch(e, 1);
	__builtin_prefetch(e + 4, 1); /* the next line: a search passes three entries at the fullest */
}

uint64_t ent_index_count(const ent_index *x) { return x->count; }
uint64_t ent_index_bytes(const ent_index *x) { return x->bytes; }

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

size_t ent_index_slice(const ent_index *x, ent_index_cursor *c, ent_index_entry *out, size_t max) {
	if (c->end) {
		return 0;
	}
	size_t n = 0;
	for (uint64_t i = home_of(x, c->next); i < x->n; i++) {
		const ent_index_entry *e = x->slots + i;
		if (!e->at || mixed(e->key) < c->next) {
			continue;
		}
		if (n == max) { /* the next slice begins with the first of a key: the table may change in between */
			c->next = mixed(e->key);
			while (n && mixed(out[n - 1].key) == c->next) {
				n--;
			}
			return n;
		}
		out[n++] = *e;
	}
	c->end = true;
	return n;
}

bool ent_index_fill(ent_index *x, const ent_index_entry *entries, size_t n) {
	for (size_t i = 0; i < n; i++) {
		uint64_t mix = mixed(entries[i].key), slot = home_of(x, mix);
		if (!entries[i].at || (x->filled && mix < mixed(x->slots[x->filled - 1].key))) {
			return false;
		}
		slot = slot < x->filled ? x->filled : slot;
		if (slot >= x->ready && x->ready < x->n) {
			uint64_t n_ready = x->n - x->ready < AT_ONCE ? x->n - x->ready : AT_ONCE;
			ent__pages_ready(x->slots + x->ready, n_ready * sizeof *x->slots);
			x->ready += n_ready;
		}
		place(x, slot, entries[i]);
		x->filled = slot + 1;
	}
	x->count += n;
	return x->count <= x->limit;
}
