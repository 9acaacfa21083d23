/* SPDX-License-Identifier: Apache-2.0
 *
 * What `entente top` shows of one status of the service, and of the one before it for the rates. One thread. */
#ifndef ENT_COMMAND_TOP_SCREEN_H
#define ENT_COMMAND_TOP_SCREEN_H

#include "command/term.h"

struct json_object;

typedef struct ent__top_screen {
	struct json_object *now, *before; /* of /api/v1/status; before NULL: no rates yet */
	double seconds;                   /* between them */
	size_t rows;                      /* of the terminal; 0: all sources are shown */
	size_t first;                     /* source at the top; set to what was possible */
	const char *lost;                 /* why no status comes any more, or NULL */
} ent__top_screen;

/* Appends lines, each with its newline, at most `rows` of them. */
void ent__top_show(ent__top_screen *, const ent_term *, ent_buf *out);

#endif
