/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente findings show`: one finding, on what evidence it rests, and what people made of it. */
#include "command/findings.h"

#include "base/day.h"
#include "engine/life.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text && *text ? text : NULL);
}

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

/* ---- its life ---------------------------------------------------------------------------------------------------- */

typedef struct life {
	ent_arena *arena;
	ent_finding_event *events;
	size_t n, capacity;
} life;

static int take_event(void *ctx, const ent_finding_event *event) {
	life *l = ctx;
	ENT_GROW(l->events, l->n, l->capacity);
	ent_finding_event *mine = &l->events[l->n++];
	*mine = *event;
	const char **texts[] = {&mine->state, &mine->actor, &mine->reason, &mine->until, &mine->worth, &mine->at};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		*texts[i] = ent_arena_copy(l->arena, *texts[i], strlen(*texts[i]));
	}
	return 0;
}

static void json_life(ent_json *j, const life *l) {
	ent_json_key(j, "changes");
	ent_json_array(j);
	for (size_t i = 0; i < l->n; i++) {
		const ent_finding_event *x = &l->events[i];
		ent_json_object(j);
		member(j, "state", x->state);
		member(j, "actor", x->actor);
		member(j, "reason", x->reason);
		member(j, "until", x->until);
		ent_json_key(j, "until_worth");
		if (*x->worth) {
			ent_json_raw(j, x->worth, strlen(x->worth));
		} else {
			ent_json_null(j);
		}
		member(j, "at", x->at);
		ent_json_end(j);
	}
	ent_json_end(j);
}

static void show_life(ent_call *call, ent_arena *arena, const life *l) {
	for (size_t i = 0; i < l->n; i++) {
		const ent_finding_event *x = &l->events[i];
		line(call, i ? "" : "\nlife",
			ent_arena_printf(arena, "%s %s%s%s%s%s%s%s: %s", x->at, x->state, *x->until ? " until " : "", x->until,
				*x->worth ? " while not worth more than " : "", x->worth, *x->actor ? " by " : "", x->actor, x->reason));
	}
}

/* ---- what it points at -------------------------------------------------------------------------------------------- */

static void show_refers(ent_call *call, json_object *own) {
	json_object *see = get(own, "see"), *assumes = get(own, "assumes");
	for (size_t i = 0; assumes && i < json_object_array_length(assumes); i++) {
		line(call, i ? "" : "assumes", json_object_get_string(json_object_array_get_idx(assumes, i)));
	}
	for (size_t i = 0; i < 2; i++) {
		const char *name = i ? "reopens" : "about", *place = text_of(own, name);
		if (*place) {
			line(call, name, place); /* register/id */
		}
	}
	for (size_t i = 0; see && i < json_object_array_length(see); i++) {
		line(call, i ? "" : "see", text_of(json_object_array_get_idx(see, i), "text"));
	}
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void show_one(ent__findings *l, const ent__finding *f, const verdict *v, const life *made) {
	ent_call *call = l->call;
	char a[16], b[16], worth[ENT_NUMBER_TEXT];
	json_object *own = json_tokener_parse(f->json), *asks = get(v->record, "asks"), *held = get(v->record, "held");
	if (call->json) {
		ent_json *j = &call->writer;
		static const char *const copied[] = {"evidence", "asks", "missed", "held"};
		ent_json_object(j);
		ent__finding_json(j, f);
		member(j, "verdict", v->said);
		ent_json_key(j, "finding");
		ent_json_raw(j, f->json, strlen(f->json));
		for (size_t i = 0; i < sizeof copied / sizeof *copied; i++) {
			json_object *o = get(v->record, copied[i]);
			const char *text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) : "[]";
			ent_json_key(j, copied[i]);
			ent_json_raw(j, text, strlen(text));
		}
		json_life(j, made);
		ent_json_end(j);
		json_object_put(own);
		return;
	}
	ent_term_text(&call->term, &call->out, ent__finding_style(f->kind), f->text);
	ent_buf_printf(&call->out, "\n\n");
	line(call, "partner", f->partner);
	line(call, "rule", f->rule);
	line(call, "key", f->key);
	line(call, "kind", ent_arena_printf(&l->arena, "%s%s%s", f->kind, *f->severity ? ", " : "", f->severity));
	line(call, "practice", f->practice);
	line(call, "audience", f->audience);
	for (size_t i = 0; held && i < json_object_array_length(held); i++) {
		line(call, i ? "" : "held back", ent_arena_printf(&l->arena, "it read %s", json_object_get_string(json_object_array_get_idx(held, i))));
	}
	line(call, "state",
		ent_arena_printf(&l->arena, "%s since %s, last said of %s", f->state, ent_day_text(f->first_day, a),
			ent_day_text(f->as_of, b)));
	if (f->has_worth) {
		const char *per = text_of(own, "per");
		json_object *range = get(own, "worth_range");
		char low[ENT_NUMBER_TEXT], high[ENT_NUMBER_TEXT];
		bool both = range && json_object_is_type(range, json_type_array) && json_object_array_length(range) == 2;
		line(call, "worth",
			ent_arena_printf(&l->arena, "%s %s%s%s%s%s%s%s%s", ent_number_text(f->worth, 6, 2, worth),
				l->project.config->currency.s, *per ? " in " : "", per, both ? " (" : "",
				both ? ent_number_text(json_object_get_int64(json_object_array_get_idx(range, 0)), 6, 2, low) : "",
				both ? " to " : "",
				both ? ent_number_text(json_object_get_int64(json_object_array_get_idx(range, 1)), 6, 2, high) : "",
				both ? ", eight in ten times)" : ""));
	}
	if (strcmp(f->state, "stale") == 0 && v->said[0]) {
		line(call, "verdict", ent_arena_printf(&l->arena, "%s: it could not be judged again", v->said));
	}
	show_refers(call, own);
	show_rows(call, get(own, "rows"));
	show_evidence(call, get(v->record, "evidence"));
	for (size_t i = 0; asks && i < json_object_array_length(asks); i++) {
		line(call, i ? "" : "\nask for", text_of(json_object_array_get_idx(asks, i), "what"));
	}
	show_life(call, &l->arena, made);
	json_object_put(own);
}

static int run(ent_call *call) {
	ent__findings l = {.call = call, .wanted = ent_call_operand(call, 0)};
	ent_error e = {0};
	int exit = ent__project_store(call, &l.project);
	exit = exit ? exit : ent__findings_one(&l);
	if (!exit) {
		const ent__finding *f = &l.found[0];
		verdict v = {.rule = f->rule};
		life made = {.arena = &l.arena};
		if (ent_store_verdicts_scan(l.project.store, f->partner, true, take_verdict, &v, &e) ||
			ent_finding_life(l.project.store, ent__project_code(&l.project, ENT_LIFE_REGISTER),
				ent__project_code(&l.project, f->partner), f->named, f->key, take_event, &made, &e)) {
			exit = ent_call_error(call, &e);
		} else {
			show_one(&l, f, &v, &made);
		}
		json_object_put(v.record);
		free(made.events);
	}
	ent__findings_finish(&l);
	return exit;
}

static const ent_operand operands[] = {
	{.name = "ID", .required = true, .doc = "Its id, or the beginning of it; `entente findings` shows them."},
	{.name = NULL},
};

const ent_command ent_command_findings_show = {
	.name = "findings show",
	.doc = "Show one finding with the evidence it rests on.",
	.text = "Everything that the rule read when it judged, with days and coverage, and what people made of it.\n\n  entente findings show 3f2a",
	.operands = operands,
	.run = run,
	.served = true,
};
