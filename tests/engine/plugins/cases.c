/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin for the tests of the engine:
 *   month   orders of a document that is complete for January 2024; does not restate
 *   flood   every row as many carts as it says, after waiting as long as it says; restates
 * and which dies where it should only look: a document that starts with '!' ends the process that probes it. */
#include "entente/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct cases {
	const ent_host *host;
	ent_ctx *ctx;
} cases;

static const ent_column columns[] = {{"key", NULL, 1}, {"at", NULL, 1}, {"total", NULL, 1}, {"updated", NULL, 0},
	{"padding", NULL, 0}, {NULL, NULL, 0}};
enum { KEY, AT, TOTAL, UPDATED };

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *options, void **self) {
	(void)options;
	cases *c = calloc(1, sizeof *c);
	if (!c) {
		return ENT_ENOMEM;
	}
	*c = (cases){host, ctx};
	*self = c;
	return ENT_OK;
}

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	if (head.n && head.p[0] == '!') {
		abort();
	}
	*why = "a header with key, at, total";
	return head.n > 12 && !memcmp(head.p, "key,at,total", 12) ? 90 : 0;
}

static ent_status end(void *self) {
	(void)self;
	return ENT_OK;
}

static ent_status begin_month(void *self, const ent_doc *doc) {
	cases *c = self;
	(void)doc;
	ent_time from, to;
	if (c->host->time((ent_str){"2024-01-01", 10}, NULL, &from) || c->host->time((ent_str){"2024-02-01", 10}, NULL, &to)) {
		return ENT_EINTERNAL;
	}
	c->host->covers(c->ctx, ENT_ORDER, from, to, 1);
	return ENT_OK;
}

static ent_status month_row(void *self, const ent_row *r) {
	cases *c = self;
	ent_order o = {.h = {.place = r->place, .key = r->cell[KEY], .has = ENT_HAS_TOTAL}, .currency = "EUR"};
	if (c->host->time(r->cell[AT], NULL, &o.at) || c->host->money(r->cell[TOTAL], '.', 0, &o.total)) {
		c->host->reject(c->ctx, r->place, AT, "not a time or an amount");
		return ENT_OK;
	}
	if (r->cell[UPDATED].n && c->host->time(r->cell[UPDATED], NULL, &o.h.version)) {
		c->host->reject(c->ctx, r->place, UPDATED, "not a time");
		return ENT_OK;
	}
	return c->host->push(c->ctx, ENT_ORDER, &o, sizeof o, 1);
}

static ent_status begin_flood(void *self, const ent_doc *doc) {
	(void)self;
	(void)doc;
	return ENT_OK;
}

static int starts(void *self, const ent_row *before, const ent_row *row) {
	(void)self;
	(void)before;
	(void)row;
	return 1;
}

/* total: carts of the row; updated: milliseconds to wait before */
static ent_status flood_row(void *self, const ent_row *r) {
	cases *c = self;
	char key[64];
	struct timespec now, start;
	double wait = strtod(r->cell[UPDATED].n ? r->cell[UPDATED].p : "0", NULL);
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - start.tv_sec) * 1e3 + (double)(now.tv_nsec - start.tv_nsec) / 1e6 < wait);
	for (long i = 0; i < strtol(r->cell[TOTAL].p, NULL, 10); i++) {
		int n = snprintf(key, sizeof key, "%.*s-%ld", (int)(r->cell[KEY].n < 32 ? r->cell[KEY].n : 32), r->cell[KEY].p, i);
		ent_cart cart = {.h = {.place = r->place, .key = {key, (size_t)n}}, .currency = "EUR", .value = 1000000};
		if (c->host->time(r->cell[AT], NULL, &cart.started_at)) {
			c->host->reject(c->ctx, r->place, AT, "not a time");
			return ENT_OK;
		}
		ent_status status = c->host->push(c->ctx, ENT_CART, &cart, sizeof cart, 1);
		if (status) {
			return status;
		}
	}
	return ENT_OK;
}

static const ent_decoder month = {.size = sizeof month,
	.name = "month",
	.doc = "For tests: orders of January 2024, all of them.",
	.version = "1",
	.system = "month",
	.facts = 1u << ENT_ORDER,
	.frame = ENT_FRAME_DELIMITED,
	.columns = columns,
	.probe = probe,
	.create = create,
	.begin = begin_month,
	.row = month_row,
	.end = end,
	.destroy = free};
static const ent_decoder flood = {.size = sizeof flood,
	.flags = ENT_DECODER_RESTATES,
	.name = "flood",
	.doc = "For tests: many carts of few bytes.",
	.version = "1",
	.system = "flood",
	.facts = 1u << ENT_CART,
	.frame = ENT_FRAME_DELIMITED,
	.columns = columns,
	.create = create,
	.begin = begin_flood,
	.row = flood_row,
	.starts = starts,
	.end = end,
	.destroy = free};
static const ent_decoder *const decoders[] = {&month, &flood, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "cases",
	.version = "1.0",
	.decoders = decoders};
