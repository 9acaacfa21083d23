/* SPDX-License-Identifier: Apache-2.0
 *
 * An order of the API's version 2. Orders that were never placed are there as well, as checkouts that were left: they
 * are carts, and the order that is made of one takes the cart back.
 */
#include "bigcommerce.h"

#include <stdlib.h>

static const status_word known[] = {
	{"0", BIGCOMMERCE_CART},    /* Incomplete: reached the payment page */
	{"1", BIGCOMMERCE_CART},    /* Pending: began the checkout */
	{"2", ENT_ORDER_SOLD},      /* Shipped */
	{"3", ENT_ORDER_SOLD},      /* Partially Shipped */
	{"4", ENT_ORDER_SOLD},      /* Refunded: sold, and paid back */
	{"5", ENT_ORDER_CANCELLED}, /* Cancelled */
	{"6", ENT_ORDER_CANCELLED}, /* Declined */
	{"7", ENT_ORDER_PENDING},   /* Awaiting Payment */
	{"8", ENT_ORDER_SOLD},      /* Awaiting Pickup */
	{"9", ENT_ORDER_SOLD},      /* Awaiting Shipment */
	{"10", ENT_ORDER_SOLD},     /* Completed */
	{"11", ENT_ORDER_SOLD},     /* Awaiting Fulfillment */
	{"12", ENT_ORDER_PENDING},  /* Manual Verification Required */
	{"13", ENT_ORDER_PENDING},  /* Disputed: the payment is */
	{"14", ENT_ORDER_SOLD},     /* Partially Refunded */
	{NULL, 0},
};

/* The shop may give a status another name: the number stays. The configuration may name either. */
static int status_of_order(const bigcommerce *b, json_object *record) {
	int means = status_given(&b->statuses, jsonl_text(record, "custom_status"));
	if (means == STATUS_UNKNOWN)
		means = status_given(&b->statuses, jsonl_text(record, "status"));
	return means == STATUS_UNKNOWN ? status_of(&b->statuses, known, jsonl_text(record, "status_id")) : means;
}

int bigcommerce__time(const bigcommerce *b, json_object *o, const char *key, ent_time *out) {
	ent_str s = text_trim(jsonl_text(o, key));
	if (!s.n)
		return 0;
	const char *comma = memchr(s.p, ',', s.n);
	if (!comma)
		return b->host->time(s, NULL, out) ? -1 : 0;
	s = text_trim((ent_str){comma + 1, s.n - (size_t)(comma + 1 - s.p)}); /* the day of the week says nothing new */
	return b->host->time(s, "%d %b %Y %H:%M:%S %z", out) ? -1 : 0;
}

/* A checkout that is begun anew is another order of the same cart, which is one cart. */
static ent_str cart_key(json_object *record) {
	ent_str cart = jsonl_text(record, "cart_id");
	return cart.n ? cart : jsonl_text(record, "id");
}

ent_status bigcommerce__gone(bigcommerce *b, ent_str order, ent_str cart, ent_time version, uint64_t place) {
	ent_order o = {.h = {.place = place, .key = order, .version = version, .op = ENT_RETRACT}};
	ent_cart c = {.h = {.place = place, .key = cart, .version = version, .op = ENT_RETRACT}};
	ent_status e = b->host->push(b->ctx, ENT_ORDER, &o, sizeof o, 1);
	return e ? e : b->host->push(b->ctx, ENT_CART, &c, sizeof c, 1);
}

/* Of the delivery, where addresses are in the record and not behind a link; else of the bill. */
static void where_to(json_object *record, ent_order *o) {
	json_object *list = jsonl_member(record, "shipping_addresses");
	json_object *address =
		jsonl_length(list) ? json_object_array_get_idx(list, 0) : jsonl_member(record, "billing_address");
	ent_str country = jsonl_text(address, "country_iso2");
	if (text_capitals(country, 2))
		o->country = country;
	o->region = text_given(jsonl_text(address, "state"));
}

/* Sum of amounts; -1: one is none, or the sum leaves its range. */
static int sum_of(const bigcommerce *b, json_object *o, const char *const *keys, int64_t *sum, uint64_t *has) {
	for (*sum = 0; *keys; keys++) {
		int64_t v = 0;
		if (jsonl_amount(b->host, o, *keys, 1, &v, has) || __builtin_add_overflow(*sum, v, sum))
			return -1;
	}
	return 0;
}

/* What was taken off is written once, and of some shops it is taken off prices with tax. Whichever adds up to the
 * order's total is meant. */
static const char *discount(const bigcommerce *b, json_object *record, ent_order *o) {
	static const char *const taken[] = {"discount_amount", "coupon_discount", NULL};
	static const char *const others[] = {
		"shipping_cost_inc_tax", "handling_cost_inc_tax", "wrapping_cost_inc_tax", NULL};
	int64_t with_tax = 0, other = 0, total = 0, all;
	uint64_t has = 0, more = 0, some = 0;
	if (sum_of(b, record, taken, &o->discount, &has) || sum_of(b, record, others, &other, &some) ||
		jsonl_amount(b->host, record, "subtotal_inc_tax", 1, &with_tax, &more) ||
		jsonl_amount(b->host, record, "total_ex_tax", 2, &total, &more))
		return "not an amount";
	if (has)
		o->h.has |= ENT_HAS_DISCOUNT;
	if (!o->discount || more != 3)
		return NULL;
	if (!__builtin_add_overflow(o->gross, o->shipping, &all) && !__builtin_sub_overflow(all, o->discount, &all) &&
		all == total)
		return NULL;
	if (!__builtin_add_overflow(with_tax, other, &all) && !__builtin_sub_overflow(all, o->discount, &all) &&
		all == o->total && with_tax > 0)
		return bigcommerce__share(o->discount, o->gross, with_tax, &o->discount) ? "an amount is out of range" : NULL;
	b->host->log(b->ctx, ENT_LOG_INFO,
		"the sums of an order add up neither with tax nor without: its discount is taken as it is written");
	return NULL;
}

static const char *amounts(const bigcommerce *b, json_object *record, ent_order *o) {
	static const char *const sent[] = {"shipping_cost_ex_tax", "handling_cost_ex_tax", "wrapping_cost_ex_tax", NULL};
	uint64_t *has = &o->h.has, given = 0;
	if (jsonl_amount(b->host, record, "subtotal_ex_tax", ENT_HAS_GROSS, &o->gross, has) ||
		jsonl_amount(b->host, record, "total_inc_tax", ENT_HAS_TOTAL, &o->total, has) ||
		jsonl_amount(b->host, record, "total_tax", ENT_HAS_TAX, &o->tax, has) ||
		jsonl_amount(b->host, record, "refunded_amount", ENT_HAS_REFUNDED, &o->refunded, has) ||
		sum_of(b, record, sent, &o->shipping, &given))
		return "not an amount";
	if (!(*has & ENT_HAS_GROSS) || !(*has & ENT_HAS_TOTAL))
		return "no subtotal_ex_tax, or no total_inc_tax";
	*has |= ENT_HAS_TAX_INCLUDED | (given ? ENT_HAS_SHIPPING : 0); /* amounts without tax are there for all shops */
	return discount(b, record, o);
}

/* Lines that are in the record, and what was paid back of them. NULL, or what is wrong. */
static const char *lines(bigcommerce *b, json_object *list, ent_order *o) {
	int64_t back = 0;
	uint64_t has = 0;
	for (size_t i = 0; i < jsonl_length(list); i++) {
		json_object *item = json_object_array_get_idx(list, i);
		ent_line *l = &b->lines[i];
		int64_t amount = 0;
		*l = (ent_line){.h = {.place = o->h.place}, .order_key = o->h.key};
		const char *why = bigcommerce__line(b, item, l);
		if (why)
			return why;
		memcpy(l->currency, o->currency, 4);
		if (jsonl_amount(b->host, item, "refund_amount", 1, &amount, &has) ||
			__builtin_add_overflow(back, amount, &back))
			return "the refund of a line is no amount";
	}
	if (has && !o->refunded) { /* the order's own sum is there in all answers, and stays 0 in some */
		o->refunded = back;
		o->h.has |= ENT_HAS_REFUNDED;
	}
	return NULL;
}

static const char *header(const bigcommerce *b, json_object *record, ent_order *o) {
	ent_str currency =
		jsonl_text(record, "default_currency_code"); /* the one paid in; currency_code is the one shown */
	ent_str email = jsonl_text(jsonl_member(record, "billing_address"), "email");
	ent_str customer = jsonl_text(record, "customer_id");
	if (!currency.n)
		currency = jsonl_text(record, "currency_code");
	if (!text_capitals(currency, 3))
		return "no currency of three letters";
	memcpy(o->currency, currency.p, 3);
	if (bigcommerce__time(b, record, "date_created", &o->at) || !o->at.kind)
		return "no date_created that is a time";
	if (bigcommerce__time(b, record, "date_modified", &o->h.version) ||
		bigcommerce__time(b, record, "date_shipped", &o->shipped_at))
		return "a date that is no time";
	const char *why = amounts(b, record, o);
	if (why)
		return why;
	if (email.n)
		o->customer = b->host->identity(b->ctx, ENT_ID_EMAIL, email);
	else if (customer.n && !TEXT_IS(customer, "0"))
		o->customer = b->host->identity(b->ctx, ENT_ID_CUSTOMER, customer);
	where_to(record, o);
	o->channel = text_given(jsonl_text(record, "order_source"));
	o->payment = text_given(jsonl_text(record, "payment_method"));
	return NULL;
}

/* A checkout that was left. Should an order of this id have come before, it is none now. */
static ent_status cart(bigcommerce *b, json_object *record, const ent_order *o) {
	ent_str items = jsonl_text(record, "items_total"), id = jsonl_text(record, "status_id");
	int64_t n = 0;
	ent_cart c = {.h = {.has = ENT_HAS_VALUE, .place = o->h.place, .key = cart_key(record), .version = o->h.version},
		.started_at = o->at,
		.updated_at = o->h.version,
		.visitor = o->customer,
		.content_hash = text_given(jsonl_text(record, "cart_id")),
		.channel = o->channel,
		.value = o->gross};
	ent_order none = {.h = {.place = o->h.place, .key = o->h.key, .version = o->h.version, .op = ENT_RETRACT}};
	memcpy(c.currency, o->currency, 4);
	c.step = TEXT_IS(id, "0") ? TEXT("payment") : TEXT("cart");
	if (items.n && !text_digits(items.p, items.n, &n) && n <= UINT32_MAX) {
		c.items = (uint32_t)n;
		c.h.has |= ENT_HAS_ITEMS;
	}
	ent_status e = b->host->push(b->ctx, ENT_ORDER, &none, sizeof none, 1);
	return e ? e : b->host->push(b->ctx, ENT_CART, &c, sizeof c, 1);
}

ent_status bigcommerce__order(bigcommerce *b, json_object *record, uint64_t place) {
	ent_order o = {.h = {.place = place, .key = jsonl_text(record, "id")}};
	json_object *list = jsonl_member(record, "products");
	ent_str id = jsonl_text(record, "status_id");
	if (!o.h.key.n)
		return bigcommerce__reject(b, place, "no id");
	int status = status_of_order(b, record);
	if (status == STATUS_UNKNOWN)
		return bigcommerce__reject(b, place, "unknown status_id; say what it means with the option statuses");
	if (status == STATUS_SKIP) {
		b->host->skip(b->ctx, place, "an order of a status that the configuration leaves out");
		return ENT_OK;
	}
	const char *why = header(b, record, &o);
	if (!why && !b->keep_archived && json_object_get_boolean(jsonl_member(record, "is_deleted")))
		return bigcommerce__gone(b, o.h.key, cart_key(record), o.h.version, place);
	if (!why && status == BIGCOMMERCE_CART)
		return cart(b, record, &o);
	size_t n = jsonl_length(list);
	if (n > b->lines_room) {
		ent_line *more = realloc(b->lines, n * sizeof *more);
		if (!more)
			return ENT_ENOMEM;
		b->lines = more;
		b->lines_room = n;
	}
	if (json_object_is_type(list, json_type_array))
		o.flags = ENT_ORDER_LINES_COMPLETE;
	why = why ? why : lines(b, list, &o);
	if (why)
		return bigcommerce__reject(b, place, why);
	if (TEXT_IS(id, "4") && !o.refunded) { /* Refunded: all of it */
		o.refunded = o.total;
		o.h.has |= ENT_HAS_REFUNDED;
	}
	o.status = (uint8_t)status;
	ent_cart none = {.h = {.place = place, .key = cart_key(record), .version = o.h.version, .op = ENT_RETRACT}};
	ent_status e = b->host->push(b->ctx, ENT_ORDER, &o, sizeof o, 1);
	if (!e && n)
		e = b->host->push(b->ctx, ENT_LINE, b->lines, sizeof *b->lines, n);
	return e ? e : b->host->push(b->ctx, ENT_CART, &none, sizeof none, 1);
}
