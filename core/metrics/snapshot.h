/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout of a snapshot: everything that a reader of metrics may look at, for one moment, in one block of memory (a
 * sealed memfd when it goes to `entente-rules`). Native byte order, arrays aligned to 8. All offsets count from the
 * start of the block. Built by engine/snapshot.c, read by metrics/window.c in the core and in the rules worker alike.
 *
 * Series are dense, one int64 for each day from day0 on, so that Python takes them without a copy; where few of the days
 * have a value, only these stand there. */
#ifndef ENT_METRICS_SNAPSHOT_H
#define ENT_METRICS_SNAPSHOT_H

#include <stdint.h>

#define ENT_SNAP_MAGIC 0x50414e53u /* "SNAP" */
#define ENT_SNAP_VERSION 3u
#define ENT_SNAP_BEHIND 2u /* it is three days at once on earth for some hours */
#define ENT_SNAP_RATE_ONE INT64_C(1000000000000) /* rates are in 1e-12 */

typedef struct ent_snap_section {
	uint64_t offset;
	uint64_t n; /* items */
} ent_snap_section;

typedef struct ent_snap_head {
	uint32_t magic, version;
	uint64_t bytes;
	int32_t as_of;         /* the last day that windows include: the latest of all partners */
	uint32_t currency;     /* text: the reporting currency, to which money is converted */
	uint64_t generation;   /* grows with every snapshot of a store */
	ent_snap_section texts;    /* ent_snap_text; text 0 is "", view value 0 is "(none)" */
	ent_snap_section partners; /* ent_snap_partner, sorted by name */
	ent_snap_section series;   /* ent_snap_series, by partner, then measure, origin, view, value, currency */
	ent_snap_section sets;     /* ent_snap_set, by partner, then set, origin, view, value */
	ent_snap_section dists;    /* ent_snap_dist, by partner, then dist, origin, currency */
	ent_snap_section covers;   /* ent_snap_cover, by partner, then family, origin, from */
	ent_snap_section rates;    /* ent_snap_rate, by currency */
	ent_snap_section meta;     /* UTF-8 JSON, n bytes: see docs/rules.md ("What a snapshot holds") */
	ent_snap_section custom;   /* n bytes: what users declared, behind the built-in catalogue; see metrics/custom_pack.c */
} ent_snap_head;

typedef struct ent_snap_text {
	uint64_t offset; /* NUL-terminated */
	uint64_t n;
} ent_snap_text;

typedef struct ent_snap_partner {
	uint32_t id; /* text: the partner's id in the configuration */
	uint32_t behind; /* days that its own day lies before as_of, 0 to ENT_SNAP_BEHIND: nothing of it is later */
	uint64_t series, n_series; /* index of the first, and how many */
	uint64_t sets, n_sets, dists, n_dists, covers, n_covers;
	uint64_t json, n_json;     /* offset, bytes: {"profile": {...}, "registers": {...}, "observations": [...], ...} */
} ent_snap_partner;

typedef struct ent_snap_series {
	uint16_t measure;  /* ent_measure, or one of the catalogue's behind it */
	uint8_t origin, view;
	uint32_t value;    /* text */
	uint32_t currency; /* text; 0 where there is none */
	int32_t day0;
	uint64_t n;        /* days */
	uint64_t data;     /* offset of int64[n], or, if there are points, of int64[points] */
	uint64_t points;   /* 0: dense; else days that have a value: int32[points] behind the values, counted from day0 */
} ent_snap_series;

static inline uint64_t ent_snap_values(const ent_snap_series *s) { return s->points ? s->points : s->n; }
/* Bytes of its data. */
static inline uint64_t ent_snap_series_bytes(const ent_snap_series *s) { return s->points ? s->points * 12 : s->n * 8; }
/* Are points worth the search that they cost? */
static inline int ent_snap_is_sparse(uint64_t points, uint64_t days) { return points * 24 < days * 8; }

typedef struct ent_snap_set {
	uint16_t set; /* ent_set, or one behind it */
	uint8_t origin, view;
	uint32_t value;
	int32_t day0;
	uint32_t n;       /* days */
	uint64_t starts;  /* offset of uint32[n + 1]: ids of day i are ids[starts[i] .. starts[i + 1]) */
	uint64_t ids;     /* offset of uint32[]: dense identities, sorted within a day */
} ent_snap_set;

typedef struct ent_snap_dist {
	uint16_t dist; /* ent_dist, or one behind it */
	uint8_t origin, reserved;
	uint32_t currency;
	uint64_t n;    /* rows */
	uint64_t rows; /* offset of ent_snap_bucket[n], sorted by day, bucket */
} ent_snap_dist;

typedef struct ent_snap_bucket {
	int32_t day;
	int32_t bucket; /* metrics/dist.h */
	int64_t count;
} ent_snap_bucket;

/* Days [from, to) for which facts of a family speak. */
typedef struct ent_snap_cover {
	uint8_t family, origin;
	uint8_t declared; /* said by the decoder; 0: guessed from the first to the last day of what was read */
	uint8_t complete;
	uint32_t source;  /* text: name of the source */
	int32_t from, to;
} ent_snap_cover;

/* One unit of `currency` is data[i] * 1e-12 of the reporting currency on day0 + i; 0: not known for that day. */
typedef struct ent_snap_rate {
	uint32_t currency;
	int32_t day0;
	uint64_t n;
	uint64_t data;
} ent_snap_rate;

#endif
