/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of BLC_ORDER: what was ordered, what was quoted and what is a cart stand in one table, told apart by the
 * status.
 */
#include "broadleaf.h"

const char *const blc__meanings[] = {"sold", "pending", "quote", "cancelled", "test", "cart", "skip", NULL};

int blc__status(const blc *b, ent_str word) {
	static const int means[] = {
		ENT_ORDER_SOLD, ENT_ORDER_PENDING, ENT_ORDER_QUOTE, ENT_ORDER_CANCELLED, ENT_ORDER_TEST, BLC_CART, BLC_SKIP};
	static const struct {
		const char *word;
		int means;
	} known[] = {{"SUBMITTED", ENT_ORDER_SOLD}, {"CANCELLED", ENT_ORDER_CANCELLED}, {"QUOTE", ENT_ORDER_QUOTE},
		{"IN_PROCESS", BLC_CART}, {"CSR_OWNED", BLC_CSR_CART}, {"NAMED", BLC_SKIP}};
	for (size_t i = 0; b->statuses && i < b->statuses->n; i++)
		if (text_equal(b->statuses->keys[i], word))
			return means[b->statuses->items[i].i];
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strlen(known[i].word) == word.n && !memcmp(known[i].word, word.p, word.n))
			return known[i].means;
	return BLC_UNKNOWN;
}

ent_str blc__cell(const ent_row *r, size_t column) {
	ent_str s = text_trim(r->cell[column]);
	int null = TEXT_IS(s, "NULL") || TEXT_IS(s, "\\N") || TEXT_IS(s, "null") || TEXT_IS(s, "(null)");
	return null ? (ent_str){NULL, 0} : text_given(s);
}

ent_status blc__reject(blc *b, const ent_row *r, uint32_t column, const char *why) {
	b->host->reject(b->ctx, r->place, column, why);
	return ENT_OK;
}

int blc__time(blc *b, const ent_row *r, size_t column, ent_time *out) {
	ent_str s = blc__cell(r, column);
	*out = (ent_time){.offset_min = ENT_NO_OFFSET};
	if (!s.n)
		return 0;
	if (b->host->time(s, b->dates, out)) {
		blc__reject(
			b, r, (uint32_t)column, "not a time as it is expected; say with the option dates how it is written");
		return -1;
	}
	int64_t v = out->kind == ENT_TIME_DATE ? out->v * INT64_C(86400000000) : out->v;
	b->newest = v > b->newest ? v : b->newest;
	return 0;
}

static int amount(blc *b, const ent_row *r, size_t column, uint64_t bit, int64_t *out, uint64_t *has) {
	ent_str s = blc__cell(r, column);
	if (!s.n)
		return 0;
	if (text_money(b->host, s, out)) {
		blc__reject(b, r, (uint32_t)column, "not an amount");
		return -1;
	}
	*has |= bit;
	return 0;
}

static int currency(blc *b, const ent_row *r, char out[4]) {
	ent_str s = blc__cell(r, O_CURRENCY);
	memcpy(out, b->currency, 4);
	if (s.n == 3)
		for (int i = 0; i < 3; i++)
			out[i] = (char)(text_lower(s.p[i]) & ~0x20);
	if (s.n ? s.n != 3 : !out[0]) {
		blc__reject(b, r, O_CURRENCY,
			s.n ? "no currency of three letters" : "no currency; set the option currency to that of the shop");
		return -1;
	}
	return 0;
}

static ent_id who(blc *b, const ent_row *r) {
	ent_str email = blc__cell(r, O_EMAIL), number = blc__cell(r, O_CUSTOMER);
	if (email.n) /* who orders as a guest has a new CUSTOMER_ID each time */
		return b->host->identity(b->ctx, ENT_ID_EMAIL, email);
	return b->host->identity(b->ctx, ENT_ID_CUSTOMER, number);
}

/* What an earlier export told as a cart is none any more. */
static ent_status no_cart(blc *b, const ent_row *r, ent_str key, ent_time at, ent_time version) {
	ent_cart c = {.h = {.place = r->place, .key = key, .version = version, .op = ENT_RETRACT}, .started_at = at};
	memcpy(c.currency, b->currency, sizeof c.currency);
	return b->host->push(b->ctx, ENT_CART, &c, sizeof c, 1);
}

static ent_status cart(
	blc *b, const ent_row *r, ent_str key, int means, ent_time created, ent_time updated, ent_time version) {
	ent_cart c = {.h = {.place = r->place, .version = version},
		.started_at = created.kind ? created : updated,
		.updated_at = updated,
		.step = blc__cell(r, O_EMAIL).n ? TEXT("contact") : TEXT("cart"),
		.channel = means == BLC_CSR_CART ? TEXT("CSR_OWNED") : (ent_str){NULL, 0}};
	if (!c.started_at.kind)
		return blc__reject(b, r, O_CREATED, "a cart without DATE_CREATED and DATE_UPDATED");
	if (amount(b, r, O_SUBTOTAL, ENT_HAS_VALUE, &c.value, &c.h.has) || currency(b, r, c.currency))
		return ENT_OK;
	if (!(c.h.has & ENT_HAS_VALUE))
		memset(c.currency, 0, sizeof c.currency);
	c.visitor = who(b, r);
	ent_time touched = updated.kind ? updated : created;
	return blc__cart(b, &c, key, touched.kind == ENT_TIME_DATE ? touched.v * INT64_C(86400000000) : touched.v);
}

/* The sub-total has what offers took off articles; what was taken off the order is what is missing to the total. */
static int amounts(blc *b, const ent_row *r, ent_order *o) {
	int64_t sum, rest;
	if (amount(b, r, O_SUBTOTAL, ENT_HAS_GROSS, &o->gross, &o->h.has) ||
		amount(b, r, O_TAX, ENT_HAS_TAX, &o->tax, &o->h.has) ||
		amount(b, r, O_SHIPPING, ENT_HAS_SHIPPING, &o->shipping, &o->h.has) ||
		amount(b, r, O_TOTAL, ENT_HAS_TOTAL, &o->total, &o->h.has))
		return -1;
	if (!(o->h.has & ENT_HAS_TOTAL)) {
		blc__reject(b, r, O_TOTAL, "an order without ORDER_TOTAL");
		return -1;
	}
	if (!(o->h.has & ENT_HAS_GROSS))
		return 0;
	if (__builtin_add_overflow(o->gross, o->tax, &sum) || __builtin_add_overflow(sum, o->shipping, &sum) ||
		__builtin_sub_overflow(sum, o->total, &rest)) {
		blc__reject(b, r, O_TOTAL, "an amount is out of range");
		return -1;
	}
	if (rest >= 0) { /* below zero something was added that no column tells: it is no discount */
		o->discount = rest;
		o->h.has |= ENT_HAS_DISCOUNT;
	}
	return 0;
}

ent_status blc__order(void *self, const ent_row *r) {
	blc *b = self;
	ent_time created, updated, submitted;
	ent_str key = blc__cell(r, O_ID), word = blc__cell(r, O_STATUS);
	if (!key.n || key.n > BLC_KEY_MAX)
		return blc__reject(b, r, O_ID, "no ORDER_ID");
	if (blc__time(b, r, O_CREATED, &created) || blc__time(b, r, O_UPDATED, &updated) ||
		blc__time(b, r, O_SUBMITTED, &submitted))
		return ENT_OK;
	ent_time version = updated; /* without the column, the dump's own date says which is newer */
	if (!version.kind && r->cell[O_UPDATED].p)
		version = submitted.kind ? submitted : created;
	int means = blc__status(b, word);
	if (means == BLC_UNKNOWN)
		return blc__reject(b, r, O_STATUS,
			TEXT_IS(word, "ARCHIVED")
				? "ARCHIVED may be an order or what was put aside; say which with the option statuses"
				: "unknown status; say what it means with the option statuses");
	if (means == BLC_CART || means == BLC_CSR_CART)
		return cart(b, r, key, means, created, updated, version);
	ent_time at = submitted.kind ? submitted : created.kind ? created : updated;
	if (at.kind) {
		ent_status e = no_cart(b, r, key, at, version);
		if (e)
			return e;
	}
	if (means == BLC_SKIP) {
		b->host->skip(b->ctx, r->place, "a wish list, or what the configuration leaves out");
		return ENT_OK;
	}
	if (!submitted.kind && means == ENT_ORDER_CANCELLED) {
		b->host->skip(b->ctx, r->place, "a cart that was given up: it was never submitted");
		return ENT_OK;
	}
	if (means == ENT_ORDER_QUOTE ? !at.kind : !submitted.kind)
		return blc__reject(b, r, O_SUBMITTED, "an order without SUBMIT_DATE");
	ent_order o = {.h = {.place = r->place, .key = key, .version = version},
		.at = at,
		.status = (uint8_t)means,
		.channel = TEXT_IS(word, "QUOTE") ? TEXT("QUOTE") : (ent_str){NULL, 0}};
	if (amounts(b, r, &o) || currency(b, r, o.currency))
		return ENT_OK;
	o.customer = who(b, r);
	return b->host->push(b->ctx, ENT_ORDER, &o, sizeof o, 1);
}
