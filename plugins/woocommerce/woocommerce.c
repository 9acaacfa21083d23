/* SPDX-License-Identifier: Apache-2.0
 *
 * The WooCommerce plugin: orders as JSON, as polls of the REST API (wc/v3/orders) and webhooks bring them, and the
 * orders report of its analytics as CSV. This file holds the tables and takes lines of JSON; order.c says what an order
 * means, names.c what its words do. analytics.c is the decoder of the report.
 */
#include "woocommerce.h"

#include "../common/json_body.h"

#include <stdlib.h>

static const ent_option options[] = {
	[WOO_OPT_STATUSES] = {.key = "statuses",
		.type = ENT_OPT_MAP,
		.doc = "What the statuses mean that a plugin of the shop added, or that mean something else here: sold, "
			   "pending, quote, cancelled, test or skip.",
		.item = status_items},
	{.key = NULL},
};

static const char *const keys[4] = {
	"\"order_key\"", "\"line_items\"", "\"date_created_gmt\"", "\"prices_include_tax\""};
static const char *const whys[3] = {
	"JSON with order_key, line_items, date_created_gmt and prices_include_tax: orders of WooCommerce",
	"JSON with three of order_key, line_items, date_created_gmt and prices_include_tax",
	"no JSON object with order_key, line_items, date_created_gmt and prices_include_tax"};

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	return jsonl_probe(head, keys, whys, why);
}

static int probe_document(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	return json_body_probe(head, keys, whys, why);
}

static void destroy(void *self) {
	woo *w = self;
	if (!w)
		return;
	jsonl_finish(&w->input);
	free(w->lines);
	free(w->names);
	free(w);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	woo *w = calloc(1, sizeof *w);
	if (!w)
		return ENT_ENOMEM;
	w->host = host;
	w->ctx = ctx;
	w->statuses.given = &values[WOO_OPT_STATUSES];
	ent_status e = jsonl_init(&w->input, host, ctx);
	if (e)
		destroy(w);
	else
		*self = w;
	return e;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)doc;
	((woo *)self)->input.at = 0;
	return ENT_OK;
}

/* A shop says hello when a webhook is made. */
static const char greeting[] = "webhook_id=";

static ent_status feed(void *self, ent_str bytes, int eof) {
	(void)eof;
	return jsonl_feed(&((woo *)self)->input, bytes, greeting, woo__record, self);
}

static ent_status feed_document(void *self, ent_str bytes, int eof) {
	(void)eof;
	return json_body_feed(&((woo *)self)->input, bytes, greeting, woo__record, self);
}

static ent_status end(void *self) {
	(void)self; /* nothing is held back */
	return ENT_OK;
}

static const ent_decoder decoder = {
	.size = sizeof(ent_decoder),
	.name = "woocommerce",
	.doc = "Orders with their lines from WooCommerce's REST API and webhooks, one JSON object a line.",
	.version = "1",
	.system = "woocommerce",
	.facts = 1u << ENT_ORDER | 1u << ENT_LINE,
	.frame = ENT_FRAME_JSONL,
	.options = options,
	.probe = probe,
	.create = create,
	.begin = begin,
	.feed = feed,
	.end = end,
	.destroy = destroy,
};

static const ent_decoder document = {
	.size = sizeof(ent_decoder),
	.name = "woocommerce-document",
	.doc = "The same from whole answers that were saved: a list of orders, on any number of lines.",
	.version = "1",
	.system = "woocommerce",
	.facts = 1u << ENT_ORDER | 1u << ENT_LINE,
	.frame = ENT_FRAME_DOCUMENT,
	.options = options,
	.probe = probe_document,
	.create = create,
	.begin = begin,
	.feed = feed_document,
	.end = end,
	.destroy = destroy,
};

static const ent_decoder *const decoders[] = {&decoder, &document, &woo__analytics, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "woocommerce",
	.version = "1.1.0",
	.decoders = decoders,
};
