/* SPDX-License-Identifier: Apache-2.0
 *
 * The BigCommerce plugin: orders and lines of the API's version 2 and bodies of webhooks, one JSON object a line or
 * whole answers as they were saved. This file holds the tables; record.c tells what a record is, order.c and line.c
 * what it means.
 */
#include "bigcommerce.h"

#include "../common/json_body.h"

#include <stdlib.h>

static const char *const archived_choices[] = {"gone", "kept", NULL};

static const ent_option options[] = {
	[BIGCOMMERCE_OPT_STATUSES] = {.key = "statuses",
		.type = ENT_OPT_MAP,
		.doc =
			"What statuses mean that mean something else here, by number or by name: sold, pending, quote, cancelled, "
			"test or skip.",
		.item = status_items},
	[BIGCOMMERCE_OPT_ARCHIVED] = {.key = "archived",
		.type = ENT_OPT_ENUM,
		.preset = "gone",
		.choices = archived_choices,
		.doc = "What becomes of orders that the shop archives, which it also calls deleted."},
	{.key = NULL},
};

static const char *const keys[4] = {"\"status_id\"", "\"subtotal_ex_tax\"", "\"total_inc_tax\"", "\"items_total\""};
static const char *const line_keys[4] = {
	"\"order_id\"", "\"order_address_id\"", "\"price_ex_tax\"", "\"quantity_shipped\""};
static const char *const hook_keys[4] = {"\"scope\"", "\"store/", "\"producer\"", "\"hash\""};
static const char *const whys[3] = {"orders, lines or webhooks of BigCommerce, by their keys",
	"JSON with some keys of BigCommerce's orders, lines or webhooks",
	"no JSON with keys of BigCommerce's orders (status_id, subtotal_ex_tax), lines or webhooks"};

typedef int probe_keys(ent_str head, const char *const four[4], const char *const three[3], const char **why);

static int probe_by(probe_keys *by, ent_str head, const char **why) {
	const char *const *const sets[] = {keys, line_keys, hook_keys};
	int best = 0;
	*why = whys[2];
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		const char *seen = NULL;
		int sure = by(head, sets[i], whys, &seen);
		if (sure > best) {
			best = sure;
			*why = seen;
		}
	}
	return best;
}

static int probe_lines(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	return probe_by(jsonl_probe, head, why);
}

static int probe_document(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	return probe_by(json_body_probe, head, why);
}

static void destroy(void *self) {
	bigcommerce *b = self;
	if (!b)
		return;
	jsonl_finish(&b->input);
	free(b->lines);
	free(b);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	bigcommerce *b = calloc(1, sizeof *b);
	if (!b)
		return ENT_ENOMEM;
	b->host = host;
	b->ctx = ctx;
	b->statuses.given = &values[BIGCOMMERCE_OPT_STATUSES];
	b->keep_archived = values[BIGCOMMERCE_OPT_ARCHIVED].i == 1;
	ent_status e = jsonl_init(&b->input, host, ctx);
	if (e)
		destroy(b);
	else
		*self = b;
	return e;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)doc;
	((bigcommerce *)self)->input.at = 0;
	return ENT_OK;
}

static ent_status feed_lines(void *self, ent_str bytes, int eof) {
	(void)eof;
	return jsonl_feed(&((bigcommerce *)self)->input, bytes, NULL, bigcommerce__record, self);
}

static ent_status feed_document(void *self, ent_str bytes, int eof) {
	(void)eof;
	return json_body_feed(&((bigcommerce *)self)->input, bytes, NULL, bigcommerce__record, self);
}

static ent_status end(void *self) {
	(void)self; /* nothing is held back */
	return ENT_OK;
}

static const ent_decoder lines = {
	.size = sizeof(ent_decoder),
	.name = "bigcommerce",
	.doc =
		"Orders, lines and checkouts that were left from BigCommerce's API (version 2) and webhooks, one JSON object a "
		"line.",
	.version = "1",
	.system = "bigcommerce",
	.facts = 1u << ENT_ORDER | 1u << ENT_LINE | 1u << ENT_CART,
	.frame = ENT_FRAME_JSONL,
	.options = options,
	.probe = probe_lines,
	.create = create,
	.begin = begin,
	.feed = feed_lines,
	.end = end,
	.destroy = destroy,
};

static const ent_decoder document = {
	.size = sizeof(ent_decoder),
	.name = "bigcommerce-document",
	.doc = "The same from whole answers that were saved: a list of orders or lines, on any number of lines.",
	.version = "1",
	.system = "bigcommerce",
	.facts = 1u << ENT_ORDER | 1u << ENT_LINE | 1u << ENT_CART,
	.frame = ENT_FRAME_DOCUMENT,
	.options = options,
	.probe = probe_document,
	.create = create,
	.begin = begin,
	.feed = feed_document,
	.end = end,
	.destroy = destroy,
};

static const ent_decoder *const decoders[] = {&lines, &document, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "bigcommerce",
	.version = "1.0.0",
	.decoders = decoders,
};
