/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells in the database, see store.h. One thread. */
#include "base/arena.h"
#include "store/sql.h"

#include <stdio.h>
#include <stdlib.h>

static int too_large(ent_store *s, const ent_cell_key *k, ent_error *e) {
	ent_error_set(e, ENT_ERR_RANGE, "a code of a cell is too large: partner %u, view %u, currency %u, origin %u",
		k->partner, k->view, k->currency, k->origin);
	return ent_error_at(e, s->file, 0, 0), ENT_ERR_RANGE;
}

static int prepare(ent_store *s, ent_family f, ent_error *e) {
	if (s->cell_add[f] && s->cell_drop[f]) {
		return 0;
	}
	ent_buf add = {0}, drop = {0};
	ent__schema_cell_add(&add, f);
	ent_buf_u8(&add, 0);
	ent__schema_cell_drop(&drop, f);
	ent_buf_u8(&drop, 0);
	int status = ent__sql_keep(s, &s->cell_add[f], (const char *)add.data, e);
	status = status ? status : ent__sql_keep(s, &s->cell_drop[f], (const char *)drop.data, e);
	ent_buf_finish(&add);
	ent_buf_finish(&drop);
	return status;
}

static void column(const ent__given *given, sqlite3_context *out, int i) {
	const ent_cell *c = ((const ent_cell **)given->rows)[given->at];
	if (i >= 2) {
		sqlite3_result_int64(out, c->m[i - 2]);
	} else {
		ent__cell_key k = ent__cell_key_pack(&c->key);
		sqlite3_result_int64(out, i ? k.rest : k.partner_day);
	}
}

/* Adds cells of one family, ENT__GIVEN_ROWS at most. */
static int add(ent_store *s, ent_family f, const ent_cell **cells, size_t n, ent_error *e) {
	int status = n ? prepare(s, f, e) : 0;
	if (status || !n) {
		return status;
	}
	s->given.rows = cells;
	s->given.n = n;
	s->given.column = column;
	s->given.n_marked = 0;
	status = ent__sql_do(s, s->cell_add[f], "cell", e);
	for (size_t i = 0; i < s->given.n_marked && !status; i++) {
		ent__cell_key k = ent__cell_key_pack(&cells[s->given.marked[i]]->key);
		sqlite3_bind_int64(s->cell_drop[f], 1, k.partner_day);
		sqlite3_bind_int64(s->cell_drop[f], 2, k.rest);
		status = ent__sql_do(s, s->cell_drop[f], "cell", e);
	}
	s->given.n = 0;
	return status;
}

static bool is_zero(const ent_cell *c, unsigned width) {
	int64_t any = 0;
	for (unsigned i = 0; i < width; i++) {
		any |= c->m[i];
	}
	return !any;
}

int ent_store_cells_add(ent_store *s, const ent_cell *cells, size_t n, ent_error *e) {
	const ent_cell **rows = ent_xmalloc(ENT__GIVEN_ROWS * sizeof *rows);
	ent_family family = ENT_SALES; /* of the rows gathered */
	size_t gathered = 0;
	int status = 0;
	for (size_t i = 0; i < n && !status; i++) {
		const ent_cell *c = &cells[i];
		if (c->key.family >= ENT_FAMILY_COUNT) {
			status = ent_error_set(e, ENT_ERR_INVALID, "there is no family %u", c->key.family);
		} else if (!ent__cell_key_fits(&c->key)) {
			status = too_large(s, &c->key, e);
		} else if (!is_zero(c, ent_family_width(c->key.family))) { /* a row of zeros is no row */
			if (gathered == ENT__GIVEN_ROWS || family != c->key.family) {
				status = add(s, family, rows, gathered, e);
				gathered = 0;
				family = c->key.family;
			}
			rows[gathered++] = c;
		}
	}
	status = status ? status : add(s, family, rows, gathered, e);
	free(rows);
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
