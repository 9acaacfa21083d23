/* SPDX-License-Identifier: Apache-2.0
 *
 * The WooCommerce plugin: orders as JSON, one a line, as polls of the REST API (wc/v3/orders) and webhooks bring them.
 * This file holds the tables and takes lines; order.c says what an order means, names.c what its words do.
 */
#include "woocommerce.h"

#include <stdlib.h>

static const ent_option status_options[] = {
	{.key = "*", .type = ENT_OPT_ENUM, .choices = woo__meanings, .doc = "What orders of this status are."},
	{.key = NULL}};

static const ent_option options[] = {
	[WOO_OPT_STATUSES] = {.key = "statuses",
		.type = ENT_OPT_MAP,
		.doc = "What the statuses mean that a plugin of the shop added, or that mean something else here: sold, "
			   "pending, quote, cancelled, test or skip.",
		.item = status_options},
	{.key = NULL},
};

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	static const char *const keys[] = {
		"\"order_key\"", "\"line_items\"", "\"date_created_gmt\"", "\"prices_include_tax\""};
	static const char *const whys[] = {
		"JSON lines with order_key, line_items, date_created_gmt and prices_include_tax: orders of WooCommerce",
		"JSON lines with three of order_key, line_items, date_created_gmt and prices_include_tax",
		"the first line is no JSON object with order_key, line_items, date_created_gmt and prices_include_tax"};
	return jsonl_probe(head, keys, whys, why);
}

static void destroy(void *self) {
	woo *w = self;
	if (!w)
		return;
	jsonl_finish(&w->input);
	free((void *)w->statuses);
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
	ent_status e = jsonl_init(&w->input, host, ctx);
	const ent_value *statuses = &values[WOO_OPT_STATUSES];
	woo_status *list = calloc(statuses->n + 1, sizeof *list);
	w->statuses = list;
	if (!list || e) {
		destroy(w);
		return ENT_ENOMEM;
	}
	for (size_t i = 0; i < statuses->n; i++)
		list[w->n_statuses++] = (woo_status){statuses->keys[i], woo__meaning(statuses->items[i].s)};
	*self = w;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)doc;
	((woo *)self)->input.at = 0;
	return ENT_OK;
}

/* A shop says hello when a webhook is made. */
static ent_status feed(void *self, ent_str bytes, int eof) {
	(void)eof;
	return jsonl_feed(&((woo *)self)->input, bytes, "webhook_id=", woo__record, self);
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

static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "woocommerce",
	.version = "1.0.0",
	.decoders = decoders,
};
