/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening the inbox of one source: its logs are read, what a crash left torn is cut off, and what was read so becomes durable, if it
 * was not. Nothing behind the last whole item of a log was ever acknowledged, nor anything behind the end that the next log
 * states. Before the writer's thread runs. */
#include "transport/inbox_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_PIECE = 1 << 20 };

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
	ent__log_name(next, name);
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
	if (got < 0) {
		ent_error_errno(e, ENT_ERR_IO, "cannot read a log of the inbox, %s/%08" PRIu32 ".log", r->box->path, r->log->number);
	}
	return got < 0 ? ENT_ERR_IO : 0;
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
		ent__log_name(log.number, name);
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
