/* SPDX-License-Identifier: Apache-2.0
 *
 * Which version counted when, see versions.h.
 *
 * In a log that was not compacted since a moment, whatever lies before the place where it ended then was there, and of
 * the frames of one key the last one counts: that is exact. Compaction moves frames to the end of the log, and says of
 * those that are history until when they counted; then a frame was there if its newest record had arrived. What was
 * taken back without anything new has no arrival, so it cannot be told then when that was. */
#include "engine/versions.h"

#include <stdlib.h>
#include <string.h>

/* Of these documents cells are made. */
enum { KINDS = 1 << ENT_ORDER | 1 << ENT_VISIT | 1 << ENT_CART };

typedef struct search {
	ent_engine *e;
	ent_versions *out;
	const ent_moment *then, *now;
	ent_index *by_hash; /* to index in `out` + 1 */
	ent_error *error;
} search;

static ent_position end_of(const ent_moment *m) { return (ent_position)m->segment << 32 | (uint32_t)m->length; }

static int64_t newest_arrival(const ent_document *d) {
	int64_t newest = INT64_MIN;
	for (uint32_t i = 0; i < d->n; i++) {
		newest = d->items[i].arrival > newest ? d->items[i].arrival : newest;
	}
	return newest;
}

static ent__version *version_of(search *f, const ent_document *d) {
	ent_versions *x = f->out;
	uint64_t hash = ent_document_index_key(d);
	for (ent_index_entry *y = ent_index_find(f->by_hash, hash, NULL); y; y = ent_index_find(f->by_hash, hash, y)) {
		ent__version *v = &x->items[y->at - 1];
		if (v->kind == d->kind && v->system == d->system && v->scope == d->scope && v->key_n == d->key_n &&
			!memcmp(ent__version_key(x, v), d->key, d->key_n)) {
			return v;
		}
	}
	ENT_GROW(x->items, x->n, x->capacity);
	ent__version *v = &x->items[x->n++];
	*v = (ent__version){.since = {INT64_MIN, INT64_MIN},
		.key = x->keys.n,
		.system = d->system,
		.scope = d->scope,
		.key_n = d->key_n,
		.kind = d->kind};
	ent_buf_add(&x->keys, d->key, d->key_n);
	ent_index_add(f->by_hash, hash, x->n);
	return v;
}

/* Does the frame say what counted at the moment? Then it takes the place of the one before. */
static void settle(
	ent__version *k, unsigned side, const ent_moment *m, ent_position at, const ent_document *d, uint64_t items) {
	bool before = m->now || at < end_of(m);
	if (m->now || m->exact) {
		if (before && !d->superseded) {
			k->at[side] = items ? at : 0;
		}
		return;
	}
	int64_t since = items ? newest_arrival(d) : INT64_MIN;
	if (!items) {
		if (before) {
			k->at[side] = 0;
		}
	} else if (since <= m->arrived_us && (!d->superseded || (d->until && d->until > m->arrived_us)) &&
			   since >= k->since[side]) {
		k->at[side] = at;
		k->since[side] = since;
	}
}

static int take(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	search *f = ctx;
	ent_document *d = &f->e->incoming;
	uint64_t items;
	bool good = ent_document_decode_head(d, body, n, &items);
	if (!good || !(KINDS >> d->kind & 1) || (d->scope && d->scope != f->out->partner) || (d->superseded && !d->until)) {
		return good ? 0
					: ent_error_set(f->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	bool arrivals = (f->then && !f->then->exact) || !f->now->exact;
	if (arrivals && items && !ent_document_decode(d, body, n)) {
		return ent_error_set(f->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	ent__version *v = version_of(f, d);
	if (f->then) {
		settle(v, 0, f->then, at, d, items);
	}
	settle(v, 1, f->now, at, d, items);
	return 0;
}

int ent_engine_versions(ent_engine *e, uint32_t partner, const ent_moment *then, const ent_moment *now,
	ent_versions **out, ent_error *error) {
	*out = ent_xcalloc(1, sizeof **out);
	(*out)->partner = partner;
	search f = {.e = e, .out = *out, .then = then, .now = now, .by_hash = ent_index_create(1024), .error = error};
	int status = ent_ledger_scan(e->ledger, take, &f, error);
	ent_index_destroy(f.by_hash);
	if (status) {
		ent_versions_destroy(*out);
		*out = NULL;
	}
	return status;
}

void ent_versions_destroy(ent_versions *x) {
	if (x) {
		free(x->items);
		ent_buf_finish(&x->keys);
		free(x);
	}
}

/* ---- moments -------------------------------------------------------------------------------------------------------
 */

ent_moment ent_moment_of_run(const ent_engine *e, const ent_run *r) {
	uint32_t live = 0;
	size_t n;
	const ent_segment *segments = ent_ledger_segments(e->ledger, &n);
	for (size_t i = 0; i < n; i++) {
		live += segments[i].state == ENT_SEGMENT_LIVE && segments[i].number <= r->segment;
	}
	return (ent_moment){
		.segment = r->segment, .length = r->length, .exact = live == r->segments, .arrived_us = r->arrived_us};
}

ent_moment ent_moment_at(int64_t us) { return (ent_moment){.arrived_us = us}; }
