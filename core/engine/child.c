/* SPDX-License-Identifier: Apache-2.0
 *
 * Worker processes, see child.h. Loop thread only. */
#include "engine/child.h"
#include "base/arena.h"
#include "decode/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STDERR_KEPT = 16 * 1024, FDS_MAX = 40 /* a document with its companions */ };

struct queued {
	struct queued *next;
	ent_buf packet;
	int fds[FDS_MAX];
	unsigned n_fds;
};

struct ent_child {
	uv_process_t process;
	uv_poll_t control;
	uv_pipe_t errors;
	int socket;
	unsigned open_handles; /* handles that still have to close before the memory may go */
	bool exited, errors_done, told, destroyed;
	int64_t status;
	int signal;
	void *shared;
	size_t shared_bytes;
	const ent_child_events *events;
	void *ctx;
	struct queued *queue, **queue_end;
	char text[STDERR_KEPT + 1];
	size_t text_n;
	char chunk[4096];
	uint8_t *packet; /* ENT_MSG_MAX bytes */
};

static void closed(uv_handle_t *handle) {
	ent_child *c = handle->data;
	if (--c->open_handles == 0 && c->destroyed) {
		free(c->packet);
		free(c);
	}
}

static void tell_gone(ent_child *c) {
	if (c->exited && c->errors_done && !c->told) {
		c->told = true;
		if (!c->destroyed) {
			c->events->gone(c->ctx, c, c->status, c->signal);
		}
	}
}

static void receive(ent_child *c) {
	for (;;) {
		struct iovec iov = {c->packet, ENT_MSG_MAX};
		struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n = recvmsg(c->socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n < 0 && (errno == EINTR || errno == ECONNRESET)) {
			continue; /* reset: it left without having read all that it was sent; this is told once, then what it said */
		}
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			return;
		}
		if (n <= 0) {
			uv_poll_stop(&c->control); /* the end of the process tells the rest */
			return;
		}
		ent_read r = ent_read_of(c->packet, (size_t)n);
		uint32_t type = ent_read_u32(&r);
		c->events->message(c->ctx, c, type, &r);
		if (c->destroyed) {
			return;
		}
	}
}

static void child_exited(uv_process_t *process, int64_t status, int signal) {
	ent_child *c = process->data;
	c->exited = true;
	c->status = status;
	c->signal = signal;
	if (!c->destroyed) {
		receive(c); /* what it said before it died counts */
	}
	tell_gone(c);
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
	(void)suggested;
	ent_child *c = handle->data;
	*buf = uv_buf_init(c->chunk, sizeof c->chunk);
}

static void on_errors(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
	ent_child *c = stream->data;
	if (n < 0) {
		c->errors_done = true;
		uv_read_stop(stream);
		tell_gone(c);
		return;
	}
	size_t take = (size_t)n;
	if (c->text_n + take > STDERR_KEPT) {
		size_t drop = c->text_n + take - STDERR_KEPT;
		memmove(c->text, c->text + drop, c->text_n - drop);
		c->text_n -= drop;
	}
	memcpy(c->text + c->text_n, buf->base, take);
	c->text_n += take;
	c->text[c->text_n] = 0;
}

/* 1: sent; 0: the socket is full; -1: the other side is gone. */
static int send_now(ent_child *c, const ent_buf *packet, const int *fds, unsigned n_fds) {
	struct iovec iov = {packet->data, packet->n};
	union {
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	if (n_fds) {
		m.msg_control = control.space;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(h), fds, n_fds * sizeof(int));
	}
	for (;;) {
		ssize_t n = sendmsg(c->socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0) {
			return 1;
		}
		if (errno == EINTR) {
			continue;
		}
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0 : -1;
	}
}

static void drop_queued(struct queued *q) {
	for (unsigned i = 0; i < q->n_fds; i++) {
		close(q->fds[i]);
	}
	ent_buf_finish(&q->packet);
	free(q);
}

static void on_control(uv_poll_t *handle, int status, int events) {
	ent_child *c = handle->data;
	if (status < 0) {
		uv_poll_stop(handle);
		return;
	}
	if (events & UV_WRITABLE) {
		while (c->queue && send_now(c, &c->queue->packet, c->queue->fds, c->queue->n_fds) != 0) {
			struct queued *sent = c->queue;
			c->queue = sent->next;
			drop_queued(sent);
		}
		if (!c->queue) {
			c->queue_end = &c->queue;
			uv_poll_start(handle, UV_READABLE, on_control);
		}
	}
	if (events & UV_READABLE) {
		receive(c);
	}
}

void ent_child_send(ent_child *c, const ent_buf *packet, const int *fds, unsigned n_fds) {
	if (c->exited || (!c->queue && send_now(c, packet, fds, n_fds) != 0)) {
		return;
	}
	struct queued *q = ent_xcalloc(1, sizeof *q);
	ent_buf_add(&q->packet, packet->data, packet->n);
	for (unsigned i = 0; i < n_fds; i++) {
		q->fds[q->n_fds++] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
	}
	*c->queue_end = q;
	c->queue_end = &q->next;
	uv_poll_start(&c->control, UV_READABLE | UV_WRITABLE, on_control);
}

static int make_shared(size_t bytes, ent_error *e) {
	int fd = memfd_create("entente-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, (off_t)bytes) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		ent_error_errno(e, ENT_ERR_IO, "cannot make %zu bytes of shared memory", bytes);
		if (fd >= 0) {
			close(fd);
		}
		return -1;
	}
	return fd;
}

ent_child *ent_child_start(uv_loop_t *loop, const char *program, size_t shared, const ent_child_events *events, void *ctx,
	ent_error *e) {
	int pair[2] = {-1, -1}, memory = make_shared(shared, e);
	if (memory < 0) {
		return NULL;
	}
	ent_child *c = ent_xcalloc(1, sizeof *c);
	c->packet = ent_xmalloc(ENT_MSG_MAX);
	c->events = events;
	c->ctx = ctx;
	c->queue_end = &c->queue;
	c->shared_bytes = shared;
	c->shared = mmap(NULL, shared, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (c->shared == MAP_FAILED) {
		ent_error_errno(e, ENT_ERR_IO, "cannot map %zu bytes of shared memory", shared);
		goto fail;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		ent_error_errno(e, ENT_ERR_IO, "cannot make a control socket");
		goto fail;
	}
	/* room for a good number of batches' notices in flight */
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &(int){1 << 20}, sizeof(int));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &(int){1 << 20}, sizeof(int));
	c->socket = pair[0];
	uv_pipe_init(loop, &c->errors, 0);
	uv_poll_init(loop, &c->control, c->socket);
	c->errors.data = c->control.data = c->process.data = c;
	c->open_handles = 3;
	char pid[24];
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	char *args[] = {(char *)(uintptr_t)program, pid, NULL};
	uv_stdio_container_t stdio[5] = {{.flags = UV_IGNORE}, {.flags = UV_IGNORE},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->errors},
		{.flags = UV_INHERIT_FD, .data.fd = pair[1]}, {.flags = UV_INHERIT_FD, .data.fd = memory}};
	uv_process_options_t options = {.file = program, .args = args, .stdio = stdio, .stdio_count = 5, .exit_cb = child_exited};
	int status = uv_spawn(loop, &c->process, &options);
	close(pair[1]);
	close(memory);
	if (status < 0) {
		ent_error_set(e, ENT_ERR_IO, "cannot start %s: %s", program, uv_strerror(status));
		ent_error_todo(e, "it is installed beside the program `entente`: is the installation whole?");
		c->exited = c->errors_done = c->told = true;
		ent_child_destroy(c);
		return NULL;
	}
	uv_read_start((uv_stream_t *)&c->errors, allocate, on_errors);
	uv_poll_start(&c->control, UV_READABLE, on_control);
	return c;
fail:
	if (c->shared != MAP_FAILED) {
		munmap(c->shared, shared);
	}
	close(memory);
	free(c->packet);
	free(c);
	return NULL;
}

void ent_child_give(ent_child *c, const ent_child_events *events, void *ctx) {
	c->events = events;
	c->ctx = ctx;
}

void *ent_child_shared(const ent_child *c) { return c->shared; }
int ent_child_pid(const ent_child *c) { return c->process.pid; }
bool ent_child_alive(const ent_child *c) { return c && !c->exited; }
const char *ent_child_stderr(const ent_child *c) { return c->text; }

void ent_child_kill(ent_child *c, int signal) {
	if (!c->exited) {
		uv_process_kill(&c->process, signal);
	}
}

void ent_child_destroy(ent_child *c) {
	if (!c || c->destroyed) {
		return;
	}
	c->destroyed = true;
	if (!c->exited) {
		uv_process_kill(&c->process, SIGKILL);
		waitpid(c->process.pid, NULL, 0); /* its handle is closed below: nobody else would reap it */
	}
	while (c->queue) {
		struct queued *q = c->queue;
		c->queue = q->next;
		drop_queued(q);
	}
	uv_poll_stop(&c->control);
	uv_close((uv_handle_t *)&c->control, closed);
	uv_close((uv_handle_t *)&c->errors, closed);
	uv_close((uv_handle_t *)&c->process, closed);
	close(c->socket);
	munmap(c->shared, c->shared_bytes);
	c->shared = NULL;
}
