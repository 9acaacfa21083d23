/* SPDX-License-Identifier: Apache-2.0
 *
 * Text to times, see values.h: ISO 8601 in the spellings that exports use, and patterns. Times stay as they were
 * written (instant, wall clock, date, month). No strptime: it knows locales and no fractions. Pure functions. */
#include "base/day.h"
#include "decode/values.h"

#include <stdbool.h>
#include <string.h>

#define SECOND INT64_C(1000000)

typedef struct scan {
	const char *p, *end;
} scan;

typedef struct parts {
	int year, month, day, hour, minute, second, yearday;
	int64_t micro;
	int offset; /* minutes */
	bool has_day, has_month, has_year, has_clock, has_zone, twelve, pm, has_pm;
} parts;

/* Reads min..max digits. */
static bool digits(scan *s, int min, int max, int *out) {
	int v = 0, n = 0;
	while (n < max && s->p < s->end && (unsigned)(*s->p - '0') < 10) {
		v = v * 10 + (*s->p++ - '0');
		n++;
	}
	*out = v;
	return n >= min;
}

static bool take(scan *s, char c) {
	if (s->p < s->end && *s->p == c) {
		s->p++;
		return true;
	}
	return false;
}

static void blanks(scan *s) {
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t')) {
		s->p++;
	}
}

/* 1 to 9 digits of a second's fraction; what is behind the microsecond is cut. */
static bool fraction(scan *s, int64_t *micro) {
	int64_t v = 0;
	int n = 0;
	while (n < 9 && s->p < s->end && (unsigned)(*s->p - '0') < 10) {
		if (n < 6) {
			v = v * 10 + (*s->p - '0');
		}
		s->p++;
		n++;
	}
	for (int i = n; i < 6; i++) {
		v *= 10;
	}
	*micro = v;
	return n > 0;
}

static bool word(scan *s, const char *text) {
	size_t n = strlen(text);
	if ((size_t)(s->end - s->p) < n) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		char c = s->p[i];
		if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != text[i]) {
			return false;
		}
	}
	s->p += n;
	return true;
}

/* Z, UTC, GMT, +01:00, +0100, +01. */
static bool zone(scan *s, int *minutes) {
	*minutes = 0;
	if (word(s, "utc") || word(s, "gmt") || word(s, "z")) {
		return true;
	}
	bool minus = s->p < s->end && *s->p == '-';
	if (!minus && !(s->p < s->end && *s->p == '+')) {
		return false;
	}
	s->p++;
	int hours, rest = 0;
	if (!digits(s, 2, 2, &hours)) {
		return false;
	}
	bool colon = take(s, ':');
	if ((colon || (s->p < s->end && (unsigned)(*s->p - '0') < 10)) && !digits(s, 2, 2, &rest)) {
		return false;
	}
	if (hours > 18 || rest > 59) {
		return false;
	}
	*minutes = (hours * 60 + rest) * (minus ? -1 : 1);
	return true;
}

static const char *const months[12] = {"january", "february", "march", "april", "may", "june", "july", "august",
	"september", "october", "november", "december"};

static bool month_name(scan *s, int *month) {
	for (int i = 0; i < 12; i++) {
		if (word(s, months[i])) {
			*month = i + 1;
			return true;
		}
	}
	for (int i = 0; i < 12; i++) {
		char shorter[4] = {months[i][0], months[i][1], months[i][2], 0};
		if (word(s, shorter)) {
			take(s, '.');
			*month = i + 1;
			return true;
		}
	}
	return false;
}

static int finish(const parts *t, ent_time *out) {
	ent_time r = {.offset_min = ENT_NO_OFFSET};
	if (!t->has_year || t->year < 1 || t->year > 9999) {
		return -1;
	}
	if (!t->has_day) {
		if (!t->has_month || t->has_clock || t->month < 1 || t->month > 12) {
			return -1;
		}
		r.kind = ENT_TIME_MONTH;
		r.v = (int64_t)(t->year - 1970) * 12 + t->month - 1;
		*out = r;
		return 0;
	}
	int32_t day;
	if (t->yearday) {
		day = ent_day_of(t->year, 1, 1) + t->yearday - 1;
		int year;
		unsigned m, d;
		ent_day_civil(day, &year, &m, &d);
		if (year != t->year) {
			return -1;
		}
	} else {
		if (!ent_day_valid(t->year, (unsigned)t->month, (unsigned)t->day)) {
			return -1;
		}
		day = ent_day_of(t->year, (unsigned)t->month, (unsigned)t->day);
	}
	if (!t->has_clock) {
		r.kind = ENT_TIME_DATE;
		r.v = day;
		*out = r;
		return 0;
	}
	int hour = t->hour;
	if (t->twelve) {
		if (hour < 1 || hour > 12) {
			return -1;
		}
		hour = hour % 12 + (t->pm ? 12 : 0);
	} else if (t->has_pm && hour < 12 && t->pm) {
		hour += 12;
	}
	if (hour > 23 || t->minute > 59 || t->second > 59) {
		return -1;
	}
	r.v = day * ENT_US_PER_DAY + (hour * 3600 + t->minute * 60 + t->second) * SECOND + t->micro;
	r.kind = ENT_TIME_LOCAL;
	if (t->has_zone) {
		r.kind = ENT_TIME_INSTANT;
		r.offset_min = (int16_t)t->offset;
		r.v -= t->offset * 60 * SECOND;
	}
	*out = r;
	return 0;
}

static int iso(scan s, ent_time *out) {
	parts t = {0};
	blanks(&s);
	while (s.end > s.p && (s.end[-1] == ' ' || s.end[-1] == '\t')) {
		s.end--;
	}
	if (!digits(&s, 4, 4, &t.year)) {
		return -1;
	}
	t.has_year = true;
	char mark = s.p < s.end && (*s.p == '-' || *s.p == '/') ? *s.p : 0;
	s.p += mark != 0;
	if (!digits(&s, 2, 2, &t.month)) {
		return -1;
	}
	t.has_month = true;
	if (s.p == s.end) {
		return mark ? finish(&t, out) : -1;
	}
	if (mark && !take(&s, mark)) {
		return -1;
	}
	if (!digits(&s, 2, 2, &t.day)) {
		return -1;
	}
	t.has_day = true;
	if (s.p == s.end) {
		return finish(&t, out);
	}
	if (*s.p == 'T' || *s.p == 't') {
		s.p++;
	} else if (*s.p == ' ') {
		blanks(&s);
	} else {
		return -1;
	}
	t.has_clock = true;
	if (!digits(&s, 2, 2, &t.hour)) {
		return -1;
	}
	bool colon = take(&s, ':');
	if (!digits(&s, 2, 2, &t.minute)) {
		return -1;
	}
	if (colon ? take(&s, ':') : s.p < s.end && (unsigned)(*s.p - '0') < 10) {
		if (!digits(&s, 2, 2, &t.second)) {
			return -1;
		}
		if ((take(&s, '.') || take(&s, ',')) && !fraction(&s, &t.micro)) {
			return -1;
		}
	}
	blanks(&s);
	if (s.p < s.end) {
		if (!zone(&s, &t.offset) || s.p != s.end) {
			return -1;
		}
		t.has_zone = true;
	}
	return finish(&t, out);
}

static bool directive(scan *s, char letter, parts *t) {
	switch (letter) {
	case 'Y':
		t->has_year = true;
		return digits(s, 4, 4, &t->year);
	case 'y':
		if (!digits(s, 2, 2, &t->year)) {
			return false;
		}
		t->year += t->year < 69 ? 2000 : 1900;
		t->has_year = true;
		return true;
	case 'm':
		t->has_month = true;
		return digits(s, 1, 2, &t->month);
	case 'b':
	case 'B':
		t->has_month = true;
		return month_name(s, &t->month);
	case 'e':
		blanks(s);
		/* fall through */
	case 'd':
		t->has_day = true;
		return digits(s, 1, 2, &t->day);
	case 'j':
		t->has_day = true;
		return digits(s, 1, 3, &t->yearday) && t->yearday >= 1;
	case 'H':
		t->has_clock = true;
		return digits(s, 1, 2, &t->hour);
	case 'I':
		t->has_clock = t->twelve = true;
		return digits(s, 1, 2, &t->hour);
	case 'M':
		return digits(s, 1, 2, &t->minute);
	case 'S':
		return digits(s, 1, 2, &t->second);
	case 'f':
		return fraction(s, &t->micro);
	case 'p':
		t->has_pm = true;
		t->pm = word(s, "pm") || word(s, "p.m.");
		return t->pm || word(s, "am") || word(s, "a.m.");
	case 'z':
		t->has_zone = true;
		return zone(s, &t->offset);
	case '%':
		return take(s, '%');
	default:
		return false;
	}
}

int ent_time_parse(ent_str text, const char *pattern, ent_time *out) {
	scan s = {text.p, text.p + text.n};
	if (!text.n) {
		return -1;
	}
	if (!pattern) {
		return iso(s, out);
	}
	parts t = {0};
	blanks(&s);
	for (; *pattern; pattern++) {
		if (*pattern == '%' && pattern[1]) {
			if (!directive(&s, *++pattern, &t)) {
				return -1;
			}
		} else if (*pattern == ' ' || *pattern == '\t') {
			blanks(&s);
		} else if (!take(&s, *pattern)) {
			return -1;
		}
	}
	blanks(&s);
	return s.p == s.end ? finish(&t, out) : -1;
}
