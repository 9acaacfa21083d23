/* SPDX-License-Identifier: Apache-2.0
 *
 * serve/tokens.h: bearer tokens, and the sessions made from them: 256 bits from the system, of which only the SHA-256 is
 * kept. A file of JSON lines (mode 0600) that is replaced as a whole; whoever has it open notices a change at the next
 * look. One thread for each ent_tokens; programs that add at the same time wait for each other (a lock beside the file).
 */
#ifndef ENT_SERVE_TOKENS_H
#define ENT_SERVE_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "serve/http.h"

enum {
	ENT_TOKEN_NAME = 64,  /* longest name of a token or partner */
	ENT_TOKEN_TEXT = 48,  /* room for a token: "ent_" and 43 letters of base64url */
	ENT_TOKEN_HASH = 32
};

typedef struct ent_token {
	char name[ENT_TOKEN_NAME + 1];
	char partner[ENT_TOKEN_NAME + 1]; /* role partner only */
	ent_role role;
	uint8_t hash[ENT_TOKEN_HASH];
	uint8_t of[ENT_TOKEN_HASH]; /* of a session: the token that it was made from; zero: none */
	int64_t created, expires;   /* microseconds since 1970; expires 0: never */
} ent_token;

typedef struct ent_tokens ent_tokens;

/* Opens FOLDER/NAME; a file that is not there yet is an empty one, and so is a folder. */
int ent_tokens_open(ent_tokens **out, const char *folder, const char *name, ent_error *e);
void ent_tokens_close(ent_tokens *); /* NULL is fine */

/* All of them, as the file is now. Valid until the next call. ENT_ERR_CORRUPT names the line. */
int ent_tokens_list(ent_tokens *, const ent_token **list, size_t *n, ent_error *e);
/* The token whose text this is and which has not expired, or NULL. Takes equally long whichever it is. */
const ent_token *ent_tokens_find(ent_tokens *, const char *text, size_t n);
const ent_token *ent_tokens_find_hash(ent_tokens *, const uint8_t hash[ENT_TOKEN_HASH]);
/* Makes a token with the name, role, partner, of and expires of `like`; its text, which nobody can read again, into `text`.
 * `many`: the name may be there already (sessions), and expired ones go. ENT_ERR_INVALID: the name is taken or malformed. */
int ent_tokens_add(ent_tokens *, const ent_token *like, bool many, char text[ENT_TOKEN_TEXT], ent_error *e);
/* By name, or by hash if that is not NULL. ENT_ERR_NOTFOUND. */
int ent_tokens_remove(ent_tokens *, const char *name, const uint8_t *hash, ent_error *e);

/* A random text of 256 bits behind `prefix` of at most 4 letters, and its hash. */
void ent_token_random(const char *prefix, char text[ENT_TOKEN_TEXT], uint8_t hash[ENT_TOKEN_HASH]);
void ent_token_hash(const char *text, size_t n, uint8_t hash[ENT_TOKEN_HASH]);
bool ent_role_parse(const char *word, ent_role *out);
const char *ent_role_word(ent_role);

#endif
