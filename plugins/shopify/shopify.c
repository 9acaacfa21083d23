/* SPDX-License-Identifier: Apache-2.0
 *
 * The Shopify plugin: the admin's "Export orders" and "Export abandoned checkouts" files, and orders as JSON. This file
 * holds the tables of the exports; rows.c what both share, orders.c and checkouts.c their decoders, probe.c how a file
 * is recognized. json.c is the decoder of JSON, order.c and refunds.c say what an order and its refunds mean there.
 */
#include "shopify.h"

#include <stddef.h>

/* Cells of other columns (names, addresses, phones, notes) are never asked for, so they never leave the host. */
static const ent_column columns[C_COUNT + 1] = {
	[C_NAME] = {"Name", NULL, 1},
	[C_EMAIL] = {"Email", NULL, 0},
	[C_FINANCIAL] = {"Financial Status", NULL, 1},
	[C_PAID_AT] = {"Paid at", NULL, 1},
	[C_FULFILLED_AT] = {"Fulfilled at", NULL, 0},
	[C_CURRENCY] = {"Currency", NULL, 1},
	[C_SUBTOTAL] = {"Subtotal", NULL, 1},
	[C_SHIPPING] = {"Shipping", NULL, 0},
	[C_TAXES] = {"Taxes", NULL, 0},
	[C_TOTAL] = {"Total", NULL, 1},
	[C_DISCOUNT] = {"Discount Amount", NULL, 0},
	[C_SHIPPING_METHOD] = {"Shipping Method", NULL, 0},
	[C_CREATED_AT] = {"Created at", NULL, 1},
	[C_LINE_QUANTITY] = {"Lineitem quantity", NULL, 1},
	[C_LINE_NAME] = {"Lineitem name", NULL, 1},
	[C_LINE_PRICE] = {"Lineitem price", NULL, 1},
	[C_LINE_SKU] = {"Lineitem sku", NULL, 0},
	[C_BILLING_COUNTRY] = {"Billing Country", NULL, 0},
	[C_SHIPPING_COUNTRY] = {"Shipping Country", NULL, 0},
	[C_NOTE_ATTRIBUTES] = {"Note Attributes", NULL, 0},
	[C_CANCELLED_AT] = {"Cancelled at", NULL, 0},
	[C_PAYMENT_METHOD] = {"Payment Method", NULL, 0},
	[C_REFUNDED] = {"Refunded Amount", NULL, 0},
	[C_VENDOR] = {"Vendor", NULL, 0},
	[C_OUTSTANDING] = {"Outstanding Balance", NULL, 0},
	[C_EMPLOYEE] = {"Employee", NULL, 0},
	[C_ID] = {"Id", NULL, 0},
	[C_SOURCE] = {"Source", NULL, 0},
	[C_LINE_DISCOUNT] = {"Lineitem discount", NULL, 0},
	[C_COUNT] = {NULL, NULL, 0},
};

static const char *const partner_choices[] = {"source", "vendor", NULL};

const ent_option shopify__options[] = {
	[SHOPIFY_OPT_PARTNER] = {.key = "partner",
		.type = ENT_OPT_ENUM,
		.preset = "source",
		.choices = partner_choices,
		.doc = "Whose an order is: as the source says, or the Vendor of the order's first row (one export of many "
			   "sellers)."},
	{.key = NULL},
};

static const ent_decoder orders = {
	.size = sizeof(ent_decoder),
	.name = "shopify",
	.doc = "Orders with their lines from Shopify's \"Export orders\" CSV, all three column vintages.",
	.version = "1",
	.system = "shopify",
	.facts = 1u << ENT_ORDER | 1u << ENT_LINE,
	.frame = ENT_FRAME_DELIMITED,
	.options = shopify__options,
	.columns = columns,
	.probe = shopify__probe_orders,
	.create = shopify__create,
	.begin = shopify__begin,
	.row = shopify__order_row,
	.starts = shopify__starts,
	.end = shopify__order_end,
	.destroy = shopify__destroy,
};

static const ent_decoder checkouts = {
	.size = sizeof(ent_decoder),
	.name = "shopify-checkouts",
	.doc = "Carts that were left, from Shopify's \"Export abandoned checkouts\" CSV.",
	.version = "1",
	.system = "shopify",
	.facts = 1u << ENT_CART,
	.frame = ENT_FRAME_DELIMITED,
	.options = shopify__options,
	.columns = columns,
	.probe = shopify__probe_checkouts,
	.create = shopify__create,
	.begin = shopify__begin,
	.row = shopify__cart_row,
	.starts = shopify__starts,
	.end = shopify__cart_end,
	.destroy = shopify__destroy,
};

static const ent_decoder *const decoders[] = {&orders, &checkouts, &shopify__json, &shopify__document, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "shopify",
	.version = "1.1.0",
	.decoders = decoders,
};
