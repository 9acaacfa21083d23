/* SPDX-License-Identifier: Apache-2.0
 *
 * What a record is: an order, a line (the lines of an order are asked for by themselves), or the body of a webhook,
 * which names an order and says nothing of it.
 */
#include "bigcommerce.h"

#include <stdio.h>

ent_status bigcommerce__reject(bigcommerce *b, uint64_t place, const char *why) {
	b->host->reject(b->ctx, place, ENT_NO_COLUMN, why);
	return ENT_OK;
}

/* Seconds since 1970, as webhooks write times. */
static int seconds(ent_str s, ent_time *out) {
	int64_t v;
	if (!s.n)
		return 0;
	if (s.n > 11 || text_digits(s.p, s.n, &v))
		return -1;
	*out = (ent_time){.v = v * 1000000, .kind = ENT_TIME_INSTANT};
	return 0;
}

static ent_status webhook(bigcommerce *b, json_object *record, ent_str scope, uint64_t place) {
	ent_str id = jsonl_text(jsonl_member(record, "data"), "id");
	ent_time version = {0};
	if (!TEXT_IS(scope, "store/order/archived")) {
		b->host->skip(b->ctx, place, "a webhook says that something changed, and not what: poll the orders for it");
		return ENT_OK;
	}
	if (b->keep_archived) {
		b->host->skip(b->ctx, place, "an order was archived, which does not matter here");
		return ENT_OK;
	}
	if (!id.n)
		return bigcommerce__reject(b, place, "a webhook without the id of its order");
	if (seconds(jsonl_text(record, "created_at"), &version))
		return bigcommerce__reject(b, place, "created_at of a webhook is no time");
	return bigcommerce__gone(b, id, id, version, place);
}

/* A line that came by itself: it finds its order by the order's id. */
static ent_status line(bigcommerce *b, json_object *record, uint64_t place) {
	ent_line l = {.h = {.place = place}, .order_key = jsonl_text(record, "order_id")};
	const char *why = bigcommerce__line(b, record, &l);
	return why ? bigcommerce__reject(b, place, why) : b->host->push(b->ctx, ENT_LINE, &l, sizeof l, 1);
}

ent_status bigcommerce__record(void *self, json_object *record, uint64_t place) {
	bigcommerce *b = self;
	ent_str scope = jsonl_text(record, "scope");
	if (scope.n && jsonl_member(record, "data"))
		return webhook(b, record, scope, place);
	if (jsonl_member(record, "status_id"))
		return bigcommerce__order(b, record, place);
	if (jsonl_member(record, "order_id") && jsonl_member(record, "quantity") && jsonl_member(record, "total_ex_tax"))
		return line(b, record, place);
	return bigcommerce__reject(
		b, place, "neither an order (status_id), nor a line (order_id, quantity, total_ex_tax), nor a webhook (scope)");
}
