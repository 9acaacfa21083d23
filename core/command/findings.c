/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente findings` and `entente findings show`: what the rules say, and on what evidence. A finding is known by
 * partner, rule and key; the short id that stands for them here is a hash of these, so it stays the same from run to
 * run. */
#include "command/portfolio.h"
#include "command/project.h"

#include "base/day.h"
#include "base/intern.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"red_flag", "gate", "opportunity", "insight", "proposal", "ask", "failure", NULL};

/* A copy of what a scan shows. */
typedef struct finding {
	const char *rule, *partner, *key, *kind, *state, *text, *severity, *audience, *practice, *json;
	int64_t worth;
	bool has_worth;
	int32_t as_of, first_day;
	char id[9];
} finding;

typedef struct listing {
	ent_call *call;
	ent__project project;
	ent_arena arena;
	finding *found;
	size_t n, capacity;
	const char *rule, *kind, *state, *practice, *wanted; /* wanted: the beginning of an id */
	bool all;
} listing;

static void make_id(const ent_finding *f, char out[9]) {
	uint64_t hash = ent_hash64(f->partner, strlen(f->partner), 0);
	hash = ent_hash64(f->rule, strlen(f->rule), hash);
	hash = ent_hash64(f->key, strlen(f->key), hash);
	snprintf(out, 9, "%08x", (unsigned)(hash ^ hash >> 32));
}

static const char *keep(listing *l, const char *text) {
	return text ? ent_arena_copy(&l->arena, text, strlen(text)) : "";
}

static bool differs(const char *wanted, const char *is) { return wanted && strcmp(wanted, is) != 0; }

static int take(void *ctx, const ent_finding *f) {
	listing *l = ctx;
	char id[9];
	make_id(f, id);
	bool gone = !strcmp(f->state, "cleared") || !strcmp(f->state, "resolved");
	if (l->wanted ? strncmp(id, l->wanted, strlen(l->wanted)) != 0
				  : (gone && !l->all && !l->state) || differs(l->rule, f->rule) || differs(l->kind, f->kind) ||
						differs(l->state, f->state) || differs(l->practice, f->practice)) {
		return 0;
	}
	ENT_GROW(l->found, l->n, l->capacity);
	finding *mine = &l->found[l->n++];
	*mine = (finding){.rule = keep(l, f->rule),
		.partner = keep(l, f->partner),
		.key = keep(l, f->key),
		.kind = keep(l, f->kind),
		.state = keep(l, f->state),
		.text = keep(l, f->text),
		.severity = keep(l, f->severity),
		.audience = keep(l, f->audience),
		.practice = keep(l, f->practice),
		.json = keep(l, f->json),
		.worth = f->worth,
		.has_worth = f->has_worth,
		.as_of = f->as_of,
		.first_day = f->first_day};
	memcpy(mine->id, id, sizeof id);
	return 0;
}

/* By partner, what matters most first. */
static int by_weight(const void *a, const void *b) {
	const finding *x = a, *y = b;
	int order = strcmp(x->partner, y->partner);
	int p = ent__finding_weight(x->kind, x->severity), q = ent__finding_weight(y->kind, y->severity);
	order = order ? order : (p < q) - (p > q);
	order = order ? order : (x->worth < y->worth) - (x->worth > y->worth);
	order = order ? order : strcmp(x->rule, y->rule);
	return order ? order : strcmp(x->key, y->key);
}

static void finish(listing *l) {
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
static void json_finding(ent_json *j, const finding *f) {
	char day[16];
	member(j, "id", f->id);
	member(j, "partner", f->partner);
	member(j, "rule", f->rule);
	member(j, "key", f->key);
	member(j, "kind", f->kind);
	member(j, "state", f->state);
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

static ent_style style_of(const char *kind) {
	return !strcmp(kind, "red_flag") || !strcmp(kind, "failure") ? ENT_BAD
		   : !strcmp(kind, "gate")                               ? ENT_WARN
		   : !strcmp(kind, "opportunity")                        ? ENT_GOOD
																 : ENT_PLAIN;
}

static void show_table(listing *l) {
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
		const finding *f = &l->found[i];
		ent_table_styled(&t, ENT_FAINT, f->id);
		ent_table_styled(&t, ENT_ACCENT, f->partner);
		ent_table_styled(&t, style_of(f->kind), f->kind);
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

static int run(ent_call *call) {
	listing l = {.call = call,
		.rule = ent_call_text(call, "rule", NULL),
		.kind = ent_call_text(call, "kind", NULL),
		.all = ent_call_has(call, "all")};
	const char *partner = ent_call_operand(call, 0);
	ent_error e = {0};
	int exit = ent__project_store(call, &l.project);
	if (!exit && ent_store_findings_scan(l.project.store, partner, take, &l, &e)) {
		exit = ent_call_error(call, &e);
	}
	if (!exit && l.n) {
		qsort(l.found, l.n, sizeof *l.found, by_weight);
	}
	if (!exit && partner && !l.n) { /* nothing to say, or nobody of that name? */
		ent__project p;
		exit = ent__project_open(call, &p, ENT_ENGINE_READ);
		exit = exit ? exit : ent__project_snapshot(call, &p);
		exit = exit ? exit : ent__project_partner(call, &p, partner) < 0 ? ENT_EXIT_ERROR : ENT_EXIT_OK;
		ent__project_finish(&p);
	}
	if (!exit && call->json) {
		ent_json_array(&call->writer);
		for (size_t i = 0; i < l.n; i++) {
			ent_json_object(&call->writer);
			json_finding(&call->writer, &l.found[i]);
			ent_json_end(&call->writer);
		}
		ent_json_end(&call->writer);
	} else if (!exit && l.n) {
		show_table(&l);
	} else if (!exit) {
		ent_buf_printf(
			&call->out, "no findings%s\n", l.all || l.rule || l.kind ? "" : "; --all shows those that are over, too");
	}
	finish(&l);
	return exit;
}

/* ---- show -------------------------------------------------------------------------------------------------------- */

typedef struct verdict {
	const char *rule;
	json_object *record;
	char said[16];
} verdict;

static int take_verdict(
	void *ctx, const char *rule, const char *partner, const char *said, int32_t as_of, const char *json) {
	verdict *v = ctx;
	(void)partner;
	(void)as_of;
	if (!strcmp(rule, v->rule)) {
		snprintf(v->said, sizeof v->said, "%s", said);
		v->record = json_tokener_parse(json);
	}
	return 0;
}

static json_object *get(json_object *o, const char *key) {
	json_object *v = NULL;
	return o && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static const char *text_of(json_object *o, const char *key) {
	json_object *v = get(o, key);
	return v ? json_object_get_string(v) : "";
}

static void line(ent_call *call, const char *name, const char *text) {
	if (text && *text) {
		ent_term_printf(&call->term, &call->out, ENT_BOLD, "%-10s", name);
		ent_term_wrap(&call->term, &call->out, 10, text);
		ent_buf_u8(&call->out, '\n');
	}
}

static void show_evidence(ent_call *call, json_object *evidence) {
	static const ent_table_column columns[] = {{"it read", false, false}, {"of", false, false}, {"days", false, true},
		{"value", true, true}, {"", false, true}, {"data for", false, true}, {0}};
	ent_table t;
	size_t n = evidence ? json_object_array_length(evidence) : 0;
	if (!n) {
		return;
	}
	static const unsigned char drop[] = {5};
	ent_table_init(&t, columns);
	t.drop = drop;
	t.n_drop = sizeof drop;
	for (size_t i = 0; i < n; i++) {
		json_object *x = json_object_array_get_idx(evidence, i), *covered = get(x, "covered");
		const char *slice = text_of(x, "slice"), *cohort = text_of(x, "cohort"), *origin = text_of(x, "origin");
		const char *state = text_of(x, "state");
		bool known = !strcmp(state, "known");
		ent_table_printf(&t, ENT_PLAIN, "%s%s%s", text_of(x, "metric"), *slice ? ", " : "", slice);
		if (*cohort) {
			ent_table_printf(&t, ENT_PLAIN, "median of %s: %s", text_of(x, "size"), cohort);
		} else {
			ent_table_cell(&t, origin);
		}
		ent_table_printf(&t, ENT_FAINT, "%s to %s", text_of(x, "from"), text_of(x, "through"));
		ent_table_styled(&t, known ? ENT_BOLD : ENT_WARN, known ? text_of(x, "value") : "unknown");
		ent_table_styled(&t, ENT_WARN, known ? "" : state);
		if (covered) {
			ent_table_printf(&t, ENT_PLAIN, "%s of %s days", json_object_get_string(covered), text_of(x, "days"));
		} else {
			ent_table_cell(&t, "");
		}
	}
	ent_buf_u8(&call->out, '\n');
	ent_table_print(&t, &call->term, &call->out);
	ent_table_finish(&t);
}

/* The rows that the rule gave, the first of which names the columns. */
static void show_rows(ent_call *call, json_object *rows) {
	json_object *head = rows && json_object_array_length(rows) > 1 ? json_object_array_get_idx(rows, 0) : NULL;
	size_t n = head ? json_object_array_length(head) : 0;
	if (!n || n > 16) {
		return;
	}
	ent_table_column columns[17] = {0};
	ent_table t;
	for (size_t c = 0; c < n; c++) {
		columns[c].title = json_object_get_string(json_object_array_get_idx(head, c));
		columns[c].title = columns[c].title ? columns[c].title : "";
	}
	ent_table_init(&t, columns);
	for (size_t r = 1; r < json_object_array_length(rows); r++) {
		json_object *row = json_object_array_get_idx(rows, r);
		for (size_t c = 0; c < n; c++) {
			json_object *cell = c < json_object_array_length(row) ? json_object_array_get_idx(row, c) : NULL;
			ent_table_cell(&t, cell ? json_object_get_string(cell) : "");
		}
	}
	ent_buf_u8(&call->out, '\n');
	ent_table_print(&t, &call->term, &call->out);
	ent_table_finish(&t);
}

static void show_one(listing *l, const finding *f, const verdict *v) {
	ent_call *call = l->call;
	char a[16], b[16], worth[ENT_NUMBER_TEXT];
	json_object *own = json_tokener_parse(f->json), *asks = get(v->record, "asks");
	if (call->json) {
		ent_json *j = &call->writer;
		static const char *const copied[] = {"evidence", "asks", "missed"};
		ent_json_object(j);
		json_finding(j, f);
		member(j, "verdict", v->said);
		ent_json_key(j, "finding");
		ent_json_raw(j, f->json, strlen(f->json));
		for (size_t i = 0; i < sizeof copied / sizeof *copied; i++) {
			json_object *o = get(v->record, copied[i]);
			const char *text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) : "[]";
			ent_json_key(j, copied[i]);
			ent_json_raw(j, text, strlen(text));
		}
		ent_json_end(j);
		json_object_put(own);
		return;
	}
	ent_term_text(&call->term, &call->out, style_of(f->kind), f->text);
	ent_buf_printf(&call->out, "\n\n");
	line(call, "partner", f->partner);
	line(call, "rule", f->rule);
	line(call, "key", f->key);
	line(call, "kind", ent_arena_printf(&l->arena, "%s%s%s", f->kind, *f->severity ? ", " : "", f->severity));
	line(call, "practice", f->practice);
	line(call, "audience", f->audience);
	line(call, "state",
		ent_arena_printf(&l->arena, "%s since %s, last said of %s", f->state, ent_day_text(f->first_day, a),
			ent_day_text(f->as_of, b)));
	if (f->has_worth) {
		const char *per = text_of(own, "per");
		line(call, "worth",
			ent_arena_printf(&l->arena, "%s %s%s%s", ent_number_text(f->worth, 6, 2, worth), l->project.config->currency.s,
				*per ? " in " : "", per));
	}
	if (strcmp(f->state, "stale") == 0 && v->said[0]) {
		line(call, "verdict", ent_arena_printf(&l->arena, "%s: it could not be judged again", v->said));
	}
	show_rows(call, get(own, "rows"));
	show_evidence(call, get(v->record, "evidence"));
	for (size_t i = 0; asks && i < json_object_array_length(asks); i++) {
		line(call, i ? "" : "\nask for", text_of(json_object_array_get_idx(asks, i), "what"));
	}
	json_object_put(own);
}

static int run_show(ent_call *call) {
	listing l = {.call = call, .wanted = ent_call_operand(call, 0)};
	ent_error e = {0};
	int exit = ent__project_store(call, &l.project);
	if (!exit && ent_store_findings_scan(l.project.store, NULL, take, &l, &e)) {
		exit = ent_call_error(call, &e);
	} else if (!exit && l.n != 1) {
		ent_error_set(
			&e, ENT_ERR_NOTFOUND, l.n ? "several findings begin with '%s'" : "there is no finding '%s'", l.wanted);
		ent_error_todo(&e, l.n ? "write more of the id" : "`entente findings --all` shows the ids");
		exit = ent_call_error(call, &e);
	} else if (!exit) {
		verdict v = {.rule = l.found[0].rule};
		if (ent_store_verdicts_scan(l.project.store, l.found[0].partner, true, take_verdict, &v, &e)) {
			exit = ent_call_error(call, &e);
		} else {
			show_one(&l, &l.found[0], &v);
		}
		json_object_put(v.record);
	}
	finish(&l);
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
	{.name = "all", .type = ENT_ARG_SWITCH, .doc = "Also those that are over: cleared and resolved ones."},
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "PARTNER", .doc = "Only those about this partner."},
	{.name = NULL},
};
static const ent_operand show_operands[] = {
	{.name = "ID", .required = true, .doc = "Its id, or the beginning of it; `entente findings` shows them."},
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
};

const ent_command ent_command_findings_show = {
	.name = "findings show",
	.doc = "Show one finding with the evidence it rests on.",
	.text = "Everything that the rule read when it judged, with days and coverage.\n\n  entente findings show 3f2a",
	.operands = show_operands,
	.run = run_show,
};
