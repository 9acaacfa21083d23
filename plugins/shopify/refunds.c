/* SPDX-License-Identifier: Apache-2.0
 *
 * Refunds of an order in JSON. Money is what counts: the sum of the transactions that paid back, which is also what the
 * export's Refunded Amount adds up. Lines and adjustments of the refund say what it was for; where less was paid back
 * than they say, each is as much less, where more, the rest is taken to be goods as far as the order is, as it is for
 * orders of which only the sum is known.
 */
#include "json.h"

#include <stdio.h>

/* a * part / whole, half to even; 0 <= part <= whole, whole > 0. */
static int64_t portion(int64_t a, int64_t part, int64_t whole) {
	__int128 x = (__int128)a * part, q = x / whole, r = x % whole;
	if (r * 2 > whole || (r * 2 == whole && (q & 1)))
		q++;
	return (int64_t)q;
}

size_t shopify__refunds_at_most(json_object *record) {
	json_object *list = jsonl_member(record, "refunds");
	size_t n = 0;
	for (size_t i = 0; i < jsonl_length(list); i++)
		n += 3 + jsonl_length(jsonl_member(json_object_array_get_idx(list, i), "refund_line_items"));
	return n;
}

/* Number of the line with this id, as its key is; 0: it is not among them. */
static size_t line_of(json_object *record, ent_str id) {
	json_object *list = jsonl_member(record, "line_items");
	for (size_t i = 0; i < jsonl_length(list) && id.n; i++)
		if (text_equal(jsonl_text(json_object_array_get_idx(list, i), "id"), id))
			return i + 1;
	return 0;
}

/* What was paid back. Without transactions in the record, or in another currency than the order's: as much as it was
 * for. */
static const char *paid_back(
	shopify_json *d, json_object *refund, const ent_order *o, int64_t expected, int64_t *paid) {
	json_object *list = jsonl_member(refund, "transactions");
	*paid = 0;
	for (size_t i = 0; i < jsonl_length(list); i++) {
		json_object *t = json_object_array_get_idx(list, i);
		ent_str currency = jsonl_text(t, "currency");
		int64_t amount = 0;
		uint64_t has = 0;
		if (!TEXT_IS(jsonl_text(t, "kind"), "refund") || !TEXT_IS(jsonl_text(t, "status"), "success"))
			continue;
		if (currency.n && (currency.n != 3 || memcmp(currency.p, o->currency, 3))) {
			*paid = expected;
			return NULL;
		}
		if (jsonl_amount(d->input.host, t, "amount", 1, &amount, &has) || !has || amount < 0 ||
			__builtin_add_overflow(*paid, amount, paid))
			return "the amount of a refund's transaction is none";
	}
	if (!json_object_is_type(list, json_type_array))
		*paid = expected;
	return NULL;
}

static shopify_refund *next(shopify_json *d, const ent_order *o, ent_time at, ent_refund_kind kind, int64_t amount) {
	shopify_refund *r = &d->refunds[d->n_refunds++];
	r->refund = (ent_refund){
		.h = {.has = ENT_HAS_AMOUNT, .place = o->h.place, .partner = o->h.partner, .version = o->h.version},
		.order_key = o->h.key,
		.at = at,
		.kind = (uint8_t)kind,
		.amount = amount};
	memcpy(r->refund.currency, o->currency, 4);
	return r;
}

/* A part of a refund that has no id of its own. */
static void whole(shopify_json *d, const ent_order *o, ent_time at, ent_refund_kind kind, int64_t amount, ent_str id) {
	static const char *const names[] = {"goods", "shipping", "rest"};
	if (amount <= 0)
		return;
	shopify_refund *r = next(d, o, at, kind, amount);
	int n = snprintf(r->key, sizeof r->key, "%.*s-%s", (int)id.n, id.p, names[kind]);
	r->refund.h.key = (ent_str){r->key, (size_t)n};
}

/* The lines that came back, with what they were worth; *goods and *tax grow by that. */
static const char *lines(shopify_json *d, json_object *record, json_object *refund, const ent_order *o, ent_time at,
	int64_t *goods, int64_t *tax) {
	json_object *list = jsonl_member(refund, "refund_line_items");
	for (size_t i = 0; i < jsonl_length(list); i++) {
		json_object *item = json_object_array_get_idx(list, i);
		ent_str id = jsonl_text(item, "id"), quantity = jsonl_text(item, "quantity");
		int64_t subtotal = 0, of_tax = 0;
		uint64_t has = 0, none = 0;
		if (!id.n)
			return "a line of a refund without an id";
		if (jsonl_amount(d->input.host, item, "subtotal", 1, &subtotal, &has) || !has || subtotal < 0 ||
			jsonl_amount(d->input.host, item, "total_tax", 1, &of_tax, &none) || of_tax < 0 ||
			__builtin_add_overflow(*goods, subtotal, goods) || __builtin_add_overflow(*tax, of_tax, tax))
			return "an amount of a refund is none";
		shopify_refund *r = next(d, o, at, ENT_REFUND_GOODS, subtotal);
		r->refund.h.key = id;
		if (quantity.n && !text_quantity(d->input.host, quantity, &r->refund.quantity))
			r->refund.h.has |= ENT_HAS_QUANTITY;
		size_t number = line_of(record, jsonl_text(item, "line_item_id"));
		if (number)
			r->refund.line_key = d->lines[number - 1].line.h.key;
	}
	return NULL;
}

/* Shipping that was paid back: below zero, and without its tax. */
static const char *shipping(shopify_json *d, json_object *refund, int64_t *back, int64_t *tax) {
	json_object *list = jsonl_member(refund, "order_adjustments");
	for (size_t i = 0; i < jsonl_length(list); i++) {
		json_object *item = json_object_array_get_idx(list, i);
		int64_t amount = 0, of_tax = 0;
		uint64_t has = 0;
		if (!TEXT_IS(jsonl_text(item, "kind"), "shipping_refund"))
			continue;
		if (jsonl_amount(d->input.host, item, "amount", 1, &amount, &has) ||
			jsonl_amount(d->input.host, item, "tax_amount", 1, &of_tax, &has) ||
			__builtin_sub_overflow(*back, amount, back) || __builtin_sub_overflow(*tax, of_tax, tax))
			return "an adjustment of a refund is no amount";
	}
	return *back < 0 || *tax < 0 ? "a refund that takes shipping" : NULL;
}

static const char *one(shopify_json *d, json_object *record, json_object *refund, const ent_order *o) {
	const ent_host *host = d->input.host;
	ent_str id = jsonl_text(refund, "id"), when = jsonl_text(refund, "processed_at");
	int64_t goods = 0, tax = 0, back = 0, expected = 0, paid = 0, left = o->gross - o->discount;
	size_t first = d->n_refunds;
	ent_time at = {0};
	if (!id.n || id.n > 32)
		return "a refund without an id";
	when = when.n ? when : jsonl_text(refund, "created_at");
	if (!when.n || host->time(when, NULL, &at))
		return "a refund without a date";
	const char *why = lines(d, record, refund, o, at, &goods, &tax);
	if (!why && o->tax_included)
		tax = 0; /* it is in the amounts of the lines */
	why = why ? why : shipping(d, refund, &back, &tax);
	if (!why && (__builtin_add_overflow(goods, tax, &expected) || __builtin_add_overflow(expected, back, &expected)))
		why = "the sum of a refund is out of range";
	why = why ? why : paid_back(d, refund, o, expected, &paid);
	if (why)
		return why;
	if (!paid) { /* what was cancelled or taken out before it was paid: no money went back */
		d->n_refunds = first;
		return NULL;
	}
	if (paid < expected) { /* portions of what was reached so far: then they add up, whatever was rounded */
		int64_t reached = 0, before = 0;
		for (size_t i = first; i < d->n_refunds; i++) {
			int64_t *amount = &d->refunds[i].refund.amount;
			reached += *amount;
			*amount = portion(reached, paid, expected) - before;
			before += *amount;
		}
		goods = before;
		back = portion(reached + back, paid, expected) - before;
	}
	int64_t more = paid > expected && left > 0 && o->total > 0 ? paid - expected : 0;
	more = left < o->total ? portion(more, left > 0 ? left : 0, o->total > 0 ? o->total : 1) : more;
	whole(d, o, at, ENT_REFUND_GOODS, more, id);
	whole(d, o, at, ENT_REFUND_SHIPPING, back, id);
	whole(d, o, at, ENT_REFUND_ADJUSTMENT, paid - goods - more - back, id);
	return NULL;
}

const char *shopify__refunds(shopify_json *d, json_object *record, const ent_order *o) {
	json_object *list = jsonl_member(record, "refunds");
	for (size_t i = 0; i < jsonl_length(list); i++) {
		const char *why = one(d, record, json_object_array_get_idx(list, i), o);
		if (why)
			return why;
	}
	return NULL;
}
