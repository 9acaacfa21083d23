/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente metrics query`: exact figures of the store. What is asked for is resolved first (metrics, partners, days,
 * view), then every figure is read by metrics/window.h, as rules read it. Sums are never made here: an order that
 * partners share, or a customer of two days, would count twice. */
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
	ent_portfolio usual, whatever;
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
			return ent_error_set(e, ENT_ERR_RANGE, "%s leaves the range of numbers", ent_metrics[q->metrics[i]].name);
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
		bool ratio = ent_metrics[q->metrics[i]].kind == ENT_METRIC_RATIO;
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

static int read_rows(ent__query *q, ent_error *e) {
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

/* ---- what is asked for ------------------------------------------------------------------------------------------- */

static int take_metrics(ent__query *q) {
	const char *name;
	for (size_t i = 0; (name = ent_call_operand(q->call, i)); i++) {
		int metric = ent_metric_find(name, strlen(name));
		if (metric < 0) {
			const char **names = ent_xcalloc(ent_metric_count, sizeof *names);
			for (unsigned k = 0; k < ent_metric_count; k++) {
				names[k] = ent_metrics[k].name;
			}
			const char *near = ent_nearest(name, names, ent_metric_count);
			char todo[160];
			snprintf(todo, sizeof todo, near ? "did you mean '%s'?" : "`entente metrics list` shows them%s",
				near ? near : "");
			free(names);
			return ent_call_usage(q->call, todo, "there is no metric '%s'", name);
		}
		if (q->n_metrics == ENT__QUERY_METRICS) {
			return ent_call_usage(
				q->call, "ask for the rest in another query", "a query takes at most %d metrics", ENT__QUERY_METRICS);
		}
		q->metrics[q->n_metrics++] = (unsigned)metric;
	}
	return ENT_EXIT_OK;
}

static int view_of(ent__query *q, const char *option, const char *name, uint8_t *view) {
	const char *kept[ENT_VIEW_COUNT];
	size_t n = 0;
	for (unsigned i = 1; i < ENT_VIEW_COUNT; i++) {
		if (!strcmp(ent_view_names[i], name)) {
			*view = (uint8_t)i;
			return ENT_EXIT_OK;
		}
		kept[n++] = ent_view_names[i];
	}
	const char *near = ent_nearest(name, kept, n);
	char todo[200];
	snprintf(todo, sizeof todo,
		near ? "did you mean '%s'?"
			 : "views: channel, category, country, campaign, device, source, region, vendor, product%s",
		near ? near : "");
	return ent_call_usage(q->call, todo, "--%s does not take '%s'", option, name);
}

static int take_by(ent__query *q) {
	static const char *const words[] = {
		[ENT__BY_PARTNER] = "partner", [ENT__BY_DAY] = "day", [ENT__BY_WEEK] = "week", [ENT__BY_MONTH] = "month"};
	const char *by = ent_call_text(q->call, "by", NULL), *view = ent_call_text(q->call, "view", NULL);
	q->value_text = ent_call_text(q->call, "value", NULL);
	int exit = view ? view_of(q, "view", view, &q->by_view) : ENT_EXIT_OK;
	if (!exit && q->value_text && !view) {
		return ent_call_usage(
			q->call, "write --view channel --value VALUE, for example", "--value needs the view that it is of");
	}
	if (!exit && view && q->value_text) {
		q->view = q->by_view;
	} else if (!exit && view) { /* a view without a value is a view to group by */
		if (by) {
			return ent_call_usage(q->call, "name its value, too: --value VALUE",
				"--view and --by together leave open which value is meant");
		}
		q->by = ENT__BY_VIEW;
	}
	if (exit || !by) {
		return exit;
	}
	for (unsigned i = ENT__BY_PARTNER; i < ENT__BY_VIEW; i++) {
		if (!strcmp(words[i], by)) {
			q->by = (ent__by)i;
			return ENT_EXIT_OK;
		}
	}
	if (q->value_text) {
		return ent_call_usage(q->call, "group by partner, day, week or month, or leave --value away",
			"one view cannot be split by another");
	}
	q->by = ENT__BY_VIEW;
	exit = view_of(q, "by", by, &q->by_view);
	return exit;
}

static int check_views(ent__query *q) {
	unsigned view = q->view ? q->view : q->by_view;
	static const uint32_t bits[ENT_VIEW_COUNT] = {[ENT_VIEW_CHANNEL] = ENT_CONFIG_VIEW_CHANNEL,
		[ENT_VIEW_CATEGORY] = ENT_CONFIG_VIEW_CATEGORY,
		[ENT_VIEW_COUNTRY] = ENT_CONFIG_VIEW_COUNTRY,
		[ENT_VIEW_CAMPAIGN] = ENT_CONFIG_VIEW_CAMPAIGN,
		[ENT_VIEW_DEVICE] = ENT_CONFIG_VIEW_DEVICE,
		[ENT_VIEW_SOURCE] = ENT_CONFIG_VIEW_SOURCE,
		[ENT_VIEW_REGION] = ENT_CONFIG_VIEW_REGION,
		[ENT_VIEW_VENDOR] = ENT_CONFIG_VIEW_VENDOR,
		[ENT_VIEW_PRODUCT] = ENT_CONFIG_VIEW_PRODUCT};
	if (!view) {
		return ENT_EXIT_OK;
	}
	for (size_t i = 0; i < q->n_metrics; i++) {
		const ent_metric *m = &ent_metrics[q->metrics[i]];
		if (m->kind == ENT_METRIC_DISTRIBUTION) {
			return ent_call_usage(
				q->call, "ask for it without a view", "'%s' is a distribution, which is kept in total only", m->name);
		}
	}
	if (!(q->project.config->views & bits[view])) {
		char todo[200];
		snprintf(todo, sizeof todo, "add it to `views:` in %s, remove the store and run again", q->call->config_path);
		return ent_call_usage(q->call, todo, "the view '%s' is not kept", ent_view_names[view]);
	}
	return ENT_EXIT_OK;
}

static int take_partners(ent__query *q) {
	const char *id;
	size_t n = 0;
	while (ent_call_each(q->call, "partner", n)) {
		n++;
	}
	q->partners = ent_arena_alloc(&q->arena, (n + 1) * sizeof *q->partners);
	for (size_t i = 0; (id = ent_call_each(q->call, "partner", i)); i++) {
		int64_t partner = ent__project_partner(q->call, &q->project, id);
		if (partner < 0) {
			return ENT_EXIT_ERROR;
		}
		q->partners[q->n_partners++] = (uint32_t)partner;
	}
	if (q->n_partners > 1 && q->by != ENT__BY_NONE && q->by != ENT__BY_PARTNER) {
		return ent_call_usage(q->call, "name one partner, or none for all of them together",
			"several partners cannot be split further: what they share would count twice");
	}
	if (q->n_partners > 1) {
		q->by = ENT__BY_PARTNER;
	}
	return ENT_EXIT_OK;
}

/* ---- days -------------------------------------------------------------------------------------------------------- */

static int take_cover(void *ctx, const ent_cover *c) {
	int32_t *last = ctx;
	*last = c->to - 1 > *last ? c->to - 1 : *last;
	return 0;
}

static int take_input(void *ctx, const ent_input *x) {
	int32_t *last = ctx;
	*last = x->live && x->last_day > *last ? x->last_day : *last;
	return 0;
}

/* The snapshot has to reach the last day that is asked for. A date of the far future in some file is no reason for
 * series of centuries: it ends today, or where the configuration judges. */
static int open_snapshot(ent__query *q, bool to_as_of) {
	ent__project *p = &q->project;
	ent_as_of as_of = ent_call_as_of(q->call, p->config), now = {.kind = ENT_AS_OF_NOW};
	ent_error e = {0};
	int32_t judged, today, last = INT32_MIN;
	ent_store *store = ent_engine_store(p->engine);
	if (ent_engine_as_of(p->engine, &as_of, &judged, &e) || ent_engine_as_of(p->engine, &now, &today, &e) ||
		ent_store_covers_scan(store, take_cover, &last, &e) || ent_store_inputs_load(store, take_input, &last, &e)) {
		return ent_call_error(q->call, &e);
	}
	static const char *const modes[] = {
		[ENT_AS_OF_NOW] = "now", [ENT_AS_OF_LATEST] = "latest", [ENT_AS_OF_DAY] = "date"};
	if (to_as_of || ent_call_has(q->call, "as-of") || last == INT32_MIN) {
		return ent__project_snapshot_of(q->call, p, judged, modes[as_of.kind]);
	}
	int32_t most = today > judged ? today : judged;
	return ent__project_snapshot_of(q->call, p, last < most ? last : most, "all");
}

/* Days for which there is data of one family of the partners that are asked for. */
static ent__days days_of_family(const ent__query *q, unsigned family) {
	const ent_snap *s = &q->project.snap;
	ent__days d = {INT32_MAX, INT32_MIN};
	size_t n = q->n_partners ? q->n_partners : s->n_partners;
	for (size_t i = 0; i < n; i++) {
		const ent_snap_partner *p = &s->partners[q->n_partners ? q->partners[i] : i];
		for (uint64_t k = p->covers; k < p->covers + p->n_covers; k++) {
			if (s->covers[k].family == family) {
				d.start = s->covers[k].from < d.start ? s->covers[k].from : d.start;
				d.stop = s->covers[k].to > d.stop ? s->covers[k].to : d.stop;
			}
		}
		for (uint64_t k = p->series; k < p->series + p->n_series; k++) {
			const ent_snap_series *x = &s->series[k];
			int32_t end = x->day0 + (int32_t)x->n;
			if (x->view == ENT_VIEW_TOTAL && ent_measures[x->measure].family == family) {
				d.start = x->day0 < d.start ? x->day0 : d.start;
				d.stop = end > d.stop ? end : d.stop;
			}
		}
	}
	return d;
}

/* Days for which there is all that a metric reads. Nothing at all: the moment itself, which will be shown as unknown.
 */
static ent__days days_of_metric(const ent__query *q, const ent_metric *m) {
	ent__days d = {INT32_MIN, q->project.as_of + 1};
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		if (ent_metric_families(m) >> f & 1) {
			ent__days one = days_of_family(q, f);
			d.start = one.start > d.start ? one.start : d.start;
			d.stop = one.stop < d.stop ? one.stop : d.stop;
		}
	}
	return d.start < d.stop ? d : (ent__days){q->project.as_of, q->project.as_of + 1};
}

static void whole(ent__query *q) {
	for (size_t i = 0; i < q->n_metrics; i++) {
		ent__days d = days_of_metric(q, &ent_metrics[q->metrics[i]]);
		q->start = i == 0 || d.start < q->start ? d.start : q->start;
		q->stop = i == 0 || d.stop > q->stop ? d.stop : q->stop;
		q->days[i] = d;
	}
}

static int take_days(ent__query *q) {
	bool from = ent_call_has(q->call, "from"), to = ent_call_has(q->call, "to");
	q->window = ent_call_text(q->call, "window", NULL);
	ent__days days;
	if (q->window && (from || to)) {
		return ent_call_usage(q->call, "write one of them", "--window and --from or --to say the same");
	}
	if (q->window && !ent__span_parse(q->window, 0, &days)) {
		return ent_call_usage(
			q->call, "write it like 28d, 12w, 6m, 1y, mtd, qtd or ytd", "--window does not take '%s'", q->window);
	}
	int exit = open_snapshot(q, q->window != NULL);
	if (exit) {
		return exit;
	}
	exit = take_partners(q);
	if (exit) {
		return exit;
	}
	if (q->window) {
		ent__span_parse(q->window, q->project.as_of, &days);
		q->start = days.start;
		q->stop = days.stop;
		return ENT_EXIT_OK;
	}
	whole(q);
	q->whole = !from && !to;
	q->start = from ? (int32_t)ent_call_number(q->call, "from", 0) : q->start;
	q->stop = to ? (int32_t)ent_call_number(q->call, "to", 0) + 1 : q->stop;
	if (q->start >= q->stop) {
		char a[16], b[16];
		return ent_call_usage(q->call, "write --from DAY --to DAY, both days included", "there is no day from %s to %s",
			ent_day_text(q->start, a), ent_day_text(q->stop - 1, b));
	}
	return ENT_EXIT_OK;
}

/* ---- command ----------------------------------------------------------------------------------------------------- */

static const char *const origins[] = {"shop", "analytics", "declared", NULL};

static int run(ent_call *call) {
	ent__query q = {.call = call, .project = {.block = {.fd = -1}}, .origin = -1};
	if (call->json && ent_call_has(call, "csv")) {
		return ent_call_usage(call, "write one of them", "--json and --csv do not go together");
	}
	if (ent_call_has(call, "origin")) {
		q.origin = (int16_t)ent_call_number(call, "origin", 0);
	}
	int exit = take_metrics(&q);
	exit = exit ? exit : take_by(&q);
	exit = exit ? exit : ent__project_open(call, &q.project, ENT_ENGINE_READ);
	exit = exit ? exit : check_views(&q);
	exit = exit ? exit : take_days(&q);
	ent_error e = {0};
	if (!exit && q.value_text) {
		q.value = ent_snap_find_value(&q.project.snap, q.value_text, strlen(q.value_text));
	}
	if (!exit && read_rows(&q, &e)) {
		exit = ent_call_error(call, &e);
	}
	if (!exit) {
		(call->json                     ? ent__query_show_json
			: ent_call_has(call, "csv") ? ent__query_show_csv
										: ent__query_show_text)(&q);
	}
	free(q.rows);
	ent_arena_finish(&q.arena);
	ent__project_finish(&q.project);
	return exit;
}

static const ent_arg args[] = {
	{.name = "partner",
		.letter = 'p',
		.type = ENT_ARG_TEXT,
		.value = "ID",
		.many = true,
		.doc = "Of this partner. Without it, of all partners together."},
	{.name = "by",
		.type = ENT_ARG_TEXT,
		.value = "WHAT",
		.doc = "A row for each partner, day, week, month, or value of a view (channel, category, country, ...)."},
	{.name = "from", .type = ENT_ARG_DATE, .value = "DAY", .doc = "First day. Without it, the first with data."},
	{.name = "to", .type = ENT_ARG_DATE, .value = "DAY", .doc = "Last day, included. Without it, the last with data."},
	{.name = "window",
		.type = ENT_ARG_TEXT,
		.value = "SPAN",
		.doc = "Days that end with the moment of judgement: 28d, 12w, 6m, 1y, mtd, qtd or ytd."},
	{.name = "view",
		.type = ENT_ARG_TEXT,
		.value = "VIEW",
		.doc = "With --value: only what belongs to it. Alone: as --by VIEW."},
	{.name = "value",
		.type = ENT_ARG_TEXT,
		.value = "VALUE",
		.doc = "Of the view; (none) is what belongs to no value."},
	{.name = "origin",
		.type = ENT_ARG_CHOICE,
		.value = "WHO",
		.choices = origins,
		.doc = "Whose figures: shop, analytics or declared. Without it, the first of them that speaks of the metric."},
	{.name = "csv", .type = ENT_ARG_SWITCH, .doc = "Write a row for each figure as CSV."},
	ENT_ARG_ROW_AS_OF,
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "METRIC", .required = true, .many = true, .doc = "`entente metrics list` shows them."},
	{.name = NULL},
};

const ent_command ent_command_metrics_query = {
	.name = "metrics query",
	.doc = "Show exact figures of partners, days and channels.",
	.text = "Money is in the reporting currency, to the last digit. Where sources do not speak for enough of the days, "
			"what is "
			"there is shown with a mark that says so: that is not the figure. Without days, all that have data.\n\n"
			"  entente metrics query orders revenue.net --window 28d --by partner\n"
			"  entente metrics query sessions conversion_rate -p nordwind --by month\n"
			"  entente metrics query revenue.net --by channel --from 2026-01-01 --to 2026-03-31 --csv",
	.args = args,
	.operands = operands,
	.run = run,
};
