/* SPDX-License-Identifier: Apache-2.0
 *
 * Civil calendar, see day.h. */
#include "base/day.h"

#include <stdio.h>

int32_t ent_day_of(int year, unsigned month, unsigned day) {
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return (int32_t)(era * 146097 + doe - 719468);
}

void ent_day_civil(int32_t days, int *year, unsigned *month, unsigned *day) {
	int64_t z = (int64_t)days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	*day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
}

bool ent_day_valid(int year, unsigned month, unsigned day) {
	static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1) {
		return false;
	}
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return day <= (unsigned)lengths[month - 1] + (month == 2 && leap);
}

int32_t ent_day_of_month(int64_t months) {
	int64_t year = 1970 + (months >= 0 ? months : months - 11) / 12;
	return ent_day_of((int)year, (unsigned)(months - (year - 1970) * 12 + 1), 1);
}

char *ent_day_text(int32_t days, char out[16]) {
	int y;
	unsigned m, d;
	ent_day_civil(days, &y, &m, &d);
	unsigned year = y < 0 ? 0 : y > 9999 ? 9999 : (unsigned)y;
	snprintf(out, 16, "%04u-%02u-%02u", year % 10000, m % 100, d % 100);
	return out;
}

bool ent_day_parse(const char *p, size_t n, int32_t *days) {
	if (n != 10 || p[4] != '-' || p[7] != '-') {
		return false;
	}
	int v[3] = {0, 0, 0};
	static const uint8_t field[] = {0, 0, 0, 0, 9, 1, 1, 9, 2, 2};
	for (size_t i = 0; i < 10; i++) {
		if (field[i] == 9) {
			continue;
		}
		if (p[i] < '0' || p[i] > '9') {
			return false;
		}
		v[field[i]] = v[field[i]] * 10 + (p[i] - '0');
	}
	if (!ent_day_valid(v[0], (unsigned)v[1], (unsigned)v[2])) {
		return false;
	}
	*days = ent_day_of(v[0], (unsigned)v[1], (unsigned)v[2]);
	return true;
}
