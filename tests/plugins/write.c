/* SPDX-License-Identifier: Apache-2.0
 *
 * See write.h.
 */
#include "write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void host_text_add(host_text *t, const char *p, size_t n) {
	if (t->n + n + 1 > t->room) {
		t->room = (t->n + n + 1) * 2;
		t->p = realloc(t->p, t->room);
		if (!t->p)
			abort();
	}
	if (n)
		memcpy(t->p + t->n, p, n);
	t->p[t->n += n] = 0;
}

void host_text_free(host_text *t) {
	free(t->p);
	*t = (host_text){0};
}

static void name_of(host_text *t, const char *name) {
	if (t->n && t->p[t->n - 1] != '{')
		host_text_add(t, ",", 1);
	host_text_add(t, "\"", 1);
	host_text_add(t, name, strlen(name));
	host_text_add(t, "\":", 2);
}

static void quoted(host_text *t, ent_str s) {
	char b[8];
	host_text_add(t, "\"", 1);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\')
			host_text_add(t, "\\", 1);
		if (c < 0x20)
			host_text_add(t, b, (size_t)snprintf(b, sizeof b, "\\u%04x", c));
		else
			host_text_add(t, s.p + i, 1);
	}
	host_text_add(t, "\"", 1);
}

void write_string(host_text *t, const char *name, ent_str s) {
	if (!s.p)
		return;
	name_of(t, name);
	quoted(t, s);
}

static void text(host_text *t, const char *name, const char *s) { write_string(t, name, (ent_str){s, strlen(s)}); }

void write_number(host_text *t, const char *name, int64_t v) {
	char b[24];
	name_of(t, name);
	host_text_add(t, b, (size_t)snprintf(b, sizeof b, "%lld", (long long)v));
}

static void civil_of(int64_t day, int *y, int *m, int *d) {
	int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

void write_time(host_text *t, const char *name, ent_time v) {
	char b[80];
	int y, m, d;
	if (v.kind == ENT_TIME_NONE)
		return;
	if (v.kind == ENT_TIME_MONTH) {
		snprintf(b, sizeof b, "%04d-%02d", (int)(1970 + v.v / 12), (int)(v.v % 12 + 1));
	} else if (v.kind == ENT_TIME_DATE) {
		civil_of(v.v, &y, &m, &d);
		snprintf(b, sizeof b, "%04d-%02d-%02d", y, m, d);
	} else {
		int64_t us =
			v.v + (v.kind == ENT_TIME_INSTANT && v.offset_min != ENT_NO_OFFSET ? v.offset_min * 60000000LL : 0);
		int64_t day = us / 86400000000LL - (us % 86400000000LL < 0);
		int64_t in = us - day * 86400000000LL;
		civil_of(day, &y, &m, &d);
		int n = snprintf(b, sizeof b, "%04d-%02d-%02dT%02d:%02d:%02d", y, m, d, (int)(in / 3600000000LL),
			(int)(in / 60000000 % 60), (int)(in / 1000000 % 60));
		if (in % 1000000)
			n += snprintf(b + n, sizeof b - (size_t)n, ".%06d", (int)(in % 1000000));
		if (v.kind == ENT_TIME_INSTANT) {
			int o = v.offset_min == ENT_NO_OFFSET ? 0 : v.offset_min;
			snprintf(b + n, sizeof b - (size_t)n, "%c%02d:%02d", o < 0 ? '-' : '+', abs(o) / 60, abs(o) % 60);
		}
	}
	text(t, name, b);
}

static void identity(host_text *t, const char *name, ent_id id) {
	static const ent_id none;
	char b[33];
	if (!memcmp(&id, &none, sizeof id))
		return;
	for (int i = 0; i < 16; i++)
		snprintf(b + 2 * i, 3, "%02x", id.b[i]);
	text(t, name, b);
}

static void code(host_text *t, const char *name, const char currency[4]) {
	if (currency[0])
		text(t, name, currency);
}

#define S(f) write_string(t, #f, x->f)
#define T(f) write_time(t, #f, x->f)
#define I(f) identity(t, #f, x->f)
#define N(f) write_number(t, #f, (int64_t)x->f)
#define P(f)                                                                                                           \
	if (x->f)                                                                                                          \
	N(f)
#define H(f, bit)                                                                                                      \
	if (x->h.has & (bit))                                                                                              \
	N(f)

static void head(host_text *t, const char *fact, const ent_head *x) {
	text(t, "fact", fact);
	N(place);
	S(partner);
	S(key);
	T(version);
	P(op);
}

static void order(host_text *t, const ent_order *x) {
	T(at), T(paid_at), T(cancelled_at), T(shipped_at), T(promised_at), T(delivered_at);
	code(t, "currency", x->currency);
	N(status);
	H(tax_included, ENT_HAS_TAX_INCLUDED);
	P(flags);
	H(gross, ENT_HAS_GROSS);
	H(discount, ENT_HAS_DISCOUNT);
	H(shipping, ENT_HAS_SHIPPING);
	H(tax, ENT_HAS_TAX);
	H(total, ENT_HAS_TOTAL);
	H(refunded, ENT_HAS_REFUNDED);
	H(due, ENT_HAS_DUE);
	I(customer), I(agent);
	S(channel), S(country), S(region), S(campaign), S(payment), S(customer_kind);
}

static void line(host_text *t, const ent_line *x) {
	S(order_key), S(parent_key), S(sku), S(product), S(name), S(category), S(vendor);
	code(t, "currency", x->currency);
	H(quantity, ENT_HAS_QUANTITY);
	H(unit_price, ENT_HAS_UNIT_PRICE);
	H(gross, ENT_HAS_GROSS);
	H(discount, ENT_HAS_DISCOUNT);
	H(net, ENT_HAS_NET);
	H(shipping, ENT_HAS_SHIPPING);
	H(tax, ENT_HAS_TAX);
	H(cost, ENT_HAS_COST);
}

static void visit(host_text *t, const ent_visit *x) {
	T(at), T(until), T(day);
	I(visitor);
	P(consent);
	H(engaged, ENT_HAS_ENGAGED);
	H(is_new, ENT_HAS_NEW);
	P(steps);
	P(pageviews);
	P(purchases);
	H(load_ms, ENT_HAS_LOAD);
	H(loads, ENT_HAS_LOAD);
	P(engaged_us);
	S(channel), S(source), S(campaign), S(country), S(device), S(landing);
}

static void entry(host_text *t, const ent_entry *x) {
	S(reg), S(id), S(state), S(actor);
	T(effective);
	name_of(t, "values");
	host_text_add(t, "{", 1);
	for (uint32_t i = 0; i < x->n; i++) {
		if (i)
			host_text_add(t, ",", 1);
		quoted(t, x->names[i]);
		host_text_add(t, ":", 1);
		quoted(t, x->values[i]);
	}
	host_text_add(t, "}", 1);
}

void write_fact(host_text *t, ent_fact kind, const void *fact) {
	static const char *const names[ENT_FACT_COUNT] = {
		"", "order", "line", "refund", "cart", "visit", "touch", "contact", "observation", "entry"};
	host_text_add(t, "{", 1);
	head(t, names[kind], fact);
	if (kind == ENT_ORDER) {
		order(t, fact);
	} else if (kind == ENT_LINE) {
		line(t, fact);
	} else if (kind == ENT_REFUND) {
		const ent_refund *x = fact;
		S(order_key), S(line_key), S(reason);
		T(at);
		code(t, "currency", x->currency);
		P(kind);
		H(amount, ENT_HAS_AMOUNT);
		H(quantity, ENT_HAS_QUANTITY);
	} else if (kind == ENT_CART) {
		const ent_cart *x = fact;
		T(started_at), T(updated_at), T(recovered_at);
		I(visitor);
		S(order_key), S(step), S(content_hash), S(channel);
		code(t, "currency", x->currency);
		H(value, ENT_HAS_VALUE);
		H(items, ENT_HAS_ITEMS);
	} else if (kind == ENT_VISIT) {
		visit(t, fact);
	} else if (kind == ENT_CONTACT) {
		const ent_contact *x = fact;
		T(at), T(answered_at);
		S(kind), S(with), S(subject);
		H(held, ENT_HAS_HELD);
		P(direction);
		H(minutes, ENT_HAS_MINUTES);
	} else if (kind == ENT_OBSERVATION) {
		const ent_observation *x = fact;
		T(from), T(to);
		S(metric), S(dims), S(unit), S(who);
		code(t, "currency", x->currency);
		N(origin);
		P(scale);
		if (x->grade)
			write_string(t, "grade", (ent_str){&x->grade, 1});
		P(additive);
		H(value, ENT_HAS_VALUE);
	} else if (kind == ENT_ENTRY) {
		entry(t, fact);
	}
	host_text_add(t, "}\n", 2);
}
