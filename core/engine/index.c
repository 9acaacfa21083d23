/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger's index in memory: loaded when the first document is taken in, and kept in a file for the next time. Loading
 * reads that file and scans only what the log has behind it; without a file it scans the whole log. The file is written
 * when a run is over, by a thread of its own, while findings are judged: nobody touches the index then. It is written
 * anew when a fourth as much lies behind it as it holds, so that the scan costs about as much as reading the file does.
 * Loop thread, but for `keep`. */
#include "engine/internal.h"
#include "facts/index_file.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING = 16, FEW_FRAMES = 16384 };

/* A scan looks at the index a few frames after it has asked for the slot: the index is larger than any cache. */
typedef struct loading {
	ent_engine *e;
	struct waiting {
		uint64_t key;
		ent_position at;
		bool empty;
	} waiting[WAITING];
	uint64_t n;
	ent_buf one, other;
	ent_document first, second;
	ent_error *error;
} loading;

/* Equal 64-bit keys are one key but for a collision, which only the frames themselves can settle. */
static int same_key(loading *l, ent_position a, ent_position b, bool *same) {
	uint64_t items;
	*same = a == b;
	if (*same) {
		return 0;
	}
	if (ent_ledger_read(l->e->ledger, a, &l->one, l->error) || ent_ledger_read(l->e->ledger, b, &l->other, l->error)) {
		return l->error->code;
	}
	if (!ent_document_decode_head(&l->first, l->one.data, l->one.n, &items) ||
		!ent_document_decode_head(&l->second, l->other.data, l->other.n, &items)) {
		return ENT_ERR_CORRUPT;
	}
	*same = ent_document_same_key(&l->first, &l->second);
	return 0;
}

static int settle(loading *l, const struct waiting *w) {
	ent_index *x = l->e->index;
	ent_index_slot slot = 0;
	ent_index_entry *entry = ent_index_find_or_slot(x, w->key, &slot);
	if (!entry) {
		if (!w->empty) {
			ent_index_add_at(x, slot, w->key, w->at);
		}
		return 0;
	}
	for (; entry; entry = ent_index_find(x, w->key, entry)) {
		bool same;
		int status = same_key(l, entry->at, w->at, &same);
		if (status) {
			return status;
		}
		if (same) {
			break;
		}
	}
	if (!entry && !w->empty) {
		ent_index_add(x, w->key, w->at);
	} else if (entry && w->empty) {
		ent_index_remove(x, entry);
	} else if (entry) {
		entry->at = w->at;
	}
	return 0;
}

static int index_frame(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	loading *l = ctx;
	ent_document *d = &l->first;
	uint64_t items;
	if (!ent_document_decode_head(d, body, n, &items)) {
		return ENT_ERR_CORRUPT;
	}
	if (d->superseded) {
		return 0;
	}
	struct waiting *w = &l->waiting[l->n % WAITING], next = {ent_document_index_key(d), at, !items};
	int status = l->n >= WAITING ? settle(l, w) : 0;
	*w = next;
	ent_index_prefetch(l->e->index, w->key);
	l->n++;
	return status;
}

static int scan(ent_engine *e, const ent_segment *seen, size_t n, ent_error *error) {
	loading l = {.e = e, .error = error};
	int status = ent_ledger_scan_after(e->ledger, seen, n, index_frame, &l, error);
	for (uint64_t i = l.n < WAITING ? 0 : l.n - WAITING; i < l.n && !status; i++) {
		status = settle(&l, &l.waiting[i % WAITING]);
	}
	ent_buf_finish(&l.one);
	ent_buf_finish(&l.other);
	ent_document_finish(&l.first);
	ent_document_finish(&l.second);
	if (status == ENT_ERR_CORRUPT && !error->what[0]) {
		ent_error_set(error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
		ent_error_todo(error, "restore the store's folder from a backup, or start a new store from the exports");
	}
	return status;
}

static uint64_t frames_of(const ent_segment *segments, size_t n) {
	uint64_t frames = 0;
	for (size_t i = 0; i < n; i++) {
		frames += segments[i].state == ENT_SEGMENT_LIVE ? segments[i].frames : 0;
	}
	return frames;
}

int ent__index_load(ent_engine *e, ent_error *error) {
	ent__index_join(e);
	if (e->index) {
		return 0;
	}
	size_t n, n_seen;
	ent_segment *seen;
	const ent_segment *segments = ent_ledger_segments(e->ledger, &n);
	*error = (ent_error){0};
	e->index = ent_index_restore(ent_store_folder(e->store), segments, n, &seen, &n_seen);
	e->index_frames = frames_of(seen, n_seen);
	if (!e->index) {
		e->index = ent_index_create(frames_of(segments, n) + 1024);
	}
	int status = scan(e, seen, n_seen, error);
	free(seen);
	return status;
}

/* ---- kept in a file ----------------------------------------------------------------------------------------------------- */

struct ent__index_keeping {
	pthread_t thread;
	char *folder;
	const ent_index *index;
	ent_segment *segments;
	size_t n;
	bool well;
};

static void *keep(void *ctx) {
	struct ent__index_keeping *k = ctx;
	ent_index_save *s;
	ent_error ignored; /* what cannot be written is scanned */
	bool done = false;
	if (!ent_index_save_begin(&s, k->folder, k->segments, k->n, &ignored)) {
		if (!ent_index_save_step(s, k->index, SIZE_MAX, &done, &ignored) && done) {
			k->well = !ent_index_save_finish(s, k->segments, k->n, &ignored);
		} else {
			ent_index_save_abandon(s);
		}
	}
	return NULL;
}

void ent__index_join(ent_engine *e) {
	struct ent__index_keeping *k = e->keeping;
	if (k) {
		pthread_join(k->thread, NULL);
		e->index_frames = k->well ? frames_of(k->segments, k->n) : e->index_frames;
		free(k->folder);
		free(k->segments);
		free(k);
		e->keeping = NULL;
	}
}

void ent__index_keep(ent_engine *e, bool always) {
	size_t n;
	const ent_segment *segments = ent_ledger_segments(e->ledger, &n);
	uint64_t frames = frames_of(segments, n);
	uint64_t behind = frames > e->index_frames ? frames - e->index_frames : 0;
	if (!e->writable || !e->index || e->keeping || e->committing || ent_ledger_dirty(e->ledger) ||
		(!always && (behind < FEW_FRAMES || behind < ent_index_count(e->index) / 4))) {
		return;
	}
	struct ent__index_keeping *k = ent_xcalloc(1, sizeof *k);
	k->folder = ent_xstrdup(ent_store_folder(e->store));
	k->index = e->index;
	k->n = n;
	k->segments = ent_xmalloc(n * sizeof *segments + 1);
	memcpy(k->segments, segments, n * sizeof *segments);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the loop's */
	int error = pthread_create(&k->thread, NULL, keep, k);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error) {
		free(k->folder);
		free(k->segments);
		free(k);
		return;
	}
	e->keeping = k;
}
