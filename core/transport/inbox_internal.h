/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the inbox share.
 *
 * Threads: `lock` guards everything here but what the writer's thread has for itself (marked "writer"). It is held for moments,
 * never over a system call. Logs and documents of a box are added and removed by the writer alone, so that it may read them
 * without the lock; others change only how much of them is committed. */
#ifndef ENT_TRANSPORT_INBOX_INTERNAL_H
#define ENT_TRANSPORT_INBOX_INTERNAL_H

#include "base/arena.h"
#include "transport/inbox.h"
#include "transport/inbox_ids.h"
#include "transport/inbox_line.h"

#include <pthread.h>

enum { ENT__INBOX_BUCKETS = 256 /* of ids on their way to the disk */ };

typedef struct ent__log {
	uint32_t number;
	uint64_t size;       /* durable */
	uint64_t head;       /* bytes of its first line */
	uint64_t committed;
	uint64_t identity;
	int64_t first_us, last_us; /* arrival of its first and last line */
	int64_t done_us;     /* when all of it was committed; 0 not yet */
	uint32_t documents;  /* that belong to it and are still there */
	uint32_t named;      /* documents that it named so far */
	bool records, sealed;
	bool spent;          /* more of it is committed than is there: it came from a copy that is older than the store */
} ent__log;

typedef struct ent__doc {
	char name[64];
	uint32_t log;
	uint64_t size, identity;
	int64_t arrived_us, done_us;
	bool committed;
} ent__doc;

/* Someone who waits for an item: who put it, or put the same delivery again. */
typedef struct ent__waiter {
	ent_inbox_done *done;
	void *ctx;
	struct ent__waiter *next;
} ent__waiter;

typedef struct ent__put {
	struct ent__box *box;
	ent_buf body;        /* records: u32 length and bytes of each; or the document */
	uint32_t records;
	uint64_t bytes;      /* that count against the bounds */
	bool document, has_id;
	char suffix[20];
	uint8_t id[ENT__INBOX_ID];
	char *cursor;
	ent__waiter first, *again;
	int outcome;
	ent_error error;
	struct ent__put *next, *same_bucket;
	char doc_name[64];   /* writer; "" none */
	uint64_t doc_identity;
	int64_t doc_arrived;
} ent__put;

typedef struct ent__idfile { /* NNNNNNNN.ids */
	uint32_t number;
	int64_t last_us;
} ent__idfile;

typedef struct ent__box {
	char *name, *path;
	ent__log *logs;
	size_t n_logs, logs_capacity;
	ent__doc *docs;
	size_t n_docs, docs_capacity;
	ent__ids ids;
	char *cursor;        /* durable */
	char *front_cursor;  /* front alone */
	int64_t last_us;     /* writer; arrival of the newest line */
	uint64_t queued;     /* bytes in memory */
	ent_inbox_status status;
	ent__put *pending[ENT__INBOX_BUCKETS]; /* with an id, on their way to the disk */
	bool arrived;        /* front alone: to be told */
	int folder, fd;      /* writer; -1 not open */
	uint32_t next_log;   /* writer */
	ent__idfile *idfiles; /* writer */
	size_t n_idfiles, idfiles_capacity;
	ent__put *batch, **batch_end; /* writer */
} ent__box;

struct ent_inbox {
	char *folder;
	ent_inbox_settings set, wanted; /* the writer takes what is wanted between two rounds: it reads `set` without the lock */
	uv_loop_t *front;
	uv_async_t *async;
	void (*arrived)(void *ctx, const char *source);
	void *ctx;
	int lock_fd;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool running, stopping, look; /* look: something was committed */
	ent__box **boxes;
	size_t n_boxes, boxes_capacity;
	struct ent__form {
		char *source;
		ent_inbox_form form;
	} *forms;
	size_t n_forms, forms_capacity;
	ent__put *queue, **queue_end;
	ent__put *finished, **finished_end;
	uint64_t queued;
	ent_buf buffer; /* writer */
};

int64_t ent__inbox_now(void);
/* By name; made if `make`. Call with the lock held. */
ent__box *ent__inbox_box(ent_inbox *, const char *source, bool make);

/* inbox_recover.c. While nobody else runs. */
int ent__box_recover(ent_inbox *, ent__box *, ent_error *e);
/* inbox_log.c. Writer. */
void ent__log_name(uint32_t number, char out[24]);
/* Writes the box's batch: every put in it has its outcome afterwards. */
void ent__box_write(ent_inbox *, ent__box *);

/* inbox_keep.c. Seals what is old, deletes what was committed long enough ago, forgets ids. Returns whether there is more to do
 * later. */
bool ent__box_keep(ent_inbox *, ent__box *);
/* Ids of logs that are gone. */
int ent__box_read_ids(ent_inbox *, ent__box *, const char *name, ent_error *e);
/* Bytes that are durable and not committed. Lock held. */
uint64_t ent__box_waiting(const ent__box *);
void ent__box_free(ent__box *);

/* Common to both. Begins a new log; what there is of the cursor goes along. Lines are appended to the buffer. */
int ent__box_begin_log(ent_inbox *, ent__box *, ent__log *log, ent_buf *head, ent_error *e);
/* Writes the bytes to the end of the log that is open, and syncs; takes a new one into the list. On failure nothing of it is
 * left, or the log is given up. */
int ent__box_append(ent_inbox *, ent__box *, ent__log *log, bool fresh, const ent_buf *bytes, ent_error *e);

#endif
