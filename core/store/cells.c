/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells in the database, see store.h. One thread. */
#include "store/sql.h"

#include <stdio.h>

static int too_large(ent_store *s, const ent_cell_key *k, ent_error *e) {
	ent_error_set(e, ENT_ERR_RANGE, "a code of a cell is too large: partner %u, view %u, currency %u, origin %u",
		k->partner, k->view, k->currency, k->origin);
	return ent_error_at(e, s->file, 0, 0), ENT_ERR_RANGE;
}

static int prepare(ent_store *s, ent_family f, ent_error *e) {
	if (s->cell_insert[f] && s->cell_add[f] && s->cell_drop[f]) {
		return 0;
	}
	char drop[128];
	ent_buf insert = {0}, add = {0};
	ent__schema_cell_insert(&insert, f);
	ent_buf_u8(&insert, 0);
	ent__schema_cell_add(&add, f);
	ent_buf_u8(&add, 0);
	snprintf(drop, sizeof drop, "DELETE FROM cell_%s WHERE partner_day = ?1 AND rest = ?2", ent_family_name(f));
	int status = ent__sql_keep(s, &s->cell_insert[f], (const char *)insert.data, e);
	status = status ? status : ent__sql_keep(s, &s->cell_add[f], (const char *)add.data, e);
	status = status ? status : ent__sql_keep(s, &s->cell_drop[f], drop, e);
	ent_buf_finish(&insert);
	ent_buf_finish(&add);
	return status;
}

/* Binds the cell and runs the statement; *done tells whether it found what it needs. */
static int try(ent_store *s, sqlite3_stmt *statement, const ent_cell *c, unsigned width, bool *done, ent_error *e) {
	ent__cell_key k = ent__cell_key_pack(&c->key);
	sqlite3_bind_int64(statement, 1, k.partner_day);
	sqlite3_bind_int64(statement, 2, k.rest);
	for (unsigned i = 0; i < width; i++) {
		sqlite3_bind_int64(statement, (int)i + 3, c->m[i]);
	}
	s->empty_row = false;
	int status = ent__sql_do(s, statement, "cell", e);
	*done = !status && sqlite3_changes(s->db) == 1;
	return status;
}

/* SQLite's upsert does both in one statement, at twice the price of a plain insert. New cells come in runs, and so do
 * known ones, so what was right for the cell before is tried first. */
static int add(ent_store *s, const ent_cell *c, unsigned width, bool *known, ent_error *e) {
	ent_family f = c->key.family;
	int64_t any = 0;
	for (unsigned i = 0; i < width; i++) {
		any |= c->m[i];
	}
	if (!any) {
		return 0; /* a row of zeros is no row */
	}
	if (!ent__cell_key_fits(&c->key)) {
		return too_large(s, &c->key, e);
	}
	bool done;
	int status = try(s, *known ? s->cell_add[f] : s->cell_insert[f], c, width, &done, e);
	if (!status && !done) {
		*known = !*known;
		status = try(s, *known ? s->cell_add[f] : s->cell_insert[f], c, width, &done, e);
	}
	if (!status && *known && s->empty_row) {
		ent__cell_key k = ent__cell_key_pack(&c->key);
		sqlite3_bind_int64(s->cell_drop[f], 1, k.partner_day);
		sqlite3_bind_int64(s->cell_drop[f], 2, k.rest);
		status = ent__sql_do(s, s->cell_drop[f], "cell", e);
	}
	return status;
}

int ent_store_cells_add(ent_store *s, const ent_cell *cells, size_t n, ent_error *e) {
	int status = 0;
	bool known = false;
	for (size_t i = 0; i < n && !status; i++) {
		ent_family f = cells[i].key.family;
		if (f >= ENT_FAMILY_COUNT) {
			return ent_error_set(e, ENT_ERR_INVALID, "there is no family %u", (unsigned)f);
		}
		status = prepare(s, f, e);
		status = status ? status : add(s, &cells[i], ent_family_width(f), &known, e);
	}
	return status;
}

int ent_store_cells_scan(ent_store *s, ent_family f, uint32_t partner, ent_cell_visit visit, void *ctx, ent_error *e) {
	char sql[160];
	sqlite3_stmt *statement = NULL;
	snprintf(sql, sizeof sql, "SELECT * FROM cell_%s WHERE partner_day BETWEEN ?1 AND ?2 ORDER BY partner_day, rest",
		ent_family_name(f));
	int status = ent__sql_keep(s, &statement, sql, e);
	if (status) {
		return status;
	}
	bool all = partner == UINT32_MAX;
	sqlite3_bind_int64(statement, 1, all ? 0 : (int64_t)((uint64_t)partner << 32));
	sqlite3_bind_int64(statement, 2, all ? INT64_MAX : (int64_t)((uint64_t)partner << 32 | UINT32_MAX));
	unsigned width = ent_family_width(f);
	ent_cell c = {0};
	for (int step; !status && (step = sqlite3_step(statement)) != SQLITE_DONE;) {
		if (step != SQLITE_ROW) {
			status = ent__sql_error(s, "cell", e);
			break;
		}
		c.key =
			ent__cell_key_unpack(sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1), (uint8_t)f);
		for (unsigned i = 0; i < width; i++) {
			c.m[i] = sqlite3_column_int64(statement, (int)i + 2);
		}
		status = visit(ctx, &c);
	}
	sqlite3_finalize(statement);
	return status;
}

int ent_store_cells_clear(ent_store *s, ent_error *e) {
	int status = ent__sql_run(s, "DELETE FROM cell_set; DELETE FROM cell_dist", e);
	for (unsigned f = 0; f < ENT_FAMILY_COUNT && !status; f++) {
		char sql[64];
		snprintf(sql, sizeof sql, "DELETE FROM cell_%s", ent_family_name(f));
		status = ent__sql_run(s, sql, e);
	}
	return status;
}
