/* SPDX-License-Identifier: Apache-2.0
 *
 * A decoder of lines for tests of the inbox:
 *   o KEY DAY CENTS CUSTOMER VERSION   an order; VERSION 0: it does not say when it changed
 *   v USER DAY                         a visit with one page, which add up
 *   anything else                      rejected */
#include "entente/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct hook {
	const ent_host *host;
	ent_ctx *ctx;
	uint64_t at;
} hook;

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *options, void **self) {
	(void)options;
	hook *h = calloc(1, sizeof *h);
	*self = h;
	if (h) {
		h->host = host;
		h->ctx = ctx;
	}
	return h ? ENT_OK : ENT_ENOMEM;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)doc;
	((hook *)self)->at = 0;
	return ENT_OK;
}

static ent_status end(void *self) {
	(void)self;
	return ENT_OK;
}

static ent_status line(hook *h, const char *text, uint64_t place) {
	char key[32], who[32];
	long long day, cents, version;
	if (sscanf(text, "o %31s %lld %lld %31s %lld", key, &day, &cents, who, &version) == 5) {
		ent_order o = {.h = {.place = place, .key = {key, strlen(key)}, .has = ENT_HAS_TOTAL | ENT_HAS_GROSS},
			.flags = ENT_ORDER_LINES_COMPLETE,
			.at = {.v = (day * 86400 + 43200) * 1000000, .kind = ENT_TIME_INSTANT},
			.currency = "EUR",
			.gross = cents * 10000,
			.total = cents * 10000};
		if (version) {
			o.h.version = (ent_time){.v = 1700000000000000 + version * 1000000, .kind = ENT_TIME_INSTANT};
		}
		o.customer = h->host->identity(h->ctx, ENT_ID_EMAIL, (ent_str){who, strlen(who)});
		return h->host->push(h->ctx, ENT_ORDER, &o, sizeof o, 1);
	}
	if (sscanf(text, "v %31s %lld", who, &day) == 2) {
		int n = snprintf(key, sizeof key, "%.20s-%lld", who, day);
		ent_visit v = {.h = {.place = place, .key = {key, (size_t)n}},
			.at = {.v = (day * 86400 + 43200) * 1000000, .kind = ENT_TIME_INSTANT},
			.pageviews = 1};
		v.visitor = h->host->identity(h->ctx, ENT_ID_COOKIE, (ent_str){who, strlen(who)});
		return h->host->push(h->ctx, ENT_VISIT, &v, sizeof v, 1);
	}
	h->host->reject(h->ctx, place, ENT_NO_COLUMN, "no line of this kind");
	return ENT_OK;
}

static ent_status feed(void *self, ent_str bytes, int eof) {
	hook *h = self;
	ent_status status = ENT_OK;
	(void)eof;
	for (size_t i = 0; i < bytes.n && !status;) {
		const char *stop = memchr(bytes.p + i, '\n', bytes.n - i);
		size_t n = stop ? (size_t)(stop - bytes.p) - i : bytes.n - i;
		char text[256] = "";
		memcpy(text, bytes.p + i, n < sizeof text ? n : sizeof text - 1);
		status = line(h, text, h->at + i);
		i += n + 1;
	}
	h->at += bytes.n;
	return status;
}

#define DECODER(id, f)                                                                                                 \
	static const ent_decoder id = {.size = sizeof(ent_decoder), .name = #id, .doc = "For tests.", .version = "1",      \
		.system = "hook", .facts = 1u << ENT_ORDER | 1u << ENT_VISIT, .frame = f, .create = create, .begin = begin,    \
		.end = end, .destroy = free, .feed = feed}
DECODER(hook_lines, ENT_FRAME_JSONL);
DECODER(hook_whole, ENT_FRAME_DOCUMENT);

static const ent_decoder *const decoders[] = {&hook_lines, &hook_whole, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC, .major = ENT_PLUGIN_MAJOR, .minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin), .name = "hook", .version = "1", .decoders = decoders};
