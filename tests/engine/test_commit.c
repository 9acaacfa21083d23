/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the commit in its own thread: what is folded meanwhile belongs to the next one, what fails in the thread is told
 * to who waits, and nobody else uses the store before. Over a real store in a folder of its own. */
#include "base/arena.h"
#include "engine/internal.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DAYS = 400, MEMBERS = 100 };

typedef struct bench {
	char folder[64];
	ent_config *config;
	ent_engine *e;
	ent_run_report report;
	ent_errors errors;
	ent_error error;
} bench;

#define OK(b, call)                                                                                                    \
	do {                                                                                                               \
		if ((call)) {                                                                                                  \
			char ok_text[1400];                                                                                        \
			fail_msg("%s: %s", #call, ent_error_text(&(b)->error, ok_text, sizeof ok_text));                           \
		}                                                                                                              \
	} while (0)

static void put_file(const char *folder, const char *name, const char *text) {
	char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int set_up(void **state) {
	bench *b = ent_xcalloc(1, sizeof *b);
	char path[256];
	snprintf(b->folder, sizeof b->folder, "/tmp/entente-commit-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	put_file(b->folder, "identity.key", "a key for tests, of no other use at all\n");
	put_file(b->folder, "entente.yaml",
		"version: 1\nstore: ./store\ncurrency: EUR\nidentity_key: file:identity.key\nrules: {books: []}\n"
		"partners:\n  one: {name: One}\nsources:\n  own: {partner: one, from: {glob: ./none/*}, decode: csv}\n");
	snprintf(path, sizeof path, "%s/entente.yaml", b->folder);
	if (ent_config_load(path, &b->config, &b->errors) ||
		ent_engine_open(&b->e, b->config, ENT_ENGINE_WRITE, &b->errors)) {
		fail_msg("%s", b->errors.e[0].what);
	}
	b->e->report = &b->report;
	*state = b;
	return 0;
}

static int tear_down(void **state) {
	bench *b = *state;
	char command[128];
	ent_engine_close(b->e);
	ent_config_destroy(b->config);
	snprintf(command, sizeof command, "rm -rf %s", b->folder);
	assert_int_equal(system(command), 0);
	free(b);
	return 0;
}

/* One of everything that is committed, many cells; `round` tells them apart. */
static void gather(bench *b, unsigned round) {
	ent_engine *e = b->e;
	char text[32];
	snprintf(text, sizeof text, "text %u", round);
	for (int32_t day = 0; day < DAYS; day++) {
		ent_cell_key key = {.partner = 1, .day = day, .family = ENT_SALES};
		uint32_t cell = ent_cells_at(e->cells, &key);
		ent_cells_row(e->cells, cell)[0]++;
		for (uint32_t id = 0; id < MEMBERS; id++) {
			ent_cells_set(e->cells, cell, ENT_SET_CUSTOMERS, (id * 7919 + round) % 1000, 1);
		}
	}
	assert_true(ent_ledger_append(e->ledger, text, strlen(text), &b->error) != 0);
	uint8_t id[16] = {(uint8_t)round, 1};
	assert_int_equal(ent_identities_put(e->identities, id), round);
	uint32_t code = ent__code_of(e, text);
	ent_input *x = ent__input_add(e);
	x->source = code;
	x->position = round + 1;
	snprintf(x->name, sizeof x->name, "input %u", round);
	e->input_dirty[x->id] = true;
	ent_reject reject = {.source = code, .input = x->id, .input_name = x->name, .reason = "why", .seen_us = e->now_us};
	ent__pending_reject(e, &reject);
	e->sources[0].delta.received++;
}

/* A number that another reader finds in the store. */
static int64_t found(const bench *b, const char *sql) {
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *q;
	snprintf(path, sizeof path, "%s/store/entente.db", b->folder);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return n;
}

static void check(const bench *b, int64_t rounds) {
	static const struct {
		const char *sql;
		int64_t each;
	} tables[] = {{"SELECT sum(orders) FROM v_cell_sales", DAYS}, {"SELECT count(*) FROM code WHERE text LIKE 'text %'", 1},
		{"SELECT count(*) FROM input", 1}, {"SELECT count(*) FROM reject", 1}, {"SELECT sum(received) FROM balance", 1},
		{"SELECT sum(frames) FROM segment", 1}, {"SELECT value FROM meta WHERE key = 'identities'", 1}};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		int64_t n = found(b, tables[i].sql);
		if (n != tables[i].each * rounds) {
			fail_msg("%s: %lld after %lld rounds", tables[i].sql, (long long)n, (long long)rounds);
		}
	}
}

static void folds_meanwhile(void **state) {
	bench *b = *state;
	OK(b, ent__commit(b->e, &b->error)); /* what came with opening */
	for (unsigned round = 0; round < 8; round++) {
		gather(b, round);
		OK(b, ent__commit_begin(b->e, &b->error)); /* the second and later ones wait for the one before */
		assert_true(ent_cells_empty(b->e->cells));
		assert_null(b->e->pending);
	}
	gather(b, 8);
	OK(b, ent__commit_wait(b->e, &b->error));
	assert_null(b->e->committing);
	check(b, 8);
	OK(b, ent__commit(b->e, &b->error));
	check(b, 9);
	assert_true(b->e->added.known == DAYS && b->e->added.fresh == 0);
	assert_true(b->report.stages.storing > 0 && b->report.stages.committing > 0);
}

/* Another writer moved an input while this run was on its way: the thread finds it, the next who waits hears it. */
static void fenced(void **state) {
	bench *b = *state;
	gather(b, 0);
	OK(b, ent__commit_begin(b->e, &b->error));
	OK(b, ent__commit_wait(b->e, &b->error));
	char path[128];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/store/entente.db", b->folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE input SET position = 77", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	gather(b, 1);
	b->e->input_dirty[1] = true;
	OK(b, ent__commit_begin(b->e, &b->error));
	gather(b, 2);
	assert_int_equal(ent__commit(b->e, &b->error), ENT_ERR_FENCED); /* before it does anything of its own */
	assert_non_null(strstr(b->error.what, "another writer was here"));
	check(b, 1);
	assert_null(b->e->committing);
}

static void full_disk(void **state) {
	bench *b = *state;
	gather(b, 0);
	OK(b, ent__commit(b->e, &b->error));
	struct rlimit before, small;
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 200000;
	signal(SIGXFSZ, SIG_IGN);
	gather(b, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	OK(b, ent__commit_begin(b->e, &b->error));
	int status = ent__commit_wait(b->e, &b->error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(status, ENT_ERR_IO);
	check(b, 1);
}

#ifndef NDEBUG
/* Whoever uses the store while the thread has it is stopped: in debug builds, where tests run. */
static void one_at_a_time(void **state) {
	bench *b = *state;
	int status;
	pid_t child = fork();
	if (!child) {
		char *value;
		struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		freopen("/dev/null", "w", stderr);
		ent_store_release(b->e->store);
		ent_store_meta_get(b->e->store, "a", &value, &b->error);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
#endif

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(folds_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fenced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_disk, set_up, tear_down),
#ifndef NDEBUG
		cmocka_unit_test_setup_teardown(one_at_a_time, set_up, tear_down),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
