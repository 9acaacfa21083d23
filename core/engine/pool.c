/* SPDX-License-Identifier: Apache-2.0
 *
 * The pool of decoder workers, see pool.h. Loop thread only. */
#include "engine/pool.h"
#include "config/options_wire.h"
#include "engine/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_MAX = 2 /* orders sent ahead to a worker: it never idles between small documents */ };

struct ent_worker {
	ent_pool *pool;
	ent_worker *next;
	ent_child *child;
	const ent_plugin_info *plugin; /* set once it is loaded */
	const char *path;
	bool loaded, dying;
	bool condemned;
	ent_error condemnation;
	ent_assignment *running;
	ent_assignment *waiting[WAITING_MAX]; /* sent, and begun after `running` */
	unsigned n_waiting;
	uint8_t *opened; /* by instance */
	uint32_t opened_n;
	/* batches in the order of hand-over, oldest first */
	ent_slot_batch *oldest, *newest;
	uint32_t occupied; /* slots */
	uint64_t beat, beat_seen_ns;
	ent_dictionary dictionary;
	/* answer to a question that is being waited for */
	bool answered;
	enum { ASKED_NOTHING, ASKED_DESCRIPTION, ASKED_SCORES } asked;
	ent_error answer;
	ent_arena *answer_arena; /* NULL: nobody waits */
	ent_plugin_info *description;
	uint32_t *scores;
	const char **why;
	uint32_t n_scores;
};

struct ent_pool {
	uv_loop_t *loop;
	ent_pool_settings set;
	const ent_pool_events *events;
	void *ctx;
	ent_worker *workers;
	unsigned alive, started, died;
	uint64_t next_assignment;
	char sandbox[128];
};

static ent_ring_head *ring(const ent_worker *w) { return ent_child_shared(w->child); }

/* ---- packets from a worker ------------------------------------------------------------------------------------------ */

static char *take_text(ent_read *r, ent_arena *arena) {
	size_t n;
	const char *p = ent_read_bytes(r, &n);
	return ent_arena_copy(arena, p, p ? n : 0);
}

static void take_text_into(ent_read *r, char *out, size_t size) {
	size_t n;
	const char *p = ent_read_bytes(r, &n);
	n = !p ? 0 : n < size ? n : size - 1;
	if (n) {
		memcpy(out, p, n);
	}
	out[n] = 0;
}

static void condemn(ent_worker *w, const ent_error *e) {
	if (!w->condemned) {
		w->condemned = true;
		w->condemnation = *e;
		ent_child_kill(w->child, SIGKILL);
	}
}

static void nonsense(ent_worker *w, const char *what) {
	ent_error e;
	ent_error_set(&e, ENT_ERR_WORKER, "the decoder worker said nonsense: %s", what);
	condemn(w, &e);
}

static void on_loaded(ent_worker *w, ent_read *r) {
	ent_arena *arena = w->answer_arena;
	if (w->asked != ASKED_DESCRIPTION) {
		w->loaded = true;
		return; /* described before; this is one more worker for the same plugin */
	}
	if (w->answered) {
		nonsense(w, "its description twice");
		return;
	}
	ent_plugin_info *p = ent_arena_alloc(arena, sizeof *p);
	p->path = ent_arena_copy(arena, w->path, strlen(w->path));
	p->name = take_text(r, arena);
	p->version = take_text(r, arena);
	p->n_decoders = ent_read_u32(r);
	if (r->bad || p->n_decoders > 256) {
		nonsense(w, "a plugin of this many decoders");
		return;
	}
	p->decoders = ent_arena_alloc(arena, p->n_decoders * sizeof *p->decoders);
	for (uint32_t i = 0; i < p->n_decoders; i++) {
		ent_decoder_info *d = &p->decoders[i];
		d->plugin = p;
		d->name = take_text(r, arena);
		d->doc = take_text(r, arena);
		d->version = take_text(r, arena);
		d->system = take_text(r, arena);
		d->flags = ent_read_u32(r);
		d->facts = ent_read_u64(r);
		d->frame = ent_read_u32(r);
		d->splittable = ent_read_u8(r);
		size_t n;
		const char *bytes = ent_read_bytes(r, &n);
		ent_read table = ent_read_of(bytes, n);
		if (!bytes || ent_options_read(&table, arena, &d->options, NULL)) {
			nonsense(w, "a table of options that cannot be read");
			return;
		}
		d->n_columns = ent_read_u32(r);
		if (r->bad || d->n_columns > 65536) {
			nonsense(w, "a decoder of this many columns");
			return;
		}
		d->columns = ent_arena_alloc(arena, d->n_columns * sizeof *d->columns);
		d->required = ent_arena_alloc(arena, d->n_columns);
		for (size_t k = 0; k < d->n_columns; k++) {
			d->columns[k] = take_text(r, arena);
			d->required[k] = ent_read_u8(r);
		}
	}
	if (r->bad) {
		nonsense(w, "a description cut off");
		return;
	}
	w->loaded = true;
	w->plugin = w->description = p;
	w->answered = true;
}

static void on_probed(ent_worker *w, ent_read *r) {
	if (w->asked != ASKED_SCORES || w->answered) {
		nonsense(w, "scores that nobody asked for");
		return;
	}
	ent_read_u64(r);
	uint32_t n = ent_read_u32(r);
	for (uint32_t i = 0; i < n && i < w->n_scores; i++) {
		w->scores[i] = ent_read_u32(r);
		w->why[i] = take_text(r, w->answer_arena);
	}
	if (r->bad || n != w->n_scores) {
		nonsense(w, "scores of another number of decoders");
		return;
	}
	w->answered = true;
}

static void on_batch(ent_worker *w, ent_read *r) {
	uint64_t id = ent_read_u64(r);
	ent_slot_batch *b = ent_xcalloc(1, sizeof *b);
	b->seq = ent_read_u64(r);
	b->slot = ent_read_u32(r);
	b->slots = ent_read_u32(r);
	b->bytes = ent_read_u32(r);
	b->begin = ent_read_u64(r);
	const ent_pool_settings *s = &w->pool->set;
	if (r->bad || !w->running || w->running->id != id || b->slots == 0 || b->slots > s->slots ||
		b->slot >= s->slots || b->slot + b->slots > s->slots || b->bytes > (uint64_t)b->slots * s->slot_bytes ||
		w->occupied + b->slots > s->slots) {
		free(b);
		nonsense(w, "a batch outside of its ring");
		return;
	}
	ent_assignment *a = w->running;
	b->assignment = a;
	*(w->newest ? &w->newest->after : &w->oldest) = b;
	w->newest = b;
	w->occupied += b->slots;
	w->pool->events->batch(w->pool->ctx, a, b);
	if (w->condemned || a->dropped) {
		ent_pool_release(w->pool, b);
		return;
	}
	*(a->last ? &a->last->next : &a->first) = b;
	a->last = b;
}

ent_dictionary *ent_pool_dictionary(ent_worker *w) { return &w->dictionary; }

static void finish(ent_worker *w) {
	ent_assignment *a = w->running;
	w->running = w->n_waiting ? w->waiting[0] : NULL;
	if (w->n_waiting) {
		w->n_waiting--;
		memmove(w->waiting, w->waiting + 1, w->n_waiting * sizeof *w->waiting);
	}
	w->beat_seen_ns = uv_hrtime();
	if (a->dropped) {
		free(a);
	} else {
		w->pool->events->finished(w->pool->ctx, a);
	}
}

static void on_done(ent_worker *w, ent_read *r) {
	ent_assignment *a = w->running;
	uint64_t id = ent_read_u64(r);
	if (!a || a->id != id) {
		nonsense(w, "an end of what it was never given");
		return;
	}
	a->begin = ent_read_u64(r);
	a->end = ent_read_u64(r);
	a->eof = ent_read_u8(r);
	a->batches = ent_read_u64(r);
	a->records = ent_read_u64(r);
	a->consumed = ent_read_u64(r);
	a->rejected = ent_read_u64(r);
	a->skipped = ent_read_u64(r);
	a->facts = ent_read_u64(r);
	a->bytes = ent_read_u64(r);
	a->waits = ent_read_u64(r);
	a->waited_ns = ent_read_u64(r);
	a->cpu_ns = ent_read_u64(r);
	take_text_into(r, a->notes, sizeof a->notes);
	if (r->bad) {
		nonsense(w, "an end cut off");
		return;
	}
	a->done = true;
	finish(w);
}

static void on_failed(ent_worker *w, ent_read *r) {
	uint32_t about = ent_read_u32(r);
	uint64_t tag = ent_read_u64(r);
	int code = (int)ent_read_u32(r);
	uint64_t place = ent_read_u64(r), line = ent_read_u64(r);
	char column[128], what[600], todo[256];
	take_text_into(r, column, sizeof column);
	take_text_into(r, what, sizeof what);
	take_text_into(r, todo, sizeof todo);
	ent_error e;
	ent_error_set(&e, code ? code : ENT_ERR_INVALID, "%s%s%s", column, column[0] ? ": " : "", what);
	if (todo[0]) {
		ent_error_todo(&e, "%s", todo);
	}
	e.line = line > UINT32_MAX ? 0 : (uint32_t)line;
	if (r->bad) {
		nonsense(w, "a failure cut off");
	} else if (about == ENT_MSG_DECODE && w->running && w->running->id == tag) {
		w->running->failed = true;
		if (!w->running->error.code) { /* else the OPEN before it failed, and said why */
			w->running->error = e;
		}
		w->running->died_at = place;
		finish(w);
	} else if (about == ENT_MSG_OPEN && w->running) {
		/* options that contradict each other: the DECODE that follows fails for the same reason */
		if (tag < w->opened_n) {
			w->opened[tag] = 0;
		}
		w->running->error = e;
	} else if ((about == ENT_MSG_LOAD || about == ENT_MSG_PROBE) && w->asked && !w->answered) {
		w->answer = e;
		w->answered = true;
	}
}

static void on_message(void *ctx, ent_child *child, uint32_t type, ent_read *r) {
	(void)child;
	ent_worker *w = ctx;
	if (w->condemned) {
		return;
	}
	char text[512];
	int level;
	switch (type) {
	case ENT_MSG_READY:
		ent_read_u32(r);
		take_text_into(r, w->pool->sandbox, sizeof w->pool->sandbox);
		break;
	case ENT_MSG_LOADED:
		on_loaded(w, r);
		break;
	case ENT_MSG_PROBED:
		on_probed(w, r);
		break;
	case ENT_MSG_OPENED:
		break;
	case ENT_MSG_BATCH:
		on_batch(w, r);
		break;
	case ENT_MSG_DONE:
		on_done(w, r);
		break;
	case ENT_MSG_FAILED:
		on_failed(w, r);
		break;
	case ENT_MSG_LOG:
		level = ent_read_u8(r);
		take_text_into(r, text, sizeof text);
		if (w->pool->events) {
			w->pool->events->log(w->pool->ctx, w->plugin ? w->plugin->name : w->path, level, text);
		}
		break;
	default:
		nonsense(w, "a message of no known type");
	}
}

/* ---- life of a worker ------------------------------------------------------------------------------------------------- */

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
		ent_error_set(e, ENT_ERR_WORKER, "plugin %s ended its process with status %lld%s", plugin, (long long)status, tail);
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
	p->alive--;
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
		a->died_at = atomic_load(&ring(w)->position);
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

static const ent_child_events child_events = {on_message, on_gone};

static ent_worker *start(ent_pool *p, const char *path, ent_error *e) {
	ent_worker *w = ent_xcalloc(1, sizeof *w);
	w->pool = p;
	size_t shared = ENT_RING_PAGE + (size_t)p->set.slots * p->set.slot_bytes;
	w->child = ent_child_start(p->loop, p->set.program, shared, &child_events, w, e);
	if (!w->child) {
		free(w);
		return NULL;
	}
	w->path = ent_xstrdup(path);
	w->next = p->workers;
	p->workers = w;
	p->alive++;
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
	ent_buf_text(&m, path);
	ent_child_send(w->child, &m, NULL, 0);
	ent_buf_finish(&m);
	w->beat_seen_ns = uv_hrtime();
	return w;
}

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

/* ---- questions that are waited for -------------------------------------------------------------------------------------- */

static void on_wake(uv_timer_t *timer) { (void)timer; }

/* What the worker points to belongs to the caller: nothing that it says later may be written there. */
static void end_question(ent_worker *w) {
	w->asked = ASKED_NOTHING;
	w->answer_arena = NULL;
	w->scores = NULL;
	w->why = NULL;
	w->n_scores = 0;
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
			ent_error_set(&late, ENT_ERR_WORKER, "the plugin did not answer within %.1f s", (double)p->set.deadline_ns / 1e9);
			condemn(w, &late);
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

static ent_worker *worker_of(const ent_pool *p, const char *path, bool idle) {
	for (ent_worker *w = p->workers; w; w = w->next) {
		if (!w->dying && !w->condemned && !strcmp(w->path, path) && (!idle || !w->running)) {
			return w;
		}
	}
	return NULL;
}

int ent_pool_probe(ent_pool *p, const ent_plugin_info *plugin, int fd, const char *name, ent_arena *arena,
	uint32_t *scores, const char **why, ent_error *e) {
	ent_worker *w = worker_of(p, plugin->path, true);
	if (!w && !(w = start(p, plugin->path, e))) {
		return e->code;
	}
	w->plugin = plugin;
	w->asked = ASKED_SCORES;
	w->answered = false;
	w->answer = (ent_error){0};
	w->answer_arena = arena;
	w->scores = scores;
	w->why = why;
	w->n_scores = plugin->n_decoders;
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

/* ---- decoding --------------------------------------------------------------------------------------------------------------- */

/* An idle worker of another plugin that may be stopped to make room. */
static ent_worker *idle_other(const ent_pool *p, const char *path) {
	for (ent_worker *w = p->workers; w; w = w->next) {
		if (!w->dying && !w->running && !w->oldest && strcmp(w->path, path) != 0) {
			return w;
		}
	}
	return NULL;
}

/* The worker of a plugin that has the fewest orders waiting, if it can take one more. */
static ent_worker *least_busy(const ent_pool *p, const char *path) {
	ent_worker *best = NULL;
	for (ent_worker *w = p->workers; w; w = w->next) {
		if (!w->dying && !w->condemned && !strcmp(w->path, path) && w->n_waiting < WAITING_MAX &&
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
	ent_buf_u32(&m, 0);
	ent_buf_u8(&m, (uint8_t)((o->exact ? ENT_DECODE_EXACT : 0) | (o->enveloped ? ENT_DECODE_ENVELOPED : 0)));
	ent_buf_u64(&m, o->readable);
	ent_child_send(w->child, &m, &o->fd, 1);
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
	return w->occupied * 4 >= w->pool->set.slots * 3 || atomic_load(&ring(w)->state) == ENT_WORKER_WAITING;
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
	condemn(a->worker, e);
}

void ent_pool_tick(ent_pool *p) {
	uint64_t now = uv_hrtime();
	for (ent_worker *w = p->workers; w; w = w->next) {
		uint64_t beat = atomic_load(&ring(w)->beat);
		bool waiting = atomic_load(&ring(w)->state) == ENT_WORKER_WAITING && w->occupied;
		if (!w->running || beat != w->beat || waiting) {
			w->beat = beat;
			w->beat_seen_ns = now;
		} else if (now - w->beat_seen_ns > p->set.deadline_ns && !w->condemned) {
			ent_error e;
			ent_error_set(&e, ENT_ERR_WORKER, "no progress for %.1f s", (double)(now - w->beat_seen_ns) / 1e9);
			ent_error_todo(&e, "an endless loop in the plugin: tell who maintains it, with the file and the position");
			condemn(w, &e);
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
