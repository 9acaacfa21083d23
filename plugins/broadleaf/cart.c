/* SPDX-License-Identifier: Apache-2.0
 *
 * Carts are left once nobody touched them for a while before the export was made. When that was nothing says but the
 * newest time in it, so a cart is held until a row is newer by as much, or the document ends. Rows come about in the
 * order of time: few are held at once.
 */
#include "broadleaf.h"

#include <stdlib.h>

static ent_status push(blc *b, blc_cart *c) {
	c->fact.h.key = (ent_str){c->key, c->key_n};
	return b->host->push(b->ctx, ENT_CART, &c->fact, sizeof c->fact, 1);
}

static int left(const blc *b, int64_t touched) {
	return touched <= (b->newest < INT64_MIN + b->left_after ? INT64_MIN : b->newest - b->left_after);
}

ent_status blc__settle(blc *b, int end) {
	size_t kept = 0;
	ent_status e = ENT_OK;
	for (size_t i = 0; i < b->n_carts && !e; i++) {
		blc_cart *c = &b->carts[i];
		if (left(b, c->touched))
			e = push(b, c);
		else if (end)
			b->host->skip(b->ctx, c->fact.h.place, "a cart that was in use when the export was made");
		else
			b->carts[kept++] = *c;
	}
	b->n_carts = kept;
	b->settle_at = kept * 2 + 64;
	return e;
}

ent_status blc__cart(blc *b, ent_cart *fact, ent_str key, int64_t touched) {
	blc_cart one = {.fact = *fact, .key_n = key.n, .touched = touched};
	memcpy(one.key, key.p, key.n);
	if (left(b, touched))
		return push(b, &one);
	if (b->n_carts >= b->settle_at) {
		ent_status e = blc__settle(b, 0);
		if (e)
			return e;
	}
	if (b->n_carts == b->room) {
		size_t room = b->room ? b->room * 2 : 64;
		blc_cart *more = realloc(b->carts, room * sizeof *more);
		if (!more)
			return ENT_ENOMEM;
		b->carts = more;
		b->room = room;
	}
	b->carts[b->n_carts++] = one;
	return ENT_OK;
}
