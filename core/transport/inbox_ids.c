/* SPDX-License-Identifier: Apache-2.0
 *
 * The ids of deliveries that came, see inbox_ids.h: a ring in order of arrival, and a table of open addressing into it. */
#include "transport/inbox_ids.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

void ent__ids_finish(ent__ids *t) {
	free(t->ring);
	free(t->slots);
	*t = (ent__ids){0};
}

static ent__id *at(const ent__ids *t, uint64_t number) { return &t->ring[number & (t->room - 1)]; }

/* An id is a hash already. */
static size_t home(const ent__ids *t, const uint8_t id[16]) {
	uint64_t h;
	memcpy(&h, id, 8);
	return (size_t)h & (2 * t->room - 1);
}

/* Where it stands, or the free slot where it would. */
static size_t slot_of(const ent__ids *t, const uint8_t id[16]) {
	size_t i = home(t, id);
	while (t->slots[i] && memcmp(at(t, t->slots[i] - 1)->id, id, 16) != 0) {
		i = (i + 1) & (2 * t->room - 1);
	}
	return i;
}

bool ent__ids_find(const ent__ids *t, const uint8_t id[16]) { return t->room && t->slots[slot_of(t, id)]; }

static void drop_oldest(ent__ids *t) {
	size_t mask = 2 * t->room - 1, hole = slot_of(t, at(t, t->first)->id);
	t->first++;
	/* what was pushed on by what stood here moves up, so that a search need not know of holes */
	for (size_t i = (hole + 1) & mask; t->slots[i]; i = (i + 1) & mask) {
		size_t want = home(t, at(t, t->slots[i] - 1)->id);
		if (((i - want) & mask) >= ((i - hole) & mask)) {
			t->slots[hole] = t->slots[i];
			hole = i;
		}
	}
	t->slots[hole] = 0;
}

static void grow(ent__ids *t) {
	ent__ids old = *t;
	t->room = old.room ? old.room * 2 : 64;
	t->ring = ent_xmalloc(t->room * sizeof *t->ring);
	t->slots = ent_xcalloc(2 * t->room, sizeof *t->slots);
	for (uint64_t s = old.first; s < old.end; s++) {
		*at(t, s) = *at(&old, s);
		t->slots[slot_of(t, at(t, s)->id)] = s + 1;
	}
	free(old.ring);
	free(old.slots);
}

void ent__ids_add(ent__ids *t, const uint8_t id[16], int64_t arrival, size_t most) {
	if (ent__ids_find(t, id) || !most) {
		return;
	}
	while (t->end - t->first >= most) {
		drop_oldest(t);
	}
	if (t->end - t->first == t->room) {
		grow(t);
	}
	ent__id *x = at(t, t->end);
	memcpy(x->id, id, 16);
	x->arrival = arrival;
	t->slots[slot_of(t, id)] = ++t->end;
}

void ent__ids_forget(ent__ids *t, int64_t before) {
	while (t->first < t->end && at(t, t->first)->arrival < before) {
		drop_oldest(t);
	}
}
