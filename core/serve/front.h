/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the service's front share. All of it belongs to the front's thread. */
#ifndef ENT_SERVE_FRONT_H
#define ENT_SERVE_FRONT_H

#include "base/log.h"
#include "engine/service.h"
#include "serve/events.h"
#include "serve/http.h"
#include "serve/notify.h"
#include "serve/serve.h"
#include "tell/tell.h"
#include "transport/inbox.h"
#include "transport/poll.h"

#include <uv.h>

/* A configuration that somebody uses: freed by the last of them. A source that a reload leaves as it is goes on with that of
 * the generation in which it began. */
typedef struct ent__generation {
	ent_config *config;
	unsigned users;
} ent__generation;

ent__generation *ent__generation_make(ent_config *); /* with one user; takes the configuration */
ent__generation *ent__generation_use(ent__generation *);
void ent__generation_leave(ent__generation *); /* NULL allowed */

typedef struct ent__sources ent__sources;
typedef struct ent__reload ent__reload;

typedef struct ent__serve {
	const ent_serve_options *options;
	uv_loop_t loop;
	ent__generation *now;
	ent_service *service;
	ent_inbox *inbox;
	ent_http *http;
	ent_events *events;
	ent_notify *notify;
	ent__sources *sources;
	ent__reload *reload;
	ent_tell *tell;
	ent__generation *told_by; /* whose targets it has */
	void *reader;
	struct ent__operate *operate; /* operate.c */
	struct ent__life *life;       /* life.c */
	struct ent__live *live; /* live.c; NULL: nothing was told yet */
	uv_signal_t signals[3]; /* TERM, INT, HUP */
	uv_timer_t deadline;    /* of draining */
	bool open, ready_told, stopping; /* open: it listens, and sources are brought */
	bool ended, drained; /* the engine's thread has; the server has */
	bool late;           /* the deadline came first */
	uint64_t beat_seen, beat_at; /* of the engine's thread, and when that was new */
	ent_errors *errors;  /* why it ended */
} ent__serve;

/* serve.c: everybody is given the generation that is active now. */
void ent__serve_configured(ent__serve *, ent__generation *before);

/* live.c: tells who watches what changed. */
void ent__live_news(ent__serve *, unsigned mask, const ent_service_status *now);
/* Findings may have changed. */
void ent__live_findings(ent__serve *);
void ent__live_destroy(ent__serve *);

/* sources.c: the ways in of all sources that are no inbox of somebody else: watches, polls, pipes. Brings them to what the
 * configuration of this generation says; those that say the same as before are left alone. */
int ent__sources_create(ent__sources **out, ent__serve *, ent_error *e);
int ent__sources_bring(ent__sources *, ent__generation *, ent_errors *errors);
void ent__sources_destroy(ent__sources *); /* NULL allowed */
/* How the polls of a source stand. false: it is not polled. */
bool ent__sources_poll(const ent__sources *, const char *name, ent_poll_status *out);
/* Asks now, without waiting for the interval. false: it is not polled. */
bool ent__sources_poll_now(ent__sources *, const char *name);

/* reload.c: reads the configuration again and puts it in place of the one that is active, or tells every error. Asked again
 * meanwhile, it does so again afterwards. */
typedef void ent__reloaded(void *ctx, uint64_t generation, const ent_errors *errors); /* errors NULL: it is active */
int ent__reload_create(ent__reload **out, ent__serve *, ent_error *e);
void ent__reload_ask(ent__reload *, const char *why, ent__reloaded *done, void *ctx);
bool ent__reload_under_way(const ent__reload *);
void ent__reload_destroy(ent__reload *); /* NULL allowed */
extern const ent_route ent__reload_routes[];

#endif
