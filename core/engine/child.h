/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker process of the core: started by exec (never by fork after initialization), with a SOCK_SEQPACKET control
 * socket as its descriptor 3 and shared memory (a memfd sealed SHRINK|GROW|SEAL) as its descriptor 4. Its standard error is
 * read, and its last part kept for reports. All functions and callbacks on the loop thread. */
#ifndef ENT_ENGINE_CHILD_H
#define ENT_ENGINE_CHILD_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

typedef struct ent_child ent_child;

typedef struct ent_child_events {
	/* A packet: its type, and a reader behind it. Descriptors are never taken from a worker. */
	void (*message)(void *ctx, ent_child *, uint32_t type, ent_read *r);
	/* The process has ended (and its output has been read). After this the child may be destroyed. `signal` 0: it exited
	 * with `status`. */
	void (*gone)(void *ctx, ent_child *, int64_t status, int signal);
} ent_child_events;

/* Starts `program PID` (PID: ours). `shared` bytes of memory are mapped; `ctx` is passed to the events. NULL on error. */
ent_child *ent_child_start(uv_loop_t *loop, const char *program, size_t shared, const ent_child_events *events, void *ctx,
	ent_error *e);
/* From now on it is another's: its events go there. */
void ent_child_give(ent_child *, const ent_child_events *events, void *ctx);
/* Sends one packet with up to 16 descriptors, which stay the caller's. A packet that the socket cannot take now is queued
 * (descriptors are duplicated). Errors show as the child being gone. */
void ent_child_send(ent_child *, const ent_buf *packet, const int *fds, unsigned n_fds);
void *ent_child_shared(const ent_child *);
int ent_child_pid(const ent_child *);
bool ent_child_alive(const ent_child *);
void ent_child_kill(ent_child *, int signal);
/* The last of what it wrote to its standard error, NUL-terminated. */
const char *ent_child_stderr(const ent_child *);
/* Closes everything; a living process is killed. No event comes after this. NULL allowed. */
void ent_child_destroy(ent_child *);

#endif
