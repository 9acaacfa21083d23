/* SPDX-License-Identifier: Apache-2.0
 *
 * When one may ask again: a rate, evenly spread, and waiting longer each time that something failed. Pure; the owner's
 * thread. */
#ifndef ENT_TRANSPORT_RATE_H
#define ENT_TRANSPORT_RATE_H

#include <stdint.h>

#include "config/scalar.h"

typedef struct ent_pace {
	int64_t step_us, next_us;
} ent_pace;

ent_pace ent_pace_of(ent_rate rate);
/* Microseconds to wait; 0: now, and it is counted. */
int64_t ent_pace_take(ent_pace *, int64_t now_us);

/* How long to wait before the n-th repetition (from 0): anything up to 1 s, 2 s, 4 s, … 5 minutes. `chance`: any number. */
int64_t ent_backoff(unsigned n, uint64_t chance);

/* Retry-After: seconds or a date (RFC 9110); at most an hour. -1: it is neither. */
int64_t ent_retry_after(const char *value, int64_t now_us);

#endif
