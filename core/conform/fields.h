/* SPDX-License-Identifier: Apache-2.0
 *
 * conform/fields.h: the members of every fact as a table, so that writing, checking and searching them are one loop
 * each. The order is that of the golden files. Constant; any thread. */
#ifndef ENT_CONFORM_FIELDS_H
#define ENT_CONFORM_FIELDS_H

#include "base/buf.h"
#include "entente/plugin.h"

typedef enum ent__member_type {
	ENT__TEXT,
	ENT__TIME,
	ENT__IDENTITY,
	ENT__CURRENCY,
	ENT__MONEY,    /* int64, millionths */
	ENT__QUANTITY, /* int64 */
	ENT__BYTE,     /* uint8 */
	ENT__COUNT,    /* uint32 */
	ENT__LETTER,   /* char */
	ENT__RESERVED  /* bytes that must be zero */
} ent__member_type;

typedef struct ent__member {
	const char *name; /* NULL ends a table */
	ent__member_type type;
	uint16_t at, bytes;
	uint64_t has; /* its bit; 0: it has none */
	bool always;  /* is written even if it is zero */
} ent__member;

/* Of a kind, without the head's. NULL: no such kind. */
const ent__member *ent__members(ent_fact kind);
extern const ent__member ent__head_members[];
const char *ent__kind_name(ent_fact kind); /* "?": no such kind */

/* Is it there: not absent by its bit, not empty? */
bool ent__member_there(const ent__member *, const void *fact);
int64_t ent__member_number(const ent__member *, const void *fact);
static inline const void *ent__member_at(const ent__member *m, const void *fact) { return (const char *)fact + m->at; }

/* Are all its texts UTF-8 without NUL bytes? The host refuses others. */
bool ent__fact_texts_good(ent_fact kind, const void *fact);
/* Appends the fact as a line of a golden file. */
void ent__fact_write(ent_buf *, ent_fact kind, const void *fact);
/* Parts of such lines. */
void ent__write_text(ent_buf *, const char *name, ent_str);
void ent__write_number(ent_buf *, const char *name, int64_t);
void ent__write_time(ent_buf *, const char *name, ent_time);

#endif
