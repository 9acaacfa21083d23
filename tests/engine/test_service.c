/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's thread: reads what comes, judges, does jobs, and takes another configuration, good or bad, under way. Real
 * decoders, rules and store. */
#include "engine/service_internal.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 60000, FIRST_ORDERS = 50 };

typedef struct world {
	char folder[64];
	uv_loop_t loop;
	ent_config *config;
	ent_service *service;
	unsigned news, committed, judged, reloaded;
	ent_errors *errors;
	bool answered;
	int status;
	unsigned files;
} world;

static void write_file(const world *w, const char *name, const char *text) {
	char path[256], fresh[256];
	snprintf(path, sizeof path, "%s/%s", w->folder, name);
	snprintf(fresh, sizeof fresh, "%s/.fresh", w->folder);
	FILE *f = fopen(fresh, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(fresh, path), 0);
}

/* Orders `first` to `last`, of both sources if `other`. */
static void write_orders(world *w, const char *source, unsigned first, unsigned last) {
	ent_buf b = {0};
	char name[64];
	ent_buf_printf(&b, "key,at,total\n");
	for (unsigned i = first; i <= last; i++) {
		ent_buf_printf(&b, "%u,2026-06-%02u 12:00:00,%u.00\n", i, 1 + i % 28, 10 + i % 7);
	}
	ent_buf_u8(&b, 0);
	snprintf(name, sizeof name, "%s/%04u.csv", source, w->files++);
	write_file(w, name, (char *)b.data);
	ent_buf_finish(&b);
}

static const char yaml[] =
	"version: 1\nstore: ./store\ncurrency: EUR\nas_of: 2026-06-30\nworkers: 1\n"
	"partners:\n  p: {name: P}\n  q: {name: Q}\n"
	"service: {scan: 1h, judge_every: 0s}\n"
	"sources:\n"
	"  a: {partner: p, from: {glob: \"./a/*.csv\", settle: 0s}, decode: {csv: {fact: order, columns: {key: key, at: at, gross: total, "
	"total: total}, constants: {currency: EUR}}}}\n"
	"  b: {partner: q, from: {glob: \"./b/*.csv\", settle: 0s}, decode: {csv: {fact: order, columns: {key: key, at: at, gross: total, "
	"total: total}, constants: {currency: %s}}}}\n"
	"rules: {books: [%s]}\n";

static ent_config *load(world *w, const char *currency, const char *books) {
	char text[2048], path[256];
	ent_config *config;
	ent_errors errors = {0};
	snprintf(text, sizeof text, yaml, currency, books);
	write_file(w, "entente.yaml", text);
	snprintf(path, sizeof path, "%s/entente.yaml", w->folder);
	if (ent_config_load(path, &config, &errors)) {
		fail_msg("%s", errors.e[0].what);
	}
	return config;
}

static void on_news(void *ctx, unsigned mask) {
	world *w = ctx;
	w->news |= mask;
	w->committed += (mask & ENT_NEWS_COMMITTED) != 0;
	w->judged += (mask & ENT_NEWS_JUDGED) != 0;
	w->reloaded += (mask & ENT_NEWS_RELOADED) != 0;
}

static const ent_service_events events = {on_news};

static void begin(world *w) {
	char path[256];
	*w = (world){.errors = ent_xcalloc(1, sizeof *w->errors)};
	snprintf(w->folder, sizeof w->folder, "/tmp/entente-service-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	static const char *const folders[] = {"a", "b", "book"};
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", w->folder, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	write_file(w, "book/one.py",
		"from entente import insight, rule\n\n\n@rule(practice=\"pace\")\ndef some(partner):\n    \"\"\"It sells.\"\"\"\n"
		"    orders = partner[\"orders\"].over(\"28d\")\n    if orders > 0:\n        yield insight(f\"{orders} orders\")\n");
	write_orders(w, "a", 1, FIRST_ORDERS);
	write_orders(w, "b", 1, FIRST_ORDERS);
	w->config = load(w, "EUR", "./book");
	uv_loop_init(&w->loop);
	if (ent_service_start(&w->service, &w->loop, w->config, &events, w, w->errors)) {
		fail_msg("%s", w->errors->e[0].what);
	}
}

static void end(world *w) {
	char command[128];
	ent_service_destroy(w->service);
	while (uv_run(&w->loop, UV_RUN_NOWAIT)) {
	}
	assert_int_equal(uv_loop_close(&w->loop), 0);
	ent_config_destroy(w->config);
	free(w->errors);
	snprintf(command, sizeof command, "rm -rf %s", w->folder);
	assert_int_equal(system(command), 0);
}

/* ---- waiting ----------------------------------------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer) { (void)timer; }

typedef bool condition(world *, const ent_service_status *, uint64_t n);

static void until(world *w, condition *holds, uint64_t n, const char *what) {
	uv_timer_t timer;
	uv_timer_init(&w->loop, &timer);
	uv_timer_start(&timer, on_timer, 10, 10);
	bool good = false;
	for (uint64_t end = uv_hrtime() + (uint64_t)PATIENCE_MS * 1000000; !good && uv_hrtime() < end;) {
		uv_run(&w->loop, UV_RUN_ONCE);
		ent_service_status s;
		ent_service_status_take(w->service, &s);
		good = holds(w, &s, n);
		ent_service_status_finish(&s);
	}
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	if (!good) {
		fail_msg("it never came to this: %s", what);
	}
}

static uint64_t facts(const ent_service_status *s) {
	uint64_t n = 0;
	for (size_t i = 0; i < s->n_sources; i++) {
		n += s->sources[i].facts;
	}
	return n;
}

static bool has_facts(world *w, const ent_service_status *s, uint64_t n) {
	(void)w;
	return facts(s) >= n;
}
static bool is_ready(world *w, const ent_service_status *s, uint64_t n) {
	(void)w;
	return s->ready && s->judgements >= n;
}
static bool has_cycles(world *w, const ent_service_status *s, uint64_t n) {
	(void)w;
	return s->cycles >= n;
}
static bool is_answered(world *w, const ent_service_status *s, uint64_t n) {
	(void)s;
	(void)n;
	return w->answered;
}
static bool has_ended(world *w, const ent_service_status *s, uint64_t n) {
	(void)s;
	(void)n;
	return w->news & ENT_NEWS_ENDED;
}

/* ---- tests --------------------------------------------------------------------------------------------------------------------- */

static void reads_and_judges(void **state) {
	(void)state;
	world w;
	begin(&w);
	until(&w, is_ready, 1, "ready and judged");
	until(&w, has_facts, 2 * FIRST_ORDERS, "first files read");
	ent_service_status s;
	ent_service_status_take(w.service, &s);
	assert_int_equal(s.n_sources, 2);
	assert_string_equal(s.sources[0].name, "a");
	assert_string_equal(s.sources[0].partner, "p");
	assert_string_equal(s.sources[0].transport, "glob");
	assert_int_equal(s.sources[0].state, ENT_SOURCE_IDLE);
	assert_int_equal(s.said_true, 2);
	assert_int_equal(s.n_rules, 1);
	assert_string_equal(s.rules[0].name, "some");
	assert_true(s.rules[0].runs >= 2 && s.rules[0].said_true == s.rules[0].runs && s.rules[0].seconds > 0);
	uint64_t judgements = s.judgements, commits = s.commits;
	ent_service_status_finish(&s);
	/* a file that nobody told of stays unread (the scan is far away); one that was told of is read, and the rules judge */
	write_orders(&w, "a", FIRST_ORDERS + 1, FIRST_ORDERS + 10);
	write_orders(&w, "b", FIRST_ORDERS + 1, FIRST_ORDERS + 10);
	ent_service_touched(w.service, "a");
	until(&w, has_facts, 2 * FIRST_ORDERS + 10, "the file of a");
	until(&w, is_ready, judgements + 1, "judged again");
	ent_service_status_take(w.service, &s);
	assert_int_equal(facts(&s), 2 * FIRST_ORDERS + 10);
	assert_true(s.commits > commits);
	assert_true(s.judged_us >= s.committed_us);
	ent_service_status_finish(&s);
	ent_service_touched(w.service, NULL);
	until(&w, has_facts, 2 * FIRST_ORDERS + 20, "the file of b");
	assert_true(w.committed >= 2 && w.judged >= 2);
	/* looking and finding nothing starts no worker, and is not counted as if */
	ent_service_status_take(w.service, &s);
	uint64_t workers = s.workers_started, cycles = s.cycles;
	ent_service_status_finish(&s);
	assert_true(workers > 0);
	for (int i = 0; i < 3; i++) {
		ent_service_touched(w.service, NULL);
		until(&w, has_cycles, ++cycles, "another look");
	}
	ent_service_status_take(w.service, &s);
	assert_int_equal(s.workers_started, workers);
	ent_service_status_finish(&s);
	end(&w);
}

typedef struct counted {
	world *w;
	uv_thread_t thread;
	uint32_t inputs;
} counted;

static int count_inputs(ent_engine *e, void *ctx, ent_error *error) {
	counted *c = ctx;
	(void)error;
	c->thread = uv_thread_self();
	c->inputs = e->n_inputs;
	return 0;
}

static void done(void *ctx, int status, const ent_error *e) {
	counted *c = ctx;
	(void)e;
	c->w->answered = true;
	c->w->status = status;
}

static void does_jobs(void **state) {
	(void)state;
	world w;
	begin(&w);
	until(&w, is_ready, 1, "ready");
	counted c = {.w = &w};
	ent_service_do(w.service, &(ent_service_job){count_inputs, done, &c});
	assert_false(w.answered); /* never at once */
	until(&w, is_answered, 0, "the job");
	uv_thread_t mine = uv_thread_self();
	assert_int_equal(w.status, 0);
	assert_false(uv_thread_equal(&mine, &c.thread));
	assert_int_equal(c.inputs, 3);
	/* asked after its end, it is answered all the same */
	ent_service_stop(w.service);
	until(&w, has_ended, 0, "the end");
	w.answered = false;
	ent_service_do(w.service, &(ent_service_job){count_inputs, done, &c});
	until(&w, is_answered, 0, "the job after the end");
	assert_int_equal(w.status, ENT_ERR_STOPPED);
	end(&w);
}

static int take_long(ent_engine *e, void *ctx, ent_error *error) {
	(void)e;
	(void)ctx;
	(void)error;
	usleep(1500000);
	return 0;
}

static bool beats_past(world *w, const ent_service_status *s, uint64_t n) {
	(void)w;
	return s->beat > n;
}

/* What takes longer than the wait for the next round must not make that wait last for ever. */
static void goes_on_after_something_long(void **state) {
	(void)state;
	world w;
	begin(&w);
	until(&w, is_ready, 1, "ready");
	counted c = {.w = &w};
	ent_service_do(w.service, &(ent_service_job){take_long, done, &c});
	until(&w, is_answered, 0, "the job");
	ent_service_status s;
	ent_service_status_take(w.service, &s);
	uint64_t beat = s.beat;
	ent_service_status_finish(&s);
	until(&w, beats_past, beat + 4, "more beats of its heart");
	end(&w);
}

static void on_reloaded(void *ctx, int status, const ent_errors *errors) {
	world *w = ctx;
	w->answered = true;
	w->status = status;
	*w->errors = *errors;
}

static int reload(world *w, const char *currency, const char *books) {
	ent_config *config = load(w, currency, books);
	w->answered = false;
	ent_service_reload(w->service, config, on_reloaded, w);
	until(w, is_answered, 0, "the reload");
	if (w->status) {
		char text[2048];
		print_message("refused: %s\n", ent_error_text(&w->errors->e[0], text, sizeof text));
	}
	ent_config_destroy(w->status ? config : w->config);
	w->config = w->status ? w->config : config;
	return w->status;
}

static uint64_t generation(world *w) {
	ent_service_status s;
	ent_service_status_take(w->service, &s);
	uint64_t n = s.generation;
	ent_service_status_finish(&s);
	return n;
}

typedef struct instances {
	world *w;
	uint32_t of[2];
} instances;

static int take_instances(ent_engine *e, void *ctx, ent_error *error) {
	instances *i = ctx;
	(void)error;
	for (int k = 0; k < 2; k++) {
		i->of[k] = e->sources[k].streams ? e->sources[k].streams->instance : UINT32_MAX;
	}
	return 0;
}

static void took(void *ctx, int status, const ent_error *e) {
	instances *i = ctx;
	(void)e;
	i->w->status = status;
	i->w->answered = true;
}

static instances instances_of(world *w) {
	instances i = {.w = w};
	w->answered = false;
	ent_service_do(w->service, &(ent_service_job){take_instances, took, &i});
	until(w, is_answered, 0, "instances");
	return i;
}

static void reloads(void **state) {
	(void)state;
	world w;
	begin(&w);
	until(&w, is_ready, 1, "ready");
	until(&w, has_facts, 2 * FIRST_ORDERS, "first files");
	instances before = instances_of(&w);
	/* a good one: what changed gets another instance of its decoder, the other source goes on with its own */
	assert_int_equal(reload(&w, "USD", "./book"), 0);
	assert_int_equal(generation(&w), 2);
	instances after = instances_of(&w);
	assert_int_equal(after.of[0], before.of[0]);
	assert_int_not_equal(after.of[1], before.of[1]);
	/* bad ones: every error has its place, nothing has changed, and reading goes on */
	char text[2048];
	assert_int_equal(reload(&w, "EUR}, nonsense: {a: b", "./book"), ENT_ERR_INVALID);
	assert_int_equal(w.errors->total, 1);
	assert_non_null(strstr(ent_error_text(&w.errors->e[0], text, sizeof text), "entente.yaml:12:"));
	assert_int_equal(generation(&w), 2);
	write_file(&w, "book/two.py", "def wrong(:\n    pass\n");
	assert_int_equal(reload(&w, "USD", "./book"), ENT_ERR_INVALID);
	assert_non_null(strstr(ent_error_text(&w.errors->e[0], text, sizeof text), "two.py:1:"));
	assert_int_equal(generation(&w), 2);
	write_orders(&w, "a", FIRST_ORDERS + 1, FIRST_ORDERS + 10);
	ent_service_touched(w.service, "a");
	until(&w, has_facts, 2 * FIRST_ORDERS + 10, "a file after refused reloads");
	/* mended */
	write_file(&w, "book/two.py", "LIMIT = 3\n");
	assert_int_equal(reload(&w, "USD", "./book"), 0);
	assert_int_equal(generation(&w), 3);
	assert_int_equal(instances_of(&w).of[0], before.of[0]);
	end(&w);
}

/* The store of a running service does not move. */
static void keeps_its_store(void **state) {
	(void)state;
	world w;
	begin(&w);
	until(&w, is_ready, 1, "ready");
	char text[2048], path[256];
	ent_config *config;
	snprintf(text, sizeof text, yaml, "EUR", "./book");
	memcpy(strstr(text, "./store"), "./stars", 7);
	write_file(&w, "entente.yaml", text);
	snprintf(path, sizeof path, "%s/entente.yaml", w.folder);
	assert_int_equal(ent_config_load(path, &config, w.errors), 0);
	ent_service_reload(w.service, config, on_reloaded, &w);
	until(&w, is_answered, 0, "the reload");
	assert_int_equal(w.status, ENT_ERR_INVALID);
	assert_non_null(strstr(ent_error_text(&w.errors->e[0], text, sizeof text), "entente.yaml:2:"));
	ent_config_destroy(config);
	end(&w);
}

/* What cannot be opened is told by the start. */
static void tells_why_not(void **state) {
	(void)state;
	world w, other;
	begin(&w);
	other = (world){.errors = ent_xcalloc(1, sizeof *other.errors)};
	assert_int_equal(ent_service_start(&other.service, &w.loop, w.config, &events, &other, other.errors), ENT_ERR_BUSY);
	assert_null(other.service);
	assert_int_equal(other.errors->total, 1);
	free(other.errors);
	end(&w);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_and_judges), cmocka_unit_test(does_jobs),
		cmocka_unit_test(goes_on_after_something_long),
		cmocka_unit_test(reloads), cmocka_unit_test(keeps_its_store), cmocka_unit_test(tells_why_not)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
