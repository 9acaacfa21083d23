/* SPDX-License-Identifier: Apache-2.0
 *
 * Words of WooCommerce: statuses of orders, and HTML in names.
 */
#include "woocommerce.h"

int woo__status(const status_map *statuses, ent_str word) {
	static const status_word known[] = {
		{"completed", ENT_ORDER_SOLD},
		{"processing", ENT_ORDER_SOLD},
		{"refunded", ENT_ORDER_SOLD}, /* sold, and paid back: refunds say how much */
		{"on-hold", ENT_ORDER_PENDING},
		{"pending", ENT_ORDER_QUOTE}, /* never paid so far: most of them are checkouts that were left */
		{"cancelled", ENT_ORDER_CANCELLED},
		{"failed", ENT_ORDER_CANCELLED},
		{"trash", STATUS_GONE},
		{"checkout-draft", STATUS_SKIP},
		{"auto-draft", STATUS_SKIP},
		{NULL, 0},
	};
	if (word.n > 3 && !memcmp(word.p, "wc-", 3)) /* as the database writes them */
		word.p += 3, word.n -= 3;
	return status_of(statuses, known, word);
}

static size_t utf8(uint32_t c, char *out) {
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* The character that an entity stands for, without & and ;. 0: it is none. What it stands for is never longer in UTF-8
 * than it is written. */
static uint32_t entity(ent_str s) {
	static const struct {
		const char *name;
		uint32_t c;
	} names[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}, {"nbsp", 0xa0},
		{"ndash", 0x2013}, {"mdash", 0x2014}, {"hellip", 0x2026}, {"lsquo", 0x2018}, {"rsquo", 0x2019},
		{"sbquo", 0x201a}, {"ldquo", 0x201c}, {"rdquo", 0x201d}, {"bdquo", 0x201e}, {"laquo", 0xab}, {"raquo", 0xbb},
		{"times", 0xd7}, {"deg", 0xb0}, {"trade", 0x2122}, {"copy", 0xa9}, {"reg", 0xae}, {"euro", 0x20ac},
		{"pound", 0xa3}, {"middot", 0xb7}, {"bull", 0x2022}, {"Auml", 0xc4}, {"Ouml", 0xd6}, {"Uuml", 0xdc},
		{"auml", 0xe4}, {"ouml", 0xf6}, {"uuml", 0xfc}, {"szlig", 0xdf}, {"eacute", 0xe9}, {"egrave", 0xe8},
		{"agrave", 0xe0}, {"ccedil", 0xe7}};
	uint32_t c = 0;
	if (s.n > 1 && s.p[0] == '#') {
		int hex = s.p[1] == 'x' || s.p[1] == 'X';
		size_t i = hex ? 2 : 1;
		if (i == s.n || s.n > i + 7)
			return 0;
		for (; i < s.n; i++) {
			char d = text_lower(s.p[i]);
			int digit = d >= '0' && d <= '9' ? d - '0' : hex && d >= 'a' && d <= 'f' ? d - 'a' + 10 : -1;
			if (digit < 0)
				return 0;
			c = c * (hex ? 16 : 10) + (uint32_t)digit;
		}
		return c < 32 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : c;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names && !c; i++)
		c = strlen(names[i].name) == s.n && !memcmp(names[i].name, s.p, s.n) ? names[i].c : 0;
	return c;
}

size_t woo__plain(ent_str text, char *out) {
	size_t n = 0;
	for (size_t i = 0; i < text.n;) {
		const char *end = text.p[i] == '&' ? memchr(text.p + i, ';', text.n - i < 12 ? text.n - i : 12) : NULL;
		uint32_t c = end ? entity((ent_str){text.p + i + 1, (size_t)(end - text.p) - i - 1}) : 0;
		if (c) {
			n += utf8(c, out + n);
			i = (size_t)(end - text.p) + 1;
		} else {
			out[n++] = text.p[i++];
		}
	}
	return n;
}
