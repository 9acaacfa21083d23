/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading YAML by a table of fields, see schema.h. One thread.
 */
#include "config/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/day.h"
#include "config/scalar.h"

static const char *const kinds[] = {"a single value", "a list", "a map"};

const char *ent__absolute(ent_arena *arena, const char *folder, const char *path) {
	char *joined =
		*path == '/' ? ent_arena_copy(arena, path, strlen(path)) : ent_arena_printf(arena, "%s/%s", folder, path);
	char *to = joined;
	for (const char *from = joined; *from;) {
		if (from[0] == '/' && from[1] == '/') {
			from++;
		} else if (from[0] == '/' && from[1] == '.' && (from[2] == '/' || !from[2])) {
			from += 2;
		} else {
			*to++ = *from++;
		}
	}
	if (to > joined + 1 && to[-1] == '/') {
		to--;
	}
	*to = 0;
	return *joined ? joined : "/";
}

void ent__unknown_key(ent__parser *p, const ent_yaml_node *key, const char *where, const char *const *known, size_t n) {
	char todo[sizeof((ent_error *)0)->todo];
	const char *near = ent_nearest(key->text, known, n);
	if (near) {
		snprintf(todo, sizeof todo, "did you mean '%s'?", near);
	} else {
		size_t length = (size_t)snprintf(todo, sizeof todo, "known here: ");
		for (size_t i = 0; i < n && length + strlen(known[i]) + 3 < sizeof todo; i++) {
			length += (size_t)snprintf(todo + length, sizeof todo - length, "%s%s", i ? ", " : "", known[i]);
		}
	}
	ent_errors_add(
		p->errors, key->at, todo, "unknown key '%s'%s%s", key->text, where ? " in " : "", where ? where : "");
}

bool ent__map(ent__parser *p, const ent_yaml_node *node, const char *what, const char *form) {
	if (node->kind == ENT_YAML_MAP || ent_yaml_is_null(node)) {
		return true;
	}
	char todo[200];
	snprintf(todo, sizeof todo, "write %s", form ? form : "KEY: VALUE lines below it, indented");
	ent_errors_add(p->errors, node->at, todo, "'%s' takes a map, not %s", what, kinds[node->kind]);
	return false;
}

bool ent__word(ent__parser *p, const ent_yaml_node *node, const char *what, const char *form, ent_word *out) {
	char todo[200];
	snprintf(todo, sizeof todo, "write %s: %s", what, form);
	if (node->kind != ENT_YAML_SCALAR) {
		ent_errors_add(p->errors, node->at, todo, "'%s' takes a single value, not %s", what, kinds[node->kind]);
		return false;
	}
	if (ent_yaml_is_null(node) || !*node->text) {
		ent_errors_add(p->errors, node->at, todo, "'%s' has no value", what);
		return false;
	}
	*out = (ent_word){.s = node->text, .at = node->at};
	return true;
}

bool ent__words(ent__parser *p, const ent_yaml_node *node, const char *what, ent_words *out) {
	if (ent_yaml_is_null(node)) {
		return true;
	}
	size_t n = node->kind == ENT_YAML_LIST ? node->n : 1;
	ent_word *v = ent_arena_alloc(p->arena, (n ? n : 1) * sizeof *v);
	bool good = true;
	for (size_t i = 0; i < n; i++) {
		good &= ent__word(p, node->kind == ENT_YAML_LIST ? node->items[i] : node, what, "[A, B, …]", &v[i]);
	}
	if (good) {
		*out = (ent_words){.v = v, .n = n};
	}
	return good;
}

static size_t choice_count(const char *const *choices) {
	size_t n = 0;
	while (choices[n]) {
		n++;
	}
	return n;
}

static int choice(ent__parser *p, const ent__field *f, ent_word word) {
	size_t n = choice_count(f->choices);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(word.s, f->choices[i]) == 0) {
			return (int)i;
		}
	}
	char todo[256];
	const char *near = ent_nearest(word.s, f->choices, n);
	size_t length = near ? (size_t)snprintf(todo, sizeof todo, "did you mean '%s'?", near)
						 : (size_t)snprintf(todo, sizeof todo, "one of: ");
	for (size_t i = 0; !near && i < n && length < sizeof todo; i++) {
		length += (size_t)snprintf(todo + length, sizeof todo - length, "%s%s", i ? ", " : "", f->choices[i]);
	}
	ent_errors_add(p->errors, word.at, todo, "'%s' does not take '%s'", f->key, word.s);
	return -1;
}

static void wrong(ent__parser *p, const ent__field *f, ent_word word, const char *takes, const char *example) {
	char todo[200];
	snprintf(todo, sizeof todo, "write for example %s: %s", f->key, example);
	ent_errors_add(p->errors, word.at, todo, "'%s' takes %s, not '%s'", f->key, takes, word.s);
}

static void number(ent__parser *p, const ent__field *f, ent_word word, void *into) {
	int64_t v;
	bool good = f->type == ENT__INT        ? ent_int_parse(word.s, &v)
				: f->type == ENT__DURATION ? ent_duration_parse(word.s, &v)
										   : ent_size_parse(word.s, &v);
	if (!good) {
		static const char *const takes[][2] = {
			{"a whole number", "4"}, {"a duration (ms, s, m, h, d, w)", "90s"}, {"a size (kB, MB, GB)", "512MB"}};
		size_t i = f->type == ENT__INT ? 0 : f->type == ENT__DURATION ? 1 : 2;
		wrong(p, f, word, takes[i][0], f->preset ? f->preset : takes[i][1]);
		return;
	}
	if ((f->least || f->most) && (v < f->least || v > f->most)) {
		char least[40], most[40], todo[128];
		if (f->type == ENT__DURATION) {
			ent_duration_text(f->least, least);
			ent_duration_text(f->most, most);
		} else {
			snprintf(least, sizeof least, "%" PRId64, f->least);
			snprintf(most, sizeof most, "%" PRId64, f->most);
		}
		snprintf(todo, sizeof todo, f->least == f->most ? "write %s" : "write %s to %s", least, most);
		ent_errors_add(p->errors, word.at, todo, "'%s' is out of its range: %s", f->key, word.s);
		return;
	}
	*(int64_t *)into = v;
}

static void scalar(ent__parser *p, const ent__field *f, ent_word word, void *into) {
	switch (f->type) {
	case ENT__NAME:
		if (!ent_name_form(word.s)) {
			wrong(p, f, word, "a name (letters, digits, '_', '-', '.')", "nordwind");
			return;
		}
		*(ent_word *)into = word;
		break;
	case ENT__CURRENCY:
		if (!ent_currency_form(word.s)) {
			wrong(p, f, word, "three capital letters (ISO 4217)", "EUR");
			return;
		}
		*(ent_word *)into = word;
		break;
	case ENT__PATH:
		word.s = ent__absolute(p->arena, p->folder, word.s);
		*(ent_word *)into = word;
		break;
	case ENT__ENUM: {
		int i = choice(p, f, word);
		if (i >= 0) {
			*(int *)into = i;
		}
		break;
	}
	case ENT__DATE:
		if (!ent_day_parse(word.s, strlen(word.s), (int32_t *)into)) {
			wrong(p, f, word, "a date", "2025-01-31");
		}
		break;
	case ENT__INT:
	case ENT__DURATION:
	case ENT__SIZE:
		number(p, f, word, into);
		break;
	default:
		*(ent_word *)into = word;
	}
}

static const char *example_of(const ent__field *f) {
	switch (f->type) {
	case ENT__CURRENCY:
		return "EUR";
	case ENT__DATE:
		return "2025-01-31";
	case ENT__PATH:
		return "PATH";
	case ENT__ENUM:
		return f->choices[0];
	default:
		return f->preset ? f->preset : "VALUE";
	}
}

static void flags(ent__parser *p, const ent__field *f, const ent_yaml_node *node, uint32_t *into) {
	ent_words words = {0};
	if (!ent__words(p, node, f->key, &words)) {
		return;
	}
	*into = 0;
	for (size_t i = 0; i < words.n; i++) {
		int bit = choice(p, f, words.v[i]);
		if (bit >= 0) {
			*into |= UINT32_C(1) << bit;
		}
	}
}

static void items(ent__parser *p, const ent__field *f, const ent_yaml_node *node, char *base) {
	if (!ent__map(p, node, f->key, NULL)) {
		return;
	}
	char *array = ent_arena_alloc(p->arena, (node->n ? node->n : 1) * f->size);
	for (size_t i = 0; i < node->n; i++) {
		char *item = array + i * f->size;
		const ent_yaml_node *key = node->keys[i];
		*(ent_word *)(void *)item = (ent_word){.s = key->text, .at = key->at};
		if (!ent_name_form(key->text)) {
			ent_errors_add(p->errors, key->at,
				"use letters, digits, '_', '-' and '.', at most 64, first a letter or a digit",
				"'%s' cannot be a name in '%s'", key->text, f->key);
		}
		bool later = false;
		for (const char *const *word = f->choices; word && *word && !later; word++) {
			later = strcmp(*word, key->text) == 0;
		}
		if (later) {
			ent_errors_add(p->errors, key->at, "take it out", "'%s' is not available in this version", key->text);
		} else if (ent__map(p, node->items[i], key->text, NULL)) {
			ent__fill(p, f->item, node->items[i], item);
		}
	}
	*(void **)(void *)(base + f->offset) = array;
	*(size_t *)(void *)(base + f->count) = node->n;
}

static void field(ent__parser *p, const ent__field *f, const ent_yaml_node *node, char *base) {
	void *into = base + f->offset;
	ent_word word;
	switch (f->type) {
	case ENT__PLACE:
	case ENT__LATER:
		break;
	case ENT__STRUCT:
		if (ent__map(p, node, f->key, NULL)) {
			ent__fill(p, f->item, node, into);
		}
		break;
	case ENT__ITEMS:
		items(p, f, node, base);
		break;
	case ENT__CUSTOM:
		f->custom(p, f, node, into);
		break;
	case ENT__TEXTS:
		ent__words(p, node, f->key, into);
		break;
	case ENT__FLAGS:
		flags(p, f, node, into);
		break;
	default:
		if (ent__word(p, node, f->key, example_of(f), &word)) {
			scalar(p, f, word, into);
		}
	}
}

/* A default goes the same way as what is written, so that it cannot mean anything else. */
static void preset(ent__parser *p, const ent__field *f, char *base) {
	if (f->type == ENT__STRUCT) {
		ent_yaml_node nothing = {.kind = ENT_YAML_MAP};
		ent__fill(p, f->item, &nothing, base + f->offset);
	} else if (f->preset) {
		ent_yaml_node node = {.kind = ENT_YAML_SCALAR, .text = f->preset};
		field(p, f, &node, base);
	} else if (f->type == ENT__DATE) {
		*(int32_t *)(void *)(base + f->offset) = INT32_MIN;
	} else if (f->type == ENT__ENUM) {
		*(int *)(void *)(base + f->offset) = -1;
	}
}

void ent__fill(ent__parser *p, const ent__field *table, const ent_yaml_node *node, void *into) {
	const char *known[64];
	size_t n = 0;
	for (const ent__field *f = table; f->key; f++) {
		if (f->type == ENT__PLACE) {
			*(ent_place *)(void *)((char *)into + f->offset) = node->at;
			continue;
		}
		if (f->type != ENT__LATER && n < sizeof known / sizeof *known) {
			known[n++] = f->key;
		}
		const ent_yaml_node *item = ent_yaml_get(node, f->key);
		if (item && !(ent_yaml_is_null(item) && !f->required)) {
			field(p, f, item, into);
			continue;
		}
		if (f->required && node->at.line) {
			char todo[300];
			snprintf(todo, sizeof todo, "add %s: %s", f->key, f->form ? f->form : example_of(f));
			ent_errors_add(p->errors, node->at, todo, "'%s' is missing", f->key);
		}
		preset(p, f, into);
	}
	for (size_t i = 0; i < node->n; i++) {
		const ent_yaml_node *key = node->keys[i];
		const ent__field *f = table;
		while (f->key && (f->type == ENT__PLACE || strcmp(f->key, key->text) != 0)) {
			f++;
		}
		if (!f->key) {
			ent__unknown_key(p, key, NULL, known, n);
		} else if (f->type == ENT__LATER) {
			ent_errors_add(p->errors, key->at, f->doc, "'%s' is not available in this version", key->text);
		}
	}
}
