/* SPDX-License-Identifier: Apache-2.0
 *
 * Small inline helpers for the shipped plugins that see a whole document of a visitor's steps: carts, begun with the
 * first product that was put in and held until the document ends, for whether one was left only the last step says. A
 * growing hash table; few visits have a cart. And a set of what was seen, for feeds that deliver twice. One instance,
 * one thread.
 */
#ifndef ENTENTE_PLUGINS_CARTS_H
#define ENTENTE_PLUGINS_CARTS_H

#include "text.h"

#include <stdlib.h>

typedef struct cart {
	uint64_t hash, place;
	int64_t first, last, value; /* microseconds; value: as of `valued` */
	int64_t valued;             /* INT64_MIN: it has none */
	uint32_t key, order;        /* offsets into the texts */
	uint16_t key_n, order_n;    /* order_n 0: none */
	uint8_t checkout, told;     /* told: it is known what was put in and taken out */
	char currency[4];
	uint32_t items;
	uint64_t content; /* sum over what is in it: the same whatever the order; 0: not known */
	ent_id visitor;
} cart;

typedef struct carts {
	cart *items;
	uint32_t *slots; /* number + 1; twice as many as items */
	size_t n, room, n_slots;
	char *texts;
	size_t used, texts_room;
} carts;

static inline uint64_t carts_hash(ent_str s) {
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

/* Offset of a copy, or -1. */
static inline int64_t carts_keep(carts *c, ent_str s) {
	if (c->used + s.n > c->texts_room) {
		size_t room = (c->texts_room + s.n) * 2 + 4096;
		char *p = room < UINT32_MAX ? realloc(c->texts, room) : NULL;
		if (!p)
			return -1;
		c->texts = p;
		c->texts_room = room;
	}
	memcpy(c->texts + c->used, s.p, s.n);
	c->used += s.n;
	return (int64_t)(c->used - s.n);
}

static inline int carts_grow(carts *c) {
	size_t room = c->room ? c->room * 2 : 256;
	cart *items = realloc(c->items, room * sizeof *items);
	if (items)
		c->items = items;
	uint32_t *slots = items ? calloc(room * 2, sizeof *slots) : NULL;
	if (!slots)
		return -1;
	free(c->slots);
	c->slots = slots;
	c->room = room;
	c->n_slots = room * 2;
	for (size_t i = 0; i < c->n; i++) {
		size_t at = c->items[i].hash & (c->n_slots - 1);
		while (slots[at])
			at = (at + 1) & (c->n_slots - 1);
		slots[at] = (uint32_t)i + 1;
	}
	return 0;
}

/* The cart of a visit, made if it is new. NULL: out of memory. */
static inline cart *carts_get(carts *c, ent_str key, uint64_t place) {
	uint64_t hash = carts_hash(key);
	if (c->n == c->room && carts_grow(c))
		return NULL;
	size_t at = hash & (c->n_slots - 1);
	for (; c->slots[at]; at = (at + 1) & (c->n_slots - 1)) {
		cart *x = &c->items[c->slots[at] - 1];
		if (x->hash == hash && x->key_n == key.n && !memcmp(c->texts + x->key, key.p, key.n))
			return x;
	}
	int64_t text = carts_keep(c, key);
	if (text < 0)
		return NULL;
	c->items[c->n] = (cart){.hash = hash,
		.place = place,
		.first = INT64_MAX,
		.last = INT64_MIN,
		.valued = INT64_MIN,
		.key = (uint32_t)text,
		.key_n = (uint16_t)key.n};
	c->slots[at] = (uint32_t)++c->n;
	return &c->items[c->n - 1];
}

/* What was put in (sign 1) or taken out (-1). */
static inline void carts_content(cart *x, ent_str product, int sign) {
	uint64_t h = carts_hash(product) | 1;
	x->told |= product.n != 0;
	x->content += product.n ? (sign > 0 ? h : 0 - h) : 0;
}

/* It became this order. 0, or -1: out of memory. */
static inline int carts_order(carts *c, cart *x, ent_str key) {
	int64_t text = carts_keep(c, key);
	if (text < 0)
		return -1;
	x->order = (uint32_t)text;
	x->order_n = (uint16_t)key.n;
	return 0;
}

static inline ent_time carts_instant(int64_t us) {
	return (ent_time){.v = us, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT};
}

/* "visitor/content" in hexadecimal, 49 bytes. 0: the visitor is not known. */
static inline int carts_own_key(const cart *x, char out[49]) {
	static const char digits[] = "0123456789abcdef";
	int known = 0;
	for (int i = 0; i < 16; i++) {
		out[2 * i] = digits[x->visitor.b[i] >> 4];
		out[2 * i + 1] = digits[x->visitor.b[i] & 15];
		known |= x->visitor.b[i];
	}
	out[32] = '/';
	for (int i = 0; i < 16; i++)
		out[33 + i] = digits[x->content >> 4 * (15 - i) & 15];
	return known;
}

/* All that were begun. */
static inline ent_status carts_push(const carts *c, const ent_host *host, ent_ctx *ctx) {
	ent_status e = ENT_OK;
	for (size_t i = 0; i < c->n && !e; i++) {
		const cart *x = &c->items[i];
		ent_cart f = {.h = {.place = x->place, .key = {c->texts + x->key, x->key_n}, .version = carts_instant(x->last)},
			.started_at = carts_instant(x->first),
			.updated_at = carts_instant(x->last),
			.visitor = x->visitor,
			.items = x->items,
			.step = x->checkout ? TEXT("contact") : TEXT("cart")};
		if (x->first == INT64_MAX)
			continue; /* bought without a cart */
		if (x->told && !x->content && !x->order_n)
			continue; /* emptied: nothing was left */
		f.h.has = x->items ? ENT_HAS_ITEMS : 0;
		if (x->valued != INT64_MIN) {
			f.h.has |= ENT_HAS_VALUE;
			f.value = x->value;
			memcpy(f.currency, x->currency, sizeof f.currency);
		}
		/* the same cart shows in later visits: visitor and content are its key, where both are known */
		char own[49];
		if (x->content && carts_own_key(x, own)) {
			f.h.key = (ent_str){own, 49};
			f.content_hash = (ent_str){own + 33, 16};
		}
		if (x->order_n)
			f.order_key = (ent_str){c->texts + x->order, x->order_n};
		e = host->push(ctx, ENT_CART, &f, sizeof f, 1);
	}
	return e;
}

static inline void carts_clear(carts *c) {
	c->n = c->used = 0;
	if (c->slots)
		memset(c->slots, 0, c->n_slots * sizeof *c->slots);
}

static inline void carts_finish(carts *c) {
	free(c->items);
	free(c->slots);
	free(c->texts);
	*c = (carts){0};
}

/* ---- what was seen ---- */

typedef struct seen {
	uint64_t *slots; /* 0: free */
	size_t n, n_slots;
} seen;

/* 1: it was there before; 0: it is now; -1: out of memory. Equal hashes of 64 bits count as the same. */
static inline int seen_before(seen *s, ent_str a, ent_str b) {
	if (s->n * 2 >= s->n_slots) {
		size_t n_slots = s->n_slots ? s->n_slots * 2 : 4096;
		uint64_t *slots = calloc(n_slots, sizeof *slots);
		if (!slots)
			return -1;
		for (size_t i = 0; i < s->n_slots; i++)
			if (s->slots[i]) {
				size_t at = s->slots[i] & (n_slots - 1);
				while (slots[at])
					at = (at + 1) & (n_slots - 1);
				slots[at] = s->slots[i];
			}
		free(s->slots);
		s->slots = slots;
		s->n_slots = n_slots;
	}
	uint64_t x = carts_hash(a) * 0x9e3779b97f4a7c15u ^ carts_hash(b);
	x = (x ^ x >> 31) | 1;
	size_t at = x & (s->n_slots - 1);
	while (s->slots[at] && s->slots[at] != x)
		at = (at + 1) & (s->n_slots - 1);
	if (s->slots[at])
		return 1;
	s->slots[at] = x;
	s->n++;
	return 0;
}

static inline void seen_finish(seen *s) {
	free(s->slots);
	*s = (seen){0};
}

#endif
