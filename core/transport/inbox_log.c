/* SPDX-License-Identifier: Apache-2.0
 *
 * The logs of one source in the inbox: writing what came. An fsync that failed is never tried again: nobody knows then what the
 * disk holds, so the log ends where it was known to be durable, and a new one begins. The writer's thread. */
#include "transport/inbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void ent__log_name(uint32_t number, char out[24]) { snprintf(out, 24, "%08" PRIu32 ".log", number); }

static int write_all(int fd, const uint8_t *p, size_t n, uint64_t at) {
	while (n) {
		ssize_t w = pwrite(fd, p, n, (off_t)at);
		if (w < 0 && errno != EINTR) {
			return -1;
		}
		if (w > 0) {
			p += w;
			n -= (size_t)w;
			at += (uint64_t)w;
		}
	}
	return 0;
}

static int disk_error(ent_error *e, const ent__box *b, const char *what) {
	bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
	ent_error_errno(e, ENT_ERR_IO, "cannot %s the inbox in %s", what, b->path);
	return ent_error_todo(e, full ? "make room; until then nothing is taken in"
								  : "look at the disk and at the permissions of the folder");
}

static int64_t next_arrival(ent__box *b) {
	int64_t now = ent__inbox_now();
	return b->last_us = now > b->last_us ? now : b->last_us + 1;
}

static int open_folder(ent_inbox *x, ent__box *b, ent_error *e) {
	if (b->folder >= 0) {
		return 0;
	}
	if (mkdir(b->path, 0700) && errno != EEXIST) {
		return disk_error(e, b, "make a folder for");
	}
	int above = open(x->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = above < 0 || fsync(above);
	if (above >= 0) {
		close(above);
	}
	b->folder = failed ? -1 : open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return b->folder < 0 ? disk_error(e, b, "open") : 0;
}

int ent__box_begin_log(ent_inbox *x, ent__box *b, ent__log *log, ent_buf *head, ent_error *e) {
	char name[24];
	if (open_folder(x, b, e)) {
		return e->code;
	}
	b->next_log = b->next_log ? b->next_log : 1;
	*log = (ent__log){.number = b->next_log++};
	randombytes_buf(&log->identity, sizeof log->identity);
	ent__log_name(log->number, name);
	int fd = openat(b->folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		return disk_error(e, b, "begin a log of");
	}
	if (b->fd >= 0) {
		close(b->fd);
	}
	b->fd = fd;
	const ent__log *before = b->n_logs ? &b->logs[b->n_logs - 1] : NULL;
	ent_buf body = {0};
	ent_buf_printf(&body, "1 %016" PRIx64 " %" PRIu32 " %" PRIu64 " ", log->identity, before ? before->number : 0,
		before ? before->size : 0);
	if (b->cursor) {
		ent_buf_u8(&body, '+');
		ent__line_escape(&body, b->cursor);
	} else {
		ent_buf_u8(&body, '-');
	}
	log->first_us = log->last_us = next_arrival(b);
	ent__line_put(head, log->first_us, NULL, 'H', body.data, body.n);
	log->head = head->n;
	ent_buf_finish(&body);
	return 0;
}

/* Nothing of what was not durable may be read. A log whose end cannot be trusted is left: the next one says where it ended. */
static void back_out(ent__box *b, const ent__log *log, bool fresh, bool trusted) {
	char name[24];
	if (fresh) {
		ent__log_name(log->number, name);
		unlinkat(b->folder, name, 0);
	}
	bool cut = !fresh && ftruncate(b->fd, (off_t)log->size) == 0;
	if (fresh || !trusted || !cut) {
		close(b->fd);
		b->fd = -1;
	}
}

int ent__box_append(ent_inbox *x, ent__box *b, ent__log *log, bool fresh, const ent_buf *bytes, ent_error *e) {
	if (write_all(b->fd, bytes->data, bytes->n, log->size)) {
		disk_error(e, b, "write to");
		back_out(b, log, fresh, true);
		return e->code;
	}
	if (fdatasync(b->fd) || (fresh && fsync(b->folder))) {
		disk_error(e, b, "sync");
		back_out(b, log, fresh, false);
		return e->code;
	}
	pthread_mutex_lock(&x->lock);
	if (fresh) {
		if (b->n_logs) {
			b->logs[b->n_logs - 1].sealed = true;
		}
		ENT_GROW(b->logs, b->n_logs, b->logs_capacity);
		b->logs[b->n_logs++] = *log;
		log = &b->logs[b->n_logs - 1];
	}
	log->size += bytes->n;
	log->done_us = 0;
	log->last_us = b->last_us;
	b->status.syncs++;
	pthread_mutex_unlock(&x->lock);
	return 0;
}

static int write_document(ent__box *b, ent__put *p, ent__log *log, ent_error *e) {
	snprintf(p->doc_name, sizeof p->doc_name, "%08" PRIu32 "-%06" PRIu32 ".doc%s", log->number, ++log->named, p->suffix);
	randombytes_buf(&p->doc_identity, sizeof p->doc_identity);
	int fd = openat(b->folder, p->doc_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write_all(fd, p->body.data, p->body.n, 0) || fdatasync(fd)) {
		disk_error(e, b, "write to");
		if (fd >= 0) {
			close(fd);
			unlinkat(b->folder, p->doc_name, 0);
		}
		p->doc_name[0] = 0;
		return e->code;
	}
	close(fd);
	return 0;
}

/* The lines of one item; only the last of them has a capital letter. */
static void put_item(ent__box *b, ent__put *p, ent_buf *out) {
	const uint8_t *id = p->has_id ? p->id : NULL;
	ent_read r = ent_read_of(p->body.data, p->body.n);
	for (uint32_t i = 0; i < p->records && !p->document; i++) {
		size_t n;
		const char *body = ent_read_bytes(&r, &n);
		bool last = i + 1 == p->records && !p->cursor;
		ent__line_put(out, next_arrival(b), id, last ? 'R' : 'r', body, n);
	}
	if (p->document) {
		char text[128];
		int n = snprintf(text, sizeof text, "%s %zu %016" PRIx64, p->doc_name, p->body.n, p->doc_identity);
		p->doc_arrived = next_arrival(b);
		ent__line_put(out, p->doc_arrived, id, p->cursor ? 'd' : 'D', text, (size_t)n);
	}
	if (p->cursor) {
		ent_buf text = {0};
		ent__line_escape(&text, p->cursor);
		ent__line_put(out, next_arrival(b), id, 'C', text.data, text.n);
		ent_buf_finish(&text);
	}
}

/* What is durable now counts. */
static void take_item(ent_inbox *x, ent__box *b, ent__log *log, ent__put *p) {
	if (p->document) {
		ENT_GROW(b->docs, b->n_docs, b->docs_capacity);
		ent__doc *d = &b->docs[b->n_docs++];
		*d = (ent__doc){.log = log->number, .size = p->body.n, .identity = p->doc_identity, .arrived_us = p->doc_arrived};
		memcpy(d->name, p->doc_name, sizeof d->name);
		log->documents++;
	} else {
		log->records |= p->records > 0;
	}
	if (p->has_id) {
		ent__ids_add(&b->ids, p->id, b->last_us, (size_t)x->set.ids);
	}
	if (p->cursor) {
		free(b->cursor);
		b->cursor = ent_xstrdup(p->cursor);
	}
	b->status.items++;
	b->status.records += p->records;
	b->status.bytes += p->body.n;
}

/* What was not made durable has its reason. */
static void fail_rest(ent__box *b, int status, const ent_error *e) {
	for (ent__put *p = b->batch; p; p = p->next) {
		if (!p->outcome) {
			p->outcome = status;
			p->error = *e;
			if (p->doc_name[0]) {
				unlinkat(b->folder, p->doc_name, 0);
			}
		}
	}
}

void ent__box_write(ent_inbox *x, ent__box *b) {
	ent__log fresh = {0}, *log = b->n_logs ? &b->logs[b->n_logs - 1] : NULL;
	ent_error e = {0};
	ent_buf *out = &x->buffer;
	bool documents = false, appended = false;
	out->n = 0;
	bool full = log && (log->size >= (uint64_t)x->set.log || ent__inbox_now() - log->first_us >= x->set.age_us);
	pthread_mutex_lock(&x->lock);
	bool roll = b->fd < 0 || !log || full || log->spent;
	pthread_mutex_unlock(&x->lock);
	int status = roll ? ent__box_begin_log(x, b, &fresh, out, &e) : 0;
	bool begun = roll && !status;
	log = roll ? &fresh : log;
	uint64_t before = out->n;
	for (ent__put *p = b->batch; p && !status; p = p->next) {
		if (p->document) {
			p->outcome = write_document(b, p, log, &p->error);
			documents |= !p->outcome;
		}
		if (!p->outcome) {
			put_item(b, p, out);
		}
	}
	if (!status && documents && fsync(b->folder)) { /* the names before the log that names them */
		status = disk_error(&e, b, "sync");
	}
	if (!status && out->n > before) {
		status = ent__box_append(x, b, log, roll, out, &e);
		appended = true;
	}
	if (begun && !appended) {
		back_out(b, &fresh, true, false);
	}
	if (status) {
		fail_rest(b, status, &e);
	}
	pthread_mutex_lock(&x->lock);
	for (ent__put *p = b->batch; p; p = p->next) {
		if (!p->outcome) {
			take_item(x, b, &b->logs[b->n_logs - 1], p);
			b->status.last_us = b->last_us;
		} else {
			b->status.failed++;
		}
	}
	pthread_mutex_unlock(&x->lock);
	if (out->capacity > (8u << 20)) { /* a large batch is rare */
		ent_buf_finish(out);
	}
}
