/* SPDX-License-Identifier: Apache-2.0
 *
 * What the service manager is told, against a socket as it has one: by path and without a file, the watchdog only while
 * there is progress, nothing left in the environment for workers. */
#include "serve/notify.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

enum { PATIENCE_MS = 60000 };

static int manager = -1;
static char place[64], got[512];

static void listen_at(const char *name) {
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	memcpy(at.sun_path, name, strlen(name));
	if (name[0] == '@') {
		at.sun_path[0] = 0;
	}
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(manager >= 0);
	assert_int_equal(
		bind(manager, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

/* The next datagram, waited for. */
static const char *told(void) {
	struct pollfd p = {.fd = manager, .events = POLLIN};
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	ssize_t n = recv(manager, got, sizeof got - 1, 0);
	assert_true(n > 0);
	got[n] = 0;
	return got;
}

static bool silent(void) {
	struct pollfd p = {.fd = manager, .events = POLLIN};
	return poll(&p, 1, 0) == 0;
}

static int begin(void **state) {
	(void)state;
	snprintf(place, sizeof place, "/tmp/test_notify.%ld", (long)getpid());
	unlink(place);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static int end(void **state) {
	(void)state;
	close(manager);
	unlink(place);
	return 0;
}

static void says_everything(ent_notify *n) {
	ent_notify_status(n, "reading %d files\nREADY=1", 3);
	assert_string_equal(told(), "STATUS=reading 3 files READY=1");
	ent_notify_status(n, "reading %d files READY=1", 3);
	ent_notify_ready(n);
	assert_string_equal(told(), "READY=1"); /* the same state is not said twice */
	ent_notify_reloading(n);
	assert_memory_equal(told(), "RELOADING=1\nMONOTONIC_USEC=", 27);
	assert_true(strtoull(got + 27, NULL, 10) > 1000);
	ent_notify_stopping(n);
	assert_string_equal(told(), "STOPPING=1");
	ent_notify_extend(n, 30000000);
	assert_string_equal(told(), "EXTEND_TIMEOUT_USEC=30000000");
	ent_notify_main_pid(n, 4711);
	assert_string_equal(told(), "MAINPID=4711");
	char longer[1000];
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = 0;
	ent_notify_status(n, "%s", longer);
	assert_true(strlen(told()) < 300);
}

static void by_path(void **state) {
	(void)state;
	ent_notify *n;
	ent_error e = {0};
	listen_at(place);
	assert_int_equal(ent_notify_open(&n, &e), 0);
	assert_null(getenv("NOTIFY_SOCKET"));
	says_everything(n);
	ent_notify_close(n);
}

static void without_a_file(void **state) {
	(void)state;
	char name[64];
	ent_notify *n;
	ent_error e = {0};
	snprintf(name, sizeof name, "@entente/test_notify/%ld", (long)getpid());
	listen_at(name);
	assert_int_equal(ent_notify_open(&n, &e), 0);
	says_everything(n);
	ent_notify_close(n);
}

static void nobody_asked(void **state) {
	(void)state;
	ent_notify *n;
	ent_error e = {0};
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(ent_notify_open(&n, &e), 0);
	ent_notify_ready(n);
	ent_notify_status(n, "x");
	assert_int_equal(ent_notify_watchdog_us(n), 0);
	assert_int_equal(ent_notify_watch(n, NULL, NULL, NULL, &e), 0);
	ent_notify_close(n);
	ent_notify_ready(NULL);
	ent_notify_status(NULL, "x");
	ent_notify_close(NULL);
}

static void wrong(void **state) {
	(void)state;
	ent_notify *n;
	ent_error e = {0};
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_int_equal(ent_notify_open(&n, &e), ENT_ERR_INVALID);
	assert_null(n);
	assert_non_null(strstr(e.what, "vsock:2:1234"));
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	assert_int_equal(ent_notify_open(&n, &e), ENT_ERR_IO);
	assert_non_null(strstr(e.what, "/nowhere/at/all"));
}

/* A manager that does not read: the service must not stand still. */
static void full(void **state) {
	(void)state;
	ent_notify *n;
	ent_error e = {0};
	listen_at(place);
	assert_int_equal(ent_notify_open(&n, &e), 0);
	for (int i = 0; i < 100000; i++) {
		ent_notify_ready(n);
	}
	assert_string_equal(told(), "READY=1");
	ent_notify_close(n);
}

typedef struct watched {
	uv_loop_t loop;
	uv_timer_t ends;
	ent_notify *n;
	unsigned asked, alive_until;
} watched;

static bool alive(void *ctx) {
	watched *w = ctx;
	w->asked++;
	if (w->asked == w->alive_until + 3) { /* it was asked thrice more, and said no */
		uv_stop(&w->loop);
	}
	return w->asked <= w->alive_until;
}

static void give_up(uv_timer_t *t) {
	(void)t;
	fail_msg("the watchdog was not asked in time");
}

static void watchdog(void **state) {
	(void)state;
	ent_error e = {0};
	watched w = {.alive_until = 4};
	listen_at(place);
	setenv("WATCHDOG_USEC", "20000", 1);
	char pid[32];
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(uv_loop_init(&w.loop), 0);
	assert_int_equal(ent_notify_open(&w.n, &e), 0);
	assert_null(getenv("WATCHDOG_USEC"));
	assert_int_equal(ent_notify_watchdog_us(w.n), 20000);
	assert_int_equal(ent_notify_watch(w.n, &w.loop, alive, &w, &e), 0);
	uv_timer_init(&w.loop, &w.ends);
	uv_timer_start(&w.ends, give_up, PATIENCE_MS, 0);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < w.alive_until; i++) {
		assert_string_equal(told(), "WATCHDOG=1");
	}
	assert_true(silent());
	ent_notify_close(w.n);
	uv_close((uv_handle_t *)&w.ends, NULL);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w.loop), 0);
	/* meant for another process */
	setenv("NOTIFY_SOCKET", place, 1);
	setenv("WATCHDOG_USEC", "20000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(ent_notify_open(&w.n, &e), 0);
	assert_int_equal(ent_notify_watchdog_us(w.n), 0);
	ent_notify_close(w.n);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_path, begin, end),
		cmocka_unit_test_setup_teardown(without_a_file, begin, end),
		cmocka_unit_test_setup_teardown(nobody_asked, begin, end),
		cmocka_unit_test_setup_teardown(wrong, begin, end),
		cmocka_unit_test_setup_teardown(full, begin, end),
		cmocka_unit_test_setup_teardown(watchdog, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
