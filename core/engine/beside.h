/* SPDX-License-Identifier: Apache-2.0
 *
 * Companions of documents: side files that a source's configuration names. Loop thread only. */
#ifndef ENT_ENGINE_BESIDE_H
#define ENT_ENGINE_BESIDE_H

#include "transport/files.h"

/* Where they lie, in the order of the configuration. Zeroed: none. */
typedef struct ent__beside {
	char **paths;
	size_t n;
} ent__beside;

/* Those of the file at `path`; it is not looked whether they are there. */
int ent__beside_find(const ent_config_source *, const char *path, ent__beside *, ent_error *e);
void ent__beside_free(ent__beside *);
/* Opens all: fds has room for ENT_COMPANIONS_MAX. *stamp differs when a file was touched, *content when it is another
 * one. A missing one is an error that says where it should be; then none is open. */
int ent__beside_open(
	const ent_config_source *, const ent__beside *, int *fds, uint64_t *stamp, uint64_t *content, ent_error *e);
void ent__beside_close(const ent__beside *, const int *fds);
/* Stamp and content of those of a file; both 0 where the source has none. */
int ent__beside_sum(const ent_config_source *, const char *path, uint64_t *stamp, uint64_t *content, ent_error *e);
/* The stamp alone, without opening; of one that is missing, another than when it was there. */
uint64_t ent__beside_stamp(const ent_config_source *, const char *path);
/* Takes files out of a source's list that are companions of others in it. */
void ent__beside_leave_out(const ent_config_source *, ent_file *files, size_t *n);

#endif
