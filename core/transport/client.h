/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to other machines, by HTTP(S) and SMTP(S), on a uv loop: polls, outgoing webhooks, mail (libcurl's multi
 * interface). Nothing here blocks. All of it belongs to the loop's thread; each answer comes on the loop, never from
 * within the call that asked.
 *
 * Only http, https, smtp and smtps are spoken. Certificates are verified. Redirects are an answer like others unless
 * the request allows some; they are followed for GET and HEAD, never from https to http, and to another origin without
 * the request's own headers and credentials. Requests to one host share connections. */
#ifndef ENT_TRANSPORT_CLIENT_H
#define ENT_TRANSPORT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/error.h"

typedef struct ent_client ent_client;
typedef struct ent_client_call ent_client_call; /* a request under way */

typedef struct ent_client_header {
	const char *name, *value; /* of one line each */
} ent_client_header;

/* What is mailed: SMTP's envelope, and a whole message with its headers, lines ended by CR LF. */
typedef struct ent_client_mail {
	const char *from;
	const char *const *to;
	size_t n_to;
	const char *message;
	size_t message_n;
	bool plain; /* smtp: go on without STARTTLS where the server has none; otherwise it is an error */
} ent_client_mail;

/* All of it is copied. Zero means the default. */
typedef struct ent_client_request {
	const char *method; /* NULL: GET, or POST if there is a body */
	const char *url;
	const ent_client_header *headers;
	size_t n_headers;
	const char *body; /* NULL: none */
	size_t body_n;
	const char *user, *password; /* basic authentication, login of SMTP; NULL: none */
	int64_t timeout_us;          /* of all of it; 30 s */
	int64_t connect_us;          /* of resolving, connecting and TLS; 10 s */
	int64_t most_body;           /* bytes of the answer, unpacked; 1 MB */
	int64_t most_headers;        /* bytes of the answer's headers; 64 KB */
	unsigned redirects;          /* that may be followed; 0: none */
	const char *ca;              /* file of certificates to trust in place of the system's; NULL: the system's */
	/* Only addresses of the public internet: each one that is really connected to is looked at, after names have been
	 * resolved. No proxy is used then. */
	bool public_only;
	/* On a connection of its own: on one that was open already and turns out to be dead libcurl sends again, and nobody
	 * knows whether it had arrived. */
	bool once;
	const ent_client_mail *mail; /* with a URL of smtp or smtps only */
} ent_client_request;

/* Why there is no whole answer. */
typedef enum ent_client_failure {
	ENT_CLIENT_OK = 0,      /* an answer came, whatever its status */
	ENT_CLIENT_CANCELLED,   /* by ent_client_cancel() or ent_client_destroy() */
	ENT_CLIENT_UNREACHABLE, /* no such host, refused, cut off, no sense in what it said */
	ENT_CLIENT_TIMEOUT,
	ENT_CLIENT_TLS,       /* its certificate cannot be trusted, or no TLS can be agreed on */
	ENT_CLIENT_TOO_LARGE, /* body or headers */
	ENT_CLIENT_FORBIDDEN, /* public_only, and the address is none; a redirect from https to http; too many of them */
	ENT_CLIENT_DENIED,    /* SMTP: login, sender or a recipient refused; see status */
} ent_client_failure;

/* Valid until `done` returns. */
typedef struct ent_client_answer {
	ent_client_failure failure;
	ent_error
		error;  /* code 0 if an answer came; else what went wrong and what to do. Has the host, never the whole URL */
	int status; /* of HTTP or SMTP; 0: none came */
	const char *body; /* NUL-terminated, never NULL */
	size_t body_n;
	const char *url; /* that answered, after redirects */
	uint64_t took_us;
	uint64_t sent;     /* bytes of the request, or of a mail's text, that left: 0, and it has certainly not arrived */
	uint64_t received; /* bytes of body and headers as they came */
	unsigned connects; /* connections made for it; 0: one was open already */
	const struct ent__client_headers *headers;
} ent_client_answer;

typedef void ent_client_done(void *ctx, const ent_client_answer *answer);

/* The n-th header of that name (from 0), whatever its case; NULL: none. */
const char *ent_client_header_of(const ent_client_answer *, const char *name, size_t n);

/* NULL and *e if libcurl cannot be set up. */
ent_client *ent_client_create(uv_loop_t *, ent_error *e);

/* Ends all requests, with done(CANCELLED) from within this call. The memory is given back by the loop: let it turn
 * until its handles are closed. May be called from a `done`. NULL is fine. */
void ent_client_destroy(ent_client *);

/* Asks. 0, and `done` is called exactly once, later; *out (may be NULL) is valid until then. Or a negative status and
 * *e, if the request makes no sense: then `done` is not called. */
int ent_client_send(
	ent_client *, const ent_client_request *, ent_client_done *done, void *ctx, ent_client_call **out, ent_error *e);

/* Ends one request, with done(CANCELLED) from within this call. */
void ent_client_cancel(ent_client *, ent_client_call *);

/* Requests under way. */
size_t ent_client_busy(const ent_client *);

/* Is it an address of the public internet: not private, loopback, link-local, reserved, multicast, nor one of these in
 * an IPv6 address that stands for an IPv4 one? */
bool ent_client_public(const struct sockaddr *);

#endif
