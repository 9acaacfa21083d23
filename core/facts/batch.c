/* SPDX-License-Identifier: Apache-2.0
 *
 * Checked reading of a batch, see batch.h. */
#include "facts/batch.h"
#include "base/intern.h"
#include "facts/body.h"

static int nonsense(ent_error *e, const char *what, uint64_t value) {
	ent_error_set(e, ENT_ERR_WORKER, "the worker wrote nonsense into its ring: %s (%llu)", what,
		(unsigned long long)value);
	return ent_error_todo(e, "the plugin, or a library that it loads, writes outside of its own memory");
}

int ent_batch_open(
	ent_batch *b, const void *data, size_t n, uint64_t assignment, uint64_t seq, ent_buf *own, ent_error *e) {
	*b = (ent_batch){.data = data, .own = own, .bytes = (uint32_t)n, .at = sizeof(ent_wire_batch)};
	if (n < sizeof(ent_wire_batch) || n > UINT32_MAX) {
		return nonsense(e, "a batch of this many bytes", n);
	}
	memcpy(&b->head, data, sizeof b->head);
	if (b->head.magic != ENT_WIRE_MAGIC || b->head.version != ENT_WIRE_VERSION) {
		return nonsense(e, "no batch begins with", b->head.magic);
	}
	if (b->head.bytes != n) {
		return nonsense(e, "length of the batch", b->head.bytes);
	}
	if (b->head.assignment != assignment) {
		return nonsense(e, "a batch for another assignment", b->head.assignment);
	}
	if (b->head.seq != seq) {
		return nonsense(e, "sequence number of the batch", b->head.seq);
	}
	return 0;
}

const ent_wire_item *ent_batch_next(ent_batch *b, ent_error *e) {
	if (b->at == b->bytes) {
		return NULL;
	}
	if (b->bytes - b->at < sizeof(ent_wire_item)) {
		nonsense(e, "an item cut off at", b->at);
		return NULL;
	}
	const volatile ent_wire_item *theirs = (const volatile ent_wire_item *)(b->data + b->at);
	ent_wire_item first = {.bytes = theirs->bytes, .type = theirs->type};
	uint32_t bytes = first.bytes;
	if (bytes < sizeof first || bytes % 8 || bytes > b->bytes - b->at) {
		nonsense(e, "length of an item", bytes);
		return NULL;
	}
	b->own->n = 0;
	ent_buf_reserve(b->own, bytes + ENT_BODY_ROOM); /* see ent_body_take */
	ent_wire_item *item = (ent_wire_item *)b->own->data;
	*item = first;
	memcpy(item + 1, b->data + b->at + sizeof first, bytes - sizeof first);
	b->at += bytes;
	b->items++;
	if (item->type == ENT_ITEM_DOC && bytes >= sizeof(ent_wire_doc)) {
		const ent_wire_doc *doc = (const ent_wire_doc *)item;
		b->facts += doc->n_subs + (doc->flags & (ENT_DOC_HEAD | ENT_DOC_RETRACT) ? 1 : 0);
	}
	b->rejects += item->type == ENT_ITEM_REJECT;
	b->texts += item->type == ENT_ITEM_TEXT;
	return item;
}

int ent_batch_close(const ent_batch *b, ent_error *e) {
	const ent_wire_batch *h = &b->head;
	if (h->items != b->items) {
		return nonsense(e, "number of items", h->items);
	}
	if (h->facts != b->facts) {
		return nonsense(e, "number of facts", h->facts);
	}
	if (h->texts != b->texts) {
		return nonsense(e, "number of texts", h->texts);
	}
	if (h->records != h->consumed + h->rejected + h->skipped) {
		return nonsense(e, "verdicts that do not add up to the records", h->records);
	}
	return 0;
}

/* The pairs of an entry become an array of codes, in memory of the document. */
static int take_pairs(ent_item *item, ent_read *r, const ent_body_map *map, ent_document *out, ent_error *e) {
	uint32_t n = item->body.entry.n;
	if (n > 4096 || n > (size_t)(r->end - r->p)) {
		return nonsense(e, "fields of an entry", n);
	}
	uint32_t *pairs = ent_document_pairs(out, n);
	for (uint32_t i = 0; i < n * 2; i++) {
		uint64_t number = ent_read_varint(r);
		if (number >= map->n_codes) {
			return nonsense(e, "a text that was never defined", number);
		}
		pairs[i] = map->codes[number];
	}
	item->pairs = pairs;
	return 0;
}

static int take_body(ent_item *item, ent_read *r, ent_body_map *map, ent_document *out, ent_error *e) {
	item->plain = r->p;
	item->padded = true; /* the bytes of an item are a copy with room behind it */
	map->undefined = 0;
	if (r->bad || !ent_body_take(item->kind, r, &item->body, &item->has, &item->plain_n, map)) {
		return map->undefined ? nonsense(e, "a text that was never defined", map->undefined)
							  : nonsense(e, "the body of a fact of kind", item->kind);
	}
	return item->kind == ENT_ENTRY ? take_pairs(item, r, map, out, e) : 0;
}

static int read_sub(ent_read *r, const ent_wire_doc *doc, ent_body_map *map, ent_document *out, ent_error *e) {
	uint64_t place = out->n ? out->items[out->n - 1].place : doc->place;
	ent_item *item = ent_document_add_raw(out);
	item->kind = ent_read_u8(r);
	uint8_t flags = ent_read_u8(r);
	item->flags = flags & ENT_DOC_RETRACT;
	item->key_n = ent_read_u8(r);
	uint64_t partner = ent_read_varint(r);
	item->key = (const char *)ent_read_take(r, item->key_n);
	if (r->bad || item->key_n == 0) {
		return nonsense(e, "a line cut off", item->key_n);
	}
	if (item->kind != ENT_LINE && item->kind != ENT_REFUND) {
		return nonsense(e, "kind of a part of an order", item->kind);
	}
	if (partner >= map->n_codes) {
		return nonsense(e, "a text that was never defined", partner);
	}
	item->partner = map->codes[partner];
	item->rank = (ent_rank){.updated = (int64_t)doc->version, .content = doc->content};
	if (!(flags & ENT_DOC_SAME_RANK)) {
		uint64_t content = ent_read_u64(r);
		/* given whole: lines and refunds stand and fall together, under the hash of the whole */
		item->rank.content = out->has_complete ? doc->content : content;
		item->rank.updated = (int64_t)ent_read_u64(r);
	}
	item->place = place + (uint64_t)ent_read_zigzag(r);
	map->n_ids = 0;
	if (item->flags & ENT_DOC_RETRACT) {
		memset(&item->body, 0, sizeof item->body);
		return 0;
	}
	return take_body(item, r, map, out, e);
}

int ent_batch_document(
	const ent_wire_item *wire, const uint32_t *codes, uint32_t n_codes, ent_document *out, ent_error *e) {
	size_t room = wire->bytes;
	const ent_wire_doc *doc = (const ent_wire_doc *)wire;
	ent_document_clear(out);
	if (room < sizeof *doc || doc->kind == 0 || doc->kind >= ENT_FACT_COUNT || doc->kind == ENT_LINE ||
		doc->kind == ENT_REFUND) {
		return nonsense(e, "kind of a document", room < sizeof *doc ? 0 : doc->kind);
	}
	size_t ids = doc->n_ids * sizeof(ent_id);
	if (doc->key_n == 0 || doc->n_ids > ENT_BODY_IDS || sizeof *doc + ids + doc->key_n > room) {
		return nonsense(e, "length of a key", doc->key_n);
	}
	if (doc->partner >= n_codes) {
		return nonsense(e, "a text that was never defined", doc->partner);
	}
	if (doc->n_subs && doc->kind != ENT_ORDER) {
		return nonsense(e, "parts of a document that has none", doc->n_subs);
	}
	ent_body_map map = {.codes = codes, .n_codes = n_codes, .ids = (const ent_id *)(doc + 1), .n_ids = doc->n_ids};
	out->kind = doc->kind;
	out->key = (const char *)(doc + 1) + ids;
	out->key_n = doc->key_n;
	out->key_hash = ent_hash64(out->key, out->key_n, out->kind);
	out->has_complete = doc->flags & ENT_DOC_LINES_COMPLETE;
	ent_read r = ent_read_of(out->key + out->key_n, room - sizeof *doc - ids - doc->key_n);
	if (doc->flags & (ENT_DOC_HEAD | ENT_DOC_RETRACT)) {
		ent_item *item = ent_document_add_raw(out);
		item->kind = doc->kind;
		item->flags = doc->flags & (ENT_DOC_RETRACT | ENT_DOC_LINES_COMPLETE);
		item->partner = codes[doc->partner];
		item->place = doc->place;
		item->rank = (ent_rank){.updated = (int64_t)doc->version, .content = doc->content};
		if (!(doc->flags & ENT_DOC_HEAD)) {
			memset(&item->body, 0, sizeof item->body);
		} else if (take_body(item, &r, &map, out, e)) {
			return e->code;
		}
	}
	for (uint32_t i = 0; i < doc->n_subs; i++) {
		if (read_sub(&r, doc, &map, out, e)) {
			return e->code;
		}
	}
	return r.bad || r.end - r.p >= 8 ? nonsense(e, "bytes left over in a document", (uint64_t)(r.end - r.p)) : 0;
}

int ent_batch_text(const ent_wire_item *item, ent_str *text, ent_error *e) {
	const ent_wire_text *t = (const ent_wire_text *)item;
	if (item->bytes < sizeof *t || t->n > ENT_TEXT_MAX || sizeof *t + t->n > item->bytes) {
		return nonsense(e, "length of a text", item->bytes);
	}
	*text = (ent_str){(const char *)(t + 1), t->n};
	return 0;
}

int ent_batch_reject(const ent_wire_item *item, const ent_wire_reject **head, ent_str *reason, ent_str *column,
	ent_str *excerpt, ent_str *sealed, ent_error *e) {
	const ent_wire_reject *r = (const ent_wire_reject *)item;
	if (item->bytes < sizeof *r || (uint64_t)r->reason_n + r->column_n + r->excerpt_n + r->sealed_n >
									   item->bytes - sizeof *r) {
		return nonsense(e, "length of a reject", item->bytes);
	}
	const char *p = (const char *)(r + 1);
	*reason = (ent_str){p, r->reason_n};
	*column = (ent_str){p += r->reason_n, r->column_n};
	*excerpt = (ent_str){p += r->column_n, r->excerpt_n};
	*sealed = (ent_str){p + r->excerpt_n, r->sealed_n};
	*head = r;
	return 0;
}

int ent_batch_covers(const ent_wire_item *item, const ent_wire_covers **head, ent_error *e) {
	const ent_wire_covers *c = (const ent_wire_covers *)item;
	if (item->bytes < sizeof *c || c->kind == 0 || c->kind >= ENT_FACT_COUNT) {
		return nonsense(e, "coverage of a kind of facts", item->bytes < sizeof *c ? 0 : c->kind);
	}
	*head = c;
	return 0;
}

int ent_batch_slice(const ent_wire_item *item, int32_t *grade, ent_str *name, ent_error *e) {
	const ent_wire_slice *s = (const ent_wire_slice *)item;
	if (item->bytes < sizeof *s || s->name_n > item->bytes - sizeof *s) {
		return nonsense(e, "length of a slice's name", item->bytes);
	}
	*grade = s->grade;
	*name = (ent_str){(const char *)(s + 1), s->name_n};
	return 0;
}
