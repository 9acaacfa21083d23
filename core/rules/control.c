/* SPDX-License-Identifier: Apache-2.0
 *
 * The control socket of entente-rules, see protocol.h. One thread, blocking. sendmmsg and recvmsg alone are used: they
 * are what the sandbox leaves open, on this descriptor.
 *
 * Results wait for one another: a packet of its own for each record would wake the core, and put this process to sleep,
 * hundreds of thousands of times. What waits when a rule ends the process is lost, and judged again with the rest. */
#include "base/arena.h"
#include "rules/rules.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t receive(void *data, size_t n, int flags, int *fd) {
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary;
	struct iovec part = {data, n};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	if (fd) {
		m.msg_control = ancillary.bytes;
		m.msg_controllen = sizeof ancillary.bytes;
	}
	ssize_t got;
	do {
		got = recvmsg(ENT_CONTROL_FD, &m, flags | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got >= 0 && fd) {
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
			if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len >= CMSG_LEN(sizeof(int))) {
				memcpy(fd, CMSG_DATA(c), sizeof *fd);
			}
		}
	}
	return got;
}

bool ent__receive(ent__packet *p) {
	p->fd = -1;
	ssize_t n = receive(NULL, 0, MSG_PEEK | MSG_TRUNC, NULL);
	if (n < 4) {
		return false; /* end of file, or a packet without a type: nothing to talk to */
	}
	if (p->capacity < (size_t)n) {
		p->data = ent_xrealloc(p->data, (size_t)n);
		p->capacity = (size_t)n;
	}
	if (receive(p->data, (size_t)n, 0, &p->fd) != n) {
		return false;
	}
	p->read = ent_read_of(p->data, (size_t)n);
	p->type = ent_read_u32(&p->read);
	return true;
}

enum {
	QUEUE_PACKETS = 64,
	QUEUE_BYTES = 49152,
	QUEUE_NS = 20000000, /* a run that takes long shows that it moves */
};

static ent_buf queue;
static size_t queue_ends[QUEUE_PACKETS];
static unsigned queued;
static uint64_t queued_since;

static void flush(void) {
	struct iovec parts[QUEUE_PACKETS];
	struct mmsghdr messages[QUEUE_PACKETS];
	size_t at = 0;
	for (unsigned i = 0; i < queued; i++) {
		parts[i] = (struct iovec){queue.data + at, queue_ends[i] - at};
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
		at = queue_ends[i];
	}
	for (unsigned sent = 0; sent < queued;) {
		int n = sendmmsg(ENT_CONTROL_FD, messages + sent, queued - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR) {
			_exit(0); /* the core is gone: nobody is left to tell */
		}
		sent += n > 0 ? (unsigned)n : 0;
	}
	queued = 0;
	queue.n = 0;
}

static void enqueue(const ent_buf *b) {
	if (!queued) {
		queued_since = ent__monotonic();
	}
	ent_buf_add(&queue, b->data, b->n);
	queue_ends[queued++] = queue.n;
	if (queued == QUEUE_PACKETS || queue.n >= QUEUE_BYTES) {
		flush();
	}
}

void ent__send_waiting(void) {
	if (queued && ent__monotonic() - queued_since >= QUEUE_NS) {
		flush();
	}
}

void ent__send(const ent_buf *b) {
	enqueue(b);
	if (queued) {
		flush();
	}
}

static void stream(ent_rules_msg type, bool with_run, uint64_t run, const char *bytes, size_t n) {
	enum { PART = ENT_MSG_MAX - 64 };
	static ent_buf b;
	size_t at = 0;
	do {
		size_t part = n - at < PART ? n - at : PART;
		b.n = 0;
		ent_buf_u32(&b, type);
		if (with_run) {
			ent_buf_u64(&b, run);
		}
		ent_buf_u8(&b, at + part == n);
		ent_buf_bytes(&b, bytes + at, part);
		enqueue(&b);
		at += part;
	} while (at < n);
}

void ent__send_result(uint64_t run, const char *bytes, size_t n) {
	stream(ENT_RULES_RESULT, true, run, bytes, n);
}

void ent__send_stream(ent_rules_msg type, bool with_run, uint64_t run, const char *bytes, size_t n) {
	stream(type, with_run, run, bytes, n);
	if (queued) {
		flush();
	}
}

void ent__send_failed(uint32_t about, uint64_t run, const ent_error *e) {
	ent_buf b = {0};
	ent_buf_u32(&b, ENT_RULES_FAILED);
	ent_buf_u32(&b, about);
	ent_buf_u64(&b, run);
	ent_buf_text(&b, e->file);
	ent_buf_u32(&b, e->line);
	ent_buf_u32(&b, e->column);
	ent_buf_text(&b, e->what);
	ent_buf_text(&b, e->todo);
	ent__send(&b);
	ent_buf_finish(&b);
}
