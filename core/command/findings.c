/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente findings`: what the rules say. One of them is shown in findings_show.c, and changed in findings_change.c. */
#include "command/findings.h"

#include "base/day.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const states[] = {
	"open", "acknowledged", "explained", "accepted", "resolved", "reopened", "cleared", "stale", NULL};
static const char *const audiences[] = {"us", "both", NULL};
static const char *const kinds[] = {"red_flag", "gate", "opportunity", "insight", "proposal", "ask", "failure", NULL};

static const char *keep(ent__findings *l, const char *text) {
	return text ? ent_arena_copy(&l->arena, text, strlen(text)) : "";
}

static bool differs(const char *wanted, const char *is) { return wanted && strcmp(wanted, is) != 0; }

static int take(void *ctx, const ent_finding *f) {
	ent__findings *l = ctx;
	char id[9];
	ent_finding_id(f->named, f->partner, f->key, id);
	bool gone = !strcmp(f->state, "cleared") || !strcmp(f->state, "resolved");
	if (l->wanted ? strncmp(id, l->wanted, strlen(l->wanted)) != 0
				  : (gone && !l->all && !l->state) || differs(l->rule, f->rule) || differs(l->kind, f->kind) ||
						differs(l->state, f->state) || differs(l->practice, f->practice) ||
						differs(l->audience, f->audience)) {
		return 0;
	}
	ENT_GROW(l->found, l->n, l->capacity);
	ent__finding *mine = &l->found[l->n++];
	*mine = (ent__finding){.rule = keep(l, f->rule),
		.named = keep(l, f->named),
		.partner = keep(l, f->partner),
		.key = keep(l, f->key),
		.kind = keep(l, f->kind),
		.state = keep(l, f->state),
		.text = keep(l, f->text),
		.severity = keep(l, f->severity),
		.audience = keep(l, f->audience),
		.practice = keep(l, f->practice),
		.json = l->wanted ? keep(l, f->json) : "",
		.worth = f->worth,
		.has_worth = f->has_worth,
		.life = keep(l, f->life),
		.until_day = f->until_day,
		.until_worth = f->until_worth,
		.has_until_worth = f->has_until_worth,
		.as_of = f->as_of,
		.first_day = f->first_day};
	memcpy(mine->id, id, sizeof id);
	return 0;
}

/* By partner, what matters most first. */
static int by_weight(const void *a, const void *b) {
	const ent__finding *x = a, *y = b;
	int order = strcmp(x->partner, y->partner);
	int p = ent__finding_weight(x->kind, x->severity), q = ent__finding_weight(y->kind, y->severity);
	order = order ? order : (p < q) - (p > q);
	order = order ? order : (x->worth < y->worth) - (x->worth > y->worth);
	order = order ? order : strcmp(x->rule, y->rule);
	return order ? order : strcmp(x->key, y->key);
}

int ent__findings_load(ent__findings *l, const char *partner, ent_error *e) {
	int status = ent_store_findings_scan(l->project.store, partner, take, l, e);
	if (!status && l->n) {
		qsort(l->found, l->n, sizeof *l->found, by_weight);
	}
	return status;
}

int ent__findings_one(ent__findings *l) {
	ent_error e = {0};
	if (ent__findings_load(l, NULL, &e)) {
		return ent_call_error(l->call, &e);
	}
	if (l->n == 1) {
		return ENT_EXIT_OK;
	}
	ent_error_set(
		&e, ENT_ERR_NOTFOUND, l->n ? "several findings begin with '%s'" : "there is no finding '%s'", l->wanted);
	ent_error_todo(&e, l->n ? "write more of the id" : "`entente findings --all` shows the ids");
	return ent_call_error(l->call, &e);
}

void ent__findings_finish(ent__findings *l) {
	ent__project_finish(&l->project);
	free(l->found);
	ent_arena_finish(&l->arena);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text && *text ? text : NULL);
}

/* Members of the object in hand. */
void ent__finding_json(ent_json *j, const ent__finding *f) {
	char day[16];
	member(j, "id", f->id);
	member(j, "partner", f->partner);
	member(j, "rule", f->rule);
	member(j, "key", f->key);
	member(j, "kind", f->kind);
	member(j, "state", f->state);
	member(j, "life", f->life);
	member(j, "until", !strcmp(f->life, "accepted") && f->until_day != INT32_MAX ? ent_day_text(f->until_day, day) : NULL);
	ent_json_key(j, "until_worth");
	if (!strcmp(f->life, "accepted") && f->has_until_worth) {
		ent_json_decimal(j, f->until_worth, 6);
	} else {
		ent_json_null(j);
	}
	member(j, "severity", f->severity);
	member(j, "practice", f->practice);
	member(j, "audience", f->audience);
	member(j, "text", f->text);
	ent_json_key(j, "worth");
	if (f->has_worth) {
		ent_json_decimal(j, f->worth, 6);
	} else {
		ent_json_null(j);
	}
	member(j, "since", ent_day_text(f->first_day, day));
	member(j, "as_of", ent_day_text(f->as_of, day));
}

/* ---- list -------------------------------------------------------------------------------------------------------- */

ent_style ent__finding_style(const char *kind) {
	return !strcmp(kind, "red_flag") || !strcmp(kind, "failure") ? ENT_BAD
		   : !strcmp(kind, "gate")                               ? ENT_WARN
		   : !strcmp(kind, "opportunity")                        ? ENT_GOOD
																 : ENT_PLAIN;
}

static void show_table(ent__findings *l) {
	static const ent_table_column columns[] = {{"id", false, true}, {"partner", false, true}, {"kind", false, true},
		{"severity", false, true}, {"worth", true, true}, {"since", false, true}, {"state", false, true},
		{"rule", false, false}, {"what", false, false}, {0}};
	ent_table t;
	static const unsigned char drop[] = {3, 5, 6, 7};
	char day[16], worth[ENT_NUMBER_TEXT];
	ent_table_init(&t, columns);
	t.drop = drop;
	t.n_drop = sizeof drop;
	for (size_t i = 0; i < l->n; i++) {
		const ent__finding *f = &l->found[i];
		ent_table_styled(&t, ENT_FAINT, f->id);
		ent_table_styled(&t, ENT_ACCENT, f->partner);
		ent_table_styled(&t, ent__finding_style(f->kind), f->kind);
		ent_table_cell(&t, f->severity);
		ent_table_cell(&t, f->has_worth ? ent_number_text(f->worth, 6, 0, worth) : "");
		ent_table_cell(&t, ent_day_text(f->first_day, day));
		ent_table_cell(&t, f->state);
		ent_table_cell(&t, f->rule);
		ent_table_cell(&t, f->text);
	}
	ent_table_print(&t, &l->call->term, &l->call->out);
	ent_table_finish(&t);
}

/* Those of the page stay, in their places. */
static int cut_page(ent__findings *l) {
	ent_page page = ent_page_of(l->call, 0);
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (ent_page_take(&page, l->found[i].id)) {
			l->found[n++] = l->found[i];
		}
	}
	l->n = n;
	return ent_page_end(l->call, &page, "findings");
}

static int run(ent_call *call) {
	ent__findings l = {.call = call,
		.rule = ent_call_text(call, "rule", NULL),
		.kind = ent_call_text(call, "kind", NULL),
		.state = ent_call_text(call, "state", NULL),
		.practice = ent_call_text(call, "practice", NULL),
		.audience = ent_call_text(call, "audience", NULL),
		.all = ent_call_has(call, "all")};
	const char *partner = ent_call_operand(call, 0);
	ent_error e = {0};
	int exit = ent__project_store(call, &l.project);
	if (!exit && ent__findings_load(&l, partner, &e)) {
		exit = ent_call_error(call, &e);
	}
	if (!exit && partner && !l.n) { /* nothing to say, or nobody of that name? */
		ent__project p;
		exit = ent__project_open(call, &p, ENT_ENGINE_READ);
		if (!exit && !ent_engine_is_partner(p.engine, partner)) {
			exit = ent__project_snapshot(call, &p);
			exit = exit ? exit : ent__project_partner(call, &p, partner) < 0 ? ENT_EXIT_ERROR : ENT_EXIT_OK;
		}
		ent__project_finish(&p);
	}
	exit = exit ? exit : cut_page(&l);
	if (!exit && call->json) {
		ent_json_array(&call->writer);
		for (size_t i = 0; i < l.n; i++) {
			ent_json_object(&call->writer);
			ent__finding_json(&call->writer, &l.found[i]);
			ent_json_end(&call->writer);
		}
		ent_json_end(&call->writer);
	} else if (!exit && l.n) {
		show_table(&l);
	} else if (!exit) {
		ent_buf_printf(&call->out, "no findings%s\n",
			l.all || l.rule || l.kind || l.state || l.practice ? "" : "; --all shows those that are over, too");
	}
	ent__findings_finish(&l);
	return exit;
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static const ent_arg args[] = {
	{.name = "kind",
		.type = ENT_ARG_CHOICE,
		.value = "KIND",
		.choices = kinds,
		.doc = "Only these: red_flag, gate, opportunity, insight, ..."},
	{.name = "rule", .type = ENT_ARG_TEXT, .value = "RULE", .doc = "Only those of this rule."},
	{.name = "state",
		.type = ENT_ARG_CHOICE,
		.value = "STATE",
		.choices = states,
		.doc = "Only those in this state: open, acknowledged, accepted, reopened, stale, ..."},
	{.name = "practice", .type = ENT_ARG_TEXT, .value = "NAME", .doc = "Only those of rules of this practice."},
	{.name = "audience",
		.type = ENT_ARG_CHOICE,
		.value = "WHOM",
		.choices = audiences,
		.doc = "Only those for us, or those that both may see."},
	{.name = "all", .type = ENT_ARG_SWITCH, .doc = "Also those that are over: cleared and resolved ones."},
	ENT_ARG_ROW_LIMIT,
	ENT_ARG_ROW_AFTER,
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "PARTNER", .doc = "Only those about this partner."},
	{.name = NULL},
};
const ent_command ent_command_findings = {
	.name = "findings",
	.doc = "List what the rules found.",
	.text =
		"What matters most comes first, by partner. A finding that is stale could not be judged again: its evidence is "
		"missing now.\n\n"
		"  entente findings nordwind\n"
		"  entente findings --kind red_flag --json",
	.args = args,
	.operands = operands,
	.run = run,
	.served = true,
};
