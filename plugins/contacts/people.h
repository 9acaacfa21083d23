/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is who: our domains, theirs, and the side of an address. No address leaves this plugin but as a keyed identity.
 * One decoder instance is used from one thread. */
#ifndef ENTENTE_PLUGIN_CONTACTS_PEOPLE_H
#define ENTENTE_PLUGIN_CONTACTS_PEOPLE_H

#include "../common/text.h"

enum { OPT_SYSTEM, OPT_OWN, OPT_THEIRS, OPT_WITH, OPT_SUBJECTS, OPT_AHEAD };
enum { DOMAIN_MAX = 128, DOMAINS_MAX = 16, WITH_MAX = 400, KEY_MAX = 255 };

typedef struct people {
	const ent_host *host;
	ent_ctx *ctx;
	ent_str *own, *theirs; /* domains in lower case */
	size_t n_own, n_theirs;
	int identities; /* `with` tells keyed identities, not domains */
	int subjects;
	char *texts; /* of the options: they are only lent to create() */
} people;

typedef enum side { SIDE_NOBODY, SIDE_US, SIDE_THEM } side;

/* The others of a meeting or a mail, by domain. */
typedef struct party {
	struct party_domain {
		char name[DOMAIN_MAX];
		unsigned accepted, declined, others; /* people by what they answered */
		char with[WITH_MAX];
		size_t with_n;
	} domains[DOMAINS_MAX];
	size_t n;
	unsigned ours;
} party;

const char *people__init(
	people *p, const ent_host *host, ent_ctx *ctx, const ent_value *options); /* NULL, or what is wrong */
void people__finish(people *p);
/* Whose it is; `domain` gets its domain in lower case. "mailto:" is left off. */
side people__side(const people *p, ent_str address, char domain[DOMAIN_MAX]);

typedef enum answer { ANSWER_NONE, ANSWER_YES, ANSWER_NO } answer;

void people__add(const people *p, party *to, ent_str address, answer a);
/* With `theirs` all of them are one party, without it each domain is one: how many. */
size_t people__parties(const people *p, const party *of);
/* Fills in partner, key and `with` of party i. `key` has what is the same for all of them, and room. */
void people__name(const people *p, const party *of, size_t i, ent_contact *c, char key[KEY_MAX + 1]);
/* 32 hexadecimal digits of the keyed identity of any text. */
void people__hash(const people *p, ent_str text, char out[33]);

#endif
