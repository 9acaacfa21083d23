/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the Broadleaf plugin share. One thread, that of the worker.
 */
#ifndef ENTENTE_PLUGINS_BROADLEAF_H
#define ENTENTE_PLUGINS_BROADLEAF_H

#include "../common/text.h"

/* Columns of BLC_ORDER. */
enum {
	O_ID,
	O_STATUS,
	O_NUMBER,
	O_CUSTOMER,
	O_EMAIL,
	O_CURRENCY,
	O_SUBTOTAL,
	O_TAX,
	O_SHIPPING,
	O_TOTAL,
	O_SUBMITTED,
	O_CREATED,
	O_UPDATED,
	O_COUNT
};

/* Columns of BLC_ORDER_ITEM, and of what it is joined with at times. */
enum { I_ID, I_ORDER, I_PARENT, I_PRICE, I_QUANTITY, I_NAME, I_CATEGORY, I_TAX, I_SKU, I_PRODUCT, I_STATUS, I_COUNT };

enum { BLC_OPT_CURRENCY, BLC_OPT_STATUSES, BLC_OPT_DATES, BLC_OPT_LEFT_AFTER };
enum { BLC_ITEM_OPT_PRICE, BLC_ITEM_OPT_STATUSES };

/* Beyond ent_order_status: what a row is. */
enum { BLC_UNKNOWN = -1, BLC_CART = 100, BLC_CSR_CART, BLC_SKIP };

enum { BLC_KEY_MAX = 64 };

typedef struct blc_cart {
	ent_cart fact; /* its key points nowhere until it is pushed */
	char key[BLC_KEY_MAX];
	size_t key_n;
	int64_t touched; /* microseconds of the database's clock */
} blc_cart;

typedef struct blc {
	const ent_host *host;
	ent_ctx *ctx;
	const ent_value *statuses; /* the host keeps it */
	char currency[4];
	const char *dates; /* pattern, or NULL */
	int64_t left_after;
	int by_line; /* PRICE is that of the line */
	/* Carts that were in use not long before the newest time seen so far, which is taken for that of the export. */
	int64_t newest;
	blc_cart *carts;
	size_t n_carts, room, settle_at;
} blc;

/* What a status means. */
int blc__status(const blc *b, ent_str word);
/* A cell; absent also where a database wrote its word for NULL. */
ent_str blc__cell(const ent_row *r, size_t column);
/* 0, or -1 with the row rejected. An empty cell is absent. */
int blc__time(blc *b, const ent_row *r, size_t column, ent_time *out);
ent_status blc__reject(blc *b, const ent_row *r, uint32_t column, const char *why);

ent_status blc__order(void *self, const ent_row *r);
ent_status blc__item(void *self, const ent_row *r);

/* Takes a cart that was touched then; pushes it once it is certain that nobody was at it when the export was made. */
ent_status blc__cart(blc *b, ent_cart *fact, ent_str key, int64_t touched);
/* Pushes what is certain by now; at the `end` says of the rest that it was in use. */
ent_status blc__settle(blc *b, int end);

extern const char *const blc__meanings[];

#endif
