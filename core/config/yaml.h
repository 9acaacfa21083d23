/* SPDX-License-Identifier: Apache-2.0
 *
 * config/yaml.h: a YAML document as a tree of nodes that remember where they stand.
 *
 * One document, at most 64 levels deep; anchors, aliases, tags and repeated keys are errors. `${NAME}` in a scalar is
 * replaced by the environment variable, `$${` stands for itself. Nodes live in the arena that they were loaded into.
 * Threads: none is shared; one tree belongs to one thread at a time until it is loaded, and is read-only afterwards.
 */
#ifndef ENT_CONFIG_YAML_H
#define ENT_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "config/errors.h"

typedef enum ent_yaml_kind { ENT_YAML_SCALAR, ENT_YAML_LIST, ENT_YAML_MAP } ent_yaml_kind;

typedef struct ent_yaml_node {
	ent_yaml_kind kind;
	bool quoted;      /* SCALAR: written in quotes or as a block, so it is text whatever it looks like */
	ent_place at;     /* of its first character */
	const char *text; /* SCALAR: NUL-terminated, never NULL; holds no NUL inside */
	size_t n;         /* LIST, MAP: number of items */
	const struct ent_yaml_node **items; /* LIST, MAP */
	const struct ent_yaml_node **keys;  /* MAP: keys[i] is the scalar that names items[i], in the order of the file */
} ent_yaml_node;

/* Reads the file at `path`; `name` is what error messages call it. Returns NULL, with at least one error added, if it
 * cannot be read or is no YAML. A fault within a value (a variable that is not set, a repeated key) is added too, but
 * reading goes on, so that all faults are told at once: compare errors->total. An empty file gives an empty map. */
const ent_yaml_node *ent_yaml_load_file(ent_arena *arena, const char *path, const char *name, ent_errors *errors);

/* The same from n bytes in memory; nothing of `bytes` is kept. */
const ent_yaml_node *ent_yaml_load(ent_arena *arena, const char *bytes, size_t n, const char *name, ent_errors *errors);

/* The item of a map, or NULL where there is none or `map` is NULL or no map. */
const ent_yaml_node *ent_yaml_get(const ent_yaml_node *map, const char *key);

/* A scalar written without quotes as ~, null or nothing. */
bool ent_yaml_is_null(const ent_yaml_node *node);

/* Reads a scalar as what its plain spelling says (YAML 1.2, core schema: yes and no are text). Return false and leave
 * *out alone otherwise. */
bool ent_yaml_bool(const ent_yaml_node *node, bool *out);
bool ent_yaml_int(const ent_yaml_node *node, int64_t *out);

/* Appends the tree as JSON: plain scalars by the core schema (null, bool, integer, number), all others as text. */
int ent_yaml_json(const ent_yaml_node *node, ent_buf *out);

#endif
