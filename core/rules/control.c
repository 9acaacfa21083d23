/* SPDX-License-Identifier: Apache-2.0
 *
 * The control socket of entente-rules, see protocol.h. One thread, blocking. sendmmsg and recvmsg alone are used: they
 * are what the sandbox leaves open, on this descriptor.
 *
 * Results wait for one another, and travel together: a packet of its own for each record would cost more than the rule,
 * and wake the core hundreds of thousands of times. What waits when a rule ends the process is lost, and judged again with
 * the rest. */
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
	PART = ENT_MSG_MAX - 64,
	RESULTS_BYTES = 48 * 1024,
	RESULTS_NS = 20000000, /* a run that takes long shows that it moves */
};

static void send_packet(const ent_buf *b) {
	struct iovec part = {b->data, b->n};
	struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
	int n;
	do {
		n = sendmmsg(ENT_CONTROL_FD, &message, 1, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		_exit(0); /* the core is gone: nobody is left to tell */
	}
}

static void stream(ent_rules_msg type, bool with_run, uint64_t run, const char *bytes, size_t n) {
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
		send_packet(&b);
		at += part;
	} while (at < n);
}

static ent_buf results; /* records of one run, each followed by a newline */
static uint64_t results_run, results_since;

static void send_results(void) {
	if (results.n) {
		stream(ENT_RULES_RESULT, true, results_run, (const char *)results.data, results.n);
		results.n = 0;
	}
}

void ent__send_waiting(void) {
	if (results.n && ent__monotonic() - results_since >= RESULTS_NS) {
		send_results();
	}
}

void ent__send(const ent_buf *b) {
	send_results();
	send_packet(b);
}

void ent__send_result(uint64_t run, const char *bytes, size_t n) {
	if (!results.n) {
		results_since = ent__monotonic();
		results_run = run;
	}
	ent_buf_add(&results, bytes, n);
	ent_buf_u8(&results, '\n');
	if (results.n >= RESULTS_BYTES) {
		send_results();
	}
}

void ent__send_stream(ent_rules_msg type, bool with_run, uint64_t run, const char *bytes, size_t n) {
	send_results();
	stream(type, with_run, run, bytes, n);
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
