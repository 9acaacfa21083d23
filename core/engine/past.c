/* SPDX-License-Identifier: Apache-2.0
 *
 * Going through past days in order, see past.h. The ledger is read once, or twice where it has to be found out first
 * which keys have more than one frame: whatever was known on the first day is added up at once, and of everything that
 * changed on a later one it is noted where it stands. Each day then takes what it changed back as it was, adds it as it
 * is, by the same functions by which a run folds, and makes a snapshot of what has added up. Loop thread only. */
#include "engine/days.h"
#include "engine/past_internal.h"

#include <stdlib.h>
#include <string.h>

const char *const ent_knowledge_names[] = {"arrival", "event", NULL};

enum { TELL_EVERY = 4096, NEVER = INT32_MAX };

static bool is_live(const ent_engine *e, uint64_t hash, ent_position at) {
	for (ent_index_entry *x = ent_index_find(e->index, hash, NULL); x; x = ent_index_find(e->index, hash, x)) {
		if (x->at == at) {
			return true;
		}
	}
	return false;
}

static void told(ent_past *p) {
	if (p->progress && p->frames++ % TELL_EVERY == 0) {
		p->progress(p->ctx, "reading the ledger", p->frames);
	}
}

/* ---- adding and taking back
 * ------------------------------------------------------------------------------------------ */

static int apply(ent_past *p, const ent_document *d, int sign) {
	if (!d->n) {
		return 0;
	}
	if (d->kind == ENT_ORDER || d->kind == ENT_VISIT || d->kind == ENT_CART) {
		return ent_fold_document(&p->fold, d, sign, p->error);
	}
	const ent_item *item = &d->items[0]; /* as fold.c has it of what is read one by one */
	int32_t day = 0;
	if (item->flags & ENT_DOC_RETRACT) {
		return 0;
	}
	ent_fold_day(&p->fold, item, item->partner, &day);
	ent_record r = ent__record_of(p->e, d, item, day, sign > 0 ? &p->text : NULL);
	ent__past_base_record(p->base, &r, sign < 0);
	return 0;
}

static int apply_at(ent_past *p, size_t step, int sign) {
	ent__past_state(&p->key, &p->inputs, p->knowledge, p->days[step], &p->state);
	return apply(p, &p->state, sign);
}

/* ---- what changes when
 * ------------------------------------------------------------------------------------------------ */

/* The first step on which something of that day is known; n_days: none. */
static size_t step_of(const ent_past *p, int32_t day) {
	size_t low = 0, high = p->n_days;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->days[middle] < day) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static void note_first(ent_past *p, int32_t day) {
	uint32_t partner = ent__past_partner(&p->key.frames[0]);
	if (partner >= p->n_first) {
		uint32_t n = partner + 64;
		p->first = ent_xrealloc(p->first, n * sizeof *p->first);
		for (uint32_t i = p->n_first; i < n; i++) {
			p->first[i] = NEVER;
		}
		p->n_first = n;
	}
	p->first[partner] = day < p->first[partner] ? day : p->first[partner];
}

static int by_number(const void *a, const void *b) {
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

/* Of the key at hand: what was known on the first step is added, what changes later is noted. */
static int plan(ent_past *p, uint64_t at, uint32_t n) {
	ent__past_key *k = &p->key;
	int32_t last = -1;
	ent__past_days(k, &p->inputs, p->knowledge, &p->untold);
	ENT_SORT(k->days, k->n_days, by_number);
	if (k->n_days && k->days[0] <= p->days[p->n_days - 1]) {
		note_first(p, k->days[0]);
	}
	for (size_t i = 0; i < k->n_days; i++) {
		int32_t step = (int32_t)step_of(p, k->days[i]);
		if (step == last || (size_t)step == p->n_days) {
			continue;
		}
		if (step == 0) {
			int status = apply_at(p, 0, 1);
			if (status) {
				return status;
			}
		} else {
			ENT_GROW(p->tasks, p->n_tasks, p->tasks_capacity);
			p->tasks[p->n_tasks++] = (ent__past_task){.step = step, .before = last, .n = n, .at = at};
		}
		last = step;
	}
	return 0;
}

/* ---- reading the ledger
 * ------------------------------------------------------------------------------------------------ */

static int damaged(ent_past *p) {
	return ent_error_set(p->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
}

static void add_piece(ent_past *p, uint64_t hash, ent_position at, bool live) {
	ENT_GROW(p->pieces, p->n_pieces, p->pieces_capacity);
	p->pieces[p->n_pieces++] = (ent__past_piece){hash, at, live};
}

/* Frames that count no more, and with them the keys that have several; and what each input brought when. */
static int find_versions(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	ent_past *p = ctx;
	ent__past_key *k = &p->key;
	k->n = 0;
	told(p);
	if (ent__past_key_put(k, body, n, false, p->error)) {
		return p->error->code;
	}
	const ent_document *d = &k->frames[0];
	uint64_t hash = ent_document_index_key(d);
	ent__past_inputs_seen(&p->inputs, d);
	if (d->superseded || !is_live(p->e, hash, at)) {
		add_piece(p, hash, at, false);
		if (!ent_index_find(p->several, hash, NULL)) {
			ent_index_add(p->several, hash, 1);
		}
	}
	return 0;
}

static int take_frame(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	ent_past *p = ctx;
	ent__past_key *k = &p->key;
	uint64_t items;
	told(p);
	if (!ent_document_decode_head(&p->key.part, body, n, &items)) {
		return damaged(p);
	}
	const ent_document *d = &p->key.part;
	uint64_t hash = ent_document_index_key(d);
	bool live = !d->superseded && is_live(p->e, hash, at), several;
	if (p->knowledge == ENT_KNOWLEDGE_EVENT) {
		several = d->kind == ENT_ENTRY;
		if (several) {
			add_piece(p, hash, at, live);
		}
	} else {
		several = ent_index_find(p->several, hash, NULL) != NULL;
		if (several && live) {
			add_piece(p, hash, at, true);
		}
	}
	if (several || !live) {
		return 0;
	}
	k->n = 0;
	return ent__past_key_put(k, body, n, true, p->error) ? p->error->code : plan(p, at, 0);
}

static int by_hash(const void *x, const void *y) {
	const ent__past_piece *a = x, *b = y;
	if (a->hash != b->hash) {
		return a->hash < b->hash ? -1 : 1;
	}
	return a->at < b->at ? -1 : a->at > b->at;
}

int ent__past_load(ent_past *p, uint64_t at, uint32_t n) {
	p->key.n = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (ent__past_key_add(&p->key, p->e, p->pieces[at + i].at, p->pieces[at + i].live, p->error)) {
			return p->error->code;
		}
	}
	return 0;
}

/* Brings pieces of the first one's key to the front. Returns how many there are: all, but where keys have one hash. */
static uint32_t same_key(ent_past *p, uint64_t at, uint32_t n) {
	uint32_t same = 1;
	for (uint32_t i = 1; i < n; i++) {
		if (ent_document_same_key(&p->key.frames[0], &p->key.frames[i])) {
			ent__past_piece x = p->pieces[at + i];
			memmove(&p->pieces[at + same + 1], &p->pieces[at + same], (i - same) * sizeof x);
			p->pieces[at + same++] = x;
		}
	}
	return same;
}

static int by_partner(const void *x, const void *y) {
	const ent__past_group *a = x, *b = y;
	if (a->partner != b->partner) {
		return a->partner < b->partner ? -1 : 1;
	}
	return a->at < b->at ? -1 : a->at > b->at;
}

static int plan_pieces(ent_past *p) {
	int status = 0;
	ENT_SORT(p->pieces, p->n_pieces, by_hash);
	for (size_t i = 0, k; i < p->n_pieces && !status; i = k) {
		for (k = i + 1; k < p->n_pieces && p->pieces[k].hash == p->pieces[i].hash; k++) {
		}
		uint32_t n = (uint32_t)(k - i);
		status = ent__past_load(p, i, n);
		if (status) {
			break;
		}
		uint32_t same = same_key(p, i, n);
		if (same < n) {
			k = i + same;
			status = ent__past_load(p, i, same);
		}
		status = status ? status : plan(p, i, same);
		ENT_GROW(p->groups, p->n_groups, p->groups_capacity);
		p->groups[p->n_groups++] = (ent__past_group){p->key.frames[0].scope, p->key.frames[0].kind, same, i};
	}
	ENT_SORT(p->groups, p->n_groups, by_partner);
	return status;
}

static int by_step(const void *x, const void *y) {
	const ent__past_task *a = x, *b = y;
	if (a->step != b->step) {
		return a->step < b->step ? -1 : 1;
	}
	if (!a->n != !b->n) {
		return a->n ? 1 : -1;
	}
	return a->at < b->at ? -1 : a->at > b->at; /* as they stand in the log */
}

static int read_ledger(ent_past *p) {
	ent_engine *e = p->e;
	int status = ent__index_load(e, p->error);
	if (!status && p->knowledge == ENT_KNOWLEDGE_ARRIVAL) {
		status = ent_ledger_scan(e->ledger, find_versions, p, p->error);
	}
	ent__past_inputs_settle(&p->inputs);
	status = status ? status : ent_ledger_scan(e->ledger, take_frame, p, p->error);
	status = status ? status : plan_pieces(p);
	ENT_SORT(p->tasks, p->n_tasks, by_step);
	return status;
}

int ent_past_open(ent_past **out, ent_engine *e, ent_knowledge knowledge, const int32_t *days, size_t n,
	ent_past_progress progress, void *ctx, ent_error *error) {
	ent_past *p = ent_xcalloc(1, sizeof *p);
	*out = NULL;
	p->e = e;
	p->knowledge = knowledge;
	p->days = ent_xmalloc(n * sizeof *p->days);
	memcpy(p->days, days, n * sizeof *p->days);
	p->n_days = n;
	p->fold = e->fold;
	p->fold.cells = ent_cells_create();
	p->fold.last_currency[0] = 0;
	p->base = ent__past_base_create(e);
	p->several = ent_index_create(1024);
	p->progress = progress;
	p->ctx = ctx;
	p->error = error;
	int status = ent__past_inputs_open(&p->inputs, e, error);
	status = status ? status : read_ledger(p);
	if (status) {
		ent_past_close(p);
		return status;
	}
	*out = p;
	return 0;
}

void ent_past_close(ent_past *p) {
	if (!p) {
		return;
	}
	ent_cells_destroy(p->fold.cells);
	ent__past_base_destroy(p->base);
	ent__past_inputs_close(&p->inputs);
	ent__past_key_finish(&p->key);
	ent_document_finish(&p->state);
	ent_buf_finish(&p->text);
	ent_index_destroy(p->several);
	free(p->days);
	free(p->tasks);
	free(p->pieces);
	free(p->groups);
	free(p->first);
	free(p);
}

const ent_past_untold *ent_past_untold_of(const ent_past *p) { return &p->untold; }

int32_t ent_past_first_day(const ent_past *p, uint32_t partner) {
	return partner < p->n_first ? p->first[partner] : NEVER;
}

/* ---- a day
 * --------------------------------------------------------------------------------------------------------------- */

static int change(ent_past *p, const ent__past_task *t) {
	int status = 0;
	if (t->n) {
		status = ent__past_load(p, t->at, t->n);
	} else {
		p->key.n = 0;
		status = ent__past_key_add(&p->key, p->e, t->at, true, p->error);
	}
	if (!status && t->before >= 0) {
		status = apply_at(p, (size_t)t->before, -1);
	}
	return status ? status : apply_at(p, (size_t)t->step, 1);
}

typedef struct covers {
	const ent_past *p;
	int32_t day;
} covers;

static int scan_cells(void *ctx, ent_family f, ent_cell_visit visit, void *to, ent_error *e) {
	return ent__past_base_cells(((const covers *)ctx)->p->base, f, visit, to, e);
}
static int scan_sets(void *ctx, ent_set_visit visit, void *to, ent_error *e) {
	return ent__past_base_sets(((const covers *)ctx)->p->base, visit, to, e);
}
static int scan_dists(void *ctx, ent_dist_visit visit, void *to, ent_error *e) {
	return ent__past_base_dists(((const covers *)ctx)->p->base, visit, to, e);
}
static int scan_covers(void *ctx, ent_cover_visit visit, void *to, ent_error *e) {
	const covers *c = ctx;
	return ent__past_covers(&c->p->inputs, c->p->knowledge, c->day, visit, to, e);
}
static int scan_records(void *ctx, uint32_t kind, uint32_t partner, ent_record_visit visit, void *to, ent_error *e) {
	return ent__past_base_records(((const covers *)ctx)->p->base, kind, partner, visit, to, e);
}

int ent_past_next(ent_past *p, ent_snapshot_block *out, ent_error *error) {
	size_t step = p->next;
	int status = 0;
	*out = (ent_snapshot_block){.fd = -1};
	p->error = error;
	for (; p->done < p->n_tasks && p->tasks[p->done].step == (int32_t)step && !status; p->done++) {
		status = change(p, &p->tasks[p->done]);
	}
	if (!status) {
		ent_cells_flush f = ent_cells_sort(p->fold.cells);
		status = ent__past_base_add(p->base, &f, error);
		ent_cells_reset(p->fold.cells);
	}
	if (status) {
		return status;
	}
	p->next++;
	covers c = {p, p->days[step]};
	const ent__build_from from = {&c, scan_cells, scan_sets, scan_dists, scan_covers, scan_records};
	return ent__build_snapshot(p->e, &from, p->days[step], "date", out, error);
}

/* ---- how far back arrival reaches
 * ---------------------------------------------------------------------------------------- */

enum { FOUND = 1 };

typedef struct reach {
	ent_engine *e;
	int64_t first;
	uint64_t looked;
	bool all; /* look at every frame */
} reach;

static int find_first(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	(void)at;
	reach *r = ctx;
	ent_document *d = &r->e->incoming;
	if (!ent_document_decode(d, body, n)) {
		return ENT_ERR_CORRUPT;
	}
	for (uint32_t i = 0; i < d->n; i++) {
		r->first = d->items[i].arrival < r->first ? d->items[i].arrival : r->first;
	}
	return !r->all && d->n ? FOUND : 0;
}

int ent_engine_past_reach(ent_engine *e, ent_past_reach *out, ent_error *error) {
	size_t n, live = 0;
	const ent_segment *segments = ent_ledger_segments(e->ledger, &n);
	uint32_t last = 0;
	for (size_t i = 0; i < n; i++) {
		live += segments[i].state == ENT_SEGMENT_LIVE;
		last = segments[i].number > last ? segments[i].number : last;
	}
	/* where nothing was ever compacted all segments are there, and what came first stands first */
	reach r = {.e = e, .first = INT64_MAX, .all = live != last};
	int status = ent_ledger_scan(e->ledger, find_first, &r, error);
	if (status && status != FOUND) {
		return error->code
				   ? error->code
				   : ent_error_set(error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	out->first_day = r.first == INT64_MAX ? INT32_MAX : ent_zone_day(e->utc, r.first);
	out->kept_day = r.all ? ent_zone_day(e->utc, e->now_us - e->config->history_us) : INT32_MIN;
	return 0;
}
