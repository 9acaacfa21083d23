/* SPDX-License-Identifier: Apache-2.0
 *
 * Carts of the visits of one document: begun with the first product that was put in, held until the document ends, for
 * whether one was left only the last hit of its visit says. A growing hash table; few visits have a cart.
 */
#include "adobe.h"

static uint64_t hash_of(ent_str s) {
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

/* Offset of a copy, or -1. */
static int64_t keep(carts *c, ent_str s) {
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

static int grow(carts *c) {
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

cart *carts_get(carts *c, ent_str key, uint64_t place) {
	uint64_t hash = hash_of(key);
	if (c->n == c->room && grow(c))
		return NULL;
	size_t at = hash & (c->n_slots - 1);
	for (; c->slots[at]; at = (at + 1) & (c->n_slots - 1)) {
		cart *x = &c->items[c->slots[at] - 1];
		if (x->hash == hash && x->key_n == key.n && !memcmp(c->texts + x->key, key.p, key.n))
			return x;
	}
	int64_t text = keep(c, key);
	if (text < 0)
		return NULL;
	c->items[c->n] = (cart){.hash = hash,
		.place = place,
		.first = INT64_MAX,
		.last = INT64_MIN,
		.key = (uint32_t)text,
		.key_n = (uint16_t)key.n};
	c->slots[at] = (uint32_t)++c->n;
	return &c->items[c->n - 1];
}

int carts_order(carts *c, cart *x, ent_str key) {
	int64_t text = keep(c, key);
	if (text < 0)
		return -1;
	x->order = (uint32_t)text;
	x->order_n = (uint16_t)key.n;
	return 0;
}

static ent_time instant(int64_t us) {
	return (ent_time){.v = us, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT};
}

ent_status carts_push(adobe *a) {
	const carts *c = &a->carts;
	ent_status e = ENT_OK;
	for (size_t i = 0; i < c->n && !e; i++) {
		const cart *x = &c->items[i];
		ent_cart f = {.h = {.place = x->place, .key = {c->texts + x->key, x->key_n}, .version = instant(x->last)},
			.started_at = instant(x->first),
			.updated_at = instant(x->last),
			.visitor = x->visitor,
			.items = x->items,
			.step = x->checkout ? TEXT("contact") : TEXT("cart")};
		if (x->first == INT64_MAX)
			continue; /* bought without a cart */
		f.h.has = x->items ? ENT_HAS_ITEMS : 0;
		if (x->order_n)
			f.order_key = (ent_str){c->texts + x->order, x->order_n};
		e = a->host->push(a->ctx, ENT_CART, &f, sizeof f, 1);
	}
	return e;
}

void carts_clear(carts *c) {
	c->n = c->used = 0;
	if (c->slots)
		memset(c->slots, 0, c->n_slots * sizeof *c->slots);
}

void carts_finish(carts *c) {
	free(c->items);
	free(c->slots);
	free(c->texts);
	*c = (carts){0};
}
