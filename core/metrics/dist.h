/* SPDX-License-Identifier: Apache-2.0
 *
 * Log histogram of int64 values, kept as (bucket, count) pairs: integer counts add and subtract, so that a distribution
 * merges and retracts exactly. A bucket is the exponent and the top six bits of the mantissa: values below 128 have a
 * bucket each, larger ones lie within 1/128 (0.8 %) of what stands for their bucket. Zero is bucket 0, a negative value
 * has the negative of its magnitude's bucket. Order of buckets is order of values. Pure functions. */
#ifndef ENT_METRICS_DIST_H
#define ENT_METRICS_DIST_H

#include <stddef.h>
#include <stdint.h>

#define ENT_DIST_BITS 6
#define ENT_DIST_MAX_BUCKET 3711 /* of INT64_MAX */

int32_t ent_dist_bucket(int64_t value);
/* The value in the middle of the bucket. Buckets out of range are taken as the outermost. */
int64_t ent_dist_value(int32_t bucket);

typedef struct ent_dist_item {
	int64_t value; /* what stands for the bucket */
	int64_t count;
} ent_dist_item;

/* The smallest value that at least q (0..1) of all counts do not exceed (nearest rank; the lower of two middle ones).
 * `items` sorted by value, counts above zero. 0 and *value, or -1 if there are none. */
int ent_dist_quantile(const ent_dist_item *items, size_t n, double q, int64_t *value);

#endif
