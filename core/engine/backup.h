/* SPDX-License-Identifier: Apache-2.0
 *
 * A copy of a store, made while a service runs on it or not, and the way back. See backup.c for why what is copied fits
 * together, and docs/operating.md for how it is used. Any thread; opens everything for itself. */
#ifndef ENT_ENGINE_BACKUP_H
#define ENT_ENGINE_BACKUP_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct ent_backup_progress {
	const char *doing; /* "copying entente.db", "checking" */
	uint64_t bytes_done, bytes_total;
} ent_backup_progress;
typedef void (*ent_backup_tell)(void *ctx, const ent_backup_progress *);

typedef struct ent_backup_report {
	int64_t moment_us; /* the copy is of this time */
	uint32_t moments;  /* as many were tried: a compaction beside it may take a file away */
	uint32_t files, segments, inbox_files;
	uint64_t bytes, database_bytes, identities;
	bool key; /* the identity key is in it; else the configuration names it, and it has to be kept elsewhere */
	double seconds;
} ent_backup_report;

/* Copies the store in `store` into the folder `to`, which must not be there: it gets its name when everything in it is
 * synced and checked, until then it is called `to`.partial. What a backup that was interrupted left under that name is
 * replaced. */
int ent_backup(
	const char *store, const char *to, ent_backup_tell tell, void *ctx, ent_backup_report *report, ent_error *e);
/* Copies a backup into the folder `store`, which must be absent or empty, checking every file against its sum and the
 * whole as ent_backup does. */
int ent_restore(
	const char *from, const char *store, ent_backup_tell tell, void *ctx, ent_backup_report *report, ent_error *e);

#endif
