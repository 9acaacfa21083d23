/* SPDX-License-Identifier: Apache-2.0
 *
 * An order as webhooks and the Admin REST API write it. Whatever the export has as well is read so that both come to
 * the same figures: amounts before refunds and edits, in the currency of the shop; lines by their number, as the export
 * gives them no id.
 */
#include "json.h"

#include <stdlib.h>

static int truth(json_object *o, const char *key) { return json_object_get_boolean(jsonl_member(o, key)); }

/* -1: it is there, and is no time. */
static int time_of(shopify_json *d, json_object *o, const char *key, ent_time *out) {
	ent_str s = jsonl_text(o, key);
	return s.n && d->input.host->time(s, NULL, out) ? -1 : 0;
}

static ent_str country_of(json_object *record) {
	static const char *const where[] = {"shipping_address", "billing_address"};
	for (int i = 0; i < 2; i++) {
		ent_str s = jsonl_text(jsonl_member(record, where[i]), "country_code");
		if (shopify__is_country(s))
			return s;
	}
	return (ent_str){NULL, 0};
}

/* What themes and apps note, as in the export's Note Attributes. */
static ent_str campaign_of(json_object *record) {
	json_object *list = jsonl_member(record, "note_attributes");
	for (size_t i = 0; i < jsonl_length(list); i++) {
		json_object *note = json_object_array_get_idx(list, i);
		if (TEXT_IS(jsonl_text(note, "name"), "utm_campaign"))
			return text_given(text_trim(jsonl_text(note, "value")));
	}
	return (ent_str){NULL, 0};
}

/* Ways to pay, joined as the export joins them; absent if they are too long. *test: one is Shopify's test gateway. */
static ent_str payment_of(shopify_json *d, json_object *record, int *test) {
	json_object *list = jsonl_member(record, "payment_gateway_names");
	size_t n = 0;
	for (size_t i = 0; i < jsonl_length(list); i++) {
		ent_str s = jsonl_text_of(json_object_array_get_idx(list, i));
		*test |= text_has_fold(s, "bogus");
		if (!s.n || n > sizeof d->payment)
			continue;
		if (n + s.n + 3 > sizeof d->payment) {
			n = sizeof d->payment + 1;
			continue;
		}
		if (n) {
			memcpy(d->payment + n, " + ", 3);
			n += 3;
		}
		memcpy(d->payment + n, s.p, s.n);
		n += s.n;
	}
	return n && n <= sizeof d->payment ? (ent_str){d->payment, n} : (ent_str){NULL, 0};
}

/* When the last parcel of an order that is sent as a whole went off. */
static int shipped(shopify_json *d, json_object *record, ent_time *out) {
	json_object *list = jsonl_member(record, "fulfillments");
	if (!TEXT_IS(jsonl_text(record, "fulfillment_status"), "fulfilled"))
		return 0;
	for (size_t i = 0; i < jsonl_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		ent_time t = {0};
		if (!TEXT_IS(jsonl_text(o, "status"), "success"))
			continue;
		if (time_of(d, o, "created_at", &t))
			return -1;
		if (t.kind && (!out->kind || t.v > out->v))
			*out = t;
	}
	return 0;
}

/* Sum of `key` in a list, taken off *sum where `sign` is -1. -1: one is no amount, or the sum leaves its range. */
static int sum_of(shopify_json *d, json_object *list, const char *key, int sign, int64_t *sum) {
	for (size_t i = 0; i < jsonl_length(list); i++) {
		int64_t v = 0;
		uint64_t has = 0;
		if (jsonl_amount(d->input.host, json_object_array_get_idx(list, i), key, 1, &v, &has) ||
			__builtin_add_overflow(*sum, sign * v, sum))
			return -1;
	}
	return 0;
}

/* As the export writes it: after discounts, free shipping among them. */
static int shipping(shopify_json *d, json_object *record, ent_order *o) {
	json_object *list = jsonl_member(record, "shipping_lines");
	if (!json_object_is_type(list, json_type_array)) {
		json_object *set = jsonl_member(jsonl_member(record, "total_shipping_price_set"), "shop_money");
		return jsonl_amount(d->input.host, set, "amount", ENT_HAS_SHIPPING, &o->shipping, &o->h.has);
	}
	o->h.has |= ENT_HAS_SHIPPING;
	if (sum_of(d, list, "price", 1, &o->shipping))
		return -1;
	for (size_t i = 0; i < jsonl_length(list); i++)
		if (sum_of(d, jsonl_member(json_object_array_get_idx(list, i), "discount_allocations"), "amount", -1,
				&o->shipping))
			return -1;
	return 0;
}

static const char *amounts(shopify_json *d, json_object *record, ent_order *o) {
	const ent_host *host = d->input.host;
	int64_t subtotal = 0;
	uint64_t *has = &o->h.has;
	if (jsonl_amount(host, record, "subtotal_price", ENT_HAS_GROSS, &subtotal, has) ||
		jsonl_amount(host, record, "total_price", ENT_HAS_TOTAL, &o->total, has) ||
		jsonl_amount(host, record, "total_discounts", ENT_HAS_DISCOUNT, &o->discount, has) ||
		jsonl_amount(host, record, "total_tax", ENT_HAS_TAX, &o->tax, has) ||
		jsonl_amount(host, record, "total_outstanding", ENT_HAS_DUE, &o->due, has) || shipping(d, record, o))
		return "not an amount";
	if (!(*has & ENT_HAS_GROSS) || !(*has & ENT_HAS_TOTAL))
		return "no subtotal_price, or no total_price";
	if (__builtin_add_overflow(
			subtotal, o->discount, &o->gross)) /* subtotal_price is what is left after the discounts */
		return "amount out of range";
	if (jsonl_member(record, "taxes_included")) {
		o->tax_included = (uint8_t)truth(record, "taxes_included");
		*has |= ENT_HAS_TAX_INCLUDED;
	}
	return NULL;
}

static const char *header(shopify_json *d, json_object *record, ent_order *o) {
	const ent_host *host = d->input.host;
	ent_str currency = jsonl_text(record, "currency"), email = jsonl_text(record, "email");
	ent_str staff = jsonl_text(record, "user_id");
	if (currency.n != 3)
		return "no currency of three letters";
	memcpy(o->currency, currency.p, 3);
	int status = shopify__status(jsonl_text(record, "financial_status"));
	if (status < 0)
		return "unknown financial_status";
	if (time_of(d, record, "created_at", &o->at) || !o->at.kind)
		return "no created_at that is a time";
	if (time_of(d, record, "updated_at", &o->h.version) || time_of(d, record, "cancelled_at", &o->cancelled_at) ||
		shipped(d, record, &o->shipped_at))
		return "a date that is no time";
	const char *why = amounts(d, record, o);
	if (why)
		return why;
	int test = truth(record, "test");
	o->payment = payment_of(d, record, &test);
	o->status = (uint8_t)(test ? ENT_ORDER_TEST : o->cancelled_at.kind ? ENT_ORDER_CANCELLED : status);
	if (email.n)
		o->customer = host->identity(d->input.ctx, ENT_ID_EMAIL, email);
	if (staff.n)
		o->agent = host->identity(d->input.ctx, ENT_ID_STAFF, staff);
	o->country = country_of(record);
	o->channel = text_given(jsonl_text(record, "source_name"));
	o->campaign = campaign_of(record);
	return NULL;
}

/* NULL, or what is wrong. */
static const char *line(shopify_json *d, json_object *o, const ent_order *order, size_t number, shopify_line *to) {
	const ent_host *host = d->input.host;
	ent_line *l = &to->line;
	size_t at = sizeof to->key;
	*l = (ent_line){.h = {.place = order->h.place, .partner = order->h.partner}, .order_key = order->h.key};
	for (size_t v = number; v; v /= 10)
		to->key[--at] = (char)('0' + v % 10);
	l->h.key = (ent_str){to->key + at, sizeof to->key - at};
	ent_str quantity = jsonl_text(o, "quantity");
	if (!quantity.n || text_quantity(host, quantity, &l->quantity))
		return "a line's quantity is no number";
	if (jsonl_amount(host, o, "price", ENT_HAS_UNIT_PRICE, &l->unit_price, &l->h.has) || !l->h.has)
		return "a line's price is no amount";
	if (text_times(l->unit_price, l->quantity, &l->gross))
		return "an amount of a line is out of range";
	/* what is taken off an order is spread over its lines there; total_discount has only what is of the line alone */
	json_object *parts = jsonl_member(o, "discount_allocations");
	if (json_object_is_type(parts, json_type_array)
			? sum_of(d, parts, "amount", 1, &l->discount)
			: jsonl_amount(host, o, "total_discount", 1, &l->discount, &(uint64_t){0}))
		return "a line's discount is no amount";
	l->h.has = ENT_HAS_QUANTITY | ENT_HAS_UNIT_PRICE | ENT_HAS_GROSS | ENT_HAS_DISCOUNT;
	l->sku = text_given(jsonl_text(o, "sku"));
	l->name = text_given(jsonl_text(o, "name"));
	l->vendor = text_given(jsonl_text(o, "vendor"));
	memcpy(l->currency, order->currency, 4);
	return NULL;
}

static int room(shopify_json *d, size_t lines, size_t refunds) {
	if (lines > d->lines_room) {
		shopify_line *more = realloc(d->lines, lines * sizeof *more);
		if (!more)
			return -1;
		d->lines = more;
		d->lines_room = lines;
	}
	if (refunds > d->refunds_room) {
		shopify_refund *more = realloc(d->refunds, refunds * sizeof *more);
		if (!more)
			return -1;
		d->refunds = more;
		d->refunds_room = refunds;
	}
	d->n_lines = lines;
	d->n_refunds = 0;
	return 0;
}

static ent_status reject(shopify_json *d, uint64_t place, const char *why) {
	d->input.host->reject(d->input.ctx, place, ENT_NO_COLUMN, why);
	return ENT_OK;
}

static ent_status push(shopify_json *d, const ent_order *o) {
	const ent_host *host = d->input.host;
	ent_status e = host->push(d->input.ctx, ENT_ORDER, o, sizeof *o, 1);
	if (!e && d->n_lines)
		e = host->push(d->input.ctx, ENT_LINE, d->lines, sizeof *d->lines, d->n_lines);
	if (!e && d->n_refunds)
		e = host->push(d->input.ctx, ENT_REFUND, d->refunds, sizeof *d->refunds, d->n_refunds);
	return e;
}

ent_status shopify__order(void *self, json_object *record, uint64_t place) {
	shopify_json *d = self;
	json_object *inner = jsonl_member(record, "order"), *status;
	if (json_object_is_type(inner, json_type_object)) /* as it comes when one order is asked for */
		record = inner;
	if (jsonl_member(record, "orders"))
		return reject(d, place, "a page of orders: the poll needs records: /orders, so that each order is one record");
	ent_order o = {.h = {.place = place, .key = jsonl_text(record, "id")}, .flags = ENT_ORDER_LINES_COMPLETE};
	if (!o.h.key.n)
		return reject(d, place, "no id");
	if (json_object_object_length(record) == 1) { /* all that the webhook orders/delete says */
		o.h.op = ENT_RETRACT;
		return d->input.host->push(d->input.ctx, ENT_ORDER, &o, sizeof o, 1);
	}
	if (!json_object_object_get_ex(record, "financial_status", &status))
		return reject(d, place, "no financial_status: this is no order");
	json_object *lines = jsonl_member(record, "line_items");
	if (!json_object_is_type(lines, json_type_array))
		return reject(d, place, "no line_items");
	if (room(d, jsonl_length(lines), shopify__refunds_at_most(record)))
		return ENT_ENOMEM;
	if (d->by_vendor)
		o.h.partner = text_given(jsonl_text(json_object_array_get_idx(lines, 0), "vendor"));
	const char *why = header(d, record, &o);
	for (size_t i = 0; i < d->n_lines && !why; i++)
		why = line(d, json_object_array_get_idx(lines, i), &o, i + 1, &d->lines[i]);
	why = why ? why : shopify__refunds(d, record, &o);
	return why ? reject(d, place, why) : push(d, &o);
}
