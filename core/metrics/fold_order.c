/* SPDX-License-Identifier: Apache-2.0
 *
 * Folding of orders. An order counts for its partner; where keys are shared by many partners (a marketplace), it counts
 * for every partner that its lines name, with that partner's lines only, and all but the first of them (by name) also
 * count it as shared, so that a sum over partners can leave it out once.
 *
 * Goods: the header's gross and discount where it has them, else the sums of the lines. Returns: the goods' part of what
 * was paid back. Where refunds are dated they say what was goods; where only a running total is known (a Shopify
 * export), it is taken to pay back goods, shipping and tax in proportion: returns = refunded * (gross - discount) /
 * total, rounded half to even. */
#include "base/day.h"
#include "base/num.h"
#include "metrics/dist.h"
#include "metrics/custom_internal.h"

#include <stdlib.h>
#include <string.h>

#define M(measure) m[measure] /* sales come first in the catalogue: column = number */

_Static_assert(ENT_M_ORDERS == 0 && ENT_M_DUE < ENT_FAMILY_WIDTH, "sales are the first family");

typedef struct sums {
	int64_t lines, units, gross, discount, shipping, tax, cost, refunded, returned;
	bool dated; /* there are dated refunds */
	bool overflow;
} sums;

enum { VIEWS = ENT__ORDER_VIEWS };

typedef ent__share share;

static void add(int64_t *sum, int64_t v, bool *overflow) { *overflow |= __builtin_add_overflow(*sum, v, sum); }

static void add_line(sums *s, const ent_item *line) {
	const ent_wire_line *l = &line->body.line;
	if ((line->flags & ENT_DOC_RETRACT) || l->parent) {
		return; /* a part of a bundle is counted with the bundle */
	}
	s->lines++;
	add(&s->units, l->quantity, &s->overflow);
	add(&s->gross, ent__line_gross(line), &s->overflow);
	add(&s->discount, l->discount, &s->overflow);
	add(&s->shipping, l->shipping, &s->overflow);
	add(&s->tax, l->tax, &s->overflow);
	add(&s->cost, l->cost, &s->overflow);
}

/* Sums of the lines of a partner, 0: of all; and of dated refunds: all that was paid back, and the goods in it. */
static sums sum_parts(const ent_document *d, uint32_t partner) {
	sums s = {0};
	for (uint32_t i = 0; i < d->n; i++) {
		const ent_item *item = &d->items[i];
		if (item->kind == ENT_LINE) {
			if (!partner || item->partner == partner) {
				add_line(&s, item);
			}
		} else if (item->kind == ENT_REFUND && !(item->flags & ENT_DOC_RETRACT)) {
			s.dated = true;
			add(&s.refunded, item->body.refund.amount, &s.overflow);
			if (item->body.refund.kind == ENT_REFUND_GOODS) {
				add(&s.returned, item->body.refund.amount, &s.overflow);
			}
		}
	}
	return s;
}

/* The measures of a share, as if the order were sold. */
static bool measure(const ent_document *d, const ent_item *head, share *s) {
	const ent_wire_order *o = &head->body.order;
	sums lines = sum_parts(d, s->whole ? 0 : s->partner);
	s->dated = lines.dated;
	int64_t *m = s->m;
	bool header = s->whole;
	M(ENT_M_LINES) = lines.lines;
	M(ENT_M_UNITS) = lines.units;
	M(ENT_M_GROSS) = header && (head->has & ENT_HAS_GROSS) ? o->gross : lines.gross;
	M(ENT_M_DISCOUNT) = header && (head->has & ENT_HAS_DISCOUNT) ? o->discount : lines.discount;
	M(ENT_M_SHIPPING) = header && (head->has & ENT_HAS_SHIPPING) ? o->shipping : lines.shipping;
	M(ENT_M_TAX) = header && (head->has & ENT_HAS_TAX) ? o->tax : lines.tax;
	M(ENT_M_COST) = lines.cost;
	M(ENT_M_DUE) = header ? o->due : 0;
	bool overflow = lines.overflow;
	int64_t goods = 0;
	overflow |= __builtin_sub_overflow(M(ENT_M_GROSS), M(ENT_M_DISCOUNT), &goods);
	if (header && (head->has & ENT_HAS_TOTAL)) {
		M(ENT_M_TOTAL) = o->total;
	} else {
		M(ENT_M_TOTAL) = goods;
		add(&M(ENT_M_TOTAL), M(ENT_M_SHIPPING), &overflow);
		if (!o->tax_included) {
			add(&M(ENT_M_TOTAL), M(ENT_M_TAX), &overflow);
		}
	}
	if (header && lines.dated) {
		M(ENT_M_REFUNDED) = lines.refunded;
		M(ENT_M_RETURNS) = lines.returned;
	} else if (header && o->refunded) {
		int64_t returned = 0;
		M(ENT_M_REFUNDED) = o->refunded;
		int64_t total = M(ENT_M_TOTAL);
		if (total <= 0 || o->refunded >= total) {
			returned = goods;
		} else {
			overflow |= !ent_muldiv(o->refunded, goods, total, &returned);
		}
		M(ENT_M_RETURNS) = returned;
	}
	return !overflow;
}

/* Moves the measures to where the order's status counts them. */
static void by_status(share *s, uint8_t status, bool guest) {
	int64_t *m = s->m;
	if (status == ENT_ORDER_QUOTE) {
		memset(m, 0, sizeof s->m);
		M(ENT_M_QUOTES) = 1;
		return;
	}
	if (status != ENT_ORDER_CANCELLED) {
		M(ENT_M_ORDERS) = 1;
		M(ENT_M_ORDERS_SHARED) = s->shared;
		M(ENT_M_ORDERS_GUEST) = guest;
		return;
	}
	int64_t lines = M(ENT_M_LINES), units = M(ENT_M_UNITS), gross = M(ENT_M_GROSS), shipping = M(ENT_M_SHIPPING),
			total = M(ENT_M_TOTAL), refunded = M(ENT_M_REFUNDED);
	memset(m, 0, sizeof s->m);
	M(ENT_M_ORDERS_CANCELLED) = 1;
	M(ENT_M_ORDERS_SHARED_CANCELLED) = s->shared;
	M(ENT_M_LINES_CANCELLED) = lines;
	M(ENT_M_UNITS_CANCELLED) = units;
	M(ENT_M_GROSS_CANCELLED) = gross;
	M(ENT_M_SHIPPING_CANCELLED) = shipping;
	M(ENT_M_TOTAL_CANCELLED) = total;
	M(ENT_M_REFUNDED) = refunded; /* what was paid back is told for every order placed */
}

/* Views by what a line is of: the lines' own sums under each value, and the order once under each value that it has. */
static int fold_lines(ent_fold *f, const ent_document *d, const share *s, ent_cell_key key, unsigned view, int sign,
	ent_error *e) {
	bool cancelled = s->m[ENT_M_ORDERS_CANCELLED];
	for (uint32_t i = 0; i < d->n; i++) {
		const ent_item *first = &d->items[i];
		if (first->kind != ENT_LINE || (!s->whole && first->partner != s->partner)) {
			continue;
		}
		uint32_t value = ent__line_value(first, view);
		sums part = {0};
		bool seen = false;
		for (uint32_t k = 0; k < d->n && !seen; k++) {
			const ent_item *line = &d->items[k];
			if (line->kind != ENT_LINE || ent__line_value(line, view) != value || (!s->whole && line->partner != s->partner)) {
				continue;
			}
			seen = k < i;
			add_line(&part, line);
		}
		if (seen) {
			continue;
		}
		int64_t m[ENT_FAMILY_WIDTH] = {0};
		M(cancelled ? ENT_M_ORDERS_CANCELLED : ENT_M_ORDERS) = 1;
		M(cancelled ? ENT_M_LINES_CANCELLED : ENT_M_LINES) = part.lines;
		M(cancelled ? ENT_M_UNITS_CANCELLED : ENT_M_UNITS) = part.units;
		M(cancelled ? ENT_M_GROSS_CANCELLED : ENT_M_GROSS) = part.gross;
		M(cancelled ? ENT_M_SHIPPING_CANCELLED : ENT_M_SHIPPING) = part.shipping;
		if (!cancelled) {
			M(ENT_M_DISCOUNT) = part.discount;
			M(ENT_M_COST) = part.cost;
		}
		key.view = (uint8_t)view;
		key.value = value;
		uint32_t cell;
		if (ent__fold_add(f, &key, m, sign, &cell, e)) {
			return e->code;
		}
	}
	return 0;
}

static int fold_share(ent_fold *f, const ent_document *d, const ent_item *head, const share *s, int sign, ent_error *e) {
	const ent_wire_order *o = &head->body.order;
	ent_cell_key key = {.partner = s->partner, .day = s->day, .currency = s->currency, .origin = d->origin,
		.family = ENT_SALES};
	uint32_t customer = ent_dense(&o->customer), cells[VIEWS];
	bool placed = s->m[ENT_M_ORDERS] || s->m[ENT_M_ORDERS_CANCELLED];
	for (unsigned i = 0; i < s->n_views; i++) { /* all are found before any is touched: each waits for memory */
		key.view = s->views[i].view;
		key.value = s->views[i].value;
		cells[i] = ent_cells_at(f->cells, &key);
	}
	for (unsigned i = 0; i < s->n_views; i++) {
		if (ent__fold_add_at(f, cells[i], s->day, s->m, sign, e)) {
			return e->code;
		}
		if (customer && placed && s->views[i].view <= ENT_VIEW_CHANNEL) {
			ent_cells_set(f->cells, cells[i], ENT_SET_CUSTOMERS, customer - 1, sign);
		}
	}
	static const uint8_t line_views[] = {ENT_VIEW_CATEGORY, ENT_VIEW_VENDOR, ENT_VIEW_PRODUCT};
	for (size_t i = 0; i < sizeof line_views && placed; i++) {
		if (f->views[line_views[i]] && fold_lines(f, d, s, key, line_views[i], sign, e)) {
			return e->code;
		}
	}
	if (s->m[ENT_M_ORDERS]) {
		ent_cells_dist(f->cells, cells[0], ENT_DIST_ORDER_VALUE, true, ent_dist_bucket(s->m[ENT_M_TOTAL]), sign);
		if (o->paid_at && s->whole) {
			int64_t paid = ent_fold_instant(f, ent_wire_time_unpack(o->paid_at), head->source, s->partner);
			int64_t placed_at = ent_fold_instant(f, ent_wire_time_unpack(o->at), head->source, s->partner);
			int64_t days = paid > placed_at ? (paid - placed_at) / ENT_US_PER_DAY : 0;
			ent_cells_dist(f->cells, cells[0], ENT_DIST_DAYS_TO_PAID, false, ent_dist_bucket(days), sign);
		}
	}
	return 0;
}

/* Refunds by the day on which they were paid: only where each is dated. */
static int fold_refund_days(ent_fold *f, const ent_document *d, const ent_item *head, const share *s, int sign,
	ent_error *e) {
	for (uint32_t i = 0; i < d->n; i++) {
		const ent_item *item = &d->items[i];
		ent_cell_key key = {.partner = s->partner, .currency = s->currency, .origin = d->origin, .family = ENT_SALES};
		if (item->kind != ENT_REFUND || (item->flags & ENT_DOC_RETRACT) || item->body.refund.kind != ENT_REFUND_GOODS ||
			!ent__fold_day_of(f, ent_wire_time_unpack(item->body.refund.at), item->source, s->partner, &key.day)) {
			continue;
		}
		int64_t m[ENT_FAMILY_WIDTH] = {0};
		M(ENT_M_RETURNS_ON_DAY) = item->body.refund.amount;
		uint32_t cell;
		if (ent__fold_add(f, &key, m, sign, &cell, e)) {
			return e->code;
		}
		if (f->views[ENT_VIEW_CHANNEL]) {
			key.view = ENT_VIEW_CHANNEL;
			key.value = f->channel(f->ctx, d->system, head->body.order.channel);
			if (ent__fold_add(f, &key, m, sign, &cell, e)) {
				return e->code;
			}
		}
	}
	return 0;
}

static uint32_t customer_value(const ent_fold *f, const ent_wire_order *o) {
	uint32_t customer = ent_dense(&o->customer);
	return customer ? f->made(f->ctx, ENT_VIEW_CUSTOMER, customer - 1) : 0;
}

/* The cells of a share are asked for as soon as their keys are known: they come while the measures are made. */
static void find_views(const ent_fold *f, const ent_document *d, const ent_wire_order *o, share *s) {
	ent_cell_key key = {.partner = s->partner, .day = s->day, .currency = s->currency, .origin = d->origin,
		.family = ENT_SALES};
	const uint32_t values[ENT_VIEW_COUNT] = {[ENT_VIEW_CHANNEL] = f->channel(f->ctx, d->system, o->channel),
		[ENT_VIEW_COUNTRY] = o->country, [ENT_VIEW_CAMPAIGN] = o->campaign, [ENT_VIEW_REGION] = o->region,
		[ENT_VIEW_CUSTOMER] = f->views[ENT_VIEW_CUSTOMER] ? customer_value(f, o) : 0};
	static const uint8_t of_order[VIEWS] = {
		ENT_VIEW_TOTAL, ENT_VIEW_CHANNEL, ENT_VIEW_COUNTRY, ENT_VIEW_CAMPAIGN, ENT_VIEW_REGION, ENT_VIEW_CUSTOMER};
	for (unsigned i = 0; i < VIEWS; i++) {
		if (i == 0 || f->views[of_order[i]]) {
			s->views[s->n_views].view = key.view = of_order[i];
			s->views[s->n_views++].value = key.value = values[of_order[i]];
			ent_cells_prefetch(f->cells, &key);
		}
	}
}

static int fold_one(ent_fold *f, const ent_document *d, const ent_item *head, share *s, int sign, ent_error *e) {
	const ent_wire_order *o = &head->body.order;
	if (!ent_fold_day(f, head, s->partner, &s->day)) {
		return 0;
	}
	if (memcmp(o->currency, f->last_currency, 4) != 0) { /* one after another they hardly ever differ */
		f->last_currency_code = f->currency(f->ctx, o->currency);
		memcpy(f->last_currency, o->currency, 4);
	}
	s->currency = f->last_currency_code;
	find_views(f, d, o, s);
	if (!measure(d, head, s)) {
		ent_error_set(e, ENT_ERR_RANGE, "the amounts of order '%.*s' leave the range of 64 bits", (int)d->key_n, d->key);
		return ent_error_todo(e, "amounts are kept in millionths: correct the order in its source");
	}
	if (f->custom && f->custom->any[ENT_SALES] && ent__custom_order(f, d, head, s, sign, e)) { /* before the status moves its measures */
		return e->code;
	}
	by_status(s, o->status, !ent_dense(&o->customer));
	if (fold_share(f, d, head, s, sign, e)) {
		return e->code;
	}
	return s->dated && s->whole && s->m[ENT_M_ORDERS] ? fold_refund_days(f, d, head, s, sign, e) : 0;
}

static int by_name(const void *a, const void *b, void *fold) {
	const ent_fold *f = fold;
	return f->compare_partners(f->ctx, *(const uint32_t *)a, *(const uint32_t *)b);
}

int ent__fold_order(ent_fold *f, const ent_document *d, int sign, ent_error *e) {
	const ent_item *head = ent_document_head(d);
	if (!head || (head->flags & ENT_DOC_RETRACT) || head->body.order.status == ENT_ORDER_TEST) {
		return 0; /* pending, gone, or none of the business */
	}
	if (d->scope) {
		share s = {.partner = d->scope, .whole = true};
		return fold_one(f, d, head, &s, sign, e);
	}
	uint32_t few[32], *partners = d->n <= 32 ? few : malloc(d->n * sizeof *partners);
	if (!partners) {
		return ent_error_set(e, ENT_ERR_NOMEM, "out of memory");
	}
	uint32_t n = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->items[i].kind == ENT_LINE && d->items[i].partner && !(d->items[i].flags & ENT_DOC_RETRACT)) {
			partners[n++] = d->items[i].partner;
		}
	}
	qsort_r(partners, n, sizeof *partners, by_name, f);
	int status = 0;
	bool any = false;
	for (uint32_t i = 0; i < n && !status; i++) {
		if (i && partners[i] == partners[i - 1]) {
			continue;
		}
		share s = {.partner = partners[i], .shared = any};
		any = true;
		status = fold_one(f, d, head, &s, sign, e);
	}
	if (!any && head->partner && !status) { /* no lines: the order is the fallback partner's */
		share s = {.partner = head->partner, .whole = true};
		status = fold_one(f, d, head, &s, sign, e);
	}
	if (partners != few) {
		free(partners);
	}
	return status;
}

bool ent_fold_has_line(const ent_order_share *s, const ent_item *line, uint32_t partner) {
	return line->kind == ENT_LINE && !(line->flags & ENT_DOC_RETRACT) && (s->whole || line->partner == partner);
}

bool ent_fold_share(ent_fold *f, const ent_document *d, uint32_t partner, ent_order_share *out, bool *overflow) {
	const ent_item *head = ent_document_head(d);
	*overflow = false;
	if (!head || (head->flags & ENT_DOC_RETRACT) || head->body.order.status == ENT_ORDER_TEST) {
		return false;
	}
	bool lines = false, own = false;
	for (uint32_t i = 0; i < d->n && !d->scope; i++) {
		const ent_item *item = &d->items[i];
		if (item->kind == ENT_LINE && item->partner && !(item->flags & ENT_DOC_RETRACT)) {
			lines = true;
			own |= item->partner == partner;
		}
	}
	share s = {.partner = partner, .whole = d->scope || !lines};
	if ((s.whole ? (d->scope ? d->scope : head->partner) != partner : !own) || !ent_fold_day(f, head, partner, &s.day)) {
		return false;
	}
	if (!measure(d, head, &s)) {
		*overflow = true;
		return false;
	}
	out->day = s.day;
	out->whole = s.whole;
	memcpy(out->m, s.m, sizeof out->m);
	return true;
}

int64_t ent_fold_line_gross(const ent_item *line) { return ent__line_gross(line); }
