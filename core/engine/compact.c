/* SPDX-License-Identifier: Apache-2.0
 *
 * Compaction: what no longer counts, and is older than `history`, leaves the ledger; segments that hold little of that are
 * left alone. A segment is compacted by taking what is to stay to the end of the log, as if it had come just now: a frame
 * that counts as it is, and its entry in the index follows; one that is history as superseded, with the time until which it
 * counted. So at each moment the log means what it meant before, a commit may fall anywhere, and an interrupted compaction
 * is one that has not been. When nothing leads to a segment any more, one transaction names it dead, and its file goes.
 *
 * All of that in steps of so many frames and so much time, between which facts may be taken in and committed. The disk is
 * waited for by the thread of the commit. Loop thread only. */
#include "engine/compact.h"
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>

enum { CLOCK_EVERY = 32 };

typedef enum phase { CHOOSE, SURVEY, COPY, COMMIT } phase;
typedef enum fate { GOES, STAYS_LIVE, STAYS_SUPERSEDED, STAYS_AS_IT_IS } fate;

struct ent_compact {
	ent_engine *e;
	phase phase;
	unsigned worth; /* hundredths */
	uint32_t *segments; /* that may be worth it, oldest first */
	size_t n, next, capacity;
	uint32_t oldest; /* of all */
	uint64_t at;     /* where the walk through this one stands */
	uint64_t goes;   /* bytes of it that would go */
	uint64_t bytes;  /* in it */
	bool *complete;  /* by input: its document was complete for its days, see complete.c */
	uint32_t n_complete;
	uint64_t rollbacks; /* of the engine, as far as is known here */
	ent_document dead, live;
	ent_buf frame, patched;
	ent_compact_report *report;
	/* of the step under way */
	unsigned left;
	uint64_t until_ns;
	unsigned looked;
	ent_error *error;
};

static int take_complete(void *ctx, const ent_cover *c) {
	ent_compact *x = ctx;
	if (c->complete && c->declared && c->input < x->n_complete) {
		x->complete[c->input] = x->e->inputs[c->input].live;
	}
	return 0;
}

int ent_engine_compact_begin(
	ent_compact **out, ent_engine *e, unsigned worth, ent_compact_report *report, ent_error *error) {
	*out = NULL;
	*report = (ent_compact_report){0};
	int status = ent__index_load(e, error);
	if (status) {
		return status;
	}
	ent_compact *x = ent_xcalloc(1, sizeof *x);
	x->e = e;
	x->report = report;
	x->worth = worth;
	x->rollbacks = e->rollbacks;
	x->n_complete = e->n_inputs;
	x->complete = ent_xcalloc(e->n_inputs + 1u, sizeof *x->complete);
	status = ent__covers_scan(e, take_complete, x, error);
	size_t n;
	const ent_segment *segments = ent_ledger_segments(e->ledger, &n);
	for (size_t i = 0; i < n; i++) {
		const ent_segment *s = &segments[i];
		if (s->state != ENT_SEGMENT_LIVE) {
			continue;
		}
		x->oldest = x->oldest ? x->oldest : s->number;
		report->segments++;
		report->bytes_before += s->valid;
		if ((s->valid - s->live) * 100 >= s->valid * worth && s->valid) {
			ENT_GROW(x->segments, x->n, x->capacity);
			x->segments[x->n++] = s->number;
			report->steps_total += 2 * s->frames;
		}
	}
	report->bytes_after = report->bytes_before;
	if (status) {
		ent_engine_compact_end(x);
		return status;
	}
	*out = x;
	return 0;
}

void ent_engine_compact_end(ent_compact *x) {
	if (x) {
		ent_document_finish(&x->dead);
		ent_document_finish(&x->live);
		ent_buf_finish(&x->frame);
		ent_buf_finish(&x->patched);
		free(x->segments);
		free(x->complete);
		free(x);
	}
}

/* ---- what becomes of a frame --------------------------------------------------------------------------------------------- */

static int64_t newest_arrival(const ent_document *d) {
	int64_t newest = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		newest = d->items[i].arrival > newest ? d->items[i].arrival : newest;
	}
	return newest;
}

/* The document that counts under the key of the dead one, in x->live; *found: there is one. */
static int find_live(ent_compact *x, uint64_t key, bool *found) {
	ent_engine *e = x->e;
	*found = false;
	for (ent_index_entry *y = ent_index_find(e->index, key, NULL); y && !*found; y = ent_index_find(e->index, key, y)) {
		if (ent_ledger_read(e->ledger, y->at, &x->frame, x->error)) {
			return x->error->code;
		}
		if (!ent_document_decode(&x->live, x->frame.data, x->frame.n)) {
			return ent_error_set(x->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
		}
		*found = ent_document_same_key(&x->live, &x->dead);
	}
	return 0;
}

/* Complete documents take back what they lack, and so it must be known for how long they matter that they had a key, even
 * if what they said of it lost: as long as something counts that is older than they are. */
static bool told_by_complete(const ent_compact *x) {
	const ent_engine *e = x->e;
	int64_t oldest = INT64_MAX;
	for (uint32_t i = 0; i < x->live.n; i++) {
		uint32_t input = x->live.items[i].input;
		int64_t snapshot = input < e->n_inputs ? e->inputs[input].snapshot_us : INT64_MIN;
		oldest = snapshot < oldest ? snapshot : oldest;
	}
	for (uint32_t i = 0; i < x->dead.n; i++) {
		uint32_t input = x->dead.items[i].input;
		if (input < x->n_complete && x->complete[input] && e->inputs[input].snapshot_us > oldest) {
			return true;
		}
	}
	return false;
}

/* *until: since when it counts no more. */
static int judge(ent_compact *x, ent_position at, const uint8_t *body, size_t n, fate *out, int64_t *until) {
	ent_engine *e = x->e;
	uint64_t items;
	bool found;
	if (!ent_document_decode_head(&x->dead, body, n, &items)) {
		return ent_error_set(x->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	uint64_t key = ent_document_index_key(&x->dead);
	for (ent_index_entry *y = ent_index_find(e->index, key, NULL); y; y = ent_index_find(e->index, key, y)) {
		if (y->at == at) {
			*out = STAYS_LIVE;
			return 0;
		}
	}
	if (!ent_document_decode(&x->dead, body, n)) {
		return ent_error_set(x->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	int status = find_live(x, key, &found);
	if (status) {
		return status;
	}
	if (!items) { /* the key is gone since: it must be said for as long as an older frame may say otherwise */
		*out = found || (uint32_t)(at >> 32) == x->oldest ? GOES : STAYS_AS_IT_IS;
		return 0;
	}
	if (x->dead.superseded) {
		*until = x->dead.until ? x->dead.until : newest_arrival(&x->dead);
	} else { /* when what counts now came, if not earlier */
		*until = found ? newest_arrival(&x->live) : e->now_us;
	}
	bool old = *until < e->now_us - e->config->history_us;
	*out = old && !(found && told_by_complete(x)) ? GOES : x->dead.superseded ? STAYS_AS_IT_IS : STAYS_SUPERSEDED;
	return 0;
}

enum { PAUSE = 1 };

/* Is the step over? The clock is not asked for each frame. */
static bool enough(ent_compact *x) {
	if (!x->left || (x->looked++ % CLOCK_EVERY == CLOCK_EVERY - 1 && uv_hrtime() >= x->until_ns)) {
		return true;
	}
	x->left--;
	x->report->steps_done++;
	x->report->most_in_step = x->looked > x->report->most_in_step ? x->looked : x->report->most_in_step;
	return false;
}

static int survey(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	ent_compact *x = ctx;
	fate f;
	int64_t until;
	if (enough(x)) {
		return PAUSE;
	}
	int status = judge(x, at, body, n, &f, &until);
	x->goes += !status && f == GOES ? n + 8 : 0;
	x->bytes += n + 8;
	return status;
}

static int copy(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	ent_compact *x = ctx;
	ent_engine *e = x->e;
	fate f;
	int64_t until = 0;
	if (enough(x)) {
		return PAUSE;
	}
	int status = judge(x, at, body, n, &f, &until);
	if (status || f == GOES) {
		return status;
	}
	x->patched.n = 0;
	if (f == STAYS_SUPERSEDED) {
		ent_document_supersede(body, n, until, &x->patched);
		body = x->patched.data;
		n = x->patched.n;
	}
	ent_position to = ent_ledger_append(e->ledger, body, n, x->error);
	if (!to) {
		return x->error->code;
	}
	if (f != STAYS_LIVE) {
		ent_ledger_forget(e->ledger, to);
		return 0;
	}
	uint64_t key = ent_document_index_key(&x->dead);
	ent_index_entry *y = ent_index_find(e->index, key, NULL);
	while (y->at != at) {
		y = ent_index_find(e->index, key, y);
	}
	y->at = to;
	ent_ledger_forget(e->ledger, at);
	return 0;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------- */

/* Nothing leads to the segment any more: one transaction calls it dead. */
static int let_go(ent_compact *x) {
	ent_ledger_retire(x->e->ledger, x->segments[x->next]);
	return ent__commit_begin(x->e, x->error);
}

/* It has, and the file can go. */
static int gone(ent_compact *x) {
	ent_engine *e = x->e;
	int status = ent__commit_wait(e, x->error);
	status = status ? status : ent_ledger_remove_retired(e->ledger, x->error);
	size_t n;
	const ent_segment *s = ent_ledger_segments(e->ledger, &n);
	x->report->bytes_after = x->oldest = 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i].state == ENT_SEGMENT_LIVE) {
			x->oldest = x->oldest ? x->oldest : s[i].number;
			x->report->bytes_after += s[i].valid;
		}
	}
	x->report->compacted += !status;
	x->next++;
	return status;
}

static int walk(ent_compact *x, ent_ledger_visit visit) {
	return ent_ledger_walk(x->e->ledger, x->segments[x->next], &x->at, visit, x, x->error);
}

static bool is_live(const ent_engine *e, uint32_t number) {
	size_t n;
	const ent_segment *s = ent_ledger_segments(e->ledger, &n);
	for (size_t i = 0; i < n; i++) {
		if (s[i].number == number) {
			return s[i].state == ENT_SEGMENT_LIVE;
		}
	}
	return false;
}

int ent_engine_compact_step(ent_compact *x, unsigned frames, uint64_t ns, bool *done, ent_error *error) {
	*done = false;
	/* who writes the index into its file must not see it change */
	int status = x->e->index && !x->e->keeping ? 0 : ent__index_load(x->e, error);
	if (status) {
		return status;
	}
	if (x->rollbacks != x->e->rollbacks) { /* what was copied and not committed is no more: the segment from its start */
		x->rollbacks = x->e->rollbacks;
		x->phase = CHOOSE;
	}
	x->error = error;
	x->left = frames;
	x->looked = 0;
	x->until_ns = uv_hrtime() + ns;
	switch (x->phase) {
	case CHOOSE:
		if (x->next == x->n) {
			*done = true;
			if (x->report->compacted) {
				ent__index_keep(x->e, true);
			}
			break;
		}
		x->at = x->goes = x->bytes = 0;
		if (is_live(x->e, x->segments[x->next])) {
			x->phase = SURVEY;
		} else { /* it was committed as dead before somebody went back */
			x->next++;
		}
		break;
	case SURVEY:
		status = walk(x, survey);
		if (!status && x->goes * 100 < x->bytes * x->worth) {
			x->next++;
			x->phase = CHOOSE;
		} else if (!status) {
			status = ent_ledger_seal(x->e->ledger, x->segments[x->next], error); /* what stays goes elsewhere */
			x->at = 0;
			x->phase = COPY;
		}
		break;
	case COPY:
		status = walk(x, copy);
		if (!status) {
			status = let_go(x);
			x->phase = COMMIT;
		}
		break;
	case COMMIT:
		if (ent__commit_idle(x->e)) {
			status = gone(x);
			x->phase = CHOOSE;
		} else {
			x->report->waits++;
		}
		break;
	}
	return status == PAUSE ? 0 : status;
}

bool ent_engine_compact_waits(const ent_compact *x) { return x->phase == COMMIT; }
