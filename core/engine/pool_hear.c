/* SPDX-License-Identifier: Apache-2.0
 *
 * What workers say, packet by packet. A worker runs code that is not ours: each number is checked, and one that says
 * nonsense is condemned. Loop thread only. */
#include "config/options_wire.h"
#include "engine/pool_worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void ent__worker_condemn(ent_worker *w, const ent_error *e) {
	if (!w->condemned) {
		w->condemned = true;
		w->condemnation = *e;
		ent_child_kill(w->child, SIGKILL);
	}
}

static void nonsense(ent_worker *w, const char *what) {
	ent_error e;
	ent_error_set(&e, ENT_ERR_WORKER, "the decoder worker said nonsense: %s", what);
	ent__worker_condemn(w, &e);
}

/* NULL: nonsense, and the worker is condemned. */
static ent_plugin_info *take_description(ent_worker *w, const char *path, ent_read *r) {
	ent_arena *arena = w->answer_arena;
	ent_plugin_info *p = ent_arena_alloc(arena, sizeof *p);
	p->path = ent_arena_copy(arena, path, strlen(path));
	p->name = take_text(r, arena);
	p->version = take_text(r, arena);
	p->n_decoders = ent_read_u32(r);
	if (r->bad || p->n_decoders > 256) {
		nonsense(w, "a plugin of this many decoders");
		return NULL;
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
			return NULL;
		}
		d->n_columns = ent_read_u32(r);
		if (r->bad || d->n_columns > 65536) {
			nonsense(w, "a decoder of this many columns");
			return NULL;
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
		return NULL;
	}
	return p;
}

static void on_loaded(ent_worker *w, ent_read *r) {
	if (w->asked != ASKED_DESCRIPTION) {
		w->loaded = true;
		return; /* described before; this is one more worker for the same plugin */
	}
	if (w->answered) {
		nonsense(w, "its description twice");
		return;
	}
	ent_plugin_info *p = take_description(w, w->looker ? w->paths[w->n_heard] : w->path, r);
	if (!p) {
		return;
	}
	w->loaded = true;
	if (w->looker) {
		w->plugins[w->n_heard++] = p;
		w->answered = w->n_heard == w->n_plugins;
	} else {
		w->plugin = w->description = p;
		w->answered = true;
	}
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
	if (r->bad || !w->running || w->running->id != id || b->slots == 0 || b->slots > s->slots || b->slot >= s->slots ||
		b->slot + b->slots > s->slots || b->bytes > (uint64_t)b->slots * s->slot_bytes ||
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
	} else if (about == ENT_MSG_LOAD && w->looker && w->refused && !w->answered && tag == w->n_heard) {
		w->refused[w->n_heard++] = e;
		w->answered = w->n_heard == w->n_plugins;
	} else if ((about == ENT_MSG_HELLO || about == ENT_MSG_LOAD || about == ENT_MSG_PROBE) && w->asked && !w->answered) {
		w->answer = e;
		w->answered = true;
	} else if (about == ENT_MSG_LOAD && !w->asked) { /* it could be loaded when it was described */
		ent__worker_condemn(w, &e);
	}
}

void ent__worker_heard(void *ctx, ent_child *child, uint32_t type, ent_read *r) {
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
