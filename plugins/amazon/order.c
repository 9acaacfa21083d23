/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of the report: an item of an order. What is of the order stands on each of its rows, and sums of it on none:
 * they are those of its items.
 */
#include "amazon.h"

static const char out_of_range[] = "amount out of range";

static ent_status reject(amazon *a, const ent_row *r, uint32_t column, const char *why) {
	a->host->reject(a->ctx, r->place, column, why);
	return ENT_OK;
}

/* Three letters or digits, and twice seven digits: "111-1234567-1234567", "S01-1234567-1234567". */
static int is_id(ent_str s) {
	int64_t v;
	return s.n == 19 && s.p[3] == '-' && s.p[11] == '-' && !text_digits(s.p + 4, 7, &v) &&
		   !text_digits(s.p + 12, 7, &v);
}

/* A line break in a name cuts a row in two; with short_rows: fill, both halves come here. The first has no price, the
 * second begins with anything. */
static const char *broken(const ent_row *r) {
	if (!is_id(text_id(r->cell[C_ORDER])))
		return "not an amazon-order-id";
	return r->cell[C_ITEM_PRICE].p ? NULL : "the row breaks off before its price";
}

int amazon__starts(void *self, const ent_row *before, const ent_row *row) {
	(void)self;
	if (before && (broken(before) || broken(row))) /* what stood before that, one row does not show */
		return 0;
	return !before || !text_equal(text_id(before->cell[C_ORDER]), text_id(row->cell[C_ORDER]));
}

/* Sets *out and the bit if the cell is filled: an empty one is not known, which is not 0. -1: rejected. */
static int amount(amazon *a, const ent_row *r, uint32_t column, uint64_t bit, int64_t *out, uint64_t *has) {
	ent_str s = text_trim(r->cell[column]);
	int64_t v;
	if (!s.n)
		return 0;
	if (text_amount(a->host, s, &v) || __builtin_add_overflow(*out, v, out)) {
		reject(a, r, column, "not an amount");
		return -1;
	}
	*has |= bit;
	return 0;
}

/* A discount is what was taken off, whichever sign it has. */
static int discount(amazon *a, const ent_row *r, uint32_t column, uint64_t bit, int64_t *out, uint64_t *has) {
	*out = 0;
	if (amount(a, r, column, bit, out, has))
		return -1;
	if (*out < 0)
		*out = -*out;
	return 0;
}

static int amounts(amazon *a, const ent_row *r, ent_line *l) {
	uint64_t *has = &l->h.has;
	int64_t price = 0, off = 0;
	ent_str quantity = text_trim(r->cell[C_QUANTITY]);
	if (quantity.n && text_quantity(a->host, quantity, &l->quantity)) {
		reject(a, r, C_QUANTITY, "not a quantity");
		return -1;
	}
	*has |= quantity.n ? ENT_HAS_QUANTITY : 0;
	if (amount(a, r, C_ITEM_PRICE, ENT_HAS_GROSS, &price, has) || amount(a, r, C_ITEM_TAX, ENT_HAS_TAX, &l->tax, has) ||
		amount(a, r, C_SHIPPING_TAX, ENT_HAS_TAX, &l->tax, has) ||
		amount(a, r, C_WRAP_TAX, ENT_HAS_TAX, &l->tax, has) ||
		amount(a, r, C_SHIPPING_PRICE, ENT_HAS_SHIPPING, &l->shipping, has) ||
		amount(a, r, C_WRAP_PRICE, ENT_HAS_SHIPPING, &l->shipping, has) ||
		discount(a, r, C_ITEM_DISCOUNT, ENT_HAS_DISCOUNT, &l->discount, has) ||
		discount(a, r, C_SHIP_DISCOUNT, ENT_HAS_SHIPPING, &off, has))
		return -1;
	l->gross = price;
	if ((*has & ENT_HAS_GROSS && a->by_piece && text_times(price, l->quantity, &l->gross)) ||
		__builtin_sub_overflow(l->shipping, off, &l->shipping)) {
		reject(a, r, C_ITEM_PRICE, out_of_range);
		return -1;
	}
	return 0;
}

/* The currency of a row; NULL: nothing tells. Orders that wait for their payment have neither price nor currency: that
 * of the marketplace is theirs. */
static const char *currency_of(const ent_row *r, ent_str channel, char out[4]) {
	ent_str s = text_trim(r->cell[C_CURRENCY]);
	const amazon_market *market = amazon__market(channel);
	memset(out, 0, 4);
	if (text_capitals(s, 3))
		memcpy(out, s.p, 3);
	else if (!s.n && market)
		memcpy(out, market->currency, 3);
	else
		return NULL;
	return out;
}

static int time_of(amazon *a, const ent_row *r, uint32_t column, ent_time *out) {
	ent_str s = text_trim(r->cell[column]);
	if (!s.n || !a->host->time(s, NULL, out))
		return 0;
	reject(a, r, column, "not a date");
	return -1;
}

/* What is of the order, from the first of its rows. 0; 1: rejected; 2: skipped; -1: no memory. */
static int header(amazon *a, const ent_row *r) {
	ent_order *o = &a->order;
	ent_str channel = text_trim(r->cell[C_SALES_CHANNEL]), country = text_trim(r->cell[C_COUNTRY]);
	ent_str business = text_trim(r->cell[C_BUSINESS]);
	const amazon_market *market = amazon__market(channel);
	o->h.place = r->place;
	if (amazon__elsewhere(channel)) {
		a->skipped = 1;
		return 2;
	}
	int status = amazon__status(a, text_trim(r->cell[C_STATUS]));
	if (status == STATUS_SKIP) {
		a->skipped = 2;
		return 2;
	}
	if (status == STATUS_UNKNOWN) {
		reject(a, r, C_STATUS, "unknown order-status; say what it means with the option statuses");
		return 1;
	}
	o->status = (uint8_t)status;
	if (time_of(a, r, C_PURCHASED, &o->at) || time_of(a, r, C_UPDATED, &o->h.version))
		return 1;
	if (!o->at.kind) {
		reject(a, r, C_PURCHASED, "no date");
		return 1;
	}
	if (!currency_of(r, channel, o->currency)) {
		reject(a, r, C_CURRENCY, "no currency, and a sales-channel whose currency is not known");
		return 1;
	}
	if (a->tax != AMAZON_TAX_AUTO || market) {
		o->tax_included = (uint8_t)(a->tax == AMAZON_TAX_AUTO ? !market->tax_added : a->tax == AMAZON_TAX_INCLUDED);
		o->h.has |= ENT_HAS_TAX_INCLUDED;
	}
	if (business.n)
		a->kind = text_is_fold(business, "true") ? "business" : text_is_fold(business, "false") ? "consumer" : NULL;
	if (amazon__keep(a, channel, &a->channel) ||
		amazon__keep(a, text_capitals(country, 2) ? country : (ent_str){NULL, 0}, &a->country) ||
		amazon__keep(a, text_trim(r->cell[C_STATE]), &a->region))
		return -1;
	return 0;
}

static ent_status item(amazon *a, const ent_row *r) {
	ent_str sku = text_trim(r->cell[C_SKU]), asin = text_trim(r->cell[C_ASIN]),
			word = text_trim(r->cell[C_ITEM_STATUS]);
	char currency[4];
	if (a->n_items == AMAZON_ITEMS_MAX)
		return reject(a, r, C_ORDER, "more than 10000 items in one order");
	amazon_item *it = amazon__add(a);
	if (!it)
		return ENT_ENOMEM;
	if (!sku.n && !asin.n)
		return reject(a, r, C_SKU, "neither sku nor asin");
	if ((sku.n ? sku.n : asin.n) > AMAZON_KEY_MAX - 12)
		return reject(a, r, C_SKU, "longer than 243 bytes");
	int status = word.n ? amazon__status(a, word) : ENT_ORDER_SOLD;
	if (status == STATUS_UNKNOWN)
		return reject(a, r, C_ITEM_STATUS, "unknown item-status; say what it means with the option statuses");
	if (status == STATUS_SKIP) {
		a->host->skip(a->ctx, r->place, "an item of a status that the configuration leaves out");
		return ENT_OK;
	}
	it->cancelled = status == ENT_ORDER_CANCELLED;
	it->line.h.place = r->place;
	if (amounts(a, r, &it->line))
		return ENT_OK;
	if (!currency_of(r, text_trim(r->cell[C_SALES_CHANNEL]), currency) || memcmp(currency, a->order.currency, 4) != 0)
		return reject(a, r, C_CURRENCY, "another currency than the order's first row");
	if (amazon__key(a, sku.n ? sku : asin, &it->key) || amazon__keep(a, sku, &it->sku) ||
		amazon__keep(a, asin, &it->product) || amazon__keep(a, text_trim(r->cell[C_NAME]), &it->name))
		return ENT_ENOMEM;
	a->n_items++;
	return ENT_OK;
}

ent_status amazon__row(void *self, const ent_row *r) {
	amazon *a = self;
	ent_str id = text_id(r->cell[C_ORDER]);
	const char *why = broken(r);
	if (why) /* the order in hand may go on behind it */
		return reject(a, r, C_ORDER, why);
	if (!a->open || !text_equal(id, amazon__text(a, a->id))) {
		ent_status e = amazon__push(a);
		if (e)
			return e;
		a->open = 1;
		if (amazon__keep(a, id, &a->id))
			return ENT_ENOMEM;
		int said = header(a, r);
		if (said < 0)
			return ENT_ENOMEM;
		a->bad = said == 1;
		if (a->bad)
			return ENT_OK;
	} else if (a->bad) {
		return reject(a, r, C_ORDER, "its order was rejected");
	}
	if (a->skipped) {
		a->host->skip(a->ctx, r->place,
			a->skipped == 1 ? "sold elsewhere, and only sent by Amazon"
							: "an order of a status that the configuration leaves out");
		return ENT_OK;
	}
	return item(a, r);
}
