/* SPDX-License-Identifier: Apache-2.0
 *
 * Small values as people write them, see scalar.h. */
#include "config/scalar.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct unit {
	const char *name;
	int64_t factor;
} unit;

/* Falling, so that the largest exact one is found first. */
static const unit durations[] = {
	{"w", INT64_C(7) * 86400 * 1000000},
	{"d", INT64_C(86400) * 1000000},
	{"h", INT64_C(3600) * 1000000},
	{"m", INT64_C(60) * 1000000},
	{"s", 1000000},
	{"ms", 1000},
};

static const unit sizes[] = {
	{"TB", INT64_C(1) << 40},
	{"GB", INT64_C(1) << 30},
	{"MB", INT64_C(1) << 20},
	{"kB", INT64_C(1) << 10},
	{"B", 1},
	{"", 1},
};

bool ent_int_parse(const char *text, int64_t *out) {
	char *end;
	if (!isdigit((unsigned char)text[*text == '-' || *text == '+'])) {
		return false;
	}
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (errno || *end) {
		return false;
	}
	*out = v;
	return true;
}

static bool with_unit(const char *text, const unit *units, size_t n, int64_t *out) {
	char *end;
	if (!isdigit((unsigned char)*text)) {
		return false;
	}
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (errno) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(end, units[i].name) == 0) {
			return !__builtin_mul_overflow((int64_t)v, units[i].factor, out);
		}
	}
	return false;
}

bool ent_duration_parse(const char *text, int64_t *us) {
	int64_t v;
	if (strcmp(text, "0") == 0) {
		*us = 0;
		return true;
	}
	if (!with_unit(text, durations, sizeof durations / sizeof *durations, &v)) {
		return false;
	}
	*us = v;
	return true;
}

char *ent_duration_text(int64_t us, char *out) {
	for (size_t i = 0; us && i < sizeof durations / sizeof *durations; i++) {
		if (us % durations[i].factor == 0) {
			snprintf(out, 32, "%" PRId64 "%s", us / durations[i].factor, durations[i].name);
			return out;
		}
	}
	snprintf(out, 32, us ? "%" PRId64 "us" : "0", us);
	return out;
}

bool ent_size_parse(const char *text, int64_t *bytes) {
	int64_t v;
	if (!with_unit(text, sizes, sizeof sizes / sizeof *sizes, &v)) {
		return false;
	}
	*bytes = v;
	return true;
}

bool ent_bool_parse(const char *text, bool *out) {
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*out = i & 1;
			return true;
		}
	}
	return false;
}

bool ent_rate_parse(const char *text, ent_rate *out) {
	static const struct {
		const char *unit;
		int64_t us;
	} units[] = {{"/s", 1000000}, {"/m", 60000000}, {"/h", INT64_C(3600000000)}};
	char *end;
	errno = 0;
	long long n = isdigit((unsigned char)*text) ? strtoll(text, &end, 10) : 0;
	if (errno || n < 1 || n > 1000000000) {
		return false;
	}
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(end, units[i].unit) == 0) {
			*out = (ent_rate){n, units[i].us};
			return true;
		}
	}
	return false;
}

bool ent_currency_form(const char *text) {
	return strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

bool ent_name_form(const char *text) {
	size_t n = strlen(text);
	if (n == 0 || n > 64 || !isalnum((unsigned char)*text)) {
		return false;
	}
	for (const char *p = text; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("_-.", *p)) {
			return false;
		}
	}
	return true;
}
