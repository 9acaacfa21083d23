/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the Magento plugin share: columns of the order grid's export, options, the state of an instance.
 * One thread, that of the worker.
 */
#ifndef ENTENTE_PLUGINS_MAGENTO_H
#define ENTENTE_PLUGINS_MAGENTO_H

#include "../common/status.h"

/* Names and addresses are never asked for. */
enum {
	C_ID,
	C_POINT,
	C_DATE,
	C_TOTAL_BASE,
	C_TOTAL,
	C_STATUS,
	C_EMAIL,
	C_GROUP,
	C_SUBTOTAL,
	C_SHIPPING,
	C_PAYMENT,
	C_REFUNDED,
	C_COUNT
};

enum {
	MAGENTO_OPT_CURRENCY,
	MAGENTO_OPT_STATUSES,
	MAGENTO_OPT_PARTNER,
	MAGENTO_OPT_KEYS,
	MAGENTO_OPT_REST,
	MAGENTO_OPT_DATES,
	MAGENTO_OPT_LABELS
};

enum { MAGENTO_BY_SOURCE, MAGENTO_BY_POINT }; /* option partner */
enum { MAGENTO_KEYS_VIEW, MAGENTO_KEYS_ID };
enum { MAGENTO_REST_UNKNOWN, MAGENTO_REST_TAX, MAGENTO_REST_DISCOUNT };
enum { MAGENTO_TEXT_MAX = 255 };

typedef struct magento {
	const ent_host *host;
	ent_ctx *ctx;
	status_map statuses;
	int partner, keys, rest;
	const char *dates; /* pattern of the configuration, or NULL */
	char currency[4];
	ent_column *columns;
	char point[MAGENTO_TEXT_MAX + 1], key[MAGENTO_TEXT_MAX + 1];
} magento;

ent_status magento__row(void *self, const ent_row *r);

/* words.c: what stands in cells, plainly. */

/* The code that a status is written as, or was: "Pending Payment" is pending_payment. */
int magento__status(const magento *m, ent_str cell);
/* "Website / Store / View", whatever breaks and blanks the cell sets them apart by. Returns the length, or more than
 * MAGENTO_TEXT_MAX if it does not fit. */
size_t magento__point(ent_str cell, char out[MAGENTO_TEXT_MAX + 1]);
/* 0 or -1. */
int magento__time(const magento *m, ent_str cell, ent_time *out);

#endif
