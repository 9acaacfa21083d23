/* SPDX-License-Identifier: Apache-2.0
 *
 * The sessions that the events in hand belong to: a bounded hash table, so that one part of a visit is pushed per
 * session and chunk instead of one per event. Every field is joined as the host joins parts, by rules that do not
 * depend on where a file is cut: sums, minimum, maximum, and the texts of the earliest event, by its time and then by
 * its place. One owner, one thread.
 */
#ifndef ENTENTE_PLUGIN_GA4_SESSIONS_H
#define ENTENTE_PLUGIN_GA4_SESSIONS_H

#include "../common/text.h"

enum { SESSIONS_MAX = 16384, SESSIONS_TEXT_MAX = 16 << 20, SESSION_KEY_MAX = 255 };

enum {
	SESSION_CHANNEL,
	SESSION_SOURCE,
	SESSION_CAMPAIGN,
	SESSION_COUNTRY,
	SESSION_DEVICE,
	SESSION_LANDING,
	SESSION_TEXTS
};

typedef struct session {
	uint64_t hash, place;
	int64_t day, at, until, engaged_us; /* place, and texts: of the event that was first, at `at` */
	uint32_t key, user;     /* offsets into the texts: "20240301/123.456/1709251200", and where the user begins */
	uint16_t key_n, user_n; /* user_n 0: not known */
	uint32_t steps, pageviews, purchases, loads, load_ms;
	uint8_t consent, engaged, is_new, has_new;
	uint32_t text[SESSION_TEXTS], text_n[SESSION_TEXTS]; /* text_n 0: none */
} session;

typedef struct sessions {
	session *items;  /* SESSIONS_MAX */
	uint32_t *slots; /* SESSIONS_MAX * 2: number of an item + 1, 0: free */
	uint32_t n;
	char *texts;
	size_t used, room;
} sessions;

int sessions_init(sessions *s); /* 0, or -1: out of memory */
void sessions_finish(sessions *s);
void sessions_clear(sessions *s);
int sessions_full(const sessions *s);
/* The session of this day, user and number, made if it is new (then `*fresh`). `day` has 8 bytes. NULL: out of memory.
 * The lengths must fit SESSION_KEY_MAX together. */
session *sessions_get(sessions *s, const char *day, ent_str user, ent_str number, int *fresh);
/* Replaces a text; absent clears it. 0, or -1: out of memory. */
int sessions_text(sessions *s, session *x, int which, ent_str text);

static inline ent_str sessions_get_text(const sessions *s, const session *x, int which) {
	return x->text_n[which] ? (ent_str){s->texts + x->text[which], x->text_n[which]} : (ent_str){NULL, 0};
}

#endif
