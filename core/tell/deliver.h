/* SPDX-License-Identifier: Apache-2.0
 *
 * Delivering one message, by whichever way its target has, and saying what became of it. Thread of the loop. */
#ifndef ENT_TELL_DELIVER_H
#define ENT_TELL_DELIVER_H

#include "tell/message.h"
#include "tell/tell.h"
#include "transport/client.h"

/* What a target's configuration refers to, read. */
typedef struct ent__target {
	const ent_config_tell *config;
	ent_arena arena;
	ent_str secret, password; /* s NULL: none */
	char *template;
	ent_client_header *headers;
	size_t n_headers;
	ent_zone **zones;
	char *url; /* that is asked */
} ent__target;

/* Errors are added with their places. */
int ent__target_open(ent__target *, const ent_config *, const ent_config_tell *, ent_errors *errors);
/* Its template alone. */
int ent__target_template(ent__target *, const ent_config_tell *, ent_errors *errors);
void ent__target_finish(ent__target *);

typedef struct ent__outcome {
	ent_tell_result result;
	int64_t wait_us;  /* AGAIN: the least time until then, if the other side named one */
	char what[320];   /* in a line: "answered 200", … */
} ent__outcome;

typedef void ent__delivered(void *ctx, const ent__outcome *);
/* 0, and `done` is called later; or the outcome is in *out already. */
int ent__deliver(ent_client *, const ent__target *, const ent_config *, const ent__message *, ent__delivered *done, void *ctx,
	ent_client_call **call, ent__outcome *out);
/* What an answer means. */
void ent__judge_answer(const ent_config_tell *, const ent_client_answer *, ent__outcome *out);
/* How long to wait after so many tries; 0: it was tried for long enough. `chance` 0..1. */
int64_t ent__backoff(unsigned attempts, int64_t retry_us, double chance);

#endif
