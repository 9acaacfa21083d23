/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents in memory, and how they join; see document.h. */
#include "facts/document.h"
#include "base/arena.h"
#include "base/intern.h"

#include <stdlib.h>

struct ent__pairs {
	struct ent__pairs *next;
	uint32_t codes[];
};

int ent_rank_compare(const ent_rank *a, const ent_rank *b) {
	if (a->updated != b->updated) {
		return a->updated < b->updated ? -1 : 1;
	}
	if (a->snapshot != b->snapshot) {
		return a->snapshot < b->snapshot ? -1 : 1;
	}
	return a->content == b->content ? 0 : a->content < b->content ? -1 : 1;
}

static void free_pairs(ent_document *d) {
	for (struct ent__pairs *p = d->pairs, *next; p; p = next) {
		next = p->next;
		free(p);
	}
	d->pairs = NULL;
}

void ent_document_finish(ent_document *d) {
	if (d) {
		free_pairs(d);
		free(d->items);
		*d = (ent_document){0};
	}
}

void ent_document_clear(ent_document *d) {
	free_pairs(d);
	ent_item *items = d->items;
	uint32_t capacity = d->capacity;
	*d = (ent_document){.items = items, .capacity = capacity};
}

ent_item *ent_document_add(ent_document *d) {
	ENT_GROW(d->items, d->n, d->capacity);
	ent_item *item = &d->items[d->n++];
	memset(item, 0, sizeof *item);
	return item;
}

ent_item *ent_document_add_raw(ent_document *d) {
	ENT_GROW(d->items, d->n, d->capacity);
	ent_item *item = &d->items[d->n++];
	memset(item, 0, offsetof(ent_item, body));
	item->pairs = NULL;
	return item;
}

uint32_t *ent_document_pairs(ent_document *d, uint32_t n) {
	struct ent__pairs *p = ent_xmalloc(sizeof *p + (size_t)n * 2 * sizeof(uint32_t));
	p->next = d->pairs;
	d->pairs = p;
	return p->codes;
}

const ent_item *ent_document_head(const ent_document *d) {
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->items[i].kind == d->kind) {
			return &d->items[i];
		}
	}
	return NULL;
}

uint64_t ent_document_index_key(const ent_document *d) {
	uint64_t h = d->key_hash ^ ((uint64_t)d->system << 32 | d->scope) * UINT64_C(0x9E3779B97F4A7C15);
	h ^= h >> 29;
	h *= UINT64_C(0xBF58476D1CE4E5B9);
	h ^= h >> 32;
	return h ? h : 1;
}

bool ent_document_same_key(const ent_document *a, const ent_document *b) {
	return a->system == b->system && a->scope == b->scope && a->kind == b->kind && a->key_n == b->key_n &&
		   !memcmp(a->key, b->key, a->key_n);
}

/* Items lie in an order that does not depend on how they came: head first, then lines and refunds by key, parts of a
 * visit by input. The content of the whole is then a hash of the contents in that order. */
static int item_compare(const ent_document *d, const ent_item *a, const ent_item *b) {
	bool head_a = a->kind == d->kind, head_b = b->kind == d->kind;
	if (head_a != head_b) {
		return head_a ? -1 : 1;
	}
	if (head_a) { /* of one key: only the parts of a visit stand side by side, of all else one wins */
		return d->kind != ENT_VISIT ? 0 : a->input < b->input ? -1 : a->input > b->input;
	}
	if (a->kind != b->kind) {
		return a->kind < b->kind ? -1 : 1;
	}
	size_t n = a->key_n < b->key_n ? a->key_n : b->key_n;
	int order = memcmp(a->key, b->key, n);
	return order ? order : (int)a->key_n - (int)b->key_n;
}

uint64_t ent_document_content(const ent_document *d) {
	if (d->n == 0) {
		return 0;
	}
	uint64_t sum = d->items[0].rank.content;
	bool one = true;
	for (uint32_t i = 1; i < d->n; i++) {
		one = one && d->items[i].rank.content == sum && ent_rank_compare(&d->items[i].rank, &d->items[0].rank) == 0;
	}
	if (one) {
		return sum ? sum : 1; /* one fact, or an order given whole: the hash that the worker made */
	}
	sum = d->n;
	for (uint32_t i = 0; i < d->n; i++) {
		/* a sum of mixed hashes: independent of the order of the items */
		uint64_t h = d->items[i].rank.content ^ ent_hash64(d->items[i].key, d->items[i].key_n, d->items[i].kind);
		h = (h ^ h >> 31) * UINT64_C(0x94D049BB133111EB);
		sum += h ^ h >> 29;
	}
	return sum ? sum : 1;
}

/* Which part tells the texts of a visit: the one that starts first; at a tie the one that stands first in its input. */
static bool earlier(const ent_item *a, const ent_item *b) {
	int64_t x = ent_wire_time_unpack(a->body.visit.at).v, y = ent_wire_time_unpack(b->body.visit.at).v;
	return x != y ? x < y : a->place < b->place;
}

/* Adds up two parts of one visit. */
static void visit_merge(ent_item *into, const ent_item *from) {
	ent_wire_visit *a = &into->body.visit;
	const ent_wire_visit *b = &from->body.visit;
	if (earlier(from, into)) {
		a->at = b->at;
		a->channel = b->channel;
		a->source = b->source;
		a->campaign = b->campaign;
		a->country = b->country;
		a->device = b->device;
		a->landing = b->landing;
		into->place = from->place;
	}
	if (ent_wire_time_unpack(b->until).v > ent_wire_time_unpack(a->until).v) {
		a->until = b->until;
	}
	if (!a->day) {
		a->day = b->day;
	}
	if (!ent_dense(&a->visitor)) {
		a->visitor = b->visitor;
	}
	a->engaged_us += b->engaged_us;
	a->steps |= b->steps;
	a->pageviews += b->pageviews;
	a->purchases += b->purchases;
	a->load_ms += b->load_ms;
	a->loads += b->loads;
	a->consent = a->consent > b->consent ? a->consent : b->consent;
	a->engaged |= b->engaged;
	a->is_new |= b->is_new;
	into->has |= from->has;
	into->plain_n = 0; /* the body is no more what was read */
	into->arrival = into->arrival > from->arrival ? into->arrival : from->arrival;
	if (ent_rank_compare(&into->rank, &from->rank) < 0) {
		into->rank = from->rank;
	}
}

/* Two items with one key: what remains of them is left in *into. */
static void settle(ent_item *into, const ent_item *from, ent_join *result) {
	if (into->kind == ENT_VISIT) {
		visit_merge(into, from);
		result->merged++;
		result->changed = true;
		return;
	}
	int order = ent_rank_compare(&from->rank, &into->rank);
	/* Equal content: one fact, told twice; it counts from the higher rank on, so that order of arrival is no matter. */
	bool equal = from->rank.content == into->rank.content && from->partner == into->partner &&
				 (from->flags & ENT_DOC_RETRACT) == (into->flags & ENT_DOC_RETRACT);
	if (order > 0) {
		*into = *from;
		result->changed |= !equal;
		result->raised = true;
	} else {
		result->lost |= !equal || from->input != into->input;
	}
	if (equal) {
		result->duplicate++;
	} else if (order > 0) {
		result->replaced++;
	} else {
		result->superseded++;
	}
}

static int sort_compare(const void *a, const void *b, void *document) { return item_compare(document, a, b); }

void ent_document_normalize(ent_document *d, ent_join *result) {
	bool sorted = true;
	for (uint32_t i = 1; i < d->n && sorted; i++) {
		sorted = item_compare(d, &d->items[i - 1], &d->items[i]) < 0;
	}
	if (sorted) {
		return;
	}
	qsort_r(d->items, d->n, sizeof *d->items, sort_compare, d);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		if (kept && item_compare(d, &d->items[kept - 1], &d->items[i]) == 0) {
			settle(&d->items[kept - 1], &d->items[i], result);
		} else {
			d->items[kept++] = d->items[i];
		}
	}
	d->n = kept;
}

/* Lines that are older than the newest complete set of lines are gone from the order. */
static bool drop_below_complete(ent_document *d) {
	uint32_t kept = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->items[i].kind == ENT_LINE && ent_rank_compare(&d->items[i].rank, &d->complete) < 0) {
			continue;
		}
		d->items[kept++] = d->items[i];
	}
	bool dropped = kept != d->n;
	d->n = kept;
	return dropped;
}

ent_join ent_document_join(ent_document *into, const ent_document *from) {
	ent_join result = {0};
	uint32_t n = into->n, capacity = n + from->n, kept = 0;
	ent_item *old = into->items;
	ent_item *items = ent_xmalloc((size_t)capacity * sizeof *items);
	for (uint32_t i = 0, k = 0; i < n || k < from->n;) {
		int order = i == n ? 1 : k == from->n ? -1 : item_compare(into, &old[i], &from->items[k]);
		if (order < 0) {
			items[kept++] = old[i++];
			continue;
		}
		if (order == 0) {
			items[kept] = old[i++];
			settle(&items[kept++], &from->items[k++], &result);
			continue;
		}
		const ent_item *item = &from->items[k++];
		if (item->kind == ENT_LINE && into->has_complete && ent_rank_compare(&item->rank, &into->complete) < 0) {
			result.superseded++;
			result.lost = true;
			continue;
		}
		if (item->kind == ENT_VISIT && n) {
			result.merged++;
		} else {
			result.stored++;
		}
		result.changed = true;
		items[kept++] = *item;
	}
	free(old);
	into->items = items;
	into->n = kept;
	into->capacity = capacity;
	if (from->has_complete && (!into->has_complete || ent_rank_compare(&from->complete, &into->complete) > 0)) {
		into->has_complete = true;
		into->complete = from->complete;
		result.raised = true;
	}
	if (into->has_complete && drop_below_complete(into)) {
		result.changed = true;
	}
	return result;
}

uint32_t ent_document_drop_inputs(ent_document *d, bool (*dead)(void *ctx, uint32_t input), void *ctx) {
	uint32_t kept = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		if (!dead(ctx, d->items[i].input)) {
			d->items[kept++] = d->items[i];
		}
	}
	uint32_t gone = d->n - kept;
	d->n = kept;
	if (gone) {
		d->has_complete = false;
		for (uint32_t i = 0; i < d->n; i++) {
			if (d->items[i].flags & ENT_DOC_LINES_COMPLETE) {
				d->has_complete = true;
				d->complete = d->items[i].rank;
			}
		}
	}
	return gone;
}
