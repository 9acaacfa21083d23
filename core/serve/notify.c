/* SPDX-License-Identifier: Apache-2.0
 *
 * sd_notify's protocol, see notify.h. The front's thread. */
#include "serve/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"

enum { STATUS_MOST = 240, MESSAGE_MOST = 320, LEAST_WATCH_MS = 1 };

struct ent_notify {
	int fd; /* -1: nobody listens */
	uint64_t watchdog_us;
	char status[STATUS_MOST];
	uv_timer_t timer;
	bool watching;
	bool (*alive)(void *ctx);
	void *ctx;
};

static void tell(const ent_notify *n, const char *lines) {
	if (n && n->fd >= 0) {
		ssize_t sent;
		do {
			sent = send(n->fd, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT);
		} while (sent < 0 && errno == EINTR);
	}
}

/* Path, or a name without a file ("@..."), as systemd in containers gives it. */
static int join_socket(ent_notify *n, const char *name, ent_error *e) {
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t length = strlen(name);
	if ((name[0] != '/' && name[0] != '@') || length < 2 || length >= sizeof to.sun_path) {
		ent_error_set(e, ENT_ERR_INVALID, "NOTIFY_SOCKET is neither a path nor an abstract name: '%.100s'", name);
		return ent_error_todo(e, "let systemd set it, or unset it");
	}
	memcpy(to.sun_path, name, length);
	if (name[0] == '@') {
		to.sun_path[0] = 0;
	}
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n->fd < 0 ||
		connect(n->fd, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length))) {
		return ent_error_errno(e, ENT_ERR_IO, "cannot reach the service manager at %s", name);
	}
	return 0;
}

static uint64_t number_of(const char *text) {
	char *end;
	unsigned long long value = text ? strtoull(text, &end, 10) : 0;
	return text && *text && !*end ? value : 0;
}

int ent_notify_open(ent_notify **out, ent_error *e) {
	const char *name = getenv("NOTIFY_SOCKET"), *pid = getenv("WATCHDOG_PID");
	ent_notify *n = ent_xcalloc(1, sizeof *n);
	int status = 0;
	n->fd = -1;
	*out = NULL;
	if (name && *name) {
		status = join_socket(n, name, e);
		if (!pid || number_of(pid) == (uint64_t)getpid()) { /* else it is meant for whoever started us */
			n->watchdog_us = number_of(getenv("WATCHDOG_USEC"));
		}
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (status) {
		ent_notify_close(n);
		return status;
	}
	*out = n;
	return 0;
}

static void closed(uv_handle_t *timer) {
	ent_notify *n = timer->data;
	if (n->fd >= 0) {
		close(n->fd);
	}
	free(n);
}

void ent_notify_close(ent_notify *n) {
	if (!n) {
		return;
	}
	if (n->watching) {
		uv_close((uv_handle_t *)&n->timer, closed);
		return;
	}
	if (n->fd >= 0) {
		close(n->fd);
	}
	free(n);
}

void ent_notify_status(ent_notify *n, const char *format, ...) {
	char text[STATUS_MOST], lines[MESSAGE_MOST];
	va_list args;
	if (!n) {
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (char *p = text; *p; p++) { /* a newline would begin another assignment */
		*p = (unsigned char)*p < ' ' ? ' ' : *p;
	}
	if (strcmp(text, n->status) != 0) {
		memcpy(n->status, text, sizeof text);
		snprintf(lines, sizeof lines, "STATUS=%s", text);
		tell(n, lines);
	}
}

void ent_notify_ready(ent_notify *n) { tell(n, "READY=1"); }

void ent_notify_reloading(ent_notify *n) {
	struct timespec now;
	char lines[MESSAGE_MOST];
	clock_gettime(CLOCK_MONOTONIC, &now); /* newer managers want to know since when */
	snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	tell(n, lines);
}

void ent_notify_stopping(ent_notify *n) { tell(n, "STOPPING=1"); }

void ent_notify_extend(ent_notify *n, uint64_t microseconds) {
	char lines[MESSAGE_MOST];
	snprintf(lines, sizeof lines, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long)microseconds);
	tell(n, lines);
}

void ent_notify_main_pid(ent_notify *n, long pid) {
	char lines[MESSAGE_MOST];
	snprintf(lines, sizeof lines, "MAINPID=%ld", pid);
	tell(n, lines);
}

static void beat(uv_timer_t *timer) {
	ent_notify *n = timer->data;
	if (n->alive(n->ctx)) {
		tell(n, "WATCHDOG=1");
	}
}

int ent_notify_watch(ent_notify *n, uv_loop_t *loop, bool (*alive)(void *ctx), void *ctx, ent_error *e) {
	if (!n || n->fd < 0 || !n->watchdog_us || n->watching) {
		return 0;
	}
	uint64_t half = n->watchdog_us / 2000;
	n->alive = alive;
	n->ctx = ctx;
	int status = uv_timer_init(loop, &n->timer);
	if (status) {
		return ent_error_set(e, ENT_ERR_IO, "cannot make the watchdog's timer: %s", uv_strerror(status));
	}
	n->watching = true;
	n->timer.data = n;
	uv_timer_start(&n->timer, beat, 0, half < LEAST_WATCH_MS ? LEAST_WATCH_MS : half);
	uv_unref((uv_handle_t *)&n->timer); /* does not keep the loop alive */
	return 0;
}

uint64_t ent_notify_watchdog_us(const ent_notify *n) { return n ? n->watchdog_us : 0; }
