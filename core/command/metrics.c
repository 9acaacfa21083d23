/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente metrics list | show`: the catalogue, as it is compiled in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "metrics/catalogue.h"

static bool tagged(const ent_metric *m, const char *tag) {
	size_t n = strlen(tag);
	for (const char *p = m->tags; *p;) {
		size_t length = strcspn(p, " ");
		if (length == n && !strncmp(p, tag, n)) {
			return true;
		}
		p += length + (p[length] == ' ');
	}
	return false;
}

/* "+gross -discount": measures with their family where it is not that of the first. */
static char *terms_text(const ent_metric_term *terms, ent_arena *arena) {
	char *text = ent_arena_copy(arena, "", 0);
	for (const ent_metric_term *t = terms; t < terms + ENT_TERMS && t->sign; t++) {
		const char *sign = t->sign > 0 ? t == terms ? "" : " + " : t == terms ? "-" : " - ";
		text = ent_arena_printf(arena, "%s%s%s.%s", text, sign,
			ent_family_name((ent_family)ent_measures[t->measure].family), ent_measures[t->measure].name);
	}
	return text;
}

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text);
}

static void json_terms(ent_json *j, const char *key, const ent_metric_term *terms) {
	ent_json_key(j, key);
	ent_json_array(j);
	for (const ent_metric_term *t = terms; t < terms + ENT_TERMS && t->sign; t++) {
		const ent_measure_def *d = &ent_measures[t->measure];
		ent_json_object(j);
		ent_json_key(j, "sign");
		ent_json_int(j, t->sign);
		member(j, "measure", d->name);
		member(j, "family", ent_family_name((ent_family)d->family));
		member(j, "doc", d->doc);
		ent_json_end(j);
	}
	ent_json_end(j);
}

static void json_metric(ent_json *j, const ent_metric *m) {
	char definition[17];
	ent_metric_definition(m, definition);
	ent_json_object(j);
	member(j, "name", m->name);
	member(j, "doc", m->doc);
	member(j, "unit", ent_unit_names[m->unit]);
	member(j, "kind", ent_kind_names[m->kind]);
	member(j, "additivity", ent_additivity_names[m->additivity]);
	ent_json_key(j, "tags");
	ent_json_array(j);
	for (const char *p = m->tags; *p;) {
		size_t length = strcspn(p, " ");
		ent_json_text_n(j, p, length);
		p += length + (p[length] == ' ');
	}
	ent_json_end(j);
	if (m->top[0].sign) {
		json_terms(j, "top", m->top);
	}
	if (m->bottom[0].sign) {
		json_terms(j, "bottom", m->bottom);
	}
	member(j, "definition", definition);
	ent_json_end(j);
}

/* ---- list -------------------------------------------------------------------------------------------------------- */

static int list(ent_call *call) {
	static const ent_table_column columns[] = {
		{"metric", false, true}, {"unit", false, true}, {"kind", false, true}, {"what it is", false, false}, {0}};
	const char *tag = ent_call_text(call, "tag", NULL);
	ent_table t;
	static const unsigned char drop[] = {2, 1};
	size_t n = 0;
	if (call->json) {
		ent_json_array(&call->writer);
	}
	ent_table_init(&t, columns);
	t.drop = drop;
	t.n_drop = sizeof drop;
	for (const ent_metric *m = ent_metrics; m->name; m++) {
		if (tag && !tagged(m, tag)) {
			continue;
		}
		n++;
		if (call->json) {
			json_metric(&call->writer, m);
			continue;
		}
		ent_table_styled(&t, ENT_ACCENT, m->name);
		ent_table_cell(&t, ent_unit_names[m->unit]);
		ent_table_cell(&t, ent_kind_names[m->kind]);
		ent_table_cell(&t, m->doc);
	}
	int exit = ENT_EXIT_OK;
	if (call->json) {
		ent_json_end(&call->writer);
	}
	if (!n) {
		exit = ent_call_usage(
			call, "`entente metrics show METRIC` shows the tags of one", "no metric has the tag '%s'", tag);
	} else if (!call->json) {
		ent_table_print(&t, &call->term, &call->out);
	}
	ent_table_finish(&t);
	return exit;
}

/* ---- show -------------------------------------------------------------------------------------------------------- */

static void line(ent_call *call, const char *name, const char *text) {
	ent_term_printf(&call->term, &call->out, ENT_BOLD, "%-12s", name);
	ent_term_wrap(&call->term, &call->out, 12, text);
	ent_buf_u8(&call->out, '\n');
}

static void show_measures(ent_call *call, const ent_metric_term *terms, ent_arena *arena) {
	for (const ent_metric_term *t = terms; t < terms + ENT_TERMS && t->sign; t++) {
		const ent_measure_def *d = &ent_measures[t->measure];
		ent_buf_printf(&call->out, "%14s", "");
		ent_term_wrap(&call->term, &call->out, 16, ent_arena_printf(arena, "%s: %s", d->name, d->doc));
		ent_buf_u8(&call->out, '\n');
	}
}

static void show_one(ent_call *call, const ent_metric *m) {
	static const char *const adds[] = {[ENT_ADD_ALL] = "over days, values of a view and partners",
		[ENT_ADD_DAYS] = "over days and values of a view, not over partners",
		[ENT_ADD_NONE] = "not at all: built anew for every window"};
	static const char *const units[] = {[ENT_UNIT_COUNT] = "a count",
		[ENT_UNIT_MONEY] = "money, in the reporting currency",
		[ENT_UNIT_PIECES] = "pieces",
		[ENT_UNIT_SECONDS] = "seconds",
		[ENT_UNIT_DAYS] = "days",
		[ENT_UNIT_RATIO] = "a ratio"};
	char definition[17];
	ent_arena arena = {0};
	ent_metric_definition(m, definition);
	line(call, "metric", m->name);
	line(call, "what it is", m->doc);
	line(call, "unit", units[m->unit]);
	line(call, "kind", ent_kind_names[m->kind]);
	line(call, "adds up", adds[m->additivity]);
	if (m->bottom[0].sign) {
		line(call, "is",
			ent_arena_printf(&arena, "(%s) / (%s)", terms_text(m->top, &arena), terms_text(m->bottom, &arena)));
	} else if (m->top[0].sign) {
		line(call, "is", terms_text(m->top, &arena));
	}
	show_measures(call, m->top, &arena);
	show_measures(call, m->bottom, &arena);
	line(call, "tags", m->tags);
	line(call, "definition", definition);
	ent_arena_finish(&arena);
}

static int show(ent_call *call) {
	const char *name = ent_call_operand(call, 0);
	int found = ent_metric_find(name, strlen(name));
	if (found < 0) {
		const char **names = ent_xcalloc(ent_metric_count, sizeof *names);
		for (unsigned i = 0; i < ent_metric_count; i++) {
			names[i] = ent_metrics[i].name;
		}
		const char *near = ent_nearest(name, names, ent_metric_count);
		char todo[160];
		snprintf(
			todo, sizeof todo, near ? "did you mean '%s'?" : "`entente metrics list` shows them%s", near ? near : "");
		free(names);
		return ent_call_unknown(call, todo, "there is no metric '%s'", name);
	}
	if (call->json) {
		json_metric(&call->writer, &ent_metrics[found]);
	} else {
		show_one(call, &ent_metrics[found]);
	}
	return ENT_EXIT_OK;
}

static const ent_arg list_args[] = {
	{.name = "tag",
		.type = ENT_ARG_TEXT,
		.value = "TAG",
		.doc = "Only those with this tag: sales, traffic, carts, money, ..."},
	{.name = NULL},
};
static const ent_operand show_operands[] = {
	{.name = "METRIC", .required = true, .doc = "`entente metrics list` shows them."},
	{.name = NULL},
};

const ent_command ent_command_metrics_list = {
	.name = "metrics list",
	.doc = "List the metrics that can be asked for.",
	.text = "Where a definition holds a choice, the name carries it: revenue.net dates refunds to their order, "
			"revenue.net_by_refund_day to the day they were paid back.\n\n  entente metrics list --tag funnel",
	.args = list_args,
	.run = list,
	.served = true,
};

const ent_command ent_command_metrics_show = {
	.name = "metrics show",
	.doc = "Show what a metric means: unit, kind, terms, definition.",
	.text = "The definition is a hash over all that the figure depends on: equal hashes, comparable figures.\n\n"
			"  entente metrics show revenue.net",
	.operands = show_operands,
	.run = show,
	.served = true,
};
