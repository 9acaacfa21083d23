/* SPDX-License-Identifier: Apache-2.0
 *
 * command/sheet.h: the balance sheet as `run` and `balance` show it. One thread; owned by whoever holds the struct. */
#ifndef ENT_COMMAND_SHEET_H
#define ENT_COMMAND_SHEET_H

#include "command/command.h"
#include "store/store.h"

typedef struct ent__sheet {
	ent_arena arena;
	struct ent__sheet_row {
		ent_balance b;
		const char *source;
	} * rows;
	size_t n, capacity;
	size_t open; /* sources whose sheet does not close */
} ent__sheet;

/* Text of a code. */
typedef const char *(*ent__sheet_name)(const void *ctx, uint32_t code);

int ent__sheet_load(ent__sheet *, ent_store *, ent__sheet_name, const void *ctx, ent_error *e);
void ent__sheet_finish(ent__sheet *); /* zeroed is fine */

/* One array, an object for each source. */
void ent__sheet_json(const ent__sheet *, ent_json *);
/* Both equations, a row for each source. */
void ent__sheet_tables(const ent__sheet *, const ent_term *, ent_buf *out);
/* The same where there are few sources; of many one line, and the tables of those that need a look: rejects, refused or
 * parked facts, or an equation that does not close. */
void ent__sheet_brief(const ent__sheet *, const ent_term *, ent_buf *out);

#endif
