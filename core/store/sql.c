/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements and rows, see sql.h. */
#include "store/sql.h"
#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int ent__sql_error(ent_store *s, const char *doing, ent_error *e) {
	int full = sqlite3_extended_errcode(s->db), code = ENT_ERR_IO;
	if (full == SQLITE_CONSTRAINT_DATATYPE) {
		ent_error_set(e, ENT_ERR_RANGE, "%s: a sum leaves 64 bits", doing);
		ent_error_at(e, s->file, 0, 0);
		return ENT_ERR_RANGE;
	}
	switch (full & 0xff) {
	case SQLITE_NOMEM:
		code = ENT_ERR_NOMEM;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		code = ENT_ERR_BUSY;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		code = ENT_ERR_CORRUPT;
		break;
	case SQLITE_TOOBIG:
		code = ENT_ERR_RANGE;
		break;
	default:
		break;
	}
	ent_error_set(e, code, "%s: %s", doing, sqlite3_errmsg(s->db));
	ent_error_at(e, s->file, 0, 0);
	return code;
}

/* Asked by assertions alone. */
__attribute__((unused)) static inline bool owned(const ent_store *s) { return s->owned && pthread_equal(s->owner, pthread_self()); }

int ent__sql_run(ent_store *s, const char *sql, ent_error *e) {
	assert(owned(s));
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : ent__sql_error(s, "the store", e);
}

int ent__sql_keep(ent_store *s, sqlite3_stmt **kept, const char *sql, ent_error *e) {
	assert(owned(s));
	if (*kept || sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, kept, NULL) == SQLITE_OK) {
		return 0;
	}
	return ent__sql_error(s, "the store", e);
}

int ent__sql_do(ent_store *s, sqlite3_stmt *statement, const char *doing, ent_error *e) {
	int step = sqlite3_step(statement);
	int status = step == SQLITE_DONE || step == SQLITE_ROW ? 0 : ent__sql_error(s, doing, e);
	sqlite3_reset(statement);
	return status;
}

/* memcpy: offsets are right, but the compiler cannot know the type behind them. */
#define LOAD(type, p) (*(type *)memcpy(&(type){0}, (p), sizeof(type)))

static void bind_text(sqlite3_stmt *statement, int at, const char *text, size_t n) {
	sqlite3_bind_text64(statement, at, text ? text : "", text ? n : 0, SQLITE_STATIC, SQLITE_UTF8);
}

void ent__row_bind(sqlite3_stmt *statement, const ent__table *t, const void *row) {
	int at = 1;
	for (const ent__column *c = t->columns; c->name; c++, at++) {
		const char *p = (const char *)row + c->offset;
		switch ((ent__type)c->type) {
		case ENT__U8:
			sqlite3_bind_int64(statement, at, LOAD(uint8_t, p));
			break;
		case ENT__U32:
			sqlite3_bind_int64(statement, at, LOAD(uint32_t, p));
			break;
		case ENT__I32:
			sqlite3_bind_int64(statement, at, LOAD(int32_t, p));
			break;
		case ENT__U64:
		case ENT__I64:
			sqlite3_bind_int64(statement, at, LOAD(int64_t, p));
			break;
		case ENT__CHARS:
			bind_text(statement, at, p, strnlen(p, c->size));
			break;
		case ENT__TEXT: {
			const char *text = LOAD(const char *, p);
			bind_text(statement, at, text, text ? strlen(text) : 0);
			break;
		}
		case ENT__TEXT_N:
			bind_text(statement, at, LOAD(const char *, p), LOAD(size_t, (const char *)row + c->size));
			break;
		case ENT__BLOB_N: {
			const void *bytes = LOAD(const void *, p);
			size_t n = LOAD(size_t, (const char *)row + c->size);
			sqlite3_bind_blob64(statement, at, bytes && n ? bytes : "", bytes ? n : 0, SQLITE_STATIC);
			break;
		}
		}
	}
}

#define STORE(type, p, value) memcpy((p), &(type){(type)(value)}, sizeof(type))

static void read_row(sqlite3_stmt *statement, const ent__table *t, void *row) {
	int at = 0;
	memset(row, 0, t->row);
	for (const ent__column *c = t->columns; c->name; c++, at++) {
		char *p = (char *)row + c->offset;
		switch ((ent__type)c->type) {
		case ENT__U8:
			STORE(uint8_t, p, sqlite3_column_int64(statement, at));
			break;
		case ENT__U32:
			STORE(uint32_t, p, sqlite3_column_int64(statement, at));
			break;
		case ENT__I32:
			STORE(int32_t, p, sqlite3_column_int64(statement, at));
			break;
		case ENT__U64:
		case ENT__I64:
			STORE(int64_t, p, sqlite3_column_int64(statement, at));
			break;
		case ENT__CHARS: {
			const unsigned char *text = sqlite3_column_text(statement, at);
			size_t n = (size_t)sqlite3_column_bytes(statement, at);
			memcpy(p, text ? (const char *)text : "", n < c->size ? n : c->size - 1u);
			break;
		}
		case ENT__TEXT:
		case ENT__TEXT_N: {
			const unsigned char *text = sqlite3_column_text(statement, at);
			STORE(const char *, p, text ? (const char *)text : "");
			if (c->type == ENT__TEXT_N) {
				STORE(size_t, (char *)row + c->size, sqlite3_column_bytes(statement, at));
			}
			break;
		}
		case ENT__BLOB_N:
			STORE(const void *, p, sqlite3_column_blob(statement, at));
			STORE(size_t, (char *)row + c->size, sqlite3_column_bytes(statement, at));
			break;
		}
	}
}

int ent__row_put(ent_store *s, ent__table_id id, const void *row, ent_error *e) {
	const ent__table *t = &ent__tables[id];
	if (!s->put[id]) {
		ent_buf sql = {0};
		ent__schema_insert(&sql, t);
		ent__schema_upsert(&sql, t);
		ent_buf_u8(&sql, 0);
		int status = ent__sql_keep(s, &s->put[id], (const char *)sql.data, e);
		ent_buf_finish(&sql);
		if (status) {
			return status;
		}
	}
	ent__row_bind(s->put[id], t, row);
	return ent__sql_do(s, s->put[id], t->name, e);
}

int ent__row_scan(ent_store *s, ent__table_id id, const char *tail, ent__row_args args, ent__row_visit visit, void *ctx,
	ent_error *e) {
	const ent__table *t = &ent__tables[id];
	ent_buf sql = {0};
	ent__schema_select(&sql, t);
	ent_buf_printf(&sql, " %s", tail);
	ent_buf_u8(&sql, 0);
	/* Prepared anew each time: a visitor may well begin the same scan. */
	sqlite3_stmt *statement = NULL;
	int status = ent__sql_keep(s, &statement, (const char *)sql.data, e);
	ent_buf_finish(&sql);
	if (status) {
		return status;
	}
	if (args.text) {
		bind_text(statement, 1, args.text, strlen(args.text));
	} else {
		sqlite3_bind_int64(statement, 1, args.a);
	}
	sqlite3_bind_int64(statement, 2, args.b);
	for (int i = 0; i < 3; i++) {
		if (args.more[i]) {
			bind_text(statement, i + 2, args.more[i], strlen(args.more[i]));
		}
	}
	void *row = ent_xmalloc(t->row);
	int step;
	while (!status && (step = sqlite3_step(statement)) != SQLITE_DONE) {
		if (step == SQLITE_ROW) {
			read_row(statement, t, row);
			status = visit(ctx, row);
		} else {
			status = ent__sql_error(s, t->name, e);
		}
	}
	free(row);
	sqlite3_finalize(statement);
	return status;
}
