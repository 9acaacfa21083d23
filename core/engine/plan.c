/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan of an ingest: what of which source is to be read. In a service a call plans so much of each source as it may get
 * to, and counts the rest as waiting, so that neither memory nor the first look at a folder of very many files keeps it
 * from the others. Loop thread only. */
#include "engine/plan.h"

#include <stdlib.h>
#include <string.h>

/* Of each source and call, in a service: files that are planned, and that are looked into though time is over. */
enum { PLANNED_MAX = 1024, PLANNED_LEAST = 16, OPENED_LEAST = 256 };

/* The source's files could not be listed: told when it begins, and when it is for another reason. */
static void fail_listing(ent_engine *e, ent__source *s, const ent_error *error) {
	ent_error told = *error;
	if (!told.file[0]) {
		snprintf(told.file, sizeof told.file, "%.255s", s->config->name.s);
	}
	if (!ent__aside_told(s, "", &told)) {
		e->report->inputs_failed++;
		ent_errors_take(&e->report->errors, &told);
	}
	ent__aside_put(e, s, "", NULL, ENT__LATER, &told);
}

/* Documents of one plugin one after another, in the order of the plugins' first documents: a worker holds one plugin, and
 * taking turns between plugins would start a process for nearly every document. */
static void group_by_plugin(ent__work **works) {
	ent__work *left = *works, **end = works;
	while (left) {
		const ent_plugin_info *plugin = left->stream->decoder->plugin;
		ent__work *others = NULL, **others_end = &others;
		for (ent__work *w = left, *next; w; w = next) {
			next = w->next_work;
			w->next_work = NULL;
			if (w->stream->decoder->plugin == plugin) {
				*end = w;
				end = &w->next_work;
			} else {
				*others_end = w;
				others_end = &w->next_work;
			}
		}
		left = others;
	}
}

static bool wanted(const ent_engine *e, const ent__source *s) {
	bool found = !e->what->sources;
	for (size_t i = 0; i < e->what->n_sources && !found; i++) {
		found = !strcmp(e->what->sources[i], s->config->name.s);
	}
	return found;
}

void ent__count_waiting(ent__source *s, uint64_t bytes, int64_t since_ns) {
	s->files_waiting++;
	s->bytes_waiting += bytes;
	ent__sooner(&s->waiting_since_us, since_ns / 1000);
}

/* Is that enough of this source for one call? */
static bool enough(const ent_engine *e, const ent__source *s, const ent__listing *l, unsigned planned) {
	const ent_ingest_what *what = e->what;
	if (!what->service) {
		return false;
	}
	bool late = what->budget_ns && uv_hrtime() - e->began_ns > what->budget_ns;
	return planned >= PLANNED_MAX || (planned && ent__source_on_trial(e, s)) || (late && (planned >= PLANNED_LEAST || l->opened >= OPENED_LEAST)) ||
		   atomic_load(&e->interrupted);
}

/* What failed before comes last, so that it keeps nobody waiting. */
static void plan_source(ent_engine *e, ent__source *s, ent__listing *l, ent__work ***end) {
	ent__work *again = NULL, **again_end = &again;
	unsigned planned = 0;
	for (size_t i = 0; i < l->n; i++) {
		const ent_file *file = &l->files[i];
		bool retry;
		if (ent__aside_skip(e, s, file, &retry)) {
			continue;
		}
		if (enough(e, s, l, planned)) {
			if (!ent__untouched(e, s, file, ent__known_name(e, s->code, file->name))) {
				e->report->more = true; /* or has not been looked at so far */
			}
			if (!ent__looks_read(e, s, file)) {
				ent__count_waiting(s, file->size, file->changed_ns);
			}
			continue;
		}
		ent__work *w = ent__plan_file(e, s, l, file);
		if (w) {
			ent__work ***list = retry ? &again_end : end;
			planned++;
			**list = w;
			*list = &w->next_work;
		}
	}
	**end = again;
	*end = again ? again_end : *end;
}

int ent__plan_make(ent_engine *e, ent__work **works, ent_error *error) {
	ent__work **end = works;
	*works = NULL;
	if (ent__inbox_open(e, error)) {
		return error->code;
	}
	for (uint32_t i = 0; i < e->n_sources; i++) {
		ent__source *s = &e->sources[i];
		ent__listing l = {0};
		ent_error listing = {0};
		bool elsewhere = e->what->service && s->config->from.kind == ENT_FROM_STDIN; /* the front puts it into the inbox */
		if (!wanted(e, s) || ent__source_is_own(e, s)) { /* what is our own lies nowhere */
			continue;
		}
		if (ent__source_paused(e, s)) {
			continue; /* what waits of it was counted before */
		}
		s->files_waiting = s->files_young = 0;
		s->bytes_waiting = 0;
		s->waiting_since_us = 0;
		int status = elsewhere ? 0 : ent_files_list(s->config, &l.files, &l.n, &listing);
		if (status) {
			fail_listing(e, s, &listing);
		} else {
			ent__aside_forget(s, "");
			ent__beside_leave_out(s->config, l.files, &l.n);
			ent__follow_moves(e, s, &l);
		}
		plan_source(e, s, &l, &end);
		ent__inbox_plan(e, s, &end);
		if (!status) {
			ent__aside_sweep(e, s);
		}
		ent_files_free(l.files, l.n);
		free(l.successor);
	}
	if (e->plan_errors->total) {
		*error = e->plan_errors->e[0];
		return error->code;
	}
	if (!e->what->service) {
		group_by_plugin(works);
	}
	return 0;
}
