/* SPDX-License-Identifier: Apache-2.0
 *
 * The test host's reading of money and time, written plainly from the comments in plugin.h.
 */
#include "host.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int64_t civil(int y, int m, int d) {
	static const int before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t days = 0;
	int leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	static const int length[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (m < 1 || m > 12 || d < 1 || d > length[m - 1] + (m == 2 && leap) || y < 1 || y > 9999)
		return INT64_MIN;
	int64_t yy = y - 1;
	days = yy * 365 + yy / 4 - yy / 100 + yy / 400 + before[m - 1] + (m > 2 && leap) + d - 1;
	return days - 719162;
}

int host_money(ent_str text, char decimal, char group, int64_t *micro) {
	char b[80];
	size_t n = 0;
	int negative = 0, point = -1, digits = 0;
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c == ' ' || c == '\t' || c == '$' || c >= 0x80 || (group && c == (unsigned char)group && digits))
			continue;
		if (c == '-' || c == '(')
			negative = 1;
		else if (c == ')' || c == '+')
			continue;
		else if (c == (unsigned char)decimal && point < 0)
			point = (int)n;
		else if (isdigit(c) && n < sizeof b)
			b[n++] = (char)c, digits++;
		else
			return -1;
	}
	if (!digits)
		return -1;
	__int128 v = 0;
	size_t whole = point < 0 ? n : (size_t)point;
	for (size_t i = 0; i < whole + 6; i++) {
		v = v * 10 + (i < n ? b[i] - '0' : 0);
		if (v > INT64_MAX)
			return -1;
	}
	if (whole + 6 < n) {
		int next = b[whole + 6] - '0', rest = 0;
		for (size_t i = whole + 7; i < n; i++)
			rest |= b[i] != '0';
		if (next > 5 || (next == 5 && (rest || (v & 1))))
			v++;
	}
	*micro = (int64_t)(negative ? -v : v);
	return 0;
}

static int number(const char **p, const char *e, int least, int most, int *out) {
	int n = 0, v = 0;
	while (*p < e && n < most && isdigit((unsigned char)**p))
		v = v * 10 + *(*p)++ - '0', n++;
	*out = v;
	return n < least ? -1 : n;
}

static int month_name(const char **p, const char *e) {
	static const char *const names[12] = {"january", "february", "march", "april", "may", "june", "july", "august",
		"september", "october", "november", "december"};
	for (int i = 0; i < 12; i++) {
		size_t full = strlen(names[i]);
		if ((size_t)(e - *p) >= full && !strncasecmp(*p, names[i], full))
			return *p += full, i + 1;
	}
	for (int i = 0; i < 12; i++)
		if (e - *p >= 3 && !strncasecmp(*p, names[i], 3))
			return *p += 3, i + 1;
	return 0;
}

static int zone(const char **p, const char *e, int *minutes) {
	int h, m = 0;
	if (*p < e && (**p == 'Z' || **p == 'z'))
		return ++*p, *minutes = 0, 0;
	if (*p >= e || (**p != '+' && **p != '-'))
		return -1;
	int sign = *(*p)++ == '-' ? -1 : 1;
	if (number(p, e, 2, 2, &h) < 0)
		return -1;
	if (*p < e && **p == ':')
		++*p;
	if (*p < e && isdigit((unsigned char)**p) && number(p, e, 2, 2, &m) < 0)
		return -1;
	*minutes = sign * (h * 60 + m);
	return 0;
}

static int build(int y, int mo, int d, int clock, int h, int mi, int s, int us, int zoned, int off, ent_time *out) {
	int64_t day = civil(y, mo, d);
	if (day == INT64_MIN || h > 23 || mi > 59 || s > 60 || (zoned && !clock))
		return -1;
	*out = (ent_time){.offset_min = ENT_NO_OFFSET};
	if (!clock) {
		out->kind = ENT_TIME_DATE;
		out->v = day;
		return 0;
	}
	out->v = (day * 86400 + h * 3600 + mi * 60 + s - (zoned ? off * 60 : 0)) * 1000000 + us;
	out->kind = zoned ? ENT_TIME_INSTANT : ENT_TIME_LOCAL;
	if (zoned)
		out->offset_min = (int16_t)off;
	return 0;
}

static int fraction(const char **p, const char *e, int *us) {
	const char *from = *p;
	int n = number(p, e, 1, 6, us);
	if (n < 0)
		return -1;
	for (; n < 6; n++)
		*us *= 10;
	while (*p < e && isdigit((unsigned char)**p))
		++*p;
	return *p > from ? 0 : -1;
}

static int iso(const char *p, const char *e, ent_time *out) {
	int y, mo, d, h = 0, mi = 0, s = 0, us = 0, off = 0, clock = 0, zoned = 0;
	if (number(&p, e, 4, 4, &y) < 0 || p >= e || *p++ != '-' || number(&p, e, 2, 2, &mo) < 0)
		return -1;
	if (p == e) {
		if (mo < 1 || mo > 12)
			return -1;
		*out = (ent_time){.v = (int64_t)(y - 1970) * 12 + mo - 1, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_MONTH};
		return 0;
	}
	if (*p++ != '-' || number(&p, e, 2, 2, &d) < 0)
		return -1;
	if (p < e && (*p == 'T' || *p == ' ')) {
		clock = 1;
		p++;
		if (number(&p, e, 2, 2, &h) < 0 || p >= e || *p++ != ':' || number(&p, e, 2, 2, &mi) < 0)
			return -1;
		if (p < e && *p == ':') {
			p++;
			if (number(&p, e, 2, 2, &s) < 0)
				return -1;
			if (p < e && (*p == '.' || *p == ',') && (p++, fraction(&p, e, &us)))
				return -1;
		}
		while (p < e && *p == ' ')
			p++;
		if (p < e) {
			zoned = 1;
			if (e - p == 3 && !memcmp(p, "UTC", 3))
				p = e;
			else if (zone(&p, e, &off))
				return -1;
		}
	}
	return p == e ? build(y, mo, d, clock, h, mi, s, us, zoned, off, out) : -1;
}

int host_time(ent_str text, const char *f, ent_time *out) {
	const char *p = text.p, *e = text.p + text.n;
	int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, us = 0, off = 0, clock = 0, zoned = 0, pm = -1, v = 0;
	while (p < e && isspace((unsigned char)*p))
		p++;
	while (e > p && isspace((unsigned char)e[-1]))
		e--;
	if (!f)
		return iso(p, e, out);
	for (; *f; f++) {
		if (*f != '%') {
			if (p >= e || *p++ != *f)
				return -1;
			continue;
		}
		int bad = 0;
		switch (*++f) {
		case 'Y':
			bad = number(&p, e, 4, 4, &y);
			break;
		case 'y':
			bad = number(&p, e, 2, 2, &y);
			y += y < 69 ? 2000 : 1900;
			break;
		case 'm':
			bad = number(&p, e, 1, 2, &mo);
			break;
		case 'd':
		case 'e':
			bad = number(&p, e, 1, 2, &d);
			break;
		case 'b':
		case 'B':
			bad = (mo = month_name(&p, e)) ? 0 : -1;
			break;
		case 'I':
		case 'H':
			bad = number(&p, e, 1, 2, &h);
			clock = 1;
			break;
		case 'M':
			bad = number(&p, e, 2, 2, &mi);
			break;
		case 'S':
			bad = number(&p, e, 2, 2, &s);
			break;
		case 'f':
			bad = fraction(&p, e, &us);
			break;
		case 'z':
			bad = zone(&p, e, &off);
			zoned = 1;
			break;
		case 'p':
			if (e - p < 2 || strncasecmp(p + 1, "m", 1))
				return -1;
			pm = *p == 'P' || *p == 'p';
			p += 2;
			break;
		case 'j':
			bad = number(&p, e, 3, 3, &v);
			break;
		case '%':
			bad = p < e && *p++ == '%' ? 0 : -1;
			break;
		default:
			return -1;
		}
		if (bad < 0)
			return -1;
	}
	if (p != e)
		return -1;
	if (pm >= 0)
		h = h % 12 + 12 * pm;
	if (y && mo && !d && !clock) {
		*out = (ent_time){.v = (int64_t)(y - 1970) * 12 + mo - 1, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_MONTH};
		return 0;
	}
	return build(y, mo, d, clock, h, mi, s, us, zoned, off, out);
}
