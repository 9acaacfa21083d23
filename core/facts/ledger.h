/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger's log: an append-only, checksummed sequence of frames in segments of 64 MB, `ledger/NNNNNN.log` in the
 * store's folder. A frame is u32 length, u32 crc32c of the body, then the body (facts/document.h writes and reads it).
 * How much of each segment is valid is not known to the log itself: the store's transaction commits the lengths, and
 * open cuts or refuses what does not fit them. The caller holds the store's lock.
 *
 * One thread owns a log, an index and identities, and calls everything here (a thread of the log's own writes behind).
 * A second one may commit meanwhile: the owner freezes (ent_ledger_freeze, ent_identities_freeze), the other calls
 * ent_ledger_sync_to and ent_identities_sync_to with what that gave, while the owner appends, puts, reads, scans and
 * freezes again. Marks are synced one after another, in the order in which they were made, each before the log or the
 * identities are closed. Nothing else may be called by the second thread. */
#ifndef ENT_FACTS_LEDGER_H
#define ENT_FACTS_LEDGER_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define ENT_SEGMENT_BYTES (UINT64_C(64) << 20)

/* Where a frame is: segment number in the upper 32 bits (from 1), offset in the lower. 0: nowhere. */
typedef uint64_t ent_position;

typedef enum ent_segment_state { ENT_SEGMENT_LIVE, ENT_SEGMENT_DEAD } ent_segment_state;

typedef struct ent_segment {
	uint32_t number;
	uint32_t state;
	uint64_t valid;  /* committed length in bytes */
	uint64_t frames; /* in it */
	uint64_t live;   /* bytes of those that count: the rest is history, and may be worth compacting */
} ent_segment;

/* What open found and did, for the report to the operator. */
typedef struct ent_ledger_report {
	uint64_t truncated_bytes;   /* beyond the committed length: an interrupted run; cut */
	uint32_t deleted_segments;  /* not in the table: made by a run that never committed */
	char damage[512];           /* empty, or what is broken: which segment, at which offset, and its new name */
} ent_ledger_report;

typedef struct ent_ledger ent_ledger;

/* Opens the log of the store in `folder`: its folder `ledger`, made if absent when writable. `committed` is what the
 * store's table says. Longer files are cut; files that the table does not name, or names as dead, are deleted. A file
 * that is missing, shorter than committed, or whose frames fail their checksum (checked when `verify`) is damage:
 * ENT_ERR_CORRUPT, the file is renamed to NNNNNN.log.damaged (never deleted), report->damage says so, and nothing else
 * is changed. Read-only: nothing is changed on disk at all. `report` may be NULL. */
int ent_ledger_open(ent_ledger **out, const char *folder, const ent_segment *committed, size_t n, bool writable,
	bool verify, ent_ledger_report *report, ent_error *e);
void ent_ledger_close(ent_ledger *); /* what was not synced is not kept; NULL allowed */

/* Appends a frame of 1 byte to 64 MB; it is buffered and written behind. 0 on error; that a write behind has failed may
 * be told by a later append, and is told by sync at the latest. */
ent_position ent_ledger_append(ent_ledger *, const void *body, size_t n, ent_error *e);
/* The same for who writes the body himself: room for `max` bytes, NULL on error; then the first n of them, 1 to max,
 * become a frame. Nothing else is called on the log in between. What is not made a frame is forgotten. */
uint8_t *ent_ledger_reserve(ent_ledger *, size_t max, ent_error *e);
ent_position ent_ledger_commit_frame(ent_ledger *, size_t n);
/* The body of a frame, replacing `out`'s content; checks the checksum. */
int ent_ledger_read(ent_ledger *, ent_position, ent_buf *out, ent_error *e);
/* Everything that is appended at this moment. A zeroed one is finished. */
typedef struct ent_ledger_mark {
	ent_segment *segments; /* the live ones as they stand: what the store's table says once the mark is synced */
	size_t n;
	struct ent__log_mark *rest; /* what is to be synced: the log's own */
} ent_ledger_mark;

/* Owner: makes a mark, without waiting for a disk. */
int ent_ledger_freeze(ent_ledger *, ent_ledger_mark *out, ent_error *e);
/* Any thread, see above: waits until all of the mark is written, then fdatasync of the segments touched since the mark
 * before, and fsync of the folder if a file is new. Not retried: after an error nothing is accepted any more. */
int ent_ledger_sync_to(ent_ledger *, const ent_ledger_mark *, ent_error *e);
void ent_ledger_mark_finish(ent_ledger_mark *);
/* Both in one, by the owner. */
int ent_ledger_sync(ent_ledger *, ent_error *e);
/* The live segments as they stood when the last mark was made; valid until the next one. */
const ent_segment *ent_ledger_segments(const ent_ledger *, size_t *n);
/* Bytes appended since the last mark was made. */
uint64_t ent_ledger_dirty(const ent_ledger *);

/* Calls for every frame in order of position; stops when it returns nonzero, and returns that. Reads sequentially in
 * large pieces; also sees frames that were appended but not synced, but none that the visitor appends. A
 * frame that is damaged is ENT_ERR_CORRUPT; if writable, its file is set aside as in open. */
typedef int (*ent_ledger_visit)(void *ctx, ent_position, const uint8_t *body, size_t n);
int ent_ledger_scan(ent_ledger *, ent_ledger_visit, void *ctx, ent_error *e);
/* The same without the frames before `valid` of these segments: somebody has seen them. */
int ent_ledger_scan_after(
	ent_ledger *, const ent_segment *seen, size_t n, ent_ledger_visit, void *ctx, ent_error *e);

/* ---- compaction: by the engine, see engine/compact.c; the owner's thread ------------------------------------------ */

/* A frame counts no more: it is superseded, or was never live. Once for each. */
void ent_ledger_forget(ent_ledger *, ent_position);
/* As scan, over one live segment from the offset *at on; *at moves behind each frame for which the visitor returned 0.
 * For steps: reads no more than it needs. At the end of the segment: 0. */
int ent_ledger_walk(ent_ledger *, uint32_t segment, uint64_t *at, ent_ledger_visit, void *ctx, ent_error *e);
/* What is appended from now on does not go to this segment. */
int ent_ledger_seal(ent_ledger *, uint32_t segment, ent_error *e);
/* A segment that nothing leads to any more, not the last one: from the next mark on it is dead. Its frames cannot be
 * read any more. */
void ent_ledger_retire(ent_ledger *, uint32_t segment);
/* Deletes the files of dead segments, once a mark that calls them so is committed and no other mark is under way; beside
 * everything else, but before the log is closed. */
int ent_ledger_remove_retired(ent_ledger *, ent_error *e);

/* ---- index: key to the live frame, 21 to 38 bytes of memory an entry ---------------------------------------------- */

typedef struct ent_index_entry {
	uint64_t key;    /* ent_hash64 of system, partner, kind and key; the frame's own key settles a collision */
	ent_position at; /* 0: free slot */
} ent_index_entry;

typedef struct ent_index ent_index;

ent_index *ent_index_create(uint64_t expected);
void ent_index_destroy(ent_index *);
/* As many entries there will be, as far as anybody can tell: when it has to grow, it grows for them. */
void ent_index_expect(ent_index *, uint64_t entries);
/* First entry with this key, or NULL. With `after` the next one with the same key (collisions). The pointer is valid
 * until the next add, remove or find_or_slot. An entry's position may be changed in place, but not to 0. */
ent_index_entry *ent_index_find(const ent_index *, uint64_t key, const ent_index_entry *after);
/* Adds an entry, whether or not there is one with this key. No add pauses for long, however large the index is. */
ent_index_entry *ent_index_add(ent_index *, uint64_t key, ent_position at);
/* Both with one search: the first entry with this key; or NULL, and the slot where add_at puts an entry with this key,
 * unless anything is added or removed or looked for in this way before. */
typedef uint64_t ent_index_slot;
ent_index_entry *ent_index_find_or_slot(ent_index *, uint64_t key, ent_index_slot *slot);
ent_index_entry *ent_index_add_at(ent_index *, ent_index_slot, uint64_t key, ent_position at);
void ent_index_remove(ent_index *, ent_index_entry *);
void ent_index_prefetch(const ent_index *, uint64_t key);
uint64_t ent_index_count(const ent_index *);
uint64_t ent_index_bytes(const ent_index *); /* of memory */
/* All entries, in no order that means anything. The visitor neither adds nor removes. */
typedef int (*ent_index_visit)(void *ctx, ent_index_entry *);
int ent_index_each(ent_index *, ent_index_visit, void *ctx);
/* The next entries after the cursor, up to max, in the order that the index keeps them in; 0: there are no more. From a
 * zeroed cursor. The index may change between two slices: entries that do not change are given once. */
typedef struct ent_index_cursor {
	uint64_t next;
	bool end;
} ent_index_cursor;
size_t ent_index_slice(const ent_index *, ent_index_cursor *, ent_index_entry *out, size_t max);
/* Adds entries in that order to an index that was created for all of them, and gets them in no other way until the last
 * one is in. false: they are not in this order. */
bool ent_index_fill(ent_index *, const ent_index_entry *, size_t n);

/* ---- identities: 128-bit keyed identity to a dense number, `identities`, 16 bytes each; 21 to 40 in memory --------- */

typedef struct ent_identities ent_identities;

/* `folder` is the store's. `committed`: how many the store vouches for; more are cut, fewer are ENT_ERR_CORRUPT. The
 * file is read at the first put or get; if that fails, put gives UINT32_MAX, get NULL, and sync the error. */
int ent_identities_open(ent_identities **out, const char *folder, uint64_t committed, bool writable, ent_error *e);
void ent_identities_close(ent_identities *);
/* Dense number (from 0). Adds it if it is new, without a pause however many there are. UINT32_MAX when the space is
 * full. */
uint32_t ent_identities_put(ent_identities *, const uint8_t id[16]);
/* The first asks for the slot of an identity; the second, once the slot is there, for what it leads to. */
void ent_identities_prefetch(const ent_identities *, const uint8_t id[16]);
void ent_identities_prefetch_found(const ent_identities *, const uint8_t id[16]);
/* NULL if there is none. Valid until the next put. */
const uint8_t *ent_identities_get(ent_identities *, uint32_t dense);
uint64_t ent_identities_count(const ent_identities *);
/* As with the log: the owner freezes, any one thread syncs. `count` is what the store may vouch for then. */
typedef struct ent_identities_mark {
	uint64_t count;
	bool file, folder; /* what is to be synced */
} ent_identities_mark;
int ent_identities_freeze(ent_identities *, ent_identities_mark *out, ent_error *e);
int ent_identities_sync_to(ent_identities *, const ent_identities_mark *, ent_error *e);
int ent_identities_sync(ent_identities *, ent_error *e);

#endif
