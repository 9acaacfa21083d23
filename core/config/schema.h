/* SPDX-License-Identifier: Apache-2.0
 *
 * config/schema.h: const tables that say what entente.yaml may hold. Reading, checking, suggestions, defaults and
 * docs/configuration.md are all made from them. Private to core/config.
 */
#ifndef ENT_CONFIG_SCHEMA_H
#define ENT_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

typedef struct ent__parser {
	ent_arena *arena;
	ent_errors *errors;
	const char *folder; /* absolute */
} ent__parser;

typedef enum ent__type {
	ENT__PLACE,    /* ent_place: not a key, gets the place of the map itself */
	ENT__TEXT,     /* ent_word */
	ENT__NAME,     /* ent_word of the form of a name */
	ENT__CURRENCY, /* ent_word of three capital letters */
	ENT__PATH,     /* ent_word, made absolute */
	ENT__INT,      /* int64_t, from least to most */
	ENT__ENUM,     /* int, index in choices */
	ENT__FLAGS,    /* uint32_t, list of choices: bit i for choice i */
	ENT__DURATION, /* int64_t, microseconds */
	ENT__SIZE,     /* int64_t, bytes */
	ENT__DATE,     /* int32_t, days since 1970-01-01 */
	ENT__TEXTS,    /* ent_words: a list, or one text */
	ENT__STRUCT,   /* a struct, filled by `item` */
	ENT__ITEMS,    /* map of free names to structs of `size` bytes, filled by `item`; the first member of each is an
					  ent_word    that gets the name; pointer at `offset`, size_t count at `count` */
	ENT__CUSTOM,   /* `custom` reads the node into offset; `item` is for the documentation */
	ENT__LATER     /* a key of a later version: refused, and said so */
} ent__type;

typedef struct ent__field {
	const char *key; /* NULL ends a table */
	ent__type type;
	bool required;
	const char *preset; /* as it would be written */
	const char *const *choices; /* ITEMS: names that mean something in a later version, and are refused until then */
	int64_t least, most; /* INT, DURATION, SIZE; both 0: no bounds */
	size_t offset, count, size;
	const struct ent__field *item;
	int (*custom)(ent__parser *p, const struct ent__field *field, const ent_yaml_node *node, void *into);
	const char *form; /* CUSTOM: how the value is written, for documentation and errors */
	const char *doc;
} ent__field;

/* The outermost table, of an ent_config. */
extern const ent__field ent__config_fields[];

/* Tables in files of their own: of an ent_serve_config, of an ent_service_config. */
extern const ent__field ent__serve_fields[];
extern const ent__field ent__service_fields[];
extern const ent__field ent__tell_fields[];
void ent__tell_check(ent__parser *, const ent_config *); /* what a table cannot see */

/* A `custom` for secrets: an ent_word that is a reference, with an absolute path. */
int ent__secret(ent__parser *p, const ent__field *field, const ent_yaml_node *node, void *into);

/* Fills `into` by `table` from the map `node`. Errors are added; the rest is filled all the same. */
void ent__fill(ent__parser *p, const ent__field *table, const ent_yaml_node *node, void *into);

/* A scalar as text. false, with an error that names `what` and the `form` it takes, for lists, maps and nothing. */
bool ent__word(ent__parser *p, const ent_yaml_node *node, const char *what, const char *form, ent_word *out);
/* A list of texts, or one text. */
bool ent__words(ent__parser *p, const ent_yaml_node *node, const char *what, ent_words *out);
/* Adds "unknown key", with the nearest of `known` or all of them. */
void ent__unknown_key(ent__parser *p, const ent_yaml_node *key, const char *where, const char *const *known, size_t n);
/* Is it a map (null counts as an empty one)? Adds an error otherwise. */
bool ent__map(ent__parser *p, const ent_yaml_node *node, const char *what, const char *form);

/* Absolute, without "./" and doubled slashes. */
const char *ent__absolute(ent_arena *arena, const char *folder, const char *path);

/* webhook_fields.c. `into` is a const ent_webhook_config *. */
extern const ent__field ent__webhook_fields[];
int ent__webhook(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into);
void ent__webhooks_check(ent__parser *p, const ent_config *config);
/* poll_fields.c. `into` is a const ent_poll_config *. */
extern const ent__field ent__poll_fields[];
int ent__poll(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into);
void ent__polls_check(ent__parser *p, const ent_config *config);
/* register_fields.c, of an ent_register_config; and names that are not taken yet */
extern const ent__field ent__register_fields[];
extern const char *const ent__later_registers[];
/* metric_fields.c, of an ent_metric_config */
extern const ent__field ent__metric_fields[];
void ent__metric_docs(ent_buf *out); /* the fields of facts, for docs/configuration.md */
/* inbox_fields.c, of an ent_inbox_config */
extern const ent__field ent__inbox_fields[];
/* prior_fields.c, of an ent_prior_config */
extern const ent__field ent__prior_fields[];
void ent__priors_check(ent__parser *p, const ent_config *config);

/* Checks that need more than one key: references to partners, zones, patterns. */
void ent__check(ent__parser *p, ent_config *config);
void ent__serve_check(ent__parser *p, const ent_serve_config *serve);

#endif
