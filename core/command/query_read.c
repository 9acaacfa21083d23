/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures of a query, see query.h. Every one is read by metrics/window.h, as rules read it. Sums are never made here:
 * an order that partners share, or a customer of two days, would count twice. */
#include "command/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/day.h"
#include "base/num.h"

/* ---- figures ----------------------------------------------------------------------------------------------------- */

/* How units are kept: micro-units of money, microseconds, 1/1000 pieces. */
static unsigned unit_scale(unsigned unit) {
	return unit == ENT_UNIT_MONEY || unit == ENT_UNIT_SECONDS || unit == ENT_UNIT_RATIO ? 6
		   : unit == ENT_UNIT_PIECES                                                    ? 3
																						: 0;
}

bool ent__figure_value(const ent_metric *m, const ent_window *w, __int128 *value, unsigned *scale) {
	*scale = unit_scale(m->unit);
	*value = w->top;
	if (m->kind != ENT_METRIC_RATIO) {
		return true;
	}
	__int128 top = w->top, bottom = w->bottom;
	if (bottom < 0) {
		top = -top;
		bottom = -bottom;
	}
	*value = bottom ? ent_div_half_even(m->unit == ENT_UNIT_RATIO ? top * 1000000 : top, bottom) : 0;
	return bottom != 0;
}

unsigned ent__figure_digits(const ent_metric *m, const ent_window *w) {
	__int128 value;
	unsigned scale, digits;
	if (!ent__figure_value(m, w, &value, &scale)) {
		return 0;
	}
	for (digits = scale; digits && value % 10 == 0; digits--) {
		value /= 10;
	}
	return m->unit == ENT_UNIT_MONEY && digits < 2 ? 2 : digits;
}

const char *ent__figure_unit(const ent__query *q, const ent_metric *m) {
	return m->unit == ENT_UNIT_MONEY     ? q->project.config->currency.s
		   : m->unit == ENT_UNIT_SECONDS ? "s"
		   : m->unit == ENT_UNIT_DAYS    ? "days"
										 : "";
}

const char *ent__figure_state(const ent__figure *f) {
	return f->state == ENT_WINDOW_KNOWN && f->left_out ? "partial" : ent_window_state_names[f->state];
}

static bool by_refund_day(const ent_metric *m) {
	for (const ent_metric_term *t = m->top; t < m->top + ENT_TERMS && t->sign; t++) {
		if (t->measure == ENT_M_RETURNS_ON_DAY) {
			return true;
		}
	}
	return false;
}

char *ent__figure_reason(const ent_metric *m, const ent__figure *f, char *out, size_t size) {
	char day[16];
	int days = f->stop - f->start;
	out[0] = 0;
	switch ((ent_window_state)f->state) {
	case ENT_WINDOW_NO_COVERAGE:
		if (f->all) {
			snprintf(out, size, "no partner has data for 80 %% of the %d day%s", days, days == 1 ? "" : "s");
		} else if (by_refund_day(m) && (int64_t)f->w.covered * 1000 >= (int64_t)days * ENT_WINDOW_COVERAGE) {
			snprintf(out, size, "the source does not date its refunds");
		} else {
			snprintf(out, size, "sources speak for %d of %d day%s", f->w.covered, days, days == 1 ? "" : "s");
		}
		break;
	case ENT_WINDOW_NO_RATE:
		snprintf(out, size, "no exchange rate on %s", ent_day_text(f->w.day, day));
		break;
	case ENT_WINDOW_NO_DENOMINATOR:
		snprintf(out, size,
			m->kind == ENT_METRIC_RATIO ? "there is nothing to divide by" : "none was counted in these days");
		break;
	default:
		if (f->left_out > f->without) {
			snprintf(out, size, "%u of %u partners %s data for a fifth of the days or more", f->left_out - f->without,
				f->known + f->left_out, f->left_out - f->without == 1 ? "lacks" : "lack");
		}
		if (f->without) {
			size_t n = strlen(out);
			snprintf(out + n, size - n, "%s%u %s left out, as %s", n ? "; " : "", f->without,
				f->without == 1 ? "is" : "are",
				by_refund_day(m) ? "refunds are not dated, or a rate is missing" : "an exchange rate is missing");
		}
		break;
	}
	return out;
}

bool ent__figure_there(const ent_metric *m, const ent__figure *f, __int128 *value, unsigned *scale) {
	bool any = ent__figure_value(m, &f->w, value, scale);
	/* what was converted before the day without a rate is the sum of nothing in particular */
	return any && f->state != ENT_WINDOW_NO_DENOMINATOR && f->w.state != ENT_WINDOW_NO_DENOMINATOR &&
		   f->state != ENT_WINDOW_NO_RATE && f->w.state != ENT_WINDOW_NO_RATE;
}

/* One partner's, or all partners' (partner < 0). */
static int read_figure(ent__query *q, int64_t partner, ent_query *query, ent__figure *f) {
	ent_snap *s = &q->project.snap;
	query->origin = q->origin;
	query->coverage = ENT_WINDOW_COVERAGE;
	*f = (ent__figure){.all = partner < 0, .start = query->start, .stop = query->stop};
	if (partner >= 0) {
		query->partner = (uint32_t)partner;
		int status = ent_window_read(s, query, &f->w);
		f->state = f->w.state;
		return status;
	}
	ent_portfolio usual = {0}, whatever = {0};
	int status = ent_window_portfolio(s, query, &usual);
	query->coverage = 0;
	status = status ? status : ent_window_portfolio(s, query, &whatever);
	f->w = whatever.w;
	f->w.covered = usual.w.covered;
	f->w.declared = usual.w.declared;
	f->w.day = usual.w.day ? usual.w.day : whatever.w.day;
	f->state = usual.w.state;
	f->known = usual.known;
	f->left_out = usual.left_out;
	f->without = whatever.left_out < usual.left_out ? whatever.left_out : usual.left_out;
	return status;
}

static int read_row(ent__query *q, int64_t partner, uint8_t view, uint32_t value, ent__query_row *row, ent_error *e) {
	row->figures = ent_arena_alloc(&q->arena, q->n_metrics * sizeof *row->figures);
	for (size_t i = 0; i < q->n_metrics; i++) {
		ent_query query = {
			.metric = (uint16_t)q->metrics[i], .start = row->start, .stop = row->stop, .view = view, .value = value};
		if (q->whole && q->by == ENT__BY_NONE) {
			query.start = q->days[i].start;
			query.stop = q->days[i].stop;
		}
		if (read_figure(q, partner, &query, &row->figures[i])) {
			return ent_error_set(e, ENT_ERR_RANGE, "%s leaves the range of numbers", ent_snap_metric(&q->project.snap, q->metrics[i])->name);
		}
	}
	return 0;
}

static ent__query_row *add_row(ent__query *q, const char *name, int32_t start, int32_t stop) {
	ENT_GROW(q->rows, q->n_rows, q->capacity);
	q->rows[q->n_rows] =
		(ent__query_row){.name = ent_arena_copy(&q->arena, name, strlen(name)), .start = start, .stop = stop};
	return &q->rows[q->n_rows++];
}

/* Is there anything to say of the group? Else it is left out: a partner with other data only, a value of other days. */
static bool says_something(const ent__query *q, const ent__query_row *row) {
	for (size_t i = 0; i < q->n_metrics; i++) {
		const ent__figure *f = &row->figures[i];
		bool ratio = ent_snap_metric(&q->project.snap, q->metrics[i])->kind == ENT_METRIC_RATIO;
		if (f->w.covered > 0 || f->w.top || (ratio && f->w.bottom)) {
			return true;
		}
	}
	return false;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static int64_t only_partner(const ent__query *q) { return q->n_partners == 1 ? (int64_t)q->partners[0] : -1; }

static int rows_by_partner(ent__query *q, ent_error *e) {
	size_t n = q->n_partners ? q->n_partners : q->project.snap.n_partners;
	for (size_t i = 0; i < n; i++) {
		uint32_t partner = q->n_partners ? q->partners[i] : (uint32_t)i;
		ent__query_row *row = add_row(q, ent_snap_partner_id(&q->project.snap, partner), q->start, q->stop);
		if (read_row(q, partner, q->view, q->value, row, e)) {
			return e->code;
		}
		if (!q->n_partners && !says_something(q, row)) {
			q->n_rows--;
		}
	}
	return 0;
}

static int rows_by_time(ent__query *q, ent_error *e) {
	ent__cut cut = q->by == ENT__BY_DAY ? ENT__CUT_DAY : q->by == ENT__BY_WEEK ? ENT__CUT_WEEK : ENT__CUT_MONTH;
	for (int32_t day = q->start, after; day < q->stop; day = after) {
		char name[16];
		after = ent__cut_after(cut, day);
		after = after < q->stop ? after : q->stop;
		if (read_row(q, only_partner(q), q->view, q->value, add_row(q, ent__cut_text(cut, day, name), day, after), e)) {
			return e->code;
		}
	}
	return 0;
}

typedef struct values {
	uint32_t *items;
	size_t n, capacity;
} values;

static int by_value_name(const void *a, const void *b, void *snap) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x == y ? 0 : strcmp(ent_snap_value_name(snap, x), ent_snap_value_name(snap, y));
}

/* Values of the view that any of the partners has in any of the metrics. */
static values values_of(ent__query *q) {
	values all = {0};
	ent_snap *s = &q->project.snap;
	uint32_t first = q->n_partners ? q->partners[0] : 0, n = q->n_partners ? 1 : s->n_partners;
	for (uint32_t p = first; p < first + n; p++) {
		for (size_t i = 0; i < q->n_metrics; i++) {
			ent_query query = {.partner = p,
				.metric = (uint16_t)q->metrics[i],
				.origin = q->origin,
				.start = q->start,
				.stop = q->stop,
				.view = q->by_view};
			uint32_t *items;
			size_t found;
			if (ent_window_values(s, &query, &items, &found)) {
				continue;
			}
			for (size_t k = 0; k < found; k++) {
				ENT_GROW(all.items, all.n, all.capacity);
				all.items[all.n++] = items[k];
			}
			free(items);
		}
	}
	if (all.n) {
		qsort_r(all.items, all.n, sizeof *all.items, by_value_name, s);
	}
	size_t kept = 0;
	for (size_t i = 0; i < all.n; i++) {
		if (!kept || all.items[i] != all.items[kept - 1]) {
			all.items[kept++] = all.items[i];
		}
	}
	all.n = kept;
	return all;
}

static int rows_by_view(ent__query *q, ent_error *e) {
	values v = values_of(q);
	int status = 0;
	for (size_t i = 0; i < v.n && !status; i++) {
		ent__query_row *row = add_row(q, ent_snap_value_name(&q->project.snap, v.items[i]), q->start, q->stop);
		status = read_row(q, only_partner(q), q->by_view, v.items[i], row, e);
	}
	free(v.items);
	return status;
}

int ent__query_read(ent__query *q, ent_error *e) {
	int status = 0;
	switch (q->by) {
	case ENT__BY_NONE:
		return read_row(q, only_partner(q), q->view, q->value, add_row(q, "", q->start, q->stop), e);
	case ENT__BY_PARTNER:
		status = rows_by_partner(q, e);
		break;
	case ENT__BY_VIEW:
		status = rows_by_view(q, e);
		break;
	default:
		status = rows_by_time(q, e);
		break;
	}
	if (!status && q->n_partners < 2) {
		q->total = (ent__query_row){.name = "total", .start = q->start, .stop = q->stop};
		status = read_row(q, only_partner(q), q->view, q->value, &q->total, e);
	}
	return status;
}
