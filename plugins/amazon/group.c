/* SPDX-License-Identifier: Apache-2.0
 *
 * The order in hand: its rows are read one by one, and it is pushed when the next order begins. Only then is it known
 * whether an item of it was left uncancelled.
 */
#include "amazon.h"

#include <stdio.h>
#include <stdlib.h>

void amazon__clear(amazon *a) {
	a->n_items = a->text_n = 0;
	a->open = a->bad = a->skipped = 0;
	a->order = (ent_order){0};
	a->id = a->channel = a->country = a->region = (amazon_text){0};
	a->kind = NULL;
}

int amazon__keep(amazon *a, ent_str s, amazon_text *out) {
	if (a->text_n + s.n > a->text_room) {
		size_t room = 2 * (a->text_n + s.n) + 1024;
		char *more = realloc(a->text, room);
		if (!more)
			return -1;
		a->text = more;
		a->text_room = room;
	}
	*out = (amazon_text){a->text_n, s.n};
	if (s.n)
		memcpy(a->text + a->text_n, s.p, s.n);
	a->text_n += s.n;
	return 0;
}

ent_str amazon__text(const amazon *a, amazon_text t) {
	return t.n ? (ent_str){a->text + t.at, t.n} : (ent_str){NULL, 0};
}

int amazon__key(amazon *a, ent_str name, amazon_text *out) {
	unsigned same = 1;
	char number[16];
	for (size_t i = 0; i < a->n_items; i++) {
		ent_str key = amazon__text(a, a->items[i].key);
		same += key.n >= name.n && !memcmp(key.p, name.p, name.n) && (key.n == name.n || key.p[name.n] == '#');
	}
	amazon_text rest;
	if (amazon__keep(a, name, out))
		return -1;
	if (same == 1)
		return 0;
	int n = snprintf(number, sizeof number, "#%u", same);
	if (amazon__keep(a, (ent_str){number, (size_t)n}, &rest))
		return -1;
	out->n += rest.n;
	return 0;
}

amazon_item *amazon__add(amazon *a) {
	if (a->n_items == a->items_room) {
		size_t room = 2 * a->items_room + 16;
		amazon_item *more = realloc(a->items, room * sizeof *more);
		if (!more)
			return NULL;
		a->items = more;
		a->items_room = room;
	}
	amazon_item *item = &a->items[a->n_items];
	*item = (amazon_item){.cancelled = 0};
	return item;
}

static void fill(const amazon *a, amazon_item *item) {
	ent_line *l = &item->line;
	l->h.key = amazon__text(a, item->key);
	l->order_key = a->order.h.key;
	l->sku = amazon__text(a, item->sku);
	l->product = amazon__text(a, item->product);
	l->name = amazon__text(a, item->name);
	l->h.version = a->order.h.version;
	memcpy(l->currency, a->order.currency, 4);
}

ent_status amazon__push(amazon *a) {
	ent_order *o = &a->order;
	size_t cancelled = 0;
	if (!a->open || a->bad || a->skipped || !a->n_items) { /* an order of which every row was rejected */
		amazon__clear(a);
		return ENT_OK;
	}
	o->h.key = amazon__text(a, a->id);
	o->channel = amazon__text(a, a->channel);
	o->country = amazon__text(a, a->country);
	o->region = amazon__text(a, a->region);
	if (a->kind)
		o->customer_kind = (ent_str){a->kind, strlen(a->kind)};
	for (size_t i = 0; i < a->n_items; i++)
		cancelled += a->items[i].cancelled != 0;
	if (cancelled == a->n_items)
		o->status = ENT_ORDER_CANCELLED;
	for (size_t i = 0; i < a->n_items; i++) {
		amazon_item *item = &a->items[i];
		fill(a, item);
		if (item->cancelled &&
			o->status != ENT_ORDER_CANCELLED) /* not sold, though an earlier report may have said so */
			item->line.h.op = ENT_RETRACT;
	}
	ent_status e = a->host->push(a->ctx, ENT_ORDER, o, sizeof *o, 1);
	if (!e)
		e = a->host->push(a->ctx, ENT_LINE, &a->items[0].line, sizeof *a->items, a->n_items);
	amazon__clear(a);
	return e;
}
