/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON, written as it comes: commas, quotes and escapes are the writer's business. Text that is not UTF-8 is written
 * with U+FFFD for each wrong byte, so the output is always valid. Numbers are written exactly; there is no way through
 * a floating-point number for money. Owned by whoever holds the struct; one thread. */
#ifndef ENT_BASE_JSON_H
#define ENT_BASE_JSON_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENT_JSON_DEPTH 64

typedef struct ent_json {
	ent_buf *out;    /* borrowed */
	bool pretty;     /* one item a line, indented by two blanks */
	bool keyed;      /* a key was written, its value has not been */
	unsigned depth;  /* at most ENT_JSON_DEPTH */
	uint64_t filled; /* bit d: the container at depth d has an item */
	char close[ENT_JSON_DEPTH + 1];
} ent_json;

void ent_json_init(ent_json *, ent_buf *out, bool pretty);

void ent_json_object(ent_json *);
void ent_json_array(ent_json *);
void ent_json_end(ent_json *); /* of the innermost object or array */

void ent_json_key(ent_json *, const char *key);
void ent_json_key_n(ent_json *, const char *p, size_t n);

void ent_json_text(ent_json *, const char *text); /* NULL: null */
void ent_json_text_n(ent_json *, const char *p, size_t n);
void ent_json_int(ent_json *, int64_t);
void ent_json_uint(ent_json *, uint64_t);
/* value / 10^scale, scale 0 to 18, without trailing zeros behind the point: 1250000 at scale 6 is 1.25. */
void ent_json_decimal(ent_json *, __int128 value, unsigned scale);
/* The shortest text that reads back as the same number; not finite: null, as JSON has no such numbers. */
void ent_json_double(ent_json *, double);
void ent_json_bool(ent_json *, bool);
void ent_json_null(ent_json *);
/* One value that is JSON already. */
void ent_json_raw(ent_json *, const char *p, size_t n);

/* Appends the text with its quotes, outside of any document. */
void ent_json_quote(ent_buf *, const char *p, size_t n);

/* Bytes of the well-formed UTF-8 character at p (n > 0 bytes are there); 0: not well-formed. */
size_t ent_utf8_length(const char *p, size_t n);

/* value / 10^scale as text into out (at least 48 bytes), at least `least` digits behind the point. Returns its length.
 */
size_t ent_decimal_text(__int128 value, unsigned scale, unsigned least, char *out);

#endif
