/* SPDX-License-Identifier: Apache-2.0
 *
 * A line, as /orders/ID/products writes it. Amounts come with and without tax; those without are taken.
 */
#include "bigcommerce.h"

int bigcommerce__share(int64_t part, int64_t whole, int64_t of, int64_t *out) {
	__int128 x = (__int128)part * whole, q = x / of, r = x % of;
	int sign = x < 0 ? -1 : 1;
	r = r < 0 ? -r : r;
	if (r * 2 > of || (r * 2 == of && (q & 1)))
		q += sign;
	if (q > INT64_MAX || q < -INT64_MAX)
		return -1;
	*out = (int64_t)q;
	return 0;
}

/* What was taken off, of the line and as its part of what was taken off the order. */
static const char *discount(const bigcommerce *b, json_object *o, ent_line *l) {
	json_object *list = jsonl_member(o, "applied_discounts");
	int64_t with_tax = 0, left = 0;
	uint64_t has = 0;
	for (size_t i = 0; i < jsonl_length(list); i++) {
		int64_t amount = 0;
		if (jsonl_amount(b->host, json_object_array_get_idx(list, i), "amount", 1, &amount, &has) ||
			__builtin_add_overflow(l->discount, amount, &l->discount))
			return "the discount of a line is no amount";
	}
	if (!list)
		return NULL;
	l->h.has |= ENT_HAS_DISCOUNT;
	has = 0;
	if (jsonl_amount(b->host, o, "total_inc_tax", 1, &with_tax, &has) ||
		jsonl_amount(b->host, o, "discounted_total_inc_tax", 2, &left, &has))
		return "an amount of a line is none";
	/* where it was taken off the price with tax, this says so */
	if (l->discount && has == 3 && with_tax > 0 && with_tax != l->gross && with_tax - l->discount == left &&
		bigcommerce__share(l->discount, l->gross, with_tax, &l->discount))
		return "the discount of a line is out of range";
	return NULL;
}

const char *bigcommerce__line(const bigcommerce *b, json_object *o, ent_line *l) {
	ent_str quantity = jsonl_text(o, "quantity"), parent = jsonl_text(o, "parent_order_product_id");
	ent_str product = jsonl_text(o, "product_id");
	int64_t cost = 0;
	uint64_t given = 0, *has = &l->h.has;
	l->h.key = jsonl_text(o, "id");
	if (!l->h.key.n)
		return "a line without an id";
	if (!quantity.n || text_quantity(b->host, quantity, &l->quantity))
		return "a line's quantity is no number";
	*has |= ENT_HAS_QUANTITY;
	if (jsonl_amount(b->host, o, "price_ex_tax", ENT_HAS_UNIT_PRICE, &l->unit_price, has) ||
		jsonl_amount(b->host, o, "total_ex_tax", ENT_HAS_GROSS, &l->gross, has) ||
		jsonl_amount(b->host, o, "total_tax", ENT_HAS_TAX, &l->tax, has) ||
		jsonl_amount(b->host, o, "cost_price_ex_tax", 1, &cost, &given))
		return "an amount of a line is none";
	if (!(*has & ENT_HAS_GROSS))
		return "a line without total_ex_tax";
	if (cost) { /* of a piece; 0 where the shop does not keep it */
		if (text_times(cost, l->quantity, &l->cost))
			return "the cost of a line is out of range";
		*has |= ENT_HAS_COST;
	}
	if (parent.n && !TEXT_IS(parent, "0"))
		l->parent_key = parent;
	l->sku = text_given(jsonl_text(o, "sku"));
	l->product = TEXT_IS(product, "0") ? (ent_str){NULL, 0} : text_given(product);
	l->name = text_given(jsonl_text(o, "name"));
	l->vendor = text_given(jsonl_text(o, "brand"));
	return discount(b, o, l);
}
