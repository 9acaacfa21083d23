/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of mails, see thread.h. */
#include "thread.h"

#include <stdlib.h>

static uint64_t hash_of(const ent_id *id, uint64_t domain) {
	return (text_load((const char *)id->b, 8) ^ domain) * UINT64_C(0x9e3779b97f4a7c15);
}

static void place(thread *t, uint32_t i) {
	size_t at = (size_t)(hash_of(&t->mails[i].id, t->mails[i].domain) >> 32) & t->mask;
	while (t->slots[at])
		at = (at + 1) & t->mask;
	t->slots[at] = i + 1;
}

static int grow(thread *t) {
	size_t room = t->room ? t->room * 2 : 256;
	mail *mails = realloc(t->mails, room * sizeof *mails);
	if (!mails)
		return -1;
	t->mails = mails;
	uint32_t *slots = calloc(room * 2, sizeof *slots);
	if (!slots || room > UINT32_MAX / 2) {
		free(slots);
		return -1;
	}
	free(t->slots);
	t->slots = slots;
	t->room = room;
	t->mask = room * 2 - 1;
	for (uint32_t i = 0; i < t->n; i++)
		place(t, i);
	return 0;
}

mail *thread__mail(thread *t, ent_id id, uint64_t domain) {
	if (t->slots)
		for (size_t at = (size_t)(hash_of(&id, domain) >> 32) & t->mask; t->slots[at]; at = (at + 1) & t->mask) {
			mail *m = &t->mails[t->slots[at] - 1];
			if (!memcmp(&m->id, &id, sizeof id) && m->domain == domain)
				return m;
		}
	if (t->n == t->room && grow(t))
		return NULL;
	t->mails[t->n] = (mail){.id = id, .domain = domain};
	place(t, (uint32_t)t->n);
	return &t->mails[t->n++];
}

void thread__clear(thread *t) {
	for (size_t i = 0; i < t->n; i++)
		free(t->mails[i].texts);
	if (t->slots)
		memset(t->slots, 0, (t->mask + 1) * sizeof *t->slots);
	t->n = 0;
}

void thread__finish(thread *t) {
	thread__clear(t);
	free(t->mails);
	free(t->slots);
}
