/* SPDX-License-Identifier: Apache-2.0
 *
 * The inbox: what arrives over the network or a pipe becomes a file first, and whoever sent it hears of it when it is durable.
 *
 * FOLDER/SOURCE/NNNNNNNN.log holds lines that grow, each behind an envelope of fixed width (base/envelope.h;
 * docs/store.md). FOLDER/SOURCE/NNNNNNNN-NNNNNN.doc* is a document of its own, for decoders that want a whole one. A thread of
 * the inbox writes: whatever came meanwhile is one write and one fdatasync for each log. The ingest reads logs as files that
 * grow, and tells what it has committed; a log of which all is committed is deleted after a while.
 *
 * Opened with a loop, everything runs: the owner is that loop's thread ("front"). Opened without one there is no thread and
 * nothing can be put: a run that reads what a service left behind. One process has an inbox open at a time (FOLDER/lock). */
#ifndef ENT_TRANSPORT_INBOX_H
#define ENT_TRANSPORT_INBOX_H

#include "base/error.h"
#include "config/config.h"
#include "entente/plugin.h" /* ent_str */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define ENT_INBOX_REPEATED 1  /* outcome: this id came before, and what came with it is durable */

typedef struct ent_inbox ent_inbox;

typedef ent_inbox_config ent_inbox_settings;

typedef enum ent_inbox_form {
	ENT_INBOX_LINES,    /* records: the source's decoder reads JSON lines */
	ENT_INBOX_DOCUMENTS /* documents of their own: any other decoder, and `decode: auto` */
} ent_inbox_form;

/* What is given is copied. Exactly one of records, lines, document, or none (a cursor alone). All of an item becomes durable
 * together, and the ingest never stops within it. */
typedef struct ent_inbox_item {
	const char *source;
	const ent_str *records;  /* each is one record, of any form: a newline becomes a space (within a string of JSON it is an
	                            error anyhow, which the decoder says) */
	size_t n_records;
	const ent_str *lines;    /* text that has lines: each one that is not blank is a record */
	const ent_str *document;
	const char *suffix;      /* of the document's name: ".csv", ".csv.gz"; NULL none */
	const char *id;          /* of the delivery: it counts once; NULL none */
	size_t id_n;
	const char *cursor;      /* where the transport stands behind this item, any text; NULL: as before */
} ent_inbox_item;

/* `outcome`: 0 durable, ENT_INBOX_REPEATED, or negative: nothing of it is kept, `e` says why. ENT_ERR_BUSY: too much waits
 * already, come again later; ENT_ERR_IO: the disk is full or fails; ENT_ERR_STOPPED: the inbox is being closed. */
typedef void ent_inbox_done(void *ctx, int outcome, const ent_error *e);

/* Makes the folder, takes its lock (ENT_ERR_BUSY: another process has it), cuts off what a crash left torn, reads ids and
 * cursors. `arrived` is called on the loop after something of that source became durable; NULL allowed. `front` NULL: to read
 * only. `settings` NULL: as the configuration presets them. */
int ent_inbox_open(ent_inbox **out, uv_loop_t *front, const char *folder, const ent_inbox_settings *settings,
	void (*arrived)(void *ctx, const char *source), void *ctx, ent_error *e);
/* Front. Other settings, from the next item on: of another generation of the configuration. */
void ent_inbox_configure(ent_inbox *, const ent_inbox_settings *);
/* Front. Writes what waits, calls every `done` that is still owed, ends the thread. The loop must turn once more afterwards.
 * NULL allowed. */
void ent_inbox_close(ent_inbox *);

/* Front. `done` is called exactly once, on the loop, never from within the call; NULL allowed. */
void ent_inbox_put(ent_inbox *, const ent_inbox_item *, ent_inbox_done *done, void *ctx);

/* Front. Where the transport of the source stood at its last durable item that had a cursor; NULL: nowhere yet. Valid until
 * the loop turns. */
const char *ent_inbox_cursor(ent_inbox *, const char *source);

/* Any thread. In which form the items of a source are wanted. DOCUMENTS unless it was set: every decoder can
 * read those. */
void ent_inbox_form_set(ent_inbox *, const char *source, ent_inbox_form);
ent_inbox_form ent_inbox_form_of(ent_inbox *, const char *source);
/* Has it been set? The engine's thread does so once it has asked the plugins: until then who can wait should. */
bool ent_inbox_form_known(ent_inbox *, const char *source);

typedef struct ent_inbox_status {
	uint64_t waiting;        /* bytes that are durable and not committed yet */
	uint64_t in_memory;      /* bytes that wait for the disk */
	uint64_t items, records; /* made durable since the inbox was opened; a document is one record */
	uint64_t bytes;          /* of those */
	uint64_t repeated;       /* deliveries whose id was known */
	uint64_t refused;        /* because too much waited */
	uint64_t failed;         /* because the disk was full or failed */
	uint64_t syncs;          /* fdatasync of logs */
	int64_t last_us;         /* when the last item arrived; 0 never */
} ent_inbox_status;
/* Any thread. `source` NULL: of all together. */
void ent_inbox_status_of(ent_inbox *, const char *source, ent_inbox_status *out);
/* Any thread: .waiting of it. */
uint64_t ent_inbox_waiting(ent_inbox *, const char *source);

/* ---- for the ingest, any thread ------------------------------------------------------------------------------------------- */

typedef struct ent_inbox_file {
	char *path;
	char name[64];      /* as the input is called: ".inbox/NNNNNNNN.log"; no file of a folder can have such a name */
	bool log;           /* lines behind envelopes; else a document of its own */
	uint64_t size;      /* what is durable of it: nobody may read further */
	uint64_t identity;  /* says whether two files of one name are the same one, also after it grew, was copied or restored */
	int64_t arrived_us; /* of its first item */
} ent_inbox_file;

/* Files of a source that hold records, oldest first; to be freed with ent_inbox_files_free. */
void ent_inbox_files(ent_inbox *, const char *source, ent_inbox_file **out, size_t *n);
void ent_inbox_files_free(ent_inbox_file *, size_t n);
/* Names of the sources that have a folder here, in order; each and the list to be freed. */
size_t ent_inbox_sources(ent_inbox *, char ***out);
/* All of the file before `position` is committed. */
void ent_inbox_consumed(ent_inbox *, const char *source, const char *name, uint64_t position);

#endif
