/* SPDX-License-Identifier: Apache-2.0
 *
 * Replay of parked facts: those of a word that no partner was known for, once `also:` names one. Each document is taken
 * out from under the word and joins what the partner has, all in one commit; the log is read once, and only if a parked
 * word is known now. Loop thread only. */
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct replay {
	ent_engine *e;
	ent_position *at;
	size_t n, capacity;
	uint8_t *words; /* by code: MOVED, REMAINS */
	uint32_t n_words;
	ent_error *error;
} replay;

enum { MOVED = 1, REMAINS = 2 };

/* The partner that a parked word of a document's source means now; 0: still none. */
static uint32_t meaning(const ent_engine *e, const ent_document *d, const ent_item *item) {
	if (item->partner >= e->partners_capacity || e->partners[item->partner].known != 3) {
		return 0;
	}
	const char *key = ent__text(e, d->system);
	for (uint32_t i = 0; i < e->n_sources; i++) {
		if (e->sources[i].code == item->source && e->sources[i].config->partner.as.s) {
			key = e->sources[i].config->partner.as.s;
		}
	}
	const char *word = ent__text(e, item->partner);
	return ent__also(e, key, word, strlen(word));
}

static bool any_known_now(const ent_engine *e) {
	for (uint32_t code = 1; code < e->partners_capacity; code++) {
		if (e->partners[code].known == 3 && ent__also_any(e, ent__text(e, code))) {
			return true;
		}
	}
	return false;
}

static int find(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	replay *r = ctx;
	ent_document *d = &r->e->incoming;
	if (!ent_document_decode(d, body, n)) {
		return ent_error_set(r->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	bool moves = false;
	for (uint32_t i = 0; i < d->n && !d->superseded; i++) {
		bool known = meaning(r->e, d, &d->items[i]);
		if (d->items[i].partner < r->n_words) { /* one word may be known in one system and parked in another */
			r->words[d->items[i].partner] |= known ? MOVED : REMAINS;
		}
		moves = moves || known;
	}
	if (moves) {
		ENT_GROW(r->at, r->n, r->capacity);
		r->at[r->n++] = at;
	}
	return 0;
}

static ent_index_entry *entry_at(ent_engine *e, const ent_document *d, ent_position at) {
	uint64_t key = ent_document_index_key(d);
	ent_index_entry *x = ent_index_find(e->index, key, NULL);
	while (x && x->at != at) {
		x = ent_index_find(e->index, key, x);
	}
	return x;
}

/* Takes the document out and puts it under its partner. */
static int move(replay *r, ent_position at) {
	ent_engine *e = r->e;
	ent_document *d = &e->incoming;
	ent_buf own = {0}; /* the document's texts are borrowed from here: e->frame is needed for the other one */
	int status = ent_ledger_read(e->ledger, at, &own, r->error);
	if (!status && !ent_document_decode(d, own.data, own.n)) {
		status = ent_error_set(r->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	ent_index_entry *entry = status ? NULL : entry_at(e, d, at);
	if (!entry) {
		ent_buf_finish(&own);
		return status; /* not the one that counts */
	}
	status = ent__fold(e, d, -1, r->error);
	uint32_t n = d->n, scope = 0;
	d->n = 0;
	if (!status && d->scope) {
		status = ent__put(e, entry, d, r->error); /* gone under this key */
		entry = NULL;
	}
	d->n = n;
	for (uint32_t i = 0; i < d->n; i++) {
		uint32_t partner = meaning(e, d, &d->items[i]);
		if (partner) {
			d->items[i].partner = scope = partner;
		}
	}
	if (!status && d->scope) {
		d->scope = scope ? scope : d->scope;
		status = ent__find(e, d, &entry, &e->current, r->error);
		if (!status && entry) {
			status = ent__fold(e, &e->current, -1, r->error);
			ent_document_join(&e->current, d);
			d = &e->current;
		}
	}
	if (!status) {
		status = ent__put(e, entry, d, r->error);
	}
	if (!status) {
		status = ent__fold(e, d, 1, r->error);
	}
	ent_buf_finish(&own);
	return status;
}

int ent__replay_parked(ent_engine *e, ent_error *error) {
	if (!any_known_now(e)) {
		return 0;
	}
	replay r = {.e = e, .error = error, .n_words = e->partners_capacity};
	r.words = ent_xcalloc(r.n_words + 1, 1);
	int status = ent__index_load(e, error);
	if (!status) {
		status = ent_ledger_scan(e->ledger, find, &r, error);
	}
	for (size_t i = 0; i < r.n && !status; i++) {
		status = move(&r, r.at[i]);
	}
	free(r.at);
	for (uint32_t code = 1; code < e->partners_capacity && !status; code++) {
		if (code < r.n_words && e->partners[code].known == 3 && r.words[code] == MOVED) {
			ent_record gone = {.key = code, .kind = ENT__RECORD_PARTNER, .partner = code};
			ent__pending_record(e, &gone, true);
			e->partners[code].known = 0;
		}
	}
	free(r.words);
	return status ? status : ent__commit(e, error);
}
