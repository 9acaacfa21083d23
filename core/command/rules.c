/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente rules list`: the rules of the configured books, what they say they do, what they are set to, and how they ran last.
 * The books are loaded in the rules worker, as a run loads them; how they ran is the store's. */
#include "command/project.h"
#include "command/rules_ran.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static json_object *get(json_object *o, const char *key) {
	json_object *v = NULL;
	return o && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static const char *text_of(json_object *o, const char *key) {
	json_object *v = get(o, key);
	return v ? json_object_get_string(v) : "";
}

static size_t length_of(json_object *list) { return list ? json_object_array_length(list) : 0; }

static void take_errors(json_object *root, ent_errors *errors) {
	json_object *list = get(root, "errors");
	for (size_t i = 0; i < length_of(list); i++) {
		json_object *x = json_object_array_get_idx(list, i), *line = get(x, "line"), *column = get(x, "column");
		ent_error one;
		ent_error_set(&one, ENT_ERR_INVALID, "%s", text_of(x, "what"));
		ent_error_at(&one, text_of(x, "file"), line ? (uint32_t)json_object_get_int(line) : 0,
			column ? (uint32_t)json_object_get_int(column) : 0);
		ent_error_todo(&one, "%s", text_of(x, "todo"));
		ent_errors_take(errors, &one);
	}
}

int ent__project_rules(ent__project *p, json_object **root, ent_errors *errors, ent_error *e) {
	ent_buf json = {0};
	*root = NULL;
	int status = ent_engine_rules(p->engine, &json, e);
	if (!status) {
		ent_buf_u8(&json, 0);
		*root = json_tokener_parse((const char *)json.data);
	}
	ent_buf_finish(&json);
	ent_engine_rules_errors(p->engine, errors);
	return status;
}

/* What the store remembers under a key; NULL: nothing. */
static json_object *remembered(const ent__project *p, const char *key) {
	ent_store *store = p->store;
	ent_error ignored;
	char *text = NULL;
	if (!store && ent_store_open(&store, p->config->store.s, ENT_STORE_READ, &ignored)) {
		return NULL; /* nothing was run yet */
	}
	if (ent_store_meta_get(store, key, &text, &ignored)) {
		text = NULL;
	}
	json_object *found = text && *text ? json_tokener_parse(text) : NULL;
	free(text);
	if (!p->store) {
		ent_store_close(store);
	}
	return found;
}

/* A service refused the books as they are, and judges by what it had: that is what is listed, with the faults. */
static bool both_generations(const ent__project *p, json_object **root, ent_errors *errors) {
	json_object *refused = remembered(p, ENT_META_RULES_REFUSED);
	json_object *active = refused ? remembered(p, ENT_META_RULES_ACTIVE) : NULL, *loaded = get(active, "loaded");
	if (loaded) {
		*root = json_object_get(loaded);
		json_object_object_add(*root, "errors", json_object_get(get(refused, "errors")));
		json_object *since = json_object_new_object();
		json_object_object_add(since, "at", json_object_get(get(active, "at")));
		json_object_object_add(*root, "active", since);
		json_object_object_add(*root, "refused", json_object_get(refused));
		take_errors(*root, errors);
	}
	json_object_put(active);
	json_object_put(refused);
	return loaded != NULL;
}

/* What the rule's text says of a setting: the line that begins with its name, and those under it that are indented
 * further; in the arena. "" if it says nothing. */
static const char *doc_of(const char *doc, const char *name, ent_arena *arena) {
	const char *text = "";
	size_t length = strlen(name), margin = SIZE_MAX;
	for (const char *p = doc, *end; *p; p = *end ? end + 1 : end) {
		end = p + strcspn(p, "\n");
		size_t indent = strspn(p, " ");
		const char *word = p + indent;
		if (margin == SIZE_MAX && word < end && !strncmp(word, name, length) && word[length] == ' ' &&
			word[length + 1] == ' ') {
			margin = indent;
			word += length;
		} else if (margin == SIZE_MAX) {
			continue;
		} else if (indent <= margin || word >= end) {
			break;
		}
		word += strspn(word, " ");
		text = ent_arena_printf(arena, "%s%s%.*s", text, *text ? " " : "", (int)(end - word), word);
	}
	return text;
}

/* A list as it is written in YAML. */
static const char *value_text(json_object *value, ent_arena *arena) {
	if (!json_object_is_type(value, json_type_array)) {
		const char *text = value ? json_object_get_string(value) : "none";
		return *text ? text : "\"\"";
	}
	const char *text = "";
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		text = ent_arena_printf(
			arena, "%s%s%s", text, i ? ", " : "", json_object_get_string(json_object_array_get_idx(value, i)));
	}
	return ent_arena_printf(arena, "[%s]", text);
}

/* Those that the configuration set stand out, with what they would be otherwise. */
static const char *set_where(const ent_call *call, const ent__project *p, const char *rule, const char *name, ent_arena *arena) {
	const ent_yaml_node *rules = ent_yaml_get(p->config->root, "rules");
	const ent_yaml_node *set = rules ? ent_yaml_get(rules, "set") : NULL, *of = set ? ent_yaml_get(set, rule) : NULL;
	const ent_yaml_node *value = of ? ent_yaml_get(of, name) : NULL;
	return value ? ent_arena_printf(arena, " in %s:%u", call->config_path, value->at.line) : "";
}

static void settings(ent_call *call, const ent__project *p, const char *rule, json_object *list, const char *doc) {
	ent_arena arena = {0};
	for (size_t i = 0; i < length_of(list); i++) {
		json_object *x = json_object_array_get_idx(list, i);
		const char *value = value_text(get(x, "value"), &arena), *preset = value_text(get(x, "default"), &arena);
		const char *text = doc_of(doc, text_of(x, "name"), &arena);
		bool set = strcmp(value, preset) != 0;
		ent_buf_printf(&call->out, "    ");
		ent_term_text(&call->term, &call->out, ENT_PLAIN, text_of(x, "name"));
		ent_buf_printf(&call->out, ": ");
		ent_term_text(&call->term, &call->out, set ? ENT_BOLD : ENT_PLAIN, value);
		if (set) {
			ent_term_printf(&call->term, &call->out, ENT_FAINT, " (set%s; else %s)",
				set_where(call, p, rule, text_of(x, "name"), &arena), preset);
		}
		if (*text) {
			ent_buf_printf(&call->out, "\n        ");
			ent_term_wrap(&call->term, &call->out, 8, text);
		}
		ent_buf_u8(&call->out, '\n');
	}
	ent_arena_finish(&arena);
}

/* Which are asked for; NULL: all. */
typedef struct choice {
	const char *practice, *rule;
} choice;

static bool wanted(json_object *rule, const choice *c) {
	return (!c->practice || !strcmp(text_of(rule, "practice"), c->practice)) && (!c->rule || !strcmp(text_of(rule, "name"), c->rule));
}

static const char *joined(json_object *list, ent_arena *arena) {
	const char *text = "";
	for (size_t i = 0; i < length_of(list); i++) {
		text = ent_arena_printf(arena, "%s%s%s", text, i ? ", " : "", json_object_get_string(json_object_array_get_idx(list, i)));
	}
	return text;
}

static void line(ent_call *call, const char *name, const char *text) {
	if (*text) {
		ent_buf_printf(&call->out, "    %s: ", name);
		ent_term_wrap(&call->term, &call->out, 8, text);
		ent_buf_u8(&call->out, '\n');
	}
}

static void show(ent_call *call, const ent__project *p, json_object *rules, const choice *c, ent__ran *ran) {
	const char *last = NULL;
	ent_arena arena = {0};
	for (size_t i = 0; i < length_of(rules); i++) {
		json_object *x = json_object_array_get_idx(rules, i);
		if (!wanted(x, c)) {
			continue;
		}
		if (last) {
			ent_buf_u8(&call->out, '\n');
		}
		last = text_of(x, "name");
		json_object *row = get(x, "row");
		ent_term_text(&call->term, &call->out, ENT_ACCENT, last);
		ent_buf_printf(&call->out, "  ");
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "%s%s%s, for %s, %s:%s\n", text_of(x, "practice"), row ? " row " : "",
			row ? json_object_get_string(row) : "", text_of(x, "audience"), text_of(x, "file"), text_of(x, "line"));
		ent_buf_printf(&call->out, "    ");
		const char *doc = text_of(x, "doc"), *more = strstr(doc, "\n\n");
		char *first =
			more ? strndup(doc, (size_t)(more - doc)) : strdup(doc); /* the settings follow, each with its value */
		ent_term_wrap(&call->term, &call->out, 4, first);
		free(first);
		ent_buf_u8(&call->out, '\n');
		settings(call, p, last, get(x, "settings"), doc);
		if (c->rule) {
			line(call, "needs", joined(get(x, "needs"), &arena));
			line(call, "comes after", joined(get(x, "after"), &arena));
			line(call, "was called", joined(get(x, "was"), &arena));
			ent__ran_show(call, ran, ent__ran_of(ran, last));
		} else if (ran->known) {
			ent_term_printf(&call->term, &call->out, ENT_FAINT, "    %s\n", ent__ran_text(ran, ent__ran_of(ran, last)));
		}
	}
	ent_arena_finish(&arena);
}

static int unknown(ent_call *call, json_object *rules, const char *name) {
	size_t n = length_of(rules);
	const char **names = ent_xcalloc(n + 1, sizeof *names);
	for (size_t i = 0; i < n; i++) {
		names[i] = text_of(json_object_array_get_idx(rules, i), "name");
	}
	const char *near = ent_nearest(name, names, n);
	char todo[160];
	snprintf(todo, sizeof todo, near ? "did you mean '%.100s'?" : "`entente rules list` shows all%s", near ? near : "");
	free(names);
	return ent_call_unknown(call, todo, "no rule is called '%s'", name);
}

static int run(ent_call *call) {
	ent__project p;
	ent_error e = {0};
	json_object *root = NULL;
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	choice c = {ent_call_text(call, "practice", NULL), ent_call_operand(call, 0)};
	ent__ran ran = {0};
	char text[1400];
	int exit = ent__project_open(call, &p, ENT_ENGINE_PLUGINS);
	bool both = !exit && both_generations(&p, &root, errors);
	if (!exit && !both && ent__project_rules(&p, &root, errors, &e)) {
		exit = ent_call_error(call, &e);
	}
	if (!exit && ent__ran_read(&ran, &p, c.rule, c.rule || call->json, &e)) {
		exit = ent_call_error(call, &e);
	}
	if (!exit) {
		json_object *rules = get(root, "rules");
		size_t n = 0;
		for (size_t i = 0; i < length_of(rules); i++) {
			n += wanted(json_object_array_get_idx(rules, i), &(choice){.rule = c.rule});
		}
		if (c.rule && !n) {
			exit = unknown(call, rules, c.rule);
		}
		n = 0;
		for (size_t i = length_of(rules); i-- > 0 && !exit;) {
			json_object *x = json_object_array_get_idx(rules, i);
			if (wanted(x, &c)) {
				n++;
				if (call->json) {
					ent__ran_json(ent__ran_of(&ran, text_of(x, "name")), x);
				}
			} else if (call->json) {
				json_object_array_del_idx(rules, i, 1);
			}
		}
		if (exit) {
			n = 0;
		} else if (!n && c.practice) {
			exit = ent_call_usage(call, "`entente rules list` shows all with their practices",
				"no rule is of the practice '%s'", c.practice);
		} else if (call->json) {
			const char *json =
				json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
			ent_json_raw(&call->writer, json, strlen(json));
		} else {
			show(call, &p, rules, &c, &ran);
		}
		for (size_t i = 0; i < errors->n && !exit; i++) {
			ent_call_note(call, "%s", ent_error_text(&errors->e[i], text, sizeof text));
		}
		if (both && !exit) {
			ent_call_note(call, "refused at %s: the rules listed are those of %s, by which the service goes on",
				text_of(get(root, "refused"), "at"), text_of(get(root, "active"), "at"));
		}
		exit = exit ? exit : errors->total ? ENT_EXIT_SET_ASIDE : ENT_EXIT_OK;
	}
	json_object_put(root);
	free(errors);
	ent__ran_finish(&ran);
	ent__project_finish(&p);
	return exit;
}

static const ent_arg args[] = {
	{.name = "practice",
		.type = ENT_ARG_TEXT,
		.value = "NAME",
		.doc = "Only those of this practice: informative, consulting, ..."},
	{.name = NULL},
};

static const ent_operand operands[] = {
	{.name = "RULE", .doc = "This one alone, with what it reads."},
	{.name = NULL},
};

const ent_command ent_command_rules_list = {
	.name = "rules list",
	.doc = "List the rules, what they judge and what they are set to.",
	.text = "Of the books in `rules.books`. A setting that the configuration changed stands with where it is set, and what it would "
			"be otherwise. How each ran last is kept with the run: of how many partners, in what time, and what it says of all partners now. "
			"One rule by its name is shown with what it reads: metrics, cohorts, registers. A file that cannot be loaded is told, and the "
			"exit status is 4. If a service refused the files as they are, what it judges by is listed, with what was wrong.\n\n"
			"  entente rules list --practice red_flags\n"
			"  entente rules list revenue_falls",
	.args = args,
	.operands = operands,
	.run = run,
	.served = true,
	.slow = true,
};
