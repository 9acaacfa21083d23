/* SPDX-License-Identifier: Apache-2.0
 *
 * Which mail was answered, and when. Mails stand in a mailbox in any order, so all are held until its end. Owned by one
 * decoder. */
#ifndef ENTENTE_PLUGIN_CONTACTS_THREAD_H
#define ENTENTE_PLUGIN_CONTACTS_THREAD_H

#include "people.h"

typedef struct mail {
	ent_id id;       /* of its Message-ID */
	uint64_t domain; /* hash of the other side's domain; 0: all are one */
	uint64_t place;
	ent_time at;          /* kind NONE: not seen, but answered */
	ent_time answered[3]; /* by side */
	uint8_t direction;    /* 1 from us, 2 from them */
	uint8_t reply;
	char *texts; /* domain, with, subject: each with a NUL */
} mail;

typedef struct thread {
	mail *mails;
	size_t n, room;
	uint32_t *slots; /* number + 1 */
	size_t mask;
} thread;

/* The mail of this id and domain; a new one if there is none. NULL: out of memory. Good until the next call. */
mail *thread__mail(thread *t, ent_id id, uint64_t domain);
void thread__clear(thread *t);
void thread__finish(thread *t);

#endif
