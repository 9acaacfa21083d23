/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON writer: commas, escapes, exact numbers, text that is no UTF-8. */
#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void is(ent_buf *out, const char *expected) {
	ent_buf_u8(out, 0);
	assert_string_equal((char *)out->data, expected);
	out->n = 0;
}

static void structure(void **state) {
	(void)state;
	ent_buf out = {0};
	ent_json j;
	ent_json_init(&j, &out, false);
	ent_json_object(&j);
	ent_json_key(&j, "a");
	ent_json_array(&j);
	ent_json_int(&j, INT64_MIN);
	ent_json_uint(&j, UINT64_MAX);
	ent_json_object(&j);
	ent_json_end(&j);
	ent_json_array(&j);
	ent_json_end(&j);
	ent_json_end(&j);
	ent_json_key(&j, "b");
	ent_json_bool(&j, true);
	ent_json_key(&j, "c");
	ent_json_text(&j, NULL);
	ent_json_key(&j, "d");
	ent_json_raw(&j, "[1]", 3);
	ent_json_end(&j);
	assert_int_equal(j.depth, 0);
	is(&out, "{\"a\":[-9223372036854775808,18446744073709551615,{},[]],\"b\":true,\"c\":null,\"d\":[1]}");
	ent_json_init(&j, &out, true);
	ent_json_array(&j);
	ent_json_object(&j);
	ent_json_key(&j, "x");
	ent_json_int(&j, 1);
	ent_json_key(&j, "y");
	ent_json_int(&j, 2);
	ent_json_end(&j);
	ent_json_array(&j);
	ent_json_end(&j);
	ent_json_end(&j);
	is(&out, "[\n  {\n    \"x\": 1,\n    \"y\": 2\n  },\n  []\n]");
	ent_buf_finish(&out);
}

static void text(void **state) {
	(void)state;
	ent_buf out = {0};
	ent_json_quote(&out, "a\"\\\n\r\t\x01\x7f/", 9);
	is(&out, "\"a\\\"\\\\\\n\\r\\t\\u0001\\u007f/\"");
	ent_json_quote(&out, "\0é€😀", 10);
	is(&out, "\"\\u0000é€😀\"");
	/* stray continuation, cut short, overlong, surrogate, beyond the end */
	ent_json_quote(&out, "\x80|\xe2\x82|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80", 16);
	is(&out, "\"\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|"
			 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	ent_buf_finish(&out);
}

static void numbers(void **state) {
	(void)state;
	static const struct {
		int64_t value;
		unsigned scale;
		const char *text;
	} decimals[] = {
		{1250000, 6, "1.25"},
		{-1250000, 6, "-1.25"},
		{1000000, 6, "1"},
		{-1, 6, "-0.000001"},
		{0, 6, "0"},
		{5, 0, "5"},
		{50, 1, "5"},
		{INT64_MIN, 6, "-9223372036854.775808"},
		{100, 0, "100"},
		{10, 2, "0.1"},
	};
	ent_buf out = {0};
	ent_json j;
	for (size_t i = 0; i < sizeof decimals / sizeof *decimals; i++) {
		ent_json_init(&j, &out, false);
		ent_json_decimal(&j, decimals[i].value, decimals[i].scale);
		is(&out, decimals[i].text);
	}
	__int128 most = (__int128)(~(unsigned __int128)0 >> 1);
	ent_json_init(&j, &out, false);
	ent_json_decimal(&j, -most - 1, 6);
	is(&out, "-170141183460469231731687303715884.105728");
	char fixed[64];
	assert_int_equal(ent_decimal_text(1500000, 6, 2, fixed), 4);
	assert_string_equal(fixed, "1.50");
	ent_json_init(&j, &out, false);
	ent_json_array(&j);
	ent_json_double(&j, 0.1);
	ent_json_double(&j, 1.0 / 3);
	ent_json_double(&j, 1e300);
	ent_json_double(&j, NAN);
	ent_json_double(&j, -INFINITY);
	ent_json_end(&j);
	is(&out, "[0.1,0.3333333333333333,1e+300,null,null]");
	ent_buf_finish(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structure),
		cmocka_unit_test(text),
		cmocka_unit_test(numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
