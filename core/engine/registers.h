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
	ENT_REG_WORD,   /* one of choices */
	ENT_REG_PAIRS   /* NAME=VALUE; NAME=VALUE … */
} ent_register_type;

/* Who may know of what an entry says. What rules read of it counts as theirs (both sides know it), ours or confidential. */
typedef enum ent_register_audience {
	ENT_AUDIENCE_BOTH,
	ENT_AUDIENCE_US,
	ENT_AUDIENCE_CONFIDENTIAL
} ent_register_audience;
extern const char *const ent_register_audiences[]; /* their words; ends with NULL */
extern const char *const ent_register_types[];     /* what each type is called */

typedef struct ent_register_field {
	const char *name;
	ent_register_type type;
	bool required;
	const char *choices; /* WORD: separated by blanks; PAIRS: "texts", "numbers", or "both" where names are numbers, too */
	const char *doc;
} ent_register_field;

typedef struct ent_register {
	const char *name, *doc;
	const char *states;  /* separated by blanks; the first is that of a new entry */
	const char *closing; /* states in which an entry is closed; the first is the default of `close` */
	ent_register_audience audience; /* of its entries; one that has the field `audience` says otherwise */
	const ent_register_field *fields; /* ends with name NULL */
} ent_register;

enum { ENT_REGISTERS_MOST = 64 /* that ship and that a configuration adds */ };

extern const ent_register ent_registers[]; /* those that ship; ends with name NULL */
/* These, and those that the configuration adds. They live as long as the engine has its configuration. */
const ent_register *ent_engine_registers(const ent_engine *);
/* Among `all`, which ends with name NULL. NULL, and *e with the nearest name, if there is none. */
const ent_register *ent_register_find(const ent_register *all, const char *name, ent_error *e);

/* Is the word one of those, which blanks separate? */
bool ent_register_word_in(const char *list, const char *word);

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

/* Checks names, types, required fields, state and partner; values are normalized (yes/no to true/false, pairs in one form) into `arena`. */
int ent_register_check(const ent_register *, ent_register_entry *, ent_arena *arena, ent_error *e);

/* Writes n checked entries in one commit. `ids` (may be NULL) gets the id of each, in `arena`. */
int ent_engine_entries_put(ent_engine *, const ent_register *, const ent_register_entry *, size_t n, const char **ids,
	ent_arena *arena, ent_error *e);

/* Every entry of the register as it stands, by partner, then id. `partner` NULL: of all. Texts live during the call. */
typedef int (*ent_register_visit)(void *ctx, const ent_register_entry *);
int ent_engine_entries_each(ent_engine *, const ent_register *, const char *partner, ent_register_visit, void *ctx,
	ent_error *e);

#endif
