/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the log, shared by ledger_log.c (append, read, sync, scan) and ledger_open.c (open, recover, close).
 * One thread; owned by the ent_ledger. */
#ifndef ENT_FACTS_LEDGER_LOG_H
#define ENT_FACTS_LEDGER_LOG_H

#include "facts/ledger.h"

#define ENT__FRAME_HEAD 8u

typedef struct ent__log_file {
	uint32_t number;
	int fd;
	uint64_t length; /* bytes of frames, those in the buffer included */
	uint64_t frames;
	uint64_t synced; /* length at the last sync, or as committed */
} ent__log_file;

struct ent_ledger {
	char *folder; /* STORE/ledger, for messages */
	int dir;
	bool writable, fresh_files;
	ent__log_file *files; /* live ones, by number */
	size_t n, capacity;
	uint32_t last_number; /* ever used: a dead segment's number is not given again */
	ent_segment *table;   /* as of the last sync */
	size_t table_n, table_capacity;
	uint8_t *piece; /* the end of the last file that is not written yet */
	size_t piece_n;
	uint64_t dirty;
	ent_buf scan;
	ent_error failed; /* of a write or a sync: from then on nothing is written any more */
};

#define ENT__LOG_TODO "restore the store from a copy, or move it away and read the sources again"

/* One frame at `p` with `n` bytes behind it. Length of the body, or 0 if it is no frame. */
size_t ent__frame_check(const uint8_t *p, uint64_t n);
/* Calls for each frame of a file up to `length`; *at is where it stopped. Bytes that are no frame: ENT_ERR_CORRUPT, and
 * *damaged is set, for a visitor may return the same. */
int ent__log_walk(ent_ledger *, size_t file, uint64_t length, ent_ledger_visit, void *ctx, uint64_t *at, bool *damaged,
	ent_error *);
#define ENT__LOG_NAME 40
/* Gives a damaged file another name, told in `as`; empty: it has kept its own, as it does for readers. */
void ent__log_set_aside(const ent_ledger *, uint32_t number, char as[ENT__LOG_NAME]);
void ent__log_table(ent_ledger *);

#endif
