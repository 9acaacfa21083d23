/* SPDX-License-Identifier: Apache-2.0
 *
 * Generations of the rules, in a service that reloads them: a new one is tried on a few partners before it takes the
 * place of the one that judges; one that is refused is remembered beside it, in the store, until one is good. So
 * `entente rules list` shows both, whether the service runs or not. Loop thread only. */
#include "base/json.h"
#include "engine/judged.h"
#include "engine/warm.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ACTIVE ENT_META_RULES_ACTIVE
#define REFUSED ENT_META_RULES_REFUSED
enum { TRIED = 3 };

/* ---- what is remembered
 * -------------------------------------------------------------------------------------------------------- */

static void begin(ent_json *w, ent_buf *out) {
	char at[40];
	time_t now = time(NULL);
	struct tm utc;
	strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	ent_json_init(w, out, false);
	ent_json_object(w);
	ent_json_key(w, "at");
	ent_json_text(w, at);
}

static int save(ent_engine *e, const char *key, ent_buf *json, ent_error *error) {
	ent_buf_u8(json, 0);
	int status = ent_store_meta_set(e->store, key, (const char *)json->data, error);
	ent_buf_finish(json);
	return status;
}

int ent__generation_save(ent__judge *j) {
	ent_engine *e = j->e;
	const ent_buf *loaded = &e->rules->workers[0].json; /* terminated */
	uint64_t print = loaded->n ? ent_hash64(loaded->data, loaded->n, 1) : 0;
	int status = 0;
	if (!print || print == e->rules_saved) {
		return 0;
	}
	ent_buf json = {0};
	ent_json w;
	begin(&w, &json);
	ent_json_key(&w, "loaded");
	ent_json_raw(&w, (const char *)loaded->data, strlen((const char *)loaded->data));
	ent_json_end(&w);
	status = save(e, ACTIVE, &json, j->error);
	if (!status && !e->rules_refused) { /* a run by hand, of the files as they are */
		status = ent_store_meta_set(e->store, REFUSED, "", j->error);
	}
	e->rules_saved = print; /* a transaction that is rolled back closes the workers, and asks again */
	return status;
}

void ent__generation_refuse(ent_engine *e, const ent_errors *errors) {
	ent_buf json = {0};
	ent_json w;
	ent_error ignored;
	begin(&w, &json);
	ent_json_key(&w, "errors");
	ent_json_array(&w);
	for (size_t i = 0; i < errors->n; i++) {
		const ent_error *x = &errors->e[i];
		ent_json_object(&w);
		ent_json_key(&w, "file");
		ent_json_text(&w, x->file);
		ent_json_key(&w, "line");
		ent_json_uint(&w, x->line);
		ent_json_key(&w, "column");
		ent_json_uint(&w, x->column);
		ent_json_key(&w, "what");
		ent_json_text(&w, x->what);
		ent_json_key(&w, "todo");
		ent_json_text(&w, x->todo);
		ent_json_end(&w);
	}
	ent_json_end(&w);
	ent_json_end(&w);
	e->rules_refused = true;
	(void)save(e, REFUSED, &json, &ignored); /* the log has it, too */
}

void ent__generation_accept(ent_engine *e) {
	ent_error ignored;
	if (e->store && e->rules_refused) {
		(void)ent_store_meta_set(e->store, REFUSED, "", &ignored);
	}
	e->rules_refused = false;
}

/* ---- trying
 * ----------------------------------------------------------------------------------------------------------------------
 */

typedef struct trial {
	ent_engine *active;
	ent_errors *errors;
	json_object *told; /* names of rules that were told of */
	const ent_catalogue *declares; /* what the new generation can ask for, once it is counted */
} trial;

/* Did it fail for asking for a metric that is declared with it? The snapshot at hand was counted without. */
static bool is_not_counted_yet(const trial *t, const char *text) {
	const ent_catalogue *counted = ent_engine_catalogue(t->active);
	for (unsigned i = ent_metric_count; i < t->declares->n_metrics; i++) {
		const char *name = t->declares->metrics[i].name;
		if (strstr(text, name) && ent_catalogue_find(counted, name, strlen(name)) < 0) {
			return true;
		}
	}
	return false;
}

/* A rule that failed for this partner before is no worse than it was. */
static bool failed_before(ent_engine *e, const char *partner, const char *rule, size_t n) {
	ent_buf said = {0};
	ent_error ignored;
	ent_said_head h;
	bool failed = false;
	if (!ent_store_said_get(e->store, partner, &said, &ignored)) {
		const char *at = (const char *)said.data, *end = at + said.n, *newline;
		for (; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
			failed |= ent_said_head_of(at, (size_t)(newline - at), &h) && h.n_rule == n && !memcmp(h.rule, rule, n) &&
					  h.n_verdict == 6 && h.verdict[0] == 'f';
		}
	}
	ent_buf_finish(&said);
	return failed;
}

static void take_record(trial *t, const char *record, size_t n) {
	ent_said_head h;
	if (!ent_said_head_of(record, n, &h) || h.n_verdict != 6 || h.verdict[0] != 'f') {
		return;
	}
	json_tokener *tokener = json_tokener_new();
	json_object *o = json_tokener_parse_ex(tokener, record, (int)n), *error, *line;
	const char *rule = ent__json_text(o, "rule"), *partner = ent__json_text(o, "partner");
	if (o && json_object_object_get_ex(o, "error", &error) && error &&
		!is_not_counted_yet(t, ent__json_text(error, "text")) && !json_object_object_get_ex(t->told, rule, NULL) && !failed_before(t->active, partner, rule, strlen(rule))) {
		ent_error e;
		ent_error_set(&e, ENT_ERR_INVALID, "the rule %s fails for %s, on whom it was tried: %s", rule, partner,
			ent__json_text(error, "text"));
		ent_error_at(&e, ent__json_text(error, "file"),
			json_object_object_get_ex(error, "line", &line) ? (uint32_t)json_object_get_int(line) : 0, 0);
		ent_error_todo(&e, "mend the rule: until then the rules judge as they were");
		ent_errors_take(t->errors, &e);
		json_object_object_add(t->told, rule, NULL);
	}
	json_object_put(o);
	json_tokener_free(tokener);
}

static void take(void *ctx, unsigned worker, const char *records, size_t n) {
	const char *at = records, *end = records + n, *newline;
	(void)worker;
	for (; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
		take_record(ctx, at, (size_t)(newline - at));
	}
}

static void request_json(const ent_snap *s, ent_buf *out) {
	ent_json w;
	ent_json_init(&w, out, false);
	ent_json_object(&w);
	ent_json_key(&w, "only");
	ent_json_object(&w);
	ent_json_key(&w, "partners");
	ent_json_array(&w);
	for (uint32_t i = 0; i < TRIED && i < s->n_partners; i++) { /* the first, one in the middle, the last */
		ent_json_text(&w, ent_snap_partner_id(s, (uint32_t)((uint64_t)i * (s->n_partners - 1) / (TRIED - 1))));
	}
	ent_json_end(&w);
	ent_json_end(&w);
	ent_json_end(&w);
}

/* The rule that was at work when the worker ended. */
static void stopped(ent_engine *trial_engine, const ent__rules_worker *w, ent_errors *errors) {
	const ent_rules_page *page = ent_child_shared(w->child);
	uint32_t number = w->late ? w->late_rule : atomic_load(&page->rule) - 1;
	json_object *rule = json_object_array_get_idx(trial_engine->rules->rules, number), *v;
	ent_error e;
	char why[120];
	if (w->late) {
		snprintf(
			why, sizeof why, "it did not end within %.1f s", (double)trial_engine->config->rules.deadline_us / 1e6);
	} else {
		snprintf(why, sizeof why, "it ended the rules worker (%s %lld)", w->signal ? "signal" : "status",
			w->signal ? (long long)w->signal : (long long)w->status);
	}
	if (w->error.code) {
		e = w->error;
	} else {
		ent_error_set(&e, ENT_ERR_WORKER, "the rule %s was stopped when it was tried: %s",
			rule ? ent__json_text(rule, "name") : "at work", why);
		if (rule) {
			const char *file = ent__json_text(rule, "file");
			uint32_t line = json_object_object_get_ex(rule, "line", &v) ? (uint32_t)json_object_get_int(v) : 0;
			ent__place_in(ent_child_stderr(w->child), file, &line);
			ent_error_at(&e, file, line, 0);
		}
		ent_error_todo(&e, "mend the rule: until then the rules judge as they were");
	}
	ent_errors_take(errors, &e);
}

void ent__generation_try(ent_engine *fresh, ent_engine *active, ent_errors *errors) {
	ent__warm *warm = active->warm;
	if (!warm || !warm->n_blocks || !warm->blocks[0].block.data || !fresh->rules) {
		return; /* nothing was judged so far that they could be tried on */
	}
	ent_buf request = {0};
	ent_custom *custom = ent__declared_loaded(fresh);
	trial t = {active, errors, json_object_new_object(), ent_custom_catalogue(custom)};
	request_json(&warm->blocks[0].snap, &request);
	ent__rules_begin(fresh->rules);
	fresh->rules->take = take;
	fresh->rules->take_ctx = &t;
	ent__rules_send(&fresh->rules->workers[0], ENT_RULES_EVALUATE, 1, &request, warm->blocks[0].block.fd);
	if (!ent__rules_wait(fresh->rules, 1)) {
		stopped(fresh, &fresh->rules->workers[0], errors);
	}
	fresh->rules->take = NULL;
	json_object_put(t.told);
	ent_custom_destroy(custom);
	ent_buf_finish(&request);
}
