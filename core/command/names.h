/* SPDX-License-Identifier: Apache-2.0
 *
 * command/names.h: the texts behind the codes of a store, for the commands that show its tables without the engine.
 * One thread; owned by whoever holds the struct. */
#ifndef ENT_COMMAND_NAMES_H
#define ENT_COMMAND_NAMES_H

#include "base/arena.h"
#include "store/store.h"

typedef struct ent__names {
	ent_arena arena;
	const char **texts; /* by code */
	size_t n, capacity;
} ent__names;

int ent__names_load(ent__names *, ent_store *, ent_error *e);
void ent__names_finish(ent__names *); /* zeroed is fine */
/* Text of a code; "?" if the store does not know it. */
const char *ent__name(const ent__names *, uint32_t code);
/* Code of a text; UINT32_MAX if the store does not know it. */
uint32_t ent__name_find(const ent__names *, const char *text);

#endif
