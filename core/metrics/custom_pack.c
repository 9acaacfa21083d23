/* SPDX-License-Identifier: Apache-2.0
 *
 * What users declared as bytes, see custom_pack.h. Numbers have 32 bits, or 8, texts have their length before them.
 * What comes from there is checked: every number is one that exists, every list ends. */
#include "metrics/custom_pack.h"

#include <stdlib.h>
#include <string.h>

enum { LAYOUT = 1, TEXT_MOST = 4096 };

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void put_text(ent_buf *b, const char *text) { ent_buf_bytes(b, text, strlen(text)); }

static void put_terms(ent_buf *b, const ent_metric_term *terms) {
	unsigned n = 0;
	while (n < ENT_TERMS && terms[n].sign) {
		n++;
	}
	ent_buf_u32(b, n);
	for (unsigned i = 0; i < n; i++) {
		ent_buf_u8(b, terms[i].sign > 0);
		ent_buf_u32(b, terms[i].measure);
		ent_buf_u32(b, terms[i].times);
	}
}

static void put_spaces(ent_buf *b, const ent_space_def *spaces, unsigned n) {
	ent_buf_u32(b, n);
	for (unsigned i = 0; i < n; i++) {
		put_text(b, spaces[i].name);
		ent_buf_u8(b, spaces[i].family);
		ent_buf_u8(b, spaces[i].unit);
		ent_buf_u8(b, spaces[i].texts);
		put_text(b, spaces[i].definition);
	}
}

void ent_custom_put(const ent_catalogue *c, ent_buf *b) {
	ent_buf_u32(b, LAYOUT);
	ent_buf_u32(b, c->n_measures - ENT_MEASURE_COUNT);
	for (unsigned i = ENT_MEASURE_COUNT; i < c->n_measures; i++) {
		const ent_measure_def *m = &c->measures[i];
		put_text(b, m->name ? m->name : "");
		if (m->name) {
			ent_buf_u8(b, m->family);
			ent_buf_u8(b, m->unit);
			ent_buf_u32(b, m->shared);
			put_text(b, m->doc);
			put_text(b, m->definition);
		}
	}
	put_spaces(b, c->sets + ENT_SET_COUNT, c->n_sets - ENT_SET_COUNT);
	put_spaces(b, c->dists + ENT_DIST_COUNT, c->n_dists - ENT_DIST_COUNT);
	ent_buf_u32(b, c->n_metrics - ent_metric_count);
	for (unsigned i = ent_metric_count; i < c->n_metrics; i++) {
		const ent_metric *m = &c->metrics[i];
		put_text(b, m->name);
		ent_buf_u8(b, m->kind);
		ent_buf_u8(b, m->unit);
		ent_buf_u8(b, m->additivity);
		ent_buf_u8(b, m->set_or_dist);
		put_terms(b, m->top);
		put_terms(b, m->bottom);
		ent_buf_u8(b, m->top_set);
		ent_buf_u8(b, m->bottom_set);
		ent_buf_u32(b, m->top_times);
		ent_buf_u32(b, m->bottom_times);
		ent_buf_u32(b, m->over);
		ent_buf_u8(b, m->families);
		put_text(b, m->tags);
		put_text(b, m->doc);
		put_text(b, m->definition);
	}
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

typedef struct reader {
	ent_read r;
	ent_arena *arena;
} reader;

static uint32_t number(reader *x, uint64_t most) {
	uint64_t v = ent_read_u32(&x->r);
	x->r.bad |= v > most;
	return x->r.bad ? 0 : (uint32_t)v;
}

static uint8_t small(reader *x, unsigned most) {
	uint8_t v = ent_read_u8(&x->r);
	x->r.bad |= v > most;
	return x->r.bad ? 0 : v;
}

static const char *text(reader *x) {
	size_t n = 0;
	const char *p = ent_read_bytes(&x->r, &n);
	if (x->r.bad || !p || n > TEXT_MOST || memchr(p, 0, n)) {
		x->r.bad = true;
		return "";
	}
	return ent_arena_copy(x->arena, p, n);
}

static const char *definition(reader *x) {
	const char *p = text(x);
	x->r.bad |= strlen(p) != 16;
	return p;
}

static void terms(reader *x, const ent_catalogue *c, ent_metric_term out[ENT_TERMS]) {
	unsigned n = number(x, ENT_TERMS);
	for (unsigned i = 0; i < n && !x->r.bad; i++) {
		out[i].sign = small(x, 1) ? 1 : -1;
		out[i].measure = (uint16_t)number(x, c->n_measures - 1);
		out[i].times = number(x, UINT32_MAX);
		x->r.bad |= !c->measures[out[i].measure].name;
	}
}

static void spaces(reader *x, ent_space_def *out, unsigned n) {
	for (unsigned i = 0; i < n && !x->r.bad; i++) {
		out[i].name = text(x);
		out[i].family = small(x, ENT_FAMILY_COUNT - 1);
		out[i].unit = small(x, ENT_UNIT_RATIO);
		out[i].texts = small(x, 1);
		out[i].definition = definition(x);
	}
}

static void measures(reader *x, ent_catalogue *c) {
	for (unsigned i = ENT_MEASURE_COUNT; i < c->n_measures && !x->r.bad; i++) {
		ent_measure_def *m = (ent_measure_def *)&c->measures[i]; /* ours until it is handed out */
		const char *name = text(x);
		if (*name) {
			m->name = name;
			m->family = small(x, ENT_FAMILY_COUNT - 1);
			m->unit = small(x, ENT_UNIT_RATIO);
			m->column = (uint8_t)((i - ENT_MEASURE_COUNT) % ENT_FAMILY_WIDTH);
			m->revision = 1;
			m->shared = (uint16_t)number(x, c->n_measures - 1);
			m->doc = text(x);
			m->definition = definition(x);
		}
	}
	for (unsigned i = ENT_MEASURE_COUNT; i < c->n_measures && !x->r.bad; i++) {
		x->r.bad |= c->measures[i].name && !c->measures[c->measures[i].shared].name;
	}
}

static void metrics(reader *x, ent_catalogue *c) {
	for (unsigned i = ent_metric_count; i < c->n_metrics && !x->r.bad; i++) {
		ent_metric *m = (ent_metric *)&c->metrics[i];
		m->name = text(x);
		m->kind = small(x, ENT_METRIC_DISTRIBUTION);
		m->unit = small(x, ENT_UNIT_RATIO);
		m->additivity = small(x, ENT_ADD_WHOLE);
		m->set_or_dist = small(x, UINT8_MAX);
		x->r.bad |= m->kind == ENT_METRIC_DISTINCT && m->set_or_dist >= c->n_sets;
		x->r.bad |= m->kind == ENT_METRIC_DISTRIBUTION && m->set_or_dist >= c->n_dists;
		terms(x, c, m->top);
		terms(x, c, m->bottom);
		m->top_set = small(x, c->n_sets);
		m->bottom_set = small(x, c->n_sets);
		m->top_times = number(x, UINT32_MAX);
		m->bottom_times = number(x, UINT32_MAX);
		m->over = number(x, UINT32_MAX);
		m->families = small(x, (1u << ENT_FAMILY_COUNT) - 1);
		x->r.bad |= !m->families;
		m->tags = text(x);
		m->doc = text(x);
		m->definition = definition(x);
	}
}

ent_catalogue ent_catalogue_extend(
	ent_arena *a, unsigned n_metrics, unsigned n_measures, unsigned n_sets, unsigned n_dists) {
	const ent_catalogue *b = &ent_builtin;
	ent_metric *m = ent_arena_alloc(a, (b->n_metrics + n_metrics + 1) * sizeof *m);
	ent_measure_def *d = ent_arena_alloc(a, (b->n_measures + n_measures) * sizeof *d);
	ent_space_def *sets = ent_arena_alloc(a, (b->n_sets + n_sets) * sizeof *sets);
	ent_space_def *dists = ent_arena_alloc(a, (b->n_dists + n_dists) * sizeof *dists);
	memcpy(m, b->metrics, b->n_metrics * sizeof *m);
	memcpy(d, b->measures, b->n_measures * sizeof *d);
	memcpy(sets, b->sets, b->n_sets * sizeof *sets);
	memcpy(dists, b->dists, b->n_dists * sizeof *dists);
	return (ent_catalogue){m, d, sets, dists, b->n_metrics + n_metrics, b->n_measures + n_measures, b->n_sets + n_sets,
		b->n_dists + n_dists};
}

ent_custom_pack *ent_custom_unpack(const uint8_t *bytes, size_t n, ent_error *e) {
	ent_custom_pack *p = ent_xcalloc(1, sizeof *p);
	reader x = {.r = ent_read_of(bytes, n), .arena = &p->arena};
	ent_catalogue *c = &p->catalogue;
	x.r.bad |= ent_read_u32(&x.r) != LAYOUT;
	unsigned count = number(&x, ENT_CUSTOM_MEASURES);
	*c = ent_catalogue_extend(&p->arena, 0, count, ENT_CUSTOM_SETS, ENT_CUSTOM_DISTS);
	measures(&x, c);
	c->n_sets = ENT_SET_COUNT + number(&x, ENT_CUSTOM_SETS);
	spaces(&x, (ent_space_def *)c->sets + ENT_SET_COUNT, c->n_sets - ENT_SET_COUNT);
	c->n_dists = ENT_DIST_COUNT + number(&x, ENT_CUSTOM_DISTS);
	spaces(&x, (ent_space_def *)c->dists + ENT_DIST_COUNT, c->n_dists - ENT_DIST_COUNT);
	count = number(&x, ENT_CUSTOM_METRICS);
	c->metrics = ent_catalogue_extend(&p->arena, count, 0, 0, 0).metrics;
	c->n_metrics = ent_metric_count + count;
	metrics(&x, c);
	if (x.r.bad || x.r.p != x.r.end) {
		ent_error_set(e, ENT_ERR_CORRUPT, "snapshot: what it says of declared metrics cannot be read");
		ent_custom_pack_destroy(p);
		return NULL;
	}
	return p;
}

void ent_custom_pack_destroy(ent_custom_pack *p) {
	if (p) {
		ent_arena_finish(&p->arena);
		free(p);
	}
}
