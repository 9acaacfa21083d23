/* SPDX-License-Identifier: Apache-2.0
 *
 * What is remembered of each judgement: when it was, where the ledger stood, which rules ran and how long that took;
 * and which rules go on under another name. Loop thread only. */
#include "engine/feeds.h"
#include "engine/judged.h"

#include <stdlib.h>
#include <string.h>

void ent__runs_begin(ent__judge *j) {
	const ent_engine *e = j->e;
	free(j->before);
	j->n_before = e->n_tallies;
	j->before = ent_xcalloc(e->n_tallies + 1, sizeof *j->before);
	if (e->n_tallies) {
		memcpy(j->before, e->tallies, e->n_tallies * sizeof *j->before);
	}
}

/* A change alone is judged by rules that were renamed before: each start of a worker is followed by a whole judgement.
 */
int ent__runs_rename(ent__judge *j) {
	json_object *rules = j->e->rules ? j->e->rules->rules : NULL, *names;
	int status = 0;
	for (size_t i = 0; rules && j->snapshot && i < json_object_array_length(rules) && !status; i++) {
		json_object *rule = json_object_array_get_idx(rules, i);
		size_t n = json_object_object_get_ex(rule, "was", &names) && names ? json_object_array_length(names) : 0;
		for (size_t k = 0; k < n && !status; k++) {
			uint64_t moved = 0;
			const char *name = json_object_get_string(json_object_array_get_idx(names, k));
			status = ent_store_rule_rename(j->e->store, name, ent__json_text(rule, "name"), &moved, j->error);
			if (moved) {
				ent__judged_forget(j->e);
			}
		}
	}
	return status;
}

static ent_run run_of(const ent__judge *j, int64_t now) {
	ent_run r = {
		.number = j->run, .at_us = now, .arrived_us = j->e->now_us, .as_of = j->as_of, .whole = j->snapshot != NULL};
	size_t n;
	const ent_segment *segments = ent_ledger_segments(j->e->ledger, &n);
	for (size_t i = 0; i < n; i++) {
		if (segments[i].state == ENT_SEGMENT_LIVE) {
			r.segments++;
			r.segment = segments[i].number;
			r.length = segments[i].valid;
		}
	}
	return r;
}

/* ---- rules that are gone ----------------------------------------------------------------------------------------- */

/* Findings of rules that no book holds: nobody can say any more whether they hold. */
typedef struct orphans {
	json_object *rules;
	ent_arena arena;
	struct orphan {
		const char *rule, *partner;
	} * items;
	size_t n, capacity;
} orphans;

static bool is_loaded(const orphans *o, const char *name) {
	for (size_t i = 0; i < json_object_array_length(o->rules); i++) {
		if (!strcmp(ent__json_text(json_object_array_get_idx(o->rules, i), "name"), name)) {
			return true;
		}
	}
	return !strcmp(name, ENT_FEED_RULE); /* the engine's own */
}

static int take_orphan(void *ctx, const ent_finding *f) {
	orphans *o = ctx;
	bool waits = strcmp(f->state, "cleared") && strcmp(f->state, "stale") && strcmp(f->state, "resolved");
	bool again = o->n && !strcmp(o->items[o->n - 1].rule, f->rule) && !strcmp(o->items[o->n - 1].partner, f->partner);
	if (waits && !again && !is_loaded(o, f->rule)) {
		ENT_GROW(o->items, o->n, o->capacity);
		o->items[o->n++] = (struct orphan){ent_arena_copy(&o->arena, f->rule, strlen(f->rule)),
			ent_arena_copy(&o->arena, f->partner, strlen(f->partner))};
	}
	return 0;
}

static int retire(ent__judge *j) {
	orphans o = {.rules = j->e->rules ? j->e->rules->rules : NULL};
	int status = o.rules ? ent_store_findings_scan(j->e->store, NULL, take_orphan, &o, j->error) : 0;
	for (size_t i = 0; i < o.n && !status; i++) {
		status = ent_store_findings_close(j->e->store, o.items[i].rule, o.items[i].partner, j->run, "stale", j->error);
	}
	free(o.items);
	ent_arena_finish(&o.arena);
	return status;
}

int ent__runs_save(ent__judge *j) {
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	int64_t now = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
	ent_run r = run_of(j, now);
	int status = ent_store_run_put(j->e->store, &r, j->error);
	status = status || !r.whole ? status : retire(j);
	for (size_t i = 0; i < j->e->n_tallies && !status; i++) {
		const ent_rule_tally *is = &j->e->tallies[i], none = {0}, *was = i < j->n_before ? &j->before[i] : &none;
		if (is->runs > was->runs) {
			status = ent_store_rule_run_put(j->e->store,
				&(ent_rule_run){.rule = is->name,
					.run = j->run,
					.at_us = now,
					.as_of = j->as_of,
					.evaluations = is->runs - was->runs,
					.ns = is->ns - was->ns},
				j->error);
		}
	}
	return status;
}
