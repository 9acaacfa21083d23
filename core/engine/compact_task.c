/* SPDX-License-Identifier: Apache-2.0
 *
 * Compaction as a row of jobs of the service, see compact_task.h. The task belongs to the front's thread; what a job
 * works on is the engine's until it is done, and nobody else looks at it meanwhile. */
#include "engine/compact_task.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "engine/internal.h"

/* A slice is short for who waits behind it, and long enough to get on while the service reads without a pause. */
enum { STEPS = 4, FRAMES = 4096, STEP_NS = 5000000, PAUSE_MS = 5 };

struct ent_compact_task {
	ent_service *service;
	unsigned worth;
	ent_compact_done *done;
	void *ctx;
	uv_timer_t timer;              /* of the pause between two slices: others want the engine, too */
	ent_compact_progress progress; /* as of the last slice */
	uint64_t began;
	bool stop;
	int status;
	ent_error error;
	/* of a slice: */
	ent_compact *compact;
	uint64_t serial; /* of its engine */
	ent_compact_report report;
	bool over;
	uint64_t took;
};

static int slice(ent_engine *e, void *ctx, ent_error *error) {
	ent_compact_task *t = ctx;
	uint64_t began = uv_hrtime();
	int status = 0;
	if (t->compact && t->serial != e->serial) { /* the engine failed meanwhile, and another one was opened */
		ent_engine_compact_end(t->compact);
		t->compact = NULL;
	}
	if (!t->compact) {
		t->serial = e->serial;
		status = ent_engine_compact_begin(&t->compact, e, t->worth, &t->report, error);
	}
	for (unsigned i = 0; i < STEPS && !status && !t->over; i++) {
		status = ent_engine_compact_step(t->compact, FRAMES, STEP_NS, &t->over, error);
		if (!status &&
			ent_engine_compact_waits(t->compact)) { /* who comes next wants the store, which the commit has */
			status = ent__commit_wait(e, error);
		}
	}
	t->took = uv_hrtime() - began;
	return status;
}

static void next(ent_compact_task *t);
static void on_timer(uv_timer_t *timer) { next(timer->data); }

static void closed(uv_handle_t *timer) {
	ent_compact_task *t = timer->data;
	ent_engine_compact_end(t->compact);
	free(t);
}

static void finish(ent_compact_task *t, int status, const ent_error *e) {
	t->done(t->ctx, &t->progress, status, e);
	uv_close((uv_handle_t *)&t->timer, closed);
}

static int stopped(ent_compact_task *t) {
	return ent_error_set(&t->error, ENT_ERR_STOPPED, "the compaction was stopped");
}

static void on_slice(void *ctx, int status, const ent_error *e) {
	ent_compact_task *t = ctx;
	t->progress.report = t->report;
	t->progress.slices++;
	t->progress.longest_ns = t->took > t->progress.longest_ns ? t->took : t->progress.longest_ns;
	t->progress.ns = uv_hrtime() - t->began;
	if (status || t->over) {
		finish(t, status, e);
	} else if (t->stop) {
		finish(t, stopped(t), &t->error);
	} else {
		uv_timer_start(&t->timer, on_timer, PAUSE_MS, 0);
	}
}

static void next(ent_compact_task *t) {
	ent_service_do_later(t->service, &(ent_service_job){.work = slice, .done = on_slice, .ctx = t});
}

int ent_compact_task_start(ent_compact_task **out, ent_service *service, uv_loop_t *front, unsigned worth,
	ent_compact_done *done, void *ctx, ent_error *e) {
	ent_compact_task *t = ent_xcalloc(1, sizeof *t);
	*t = (ent_compact_task){.service = service, .worth = worth, .done = done, .ctx = ctx, .began = uv_hrtime()};
	int status = uv_timer_init(front, &t->timer);
	*out = NULL;
	if (status) {
		free(t);
		return ent_error_set(e, ENT_ERR_IO, "cannot make a timer: %s", uv_strerror(status));
	}
	t->timer.data = t;
	*out = t;
	next(t);
	return 0;
}

const ent_compact_progress *ent_compact_task_progress(const ent_compact_task *t) { return &t->progress; }

void ent_compact_task_stop(ent_compact_task *t) {
	t->stop = true;
	if (uv_is_active((uv_handle_t *)&t->timer)) { /* no slice is under way */
		uv_timer_stop(&t->timer);
		finish(t, stopped(t), &t->error);
	}
}
