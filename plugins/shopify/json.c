/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoder of orders as JSON, one a line, as webhooks (orders/create, orders/updated, …) and polls of the Admin REST
 * API bring them. It speaks of the same orders as the export: one keyspace. This file holds the table and takes lines.
 */
#include "json.h"

#include <stdlib.h>

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	static const char *const keys[] = {
		"\"order_number\"", "\"financial_status\"", "\"total_line_items_price\"", "\"line_items\""};
	static const char *const whys[] = {
		"JSON lines with order_number, financial_status, total_line_items_price and line_items: orders of Shopify",
		"JSON lines with three of order_number, financial_status, total_line_items_price and line_items",
		"the first line is no JSON object with order_number, financial_status, total_line_items_price and line_items"};
	return jsonl_probe(head, keys, whys, why);
}

static void destroy(void *self) {
	shopify_json *d = self;
	if (!d)
		return;
	jsonl_finish(&d->input);
	free(d->lines);
	free(d->refunds);
	free(d);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *options, void **self) {
	shopify_json *d = calloc(1, sizeof *d);
	if (!d)
		return ENT_ENOMEM;
	d->by_vendor = options[SHOPIFY_OPT_PARTNER].i == 1;
	ent_status e = jsonl_init(&d->input, host, ctx);
	if (e)
		destroy(d);
	else
		*self = d;
	return e;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)doc;
	((shopify_json *)self)->input.at = 0;
	return ENT_OK;
}

static ent_status feed(void *self, ent_str bytes, int eof) {
	(void)eof;
	return jsonl_feed(&((shopify_json *)self)->input, bytes, NULL, shopify__order, self);
}

static ent_status end(void *self) {
	(void)self; /* nothing is held back */
	return ENT_OK;
}

const ent_decoder shopify__json = {
	.size = sizeof(ent_decoder),
	.name = "shopify-json",
	.doc =
		"Orders with their lines and dated refunds from Shopify's webhooks and Admin REST API, one JSON object a line.",
	.version = "1",
	.system = "shopify",
	.facts = 1u << ENT_ORDER | 1u << ENT_LINE | 1u << ENT_REFUND,
	.frame = ENT_FRAME_JSONL,
	.options = shopify__options,
	.probe = probe,
	.create = create,
	.begin = begin,
	.feed = feed,
	.end = end,
	.destroy = destroy,
};
