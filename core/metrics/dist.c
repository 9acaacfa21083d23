/* SPDX-License-Identifier: Apache-2.0
 *
 * Log histogram, see dist.h. */
#include "metrics/dist.h"

static int32_t bucket_of(uint64_t v) {
	if (v < (1u << ENT_DIST_BITS)) {
		return (int32_t)v;
	}
	int exponent = 63 - __builtin_clzll(v);
	int shift = exponent - ENT_DIST_BITS;
	return (int32_t)(((shift + 1) << ENT_DIST_BITS) + (int)((v >> shift) & ((1u << ENT_DIST_BITS) - 1)));
}

int32_t ent_dist_bucket(int64_t value) {
	if (value >= 0) {
		return bucket_of((uint64_t)value);
	}
	/* INT64_MIN has no positive counterpart and shares the bucket of its neighbour. */
	return -bucket_of(value == INT64_MIN ? (uint64_t)INT64_MAX : (uint64_t)-value);
}

int64_t ent_dist_value(int32_t bucket) {
	if (bucket < 0) {
		return -ent_dist_value(bucket < -ENT_DIST_MAX_BUCKET ? ENT_DIST_MAX_BUCKET : -bucket);
	}
	if (bucket > ENT_DIST_MAX_BUCKET) {
		bucket = ENT_DIST_MAX_BUCKET;
	}
	if (bucket < (2 << ENT_DIST_BITS)) {
		return bucket;
	}
	int shift = (bucket >> ENT_DIST_BITS) - 1;
	uint64_t mantissa = (uint64_t)(bucket & ((1 << ENT_DIST_BITS) - 1)) + (1u << ENT_DIST_BITS);
	return (int64_t)((mantissa << shift) + (UINT64_C(1) << shift) / 2);
}

int ent_dist_quantile(const ent_dist_item *items, size_t n, double q, int64_t *value) {
	int64_t total = 0;
	for (size_t i = 0; i < n; i++) {
		total += items[i].count;
	}
	if (total <= 0) {
		return -1;
	}
	/* A hair less, so that 0.07 of 100 is 7 and not 8. */
	double exact = q * (double)total * (1 - 1e-12);
	int64_t rank = q >= 1 ? total : q > 0 ? (int64_t)exact : 0;
	if ((double)rank < exact) {
		rank++;
	}
	rank = rank < 1 ? 1 : rank > total ? total : rank;
	int64_t seen = 0;
	for (size_t i = 0; i < n; i++) {
		seen += items[i].count;
		if (seen >= rank) {
			*value = items[i].value;
			return 0;
		}
	}
	return -1;
}
