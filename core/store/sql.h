/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the store share: its struct, statements, and the generic way of rows. One thread. */
#ifndef ENT_STORE_SQL_H
#define ENT_STORE_SQL_H

#include "store/given.h"
#include "store/schema.h"
#include "store/store.h"

#include <pthread.h>
#include <sqlite3.h>

enum { ENT__SETS, ENT__DISTS, ENT__MEMBER_KINDS };

struct ent_store {
	struct ent__rules_known *rules; /* said.c */
	struct ent__tidy *tidy;         /* tidy.c */
	char *folder, *file;
	sqlite3 *db;
	int lock;
	bool writable;
	bool owned; /* see ent_store_take() */
	pthread_t owner;
	ent__given given; /* what a statement is reading */
	/* Kept statements; NULL until first used. */
	sqlite3_stmt *put[ENT__TABLES];
	sqlite3_stmt *input_add, *input_set, *record_drop, *covers_drop, *rejects_drop, *rejects_expire, *findings_close, *finding_live, *meta_get, *sets_of_day;
	sqlite3_stmt *notice_id, *notice_waiting, *notice_drop, *notice_over, *notice_alert;
	sqlite3_stmt *release_drop;
	sqlite3_stmt *cells_append, *cells_get, *cells_put, *cells_drop;
};

/* Sets `e` from the database's last error; returns its code. */
int ent__sql_error(ent_store *, const char *doing, ent_error *e);
/* One or many statements without parameters. */
int ent__sql_run(ent_store *, const char *sql, ent_error *e);
/* Prepares *kept if it is NULL. */
int ent__sql_keep(ent_store *, sqlite3_stmt **kept, const char *sql, ent_error *e);
/* Runs a statement that gives no rows, and makes it ready for the next time. */
int ent__sql_do(ent_store *, sqlite3_stmt *, const char *doing, ent_error *e);

/* said.c */
void ent__said_close(ent_store *);

/* tidy.c: from now on the log is emptied beside the work, until it is closed. */
void ent__tidy_open(ent_store *);
void ent__tidy_close(ent_store *);

/* Binds a row's columns to ?1, ?2, ... Texts stay borrowed until the statement was run. */
void ent__row_bind(sqlite3_stmt *, const ent__table *, const void *row);
/* Upsert by the table's rules. */
int ent__row_put(ent_store *, ent__table_id, const void *row, ent_error *e);
/* A scan's row: texts are borrowed from the statement. Stops when it returns nonzero, and the scan returns that. */
typedef int (*ent__row_visit)(void *ctx, const void *row);
/* `tail` follows the table's name ("WHERE ... ORDER BY ..."); it has at most ?1 to ?4. */
typedef struct ent__row_args {
	int64_t a, b;
	const char *text; /* if not NULL: ?1, instead of a */
	const char *more[3]; /* if not NULL: ?2, ?3, ?4, instead of b */
} ent__row_args;
int ent__row_scan(ent_store *, ent__table_id, const char *tail, ent__row_args, ent__row_visit, void *ctx, ent_error *e);

#endif
