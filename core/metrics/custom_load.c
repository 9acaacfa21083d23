/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields of facts, by their numbers in the table of config/metric_fields.def: what declared metrics sum and compare. An
 * order's amounts are those of its share, which fold_order.c made: so that a metric and a built-in measure never
 * disagree. One thread. */
#include "metrics/custom_internal.h"

#include "base/day.h"

static int64_t weekday(int32_t day) { return ((int64_t)day % 7 + 7 + 3) % 7; } /* 1970-01-01 was a Thursday */

/* Whole days from placing an order to something; as days_to_paid is counted. */
static bool days_to(const ent__fact *x, ent_wire_time to, int64_t *v) {
	if (!to || !x->whole) {
		return false;
	}
	int64_t end = ent_fold_instant(x->f, ent_wire_time_unpack(to), x->head->source, x->partner);
	int64_t start = ent_fold_instant(x->f, ent_wire_time_unpack(x->head->body.order.at), x->head->source, x->partner);
	*v = end > start ? (end - start) / ENT_US_PER_DAY : 0;
	return true;
}

static bool number(int64_t *v, int64_t is) {
	*v = is;
	return true;
}

static bool of_order(const ent__fact *x, unsigned field, int64_t *v) {
	const ent_wire_order *o = &x->head->body.order;
	const int64_t *m = x->m;
	switch (field) {
	case ENT_FIELD_ORDER_TOTAL:
		return number(v, m[ENT_M_TOTAL]);
	case ENT_FIELD_ORDER_GROSS:
		return number(v, m[ENT_M_GROSS]);
	case ENT_FIELD_ORDER_DISCOUNT:
		return number(v, m[ENT_M_DISCOUNT]);
	case ENT_FIELD_ORDER_NET: /* goods less discounts did not overflow, and what came back is no more than a part of it
							   */
		return !__builtin_sub_overflow(m[ENT_M_GROSS] - m[ENT_M_DISCOUNT], m[ENT_M_RETURNS], v);
	case ENT_FIELD_ORDER_SHIPPING:
		return number(v, m[ENT_M_SHIPPING]);
	case ENT_FIELD_ORDER_TAX:
		return number(v, m[ENT_M_TAX]);
	case ENT_FIELD_ORDER_COST:
		return number(v, m[ENT_M_COST]);
	case ENT_FIELD_ORDER_REFUNDED:
		return number(v, m[ENT_M_REFUNDED]);
	case ENT_FIELD_ORDER_RETURNED:
		return number(v, m[ENT_M_RETURNS]);
	case ENT_FIELD_ORDER_DUE:
		return number(v, m[ENT_M_DUE]);
	case ENT_FIELD_ORDER_UNITS:
		return number(v, m[ENT_M_UNITS]);
	case ENT_FIELD_ORDER_LINES:
		return number(v, m[ENT_M_LINES]);
	case ENT_FIELD_ORDER_DAYS_TO_PAID:
		return days_to(x, o->paid_at, v);
	case ENT_FIELD_ORDER_DAYS_TO_SHIPPED:
		return days_to(x, o->shipped_at, v);
	case ENT_FIELD_ORDER_DAYS_TO_DELIVERED:
		return days_to(x, o->delivered_at, v);
	case ENT_FIELD_ORDER_STATUS: /* sold, pending, quote, cancelled: as they are numbered */
		return number(v, o->status);
	case ENT_FIELD_ORDER_WEEKDAY:
		return number(v, weekday(x->day));
	case ENT_FIELD_ORDER_TAX_INCLUDED:
		return number(v, o->tax_included != 0);
	default:
		return false;
	}
}

_Static_assert(ENT_ORDER_SOLD == 0 && ENT_ORDER_PENDING == 1 && ENT_ORDER_QUOTE == 2 && ENT_ORDER_CANCELLED == 3,
	"the words of order.status are in this order");
_Static_assert(
	ENT_REFUND_GOODS == 0 && ENT_REFUND_SHIPPING == 1 && ENT_REFUND_ADJUSTMENT == 2, "and those of refund.kind");

static bool of_line(const ent_item *item, unsigned field, int64_t *v) {
	const ent_wire_line *l = &item->body.line;
	switch (field) {
	case ENT_FIELD_LINE_QUANTITY:
		return number(v, l->quantity);
	case ENT_FIELD_LINE_PRICE:
		return number(v, l->unit_price) && (item->has & ENT_HAS_UNIT_PRICE);
	case ENT_FIELD_LINE_GROSS:
		return number(v, ent__line_gross(item));
	case ENT_FIELD_LINE_DISCOUNT:
		return number(v, l->discount);
	case ENT_FIELD_LINE_NET:
		return !__builtin_sub_overflow(ent__line_gross(item), l->discount, v);
	case ENT_FIELD_LINE_TAX:
		return number(v, l->tax);
	case ENT_FIELD_LINE_SHIPPING:
		return number(v, l->shipping);
	case ENT_FIELD_LINE_COST:
		return number(v, l->cost);
	default:
		return false;
	}
}

static bool of_refund(const ent__fact *x, unsigned field, int64_t *v) {
	const ent_wire_refund *r = &x->item->body.refund;
	switch (field) {
	case ENT_FIELD_REFUND_AMOUNT:
		return number(v, r->amount);
	case ENT_FIELD_REFUND_QUANTITY:
		return number(v, r->quantity);
	case ENT_FIELD_REFUND_KIND:
		return number(v, r->kind);
	case ENT_FIELD_REFUND_WEEKDAY:
		return number(v, weekday(x->day));
	default:
		return false;
	}
}

static bool of_visit(const ent__fact *x, unsigned field, int64_t *v) {
	const ent_wire_visit *w = &x->item->body.visit;
	switch (field) {
	case ENT_FIELD_VISIT_PAGEVIEWS:
		return number(v, w->pageviews);
	case ENT_FIELD_VISIT_PURCHASES:
		return number(v, w->purchases);
	case ENT_FIELD_VISIT_ENGAGED_TIME:
		return number(v, w->engaged_us);
	case ENT_FIELD_VISIT_LOAD_TIME:
		return w->loads && number(v, (int64_t)w->load_ms * 1000 / w->loads);
	case ENT_FIELD_VISIT_ENGAGED:
		return number(v, w->engaged != 0);
	case ENT_FIELD_VISIT_NEW:
		return number(v, w->is_new != 0);
	case ENT_FIELD_VISIT_ITEM:
		return number(v, (w->steps & ENT_STEP_ITEM) != 0);
	case ENT_FIELD_VISIT_CART:
		return number(v, (w->steps & ENT_STEP_CART) != 0);
	case ENT_FIELD_VISIT_CHECKOUT:
		return number(v, (w->steps & ENT_STEP_CHECKOUT) != 0);
	case ENT_FIELD_VISIT_PURCHASE:
		return number(v, w->steps & ENT_STEP_PURCHASE || w->purchases);
	case ENT_FIELD_VISIT_WEEKDAY:
		return number(v, weekday(x->day));
	default:
		return false;
	}
}

static bool of_cart(const ent__fact *x, unsigned field, int64_t *v) {
	const ent_wire_cart *c = &x->item->body.cart;
	switch (field) {
	case ENT_FIELD_CART_VALUE:
		return number(v, c->value);
	case ENT_FIELD_CART_ITEMS:
		return number(v, c->items);
	case ENT_FIELD_CART_RECOVERED:
		return number(v, c->recovered_at || c->order_key);
	case ENT_FIELD_CART_WEEKDAY:
		return number(v, weekday(x->day));
	default:
		return false;
	}
}

bool ent__load_number(const ent__fact *x, unsigned field, int64_t *v) {
	switch (ent_metric_fields[field].fact) {
	case ENT_OF_ORDER:
		return of_order(x, field, v);
	case ENT_OF_LINE:
		return of_line(x->item, field, v);
	case ENT_OF_REFUND:
		return of_refund(x, field, v);
	case ENT_OF_VISIT:
		return of_visit(x, field, v);
	default:
		return of_cart(x, field, v);
	}
}

uint32_t ent__load_code(const ent__fact *x, unsigned field) {
	const ent_wire_order *o = x->head ? &x->head->body.order : NULL;
	const union ent_body *b = &x->item->body;
	switch (field) {
	case ENT_FIELD_ORDER_CURRENCY:
		return x->f->currency(x->f->ctx, o->currency);
	case ENT_FIELD_CART_CURRENCY:
		return x->f->currency(x->f->ctx, b->cart.currency);
	case ENT_FIELD_ORDER_CHANNEL:
	case ENT_FIELD_VISIT_CHANNEL:
	case ENT_FIELD_CART_CHANNEL:
		return x->channel;
	case ENT_FIELD_ORDER_COUNTRY:
		return o->country;
	case ENT_FIELD_ORDER_REGION:
		return o->region;
	case ENT_FIELD_ORDER_CAMPAIGN:
		return o->campaign;
	case ENT_FIELD_ORDER_PAYMENT:
		return o->payment;
	case ENT_FIELD_ORDER_CUSTOMER_KIND:
		return o->customer_kind;
	case ENT_FIELD_ORDER_CUSTOMER:
		return ent_dense(&o->customer);
	case ENT_FIELD_ORDER_AGENT:
		return ent_dense(&o->agent);
	case ENT_FIELD_LINE_SKU:
		return b->line.sku;
	case ENT_FIELD_LINE_PRODUCT:
		return b->line.product;
	case ENT_FIELD_LINE_NAME:
		return b->line.name;
	case ENT_FIELD_LINE_CATEGORY:
		return b->line.category;
	case ENT_FIELD_LINE_VENDOR:
		return b->line.vendor;
	case ENT_FIELD_REFUND_REASON:
		return b->refund.reason;
	case ENT_FIELD_VISIT_SOURCE:
		return b->visit.source;
	case ENT_FIELD_VISIT_CAMPAIGN:
		return b->visit.campaign;
	case ENT_FIELD_VISIT_COUNTRY:
		return b->visit.country;
	case ENT_FIELD_VISIT_DEVICE:
		return b->visit.device;
	case ENT_FIELD_VISIT_LANDING:
		return b->visit.landing;
	case ENT_FIELD_VISIT_VISITOR:
		return ent_dense(&b->visit.visitor);
	case ENT_FIELD_CART_STEP:
		return b->cart.step;
	case ENT_FIELD_CART_VISITOR:
		return ent_dense(&b->cart.visitor);
	default:
		return 0;
	}
}

bool ent__load_present(const ent__fact *x, unsigned field) {
	const ent_wire_order *o = x->head ? &x->head->body.order : NULL;
	int64_t ignored;
	switch (field) {
	case ENT_FIELD_ORDER_PAID_AT:
		return o->paid_at;
	case ENT_FIELD_ORDER_SHIPPED_AT:
		return o->shipped_at;
	case ENT_FIELD_ORDER_DELIVERED_AT:
		return o->delivered_at;
	case ENT_FIELD_ORDER_PROMISED_AT:
		return o->promised_at;
	default:
		return ent_metric_fields[field].form < ENT_FORM_TEXT ? ent__load_number(x, field, &ignored)
															 : ent__load_code(x, field) != 0;
	}
}
