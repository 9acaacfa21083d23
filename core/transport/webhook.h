/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks without HTTP: which source a path belongs to, whether a delivery is genuine, and how it goes into the inbox. The
 * server adds the headers and the answer. Read-only once opened, so any number of threads may ask; put is the inbox's front. */
#ifndef ENT_TRANSPORT_WEBHOOK_H
#define ENT_TRANSPORT_WEBHOOK_H

#include "transport/inbox.h"

typedef struct ent_webhooks ent_webhooks;
typedef struct ent_webhook ent_webhook;
/* Value of a header of the request, names without regard to case; NULL: it has none. */
typedef const char *ent_webhook_header(void *ctx, const char *name);

/* All webhooks of the configuration, which must outlive them. Reads the secrets: one that cannot be read is an error with its
 * place, and *out is NULL. */
int ent_webhooks_open(ent_webhooks **out, const ent_config *, ent_errors *);
void ent_webhooks_close(ent_webhooks *); /* NULL allowed */

/* NULL: there is none at this path (404). */
const ent_webhook *ent_webhook_find(const ent_webhooks *, const char *path, size_t n);
const char *ent_webhook_source(const ent_webhook *);
/* A body may have so many bytes (413). */
size_t ent_webhook_limit(const ent_webhook *);
/* Is the delivery genuine? false: 401, and nothing more is said. */
bool ent_webhook_verify(const ent_webhook *, ent_webhook_header *, void *header_ctx, const void *body, size_t n);
/* Gives a genuine delivery to the inbox, in the form that the source's decoder wants; `done` as ent_inbox_put has it. */
void ent_webhook_put(const ent_webhook *, ent_inbox *, ent_webhook_header *, void *header_ctx, const void *body, size_t n,
	ent_inbox_done *done, void *ctx);
/* Status of the answer for what `done` was told: 200; 429 too much waits; 413 more than the
 * inbox takes at once; 503 the disk, or closing. */
int ent_webhook_answer(int outcome);

#endif
