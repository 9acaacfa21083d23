/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalogue's tables, definition hashes, and the log histogram. */
#include "metrics/catalogue.h"
#include "metrics/dist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void measures_are_complete(void **state) {
	(void)state;
	for (int i = 0; i < ENT_MEASURE_COUNT; i++) {
		const ent_measure_def *m = &ent_measures[i];
		assert_non_null(m->name);
		assert_true(m->doc && *m->doc && m->revision > 0);
		assert_int_equal(m->column, i - (int)ent_family_first(m->family));
		assert_true(m->column < ent_family_width(m->family));
		assert_true(ent_family_width(m->family) <= ENT_FAMILY_WIDTH);
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(m->name, ent_measures[j].name);
		}
	}
	assert_int_equal(ent_family_first(ENT_TRAFFIC), ENT_M_SESSIONS);
	assert_int_equal(ent_family_width(ENT_SALES), 23);
	assert_string_equal(ent_family_name(ENT_CARTS), "carts");
}

static void metrics_are_complete(void **state) {
	(void)state;
	for (unsigned i = 0; i < ent_metric_count; i++) {
		const ent_metric *m = &ent_metrics[i];
		assert_int_equal(ent_metric_find(m->name, strlen(m->name)), (int)i); /* unique, or an earlier one were found */
		assert_true(m->doc && m->doc[strlen(m->doc) - 1] == '.');
		assert_true(m->tags && *m->tags);
		assert_true(ent_metric_families(m) != 0);
		assert_int_equal(m->kind == ENT_METRIC_SUM || m->kind == ENT_METRIC_RATIO, m->top[0].sign != 0);
		assert_int_equal(m->kind == ENT_METRIC_RATIO, m->bottom[0].sign != 0);
		assert_int_equal(m->kind == ENT_METRIC_SUM, m->additivity != ENT_ADD_NONE);
		for (int t = 0; t < ENT_TERMS && m->top[t].sign; t++) {
			/* A sum of terms is of one unit, and it is the metric's. */
			if (m->kind == ENT_METRIC_SUM) {
				assert_int_equal(ent_measures[m->top[t].measure].unit, m->unit);
			}
			assert_int_equal(ent_measures[m->top[t].measure].unit, ent_measures[m->top[0].measure].unit);
		}
	}
	assert_null(ent_metrics[ent_metric_count].name);
	assert_int_equal(ent_metric_find("revenue", 7), -1);
	assert_int_equal(ent_metric_find("orders.placedX", 13), ent_metric_find("orders.placed", 13));
}

/* What no metric reads is kept for nothing; the shared ones are read by totals over partners. */
static void measures_are_reachable(void **state) {
	(void)state;
	char reached[ENT_MEASURE_COUNT] = {[ENT_M_ORDERS_SHARED] = 1, [ENT_M_ORDERS_SHARED_CANCELLED] = 1};
	for (unsigned i = 0; i < ent_metric_count; i++) {
		for (int t = 0; t < ENT_TERMS; t++) {
			if (ent_metrics[i].top[t].sign) {
				reached[ent_metrics[i].top[t].measure] = 1;
			}
			if (ent_metrics[i].bottom[t].sign) {
				reached[ent_metrics[i].bottom[t].measure] = 1;
			}
		}
	}
	for (int i = 0; i < ENT_MEASURE_COUNT; i++) {
		if (!reached[i]) {
			fail_msg("no metric reads the measure %s", ent_measures[i].name);
		}
	}
}

static const ent_metric *metric(const char *name) {
	int i = ent_metric_find(name, strlen(name));
	assert_true(i >= 0);
	return &ent_metrics[i];
}

static void definitions_change_with_meaning(void **state) {
	(void)state;
	char was[17], is[17];
	for (unsigned i = 0; i < ent_metric_count; i++) {
		ent_metric_definition(&ent_metrics[i], was);
		assert_int_equal(strlen(was), 16);
		assert_int_equal(strspn(was, "0123456789abcdef"), 16);
		for (unsigned j = 0; j < i; j++) {
			ent_metric_definition(&ent_metrics[j], is);
			assert_string_not_equal(was, is);
		}
	}
	ent_metric m = *metric("revenue.net");
	ent_metric_definition(&m, was);
	m.doc = "Other words.";
	ent_metric_definition(&m, is);
	assert_string_equal(was, is);
	m.top[1].sign = +1;
	ent_metric_definition(&m, is);
	assert_string_not_equal(was, is);
	m = *metric("revenue.net");
	m.top[2].measure = ENT_M_REFUNDED;
	ent_metric_definition(&m, is);
	assert_string_not_equal(was, is);
	ent_measure_definition(&ent_measures[ENT_M_GROSS], was);
	ent_measure_definition(&ent_measures[ENT_M_GROSS_CANCELLED], is);
	assert_string_not_equal(was, is);
	/* Stored digests rest on these: a change here is a change of meaning, and must be meant. */
	ent_metric_definition(metric("orders"), is);
	assert_string_equal(is, "5d037e96dbe857df");
}

static void families(void **state) {
	(void)state;
	assert_int_equal(ent_metric_families(metric("orders")), 1 << ENT_SALES);
	assert_int_equal(ent_metric_families(metric("conversion_rate")), 1 << ENT_SALES | 1 << ENT_TRAFFIC);
	assert_int_equal(ent_metric_families(metric("cart_abandonment")), 1 << ENT_SALES | 1 << ENT_CARTS);
	assert_int_equal(ent_metric_families(metric("visitors")), 1 << ENT_TRAFFIC);
	assert_int_equal(ent_metric_families(metric("customers")), 1 << ENT_SALES);
	assert_int_equal(ent_metric_families(metric("load_time")), 1 << ENT_TRAFFIC);
	assert_int_equal(ent_metric_families(metric("days_to_paid")), 1 << ENT_SALES);
}

static void check_bucket(int64_t v) {
	int32_t b = ent_dist_bucket(v);
	int64_t r = ent_dist_value(b);
	assert_int_equal(ent_dist_bucket(r), b);
	__int128 off = (__int128)r - v, size = v < 0 ? -(__int128)v : v;
	off = off < 0 ? -off : off;
	assert_true(off * 100 <= size);
	assert_true(b <= ENT_DIST_MAX_BUCKET && b >= -ENT_DIST_MAX_BUCKET);
}

static void buckets_are_within_one_percent(void **state) {
	(void)state;
	for (int64_t v = -5000; v <= 5000; v++) {
		check_bucket(v);
		if (v > -5000) {
			assert_true(ent_dist_bucket(v - 1) <= ent_dist_bucket(v));
		}
	}
	for (int64_t v = -127; v < 128; v++) {
		assert_int_equal(ent_dist_value(ent_dist_bucket(v)), v);
	}
	uint64_t x = 88172645463325252u;
	for (int i = 0; i < 200000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		check_bucket((int64_t)(x >> (i % 63)));
		check_bucket(-(int64_t)(x >> (1 + i % 62)));
	}
	for (int shift = 0; shift < 63; shift++) {
		check_bucket(INT64_C(1) << shift);
		check_bucket((INT64_C(1) << shift) - 1);
	}
	check_bucket(INT64_MAX);
	check_bucket(INT64_MIN);
	assert_int_equal(ent_dist_bucket(INT64_MAX), ENT_DIST_MAX_BUCKET);
	for (int32_t b = -ENT_DIST_MAX_BUCKET; b < ENT_DIST_MAX_BUCKET; b++) {
		assert_true(ent_dist_value(b) < ent_dist_value(b + 1));
	}
	assert_int_equal(ent_dist_value(1 << 20), ent_dist_value(ENT_DIST_MAX_BUCKET));
}

static void quantiles(void **state) {
	(void)state;
	int64_t v = -1;
	ent_dist_item items[] = {{-5, 1}, {0, 2}, {10, 4}, {20, 3}};
	assert_int_equal(ent_dist_quantile(items, 0, 0.5, &v), -1);
	const struct {
		double q;
		int64_t want;
	} cases[] = {{0, -5}, {0.1, -5}, {0.11, 0}, {0.3, 0}, {0.31, 10}, {0.5, 10}, {0.7, 10}, {0.71, 20}, {1, 20}, {2, 20}, {-1, -5}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(ent_dist_quantile(items, 4, cases[i].q, &v), 0);
		assert_int_equal(v, cases[i].want);
	}
	ent_dist_item hundred[100];
	for (int i = 0; i < 100; i++) {
		hundred[i] = (ent_dist_item){i + 1, 1};
	}
	for (int i = 1; i <= 100; i++) { /* 0.07 * 100 is a little more than 7 in floating point */
		assert_int_equal(ent_dist_quantile(hundred, 100, i / 100.0, &v), 0);
		assert_int_equal(v, i);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measures_are_complete),
		cmocka_unit_test(metrics_are_complete),
		cmocka_unit_test(measures_are_reachable),
		cmocka_unit_test(definitions_change_with_meaning),
		cmocka_unit_test(families),
		cmocka_unit_test(buckets_are_within_one_percent),
		cmocka_unit_test(quantiles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
