/* SPDX-License-Identifier: Apache-2.0
 *
 * See sessions.h.
 */
#include "sessions.h"

#include <stdlib.h>

static const char none[] = "none";

static inline uint64_t mix(uint64_t a, uint64_t b) {
	unsigned __int128 m = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15ULL) * (b ^ 0xd1b54a32d192ed03ULL);
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t hash_text(uint64_t h, ent_str s) {
	uint64_t x = 0;
	size_t i = 0;
	for (; i + 8 <= s.n; i += 8) {
		memcpy(&x, s.p + i, 8);
		h = mix(h ^ x, 8);
	}
	x = 0;
	for (int shift = 0; i < s.n; i++, shift += 8)
		x |= (uint64_t)(unsigned char)s.p[i] << shift;
	return mix(h ^ x, s.n + 77);
}

int sessions_init(sessions *s) {
	*s = (sessions){.room = 1 << 20};
	s->items = malloc(SESSIONS_MAX * sizeof *s->items);
	s->slots = calloc(SESSIONS_MAX * 2, sizeof *s->slots);
	s->texts = malloc(s->room);
	if (s->items && s->slots && s->texts)
		return 0;
	sessions_finish(s);
	return -1;
}

void sessions_finish(sessions *s) {
	free(s->items);
	free(s->slots);
	free(s->texts);
	*s = (sessions){0};
}

void sessions_clear(sessions *s) {
	if (s->n)
		memset(s->slots, 0, SESSIONS_MAX * 2 * sizeof *s->slots);
	s->n = 0;
	s->used = 0;
}

int sessions_full(const sessions *s) { return s->n == SESSIONS_MAX || s->used > SESSIONS_TEXT_MAX; }

/* -1: out of memory; `items` stay where they are, texts may move. */
static int room_for(sessions *s, size_t n) {
	if (s->used + n <= s->room)
		return 0;
	size_t room = s->room * 2;
	while (room < s->used + n)
		room *= 2;
	char *texts = realloc(s->texts, room);
	if (!texts)
		return -1;
	s->texts = texts;
	s->room = room;
	return 0;
}

session *sessions_get(sessions *s, const char *day, ent_str user, ent_str number, int *fresh) {
	uint64_t h, mask = SESSIONS_MAX * 2 - 1;
	memcpy(&h, day, 8);
	h = hash_text(hash_text(h, user), number);
	ent_str named = user.n ? user : (ent_str){none, sizeof none - 1};
	size_t key_n = 8 + 1 + named.n + 1 + number.n;
	uint64_t at = h & mask;
	for (; s->slots[at]; at = (at + 1) & mask) {
		session *x = &s->items[s->slots[at] - 1];
		if (x->hash != h || x->key_n != key_n || x->user_n != user.n)
			continue;
		const char *key = s->texts + x->key;
		if (!memcmp(key, day, 8) && !memcmp(key + 9, named.p, named.n) &&
			!memcmp(key + 10 + named.n, number.p, number.n)) {
			*fresh = 0;
			return x;
		}
	}
	if (room_for(s, key_n))
		return NULL;
	session *x = &s->items[s->n++];
	*x = (session){.hash = h, .key = (uint32_t)s->used, .key_n = (uint16_t)key_n, .user_n = (uint16_t)user.n};
	x->user = x->key + 9;
	s->slots[at] = s->n;
	char *key = s->texts + s->used;
	memcpy(key, day, 8);
	key[8] = '/';
	memcpy(key + 9, named.p, named.n);
	key[9 + named.n] = '/';
	if (number.n)
		memcpy(key + 10 + named.n, number.p, number.n);
	s->used += key_n;
	*fresh = 1;
	return x;
}

int sessions_text(sessions *s, session *x, int which, ent_str text) {
	if (text.n > x->text_n[which]) {
		if (room_for(s, text.n))
			return -1;
		x->text[which] = (uint32_t)s->used;
		s->used += text.n;
	}
	if (text.n)
		memcpy(s->texts + x->text[which], text.p, text.n);
	x->text_n[which] = (uint32_t)text.n;
	return 0;
}
