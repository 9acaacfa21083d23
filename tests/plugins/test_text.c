/* SPDX-License-Identifier: Apache-2.0
 *
 * The helpers that plugins share read numbers and compare names eight bytes at a time: against a reading digit by
 * digit, on text that lies at the very end of what may be read. */
#include "../../plugins/common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t seed = 42;

static uint32_t dice(uint32_t n) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

/* Text of n bytes in memory of its own, so that a sanitizer sees a byte read too many. */
static char *random_text(size_t n, unsigned kind) {
	static const char letters[] = "0123456789.-,/: a\x80\xb0\xff";
	char *p = malloc(n + 1);
	assert_non_null(p);
	p = realloc(p, n ? n : 1);
	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		p[i] = kind ? (char)('0' + dice(10)) : letters[dice(sizeof letters - 1)];
	}
	if (n > 3 && kind > 1) {
		p[n - 3] = '.';
	}
	if (n > 1 && kind > 2) {
		p[dice((uint32_t)n)] = letters[dice(sizeof letters - 1)];
	}
	return p;
}

static int plain_digits(const char *p, size_t n, int64_t *out) {
	int64_t v = 0;
	if (!n || n > 18) {
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9') {
			return -1;
		}
		v = v * 10 + (p[i] - '0');
	}
	*out = v;
	return 0;
}

/* What the host is asked for is none of ours. */
static int asked(ent_str text, char decimal, char group, int64_t *micro) {
	(void)text, (void)decimal, (void)group, (void)micro;
	return -2;
}

static int plain_money(const char *p, size_t n, int64_t *out) {
	int64_t whole = 0, part = 0, unit = 1000000;
	size_t i = n && *p == '-', start = i, decimals = 0;
	for (; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
		whole = i - start < 12 ? whole * 10 + (p[i] - '0') : 0;
	}
	if (i == start || i - start > 12 || n > 18) {
		return -2;
	}
	if (i < n && p[i] == '.') {
		for (i++; i < n && p[i] >= '0' && p[i] <= '9' && decimals < 6; i++, decimals++) {
			part = part * 10 + (p[i] - '0');
			unit /= 10;
		}
		if (!decimals) {
			return -2;
		}
	}
	if (i < n) {
		return -2;
	}
	*out = (whole * 1000000 + part * unit) * (*p == '-' ? -1 : 1);
	return 0;
}

static void numbers(void **state) {
	(void)state;
	const ent_host host = {.money = asked};
	unsigned read = 0;
	for (int k = 0; k < 400000; k++) {
		size_t n = dice(20);
		char *p = random_text(n, dice(4));
		int64_t a = -1, b = -1;
		assert_int_equal(text_digits(p, n, &a), plain_digits(p, n, &b));
		if (!plain_digits(p, n, &b)) {
			assert_true(a == b);
			read++;
		}
		a = b = -1;
		assert_int_equal(text_money(&host, (ent_str){p, n}, &a), plain_money(p, n, &b));
		if (a != b) {
			fail_msg("%.*s: %lld instead of %lld", (int)n, p, (long long)a, (long long)b);
		}
		free(p);
	}
	assert_true(read > 50000);
}

/* The short way is taken: else all of the above would hold as well, and cost three times as much. */
static void eight_digits(void **state) {
	(void)state;
	uint64_t v;
	assert_int_equal(text_eight(text_load("12345678", 8), &v), 0);
	assert_int_equal(v, 12345678);
	assert_int_equal(text_eight(text_right("00009999", 8), &v), 0);
	assert_int_equal(v, 9999);
	for (unsigned at = 0; at < 8; at++) {
		for (unsigned c = 0; c < 256; c++) {
			char text[8];
			memset(text, '9', 8);
			text[at] = (char)c;
			assert_int_equal(text_eight(text_load(text, 8), &v), c >= '0' && c <= '9' ? 0 : -1);
		}
	}
	const ent_host host = {.money = asked};
	int64_t micro;
	assert_int_equal(text_money(&host, TEXT("12345.67"), &micro), 0);
	assert_true(micro == 12345670000);
	assert_int_equal(text_money(&host, TEXT("1,234.5"), &micro), -2);
}

static void names(void **state) {
	(void)state;
	for (int k = 0; k < 100000; k++) {
		size_t n = dice(40);
		char *p = random_text(n, 0), *q = random_text(n, 0), to[41];
		if (dice(4)) {
			memcpy(q, p, n);
			if (n && dice(2)) {
				q[dice((uint32_t)n)] ^= 1;
			}
		}
		assert_int_equal(text_same(p, q, n), memcmp(p, q, n) == 0);
		assert_int_equal(text_equal((ent_str){p, n}, (ent_str){q, n}), memcmp(p, q, n) == 0);
		memset(to, '#', sizeof to);
		text_copy(to, p, n);
		assert_memory_equal(to, p, n);
		assert_int_equal(to[n], '#');
		free(p);
		free(q);
	}
	assert_true(text_equal((ent_str){NULL, 0}, TEXT("")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(eight_digits),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
