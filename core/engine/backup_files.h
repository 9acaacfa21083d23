/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a backup: copied with their sums, listed in `backup.json`. Shared by backup.c and backup_files.c; owned
 * by whoever holds the list. */
#ifndef ENT_ENGINE_BACKUP_FILES_H
#define ENT_ENGINE_BACKUP_FILES_H

#include "engine/backup.h"

#include <stddef.h>

#define ENT__BACKUP_LIST "backup.json"
#define ENT__BACKUP_SUM 33 /* BLAKE2b-128 in hexadecimal digits */

typedef struct ent__backup_file {
	char *path;     /* below the store's folder */
	int fd;         /* open from the moment on: it may be deleted meanwhile. -1: by path */
	uint64_t bytes; /* as many from its beginning */
	char sum[ENT__BACKUP_SUM];
} ent__backup_file;

typedef struct ent__backup_files {
	ent__backup_file *files;
	size_t n, capacity;
	int64_t moment_us;
	ent_backup_tell tell;
	void *ctx;
	uint64_t done, total; /* bytes */
} ent__backup_files;

void ent__backup_files_finish(ent__backup_files *);
ent__backup_file *ent__backup_add(ent__backup_files *, const char *path, int fd, uint64_t bytes);
ent__backup_file *ent__backup_find(const ent__backup_files *, const char *path);
void ent__backup_said(ent__backup_files *, const char *doing);

/* Copies file->bytes bytes into the file of the same path below the folder `to` (folders are made), syncs it, and takes
 * its sum. With `sum_known` it has to be file->sum. */
int ent__backup_copy(ent__backup_files *, ent__backup_file *, int from, int to, bool sum_known, ent_error *e);
/* Sum of a file that lies in `to` already, and sync. */
int ent__backup_take(ent__backup_files *, ent__backup_file *, int to, ent_error *e);

int ent__backup_list_write(const ent__backup_files *, int to, ent_error *e);
int ent__backup_list_read(ent__backup_files *, const char *folder, ent_error *e);

/* Syncs a folder and all below it. */
int ent__backup_sync_folders(int dir, const char *name, ent_error *e);
/* Deletes a folder with everything in it. */
int ent__backup_remove(const char *folder, ent_error *e);

#endif
