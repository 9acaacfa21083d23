/* SPDX-License-Identifier: Apache-2.0
 *
 * What a value of an answer is: a visit, a row of a report, or the parts of an answer about several periods.
 */
#include "matomo.h"

static ent_status figures(matomo *m, json_object *o, uint64_t place, ent_str date) {
	ent_str field[FIGURE_FIELDS];
	if (!json_object_is_type(o, json_type_object)) {
		m->host->reject(m->ctx, place, ENT_NO_COLUMN, "neither a visit nor a row of a report");
		return ENT_OK;
	}
	for (size_t i = 0; i < FIGURE_FIELDS; i++)
		field[i] = text_given(jsonl_text(o, mat__figure_columns[i].name));
	if (date.n)
		field[FIGURE_DATE] = date;
	return mat__figures(m, field, place, 0);
}

/* {"2026-05-04": {…}, "2026-05-05": []}: several periods, of which empty ones had nothing. */
static ent_status periods(matomo *m, json_object *o, uint64_t place) {
	ent_status e = ENT_OK;
	json_object_object_foreach(o, key, value) {
		ent_str date = {key, strlen(key)};
		if (json_object_is_type(value, json_type_array)) {
			for (size_t i = 0; i < jsonl_length(value) && !e; i++)
				e = figures(m, json_object_array_get_idx(value, i), place, date);
		} else {
			e = figures(m, value, place, date);
		}
		if (e)
			return e;
	}
	return ENT_OK;
}

static int by_period(json_object *o) {
	report_days days;
	json_object_object_foreach(o, key, value) {
		(void)value;
		return !report_span((ent_str){key, strlen(key)}, &days);
	}
	return 0;
}

ent_status mat__record(matomo *m, json_object *o, uint64_t place, ent_str date) {
	if (jsonl_member(o, "idVisit")) {
		ent_str field[VISIT_FIELDS];
		json_object *actions = jsonl_member(o, "actionDetails");
		for (size_t i = 0; i < VISIT_FIELDS; i++)
			field[i] = text_given(jsonl_text(o, mat__visit_columns[i].name));
		return mat__visit(m, field, actions, place);
	}
	if (TEXT_IS(jsonl_text(o, "result"), "error"))
		return mat__refuse(m, place, "Matomo answered with an error, not with data",
			"read its message in the document, and ask again");
	if (json_object_is_type(o, json_type_object) && by_period(o))
		return periods(m, o, place);
	return figures(m, o, place, date);
}
