/* SPDX-License-Identifier: Apache-2.0
 *
 * A source that is polled: a server is asked at an interval for what is new, page by page, and each page goes into the inbox
 * together with where one stands behind it. The next page is asked for when that is durable, so that after a kill nothing
 * is missing. All of it belongs to the loop's thread. */
#ifndef ENT_TRANSPORT_POLL_H
#define ENT_TRANSPORT_POLL_H

#include "config/config.h"
#include "transport/client.h"
#include "transport/inbox.h"

typedef struct ent_poll ent_poll;

typedef enum ent_poll_state {
	ENT_POLL_IDLE,    /* until the next interval */
	ENT_POLL_ASKING,  /* a request, or waiting for the next one that the rate allows */
	ENT_POLL_TRYING,  /* waiting to try again what failed */
	ENT_POLL_KEEPING, /* a page is on its way into the inbox, or the inbox is full */
	ENT_POLL_FAILING  /* the last turn failed; idle until the next one */
} ent_poll_state;

extern const char *const ent_poll_states[]; /* their names */

typedef struct ent_poll_status {
	ent_poll_state state;
	bool failing;         /* the last turn that ended did not end well */
	ent_error error;      /* why it fails, or is tried again; code 0: it does not */
	char said[200];       /* with it, the beginning of what the server said, masked: for an operator's eyes, never a log */
	int http;             /* status of the last answer; 0: none yet */
	int64_t succeeded_us; /* 1970: when a turn last ended well; 0: never */
	int64_t failed_us;    /* when one last did not */
	int64_t next_us;      /* when something will be done next; 0: under way */
	uint64_t turns, requests, unchanged, pages, records, retries, failures;
	uint64_t bytes;       /* of answers, as they came */
	char since[72];       /* how far one has read; "": nothing yet */
	bool behind;          /* within the pages of a turn */
} ent_poll_status;

/* Begins at once. Secrets are read: one that cannot be is an error with its place, and *out is NULL. `config` and `source`
 * must outlive it; `changed` (may be NULL) is called after the status has changed in more than counts. */
int ent_poll_create(ent_poll **out, uv_loop_t *, const ent_config *config, const ent_config_source *source, ent_client *,
	ent_inbox *, void (*changed)(void *ctx, const char *source), void *ctx, ent_errors *errors);
/* What is under way is given up; what is in the inbox stays. The memory is given back by the loop. NULL is fine. */
void ent_poll_destroy(ent_poll *);
/* The next turn begins now, if none is under way. */
void ent_poll_now(ent_poll *);
void ent_poll_status_of(const ent_poll *, ent_poll_status *out);

#endif
