/* SPDX-License-Identifier: Apache-2.0
 *
 * config/install.h: where the parts of this installation are: plugins, Python scripts, the worker programs.
 *
 * All is found from where the running program is, so that a build tree, an installation and a copy of one at another
 * place work alike. Texts are given in the caller's arena. Any thread.
 */
#ifndef ENT_CONFIG_INSTALL_H
#define ENT_CONFIG_INSTALL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

/* Folder of the running program, without a slash at the end; "." if the system does not say. */
const char *ent_install_bin(ent_arena *arena);

/* Another program of this installation ("entente-decoder"): beside the running one. Always a path; whether there is a
 * file is seen when it is started. */
const char *ent_install_program(const char *name, ent_arena *arena);

/* Folder that holds the Python package `entente` and `rulebook`: of the source tree if the program runs in its build
 * tree, else ../share/entente/scripts. The environment variable ENTENTE_SCRIPTS goes first. */
const char *ent_install_scripts(ent_arena *arena);

/* Folders in which plugins are looked for, best first: FOLDER/plugins (of the project; `folder` may be NULL), those of
 * the environment variable ENTENTE_PLUGINS (separated by ':'), those of the installation. They need not exist. */
size_t ent_plugin_folders(const char *folder, ent_arena *arena, const char *const **out);

typedef struct ent_plugin_file {
	const char *name; /* file name without ".so" */
	const char *path;
} ent_plugin_file;

/* All plugins found there, sorted by name; of two with one name the first found. */
size_t ent_plugin_list(const char *folder, ent_arena *arena, const ent_plugin_file **out);

/* The file of one plugin. `name`: a name, or a path if it has a '/'. NULL, and *e says where was looked and what was
 * meant. */
const char *ent_plugin_find(const char *name, const char *folder, ent_arena *arena, ent_error *e);

#endif
