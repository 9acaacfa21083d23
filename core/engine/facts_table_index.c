/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the documents of each partner lie in the ledger: made by one scan when the first rule asks for facts, and
 * brought up to date by a scan of what was appended since. 12 bytes a document, of the kinds that were asked for alone.
 * What was replaced meanwhile stays in it until it is made anew, and is left out when it is read: the ledger's index
 * knows what counts. Loop thread only. */
#include "engine/facts_table.h"
#include "engine/past_internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
	uint32_t partner;
	uint32_t offset, segment_kind; /* of the frame: segment << 8 | kind */
} entry;

struct ent__facts_index {
	unsigned kinds; /* 1 << ent_fact */
	uint64_t rollbacks;
	entry *entries; /* the first n_grouped by partner, then as they came */
	size_t n, capacity, n_grouped;
	size_t *starts; /* by partner, n_partners + 1 */
	uint32_t n_partners;
	ent_segment *seen;
	size_t n_seen;
	ent_document document;
	ent_buf frame;
};

typedef struct scan {
	ent_engine *e;
	struct ent__facts_index *x;
	ent_error *error;
} scan;

enum { FEW = 4096 };

void ent__facts_index_free(struct ent__facts_index *x) {
	if (x) {
		free(x->entries);
		free(x->starts);
		free(x->seen);
		ent_document_finish(&x->document);
		ent_buf_finish(&x->frame);
		free(x);
	}
}

static bool counts(const ent_engine *e, const ent_document *d, ent_position at) {
	uint64_t hash = ent_document_index_key(d);
	const ent_index_entry *found = ent_index_find(e->index, hash, NULL);
	while (found && found->at != at) {
		found = ent_index_find(e->index, hash, found);
	}
	return found;
}

static int damaged(ent_error *e) {
	return ent_error_set(e, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
}

static void add(struct ent__facts_index *x, uint32_t partner, ent_position at, unsigned kind) {
	const entry *last = x->n ? &x->entries[x->n - 1] : NULL;
	entry new = {partner, (uint32_t)at, (uint32_t)(at >> 32) << 8 | kind};
	if (partner && !(last && memcmp(last, &new, sizeof new) == 0)) {
		ENT_GROW(x->entries, x->n, x->capacity);
		x->entries[x->n++] = new;
	}
}

/* A document whose key many partners share lies with each of them that has a part of it. */
static void add_shared(struct ent__facts_index *x, const ent_document *d, ent_position at) {
	for (uint32_t i = 0; i < d->n; i++) {
		bool seen = false;
		for (uint32_t k = 0; k < i && !seen; k++) {
			seen = d->items[k].partner == d->items[i].partner;
		}
		if (!seen) {
			add(x, d->items[i].partner, at, d->kind);
		}
	}
}

static int take(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	scan *s = ctx;
	ent_document *d = &s->x->document;
	uint64_t items;
	if (!ent_document_decode_head(d, body, n, &items)) {
		return damaged(s->error);
	}
	if (d->superseded || !items || !(s->x->kinds >> d->kind & 1) || !counts(s->e, d, at)) {
		return 0;
	}
	if (d->scope) {
		add(s->x, d->scope, at, d->kind);
	} else if (ent_document_decode(d, body, n)) {
		add_shared(s->x, d, at);
	} else {
		return damaged(s->error);
	}
	return 0;
}

/* All by partner, and of a partner as they came. */
static void group(struct ent__facts_index *x, uint32_t n_partners) {
	for (size_t i = 0; i < x->n; i++) {
		n_partners = x->entries[i].partner >= n_partners ? x->entries[i].partner + 1 : n_partners;
	}
	size_t *starts = ent_xcalloc((size_t)n_partners + 1, sizeof *starts),
		   *next = ent_xmalloc(((size_t)n_partners + 1) * sizeof *next);
	for (size_t i = 0; i < x->n; i++) {
		starts[x->entries[i].partner + 1]++;
	}
	for (uint32_t p = 0; p < n_partners; p++) {
		starts[p + 1] += starts[p];
	}
	memcpy(next, starts, ((size_t)n_partners + 1) * sizeof *next);
	entry *grouped = ent_xmalloc((x->n + 1) * sizeof *grouped);
	for (size_t i = 0; i < x->n; i++) {
		grouped[next[x->entries[i].partner]++] = x->entries[i];
	}
	free(next);
	free(x->entries);
	free(x->starts);
	x->entries = grouped;
	x->capacity = x->n + 1;
	x->n_grouped = x->n;
	x->starts = starts;
	x->n_partners = n_partners;
}

static int bring_up(ent_engine *e, unsigned kinds, ent_error *error) {
	struct ent__facts_index *x = e->facts;
	int status = ent__index_load(e, error);
	if (status) {
		return status;
	}
	if (x && (x->rollbacks != e->rollbacks || (kinds & ~x->kinds) || x->n > 2 * ent_index_count(e->index) + 16 * FEW)) {
		kinds |= x->kinds;
		ent__facts_index_free(x);
		x = e->facts = NULL;
	}
	if (!x) {
		x = e->facts = ent_xcalloc(1, sizeof *x);
		x->kinds = kinds;
		x->rollbacks = e->rollbacks;
	}
	scan s = {e, x, error};
	size_t n;
	status = ent_ledger_scan_after(e->ledger, x->seen, x->n_seen, take, &s, error);
	if (status) {
		ent__facts_index_free(x);
		e->facts = NULL;
		return status;
	}
	const ent_segment *segments = ent_ledger_segments(e->ledger, &n);
	x->seen = ent_xrealloc(x->seen, (n + 1) * sizeof *x->seen);
	if (n) {
		memcpy(x->seen, segments, n * sizeof *x->seen);
	}
	x->n_seen = n;
	if (!x->starts || x->n - x->n_grouped > x->n_grouped / 8 + FEW) {
		group(x, e->partners_capacity);
	}
	return 0;
}

/* One frame, if it still counts. */
static int visit_one(ent_engine *e, ent_position at, ent__facts_visit visit, void *ctx, ent_error *error) {
	struct ent__facts_index *x = e->facts;
	ent_document *d = &x->document;
	if (ent_ledger_read(e->ledger, at, &x->frame, error)) {
		return error->code;
	}
	if (!ent_document_decode(d, x->frame.data, x->frame.n)) {
		return damaged(error);
	}
	return counts(e, d, at) && d->n ? visit(ctx, d) : 0;
}

/* What lies in a segment that is gone was copied to another before. */
static bool is_there(const struct ent__facts_index *x, ent_position at) {
	for (size_t i = 0; i < x->n_seen; i++) {
		if (x->seen[i].number == at >> 32) {
			return x->seen[i].state == ENT_SEGMENT_LIVE;
		}
	}
	return x->n_seen == 0 || at >> 32 > x->seen[x->n_seen - 1].number; /* begun since the last mark */
}

static int by_place(const void *a, const void *b) {
	ent_position x = *(const ent_position *)a, y = *(const ent_position *)b;
	return (x > y) - (x < y);
}

typedef struct places {
	ent_position *v;
	size_t n, capacity;
} places;

static void collect(
	const struct ent__facts_index *x, size_t from, size_t to, uint32_t partner, unsigned kinds, places *out) {
	for (size_t i = from; i < to; i++) {
		const entry *one = &x->entries[i];
		if (one->partner == partner && kinds >> (one->segment_kind & 0xff) & 1) {
			ENT_GROW(out->v, out->n, out->capacity);
			out->v[out->n++] = (ent_position)(one->segment_kind >> 8) << 32 | one->offset;
		}
	}
}

int ent__facts_each(
	ent_engine *e, uint32_t partner, unsigned kinds, ent__facts_visit visit, void *ctx, ent_error *error) {
	return e->past ? ent__past_each(e->past, partner, kinds, visit, ctx, error)
				   : ent__facts_each_now(e, partner, kinds, visit, ctx, error);
}

/* A place may be there twice: what was not committed is scanned again. */
int ent__facts_each_now(
	ent_engine *e, uint32_t partner, unsigned kinds, ent__facts_visit visit, void *ctx, ent_error *error) {
	int status = bring_up(e, kinds, error);
	if (status) {
		return status;
	}
	struct ent__facts_index *x = e->facts;
	places p = {0};
	if (partner < x->n_partners) {
		collect(x, x->starts[partner], x->starts[partner + 1], partner, kinds, &p);
	}
	collect(x, x->n_grouped, x->n, partner, kinds, &p);
	ENT_SORT(p.v, p.n, by_place);
	for (size_t i = 0; i < p.n && !status; i++) {
		if ((i == 0 || p.v[i] != p.v[i - 1]) && is_there(x, p.v[i])) {
			status = visit_one(e, p.v[i], visit, ctx, error);
		}
	}
	free(p.v);
	return status;
}
