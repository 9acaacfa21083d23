/* SPDX-License-Identifier: Apache-2.0
 *
 * Small inline helpers for the shipped plugins that read reports, figures that somebody else has added up: the days
 * that a report speaks for, from its cells or from its document's name, and one observation of it. No state, any
 * thread.
 */
#ifndef ENTENTE_PLUGINS_REPORT_H
#define ENTENTE_PLUGINS_REPORT_H

#include "text.h"

#include <stdio.h>

/* Days [from, to) since 1970-01-01; from == to: none are known. */
typedef struct report_days {
	int64_t from, to;
} report_days;

enum { REPORT_DIMS = 1024 };

/* One row of a report. */
typedef struct report {
	const ent_host *host;
	ent_ctx *ctx;
	uint64_t place;
	report_days days;
	char currency[4]; /* of its money; empty: it has none */
	char dims[REPORT_DIMS];
	size_t dims_n;
} report;

static inline ent_time report_day(int64_t day) {
	return (ent_time){.v = day, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_DATE};
}

/* The days of YYYY-MM-DD, YYYYMMDD, YYYY-MM or YYYY. 0 or -1. */
static inline int report_date(ent_str s, report_days *out) {
	int64_t y, m = 1, d = 1;
	int dashed = s.n > 4 && s.p[4] == '-';
	if (s.n != 4 && s.n != 7 && s.n != 8 && s.n != 10)
		return -1;
	if ((s.n == 8) == dashed && s.n != 4)
		return -1;
	if (text_digits(s.p, 4, &y) || y < 1900 || y > 2999)
		return -1;
	if (s.n > 4 && text_digits(s.p + 4 + dashed, 2, &m))
		return -1;
	if (s.n >= 8 && ((dashed && s.p[7] != '-') || text_digits(s.p + (dashed ? 8 : 6), 2, &d)))
		return -1;
	if (text_date_of((unsigned)y, (unsigned)m, (unsigned)d, &out->from))
		return -1;
	out->to = s.n >= 8   ? out->from + 1
			  : s.n == 7 ? out->from + text_month_days((unsigned)y, (unsigned)m)
						 : text_civil(y + 1, 1, 1);
	return 0;
}

/* The same, or two of them with a comma between, the last of which is meant to be in it. 0 or -1. */
static inline int report_span(ent_str s, report_days *out) {
	report_days last;
	s = text_trim(s);
	const char *comma = s.n ? memchr(s.p, ',', s.n) : NULL;
	size_t n = comma ? (size_t)(comma - s.p) : s.n;
	if (report_date((ent_str){s.p, n}, out))
		return -1;
	if (!comma)
		return 0;
	if (report_date((ent_str){comma + 1, s.n - n - 1}, &last) || last.to <= out->from)
		return -1;
	out->to = last.to;
	return 0;
}

/* The days that a document's name tells: one date, or the first and the last of two. 0 or -1: it tells none. */
static inline int report_named(ent_str name, report_days *out) {
	int found = 0;
	for (size_t i = 0; i < name.n && found < 2;) {
		size_t n = 0;
		report_days d;
		while (i + n < name.n && ((name.p[i + n] >= '0' && name.p[i + n] <= '9') || (n && name.p[i + n] == '-')))
			n++;
		while (n && name.p[i + n - 1] == '-')
			n--;
		if (n == 21 && name.p[i + 10] == '-') /* two of them joined by a dash */
			n = 10;
		if (n > 4 && !report_date((ent_str){name.p + i, n}, &d)) {
			if (!found)
				*out = d;
			else if (d.to > out->from)
				out->to = d.to;
			found++;
		}
		i += n + 1;
	}
	return found ? 0 : -1;
}

/* Adds `key=value` to the row's dimensions, in the order of the keys. A comma in a value is written %2C, a percent sign
 * %25. 0, or -1 if it is too long. */
static inline int report_dim(report *r, const char *key, ent_str value) {
	size_t n = strlen(key), at = r->dims_n, most = sizeof r->dims - 4;
	if (at + n + 2 > most)
		return -1;
	if (at)
		r->dims[at++] = ',';
	memcpy(r->dims + at, key, n);
	at += n;
	r->dims[at++] = '=';
	for (size_t i = 0; i < value.n; i++) {
		if (at > most)
			return -1;
		if (value.p[i] == ',' || value.p[i] == '%') {
			memcpy(r->dims + at, value.p[i] == ',' ? "%2C" : "%25", 3);
			at += 3;
		} else {
			r->dims[at++] = value.p[i];
		}
	}
	r->dims_n = at;
	return 0;
}

/* A day as YYYY-MM-DD. */
static inline void report_day_text(int64_t day, char out[16]) {
	int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153, d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
	unsigned year = (unsigned)(yoe + era * 400 + (m <= 2)) % 10000;
	snprintf(out, 16, "%04u-%02u-%02u", year, (unsigned)m % 100, (unsigned)d % 100);
}

/* What a figure is keyed by: the metric, its days and its dimensions; long ones by their hash. */
static inline ent_str report_key(const report *r, const char *metric, char out[256]) {
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	char from[16], to[16];
	report_day_text(r->days.from, from);
	report_day_text(r->days.to, to);
	int n = snprintf(out, 256, "%s/%s/%s", metric, from, to);
	if (r->dims_n && r->dims_n + (size_t)n + 1 <= 200)
		n += snprintf(out + n, 256 - (size_t)n, "/%.*s", (int)r->dims_n, r->dims);
	else if (r->dims_n) {
		for (size_t i = 0; i < r->dims_n; i++)
			hash = (hash ^ (unsigned char)r->dims[i]) * UINT64_C(0x100000001b3);
		n += snprintf(out + n, 256 - (size_t)n, "/%016llx", (unsigned long long)hash);
	}
	return (ent_str){out, (size_t)n};
}

/* One figure of the row, in micro-units, as web analytics has it. `unit`: count, money, seconds. Not `additive`: values
 * of adjoining days may not be added, for who came on both would count twice. */
static inline ent_status report_say(
	const report *r, const char *metric, const char *unit, int64_t micro, int additive) {
	char key[256];
	ent_observation o = {.h = {.has = ENT_HAS_VALUE, .place = r->place, .key = report_key(r, metric, key)},
		.from = report_day(r->days.from),
		.to = report_day(r->days.to),
		.metric = {metric, strlen(metric)},
		.unit = {unit, strlen(unit)},
		.origin = ENT_ORIGIN_ANALYTICS,
		.additive = (uint8_t)additive,
		.value = micro};
	if (r->dims_n)
		o.dims = (ent_str){r->dims, r->dims_n};
	if (!strcmp(unit, "money"))
		memcpy(o.currency, r->currency, sizeof o.currency);
	return r->host->push(r->ctx, ENT_OBSERVATION, &o, sizeof o, 1);
}

#endif
