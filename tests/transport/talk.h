/* SPDX-License-Identifier: Apache-2.0
 *
 * A server of a few lines for tests, on the loop of the test: what was asked is kept, what is answered is given by the
 * test. Speaks HTTP, or SMTP. */
#ifndef TESTS_TRANSPORT_TALK_H
#define TESTS_TRANSPORT_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

typedef struct talk {
	uv_loop_t *loop;
	uv_tcp_t listener;
	struct peer *peers;
	bool smtp, ipv6;
	int port, connections, requests;
	char asked[64][4096]; /* head and body of each request; of SMTP all lines of a connection */
	const char *denied;   /* SMTP: a recipient that is refused */
	/* What to say to the n-th request (from 0), as it goes over the wire; NULL: nothing at all. A text that ends with
	 * "Connection: close\r\n\r\n…" closes the connection behind it. */
	const char *(*answer)(struct talk *, int n, const char *asked, size_t *length);
	void *ctx;
} talk;

void talk_start(talk *, uv_loop_t *);
void talk_stop(talk *); /* what is open is closed; let the loop turn */
/* http://127.0.0.1:PORT/path; of a few buffers in turn */
const char *talk_url(const talk *, const char *path);

#endif
