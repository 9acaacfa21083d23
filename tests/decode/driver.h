/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the core towards one entente-decoder: spawns it, speaks decode/protocol.h, frees the slots it has read, and
 * keeps what came. For tests; failures end the test with a message. */
#ifndef ENT_TESTS_DECODE_DRIVER_H
#define ENT_TESTS_DECODE_DRIVER_H

#include "base/buf.h"
#include "decode/protocol.h"
#include "facts/wire.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct driver_doc {
	uint8_t kind, flags;
	uint32_t n_subs;
	uint64_t content, place, subs; /* subs: hash over kinds, keys and contents of the subs */
	char key[256], partner[64];
} driver_doc;

typedef struct driver_reject {
	uint64_t place, line;
	char reason[256], column[128], excerpt[128];
	uint32_t sealed_n;
	uint8_t sealed[5000];
} driver_reject;

typedef struct driver {
	pid_t pid;
	int socket, ring_fd, status; /* status: of waitpid, once dead */
	bool dead;
	uint8_t *ring;
	uint32_t slots, slot_bytes;
	uint64_t assignment;
	char sandbox[128];
	const char *const *encodings;
	char **texts; /* dictionary; texts[0] is empty */
	uint32_t n_texts;
	ent_buf loaded; /* LOADED as it came */
	/* of the last decode */
	driver_doc *docs;
	size_t n_docs, docs_capacity;
	driver_reject *rejects;
	size_t n_rejects, rejects_capacity;
	unsigned covers, slices, cursors, batches;
	uint64_t skips;
	char cursor[256];
	uint64_t records, consumed, rejected, skipped, facts; /* summed over the batches */
	bool torn; /* a batch that makes no sense came; nothing after it was read */
	struct {
		uint64_t begin, end, batches, records, consumed, rejected, skipped, facts, bytes, waits, waited_ns, cpu_ns;
		bool eof;
		char notes[128];
	} done;
	struct {
		uint32_t about;
		int32_t code;
		uint64_t place, line;
		char column[256], what[1024], todo[512];
	} failed;
	char log[1024]; /* all LOG lines */
} driver;

/* What a decode, or several, brought. */
typedef struct driver_outcome {
	driver_doc *docs;
	size_t n_docs, n_rejects;
	uint64_t records, consumed, rejected, skipped, facts, skips;
	unsigned covers, slices;
} driver_outcome;

typedef struct driver_setup {
	uint32_t slots, slot_bytes; /* 0: 8 slots of 64 KiB */
	ent_sandbox sandbox;
	uint64_t max_unpacked, memory;
	uint32_t max_ratio;
	const char *const *encodings; /* that LOAD names; ends with NULL */
	bool old_kernel; /* one that knows no Landlock */
	bool may_fail;   /* HELLO may be answered by FAILED: it is in `failed` */
} driver_setup;

/* Spawns and greets. NULL: no sandbox. */
void driver_start(driver *, const driver_setup *);
/* false: FAILED is in d->failed, or d->dead. */
bool driver_load(driver *, const char *path);
/* framing: key, value, ..., NULL; may be NULL itself. options: how many values (all unset) the decoder wants. */
bool driver_open(driver *, uint32_t instance, const char *decoder, unsigned options, const char *const *framing);
/* The same with values as config/options_wire.h writes them. */
bool driver_open_with(
	driver *, uint32_t instance, const char *decoder, const void *values, size_t n, const char *const *framing);
/* Sends a DECODE, and takes batches until DONE (true), FAILED or death. `companion` -1: none. Documents are appended to
 * those of earlier decodes. */
bool driver_decode(driver *, uint32_t instance, int fd, uint64_t begin, uint64_t end, bool exact, int companion);
void driver_send_decode(driver *, uint32_t instance, int fd, uint64_t begin, uint64_t end, bool exact, int companion);
/* false as well if time is up: then the worker is neither dead nor is `failed` set. */
bool driver_take_decode(driver *, unsigned milliseconds);
void driver_clear(driver *);
/* Copies what the worker has brought since driver_clear(); free(docs) it. */
driver_outcome driver_result(const driver *);
/* Fails the test unless the same has come again. `chunk` is told. */
void driver_same(const driver *, const driver_outcome *, uint64_t chunk);
bool driver_probe(driver *, int fd, uint32_t scores[8], uint32_t *n);
/* STOP, and waits: returns the wait status. Frees everything. */
int driver_finish(driver *);
/* A memory file with this content. */
int driver_file(const void *bytes, size_t n);

#endif
