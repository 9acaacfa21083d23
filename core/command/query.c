/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente metrics query`: what is asked for: metrics, partners, days, view. Figures are read in query_read.c, and
 * shown in query_show.c. */
#include "command/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/day.h"

/* ---- what is asked for ------------------------------------------------------------------------------------------- */

static int take_metrics(ent__query *q) {
	const ent_catalogue *c = ent_engine_catalogue(q->project.engine);
	const char *name;
	for (size_t i = 0; (name = ent_call_operand(q->call, i)); i++) {
		int metric = ent_catalogue_find(c, name, strlen(name));
		if (metric < 0) {
			return ent__metric_unknown(q->call, q->project.config, c, name);
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
	const char *kept[ENT_VIEW_KEPT];
	size_t n = 0;
	for (unsigned i = 1; i < ENT_VIEW_KEPT; i++) {
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
		const ent_metric *m = &ent_engine_catalogue(q->project.engine)->metrics[q->metrics[i]];
		if (m->kind == ENT_METRIC_DISTRIBUTION) {
			return ent_call_usage(
				q->call, "ask for it without a view", "'%s' is a distribution, which is kept in total only", m->name);
		}
		if ((m->kind == ENT_METRIC_DISTINCT || m->top_set || m->bottom_set) && view != ENT_VIEW_CHANNEL) {
			return ent_call_usage(q->call, "ask for it by channel, or without a view",
				"'%s' counts distinct identities, which are kept in total and by channel only", m->name);
		}
	}
	if (!(q->project.config->views & bits[view])) {
		char todo[200];
		snprintf(todo, sizeof todo, "add it to `views:` in %s and run again", q->call->config_path);
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
			if (x->view == ENT_VIEW_TOTAL && ent_snap_measure(s, x->measure)->family == family) {
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
		ent__days d = days_of_metric(q, ent_snap_metric(&q->project.snap, q->metrics[i]));
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
	if (q->n_partners) { /* where it is another day for some of them, the latest of theirs */
		q->project.as_of = INT32_MIN;
		for (size_t i = 0; i < q->n_partners; i++) {
			int32_t day = ent_snap_partner_day(&q->project.snap, q->partners[i]);
			q->project.as_of = day > q->project.as_of ? day : q->project.as_of;
		}
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
	int exit = take_by(&q);
	exit = exit ? exit : ent__project_open(call, &q.project, ENT_ENGINE_READ);
	exit = exit ? exit : take_metrics(&q);
	exit = exit ? exit : check_views(&q);
	exit = exit ? exit : take_days(&q);
	ent_error e = {0};
	if (!exit && q.value_text) {
		q.value = ent_snap_find_value(&q.project.snap, q.value_text, strlen(q.value_text));
	}
	if (!exit && ent__query_read(&q, &e)) {
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
	.served = true,
};
