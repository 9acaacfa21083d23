/* SPDX-License-Identifier: Apache-2.0
 *
 * The orders export: a row per line item, the order's own fields on its first row only.
 */
#define _GNU_SOURCE /* memmem */
#include "shopify.h"

static const char not_amount[] = "not an amount";
static const char not_date[] = "not a date";

/* Sets *out and the bit if the cell is filled. -1: filled, and no amount. */
static int amount(shopify *d, const ent_row *r, int column, uint64_t bit, int64_t *out, uint64_t *has) {
	ent_str s = r->cell[column];
	if (!s.n)
		return 0;
	if (text_money(d->host, s, out)) {
		shopify__reject(d, r, (uint32_t)column, not_amount);
		return -1;
	}
	*has |= bit;
	return 0;
}

static int date(shopify *d, const ent_row *r, int column, ent_time *out) {
	ent_str s = r->cell[column];
	if (!s.n || !shopify__time(d, s, out))
		return 0;
	shopify__reject(d, r, (uint32_t)column, not_date);
	return -1;
}

/* "bogus", "(for testing) Bogus Gateway". A shop has few ways to pay: each is searched once. */
static int is_test(shopify *d, ent_str payment) {
	uint64_t a, b;
	if (payment.n > SHOPIFY_WORD_MAX)
		return text_has_fold(payment, "bogus");
	text_ends(payment.p, payment.n < 16 ? payment.n : 16, &a, &b);
	shopify_paid *known = &d->paid[(a ^ b ^ payment.n) * UINT64_C(0x9e3779b97f4a7c15) >> 61];
	if (known->n != payment.n || !text_same(known->text, payment.p, payment.n)) {
		text_copy(known->text, payment.p, payment.n);
		known->n = (uint32_t)payment.n;
		known->test = text_has_fold(payment, "bogus");
	}
	return known->test;
}

/* Note Attributes holds "name: value" lines that themes and apps write; some keep the campaign there. */
static ent_str campaign_of(ent_str notes) {
	static const char name[] = "utm_campaign:";
	if (notes.n < sizeof name)
		return (ent_str){NULL, 0};
	const char *p = memmem(notes.p, notes.n, name, sizeof name - 1);
	if (!p || (p != notes.p && p[-1] != '\n'))
		return (ent_str){NULL, 0};
	p += sizeof name - 1;
	ent_str s = {p, (size_t)(notes.p + notes.n - p)};
	const char *end = memchr(s.p, '\n', s.n);
	if (end)
		s.n = (size_t)(end - s.p);
	return text_given(text_trim(s));
}

static int amounts(shopify *d, const ent_row *r, ent_order *o) {
	int64_t subtotal = 0;
	uint64_t given = 0, *has = &o->h.has;
	for (int i = 0; i < 2; i++) {
		int column = i ? C_TOTAL : C_SUBTOTAL;
		if (!r->cell[column].n) {
			shopify__reject(d, r, (uint32_t)column, "no amount");
			return -1;
		}
	}
	if (amount(d, r, C_SUBTOTAL, ENT_HAS_GROSS, &subtotal, &given) ||
		amount(d, r, C_TOTAL, ENT_HAS_TOTAL, &o->total, has) ||
		amount(d, r, C_DISCOUNT, ENT_HAS_DISCOUNT, &o->discount, has) ||
		amount(d, r, C_SHIPPING, ENT_HAS_SHIPPING, &o->shipping, has) ||
		amount(d, r, C_TAXES, ENT_HAS_TAX, &o->tax, has) ||
		amount(d, r, C_REFUNDED, ENT_HAS_REFUNDED, &o->refunded, has) ||
		amount(d, r, C_OUTSTANDING, ENT_HAS_DUE, &o->due, has))
		return -1;
	/* Subtotal is what is left after the discounts. */
	if (__builtin_add_overflow(subtotal, o->discount, &o->gross)) {
		shopify__reject(d, r, C_SUBTOTAL, "amount out of range");
		return -1;
	}
	*has |= given;
	/* Shops that sell with tax included are seen only by their sums: Total does not contain Taxes again. Without tax
	 * both sums are the same and nothing is known. */
	if (*has & ENT_HAS_TAX && o->tax > 0) {
		int64_t goods;
		if (!__builtin_add_overflow(subtotal, o->shipping, &goods)) {
			o->tax_included = goods == o->total;
			*has |= ENT_HAS_TAX_INCLUDED;
		}
	}
	return 0;
}

/* 0: pushed; 1: rejected; negative: the status that push() returned. */
static int order(shopify *d, const ent_row *r) {
	shopify_carried *c = &d->c;
	ent_order *o = &d->order;
	o->h.place = r->place;
	o->h.has = 0;
	o->flags = ENT_ORDER_LINES_COMPLETE;
	o->at = o->paid_at = o->shipped_at = o->cancelled_at = (ent_time){0};
	o->total = o->discount = o->shipping = o->tax = o->refunded = o->due = 0;
	o->tax_included = 0;
	o->customer = o->agent = (ent_id){0};
	o->country = (ent_str){NULL, 0};
	if (!r->cell[C_CURRENCY].n && !r->cell[C_TOTAL].n) {
		shopify__reject(d, r, C_NAME, "a further row of an order, without the order's first row before it");
		return 1;
	}
	if (r->cell[C_CURRENCY].n != 3) {
		shopify__reject(d, r, C_CURRENCY, "no currency of three letters");
		return 1;
	}
	memcpy(o->currency, r->cell[C_CURRENCY].p, 3);
	memcpy(c->currency, o->currency, 4); /* the fourth byte is 0 */
	int status = shopify__status(r->cell[C_FINANCIAL]);
	if (status < 0) {
		shopify__reject(d, r, C_FINANCIAL, "unknown Financial Status");
		return 1;
	}
	if (!r->cell[C_CREATED_AT].n) {
		shopify__reject(d, r, C_CREATED_AT, "no date");
		return 1;
	}
	if (date(d, r, C_CREATED_AT, &o->at) || date(d, r, C_PAID_AT, &o->paid_at) ||
		date(d, r, C_FULFILLED_AT, &o->shipped_at) || date(d, r, C_CANCELLED_AT, &o->cancelled_at))
		return 1;
	if (amounts(d, r, o))
		return 1;
	ent_str payment = r->cell[C_PAYMENT_METHOD];
	o->status = (uint8_t)(o->cancelled_at.kind ? ENT_ORDER_CANCELLED : status);
	if (payment.n >= 5 && is_test(d, payment))
		o->status = ENT_ORDER_TEST;
	shopify__key(d, &o->h.key);
	o->h.partner = c->partner_n ? (ent_str){c->partner, c->partner_n} : (ent_str){NULL, 0};
	if (r->cell[C_EMAIL].n)
		o->customer = d->host->identity(d->ctx, ENT_ID_EMAIL, r->cell[C_EMAIL]);
	if (r->cell[C_EMPLOYEE].n)
		o->agent = d->host->identity(d->ctx, ENT_ID_STAFF, r->cell[C_EMPLOYEE]);
	if (shopify__is_country(r->cell[C_SHIPPING_COUNTRY]))
		o->country = r->cell[C_SHIPPING_COUNTRY];
	else if (shopify__is_country(r->cell[C_BILLING_COUNTRY]))
		o->country = r->cell[C_BILLING_COUNTRY];
	o->channel = text_given(r->cell[C_SOURCE]);
	o->payment = text_given(payment);
	o->campaign = campaign_of(r->cell[C_NOTE_ATTRIBUTES]);
	return d->host->push(d->ctx, ENT_ORDER, o, sizeof *o, 1);
}

static ent_status line(shopify *d, const ent_row *r) {
	shopify_carried *c = &d->c;
	size_t at = sizeof d->number;
	for (uint32_t v = c->lines; v || at == sizeof d->number; v /= 10)
		d->number[--at] = (char)('0' + v % 10);
	ent_line *l = &d->line;
	l->h.place = r->place;
	l->h.key = (ent_str){d->number + at, sizeof d->number - at};
	l->discount = 0;
	if (text_quantity(d->host, r->cell[C_LINE_QUANTITY], &l->quantity)) {
		shopify__reject(d, r, C_LINE_QUANTITY, "not a quantity");
		return ENT_OK;
	}
	if (text_money(d->host, r->cell[C_LINE_PRICE], &l->unit_price)) {
		shopify__reject(d, r, C_LINE_PRICE, not_amount);
		return ENT_OK;
	}
	if (text_times(l->unit_price, l->quantity, &l->gross)) {
		shopify__reject(d, r, C_LINE_PRICE, "amount out of range");
		return ENT_OK;
	}
	l->h.has = ENT_HAS_QUANTITY | ENT_HAS_UNIT_PRICE | ENT_HAS_GROSS;
	if (amount(d, r, C_LINE_DISCOUNT, ENT_HAS_DISCOUNT, &l->discount, &l->h.has))
		return ENT_OK;
	l->h.partner = c->partner_n ? (ent_str){c->partner, c->partner_n} : (ent_str){NULL, 0};
	shopify__key(d, &l->order_key);
	l->sku = text_given(r->cell[C_LINE_SKU]);
	l->name = text_given(r->cell[C_LINE_NAME]);
	l->vendor = text_given(r->cell[C_VENDOR]);
	memcpy(l->currency, c->currency, 4);
	return d->host->push(d->ctx, ENT_LINE, l, sizeof *l, 1);
}

ent_status shopify__order_row(void *self, const ent_row *r) {
	shopify *d = self;
	shopify_carried *c = &d->c;
	if (!r->cell[C_NAME].n) {
		c->name_n = 0;
		shopify__reject(d, r, C_NAME, "no Name: the row belongs to no order");
		return ENT_OK;
	}
	if (!shopify__continues(c, r)) {
		if (shopify__is_checkout(r->cell[C_NAME], r->cell[C_ID], r->cell[C_FINANCIAL], r->cell[C_PAID_AT]))
			return d->host->error(d->ctx, r->place, C_NAME,
				"this row is an abandoned checkout, not an order: its Name is # and its Id, and no payment was asked",
				"decode the checkouts export with shopify-checkouts; if orders and checkouts were put into one file, "
				"take them apart");
		const char *why = shopify__carry(d, r);
		if (why) {
			c->bad = 1;
			shopify__reject(d, r, C_ID, why);
			return ENT_OK;
		}
		int e = order(d, r);
		if (e < 0)
			return (ent_status)e;
		if (e > 0) {
			c->bad = 1;
			return ENT_OK;
		}
	} else if (c->bad) {
		shopify__reject(d, r, C_NAME, "its order was rejected");
		return ENT_OK;
	}
	c->lines++;
	return line(d, r);
}

ent_status shopify__order_end(void *self) {
	(void)self; /* nothing is held back: an order is pushed with its first row */
	return ENT_OK;
}
