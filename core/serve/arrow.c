/* SPDX-License-Identifier: Apache-2.0
 *
 * Arrow's stream format, see arrow.h. Metadata are flatbuffers, written from front to back: a table first, with places for
 * what it leads to, then that. */
#include "serve/arrow.h"

#include "base/arena.h"

#include <string.h>

/* ---- columns --------------------------------------------------------------------------------------------------------------- */

static void add(ent_arrow_column *c, bool valid, const void *bytes, size_t n) {
	ent_buf_u8(&c->valid, valid);
	c->nulls += !valid;
	ent_buf_add(&c->values, bytes, n);
	if (c->type == ENT_ARROW_TEXT) {
		ent_buf_u32(&c->ends, (uint32_t)c->values.n);
	}
}

void ent_arrow_text(ent_arrow_column *c, const char *text) { add(c, text != NULL, text ? text : "", text ? strlen(text) : 0); }
void ent_arrow_day(ent_arrow_column *c, int32_t day) { add(c, true, &day, sizeof day); }
void ent_arrow_int(ent_arrow_column *c, int64_t value) { add(c, true, &value, sizeof value); }
void ent_arrow_decimal(ent_arrow_column *c, __int128 millionths) { add(c, true, &millionths, sizeof millionths); }

void ent_arrow_null(ent_arrow_column *c) {
	static const uint8_t zeros[16];
	static const size_t sizes[] = {
		[ENT_ARROW_TEXT] = 0, [ENT_ARROW_DAY] = 4, [ENT_ARROW_INT] = 8, [ENT_ARROW_DECIMAL] = 16};
	add(c, false, zeros, sizes[c->type]);
}

void ent_arrow_finish(ent_arrow_column *c, size_t n) {
	for (size_t i = 0; i < n; i++) {
		ent_buf_finish(&c[i].valid);
		ent_buf_finish(&c[i].values);
		ent_buf_finish(&c[i].ends);
	}
}

/* ---- flatbuffers ------------------------------------------------------------------------------------------------------------ */

enum { FIELDS = 6 };

/* A field of a table: `size` bytes, 0: it is not there. */
typedef struct field {
	unsigned size;
	int64_t value;
} field;
#define OFFSET                                                                                                         \
	{ 4, 0 }
#define ABSENT                                                                                                         \
	{ 0, 0 }

static void pad(ent_buf *b, size_t to, size_t rest) {
	while (b->n % to != rest) {
		ent_buf_u8(b, 0);
	}
}

static void patch(ent_buf *b, size_t at, uint32_t value) { memcpy(b->data + at, &value, sizeof value); }

/* An offset is told from where it stands. */
static void lead(ent_buf *b, size_t from) { patch(b, from, (uint32_t)(b->n - from)); }

/* Writes vtable and table; places[i] gets where field i stands. Returns where the table stands. */
static size_t table(ent_buf *b, const field *fields, unsigned n, size_t *places) {
	uint16_t offsets[FIELDS] = {0}, head[2];
	unsigned at = 4;
	for (unsigned i = 0; i < n; i++) {
		if (fields[i].size) {
			at = (at + fields[i].size - 1) / fields[i].size * fields[i].size;
			offsets[i] = (uint16_t)at;
			at += fields[i].size;
		}
	}
	head[0] = (uint16_t)(4 + 2 * n);
	head[1] = (uint16_t)at;
	pad(b, 8, (8 - head[0] % 8) % 8); /* so that the table stands on 8 */
	ent_buf_add(b, head, sizeof head);
	ent_buf_add(b, offsets, 2 * n);
	size_t start = b->n;
	ent_buf_u32(b, head[0]); /* back to the vtable */
	for (unsigned i = 0; i < n; i++) {
		if (fields[i].size) {
			while (b->n < start + offsets[i]) {
				ent_buf_u8(b, 0);
			}
			places[i] = b->n;
			ent_buf_add(b, &fields[i].value, fields[i].size);
		}
	}
	return start;
}

static void text(ent_buf *b, const char *s) {
	pad(b, 4, 0);
	ent_buf_text(b, s); /* length and bytes */
	ent_buf_u8(b, 0);
}

/* ---- metadata --------------------------------------------------------------------------------------------------------------- */

enum { SCHEMA = 1, RECORD_BATCH = 3, VERSION_5 = 4 };
enum { TYPE_INT = 2, TYPE_UTF8 = 5, TYPE_DECIMAL = 7, TYPE_DATE = 8 };

/* The place of the message's header is left for the caller to lead to. */
static size_t begin_message(ent_buf *b, int kind, int64_t body) {
	const field fields[] = {{2, VERSION_5}, {1, kind}, OFFSET, {8, body}};
	size_t places[FIELDS], root = b->n;
	ent_buf_u32(b, 0);
	size_t start = table(b, fields, 4, places);
	patch(b, root, (uint32_t)(start - root));
	return places[2];
}

/* Leads from `from` to a table that is written now: its vtable stands before it. */
static void table_from(ent_buf *b, size_t from, const field *fields, unsigned n, size_t *places) {
	size_t start = table(b, fields, n, places);
	patch(b, from, (uint32_t)(start - from));
}

static void write_type(ent_buf *b, size_t from, ent_arrow_type type) {
	size_t places[FIELDS];
	switch (type) {
	case ENT_ARROW_TEXT:
		table_from(b, from, NULL, 0, places);
		break;
	case ENT_ARROW_DAY:
		table_from(b, from, (const field[]){{2, 0}}, 1, places); /* in days */
		break;
	case ENT_ARROW_INT:
		table_from(b, from, (const field[]){{4, 64}, {1, 1}}, 2, places);
		break;
	case ENT_ARROW_DECIMAL:
		table_from(b, from, (const field[]){{4, 38}, {4, 6}, {4, 128}}, 3, places);
		break;
	}
}

static void write_field(ent_buf *b, size_t from, const ent_arrow_column *c) {
	static const uint8_t types[] = {[ENT_ARROW_TEXT] = TYPE_UTF8, [ENT_ARROW_DAY] = TYPE_DATE, [ENT_ARROW_INT] = TYPE_INT,
		[ENT_ARROW_DECIMAL] = TYPE_DECIMAL};
	const field fields[] = {OFFSET, {1, c->nullable}, {1, types[c->type]}, OFFSET, ABSENT, OFFSET};
	size_t places[FIELDS];
	table_from(b, from, fields, 6, places);
	pad(b, 4, 0);
	lead(b, places[0]);
	text(b, c->name);
	write_type(b, places[3], c->type);
	pad(b, 4, 0);
	lead(b, places[5]);
	ent_buf_u32(b, 0); /* no children */
}

static void write_schema(ent_buf *b, const ent_arrow_column *columns, size_t n) {
	const field fields[] = {{2, 0}, OFFSET}; /* little-endian */
	size_t places[FIELDS];
	table_from(b, begin_message(b, SCHEMA, 0), fields, 2, places);
	pad(b, 4, 0);
	lead(b, places[1]);
	ent_buf_u32(b, (uint32_t)n);
	size_t list = b->n;
	for (size_t i = 0; i < n; i++) {
		ent_buf_u32(b, 0);
	}
	for (size_t i = 0; i < n; i++) {
		write_field(b, list + 4 * i, &columns[i]);
	}
}

/* ---- the body --------------------------------------------------------------------------------------------------------------- */

typedef struct body {
	ent_buf bytes;
	ent_buf places; /* offset and length of each buffer, int64 */
} body;

static void put_buffer(body *x, const void *bytes, size_t n) {
	ent_buf_u64(&x->places, x->bytes.n);
	ent_buf_u64(&x->places, n);
	ent_buf_add(&x->bytes, bytes, n);
	pad(&x->bytes, 8, 0);
}

static void put_column(body *x, const ent_arrow_column *c, uint64_t rows) {
	ent_buf bits = {0};
	for (uint64_t i = 0; c->nulls && i < rows; i++) {
		if (i % 8 == 0) {
			ent_buf_u8(&bits, 0);
		}
		bits.data[bits.n - 1] |= (uint8_t)(c->valid.data[i] << i % 8);
	}
	put_buffer(x, bits.data, bits.n);
	ent_buf_finish(&bits);
	if (c->type == ENT_ARROW_TEXT) {
		ent_buf ends = {0};
		ent_buf_u32(&ends, 0);
		ent_buf_add(&ends, c->ends.data, c->ends.n);
		put_buffer(x, ends.data, ends.n);
		ent_buf_finish(&ends);
	}
	put_buffer(x, c->values.data, c->values.n);
}

static void write_batch(ent_buf *b, const body *x, const ent_arrow_column *columns, size_t n, uint64_t rows) {
	const field fields[] = {{8, (int64_t)rows}, OFFSET, OFFSET};
	size_t places[FIELDS];
	table_from(b, begin_message(b, RECORD_BATCH, (int64_t)x->bytes.n), fields, 3, places);
	pad(b, 8, 4); /* the count, and what follows stands on 8 */
	lead(b, places[1]);
	ent_buf_u32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		ent_buf_u64(b, rows);
		ent_buf_u64(b, columns[i].nulls);
	}
	pad(b, 8, 4);
	lead(b, places[2]);
	ent_buf_u32(b, (uint32_t)(x->places.n / 16));
	ent_buf_add(b, x->places.data, x->places.n);
}

static void put_message(ent_buf *out, ent_buf *metadata) {
	pad(metadata, 8, 0);
	ent_buf_u32(out, UINT32_MAX);
	ent_buf_u32(out, (uint32_t)metadata->n);
	ent_buf_add(out, metadata->data, metadata->n);
	metadata->n = 0;
}

void ent_arrow_stream(const ent_arrow_column *columns, size_t n, uint64_t rows, ent_buf *out) {
	ent_buf metadata = {0};
	body x = {0};
	write_schema(&metadata, columns, n);
	put_message(out, &metadata);
	for (size_t i = 0; i < n; i++) {
		put_column(&x, &columns[i], rows);
	}
	write_batch(&metadata, &x, columns, n, rows);
	put_message(out, &metadata);
	ent_buf_add(out, x.bytes.data, x.bytes.n);
	ent_buf_u32(out, UINT32_MAX);
	ent_buf_u32(out, 0);
	ent_buf_finish(&metadata);
	ent_buf_finish(&x.bytes);
	ent_buf_finish(&x.places);
}
