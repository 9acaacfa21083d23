/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows as they are typed, see span.h. */
#include "command/span.h"

#include <stdio.h>
#include <string.h>

#include "base/day.h"

/* The same day of the month `months` earlier, or the first day after it where that month is too short. */
static int32_t months_back(int32_t day, int months) {
	int year;
	unsigned month, of_month;
	ent_day_civil(day, &year, &month, &of_month);
	int64_t index = (int64_t)(year - 1970) * 12 + month - 1 - months;
	int32_t same = ent_day_of_month(index) + (int32_t)of_month - 1, after = ent_day_of_month(index + 1);
	return same < after ? same : after;
}

static bool to_date(const char *text, int32_t as_of, ent__days *out) {
	int year;
	unsigned month, day;
	ent_day_civil(as_of, &year, &month, &day);
	if (!strcmp(text, "qtd")) {
		month -= (month - 1) % 3;
	} else if (!strcmp(text, "ytd")) {
		month = 1;
	} else if (strcmp(text, "mtd") != 0) {
		return false;
	}
	*out = (ent__days){ent_day_of(year, month, 1), as_of + 1};
	return true;
}

bool ent__span_parse(const char *text, int32_t as_of, ent__days *out) {
	int number = 0;
	const char *p = text;
	while (p - text < 4 && *p >= '0' && *p <= '9') {
		number = number * 10 + *p++ - '0';
	}
	if (number == 0 || *text == '0' || !*p || p[1]) {
		return to_date(text, as_of, out);
	}
	switch (*p) {
	case 'd':
	case 'w':
		*out = (ent__days){as_of + 1 - number * (*p == 'w' ? 7 : 1), as_of + 1};
		return true;
	case 'm':
	case 'y':
		*out = (ent__days){months_back(as_of + 1, number * (*p == 'y' ? 12 : 1)), as_of + 1};
		return true;
	default:
		return false;
	}
}

int32_t ent__cut_after(ent__cut cut, int32_t day) {
	int year;
	unsigned month, of_month;
	switch (cut) {
	case ENT__CUT_WEEK:
		return day - ent_day_weekday(day) + 7;
	case ENT__CUT_MONTH:
		ent_day_civil(day, &year, &month, &of_month);
		return ent_day_of_month((int64_t)(year - 1970) * 12 + month);
	default:
		return day + 1;
	}
}

char *ent__cut_text(ent__cut cut, int32_t day, char out[16]) {
	ent_day_text(cut == ENT__CUT_WEEK ? day - ent_day_weekday(day) : day, out);
	out[cut == ENT__CUT_MONTH ? 7 : 10] = 0;
	return out;
}
