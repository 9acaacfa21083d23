/* SPDX-License-Identifier: Apache-2.0
 *
 * What one key of the ledger said on a past day.
 *
 * By arrival: the items of all frames of the key, those that count and those that lost, that had come by then and were
 * not taken back, join as they did then: joining does not depend on order, so nothing has to be known of the order in
 * which the frames were written, which compaction changes. Parts of visits add up: of each input the last state counts.
 *
 * By events: the document that counts, cut by the times that its facts tell. Entries of registers alone are asked for
 * their versions. Pure functions over what is given; loop thread only. */
#include "base/day.h"
#include "engine/days.h"
#include "engine/past_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- frames
 * ---------------------------------------------------------------------------------------------------------- */

void ent__past_key_finish(ent__past_key *k) {
	for (uint32_t i = 0; i < k->capacity; i++) {
		ent_document_finish(&k->frames[i]);
		ent_buf_finish(&k->bodies[i]);
	}
	free(k->frames);
	free(k->bodies);
	free(k->live);
	free(k->days);
	ent_document_finish(&k->part);
	*k = (ent__past_key){0};
}

static void room(ent__past_key *k) {
	if (k->n == k->capacity) {
		uint32_t n = k->capacity ? k->capacity * 2 : 4;
		k->frames = ent_xrealloc(k->frames, n * sizeof *k->frames);
		k->bodies = ent_xrealloc(k->bodies, n * sizeof *k->bodies);
		k->live = ent_xrealloc(k->live, n * sizeof *k->live);
		memset(k->frames + k->capacity, 0, (n - k->capacity) * sizeof *k->frames);
		memset(k->bodies + k->capacity, 0, (n - k->capacity) * sizeof *k->bodies);
		k->capacity = n;
	}
}

int ent__past_key_put(ent__past_key *k, const uint8_t *body, size_t n, bool live, ent_error *error) {
	room(k);
	if (!ent_document_decode(&k->frames[k->n], body, n)) {
		return ent_error_set(error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	k->live[k->n++] = live;
	return 0;
}

int ent__past_key_add(ent__past_key *k, ent_engine *e, ent_position at, bool live, ent_error *error) {
	room(k);
	ent_buf *body = &k->bodies[k->n];
	return ent_ledger_read(e->ledger, at, body, error) ? error->code
													   : ent__past_key_put(k, body->data, body->n, live, error);
}

/* ---- times
 * ----------------------------------------------------------------------------------------------------------- */

uint32_t ent__past_partner(const ent_document *d) {
	if (d->scope) {
		return d->scope;
	}
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->items[i].partner) {
			return d->items[i].partner;
		}
	}
	return 0;
}

/* Day of a time in the zone of the partner; false: it is not told. */
static bool day_of(const ent_engine *e, ent_wire_time at, const ent_item *item, uint32_t partner, int32_t *day) {
	ent_time t = ent_wire_time_unpack(at);
	switch (t.kind) {
	case ENT_TIME_NONE:
		return false;
	case ENT_TIME_DATE:
		*day = (int32_t)t.v;
		return true;
	case ENT_TIME_MONTH:
		*day = ent_day_of_month(t.v);
		return true;
	default:
		*day = ent__day_of(e, partner, ent_fold_instant(&e->fold, t, item->source, partner));
		return true;
	}
}

static bool after(const ent_engine *e, ent_wire_time at, const ent_item *item, uint32_t partner, int32_t day) {
	int32_t on;
	return day_of(e, at, item, partner, &on) && on > day;
}

/* The first day after the period of a figure. */
static int32_t end_of(const ent_engine *e, const ent_item *item, uint32_t partner) {
	const ent_wire_observation *o = &item->body.observation;
	ent_time from = ent_wire_time_unpack(o->from);
	int32_t day = INT32_MIN;
	if (o->to && day_of(e, o->to, item, partner, &day)) {
		return day;
	}
	if (from.kind == ENT_TIME_MONTH) {
		return ent_day_of_month(from.v + 1);
	}
	return day_of(e, o->from, item, partner, &day) ? day + 1 : INT32_MIN;
}

/* From which day on a figure was known: its rate holds from its first day; all else is known when its period is over,
 * or when it had arrived, if that was sooner: a plan, a forecast. */
static int32_t figure_known(const ent_engine *e, const ent_item *item, uint32_t partner) {
	int32_t day = INT32_MIN;
	if (item->body.observation.origin == ENT_ORIGIN_RATE) {
		day_of(e, item->body.observation.from, item, partner, &day);
		return day;
	}
	int32_t over = end_of(e, item, partner) - 1, came = ent__day_of(e, partner, item->arrival);
	return came < over ? came : over;
}

/* The day that an entry tells of itself, in the order in which registers are read; false: none. */
static bool entry_told(const ent_engine *e, const ent_item *item, uint32_t partner, int32_t *day) {
	static const char *const names[] = {"at", "on", "said_on"};
	if (day_of(e, item->body.entry.effective, item, partner, day)) {
		return true;
	}
	for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
		for (uint32_t i = 0; i < item->body.entry.n; i++) {
			const char *value = ent__text(e, item->pairs[i * 2 + 1]);
			if (!strcmp(ent__text(e, item->pairs[i * 2]), names[n]) && strlen(value) >= 10 &&
				ent_day_parse(value, 10, day)) {
				return true;
			}
		}
	}
	return false;
}

/* ---- by events
 * ------------------------------------------------------------------------------------------------------- */

static bool is_refund(const ent_item *item) { return item->kind == ENT_REFUND && !(item->flags & ENT_DOC_RETRACT); }

static void cut_order(const ent_engine *e, ent_document *d, int32_t day) {
	ent_item *head = (ent_item *)ent_document_head(d);
	uint32_t partner = ent__past_partner(d), kept = 0;
	bool dated = false;
	if (!head) {
		return; /* waits for it, and counts nowhere */
	}
	if (after(e, head->body.order.at, head, partner, day)) {
		d->n = 0;
		return;
	}
	ent_wire_order *o = &head->body.order;
	for (uint32_t i = 0; i < d->n; i++) {
		dated |= is_refund(&d->items[i]);
	}
	if (o->status == ENT_ORDER_CANCELLED && after(e, o->cancelled_at, head, partner, day)) {
		o->status = ENT_ORDER_SOLD;
		o->cancelled_at = 0;
		o->refunded = 0; /* what was paid back came with it, as far as anybody says */
	}
	if (dated) {
		o->refunded = 0; /* they say it themselves: also where all of them are later */
	}
	if (after(e, o->paid_at, head, partner, day)) {
		o->paid_at = 0;
		o->due = head->has & ENT_HAS_TOTAL ? o->total : o->due;
	}
	o->shipped_at = after(e, o->shipped_at, head, partner, day) ? 0 : o->shipped_at;
	o->delivered_at = after(e, o->delivered_at, head, partner, day) ? 0 : o->delivered_at;
	for (uint32_t i = 0; i < d->n; i++) {
		if (!is_refund(&d->items[i]) || !after(e, d->items[i].body.refund.at, &d->items[i], partner, day)) {
			d->items[kept++] = d->items[i];
		}
	}
	d->n = kept;
}

void ent__past_cut(ent_engine *e, ent_document *d, int32_t day) {
	ent_item *item = d->n ? &d->items[0] : NULL;
	uint32_t partner = ent__past_partner(d);
	if (!item) {
		return;
	}
	bool later = false;
	switch (d->kind) {
	case ENT_ORDER:
		cut_order(e, d, day);
		return;
	case ENT_VISIT: {
		ent_item whole = ent_fold_visit(d);
		int32_t on;
		later = ent_fold_day(&e->fold, &whole, whole.partner, &on) && on > day;
		break;
	}
	case ENT_CART:
		later = after(e, item->body.cart.started_at, item, partner, day);
		if (after(e, item->body.cart.recovered_at, item, partner, day)) {
			item->body.cart.recovered_at = 0;
			item->body.cart.order_key = 0;
		}
		break;
	case ENT_TOUCH:
		later = after(e, item->body.touch.at, item, partner, day);
		break;
	case ENT_CONTACT:
		later = after(e, item->body.contact.at, item, partner, day);
		if (after(e, item->body.contact.answered_at, item, partner, day)) {
			item->body.contact.answered_at = 0;
		}
		break;
	case ENT_OBSERVATION:
		later = figure_known(e, item, partner) > day;
		break;
	default:
		break;
	}
	d->n = later ? 0 : d->n;
}

static int by_rank(const void *a, const void *b) {
	return ent_rank_compare(&(*(const ent_item *const *)a)->rank, &(*(const ent_item *const *)b)->rank);
}

/* Versions of an entry, each with the day from which it was known: the one that it tells, if the version before told
 * another one; else it was changed without saying when, which was known when that was recorded. */
static size_t versions(
	const ent__past_key *k, const ent_engine *e, const ent_item ***out, int32_t **known, uint64_t *untold) {
	size_t n = 0, kept = 0;
	for (uint32_t i = 0; i < k->n; i++) {
		n += k->frames[i].n;
	}
	const ent_item **v = ent_xmalloc(n * sizeof *v + 1);
	int32_t *days = ent_xmalloc(n * sizeof *days + 1), told, before = 0;
	n = 0;
	for (uint32_t i = 0; i < k->n; i++) {
		for (uint32_t x = 0; x < k->frames[i].n; x++) {
			v[n++] = &k->frames[i].items[x];
		}
	}
	ENT_SORT(v, n, by_rank);
	bool had = false;
	for (size_t i = 0; i < n; i++) {
		if (kept && !ent_rank_compare(&v[kept - 1]->rank, &v[i]->rank)) {
			continue;
		}
		uint32_t partner = v[i]->partner;
		bool tells = entry_told(e, v[i], partner, &told);
		bool own = tells && !(kept && had && told == before);
		days[kept] = own ? told : ent__day_of(e, partner, v[i]->arrival);
		*untold += !tells;
		had = tells;
		before = tells ? told : before;
		v[kept++] = v[i];
	}
	*out = v;
	*known = days;
	return kept;
}

/* ---- by arrival
 * ------------------------------------------------------------------------------------------------------ */

static bool brought(const ent__past_key *k, uint32_t input) {
	for (uint32_t i = 0; i < k->n; i++) {
		for (uint32_t x = 0; x < k->frames[i].n; x++) {
			if (k->frames[i].items[x].input == input && !(k->frames[i].items[x].flags & ENT_DOC_RETRACT)) {
				return true;
			}
		}
	}
	return false;
}

static bool counts(const ent__past_key *k, uint32_t input) {
	for (uint32_t i = 0; i < k->n; i++) {
		for (uint32_t x = 0; k->live[i] && x < k->frames[i].n; x++) {
			if (k->frames[i].items[x].input == input) {
				return true;
			}
		}
	}
	return false;
}

/* When a complete document came that lacks the key. */
static int64_t lacked(const ent__past_key *k, const ent__past_inputs *p, const ent_item *item) {
	int64_t since = INT64_MAX;
	const ent_input *x = &p->e->inputs[item->input];
	const ent_item *head = NULL;
	int32_t day;
	if (!p->n_completes || counts(k, item->input)) {
		return since;
	}
	for (uint32_t i = 0; i < k->n && !head; i++) {
		head = ent_document_head(&k->frames[i]);
	}
	if (!head || !ent_fold_day(&p->e->fold, head, head->partner, &day)) {
		return since;
	}
	for (size_t i = 0; i < p->n_completes; i++) {
		const ent__past_complete *r = &p->completes[i];
		if (r->snapshot > x->snapshot_us && r->cover.source == x->source && r->cover.kind == head->kind &&
			day >= r->cover.from && day < r->cover.to && (!r->cover.partner || r->cover.partner == head->partner) &&
			r->arrived < since && !brought(k, r->cover.input)) {
			since = r->arrived;
		}
	}
	return since;
}

static int64_t gone_since(const ent__past_key *k, const ent__past_inputs *p, const ent_item *item) {
	if (item->input >= p->n || !item->input) {
		return INT64_MAX;
	}
	const ent__past_input *x = &p->v[item->input];
	int64_t since = x->gone, other = item->kind == ENT_VISIT && !counts(k, item->input) ? x->visits_gone : INT64_MAX;
	since = other < since ? other : since;
	other = lacked(k, p, item);
	return other < since ? other : since;
}

/* Does it count at the end of the day? */
static bool stands(
	const ent__past_key *k, const ent__past_inputs *p, const ent_item *item, uint32_t partner, int32_t day) {
	if (ent__day_of(p->e, partner, item->arrival) > day) {
		return false;
	}
	int64_t gone = gone_since(k, p, item);
	return gone == INT64_MAX || (gone != INT64_MIN && ent__day_of(p->e, partner, gone) > day);
}

static void copy_item(ent_document *to, const ent_item *item) {
	ent_item *mine = ent_document_add_raw(to);
	*mine = *item;
}

/* Of each input the part as it stood last. */
static void visit_state(ent__past_key *k, const ent__past_inputs *p, int32_t day, ent_document *out) {
	ent_join ignored = {0};
	for (uint32_t i = 0; i < k->n; i++) {
		const ent_document *d = &k->frames[i];
		for (uint32_t x = 0; x < d->n; x++) {
			const ent_item *item = &d->items[x];
			ent_item *same = NULL;
			if (!stands(k, p, item, ent__past_partner(d), day)) {
				continue;
			}
			for (uint32_t o = 0; o < out->n && !same; o++) {
				same = out->items[o].input == item->input ? &out->items[o] : NULL;
			}
			/* at one time, what compaction marked as superseded is the older one, wherever it stands in the log */
			if (same && (item->arrival > same->arrival || (item->arrival == same->arrival && !d->superseded))) {
				*same = *item;
			} else if (!same) {
				copy_item(out, item);
			}
		}
	}
	ent_document_normalize(out, &ignored);
}

static void joined_state(ent__past_key *k, const ent__past_inputs *p, int32_t day, ent_document *out) {
	for (uint32_t i = 0; i < k->n; i++) {
		const ent_document *d = &k->frames[i];
		ent_document *part = &k->part;
		uint32_t partner = ent__past_partner(d);
		ent_document_clear(part);
		part->kind = d->kind;
		part->has_complete = d->has_complete;
		part->complete = d->complete;
		for (uint32_t x = 0; x < d->n; x++) {
			if (stands(k, p, &d->items[x], partner, day)) {
				copy_item(part, &d->items[x]);
			}
		}
		if (part->n != d->n) { /* as when items are dropped */
			part->has_complete = false;
			for (uint32_t x = 0; x < part->n; x++) {
				if (part->items[x].flags & ENT_DOC_LINES_COMPLETE) {
					part->has_complete = true;
					part->complete = part->items[x].rank;
				}
			}
		}
		if (part->n) {
			ent_document_join(out, part);
		}
	}
}

/* ---- both
 * ------------------------------------------------------------------------------------------------------------ */

static void head_of(const ent_document *d, ent_document *out) {
	ent_item *items = out->items;
	uint32_t capacity = out->capacity;
	*out = *d;
	out->items = items;
	out->capacity = capacity;
	out->n = 0;
	out->pairs = NULL; /* they are the frame's */
	out->superseded = out->has_complete = false;
}

void ent__past_state(
	ent__past_key *k, const ent__past_inputs *p, ent_knowledge knowledge, int32_t day, ent_document *out) {
	head_of(&k->frames[0], out);
	if (knowledge == ENT_KNOWLEDGE_ARRIVAL) {
		(k->frames[0].kind == ENT_VISIT ? visit_state : joined_state)(k, p, day, out);
		return;
	}
	if (k->frames[0].kind == ENT_ENTRY) {
		const ent_item **v;
		int32_t *known;
		uint64_t ignored = 0;
		size_t n = versions(k, p->e, &v, &known, &ignored);
		while (n && known[n - 1] > day) {
			n--;
		}
		if (n) {
			copy_item(out, v[n - 1]);
		}
		free(v);
		free(known);
		return;
	}
	for (uint32_t i = 0; i < k->frames[0].n; i++) {
		copy_item(out, &k->frames[0].items[i]);
	}
	ent__past_cut(p->e, out, day);
}

static void add_day(ent__past_key *k, int32_t day) {
	ENT_GROW(k->days, k->n_days, k->days_capacity);
	k->days[k->n_days++] = day;
}

static void add_time(ent__past_key *k, const ent_engine *e, ent_wire_time at, const ent_item *item, uint32_t partner) {
	int32_t day;
	if (day_of(e, at, item, partner, &day)) {
		add_day(k, day);
	}
}

/* Days on which the times of an order fall; INT32_MIN stands for what has none: it was always so. */
static void order_days(
	ent__past_key *k, const ent_engine *e, const ent_document *d, uint32_t partner, ent_past_untold *untold) {
	const ent_item *head = ent_document_head(d);
	if (!head) {
		return;
	}
	const ent_wire_order *o = &head->body.order;
	int32_t placed;
	bool dated = false;
	if (!day_of(e, o->at, head, partner, &placed)) {
		placed = INT32_MIN;
	}
	add_day(k, placed);
	size_t from = k->n_days;
	const ent_wire_time times[] = {
		o->paid_at, o->shipped_at, o->delivered_at, o->status == ENT_ORDER_CANCELLED ? o->cancelled_at : 0};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		add_time(k, e, times[i], head, partner);
	}
	for (uint32_t i = 0; i < d->n; i++) {
		if (is_refund(&d->items[i])) {
			dated = true;
			add_time(k, e, d->items[i].body.refund.at, &d->items[i], partner);
		}
	}
	for (size_t i = from; i < k->n_days; i++) { /* before it was placed there is nothing */
		k->days[i] = k->days[i] < placed ? placed : k->days[i];
	}
	if (head->flags & ENT_DOC_RETRACT) {
		return;
	}
	untold->cancelled += o->status == ENT_ORDER_CANCELLED && !o->cancelled_at;
	untold->refunded += !dated && o->refunded && !(o->status == ENT_ORDER_CANCELLED && o->cancelled_at);
}

static void event_days(ent__past_key *k, const ent__past_inputs *p, ent_past_untold *untold) {
	const ent_engine *e = p->e;
	const ent_document *d = &k->frames[0];
	const ent_item *item = d->n ? &d->items[0] : NULL;
	uint32_t partner = ent__past_partner(d);
	int32_t day;
	if (d->kind == ENT_ENTRY) {
		const ent_item **v;
		int32_t *known;
		size_t n = versions(k, e, &v, &known, &untold->entries);
		for (size_t i = 0; i < n; i++) {
			add_day(k, known[i]);
		}
		free(v);
		free(known);
		return;
	}
	if (!item) {
		return;
	}
	switch (d->kind) {
	case ENT_ORDER:
		order_days(k, e, d, partner, untold);
		return;
	case ENT_VISIT: {
		ent_item whole = ent_fold_visit(d);
		add_day(k, ent_fold_day(&e->fold, &whole, whole.partner, &day) ? day : INT32_MIN);
		return;
	}
	case ENT_CART:
		add_day(k, day_of(e, item->body.cart.started_at, item, partner, &day) ? day : INT32_MIN);
		add_time(k, e, item->body.cart.recovered_at, item, partner);
		untold->recovered += item->body.cart.order_key && !item->body.cart.recovered_at;
		return;
	case ENT_TOUCH:
		add_day(k, day_of(e, item->body.touch.at, item, partner, &day) ? day : INT32_MIN);
		return;
	case ENT_CONTACT:
		add_day(k, day_of(e, item->body.contact.at, item, partner, &day) ? day : INT32_MIN);
		add_time(k, e, item->body.contact.answered_at, item, partner);
		return;
	case ENT_OBSERVATION:
		add_day(k, figure_known(e, item, partner));
		untold->figures += item->body.observation.origin != ENT_ORIGIN_RATE;
		return;
	default:
		add_day(k, INT32_MIN);
		return;
	}
}

void ent__past_days(ent__past_key *k, const ent__past_inputs *p, ent_knowledge knowledge, ent_past_untold *untold) {
	k->n_days = 0;
	if (knowledge == ENT_KNOWLEDGE_EVENT) {
		event_days(k, p, untold);
		return;
	}
	for (uint32_t i = 0; i < k->n; i++) {
		uint32_t partner = ent__past_partner(&k->frames[i]);
		for (uint32_t x = 0; x < k->frames[i].n; x++) {
			const ent_item *item = &k->frames[i].items[x];
			int64_t gone = gone_since(k, p, item);
			add_day(k, ent__day_of(p->e, partner, item->arrival));
			if (gone != INT64_MAX && gone != INT64_MIN) {
				add_day(k, ent__day_of(p->e, partner, gone));
			}
		}
	}
}
