/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout of a table of facts: the single orders, carts, ... of one partner and some days, in columns, in one block of
 * memory (a sealed memfd when it goes to `entente-rules`). Native byte order, arrays aligned to 8; all offsets count
 * from the start of the block. Built by engine/facts_table.c when a rule asks, read in the rules worker. Which columns
 * the table of a kind has stands here, for both.
 *
 * Rows are in order of time, then key: an order that no arrival changes. Amounts are in the currency of their row.
 * Identities are texts that stand for one person at this partner and for nobody elsewhere. */
#ifndef ENT_METRICS_FACTS_H
#define ENT_METRICS_FACTS_H

#include "base/error.h"
#include "metrics/catalogue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENT_FACTS_MAGIC 0x54434146u /* "FACT" */
#define ENT_FACTS_VERSION 1u
#define ENT_FACTS_NONE INT64_MIN     /* a moment or a number that is not there */
#define ENT_FACTS_MOST_ROWS 2000000u /* in one table: who needs more reads figures, not facts */

typedef enum ent_facts_type {
	ENT_FACTS_MOMENT, /* int64: microseconds since 1970 UTC, or ENT_FACTS_NONE */
	ENT_FACTS_MONEY,  /* int64: micro-units of the row's currency */
	ENT_FACTS_NUMBER, /* int64: in the smallest part of the column's unit, or ENT_FACTS_NONE */
	ENT_FACTS_DAY,    /* int32: days since 1970 in the partner's zone */
	ENT_FACTS_TEXT,   /* uint32: number of a text, 0: none */
	ENT_FACTS_FLAG,   /* uint32: 0 or 1 */
	ENT_FACTS_TYPE_COUNT
} ent_facts_type;

typedef struct ent_facts_column_def {
	const char *name;
	uint8_t type; /* ent_facts_type */
	uint8_t unit; /* ent_unit, of a NUMBER */
} ent_facts_column_def;

/* What can be asked for. Lines and refunds are rows of their own, made of the documents of orders. */
typedef struct ent_facts_kind_def {
	uint8_t kind, document; /* ent_fact */
	uint8_t family;         /* ent_family whose coverage holds for it; ENT_FAMILY_COUNT: none */
	uint8_t n_columns;
	const ent_facts_column_def *columns; /* "at" and "day" come first, "currency" stands before the first amount */
} ent_facts_kind_def;

/* NULL: nothing of that kind can be asked for. */
const ent_facts_kind_def *ent_facts_kind(unsigned kind);

static inline size_t ent_facts_width(unsigned type) { return type <= ENT_FACTS_NUMBER ? 8 : 4; }

typedef struct ent_facts_text {
	uint64_t offset; /* NUL-terminated */
	uint64_t n;
} ent_facts_text;

typedef struct ent_facts_head {
	uint32_t magic, version;
	uint64_t bytes;
	uint32_t kind, n_columns;
	uint64_t rows;
	uint64_t columns;        /* offset of uint64[n_columns]: where each begins, in the order of the kind's table */
	uint64_t texts, n_texts; /* ent_facts_text; text 0 is "" */
	uint64_t ever; /* facts of that kind that the partner has on whatever day: 0 is another answer than no row */
} ent_facts_head;

typedef struct ent_facts {
	const uint8_t *base;
	const ent_facts_head *head;
	const ent_facts_kind_def *kind;
	const uint64_t *columns;
	const ent_facts_text *texts;
	uint64_t rows;
} ent_facts;

/* Checks every offset, number and text of the block, which stays the caller's; afterwards reading needs no checks. 0 or
 * ENT_ERR_CORRUPT. */
int ent_facts_open(ent_facts *, const void *block, size_t bytes, ent_error *);

#endif
