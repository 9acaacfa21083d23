/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of an event to plain text and numbers. BigQuery writes int64 as strings, other tools as numbers.
 */
#include "ga4.h"

#include <math.h>
#include <stdlib.h>

static int hex4(const char *p, const char *end, uint32_t *out) {
	*out = 0;
	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		uint32_t d;
		if (c >= '0' && c <= '9')
			d = (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			d = (uint32_t)((c | 0x20) - 'a') + 10;
		else
			return -1;
		*out = *out << 4 | d;
	}
	return 0;
}

static char *utf8(char *o, uint32_t c) {
	if (c < 0x80) {
		*o++ = (char)c;
	} else if (c < 0x800) {
		*o++ = (char)(0xc0 | c >> 6);
		*o++ = (char)(0x80 | (c & 63));
	} else if (c < 0x10000) {
		*o++ = (char)(0xe0 | c >> 12);
		*o++ = (char)(0x80 | (c >> 6 & 63));
		*o++ = (char)(0x80 | (c & 63));
	} else {
		*o++ = (char)(0xf0 | c >> 18);
		*o++ = (char)(0x80 | (c >> 12 & 63));
		*o++ = (char)(0x80 | (c >> 6 & 63));
		*o++ = (char)(0x80 | (c & 63));
	}
	return o;
}

/* What is no escape of JSON stays as it is written; half a surrogate becomes U+FFFD. */
static ent_str unescape(ga4 *g, ent_str s) {
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p = s.p, *end = s.p + s.n;
	if (s.n > GA4_SCRATCH - g->scratch_used) /* unescaped text is never longer */
		return (ent_str){NULL, 0};
	char *first = g->scratch + g->scratch_used, *o = first;
	while (p < end) {
		uint32_t c, low;
		const char *hit;
		if (*p != '\\' || end - p < 2) {
			*o++ = *p++;
		} else if (p[1] == 'u' && !hex4(p + 2, end, &c)) {
			p += 6;
			if (c >= 0xd800 && c < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' && !hex4(p + 2, end, &low) &&
				low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
				p += 6;
			} else if (c >= 0xd800 && c < 0xe000) {
				c = 0xfffd;
			}
			o = utf8(o, c);
		} else if (p[1] && (hit = strchr(from, p[1]))) {
			*o++ = to[hit - from];
			p += 2;
		} else {
			*o++ = *p++;
		}
	}
	g->scratch_used += (size_t)(o - first);
	return (ent_str){first, (size_t)(o - first)};
}

ent_str ga4__text(ga4 *g, const event_value *v) {
	ent_str s = {v->p, v->n};
	if (v->kind != VALUE_STRING)
		return (ent_str){NULL, 0};
	return memchr(s.p, '\\', s.n) ? unescape(g, s) : s;
}

ent_str ga4__word(ga4 *g, const event_value *v) {
	ent_str s = v->kind == VALUE_NUMBER ? (ent_str){v->p, v->n} : ga4__text(g, v);
	if (!s.n || TEXT_IS(s, "(not set)"))
		return (ent_str){NULL, 0};
	return s;
}

int ga4__int(const event_value *v, int64_t *out) {
	if (v->kind != VALUE_STRING && v->kind != VALUE_NUMBER)
		return -1;
	const char *p = v->p;
	size_t n = v->n;
	int negative = n && *p == '-';
	if (text_digits(p + negative, n - (size_t)negative, out))
		return -1;
	if (negative)
		*out = -*out;
	return 0;
}

int ga4__decimal(ga4 *g, const event_value *v, int64_t *micro) {
	ent_str s = {v->p, v->n};
	char b[64], *end;
	if (v->kind != VALUE_STRING && v->kind != VALUE_NUMBER)
		return -1;
	if (!memchr(s.p, 'e', s.n) && !memchr(s.p, 'E', s.n))
		return text_money(g->host, s, micro);
	if (s.n >= sizeof b)
		return -1;
	memcpy(b, s.p, s.n);
	b[s.n] = 0;
	double d = strtod(b, &end);
	if (*end || !(fabs(d) < 9e12))
		return -1;
	*micro = llrint(d * 1e6);
	return 0;
}

ent_str ga4__path(ent_str s) {
	const char *scheme = s.n > 3 ? memchr(s.p, ':', s.n) : NULL;
	if (scheme && s.p + s.n - scheme >= 3 && scheme[1] == '/' && scheme[2] == '/') {
		s.n -= (size_t)(scheme + 3 - s.p);
		s.p = scheme + 3;
		const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
		if (!slash)
			return s.n ? TEXT("/") : (ent_str){NULL, 0};
		s.n -= (size_t)(slash - s.p);
		s.p = slash;
	}
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '?' || s.p[i] == '#')
			s.n = i;
	return text_given(s);
}
