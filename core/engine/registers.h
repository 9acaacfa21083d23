/* SPDX-License-Identifier: Apache-2.0
 *
 * Registers: typed journals that people keep. An entry is a fact like any other: it goes through the ledger, keyed by
 * register, partner and id, and the newest version counts. The schemas are constant tables; validation, help, the header
 * of the spreadsheet round trip and the types that rules see are made from them. Loop thread only. */
#ifndef ENT_ENGINE_REGISTERS_H
#define ENT_ENGINE_REGISTERS_H

#include "engine/engine.h"

typedef enum ent_register_type {
	ENT_REG_TEXT,
	ENT_REG_DATE,   /* YYYY-MM-DD */
	ENT_REG_TIME,   /* YYYY-MM-DD, or with HH:MM */
	ENT_REG_NUMBER, /* decimal, without separators of thousands */
	ENT_REG_BOOL,   /* yes or no */
	ENT_REG_WORD    /* one of choices */
} ent_register_type;

typedef struct ent_register_field {
	const char *name;
	ent_register_type type;
	bool required;
	const char *choices; /* WORD: separated by blanks */
	const char *doc;
} ent_register_field;

typedef struct ent_register {
	const char *name, *doc;
	const char *states;  /* separated by blanks; the first is that of a new entry */
	const char *closing; /* states in which an entry is closed; the first is the default of `close` */
	const ent_register_field *fields; /* ends with name NULL */
} ent_register;

extern const ent_register ent_registers[]; /* ends with name NULL */
/* NULL, and *e with the nearest name, if there is none. */
const ent_register *ent_register_find(const char *name, ent_error *e);

/* Is it a number as the registers take them (and JSON writes them)? */
bool ent_register_number(const char *text);

/* One entry as it is written, or as it stands. Texts are borrowed, NULL: not given. */
typedef struct ent_register_entry {
	const char *id;      /* NULL when it is written: a new one is given */
	const char *partner; /* id of the partner */
	const char *state, *actor;
	const char *effective; /* YYYY-MM-DD */
	const char *recorded;  /* when it was written; read only */
	const char *const *names, *const *values;
	uint32_t n;
} ent_register_entry;

/* Checks names, types, required fields, state and partner; values are normalized (yes/no to true/false) into `arena`. */
int ent_register_check(ent_engine *, const ent_register *, ent_register_entry *, ent_arena *arena, ent_error *e);

/* Writes n checked entries in one commit. `ids` (may be NULL) gets the id of each, in `arena`. */
int ent_engine_entries_put(ent_engine *, const ent_register *, const ent_register_entry *, size_t n, const char **ids,
	ent_arena *arena, ent_error *e);

/* Every entry of the register as it stands, by partner, then id. `partner` NULL: of all. Texts live during the call. */
typedef int (*ent_register_visit)(void *ctx, const ent_register_entry *);
int ent_engine_entries_each(ent_engine *, const ent_register *, const char *partner, ent_register_visit, void *ctx,
	ent_error *e);

#endif
