/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente metrics list | show | fields`: the catalogue, as it is compiled in and as users declared what stands behind
 * it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "command/query.h"
#include "config/metrics.h"

/* ---- which there are --------------------------------------------------------------------------------------------- */

/* Those that the store counted by its last run; where there is none yet, those of the configuration; where there is no
 * configuration either, the built-in ones. */
static int open_catalogue(ent_call *call, ent__project *p, const ent_catalogue **c) {
	ent_config *config = NULL;
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	bool counted = call->session != NULL;
	if (!counted && ent_config_load(call->config_path, &config, errors) == 0) {
		ent_arena arena = {0};
		counted = access(ent_arena_printf(&arena, "%s/entente.db", config->store.s), F_OK) == 0;
		ent_arena_finish(&arena);
		ent_config_destroy(config);
	}
	free(errors);
	int exit = counted ? ent__project_open(call, p, ENT_ENGINE_READ) : ent__project_open_any(call, p);
	*c = exit ? NULL : ent_engine_catalogue(p->engine);
	return exit;
}

static bool is_declared(const ent_config *config, const char *name) {
	for (size_t i = 0; i < config->n_metrics; i++) {
		if (!strcmp(config->metrics[i].name.s, name)) {
			return true;
		}
	}
	return false;
}

int ent__metric_unknown(ent_call *call, const ent_config *config, const ent_catalogue *c, const char *name) {
	if (is_declared(config, name)) {
		return ent_call_unknown(call, "run `entente run`: the facts that are stored are counted anew then",
			"the metric '%s' was declared after the last run", name);
	}
	const char **names = ent_xcalloc(c->n_metrics, sizeof *names);
	for (unsigned i = 0; i < c->n_metrics; i++) {
		names[i] = c->metrics[i].name;
	}
	const char *near = ent_nearest(name, names, c->n_metrics);
	char todo[160];
	snprintf(todo, sizeof todo, near ? "did you mean '%s'?" : "`entente metrics list` shows them%s", near ? near : "");
	free(names);
	return ent_call_unknown(call, todo, "there is no metric '%s'", name);
}

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
static char *terms_text(const ent_catalogue *c, const ent_metric_term *terms, unsigned set, uint32_t times,
	uint32_t over, ent_arena *arena) {
	char *text = ent_arena_copy(arena, "", 0);
	for (const ent_metric_term *t = terms; t < terms + ENT_TERMS && t->sign; t++) {
		const char *sign = t->sign > 0 ? t == terms ? "" : " + " : t == terms ? "-" : " - ";
		const ent_measure_def *m = &c->measures[t->measure];
		text = t->times > 1 ? ent_arena_printf(arena, "%s%s%u * ", text, sign, t->times)
							: ent_arena_printf(arena, "%s%s", text, sign);
		text = ent_arena_printf(arena, "%s%s.%s", text, ent_family_name(m->family), m->name);
	}
	if (set && times > 1) {
		text = ent_arena_printf(arena, "%u * different %s", times, c->sets[set - 1].name);
	} else if (set) {
		text = ent_arena_printf(arena, "different %s", c->sets[set - 1].name);
	}
	return over > 1 ? ent_arena_printf(arena, "(%s) / %u", text, over) : text;
}

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text);
}

static void json_terms(ent_json *j, const ent_catalogue *c, const char *key, const ent_metric_term *terms, unsigned set,
	uint32_t set_times) {
	ent_json_key(j, key);
	ent_json_array(j);
	for (const ent_metric_term *t = terms; t < terms + ENT_TERMS && t->sign; t++) {
		const ent_measure_def *d = &c->measures[t->measure];
		ent_json_object(j);
		ent_json_key(j, "sign");
		ent_json_int(j, t->sign);
		if (t->times > 1) {
			ent_json_key(j, "times");
			ent_json_uint(j, t->times);
		}
		member(j, "measure", d->name);
		member(j, "family", ent_family_name(d->family));
		member(j, "doc", d->doc);
		ent_json_end(j);
	}
	if (set) {
		ent_json_object(j);
		ent_json_key(j, "sign");
		ent_json_int(j, 1);
		if (set_times > 1) {
			ent_json_key(j, "times");
			ent_json_uint(j, set_times);
		}
		member(j, "set", c->sets[set - 1].name);
		member(j, "family", ent_family_name(c->sets[set - 1].family));
		ent_json_end(j);
	}
	ent_json_end(j);
}

static void json_metric(ent_json *j, const ent_catalogue *c, const ent_metric *m) {
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
	ent_json_key(j, "declared");
	ent_json_bool(j, m->definition != NULL);
	if (m->top[0].sign || m->top_set) {
		json_terms(j, c, "top", m->top, m->top_set, m->top_times);
	}
	if (m->bottom[0].sign || m->bottom_set) {
		json_terms(j, c, "bottom", m->bottom, m->bottom_set, m->bottom_times);
	}
	if (m->over > 1) {
		ent_json_key(j, "over");
		ent_json_uint(j, m->over);
	}
	member(j, "definition", definition);
	ent_json_end(j);
}

/* ---- list -------------------------------------------------------------------------------------------------------- */

static int list(ent_call *call) {
	static const ent_table_column columns[] = {
		{"metric", false, true}, {"unit", false, true}, {"kind", false, true}, {"what it is", false, false}, {0}};
	const char *tag = ent_call_text(call, "tag", NULL);
	const ent_catalogue *c;
	ent__project p = {.block = {.fd = -1}};
	ent_table t;
	static const unsigned char drop[] = {2, 1};
	size_t n = 0;
	int exit = open_catalogue(call, &p, &c);
	if (exit) {
		ent__project_finish(&p);
		return exit;
	}
	if (call->json) {
		ent_json_array(&call->writer);
	}
	ent_table_init(&t, columns);
	t.drop = drop;
	t.n_drop = sizeof drop;
	for (const ent_metric *m = c->metrics; m < c->metrics + c->n_metrics; m++) {
		if (tag && !tagged(m, tag)) {
			continue;
		}
		n++;
		if (call->json) {
			json_metric(&call->writer, c, m);
			continue;
		}
		ent_table_styled(&t, ENT_ACCENT, m->name);
		ent_table_cell(&t, ent_unit_names[m->unit]);
		ent_table_cell(&t, ent_kind_names[m->kind]);
		ent_table_cell(&t, m->doc);
	}
	if (call->json) {
		ent_json_end(&call->writer);
	}
	for (size_t i = 0; i < p.config->n_metrics; i++) {
		const char *name = p.config->metrics[i].name.s;
		if (ent_catalogue_find(c, name, strlen(name)) < 0) {
			ent_call_note(call, "'%s' was declared after the last run: `entente run` counts it", name);
		}
	}
	if (!n) {
		exit = ent_call_usage(
			call, "`entente metrics show METRIC` shows the tags of one", "no metric has the tag '%s'", tag);
	} else if (!call->json) {
		ent_table_print(&t, &call->term, &call->out);
	}
	ent_table_finish(&t);
	ent__project_finish(&p);
	return exit;
}

/* ---- show -------------------------------------------------------------------------------------------------------- */

static void line(ent_call *call, const char *name, const char *text) {
	ent_term_printf(&call->term, &call->out, ENT_BOLD, "%-12s", name);
	ent_term_wrap(&call->term, &call->out, 12, text);
	ent_buf_u8(&call->out, '\n');
}

static void show_measures(ent_call *call, const ent_catalogue *c, const ent_metric_term *terms, ent_arena *arena) {
	for (const ent_metric_term *t = terms; t < terms + ENT_TERMS && t->sign; t++) {
		const ent_measure_def *d = &c->measures[t->measure];
		ent_buf_printf(&call->out, "%14s", "");
		ent_term_wrap(&call->term, &call->out, 16, ent_arena_printf(arena, "%s: %s", d->name, d->doc));
		ent_buf_u8(&call->out, '\n');
	}
}

static void show_one(ent_call *call, const ent_catalogue *c, const ent_metric *m) {
	static const char *const adds[] = {[ENT_ADD_ALL] = "over days, values of a view and partners",
		[ENT_ADD_DAYS] = "over days and values of a view, not over partners",
		[ENT_ADD_NONE] = "not at all: built anew for every window",
		[ENT_ADD_WHOLE] = "not at all: built anew for every window, and not for several values of a view together"};
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
	if (m->bottom[0].sign || m->bottom_set) {
		line(call, "is",
			ent_arena_printf(&arena, "(%s) / (%s)", terms_text(c, m->top, m->top_set, m->top_times, 0, &arena),
				terms_text(c, m->bottom, m->bottom_set, m->bottom_times, 0, &arena)));
	} else if (m->top[0].sign) {
		line(call, "is", terms_text(c, m->top, 0, 0, m->over, &arena));
	}
	show_measures(call, c, m->top, &arena);
	show_measures(call, c, m->bottom, &arena);
	line(call, "tags", m->tags);
	line(call, "definition", definition);
	if (m->definition) {
		line(call, "declared", "by you, in the configuration or a rulebook");
	}
	ent_arena_finish(&arena);
}

static int show(ent_call *call) {
	const char *name = ent_call_operand(call, 0);
	const ent_catalogue *c;
	ent__project p = {.block = {.fd = -1}};
	int exit = open_catalogue(call, &p, &c), found = exit ? -1 : ent_catalogue_find(c, name, strlen(name));
	if (!exit && found < 0) {
		exit = ent__metric_unknown(call, p.config, c, name);
	} else if (!exit && call->json) {
		json_metric(&call->writer, c, &c->metrics[found]);
	} else if (!exit) {
		show_one(call, c, &c->metrics[found]);
	}
	ent__project_finish(&p);
	return exit;
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

static char *words_of(const ent_metric_field *f, ent_arena *arena) {
	char *text = ent_arena_copy(arena, f->doc, strlen(f->doc));
	for (const char *const *word = f->words; word && *word; word++) {
		text = ent_arena_printf(arena, "%s%s%s", text, word == f->words ? " One of: " : ", ", *word);
	}
	return text;
}

static int fields(ent_call *call) {
	static const ent_table_column columns[] = {
		{"fact", false, true}, {"field", false, true}, {"is", false, true}, {"what it is", false, false}, {0}};
	const char *fact = ent_call_operand(call, 0);
	ent_arena arena = {0};
	ent_table t;
	bool known = !fact;
	for (int i = 0; i < ENT_OF_COUNT && !known; i++) {
		known = !strcmp(ent_metric_facts[i], fact);
	}
	if (!known) {
		const char *near = ent_nearest(fact, ent_metric_facts, ENT_OF_COUNT);
		char todo[120];
		snprintf(todo, sizeof todo, near ? "did you mean '%s'?" : "facts are order, line, refund, visit and cart%s",
			near ? near : "");
		return ent_call_usage(call, todo, "no fact is called '%s'", fact);
	}
	ent_table_init(&t, columns);
	if (call->json) {
		ent_json_array(&call->writer);
	}
	for (unsigned i = 0; i < ENT_METRIC_FIELDS; i++) {
		const ent_metric_field *f = &ent_metric_fields[i];
		if (fact && strcmp(fact, ent_metric_facts[f->fact]) != 0) {
			continue;
		}
		if (!call->json) {
			ent_table_cell(&t, ent_metric_facts[f->fact]);
			ent_table_styled(&t, ENT_ACCENT, f->name);
			ent_table_cell(&t, ent_metric_forms[f->form]);
			ent_table_cell(&t, words_of(f, &arena));
			continue;
		}
		ent_json_object(&call->writer);
		member(&call->writer, "fact", ent_metric_facts[f->fact]);
		member(&call->writer, "field", f->name);
		member(&call->writer, "is", ent_metric_forms[f->form]);
		ent_json_key(&call->writer, "words");
		ent_json_array(&call->writer);
		for (const char *const *word = f->words; word && *word; word++) {
			ent_json_text(&call->writer, *word);
		}
		ent_json_end(&call->writer);
		member(&call->writer, "doc", f->doc);
		ent_json_end(&call->writer);
	}
	if (call->json) {
		ent_json_end(&call->writer);
	} else {
		ent_table_print(&t, &call->term, &call->out);
	}
	ent_table_finish(&t);
	ent_arena_finish(&arena);
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

static const ent_operand fields_operands[] = {
	{.name = "FACT", .doc = "Only those of one fact: order, line, refund, visit or cart."},
	{.name = NULL},
};

const ent_command ent_command_metrics_fields = {
	.name = "metrics fields",
	.doc = "List the fields of facts that metrics of your own can count and ask for.",
	.text = "What stands below `metrics:` in entente.yaml, and in metric() of a rulebook, names them: count: order, "
			"sum: line.net, "
			"where: {payment: invoice}. A line, and a refund, ask their order by order.FIELD.\n\n"
			"  entente metrics fields order",
	.operands = fields_operands,
	.run = fields,
	.served = true,
};
