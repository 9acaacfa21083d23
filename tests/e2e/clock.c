/* SPDX-License-Identifier: Apache-2.0
 *
 * Preloaded into the program by tests: the time of day begins at CLOCK_AT (seconds since 1970) when the process does,
 * and goes on from there. What a clock measures (monotonic, processor time) is left alone. Any thread. */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#define SHOWN __attribute__((visibility("default")))

typedef int get(clockid_t, struct timespec *);

static time_t shift(void) {
	static get *real;
	static time_t by;
	if (!real) {
		struct timespec now = {0};
		const char *at = getenv("CLOCK_AT");
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
		real(CLOCK_REALTIME, &now);
		by = at ? (time_t)strtoll(at, NULL, 10) - now.tv_sec : 0;
	}
	return by;
}

SHOWN int clock_gettime(clockid_t clock, struct timespec *out) {
	static get *real;
	time_t by = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? shift() : 0;
	if (!real) {
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	}
	int status = real(clock, out);
	out->tv_sec += status ? 0 : by;
	return status;
}

SHOWN int gettimeofday(struct timeval *restrict out, void *restrict zone) {
	struct timespec now;
	(void)zone;
	int status = clock_gettime(CLOCK_REALTIME, &now);
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return status;
}

SHOWN time_t time(time_t *out) {
	struct timespec now = {0};
	clock_gettime(CLOCK_REALTIME, &now);
	if (out) {
		*out = now.tv_sec;
	}
	return now.tv_sec;
}
