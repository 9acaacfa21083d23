/* SPDX-License-Identifier: Apache-2.0
 *
 * The logs of one source in the inbox: reading them after a stop, and writing what came. An fsync that failed is never tried
 * again: nobody knows then what the disk holds, so the log ends where it was known to be durable, and a new one begins. The
 * writer's thread. */
#include "transport/inbox_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_PIECE = 1 << 20 };

static void log_name(uint32_t number, char out[24]) { snprintf(out, 24, "%08" PRIu32 ".log", number); }

/* ---- recovery --------------------------------------------------------------------------------------------------------- */

/* What the items of a log say, while it is read: of an item without its last line nothing counts. */
typedef struct reading {
	ent_inbox *inbox;
	ent__box *box;
	ent__log *log;
	uint64_t at, end; /* of the last whole item */
	uint64_t limit;   /* nothing behind it counts */
	int64_t first_us;
	ent__doc *docs;   /* of the item that is being read */
	size_t n_docs, docs_capacity;
	char *cursor;
	bool records;
} reading;

struct head {
	uint64_t identity;
	uint32_t before;     /* number of the log before this one, */
	uint64_t before_end; /* which ended there, whatever lies behind */
	char *cursor;
};

static void parse_head(ent_str body, struct head *out) {
	char *text = ent_xmalloc(body.n + 1);
	memcpy(text, body.p, body.n);
	text[body.n] = 0;
	int at = 0;
	*out = (struct head){0};
	if (sscanf(text, "1 %16" SCNx64 " %" SCNu32 " %" SCNu64 " %n", &out->identity, &out->before, &out->before_end, &at) >= 3 && at) {
		out->cursor = text[at] == '+' ? ent__line_unescape(text + at + 1, strlen(text + at + 1)) : NULL;
	}
	free(text);
}

static void read_head(reading *r, ent_str body) {
	struct head head;
	parse_head(body, &head);
	r->log->identity = head.identity;
	free(r->cursor);
	r->cursor = head.cursor;
}

/* Where a log ended, as the one behind it says; UINT64_MAX: it does not. */
static uint64_t stated_end(const ent__box *b, uint32_t number, uint32_t next) {
	char name[24], *bytes = ent_xmalloc(READ_PIECE);
	uint64_t end = UINT64_MAX;
	log_name(next, name);
	int fd = openat(b->folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? pread(fd, bytes, READ_PIECE, 0) : -1;
	ent__line line;
	if (got > 0 && ent__line_read(bytes, (size_t)got, &line) && line.kind == 'H') {
		struct head head;
		parse_head(line.body, &head);
		end = head.before == number ? head.before_end : end;
		free(head.cursor);
	}
	if (fd >= 0) {
		close(fd);
	}
	free(bytes);
	return end;
}

static void read_document(reading *r, ent_str body, int64_t arrival) {
	ent__doc d = {.log = r->log->number, .arrived_us = arrival};
	char text[160];
	if (body.n < sizeof text) {
		memcpy(text, body.p, body.n);
		text[body.n] = 0;
		if (sscanf(text, "%63s %" SCNu64 " %16" SCNx64, d.name, &d.size, &d.identity) == 3) {
			ENT_GROW(r->docs, r->n_docs, r->docs_capacity);
			r->docs[r->n_docs++] = d;
		}
	}
}

static void end_item(reading *r, const ent__line *line) {
	ent__box *b = r->box;
	r->end = r->at + line->bytes;
	r->log->records |= r->records;
	r->records = false;
	for (size_t i = 0; i < r->n_docs; i++) {
		r->log->named++;
		struct stat st;
		if (fstatat(b->folder, r->docs[i].name, &st, 0)) {
			continue; /* committed, and deleted */
		}
		ENT_GROW(b->docs, b->n_docs, b->docs_capacity);
		b->docs[b->n_docs++] = r->docs[i];
		r->log->documents++;
	}
	r->n_docs = 0;
	if (line->has_id) {
		ent__ids_add(&b->ids, line->id, line->arrival, (size_t)r->inbox->set.ids);
	}
	b->last_us = line->arrival > b->last_us ? line->arrival : b->last_us;
	r->log->last_us = line->arrival;
	r->log->first_us = r->log->first_us ? r->log->first_us : r->first_us;
	free(b->cursor);
	b->cursor = r->cursor ? ent_xstrdup(r->cursor) : NULL;
}

static void take_line(reading *r, const ent__line *line) {
	r->first_us = r->first_us ? r->first_us : line->arrival;
	switch (line->kind) {
	case 'H':
		read_head(r, line->body);
		r->log->head = line->bytes;
		break;
	case 'r':
		r->records = true;
		break;
	case 'd':
		read_document(r, line->body, line->arrival);
		break;
	case 'c':
		free(r->cursor);
		r->cursor = ent__line_unescape(line->body.p, line->body.n);
		break;
	}
	if (line->last) {
		end_item(r, line);
	}
}

static int read_log(reading *r, int fd, ent_error *e) {
	ent_buf bytes = {0};
	ssize_t got = 1;
	size_t begin = 0;
	while (got > 0) {
		if (begin) {
			memmove(bytes.data, bytes.data + begin, bytes.n - begin);
			bytes.n -= begin;
			begin = 0;
		}
		ent_buf_reserve(&bytes, READ_PIECE);
		got = read(fd, bytes.data + bytes.n, READ_PIECE);
		if (got < 0 && errno == EINTR) {
			got = 1;
			continue;
		}
		bytes.n += got > 0 ? (size_t)got : 0;
		ent__line line;
		for (;;) {
			bool whole = ent__line_read((char *)bytes.data + begin, bytes.n - begin, &line);
			if (!line.bytes || r->at + line.bytes > r->limit) {
				got = line.bytes ? 0 : got;
				break;
			}
			if (whole) { /* one that is not is no end of an item; within the log the decoder's process rejects it */
				take_line(r, &line);
			}
			r->at += line.bytes;
			begin += line.bytes;
		}
	}
	ent_buf_finish(&bytes);
	return got < 0 ? ent_error_errno(e, ENT_ERR_IO, "cannot read a log of the inbox, %s/%08" PRIu32 ".log", r->box->path, r->log->number) : 0;
}

static int by_number(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

struct names {
	uint32_t *logs;
	size_t n_logs, logs_capacity;
	char **others;
	size_t n_others, others_capacity;
};

static int list(ent__box *b, struct names *found, ent_error *e) {
	int copy = fcntl(b->folder, F_DUPFD_CLOEXEC, 0);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	if (!d) {
		return ent_error_errno(e, ENT_ERR_IO, "cannot read the inbox in %s", b->path);
	}
	struct dirent *item;
	while ((item = readdir(d))) {
		uint32_t number;
		int at = 0;
		if (sscanf(item->d_name, "%8" SCNu32 ".log%n", &number, &at) == 1 && at == 12 && !item->d_name[12]) {
			ENT_GROW(found->logs, found->n_logs, found->logs_capacity);
			found->logs[found->n_logs++] = number;
		} else if (item->d_name[0] != '.') {
			ENT_GROW(found->others, found->n_others, found->others_capacity);
			found->others[found->n_others++] = ent_xstrdup(item->d_name);
		}
	}
	closedir(d);
	ENT_SORT(found->logs, found->n_logs, by_number);
	ENT_SORT(found->others, found->n_others, by_name);
	return 0;
}

/* What stands behind the last whole item was never acknowledged. What stands before it may not have been synced yet. */
static int cut(ent_inbox *x, ent__box *b, int fd, ent__log *log, ent_error *e) {
	struct stat st;
	bool longer = !fstat(fd, &st) && (uint64_t)st.st_size > log->size;
	if ((x->front && longer && ftruncate(fd, (off_t)log->size)) || fdatasync(fd)) {
		return ent_error_errno(e, ENT_ERR_IO, "cannot recover the log %s/%08" PRIu32 ".log of the inbox", b->path, log->number);
	}
	return 0;
}

static bool known(const ent__box *b, const char *name) {
	for (size_t i = 0; i < b->n_docs; i++) {
		if (!strcmp(b->docs[i].name, name)) {
			return true;
		}
	}
	return false;
}

int ent__box_recover(ent_inbox *x, ent__box *b, ent_error *e) {
	struct names found = {0};
	b->folder = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = b->folder < 0 ? ent_error_errno(e, ENT_ERR_IO, "cannot open the inbox in %s", b->path) : list(b, &found, e);
	for (size_t i = 0; i < found.n_others && !status; i++) { /* the older ones first */
		if (strlen(found.others[i]) == 12 && !strcmp(found.others[i] + 8, ".ids")) {
			status = ent__box_read_ids(x, b, found.others[i], e);
		}
	}
	for (size_t i = 0; i < found.n_logs && !status; i++) {
		char name[24];
		ent__log log = {.number = found.logs[i]};
		bool newest = i + 1 == found.n_logs;
		reading r = {.inbox = x, .box = b, .log = &log, .limit = UINT64_MAX};
		if (!newest) {
			r.limit = stated_end(b, log.number, found.logs[i + 1]);
		}
		log_name(log.number, name);
		int fd = openat(b->folder, name, (x->front ? O_RDWR : O_RDONLY) | O_CLOEXEC);
		status = fd < 0 ? ent_error_errno(e, ENT_ERR_IO, "cannot open %s/%s", b->path, name) : read_log(&r, fd, e);
		log.size = r.end;
		b->next_log = log.number + 1;
		if (!status && r.limit == UINT64_MAX) {
			status = cut(x, b, fd, &log, e);
		}
		if (!status && log.size) {
			if (b->n_logs) {
				b->logs[b->n_logs - 1].sealed = true;
			}
			ENT_GROW(b->logs, b->n_logs, b->logs_capacity);
			b->logs[b->n_logs++] = log;
		}
		if (!status && newest && log.size && x->front) {
			b->fd = fd;
		} else if (fd >= 0) {
			close(fd);
			if (!status && !log.size && x->front) {
				unlinkat(b->folder, name, 0); /* a new one of which nothing was durable */
			}
		}
		free(r.docs);
		free(r.cursor);
	}
	for (size_t i = 0; i < found.n_others; i++) {
		if (x->front && !status && strstr(found.others[i], ".doc") && !known(b, found.others[i])) {
			unlinkat(b->folder, found.others[i], 0); /* no log names it: it was never acknowledged, or is committed */
		}
		free(found.others[i]);
	}
	free(found.others);
	free(found.logs);
	return status;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

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
	return ent_error_todo(e, full ? "make room; until then nothing is taken in" : "look at the disk and at the permissions of the folder");
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
	log_name(log->number, name);
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
		log_name(log->number, name);
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
