/* SPDX-License-Identifier: Apache-2.0
 *
 * The core's side of entente-rules, for tests; see driver.h. */
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A filter of our own, under the worker's: the call is answered as an old kernel would. */
static void hide_landlock(void) {
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	if (!f || seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0) || seccomp_load(f)) {
		_exit(126);
	}
}

static void spawn(driver *d, bool landlock) {
	*d = (driver){0};
	int pair[2], errors[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe2(errors, O_CLOEXEC), 0);
	int page = memfd_create("status", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(page, 4096), 0);
	assert_int_equal(fcntl(page, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	d->page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, page, 0);
	assert_ptr_not_equal(d->page, MAP_FAILED);
	char parent[16];
	snprintf(parent, sizeof parent, "%d", (int)getpid());
	d->pid = fork();
	assert_true(d->pid >= 0);
	if (d->pid == 0) {
		/* First out of the way of 3 and 4, then there. */
		int control = fcntl(pair[1], F_DUPFD, 10), status = fcntl(page, F_DUPFD, 10);
		dup2(errors[1], 2);
		dup2(control, ENT_CONTROL_FD);
		dup2(status, 4);
		close(control);
		close(status);
		if (!landlock) {
			hide_landlock();
		}
		execl(ENTENTE_BUILD_DIR "/bin/entente-rules", "entente-rules", parent, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	close(errors[1]);
	close(page);
	d->socket = pair[0];
	d->errors = errors[0];
}

void driver_spawn(driver *d) { spawn(d, true); }

void driver_spawn_without_landlock(driver *d) { spawn(d, false); }

void driver_send(driver *d, const ent_buf *b, int fd) {
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary = {0};
	struct iovec part = {b->data, b->n};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	if (fd >= 0) {
		m.msg_control = ancillary.bytes;
		m.msg_controllen = sizeof ancillary.bytes;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	assert_int_equal(sendmsg(d->socket, &m, MSG_NOSIGNAL), b->n);
}

int driver_receive(driver *d, int seconds) {
	struct pollfd p = {.fd = d->socket, .events = POLLIN};
	if (poll(&p, 1, seconds * 1000) <= 0) {
		return -1;
	}
	d->packet.n = 0;
	ent_buf_reserve(&d->packet, ENT_MSG_MAX);
	ssize_t n = recv(d->socket, d->packet.data, ENT_MSG_MAX, MSG_TRUNC);
	if (n < 4) {
		return 0;
	}
	assert_true(n <= (ssize_t)ENT_MSG_MAX);
	d->packet.n = (size_t)n;
	d->read = ent_read_of(d->packet.data, d->packet.n);
	return (int)ent_read_u32(&d->read);
}

void driver_hello(driver *d, uint32_t version, ent_sandbox sandbox, uint64_t memory, const char *const *folders, const char *venv) {
	ent_buf b = {0};
	uint32_t n = 0;
	while (folders[n]) {
		n++;
	}
	ent_buf_u32(&b, ENT_RULES_HELLO);
	ent_buf_u32(&b, version);
	ent_buf_u8(&b, (uint8_t)sandbox);
	ent_buf_u64(&b, memory);
	ent_buf_u32(&b, n);
	for (uint32_t i = 0; i < n; i++) {
		ent_buf_text(&b, folders[i]);
	}
	ent_buf_text(&b, venv);
	ent_buf_u32(&b, 1);
	ent_buf_text(&b, ENTENTE_SOURCE_DIR "/tests/rules");
	driver_send(d, &b, -1);
	ent_buf_finish(&b);
}

static void copy_text(ent_read *r, char *out, size_t size) {
	size_t n;
	const char *p = ent_read_bytes(r, &n);
	snprintf(out, size, "%.*s", (int)n, p ? p : "");
}

void driver_start(driver *d, ent_sandbox sandbox, uint64_t memory) {
	/* dist-packages is where Debian keeps numpy. */
	const char *folders[] = {ENTENTE_SOURCE_DIR "/tests/rules/package", "/usr/lib/python3/dist-packages", NULL};
	driver_spawn(d);
	driver_hello(d, ENT_RULES_PROTOCOL_VERSION, sandbox, memory, folders, "");
	int type = driver_receive(d, 60);
	if (type != ENT_RULES_READY) {
		char *errors = driver_errors(d, 1);
		fail_msg("not ready but %d: %.*s %s", type, (int)d->packet.n, (const char *)d->packet.data, errors);
	}
	assert_int_equal(ent_read_u32(&d->read), d->pid);
	copy_text(&d->read, d->ready_version, sizeof d->ready_version);
	copy_text(&d->read, d->ready_sandbox, sizeof d->ready_sandbox);
}

static void text_end(ent_buf *b) {
	ent_buf_u8(b, 0);
	b->n--;
}

char *driver_load(driver *d, const char *book) {
	ent_buf b = {0}, json = {0}, out = {0};
	ent_buf_printf(&json, "{\"books\": [\"%s\"], \"settings\": {}, \"import\": []}", book);
	ent_buf_u32(&b, ENT_RULES_LOAD);
	ent_buf_bytes(&b, json.data, json.n);
	driver_send(d, &b, -1);
	ent_buf_finish(&b);
	ent_buf_finish(&json);
	for (bool last = false; !last;) {
		int type = driver_receive(d, 60);
		if (type != ENT_RULES_LOADED) {
			ent_buf_finish(&out);
			return NULL;
		}
		last = ent_read_u8(&d->read);
		size_t n;
		const char *p = ent_read_bytes(&d->read, &n);
		ent_buf_add(&out, p, n);
	}
	text_end(&out);
	return (char *)out.data;
}

void driver_evaluate(driver *d, uint64_t run, const char *rule, int snapshot) {
	ent_buf b = {0}, json = {0};
	ent_buf_printf(&json, "{\"skip\": [], \"only\": {\"rules\": [\"%s\"], \"partners\": []}}", rule);
	ent_buf_u32(&b, ENT_RULES_EVALUATE);
	ent_buf_u64(&b, run);
	ent_buf_bytes(&b, json.data, json.n);
	driver_send(d, &b, snapshot);
	ent_buf_finish(&b);
	ent_buf_finish(&json);
}

char *driver_records(driver *d, int *last) {
	ent_buf out = {0};
	for (;;) {
		int type = driver_receive(d, 60);
		if (type != ENT_RULES_RESULT) {
			*last = type;
			if (type == ENT_RULES_DONE) {
				ent_read_u64(&d->read);
				d->evaluations = ent_read_u64(&d->read);
				d->nanoseconds = ent_read_u64(&d->read);
			}
			break;
		}
		ent_read_u64(&d->read);
		ent_read_u8(&d->read);
		size_t n;
		const char *p = ent_read_bytes(&d->read, &n);
		ent_buf_add(&out, p, n);
	}
	text_end(&out);
	return (char *)out.data;
}

char *driver_errors(driver *d, int seconds) {
	ent_buf out = {0};
	struct pollfd p = {.fd = d->errors, .events = POLLIN};
	while (poll(&p, 1, out.n ? 200 : seconds * 1000) > 0) {
		ent_buf_reserve(&out, 4096);
		ssize_t n = read(d->errors, out.data + out.n, 4096);
		if (n <= 0) {
			break;
		}
		out.n += (size_t)n;
	}
	text_end(&out);
	return (char *)out.data;
}

int driver_wait(driver *d) {
	int status = -1;
	for (int i = 0; i < 600 && d->pid; i++) {
		if (waitpid(d->pid, &status, WNOHANG) == d->pid) {
			d->pid = 0;
			return status;
		}
		usleep(50000);
	}
	fail_msg("the worker does not end");
	return status;
}

void driver_finish(driver *d) {
	if (d->pid) {
		kill(d->pid, SIGKILL);
		waitpid(d->pid, NULL, 0);
	}
	close(d->socket);
	close(d->errors);
	munmap(d->page, 4096);
	ent_buf_finish(&d->packet);
	*d = (driver){0};
}

int driver_memfd(const void *block, size_t bytes, int seals) {
	int fd = memfd_create("snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(fd, block, bytes), bytes);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}
