/* SPDX-License-Identifier: Apache-2.0
 *
 * The control socket of entente-decoder, see protocol.h. One thread. */
#include "decode/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

ent__packet *ent__control_receive(void) {
	static uint8_t data[ENT_MSG_MAX];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * ENT__MAX_FDS)];
	} ancillary;
	struct iovec part = {data, sizeof data};
	struct msghdr m = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = ancillary.bytes, .msg_controllen = sizeof ancillary.bytes};
	ssize_t n;
	do {
		n = recvmsg(ENT_CONTROL_FD, &m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 4) {
		return NULL;
	}
	ent__packet *p = ent_xcalloc(1, sizeof *p + (size_t)n);
	memcpy(p->data, data, (size_t)n);
	p->n = (size_t)n;
	p->read = ent_read_of(p->data, p->n);
	p->type = ent_read_u32(&p->read);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			unsigned count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(p->fds, CMSG_DATA(c), count * sizeof(int));
			p->n_fds = count;
		}
	}
	return p;
}

void ent__packet_destroy(ent__packet *p) {
	if (!p) {
		return;
	}
	for (unsigned i = 0; i < p->n_fds; i++) {
		if (p->fds[i] >= 0) {
			close(p->fds[i]);
		}
	}
	free(p);
}

void ent__control_send(const ent_buf *b) {
	ssize_t n;
	do {
		n = send(ENT_CONTROL_FD, b->data, b->n, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		_exit(0); /* the core is gone: nobody is left to tell */
	}
}

void ent__message(ent_buf *b, ent_msg type) {
	b->n = 0;
	ent_buf_u32(b, type);
}

void ent__send_failed(ent_msg about, uint64_t tag, const ent_fault *f) {
	ent_buf b = {0};
	ent__message(&b, ENT_MSG_FAILED);
	ent_buf_u32(&b, about);
	ent_buf_u64(&b, tag);
	ent_buf_u32(&b, (uint32_t)f->e.code);
	ent_buf_u64(&b, f->place);
	ent_buf_u64(&b, f->line);
	ent_buf_text(&b, f->column);
	ent_buf_text(&b, f->e.what);
	ent_buf_text(&b, f->e.todo);
	ent__control_send(&b);
	ent_buf_finish(&b);
}

void ent__send_log(int level, const char *text) {
	ent_buf b = {0};
	ent__message(&b, ENT_MSG_LOG);
	ent_buf_u8(&b, (uint8_t)level);
	ent_buf_text(&b, text);
	ent__control_send(&b);
	ent_buf_finish(&b);
}
