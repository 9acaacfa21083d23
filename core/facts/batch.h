/* SPDX-License-Identifier: Apache-2.0
 *
 * Checked reading of a batch from a decoder worker. Each item is copied before it is looked at (the worker may go on
 * writing into its ring), every length and number is checked against what it must fit, and nonsense ends in ENT_ERR_WORKER with the
 * offset in the batch: the worker is then killed and the position it had reached is reported. */
#ifndef ENT_FACTS_BATCH_H
#define ENT_FACTS_BATCH_H

#include "base/error.h"
#include "facts/document.h"
#include "facts/wire.h"

typedef struct ent_batch {
	const uint8_t *data; /* may change while we read: every byte is loaded once, into `head` or `own` */
	ent_buf *own;
	uint32_t bytes, at;
	uint32_t items;     /* seen so far */
	uint64_t facts;     /* seen so far */
	uint64_t rejects;   /* seen so far */
	uint64_t texts;     /* seen so far */
	ent_wire_batch head;
} ent_batch;

/* Copies the head and checks it. `data` stays the caller's, and so does `own`, which takes the copies of the items: one
 * after another, so that what is worked on lies in the nearest cache. */
int ent_batch_open(
	ent_batch *, const void *data, size_t n, uint64_t assignment, uint64_t seq, ent_buf *own, ent_error *e);
/* The next item, valid until the one after it, or NULL at the end (then *e is untouched) or on nonsense (then e->code is set). */
const ent_wire_item *ent_batch_next(ent_batch *, ent_error *e);
/* After the last item: do the counts of the head agree with what was seen? */
int ent_batch_close(const ent_batch *, ent_error *e);

/* Reads an ENT_ITEM_DOC item into a document, without system, scope, origin and rank times, which are the core's to
 * know. `codes[n_codes]` maps the worker's dictionary to codes. Identities stay raw. rank.updated
 * holds the packed ent_wire_time of the version, for the core to place in its zone. Keys are borrowed from the batch. */
int ent_batch_document(const ent_wire_item *, const uint32_t *codes, uint32_t n_codes, ent_document *out, ent_error *e);

/* Checked readers of the other items; texts are borrowed. */
int ent_batch_text(const ent_wire_item *, ent_str *text, ent_error *e);
int ent_batch_reject(const ent_wire_item *, const ent_wire_reject **head, ent_str *reason, ent_str *column,
	ent_str *excerpt, ent_str *sealed, ent_error *e);
int ent_batch_covers(const ent_wire_item *, const ent_wire_covers **head, ent_error *e);
int ent_batch_slice(const ent_wire_item *, int32_t *grade, ent_str *name, ent_error *e);

#endif
