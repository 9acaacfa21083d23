/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of what was told of several partners together: the core keeps it, hands it to the rules workers with each
 * snapshot, and takes from them what they released. Each worker decides by the log as it stood before
 * (scripts/entente/releases.py); what contradicts each other among what is new is found here, refused, and judged
 * again. Loop thread only. */
#ifndef ENT_ENGINE_RELEASED_H
#define ENT_ENGINE_RELEASED_H

#include "base/json.h"
#include "engine/judged.h"

/* Reads it from the store, once. */
int ent__released_load(ent_engine *, ent_error *e);
/* The log, which was read, as it stands in the JSON of a snapshot whose partners, as codes, these are. */
void ent__released_json(ent_engine *, const uint32_t *partners, size_t n, ent_json *);
/* Which partners the numbers are that workers name from now on. */
void ent__released_of(ent_engine *, const ent_snapshot_block *);
/* Takes what the first n workers released in this judgement. ENT__AGAIN: some of it contradicts each other, and is
 * refused: it has to be judged again. */
int ent__released_take(ent__judge *, unsigned n);
/* Those that were refused so far in this judgement, as a JSON array for the workers. */
void ent__released_refused(const ent__judge *, ent_json *);
/* Writes what was taken, and forgets what can no longer be compared with anything: within the transaction of the
 * judgement. */
int ent__released_save(ent__judge *);
/* What is remembered of the store: after a rollback. */
void ent__released_forget(ent_engine *);

#endif
