/* SPDX-License-Identifier: Apache-2.0
 *
 * command/project.h: the configuration, the engine and a snapshot of the store, opened for one command, with every
 * error told; or lent by the service that answers with it (session.h), which keeps them open. A command does not see the
 * difference. Owned by whoever holds the struct; one thread. */
#ifndef ENT_COMMAND_PROJECT_H
#define ENT_COMMAND_PROJECT_H

#include "command/command.h"
#include "command/names.h"
#include "command/session.h"

typedef struct ent__project {
	const ent_config *config;
	ent_engine *engine;
	ent_store *store; /* the engine's, or opened alone; NULL: none */
	ent_config *own;  /* what is not lent, to be freed */
	ent__names names; /* of a store that was opened alone */
	bool lent;
	ent_snapshot_block block;
	ent_snap snap;
	int32_t as_of;
	const char *as_of_mode; /* "now", "latest", "date" */
} ent__project;

/* Configuration and engine. ENT_EXIT_OK; else the errors are told. Finish the project in both cases. */
int ent__project_open(ent_call *, ent__project *, ent_engine_mode);
/* Configuration and store alone, for reading: that opens sooner. As above. */
int ent__project_store(ent_call *, ent__project *);
/* Text of a code of the store, and the code of a text (UINT32_MAX: it has none). */
const char *ent__project_text(const ent__project *, uint32_t code);
uint32_t ent__project_code(const ent__project *, const char *text);
/* The same with ENT_ENGINE_PLUGINS where there may be no project: then of an empty one. */
int ent__project_open_any(ent_call *, ent__project *);
/* The snapshot of the moment that --as-of or the configuration names. As above. */
int ent__project_snapshot(ent_call *, ent__project *);
/* The same of a given day. */
int ent__project_snapshot_of(ent_call *, ent__project *, int32_t day, const char *mode);
void ent__project_finish(ent__project *); /* zeroed is fine */

/* Index of a partner in the snapshot; -1: the error is told, with what was meant. */
int64_t ent__project_partner(ent_call *, ent__project *, const char *id);

struct json_object;
/* The rules of the configured books, loaded in the rules worker: *root is the caller's (json_object_put), as
 * docs/rules.md lists rules. What is wrong with books, rules and settings is added to `errors`. Negative: nothing could
 * be loaded. */
int ent__project_rules(ent__project *, struct json_object **root, ent_errors *errors, ent_error *e);

#endif
