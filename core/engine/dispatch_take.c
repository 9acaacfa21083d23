/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a batch: what a worker wrote into its ring is folded, item by item. Loop thread only. */
#include "engine/ahead.h"
#include "engine/dispatch.h"

#include <string.h>

static char *copy(const ent_str *s, char *out, size_t size) {
	size_t n = s->n < size ? s->n : size - 1;
	memcpy(out, s->p, n);
	out[n] = 0;
	return out;
}

static int take_reject(ent__run *r, ent__work *w, const ent_wire_item *item) {
	const ent_wire_reject *head;
	ent_str reason, column, excerpt, sealed;
	if (ent_batch_reject(item, &head, &reason, &column, &excerpt, &sealed, r->error)) {
		return r->error->code;
	}
	char texts[3][512];
	const ent_input *input = &r->e->inputs[w->input];
	ent_reject reject = {.source = w->stream->source->code, .input = w->input, .place = head->place, .line = head->line,
		.hash = head->hash, .input_name = input->name, .reason = copy(&reason, texts[0], sizeof texts[0]),
		.column = copy(&column, texts[1], sizeof texts[1]), .excerpt = copy(&excerpt, texts[2], sizeof texts[2]),
		.sealed = (const uint8_t *)sealed.p, .sealed_n = sealed.n, .seen_us = r->e->now_us};
	ent__pending_reject(r->e, &reject);
	return 0;
}

static int take_covers(ent__run *r, ent__work *w, const ent_wire_item *item) {
	const ent_wire_covers *c;
	if (ent_batch_covers(item, &c, r->error)) {
		return r->error->code;
	}
	ent_time from = ent_wire_time_unpack(c->from), to = ent_wire_time_unpack(c->to);
	ent_cover cover = {.partner = ent__cover_partner(w), .source = w->stream->source->code, .input = w->input, .kind = c->kind,
		.origin = w->stream->origin, .declared = 1, .complete = c->complete != 0};
	const ent_zone *zone = r->e->fold.zone(r->e, w->partner);
	cover.from = from.kind == ENT_TIME_DATE ? (int32_t)from.v : ent_zone_day(zone, ent_fold_instant(&r->e->fold, from, cover.source, w->partner));
	cover.to = to.kind == ENT_TIME_DATE ? (int32_t)to.v : ent_zone_day(zone, ent_fold_instant(&r->e->fold, to, cover.source, w->partner));
	ent__stored *stored = &r->e->stored[w->input];
	stored->declared |= 1u << c->kind;
	if (c->complete) { /* from here on what its documents lack has to be looked for */
		w->stream->source->completes = r->e->unsettled = true;
	}
	if (cover.from < cover.to && !w->slice_superseded) {
		ent__pending_cover(r->e, &cover);
	}
	return 0;
}

struct edition {
	ent_engine *e;
	const ent_input *input;
};

static bool lower_edition(void *ctx, const ent_document *d, uint32_t id) {
	(void)d;
	const struct edition *x = ctx;
	const ent_input *other = id < x->e->n_inputs ? &x->e->inputs[id] : NULL;
	return other && other != x->input && other->source == x->input->source && other->slice == x->input->slice &&
		   other->slice_grade < x->input->slice_grade;
}

/* The document is an edition of a slice: the highest grade counts. */
static int take_slice(ent__run *r, ent__work *w, const ent_wire_item *item) {
	int32_t grade;
	ent_str name;
	if (ent_batch_slice(item, &grade, &name, r->error)) {
		return r->error->code;
	}
	ent_engine *e = r->e;
	ent_input *input = &e->inputs[w->input];
	if (grade < 0 || grade > UINT8_MAX) {
		return ent_error_set(r->error, ENT_ERR_WORKER, "the decoder gives a slice the grade %d: 0 to 255 are possible", grade);
	}
	input->slice = ent__code(e, name.p, name.n);
	input->slice_grade = (uint8_t)grade;
	bool lower = false;
	ent__known_slice(e, input->id);
	for (const ent_input *x = ent__slice_first(e, input); x; x = ent__slice_next(e, x)) {
		if (x == input || !x->live) {
			continue;
		}
		w->slice_superseded |= x->slice_grade > input->slice_grade;
		lower |= x->slice_grade < input->slice_grade;
	}
	if (w->slice_superseded) { /* from here on: what it brings must not count again when another document is taken back */
		input->live = 0;
		input->gone_us = e->now_us;
		e->input_dirty[input->id] = true;
	}
	if (!lower) {
		return 0;
	}
	struct edition edition = {e, input};
	int status = ent__take_back(e, 0, lower_edition, &edition, r->error);
	for (ent_input *x = ent__slice_first(e, input); x && !status; x = ent__slice_next(e, x)) {
		if (x->live && lower_edition(&edition, NULL, x->id)) {
			x->live = 0;
			x->gone_us = e->now_us;
			e->input_dirty[x->id] = true;
			ent__pending_covers_drop(e, x->id);
			ent__pending_rejects_drop(e, x->id);
		}
	}
	return status;
}

int ent__take_batch(ent__run *r, ent__chunk *c, const ent_slot_batch *slot) {
	ent_engine *e = r->e;
	const uint8_t *bytes = ent_pool_bytes(slot);
	const ent_dictionary *d = ent_pool_dictionary(c->a->worker);
	ent_batch b;
	if (ent_batch_open(&b, bytes, slot->bytes, c->a->id, slot->seq, &e->item, r->error)) {
		return r->error->code;
	}
	if (slot->seq != c->batches) {
		return ent_error_set(r->error, ENT_ERR_WORKER, "batch %llu is missing", (unsigned long long)c->batches);
	}
	if ((!e->index || e->keeping) && ent__index_load(e, r->error)) { /* the first batch of all */
		return r->error->code;
	}
	uint64_t keys = ent_index_count(e->index);
	*r->error = (ent_error){0};
	ent__ahead a;
	ent__look_ahead_from(&a, e, c->work, d, bytes, slot->bytes);
	const ent_wire_item *item;
	int status = 0;
	while (!status && (item = ent_batch_next(&b, r->error))) {
		switch (item->type) {
		case ENT_ITEM_TEXT:
			break; /* taken when the batch came */
		case ENT_ITEM_DOC:
			ent__look_ahead(&a);
			status = ent_batch_document(item, d->codes, d->n, &e->incoming, r->error);
			if (!status) {
				status = ent__intake(e, c->work, &e->incoming, c->work->slice_superseded, r->error);
			}
			break;
		case ENT_ITEM_REJECT:
			status = take_reject(r, c->work, item);
			break;
		case ENT_ITEM_COVERS:
			status = take_covers(r, c->work, item);
			break;
		case ENT_ITEM_SLICE:
			status = take_slice(r, c->work, item);
			break;
		case ENT_ITEM_CURSOR:
		case ENT_ITEM_SKIPS:
			break; /* cursors are for polls; reasons of skips are for the log */
		default:
			status = ent_error_set(r->error, ENT_ERR_WORKER, "the worker wrote nonsense into its ring: an item of type %u", item->type);
		}
	}
	if (status || r->error->code) {
		return r->error->code ? r->error->code : status;
	}
	if (ent_batch_close(&b, r->error)) {
		return r->error->code;
	}
	c->batches++;
	c->keys += ent_index_count(e->index) - keys;
	c->records += b.head.records;
	c->consumed += b.head.consumed;
	c->rejected += b.head.rejected;
	c->skipped += b.head.skipped;
	c->facts += b.facts;
	return 0;
}
