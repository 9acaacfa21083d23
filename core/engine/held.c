/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules for both sides that read what the partner may not know of: the rules worker holds their findings back, and here
 * it is said which rule that was, once for each judgement. See scripts/entente/classes.py. Loop thread only. */
#include "base/json.h"
#include "engine/judged.h"

#include <string.h>

/* Where the rule is written. */
static void place_of(const ent__judge *j, const char *rule, ent_error *e) {
	json_object *rules = j->e->rules ? j->e->rules->rules : NULL;
	for (size_t i = 0; rules && i < json_object_array_length(rules); i++) {
		json_object *one = json_object_array_get_idx(rules, i), *line;
		if (!strcmp(ent__json_text(one, "name"), rule)) {
			uint32_t at = json_object_object_get_ex(one, "line", &line) ? (uint32_t)json_object_get_int64(line) : 0;
			ent_error_at(e, ent__json_text(one, "file"), at, 0);
			return;
		}
	}
}

void ent__held_tell(ent__judge *j, const char *record, size_t n, const char *rule, const char *partner) {
	static const char end[] = "]}"; /* only records that were held back end with a list */
	if (n < 2 || memcmp(record + n - 2, end, 2) != 0 || ent_intern_find(&j->held, rule, strlen(rule)) != UINT32_MAX) {
		return;
	}
	json_tokener_reset(j->tokener);
	json_object *o = json_tokener_parse_ex(j->tokener, record, (int)n), *list;
	if (o && json_object_object_get_ex(o, "held", &list) && json_object_is_type(list, json_type_array)) {
		ent_buf read = {0};
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			ent_buf_printf(&read, "%s%s", i ? ", " : "", json_object_get_string(json_object_array_get_idx(list, i)));
		}
		ent_error e;
		ent_error_set(&e, ENT_ERR_INVALID,
			"the rule %s is for both sides, and read %.*s of %s: what it says is held back from partners", rule,
			(int)read.n, (const char *)read.data, partner);
		place_of(j, rule, &e);
		ent_error_todo(&e, "say audience=\"us\", or let it read only what the partner may know of");
		ent_errors_take(&j->report->errors, &e);
		ent_intern_put(&j->held, rule, strlen(rule));
		ent_buf_finish(&read);
	}
	json_object_put(o);
}
