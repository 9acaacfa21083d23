/* SPDX-License-Identifier: Apache-2.0
 *
 * The values of --set: `name=value`, `rule.name=value`; several values make a sweep: `a,b,c`, or `from..to/step`, in
 * which both ends may have a unit (`4w..12w/4w`). Several sweeps are combined. What type a value has is the setting's:
 * whether it fits is said by the rule itself, as for those of entente.yaml. One thread. */
#include "command/rules_replay.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_GIVEN = 16, DIGITS = 15 };

/* One --set. */
typedef struct given {
	const char *name;    /* as typed, without the values */
	const char *setting; /* within the rule */
	bool *of;            /* by rule: it is set */
	const char **values;
	size_t n, capacity;
} given;

static json_object *member(json_object *o, const char *key) {
	json_object *v = NULL;
	return o && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static json_object *setting_of(json_object *rule, const char *name) {
	json_object *list = member(rule, "settings");
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *s = json_object_array_get_idx(list, i);
		if (!strcmp(json_object_get_string(member(s, "name")), name)) {
			return s;
		}
	}
	return NULL;
}

static const char *name_of(json_object *rule) { return json_object_get_string(member(rule, "name")); }

static int unknown(ent_call *call, json_object *const *rules, size_t n, const char *name, const char *rule) {
	const char *names[256];
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		json_object *list = member(rules[i], "settings");
		for (size_t s = 0; list && s < json_object_array_length(list) && k < 256; s++) {
			if (!rule || !strcmp(name_of(rules[i]), rule)) {
				names[k++] = json_object_get_string(member(json_object_array_get_idx(list, s), "name"));
			}
		}
	}
	const char *near = ent_nearest(name, names, k);
	ent_buf todo = {0};
	if (near) {
		ent_buf_printf(&todo, "did you mean '%s'?", near);
	} else if (!k) {
		ent_buf_printf(&todo, "it has no settings");
	} else {
		ent_buf_printf(&todo, "there are:");
		for (size_t i = 0; i < k && i < 20; i++) {
			ent_buf_printf(&todo, "%s %s", i ? "," : "", names[i]);
		}
	}
	ent_buf_u8(&todo, 0);
	int exit = ent_call_unknown(call, (const char *)todo.data, "%s has no setting '%s'",
		rule     ? rule
		: n == 1 ? name_of(rules[0])
				 : "none of the rules",
		name);
	ent_buf_finish(&todo);
	return exit;
}

/* ---- values
 * ------------------------------------------------------------------------------------------------------------ */

static void add_value(given *g, const char *text) {
	ENT_GROW(g->values, g->n, g->capacity);
	g->values[g->n++] = text;
}

/* A decimal number and what stands behind it. false: it does not begin with one. */
static bool decimal(const char *text, size_t n, int64_t *value, unsigned *scale, const char **unit, size_t *unit_n) {
	size_t i = n && (*text == '-' || *text == '+'), digits = 0;
	bool point = false;
	*value = *scale = 0;
	for (; i < n && (isdigit((unsigned char)text[i]) || (text[i] == '.' && !point)); i++) {
		if (text[i] == '.') {
			point = true;
		} else {
			*value = *value * 10 + (text[i] - '0');
			*scale += point;
			digits++;
		}
	}
	*value = n && *text == '-' ? -*value : *value;
	*unit = text + i;
	*unit_n = n - i;
	return digits && digits <= DIGITS;
}

static const char *decimal_text(int64_t value, unsigned scale, const char *unit, size_t unit_n, ent_arena *arena) {
	char digits[32];
	int n = snprintf(digits, sizeof digits, "%0*" PRId64, (int)scale + 1, value < 0 ? -value : value);
	const char *sign = value < 0 ? "-" : "";
	return scale ? ent_arena_printf(
					   arena, "%s%.*s.%s%.*s", sign, n - (int)scale, digits, digits + n - (int)scale, (int)unit_n, unit)
				 : ent_arena_printf(arena, "%s%s%.*s", sign, digits, (int)unit_n, unit);
}

static int64_t scaled(int64_t value, unsigned from, unsigned to) {
	for (; from < to; from++) {
		value *= 10;
	}
	return value;
}

/* from..to/step */
static int add_range(ent_call *call, given *g, const char *text, ent_arena *arena) {
	const char *dots = strstr(text, ".."), *slash = strchr(dots, '/'), *end = slash ? slash : text + strlen(text);
	const char *units[3];
	size_t units_n[3];
	int64_t v[3];
	unsigned scales[3], scale = 0;
	const char *parts[] = {text, dots + 2, slash ? slash + 1 : ""};
	size_t lengths[] = {(size_t)(dots - text), (size_t)(end - dots) - 2, slash ? strlen(slash + 1) : 0};
	for (int i = 0; i < 3; i++) {
		if (!decimal(parts[i], lengths[i], &v[i], &scales[i], &units[i], &units_n[i])) {
			return ent_call_usage(
				call, "write from..to/step, such as 0.1..0.3/0.05 or 4w..12w/4w", "'%s' is no range", text);
		}
		scale = scales[i] > scale ? scales[i] : scale;
	}
	bool same = units_n[0] == units_n[1] && !memcmp(units[0], units[1], units_n[0]);
	same = same && (!units_n[2] || (units_n[2] == units_n[0] && !memcmp(units[2], units[0], units_n[0])));
	for (int i = 0; i < 3; i++) {
		v[i] = scaled(v[i], scales[i], scale);
	}
	if (!same || v[2] <= 0 || v[0] > v[1] || (v[1] - v[0]) / v[2] >= ENT__REPLAY_SETS) {
		return ent_call_usage(call, "from is not after to, the step is above 0, and units are the same",
			"'%s' is no range of at most %d values", text, ENT__REPLAY_SETS);
	}
	for (int64_t x = v[0]; x <= v[1]; x += v[2]) {
		add_value(g, decimal_text(x, scale, units[0], units_n[0], arena));
	}
	return ENT_EXIT_OK;
}

static int add_values(ent_call *call, given *g, const char *text, ent_arena *arena) {
	const char *dots = *text == '[' ? NULL : strstr(text, "..");
	int64_t ignored;
	unsigned scale;
	const char *unit;
	size_t unit_n;
	if (dots && decimal(text, (size_t)(dots - text), &ignored, &scale, &unit, &unit_n)) {
		return add_range(call, g, text, arena);
	}
	for (const char *p = text;;) {
		size_t n = *text == '[' ? strlen(p) : strcspn(p, ",");
		if (!n) {
			return ent_call_usage(
				call, "write a value, or several with commas between them", "--set %s has an empty value", g->name);
		}
		add_value(g, ent_arena_copy(arena, p, n));
		if (!p[n]) {
			return ENT_EXIT_OK;
		}
		p += n + 1;
	}
}

/* ---- JSON
 * -------------------------------------------------------------------------------------------------------------- */

/* As a number if it is one. */
static bool put_number(ent_json *j, const char *p, size_t n) {
	json_tokener *t = json_tokener_new();
	char *text = strndup(p, n);
	json_object *o = text ? json_tokener_parse_ex(t, text, (int)n + 1) : NULL;
	bool number = (json_object_is_type(o, json_type_int) || json_object_is_type(o, json_type_double)) &&
				  (isdigit((unsigned char)p[n - 1]) || p[n - 1] == '.');
	if (number) {
		ent_json_raw(j, p, n);
	}
	json_object_put(o);
	json_tokener_free(t);
	free(text);
	return number;
}

static void put_list(ent_json *j, const char *text) {
	size_t length = strlen(text);
	ent_json_array(j);
	for (const char *p = text + 1, *end = text + length - (text[length - 1] == ']'); p < end;) {
		p += strspn(p, " ");
		size_t n = strcspn(p, ",");
		n = p + n > end ? (size_t)(end - p) : n;
		const char *next = p + n + 1;
		while (n && p[n - 1] == ' ') {
			n--;
		}
		if (n && !put_number(j, p, n)) {
			ent_json_text_n(j, p, n);
		}
		p = next;
	}
	ent_json_end(j);
}

static void put_value(ent_json *j, const char *type, const char *text) {
	bool truth = !strcmp(text, "true") || !strcmp(text, "false");
	if (!strcmp(type, "tuple") && *text == '[') {
		put_list(j, text);
	} else if (!strcmp(type, "bool") && truth) {
		ent_json_bool(j, *text == 't');
	} else if (!strcmp(type, "str") || !put_number(j, text, strlen(text))) {
		ent_json_text(j, text);
	}
}

static void write_set(
	ent_json *j, const given *g, size_t n_given, const size_t *at, json_object *const *rules, size_t n_rules) {
	ent_json_object(j);
	for (size_t r = 0; r < n_rules; r++) {
		bool any = false;
		for (size_t i = 0; i < n_given; i++) {
			if (!g[i].of[r]) {
				continue;
			}
			if (!any) {
				ent_json_key(j, name_of(rules[r]));
				ent_json_object(j);
			}
			any = true;
			ent_json_key(j, g[i].setting);
			put_value(
				j, json_object_get_string(member(setting_of(rules[r], g[i].setting), "type")), g[i].values[at[i]]);
		}
		if (any) {
			ent_json_end(j);
		}
	}
	ent_json_end(j);
}

static void combine(
	const given *g, size_t n, json_object *const *rules, size_t n_rules, ent__replay_sets *out, ent_arena *arena) {
	size_t at[MOST_GIVEN] = {0};
	ent_json j;
	ent_json_init(&j, &out->json, false);
	ent_json_array(&j);
	for (size_t set = 0; set < out->n; set++) {
		const char *name = "";
		for (size_t i = 0; i < n; i++) {
			name = ent_arena_printf(arena, "%s%s%s=%s", name, i ? ", " : "", g[i].name, g[i].values[at[i]]);
		}
		out->names[set] = name;
		write_set(&j, g, n, at, rules, n_rules);
		for (size_t i = n; i-- > 0 && ++at[i] == g[i].n;) { /* the last goes round first */
			at[i] = 0;
		}
	}
	ent_json_end(&j);
	ent_buf_u8(&out->json, 0);
}

int ent__replay_sets_read(
	ent_call *call, json_object *const *rules, size_t n, ent__replay_sets *out, ent_arena *arena) {
	given all[MOST_GIVEN] = {0};
	size_t k = 0;
	int exit = ENT_EXIT_OK;
	const char *text;
	*out = (ent__replay_sets){.n = 1};
	for (size_t i = 0; !exit && (text = ent_call_each(call, "set", i)); i++) {
		const char *equal = strchr(text, '='), *dot = equal ? memchr(text, '.', (size_t)(equal - text)) : NULL;
		if (!equal || equal == text || k == MOST_GIVEN) {
			exit =
				ent_call_usage(call, "write --set name=value, or --set rule.name=value", "--set takes no '%s'", text);
			break;
		}
		given *g = &all[k++];
		g->name = ent_arena_copy(arena, text, (size_t)(equal - text));
		g->setting = dot ? g->name + (dot + 1 - text) : g->name;
		const char *only = dot ? ent_arena_copy(arena, text, (size_t)(dot - text)) : NULL;
		bool any = false, there = !only;
		g->of = ent_arena_alloc(arena, n * sizeof *g->of);
		for (size_t r = 0; r < n; r++) {
			bool wanted = !only || !strcmp(only, name_of(rules[r]));
			there |= wanted;
			g->of[r] = wanted && setting_of(rules[r], g->setting);
			any |= g->of[r];
		}
		if (!there) {
			exit = ent_call_unknown(call, "name it among the rules to replay", "'%s' is none of the rules", only);
		} else if (!any) {
			exit = unknown(call, rules, n, g->setting, only);
		}
		exit = exit ? exit : add_values(call, g, equal + 1, arena);
		if (!exit && (out->n *= g->n) > ENT__REPLAY_SETS) {
			exit = ent_call_usage(call, "sweep fewer values, or one setting at a time",
				"these are more than %d combinations", ENT__REPLAY_SETS);
		}
	}
	if (!exit) {
		out->names = ent_arena_alloc(arena, out->n * sizeof *out->names);
		out->names[0] = "";
		if (k) {
			combine(all, k, rules, n, out, arena);
		} else {
			ent_buf_add(&out->json, "[{}]", 5);
		}
	}
	for (size_t i = 0; i < k; i++) {
		free(all[i].values);
	}
	return exit;
}

void ent__replay_sets_finish(ent__replay_sets *s) { ent_buf_finish(&s->json); }
