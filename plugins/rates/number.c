/* SPDX-License-Identifier: Apache-2.0
 *
 * Rates as numbers. Amounts have six decimals, and a rate may need more (1 VND = 0.0000371 EUR), or be written
 * as 3.71e-05 where it went through a program. So they are read here, to twelve. Pure functions. */
#include "rates.h"

static int absent(ent_str s) {
	return !s.n || TEXT_IS(s, ".") || TEXT_IS(s, "-") || text_is_fold(s, "n/a") || text_is_fold(s, "na") ||
		   text_is_fold(s, "nan") || text_is_fold(s, "nd") || text_is_fold(s, "null");
}

/* Cuts decimals beyond `scale` off, half-even. */
static int64_t cut(unsigned __int128 v, int digits) {
	unsigned __int128 ten = 1;
	for (int i = 0; i < digits; i++)
		ten *= 10;
	unsigned __int128 q = v / ten, rest = (v % ten) * 2;
	q += rest > ten || (rest == ten && (q & 1));
	return q > INT64_MAX ? -1 : (int64_t)q;
}

static void tidy(rates_number *n) {
	while (n->scale && n->value % 10 == 0)
		n->value /= 10, n->scale--;
}

int rates__number(ent_str s, char decimal, rates_number *out, const char **why) {
	unsigned __int128 v = 0;
	int scale = 0, digits = 0, behind = 0;
	size_t i = 0;
	s = text_trim(s);
	if (absent(s))
		return 1;
	*why = "no number";
	for (; i < s.n && (s.p[i] == decimal || (unsigned)(unsigned char)s.p[i] - '0' <= 9); i++) {
		if (s.p[i] == decimal) {
			if (behind++)
				return -1;
			continue;
		}
		if (v > (unsigned __int128)INT64_MAX) /* 18 digits and more: what follows says nothing any more */
			return -1;
		v = v * 10 + (unsigned)(s.p[i] - '0');
		scale += behind;
		digits++;
	}
	if (!digits)
		return -1;
	if (i < s.n && text_lower(s.p[i]) == 'e') {
		int minus = i + 1 < s.n && s.p[i + 1] == '-', exponent = 0;
		i += 1 + (size_t)(i + 1 < s.n && (s.p[i + 1] == '-' || s.p[i + 1] == '+'));
		if (i == s.n || s.n - i > 2)
			return -1;
		for (; i < s.n; i++) {
			if ((unsigned)(unsigned char)s.p[i] - '0' > 9)
				return -1;
			exponent = exponent * 10 + (s.p[i] - '0');
		}
		scale += minus ? exponent : -exponent;
	}
	if (i != s.n)
		return -1;
	*why = "a rate must be above zero, and have no more digits than anybody needs";
	for (; scale < 0 && v <= (unsigned __int128)INT64_MAX; scale++)
		v *= 10;
	if (scale < 0 || scale > 36)
		return -1;
	rates_number n = {.value = cut(v, scale > RATES_DECIMALS ? scale - RATES_DECIMALS : 0),
		.scale = (uint8_t)(scale > RATES_DECIMALS ? RATES_DECIMALS : scale)};
	if (n.value <= 0)
		return -1;
	tidy(&n);
	*out = n;
	return 0;
}

int rates__divide(rates_number *n, int64_t by) {
	unsigned __int128 v = (unsigned __int128)n->value;
	for (int i = n->scale; i < RATES_DECIMALS; i++)
		v *= 10;
	unsigned __int128 q = v / (unsigned __int128)by, rest = (v % (unsigned __int128)by) * 2;
	q += rest > (unsigned __int128)by || (rest == (unsigned __int128)by && (q & 1));
	int scale = RATES_DECIMALS;
	while (scale && q % 10 == 0)
		q /= 10, scale--;
	if (!q || q > INT64_MAX)
		return -1;
	*n = (rates_number){.value = (int64_t)q, .scale = (uint8_t)scale};
	return 0;
}
