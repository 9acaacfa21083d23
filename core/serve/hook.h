/* SPDX-License-Identifier: Apache-2.0
 *
 * serve/hook.h: webhooks. A POST to the path of a source is checked for its signature and goes into the inbox; it is answered
 * 200 once it is durable. Which source it is, and so which partner, says the path and its secret alone.
 *
 * Threads: that of the server's loop.
 */
#ifndef ENT_SERVE_HOOK_H
#define ENT_SERVE_HOOK_H

#include "serve/http.h"
#include "transport/inbox.h"

/* Takes the webhooks of the server's configuration, and of each one that ent_http_configure() brings. The inbox is borrowed: it
 * is closed before the server is destroyed, or after the loop has turned behind that. Errors: secrets that cannot be read. */
int ent_hooks_create(ent_http *, ent_inbox *, ent_errors *errors);

typedef struct ent_hooks_figures {
	uint64_t taken;     /* durable */
	uint64_t repeated;  /* known by their id already */
	uint64_t forged;    /* bad or missing signature */
	uint64_t put_off;   /* 429 and 503 */
} ent_hooks_figures;
void ent_hooks_figures_read(const ent_http *, ent_hooks_figures *out);

#endif
