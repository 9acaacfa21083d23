/* SPDX-License-Identifier: Apache-2.0
 *
 * Intake: a document from a worker joins what the ledger knows under its key. A change takes the old state out of the
 * cells whole and puts the new one in, so that an order that moves to another day or channel takes its lines along. What
 * loses by rank is kept in the log as superseded, and so is what another document has told already: it counts again when
 * that one is taken back. Loop thread only. */
#include "engine/internal.h"
#include "engine/warm.h"

#include <stdlib.h>
#include <string.h>

enum { LARGE = 1 << 18 }; /* bytes of a document that is put together before it is appended */

/* Finds the entry of the document's key and reads the state that counts into `current` (its texts are borrowed from
 * e->frame). *entry is NULL if there is none. */
int ent__find(ent_engine *e, const ent_document *key, ent_index_entry **entry, ent_document *current, ent_error *error) {
	uint64_t hash = ent_document_index_key(key);
	for (*entry = ent_index_find(e->index, hash, NULL); *entry; *entry = ent_index_find(e->index, hash, *entry)) {
		if (ent_ledger_read(e->ledger, (*entry)->at, &e->frame, error)) {
			return error->code;
		}
		if (!ent_document_decode(current, e->frame.data, e->frame.n)) {
			return ent_error_set(error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
		}
		if (ent_document_same_key(current, key)) {
			return 0;
		}
	}
	return 0;
}

static ent_position append(ent_engine *e, const ent_document *d, ent_error *error) {
	size_t bound = ent_document_bound(d);
	if (bound > LARGE) { /* the bound is generous: what is really written may fit where it would not */
		e->body.n = 0;
		ent_document_encode(d, &e->body);
		return ent_ledger_append(e->ledger, e->body.data, e->body.n, error);
	}
	uint8_t *to = ent_ledger_reserve(e->ledger, bound, error);
	return to ? ent_ledger_commit_frame(e->ledger, (size_t)(ent_document_put(d, to) - to)) : 0;
}

int ent__put(ent_engine *e, ent_index_entry *entry, const ent_document *fresh, ent_error *error) {
	ent_position at = append(e, fresh, error);
	if (!at) {
		return error->code;
	}
	if (entry) {
		ent_ledger_forget(e->ledger, entry->at);
	}
	if (fresh->n == 0) {
		ent_ledger_forget(e->ledger, at);
		if (entry) {
			ent_index_remove(e->index, entry);
		}
		return 0;
	}
	if (entry) {
		entry->at = at;
	} else {
		ent_index_add(e->index, ent_document_index_key(fresh), at);
	}
	return 0;
}

/* Adds a document to the cells or takes it back, and keeps count of what is parked and what waits for its header. */
int ent__fold(ent_engine *e, const ent_document *d, int sign, ent_error *error) {
	if (d->n) {
		ent__source *s = ent__source_of(e, d->items[0].source);
		uint32_t partner = d->items[0].partner;
		if (s && d->kind == ENT_ORDER && !ent_document_head(d)) {
			s->pending += (uint64_t)(int64_t)sign;
		}
		if (s && partner < e->partners_capacity && e->partners[partner].known == 3) {
			s->parked += (uint64_t)(int64_t)sign;
		}
	}
	ent__warm_document(e, d);
	return ent_fold_document(&e->fold, d, sign, error);
}

/* ---- what the core adds to a worker's document --------------------------------------------------------------------------- */

/* 128-bit identities become dense numbers, kept as number + 1 in the first four bytes. */
static void number_identities(ent_engine *e, ent_item *item) {
	static const ent_id none;
	uint8_t *base = (uint8_t *)&item->body;
	for (const uint16_t *offset = ent_fact_ids(item->kind); *offset != UINT16_MAX; offset++) {
		ent_id *id = (ent_id *)(base + *offset);
		if (memcmp(id, &none, sizeof none) != 0) {
			uint32_t dense = ent_identities_put(e->identities, id->b) + 1;
			*id = none;
			memcpy(id->b, &dense, 4);
		}
	}
}

static void refuse(ent_engine *e, ent__stream *s, const ent_input *input, const ent_item *item, const char *why) {
	ent_reject r = {.source = s->source->code, .input = input->id, .place = item->place, .input_name = input->name,
		.reason = why, .column = "", .excerpt = "", .seen_us = e->now_us};
	ent__pending_reject(e, &r);
	s->source->delta.refused++;
}

/* Fills in partner, rank and lineage of every item, and drops those whose partner is refused. */
static void complete(ent_engine *e, ent__work *w, ent_document *d) {
	ent__stream *s = w->stream;
	const ent_input *input = &e->inputs[w->input];
	bool shared = s->source->config->keys == ENT_KEYS_SHARED;
	ent_partner_from from = s->source->config->partner.from;
	d->system = s->system;
	d->origin = s->origin;
	uint32_t head_partner = w->partner, kept = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		ent_item *item = &d->items[i];
		bool head = item->kind == d->kind;
		uint32_t partner = item->partner && from != ENT_PARTNER_FIXED ? ent__partner_of(e, s, item->partner) : 0;
		if (item->partner && from != ENT_PARTNER_FIXED && !partner) {
			refuse(e, s, input, item, "the partner is not known, and the source says to reject unknown ones");
			continue;
		}
		if (!partner) {
			partner = head || shared ? w->partner : head_partner;
		}
		if (head) {
			head_partner = partner;
		}
		if (!partner && !(shared && d->kind == ENT_ORDER) && !(d->kind == ENT_OBSERVATION && from == ENT_PARTNER_NONE)) {
			refuse(e, s, input, item, "the record names no partner, and the source has none of its own");
			continue;
		}
		item->partner = partner;
		item->source = s->source->code;
		item->input = input->id;
		item->arrival = e->now_us;
		item->rank.snapshot = ent__arrived(e, w, item->place);
		/* the worker's packed time stands here until now, see facts/batch.h */
		ent_time version = ent_wire_time_unpack((ent_wire_time)item->rank.updated);
		item->rank.updated = version.kind == ENT_TIME_NONE
			? item->rank.snapshot
			: ent_fold_instant(&e->fold, version, item->source, partner);
		if (item->kind == ENT_VISIT) {
			item->rank.content = 0; /* parts add up: the hash of a part says nothing about the visit */
		}
		number_identities(e, item);
		if (kept != i) {
			d->items[kept] = *item;
		}
		kept++;
	}
	d->n = kept;
	d->scope = shared && d->kind == ENT_ORDER ? 0 : kept ? d->items[0].partner : 0;
}

/* ---- the join --------------------------------------------------------------------------------------------------------------- */

static void count(ent_balance *b, const ent_join *j) {
	b->stored += j->stored;
	b->replaced += j->replaced;
	b->duplicate += j->duplicate;
	b->superseded += j->superseded;
	b->merged += j->merged;
}

/* First and last day of an input's facts: coverage is guessed from them where the decoder does not declare it. */
static void widen(ent_engine *e, ent__work *w, const ent_document *d) {
	ent_input *input = &e->inputs[w->input];
	const ent_item *head = ent_document_head(d);
	int32_t day;
	if (head && !(head->flags & ENT_DOC_RETRACT) && ent_fold_day(&e->fold, head, head->partner, &day)) {
		e->stored[w->input].seen |= 1u << d->kind;
		input->first_day = day < input->first_day ? day : input->first_day;
		input->last_day = day > input->last_day ? day : input->last_day;
	}
}

static int keep_superseded(ent_engine *e, ent_document *d, ent_error *error) {
	d->superseded = true;
	d->until = 0; /* it never counted */
	ent_position at = append(e, d, error);
	d->superseded = false;
	if (at) {
		ent_ledger_forget(e->ledger, at);
	}
	return at ? 0 : error->code;
}

int ent__intake(ent_engine *e, ent__work *w, ent_document *d, bool superseded, ent_error *error) {
	ent_balance *balance = &w->stream->source->delta;
	balance->received += d->n;
	complete(e, w, d);
	if (d->n == 0) {
		return 0;
	}
	ent_join j = {0};
	ent_document_normalize(d, &j);
	const ent_item *head = ent_document_head(d);
	d->has_complete = head && (head->flags & ENT_DOC_LINES_COMPLETE);
	if (d->has_complete) {
		d->complete = head->rank;
		for (uint32_t i = 0; i < d->n; i++) { /* given whole: lines have the rank of their order */
			if (d->items[i].kind == ENT_LINE) {
				d->items[i].rank = head->rank;
			}
		}
	}
	if (superseded) {
		j.superseded += d->n;
		count(balance, &j);
		return keep_superseded(e, d, error);
	}
	widen(e, w, d);
	/* Nearly always the key is new: one search finds that out, and where it goes. */
	ent_index_slot slot;
	uint64_t key = ent_document_index_key(d);
	ent_index_entry *entry = ent_index_find_or_slot(e->index, key, &slot);
	bool alone = !entry;
	ent_document *current = &e->current;
	if (entry && ent__find(e, d, &entry, current, error)) {
		return error->code;
	}
	if (!entry) {
		j.stored += d->n;
		count(balance, &j);
		ent_position at = append(e, d, error);
		if (!at) {
			return error->code;
		}
		if (alone) {
			ent_index_add_at(e->index, slot, key, at);
		} else { /* beside another document, whose key has the same hash */
			ent_index_add(e->index, key, at);
		}
		return ent__fold(e, d, 1, error);
	}
	/* Fold the old state away before joining: joining changes it in place. */
	ent_document old = *current;
	old.items = ent_xmalloc((size_t)current->n * sizeof *old.items);
	memcpy(old.items, current->items, (size_t)current->n * sizeof *old.items);
	old.capacity = current->n;
	ent_join joined = ent_document_join(current, d);
	joined.stored += j.stored;
	joined.duplicate += j.duplicate;
	joined.replaced += j.replaced;
	joined.superseded += j.superseded;
	joined.merged += j.merged;
	count(balance, &joined);
	int status = 0;
	if (joined.lost && d->kind != ENT_VISIT) { /* it counts again when the one that won is taken back */
		status = keep_superseded(e, d, error);
	}
	if (!status && joined.changed) {
		status = ent__fold(e, &old, -1, error);
		if (!status) {
			status = ent__fold(e, current, 1, error);
		}
	}
	if (!status && (joined.changed || joined.raised)) {
		status = ent__put(e, entry, current, error);
	}
	free(old.items);
	return status;
}
