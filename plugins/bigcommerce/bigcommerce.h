/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the BigCommerce plugin share. One thread, that of the worker.
 */
#ifndef ENTENTE_PLUGINS_BIGCOMMERCE_H
#define ENTENTE_PLUGINS_BIGCOMMERCE_H

#include "../common/jsonl.h"
#include "../common/status.h"

enum { BIGCOMMERCE_OPT_STATUSES, BIGCOMMERCE_OPT_ARCHIVED };
enum { BIGCOMMERCE_CART = 200 }; /* beyond status.h: a checkout that was left */

typedef struct bigcommerce {
	const ent_host *host;
	ent_ctx *ctx;
	jsonl input;
	status_map statuses;
	int keep_archived;
	ent_line *lines;
	size_t lines_room;
} bigcommerce;

/* record.c: one record, whatever it is. ENT_OK also where it was rejected. */
ent_status bigcommerce__record(void *self, json_object *record, uint64_t place);
ent_status bigcommerce__reject(bigcommerce *b, uint64_t place, const char *why);

/* order.c */
ent_status bigcommerce__order(bigcommerce *b, json_object *record, uint64_t place);
/* Takes back what came under the keys, the order or the cart. */
ent_status bigcommerce__gone(bigcommerce *b, ent_str order, ent_str cart, ent_time version, uint64_t place);
/* RFC 2822, or ISO 8601; empty where nothing happened. -1: it is there, and is no time. */
int bigcommerce__time(const bigcommerce *b, json_object *o, const char *key, ent_time *out);

/* line.c: reads a line but for its order and currency. NULL, or what is wrong. */
const char *bigcommerce__line(const bigcommerce *b, json_object *o, ent_line *l);
/* part * whole / of, half to even; of > 0. -1: out of range. */
int bigcommerce__share(int64_t part, int64_t whole, int64_t of, int64_t *out);

#endif
