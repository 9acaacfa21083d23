/* SPDX-License-Identifier: Apache-2.0
 *
 * What client.c (the loop) and client_call.c (one request) share. Thread of the loop. */
#ifndef ENT_TRANSPORT_CLIENT_INTERNAL_H
#define ENT_TRANSPORT_CLIENT_INTERNAL_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "transport/client.h"
#include "transport/curl.h"

struct ent__client_headers {
	ent_buf text; /* NAME NUL VALUE NUL … */
};

struct ent_client_call {
	ent_client_call *next, **link; /* in the client's list */
	ent_client *client;
	CURL *easy;
	ent_arena arena; /* of the request's copies */
	ent_client_request request;
	struct curl_slist *headers, *recipients;
	ent_client_done *done;
	void *ctx;
	uint64_t started; /* uv_hrtime() */
	unsigned hops, connects;
	uint64_t before; /* bytes that came with answers which were redirects */
	size_t sent;     /* of the message that is mailed */
	/* a mail: out with a thread, whose it is until it is back; given up meanwhile */
	uv_work_t job;
	bool mailing;
	atomic_int abandoned;
	CURLcode code;
	/* the answer, as it comes */
	ent_buf body;
	struct ent__client_headers answer_headers;
	size_t header_bytes;
	bool too_large, forbidden;
	char address[64]; /* that was forbidden */
	char message[CURL_ERROR_SIZE];
};

/* Sets the easy handle up for the request as it stands in `call`. */
int ent__client_prepare(ent_client_call *call, ent_error *e);
/* An easy handle is through. true: a redirect has to be followed, and the handle is set up for it. Otherwise *answer
 * says how it ended. */
bool ent__client_ended(ent_client_call *call, CURLcode code, ent_client_answer *answer);
/* Fills in what a failure looks like to the caller. */
void ent__client_fill(ent_client_call *call, ent_client_answer *answer);
/* client_mail.c */
void ent__client_mail_prepare(ent_client_call *call);
int ent__client_mail_start(uv_loop_t *loop, ent_client_call *call);
/* client.c: a mail's thread is back. */
void ent__client_mailed(ent_client_call *call, CURLcode code);
void ent__client_free(ent_client_call *call);

#endif
