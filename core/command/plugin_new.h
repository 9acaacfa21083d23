/* SPDX-License-Identifier: Apache-2.0
 *
 * command/plugin_new.h: the table of the folders that `entente plugin new` writes, made by cmake/EntenteTemplates.cmake
 * of examples/plugin. Read-only. */
#ifndef ENT_COMMAND_PLUGIN_NEW_H
#define ENT_COMMAND_PLUGIN_NEW_H

typedef struct ent__template {
	const char *frame; /* NULL ends the table */
	const char *path;  /* below the folder; folders of one file deep at most */
	const char *bytes, *end;
} ent__template;

extern const ent__template ent__templates[];

#endif
