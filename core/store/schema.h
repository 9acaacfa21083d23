/* SPDX-License-Identifier: Apache-2.0
 *
 * The schema as constant tables: from them come the tables of the database, the views that people read, the statements,
 * and the way of a row between its struct and the database. Any thread. */
#ifndef ENT_STORE_SCHEMA_H
#define ENT_STORE_SCHEMA_H

#include "base/buf.h"
#include "metrics/cells.h"

#include <stdint.h>

#define ENT__SCHEMA_APPLICATION 0x456e7465 /* "Ente" in the file's head */
#define ENT__SCHEMA_VERSION 5
#define ENT__SCHEMA_OLDEST 2 /* that is brought up to this one in place: it lacks but tables and columns */

typedef enum ent__type {
	ENT__U8,
	ENT__U32,
	ENT__I32,
	ENT__U64, /* stored as the int64 of the same bits */
	ENT__I64,
	ENT__CHARS, /* char[size] in the struct */
	ENT__TEXT,  /* const char *, terminated; NULL is "" */
	ENT__TEXT_N, /* const char * at offset, size_t at `size` */
	ENT__BLOB_N
} ent__type;

typedef enum ent__update { ENT__SET, ENT__KEY, ENT__KEEP, ENT__ADD, ENT__STATE, ENT__LIFE } ent__update;

typedef enum ent__show { ENT__PLAIN, ENT__DAY, ENT__CODE } ent__show; /* in the readable view */

typedef struct ent__column {
	const char *name; /* NULL ends the list */
	uint8_t type, update, show;
	uint16_t offset, size;
} ent__column;

/* Rows that have no public struct. */
typedef struct ent__meta_row {
	const char *key, *value;
} ent__meta_row;
typedef struct ent__code_row {
	uint32_t kind, id;
	const char *text;
	size_t n;
} ent__code_row;
typedef struct ent__rule_row {
	uint32_t number;
	const char *name;
} ent__rule_row;
/* What all rules said of one partner: most of it are texts that are alike, so it is packed by zstd. */
typedef struct ent__said_row {
	const char *partner;
	int32_t as_of;
	uint64_t run;
	const char *verdicts; /* a letter for each rule, by its number; ' ': it said nothing */
	size_t n_verdicts;
	uint64_t size;        /* of the records before they were packed */
	const void *packed;
	size_t n_packed;
} ent__said_row;

enum { ENT__VERDICT_WORDS = 4 };
extern const char *const ent__verdict_words[ENT__VERDICT_WORDS];
/* t, f, u, and x for failed. */
static inline char ent__verdict_letter(const char *word) { return word[0] == 'f' && word[2] == 'i' ? 'x' : word[0]; }

typedef enum ent__table_id {
	ENT__META,
	ENT__CODES,
	ENT__SEGMENTS,
	ENT__INPUTS,
	ENT__RECORDS,
	ENT__COVERS,
	ENT__REJECTS,
	ENT__BALANCES,
	ENT__FINDINGS,
	ENT__RULES,
	ENT__SAID,
	ENT__NOTICES,
	ENT__FEEDS,
	ENT__RUNS,
	ENT__RULE_RUNS,
	ENT__RELEASES,
	ENT__TABLES
} ent__table_id;

typedef struct ent__table {
	const char *name;
	size_t row; /* size of the struct */
	const ent__column *columns; /* those of the primary key come first */
	const char *index; /* columns of a second index, or NULL */
	const char *due;   /* columns and condition of a third, or NULL */
	int since;         /* version of the schema that brought it; 0: it was always there */
} ent__table;

extern const ent__table ent__tables[ENT__TABLES];

/* All statements that make the tables of a version. Terminated. */
void ent__schema_tables(ent_buf *, int version);
/* Those that make of the tables of a version these ones: tables that it lacks, and columns. Terminated. */
void ent__schema_upgrade(ent_buf *, int version);
/* All statements that make the readable views, in place of those that are there. Terminated. */
void ent__schema_views(ent_buf *);
/* INSERT of a whole row; ends after VALUES (...), so that a conflict clause may follow. */
void ent__schema_insert(ent_buf *, const ent__table *);
/* " ON CONFLICT DO UPDATE SET ..." by the columns' update rules. */
void ent__schema_upsert(ent_buf *, const ent__table *);
/* UPDATE of all columns but the key, parameters numbered as in the insert; ends after the key's WHERE. */
void ent__schema_update(ent_buf *, const ent__table *);
/* SELECT of all columns; ends after the table's name. */
void ent__schema_select(ent_buf *, const ent__table *);
/* ---- cells: one row for each partner and day ---------------------------------------------------------------------- */

/* All but the key: a list of cells for each family, lists of sets and distributions, and the members of both. */
#define ENT__CELL_COLUMNS "sales, traffic, carts, sets, dists, set_members, dist_members, custom"

/* The key: partner and day in the order of both. Negative: the partner's code is too large. */
static inline int64_t ent__partner_day(uint32_t partner, int32_t day) {
	return (int64_t)((uint64_t)partner << 32 | ((uint32_t)day ^ 0x80000000u));
}

static inline ent_cell_key ent__cell_key_of_day(int64_t partner_day) {
	return (ent_cell_key){
		.partner = (uint32_t)((uint64_t)partner_day >> 32), .day = (int32_t)((uint32_t)partner_day ^ 0x80000000u)};
}

#endif
