/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging: hands a snapshot to the rules workers, each of which judges its part of the partners, and stores what they
 * said. A rule that misses its deadline, or takes the process with it, is stopped with its process, recorded as failed
 * with file and line, and left out; all others are judged by fresh workers. After that a change alone is handed over,
 * and the workers say again only what it reaches (follow.c). Loop thread only. */
#include "base/json.h"
#include "engine/judged.h"
#include "engine/released.h"
#include "engine/warm.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- a rule that had to be stopped
 * --------------------------------------------------------------------------------------------------- */

static int set_aside(ent__judge *j, const ent__rules_worker *w) {
	const ent_rules_page *page = ent_child_shared(w->child);
	uint32_t rule = w->late ? w->late_rule : atomic_load(&page->rule) - 1;
	json_object *r = j->e->rules->rules ? json_object_array_get_idx(j->e->rules->rules, rule) : NULL;
	if (!r || j->n_stopped == ENT__STOPPED_MOST) {
		ent_error_set(j->error, ENT_ERR_WORKER, "the rules worker ended (%s %lld)%s%s", w->signal ? "signal" : "status",
			w->signal ? (long long)w->signal : (long long)w->status,
			ent_child_stderr(w->child)[0] ? "; it last wrote: " : "", ent_child_stderr(w->child));
		return ent_error_todo(j->error, "run again with fewer rules in `rules.books` to find the one that does it");
	}
	ent__stopped *s = &j->stopped[j->n_stopped++];
	json_object *v;
	s->rule = ent_xstrdup(ent__json_text(r, "name"));
	s->partner = w->late ? w->late_partner : atomic_load(&page->partner);
	s->traceback = ent_xstrdup(ent_child_stderr(w->child));
	snprintf(s->file, sizeof s->file, "%s", ent__json_text(r, "file"));
	s->line = json_object_object_get_ex(r, "line", &v) ? (uint32_t)json_object_get_int(v) : 0;
	ent__place_in(s->traceback, s->file, &s->line);
	if (w->late) {
		snprintf(s->why, sizeof s->why, "it did not end within %.1f s", (double)j->e->config->rules.deadline_us / 1e6);
	} else if (w->signal) {
		snprintf(
			s->why, sizeof s->why, "it ended the rules worker with signal %d (%s)", w->signal, strsignal(w->signal));
	} else if (w->status == ENT_RULES_STARVED) {
		snprintf(s->why, sizeof s->why, "it left no memory for the other rules");
	} else {
		snprintf(s->why, sizeof s->why, "it ended the rules worker with status %lld", (long long)w->status);
	}
	ent_error e;
	ent_error_set(&e, ENT_ERR_WORKER, "the rule %s was stopped: %s", s->rule, s->why);
	ent_error_at(&e, s->file, s->line, 0);
	ent_error_todo(
		&e, "mend the rule, or give it more time with `rules.deadline`; the other rules were judged without it");
	ent_errors_take(&j->report->errors, &e);
	return 0;
}

/* ---- evaluating
 * --------------------------------------------------------------------------------------------------------- */

static int begin(ent__judge *j, ent_engine *e, ent_judge_report *report, ent_error *error) {
	*j = (ent__judge){.e = e, .report = report, .error = error, .tokener = json_tokener_new()};
	char *last = NULL;
	int status = ent_store_meta_get(e->store, "run", &last, error);
	j->run = (last ? strtoull(last, NULL, 10) : 0) + 1;
	free(last);
	return status;
}

static void take(void *ctx, unsigned worker, const char *records, size_t n) {
	ent__judged_take(ctx, worker, records, n);
}

static void finish(ent__judge *j) {
	if (j->e->rules) {
		j->e->rules->take = NULL;
		ent__rules_reads(j->e->rules, NULL, 0, NULL);
	}
	ent__judged_finish(j);
	ent_buf_finish(&j->refused);
	for (unsigned i = 0; i < j->n_stopped; i++) {
		free(j->stopped[i].rule);
		free(j->stopped[i].traceback);
	}
	json_tokener_free(j->tokener);
}

static void evaluate_json(const ent__judge *j, bool keep, unsigned part, unsigned parts, ent_buf *out) {
	ent_json w;
	ent_json_init(&w, out, false);
	ent_json_object(&w);
	ent_json_key(&w, "skip");
	ent_json_array(&w);
	for (unsigned i = 0; i < j->n_stopped; i++) {
		ent_json_text(&w, j->stopped[i].rule);
	}
	ent_json_end(&w);
	ent_json_key(&w, "only");
	ent_json_null(&w);
	ent_json_key(&w, "keep");
	ent_json_bool(&w, keep);
	ent_json_key(&w, "part");
	ent_json_array(&w);
	ent_json_uint(&w, part);
	ent_json_uint(&w, parts);
	ent_json_end(&w);
	ent_json_key(&w, "refused");
	ent__released_refused(j, &w);
	ent_json_end(&w);
}

/* Waits for n workers. 0: all are done; ENT__AGAIN: a rule was set aside, and all has to be said again by fresh
 * workers. */
static int gather(ent__judge *j, unsigned n) {
	ent__rules *all = j->e->rules;
	if (ent__rules_wait(all, n)) {
		for (unsigned i = 0; i < n; i++) {
			j->report->evaluations += all->workers[i].evaluations;
		}
		return 0;
	}
	int status = 0;
	for (unsigned i = 0; i < n && !status; i++) {
		const ent__rules_worker *w = &all->workers[i];
		if (w->failed) {
			*j->error = w->error;
			status = j->error->code;
		} else if (w->gone) {
			status = set_aside(j, w);
		}
	}
	return status ? status : ENT__AGAIN;
}

/* One worker judges some thousands before another is worth its start. */
unsigned ent__judge_workers(const ent_engine *e, uint64_t partners) {
	uint64_t n = 1 + partners / e->partners_a_worker;
	uint64_t most = e->config->workers > 0 ? (uint64_t)e->config->workers : 1;
	n = n < most ? n : most;
	return n < ENT__RULES_MOST ? (unsigned)n : ENT__RULES_MOST;
}

int ent__judge_whole(
	ent_engine *e, const ent_snapshot_block *snapshot, bool keep, ent_judge_report *report, ent_error *error) {
	uint64_t started = uv_hrtime();
	ent__judge j;
	int status = begin(&j, e, report, error);
	uint64_t partners = ((const ent_snap_head *)snapshot->data)->partners.n;
	unsigned n = ent__judge_workers(e, partners);
	j.snapshot = snapshot;
	j.as_of = snapshot->as_of;
	j.behind = snapshot->behind;
	report->partners = (uint32_t)partners;
	report->whole = true;
	e->rules_kept = 0;
	ent__released_of(e, snapshot);
	while (!status) {
		*error = (ent_error){0};
		report->evaluations = 0;
		status = ent__rules_open(e, n, error);
		if (!status && ent__declared_differ(e)) {
			finish(&j);
			return ENT_ENGINE_DECLARED;
		}
		if (status) {
			break;
		}
		report->rules = e->rules->rules ? (uint32_t)json_object_array_length(e->rules->rules) : 0;
		status = ent__judged_begin(&j);
		ent__rules_reads(e->rules, snapshot, snapshot->as_of, snapshot->behind);
		e->rules->facts_read = 0;
		ent__rules_begin(e->rules);
		e->rules->take = take;
		e->rules->take_ctx = &j;
		for (unsigned i = 0; i < n && !status; i++) {
			ent_buf json = {0};
			evaluate_json(&j, keep, i, n, &json);
			ent__rules_send(&e->rules->workers[i], ENT_RULES_EVALUATE, j.run, &json, snapshot->fd);
			ent_buf_finish(&json);
		}
		status = status ? status : gather(&j, n);
		if (!status && ent__released_take(&j, n)) { /* the same workers say it again, without what contradicts the rest */
			ent__judged_abort(&j);
			if (error->code) {
				status = error->code;
				break;
			}
			continue;
		}
		for (size_t i = 0; i < e->rules->books.n && !status; i++) {
			ent_errors_take(&report->errors, &e->rules->books.e[i]);
		}
		status = status ? status : ent__released_save(&j);
		status = status ? status : ent__judged_end(&j);
		if (!status) {
			break;
		}
		ent__judged_abort(&j);
		if (status == ENT__AGAIN) {
			status = 0;
			ent__rules_close(e);
		}
	}
	if (!status && keep) {
		e->rules_kept = n;
	}
	if (status) {
		ent__released_forget(e); /* it may hold what the store does not */
		ent__rules_close(e);     /* one of them may still be at work */
	}
	report->seconds = (double)(uv_hrtime() - started) / 1e9;
	finish(&j);
	return status;
}

int ent_engine_judge(ent_engine *e, const ent_snapshot_block *snapshot, ent_judge_report *report, ent_error *error) {
	return ent__judge_whole(e, snapshot, false, report, error);
}

int ent__judge_change(ent_engine *e, const ent_snapshot_block *layer, const ent_buf *request, ent_judge_report *report,
	ent_error *error) {
	uint64_t started = uv_hrtime();
	ent__judge j;
	unsigned n = e->rules_kept;
	int status = begin(&j, e, report, error);
	j.as_of = layer->as_of;
	j.behind = e->warm->behind;
	report->whole = false;
	report->rules = e->rules->rules ? (uint32_t)json_object_array_length(e->rules->rules) : 0;
	report->evaluations = 0;
	status = status ? status : ent__judged_begin(&j);
	ent__rules_reads(e->rules, &e->warm->blocks[0].block, e->warm->as_of, e->warm->behind);
	ent__rules_begin(e->rules);
	e->rules->take = take;
	e->rules->take_ctx = &j;
	for (unsigned i = 0; i < n && !status; i++) {
		ent__rules_send(&e->rules->workers[i], ENT_RULES_CHANGE, j.run, request, layer->fd);
	}
	status = status ? status : gather(&j, n);
	status = status ? status : ent__released_take(&j, n); /* what contradicts each other: everything is judged again */
	status = status ? status : ent__released_save(&j);
	status = status ? status : ent__judged_end(&j);
	if (status) {
		ent__judged_abort(&j);
		ent__released_forget(e);
		ent__rules_close(e); /* what they keep may be half of the change: fresh ones are told everything */
	}
	report->seconds = (double)(uv_hrtime() - started) / 1e9;
	finish(&j);
	return status;
}

/* ---- the other calls
 * ---------------------------------------------------------------------------------------------------- */

int ent_engine_rules(ent_engine *e, ent_buf *json, ent_error *error) {
	int status = ent__rules_open(e, 1, error);
	if (!status) {
		ent_buf_add(json, e->rules->workers[0].json.data, e->rules->workers[0].json.n - 1);
	}
	return status;
}

void ent_engine_rules_errors(const ent_engine *e, ent_errors *errors) { ent__rules_errors(e, errors); }

int ent_engine_brief(
	ent_engine *e, const ent_snapshot_block *snapshot, const char *request, ent_buf *page, ent_error *error) {
	int status = ent__rules_open(e, 1, error);
	if (status) {
		return status;
	}
	ent__rules_worker *w = &e->rules->workers[0];
	ent_buf json = {0};
	ent_buf_add(&json, request, strlen(request));
	ent__rules_reads(e->rules, snapshot, snapshot->as_of, snapshot->behind);
	ent__rules_begin(e->rules);
	ent__rules_send(w, ENT_RULES_BRIEF, 1, &json, snapshot->fd);
	ent_buf_finish(&json);
	bool made = ent__rules_wait(e->rules, 1);
	ent__rules_reads(e->rules, NULL, 0, NULL);
	if (made) {
		ent_buf_add(page, w->page.data, w->page.n);
		return 0;
	}
	*error = w->error;
	if (!error->code) {
		ent_error_set(error, ENT_ERR_WORKER, "the rules worker ended while it made the brief; it last wrote: %s",
			ent_child_stderr(w->child));
		ent__rules_close(e);
	}
	return error->code;
}

void ent_engine_rules_reload(ent_engine *e) {
	ent__rules_close(e);
	ent__left_out_forget(e);
}
