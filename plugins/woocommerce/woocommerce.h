/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the WooCommerce plugin share. One thread, that of the worker.
 */
#ifndef ENTENTE_PLUGINS_WOOCOMMERCE_H
#define ENTENTE_PLUGINS_WOOCOMMERCE_H

#include "../common/jsonl.h"

enum { WOO_OPT_STATUSES };

/* Beyond ent_order_status: what is done with an order of a status. */
enum { WOO_SKIP = 100, WOO_GONE };

typedef struct woo_status {
	ent_str word; /* without "wc-" */
	int means;
} woo_status;

typedef struct woo {
	const ent_host *host;
	ent_ctx *ctx;
	const woo_status *statuses; /* those of the configuration */
	size_t n_statuses;
	jsonl input;
	ent_line *lines;
	size_t lines_room;
	char *names; /* of the lines of one order, with entities resolved */
	size_t names_n, names_room;
} woo;

/* One record. ENT_OK also where it was rejected. */
ent_status woo__record(void *self, json_object *record, uint64_t place);

/* What a status means; -1: nobody knows. */
int woo__status(const woo *w, ent_str word);

/* The choices of the option `statuses`, and what they mean. */
extern const char *const woo__meanings[];
int woo__meaning(ent_str word);

/* Copies text with HTML's entities resolved into `out`, which has room for as many bytes. Returns how many it took. */
size_t woo__plain(ent_str text, char *out);

#endif
