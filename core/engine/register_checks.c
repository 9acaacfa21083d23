/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether an entry is as its register's schema wants it, see registers.h. */
#include "base/buf.h"
#include "base/day.h"
#include "engine/registers.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

bool ent_register_word_in(const char *list, const char *word) {
	size_t n = strlen(word);
	for (const char *p = list; p && *p;) {
		size_t k = strcspn(p, " ");
		if (k == n && !memcmp(p, word, n)) {
			return true;
		}
		p += k;
		p += strspn(p, " ");
	}
	return false;
}

const ent_register *ent_register_find(const ent_register *all, const char *name, ent_error *e) {
	const char *names[ENT_REGISTERS_MOST];
	char list[1024];
	size_t n = 0, length = 0;
	for (const ent_register *r = all; r->name; r++) {
		if (!strcmp(r->name, name)) {
			return r;
		}
		if (n < ENT_REGISTERS_MOST) {
			names[n++] = r->name;
		}
		length += length < sizeof list
					  ? (size_t)snprintf(list + length, sizeof list - length, "%s%s", r == all ? "" : ", ", r->name)
					  : 0;
	}
	const char *near = ent_nearest(name, names, n);
	ent_error_set(e, ENT_ERR_NOTFOUND, "there is no register '%s'", name);
	if (near) {
		ent_error_todo(e, "did you mean '%s'?", near);
	} else {
		ent_error_todo(e, "there are %s", list);
	}
	return NULL;
}

static const ent_register_field *field_of(const ent_register *r, const char *name, ent_error *e) {
	const char *names[64];
	size_t n = 0;
	for (const ent_register_field *f = r->fields; f->name; f++) {
		if (!strcmp(f->name, name)) {
			return f;
		}
		names[n++] = f->name;
	}
	const char *near = ent_nearest(name, names, n);
	ent_error_set(e, ENT_ERR_INVALID, "%s has no field '%s'", r->name, name);
	if (near) {
		ent_error_todo(e, "did you mean '%s'?", near);
	} else {
		ent_error_todo(e, "`entente register %s fields` lists them", r->name);
	}
	return NULL;
}

static bool is_day(const char *v) {
	int32_t day;
	return ent_day_parse(v, strlen(v), &day);
}

static bool is_time(const char *v) {
	size_t n = strlen(v);
	int32_t day;
	unsigned h, m;
	char extra;
	if (n == 10) {
		return ent_day_parse(v, n, &day);
	}
	return n >= 16 && ent_day_parse(v, 10, &day) && (v[10] == ' ' || v[10] == 'T') &&
		   sscanf(v + 11, "%2u:%2u%c", &h, &m, &extra) >= 2 && h < 24 && m < 60;
}

/* Without blanks at either end. */
static char *trimmed(char *text) {
	while (isspace((unsigned char)*text)) {
		text++;
	}
	for (size_t n = strlen(text); n && isspace((unsigned char)text[n - 1]); n--) {
		text[n - 1] = 0;
	}
	return text;
}

/* As JSON writes numbers, without an exponent: rules get them as numbers. */
bool ent_register_number(const char *v) {
	v += *v == '-';
	size_t whole = strspn(v, "0123456789");
	if (whole == 0 || (whole > 1 && *v == '0')) {
		return false;
	}
	v += whole;
	if (!*v) {
		return true;
	}
	size_t decimals = *v == '.' ? strspn(v + 1, "0123456789") : 0;
	return decimals > 0 && !v[1 + decimals];
}

/* NAME=VALUE; NAME=VALUE …: each name once, numbers where the schema wants them. Written anew, in one way, into *value:
 * what means the same is the same. */
static int check_pairs(
	const ent_register *r, const ent_register_field *f, const char **value, ent_arena *arena, ent_error *e) {
	bool number_names = f->choices && !strcmp(f->choices, "both"),
		 number_values = f->choices && strcmp(f->choices, "texts") != 0;
	const char *names[64];
	size_t n = 0;
	ent_buf out = {0};
	char *text = ent_arena_copy(arena, *value, strlen(*value)), *next;
	for (char *p = text; p; p = next) {
		next = strchr(p, ';');
		if (next) {
			*next++ = 0;
		}
		p = trimmed(p);
		if (!*p) {
			continue; /* a ; at the end */
		}
		char *equals = strchr(p, '='), *given = equals ? equals + 1 : p;
		if (equals) {
			*equals = 0;
			p = trimmed(p);
			given = trimmed(given);
		}
		bool again = false;
		for (size_t i = 0; i < n; i++) {
			again = again || !strcmp(names[i], p);
		}
		if (!equals || !*p || !*given || again || n == 64) {
			ent_buf_finish(&out);
			ent_error_set(e, ENT_ERR_INVALID,
				again ? "%s.%s: '%s' comes twice" : "%s.%s: '%s' is not of the form NAME=VALUE", r->name, f->name, p);
			return ent_error_todo(e, "write NAME=VALUE; NAME=VALUE, each name once, at most 64");
		}
		if ((number_names && !ent_register_number(p)) || (number_values && !ent_register_number(given))) {
			ent_error_set(e, ENT_ERR_INVALID, "%s.%s: '%s=%s' needs %s", r->name, f->name, p, given,
				number_names ? "numbers on both sides" : "a number behind the '='");
			ent_buf_finish(&out);
			return ent_error_todo(e, "write digits, with a point before decimals, without separators of thousands");
		}
		names[n++] = p;
		ent_buf_printf(&out, "%s%s=%s", out.n ? "; " : "", p, given);
	}
	*value = ent_arena_copy(arena, out.n ? (const char *)out.data : "", out.n);
	ent_buf_finish(&out);
	return 0;
}

static int check_value(
	const ent_register *r, const ent_register_field *f, const char **value, ent_arena *arena, ent_error *e) {
	const char *v = *value;
	switch (f->type) {
	case ENT_REG_DATE:
		if (!is_day(v)) {
			ent_error_set(e, ENT_ERR_INVALID, "%s.%s: '%s' is no date", r->name, f->name, v);
			return ent_error_todo(e, "write YYYY-MM-DD");
		}
		return 0;
	case ENT_REG_TIME:
		if (!is_time(v)) {
			ent_error_set(e, ENT_ERR_INVALID, "%s.%s: '%s' is no time", r->name, f->name, v);
			return ent_error_todo(e, "write YYYY-MM-DD or YYYY-MM-DD HH:MM");
		}
		return 0;
	case ENT_REG_NUMBER:
		if (!ent_register_number(v)) {
			ent_error_set(e, ENT_ERR_INVALID, "%s.%s: '%s' is no number", r->name, f->name, v);
			return ent_error_todo(e, "write digits, with a point before decimals, without separators of thousands");
		}
		return 0;
	case ENT_REG_BOOL:
		if (ent_register_word_in("yes true 1", v) || ent_register_word_in("no false 0", v)) {
			*value = ent_register_word_in("yes true 1", v) ? "true" : "false";
			return 0;
		}
		ent_error_set(e, ENT_ERR_INVALID, "%s.%s: '%s' is neither yes nor no", r->name, f->name, v);
		return ent_error_todo(e, "write yes or no");
	case ENT_REG_WORD:
		if (!ent_register_word_in(f->choices, v)) {
			ent_error_set(e, ENT_ERR_INVALID, "%s.%s: '%s' is not one of its words", r->name, f->name, v);
			return ent_error_todo(e, "write one of: %s", f->choices);
		}
		return 0;
	case ENT_REG_PAIRS:
		return check_pairs(r, f, value, arena, e);
	default:
		return 0;
	}
}

int ent_register_check(const ent_register *r, ent_register_entry *entry, ent_arena *arena, ent_error *e) {
	const char **values = ent_arena_alloc(arena, (entry->n + 1) * sizeof *values);
	for (uint32_t i = 0; i < entry->n; i++) {
		const ent_register_field *f = field_of(r, entry->names[i], e);
		values[i] = entry->values[i];
		if (!f || (values[i][0] && check_value(r, f, &values[i], arena, e))) {
			return e->code;
		}
	}
	entry->values = values;
	for (const ent_register_field *f = r->fields; f->name; f++) {
		bool given = !f->required;
		for (uint32_t i = 0; i < entry->n && !given; i++) {
			given = !strcmp(entry->names[i], f->name) && values[i][0];
		}
		if (!given) {
			ent_error_set(e, ENT_ERR_INVALID, "%s needs '%s': %s", r->name, f->name, f->doc);
			return ent_error_todo(e, "add %s=…", f->name);
		}
	}
	if (entry->state && !ent_register_word_in(r->states, entry->state)) {
		ent_error_set(e, ENT_ERR_INVALID, "%s knows no state '%s'", r->name, entry->state);
		return ent_error_todo(e, "write one of: %s", r->states);
	}
	if (entry->effective && !is_day(entry->effective)) {
		ent_error_set(e, ENT_ERR_INVALID, "'%s' is no date", entry->effective);
		return ent_error_todo(e, "write YYYY-MM-DD");
	}
	return 0;
}
