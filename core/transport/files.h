/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that a source finds: by path, glob, directory, or standard input. Any thread. */
#ifndef ENT_TRANSPORT_FILES_H
#define ENT_TRANSPORT_FILES_H

#include "base/error.h"
#include "config/config.h"

typedef struct ent_file {
	char *path, *name; /* name: below the source's root */
	/* as it was when it was listed; of standard input all 0 */
	uint64_t size, inode, device;
	int64_t mtime_ns, changed_ns; /* the kernel's own time of change nobody can set back */
} ent_file;

/* Sorted by name; the caller frees the list, also after an error. */
int ent_files_list(const ent_config_source *, ent_file **out, size_t *n, ent_error *e);
void ent_files_free(ent_file *, size_t n);

#endif
