/* SPDX-License-Identifier: Apache-2.0
 *
 * command/session.h: what a service lends to the commands that it answers with: a configuration, an engine that stays
 * open, snapshots that were made before. And where their errors and notes go. Owned by one thread: the reader (answer.c),
 * or the engine's for what is written (change.c). */
#ifndef ENT_COMMAND_SESSION_H
#define ENT_COMMAND_SESSION_H

#include "command/command.h"
#include "engine/engine.h"
#include "metrics/window.h"

enum { ENT__SNAPSHOTS = 3 };

typedef struct ent__session_snapshot {
	int32_t day;
	char mode[8];
	uint64_t used;
	ent_snapshot_block block;
	ent_snap snap;
} ent__session_snapshot;

/* How a source stands in the service, for `entente sources`. */
typedef struct ent__source_standing {
	const char *state; /* "idle", "waiting", "failing", "quarantined" */
	const char *error; /* of the last failure; "" if that is mended */
	bool late;
	uint64_t waiting_bytes, restarts, failures;
	uint32_t waiting_files;
	int64_t waiting_since_us, last_read_us, retry_us; /* 0: never, not */
} ent__source_standing;

typedef struct ent__session {
	const ent_config *config; /* borrowed */
	ent_engine *engine;       /* borrowed: reading, or of the service */
	const char *config_path;
	bool writes; /* the engine is the one that writes */
	const char *user;  /* who asks, where a command wants to know; NULL: nobody in particular */
	const ent_buf *input; /* what stands for the file "-"; NULL: nothing does */
	ent__session_snapshot snapshots[ENT__SNAPSHOTS];
	uint64_t uses;
	/* How the source stands; false: the service does not know it. NULL: no service. */
	bool (*standing)(void *ctx, const char *source, ent__source_standing *out);
	void *standing_ctx;
	/* of the command that is run: */
	ent_errors *told;
	ent_buf notes; /* a line each */
	char next[96]; /* where a list that was cut goes on; "": it is whole */
} ent__session;

/* Borrowed until the next call. NULL: *e. */
const ent__session_snapshot *ent__session_snapshot_of(ent__session *, int32_t day, const char *mode, ent_error *e);
/* Before the engine changes or goes. */
void ent__session_forget(ent__session *);
/* Forgets what the last command told. */
void ent__session_begin(ent__session *);
void ent__session_finish(ent__session *); /* zeroed is fine */

void ent__session_told(ent__session *, const ent_error *e, size_t n, size_t total);
void ent__session_note(ent__session *, const char *text);

#endif
