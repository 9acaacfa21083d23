/* SPDX-License-Identifier: Apache-2.0
 *
 * See merge.h. */
#include "conform/merge.h"

#include "conform/fields.h"

#include <stdlib.h>
#include <string.h>

static bool same(ent_str a, ent_str b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }

static ent_str keep(ent_arena *a, ent_str s) { return s.p ? (ent_str){ent_arena_copy(a, s.p, s.n), s.n} : s; }

/* A visit whose strings are ours. */
static ent_visit kept(ent_arena *a, const ent_visit *v) {
	ent_visit own = *v;
	ent_str *texts[] = {
		&own.h.partner, &own.h.key, &own.channel, &own.source, &own.campaign, &own.country, &own.device, &own.landing};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		*texts[i] = keep(a, *texts[i]);
	}
	return own;
}

static void later(ent_time *to, ent_time t) {
	if (t.kind && (!to->kind || t.v > to->v)) {
		*to = t;
	}
}

static uint8_t most(uint8_t a, uint8_t b) { return a > b ? a : b; }

/* Parts of a visit add up. */
static void join(ent_arena *a, ent_visit *to, const ent_visit *v) {
	static const ent_id nobody;
	ent_visit first = *to;
	if (v->at.v < to->at.v || (v->at.v == to->at.v && v->h.place < to->h.place)) {
		first = kept(a, v);
	}
	ent_visit sum = first;
	const ent_visit *parts[] = {to, v};
	sum.steps = to->steps | v->steps;
	sum.pageviews = to->pageviews + v->pageviews;
	sum.purchases = to->purchases + v->purchases;
	sum.load_ms = to->load_ms + v->load_ms;
	sum.loads = to->loads + v->loads;
	sum.engaged_us = to->engaged_us + v->engaged_us;
	sum.h.has = to->h.has | v->h.has;
	sum.consent = most(to->consent, v->consent);
	sum.engaged = most(to->engaged, v->engaged);
	sum.is_new = most(to->is_new, v->is_new);
	for (int i = 0; i < 2; i++) {
		later(&sum.until, parts[i]->until);
		later(&sum.day, parts[i]->day);
		if (memcmp(&parts[i]->visitor, &nobody, sizeof nobody) != 0) {
			sum.visitor = parts[i]->visitor;
		}
	}
	*to = sum;
}

static void on_fact(void *ctx, ent__trial *t, ent_fact kind, const void *fact, uint64_t place) {
	ent__merge *m = ctx;
	const ent_visit *v = fact;
	(void)t;
	if (kind != ENT_VISIT) {
		return;
	}
	ENT_GROW(m->parts, m->n, m->capacity);
	m->parts[m->n] = kept(&m->arena, v);
	m->parts[m->n++].h.place = place;
}

/* Leaves one visit of each key. */
static void join_all(ent__merge *m) {
	size_t n = 0;
	for (size_t i = 0; i < m->n; i++) {
		size_t k = 0;
		while (k < n &&
			   (!same(m->parts[k].h.key, m->parts[i].h.key) || !same(m->parts[k].h.partner, m->parts[i].h.partner))) {
			k++;
		}
		if (k < n) {
			join(&m->arena, &m->parts[k], &m->parts[i]);
		} else {
			m->parts[n++] = m->parts[i];
		}
	}
	m->n = n;
}

void ent__merge_begin(ent__merge *m, ent__trial *t) {
	m->n = 0;
	ent_arena_finish(&m->arena);
	t->watcher = (ent__watcher){.ctx = m, .fact = on_fact};
}

typedef struct piece {
	const char *p;
	size_t n;
} piece;

static int by_text(const void *a, const void *b) {
	const piece *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = memcmp(x->p, y->p, n);
	return order ? order : (x->n > y->n) - (x->n < y->n);
}

char *ent__merge_end(ent__merge *m, ent__trial *t) {
	piece *lines = ent_xmalloc((t->n_events + 1) * sizeof *lines);
	size_t n = 0;
	ent_buf out = {0};
	for (size_t i = 0; i < t->n_events; i++) {
		const ent__event *v = &t->events[i];
		if (v->type <= ENT__SAID_ERROR && !(v->type == ENT__SAID_FACT && v->kind == ENT_VISIT)) {
			lines[n++] = (piece){(char *)t->text.data + v->at, v->n};
		}
	}
	if (t->decoder->frame == ENT_FRAME_JSONL) {
		qsort(lines, n, sizeof *lines, by_text);
	}
	for (size_t i = 0; i < n; i++) {
		ent_buf_add(&out, lines[i].p, lines[i].n);
	}
	ent_buf visits = {0};
	join_all(m);
	size_t *ends = ent_xmalloc((m->n + 1) * sizeof *ends);
	for (size_t i = 0; i < m->n; i++) {
		ent__fact_write(&visits, ENT_VISIT, &m->parts[i]);
		ends[i] = visits.n;
	}
	piece *sorted = ent_xmalloc((m->n + 1) * sizeof *sorted);
	for (size_t i = 0; i < m->n; i++) {
		size_t from = i ? ends[i - 1] : 0;
		sorted[i] = (piece){(char *)visits.data + from, ends[i] - from};
	}
	qsort(sorted, m->n, sizeof *sorted, by_text);
	for (size_t i = 0; i < m->n; i++) {
		ent_buf_add(&out, sorted[i].p, sorted[i].n);
	}
	ent_buf_u8(&out, 0);
	free(sorted);
	free(ends);
	free(lines);
	ent_buf_finish(&visits);
	t->watcher = (ent__watcher){0};
	return (char *)out.data;
}

void ent__merge_finish(ent__merge *m) {
	free(m->parts);
	ent_arena_finish(&m->arena);
	*m = (ent__merge){0};
}
