/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging: hands a snapshot to the rules worker, takes what the rules said, and stores findings and verdicts in one
 * transaction. A rule that misses its deadline, or takes the process with it, is asked for its traceback, stopped with its
 * process, recorded as failed with file and line, and left out; the others are judged by a fresh worker. Loop thread only. */
#include "base/day.h"
#include "base/json.h"
#include "config/install.h"
#include "engine/child.h"
#include "engine/internal.h"
#include "rules/protocol.h"

#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STOPPED_MOST = 16, PARTS = 60000 /* bytes of JSON in one packet to the worker */ };

/* A rule that had to be stopped. */
typedef struct stopped {
	char *rule;
	char why[256], file[256];
	uint32_t line, partner;
	char *traceback;
} stopped;

typedef struct judge {
	ent_engine *e;
	const ent_snapshot_block *snapshot;
	ent_judge_report *report;
	ent_error *error;
	ent_child *child;
	bool ready, loaded, done, gone, failed;
	int64_t status;
	int signal;
	ent_buf stream;    /* parts of the record or page at hand */
	ent_buf loaded_json;
	json_object *rules;
	json_tokener *tokener;
	ent_buf results;   /* records as JSON, each followed by a newline */
	ent_buf *page;     /* of a brief */
	uint64_t run;
	bool asked;        /* for its traceback */
	uint64_t asked_ns;
	bool late;
	uint32_t late_rule, late_partner;
	stopped stopped[STOPPED_MOST];
	unsigned n_stopped;
} judge;

/* ---- packets from the worker ------------------------------------------------------------------------------------------------ */

static void take(ent_read *r, char *out, size_t size) {
	size_t n;
	const char *p = ent_read_bytes(r, &n);
	n = !p ? 0 : n < size ? n : size - 1;
	if (n) {
		memcpy(out, p, n);
	}
	out[n] = 0;
}

/* One part of a stream; true when it is whole, in j->stream. */
static bool part(judge *j, ent_read *r) {
	uint8_t last = ent_read_u8(r);
	size_t n;
	const char *p = ent_read_bytes(r, &n);
	ent_buf_add(&j->stream, p, p ? n : 0);
	return last;
}

static void on_message(void *ctx, ent_child *child, uint32_t type, ent_read *r) {
	(void)child;
	judge *j = ctx;
	char file[256], what[600], todo[256];
	switch (type) {
	case ENT_RULES_READY:
		ent_read_u32(r);
		take(r, what, sizeof what);
		take(r, j->e->rules_sandbox, sizeof j->e->rules_sandbox);
		j->ready = true;
		break;
	case ENT_RULES_LOADED:
		if (part(j, r)) {
			j->loaded_json.n = 0;
			ent_buf_add(&j->loaded_json, j->stream.data, j->stream.n);
			ent_buf_u8(&j->loaded_json, 0);
			j->stream.n = 0;
			j->loaded = true;
		}
		break;
	case ENT_RULES_RESULT:
		ent_read_u64(r);
		if (part(j, r)) {
			ent_buf_add(&j->results, j->stream.data, j->stream.n);
			j->stream.n = 0;
		}
		break;
	case ENT_RULES_PAGE:
		ent_read_u64(r);
		if (part(j, r)) {
			if (j->page) {
				ent_buf_add(j->page, j->stream.data, j->stream.n);
			}
			j->stream.n = 0;
			j->done = true;
		}
		break;
	case ENT_RULES_DONE:
		ent_read_u64(r);
		j->report->evaluations = ent_read_u64(r);
		j->done = true;
		break;
	case ENT_RULES_FAILED:
		ent_read_u32(r);
		ent_read_u64(r);
		take(r, file, sizeof file);
		uint32_t line = ent_read_u32(r), column = ent_read_u32(r);
		take(r, what, sizeof what);
		take(r, todo, sizeof todo);
		ent_error_set(j->error, ENT_ERR_INVALID, "%s", what);
		ent_error_at(j->error, file[0] ? file : NULL, line, column);
		ent_error_todo(j->error, "%s", todo);
		j->failed = true;
		break;
	default:
		break;
	}
}

static void on_gone(void *ctx, ent_child *child, int64_t status, int signal) {
	(void)child;
	judge *j = ctx;
	j->gone = true;
	j->status = status;
	j->signal = signal;
}

static const ent_child_events events = {on_message, on_gone};

/* ---- deadline ------------------------------------------------------------------------------------------------------------------ */

static uint64_t monotonic_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void watch(judge *j) {
	const ent_rules_page *page = ent_child_shared(j->child);
	uint64_t now = monotonic_ns(), deadline = (uint64_t)j->e->config->rules.deadline_us * 1000;
	if (j->asked) {
		if (now - j->asked_ns > 300000000u) {
			ent_child_kill(j->child, SIGKILL);
		}
		return;
	}
	uint32_t rule = atomic_load(&page->rule);
	uint64_t started = atomic_load(&page->started);
	if (rule && started && now > started && now - started > deadline) {
		j->late = j->asked = true;
		j->late_rule = rule - 1;
		j->late_partner = atomic_load(&page->partner);
		j->asked_ns = now;
		ent_child_kill(j->child, SIGUSR1); /* faulthandler writes where it is */
	}
}

static void on_tick(uv_timer_t *timer) { watch(timer->data); }

/* Runs the loop until the flag is set, or the worker failed or is gone. */
static bool until(judge *j, const bool *flag) {
	uv_timer_t tick;
	uv_timer_init(&j->e->loop, &tick);
	tick.data = j;
	uv_timer_start(&tick, on_tick, 20, 20);
	while (!*flag && !j->failed && !j->gone) {
		uv_run(&j->e->loop, UV_RUN_ONCE);
	}
	uv_timer_stop(&tick);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&j->e->loop, UV_RUN_NOWAIT);
	return *flag && !j->failed;
}

/* ---- starting the worker ---------------------------------------------------------------------------------------------------------- */

static void send_json(judge *j, uint32_t type, uint64_t run, const ent_buf *json, int fd) {
	ent_buf m = {0};
	ent_buf_u32(&m, type);
	if (run) {
		ent_buf_u64(&m, run);
	}
	ent_buf_bytes(&m, json->data, json->n);
	ent_child_send(j->child, &m, &fd, fd >= 0 ? 1 : 0);
	ent_buf_finish(&m);
}

static const char *book(judge *j, const char *name) {
	return strcmp(name, "shipped") ? name
								   : ent_arena_printf(&j->e->arena, "%s/rulebook", ent_install_scripts(&j->e->arena));
}

static void load_json(judge *j, ent_buf *out) {
	const ent_rules_config *c = &j->e->config->rules;
	ent_json w;
	ent_json_init(&w, out, false);
	ent_json_object(&w);
	ent_json_key(&w, "books");
	ent_json_array(&w);
	for (size_t i = 0; i < c->books.n; i++) {
		ent_json_text(&w, book(j, c->books.v[i].s));
	}
	ent_json_end(&w);
	ent_json_key(&w, "settings");
	ent_json_object(&w);
	for (size_t i = 0; i < c->n_set; i++) {
		ent_buf value = {0};
		ent_json_key(&w, c->set[i].rule.s);
		ent_yaml_json(c->set[i].settings, &value);
		ent_json_raw(&w, (const char *)value.data, value.n);
		ent_buf_finish(&value);
	}
	ent_json_end(&w);
	ent_json_key(&w, "import");
	ent_json_array(&w);
	for (size_t i = 0; i < c->import.n; i++) {
		ent_json_text(&w, c->import.v[i].s);
	}
	ent_json_end(&w);
	ent_json_key(&w, "for");
	ent_json_array(&w);
	for (size_t i = 0; i < c->n_scopes; i++) {
		ent_json_object(&w);
		ent_json_key(&w, "attribute");
		ent_json_text(&w, c->scopes[i].attribute.s);
		ent_json_key(&w, "value");
		ent_json_text(&w, c->scopes[i].value.s);
		ent_json_key(&w, "practices");
		ent_json_array(&w);
		for (size_t k = 0; k < c->scopes[i].practices.n; k++) {
			ent_json_text(&w, c->scopes[i].practices.v[k].s);
		}
		ent_json_end(&w);
		ent_json_end(&w);
	}
	ent_json_end(&w);
	ent_json_end(&w);
}

static int start(judge *j) {
	static const uint8_t levels[] = {[ENT_CONFIG_SANDBOX_REQUIRED] = ENT_SANDBOX_REQUIRED,
		[ENT_CONFIG_SANDBOX_BEST_EFFORT] = ENT_SANDBOX_BEST_EFFORT, [ENT_CONFIG_SANDBOX_OFF] = ENT_SANDBOX_OFF};
	const ent_config *c = j->e->config;
	j->ready = j->loaded = j->done = j->gone = j->failed = j->asked = j->late = false;
	j->stream.n = j->results.n = 0;
	*j->error = (ent_error){0};
	j->child = ent_child_start(&j->e->loop, ent_install_program("entente-rules", &j->e->arena), 4096, &events, j, j->error);
	if (!j->child) {
		return j->error->code;
	}
	ent_buf m = {0}, json = {0};
	ent_buf_u32(&m, ENT_RULES_HELLO);
	ent_buf_u32(&m, ENT_RULES_PROTOCOL_VERSION);
	ent_buf_u8(&m, levels[c->sandbox]);
	ent_buf_u64(&m, (uint64_t)c->rules.memory);
	ent_buf_u32(&m, 1);
	ent_buf_text(&m, ent_install_scripts(&j->e->arena));
	ent_buf_text(&m, c->rules.venv.s ? c->rules.venv.s : "");
	ent_buf_u32(&m, (uint32_t)c->rules.books.n);
	for (size_t i = 0; i < c->rules.books.n; i++) {
		ent_buf_text(&m, book(j, c->rules.books.v[i].s));
	}
	ent_child_send(j->child, &m, NULL, 0);
	ent_buf_finish(&m);
	load_json(j, &json);
	send_json(j, ENT_RULES_LOAD, 0, &json, -1);
	ent_buf_finish(&json);
	return 0;
}

/* Errors of books, as the worker listed them. */
static void take_loaded(judge *j) {
	json_object *root = json_tokener_parse((const char *)j->loaded_json.data), *list;
	if (j->rules) {
		json_object_put(j->rules);
	}
	j->rules = NULL;
	if (root && json_object_object_get_ex(root, "rules", &list)) {
		j->rules = json_object_get(list);
		j->report->rules = (uint32_t)json_object_array_length(list);
	}
	j->report->errors = (ent_errors){0};
	if (root && json_object_object_get_ex(root, "errors", &list)) {
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			json_object *x = json_object_array_get_idx(list, i), *v;
			ent_error e;
			ent_error_set(&e, ENT_ERR_INVALID, "%s", json_object_object_get_ex(x, "what", &v) ? json_object_get_string(v) : "");
			const char *file = json_object_object_get_ex(x, "file", &v) ? json_object_get_string(v) : NULL;
			uint32_t line = json_object_object_get_ex(x, "line", &v) ? (uint32_t)json_object_get_int(v) : 0;
			uint32_t column = json_object_object_get_ex(x, "column", &v) ? (uint32_t)json_object_get_int(v) : 0;
			ent_error_at(&e, file, line, column);
			ent_error_todo(&e, "%s", json_object_object_get_ex(x, "todo", &v) && v ? json_object_get_string(v) : "");
			ent_errors_take(&j->report->errors, &e);
		}
	}
	json_object_put(root);
}

static const char *text_of(json_object *o, const char *key) {
	json_object *v;
	return json_object_object_get_ex(o, key, &v) && v ? json_object_get_string(v) : "";
}

static int load(judge *j) {
	int status = start(j);
	if (status) {
		return status;
	}
	if (!until(j, &j->loaded)) {
		if (!j->error->code) {
			ent_error_set(j->error, ENT_ERR_WORKER, "the rules worker ended while it loaded the rules (%s %lld)%s%s",
				j->signal ? "signal" : "status", j->signal ? (long long)j->signal : (long long)j->status,
				ent_child_stderr(j->child)[0] ? "; it last wrote: " : "", ent_child_stderr(j->child));
			ent_error_todo(j->error, "`entente doctor` says whether Python and the package are where they should be");
		}
		return j->error->code;
	}
	take_loaded(j);
	return 0;
}

/* ---- a rule that had to be stopped --------------------------------------------------------------------------------------------------- */

/* The innermost place in a traceback of faulthandler that lies in the rule's own file. */
static void place_in(const char *traceback, const char *file, uint32_t *line) {
	char wanted[400];
	snprintf(wanted, sizeof wanted, "File \"%s\", line ", file);
	const char *at = strstr(traceback, wanted);
	if (at) {
		*line = (uint32_t)strtoul(at + strlen(wanted), NULL, 10);
	}
}

static int set_aside(judge *j) {
	const ent_rules_page *page = ent_child_shared(j->child);
	uint32_t rule = j->late ? j->late_rule : atomic_load(&page->rule) - 1;
	json_object *r = j->rules ? json_object_array_get_idx(j->rules, rule) : NULL;
	if (!r || j->n_stopped == STOPPED_MOST) {
		ent_error_set(j->error, ENT_ERR_WORKER, "the rules worker ended (%s %lld)%s%s", j->signal ? "signal" : "status",
			j->signal ? (long long)j->signal : (long long)j->status, ent_child_stderr(j->child)[0] ? "; it last wrote: " : "",
			ent_child_stderr(j->child));
		return ent_error_todo(j->error, "run again with fewer rules in `rules.books` to find the one that does it");
	}
	stopped *s = &j->stopped[j->n_stopped++];
	json_object *v;
	s->rule = ent_xstrdup(text_of(r, "name"));
	s->partner = j->late ? j->late_partner : atomic_load(&page->partner);
	s->traceback = ent_xstrdup(ent_child_stderr(j->child));
	snprintf(s->file, sizeof s->file, "%s", text_of(r, "file"));
	s->line = json_object_object_get_ex(r, "line", &v) ? (uint32_t)json_object_get_int(v) : 0;
	place_in(s->traceback, s->file, &s->line);
	if (j->late) {
		snprintf(s->why, sizeof s->why, "it did not end within %.1f s", (double)j->e->config->rules.deadline_us / 1e6);
	} else if (j->signal) {
		snprintf(s->why, sizeof s->why, "it ended the rules worker with signal %d (%s)", j->signal, strsignal(j->signal));
	} else {
		snprintf(s->why, sizeof s->why, "it ended the rules worker with status %lld", (long long)j->status);
	}
	ent_error e;
	ent_error_set(&e, ENT_ERR_WORKER, "the rule %s was stopped: %s", s->rule, s->why);
	ent_error_at(&e, s->file, s->line, 0);
	ent_error_todo(&e, "mend the rule, or give it more time with `rules.deadline`; the other rules were judged without it");
	ent_errors_take(&j->report->errors, &e);
	return 0;
}

/* ---- storing ------------------------------------------------------------------------------------------------------------------------------ */

static int store_finding(judge *j, json_object *record, json_object *f, const char *rule, const char *partner) {
	json_object *worth;
	ent_finding row = {.rule = rule, .partner = partner, .key = text_of(f, "key"), .kind = text_of(f, "kind"),
		.state = "open", .text = text_of(f, "text"), .severity = text_of(f, "severity"),
		.audience = text_of(record, "audience"), .practice = text_of(record, "practice"), .as_of = j->snapshot->as_of,
		.first_day = j->snapshot->as_of, .run = j->run, .json = json_object_to_json_string_ext(f, JSON_C_TO_STRING_PLAIN)};
	/* keys may be tuples or numbers: their JSON is the identity */
	json_object *key;
	if (json_object_object_get_ex(f, "key", &key) && key && !json_object_is_type(key, json_type_string)) {
		row.key = json_object_to_json_string_ext(key, JSON_C_TO_STRING_PLAIN);
	}
	if (!strcmp(row.kind, "failure")) {
		row.key = "!failure"; /* beside what the rule found before, which is stale, and not gone */
	}
	if (json_object_object_get_ex(f, "worth", &worth) && worth) {
		row.has_worth = 1;
		row.worth = json_object_get_int64(worth);
	}
	j->report->findings++;
	return ent_store_finding_put(j->e->store, &row, j->error);
}

/* A record up to its evidence, which is most of it and goes to the store as it is. Quotes inside of texts are escaped: what
 * is searched for can only be the key. Records that have none are read whole. */
static json_object *read_record(json_tokener *t, const char *text) {
	const char *evidence = strstr(text, ",\"evidence\":[");
	json_tokener_reset(t);
	if (evidence && evidence - text < INT32_MAX) {
		json_object *none = json_tokener_parse_ex(t, text, (int)(evidence - text));
		json_object *record = none ? none : json_tokener_parse_ex(t, "}", 1);
		if (record && json_tokener_get_error(t) == json_tokener_success) {
			return record;
		}
		json_object_put(record);
	}
	return json_tokener_parse(text);
}

static int store_record(judge *j, const char *text) {
	json_object *record = read_record(j->tokener, text), *list, *verdict_value;
	if (!record) {
		return ent_error_set(j->error, ENT_ERR_WORKER, "the rules worker sent something that is no JSON");
	}
	const char *rule = text_of(record, "rule"), *partner = text_of(record, "partner"), *verdict = "false";
	if (json_object_object_get_ex(record, "verdict", &verdict_value)) {
		verdict = json_object_get_string(verdict_value);
	}
	j->report->said_true += !strcmp(verdict, "true");
	j->report->said_false += !strcmp(verdict, "false");
	j->report->unknown += !strcmp(verdict, "unknown");
	j->report->failed += !strcmp(verdict, "failed");
	int status = ent_store_verdict_put(j->e->store, rule, partner, verdict, j->snapshot->as_of, j->run, text, j->error);
	if (json_object_object_get_ex(record, "findings", &list) && list) {
		for (size_t i = 0; i < json_object_array_length(list) && !status; i++) {
			json_object *f = json_object_array_get_idx(list, i);
			if (strcmp(text_of(f, "kind"), "unknown") != 0) {
				status = store_finding(j, record, f, rule, partner);
			}
		}
	}
	if (!status) {
		/* not said again although the evidence was there: cleared; the evidence failed: stale */
		bool known = !strcmp(verdict, "true") || !strcmp(verdict, "false");
		status = ent_store_findings_close(j->e->store, rule, partner, j->run, known ? "cleared" : "stale", j->error);
	}
	json_object_put(record);
	return status;
}

/* What a stopped rule leaves behind, for every partner: it said nothing of any of them. */
static int store_stopped(judge *j, const stopped *s) {
	const ent_snap_head *head = j->snapshot->data;
	const ent_snap_partner *partners = (const ent_snap_partner *)((const uint8_t *)j->snapshot->data + head->partners.offset);
	const ent_snap_text *texts = (const ent_snap_text *)((const uint8_t *)j->snapshot->data + head->texts.offset);
	int status = 0;
	for (uint64_t i = 0; i < head->partners.n && !status; i++) {
		const char *partner = (const char *)j->snapshot->data + texts[partners[i].id].offset;
		ent_buf json = {0};
		ent_json w;
		char text[600];
		snprintf(text, sizeof text, "%s was stopped: %s", s->rule, s->why);
		ent_json_init(&w, &json, false);
		ent_json_object(&w);
		ent_json_key(&w, "rule");
		ent_json_text(&w, s->rule);
		ent_json_key(&w, "partner");
		ent_json_text(&w, partner);
		ent_json_key(&w, "verdict");
		ent_json_text(&w, "failed");
		ent_json_key(&w, "error");
		ent_json_object(&w);
		ent_json_key(&w, "file");
		ent_json_text(&w, s->file);
		ent_json_key(&w, "line");
		ent_json_uint(&w, s->line);
		ent_json_key(&w, "text");
		ent_json_text(&w, s->why);
		ent_json_key(&w, "traceback");
		ent_json_text(&w, i == s->partner ? s->traceback : "");
		ent_json_end(&w);
		ent_json_key(&w, "findings");
		ent_json_array(&w);
		if (i == s->partner) {
			ent_json_object(&w);
			ent_json_key(&w, "kind");
			ent_json_text(&w, "failure");
			ent_json_key(&w, "text");
			ent_json_text(&w, text);
			ent_json_end(&w);
		}
		ent_json_end(&w);
		ent_json_end(&w);
		ent_buf_u8(&json, 0);
		status = store_record(j, (const char *)json.data);
		ent_buf_finish(&json);
	}
	return status;
}

static int store_all(judge *j) {
	ent_engine *e = j->e;
	char number[32];
	int status = ent_store_begin(e->store, j->error);
	if (status) {
		return status;
	}
	char *text = (char *)j->results.data, *end = text + j->results.n, *newline;
	while (!status && text < end && (newline = memchr(text, '\n', (size_t)(end - text)))) {
		*newline = 0;
		status = store_record(j, text);
		text = newline + 1;
	}
	for (unsigned i = 0; i < j->n_stopped && !status; i++) {
		status = store_stopped(j, &j->stopped[i]);
	}
	snprintf(number, sizeof number, "%llu", (unsigned long long)j->run);
	if (!status) {
		status = ent_store_meta_set(e->store, "run", number, j->error);
	}
	char day[16];
	if (!status) {
		status = ent_store_meta_set(e->store, "judged_as_of", ent_day_text(j->snapshot->as_of, day), j->error);
	}
	if (status) {
		ent_store_rollback(e->store);
		return status;
	}
	return ent_store_commit(e->store, j->error);
}

/* ---- the calls --------------------------------------------------------------------------------------------------------------------------------- */

static void finish(judge *j) {
	ent_child_destroy(j->child);
	uv_run(&j->e->loop, UV_RUN_NOWAIT);
	for (unsigned i = 0; i < j->n_stopped; i++) {
		free(j->stopped[i].rule);
		free(j->stopped[i].traceback);
	}
	if (j->rules) {
		json_object_put(j->rules);
	}
	json_tokener_free(j->tokener);
	ent_buf_finish(&j->stream);
	ent_buf_finish(&j->loaded_json);
	ent_buf_finish(&j->results);
	free(j);
}

static judge *begin(ent_engine *e, const ent_snapshot_block *snapshot, ent_judge_report *report, ent_error *error) {
	judge *j = ent_xcalloc(1, sizeof *j);
	j->e = e;
	j->snapshot = snapshot;
	j->report = report;
	j->error = error;
	j->tokener = json_tokener_new();
	return j;
}

static void evaluate_json(const judge *j, ent_buf *out) {
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
	ent_json_end(&w);
}

int ent_engine_judge(ent_engine *e, const ent_snapshot_block *snapshot, ent_judge_report *report, ent_error *error) {
	uint64_t started = uv_hrtime();
	judge *j = begin(e, snapshot, report, error);
	report->partners = (uint32_t)((const ent_snap_head *)snapshot->data)->partners.n;
	char *last = NULL;
	int status = ent_store_meta_get(e->store, "run", &last, error);
	j->run = (last ? strtoull(last, NULL, 10) : 0) + 1;
	free(last);
	ent_errors stopped_errors = {0};
	while (!status) {
		status = load(j);
		if (status) {
			break;
		}
		ent_errors books = report->errors;
		report->errors = stopped_errors;
		ent_buf json = {0};
		evaluate_json(j, &json);
		send_json(j, ENT_RULES_EVALUATE, j->run, &json, snapshot->fd);
		ent_buf_finish(&json);
		bool ended = until(j, &j->done);
		if (!ended && j->failed) {
			status = error->code;
		} else if (!ended) {
			status = set_aside(j);
		}
		stopped_errors = report->errors;
		for (size_t i = 0; i < books.n; i++) {
			ent_errors_take(&report->errors, &books.e[i]);
		}
		if (ended || status) {
			break;
		}
		ent_child_destroy(j->child);
		j->child = NULL;
	}
	if (!status) {
		status = store_all(j);
	}
	report->seconds = (double)(uv_hrtime() - started) / 1e9;
	finish(j);
	return status;
}

int ent_engine_rules(ent_engine *e, ent_buf *json, ent_error *error) {
	ent_judge_report report = {0};
	judge *j = begin(e, NULL, &report, error);
	int status = load(j);
	if (!status) {
		ent_buf_add(json, j->loaded_json.data, j->loaded_json.n - 1);
	}
	finish(j);
	return status;
}

int ent_engine_brief(ent_engine *e, const ent_snapshot_block *snapshot, const char *request, ent_buf *page, ent_error *error) {
	ent_judge_report report = {0};
	judge *j = begin(e, snapshot, &report, error);
	j->page = page;
	int status = load(j);
	if (!status) {
		ent_buf json = {0};
		ent_buf_add(&json, request, strlen(request));
		send_json(j, ENT_RULES_BRIEF, 1, &json, snapshot->fd);
		ent_buf_finish(&json);
		if (!until(j, &j->done)) {
			if (!error->code) {
				ent_error_set(error, ENT_ERR_WORKER, "the rules worker ended while it made the brief; it last wrote: %s",
					ent_child_stderr(j->child));
			}
			status = error->code;
		}
	}
	finish(j);
	return status;
}
