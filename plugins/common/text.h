/* SPDX-License-Identifier: Apache-2.0
 *
 * Small inline helpers that the shipped plugins share: comparing cells, plain decimals and dates without a call to the
 * host, a civil calendar. What is not written in the plain form goes to the host's functions, so that there is one
 * meaning of an amount and of a time, and only a shorter way to the usual ones. No state, any thread.
 */
#ifndef ENTENTE_PLUGINS_TEXT_H
#define ENTENTE_PLUGINS_TEXT_H

#include "entente/plugin.h"

#include <stdint.h>
#include <string.h>

#define TEXT_IS(s, literal) ((s).n == sizeof(literal) - 1 && !memcmp((s).p, literal, sizeof(literal) - 1))
#define TEXT(literal) ((ent_str){(literal), sizeof(literal) - 1})

static inline uint64_t text_load(const char *p, size_t n) {
	uint64_t v = 0;
	memcpy(&v, p, n);
	return v;
}

/* Of n bytes, the first and the last eight, which may be the same ones, or all of them in *a; n <= 16. */
static inline void text_ends(const char *p, size_t n, uint64_t *a, uint64_t *b) {
	*b = 0;
	if (n >= 8) {
		*a = text_load(p, 8);
		*b = text_load(p + n - 8, 8);
	} else if (n >= 4) {
		*a = text_load(p, 4) | text_load(p + n - 4, 4) << 32;
	} else {
		*a = n ? text_load(p, 1) | text_load(p + n / 2, 1) << 8 | text_load(p + n - 1, 1) << 16 : 0;
	}
}

/* Names and numbers are short: a call of memcmp() costs more than comparing them. */
static inline int text_same(const char *p, const char *q, size_t n) {
	uint64_t a, b, c, d;
	if (n > 16)
		return !memcmp(p, q, n);
	text_ends(p, n, &a, &b);
	text_ends(q, n, &c, &d);
	return a == c && b == d;
}

static inline int text_equal(ent_str a, ent_str b) { return a.n == b.n && text_same(a.p, b.p, a.n); }

/* Copies n bytes, mostly few. */
static inline void text_copy(char *to, const char *p, size_t n) {
	if (n > 16) {
		memcpy(to, p, n);
	} else if (n >= 8) {
		uint64_t a = text_load(p, 8), b = text_load(p + n - 8, 8);
		memcpy(to, &a, 8);
		memcpy(to + n - 8, &b, 8);
	} else if (n >= 4) {
		uint32_t a = (uint32_t)text_load(p, 4), b = (uint32_t)text_load(p + n - 4, 4);
		memcpy(to, &a, 4);
		memcpy(to + n - 4, &b, 4);
	} else {
		for (size_t i = 0; i < n; i++)
			to[i] = p[i];
	}
}

static inline int text_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static inline ent_str text_trim(ent_str s) {
	while (s.n && text_blank(s.p[0]))
		s.p++, s.n--;
	while (s.n && text_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* An empty cell becomes an absent string: in these formats a blank never means more than "not given". */
static inline ent_str text_given(ent_str s) { return s.n ? s : (ent_str){NULL, 0}; }

static inline char text_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

/* A number that is a name. Spreadsheets are kept from eating its zeros by a mark before it, which some files keep. */
static inline ent_str text_id(ent_str s) {
	s = text_trim(s);
	return s.n > 1 && s.p[0] == '\'' ? (ent_str){s.p + 1, s.n - 1} : s;
}

/* n letters A to Z: a currency (3) or a country (2) as ISO writes them. */
static inline int text_capitals(ent_str s, size_t n) {
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 'A' || s.p[i] > 'Z')
			return 0;
	return s.n == n;
}

/* `word` is lower case and NUL-terminated. */
static inline int text_is_fold(ent_str s, const char *word) {
	for (size_t i = 0; i < s.n; i++)
		if (!word[i] || text_lower(s.p[i]) != word[i])
			return 0;
	return word[s.n] == 0;
}

/* For probes: what marks a format stands near its beginning, and each file is looked at for every decoder. */
enum { TEXT_PROBED = 8192 };
static inline ent_str text_start(ent_str s) { return (ent_str){s.p, s.n < TEXT_PROBED ? s.n : TEXT_PROBED}; }

static inline int text_has_fold(ent_str s, const char *word) {
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= s.n; i++) {
		size_t k = 0;
		while (k < n && text_lower(s.p[i + k]) == word[k])
			k++;
		if (k == n)
			return 1;
	}
	return 0;
}

/* The number that eight digits are, the first in the lowest byte; all at once, for how many there are cannot be
 * foreseen. 0, or -1: they are no digits. */
static inline int text_eight(uint64_t w, uint64_t *out) {
	w ^= UINT64_C(0x3030303030303030);
	if ((w | (w + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080))
		return -1;
	w = (w * 10 + (w >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
	w = (w * 100 + (w >> 16)) & UINT64_C(0x0000ffff0000ffff);
	*out = (w * 10000 + (w >> 32)) & UINT64_C(0xffffffff);
	return 0;
}

/* 4 to 8 bytes, the last one in the highest byte, zero before the first. Only these are read. */
static inline uint64_t text_right(const char *p, size_t n) {
	return (text_load(p, 4) | text_load(p + n - 4, 4) << 8 * (n - 4)) << 8 * (8 - n);
}

/* Digits only, 1 to 18 of them. 0 or -1. */
static inline int text_digits(const char *p, size_t n, int64_t *out) {
	const uint64_t zeros = UINT64_C(0x3030303030303030);
	uint64_t v = 0, high;
	if (n - 4 <= 4) {
		if (text_eight(text_right(p, n) | (n < 8 ? zeros >> 8 * n : 0), &v))
			return -1;
		*out = (int64_t)v;
		return 0;
	}
	if (n - 9 <= 7) { /* the last eight, and those before them */
		if (text_eight(text_load(p, 8) << 8 * (16 - n) | (n < 16 ? zeros >> 8 * (n - 8) : 0), &high) ||
			text_eight(text_load(p + n - 8, 8), &v))
			return -1;
		*out = (int64_t)(high * 100000000 + v);
		return 0;
	}
	if (!n || n > 18)
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)(unsigned char)p[i] - '0';
		if (d > 9)
			return -1;
		v = v * 10 + d;
	}
	*out = (int64_t)v;
	return 0;
}

/* Any amount with a decimal point. 0 or -1. */
static inline int text_money_any(const ent_host *host, ent_str s, int64_t *micro) {
	int64_t v = 0;
	size_t i = 0, digits = 0, decimals = 0;
	int negative = s.n && s.p[0] == '-';
	for (i = (size_t)negative; i < s.n && s.n <= 18; i++) {
		unsigned d = (unsigned)(unsigned char)s.p[i] - '0';
		if (d > 9)
			break;
		v = v * 10 + (int64_t)d;
		digits++;
	}
	if (digits && digits <= 12 && i < s.n && s.p[i] == '.') {
		for (i++; i < s.n && decimals < 6; i++, decimals++) {
			unsigned d = (unsigned)(unsigned char)s.p[i] - '0';
			if (d > 9)
				break;
			v = v * 10 + (int64_t)d;
		}
		if (!decimals)
			i = 0;
	}
	if (i != s.n || !digits || digits > 12)
		return host->money(s, '.', 0, micro);
	static const int64_t scale[7] = {1000000, 100000, 10000, 1000, 100, 10, 1};
	v *= scale[decimals];
	*micro = negative ? -v : v;
	return 0;
}

/* Amount with a decimal point to micro-units. 0 or -1. */
static inline int text_money(const ent_host *host, ent_str s, int64_t *micro) {
	if (s.n == 4 && !memcmp(s.p, "0.00", 4)) { /* most discounts, refunds and sums that are due */
		*micro = 0;
		return 0;
	}
	if (s.n - 4 <= 4) { /* "1.99" to "12345.67": nearly all other ones */
		const uint64_t part = (UINT64_C(1) << 40) - 1, zeros = UINT64_C(0x3030303030303030);
		uint64_t w = text_right(s.p, s.n), v;
		if ((w >> 40 & 0xff) == '.' && !text_eight((w & ~part << 8) | (w & part) << 8 | zeros >> 8 * (s.n - 1), &v)) {
			*micro = (int64_t)v * 10000;
			return 0;
		}
	}
	return text_money_any(host, s, micro);
}

/* Amount as a cell of a delimited file may have it: quotes around it where the file has none, and marks between thousands
 * where a point behind them says what they are. 0 or -1. */
static inline int text_amount(const ent_host *host, ent_str s, int64_t *micro) {
	s = text_trim(s);
	if (s.n > 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		s = (ent_str){s.p + 1, s.n - 2};
	const char *comma = s.n ? memchr(s.p, ',', s.n) : NULL;
	if (comma && memchr(comma, '.', s.n - (size_t)(comma - s.p)))
		return host->money(s, '.', ',', micro);
	return text_money(host, s, micro);
}

/* Whole pieces, or a decimal, to 1/1000 of a piece. 0 or -1; a finer fraction than 1/1000 is -1. */
static inline int text_quantity(const ent_host *host, ent_str s, int64_t *milli) {
	int64_t v;
	if (s.n == 1 && (unsigned)(unsigned char)*s.p - '0' <= 9) {
		*milli = (*s.p - '0') * 1000;
		return 0;
	}
	if (s.n <= 9 && !text_digits(s.p, s.n, &v)) {
		*milli = v * 1000;
		return 0;
	}
	if (text_money(host, s, &v) || v % 1000)
		return -1;
	*milli = v / 1000;
	return 0;
}

/* amount * milli / 1000, or -1 when it leaves int64. Half-even, because 1/1000 of a piece of an odd micro may remain.
 */
static inline int text_times(int64_t amount, int64_t milli, int64_t *out) {
	int64_t whole;
	if (milli % 1000 == 0 && !__builtin_mul_overflow(amount, milli / 1000, &whole) && whole != INT64_MIN) {
		*out = whole;
		return 0;
	}
	__int128 x = (__int128)amount * milli, q = x / 1000, r = x % 1000;
	if (r < 0)
		r = -r;
	if (r > 500 || (r == 500 && (q & 1)))
		q += x < 0 ? -1 : 1;
	if (q > INT64_MAX || q < -INT64_MAX)
		return -1;
	*out = (int64_t)q;
	return 0;
}

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar. */
static inline int64_t text_civil(int64_t y, unsigned m, unsigned d) {
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400);
	unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

/* What text_civil() undoes: the date of a day. */
static inline void text_date_back(int64_t day, int *y, unsigned *m, unsigned *d) {
	int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097), yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int)(yoe + era * 400) + (*m <= 2);
}

/* First day of a month that is counted from 1970-01. */
static inline int64_t text_month_day(int64_t month) {
	int64_t year = month / 12 - (month % 12 < 0);
	return text_civil(1970 + year, (unsigned)(month - year * 12) + 1, 1);
}

static inline unsigned text_month_days(unsigned y, unsigned m) {
	static const unsigned char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 29 : days[m - 1];
}

static inline int text_date_of(unsigned y, unsigned m, unsigned d, int64_t *day) {
	if (m < 1 || m > 12 || d < 1 || d > text_month_days(y, m))
		return -1;
	*day = text_civil((int64_t)y, m, d);
	return 0;
}

#endif
