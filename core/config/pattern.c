/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns of paths, see pattern.h. Matching goes back and forth, so its steps are counted: a pattern of many stars on
 * a long path ends as "does not fit" instead of never. */
#include "config/pattern.h"

#include <ctype.h>
#include <string.h>

#include "base/day.h"

enum { MOST_STEPS = 1000000 };

typedef struct matcher {
	ent_match *match;
	long steps;
} matcher;

static size_t digits_of(const char *name, size_t n) {
	static const char *const two[] = {"month", "day", "hour", "minute", "second"};
	if (n == 4 && memcmp(name, "year", 4) == 0) {
		return 4;
	}
	for (size_t i = 0; i < sizeof two / sizeof *two; i++) {
		if (strlen(two[i]) == n && memcmp(two[i], name, n) == 0) {
			return 2;
		}
	}
	return 0;
}

const char *ent_pattern_fault(const char *pattern) {
	unsigned names = 0;
	if (!*pattern) {
		return "it is empty";
	}
	for (const char *p = pattern; *p; p++) {
		if (*p == '}') {
			return "there is a '}' without its '{'";
		}
		if (*p != '{') {
			continue;
		}
		const char *end = strpbrk(p + 1, "{}/");
		if (!end || *end != '}') {
			return "there is a '{' without its '}'";
		}
		if (end == p + 1) {
			return "there is no name between '{' and '}'";
		}
		for (const char *c = p + 1; c < end; c++) {
			if (!islower((unsigned char)*c) && *c != '_') {
				return "names between '{' and '}' are of small letters and '_'";
			}
		}
		for (const char *q = pattern; q < p; q++) {
			if (*q == '{' && strncmp(q, p, (size_t)(end - p) + 1) == 0) {
				return "a name stands in it twice";
			}
		}
		if (++names > ENT_PATTERN_NAMES) {
			return "it has more than 16 names";
		}
		p = end;
	}
	return NULL;
}

static bool match_here(matcher *m, const char *p, const char *s);

static bool match_name(matcher *m, const char *p, const char *s) {
	const char *end = strchr(p, '}');
	size_t length = (size_t)(end - p) - 1, digits = digits_of(p + 1, length);
	unsigned at = m->match->n++;
	m->match->name[at] = (ent_str){p + 1, length};
	for (size_t n = 1; s[n - 1] && s[n - 1] != '/'; n++) {
		if (digits && (!isdigit((unsigned char)s[n - 1]) || n > digits)) {
			break;
		}
		if (digits && n < digits) {
			continue;
		}
		m->match->value[at] = (ent_str){s, n};
		if (match_here(m, end + 1, s + n)) {
			return true;
		}
	}
	m->match->n = at;
	return false;
}

static bool match_here(matcher *m, const char *p, const char *s) {
	for (;; p++, s++) {
		if (++m->steps > MOST_STEPS) {
			return false;
		}
		if (*p == '{') {
			return match_name(m, p, s);
		}
		if (*p == '*') {
			bool any = p[1] == '*';
			const char *rest = p + 1 + any;
			for (;; s++) {
				if (match_here(m, rest, s)) {
					return true;
				}
				if (!*s || (*s == '/' && !any)) {
					return false;
				}
			}
		}
		if (!*s) {
			return !*p;
		}
		if (*p != *s && !(*p == '?' && *s != '/')) {
			return false;
		}
	}
}

bool ent_pattern_match(const char *pattern, const char *path, ent_match *match) {
	ent_match own;
	matcher m = {.match = match ? match : &own};
	if (ent_pattern_fault(pattern)) {
		return false;
	}
	if (strncmp(pattern, "./", 2) == 0) {
		pattern += 2;
	}
	for (const char *start = path; start; start = strchr(start, '/'), start += start != NULL) {
		m.match->n = 0;
		if (match_here(&m, pattern, start)) {
			return true;
		}
		if (*pattern == '/') {
			break;
		}
	}
	m.match->n = 0;
	return false;
}

ent_str ent_match_get(const ent_match *match, const char *name) {
	for (unsigned i = 0; i < match->n; i++) {
		if (match->name[i].n == strlen(name) && memcmp(match->name[i].p, name, match->name[i].n) == 0) {
			return match->value[i];
		}
	}
	return (ent_str){NULL, 0};
}

bool ent_pattern_has(const char *pattern, const char *name) {
	size_t n = strlen(name);
	for (const char *p = strchr(pattern, '{'); p; p = strchr(p + 1, '{')) {
		if (strncmp(p + 1, name, n) == 0 && p[n + 1] == '}') {
			return true;
		}
	}
	return false;
}

static int number(const ent_match *match, const char *name, int missing) {
	ent_str value = ent_match_get(match, name);
	int v = 0;
	for (size_t i = 0; i < value.n; i++) {
		v = v * 10 + (value.p[i] - '0');
	}
	return value.n ? v : missing;
}

bool ent_match_time(const ent_match *match, int64_t *local_us) {
	int year = number(match, "year", -1);
	int month = number(match, "month", 1), day = number(match, "day", 1);
	int hour = number(match, "hour", 0), minute = number(match, "minute", 0), second = number(match, "second", 0);
	if (year < 0 || !ent_day_valid(year, (unsigned)month, (unsigned)day) || hour > 23 || minute > 59 || second > 59) {
		return false;
	}
	int64_t seconds =
		ent_day_of(year, (unsigned)month, (unsigned)day) * INT64_C(86400) + hour * 3600 + minute * 60 + second;
	*local_us = seconds * 1000000;
	return true;
}
