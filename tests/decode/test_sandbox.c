/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plugin can do to the machine: nothing. plugins/escape.c tries, by name, everything that would be worth trying;
 * here each refusal is looked at by its name and reason, with Landlock and without, and without any sandbox, where the
 * same attempts get further: so it is the sandbox that refused them. */
#include "driver.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PLUGINS ENTENTE_BUILD_DIR "/tests/plugins/"

enum {
	EVEN_WITHOUT = 1, /* other things may refuse it as well: the user, the kernel's settings */
	FILES = 2,        /* Landlock alone refuses it */
};

static const struct attempt {
	const char *name;
	int refused; /* errno in the sandbox */
	int flags;
} attempts[] = {
	{"read a file", EPERM, 0},
	{"list a folder", EPERM, 0},
	{"create a file", EPERM, 0},
	{"create a nameless file", EPERM, EVEN_WITHOUT},
	{"remove a file", EPERM, 0},
	{"rename a file", EPERM, 0},
	{"link a file", EPERM, 0},
	{"create a folder", EPERM, 0},
	{"change a mode", EPERM, 0},
	{"truncate a file", EPERM, 0},
	{"ask about a file", EPERM, 0},
	{"ask about a file by a descriptor", EPERM, 0},
	{"read a link", EPERM, 0},
	{"change the folder", EPERM, 0},
	{"watch files", EPERM, 0},
	{"make a network socket", EPERM, 0},
	{"make a local socket", EPERM, 0},
	{"make a pair of sockets", EPERM, 0},
	{"connect", EPERM, 0},
	{"fork", EPERM, 0},
	{"clone", EPERM, 0},
	{"execute", EPERM, 0},
	{"execute a descriptor", EPERM, 0},
	{"trace the parent", EPERM, EVEN_WITHOUT},
	{"read the parent's memory", EPERM, EVEN_WITHOUT},
	{"open the parent's memory", EPERM, EVEN_WITHOUT},
	{"signal the parent", EPERM, 0},
	{"signal all processes", EPERM, 0},
	{"signal a thread of the parent", EPERM, 0},
	{"signal any thread", EPERM, 0},
	{"queue a signal", EPERM, EVEN_WITHOUT},
	{"open a handle of the parent", EPERM, 0},
	{"have the kernel signal the parent", EPERM, 0},
	{"choose the kernel's signal", EPERM, 0},
	{"ask for the kernel's signal", EPERM, 0},
	{"ask for it by ioctl", EPERM, 0},
	{"map memory to execute", EPERM, 0},
	{"make memory executable", EPERM, 0},
	{"make memory executable by a key", EPERM, 0},
	{"make a memory file", EPERM, 0},
	{"make shared memory", EPERM, 0},
	{"set up io_uring", EPERM, EVEN_WITHOUT},
	{"load a kernel program", EPERM, EVEN_WITHOUT},
	{"take page faults", EPERM, EVEN_WITHOUT},
	{"count events", EPERM, EVEN_WITHOUT},
	{"use the kernel's keys", EPERM, EVEN_WITHOUT},
	{"set the user", EPERM, 0},
	{"set the group", EPERM, 0},
	{"set capabilities", EPERM, 0},
	{"outlive the parent", EPERM, 0},
	{"change privileges", EPERM, 0},
	{"change the filter", EPERM, EVEN_WITHOUT},
	{"change Landlock", EPERM, EVEN_WITHOUT},
	{"change the personality", EPERM, 0},
	{"change limits", EPERM, 0},
	{"read limits of the parent", EPERM, 0},
	{"change the priority", EPERM, 0},
	{"leave a namespace", EPERM, 0},
	{"mount", EPERM, EVEN_WITHOUT},
	{"read the service's environment", ENOKEY, EVEN_WITHOUT},
	{"use a descriptor kept from loading", EBADF, 0},
	{"loading: read a file", EACCES, FILES},
	{"loading: create a file", EPERM, 0},
	{"loading: create a nameless file", EPERM, EVEN_WITHOUT},
	{"loading: remove a file", EPERM, 0},
	{"loading: make a network socket", EPERM, 0},
	{"loading: fork", EPERM, 0},
	{"loading: execute", EPERM, 0},
	{"loading: open the parent's memory", EACCES, FILES | EVEN_WITHOUT},
	{"loading: signal the parent", EPERM, 0},
	{"loading: have the kernel signal the parent", EPERM, 0},
	{"loading: outlive the parent", EPERM, 0},
	{"loading: change limits", EPERM, 0},
	{"loading: read the service's environment", ENOKEY, EVEN_WITHOUT},
};

enum { N = sizeof attempts / sizeof *attempts };

/* Tries everything; result[i]: how attempt i was refused, or "succeeded". */
static void try_all(const driver_setup *setup, char result[N][64], char level[128]) {
	driver d;
	ent_buf document = {0};
	ent_buf_printf(&document, "Attempt\n");
	uint64_t places[N];
	for (int i = 0; i < N; i++) {
		places[i] = document.n;
		ent_buf_printf(&document, "%s\n", attempts[i].name);
		snprintf(result[i], 64, "nothing");
	}
	assert_int_equal(setenv("ENTENTE_TEST_SECRET", "never to be seen", 1), 0);
	driver_start(&d, setup);
	if (!driver_load(&d, PLUGINS "escape.so")) {
		fail_msg("%s", d.failed.what);
	}
	assert_true(driver_open(&d, 1, "escape", 0, NULL));
	int fd = driver_file(document.data, document.n);
	assert_true(driver_decode(&d, 1, fd, 0, UINT64_MAX, false, -1));
	close(fd);
	for (int i = 0; i < N; i++) {
		for (size_t k = 0; k < d.n_rejects; k++) {
			if (d.rejects[k].place == places[i]) {
				snprintf(result[i], 64, "%.63s", d.rejects[k].reason);
			}
		}
		for (size_t k = 0; k < d.n_docs; k++) {
			if (!strcmp(d.docs[k].key, attempts[i].name)) {
				snprintf(result[i], 64, "succeeded");
			}
		}
	}
	snprintf(level, 128, "%s", d.sandbox);
	assert_int_equal(driver_finish(&d), 0);
	ent_buf_finish(&document);
}

static void expect(char result[N][64], bool files) {
	int wrong = 0;
	for (int i = 0; i < N; i++) {
		char expected[64];
		snprintf(expected, sizeof expected, "refused: %s", strerrorname_np(attempts[i].refused));
		bool good = !strcmp(result[i], expected) || (!files && attempts[i].flags & FILES);
		print_message("%-45s %s\n", attempts[i].name, result[i]);
		if (!good) {
			print_error("%s: expected '%s'\n", attempts[i].name, expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void nothing_gets_out(void **state) {
	(void)state;
	static char result[N][64];
	char level[128];
	try_all(&(driver_setup){.sandbox = ENT_SANDBOX_BEST_EFFORT}, result, level);
	print_message("sandbox reached: %s\n", level);
	if (!strstr(level, "seccomp")) {
		print_message("skipped: this machine has no seccomp\n");
		skip();
	}
	expect(result, strstr(level, "landlock ") != NULL && strstr(level, "no landlock") == NULL);
}

/* What remains without Landlock: a constructor can read what the user can read, no more. */
static void nothing_gets_out_of_an_older_kernel(void **state) {
	(void)state;
	static char result[N][64];
	char level[128];
	try_all(&(driver_setup){.sandbox = ENT_SANDBOX_BEST_EFFORT, .old_kernel = true}, result, level);
	if (!strstr(level, "seccomp")) {
		print_message("skipped: this machine has no seccomp\n");
		skip();
	}
	assert_non_null(strstr(level, "seccomp, no landlock"));
	expect(result, false);
}

/* Without a sandbox the attempts succeed, or fail for reasons of their own: the names of files that are not there. */
static void the_attempts_are_real(void **state) {
	(void)state;
	static char result[N][64];
	char level[128];
	try_all(&(driver_setup){.sandbox = ENT_SANDBOX_OFF}, result, level);
	assert_string_equal(level, "off");
	for (int i = 0; i < N; i++) {
		char refused[64];
		snprintf(refused, sizeof refused, "refused: %s", strerrorname_np(attempts[i].refused));
		if (!(attempts[i].flags & EVEN_WITHOUT) && !strcmp(result[i], refused)) {
			fail_msg("without a sandbox, too: %s: %s", attempts[i].name, result[i]);
		}
		assert_string_not_equal(result[i], "nothing");
	}
}

static void the_old_door_is_shut(void **state) {
	(void)state;
#if !defined(__x86_64__)
	skip(); /* there is no such door */
#endif
	driver d;
	driver_start(&d, &(driver_setup){.sandbox = ENT_SANDBOX_BEST_EFFORT});
	assert_true(driver_load(&d, PLUGINS "compat.so"));
	assert_true(driver_open(&d, 1, "faulty", 0, NULL));
	int fd = driver_file("Name\nboom\n", 10);
	assert_false(driver_decode(&d, 1, fd, 0, UINT64_MAX, false, -1));
	close(fd);
	assert_true(
		d.dead && WIFSIGNALED(d.status)); /* SIGSYS by the filter, or SIGSEGV where the kernel has no such door */
	assert_true(WTERMSIG(d.status) == SIGSYS || WTERMSIG(d.status) == SIGSEGV);
	driver_finish(&d);
}

/* A plugin's own libraries are found in its folder, and where libraries lie; elsewhere they cannot be read. */
static void libraries_are_found_and_nothing_else(void **state) {
	(void)state;
	driver d;
	driver_start(&d, &(driver_setup){.sandbox = ENT_SANDBOX_BEST_EFFORT});
	bool files = !strstr(d.sandbox, "no landlock");
	bool loaded = driver_load(&d, PLUGINS "far.so");
	if (files) {
		assert_false(loaded);
		assert_non_null(strstr(d.failed.what, "near.so"));
		assert_non_null(strstr(d.failed.todo, "LD_LIBRARY_PATH"));
	} else {
		assert_true(loaded);
	}
	driver_finish(&d);
	assert_int_equal(setenv("LD_LIBRARY_PATH", ENTENTE_BUILD_DIR "/tests/elsewhere", 1), 0);
	driver_start(&d, &(driver_setup){.sandbox = ENT_SANDBOX_BEST_EFFORT});
	if (!driver_load(&d, PLUGINS "far.so")) {
		fail_msg("%s", d.failed.what);
	}
	driver_finish(&d);
	unsetenv("LD_LIBRARY_PATH");
	driver_start(&d, &(driver_setup){.sandbox = ENT_SANDBOX_BEST_EFFORT});
	if (!driver_load(&d, PLUGINS "beside.so")) {
		fail_msg("%s", d.failed.what);
	}
	driver_finish(&d);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_gets_out),
		cmocka_unit_test(nothing_gets_out_of_an_older_kernel),
		cmocka_unit_test(the_attempts_are_real),
		cmocka_unit_test(the_old_door_is_shut),
		cmocka_unit_test(libraries_are_found_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
