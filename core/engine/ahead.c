/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking ahead in a batch, see ahead.h. */
#include "engine/ahead.h"

#include <string.h>

enum { FURTHER = 2048, DOCUMENT = 256 }; /* bytes of the batch itself, and about as many as a document has */

static void look_at(ent__ahead *a, ent_wire_doc doc, uint32_t size) {
	const ent__stream *s = a->stream;
	bool shared = s->source->config->keys == ENT_KEYS_SHARED && doc.kind == ENT_ORDER;
	uint32_t raw = s->source->config->partner.from != ENT_PARTNER_FIXED && doc.partner < a->texts->n
		? a->texts->codes[doc.partner]
		: 0;
	uint32_t named = raw && raw < s->partner_cache_n && s->partner_cache[raw] ? s->partner_cache[raw] - 1 : 0;
	a->key.scope = shared ? 0 : named ? named : a->partner;
	a->key.key_hash = doc.key_hash;
	ent_index_prefetch(a->e->index, ent_document_index_key(&a->key));
	bool has = doc.n_ids && sizeof doc + sizeof(ent_id) <= size;
	a->ids[a->n % ENT__AHEAD_FAR] = has ? a->batch + a->at + sizeof doc : NULL;
	if (has) {
		ent_identities_prefetch(a->e->identities, a->ids[a->n % ENT__AHEAD_FAR]);
	}
}

void ent__look_ahead(ent__ahead *a) {
	while (a->bytes - a->at >= sizeof(ent_wire_doc)) {
		ent_wire_doc doc;
		for (unsigned i = 0; i < DOCUMENT; i += 64) { /* another core has written it: it comes slowly */
			__builtin_prefetch(a->batch + a->at + FURTHER + i);
		}
		memcpy(&doc, a->batch + a->at, sizeof doc);
		uint32_t size = ((const volatile ent_wire_item *)(a->batch + a->at))->bytes;
		if (size < sizeof(ent_wire_item) || size % 8 || size > a->bytes - a->at) {
			a->at = a->bytes;
			return;
		}
		bool is = doc.item.type == ENT_ITEM_DOC && size >= sizeof doc;
		if (is) {
			look_at(a, doc, size);
		}
		a->at += size;
		if (is) {
			break;
		}
	}
	unsigned near = a->n++ - (ENT__AHEAD_FAR - ENT__AHEAD_NEAR);
	if (near < a->n && a->ids[near % ENT__AHEAD_FAR]) {
		ent_identities_prefetch_found(a->e->identities, a->ids[near % ENT__AHEAD_FAR]);
	}
}

void ent__look_ahead_from(ent__ahead *a, const ent_engine *e, const ent__work *w, const ent_dictionary *texts,
	const uint8_t *batch, uint32_t bytes) {
	*a = (ent__ahead){.e = e, .stream = w->stream, .texts = texts, .batch = batch, .bytes = bytes,
		.at = sizeof(ent_wire_batch), .partner = w->partner, .key = {.system = w->stream->system}};
	for (unsigned i = 0; i < ENT__AHEAD_FAR; i++) {
		ent__look_ahead(a);
	}
}
