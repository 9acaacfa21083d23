/* SPDX-License-Identifier: Apache-2.0
 *
 * The Broadleaf plugin: the tables BLC_ORDER and BLC_ORDER_ITEM as CSV, for Broadleaf Commerce has no export of orders.
 * This file holds the tables and the life of an instance; order.c and item.c say what rows mean, cart.c waits with
 * carts.
 */
#include "broadleaf.h"

#include <stdlib.h>

static const ent_column order_columns[O_COUNT + 1] = {
	[O_ID] = {"ORDER_ID", NULL, 1},
	[O_STATUS] = {"ORDER_STATUS", NULL, 1},
	[O_NUMBER] = {"ORDER_NUMBER", NULL, 0},
	[O_CUSTOMER] = {"CUSTOMER_ID", NULL, 0},
	[O_EMAIL] = {"EMAIL_ADDRESS", NULL, 0},
	[O_CURRENCY] = {"CURRENCY_CODE", NULL, 0},
	[O_SUBTOTAL] = {"ORDER_SUBTOTAL", NULL, 1},
	[O_TAX] = {"TOTAL_TAX", NULL, 0},
	[O_SHIPPING] = {"TOTAL_SHIPPING", NULL, 0},
	[O_TOTAL] = {"ORDER_TOTAL", NULL, 1},
	[O_SUBMITTED] = {"SUBMIT_DATE", NULL, 1},
	[O_CREATED] = {"DATE_CREATED", NULL, 0},
	[O_UPDATED] = {"DATE_UPDATED", NULL, 0},
	[O_COUNT] = {NULL, NULL, 0},
};

static const ent_column item_columns[I_COUNT + 1] = {
	[I_ID] = {"ORDER_ITEM_ID", NULL, 1},
	[I_ORDER] = {"ORDER_ID", NULL, 1},
	[I_PARENT] = {"PARENT_ORDER_ITEM_ID", NULL, 1},
	[I_PRICE] = {"PRICE", NULL, 1},
	[I_QUANTITY] = {"QUANTITY", NULL, 1},
	[I_NAME] = {"NAME", NULL, 0},
	[I_CATEGORY] = {"CATEGORY_ID", NULL, 0},
	[I_TAX] = {"TOTAL_TAX", NULL, 0},
	[I_SKU] = {"SKU_ID", NULL, 0},
	[I_PRODUCT] = {"PRODUCT_ID", NULL, 0},
	[I_STATUS] = {"ORDER_STATUS", NULL, 0},
	[I_COUNT] = {NULL, NULL, 0},
};

static const ent_option status_options[] = {
	{.key = "*", .type = ENT_OPT_ENUM, .choices = blc__meanings, .doc = "What rows of this status are."},
	{.key = NULL}};

#define STATUSES                                                                                                       \
	{                                                                                                                  \
		.key = "statuses", .type = ENT_OPT_MAP,                                                                        \
		.doc = "What the statuses mean that the shop added, or that mean something else here, ARCHIVED for example: "  \
			   "sold, pending, quote, cancelled, test, cart or skip.",                                                 \
		.item = status_options,                                                                                        \
	}

static const ent_option order_options[] = {
	[BLC_OPT_CURRENCY] = {.key = "currency",
		.type = ENT_OPT_STR,
		.doc = "Currency of rows whose CURRENCY_CODE is empty: the shop's own."},
	[BLC_OPT_STATUSES] = STATUSES,
	[BLC_OPT_DATES] = {.key = "dates",
		.type = ENT_OPT_STR,
		.doc = "How the database writes times, as %d.%m.%Y %H:%M:%S; without it as ISO 8601 does."},
	[BLC_OPT_LEFT_AFTER] = {.key = "left_after",
		.type = ENT_OPT_DURATION,
		.preset = "1h",
		.doc = "A cart that nobody touched for so long before the newest time of the file was left."},
	{.key = NULL},
};

static const char *const prices[] = {"unit", "line", NULL};

static const ent_option item_options[] = {
	[BLC_ITEM_OPT_PRICE] = {.key = "price",
		.type = ENT_OPT_ENUM,
		.preset = "unit",
		.choices = prices,
		.doc = "Whether PRICE is that of one piece or of the line."},
	[BLC_ITEM_OPT_STATUSES] = STATUSES,
	{.key = NULL},
};

static ent_str header_of(ent_str head) {
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;
	return (ent_str){head.p, end ? (size_t)(end - head.p) : head.n};
}

static int probe(ent_str head, const char *const names[4], const char *all, const char *none, const char **why) {
	ent_str line = header_of(head);
	int found = 0;
	for (int i = 0; i < 4; i++)
		found += text_has_fold(line, names[i]);
	if (why)
		*why = found == 4 ? all : none;
	return found == 4 ? 95 : 0;
}

static int probe_orders(ent_str head, const ent_doc *doc, const char **why) {
	static const char *const names[] = {"order_id", "order_status", "order_subtotal", "submit_date"};
	(void)doc;
	return probe(head, names,
		"the header has ORDER_ID, ORDER_STATUS, ORDER_SUBTOTAL and SUBMIT_DATE: Broadleaf's orders",
		"the header lacks one of ORDER_ID, ORDER_STATUS, ORDER_SUBTOTAL and SUBMIT_DATE", why);
}

static int probe_items(ent_str head, const ent_doc *doc, const char **why) {
	static const char *const names[] = {"order_item_id", "parent_order_item_id", "quantity", "price"};
	(void)doc;
	return probe(head, names,
		"the header has ORDER_ITEM_ID, PARENT_ORDER_ITEM_ID, QUANTITY and PRICE: Broadleaf's order items",
		"the header lacks one of ORDER_ITEM_ID, PARENT_ORDER_ITEM_ID, QUANTITY and PRICE", why);
}

static void destroy(void *self) {
	blc *b = self;
	if (b)
		free(b->carts);
	free(b);
}

static ent_status create_orders(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	ent_str currency = values[BLC_OPT_CURRENCY].s;
	for (size_t i = 0; currency.n && i < 3; i++)
		if (currency.n != 3 || currency.p[i] < 'A' || currency.p[i] > 'Z') {
			host->error(ctx, 0, ENT_NO_COLUMN, "currency is no code of three capital letters",
				"write it as ISO 4217 does, EUR for example");
			return ENT_EOPTION;
		}
	blc *b = calloc(1, sizeof *b);
	if (!b)
		return ENT_ENOMEM;
	b->host = host;
	b->ctx = ctx;
	b->statuses = &values[BLC_OPT_STATUSES];
	if (currency.n)
		memcpy(b->currency, currency.p, 3);
	b->dates = values[BLC_OPT_DATES].s.n ? values[BLC_OPT_DATES].s.p : NULL;
	b->left_after = values[BLC_OPT_LEFT_AFTER].i;
	*self = b;
	return ENT_OK;
}

static ent_status create_items(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	blc *b = calloc(1, sizeof *b);
	if (!b)
		return ENT_ENOMEM;
	b->host = host;
	b->ctx = ctx;
	b->statuses = &values[BLC_ITEM_OPT_STATUSES];
	b->by_line = values[BLC_ITEM_OPT_PRICE].i == 1;
	*self = b;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	blc *b = self;
	(void)doc;
	b->n_carts = b->settle_at = 0;
	b->newest = INT64_MIN;
	return ENT_OK;
}

/* Which carts were left is known from the newest time of the whole. */
static int starts(void *self, const ent_row *before, const ent_row *row) {
	(void)self, (void)before, (void)row;
	return 0;
}

/* Lines of one order that stand together are one document. */
static int starts_order(void *self, const ent_row *before, const ent_row *row) {
	(void)self;
	return before && !text_equal(before->cell[I_ORDER], row->cell[I_ORDER]);
}

static ent_status end(void *self) { return blc__settle(self, 1); }

static const ent_decoder orders = {
	.size = sizeof(ent_decoder),
	.name = "broadleaf",
	.doc = "Orders, quotes and carts from the table BLC_ORDER of Broadleaf Commerce as CSV.",
	.version = "1",
	.system = "broadleaf",
	.facts = 1u << ENT_ORDER | 1u << ENT_CART,
	.frame = ENT_FRAME_DELIMITED,
	.options = order_options,
	.columns = order_columns,
	.probe = probe_orders,
	.create = create_orders,
	.begin = begin,
	.row = blc__order,
	.starts = starts,
	.end = end,
	.destroy = destroy,
};

static const ent_decoder items = {
	.size = sizeof(ent_decoder),
	.name = "broadleaf-items",
	.doc = "Lines of orders from the table BLC_ORDER_ITEM of Broadleaf Commerce as CSV.",
	.version = "1",
	.system = "broadleaf",
	.facts = 1u << ENT_LINE,
	.frame = ENT_FRAME_DELIMITED,
	.options = item_options,
	.columns = item_columns,
	.probe = probe_items,
	.create = create_items,
	.begin = begin,
	.row = blc__item,
	.starts = starts_order,
	.end = end,
	.destroy = destroy,
};

static const ent_decoder *const decoders[] = {&orders, &items, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "broadleaf",
	.version = "1.0.0",
	.decoders = decoders,
};
