/* SPDX-License-Identifier: Apache-2.0
 *
 * The varint form of a document in the log. Fields that are zero take no room: a bitmap says which are there. Amounts
 * are mostly whole cents, so they are stored divided by 10,000 where that is exact; times mostly whole seconds. */
#include "base/intern.h"
#include "facts/document.h"
#include "facts/fields.h"

enum { /* of an item */
	SAME_LINEAGE = 1 << 7, /* source, input, arrival and rank are those of the item before */
	ITEM_FLAGS = 0x7f,
	/* of the document */
	DOC_SUPERSEDED = 1 << 0,
	DOC_COMPLETE = 1 << 1,
	/* of a time */
	TIME_OFFSET = 1 << 3,
	TIME_SECONDS = 1 << 4,
	FIXED_MAX = 512 /* most bytes that an item takes without its keys and pairs */
};

/* Everything here is inlined into one function for each kind, where the types are constants: see BODY below. */
#define INLINE static inline __attribute__((always_inline))

INLINE uint8_t *put_time(uint8_t *p, ent_wire_time w) {
	int64_t v = (int64_t)w >> 11;
	unsigned kind = w & 7;
	uint8_t quarter = (uint8_t)(w >> 3);
	bool seconds = (kind == ENT_TIME_INSTANT || kind == ENT_TIME_LOCAL) && v % 1000000 == 0;
	*p++ = (uint8_t)(kind | (quarter ? TIME_OFFSET : 0) | (seconds ? TIME_SECONDS : 0));
	if (quarter) {
		*p++ = quarter;
	}
	return ent_varint_put(p, ent_zigzag(seconds ? v / 1000000 : v));
}

static ent_wire_time take_time(ent_read *r) {
	uint8_t head = ent_read_u8(r);
	ent_time t = {.kind = head & 7, .offset_min = ENT_NO_OFFSET};
	if (head & TIME_OFFSET) {
		t.offset_min = (int16_t)((ent_read_u8(r) - 128) * 15);
	}
	t.v = ent_read_zigzag(r);
	if (head & TIME_SECONDS) {
		t.v = (int64_t)((uint64_t)t.v * 1000000u);
	}
	return ent_wire_time_pack(t);
}

/* Lowest bit clear: v / 10000 follows. Set: v itself, with the two smallest numbers left out (v is not 0 here), of which
 * 3 says that a whole varint follows: amounts so large that the bit would not fit. */
INLINE uint8_t *put_amount(uint8_t *p, int64_t v) {
	if (v % 10000 == 0) {
		return ent_varint_put(p, ent_zigzag(v / 10000) << 1);
	}
	if (v > INT64_MAX / 4 || v < INT64_MIN / 4) {
		p = ent_varint_put(p, 3);
		return ent_varint_put(p, ent_zigzag(v));
	}
	return ent_varint_put(p, (ent_zigzag(v) + 1) << 1 | 1);
}

static int64_t take_amount(ent_read *r) {
	uint64_t u = ent_read_varint(r);
	if (!(u & 1)) {
		return (int64_t)((uint64_t)ent_unzigzag(u >> 1) * 10000u);
	}
	if (u == 3) {
		return ent_read_zigzag(r);
	}
	return ent_unzigzag((u >> 1) - 1);
}

/* The value as a number that is 0 if and only if the field takes no room. */
INLINE uint64_t value_of(const uint8_t *at, ent_field_type type) {
	uint64_t u = 0;
	switch (type) {
	case ENT_FIELD_TIME:
	case ENT_FIELD_I64:
		memcpy(&u, at, 8);
		return u;
	case ENT_FIELD_U8:
		return *at;
	case ENT_FIELD_CURRENCY:
		memcpy(&u, at, 3);
		return u;
	default: /* ID (dense number + 1), CODE, U32 */
		memcpy(&u, at, 4);
		return u;
	}
}

INLINE uint8_t *put_field(uint8_t *p, const uint8_t *at, ent_field_type type) {
	uint64_t u = value_of(at, type);
	if (!u) {
		return p;
	}
	switch (type) {
	case ENT_FIELD_TIME:
		return put_time(p, u);
	case ENT_FIELD_I64:
		return put_amount(p, (int64_t)u);
	case ENT_FIELD_U8:
		*p = (uint8_t)u;
		return p + 1;
	case ENT_FIELD_CURRENCY:
		memcpy(p, at, 3);
		return p + 3;
	default:
		return ent_varint_put(p, u);
	}
}

INLINE void take_field(ent_read *r, uint8_t *at, ent_field_type type) {
	uint64_t u;
	int64_t v;
	const uint8_t *bytes;
	switch (type) {
	case ENT_FIELD_TIME:
		u = take_time(r);
		memcpy(at, &u, 8);
		break;
	case ENT_FIELD_I64:
		v = take_amount(r);
		memcpy(at, &v, 8);
		break;
	case ENT_FIELD_U8:
		*at = ent_read_u8(r);
		break;
	case ENT_FIELD_CURRENCY:
		bytes = ent_read_take(r, 3);
		if (bytes) {
			memcpy(at, bytes, 3);
		}
		break;
	default:
		u = ent_read_varint(r);
		memcpy(at, &(uint32_t){(uint32_t)u}, 4);
	}
}

/* A function for each kind, made from the list of its fields: no table is walked, no type is looked at, and which fields
 * are there is the same from one fact to the next, so that the processor guesses it. */
#define SEE(structure, member, type)                                                                                   \
	present |= (uint64_t)(value_of(base + offsetof(structure, member), ENT_FIELD_##type) != 0) << bit++;
#define PUT(structure, member, type) p = put_field(p, base + offsetof(structure, member), ENT_FIELD_##type);
#define TAKE(structure, member, type)                                                                                  \
	if (present >> bit++ & 1) {                                                                                        \
		take_field(r, base + offsetof(structure, member), ENT_FIELD_##type);                                           \
	}
#define BODY(kind, list, structure, name)                                                                              \
	static uint8_t *put_##name(uint8_t *p, const uint8_t *base) {                                                      \
		uint64_t present = 0;                                                                                          \
		unsigned bit = 0;                                                                                              \
		list(SEE);                                                                                                     \
		p = ent_varint_put(p, present);                                                                                \
		list(PUT);                                                                                                     \
		return p;                                                                                                      \
	}                                                                                                                  \
	static void take_##name(ent_read *r, uint8_t *base) {                                                              \
		uint64_t present = ent_read_varint(r);                                                                         \
		unsigned bit = 0;                                                                                              \
		list(TAKE);                                                                                                    \
	}
ENT_FACT_KINDS(BODY)

static uint8_t *put_body(uint8_t *p, const ent_item *item) {
	const uint8_t *base = (const uint8_t *)&item->body;
	switch (item->kind) {
#define CASE_PUT(kind, list, structure, name)                                                                          \
	case kind:                                                                                                         \
		return put_##name(p, base);
		ENT_FACT_KINDS(CASE_PUT)
	default:
		return p;
	}
}

static void take_body(ent_item *item, ent_read *r) {
	uint8_t *base = (uint8_t *)&item->body;
	switch (item->kind) {
#define CASE_TAKE(kind, list, structure, name)                                                                         \
	case kind:                                                                                                         \
		take_##name(r, base);                                                                                          \
		break;
		ENT_FACT_KINDS(CASE_TAKE)
	default:
		break;
	}
}

static bool same_lineage(const ent_item *a, const ent_item *b) {
	return a->source == b->source && a->input == b->input && a->arrival == b->arrival &&
		   !ent_rank_compare(&a->rank, &b->rank);
}

static uint8_t *put_rank(uint8_t *p, const ent_rank *rank) {
	p = ent_varint_put(p, ent_zigzag(rank->snapshot));
	p = ent_varint_put(p, ent_zigzag((int64_t)((uint64_t)rank->updated - (uint64_t)rank->snapshot)));
	memcpy(p, &rank->content, 8);
	return p + 8;
}

static ent_rank take_rank(ent_read *r) {
	ent_rank rank = {.snapshot = ent_read_zigzag(r)};
	rank.updated = (int64_t)((uint64_t)ent_read_zigzag(r) + (uint64_t)rank.snapshot);
	rank.content = ent_read_u64(r);
	return rank;
}

static void put_item(const ent_document *d, const ent_item *item, const ent_item *before, ent_buf *out) {
	ent_buf_reserve(out, FIXED_MAX * 2 + item->key_n);
	bool same = before && same_lineage(item, before);
	uint8_t *p = out->data + out->n;
	*p++ = item->kind;
	*p++ = (uint8_t)((item->flags & ITEM_FLAGS) | (same ? SAME_LINEAGE : 0));
	/* 0: the document's partner; else code + 1, so that "none of its own" (0) can be told apart */
	p = ent_varint_put(p, item->partner == d->scope ? 0 : (uint64_t)item->partner + 1);
	if (item->kind != d->kind) {
		*p++ = (uint8_t)item->key_n;
		memcpy(p, item->key, item->key_n);
		p += item->key_n;
	}
	if (!same) {
		p = ent_varint_put(p, item->source);
		p = ent_varint_put(p, item->input);
		p = ent_varint_put(p, ent_zigzag(item->arrival / 1000000));
		p = put_rank(p, &item->rank);
	}
	p = ent_varint_put(p, ent_zigzag((int64_t)(item->place - (before ? before->place : 0))));
	p = ent_varint_put(p, item->has);
	if (!(item->flags & ENT_DOC_RETRACT)) {
		p = put_body(p, item);
	}
	out->n = (size_t)(p - out->data);
	if (item->kind == ENT_ENTRY && !(item->flags & ENT_DOC_RETRACT)) {
		ent_buf_reserve(out, (size_t)item->body.entry.n * 10);
		p = out->data + out->n;
		for (uint32_t i = 0; i < item->body.entry.n * 2; i++) {
			p = ent_varint_put(p, item->pairs[i]);
		}
		out->n = (size_t)(p - out->data);
	}
}

void ent_document_encode(const ent_document *d, ent_buf *out) {
	ent_buf_reserve(out, FIXED_MAX + d->key_n);
	uint8_t *p = out->data + out->n;
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
	out->n = (size_t)(p - out->data);
	for (uint32_t i = 0; i < d->n; i++) {
		put_item(d, &d->items[i], i ? &d->items[i - 1] : NULL, out);
	}
}

static bool take_item(ent_document *d, ent_read *r) {
	ent_item *item = ent_document_add(d);
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
	item->has = ent_read_varint(r);
	if (item->flags & ENT_DOC_RETRACT) {
		return !r->bad;
	}
	take_body(item, r);
	return !r->bad;
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

bool ent_document_decode(ent_document *d, const uint8_t *body, size_t n) {
	ent_document_clear(d);
	ent_read r = ent_read_of(body, n);
	d->kind = ent_read_u8(&r);
	uint8_t flags = ent_read_u8(&r);
	d->origin = ent_read_u8(&r);
	d->system = (uint32_t)ent_read_varint(&r);
	d->scope = (uint32_t)ent_read_varint(&r);
	d->key_n = ent_read_u8(&r);
	d->key = (const char *)ent_read_take(&r, d->key_n);
	d->superseded = flags & DOC_SUPERSEDED;
	d->has_complete = flags & DOC_COMPLETE;
	bool complete_of_head = false;
	if (d->has_complete) {
		complete_of_head = ent_read_u8(&r);
		if (!complete_of_head) {
			d->complete = take_rank(&r);
		}
	}
	uint64_t items = ent_read_varint(&r);
	if (r.bad || d->kind == 0 || d->kind >= ENT_FACT_COUNT || d->origin >= ENT_ORIGIN_COUNT) {
		return false;
	}
	d->key_hash = ent_hash64(d->key, d->key_n, d->kind);
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
