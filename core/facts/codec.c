/* SPDX-License-Identifier: Apache-2.0
 *
 * The form of a document in the log: what is known of the document, then its items, each with lineage and body
 * (facts/body.h). The plain part of a body is copied as it was read, where it was read and not changed since. */
#include "base/intern.h"
#include "facts/body.h"
#include "facts/document.h"

enum { /* of an item */
	SAME_LINEAGE = 1 << 7, /* source, input, arrival and rank are those of the item before */
	ITEM_FLAGS = 0x7f,
	/* of the document */
	DOC_SUPERSEDED = 1 << 0,
	DOC_COMPLETE = 1 << 1,
	DOC_UNTIL = 1 << 2, /* superseded, and says since when */
	/* most bytes that an item takes without its key and pairs, and what precedes them of a document, with room for wide copies */
	FIXED_MAX = 2 * ENT_BODY_MAX + 160
};

static bool same_lineage(const ent_item *a, const ent_item *b) {
	return a->source == b->source && a->input == b->input && a->arrival == b->arrival &&
		   !ent_rank_compare(&a->rank, &b->rank);
}

static inline uint8_t *put_rank(uint8_t *p, const ent_rank *rank) {
	p = ent_varint_put(p, ent_zigzag(rank->snapshot));
	p = ent_varint_put(p, ent_zigzag((int64_t)((uint64_t)rank->updated - (uint64_t)rank->snapshot)));
	memcpy(p, &rank->content, 8);
	return p + 8;
}

/* Short copies in pieces of a fixed size: a call for each would take longer. Up to 31 bytes more are read and written. */
static inline uint8_t *put_wide(uint8_t *p, const void *from, size_t n) {
	for (size_t i = 0; i < n; i += 32) {
		memcpy(p + i, (const uint8_t *)from + i, 32);
	}
	return p + n;
}

static inline uint8_t *put_bytes(uint8_t *p, const void *from, size_t n, bool padded) {
	if (padded) {
		return put_wide(p, from, n);
	}
	memcpy(p, from, n);
	return p + n;
}

static ent_rank take_rank(ent_read *r) {
	ent_rank rank = {.snapshot = ent_read_zigzag(r)};
	rank.updated = (int64_t)((uint64_t)ent_read_zigzag(r) + (uint64_t)rank.snapshot);
	rank.content = ent_read_u64(r);
	return rank;
}

static uint8_t *put_item(uint8_t *p, const ent_document *d, const ent_item *item, const ent_item *before) {
	bool same = before && same_lineage(item, before);
	*p++ = item->kind;
	*p++ = (uint8_t)((item->flags & ITEM_FLAGS) | (same ? SAME_LINEAGE : 0));
	/* 0: the document's partner; else code + 1, so that "none of its own" (0) can be told apart */
	p = ent_varint_put(p, item->partner == d->scope ? 0 : (uint64_t)item->partner + 1);
	if (item->kind != d->kind) {
		*p++ = (uint8_t)item->key_n;
		p = put_bytes(p, item->key, item->key_n, item->padded);
	}
	if (!same) {
		p = ent_varint_put(p, item->source);
		p = ent_varint_put(p, item->input);
		p = ent_varint_put(p, ent_zigzag(item->arrival / 1000000));
		p = put_rank(p, &item->rank);
	}
	p = ent_varint_put(p, ent_zigzag((int64_t)(item->place - (before ? before->place : 0))));
	if (item->flags & ENT_DOC_RETRACT) {
		return p;
	}
	if (item->plain_n) {
		p = put_bytes(p, item->plain, item->plain_n, item->padded);
	} else {
		p = ent_body_put_plain(item->kind, p, &item->body, item->has);
	}
	p = ent_body_put_codes(item->kind, p, &item->body, true);
	for (uint32_t i = 0; item->kind == ENT_ENTRY && i < item->body.entry.n * 2; i++) {
		p = ent_varint_put(p, item->pairs[i]);
	}
	return p;
}

size_t ent_document_bound(const ent_document *d) {
	size_t bound = FIXED_MAX + d->key_n;
	for (uint32_t i = 0; i < d->n; i++) {
		const ent_item *item = &d->items[i];
		bound += FIXED_MAX + item->key_n;
		if (item->kind == ENT_ENTRY && !(item->flags & ENT_DOC_RETRACT)) {
			bound += (size_t)item->body.entry.n * 10;
		}
	}
	return bound;
}

uint8_t *ent_document_put(const ent_document *d, uint8_t *p) {
	*p++ = d->kind;
	*p++ = (uint8_t)((d->superseded ? DOC_SUPERSEDED : 0) | (d->has_complete ? DOC_COMPLETE : 0));
	*p++ = d->origin;
	p = ent_varint_put(p, d->system);
	p = ent_varint_put(p, d->scope);
	*p++ = (uint8_t)d->key_n;
	memcpy(p, d->key, d->key_n);
	p += d->key_n;
	if (d->has_complete) {
		/* nearly always the rank of the head, which follows: one byte instead of twenty */
		const ent_item *head = ent_document_head(d);
		bool same = head && !ent_rank_compare(&head->rank, &d->complete);
		*p++ = same;
		if (!same) {
			p = put_rank(p, &d->complete);
		}
	}
	p = ent_varint_put(p, d->n);
	for (uint32_t i = 0; i < d->n; i++) {
		p = put_item(p, d, &d->items[i], i ? &d->items[i - 1] : NULL);
	}
	return p;
}

void ent_document_encode(const ent_document *d, ent_buf *out) {
	ent_buf_reserve(out, ent_document_bound(d));
	out->n = (size_t)(ent_document_put(d, out->data + out->n) - out->data);
}

static bool take_item(ent_document *d, ent_read *r) {
	ent_item *item = ent_document_add_raw(d);
	const ent_item *before = d->n > 1 ? item - 1 : NULL;
	item->kind = ent_read_u8(r);
	uint8_t flags = ent_read_u8(r);
	item->flags = flags & ITEM_FLAGS;
	uint64_t partner = ent_read_varint(r);
	item->partner = partner ? (uint32_t)(partner - 1) : d->scope;
	if (item->kind == 0 || item->kind >= ENT_FACT_COUNT) {
		return false;
	}
	if (item->kind != d->kind) {
		item->key_n = ent_read_u8(r);
		item->key = (const char *)ent_read_take(r, item->key_n);
	}
	if (flags & SAME_LINEAGE) {
		if (!before) {
			return false;
		}
		item->source = before->source;
		item->input = before->input;
		item->arrival = before->arrival;
		item->rank = before->rank;
	} else {
		item->source = (uint32_t)ent_read_varint(r);
		item->input = (uint32_t)ent_read_varint(r);
		item->arrival = (int64_t)((uint64_t)ent_read_zigzag(r) * 1000000u);
		item->rank = take_rank(r);
	}
	item->place = (before ? before->place : 0) + (uint64_t)ent_read_zigzag(r);
	if (item->flags & ENT_DOC_RETRACT) {
		memset(&item->body, 0, sizeof item->body);
		return !r->bad;
	}
	item->plain = r->p;
	return !r->bad && ent_body_take(item->kind, r, &item->body, &item->has, &item->plain_n, NULL);
}

/* Pairs are varints in the log but must be read as an array: they are decoded into the document's own memory. */
static bool take_pairs(ent_document *d, ent_item *item, ent_read *r) {
	uint32_t n = item->body.entry.n;
	if (n > (size_t)(r->end - r->p)) {
		return false;
	}
	uint32_t *pairs = ent_document_pairs(d, n);
	for (uint32_t i = 0; i < n * 2; i++) {
		pairs[i] = (uint32_t)ent_read_varint(r);
	}
	item->pairs = pairs;
	return !r->bad;
}

/* What stands before the items. *complete_of_head: the rank of the complete set is that of the head, which follows. */
static bool take_head(ent_document *d, ent_read *r, bool *complete_of_head, uint64_t *items) {
	ent_document_clear(d);
	d->kind = ent_read_u8(r);
	uint8_t flags = ent_read_u8(r);
	d->origin = ent_read_u8(r);
	d->until = flags & DOC_UNTIL ? (int64_t)((uint64_t)ent_read_zigzag(r) * 1000000u) : 0;
	d->system = (uint32_t)ent_read_varint(r);
	d->scope = (uint32_t)ent_read_varint(r);
	d->key_n = ent_read_u8(r);
	d->key = (const char *)ent_read_take(r, d->key_n);
	d->superseded = flags & DOC_SUPERSEDED;
	d->has_complete = flags & DOC_COMPLETE;
	*complete_of_head = false;
	if (d->has_complete) {
		*complete_of_head = ent_read_u8(r);
		if (!*complete_of_head) {
			d->complete = take_rank(r);
		}
	}
	*items = ent_read_varint(r);
	if (r->bad || d->kind == 0 || d->kind >= ENT_FACT_COUNT || d->origin >= ENT_ORIGIN_COUNT) {
		return false;
	}
	d->key_hash = ent_hash64(d->key, d->key_n, d->kind);
	return true;
}

bool ent_document_decode_head(ent_document *d, const uint8_t *body, size_t n, uint64_t *items) {
	ent_read r = ent_read_of(body, n);
	bool complete_of_head;
	return take_head(d, &r, &complete_of_head, items);
}

void ent_document_supersede(const uint8_t *body, size_t n, int64_t until, ent_buf *out) {
	ent_buf_reserve(out, n + 10);
	if (n < 3 || body[1] & DOC_SUPERSEDED) {
		ent_buf_add(out, body, n);
		return;
	}
	uint8_t *p = out->data + out->n;
	*p++ = body[0];
	*p++ = (uint8_t)(body[1] | DOC_SUPERSEDED | DOC_UNTIL);
	*p++ = body[2];
	p = ent_varint_put(p, ent_zigzag(until / 1000000));
	memcpy(p, body + 3, n - 3);
	out->n = (size_t)(p - out->data) + n - 3;
}

bool ent_document_decode(ent_document *d, const uint8_t *body, size_t n) {
	ent_read r = ent_read_of(body, n);
	bool complete_of_head;
	uint64_t items;
	if (!take_head(d, &r, &complete_of_head, &items)) {
		return false;
	}
	for (uint64_t i = 0; i < items; i++) {
		if (!take_item(d, &r)) {
			return false;
		}
		ent_item *item = &d->items[d->n - 1];
		if (item->kind == ENT_ENTRY && !(item->flags & ENT_DOC_RETRACT) && !take_pairs(d, item, &r)) {
			return false;
		}
	}
	if (complete_of_head) {
		const ent_item *head = ent_document_head(d);
		if (!head) {
			return false;
		}
		d->complete = head->rank;
	}
	return !r.bad && r.p == r.end;
}
