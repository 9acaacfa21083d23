/* SPDX-License-Identifier: Apache-2.0
 *
 * The log at work: append, read, scan; see ledger.h. The owner's thread; what happens to a full piece is in
 * ledger_write.c. */
#include "facts/ledger_log.h"
#include "base/arena.h"
#include "base/crc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)

int ent__log_new_file(ent_ledger *l, ent_error *e) {
	int status = ent__log_hand_over(l, e);
	if (status) {
		return status;
	}
	uint32_t number = l->last_number + 1;
	char name[32];
	snprintf(name, sizeof name, "%06u.log", number);
	int fd = openat(l->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		return ent__log_fail(l, e, "create", number);
	}
	ENT_GROW(l->files, l->n, l->capacity);
	l->files[l->n++] = (ent__log_file){.number = number, .fd = fd};
	l->last_number = number;
	l->fresh_files = true;
	return 0;
}

uint8_t *ent_ledger_reserve(ent_ledger *l, size_t max, ent_error *e) {
	if (!l->writable || ent__log_failed(l, e)) {
		if (!l->writable) {
			ent_error_set(e, ENT_ERR_INVALID, "%s is open for reading only", l->folder);
		}
		return NULL;
	}
	size_t frame = max + ENT__FRAME_HEAD;
	if (!max || max > ENT_SEGMENT_BYTES - ENT__FRAME_HEAD) {
		ent_error_set(e, ENT_ERR_RANGE, "a frame of %zu bytes does not fit into the ledger", max);
		return NULL;
	}
	if ((!l->n || l->files[l->n - 1].length + frame > ENT_SEGMENT_BYTES) && ent__log_new_file(l, e)) {
		return NULL;
	}
	ent__log_piece *p = &l->pieces[l->filled % ENT__PIECES];
	if (p->n + frame > PIECE && p->n) {
		if (ent__log_hand_over(l, e)) {
			return NULL;
		}
		p = &l->pieces[l->filled % ENT__PIECES];
	}
	if (p->n + frame > p->capacity) {
		p->capacity = frame > PIECE ? frame : PIECE; /* a larger one is rare, and stays */
		p->bytes = ent_xrealloc(p->bytes, p->capacity);
	}
	return p->bytes + p->n + ENT__FRAME_HEAD;
}

ent_position ent_ledger_commit_frame(ent_ledger *l, size_t n) {
	ent__log_file *f = &l->files[l->n - 1];
	ent__log_piece *p = &l->pieces[l->filled % ENT__PIECES];
	uint8_t *at = p->bytes + p->n;
	uint32_t head[2] = {(uint32_t)n, ent_crc32c(at + ENT__FRAME_HEAD, n)};
	memcpy(at, head, sizeof head);
	if (!p->n) {
		p->number = f->number;
		p->fd = f->fd;
		p->at = f->length;
	}
	ent_position position = (uint64_t)f->number << 32 | f->length;
	p->n += n + ENT__FRAME_HEAD;
	f->length += n + ENT__FRAME_HEAD;
	f->frames++;
	f->live += n + ENT__FRAME_HEAD;
	l->dirty += n + ENT__FRAME_HEAD;
	return position;
}

ent_position ent_ledger_append(ent_ledger *l, const void *body, size_t n, ent_error *e) {
	uint8_t *p = ent_ledger_reserve(l, n, e);
	if (!p) {
		return 0;
	}
	memcpy(p, body, n);
	return ent_ledger_commit_frame(l, n);
}

size_t ent__frame_check(const uint8_t *p, uint64_t n) {
	uint32_t head[2];
	if (n < ENT__FRAME_HEAD) {
		return 0;
	}
	memcpy(head, p, sizeof head);
	if (!head[0] || head[0] > n - ENT__FRAME_HEAD || ent_crc32c(p + ENT__FRAME_HEAD, head[0]) != head[1]) {
		return 0;
	}
	return head[0];
}

ent__log_file *ent__log_file_of(const ent_ledger *l, uint32_t number) {
	size_t low = 0, high = l->n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (l->files[middle].number < number) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < l->n && l->files[low].number == number ? &l->files[low] : NULL;
}

/* Bytes [at, at + n) of a file, or as many as there are. -1: error. */
static ssize_t read_at(const ent__log_file *f, uint8_t *p, size_t n, uint64_t at) {
	size_t done = 0;
	while (done < n) {
		ssize_t got = pread(f->fd, p + done, n - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -1;
		}
		if (!got) {
			break;
		}
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static int broken(const ent_ledger *l, ent_position at, ent_error *e) {
	ent_error_set(
		e, ENT_ERR_CORRUPT, "%s/%06u.log: no valid frame at offset %u", l->folder, (uint32_t)(at >> 32), (uint32_t)at);
	ent_error_todo(e, "%s", ENT__LOG_TODO);
	return ENT_ERR_CORRUPT;
}

int ent_ledger_read(ent_ledger *l, ent_position position, ent_buf *out, ent_error *e) {
	out->n = 0;
	const ent__log_file *f = ent__log_file_of(l, (uint32_t)(position >> 32));
	uint64_t at = (uint32_t)position;
	if (!f || at + ENT__FRAME_HEAD >= f->length) {
		return broken(l, position, e);
	}
	for (size_t i = 0; i < ENT__PIECES; i++) { /* what was written lately is still there, too */
		const ent__log_piece *p = &l->pieces[i];
		if (p->n && p->number == f->number && at >= p->at && at < p->at + p->n) {
			size_t n = ent__frame_check(p->bytes + (at - p->at), p->at + p->n - at);
			if (!n) {
				return broken(l, position, e);
			}
			ent_buf_add(out, p->bytes + (at - p->at) + ENT__FRAME_HEAD, n);
			return 0;
		}
	}
	uint64_t written = f->length;
	/* One read covers nearly every document; its rest is read when it is larger. */
	size_t guess = written - at < 1024 ? (size_t)(written - at) : 1024;
	ent_buf_reserve(out, guess);
	ssize_t got = read_at(f, out->data, guess, at);
	uint32_t n = 0;
	if (got >= (ssize_t)ENT__FRAME_HEAD) {
		memcpy(&n, out->data, 4);
		size_t frame = (size_t)n + ENT__FRAME_HEAD;
		if (frame > guess && frame <= written - at) {
			ent_buf_reserve(out, frame);
			ssize_t rest = read_at(f, out->data + got, frame - (size_t)got, at + (uint64_t)got);
			got = rest < 0 ? -1 : got + rest;
		}
	}
	if (got < 0) {
		return ent_error_errno(e, ENT_ERR_IO, "cannot read %s/%06u.log", l->folder, f->number);
	}
	if (!ent__frame_check(out->data, (uint64_t)got)) {
		return broken(l, position, e);
	}
	memmove(out->data, out->data + ENT__FRAME_HEAD, n);
	out->n = n;
	return 0;
}

int ent__log_walk(ent_ledger *l, size_t file, uint64_t length, size_t piece, ent_ledger_visit visit, void *ctx,
	uint64_t *at, bool *damaged, ent_error *e) {
	/* The buffer is taken out of the ledger for as long as the walk lasts: a visitor may walk, too. */
	ent_buf b = l->scan;
	l->scan = (ent_buf){0};
	uint32_t number = l->files[file].number;
	uint64_t start = *at; /* offset of the buffer in the file */
	int status = 0;
	b.n = 0;
	ent_buf_reserve(&b, piece);
	while (!status && *at < length) {
		uint64_t have = start + b.n - *at;
		const uint8_t *p = b.data + (*at - start);
		uint32_t n = 0;
		if (have >= 4) {
			memcpy(&n, p, 4);
		}
		uint64_t frame = (uint64_t)n + ENT__FRAME_HEAD;
		if (have < length - *at && have < frame && frame <= length - *at) { /* the buffer ends within the frame */
			memmove(b.data, p, (size_t)have);
			b.n = (size_t)have;
			start = *at;
			size_t more = frame > piece ? (size_t)frame : piece;
			ent_buf_reserve(&b, more);
			more = length - start - b.n < more - b.n ? (size_t)(length - start - b.n) : more - b.n;
			ssize_t got = read_at(&l->files[file], b.data + b.n, more, start + b.n);
			if (got <= 0) {
				status = got ? ent_error_errno(e, ENT_ERR_IO, "cannot read %s/%06u.log", l->folder, number)
							 : broken(l, (uint64_t)number << 32 | *at, e);
				*damaged = !got;
			} else {
				b.n += (size_t)got;
			}
			continue;
		}
		n = (uint32_t)ent__frame_check(p, have);
		if (!n) {
			status = broken(l, (uint64_t)number << 32 | *at, e);
			*damaged = true;
			break;
		}
		if (visit) {
			status = visit(ctx, (uint64_t)number << 32 | *at, p + ENT__FRAME_HEAD, n);
		}
		if (!status) {
			*at += frame;
		}
	}
	ent_buf_finish(&l->scan);
	l->scan = b;
	return status;
}

void ent__log_damaged(ent_ledger *l, const ent__log_file *f, uint64_t at, ent_error *e) {
	char as[ENT__LOG_NAME];
	ent__log_set_aside(l, f->number, as);
	pthread_mutex_lock(&l->lock);
	ent_error_set(&l->failed, ENT_ERR_CORRUPT, "%s/%06u.log: no valid frame at offset %llu%s%s", l->folder, f->number,
		(unsigned long long)at, as[0] ? "; kept as " : "", as);
	ent_error_todo(&l->failed, "%s", ENT__LOG_TODO);
	atomic_store(&l->broken, true);
	pthread_mutex_unlock(&l->lock);
	ent__log_failed(l, e);
}

int ent_ledger_scan(ent_ledger *l, ent_ledger_visit visit, void *ctx, ent_error *e) {
	return ent_ledger_scan_after(l, NULL, 0, visit, ctx, e);
}

int ent_ledger_scan_after(
	ent_ledger *l, const ent_segment *seen, size_t n, ent_ledger_visit visit, void *ctx, ent_error *e) {
	int status = l->writable ? ent__log_drain(l, e) : 0;
	/* Frames appended by the visitor are not visited: the ends are those of now. */
	size_t files = l->n;
	uint64_t end = files ? l->files[files - 1].length : 0;
	for (size_t i = 0; i < files && !status; i++) {
		uint64_t at = 0, length = i + 1 == files ? end : l->files[i].length;
		for (size_t k = 0; k < n; k++) {
			at = seen[k].number == l->files[i].number ? seen[k].valid : at;
		}
		bool damaged = false;
		posix_fadvise(l->files[i].fd, 0, 0, POSIX_FADV_SEQUENTIAL);
		status = ent__log_walk(l, i, length, ENT__LOG_SCAN, visit, ctx, &at, &damaged, e);
		if (damaged && l->writable) {
			ent__log_damaged(l, &l->files[i], at, e);
		}
	}
	return status;
}
