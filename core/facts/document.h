/* SPDX-License-Identifier: Apache-2.0
 *
 * The document: the unit of the ledger. An order's document holds its header, its lines and its refunds, whichever files
 * they came from; every other kind has a document for each key. This file has its form in memory, its stored form in the
 * log, and the rules by which documents join.
 *
 * Joining is a join of a semilattice for everything but visits (the result does not depend on order or repetition):
 * for each item the highest rank stays, ranks being (updated_at, snapshot time, content hash); an order whose lines are
 * complete drops lines of lower rank. Visits add up part by part; a part is named by its input, and the engine sees to
 * it that every byte of an input is folded once.
 *
 * Bodies are the structs of facts/wire.h with texts replaced by the store's codes, and an identity replaced by its
 * dense number + 1 in the first four bytes (ent_dense). One thread; owned by the caller. */
#ifndef ENT_FACTS_DOCUMENT_H
#define ENT_FACTS_DOCUMENT_H

#include "base/buf.h"
#include "facts/wire.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct ent_rank {
	int64_t updated;  /* microseconds; the snapshot time where the fact has no version of its own */
	int64_t snapshot; /* of the input */
	uint64_t content;
} ent_rank;

int ent_rank_compare(const ent_rank *, const ent_rank *);

typedef struct ent_item {
	uint8_t kind;   /* ent_fact */
	uint8_t flags;  /* ENT_DOC_* */
	uint16_t key_n; /* of a line or refund; 0 for the head */
	uint32_t partner; /* code; 0: none of its own */
	uint32_t source, input; /* code; id */
	const char *key;  /* borrowed from the batch or the frame that the document was read from */
	const uint8_t *plain; /* borrowed as the key: the plain part of the body as it was read, see facts/body.h ... */
	uint32_t plain_n;     /* ... 0: not known, or the body was changed since */
	bool padded;          /* 32 bytes behind key and plain part can be read, whatever stands there */
	uint64_t has, place;
	int64_t arrival;  /* microseconds */
	ent_rank rank;
	union ent_body {
		ent_wire_order order;
		ent_wire_line line;
		ent_wire_refund refund;
		ent_wire_cart cart;
		ent_wire_visit visit;
		ent_wire_touch touch;
		ent_wire_contact contact;
		ent_wire_observation observation;
		ent_wire_entry entry;
	} body;
	const uint32_t *pairs; /* entry: body.entry.n pairs of codes; borrowed */
} ent_item;

typedef struct ent_document {
	uint32_t system;   /* code */
	uint32_t scope;    /* partner code; 0 where keys are shared by all partners of the system */
	uint8_t kind;
	uint8_t origin;    /* ent_origin */
	bool superseded;   /* kept for lineage only ... */
	int64_t until;     /* ... and counted until then (microseconds); 0: never, it lost when it arrived */
	bool has_complete; /* order: */
	ent_rank complete; /* the highest rank at which all lines were given */
	uint16_t key_n;
	const char *key;
	uint64_t key_hash; /* ent_hash64(key, key_n, kind) */
	ent_item *items;
	uint32_t n, capacity;
	struct ent__pairs *pairs; /* memory of the pairs of decoded entries */
} ent_document;

void ent_document_finish(ent_document *);
void ent_document_clear(ent_document *);
ent_item *ent_document_add(ent_document *); /* zeroed; valid until the next add */
/* As add, but the body is left as it is: for ent_body_take. */
ent_item *ent_document_add_raw(ent_document *);
/* Room for n pairs of codes, owned by the document. */
uint32_t *ent_document_pairs(ent_document *, uint32_t n);
/* The head (kind of the document), or NULL while it is pending. */
const ent_item *ent_document_head(const ent_document *);
/* Key of the index: over key_hash, system, scope. */
uint64_t ent_document_index_key(const ent_document *);
bool ent_document_same_key(const ent_document *, const ent_document *);
/* Hash of what the document says; 0 for one without items. */
uint64_t ent_document_content(const ent_document *);

/* Appends the stored form. */
void ent_document_encode(const ent_document *, ent_buf *out);
/* The same into memory of the caller, who has as many bytes as `bound` says: it is more than will be used. Returns the end. */
size_t ent_document_bound(const ent_document *);
uint8_t *ent_document_put(const ent_document *, uint8_t *to);
/* Reads it; keys and pairs are borrowed from `body`. false: damaged. */
bool ent_document_decode(ent_document *, const uint8_t *body, size_t n);
/* Reads what stands before the items: enough for the key. *items: how many would follow. */
bool ent_document_decode_head(ent_document *, const uint8_t *body, size_t n, uint64_t *items);
/* Appends the stored form of a document that counted until then, for lineage. One that is superseded stays as it is. */
void ent_document_supersede(const uint8_t *body, size_t n, int64_t until, ent_buf *out);

typedef struct ent_join {
	uint32_t stored, replaced, duplicate, superseded, merged; /* items of `from`, each once */
	bool changed; /* what the document says */
	bool raised;  /* only ranks and lineage */
	bool lost;    /* an item of `from` leaves no trace in `into`: it lost by rank, or another input tells the same */
} ent_join;

/* Brings the items into their order (head, then lines and refunds by key, parts of a visit by input) and settles items of
 * one key, counting them in *result. What a worker sent has to go through it once; decoded documents are in order. */
void ent_document_normalize(ent_document *, ent_join *result);
/* Joins `from` into `into` (same key, both normalized). Items of `from` are copied; their keys stay borrowed. */
ent_join ent_document_join(ent_document *into, const ent_document *from);
/* Drops the items of inputs for which `dead` says true. Returns how many went. */
uint32_t ent_document_drop_inputs(ent_document *, bool (*dead)(void *ctx, uint32_t input), void *ctx);

static inline uint32_t ent_dense(const ent_id *id) {
	uint32_t v;
	memcpy(&v, id->b, 4);
	return v;
}

/* ---- fields of the bodies, for everything that must treat them alike ------------------------------------------------ */

typedef enum ent_field_type { ENT_FIELD_TIME, ENT_FIELD_I64, ENT_FIELD_ID, ENT_FIELD_CODE, ENT_FIELD_U32, ENT_FIELD_U8,
	ENT_FIELD_CURRENCY } ent_field_type;

typedef struct ent_field {
	const char *name;
	uint16_t offset;
	uint8_t type;
} ent_field;

/* Fields of a kind; ends with name NULL. */
const ent_field *ent_fact_fields(unsigned kind);
size_t ent_fact_body_size(unsigned kind);
/* Offsets of a kind's identities; ends with UINT16_MAX. */
const uint16_t *ent_fact_ids(unsigned kind);
const char *ent_fact_name(unsigned kind);

#endif
