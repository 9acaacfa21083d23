/* SPDX-License-Identifier: Apache-2.0
 *
 * Purchases: of the e-commerce schemas (a transaction with its products as contexts of one event), and of the older
 * events, in which each item is one of its own.
 */
#include "snowplow.h"

#include <stdio.h>

static const char no_currency[] = "a purchase without a currency; set the option currency to what the shop sells in";
static const char no_id[] = "a purchase without transaction_id: it cannot be told from another one";
static const char no_amount[] = "an amount of the purchase is none";

int currency_of(const snowplow *s, ent_str text, char out[4]) {
	memset(out, 0, 4);
	if (text.n == 3) {
		for (int i = 0; i < 3; i++)
			out[i] = text.p[i] >= 'a' && text.p[i] <= 'z' ? (char)(text.p[i] - 32) : text.p[i];
		if (out[0] >= 'A' && out[0] <= 'Z' && out[1] >= 'A' && out[1] <= 'Z' && out[2] >= 'A' && out[2] <= 'Z')
			return 0;
	}
	memcpy(out, s->currency, 4);
	return out[0] ? 0 : -1;
}

static ent_time instant(int64_t us) {
	return (ent_time){.v = us, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT};
}

static ent_status refuse(const snowplow *s, uint64_t place, const char *why) {
	s->host->reject(s->ctx, place, ENT_NO_COLUMN, why);
	return ENT_OK;
}

json_object *product(const snowplow *s, size_t i) {
	json_object *data = jsonl_member(s->contexts, "data");
	for (size_t k = 0; k < jsonl_length(data); k++) {
		json_object *c = json_object_array_get_idx(data, k);
		ent_str schema = jsonl_text(c, "schema");
		if (text_has_fold(schema, "/product/") && !i--)
			return jsonl_member(c, "data");
	}
	return NULL;
}

/* The line of a product. NULL, or what is wrong with it. */
static const char *line_of(const snowplow *s, json_object *p, ent_line *l) {
	l->sku = text_given(jsonl_text(p, "id"));
	l->name = text_given(jsonl_text(p, "name"));
	l->category = text_given(jsonl_text(p, "category"));
	l->vendor = text_given(jsonl_text(p, "brand"));
	l->quantity = 1000;
	ent_str quantity = jsonl_text(p, "quantity");
	if (quantity.n && text_quantity(s->host, quantity, &l->quantity))
		return "the quantity of a product is no number";
	l->h.has |= ENT_HAS_QUANTITY;
	if (jsonl_amount(s->host, p, "price", ENT_HAS_UNIT_PRICE, &l->unit_price, &l->h.has))
		return "the price of a product is no amount";
	if (l->h.has & ENT_HAS_UNIT_PRICE) { /* it is that of one piece */
		if (text_times(l->unit_price, l->quantity, &l->gross))
			return "the price of a product is out of range";
		l->net = l->gross;
		l->h.has |= ENT_HAS_GROSS | ENT_HAS_NET;
	}
	return NULL;
}

/* Do the prices of the products still hold the discount? Only the sum tells: goods - discount + shipping + tax =
 * revenue. 1: yes, 0: no, or nothing fits. */
static int before_discount(const ent_order *o, int64_t goods) {
	int64_t rest = o->total - o->shipping;
	return goods - o->discount == rest || goods - o->discount + o->tax == rest;
}

ent_status transaction(snowplow *s, uint64_t place, ent_str *key) {
	json_object *t = context(s, "transaction");
	ent_order o = {.h = {.place = place}, .at = instant(s->at), .flags = ENT_ORDER_LINES_COMPLETE};
	*key = (ent_str){NULL, 0};
	ent_str id = jsonl_text(t, "transaction_id");
	if (!id.n || id.n > KEY_MAX)
		return refuse(s, place, no_id);
	o.h.key = id;
	if (currency_of(s, jsonl_text(t, "currency"), o.currency))
		return refuse(s, place, no_currency);
	if (jsonl_amount(s->host, t, "revenue", ENT_HAS_TOTAL, &o.total, &o.h.has) ||
		jsonl_amount(s->host, t, "tax", ENT_HAS_TAX, &o.tax, &o.h.has) ||
		jsonl_amount(s->host, t, "shipping", ENT_HAS_SHIPPING, &o.shipping, &o.h.has) ||
		jsonl_amount(s->host, t, "discount_amount", ENT_HAS_DISCOUNT, &o.discount, &o.h.has))
		return refuse(s, place, no_amount);
	int64_t goods = 0;
	size_t n = 0, priced = 0;
	for (json_object *p; (p = product(s, n)); n++) {
		ent_line l = {.h = {.has = 0}};
		const char *why = line_of(s, p, &l);
		if (why || __builtin_add_overflow(goods, l.gross, &goods))
			return refuse(s, place, why ? why : no_amount);
		priced += (l.h.has & ENT_HAS_GROSS) != 0;
	}
	if (!n || priced < n) { /* what the goods cost is what remains of the whole */
		o.gross = o.total - o.tax - o.shipping + o.discount;
		o.h.has |= o.h.has & ENT_HAS_TOTAL ? ENT_HAS_GROSS : 0;
	} else if (o.h.has & ENT_HAS_DISCOUNT && !before_discount(&o, goods)) {
		o.h.has &= ~(uint64_t)ENT_HAS_DISCOUNT; /* it is in the prices already */
		o.discount = 0;
	}
	o.customer = s->host->identity(s->ctx, ENT_ID_CUSTOMER, s->f[F_USER_ID]);
	o.payment = text_given(jsonl_text(t, "payment_method"));
	*key = id;
	ent_status e = s->host->push(s->ctx, ENT_ORDER, &o, sizeof o, 1);
	for (size_t i = 0; i < n && !e; i++) {
		char number[24];
		int length = snprintf(number, sizeof number, "%zu", i + 1);
		ent_line l = {.h = {.place = place, .key = {number, (size_t)length}}, .order_key = id};
		line_of(s, product(s, i), &l);
		e = s->host->push(s->ctx, ENT_LINE, &l, sizeof l, 1);
	}
	return e;
}

static int amount(const snowplow *s, int field, uint64_t bit, int64_t *out, uint64_t *has) {
	if (!s->f[field].n)
		return 0;
	*has |= bit;
	return text_money(s->host, s->f[field], out);
}

ent_status old_transaction(snowplow *s, uint64_t place, ent_str *key) {
	ent_order o = {.h = {.place = place, .key = s->f[F_TR_ORDER]}, .at = instant(s->at)};
	*key = (ent_str){NULL, 0};
	if (!o.h.key.n || o.h.key.n > KEY_MAX)
		return refuse(s, place, no_id);
	if (currency_of(s, s->f[F_TR_CURRENCY], o.currency))
		return refuse(s, place, no_currency);
	if (amount(s, F_TR_TOTAL, ENT_HAS_TOTAL, &o.total, &o.h.has) ||
		amount(s, F_TR_TAX, ENT_HAS_TAX, &o.tax, &o.h.has) ||
		amount(s, F_TR_SHIPPING, ENT_HAS_SHIPPING, &o.shipping, &o.h.has))
		return refuse(s, place, no_amount);
	o.customer = s->host->identity(s->ctx, ENT_ID_CUSTOMER, s->f[F_USER_ID]);
	*key = o.h.key;
	return s->host->push(s->ctx, ENT_ORDER, &o, sizeof o, 1);
}

ent_status old_item(snowplow *s, uint64_t place) {
	/* the order has no line but these events, so each is one: its own id is its key */
	ent_line l = {.h = {.place = place, .key = s->f[F_EVENT_ID]}, .order_key = s->f[F_TI_ORDER], .quantity = 1000};
	if (!l.order_key.n || l.order_key.n > KEY_MAX)
		return refuse(s, place, "an item without the number of its purchase");
	l.sku = text_given(s->f[F_TI_SKU]);
	l.name = text_given(s->f[F_TI_NAME]);
	l.category = text_given(s->f[F_TI_CATEGORY]);
	if (s->f[F_TI_QUANTITY].n && text_quantity(s->host, s->f[F_TI_QUANTITY], &l.quantity))
		return refuse(s, place, "the quantity of an item is no number");
	l.h.has = ENT_HAS_QUANTITY;
	if (amount(s, F_TI_PRICE, ENT_HAS_UNIT_PRICE, &l.unit_price, &l.h.has) ||
		text_times(l.unit_price, l.quantity, &l.gross))
		return refuse(s, place, "the price of an item is no amount");
	if (l.h.has & ENT_HAS_UNIT_PRICE) {
		l.net = l.gross;
		l.h.has |= ENT_HAS_GROSS | ENT_HAS_NET;
	}
	if (s->f[F_TI_CURRENCY].n == 3)
		currency_of(s, s->f[F_TI_CURRENCY], l.currency);
	return s->host->push(s->ctx, ENT_LINE, &l, sizeof l, 1);
}
