/* SPDX-License-Identifier: Apache-2.0
 *
 * How the service reads the store: it asks in the words of the command line, and gets what `entente WORDS --json` writes.
 * Who answers is above (core/command/answer.h) and is handed in as this table. Front's thread; answers come on its loop. */
#ifndef ENT_SERVE_READER_H
#define ENT_SERVE_READER_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"

#include <uv.h>

/* `status`: the command's exit status; `e`: its first error, NULL if it had none. `out`: JSON, or what it wrote for people where
 * --json was not among the words; the receiver may take it. */
typedef void ent_reader_done(void *ctx, int status, ent_buf *out, const ent_error *e);

typedef struct ent_reader_way {
	void *(*start)(uv_loop_t *front, const char *config_path, ent_error *e);
	/* Words of one command; copied. */
	void (*ask)(void *reader, const char *const *words, size_t n, ent_reader_done *done, void *ctx);
	/* The store has more, or the configuration is another one: what is asked from now on is read anew. */
	void (*anew)(void *reader, bool configuration);
	void (*stop)(void *reader);
} ent_reader_way;

#endif
