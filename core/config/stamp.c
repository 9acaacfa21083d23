/* SPDX-License-Identifier: Apache-2.0
 *
 * Values that only grow, see stamp.h. */
#include "config/stamp.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/day.h"
#include "config/scalar.h"

static bool digits(const char **p, unsigned n, unsigned *out) {
	*out = 0;
	for (unsigned i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9') {
			return false;
		}
		*out = *out * 10 + (unsigned)(**p - '0');
	}
	return true;
}

/* YYYY-MM-DD, then maybe T or a blank, HH:MM:SS, a fraction, and a zone. */
static bool time_of(ent_stamp *s) {
	const char *p = s->as;
	unsigned year, month, day, hour = 0, minute = 0, second = 0, micro = 0;
	if (!digits(&p, 4, &year) || *p++ != '-' || !digits(&p, 2, &month) || *p++ != '-' || !digits(&p, 2, &day) ||
		!ent_day_valid((int)year, month, day)) {
		return false;
	}
	s->separator = *p;
	if (*p) {
		if ((*p != 'T' && *p != 't' && *p != ' ') || !digits((p++, &p), 2, &hour) || *p++ != ':' || !digits(&p, 2, &minute) ||
			*p++ != ':' || !digits(&p, 2, &second) || hour > 23 || minute > 59 || second > 60) {
			return false;
		}
		if (*p == '.') {
			unsigned scale = 100000;
			for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10) {
				micro += (unsigned)(*p - '0') * scale;
				s->digits += s->digits < 6;
			}
		}
		s->mark = *p;
		if (*p == 'Z' || *p == 'z') {
			p++;
		} else if (*p == '+' || *p == '-') {
			int sign = *p++ == '-' ? -1 : 1;
			unsigned h, m;
			if (!digits(&p, 2, &h) || (*p == ':' && !*++p) || !digits(&p, 2, &m) || h > 23 || m > 59) {
				return false;
			}
			s->zone = sign * (int)(h * 60 + m);
			s->mark = '+';
		}
		if (*p) {
			return false;
		}
	}
	s->n = ent_day_of((int)year, month, day) * ENT_US_PER_DAY + ((int64_t)hour * 3600 + minute * 60 + second) * 1000000 + micro -
		   (int64_t)s->zone * 60000000;
	return true;
}

static const char days[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* One of n names of three letters; its number, or n. */
static unsigned named(const char **p, const char (*names)[4], unsigned n) {
	unsigned i = 0;
	while (i < n && strncmp(*p, names[i], 3) != 0) {
		i++;
	}
	*p += i < n ? 3 : 0;
	return i;
}

/* Wed, 10 Jan 2018 21:05:30 +0000; the day of the week may be missing, the zone may be GMT. */
static bool mail_time_of(ent_stamp *s) {
	const char *p = s->as;
	unsigned year, day, hour, minute, second, h, m;
	if (named(&p, days, 7) < 7 && (*p++ != ',' || *p++ != ' ')) {
		return false;
	}
	if (!digits(&p, p[0] && p[1] == ' ' ? 1 : 2, &day) || *p++ != ' ') {
		return false;
	}
	unsigned month = named(&p, months, 12) + 1;
	if (month > 12 || *p++ != ' ' || !digits(&p, 4, &year) || *p++ != ' ' || !digits(&p, 2, &hour) || *p++ != ':' ||
		!digits(&p, 2, &minute) || *p++ != ':' || !digits(&p, 2, &second) || *p++ != ' ' || hour > 23 || minute > 59 ||
		second > 60 || !ent_day_valid((int)year, month, day)) {
		return false;
	}
	if (*p == '+' || *p == '-') {
		int sign = *p++ == '-' ? -1 : 1;
		if (!digits(&p, 2, &h) || !digits(&p, 2, &m) || h > 23 || m > 59) {
			return false;
		}
		s->zone = sign * (int)(h * 60 + m);
	} else if (!strcmp(p, "GMT") || !strcmp(p, "UTC")) {
		p += 3;
	}
	if (*p) {
		return false;
	}
	s->mark = 'M';
	s->n = ent_day_of((int)year, month, day) * ENT_US_PER_DAY + ((int64_t)hour * 3600 + minute * 60 + second) * 1000000 -
		   (int64_t)s->zone * 60000000;
	return true;
}

static void mail_time(const ent_stamp *s, int64_t at, char *out, size_t room) {
	int32_t day = ent_day_of_us(at);
	int seconds = (int)((at - day * ENT_US_PER_DAY) / 1000000), year, zone = s->zone < 0 ? -s->zone : s->zone;
	unsigned month, of_month;
	ent_day_civil(day, &year, &month, &of_month);
	snprintf(out, room, "%s, %02u %s %04d %02d:%02d:%02d %c%02d%02d", days[ent_day_weekday(day)], of_month,
		months[month - 1], year, seconds / 3600, seconds / 60 % 60, seconds % 60, s->zone < 0 ? '-' : '+', zone / 60, zone % 60);
}

ent_stamp ent_stamp_of(const char *p, size_t n) {
	ent_stamp s = {0};
	if (!n || n >= sizeof s.as || memchr(p, 0, n)) {
		return s;
	}
	memcpy(s.as, p, n);
	ent_stamp plain = s, mail = s;
	if (time_of(&s)) {
		s.kind = ENT_STAMP_TIME;
		return s;
	}
	if (mail_time_of(&mail)) {
		mail.kind = ENT_STAMP_TIME;
		return mail;
	}
	plain.kind = ent_int_parse(plain.as, &plain.n) ? ENT_STAMP_NUMBER : ENT_STAMP_TEXT;
	return plain;
}

int ent_stamp_compare(const ent_stamp *a, const ent_stamp *b) {
	if (!a->kind || !b->kind) {
		return (a->kind != ENT_STAMP_NONE) - (b->kind != ENT_STAMP_NONE);
	}
	if (a->kind == b->kind && a->kind != ENT_STAMP_TEXT) {
		return (a->n > b->n) - (a->n < b->n);
	}
	int order = strcmp(a->as, b->as);
	return (order > 0) - (order < 0);
}

char *ent_stamp_before(const ent_stamp *s, int64_t us, int64_t number, char *out) {
	enum { ROOM = 72 };
	if (s->kind == ENT_STAMP_NUMBER) {
		snprintf(out, ROOM, "%" PRId64, s->n - number);
	} else if (s->kind != ENT_STAMP_TIME || !us) {
		snprintf(out, ROOM, "%s", s->as);
	} else {
		int64_t at = s->n - us + (int64_t)s->zone * 60000000;
		if (s->mark == 'M') {
			mail_time(s, at, out, ROOM);
			return out;
		}
		int32_t day = ent_day_of_us(at);
		int64_t within = at - day * ENT_US_PER_DAY;
		char date[16];
		ent_day_text(day, date);
		if (!s->separator) {
			snprintf(out, ROOM, "%s", date);
			return out;
		}
		int seconds = (int)(within / 1000000);
		int n = snprintf(out, ROOM, "%s%c%02d:%02d:%02d", date, s->separator, seconds / 3600, seconds / 60 % 60, seconds % 60);
		if (s->digits) {
			char fraction[8];
			snprintf(fraction, sizeof fraction, "%06d", (int)(within % 1000000));
			n += snprintf(out + n, ROOM - (size_t)n, ".%.*s", (int)s->digits, fraction);
		}
		if (s->mark == '+') {
			int zone = s->zone < 0 ? -s->zone : s->zone;
			snprintf(out + n, ROOM - (size_t)n, "%c%02d:%02d", s->zone < 0 ? '-' : '+', zone / 60, zone % 60);
		} else if (s->mark) {
			snprintf(out + n, ROOM - (size_t)n, "Z");
		}
	}
	return out;
}
