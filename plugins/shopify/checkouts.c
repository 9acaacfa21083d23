/* SPDX-License-Identifier: Apache-2.0
 *
 * The abandoned checkouts export: the layout of the orders export, but nothing in it was sold. One cart per checkout,
 * held until its last row is seen.
 */
#include "shopify.h"

static uint64_t mix(uint64_t h, ent_str s) {
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3ULL;
	return (h ^ 0xff) * 0x100000001b3ULL; /* ends the part: "ab","c" is not "a","bc" */
}

static ent_status flush(shopify *d) {
	static const char hex[] = "0123456789abcdef";
	if (!d->c.held)
		return ENT_OK;
	d->c.held = 0;
	for (int i = 0; i < 16; i++)
		d->hash[i] = hex[d->content >> (60 - 4 * i) & 15];
	d->cart.content_hash = (ent_str){d->hash, sizeof d->hash};
	shopify__key(d, &d->cart.h.key);
	d->cart.h.partner = d->c.partner_n ? (ent_str){d->c.partner, d->c.partner_n} : (ent_str){NULL, 0};
	return d->host->push(d->ctx, ENT_CART, &d->cart, sizeof d->cart, 1);
}

/* 0, or 1 if the checkout was rejected. */
static int first_row(shopify *d, const ent_row *r) {
	ent_cart *cart = &d->cart;
	ent_str source = r->cell[C_SOURCE], sum = r->cell[C_SUBTOTAL];
	*cart = (ent_cart){.h = {.place = r->place}};
	d->content = 0;
	if (!r->cell[C_CURRENCY].n && !r->cell[C_TOTAL].n) {
		shopify__reject(d, r, C_NAME, "a further row of a checkout, without the checkout's first row before it");
		return 1;
	}
	if (r->cell[C_CURRENCY].n != 3) {
		shopify__reject(d, r, C_CURRENCY, "no currency of three letters");
		return 1;
	}
	memcpy(cart->currency, r->cell[C_CURRENCY].p, 3);
	if (!r->cell[C_CREATED_AT].n || shopify__time(d, r->cell[C_CREATED_AT], &cart->started_at)) {
		shopify__reject(d, r, C_CREATED_AT, "not a date");
		return 1;
	}
	if (!sum.n || text_money(d->host, sum, &cart->value)) {
		shopify__reject(d, r, C_SUBTOTAL, "not an amount");
		return 1;
	}
	cart->h.has = ENT_HAS_VALUE;
	if (source.n > sizeof d->channel) {
		shopify__reject(d, r, C_SOURCE, "Source is longer than 128 bytes");
		return 1;
	}
	if (source.n) {
		memcpy(d->channel, source.p, source.n);
		cart->channel = (ent_str){d->channel, source.n};
	}
	/* The payment columns are blank in this export, so nobody is seen to get further than the choice of shipping. */
	cart->step = r->cell[C_SHIPPING_METHOD].n ? TEXT("shipping") : r->cell[C_EMAIL].n ? TEXT("contact") : TEXT("cart");
	if (r->cell[C_EMAIL].n)
		cart->visitor = d->host->identity(d->ctx, ENT_ID_EMAIL, r->cell[C_EMAIL]);
	return 0;
}

static void line(shopify *d, const ent_row *r) {
	ent_str quantity = r->cell[C_LINE_QUANTITY], sku = r->cell[C_LINE_SKU];
	int64_t milli;
	if (text_quantity(d->host, quantity, &milli) || milli < 0 || milli / 1000 > UINT32_MAX - d->cart.items) {
		shopify__reject(d, r, C_LINE_QUANTITY, "not a quantity");
		return;
	}
	d->cart.items += (uint32_t)(milli / 1000);
	d->cart.h.has |= ENT_HAS_ITEMS;
	/* A sum, so that the same goods in another order are the same content. */
	d->content += mix(mix(0xcbf29ce484222325ULL, sku.n ? sku : r->cell[C_LINE_NAME]), quantity);
}

ent_status shopify__cart_row(void *self, const ent_row *r) {
	shopify *d = self;
	shopify_carried *c = &d->c;
	if (!r->cell[C_NAME].n) {
		ent_status e = flush(d);
		c->name_n = 0;
		shopify__reject(d, r, C_NAME, "no Name: the row belongs to no checkout");
		return e;
	}
	if (r->cell[C_FINANCIAL].n || r->cell[C_PAID_AT].n)
		return d->host->error(d->ctx, r->place, r->cell[C_FINANCIAL].n ? C_FINANCIAL : C_PAID_AT,
			"this row is an order, not an abandoned checkout: it has a payment status or date",
			"decode the orders export with shopify; if orders and checkouts were put into one file, take them apart");
	if (!shopify__continues(c, r)) {
		ent_status e = flush(d);
		if (e)
			return e;
		const char *why = shopify__carry(d, r);
		if (why) {
			c->bad = 1;
			shopify__reject(d, r, C_ID, why);
			return ENT_OK;
		}
		c->bad = (uint8_t)first_row(d, r);
		c->held = !c->bad;
		if (c->bad)
			return ENT_OK;
	} else if (c->bad) {
		shopify__reject(d, r, C_NAME, "its checkout was rejected");
		return ENT_OK;
	}
	line(d, r);
	return ENT_OK;
}

ent_status shopify__cart_end(void *self) { return flush(self); }
