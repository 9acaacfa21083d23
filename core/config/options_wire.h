/* SPDX-License-Identifier: Apache-2.0
 *
 * config/options_wire.h: tables of options and their values as bytes, between the core and a decoder worker.
 *
 * The worker describes its plugin's ent_option table, the core sends the checked ent_value array back. Little-endian,
 * length-prefixed, at most ENT_WIRE_DEPTH levels and ENT_WIRE_ITEMS items. The reader trusts nothing: the bytes may
 * come from a worker that a broken plugin has overwritten. Depends on base and plugin.h alone, as both processes link
 * it.
 */
#ifndef ENT_CONFIG_OPTIONS_WIRE_H
#define ENT_CONFIG_OPTIONS_WIRE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "entente/plugin.h"

#define ENT_WIRE_DEPTH 16
#define ENT_WIRE_ITEMS 65536

/* Appends the table (NULL: an empty one). 0, or ENT_ERR_RANGE if it is too deep or too large, or a row is of no type
 * that is known; then *out is as it was. */
int ent_options_write(const ent_option *table, ent_buf *out, ent_error *e);

/* Reads a table: *table ends with key NULL and lives, with all its texts, in `arena`. Moves `from` behind it. 0, or
 * ENT_ERR_CORRUPT. What it returns is sound: known types, choices where and only where the type is ENUM, items where
 * and only where it is LIST (exactly one) or MAP, "*" only alone, no key twice. */
int ent_options_read(ent_read *from, ent_arena *arena, const ent_option **table, ent_error *e);

/* Appends n values. */
int ent_values_write(const ent_value *values, size_t n, ent_buf *out, ent_error *e);

/* Reads an array of values; texts are NUL-terminated, absent ones {NULL, 0}. *values is NULL if *n is 0. */
int ent_values_read(ent_read *from, ent_arena *arena, const ent_value **values, size_t *n, ent_error *e);

/* Number of rows of a table; 0 for NULL. */
size_t ent_options_count(const ent_option *table);

#endif
