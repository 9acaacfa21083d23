/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoder of orders as JSON, one a line, as webhooks (orders/create, orders/updated, …) and polls of the Admin REST
 * API bring them, and of whole answers that were saved. They speak of the same orders as the export: one keyspace. This
 * file holds the tables and takes lines and answers apart.
 */
#include "json.h"

#include "../common/json_body.h"

#include <stdlib.h>

static const char *const keys[] = {
	"\"order_number\"", "\"financial_status\"", "\"total_line_items_price\"", "\"line_items\""};
static const char *const whys[] = {
	"JSON with order_number, financial_status, total_line_items_price and line_items: orders of Shopify",
	"JSON with three of order_number, financial_status, total_line_items_price and line_items",
	"no JSON object with order_number, financial_status, total_line_items_price and line_items"};

/* An answer of several orders on one line: lines would take it for one record. Where its list begins, else 0. */
static size_t page(ent_str s) {
	static const char *const parts[] = {"{", "\"orders\"", ":", "["};
	const char *p = s.p, *end = s.p + s.n;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		size_t n = strlen(parts[i]);
		p = json_body_blank(p, end);
		if ((size_t)(end - p) < n || memcmp(p, parts[i], n) != 0)
			return 0;
		p += n;
	}
	return (size_t)(p - s.p);
}

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	return page(head) ? (*why = whys[2], 0) : jsonl_probe(head, keys, whys, why);
}

static int probe_document(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	size_t begin = page(head);
	int found = 0;
	if (!begin)
		return json_body_probe(head, keys, whys, why);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		found += text_has_fold(head, keys[i]);
	*why = whys[found == 4 ? 0 : found == 3 ? 1 : 2];
	return found == 4 ? 95 : found == 3 ? 40 : 0;
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

/* What stands behind the list of an answer is nothing of it. */
static ent_status feed_document(void *self, ent_str bytes, int eof) {
	shopify_json *d = self;
	size_t begin = page(bytes);
	(void)eof;
	if (!begin)
		return json_body_feed(&d->input, bytes, NULL, shopify__order, self);
	const char *p = bytes.p + begin, *end = bytes.p + bytes.n;
	json_body_flags(&d->input);
	ent_status e = json_body_list(&d->input, bytes.p, &p, end, shopify__order, self);
	p = json_body_blank(p, end);
	if (e || (p < end && *p == '}' && json_body_blank(p + 1, end) == end))
		return e;
	return d->input.host->error(d->input.ctx, (uint64_t)(p - bytes.p), ENT_NO_COLUMN, "no } behind the list of orders",
		"get the whole answer again; nothing of this one was taken");
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

const ent_decoder shopify__document = {
	.size = sizeof(ent_decoder),
	.name = "shopify-document",
	.doc = "The same from whole answers that were saved: one order, or a list of them, on any number of lines.",
	.version = "1",
	.system = "shopify",
	.facts = 1u << ENT_ORDER | 1u << ENT_LINE | 1u << ENT_REFUND,
	.frame = ENT_FRAME_DOCUMENT,
	.options = shopify__options,
	.probe = probe_document,
	.create = create,
	.begin = begin,
	.feed = feed_document,
	.end = end,
	.destroy = destroy,
};
