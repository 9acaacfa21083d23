/* SPDX-License-Identifier: Apache-2.0
 *
 * A decoder's options against the plugin's table, see options.h. The table may come from a worker: it has passed
 * ent_options_read(), which says what can be relied on here. One thread.
 */
#include "config/options.h"

#include <stdio.h>
#include <string.h>

#include "config/options_wire.h"
#include "config/scalar.h"
#include "config/schema.h"

typedef struct checker {
	ent__parser p;
} checker;

static void value_of(checker *c, const ent_option *o, const char *name, const ent_yaml_node *node, ent_value *out);

static const char *example_of(const ent_option *o) {
	if (o->preset) {
		return o->preset;
	}
	switch (o->type) {
	case ENT_OPT_BOOL:
		return "true";
	case ENT_OPT_INT:
		return "1";
	case ENT_OPT_ENUM:
		return o->choices[0];
	case ENT_OPT_DURATION:
		return "90s";
	case ENT_OPT_SECRET:
		return "env:NAME";
	case ENT_OPT_LIST:
		return "[A, B, …]";
	case ENT_OPT_MAP:
		return "{KEY: VALUE}";
	default:
		return "TEXT";
	}
}

static void wrong(
	checker *c, const ent_option *o, const char *name, ent_place at, const char *takes, const char *text) {
	char todo[200];
	snprintf(todo, sizeof todo, "write for example %s: %s", name, example_of(o));
	ent_errors_add(c->p.errors, at, todo, "'%s' takes %s, not '%s'", name, takes, text);
}

static void choice(checker *c, const ent_option *o, const char *name, ent_place at, const char *text, ent_value *out) {
	size_t n = 0;
	for (; o->choices[n]; n++) {
		if (strcmp(text, o->choices[n]) == 0) {
			out->i = (int64_t)n;
			out->set = 1;
			return;
		}
	}
	char todo[256];
	const char *near = ent_nearest(text, o->choices, n);
	size_t length = near ? (size_t)snprintf(todo, sizeof todo, "did you mean '%s'?", near)
						 : (size_t)snprintf(todo, sizeof todo, "one of: ");
	for (size_t i = 0; !near && i < n && length < sizeof todo; i++) {
		length += (size_t)snprintf(todo + length, sizeof todo - length, "%s%s", i ? ", " : "", o->choices[i]);
	}
	ent_errors_add(c->p.errors, at, todo, "'%s' does not take '%s'", name, text);
}

static void text_of(checker *c, const ent_option *o, const char *name, ent_place at, const char *text, ent_value *out) {
	bool flag;
	int64_t number;
	out->s = (ent_str){ent_arena_copy(c->p.arena, text, strlen(text)), strlen(text)};
	switch (o->type) {
	case ENT_OPT_BOOL:
		if (!ent_bool_parse(text, &flag)) {
			wrong(c, o, name, at, "true or false", text);
			return;
		}
		out->i = flag;
		break;
	case ENT_OPT_INT:
		if (!ent_int_parse(text, &number)) {
			wrong(c, o, name, at, "a whole number", text);
			return;
		}
		out->i = number;
		break;
	case ENT_OPT_DURATION:
		if (!ent_duration_parse(text, &number)) {
			wrong(c, o, name, at, "a duration (ms, s, m, h, d, w)", text);
			return;
		}
		out->i = number;
		break;
	case ENT_OPT_ENUM:
		choice(c, o, name, at, text, out);
		return;
	case ENT_OPT_SECRET: {
		ent_error e;
		if (ent_config_secret(text, c->p.folder, c->p.arena, &out->s, &e)) {
			ent_error_at(&e, at.file, at.line, at.column);
			ent_errors_take(c->p.errors, &e);
			return;
		}
		break;
	}
	default:
		break;
	}
	out->set = 1;
}

static void list_of(checker *c, const ent_option *o, const char *name, const ent_yaml_node *node, ent_value *out) {
	/* One value stands for a list of one, as long as it cannot be meant otherwise. */
	bool one = node->kind != ENT_YAML_LIST;
	if (one && (node->kind == ENT_YAML_MAP) != (o->item[0].type == ENT_OPT_MAP)) {
		char todo[200];
		snprintf(todo, sizeof todo, "write %s: [A, B, …]", name);
		ent_errors_add(c->p.errors, node->at, todo, "'%s' takes a list", name);
		return;
	}
	size_t n = one ? 1 : node->n;
	ent_value *items = n ? ent_arena_alloc(c->p.arena, n * sizeof *items) : NULL;
	for (size_t i = 0; i < n; i++) {
		value_of(c, &o->item[0], name, one ? node : node->items[i], &items[i]);
	}
	out->items = items;
	out->n = n;
	out->set = 1;
}

/* Missing options: presets, required ones, and within maps the same. */
static void absent(checker *c, const ent_option *o, ent_place at, ent_value *out) {
	*out = (ent_value){.type = (uint8_t)o->type};
	if (o->required && !o->preset) {
		char todo[256];
		snprintf(todo, sizeof todo, "add %s: %s", o->key, example_of(o));
		ent_errors_add(c->p.errors, at, todo, "option '%s' is missing%s%.120s%s", o->key, o->doc ? " (" : "",
			o->doc ? o->doc : "", o->doc ? ")" : "");
	} else if (o->preset) {
		text_of(c, o, o->key, at, o->preset, out);
	}
}

static ent_value *rows_of(
	checker *c, const ent_option *table, const char *where, const ent_yaml_node *node, ent_place at) {
	size_t n = ent_options_count(table);
	ent_value *values = n ? ent_arena_alloc(c->p.arena, n * sizeof *values) : NULL;
	const char **known = ent_arena_alloc(c->p.arena, (n + 1) * sizeof *known);
	for (size_t i = 0; i < n; i++) {
		const ent_yaml_node *item = ent_yaml_get(node, table[i].key);
		known[i] = table[i].key;
		if (item && !ent_yaml_is_null(item)) {
			value_of(c, &table[i], table[i].key, item, &values[i]);
		} else {
			absent(c, &table[i], item ? item->at : at, &values[i]);
		}
	}
	for (size_t i = 0; node && node->kind == ENT_YAML_MAP && i < node->n; i++) {
		size_t k = 0;
		while (k < n && strcmp(table[k].key, node->keys[i]->text) != 0) {
			k++;
		}
		if (k == n && n) {
			ent__unknown_key(&c->p, node->keys[i], where, known, n);
		} else if (k == n) {
			ent_errors_add(c->p.errors, node->keys[i]->at, "take it out", "unknown key '%s': there are no options here",
				node->keys[i]->text);
		}
	}
	return values;
}

static void map_of(checker *c, const ent_option *o, const char *name, const ent_yaml_node *node, ent_value *out) {
	if (!ent__map(&c->p, node, name, NULL)) {
		return;
	}
	out->set = 1;
	if (strcmp(o->item[0].key, "*") != 0) {
		out->items = rows_of(c, o->item, name, node, node->at);
		out->n = ent_options_count(o->item);
		return;
	}
	if (!node->n) {
		return;
	}
	ent_value *items = ent_arena_alloc(c->p.arena, node->n * sizeof *items);
	ent_str *keys = ent_arena_alloc(c->p.arena, node->n * sizeof *keys);
	for (size_t i = 0; i < node->n; i++) {
		keys[i] = (ent_str){node->keys[i]->text, strlen(node->keys[i]->text)};
		value_of(c, &o->item[0], node->keys[i]->text, node->items[i], &items[i]);
	}
	out->items = items;
	out->keys = keys;
	out->n = node->n;
}

static void value_of(checker *c, const ent_option *o, const char *name, const ent_yaml_node *node, ent_value *out) {
	*out = (ent_value){.type = (uint8_t)o->type};
	if (o->type == ENT_OPT_LIST) {
		list_of(c, o, name, node, out);
	} else if (o->type == ENT_OPT_MAP) {
		map_of(c, o, name, node, out);
	} else if (node->kind != ENT_YAML_SCALAR) {
		char todo[200];
		snprintf(todo, sizeof todo, "write %s: %s", name, example_of(o));
		ent_errors_add(c->p.errors, node->at, todo, "'%s' takes a single value, not %s", name,
			node->kind == ENT_YAML_LIST ? "a list" : "a map");
	} else {
		text_of(c, o, name, node->at, node->text, out);
	}
}

int ent_config_options_check(const ent_option *table, const ent_yaml_node *node, ent_place where, const char *folder,
	ent_arena *arena, ent_value **out, ent_errors *errors) {
	checker c = {.p = {.arena = arena, .errors = errors, .folder = folder}};
	size_t before = errors->total;
	*out = NULL;
	if (node && !ent__map(&c.p, node, "options", "{OPTION: VALUE}")) {
		return ENT_ERR_INVALID;
	}
	ent_value *values = rows_of(&c, table, NULL, node, node && node->n ? node->at : where);
	if (errors->total > before) {
		return ENT_ERR_INVALID;
	}
	*out = values;
	return 0;
}
