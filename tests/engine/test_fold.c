/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of folding: what an order adds to the cells by its status, its refunds, its lines and its partners, and that the
 * same document with sign -1 takes back all of it. */
#include "metrics/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DAY = 19723, ONE = 11, TWO = 12, EUR = 1, UNIT = 1000000 };

static ent_zone *utc;

static const ent_zone *zone(void *ctx, uint32_t partner) {
	(void)ctx;
	(void)partner;
	return utc;
}

static const ent_zone *source_zone(void *ctx, uint32_t source) {
	(void)ctx;
	(void)source;
	return NULL;
}

static uint32_t channel(void *ctx, uint32_t system, uint32_t raw) {
	(void)ctx;
	(void)system;
	return raw;
}

static uint32_t currency(void *ctx, const char text[4]) {
	(void)ctx;
	return text[0] ? EUR : 0;
}

static int compare(void *ctx, uint32_t a, uint32_t b) {
	(void)ctx;
	return a < b ? -1 : a > b;
}

typedef struct bench {
	ent_cells *cells;
	ent_fold fold;
	ent_document d;
} bench;

static void bench_open(bench *b, uint32_t scope) {
	*b = (bench){.cells = ent_cells_create()};
	b->fold = (ent_fold){.cells = b->cells, .zone = zone, .source_zone = source_zone, .channel = channel, .currency = currency,
		.compare_partners = compare};
	b->fold.views[ENT_VIEW_TOTAL] = b->fold.views[ENT_VIEW_CATEGORY] = true;
	b->d.kind = ENT_ORDER;
	b->d.scope = scope;
	b->d.key = "k";
	b->d.key_n = 1;
}

static void fold(bench *b, int sign) {
	ent_error e = {0};
	if (ent_fold_document(&b->fold, &b->d, sign, &e)) {
		fail_msg("%s", e.what);
	}
}

/* Takes the document back: nothing may be left. */
static void bench_close(bench *b) {
	fold(b, -1);
	ent_cells_flush f = ent_cells_sort(b->cells);
	assert_int_equal(f.n_cells, 0);
	assert_int_equal(f.n_sets, 0);
	assert_int_equal(f.n_dists, 0);
	ent_cells_destroy(b->cells);
	ent_document_finish(&b->d);
}

static int64_t cell(bench *b, uint32_t partner, int32_t day, ent_view view, uint32_t value, ent_measure m) {
	ent_cell_key key = {.partner = partner, .day = day, .view = (uint8_t)view, .value = value, .currency = EUR, .family = ENT_SALES};
	return ent_cells_row(b->cells, ent_cells_at(b->cells, &key))[m];
}

static int64_t total(bench *b, ent_measure m) { return cell(b, ONE, DAY, ENT_VIEW_TOTAL, 0, m); }

static ent_wire_time at_day(int32_t day) {
	return ent_wire_time_pack((ent_time){.v = day, .kind = ENT_TIME_DATE, .offset_min = ENT_NO_OFFSET});
}

/* 100 of goods, 10 less, 5 for shipping, 8 of tax on top: 103. */
static ent_item *head(bench *b) {
	ent_item *item = ent_document_add(&b->d);
	item->kind = ENT_ORDER;
	item->partner = b->d.scope;
	item->has = ENT_HAS_GROSS | ENT_HAS_DISCOUNT | ENT_HAS_SHIPPING | ENT_HAS_TAX | ENT_HAS_TOTAL;
	item->body.order = (ent_wire_order){.at = at_day(DAY), .gross = 100 * UNIT, .discount = 10 * UNIT, .shipping = 5 * UNIT,
		.tax = 8 * UNIT, .total = 103 * UNIT, .currency = "EUR"};
	item->body.order.customer.b[0] = 7;
	return item;
}

static ent_item *line(bench *b, uint32_t partner, int64_t units, int64_t price, uint32_t category) {
	ent_item *item = ent_document_add(&b->d);
	item->kind = ENT_LINE;
	item->key = &"1234567"[b->d.n % 7];
	item->key_n = 1;
	item->partner = partner;
	item->has = ENT_HAS_UNIT_PRICE | ENT_HAS_QUANTITY;
	item->body.line = (ent_wire_line){.quantity = units * 1000, .unit_price = price * UNIT, .category = category, .currency = "EUR"};
	return item;
}

static void refund(bench *b, int32_t day, int64_t amount, uint8_t kind) {
	ent_item *item = ent_document_add(&b->d);
	item->kind = ENT_REFUND;
	item->key = "r";
	item->key_n = 1;
	item->body.refund = (ent_wire_refund){.at = at_day(day), .amount = amount * UNIT, .kind = kind, .currency = "EUR"};
}

static void test_running_total_of_refunds(void **state) {
	(void)state;
	bench b;
	bench_open(&b, ONE);
	head(&b)->body.order.refunded = 51500000;
	fold(&b, 1);
	assert_int_equal(total(&b, ENT_M_ORDERS), 1);
	assert_int_equal(total(&b, ENT_M_TOTAL), 103 * UNIT);
	assert_int_equal(total(&b, ENT_M_REFUNDED), 51500000);
	assert_int_equal(total(&b, ENT_M_RETURNS), 45 * UNIT); /* half of what was paid, so half of the goods */
	assert_int_equal(total(&b, ENT_M_RETURNS_ON_DAY), 0);
	bench_close(&b);
	bench_open(&b, ONE);
	head(&b)->body.order.refunded = 200 * UNIT; /* more than was paid: the goods, and no more */
	fold(&b, 1);
	assert_int_equal(total(&b, ENT_M_RETURNS), 90 * UNIT);
	bench_close(&b);
}

static void test_dated_refunds(void **state) {
	(void)state;
	bench b;
	bench_open(&b, ONE);
	head(&b)->body.order.refunded = 99 * UNIT; /* what is dated says more than the running total */
	refund(&b, DAY + 3, 20, ENT_REFUND_GOODS);
	refund(&b, DAY + 4, 5, ENT_REFUND_SHIPPING);
	fold(&b, 1);
	assert_int_equal(total(&b, ENT_M_REFUNDED), 25 * UNIT);
	assert_int_equal(total(&b, ENT_M_RETURNS), 20 * UNIT);
	assert_int_equal(total(&b, ENT_M_RETURNS_ON_DAY), 0);
	assert_int_equal(cell(&b, ONE, DAY + 3, ENT_VIEW_TOTAL, 0, ENT_M_RETURNS_ON_DAY), 20 * UNIT);
	assert_int_equal(cell(&b, ONE, DAY + 4, ENT_VIEW_TOTAL, 0, ENT_M_RETURNS_ON_DAY), 0);
	bench_close(&b);
}

static void test_cancelled(void **state) {
	(void)state;
	bench b;
	bench_open(&b, ONE);
	ent_item *o = head(&b);
	o->body.order.status = ENT_ORDER_CANCELLED;
	o->body.order.refunded = 103 * UNIT;
	line(&b, 0, 2, 50, 21);
	fold(&b, 1);
	assert_int_equal(total(&b, ENT_M_ORDERS), 0);
	assert_int_equal(total(&b, ENT_M_GROSS), 0);
	assert_int_equal(total(&b, ENT_M_ORDERS_CANCELLED), 1);
	assert_int_equal(total(&b, ENT_M_GROSS_CANCELLED), 100 * UNIT);
	assert_int_equal(total(&b, ENT_M_UNITS_CANCELLED), 2000);
	assert_int_equal(total(&b, ENT_M_REFUNDED), 103 * UNIT);
	assert_int_equal(total(&b, ENT_M_RETURNS), 0);
	assert_int_equal(cell(&b, ONE, DAY, ENT_VIEW_CATEGORY, 21, ENT_M_GROSS_CANCELLED), 100 * UNIT);
	assert_int_equal(cell(&b, ONE, DAY, ENT_VIEW_CATEGORY, 21, ENT_M_GROSS), 0);
	bench_close(&b);
}

static void test_quotes_and_tests_are_no_orders(void **state) {
	(void)state;
	for (uint8_t status = ENT_ORDER_QUOTE; status <= ENT_ORDER_TEST; status += ENT_ORDER_TEST - ENT_ORDER_QUOTE) {
		bench b;
		bench_open(&b, ONE);
		ent_item *o = head(&b);
		o->body.order.status = status;
		o->body.order.cancelled_at = at_day(DAY);
		line(&b, 0, 1, 100, 21);
		refund(&b, DAY, 20, ENT_REFUND_GOODS);
		fold(&b, 1);
		for (unsigned m = 0; m < ent_family_width(ENT_SALES); m++) {
			assert_int_equal(total(&b, (ent_measure)m), m == ENT_M_QUOTES && status == ENT_ORDER_QUOTE);
		}
		bench_close(&b);
	}
}

static void test_parts_of_a_bundle_count_with_it(void **state) {
	(void)state;
	bench b;
	bench_open(&b, ONE);
	head(&b)->has = 0;
	line(&b, 0, 1, 60, 21);
	line(&b, 0, 1, 40, 22)->body.line.parent = 99;
	line(&b, 0, 3, 10, 22)->flags = ENT_DOC_RETRACT;
	fold(&b, 1);
	assert_int_equal(total(&b, ENT_M_LINES), 1);
	assert_int_equal(total(&b, ENT_M_UNITS), 1000);
	assert_int_equal(total(&b, ENT_M_GROSS), 60 * UNIT);
	bench_close(&b);
}

static void test_an_order_of_many_partners(void **state) {
	(void)state;
	bench b;
	bench_open(&b, 0);
	head(&b);
	line(&b, TWO, 1, 30, 21);
	line(&b, ONE, 2, 20, 21);
	line(&b, TWO, 1, 5, 22);
	fold(&b, 1);
	assert_int_equal(total(&b, ENT_M_GROSS), 40 * UNIT);
	assert_int_equal(total(&b, ENT_M_ORDERS), 1);
	assert_int_equal(total(&b, ENT_M_ORDERS_SHARED), 0);
	assert_int_equal(cell(&b, TWO, DAY, ENT_VIEW_TOTAL, 0, ENT_M_GROSS), 35 * UNIT);
	assert_int_equal(cell(&b, TWO, DAY, ENT_VIEW_TOTAL, 0, ENT_M_ORDERS), 1);
	assert_int_equal(cell(&b, TWO, DAY, ENT_VIEW_TOTAL, 0, ENT_M_ORDERS_SHARED), 1);
	assert_int_equal(cell(&b, TWO, DAY, ENT_VIEW_TOTAL, 0, ENT_M_SHIPPING), 0);
	assert_int_equal(cell(&b, TWO, DAY, ENT_VIEW_CATEGORY, 22, ENT_M_GROSS), 5 * UNIT);
	assert_int_equal(cell(&b, TWO, DAY, ENT_VIEW_CATEGORY, 22, ENT_M_ORDERS), 1);
	bench_close(&b);
}

static void test_without_a_header_nothing_counts(void **state) {
	(void)state;
	bench b;
	bench_open(&b, ONE);
	line(&b, 0, 1, 60, 21);
	fold(&b, 1);
	assert_true(ent_cells_empty(b.cells));
	bench_close(&b);
	bench_open(&b, ONE);
	head(&b)->flags = ENT_DOC_RETRACT;
	line(&b, 0, 1, 60, 21);
	fold(&b, 1);
	assert_true(ent_cells_empty(b.cells));
	bench_close(&b);
}

static void test_a_sum_out_of_range_is_said(void **state) {
	(void)state;
	bench b;
	ent_error e = {0};
	bench_open(&b, ONE);
	head(&b)->body.order.gross = INT64_MAX - 5;
	fold(&b, 1);
	assert_int_equal(ent_fold_document(&b.fold, &b.d, 1, &e), ENT_ERR_RANGE);
	assert_non_null(strstr(e.what, "2024-01-01"));
	ent_cells_destroy(b.cells);
	ent_document_finish(&b.d);
}

static int load_zone(void **state) {
	ent_error e;
	(void)state;
	utc = ent_zone_load("UTC", &e);
	return utc ? 0 : -1;
}

static int free_zone(void **state) {
	(void)state;
	ent_zone_destroy(utc);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_running_total_of_refunds),
		cmocka_unit_test(test_dated_refunds),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_quotes_and_tests_are_no_orders),
		cmocka_unit_test(test_parts_of_a_bundle_count_with_it),
		cmocka_unit_test(test_an_order_of_many_partners),
		cmocka_unit_test(test_without_a_header_nothing_counts),
		cmocka_unit_test(test_a_sum_out_of_range_is_said),
	};
	return cmocka_run_group_tests(tests, load_zone, free_zone);
}
