/* SPDX-License-Identifier: Apache-2.0
 *
 * entente-rules from outside: what it reads, says, prints and survives. Each test is a process of its own. */
#include "driver.h"
#include "metrics/window.h"
#include "snap_build.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BOOK ENTENTE_SOURCE_DIR "/tests/rules/book"
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
#define E6 INT64_C(1000000)

static int make_snapshot(int seals) {
	snap_build b;
	snap_init(&b, 109, "EUR");
	b.meta = "{\"min_cohort\": 5}";
	snap_partner(&b, "ada", "{\"profile\": {\"industry\": \"tea\"}}");
	snap_partner(&b, "bob", "{}");
	const int64_t orders[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, web[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	const int64_t gross[10] = {10 * E6, 20 * E6, 30 * E6}, returns[10] = {0, 5 * E6};
	const int64_t huge[10] = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}, half[10] = {0, 0, 0, 0, 0, ENT_SNAP_RATE_ONE / 2};
	const ent_snap_bucket paid[] = {{100, 0, 5}, {101, 30, 4}, {102, 60, 1}};
	snap_series(&b, 0, ENT_M_ORDERS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "", 100, 10, orders);
	snap_series(&b, 0, ENT_M_ORDERS, ENT_ORIGIN_SHOP, ENT_VIEW_CHANNEL, "web", "", 100, 10, web);
	snap_series(&b, 0, ENT_M_GROSS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "EUR", 100, 10, gross);
	snap_series(&b, 0, ENT_M_RETURNS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "EUR", 100, 10, returns);
	snap_series(&b, 0, ENT_M_TAX, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "EUR", 100, 10, huge);
	snap_dist(&b, 0, ENT_DIST_DAYS_TO_PAID, ENT_ORIGIN_SHOP, "", 3, paid);
	snap_rate(&b, "USD", 100, 10, half);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", 100, 110);
	size_t bytes;
	void *block = snap_block(&b, &bytes);
	int fd = driver_memfd(block, bytes, seals);
	free(block);
	return fd;
}

/* A worker that has loaded the book. */
static void open_worker(driver *d, ent_sandbox sandbox, uint64_t memory) {
	driver_start(d, sandbox, memory);
	char *loaded = driver_load(d, BOOK);
	assert_non_null(loaded);
	assert_non_null(strstr(loaded, "\"reads\""));
	free(loaded);
}

/* Runs one rule over both partners, which must end well. The records. */
static char *judge(driver *d, const char *rule) {
	int last, snapshot = make_snapshot(SEALS);
	driver_evaluate(d, 5, rule, snapshot);
	char *records = driver_records(d, &last);
	if (last != ENT_RULES_DONE) {
		fail_msg("%s ends with %d: %s", rule, last, records);
	}
	assert_int_equal(d->evaluations, 2);
	close(snapshot);
	return records;
}

static void contains(const char *text, const char *part) {
	if (!strstr(text, part)) {
		fail_msg("%s\n  is not in\n%s", part, text);
	}
}

static void starts_and_stops(void **state) {
	(void)state;
	driver d;
	driver_start(&d, ENT_SANDBOX_OFF, 0);
	contains(d.ready_version, "3.");
	assert_string_equal(d.ready_sandbox, "off");
	ent_buf b = {0};
	ent_buf_u32(&b, ENT_RULES_STOP);
	driver_send(&d, &b, -1);
	ent_buf_finish(&b);
	assert_int_equal(driver_wait(&d), 0);
	driver_finish(&d);
	/* End of file is the lifeline. */
	driver_start(&d, ENT_SANDBOX_OFF, 0);
	shutdown(d.socket, 2);
	assert_int_equal(driver_wait(&d), 0);
	driver_finish(&d);
}

static void refuses_another_version(void **state) {
	(void)state;
	driver d;
	const char *folders[] = {ENTENTE_SOURCE_DIR "/tests/rules/package", NULL};
	driver_spawn(&d);
	driver_hello(&d, 99, ENT_SANDBOX_OFF, 0, folders, "");
	assert_int_equal(driver_receive(&d, 60), ENT_RULES_FAILED);
	assert_int_equal(ent_read_u32(&d.read), ENT_RULES_HELLO);
	int status = driver_wait(&d);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	driver_finish(&d);
	/* A venv that is none. */
	driver_spawn(&d);
	driver_hello(&d, ENT_RULES_PROTOCOL_VERSION, ENT_SANDBOX_OFF, 0, folders, "/nowhere");
	assert_int_equal(driver_receive(&d, 60), ENT_RULES_FAILED);
	contains((const char *)memmem(d.packet.data, d.packet.n, "/nowhere is no venv", 19), "no venv");
	driver_wait(&d);
	driver_finish(&d);
	/* No package to drive. */
	folders[0] = "/nowhere";
	driver_spawn(&d);
	driver_hello(&d, ENT_RULES_PROTOCOL_VERSION, ENT_SANDBOX_OFF, 0, folders, "");
	assert_int_equal(driver_receive(&d, 60), ENT_RULES_FAILED);
	assert_non_null(memmem(d.packet.data, d.packet.n, "No module named 'entente'", 25));
	driver_wait(&d);
	driver_finish(&d);
}

static void reads_windows(void **state) {
	(void)state;
	driver d;
	open_worker(&d, ENT_SANDBOX_BEST_EFFORT, 0);
	char *r = judge(&d, "reads");
	contains(r, "\"partners\": [\"ada\", \"bob\"]");
	contains(r, "\"as_of\": 109, \"currency\": \"EUR\", \"generation\": 7");
	contains(r, "\"json\": \"{\\\"profile\\\": {\\\"industry\\\": \\\"tea\\\"}}\"");
	contains(r, "\"meta\": \"{\\\"min_cohort\\\": 5}\"");
	contains(r, "\"orders\": [0, 55, 1, 10, 10, 0]");
	contains(r, "\"net\": [0, 55000000, 1, 10, 10, 0]");
	contains(r, "\"web\": [0, 10, 1, 10, 10, 0]");
	contains(r, "\"few\": 0, \"many\": 1");
	contains(r, "\"values\": [\"web\"], \"origins\": [0], \"covers\": [[100, 110, true, \"shop\"]]");
	contains(r, "\"rate\": [1000000000000, 500000000000]");
	contains(r, "\"median\": [0, 0, 1], \"quantile\": [0, 30]");
	contains(r, "\"cohort\": [[0, 55, 1], [1, 0, 1]]");
	contains(r, "\"huge\": 36893488147419103228"); /* four times INT64_MAX */
	contains(r, "\"earlier\": [104, [0, 15], 15, 10, 106, 109, false], \"later\": 55"); /* the same blocks, as of another day */
	contains(r, "\"kinds\": [0], \"definition\": 16");
	contains(r, "\"orders\": [1, 0, 1, 0, 0, 0]"); /* of bob nothing is known */
	free(r);
	assert_true(d.nanoseconds > 0);
	assert_int_equal(d.page->magic, ENT_RULES_PAGE_MAGIC);
	assert_int_equal(atomic_load(&d.page->beat), 3); /* the book and two partners */
	assert_int_equal(atomic_load(&d.page->rule), 0);
	driver_finish(&d);
}

static void refuses_wrong_arguments(void **state) {
	(void)state;
	driver d;
	open_worker(&d, ENT_SANDBOX_OFF, 0);
	char *r = judge(&d, "refuses");
	contains(r, "[\"IndexError\", \"IndexError\", \"TypeError\", \"OverflowError\", \"IndexError\", \"IndexError\", \"TypeError\", "
				"\"TypeError\", \"TypeError\", \"TypeError\", \"ValueError\", \"ValueError\", \"ValueError\", \"TypeError\", \"ValueError\", \"IndexError\"]");
	free(r);
	driver_finish(&d);
}

static void hands_out_series(void **state) {
	(void)state;
	driver d;
	open_worker(&d, ENT_SANDBOX_BEST_EFFORT, 0);
	char *r = judge(&d, "series");
	contains(r, "\"whole\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], \"part\": [4, 5]");
	contains(r, "\"made\": [0, 0, 10000000, 15000000, 30000000]");
	contains(r, "\"view\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], \"format\": \"q\", \"writable\": false");
	contains(r, "\"day0\": 103, \"scale\": [1, 1000000], \"unit\": [\"count\", \"money\"]");
	contains(r, "\"last\": 10, \"length\": 5, \"empty\": 0");
	free(r);
	r = judge(&d, "arrow");
	contains(r, "\"format\": \"l\", \"array\": [3, 4, 5, 6, 7, 8, 9, 10], \"validity\": null");
	contains(r, "\"held\": 1, \"released\": 0, \"marked\": true");
	contains(r, "\"stream\": [\"l\", 8, true], \"value\": 3, \"all released\": 0");
	free(r);
	driver_finish(&d);
}

static void numpy_sees_the_same_address(void **state) {
	(void)state;
	driver d;
	open_worker(&d, ENT_SANDBOX_BEST_EFFORT, 0);
	char *r = judge(&d, "same_address");
	bool absent = strstr(r, "no numpy") != NULL;
	if (!absent) {
		contains(r, "\"partner\": 0, \"said\": [16, 55]");
	}
	free(r);
	driver_finish(&d);
	if (absent) {
		print_message("skipped: this machine has no numpy\n");
		skip();
	}
}

static void keeps_what_rules_print(void **state) {
	(void)state;
	driver d;
	open_worker(&d, ENT_SANDBOX_OFF, 0);
	char *r = judge(&d, "prints");
	contains(r, "\"partner\": 0, \"said\": false, \"printed\": \"hello 0\\n\\u00e9\\\\udc80\\n\"");
	contains(r, "\"partner\": 1, \"said\": false, \"printed\": \"hello 1\\n\\u00e9\\\\udc80\\n\"");
	free(r);
	r = judge(&d, "prints_much");
	contains(r, "... (cut)");
	assert_true(strlen(r) < 2 * 6 * 16384);
	free(r);
	r = judge(&d, "reads"); /* nothing is left over */
	assert_null(strstr(r, "printed"));
	free(r);
	driver_finish(&d);
}

static void goes_on_after_exceptions(void **state) {
	(void)state;
	driver d;
	open_worker(&d, ENT_SANDBOX_OFF, 0);
	char *r = judge(&d, "fails");
	contains(r, "\"partner\": 0, \"error\": \"trials.py:");
	contains(r, "ZeroDivisionError: division by zero");
	contains(r, "\"partner\": 1, \"said\": \"fine\"");
	free(r);
	r = judge(&d, "leaves");
	contains(r, "SystemExit: 3");
	free(r);
	driver_finish(&d);
}

static void names_the_place_of_a_failure(void **state) {
	(void)state;
	driver d;
	char folder[] = "/tmp/entente-book-XXXXXX", file[64];
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/broken.py", folder);
	FILE *f = fopen(file, "w");
	fputs("x = 1\nif x:\nprint(x)\n", f);
	fclose(f);
	driver_start(&d, ENT_SANDBOX_OFF, 0);
	assert_null(driver_load(&d, folder));
	assert_int_equal(ent_read_u32(&d.read), ENT_RULES_LOAD);
	ent_read_u64(&d.read);
	size_t n;
	const char *name = ent_read_bytes(&d.read, &n);
	assert_int_equal(n, strlen(file));
	assert_memory_equal(name, file, n);
	assert_int_equal(ent_read_u32(&d.read), 3);
	assert_int_equal(ent_read_u32(&d.read), 1);
	const char *what = ent_read_bytes(&d.read, &n);
	assert_non_null(memmem(what, n, "IndentationError: expected an indented block", 44));
	unlink(file);
	rmdir(folder);
	/* And an exception out of the package, about a brief; the worker goes on. */
	int snapshot = make_snapshot(SEALS);
	for (int raises = 1; raises >= 0; raises--) {
		ent_buf b = {0};
		ent_buf_u32(&b, ENT_RULES_BRIEF);
		ent_buf_u64(&b, 77);
		ent_buf_text(&b, raises ? "raise" : "page.");
		driver_send(&d, &b, snapshot);
		ent_buf_finish(&b);
		int type = driver_receive(&d, 60);
		if (raises) {
			assert_int_equal(type, ENT_RULES_FAILED);
			assert_int_equal(ent_read_u32(&d.read), ENT_RULES_BRIEF);
			assert_int_equal(ent_read_u64(&d.read), 77);
			name = ent_read_bytes(&d.read, &n);
			assert_non_null(memmem(name, n, "worker.py", 9));
			continue;
		}
		size_t total = 0;
		for (bool last = false; !last; type = last ? 0 : driver_receive(&d, 60)) {
			assert_int_equal(type, ENT_RULES_PAGE);
			assert_int_equal(ent_read_u64(&d.read), 77);
			last = ent_read_u8(&d.read);
			const char *p = ent_read_bytes(&d.read, &n);
			assert_true(p && p[0] == "page."[total % 5]);
			total += n;
		}
		assert_int_equal(total, 250000);
	}
	close(snapshot);
	driver_finish(&d);
}

static void wants_a_sealed_snapshot(void **state) {
	(void)state;
	driver d;
	open_worker(&d, ENT_SANDBOX_OFF, 0);
	int last;
	const int wrong[] = {make_snapshot(F_SEAL_SHRINK), driver_memfd("nonsense", 8, SEALS), -1};
	const char *const says[] = {"no sealed memory", "snapshot: this is none", "no sealed memory"};
	for (int i = 0; i < 3; i++) {
		driver_evaluate(&d, 1, "reads", wrong[i]);
		free(driver_records(&d, &last));
		assert_int_equal(last, ENT_RULES_FAILED);
		assert_non_null(memmem(d.packet.data, d.packet.n, says[i], strlen(says[i])));
		close(wrong[i]);
	}
	free(judge(&d, "reads"));
	driver_finish(&d);
}

/* Waits until the page names a rule at work; its time of start. */
static uint64_t wait_for_rule(driver *d) {
	for (int i = 0; i < 600; i++) {
		if (atomic_load(&d->page->rule)) {
			return atomic_load(&d->page->started);
		}
		usleep(20000);
	}
	fail_msg("no rule starts");
	return 0;
}

static void shows_where_an_endless_loop_is(void **state) {
	(void)state;
	/* One in Python, one in C that never looks at signals. */
	const char *const rules[] = {"loops", "adds"};
	for (int i = 0; i < 2; i++) {
		driver d;
		open_worker(&d, ENT_SANDBOX_BEST_EFFORT, 0);
		int snapshot = make_snapshot(SEALS);
		driver_evaluate(&d, 1, rules[i], snapshot);
		close(snapshot);
		assert_true(wait_for_rule(&d) > 0);
		assert_int_equal(atomic_load(&d.page->partner), 0);
		usleep(50000);
		kill(d.pid, SIGUSR1);
		char *errors = driver_errors(&d, 30);
		contains(errors, "/tests/rules/book/trials.py\", line ");
		contains(errors, i ? "in adds" : "in loops");
		free(errors);
		kill(d.pid, SIGKILL);
		int status = driver_wait(&d);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_true(atomic_load(&d.page->rule) != 0); /* still says who it was */
		driver_finish(&d);
	}
}

/* Code of a rulebook runs while it is imported, and may not end there either. */
static void shows_that_a_book_hangs(void **state) {
	(void)state;
	driver d;
	driver_start(&d, ENT_SANDBOX_BEST_EFFORT, 0);
	ent_buf b = {0};
	ent_buf_u32(&b, ENT_RULES_LOAD);
	ent_buf_text(&b, "{\"books\": [\"" ENTENTE_SOURCE_DIR "/tests/rules/hangs\"], \"settings\": {}, \"import\": []}");
	driver_send(&d, &b, -1);
	ent_buf_finish(&b);
	wait_for_rule(&d);
	assert_int_equal(atomic_load(&d.page->rule), ENT_RULES_AT_LOAD);
	usleep(200000);
	kill(d.pid, SIGUSR1);
	char *errors = driver_errors(&d, 30);
	contains(errors, "/tests/rules/hangs/endless.py\", line ");
	free(errors);
	driver_finish(&d);
}

static void an_exit_is_seen(void **state) {
	(void)state;
	driver d;
	open_worker(&d, ENT_SANDBOX_BEST_EFFORT, 0);
	int last, snapshot = make_snapshot(SEALS);
	driver_evaluate(&d, 1, "dies", snapshot);
	close(snapshot);
	free(driver_records(&d, &last));
	assert_int_equal(last, 0);
	int status = driver_wait(&d);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_true(atomic_load(&d.page->rule) != 0);
	driver_finish(&d);
}

static void a_crash_names_the_rule(void **state) {
	(void)state;
	driver d;
	open_worker(&d, ENT_SANDBOX_BEST_EFFORT, 0);
	int last, snapshot = make_snapshot(SEALS);
	driver_evaluate(&d, 1, "crashes", snapshot);
	close(snapshot);
	free(driver_records(&d, &last));
	assert_int_equal(last, 0);
	char *errors = driver_errors(&d, 30);
	contains(errors, "Segmentation fault");
	contains(errors, "in crashes");
	free(errors);
	driver_wait(&d);
	driver_finish(&d);
}

/* Started by something that is not its parent any more, it must not live on. */
static void wants_its_parent(void **state) {
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		execl(ENTENTE_BUILD_DIR "/bin/entente-rules", "entente-rules", "1", (char *)NULL);
		_exit(127);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
}

/* A worker that is busy reads no end of file: the kernel ends it with its parent. */
static void dies_with_its_parent(void **state) {
	(void)state;
	int told[2], status;
	pid_t worker = 0;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* orphans come to us */
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	pid_t parent = fork();
	if (parent == 0) {
		driver d;
		open_worker(&d, ENT_SANDBOX_BEST_EFFORT, 0);
		driver_evaluate(&d, 1, "adds", make_snapshot(SEALS));
		wait_for_rule(&d);
		_exit(write(told[1], &d.pid, sizeof d.pid) == sizeof d.pid ? 0 : 1);
	}
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_int_equal(status, 0);
	assert_int_equal(read(told[0], &worker, sizeof worker), sizeof worker);
	pid_t ended = 0;
	for (int i = 0; i < 200 && !ended; i++) {
		ended = waitpid(worker, &status, WNOHANG);
		usleep(20000);
	}
	if (!ended) {
		kill(worker, SIGKILL);
	}
	assert_int_equal(ended, worker);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(told[0]);
	close(told[1]);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void memory_is_limited(void **state) {
	(void)state;
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer)
	print_message("skipped: a sanitizer's shadow memory knows no limit\n");
	skip();
#endif
	driver d;
	open_worker(&d, ENT_SANDBOX_BEST_EFFORT, UINT64_C(512) << 20);
	char *r = judge(&d, "hogs");
	contains(r, "MemoryError");
	free(r);
	r = judge(&d, "after_the_hog");
	contains(r, "\"said\": 16777216");
	free(r);
	driver_finish(&d);
}

static void imports_work_late(void **state) {
	(void)state;
	driver d;
	open_worker(&d, ENT_SANDBOX_BEST_EFFORT, 0);
	char *r = judge(&d, "imports_late");
	contains(r, "\"said\": [\"e3b0c442\", \"1.10\", [\"Europe/Berlin\"]]");
	free(r);
	driver_finish(&d);
}

static void the_sandbox_holds(void **state) {
	(void)state;
	driver d;
	open_worker(&d, ENT_SANDBOX_BEST_EFFORT, 0);
	char level[64];
	snprintf(level, sizeof level, "%s", d.ready_sandbox);
	print_message("sandbox: %s\n", level);
	char *r = judge(&d, "escapes");
	driver_finish(&d);
	if (!strstr(level, "seccomp")) {
		free(r);
		print_message("skipped: no seccomp here\n");
		skip();
	}
	const char *const denied[] = {"socket", "pair", "fork", "exec", "subprocess", "write", "append", "unlink", "mkdir", "kill",
		"ptrace", "memfd", "chmod"};
	for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
		char part[64];
		snprintf(part, sizeof part, "\"%s\": \"PermissionError\"", denied[i]);
		contains(r, part);
	}
	contains(r, "\"limit\": \"ValueError\""); /* how Python says it */
	contains(r, "\"read\": \"done\""); /* its own file */
	if (strstr(level, "landlock")) {
		contains(r, "\"secret\": \"PermissionError\"");
		contains(r, "\"list\": \"PermissionError\"");
	}
	free(r);
	assert_int_equal(access("/tmp/entente-rules-was-here", F_OK), -1);
}

static void goes_without_landlock(void **state) {
	(void)state;
	const char *folders[] = {ENTENTE_SOURCE_DIR "/tests/rules/package", NULL};
	driver d;
	driver_spawn_without_landlock(&d);
	driver_hello(&d, ENT_RULES_PROTOCOL_VERSION, ENT_SANDBOX_BEST_EFFORT, 0, folders, "");
	assert_int_equal(driver_receive(&d, 60), ENT_RULES_READY);
	assert_non_null(memmem(d.packet.data, d.packet.n, "seccomp", 7));
	assert_null(memmem(d.packet.data, d.packet.n, "landlock", 8));
	free(driver_load(&d, BOOK));
	char *r = judge(&d, "escapes");
	contains(r, "\"socket\": \"PermissionError\"");
	contains(r, "\"write\": \"PermissionError\"");
	free(r);
	driver_finish(&d);
	driver_spawn_without_landlock(&d);
	driver_hello(&d, ENT_RULES_PROTOCOL_VERSION, ENT_SANDBOX_REQUIRED, 0, folders, "");
	assert_int_equal(driver_receive(&d, 60), ENT_RULES_FAILED);
	assert_non_null(memmem(d.packet.data, d.packet.n, "the sandbox is required", 23));
	driver_finish(&d);
}

static void secrets_stay_out(void **state) {
	(void)state;
	driver d;
	setenv("ENTENTE_TEST_SECRET", "sesame", 1);
	open_worker(&d, ENT_SANDBOX_OFF, 0);
	unsetenv("ENTENTE_TEST_SECRET");
	char *r = judge(&d, "environment");
	contains(r, "[\"HOME\", \"OMP_NUM_THREADS\", \"OPENBLAS_NUM_THREADS\", \"TZ\"]");
	assert_null(strstr(r, "sesame"));
	free(r);
	driver_finish(&d);
}

static void write_file(const char *folder, const char *name, const char *text) {
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* A venv as `python3 -m venv` makes it, as far as the worker looks at it; its packages come by a .pth file, too. */
static void takes_packages_of_a_venv(void **state) {
	(void)state;
	driver d;
	char venv[] = "/tmp/entente-venv-XXXXXX", packages[256], command[300];
	assert_non_null(mkdtemp(venv));
	driver_start(&d, ENT_SANDBOX_OFF, 0);
	int major = 0, minor = 0;
	assert_int_equal(sscanf(d.ready_version, "%d.%d", &major, &minor), 2);
	driver_finish(&d);
	snprintf(packages, sizeof packages, "%s/lib/python%d.%d/site-packages", venv, major, minor);
	snprintf(command, sizeof command, "mkdir -p %s/more", packages);
	assert_int_equal(system(command), 0);
	write_file(venv, "pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = true\n");
	write_file(packages, "more.pth", "more\n");
	snprintf(command, sizeof command, "%s/more", packages);
	write_file(command, "entente_test_of_venv.py", "VALUE = 'of the venv'\n");
	const char *folders[] = {ENTENTE_SOURCE_DIR "/tests/rules/package", NULL};
	driver_spawn(&d);
	driver_hello(&d, ENT_RULES_PROTOCOL_VERSION, ENT_SANDBOX_BEST_EFFORT, 0, folders, venv);
	assert_int_equal(driver_receive(&d, 60), ENT_RULES_READY);
	free(driver_load(&d, BOOK));
	char *r = judge(&d, "uses_the_venv");
	contains(r, "\"said\": \"of the venv\"");
	free(r);
	r = judge(&d, "same_address"); /* numpy, if it is there, comes in with the system's packages */
	assert_null(strstr(r, "\"error\""));
	free(r);
	driver_finish(&d);
	snprintf(command, sizeof command, "rm -r %s", venv);
	assert_int_equal(system(command), 0);
}

static void the_sandbox_can_be_required(void **state) {
	(void)state;
	driver d;
	driver_start(&d, ENT_SANDBOX_BEST_EFFORT, 0);
	bool whole = strstr(d.ready_sandbox, "seccomp+landlock") != NULL;
	driver_finish(&d);
	const char *folders[] = {ENTENTE_SOURCE_DIR "/tests/rules/package", NULL};
	driver_spawn(&d);
	driver_hello(&d, ENT_RULES_PROTOCOL_VERSION, ENT_SANDBOX_REQUIRED, 0, folders, "");
	assert_int_equal(driver_receive(&d, 60), whole ? ENT_RULES_READY : ENT_RULES_FAILED);
	driver_finish(&d);
}

/* While the core looks for an answer, no rule is late; what the core refuses, and what is no table, is the rule's failure. */
static void waits_for_answers(void **state) {
	(void)state;
	driver d;
	int last, snapshot = make_snapshot(SEALS), odd = driver_memfd("no table of facts at all", 24, SEALS);
	open_worker(&d, ENT_SANDBOX_BEST_EFFORT, 0);
	driver_evaluate(&d, 5, "asks", snapshot);
	for (unsigned i = 0; i < 2; i++) {
		size_t n;
		if (i) { /* what was said before goes out first */
			assert_int_equal(driver_receive(&d, 60), ENT_RULES_RESULT);
			ent_buf_u8(&d.packet, 0);
			contains((const char *)d.packet.data + 17, "RuntimeError: there are more than anybody can count; count less");
		}
		assert_int_equal(driver_receive(&d, 60), ENT_RULES_ASK);
		assert_int_not_equal(atomic_load(&d.page->rule), 0);
		assert_int_equal(atomic_load(&d.page->started), 0);
		assert_int_equal(ent_read_u8(&d.read), ENT_RULES_ASK_FACTS);
		assert_memory_equal(ent_read_bytes(&d.read, &n), i ? "bob" : "ada", 3);
		assert_int_equal(ent_read_u8(&d.read), ENT_ORDER);
		ent_buf b = {0};
		ent_buf_u32(&b, ENT_RULES_ANSWER);
		ent_buf_u8(&b, i == 1);
		ent_buf_text(&b, "there are more than anybody can count");
		ent_buf_text(&b, "count less");
		driver_send(&d, &b, i ? odd : -1);
		ent_buf_finish(&b);
	}
	char *r = driver_records(&d, &last);
	assert_int_equal(last, ENT_RULES_DONE);
	contains(r, "RuntimeError: the table of facts is broken: its head");
	free(r);
	close(snapshot);
	close(odd);
	driver_finish(&d);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_and_stops),
		cmocka_unit_test(refuses_another_version),
		cmocka_unit_test(reads_windows),
		cmocka_unit_test(refuses_wrong_arguments),
		cmocka_unit_test(hands_out_series),
		cmocka_unit_test(numpy_sees_the_same_address),
		cmocka_unit_test(keeps_what_rules_print),
		cmocka_unit_test(goes_on_after_exceptions),
		cmocka_unit_test(names_the_place_of_a_failure),
		cmocka_unit_test(wants_a_sealed_snapshot),
		cmocka_unit_test(shows_where_an_endless_loop_is),
		cmocka_unit_test(shows_that_a_book_hangs),
		cmocka_unit_test(an_exit_is_seen),
		cmocka_unit_test(a_crash_names_the_rule),
		cmocka_unit_test(wants_its_parent),
		cmocka_unit_test(dies_with_its_parent),
		cmocka_unit_test(memory_is_limited),
		cmocka_unit_test(imports_work_late),
		cmocka_unit_test(the_sandbox_holds),
		cmocka_unit_test(the_sandbox_can_be_required),
		cmocka_unit_test(goes_without_landlock),
		cmocka_unit_test(waits_for_answers),
		cmocka_unit_test(secrets_stay_out),
		cmocka_unit_test(takes_packages_of_a_venv),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
