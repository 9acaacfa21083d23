/* SPDX-License-Identifier: Apache-2.0
 *
 * Records that are no part of cells: entries of registers, contacts, what was observed and told. See explain.h. */
#include "base/day.h"
#include "command/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text && *text ? text : NULL);
}

static bool begins(const char *text, const char *with) { return !strncmp(text, with, strlen(with)); }

/* ---- records that are no cells
 * -------------------------------------------------------------------------------------------- */

static int take_row(void *ctx, const ent_lineage_row *r) {
	ent__explaining *x = ctx;
	if (r->kind != ENT_CONTACT && r->kind != ENT_ENTRY && r->kind != ENT_OBSERVATION && r->kind != ENT_TOUCH) {
		return 0;
	}
	ENT_GROW(x->told, x->n_told, x->told_capacity);
	ent__explain_told *t = &x->told[x->n_told++];
	*t = (ent__explain_told){.row = *r};
	t->row.file = ent_arena_copy(&x->trace.arena, r->file, strlen(r->file));
	t->row.key = ent_arena_copy(&x->trace.arena, r->key, r->key_n);
	return 0;
}

static int take_fields(void *ctx, const ent_record *r) {
	ent__explaining *x = ctx;
	for (size_t i = 0; i < x->n_told; i++) {
		ent__explain_told *t = &x->told[i];
		if (t->row.id == r->key && t->row.kind == r->kind && !t->fields) {
			char *text = strndup(r->json, r->n);
			t->fields = text ? json_tokener_parse(text) : NULL;
			free(text);
			return 0;
		}
	}
	return 0;
}

/* All of them, of this partner and of none (benchmarks), once. */
int ent__told_read(ent__explaining *x, ent_error *e) {
	const uint32_t whom[] = {x->trace.code, 0};
	int status = 0;
	for (size_t i = 0; i < 2 && !status && !x->told_read; i++) {
		ent_lineage_what what = {.partner = whom[i], .from = INT32_MIN, .to = INT32_MAX, .undated = true};
		status = ent_engine_lineage(x->trace.project->engine, &what, take_row, x, e);
	}
	for (size_t i = 0; i < 2 && !status && !x->told_read; i++) {
		status = ent_store_records_scan(x->trace.project->store, 0, whom[i], take_fields, x, e);
	}
	x->told_read = true;
	return status;
}

static bool day_in(const char *text, const ent__explain_figure *f) {
	int32_t day;
	return strlen(text) >= 10 && ent_day_parse(text, 10, &day) && day >= f->wanted.start && day < f->wanted.stop;
}

/* "kind=mail, held=True, open": what is said of fields must be so. What else it took of them stands in the slice. */
static bool fits(const char *slice, json_object *fields) {
	for (const char *p = slice; *p;) {
		size_t n = strcspn(p, ","), key = strcspn(p, "=");
		char name[64], value[256];
		if (key < n && key < sizeof name && n - key - 1 < sizeof value) {
			snprintf(name, sizeof name, "%.*s", (int)key, p);
			snprintf(value, sizeof value, "%.*s", (int)(n - key - 1), p + key + 1);
			if (strcasecmp(ent__explain_text(fields, name), value) != 0) {
				return false;
			}
		}
		p += n;
		p += strspn(p, ", ");
	}
	return true;
}

static bool is_read(const ent__explain_figure *f, const ent__explain_told *t) {
	if (!t->fields) {
		return false;
	}
	if (f->sort == ENT__OF_REGISTER) {
		const char *name = f->metric + strlen("register ");
		bool mine = t->row.kind == ENT_CONTACT
						? !strcmp(name, "contacts")
						: t->row.kind == ENT_ENTRY && !strcmp(ent__explain_text(t->fields, "reg"), name);
		static const char *const dates[] = {"at", "on", "said_on", "effective"}; /* as the vocabulary dates entries */
		mine = mine && fits(f->slice, t->fields);
		for (size_t i = 0; mine && i < sizeof dates / sizeof *dates; i++) {
			if (*ent__explain_text(t->fields, dates[i])) {
				return day_in(ent__explain_text(t->fields, dates[i]), f);
			}
		}
		return mine;
	}
	if (t->row.kind != ENT_OBSERVATION) {
		return false;
	}
	const char *name = begins(f->metric, "benchmark ") ? f->metric + strlen("benchmark ") : f->metric;
	const char *origin = *f->origin ? f->origin : NULL;
	return !strcmp(ent__explain_text(t->fields, "metric"), name) && day_in(ent__explain_text(t->fields, "from"), f) &&
		   (!origin || !strcmp(ent__explain_text(t->fields, "origin"), origin));
}

/* ---- JSON and text ----------------------------------------------------------------------------------------------- */

static void json_told(ent__explaining *x, const ent__explain_told *t) {
	ent_json *j = &x->call->writer;
	char day[16];
	ent_json_object(j);
	member(j, "kind", ent_fact_name(t->row.kind));
	ent_json_key(j, "key");
	ent_json_text_n(j, t->row.key, t->row.key_n);
	member(j, "day", ent_day_text(t->row.day, day));
	member(j, "source", ent__project_text(x->trace.project, t->row.source));
	member(j, "file", t->row.file);
	uint64_t line = ent__line_of(&x->trace.lines,
		ent_config_source_find(x->trace.project->config, ent__project_text(x->trace.project, t->row.source)),
		t->row.file, t->row.place);
	ent_json_key(j, "line");
	if (line) {
		ent_json_uint(j, line);
	} else {
		ent_json_null(j);
	}
	ent_json_key(j, "place");
	ent_json_uint(j, t->row.place);
	ent_json_key(j, "fields");
	const char *text = json_object_to_json_string_ext(t->fields, JSON_C_TO_STRING_PLAIN);
	ent_json_raw(j, text, strlen(text));
	ent_json_end(j);
}

static const char *told_where(ent__explaining *x, const ent__explain_told *t) {
	const char *source = ent__project_text(x->trace.project, t->row.source);
	uint64_t line = ent__line_of(
		&x->trace.lines, ent_config_source_find(x->trace.project->config, source), t->row.file, t->row.place);
	if (!*t->row.file || *t->row.file == '.') {
		return source;
	}
	return line ? ent_arena_printf(&x->trace.arena, "%s:%" PRIu64, t->row.file, line)
				: ent_arena_printf(&x->trace.arena, "%s, byte %" PRIu64, t->row.file, t->row.place);
}

static const char *told_text(ent__explaining *x, json_object *fields) {
	static const char *const left_out[] = {
		"key", "source", "scale", "reg", "metric", "origin", "recorded", "value", NULL};
	const char *text = "";
	json_object *value = ent__explain_get(fields, "value"), *scale = ent__explain_get(fields, "scale");
	if (value && scale) {
		char number[ENT_NUMBER_TEXT];
		unsigned places = (unsigned)json_object_get_int(scale);
		text = ent_arena_printf(&x->trace.arena, "%s %s",
			ent_number_text(json_object_get_int64(value), places, places < 2 ? places : 2, number),
			ent__explain_text(fields, "currency"));
	}
	json_object_object_foreach(fields, key, v) {
		bool skip = false;
		for (size_t i = 0; left_out[i]; i++) {
			skip |= !strcmp(key, left_out[i]);
		}
		if (!skip && v) {
			text =
				ent_arena_printf(&x->trace.arena, "%s%s%s %s", text, *text ? ", " : "", key, json_object_get_string(v));
		}
	}
	return text;
}

void ent__told_show(ent__explaining *x, const ent__explain_figure *f) {
	size_t n = 0;
	for (size_t i = 0; i < x->n_told; i++) {
		if (is_read(f, &x->told[i]) && n++ < x->rows) {
			ent__explain_plain(x->call, 0,
				ent_arena_printf(&x->trace.arena, "%s  %s  %s", told_where(x, &x->told[i]),
					ent_fact_name(x->told[i].row.kind), told_text(x, x->told[i].fields)));
		}
	}
	if (n > x->rows) {
		ent_term_printf(&x->call->term, &x->call->out, ENT_FAINT, "and %zu more: --rows %zu\n", n - x->rows, n);
	} else if (!n) {
		ent__explain_plain(x->call, 0,
			f->sort == ENT__OF_REGISTER ? "no entry is of these days"
										: "made of other figures that were told, which stand beside it");
	}
}

void ent__told_json(ent__explaining *x, const ent__explain_figure *f) {
	ent_json *j = &x->call->writer;
	ent_json_key(j, "rows");
	ent_json_array(j);
	for (size_t i = 0, n = 0; i < x->n_told; i++) {
		if (is_read(f, &x->told[i]) && n++ < x->rows) {
			json_told(x, &x->told[i]);
		}
	}
	ent_json_end(j);
}

void ent__told_finish(ent__explaining *x) {
	for (size_t i = 0; i < x->n_told; i++) {
		json_object_put(x->told[i].fields);
	}
	free(x->told);
}
