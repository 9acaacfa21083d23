/* SPDX-License-Identifier: Apache-2.0
 *
 * An ingest in rounds, as a service does it: with budgets, for some sources, interrupted, with floods and with documents of which
 * workers die. Real decoders, a real store. What matters is the order of commits, never the time. */
#include "base/arena.h"
#include "engine/internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct world {
	char folder[64];
	ent_config *config;
	ent_engine *e;
	ent_errors *errors;
	ent_run_report *report;
	int64_t dated;
} world;

#define CSV(name) \
	"  " name ": {partner: nordwind, from: {directory: ./" name ", settle: 0s}, decode: {csv: {fact: visit, columns: {key: key, at: at, " \
	"visitor: visitor}}}}\n"
#define MONTH(name) "  " name ": {partner: nordwind, from: {directory: ./" name ", settle: 0s}, decode: month}\n"
#define ABORT(name) "  " name ": {partner: nordwind, from: {directory: ./" name ", settle: 0s}, decode: faulty}\n"
#define CASES ENTENTE_BUILD_DIR "/tests/plugins/cases.so"
#define ABORTS ENTENTE_BUILD_DIR "/tests/plugins/abort.so"

static void in_folder(const world *w, const char *name, char path[512]) { snprintf(path, 512, "%s/%s", w->folder, name); }

static void put(world *w, const char *name, const char *text) {
	char path[512], fresh[512];
	in_folder(w, name, path);
	in_folder(w, "fresh", fresh);
	FILE *f = fopen(fresh, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	struct timespec times[2] = {{1700000000 + w->dated, 0}, {1700000000 + w->dated, 0}};
	w->dated++;
	assert_int_equal(utimensat(AT_FDCWD, fresh, times, 0), 0);
	assert_int_equal(rename(fresh, path), 0);
}

static void world_open(world *w, const char *top, const char *sources) {
	*w = (world){.errors = ent_xcalloc(1, sizeof *w->errors), .report = ent_xcalloc(1, sizeof *w->report)};
	snprintf(w->folder, sizeof w->folder, "/tmp/entente-rounds-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	static const char *const names[] = {"a", "b", "c"};
	char path[512], *text;
	for (unsigned i = 0; i < 3; i++) {
		in_folder(w, names[i], path);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	put(w, "identity.key", "a key for tests, of no other use at all\n");
	assert_true(asprintf(&text, "version: 1\nstore: ./store\ncurrency: EUR\nidentity_key: file:identity.key\n%s"
			"partners: {nordwind: {name: Nordwind}}\nsources:\n%srules: {books: []}\n", top, sources) > 0);
	put(w, "entente.yaml", text);
	free(text);
	in_folder(w, "entente.yaml", path);
	if (ent_config_load(path, &w->config, w->errors) || ent_engine_open(&w->e, w->config, ENT_ENGINE_WRITE, w->errors)) {
		fail_msg("%s", w->errors->e[0].what);
	}
}

static void world_close(world *w) {
	char command[128];
	ent_engine_close(w->e);
	ent_config_destroy(w->config);
	free(w->errors);
	free(w->report);
	snprintf(command, sizeof command, "rm -rf %s", w->folder);
	assert_int_equal(system(command), 0);
}

/* A file of visits, all of them of its own. */
static void visits(world *w, const char *name, unsigned first, unsigned n) {
	ent_buf text = {0};
	ent_buf_printf(&text, "key,at,visitor\n");
	for (unsigned i = first; i < first + n; i++) {
		ent_buf_printf(&text, "%u,2024-01-05 12:00:00,v%u\n", i, i);
	}
	ent_buf_u8(&text, 0);
	put(w, name, (const char *)text.data);
	ent_buf_finish(&text);
}

static void flood(world *w, unsigned files) {
	for (unsigned i = 0; i < files; i++) {
		char name[32];
		snprintf(name, sizeof name, "a/%04u.csv", i);
		visits(w, name, i * 1000, 50);
	}
}

static void ingest(world *w, const ent_ingest_what *what) {
	ent_error e = {0};
	*w->report = (ent_run_report){0};
	if (ent_engine_ingest_some(w->e, what, NULL, NULL, w->report, &e) || !w->report->balanced) {
		fail_msg("%s", e.what);
	}
}

/* Documents of a source that the store has to their end. */
static unsigned committed(world *w, const char *source) {
	unsigned n = 0;
	uint32_t code = ent_engine_code(w->e, source);
	for (uint32_t i = 1; i < w->e->n_inputs; i++) {
		const ent_input *x = &w->e->inputs[i];
		n += x->source == code && x->done && w->e->stored[i].exists && w->e->stored[i].position == x->size;
	}
	return n;
}

static ent_digest digest(world *w) {
	ent_digest d;
	ent_error e = {0};
	if (ent_engine_digest(w->e, &d, &e)) {
		fail_msg("%s", e.what);
	}
	return d;
}

static ent_source_standing standing(world *w, size_t i) {
	ent_source_standing s;
	assert_true(ent_engine_source_standing(w->e, i, &s));
	return s;
}

static const ent_ingest_what whole = {.service = true}, bit = {.service = true, .budget_ns = 1};

/* ---- budgets and turns ------------------------------------------------------------------------------------------------------ */

static void rounds_without_any_time(void **state) {
	(void)state;
	world w, once;
	world_open(&w, "workers: 2\n", CSV("a") CSV("b"));
	world_open(&once, "workers: 2\n", CSV("a") CSV("b"));
	flood(&w, 60);
	flood(&once, 60);
	ingest(&once, NULL);
	unsigned rounds = 0, before = 0;
	do {
		ingest(&w, &bit);
		unsigned now = committed(&w, "a");
		assert_true(now > before || !w.report->more);
		assert_int_equal(standing(&w, 0).files_waiting, 60 - now);
		assert_true((standing(&w, 0).waiting_since_us != 0) == (now < 60));
		before = now;
		rounds++;
	} while (w.report->more);
	assert_true(rounds > 3);
	assert_int_equal(before, 60);
	ent_digest a = digest(&w), b = digest(&once);
	assert_memory_equal(&a, &b, sizeof a);
	ingest(&w, &whole); /* and nothing is new */
	assert_int_equal(w.report->progress.inputs_done, 0);
	assert_int_equal(w.report->progress.inputs_unchanged, 60);
	world_close(&w);
	world_close(&once);
}

/* One small document comes while a flood is read. */
static void one_against_a_flood(const char *top, const char *sources) {
	world w;
	world_open(&w, top, sources);
	flood(&w, 300);
	ingest(&w, &bit);
	assert_true(w.report->more);
	assert_true(committed(&w, "a") < 250);
	put(&w, "b/small.csv", "key,at,total,visitor\n1,2024-01-05 12:00:00,1.00,v1\n");
	for (unsigned i = 0; i < 300 && !committed(&w, "b"); i++) {
		ingest(&w, &bit);
	}
	assert_int_equal(committed(&w, "b"), 1);
	assert_true(committed(&w, "a") < 250); /* committed after it */
	ingest(&w, &whole);
	assert_int_equal(committed(&w, "a"), 300);
	world_close(&w);
}

static void a_flood_keeps_nobody_waiting(void **state) {
	(void)state;
	one_against_a_flood("workers: 2\n", CSV("a") CSV("b"));
	one_against_a_flood("workers: 2\nplugins: [csv, " CASES "]\n", CSV("a") MONTH("b"));
	one_against_a_flood("workers: 1\n", CSV("a") CSV("b"));
}

/* In one call: who was given least goes first, with a plugin of its own and more sources than workers. */
static void turns_within_a_call(void **state) {
	(void)state;
	world w;
	world_open(&w, "workers: 2\nplugins: [csv, " CASES "]\n", CSV("a") CSV("c") MONTH("b"));
	flood(&w, 600);
	put(&w, "b/small.csv", "key,at,total,visitor\n1,2024-01-05 12:00:00,1.00,v1\n");
	visits(&w, "c/small.csv", 7000000, 3);
	ingest(&w, &(ent_ingest_what){.service = true, .budget_ns = 1});
	while (w.report->more && (!committed(&w, "b") || !committed(&w, "c"))) {
		ingest(&w, &bit);
	}
	assert_true(committed(&w, "a") < 300);
	assert_int_equal(committed(&w, "b") + committed(&w, "c"), 2);
	world_close(&w);
}

static void only_these_sources(void **state) {
	(void)state;
	world w;
	world_open(&w, "workers: 2\n", CSV("a") CSV("b"));
	visits(&w, "a/x.csv", 1, 5);
	visits(&w, "b/x.csv", 100, 5);
	static const char *const b[] = {"b"};
	ingest(&w, &(ent_ingest_what){.service = true, .sources = b, .n_sources = 1});
	assert_int_equal(committed(&w, "a"), 0);
	assert_int_equal(committed(&w, "b"), 1);
	ingest(&w, &whole);
	assert_int_equal(committed(&w, "a"), 1);
	world_close(&w);
}

/* ---- interrupted --------------------------------------------------------------------------------------------------------------- */

typedef struct interrupter {
	ent_engine *e;
	atomic_bool begun, over;
} interrupter;

static void *interrupts(void *ctx) {
	interrupter *i = ctx;
	while (!atomic_load(&i->over)) {
		ent_engine_interrupt(i->e);
		atomic_store(&i->begun, true);
	}
	return NULL;
}

static void interrupted_again_and_again(void **state) {
	(void)state;
	world w, once;
	world_open(&w, "workers: 2\n", CSV("a"));
	world_open(&once, "workers: 2\n", CSV("a"));
	flood(&w, 40);
	flood(&once, 40);
	visits(&w, "a/large.csv", 5000000, 900000); /* some chunks, which end in the middle of it */
	visits(&once, "a/large.csv", 5000000, 900000);
	ingest(&once, NULL);
	for (unsigned i = 0; i < 5; i++) {
		interrupter x = {.e = w.e};
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, interrupts, &x), 0);
		while (!atomic_load(&x.begun)) {
			sched_yield(); /* on a busy machine a thread may begin when all is over */
		}
		ingest(&w, &whole);
		atomic_store(&x.over, true);
		pthread_join(thread, NULL);
		assert_true(w.report->more);
	}
	ingest(&w, &whole);
	assert_false(w.report->more);
	ent_digest a = digest(&w), b = digest(&once);
	assert_memory_equal(&a, &b, sizeof a);
	world_close(&w);
	world_close(&once);
}

/* ---- what fails ------------------------------------------------------------------------------------------------------------------ */

typedef struct aside {
	unsigned n, quarantined, tries;
	int64_t again_us;
	char what[300];
} aside;

static int see_aside(void *ctx, const ent_set_aside *x) {
	aside *a = ctx;
	a->n++;
	a->quarantined += x->quarantined;
	a->tries = x->tries;
	a->again_us = x->again_us;
	snprintf(a->what, sizeof a->what, "%s", x->what);
	return 0;
}

static aside asides(const world *w) {
	aside a = {0};
	assert_int_equal(ent_engine_set_aside(w->e, see_aside, &a), 0);
	return a;
}

static void a_document_that_kills_is_quarantined(void **state) {
	(void)state;
	world w;
	world_open(&w, "workers: 2\nplugins: [csv, " ABORTS "]\ndecoders: {quarantine_after: 3}\n", ABORT("a") CSV("b"));
	put(&w, "a/bad.csv", "Name\nboom\n");
	visits(&w, "b/good.csv", 1, 5);
	ingest(&w, &whole);
	assert_int_equal(committed(&w, "b"), 1);
	aside a = asides(&w);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.quarantined, 0);
	assert_true(a.again_us > w.e->now_us - 1000000);
	assert_int_equal(w.report->next_retry_us, 0 /* told by the next call, which looks at it */);
	for (unsigned i = 0; i < 6000 && !asides(&w).quarantined; i++) {
		usleep(20000);
		ingest(&w, &whole);
		assert_true(asides(&w).quarantined || w.report->next_retry_us || w.report->inputs_failed);
	}
	a = asides(&w);
	assert_int_equal(a.quarantined, 1);
	assert_int_equal(a.tries, 3);
	assert_int_equal(a.again_us, 0);
	assert_non_null(strstr(a.what, "died of signal"));
	unsigned started, alive, died, then;
	ent_pool_counts(w.e->pool, &alive, &started, &died);
	standing(&w, 0);
	w.e->sources[0].paused_until_us = 0; /* three in a row: the source, too, would wait */
	ingest(&w, &whole);
	ent_pool_counts(w.e->pool, &alive, &then, &died);
	assert_int_equal(then, started); /* it was not tried */
	w.e->sources[0].failed_in_row = 0;
	w.e->sources[0].paused_until_us = 0;
	put(&w, "a/bad.csv", "Name\nboom\nboom\n"); /* changed: tried anew, from the beginning */
	ingest(&w, &whole);
	a = asides(&w);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.tries, 1);
	char path[512];
	in_folder(&w, "a/bad.csv", path);
	unlink(path); /* gone: forgotten */
	w.e->sources[0].paused_until_us = 0;
	ingest(&w, &whole);
	assert_int_equal(asides(&w).n, 0);
	world_close(&w);
}

static void a_source_that_kills_is_quarantined(void **state) {
	(void)state;
	world w;
	world_open(&w, "workers: 2\nplugins: [csv, " ABORTS "]\ndecoders: {quarantine_after: 2}\n", ABORT("a") CSV("b"));
	for (unsigned i = 0; i < 5; i++) {
		char name[32];
		snprintf(name, sizeof name, "a/%u.csv", i);
		put(&w, name, "Name\nboom\n");
	}
	visits(&w, "b/good.csv", 1, 5);
	ingest(&w, &whole);
	assert_int_equal(committed(&w, "b"), 1);
	ent_source_standing s = standing(&w, 0);
	assert_true(s.paused_until_us > w.e->now_us);
	assert_true(s.failed_in_row >= 2);
	assert_true(s.worker_deaths >= 6); /* each is tried three times */
	assert_true(s.files_set_aside < 5); /* the others were spared */
	assert_non_null(strstr(s.paused_why, "died of signal"));
	assert_int_equal(w.report->next_retry_us, s.paused_until_us);
	unsigned row = s.failed_in_row;
	visits(&w, "b/more.csv", 100, 5);
	ingest(&w, &whole);
	assert_int_equal(committed(&w, "b"), 2);
	assert_int_equal(standing(&w, 0).failed_in_row, row);
	w.e->sources[0].paused_until_us = 1; /* the pause is over: one is tried, and the next pause is longer */
	ingest(&w, &whole);
	assert_int_equal(standing(&w, 0).failed_in_row, row + 1);
	assert_true(standing(&w, 0).paused_until_us - w.e->now_us > 9000000);
	world_close(&w);
}

static void a_young_file_waits(void **state) {
	(void)state;
	world w;
	world_open(&w, "workers: 2\n", "  a: {partner: nordwind, from: {directory: ./a, settle: 100d}, decode: {csv: {fact: visit, columns: "
		"{key: key, at: at, visitor: visitor}}}}\n");
	ent__now(w.e);
	w.dated = w.e->now_us / 1000000 - 1700000000 - 60;
	visits(&w, "a/x.csv", 1, 5);
	ingest(&w, &whole);
	assert_int_equal(committed(&w, "a"), 0);
	assert_int_equal(standing(&w, 0).files_young, 1);
	assert_true(w.report->next_settle_us > w.e->now_us + INT64_C(99) * 86400 * 1000000);
	w.dated -= 101 * 86400;
	visits(&w, "a/x.csv", 1, 5);
	ingest(&w, &whole);
	assert_int_equal(committed(&w, "a"), 1);
	world_close(&w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounds_without_any_time),
		cmocka_unit_test(a_flood_keeps_nobody_waiting),
		cmocka_unit_test(turns_within_a_call),
		cmocka_unit_test(only_these_sources),
		cmocka_unit_test(interrupted_again_and_again),
		cmocka_unit_test(a_document_that_kills_is_quarantined),
		cmocka_unit_test(a_source_that_kills_is_quarantined),
		cmocka_unit_test(a_young_file_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
