/* SPDX-License-Identifier: Apache-2.0
 *
 * decode/worker.h: what the files of entente-decoder share. One process, one thread; everything hangs on one
 * ent__worker. */
#ifndef ENT_DECODE_WORKER_H
#define ENT_DECODE_WORKER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/intern.h"
#include "decode/csv.h"
#include "decode/input.h"
#include "decode/protocol.h"
#include "facts/body.h"
#include "facts/wire.h"

#include <sys/types.h>
#include <time.h>

typedef struct ent__worker ent__worker;

/* ---- control.c: the socket ---- */

#define ENT__MAX_FDS 64

typedef struct ent__packet {
	struct ent__packet *next; /* packets that were taken while waiting for room */
	uint32_t type;
	ent_read read; /* behind the type */
	int fds[ENT__MAX_FDS];
	unsigned n_fds;
	size_t n;
	uint8_t data[];
} ent__packet;

/* Waits for a packet. NULL: the core is gone. Owned by the caller. */
ent__packet *ent__control_receive(void);
void ent__packet_destroy(ent__packet *); /* closes descriptors that were not taken (fds[i] >= 0) */
/* Sends, or ends the process if the core is gone. */
void ent__control_send(const ent_buf *);
/* A new message in `b`: empties it, writes the type. */
void ent__message(ent_buf *b, ent_msg type);
void ent__send_failed(ent_msg about, uint64_t tag, const ent_fault *);
void ent__send_log(int level, const char *text);

/* ---- ring.c: the shared ring ---- */

typedef struct ent__ring {
	ent_ring_head *head;
	uint8_t *slots_at;
	uint32_t slots, slot_bytes;
	uint32_t next; /* the slot to write next */
	struct ent__span {
		uint32_t first, n;
	} * handed; /* handed over and not yet free, oldest first; a queue of `slots` entries */
	uint32_t handed_first, handed_n;
} ent__ring;

int ent__ring_open(ent__ring *, uint32_t slots, uint32_t slot_bytes, ent_error *);
void ent__ring_free(ent__ring *, uint32_t slots);
/* Room of n slots next to one another, or NULL: not now. */
uint8_t *ent__ring_room(ent__ring *, uint32_t n);
/* The slots of the last ent__ring_room are handed over. Returns the first. */
uint32_t ent__ring_hand_over(ent__ring *, uint32_t n);

/* ---- batch.c: facts to items ---- */

#define ENT__CANON_HEAD 3u /* words for what comes before the body, see batch.c */
#define ENT__CANON_MAX 144u

/* Body and canonical form of a fact; what is taken back has neither. */
typedef struct ent__body {
	union {
		ent_wire_order order;
		ent_wire_line line;
		ent_wire_refund refund;
		ent_wire_cart cart;
		ent_wire_visit visit;
		ent_wire_touch touch;
		ent_wire_contact contact;
		ent_wire_observation observation;
		ent_wire_entry entry;
	} fields;
	uint32_t pairs[128]; /* ENTRY */
	ent_id ids[ENT_BODY_IDS];
	unsigned n_ids;
	unsigned canon_n; /* words, with the first ENT__CANON_HEAD */
	uint8_t *plain;   /* in `canon`, behind the words */
	size_t plain_n;
	uint64_t canon[ENT__CANON_MAX + ENT_BODY_MAX / 8];
} ent__body;

#define ENT__SKIP_REASONS 64
#define ENT__RECENT 8192u
#define ENT__MEMO_MAX 48u

typedef struct ent__batch {
	ent__worker *worker;
	uint8_t *at; /* start of the batch in the ring; NULL: none begun */
	uint32_t n, limit, slots, items, n_texts;
	uint64_t assignment, seq;
	uint64_t begin;                              /* goes with every batch, see ENT_MSG_BATCH */
	uint64_t consumed, rejected, skipped, facts; /* of this batch */
	uint64_t all_consumed, all_rejected, all_skipped, all_facts;
	uint64_t owed_rejected, owed_skipped; /* verdicts that changed after they were sent as consumed */
	ent_intern texts;
	struct ent__memo { /* a text of at most ENT__MEMO_MAX bytes that was seen; one cache line */
		uint64_t hash;
		uint32_t n, code; /* n 0: none */
		char text[ENT__MEMO_MAX];
	} * recent,    /* ENT__RECENT, by a cheap hash: large, for two texts at one place oust each other all the time */
		*memo[48]; /* by field: the last one, in `recent`, for most rows repeat it */
	struct {
		const char *why;
		uint32_t code;
		uint64_t count;
	} skips[ENT__SKIP_REASONS];
	unsigned n_skips;
	ent__body body; /* of the fact in hand */
	ent_buf single; /* a document that is no order */
	/* the order that is being gathered */
	ent_buf doc;
	bool open, has_head, complete;
	bool bad_text; /* of the fact in hand: one that cannot be taken */
	uint64_t partner_hash, doc_facts;
	uint64_t last_place; /* of its last part */
	const char *lost; /* an order that was closed and refused; the host reads and clears it */
	uint64_t lost_place;
	uint64_t place, opened; /* in the text, of the fact in hand and of the open order: verdicts go by them */
	uint32_t order_key_n;
	char order_key[ENT_KEY_MAX + 1];
	uint64_t line_hash[256]; /* of keys of lines of one byte; 0: not known */
} ent__batch;

void ent__batch_init(ent__batch *, ent__worker *);
void ent__batch_finish(ent__batch *);
/* `begin`: where the range begins, as far as is known yet (b->begin). */
void ent__batch_start(ent__batch *, uint64_t assignment, uint64_t begin);
/* Closes the open order and hands over what is there. False: stopping. */
bool ent__batch_end(ent__batch *);
/* After a failure: hands over what there is all the same, for it may define texts that later batches use. */
void ent__batch_abandon(ent__batch *);
/* Room for one item of `bytes` (multiple of 8). NULL: stopping, or larger than the ring (*too_large). */
void *ent__batch_item(ent__batch *, ent_item_type, size_t bytes, bool *too_large);
/* Number and hash of a text. `field` below 48 is its memo. */
uint32_t ent__batch_text(ent__batch *, unsigned field, ent_str, uint64_t *hash);
/* Writes one fact. NULL, or why it was refused. */
const char *ent__batch_fact(ent__batch *, ent_fact, const void *fact);
/* Closes the open order. If it cannot be handed over `lost` says why, and lost_place of which record it is. */
void ent__batch_close(ent__batch *);
void ent__batch_skip_reason(ent__batch *, const char *why);
void ent__batch_consumed(ent__batch *, uint64_t n);
/* Records that were counted as consumed turn out to be rejected or skipped. */
void ent__batch_rejected_late(ent__batch *);
void ent__batch_skipped_late(ent__batch *);

/* ---- fact.c: what a fact must hold, and its body ---- */

size_t ent__fact_size(ent_fact); /* of the struct in plugin.h; 0: no such kind */
/* Is the time of a known kind, and does it fit ent_wire_time? Absent ones only if they are not required. */
bool ent__time_ok(ent_time, bool required);
/* NULL, or why the fact is refused. Does not write anything. */
const char *ent__fact_check(ent_fact, const void *fact);
/* The body of a fact that passed the check. */
void ent__fact_body(ent__batch *, ent_fact, const void *fact, ent__body *);

/* ---- verdict.c: one verdict for each record ---- */

enum { ENT__VERDICT_FACT = 1, ENT__VERDICT_SKIP = 2, ENT__VERDICT_REJECT = 4 };

typedef struct ent__places { /* places and what was said about them */
	uint64_t *keys;          /* place + 1 */
	uint8_t *bits;
	size_t n, capacity;
} ent__places;

void ent__places_clear(ent__places *);
void ent__places_finish(ent__places *);
/* Adds bits; returns those that were there before. */
uint8_t ent__places_add(ent__places *, uint64_t place, uint8_t bits);

/* ---- run.c: one DECODE ---- */

#define ENT__STEP (64u << 10)

typedef enum ent__phase { ENT__PHASE_NONE, ENT__PHASE_BEGIN, ENT__PHASE_RUN, ENT__PHASE_END } ent__phase;

typedef struct ent__run {
	ent__phase phase;
	ent_frame frame;
	bool first;  /* this part of the document is its beginning */
	bool failed; /* host->error() was called: `fault` */
	ent_fault fault;
	/* DELIMITED: the row in hand */
	bool in_row, row_rejected, row_skipped, row_has_facts;
	uint64_t row_place, row_line;
	ent_csv *csv;
	const ent_row *row;
	/* the others: the piece in hand */
	ent_str piece;
	uint64_t piece_place; /* in the text: the document, where that was not converted */
	struct ent__shift {   /* what was fed from byte `fed` on is at `place`, `place` + 1, ... of the text */
		uint64_t fed, place, source; /* source: where in the document the first byte of it is */
	} * shifts;
	size_t n_shifts, shifts_capacity;
	uint64_t fed;        /* bytes given to feed() since begin() */
	const ent_text *text; /* JSONL, DOCUMENT: it was converted, so that places of it are not those of the document */
	uint64_t *steps;     /* DOCUMENT: of it, offsets in the document of each ENT__STEP bytes of text */
	size_t n_steps, steps_capacity;
	uint64_t last_fact;  /* place */
	ent__places seen;    /* of the piece in hand (JSONL) or the whole document (DOCUMENT, BYTES) */
	ent__places late;    /* places that already got a verdict other than consumed */
	uint64_t log_window; /* rate limit of log() */
	unsigned log_count;
} ent__run;

struct ent_ctx {
	ent__worker *worker;
	uint32_t number;
	const ent_decoder *decoder;
	void *self;
	ent_arena arena; /* option values */
	ent_csv_options framing;
	const ent_column *columns;
	ent__run run;
	struct ent_ctx *next;
};

/* One ENT_MSG_DECODE, ENT_MSG_PROBE: reads the packet, answers. */
void ent__decode(ent__worker *, ent__packet *);
void ent__probe(ent__worker *, ent__packet *);

/* ---- frames.c: how each frame hands a range of a document to the plugin ---- */

typedef struct ent__range {
	uint64_t begin, end; /* asked for */
	bool exact, enveloped;
	uint64_t real_begin, real_end;
	bool eof;
	ent_doc *doc;
	char notes[64];
} ent__range;

/* ENT_OK, or a negative status with run.fault set. */
int ent__frame_rows(ent_ctx *, ent_input *, ent__range *);
int ent__frame_lines(ent_ctx *, ent_input *, ent__range *);
int ent__frame_document(ent_ctx *, ent_input *, ent__range *);
int ent__frame_bytes(ent_ctx *, ent_input *, ent__range *);

/* ---- host.c ---- */

extern const ent_host ent__host;

/* Where in the document the place is that a plugin names: of all frames but DELIMITED it counts what it was fed. */
uint64_t ent__real_place(const ent_ctx *, uint64_t place);

/* Puts a reject of a record into the batch. `column` may be NULL. */
void ent__reject(ent_ctx *, uint64_t place, const char *column, ent_str excerpt, const char *why);
/* Says that the record at this place is rejected, skipped, or brought a fact. */
void ent__verdict(ent_ctx *, uint64_t place, uint8_t bits);
/* Offset in the document of a place of the text: what is reported, and kept with facts. */
uint64_t ent__source_place(const ent_ctx *, uint64_t place);
/* The row in hand is done. */
void ent__verdict_row(ent_ctx *);
void ent__verdict_lines(ent_ctx *, uint64_t lines);
void ent__verdict_document(ent_ctx *);

/* ---- identity.c ---- */

typedef struct ent__identity {
	uint8_t key[3][16]; /* customers, visitors, agents */
	struct {
		char text[120];
		size_t n;
		ent_id id;
	} memo[5]; /* by kind: rows of one order repeat it */
} ent__identity;

void ent__identity_init(ent__identity *, const uint8_t key[32]);
ent_id ent__identity_of(ent__identity *, ent_id_kind, ent_str);

/* ---- loader.c ---- */

/* The real path of a plugin, to be freed, if owner and mode of the file and its folders are good; else NULL. */
int ent__plugin_find(const char *given, char **path, ent_error *);
/* Loads it, for good. Between the two, ENT__STAGE_LOADING is entered. */
int ent__plugin_open(const char *path, const ent_plugin **, ent_error *);
int ent__plugin_describe(const ent_plugin *, ent_buf *, ent_error *);

/* ---- sandbox.c ---- */

typedef enum ent__sandbox_stage {
	ENT__STAGE_STARTED, /* no network, no processes, no writing */
	ENT__STAGE_LOADING, /* files of a plugin and its libraries can be read, nothing else: constructors are plugin code */
	ENT__STAGE_WORKING  /* no file but those that were handed over, no code but what was loaded */
} ent__sandbox_stage;

/* Takes rights away; they never come back. To be entered in this order. `plugins`: paths, and NULL; LOADING only. `level` says what was
 * reached. Fails only if `mode` is REQUIRED. */
int ent__sandbox_enter(
	ent__sandbox_stage, ent_sandbox mode, const char *const *plugins, char *level, size_t size, ent_error *);
/* Secrets of the service may stand in it, which the core takes from there: they are wiped, but for what libraries read. */
void ent__sandbox_forget_environment(void);
void ent__limits(uint64_t memory);

/* ---- the worker ---- */

struct ent__worker {
	bool greeted, stopping;
	ent_error refused; /* why HELLO failed */
	ent_sandbox sandbox;
	char level[96]; /* of it, as READY said last */
	uint64_t max_unpacked;
	uint32_t max_ratio;
	uint8_t seal_key[32];
	ent__identity identity;
	ent__ring ring;
	ent__batch batch;
	ent__packet *waiting, **waiting_end; /* taken from the socket while waiting for room */
	uint64_t waits, waited_ns;           /* for room, while decoding this range */
	uint64_t cpu_ns;                     /* processor time of this process when the range was begun */
	bool loaded;                             /* LOAD came */
	const ent_plugin *plugin;                /* the only one: NULL if it is none, or one of several */
	const ent_plugin *plugins[ENT_LOAD_MAX]; /* all that were loaded */
	uint32_t n_plugins;
	ent_ctx *instances;
	void **encodings; /* of the C library, held open: see base/encoding.h */
	unsigned n_encodings;
};

uint64_t ent__clock_ns(clockid_t);

/* Takes packets until there is room for n slots. NULL: stopping. */
uint8_t *ent__worker_room(ent__worker *, uint32_t n);

static inline void ent__progress(ent__worker *w, uint64_t position) {
	ent_ring_head *h = w->ring.head;
	atomic_store_explicit(&h->position, position, memory_order_relaxed);
	atomic_store_explicit(&h->beat, atomic_load_explicit(&h->beat, memory_order_relaxed) + 1, memory_order_relaxed);
}

#endif
