/* SPDX-License-Identifier: Apache-2.0
 *
 * command/lines.h: which line of a file a byte is in. For people who look a record up; a file that is packed, gone or very
 * large has no lines. One thread. */
#ifndef ENT_COMMAND_LINES_H
#define ENT_COMMAND_LINES_H

#include "config/config.h"

/* The file that was counted last, and how far: places that grow are found in one reading. Zeroed: none. */
typedef struct ent__lines {
	char path[4096];
	int fd; /* + 1 */
	uint64_t at, line;
} ent__lines;

/* Where a file of a source lies: a directory's is below it, a file is itself. false: it is packed, or not there. */
bool ent__lines_path(const ent_config_source *, const char *file, char *out, size_t size);
/* Line of the byte at `place` of a source's file, from 1; 0: it cannot be said. */
uint64_t ent__line_of(ent__lines *, const ent_config_source *, const char *file, uint64_t place);
/* The same of a file by its path. */
uint64_t ent__line_at(ent__lines *, const char *path, uint64_t place);
void ent__lines_finish(ent__lines *);

#endif
