/* SPDX-License-Identifier: Apache-2.0
 *
 * Commit: append -> fdatasync of identities and segments -> one transaction with cells, codes, positions (compare and
 * set), rejects, coverage, balance and the valid lengths of the segments. Whatever fails here ends the run: memory has run
 * ahead of the disk, nothing is retried. Loop thread only. */
#include "engine/warm.h"

#include <stdlib.h>
#include <string.h>

/* What waits for the commit beside cells and ledger; texts are copies. */
struct ent__pending {
	ent_arena arena;
	ent_reject *rejects;
	size_t n_rejects, rejects_capacity;
	uint64_t bytes; /* of the rejects */
	ent_cover *covers;
	size_t n_covers, covers_capacity;
	uint32_t *dropped_covers, *dropped_rejects;
	size_t n_dropped, dropped_capacity, n_old, old_capacity;
	struct change {
		ent_record r;
		bool drop;
	} *records;
	size_t n_records, records_capacity;
};

static struct ent__pending *pending(ent_engine *e) {
	if (!e->pending) {
		e->pending = ent_xcalloc(1, sizeof *e->pending);
	}
	return e->pending;
}

void ent__pending_free(ent_engine *e) {
	struct ent__pending *p = e->pending;
	if (p) {
		ent_arena_finish(&p->arena);
		free(p->rejects);
		free(p->covers);
		free(p->dropped_covers);
		free(p->dropped_rejects);
		free(p->records);
		free(p);
		e->pending = NULL;
	}
}

static const char *keep(struct ent__pending *p, const char *text) {
	return text ? ent_arena_copy(&p->arena, text, strlen(text)) : "";
}

void ent__pending_reject(ent_engine *e, const ent_reject *r) {
	struct ent__pending *p = pending(e);
	ENT_GROW(p->rejects, p->n_rejects, p->rejects_capacity);
	ent_reject *mine = &p->rejects[p->n_rejects++];
	*mine = *r;
	mine->input_name = keep(p, r->input_name);
	mine->reason = keep(p, r->reason);
	mine->column = keep(p, r->column);
	mine->excerpt = keep(p, r->excerpt);
	mine->sealed = (const uint8_t *)ent_arena_copy(&p->arena, (const char *)r->sealed, r->sealed_n);
	p->bytes += sizeof *mine + strlen(mine->input_name) + strlen(mine->reason) + strlen(mine->column) +
				strlen(mine->excerpt) + r->sealed_n;
}

uint64_t ent__pending_bytes(const ent_engine *e) { return e->pending ? e->pending->bytes : 0; }

void ent__pending_cover(ent_engine *e, const ent_cover *c) {
	ent__warm_cover(e, c);
	struct ent__pending *p = pending(e);
	ENT_GROW(p->covers, p->n_covers, p->covers_capacity);
	p->covers[p->n_covers++] = *c;
}

void ent__pending_covers_drop(ent_engine *e, uint32_t input) {
	ent__warm_all(e, "coverage was taken back");
	struct ent__pending *p = pending(e);
	ENT_GROW(p->dropped_covers, p->n_dropped, p->dropped_capacity);
	p->dropped_covers[p->n_dropped++] = input;
}

void ent__pending_rejects_drop(ent_engine *e, uint32_t input) {
	struct ent__pending *p = pending(e);
	ENT_GROW(p->dropped_rejects, p->n_old, p->old_capacity);
	p->dropped_rejects[p->n_old++] = input;
}

typedef struct cover_scan {
	const struct ent__pending *p;
	ent_cover_visit visit;
	void *ctx;
} cover_scan;

static int stored_cover(void *ctx, const ent_cover *c) {
	const cover_scan *s = ctx;
	for (size_t i = 0; s->p && i < s->p->n_dropped; i++) {
		if (s->p->dropped_covers[i] == c->input) {
			return 0;
		}
	}
	return s->visit(s->ctx, c);
}

int ent__covers_scan(ent_engine *e, ent_cover_visit visit, void *ctx, ent_error *error) {
	cover_scan s = {e->pending, visit, ctx};
	int status = ent_store_covers_scan(e->store, stored_cover, &s, error);
	for (size_t i = 0; s.p && i < s.p->n_covers && !status; i++) {
		status = visit(ctx, &s.p->covers[i]);
	}
	return status;
}

void ent__pending_record(ent_engine *e, const ent_record *r, bool drop) {
	ent__warm_record(e, r);
	struct ent__pending *p = pending(e);
	ENT_GROW(p->records, p->n_records, p->records_capacity);
	p->records[p->n_records].r = *r;
	p->records[p->n_records].r.json = drop ? NULL : ent_arena_copy(&p->arena, r->json, r->n);
	p->records[p->n_records++].drop = drop;
}

static int put_codes(ent_engine *e, ent_error *error) {
	for (uint32_t i = e->texts_saved; i < e->texts.count; i++) {
		size_t n;
		const char *text = ent_intern_text(&e->texts, i, &n);
		if (i && ent_store_code_add(e->store, 0, i, text, n, error)) {
			return error->code;
		}
	}
	return 0;
}

/* Position and generation of an input as the store has them: the compare of the compare-and-set. */
static int put_inputs(ent_engine *e, ent_error *error) {
	for (uint32_t i = 1; i < e->n_inputs; i++) {
		ent__stored *old = &e->stored[i];
		if (!e->input_dirty[i]) {
			continue;
		}
		if (ent_store_input_put(e->store, &e->inputs[i], old->exists ? old->position : UINT64_MAX, old->generation, error)) {
			return error->code;
		}
	}
	return 0;
}

static int put_pending(ent_engine *e, ent_error *error) {
	struct ent__pending *p = e->pending;
	int status = 0;
	for (size_t i = 0; p && i < p->n_dropped && !status; i++) {
		status = ent_store_covers_drop(e->store, p->dropped_covers[i], error);
	}
	for (size_t i = 0; p && i < p->n_covers && !status; i++) {
		status = ent_store_cover_put(e->store, &p->covers[i], error);
	}
	for (size_t i = 0; p && i < p->n_old && !status; i++) {
		status = ent_store_rejects_drop(e->store, p->dropped_rejects[i], error);
	}
	for (size_t i = 0; p && i < p->n_rejects && !status; i++) {
		status = ent_store_reject_add(e->store, &p->rejects[i], error);
	}
	for (size_t i = 0; p && i < p->n_records && !status; i++) {
		struct change *c = &p->records[i];
		status = c->drop ? ent_store_record_drop(e->store, c->r.kind, c->r.key, error)
						 : ent_store_record_put(e->store, &c->r, error);
	}
	return status;
}

static int put_balance(ent_engine *e, ent_error *error) {
	for (uint32_t i = 0; i < e->n_sources; i++) {
		e->sources[i].delta.parked = e->sources[i].parked;
		e->sources[i].delta.pending = e->sources[i].pending;
		if (ent_store_balance_add(e->store, &e->sources[i].delta, error)) {
			return error->code;
		}
	}
	return 0;
}

static int put_all(ent_engine *e, ent_error *error) {
	ent_cells_flush f = ent_cells_sort(e->cells);
	ent__warm_cells(e, &f);
	int status = put_codes(e, error);
	if (!status && e->clear_cells) {
		status = ent_store_cells_clear(e->store, error);
	}
	if (!status && e->fingerprint[0]) {
		status = ent_store_meta_set(e->store, "cells", e->fingerprint, error);
	}
	if (!status && e->unsettled != e->unsettled_saved) {
		status = ent_store_meta_set(e->store, "unsettled", e->unsettled ? "1" : "", error);
	}
	if (!status) {
		status = ent_store_cells_add(e->store, &f, error);
	}
	if (!status) {
		status = put_inputs(e, error);
	}
	if (!status) {
		status = put_pending(e, error);
	}
	if (!status) {
		status = put_balance(e, error);
	}
	if (!status) {
		status = ent_store_rejects_expire(e->store, e->now_us - e->config->rejects_keep_us, error);
	}
	size_t n;
	const ent_segment *segments = ent_ledger_segments(e->ledger, &n);
	if (!status) {
		status = ent_store_segments_save(e->store, segments, n, error);
	}
	char count[32];
	snprintf(count, sizeof count, "%llu", (unsigned long long)ent_identities_count(e->identities));
	if (!status) {
		status = ent_store_meta_set(e->store, "identities", count, error);
	}
	return status;
}

static void add_up(ent_balance *to, const ent_balance *from) {
	to->records += from->records;
	to->consumed += from->consumed;
	to->rejected += from->rejected;
	to->skipped += from->skipped;
	to->received += from->received;
	to->stored += from->stored;
	to->replaced += from->replaced;
	to->duplicate += from->duplicate;
	to->superseded += from->superseded;
	to->merged += from->merged;
	to->refused += from->refused;
	to->bytes += from->bytes;
	to->waits += from->waits;
	to->waited_us += from->waited_us;
}

int ent__commit(ent_engine *e, ent_error *error) {
	uint64_t began = uv_hrtime();
	int status = ent_identities_sync(e->identities, error);
	if (!status) {
		status = ent_ledger_sync(e->ledger, error);
	}
	if (!status) {
		status = ent_store_begin(e->store, error);
	}
	if (!status) {
		status = put_all(e, error);
		if (!status) {
			status = ent_store_commit(e->store, error);
		} else {
			ent_store_rollback(e->store);
		}
	}
	if (status) {
		ent__warm_all(e, "a commit failed");
		return status;
	}
	e->texts_saved = e->texts.count;
	e->clear_cells = false;
	e->unsettled_saved = e->unsettled;
	e->fingerprint[0] = 0;
	for (uint32_t i = 1; i < e->n_inputs; i++) {
		if (e->input_dirty[i]) {
			e->stored[i] = (ent__stored){true, e->inputs[i].position, e->inputs[i].generation};
			e->input_dirty[i] = false;
		}
	}
	for (uint32_t i = 0; i < e->n_sources; i++) {
		add_up(&e->sources[i].total, &e->sources[i].delta);
		e->sources[i].delta = (ent_balance){.source = e->sources[i].code};
	}
	ent__pending_free(e);
	ent_cells_reset(e->cells);
	e->last_commit_ns = uv_hrtime();
	if (e->report) {
		e->report->stages.committing += e->last_commit_ns - began;
	}
	return 0;
}
