/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of core/base: calendar, zones, varints, reader, interning, errors. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/day.h"
#include "base/error.h"
#include "base/intern.h"
#include "base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void calendar_round_trip(void **state) {
	(void)state;
	for (int32_t d = -200000; d < 200000; d += 37) {
		int y;
		unsigned m, day;
		ent_day_civil(d, &y, &m, &day);
		assert_int_equal(ent_day_of(y, m, day), d);
	}
	char text[16];
	int32_t days;
	assert_string_equal(ent_day_text(ent_day_of(2024, 2, 29), text), "2024-02-29");
	assert_true(ent_day_parse("2024-02-29", 10, &days));
	assert_false(ent_day_parse("2023-02-29", 10, &days));
	assert_false(ent_day_parse("2024-2-29", 9, &days));
	assert_int_equal(ent_day_weekday(ent_day_of(2026, 11, 22)), 6);
	assert_int_equal(ent_day_of_month(-1), ent_day_of(1969, 12, 1));
	assert_int_equal(ent_day_of_us(-1), -1);
}

static void zones(void **state) {
	(void)state;
	ent_error e;
	ent_zone *berlin = ent_zone_load("Europe/Berlin", &e);
	assert_non_null(berlin);
	int64_t noon = (int64_t)ent_day_of(2024, 3, 31) * ENT_US_PER_DAY; /* 2024-03-31T00:00Z: clocks change at 01:00Z */
	assert_int_equal(ent_zone_offset(berlin, noon), 3600);
	assert_int_equal(ent_zone_offset(berlin, noon + INT64_C(3600000000)), 7200);
	/* 02:30 does not exist on that day and becomes 03:30 summer time, 01:30Z */
	assert_int_equal(ent_zone_instant(berlin, noon + INT64_C(9000000000)), noon + INT64_C(5400000000));
	/* 02:30 occurs twice on 2024-10-27: the first, in summer time, is meant */
	int64_t autumn = (int64_t)ent_day_of(2024, 10, 27) * ENT_US_PER_DAY;
	assert_int_equal(ent_zone_instant(berlin, autumn + INT64_C(9000000000)), autumn + INT64_C(1800000000));
	/* 23:30Z is the next day in Berlin */
	assert_int_equal(ent_zone_day(berlin, noon - INT64_C(1800000000)), ent_day_of(2024, 3, 31));
	ent_zone_destroy(berlin);
	ent_zone *fixed = ent_zone_load("-05:30", &e);
	assert_non_null(fixed);
	assert_int_equal(ent_zone_offset(fixed, 0), -19800);
	ent_zone_destroy(fixed);
	assert_null(ent_zone_load("Europe/Berlinn", &e));
	assert_int_equal(e.code, ENT_ERR_INVALID);
	assert_non_null(e.todo);
	ent_zone_destroy(NULL);
}

static void numbers(void **state) {
	(void)state;
	static const int64_t values[] = {0, 1, -1, 63, 64, -64, -65, INT64_MAX, INT64_MIN, 1234567890123};
	ent_buf b = {0};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		ent_buf_reserve(&b, 10);
		b.n = (size_t)(ent_varint_put(b.data + b.n, ent_zigzag(values[i])) - b.data);
	}
	ent_buf_text(&b, "Entente");
	ent_read r = ent_read_of(b.data, b.n);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		assert_true(ent_read_zigzag(&r) == values[i]);
	}
	size_t n;
	const char *text = ent_read_bytes(&r, &n);
	assert_int_equal(n, 7);
	assert_memory_equal(text, "Entente", 7);
	assert_false(r.bad);
	ent_read_u8(&r);
	assert_true(r.bad);
	/* cut anywhere, it is bad and never reads on */
	for (size_t cut = 0; cut < b.n; cut++) {
		uint8_t *copy = ent_xmalloc(cut);
		memcpy(copy, b.data, cut);
		ent_read c = ent_read_of(copy, cut);
		for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
			ent_read_zigzag(&c);
		}
		ent_read_bytes(&c, &n);
		assert_true(c.bad);
		free(copy);
	}
	ent_buf_finish(&b);
	ent_buf_finish(NULL);
}

static void interning(void **state) {
	(void)state;
	ent_intern t;
	ent_intern_init(&t);
	assert_int_equal(ent_intern_put(&t, "", 0), 0);
	char text[16];
	for (uint32_t i = 1; i < 5000; i++) {
		int n = snprintf(text, sizeof text, "k%u", i);
		assert_int_equal(ent_intern_put(&t, text, (size_t)n), i);
	}
	assert_int_equal(ent_intern_put(&t, "k77", 3), 77);
	assert_int_equal(ent_intern_find(&t, "none", 4), UINT32_MAX);
	assert_string_equal(ent_intern_text(&t, 4999, NULL), "k4999");
	ent_intern_finish(&t);
	ent_intern_finish(NULL);
}

static void errors(void **state) {
	(void)state;
	ent_error e;
	char text[1400];
	ent_error_set(&e, ENT_ERR_INVALID, "unknown key '%s'", "colour");
	ent_error_at(&e, "entente.yaml", 3, 5);
	ent_error_todo(&e, "did you mean 'color'?");
	assert_string_equal(ent_error_text(&e, text, sizeof text), "entente.yaml:3:5: unknown key 'colour'; did you mean 'color'?");
	assert_int_equal(ent_error_set(NULL, ENT_ERR_IO, "x"), ENT_ERR_IO);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(calendar_round_trip), cmocka_unit_test(zones), cmocka_unit_test(numbers),
		cmocka_unit_test(interning), cmocka_unit_test(errors)};
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
