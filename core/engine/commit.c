/* SPDX-License-Identifier: Apache-2.0
 *
 * Commit: append -> fdatasync of identities and segments -> one transaction with cells, codes, positions (compare and
 * set), rejects, coverage, balance and the valid lengths of the segments. Whatever fails here ends the run: memory has run
 * ahead of the disk, nothing is retried.
 *
 * The loop freezes what has gathered, a generation: cells and what is pending are handed over whole, of the rest copies are
 * made. A thread of its own sorts, syncs and commits it while the loop folds into the next one. One is under way at most;
 * whoever wants the next, or the store itself, waits for it. So two generations are in memory, and the loop goes on as if
 * the first were committed: if it fails, the run ends, and nothing was told to anybody. */
#include "engine/warm.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ent__generation {
	ent_store *store;
	const ent_config *config;
	ent_ledger *log;
	ent_identities *identities;
	ent_ledger_mark log_mark;
	ent_identities_mark identities_mark;
	ent_cells *cells;
	struct ent__pending *pending;
	uint32_t first_text, n_texts;
	ent_buf texts;
	/* inputs whose rows changed, each with what the store has of it */
	struct input {
		ent_input row;
		ent__stored before;
	} *inputs;
	size_t n_inputs, inputs_capacity;
	ent_balance *balances;
	uint32_t n_balances;
	bool clear_cells, tell_unsettled, unsettled;
	char fingerprint[65];
	char *declared, *rules_metrics; /* NULL: it stays */
	int64_t expire_before;
	ent_cells_added added; /* what became of the cells */
	bool keep_cells;       /* until it is told what they were */
	/* of the thread */
	pthread_t thread;
	atomic_bool done;
	int status;
	ent_error error;
	ent_cells_flush changes;
	uint64_t cpu_ns;
};

/* ---- freezing ------------------------------------------------------------------------------------------------------- */

static void free_generation(struct ent__generation *g) {
	ent_ledger_mark_finish(&g->log_mark);
	ent__pending_free(g->pending);
	ent_buf_finish(&g->texts);
	free(g->declared);
	free(g->rules_metrics);
	free(g->inputs);
	free(g->balances);
	free(g);
}

static void add_up(ent_balance *to, const ent_balance *from) {
	to->records += from->records;
	to->consumed += from->consumed;
	to->rejected += from->rejected;
	to->skipped += from->skipped;
	to->received += from->received;
	to->stored += from->stored;
	to->replaced += from->replaced;
	to->duplicate += from->duplicate;
	to->superseded += from->superseded;
	to->merged += from->merged;
	to->refused += from->refused;
	to->bytes += from->bytes;
	to->waits += from->waits;
	to->waited_us += from->waited_us;
}

static void take_texts(ent_engine *e, struct ent__generation *g) {
	g->first_text = e->texts_saved ? e->texts_saved : 1; /* 0 is "" */
	for (uint32_t i = g->first_text; i < e->texts.count; i++) {
		size_t n;
		const char *text = ent_intern_text(&e->texts, i, &n);
		ent_buf_bytes(&g->texts, text, n);
		g->n_texts++;
	}
	e->texts_saved = e->texts.count;
}

static void take_inputs(ent_engine *e, struct ent__generation *g) {
	for (uint32_t i = 1; i < e->n_inputs; i++) {
		if (e->input_dirty[i]) {
			ENT_GROW(g->inputs, g->n_inputs, g->inputs_capacity);
			g->inputs[g->n_inputs++] = (struct input){e->inputs[i], e->stored[i]};
			e->stored[i].exists = true; /* what came of it stays: its document may end in another commit */
			e->stored[i].position = e->inputs[i].position;
			e->stored[i].generation = e->inputs[i].generation;
			e->stored[i].looked_ns = e->stored[i].changed_ns = 0;
			e->input_dirty[i] = false;
		}
	}
}

static void take_balances(ent_engine *e, struct ent__generation *g) {
	g->n_balances = e->n_sources;
	g->balances = ent_xcalloc(e->n_sources + 1, sizeof *g->balances);
	for (uint32_t i = 0; i < e->n_sources; i++) {
		ent__source *s = &e->sources[i];
		s->delta.parked = s->parked;
		s->delta.pending = s->pending;
		g->balances[i] = s->delta;
		add_up(&s->total, &s->delta);
		s->delta = (ent_balance){.source = s->code};
	}
}

/* Takes out of the engine all that has gathered since the last commit. */
static int freeze(ent_engine *e, struct ent__generation **out, ent_error *error) {
	struct ent__generation *g = ent_xcalloc(1, sizeof *g);
	int status = ent_identities_freeze(e->identities, &g->identities_mark, error);
	if (!status) {
		status = ent_ledger_freeze(e->ledger, &g->log_mark, error);
	}
	if (status) {
		free_generation(g);
		return status;
	}
	g->store = e->store;
	g->config = e->config;
	g->log = e->ledger;
	g->identities = e->identities;
	g->cells = e->cells;
	g->pending = e->pending;
	take_texts(e, g);
	take_inputs(e, g);
	take_balances(e, g);
	g->clear_cells = e->clear_cells;
	g->keep_cells = e->warm != NULL;
	g->tell_unsettled = e->unsettled != e->unsettled_saved;
	g->unsettled = e->unsettled_saved = e->unsettled;
	memcpy(g->fingerprint, e->fingerprint, sizeof g->fingerprint);
	g->declared = e->declared_text;
	e->declared_text = NULL;
	g->rules_metrics = g->declared && e->rules_metrics_told ? ent_xstrdup(e->rules_metrics) : NULL;
	e->rules_metrics_told = e->rules_metrics_told && !g->declared;
	g->expire_before = e->now_us - e->config->rejects_keep_us;
	e->cells = e->spare_cells ? e->spare_cells : ent_cells_create();
	e->fold.cells = e->cells;
	e->spare_cells = NULL;
	e->pending = NULL;
	e->clear_cells = false;
	e->fingerprint[0] = 0;
	*out = g;
	return 0;
}

/* ---- putting it into the store ------------------------------------------------------------------------------------------ */

static int put_texts(const struct ent__generation *g, ent_error *error) {
	ent_read r = ent_read_of(g->texts.data, g->texts.n);
	int status = 0;
	for (uint32_t i = 0; i < g->n_texts && !status; i++) {
		size_t n;
		const char *text = ent_read_bytes(&r, &n);
		status = ent_store_code_add(g->store, ENT_CODE_TEXT, g->first_text + i, text, n, error);
	}
	return status;
}

static int put_small(const struct ent__generation *g, ent_error *error) {
	char count[32];
	int status = ent__pending_put(g->pending, g->config, g->store, error);
	for (size_t i = 0; i < g->n_inputs && !status; i++) {
		const struct input *x = &g->inputs[i];
		status = ent_store_input_put(
			g->store, &x->row, x->before.exists ? x->before.position : UINT64_MAX, x->before.generation, error);
	}
	for (uint32_t i = 0; i < g->n_balances && !status; i++) {
		status = ent_store_balance_add(g->store, &g->balances[i], error);
	}
	if (!status) {
		status = ent_store_rejects_expire(g->store, g->expire_before, error);
	}
	if (!status && g->fingerprint[0]) {
		status = ent_store_meta_set(g->store, "cells", g->fingerprint, error);
	}
	if (!status && g->declared) {
		status = ent_store_meta_set(g->store, "custom", g->declared, error);
	}
	if (!status && g->rules_metrics) {
		status = ent_store_meta_set(g->store, "metrics of rules", g->rules_metrics, error);
	}
	if (!status && g->tell_unsettled) {
		status = ent_store_meta_set(g->store, "unsettled", g->unsettled ? "1" : "", error);
	}
	if (!status) {
		status = ent_store_segments_save(g->store, g->log_mark.segments, g->log_mark.n, error);
	}
	snprintf(count, sizeof count, "%llu", (unsigned long long)g->identities_mark.count);
	return status ? status : ent_store_meta_set(g->store, "identities", count, error);
}

static int put_all(struct ent__generation *g, ent_error *error) {
	int status = put_texts(g, error);
	if (!status && g->clear_cells) {
		status = ent_store_cells_clear(g->store, error);
	}
	if (!status) {
		status = ent_store_cells_add(g->store, &g->changes, &g->added, error);
	}
	return status ? status : put_small(g, error);
}

static uint64_t cpu_time(void) {
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Any thread; nobody else uses store and generation meanwhile. */
static void *commit(void *generation) {
	struct ent__generation *g = generation;
	uint64_t began = cpu_time();
	ent_store_take(g->store);
	g->changes = ent_cells_sort(g->cells); /* first: the disk works meanwhile */
	int status = ent_identities_sync_to(g->identities, &g->identities_mark, &g->error);
	if (!status) {
		status = ent_ledger_sync_to(g->log, &g->log_mark, &g->error);
	}
	if (!status) {
		status = ent_store_begin(g->store, &g->error);
	}
	if (!status) {
		status = put_all(g, &g->error);
		if (!status) {
			status = ent_store_commit(g->store, &g->error);
		} else {
			ent_store_rollback(g->store);
		}
	}
	g->status = status;
	if (!g->keep_cells) {
		ent_cells_reset(g->cells);
	}
	g->cpu_ns = cpu_time() - began;
	ent_store_release(g->store);
	atomic_store(&g->done, true);
	return NULL;
}

/* ---- the thread ------------------------------------------------------------------------------------------------------------ */

static int finish(ent_engine *e, struct ent__generation *g, ent_error *error) {
	int status = g->status;
	ent_store_take(e->store);
	if (status) {
		*error = g->error;
		ent__warm_all(e, "a commit failed");
	} else if (g->clear_cells) {
		ent__warm_all(e, "all cells were made anew");
	} else if (g->keep_cells) {
		ent__warm_cells(e, &g->changes);
	}
	if (g->keep_cells) {
		ent_cells_reset(g->cells);
	}
	e->spare_cells = g->cells;
	e->added = g->added;
	if (e->report) {
		e->report->stages.storing += g->cpu_ns;
	}
	free_generation(g);
	return status;
}

static void count_time(ent_engine *e, uint64_t began) {
	if (e->report) {
		e->report->stages.committing += uv_hrtime() - began;
	}
}

int ent__commit_wait(ent_engine *e, ent_error *error) {
	struct ent__generation *g = e->committing;
	if (!g) {
		return 0;
	}
	uint64_t began = uv_hrtime();
	pthread_join(g->thread, NULL);
	e->committing = NULL;
	int status = finish(e, g, error);
	count_time(e, began);
	return status;
}

bool ent__commit_idle(const ent_engine *e) { return !e->committing || atomic_load(&e->committing->done); }

int ent__commit_begin(ent_engine *e, ent_error *error) {
	struct ent__generation *g;
	int status = ent__commit_wait(e, error);
	uint64_t began = uv_hrtime();
	status = status ? status : freeze(e, &g, error);
	if (status) {
		return status;
	}
	ent_store_release(e->store);
	sigset_t all, before; /* signals are the loop's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&g->thread, NULL, commit, g);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) { /* it is no slower than without any thread */
		commit(g);
		status = finish(e, g, error);
	} else {
		pthread_setname_np(g->thread, "commit"); /* for those who look with a profiler */
		e->committing = g;
	}
	e->last_commit_ns = uv_hrtime();
	count_time(e, began);
	return status;
}

int ent__commit(ent_engine *e, ent_error *error) {
	struct ent__generation *g;
	int status = ent__commit_wait(e, error);
	uint64_t began = uv_hrtime();
	status = status ? status : freeze(e, &g, error);
	if (!status) {
		commit(g);
		status = finish(e, g, error);
	}
	e->last_commit_ns = uv_hrtime();
	count_time(e, began);
	return status;
}
