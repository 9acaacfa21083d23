/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts to items of a batch in the ring: dictionary, documents, counts. A document is built in memory of our own and
 * then copied, so that it can grow while its lines come, and so that it lies in one batch. One thread.
 *
 * Content hashes: of a part, XXH3 over (kind, flags, has, partner text's hash, key's hash, body with texts as hashes).
 * The document's is that of its head if its lines are not said to be complete, and else the head's chained with those
 * of its subs in their order. */
#include "decode/worker.h"

#include <stdlib.h>
#include <string.h>

void ent__batch_init(ent__batch *b, ent__worker *w) {
	*b = (ent__batch){.worker = w};
	ent_intern_init(&b->texts);
	b->recent = ent_xcalloc(ENT__RECENT, sizeof *b->recent);
	_Static_assert(sizeof *b->recent == 64, "");
	for (size_t i = 0; i < sizeof b->memo / sizeof *b->memo; i++) {
		b->memo[i] = b->recent;
	}
}

void ent__batch_finish(ent__batch *b) {
	ent_intern_finish(&b->texts);
	free(b->recent);
	ent_buf_finish(&b->doc);
	ent_buf_finish(&b->single);
	*b = (ent__batch){0};
}

void ent__batch_start(ent__batch *b, uint64_t assignment, uint64_t begin_place) {
	b->assignment = assignment;
	b->begin = begin_place;
	b->seq = 0;
	b->at = NULL;
	b->items = b->n_texts = 0;
	b->consumed = b->rejected = b->skipped = b->facts = 0;
	b->all_consumed = b->all_rejected = b->all_skipped = b->all_facts = 0;
	b->owed_rejected = b->owed_skipped = 0;
	b->n_skips = 0;
	b->open = false;
	b->lost = NULL;
}

/* ---- the batch in the ring ---- */

#define AHEAD 1024 /* bytes: an order of three lines */

static bool begin(ent__batch *b, uint32_t slots) {
	b->at = ent__worker_room(b->worker, slots);
	b->n = sizeof(ent_wire_batch);
	b->slots = slots;
	b->limit = slots * b->worker->ring.slot_bytes;
	b->items = 0;
	b->n_texts = 0;
	return b->at != NULL;
}

static void *put(ent__batch *b, ent_item_type type, size_t bytes) {
	ent_wire_item *item = (ent_wire_item *)(b->at + b->n);
	item->bytes = (uint32_t)bytes;
	item->type = type;
	b->n += (uint32_t)bytes;
	b->items++;
	b->n_texts += type == ENT_ITEM_TEXT;
	return item;
}

/* Hands over what there is. False: stopping. */
static bool flush(ent__batch *b) {
	if (!b->at) {
		if (!(b->consumed | b->rejected | b->skipped)) {
			return true;
		}
		if (!begin(b, 1)) {
			return false;
		}
	}
	for (unsigned i = 0; i < b->n_skips; i++) { /* room for them is kept back by ent__batch_item */
		if (b->skips[i].count) {
			ent_wire_skips *s = put(b, ENT_ITEM_SKIPS, sizeof *s);
			s->count = b->skips[i].count;
			s->reason = b->skips[i].code;
			s->reserved = 0;
			b->skips[i].count = 0;
		}
	}
	if (!b->items && !(b->consumed | b->rejected | b->skipped)) {
		return true; /* keep the room */
	}
	ent__worker *w = b->worker;
	*(ent_wire_batch *)b->at = (ent_wire_batch){.magic = ENT_WIRE_MAGIC,
		.version = ENT_WIRE_VERSION,
		.assignment = b->assignment,
		.seq = b->seq,
		.bytes = b->n,
		.items = b->items,
		.records = b->consumed + b->rejected + b->skipped,
		.consumed = b->consumed,
		.rejected = b->rejected,
		.skipped = b->skipped,
		.facts = b->facts,
		.texts = b->n_texts};
	uint32_t slots = (b->n + w->ring.slot_bytes - 1) / w->ring.slot_bytes;
	uint32_t first = ent__ring_hand_over(&w->ring, slots);
	ent_buf m = {0};
	ent__message(&m, ENT_MSG_BATCH);
	ent_buf_u64(&m, b->assignment);
	ent_buf_u64(&m, b->seq);
	ent_buf_u32(&m, first);
	ent_buf_u32(&m, slots);
	ent_buf_u32(&m, b->n);
	ent_buf_u64(&m, b->begin);
	ent__control_send(&m);
	ent_buf_finish(&m);
	b->seq++;
	b->all_consumed += b->consumed;
	b->all_rejected += b->rejected;
	b->all_skipped += b->skipped;
	b->all_facts += b->facts;
	b->consumed = b->rejected = b->skipped = b->facts = 0;
	b->at = NULL;
	return true;
}

void *ent__batch_item(ent__batch *b, ent_item_type type, size_t bytes, bool *too_large) {
	size_t skips = (b->n_skips + 1) * sizeof(ent_wire_skips);
	if (too_large) {
		*too_large = false;
	}
	if (b->at && b->n + bytes + skips <= b->limit) {
		return put(b, type, bytes);
	}
	size_t slot = b->worker->ring.slot_bytes, whole = sizeof(ent_wire_batch) + bytes + skips;
	size_t slots = (whole + slot - 1) / slot;
	if (slots > b->worker->ring.slots || slots * slot > UINT32_MAX) {
		if (too_large) {
			*too_large = true;
		}
		return NULL;
	}
	if (b->at && !flush(b)) {
		return NULL;
	}
	return begin(b, (uint32_t)slots) ? put(b, type, bytes) : NULL;
}

/* ---- dictionary ---- */

static inline uint64_t load(const char *p, size_t bytes) {
	uint64_t v = 0;
	memcpy(&v, p, bytes);
	return v;
}

/* The first and last 8 bytes of a text, which may be the same ones; of a shorter one every byte is in x. n > 0. */
static inline void ends_of(const char *p, size_t n, uint64_t *x, uint64_t *y) {
	*y = 0;
	if (n >= 8) {
		*x = load(p, 8);
		*y = load(p + n - 8, 8);
	} else if (n >= 4) {
		*x = load(p, 4) | load(p + n - 4, 4) << 32;
	} else {
		*x = load(p, 1) | load(p + n / 2, 1) << 8 | load(p + n - 1, 1) << 16;
	}
}

/* Branches depend on the length as little as can be: lengths of names cannot be foreseen. */
static inline bool is_memo(const struct ent__memo *m, ent_str s, uint64_t x, uint64_t y) {
	uint64_t a, b;
	if (m->n != s.n) {
		return false;
	}
	ends_of(m->text, s.n, &a, &b);
	uint64_t different = (a ^ x) | (b ^ y);
	if (s.n > 16) {
		different |=
			(load(m->text + 8, 8) ^ load(s.p + 8, 8)) | (load(m->text + s.n - 16, 8) ^ load(s.p + s.n - 16, 8));
		if (s.n > 32) {
			different |= (load(m->text + 16, 8) ^ load(s.p + 16, 8)) | (load(m->text + 24, 8) ^ load(s.p + 24, 8));
		}
	}
	return !different;
}

static inline struct ent__memo *recent_of(ent__batch *b, size_t n, uint64_t x, uint64_t y) {
	uint64_t h = (x ^ n) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 32 ^ y) * UINT64_C(0xd6e8feb86659fd93);
	return &b->recent[h >> 51 & (ENT__RECENT - 1)]; /* the highest bits: only they depend on every byte */
}

/* UTF-8 without NUL? The host sees to that where it finds rows and lines; but a plugin may cut a character in two,
 * decode escapes, or be given whole bodies as they came. */
static bool text_good(const char *p, size_t n) {
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t odd = 0;
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		uint64_t v = load(p + i, 8);
		odd |= (v | (v - ones)) & high; /* a byte that is not ASCII, or is 0 (or 0x80 and the like: looked at below) */
	}
	for (; i < n; i++) {
		odd |= (unsigned char)(p[i] - 1) >= 0x7f;
	}
	if (!odd) {
		return true;
	}
	bool cut = false, nul = false;
	return ent_utf8_check(p, n, &cut, &nul) == n && !nul && !memchr(p, 0, n);
}

uint32_t ent__batch_text(ent__batch *b, unsigned field, ent_str s, uint64_t *hash) {
	if (!s.n) {
		*hash = 0;
		return 0;
	}
	struct ent__memo **memo = NULL, *recent = NULL;
	if (s.n <= ENT__MEMO_MAX) {
		uint64_t x, y;
		ends_of(s.p, s.n, &x, &y);
		memo = field < sizeof b->memo / sizeof *b->memo ? &b->memo[field] : NULL;
		if (memo && is_memo(*memo, s, x, y)) {
			*hash = (*memo)->hash;
			return (*memo)->code;
		}
		recent = recent_of(b, s.n, x, y);
		if (is_memo(recent, s, x, y)) {
			if (memo) {
				*memo = recent;
			}
			*hash = recent->hash;
			return recent->code;
		}
	}
	size_t n = s.n;
	if (n > ENT_TEXT_MAX) { /* cut at a character */
		n = ENT_TEXT_MAX;
		while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80) {
			n--;
		}
	}
	if (!text_good(s.p, n)) {
		b->bad_text = true;
		*hash = 0;
		return 0;
	}
	uint32_t known = b->texts.count, code = ent_intern_put(&b->texts, s.p, n);
	const struct ent__intern_item *item = &b->texts.items[code];
	if (code == known) {
		ent_wire_text *t = ent__batch_item(b, ENT_ITEM_TEXT, sizeof *t + ENT_PAD8(n), NULL);
		if (t) { /* else we are stopping, and nothing of this will be sent */
			t->code = code;
			t->n = (uint32_t)n;
			memset((char *)(t + 1) + (n & ~(size_t)7), 0, ENT_PAD8(n) - (n & ~(size_t)7));
			memcpy(t + 1, s.p, n);
		}
	}
	if (recent) {
		*recent = (struct ent__memo){.hash = item->hash, .n = (uint32_t)n, .code = code};
		memcpy(recent->text, s.p, n);
		if (memo) {
			*memo = recent;
		}
	}
	*hash = item->hash;
	return code;
}

/* ---- documents ---- */

/* The plain part lies behind the words, so that all of it is hashed at once. */
static uint64_t content_of(ent__body *body, ent_fact kind, unsigned flags, uint64_t partner, uint64_t key) {
	body->canon[0] = (uint64_t)kind | (uint64_t)flags << 8;
	body->canon[1] = partner;
	body->canon[2] = key;
	return ent_hash64(body->canon, body->canon_n * sizeof *body->canon + body->plain_n, 0);
}

static uint32_t partner_of(ent__batch *b, ent_str partner, uint64_t *hash) {
	return ent__batch_text(b, 0, partner, hash);
}

static ent_wire_time version_of(const ent_head *h) { return h->version.kind ? ent_wire_time_pack(h->version) : 0; }

/* Most bytes that a body takes, its pairs included. */
static size_t body_room(ent_fact kind, const ent__body *body) {
	return 2 * ENT_BODY_MAX + (kind == ENT_ENTRY ? (size_t)body->fields.entry.n * 10 : 0);
}

static uint8_t *put_body(uint8_t *p, ent_fact kind, const ent__body *body) {
	memcpy(p, body->plain, body->plain_n);
	p = ent_body_put_codes(kind, p + body->plain_n, &body->fields, false);
	for (uint32_t i = 0; kind == ENT_ENTRY && i < body->fields.entry.n * 2; i++) {
		p = ent_varint_put(p, body->pairs[i]);
	}
	return p;
}

/* Puts the beginning of a document into `out`, up to its body. */
static void put_doc(ent_buf *out, const ent_wire_doc *d, ent_str key, const ent__body *body) {
	out->n = 0;
	ent_buf_reserve(out, sizeof *d + sizeof body->ids + key.n + body_room(d->kind, body));
	uint8_t *p = out->data;
	memcpy(p, d, sizeof *d);
	p += sizeof *d;
	memcpy(p, body->ids, sizeof body->ids); /* room is there for all; the key overwrites those that are not */
	p += d->n_ids * sizeof *body->ids;
	memcpy(p, key.p, key.n);
	p += key.n;
	if (d->flags & ENT_DOC_HEAD) {
		p = put_body(p, d->kind, body);
	}
	out->n = (size_t)(p - out->data);
}

/* A document that has a head, or takes one back. */
static void put_head(ent__batch *b, ent_buf *out, ent_fact kind, const ent_head *h, uint64_t *partner_hash) {
	ent__body *body = &b->body;
	unsigned flags = h->op == ENT_RETRACT ? ENT_DOC_RETRACT : ENT_DOC_HEAD;
	ent_wire_doc d = {.item = {.type = ENT_ITEM_DOC},
		.kind = (uint8_t)kind,
		.flags = (uint8_t)flags,
		.key_n = (uint8_t)h->key.n,
		.n_ids = (uint8_t)body->n_ids,
		.partner = partner_of(b, h->partner, partner_hash),
		.key_hash = ent_hash64(h->key.p, h->key.n, kind),
		.place = h->place,
		.version = version_of(h)};
	d.content = content_of(body, kind, flags, *partner_hash, d.key_hash);
	put_doc(out, &d, h->key, body);
}

/* Hands over a document. */
static void hand_over(ent__batch *b, ent_buf *doc, uint64_t facts) {
	bool too_large;
	size_t bytes = ENT_PAD8(doc->n);
	ent_wire_item *to = ent__batch_item(b, ENT_ITEM_DOC, bytes, &too_large);
	if (!to) { /* or we are stopping */
		b->lost = too_large ? "the order with its lines is larger than the ring of the worker" : NULL;
		b->lost_place = b->opened;
		return;
	}
	((ent_wire_doc *)doc->data)->item.bytes = (uint32_t)bytes;
	memset((uint8_t *)to + bytes - 8, 0, 8);
	memcpy(to, doc->data, doc->n);
	/* The ring is larger than the caches: where the next document will lie is fetched while it is decoded. */
	const char *next = (const char *)to + bytes;
	for (size_t i = 0; i < AHEAD; i += 64) {
		__builtin_prefetch(next + i, 1);
	}
	b->facts += facts;
}

void ent__batch_close(ent__batch *b) {
	if (!b->open) {
		return;
	}
	b->open = false;
	if (b->complete) {
		((ent_wire_doc *)b->doc.data)->flags |= ENT_DOC_LINES_COMPLETE;
	}
	hand_over(b, &b->doc, b->doc_facts);
}

static void open_order(ent__batch *b, ent_str key, uint64_t place, uint64_t partner_hash) {
	b->open = true;
	b->opened = b->place;
	b->doc_facts = 0;
	b->last_place = place;
	b->partner_hash = partner_hash;
	b->order_key_n = (uint32_t)key.n;
	memcpy(b->order_key, key.p, key.n);
}

/* May this line or refund go into the open document? A line that names no partner is its order's. */
static bool belongs(const ent__batch *b, ent_str order_key, ent_str partner, uint64_t partner_hash) {
	return b->open && b->order_key_n == order_key.n && !memcmp(b->order_key, order_key.p, order_key.n) &&
		   (partner_hash == b->partner_hash || (!partner.n && b->has_head));
}

/* A document for parts whose order is told elsewhere, or later. */
static void open_parts(ent__batch *b, const ent_head *h, ent_str key, uint32_t partner, uint64_t partner_hash) {
	ent__batch_close(b);
	ent_wire_doc d = {.item = {.type = ENT_ITEM_DOC},
		.kind = ENT_ORDER,
		.key_n = (uint8_t)key.n,
		.partner = partner,
		.key_hash = ent_hash64(key.p, key.n, ENT_ORDER),
		.place = h->place,
		.version = version_of(h)};
	put_doc(&b->doc, &d, key, &b->body);
	open_order(b, key, h->place, partner_hash);
	b->has_head = b->complete = false;
}

/* Hash of the key of a part. Lines are mostly numbered, 1, 2, 3, ...: those of one byte are kept. */
static uint64_t part_hash(ent__batch *b, ent_fact kind, ent_str key) {
	if (kind != ENT_LINE || key.n != 1) {
		return ent_hash64(key.p, key.n, kind);
	}
	uint64_t *kept = &b->line_hash[(unsigned char)*key.p];
	if (!*kept) {
		*kept = ent_hash64(key.p, key.n, kind);
	}
	return *kept;
}

static void part(ent__batch *b, ent_fact kind, const ent_head *h, ent_str order_key) {
	uint64_t partner_hash;
	uint32_t partner = partner_of(b, h->partner, &partner_hash);
	size_t room = (size_t)b->worker->ring.slots * b->worker->ring.slot_bytes / 2;
	if (!belongs(b, order_key, h->partner, partner_hash) ||
		(!b->complete && b->doc.n > room)) { /* lines that are not said to be complete may come in several documents */
		open_parts(b, h, order_key, partner, partner_hash);
	}
	if (b->doc.n > 2 * room) {
		return; /* it will be refused as too large: do not grow without end */
	}
	unsigned flags = h->op == ENT_RETRACT ? ENT_DOC_RETRACT : 0;
	bool same = b->complete && kind == ENT_LINE; /* given whole: lines have the rank of their order */
	uint64_t content = content_of(&b->body, kind, flags, partner_hash, part_hash(b, kind, h->key));
	ent_buf_reserve(&b->doc, 48 + h->key.n + body_room(kind, &b->body));
	uint8_t *p = b->doc.data + b->doc.n;
	*p++ = (uint8_t)kind;
	*p++ = (uint8_t)(flags | (same ? ENT_DOC_SAME_RANK : 0));
	*p++ = (uint8_t)h->key.n;
	p = ent_varint_put(p, partner);
	memcpy(p, h->key.p, h->key.n);
	p += h->key.n;
	if (!same) {
		uint64_t rank[2] = {content, version_of(h)};
		memcpy(p, rank, sizeof rank);
		p += sizeof rank;
	}
	p = ent_varint_put(p, ent_zigzag((int64_t)(h->place - b->last_place)));
	if (!flags) {
		p = put_body(p, kind, &b->body);
	}
	b->doc.n = (size_t)(p - b->doc.data);
	b->last_place = h->place;
	b->doc_facts++;
	ent_wire_doc *d = (ent_wire_doc *)b->doc.data;
	d->n_subs++;
	if (b->complete) {
		d->content = ent_hash64((uint64_t[]){d->content, content}, 16, 0);
	}
}

const char *ent__batch_fact(ent__batch *b, ent_fact kind, const void *fact) {
	const ent_head *h = fact;
	const char *why = ent__fact_check(kind, fact);
	uint64_t partner_hash;
	if (why) {
		return why;
	}
	b->bad_text = !text_good(h->key.p, h->key.n);
	ent__fact_body(b, kind, fact, &b->body);
	partner_of(b, h->partner, &partner_hash);
	if (kind == ENT_LINE || kind == ENT_REFUND) {
		ent_str order = kind == ENT_LINE ? ((const ent_line *)fact)->order_key : ((const ent_refund *)fact)->order_key;
		b->bad_text |= !text_good(order.p, order.n);
	}
	if (b->bad_text) {
		return "a text that is no UTF-8, or has a NUL byte in it";
	}
	switch (kind) {
	case ENT_LINE:
		part(b, kind, h, ((const ent_line *)fact)->order_key);
		break;
	case ENT_REFUND:
		part(b, kind, h, ((const ent_refund *)fact)->order_key);
		break;
	case ENT_ORDER:
		ent__batch_close(b);
		put_head(b, &b->doc, kind, h, &partner_hash);
		open_order(b, h->key, h->place, partner_hash);
		b->doc_facts = 1;
		b->has_head = h->op != ENT_RETRACT;
		b->complete = b->has_head && (((const ent_order *)fact)->flags & ENT_ORDER_LINES_COMPLETE);
		if (b->complete) { /* so that "no lines" differs from "lines not told" */
			ent_wire_doc *d = (ent_wire_doc *)b->doc.data;
			d->content = ent_hash64((uint64_t[]){d->content, ENT_DOC_LINES_COMPLETE}, 16, 0);
		}
		break;
	default: /* a document of its own; the order that is being gathered stays open */
		put_head(b, &b->single, kind, h, &partner_hash);
		hand_over(b, &b->single, 1); /* a single head always fits; or we are stopping */
	}
	return NULL;
}

/* ---- counts ---- */

bool ent__batch_end(ent__batch *b) {
	ent__batch_close(b);
	return flush(b);
}

void ent__batch_abandon(ent__batch *b) {
	b->open = false;
	b->lost = NULL;
	flush(b);
}

void ent__batch_skip_reason(ent__batch *b, const char *why) {
	unsigned i = 0;
	while (i < b->n_skips && b->skips[i].why != why && strcmp(b->skips[i].why, why) != 0) {
		i++;
	}
	if (i == b->n_skips) {
		if (i == ENT__SKIP_REASONS) {
			i--; /* further reasons are counted with the last one */
		} else {
			uint64_t hash;
			uint32_t code = ent__batch_text(b, UINT32_MAX, (ent_str){why, strlen(why)}, &hash);
			if (!ent__batch_item(b, ENT_ITEM_SKIPS, sizeof(ent_wire_skips), NULL)) {
				return; /* stopping */
			}
			/* it was only asked whether there is room: it is written when the batch is handed over */
			b->n -= (uint32_t)sizeof(ent_wire_skips);
			b->items--;
			b->skips[i].why = ent_intern_text(&b->texts, code, NULL);
			b->skips[i].code = code;
			b->skips[i].count = 0;
			b->n_skips++;
		}
	}
	b->skips[i].count++;
}

void ent__batch_consumed(ent__batch *b, uint64_t n) {
	b->consumed += n;
	while (b->consumed && b->owed_rejected) {
		b->owed_rejected--;
		b->consumed--;
		b->rejected++;
	}
	while (b->consumed && b->owed_skipped) {
		b->owed_skipped--;
		b->consumed--;
		b->skipped++;
	}
}

void ent__batch_rejected_late(ent__batch *b) {
	b->owed_rejected++;
	ent__batch_consumed(b, 0);
}

void ent__batch_skipped_late(ent__batch *b) {
	b->owed_skipped++;
	ent__batch_consumed(b, 0);
}
