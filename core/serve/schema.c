/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies in JSON, checked by the same tables that describe them in /openapi.json. Front's thread. */
#include "serve/internal.h"

#include "base/day.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH = 32 };

typedef struct fault {
	char at[256]; /* JSON pointer */
	char what[512];
} fault;

static const char *shape_words[] = {"a text", "a whole number", "a number", "true or false", "a date like 2025-01-31",
	"a time like 2025-01-31T12:00:00Z", "an object", "a list", "an object", "anything"};

static bool wrong(fault *f, const char *at, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool wrong(fault *f, const char *at, const char *format, ...) {
	va_list args;
	va_start(args, format);
	snprintf(f->at, sizeof f->at, "%s", at);
	vsnprintf(f->what, sizeof f->what, format, args);
	va_end(args);
	return false;
}

static bool digits(const char *p, size_t n) { return strspn(p, "0123456789") >= n; }

/* RFC 3339, with its zone. */
static bool instant(const char *text) {
	int32_t day;
	if (strlen(text) < 20 || !ent_day_parse(text, 10, &day) || (text[10] != 'T' && text[10] != ' ') || !digits(text + 11, 2) ||
		text[13] != ':' || !digits(text + 14, 2) || text[16] != ':' || !digits(text + 17, 2)) {
		return false;
	}
	const char *p = text + 19;
	if (*p == '.') {
		p += 1 + strspn(p + 1, "0123456789");
	}
	return strcmp(p, "Z") == 0 || ((*p == '+' || *p == '-') && strlen(p) == 6 && digits(p + 1, 2) && p[3] == ':' && digits(p + 4, 2));
}

static bool object(const ent_schema *, struct json_object *, const char *at, unsigned depth, fault *);

static bool value(const ent_member *m, ent_shape shape, struct json_object *v, const char *at, unsigned depth, fault *f) {
	enum json_type type = json_object_get_type(v);
	int32_t day;
	bool good = false;
	char below[256];
	switch (shape) {
	case ENT_SHAPE_TEXT:
	case ENT_SHAPE_DAY:
	case ENT_SHAPE_INSTANT:
		good = type == json_type_string;
		if (good && shape != ENT_SHAPE_TEXT) {
			const char *text = json_object_get_string(v);
			good = shape == ENT_SHAPE_DAY ? ent_day_parse(text, strlen(text), &day) : instant(text);
		}
		break;
	case ENT_SHAPE_INT:
		good = type == json_type_int;
		break;
	case ENT_SHAPE_NUMBER:
		good = type == json_type_int || type == json_type_double;
		break;
	case ENT_SHAPE_BOOL:
		good = type == json_type_boolean;
		break;
	case ENT_SHAPE_OBJECT:
		return m->schema ? object(m->schema, v, at, depth + 1, f) : type == json_type_object || wrong(f, at, "an object is expected");
	case ENT_SHAPE_LIST:
		if (type != json_type_array) {
			break;
		}
		for (size_t i = 0; i < json_object_array_length(v); i++) {
			snprintf(below, sizeof below, "%s/%zu", at, i);
			if (!value(m, m->of, json_object_array_get_idx(v, i), below, depth + 1, f)) {
				return false;
			}
		}
		return true;
	case ENT_SHAPE_MAP:
		if (type != json_type_object) {
			break;
		}
		json_object_object_foreach(v, key, item) {
			snprintf(below, sizeof below, "%s/%s", at, key);
			if (!value(m, m->of, item, below, depth + 1, f)) {
				return false;
			}
		}
		return true;
	case ENT_SHAPE_ANY:
		good = true;
	}
	if (!good) {
		return wrong(f, at, "%s is expected", shape_words[shape]);
	}
	if (shape == ENT_SHAPE_TEXT && m->choices) {
		char list[256] = "";
		for (size_t i = 0; m->choices[i]; i++) {
			if (strcmp(m->choices[i], json_object_get_string(v)) == 0) {
				return true;
			}
			size_t n = strlen(list);
			snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", m->choices[i]);
		}
		return wrong(f, at, "one of %s is expected, not '%.100s'", list, json_object_get_string(v));
	}
	return true;
}

static bool object(const ent_schema *schema, struct json_object *v, const char *at, unsigned depth, fault *f) {
	const char *known[64];
	size_t n = 0;
	char below[256];
	if (!json_object_is_type(v, json_type_object)) {
		return wrong(f, at, "an object is expected");
	}
	if (depth > DEPTH) {
		return wrong(f, at, "nested too deeply");
	}
	for (const ent_member *m = schema->members; m && m->key; m++) {
		struct json_object *item;
		if (n < sizeof known / sizeof *known) {
			known[n++] = m->key;
		}
		snprintf(below, sizeof below, "%s/%s", at, m->key);
		if (!json_object_object_get_ex(v, m->key, &item)) {
			if (!m->optional) {
				return wrong(f, below, "'%s' is missing", m->key);
			}
		} else if (!item ? !m->null : !value(m, m->shape, item, below, depth, f)) {
			return item ? false : wrong(f, below, "%s is expected, not null", shape_words[m->shape]);
		}
	}
	if (schema->open) {
		return true;
	}
	json_object_object_foreach(v, key, unused) {
		(void)unused;
		bool there = false;
		for (const ent_member *m = schema->members; m && m->key; m++) {
			there |= strcmp(m->key, key) == 0;
		}
		if (!there) {
			const char *near = ent_nearest(key, known, n);
			snprintf(below, sizeof below, "%s/%s", at, key);
			return wrong(f, below, "there is no member '%.64s'%s%s%s", key, near ? "; did you mean '" : "", near ? near : "",
				near ? "'?" : "");
		}
	}
	return true;
}

static void members(ent_json *json, const void *ctx) {
	ent_json_key(json, "pointer");
	ent_json_text(json, ((const fault *)ctx)->at);
}

/* json-c takes more than JSON has, also when asked to be strict: texts in single quotes, NaN, Infinity. Where the first such
 * letter stands; n: nowhere. */
static size_t stray(const char *p, size_t n) {
	bool text = false;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '"') {
			text = !text;
		} else if (text && p[i] == '\\') {
			i++;
		} else if (!text && p[i] && strchr("'/NIi", p[i])) {
			return i;
		}
	}
	return n;
}

bool ent__schema_check(ent_request *r) {
	fault f = {0};
	const char *bytes = r->body.n ? (const char *)r->body.data : "{}";
	size_t n = r->body.n ? r->body.n : 2;
	size_t strange = stray(bytes, n);
	if (strange < n) {
		ent_answer_problem(r, 400, "the body is no JSON: '%c' at byte %zu", bytes[strange], strange);
		return false;
	}
	struct json_tokener *parser = json_tokener_new_ex(DEPTH);
	json_tokener_set_flags(parser, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	r->json = json_tokener_parse_ex(parser, bytes, (int)n);
	enum json_tokener_error code = json_tokener_get_error(parser);
	size_t end = json_tokener_get_parse_end(parser);
	if (code == json_tokener_continue && !r->json) { /* a number alone ends only with the text */
		r->json = json_tokener_parse_ex(parser, "", 1);
		code = json_tokener_get_error(parser);
		end = n;
	}
	json_tokener_free(parser);
	while (code == json_tokener_success && end < n && strchr(" \t\r\n", bytes[end])) {
		end++;
	}
	if (code != json_tokener_success || end != n) {
		ent_answer_problem(r, 400, "the body is no JSON: %s at byte %zu",
			code == json_tokener_success ? "something follows it" : json_tokener_error_desc(code), end);
		return false;
	}
	if (!object(r->route->body, r->json, "", 0, &f)) {
		char text[900];
		snprintf(text, sizeof text, "%s: %s", f.at[0] ? f.at : "the body", f.what);
		ent__problem(r, 422, text, members, &f);
		return false;
	}
	return true;
}
