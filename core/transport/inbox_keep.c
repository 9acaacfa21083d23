/* SPDX-License-Identifier: Apache-2.0
 *
 * What the inbox keeps, and for how long: logs and documents until they are committed and a while longer, ids of deliveries as
 * long as they are remembered. The newest log always stays: it has the number from which the next one counts, and says where
 * the transport stands. The writer's thread, or while nobody else runs. */
#include "transport/inbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- ids -------------------------------------------------------------------------------------------------------------- */

static void note_idfile(ent__box *b, uint32_t number, int64_t last_us) {
	ENT_GROW(b->idfiles, b->n_idfiles, b->idfiles_capacity);
	b->idfiles[b->n_idfiles++] = (ent__idfile){number, last_us};
}

int ent__box_read_ids(ent_inbox *x, ent__box *b, const char *name, ent_error *e) {
	int fd = openat(b->folder, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int64_t last = 0;
	if (fd < 0 || fstat(fd, &st)) {
		ent_error_errno(e, ENT_ERR_IO, "cannot read %s/%s", b->path, name);
		if (fd >= 0) {
			close(fd);
		}
		return e->code;
	}
	char *bytes = ent_xmalloc((size_t)st.st_size + 1);
	size_t n = 0;
	for (ssize_t got = 1; got > 0 && n < (size_t)st.st_size; n += got > 0 ? (size_t)got : 0) {
		got = read(fd, bytes + n, (size_t)st.st_size - n);
	}
	close(fd);
	ent__line line;
	for (size_t at = 0; at < n; at += line.bytes) {
		bool whole = ent__line_read(bytes + at, n - at, &line);
		if (!line.bytes) {
			break;
		}
		if (whole && line.has_id) {
			ent__ids_add(&b->ids, line.id, line.arrival, (size_t)x->set.ids);
			last = line.arrival;
			b->last_us = last > b->last_us ? last : b->last_us;
		}
	}
	free(bytes);
	note_idfile(b, (uint32_t)strtoul(name, NULL, 10), last);
	return 0;
}

/* The ids that the log holds outlive it. */
static bool save_ids(ent_inbox *x, ent__box *b, const ent__log *log, int64_t now) {
	ent_buf *out = &x->buffer;
	int64_t last = 0;
	out->n = 0;
	for (uint64_t s = b->ids.first; s < b->ids.end; s++) {
		const ent__id *id = &b->ids.ring[s & (b->ids.room - 1)];
		if (id->arrival >= log->first_us && id->arrival <= log->last_us && id->arrival >= now - x->set.remember_us) {
			ent__line_put(out, id->arrival, id->id, 'I', NULL, 0);
			last = id->arrival;
		}
	}
	if (!last) {
		return true;
	}
	char name[24];
	snprintf(name, sizeof name, "%08" PRIu32 ".ids", log->number);
	int fd = openat(b->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good = fd >= 0;
	for (size_t at = 0; good && at < out->n;) {
		ssize_t w = write(fd, out->data + at, out->n - at);
		good = w > 0 || (w < 0 && errno == EINTR);
		at += w > 0 ? (size_t)w : 0;
	}
	good = good && fdatasync(fd) == 0 && fsync(b->folder) == 0;
	if (fd >= 0) {
		close(fd);
	}
	if (good) {
		note_idfile(b, log->number, last);
	}
	return good;
}

static bool forget_ids(ent_inbox *x, ent__box *b, int64_t now) {
	size_t kept = 0;
	for (size_t i = 0; i < b->n_idfiles; i++) {
		if (b->idfiles[i].last_us < now - x->set.remember_us) {
			char name[24];
			snprintf(name, sizeof name, "%08" PRIu32 ".ids", b->idfiles[i].number);
			unlinkat(b->folder, name, 0);
		} else {
			b->idfiles[kept++] = b->idfiles[i];
		}
	}
	b->n_idfiles = kept;
	pthread_mutex_lock(&x->lock);
	ent__ids_forget(&b->ids, now - x->set.remember_us);
	pthread_mutex_unlock(&x->lock);
	return kept > 0;
}

/* ---- logs and documents ----------------------------------------------------------------------------------------------- */

static ent__log *log_of(ent__box *b, uint32_t number) {
	for (size_t i = 0; i < b->n_logs; i++) {
		if (b->logs[i].number == number) {
			return &b->logs[i];
		}
	}
	return NULL;
}

static bool drop_documents(ent_inbox *x, ent__box *b, int64_t now) {
	size_t kept = 0, waiting = 0;
	for (size_t i = 0; i < b->n_docs; i++) {
		pthread_mutex_lock(&x->lock);
		ent__doc d = b->docs[i];
		pthread_mutex_unlock(&x->lock);
		bool gone = d.committed && now - d.done_us >= x->set.keep_us && (!unlinkat(b->folder, d.name, 0) || errno == ENOENT);
		waiting += d.committed && !gone;
		pthread_mutex_lock(&x->lock);
		if (!gone) {
			d = b->docs[i]; /* it may have been committed meanwhile */
			b->docs[kept++] = d;
		} else {
			ent__log *log = log_of(b, d.log);
			log->documents -= log->documents > 0;
		}
		pthread_mutex_unlock(&x->lock);
	}
	pthread_mutex_lock(&x->lock);
	b->n_docs = kept;
	pthread_mutex_unlock(&x->lock);
	return waiting;
}

/* A log as it is now: how much of it is committed changes under the writer's hands. */
static ent__log look(ent_inbox *x, const ent__box *b, size_t i) {
	pthread_mutex_lock(&x->lock);
	ent__log log = b->logs[i];
	pthread_mutex_unlock(&x->lock);
	return log;
}

/* All of it is committed, as far as it holds anything. */
static bool done(const ent__log *log) { return !log->documents && (!log->records || log->committed >= log->size); }

static bool drop_logs(ent_inbox *x, ent__box *b, int64_t now) {
	bool waiting = false;
	for (size_t i = 0; i < b->n_logs;) {
		ent__log log = look(x, b, i);
		char name[24];
		int64_t since = log.records ? log.done_us : log.last_us;
		bool may = log.sealed && done(&log);
		if (!may || now - since < x->set.keep_us || !save_ids(x, b, &log, now)) {
			waiting |= may;
			i++;
			continue;
		}
		snprintf(name, sizeof name, "%08" PRIu32 ".log", log.number);
		unlinkat(b->folder, name, 0);
		pthread_mutex_lock(&x->lock);
		memmove(&b->logs[i], &b->logs[i + 1], (b->n_logs - i - 1) * sizeof *b->logs);
		b->n_logs--;
		pthread_mutex_unlock(&x->lock);
	}
	return waiting;
}

/* A source that nothing comes from any more should not keep its last log for ever. */
static bool seal_old(ent_inbox *x, ent__box *b, int64_t now) {
	ent__log log = b->n_logs ? look(x, b, b->n_logs - 1) : (ent__log){0}, fresh;
	if (log.size <= log.head || !done(&log)) {
		return false;
	}
	if (now - log.first_us >= x->set.age_us) {
		ent_error e = {0};
		x->buffer.n = 0;
		if (!ent__box_begin_log(x, b, &fresh, &x->buffer, &e)) {
			ent__box_append(x, b, &fresh, true, &x->buffer, &e); /* failing, it is tried again with the next item */
		}
	}
	return true;
}

bool ent__box_keep(ent_inbox *x, ent__box *b) {
	if (b->folder < 0) {
		return false;
	}
	int64_t now = ent__inbox_now();
	bool more = drop_documents(x, b, now);
	more |= seal_old(x, b, now);
	more |= drop_logs(x, b, now);
	more |= forget_ids(x, b, now);
	return more;
}

/* ---- for all ---------------------------------------------------------------------------------------------------------- */

uint64_t ent__box_waiting(const ent__box *b) {
	uint64_t bytes = 0;
	for (size_t i = 0; i < b->n_logs; i++) {
		const ent__log *log = &b->logs[i];
		uint64_t from = log->committed > log->head ? log->committed : log->head;
		bytes += log->records && log->size > from ? log->size - from : 0;
	}
	for (size_t i = 0; i < b->n_docs; i++) {
		bytes += b->docs[i].committed ? 0 : b->docs[i].size;
	}
	return bytes;
}

void ent__box_free(ent__box *b) {
	if (b->folder >= 0) {
		close(b->folder);
	}
	if (b->fd >= 0) {
		close(b->fd);
	}
	ent__ids_finish(&b->ids);
	free(b->idfiles);
	free(b->logs);
	free(b->docs);
	free(b->cursor);
	free(b->front_cursor);
	free(b->name);
	free(b->path);
	free(b);
}
