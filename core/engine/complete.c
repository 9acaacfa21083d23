/* SPDX-License-Identifier: Apache-2.0
 *
 * Complete coverage: a document that is complete for its days says of every key which it lacks that it is gone. So an item
 * is taken back if a newer document of its source is complete for the day of its key and brought nothing under that key.
 * That is a property of the documents alone, so it is worked out over all of them at the end of a run, and the order in
 * which they came is no matter: an older export that is found later brings nothing back to life.
 *
 * Documents of decoders that restate are replaced as a whole, see takeback.c. One that had records rejected is not taken
 * as complete: what it seems to lack may stand in what could not be read. Loop thread only. */
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>

enum { DAYS_MAX = 200000 /* covers that reach further are cut: no calendar has so many days */ };

typedef struct rule {
	ent_cover cover;
	int64_t snapshot;
} rule;

/* Newest complete document of each day, of one source and kind: most keys are settled by one look. */
typedef struct days {
	uint32_t source, kind;
	int32_t first, n;
	int64_t *newest;
} days;

typedef struct key {
	uint64_t hash;
	uint32_t partner;
	int32_t day;
} key;

typedef struct settling {
	ent_engine *e;
	rule *rules;
	size_t n_rules, rules_capacity;
	days *days;
	size_t n_days, days_capacity;
	key *keys; /* that may have to go */
	size_t n_keys, keys_capacity;
	ent_index *by_hash;  /* of the key; position: number + 1 */
	ent_index *brought;  /* key and complete input, mixed */
	ent_error *error;
} settling;

static int take_rule(void *ctx, const ent_cover *c) {
	settling *s = ctx;
	const ent_engine *e = s->e;
	const ent_input *x = c->input < e->n_inputs ? &e->inputs[c->input] : NULL;
	if (!c->complete || !c->declared || !x || !x->done || !x->live || x->rejected) {
		return 0;
	}
	const ent_decoder_info *d = ent__decoder_find(e, x->decoder);
	if (!d || (d->flags & ENT_DECODER_RESTATES)) {
		return 0;
	}
	rule r = {*c, x->snapshot_us};
	r.cover.from = c->from < -DAYS_MAX ? -DAYS_MAX : c->from;
	r.cover.to = c->to > DAYS_MAX ? DAYS_MAX : c->to;
	if (r.cover.from < r.cover.to) {
		ENT_GROW(s->rules, s->n_rules, s->rules_capacity);
		s->rules[s->n_rules++] = r;
	}
	return 0;
}

static days *days_of(settling *s, uint32_t source, uint32_t kind) {
	for (size_t i = 0; i < s->n_days; i++) {
		if (s->days[i].source == source && s->days[i].kind == kind) {
			return &s->days[i];
		}
	}
	return NULL;
}

static void spread(settling *s) {
	for (size_t i = 0; i < s->n_rules; i++) {
		const ent_cover *c = &s->rules[i].cover;
		days *d = days_of(s, c->source, c->kind);
		if (!d) {
			ENT_GROW(s->days, s->n_days, s->days_capacity);
			d = &s->days[s->n_days++];
			*d = (days){.source = c->source, .kind = c->kind, .first = c->from, .n = c->to - c->from};
		}
		int32_t end = d->first + d->n > c->to ? d->first + d->n : c->to;
		d->first = d->first < c->from ? d->first : c->from;
		d->n = end - d->first;
	}
	for (size_t i = 0; i < s->n_days; i++) {
		days *d = &s->days[i];
		d->newest = ent_xmalloc((size_t)d->n * sizeof *d->newest);
		for (int32_t k = 0; k < d->n; k++) {
			d->newest[k] = INT64_MIN;
		}
	}
	for (size_t i = 0; i < s->n_rules; i++) {
		const rule *r = &s->rules[i];
		days *d = days_of(s, r->cover.source, r->cover.kind);
		for (int32_t day = r->cover.from; day < r->cover.to; day++) {
			int64_t *newest = &d->newest[day - d->first];
			*newest = *newest > r->snapshot ? *newest : r->snapshot;
		}
	}
}

static bool live(const ent_engine *e, uint64_t hash, ent_position at) {
	for (ent_index_entry *x = ent_index_find(e->index, hash, NULL); x; x = ent_index_find(e->index, hash, x)) {
		if (x->at == at) {
			return true;
		}
	}
	return false;
}

/* Keys that count, with an item older than a complete document of their day. */
static int find_keys(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	settling *s = ctx;
	ent_engine *e = s->e;
	ent_document *d = &e->incoming;
	if (!ent_document_decode(d, body, n)) {
		return ent_error_set(s->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	const ent_item *head = d->superseded ? NULL : ent_document_head(d);
	int32_t day;
	if (!head || (head->flags & ENT_DOC_RETRACT) || !ent_fold_day(&e->fold, head, head->partner, &day)) {
		return 0;
	}
	bool older = false;
	for (uint32_t i = 0; i < d->n && !older; i++) {
		const days *at_day = days_of(s, d->items[i].source, d->kind);
		uint32_t input = d->items[i].input;
		older = at_day && day >= at_day->first && day < at_day->first + at_day->n && input < e->n_inputs &&
				at_day->newest[day - at_day->first] > e->inputs[input].snapshot_us;
	}
	uint64_t hash = ent_document_index_key(d);
	if (older && live(e, hash, at)) {
		ENT_GROW(s->keys, s->n_keys, s->keys_capacity);
		s->keys[s->n_keys++] = (key){hash, head->partner, day};
		ent_index_add(s->by_hash, hash, s->n_keys);
	}
	return 0;
}

static uint64_t mixed(uint64_t hash, uint32_t input) {
	uint64_t h = (hash ^ input) * UINT64_C(0x9E3779B97F4A7C15);
	h ^= h >> 29;
	return h ? h : 1;
}

/* Which inputs brought those keys: the log has every one, also what lost. */
static int find_inputs(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	(void)at;
	settling *s = ctx;
	ent_document *d = &s->e->incoming;
	if (!ent_document_decode(d, body, n)) {
		return ent_error_set(s->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	uint64_t hash = ent_document_index_key(d);
	if (!ent_index_find(s->by_hash, hash, NULL)) {
		return 0;
	}
	for (uint32_t i = 0; i < d->n; i++) {
		uint64_t both = mixed(hash, d->items[i].input);
		if (!(d->items[i].flags & ENT_DOC_RETRACT) && !ent_index_find(s->brought, both, NULL)) {
			ent_index_add(s->brought, both, 1);
		}
	}
	return 0;
}

static bool gone(void *ctx, const ent_document *d, uint32_t input) {
	const settling *s = ctx;
	uint64_t hash = ent_document_index_key(d);
	const ent_index_entry *entry = ent_index_find(s->by_hash, hash, NULL);
	if (!entry || input >= s->e->n_inputs) {
		return false;
	}
	const key *k = &s->keys[entry->at - 1];
	const ent_input *x = &s->e->inputs[input];
	for (size_t i = 0; i < s->n_rules; i++) {
		const ent_cover *c = &s->rules[i].cover;
		if (s->rules[i].snapshot > x->snapshot_us && c->source == x->source && c->kind == d->kind && k->day >= c->from &&
			k->day < c->to && (!c->partner || c->partner == k->partner) &&
			!ent_index_find(s->brought, mixed(hash, c->input), NULL)) {
			return true;
		}
	}
	return false;
}

int ent__settle_complete(ent_engine *e, ent_error *error) {
	settling s = {.e = e, .error = error};
	int status = ent__covers_scan(e, take_rule, &s, error);
	if (!status && s.n_rules) {
		spread(&s);
		s.by_hash = ent_index_create(1024);
		s.brought = ent_index_create(1024);
		status = ent__index_load(e, error);
		if (!status) {
			status = ent_ledger_scan(e->ledger, find_keys, &s, error);
		}
		if (!status && s.n_keys) {
			status = ent_ledger_scan(e->ledger, find_inputs, &s, error);
		}
		if (!status && s.n_keys) {
			status = ent__take_back(e, 0, gone, &s, error);
		}
	}
	for (size_t i = 0; i < s.n_days; i++) {
		free(s.days[i].newest);
	}
	free(s.days);
	free(s.rules);
	free(s.keys);
	ent_index_destroy(s.by_hash);
	ent_index_destroy(s.brought);
	return status;
}
