/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeping the blocks that rules read, and noting what changes, see warm.h. Loop thread only. */
#include "engine/life.h"
#include "engine/rules_worker.h"
#include "engine/warm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	MOST_CHANGES = 1 << 20, /* cells: more than these are read from the store faster than laid over */
	MOST_LAYERS = 32
};

static void block_close(ent__warm_block *b) {
	ent_snap_finish(&b->snap);
	ent_snapshot_block_finish(&b->block);
	free(b->code_of);
	b->code_of = NULL;
}

static void forget_changes(ent__warm *w) {
	w->n_cells = w->n_sets = w->n_dists = w->n_known = w->n_facts = 0;
	w->all = NULL;
}

void ent__warm_close(ent_engine *e) {
	ent__warm *w = e->warm;
	if (!w) {
		return;
	}
	for (size_t i = 0; i < w->n_blocks; i++) {
		block_close(&w->blocks[i]);
	}
	free(w->blocks);
	free(w->places);
	free(w->index_of);
	free(w->common);
	free(w->cells);
	free(w->sets);
	free(w->dists);
	free(w->known);
	free(w->facts);
	free(w);
	e->warm = NULL;
}

static int add_block(ent__warm *w, ent_snapshot_block *block, ent_error *error) {
	ent__warm_block b = {0};
	int status = ent_snap_open(&b.snap, block->data, block->bytes, error);
	if (status) {
		ent_snap_finish(&b.snap);
		return status;
	}
	b.code_of = ent_xcalloc(b.snap.n_texts, sizeof *b.code_of);
	b.block = *block;
	*block = (ent_snapshot_block){.fd = -1};
	ENT_GROW(w->blocks, w->n_blocks, w->blocks_capacity);
	w->blocks[w->n_blocks++] = b;
	return 0;
}

static int take_common(void *ctx, const ent_cover *c) {
	ent__warm *w = ctx;
	if (!c->partner) {
		ENT_GROW(w->common, w->n_common, w->common_capacity);
		w->common[w->n_common++] = *c;
	}
	return 0;
}

int ent__warm_open(ent_engine *e, ent_snapshot_block *block, ent_error *error) {
	ent__warm_close(e);
	ent__warm *w = e->warm = ent_xcalloc(1, sizeof *w);
	w->as_of = block->as_of;
	w->behind = block->behind; /* of the block that stays */
	int status = add_block(w, block, error);
	status = status ? status : ent_store_covers_scan(e->store, take_common, w, error);
	if (status) {
		ent__warm_close(e);
		return status;
	}
	const ent_snap *s = &w->blocks[0].snap;
	w->n_partners = w->blocks[0].read = s->n_partners;
	w->places = ent_xcalloc(s->n_partners + 1, sizeof *w->places);
	w->n_index_of = e->partners_capacity;
	w->index_of = ent_xcalloc(w->n_index_of + 1, sizeof *w->index_of);
	for (uint32_t i = 0; i < s->n_partners; i++) {
		uint32_t code = ent__code_of(e, ent_snap_partner_id(s, i));
		w->places[i] = (ent__warm_place){code, 0, i};
		w->index_of[code] = i + 1;
	}
	return 0;
}

int ent__warm_lay(ent_engine *e, ent_snapshot_block *layer, ent_error *error) {
	ent__warm *w = e->warm;
	int status = add_block(w, layer, error);
	if (status) {
		return status;
	}
	size_t number = w->n_blocks - 1;
	ent__warm_block *b = &w->blocks[number];
	for (uint32_t i = 0; i < b->snap.n_partners; i++) {
		const char *id = ent_snap_partner_id(&b->snap, i);
		ent__warm_place *p = &w->places[ent_snap_find_partner(&w->blocks[0].snap, id, strlen(id))];
		ent__warm_block *old = &w->blocks[p->block];
		if (--old->read == 0 && p->block) { /* the first names the partners: it stays */
			w->layer_bytes -= old->block.bytes;
			w->layers--;
			block_close(old);
		}
		p->block = (uint32_t)number;
		p->partner = i;
		b->read++;
	}
	w->layers++;
	w->layer_bytes += b->block.bytes;
	forget_changes(w);
	while (w->n_blocks > 1 && !w->blocks[w->n_blocks - 1].block.data) {
		w->n_blocks--;
	}
	return 0;
}

/* ---- changes
 * ------------------------------------------------------------------------------------------------------------ */

void ent__warm_all(ent_engine *e, const char *why) {
	ent__warm *w = e->warm;
	if (w && !w->all) {
		forget_changes(w);
		w->all = why;
	}
}

/* Index + 1; 0: none that is judged. A partner that came after the snapshot changes cohorts, and the order of all. */
static uint32_t index_of(ent_engine *e, uint32_t code) {
	const ent__warm *w = e->warm;
	uint32_t index = code < w->n_index_of ? w->index_of[code] : 0;
	if (!index && code < e->partners_capacity && (e->partners[code].known == 1 || e->partners[code].known == 2)) {
		ent__warm_all(e, "a partner came");
	}
	return index;
}

void ent__warm_cells(ent_engine *e, const ent_cells_flush *f) {
	ent__warm *w = e->warm;
	if (!w || w->all) {
		return;
	}
	if (e->clear_cells || w->n_cells + f->n_cells + f->n_sets + f->n_dists > MOST_CHANGES) {
		ent__warm_all(e, e->clear_cells ? "all cells were made anew" : "too much changed at once");
		return;
	}
	for (size_t i = 0; i < f->n_cells && !w->all; i++) {
		const ent_cell_change *c = &f->cells[i];
		if (index_of(e, c->key->partner) && c->key->day <= ent__warm_day(w, c->key->partner)) {
			ENT_GROW(w->cells, w->n_cells, w->cells_capacity);
			w->cells[w->n_cells].key = *c->key;
			memcpy(w->cells[w->n_cells++].m, c->m, ent_family_width(c->key->family) * sizeof *c->m);
		}
	}
	for (size_t i = 0; i < f->n_sets && !w->all; i++) {
		const ent_cell_key *key = f->sets[i].key;
		if (index_of(e, key->partner) && key->day <= ent__warm_day(w, key->partner)) {
			ENT_GROW(w->sets, w->n_sets, w->sets_capacity);
			w->sets[w->n_sets++] = *key;
		}
	}
	for (size_t i = 0; i < f->n_dists && !w->all; i++) {
		const ent_members_change *c = &f->dists[i];
		for (uint32_t k = 0; k < c->n && index_of(e, c->key->partner) && c->key->day <= ent__warm_day(w, c->key->partner); k++) {
			ENT_GROW(w->dists, w->n_dists, w->dists_capacity);
			w->dists[w->n_dists++] = (ent__build_bucket){
				*c->key, ent_member_bucket(ent_change_member(c->items[k])), ent_change_net(c->items[k])};
		}
	}
}

static void note_facts(ent_engine *e, uint32_t partner, unsigned kind) {
	ent__warm *w = e->warm;
	ent__warm_facts *last = w->n_facts ? &w->facts[w->n_facts - 1] : NULL;
	if (last && last->partner == partner) { /* one after another they are of one partner, mostly */
		last->kinds |= 1u << kind;
	} else if (w->n_facts == MOST_CHANGES) {
		ent__warm_all(e, "too much changed at once");
	} else if (index_of(e, partner)) {
		ENT_GROW(w->facts, w->n_facts, w->facts_capacity);
		w->facts[w->n_facts++] = (ent__warm_facts){partner, 1u << kind};
	}
}

void ent__warm_document(ent_engine *e, const ent_document *d) {
	if (!e->warm || e->warm->all || !e->rules || !(e->rules->facts_read >> d->kind & 1)) {
		return;
	}
	if (d->scope) {
		note_facts(e, d->scope, d->kind);
	}
	for (uint32_t i = 0; i < d->n && !d->scope && !e->warm->all; i++) {
		if (d->items[i].partner) {
			note_facts(e, d->items[i].partner, d->kind);
		}
	}
}

static void know(ent_engine *e, uint32_t partner) {
	ent__warm *w = e->warm;
	if (!w->all && index_of(e, partner)) {
		ENT_GROW(w->known, w->n_known, w->known_capacity);
		w->known[w->n_known++] = partner;
	}
}

void ent__warm_record(ent_engine *e, const ent_record *r) {
	if (!e->warm || e->warm->all) {
		return;
	}
	if (r->kind == ENT_ENTRY && !strcmp(ent__text(e, r->register_), ENT_LIFE_REGISTER)) {
		return; /* no rule reads it */
	}
	if (r->kind == ENT__RECORD_PARTNER || !r->partner) {
		ent__warm_all(e, r->partner ? "a partner came" : "a rate changed");
	} else {
		know(e, r->partner);
	}
}

static bool within(const ent_cover *c, const ent_cover *whole) {
	return c->source == whole->source && c->kind == whole->kind && c->origin == whole->origin &&
		   c->declared == whole->declared && c->complete == whole->complete && whole->from <= c->from &&
		   c->to <= whole->to;
}

/* A file that speaks for days for which its source spoke before tells nothing new: most files that change do. */
void ent__warm_cover(ent_engine *e, const ent_cover *c) {
	ent__warm *w = e->warm;
	int family = ent__build_family(c->kind);
	if (!w || w->all || c->from > w->as_of || family < 0) { /* contacts and the like: no figure reads their days */
		return;
	}
	if (!c->partner) {
		for (size_t i = 0; i < w->n_common; i++) {
			if (within(c, &w->common[i])) {
				return;
			}
		}
		ent__warm_all(e, "a source of many partners speaks for further days");
		return;
	}
	uint32_t index = index_of(e, c->partner);
	if (!index) {
		return;
	}
	const ent__warm_place *p = &w->places[index - 1];
	const ent_snap *s = &w->blocks[p->block].snap;
	const ent_snap_partner *partner = &s->partners[p->partner];
	int32_t last = ent__warm_day(w, c->partner);
	if (c->from > last) {
		return;
	}
	int32_t to = c->to > last + 1 ? last + 1 : c->to;
	const char *source = ent__text(e, c->source);
	for (uint64_t i = partner->covers; i < partner->covers + partner->n_covers; i++) {
		const ent_snap_cover *x = &s->covers[i];
		if (x->family == family && x->origin == c->origin && x->declared == c->declared && x->complete == c->complete &&
			x->from <= c->from && to <= x->to && !strcmp(ent_snap_text_of(s, x->source), source)) {
			return;
		}
	}
	know(e, c->partner);
}

/* ---- who changed
 * -------------------------------------------------------------------------------------------------------- */

#define BY(field)                                                                                                      \
	if (a->field != b->field)                                                                                          \
	return a->field < b->field ? -1 : 1

/* By partner and slice, then by day. */
static int by_key(const ent_cell_key *a, const ent_cell_key *b) {
	BY(partner);
	BY(family);
	BY(origin);
	BY(view);
	BY(value);
	BY(currency);
	BY(day);
	return 0;
}
#undef BY

static int by_cell(const void *a, const void *b) {
	return by_key(&((const ent_cell *)a)->key, &((const ent_cell *)b)->key);
}
static int by_set(const void *a, const void *b) { return by_key(a, b); }
static int by_dist(const void *x, const void *y) {
	const ent__build_bucket *a = x, *b = y;
	int order = by_key(&a->key, &b->key);
	return order ? order : (a->bucket > b->bucket) - (a->bucket < b->bucket);
}
static int by_number(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static int by_partner(const void *a, const void *b) {
	uint32_t x = ((const ent__warm_facts *)a)->partner, y = ((const ent__warm_facts *)b)->partner;
	return (x > y) - (x < y);
}

static void merge_facts(ent__warm *w) {
	size_t kept = 0;
	ENT_SORT(w->facts, w->n_facts, by_partner);
	for (size_t i = 0; i < w->n_facts; i++) {
		if (kept && w->facts[kept - 1].partner == w->facts[i].partner) {
			w->facts[kept - 1].kinds |= w->facts[i].kinds;
		} else {
			w->facts[kept++] = w->facts[i];
		}
	}
	w->n_facts = kept;
}

static size_t once(uint32_t *items, size_t n) {
	size_t kept = 0;
	ENT_SORT(items, n, by_number);
	for (size_t i = 0; i < n; i++) {
		if (!kept || items[kept - 1] != items[i]) {
			items[kept++] = items[i];
		}
	}
	return kept;
}

uint32_t *ent__warm_changed(ent__warm *w, size_t *n) {
	uint32_t *out = ent_xmalloc((w->n_cells + w->n_sets + w->n_dists + w->n_known + w->n_facts + 1) * sizeof *out);
	size_t k = 0, sets = 0;
	ENT_SORT(w->cells, w->n_cells, by_cell);
	ENT_SORT(w->sets, w->n_sets, by_set);
	ENT_SORT(w->dists, w->n_dists, by_dist);
	for (size_t i = 0; i < w->n_sets; i++) { /* changed by several commits: read once */
		if (!sets || by_key(&w->sets[sets - 1], &w->sets[i])) {
			w->sets[sets++] = w->sets[i];
		}
	}
	w->n_sets = sets;
	w->n_known = once(w->known, w->n_known);
	merge_facts(w);
	for (size_t i = 0; i < w->n_cells; i++) {
		out[k++] = w->index_of[w->cells[i].key.partner] - 1;
	}
	for (size_t i = 0; i < w->n_sets; i++) {
		out[k++] = w->index_of[w->sets[i].partner] - 1;
	}
	for (size_t i = 0; i < w->n_dists; i++) {
		out[k++] = w->index_of[w->dists[i].key.partner] - 1;
	}
	for (size_t i = 0; i < w->n_known; i++) {
		out[k++] = w->index_of[w->known[i]] - 1;
	}
	for (size_t i = 0; i < w->n_facts; i++) {
		out[k++] = w->index_of[w->facts[i].partner] - 1;
	}
	*n = once(out, k);
	return out;
}

uint32_t *ent__warm_gather(ent__warm *w, uint32_t *changed, size_t *n) {
	if (w->layers < MOST_LAYERS && w->layer_bytes < w->blocks[0].block.bytes / 2 + (1 << 20)) {
		return changed;
	}
	changed = ent_xrealloc(changed, (*n + w->n_partners + 1) * sizeof *changed);
	for (uint32_t i = 0; i < w->n_partners; i++) {
		if (w->places[i].block) {
			changed[(*n)++] = i;
		}
	}
	*n = once(changed, *n);
	return changed;
}
