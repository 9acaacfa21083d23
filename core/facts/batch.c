/* SPDX-License-Identifier: Apache-2.0
 *
 * Checked reading of a batch, see batch.h. */
#include "facts/batch.h"
#include "base/intern.h"
#include "facts/fields.h"

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
	ent_buf_reserve(b->own, bytes);
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

/* Replaces a dictionary number by its code and checks what a later reader relies on. The type is a constant where this
 * ends up: see MAP. */
static inline __attribute__((always_inline)) bool map_field(
	uint8_t *at, ent_field_type type, const uint32_t *codes, uint32_t n_codes) {
	if (type == ENT_FIELD_CODE) {
		uint32_t code;
		memcpy(&code, at, 4);
		if (code >= n_codes) {
			return false;
		}
		memcpy(at, &codes[code], 4);
	} else if (type == ENT_FIELD_CURRENCY) {
		at[3] = 0;
	}
	return true;
}

static int undefined(const ent_item *item, uint32_t n_codes, ent_error *e) {
	const uint8_t *base = (const uint8_t *)&item->body;
	uint32_t code = 0;
	for (const ent_field *f = ent_fact_fields(item->kind); f->name; f++) {
		if (f->type == ENT_FIELD_CODE) {
			memcpy(&code, base + f->offset, 4);
			if (code >= n_codes) {
				break; /* those before it are codes by now; the message may name one of them, large as it is */
			}
		}
	}
	return nonsense(e, "a text that was never defined", code);
}

/* Copies the body of a kind from the batch into the item. */
#define MAP(structure, member, type)                                                                                   \
	known &= map_field(base + offsetof(structure, member), ENT_FIELD_##type, codes, n_codes);
#define CASE(fact, list, structure, name)                                                                              \
	case fact:                                                                                                         \
		memcpy(base, body, sizeof(structure));                                                                         \
		list(MAP);                                                                                                     \
		break;

static int take_body(ent_item *item, const uint8_t *body, const uint32_t *codes, uint32_t n_codes, ent_error *e) {
	uint8_t *base = (uint8_t *)&item->body;
	bool known = true;
	switch (item->kind) {
		ENT_FACT_KINDS(CASE)
	default:
		break;
	}
	return known ? 0 : undefined(item, n_codes, e);
}

static int read_head(const ent_wire_doc *doc, const uint8_t *body, size_t room, const uint32_t *codes, uint32_t n_codes,
	ent_document *out, size_t *used, ent_error *e) {
	ent_item *item = ent_document_add_raw(out);
	item->kind = doc->kind;
	item->flags = doc->flags & (ENT_DOC_RETRACT | ENT_DOC_LINES_COMPLETE);
	item->partner = codes[doc->partner];
	item->has = doc->has;
	item->place = doc->place;
	item->rank = (ent_rank){.updated = (int64_t)doc->version, .content = doc->content};
	*used = 0;
	if (!(doc->flags & ENT_DOC_HEAD)) {
		memset(&item->body, 0, sizeof item->body);
		return 0;
	}
	size_t size = ent_fact_body_size(doc->kind);
	if (room < size) {
		return nonsense(e, "a document without room for its body", room);
	}
	*used = size;
	if (take_body(item, body, codes, n_codes, e)) {
		return e->code;
	}
	if (doc->kind == ENT_ENTRY) {
		uint32_t n = item->body.entry.n;
		size_t bytes = ENT_PAD8((size_t)n * 8);
		if (n > 4096 || room - size < bytes) {
			return nonsense(e, "fields of an entry", n);
		}
		uint32_t *pairs = ent_document_pairs(out, n);
		const uint32_t *raw = (const uint32_t *)(body + size);
		for (uint32_t i = 0; i < n * 2; i++) {
			if (raw[i] >= n_codes) {
				return nonsense(e, "a text that was never defined", raw[i]);
			}
			pairs[i] = codes[raw[i]];
		}
		item->pairs = pairs;
		*used += bytes;
	}
	return 0;
}

static int read_sub(const uint8_t *p, size_t room, const uint32_t *codes, uint32_t n_codes, ent_document *out,
	size_t *used, ent_error *e) {
	const ent_wire_sub *sub = (const ent_wire_sub *)p;
	if (room < sizeof *sub || sub->bytes > room || sub->bytes % 8) {
		return nonsense(e, "a line cut off", room);
	}
	if (sub->kind != ENT_LINE && sub->kind != ENT_REFUND) {
		return nonsense(e, "kind of a part of an order", sub->kind);
	}
	size_t body = sizeof *sub + ENT_PAD8(sub->key_n), size = ent_fact_body_size(sub->kind);
	if (body + size > sub->bytes || sub->key_n > ENT_KEY_MAX) {
		return nonsense(e, "a line without room for its body", sub->bytes);
	}
	if (sub->partner >= n_codes) {
		return nonsense(e, "a text that was never defined", sub->partner);
	}
	ent_item *item = ent_document_add_raw(out);
	item->kind = sub->kind;
	item->flags = sub->flags & ENT_DOC_RETRACT;
	item->key = (const char *)p + sizeof *sub;
	item->key_n = sub->key_n;
	item->partner = codes[sub->partner];
	item->has = sub->has;
	item->place = sub->place;
	item->rank = (ent_rank){.updated = (int64_t)sub->version, .content = sub->content};
	*used = sub->bytes;
	return take_body(item, p + body, codes, n_codes, e);
}

int ent_batch_document(const ent_wire_item *wire, const uint32_t *codes, uint32_t n_codes, ent_document *out,
	ent_error *e) {
	const uint8_t *p = (const uint8_t *)wire;
	size_t room = wire->bytes;
	const ent_wire_doc *doc = (const ent_wire_doc *)wire;
	ent_document_clear(out);
	if (room < sizeof *doc || doc->kind == 0 || doc->kind >= ENT_FACT_COUNT || doc->kind == ENT_LINE ||
		doc->kind == ENT_REFUND) {
		return nonsense(e, "kind of a document", room < sizeof *doc ? 0 : doc->kind);
	}
	size_t at = sizeof *doc + ENT_PAD8(doc->key_n);
	if (doc->key_n == 0 || doc->key_n > ENT_KEY_MAX || at > room) {
		return nonsense(e, "length of a key", doc->key_n);
	}
	if (doc->partner >= n_codes) {
		return nonsense(e, "a text that was never defined", doc->partner);
	}
	if (doc->n_subs && doc->kind != ENT_ORDER) {
		return nonsense(e, "parts of a document that has none", doc->n_subs);
	}
	out->kind = doc->kind;
	out->key = (const char *)p + sizeof *doc;
	out->key_n = doc->key_n;
	out->key_hash = ent_hash64(out->key, out->key_n, out->kind);
	out->has_complete = doc->flags & ENT_DOC_LINES_COMPLETE;
	size_t used = 0;
	if (doc->flags & (ENT_DOC_HEAD | ENT_DOC_RETRACT)) {
		if (read_head(doc, p + at, room - at, codes, n_codes, out, &used, e)) {
			return e->code;
		}
		at += used;
	}
	for (uint32_t i = 0; i < doc->n_subs; i++) {
		if (read_sub(p + at, room - at, codes, n_codes, out, &used, e)) {
			return e->code;
		}
		at += used;
		if (out->has_complete) {
			/* given whole: the lines stand and fall together, under the hash of the whole */
			out->items[out->n - 1].rank.content = doc->content;
		}
	}
	if (at != room) {
		return nonsense(e, "bytes left over in a document", room - at);
	}
	return 0;
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
