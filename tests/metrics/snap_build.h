/* SPDX-License-Identifier: Apache-2.0
 *
 * Builds a snapshot by hand, for tests: rows are given in any order and sorted when the block is made. */
#ifndef ENT_TESTS_SNAP_BUILD_H
#define ENT_TESTS_SNAP_BUILD_H

#include "base/buf.h"
#include "base/intern.h"
#include "metrics/catalogue.h"
#include "metrics/snapshot.h"

typedef struct snap_row {
	int partner;
	union {
		ent_snap_series series;
		ent_snap_set set;
		ent_snap_dist dist;
		ent_snap_cover cover;
		ent_snap_rate rate;
	};
	ent_buf data, more;
} snap_row;

typedef struct snap_rows {
	snap_row *items;
	size_t n, capacity;
} snap_rows;

typedef struct snap_build {
	ent_intern texts;
	int32_t as_of;
	uint32_t currency;
	const char *meta;
	struct {
		uint32_t id;
		const char *json;
	} *partners;
	size_t n_partners, partners_capacity;
	snap_rows series, sets, dists, covers, rates;
} snap_build;

/* Series are written as points, also where that is no gain. */
extern int snap_as_points;
void snap_init(snap_build *, int32_t as_of, const char *currency);
/* Partners in order of their names. */
int snap_partner(snap_build *, const char *id, const char *json);
void snap_series(snap_build *, int partner, ent_measure, ent_origin, ent_view, const char *value, const char *currency,
				 int32_t day0, size_t n, const int64_t *data);
/* `ids` of day i: counts[i] of them. */
void snap_set(snap_build *, int partner, ent_set, ent_origin, ent_view, const char *value, int32_t day0, size_t n,
			  const uint32_t *counts, const uint32_t *ids);
void snap_dist(snap_build *, int partner, ent_dist, ent_origin, const char *currency, size_t n, const ent_snap_bucket *);
void snap_cover(snap_build *, int partner, ent_family, ent_origin, int declared, const char *source, int32_t from, int32_t to);
void snap_rate(snap_build *, const char *currency, int32_t day0, size_t n, const int64_t *rates);
/* The block, malloc'd. Ends the builder. */
void *snap_block(snap_build *, size_t *bytes);

#endif
