/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows read from snapshots that are built by hand: sums, conversion, coverage, sets, distributions, views, origins. */
#include "metrics/dist.h"
#include "metrics/window.h"
#include "snap_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define E6 INT64_C(1000000)

typedef struct opened {
	void *block;
	size_t bytes;
	ent_snap s;
} opened;

static opened open_built(snap_build *b) {
	opened o;
	ent_error e = {0};
	o.block = snap_block(b, &o.bytes);
	if (ent_snap_open(&o.s, o.block, o.bytes, &e)) {
		fail_msg("%s", e.what);
	}
	return o;
}

static void close_built(opened *o) {
	ent_snap_finish(&o->s);
	free(o->block);
}

static ent_query query(const char *metric, uint32_t partner, int32_t start, int32_t stop) {
	int m = ent_metric_find(metric, strlen(metric));
	assert_true(m >= 0);
	return (ent_query){.partner = partner, .metric = (uint16_t)m, .origin = -1, .start = start, .stop = stop,
		.coverage = ENT_WINDOW_COVERAGE};
}

static ent_window read_of(opened *o, ent_query q) {
	ent_window w;
	assert_int_equal(ent_window_read(&o->s, &q, &w), 0);
	return w;
}

#define WINDOW(o, metric, partner, start, stop) read_of((o), query((metric), (partner), (start), (stop)))

static void series(snap_build *b, int partner, ent_measure m, const char *currency, int32_t day0, size_t n, const int64_t *v) {
	snap_series(b, partner, m, ent_measures[m].family == ENT_TRAFFIC ? ENT_ORIGIN_ANALYTICS : ENT_ORIGIN_SHOP,
		ENT_VIEW_TOTAL, "", currency, day0, n, v);
}

static void sums_and_ratios(void **state) {
	(void)state;
	snap_build b;
	snap_init(&b, 109, "EUR");
	snap_partner(&b, "a", "{}");
	snap_partner(&b, "b", "{\"profile\": {}}");
	const int64_t orders[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, cancelled[10] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 1};
	const int64_t gross[10] = {10 * E6, 20 * E6, 30 * E6}, discount[10] = {1 * E6, 0, 2 * E6}, returns[10] = {0, 5 * E6};
	const int64_t sessions[10] = {100, 100, 100, 100, 100, 100, 100, 100, 100, 100};
	series(&b, 1, ENT_M_ORDERS, "", 100, 10, orders);
	series(&b, 1, ENT_M_ORDERS_CANCELLED, "", 100, 10, cancelled);
	series(&b, 1, ENT_M_GROSS, "EUR", 100, 10, gross);
	series(&b, 1, ENT_M_DISCOUNT, "EUR", 100, 10, discount);
	series(&b, 1, ENT_M_RETURNS, "EUR", 100, 10, returns);
	series(&b, 1, ENT_M_SESSIONS, "", 100, 10, sessions);
	series(&b, 1, ENT_M_LOAD_MS, "", 100, 10, sessions);
	series(&b, 1, ENT_M_LOADS, "", 100, 10, cancelled);
	snap_cover(&b, 1, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 110);
	snap_cover(&b, 1, ENT_TRAFFIC, ENT_ORIGIN_ANALYTICS, 0, "web", 100, 109);
	opened o = open_built(&b);
	assert_int_equal(ent_snap_find_partner(&o.s, "b", 1), 1);
	assert_int_equal(ent_snap_find_partner(&o.s, "bb", 2), -1);
	assert_int_equal(ent_snap_find_partner(&o.s, "", 0), -1);
	ent_window w = WINDOW(&o, "orders", 1, 100, 110);
	assert_int_equal(w.state, ENT_WINDOW_KNOWN);
	assert_true(w.top == 55 && w.bottom == 1);
	assert_int_equal(w.covered, 10);
	assert_int_equal(w.declared, 10);
	assert_true(WINDOW(&o, "orders.placed", 1, 100, 110).top == 57);
	assert_true(WINDOW(&o, "orders", 1, 101, 103).top == 5);
	assert_true(WINDOW(&o, "orders", 1, 109, 110).top == 10);
	assert_true(WINDOW(&o, "revenue.net", 1, 100, 110).top == 52 * E6);
	w = WINDOW(&o, "aov", 1, 100, 103);
	assert_true(w.top == 52 * E6 && w.bottom == 6);
	w = WINDOW(&o, "refund_rate", 1, 100, 110);
	assert_true(w.top == 5 * E6 && w.bottom == 57 * E6);
	w = WINDOW(&o, "conversion_rate", 1, 100, 110);
	assert_true(w.top == 55 && w.bottom == 1000);
	assert_int_equal(w.state, ENT_WINDOW_KNOWN);
	assert_int_equal(w.covered, 9); /* the lesser of the two families */
	assert_int_equal(w.declared, 0);
	w = WINDOW(&o, "load_time.mean", 1, 100, 110); /* milliseconds are read as microseconds */
	assert_true(w.top == 1000 * 1000 && w.bottom == 2);
	w = WINDOW(&o, "refund_rate", 1, 105, 110);
	assert_int_equal(w.state, ENT_WINDOW_NO_DENOMINATOR);
	/* A partner of whom nothing is known. */
	w = WINDOW(&o, "orders", 0, 100, 110);
	assert_int_equal(w.state, ENT_WINDOW_NO_COVERAGE);
	assert_true(w.top == 0);
	assert_int_equal(w.covered, 0);
	ent_query q = query("orders", 2, 0, 1);
	assert_int_equal(ent_window_read(&o.s, &q, &w), ENT_ERR_NOTFOUND);
	close_built(&o);
}

/* Returns that nobody dated: by refund day the revenue is unknown, not too high. */
static void refund_days(void **state) {
	(void)state;
	const int64_t v[3] = {9, 9, 9};
	for (int dated = 0; dated < 2; dated++) {
		snap_build b;
		snap_init(&b, 102, "EUR");
		snap_partner(&b, "a", "{}");
		snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 103);
		series(&b, 0, ENT_M_GROSS, "EUR", 100, 3, v);
		series(&b, 0, ENT_M_RETURNS, "EUR", 100, 1, v);
		if (dated) {
			series(&b, 0, ENT_M_RETURNS_ON_DAY, "EUR", 102, 1, v);
		}
		opened o = open_built(&b);
		assert_true(WINDOW(&o, "revenue.net", 0, 100, 101).top == 0);
		ent_window w = WINDOW(&o, "revenue.net_by_refund_day", 0, 100, 103);
		assert_int_equal(w.state, dated ? ENT_WINDOW_KNOWN : ENT_WINDOW_NO_COVERAGE);
		assert_true(w.top == (dated ? 18 : 27));
		close_built(&o);
	}
}

static void money_is_converted_once(void **state) {
	(void)state;
	snap_build b;
	snap_init(&b, 104, "EUR");
	snap_partner(&b, "a", "{}");
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 105);
	const int64_t eur[5] = {1, 1, 1, 1, 1}, usd[5] = {1, 1, 1, 0, 7}, gbp[5] = {-3};
	const int64_t half = ENT_SNAP_RATE_ONE / 2, usd_rates[4] = {half, half, half, 0}, gbp_rates[1] = {half};
	series(&b, 0, ENT_M_GROSS, "EUR", 100, 5, eur);
	series(&b, 0, ENT_M_GROSS, "USD", 100, 5, usd);
	series(&b, 0, ENT_M_TAX, "GBP", 100, 5, gbp);
	series(&b, 0, ENT_M_TOTAL, "USD", 103, 2, usd + 3);
	series(&b, 0, ENT_M_COST, "", 100, 1, eur);
	snap_rate(&b, "USD", 100, 4, usd_rates);
	snap_rate(&b, "GBP", 100, 1, gbp_rates);
	opened o = open_built(&b);
	/* 1 + 0.5 = 1.5 goes to the even 2; 2 + 1 = 3 exactly; 3 + 1.5 = 4.5 goes to 4: rounding each day would give 3, or 6. */
	assert_true(WINDOW(&o, "revenue.gross", 0, 100, 101).top == 2);
	assert_true(WINDOW(&o, "revenue.gross", 0, 100, 102).top == 3);
	assert_true(WINDOW(&o, "revenue.gross", 0, 100, 103).top == 4);
	assert_true(WINDOW(&o, "tax", 0, 100, 101).top == -2); /* -1.5 */
	/* Day 103 has no rate and no sum: no harm. Day 104 has a sum. */
	assert_int_equal(WINDOW(&o, "revenue.gross", 0, 100, 104).state, ENT_WINDOW_KNOWN);
	ent_window w = WINDOW(&o, "revenue.gross", 0, 100, 105);
	assert_int_equal(w.state, ENT_WINDOW_NO_RATE);
	assert_int_equal(w.day, 104);
	w = WINDOW(&o, "cost", 0, 100, 105); /* money of no currency */
	assert_int_equal(w.state, ENT_WINDOW_NO_RATE);
	assert_int_equal(w.day, 100);
	assert_int_equal(ent_snap_rate_on(&o.s, o.s.head->currency, 0), ENT_SNAP_RATE_ONE);
	assert_int_equal(ent_snap_rate_on(&o.s, ent_snap_find_value(&o.s, "USD", 3), 102), half);
	assert_int_equal(ent_snap_rate_on(&o.s, ent_snap_find_value(&o.s, "USD", 3), 103), 0);
	assert_int_equal(ent_snap_rate_on(&o.s, ENT_NO_TEXT, 102), 0);
	/* By day, each day is rounded by itself. */
	int64_t days[5];
	int32_t missing;
	ent_query q = query("revenue.gross", 0, 100, 105);
	assert_int_equal(ent_window_series(&o.s, &q, days, &missing), 0);
	assert_int_equal(missing, 104);
	assert_int_equal(days[0], 2);
	assert_int_equal(days[3], 1);
	assert_null(ent_window_column(&o.s, &q));
	close_built(&o);
}

static void sums_leave_64_bits(void **state) {
	(void)state;
	snap_build b;
	snap_init(&b, 103, "EUR");
	snap_partner(&b, "a", "{}");
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 104);
	const int64_t big[4] = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
	series(&b, 0, ENT_M_GROSS, "EUR", 100, 4, big);
	series(&b, 0, ENT_M_TAX, "XXX", 100, 4, big);
	snap_rate(&b, "XXX", 100, 4, big);
	opened o = open_built(&b);
	assert_true(WINDOW(&o, "revenue.gross", 0, 100, 104).top == (__int128)INT64_MAX * 4);
	ent_query q = query("tax", 0, 100, 104);
	ent_window w;
	assert_int_equal(ent_window_read(&o.s, &q, &w), ENT_ERR_RANGE);
	int64_t days[4];
	int32_t missing;
	assert_int_equal(ent_window_series(&o.s, &q, days, &missing), ENT_ERR_RANGE);
	close_built(&o);
}

static void coverage_is_a_union(void **state) {
	(void)state;
	snap_build b;
	snap_init(&b, 129, "EUR");
	snap_partner(&b, "a", "{}");
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "jan", 100, 104);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 0, "all", 102, 106);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "feb", 103, 105);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "mar", 110, 112);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "apr", 112, 120);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "nil", 125, 125);
	opened o = open_built(&b);
	/* Against counting by hand, for every window. */
	for (int32_t start = 95; start < 130; start++) {
		for (int32_t stop = start; stop < 135; stop++) {
			int all = 0, said = 0;
			for (int32_t d = start; d < stop; d++) {
				all += (d >= 100 && d < 106) || (d >= 110 && d < 120);
				said += (d >= 100 && d < 105) || (d >= 110 && d < 120);
			}
			ent_window w = WINDOW(&o, "orders", 0, start, stop);
			assert_int_equal(w.covered, all);
			assert_int_equal(w.declared, said);
			assert_int_equal(w.state, all * 10 >= (stop - start) * 8 && all ? ENT_WINDOW_KNOWN : ENT_WINDOW_NO_COVERAGE);
		}
	}
	ent_query q = query("orders", 0, 90, 130);
	q.coverage = 0;
	assert_int_equal(read_of(&o, q).state, ENT_WINDOW_KNOWN);
	q.coverage = 400;
	assert_int_equal(read_of(&o, q).state, ENT_WINDOW_KNOWN);
	q.coverage = 401;
	assert_int_equal(read_of(&o, q).state, ENT_WINDOW_NO_COVERAGE);
	close_built(&o);
}

static void nothing_after_as_of(void **state) {
	(void)state;
	snap_build b;
	snap_init(&b, 104, "EUR");
	snap_partner(&b, "a", "{}");
	const int64_t v[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	const uint32_t counts[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, ids[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	series(&b, 0, ENT_M_ORDERS, "", 100, 10, v);
	snap_set(&b, 0, ENT_SET_CUSTOMERS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", 100, 10, counts, ids);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 110);
	opened o = open_built(&b);
	ent_window w = WINDOW(&o, "orders", 0, 100, 110);
	assert_true(w.top == 5);
	assert_int_equal(w.covered, 5);
	assert_int_equal(w.state, ENT_WINDOW_NO_COVERAGE); /* half of the window lies in the future */
	assert_true(WINDOW(&o, "customers", 0, 100, 110).top == 5);
	int64_t days[10];
	int32_t missing;
	ent_query q = query("orders", 0, 100, 110);
	assert_int_equal(ent_window_series(&o.s, &q, days, &missing), 0);
	assert_int_equal(days[4], 1);
	assert_int_equal(days[5], 0);
	assert_null(ent_window_column(&o.s, &q));
	q.stop = 105;
	assert_int_equal(ent_window_column(&o.s, &q) != NULL, !snap_as_points);
	q.start = q.stop = INT32_MAX;
	assert_true(read_of(&o, q).top == 0);
	q.start = INT32_MIN;
	assert_true(read_of(&o, q).top == 5);
	/* and as of an earlier day */
	assert_int_equal(o.s.as_of, 104);
	o.s.as_of = 102;
	assert_true(read_of(&o, q).top == 3);
	assert_true(WINDOW(&o, "orders", 0, 100, 110).top == 3);
	assert_int_equal(WINDOW(&o, "orders", 0, 100, 110).covered, 3);
	assert_true(WINDOW(&o, "customers", 0, 100, 110).top == 3);
	q.start = 100;
	q.stop = 105;
	assert_null(ent_window_column(&o.s, &q));
	assert_int_equal(ent_window_series(&o.s, &q, days, &missing), 0);
	assert_int_equal(days[2], 1);
	assert_int_equal(days[3], 0);
	close_built(&o);
}

static void origins_and_precedence(void **state) {
	(void)state;
	snap_build b;
	snap_init(&b, 101, "EUR");
	snap_partner(&b, "a", "{}");
	snap_partner(&b, "b", "{}");
	const int64_t one[2] = {1, 1}, two[2] = {2, 2}, three[2] = {3, 3};
	snap_series(&b, 0, ENT_M_ORDERS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "", 100, 2, one);
	snap_series(&b, 0, ENT_M_ORDERS, ENT_ORIGIN_ANALYTICS, ENT_VIEW_TOTAL, "", "", 100, 2, two);
	snap_series(&b, 0, ENT_M_ORDERS, ENT_ORIGIN_DECLARED, ENT_VIEW_TOTAL, "", "", 100, 2, three);
	snap_series(&b, 0, ENT_M_SESSIONS, ENT_ORIGIN_ANALYTICS, ENT_VIEW_TOTAL, "", "", 100, 2, three);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 102);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_ANALYTICS, 1, "web", 100, 102);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_DECLARED, 1, "word", 100, 102);
	snap_cover(&b, 0, ENT_TRAFFIC, ENT_ORIGIN_ANALYTICS, 1, "web", 100, 102);
	snap_series(&b, 1, ENT_M_ORDERS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "", 100, 2, one);
	snap_series(&b, 1, ENT_M_ORDERS, ENT_ORIGIN_DECLARED, ENT_VIEW_TOTAL, "", "", 100, 2, three);
	snap_cover(&b, 1, ENT_SALES, ENT_ORIGIN_DECLARED, 1, "word", 100, 102);
	opened o = open_built(&b);
	assert_true(WINDOW(&o, "orders", 0, 100, 102).top == 2);
	ent_query q = query("orders", 0, 100, 102);
	q.origin = ENT_ORIGIN_ANALYTICS;
	assert_true(read_of(&o, q).top == 4);
	q.origin = ENT_ORIGIN_DECLARED;
	assert_true(read_of(&o, q).top == 6);
	q.origin = ENT_ORIGIN_BENCHMARK;
	assert_int_equal(read_of(&o, q).state, ENT_WINDOW_NO_COVERAGE);
	/* A ratio over two families takes each from where it is known. */
	ent_window w = WINDOW(&o, "conversion_rate", 0, 100, 102);
	assert_true(w.top == 2 && w.bottom == 6);
	assert_int_equal(w.state, ENT_WINDOW_KNOWN);
	/* Coverage decides before data does. */
	assert_true(WINDOW(&o, "orders", 1, 100, 102).top == 6);
	assert_int_equal(ent_window_origin(&o.s, 1, ENT_SALES), ENT_ORIGIN_DECLARED);
	unsigned orders = query("orders", 0, 0, 1).metric, rate = query("conversion_rate", 0, 0, 1).metric;
	assert_int_equal(ent_window_origins(&o.s, 0, orders), 7);
	assert_int_equal(ent_window_origins(&o.s, 0, rate), 1 << ENT_ORIGIN_ANALYTICS);
	assert_int_equal(ent_window_origins(&o.s, 1, orders), 1 << ENT_ORIGIN_SHOP | 1 << ENT_ORIGIN_DECLARED);
	assert_int_equal(ent_window_origins(&o.s, 1, rate), 0);
	close_built(&o);
}

static void distinct_is_a_union(void **state) {
	(void)state;
	enum { DAYS = 40, PER_DAY = 500 };
	static uint32_t counts[DAYS], ids[DAYS * PER_DAY];
	snap_build b;
	snap_init(&b, 139, "EUR");
	snap_partner(&b, "a", "{}");
	for (uint32_t d = 0; d < DAYS; d++) {
		counts[d] = d == 7 ? 0 : PER_DAY;
	}
	uint32_t n = 0;
	for (uint32_t d = 0; d < DAYS; d++) {
		for (uint32_t i = 0; i < counts[d]; i++) {
			ids[n++] = (d * 100 + i) * 70000u; /* a day shares 400 of 500 with the next; high and low halves differ */
		}
	}
	snap_set(&b, 0, ENT_SET_VISITORS, ENT_ORIGIN_ANALYTICS, ENT_VIEW_TOTAL, "", 100, DAYS, counts, ids);
	snap_set(&b, 0, ENT_SET_VISITORS, ENT_ORIGIN_ANALYTICS, ENT_VIEW_CHANNEL, "mail", 100, 1, counts, ids);
	snap_cover(&b, 0, ENT_TRAFFIC, ENT_ORIGIN_ANALYTICS, 1, "web", 100, 140);
	uint32_t few_counts[6] = {100, 100, 100, 100, 100, 13}, few[513], few_n = 0;
	for (uint32_t d = 0; d < 6; d++) {
		for (uint32_t i = 0; i < few_counts[d]; i++) {
			few[few_n++] = d == 0 && i == 0 ? 0 : UINT32_MAX - 700 + d * 20 + i; /* 0 and the largest are ids like others */
		}
	}
	snap_partner(&b, "b", "{}");
	snap_set(&b, 1, ENT_SET_VISITORS, ENT_ORIGIN_ANALYTICS, ENT_VIEW_TOTAL, "", 100, 6, few_counts, few);
	snap_cover(&b, 1, ENT_TRAFFIC, ENT_ORIGIN_ANALYTICS, 1, "web", 100, 140);
	opened o = open_built(&b);
	assert_true(WINDOW(&o, "visitors", 1, 100, 101).top == 100);
	assert_true(WINDOW(&o, "visitors", 1, 101, 104).top == 140);
	assert_true(WINDOW(&o, "visitors", 1, 100, 105).top == 180); /* 500 ids: in a small table */
	assert_true(WINDOW(&o, "visitors", 1, 100, 106).top == 180); /* 513: sorted */
	assert_true(WINDOW(&o, "visitors", 0, 100, 101).top == 500);
	assert_true(WINDOW(&o, "visitors", 0, 100, 102).top == 600);
	assert_true(WINDOW(&o, "visitors", 0, 107, 108).top == 0);
	assert_int_equal(WINDOW(&o, "visitors", 0, 107, 108).state, ENT_WINDOW_KNOWN);
	assert_true(WINDOW(&o, "visitors", 0, 106, 109).top == 700);
	assert_true(WINDOW(&o, "visitors", 0, 120, 128).top == 1200); /* 4,000 ids: sorted */
	assert_true(WINDOW(&o, "visitors", 0, 120, 129).top == 1300); /* 4,500: CRoaring */
	assert_true(WINDOW(&o, "visitors", 0, 100, 140).top == 4400);
	assert_true(WINDOW(&o, "visitors", 0, 0, 100).top == 0);
	assert_true(WINDOW(&o, "visitors", 0, 90, 101).top == 500);
	assert_int_equal(WINDOW(&o, "customers", 0, 100, 140).state, ENT_WINDOW_NO_COVERAGE);
	ent_query q = query("visitors", 0, 100, 140);
	q.view = ENT_VIEW_CHANNEL;
	q.value = ent_snap_find_value(&o.s, "mail", 4);
	assert_true(read_of(&o, q).top == 500);
	uint32_t *values;
	size_t n_values;
	assert_int_equal(ent_window_values(&o.s, &q, &values, &n_values), 0);
	assert_int_equal(n_values, 1);
	assert_string_equal(ent_snap_value_name(&o.s, values[0]), "mail");
	free(values);
	q.start = 110;
	assert_int_equal(ent_window_values(&o.s, &q, &values, &n_values), 0);
	assert_int_equal(n_values, 0);
	free(values);
	close_built(&o);
}

static void distributions_merge(void **state) {
	(void)state;
	snap_build b;
	snap_init(&b, 104, "EUR");
	snap_partner(&b, "a", "{}");
	const int32_t ten = ent_dist_bucket(10 * E6), hundred = ent_dist_bucket(100 * E6);
	const ent_snap_bucket eur[] = {{100, ten, 3}, {100, hundred, 1}, {101, ten, 1}, {103, hundred, 9}};
	const ent_snap_bucket usd[] = {{100, hundred, 1}, {101, ten, 2}};
	const ent_snap_bucket days[] = {{100, 0, 5}, {101, 30, 4}, {102, 60, 1}};
	const int64_t rates[] = {ENT_SNAP_RATE_ONE * 2};
	snap_dist(&b, 0, ENT_DIST_ORDER_VALUE, ENT_ORIGIN_SHOP, "EUR", 4, eur);
	snap_dist(&b, 0, ENT_DIST_ORDER_VALUE, ENT_ORIGIN_SHOP, "USD", 2, usd);
	snap_dist(&b, 0, ENT_DIST_DAYS_TO_PAID, ENT_ORIGIN_SHOP, "", 3, days);
	snap_rate(&b, "USD", 104, 1, rates);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 105);
	opened o = open_built(&b);
	ent_window w = WINDOW(&o, "order_value", 0, 100, 102);
	assert_int_equal(w.state, ENT_WINDOW_KNOWN);
	assert_true(w.top == ent_dist_value(ten) && w.bottom == 1); /* four of eight are 10, two 20, one 100, one 200 */
	const struct {
		double q;
		int64_t want;
	} cases[] = {{0.5, ent_dist_value(ten)}, {0.51, 2 * ent_dist_value(ten)}, {0.75, 2 * ent_dist_value(ten)},
		{0.8, ent_dist_value(hundred)}, {1, 2 * ent_dist_value(hundred)}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ent_query q = query("order_value", 0, 100, 102);
		assert_int_equal(ent_window_quantile(&o.s, &q, cases[i].q, &w), 0);
		assert_true(w.top == cases[i].want);
	}
	assert_true(WINDOW(&o, "days_to_paid", 0, 100, 105).top == 0);
	ent_query q = query("days_to_paid", 0, 100, 105);
	assert_int_equal(ent_window_quantile(&o.s, &q, 0.9, &w), 0);
	assert_true(w.top == 30);
	assert_int_equal(WINDOW(&o, "days_to_paid", 0, 103, 105).state, ENT_WINDOW_NO_DENOMINATOR);
	q = query("orders", 0, 100, 105);
	assert_int_equal(ent_window_quantile(&o.s, &q, 0.5, &w), ENT_ERR_INVALID);
	close_built(&o);
	/* No rate on the as-of day. */
	snap_init(&b, 104, "EUR");
	snap_partner(&b, "a", "{}");
	snap_dist(&b, 0, ENT_DIST_ORDER_VALUE, ENT_ORIGIN_SHOP, "USD", 2, usd);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 105);
	o = open_built(&b);
	w = WINDOW(&o, "order_value", 0, 100, 102);
	assert_int_equal(w.state, ENT_WINDOW_NO_RATE);
	assert_int_equal(w.day, 104);
	close_built(&o);
}

static void views(void **state) {
	(void)state;
	snap_build b;
	snap_init(&b, 104, "EUR");
	snap_partner(&b, "a", "{}");
	const int64_t v[5] = {1, 2, 3, 4, 5}, late[5] = {0, 0, 0, 0, 9}, none[5] = {0};
	snap_series(&b, 0, ENT_M_ORDERS, ENT_ORIGIN_SHOP, ENT_VIEW_CHANNEL, "web", "", 100, 5, v);
	snap_series(&b, 0, ENT_M_ORDERS, ENT_ORIGIN_SHOP, ENT_VIEW_CHANNEL, "agents", "", 100, 5, late);
	snap_series(&b, 0, ENT_M_ORDERS, ENT_ORIGIN_SHOP, ENT_VIEW_CHANNEL, "", "", 100, 5, v);
	snap_series(&b, 0, ENT_M_ORDERS, ENT_ORIGIN_SHOP, ENT_VIEW_CHANNEL, "shelf", "", 100, 5, none);
	snap_series(&b, 0, ENT_M_ORDERS_CANCELLED, ENT_ORIGIN_SHOP, ENT_VIEW_CHANNEL, "web", "", 100, 5, v);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 105);
	opened o = open_built(&b);
	ent_query q = query("orders.placed", 0, 100, 105);
	q.view = ENT_VIEW_CHANNEL;
	uint32_t *values;
	size_t n;
	assert_int_equal(ent_window_values(&o.s, &q, &values, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(ent_snap_value_name(&o.s, values[0]), "(none)");
	assert_string_equal(ent_snap_value_name(&o.s, values[1]), "agents");
	assert_string_equal(ent_snap_value_name(&o.s, values[2]), "web");
	free(values);
	q.value = ent_snap_find_value(&o.s, "web", 3);
	assert_true(read_of(&o, q).top == 30);
	q.value = ent_snap_find_value(&o.s, "(none)", 6);
	assert_true(read_of(&o, q).top == 15);
	q.value = ent_snap_find_value(&o.s, "moon", 4);
	assert_int_equal(q.value, ENT_NO_TEXT);
	ent_window w = read_of(&o, q); /* within covered days nothing means zero */
	assert_int_equal(w.state, ENT_WINDOW_KNOWN);
	assert_true(w.top == 0);
	q.stop = 104;
	assert_int_equal(ent_window_values(&o.s, &q, &values, &n), 0);
	assert_int_equal(n, 2);
	free(values);
	q.view = ENT_VIEW_COUNTRY;
	assert_int_equal(ent_window_values(&o.s, &q, &values, &n), 0);
	assert_int_equal(n, 0);
	close_built(&o);
}

static void series_without_a_copy(void **state) {
	(void)state;
	snap_build b;
	snap_init(&b, 104, "EUR");
	snap_partner(&b, "a", "{}");
	const int64_t v[5] = {1, 2, 3, 4, 5}, w[5] = {0, 1, 0, 1, 0};
	series(&b, 0, ENT_M_GROSS, "EUR", 100, 5, v);
	series(&b, 0, ENT_M_DISCOUNT, "EUR", 100, 5, w);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 105);
	opened o = open_built(&b);
	ent_query q = query("revenue.gross", 0, 101, 105);
	const int64_t *column = ent_window_column(&o.s, &q);
	assert_true((const uint8_t *)column > o.s.base && (const uint8_t *)column < o.s.base + o.bytes);
	assert_memory_equal(column, v + 1, 4 * sizeof *v);
	q.start = 99;
	assert_null(ent_window_column(&o.s, &q));
	q = query("revenue.net", 0, 99, 105);
	assert_null(ent_window_column(&o.s, &q));
	int64_t days[6];
	int32_t missing;
	assert_int_equal(ent_window_series(&o.s, &q, days, &missing), 0);
	const int64_t want[6] = {0, 1, 1, 3, 3, 5};
	assert_memory_equal(days, want, sizeof want);
	assert_int_equal(missing, INT32_MAX);
	q = query("aov", 0, 100, 105);
	assert_int_equal(ent_window_series(&o.s, &q, days, &missing), ENT_ERR_INVALID);
	close_built(&o);
}

static void portfolio(void **state) {
	(void)state;
	snap_build b;
	snap_init(&b, 101, "EUR");
	snap_partner(&b, "a", "{}");
	snap_partner(&b, "b", "{}");
	snap_partner(&b, "c", "{}");
	snap_partner(&b, "d", "{}");
	const int64_t orders[2] = {3, 4}, shared[2] = {1, 0}, gross[2] = {10, 10};
	const uint32_t counts[2] = {2, 2}, ids_a[4] = {1, 2, 2, 3}, ids_b[4] = {3, 4, 4, 5};
	const ent_snap_bucket few[] = {{100, 1, 1}}, many[] = {{100, 9, 3}};
	for (int p = 0; p < 2; p++) {
		series(&b, p, ENT_M_ORDERS, "", 100, 2, orders);
		series(&b, p, ENT_M_GROSS, "EUR", 100, 2, gross);
		snap_set(&b, p, ENT_SET_CUSTOMERS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", 100, 2, counts, p ? ids_b : ids_a);
		snap_dist(&b, p, ENT_DIST_DAYS_TO_PAID, ENT_ORIGIN_SHOP, "", 1, p ? many : few);
		snap_cover(&b, p, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 102);
	}
	series(&b, 1, ENT_M_ORDERS_SHARED, "", 100, 2, shared);
	series(&b, 2, ENT_M_ORDERS, "", 100, 2, orders); /* no coverage: left out */
	series(&b, 3, ENT_M_ORDERS, "", 100, 2, orders);
	series(&b, 3, ENT_M_GROSS, "USD", 100, 2, gross); /* no rate: left out of money */
	snap_cover(&b, 3, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 102);
	opened o = open_built(&b);
	ent_portfolio p;
	ent_query q = query("orders", 0, 100, 102);
	assert_int_equal(ent_window_portfolio(&o.s, &q, &p), 0);
	assert_true(p.w.top == 7 + 6 + 7);
	assert_int_equal(p.known, 3);
	assert_int_equal(p.left_out, 1);
	assert_int_equal(p.w.state, ENT_WINDOW_KNOWN);
	q = query("aov", 0, 100, 102);
	assert_int_equal(ent_window_portfolio(&o.s, &q, &p), 0);
	assert_true(p.w.top == 40 && p.w.bottom == 13);
	assert_int_equal(p.known, 2);
	assert_int_equal(p.left_out, 2);
	q = query("customers", 0, 100, 102);
	assert_int_equal(ent_window_portfolio(&o.s, &q, &p), 0);
	assert_true(p.w.top == 5);
	q = query("days_to_paid", 0, 100, 102);
	assert_int_equal(ent_window_portfolio(&o.s, &q, &p), 0);
	assert_true(p.w.top == 9);
	q = query("sessions", 0, 100, 102);
	assert_int_equal(ent_window_portfolio(&o.s, &q, &p), 0);
	assert_int_equal(p.w.state, ENT_WINDOW_NO_COVERAGE);
	assert_int_equal(p.known, 0);
	close_built(&o);
}

/* Every 4-byte word of a block, set to values that lead out of it: refused, or read without a fault (ASan looks on). */
static void nonsense_is_refused(void **state) {
	(void)state;
	const int64_t v[3] = {1, 2, 3};
	const uint32_t counts[3] = {1, 0, 1}, ids[2] = {1, 2};
	const ent_snap_bucket rows[] = {{100, 1, 1}, {101, 9, 3}};
	snap_build b;
	snap_init(&b, 102, "EUR");
	for (int p = 0; p < 2; p++) {
		snap_partner(&b, p ? "b" : "a", "{}");
		series(&b, p, ENT_M_GROSS, "USD", 100, 3, v);
		series(&b, p, ENT_M_GROSS, "EUR", 100, 3, v);
		snap_set(&b, p, ENT_SET_CUSTOMERS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", 100, 3, counts, ids);
		snap_dist(&b, p, ENT_DIST_ORDER_VALUE, ENT_ORIGIN_SHOP, "USD", 2, rows);
		snap_cover(&b, p, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 103);
	}
	snap_rate(&b, "USD", 100, 3, v);
	size_t bytes;
	uint8_t *block = snap_block(&b, &bytes);
	int refused = 0;
	const uint32_t values[] = {0, 1, 7, 255, 4096, 0x7fffffff, 0x80000000, 0xffffffff};
	for (size_t at = 0; at + 4 <= bytes; at += 4) {
		for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
			uint8_t *copy = malloc(bytes); /* of its own, so that ASan knows where it ends */
			memcpy(copy, block, bytes);
			memcpy(copy + at, &values[i], 4);
			ent_snap s;
			ent_error e = {0};
			if (ent_snap_open(&s, copy, bytes, &e)) {
				refused++;
				assert_int_equal(e.code, ENT_ERR_CORRUPT);
			} else {
				for (unsigned m = 0; m < ent_metric_count; m++) {
					for (uint32_t p = 0; p < s.n_partners; p++) {
						ent_query q = {.partner = p, .metric = (uint16_t)m, .origin = -1, .start = 99, .stop = 104};
						ent_window w;
						(void)ent_window_read(&s, &q, &w);
					}
				}
			}
			ent_snap_finish(&s);
			free(copy);
		}
	}
	assert_true(refused > 100);
	for (size_t n = 0; n < bytes; n += 8) {
		ent_snap s;
		assert_int_equal(ent_snap_open(&s, block, n, NULL), ENT_ERR_CORRUPT);
		ent_snap_finish(&s);
	}
	free(block);
}

/* What the check of a block must find in points. */
static void points_out_of_order(void **state) {
	(void)state;
	const int64_t orders[] = {1, 0, 2, 0, 3};
	snap_build b;
	size_t bytes;
	ent_snap s;
	ent_error e;
	snap_init(&b, 109, "EUR");
	snap_partner(&b, "a", "{}");
	series(&b, 0, ENT_M_ORDERS, "", 100, 5, orders);
	uint8_t *block = snap_block(&b, &bytes);
	const ent_snap_head *head = (const ent_snap_head *)block;
	ent_snap_series *x = (ent_snap_series *)(block + head->series.offset);
	assert_int_equal(x->points, 3);
	int32_t *days = (int32_t *)(block + x->data + 3 * 8);
	const struct {
		int at;
		int32_t day;
	} wrong[] = {{2, 5}, {0, -1}, {1, 0}, {2, 1}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		int32_t right = days[wrong[i].at];
		days[wrong[i].at] = wrong[i].day;
		assert_int_equal(ent_snap_open(&s, block, bytes, &e), ENT_ERR_CORRUPT);
		days[wrong[i].at] = right;
	}
	x->points = 6; /* more than days */
	assert_int_equal(ent_snap_open(&s, block, bytes, &e), ENT_ERR_CORRUPT);
	x->points = 3;
	assert_int_equal(ent_snap_open(&s, block, bytes, &e), 0);
	ent_snap_finish(&s);
	free(block);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_and_ratios),
		cmocka_unit_test(refund_days),
		cmocka_unit_test(money_is_converted_once),
		cmocka_unit_test(sums_leave_64_bits),
		cmocka_unit_test(coverage_is_a_union),
		cmocka_unit_test(nothing_after_as_of),
		cmocka_unit_test(origins_and_precedence),
		cmocka_unit_test(distinct_is_a_union),
		cmocka_unit_test(distributions_merge),
		cmocka_unit_test(views),
		cmocka_unit_test(series_without_a_copy),
		cmocka_unit_test(portfolio),
		cmocka_unit_test(nonsense_is_refused),
	};
	/* the same figures, written the other way: only what may be taken without a copy differs */
	const struct CMUnitTest as_points[] = {
		cmocka_unit_test(sums_and_ratios),
		cmocka_unit_test(refund_days),
		cmocka_unit_test(money_is_converted_once),
		cmocka_unit_test(sums_leave_64_bits),
		cmocka_unit_test(coverage_is_a_union),
		cmocka_unit_test(nothing_after_as_of),
		cmocka_unit_test(origins_and_precedence),
		cmocka_unit_test(distinct_is_a_union),
		cmocka_unit_test(distributions_merge),
		cmocka_unit_test(views),
		cmocka_unit_test(portfolio),
		cmocka_unit_test(points_out_of_order),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	snap_as_points = 1;
	return failed + cmocka_run_group_tests(as_points, NULL, NULL);
}
