/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading windows, see window.h. Money is summed in two accumulators: micro-units that are in the reporting currency
 * already, and 1e-12 of a micro-unit for what was converted day by day; they are added, and rounded half-even, once. */
#include "base/arena.h"
#include "metrics/window_index.h"

#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

const char *const ent_window_state_names[ENT_WINDOW_STATE_COUNT] = {"known", "no_coverage", "no_rate", "no_denominator"};

typedef struct sums {
	__int128 whole;  /* in units */
	__int128 scaled; /* in 1 / ENT_SNAP_RATE_ONE units */
	int32_t missing; /* first day without a rate, or INT32_MAX */
	bool overflow;
} sums;

typedef struct span {
	int32_t from, to;
} span;

/* ---- looking up ------------------------------------------------------------------------------------------------ */

static uint64_t series_key(const ent_snap_series *x) {
	return (uint64_t)x->measure << 48 | (uint64_t)x->origin << 40 | (uint64_t)x->view << 32 | x->value;
}

static uint64_t key_of(unsigned what, unsigned origin, unsigned view, uint32_t value) {
	return (uint64_t)what << 48 | (uint64_t)origin << 40 | (uint64_t)view << 32 | value;
}

/* First series of the partner whose key is not below `key`. */
static const ent_snap_series *series_at(const ent_snap *s, const ent_snap_partner *p, uint64_t key) {
	const ent_snap_series *base = s->series + p->series;
	uint64_t n = p->n_series;
	while (n > 0) {
		uint64_t half = n / 2;
		if (series_key(base + half) < key) {
			base += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return base;
}

static const ent_snap_set *set_find(const ent_snap *s, const ent_snap_partner *p, uint64_t key) {
	const ent_snap_set *base = s->sets + p->sets, *end = base + p->n_sets;
	uint64_t n = p->n_sets;
	while (n > 0) {
		uint64_t half = n / 2;
		const ent_snap_set *x = base + half;
		if (key_of(x->set, x->origin, x->view, x->value) < key) {
			base += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return base < end && key_of(base->set, base->origin, base->view, base->value) == key ? base : NULL;
}

static const ent_snap_rate *rate_find(const ent_snap *s, uint32_t currency) {
	uint32_t low = 0, high = s->n_rates;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (s->rates[middle].currency < currency) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < s->n_rates && s->rates[low].currency == currency ? &s->rates[low] : NULL;
}

/* 0: not known. */
static int64_t rate_on(const ent_snap *s, const ent_snap_rate *r, int32_t day) {
	if (!r || day < r->day0 || day >= r->day0 + (int64_t)r->n) {
		return 0;
	}
	return ((const int64_t *)(s->base + r->data))[day - r->day0];
}

int64_t ent_snap_rate_on(const ent_snap *s, uint32_t currency, int32_t day) {
	return currency == s->head->currency ? ENT_SNAP_RATE_ONE : rate_on(s, rate_find(s, currency), day);
}

static span clip(const ent_snap *s, int32_t start, int32_t stop) {
	int64_t end = (int64_t)s->as_of + 1;
	return (span){start, stop > end ? (int32_t)end : stop};
}

/* ---- coverage -------------------------------------------------------------------------------------------------- */

static int32_t days_before(const ent__span *spans, uint32_t n, int32_t day) {
	uint32_t low = 0, high = n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (spans[middle].from < day) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (!low) {
		return 0;
	}
	const ent__span *x = &spans[low - 1];
	return x->before + ((day < x->to ? day : x->to) - x->from);
}

static int32_t covered_days(const ent__span *spans, uint32_t n, span w) {
	return w.from < w.to && n ? days_before(spans, n, w.to) - days_before(spans, n, w.from) : 0;
}

static unsigned origin_of(const ent_snap *s, const ent_query *q, unsigned family) {
	return q->origin >= 0 ? (unsigned)q->origin : s->index->partners[q->partner].best[family];
}

static void read_coverage(const ent_snap *s, const ent_query *q, const ent_metric *m, span w, ent_window *out) {
	const ent__partner_index *p = &s->index->partners[q->partner];
	unsigned families = ent_metric_families(m);
	out->covered = out->declared = INT32_MAX;
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		if (!(families & 1u << f)) {
			continue;
		}
		int32_t all = 0, said = 0;
		unsigned origin = origin_of(s, q, f);
		for (uint32_t i = p->groups; i < p->groups + p->n_groups; i++) {
			const ent__cover_group *g = &s->index->groups[i];
			if (g->family == f && g->origin == origin) {
				all = covered_days(s->index->spans + g->all, g->n_all, w);
				said = covered_days(s->index->spans + g->said, g->n_said, w);
				break;
			}
		}
		out->covered = all < out->covered ? all : out->covered;
		out->declared = said < out->declared ? said : out->declared;
	}
}

/* ---- sums ------------------------------------------------------------------------------------------------------ */

/* Fewer than 2^28 values of 64 bits: 128 always hold their sum, and nearly always 64 do. */
static __int128 sum_of(const int64_t *v, int64_t n) {
	int64_t small = 0;
	bool overflow = false;
	for (int64_t i = 0; i < n; i++) {
		overflow |= __builtin_add_overflow(small, v[i], &small);
	}
	if (!overflow) {
		return small;
	}
	__int128 sum = 0;
	for (int64_t i = 0; i < n; i++) {
		sum += v[i];
	}
	return sum;
}

/* The values of a series that lie in a window. */
typedef struct stretch {
	const int64_t *values;
	const int32_t *days; /* from day0; NULL: one after the other, from `first` on */
	int64_t first;
	uint64_t n;
} stretch;

static uint64_t first_point(const int32_t *days, uint64_t n, int64_t day) {
	uint64_t low = 0;
	while (low < n) {
		uint64_t middle = low + (n - low) / 2;
		if (days[middle] < day) {
			low = middle + 1;
		} else {
			n = middle;
		}
	}
	return low;
}

static stretch stretch_of(const ent_snap *s, const ent_snap_series *x, span w) {
	int64_t from = w.from > x->day0 ? w.from : x->day0, to = (int64_t)x->day0 + (int64_t)x->n;
	const int64_t *values = (const int64_t *)(s->base + x->data);
	to = w.to < to ? w.to : to;
	from -= x->day0;
	to -= x->day0;
	if (from >= to) {
		return (stretch){0};
	}
	if (!x->points) {
		return (stretch){values + from, NULL, from, (uint64_t)(to - from)};
	}
	const int32_t *days = (const int32_t *)(values + x->points);
	uint64_t low = first_point(days, x->points, from), high = first_point(days, x->points, to);
	return (stretch){values + low, days + low, 0, high - low};
}

static int32_t day_at(const ent_snap_series *x, const stretch *t, uint64_t i) {
	return x->day0 + (int32_t)(t->days ? t->days[i] : t->first + (int64_t)i);
}

static void add_series(const ent_snap *s, const ent_snap_series *x, span w, int64_t factor, sums *t) {
	stretch in = stretch_of(s, x, w);
	if (ent_snap_measure(s, x->measure)->unit != ENT_UNIT_MONEY || x->currency == s->head->currency) {
		t->whole += sum_of(in.values, (int64_t)in.n) * factor; /* of 32 bits: no overflow */
		return;
	}
	const ent_snap_rate *r = rate_find(s, x->currency);
	for (uint64_t i = 0; i < in.n; i++) {
		if (!in.values[i]) {
			continue;
		}
		int32_t day = day_at(x, &in, i);
		int64_t rate = rate_on(s, r, day);
		if (!rate) {
			t->missing = day < t->missing ? day : t->missing;
			break;
		}
		__int128 value;
		t->overflow |= __builtin_mul_overflow((__int128)in.values[i] * rate, (__int128)factor, &value);
		t->overflow |= __builtin_add_overflow(t->scaled, value, &t->scaled);
	}
}

static __int128 floor_of(__int128 v, __int128 by, __int128 *rest) {
	__int128 floor = v / by;
	*rest = v % by;
	if (*rest < 0) {
		*rest += by;
		floor -= 1;
	}
	return floor;
}

/* All that was added, divided, and rounded half-even once. */
static __int128 divided(const sums *t, uint32_t by) {
	__int128 one = ENT_SNAP_RATE_ONE, rest, left = 0;
	if (!t->scaled && by <= 1) {
		return t->whole;
	}
	__int128 value = t->whole + floor_of(t->scaled, one, &rest);
	if (by > 1) {
		value = floor_of(value, by, &left);
		rest += left * one;
		one *= by;
	}
	if (rest * 2 > one || (rest * 2 == one && (value & 1))) {
		value += 1;
	}
	return value;
}

static __int128 rounded(const sums *t) { return divided(t, 1); }

static int64_t unit_factor(unsigned measure) { return measure == ENT_M_LOAD_MS ? 1000 : 1; }

static void add_measure(const ent_snap *s, const ent_query *q, unsigned measure, span w, int64_t times, sums *t) {
	const ent_snap_partner *p = &s->partners[q->partner];
	uint64_t key = key_of(measure, origin_of(s, q, ent_snap_measure(s, measure)->family), q->view, q->value);
	const ent_snap_series *end = s->series + p->series + p->n_series;
	for (const ent_snap_series *x = series_at(s, p, key); x < end && series_key(x) == key; x++) {
		add_series(s, x, w, times * unit_factor(measure), t);
	}
}

static void add_terms(
	const ent_snap *s, const ent_query *q, const ent_metric_term *terms, span w, bool shared, sums *t) {
	for (const ent_metric_term *x = terms; x < terms + ENT_TERMS && x->sign; x++) {
		unsigned other = ent_snap_measure(s, x->measure)->shared;
		add_measure(s, q, x->measure, w, ent_term_factor(x), t);
		if (shared && other) {
			add_measure(s, q, other, w, -ent_term_factor(x), t);
		}
	}
}

static bool has_measure(const ent_snap *s, const ent_query *q, unsigned measure) {
	const ent_snap_partner *p = &s->partners[q->partner];
	unsigned origin = origin_of(s, q, ent_snap_measure(s, measure)->family);
	const ent_snap_series *x = series_at(s, p, key_of(measure, origin, 0, 0));
	return x < s->series + p->series + p->n_series && x->measure == measure && x->origin == origin;
}

/* Returns without dated refunds: revenue by refund day would look as if nothing ever came back. */
static bool lacks_refund_days(const ent_snap *s, const ent_query *q, const ent_metric *m) {
	for (const ent_metric_term *x = m->top; x < m->top + ENT_TERMS && x->sign; x++) {
		if (x->measure == ENT_M_RETURNS_ON_DAY) {
			return has_measure(s, q, ENT_M_RETURNS) && !has_measure(s, q, ENT_M_RETURNS_ON_DAY);
		}
	}
	return false;
}

/* ---- distinct -------------------------------------------------------------------------------------------------- */

/* Ids of the set within the window; their number in *n. */
static const uint32_t *set_ids(const ent_snap *s, const ent_query *q, unsigned set, span w, size_t *n) {
	unsigned family = s->catalogue->sets[set].family;
	const ent_snap_set *x = set_find(s, &s->partners[q->partner], key_of(set, origin_of(s, q, family), q->view, q->value));
	*n = 0;
	if (!x) {
		return NULL;
	}
	int64_t from = (int64_t)w.from - x->day0, to = (int64_t)w.to - x->day0;
	from = from < 0 ? 0 : from;
	to = to > x->n ? x->n : to;
	if (from >= to) {
		return NULL;
	}
	const uint32_t *starts = (const uint32_t *)(s->base + x->starts);
	*n = starts[to] - starts[from];
	return (const uint32_t *)(s->base + x->ids) + starts[from];
}

static uint64_t distinct(ent_snap *s, const ent_query *q, unsigned set, span w) {
	size_t n;
	const uint32_t *ids = set_ids(s, q, set, w, &n);
	return ent__ids_different(s->index, ids, n);
}

/* The members of a set that a ratio has above or below its line. */
static void add_set(ent_snap *s, const ent_query *q, unsigned set, uint32_t times, span w, sums *t) {
	if (set) {
		t->whole += (__int128)distinct(s, q, set - 1, w) * times;
	}
}

/* ---- distributions --------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
	int64_t x = ((const ent_dist_item *)a)->value, y = ((const ent_dist_item *)b)->value;
	return (x > y) - (x < y);
}

/* Appends the buckets of one row, merged over its days and converted. */
static void add_buckets(ent_snap *s, const ent_snap_dist *x, bool money, span w, sums *t) {
	struct ent__snap_index *ix = s->index;
	const ent_snap_bucket *rows = (const ent_snap_bucket *)(s->base + x->rows);
	uint64_t low = 0, high = x->n;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (rows[middle].day < w.from) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low == x->n || rows[low].day >= w.to) {
		return;
	}
	int64_t rate = ENT_SNAP_RATE_ONE;
	if (money && x->currency != s->head->currency) {
		rate = rate_on(s, rate_find(s, x->currency), s->as_of);
		if (!rate) {
			t->missing = s->as_of;
			return;
		}
	}
	if (!ix->histogram) {
		ix->histogram = ent_xcalloc(2 * ENT_DIST_MAX_BUCKET + 1, sizeof *ix->histogram);
	}
	size_t first = ix->n_items;
	for (uint64_t i = low; i < x->n && rows[i].day < w.to; i++) {
		int64_t *at = &ix->histogram[rows[i].bucket + ENT_DIST_MAX_BUCKET];
		if (*at == 0 && rows[i].count) {
			ENT_GROW(ix->items, ix->n_items, ix->items_capacity);
			ix->items[ix->n_items++].value = rows[i].bucket;
		}
		t->overflow |= __builtin_add_overflow(*at, rows[i].count, at);
	}
	for (size_t i = first; i < ix->n_items; i++) {
		int32_t bucket = (int32_t)ix->items[i].value;
		int64_t *at = &ix->histogram[bucket + ENT_DIST_MAX_BUCKET];
		sums one = {.missing = INT32_MAX};
		if (rate == ENT_SNAP_RATE_ONE) {
			one.whole = ent_dist_value(bucket);
		} else {
			one.scaled = (__int128)ent_dist_value(bucket) * rate;
		}
		__int128 value = rounded(&one);
		t->overflow |= value > INT64_MAX || value < INT64_MIN;
		ix->items[i] = (ent_dist_item){(int64_t)value, *at};
		*at = 0;
	}
}

static void add_distribution(ent_snap *s, const ent_query *q, const ent_metric *m, span w, sums *t) {
	const ent_snap_partner *p = &s->partners[q->partner];
	unsigned family = s->catalogue->dists[m->set_or_dist].family;
	unsigned origin = origin_of(s, q, family);
	if (q->view != ENT_VIEW_TOTAL || q->value != 0) {
		return;
	}
	/* A partner has a handful: kinds times currencies. */
	for (uint64_t i = p->dists; i < p->dists + p->n_dists; i++) {
		if (s->dists[i].dist == m->set_or_dist && s->dists[i].origin == origin) {
			add_buckets(s, &s->dists[i], m->unit == ENT_UNIT_MONEY, w, t);
		}
	}
}

/* Of the collected items; false if there are none. */
static bool quantile(ent_snap *s, double q, __int128 *value) {
	struct ent__snap_index *ix = s->index;
	int64_t v = 0;
	if (ix->n_items) {
		ENT_SORT(ix->items, ix->n_items, by_value);
	}
	bool any = ent_dist_quantile(ix->items, ix->n_items, q, &v) == 0;
	*value = v;
	return any;
}

/* ---- windows --------------------------------------------------------------------------------------------------- */

static bool valid(const ent_snap *s, const ent_query *q) {
	return q->partner < s->n_partners && q->metric < s->catalogue->n_metrics && q->origin < ENT_ORIGIN_COUNT &&
		   q->view < ENT_VIEW_COUNT;
}

static bool too_little(const ent_query *q, int32_t covered) {
	int64_t days = (int64_t)q->stop - q->start;
	return q->coverage && (covered == 0 || (int64_t)covered * 1000 < days * q->coverage);
}

static int read_window(ent_snap *s, const ent_query *q, double part, ent_window *out) {
	*out = (ent_window){.bottom = 1};
	if (!valid(s, q)) {
		return ENT_ERR_NOTFOUND;
	}
	const ent_metric *m = ent_snap_metric(s, q->metric);
	span w = clip(s, q->start, q->stop);
	sums top = {.missing = INT32_MAX}, bottom = {.missing = INT32_MAX};
	bool empty = false;
	read_coverage(s, q, m, w, out);
	switch ((ent_metric_kind)m->kind) {
	case ENT_METRIC_RATIO:
		add_terms(s, q, m->bottom, w, false, &bottom);
		add_set(s, q, m->bottom_set, m->bottom_times, w, &bottom);
		out->bottom = rounded(&bottom);
		empty = out->bottom == 0;
		/* fall through */
	case ENT_METRIC_SUM:
		add_terms(s, q, m->top, w, false, &top);
		add_set(s, q, m->top_set, m->top_times, w, &top);
		out->top = divided(&top, m->over);
		break;
	case ENT_METRIC_DISTINCT:
		out->top = (__int128)distinct(s, q, m->set_or_dist, w);
		break;
	case ENT_METRIC_DISTRIBUTION:
		s->index->n_items = 0;
		add_distribution(s, q, m, w, &top);
		empty = !quantile(s, part, &out->top);
		break;
	}
	int32_t missing = top.missing < bottom.missing ? top.missing : bottom.missing;
	if (too_little(q, out->covered) || lacks_refund_days(s, q, m)) {
		out->state = ENT_WINDOW_NO_COVERAGE;
	} else if (missing != INT32_MAX) {
		out->state = ENT_WINDOW_NO_RATE;
		out->day = missing;
	} else if (empty) {
		out->state = ENT_WINDOW_NO_DENOMINATOR;
	}
	return top.overflow || bottom.overflow ? ENT_ERR_RANGE : 0;
}

int ent_window_read(ent_snap *s, const ent_query *q, ent_window *out) { return read_window(s, q, 0.5, out); }

int ent_window_quantile(ent_snap *s, const ent_query *q, double part, ent_window *out) {
	if (valid(s, q) && ent_snap_metric(s, q->metric)->kind != ENT_METRIC_DISTRIBUTION) {
		return ENT_ERR_INVALID;
	}
	return read_window(s, q, part, out);
}

int ent_window_portfolio(ent_snap *s, const ent_query *query, ent_portfolio *out) {
	*out = (ent_portfolio){.w = {.state = ENT_WINDOW_NO_COVERAGE, .bottom = 1}};
	ent_query q = *query;
	q.partner = 0;
	if (s->n_partners && !valid(s, &q)) {
		return ENT_ERR_NOTFOUND;
	}
	const ent_metric *m = ent_snap_metric(s, q.metric);
	span w = clip(s, q.start, q.stop);
	sums top = {.missing = INT32_MAX}, bottom = {.missing = INT32_MAX};
	/* sets that are united over the partners: what is distinct, and what a ratio has above and below its line */
	unsigned united[2] = {m->kind == ENT_METRIC_DISTINCT ? m->set_or_dist + 1u : m->top_set, m->bottom_set};
	roaring_bitmap_t *all[2] = {united[0] ? roaring_bitmap_create() : NULL, united[1] ? roaring_bitmap_create() : NULL};
	s->index->n_items = 0;
	ent_window best = {0}; /* state of the partners left out, if all are */
	for (q.partner = 0; q.partner < s->n_partners; q.partner++) {
		ent_window one = {0};
		/* What one partner adds is kept apart until it is known to be whole. */
		sums t = {.missing = INT32_MAX}, b = {.missing = INT32_MAX};
		size_t items = s->index->n_items;
		read_coverage(s, &q, m, w, &one);
		if (too_little(&q, one.covered) || lacks_refund_days(s, &q, m)) {
			out->left_out++;
			continue;
		}
		if (m->kind == ENT_METRIC_DISTRIBUTION) {
			add_distribution(s, &q, m, w, &t);
		} else {
			add_terms(s, &q, m->top, w, true, &t);
			add_terms(s, &q, m->bottom, w, true, &b);
		}
		int32_t missing = t.missing < b.missing ? t.missing : b.missing;
		top.overflow |= t.overflow || b.overflow;
		if (missing != INT32_MAX) {
			s->index->n_items = items;
			out->left_out++;
			if (best.state == ENT_WINDOW_KNOWN || missing < best.day) {
				best.state = ENT_WINDOW_NO_RATE;
				best.day = missing;
			}
			continue;
		}
		for (int i = 0; i < 2; i++) {
			size_t n;
			const uint32_t *ids = united[i] ? set_ids(s, &q, united[i] - 1, w, &n) : NULL;
			if (ids && n) {
				roaring_bitmap_add_many(all[i], n, ids);
			}
		}
		top.whole += t.whole;
		bottom.whole += b.whole;
		top.overflow |= __builtin_add_overflow(top.scaled, t.scaled, &top.scaled);
		top.overflow |= __builtin_add_overflow(bottom.scaled, b.scaled, &bottom.scaled);
		out->w.covered = out->known && out->w.covered < one.covered ? out->w.covered : one.covered;
		out->w.declared = out->known && out->w.declared < one.declared ? out->w.declared : one.declared;
		out->known++;
	}
	bool empty = false;
	uint32_t times[2] = {m->kind == ENT_METRIC_DISTINCT ? 1 : m->top_times, m->bottom_times};
	for (int i = 0; i < 2; i++) {
		if (united[i]) {
			(i ? &bottom : &top)->whole += (__int128)roaring_bitmap_get_cardinality(all[i]) * times[i];
			roaring_bitmap_free(all[i]);
		}
	}
	if (m->kind == ENT_METRIC_DISTRIBUTION) {
		empty = !quantile(s, 0.5, &out->w.top);
	} else {
		out->w.top = divided(&top, m->over);
		if (m->kind == ENT_METRIC_RATIO) {
			out->w.bottom = rounded(&bottom);
			empty = out->w.bottom == 0;
		}
	}
	if (out->known) {
		out->w.state = empty ? ENT_WINDOW_NO_DENOMINATOR : ENT_WINDOW_KNOWN;
	} else if (best.state) {
		out->w.state = best.state;
		out->w.day = best.day;
	}
	return top.overflow ? ENT_ERR_RANGE : 0;
}

/* ---- by day ---------------------------------------------------------------------------------------------------- */

/* The series that a metric's terms read, looked up once for all days. */
typedef struct series_list {
	struct {
		const ent_snap_series *x;
		int64_t factor;
	} *items;
	size_t n, capacity;
} series_list;

static series_list series_of(const ent_snap *s, const ent_query *q, const ent_metric *m) {
	const ent_snap_partner *p = &s->partners[q->partner];
	const ent_snap_series *end = s->series + p->series + p->n_series;
	series_list list = {0};
	for (const ent_metric_term *t = m->top; t < m->top + ENT_TERMS && t->sign; t++) {
		uint64_t key = key_of(t->measure, origin_of(s, q, ent_snap_measure(s, t->measure)->family), q->view, q->value);
		for (const ent_snap_series *x = series_at(s, p, key); x < end && series_key(x) == key; x++) {
			ENT_GROW(list.items, list.n, list.capacity);
			list.items[list.n].x = x;
			list.items[list.n++].factor = ent_term_factor(t) * unit_factor(t->measure);
		}
	}
	return list;
}

int ent_window_series(ent_snap *s, const ent_query *q, int64_t *out, int32_t *missing) {
	*missing = INT32_MAX;
	if (!valid(s, q)) {
		return ENT_ERR_NOTFOUND;
	}
	const ent_metric *m = ent_snap_metric(s, q->metric);
	if (m->kind != ENT_METRIC_SUM) {
		return ENT_ERR_INVALID;
	}
	if (q->start >= q->stop) {
		return 0;
	}
	span w = clip(s, q->start, q->stop);
	memset(out, 0, (size_t)((int64_t)q->stop - q->start) * sizeof *out);
	series_list list = series_of(s, q, m);
	int status = 0;
	for (int64_t day = w.from; day < w.to && list.n && !status; day++) {
		sums t = {.missing = INT32_MAX};
		for (size_t i = 0; i < list.n; i++) {
			add_series(s, list.items[i].x, (span){(int32_t)day, (int32_t)day + 1}, list.items[i].factor, &t);
		}
		__int128 value = divided(&t, m->over);
		if (t.overflow || value > INT64_MAX || value < INT64_MIN) {
			status = ENT_ERR_RANGE;
		}
		*missing = t.missing < *missing ? t.missing : *missing;
		out[day - q->start] = (int64_t)value;
	}
	free(list.items);
	return status;
}

const int64_t *ent_window_column(ent_snap *s, const ent_query *q) {
	if (!valid(s, q) || q->start >= q->stop || clip(s, q->start, q->stop).to != q->stop) {
		return NULL;
	}
	const ent_metric *m = ent_snap_metric(s, q->metric);
	if (m->kind != ENT_METRIC_SUM || m->over > 1 || ent_term_factor(m->top) != 1 || m->top[1].sign ||
		unit_factor(m->top[0].measure) != 1) {
		return NULL;
	}
	unsigned measure = m->top[0].measure;
	const ent_snap_partner *p = &s->partners[q->partner];
	const ent_snap_series *end = s->series + p->series + p->n_series;
	uint64_t key = key_of(measure, origin_of(s, q, ent_snap_measure(s, measure)->family), q->view, q->value);
	const ent_snap_series *x = series_at(s, p, key);
	if (x >= end || series_key(x) != key || (x + 1 < end && series_key(x + 1) == key)) {
		return NULL;
	}
	if (ent_snap_measure(s, measure)->unit == ENT_UNIT_MONEY && x->currency != s->head->currency) {
		return NULL;
	}
	if (x->points || q->start < x->day0 || q->stop > (int64_t)x->day0 + (int64_t)x->n) {
		return NULL;
	}
	return (const int64_t *)(s->base + x->data) + (q->start - x->day0);
}

/* ---- values and origins ---------------------------------------------------------------------------------------- */

static bool series_has_data(const ent_snap *s, const ent_snap_series *x, span w) {
	stretch in = stretch_of(s, x, w);
	for (uint64_t i = 0; i < in.n; i++) {
		if (in.values[i]) {
			return true;
		}
	}
	return false;
}

typedef struct values {
	uint32_t *items;
	size_t n, capacity;
} values;

static void put_value(values *v, uint32_t value) {
	ENT_GROW(v->items, v->n, v->capacity);
	v->items[v->n++] = value;
}

static void values_of_terms(const ent_snap *s, const ent_query *q, const ent_metric_term *terms, span w, values *v) {
	const ent_snap_partner *p = &s->partners[q->partner];
	const ent_snap_series *end = s->series + p->series + p->n_series;
	for (const ent_metric_term *t = terms; t < terms + ENT_TERMS && t->sign; t++) {
		uint64_t key = key_of(t->measure, origin_of(s, q, ent_snap_measure(s, t->measure)->family), q->view, 0);
		for (const ent_snap_series *x = series_at(s, p, key); x < end && series_key(x) >> 32 == key >> 32; x++) {
			if (series_has_data(s, x, w)) {
				put_value(v, x->value);
			}
		}
	}
}

/* set: its number + 1; 0: none. */
static void values_of_set(const ent_snap *s, ent_query q, unsigned set, span w, values *v) {
	const ent_snap_partner *p = &s->partners[q.partner];
	for (uint64_t i = p->sets; set && i < p->sets + p->n_sets; i++) {
		const ent_snap_set *x = &s->sets[i];
		size_t ids;
		q.value = x->value;
		if (x->set == set - 1 && x->view == q.view && (set_ids(s, &q, set - 1, w, &ids), ids)) {
			put_value(v, x->value);
		}
	}
}

static int by_name(const void *a, const void *b, void *snap) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x == y ? 0 : strcmp(ent_snap_value_name(snap, x), ent_snap_value_name(snap, y));
}

int ent_window_values(ent_snap *s, const ent_query *query, uint32_t **out, size_t *n) {
	*out = NULL;
	*n = 0;
	if (!valid(s, query)) {
		return ENT_ERR_NOTFOUND;
	}
	ent_query q = *query;
	const ent_metric *m = ent_snap_metric(s, q.metric);
	span w = clip(s, q.start, q.stop);
	values v = {0};
	if (m->kind == ENT_METRIC_DISTRIBUTION) {
		return ENT_ERR_INVALID;
	}
	if (m->kind == ENT_METRIC_DISTINCT) {
		values_of_set(s, q, m->set_or_dist + 1u, w, &v);
	} else {
		values_of_terms(s, &q, m->top, w, &v);
		values_of_terms(s, &q, m->bottom, w, &v);
		values_of_set(s, q, m->top_set, w, &v);
		values_of_set(s, q, m->bottom_set, w, &v);
	}
	if (v.n) {
		ENT_SORT_R(v.items, v.n, by_name, s);
		for (size_t i = 0; i < v.n; i++) {
			if (i == 0 || v.items[i] != v.items[*n - 1]) {
				v.items[(*n)++] = v.items[i];
			}
		}
	}
	*out = v.items;
	return 0;
}

unsigned ent_window_origins(const ent_snap *s, uint32_t partner, unsigned metric) {
	unsigned families = ent_metric_families(ent_snap_metric(s, metric)), bits = ~0u;
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		if (families & 1u << f) {
			bits &= s->index->partners[partner].origins[f];
		}
	}
	return bits;
}

ent_origin ent_window_origin(const ent_snap *s, uint32_t partner, ent_family family) {
	return s->index->partners[partner].best[family];
}
