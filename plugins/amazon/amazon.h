/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the Amazon plugin share: columns of the All Orders report, options, the order in hand. One thread,
 * that of the worker.
 */
#ifndef ENTENTE_PLUGINS_AMAZON_H
#define ENTENTE_PLUGINS_AMAZON_H

#include "../common/status.h"

/* All vintages are read by name; nothing of the address but country and state is asked for. */
enum {
	C_ORDER,
	C_PURCHASED,
	C_UPDATED,
	C_STATUS,
	C_SALES_CHANNEL,
	C_NAME,
	C_SKU,
	C_ASIN,
	C_ITEM_STATUS,
	C_QUANTITY,
	C_CURRENCY,
	C_ITEM_PRICE,
	C_ITEM_TAX,
	C_SHIPPING_PRICE,
	C_SHIPPING_TAX,
	C_WRAP_PRICE,
	C_WRAP_TAX,
	C_ITEM_DISCOUNT,
	C_SHIP_DISCOUNT,
	C_STATE,
	C_COUNTRY,
	C_BUSINESS,
	C_COUNT
};

enum { AMAZON_OPT_STATUSES, AMAZON_OPT_TAX, AMAZON_OPT_ITEM_PRICE };
enum { AMAZON_TAX_AUTO, AMAZON_TAX_ADDED, AMAZON_TAX_INCLUDED };
enum { AMAZON_KEY_MAX = 255, AMAZON_ITEMS_MAX = 10000 /* of one order: keys are compared with all before them */ };

/* What is known of a marketplace by its name. */
typedef struct amazon_market {
	const char *name; /* as sales-channel, lower case */
	char currency[4];
	int tax_added; /* prices are without tax */
} amazon_market;

/* A text that was copied: where it lies in the order's memory. */
typedef struct amazon_text {
	size_t at, n;
} amazon_text;

typedef struct amazon_item {
	ent_line line; /* texts are set when it is pushed */
	amazon_text key, sku, product, name;
	int cancelled;
} amazon_item;

typedef struct amazon {
	const ent_host *host;
	ent_ctx *ctx;
	status_map statuses;
	int tax, by_piece;
	/* The order in hand: it waits for all of its rows, for its items say whether anything of it was sold. */
	ent_order order;
	amazon_text id, channel, country, region;
	amazon_item *items;
	size_t n_items, items_room;
	char *text;
	size_t text_n, text_room;
	int open, bad, skipped; /* bad: it was rejected, and so are its further rows */
	const char *kind;
} amazon;

ent_status amazon__row(void *self, const ent_row *r); /* order.c */
int amazon__starts(void *self, const ent_row *before, const ent_row *row);

/* group.c: memory of the order in hand, and what is pushed of it. */
void amazon__clear(amazon *a);
int amazon__keep(amazon *a, ent_str s, amazon_text *out);
ent_str amazon__text(const amazon *a, amazon_text t);
/* A key for an item of this name (SKU, else ASIN): the name, and a number if the order has it already. */
int amazon__key(amazon *a, ent_str name, amazon_text *out);
amazon_item *amazon__add(amazon *a);
ent_status amazon__push(amazon *a);

/* words.c */
int amazon__status(const amazon *a, ent_str word);
const amazon_market *amazon__market(ent_str channel);
int amazon__elsewhere(ent_str channel);

#endif
