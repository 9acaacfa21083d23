/* SPDX-License-Identifier: Apache-2.0
 *
 * See fields.h. The golden files' form: one JSON object a line, members in the order of the tables, absent ones left
 * out, times as they were written, amounts as whole numbers. */
#include "conform/fields.h"

#include "base/day.h"
#include "decode/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(type, field) offsetof(type, field), sizeof(((type *)0)->field)
#define TEXT(t, f)                                                                                                     \
	{ #f, ENT__TEXT, AT(t, f), 0, false }
#define TIME(t, f)                                                                                                     \
	{ #f, ENT__TIME, AT(t, f), 0, false }
#define WHO(t, f)                                                                                                      \
	{ #f, ENT__IDENTITY, AT(t, f), 0, false }
#define CODE(t)                                                                                                        \
	{ "currency", ENT__CURRENCY, AT(t, currency), 0, false }
#define MONEY(t, f, bit)                                                                                               \
	{ #f, ENT__MONEY, AT(t, f), bit, false }
#define QUANTITY(t, f, bit)                                                                                            \
	{ #f, ENT__QUANTITY, AT(t, f), bit, false }
#define BYTE(t, f, bit)                                                                                                \
	{ #f, ENT__BYTE, AT(t, f), bit, false }
#define COUNT(t, f, bit)                                                                                               \
	{ #f, ENT__COUNT, AT(t, f), bit, false }
#define RESERVED(t, f)                                                                                                 \
	{ #f, ENT__RESERVED, AT(t, f), 0, false }

const ent__member ent__head_members[] = {
	TEXT(ent_head, partner),
	TEXT(ent_head, key),
	TIME(ent_head, version),
	BYTE(ent_head, op, 0),
	RESERVED(ent_head, reserved),
	{0},
};

static const ent__member order[] = {
	TIME(ent_order, at),
	TIME(ent_order, paid_at),
	TIME(ent_order, cancelled_at),
	TIME(ent_order, shipped_at),
	TIME(ent_order, promised_at),
	TIME(ent_order, delivered_at),
	CODE(ent_order),
	{"status", ENT__BYTE, AT(ent_order, status), 0, true},
	BYTE(ent_order, tax_included, ENT_HAS_TAX_INCLUDED),
	BYTE(ent_order, flags, 0),
	MONEY(ent_order, gross, ENT_HAS_GROSS),
	MONEY(ent_order, discount, ENT_HAS_DISCOUNT),
	MONEY(ent_order, shipping, ENT_HAS_SHIPPING),
	MONEY(ent_order, tax, ENT_HAS_TAX),
	MONEY(ent_order, total, ENT_HAS_TOTAL),
	MONEY(ent_order, refunded, ENT_HAS_REFUNDED),
	MONEY(ent_order, due, ENT_HAS_DUE),
	WHO(ent_order, customer),
	WHO(ent_order, agent),
	TEXT(ent_order, channel),
	TEXT(ent_order, country),
	TEXT(ent_order, region),
	TEXT(ent_order, campaign),
	TEXT(ent_order, payment),
	TEXT(ent_order, customer_kind),
	RESERVED(ent_order, reserved),
	{0},
};

static const ent__member line[] = {
	TEXT(ent_line, order_key),
	TEXT(ent_line, parent_key),
	TEXT(ent_line, sku),
	TEXT(ent_line, product),
	TEXT(ent_line, name),
	TEXT(ent_line, category),
	TEXT(ent_line, vendor),
	CODE(ent_line),
	QUANTITY(ent_line, quantity, ENT_HAS_QUANTITY),
	MONEY(ent_line, unit_price, ENT_HAS_UNIT_PRICE),
	MONEY(ent_line, gross, ENT_HAS_GROSS),
	MONEY(ent_line, discount, ENT_HAS_DISCOUNT),
	MONEY(ent_line, net, ENT_HAS_NET),
	MONEY(ent_line, shipping, ENT_HAS_SHIPPING),
	MONEY(ent_line, tax, ENT_HAS_TAX),
	MONEY(ent_line, cost, ENT_HAS_COST),
	RESERVED(ent_line, reserved),
	{0},
};

static const ent__member refund[] = {
	TEXT(ent_refund, order_key),
	TEXT(ent_refund, line_key),
	TEXT(ent_refund, reason),
	TIME(ent_refund, at),
	CODE(ent_refund),
	BYTE(ent_refund, kind, 0),
	MONEY(ent_refund, amount, ENT_HAS_AMOUNT),
	QUANTITY(ent_refund, quantity, ENT_HAS_QUANTITY),
	RESERVED(ent_refund, reserved),
	{0},
};

static const ent__member cart[] = {
	TIME(ent_cart, started_at),
	TIME(ent_cart, updated_at),
	TIME(ent_cart, recovered_at),
	WHO(ent_cart, visitor),
	TEXT(ent_cart, order_key),
	TEXT(ent_cart, step),
	TEXT(ent_cart, content_hash),
	TEXT(ent_cart, channel),
	CODE(ent_cart),
	MONEY(ent_cart, value, ENT_HAS_VALUE),
	COUNT(ent_cart, items, ENT_HAS_ITEMS),
	RESERVED(ent_cart, reserved),
	RESERVED(ent_cart, reserved2),
	{0},
};

static const ent__member visit[] = {
	TIME(ent_visit, at),
	TIME(ent_visit, until),
	TIME(ent_visit, day),
	WHO(ent_visit, visitor),
	BYTE(ent_visit, consent, 0),
	BYTE(ent_visit, engaged, ENT_HAS_ENGAGED),
	BYTE(ent_visit, is_new, ENT_HAS_NEW),
	COUNT(ent_visit, steps, 0),
	COUNT(ent_visit, pageviews, 0),
	COUNT(ent_visit, purchases, 0),
	COUNT(ent_visit, load_ms, ENT_HAS_LOAD),
	COUNT(ent_visit, loads, ENT_HAS_LOAD),
	QUANTITY(ent_visit, engaged_us, 0),
	TEXT(ent_visit, channel),
	TEXT(ent_visit, source),
	TEXT(ent_visit, campaign),
	TEXT(ent_visit, country),
	TEXT(ent_visit, device),
	TEXT(ent_visit, landing),
	RESERVED(ent_visit, reserved),
	{0},
};

static const ent__member touch[] = {
	TIME(ent_touch, at),
	WHO(ent_touch, visitor),
	TEXT(ent_touch, order_key),
	TEXT(ent_touch, channel),
	TEXT(ent_touch, source),
	TEXT(ent_touch, campaign),
	CODE(ent_touch),
	MONEY(ent_touch, cost, ENT_HAS_COST),
	RESERVED(ent_touch, reserved),
	{0},
};

static const ent__member contact[] = {
	TIME(ent_contact, at),
	TIME(ent_contact, answered_at),
	TEXT(ent_contact, kind),
	TEXT(ent_contact, with),
	TEXT(ent_contact, subject),
	BYTE(ent_contact, held, ENT_HAS_HELD),
	BYTE(ent_contact, direction, 0),
	COUNT(ent_contact, minutes, ENT_HAS_MINUTES),
	RESERVED(ent_contact, reserved),
	{0},
};

static const ent__member observation[] = {
	TIME(ent_observation, from),
	TIME(ent_observation, to),
	TEXT(ent_observation, metric),
	TEXT(ent_observation, dims),
	TEXT(ent_observation, unit),
	TEXT(ent_observation, who),
	CODE(ent_observation),
	{"origin", ENT__BYTE, AT(ent_observation, origin), 0, true},
	BYTE(ent_observation, scale, 0),
	{"grade", ENT__LETTER, AT(ent_observation, grade), 0, false},
	BYTE(ent_observation, additive, 0),
	QUANTITY(ent_observation, value, ENT_HAS_VALUE),
	{0},
};

static const ent__member entry[] = {
	TEXT(ent_entry, reg),
	TEXT(ent_entry, id),
	TEXT(ent_entry, state),
	TEXT(ent_entry, actor),
	TIME(ent_entry, effective),
	RESERVED(ent_entry, reserved),
	{0},
};

static const struct {
	const char *name;
	const ent__member *members;
} kinds[ENT_FACT_COUNT] = {
	[ENT_ORDER] = {"order", order},
	[ENT_LINE] = {"line", line},
	[ENT_REFUND] = {"refund", refund},
	[ENT_CART] = {"cart", cart},
	[ENT_VISIT] = {"visit", visit},
	[ENT_TOUCH] = {"touch", touch},
	[ENT_CONTACT] = {"contact", contact},
	[ENT_OBSERVATION] = {"observation", observation},
	[ENT_ENTRY] = {"entry", entry},
};

static bool known(ent_fact kind) { return kind > 0 && kind < ENT_FACT_COUNT; }

const ent__member *ent__members(ent_fact kind) { return known(kind) ? kinds[kind].members : NULL; }

const char *ent__kind_name(ent_fact kind) { return known(kind) ? kinds[kind].name : "?"; }

/* ---- one member -------------------------------------------------------------------------------------------------- */

int64_t ent__member_number(const ent__member *m, const void *fact) {
	const void *p = ent__member_at(m, fact);
	switch (m->type) {
	case ENT__MONEY:
	case ENT__QUANTITY:
		return *(const int64_t *)p;
	case ENT__COUNT:
		return *(const uint32_t *)p;
	case ENT__BYTE:
		return *(const uint8_t *)p;
	case ENT__LETTER:
		return *(const char *)p;
	default:
		return 0;
	}
}

bool ent__member_there(const ent__member *m, const void *fact) {
	static const ent_id nobody;
	const void *p = ent__member_at(m, fact);
	if (m->has) {
		return ((const ent_head *)fact)->has & m->has;
	}
	switch (m->type) {
	case ENT__TEXT:
		return ((const ent_str *)p)->p != NULL;
	case ENT__TIME:
		return ((const ent_time *)p)->kind != ENT_TIME_NONE;
	case ENT__IDENTITY:
		return memcmp(p, &nobody, sizeof nobody) != 0;
	case ENT__CURRENCY:
		return *(const char *)p != 0;
	case ENT__RESERVED:
		return false;
	default:
		return m->always || ent__member_number(m, fact) != 0;
	}
}

static bool text_good(ent_str s) {
	bool cut, nul = false;
	return !s.n || !s.p || (!memchr(s.p, 0, s.n) && ent_utf8_check(s.p, s.n, &cut, &nul) == s.n);
}

bool ent__fact_texts_good(ent_fact kind, const void *fact) {
	const ent__member *tables[] = {ent__head_members, ent__members(kind)};
	for (int i = 0; i < 2; i++) {
		for (const ent__member *m = tables[i]; m && m->name; m++) {
			if (m->type == ENT__TEXT && !text_good(*(const ent_str *)ent__member_at(m, fact))) {
				return false;
			}
		}
	}
	const ent_entry *e = fact;
	for (uint32_t i = 0; kind == ENT_ENTRY && e->names && e->values && i < e->n; i++) {
		if (!text_good(e->names[i]) || !text_good(e->values[i])) {
			return false;
		}
	}
	return true;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void quoted(ent_buf *b, ent_str s) {
	ent_buf_u8(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\') {
			ent_buf_u8(b, '\\');
		}
		if (c < 0x20) {
			ent_buf_printf(b, "\\u%04x", c);
		} else {
			ent_buf_u8(b, c);
		}
	}
	ent_buf_u8(b, '"');
}

static void name_of(ent_buf *b, const char *name) {
	if (b->n && b->data[b->n - 1] != '{') {
		ent_buf_u8(b, ',');
	}
	ent_buf_printf(b, "\"%s\":", name);
}

void ent__write_text(ent_buf *b, const char *name, ent_str s) {
	if (s.p) {
		name_of(b, name);
		quoted(b, s);
	}
}

void ent__write_number(ent_buf *b, const char *name, int64_t v) {
	name_of(b, name);
	ent_buf_printf(b, "%lld", (long long)v);
}

static size_t day_text(int64_t day, char *out, size_t size) {
	int y;
	unsigned m, d;
	if (day < -1000000 || day > 1000000) { /* no date: what it is shows that it is wrong */
		return (size_t)snprintf(out, size, "day %lld", (long long)day);
	}
	ent_day_civil((int32_t)day, &y, &m, &d);
	return (size_t)snprintf(out, size, "%04d-%02u-%02u", y, m, d);
}

void ent__write_time(ent_buf *b, const char *name, ent_time t) {
	char text[96];
	size_t n;
	if (t.kind == ENT_TIME_NONE) {
		return;
	}
	if (t.kind == ENT_TIME_MONTH) {
		int64_t year = t.v / 12 - (t.v % 12 < 0);
		n = (size_t)snprintf(text, sizeof text, "%04lld-%02d", (long long)(1970 + year), (int)(t.v - 12 * year + 1));
	} else if (t.kind == ENT_TIME_DATE) {
		n = day_text(t.v, text, sizeof text);
	} else {
		bool instant = t.kind == ENT_TIME_INSTANT;
		int offset = instant && t.offset_min != ENT_NO_OFFSET ? t.offset_min : 0;
		int64_t us = (int64_t)((uint64_t)t.v + (uint64_t)(offset * INT64_C(60000000)));
		int64_t day = us / INT64_C(86400000000) - (us % INT64_C(86400000000) < 0), in = us - day * INT64_C(86400000000);
		n = day_text(day, text, sizeof text);
		n += (size_t)snprintf(text + n, sizeof text - n, "T%02d:%02d:%02d", (int)(in / INT64_C(3600000000)),
			(int)(in / 60000000 % 60), (int)(in / 1000000 % 60));
		if (in % 1000000) {
			n += (size_t)snprintf(text + n, sizeof text - n, ".%06d", (int)(in % 1000000));
		}
		if (instant) {
			n += (size_t)snprintf(
				text + n, sizeof text - n, "%c%02d:%02d", offset < 0 ? '-' : '+', abs(offset) / 60, abs(offset) % 60);
		}
	}
	ent__write_text(b, name, (ent_str){text, n});
}

static void write_member(ent_buf *b, const ent__member *m, const void *fact) {
	const void *p = ent__member_at(m, fact);
	if (!ent__member_there(m, fact)) {
		return;
	}
	switch (m->type) {
	case ENT__TEXT:
		ent__write_text(b, m->name, *(const ent_str *)p);
		break;
	case ENT__TIME:
		ent__write_time(b, m->name, *(const ent_time *)p);
		break;
	case ENT__IDENTITY: {
		char text[33];
		for (int i = 0; i < 16; i++) {
			snprintf(text + 2 * i, 3, "%02x", ((const ent_id *)p)->b[i]);
		}
		ent__write_text(b, m->name, (ent_str){text, 32});
		break;
	}
	case ENT__CURRENCY:
		ent__write_text(b, m->name, (ent_str){p, strnlen(p, 4)});
		break;
	case ENT__LETTER:
		ent__write_text(b, m->name, (ent_str){p, 1});
		break;
	case ENT__RESERVED:
		break;
	default:
		ent__write_number(b, m->name, ent__member_number(m, fact));
	}
}

void ent__fact_write(ent_buf *out, ent_fact kind, const void *fact) {
	const ent_head *h = fact;
	ent_buf b = {0};
	ent_buf_u8(&b, '{');
	ent__write_text(&b, "fact", (ent_str){ent__kind_name(kind), strlen(ent__kind_name(kind))});
	ent__write_number(&b, "place", (int64_t)h->place);
	for (const ent__member *m = ent__head_members; m->name; m++) {
		write_member(&b, m, fact);
	}
	for (const ent__member *m = ent__members(kind); m && m->name; m++) {
		write_member(&b, m, fact);
	}
	if (kind == ENT_ENTRY) {
		const ent_entry *e = fact;
		name_of(&b, "values");
		ent_buf_u8(&b, '{');
		for (uint32_t i = 0; e->names && e->values && i < e->n; i++) {
			if (i) {
				ent_buf_u8(&b, ',');
			}
			quoted(&b, e->names[i]);
			ent_buf_u8(&b, ':');
			quoted(&b, e->values[i]);
		}
		ent_buf_u8(&b, '}');
	}
	ent_buf_printf(&b, "}\n");
	ent_buf_add(out, b.data, b.n);
	ent_buf_finish(&b);
}
