/* SPDX-License-Identifier: Apache-2.0
 *
 * The Amazon plugin: the "All orders" reports that sellers get from Seller Central and the SP-API, tab separated, in
 * all vintages. This file holds the tables; order.c says what a row means, group.c keeps the order in hand, words.c the
 * words.
 */
#include "amazon.h"

#include <stdlib.h>

static const ent_column columns[C_COUNT + 1] = {
	[C_ORDER] = {"amazon-order-id", NULL, 1},
	[C_PURCHASED] = {"purchase-date", NULL, 1},
	[C_UPDATED] = {"last-updated-date", NULL, 0},
	[C_STATUS] = {"order-status", NULL, 1},
	[C_SALES_CHANNEL] = {"sales-channel", NULL, 0},
	[C_NAME] = {"product-name", NULL, 0},
	[C_SKU] = {"sku", NULL, 1},
	[C_ASIN] = {"asin", NULL, 0},
	[C_ITEM_STATUS] = {"item-status", NULL, 1},
	[C_QUANTITY] = {"quantity", NULL, 1},
	[C_CURRENCY] = {"currency", NULL, 1},
	[C_ITEM_PRICE] = {"item-price", NULL, 1},
	[C_ITEM_TAX] = {"item-tax", NULL, 0},
	[C_SHIPPING_PRICE] = {"shipping-price", NULL, 0},
	[C_SHIPPING_TAX] = {"shipping-tax", NULL, 0},
	[C_WRAP_PRICE] = {"gift-wrap-price", NULL, 0},
	[C_WRAP_TAX] = {"gift-wrap-tax", NULL, 0},
	[C_ITEM_DISCOUNT] = {"item-promotion-discount", NULL, 0},
	[C_SHIP_DISCOUNT] = {"ship-promotion-discount", NULL, 0},
	[C_STATE] = {"ship-state", NULL, 0},
	[C_COUNTRY] = {"ship-country", NULL, 0},
	[C_BUSINESS] = {"is-business-order", NULL, 0},
	[C_COUNT] = {NULL, NULL, 0},
};

static const char *const tax_choices[] = {"auto", "added", "included", NULL};
static const char *const price_choices[] = {"line", "piece", NULL};

static const ent_option options[] = {
	[AMAZON_OPT_STATUSES] = {.key = "statuses",
		.type = ENT_OPT_MAP,
		.doc = "What statuses of orders and items mean that are not known, or that mean something else here: sold, "
			   "pending, quote, cancelled, test or skip.",
		.item = status_items},
	[AMAZON_OPT_TAX] = {.key = "tax",
		.type = ENT_OPT_ENUM,
		.preset = "auto",
		.choices = tax_choices,
		.doc =
			"Whether tax is added to prices or included in them; auto: added on Amazon.com and Amazon.ca, included on "
			"the other marketplaces."},
	[AMAZON_OPT_ITEM_PRICE] = {.key = "item_price",
		.type = ENT_OPT_ENUM,
		.preset = "line",
		.choices = price_choices,
		.doc = "What item-price is of: the line, that is all pieces of it, or one piece."},
	{.key = NULL},
};

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	static const char *const names[] = {
		"amazon-order-id\t", "merchant-order-id\t", "\torder-status\t", "\titem-status\t", "\titem-price\t"};
	enum { ALL = sizeof names / sizeof *names };
	(void)doc;
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;
	ent_str line = {head.p, end ? (size_t)(end - head.p) : head.n};
	int found = 0;
	for (size_t i = 0; i < ALL; i++)
		found += text_has_fold(line, names[i]);
	*why = found == ALL
			   ? "tabs, amazon-order-id, merchant-order-id, order-status, item-status, item-price: All orders of Amazon"
		   : found ? "some columns of Amazon's All orders, and not all"
				   : "no columns amazon-order-id, order-status, item-status, item-price between tabs";
	return found == ALL ? 95 : found >= 3 ? 40 : 0;
}

static void destroy(void *self) {
	amazon *a = self;
	if (!a)
		return;
	free(a->items);
	free(a->text);
	free(a);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	amazon *a = calloc(1, sizeof *a);
	if (!a)
		return ENT_ENOMEM;
	a->host = host;
	a->ctx = ctx;
	a->statuses.given = &values[AMAZON_OPT_STATUSES];
	a->tax = (int)values[AMAZON_OPT_TAX].i;
	a->by_piece = values[AMAZON_OPT_ITEM_PRICE].i == 1;
	*self = a;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)doc;
	amazon__clear(self);
	return ENT_OK;
}

static ent_status end(void *self) { return amazon__push(self); }

static const ent_decoder decoder = {
	.size = sizeof(ent_decoder),
	.name = "amazon",
	.doc = "Orders with their items from the tab separated All orders reports of Amazon's sellers, all vintages.",
	.version = "1",
	.system = "amazon",
	.facts = 1u << ENT_ORDER | 1u << ENT_LINE,
	.frame = ENT_FRAME_DELIMITED,
	.options = options,
	.columns = columns,
	.probe = probe,
	.create = create,
	.begin = begin,
	.row = amazon__row,
	.starts = amazon__starts,
	.end = end,
	.destroy = destroy,
};

static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "amazon",
	.version = "1.0.0",
	.decoders = decoders,
};
