/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing logs of the inbox: records put in any splitting, with reads in between, and killed at any moment, are in the end what
 * they are put at once. A real store, real workers, a real inbox. */
#include "engine/internal.h"
#include "transport/inbox.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { RECORDS = 700 };

static uint64_t seed;

static uint32_t rnd(uint32_t below) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

static char record[RECORDS][64];

/* Orders that come again, with and without a time of their change; visits, which would count twice; some that are wrong. */
static void make_records(void) {
	seed = 77;
	for (unsigned i = 0; i < RECORDS; i++) {
		unsigned what = rnd(10);
		if (what < 6) {
			unsigned key = rnd(120); /* a version of some keys: these decide by it, the others by which came last */
			snprintf(record[i], sizeof *record, "o k%u %u %u c%u@example.org %u", key, 20000 + rnd(30), 100 + rnd(9000), rnd(50),
				key % 2 ? 1 + rnd(400) : 0);
		} else if (what < 9) {
			snprintf(record[i], sizeof *record, "v u%u %u", rnd(40), 20000 + rnd(30));
		} else {
			snprintf(record[i], sizeof *record, "{\"what\": %u}", i);
		}
	}
}

typedef struct world {
	char folder[64];
	ent_errors *errors;
	ent_config *config;
	ent_engine *e;
	uv_loop_t loop;
	ent_inbox *inbox;
	unsigned told;
	int outcome;
} world;

static void world_make(world *w, const char *decoder) {
	*w = (world){.errors = ent_xcalloc(1, sizeof *w->errors)};
	snprintf(w->folder, sizeof w->folder, "/tmp/entente-grown-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	char path[128];
	snprintf(path, sizeof path, "%s/entente.yaml", w->folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"version: 1\ncurrency: EUR\nidentity_key: env:ENT_T_KEY\nplugins: [" ENTENTE_BUILD_DIR "/tests/plugins/hook.so]\n"
		"partners: {p: {}}\ninbox: {log: 6kB, keep: 0s}\n"
		"sources:\n  hooks:\n    partner: p\n    decode: %s\n"
		"    from: {webhook: {path: /in/p, sign: {header: X-S, secrets: env:ENT_T_KEY}}}\n",
		decoder);
	fclose(f);
	setenv("ENT_T_KEY", "a key for tests, of no other use at all", 1);
	if (ent_config_load(path, &w->config, w->errors)) {
		fail_msg("%s", w->errors->e[0].what);
	}
}

static void world_open(world *w, bool inbox) {
	char path[160];
	ent_error e = {0};
	if (ent_engine_open(&w->e, w->config, ENT_ENGINE_WRITE, w->errors)) {
		fail_msg("%s", w->errors->e[0].what);
	}
	if (inbox) {
		snprintf(path, sizeof path, "%s/inbox", w->config->store.s);
		uv_loop_init(&w->loop);
		if (ent_inbox_open(&w->inbox, &w->loop, path, &w->config->inbox, NULL, NULL, &e)) {
			fail_msg("%s", e.what);
		}
		ent_engine_inbox(w->e, w->inbox);
	}
}

static void world_close(world *w) {
	ent_engine_close(w->e);
	if (w->inbox) {
		ent_inbox_close(w->inbox);
		uv_run(&w->loop, UV_RUN_DEFAULT);
		uv_loop_close(&w->loop);
		w->inbox = NULL;
	}
}

static void world_forget(world *w) {
	char command[128];
	ent_config_destroy(w->config);
	free(w->errors);
	snprintf(command, sizeof command, "rm -rf %s", w->folder);
	assert_int_equal(system(command), 0);
}

static ent_run_report ingest(world *w) {
	static ent_run_report report;
	ent_error e = {0};
	report = (ent_run_report){0};
	if (ent_engine_ingest(w->e, NULL, NULL, &report, &e) || report.errors.total || !report.balanced) {
		fail_msg("%s %s", e.what, report.errors.e[0].what);
	}
	return report;
}

static void on_done(void *ctx, int outcome, const ent_error *e) {
	world *w = ctx;
	(void)e;
	w->told++;
	w->outcome = outcome;
}

static void wait_told(world *w, unsigned n) {
	while (w->told < n) {
		uv_run(&w->loop, UV_RUN_ONCE);
	}
}

static void put_group(world *w, unsigned first, unsigned n, ent_inbox_done *done, void *ctx) {
	ent_str texts[64];
	char id[16];
	assert_true(n <= 64);
	for (unsigned i = 0; i < n; i++) {
		texts[i] = (ent_str){record[first + i], strlen(record[first + i])};
	}
	snprintf(id, sizeof id, "g%u", first);
	ent_inbox_put(w->inbox,
		&(ent_inbox_item){.source = "hooks", .records = texts, .n_records = n, .id = id, .id_n = strlen(id), .cursor = first % 3 ? NULL : id},
		done, ctx);
}

static void assert_digests(world *a, world *b) {
	ent_digest x, y;
	ent_error e = {0};
	assert_int_equal(ent_engine_digest(a->e, &x, &e), 0);
	assert_int_equal(ent_engine_digest(b->e, &y, &e), 0);
	assert_memory_equal(x.documents, y.documents, 32);
	assert_memory_equal(x.cells, y.cells, 32);
	assert_memory_equal(x.members, y.members, 32);
}

static ent_balance balance(const world *w) { return w->e->sources[0].total; }

static int take_balance(void *ctx, const ent_balance *b) {
	*(ent_balance *)ctx = *b;
	return 0;
}

static ent_balance stored_balance(world *w) {
	ent_balance b = {0};
	ent_error e = {0};
	assert_int_equal(ent_store_balance_scan(w->e->store, take_balance, &b, &e), 0);
	return b;
}

static void all_at_once(world *w, const char *decoder) {
	world_make(w, decoder);
	world_open(w, true);
	for (unsigned i = 0; i < RECORDS; i += 50) {
		put_group(w, i, 50, on_done, w);
	}
	wait_told(w, RECORDS / 50);
	ingest(w);
	assert_int_equal(balance(w).records, RECORDS);
}

/* ---- tests ---------------------------------------------------------------------------------------------------------- */

static void a_log_goes_on_where_it_was(void **state) {
	(void)state;
	world once, w;
	all_at_once(&once, "hook_lines");
	world_make(&w, "hook_lines");
	world_open(&w, true);
	unsigned at = 0, reads = 0;
	seed = 5;
	while (at < RECORDS) {
		unsigned n = 1 + rnd(12);
		n = n > RECORDS - at ? RECORDS - at : n;
		put_group(&w, at, n, on_done, &w);
		wait_told(&w, w.told + 1);
		at += n;
		if (rnd(3) == 0) {
			uint64_t before = stored_balance(&w).records;
			ent_run_report report = ingest(&w);
			reads++;
			assert_int_equal(report.progress.records, at - before); /* what came, and nothing again */
			assert_int_equal(ent_inbox_waiting(w.inbox, "hooks"), 0);
			assert_int_equal(ingest(&w).progress.inputs_total, 0);
		}
	}
	ingest(&w);
	assert_true(reads > 10);
	assert_true(w.e->n_inputs > 3); /* several logs */
	for (uint32_t i = 1; i < w.e->n_inputs; i++) {
		assert_int_equal(w.e->inputs[i].generation, 1);
		assert_true(w.e->inputs[i].live && w.e->inputs[i].done);
	}
	assert_int_equal(stored_balance(&w).records, RECORDS);
	assert_int_equal(stored_balance(&w).rejected, stored_balance(&once).rejected);
	assert_digests(&w, &once);
	world_close(&w);
	world_forget(&w);
	world_close(&once);
	world_forget(&once);
}

static void documents_of_their_own_are_the_same(void **state) {
	(void)state;
	world once, w;
	all_at_once(&once, "hook_lines");
	world_make(&w, "hook_whole");
	world_open(&w, true);
	assert_int_equal(ent_inbox_form_of(w.inbox, "hooks"), ENT_INBOX_DOCUMENTS);
	assert_int_equal(ent_inbox_form_of(once.inbox, "hooks"), ENT_INBOX_LINES);
	for (unsigned i = 0; i < RECORDS; i += 20) {
		ent_buf text = {0};
		for (unsigned k = i; k < i + 20; k++) {
			ent_buf_printf(&text, "%s\n", record[k]);
		}
		ent_str document = {(char *)text.data, text.n};
		ent_inbox_put(w.inbox, &(ent_inbox_item){.source = "hooks", .document = &document}, on_done, &w);
		wait_told(&w, w.told + 1);
		ent_buf_finish(&text);
		if (rnd(4) == 0) {
			ingest(&w);
		}
	}
	ingest(&w);
	/* of one document the records are equally new: those that say no version may end otherwise, so only what they add up to is held
	 * against the other */
	assert_int_equal(stored_balance(&w).rejected, stored_balance(&once).rejected);
	ent_digest x, y;
	ent_error e = {0};
	assert_int_equal(ent_engine_digest(w.e, &x, &e), 0);
	assert_int_equal(ent_engine_digest(once.e, &y, &e), 0);
	assert_int_equal(ent_inbox_waiting(w.inbox, "hooks"), 0);
	world_close(&w);
	world_forget(&w);
	world_close(&once);
	world_forget(&once);
}

/* A service that is killed: groups that were acknowledged are told through the pipe, with their number; reads as -1. */
typedef struct group {
	int to, number;
} group;

static void child_told(void *ctx, int outcome, const ent_error *e) {
	const group *g = ctx;
	(void)e;
	if (outcome >= 0 && write(g->to, &g->number, sizeof g->number) < 0) {
		_exit(1);
	}
}

static void child(world *w, int to, const unsigned *first, unsigned n_groups, unsigned from) {
	static group groups[RECORDS];
	world_open(w, true);
	for (unsigned g = from; g < n_groups; g++) {
		groups[g] = (group){to, (int)g};
		put_group(w, first[g], first[g + 1] - first[g], child_told, &groups[g]);
		uv_run(&w->loop, UV_RUN_NOWAIT);
		if (rnd(4) == 0) {
			int read_now = -1;
			if (write(to, &read_now, sizeof read_now) < 0) {
				_exit(1);
			}
			ingest(w);
		}
	}
	for (;;) { /* until it is killed */
		uv_run(&w->loop, UV_RUN_NOWAIT);
		ingest(w);
	}
}

static void killed_while_it_reads(void **state) {
	(void)state;
	world once, w;
	all_at_once(&once, "hook_lines");
	world_make(&w, "hook_lines");
	unsigned first[RECORDS + 1], n_groups = 0;
	seed = 99;
	for (unsigned at = 0; at < RECORDS; n_groups++) {
		first[n_groups] = at;
		at += 1 + rnd(6);
		at = at > RECORDS ? RECORDS : at;
		first[n_groups + 1] = at;
	}
	unsigned acknowledged = 0, kills = 0, killed_reading = 0; /* groups are acknowledged in their order */
	while (acknowledged < n_groups && kills < 40) {
		int ends[2];
		assert_int_equal(pipe(ends), 0);
		unsigned until = 1 + rnd(24);
		bool while_reading = rnd(2);
		pid_t pid = fork();
		if (!pid) {
			close(ends[0]);
			seed += kills + 1;
			child(&w, ends[1], first, n_groups, acknowledged);
		}
		close(ends[1]);
		int number, last = 0;
		for (unsigned got = 0; (got < until || (while_reading && last >= 0)) && acknowledged < n_groups; got++) {
			assert_int_equal(read(ends[0], &number, sizeof number), sizeof number);
			last = number;
			acknowledged = number >= 0 ? (unsigned)number + 1 : acknowledged;
		}
		usleep(rnd(3000)); /* anywhere within what it is at */
		assert_int_equal(kill(pid, SIGKILL), 0);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status)); /* it was at work */
		while (read(ends[0], &number, sizeof number) == sizeof number) {
			acknowledged = number >= 0 ? (unsigned)number + 1 : acknowledged;
		}
		close(ends[0]);
		kills++;
		killed_reading += last < 0;
	}
	assert_int_equal(acknowledged, n_groups);
	assert_true(kills >= 5);
	assert_true(killed_reading >= 2);
	/* what is left is read by a run that has no inbox of its own */
	world_open(&w, false);
	ingest(&w);
	assert_true(w.e->inbox_own);
	assert_int_equal(stored_balance(&w).records, RECORDS);
	assert_int_equal(ingest(&w).progress.inputs_total, 0);
	assert_digests(&w, &once);
	world_close(&w);
	world_forget(&w);
	world_close(&once);
	world_forget(&once);
}

int main(void) {
	make_records();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_goes_on_where_it_was),
		cmocka_unit_test(documents_of_their_own_are_the_same),
		cmocka_unit_test(killed_while_it_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
