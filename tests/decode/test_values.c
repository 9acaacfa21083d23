/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of core/decode/values.h: amounts and times as exports write them. */
#include "base/day.h"
#include "decode/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void amount(const char *text, char decimal, char group, int64_t expected) {
	int64_t v = -1;
	if (ent_money_parse((ent_str){text, strlen(text)}, decimal, group, &v) || v != expected) {
		fail_msg("'%s' is %lld, not %lld", text, (long long)v, (long long)expected);
	}
}

static void no_amount(const char *text, char decimal, char group) {
	int64_t v = 7;
	if (!ent_money_parse((ent_str){text, strlen(text)}, decimal, group, &v)) {
		fail_msg("'%s' was taken as %lld", text, (long long)v);
	}
	assert_int_equal(v, 7);
}

static void amounts(void **state) {
	(void)state;
	amount("0", '.', 0, 0);
	amount("35.9", '.', 0, 35900000);
	amount("35.90", '.', 0, 35900000);
	amount("-1.000001", '.', 0, -1000001);
	amount(".5", '.', 0, 500000);
	amount("5.", '.', 0, 5000000);
	amount("2,329.86", '.', ',', 2329860000);
	amount("1.234.567,8", ',', '.', 1234567800000);
	amount("1 234,50", ',', ' ', 1234500000);
	amount("1\xC2\xA0"
		   "234,50",
		',', ' ', 1234500000);
	amount("1\xE2\x80\xAF"
		   "234,50 \xE2\x82\xAC",
		',', ' ', 1234500000);
	amount("1,00,000.00", '.', ',', 100000000000);
	amount("$1,234.00", '.', ',', 1234000000);
	amount("-$12.34", '.', ',', -12340000);
	amount("$-12.34", '.', ',', -12340000);
	amount("(12.34)", '.', 0, -12340000);
	amount("($12.34)", '.', 0, -12340000);
	amount("12.34-", '.', 0, -12340000);
	amount("+12.34", '.', 0, 12340000);
	amount("\xE2\x88\x92"
		   "12.34",
		'.', 0, -12340000);
	amount("EUR 12.34", '.', 0, 12340000);
	amount("12.34 EUR", '.', 0, 12340000);
	amount("12,34 z\xC5\x82", ',', 0, 12340000);
	amount("  12.34\t", '.', 0, 12340000);
	amount("9223372036854.775807", '.', 0, INT64_MAX);
}

static void rounding_is_half_even(void **state) {
	(void)state;
	amount("0.0000005", '.', 0, 0);
	amount("0.0000015", '.', 0, 2);
	amount("0.0000025", '.', 0, 2);
	amount("0.00000250000001", '.', 0, 3);
	amount("-0.0000015", '.', 0, -2);
	amount("0.9999999", '.', 0, 1000000);
	amount("1.23456749", '.', 0, 1234567);
}

static void not_amounts(void **state) {
	(void)state;
	const char *const bad[] = {"", " ", "-", ".", "abc", "1.2.3", "1,23", "12%", "1e5", "0x10", "--1", "(1", "1 2", "$",
		"1-2", "9223372036854.775808", "99999999999999999999", "12.34 EUROPE", "NaN", "1.2a3"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		no_amount(bad[i], '.', 0);
	}
	no_amount("1,23", '.', ','); /* a decimal comma, most likely */
	no_amount("1,2345", '.', ',');
	no_amount(",123", '.', ',');
	no_amount("12,34,567", '.', '.'); /* no group given for ',' */
	no_amount("1.234,5", '.', ',');
}

static void instant(const char *text, const char *pattern, uint8_t kind, int64_t v, int offset) {
	ent_time t = {0};
	if (ent_time_parse((ent_str){text, strlen(text)}, pattern, &t)) {
		fail_msg("'%s' was not taken", text);
	}
	assert_int_equal(t.kind, kind);
	assert_int_equal(t.v, v);
	assert_int_equal(t.offset_min, offset);
}

static void no_time(const char *text, const char *pattern) {
	ent_time t = {.v = 7};
	if (!ent_time_parse((ent_str){text, strlen(text)}, pattern, &t)) {
		fail_msg("'%s' was taken", text);
	}
	assert_int_equal(t.v, 7);
}

#define AT(y, m, d, h, min, s)                                                                                         \
	((int64_t)ent_day_of(y, m, d) * ENT_US_PER_DAY + ((h)*3600 + (min)*60 + (s)) * INT64_C(1000000))

static void iso_times(void **state) {
	(void)state;
	int64_t noon = AT(2024, 3, 1, 9, 0, 0);
	instant("2024-03-01 10:00:00 +0100", NULL, ENT_TIME_INSTANT, noon, 60);
	instant("2024-03-01T09:00:00Z", NULL, ENT_TIME_INSTANT, noon, 0);
	instant("2024-03-01T09:00:00.250+00:00", NULL, ENT_TIME_INSTANT, noon + 250000, 0);
	instant("2024-03-01T03:30:00-05:30", NULL, ENT_TIME_INSTANT, noon, -330);
	instant("2024-03-01 09:00:00 UTC", NULL, ENT_TIME_INSTANT, noon, 0);
	instant("20240301T090000Z", NULL, ENT_TIME_INSTANT, noon, 0);
	instant("2024-03-01 09:00", NULL, ENT_TIME_LOCAL, noon, ENT_NO_OFFSET);
	instant("2024-03-01 09:00:00.123456789", NULL, ENT_TIME_LOCAL, noon + 123456, ENT_NO_OFFSET);
	instant("2024/03/01", NULL, ENT_TIME_DATE, ent_day_of(2024, 3, 1), ENT_NO_OFFSET);
	instant("20240301", NULL, ENT_TIME_DATE, ent_day_of(2024, 3, 1), ENT_NO_OFFSET);
	instant(" 2024-03-01 ", NULL, ENT_TIME_DATE, ent_day_of(2024, 3, 1), ENT_NO_OFFSET);
	instant("1969-12", NULL, ENT_TIME_MONTH, -1, ENT_NO_OFFSET);
	instant("1969-12-31T23:59:59Z", NULL, ENT_TIME_INSTANT, -1000000, 0);
	const char *const bad[] = {"", "2024", "2024-13-01", "2023-02-29", "2024-03-01T", "2024-03-01T25:00:00Z",
		"2024-03-01 10:60:00", "2024-03-01 10:00:00 +1", "2024-03-01x", "2024-3-1", "01/03/2024",
		"2024-03-01 10:00:00 CET", "2024-03-01T10:00:00Z!", "0000-01-01", "202403"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		no_time(bad[i], NULL);
	}
}

static void patterns(void **state) {
	(void)state;
	instant("01.03.2024 09:00", "%d.%m.%Y %H:%M", ENT_TIME_LOCAL, AT(2024, 3, 1, 9, 0, 0), ENT_NO_OFFSET);
	instant("3/1/24 9:05 PM", "%m/%d/%y %I:%M %p", ENT_TIME_LOCAL, AT(2024, 3, 1, 21, 5, 0), ENT_NO_OFFSET);
	instant("12:30 am 1 Mar 2024", "%I:%M %p %e %b %Y", ENT_TIME_LOCAL, AT(2024, 3, 1, 0, 30, 0), ENT_NO_OFFSET);
	instant("March 2024", "%B %Y", ENT_TIME_MONTH, (2024 - 1970) * 12 + 2, ENT_NO_OFFSET);
	instant("2024-061", "%Y-%j", ENT_TIME_DATE, ent_day_of(2024, 3, 1), ENT_NO_OFFSET);
	instant("100% 2024-03-01", "100%% %Y-%m-%d", ENT_TIME_DATE, ent_day_of(2024, 3, 1), ENT_NO_OFFSET);
	instant("20240301090000.5+0200", "%Y%m%d%H%M%S.%f%z", ENT_TIME_INSTANT, AT(2024, 3, 1, 7, 0, 0) + 500000, 120);
	instant("31/12/69", "%d/%m/%y", ENT_TIME_DATE, ent_day_of(1969, 12, 31), ENT_NO_OFFSET);
	no_time("2024-366", "%Y-%m"); /* text left over */
	no_time("2023-366", "%Y-%j"); /* no leap year */
	no_time("13:00 PM 2024-03-01", "%I:%M %p %Y-%m-%d");
	no_time("10:00", "%H:%M");
	no_time("2024-03-01", "%Y-%m-%d %H");
	no_time("2024-03-01", "%Q");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amounts),
		cmocka_unit_test(rounding_is_half_even),
		cmocka_unit_test(not_amounts),
		cmocka_unit_test(iso_times),
		cmocka_unit_test(patterns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
