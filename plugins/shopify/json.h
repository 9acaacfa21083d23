/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the decoder of JSON share: the state of one instance. One thread, that of the worker.
 */
#ifndef ENTENTE_PLUGIN_SHOPIFY_JSON_H
#define ENTENTE_PLUGIN_SHOPIFY_JSON_H

#include "../common/jsonl.h"
#include "shopify.h"

/* Facts are pushed from arrays of these: the keys that we make lie beside them. */
typedef struct shopify_line {
	ent_line line;
	char key[12];
} shopify_line;

typedef struct shopify_refund {
	ent_refund refund;
	char key[48];
} shopify_refund;

typedef struct shopify_json {
	jsonl input;
	int by_vendor; /* the partner is the vendor of an order's first line */
	shopify_line *lines;
	size_t lines_room, n_lines;
	shopify_refund *refunds;
	size_t refunds_room, n_refunds;
	char payment[SHOPIFY_KEY_MAX];
} shopify_json;

/* One order: json.c's record. */
ent_status shopify__order(void *self, json_object *record, uint64_t place);

/* Dated refunds of an order whose header and lines are there. NULL, or what is wrong. Room has to be there for
 * shopify__refunds_at_most(). */
const char *shopify__refunds(shopify_json *d, json_object *record, const ent_order *o);
size_t shopify__refunds_at_most(json_object *record);

#endif
