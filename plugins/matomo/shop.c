/* SPDX-License-Identifier: Apache-2.0
 *
 * What was done during a visit (actionDetails): pages, articles, orders, and the cart that was left.
 */
#include "matomo.h"

#include <stdlib.h>

enum { LOAD_MS_MAX = 3600000 }; /* a load time beyond an hour is a clock that was set */

static const char no_currency[] = "an order or a cart of a site without siteCurrency; set the option currency";

static uint64_t mix(uint64_t h, ent_str s) {
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

/* Of what is in it, in any order: how many of which article. */
static uint64_t content(json_object *items) {
	uint64_t sum = 0;
	for (size_t i = 0; i < jsonl_length(items); i++) {
		json_object *o = json_object_array_get_idx(items, i);
		ent_str sku = jsonl_text(o, "itemSKU"), name = jsonl_text(o, "itemName");
		uint64_t h = mix(UINT64_C(0xcbf29ce484222325), sku.n ? sku : name);
		h = mix(h, jsonl_text(o, "quantity"));
		sum += h ^ h >> 31;
	}
	return sum;
}

static ent_time time_of(json_object *o, ent_time visit) {
	ent_time at;
	return mat__stamp(jsonl_text(o, "timestamp"), &at) ? visit : at;
}

/* Shops send `false` for what there is none of, and Matomo hands it on. */
static int money(matomo *m, json_object *x, const char *key, uint64_t bit, int64_t *out, uint64_t *has) {
	json_object *v = jsonl_member(x, key);
	ent_str s = jsonl_text_of(v);
	if (json_object_is_type(v, json_type_boolean) || TEXT_IS(s, "false"))
		return 0;
	return jsonl_amount(m->host, x, key, bit, out, has);
}

static const char *lines(matomo *m, json_object *items, ent_order *o, size_t n, char (*keys)[24]) {
	int64_t gross = 0;
	for (size_t i = 0; i < n; i++) {
		json_object *x = json_object_array_get_idx(items, i);
		ent_line *l = &m->lines[i];
		uint64_t has = 0;
		int k = snprintf(keys[i], sizeof *keys, "%zu", i + 1);
		*l = (ent_line){.h = {.place = o->h.place, .key = {keys[i], (size_t)k}, .has = ENT_HAS_QUANTITY},
			.order_key = o->h.key,
			.sku = text_given(jsonl_text(x, "itemSKU")),
			.name = text_given(jsonl_text(x, "itemName")),
			.category = text_given(jsonl_text(x, "itemCategory"))};
		memcpy(l->currency, o->currency, 4);
		ent_str quantity = jsonl_text(x, "quantity");
		if (!quantity.n || text_quantity(m->host, quantity, &l->quantity))
			return "the quantity of an article is no number";
		if (money(m, x, "price", ENT_HAS_UNIT_PRICE, &l->unit_price, &has))
			return "the price of an article is no amount";
		if (has && (text_times(l->unit_price, l->quantity, &l->gross) || /* price is that of one piece */
					   __builtin_add_overflow(gross, l->gross, &gross)))
			return "the price of an article is out of range";
		l->h.has |= has ? has | ENT_HAS_GROSS : 0;
	}
	return NULL;
}

/* Sub-total, tax and shipping add up to revenue, what was taken off being off the sub-total already. */
static const char *amounts(matomo *m, json_object *x, ent_order *o) {
	int64_t goods = 0;
	uint64_t has = 0;
	if (money(m, x, "revenue", ENT_HAS_TOTAL, &o->total, &o->h.has) ||
		money(m, x, "revenueSubTotal", ENT_HAS_GROSS, &goods, &has) ||
		money(m, x, "revenueTax", ENT_HAS_TAX, &o->tax, &o->h.has) ||
		money(m, x, "revenueShipping", ENT_HAS_SHIPPING, &o->shipping, &o->h.has) ||
		money(m, x, "revenueDiscount", ENT_HAS_DISCOUNT, &o->discount, &o->h.has))
		return "an amount of an order is none";
	if (!(o->h.has & ENT_HAS_TOTAL))
		return "an order without revenue";
	if (has && __builtin_add_overflow(goods, o->discount, &o->gross))
		return "an amount of an order is out of range";
	o->h.has |= has;
	return NULL;
}

static ent_status order(matomo *m, const ent_str f[VISIT_FIELDS], json_object *x, uint64_t place, ent_time at) {
	json_object *items = jsonl_member(x, "itemDetails");
	size_t n = jsonl_length(items);
	ent_order o = {.h = {.place = place, .key = jsonl_text(x, "orderId")},
		.at = time_of(x, at),
		.flags = ENT_ORDER_LINES_COMPLETE};
	char(*keys)[24] = malloc((n + 1) * sizeof *keys);
	if (n > m->lines_room) {
		ent_line *more = realloc(m->lines, n * sizeof *more);
		m->lines_room = more ? n : m->lines_room;
		m->lines = more ? more : m->lines;
	}
	if (!keys || n > m->lines_room) {
		free(keys);
		return ENT_ENOMEM;
	}
	const char *why = !o.h.key.n || o.h.key.n > 255 ? "an order without an orderId" : NULL;
	why = why ? why : mat__currency(m, f[VISIT_CURRENCY], o.currency) ? no_currency : NULL;
	why = why ? why : amounts(m, x, &o);
	why = why ? why : lines(m, items, &o, n, keys);
	o.channel = mat__channel(f);
	o.campaign = mat__campaign(f);
	if (!why && f[VISIT_USER].n)
		o.customer = m->host->identity(m->ctx, ENT_ID_CUSTOMER, f[VISIT_USER]);
	ent_status e = ENT_OK;
	if (why)
		m->host->reject(m->ctx, place, ENT_NO_COLUMN, why);
	else
		e = m->host->push(m->ctx, ENT_ORDER, &o, sizeof o, 1);
	if (!why && !e && n)
		e = m->host->push(m->ctx, ENT_LINE, m->lines, sizeof *m->lines, n);
	m->seen |= 1u << ENT_ORDER;
	free(keys);
	return e;
}

/* Every later visit shows a cart that was left again. One visitor and one content are one cart, of the last visit that
 * shows it: its key says so. */
static ent_status cart(matomo *m, const ent_str f[VISIT_FIELDS], json_object *x, uint64_t place, ent_time at) {
	json_object *items = jsonl_member(x, "itemDetails");
	ent_str who = f[VISIT_VISITOR].n ? f[VISIT_VISITOR] : f[VISIT_USER].n ? f[VISIT_USER] : f[VISIT_FINGERPRINT];
	ent_cart c = {
		.h = {.place = place}, .started_at = time_of(x, at), .step = TEXT("cart"), .channel = mat__channel(f)};
	char key[80], hash[24];
	int64_t n = 0;
	if (mat__currency(m, f[VISIT_CURRENCY], c.currency)) {
		m->host->reject(m->ctx, place, ENT_NO_COLUMN, no_currency);
		return ENT_OK;
	}
	if (money(m, x, "revenue", ENT_HAS_VALUE, &c.value, &c.h.has)) {
		m->host->reject(m->ctx, place, ENT_NO_COLUMN, "the revenue of a left cart is no amount");
		return ENT_OK;
	}
	ent_str pieces = jsonl_text(x, "items");
	if (pieces.n && !text_digits(pieces.p, pieces.n, &n) && n <= UINT32_MAX) {
		c.items = (uint32_t)n;
		c.h.has |= ENT_HAS_ITEMS;
	}
	ent_id id = m->host->identity(m->ctx, ENT_ID_COOKIE, who);
	if (f[VISIT_VISITOR].n || f[VISIT_USER].n)
		c.visitor = id; /* a fingerprint is shared by all that look alike, and lasts a day */
	int at_hash = snprintf(hash, sizeof hash, "%016llx", (unsigned long long)content(items));
	size_t k = 0;
	if (who.n)
		for (size_t i = 0; i < sizeof id.b; i++)
			k += (size_t)snprintf(key + k, sizeof key - k, "%02x", id.b[i]);
	else
		k = (size_t)snprintf(
			key, sizeof key, "visit-%.*s", (int)(f[VISIT_ID].n > 40 ? 40 : f[VISIT_ID].n), f[VISIT_ID].p);
	k += (size_t)snprintf(key + k, sizeof key - k, "-%s", hash);
	c.h.key = (ent_str){key, k};
	c.content_hash = (ent_str){hash, (size_t)at_hash};
	c.h.version = c.started_at.kind == ENT_TIME_INSTANT ? c.started_at : (ent_time){.offset_min = ENT_NO_OFFSET};
	m->seen |= 1u << ENT_CART;
	return m->host->push(m->ctx, ENT_CART, &c, sizeof c, 1);
}

/* The path alone: what stands behind it may name people. */
static ent_str path_of(ent_str url) {
	for (size_t i = 0; i + 2 < url.n; i++)
		if (!memcmp(url.p + i, "://", 3)) {
			url = (ent_str){url.p + i + 3, url.n - i - 3};
			const char *slash = url.n ? memchr(url.p, '/', url.n) : NULL;
			url = slash ? (ent_str){slash, url.n - (size_t)(slash - url.p)} : (ent_str){"/", 1};
			break;
		}
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] == '?' || url.p[i] == '#')
			url.n = i;
	return text_given(url);
}

static void page(json_object *x, mat_seen *seen) {
	int64_t ms;
	ent_str load = jsonl_text(x, "pageLoadTimeMilliseconds");
	if (!seen->pageviews)
		seen->landing = path_of(jsonl_text(x, "url"));
	seen->pageviews++;
	if (jsonl_text(x, "productViewSku").n || jsonl_text(x, "productViewName").n)
		seen->steps |= ENT_STEP_ITEM;
	if (load.n && !text_digits(load.p, load.n, &ms) && ms > 0 && ms <= LOAD_MS_MAX &&
		seen->load_ms <= UINT32_MAX - LOAD_MS_MAX) {
		seen->load_ms += (uint32_t)ms;
		seen->loads++;
	}
}

ent_status mat__actions(
	matomo *m, const ent_str f[VISIT_FIELDS], json_object *actions, uint64_t place, ent_time at, mat_seen *seen) {
	ent_status e = ENT_OK;
	for (size_t i = 0; i < jsonl_length(actions) && !e; i++) {
		json_object *x = json_object_array_get_idx(actions, i);
		ent_str type = jsonl_text(x, "type");
		if (TEXT_IS(type, "action")) {
			page(x, seen);
		} else if (TEXT_IS(type, "ecommerceOrder")) {
			seen->steps |= ENT_STEP_CART | ENT_STEP_PURCHASE;
			seen->purchases++;
			e = order(m, f, x, place, at);
		} else if (TEXT_IS(type, "ecommerceAbandonedCart")) {
			seen->steps |= ENT_STEP_CART;
			e = cart(m, f, x, place, at);
		}
	}
	return e;
}
