/* SPDX-License-Identifier: Apache-2.0
 *
 * Having the rules judge a past moment: the same workers, the same rules, but what they say goes to whoever asked, and
 * nothing of it is stored. While they are at it the asker may prepare the next day. Loop thread only. */
#include "base/json.h"
#include "engine/judged.h"
#include "engine/past_internal.h"
#include "engine/rules_worker.h"

#include <string.h>

_Static_assert((int)ENT_PAST_WORKERS >= (int)ENT__RULES_MOST, "each has its set");

static void mistaken(ent_past_answers *a, const char *record, size_t n) {
	json_tokener *t = json_tokener_new();
	json_object *o = json_tokener_parse_ex(t, record, (int)n), *m, *v;
	if (o && json_object_object_get_ex(o, "mistake", &m) && !a->mistake.code) {
		uint32_t line = json_object_object_get_ex(m, "line", &v) ? (uint32_t)json_object_get_int(v) : 0;
		const char *file = ent__json_text(m, "file");
		ent_error_set(&a->mistake, ENT_ERR_INVALID, "%s", ent__json_text(m, "what"));
		ent_error_at(&a->mistake, *file ? file : NULL, line, 0);
		ent_error_todo(&a->mistake, "%s", ent__json_text(m, "todo"));
	}
	json_object_put(o);
	json_tokener_free(t);
}

/* Records, each with its newline. Between those of one set and the next stands {"set":N}. */
static void take(void *ctx, unsigned worker, const char *records, size_t n) {
	ent_past_answers *a = ctx;
	static const char set[] = "{\"set\":", mistake[] = "{\"mistake\":";
	for (const char *at = records, *end = records + n, *next; at < end; at = next) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = newline ? (size_t)(newline - at) : (size_t)(end - at);
		next = at + length + 1;
		if (length > sizeof set && !memcmp(at, set, sizeof set - 1)) {
			a->set[worker] = strtoul(at + sizeof set - 1, NULL, 10);
		} else if (length > sizeof mistake && !memcmp(at, mistake, sizeof mistake - 1)) {
			mistaken(a, at, length);
		} else {
			a->take(a->ctx, a->set[worker], at, length);
		}
	}
}

static void texts(ent_json *w, const char *key, const char *const *v, size_t n) {
	ent_json_key(w, key);
	ent_json_array(w);
	for (size_t i = 0; i < n; i++) {
		ent_json_text(w, v[i]);
	}
	ent_json_end(w);
}

static void question_json(const ent_past_question *q, unsigned part, unsigned parts, ent_buf *out) {
	ent_json w;
	ent_json_init(&w, out, false);
	ent_json_object(&w);
	texts(&w, "skip", q->skip, q->n_skip);
	ent_json_key(&w, "only");
	ent_json_object(&w);
	texts(&w, "rules", q->rules, q->n_rules);
	texts(&w, "partners", q->partners, q->n_partners);
	ent_json_end(&w);
	ent_json_key(&w, "sets");
	ent_json_raw(&w, q->sets, strlen(q->sets));
	ent_json_key(&w, "part");
	ent_json_array(&w);
	ent_json_uint(&w, part);
	ent_json_uint(&w, parts);
	ent_json_end(&w);
	ent_json_end(&w);
}

int ent_past_ask(ent_engine *e, ent_past *past, const ent_snapshot_block *block, const ent_past_question *q,
	ent_past_answers *a, ent_error *error) {
	uint64_t partners = ((const ent_snap_head *)block->data)->partners.n;
	unsigned n = ent__judge_workers(e, q->n_partners ? q->n_partners : partners);
	int status = ent__rules_open(e, n, error);
	if (status) {
		return status;
	}
	memset(a->set, 0, sizeof a->set);
	a->mistake = (ent_error){0};
	a->workers = n;
	e->rules_kept = 0;
	ent__rules_begin(e->rules);
	e->rules->take = take;
	e->rules->take_ctx = a;
	ent__rules_reads(e->rules, block, block->as_of, block->behind);
	e->past = past;
	if (past) {
		past->day = block->as_of;
	}
	for (unsigned i = 0; i < n; i++) {
		ent_buf json = {0};
		question_json(q, i, n, &json);
		ent__rules_send(&e->rules->workers[i], ENT_RULES_EVALUATE, 1, &json, block->fd);
		ent_buf_finish(&json);
	}
	return 0;
}

/* Which rule a worker was at when it missed its deadline or was gone; NULL: none. */
static const char *culprit(const ent__rules *all, const ent__rules_worker *w) {
	const ent_rules_page *page = ent_child_shared(w->child);
	uint32_t rule = w->late ? w->late_rule : atomic_load(&page->rule) - 1;
	json_object *r = all->rules ? json_object_array_get_idx(all->rules, rule) : NULL;
	return r ? ent__json_text(r, "name") : NULL;
}

int ent_past_answered(ent_engine *e, ent_past_answers *a, char stopped[128], ent_error *error) {
	ent__rules *all = e->rules;
	stopped[0] = 0;
	bool well = ent__rules_wait(all, a->workers);
	all->take = NULL;
	ent__rules_reads(all, NULL, 0, NULL);
	e->past = NULL;
	if (a->mistake.code) {
		*error = a->mistake;
		return error->code;
	}
	if (well) {
		return 0;
	}
	*error = (ent_error){0};
	for (unsigned i = 0; i < a->workers && !error->code; i++) {
		const ent__rules_worker *w = &all->workers[i];
		const char *rule = w->gone ? culprit(all, w) : NULL;
		if (w->failed) {
			*error = w->error;
		} else if (rule) {
			snprintf(stopped, 128, "%s", rule);
			ent_error_set(error, ENT_ERR_WORKER, "the rule %s was stopped: %s", rule,
				w->late ? "it did not end within `rules.deadline`" : "it ended the rules worker");
			ent_error_todo(error, "mend the rule, or give it more time with `rules.deadline`");
		} else if (w->gone) {
			ent_error_set(
				error, ENT_ERR_WORKER, "the rules worker ended; it last wrote: %s", ent_child_stderr(w->child));
		}
	}
	ent__rules_close(e);
	return error->code ? error->code : ent_error_set(error, ENT_ERR_WORKER, "the rules worker ended");
}

static int no_cells(void *ctx, ent_family f, ent_cell_visit visit, void *to, ent_error *e) {
	(void)ctx, (void)f, (void)visit, (void)to, (void)e;
	return 0;
}
static int no_sets(void *ctx, ent_set_visit visit, void *to, ent_error *e) {
	(void)ctx, (void)visit, (void)to, (void)e;
	return 0;
}
static int no_dists(void *ctx, ent_dist_visit visit, void *to, ent_error *e) {
	(void)ctx, (void)visit, (void)to, (void)e;
	return 0;
}
static int no_covers(void *ctx, ent_cover_visit visit, void *to, ent_error *e) {
	(void)ctx, (void)visit, (void)to, (void)e;
	return 0;
}
static int no_records(void *ctx, uint32_t kind, uint32_t partner, ent_record_visit visit, void *to, ent_error *e) {
	(void)ctx, (void)kind, (void)partner, (void)visit, (void)to, (void)e;
	return 0;
}

/* A snapshot with the partners and nothing of them, for what needs no figures. */
static int empty(ent_engine *e, ent_snapshot_block *out, ent_error *error) {
	static const ent__build_from nothing = {NULL, no_cells, no_sets, no_dists, no_covers, no_records};
	return ent__build_snapshot(e, &nothing, 0, "date", out, error);
}

static void take_none(void *ctx, size_t set, const char *record, size_t n) {
	(void)ctx, (void)set, (void)record, (void)n;
}

int ent_past_check(ent_engine *e, const ent_past_question *q, ent_error *error) {
	static const char *const nobody[] = {""};
	ent_past_question check = *q;
	ent_past_answers answers = {.take = take_none};
	ent_snapshot_block block = {.fd = -1};
	char stopped[128];
	check.partners = nobody;
	check.n_partners = 1;
	int status = empty(e, &block, error);
	status = status ? status : ent_past_ask(e, NULL, &block, &check, &answers, error);
	status = status ? status : ent_past_answered(e, &answers, stopped, error);
	ent_snapshot_block_finish(&block);
	return status;
}

int ent_past_page(ent_engine *e, const char *request, ent_buf *page, ent_error *error) {
	ent_snapshot_block block = {.fd = -1};
	int status = empty(e, &block, error);
	status = status ? status : ent_engine_brief(e, &block, request, page, error);
	ent_snapshot_block_finish(&block);
	return status;
}
