/* SPDX-License-Identifier: Apache-2.0
 *
 * The pool of decoder workers, see pool.h. Loop thread only. */
#include "config/config.h"
#include "engine/pool_worker.h"
#include "engine/spare.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- life of a worker
 * ------------------------------------------------------------------------------------------------- */

static void describe_death(const ent_worker *w, int64_t status, int signal, ent_error *e) {
	const char *plugin = w->plugin ? w->plugin->name : w->path;
	const char *said = ent_child_stderr(w->child);
	size_t n = strlen(said);
	while (n && (said[n - 1] == '\n' || said[n - 1] == ' ')) {
		n--;
	}
	const char *last = said + n;
	while (last > said && last[-1] != '\n') {
		last--;
	}
	char tail[200] = "";
	if (n) {
		snprintf(tail, sizeof tail, "; it last wrote: %.*s", (int)(said + n - last), last);
	}
	if (w->condemned) {
		*e = w->condemnation;
		size_t at = strlen(e->what);
		snprintf(e->what + at, sizeof e->what - at, " (plugin %s)", plugin);
	} else if (signal) {
		ent_error_set(e, ENT_ERR_WORKER, "plugin %s died of signal %d (%s)%s", plugin, signal, strsignal(signal), tail);
	} else {
		ent_error_set(
			e, ENT_ERR_WORKER, "plugin %s ended its process with status %lld%s", plugin, (long long)status, tail);
	}
	if (!e->todo[0]) {
		ent_error_todo(e, "this is a fault of the plugin: tell who maintains it, with the file and the position");
	}
}

static void unlink_worker(ent_worker *w) {
	for (ent_worker **p = &w->pool->workers; *p; p = &(*p)->next) {
		if (*p == w) {
			*p = w->next;
			break;
		}
	}
}

static void free_worker(ent_worker *w) {
	while (w->oldest) {
		ent_slot_batch *b = w->oldest;
		w->oldest = b->after;
		free(b);
	}
	for (unsigned i = 0; i < w->n_waiting; i++) {
		if (w->waiting[i]->dropped) {
			free(w->waiting[i]);
		}
	}
	if (w->running && w->running->dropped) {
		free(w->running); /* nobody else knows it any more */
	}
	ent_child_destroy(w->child);
	free((void *)(uintptr_t)w->path);
	free(w->opened);
	free(w->plugins);
	free(w->dictionary.codes);
	free(w);
}

static void end_assignment(ent_pool *p, ent_assignment *a) {
	if (a && a->dropped) {
		free(a);
	} else if (a) {
		p->events->finished(p->ctx, a);
	}
}

static void on_gone(void *ctx, ent_child *child, int64_t status, int signal) {
	(void)child;
	ent_worker *w = ctx;
	ent_pool *p = w->pool;
	p->alive -= !w->looker;
	ent_error e;
	describe_death(w, status, signal, &e);
	if (!w->dying) {
		p->died++;
	}
	if (!w->answered) {
		w->answer = e;
		w->answered = true;
	}
	unlink_worker(w);
	ent_assignment *a = w->running;
	/* Batches of assignments that are done but not folded lie in memory that stays mapped until they are released. */
	if (a) {
		a->died_at = atomic_load(&ent__worker_ring(w)->position);
		a->failed = a->died = true;
		a->error = e;
		w->running = NULL;
	}
	w->dying = true;
	unsigned n_waiting = w->n_waiting;
	w->n_waiting = 0;
	end_assignment(p, a);
	for (unsigned i = 0; i < n_waiting; i++) { /* no fault of theirs */
		ent_assignment *next = w->waiting[i];
		next->failed = next->died = next->unstarted = true;
		next->error = e;
		end_assignment(p, next);
	}
	if (!w->oldest && !w->asked) {
		free_worker(w);
	}
}

static const ent_child_events child_events = {ent__worker_heard, on_gone};

size_t ent_pool_shared(const ent_pool_settings *set) { return ENT_RING_PAGE + (size_t)set->slots * set->slot_bytes; }

/* With one plugin it decodes; the one that looks has several. */
static ent_worker *start_with(ent_pool *p, const char *const *paths, size_t n, bool looker, ent_error *e) {
	ent_worker *w = ent_xcalloc(1, sizeof *w);
	w->pool = p;
	w->child = ent_spares_take(p->set.spares, p->loop, p->set.program, ent_pool_shared(&p->set), &child_events, w, e);
	if (!w->child) {
		free(w);
		return NULL;
	}
	w->path = ent_xstrdup(looker ? "" : paths[0]);
	w->looker = looker;
	w->next = p->workers;
	p->workers = w;
	p->alive += !looker;
	p->started++;
	ent_buf m = {0};
	ent_buf_u32(&m, ENT_MSG_HELLO);
	ent_buf_u32(&m, ENT_PROTOCOL_VERSION);
	ent_buf_u32(&m, p->set.slots);
	ent_buf_u32(&m, p->set.slot_bytes);
	ent_buf_u8(&m, (uint8_t)p->set.sandbox);
	ent_buf_u64(&m, p->set.max_unpacked);
	ent_buf_u32(&m, p->set.max_ratio);
	ent_buf_u64(&m, p->set.memory);
	ent_buf_bytes(&m, p->set.identity_key, 32);
	ent_buf_bytes(&m, p->set.seal_key, 32);
	ent_child_send(w->child, &m, NULL, 0);
	m.n = 0;
	ent_buf_u32(&m, ENT_MSG_LOAD);
	ent_buf_u32(&m, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		ent_buf_text(&m, paths[i]);
	}
	uint32_t encodings = 0;
	while (p->set.encodings[encodings]) {
		encodings++;
	}
	ent_buf_u32(&m, encodings);
	for (uint32_t i = 0; i < encodings; i++) {
		ent_buf_text(&m, p->set.encodings[i]);
	}
	ent_child_send(w->child, &m, NULL, 0);
	ent_buf_finish(&m);
	w->beat_seen_ns = uv_hrtime();
	return w;
}

static ent_worker *start(ent_pool *p, const char *path, ent_error *e) { return start_with(p, &path, 1, false, e); }

static void stop(ent_worker *w) {
	ent_buf m = {0};
	ent_buf_u32(&m, ENT_MSG_STOP);
	ent_child_send(w->child, &m, NULL, 0);
	ent_buf_finish(&m);
	w->dying = true;
}

ent_pool *ent_pool_create(uv_loop_t *loop, const ent_pool_settings *set, const ent_pool_events *events, void *ctx) {
	ent_pool *p = ent_xcalloc(1, sizeof *p);
	p->loop = loop;
	p->set = *set;
	p->events = events;
	p->ctx = ctx;
	p->next_assignment = 1;
	return p;
}

void ent_pool_destroy(ent_pool *p) {
	if (!p) {
		return;
	}
	while (p->workers) {
		ent_worker *w = p->workers;
		p->workers = w->next;
		free_worker(w);
	}
	free(p);
}

/* ---- questions that are waited for
 * -------------------------------------------------------------------------------------- */

static void on_wake(uv_timer_t *timer) { (void)timer; }

/* What the worker points to belongs to the caller: nothing that it says later may be written there. */
static void end_question(ent_worker *w) {
	w->asked = ASKED_NOTHING;
	w->answer_arena = NULL;
	w->scores = NULL;
	w->why = NULL;
	w->n_scores = 0;
	w->paths = NULL;
	w->refused = NULL;
	if (w->dying && !w->oldest) { /* its end came while somebody waited: it is off the list already */
		free_worker(w);
	}
}

static int wait_answer(ent_worker *w, ent_error *e) {
	ent_pool *p = w->pool;
	uint64_t until = uv_hrtime() + p->set.deadline_ns;
	uv_timer_t wake; /* so that a silent worker is noticed */
	uv_timer_init(p->loop, &wake);
	uv_timer_start(&wake, on_wake, 50, 50);
	while (!w->answered) {
		uv_run(p->loop, UV_RUN_ONCE);
		if (!w->answered && uv_hrtime() > until) {
			ent_error late;
			ent_error_set(
				&late, ENT_ERR_WORKER, "the plugin did not answer within %.1f s", (double)p->set.deadline_ns / 1e9);
			ent__worker_condemn(w, &late);
		}
	}
	uv_timer_stop(&wake);
	uv_close((uv_handle_t *)&wake, NULL);
	uv_run(p->loop, UV_RUN_NOWAIT);
	*e = w->answer;
	return w->answer.code;
}

ent_worker *ent_pool_describe_begin(ent_pool *p, const char *path, ent_arena *arena, ent_error *e) {
	ent_worker *w = start(p, path, e);
	if (w) {
		w->asked = ASKED_DESCRIPTION;
		w->answer_arena = arena;
	}
	return w;
}

int ent_pool_describe_end(ent_worker *w, const ent_plugin_info **out, ent_error *e) {
	int status = wait_answer(w, e);
	if (status && !e->file[0] && strncmp(e->what, w->path, strlen(w->path)) != 0) {
		ent_error_at(e, w->path, 0, 0);
	}
	if (status && !w->dying) {
		unlink_worker(w);
		w->pool->alive--;
		w->dying = true;
	}
	if (!status) {
		*out = w->description;
	}
	end_question(w);
	return status;
}

/* ---- the one that looks
 * --------------------------------------------------------------------------------------------------- */

static ent_worker *looker_of(const ent_pool *p) {
	for (ent_worker *w = p->workers; w; w = w->next) {
		if (w->looker && !w->dying && !w->condemned) {
			return w;
		}
	}
	return NULL;
}

void ent_pool_look_end(ent_pool *p) {
	ent_worker *w = looker_of(p);
	if (w) {
		stop(w);
	}
}

int ent_pool_look(ent_pool *p, const char *const *paths, size_t n, ent_arena *arena, const ent_plugin_info **out,
	ent_error *errors, ent_error *e) {
	size_t bytes = 8;
	for (size_t i = 0; i < n; i++) {
		bytes += strlen(paths[i]) + 4;
	}
	if (n > ENT_LOAD_MAX || bytes > ENT_MSG_MAX || p->looks_failed > 1) {
		return ent_error_set(e, ENT_ERR_RANGE, "no worker can hold these plugins at once");
	}
	ent_pool_look_end(p);
	ent_worker *w = start_with(p, paths, n, true, e);
	if (!w) {
		return e->code;
	}
	w->asked = ASKED_DESCRIPTION;
	w->answer_arena = arena;
	w->paths = paths;
	w->refused = errors;
	w->n_plugins = (uint32_t)n;
	w->plugins = ent_xcalloc(n, sizeof *w->plugins);
	int status = wait_answer(w, e);
	memcpy(out, w->plugins, n * sizeof *out);
	p->looks_failed += status != 0;
	end_question(w);
	return status;
}

/* Does it hold these, and no others that could be loaded? */
static bool looks_at(const ent_worker *w, const ent_plugin_info *const *plugins, size_t n) {
	size_t k = 0;
	for (uint32_t i = 0; i < w->n_plugins; i++) {
		if (w->plugins[i] && (k >= n || w->plugins[i] != plugins[k++])) {
			return false;
		}
	}
	return k == n;
}

/* A worker that has all of them; NULL: there can be none. */
static ent_worker *look_at(ent_pool *p, const ent_plugin_info *const *plugins, size_t n) {
	ent_worker *w = looker_of(p);
	if (w && looks_at(w, plugins, n)) {
		return w;
	}
	ent_arena arena = {0};
	ent_error e, *errors = ent_xcalloc(n, sizeof *errors);
	const char **paths = ent_xcalloc(n, sizeof *paths);
	const ent_plugin_info **again = ent_xcalloc(n, sizeof *again);
	for (size_t i = 0; i < n; i++) {
		paths[i] = plugins[i]->path;
	}
	bool good = !ent_pool_look(p, paths, n, &arena, again, errors, &e);
	for (size_t i = 0; i < n && good; i++) { /* one that says something else by now is not what was described */
		good = again[i] && again[i]->n_decoders == plugins[i]->n_decoders;
	}
	w = looker_of(p);
	if (good && w) {
		memcpy(w->plugins, plugins, n * sizeof *plugins);
	} else if (w) {
		stop(w);
	}
	free(again);
	free(paths);
	free(errors);
	ent_arena_finish(&arena);
	return good ? w : NULL;
}

static ent_worker *worker_of(const ent_pool *p, const char *path, bool idle) {
	for (ent_worker *w = p->workers; w; w = w->next) {
		if (!w->dying && !w->condemned && !strcmp(w->path, path) && (!idle || !w->running)) {
			return w;
		}
	}
	return NULL;
}

static int ask_scores(ent_worker *w, int fd, const char *name, ent_arena *arena, uint32_t *scores, const char **why,
	uint32_t n, ent_error *e) {
	w->asked = ASKED_SCORES;
	w->answered = false;
	w->answer = (ent_error){0};
	w->answer_arena = arena;
	w->scores = scores;
	w->why = why;
	w->n_scores = n;
	w->loaded = true;
	ent_buf m = {0};
	ent_buf_u32(&m, ENT_MSG_PROBE);
	ent_buf_u64(&m, 0);
	ent_buf_text(&m, name);
	ent_child_send(w->child, &m, &fd, 1);
	ent_buf_finish(&m);
	int status = wait_answer(w, e);
	end_question(w);
	return status;
}

static int probe_alone(ent_pool *p, const ent_plugin_info *plugin, int fd, const char *name, ent_arena *arena,
	uint32_t *scores, const char **why, ent_error *e) {
	ent_worker *w = worker_of(p, plugin->path, true);
	if (!w && !(w = start(p, plugin->path, e))) {
		return e->code;
	}
	w->plugin = plugin;
	return ask_scores(w, fd, name, arena, scores, why, plugin->n_decoders, e);
}

int ent_pool_probe(ent_pool *p, const ent_plugin_info *const *plugins, size_t n, int fd, const char *name,
	ent_arena *arena, uint32_t *scores, const char **why, ent_error *e) {
	uint32_t all = 0;
	for (size_t i = 0; i < n; i++) {
		all += plugins[i]->n_decoders;
	}
	ent_worker *w = n > 1 ? look_at(p, plugins, n) : NULL;
	if (w) {
		int status = ask_scores(w, fd, name, arena, scores, why, all, e);
		if (!status || e->code != ENT_ERR_WORKER) {
			return status;
		}
		p->looks_failed++;
	}
	/* it died of one of them: each in a process of its own says which */
	uint32_t at = 0;
	for (size_t i = 0; i < n; i++) {
		int status = probe_alone(p, plugins[i], fd, name, arena, scores + at, why + at, e);
		if (status) {
			return status;
		}
		at += plugins[i]->n_decoders;
	}
	return 0;
}

/* ---- decoding
 * --------------------------------------------------------------------------------------------------------------- */

/* An idle worker of another plugin that may be stopped to make room. */
static ent_worker *idle_other(const ent_pool *p, const char *path) {
	for (ent_worker *w = p->workers; w; w = w->next) {
		if (!w->dying && !w->looker && !w->running && !w->oldest && strcmp(w->path, path) != 0) {
			return w;
		}
	}
	return NULL;
}

/* The worker of a plugin that has the fewest orders waiting, if it can take one more. */
static ent_worker *least_busy(const ent_pool *p, const char *path) {
	ent_worker *best = NULL;
	for (ent_worker *w = p->workers; w; w = w->next) {
		if (!w->dying && !w->condemned && !strcmp(w->path, path) && w->n_waiting < ENT_POOL_AHEAD &&
			(!best || w->n_waiting < best->n_waiting)) {
			best = w;
		}
	}
	return best;
}

/* May a process be started, where needed in place of an idle one of another plugin? */
static bool room(const ent_pool *p, const char *path) {
	unsigned busy = 0;
	for (ent_worker *w = p->workers; w; w = w->next) {
		busy += w->running != NULL;
	}
	return busy < p->set.workers && (p->alive < p->set.workers || idle_other(p, path));
}

unsigned ent_pool_limit(const ent_pool *p) { return p->set.workers; }

bool ent_pool_holds(const ent_pool *p, const ent_plugin_info *plugin) {
	return worker_of(p, plugin->path, false) != NULL;
}

void ent_pool_awake(ent_pool *p) {
	for (ent_worker *w = p->workers; w; w = w->next) {
		w->beat_seen_ns = uv_hrtime();
	}
}

bool ent_pool_ready(const ent_pool *p, const ent_decoder_info *d) {
	const char *path = d->plugin->path;
	return worker_of(p, path, true) || room(p, path) || least_busy(p, path);
}

static void open_instance(ent_worker *w, const ent_decode_order *o) {
	if (o->instance >= w->opened_n) {
		uint32_t n = (o->instance + 1) * 2;
		w->opened = ent_xrealloc(w->opened, n);
		memset(w->opened + w->opened_n, 0, n - w->opened_n);
		w->opened_n = n;
	}
	if (w->opened[o->instance]) {
		return;
	}
	w->opened[o->instance] = 1;
	ent_buf m = {0};
	ent_buf_u32(&m, ENT_MSG_OPEN);
	ent_buf_u32(&m, o->instance);
	ent_buf_text(&m, o->decoder->name);
	ent_buf_bytes(&m, o->options->data, o->options->n);
	unsigned n = 0;
	while (o->framing && o->framing[n * 2]) {
		n++;
	}
	ent_buf_u8(&m, (uint8_t)n);
	for (unsigned i = 0; i < n * 2; i++) {
		ent_buf_text(&m, o->framing[i]);
	}
	ent_child_send(w->child, &m, NULL, 0);
	ent_buf_finish(&m);
}

int ent_pool_decode(ent_pool *p, const ent_decode_order *o, ent_assignment *a, ent_error *e) {
	const char *path = o->decoder->plugin->path;
	ent_worker *w = worker_of(p, path, true);
	if (!w && !room(p, path)) {
		w = least_busy(p, path);
	}
	if (!w) {
		if (p->alive >= p->set.workers) {
			ent_worker *other = idle_other(p, path);
			if (other) {
				stop(other);
			}
		}
		w = start(p, path, e);
		if (!w) {
			return e->code;
		}
		w->plugin = o->decoder->plugin;
		w->answered = true;
	}
	a->id = p->next_assignment++;
	a->worker = w;
	a->begin = o->begin;
	a->end = o->end;
	if (w->running) {
		w->waiting[w->n_waiting++] = a;
	} else {
		w->running = a;
		w->beat_seen_ns = uv_hrtime();
	}
	open_instance(w, o);
	ent_buf m = {0};
	ent_buf_u32(&m, ENT_MSG_DECODE);
	ent_buf_u64(&m, a->id);
	ent_buf_u32(&m, o->instance);
	ent_buf_text(&m, o->name);
	ent_buf_text(&m, o->origin);
	ent_buf_add(&m, &o->arrived, sizeof o->arrived);
	ent_buf_add(&m, &o->modified, sizeof o->modified);
	ent_buf_u64(&m, o->begin);
	ent_buf_u64(&m, o->end);
	ent_buf_u32(&m, o->n_companions);
	ent_buf_u8(&m, (uint8_t)((o->exact ? ENT_DECODE_EXACT : 0) | (o->enveloped ? ENT_DECODE_ENVELOPED : 0)));
	ent_buf_u64(&m, o->readable);
	int fds[1 + ENT_COMPANIONS_MAX] = {o->fd};
	for (unsigned i = 0; i < o->n_companions; i++) {
		fds[1 + i] = o->companions[i];
	}
	ent_child_send(w->child, &m, fds, 1 + o->n_companions);
	ent_buf_finish(&m);
	return 0;
}

const void *ent_pool_bytes(const ent_slot_batch *b) {
	const ent_worker *w = b->assignment->worker;
	return (const uint8_t *)ent_child_shared(w->child) + ENT_RING_PAGE + (size_t)b->slot * w->pool->set.slot_bytes;
}

void ent_pool_release(ent_pool *p, ent_slot_batch *b) {
	(void)p;
	ent_worker *w = b->assignment->worker;
	b->released = true;
	uint32_t freed = 0;
	/* The ring frees in order of hand-over: only a prefix of released batches can go back. */
	while (w->oldest && w->oldest->released) {
		ent_slot_batch *gone = w->oldest;
		w->oldest = gone->after;
		if (!w->oldest) {
			w->newest = NULL;
		}
		freed += gone->slots;
		free(gone);
	}
	if (!freed) {
		return;
	}
	w->occupied -= freed;
	if (w->dying && !ent_child_alive(w->child)) {
		if (!w->oldest) {
			free_worker(w);
		}
		return;
	}
	ent_buf m = {0};
	ent_buf_u32(&m, ENT_MSG_FREE);
	ent_buf_u32(&m, freed);
	ent_child_send(w->child, &m, NULL, 0);
	ent_buf_finish(&m);
}

bool ent_pool_crowded(const ent_assignment *a) {
	const ent_worker *w = a->worker;
	return w->occupied * 4 >= w->pool->set.slots * 3 || atomic_load(&ent__worker_ring(w)->state) == ENT_WORKER_WAITING;
}

void ent_pool_drop(ent_pool *p, ent_assignment *a) {
	bool over = a->done || a->failed;
	ent_slot_batch *b = a->first;
	a->first = a->last = NULL;
	a->dropped = true;
	while (b) {
		ent_slot_batch *next = b->next;
		ent_pool_release(p, b);
		b = next;
	}
	if (over) {
		free(a);
	} /* else: on_done, on_failed or on_gone frees it */
}

void ent_pool_condemn(ent_pool *p, ent_assignment *a, const ent_error *e) {
	(void)p;
	ent__worker_condemn(a->worker, e);
}

void ent_pool_tick(ent_pool *p) {
	uint64_t now = uv_hrtime();
	for (ent_worker *w = p->workers; w; w = w->next) {
		uint64_t beat = atomic_load(&ent__worker_ring(w)->beat);
		bool waiting = atomic_load(&ent__worker_ring(w)->state) == ENT_WORKER_WAITING && w->occupied;
		if (!w->running || beat != w->beat || waiting) {
			w->beat = beat;
			w->beat_seen_ns = now;
		} else if (now - w->beat_seen_ns > p->set.deadline_ns && !w->condemned) {
			ent_error e;
			ent_error_set(&e, ENT_ERR_WORKER, "no progress for %.1f s", (double)(now - w->beat_seen_ns) / 1e9);
			ent_error_todo(&e, "an endless loop in the plugin: tell who maintains it, with the file and the position");
			ent__worker_condemn(w, &e);
		}
	}
}

void ent_pool_counts(const ent_pool *p, unsigned *alive, unsigned *started, unsigned *died) {
	*alive = p->alive;
	*started = p->started;
	*died = p->died;
	for (const ent_worker *w = p->workers; w; w = w->next) {
		*died += w->condemned; /* killed, its end not yet seen */
	}
}

const char *ent_pool_sandbox(const ent_pool *p) { return p->sandbox; }
