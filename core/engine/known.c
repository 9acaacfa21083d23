/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine knows of documents that it has read: by name, by file (device and inode), by content, by slice. Tables of
 * hashes that are kept for the life of the engine, so that to look for one document costs nothing by the others. A row that
 * got another name stays where it was found before; each hit is compared with its row. Loop thread only. */
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct wanted {
	uint32_t source;
	const char *name;
	uint64_t a, b; /* device and inode; content; slice */
} wanted;

enum { BY_NAME, BY_FILE, BY_CONTENT, BY_SLICE };

static wanted of_row(unsigned by, const ent_input *x) {
	switch (by) {
	case BY_NAME:
		return (wanted){.source = x->source, .name = x->name};
	case BY_FILE:
		return (wanted){.source = x->source, .a = x->device, .b = x->inode};
	case BY_CONTENT:
		return (wanted){.source = x->source, .a = x->content};
	default:
		return (wanted){.source = x->source, .a = x->slice};
	}
}

static uint64_t hash_of(const wanted *w) {
	uint64_t numbers[] = {w->source, w->a, w->b};
	uint64_t h = ent_hash64(numbers, sizeof numbers, 0);
	return w->name ? ent_hash64(w->name, strlen(w->name), h) : h;
}

static bool is(const wanted *a, const wanted *b) {
	return a->source == b->source && a->a == b->a && a->b == b->b && (!a->name || !strcmp(a->name, b->name));
}

static void grow(ent__known *t) {
	uint32_t size = t->mask ? (t->mask + 1) * 2 : 256;
	struct ent__known_slot *old = t->slots;
	uint32_t n = t->mask ? t->mask + 1 : 0;
	t->slots = ent_xcalloc(size, sizeof *t->slots);
	t->mask = size - 1;
	for (uint32_t i = 0; i < n; i++) {
		if (old[i].id) {
			uint32_t at = (uint32_t)old[i].hash & t->mask;
			while (t->slots[at].id) {
				at = (at + 1) & t->mask;
			}
			t->slots[at] = old[i];
		}
	}
	free(old);
}

/* The slot of what is looked for, or the free one where it would stand. */
static struct ent__known_slot *find(const ent_engine *e, const ent__known *t, unsigned by, const wanted *w, uint64_t hash) {
	for (uint32_t at = (uint32_t)hash & t->mask;; at = (at + 1) & t->mask) {
		struct ent__known_slot *slot = &t->slots[at];
		if (!slot->id) {
			return slot;
		}
		if (slot->hash == hash) {
			wanted there = of_row(by, &e->inputs[slot->id]);
			if (is(w, &there)) {
				return slot;
			}
		}
	}
}

static uint32_t get(const ent_engine *e, unsigned by, const wanted *w) {
	const ent__known *t = &e->known[by];
	return t->mask ? find(e, t, by, w, hash_of(w))->id : 0;
}

/* The id that stood there before, or 0. `if_newer`: an id of a higher generation stays. */
static uint32_t put(ent_engine *e, unsigned by, uint32_t id) {
	ent__known *t = &e->known[by];
	wanted w = of_row(by, &e->inputs[id]);
	uint64_t hash = hash_of(&w);
	if ((t->n + 1) * 2 > t->mask) {
		grow(t);
	}
	struct ent__known_slot *slot = find(e, t, by, &w, hash);
	uint32_t before = slot->id;
	t->n += !before;
	bool older = by == BY_NAME && before && e->inputs[before].generation > e->inputs[id].generation;
	if (!older) {
		*slot = (struct ent__known_slot){hash, id};
	}
	return before;
}

void ent__known_add(ent_engine *e, uint32_t id) {
	put(e, BY_NAME, id);
	put(e, BY_FILE, id);
	put(e, BY_CONTENT, id);
	ent__known_slice(e, id);
}

void ent__known_slice(ent_engine *e, uint32_t id) {
	ent__stored *s = &e->stored[id];
	if (e->inputs[id].slice && !s->in_slice) {
		s->in_slice = true;
		s->slice_next = put(e, BY_SLICE, id);
	}
}

void ent__known_close(ent_engine *e) {
	for (unsigned i = 0; i < ENT__KNOWN; i++) {
		free(e->known[i].slots);
		e->known[i] = (ent__known){0};
	}
}

static ent_input *row(const ent_engine *e, uint32_t id) { return id ? &e->inputs[id] : NULL; }

ent_input *ent__known_name(const ent_engine *e, uint32_t source, const char *name) {
	return row(e, get(e, BY_NAME, &(wanted){.source = source, .name = name}));
}

ent_input *ent__known_file(const ent_engine *e, uint32_t source, uint64_t device, uint64_t inode) {
	return row(e, get(e, BY_FILE, &(wanted){.source = source, .a = device, .b = inode}));
}

ent_input *ent__known_content(const ent_engine *e, uint32_t source, uint64_t content) {
	return row(e, get(e, BY_CONTENT, &(wanted){.source = source, .a = content}));
}

ent_input *ent__slice_first(const ent_engine *e, const ent_input *x) {
	return x->slice ? row(e, get(e, BY_SLICE, &(wanted){.source = x->source, .a = x->slice})) : NULL;
}

ent_input *ent__slice_next(const ent_engine *e, const ent_input *x) { return row(e, e->stored[x->id].slice_next); }
