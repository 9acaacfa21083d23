/* SPDX-License-Identifier: Apache-2.0
 *
 * Compaction in a service: slices of the engine's time between what else it does, so that nobody waits for it. The
 * front's thread. */
#ifndef ENT_ENGINE_COMPACT_TASK_H
#define ENT_ENGINE_COMPACT_TASK_H

#include "engine/compact.h"
#include "engine/service.h"

typedef struct ent_compact_progress {
	ent_compact_report report;
	unsigned slices;
	uint64_t longest_ns; /* that one slice kept the engine */
	uint64_t ns;         /* since the start */
} ent_compact_progress;

typedef struct ent_compact_task ent_compact_task;

/* Begins one; `done` is called once, on the loop, after which the task is gone. `progress` is borrowed from the task.
 */
typedef void ent_compact_done(void *ctx, const ent_compact_progress *, int status, const ent_error *e);
int ent_compact_task_start(ent_compact_task **out, ent_service *, uv_loop_t *front, unsigned worth,
	ent_compact_done *done, void *ctx, ent_error *e);
/* As of the last slice. */
const ent_compact_progress *ent_compact_task_progress(const ent_compact_task *);
/* Ends it after the slice that is under way, with ENT_ERR_STOPPED: what is whole stays. The service has to go on, or to
 * be destroyed, before the loop ends. */
void ent_compact_task_stop(ent_compact_task *);

#endif
