/* SPDX-License-Identifier: Apache-2.0
 *
 * Building a snapshot (metrics/snapshot.h) from the store: cells become dense series, sets and distributions become
 * arrays, coverage, rates and what is known of each partner go along. One pass over each table. Loop thread only. */
#include "base/day.h"
#include "base/json.h"
#include "base/num.h"
#include "engine/internal.h"
#include "engine/days.h"
#include "engine/released.h"
#include "engine/snapshot_build.h"

#include <stdlib.h>
#include <string.h>

enum { QUIET_DAYS = 400 }; /* zeros are kept up to the as-of day for so long: not for data of years ago */

/* ---- texts ------------------------------------------------------------------------------------------------------------------ */

void ent__build_begin(ent__build *b) {
	static const ent_snap_head head; /* as it is when everything else is laid out */
	ENT_GROW(b->texts, b->n_texts, b->texts_capacity);
	b->texts[b->n_texts++] = 0;
	ent_buf_add(&b->data, &head, sizeof head);
}

uint32_t ent__build_text(ent__build *b, uint32_t code) {
	if (code == 0) {
		return 0;
	}
	if (code >= b->text_of_n) {
		uint32_t n = b->e->texts.count > code ? b->e->texts.count : code + 1;
		n = n > 2 * b->text_of_n ? n : 2 * b->text_of_n;
		b->text_of = ent_xrealloc(b->text_of, n * sizeof *b->text_of);
		memset(b->text_of + b->text_of_n, 0, (n - b->text_of_n) * sizeof *b->text_of);
		b->text_of_n = n;
	}
	if (!b->text_of[code]) {
		ENT_GROW(b->texts, b->n_texts, b->texts_capacity);
		b->texts[b->n_texts] = code;
		b->text_of[code] = b->n_texts++;
	}
	return b->text_of[code];
}

bool ent__build_included(const ent__build *b, uint32_t partner) {
	return partner < b->e->partners_capacity && (b->e->partners[partner].known == 1 || b->e->partners[partner].known == 2);
}

/* ---- series ------------------------------------------------------------------------------------------------------------------- */

static int by_slice(const void *x, const void *y) {
	const ent_cell_key *a = &((const ent_cell *)x)->key, *b = &((const ent_cell *)y)->key;
#define BY(field)                                                                                                      \
	if (a->field != b->field)                                                                                          \
	return a->field < b->field ? -1 : 1
	BY(family);
	BY(origin);
	BY(view);
	BY(value);
	BY(currency);
	BY(day);
#undef BY
	return 0;
}

static bool same_slice(const ent_cell_key *a, const ent_cell_key *b) {
	return a->family == b->family && a->origin == b->origin && a->view == b->view && a->value == b->value &&
		   a->currency == b->currency;
}

void ent__build_series_add(ent__build *b, uint32_t partner, unsigned measure, const ent_cell_key *k, int32_t day0, uint64_t n,
	const int64_t *values) {
	uint64_t points = 0;
	for (uint64_t i = 0; i < n; i++) {
		points += values[i] != 0;
	}
	if (!points) { /* one without a value is none */
		return;
	}
	ent_snap_series s = {.measure = (uint16_t)measure, .origin = k->origin, .view = k->view, .value = ent__build_text(b, k->value),
		.currency = ent__build_text(b, k->currency), .day0 = day0, .n = n, .data = b->data.n,
		.points = ent_snap_is_sparse(points, n) ? points : 0};
	if (!s.points) {
		ent_buf_add(&b->data, values, n * 8);
	} else {
		ent_buf_reserve(&b->data, points * 12 + 8);
		int64_t *value = (int64_t *)(b->data.data + b->data.n);
		int32_t *day = (int32_t *)(value + points);
		for (uint64_t i = 0; i < n; i++) {
			if (values[i]) {
				*value++ = values[i];
				*day++ = (int32_t)i;
			}
		}
		b->data.n += points * 12;
		while (b->data.n % 8) {
			ent_buf_u8(&b->data, 0);
		}
	}
	ENT_GROW(b->series, b->n_series, b->series_capacity);
	b->series[b->n_series++] = (ent__build_series){partner, s};
}

int64_t *ent__build_values(ent__build *b, uint64_t n) {
	b->values.n = 0;
	ent_buf_reserve(&b->values, n * 8);
	memset(b->values.data, 0, n * 8);
	return (int64_t *)b->values.data;
}

/* The cells of one slice of one partner, in order of days: one series for each measure that has anything. */
static void add_slice(ent__build *b, const ent_cell *cells, size_t n) {
	unsigned family = cells[0].key.family;
	unsigned first = ent_family_first(family), width = ent_family_width(family);
	int32_t day0 = cells[0].key.day;
	int32_t last = cells[n - 1].key.day;
	/* A series that reaches the as-of day is handed to Python as it lies here; a shorter one has to be copied. */
	if (cells[0].key.view == ENT_VIEW_TOTAL && b->as_of - last <= QUIET_DAYS) {
		last = ent__build_day_of(b, cells[0].key.partner);
	}
	uint64_t days = (uint64_t)(last - day0) + 1;
	for (unsigned column = 0; column < width; column++) {
		bool any = false;
		for (size_t i = 0; i < n && !any; i++) {
			any = cells[i].m[column] != 0;
		}
		if (!any) {
			continue;
		}
		if (family >= ENT_FAMILY_CUSTOM && !ent_engine_catalogue(b->e)->measures[first + column].name) {
			continue;
		}
		int64_t *out = ent__build_values(b, days);
		for (size_t i = 0; i < n; i++) {
			out[cells[i].key.day - day0] = cells[i].m[column];
		}
		ent__build_series_add(b, cells[0].key.partner, first + column, &cells[0].key, day0, days, out);
	}
}

void ent__build_cells(ent__build *b) {
	ENT_SORT(b->cells, b->n_cells, by_slice);
	for (size_t i = 0; i < b->n_cells;) {
		size_t k = i + 1;
		while (k < b->n_cells && same_slice(&b->cells[k].key, &b->cells[i].key)) {
			k++;
		}
		add_slice(b, b->cells + i, k - i);
		i = k;
	}
	b->n_cells = 0;
}

void ent__build_cell(ent__build *b, const ent_cell *c) {
	ENT_GROW(b->cells, b->n_cells, b->cells_capacity);
	b->cells[b->n_cells++] = *c;
}

static int take_cell(void *ctx, const ent_cell *c) {
	ent__build *b = ctx;
	if (!ent__build_included(b, c->key.partner) || c->key.day > ent__build_day_of(b, c->key.partner)) {
		return 0;
	}
	if (c->key.family >= ENT_FAMILY_CUSTOM && ent_family_first(c->key.family) >= ent_engine_catalogue(b->e)->n_measures) {
		return 0; /* a block that is declared no more: the next run takes it away */
	}
	if (b->n_cells && b->cells[0].key.partner != c->key.partner) {
		ent__build_cells(b);
	}
	ent__build_cell(b, c);
	return 0;
}

/* ---- sets and distributions ------------------------------------------------------------------------------------------------------ */

static int take_set(void *ctx, const ent_cell_key *key, const uint32_t *ids, const uint32_t *multiplicity, size_t n) {
	(void)multiplicity; /* how often an identity came never enters a metric */
	ent__build *b = ctx;
	if (n == 0 || key->family >= ent_engine_catalogue(b->e)->n_sets || !ent__build_included(b, key->partner) || key->day > ent__build_day_of(b, key->partner)) {
		return 0;
	}
	if (b->n_days && b->days[0].key.partner != key->partner) {
		ent__build_sets(b);
	}
	ENT_GROW(b->days, b->n_days, b->days_capacity);
	b->days[b->n_days++] = (ent__build_day){*key, b->ids.n / 4, n};
	ent_buf_add(&b->ids, ids, n * 4);
	return 0;
}

static int by_set(const void *x, const void *y) {
	const ent_cell_key *a = &((const ent__build_day *)x)->key, *b = &((const ent__build_day *)y)->key;
#define BY(field)                                                                                                      \
	if (a->field != b->field)                                                                                          \
	return a->field < b->field ? -1 : 1
	BY(partner);
	BY(family);
	BY(origin);
	BY(view);
	BY(value);
	BY(day);
#undef BY
	return 0;
}

void ent__build_sets(ent__build *b) {
	ENT_SORT(b->days, b->n_days, by_set);
	for (size_t i = 0; i < b->n_days;) {
		const ent_cell_key *key = &b->days[i].key;
		size_t k = i;
		while (k < b->n_days && b->days[k].key.partner == key->partner && b->days[k].key.family == key->family &&
			   b->days[k].key.origin == key->origin && b->days[k].key.view == key->view && b->days[k].key.value == key->value) {
			k++;
		}
		uint32_t days = (uint32_t)(b->days[k - 1].key.day - key->day) + 1;
		ENT_GROW(b->sets, b->n_sets, b->sets_capacity);
		ent__build_set *s = &b->sets[b->n_sets++];
		s->partner = key->partner;
		s->s = (ent_snap_set){.set = key->family, .origin = key->origin, .view = key->view,
			.value = ent__build_text(b, key->value), .day0 = key->day, .n = days, .starts = b->data.n};
		ent_buf_reserve(&b->data, ENT_PAD8(((size_t)days + 1) * 4));
		uint32_t *starts = (uint32_t *)(b->data.data + b->data.n);
		memset(starts, 0, ENT_PAD8(((size_t)days + 1) * 4));
		uint32_t total = 0;
		for (size_t d = i, day = 0; day < days; day++) {
			starts[day] = total;
			if (d < k && b->days[d].key.day == key->day + (int32_t)day) {
				total += (uint32_t)b->days[d++].n;
			}
			starts[day + 1] = total;
		}
		b->data.n += ENT_PAD8(((size_t)days + 1) * 4);
		s->s.ids = b->data.n;
		for (size_t d = i; d < k; d++) {
			ent_buf_add(&b->data, b->ids.data + b->days[d].at * 4, b->days[d].n * 4);
		}
		while (b->data.n % 8) {
			ent_buf_u8(&b->data, 0);
		}
		i = k;
	}
	b->n_days = 0;
	b->ids.n = 0;
}

static int take_dist(void *ctx, const ent_cell_key *key, const int32_t *buckets, const int64_t *counts, size_t n) {
	ent__build *b = ctx;
	if (key->family >= ent_engine_catalogue(b->e)->n_dists || !ent__build_included(b, key->partner) ||
		key->day > ent__build_day_of(b, key->partner)) {
		return 0;
	}
	if (b->n_buckets && b->buckets[0].key.partner != key->partner) {
		ent__build_dists(b);
	}
	for (size_t i = 0; i < n; i++) {
		ENT_GROW(b->buckets, b->n_buckets, b->buckets_capacity);
		b->buckets[b->n_buckets++] = (ent__build_bucket){*key, buckets[i], counts[i]};
	}
	return 0;
}

static int by_dist(const void *x, const void *y) {
	const ent__build_bucket *p = x, *q = y;
	const ent_cell_key *a = &p->key, *b = &q->key;
#define BY(field)                                                                                                      \
	if (a->field != b->field)                                                                                          \
	return a->field < b->field ? -1 : 1
	BY(partner);
	BY(family);
	BY(origin);
	BY(currency);
	BY(day);
#undef BY
	return p->bucket < q->bucket ? -1 : p->bucket > q->bucket;
}

static bool one_dist(const ent_cell_key *a, const ent_cell_key *b) {
	return a->partner == b->partner && a->family == b->family && a->origin == b->origin && a->currency == b->currency;
}

/* The store gives a partner's buckets day by day, so each of its few distributions is in order already: they have only to be
 * taken apart. Where that does not hold (changes behind what they change) all is sorted. */
static void order_buckets(ent__build *b) {
	enum { MOST = 16 };
	ent__build_bucket first[MOST];
	size_t starts[MOST + 1] = {0}, n = b->n_buckets, at = 0;
	unsigned n_dists = 0;
	for (size_t i = 0; i < n && n_dists <= MOST; i++) { /* which there are */
		const ent__build_bucket *x = &b->buckets[i];
		if (i && one_dist(&x->key, &x[-1].key)) {
			continue;
		}
		unsigned d = 0;
		while (d < n_dists && !one_dist(&x->key, &first[d].key)) {
			d++;
		}
		if (d == n_dists && n_dists++ < MOST) {
			first[d] = *x;
		}
	}
	if (n_dists > MOST) {
		ENT_SORT(b->buckets, n, by_dist);
		return;
	}
	ENT_SORT(first, n_dists, by_dist);
	ent__build_bucket *out = ent_xmalloc((n + 1) * sizeof *out);
	for (unsigned d = 0; d < n_dists; d++) {
		for (size_t i = 0; i < n; i++) {
			if (one_dist(&b->buckets[i].key, &first[d].key)) {
				out[at++] = b->buckets[i];
			}
		}
		starts[d + 1] = at;
	}
	bool ordered = true;
	for (unsigned d = 0; d < n_dists; d++) {
		for (size_t i = starts[d] + 1; i < starts[d + 1] && ordered; i++) {
			ordered = by_dist(&out[i - 1], &out[i]) <= 0;
		}
	}
	free(b->buckets);
	b->buckets = out;
	b->buckets_capacity = n + 1;
	if (!ordered) {
		ENT_SORT(b->buckets, n, by_dist);
	}
}

void ent__build_dists(ent__build *b) {
	order_buckets(b);
	for (size_t i = 0; i < b->n_buckets;) {
		const ent_cell_key *key = &b->buckets[i].key;
		ENT_GROW(b->dists, b->n_dists, b->dists_capacity);
		ent__build_dist *d = &b->dists[b->n_dists++];
		d->partner = key->partner;
		d->d = (ent_snap_dist){.dist = key->family, .origin = key->origin, .currency = ent__build_text(b, key->currency),
			.rows = b->data.n};
		size_t k = i;
		for (; k < b->n_buckets && b->buckets[k].key.partner == key->partner && b->buckets[k].key.family == key->family &&
			   b->buckets[k].key.origin == key->origin && b->buckets[k].key.currency == key->currency;
			 k++) {
			ent_snap_bucket row = {b->buckets[k].key.day, b->buckets[k].bucket, b->buckets[k].count};
			ent_snap_bucket *last = d->d.n ? (ent_snap_bucket *)(b->data.data + b->data.n) - 1 : NULL;
			if (last && last->day == row.day && last->bucket == row.bucket) { /* a change of what is there */
				last->count += row.count;
			} else {
				ent_buf_add(&b->data, &row, sizeof row);
				d->d.n++;
			}
			last = (ent_snap_bucket *)(b->data.data + b->data.n) - 1;
			if (last->count == 0) {
				b->data.n -= sizeof row;
				d->d.n--;
			}
		}
		b->n_dists -= d->d.n == 0;
		i = k;
	}
	b->n_buckets = 0;
}

/* ---- coverage ------------------------------------------------------------------------------------------------------------------------ */

int ent__build_family(uint32_t kind) {
	switch (kind) {
	case ENT_ORDER:
	case ENT_LINE:
	case ENT_REFUND:
		return ENT_SALES;
	case ENT_VISIT:
		return ENT_TRAFFIC;
	case ENT_CART:
		return ENT_CARTS;
	default:
		return -1;
	}
}

void ent__build_cover(ent__build *b, const ent_cover *c) {
	int family = ent__build_family(c->kind);
	if (family < 0 || (c->partner && !ent__build_included(b, c->partner))) {
		return;
	}
	int32_t day = c->partner ? ent__build_day_of(b, c->partner) : b->as_of;
	if (c->from > day) {
		return;
	}
	ent__build_cover_row row = {.partner = c->partner};
	row.c = (ent_snap_cover){.family = (uint8_t)family, .origin = c->origin, .declared = c->declared,
		.complete = c->complete, .source = ent__build_text(b, c->source), .from = c->from,
		.to = c->to > day + 1 ? day + 1 : c->to};
	if (c->partner) {
		ENT_GROW(b->covers, b->n_covers, b->covers_capacity);
		b->covers[b->n_covers++] = row;
	} else {
		ENT_GROW(b->common, b->n_common, b->common_capacity);
		b->common[b->n_common++] = row;
	}
}

static int take_cover(void *ctx, const ent_cover *c) {
	ent__build_cover(ctx, c);
	return 0;
}

static int by_span(const void *x, const void *y) {
	const ent__build_cover_row *p = x, *q = y;
	if (p->partner != q->partner) {
		return p->partner < q->partner ? -1 : 1;
	}
#define BY(field)                                                                                                      \
	if (p->c.field != q->c.field)                                                                                      \
	return p->c.field < q->c.field ? -1 : 1
	BY(family);
	BY(origin);
	BY(source);
	BY(declared);
	BY(complete);
	BY(from);
	BY(to);
#undef BY
	return 0;
}

/* What one source says of days that touch is one row: there is one for each file that was read, and a source of many partners
 * hands it to all of them. */
static void merge_spans(ent__build_cover_row *rows, size_t *n) {
	size_t kept = 0;
	ENT_SORT(rows, *n, by_span);
	for (size_t i = 0; i < *n; i++) {
		ent_snap_cover *last = kept ? &rows[kept - 1].c : NULL;
		const ent_snap_cover *c = &rows[i].c;
		if (last && rows[kept - 1].partner == rows[i].partner && last->family == c->family && last->origin == c->origin &&
			last->source == c->source && last->declared == c->declared && last->complete == c->complete &&
			c->from <= last->to) {
			last->to = c->to > last->to ? c->to : last->to;
		} else {
			rows[kept++] = rows[i];
		}
	}
	*n = kept;
}

static const ent_measure_def *measure_of(const ent__build *b, unsigned measure) {
	return &ent_engine_catalogue(b->e)->measures[measure];
}

/* A source of many partners speaks for all that have such data. */
static void add_common(ent__build *b, uint32_t partner, const bool has[ENT_FAMILY_COUNT][ENT_ORIGIN_COUNT]) {
	int32_t day = ent__build_day_of(b, partner);
	for (size_t i = 0; i < b->n_common; i++) {
		const ent_snap_cover *c = &b->common[i].c;
		if (has[c->family][c->origin] && c->from <= day) {
			ENT_GROW(b->covers, b->n_covers, b->covers_capacity);
			b->covers[b->n_covers] = (ent__build_cover_row){partner, *c};
			b->covers[b->n_covers++].c.to = c->to > day + 1 ? day + 1 : c->to;
		}
	}
}

static int by_partner(const void *x, const void *y) {
	const ent__build_series *p = x, *q = y;
	return p->partner == q->partner ? 0 : p->partner < q->partner ? -1 : 1;
}

void ent__build_covers(ent__build *b) {
	merge_spans(b->common, &b->n_common);
	ENT_SORT(b->series, b->n_series, by_partner);
	for (size_t i = 0; i < b->n_series && b->n_common;) {
		bool has[ENT_FAMILY_COUNT][ENT_ORIGIN_COUNT] = {0};
		uint32_t partner = b->series[i].partner;
		for (; i < b->n_series && b->series[i].partner == partner; i++) {
			has[measure_of(b, b->series[i].s.measure)->family][b->series[i].s.origin] = true;
		}
		add_common(b, partner, has);
	}
	merge_spans(b->covers, &b->n_covers);
}

void ent__build_covers_common(ent__build *b, uint32_t partner, size_t first, const ent_cover *common, size_t n) {
	bool has[ENT_FAMILY_COUNT][ENT_ORIGIN_COUNT] = {0};
	for (size_t i = first; i < b->n_series; i++) {
		has[measure_of(b, b->series[i].s.measure)->family][b->series[i].s.origin] = true;
	}
	for (size_t i = 0; i < n; i++) {
		ent_cover c = common[i];
		int family = ent__build_family(c.kind);
		if (family >= 0 && has[family][c.origin]) {
			c.partner = partner;
			ent__build_cover(b, &c);
		}
	}
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------------------------ */

static void include_partners(ent__build *b) {
	for (uint32_t code = 1; code < b->e->partners_capacity; code++) {
		if (ent__build_included(b, code)) {
			ENT_GROW(b->partners, b->n_partners, b->partners_capacity);
			b->partners[b->n_partners++] = code;
		}
	}
}

int ent__build_scan_records(
	const ent__build *b, uint32_t kind, uint32_t partner, ent_record_visit visit, void *to, ent_error *error) {
	return b->from ? b->from->records(b->from->ctx, kind, partner, visit, to, error)
				   : ent_store_records_scan(b->e->store, kind, partner, visit, to, error);
}

static int scan_cells(ent__build *b, unsigned family, ent_error *error) {
	return b->from ? b->from->cells(b->from->ctx, (ent_family)family, take_cell, b, error)
				   : ent_store_cells_scan(b->e->store, family, UINT32_MAX, take_cell, b, error);
}

static int scan_sets(ent__build *b, ent_error *error) {
	return b->from ? b->from->sets(b->from->ctx, take_set, b, error)
				   : ent_store_sets_scan(b->e->store, UINT32_MAX, take_set, b, error);
}

static int scan_dists(ent__build *b, ent_error *error) {
	return b->from ? b->from->dists(b->from->ctx, take_dist, b, error)
				   : ent_store_dists_scan(b->e->store, UINT32_MAX, take_dist, b, error);
}

static int scan_covers(ent__build *b, ent_error *error) {
	return b->from ? b->from->covers(b->from->ctx, take_cover, b, error)
				   : ent_store_covers_scan(b->e->store, take_cover, b, error);
}

int ent_engine_snapshot(ent_engine *e, int32_t as_of, const char *as_of_mode, ent_snapshot_block *out, ent_error *error) {
	return ent__build_snapshot(e, NULL, as_of, as_of_mode, out, error);
}

int ent__build_snapshot(ent_engine *e, const ent__build_from *from, int32_t as_of, const char *as_of_mode,
	ent_snapshot_block *out, ent_error *error) {
	/* what would have been said on a past day is told to nobody: it is not logged */
	ent__build b = {.e = e, .from = from, .logged = !from, .as_of = as_of, .as_of_mode = as_of_mode};
	*out = (ent_snapshot_block){.fd = -1, .as_of = as_of};
	uint8_t *behind = strcmp(as_of_mode, "now") ? NULL : ent__days_behind(e, as_of);
	b.behind = behind;
	ent__build_begin(&b);
	char *generation = NULL;
	int status = ent_store_meta_get(e->store, "run", &generation, error);
	b.generation = generation ? strtoull(generation, NULL, 10) : 0;
	free(generation);
	unsigned families = ENT_FAMILY_COUNT + (e->counted != NULL); /* those of all blocks of users are one more */
	for (unsigned f = 0; f < families && !status; f++) {
		status = scan_cells(&b, f, error);
		if (b.n_cells) {
			ent__build_cells(&b);
		}
	}
	if (!status) {
		status = scan_sets(&b, error);
		ent__build_sets(&b);
	}
	if (!status) {
		status = scan_dists(&b, error);
		ent__build_dists(&b);
	}
	if (!status) {
		status = scan_covers(&b, error);
		ent__build_covers(&b);
	}
	if (!status) {
		status = ent__build_rates(&b, error);
	}
	if (!status) {
		status = ent__build_records(&b, UINT32_MAX, error);
	}
	if (!status && b.logged) {
		status = ent__released_load(e, error);
	}
	if (!status) {
		ent_buf block = {0};
		include_partners(&b);
		ent__build_rank(&b);
		ent__build_assemble(&b, &block);
		status = ent__build_seal(&block, out, error);
		ent_buf_finish(&block);
	}
	if (status) {
		free(behind);
	} else {
		out->behind = behind;
	}
	ent__build_finish(&b);
	return status;
}

/* ---- the moment of judgement ----------------------------------------------------------------------------------------------------------------- */

typedef struct latest {
	int32_t day, today;
} latest;

static int latest_of(void *ctx, const ent_cover *c) {
	latest *l = ctx;
	/* guessed from what was read: its last day may have been half over when the export was made */
	int32_t last = c->declared || c->to - c->from < 2 ? c->to - 1 : c->to - 2;
	/* reports answer for windows, too, but not for a day that is not over; a file of benchmarks says nothing of days */
	bool report = c->kind == ENT_OBSERVATION && c->declared && c->origin <= ENT_ORIGIN_ANALYTICS;
	if (report && last >= l->today) {
		last = l->today - 1;
	}
	if ((ent__build_family(c->kind) >= 0 || (report && last >= c->from)) && last > l->day) {
		l->day = last;
	}
	return 0;
}

int ent_engine_as_of(ent_engine *e, const ent_as_of *override, int32_t *day, ent_error *error) {
	const ent_as_of *as_of = override ? override : &e->config->as_of;
	if (as_of->kind == ENT_AS_OF_DAY) {
		*day = as_of->day;
		return 0;
	}
	if (as_of->kind == ENT_AS_OF_NOW) {
		*day = ent__days_latest(e);
		return 0;
	}
	latest l = {.day = INT32_MIN, .today = ent_zone_day(e->utc, e->now_us)};
	int status = ent_store_covers_scan(e->store, latest_of, &l, error);
	*day = l.day == INT32_MIN ? l.today : l.day;
	return status;
}

void ent_engine_clock(ent_engine *e) { ent__now(e); }

uint64_t ent_engine_days(const ent_engine *e, const ent_as_of *override) {
	return (override ? override : &e->config->as_of)->kind == ENT_AS_OF_NOW ? ent__days_print(e) : 0;
}
