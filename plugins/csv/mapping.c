/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks the options against each other and against the fields of the fact, and resolves them into bindings. Every
 * mistake in a mapping is found here, before the first row.
 */
#include "csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *csv__keep(csv *d, size_t n) {
	csv_block *b = calloc(1, sizeof *b + n);
	if (!b)
		return NULL;
	b->next = d->blocks;
	d->blocks = b;
	return b + 1;
}

static int copy(csv *d, ent_str s, ent_str *out) {
	char *p = csv__keep(d, s.n + 1);
	if (!p)
		return -1;
	if (s.n)
		memcpy(p, s.p, s.n);
	*out = (ent_str){p, s.n};
	return 0;
}

static int refuse(csv *d, const char *todo, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int refuse(csv *d, const char *todo, const char *format, ...) {
	va_list args;
	va_start(args, format);
	vsnprintf(d->text, sizeof d->text, format, args);
	va_end(args);
	d->host->error(d->ctx, 0, ENT_NO_COLUMN, d->text, todo);
	return ENT_EOPTION;
}

static const csv_field *field_of(const csv *d, ent_str name) {
	for (const csv_field *f = d->fields; f->name; f++)
		if (strlen(f->name) == name.n && !memcmp(f->name, name.p, name.n))
			return f;
	return NULL;
}

static csv_binding *binding_of(csv *d, ent_str name) {
	for (uint32_t i = 0; i < d->n_bindings; i++)
		if (text_equal(d->bindings[i].name, name))
			return &d->bindings[i];
	return NULL;
}

static int unknown(csv *d, const char *option, ent_str name) {
	char todo[240]; /* more is not carried to the user */
	size_t n = (size_t)snprintf(todo, sizeof todo, "did you mean %s? Fields:", csv__nearest(d->fields, name));
	for (const csv_field *f = d->fields; f->name; f++) {
		if (n + strlen(f->name) + sizeof " ..." > sizeof todo) {
			snprintf(todo + n, sizeof todo - n, " ...");
			break;
		}
		n += (size_t)snprintf(todo + n, sizeof todo - n, " %s", f->name);
	}
	return refuse(d, todo, "%s: %s has no field %.*s", option, csv__shapes[d->shape], (int)name.n, name.p);
}

static int column(csv *d, ent_str name, uint32_t *out) {
	for (uint32_t i = 0; i < d->n_wanted; i++)
		if (strlen(d->wanted[i].name) == name.n && !memcmp(d->wanted[i].name, name.p, name.n)) {
			*out = i;
			return 0;
		}
	ent_str own;
	if (copy(d, name, &own))
		return -1;
	*out = d->n_wanted++;
	d->wanted[*out] = (ent_column){.name = own.p, .required = 1};
	return 0;
}

static int columns(csv *d, const ent_value *v, const char *dates) {
	if (v->n > CSV_FIELDS_MAX)
		return refuse(d, "map at most 96 columns", "columns: more than 96 fields");
	for (int free_ones = 0; free_ones < 2; free_ones++) /* free fields behind all others */
		for (size_t i = 0; i < v->n; i++) {
			const csv_field *f = field_of(d, v->keys[i]);
			if (!f && d->shape != SHAPE_ENTRY)
				return unknown(d, "columns", v->keys[i]);
			if ((f == NULL) != free_ones)
				continue;
			csv_binding *b = &d->bindings[d->n_bindings];
			*b = (csv_binding){.field = f, .pattern = dates};
			if (!v->items[i].s.n)
				return refuse(d, "name the column, or leave the field out", "columns: %.*s has no column",
					(int)v->keys[i].n, v->keys[i].p);
			if (copy(d, v->keys[i], &b->name) || column(d, v->items[i].s, &b->column))
				return ENT_ENOMEM;
			d->n_bindings++;
			if (!f)
				d->free_names[d->n_free++] = b->name;
		}
	return 0;
}

static int constants(csv *d, const ent_value *v) {
	for (size_t i = 0; i < v->n; i++) {
		const csv_field *f = field_of(d, v->keys[i]);
		const char *why = "";
		ent_str s;
		if (copy(d, v->items[i].s, &s))
			return ENT_ENOMEM;
		if (!f && d->shape == SHAPE_ENTRY) {
			uint32_t k = 0;
			while (k < d->n_free && !text_equal(d->free_names[k], v->keys[i]))
				k++;
			if (k == CSV_FIELDS_MAX)
				return refuse(d, "map at most 96 fields", "constants: more than 96 fields");
			if (k == d->n_free && copy(d, v->keys[i], &d->free_names[d->n_free++]))
				return ENT_ENOMEM;
			d->free_presets[k] = s;
			continue;
		}
		if (!f)
			return unknown(d, "constants", v->keys[i]);
		csv_binding b = {.field = f};
		if (!s.n ||
			csv__convert(d, &b, s, f->line && d->shape == SHAPE_ORDER_LINES ? &d->line_preset : &d->main_preset, &why))
			return refuse(d, "write it as the field's meaning asks for", "constants: %s: %.*s is %s", f->name, (int)s.n,
				s.p, s.n ? why : "empty");
		d->required_given |= 1ULL << (f - d->fields);
	}
	return 0;
}

static int values(csv *d, const ent_value *v) {
	for (size_t i = 0; i < v->n; i++) {
		const ent_value *words = &v->items[i];
		csv_binding *b = binding_of(d, v->keys[i]);
		if (!b && !field_of(d, v->keys[i]) && d->shape != SHAPE_ENTRY)
			return unknown(d, "values", v->keys[i]);
		if (!b)
			return refuse(d, "map a column to it, or leave its words out", "values: no column gives %.*s",
				(int)v->keys[i].n, v->keys[i].p);
		ent_str *from = csv__keep(d, 2 * words->n * sizeof *from), *to = from + words->n;
		if (!from)
			return ENT_ENOMEM;
		b->map = (csv_map){.from = from, .to = to};
		for (size_t k = 0; k < words->n; k++) {
			ent_str *other = TEXT_IS(words->keys[k], "*") ? csv__keep(d, sizeof *other) : NULL;
			if (other) {
				if (copy(d, words->items[k].s, other))
					return ENT_ENOMEM;
				b->map.other = other;
				continue;
			}
			if (copy(d, words->keys[k], &from[b->map.n]) || copy(d, words->items[k].s, &to[b->map.n]))
				return ENT_ENOMEM;
			b->map.n++;
		}
		if (!b->map.n && b->map.other)
			b->map = (csv_map){.from = b->map.other, .to = b->map.other, .n = 1, .other = b->map.other};
	}
	return 0;
}

static int named(csv *d, const char *option, ent_str name, csv_binding **out) {
	*out = binding_of(d, name);
	if (*out)
		return 0;
	if (!field_of(d, name))
		return unknown(d, option, name);
	return refuse(
		d, "map a column to it, or leave it out here", "%s: no column gives %.*s", option, (int)name.n, name.p);
}

static int details(csv *d, const ent_value *o) {
	csv_binding *b;
	int e;
	const ent_value *v = &o[OPT_DATES_OF];
	for (size_t i = 0; i < v->n; i++) {
		ent_str pattern;
		if ((e = named(d, "dates_of", v->keys[i], &b)))
			return e;
		if (!b->field || b->field->type != TYPE_TIME)
			return refuse(d, "name a field that is a date", "dates_of: %.*s is no date", (int)b->name.n, b->name.p);
		if (copy(d, v->items[i].s, &pattern))
			return ENT_ENOMEM;
		b->pattern = TEXT_IS(pattern, "auto") ? NULL : pattern.p;
	}
	v = &o[OPT_OPTIONAL];
	for (size_t i = 0; i < v->n; i++) {
		if ((e = named(d, "optional", v->items[i].s, &b)))
			return e;
		d->wanted[b->column].required = 0;
	}
	v = &o[OPT_NEGATE];
	for (size_t i = 0; i < v->n; i++) {
		if ((e = named(d, "negate", v->items[i].s, &b)))
			return e;
		if (!b->field ||
			(b->field->type != TYPE_MONEY && b->field->type != TYPE_QUANTITY && b->field->type != TYPE_VALUE))
			return refuse(d, "name a field that is an amount or a quantity", "negate: %.*s is no number",
				(int)b->name.n, b->name.p);
		b->negate = 1;
	}
	v = &o[OPT_ABSENT];
	ent_str *absent = csv__keep(d, (v->n + 1) * sizeof *absent);
	if (!absent)
		return ENT_ENOMEM;
	for (size_t i = 0; i < v->n; i++)
		if (copy(d, v->items[i].s, &absent[i]))
			return ENT_ENOMEM;
	d->absent = absent;
	d->n_absent = v->n;
	return 0;
}

static int complete(csv *d) {
	csv_binding *key = binding_of(d, TEXT("key")), *order = binding_of(d, TEXT("order"));
	int lines = d->shape == SHAPE_LINE || d->shape == SHAPE_ORDER_LINES;
	if (d->repeats && !lines)
		return refuse(
			d, "give the rows a key, or leave repeats out", "repeats: facts is for the facts line and order-lines");
	if (d->repeats && key)
		return refuse(d, "leave out one of them", "repeats: facts says that rows have no key, and columns maps one");
	if (d->complete && d->shape != SHAPE_ORDER_LINES)
		return refuse(d, "leave complete out", "complete: true is for the fact order-lines");
	if (lines && !order)
		return refuse(
			d, "map the column that holds the order's number to the field order", "columns: order is missing");
	d->order_of = lines ? order : NULL;
	d->partner_of = lines ? binding_of(d, TEXT("partner")) : NULL;
	for (const csv_field *f = d->fields; f->name; f++) {
		ent_str name = {f->name, strlen(f->name)};
		if (!f->required || d->required_given >> (f - d->fields) & 1 || binding_of(d, name))
			continue;
		if (d->repeats && !strcmp(f->name, "key"))
			continue;
		return refuse(d,
			lines && !strcmp(f->name, "key")
				? "map a column to it under columns; where rows have no number, set repeats: facts"
				: "map a column to it under columns, or give its value under constants",
			"%s needs the field %s (%s)", csv__shapes[d->shape], f->name, f->doc);
	}
	return 0;
}

ent_status csv__mapping(csv *d, const ent_value *o) {
	static const char groups[] = {0, ',', '.', ' ', '\''};
	static const ent_id_kind kinds[] = {ENT_ID_CUSTOMER, ENT_ID_EMAIL, ENT_ID_PHONE};
	ent_str dates;
	int e;
	d->shape = (csv_shape)o[OPT_FACT].i;
	d->fields = csv__fields(d->shape);
	d->decimal = o[OPT_DECIMAL].i ? ',' : '.';
	d->group = groups[o[OPT_GROUP].i];
	d->identity = kinds[o[OPT_IDENTITY].i];
	d->repeats = o[OPT_REPEATS].i == 1;
	d->complete = o[OPT_COMPLETE].i == 1;
	if (d->decimal == d->group)
		return (ent_status)refuse(d, "set both as the file writes them", "decimal and group are the same mark");
	if (copy(d, o[OPT_DATES].s, &dates))
		return ENT_ENOMEM;
	if ((e = columns(d, &o[OPT_COLUMNS], TEXT_IS(dates, "auto") ? NULL : dates.p)) ||
		(e = constants(d, &o[OPT_CONSTANTS])) || (e = values(d, &o[OPT_VALUES])) || (e = details(d, o)) ||
		(e = complete(d)))
		return (ent_status)e;
	return ENT_OK;
}
