/* SPDX-License-Identifier: Apache-2.0
 *
 * An order as the REST API and the webhooks write it (wc/v3).
 */
#include "woocommerce.h"

#include <stdlib.h>

static const char not_amount[] = "not an amount";

/* GMT, which has no Z; else the shop's own time, whose zone the source has to know. -1: it is there, and is no time. */
static int time_of(woo *w, json_object *o, const char *gmt, const char *local, ent_time *out) {
	char buffer[40];
	ent_str s = jsonl_text(o, gmt);
	if (s.n && s.n < sizeof buffer - 1) {
		memcpy(buffer, s.p, s.n);
		if (s.p[s.n - 1] != 'Z')
			buffer[s.n++] = 'Z';
		return w->host->time((ent_str){buffer, s.n}, NULL, out) ? -1 : 0;
	}
	if (s.n)
		return -1;
	s = local ? jsonl_text(o, local) : s;
	return s.n && w->host->time(s, NULL, out) ? -1 : 0;
}

static ent_str country_of(json_object *record) {
	static const char *const where[] = {"shipping", "billing"};
	for (int i = 0; i < 2; i++) {
		ent_str s = jsonl_text(jsonl_member(record, where[i]), "country");
		if (text_capitals(s, 2))
			return s;
	}
	return (ent_str){NULL, 0};
}

/* What the shop's order attribution noted. */
static ent_str campaign_of(json_object *record) {
	json_object *list = jsonl_member(record, "meta_data");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	for (size_t i = 0; i < n; i++) {
		json_object *item = json_object_array_get_idx(list, i);
		if (TEXT_IS(jsonl_text(item, "key"), "_wc_order_attribution_utm_campaign"))
			return text_given(jsonl_text(item, "value"));
	}
	return (ent_str){NULL, 0};
}

static ent_str plain(woo *w, ent_str name) {
	if (!name.n)
		return (ent_str){NULL, 0};
	char *to = w->names + w->names_n;
	size_t n = woo__plain(name, to);
	w->names_n += n;
	return (ent_str){to, n};
}

/* Room for lines and names of the order: nothing moves while they are collected. */
static int room(woo *w, size_t lines, size_t names) {
	if (lines > w->lines_room) {
		ent_line *more = realloc(w->lines, lines * sizeof *more);
		if (!more)
			return -1;
		w->lines = more;
		w->lines_room = lines;
	}
	if (names > w->names_room) {
		char *more = realloc(w->names, names);
		if (!more)
			return -1;
		w->names = more;
		w->names_room = names;
	}
	w->names_n = 0;
	return 0;
}

/* An item that was bought. Its sums are without tax, whatever prices_include_tax says. NULL, or what is wrong. */
static const char *item(woo *w, json_object *o, ent_line *l) {
	int64_t total = 0;
	uint64_t none = 0;
	ent_str quantity = jsonl_text(o, "quantity"), product = jsonl_text(o, "product_id");
	l->h.key = jsonl_text(o, "id");
	if (!l->h.key.n)
		return "a line without an id";
	if (!quantity.n || text_quantity(w->host, quantity, &l->quantity))
		return "a line's quantity is no number";
	l->h.has |= ENT_HAS_QUANTITY;
	if (jsonl_amount(w->host, o, "subtotal", ENT_HAS_GROSS, &l->gross, &l->h.has) ||
		jsonl_amount(w->host, o, "total", ENT_HAS_NET, &total, &none) ||
		jsonl_amount(w->host, o, "total_tax", ENT_HAS_TAX, &l->tax, &l->h.has))
		return "an amount of a line is none";
	if (!none)
		return "a line without a total";
	if (!(l->h.has & ENT_HAS_GROSS))
		l->gross = total;
	if (__builtin_sub_overflow(l->gross, total, &l->discount))
		return "an amount of a line is out of range";
	l->net = total;
	l->h.has |= ENT_HAS_GROSS | ENT_HAS_NET | ENT_HAS_DISCOUNT;
	l->sku = text_given(jsonl_text(o, "sku"));
	l->product = TEXT_IS(product, "0") ? (ent_str){NULL, 0} : text_given(product);
	l->name = plain(w, jsonl_text(o, "name"));
	return NULL;
}

/* A fee, which is sold like an item: a surcharge, a deposit; below zero it takes something off. */
static const char *fee(woo *w, json_object *o, ent_line *l, char key[40]) {
	ent_str id = jsonl_text(o, "id");
	uint64_t has = 0;
	if (!id.n || id.n > 30)
		return "a fee without an id";
	memcpy(key, "fee-", 4);
	memcpy(key + 4, id.p, id.n);
	l->h.key = (ent_str){key, id.n + 4};
	if (jsonl_amount(w->host, o, "total", ENT_HAS_NET, &l->net, &has) || !has ||
		jsonl_amount(w->host, o, "total_tax", ENT_HAS_TAX, &l->tax, &l->h.has))
		return "the amount of a fee is none";
	l->quantity = 1000;
	l->gross = l->net;
	l->h.has |= ENT_HAS_QUANTITY | ENT_HAS_GROSS | ENT_HAS_NET;
	l->name = plain(w, jsonl_text(o, "name"));
	return NULL;
}

static const char *lines(woo *w, json_object *record, ent_order *o, char (*keys)[40], size_t *count) {
	json_object *items = jsonl_member(record, "line_items"), *fees = jsonl_member(record, "fee_lines");
	size_t n_items = jsonl_length(items), n = n_items + jsonl_length(fees);
	o->gross = 0;
	for (size_t i = 0; i < n; i++) {
		ent_line *l = &w->lines[i];
		*l = (ent_line){.h = {.place = o->h.place}, .order_key = o->h.key};
		const char *why = i < n_items ? item(w, json_object_array_get_idx(items, i), l)
									  : fee(w, json_object_array_get_idx(fees, i - n_items), l, keys[i - n_items]);
		if (why)
			return why;
		memcpy(l->currency, o->currency, 4);
		if (__builtin_add_overflow(o->gross, l->gross, &o->gross))
			return "the sum of the lines is out of range";
	}
	o->h.has |= ENT_HAS_GROSS;
	*count = n;
	return NULL;
}

/* Paid back so far; the order does not say when. Amounts are below zero here. */
static const char *refunds(woo *w, json_object *record, ent_order *o) {
	json_object *list = jsonl_member(record, "refunds");
	for (size_t i = 0; i < jsonl_length(list); i++) {
		int64_t total = 0;
		uint64_t has = 0;
		if (jsonl_amount(w->host, json_object_array_get_idx(list, i), "total", 1, &total, &has) || !has)
			return "the total of a refund is no amount";
		if (__builtin_sub_overflow(o->refunded, total, &o->refunded))
			return "the sum of the refunds is out of range";
	}
	if (list)
		o->h.has |= ENT_HAS_REFUNDED;
	return NULL;
}

static const char *header(woo *w, json_object *record, ent_order *o) {
	ent_str currency = jsonl_text(record, "currency"), email = jsonl_text(jsonl_member(record, "billing"), "email");
	ent_str customer = jsonl_text(record, "customer_id");
	if (currency.n != 3)
		return "no currency of three letters";
	memcpy(o->currency, currency.p, 3);
	if (time_of(w, record, "date_created_gmt", "date_created", &o->at) || !o->at.kind)
		return "no date_created_gmt that is a time";
	if (time_of(w, record, "date_modified_gmt", "date_modified", &o->h.version) ||
		time_of(w, record, "date_paid_gmt", "date_paid", &o->paid_at) ||
		time_of(w, record, "date_completed_gmt", "date_completed", &o->shipped_at))
		return "a date that is no time";
	if (jsonl_amount(w->host, record, "total", ENT_HAS_TOTAL, &o->total, &o->h.has) ||
		jsonl_amount(w->host, record, "total_tax", ENT_HAS_TAX, &o->tax, &o->h.has) ||
		jsonl_amount(w->host, record, "shipping_total", ENT_HAS_SHIPPING, &o->shipping, &o->h.has) ||
		jsonl_amount(w->host, record, "discount_total", ENT_HAS_DISCOUNT, &o->discount, &o->h.has))
		return not_amount;
	if (!(o->h.has & ENT_HAS_TOTAL))
		return "no total";
	o->h.has |= ENT_HAS_TAX_INCLUDED; /* sums are without tax, also where prices include it */
	if (email.n)
		o->customer = w->host->identity(w->ctx, ENT_ID_EMAIL, email);
	else if (customer.n && !TEXT_IS(customer, "0"))
		o->customer = w->host->identity(w->ctx, ENT_ID_CUSTOMER, customer);
	o->country = country_of(record);
	o->region = text_given(jsonl_text(jsonl_member(record, "shipping"), "state"));
	o->channel = text_given(jsonl_text(record, "created_via"));
	o->payment = text_given(jsonl_text(record, "payment_method"));
	o->campaign = campaign_of(record);
	return NULL;
}

/* Bytes that the names of lines and fees may take. */
static size_t names_of(json_object *list) {
	size_t n = 0;
	for (size_t i = 0; i < jsonl_length(list); i++)
		n += jsonl_text(json_object_array_get_idx(list, i), "name").n;
	return n;
}

static ent_status reject(woo *w, uint64_t place, const char *why) {
	w->host->reject(w->ctx, place, ENT_NO_COLUMN, why);
	return ENT_OK;
}

static ent_status gone(woo *w, json_object *record, ent_order *o) {
	o->h.op = ENT_RETRACT;
	if (time_of(w, record, "date_modified_gmt", "date_modified", &o->h.version) ||
		time_of(w, record, "date_created_gmt", "date_created", &o->at))
		return reject(w, o->h.place, "a date that is no time");
	return w->host->push(w->ctx, ENT_ORDER, o, sizeof *o, 1);
}

ent_status woo__record(void *self, json_object *record, uint64_t place) {
	woo *w = self;
	ent_order o = {.h = {.place = place, .key = jsonl_text(record, "id")}, .flags = ENT_ORDER_LINES_COMPLETE};
	if (!o.h.key.n)
		return reject(w, place, "no id");
	if (json_object_object_length(record) == 1) /* all that the webhook order.deleted says */
		return gone(w, record, &o);
	ent_str word = jsonl_text(record, "status");
	if (!word.n)
		return reject(w, place, "no status: this is no order");
	int status = woo__status(&w->statuses, word);
	if (status == STATUS_SKIP) {
		w->host->skip(w->ctx, place, "an order that is not placed");
		return ENT_OK;
	}
	if (status == STATUS_GONE)
		return gone(w, record, &o);
	if (status < 0)
		return reject(w, place, "unknown status; say what it means with the option statuses");
	json_object *items = jsonl_member(record, "line_items"), *fees = jsonl_member(record, "fee_lines");
	if (!json_object_is_type(items, json_type_array))
		return reject(w, place, "no line_items");
	size_t n = 0, n_fees = jsonl_length(fees);
	char few[4][40], (*keys)[40] = n_fees > 4 ? malloc(n_fees * sizeof *keys) : few;
	if (!keys || room(w, jsonl_length(items) + n_fees, names_of(items) + names_of(fees))) {
		if (keys != few)
			free(keys);
		return ENT_ENOMEM;
	}
	o.status = (uint8_t)status;
	const char *why = header(w, record, &o);
	why = why ? why : lines(w, record, &o, keys, &n);
	why = why ? why : refunds(w, record, &o);
	ent_status e = why ? reject(w, place, why) : w->host->push(w->ctx, ENT_ORDER, &o, sizeof o, 1);
	if (!why && !e && n)
		e = w->host->push(w->ctx, ENT_LINE, w->lines, sizeof *w->lines, n);
	if (keys != few)
		free(keys);
	return e;
}
