/* SPDX-License-Identifier: Apache-2.0
 *
 * Folding of visits, carts and records, and the dispatch; orders are in fold_order.c. */
#include "metrics/fold.h"
#include "base/day.h"
#include "metrics/dist.h"
#include "metrics/custom_internal.h"

#include <string.h>

_Static_assert(ENT_FAMILY_WIDTH % 4 == 0, "cells are added in fours");

static ent_time time_of(const ent_item *item) {
	switch (item->kind) {
	case ENT_ORDER:
		return ent_wire_time_unpack(item->body.order.at);
	case ENT_REFUND:
		return ent_wire_time_unpack(item->body.refund.at);
	case ENT_CART:
		return ent_wire_time_unpack(item->body.cart.started_at);
	case ENT_VISIT:
		return ent_wire_time_unpack(item->body.visit.day ? item->body.visit.day : item->body.visit.at);
	case ENT_TOUCH:
		return ent_wire_time_unpack(item->body.touch.at);
	case ENT_CONTACT:
		return ent_wire_time_unpack(item->body.contact.at);
	case ENT_OBSERVATION:
		return ent_wire_time_unpack(item->body.observation.from);
	case ENT_ENTRY:
		return ent_wire_time_unpack(item->body.entry.effective);
	default:
		return (ent_time){.kind = ENT_TIME_NONE};
	}
}

int64_t ent_fold_instant(const ent_fold *f, ent_time t, uint32_t source, uint32_t partner) {
	const ent_zone *zone;
	switch (t.kind) {
	case ENT_TIME_INSTANT:
		return t.v;
	case ENT_TIME_LOCAL:
		zone = f->source_zone(f->ctx, source);
		return ent_zone_instant(zone ? zone : f->zone(f->ctx, partner), t.v);
	case ENT_TIME_DATE:
		return ent_zone_instant(f->zone(f->ctx, partner), t.v * ENT_US_PER_DAY);
	case ENT_TIME_MONTH:
		return ent_zone_instant(f->zone(f->ctx, partner), (int64_t)ent_day_of_month(t.v) * ENT_US_PER_DAY);
	default:
		return 0;
	}
}

bool ent__fold_day_of(const ent_fold *f, ent_time t, uint32_t source, uint32_t partner, int32_t *day) {
	switch (t.kind) {
	case ENT_TIME_DATE:
		*day = (int32_t)t.v;
		return true;
	case ENT_TIME_MONTH:
		*day = ent_day_of_month(t.v);
		return true;
	case ENT_TIME_LOCAL:
		if (!f->source_zone(f->ctx, source)) {
			*day = ent_day_of_us(t.v); /* written in the partner's own zone: its day is as written */
			return true;
		}
		/* fall through */
	case ENT_TIME_INSTANT:
		*day = ent_zone_day(f->zone(f->ctx, partner), ent_fold_instant(f, t, source, partner));
		return true;
	default:
		return false;
	}
}

bool ent_fold_day(const ent_fold *f, const ent_item *item, uint32_t partner, int32_t *day) {
	return ent__fold_day_of(f, time_of(item), item->source, partner, day);
}

/* Four at once: without asking which are zero, though most are. Compilers make of it what the processor has. */
typedef uint64_t four __attribute__((vector_size(32), aligned(8), may_alias));

/* Highest bit set: a sum left int64. */
static uint64_t add_all(four *row, const four *m) {
	four overflow = {0};
	for (unsigned i = 0; i < ENT_FAMILY_WIDTH / 4; i++) {
		four a = row[i], b = m[i], sum = a + b;
		overflow |= (a ^ sum) & (b ^ sum);
		row[i] = sum;
	}
	return overflow[0] | overflow[1] | overflow[2] | overflow[3];
}

static uint64_t take_all(four *row, const four *m) {
	four overflow = {0};
	for (unsigned i = 0; i < ENT_FAMILY_WIDTH / 4; i++) {
		four a = row[i], b = m[i], rest = a - b;
		overflow |= (a ^ b) & (a ^ rest);
		row[i] = rest;
	}
	return overflow[0] | overflow[1] | overflow[2] | overflow[3];
}

int ent__fold_too_large(int32_t date, ent_error *e) {
	char day[16];
	ent_error_set(e, ENT_ERR_RANGE, "a sum of the day %s leaves the range of 64 bits", ent_day_text(date, day));
	return ent_error_todo(e, "amounts are kept in millionths: look for one that is off by a factor of a million");
}

int ent__fold_add_at(
	ent_fold *f, uint32_t cell, int32_t date, const int64_t m[ENT_FAMILY_WIDTH], int sign, ent_error *e) {
	four *row = (four *)ent_cells_row(f->cells, cell);
	uint64_t overflow = sign > 0 ? add_all(row, (const four *)m) : take_all(row, (const four *)m);
	return overflow >> 63 ? ent__fold_too_large(date, e) : 0;
}

int ent__fold_add(ent_fold *f, const ent_cell_key *key, const int64_t m[ENT_FAMILY_WIDTH], int sign, uint32_t *cell,
	ent_error *e) {
	*cell = ent_cells_at(f->cells, key);
	return ent__fold_add_at(f, *cell, key->day, m, sign, e);
}

ent_item ent_fold_visit(const ent_document *d) {
	/* Joining the parts as parts of one input is the same merge as while reading. */
	ent_document all = {.kind = ENT_VISIT}, one = {.kind = ENT_VISIT};
	ent_item result = d->items[0];
	for (uint32_t i = 0; i < d->n && d->n > 1; i++) {
		one.n = 0;
		*ent_document_add(&one) = d->items[i];
		one.items[0].input = 0;
		ent_document_join(&all, &one);
	}
	if (d->n > 1) {
		result = all.items[0];
	}
	ent_document_finish(&all);
	ent_document_finish(&one);
	return result;
}

#define AT(measure) [measure - ENT_M_SESSIONS]

static uint32_t load_time(const ent_fold *f, const ent_wire_visit *v) {
	if (!v->loads) {
		return 0;
	}
	int64_t mean = (int64_t)v->load_ms * 1000 / v->loads;
	uint32_t at = ENT_LOAD_TIMES - 1;
	while (ent_load_times[at].from > mean) {
		at--;
	}
	return f->made(f->ctx, ENT_VIEW_LOAD_TIME, at);
}

static int fold_visit(ent_fold *f, const ent_document *d, int sign, ent_error *e) {
	ent_item item = ent_fold_visit(d);
	const ent_wire_visit *v = &item.body.visit;
	int32_t day;
	if (!ent_fold_day(f, &item, item.partner, &day) || !item.partner) {
		return 0;
	}
	bool cart = v->steps & ENT_STEP_CART, bought = v->steps & ENT_STEP_PURCHASE || v->purchases;
	uint32_t visitor = ent_dense(&v->visitor);
	const int64_t m[ENT_FAMILY_WIDTH] = {
		AT(ENT_M_SESSIONS) = 1,
		AT(ENT_M_SESSIONS_ENGAGED) = v->engaged != 0,
		AT(ENT_M_SESSIONS_NEW) = v->is_new != 0,
		AT(ENT_M_SESSIONS_UNIDENTIFIED) = visitor == 0,
		AT(ENT_M_SESSIONS_ITEM) = (v->steps & ENT_STEP_ITEM) != 0,
		AT(ENT_M_SESSIONS_CART) = cart,
		AT(ENT_M_SESSIONS_CHECKOUT) = (v->steps & ENT_STEP_CHECKOUT) != 0,
		AT(ENT_M_SESSIONS_PURCHASE) = bought,
		AT(ENT_M_SESSIONS_CART_LEFT) = cart && !bought,
		AT(ENT_M_PAGEVIEWS) = v->pageviews,
		AT(ENT_M_PURCHASES) = v->purchases,
		AT(ENT_M_ENGAGED_US) = v->engaged_us,
		AT(ENT_M_LOAD_MS) = v->load_ms,
		AT(ENT_M_LOADS) = v->loads,
	};
	ent_cell_key key = {.partner = item.partner, .day = day, .origin = d->origin, .family = ENT_TRAFFIC};
	uint32_t channel = f->channel(f->ctx, d->system, v->channel);
	const ent__view_value views[] = {{ENT_VIEW_TOTAL, 0}, {ENT_VIEW_CHANNEL, channel}, {ENT_VIEW_COUNTRY, v->country}, {ENT_VIEW_CAMPAIGN, v->campaign}, {ENT_VIEW_DEVICE, v->device},
		{ENT_VIEW_SOURCE, v->source}, {ENT_VIEW_LOAD_TIME, f->views[ENT_VIEW_LOAD_TIME] ? load_time(f, v) : 0}};
	for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
		if (views[i].view != ENT_VIEW_TOTAL && !f->views[views[i].view]) {
			continue;
		}
		key.view = views[i].view;
		key.value = views[i].value;
		uint32_t cell;
		if (ent__fold_add(f, &key, m, sign, &cell, e)) {
			return e->code;
		}
		if (visitor && views[i].view <= ENT_VIEW_CHANNEL) {
			ent_cells_set(f->cells, cell, ENT_SET_VISITORS, visitor - 1, sign);
		}
		if (v->loads && views[i].view == ENT_VIEW_TOTAL) {
			int64_t mean = (int64_t)v->load_ms * 1000 / v->loads;
			ent_cells_dist(f->cells, cell, ENT_DIST_LOAD_TIME, false, ent_dist_bucket(mean), sign);
		}
	}
	key.view = 0;
	key.value = 0;
	return f->custom && f->custom->any[ENT_TRAFFIC] ? ent__custom_other(f, ENT_OF_VISIT, d, &item, &key, views, sizeof views / sizeof *views, channel, sign, e) : 0;
}

#undef AT
#define AT(measure) [measure - ENT_M_CARTS]

static int fold_cart(ent_fold *f, const ent_document *d, int sign, ent_error *e) {
	const ent_item *item = &d->items[0];
	const ent_wire_cart *c = &item->body.cart;
	int32_t day;
	if ((item->flags & ENT_DOC_RETRACT) || !item->partner || !ent_fold_day(f, item, item->partner, &day)) {
		return 0;
	}
	bool recovered = c->recovered_at || c->order_key;
	const int64_t m[ENT_FAMILY_WIDTH] = {
		AT(ENT_M_CARTS) = 1,
		AT(ENT_M_CARTS_LEFT) = !recovered,
		AT(ENT_M_CARTS_LEFT_VALUE) = recovered ? 0 : c->value,
		AT(ENT_M_CARTS_RECOVERED) = recovered,
	};
	ent_cell_key key = {.partner = item->partner, .day = day, .currency = f->currency(f->ctx, c->currency),
		.origin = d->origin, .family = ENT_CARTS};
	uint32_t cell;
	if (f->custom && f->custom->any[ENT_CARTS]) {
		uint32_t channel = f->channel(f->ctx, d->system, c->channel);
		const ent__view_value views[] = {{ENT_VIEW_TOTAL, 0}, {ENT_VIEW_CHANNEL, channel}};
		if (ent__custom_other(f, ENT_OF_CART, d, item, &key, views, 2, channel, sign, e)) {
			return e->code;
		}
	}
	if (ent__fold_add(f, &key, m, sign, &cell, e)) {
		return e->code;
	}
	if (f->views[ENT_VIEW_STEP]) {
		key.view = ENT_VIEW_STEP;
		key.value = c->step;
		if (ent__fold_add(f, &key, m, sign, &cell, e)) {
			return e->code;
		}
	}
	if (f->views[ENT_VIEW_CHANNEL]) {
		key.view = ENT_VIEW_CHANNEL;
		key.value = f->channel(f->ctx, d->system, c->channel);
		return ent__fold_add(f, &key, m, sign, &cell, e);
	}
	return 0;
}

static int fold_record(ent_fold *f, const ent_document *d, int sign, ent_error *e) {
	const ent_item *item = &d->items[0];
	int32_t day = 0;
	if (item->flags & ENT_DOC_RETRACT) {
		return 0;
	}
	ent_fold_day(f, item, item->partner, &day);
	return f->record(f->ctx, d, item, day, sign, e);
}

int ent_fold_document(ent_fold *f, const ent_document *d, int sign, ent_error *e) {
	if (d->n == 0) {
		return 0;
	}
	switch (d->kind) {
	case ENT_ORDER:
		return ent__fold_order(f, d, sign, e);
	case ENT_VISIT:
		return fold_visit(f, d, sign, e);
	case ENT_CART:
		return fold_cart(f, d, sign, e);
	default:
		return fold_record(f, d, sign, e);
	}
}
