/* SPDX-License-Identifier: Apache-2.0
 *
 * command/internal.h: shared between term.c, table.c and progress.c. */
#ifndef ENT_COMMAND_INTERNAL_H
#define ENT_COMMAND_INTERNAL_H

#include "command/term.h"

/* Appends at most `columns` columns of the text, control characters (but '\n', if `lines`) and wrong bytes as '?'. */
void ent__text_clean(ent_buf *out, const char *p, size_t n, size_t columns, bool lines);
void ent__style_begin(const ent_term *term, ent_buf *out, ent_style style);
void ent__style_end(const ent_term *term, ent_buf *out, ent_style style);

#endif
