/* SPDX-License-Identifier: Apache-2.0
 *
 * serve/events.h: news for who listens (server-sent events): numbered, kept for a while in bounded memory, so that a client
 * which was away goes on where it was (Last-Event-ID). Who does not read fast enough is cut, and comes again.
 *
 * Threads: that of the server's loop.
 */
#ifndef ENT_SERVE_EVENTS_H
#define ENT_SERVE_EVENTS_H

#include "serve/http.h"

typedef struct ent_events ent_events;

/* Adds GET /api/v1/events to the server (least role viewer). One for each server; before ent_http_listen(). It is destroyed
 * with the server, or before it. */
ent_events *ent_events_create(ent_http *);
void ent_events_destroy(ent_events *); /* NULL allowed */

/* Tells everybody who listens. Name: letters and '_'; json: one JSON value without line breaks, or NULL for {}. */
void ent_events_publish(ent_events *, const char *name, const char *json, size_t n);

/* How many listen now, and how many were cut because they did not read. */
size_t ent_events_listeners(const ent_events *);
uint64_t ent_events_cut(const ent_events *);

#endif
