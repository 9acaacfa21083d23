/* SPDX-License-Identifier: Apache-2.0
 *
 * The table `ent_given`: rows in the memory of this process that a statement reads, so that one statement takes
 * thousands of them: binding and running a statement for each row costs as much again as the row. Columns c0, c1, ...;
 * one thread; owned by the store. */
#ifndef ENT_STORE_GIVEN_H
#define ENT_STORE_GIVEN_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#define ENT__GIVEN_COLUMNS 9 /* those of the table cell */
/* Rows of one statement. What it changed is kept in memory until it is through, in case it fails: so not too many. */
#define ENT__GIVEN_ROWS 4096

typedef struct ent__given {
	size_t n;  /* rows */
	size_t at; /* the row that the statement is at */
	void *rows;
	/* Hands out one value of row `at`. */
	void (*column)(const struct ent__given *, sqlite3_context *, int column);
} ent__given;

/* Makes the table known to the database. */
int ent__given_init(ent__given *, sqlite3 *);

#endif
