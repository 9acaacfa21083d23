/* SPDX-License-Identifier: Apache-2.0
 *
 * Watches the folders in which the files of a source lie or may appear, and says when something happened there; what exactly
 * is for the ingest to find out. It may miss things (network file systems tell nothing, the kernel has a limit), so whoever uses
 * it also looks from time to time. Front's thread. */
#ifndef ENT_TRANSPORT_WATCH_H
#define ENT_TRANSPORT_WATCH_H

#include "base/error.h"
#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

typedef struct ent_watch ent_watch;

typedef struct ent_watch_status {
	unsigned folders;  /* that are watched */
	unsigned missed;   /* that could not be: there only looking from time to time finds what is new */
	uint64_t events, touches;
} ent_watch_status;

/* Of a source from files, a glob or a directory; the configuration is borrowed. `touched` is called on the loop, a moment
 * after the first of what happened, and at most a few times a second. */
int ent_watch_create(ent_watch **out, uv_loop_t *, const ent_config_source *, void (*touched)(void *ctx, const char *source), void *ctx,
	ent_error *e);
/* The loop must turn once more. NULL allowed. */
void ent_watch_destroy(ent_watch *);
void ent_watch_status_of(const ent_watch *, ent_watch_status *out);

#endif
