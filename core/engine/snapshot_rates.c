/* SPDX-License-Identifier: Apache-2.0
 *
 * Exchange rates of a snapshot, see metrics/snapshot.h: what one unit of each currency is in the reporting currency,
 * day by day. Tables quote either way, and most of them against one currency only: a rate is taken as it is quoted,
 * else turned round, else made of two by way of the currency that both are quoted against. Loop thread only. */
#include "base/day.h"
#include "base/num.h"
#include "engine/internal.h"
#include "engine/snapshot_build.h"

#include <stdlib.h>
#include <string.h>

enum { RATE_HOLDS = 35 }; /* days that a rate holds until the next one: monthly tables have no gaps then */

/* Of several rates of a day, the one of the highest rank counts. */
enum { BY_ANOTHER = 0, TURNED_ROUND = 2, AS_QUOTED = 4, OF_THE_DAY = 1 /* and not of its month */ };

/* Neither side is the reporting currency. */
typedef struct other {
	uint32_t from, to; /* codes: 1 from = value / ten to */
	int32_t day;
	int64_t value, ten;
	uint8_t rank;
} other;

typedef struct rates {
	ent__build *b;
	other *others;
	size_t n, capacity;
} rates;

static void add(ent__build *b, uint32_t currency, int32_t day, ent_i128 rate, uint8_t rank) {
	if (rate > 0 && rate <= INT64_MAX) {
		ENT_GROW(b->rates, b->n_rates, b->rates_capacity);
		b->rates[b->n_rates++] =
			(ent__build_rate){.currency = currency, .day = day, .rate = (int64_t)rate, .rank = rank};
	}
}

/* A month's rate ends with the month; see put_end() in records.c. */
static bool of_the_day(const ent_record *r) {
	char text[16];
	const char *to = strstr(r->json, "\"to\":\"");
	return !to || !strncmp(to + 6, ent_day_text(r->day + 1, text), 10);
}

static int take(void *ctx, const ent_record *r) {
	rates *all = ctx;
	ent__build *b = all->b;
	const char *topic = ent__text(b->e, r->register_);
	char from[24], to[8];
	long long value;
	unsigned scale;
	if (r->day > b->as_of || sscanf(topic, "rate/%20[^/]/%3s", from, to) != 2 ||
		sscanf(r->json, "{\"value\":%lld,\"scale\":%u", &value, &scale) != 2 || value <= 0 || scale > 12) {
		return 0;
	}
	const char *reporting = b->e->config->currency.s;
	bool direct = !strcmp(to, reporting), inverse = !strcmp(from, reporting);
	int64_t ten = 1;
	for (unsigned i = 0; i < scale; i++) {
		ten *= 10;
	}
	uint8_t finer = of_the_day(r) ? OF_THE_DAY : 0;
	if (direct && !inverse) {
		add(b, ent__code_of(b->e, from), r->day, ent_div_half_even((ent_i128)value * ENT_SNAP_RATE_ONE, ten),
			AS_QUOTED | finer);
	} else if (inverse && !direct) {
		add(b, ent__code_of(b->e, to), r->day, ent_div_half_even((ent_i128)ten * ENT_SNAP_RATE_ONE, value),
			TURNED_ROUND | finer);
	} else if (!direct && strcmp(from, to) != 0) {
		ENT_GROW(all->others, all->n, all->capacity);
		all->others[all->n++] =
			(other){ent__code_of(b->e, from), ent__code_of(b->e, to), r->day, value, ten, BY_ANOTHER | finer};
	}
	return 0;
}

/* The one that counts comes last within its day. */
static int by_day(const void *x, const void *y) {
	const ent__build_rate *a = x, *b = y;
	if (a->currency != b->currency) {
		return a->currency < b->currency ? -1 : 1;
	}
	if (a->day != b->day) {
		return a->day < b->day ? -1 : 1;
	}
	if (a->rank != b->rank) {
		return a->rank < b->rank ? -1 : 1;
	}
	return a->rate < b->rate ? -1 : a->rate > b->rate; /* two tables that disagree: the same one always counts */
}

/* How many of the first n rates, which are in order, are not behind this day of the currency. */
static size_t until(const ent__build *b, size_t n, uint32_t currency, int32_t day) {
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const ent__build_rate *r = &b->rates[middle];
		if (r->currency < currency || (r->currency == currency && r->day <= day)) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/* The rate that holds on the day. 0: none. */
static int64_t held(const ent__build *b, size_t n, uint32_t currency, int32_t day) {
	size_t end = until(b, n, currency, day);
	const ent__build_rate *r = end ? &b->rates[end - 1] : NULL;
	return r && r->currency == currency && day - r->day < RATE_HOLDS ? r->rate : 0;
}

static bool known(const ent__build *b, size_t n, uint32_t currency) {
	size_t end = until(b, n, currency, INT32_MAX);
	return end && b->rates[end - 1].currency == currency;
}

/* Rates between two other currencies, of which exactly one is quoted against the reporting currency: the other one's
 * rate goes by way of it. One that is quoted itself needs no such way, and would get two rates that differ by what a
 * bank takes. */
static void go_by_another(rates *all) {
	ent__build *b = all->b;
	size_t n = b->n_rates;
	ENT_SORT(b->rates, n, by_day);
	for (size_t i = 0; i < all->n; i++) {
		const other *o = &all->others[i];
		bool from = known(b, n, o->from), to = known(b, n, o->to);
		if (from == to) {
			continue;
		}
		int64_t by = held(b, n, from ? o->from : o->to, o->day), rate;
		/* 1 from = value/ten to; by is what the one that is known is worth */
		if (by && ent_muldiv(by, from ? o->ten : o->value, from ? o->value : o->ten, &rate)) {
			add(b, from ? o->to : o->from, o->day, rate, o->rank);
		}
	}
}

static void lay_out(ent__build *b) {
	for (size_t i = 0; i < b->n_rates; i++) { /* in order of the snapshot's texts */
		b->rates[i].currency = ent__build_text(b, b->rates[i].currency);
	}
	ENT_SORT(b->rates, b->n_rates, by_day);
	for (size_t i = 0; i < b->n_rates;) {
		size_t k = i;
		while (k < b->n_rates && b->rates[k].currency == b->rates[i].currency) {
			k++;
		}
		int32_t day0 = b->rates[i].day, end = b->rates[k - 1].day + RATE_HOLDS;
		end = end > b->as_of ? b->as_of : end;
		uint64_t n = (uint64_t)(end - day0) + 1;
		ent_snap_rate row = {.currency = b->rates[i].currency, .day0 = day0, .n = n, .data = b->data.n};
		ent_buf_reserve(&b->data, n * 8);
		int64_t *out = (int64_t *)(b->data.data + b->data.n);
		memset(out, 0, n * 8);
		for (size_t r = i; r < k; r++) {
			int32_t until = r + 1 < k ? b->rates[r + 1].day : end + 1;
			for (int32_t d = b->rates[r].day; d < until && d <= end && d - b->rates[r].day < RATE_HOLDS; d++) {
				out[d - day0] = b->rates[r].rate;
			}
		}
		b->data.n += n * 8;
		ent_buf_add(&b->rate_rows, &row, sizeof row);
		i = k;
	}
}

int ent__build_rates(ent__build *b, ent_error *e) {
	rates all = {.b = b};
	int status = ent__build_scan_records(b, ENT_OBSERVATION, UINT32_MAX, take, &all, e);
	go_by_another(&all);
	lay_out(b);
	free(all.others);
	return status;
}
