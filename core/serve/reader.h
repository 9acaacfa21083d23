/* SPDX-License-Identifier: Apache-2.0
 *
 * How the service reads the store, and what it writes for people: it asks in the words of the command line, and gets what
 * `entente WORDS --json` writes. Who answers is above (core/command/answer.h) and is handed in as this table. Front's thread,
 * but for `change`; answers come on its loop. */
#ifndef ENT_SERVE_READER_H
#define ENT_SERVE_READER_H

#include "base/buf.h"
#include "config/config.h"
#include "config/errors.h"
#include "engine/service.h"

#include <uv.h>

typedef struct ent_reader_answer {
	int status;         /* the command's exit status */
	ent_buf out;        /* JSON, or what it wrote for people where --json was not among the words; the receiver may take it */
	ent_errors *errors; /* n 0: none */
	const char *notes;  /* a line each; "" none */
	const char *next;   /* of a list that was cut: where it goes on, for --after; "": it is whole */
} ent_reader_answer;

/* The answer, and what the receiver left in it, is freed afterwards. */
typedef void ent_reader_done(void *ctx, ent_reader_answer *);

/* Words of one command. */
typedef struct ent_reader_words {
	const char *const *words;
	size_t n;
	const char *user;   /* who asks; NULL: nobody in particular */
	const ent_buf *input; /* stands for a file that the command reads; NULL: none */
} ent_reader_words;

typedef struct ent_reader_way {
	/* Starts what answers; reads the configuration for itself, so that nobody waits for it at a reload. */
	void *(*start)(uv_loop_t *front, const char *config_path, ent_error *e);
	/* Where sources stand as the service sees it is asked of this one. */
	void (*watch)(void *reader, ent_service *);
	/* Has a command that reads run; the words are copied. `done` on the loop, never from within. */
	void (*ask)(void *reader, const char *const *words, size_t n, ent_reader_done *done, void *ctx);
	/* What is asked now is answered of this version: two that are equal read the same. */
	void (*version)(void *reader, char out[48]);
	/* Findings that changed since this was asked last, a line of JSON each; see core/command/differences.h. */
	void (*differences)(void *reader, ent_reader_done *done, void *ctx);
	/* The store has more, or the configuration is another one: what is asked from now on is read anew. */
	void (*anew)(void *reader, bool configuration);
	/* On the engine's thread, as a job of the service: has a command that writes run there, with that engine. The answer is
	 * the caller's, and freed by `forget`. Negative: the store could not be written. */
	int (*change)(ent_engine *, const char *config_path, const ent_reader_words *, ent_reader_answer *);
	void (*forget)(ent_reader_answer *);
	/* Waits for what is under way; what is left is answered with ENT_ERR_STOPPED. */
	void (*stop)(void *reader);
} ent_reader_way;

#endif
