/* SPDX-License-Identifier: Apache-2.0
 *
 * Which months a row is of. Series are dated by the first day of their periods, so in a date with slashes the part that
 * is 1 is the day: 10/1/1999 is of October in a file in which every date is like it, and 1/10/1999 in another. */
#include "benchmark.h"

static int number(ent_str *s, int *out) {
	int n = 0, v = 0;
	while (n < 4 && s->n && (unsigned)(unsigned char)*s->p - '0' <= 9) {
		v = v * 10 + (*s->p - '0');
		s->p++, s->n--, n++;
	}
	*out = v;
	return n;
}

static int64_t month_of(int year, int month) { return (int64_t)(year - 1970) * 12 + month - 1; }

/* "2024-Q1", "2024Q1", "2024 Q1", "Q1 2024", "Q1-2024". */
static int quarter(ent_str s, benchmark_period *out) {
	int year, q;
	if (s.n && text_lower(*s.p) == 'q') {
		s.p++, s.n--;
		if (number(&s, &q) != 1 || !s.n || (*s.p != ' ' && *s.p != '-' && *s.p != '/'))
			return -1;
		s.p++, s.n--;
		if (number(&s, &year) != 4)
			return -1;
	} else {
		if (number(&s, &year) != 4)
			return -1;
		if (s.n && (*s.p == '-' || *s.p == ' ' || *s.p == ':'))
			s.p++, s.n--;
		if (!s.n || text_lower(*s.p) != 'q')
			return -1;
		s.p++, s.n--;
		if (number(&s, &q) != 1)
			return -1;
	}
	if (s.n || q < 1 || q > 4 || year < 1)
		return -1;
	*out = (benchmark_period){month_of(year, q * 3 - 2), 3};
	return 0;
}

/* Two parts and a year between slashes. 1: it is none; 0; -1 and *why. */
static int slashes(benchmark *b, ent_str s, benchmark_period *out, const char **why) {
	int first, second, year, digits;
	if (!number(&s, &first) || !s.n || *s.p != '/')
		return 1;
	s.p++, s.n--;
	if (!number(&s, &second) || !s.n || *s.p != '/')
		return 1;
	s.p++, s.n--;
	digits = number(&s, &year);
	if ((digits != 4 && digits != 2) || s.n)
		return 1;
	if (digits == 2)
		year += year < 69 ? 2000 : 1900; /* as strptime() reads it */
	if (first != 1 && second != 1) {
		*why = "not the first day of a month, whichever part of the date is the day";
		return -1;
	}
	if (first != second) { /* 1/1 says nothing */
		int day_first = first == 1 ? 1 : 2;
		if (b->day_first && b->day_first != day_first) {
			*why = "day and month stand the other way round than in the rows before";
			return -1;
		}
		b->day_first = day_first;
	}
	int month = first == 1 ? second : first;
	if (month < 1 || month > 12) {
		*why = "no date";
		return -1;
	}
	*out = (benchmark_period){month_of(year, month), 0};
	return 0;
}

int benchmark__period(benchmark *b, ent_str text, benchmark_period *out, const char **why) {
	static const char *const others[] = {"%d.%m.%Y", "%b-%Y", "%b %Y", "%B %Y"};
	ent_time t;
	int year;
	ent_str s = text_trim(text), rest = s;
	if (!b->pattern) {
		if (!quarter(s, out))
			return 0;
		if (number(&rest, &year) == 4 && !rest.n) {
			*out = (benchmark_period){month_of(year, 1), 12};
			return 0;
		}
		int status = slashes(b, s, out, why);
		if (status <= 0)
			return status;
	}
	int bad = b->host->time(s, b->pattern, &t);
	for (size_t i = 0; bad && !b->pattern && i < sizeof others / sizeof *others; i++)
		bad = b->host->time(s, others[i], &t);
	*why = "no period: neither a year, a quarter or a month, nor the first day of one";
	if (bad)
		return -1;
	if (t.kind == ENT_TIME_MONTH) {
		*out = (benchmark_period){t.v, 1};
		return 0;
	}
	unsigned m, d;
	int64_t us = INT64_C(86400000000);
	text_date_back(t.kind == ENT_TIME_DATE ? t.v : t.v / us - (t.v % us < 0), &year, &m, &d);
	if (d != 1) {
		*why = "not the first day of a period";
		return -1;
	}
	*out = (benchmark_period){month_of(year, (int)m), 0};
	return 0;
}
