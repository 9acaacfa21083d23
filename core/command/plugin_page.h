/* SPDX-License-Identifier: Apache-2.0
 *
 * command/plugin_page.h: how the tables that a plugin declares are told. Owned by whoever calls; one thread. */
#ifndef ENT_COMMAND_PLUGIN_PAGE_H
#define ENT_COMMAND_PLUGIN_PAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "engine/engine.h"

/* Words for ent_opt_type. */
extern const char *const ent__option_types[];
/* "order, line"; in `arena`. */
const char *ent__facts_text(const ent_decoder_info *, ent_arena *);
/* How the host hands over the bytes: "delimited". */
const char *ent__frame_text(const ent_decoder_info *);

/* The plugin's page as Markdown: docs/plugins/NAME.md is this, see cmake/EntenteDocs.cmake. */
void ent__plugin_page(ent_engine *, const ent_plugin_info *, ent_buf *out);

#endif
