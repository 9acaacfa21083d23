/* SPDX-License-Identifier: Apache-2.0
 *
 * What ent_snap_open prepares so that a window costs a few binary searches: shared by window_open.c, window.c and window_ids.c alone. */
#ifndef ENT_METRICS_WINDOW_INDEX_H
#define ENT_METRICS_WINDOW_INDEX_H

#include "metrics/dist.h"
#include "metrics/window.h"

/* A run of covered days, and how many covered days its group has before it. */
typedef struct ent__span {
	int32_t from, to, before;
} ent__span;

/* Merged coverage of one (partner, family, origin). */
typedef struct ent__cover_group {
	uint8_t family, origin;
	uint32_t all, n_all; /* into spans: by any source */
	uint32_t said, n_said; /* declared ones only */
} ent__cover_group;

typedef struct ent__partner_index {
	uint32_t groups, n_groups;
	uint8_t best[ENT_FAMILY_COUNT];    /* ent_origin that precedence picks */
	uint8_t origins[ENT_FAMILY_COUNT]; /* bits */
} ent__partner_index;

struct ent__snap_index {
	struct ent_custom_pack *custom; /* what users declared; NULL: nothing */
	ent__partner_index *partners;
	ent__cover_group *groups;
	ent__span *spans;
	uint32_t *text_slots; /* text + 1 by hash, 0 = free; made when a value is first looked up */
	uint32_t text_mask;
	/* scratch of distinct and distribution reads, grown as needed */
	uint32_t *ids, *ids_other;
	size_t ids_capacity;
	int64_t *histogram; /* by bucket + ENT_DIST_MAX_BUCKET; all zero between calls */
	ent_dist_item *items;
	size_t n_items, items_capacity;
};

/* window_ids.c: how many of n identities are different; uses the scratch. */
uint64_t ent__ids_different(struct ent__snap_index *, const uint32_t *ids, size_t n);

#define ENT_PRECEDENCE 3
extern const uint8_t ent__precedence[ENT_PRECEDENCE];

#endif
