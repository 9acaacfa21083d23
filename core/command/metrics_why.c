/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente metrics why`: what moved a number between two moments. */
#include "command/query.h"
#include "command/span.h"
#include "command/why.h"
#include "base/day.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 10 };

static const char *const origins[] = {"shop", "analytics", NULL};

static int find_metric(ent_call *call, const ent__project *p, const char *name, ent__wanted *w) {
	const ent_catalogue *c = ent_engine_catalogue(p->engine);
	int metric = ent_catalogue_find(c, name, strlen(name));
	if (metric < 0) {
		return ent__metric_unknown(call, p->config, c, name);
	}
	if (!ent_account_can(&c->metrics[metric])) {
		return ent_call_usage(call, "ask for what it is made of: `entente metrics show` names that",
			"'%s' is made of figures, and not of records one by one", name);
	}
	w->metric = (unsigned)metric;
	return ENT_EXIT_OK;
}

static int take_view(ent_call *call, ent__wanted *w, const char **value) {
	const char *view = ent_call_text(call, "view", NULL);
	*value = ent_call_text(call, "value", NULL);
	if (!view != !*value) {
		return ent_call_usage(
			call, "write --view channel --value VALUE, for example", "--view and --value go together");
	}
	for (unsigned i = 1; view && i < ENT_VIEW_COUNT; i++) {
		if (!strcmp(view, ent_view_names[i])) {
			w->view = (uint8_t)i;
			w->values = value;
			w->n_values = 1;
		}
	}
	return view && !w->view
			   ? ent_call_usage(call, "channel, category, country, campaign, device, source, region, vendor or product",
					 "no view is called '%s'", view)
			   : ENT_EXIT_OK;
}

/* The days that are asked for, at a moment: a window ends with the day as of which was judged then. */
static int take_days(ent_call *call, int32_t as_of, ent_account_side *side) {
	const char *window = ent_call_text(call, "window", NULL);
	bool from = ent_call_has(call, "from"), to = ent_call_has(call, "to");
	ent__days days;
	if (window && (from || to)) {
		return ent_call_usage(call, "write one of them", "--window and --from or --to say the same");
	}
	if (from || to) {
		*side = (ent_account_side){
			(int32_t)ent_call_number(call, "from", INT32_MIN / 2), (int32_t)ent_call_number(call, "to", as_of) + 1};
	} else if (ent__span_parse(window ? window : "28d", as_of, &days)) {
		*side = (ent_account_side){days.start, days.stop};
	} else {
		return ent_call_usage(
			call, "write it like 28d, 12w, 6m, 1y, mtd, qtd or ytd", "--window does not take '%s'", window);
	}
	return side->from < side->to
			   ? ENT_EXIT_OK
			   : ent_call_usage(call, "write --from DAY --to DAY, both included", "there is no day between them");
}

static int show(
	ent_call *call, const ent__why *w, const ent__wanted *wanted, const ent__since *since, const ent__since *until) {
	ent_json *j = &call->writer;
	if (call->json) {
		ent_json_object(j);
		ent_json_key(j, "metric");
		ent_json_text(j, w->m->name);
		ent_json_key(j, "partner");
		ent_json_text(j, w->trace->partner);
		ent_json_key(j, "view");
		ent_json_text(j, wanted->view ? ent_view_names[wanted->view] : NULL);
		ent_json_key(j, "value");
		ent_json_text(j, wanted->view ? wanted->values[0] : NULL);
		ent_json_key(j, "since");
		ent__since_json(since, j);
		ent_json_key(j, "until");
		if (until->given) {
			ent__since_json(until, j);
		} else {
			ent_json_null(j);
		}
		ent_json_key(j, "why");
		ent__why_json(w, (size_t)ent_call_number(call, "rows", INT32_MAX));
		ent_json_end(j);
		return ENT_EXIT_OK;
	}
	char a[16], b[16];
	ent_term_printf(&call->term, &call->out, ENT_ACCENT, "%s", w->m->name);
	ent_term_printf(&call->term, &call->out, ENT_PLAIN, " of %s, %s to %s%s%s\n", w->trace->partner,
		ent_day_text(w->now.from, a), ent_day_text(w->now.to - 1, b), wanted->view ? ", " : "",
		wanted->view ? wanted->values[0] : "");
	ent__since_show(since, call);
	if (until->given) {
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "until: ");
		ent__since_show(until, call);
	}
	ent__why_show(w, (size_t)ent_call_number(call, "rows", ROWS), ent_call_has(call, "rows"));
	return ENT_EXIT_OK;
}

static int run(ent_call *call) {
	ent__project p;
	ent__trace t = {0};
	ent__wanted w = {.origin = (int16_t)(ent_call_has(call, "origin") ? ent_call_number(call, "origin", 0) : -1)};
	ent__since since = {0}, until = {0};
	ent_account_side then, now;
	ent__why why = {0};
	ent_error e = {0};
	const char *partner = ent_call_operand(call, 1), *value = NULL;
	int exit = take_view(call, &w, &value);
	if (exit) {
		return exit;
	}
	exit = ent__project_open(call, &p, ENT_ENGINE_READ);
	exit = exit ? exit : find_metric(call, &p, ent_call_operand(call, 0), &w);
	exit = exit ? exit : ent__project_snapshot(call, &p);
	int64_t index = exit ? -1 : ent__project_partner(call, &p, partner);
	exit = exit ? exit : index < 0 ? ENT_EXIT_ERROR : ENT_EXIT_OK;
	if (!exit) {
		ent__trace_init(&t, call, &p, partner, (uint32_t)index);
		exit = ent__since_take(&since, call, &t, "since", true);
		exit = exit ? exit : ent__since_take(&until, call, &t, "until", false);
	}
	if (!exit) {
		/* with as_of: now the partner's own day may lie behind that of the others, and did so before */
		int32_t day = ent_snap_partner_day(&p.snap, (uint32_t)index), behind = p.as_of - day;
		exit = take_days(call, until.run.number ? until.run.as_of - behind : day, &now);
		exit = exit ? exit : take_days(call, since.run.number ? since.run.as_of - behind : day, &then);
	}
	ent_moment end = until.given ? until.then : ent_moment_now();
	if (!exit && (ent__trace_versions(&t, &since.then, &end, &e) || ent__why_read(&why, &t, &w, &then, &now, &e))) {
		exit = ent_call_error(call, &e);
	}
	exit = exit ? exit : show(call, &why, &w, &since, &until);
	ent__why_finish(&why);
	ent__trace_finish(&t);
	ent__project_finish(&p);
	return exit;
}

static const ent_arg args[] = {
	{.name = "window",
		.type = ENT_ARG_TEXT,
		.value = "SPAN",
		.doc = "Days that end with the moment of judgement: 28d (as preset), 12w, 6m, 1y, mtd, qtd or ytd."},
	{.name = "from", .type = ENT_ARG_DATE, .value = "DAY", .doc = "First day, at both moments."},
	{.name = "to", .type = ENT_ARG_DATE, .value = "DAY", .doc = "Last day, included, at both moments."},
	ENT__ARG_ROW_SINCE,
	{.name = "until", .type = ENT_ARG_TEXT, .value = "WHEN", .doc = "The later moment, as --since; without it, now."},
	{.name = "view", .type = ENT_ARG_TEXT, .value = "VIEW", .doc = "With --value: only what belongs to it."},
	{.name = "value",
		.type = ENT_ARG_TEXT,
		.value = "VALUE",
		.doc = "Of the view; (none) is what belongs to no value, online/ a whole side."},
	{.name = "origin",
		.type = ENT_ARG_CHOICE,
		.value = "WHO",
		.choices = origins,
		.doc = "Whose figures: shop or analytics."},
	{.name = "rows",
		.type = ENT_ARG_INT,
		.value = "N",
		.least = 0,
		.most = INT32_MAX,
		.doc = "N records with what they said then and say now (default 10, in short; with --json all)."},
	ENT_ARG_ROW_AS_OF,
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "METRIC", .required = true, .doc = "`entente metrics list` shows them."},
	{.name = "PARTNER", .required = true, .doc = "Its id; `entente partners` lists them."},
	{.name = NULL},
};

const ent_command ent_command_metrics_why = {
	.name = "metrics why",
	.doc = "Tell why a number changed: the records that came, changed or went.",
	.text = "Between a run and now, or between any two moments. What each record moved adds up to the difference; of a "
			"quotient it is "
			"its share of the change. A window ends with the day as of which was judged at each of the two, so days "
			"come into it and "
			"leave it; with --from and --to they are the same. Without --since, since the run before the last. The "
			"ledger keeps what was "
			"replaced for as long as `history` says.\n\n"
			"  entente metrics why revenue.net nordwind --window 28d\n"
			"  entente metrics why conversion_rate nordwind --since 12 --rows 20\n"
			"  entente metrics why orders nordwind --from 2026-03-01 --to 2026-03-31 --since 2026-04-02",
	.args = args,
	.operands = operands,
	.run = run,
	.served = true,
	.slow = true,
};
