/* SPDX-License-Identifier: Apache-2.0
 *
 * Decimal text to micro-units, see values.h. The plain spelling ("1234.50") is parsed in one pass; everything else
 * (signs, symbols, groups, parentheses) first has its wrapping taken off. Pure functions. */
#include "decode/values.h"

#include <stdbool.h>
#include <string.h>

#define UNIT INT64_C(1000000)

static const int64_t power[7] = {1000000, 100000, 10000, 1000, 100, 10, 1};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* "1234", "1234.5", "-0.99": up to 12 digits before and 6 after the mark. */
static bool plain(const char *p, size_t n, char decimal, int64_t *micro) {
	const char *end = p + n;
	bool minus = n && *p == '-';
	p += minus;
	uint64_t whole = 0;
	const char *start = p;
	while (p < end && is_digit(*p)) {
		whole = whole * 10 + (uint64_t)(*p++ - '0');
	}
	size_t digits = (size_t)(p - start);
	if (!digits || digits > 12) {
		return false;
	}
	uint64_t fraction = 0;
	size_t places = 0;
	if (p < end) {
		if (*p++ != decimal || end - p > 6) {
			return false;
		}
		places = (size_t)(end - p);
		while (p < end) {
			if (!is_digit(*p)) {
				return false;
			}
			fraction = fraction * 10 + (uint64_t)(*p++ - '0');
		}
	}
	int64_t v = (int64_t)whole * UNIT + (int64_t)fraction * power[places];
	*micro = minus ? -v : v;
	return true;
}

/* Bytes of a blank at p: space, tab, U+00A0, U+202F, U+2009; 0 if there is none. */
static size_t blank_at(const char *p, const char *end) {
	if (p < end && (*p == ' ' || *p == '\t')) {
		return 1;
	}
	if (end - p >= 2 && !memcmp(p, "\xC2\xA0", 2)) {
		return 2;
	}
	if (end - p >= 3 && (!memcmp(p, "\xE2\x80\xAF", 3) || !memcmp(p, "\xE2\x80\x89", 3))) {
		return 3;
	}
	return 0;
}

static void trim(const char **p, const char **end) {
	for (size_t n; (n = blank_at(*p, *end));) {
		*p += n;
	}
	for (;;) {
		const char *e = *end;
		if (e > *p && (e[-1] == ' ' || e[-1] == '\t')) {
			*end = e - 1;
		} else if (e - *p >= 2 && !memcmp(e - 2, "\xC2\xA0", 2)) {
			*end = e - 2;
		} else if (e - *p >= 3 && (!memcmp(e - 3, "\xE2\x80\xAF", 3) || !memcmp(e - 3, "\xE2\x80\x89", 3))) {
			*end = e - 3;
		} else {
			return;
		}
	}
}

/* May this byte be part of a currency symbol or code: "$", "EUR", "R$", "kr", and the bytes of "€", "zł"? */
static bool is_symbol(char c) {
	return c == '$' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

/* U+2212, which typesetters and some spreadsheets write for minus. */
static bool is_true_minus(const char *p, const char *end) { return end - p >= 3 && !memcmp(p, "\xE2\x88\x92", 3); }

/* At most four characters: "US$", "EUR", "Euro". */
static bool short_enough(const char *p, const char *end) {
	int n = 0;
	for (; p < end; p++) {
		n += ((unsigned char)*p & 0xc0) != 0x80;
	}
	return n <= 4;
}

/* Takes off sign, symbol, blanks and parentheses on both sides. False if what is there makes no sense. */
static bool unwrap(const char **from, const char **to, bool *minus) {
	const char *p = *from, *end = *to;
	bool sign = false, symbol = false;
	*minus = false;
	trim(&p, &end);
	if (end - p >= 2 && *p == '(' && end[-1] == ')') {
		p++;
		end--;
		*minus = sign = true;
		trim(&p, &end);
	}
	for (;;) {
		trim(&p, &end);
		if (p < end && !sign && (*p == '-' || *p == '+')) {
			*minus = *p++ == '-';
			sign = true;
		} else if (!sign && is_true_minus(p, end)) {
			p += 3;
			*minus = sign = true;
		} else if (p < end && !symbol && is_symbol(*p)) {
			const char *start = p;
			while (p < end && is_symbol(*p) && !blank_at(p, end) && !is_true_minus(p, end)) {
				p++;
			}
			if (p == start || !short_enough(start, p)) {
				return false;
			}
			symbol = true;
		} else {
			break;
		}
	}
	for (;;) {
		trim(&p, &end);
		if (p < end && !sign && (end[-1] == '-' || end[-1] == '+')) {
			*minus = *--end == '-';
			sign = true;
		} else if (p < end && !symbol && is_symbol(end[-1])) {
			const char *stop = end;
			while (end > p && is_symbol(end[-1])) {
				end--;
			}
			while (blank_at(end, stop)) { /* a no-break space looks like the start of a symbol from behind */
				end += blank_at(end, stop);
			}
			if (!short_enough(end, stop)) {
				return false;
			}
			symbol = true;
		} else {
			break;
		}
	}
	*from = p;
	*to = end;
	return p < end;
}

/* Bytes of a group separator at p, 0 if there is none. */
static size_t group_at(const char *p, const char *end, char group) {
	return !group ? 0 : group == ' ' ? blank_at(p, end) : *p == group ? 1 : 0;
}

static int parse(const char *p, const char *end, char decimal, char group, bool minus, int64_t *micro) {
	uint64_t whole = 0;
	bool any = false, grouped = false;
	size_t run = 0; /* digits since the last separator */
	while (p < end && *p != decimal) {
		size_t g = group_at(p, end, group);
		if (g) {
			if (!run || run > 3 || (grouped && run < 2)) {
				return -1;
			}
			grouped = true;
			run = 0;
			p += g;
			continue;
		}
		if (!is_digit(*p) || whole > UINT64_C(100000000000000)) {
			return -1;
		}
		whole = whole * 10 + (uint64_t)(*p++ - '0');
		run++;
		any = true;
	}
	if (grouped && run != 3) {
		return -1;
	}
	uint64_t fraction = 0;
	unsigned places = 0, next = 0; /* next: the 7th decimal */
	bool rest = false;             /* is anything behind the 7th not 0? */
	if (p < end) {
		p++;
		for (unsigned i = 0; p < end; p++, i++) {
			if (!is_digit(*p)) {
				return -1;
			}
			any = true;
			if (i < 6) {
				fraction = fraction * 10 + (uint64_t)(*p - '0');
				places++;
			} else if (i == 6) {
				next = (unsigned)(*p - '0');
			} else {
				rest |= *p != '0';
			}
		}
	}
	if (!any) {
		return -1;
	}
	unsigned __int128 v = (unsigned __int128)whole * UNIT + fraction * (uint64_t)power[places];
	if (next > 5 || (next == 5 && (rest || v & 1))) {
		v++;
	}
	if (v > INT64_MAX) {
		return -1;
	}
	*micro = minus ? -(int64_t)v : (int64_t)v;
	return 0;
}

int ent_money_parse(ent_str text, char decimal, char group, int64_t *micro) {
	if (!text.n) {
		return -1;
	}
	if (plain(text.p, text.n, decimal, micro)) {
		return 0;
	}
	const char *p = text.p, *end = text.p + text.n;
	bool minus;
	if (!unwrap(&p, &end, &minus)) {
		return -1;
	}
	return parse(p, end, decimal, group, minus, micro);
}
