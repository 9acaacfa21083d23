/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker of the pool, as the files of the pool share it: pool.c starts, feeds and ends it, pool_hear.c understands what it
 * says. Loop thread only. */
#ifndef ENT_ENGINE_POOL_WORKER_H
#define ENT_ENGINE_POOL_WORKER_H

#include "engine/child.h"
#include "engine/pool.h"

struct ent_worker {
	ent_pool *pool;
	ent_worker *next;
	ent_child *child;
	const ent_plugin_info *plugin; /* set once it is loaded */
	const char *path; /* "": of the one that looks */
	bool loaded, dying;
	bool looker; /* it holds all of these plugins, describes and probes them, and decodes nothing */
	const char *const *paths; /* while it is asked for descriptions; and why one cannot be loaded */
	ent_error *refused;
	const ent_plugin_info **plugins; /* NULL: refused */
	uint32_t n_plugins, n_heard;
	bool condemned;
	ent_error condemnation;
	ent_assignment *running;
	ent_assignment *waiting[ENT_POOL_AHEAD]; /* sent, and begun after `running` */
	unsigned n_waiting;
	uint8_t *opened; /* by instance */
	uint32_t opened_n;
	/* batches in the order of hand-over, oldest first */
	ent_slot_batch *oldest, *newest;
	uint32_t occupied; /* slots */
	uint64_t beat, beat_seen_ns;
	ent_dictionary dictionary;
	/* answer to a question that is being waited for */
	bool answered;
	enum { ASKED_NOTHING, ASKED_DESCRIPTION, ASKED_SCORES } asked;
	ent_error answer;
	ent_arena *answer_arena; /* NULL: nobody waits */
	ent_plugin_info *description;
	uint32_t *scores;
	const char **why;
	uint32_t n_scores;
};

struct ent_pool {
	uv_loop_t *loop;
	ent_pool_settings set;
	const ent_pool_events *events;
	void *ctx;
	ent_worker *workers;
	unsigned alive; /* without the one that looks */
	unsigned started, died;
	unsigned looks_failed; /* workers of several plugins that died or said nonsense */
	uint64_t next_assignment;
	char sandbox[128];
};

static inline ent_ring_head *ent__worker_ring(const ent_worker *w) { return ent_child_shared(w->child); }

/* Kills a worker; its running assignment fails with this error. The first error counts. */
void ent__worker_condemn(ent_worker *, const ent_error *);
/* A packet of a worker: `ctx` is the ent_worker. */
void ent__worker_heard(void *ctx, ent_child *, uint32_t type, ent_read *);

#endif
