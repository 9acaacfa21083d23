/* SPDX-License-Identifier: Apache-2.0
 *
 * What plugins can do wrong, and what is then seen from outside: how the worker died and where it was, that it did not
 * move, that its ring is torn, that it was not loaded at all and why, and what the sandbox keeps it from. */
#include "driver.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PLUGINS ENTENTE_BUILD_DIR "/tests/plugins/"

static const char document[] = "Name\na\nb\nboom\nc\n";
#define BOOM 9 /* place of the row */

static const ent_ring_head *head_of(const driver *d) { return (const ent_ring_head *)d->ring; }

/* Loads the plugin in a sandbox and decodes the document. */
static bool run(driver *d, const char *plugin, const driver_setup *setup, unsigned milliseconds) {
	driver_setup usual = {.sandbox = ENT_SANDBOX_BEST_EFFORT};
	driver_start(d, setup ? setup : &usual);
	char path[512];
	snprintf(path, sizeof path, PLUGINS "%s.so", plugin);
	if (!driver_load(d, path)) {
		fail_msg("%s was not loaded: %s", plugin, d->failed.what);
	}
	assert_true(driver_open(d, 1, "faulty", 0, NULL));
	int fd = driver_file(document, sizeof document - 1);
	driver_send_decode(d, 1, fd, 0, UINT64_MAX, false, -1);
	close(fd);
	return driver_take_decode(d, milliseconds);
}

static void dies_by(const char *plugin, int signal) {
	driver d;
	assert_false(run(&d, plugin, NULL, 10000));
	assert_true(d.dead);
	assert_true(WIFSIGNALED(d.status));
	assert_int_equal(WTERMSIG(d.status), signal);
	assert_int_equal(atomic_load(&head_of(&d)->position), BOOM); /* the ring outlives the worker */
	assert_int_equal(atomic_load(&head_of(&d)->assignment), 1);
	driver_finish(&d);
}

static void a_segmentation_fault(void **state) {
	(void)state;
	dies_by("segv", SIGSEGV);
}

static void an_abort(void **state) {
	(void)state;
	dies_by("abort", SIGABRT);
}

static void an_exit(void **state) {
	(void)state;
	driver d;
	assert_false(run(&d, "exit", NULL, 10000));
	assert_true(d.dead);
	assert_true(WIFEXITED(d.status));
	assert_int_equal(WEXITSTATUS(d.status), 0); /* without DONE: that is what tells it from success */
	assert_int_equal(atomic_load(&head_of(&d)->position), BOOM);
	driver_finish(&d);
}

static void an_endless_loop(void **state) {
	(void)state;
	driver d;
	assert_false(run(&d, "loop", NULL, 300));
	assert_false(d.dead);
	uint64_t beat = atomic_load(&head_of(&d)->beat);
	usleep(100000);
	assert_int_equal(atomic_load(&head_of(&d)->beat), beat); /* it makes no progress ... */
	assert_int_equal(atomic_load(&head_of(&d)->state), ENT_WORKER_BUSY);
	assert_int_equal(atomic_load(&head_of(&d)->position), BOOM);
	kill(d.pid, SIGKILL); /* ... and is killed by whoever watches the beat */
	assert_false(driver_take_decode(&d, 10000));
	assert_true(d.dead && WIFSIGNALED(d.status));
	driver_finish(&d);
}

static void memory_without_end(void **state) {
	(void)state;
#if defined(__SANITIZE_ADDRESS__)
	skip(); /* the limit is on address space, of which the sanitizer takes terabytes */
#endif
	driver d;
	driver_setup limited = {.sandbox = ENT_SANDBOX_BEST_EFFORT, .memory = 256u << 20};
	assert_false(run(&d, "nomem", &limited, 10000));
	assert_true(d.dead && WIFSIGNALED(d.status));
	assert_int_equal(atomic_load(&head_of(&d)->position), BOOM);
	driver_finish(&d);
}

static void nonsense_in_the_ring(void **state) {
	(void)state;
	driver d;
	assert_false(run(&d, "scribble", NULL, 10000)); /* the items of the batch in hand were overwritten */
	assert_true(d.torn);
	kill(d.pid, SIGKILL);
	driver_finish(&d);
}

static void not_loaded(const char *plugin, const char *what, const char *also) {
	driver d;
	driver_start(&d, &(driver_setup){.sandbox = ENT_SANDBOX_BEST_EFFORT});
	char path[512];
	snprintf(path, sizeof path, PLUGINS "%s.so", plugin);
	assert_false(driver_load(&d, path));
	assert_false(d.dead);
	assert_int_equal(d.failed.about, ENT_MSG_LOAD);
	if (!strstr(d.failed.what, what) || !strstr(d.failed.what, also)) {
		fail_msg("'%s' has no '%s' or no '%s'", d.failed.what, what, also);
	}
	driver_finish(&d);
}

static void another_major(void **state) {
	(void)state;
	not_loaded("major", "plugin ABI 7.0", "plugin ABI 1.0");
}

static void a_missing_symbol(void **state) {
	(void)state;
	not_loaded("nosymbol", "undefined symbol", "ent_of_no_library");
}

static void no_plugin_at_all(void **state) {
	(void)state;
	not_loaded("noentry", "ent_plugin_entry", "no Entente plugin");
	not_loaded("absent", "absent.so", "No such file");
}

static void copy(const char *from, const char *to) {
	char command[1200];
	snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
	assert_int_equal(system(command), 0);
}

static void load_from(const char *path, bool good, const char *what) {
	driver d;
	driver_start(&d, NULL);
	bool loaded = driver_load(&d, path);
	if (loaded != good) {
		fail_msg("%s: %s", path, loaded ? "loaded" : d.failed.what);
	}
	if (!good && !strstr(d.failed.what, what)) {
		fail_msg("'%s' has no '%s'", d.failed.what, what);
	}
	driver_finish(&d);
}

static void owners_are_checked(void **state) {
	(void)state;
	char folder[] = "/tmp/entente-owner-XXXXXX", file[128], below[128], link[128];
	assert_non_null(mkdtemp(folder)); /* in /tmp, which is sticky: what is ours in it is safe */
	snprintf(below, sizeof below, "%s/below", folder);
	snprintf(file, sizeof file, "%s/below/shop.so", folder);
	snprintf(link, sizeof link, "%s/below/link.so", folder);
	assert_int_equal(mkdir(below, 0755), 0);
	copy(PLUGINS "shop.so", file);
	assert_int_equal(chmod(file, 0755), 0);
	assert_int_equal(symlink("shop.so", link), 0);
	load_from(file, true, "");
	load_from(link, true, ""); /* it is what the link leads to that counts */
	assert_int_equal(chmod(file, 0775), 0);
	load_from(file, false, "its group");
	load_from(link, false, "its group");
	assert_int_equal(chmod(file, 0757), 0);
	load_from(file, false, "everybody");
	assert_int_equal(chmod(file, 0755), 0);
	assert_int_equal(chmod(folder, 0777), 0);
	load_from(file, false, "everybody");
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(chmod(below, 0775), 0);
	load_from(file, false, "its group");
	assert_int_equal(chmod(below, 0755), 0);
	load_from(below, false, "is no file");
	if (geteuid() == 0) {
		assert_int_equal(chown(file, 12345, 12345), 0);
		load_from(file, false, "belongs to user 12345");
		assert_int_equal(chown(file, 0, 0), 0);
		assert_int_equal(chown(below, 12345, 0), 0);
		load_from(file, false, "belongs to user 12345");
	}
	unlink(link);
	unlink(file);
	rmdir(below);
	rmdir(folder);
}

static void the_sandbox_holds(void **state) {
	(void)state;
	driver d;
	assert_true(run(&d, "nosy", NULL, 10000));
	print_message("sandbox reached: %s\n", d.sandbox);
	assert_int_equal(d.cursors, 1);
	if (strstr(d.sandbox, "seccomp")) {
		assert_string_equal(d.cursor, "found=----");
		assert_non_null(strstr(d.log, "sandbox of plugin faulty: seccomp"));
	}
	driver_finish(&d);
	driver_setup off = {.sandbox = ENT_SANDBOX_OFF};
	assert_true(run(&d, "nosy", &off, 10000));
	assert_string_equal(d.sandbox, "off");
	assert_string_equal(d.cursor, "found=rwsp"); /* so the plugin does try */
	driver_finish(&d);
	unlink("/tmp/entente-nosy");
}

static void an_older_kernel(void **state) {
	(void)state;
	driver d;
	driver_setup old = {.sandbox = ENT_SANDBOX_BEST_EFFORT, .old_kernel = true};
	assert_true(run(&d, "nosy", &old, 10000));
	assert_non_null(strstr(d.sandbox, "seccomp, no landlock"));
	assert_string_equal(d.cursor, "found=----"); /* the system calls alone hold, too */
	driver_finish(&d);
	driver_setup required = {.sandbox = ENT_SANDBOX_REQUIRED, .old_kernel = true, .may_fail = true};
	driver_start(&d, &required);
	assert_int_equal(d.failed.about, ENT_MSG_HELLO);
	assert_non_null(strstr(d.failed.what, "seccomp, no landlock"));
	assert_non_null(strstr(d.failed.todo, "best-effort"));
	assert_false(driver_load(&d, PLUGINS "shop.so")); /* and nothing is loaded without it */
	assert_int_equal(d.failed.about, ENT_MSG_LOAD);
	assert_non_null(strstr(d.failed.what, "seccomp, no landlock"));
	driver_finish(&d);
}

static void cplusplus_works_in_the_sandbox(void **state) {
	(void)state;
	driver d;
	driver_start(&d, &(driver_setup){.sandbox = ENT_SANDBOX_BEST_EFFORT});
	if (!driver_load(&d, PLUGINS "two.so")) {
		fail_msg("%s", d.failed.what);
	}
	assert_true(driver_open(&d, 1, "first", 0, NULL));
	assert_true(driver_open(&d, 2, "second", 0, NULL));
	assert_false(driver_open(&d, 3, "third", 0, NULL));
	int fd = driver_file("Name\na\nthrow\na\n", 15);
	assert_true(driver_decode(&d, 2, fd, 0, UINT64_MAX, false, -1));
	assert_true(driver_decode(&d, 1, fd, 0, UINT64_MAX, false, -1));
	close(fd);
	assert_int_equal(d.n_docs, 4);
	assert_string_equal(d.docs[1].key, "a 1.5 2");
	assert_int_equal(d.n_rejects, 2);
	assert_string_equal(d.rejects[0].reason, "thrown");
	assert_string_equal(d.rejects[0].column, "Name");
	assert_int_equal(driver_finish(&d), 0);
}

static void it_ends_with_its_parent(void **state) {
	(void)state;
	driver d;
	assert_false(run(&d, "loop", NULL, 50));
	driver other;
	driver_start(&other, NULL); /* idle: end-of-file on the socket */
	close(other.socket);
	other.socket = dup(0);
	int status;
	assert_int_equal(waitpid(other.pid, &status, 0), other.pid);
	assert_int_equal(status, 0);
	other.dead = true;
	driver_finish(&other);
	kill(d.pid, SIGKILL);
	driver_finish(&d);
	/* a parent other than the one that it was told: it must not stay */
	pid_t child = fork();
	if (!child) {
		execl(ENTENTE_BUILD_DIR "/bin/entente-decoder", "entente-decoder", "1", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Killed without a chance to say goodbye, while the worker is deep in a plugin and reads no socket. */
static void it_dies_with_a_killed_parent(void **state) {
	(void)state;
	int pipes[2], status = 0;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	pid_t core = fork(), worker = 0;
	if (!core) {
		driver d;
		run(&d, "loop", NULL, 50);
		if (write(pipes[1], &d.pid, sizeof d.pid) != sizeof d.pid) {
			_exit(1);
		}
		pause();
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &worker, sizeof worker), sizeof worker);
	kill(core, SIGKILL);
	assert_int_equal(waitpid(core, &status, 0), core);
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segmentation_fault),
		cmocka_unit_test(an_abort),
		cmocka_unit_test(an_exit),
		cmocka_unit_test(an_endless_loop),
		cmocka_unit_test(memory_without_end),
		cmocka_unit_test(nonsense_in_the_ring),
		cmocka_unit_test(another_major),
		cmocka_unit_test(a_missing_symbol),
		cmocka_unit_test(no_plugin_at_all),
		cmocka_unit_test(owners_are_checked),
		cmocka_unit_test(the_sandbox_holds),
		cmocka_unit_test(an_older_kernel),
		cmocka_unit_test(cplusplus_works_in_the_sandbox),
		cmocka_unit_test(it_ends_with_its_parent),
		cmocka_unit_test(it_dies_with_a_killed_parent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
