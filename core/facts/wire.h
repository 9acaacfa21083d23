/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout of a batch of facts, as a decoder worker writes it into its ring and the core reads it. Both sides run on one
 * machine: native byte order, natural alignment, every item a multiple of 8 bytes. The reader trusts nothing: it loads
 * every length, count and code once into a local and checks it (facts/batch.h).
 *
 * A batch is an ent_wire_batch, then items one after another, each starting with an ent_wire_item. Strings of low
 * variety (channel, country, sku, ...) are numbers of the worker's own dictionary, defined by an ENT_ITEM_TEXT item
 * before their first use and valid for the life of the worker; 0 is "absent". Keys are bytes in the item.
 *
 * Documents. The unit of the ledger is the document. For orders it is the header, its lines and its refunds under one
 * key (the order's): the worker gathers what belongs together and is adjacent into one ENT_ITEM_DOC with sub-items.
 * Every other kind is a document of one head and no subs. */
#ifndef ENT_FACTS_WIRE_H
#define ENT_FACTS_WIRE_H

#include "entente/plugin.h"

#include <stdint.h>

#define ENT_WIRE_MAGIC 0x54414245u /* "EBAT" */
#define ENT_WIRE_VERSION 2u
#define ENT_KEY_MAX 255u           /* bytes of a key */
#define ENT_TEXT_MAX 4096u         /* bytes of a dictionary text; longer ones are cut by the worker at a character */

typedef struct ent_wire_batch {
	uint32_t magic, version;
	uint64_t assignment; /* which ENT_MSG_DECODE this belongs to */
	uint64_t seq;        /* 0, 1, 2, ... within the assignment: a gap is a lost batch */
	uint32_t bytes;      /* of the whole batch, this head included */
	uint32_t items;
	uint64_t records;    /* records of the source that got their verdict in this batch ... */
	uint64_t consumed, rejected, skipped; /* ... and which; records is their sum */
	uint64_t facts;      /* facts in this batch: heads and subs of documents */
	uint64_t texts;      /* texts that it defines */
} ent_wire_batch;

typedef enum ent_item_type {
	ENT_ITEM_TEXT = 1, /* ent_wire_text */
	ENT_ITEM_DOC,      /* ent_wire_doc */
	ENT_ITEM_REJECT,   /* ent_wire_reject */
	ENT_ITEM_COVERS,   /* ent_wire_covers */
	ENT_ITEM_SLICE,    /* ent_wire_slice */
	ENT_ITEM_CURSOR,   /* ent_wire_cursor */
	ENT_ITEM_SKIPS     /* ent_wire_skips */
} ent_item_type;

typedef struct ent_wire_item {
	uint32_t bytes; /* of the item with all that belongs to it; multiple of 8 */
	uint32_t type;  /* ent_item_type */
} ent_wire_item;

/* Defines dictionary number `code` (1, 2, 3, ... in order). `n` bytes of UTF-8 follow. */
typedef struct ent_wire_text {
	ent_wire_item item;
	uint32_t code, n;
} ent_wire_text;

/* A time in 64 bits: kind in bits 0-2, offset in quarter hours + 128 in bits 3-10 (0: none), value in bits 11-63,
 * signed: microseconds reach from 1827 to 2112. */
typedef uint64_t ent_wire_time;

static inline ent_wire_time ent_wire_time_pack(ent_time t) {
	uint64_t quarter = t.offset_min == ENT_NO_OFFSET || t.kind != ENT_TIME_INSTANT
		? 0
		: (uint64_t)(t.offset_min / 15 + 128) & 0xff;
	return (uint64_t)t.v << 11 | quarter << 3 | (t.kind & 7u);
}

static inline ent_time ent_wire_time_unpack(ent_wire_time w) {
	ent_time t = {.v = (int64_t)w >> 11, .offset_min = ENT_NO_OFFSET, .kind = (uint8_t)(w & 7)};
	uint64_t quarter = w >> 3 & 0xff;
	if (quarter) {
		t.offset_min = (int16_t)(((int)quarter - 128) * 15);
	}
	return t;
}

enum { /* of a document, and of its parts */
	ENT_DOC_HEAD = 1 << 0,           /* a body of `kind` follows the key */
	ENT_DOC_LINES_COMPLETE = 1 << 1, /* the lines here are all lines of the order */
	ENT_DOC_RETRACT = 1 << 2,        /* the source says that the key is gone; no body, no subs */
	ENT_DOC_SAME_RANK = 1 << 3       /* of a sub: content and version are those of the document */
};

/* Then: n_ids identities of the head's body, in the order of its fields, where the core can ask for what they lead to
 * long before it reads the rest; key_n bytes of key; with ENT_DOC_HEAD the body of the kind as facts/body.h writes it,
 * with the worker's numbers of texts and without identities, and for an entry its pairs of numbers as varints;
 * then n_subs parts (ENT_ORDER only): kind, flags and key_n, a byte each; number of the partner, varint; the key; content and version,
 * 8 bytes each, without ENT_DOC_SAME_RANK; place as a difference to that of the part before (the first: of the
 * document), zigzag varint; without ENT_DOC_RETRACT the body. Zeros up to a multiple of 8.
 *
 * `content` leaves out place and version: equal content, equal hash, on every machine. It covers kind, flags, partner
 * text, key, body and subs, with texts by value. Without ENT_DOC_HEAD and ENT_DOC_RETRACT there are only subs. */
typedef struct ent_wire_doc {
	ent_wire_item item;
	uint8_t kind; /* ent_fact; lines and refunds travel in documents of kind ENT_ORDER */
	uint8_t flags;
	uint8_t key_n, n_ids;
	uint32_t n_subs;
	uint32_t partner; /* dictionary number, 0: the source decides */
	uint32_t reserved;
	uint64_t key_hash; /* ent_hash64(key, key_n, kind) */
	uint64_t content;
	uint64_t place;
	ent_wire_time version;
} ent_wire_doc;

/* The bodies in memory, on both sides of the ring. */

typedef struct ent_wire_order {
	ent_wire_time at, paid_at, cancelled_at, shipped_at, promised_at, delivered_at;
	int64_t gross, discount, shipping, tax, total, refunded, due;
	ent_id customer, agent;
	char currency[4];
	uint8_t status, tax_included, reserved[2];
	uint32_t channel, country, region, campaign, payment, customer_kind;
} ent_wire_order;

typedef struct ent_wire_line {
	int64_t quantity, unit_price, gross, discount, net, shipping, tax, cost;
	uint32_t parent, sku, product, name, category, vendor;
	char currency[4];
	uint32_t reserved;
} ent_wire_line;

typedef struct ent_wire_refund {
	ent_wire_time at;
	int64_t amount, quantity;
	uint32_t line, reason;
	char currency[4];
	uint8_t kind, reserved[3];
} ent_wire_refund;

typedef struct ent_wire_cart {
	ent_wire_time started_at, updated_at, recovered_at;
	ent_id visitor;
	int64_t value;
	uint32_t order_key, step, content_hash, channel;
	char currency[4];
	uint32_t items;
} ent_wire_cart;

typedef struct ent_wire_visit {
	ent_wire_time at, until, day;
	ent_id visitor;
	int64_t engaged_us;
	uint32_t steps, pageviews, purchases, load_ms, loads;
	uint32_t channel, source, campaign, country, device, landing;
	uint8_t consent, engaged, is_new, reserved[5];
} ent_wire_visit;

typedef struct ent_wire_touch {
	ent_wire_time at;
	ent_id visitor;
	int64_t cost;
	uint32_t order_key, channel, source, campaign;
	char currency[4];
	uint32_t reserved;
} ent_wire_touch;

typedef struct ent_wire_contact {
	ent_wire_time at, answered_at;
	uint32_t kind, with, subject, minutes;
	uint8_t held, direction, reserved[6];
} ent_wire_contact;

typedef struct ent_wire_observation {
	ent_wire_time from, to;
	int64_t value;
	uint32_t metric, dims, unit, who;
	char currency[4];
	uint8_t origin, scale, grade, additive;
} ent_wire_observation;

/* Has n pairs beside it: numbers of name and value. */
typedef struct ent_wire_entry {
	ent_wire_time effective;
	uint32_t reg, id, state, actor, n, reserved;
} ent_wire_entry;

/* Followed by reason, column, excerpt and sealed bytes one after another, padded to 8 at the end. `hash` is of the
 * record's bytes; `line` 0 where it is not known. */
typedef struct ent_wire_reject {
	ent_wire_item item;
	uint64_t place, line, hash;
	uint32_t reason_n, column_n, excerpt_n, sealed_n;
} ent_wire_reject;

typedef struct ent_wire_covers {
	ent_wire_item item;
	uint32_t kind; /* ent_fact */
	uint32_t complete;
	ent_wire_time from, to; /* half open */
} ent_wire_covers;

typedef struct ent_wire_slice {
	ent_wire_item item;
	int32_t grade;
	uint32_t name_n; /* name follows, padded to 8 */
} ent_wire_slice;

typedef struct ent_wire_cursor {
	ent_wire_item item;
	uint32_t name_n, value_n; /* both follow, padded to 8 at the end */
} ent_wire_cursor;

typedef struct ent_wire_skips {
	ent_wire_item item;
	uint64_t count;
	uint32_t reason, reserved; /* dictionary number */
} ent_wire_skips;

#define ENT_PAD8(n) (((size_t)(n) + 7u) & ~(size_t)7u)

#endif
