/* SPDX-License-Identifier: Apache-2.0
 *
 * What waits for the next commit beside cells and ledger: rejects, coverage, records. Loop thread only, but for putting it
 * into the store: that is done by whoever commits, when nobody adds to it any more. */
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
	ent_finding *findings;
	size_t n_findings, findings_capacity;
};

static struct ent__pending *pending(ent_engine *e) {
	if (!e->pending) {
		e->pending = ent_xcalloc(1, sizeof *e->pending);
	}
	return e->pending;
}

void ent__pending_free(struct ent__pending *p) {
	if (p) {
		ent_arena_finish(&p->arena);
		free(p->rejects);
		free(p->covers);
		free(p->dropped_covers);
		free(p->dropped_rejects);
		free(p->records);
		free(p->findings);
		free(p);
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
	int status = ent__commit_wait(e, error);
	status = status ? status : ent_store_covers_scan(e->store, stored_cover, &s, error);
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

void ent__pending_finding(ent_engine *e, const ent_finding *f) {
	struct ent__pending *p = pending(e);
	ENT_GROW(p->findings, p->n_findings, p->findings_capacity);
	ent_finding *mine = &p->findings[p->n_findings++];
	*mine = *f;
	mine->rule = keep(p, f->rule);
	mine->partner = keep(p, f->partner);
	mine->key = keep(p, f->key);
	mine->life = keep(p, f->life);
}

int ent__pending_put(const struct ent__pending *p, const ent_config *config, ent_store *store, ent_error *error) {
	int status = 0;
	for (size_t i = 0; p && i < p->n_dropped && !status; i++) {
		status = ent_store_covers_drop(store, p->dropped_covers[i], error);
	}
	for (size_t i = 0; p && i < p->n_covers && !status; i++) {
		status = ent_store_cover_put(store, &p->covers[i], error);
	}
	for (size_t i = 0; p && i < p->n_old && !status; i++) {
		status = ent_store_rejects_drop(store, p->dropped_rejects[i], error);
	}
	for (size_t i = 0; p && i < p->n_rejects && !status; i++) {
		status = ent_store_reject_add(store, &p->rejects[i], error);
	}
	for (size_t i = 0; p && i < p->n_records && !status; i++) {
		const struct change *c = &p->records[i];
		status = c->drop ? ent_store_record_drop(store, c->r.kind, c->r.key, error)
						 : ent_store_record_put(store, &c->r, error);
	}
	for (size_t i = 0; p && i < p->n_findings && !status; i++) {
		status = ent__finding_live(config, store, &p->findings[i], error);
	}
	return status;
}
