/* SPDX-License-Identifier: Apache-2.0
 *
 * Telling: what waits in the store's outbox (store/notices.h) is gathered into messages and delivered, by webhook, mail or
 * Alertmanager, as `tell` of the configuration says. On the front's loop; the store is touched by jobs on the engine's thread
 * alone.
 *
 * Nothing is told twice: that a message is being sent is committed before its first byte leaves. When the process dies before
 * it knows what became of it, or no answer came to what was sent, the message may have been told; it is not sent again, and
 * shown as `unknown`. Alertmanager may hear a thing twice, so it does. */
#ifndef ENT_TELL_TELL_H
#define ENT_TELL_TELL_H

#include "config/config.h"
#include "engine/service.h"

typedef struct ent_tell ent_tell;

/* Has a job done with the engine, as ent_service_do. */
typedef void ent_tell_do(void *ctx, const ent_service_job *job);

typedef struct ent_tell_options {
	ent_tell_do *engine; /* NULL: there is none; only ent_tell_test() works */
	void *ctx;
	bool at_once; /* what waits for others to come, or to be tried again, does not wait */
} ent_tell_options;

/* Reads what the configuration refers to: templates, secrets, zones. NULL and errors with their places if one is bad. With no
 * targets it does nothing but to end what waits for targets that are no more. `config` is borrowed until it is destroyed or
 * given another one. */
ent_tell *ent_tell_create(uv_loop_t *, const ent_config *config, const ent_tell_options *, ent_errors *errors);
/* Puts another configuration in place of the one that is active: 0, or errors, and nothing changed. */
int ent_tell_reload(ent_tell *, const ent_config *config, ent_errors *errors);
/* Templates, secrets and zones alone: before a reload. */
int ent_tell_check(const ent_config *config, ent_errors *errors);

/* Templates alone: secrets may be kept where the configuration is not written. */
int ent_tell_check_templates(const ent_config *config, ent_errors *errors);

/* Findings may have changed: look at the outbox. */
void ent_tell_look(ent_tell *);
/* Begins nothing more; `done` when what is under way has ended and is written down, which takes as long as a request may (30 s)
 * at most. The engine must go on that long: what it cannot write down will be unknown. */
void ent_tell_stop(ent_tell *, void (*done)(void *ctx), void *ctx);
/* Messages under way, and jobs. */
bool ent_tell_busy(const ent_tell *);
/* What is under way is cut off. The loop has to turn until its handles are closed. NULL allowed. */
void ent_tell_destroy(ent_tell *);

typedef enum ent_tell_result {
	ENT_TELL_TOLD,
	ENT_TELL_FAILED,  /* refused */
	ENT_TELL_AGAIN,   /* not delivered, and worth another try */
	ENT_TELL_UNKNOWN  /* sent, but what became of it is not known */
} ent_tell_result;

/* Sends a message that says it is a test, at once, whatever `for` and `quiet` say. `what` says in a line what happened. */
typedef void ent_tell_tested(void *ctx, ent_tell_result, const char *what);
int ent_tell_test(ent_tell *, const char *name, ent_tell_tested *done, void *ctx, ent_error *e);

/* How a target stands, since the process started. */
typedef struct ent_tell_status {
	const char *name, *way;
	uint64_t told, failed, unknown, tries; /* messages */
	int64_t last_us, next_us; /* of the last that was told; when the next try is due, 0: nothing waits */
	char error[320];          /* of the last try; "" if it was told */
} ent_tell_status;
size_t ent_tell_statuses(const ent_tell *, ent_tell_status *out, size_t most);

#endif
