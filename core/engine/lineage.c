/* SPDX-License-Identifier: Apache-2.0
 *
 * Records behind a partner's days, see lineage.h. The last frame of a key is the one that counts; those kept for history say so. */
#include "engine/lineage.h"
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct found {
	int32_t day;
	uint32_t input;
	uint64_t place, hash;
	size_t key; /* where its key lies in `keys` */
	uint16_t key_n;
	uint8_t kind, origin;
	bool gone; /* a later frame took its place */
} found;

typedef struct search {
	ent_engine *e;
	const ent_lineage_what *what;
	ent_index *by_hash; /* to index in `found` + 1 */
	found *found;
	size_t n, capacity;
	ent_buf keys;
	ent_error *error;
} search;

static void forget(search *s, uint64_t hash, const ent_document *d) {
	for (ent_index_entry *x = ent_index_find(s->by_hash, hash, NULL); x; x = ent_index_find(s->by_hash, hash, x)) {
		found *f = &s->found[x->at - 1];
		if (!f->gone && f->kind == d->kind && f->key_n == d->key_n && !memcmp(s->keys.data + f->key, d->key, d->key_n)) {
			f->gone = true;
			return;
		}
	}
}

static int take(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	(void)at;
	search *s = ctx;
	const ent_lineage_what *w = s->what;
	ent_document *d = &s->e->incoming;
	uint64_t items;
	if (!ent_document_decode_head(d, body, n, &items)) {
		return ent_error_set(s->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	if (d->superseded || (w->kind && d->kind != w->kind) || (d->scope && d->scope != w->partner)) {
		return 0;
	}
	uint64_t hash = ent_document_index_key(d);
	forget(s, hash, d);
	if (!items) {
		return 0; /* taken back */
	}
	if (!ent_document_decode(d, body, n)) {
		return ent_error_set(s->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	const ent_item *head = ent_document_head(d), *first = head ? head : d->n ? &d->items[0] : NULL;
	int32_t day = 0;
	if (!first || first->partner != w->partner || first->flags & ENT_DOC_RETRACT || first->input >= s->e->n_inputs) {
		return 0;
	}
	bool dated = ent_fold_day(&s->e->fold, first, first->partner, &day);
	if (dated ? day < w->from || day >= w->to : !w->undated) {
		return 0;
	}
	ENT_GROW(s->found, s->n, s->capacity);
	s->found[s->n++] = (found){.day = day, .input = first->input, .place = first->place, .hash = hash, .key = s->keys.n,
		.key_n = d->key_n, .kind = d->kind, .origin = d->origin};
	ent_buf_add(&s->keys, d->key, d->key_n);
	ent_index_add(s->by_hash, hash, s->n);
	return 0;
}

static int by_place(const void *a, const void *b) {
	const found *x = a, *y = b;
	int order = x->day != y->day ? (x->day < y->day ? -1 : 1) : x->input != y->input ? (x->input < y->input ? -1 : 1) : 0;
	return order ? order : x->place != y->place ? (x->place < y->place ? -1 : 1) : 0;
}

int ent_engine_lineage(ent_engine *e, const ent_lineage_what *what, ent_lineage_visit visit, void *ctx, ent_error *error) {
	search s = {.e = e, .what = what, .by_hash = ent_index_create(1024), .error = error};
	int status = ent_ledger_scan(e->ledger, take, &s, error);
	if (s.n) {
		ENT_SORT(s.found, s.n, by_place);
	}
	for (size_t i = 0; i < s.n && !status; i++) {
		const found *f = &s.found[i];
		const ent_input *input = &e->inputs[f->input];
		if (!f->gone) {
			status = visit(ctx, &(ent_lineage_row){.kind = f->kind, .origin = f->origin, .day = f->day, .id = f->hash,
				.source = input->source, .file = input->name,
				.place = f->place, .key = (const char *)s.keys.data + f->key, .key_n = f->key_n});
		}
	}
	ent_index_destroy(s.by_hash);
	free(s.found);
	ent_buf_finish(&s.keys);
	return status;
}
