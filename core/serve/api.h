/* SPDX-License-Identifier: Apache-2.0
 *
 * serve/api.h: what the service says and takes over HTTP below /api/v1, as tables of routes; their handlers are called with
 * the ent__serve. What is read is what `entente … --json` says, for it is the command that answers (reader.h). What is
 * written runs as a job of the service, with the engine that writes. Front's thread. */
#ifndef ENT_SERVE_API_H
#define ENT_SERVE_API_H

#include "base/arena.h"
#include "serve/front.h"

extern const ent_route ent__api_routes[];          /* partners, metrics, series, balance, rules */
extern const ent_route ent__api_finding_routes[];
extern const ent_route ent__api_register_routes[];
extern const ent_route ent__api_source_routes[];   /* sources, rejects, ingest */
extern const ent_route ent__api_record_routes[];   /* records behind a partner's figures */
extern const ent_route ent__api_told_routes[];     /* who is told */
extern const ent_route ent__api_poll_routes[];     /* how polls stand */
extern const ent_route ent__api_control_routes[];  /* commands of the command line, over the socket alone */

/* ---- shared by the tables -------------------------------------------------------------------------------------------- */

/* Words of a command, as they are put together. Options come before what ent__words_end() begins. */
typedef struct ent__words {
	ent_arena arena;
	const char **list;
	size_t n, capacity;
} ent__words;

void ent__words_add(ent__words *, const char *text);
/* "--option=value"; nothing if the value is NULL. */
void ent__words_option(ent__words *, const char *option, const char *value);
/* The same with the parameter of the request that has the option's name, `-` for `_`. Every value of one that may be given
 * many times. */
void ent__words_param(ent__words *, const ent_request *, const char *param);
/* --limit and --after. */
void ent__words_page(ent__words *, const ent_request *);
/* "--": whatever follows is an operand, though it may look like an option. */
void ent__words_end(ent__words *);
void ent__words_finish(ent__words *);

typedef enum ent__ask_how {
	ENT__ASK_PLAIN = 0,
	ENT__ASK_VERSIONED = 1 /* equal as long as nothing was committed: it has an ETag of that, and is not computed in vain */
} ent__ask_how;

/* Has the reader run the words, and answers the request with what they say. Finishes the words. */
void ent__api_ask(ent_request *, ent__serve *, ent__words *, const char *media, ent__ask_how how);

/* Has the engine run the words, and answers with `status` and what they say. `input` (may be NULL) stands for a file that the
 * command reads; its bytes are taken. Finishes the words. */
void ent__api_change(ent_request *, ent__serve *, ent__words *, int status, ent_buf *input);

/* Members of a body, NULL where they are absent or null; numbers as they were written. */
const char *ent__body_text(struct json_object *body, const char *key);

#endif
