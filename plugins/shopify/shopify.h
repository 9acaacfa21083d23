/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the Shopify plugin share: the columns of both exports, the state of one decoder instance of them, and
 * the meaning of words that JSON has as well.
 * One instance is used from one thread; nothing here is global and changeable.
 */
#ifndef ENTENTE_PLUGIN_SHOPIFY_H
#define ENTENTE_PLUGIN_SHOPIFY_H

#include "../common/text.h"

/* The orders export had 47, 75 and 79 columns over the years; the checkouts export has a subset of them. Both decoders
 * ask for these, by name, and take what the file has. */
enum {
	C_NAME,
	C_EMAIL,
	C_FINANCIAL,
	C_PAID_AT,
	C_FULFILLED_AT,
	C_CURRENCY,
	C_SUBTOTAL,
	C_SHIPPING,
	C_TAXES,
	C_TOTAL,
	C_DISCOUNT,
	C_SHIPPING_METHOD,
	C_CREATED_AT,
	C_LINE_QUANTITY,
	C_LINE_NAME,
	C_LINE_PRICE,
	C_LINE_SKU,
	C_BILLING_COUNTRY,
	C_SHIPPING_COUNTRY,
	C_NOTE_ATTRIBUTES,
	C_CANCELLED_AT,
	C_PAYMENT_METHOD,
	C_REFUNDED,
	C_VENDOR,
	C_OUTSTANDING,
	C_EMPLOYEE,
	C_ID,
	C_SOURCE,
	C_LINE_DISCOUNT,
	C_COUNT
};

enum { SHOPIFY_KEY_MAX = 255, SHOPIFY_WORD_MAX = 128 };

/* The order, or the checkout, that the row before belonged to. */
typedef struct shopify_carried {
	char name[SHOPIFY_KEY_MAX], id[SHOPIFY_KEY_MAX], partner[SHOPIFY_KEY_MAX];
	uint32_t name_n, id_n, partner_n; /* name_n 0: none yet */
	uint32_t lines;                   /* rows of it so far: number of the last line */
	char currency[4];
	uint8_t bad;  /* it was rejected, and so are its further rows */
	uint8_t held; /* checkouts: `cart` waits for further rows */
} shopify_carried;

/* A way to pay that was seen; n 0: none. */
typedef struct shopify_paid {
	char text[SHOPIFY_WORD_MAX];
	uint32_t n;
	int test;
} shopify_paid;

typedef struct shopify {
	const ent_host *host;
	ent_ctx *ctx;
	int by_vendor; /* the partner is the Vendor of an order's first row */
	shopify_carried c;
	/* The last date read, and the last day: exports are sorted by time and name one order's times again and again. */
	char stamp[25];
	ent_time stamp_time;
	char day_text[10];
	int64_t day;
	/* Orders: the facts in hand. Kept, because clearing so much for every row takes longer than setting what a row has;
	 * what orders.c never sets stays absent. */
	ent_order order;
	ent_line line;
	char number[12]; /* key of the line */
	shopify_paid paid[8];
	/* Checkouts: the cart in hand; its strings point into the buffers below and into `c`. */
	ent_cart cart;
	uint64_t content;
	char channel[SHOPIFY_WORD_MAX], hash[16];
} shopify;

enum { SHOPIFY_OPT_PARTNER };

/* rows.c: what both exports have in common. */
int shopify__key(const shopify *d, ent_str *key);
int shopify__continues(const shopify_carried *c, const ent_row *r);
const char *shopify__carry(shopify *d, const ent_row *r);
int shopify__time(shopify *d, ent_str text, ent_time *out);
int shopify__is_checkout(ent_str name, ent_str id, ent_str financial, ent_str paid_at);
void shopify__reject(shopify *d, const ent_row *r, uint32_t column, const char *why);
ent_status shopify__create(const ent_host *host, ent_ctx *ctx, const ent_value *options, void **self);
ent_status shopify__begin(void *self, const ent_doc *doc);
int shopify__starts(void *self, const ent_row *before, const ent_row *row);
void shopify__destroy(void *self);
int shopify__status(ent_str financial);
int shopify__is_country(ent_str code);

ent_status shopify__order_row(void *self, const ent_row *r); /* orders.c */
ent_status shopify__order_end(void *self);
ent_status shopify__cart_row(void *self, const ent_row *r); /* checkouts.c */
ent_status shopify__cart_end(void *self);
int shopify__probe_orders(ent_str head, const ent_doc *doc, const char **why); /* probe.c */
int shopify__probe_checkouts(ent_str head, const ent_doc *doc, const char **why);
extern const ent_option shopify__options[]; /* shopify.c */
extern const ent_decoder shopify__json;     /* json.c */
extern const ent_decoder shopify__document; /* json.c */

#endif
