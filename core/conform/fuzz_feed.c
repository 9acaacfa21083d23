/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plugin does as seen from the host: which of the host's functions it calls from where and with what result, and
 * which kinds of facts and reasons follow each other. libFuzzer takes these counters for coverage, so that it is guided
 * also where the plugin is not instrumented. One thread. */
#include "conform/fuzz.h"

#include <string.h>

#define COUNTERS (1u << 14)

/* libFuzzer finds them by this name, adds them to its features after each input, and sets them to zero. */
__attribute__((section("__libfuzzer_extra_counters"), used)) static uint8_t counters[COUNTERS];

static void count(uint64_t what) {
	uint8_t *c = &counters[(what * UINT64_C(0x9e3779b97f4a7c15)) >> 50];
	*c = (uint8_t)(*c + (*c < 255));
}

/* ---- the host between ---------------------------------------------------------------------------------------------
 */

static const ent_host *host; /* that the trial gave */
static const ent_decoder *plugins;
static ent_host noting;
static ent_decoder copy;

#define FROM ((uint64_t)(uintptr_t)__builtin_return_address(0) << 8)

static ent_status push(ent_ctx *c, ent_fact kind, const void *items, size_t stride, size_t n) {
	count(FROM + kind);
	return host->push(c, kind, items, stride, n);
}

static void reject(ent_ctx *c, uint64_t place, uint32_t column, const char *why) {
	count(FROM + (column & 0xff));
	host->reject(c, place, column, why);
}

static void skip(ent_ctx *c, uint64_t place, const char *why) {
	count(FROM);
	host->skip(c, place, why);
}

static ent_status error(ent_ctx *c, uint64_t place, uint32_t column, const char *what, const char *todo) {
	count(FROM + (column & 0xff));
	return host->error(c, place, column, what, todo);
}

static ent_id identity(ent_ctx *c, ent_id_kind kind, ent_str s) {
	count(FROM + kind + (s.n ? 16 : 0));
	return host->identity(c, kind, s);
}

static void covers(ent_ctx *c, ent_fact kind, ent_time from, ent_time to, int complete) {
	count(FROM + kind);
	host->covers(c, kind, from, to, complete);
}

static int money(ent_str text, char decimal, char group, int64_t *micro) {
	int bad = host->money(text, decimal, group, micro);
	count(FROM + (bad ? 1 : *micro < 0 ? 2 : *micro == 0 ? 3 : 4));
	return bad;
}

static int time_of(ent_str text, const char *pattern, ent_time *out) {
	int bad = host->time(text, pattern, out);
	count(FROM + (bad ? 1 : 2 + out->kind));
	return bad;
}

static ent_status create(const ent_host *given, ent_ctx *c, const ent_value *options, void **self) {
	host = given;
	noting = *given;
	noting.push = push;
	noting.reject = reject;
	noting.skip = skip;
	noting.error = error;
	noting.identity = identity;
	noting.covers = covers;
	noting.money = money;
	noting.time = time_of;
	return plugins->create(&noting, c, options, self);
}

const ent_decoder *ent__feed_decoder(const ent_decoder *d) {
	plugins = d;
	copy = (ent_decoder){0};
	memcpy(&copy, d, d->size < sizeof copy ? d->size : sizeof copy);
	copy.create = create;
	return &copy;
}

/* ---- what was said -------------------------------------------------------------------------------------------------
 */

static uint64_t hash(const char *p, size_t n, uint64_t h) {
	for (size_t i = 0; i < n; i++) {
		h = (h ^ (unsigned char)p[i]) * UINT64_C(0x100000001b3);
	}
	return h;
}

/* Of a line of a golden file: its members, and the values that are words of the plugin or small codes. */
static uint64_t shape(const char *p, size_t n) {
	const char *end = p + n;
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (const char *q = p; q < end && (q = memchr(q, '"', (size_t)(end - q)));) {
		const char *name = ++q;
		q = memchr(q, '"', (size_t)(end - q));
		if (!q || q + 2 >= end || q[1] != ':') {
			continue;
		}
		size_t length = (size_t)(q - name);
		h = hash(name, length, h);
		q += 2;
		bool word = (length == 3 && !memcmp(name, "why", 3)) || (length == 6 && !memcmp(name, "column", 6)) ||
					(length == 4 && !memcmp(name, "fact", 4)) || (length == 7 && !memcmp(name, "verdict", 7));
		const char *value = q;
		if (*q == '"') {
			for (q++; q < end && *q != '"'; q++) {
				q += *q == '\\';
			}
			q += q < end;
			h = word ? hash(value, (size_t)(q - value), h) : h;
		} else if (q + 1 < end && (q[1] == ',' || q[1] == '}')) {
			h = hash(q, 1, h);
		}
	}
	return h;
}

void ent__feed(const ent__trial *t) {
	const char *text = (const char *)t->text.data;
	uint64_t before = (uint64_t)t->failed * 2 + 1;
	for (size_t i = 0; i < t->n_events; i++) {
		const ent__event *v = &t->events[i];
		uint64_t s = v->n ? shape(text + v->at, v->n) : v->type;
		count(s);
		count(s + before * 3);
		before = s;
	}
	count(before * 5 + (uint64_t)-t->returned);
}
