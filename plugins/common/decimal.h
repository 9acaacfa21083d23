/* SPDX-License-Identifier: Apache-2.0
 *
 * Decimals finer than amounts: host->money() has six places, and a rate or a share may need more (1 VND = 0.0000371
 * EUR), or be written as 3.71e-05 where it went through a program. No state, any thread. */
#ifndef ENTENTE_PLUGINS_DECIMAL_H
#define ENTENTE_PLUGINS_DECIMAL_H

#include "text.h"

enum { DECIMAL_PLACES = 12 }; /* the finest that the engine reads */

/* value / 10^scale, without zeros at its end: 1.0800 and 1.08 are the same. */
typedef struct decimal {
	int64_t value;
	uint8_t scale;
} decimal;

/* Nothing was given: "", N/A, ., -, ND, null. */
static inline int decimal_absent(ent_str s) {
	return !s.n || TEXT_IS(s, ".") || TEXT_IS(s, "-") || text_is_fold(s, "n/a") || text_is_fold(s, "na") ||
		   text_is_fold(s, "nan") || text_is_fold(s, "nd") || text_is_fold(s, "null");
}

/* n / d, half-even. */
static inline unsigned __int128 decimal_divided(unsigned __int128 n, unsigned __int128 d) {
	unsigned __int128 q = n / d, rest = (n % d) * 2;
	return q + (rest > d || (rest == d && (q & 1)));
}

static inline decimal decimal_tidy(int64_t value, int scale) {
	while (scale > 0 && value % 10 == 0)
		value /= 10, scale--;
	return (decimal){value, (uint8_t)scale};
}

/* 0; -1: no number, or one with more digits than fit. More than 12 places are rounded half-even. */
static inline int decimal_read(ent_str s, char mark, decimal *out) {
	unsigned __int128 v = 0, ten = 1;
	int scale = 0, digits = 0, behind = 0, exponent = 0;
	int minus = s.n && s.p[0] == '-';
	size_t i = (size_t)(s.n && (s.p[0] == '-' || s.p[0] == '+'));
	for (; i < s.n && (s.p[i] == mark || (unsigned)(unsigned char)s.p[i] - '0' <= 9); i++) {
		if (s.p[i] == mark) {
			if (behind++)
				return -1;
			continue;
		}
		if (v > (unsigned __int128)INT64_MAX)
			return -1;
		v = v * 10 + (unsigned)(s.p[i] - '0');
		scale += behind;
		digits++;
	}
	if (digits && i < s.n && text_lower(s.p[i]) == 'e') {
		size_t signs = (size_t)(i + 1 < s.n && (s.p[i + 1] == '-' || s.p[i + 1] == '+'));
		int small = signs && s.p[i + 1] == '-';
		i += 1 + signs;
		if (i == s.n || s.n - i > 2)
			return -1;
		for (; i < s.n && (unsigned)(unsigned char)s.p[i] - '0' <= 9; i++)
			exponent = exponent * 10 + (s.p[i] - '0');
		scale += small ? exponent : -exponent;
	}
	if (!digits || i != s.n)
		return -1;
	for (; scale < 0 && v <= (unsigned __int128)INT64_MAX; scale++)
		v *= 10;
	if (scale < 0 || scale > 36)
		return -1;
	for (; scale > DECIMAL_PLACES; scale--)
		ten *= 10;
	v = decimal_divided(v, ten);
	if (v > INT64_MAX)
		return -1;
	*out = decimal_tidy(minus ? -(int64_t)v : (int64_t)v, scale);
	return 0;
}

/* Divides what is above zero. 0, or -1: nothing is left, or it does not fit. */
static inline int decimal_divide(decimal *d, int64_t by) {
	unsigned __int128 v = (unsigned __int128)d->value;
	for (int i = d->scale; i < DECIMAL_PLACES; i++)
		v *= 10;
	v = decimal_divided(v, (unsigned __int128)by);
	int scale = DECIMAL_PLACES;
	while (scale && v > INT64_MAX && v % 10 == 0)
		v /= 10, scale--;
	if (!v || v > INT64_MAX)
		return -1;
	*d = decimal_tidy((int64_t)v, scale);
	return 0;
}

#endif
