/* SPDX-License-Identifier: Apache-2.0
 *
 * When one may ask again, see rate.h. */
#include "transport/rate.h"

#include <time.h>

static const int64_t second = 1000000, longest_backoff = INT64_C(300) * 1000000, longest_told = INT64_C(3600) * 1000000;

ent_pace ent_pace_of(ent_rate rate) {
	int64_t step = rate.per_us / rate.n;
	return (ent_pace){.step_us = step > 0 ? step : 1};
}

int64_t ent_pace_take(ent_pace *pace, int64_t now_us) {
	if (now_us < pace->next_us) {
		return pace->next_us - now_us;
	}
	pace->next_us = now_us + pace->step_us;
	return 0;
}

int64_t ent_backoff(unsigned n, uint64_t chance) {
	int64_t most = n < 9 ? second << n : longest_backoff;
	most = most < longest_backoff ? most : longest_backoff;
	return (int64_t)(chance % (uint64_t)(most + 1));
}

int64_t ent_retry_after(const char *value, int64_t now_us) {
	int64_t seconds;
	struct tm at = {0};
	int64_t wait = -1;
	if (ent_int_parse(value, &seconds)) {
		wait = seconds < 0 ? -1 : seconds > longest_told / second ? longest_told : seconds * second;
	} else {
		/* the form of today, and two that may still be met */
		static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"};
		for (int i = 0; i < 3 && wait < 0; i++) {
			at = (struct tm){0};
			const char *end = strptime(value, forms[i], &at);
			if (end && !*end) {
				wait = (int64_t)timegm(&at) * second - now_us;
				wait = wait > 0 ? wait : 0;
			}
		}
	}
	return wait > longest_told ? longest_told : wait;
}
