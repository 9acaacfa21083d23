/* SPDX-License-Identifier: Apache-2.0
 *
 * From the JSON of `entente metrics query` to columns, see arrow.h. Numbers go from text to integers: no figure passes through
 * a floating-point number. */
#include "serve/arrow.h"

#include "base/day.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP, METRIC, FROM, THROUGH, VALUE, UNIT, STATE, THERE, COVERED, DAYS, REASON, COLUMNS };

static json_object *get(json_object *o, const char *key) {
	json_object *v = NULL;
	return o && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static const char *text_of(json_object *o, const char *key) {
	json_object *v = get(o, key);
	return v ? json_object_get_string(v) : NULL;
}

static void put_day(ent_arrow_column *c, const char *text) {
	int32_t day;
	if (text && ent_day_parse(text, strlen(text), &day)) {
		ent_arrow_day(c, day);
	} else {
		ent_arrow_null(c);
	}
}

/* A decimal number with at most six digits behind the point. */
static void put_number(ent_arrow_column *c, const char *text) {
	if (!text) {
		ent_arrow_null(c);
		return;
	}
	__int128 value = 0;
	unsigned decimals = 0;
	bool negative = *text == '-', point = false;
	for (const char *p = text + negative; *p && decimals < 6; p++) {
		if (*p == '.') {
			point = true;
		} else {
			value = value * 10 + (*p - '0');
			decimals += point;
		}
	}
	for (; decimals < 6; decimals++) {
		value *= 10;
	}
	ent_arrow_decimal(c, negative ? -value : value);
}

static const char *unit_of(json_object *metrics, const char *name) {
	for (size_t i = 0; metrics && i < json_object_array_length(metrics); i++) {
		json_object *m = json_object_array_get_idx(metrics, i);
		if (!strcmp(text_of(m, "name"), name)) {
			return text_of(m, "unit");
		}
	}
	return NULL;
}

static uint64_t put_rows(json_object *root, const char *by, ent_arrow_column *c) {
	json_object *rows = get(root, "rows"), *metrics = get(root, "metrics");
	uint64_t n = 0;
	for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
		json_object *row = json_object_array_get_idx(rows, i), *figures = get(row, "figures");
		json_object_object_foreach(figures, name, f) {
			ent_arrow_text(&c[GROUP], by ? text_of(row, by) : NULL);
			ent_arrow_text(&c[METRIC], name);
			put_day(&c[FROM], text_of(f, "from"));
			put_day(&c[THROUGH], text_of(f, "through"));
			put_number(&c[VALUE], text_of(f, "value"));
			ent_arrow_text(&c[UNIT], unit_of(metrics, name));
			ent_arrow_text(&c[STATE], text_of(f, "state"));
			put_number(&c[THERE], text_of(f, "there"));
			ent_arrow_int(&c[COVERED], json_object_get_int64(get(f, "covered")));
			ent_arrow_int(&c[DAYS], json_object_get_int64(get(f, "days")));
			ent_arrow_text(&c[REASON], text_of(f, "reason"));
			n++;
		}
	}
	return n;
}

int ent_arrow_series(const char *json, size_t n, ent_buf *out, ent_error *e) {
	ent_arrow_column columns[COLUMNS] = {
#define COLUMN(place, name_, type_, nullable_) [place] = {.name = name_, .type = ENT_ARROW_##type_, .nullable = nullable_}
		COLUMN(GROUP, "group", TEXT, true), COLUMN(METRIC, "metric", TEXT, false), COLUMN(FROM, "from", DAY, false),
		COLUMN(THROUGH, "through", DAY, false), COLUMN(VALUE, "value", DECIMAL, true), COLUMN(UNIT, "unit", TEXT, true),
		COLUMN(STATE, "state", TEXT, false), COLUMN(THERE, "there", DECIMAL, true), COLUMN(COVERED, "covered", INT, false),
		COLUMN(DAYS, "days", INT, false), COLUMN(REASON, "reason", TEXT, true)
#undef COLUMN
	};
	json_tokener *tokener = json_tokener_new();
	json_object *root = json_tokener_parse_ex(tokener, json, (int)n);
	json_tokener_free(tokener);
	if (!json_object_is_type(root, json_type_object)) {
		json_object_put(root);
		return ent_error_set(e, ENT_ERR_CORRUPT, "the figures are no JSON");
	}
	const char *by = text_of(root, "by");
	columns[GROUP].name = by ? by : "group";
	size_t first = by ? GROUP : METRIC;
	uint64_t rows = put_rows(root, by, columns);
	ent_arrow_stream(columns + first, COLUMNS - first, rows, out);
	ent_arrow_finish(columns, COLUMNS);
	json_object_put(root);
	return 0;
}
