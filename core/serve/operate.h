/* SPDX-License-Identifier: Apache-2.0
 *
 * What whoever operates the service asks it: is it alive, is it ready, its figures, how it stands; and compaction. Routes are called
 * with the ent__serve. Front's thread. */
#ifndef ENT_SERVE_OPERATE_H
#define ENT_SERVE_OPERATE_H

#include "serve/front.h"

extern const ent_route ent__operate_routes[];

/* Does the engine's thread get on? The front does, where this is called. `why` (at least 200 bytes, or NULL) is set where it
 * does not. */
bool ent__operate_alive(ent__serve *, char *why);
/* Is the service ready to work: the store open, everything looked at once, not asked to stop? `why` as above. */
bool ent__operate_ready(ent__serve *, char *why);

/* Ends a compaction that is under way; before the engine's thread is stopped. */
void ent__operate_stop(ent__serve *);
/* Frees what is kept; after that. */
void ent__operate_destroy(ent__serve *);

/* life.c: tells the log what has changed since the last call; begin: what it was when the service started. */
void ent__life_begin(ent__serve *);
void ent__life_tell(ent__serve *, const ent_service_status *now);
void ent__life_destroy(ent__serve *);

/* status_json.c: how the service stands, as /api/v1/status says it. */
typedef struct ent__status {
	const char *version;
	int64_t now_us;
	const ent_service_status *service;
	const ent_inbox_status *inbox; /* for each source, in its order; NULL: not known */
	const ent_http_figures *http;
	uint64_t memory_bytes;
} ent__status;
void ent__status_json(const ent__status *, ent_buf *out);
extern const ent_schema ent__status_schema;

#endif
