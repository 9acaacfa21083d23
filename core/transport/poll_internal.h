/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a poll share: poll.c (when what is done), poll_pages.c (pages and addresses), poll_where.c (where one
 * stands), poll_auth.c (who we are). Thread of the loop. */
#ifndef ENT_TRANSPORT_POLL_INTERNAL_H
#define ENT_TRANSPORT_POLL_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/intern.h"
#include "config/stamp.h"
#include "transport/poll.h"
#include "transport/rate.h"

struct json_object;

/* Where a poll stands. Kept in the inbox as JSON, with the page behind which it is so. Texts are malloc()ed. */
typedef struct ent__where {
	ent_stamp since;  /* the largest seen by the turns that are through */
	bool within;      /* a turn's pages are not through: */
	ent_stamp used;   /* what its first page was asked with, for {since} must not move under the pages of a turn */
	ent_stamp seen;   /* the largest so far */
	char *next;       /* the page to come: address, cursor, number or offset */
	/* The first page of a turn that had no other; asked for again in the same words, nothing may have changed. */
	uint64_t asked, answered; /* hashes of address and body; 0: there is none */
	char *etag, *modified;
} ent__where;

void ent__where_finish(ent__where *);
/* Takes over what was kept, if it was kept for this way of asking. */
void ent__where_read(ent__where *, const ent_poll_config *, const char *kept);
/* Frees with free(). */
char *ent__where_text(const ent__where *, const ent_poll_config *);

/* ---- pages ------------------------------------------------------------------------------------------------------- */

/* The address of a page: the first one of a turn if where->next is NULL. Frees with free(). NULL and *e if there is none. */
char *ent__page_address(const ent_poll_config *, const ent__where *, ent_error *e);

typedef struct ent__page {
	struct json_object *json; /* of the body; NULL: it was not needed */
	ent_str *records;         /* into json, or into the body */
	size_t n_records;
	ent_str lines, document;  /* or one of these, into the body */
	bool is_lines, is_document;
	const char *suffix;
	size_t counted; /* records, as far as they can be counted */
	ent_stamp seen; /* the largest in it */
	char *next;     /* the page after it; NULL: it is the last one */
} ent__page;

/* Takes an answer apart. `where` is the page's own, `address` what was asked. */
int ent__page_read(ent__page *, const ent_poll_config *, const ent__where *where, const char *address,
	const ent_client_answer *, ent_inbox_form, ent_error *e);
void ent__page_finish(ent__page *);

/* Percent-encodes. */
void ent__escape(ent_buf *out, const char *text);

/* ---- who we are -------------------------------------------------------------------------------------------------- */

typedef struct ent__auth {
	ent_arena arena; /* of the secrets */
	char *user, *secret;
	char *token; /* OAUTH2; NULL: none */
	int64_t until_us; /* when it is to be replaced, by the steady clock */
	bool in_body;     /* the server wants to hear of us in the body */
} ent__auth;

/* Reads the secrets anew. */
int ent__auth_read(ent__auth *, const ent_config *, const ent_poll_config *, ent_error *e);
void ent__auth_finish(ent__auth *);
/* Is a token to be fetched first? */
bool ent__auth_wants_token(const ent__auth *, const ent_poll_config *, int64_t now_us);
/* The request for one; what it refers to lives in `arena`. */
void ent__auth_token_request(const ent__auth *, const ent_poll_config *, ent_arena *arena, ent_client_request *out);
/* Its answer. *again: another way of asking may do. */
int ent__auth_token_take(ent__auth *, const ent_poll_config *, const ent_client_answer *, int64_t now_us, bool *again, ent_error *e);
/* Adds to the request who we are; `headers` has room for one more. */
void ent__auth_add(const ent__auth *, const ent_poll_config *, ent_arena *arena, ent_client_request *, ent_client_header *headers);
/* The beginning of what a server said, fit for an operator's eyes: one line, without our secrets, addresses and long numbers. */
void ent__auth_mask(const ent__auth *, const char *body, size_t n, char *out, size_t size);

#endif
