/* SPDX-License-Identifier: Apache-2.0
 *
 * A virtual table over rows in memory, see given.h. */
#include "store/given.h"
#include "base/arena.h"
#include "base/buf.h"

#include <stdlib.h>

typedef struct given_table {
	sqlite3_vtab base;
	ent__given *given;
} given_table;

static ent__given *given_of(sqlite3_vtab_cursor *cursor) { return ((given_table *)cursor->pVtab)->given; }

static int connect(sqlite3 *db, void *given, int n, const char *const *words, sqlite3_vtab **out, char **why) {
	(void)n;
	(void)words;
	(void)why;
	ent_buf sql = {0};
	ent_buf_printf(&sql, "CREATE TABLE x(c0 INTEGER");
	for (int i = 1; i < ENT__GIVEN_COLUMNS; i++) {
		ent_buf_printf(&sql, ", c%d", i);
	}
	ent_buf_printf(&sql, ")");
	ent_buf_u8(&sql, 0);
	int status = sqlite3_declare_vtab(db, (const char *)sql.data);
	ent_buf_finish(&sql);
	if (status == SQLITE_OK) {
		given_table *t = ent_xcalloc(1, sizeof *t);
		t->given = given;
		*out = &t->base;
		sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	}
	return status;
}

static int disconnect(sqlite3_vtab *table) {
	free(table);
	return SQLITE_OK;
}

static int best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
	(void)table;
	info->estimatedRows = ENT__GIVEN_ROWS;
	info->estimatedCost = ENT__GIVEN_ROWS;
	return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out) {
	(void)table;
	*out = ent_xcalloc(1, sizeof **out);
	return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor) {
	free(cursor);
	return SQLITE_OK;
}

static int first(sqlite3_vtab_cursor *cursor, int index, const char *name, int n, sqlite3_value **values) {
	(void)index;
	(void)name;
	(void)n;
	(void)values;
	given_of(cursor)->at = 0;
	return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *cursor) {
	given_of(cursor)->at++;
	return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *cursor) { return given_of(cursor)->at >= given_of(cursor)->n; }

static int column(sqlite3_vtab_cursor *cursor, sqlite3_context *out, int i) {
	const ent__given *given = given_of(cursor);
	given->column(given, out, i);
	return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out) {
	*out = (sqlite3_int64)given_of(cursor)->at;
	return SQLITE_OK;
}

/* No xCreate: the table is there under the module's name, and nothing of it gets into the file. */
static const sqlite3_module module = {
	.iVersion = 1,
	.xConnect = connect,
	.xBestIndex = best_index,
	.xDisconnect = disconnect,
	.xDestroy = disconnect,
	.xOpen = open_cursor,
	.xClose = close_cursor,
	.xFilter = first,
	.xNext = next,
	.xEof = at_end,
	.xColumn = column,
	.xRowid = row_id,
};

int ent__given_init(ent__given *given, sqlite3 *db) {
	return sqlite3_create_module(db, "ent_given", &module, given);
}
