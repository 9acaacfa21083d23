/* SPDX-License-Identifier: Apache-2.0
 *
 * serve/arrow.h: series as an Arrow IPC stream: a schema, one record batch, the end. Debian packages no Arrow library for C; the
 * format of one flat table is small (arrow.apache.org/docs/format/Columnar.html), and what is written here is held against
 * bytes that pyarrow wrote. Pure functions. */
#ifndef ENT_SERVE_ARROW_H
#define ENT_SERVE_ARROW_H

#include "base/buf.h"
#include "base/error.h"

typedef enum ent_arrow_type {
	ENT_ARROW_TEXT,    /* utf8 */
	ENT_ARROW_DAY,     /* date32 */
	ENT_ARROW_INT,     /* int64 */
	ENT_ARROW_DECIMAL, /* decimal128(38, 6) */
} ent_arrow_type;

typedef struct ent_arrow_column {
	const char *name;
	ent_arrow_type type;
	bool nullable;
	/* as they are added: */
	ent_buf valid;  /* a byte for each value */
	ent_buf values; /* TEXT: the bytes, one text behind the other */
	ent_buf ends;   /* TEXT: int32, where each ends */
	uint64_t nulls;
} ent_arrow_column;

void ent_arrow_text(ent_arrow_column *, const char *text); /* NULL: null */
void ent_arrow_null(ent_arrow_column *);
void ent_arrow_day(ent_arrow_column *, int32_t day);
void ent_arrow_int(ent_arrow_column *, int64_t value);
void ent_arrow_decimal(ent_arrow_column *, __int128 millionths);
/* The stream of n columns of as many rows each. */
void ent_arrow_stream(const ent_arrow_column *, size_t n, uint64_t rows, ent_buf *out);
void ent_arrow_finish(ent_arrow_column *, size_t n);

/* What `entente metrics query --json` said, a row for each figure, with the columns that it has as CSV. */
int ent_arrow_series(const char *json, size_t n, ent_buf *out, ent_error *e);

#endif
