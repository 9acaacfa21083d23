/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the log, shared by ledger_log.c (append, read, scan), ledger_write.c (written behind, synced) and
 * ledger_open.c (open, recover, close). Owned by the ent_ledger; which thread touches what stands at each field. */
#ifndef ENT_FACTS_LEDGER_LOG_H
#define ENT_FACTS_LEDGER_LOG_H

#include "facts/ledger.h"

#include <pthread.h>
#include <stdatomic.h>

#define ENT__FRAME_HEAD 8u
#define ENT__PIECES 4u /* one is filled, one is written, two are waiting */

typedef struct ent__log_file {
	uint32_t number;
	int fd;
	uint64_t length; /* bytes of frames, those in pieces included */
	uint64_t frames;
	uint64_t live;   /* bytes of frames that count */
	uint64_t marked; /* length in the last mark, or as committed */
} ent__log_file;

/* A run of frames on its way to one file. It keeps its bytes until it is filled anew: frames are read from it. */
typedef struct ent__log_piece {
	uint8_t *bytes;
	size_t n, capacity;
	uint32_t number;
	int fd;
	uint64_t at; /* in the file */
} ent__log_piece;

/* The second half of a mark. */
struct ent__log_mark {
	uint64_t pieces; /* as many have to be written */
	bool folder;
	size_t n;
	struct {
		uint32_t number;
		int fd;
	} touched[];
};

struct ent_ledger {
	/* the owner's */
	char *folder; /* STORE/ledger, for messages */
	int dir;
	bool writable, fresh_files, running;
	ent__log_file *files; /* live ones, by number */
	size_t n, capacity;
	ent__log_file *retired; /* dead ones whose files are still there */
	size_t retired_n, retired_capacity;
	ent__log_file *doomed; /* those that a thread deletes just now */
	size_t doomed_n;
	pthread_t deleter;
	bool deleting;
	bool changed; /* since the last mark: what is live and what dead */
	uint32_t last_number; /* ever used: a dead segment's number is not given again */
	ent_segment *table;   /* as of the last mark */
	size_t table_n, table_capacity;
	uint64_t filled; /* pieces handed over to the writer; number `filled % ENT__PIECES` is being filled */
	uint64_t dirty;
	ent_buf scan;
	pthread_t writer;
	/* the owner's until it is handed over, then the writer's until it is written */
	ent__log_piece pieces[ENT__PIECES];
	/* everybody's, under the lock; `broken` says without it that there is an error in `failed` */
	pthread_mutex_t lock;
	pthread_cond_t moved; /* one of these has changed */
	uint64_t handed, written;
	bool stop;
	ent_error failed; /* of a write or a sync: from then on nothing is written any more */
	atomic_bool broken;
};

#define ENT__LOG_TODO "restore the store from a copy, or move it away and read the sources again"

/* ledger_write.c. Hands the piece that is being filled to the writer; waits for a free one. */
int ent__log_hand_over(ent_ledger *, ent_error *);
/* Waits until everything that was handed over is written. */
int ent__log_drain(ent_ledger *, ent_error *);
/* Remembers that nothing may be written any more, with errno; or says what was remembered, if anything. */
int ent__log_fail(ent_ledger *, ent_error *, const char *what, uint32_t segment);
int ent__log_failed(ent_ledger *, ent_error *);
/* A thread that gets no signals: those are the owner's. 0 or an error number. */
int ent__log_thread(pthread_t *, void *(*run)(void *), void *ctx);
/* ledger_compact.c: waits until what is being deleted is gone. */
void ent__log_join_deleting(ent_ledger *);
/* Ends the writer; what is not written stays so. */
void ent__log_stop(ent_ledger *);

/* One frame at `p` with `n` bytes behind it. Length of the body, or 0 if it is no frame. */
size_t ent__frame_check(const uint8_t *p, uint64_t n);
ent__log_file *ent__log_file_of(const ent_ledger *, uint32_t number); /* NULL: there is none, or it is dead */
int ent__log_new_file(ent_ledger *, ent_error *);
/* Calls for each frame of a file from *at up to `length`; *at is then where it stopped. Bytes that are no frame: ENT_ERR_CORRUPT, and
 * *damaged is set, for a visitor may return the same. */
int ent__log_walk(ent_ledger *, size_t file, uint64_t length, size_t piece, ent_ledger_visit, void *ctx, uint64_t *at,
	bool *damaged, ent_error *);
#define ENT__LOG_SCAN ((size_t)4 << 20) /* read at once by a scan */
/* As open does with what it finds: the file gets another name, and nothing is written any more. */
void ent__log_damaged(ent_ledger *, const ent__log_file *, uint64_t at, ent_error *);
#define ENT__LOG_NAME 40
/* Gives a damaged file another name, told in `as`; empty: it has kept its own, as it does for readers. */
void ent__log_set_aside(const ent_ledger *, uint32_t number, char as[ENT__LOG_NAME]);
void ent__log_table(ent_ledger *);

#endif
