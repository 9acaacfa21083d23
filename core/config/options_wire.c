/* SPDX-License-Identifier: Apache-2.0
 *
 * Option tables and values as bytes, see options_wire.h. Pure functions; any thread.
 *
 * text      u8 present, then u32 length and the bytes
 * table     u32 rows; each: text key, u8 type, u8 required, text preset, u32 choices and their texts, text doc, table
 * items values    u32 n; each: u8 type, u8 set, u64 i, text s, u8 keyed, values items, then as many texts as items if
 * keyed
 */
#include "config/options_wire.h"

#include <string.h>

enum {
	ROWS = 1024,    /* of one table: a plugin with more options than this is lost */
	ROW_BYTES = 17, /* least that a row takes, so that a count can be checked before memory is taken for it */
	VALUE_BYTES = 16,
	KEY_LONGEST = 128
};

size_t ent_options_count(const ent_option *table) {
	size_t n = 0;
	while (table && table[n].key) {
		n++;
	}
	return n;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

typedef struct writer {
	ent_buf *out;
	ent_error *e;
	size_t items;
	unsigned depth;
} writer;

static void put_text(writer *w, const char *p, size_t n) {
	ent_buf_u8(w->out, p != NULL);
	if (p) {
		ent_buf_bytes(w->out, p, n);
	}
}

static void put_string(writer *w, const char *text) { put_text(w, text, text ? strlen(text) : 0); }

static int count(writer *w, size_t n) {
	w->items += n;
	if (w->depth > ENT_WIRE_DEPTH || w->items > ENT_WIRE_ITEMS) {
		return ent_error_set(w->e, ENT_ERR_RANGE, "options are nested deeper than %d levels, or are more than %d",
			ENT_WIRE_DEPTH, ENT_WIRE_ITEMS);
	}
	return 0;
}

static int put_table(writer *w, const ent_option *table) {
	size_t n = ent_options_count(table);
	int status = 0;
	w->depth++;
	if ((status = count(w, n))) {
		return status;
	}
	ent_buf_u32(w->out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		const ent_option *o = &table[i];
		if ((unsigned)o->type > ENT_OPT_MAP) {
			return ent_error_set(w->e, ENT_ERR_RANGE, "option '%s' is of an unknown type %d", o->key, (int)o->type);
		}
		put_string(w, o->key);
		ent_buf_u8(w->out, (uint8_t)o->type);
		ent_buf_u8(w->out, o->required != 0);
		put_string(w, o->preset);
		uint32_t choices = 0;
		while (o->choices && o->choices[choices]) {
			choices++;
		}
		if ((status = count(w, choices))) {
			return status;
		}
		ent_buf_u32(w->out, choices);
		for (uint32_t k = 0; k < choices; k++) {
			put_string(w, o->choices[k]);
		}
		put_string(w, o->doc);
		if ((status = put_table(w, o->type == ENT_OPT_LIST || o->type == ENT_OPT_MAP ? o->item : NULL))) {
			return status;
		}
	}
	w->depth--;
	return 0;
}

static int put_values(writer *w, const ent_value *values, size_t n) {
	int status;
	w->depth++;
	if ((status = count(w, n))) {
		return status;
	}
	ent_buf_u32(w->out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		const ent_value *v = &values[i];
		bool nested = v->type == ENT_OPT_LIST || v->type == ENT_OPT_MAP;
		bool keyed = nested && v->keys && v->n;
		ent_buf_u8(w->out, v->type);
		ent_buf_u8(w->out, v->set);
		ent_buf_u64(w->out, (uint64_t)v->i);
		put_text(w, v->s.p, v->s.n);
		ent_buf_u8(w->out, keyed);
		if ((status = put_values(w, v->items, nested ? v->n : 0))) {
			return status;
		}
		for (size_t k = 0; keyed && k < v->n; k++) {
			put_text(w, v->keys[k].p, v->keys[k].n);
		}
	}
	w->depth--;
	return 0;
}

int ent_options_write(const ent_option *table, ent_buf *out, ent_error *e) {
	writer w = {.out = out, .e = e};
	size_t before = out->n;
	int status = put_table(&w, table);
	if (status) {
		out->n = before;
	}
	return status;
}

int ent_values_write(const ent_value *values, size_t n, ent_buf *out, ent_error *e) {
	writer w = {.out = out, .e = e};
	size_t before = out->n;
	int status = put_values(&w, values, n);
	if (status) {
		out->n = before;
	}
	return status;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

typedef struct reader {
	ent_read *from;
	ent_arena *arena;
	ent_error *e;
	size_t items;
	unsigned depth;
} reader;

static int torn(reader *r) {
	return ent_error_set(r->e, ENT_ERR_CORRUPT, "the bytes of the options end early, or make no sense");
}

static int unsound(reader *r, const char *key, const char *why) {
	return ent_error_set(r->e, ENT_ERR_CORRUPT, "option '%s' %s", key, why);
}

static ent_str get_text(reader *r) {
	uint8_t present = ent_read_u8(r->from);
	if (present > 1) {
		r->from->bad = true;
	}
	if (!present || r->from->bad) {
		return (ent_str){NULL, 0};
	}
	size_t n;
	const char *p = ent_read_bytes(r->from, &n);
	return p ? (ent_str){ent_arena_copy(r->arena, p, n), n} : (ent_str){NULL, 0};
}

/* A C string that is safe to print: what stands in a table ends up on terminals. */
static const char *get_string(reader *r, bool lines) {
	ent_str s = get_text(r);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c < 0x20 && !(lines && (c == '\n' || c == '\t'))) || c == 0x7f) {
			r->from->bad = true;
			return NULL;
		}
	}
	return s.p;
}

/* Takes a count whose items need at least `least` bytes each; UINT32_MAX: bad. */
static uint32_t get_count(reader *r, uint32_t most, size_t least) {
	uint32_t n = ent_read_u32(r->from);
	size_t left = (size_t)(r->from->end - r->from->p);
	if (r->from->bad || n > most || n > left / least || (r->items += n) > ENT_WIRE_ITEMS) {
		r->from->bad = true;
		return UINT32_MAX;
	}
	return n;
}

static int get_table(reader *r, const ent_option **out, uint32_t *count_out);

static int get_row(reader *r, ent_option *o) {
	const char *key = get_string(r, false);
	uint8_t type = ent_read_u8(r->from);
	uint8_t required = ent_read_u8(r->from);
	const char *preset = get_string(r, true);
	if (r->from->bad || !key || !*key || strlen(key) > KEY_LONGEST || type > ENT_OPT_MAP || required > 1) {
		return torn(r);
	}
	*o = (ent_option){.key = key, .type = (ent_opt_type)type, .required = required, .preset = preset};
	uint32_t n = get_count(r, ROWS, 5);
	if (n == UINT32_MAX) {
		return torn(r);
	}
	if ((n > 0) != (o->type == ENT_OPT_ENUM)) {
		return unsound(r, key, n ? "has choices, but is not of type ENUM" : "is of type ENUM, but has no choices");
	}
	if (n) {
		const char **choices = ent_arena_alloc(r->arena, (n + 1) * sizeof *choices);
		for (uint32_t i = 0; i < n; i++) {
			choices[i] = get_string(r, false);
			if (!choices[i]) {
				return torn(r);
			}
		}
		o->choices = choices;
	}
	o->doc = get_string(r, true);
	if (r->from->bad) {
		return torn(r);
	}
	uint32_t items;
	int status = get_table(r, &o->item, &items);
	if (status) {
		return status;
	}
	bool nested = o->type == ENT_OPT_LIST || o->type == ENT_OPT_MAP;
	if (nested && preset) {
		return unsound(r, key, "is of type LIST or MAP, which have no preset");
	}
	if (nested != (items > 0)) {
		return unsound(r, key,
			nested ? "is of type LIST or MAP, but does not say what it holds"
				   : "says what it holds, but is neither LIST nor MAP");
	}
	if (o->type == ENT_OPT_LIST && items != 1) {
		return unsound(r, key, "is of type LIST, so it takes exactly one row that says what it holds");
	}
	for (uint32_t i = 0; i < items; i++) {
		if (o->type == ENT_OPT_MAP && strcmp(o->item[i].key, "*") == 0 && items != 1) {
			return unsound(r, key, "has '*' beside other keys");
		}
	}
	if (!nested) {
		o->item = NULL;
	}
	return 0;
}

static int get_table(reader *r, const ent_option **out, uint32_t *count_out) {
	uint32_t n = get_count(r, ROWS, ROW_BYTES);
	if (n == UINT32_MAX || ++r->depth > ENT_WIRE_DEPTH + 1) {
		return torn(r);
	}
	ent_option *table = ent_arena_alloc(r->arena, (n + 1) * sizeof *table);
	for (uint32_t i = 0; i < n; i++) {
		int status = get_row(r, &table[i]);
		if (status) {
			return status;
		}
		for (uint32_t k = 0; k < i; k++) {
			if (strcmp(table[k].key, table[i].key) == 0) {
				return unsound(r, table[i].key, "stands twice in its table");
			}
		}
	}
	r->depth--;
	*out = table;
	*count_out = n;
	return 0;
}

static int get_values(reader *r, const ent_value **out, size_t *count_out) {
	uint32_t n = get_count(r, ENT_WIRE_ITEMS, VALUE_BYTES);
	if (n == UINT32_MAX || ++r->depth > ENT_WIRE_DEPTH + 1) {
		return torn(r);
	}
	ent_value *values = n ? ent_arena_alloc(r->arena, n * sizeof *values) : NULL;
	for (uint32_t i = 0; i < n; i++) {
		ent_value *v = &values[i];
		v->type = ent_read_u8(r->from);
		v->set = ent_read_u8(r->from);
		v->i = (int64_t)ent_read_u64(r->from);
		v->s = get_text(r);
		uint8_t keyed = ent_read_u8(r->from);
		if (r->from->bad || v->type > ENT_OPT_MAP || v->set > 1 || keyed > 1) {
			return torn(r);
		}
		int status = get_values(r, &v->items, &v->n);
		if (status) {
			return status;
		}
		if ((v->n && v->type != ENT_OPT_LIST && v->type != ENT_OPT_MAP) ||
			(keyed && (!v->n || v->type != ENT_OPT_MAP))) {
			return torn(r);
		}
		if (keyed) {
			ent_str *keys = ent_arena_alloc(r->arena, v->n * sizeof *keys);
			for (size_t k = 0; k < v->n; k++) {
				keys[k] = get_text(r);
				if (!keys[k].p) {
					return torn(r);
				}
			}
			v->keys = keys;
		}
	}
	r->depth--;
	*out = values;
	*count_out = n;
	return r->from->bad ? torn(r) : 0;
}

int ent_options_read(ent_read *from, ent_arena *arena, const ent_option **table, ent_error *e) {
	reader r = {.from = from, .arena = arena, .e = e};
	uint32_t n;
	*table = NULL;
	int status = get_table(&r, table, &n);
	for (uint32_t i = 0; status == 0 && i < n; i++) {
		if (strcmp((*table)[i].key, "*") == 0) {
			/* the values of a decoder are found by row, so its rows have to be known */
			status = unsound(&r, "*", "stands in the outermost table; put it into an option of type MAP");
		}
	}
	return status;
}

int ent_values_read(ent_read *from, ent_arena *arena, const ent_value **values, size_t *n, ent_error *e) {
	reader r = {.from = from, .arena = arena, .e = e};
	*values = NULL;
	*n = 0;
	return get_values(&r, values, n);
}
