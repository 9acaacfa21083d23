/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ent_utf8_check: every kind of wrong sequence at every place of a block, and any bytes against a naive check. */
#include "decode/input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed = 1;

static uint32_t dice(uint32_t n) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

static void utf8_is_checked_in_full(void **state) {
	(void)state;
	static const struct {
		const char *text;
		size_t good; /* SIZE_MAX: all */
		bool cut;
	} cases[] = {{"abc\xc3\xa4", SIZE_MAX, false}, {"a\xc3", 1, true}, {"\xe2\x82", 0, true}, {"\xc0\x80", 0, false},
		{"\xed\xa0\x80", 0, false}, {"\xf4\x90\x80\x80", 0, false}, {"\xf0\x8f\x80\x80", 0, false},
		{"\xe0\x9f\x80", 0, false}, {"\xf0\x9f\x98\x80", SIZE_MAX, false}, {"\x80", 0, false}, {"\xff", 0, false},
		{"ab\xe4z", 2, false}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t before = 0; before < 130; before += 13) { /* at every place of a block of 64 */
			char text[200];
			memset(text, 'x', sizeof text);
			size_t n = strlen(cases[i].text);
			memcpy(text + before, cases[i].text, n);
			bool cut, nul = false;
			size_t good = ent_utf8_check(text, before + n, &cut, &nul);
			assert_int_equal(good, cases[i].good == SIZE_MAX ? before + n : before + cases[i].good);
			assert_int_equal(cut, cases[i].cut);
			assert_false(nul);
		}
	}
	char zeros[100] = {0};
	bool cut, nul = false;
	assert_int_equal(ent_utf8_check(zeros, 100, &cut, &nul), 100);
	assert_true(nul);
}

static size_t naive_utf8(const unsigned char *p, size_t n, bool *cut) {
	for (size_t i = 0; i < n;) {
		uint32_t c = p[i], least[5] = {0, 0, 0x80, 0x800, 0x10000};
		size_t length = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0, k = 1;
		c &= length > 1 ? 0x7fu >> length : 0xff;
		for (; k < length && i + k < n && p[i + k] >> 6 == 2; k++) {
			c = c << 6 | (p[i + k] & 0x3f);
		}
		if (!length || (k < length && i + k < n) ||
			(k == length && (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)))) {
			*cut = false;
			return i;
		}
		if (k < length) { /* cut off, if what is there can still become a character */
			uint32_t low = c << 6 * (length - k), high = low | ((1u << 6 * (length - k)) - 1);
			*cut = high >= least[length] && low <= 0x10ffff && !(low >= 0xd800 && high < 0xe000);
			return i;
		}
		i += length;
	}
	*cut = false;
	return n;
}

static void utf8_of_any_bytes(void **state) {
	(void)state;
	static const char *const letters[] = {"a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xe0\xa0\x80", "\xf4\x8f\xbf\xbf"};
	for (int i = 0; i < 60000; i++) {
		unsigned char text[400];
		size_t n = 0, most = dice(360);
		for (uint32_t rare = 1 + dice(60); n < most;) {
			const char *letter = letters[dice(rare) ? 0 : dice(8)];
			memcpy(text + n, letter, strlen(letter));
			n += strlen(letter);
		}
		if (n && dice(2)) {
			text[dice((uint32_t)n)] = (unsigned char)dice(256);
		}
		n -= n && dice(3) == 0;
		bool cut, expected_cut, nul = false;
		size_t expected = naive_utf8(text, n, &expected_cut);
		assert_int_equal(ent_utf8_check((char *)text, n, &cut, &nul), expected);
		assert_int_equal(cut, expected_cut);
		assert_int_equal(nul, memchr(text, 0, expected) != NULL);
		bool nuls[2] = {false, false};
		size_t plain = ent__ascii(text, n, &nuls[0], false);
		assert_int_equal(ent__ascii(text, n, &nuls[1], true), plain);
		assert_int_equal(nuls[0], memchr(text, 0, plain) != NULL);
		assert_int_equal(nuls[1], nuls[0]);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_checked_in_full),
		cmocka_unit_test(utf8_of_any_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
