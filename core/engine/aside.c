/* SPDX-License-Identifier: Apache-2.0
 *
 * What failed, and when it is tried again. A document that is wrong stands aside until it changes. One that could not be
 * opened is tried again after a pause. One of which workers died or hung is tried again as often as
 * `decoders: {quarantine_after: N}` says, with pauses that double, then it is quarantined until it changes. A source of which
 * N such documents came in a row is quarantined as a whole, for a pause that doubles each time; after it one document is
 * tried. All of that is of this process: a new one tries everything once. Loop thread only. */
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t SECOND = 1000000;
enum { FIRST_PAUSE_S = 1, LAST_PAUSE_S = 60, FIRST_SOURCE_PAUSE_S = 5, LAST_SOURCE_PAUSE_S = 3600 };

/* What stands aside of a source, by name: as many as fail of what lies in its folder. */
struct ent__aside {
	char *name, *what, *todo;
	ent_file file; /* as it was; without its texts */
	bool has_file;
	unsigned tries;
	int64_t since_us, again_us;
	bool quarantined;
	uint64_t call; /* of the last failure */
	uint64_t seen; /* call that listed it last */
};

static void free_aside(struct ent__aside *x) {
	free(x->name);
	free(x->what);
	free(x->todo);
	free(x);
}

/* Where it stands, or would. */
static size_t place(const ent__source *s, const char *name, bool *found) {
	size_t low = 0, high = s->n_aside;
	*found = false;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(s->aside[mid]->name, name);
		if (!order) {
			*found = true;
			return mid;
		}
		if (order < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

static struct ent__aside *at(const ent__source *s, const char *name) {
	bool found;
	size_t i = place(s, name, &found);
	return found ? s->aside[i] : NULL;
}

void ent__aside_forget(ent__source *s, const char *name) {
	bool found;
	size_t i = place(s, name, &found);
	if (found) {
		free_aside(s->aside[i]);
		s->n_aside--;
		memmove(s->aside + i, s->aside + i + 1, (s->n_aside - i) * sizeof *s->aside);
	}
}

void ent__aside_free(ent__source *s) {
	for (size_t i = 0; i < s->n_aside; i++) {
		free_aside(s->aside[i]);
	}
	free(s->aside);
	free(s->paused_why);
	s->aside = NULL;
	s->paused_why = NULL;
	s->n_aside = s->aside_capacity = 0;
}

void ent__aside_keep(ent__source *now, ent__source *before) {
	now->aside = before->aside;
	now->n_aside = before->n_aside;
	now->aside_capacity = before->aside_capacity;
	now->paused_why = before->paused_why;
	now->paused_until_us = before->paused_until_us;
	now->failed_in_row = before->failed_in_row;
	now->worker_deaths = before->worker_deaths;
	now->files_waiting = before->files_waiting;
	now->files_young = before->files_young;
	now->bytes_waiting = before->bytes_waiting;
	now->waiting_since_us = before->waiting_since_us;
	now->given = before->given;
	before->aside = NULL;
	before->n_aside = before->aside_capacity = 0;
	before->paused_why = NULL;
}

/* The clock; what is read in this call is dated by one moment, which may be a while ago. */
static int64_t now_us(void) {
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

void ent__sooner(int64_t *moment, int64_t us) {
	if (!*moment || us < *moment) {
		*moment = us;
	}
}

static int64_t doubled(int64_t first_s, unsigned times, int64_t last_s) {
	int64_t s = times < 32 ? first_s << times : last_s;
	return (s < last_s ? s : last_s) * SECOND;
}

void ent__aside_put(ent_engine *e, ent__source *s, const char *name, const ent_file *file, ent__cause cause, const ent_error *why) {
	bool found;
	size_t i = place(s, name, &found);
	struct ent__aside *x = found ? s->aside[i] : NULL;
	if (!x) {
		x = ent_xcalloc(1, sizeof *x);
		x->name = ent_xstrdup(name);
		x->since_us = e->now_us;
		ENT_GROW(s->aside, s->n_aside, s->aside_capacity);
		memmove(s->aside + i + 1, s->aside + i, (s->n_aside - i) * sizeof *s->aside);
		s->aside[i] = x;
		s->n_aside++;
	}
	free(x->what);
	free(x->todo);
	x->what = ent_xstrdup(why->what);
	x->todo = ent_xstrdup(why->todo);
	x->has_file = file != NULL;
	if (file) {
		x->file = *file;
		x->file.path = x->file.name = NULL;
	}
	x->call = e->call;
	x->seen = e->call;
	x->tries++;
	int64_t now = now_us();
	bool enough = cause == ENT__DIED && x->tries >= (unsigned)e->config->decoders.quarantine_after;
	x->quarantined = enough;
	/* what is wrong with it may be a companion, which may come anew by itself */
	bool stays = enough || (cause == ENT__WRONG && !s->config->from.companions.n);
	x->again_us = stays ? 0 : now + doubled(FIRST_PAUSE_S, x->tries - 1, LAST_PAUSE_S);
}

static bool same_file(const ent_file *a, const ent_file *b) {
	return a->size == b->size && a->mtime_ns == b->mtime_ns && a->changed_ns == b->changed_ns && a->inode == b->inode &&
		   a->device == b->device;
}

bool ent__aside_skip(ent_engine *e, ent__source *s, const ent_file *file, bool *again) {
	struct ent__aside *x = at(s, file->name);
	*again = false;
	if (!x) {
		return false;
	}
	x->seen = e->call;
	if (x->call == e->call) {
		return true; /* the call had to plan again: it is told already */
	}
	if (x->has_file && !same_file(&x->file, file)) {
		ent__aside_forget(s, file->name);
		return false;
	}
	if (!x->again_us) {
		return true;
	}
	if (x->again_us > e->now_us) {
		ent__sooner(&e->report->next_retry_us, x->again_us);
		return true;
	}
	*again = true;
	return false;
}

bool ent__aside_told(const ent__source *s, const char *name, const ent_error *why) {
	const struct ent__aside *x = at(s, name);
	return x && !strcmp(x->what, why->what);
}

void ent__aside_sweep(const ent_engine *e, ent__source *s) {
	size_t kept = 0;
	for (size_t i = 0; i < s->n_aside; i++) {
		struct ent__aside *x = s->aside[i];
		if (x->seen == e->call) {
			s->aside[kept++] = x;
		} else {
			free_aside(x);
		}
	}
	s->n_aside = kept;
}

/* ---- the source as a whole ------------------------------------------------------------------------------------------------ */

bool ent__source_paused(ent_engine *e, const ent__source *s) {
	if (!e->what->service || s->paused_until_us <= e->now_us) {
		return false;
	}
	ent__sooner(&e->report->next_retry_us, s->paused_until_us);
	return true;
}

bool ent__source_on_trial(const ent_engine *e, const ent__source *s) {
	return e->what->service && s->failed_in_row >= (unsigned)e->config->decoders.quarantine_after;
}

void ent__source_died(ent_engine *e, ent__source *s, const ent_error *why) {
	unsigned most = (unsigned)e->config->decoders.quarantine_after;
	s->failed_in_row++;
	if (!e->what->service || s->failed_in_row < most) {
		return;
	}
	int64_t pause = doubled(FIRST_SOURCE_PAUSE_S, s->failed_in_row - most, LAST_SOURCE_PAUSE_S);
	s->paused_until_us = now_us() + pause;
	free(s->paused_why);
	s->paused_why = ent_xstrdup(why->what);
	ent__sooner(&e->report->next_retry_us, s->paused_until_us);
	ent_error told;
	ent_error_set(&told, ENT_ERR_WORKER, "the source is quarantined for %lld s: workers died of %u of its documents in a row, at last: %.500s",
		(long long)(pause / SECOND), s->failed_in_row, why->what);
	ent_error_todo(&told, "a fault of its decoder, most likely: tell who maintains it; all other sources go on");
	snprintf(told.file, sizeof told.file, "%.255s", s->config->name.s);
	ent_errors_take(&e->report->errors, &told);
}

void ent__source_well(ent__source *s) {
	s->failed_in_row = 0;
	s->paused_until_us = 0;
}

/* ---- telling ---------------------------------------------------------------------------------------------------------------- */

bool ent_engine_source_standing(const ent_engine *e, size_t i, ent_source_standing *out) {
	if (i >= e->config->n_sources) {
		return false;
	}
	const ent__source *s = &e->sources[i];
	*out = (ent_source_standing){.name = s->config->name.s, .files_waiting = s->files_waiting, .bytes_waiting = s->bytes_waiting,
		.waiting_since_us = s->waiting_since_us, .files_young = s->files_young, .files_set_aside = (uint32_t)s->n_aside,
		.worker_deaths = s->worker_deaths, .failed_in_row = s->failed_in_row, .paused_until_us = s->paused_until_us,
		.paused_why = s->paused_until_us ? s->paused_why : "", .total = s->total, .parked = s->parked, .pending = s->pending};
	for (size_t k = 0; k < s->n_aside; k++) {
		out->files_quarantined += s->aside[k]->quarantined;
	}
	return true;
}

int ent_engine_set_aside(const ent_engine *e, ent_set_aside_visit visit, void *ctx) {
	int status = 0;
	for (uint32_t i = 0; i < e->n_sources && !status; i++) {
		const ent__source *s = &e->sources[i];
		for (size_t k = 0; k < s->n_aside && !status; k++) {
			const struct ent__aside *x = s->aside[k];
			ent_set_aside told = {.source = s->config->name.s, .file = x->name, .what = x->what, .todo = x->todo,
				.since_us = x->since_us, .again_us = x->again_us, .tries = x->tries, .quarantined = x->quarantined};
			status = visit(ctx, &told);
		}
	}
	return status;
}
