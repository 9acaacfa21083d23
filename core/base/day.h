/* SPDX-License-Identifier: Apache-2.0
 *
 * Civil calendar: days since 1970-01-01 to year, month, day and back (proleptic Gregorian; the algorithms are Howard
 * Hinnant's "days_from_civil" and "civil_from_days"). Pure functions. */
#ifndef ENT_BASE_DAY_H
#define ENT_BASE_DAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#define ENT_US_PER_DAY INT64_C(86400000000)

int32_t ent_day_of(int year, unsigned month, unsigned day);
void ent_day_civil(int32_t days, int *year, unsigned *month, unsigned *day);
/* Is it a date of the calendar? */
bool ent_day_valid(int year, unsigned month, unsigned day);
/* First day of the month that is `months` months after 1970-01. */
int32_t ent_day_of_month(int64_t months);
/* "YYYY-MM-DD" into out[11]. Returns out. */
char *ent_day_text(int32_t days, char out[16]);
/* "YYYY-MM-DD" to days; false if it is no date. */
bool ent_day_parse(const char *p, size_t n, int32_t *days);
/* 0 = Monday .. 6 = Sunday. */
static inline int ent_day_weekday(int32_t days) { return (int)(((int64_t)days + 3) % 7 + 7) % 7; }
/* Rounds towards minus infinity. */
static inline int32_t ent_day_of_us(int64_t us) {
	int64_t d = us / ENT_US_PER_DAY;
	return (int32_t)(us % ENT_US_PER_DAY < 0 ? d - 1 : d);
}

#endif
