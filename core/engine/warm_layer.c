/* SPDX-License-Identifier: Apache-2.0
 *
 * A layer: the partners that changed, as their blocks have them, with the changes added. Nothing is read from the store
 * but the members of sets that changed, and what else is known of partners of whom that changed. Loop thread only. */
#include "base/json.h"
#include "engine/warm.h"
#include "rules/protocol.h"

#include <stdlib.h>
#include <string.h>

/* Which figures of a partner are others now. */
typedef struct figures {
	uint64_t measures[(ENT_MEASURES_MOST + 63) / 64];
	uint32_t sets, dists, facts;
	bool all; /* also what is known of it, or which sources speak */
} figures;

_Static_assert(ENT_SET_COUNT + ENT_CUSTOM_SETS <= 32 && ENT_DIST_COUNT + ENT_CUSTOM_DISTS <= 32, "they are bits of a word");

typedef struct layer {
	ent_engine *e;
	ent__warm *w;
	ent__build b;
	ent_error *error;
	/* of the partner at hand */
	uint32_t code;
	ent__warm_block *block;
	const ent_snap_partner *old;
	figures changed;
	size_t cell, set, dist; /* next changes, by partner */
	bool *used;             /* series of `old` that are written already */
	size_t used_capacity;
	const uint32_t *ids; /* of the set that was read last */
	size_t n_ids;
} layer;

/* Code of a text of the old block. */
static uint32_t code_of(layer *l, uint32_t text) {
	uint32_t *known = &l->block->code_of[text];
	if (!*known) {
		*known = ent__code_of(l->e, ent_snap_text_of(&l->block->snap, text)) + 1;
	}
	return *known - 1;
}

/* ---- series
 * ------------------------------------------------------------------------------------------------------------ */

static bool is_slice(layer *l, const ent_snap_series *x, unsigned measure, const ent_cell_key *k) {
	return x->measure == measure && x->origin == k->origin && x->view == k->view && code_of(l, x->value) == k->value &&
		   code_of(l, x->currency) == k->currency;
}

/* One measure of a slice with what was added to it. A sum that leaves 64 bits was refused by the store before. */
static void change_series(layer *l, unsigned measure, unsigned column, const ent_cell *cells, size_t n) {
	const ent_snap *s = &l->block->snap;
	const ent_snap_series *old = NULL;
	const ent_cell_key *k = &cells[0].key;
	for (uint64_t i = 0; i < l->old->n_series && !old; i++) {
		if (is_slice(l, &s->series[l->old->series + i], measure, k)) {
			old = &s->series[l->old->series + i];
			l->used[i] = true;
		}
	}
	int32_t day0 = k->day, last = cells[n - 1].key.day;
	if (old && old->n) {
		int32_t old_last = old->day0 + (int32_t)old->n - 1;
		day0 = old->day0 < day0 ? old->day0 : day0;
		last = old_last > last ? old_last : last;
	}
	uint64_t days = (uint64_t)(last - day0) + 1;
	int64_t *out = ent__build_values(&l->b, days);
	const int64_t *values = old ? (const int64_t *)(s->base + old->data) : NULL;
	const int32_t *at = old && old->points ? (const int32_t *)(values + old->points) : NULL;
	for (uint64_t i = 0; old && i < ent_snap_values(old); i++) {
		out[old->day0 - day0 + (at ? at[i] : (int32_t)i)] = values[i];
	}
	for (size_t i = 0; i < n; i++) {
		out[cells[i].key.day - day0] += cells[i].m[column];
	}
	ent__build_series_add(&l->b, l->code, measure, k, day0, days, out);
	l->changed.measures[measure / 64] |= UINT64_C(1) << measure % 64;
}

static void copy_series(layer *l, const ent_snap_series *x) {
	ent__build *b = &l->b;
	ent__build_series copy = {l->code, *x};
	copy.s.value = ent__build_text(b, code_of(l, x->value));
	copy.s.currency = ent__build_text(b, code_of(l, x->currency));
	copy.s.data = b->data.n;
	ent_buf_add(&b->data, l->block->snap.base + x->data, ent_snap_series_bytes(x));
	while (b->data.n % 8) {
		ent_buf_u8(&b->data, 0);
	}
	ENT_GROW(b->series, b->n_series, b->series_capacity);
	b->series[b->n_series++] = copy;
}

static bool one_slice(const ent_cell_key *a, const ent_cell_key *b) {
	return a->partner == b->partner && a->family == b->family && a->origin == b->origin && a->view == b->view &&
		   a->value == b->value && a->currency == b->currency;
}

static void series(layer *l) {
	const ent__warm *w = l->w;
	if (l->used_capacity < l->old->n_series) {
		l->used_capacity = l->old->n_series;
		l->used = ent_xrealloc(l->used, l->used_capacity);
	}
	if (l->old->n_series) {
		memset(l->used, 0, l->old->n_series);
	}
	while (l->cell < w->n_cells && w->cells[l->cell].key.partner == l->code) {
		const ent_cell *first = &w->cells[l->cell];
		size_t n = 0;
		unsigned width = ent_family_width(first->key.family), measure = ent_family_first(first->key.family);
		while (l->cell < w->n_cells && one_slice(&w->cells[l->cell].key, &first->key)) {
			l->cell++;
			n++;
		}
		for (unsigned column = 0; column < width; column++) {
			bool any = false;
			for (size_t i = 0; i < n && !any; i++) {
				any = first[i].m[column] != 0;
			}
			if (any && measure + column < ent_engine_catalogue(l->e)->n_measures) {
				change_series(l, measure + column, column, first, n);
			}
		}
	}
	for (uint64_t i = 0; i < l->old->n_series; i++) {
		if (!l->used[i]) {
			copy_series(l, &l->block->snap.series[l->old->series + i]);
		}
	}
}

/* ---- sets
 * -------------------------------------------------------------------------------------------------------------- */

static int take_ids(void *ctx, const ent_cell_key *key, const uint32_t *ids, const uint32_t *multiplicity, size_t n) {
	layer *l = ctx;
	(void)multiplicity;
	ENT_GROW(l->b.days, l->b.n_days, l->b.days_capacity);
	l->b.days[l->b.n_days++] = (ent__build_day){*key, l->b.ids.n / 4, n};
	ent_buf_add(&l->b.ids, ids, n * 4);
	return 0;
}

static int by_day(const void *a, const void *b) {
	int32_t x = ((const ent_cell_key *)a)->day, y = ((const ent_cell_key *)b)->day;
	return (x > y) - (x < y);
}

/* Sets go the way that they go in a snapshot: days with their identities, which are put together at the end. All sets
 * of a day on which one changed come from the store, where they stand in one row. */
static int sets(layer *l) {
	ent__warm *w = l->w;
	const ent_snap *s = &l->block->snap;
	ent_cell_key *changed = w->sets + l->set;
	size_t n = 0, days = 0;
	int status = 0;
	while (l->set + n < w->n_sets && changed[n].partner == l->code) {
		l->changed.sets |= 1u << changed[n++].family;
	}
	l->set += n;
	if (n) {
		qsort(changed, n, sizeof *changed, by_day);
	}
	for (size_t i = 0; i < n && !status; i++) {
		if (!days || changed[days - 1].day != changed[i].day) {
			status = ent_store_sets_of_day(l->e->store, l->code, changed[i].day, take_ids, l, l->error);
			changed[days++] = changed[i];
		}
	}
	for (uint64_t i = l->old->sets; i < l->old->sets + l->old->n_sets; i++) {
		const ent_snap_set *x = &s->sets[i];
		const uint32_t *starts = (const uint32_t *)(s->base + x->starts), *ids = (const uint32_t *)(s->base + x->ids);
		ent_cell_key key = {.partner = l->code,
			.family = (uint8_t)x->set,
			.origin = x->origin,
			.view = x->view,
			.value = code_of(l, x->value)};
		for (uint32_t d = 0; d < x->n; d++) {
			key.day = x->day0 + (int32_t)d;
			if (starts[d + 1] > starts[d] && !(days && bsearch(&key, changed, days, sizeof *changed, by_day))) {
				ENT_GROW(l->b.days, l->b.n_days, l->b.days_capacity);
				l->b.days[l->b.n_days++] = (ent__build_day){key, l->b.ids.n / 4, starts[d + 1] - starts[d]};
				ent_buf_add(&l->b.ids, ids + starts[d], (starts[d + 1] - starts[d]) * sizeof *ids);
			}
		}
	}
	return status;
}

/* ---- distributions
 * ----------------------------------------------------------------------------------------------------- */

static void dists(layer *l) {
	const ent__warm *w = l->w;
	const ent_snap *s = &l->block->snap;
	ent__build *b = &l->b;
	for (uint64_t i = l->old->dists; i < l->old->dists + l->old->n_dists; i++) {
		const ent_snap_dist *x = &s->dists[i];
		const ent_snap_bucket *rows = (const ent_snap_bucket *)(s->base + x->rows);
		ent_cell_key key = {
			.partner = l->code, .family = (uint8_t)x->dist, .origin = x->origin, .currency = code_of(l, x->currency)};
		for (uint64_t r = 0; r < x->n; r++) {
			key.day = rows[r].day;
			ENT_GROW(b->buckets, b->n_buckets, b->buckets_capacity);
			b->buckets[b->n_buckets++] = (ent__build_bucket){key, rows[r].bucket, rows[r].count};
		}
	}
	for (; l->dist < w->n_dists && w->dists[l->dist].key.partner == l->code; l->dist++) {
		const ent__build_bucket *x = &w->dists[l->dist];
		ent_cell_key key = {.partner = l->code,
			.family = x->key.family,
			.origin = x->key.origin,
			.currency = x->key.currency,
			.day = x->key.day};
		ENT_GROW(b->buckets, b->n_buckets, b->buckets_capacity);
		b->buckets[b->n_buckets++] = (ent__build_bucket){key, x->bucket, x->count};
		l->changed.dists |= 1u << x->key.family;
	}
}

/* ---- what is known
 * ----------------------------------------------------------------------------------------------------- */

static bool is_known_anew(const ent__warm *w, uint32_t code) {
	for (size_t low = 0, high = w->n_known; low < high;) {
		size_t middle = (low + high) / 2;
		if (w->known[middle] == code) {
			return true;
		}
		if (w->known[middle] < code) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return false;
}

static uint32_t facts_changed(const ent__warm *w, uint32_t code) {
	for (size_t low = 0, high = w->n_facts; low < high;) {
		size_t middle = (low + high) / 2;
		if (w->facts[middle].partner == code) {
			return w->facts[middle].kinds;
		}
		if (w->facts[middle].partner < code) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return 0;
}

static bool old_json(void *ctx, uint32_t partner, ent_buf *out) {
	layer *l = ctx;
	const ent__warm_place *p = &l->w->places[l->w->index_of[partner] - 1];
	const ent_snap *s = &l->w->blocks[p->block].snap;
	if (is_known_anew(l->w, partner)) {
		return false;
	}
	ent_buf_add(out, s->base + s->partners[p->partner].json, s->partners[p->partner].n_json);
	return true;
}

static int take_cover(void *ctx, const ent_cover *c) {
	ent__build_cover(ctx, c);
	return 0;
}

static void copy_covers(layer *l) {
	const ent_snap *s = &l->block->snap;
	for (uint64_t i = l->old->covers; i < l->old->covers + l->old->n_covers; i++) {
		ent__build *b = &l->b;
		ENT_GROW(b->covers, b->n_covers, b->covers_capacity);
		b->covers[b->n_covers] = (ent__build_cover_row){l->code, s->covers[i]};
		b->covers[b->n_covers++].c.source = ent__build_text(b, code_of(l, s->covers[i].source));
	}
}

/* Families and origins that have data: with the first or last of them, other sources may speak for the partner. */
typedef struct presence {
	uint8_t origins[ENT_FAMILY_COUNT];
} presence;

static void count_in(presence *p, unsigned family, unsigned origin) { p->origins[family] |= (uint8_t)(1u << origin); }

static presence old_presence(const layer *l) {
	presence p = {{0}};
	const ent_snap *s = &l->block->snap;
	for (uint64_t i = l->old->series; i < l->old->series + l->old->n_series; i++) {
		count_in(&p, ent_snap_measure(s, s->series[i].measure)->family, s->series[i].origin);
	}
	return p;
}

static presence new_presence(const layer *l, size_t first) {
	presence p = {{0}};
	for (size_t i = first; i < l->b.n_series; i++) {
		count_in(&p, ent_engine_catalogue(l->e)->measures[l->b.series[i].s.measure].family, l->b.series[i].s.origin);
	}
	return p;
}

/* ---- the request
 * ------------------------------------------------------------------------------------------------------- */

static bool has(const uint64_t *measures, unsigned measure) { return measures[measure / 64] >> measure % 64 & 1; }

static bool term_changed(const ent_metric_term *t, const uint64_t *measures) {
	for (const ent_metric_term *x = t; x < t + ENT_TERMS && x->sign; x++) {
		if (has(measures, x->measure)) {
			return true;
		}
		/* revenue by the day of the refund is not known where returns have no day */
		if (x->measure == ENT_M_RETURNS_ON_DAY && has(measures, ENT_M_RETURNS)) {
			return true;
		}
	}
	return false;
}

static bool metric_changed(const ent_metric *m, const figures *f) {
	switch ((ent_metric_kind)m->kind) {
	case ENT_METRIC_DISTINCT:
		return f->sets >> m->set_or_dist & 1;
	case ENT_METRIC_DISTRIBUTION:
		return f->dists >> m->set_or_dist & 1;
	default:
		return term_changed(m->top, f->measures) || term_changed(m->bottom, f->measures) ||
			   (m->top_set && f->sets >> (m->top_set - 1) & 1) || (m->bottom_set && f->sets >> (m->bottom_set - 1) & 1);
	}
}

/* Which metrics changed, each different list once, and which of the lists is that of each partner. */
static void write_request(const ent_catalogue *c, const figures *changed, size_t n, ent_buf *out) {
	ent_json j;
	figures *lists = NULL;
	size_t n_lists = 0, capacity = 0;
	int64_t *of = ent_xmalloc((n + 1) * sizeof *of);
	ent_json_init(&j, out, false);
	ent_json_object(&j);
	ent_json_key(&j, "metrics");
	ent_json_array(&j);
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;
		of[i] = -1;
		if (changed[i].all) {
			continue;
		}
		while (k < n_lists && (memcmp(lists[k].measures, changed[i].measures, sizeof lists[k].measures) || lists[k].sets != changed[i].sets ||
								  lists[k].dists != changed[i].dists || lists[k].facts != changed[i].facts)) {
			k++;
		}
		of[i] = (int64_t)k;
		if (k < n_lists) {
			continue;
		}
		ENT_GROW(lists, n_lists, capacity);
		lists[n_lists++] = changed[i];
		ent_json_array(&j);
		for (unsigned m = 0; m < c->n_metrics; m++) {
			if (metric_changed(&c->metrics[m], &changed[i])) {
				ent_json_uint(&j, m);
			}
		}
		for (unsigned kind = 0; kind < ENT_FACT_COUNT; kind++) {
			if (changed[i].facts >> kind & 1) {
				ent_json_uint(&j, ENT_RULES_FACTS + kind);
			}
		}
		ent_json_end(&j);
	}
	ent_json_end(&j);
	ent_json_key(&j, "of");
	ent_json_array(&j);
	for (size_t i = 0; i < n; i++) {
		ent_json_int(&j, of[i]);
	}
	ent_json_end(&j);
	ent_json_end(&j);
	free(lists);
	free(of);
}

/* ---- the layer
 * --------------------------------------------------------------------------------------------------------- */

static void copy_rates(layer *l) {
	const ent_snap *s = &l->block->snap;
	for (uint32_t i = 0; i < s->n_rates; i++) {
		ent_snap_rate row = s->rates[i];
		row.currency = ent__build_text(&l->b, code_of(l, row.currency));
		row.data = l->b.data.n;
		ent_buf_add(&l->b.data, s->base + s->rates[i].data, row.n * 8);
		ent_buf_add(&l->b.rate_rows, &row, sizeof row);
	}
}

static size_t first_of(const void *items, size_t n, size_t size, size_t offset, uint32_t code) {
	size_t low = 0;
	while (low < n) {
		size_t middle = low + (n - low) / 2;
		const ent_cell_key *k = (const ent_cell_key *)((const char *)items + middle * size + offset);
		if (k->partner < code) {
			low = middle + 1;
		} else {
			n = middle;
		}
	}
	return low;
}

static int one_partner(layer *l, uint32_t index) {
	ent__warm *w = l->w;
	const ent__warm_place *p = &w->places[index];
	size_t first = l->b.n_series;
	l->code = p->code;
	l->block = &w->blocks[p->block];
	l->old = &l->block->snap.partners[p->partner];
	l->changed = (figures){.all = is_known_anew(w, p->code), .facts = facts_changed(w, p->code)};
	l->cell = first_of(w->cells, w->n_cells, sizeof *w->cells, offsetof(ent_cell, key), p->code);
	l->set = first_of(w->sets, w->n_sets, sizeof *w->sets, 0, p->code);
	l->dist = first_of(w->dists, w->n_dists, sizeof *w->dists, offsetof(ent__build_bucket, key), p->code);
	series(l);
	dists(l);
	int status = sets(l);
	presence was = old_presence(l), is = new_presence(l, first);
	bool other = memcmp(&was, &is, sizeof was) != 0;
	l->changed.all |= other;
	if (status || !l->changed.all) {
		copy_covers(l);
		return status;
	}
	status = ent_store_covers_of(l->e->store, p->code, take_cover, &l->b, l->error);
	ent__build_covers_common(&l->b, p->code, first, w->common, w->n_common);
	return status ? status : ent__build_records(&l->b, p->code, l->error);
}

int ent__warm_layer(
	ent_engine *e, const uint32_t *partners, size_t n, ent_snapshot_block *out, ent_buf *request, ent_error *error) {
	ent__warm *w = e->warm;
	layer l = {.e = e,
		.w = w,
		.error = error,
		.block = &w->blocks[0],
		.b = {.e = e, .as_of = w->as_of, .behind = w->behind, .as_of_mode = "", .generation = w->n_blocks, .old_json = old_json}};
	figures *changed = ent_xcalloc(n + 1, sizeof *changed);
	int status = 0;
	l.b.old_ctx = &l;
	ent__build_begin(&l.b);
	copy_rates(&l);
	for (size_t i = 0; i < n && !status; i++) {
		ENT_GROW(l.b.partners, l.b.n_partners, l.b.partners_capacity);
		l.b.partners[l.b.n_partners++] = w->places[partners[i]].code; /* by index is by name */
		status = one_partner(&l, partners[i]);
		changed[i] = l.changed;
	}
	if (!status) {
		ent_buf block = {0};
		ent__build_covers(&l.b);
		ent__build_sets(&l.b);
		ent__build_dists(&l.b);
		ent__build_rank(&l.b);
		ent__build_assemble(&l.b, &block);
		status = ent__build_seal(&block, out, error);
		out->as_of = w->as_of;
		ent_buf_finish(&block);
		write_request(ent_engine_catalogue(e), changed, n, request);
	}
	free(changed);
	free(l.used);
	ent__build_finish(&l.b);
	return status;
}
