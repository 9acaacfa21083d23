/* SPDX-License-Identifier: Apache-2.0
 *
 * Compaction in a service: in slices, while files go on being read; the digest stays what it was, and it can be stopped. */
#include "engine/compact_task.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"

enum { PATIENCE_S = 60, ORDERS = 12000, EDITIONS = 3 };

static char folder[64];
static uv_loop_t loop;
static ent_config *config;
static ent_service *service;

static void write_orders(unsigned edition, unsigned first, unsigned n) {
	char path[160], fresh[160];
	snprintf(path, sizeof path, "%s/in/%u-%u.csv", folder, edition, first);
	snprintf(fresh, sizeof fresh, "%s/fresh", folder);
	FILE *f = fopen(fresh, "w");
	assert_non_null(f);
	fprintf(f, "key,at,total\n");
	for (unsigned i = first; i < first + n; i++) {
		fprintf(f, "%u,2026-06-%02u 12:00:00,%u.00\n", i, 1 + i % 28, 10 + (i + edition) % 7);
	}
	assert_int_equal(fclose(f), 0);
	struct timespec times[2] = {{1800000000 + (time_t)edition, 0}, {1800000000 + (time_t)edition, 0}};
	assert_int_equal(utimensat(AT_FDCWD, fresh, times, 0), 0);
	assert_int_equal(rename(fresh, path), 0);
}

static void on_news(void *ctx, unsigned mask) {
	(void)ctx;
	(void)mask;
}
static const ent_service_events events = {on_news};

static void turn(void) {
	uv_run(&loop, UV_RUN_NOWAIT);
	usleep(1000);
}

static uint64_t facts(void) {
	ent_service_status s;
	ent_service_status_take(service, &s);
	uint64_t n = s.n_sources ? s.sources[0].facts : 0;
	ent_service_status_finish(&s);
	return n;
}

static void until_facts(uint64_t n) {
	time_t end = time(NULL) + PATIENCE_S;
	for (; facts() < n && time(NULL) < end; turn()) {
	}
	assert_true(facts() >= n);
}

static int begin(void **state) {
	(void)state;
	char path[160];
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	snprintf(folder, sizeof folder, "/tmp/test_compact_task.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/in", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/entente.yaml", folder);
	FILE *f = fopen(path, "w");
	fputs("version: 1\nstore: ./store\ncurrency: EUR\nas_of: 2026-06-30\nworkers: 1\nhistory: 0s\n"
		  "partners:\n  p: {name: P}\nservice: {scan: 1h}\nsources:\n"
		  "  a: {partner: p, from: {glob: \"./in/*.csv\"}, decode: {csv: {fact: order, columns: {key: key, at: at, gross: total, "
		  "total: total}, constants: {currency: EUR}}}}\nrules: {books: []}\n",
		f);
	fclose(f);
	if (ent_config_load(path, &config, errors)) {
		fail_msg("%s", errors->e[0].what);
	}
	uv_loop_init(&loop);
	for (unsigned i = 0; i < EDITIONS; i++) {
		write_orders(i, 0, ORDERS);
	}
	if (ent_service_start(&service, &loop, config, &events, NULL, errors)) {
		fail_msg("%s", errors->e[0].what);
	}
	free(errors);
	until_facts(EDITIONS * ORDERS);
	for (time_t now = time(NULL); time(NULL) < now + 2; turn()) { /* arrivals are kept in whole seconds */
	}
	return 0;
}

static int end(void **state) {
	(void)state;
	char command[256];
	ent_service_destroy(service);
	while (uv_run(&loop, UV_RUN_NOWAIT)) {
	}
	assert_int_equal(uv_loop_close(&loop), 0);
	ent_config_destroy(config);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

typedef struct outcome {
	bool over;
	int status;
	ent_compact_progress progress;
	ent_digest digest;
} outcome;

static void over(void *ctx, const ent_compact_progress *p, int status, const ent_error *e) {
	outcome *o = ctx;
	(void)e;
	o->over = true;
	o->status = status;
	o->progress = *p;
}

static int take_digest(ent_engine *e, void *ctx, ent_error *error) { return ent_engine_digest(e, &((outcome *)ctx)->digest, error); }

static void digested(void *ctx, int status, const ent_error *e) {
	outcome *o = ctx;
	(void)e;
	o->over = true;
	o->status = status;
}

static void wait_over(outcome *o) {
	time_t limit = time(NULL) + PATIENCE_S;
	for (; !o->over && time(NULL) < limit; turn()) {
	}
	assert_true(o->over);
}

static void digest(ent_digest *out) {
	outcome o = {0};
	ent_service_do(service, &(ent_service_job){take_digest, digested, &o});
	wait_over(&o);
	assert_int_equal(o.status, 0);
	*out = o.digest;
}

static uint64_t ledger_bytes(void) {
	ent_service_status s;
	ent_service_status_take(service, &s);
	uint64_t n = s.ledger_bytes;
	ent_service_status_finish(&s);
	return n;
}

static void in_slices(void **state) {
	(void)state;
	ent_error e = {0};
	ent_compact_task *task;
	ent_digest before, after;
	outcome o = {0};
	digest(&before);
	uint64_t bytes = ledger_bytes();
	assert_int_equal(ent_compact_task_start(&task, service, &loop, ENT_COMPACT_WORTH, over, &o, &e), 0);
	assert_int_equal(ent_compact_task_progress(task)->slices, 0);
	wait_over(&o);
	assert_int_equal(o.status, 0);
	assert_int_equal(o.progress.report.compacted, 1);
	assert_int_equal(o.progress.report.bytes_before, bytes);
	assert_true(o.progress.slices >= 2);
	assert_true(o.progress.report.bytes_after < bytes / 2);
	digest(&after);
	assert_memory_equal(before.all, after.all, sizeof before.all);
}

static void while_files_come(void **state) {
	(void)state;
	ent_error e = {0};
	ent_compact_task *task;
	outcome o = {0};
	assert_int_equal(ent_compact_task_start(&task, service, &loop, ENT_COMPACT_WORTH, over, &o, &e), 0);
	unsigned files = 0;
	time_t limit = time(NULL) + PATIENCE_S;
	while (!o.over && time(NULL) < limit) {
		if (files < 20) {
			write_orders(10 + files, 500 * files, 2000); /* some known, some new */
			files++;
			ent_service_touched(service, "a");
		}
		turn();
	}
	assert_true(o.over && o.status == 0 && o.progress.report.compacted >= 1);
	until_facts(EDITIONS * ORDERS + files * 2000);
	/* the same from scratch */
	ent_digest with, without;
	digest(&with);
	ent_service_destroy(service);
	char command[256];
	snprintf(command, sizeof command, "rm -rf %s/store/ledger %s/store/entente.db* %s/store/identities", folder, folder, folder);
	assert_int_equal(system(command), 0); /* but for the key of the identities */
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	assert_int_equal(ent_service_start(&service, &loop, config, &events, NULL, errors), 0);
	free(errors);
	until_facts(EDITIONS * ORDERS + files * 2000);
	digest(&without);
	assert_memory_equal(with.documents, without.documents, sizeof with.documents);
	assert_memory_equal(with.cells, without.cells, sizeof with.cells);
}

static void stopped(void **state) {
	(void)state;
	ent_error e = {0};
	ent_compact_task *task;
	ent_digest before, after;
	outcome o = {0};
	digest(&before);
	assert_int_equal(ent_compact_task_start(&task, service, &loop, ENT_COMPACT_WORTH, over, &o, &e), 0);
	ent_compact_task_stop(task);
	wait_over(&o);
	assert_int_equal(o.status, ENT_ERR_STOPPED);
	digest(&after);
	assert_memory_equal(before.all, after.all, sizeof before.all);
	/* the service goes while it is under way */
	o.over = false;
	assert_int_equal(ent_compact_task_start(&task, service, &loop, ENT_COMPACT_WORTH, over, &o, &e), 0);
	ent_service_stop(service);
	wait_over(&o);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_slices, begin, end),
		cmocka_unit_test_setup_teardown(while_files_come, begin, end),
		cmocka_unit_test_setup_teardown(stopped, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
