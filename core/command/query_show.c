/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures of a query as a table, as JSON and as CSV, see query.h. */
#include "command/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/day.h"

static const ent_metric *metric_of(const ent__query *q, size_t i) { return ent_snap_metric(&q->project.snap, q->metrics[i]); }

static bool is_known(const ent__figure *f) { return f->state == ENT_WINDOW_KNOWN; }

/* ---- table ------------------------------------------------------------------------------------------------------- */

/* Marks behind figures, and what they mean: the legend shows those that were used. */
typedef enum mark { MARK_NONE, MARK_PARTIAL, MARK_COVERAGE, MARK_RATE, MARK_EMPTY, MARKS } mark;
static const char *const mark_texts[MARKS] = {"", "+", "*", "?", ""};
static const char *const legends[MARKS] = {
	[MARK_PARTIAL] = "+ some partners lack data for a fifth of the days (what they have is in it) or a rate (not in it)",
	[MARK_COVERAGE] = "* sources do not speak for 80 % of these days: what is there is no figure of the window",
	[MARK_RATE] = "? an exchange rate of one of these days is missing",
	[MARK_EMPTY] = "– nothing to divide by, or none counted",
};

static mark mark_of(const ent__figure *f) {
	switch ((ent_window_state)f->state) {
	case ENT_WINDOW_NO_COVERAGE:
		return MARK_COVERAGE;
	case ENT_WINDOW_NO_RATE:
		return MARK_RATE;
	case ENT_WINDOW_NO_DENOMINATOR:
		return MARK_EMPTY;
	default:
		return f->left_out ? MARK_PARTIAL : MARK_NONE;
	}
}

/* Digits of the column: what its longest figure needs. Ratios are shown in percent, so two fewer. */
static unsigned digits_of(const ent__query *q, size_t i) {
	const ent_metric *m = metric_of(q, i);
	unsigned most = 0;
	for (size_t r = 0; r <= q->n_rows; r++) {
		const ent__query_row *row = r < q->n_rows ? &q->rows[r] : &q->total;
		unsigned digits = row->figures ? ent__figure_digits(m, &row->figures[i].w) : 0;
		most = digits > most ? digits : most;
	}
	return m->unit != ENT_UNIT_RATIO ? most : most > 4 ? most - 2 : 2;
}

static void figure_cell(
	ent_table *t, const ent_metric *m, const ent__figure *f, unsigned digits, bool marks, bool *used) {
	__int128 value;
	unsigned scale;
	char text[ENT_NUMBER_TEXT];
	mark k = mark_of(f);
	used[k] = true;
	bool any = ent__figure_there(m, f, &value, &scale);
	if (!any && k != MARK_COVERAGE && k != MARK_RATE) {
		used[MARK_EMPTY] = true;
		ent_table_printf(t, ENT_FAINT, "–%s", marks ? " " : "");
	} else if (!any || (k == MARK_COVERAGE && !value)) { /* nothing where nobody speaks: that is no zero */
		ent_table_printf(t, ENT_FAINT, "unknown%s", marks ? mark_texts[k] : "");
	} else {
		bool percent = m->unit == ENT_UNIT_RATIO;
		ent_number_text(value, percent ? scale - 2 : scale, digits, text);
		ent_table_printf(t, k == MARK_NONE ? ENT_PLAIN : ENT_WARN, "%s%s%s", text, percent ? "%" : "",
			marks ? k == MARK_NONE ? " " : mark_texts[k] : "");
	}
}

static void heading(ent__query *q) {
	ent_buf *out = &q->call->out;
	char a[16], b[16];
	int32_t days = q->stop - q->start;
	if (q->whole && q->by == ENT__BY_NONE) {
		ent_buf_printf(out, "all days with data");
	} else {
		ent_buf_printf(out, "%s to %s, %d day%s%s", ent_day_text(q->start, a), ent_day_text(q->stop - 1, b), days,
			days == 1 ? "" : "s", q->whole ? ": all with data" : "");
	}
	if (q->n_partners == 1) {
		ent_buf_printf(out, ", %s", ent_snap_partner_id(&q->project.snap, q->partners[0]));
	} else if (q->by != ENT__BY_PARTNER) {
		ent_buf_printf(out, ", all partners");
	}
	if (q->value_text) {
		ent_buf_printf(out, ", %s %s", ent_view_names[q->view], q->value_text);
	}
	if (q->origin >= 0) {
		ent_buf_printf(out, ", as %s",
			q->origin == ENT_ORIGIN_SHOP        ? "the shop has it"
			: q->origin == ENT_ORIGIN_ANALYTICS ? "analytics sees it"
												: "the partner declares it");
	}
	ent_buf_printf(out, "\n\n");
}

static void legend(ent__query *q, const bool *used) {
	for (unsigned k = 1; k < MARKS; k++) {
		if (used[k]) {
			ent_term_text(&q->call->term, &q->call->out, ENT_FAINT, legends[k]);
			ent_buf_u8(&q->call->out, '\n');
		}
	}
}

/* A row for each metric. */
static void show_single(ent__query *q) {
	static const ent_table_column columns[] = {{"metric", false, true}, {"value", true, true}, {"", false, true},
		{"days", false, true}, {"data for", false, true}, {"", false, false}, {0}};
	ent_table t;
	static const unsigned char drop[] = {3};
	bool used[MARKS] = {0};
	ent_table_init(&t, columns);
	t.drop = drop;
	t.n_drop = sizeof drop;
	for (size_t i = 0; i < q->n_metrics; i++) {
		const ent__figure *f = &q->rows[0].figures[i];
		char reason[160], a[16], b[16];
		ent_table_styled(&t, ENT_ACCENT, metric_of(q, i)->name);
		figure_cell(&t, metric_of(q, i), f, digits_of(q, i), false, used);
		ent_table_cell(&t, ent__figure_unit(q, metric_of(q, i)));
		ent_table_printf(&t, ENT_FAINT, "%s to %s", ent_day_text(f->start, a), ent_day_text(f->stop - 1, b));
		if (f->all) {
			ent_table_printf(&t, ENT_PLAIN, "%u of %u partners", f->known, f->known + f->left_out);
		} else {
			ent_table_printf(
				&t, ENT_PLAIN, "%d of %d day%s", f->w.covered, f->stop - f->start, f->stop - f->start == 1 ? "" : "s");
		}
		ent_table_styled(&t, ENT_WARN, ent__figure_reason(metric_of(q, i), f, reason, sizeof reason));
	}
	ent_table_print(&t, &q->call->term, &q->call->out);
	ent_table_finish(&t);
}

static bool any_marks(const ent__query *q, size_t i) {
	for (size_t r = 0; r <= q->n_rows; r++) {
		const ent__query_row *row = r < q->n_rows ? &q->rows[r] : &q->total;
		if (row->figures && *mark_texts[mark_of(&row->figures[i])]) {
			return true;
		}
	}
	return false;
}

static const char *group_name(const ent__query *q) {
	static const char *const names[] = {
		[ENT__BY_PARTNER] = "partner", [ENT__BY_DAY] = "day", [ENT__BY_WEEK] = "week", [ENT__BY_MONTH] = "month"};
	return q->by == ENT__BY_VIEW ? ent_view_names[q->by_view] : names[q->by];
}

/* A row for each group, a column for each metric. */
static void show_groups(ent__query *q) {
	ent_table_column columns[ENT__QUERY_METRICS + 2] = {{.title = group_name(q), .fixed = q->by != ENT__BY_VIEW}};
	unsigned digits[ENT__QUERY_METRICS];
	bool marks[ENT__QUERY_METRICS], used[MARKS] = {0};
	for (size_t i = 0; i < q->n_metrics; i++) {
		const char *unit = ent__figure_unit(q, metric_of(q, i));
		digits[i] = digits_of(q, i);
		marks[i] = any_marks(q, i);
		columns[i + 1] = (ent_table_column){.title = ent_arena_printf(&q->arena, "%s%s%s%s", metric_of(q, i)->name,
												*unit ? " " : "", unit, marks[i] ? " " : ""),
			.right = true,
			.fixed = true};
	}
	ent_table t;
	ent_table_init(&t, columns);
	for (size_t r = 0; r <= q->n_rows; r++) {
		const ent__query_row *row = r < q->n_rows ? &q->rows[r] : &q->total;
		if (!row->figures) {
			continue;
		}
		ent_table_styled(&t, r < q->n_rows ? ENT_ACCENT : ENT_BOLD, row->name);
		for (size_t i = 0; i < q->n_metrics; i++) {
			figure_cell(&t, metric_of(q, i), &row->figures[i], digits[i], marks[i], used);
		}
	}
	ent_table_print(&t, &q->call->term, &q->call->out);
	ent_table_finish(&t);
	ent_term_printf(
		&q->call->term, &q->call->out, ENT_FAINT, "\n%zu %s%s\n", q->n_rows, group_name(q), q->n_rows == 1 ? "" : "s");
	legend(q, used);
}

void ent__query_show_text(ent__query *q) {
	heading(q);
	if (q->by == ENT__BY_NONE) {
		show_single(q);
	} else {
		show_groups(q);
	}
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void text_member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text);
}

static void number_member(ent_json *j, const char *key, int64_t n) {
	ent_json_key(j, key);
	ent_json_int(j, n);
}

static void day_member(ent_json *j, const char *key, int32_t day) {
	char text[16];
	text_member(j, key, ent_day_text(day, text));
}

static void json_figure(ent__query *q, const ent_metric *m, const ent__figure *f) {
	ent_json *j = &q->call->writer;
	__int128 value;
	unsigned scale;
	char reason[160];
	bool any = ent__figure_there(m, f, &value, &scale);
	ent_json_object(j);
	day_member(j, "from", f->start);
	day_member(j, "through", f->stop - 1);
	ent_json_key(j, "value");
	if (any && is_known(f)) {
		ent_json_decimal(j, value, scale);
	} else {
		ent_json_null(j);
	}
	text_member(j, "state", ent__figure_state(f));
	if (!is_known(f) || f->left_out) {
		text_member(j, "reason", ent__figure_reason(m, f, reason, sizeof reason));
	}
	if (!is_known(f) && any) {
		ent_json_key(j, "there");
		ent_json_decimal(j, value, scale);
	}
	if (m->kind == ENT_METRIC_RATIO) {
		unsigned part = ent_snap_measure(&q->project.snap, m->bottom[0].measure)->unit == ENT_UNIT_MONEY ? 6 : 0;
		ent_json_key(j, "top");
		ent_json_decimal(j, f->w.top, m->unit == ENT_UNIT_RATIO ? part : scale);
		ent_json_key(j, "bottom");
		ent_json_decimal(j, f->w.bottom, part);
	}
	number_member(j, "days", f->stop - f->start);
	number_member(j, "covered", f->w.covered);
	number_member(j, "declared", f->w.declared);
	if (f->all) {
		number_member(j, "partners", f->known);
		number_member(j, "left_out", f->left_out);
		number_member(j, "without_rate", f->without);
	}
	ent_json_end(j);
}

static void json_row(ent__query *q, const ent__query_row *row, const char *group) {
	ent_json *j = &q->call->writer;
	ent_json_object(j);
	if (group) {
		text_member(j, group, row->name);
	}
	day_member(j, "from", row->start);
	day_member(j, "through", row->stop - 1);
	ent_json_key(j, "figures");
	ent_json_object(j);
	for (size_t i = 0; i < q->n_metrics; i++) {
		ent_json_key(j, metric_of(q, i)->name);
		json_figure(q, metric_of(q, i), &row->figures[i]);
	}
	ent_json_end(j);
	ent_json_end(j);
}

void ent__query_show_json(ent__query *q) {
	ent_json *j = &q->call->writer;
	ent_json_object(j);
	day_member(j, "as_of", q->project.as_of);
	text_member(j, "as_of_mode", q->project.as_of_mode);
	day_member(j, "from", q->start);
	day_member(j, "through", q->stop - 1);
	text_member(j, "window", q->window ? q->window : q->whole ? "all" : NULL);
	text_member(j, "currency", q->project.config->currency.s);
	ent_json_key(j, "partners");
	ent_json_array(j);
	for (size_t i = 0; i < q->n_partners; i++) {
		ent_json_text(j, ent_snap_partner_id(&q->project.snap, q->partners[i]));
	}
	ent_json_end(j);
	text_member(j, "by", q->by == ENT__BY_NONE ? NULL : group_name(q));
	text_member(j, "view", q->view ? ent_view_names[q->view] : NULL);
	text_member(j, "value", q->value_text);
	text_member(j, "origin", q->origin >= 0 ? ent_origin_names[q->origin] : NULL);
	ent_json_key(j, "metrics");
	ent_json_array(j);
	for (size_t i = 0; i < q->n_metrics; i++) {
		const ent_metric *m = metric_of(q, i);
		char definition[17];
		ent_metric_definition(m, definition);
		ent_json_object(j);
		text_member(j, "name", m->name);
		text_member(j, "unit", m->unit == ENT_UNIT_MONEY ? q->project.config->currency.s : ent_unit_names[m->unit]);
		text_member(j, "definition", definition);
		ent_json_end(j);
	}
	ent_json_end(j);
	ent_json_key(j, "rows");
	ent_json_array(j);
	for (size_t r = 0; r < q->n_rows; r++) {
		json_row(q, &q->rows[r], q->by == ENT__BY_NONE ? NULL : group_name(q));
	}
	ent_json_end(j);
	ent_json_key(j, "total");
	if (q->by == ENT__BY_NONE && q->n_rows) {
		json_row(q, &q->rows[0], NULL);
	} else if (q->total.figures) {
		json_row(q, &q->total, NULL);
	} else {
		ent_json_null(j);
	}
	ent_json_end(j);
}

/* ---- CSV --------------------------------------------------------------------------------------------------------- */

/* Quoted where it must be; a text that a spreadsheet would take for a formula gets an apostrophe in front. */
static void csv_text(ent_buf *out, const char *text) {
	bool formula = *text && strchr("=+-@\t\r", *text), quote = formula || strpbrk(text, ",\"\r\n");
	if (!quote) {
		ent_buf_add(out, text, strlen(text));
		return;
	}
	ent_buf_u8(out, '"');
	if (formula) {
		ent_buf_u8(out, '\'');
	}
	for (const char *p = text; *p; p++) {
		ent_buf_add(out, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
	}
	ent_buf_u8(out, '"');
}

static void csv_row(ent__query *q, const ent__query_row *row) {
	ent_buf *out = &q->call->out;
	char a[16], b[16], text[64], reason[160];
	for (size_t i = 0; i < q->n_metrics; i++) {
		const ent_metric *m = metric_of(q, i);
		const ent__figure *f = &row->figures[i];
		__int128 value;
		unsigned scale;
		bool any = ent__figure_there(m, f, &value, &scale);
		if (q->by != ENT__BY_NONE) {
			csv_text(out, row->name);
			ent_buf_u8(out, ',');
		}
		text[any ? ent_decimal_text(value, scale, m->unit == ENT_UNIT_MONEY ? 2 : 0, text) : 0] = 0;
		ent_buf_printf(out, "%s,%s,%s,%s,%s,%s,%s,%d,%d,", m->name, ent_day_text(f->start, a),
			ent_day_text(f->stop - 1, b), is_known(f) ? text : "",
			m->unit == ENT_UNIT_MONEY ? q->project.config->currency.s : ent_unit_names[m->unit], ent__figure_state(f),
			is_known(f) ? "" : text, f->w.covered, f->stop - f->start);
		csv_text(out, ent__figure_reason(m, f, reason, sizeof reason));
		ent_buf_add(out, "\r\n", 2);
	}
}

void ent__query_show_csv(ent__query *q) {
	if (q->by != ENT__BY_NONE) {
		ent_buf_printf(&q->call->out, "%s,", group_name(q));
	}
	ent_buf_printf(&q->call->out, "metric,from,through,value,unit,state,there,covered,days,reason\r\n");
	for (size_t r = 0; r < q->n_rows; r++) {
		csv_row(q, &q->rows[r]);
	}
}
