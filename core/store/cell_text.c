/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of integers as JSON, see cell_text.h. */
#include "store/cell_text.h"

static const char pairs[201] =
	"0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
	"5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

uint8_t *ent__text_number(uint8_t *p, int64_t v) {
	enum { MOST = 20, COPIED = 24 }; /* digits; what is copied is of one size, which is faster than what is needed */
	uint8_t digits[MOST + COPIED], *at = digits + MOST;
	uint64_t u = (uint64_t)v;
	if (v < 0) {
		*p++ = '-';
		u = -u;
	}
	for (; u >= 100; u /= 100) {
		memcpy(at -= 2, pairs + u % 100 * 2, 2);
	}
	if (u >= 10) {
		memcpy(at -= 2, pairs + u * 2, 2);
	} else {
		*--at = (uint8_t)('0' + u);
	}
	size_t n = (size_t)(digits + MOST - at);
	memcpy(p, at, COPIED);
	p[n] = ',';
	return p + n + 1;
}

static bool take(ent_read *r, uint8_t c) {
	bool is = r->p < r->end && *r->p == c;
	r->p += is;
	return is;
}

static int64_t number(ent_read *r) {
	bool negative = take(r, '-');
	uint64_t u = 0, most = (uint64_t)INT64_MAX + negative;
	const uint8_t *first = r->p;
	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
		unsigned digit = *r->p - '0';
		if (u > (most - digit) / 10) {
			r->bad = true;
			return 0;
		}
		u = u * 10 + digit;
	}
	r->bad |= r->p == first;
	return (int64_t)(negative ? -u : u);
}

unsigned ent__text_next(ent_read *r, int64_t numbers[ENT__TEXT_NUMBERS]) {
	if (r->bad || r->p == r->end) {
		return 0;
	}
	unsigned n = 0;
	/* a row begins with the list or behind another one; the caller began with the list's first byte */
	if (!(take(r, '[') || take(r, ',')) || !take(r, '[')) {
		r->bad = true;
		return 0;
	}
	do {
		if (n == ENT__TEXT_NUMBERS) {
			r->bad = true;
			return 0;
		}
		numbers[n++] = number(r);
	} while (!r->bad && take(r, ','));
	/* behind the row: the end of the list, which is the end of all, or a comma, which is left for the next row */
	r->bad |= !take(r, ']') || r->p == r->end || (*r->p != ',' && !(take(r, ']') && r->p == r->end));
	return r->bad ? 0 : n;
}
