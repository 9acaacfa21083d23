/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells, sets, distributions and records of a past moment, in memory, in the orders in which the store has them. Each
 * partner has its own, so that a day that adds to it moves nothing of the others; and as days mostly add behind what is
 * there, little is moved at all. Loop thread only. */
#include "engine/past_internal.h"

#include <stdlib.h>
#include <string.h>

/* A set or a distribution of one cell: members with their counts, as ent_change() has them. */
typedef struct members {
	ent_cell_key key;
	uint64_t *items;
	uint32_t n, capacity;
} members;

typedef struct list {
	members *v;
	size_t n, capacity;
} list;

typedef struct own {
	ent_cell *cells;
	size_t n, capacity;
	list lists[2]; /* sets, distributions */
} own;

typedef struct note {
	ent_record r; /* the JSON is this one's */
	bool gone;
} note;

struct ent__past_base {
	ent_engine *e;
	own *partners; /* by code */
	uint32_t n_partners;
	note *records;
	size_t n_records, records_capacity;
	ent_index *by_key; /* kind and key, mixed; position: number in records + 1 */
	uint32_t *order;   /* of those that are there: by partner, kind, day, key */
	size_t n_order;
	bool disordered;
	uint32_t *ids; /* scratch, for who visits */
	int32_t *buckets;
	int64_t *counts;
	size_t ids_capacity;
};

ent__past_base *ent__past_base_create(ent_engine *e) {
	ent__past_base *b = ent_xcalloc(1, sizeof *b);
	b->e = e;
	b->by_key = ent_index_create(1024);
	return b;
}

void ent__past_base_destroy(ent__past_base *b) {
	if (!b) {
		return;
	}
	for (uint32_t i = 0; i < b->n_partners; i++) {
		for (int k = 0; k < 2; k++) {
			list *l = &b->partners[i].lists[k];
			for (size_t m = 0; m < l->n; m++) {
				free(l->v[m].items);
			}
			free(l->v);
		}
		free(b->partners[i].cells);
	}
	for (size_t i = 0; i < b->n_records; i++) {
		free((char *)b->records[i].r.json);
	}
	free(b->partners);
	free(b->records);
	free(b->order);
	free(b->ids);
	free(b->buckets);
	free(b->counts);
	ent_index_destroy(b->by_key);
	free(b);
}

static own *own_of(ent__past_base *b, uint32_t partner) {
	if (partner >= b->n_partners) {
		uint32_t n = partner + 64;
		b->partners = ent_xrealloc(b->partners, n * sizeof *b->partners);
		memset(b->partners + b->n_partners, 0, (n - b->n_partners) * sizeof *b->partners);
		b->n_partners = n;
	}
	return &b->partners[partner];
}

/* ---- adding ---------------------------------------------------------------------------------------------------------
 */

static bool is_zero(const ent_cell *c) {
	for (unsigned i = 0; i < ENT_FAMILY_WIDTH; i++) {
		if (c->m[i]) {
			return false;
		}
	}
	return true;
}

static void take_change(ent_cell *c, const ent_cell_change *x, bool *overflow) {
	unsigned width = ent_family_width(x->key->family);
	for (unsigned i = 0; i < width; i++) {
		*overflow |= __builtin_add_overflow(c->m[i], x->m[i], &c->m[i]);
	}
}

/* Changes of one partner, in order, into its cells. All behind the first of them is merged anew. */
static void merge_cells(own *p, const ent_cell_change *x, size_t n, bool *overflow) {
	size_t low = 0, high = p->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ent_cell_key_compare(&p->cells[middle].key, x[0].key) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	size_t tail = p->n - low, kept = low;
	ent_cell *old = ent_xmalloc(tail * sizeof *old + 1);
	if (tail) {
		memcpy(old, p->cells + low, tail * sizeof *old);
	}
	if (p->capacity < p->n + n) {
		p->capacity = p->n + n + p->n / 4;
		p->cells = ent_xrealloc(p->cells, p->capacity * sizeof *p->cells);
	}
	for (size_t i = 0, k = 0; i < tail || k < n;) {
		int order = i == tail ? 1 : k == n ? -1 : ent_cell_key_compare(&old[i].key, x[k].key);
		ent_cell *to = &p->cells[kept++];
		if (order <= 0) {
			*to = old[i++];
		} else {
			*to = (ent_cell){.key = *x[k].key};
		}
		if (order >= 0) {
			take_change(to, &x[k++], overflow);
			kept -= is_zero(to);
		}
	}
	free(old);
	p->n = kept;
}

/* *wrong: a count fell below zero: something was taken back that was never added. */
static void merge_members(members *m, const ent_members_change *x, bool *wrong) {
	uint64_t *items = ent_xmalloc(((size_t)m->n + x->n) * sizeof *items + 1);
	uint32_t kept = 0;
	for (uint32_t i = 0, k = 0; i < m->n || k < x->n;) {
		uint32_t a = i < m->n ? ent_change_member(m->items[i]) : 0, b = k < x->n ? ent_change_member(x->items[k]) : 0;
		int order = i == m->n ? 1 : k == x->n ? -1 : a < b ? -1 : a > b;
		int64_t count = 0;
		uint32_t member = order <= 0 ? a : b;
		count += order <= 0 ? ent_change_net(m->items[i]) : 0;
		count += order >= 0 ? ent_change_net(x->items[k]) : 0;
		i += order <= 0;
		k += order >= 0;
		*wrong |= count < 0 || count > INT32_MAX;
		if (count > 0) {
			items[kept++] = ent_change(member, (int32_t)count);
		}
	}
	free(m->items);
	m->items = items;
	m->n = kept;
}

static void merge_list(list *l, const ent_members_change *x, size_t n, bool *wrong) {
	size_t low = 0, high = l->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ent_cell_key_compare(&l->v[middle].key, x[0].key) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	size_t tail = l->n - low, kept = low;
	members *old = ent_xmalloc(tail * sizeof *old + 1);
	if (tail) {
		memcpy(old, l->v + low, tail * sizeof *old);
	}
	if (l->capacity < l->n + n) {
		l->capacity = l->n + n + l->n / 4;
		l->v = ent_xrealloc(l->v, l->capacity * sizeof *l->v);
	}
	for (size_t i = 0, k = 0; i < tail || k < n;) {
		int order = i == tail ? 1 : k == n ? -1 : ent_cell_key_compare(&old[i].key, x[k].key);
		members *to = &l->v[kept++];
		*to = order <= 0 ? old[i++] : (members){.key = *x[k].key};
		if (order >= 0) {
			merge_members(to, &x[k++], wrong);
			if (!to->n) {
				free(to->items);
				kept--;
			}
		}
	}
	free(old);
	l->n = kept;
}

int ent__past_base_add(ent__past_base *b, const ent_cells_flush *f, ent_error *e) {
	bool overflow = false, wrong = false;
	for (size_t i = 0, k; i < f->n_cells; i = k) {
		for (k = i + 1; k < f->n_cells && f->cells[k].key->partner == f->cells[i].key->partner; k++) {
		}
		merge_cells(own_of(b, f->cells[i].key->partner), &f->cells[i], k - i, &overflow);
	}
	const ent_members_change *changes[2] = {f->sets, f->dists};
	size_t n[2] = {f->n_sets, f->n_dists};
	for (int which = 0; which < 2; which++) {
		const ent_members_change *x = changes[which];
		for (size_t i = 0, k; i < n[which]; i = k) {
			for (k = i + 1; k < n[which] && x[k].key->partner == x[i].key->partner; k++) {
			}
			merge_list(&own_of(b, x[i].key->partner)->lists[which], &x[i], k - i, &wrong);
		}
	}
	if (overflow) {
		return ent_error_set(e, ENT_ERR_RANGE, "a sum of a past day leaves the range of 64 bits");
	}
	return wrong ? ent_error_set(e, ENT_ERR_CORRUPT,
					   "what is taken back of a past day was never added: keep the store and tell us")
				 : 0;
}

/* ---- records
 * --------------------------------------------------------------------------------------------------------- */

void ent__past_base_record(ent__past_base *b, const ent_record *r, bool drop) {
	uint64_t mixed = (r->key ^ r->kind) * UINT64_C(0x9E3779B97F4A7C15);
	mixed = mixed ? mixed : 1;
	ent_index_entry *x = ent_index_find(b->by_key, mixed, NULL);
	while (x && (b->records[x->at - 1].r.key != r->key || b->records[x->at - 1].r.kind != r->kind)) {
		x = ent_index_find(b->by_key, mixed, x);
	}
	if (!x && drop) {
		return;
	}
	if (!x) {
		ENT_GROW(b->records, b->n_records, b->records_capacity);
		b->records[b->n_records++] = (note){.gone = true};
		x = ent_index_add(b->by_key, mixed, b->n_records);
	}
	note *k = &b->records[x->at - 1];
	free((char *)k->r.json);
	k->r = *r;
	k->gone = drop;
	k->r.json = NULL;
	if (!drop) {
		char *json = ent_xmalloc(r->n + 1);
		memcpy(json, r->json, r->n);
		json[r->n] = 0;
		k->r.json = json;
	}
	b->disordered = true;
}

static int by_store(const void *x, const void *y, void *base) {
	const note *all = ((const ent__past_base *)base)->records;
	const ent_record *a = &all[*(const uint32_t *)x].r, *b = &all[*(const uint32_t *)y].r;
#define BY(field)                                                                                                      \
	if (a->field != b->field)                                                                                          \
	return a->field < b->field ? -1 : 1
	BY(partner);
	BY(kind);
	BY(day);
#undef BY
	int64_t p = (int64_t)a->key, q = (int64_t)b->key; /* the store's numbers have a sign */
	return p < q ? -1 : p > q;
}

int ent__past_base_records(
	void *base, uint32_t kind, uint32_t partner, ent_record_visit visit, void *to, ent_error *e) {
	(void)e;
	ent__past_base *b = base;
	if (b->disordered) {
		b->order = ent_xrealloc(b->order, (b->n_records + 1) * sizeof *b->order);
		b->n_order = 0;
		for (size_t i = 0; i < b->n_records; i++) {
			if (!b->records[i].gone) {
				b->order[b->n_order++] = (uint32_t)i;
			}
		}
		ENT_SORT_R(b->order, b->n_order, by_store, b);
		b->disordered = false;
	}
	int status = 0;
	for (size_t i = 0; i < b->n_order && !status; i++) {
		const ent_record *r = &b->records[b->order[i]].r;
		if ((!kind || r->kind == kind) && (partner == UINT32_MAX || r->partner == partner)) {
			status = visit(to, r);
		}
	}
	return status;
}

/* ---- visiting
 * -------------------------------------------------------------------------------------------------------- */

int ent__past_base_cells(void *base, ent_family family, ent_cell_visit visit, void *to, ent_error *e) {
	(void)e;
	const ent__past_base *b = base;
	int status = 0;
	for (uint32_t p = 0; p < b->n_partners; p++) {
		for (size_t i = 0; i < b->partners[p].n && !status; i++) {
			unsigned of = b->partners[p].cells[i].key.family;
			if (of == (unsigned)family ||
				((unsigned)family == ENT_FAMILY_CUSTOM && of > ENT_FAMILY_CUSTOM && of < ENT_FAMILY_OF_SETS)) {
				status = visit(to, &b->partners[p].cells[i]);
			}
		}
	}
	return status;
}

static void room(ent__past_base *b, uint32_t n) {
	if (n > b->ids_capacity) {
		b->ids_capacity = n + n / 4;
		b->ids = ent_xrealloc(b->ids, b->ids_capacity * sizeof *b->ids);
		b->buckets = ent_xrealloc(b->buckets, b->ids_capacity * sizeof *b->buckets);
		b->counts = ent_xrealloc(b->counts, b->ids_capacity * sizeof *b->counts);
	}
}

int ent__past_base_sets(void *base, ent_set_visit visit, void *to, ent_error *e) {
	(void)e;
	ent__past_base *b = base;
	int status = 0;
	for (uint32_t p = 0; p < b->n_partners; p++) {
		const list *l = &b->partners[p].lists[0];
		for (size_t i = 0; i < l->n && !status; i++) {
			room(b, l->v[i].n);
			for (uint32_t k = 0; k < l->v[i].n; k++) {
				b->ids[k] = ent_change_member(l->v[i].items[k]);
			}
			status = visit(to, &l->v[i].key, b->ids, NULL, l->v[i].n);
		}
	}
	return status;
}

int ent__past_base_dists(void *base, ent_dist_visit visit, void *to, ent_error *e) {
	(void)e;
	ent__past_base *b = base;
	int status = 0;
	for (uint32_t p = 0; p < b->n_partners; p++) {
		const list *l = &b->partners[p].lists[1];
		for (size_t i = 0; i < l->n && !status; i++) {
			room(b, l->v[i].n);
			for (uint32_t k = 0; k < l->v[i].n; k++) {
				b->buckets[k] = ent_member_bucket(ent_change_member(l->v[i].items[k]));
				b->counts[k] = ent_change_net(l->v[i].items[k]);
			}
			status = visit(to, &l->v[i].key, b->buckets, b->counts, l->v[i].n);
		}
	}
	return status;
}
