/* SPDX-License-Identifier: Apache-2.0
 *
 * Named pipes and standard input of a service: what programs write there goes into the inbox. Where the decoder reads JSON
 * lines, each line is a record, put as it comes; for any other decoder all that is written from the opening of the pipe until nobody
 * has it open is one document. What a writer has written is safe once it is in the inbox, which a pipe cannot tell it: who has to
 * know uses a webhook. Front's thread. */
#ifndef ENT_TRANSPORT_PIPE_H
#define ENT_TRANSPORT_PIPE_H

#include "transport/inbox.h"

typedef struct ent_pipe ent_pipe;

typedef struct ent_pipe_status {
	uint64_t bytes, sessions; /* sessions: openings that ended */
	uint64_t lost; /* lines and documents that were too long, or that the inbox failed to keep */
	bool open;     /* something is being written */
	bool full;     /* nothing is read until the inbox has room again */
	bool ended;    /* standard input came to its end */
} ent_pipe_status;

/* Of a source from a pipe, which is made if it is absent, for its owner alone; or of standard input. The configuration is
 * borrowed. */
int ent_pipe_create(ent_pipe **out, uv_loop_t *, ent_inbox *, const ent_config_source *, ent_error *e);
/* What was read and is not in the inbox yet is lost, but for what was put already. The loop must turn once more. NULL allowed. */
void ent_pipe_destroy(ent_pipe *);
void ent_pipe_status_of(const ent_pipe *, ent_pipe_status *out);

#endif
