/* SPDX-License-Identifier: Apache-2.0
 *
 * Worker processes that start ahead of what they are for: while the store is opened, whose syncs are waited for. All of one
 * program, with shared memory of one size. Loop thread only. */
#ifndef ENT_ENGINE_SPARE_H
#define ENT_ENGINE_SPARE_H

#include "engine/child.h"

typedef struct ent_spares ent_spares;

/* Starts n of them, or as many as it can; who takes them is told what is wrong. */
ent_spares *ent_spares_create(uv_loop_t *loop, const char *program, size_t shared, unsigned n);
/* One of them, or a new one where none is left: as ent_child_start(). */
ent_child *ent_spares_take(ent_spares *, uv_loop_t *loop, const char *program, size_t shared, const ent_child_events *events,
	void *ctx, ent_error *e);
/* Stops those that nobody took. NULL allowed. */
void ent_spares_stop(ent_spares *);
void ent_spares_destroy(ent_spares *);

#endif
