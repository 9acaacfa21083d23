/* SPDX-License-Identifier: Apache-2.0
 *
 * The canonical digest. Every item is a sequence of length-prefixed texts and big-endian numbers; it is hashed to 32 bytes,
 * the hashes of a group are sorted bytewise and hashed again, so that no order of arrival shows. Texts and identities enter
 * by value, never by code or dense number; offsets, arrival times, times of change, generations and the number of workers
 * are left out. Loop thread only. */
#include "engine/internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

typedef struct group {
	ent_engine *e;
	ent_buf hashes; /* 32 bytes each */
	ent_buf item;
	ent_error *error;
} group;

static void put_bytes(group *g, const void *p, size_t n) {
	uint8_t length[8];
	for (int i = 0; i < 8; i++) {
		length[i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
	}
	ent_buf_add(&g->item, length, 8);
	ent_buf_add(&g->item, p, n);
}

static void put_text(group *g, const char *text) { put_bytes(g, text ? text : "", text ? strlen(text) : 0); }
static void put_code(group *g, uint32_t code) { put_text(g, ent__text(g->e, code)); }

static void put_number(group *g, int64_t v) {
	/* sign-extended to 128 bits, big-endian */
	uint8_t b[16];
	memset(b, v < 0 ? 0xff : 0, 8);
	for (int i = 0; i < 8; i++) {
		b[8 + i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
	}
	ent_buf_add(&g->item, b, 16);
}

static void end_item(group *g) {
	uint8_t hash[32];
	crypto_generichash(hash, 32, g->item.data, g->item.n, NULL, 0);
	ent_buf_add(&g->hashes, hash, 32);
	g->item.n = 0;
}

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, 32); }

static void end_group(group *g, uint8_t out[32]) {
	if (g->hashes.n) {
		qsort(g->hashes.data, g->hashes.n / 32, 32, by_bytes);
	}
	crypto_generichash(out, 32, g->hashes.data, g->hashes.n, NULL, 0);
	ent_buf_finish(&g->hashes);
	ent_buf_finish(&g->item);
}

/* ---- documents ---------------------------------------------------------------------------------------------------------------- */

static void put_body(group *g, const ent_item *item) {
	const uint8_t *base = (const uint8_t *)&item->body;
	for (const ent_field *f = ent_fact_fields(item->kind); f->name; f++) {
		const uint8_t *at = base + f->offset;
		uint64_t u = 0;
		int64_t v;
		switch (f->type) {
		case ENT_FIELD_CODE:
			memcpy(&u, at, 4);
			put_code(g, (uint32_t)u);
			break;
		case ENT_FIELD_ID:
			memcpy(&u, at, 4);
			put_bytes(g, u ? ent_identities_get(g->e->identities, (uint32_t)u - 1) : NULL, u ? 16 : 0);
			break;
		case ENT_FIELD_CURRENCY:
			put_bytes(g, at, strnlen((const char *)at, 3));
			break;
		case ENT_FIELD_U8:
			put_number(g, *at);
			break;
		case ENT_FIELD_U32:
			memcpy(&u, at, 4);
			put_number(g, (int64_t)u);
			break;
		default:
			memcpy(&v, at, 8);
			put_number(g, v);
		}
	}
	for (uint32_t i = 0; item->kind == ENT_ENTRY && i < item->body.entry.n * 2; i++) {
		put_code(g, item->pairs[i]);
	}
}

/* The moment at which a record arrived is no part of what is known, only the order in which they did. */
static ent_rank rank_of(const group *g, const ent_item *item) {
	ent_rank rank = item->rank;
	if (item->input < g->e->n_inputs && ent__in_inbox(&g->e->inputs[item->input])) {
		rank.updated = rank.updated == rank.snapshot ? 0 : rank.updated;
		rank.snapshot = 0;
	}
	return rank;
}

static void put_item(group *g, const ent_item *item, bool with_rank) {
	put_number(g, item->kind);
	put_number(g, item->flags);
	put_bytes(g, item->key, item->key_n);
	put_code(g, item->partner);
	put_code(g, item->source);
	if (with_rank) {
		ent_rank rank = rank_of(g, item);
		put_number(g, rank.updated);
		put_number(g, rank.snapshot);
		put_number(g, (int64_t)rank.content);
	}
	put_number(g, (int64_t)item->has);
	if (!(item->flags & ENT_DOC_RETRACT)) {
		put_body(g, item);
	}
}

static int put_document(void *ctx, ent_index_entry *entry) {
	group *g = ctx;
	ent_engine *e = g->e;
	if (ent_ledger_read(e->ledger, entry->at, &e->frame, g->error)) {
		return g->error->code;
	}
	ent_document *d = &e->current;
	if (!ent_document_decode(d, e->frame.data, e->frame.n)) {
		return ent_error_set(g->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	put_code(g, d->system);
	put_code(g, d->scope);
	put_number(g, d->kind);
	put_number(g, d->origin);
	put_bytes(g, d->key, d->key_n);
	put_number(g, ent_document_head(d) == NULL); /* pending */
	if (d->kind == ENT_VISIT) {
		ent_item visit = ent_fold_visit(d);
		put_item(g, &visit, false);
	} else {
		for (uint32_t i = 0; i < d->n; i++) {
			put_item(g, &d->items[i], true);
		}
	}
	end_item(g);
	return 0;
}

/* ---- cells, members, rejects, inputs --------------------------------------------------------------------------------------------- */

static void put_key(group *g, const ent_cell_key *k) {
	put_code(g, k->partner);
	put_number(g, k->day);
	put_number(g, k->view);
	put_code(g, k->value);
	put_code(g, k->currency);
	put_number(g, k->origin);
}

static int put_cell(void *ctx, const ent_cell *c) {
	group *g = ctx;
	const ent_catalogue *all = ent_engine_catalogue(g->e);
	unsigned first = ent_family_first(c->key.family), width = ent_family_width(c->key.family);
	bool any = false;
	put_key(g, &c->key);
	for (unsigned i = 0; i < width; i++) {
		if (c->m[i]) {
			char definition[17];
			if (first + i >= all->n_measures || !all->measures[first + i].name) {
				continue; /* declared no more: the next run takes it away */
			}
			any = true;
			ent_measure_definition(&all->measures[first + i], definition);
			put_text(g, all->measures[first + i].name);
			put_text(g, definition);
			put_number(g, c->m[i]);
		}
	}
	if (any) {
		end_item(g);
	}
	g->item.n = 0;
	return 0;
}

typedef struct member {
	uint8_t id[16];
	uint32_t multiplicity;
} member;

static int by_id(const void *a, const void *b) { return memcmp(((const member *)a)->id, ((const member *)b)->id, 16); }

/* What a user declared goes by its name and definition, as its number may be another one tomorrow. */
static bool put_space(group *g, const ent_space_def *spaces, unsigned n, unsigned built_in, unsigned number) {
	if (number >= n) {
		g->item.n = 0;
		return false;
	}
	if (number >= built_in) {
		put_text(g, spaces[number].name);
		put_text(g, spaces[number].definition);
	}
	return true;
}

static int put_texts(group *g, const ent_cell_key *key, const ent_space_def *space, const uint32_t *codes,
	const uint32_t *multiplicity, size_t n) {
	/* a hash for each, sorted, as their codes depend on what came first */
	group members = {.e = g->e};
	uint8_t all[32];
	for (size_t i = 0; i < n; i++) {
		put_code(&members, codes[i]);
		put_number(&members, multiplicity ? multiplicity[i] : 1);
		end_item(&members);
	}
	end_group(&members, all);
	put_key(g, key);
	put_text(g, space->name);
	put_text(g, space->definition);
	put_bytes(g, all, sizeof all);
	end_item(g);
	return 0;
}

static int put_set(void *ctx, const ent_cell_key *key, const uint32_t *ids, const uint32_t *multiplicity, size_t n) {
	group *g = ctx;
	const ent_catalogue *all = ent_engine_catalogue(g->e);
	if (key->family < all->n_sets && all->sets[key->family].texts) {
		return put_texts(g, key, &all->sets[key->family], ids, multiplicity, n);
	}
	if (!put_space(g, all->sets, all->n_sets, ENT_SET_COUNT, key->family)) {
		return 0;
	}
	member *members = ent_xmalloc(n * sizeof *members);
	for (size_t i = 0; i < n; i++) {
		memcpy(members[i].id, ent_identities_get(g->e->identities, ids[i]), 16);
		members[i].multiplicity = multiplicity ? multiplicity[i] : 1;
	}
	qsort(members, n, sizeof *members, by_id);
	put_key(g, key);
	put_number(g, key->family < ENT_SET_COUNT ? key->family : ENT_SET_COUNT);
	for (size_t i = 0; i < n; i++) {
		put_bytes(g, members[i].id, 16);
		put_number(g, members[i].multiplicity);
	}
	end_item(g);
	free(members);
	return 0;
}

static int put_dist(void *ctx, const ent_cell_key *key, const int32_t *buckets, const int64_t *counts, size_t n) {
	group *g = ctx;
	const ent_catalogue *all = ent_engine_catalogue(g->e);
	if (!put_space(g, all->dists, all->n_dists, ENT_DIST_COUNT, key->family)) {
		return 0;
	}
	put_key(g, key);
	put_number(g, 100 + (key->family < ENT_DIST_COUNT ? key->family : ENT_DIST_COUNT));
	for (size_t i = 0; i < n; i++) {
		put_number(g, buckets[i]);
		put_number(g, counts[i]);
	}
	end_item(g);
	return 0;
}

static int put_reject(void *ctx, const ent_reject *r) {
	group *g = ctx;
	put_code(g, r->source);
	put_text(g, r->input_name);
	put_number(g, (int64_t)r->place);
	put_text(g, r->reason);
	put_number(g, (int64_t)r->hash);
	end_item(g);
	return 0;
}

static void put_inputs(group *g) {
	const ent_engine *e = g->e;
	for (uint32_t i = 1; i < e->n_inputs; i++) {
		const ent_input *x = &e->inputs[i];
		if (!x->live || !e->stored[i].exists) {
			continue;
		}
		put_code(g, x->source);
		put_text(g, x->name);
		put_number(g, (int64_t)x->position);
		put_number(g, (int64_t)x->content);
		end_item(g);
	}
}

int ent_engine_digest(ent_engine *e, ent_digest *out, ent_error *error) {
	group g = {.e = e, .error = error};
	int status = ent__index_load(e, error);
	if (!status) {
		status = ent_index_each(e->index, put_document, &g);
	}
	end_group(&g, out->documents);
	g = (group){.e = e, .error = error};
	for (unsigned f = 0; f < ENT_FAMILY_COUNT + (e->counted != NULL) && !status; f++) {
		status = ent_store_cells_scan(e->store, f, UINT32_MAX, put_cell, &g, error);
	}
	end_group(&g, out->cells);
	g = (group){.e = e, .error = error};
	if (!status) {
		status = ent_store_sets_scan(e->store, UINT32_MAX, put_set, &g, error);
	}
	if (!status) {
		status = ent_store_dists_scan(e->store, UINT32_MAX, put_dist, &g, error);
	}
	end_group(&g, out->members);
	g = (group){.e = e, .error = error};
	if (!status) {
		status = ent_store_rejects_scan(e->store, UINT32_MAX, put_reject, &g, error);
	}
	end_group(&g, out->rejects);
	g = (group){.e = e, .error = error};
	put_inputs(&g);
	end_group(&g, out->inputs);
	crypto_generichash(out->all, 32, out->documents, 160, NULL, 0);
	return status;
}
