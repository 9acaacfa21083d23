/* SPDX-License-Identifier: Apache-2.0
 *
 * The WooCommerce plugin: orders as JSON, one a line, as polls of the REST API (wc/v3/orders) and webhooks bring them.
 * This file holds the tables and takes lines; order.c says what an order means, names.c what its words do.
 */
#include "woocommerce.h"

#include <stdlib.h>

enum { DEPTH = 32 };

static const ent_option status_options[] = {
	{.key = "*", .type = ENT_OPT_ENUM, .choices = woo__meanings, .doc = "What orders of this status are."}, {.key = NULL}};

static const ent_option options[] = {
	[WOO_OPT_STATUSES] = {.key = "statuses",
		.type = ENT_OPT_MAP,
		.doc = "What the statuses mean that a plugin of the shop added, or that mean something else here: sold, pending, quote, "
			   "cancelled, test or skip.",
		.item = status_options},
	{.key = NULL},
};

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	static const char *const keys[] = {"\"order_key\"", "\"line_items\"", "\"date_created_gmt\"", "\"prices_include_tax\""};
	int found = 0;
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;
	ent_str line = text_trim((ent_str){head.p, end ? (size_t)(end - head.p) : head.n});
	for (int i = 0; i < 4 && line.n && line.p[0] == '{'; i++)
		found += text_has_fold(line, keys[i]);
	if (why)
		*why = found == 4   ? "JSON lines with order_key, line_items, date_created_gmt and prices_include_tax: orders of WooCommerce"
			   : found == 3 ? "JSON lines with three of order_key, line_items, date_created_gmt and prices_include_tax"
							: "the first line is no JSON object with order_key, line_items, date_created_gmt and prices_include_tax";
	return found == 4 ? 95 : found == 3 ? 50 : 0;
}

static void destroy(void *self) {
	woo *w = self;
	if (!w)
		return;
	if (w->tokener)
		json_tokener_free(w->tokener);
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
	w->tokener = json_tokener_new_ex(DEPTH);
	const ent_value *statuses = &values[WOO_OPT_STATUSES];
	woo_status *list = calloc(statuses->n + 1, sizeof *list);
	w->statuses = list;
	if (!list || !w->tokener) {
		destroy(w);
		return ENT_ENOMEM;
	}
	json_tokener_set_flags(w->tokener, JSON_TOKENER_STRICT);
	for (size_t i = 0; i < statuses->n; i++)
		list[w->n_statuses++] = (woo_status){statuses->keys[i], woo__meaning(statuses->items[i].s)};
	*self = w;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)doc;
	((woo *)self)->at = 0;
	return ENT_OK;
}

static ent_status line(woo *w, const char *p, size_t n, uint64_t place) {
	if (n > 11 && !memcmp(p, "webhook_id=", 11)) { /* a shop says hello when a webhook is made */
		w->host->skip(w->ctx, place, "the greeting of a webhook");
		return ENT_OK;
	}
	json_tokener_reset(w->tokener);
	json_object *record = n < INT32_MAX ? json_tokener_parse_ex(w->tokener, p, (int)n) : NULL;
	if (!record) { /* a number alone needs an end to be one; neither is an order */
		size_t broke = json_tokener_get_parse_end(w->tokener);
		w->host->reject(w->ctx, place + broke, ENT_NO_COLUMN, "no JSON object, or a broken one: an order is expected");
		return ENT_OK;
	}
	size_t end = json_tokener_get_parse_end(w->tokener);
	ent_status e = ENT_OK;
	if (text_trim((ent_str){p + end, n - end}).n)
		w->host->reject(w->ctx, place + end, ENT_NO_COLUMN, "more than one value in a line");
	else
		e = woo__record(w, record, place);
	json_object_put(record);
	return e;
}

static ent_status feed(void *self, ent_str bytes, int eof) {
	woo *w = self;
	const char *p = bytes.p, *end = bytes.p + bytes.n;
	(void)eof;
	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		if (!stop)
			return ENT_EINTERNAL; /* lines come whole */
		size_t n = (size_t)(stop - p);
		if (text_trim((ent_str){p, n}).n) {
			ent_status e = line(w, p, n, w->at);
			if (e)
				return e;
		}
		w->at += n + 1;
		p = stop + 1;
	}
	return ENT_OK;
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
