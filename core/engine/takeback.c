/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking back: when a document comes again, changed, of a decoder that restates, or when a slice has an edition of higher
 * grade, everything that the old input brought goes: in one commit with the first of the new. Keys that only the old
 * input held vanish; of the others what remains is joined anew, and facts that had lost to the old input count again:
 * the log still has them. Two sequential passes over the log; rare. Loop thread only. */
#include "engine/internal.h"

#include <stdlib.h>

typedef struct keys {
	ent_index *set; /* keys touched */
	ent_position *at; /* their live frames */
	size_t n, capacity;
} keys;

typedef struct pass {
	ent_engine *e;
	unsigned kind;
	ent__dead *dead;
	void *ctx;
	const ent_document *d; /* of which items are dropped just now */
	keys keys;
	ent_error *error;
} pass;

static bool live(const ent_engine *e, const ent_document *d, ent_position at) {
	uint64_t key = ent_document_index_key(d);
	for (ent_index_entry *x = ent_index_find(e->index, key, NULL); x; x = ent_index_find(e->index, key, x)) {
		if (x->at == at) {
			return true;
		}
	}
	return false;
}

static int find_touched(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	pass *p = ctx;
	ent_document *d = &p->e->incoming;
	if (!ent_document_decode(d, body, n)) {
		return ent_error_set(p->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	if (d->superseded || (p->kind && p->kind != d->kind)) {
		return 0;
	}
	bool touched = false;
	for (uint32_t i = 0; i < d->n && !touched; i++) {
		touched = p->dead(p->ctx, d, d->items[i].input);
	}
	if (touched && live(p->e, d, at)) {
		ENT_GROW(p->keys.at, p->keys.n, p->keys.capacity);
		p->keys.at[p->keys.n++] = at;
		uint64_t key = ent_document_index_key(d);
		if (!ent_index_find(p->keys.set, key, NULL)) {
			ent_index_add(p->keys.set, key, 1);
		}
	}
	return 0;
}

/* Collects what lost by rank under the touched keys, sooner or later, and may count again. */
typedef struct survivors {
	pass *p;
	ent_buf frames; /* u32 length and body, one after another */
} survivors;

static int find_losers(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	survivors *s = ctx;
	ent_document *d = &s->p->e->incoming;
	if (!ent_document_decode(d, body, n)) {
		return ent_error_set(s->p->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	/* Visits never lose by rank, they add up: what remains of them is in the live frame. */
	if (d->kind != ENT_VISIT && !live(s->p->e, d, at) &&
		ent_index_find(s->p->keys.set, ent_document_index_key(d), NULL)) {
		ent_buf_bytes(&s->frames, body, n);
	}
	return 0;
}

static bool dead(void *ctx, uint32_t input) {
	pass *p = ctx;
	return p->dead(p->ctx, p->d, input);
}

static int take_one(pass *p, ent_position at) {
	ent_engine *e = p->e;
	ent_document *d = &e->current;
	if (ent_ledger_read(e->ledger, at, &e->frame, p->error)) {
		return p->error->code;
	}
	if (!ent_document_decode(d, e->frame.data, e->frame.n)) {
		return ent_error_set(p->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	if (ent__fold(e, d, -1, p->error)) {
		return p->error->code;
	}
	p->d = d;
	ent_document_drop_inputs(d, dead, p);
	uint64_t key = ent_document_index_key(d);
	ent_index_entry *entry = ent_index_find(e->index, key, NULL);
	while (entry && entry->at != at) {
		entry = ent_index_find(e->index, key, entry);
	}
	if (ent__put(e, entry, d, p->error)) {
		return p->error->code;
	}
	return d->n ? ent__fold(e, d, 1, p->error) : 0;
}

/* Inputs that were taken back earlier stay so. */
static bool dead_or_gone(void *ctx, uint32_t input) {
	pass *p = ctx;
	return dead(p, input) || input >= p->e->n_inputs || !p->e->inputs[input].live;
}

static int revive(pass *p, const uint8_t *body, size_t n) {
	ent_engine *e = p->e;
	ent_document *d = &e->incoming;
	if (!ent_document_decode(d, body, n)) {
		return ENT_ERR_CORRUPT;
	}
	d->superseded = false;
	p->d = d;
	ent_document_drop_inputs(d, dead_or_gone, p);
	if (d->n == 0) {
		return 0;
	}
	ent_index_entry *entry;
	if (ent__find(e, d, &entry, &e->current, p->error)) {
		return p->error->code;
	}
	if (!entry) {
		return ent__put(e, NULL, d, p->error) ? p->error->code : ent__fold(e, d, 1, p->error);
	}
	if (ent__fold(e, &e->current, -1, p->error)) {
		return p->error->code;
	}
	ent_document_join(&e->current, d);
	if (ent__fold(e, &e->current, 1, p->error)) {
		return p->error->code;
	}
	return ent__put(e, entry, &e->current, p->error);
}

int ent__take_back(ent_engine *e, unsigned kind, ent__dead *is_dead, void *ctx, ent_error *error) {
	pass p = {.e = e, .kind = kind, .dead = is_dead, .ctx = ctx, .error = error};
	survivors s = {.p = &p};
	p.keys.set = ent_index_create(1024);
	int status = ent__index_load(e, error);
	if (!status) {
		status = ent_ledger_scan(e->ledger, find_touched, &p, error);
	}
	if (!status && p.keys.n) {
		status = ent_ledger_scan(e->ledger, find_losers, &s, error);
	}
	for (size_t i = 0; i < p.keys.n && !status; i++) {
		status = take_one(&p, p.keys.at[i]);
	}
	ent_read r = ent_read_of(s.frames.data, s.frames.n);
	while (!status && r.p < r.end) {
		size_t n;
		const char *body = ent_read_bytes(&r, &n);
		status = revive(&p, (const uint8_t *)body, n);
	}
	ent_index_destroy(p.keys.set);
	free(p.keys.at);
	ent_buf_finish(&s.frames);
	return status;
}
