/* SPDX-License-Identifier: Apache-2.0
 *
 * A figure of `entente rules explain` as JSON, see explain.h. */
#include "base/day.h"
#include "command/explain.h"

#include <stdlib.h>

static const char *const sorts[] = {"cells", "told", "register", "cohort", "days", "other"};

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text && *text ? text : NULL);
}

static void json_terms(ent__explaining *x, const ent_metric *m, const ent_account *a) {
	ent_json *j = &x->call->writer;
	ent_json_key(j, "terms");
	ent_json_array(j);
	for (unsigned i = 0; i < 2 * ENT_TERMS; i++) {
		const ent_metric_term *t = i < ENT_TERMS ? &m->top[i] : &m->bottom[i - ENT_TERMS];
		if (!t->sign || m->kind > ENT_METRIC_RATIO) {
			continue;
		}
		ent_json_object(j);
		member(j, "of", i < ENT_TERMS ? "top" : "bottom");
		member(j, "measure", ent__measure(&x->trace, t->measure)->name);
		ent_json_key(j, "sign");
		ent_json_int(j, t->sign);
		ent_json_key(j, "sum");
		ent__sum_json(j, ent__measure(&x->trace, t->measure)->unit, ent__term_sum(&x->trace, m, a, i));
		ent_json_end(j);
	}
	ent_json_end(j);
}

static void json_cells(ent__explaining *x, const ent_metric *m, const ent_account *a) {
	ent_json *j = &x->call->writer;
	char day[16];
	ent_json_key(j, "cells");
	ent_json_array(j);
	for (size_t i = 0; i < a->n_cells; i++) {
		const ent_account_cell *c = &a->cells[i];
		ent_json_object(j);
		member(j, "day", ent_day_text(c->day, day));
		member(j, "currency", c->currency ? ent__project_text(x->trace.project, c->currency) : NULL);
		ent_json_key(j, "rate");
		ent_json_decimal(j, c->rate, 12);
		for (unsigned k = 0; k < 2 * ENT_TERMS; k++) {
			const ent_metric_term *t = k < ENT_TERMS ? &m->top[k] : &m->bottom[k - ENT_TERMS];
			if (t->sign && c->m[k]) {
				ent_json_key(j, ent__measure(&x->trace, t->measure)->name);
				ent__sum_json(j, ent__measure(&x->trace, t->measure)->unit,
					(__int128)c->m[k] * ENT_ACCOUNT_ONE * (t->measure == ENT_M_LOAD_MS ? 1000 : 1));
			}
		}
		ent_json_end(j);
	}
	ent_json_end(j);
}

static void json_read(ent_json *j, json_object *o) {
	json_object_object_foreach(o, key, value) {
		const char *text =
			json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
		ent_json_key(j, key);
		ent_json_raw(j, text, strlen(text));
	}
}

void ent__explain_json(ent__explaining *x, const ent__explain_figure *f, const ent_account *a, const ent__why *why) {
	ent_json *j = &x->call->writer;
	const ent_metric *m = ent__metric(&x->trace, f->wanted.metric);
	ent_json_object(j);
	json_read(j, f->json);
	member(j, "made_of", sorts[f->sort]);
	if (a) {
		const ent_account_part **list = ent__explain_heaviest(a);
		ent_json_key(j, "top");
		ent__sum_json(j, ent__top_unit(&x->trace, m), a->top);
		ent_json_key(j, "bottom");
		if (m->kind == ENT_METRIC_RATIO) {
			ent__sum_json(j, ent__bottom_unit(&x->trace, m), a->bottom);
		} else {
			ent_json_null(j);
		}
		ent_json_key(j, "changed_since");
		ent_json_bool(j, ent__explain_differs(x, f, a));
		json_terms(x, m, a);
		json_cells(x, m, a);
		ent_json_key(j, "records");
		ent_json_uint(j, a->n);
		ent_json_key(j, "rows");
		ent_json_array(j);
		for (size_t i = 0; i < a->n && i < x->rows; i++) {
			ent_json_object(j);
			ent__trace_part_json(&x->trace, m, list[i], false);
			ent_json_end(j);
		}
		ent_json_end(j);
		free(list);
	} else if (f->sort == ENT__OF_TOLD || f->sort == ENT__OF_REGISTER) {
		ent__told_json(x, f);
	}
	if (why) {
		ent_json_key(j, "why");
		ent__why_json(why, x->rows);
	}
	ent_json_end(j);
}
