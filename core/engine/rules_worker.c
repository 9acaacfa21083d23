/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting rules workers and talking to them, see rules_worker.h. A rule that misses its deadline is asked for its
 * traceback, then stopped with its process. Loop thread only. */
#include "engine/rules_worker.h"
#include "base/json.h"
#include "config/install.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- packets from the worker
 * ------------------------------------------------------------------------------------------------ */

static void take(ent_read *r, char *out, size_t size) {
	size_t n;
	const char *p = ent_read_bytes(r, &n);
	n = !p ? 0 : n < size ? n : size - 1;
	if (n) {
		memcpy(out, p, n);
	}
	out[n] = 0;
}

/* One part of a stream; true when it is whole, in w->stream. */
static bool part(ent__rules_worker *w, ent_read *r) {
	uint8_t last = ent_read_u8(r);
	size_t n;
	const char *p = ent_read_bytes(r, &n);
	ent_buf_add(&w->stream, p, p ? n : 0);
	return last;
}

static void on_message(void *ctx, ent_child *child, uint32_t type, ent_read *r) {
	(void)child;
	ent__rules_worker *w = ctx;
	char file[256], what[600], todo[256];
	switch (type) {
	case ENT_RULES_READY:
		ent_read_u32(r);
		take(r, what, sizeof what);
		take(r, w->all->e->rules_sandbox, sizeof w->all->e->rules_sandbox);
		w->ready = true;
		break;
	case ENT_RULES_LOADED:
		if (part(w, r)) {
			w->json.n = 0;
			ent_buf_add(&w->json, w->stream.data, w->stream.n);
			ent_buf_u8(&w->json, 0);
			w->stream.n = 0;
			w->loaded = true;
		}
		break;
	case ENT_RULES_RESULT:
		ent_read_u64(r);
		if (part(w, r)) {
			if (w->all->take) {
				w->all->take(
					w->all->take_ctx, (unsigned)(w - w->all->workers), (const char *)w->stream.data, w->stream.n);
			}
			w->stream.n = 0;
		}
		break;
	case ENT_RULES_PAGE:
		ent_read_u64(r);
		if (part(w, r)) {
			ent_buf_add(&w->page, w->stream.data, w->stream.n);
			w->stream.n = 0;
			w->done = true;
		}
		break;
	case ENT_RULES_RELEASED:
		ent_read_u64(r);
		if (part(w, r)) {
			w->released.n = 0;
			ent_buf_add(&w->released, w->stream.data, w->stream.n);
			w->stream.n = 0;
		}
		break;
	case ENT_RULES_DONE:
		ent_read_u64(r);
		w->evaluations = ent_read_u64(r);
		ent_read_u64(r);
		ent__tally_times(w->all, r);
		w->done = true;
		break;
	case ENT_RULES_ASK:
		ent__facts_answer(w, r);
		break;
	case ENT_RULES_FAILED:
		ent_read_u32(r);
		ent_read_u64(r);
		take(r, file, sizeof file);
		uint32_t line = ent_read_u32(r), column = ent_read_u32(r);
		take(r, what, sizeof what);
		take(r, todo, sizeof todo);
		ent_error_set(&w->error, ENT_ERR_INVALID, "%s", what);
		ent_error_at(&w->error, file[0] ? file : NULL, line, column);
		ent_error_todo(&w->error, "%s", todo);
		w->failed = true;
		break;
	default:
		break;
	}
}

static void on_gone(void *ctx, ent_child *child, int64_t status, int signal) {
	(void)child;
	ent__rules_worker *w = ctx;
	w->gone = true;
	w->status = status;
	w->signal = signal;
}

static const ent_child_events events = {on_message, on_gone};

/* ---- deadline
 * ------------------------------------------------------------------------------------------------------------------ */

static uint64_t monotonic_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A busy machine may well leave a process without the processor for a while. */
static const uint64_t STILL_LEAST_NS = 2000000000;

/* Processor time that a process has had; 0: it cannot be asked. */
static uint64_t worked_ns(int pid) {
	clockid_t clock;
	struct timespec t;
	return clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t)
			   ? 0
			   : (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Between rules a worker reads the snapshot or writes what was said, for as long as that takes; but it works while it does. One
 * that had no processor time at all for so long stands still: somebody stopped it, or it waits for what never comes. */
static bool stands_still(ent__rules_worker *w, uint64_t now, uint64_t deadline) {
	uint64_t worked = worked_ns(ent_child_pid(w->child));
	if (worked != w->worked_ns || !w->worked_since_ns) {
		w->worked_ns = worked;
		w->worked_since_ns = now;
	}
	return now - w->worked_since_ns > (deadline > STILL_LEAST_NS ? deadline : STILL_LEAST_NS);
}

static void watch(ent__rules_worker *w) {
	const ent_rules_page *page = ent_child_shared(w->child);
	uint64_t now = monotonic_ns(), deadline = (uint64_t)w->all->e->config->rules.deadline_us * 1000;
	if (w->asked) {
		if (now - w->asked_ns > 300000000u) {
			ent_child_kill(w->child, SIGKILL);
		}
		return;
	}
	uint32_t rule = atomic_load(&page->rule);
	uint64_t started = atomic_load(&page->started);
	if (!rule && stands_still(w, now, deadline)) {
		ent_child_kill(w->child, SIGKILL); /* no rule is to blame: whoever waits has another one do it */
		return;
	}
	if (rule && started && now > started && now - started > deadline) {
		w->late = w->asked = true;
		w->late_rule = rule - 1;
		w->late_partner = atomic_load(&page->partner);
		w->asked_ns = now;
		ent_child_kill(w->child, SIGUSR1); /* faulthandler writes where it is */
	}
}

static void on_tick(uv_timer_t *timer) {
	ent__rules *all = timer->data;
	for (unsigned i = 0; i < ENT__RULES_MOST; i++) {
		if (all->workers[i].child && !all->workers[i].done && !all->workers[i].gone) {
			watch(&all->workers[i]);
		}
	}
}

typedef bool settled(const ent__rules_worker *);

static bool is_loaded(const ent__rules_worker *w) { return w->loaded; }
static bool is_done(const ent__rules_worker *w) { return w->done; }

/* Runs the loop until it holds for the first n workers, or one of them failed or is gone. */
static bool until(ent__rules *all, unsigned n, settled *holds) {
	uv_timer_t tick;
	uv_timer_init(&all->e->loop, &tick);
	tick.data = all;
	uv_timer_start(&tick, on_tick, 20, 20);
	unsigned good = 0;
	bool bad = false;
	while (!bad && good < n) {
		good = 0;
		for (unsigned i = 0; i < n; i++) {
			const ent__rules_worker *w = &all->workers[i];
			bad |= w->failed || (w->gone && !holds(w));
			good += holds(w);
		}
		if (!bad && good < n) {
			uv_run(&all->e->loop, UV_RUN_ONCE);
		}
	}
	uv_timer_stop(&tick);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&all->e->loop, UV_RUN_NOWAIT);
	return !bad;
}

bool ent__rules_wait(ent__rules *all, unsigned n) { return until(all, n, is_done); }

void ent__rules_begin(ent__rules *all) {
	for (unsigned i = 0; i < ENT__RULES_MOST; i++) {
		ent__rules_worker *w = &all->workers[i];
		w->done = w->failed = w->asked = w->late = false;
		w->stream.n = w->page.n = w->released.n = 0;
		w->evaluations = 0;
		w->worked_since_ns = 0;
		w->error = (ent_error){0};
	}
}

/* ---- starting the worker
 * ---------------------------------------------------------------------------------------------------------- */

void ent__rules_send(ent__rules_worker *w, uint32_t type, uint64_t run, const ent_buf *json, int fd) {
	ent_buf m = {0};
	ent_buf_u32(&m, type);
	if (run) {
		ent_buf_u64(&m, run);
	}
	ent_buf_bytes(&m, json->data, json->n);
	ent_child_send(w->child, &m, &fd, fd >= 0 ? 1 : 0);
	ent_buf_finish(&m);
}

static const char *book(const char *name, ent_arena *arena) {
	return strcmp(name, "shipped") ? name : ent_arena_printf(arena, "%s/rulebook", ent_install_scripts(arena));
}

static void books_json(const ent_config *config, const ent_engine *e, ent_arena *arena, ent_buf *out) {
	const ent_rules_config *c = &config->rules;
	ent_json w;
	ent_json_init(&w, out, false);
	ent_json_object(&w);
	if (e && e->left_out) {
		ent_json_key(&w, "leave");
		ent__left_out_json(e, &w);
	}
	ent_json_key(&w, "books");
	ent_json_array(&w);
	for (size_t i = 0; i < c->books.n; i++) {
		ent_json_text(&w, book(c->books.v[i].s, arena));
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

void ent_rules_books_json(const ent_config *config, ent_arena *arena, ent_buf *out) { books_json(config, NULL, arena, out); }

static int start(ent__rules_worker *w, ent_error *error) {
	static const uint8_t levels[] = {[ENT_CONFIG_SANDBOX_REQUIRED] = ENT_SANDBOX_REQUIRED,
		[ENT_CONFIG_SANDBOX_BEST_EFFORT] = ENT_SANDBOX_BEST_EFFORT,
		[ENT_CONFIG_SANDBOX_OFF] = ENT_SANDBOX_OFF};
	ent_engine *e = w->all->e;
	const ent_config *c = e->config;
	w->ready = w->loaded = w->done = w->gone = w->failed = w->asked = w->late = false;
	w->stream.n = 0;
	w->child = ent_child_start(&e->loop, ent_install_program("entente-rules", &e->arena), 4096, &events, w, error);
	if (!w->child) {
		return error->code;
	}
	ent_buf m = {0}, json = {0};
	ent_buf_u32(&m, ENT_RULES_HELLO);
	ent_buf_u32(&m, ENT_RULES_PROTOCOL_VERSION);
	ent_buf_u8(&m, levels[c->sandbox]);
	ent_buf_u64(&m, (uint64_t)c->rules.memory);
	ent_buf_u32(&m, 1);
	ent_buf_text(&m, ent_install_scripts(&e->arena));
	ent_buf_text(&m, c->rules.venv.s ? c->rules.venv.s : "");
	ent_buf_u32(&m, (uint32_t)c->rules.books.n);
	for (size_t i = 0; i < c->rules.books.n; i++) {
		ent_buf_text(&m, book(c->rules.books.v[i].s, &e->arena));
	}
	ent_child_send(w->child, &m, NULL, 0);
	ent_buf_finish(&m);
	books_json(c, e, &e->arena, &json);
	ent__rules_send(w, ENT_RULES_LOAD, 0, &json, -1);
	ent_buf_finish(&json);
	return 0;
}

const char *ent__json_text(json_object *o, const char *key) {
	json_object *v;
	return json_object_object_get_ex(o, key, &v) && v ? json_object_get_string(v) : "";
}

static void forget_vectorized(ent__rules *all) {
	for (unsigned i = 0; i < all->n_vectorized; i++) {
		free(all->vectorized[i]);
	}
	free(all->vectorized);
	all->vectorized = NULL;
	all->n_vectorized = 0;
}

static void take_vectorized(ent__rules *all) {
	forget_vectorized(all);
	for (size_t i = 0; all->rules && i < json_object_array_length(all->rules); i++) {
		json_object *rule = json_object_array_get_idx(all->rules, i), *v;
		if (json_object_object_get_ex(rule, "vectorized", &v) && json_object_get_boolean(v)) {
			all->vectorized = ent_xrealloc(all->vectorized, (all->n_vectorized + 1) * sizeof *all->vectorized);
			all->vectorized[all->n_vectorized++] = ent_xstrdup(ent__json_text(rule, "name"));
		}
	}
}

bool ent__rules_vectorized(const ent__rules *all, const char *rule, size_t n) {
	for (unsigned i = 0; i < all->n_vectorized; i++) {
		if (strlen(all->vectorized[i]) == n && !memcmp(all->vectorized[i], rule, n)) {
			return true;
		}
	}
	return false;
}

/* The rules, and what is wrong with the books, as the first worker listed them. */
static void take_loaded(ent__rules *all) {
	json_object *root = json_tokener_parse((const char *)all->workers[0].json.data), *list;
	json_object_put(all->rules);
	all->rules = root && json_object_object_get_ex(root, "rules", &list) ? json_object_get(list) : NULL;
	all->books = (ent_errors){0};
	take_vectorized(all);
	ent__tally_open(all);
	if (root && json_object_object_get_ex(root, "errors", &list)) {
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			json_object *x = json_object_array_get_idx(list, i), *v;
			const char *file = ent__json_text(x, "file");
			ent_error e;
			ent_error_set(&e, ENT_ERR_INVALID, "%s", ent__json_text(x, "what"));
			uint32_t line = json_object_object_get_ex(x, "line", &v) ? (uint32_t)json_object_get_int(v) : 0;
			uint32_t column = json_object_object_get_ex(x, "column", &v) ? (uint32_t)json_object_get_int(v) : 0;
			ent_error_at(&e, *file ? file : NULL, line, column);
			ent_error_todo(&e, "%s", ent__json_text(x, "todo"));
			ent_errors_take(&all->books, &e);
		}
	}
	ent__declared_take(all, root);
	json_object_put(root);
}

static void stop(ent__rules_worker *w) {
	ent_child_destroy(w->child);
	w->child = NULL;
	ent_buf_finish(&w->stream);
	ent_buf_finish(&w->json);
	ent_buf_finish(&w->page);
	ent_buf_finish(&w->released);
}

void ent__rules_close(ent_engine *e) {
	ent__rules *all = e->rules;
	if (!all) {
		return;
	}
	for (unsigned i = 0; i < ENT__RULES_MOST; i++) {
		stop(&all->workers[i]);
	}
	uv_run(&e->loop, UV_RUN_NOWAIT);
	json_object_put(all->rules);
	forget_vectorized(all);
	free(all->tally_of);
	free(all->metrics);
	free(all);
	e->rules = NULL;
	e->rules_kept = 0;
}

void ent__rules_errors(const ent_engine *e, ent_errors *errors) {
	for (size_t i = 0; e->rules && i < e->rules->books.n; i++) {
		ent_errors_take(errors, &e->rules->books.e[i]);
	}
}

static ent__rules *rules_of(ent_engine *e) {
	if (!e->rules) {
		e->rules = ent_xcalloc(1, sizeof *e->rules);
		e->rules->e = e;
	}
	return e->rules;
}

void ent__rules_reads(ent__rules *all, const ent_snapshot_block *base, int32_t as_of, const uint8_t *behind) {
	all->base = base;
	all->base_as_of = as_of;
	all->behind = behind;
}

void ent_engine_rules_expected(ent_engine *e) { e->rules_expected = true; }

/* Python starts, and compiles the books, while the decoders read. */
void ent__rules_prepare(ent_engine *e) {
	if (!e->rules_expected || e->rules) {
		return;
	}
	ent_error later; /* whoever needs the worker tries again, and is told */
	ent__rules *all = rules_of(e);
	e->rules_expected = false;
	ent__rules_print(e, all->prepared);
	all->workers[0].all = all;
	if (start(&all->workers[0], &later)) {
		ent__rules_close(e);
	}
}

/* Is the one that was started ahead good for anything? Its books may have been changed meanwhile. */
static bool is_stale(ent_engine *e, ent__rules *all) {
	char now[65];
	if (!all->prepared[0]) {
		return false;
	}
	ent__rules_print(e, now);
	bool stale = strcmp(now, all->prepared) != 0 || all->workers[0].gone;
	all->prepared[0] = 0;
	return stale;
}

static int open_all(ent_engine *e, unsigned n, unsigned attempts, ent_error *error) {
	ent__rules *all = rules_of(e);
	if (is_stale(e, all)) {
		ent__rules_close(e);
		all = rules_of(e);
	}
	bool first = all->n == 0;
	for (unsigned i = 0; i < all->n; i++) {
		if (all->workers[i].gone) { /* between two judgements: what it kept went with it */
			ent__rules_close(e);
			return open_all(e, n, attempts, error);
		}
	}
	for (unsigned i = all->n; i < n; i++) { /* side by side */
		all->workers[i].all = all;
		if (!all->workers[i].child && start(&all->workers[i], error)) {
			ent__rules_close(e);
			return error->code;
		}
	}
	if (!until(all, n, is_loaded)) {
		for (unsigned i = 0; i < n; i++) {
			ent__rules_worker *w = &all->workers[i];
			if (w->gone && !w->failed && ent__left_out_add(e, w)) {
				ent__rules_close(e);
				*error = (ent_error){0};
				return open_all(e, n, attempts, error);
			}
			if (w->failed) {
				*error = w->error;
			} else if (w->gone && !error->code) {
				ent_error_set(error, ENT_ERR_WORKER, "the rules worker ended while it loaded the rules (%s %lld)%s%s",
					w->signal ? "signal" : "status", w->signal ? (long long)w->signal : (long long)w->status,
					ent_child_stderr(w->child)[0] ? "; it last wrote: " : "", ent_child_stderr(w->child));
				ent_error_todo(error, "`entente doctor` says whether Python and the package are where they should be");
			}
		}
		ent__rules_close(e);
		return error->code;
	}
	for (unsigned i = all->n ? all->n : 1; i < n; i++) {
		const ent_buf *one = &all->workers[0].json, *other = &all->workers[i].json;
		if (one->n != other->n || memcmp(one->data, other->data, one->n)) { /* somebody is writing the books */
			ent__rules_close(e);
			return attempts ? open_all(e, n, attempts - 1, error)
							: ent_error_set(error, ENT_ERR_WORKER, "the rulebooks change while they are loaded");
		}
	}
	all->n = n > all->n ? n : all->n;
	if (first) {
		take_loaded(all);
	}
	return 0;
}

int ent__rules_open(ent_engine *e, unsigned n, ent_error *error) { return open_all(e, n, 2, error); }
