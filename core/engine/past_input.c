/* SPDX-License-Identifier: Apache-2.0
 *
 * When documents came, how far they reached then, and when what they told was taken back. A store keeps when an input
 * came
 * (`arrived_us`, `gone_us`); of one that was there before it did, the arrival of its first fact says so.
 *
 * Coverage is stored as it is now. What of it was known on a past day: nothing of an input that had not come, nothing
 * behind the last day of the facts that it had brought by then, if it brought more later; and of an edition that took
 * the place of an older one, whose rows are gone, as much as the older one's facts reached. Loop thread only. */
#include "engine/days.h"
#include "engine/past_internal.h"

#include <stdlib.h>
#include <string.h>

static int take_cover(void *ctx, const ent_cover *c) {
	ent__past_inputs *p = ctx;
	ENT_GROW(p->covers, p->n_covers, p->covers_capacity);
	p->covers[p->n_covers++] = *c;
	return 0;
}

int ent__past_inputs_open(ent__past_inputs *p, ent_engine *e, ent_error *error) {
	*p = (ent__past_inputs){.e = e, .n = e->n_inputs};
	p->v = ent_xcalloc(p->n + 1u, sizeof *p->v);
	return ent_store_covers_scan(e->store, take_cover, p, error);
}

void ent__past_inputs_close(ent__past_inputs *p) {
	for (uint32_t i = 0; i < p->n && p->v; i++) {
		free(p->v[i].parts);
	}
	free(p->v);
	free(p->covers);
	free(p->completes);
	*p = (ent__past_inputs){0};
}

/* Frames mostly come in the order of their arrival. */
static ent__past_part *part_of(ent__past_input *x, int64_t arrival) {
	for (size_t i = x->n; i-- > 0 && x->parts[i].arrival >= arrival;) {
		if (x->parts[i].arrival == arrival) {
			return &x->parts[i];
		}
	}
	ENT_GROW(x->parts, x->n, x->capacity);
	size_t at = x->n++;
	while (at && x->parts[at - 1].arrival > arrival) {
		x->parts[at] = x->parts[at - 1];
		at--;
	}
	x->parts[at] = (ent__past_part){arrival, INT32_MAX, INT32_MIN};
	return &x->parts[at];
}

void ent__past_inputs_seen(ent__past_inputs *p, const ent_document *d) {
	for (uint32_t i = 0; i < d->n; i++) {
		const ent_item *item = &d->items[i];
		int32_t day;
		if (item->input >= p->n) {
			continue;
		}
		ent__past_part *part = part_of(&p->v[item->input], item->arrival);
		if (item->kind == d->kind && !(item->flags & ENT_DOC_RETRACT) &&
			ent_fold_day(&p->e->fold, item, item->partner, &day)) {
			part->first = day < part->first ? day : part->first;
			part->last = day > part->last ? day : part->last;
		}
	}
}

/* ---- editions
 * -------------------------------------------------------------------------------------------------------- */

static int64_t arrived(const ent__past_inputs *p, uint32_t id) { return p->v[id].arrived; }

static int by_name(const void *a, const void *b, void *inputs) {
	const ent__past_inputs *p = inputs;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const ent_input *x = &p->e->inputs[i], *y = &p->e->inputs[k];
	int order = x->source != y->source ? (x->source < y->source ? -1 : 1) : strcmp(x->name, y->name);
	return order                            ? order
		   : arrived(p, i) != arrived(p, k) ? (arrived(p, i) < arrived(p, k) ? -1 : 1)
		   : i < k                          ? -1
											: i > k;
}

static int by_slice(const void *a, const void *b, void *inputs) {
	const ent__past_inputs *p = inputs;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const ent_input *x = &p->e->inputs[i], *y = &p->e->inputs[k];
	int order = x->source != y->source ? (x->source < y->source ? -1 : 1)
				: x->slice != y->slice ? (x->slice < y->slice ? -1 : 1)
									   : 0;
	return order                            ? order
		   : arrived(p, i) != arrived(p, k) ? (arrived(p, i) < arrived(p, k) ? -1 : 1)
		   : i < k                          ? -1
											: i > k;
}

/* Each input after the edition that it took the place of. */
static void chain(ent__past_inputs *p, uint32_t *ids, uint32_t n, bool slices) {
	ENT_SORT_R(ids, n, slices ? by_slice : by_name, p);
	for (uint32_t i = 1; i < n; i++) {
		const ent_input *x = &p->e->inputs[ids[i - 1]], *y = &p->e->inputs[ids[i]];
		bool same = x->source == y->source && (slices ? x->slice && x->slice == y->slice : !strcmp(x->name, y->name));
		ent__past_input *older = &p->v[ids[i - 1]], *newer = &p->v[ids[i]];
		if (!same || older->arrived == newer->arrived) {
			continue;
		}
		if (!newer->older || p->v[newer->older].arrived < older->arrived) {
			newer->older = ids[i - 1];
		}
		if (!slices) {
			older->visits_gone = newer->arrived;
		}
		if (!x->live && !x->gone_us && older->gone == INT64_MIN) { /* of a store that did not keep it */
			older->gone = newer->arrived;
		}
	}
}

static void complete_rules(ent__past_inputs *p) {
	for (size_t i = 0; i < p->n_covers; i++) {
		const ent_cover *c = &p->covers[i];
		const ent_input *x = c->input < p->n ? &p->e->inputs[c->input] : NULL;
		if (x && c->complete && c->declared && x->done && x->live && !x->rejected) { /* as complete.c has it */
			ENT_GROW(p->completes, p->n_completes, p->completes_capacity);
			p->completes[p->n_completes++] = (ent__past_complete){*c, x->snapshot_us, p->v[c->input].arrived};
		}
	}
}

void ent__past_inputs_settle(ent__past_inputs *p) {
	uint32_t *ids = ent_xmalloc((p->n + 1u) * sizeof *ids), n = 0;
	for (uint32_t i = 1; i < p->n; i++) {
		const ent_input *x = &p->e->inputs[i];
		ent__past_input *own = &p->v[i];
		own->arrived = x->arrived_us ? x->arrived_us : own->n ? own->parts[0].arrival : x->snapshot_us;
		own->gone = x->live ? INT64_MAX : x->gone_us ? x->gone_us : INT64_MIN;
		own->visits_gone = INT64_MAX;
		if (x->source) {
			ids[n++] = i;
		}
	}
	chain(p, ids, n, false);
	chain(p, ids, n, true);
	free(ids);
	complete_rules(p);
}

/* ---- coverage
 * -------------------------------------------------------------------------------------------------------- */

/* Days of the facts that it had brought by the end of the day; *later: it brought more. */
static void reached(const ent__past_inputs *p, uint32_t input, uint32_t partner, int32_t day, int32_t *first,
	int32_t *last, bool *later) {
	const ent__past_input *x = &p->v[input];
	*first = INT32_MAX;
	*last = INT32_MIN;
	*later = false;
	for (size_t i = 0; i < x->n; i++) {
		if (ent__day_of(p->e, partner, x->parts[i].arrival) > day) {
			*later = true;
			return;
		}
		*first = x->parts[i].first < *first ? x->parts[i].first : *first;
		*last = x->parts[i].last > *last ? x->parts[i].last : *last;
	}
}

/* false: nobody spoke for any of these days then. */
static bool as_known(const ent__past_inputs *p, int32_t day, ent_cover *c) {
	uint32_t id = c->input < p->n ? c->input : 0;
	if (!id) {
		return false;
	}
	while (id && ent__day_of(p->e, c->partner, p->v[id].arrived) > day) {
		id = p->v[id].older;
	}
	if (!id) {
		return false;
	}
	int32_t first, last;
	bool later;
	reached(p, id, c->partner, day, &first, &last, &later);
	if (id == c->input && !later) {
		return true;
	}
	if (last < first) {
		return false;
	}
	c->to = c->to > last + 1 ? last + 1 : c->to;
	c->from = !c->declared && c->from < first ? first : c->from;
	return c->from < c->to;
}

int ent__past_covers(
	const ent__past_inputs *p, ent_knowledge knowledge, int32_t day, ent_cover_visit visit, void *to, ent_error *e) {
	(void)e;
	int status = 0;
	for (size_t i = 0; i < p->n_covers && !status; i++) {
		ent_cover c = p->covers[i];
		if (knowledge == ENT_KNOWLEDGE_EVENT || as_known(p, day, &c)) {
			status = visit(to, &c);
		}
	}
	return status;
}
