/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the WooCommerce plugin share. One thread, that of the worker.
 */
#ifndef ENTENTE_PLUGINS_WOOCOMMERCE_H
#define ENTENTE_PLUGINS_WOOCOMMERCE_H

#include "../common/jsonl.h"
#include "../common/status.h"

enum { WOO_OPT_STATUSES };

typedef struct woo {
	const ent_host *host;
	ent_ctx *ctx;
	status_map statuses;
	jsonl input;
	ent_line *lines;
	size_t lines_room;
	char *names; /* of the lines of one order, with entities resolved */
	size_t names_n, names_room;
} woo;

/* One record. ENT_OK also where it was rejected. */
ent_status woo__record(void *self, json_object *record, uint64_t place);

/* What a status means, with "wc-" before it or without. */
int woo__status(const status_map *statuses, ent_str word);

/* Copies text with HTML's entities resolved into `out`, which has room for as many bytes. Returns how many it took. */
size_t woo__plain(ent_str text, char *out);

extern const ent_decoder woo__analytics; /* analytics.c */

#endif
