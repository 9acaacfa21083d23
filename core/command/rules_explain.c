/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente rules explain`: from a finding to the figures that its rule read, from these to the days and measures that
 * make them, to the records, and to the rows of the files. What was read of a cohort stops at the released figure. What
 * the figures were, and what moved them, is in why.c. */
#include "base/day.h"
#include "command/explain.h"
#include "engine/life.h"
#include "engine/lineage.h"

#include <inttypes.h>
#include <limits.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIGURES = 8, ROWS = 3 };

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text && *text ? text : NULL);
}

/* ---- what was read
 * ---------------------------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *with) { return !strncmp(text, with, strlen(with)); }

/* "channel=online/web offline/till", "quantile=0.9", "days known", "reported". Values with blanks are none of these:
 * the view's own values are tried first. */
static void read_slice(ent__explaining *x, ent__explain_figure *f) {
	const char *equals = strchr(f->slice, '=');
	for (unsigned v = 1; equals && v < ENT_VIEW_COUNT; v++) {
		size_t n = strlen(ent_view_names[v]);
		if ((size_t)(equals - f->slice) == n && !strncmp(ent_view_names[v], f->slice, n)) {
			char *copy = (char *)ent_arena_copy(&x->trace.arena, equals + 1, strlen(equals + 1));
			f->wanted.view = (uint8_t)v;
			if (ent_snap_find_value(&x->trace.project->snap, copy, strlen(copy)) != ENT_NO_TEXT) {
				f->values[f->wanted.n_values++] = copy;
			} else {
				for (char *p = strtok(copy, " "); p && f->wanted.n_values < ENT__EXPLAIN_VALUES;
					 p = strtok(NULL, " ")) {
					f->values[f->wanted.n_values++] = p;
				}
			}
			f->wanted.values = f->values;
		}
	}
}

static ent__explain_sort sort_of(const ent__explaining *x, const ent__explain_figure *f, int metric) {
	size_t n = strlen(f->slice);
	bool reported = n >= 8 && !strcmp(f->slice + n - 8, "reported");
	if (*f->cohort) {
		return ENT__OF_COHORT;
	}
	if (begins(f->metric, "register ")) {
		return ENT__OF_REGISTER;
	}
	if (begins(f->metric, "benchmark ") || !strcmp(f->origin, "declared") || reported) {
		return ENT__OF_TOLD;
	}
	return metric < 0 || !ent_account_can(ent__metric(&x->trace, (unsigned)metric)) ? ENT__OF_OTHER
		   : (!strcmp(f->slice, "days known") || !strcmp(f->slice, "ever known"))   ? ENT__OF_DAYS
																					: ENT__OF_CELLS;
}

static bool same_read(const ent__explain_figure *a, const ent__explain_figure *b) {
	return !strcmp(a->metric, b->metric) && !strcmp(a->from, b->from) && !strcmp(a->through, b->through) &&
		   !strcmp(a->origin, b->origin) && !strcmp(a->slice, b->slice) && !strcmp(a->cohort, b->cohort);
}

static void add_figure(ent__explaining *x, json_object *o) {
	ent__explain_figure f = {.json = o,
		.metric = ent__explain_text(o, "metric"),
		.from = ent__explain_text(o, "from"),
		.through = ent__explain_text(o, "through"),
		.value = ent__explain_text(o, "value"),
		.unit = ent__explain_text(o, "unit"),
		.state = ent__explain_text(o, "state"),
		.origin = ent__explain_text(o, "origin"),
		.slice = ent__explain_text(o, "slice"),
		.cohort = ent__explain_text(o, "cohort"),
		.wanted = {.origin = -1}};
	int metric = ent_catalogue_find(ent_engine_catalogue(x->trace.project->engine), f.metric, strlen(f.metric));
	f.known = !strcmp(f.state, "known");
	f.sort = sort_of(x, &f, metric);
	f.spoken = f.known && *f.value && strstr(x->f->text, f.value);
	for (size_t i = 0; i < x->n; i++) {
		if (same_read(&x->figures[i], &f)) {
			return; /* read twice */
		}
	}
	f.wanted.metric = (unsigned)(metric < 0 ? 0 : metric);
	ent_day_parse(f.from, strlen(f.from), &f.wanted.start);
	ent_day_parse(f.through, strlen(f.through), &f.wanted.stop);
	f.wanted.stop++;
	for (unsigned i = 0; i < ENT_ORIGIN_COUNT; i++) {
		f.wanted.origin = *f.origin && !strcmp(f.origin, ent_origin_names[i]) ? (int16_t)i : f.wanted.origin;
	}
	ENT_GROW(x->figures, x->n, x->capacity);
	x->figures[x->n++] = f;
	read_slice(x, &x->figures[x->n - 1]);
}

/* Those that the finding speaks of come first, each kind in the order in which it was read. */
static void order_figures(ent__explaining *x) {
	ent__explain_figure *sorted = ent_xcalloc(x->n + 1, sizeof *sorted);
	size_t k = 0;
	for (unsigned spoken = 2; spoken-- > 0;) {
		for (size_t i = 0; i < x->n; i++) {
			if (x->figures[i].spoken == spoken) {
				sorted[k++] = x->figures[i];
			}
		}
	}
	free(x->figures);
	x->figures = sorted;
	for (size_t i = 0; i < x->n; i++) {
		x->figures[i].wanted.values = x->figures[i].values;
	}
}

/* ---- one figure -------------------------------------------------------------------------------------------------- */

/* Those that weigh most come first. */
static int by_weight(const void *a, const void *b) {
	const ent_account_part *x = *(const ent_account_part *const *)a, *y = *(const ent_account_part *const *)b;
	__int128 p = x->top < 0 ? -x->top : x->top, q = y->top < 0 ? -y->top : y->top;
	if (p == q) {
		p = x->bottom < 0 ? -x->bottom : x->bottom;
		q = y->bottom < 0 ? -y->bottom : y->bottom;
	}
	return p != q ? (p < q ? 1 : -1) : x < y ? -1 : 1;
}

const ent_account_part **ent__explain_heaviest(const ent_account *a) {
	const ent_account_part **list = ent_xcalloc(a->n + 1, sizeof *list);
	for (size_t i = 0; i < a->n; i++) {
		list[i] = &a->parts[i];
	}
	if (a->n) {
		qsort(list, a->n, sizeof *list, by_weight);
	}
	return list;
}

/* Does what the records make differ from what the rule read? It may since it judged, and must not otherwise. */
bool ent__explain_differs(const ent__explaining *x, const ent__explain_figure *f, const ent_account *a) {
	const ent_metric *m = ent__metric(&x->trace, f->wanted.metric);
	json_object *number = ent__explain_get(f->json, "number");
	if (!number || m->kind == ENT_METRIC_DISTRIBUTION || a->no_rate) {
		return false;
	}
	static const double scales[] = {[ENT_UNIT_COUNT] = 1,
		[ENT_UNIT_MONEY] = 1e6,
		[ENT_UNIT_PIECES] = 1e3,
		[ENT_UNIT_SECONDS] = 1e6,
		[ENT_UNIT_DAYS] = 1,
		[ENT_UNIT_RATIO] = 1};
	double said = json_object_get_double(number), top = (double)a->top / 1e12 / scales[ent__top_unit(&x->trace, m)];
	double bottom = m->kind == ENT_METRIC_RATIO ? (double)a->bottom / 1e12 / scales[ent__bottom_unit(&x->trace, m)] : 1;
	double is = bottom != 0 ? top / bottom : NAN;
	return !(fabs(is - said) <= 1e-6 * fabs(said) + 2e-6);
}

static int explain_figure(ent__explaining *x, size_t number, const ent__explain_figure *f, ent_error *e) {
	ent_account a = {0};
	ent__why why = {0};
	bool cells = f->sort == ENT__OF_CELLS, compared = cells && x->since.given;
	int status = f->sort == ENT__OF_TOLD || f->sort == ENT__OF_REGISTER ? ent__told_read(x, e) : 0;
	if (cells) {
		ent_account_side days = {f->wanted.start, f->wanted.stop};
		status = ent__trace_account(&x->trace, &f->wanted, NULL, &days, &a, e);
		if (!status && compared) {
			status = ent__why_read(&why, &x->trace, &f->wanted, &days, &days, e);
		}
	}
	if (!status && x->call->json) {
		ent__explain_json(x, f, cells ? &a : NULL, compared ? &why : NULL);
	} else if (!status) {
		ent__explain_show(x, number, f, cells ? &a : NULL, compared ? &why : NULL);
	}
	ent__why_finish(&why);
	ent_account_finish(&a);
	return status;
}

/* ---- the page
 * ----------------------------------------------------------------------------------------------------------------------
 */

static int take_verdict(
	void *ctx, const char *rule, const char *partner, const char *said, int32_t as_of, const char *json) {
	ent__explaining *x = ctx;
	(void)partner;
	if (!strcmp(rule, x->f->rule)) {
		snprintf(x->said, sizeof x->said, "%s", said);
		x->as_of = as_of;
		x->record = json_tokener_parse(json);
	}
	return 0;
}

static void show_head(ent__explaining *x) {
	ent_call *call = x->call;
	const ent__finding *f = x->f;
	char a[16], b[16], worth[ENT_NUMBER_TEXT];
	ent_buf wrapped = {0};
	ent_term_wrap(&call->term, &wrapped, 0, f->text);
	ent_buf_u8(&wrapped, 0);
	ent_term_text(&call->term, &call->out, ent__finding_style(f->kind), (const char *)wrapped.data);
	ent_buf_finish(&wrapped);
	ent_buf_u8(&call->out, '\n');
	ent__explain_plain(call, 0,
		ent_arena_printf(&x->trace.arena, "%s %s of %s, said by %s; %s since %s, last said of %s", f->id, f->kind,
			f->partner, f->rule, f->state, ent_day_text(f->first_day, a), ent_day_text(f->as_of, b)));
	if (f->has_worth) {
		ent_buf_printf(
			&call->out, "worth %s %s\n", ent_number_text(f->worth, 6, 2, worth), x->trace.project->config->currency.s);
	}
	if (strcmp(x->said, "true") != 0) {
		ent_term_printf(&call->term, &call->out, ENT_WARN,
			"The rule says it no more: its verdict is %s, and this is what it read for that.\n",
			*x->said ? x->said : "not known");
	}
}

static int explain(ent__explaining *x, ent_error *e) {
	ent_call *call = x->call;
	json_object *evidence = ent__explain_get(x->record, "evidence");
	for (size_t i = 0; evidence && i < json_object_array_length(evidence); i++) {
		add_figure(x, json_object_array_get_idx(evidence, i));
	}
	order_figures(x);
	size_t n = x->n < x->shown ? x->n : x->shown;
	if (call->json) {
		ent_json_object(&call->writer);
		ent__finding_json(&call->writer, x->f);
		member(&call->writer, "verdict", x->said);
		if (x->since.given) {
			ent_json_key(&call->writer, "since_run");
			ent__since_json(&x->since, &call->writer);
		}
		ent_json_key(&call->writer, "figures");
		ent_json_array(&call->writer);
	} else {
		show_head(x);
		if (x->since.given) {
			ent__since_show(&x->since, call);
		}
	}
	int status = 0;
	for (size_t i = 0; i < n && !status; i++) {
		status = explain_figure(x, i + 1, &x->figures[i], e);
	}
	if (call->json) {
		ent_json_end(&call->writer);
		ent_json_key(&call->writer, "figures_in_all");
		ent_json_uint(&call->writer, x->n);
		ent_json_end(&call->writer);
	} else if (x->n > n) {
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "\nand %zu more figure%s: --figures %zu\n", x->n - n,
			x->n - n == 1 ? "" : "s", x->n);
	} else if (!x->n) {
		ent__explain_plain(call, 0, "\nIt read no figure.");
	}
	return status;
}

static int run(ent_call *call) {
	ent__explaining x = {.call = call,
		.found = {.call = call, .wanted = ent_call_operand(call, 0)},
		.rows = (size_t)ent_call_number(call, "rows", ROWS),
		.shown = (size_t)ent_call_number(call, "figures", call->json ? INT32_MAX : FIGURES),
		.days = ent_call_has(call, "days"),
		.detailed = ent_call_has(call, "rows")};
	ent_error e = {0};
	int exit = ent__project_open(call, &x.found.project, ENT_ENGINE_READ);
	exit = exit ? exit : ent__findings_one(&x.found);
	if (!exit) {
		x.f = &x.found.found[0];
		if (ent_store_verdicts_scan(x.found.project.store, x.f->partner, true, take_verdict, &x, &e)) {
			exit = ent_call_error(call, &e);
		}
	}
	exit = exit ? exit : ent__project_snapshot_of(call, &x.found.project, x.record ? x.as_of : x.f->as_of, "date");
	int64_t index = exit ? -1 : ent__project_partner(call, &x.found.project, x.f->partner);
	exit = exit ? exit : index < 0 ? ENT_EXIT_ERROR : ENT_EXIT_OK;
	if (!exit) {
		ent__trace_init(&x.trace, call, &x.found.project, x.f->partner, (uint32_t)index);
		exit = ent__since_take(&x.since, call, &x.trace, "since", false);
	}
	ent_moment now = ent_moment_now();
	if (!exit && (ent__trace_versions(&x.trace, x.since.given ? &x.since.then : NULL, &now, &e) || explain(&x, &e))) {
		exit = ent_call_error(call, &e);
	}
	ent__told_finish(&x);
	free(x.figures);
	json_object_put(x.record);
	ent__trace_finish(&x.trace);
	ent__findings_finish(&x.found);
	return exit;
}

static const ent_arg args[] = {
	{.name = "rows",
		.type = ENT_ARG_INT,
		.value = "N",
		.least = 0,
		.most = INT32_MAX,
		.doc = "Of each figure, N records with what they say and the row of the file (default 3, in short)."},
	{.name = "figures",
		.type = ENT_ARG_INT,
		.value = "N",
		.least = 1,
		.most = INT32_MAX,
		.doc = "At most N figures (default 8, with --json all); those that the finding speaks of come first."},
	{.name = "days", .type = ENT_ARG_SWITCH, .doc = "Show the days that make each figure, with their rates."},
	ENT__ARG_ROW_SINCE,
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "FINDING", .required = true, .doc = "Its id, or the beginning of it; `entente findings` shows them."},
	{.name = NULL},
};

const ent_command ent_command_rules_explain = {
	.name = "rules explain",
	.doc = "Follow a finding to its figures, their days, the records, and the rows of the files.",
	.text = "Each figure that the rule read, with its arithmetic, how many records of which files make it, and those "
			"that weigh "
			"most with file and line. What stands there is shown as rejects are: letters as a, digits as 9. Of a "
			"cohort there is the "
			"released figure and no more. With --since, what changed under the finding: the records that came, changed "
			"or went.\n\n"
			"  entente rules explain 3f2a\n"
			"  entente rules explain 3f2a --rows 20 --days\n"
			"  entente rules explain 3f2a --since 2026-11-20",
	.args = args,
	.operands = operands,
	.run = run,
	.served = true,
	.slow = true,
};
