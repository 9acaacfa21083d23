/* SPDX-License-Identifier: Apache-2.0
 *
 * Adding to cells in the database, see store.h. One thread.
 *
 * All cells of a partner's day are one row, under a single integer. So a commit of thousands of cells, which come
 * sorted, is one statement over a few rows, and those behind the last known row are appended without a look at what is
 * there. Days that are known are read, added to, and written anew, one by one. */
#include "base/arena.h"
#include "store/cell_text.h"
#include "store/members.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEY_NUMBERS = 4, COLUMNS = ENT_FAMILY_COUNT + 2 * ENT__MEMBER_KINDS + 1, CUSTOM = COLUMNS - 1 };

/* What changes in one day of one partner: [from, to) of each kind. */
typedef struct part {
	int64_t partner_day;
	const ent_cell_change *cells, *cells_end;
	const ent_members_change *sets, *sets_end, *dists, *dists_end;
} part;

/* The columns of a row; an empty buffer is NULL. */
typedef struct row {
	ent_buf families[ENT_FAMILY_COUNT];
	ent_buf lists[ENT__MEMBER_KINDS], bytes[ENT__MEMBER_KINDS];
	ent_buf custom; /* of all blocks, each row with its number in front */
} row;

typedef struct writer {
	ent_store *s;
	part *parts; /* that wait for the statement */
	size_t n;
	row row;
	size_t row_at; /* the part that the row is of, SIZE_MAX none */
	ent__merge merge;
	ent_cells_added added;
	int64_t last; /* row in the table, INT64_MIN none */
	int status;   /* of a call that the database made */
	ent_error *e;
} writer;

static int too_large(ent_store *s, ent_error *e) {
	ent_error_set(e, ENT_ERR_RANGE, "cells: a sum leaves 64 bits");
	return ent_error_at(e, s->file, 0, 0), ENT_ERR_RANGE;
}

/* ---- the cells of a family
 * --------------------------------------------------------------------------------------------- */

static void put_cell(ent_buf *b, const ent_cell_key *k, const int64_t *m, unsigned width) {
	while (width && !m[width - 1]) {
		width--;
	}
	if (!width) {
		return; /* a cell of zeros is no cell */
	}
	uint8_t *p = ent__text_begin(b, KEY_NUMBERS + 1 + width);
	if (k->family >= ENT_FAMILY_CUSTOM) {
		p = ent__text_small(p, k->family - ENT_FAMILY_CUSTOM);
	}
	p = ent__text_small(p, k->view);
	p = ent__text_small(p, k->value);
	p = ent__text_small(p, k->currency);
	p = ent__text_small(p, k->origin);
	for (unsigned i = 0; i < width; i++) {
		p = ent__text_small(p, m[i]);
	}
	ent__text_end(b, p);
}

bool ent__cell_next(ent_read *list, ent_cell *c) {
	int64_t numbers[ENT__TEXT_NUMBERS], *v = numbers;
	unsigned n = ent__text_next(list, v), width = ent_family_width(c->key.family);
	if (!n) {
		return false;
	}
	if (c->key.family >= ENT_FAMILY_CUSTOM) {
		if (v[0] < 0 || v[0] >= ENT_CUSTOM_BLOCKS) {
			list->bad = true;
			return false;
		}
		c->key.family = (uint8_t)(ENT_FAMILY_CUSTOM + *v++);
		n--;
	}
	if (n <= KEY_NUMBERS || n > KEY_NUMBERS + width || v[0] < 0 || v[0] > UINT8_MAX || v[1] < 0 || v[1] > UINT32_MAX ||
		v[2] < 0 || v[2] > UINT32_MAX || v[3] < 0 || v[3] > UINT8_MAX) {
		list->bad = true;
		return false;
	}
	c->key.view = (uint8_t)v[0];
	c->key.value = (uint32_t)v[1];
	c->key.currency = (uint32_t)v[2];
	c->key.origin = (uint8_t)v[3];
	memset(c->m, 0, sizeof c->m);
	memcpy(c->m, v + KEY_NUMBERS, (n - KEY_NUMBERS) * sizeof *v);
	return true;
}

/* The list of a family, or of all blocks behind it, `old` the stored one, with changes. */
static int merge_family(
	writer *w, unsigned family, const part *day, ent_read old, ent_buf *out, const ent_cell_change **at) {
	const ent_cell_change *c = *at, *end = c;
	unsigned width = ent_family_width(family);
	ent_cell cell = {.key = ent__cell_key_of_day(day->partner_day)};
	cell.key.family = (uint8_t)family;
	out->n = 0;
	while (end < day->cells_end && (end->key->family == family || (family == ENT_FAMILY_CUSTOM &&
		end->key->family >= family && end->key->family < ENT_FAMILY_OF_SETS))) {
		end++;
	}
	*at = end;
	bool has = ent__cell_next(&old, &cell);
	while (has || c < end) {
		int order = !has ? 1 : c == end ? -1 : ent_cell_key_compare(&cell.key, c->key);
		if (order > 0) {
			put_cell(out, c->key, c->m, width);
			c++;
			continue;
		}
		bool overflow = false;
		for (unsigned i = 0; i < width && !order; i++) {
			overflow |= __builtin_add_overflow(cell.m[i], c->m[i], &cell.m[i]);
		}
		c += !order;
		if (overflow) {
			return too_large(w->s, w->e);
		}
		put_cell(out, &cell.key, cell.m, width);
		has = ent__cell_next(&old, &cell);
	}
	return old.bad
			   ? ent__cells_damaged(w->s, &cell.key, ent_family_name(family), "the stored list cannot be read", w->e)
			   : 0;
}

/* ---- a row
 * ---------------------------------------------------------------------------------------------------------------- */

/* Makes the row of a day: what `old` is at (NULL: nothing) and the changes. */
static int make_row(writer *w, const part *day, sqlite3_stmt *old) {
	const ent_cell_change *at = day->cells;
	int status = 0;
	for (unsigned f = 0; f < ENT_FAMILY_COUNT && !status; f++) {
		status = merge_family(w, f, day, ent__column_at(old, (int)f), &w->row.families[f], &at);
	}
	status = status ? status : merge_family(w, ENT_FAMILY_CUSTOM, day, ent__column_at(old, CUSTOM), &w->row.custom, &at);
	if (!status && at < day->cells_end) {
		status = ent_error_set(w->e, ENT_ERR_INVALID, "there is no family %u", at->key->family);
	}
	for (int kind = 0; kind < ENT__MEMBER_KINDS && !status; kind++) {
		const ent_members_change *c = kind ? day->dists : day->sets, *end = kind ? day->dists_end : day->sets_end;
		ent__entries stored = {.list = ent__column_at(old, ENT_FAMILY_COUNT + kind),
			.bytes = ent__column_at(old, ENT_FAMILY_COUNT + ENT__MEMBER_KINDS + kind),
			.at.key = ent__cell_key_of_day(day->partner_day)};
		if (end > c && end[-1].key->family >= ent__shapes[kind].kinds) { /* they are sorted by it */
			return ent_error_set(
				w->e, ENT_ERR_INVALID, "%s: there is no %u", ent__shapes[kind].list, end[-1].key->family);
		}
		status = ent__members_merge(
			&w->merge, &ent__shapes[kind], stored, c, (size_t)(end - c), &w->row.lists[kind], &w->row.bytes[kind]);
	}
	return status;
}

static const ent_buf *column_of(const row *r, int i) {
	return i == CUSTOM                                ? &r->custom
		   : i < ENT_FAMILY_COUNT                     ? &r->families[i]
		   : i < ENT_FAMILY_COUNT + ENT__MEMBER_KINDS ? &r->lists[i - ENT_FAMILY_COUNT]
													  : &r->bytes[i - ENT_FAMILY_COUNT - ENT__MEMBER_KINDS];
}

static bool is_blob(int i) { return i >= ENT_FAMILY_COUNT + ENT__MEMBER_KINDS && i != CUSTOM; }

/* ---- many new ones
 * ---------------------------------------------------------------------------------------------------------- */

static void column(const ent__given *given, sqlite3_context *out, int i) {
	writer *w = given->rows;
	const part *p = &w->parts[given->at];
	if (i == 0) {
		sqlite3_result_int64(out, p->partner_day);
		return;
	}
	if (w->row_at != given->at) {
		w->status = make_row(w, p, NULL);
		w->row_at = given->at;
	}
	const ent_buf *b = column_of(&w->row, i - 1);
	if (w->status) {
		sqlite3_result_error(out, "cells", -1); /* ends the statement; w->e says it better */
	} else if (!b->n) {
		sqlite3_result_null(out);
	} else if (is_blob(i - 1)) {
		sqlite3_result_blob64(out, b->data, b->n, SQLITE_STATIC);
	} else {
		sqlite3_result_text64(out, (const char *)b->data, b->n, SQLITE_STATIC, SQLITE_UTF8);
	}
}

static int append(writer *w) {
	ent_store *s = w->s;
	int status = w->n ? ent__sql_keep(s, &s->cells_append, "INSERT INTO cell SELECT * FROM ent_given", w->e) : 0;
	if (status || !w->n) {
		return status;
	}
	s->given = (ent__given){.rows = w, .n = w->n, .column = column};
	w->row_at = SIZE_MAX;
	w->status = 0;
	ent_error e;
	status = ent__sql_do(s, s->cells_append, "cell", &e);
	if (status && !w->status) {
		*w->e = e;
	}
	s->given.n = 0;
	w->n = 0;
	return w->status ? w->status : status;
}

/* ---- one that is there
 * ------------------------------------------------------------------------------------------------------- */

static int prepare(ent_store *s, ent_error *e) {
	int status = ent__sql_keep(s, &s->cells_get, "SELECT " ENT__CELL_COLUMNS " FROM cell WHERE partner_day = ?1", e);
	status = status ? status : ent__sql_keep(s, &s->cells_put, "REPLACE INTO cell VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)", e);
	return status ? status : ent__sql_keep(s, &s->cells_drop, "DELETE FROM cell WHERE partner_day = ?1", e);
}

static int put(writer *w, int64_t partner_day) {
	bool any = false;
	for (int i = 0; i < COLUMNS; i++) {
		any |= column_of(&w->row, i)->n > 0;
	}
	sqlite3_stmt *statement = any ? w->s->cells_put : w->s->cells_drop;
	sqlite3_bind_int64(statement, 1, partner_day);
	for (int i = 0; i < COLUMNS && any; i++) {
		const ent_buf *b = column_of(&w->row, i);
		if (!b->n) {
			sqlite3_bind_null(statement, i + 2);
		} else if (is_blob(i)) {
			sqlite3_bind_blob64(statement, i + 2, b->data, b->n, SQLITE_STATIC);
		} else {
			sqlite3_bind_text64(statement, i + 2, (const char *)b->data, b->n, SQLITE_STATIC, SQLITE_UTF8);
		}
	}
	return ent__sql_do(w->s, statement, "cell", w->e);
}

static int change(writer *w, const part *p) {
	int status = prepare(w->s, w->e);
	if (status) {
		return status;
	}
	sqlite3_stmt *get = w->s->cells_get;
	sqlite3_bind_int64(get, 1, p->partner_day);
	int step = sqlite3_step(get);
	w->added.known += step == SQLITE_ROW;
	w->added.fresh += step == SQLITE_DONE;
	status = step == SQLITE_ROW || step == SQLITE_DONE ? make_row(w, p, step == SQLITE_ROW ? get : NULL)
													   : ent__sql_error(w->s, "cell", w->e);
	sqlite3_reset(get);
	return status ? status : put(w, p->partner_day);
}

/* ---- all
 * ------------------------------------------------------------------------------------------------------------------------
 */

static int64_t day_of(const ent_cell_key *k) { return ent__partner_day(k->partner, k->day); }

static int find_last(writer *w) {
	sqlite3_stmt *statement = NULL;
	int status = ent__sql_keep(w->s, &statement, "SELECT max(partner_day) FROM cell", w->e);
	if (!status && sqlite3_step(statement) != SQLITE_ROW) {
		status = ent__sql_error(w->s, "cell", w->e);
	}
	w->last = INT64_MIN;
	if (!status && sqlite3_column_type(statement, 0) == SQLITE_INTEGER) {
		w->last = sqlite3_column_int64(statement, 0);
	}
	sqlite3_finalize(statement);
	return status;
}

/* The next day of those that are left in `rest`; INT64_MAX: none. */
static part next_part(part *rest) {
	part p = *rest;
	int64_t day = INT64_MAX;
	day = p.cells < p.cells_end && day_of(p.cells->key) < day ? day_of(p.cells->key) : day;
	day = p.sets < p.sets_end && day_of(p.sets->key) < day ? day_of(p.sets->key) : day;
	day = p.dists < p.dists_end && day_of(p.dists->key) < day ? day_of(p.dists->key) : day;
	p.partner_day = day;
	while (rest->cells < rest->cells_end && day_of(rest->cells->key) == day) {
		rest->cells++;
	}
	while (rest->sets < rest->sets_end && day_of(rest->sets->key) == day) {
		rest->sets++;
	}
	while (rest->dists < rest->dists_end && day_of(rest->dists->key) == day) {
		rest->dists++;
	}
	p.cells_end = rest->cells;
	p.sets_end = rest->sets;
	p.dists_end = rest->dists;
	return p;
}

static void finish(writer *w) {
	for (int i = 0; i < COLUMNS; i++) {
		ent_buf_finish((ent_buf *)column_of(&w->row, i));
	}
	ent__members_finish(&w->merge.change);
	ent__members_finish(&w->merge.old);
	ent__members_finish(&w->merge.sum);
	free(w->parts);
}

int ent_store_cells_add(ent_store *s, const ent_cells_flush *f, ent_cells_added *added, ent_error *e) {
	if (added) {
		*added = (ent_cells_added){0};
	}
	if (!f->n_cells && !f->n_sets && !f->n_dists) {
		return 0;
	}
	writer w = {.s = s, .e = e, .merge = {.s = s, .e = e}};
	part rest = {.cells = f->cells,
		.cells_end = f->cells + f->n_cells,
		.sets = f->sets,
		.sets_end = f->sets + f->n_sets,
		.dists = f->dists,
		.dists_end = f->dists + f->n_dists};
	w.parts = ent_xmalloc(ENT__GIVEN_ROWS * sizeof *w.parts);
	int status = find_last(&w);
	while (!status && (rest.cells < rest.cells_end || rest.sets < rest.sets_end || rest.dists < rest.dists_end)) {
		part p = next_part(&rest);
		if (p.partner_day < 0) {
			ent_error_set(e, ENT_ERR_RANGE, "the code of a cell's partner is too large");
			ent_error_at(e, s->file, 0, 0);
			status = ENT_ERR_RANGE;
		} else if (p.partner_day <= w.last) {
			status = change(&w, &p);
		} else {
			w.parts[w.n++] = p;
			w.added.fresh++;
			status = w.n == ENT__GIVEN_ROWS ? append(&w) : 0;
		}
	}
	status = status ? status : append(&w);
	if (added) {
		*added = w.added;
	}
	finish(&w);
	return status;
}

int ent_store_cells_clear(ent_store *s, ent_error *e) { return ent__sql_run(s, "DELETE FROM cell", e); }
