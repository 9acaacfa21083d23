/* SPDX-License-Identifier: Apache-2.0
 *
 * Snapshot builder for tests, see snap_build.h. */
#include "snap_build.h"
#include "base/arena.h"

#include <stdlib.h>

int snap_as_points;

void snap_init(snap_build *b, int32_t as_of, const char *currency) {
	*b = (snap_build){.as_of = as_of, .meta = "{}"};
	ent_intern_init(&b->texts);
	b->currency = ent_intern_put(&b->texts, currency, strlen(currency));
}

static uint32_t text(snap_build *b, const char *t) { return ent_intern_put(&b->texts, t, strlen(t)); }

int snap_partner(snap_build *b, const char *id, const char *json) {
	ENT_GROW(b->partners, b->n_partners, b->partners_capacity);
	b->partners[b->n_partners].id = text(b, id);
	b->partners[b->n_partners].json = json;
	return (int)b->n_partners++;
}

static snap_row *row(snap_rows *rows, int partner) {
	ENT_GROW(rows->items, rows->n, rows->capacity);
	snap_row *r = &rows->items[rows->n++];
	*r = (snap_row){.partner = partner};
	return r;
}

void snap_series(snap_build *b, int partner, ent_measure measure, ent_origin origin, ent_view view, const char *value,
				 const char *currency, int32_t day0, size_t n, const int64_t *data) {
	uint32_t v = text(b, value), c = text(b, currency);
	snap_row *r = row(&b->series, partner);
	r->series = (ent_snap_series){.measure = (uint16_t)measure, .origin = (uint8_t)origin, .view = (uint8_t)view,
		.value = v, .currency = c, .day0 = day0, .n = n};
	for (size_t i = 0; i < n && snap_as_points; i++) {
		if (data[i]) {
			ent_buf_add(&r->data, &data[i], sizeof *data);
			r->series.points++;
		}
	}
	for (int32_t i = 0; i < (int32_t)n && r->series.points; i++) {
		if (data[i]) {
			ent_buf_add(&r->data, &i, sizeof i);
		}
	}
	if (!r->series.points) {
		ent_buf_add(&r->data, data, n * sizeof *data);
	}
}

void snap_set(snap_build *b, int partner, ent_set set, ent_origin origin, ent_view view, const char *value, int32_t day0,
			  size_t n, const uint32_t *counts, const uint32_t *ids) {
	uint32_t v = text(b, value), at = 0;
	snap_row *r = row(&b->sets, partner);
	r->set = (ent_snap_set){.set = (uint16_t)set, .origin = (uint8_t)origin, .view = (uint8_t)view, .value = v,
		.day0 = day0, .n = (uint32_t)n};
	ent_buf_u32(&r->data, 0);
	for (size_t i = 0; i < n; i++) {
		at += counts[i];
		ent_buf_u32(&r->data, at);
	}
	ent_buf_add(&r->more, ids, at * sizeof *ids);
}

void snap_dist(snap_build *b, int partner, ent_dist dist, ent_origin origin, const char *currency, size_t n,
			   const ent_snap_bucket *rows) {
	uint32_t c = text(b, currency);
	snap_row *r = row(&b->dists, partner);
	r->dist = (ent_snap_dist){.dist = (uint16_t)dist, .origin = (uint8_t)origin, .currency = c, .n = n};
	ent_buf_add(&r->data, rows, n * sizeof *rows);
}

void snap_cover(snap_build *b, int partner, ent_family family, ent_origin origin, int declared, const char *source,
				int32_t from, int32_t to) {
	uint32_t t = text(b, source);
	row(&b->covers, partner)->cover = (ent_snap_cover){.family = (uint8_t)family, .origin = (uint8_t)origin,
		.declared = (uint8_t)declared, .complete = 1, .source = t, .from = from, .to = to};
}

void snap_rate(snap_build *b, const char *currency, int32_t day0, size_t n, const int64_t *rates) {
	uint32_t c = text(b, currency);
	snap_row *r = row(&b->rates, 0);
	r->rate = (ent_snap_rate){.currency = c, .day0 = day0, .n = n};
	ent_buf_add(&r->data, rates, n * sizeof *rates);
}

#define ORDER(a, b)                                                                                                    \
	if ((a) != (b)) {                                                                                                  \
		return (a) < (b) ? -1 : 1;                                                                                     \
	}

static int by_series(const void *a, const void *b) {
	const snap_row *x = a, *y = b;
	ORDER(x->partner, y->partner)
	ORDER(x->series.measure, y->series.measure)
	ORDER(x->series.origin, y->series.origin)
	ORDER(x->series.view, y->series.view)
	ORDER(x->series.value, y->series.value)
	ORDER(x->series.currency, y->series.currency)
	return 0;
}

static int by_set(const void *a, const void *b) {
	const snap_row *x = a, *y = b;
	ORDER(x->partner, y->partner)
	ORDER(x->set.set, y->set.set)
	ORDER(x->set.origin, y->set.origin)
	ORDER(x->set.view, y->set.view)
	ORDER(x->set.value, y->set.value)
	return 0;
}

static int by_dist(const void *a, const void *b) {
	const snap_row *x = a, *y = b;
	ORDER(x->partner, y->partner)
	ORDER(x->dist.dist, y->dist.dist)
	ORDER(x->dist.origin, y->dist.origin)
	ORDER(x->dist.currency, y->dist.currency)
	return 0;
}

static int by_cover(const void *a, const void *b) {
	const snap_row *x = a, *y = b;
	ORDER(x->partner, y->partner)
	ORDER(x->cover.family, y->cover.family)
	ORDER(x->cover.origin, y->cover.origin)
	ORDER(x->cover.from, y->cover.from)
	return 0;
}

static int by_rate(const void *a, const void *b) {
	const snap_row *x = a, *y = b;
	ORDER(x->rate.currency, y->rate.currency)
	return 0;
}

static void align(ent_buf *out) {
	while (out->n % 8) {
		ent_buf_u8(out, 0);
	}
}

static uint64_t blob(ent_buf *out, const void *p, size_t n) {
	align(out);
	uint64_t at = out->n;
	ent_buf_add(out, p, n);
	return at;
}

static void sort(snap_rows *rows, int (*order)(const void *, const void *)) {
	if (rows->n) {
		qsort(rows->items, rows->n, sizeof *rows->items, order);
	}
}

static void count(const snap_rows *rows, int partner, uint64_t *first, uint64_t *n) {
	*first = *n = 0;
	for (size_t i = 0; i < rows->n; i++) {
		*first += rows->items[i].partner < partner;
		*n += rows->items[i].partner == partner;
	}
}

#define SECTION(NAME, FIELD)                                                                                           \
	align(&out);                                                                                                       \
	head.NAME = (ent_snap_section){out.n, b->NAME.n};                                                                  \
	for (size_t i = 0; i < b->NAME.n; i++) {                                                                           \
		ent_buf_add(&out, &b->NAME.items[i].FIELD, sizeof b->NAME.items[i].FIELD);                                     \
		ent_buf_finish(&b->NAME.items[i].data);                                                                        \
		ent_buf_finish(&b->NAME.items[i].more);                                                                        \
	}                                                                                                                  \
	free(b->NAME.items)

void *snap_block(snap_build *b, size_t *bytes) {
	ent_buf out = {0};
	ent_snap_head head = {.magic = ENT_SNAP_MAGIC, .version = ENT_SNAP_VERSION, .as_of = b->as_of,
		.currency = b->currency, .generation = 7};
	ent_snap_text *texts = ent_xcalloc(b->texts.count + 1, sizeof *texts);
	ent_snap_partner *partners = ent_xcalloc(b->n_partners + 1, sizeof *partners);
	ent_buf_add(&out, &head, sizeof head);
	sort(&b->series, by_series);
	sort(&b->sets, by_set);
	sort(&b->dists, by_dist);
	sort(&b->covers, by_cover);
	sort(&b->rates, by_rate);
	for (uint32_t i = 0; i < b->texts.count; i++) {
		size_t n;
		const char *t = ent_intern_text(&b->texts, i, &n);
		texts[i] = (ent_snap_text){blob(&out, t, n + 1), n};
	}
	for (size_t i = 0; i < b->series.n; i++) {
		b->series.items[i].series.data = blob(&out, b->series.items[i].data.data, b->series.items[i].data.n);
	}
	for (size_t i = 0; i < b->sets.n; i++) {
		b->sets.items[i].set.starts = blob(&out, b->sets.items[i].data.data, b->sets.items[i].data.n);
		b->sets.items[i].set.ids = blob(&out, b->sets.items[i].more.data, b->sets.items[i].more.n);
	}
	for (size_t i = 0; i < b->dists.n; i++) {
		b->dists.items[i].dist.rows = blob(&out, b->dists.items[i].data.data, b->dists.items[i].data.n);
	}
	for (size_t i = 0; i < b->rates.n; i++) {
		b->rates.items[i].rate.data = blob(&out, b->rates.items[i].data.data, b->rates.items[i].data.n);
	}
	for (int i = 0; i < (int)b->n_partners; i++) {
		ent_snap_partner *p = &partners[i];
		p->id = b->partners[i].id;
		p->n_json = strlen(b->partners[i].json);
		p->json = blob(&out, b->partners[i].json, p->n_json);
		count(&b->series, i, &p->series, &p->n_series);
		count(&b->sets, i, &p->sets, &p->n_sets);
		count(&b->dists, i, &p->dists, &p->n_dists);
		count(&b->covers, i, &p->covers, &p->n_covers);
	}
	head.meta = (ent_snap_section){blob(&out, b->meta, strlen(b->meta)), strlen(b->meta)};
	head.texts = (ent_snap_section){blob(&out, texts, b->texts.count * sizeof *texts), b->texts.count};
	head.partners = (ent_snap_section){blob(&out, partners, b->n_partners * sizeof *partners), b->n_partners};
	SECTION(series, series);
	SECTION(sets, set);
	SECTION(dists, dist);
	SECTION(covers, cover);
	SECTION(rates, rate);
	align(&out);
	head.bytes = out.n;
	memcpy(out.data, &head, sizeof head);
	ent_intern_finish(&b->texts);
	free(b->partners);
	free(partners);
	free(texts);
	*bytes = out.n;
	return out.data;
}
