/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of what was told of several partners together, see scripts/entente/releases.py: which sets of partners were
 * shown, and which were not and why. As all of the store: one thread at a time. */
#ifndef ENT_STORE_RELEASES_H
#define ENT_STORE_RELEASES_H

#include "store/store.h"

typedef struct ent_release {
	uint64_t id;
	const char *slice;           /* metric, origin, part, length of the window: what is compared with each other */
	const char *cohort;          /* as it is spoken of */
	const char *state;           /* shown, refused */
	const char *why;             /* refused: why */
	int32_t first_end, last_end; /* days after its windows: of the first, of the last */
	uint32_t days;               /* how long these are */
	uint32_t size;               /* partners; 0: refused */
	int32_t since, as_of;        /* judged as of: first, last */
	uint64_t run;
	const void *members; /* codes of partners, as CRoaring's portable form; none of what was refused */
	size_t n_members;
} ent_release;

int ent_store_release_put(ent_store *, const ent_release *, ent_error *e);
int ent_store_release_drop(ent_store *, uint64_t id, ent_error *e);
typedef int (*ent_release_visit)(void *ctx, const ent_release *);
int ent_store_releases_scan(ent_store *, ent_release_visit, void *ctx, ent_error *e); /* by id */

#endif
