/* SPDX-License-Identifier: Apache-2.0
 *
 * The balance sheet: two equations for every source, see sheet.h. */
#include "command/sheet.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 8 }; /* sources whose tables fit beside the portfolio */

/* A term of an equation, or a state of facts that is shown beside it. */
typedef struct term {
	const char *name;
	size_t offset;
} term;

#define T(name)                                                                                                        \
	{ #name, offsetof(ent_balance, name) }
static const term records[] = {T(records), T(consumed), T(rejected), T(skipped), {0}};
static const term facts[] = {
	T(received), T(stored), T(replaced), T(duplicate), T(superseded), T(merged), T(refused), {0}};
static const term states[] = {T(parked), T(pending), {0}};

static uint64_t value_of(const ent_balance *b, const term *t) {
	return *(const uint64_t *)((const char *)b + t->offset);
}

/* Left side less right side. */
static __int128 off(const ent_balance *b, const term *equation) {
	__int128 rest = value_of(b, equation);
	for (const term *t = equation + 1; t->name; t++) {
		rest -= value_of(b, t);
	}
	return rest;
}

static bool closes(const ent_balance *b) { return !off(b, records) && !off(b, facts); }

/* ---- loading ----------------------------------------------------------------------------------------------------- */

typedef struct loading {
	ent__sheet *sheet;
	ent__sheet_name name;
	const void *ctx;
} loading;

static int take(void *ctx, const ent_balance *b) {
	loading *l = ctx;
	ent__sheet *s = l->sheet;
	const char *source = l->name(l->ctx, b->source);
	ENT_GROW(s->rows, s->n, s->capacity);
	s->rows[s->n++] = (struct ent__sheet_row){*b, ent_arena_copy(&s->arena, source, strlen(source))};
	s->open += !closes(b);
	return 0;
}

int ent__sheet_load(ent__sheet *sheet, ent_store *store, ent__sheet_name name, const void *ctx, ent_error *e) {
	loading l = {sheet, name, ctx};
	return ent_store_balance_scan(store, take, &l, e);
}

void ent__sheet_finish(ent__sheet *sheet) {
	free(sheet->rows);
	ent_arena_finish(&sheet->arena);
	*sheet = (ent__sheet){0};
}

/* ---- showing ----------------------------------------------------------------------------------------------------- */

static void members(ent_json *json, const ent_balance *b, const term *terms) {
	for (const term *t = terms; t->name; t++) {
		ent_json_key(json, t->name);
		ent_json_uint(json, value_of(b, t));
	}
}

void ent__sheet_json(const ent__sheet *sheet, ent_json *json) {
	ent_json_array(json);
	for (size_t i = 0; i < sheet->n; i++) {
		const ent_balance *b = &sheet->rows[i].b;
		ent_json_object(json);
		ent_json_key(json, "source");
		ent_json_text(json, sheet->rows[i].source);
		members(json, b, records);
		members(json, b, facts);
		members(json, b, states);
		ent_json_key(json, "bytes");
		ent_json_uint(json, b->bytes);
		ent_json_key(json, "waits");
		ent_json_uint(json, b->waits);
		ent_json_key(json, "waited_seconds");
		ent_json_double(json, (double)b->waited_us / 1e6);
		ent_json_key(json, "closes");
		ent_json_bool(json, closes(b));
		ent_json_end(json);
	}
	ent_json_end(json);
}

static void number(ent_table *table, uint64_t value) {
	char text[ENT_NUMBER_TEXT];
	ent_table_styled(table, value ? ENT_PLAIN : ENT_FAINT, ent_number_text(value, 0, 0, text));
}

static void row(ent_table *table, const struct ent__sheet_row *r, const term *equation, const term *beside) {
	char text[ENT_NUMBER_TEXT];
	ent_table_styled(table, ENT_ACCENT, r->source);
	for (const term *t = equation; t->name; t++) {
		number(table, value_of(&r->b, t));
	}
	__int128 rest = off(&r->b, equation);
	if (rest) {
		ent_table_printf(table, ENT_BAD, "off by %s", ent_number_text(rest, 0, 0, text));
	} else {
		ent_table_styled(table, ENT_GOOD, "closes");
	}
	for (const term *t = beside; t && t->name; t++) {
		number(table, value_of(&r->b, t));
	}
}

/* How often decoders had to wait until the core had folded what they had handed over, and how long in all. */
static void waiting(ent_table *table, const ent_balance *b) {
	number(table, b->waits);
	ent_table_printf(table, b->waits ? ENT_PLAIN : ENT_FAINT, "%.1f s", (double)b->waited_us / 1e6);
}

static bool needs_a_look(const ent_balance *b) { return b->rejected || b->refused || b->parked || !closes(b); }

static void tables(const ent__sheet *sheet, const ent_term *term_, ent_buf *out, bool all) {
	static const ent_table_column of_records[] = {{"source", false, false}, {"records", true, true},
		{"= consumed", true, true}, {"+ rejected", true, true}, {"+ skipped", true, true}, {"", false, true},
		{"waits", true, true}, {"waited", true, true}, {0}};
	static const ent_table_column of_facts[] = {{"source", false, false}, {"facts received", true, true},
		{"= stored", true, true}, {"+ replaced", true, true}, {"+ duplicate", true, true}, {"+ superseded", true, true},
		{"+ merged", true, true}, {"+ refused", true, true}, {"", false, true}, {"parked", true, true},
		{"pending", true, true}, {0}};
	ent_table first, second;
	ent_table_init(&first, of_records);
	ent_table_init(&second, of_facts);
	for (size_t i = 0; i < sheet->n; i++) {
		if (all || needs_a_look(&sheet->rows[i].b)) {
			row(&first, &sheet->rows[i], records, NULL);
			waiting(&first, &sheet->rows[i].b);
			row(&second, &sheet->rows[i], facts, states);
		}
	}
	if (ent_table_rows(&first)) {
		ent_table_print(&first, term_, out);
		ent_buf_u8(out, '\n');
		ent_table_print(&second, term_, out);
	}
	ent_table_finish(&first);
	ent_table_finish(&second);
}

void ent__sheet_tables(const ent__sheet *sheet, const ent_term *term_, ent_buf *out) {
	tables(sheet, term_, out, true);
}

void ent__sheet_brief(const ent__sheet *sheet, const ent_term *term_, ent_buf *out) {
	if (sheet->n <= FEW) {
		tables(sheet, term_, out, true);
		return;
	}
	char read[ENT_NUMBER_TEXT], received[ENT_NUMBER_TEXT], rejected[ENT_NUMBER_TEXT];
	__int128 r = 0, f = 0, bad = 0;
	size_t look = 0;
	for (size_t i = 0; i < sheet->n; i++) {
		const ent_balance *b = &sheet->rows[i].b;
		r += b->records;
		f += b->received;
		bad += b->rejected;
		look += needs_a_look(b);
	}
	ent_term_text(term_, out, ENT_BOLD, "Balance: ");
	if (sheet->open) {
		ent_term_printf(term_, out, ENT_BAD, "%zu of %zu sources do not close", sheet->open, sheet->n);
	} else {
		ent_term_printf(term_, out, ENT_GOOD, "all %zu sources close", sheet->n);
	}
	ent_buf_printf(out, "; %s records, %s facts, %s rejected; `entente balance` shows each\n",
		ent_number_text(r, 0, 0, read), ent_number_text(f, 0, 0, received), ent_number_text(bad, 0, 0, rejected));
	if (look) {
		ent_buf_u8(out, '\n');
		tables(sheet, term_, out, false);
	}
}
