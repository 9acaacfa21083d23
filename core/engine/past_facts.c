/* SPDX-License-Identifier: Apache-2.0
 *
 * Single facts as they were known on the past day that is judged, for the tables and views that rules ask for. By
 * events the documents that count are cut, as their cells are. By arrival they are those that have one frame, if it had
 * come, and beside them all keys with several, joined as of the day. Loop thread only. */
#include "engine/days.h"
#include "engine/past_internal.h"

typedef struct looking {
	ent_past *p;
	ent__facts_visit visit;
	void *ctx;
} looking;

static int visit_cut(void *ctx, ent_document *d) {
	const looking *l = ctx;
	ent__past_cut(l->p->e, d, l->p->day);
	return d->n ? l->visit(l->ctx, d) : 0;
}

/* Of one frame: what of it had come. */
static int visit_arrived(void *ctx, ent_document *d) {
	const looking *l = ctx;
	const ent_past *p = l->p;
	uint32_t partner = ent__past_partner(d), kept = 0;
	if (ent_index_find(p->several, ent_document_index_key(d), NULL)) {
		return 0; /* among the others */
	}
	for (uint32_t i = 0; i < d->n; i++) {
		if (ent__day_of(p->e, partner, d->items[i].arrival) <= p->day) {
			d->items[kept++] = d->items[i];
		}
	}
	d->n = kept;
	return d->n ? l->visit(l->ctx, d) : 0;
}

static bool has_part(const ent_document *d, uint32_t partner) {
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->items[i].partner == partner) {
			return true;
		}
	}
	return false;
}

/* Keys with several frames, of one partner; 0: of those that several share. */
static int visit_groups(
	ent_past *p, uint32_t of, uint32_t partner, unsigned kinds, const looking *l, ent_error *error) {
	size_t low = 0, high = p->n_groups;
	int status = 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->groups[middle].partner < of) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	p->error = error;
	for (; low < p->n_groups && p->groups[low].partner == of && !status; low++) {
		const ent__past_group *g = &p->groups[low];
		if (!(kinds >> g->kind & 1)) {
			continue;
		}
		status = ent__past_load(p, g->at, g->n);
		if (!status) {
			ent__past_state(&p->key, &p->inputs, p->knowledge, p->day, &p->state);
			status = p->state.n && (of || has_part(&p->state, partner)) ? l->visit(l->ctx, &p->state) : 0;
		}
	}
	return status;
}

int ent__past_each(ent_past *p, uint32_t partner, unsigned kinds, ent__facts_visit visit, void *ctx, ent_error *error) {
	looking l = {p, visit, ctx};
	if (p->knowledge == ENT_KNOWLEDGE_EVENT) {
		return ent__facts_each_now(p->e, partner, kinds, visit_cut, &l, error);
	}
	int status = ent__facts_each_now(p->e, partner, kinds, visit_arrived, &l, error);
	status = status ? status : visit_groups(p, partner, partner, kinds, &l, error);
	return status ? status : visit_groups(p, 0, partner, kinds, &l, error);
}
