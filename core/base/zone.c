/* SPDX-License-Identifier: Apache-2.0
 *
 * Time zones from the C library, see zone.h. */
#include "base/zone.h"
#include "base/arena.h"
#include "base/day.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct ent_zone {
	bool shared; /* one of `loaded`, and stays */
	struct ent_zone *next;
	char name[64];
	int32_t first; /* offset before the first transition, seconds */
	uint32_t n;
	struct transition {
		int64_t at; /* seconds since 1970 UTC */
		int32_t offset;
	} *table;
};

/* Orders and visits of an online business: nothing before 1970 matters, and what is after 2100 is a typing error. */
static const int64_t FROM = 0, UNTIL = INT64_C(4133980800);

static bool fixed_offset(const char *name, int32_t *seconds) {
	if (!strcmp(name, "UTC") || !strcmp(name, "Z")) {
		*seconds = 0;
		return true;
	}
	unsigned hours, minutes = 0;
	char sign, extra;
	int n = sscanf(name, "%c%2u:%2u%c", &sign, &hours, &minutes, &extra);
	if (n != 3) {
		minutes = 0;
		n = sscanf(name, "%c%2u%2u%c", &sign, &hours, &minutes, &extra);
	}
	if ((n != 2 && n != 3) || (sign != '+' && sign != '-') || hours > 14 || minutes > 59) {
		return false;
	}
	*seconds = (int32_t)(hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return true;
}

static int32_t libc_offset(int64_t at) {
	time_t t = (time_t)at;
	struct tm tm;
	localtime_r(&t, &tm);
	return (int32_t)tm.tm_gmtoff;
}

/* Transitions of one zone are weeks apart; probing every three days finds them, bisection gives the second. */
enum { STEP = 3 * 86400 };

static void probe(ent_zone *z) {
	uint32_t capacity = 0;
	int32_t offset = z->first = libc_offset(FROM);
	for (int64_t t = FROM; t < UNTIL; t += STEP) {
		int32_t next = libc_offset(t + STEP);
		if (next == offset) {
			continue;
		}
		int64_t low = t, high = t + STEP;
		while (high - low > 1) {
			int64_t middle = low + (high - low) / 2;
			if (libc_offset(middle) == offset) {
				low = middle;
			} else {
				high = middle;
			}
		}
		ENT_GROW(z->table, z->n, capacity);
		z->table[z->n++] = (struct transition){high, libc_offset(high)};
		offset = next;
	}
}

/* Zones that were loaded, for all who ask again: there are as many as the configurations name. Probing one takes some
 * milliseconds, and TZ belongs to the whole process. */
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static ent_zone *loaded;

static ent_zone *find(const char *name) {
	ent_zone *z = loaded;
	while (z && strcmp(z->name, name) != 0) {
		z = z->next;
	}
	return z;
}

/* TZ is never taken out again, only given its old value, or the one that means what its absence means: another thread may be
 * looking through the environment, whose table would be moved. */
static void probe_under(ent_zone *z) {
	char *old = ent_xstrdup(getenv("TZ") ? getenv("TZ") : ":/etc/localtime");
	setenv("TZ", z->name, 1);
	tzset();
	probe(z);
	setenv("TZ", old, 1);
	tzset();
	free(old);
}

ent_zone *ent_zone_load(const char *name, ent_error *e) {
	ent_zone *z = ent_xcalloc(1, sizeof *z);
	snprintf(z->name, sizeof z->name, "%s", name);
	if (fixed_offset(name, &z->first)) {
		return z;
	}
	const char *folder = getenv("TZDIR");
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder ? folder : "/usr/share/zoneinfo", name);
	if (!name[0] || strlen(name) >= sizeof z->name || strstr(name, "..") || name[0] == '/' || access(path, R_OK)) {
		ent_error_set(e, ENT_ERR_INVALID, "unknown time zone '%s'", name);
		ent_error_todo(e, "write an IANA name such as Europe/Berlin, or an offset such as +01:00");
		free(z);
		return NULL;
	}
	pthread_mutex_lock(&loading);
	ent_zone *known = find(name);
	if (!known) {
		probe_under(z);
		z->shared = true;
		z->next = loaded;
		loaded = known = z;
		z = NULL;
	}
	pthread_mutex_unlock(&loading);
	free(z);
	return known;
}

void ent_zone_destroy(ent_zone *z) {
	if (z && !z->shared) {
		free(z->table);
		free(z);
	}
}

const char *ent_zone_name(const ent_zone *z) { return z->name; }

int32_t ent_zone_offset(const ent_zone *z, int64_t instant_us) {
	int64_t s = instant_us >= 0 ? instant_us / 1000000 : (instant_us - 999999) / 1000000;
	uint32_t low = 0, high = z->n;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (z->table[middle].at <= s) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low ? z->table[low - 1].offset : z->first;
}

int64_t ent_zone_instant(const ent_zone *z, int64_t local_us) {
	/* The offset just before the wall clock time decides; in a gap that moves the time forward, at a repeat it picks the first. */
	int32_t before = ent_zone_offset(z, local_us - ENT_US_PER_DAY);
	int64_t guess = local_us - (int64_t)before * 1000000;
	int32_t at = ent_zone_offset(z, guess);
	if (at == before) {
		return guess;
	}
	int64_t other = local_us - (int64_t)at * 1000000;
	return ent_zone_offset(z, other) == at ? other : guess;
}

int32_t ent_zone_day(const ent_zone *z, int64_t instant_us) {
	return ent_day_of_us(instant_us + (int64_t)ent_zone_offset(z, instant_us) * 1000000);
}
