/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that a source finds: by path, glob, directory, or standard input. Any thread. */
#ifndef ENT_TRANSPORT_FILES_H
#define ENT_TRANSPORT_FILES_H

#include "base/error.h"
#include "config/config.h"

typedef struct ent_file {
	char *path, *name; /* name: below the source's root */
} ent_file;

/* Sorted by name; the caller frees the list, also after an error. */
int ent_files_list(const ent_config_source *, ent_file **out, size_t *n, ent_error *e);
void ent_files_free(ent_file *, size_t n);

#endif
