/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of the order grid: one order, without its lines. Subtotal, shipping and Grand Total (Base) are in the base
 * currency of the website; Grand Total (Purchased) and Total Refunded in the one that the buyer chose.
 */
#include "magento.h"

static ent_status reject(const magento *m, const ent_row *r, uint32_t column, const char *why) {
	m->host->reject(m->ctx, r->place, column, why);
	return ENT_OK;
}

/* Sets *out and the bit if the cell is filled. -1: filled, and no amount. */
static int amount(const magento *m, const ent_row *r, uint32_t column, uint64_t bit, int64_t *out, uint64_t *has) {
	ent_str s = text_trim(r->cell[column]);
	if (!s.n)
		return 0;
	if (text_amount(m->host, s, out)) {
		reject(m, r, column, "not an amount");
		return -1;
	}
	*has |= bit;
	return 0;
}

/* part * whole / of, half to even; all positive, of > 0. -1: out of range. */
static int share(int64_t part, int64_t whole, int64_t of, int64_t *out) {
	__int128 x = (__int128)part * whole, q = x / of, r = x % of;
	if (r * 2 > of || (r * 2 == of && (q & 1)))
		q++;
	if (q > INT64_MAX)
		return -1;
	*out = (int64_t)q;
	return 0;
}

/* What was paid back, brought from the currency of the purchase to the base currency by the order's own totals. */
static int refunded(const magento *m, const ent_row *r, ent_order *o, int64_t purchased) {
	int64_t back = 0;
	uint64_t has = 0;
	if (amount(m, r, C_REFUNDED, ENT_HAS_REFUNDED, &back, &has))
		return -1;
	if (!has)
		return 0;
	if (back < 0) {
		reject(m, r, C_REFUNDED, "a refund below zero");
		return -1;
	}
	if (back && purchased != o->total && (purchased <= 0 || o->total < 0 || share(back, o->total, purchased, &back))) {
		reject(m, r, C_REFUNDED, "a refund in another currency, of an order whose totals do not give the rate");
		return -1;
	}
	o->refunded = back;
	o->h.has |= has;
	return 0;
}

static int amounts(const magento *m, const ent_row *r, ent_order *o) {
	int64_t purchased = 0, rest;
	uint64_t *has = &o->h.has, given = 0;
	if (amount(m, r, C_TOTAL_BASE, ENT_HAS_TOTAL, &o->total, has) ||
		amount(m, r, C_SUBTOTAL, ENT_HAS_GROSS, &o->gross, has) ||
		amount(m, r, C_SHIPPING, ENT_HAS_SHIPPING, &o->shipping, has) ||
		amount(m, r, C_TOTAL, ENT_HAS_TOTAL, &purchased, &given))
		return -1;
	if (!(*has & ENT_HAS_TOTAL) || !(*has & ENT_HAS_GROSS)) {
		reject(m, r, *has & ENT_HAS_TOTAL ? C_SUBTOTAL : C_TOTAL_BASE, "no amount");
		return -1;
	}
	*has |= ENT_HAS_TAX_INCLUDED; /* Subtotal is without tax, whatever the shop shows its buyers */
	if (refunded(m, r, o, given ? purchased : o->total))
		return -1;
	if (m->rest == MAGENTO_REST_UNKNOWN)
		return 0;
	if (__builtin_sub_overflow(o->total, o->gross, &rest) || __builtin_sub_overflow(rest, o->shipping, &rest)) {
		reject(m, r, C_TOTAL_BASE, "amount out of range");
		return -1;
	}
	if (m->rest == MAGENTO_REST_TAX && rest >= 0) {
		o->tax = rest;
		*has |= ENT_HAS_TAX;
		return 0;
	}
	if (m->rest == MAGENTO_REST_DISCOUNT && rest <= 0) {
		o->discount = -rest;
		*has |= ENT_HAS_DISCOUNT;
		return 0;
	}
	reject(m, r, C_TOTAL_BASE,
		rest < 0 ? "below Subtotal and Shipping: there was a discount, and the option rest says tax"
				 : "above Subtotal and Shipping: there was tax, and the option rest says discount");
	return -1;
}

/* IDs are counted for each store view: two of them may come to the same number. */
static const char *key(magento *m, const ent_row *r, size_t point_n, ent_head *h) {
	ent_str id = text_id(r->cell[C_ID]);
	if (!id.n)
		return "no ID";
	if (point_n > MAGENTO_TEXT_MAX)
		return "Purchase Point is longer than 255 bytes";
	h->key = id;
	if (m->partner == MAGENTO_BY_POINT) {
		h->partner = text_given((ent_str){m->point, point_n});
		return h->partner.n ? NULL : "no Purchase Point: the option partner wants one";
	}
	if (m->keys == MAGENTO_KEYS_ID || !point_n)
		return NULL;
	if (id.n + 3 + point_n > MAGENTO_TEXT_MAX)
		return "ID and Purchase Point are longer than 255 bytes";
	memcpy(m->key, id.p, id.n);
	memcpy(m->key + id.n, " @ ", 3);
	memcpy(m->key + id.n + 3, m->point, point_n);
	h->key = (ent_str){m->key, id.n + 3 + point_n};
	return NULL;
}

ent_status magento__row(void *self, const ent_row *r) {
	magento *m = self;
	ent_order o = {.h = {.place = r->place}};
	size_t point_n = magento__point(r->cell[C_POINT], m->point);
	const char *why = key(m, r, point_n, &o.h);
	if (why)
		return reject(m, r, text_trim(r->cell[C_ID]).n ? C_POINT : C_ID, why);
	ent_str word = text_trim(r->cell[C_STATUS]), email = text_trim(r->cell[C_EMAIL]);
	int status = magento__status(m, word);
	if (status == STATUS_SKIP) {
		m->host->skip(m->ctx, r->place, "an order of a status that the configuration leaves out");
		return ENT_OK;
	}
	if (status < 0)
		return reject(m, r, C_STATUS, "unknown status; say what it means with the option statuses");
	if (!r->cell[C_DATE].n || magento__time(m, r->cell[C_DATE], &o.at))
		return reject(m, r, C_DATE, "not a date; say how it is written with the option dates");
	if (amounts(m, r, &o))
		return ENT_OK;
	if (text_is_fold(word, "closed") && !o.refunded) { /* paid back as a whole, and the column is hidden or empty */
		o.refunded = o.total;
		o.h.has |= ENT_HAS_REFUNDED;
	}
	o.status = (uint8_t)status;
	memcpy(o.currency, m->currency, sizeof o.currency);
	if (email.n)
		o.customer = m->host->identity(m->ctx, ENT_ID_EMAIL, email);
	o.channel = text_given((ent_str){m->point, point_n});
	o.payment = text_given(text_trim(r->cell[C_PAYMENT]));
	o.customer_kind = text_given(text_trim(r->cell[C_GROUP]));
	return m->host->push(m->ctx, ENT_ORDER, &o, sizeof o, 1);
}
