/* SPDX-License-Identifier: Apache-2.0
 *
 * config/options.h: a decoder's options, as written in YAML, checked against the plugin's table (entente/plugin.h).
 */
#ifndef ENT_CONFIG_OPTIONS_H
#define ENT_CONFIG_OPTIONS_H

#include "base/arena.h"
#include "config/errors.h"
#include "config/yaml.h"
#include "entente/plugin.h"

/* Checks the map `node` (NULL or null: nothing written) against `table` (NULL: no options). `where` stands for the map
 * where an error has no place of its own (a required option of a map that is not written). `folder` is where relative
 * `file:` secrets start. On success *out is an array of as many values as the table has rows (NULL if none), in
 * `arena`, and 0 is returned; otherwise every error found is in `errors`, and ENT_ERR_INVALID is returned.
 *
 * In the values: a BOOL, INT, DURATION has its number in `i` and its spelling in `s`; an option that is neither written
 * nor preset has `set` 0 and is otherwise zero, a LIST or MAP likewise; within a MAP with fixed keys every key has an
 * item. */
int ent_config_options_check(const ent_option *table, const ent_yaml_node *node, ent_place where, const char *folder,
	ent_arena *arena, ent_value **out, ent_errors *errors);

/* Text of a secret reference: file:PATH (a trailing line end is dropped), env:NAME, systemd:NAME (a credential). *out
 * is NUL-terminated, in `arena`. 0, or a negative status and *e. The value never occurs in an error. */
int ent_config_secret(const char *reference, const char *folder, ent_arena *arena, ent_str *out, ent_error *e);

/* Is it of one of the forms above? */
bool ent_config_secret_form(const char *reference);

#endif
