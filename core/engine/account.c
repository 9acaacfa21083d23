/* SPDX-License-Identifier: Apache-2.0
 *
 * What each document makes of a figure, see account.h. A first pass over the ledger finds where the document of each
 * key stands at both moments (versions.c); a second one folds these, each into cells of its own, and takes from them
 * what the metric reads. Loop thread only. */
#include "engine/account.h"
#include "base/num.h"
#include "engine/versions.h"
#include "metrics/dist.h"

#include <stdlib.h>
#include <string.h>

const char *const ent_account_changes[] = {"same", "came", "changed", "went", "entered", "left"};

/* A member of a set, in a part, at one of both moments. */
typedef struct member {
	uint32_t id, part;
	bool was;
} member;

typedef struct accounting {
	ent_engine *e;
	const ent_account_ask *ask;
	const ent_metric *m;
	const ent_catalogue *catalogue;
	ent_account *out;
	ent_fold fold;
	ent_cells *cells;
	ent_buf frames[2];
	ent_document docs[2]; /* then, now */
	member *members;
	size_t n_members, members_capacity;
	int32_t first, last; /* days of the cells of the document at hand */
	size_t parts_capacity, cells_capacity;
	ent_error *error;
} accounting;

static int no_record(void *ctx, const ent_document *d, const ent_item *head, int32_t day, int sign, ent_error *e) {
	(void)ctx, (void)d, (void)head, (void)day, (void)sign, (void)e;
	return 0;
}

/* ---- what is asked for ---------------------------------------------------------------------------------------------
 */

static bool is_value(const accounting *a, uint32_t code) {
	const char *text = ent_engine_text(a->e, code);
	for (size_t i = 0; i < a->ask->n_values; i++) {
		const char *wanted = a->ask->values[i];
		size_t n = strlen(wanted);
		bool side = n && wanted[n - 1] == '/';
		if (side ? !strncmp(text, wanted, n) : !strcmp(text, wanted) || (!*text && !strcmp(wanted, "(none)"))) {
			return true;
		}
	}
	return false;
}

static bool is_asked(const accounting *a, const ent_cell_key *key, unsigned family, const ent_account_side *side) {
	const ent_account_ask *ask = a->ask;
	return key->partner == ask->versions->partner && key->view == ask->view && key->origin == ask->origins[family] &&
		   key->day >= side->from && key->day < side->to && (ask->view == ENT_VIEW_TOTAL || is_value(a, key->value));
}

static unsigned family_of_set(const ent_metric *m) {
	unsigned bits = ent_metric_families(m), f = 0;
	while (!(bits >> f & 1)) {
		f++;
	}
	return f;
}

/* ---- one document
 * ---------------------------------------------------------------------------------------------------- */

static ent_account_cell *cell_at(accounting *a, int32_t day, uint32_t currency) {
	ent_account *o = a->out;
	for (size_t i = o->n_cells; i-- > 0;) { /* most documents of a file are of the same few days */
		if (o->cells[i].day == day && o->cells[i].currency == currency) {
			return &o->cells[i];
		}
	}
	ENT_GROW(o->cells, o->n_cells, a->cells_capacity);
	o->cells[o->n_cells] = (ent_account_cell){.day = day, .currency = currency, .rate = ENT_ACCOUNT_ONE};
	return &o->cells[o->n_cells++];
}

/* What a measure of a cell is worth in the figure, in 1/ENT_ACCOUNT_ONE. */
static __int128 worth(accounting *a, unsigned measure, const ent_cell_key *key, int64_t v, int64_t *rate) {
	ent_account *o = a->out;
	*rate = ENT_ACCOUNT_ONE;
	if (measure == ENT_M_LOAD_MS) {
		return (__int128)v * 1000 * ENT_ACCOUNT_ONE;
	}
	if (a->catalogue->measures[measure].unit == ENT_UNIT_MONEY && v) {
		const char *currency = ent_engine_text(a->e, key->currency);
		*rate = a->ask->rate(a->ask->ctx, currency, key->day);
		o->converted |= *rate != ENT_ACCOUNT_ONE;
		if (!*rate && (!o->no_rate || key->day < o->no_rate_day)) {
			o->no_rate = true;
			o->no_rate_day = key->day;
		}
	}
	return (__int128)v * *rate;
}

/* Family of the cells that hold a measure: those of users have their own. */
static unsigned cells_of(const ent_measure_def *d, unsigned measure) {
	return measure < ENT_MEASURE_COUNT ? d->family
									   : ENT_FAMILY_CUSTOM + (measure - ENT_MEASURE_COUNT) / ENT_FAMILY_WIDTH;
}

static void add_terms(accounting *a, const ent_metric_term *terms, const ent_cell_change *c,
	const ent_account_side *side, bool now, unsigned at, __int128 *sum) {
	for (unsigned i = 0; i < ENT_TERMS && terms[i].sign; i++) {
		const ent_measure_def *d = &a->catalogue->measures[terms[i].measure];
		int64_t v = cells_of(d, terms[i].measure) == c->key->family ? c->m[d->column] : 0, rate;
		if (!v || !is_asked(a, c->key, d->family, side)) {
			continue;
		}
		*sum += ent_term_factor(&terms[i]) * worth(a, terms[i].measure, c->key, v, &rate);
		if (now) {
			ent_account_cell *cell = cell_at(a, c->key->day, d->unit == ENT_UNIT_MONEY ? c->key->currency : 0);
			cell->m[at + i] += v;
			cell->rate = rate;
		}
	}
}

typedef struct sums {
	__int128 top, bottom;
	int32_t day;
	int64_t value;
	bool any;
} sums;

static void see_day(sums *s, int32_t day) {
	s->day = s->any && s->day < day ? s->day : day;
	s->any = true;
}

static void take_members(
	accounting *a, const ent_members_change *list, size_t n, const ent_account_side *side, bool now, sums *s) {
	unsigned family = family_of_set(a->m);
	for (size_t i = 0; i < n; i++) {
		if (list[i].key->family != a->m->set_or_dist || !is_asked(a, list[i].key, family, side)) {
			continue;
		}
		see_day(s, list[i].key->day);
		for (uint32_t k = 0; k < list[i].n; k++) {
			uint32_t id = ent_change_member(list[i].items[k]);
			if (a->m->kind == ENT_METRIC_DISTRIBUTION) {
				s->top += (__int128)ent_change_net(list[i].items[k]) * ENT_ACCOUNT_ONE;
				s->value = ent_dist_value(ent_member_bucket(id));
				continue;
			}
			ENT_GROW(a->members, a->n_members, a->members_capacity);
			a->members[a->n_members++] = (member){id, (uint32_t)a->out->n, !now};
		}
	}
}

static int add_document(accounting *a, const ent_document *d, const ent_account_side *side, bool now, sums *s) {
	ent_cells_reset(a->cells);
	int status = ent_fold_document(&a->fold, d, 1, a->error);
	if (status) {
		return status;
	}
	ent_cells_flush f = ent_cells_sort(a->cells);
	for (size_t i = 0; i < f.n_cells; i++) {
		int32_t day = f.cells[i].key->day;
		a->first = day < a->first ? day : a->first;
		a->last = day > a->last ? day : a->last;
	}
	if (a->m->kind == ENT_METRIC_DISTINCT) {
		take_members(a, f.sets, f.n_sets, side, now, s);
		return 0;
	}
	if (a->m->kind == ENT_METRIC_DISTRIBUTION) {
		take_members(a, f.dists, f.n_dists, side, now, s);
		return 0;
	}
	for (size_t i = 0; i < f.n_cells; i++) {
		const ent_cell_change *c = &f.cells[i];
		__int128 top = s->top, bottom = s->bottom;
		add_terms(a, a->m->top, c, side, now, 0, &s->top);
		add_terms(a, a->m->bottom, c, side, now, ENT_TERMS, &s->bottom);
		if (s->top != top || s->bottom != bottom) {
			see_day(s, c->key->day);
		}
	}
	return 0;
}

/* ---- whose record it is ---------------------------------------------------------------------------------------------
 */

static const ent_item *item_like(const ent_document *d, const ent_item *like) {
	for (uint32_t i = 0; i < d->n; i++) {
		const ent_item *x = &d->items[i];
		if (x->kind == like->kind && x->key_n == like->key_n && (!x->key_n || !memcmp(x->key, like->key, x->key_n)) &&
			(x->kind != ENT_VISIT || x->input == like->input)) {
			return x;
		}
	}
	return NULL;
}

static const ent_item *first_of(const ent_document *d) {
	const ent_item *head = ent_document_head(d);
	return head ? head : d->n ? &d->items[0] : NULL;
}

/* The record that made of the old document the new one: the newest of those that the old one has not, or has otherwise;
 * or, where there is none, one that it had. *gone: it is of the old one. */
static const ent_item *cause(const ent_document *then, const ent_document *now, bool *gone) {
	const ent_item *found = NULL;
	*gone = false;
	for (uint32_t i = 0; i < now->n; i++) {
		const ent_item *x = &now->items[i], *was = item_like(then, x);
		bool same = was && was->rank.content == x->rank.content && !ent_rank_compare(&was->rank, &x->rank) &&
					was->flags == x->flags;
		if (!same && (!found || x->arrival > found->arrival)) {
			found = x;
		}
	}
	for (uint32_t i = 0; i < then->n && !found; i++) {
		if (!item_like(now, &then->items[i])) {
			found = &then->items[i];
			*gone = true;
		}
	}
	return found;
}

static int take_cover(void *ctx, const ent_cover *c) {
	struct {
		const ent_engine *e;
		const ent_account_part *part;
		uint32_t by;
	} *x = ctx;
	const ent_input *i = c->input < x->e->n_inputs ? &x->e->inputs[c->input] : NULL;
	const ent_input *was = &x->e->inputs[x->part->input];
	if (i && i->live && c->complete && c->declared && c->kind == x->part->kind && c->source == x->part->source &&
		c->from <= x->part->day && x->part->day < c->to && i->snapshot_us > was->snapshot_us &&
		(!x->by || i->snapshot_us > x->e->inputs[x->by].snapshot_us)) {
		x->by = c->input;
	}
	return 0;
}

/* Who took it away: a newer edition of the file or of the slice; else a document that is complete and lacks it. */
static uint32_t taken_by(accounting *a, const ent_account_part *p) {
	const ent_engine *e = a->e;
	const ent_input *was = p->input < e->n_inputs ? &e->inputs[p->input] : NULL;
	uint32_t by = 0;
	for (uint32_t i = 1; was && !was->live && i < e->n_inputs; i++) {
		const ent_input *x = &e->inputs[i];
		bool edition =
			x->source == was->source && ((was->slice && x->slice == was->slice) || !strcmp(x->name, was->name));
		by = edition && x->live && i != p->input ? i : by;
	}
	if (by || !was || !was->live) {
		return by;
	}
	struct {
		const ent_engine *e;
		const ent_account_part *part;
		uint32_t by;
	} x = {e, p, 0};
	const uint32_t whom[] = {a->ask->versions->partner, 0};
	for (size_t i = 0; i < 2; i++) {
		ent_error ignored;
		ent_store_covers_of(e->store, whom[i], take_cover, &x, &ignored);
	}
	return x.by;
}

static void tell_place(accounting *a, ent_account_part *p, const ent_document *then, const ent_document *now) {
	bool gone = !now;
	const ent_item *x = first_of(now ? now : then);
	if (then && now && p->change == ENT_ACCOUNT_CHANGED) {
		const ent_item *why = cause(then, now, &gone);
		x = why ? why : x;
	}
	p->source = x->source;
	p->input = x->input;
	p->place = x->place;
	p->arrival = x->arrival;
	p->by = gone ? taken_by(a, p) : 0;
}

/* ---- one key
 * ---------------------------------------------------------------------------------------------------------- */

static int take_version(accounting *a, ent__version *v) {
	const ent_account_side *sides[2] = {a->ask->then, &a->ask->now};
	ent_position at[2] = {a->ask->then ? v->at[0] : 0, v->at[1]};
	sums s[2] = {{.day = 0}, {.day = 0}};
	size_t members = a->n_members;
	bool same = at[0] && at[0] == at[1];
	a->first = INT32_MAX;
	a->last = INT32_MIN;
	for (unsigned i = 0; i < 2; i++) {
		if (!at[i]) {
			continue;
		}
		if (!(same && i) && ent_engine_document(a->e, at[i], &a->frames[i], &a->docs[i], a->error)) {
			return a->error->code;
		}
		int status = add_document(a, same ? &a->docs[0] : &a->docs[i], sides[i], i, &s[i]);
		if (status) {
			return status;
		}
	}
	if (a->ask->then || !v->at[0] || same) { /* else one of them was not looked at */
		v->seen = true;
		v->first = a->first;
		v->last = a->last;
	}
	ent_account *o = a->out;
	o->top_was += s[0].top;
	o->bottom_was += s[0].bottom;
	o->top += s[1].top;
	o->bottom += s[1].bottom;
	if (!s[0].any && !s[1].any && a->n_members == members) {
		return 0;
	}
	ent_account_part p = {.at = at[1],
		.was = at[0],
		.day = s[1].any ? s[1].day : s[0].day,
		.top = s[1].top,
		.bottom = s[1].bottom,
		.top_was = s[0].top,
		.bottom_was = s[0].bottom,
		.value = s[1].any ? s[1].value : s[0].value};
	const ent_document *then = at[0] ? &a->docs[0] : NULL, *now = same ? then : at[1] ? &a->docs[1] : NULL;
	p.kind = (now ? now : then)->kind;
	p.origin = (now ? now : then)->origin;
	bool counts[2] = {s[0].any, s[1].any};
	p.change = !a->ask->then ? ENT_ACCOUNT_SAME
			   : same        ? counts[0] && counts[1] ? ENT_ACCOUNT_SAME
							   : counts[1]            ? ENT_ACCOUNT_ENTERED
													  : ENT_ACCOUNT_LEFT
			   : !then       ? ENT_ACCOUNT_CAME
			   : !now        ? ENT_ACCOUNT_WENT
							 : ENT_ACCOUNT_CHANGED;
	if (same && p.change == ENT_ACCOUNT_SAME && (p.top != p.top_was || p.bottom != p.bottom_was)) {
		p.change = p.day >= a->ask->then->from && p.day < a->ask->then->to ? ENT_ACCOUNT_LEFT : ENT_ACCOUNT_ENTERED;
	}
	tell_place(a, &p, then, now);
	p.key = ent_arena_copy(&o->arena, ent__version_key(a->ask->versions, v), v->key_n);
	p.key_n = v->key_n;
	ENT_GROW(o->parts, o->n, a->parts_capacity);
	o->parts[o->n++] = p;
	return 0;
}

/* ---- sets
 * ------------------------------------------------------------------------------------------------------------ */

static int by_member(const void *x, const void *y) {
	const member *a = x, *b = y;
	int order = a->id != b->id ? (a->id < b->id ? -1 : 1) : (int)b->was - (int)a->was;
	return order ? order : (a->part > b->part) - (a->part < b->part);
}

/* Each member counts once, however many documents have it: with the first that did, and, where it is there at one of
 * the moments only, with the first that is not the same at both. */
static void count_members(accounting *a) {
	ent_account *o = a->out;
	if (a->n_members) {
		ENT_SORT(a->members, a->n_members, by_member);
	}
	for (size_t i = 0, end; i < a->n_members; i = end) {
		ent_account_part *first[2] = {NULL, NULL}, *moved[2] = {NULL, NULL};
		for (end = i; end < a->n_members && a->members[end].id == a->members[i].id; end++) {
			ent_account_part *p = &o->parts[a->members[end].part];
			bool now = !a->members[end].was;
			first[now] = first[now] ? first[now] : p;
			moved[now] = moved[now] || p->change == ENT_ACCOUNT_SAME ? moved[now] : p;
		}
		if (first[0] && first[1]) { /* at both: with one and the same document, so that nothing moves */
			first[0] = first[1];
		} else {
			first[0] = moved[0] ? moved[0] : first[0];
			first[1] = moved[1] ? moved[1] : first[1];
		}
		if (first[0]) {
			first[0]->top_was += ENT_ACCOUNT_ONE;
			o->top_was += ENT_ACCOUNT_ONE;
		}
		if (first[1]) {
			first[1]->top += ENT_ACCOUNT_ONE;
			o->top += ENT_ACCOUNT_ONE;
		}
	}
}

/* ---- the whole
 * --------------------------------------------------------------------------------------------------------- */

static int by_place(const void *x, const void *y) {
	const ent_account_part *a = x, *b = y;
#define BY(field)                                                                                                      \
	if (a->field != b->field)                                                                                          \
	return a->field < b->field ? -1 : 1
	BY(day);
	BY(source);
	BY(input);
	BY(place);
#undef BY
	size_t n = a->key_n < b->key_n ? a->key_n : b->key_n;
	int order = memcmp(a->key, b->key, n);
	return order ? order : (a->key_n > b->key_n) - (a->key_n < b->key_n);
}

static int by_day(const void *x, const void *y) {
	const ent_account_cell *a = x, *b = y;
	return a->day != b->day ? (a->day < b->day ? -1 : 1) : (a->currency > b->currency) - (a->currency < b->currency);
}

int ent_engine_account(ent_engine *e, const ent_account_ask *ask, ent_account *out, ent_error *error) {
	*out = (ent_account){0};
	accounting a = {.e = e,
		.ask = ask,
		.m = &ent_engine_catalogue(e)->metrics[ask->metric],
		.catalogue = ent_engine_catalogue(e),
		.out = out,
		.fold = e->fold,
		.cells = ent_cells_create(),
		.error = error};
	a.fold.cells = a.cells;
	a.fold.record = no_record;
	a.fold.views[ask->view] = true;
	unsigned families = ent_metric_families(a.m);
	unsigned kinds = (families >> ENT_SALES & 1) << ENT_ORDER | (families >> ENT_TRAFFIC & 1) << ENT_VISIT |
					 (families >> ENT_CARTS & 1) << ENT_CART;
	int32_t from = ask->now.from, to = ask->now.to;
	if (ask->then) {
		from = ask->then->from < from ? ask->then->from : from;
		to = ask->then->to > to ? ask->then->to : to;
	}
	int status = 0;
	for (size_t i = 0; i < ask->versions->n && !status; i++) {
		ent__version *v = &ask->versions->items[i];
		bool apart = v->seen && (v->last < from || v->first >= to);
		if (kinds >> v->kind & 1 && !apart) {
			status = take_version(&a, v);
		}
	}
	if (a.m->kind == ENT_METRIC_DISTINCT) {
		count_members(&a);
	}
	if (out->n) {
		ENT_SORT(out->parts, out->n, by_place);
	}
	if (out->n_cells) {
		ENT_SORT(out->cells, out->n_cells, by_day);
	}
	if (a.m->kind != ENT_METRIC_RATIO) {
		out->bottom = out->bottom_was = ENT_ACCOUNT_ONE;
	}
	for (unsigned i = 0; i < 2; i++) {
		ent_buf_finish(&a.frames[i]);
		ent_document_finish(&a.docs[i]);
	}
	free(a.members);
	ent_cells_destroy(a.cells);
	return status;
}

void ent_account_finish(ent_account *x) {
	free(x->parts);
	free(x->cells);
	ent_arena_finish(&x->arena);
	*x = (ent_account){0};
}

int ent_engine_document(ent_engine *e, ent_position at, ent_buf *frame, ent_document *out, ent_error *error) {
	if (ent_ledger_read(e->ledger, at, frame, error)) {
		return error->code;
	}
	return ent_document_decode(out, frame->data, frame->n)
			   ? 0
			   : ent_error_set(error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
}

const ent_input *ent_engine_input(const ent_engine *e, uint32_t id) {
	return id && id < e->n_inputs ? &e->inputs[id] : NULL;
}
