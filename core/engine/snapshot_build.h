/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files that build snapshots share. */
#ifndef ENT_ENGINE_SNAPSHOT_BUILD_H
#define ENT_ENGINE_SNAPSHOT_BUILD_H

#include "engine/internal.h"
#include "metrics/snapshot.h"

typedef struct ent__build_series {
	uint32_t partner; /* code */
	ent_snap_series s;
} ent__build_series;

typedef struct ent__build_day {
	ent_cell_key key;
	uint64_t at, n; /* in ids */
} ent__build_day;

typedef struct ent__build_set {
	uint32_t partner;
	ent_snap_set s;
} ent__build_set;

typedef struct ent__build_bucket {
	ent_cell_key key;
	int32_t bucket;
	int64_t count;
} ent__build_bucket;

typedef struct ent__build_dist {
	uint32_t partner;
	ent_snap_dist d;
} ent__build_dist;

typedef struct ent__build_cover_row {
	uint32_t partner; /* 0: all that have such data */
	ent_snap_cover c;
} ent__build_cover_row;

typedef struct ent__build_rate {
	uint32_t currency; /* code, later text of the snapshot */
	int32_t day;
	int64_t rate; /* 1e-12 */
	uint8_t rank; /* among those of a day, see snapshot_rates.c */
} ent__build_rate;

typedef struct ent__build_record {
	uint32_t partner, kind, topic; /* codes */
	const char *json;
	size_t n, order;
} ent__build_record;

/* Where what a snapshot is built of comes from, in the orders in which the store's scans of these names have it. */
typedef struct ent__build_from {
	void *ctx;
	int (*cells)(void *ctx, ent_family, ent_cell_visit, void *to, ent_error *e);
	int (*sets)(void *ctx, ent_set_visit, void *to, ent_error *e);
	int (*dists)(void *ctx, ent_dist_visit, void *to, ent_error *e);
	int (*covers)(void *ctx, ent_cover_visit, void *to, ent_error *e);
	int (*records)(void *ctx, uint32_t kind, uint32_t partner, ent_record_visit, void *to, ent_error *e);
} ent__build_from;

typedef struct ent__build {
	ent_engine *e;
	const ent__build_from *from; /* NULL: the store. Else of a past moment: what is known of later days stays out of profiles */
	bool logged; /* it brings the log of releases, and what is released of it goes there */
	int32_t as_of;
	const uint8_t *behind; /* by code, see days.h; NULL: all have the day as_of */
	const char *as_of_mode;
	uint64_t generation;
	ent_arena arena;
	uint32_t *text_of, text_of_n;           /* by code: number in the snapshot */
	uint32_t *texts, n_texts, texts_capacity; /* codes */
	ent_cell *cells;                        /* of the partner at hand */
	size_t n_cells, cells_capacity;
	ent__build_series *series;
	size_t n_series, series_capacity;
	ent__build_day *days;
	size_t n_days, days_capacity;
	ent_buf ids;
	ent__build_set *sets;
	size_t n_sets, sets_capacity;
	ent__build_bucket *buckets;
	size_t n_buckets, buckets_capacity;
	ent__build_dist *dists;
	size_t n_dists, dists_capacity;
	ent__build_cover_row *covers, *common; /* of one partner; of sources with many partners */
	size_t n_covers, covers_capacity, n_common, common_capacity;
	ent__build_rate *rates;
	size_t n_rates, rates_capacity;
	ent_buf rate_rows;
	uint32_t *partners, n_partners, partners_capacity; /* codes, by name */
	uint32_t *rank_of; /* by code */
	ent__build_record *records; /* by partner, kind, topic */
	size_t n_records, records_capacity;
	ent_buf data; /* what becomes the block: room for its head, then all that has no fixed form */
	ent_buf values; /* scratch */
	/* JSON of a partner as an older block has it; false: it is made anew. NULL: all is made anew. */
	bool (*old_json)(void *ctx, uint32_t partner, ent_buf *out);
	void *old_ctx;
	bool bare; /* nothing but figures: no JSON of anything */
	uint32_t made_from;     /* codes from it on are those of `made`, from 0 */
	const ent_intern *made; /* NULL: there are none */
} ent__build;

/* The last day of which anything of the partner is in the snapshot. */
static inline int32_t ent__build_day_of(const ent__build *b, uint32_t partner) { return b->behind ? b->as_of - b->behind[partner] : b->as_of; }
/* Before all else. */
void ent__build_begin(ent__build *);
/* Number of a code's text in the snapshot. */
uint32_t ent__build_text(ent__build *, uint32_t code);
/* Family that facts of a kind speak for; -1: none. */
int ent__build_family(uint32_t kind);
/* Zeros for n days, good until the next call. */
int64_t *ent__build_values(ent__build *, uint64_t n);
/* Adds a series; of the key, origin, view, value and currency are read. */
void ent__build_series_add(ent__build *, uint32_t partner, unsigned measure, const ent_cell_key *, int32_t day0, uint64_t n,
	const int64_t *values);
/* Takes a cell, of one partner and family after the other; what was taken becomes series at the end of each. */
void ent__build_cell(ent__build *, const ent_cell *);
void ent__build_cells(ent__build *);
bool ent__build_included(const ent__build *, uint32_t partner);
/* Takes coverage as stored. After the last, and after the series: ent__build_covers merges it and hands it to the partners. */
void ent__build_cover(ent__build *, const ent_cover *);
void ent__build_covers(ent__build *);
/* Of one partner, whose series begin with number `first` and are the last: adds what sources of many partners say. */
void ent__build_covers_common(ent__build *, uint32_t partner, size_t first, const ent_cover *, size_t n);
/* Put together what was gathered of days and of buckets, and forget it: all of a partner at once. */
void ent__build_sets(ent__build *);
void ent__build_dists(ent__build *);
/* Scans the records of the store, or of what else it is built from. */
int ent__build_scan_records(const ent__build *, uint32_t kind, uint32_t partner, ent_record_visit, void *to, ent_error *e);
/* The whole: what ent_engine_snapshot makes of the store (`from` NULL). */
int ent__build_snapshot(ent_engine *, const ent__build_from *from, int32_t as_of, const char *as_of_mode, ent_snapshot_block *out,
	ent_error *e);
/* snapshot_rates.c: all rates up to the as-of day */
int ent__build_rates(ent__build *, ent_error *e);
/* snapshot_block.c: orders the partners by name; lays all out; puts that into sealed memory, after which `block` is only to be
 * finished; frees what was built */
void ent__build_rank(ent__build *);
void ent__build_assemble(ent__build *, ent_buf *out);
int ent__build_seal(ent_buf *block, ent_snapshot_block *out, ent_error *e);
void ent__build_finish(ent__build *);
/* snapshot_json.c. Records of one partner (UINT32_MAX: of all). */
int ent__build_records(ent__build *, uint32_t partner, ent_error *e);
void ent__build_partner_json(ent__build *, uint32_t partner, ent_buf *out);
void ent__build_meta_json(ent__build *, ent_buf *out);

#endif
