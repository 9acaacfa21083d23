/* SPDX-License-Identifier: Apache-2.0
 *
 * The pool of decoder workers: at most as many as configured, started on demand, one plugin each, several sources in
 * turn. It starts and stops processes, speaks the protocol, and keeps the batches in the rings until they are released.
 * What the batches mean is the business of dispatch.c. Loop thread only. */
#ifndef ENT_ENGINE_POOL_H
#define ENT_ENGINE_POOL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "decode/protocol.h"
#include "entente/plugin.h"

#include <stdbool.h>
#include <uv.h>

typedef struct ent_decoder_info {
	const char *name, *doc, *version, *system;
	uint32_t flags; /* ENT_DECODER_* */
	uint64_t facts;
	uint32_t frame;
	bool splittable;
	const ent_option *options;
	size_t n_columns;
	const char **columns; /* "name|alias|alias" */
	uint8_t *required;
	const struct ent_plugin_info *plugin;
} ent_decoder_info;

typedef struct ent_plugin_info {
	const char *path, *name, *version;
	ent_decoder_info *decoders;
	uint32_t n_decoders;
} ent_plugin_info;

typedef struct ent_pool_settings {
	unsigned workers; /* at once */
	uint32_t slots, slot_bytes; /* of each ring */
	ent_sandbox sandbox;
	uint64_t max_unpacked;
	uint32_t max_ratio;
	uint64_t memory;
	uint64_t deadline_ns; /* without any progress of a worker at work */
	uint8_t identity_key[32], seal_key[32];
	const char *program; /* entente-decoder */
	const char *const *encodings; /* that sources declare; ends with NULL */
	struct ent_spares *spares; /* started ahead, with ent_pool_shared() bytes; NULL: none. Stay the caller's */
} ent_pool_settings;

typedef struct ent_pool ent_pool;
/* Memory that a worker shares with the core. */
size_t ent_pool_shared(const ent_pool_settings *);
typedef struct ent_worker ent_worker;

/* A batch that lies in a ring. */
typedef struct ent_slot_batch {
	uint64_t seq, begin;
	uint32_t slot, slots, bytes;
	bool released;
	struct ent_assignment *assignment;
	struct ent_slot_batch *next; /* of the assignment */
	struct ent_slot_batch *after; /* of the worker, in order of hand-over */
} ent_slot_batch;

typedef struct ent_assignment {
	uint64_t id;
	ent_worker *worker;    /* while it runs or its batches lie in the ring */
	ent_slot_batch *first, *last;
	bool done, failed;     /* exactly one at the end, unless dropped */
	bool dropped;          /* nobody wants it any more: batches are released as they come */
	uint64_t begin, end;   /* asked for; after done: as they really were */
	bool eof;
	uint64_t batches, records, consumed, rejected, skipped, facts, bytes;
	uint64_t waits, waited_ns; /* of the worker, for the core to free slots */
	uint64_t cpu_ns; /* of the worker */
	char notes[128];
	ent_error error;       /* failed: what the decoder said, or how the worker died */
	bool died;             /* failed because its worker did */
	bool unstarted;        /* died before it was begun: another order was at work */
	uint64_t died_at;      /* position it had reached */
	void *owner;           /* of the caller */
} ent_assignment;

/* Codes of the numbers of a worker's dictionary; kept with the worker, filled by whoever reads its batches. */
typedef struct ent_dictionary {
	uint32_t *codes, n, capacity;
} ent_dictionary;
ent_dictionary *ent_pool_dictionary(ent_worker *);

typedef struct ent_pool_events {
	/* One more batch lies ready. Called for every batch, in the order in which the worker wrote them, also for one that is
	 * dropped: its definitions of texts hold for what follows. */
	void (*batch)(void *ctx, ent_assignment *, const ent_slot_batch *);
	void (*finished)(void *ctx, ent_assignment *); /* done or failed */
	void (*log)(void *ctx, const char *plugin, int level, const char *text);
} ent_pool_events;

ent_pool *ent_pool_create(uv_loop_t *, const ent_pool_settings *, const ent_pool_events *, void *ctx);
/* Stops all workers. NULL allowed. */
void ent_pool_destroy(ent_pool *);

/* Loads a plugin in a worker, which describes it: begin starts the process, end runs the loop until it answered, so that
 * many can be loaded side by side. Every begin needs its end. The info lives in `arena`. NULL: *e says why. */
ent_worker *ent_pool_describe_begin(ent_pool *, const char *path, ent_arena *arena, ent_error *e);
int ent_pool_describe_end(ent_worker *, const ent_plugin_info **out, ent_error *e);
/* The same for many in one worker, which then probes them, and decodes nothing: one process in place of n, beside the limit of
 * those that decode. out[i] NULL: errors[i] says why. An error: it died, or cannot be; then ask for each by itself. */
int ent_pool_look(ent_pool *, const char *const *paths, size_t n, ent_arena *arena, const ent_plugin_info **out, ent_error *errors,
	ent_error *e);
/* Nothing will be probed for a while: that worker ends. */
void ent_pool_look_end(ent_pool *);
/* Scores of all decoders of these plugins, one behind the other, for the head of a document; runs the loop until they are
 * there. `why` in `arena`. An error names the plugin that failed. */
int ent_pool_probe(ent_pool *, const ent_plugin_info *const *, size_t n, int fd, const char *name, ent_arena *arena,
	uint32_t *scores, const char **why, ent_error *e);

typedef struct ent_decode_order {
	const ent_decoder_info *decoder;
	uint32_t instance;            /* number of (source, decoder) */
	const ent_buf *options;       /* serialized values */
	const char *const *framing;   /* key, value, key, value, ..., NULL */
	int fd;
	const char *name, *origin;
	ent_time arrived, modified;
	uint64_t begin, end;
	bool exact; /* a record group starts at `begin`, as the end of the range before it said */
	bool enveloped; /* a log of the inbox: records stand behind envelopes */
	uint64_t readable; /* bytes that may be read; 0: all */
	const int *companions; /* open side files, ENT_COMPANIONS_MAX at most */
	unsigned n_companions;
} ent_decode_order;

enum { ENT_POOL_AHEAD = 2 /* orders sent ahead to a worker: it never idles between small documents */ };

/* How many workers there may be at once. */
unsigned ent_pool_limit(const ent_pool *);
/* Does a worker hold this plugin? */
bool ent_pool_holds(const ent_pool *, const ent_plugin_info *);
/* The loop goes on after it stood still: no worker is blamed for the time between. */
void ent_pool_awake(ent_pool *);
/* Is there a worker that could take an order of this decoder now? */
bool ent_pool_ready(const ent_pool *, const ent_decoder_info *);
/* Gives it to a worker. The assignment is from calloc, zeroed but for owner; the caller frees it once it is finished and
 * its batches are released; one that is dropped is freed by the pool. 0, or an error when a worker cannot be started. */
int ent_pool_decode(ent_pool *, const ent_decode_order *, ent_assignment *, ent_error *e);
/* Bytes of a batch in the ring; the worker may still write there: copy before reading. */
const void *ent_pool_bytes(const ent_slot_batch *);
/* Gives its slots back to the worker. */
void ent_pool_release(ent_pool *, ent_slot_batch *);
/* Is the worker's ring nearly full, so that it waits or soon will? */
bool ent_pool_crowded(const ent_assignment *);
/* Drops what is left of an assignment: its batches are released, a running one is let finish, its result is not told. */
void ent_pool_drop(ent_pool *, ent_assignment *);
/* Reports a worker that wrote nonsense: it is killed, its running assignment fails with this error. */
void ent_pool_condemn(ent_pool *, ent_assignment *, const ent_error *e);
/* Watches deadlines; call a few times a second. */
void ent_pool_tick(ent_pool *);
/* For reports: workers alive, started so far, died so far; sandbox level that the last one reached. */
void ent_pool_counts(const ent_pool *, unsigned *alive, unsigned *started, unsigned *died);
const char *ent_pool_sandbox(const ent_pool *);

#endif
