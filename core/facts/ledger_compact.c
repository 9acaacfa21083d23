/* SPDX-License-Identifier: Apache-2.0
 *
 * What compaction needs of the log, see ledger.h: how much of a segment counts, a walk in steps, and the end of a
 * segment. Which frames count is the engine's business. The owner's thread. */
#include "base/arena.h"
#include "facts/ledger_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP ((size_t)256 << 10) /* read at once */

/* Length of the frame at a position that is known to hold one; 0 if that cannot be read. */
static uint64_t length_at(const ent_ledger *l, const ent__log_file *f, uint64_t at) {
	uint32_t n = 0;
	for (size_t i = 0; i < ENT__PIECES; i++) {
		const ent__log_piece *p = &l->pieces[i];
		if (p->n && p->number == f->number && at >= p->at && at + sizeof n <= p->at + p->n) {
			memcpy(&n, p->bytes + (at - p->at), sizeof n);
			return (uint64_t)n + ENT__FRAME_HEAD;
		}
	}
	return pread(f->fd, &n, sizeof n, (off_t)at) == sizeof n ? (uint64_t)n + ENT__FRAME_HEAD : 0;
}

void ent_ledger_forget(ent_ledger *l, ent_position position) {
	ent__log_file *f = ent__log_file_of(l, (uint32_t)(position >> 32));
	if (f) {
		uint64_t n = length_at(l, f, (uint32_t)position);
		f->live -= n < f->live ? n : f->live;
	}
}

int ent_ledger_walk(ent_ledger *l, uint32_t segment, uint64_t *at, ent_ledger_visit visit, void *ctx, ent_error *e) {
	const ent__log_file *f = ent__log_file_of(l, segment);
	if (!f) {
		return ent_error_set(e, ENT_ERR_NOTFOUND, "the ledger has no segment %06u", segment);
	}
	int status = f == &l->files[l->n - 1] ? ent__log_drain(l, e) : 0;
	bool damaged = false;
	if (!status) {
		status = ent__log_walk(l, (size_t)(f - l->files), f->length, STEP, visit, ctx, at, &damaged, e);
	}
	if (damaged && l->writable) {
		ent__log_damaged(l, ent__log_file_of(l, segment), *at, e);
	}
	return status;
}

int ent_ledger_seal(ent_ledger *l, uint32_t segment, ent_error *e) {
	int status = ent__log_failed(l, e);
	return status || !l->n || l->files[l->n - 1].number != segment ? status : ent__log_new_file(l, e);
}

void ent_ledger_retire(ent_ledger *l, uint32_t segment) {
	ent__log_file *f = ent__log_file_of(l, segment);
	if (f && f != &l->files[l->n - 1]) {
		ENT_GROW(l->retired, l->retired_n, l->retired_capacity);
		l->retired[l->retired_n++] = *f;
		l->n--;
		memmove(f, f + 1, (size_t)(l->files + l->n - f) * sizeof *f);
		l->changed = true;
	}
}

/* Deleting a file of 64 MB may have to wait for the journal of the file system. */
static void *delete_files(void *ledger) {
	ent_ledger *l = ledger;
	for (size_t i = 0; i < l->doomed_n; i++) {
		char name[ENT__LOG_NAME];
		snprintf(name, sizeof name, "%06u.log", l->doomed[i].number);
		unlinkat(l->dir, name, 0); /* one that stays is deleted when the log is opened again */
		close(l->doomed[i].fd);
	}
	return NULL;
}

void ent__log_join_deleting(ent_ledger *l) {
	if (l->deleting) {
		pthread_join(l->deleter, NULL);
		l->deleting = false;
	}
	free(l->doomed);
	l->doomed = NULL;
	l->doomed_n = 0;
}

int ent_ledger_remove_retired(ent_ledger *l, ent_error *e) {
	int status = ent__log_failed(l, e);
	if (status || !l->retired_n) {
		return status;
	}
	ent__log_join_deleting(l);
	l->doomed = l->retired;
	l->doomed_n = l->retired_n;
	l->retired = NULL;
	l->retired_n = l->retired_capacity = 0;
	l->changed = true; /* the next mark need not name them any more */
	l->deleting = !ent__log_thread(&l->deleter, delete_files, l);
	if (!l->deleting) {
		delete_files(l);
	}
	return 0;
}
