/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for testing plugins: loads one, gives it options written in YAML, feeds it a document and writes down, one
 * JSON object a line, everything that it says. Simple rather than fast; it shares no code with the real host on
 * purpose, so that the two check each other. One thread.
 */
#ifndef ENTENTE_TESTS_PLUGINS_HOST_H
#define ENTENTE_TESTS_PLUGINS_HOST_H

#include "entente/plugin.h"

#include <stddef.h>

typedef struct host_text {
	char *p; /* NUL-terminated, or NULL while empty */
	size_t n, room;
} host_text;

void host_text_add(host_text *t, const char *p, size_t n);
void host_text_free(host_text *t);

typedef struct host host;

/* Loads build/plugins/PLUGIN.so and makes an instance of its decoder. `options` is YAML, may be NULL. Aborts the test
 * with a message on a plugin that cannot be loaded; returns NULL if create() refuses, with the reason in *why (to be
 * freed). */
host *host_open(const char *plugin, const char *decoder, const char *options, char **why);
void host_close(host *h);
const ent_decoder *host_decoder(const host *h);
/* What lies beside every document from now on; borrowed. NULL: nothing. */
void host_beside(host *h, const char *bytes, size_t n);

typedef struct host_cut {
	size_t from, to; /* rows or lines [from, to) of the document; to 0: all */
	size_t step;     /* JSONL: lines a feed, BYTES: bytes a feed; 0: all at once */
} host_cut;

/* Decodes `bytes` as document `name`. Output is appended to *out. Returns what the decoder returned. */
ent_status host_run(host *h, const char *name, const char *bytes, size_t n, host_cut cut, host_text *out);

/* DELIMITED: number of rows, header not counted; and whether a group may start at row i. */
size_t host_rows(host *h, const char *bytes, size_t n);
int host_starts(host *h, const char *bytes, size_t n, size_t i);

int host_money(ent_str text, char decimal, char group, int64_t *micro);
int host_time(ent_str text, const char *pattern, ent_time *out);

#endif
