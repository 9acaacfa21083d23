/* SPDX-License-Identifier: Apache-2.0
 *
 * The log's way to the disk, see ledger.h: pieces that are full are written by a thread of the log's own, which tells
 * the kernel to start with them at once. So neither who appends nor who commits waits for much: the first for a free
 * piece at most, the second for what the disk has not done yet. The thread is started at the first piece; it is the
 * writer of the files, the owner makes and closes them. */
#include "base/arena.h"
#include "facts/ledger_log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int ent__log_fail(ent_ledger *l, ent_error *e, const char *what, uint32_t segment) {
	ent_error now;
	ent_error_errno(&now, ENT_ERR_IO, "cannot %s %s/%06u.log", what, l->folder, segment);
	ent_error_todo(&now, "nothing of this run was committed; run again when the disk is well");
	pthread_mutex_lock(&l->lock);
	if (!l->failed.code) {
		l->failed = now;
		atomic_store(&l->broken, true);
		pthread_cond_broadcast(&l->moved);
	}
	pthread_mutex_unlock(&l->lock);
	return ent__log_failed(l, e);
}

int ent__log_failed(ent_ledger *l, ent_error *e) {
	if (!atomic_load_explicit(&l->broken, memory_order_acquire)) {
		return 0;
	}
	pthread_mutex_lock(&l->lock);
	int code = l->failed.code;
	if (e) {
		*e = l->failed;
	}
	pthread_mutex_unlock(&l->lock);
	return code;
}

static void write_piece(ent_ledger *l, const ent__log_piece *p) {
	for (size_t done = 0; done < p->n;) {
		ssize_t n = pwrite(p->fd, p->bytes + done, p->n - done, (off_t)(p->at + done));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			errno = n ? errno : EIO;
			ent__log_fail(l, NULL, "write", p->number);
			return;
		}
		done += (size_t)n;
	}
	/* Only a start; a file system that cannot do it does all the work in fdatasync. */
	sync_file_range(p->fd, (off_t)p->at, (off_t)p->n, SYNC_FILE_RANGE_WRITE);
}

static void *work(void *ledger) {
	ent_ledger *l = ledger;
	pthread_mutex_lock(&l->lock);
	while (!l->stop) {
		if (l->written == l->handed) {
			pthread_cond_wait(&l->moved, &l->lock);
			continue;
		}
		const ent__log_piece *p = &l->pieces[l->written % ENT__PIECES];
		bool well = !l->failed.code;
		pthread_mutex_unlock(&l->lock);
		if (well) {
			write_piece(l, p);
		}
		pthread_mutex_lock(&l->lock);
		l->written++;
		pthread_cond_broadcast(&l->moved);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

int ent__log_thread(pthread_t *thread, void *(*run)(void *), void *ctx) {
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(thread, NULL, run, ctx);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static int start(ent_ledger *l, ent_error *e) {
	int error = ent__log_thread(&l->writer, work, l);
	if (error) {
		errno = error;
		return ent__log_fail(l, e, "start a thread that writes", l->last_number);
	}
	l->running = true;
	return 0;
}

void ent__log_stop(ent_ledger *l) {
	if (l->running) {
		pthread_mutex_lock(&l->lock);
		l->stop = true;
		pthread_cond_broadcast(&l->moved);
		pthread_mutex_unlock(&l->lock);
		pthread_join(l->writer, NULL);
		l->running = false;
	}
}

int ent__log_hand_over(ent_ledger *l, ent_error *e) {
	int status = ent__log_failed(l, e);
	ent__log_piece *p = &l->pieces[l->filled % ENT__PIECES];
	if (status || !p->n) {
		return status;
	}
	if (!l->running && start(l, e)) {
		return ENT_ERR_IO;
	}
	l->filled++;
	pthread_mutex_lock(&l->lock);
	l->handed = l->filled;
	pthread_cond_broadcast(&l->moved);
	while (l->filled - l->written >= ENT__PIECES) {
		pthread_cond_wait(&l->moved, &l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	l->pieces[l->filled % ENT__PIECES].n = 0;
	return ent__log_failed(l, e);
}

static void wait_for(ent_ledger *l, uint64_t pieces) {
	pthread_mutex_lock(&l->lock);
	while (l->written < pieces) {
		pthread_cond_wait(&l->moved, &l->lock);
	}
	pthread_mutex_unlock(&l->lock);
}

int ent__log_drain(ent_ledger *l, ent_error *e) {
	int status = ent__log_hand_over(l, e);
	if (!status) {
		wait_for(l, l->filled);
		status = ent__log_failed(l, e);
	}
	return status;
}

int ent_ledger_freeze(ent_ledger *l, ent_ledger_mark *out, ent_error *e) {
	*out = (ent_ledger_mark){0};
	int status = ent__log_hand_over(l, e);
	if (status) {
		return status;
	}
	struct ent__log_mark *m = ent_xcalloc(1, sizeof *m + l->n * sizeof m->touched[0]);
	m->pieces = l->filled;
	m->folder = l->fresh_files;
	for (size_t i = 0; i < l->n; i++) {
		ent__log_file *f = &l->files[i];
		if (f->length != f->marked) {
			m->touched[m->n].number = f->number;
			m->touched[m->n++].fd = f->fd;
			f->marked = f->length;
		}
	}
	l->fresh_files = false;
	l->changed = false;
	l->dirty = 0;
	ent__log_table(l);
	out->rest = m;
	out->n = l->table_n;
	out->segments = ent_xmalloc(l->table_n * sizeof *out->segments + 1);
	if (out->n) {
		memcpy(out->segments, l->table, out->n * sizeof *out->segments);
	}
	return 0;
}

int ent_ledger_sync_to(ent_ledger *l, const ent_ledger_mark *mark, ent_error *e) {
	const struct ent__log_mark *m = mark->rest;
	wait_for(l, m->pieces);
	int status = ent__log_failed(l, e);
	for (size_t i = 0; i < m->n && !status; i++) {
		if (fdatasync(m->touched[i].fd)) {
			status = ent__log_fail(l, e, "sync", m->touched[i].number);
		}
	}
	if (!status && m->folder && fsync(l->dir)) {
		status = ent__log_fail(l, e, "sync the folder of", mark->n ? mark->segments[mark->n - 1].number : 0);
	}
	return status;
}

void ent_ledger_mark_finish(ent_ledger_mark *m) {
	free(m->segments);
	free(m->rest);
	*m = (ent_ledger_mark){0};
}

int ent_ledger_sync(ent_ledger *l, ent_error *e) {
	int status = ent__log_failed(l, e);
	if (status || (!l->dirty && !l->changed)) {
		return status;
	}
	ent_ledger_mark m;
	status = ent_ledger_freeze(l, &m, e);
	status = status ? status : ent_ledger_sync_to(l, &m, e);
	ent_ledger_mark_finish(&m);
	return status;
}

const ent_segment *ent_ledger_segments(const ent_ledger *l, size_t *n) {
	*n = l->table_n;
	return l->table;
}

uint64_t ent_ledger_dirty(const ent_ledger *l) { return l->dirty; }
