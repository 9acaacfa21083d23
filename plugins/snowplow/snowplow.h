/* SPDX-License-Identifier: Apache-2.0
 *
 * Snowplow's enriched events, one a line, 131 fields between tabs. What the files of the decoder share. One instance,
 * one thread.
 */
#ifndef ENTENTE_PLUGIN_SNOWPLOW_H
#define ENTENTE_PLUGIN_SNOWPLOW_H

#include "../common/carts.h"
#include "../common/jsonl.h"
#include "../common/rows.h"

/* Fields by their number, of those that are read. */
enum {
	F_COLLECTOR = 3,
	F_EVENT = 5,
	F_EVENT_ID = 6,
	F_USER_ID = 12,
	F_DOMAIN_USER = 15,
	F_SESSION_INDEX = 16,
	F_NETWORK_USER = 17,
	F_COUNTRY = 18,
	F_REFR_HOST = 39,
	F_REFR_MEDIUM = 44,
	F_REFR_SOURCE = 45,
	F_PATH = 35,
	F_MEDIUM = 47,
	F_SOURCE = 48,
	F_CAMPAIGN = 51,
	F_CONTEXTS = 52,
	F_UNSTRUCT = 58,
	F_TR_ORDER = 59,
	F_TR_TOTAL = 61,
	F_TR_TAX = 62,
	F_TR_SHIPPING = 63,
	F_TI_ORDER = 67,
	F_TI_SKU = 68,
	F_TI_NAME = 69,
	F_TI_CATEGORY = 70,
	F_TI_PRICE = 71,
	F_TI_QUANTITY = 72,
	F_DEVICE = 101,
	F_TR_CURRENCY = 108,
	F_TI_CURRENCY = 112,
	F_DERIVED_CONTEXTS = 122,
	F_SESSION = 123,
	F_DERIVED = 124,
	F_FINGERPRINT = 129,
	F_TRUE = 130,
	FIELDS = 131
};

enum { KEY_MAX = 255, DAYS_MAX = 128 };

typedef struct snowplow {
	const ent_host *host;
	ent_ctx *ctx;
	char currency[4];
	json_tokener *tokener;
	/* of the document */
	rows rows;
	carts carts;
	seen events;
	int64_t days[DAYS_MAX];
	int n_days;
	uint64_t good, bad; /* rows with 131 fields, and others */
	/* the row in hand */
	ent_str f[FIELDS];
	json_object *contexts, *unstruct; /* NULL: none, or not needed */
	char session[KEY_MAX + 1];
	ent_str key; /* of the session; absent: it has none */
	int64_t at;  /* microseconds */
	ent_id visitor;
} snowplow;

/* One event, whose fields stand in s->f. */
ent_status event(snowplow *s, uint64_t place);

/* Data of the first context whose schema holds `/name/`, or NULL. */
json_object *context(const snowplow *s, const char *name);
/* The i-th product among the contexts, or NULL. */
json_object *product(const snowplow *s, size_t i);
/* A purchase of the e-commerce schemas; *key: that of its order, absent if it was rejected. */
ent_status transaction(snowplow *s, uint64_t place, ent_str *key);
/* The same of the older events `transaction` and `transaction_item`. */
ent_status old_transaction(snowplow *s, uint64_t place, ent_str *key);
ent_status old_item(snowplow *s, uint64_t place);
/* Three capital letters, else the option; -1: neither. */
int currency_of(const snowplow *s, ent_str text, char out[4]);

#endif
