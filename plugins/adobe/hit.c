/* SPDX-License-Identifier: Apache-2.0
 *
 * What a hit means: a part of a visit, a step of its cart, a purchase.
 */
#include "adobe.h"

#include <stdio.h>

enum { E_PURCHASE = 1, E_PRODUCT_VIEW = 2, E_CART_OPEN = 10, E_CHECKOUT = 11, E_CART_ADD = 12, E_CART_REMOVE = 13 };

static const char no_currency[] = "a purchase without a currency: the feed names none for its amounts; set the option "
								  "currency to that of the report suite";

/* Referrer types, as Adobe numbers them, where no table lies beside the feed. */
static const char *const referrer_types[] = {NULL, "Inside Your Site", "Other Web Sites", "Search Engines",
	"Hard Drive", "USENET", "Typed/Bookmarked", "Email", "No JavaScript", "Social Networks"};

static int is_zero(ent_str s) {
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '0')
			return 0;
	return 1;
}

static int seconds(ent_str s, int64_t *us) {
	int64_t v;
	if (s.n > 11 || text_digits(s.p, s.n, &v))
		return -1;
	*us = v * 1000000;
	return 0;
}

/* Standard events of a list like "200,12,1:4711,201=3.5". Custom ones, 200 and up, say nothing here. */
static uint32_t events_of(ent_str list) {
	uint32_t bits = 0;
	for (const char *p = list.p, *end = p + list.n; p < end;) {
		const char *stop = memchr(p, ',', (size_t)(end - p));
		size_t n = stop ? (size_t)(stop - p) : (size_t)(end - p), digits = 0;
		int64_t id;
		while (digits < n && p[digits] >= '0' && p[digits] <= '9')
			digits++;
		if (digits && digits < 3 && !text_digits(p, digits, &id) && id < 32 &&
			(digits == n || p[digits] == '=' || p[digits] == ':'))
			bits |= UINT32_C(1) << id;
		p += n + 1;
	}
	return bits;
}

/* The path of an address, without what follows it. */
static ent_str path_of(ent_str url) {
	const char *colon = url.n ? memchr(url.p, ':', url.n) : NULL, *after = url.p + url.n;
	if (colon && after - colon > 2 && colon[1] == '/' && colon[2] == '/') {
		const char *slash = memchr(colon + 3, '/', (size_t)(after - colon - 3));
		url = slash ? (ent_str){slash, (size_t)(after - slash)} : TEXT("/");
	}
	size_t n = 0;
	while (n < url.n && url.p[n] != '?' && url.p[n] != '#')
		n++;
	return text_given((ent_str){url.p, n});
}

static void saw_day(adobe *a) {
	ent_str s = a->cell[C_DATE_TIME];
	int64_t y, m, d, day;
	if (a->dated || s.n < 10 || text_digits(s.p, 4, &y) || text_digits(s.p + 5, 2, &m) || text_digits(s.p + 8, 2, &d) ||
		text_date_of((unsigned)y, (unsigned)m, (unsigned)d, &day))
		return;
	int i = a->n_days;
	while (i && a->days[i - 1] > day)
		i--;
	if ((i && a->days[i - 1] == day) || a->n_days == DAYS_MAX)
		return;
	memmove(a->days + i + 1, a->days + i, (size_t)(a->n_days - i) * sizeof *a->days);
	a->days[i] = day;
	a->n_days++;
}

static ent_time instant(int64_t us) {
	return (ent_time){.v = us, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT};
}

static ent_status visit(adobe *a, uint64_t place, ent_str key, int64_t at, ent_id visitor, uint32_t events) {
	ent_str *c = a->cell;
	ent_str number = c[C_REF_TYPE];
	ent_visit v = {.h = {.place = place, .key = key, .has = ENT_HAS_NEW},
		.at = instant(at),
		.until = instant(at),
		.visitor = visitor};
	v.is_new = TEXT_IS(c[C_VISIT_NUM], "1");
	v.steps = (events & 1u << E_PRODUCT_VIEW ? (uint32_t)ENT_STEP_ITEM : 0) |
			  (events & (1u << E_CART_OPEN | 1u << E_CART_ADD) ? (uint32_t)ENT_STEP_CART : 0) |
			  (events & 1u << E_CHECKOUT ? (uint32_t)ENT_STEP_CHECKOUT : 0) |
			  (events & 1u << E_PURCHASE ? (uint32_t)ENT_STEP_PURCHASE : 0);
	v.purchases = (events & 1u << E_PURCHASE) != 0;
	v.pageviews = c[C_PAGENAME].n || c[C_PAGE_URL].n;
	v.channel = lookup_find(&a->referrers, number);
	if (!v.channel.n && number.n == 1 && number.p[0] >= '1' && number.p[0] <= '9') {
		const char *name = referrer_types[number.p[0] - '0'];
		v.channel = (ent_str){name, strlen(name)};
	}
	v.source = text_given(c[C_REF_DOMAIN]);
	v.campaign = text_given(c[C_CAMPAIGN]);
	v.country = text_given(c[C_GEO_COUNTRY]);
	if (!v.country.n && !is_zero(c[C_COUNTRY]))
		v.country = lookup_find(&a->countries, c[C_COUNTRY]);
	if (a->field[C_MOBILE] >= 0)
		v.device = is_zero(c[C_MOBILE]) ? TEXT("desktop") : TEXT("mobile");
	v.landing = c[C_PAGE_URL].n ? path_of(c[C_PAGE_URL]) : text_given(c[C_PAGENAME]);
	if (text_utf8(a, &v.source) || text_utf8(a, &v.campaign) || text_utf8(a, &v.country) || text_utf8(a, &v.landing) ||
		text_utf8(a, &v.channel)) {
		a->host->reject(
			a->ctx, place, ENT_NO_COLUMN, "a text that is not UTF-8; set encoding: latin1, or leave it out");
		return ENT_OK;
	}
	return a->host->push(a->ctx, ENT_VISIT, &v, sizeof v, 1);
}

/* Amounts of the products: NULL, or what is wrong. */
static const char *amounts(adobe *a, int64_t *total) {
	*total = 0;
	for (size_t i = 0; i < a->n_products; i++) {
		int64_t price = 0, quantity;
		ent_str p = a->products[i].price, q = a->products[i].quantity;
		if (a->products[i].parts < 4)
			return "a product that was bought without quantity and price: a name holds a separator, or the list is "
				   "broken";
		if (p.n && text_money(a->host, p, &price))
			return "the price of a product is no amount: a name holds a separator, or the list is broken";
		if (q.n && text_quantity(a->host, q, &quantity))
			return "the quantity of a product is no number: a name holds a separator, or the list is broken";
		if (__builtin_add_overflow(*total, price, total))
			return "the prices of the products add up to more than can be counted";
	}
	return NULL;
}

static ent_status order(adobe *a, uint64_t place, ent_str key, int64_t at) {
	const char *why = NULL;
	int64_t total = 0;
	if (products_cut(a, a->cell[C_PRODUCTS], &why)) {
		if (!why)
			return ENT_ENOMEM;
	} else {
		why = amounts(a, &total);
	}
	if (!why && !a->currency[0])
		why = no_currency;
	if (why) {
		a->host->reject(a->ctx, place, ENT_NO_COLUMN, why);
		return ENT_OK;
	}
	ent_order o = {.h = {.place = place, .key = key, .has = ENT_HAS_GROSS | ENT_HAS_TOTAL},
		.at = instant(at),
		.gross = total,
		.total = total,
		.flags = ENT_ORDER_LINES_COMPLETE};
	memcpy(o.currency, a->currency, sizeof o.currency);
	ent_status e = a->host->push(a->ctx, ENT_ORDER, &o, sizeof o, 1);
	for (size_t i = 0; i < a->n_products && !e; i++) {
		product *p = &a->products[i];
		char number[24];
		int n = snprintf(number, sizeof number, "%zu", i + 1);
		ent_line l = {.h = {.place = place, .key = {number, (size_t)n}}, .order_key = key};
		l.sku = text_given(p->name);
		l.category = text_given(p->category);
		if (text_utf8(a, &l.sku) || text_utf8(a, &l.category)) {
			a->host->reject(
				a->ctx, place, ENT_NO_COLUMN, "a product's name is not UTF-8; set encoding: latin1, or leave it out");
			return ENT_OK;
		}
		/* the price is that of the line, whatever the quantity */
		if (p->price.n && !text_money(a->host, p->price, &l.gross)) {
			l.net = l.gross;
			l.h.has |= ENT_HAS_GROSS | ENT_HAS_NET;
		}
		if (p->quantity.n && !text_quantity(a->host, p->quantity, &l.quantity))
			l.h.has |= ENT_HAS_QUANTITY;
		e = a->host->push(a->ctx, ENT_LINE, &l, sizeof l, 1);
	}
	return e;
}

/* Number of the purchase; where nobody gave it one, of the hit. 0, or -1: too long. */
static int order_key(const adobe *a, ent_str visit_key, int64_t at, char out[KEY_MAX + 1], ent_str *key) {
	const ent_str *c = a->cell;
	int n;
	if (c[C_PURCHASE_ID].n)
		n = snprintf(
			out, KEY_MAX + 1, "%.*s", c[C_PURCHASE_ID].n > 1000 ? 1000 : (int)c[C_PURCHASE_ID].n, c[C_PURCHASE_ID].p);
	else if (c[C_HITID_HIGH].n && c[C_HITID_HIGH].n < 30 && c[C_HITID_LOW].n < 30)
		n = snprintf(out, KEY_MAX + 1, "hit/%.*s/%.*s", (int)c[C_HITID_HIGH].n, c[C_HITID_HIGH].p,
			(int)c[C_HITID_LOW].n, c[C_HITID_LOW].p);
	else
		n = snprintf(out, KEY_MAX + 1, "%.*s/%lld", (int)visit_key.n, visit_key.p, (long long)(at / 1000000));
	*key = (ent_str){out, (size_t)n};
	return n > 0 && n <= KEY_MAX ? 0 : -1;
}

static ent_status cart_step(
	adobe *a, uint64_t place, ent_str key, int64_t at, ent_id visitor, uint32_t events, ent_str bought) {
	int opens = (events & (1u << E_CART_OPEN | 1u << E_CART_ADD)) != 0;
	if (!opens && !bought.n && !(events & (1u << E_CHECKOUT | 1u << E_CART_REMOVE)))
		return ENT_OK;
	cart *x = carts_get(&a->carts, key, place);
	if (!x)
		return ENT_ENOMEM;
	x->visitor = visitor;
	if (opens && at < x->first) {
		x->first = at;
		x->place = place;
	}
	x->last = at > x->last ? at : x->last;
	x->checkout |= (events & 1u << E_CHECKOUT) != 0;
	if (events & (1u << E_CART_ADD | 1u << E_CART_REMOVE)) {
		const char *why = NULL;
		int add = (events & 1u << E_CART_ADD) != 0;
		if (products_cut(a, a->cell[C_PRODUCTS], &why)) {
			a->n_products = 0; /* a list that does not come apart is told where it is bought */
			if (!why)
				return ENT_ENOMEM;
		}
		for (size_t i = 0; i < a->n_products; i++)
			carts_content(x, a->products[i].name, add ? 1 : -1);
		x->items += add ? (uint32_t)a->n_products : 0;
	}
	return bought.n && carts_order(&a->carts, x, bought) ? ENT_ENOMEM : ENT_OK;
}

static const char *left_out(const adobe *a) {
	const ent_str *c = a->cell;
	if (!is_zero(c[C_EXCLUDE]))
		return "a hit that Adobe excluded";
	if (c[C_HIT_SOURCE].n == 1 && strchr("5789", c[C_HIT_SOURCE].p[0]))
		return "a hit of a data source, not of a visitor";
	if (!is_zero(c[C_PERSPECTIVE]))
		return "a hit from the background of an app";
	if (is_zero(c[C_HIGH]) && is_zero(c[C_LOW]))
		return "a hit without a visitor";
	return NULL;
}

ent_status hit(adobe *a, uint64_t place) {
	ent_str *c = a->cell;
	const char *why = left_out(a);
	char text[KEY_MAX + 1], bought_text[KEY_MAX + 1];
	int64_t at;
	if (why) {
		a->host->skip(a->ctx, place, why);
		return ENT_OK;
	}
	if (seconds(c[C_HIT_TIME], &at)) {
		a->host->reject(a->ctx, place, ENT_NO_COLUMN, "hit_time_gmt is no time in seconds");
		return ENT_OK;
	}
	int n = snprintf(text, sizeof text, "%.*s/%.*s/%.*s/%.*s", c[C_HIGH].n > 60 ? 60 : (int)c[C_HIGH].n, c[C_HIGH].p,
		c[C_LOW].n > 60 ? 60 : (int)c[C_LOW].n, c[C_LOW].p, c[C_VISIT_NUM].n > 30 ? 30 : (int)c[C_VISIT_NUM].n,
		c[C_VISIT_NUM].p, c[C_VISIT_START].n > 30 ? 30 : (int)c[C_VISIT_START].n, c[C_VISIT_START].p);
	ent_str key = {text, (size_t)n}, bought = {NULL, 0};
	ent_id visitor = a->host->identity(a->ctx, ENT_ID_COOKIE,
		(ent_str){text, c[C_HIGH].n + 1 + c[C_LOW].n < (size_t)n ? c[C_HIGH].n + 1 + c[C_LOW].n : (size_t)n});
	uint32_t events = events_of(c[C_EVENTS]);
	if (events & 1u << E_PURCHASE) {
		if (!is_zero(c[C_DUPLICATE])) {
			events &= ~(1u << E_PURCHASE); /* the page was loaded again */
		} else if (order_key(a, key, at, bought_text, &bought) || text_utf8(a, &bought)) {
			a->host->reject(a->ctx, place, ENT_NO_COLUMN, "purchaseid is longer than 255 bytes, or not UTF-8");
			return ENT_OK;
		}
	}
	saw_day(a);
	ent_status e = visit(a, place, key, at, visitor, events);
	if (!e)
		e = cart_step(a, place, key, at, visitor, events, bought);
	return !e && bought.n ? order(a, place, bought, at) : e;
}
