/* SPDX-License-Identifier: Apache-2.0
 *
 * The table `ent_given`: rows in the memory of this process that a statement reads, so that one statement takes
 * thousands of them. Binding and running a statement for each row costs as much again as the row itself (measured: 1.07
 * against 0.55 microseconds for a new cell of 23 measures). Columns c0, c1, ...; one thread; owned by the store. */
#ifndef ENT_STORE_GIVEN_H
#define ENT_STORE_GIVEN_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#define ENT__GIVEN_COLUMNS 25 /* two of key and the widest family */
/* Rows of one statement. What it changed is kept in memory until it is through, in case it fails: so not too many. */
#define ENT__GIVEN_ROWS 4096

typedef struct ent__given {
	size_t n;  /* rows */
	size_t at; /* the row that the statement is at: functions that it calls may look */
	void *rows;
	/* Hands out one value of row `at`. */
	void (*column)(const struct ent__given *, sqlite3_context *, int column);
	uint32_t *marked; /* rows that a function of the statement picked out: ent__given_mark() */
	size_t n_marked;
} ent__given;

/* Makes the table known to the database. */
int ent__given_init(ent__given *, sqlite3 *);
void ent__given_finish(ent__given *);
void ent__given_mark(ent__given *);

#endif
