/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of a spreadsheet of entries, read with the framing of the decoders (encodings, delimiters, quotes as there). Apart
 * from the command, because the decoders' headers and the store's have names in common. One thread. */
#ifndef ENT_COMMAND_REGISTER_CSV_H
#define ENT_COMMAND_REGISTER_CSV_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* `cells` are NUL-terminated, "" where empty or absent, and live during the call. Nonzero stops, and is returned. */
typedef int (*ent__csv_visit)(void *ctx, uint64_t line, const char *const *cells);

/* Every row of the file (fd is closed, path is its name in errors), cut to the n columns that `names` lists (not required to be there). A column that is not listed
 * is an error with the nearest name. */
int ent__csv_each(int fd, const char *path, const char *const *names, size_t n, ent__csv_visit, void *ctx, ent_error *e);

#endif
