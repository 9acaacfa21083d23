/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact arithmetic on amounts: 128-bit products, rounded half to even once. Pure functions. */
#ifndef ENT_BASE_NUM_H
#define ENT_BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

typedef __int128 ent_i128;

/* n / d rounded half to even; d > 0. */
static inline ent_i128 ent_div_half_even(ent_i128 n, ent_i128 d) {
	ent_i128 q = n / d, r = n % d;
	ent_i128 twice = (r < 0 ? -r : r) * 2;
	if (twice > d || (twice == d && (q & 1))) {
		q += n < 0 ? -1 : 1;
	}
	return q;
}

/* a * b / d rounded half to even; false if the result does not fit or d <= 0. */
static inline bool ent_muldiv(int64_t a, int64_t b, int64_t d, int64_t *out) {
	if (d <= 0) {
		return false;
	}
	ent_i128 q = ent_div_half_even((ent_i128)a * b, d);
	if (q > INT64_MAX || q < INT64_MIN) {
		return false;
	}
	*out = (int64_t)q;
	return true;
}

#endif
