/* SPDX-License-Identifier: Apache-2.0
 *
 * Dispatch: which worker decodes what, and the order in which it is folded. A document that can be cut is given out in
 * chunks; chunks are folded in the order of the document, each only when it begins where the one before it ended. A chunk
 * is folded when it is whole, so that after it the position can be committed; only a worker whose ring is full is relieved
 * before (then no commit happens until that chunk is whole). A worker that dies is replaced, and its chunk decoded again,
 * at most ATTEMPTS times; then the document is given up, and its position stays where it was. Loop thread only. */
#include "engine/dispatch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ATTEMPTS = 3 };
static const uint64_t PATIENCE_NS = UINT64_C(2000000000); /* with what cannot be cut off, once it is interrupted */

/* ---- chunks ---------------------------------------------------------------------------------------------------------------- */

static void drop_chunks(ent__run *r, ent__chunk *from) {
	while (from) {
		ent__chunk *next = from->next;
		if (from->a) {
			ent_pool_drop(r->e->pool, from->a);
		}
		free(from);
		from = next;
	}
}

/* Everything of the document behind what is folded is asked for again. */
static void start_over(ent__run *r, ent__work *w) {
	drop_chunks(r, w->chunks);
	w->chunks = NULL;
	w->chunks_end = &w->chunks;
	w->next = w->folded;
	w->all_asked = false;
}

/* The rest of the source waits until its pause is over. */
static void put_off(ent__run *r, const ent__source *s) {
	for (unsigned i = 0; i < r->n_queues; i++) {
		if (r->queues[i].source == s) {
			r->queues[i].next = NULL;
		}
	}
	for (unsigned i = 0; i < r->n_active; i++) {
		ent__work *w = r->active[i];
		if (w->stream->source == s && !w->partial && !ent__in_place_of(w)) {
			start_over(r, w);
			w->finished = true;
		}
	}
}

void ent__give_up(ent__run *r, ent__work *w, ent__cause cause, const ent_error *why, uint64_t place, bool with_place) {
	ent_input *input = &r->e->inputs[w->input];
	ent_error e = *why;
	if (!e.file[0]) {
		snprintf(e.file, sizeof e.file, "%.255s", input->name);
	}
	if (with_place) {
		if (w->splittable && place > input->size) { /* a worker that scribbles does not spare its position */
			place = w->folded;
		}
		size_t n = strlen(e.what);
		snprintf(e.what + n, sizeof e.what - n, " (source %s, at byte %llu)", w->stream->source->config->name.s,
			(unsigned long long)place);
	}
	ent_errors_take(&r->e->report->errors, &e);
	r->e->report->inputs_failed++;
	drop_chunks(r, w->chunks);
	w->chunks = NULL;
	w->chunks_end = &w->chunks;
	w->failed = w->finished = true;
	ent__aside_put(r->e, w->stream->source, input->name, &w->file, cause, &e);
	if (cause == ENT__DIED) {
		ent__source_died(r->e, w->stream->source, &e);
		if (ent__source_paused(r->e, w->stream->source)) {
			put_off(r, w->stream->source);
		}
	}
}

struct same_input {
	uint32_t id;
};

static bool is_input(void *ctx, const ent_document *d, uint32_t id) {
	(void)d;
	return id == ((struct same_input *)ctx)->id;
}

/* The first of a document is about to be folded. */
static int begin_work(ent__run *r, ent__work *w) {
	w->begun = true;
	r->e->inputs[w->input].arrived_us = r->e->now_us;
	r->e->unsettled |= w->stream->source->completes;
	if (!w->before) {
		return 0;
	}
	struct same_input old = {w->before};
	ent__pending_rejects_drop(r->e, w->before);
	/* Parts of visits add up, they have no rank to win by: told again, they would count twice. */
	bool visits = w->stream->decoder->facts >> ENT_VISIT & 1;
	int status = w->replaces || visits ? ent__take_back(r->e, w->replaces ? 0 : ENT_VISIT, is_input, &old, r->error) : 0;
	if (!status && w->replaces) {
		r->e->inputs[w->before].live = 0;
		r->e->inputs[w->before].gone_us = r->e->now_us;
		r->e->input_dirty[w->before] = true;
		ent__pending_covers_drop(r->e, w->before);
	}
	return status;
}

/* A chunk that was told where it begins says that it begins elsewhere: to ask again would get the same answer for ever. */
static void misplaced(ent__run *r, ent__work *w, ent__chunk *c, uint64_t where) {
	ent_error e;
	ent_error_set(&e, ENT_ERR_WORKER, "the worker says that it read from byte %llu, not from %llu", (unsigned long long)where,
		(unsigned long long)w->folded);
	ent_error_todo(&e, "the plugin, or a library that it loads, writes outside of its own memory");
	bool partial = w->partial;
	ent__give_up(r, w, ENT__DIED, &e, c->begin, true);
	if (partial) {
		r->status = ENT__AGAIN;
	}
}

/* Folds the batches of the first chunk that lie ready. false: the chunk was dropped, or the run cannot go on. */
static bool fold_batches(ent__run *r, ent__work *w, ent__chunk *c) {
	while (c->a->first) {
		ent_slot_batch *slot = c->a->first;
		if (slot->begin != w->folded) {
			if (c->exact) {
				misplaced(r, w, c, slot->begin);
			} else {
				start_over(r, w);
			}
			return false;
		}
		if (!w->begun && begin_work(r, w)) {
			r->status = r->error->code;
			return false;
		}
		int status = ent__take_batch(r, c, slot);
		if (status == ENT_ERR_WORKER) {
			/* part of a batch may be folded already: back to the last commit, and without this document */
			ent_error nonsense = *r->error;
			ent_pool_condemn(r->e->pool, c->a, &nonsense);
			size_t n = strlen(nonsense.what);
			snprintf(nonsense.what + n, sizeof nonsense.what - n, " (plugin %s)", w->stream->decoder->plugin->name);
			w->stream->source->worker_deaths++;
			ent__give_up(r, w, ENT__DIED, &nonsense, c->begin, true);
			r->status = ENT__AGAIN;
			return false;
		}
		if (status) {
			r->status = status;
			return false;
		}
		c->a->first = slot->next;
		if (!c->a->first) {
			c->a->last = NULL;
		}
		ent_pool_release(r->e->pool, slot);
	}
	return true;
}

/* How many keys the rest of the stream will bring if it goes on as it began: the index then grows once to hold them. */
static void foresee(const ent_engine *e, ent__stream *s, uint64_t bytes, uint64_t keys) {
	s->bytes_done += bytes;
	s->bytes_left -= bytes < s->bytes_left ? bytes : s->bytes_left;
	s->keys += keys;
	if (e->index && s->bytes_done && s->keys <= ent_index_count(e->index)) {
		double more = (double)s->keys * (double)s->bytes_left / (double)s->bytes_done;
		ent_index_expect(e->index, ent_index_count(e->index) + (uint64_t)more);
	}
}

static void complete_chunk(ent__run *r, ent__work *w, ent__chunk *c) {
	ent_engine *e = r->e;
	ent_assignment *a = c->a;
	ent__source *s = w->stream->source;
	ent_input *input = &e->inputs[w->input];
	s->delta.records += c->records;
	s->delta.consumed += c->consumed;
	s->delta.rejected += c->rejected;
	s->delta.skipped += c->skipped;
	s->delta.bytes += a->bytes;
	s->delta.waits += a->waits;
	s->delta.waited_us += a->waited_ns / 1000;
	e->report->waits += a->waits;
	e->report->waited_ns += a->waited_ns;
	e->report->stages.decoding += a->cpu_ns;
	/* what the worker says at the end is counted apart from what its batches said: the balance compares them */
	s->told_records += a->records;
	s->told_facts += a->facts;
	input->records += c->records;
	input->consumed += c->consumed;
	input->rejected += c->rejected;
	input->skipped += c->skipped;
	input->facts += c->facts;
	e->report->progress.records += c->records;
	e->report->progress.facts += c->facts;
	uint64_t end = a->eof ? input->size : a->end, bytes = end > w->folded ? end - w->folded : 0;
	e->report->progress.bytes_done += bytes;
	foresee(e, w->stream, bytes, c->keys);
	w->folded = a->end;
	input->position = end;
	e->input_dirty[w->input] = true;
	w->partial = false;
	w->chunks = c->next;
	if (!w->chunks) {
		w->chunks_end = &w->chunks;
	}
	if (a->eof || (w->all_asked && !w->chunks)) {
		input->done = 1;
		input->position = input->size;
		input->live = !w->slice_superseded;
		w->finished = true;
		ent__aside_forget(s, input->name);
		ent__source_well(s);
		e->report->progress.inputs_done++;
		drop_chunks(r, w->chunks);
		w->chunks = NULL;
		w->chunks_end = &w->chunks;
	}
	free(a);
	free(c);
}

static bool chunk_failed(ent__run *r, ent__work *w, ent__chunk *c) {
	ent_assignment *a = c->a;
	ent_error why = a->error;
	uint64_t place = a->died_at;
	bool partial = w->partial;
	ent__cause cause = a->died ? ENT__DIED : ENT__WRONG;
	w->stream->source->worker_deaths += a->died && !a->unstarted;
	if (!a->died && !c->exact && !partial) {
		/* it may have begun within a record that it took for something else: only a chunk that begins for sure may judge */
		start_over(r, w);
		return true;
	}
	bool again = a->died && !partial && c->attempts + !a->unstarted < ATTEMPTS;
	if (partial) {
		/* part of the chunk is folded and cannot be told apart any more: back to the last commit, and without this document */
		ent__give_up(r, w, cause, &why, place, true);
		r->status = ENT__AGAIN;
		return false;
	}
	if (!again) {
		ent__give_up(r, w, cause, &why, place, true);
		return true;
	}
	unsigned attempts = c->attempts + !a->unstarted;
	start_over(r, w);
	w->chunks = ent_xcalloc(1, sizeof *w->chunks);
	*w->chunks = (ent__chunk){.work = w, .begin = w->folded, .attempts = attempts};
	w->chunks_end = &w->chunks->next;
	return true;
}

static bool any_partial(const ent__run *r) {
	for (unsigned i = 0; i < r->n_active; i++) {
		if (r->active[i]->partial) {
			return true;
		}
	}
	return false;
}

/* Is it a document that has begun to take the place of its old self? */
bool ent__in_place_of(const ent__work *w) { return w->replaces && w->begun && !w->finished; }

/* A restating document replaces its old self in one commit: none between its begin and its end. */
static bool replacing(const ent__run *r) {
	for (unsigned i = 0; i < r->n_active; i++) {
		if (ent__in_place_of(r->active[i])) {
			return true;
		}
	}
	return false;
}

/* May a chunk that is not whole be folded as far as it is, so that its worker's ring has room again? When a commit is
 * due, rather not: it would have to wait until the chunk is whole. But where the commit must wait anyway, the chunk that was
 * given out first goes on. All that lies before its batches in its worker's ring is folded or dropped, so that its worker
 * can always go on, and with that the next one: or workers with full rings would wait for each other. */
static bool may_relieve(const ent__run *r, const ent__work *w, bool commit_due) {
	if (!commit_due || w->partial) {
		return true;
	}
	if (!any_partial(r) && !replacing(r)) {
		return false;
	}
	for (unsigned i = 0; i < r->n_active; i++) {
		const ent__chunk *first = r->active[i]->chunks;
		if (first && first->a && first->a->id < w->chunks->a->id) {
			return false;
		}
	}
	return true;
}

static uint64_t gathered(const ent_engine *e) {
	return ent_cells_bytes(e->cells) + ent_ledger_dirty(e->ledger) + ent__pending_bytes(e);
}

/* Has so much gathered that it has to be committed before more is folded? */
static bool full(const ent_engine *e) { return gathered(e) > (uint64_t)e->config->commit.bytes; }

/* Folds what can be folded. Returns whether anything happened. */
static bool fold_work(ent__run *r, ent__work *w, bool commit_due) {
	bool moved = false;
	while (w->chunks && w->chunks->a && !r->status) {
		ent__chunk *c = w->chunks;
		bool whole = c->a->done || c->a->failed;
		if (c->a->failed) {
			chunk_failed(r, w, c);
			return true;
		}
		if (!whole && !(c->a->first && ent_pool_crowded(c->a) && may_relieve(r, w, commit_due))) {
			break;
		}
		if (c->a->first) {
			moved = true;
			if (!whole) {
				w->partial = true;
			}
			if (!fold_batches(r, w, c)) {
				return true;
			}
		}
		if (!whole) {
			break;
		}
		if (c->a->batches == 0 && c->a->begin != w->folded) {
			/* a chunk without any record, which does not continue the one before: it guessed wrong where records begin */
			if (c->exact) {
				misplaced(r, w, c, c->a->begin);
			} else {
				start_over(r, w);
			}
			return true;
		}
		if (!c->a->eof && c->a->end <= w->folded) {
			misplaced(r, w, c, c->a->end); /* it would never come to an end */
			return true;
		}
		if (!w->begun && begin_work(r, w)) {
			r->status = r->error->code;
			return true;
		}
		moved = true;
		complete_chunk(r, w, c);
		if (w->finished || full(r->e)) { /* many may lie ready, read while the last commit was waited for */
			break;
		}
	}
	return moved;
}

/* ---- the loop -------------------------------------------------------------------------------------------------------------------- */

static void on_batch(void *ctx, ent_assignment *a, const ent_slot_batch *b) {
	ent_error nonsense = {0};
	if (ent__take_texts(ctx, ent_pool_dictionary(a->worker), b, &nonsense)) {
		ent_pool_condemn(((ent_engine *)ctx)->pool, a, &nonsense);
	}
}

static void on_finished(void *ctx, ent_assignment *a) {
	(void)ctx; /* the loop looks at every chunk after each turn */
	(void)a;
}

static void on_log(void *ctx, const char *plugin, int level, const char *text) {
	(void)ctx;
	(void)plugin;
	(void)level;
	(void)text;
}

const ent_pool_events ent__dispatch_events = {on_batch, on_finished, on_log};

static void on_tick(uv_timer_t *timer) {
	ent__run *r = timer->data;
	ent_pool_tick(r->e->pool);
	if (r->progress) {
		r->progress(r->progress_ctx, &r->e->report->progress);
	}
}

static void on_signal(uv_signal_t *handle, int number) {
	(void)number;
	((ent__run *)handle->data)->stopping = true;
}

static void retire(ent__run *r) {
	unsigned kept = 0;
	for (unsigned i = 0; i < r->n_active; i++) {
		ent__work *w = r->active[i];
		if (!w->finished) {
			r->active[kept++] = w;
			continue;
		}
		r->queues[w->queue].n_active--;
		if (w->fd >= 0) {
			close(w->fd);
			w->fd = -1;
		}
	}
	r->n_active = kept;
}

/* May what has gathered be committed before a commit is due? When the thread for it has nothing to do: then little is left for
 * the end of the run, where everybody waits for it. It costs hardly anything while each day of a partner is met once, as in
 * files of one partner; less often where some are met again, as in files by day; and not at all where most are, for to add to
 * a day costs more than to write a new one. */
static bool commit_early(const ent_engine *e) {
	uint64_t least = (uint64_t)e->config->commit.bytes / (e->added.known ? 4 : 8);
	return !e->committing && gathered(e) > least && e->added.known <= e->added.fresh / 2;
}

static bool step(ent__run *r) {
	ent_engine *e = r->e;
	if (e->committing && ent__commit_idle(e)) {
		r->status = ent__commit_wait(e, r->error);
	}
	bool early = commit_early(e);
	bool due = full(e) || uv_hrtime() - e->last_commit_ns > (uint64_t)e->config->commit.every_us * 1000;
	bool moved = false;
	uint64_t began = uv_hrtime();
	for (unsigned i = 0; i < r->n_active && !r->status; i++) {
		moved |= fold_work(r, r->active[i], due);
		if (!due && full(e)) {
			due = true;
			if (!any_partial(r)) {
				break; /* what else lies ready waits for the commit */
			}
		}
	}
	e->report->stages.folding += uv_hrtime() - began;
	retire(r);
	if ((due || early) && !r->status && !any_partial(r) && !replacing(r)) {
		r->status = ent__commit_begin(e, r->error);
	}
	if (!r->status) {
		moved |= ent__give_out(r);
	}
	return moved;
}

/* Is anything given out that has to be waited for? A chunk that was dropped, or whose worker died, is given out no more. */
static bool under_way(const ent__run *r) {
	for (unsigned i = 0; i < r->n_active; i++) {
		const ent__work *w = r->active[i];
		if (ent__in_place_of(w) || (w->chunks && w->chunks->a)) {
			return true;
		}
	}
	return false;
}

bool ent__any_waiting(const ent__run *r) {
	bool any = false;
	for (unsigned i = 0; i < r->n_queues && !any; i++) {
		any = r->queues[i].next != NULL;
	}
	return any;
}

/* ---- interrupted ------------------------------------------------------------------------------------------------------------ */

/* Lets go of all that is neither whole nor folded in part: it is read again by a later call. */
static void let_go(ent__run *r, ent__work *w) {
	ent__chunk **end = &w->chunks;
	while (*end && (*end)->a && (*end)->a->done) {
		end = &(*end)->next;
	}
	drop_chunks(r, *end);
	*end = NULL;
	w->chunks_end = end;
}

static void cut_short(ent__run *r) {
	uint64_t now = uv_hrtime();
	if (!r->cut_ns) {
		r->cut_ns = now;
		r->closing = true;
		for (unsigned i = 0; i < r->n_active; i++) {
			ent__work *w = r->active[i];
			if (!w->partial && !ent__in_place_of(w)) {
				let_go(r, w);
			}
		}
	} else if (now - r->cut_ns > PATIENCE_NS && (any_partial(r) || replacing(r))) {
		r->status = ENT__AGAIN; /* back to the last commit; who interrupted does not want it begun again now */
	}
}

/* ---- from begin to end ------------------------------------------------------------------------------------------------------- */

/* Queues by source in a service, one for all else. */
static void line_up(ent__run *r, ent__work *works) {
	ent_engine *e = r->e;
	bool apart = e->what->service;
	r->queues = ent_xcalloc(apart ? e->n_sources + 1u : 1, sizeof *r->queues);
	for (ent__work *w = works; w; w = w->next_work) {
		ent__source *s = w->stream->source;
		unsigned i = r->n_queues;
		if (i && (!apart || r->queues[i - 1].source == s)) { /* they come in the order of their sources */
			i--;
		} else {
			r->queues[r->n_queues++] = (ent__queue){.source = s, .end = &r->queues[i].next};
		}
		w->queue = i;
		w->next_waiting = NULL;
		*r->queues[i].end = w;
		r->queues[i].end = &w->next_waiting;
	}
	for (uint32_t i = 0; i < e->n_sources; i++) { /* who has nothing to read owes nothing */
		bool waits = false;
		for (unsigned k = 0; k < r->n_queues && !waits; k++) {
			waits = r->queues[k].source == &e->sources[i];
		}
		e->sources[i].given = waits ? e->sources[i].given : 0;
	}
	uint64_t least = UINT64_MAX;
	for (unsigned i = 0; i < r->n_queues; i++) {
		least = r->queues[i].source->given < least ? r->queues[i].source->given : least;
	}
	for (unsigned i = 0; i < r->n_queues; i++) { /* and a flood is not held against a source for ever */
		uint64_t *given = &r->queues[i].source->given;
		*given = *given - least < ENT__DEBT ? *given - least : ENT__DEBT;
	}
}

/* How much each stream is going to read, so that the index grows once. */
static void foresee_streams(const ent_engine *e, const ent__work *works) {
	for (const ent__work *w = works; w; w = w->next_work) {
		w->stream->bytes_left = w->stream->bytes_done = w->stream->keys = 0;
	}
	for (const ent__work *w = works; w; w = w->next_work) {
		uint64_t size = e->inputs[w->input].size;
		w->stream->bytes_left += size > w->folded ? size - w->folded : 0;
	}
}

static void turn(ent__run *r) {
	ent_engine *e = r->e;
	uint64_t began = uv_hrtime();
	uv_run(&e->loop, UV_RUN_ONCE);
	e->report->stages.waiting += uv_hrtime() - began;
	do {
		if (atomic_load(&e->interrupted) && !r->status) {
			cut_short(r);
		}
	} while (!r->status && !r->stopping && step(r));
	if (r->stopping && !r->status) {
		r->status = ent_error_set(r->error, ENT_ERR_STOPPED, "stopped by a signal");
		ent_error_todo(r->error, "run again: what was committed stays, the rest is read again");
	}
}

int ent__dispatch(ent_engine *e, ent__work *works, void (*progress)(void *ctx, const ent_ingest_progress *), void *ctx,
	ent_error *error) {
	ent__run *r = ent_xcalloc(1, sizeof *r);
	r->e = e;
	r->error = error;
	r->progress = progress;
	r->progress_ctx = ctx;
	e->last_commit_ns = uv_hrtime();
	uv_timer_t tick;
	uv_signal_t signals[2];
	uv_timer_init(&e->loop, &tick);
	tick.data = r;
	uv_timer_start(&tick, on_tick, 50, 50);
	for (int i = 0; i < 2; i++) {
		uv_signal_init(&e->loop, &signals[i]);
		signals[i].data = r;
		if (!e->what->service) {
			uv_signal_start(&signals[i], on_signal, i ? SIGTERM : SIGINT);
		}
	}
	ent_pool_awake(e->pool);
	foresee_streams(e, works);
	line_up(r, works);
	r->until_ns = e->what->budget_ns ? uv_hrtime() + e->what->budget_ns : 0;
	ent__give_out(r);
	while (!r->status && (r->closing ? under_way(r) : r->n_active || ent__any_waiting(r))) {
		turn(r);
	}
	e->report->more |= r->status >= 0 && (r->n_active || ent__any_waiting(r));
	for (unsigned i = 0; i < r->n_active; i++) {
		drop_chunks(r, r->active[i]->chunks);
		r->active[i]->chunks = NULL;
	}
	uv_timer_stop(&tick);
	uv_close((uv_handle_t *)&tick, NULL);
	for (int i = 0; i < 2; i++) {
		uv_close((uv_handle_t *)&signals[i], NULL);
	}
	uv_run(&e->loop, UV_RUN_NOWAIT);
	int status = r->status;
	free(r->queues);
	free(r);
	return status;
}
