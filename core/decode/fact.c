/* SPDX-License-Identifier: Apache-2.0
 *
 * What a fact must hold to be taken, and its body in the layout of facts/wire.h together with the canonical form that
 * its content hash is taken of: hashes of its texts, its identities, and the plain part of its stored form. Fields whose `has` bit is clear are written as zero, so that what a plugin leaves in
 * them makes no difference. One thread. */
#include "decode/worker.h"

#include <string.h>

#define ENTRY_FIELDS_MAX 64u /* names and values in an ent__body */

static const struct {
	size_t bytes;
	uint64_t has;
} kinds[ENT_FACT_COUNT] = {
	[ENT_ORDER] = {sizeof(ent_order), ENT_HAS_GROSS | ENT_HAS_DISCOUNT | ENT_HAS_SHIPPING | ENT_HAS_TAX |
										  ENT_HAS_TOTAL | ENT_HAS_REFUNDED | ENT_HAS_DUE | ENT_HAS_TAX_INCLUDED},
	[ENT_LINE] = {sizeof(ent_line), ENT_HAS_QUANTITY | ENT_HAS_UNIT_PRICE | ENT_HAS_GROSS | ENT_HAS_DISCOUNT |
										ENT_HAS_NET | ENT_HAS_SHIPPING | ENT_HAS_TAX | ENT_HAS_COST},
	[ENT_REFUND] = {sizeof(ent_refund), ENT_HAS_AMOUNT | ENT_HAS_QUANTITY},
	[ENT_CART] = {sizeof(ent_cart), ENT_HAS_VALUE | ENT_HAS_ITEMS},
	[ENT_VISIT] = {sizeof(ent_visit), ENT_HAS_LOAD | ENT_HAS_NEW | ENT_HAS_ENGAGED},
	[ENT_TOUCH] = {sizeof(ent_touch), ENT_HAS_COST},
	[ENT_CONTACT] = {sizeof(ent_contact), ENT_HAS_MINUTES | ENT_HAS_HELD},
	[ENT_OBSERVATION] = {sizeof(ent_observation), ENT_HAS_VALUE},
	[ENT_ENTRY] = {sizeof(ent_entry), 0},
};

size_t ent__fact_size(ent_fact kind) { return kind > 0 && kind < ENT_FACT_COUNT ? kinds[kind].bytes : 0; }

/* ---- checks ---- */

static bool currency_ok(const char c[4], bool required) {
	if (!c[0]) {
		return !required;
	}
	for (int i = 0; i < 3; i++) {
		if (c[i] < 'A' || c[i] > 'Z') {
			return false;
		}
	}
	return !c[3];
}

bool ent__time_ok(ent_time t, bool required) {
	switch (t.kind) {
	case ENT_TIME_NONE:
		return !required;
	case ENT_TIME_INSTANT:
	case ENT_TIME_LOCAL:
		return t.v > -(INT64_C(1) << 52) && t.v < INT64_C(1) << 52 &&
			   (t.offset_min == ENT_NO_OFFSET || (t.offset_min >= -1080 && t.offset_min <= 1080));
	case ENT_TIME_DATE:
		return t.v > -52000 && t.v < 52000;
	case ENT_TIME_MONTH:
		return t.v > -1700 && t.v < 1700;
	default:
		return false;
	}
}

/* Most times of a fact are absent. */
static inline bool absent_or_ok(ent_time t) { return t.kind == ENT_TIME_NONE || ent__time_ok(t, false); }

#define BAD_CURRENCY "the currency is not three letters A-Z"
#define BAD_TIME "a time is missing its kind or lies outside 1828 to 2112"
#define BAD_CODE "a field holds a code that is not one of its kind"

static const char *check_order(const ent_order *o) {
	if (!currency_ok(o->currency, true)) {
		return o->currency[0] ? BAD_CURRENCY : "an order without a currency";
	}
	if (o->at.kind == ENT_TIME_NONE) {
		return "an order without the time when it was placed";
	}
	if (!ent__time_ok(o->at, true) || !absent_or_ok(o->paid_at) || !absent_or_ok(o->cancelled_at) ||
		!absent_or_ok(o->shipped_at) || !absent_or_ok(o->promised_at) || !absent_or_ok(o->delivered_at)) {
		return BAD_TIME;
	}
	return o->status > ENT_ORDER_TEST || o->tax_included > 1 ? BAD_CODE : NULL;
}

static const char *check_order_key(ent_str key, const char *currency) {
	if (!key.n) {
		return "a line or refund without the key of its order";
	}
	if (key.n > ENT_KEY_MAX) {
		return "the key of the order is longer than 255 bytes";
	}
	return currency_ok(currency, false) ? NULL : BAD_CURRENCY;
}

const char *ent__fact_check(ent_fact kind, const void *fact) {
	const ent_head *h = fact;
	if (!h->key.n || !h->key.p) {
		return "a fact without a key";
	}
	if (h->key.n > ENT_KEY_MAX) {
		return "the key is longer than 255 bytes";
	}
	if (h->op > ENT_RETRACT) {
		return BAD_CODE;
	}
	if (!absent_or_ok(h->version)) {
		return BAD_TIME;
	}
	if (kind == ENT_LINE) {
		const ent_line *l = fact;
		return check_order_key(l->order_key, l->currency);
	}
	if (kind == ENT_REFUND) {
		const ent_refund *r = fact;
		const char *why = check_order_key(r->order_key, r->currency);
		return why ? why : !ent__time_ok(r->at, false) ? BAD_TIME : r->kind > ENT_REFUND_ADJUSTMENT ? BAD_CODE : NULL;
	}
	if (h->op == ENT_RETRACT) { /* only head and times are read */
		return NULL;
	}
	switch (kind) {
	case ENT_ORDER:
		return check_order(fact);
	case ENT_CART: {
		const ent_cart *c = fact;
		return !ent__time_ok(c->started_at, true) || !ent__time_ok(c->updated_at, false) ||
					   !ent__time_ok(c->recovered_at, false)
				   ? BAD_TIME
			   : !currency_ok(c->currency, false) ? BAD_CURRENCY
												  : NULL;
	}
	case ENT_VISIT: {
		const ent_visit *v = fact;
		return !ent__time_ok(v->at, true) || !ent__time_ok(v->until, false) ||
					   (v->day.kind && v->day.kind != ENT_TIME_DATE) || !ent__time_ok(v->day, false)
				   ? BAD_TIME
			   : v->consent > 2 || v->engaged > 1 || v->is_new > 1 ? BAD_CODE
																   : NULL;
	}
	case ENT_TOUCH: {
		const ent_touch *t = fact;
		return !ent__time_ok(t->at, false) ? BAD_TIME : !currency_ok(t->currency, false) ? BAD_CURRENCY : NULL;
	}
	case ENT_CONTACT: {
		const ent_contact *c = fact;
		return !ent__time_ok(c->at, true) || !ent__time_ok(c->answered_at, false) ? BAD_TIME
			   : c->held > 1 || c->direction > 2                                  ? BAD_CODE
																				  : NULL;
	}
	case ENT_OBSERVATION: {
		const ent_observation *o = fact;
		return !ent__time_ok(o->from, true) || !ent__time_ok(o->to, false) ? BAD_TIME
			   : !currency_ok(o->currency, false)                          ? BAD_CURRENCY
			   : o->origin >= ENT_ORIGIN_COUNT || o->scale > 18 || o->additive > 1 ||
					   (o->grade && (o->grade < 'A' || o->grade > 'F'))
				   ? BAD_CODE
				   : NULL;
	}
	case ENT_ENTRY: {
		const ent_entry *e = fact;
		return !ent__time_ok(e->effective, false) ? BAD_TIME
			   : e->n > ENTRY_FIELDS_MAX || (e->n && (!e->names || !e->values))
				   ? "more than 64 fields in a register entry"
				   : NULL;
	}
	default:
		return NULL;
	}
}

/* ---- bodies ---- */

enum { /* memo numbers: one for each text field */
	M_CHANNEL = 1,
	M_COUNTRY,
	M_REGION,
	M_CAMPAIGN,
	M_PAYMENT,
	M_CUSTOMER_KIND,
	M_PARENT,
	M_SKU,
	M_PRODUCT,
	M_NAME,
	M_CATEGORY,
	M_VENDOR,
	M_LINE,
	M_REASON,
	M_ORDER,
	M_STEP,
	M_CONTENT,
	M_SOURCE,
	M_DEVICE,
	M_LANDING,
	M_KIND,
	M_WITH,
	M_SUBJECT,
	M_METRIC,
	M_DIMS,
	M_UNIT,
	M_WHO,
	M_REG,
	M_ID,
	M_STATE,
	M_ACTOR,
	M_NAMES
};

/* Texts go into the canonical form by value; which of them are there is told by the bitmap of the plain part. */
static inline uint32_t text(ent__batch *b, ent__body *out, unsigned memo, ent_str s) {
	return s.n ? ent__batch_text(b, memo, s, &out->canon[out->canon_n++]) : 0;
}

/* Identities that are there, in the order of the fields. */
static void identity(ent__body *out, const ent_id *id) {
	static const ent_id none;
	if (memcmp(id, &none, sizeof none) != 0) {
		memcpy(&out->canon[out->canon_n], id, sizeof *id);
		out->canon_n += sizeof *id / sizeof *out->canon;
		out->ids[out->n_ids++] = *id;
	}
}

#define IF(bit, value) (has & (bit) ? (value) : 0)

static ent_wire_time packed(ent_time t) {
	if (t.kind == ENT_TIME_NONE) {
		return 0;
	}
	return ent_wire_time_pack(t);
}

static void order(ent__batch *b, const ent_order *o, uint64_t has, ent__body *out) {
	ent_wire_order *w = &out->fields.order;
	w->at = packed(o->at);
	w->paid_at = packed(o->paid_at);
	w->cancelled_at = packed(o->cancelled_at);
	w->shipped_at = packed(o->shipped_at);
	w->promised_at = packed(o->promised_at);
	w->delivered_at = packed(o->delivered_at);
	w->gross = IF(ENT_HAS_GROSS, o->gross);
	w->discount = IF(ENT_HAS_DISCOUNT, o->discount);
	w->shipping = IF(ENT_HAS_SHIPPING, o->shipping);
	w->tax = IF(ENT_HAS_TAX, o->tax);
	w->total = IF(ENT_HAS_TOTAL, o->total);
	w->refunded = IF(ENT_HAS_REFUNDED, o->refunded);
	w->due = IF(ENT_HAS_DUE, o->due);
	w->customer = o->customer;
	w->agent = o->agent;
	memcpy(w->currency, o->currency, sizeof w->currency);
	w->status = o->status;
	w->tax_included = IF(ENT_HAS_TAX_INCLUDED, o->tax_included);
	w->channel = text(b, out, M_CHANNEL, o->channel);
	w->country = text(b, out, M_COUNTRY, o->country);
	w->region = text(b, out, M_REGION, o->region);
	w->campaign = text(b, out, M_CAMPAIGN, o->campaign);
	w->payment = text(b, out, M_PAYMENT, o->payment);
	w->customer_kind = text(b, out, M_CUSTOMER_KIND, o->customer_kind);
	identity(out, &w->customer);
	identity(out, &w->agent);
}

static void line(ent__batch *b, const ent_line *l, uint64_t has, ent__body *out) {
	ent_wire_line *w = &out->fields.line;
	w->quantity = IF(ENT_HAS_QUANTITY, l->quantity);
	w->unit_price = IF(ENT_HAS_UNIT_PRICE, l->unit_price);
	w->gross = IF(ENT_HAS_GROSS, l->gross);
	w->discount = IF(ENT_HAS_DISCOUNT, l->discount);
	w->net = IF(ENT_HAS_NET, l->net);
	w->shipping = IF(ENT_HAS_SHIPPING, l->shipping);
	w->tax = IF(ENT_HAS_TAX, l->tax);
	w->cost = IF(ENT_HAS_COST, l->cost);
	memcpy(w->currency, l->currency, sizeof w->currency);
	w->parent = text(b, out, M_PARENT, l->parent_key);
	w->sku = text(b, out, M_SKU, l->sku);
	w->product = text(b, out, M_PRODUCT, l->product);
	w->name = text(b, out, M_NAME, l->name);
	w->category = text(b, out, M_CATEGORY, l->category);
	w->vendor = text(b, out, M_VENDOR, l->vendor);
}

static void refund(ent__batch *b, const ent_refund *r, uint64_t has, ent__body *out) {
	ent_wire_refund *w = &out->fields.refund;
	*w = (ent_wire_refund){.at = packed(r->at),
		.amount = IF(ENT_HAS_AMOUNT, r->amount),
		.quantity = IF(ENT_HAS_QUANTITY, r->quantity),
		.kind = r->kind};
	memcpy(w->currency, r->currency, 4);
	w->line = text(b, out, M_LINE, r->line_key);
	w->reason = text(b, out, M_REASON, r->reason);
}

static void cart(ent__batch *b, const ent_cart *c, uint64_t has, ent__body *out) {
	ent_wire_cart *w = &out->fields.cart;
	*w = (ent_wire_cart){.started_at = packed(c->started_at),
		.updated_at = packed(c->updated_at),
		.recovered_at = packed(c->recovered_at),
		.visitor = c->visitor,
		.value = IF(ENT_HAS_VALUE, c->value),
		.items = IF(ENT_HAS_ITEMS, c->items)};
	memcpy(w->currency, c->currency, 4);
	w->order_key = text(b, out, M_ORDER, c->order_key);
	w->step = text(b, out, M_STEP, c->step);
	w->content_hash = text(b, out, M_CONTENT, c->content_hash);
	w->channel = text(b, out, M_CHANNEL, c->channel);
	identity(out, &w->visitor);
}

static void visit(ent__batch *b, const ent_visit *v, uint64_t has, ent__body *out) {
	ent_wire_visit *w = &out->fields.visit;
	*w = (ent_wire_visit){.at = packed(v->at),
		.until = packed(v->until),
		.day = packed(v->day),
		.visitor = v->visitor,
		.engaged_us = v->engaged_us,
		.steps = v->steps,
		.pageviews = v->pageviews,
		.purchases = v->purchases,
		.load_ms = IF(ENT_HAS_LOAD, v->load_ms),
		.loads = IF(ENT_HAS_LOAD, v->loads),
		.consent = v->consent,
		.engaged = IF(ENT_HAS_ENGAGED, v->engaged),
		.is_new = IF(ENT_HAS_NEW, v->is_new)};
	w->channel = text(b, out, M_CHANNEL, v->channel);
	w->source = text(b, out, M_SOURCE, v->source);
	w->campaign = text(b, out, M_CAMPAIGN, v->campaign);
	w->country = text(b, out, M_COUNTRY, v->country);
	w->device = text(b, out, M_DEVICE, v->device);
	w->landing = text(b, out, M_LANDING, v->landing);
	identity(out, &w->visitor);
}

static void touch(ent__batch *b, const ent_touch *t, uint64_t has, ent__body *out) {
	ent_wire_touch *w = &out->fields.touch;
	*w = (ent_wire_touch){.at = packed(t->at), .visitor = t->visitor, .cost = IF(ENT_HAS_COST, t->cost)};
	memcpy(w->currency, t->currency, 4);
	w->order_key = text(b, out, M_ORDER, t->order_key);
	w->channel = text(b, out, M_CHANNEL, t->channel);
	w->source = text(b, out, M_SOURCE, t->source);
	w->campaign = text(b, out, M_CAMPAIGN, t->campaign);
	identity(out, &w->visitor);
}

static void contact(ent__batch *b, const ent_contact *c, uint64_t has, ent__body *out) {
	ent_wire_contact *w = &out->fields.contact;
	*w = (ent_wire_contact){.at = packed(c->at),
		.answered_at = packed(c->answered_at),
		.minutes = IF(ENT_HAS_MINUTES, c->minutes),
		.held = IF(ENT_HAS_HELD, c->held),
		.direction = c->direction};
	w->kind = text(b, out, M_KIND, c->kind);
	w->with = text(b, out, M_WITH, c->with);
	w->subject = text(b, out, M_SUBJECT, c->subject);
}

static void observation(ent__batch *b, const ent_observation *o, uint64_t has, ent__body *out) {
	ent_wire_observation *w = &out->fields.observation;
	*w = (ent_wire_observation){.from = packed(o->from),
		.to = packed(o->to),
		.value = IF(ENT_HAS_VALUE, o->value),
		.origin = o->origin,
		.scale = o->scale,
		.grade = (uint8_t)o->grade,
		.additive = o->additive};
	memcpy(w->currency, o->currency, 4);
	w->metric = text(b, out, M_METRIC, o->metric);
	w->dims = text(b, out, M_DIMS, o->dims);
	w->unit = text(b, out, M_UNIT, o->unit);
	w->who = text(b, out, M_WHO, o->who);
}

static void entry(ent__batch *b, const ent_entry *e, ent__body *out) {
	ent_wire_entry *w = &out->fields.entry;
	*w = (ent_wire_entry){.effective = packed(e->effective), .n = e->n};
	w->reg = text(b, out, M_REG, e->reg);
	w->id = text(b, out, M_ID, e->id);
	w->state = text(b, out, M_STATE, e->state);
	w->actor = text(b, out, M_ACTOR, e->actor);
	uint32_t *pairs = out->pairs;
	for (uint32_t i = 0; i < e->n; i++) {
		pairs[2 * i] = text(b, out, M_NAMES, e->names[i]);
		pairs[2 * i + 1] = text(b, out, UINT32_MAX, e->values[i]);
	}
}

_Static_assert(sizeof(((ent__body *)0)->pairs) == ENTRY_FIELDS_MAX * 8, "");
_Static_assert(ENT__CANON_HEAD + 6 + 2 * ENTRY_FIELDS_MAX + 2 * ENT_BODY_IDS <= ENT__CANON_MAX, "");

void ent__fact_body(ent__batch *b, ent_fact kind, const void *fact, ent__body *out) {
	const ent_head *h = fact;
	uint64_t has = h->has & kinds[kind].has;
	out->canon_n = ENT__CANON_HEAD;
	out->n_ids = 0;
	out->plain_n = 0;
	if (h->op == ENT_RETRACT) {
		return;
	}
	switch (kind) {
	case ENT_ORDER:
		order(b, fact, has, out);
		break;
	case ENT_LINE:
		line(b, fact, has, out);
		break;
	case ENT_REFUND:
		refund(b, fact, has, out);
		break;
	case ENT_CART:
		cart(b, fact, has, out);
		break;
	case ENT_VISIT:
		visit(b, fact, has, out);
		break;
	case ENT_TOUCH:
		touch(b, fact, has, out);
		break;
	case ENT_CONTACT:
		contact(b, fact, has, out);
		break;
	case ENT_OBSERVATION:
		observation(b, fact, has, out);
		break;
	default:
		entry(b, fact, out);
	}
	out->plain = (uint8_t *)&out->canon[out->canon_n];
	out->plain_n = (size_t)(ent_body_put_plain(kind, out->plain, &out->fields, has) - out->plain);
}
