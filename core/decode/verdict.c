/* SPDX-License-Identifier: Apache-2.0
 *
 * One verdict for each record, counted by the host: rejected if anything about it was rejected, skipped if it was
 * skipped and brought no fact, else consumed. What a record is depends on the frame: a row, a line that is not blank,
 * and for DOCUMENT and BYTES a place that something was said about. One thread. */
#include "decode/worker.h"

#include <stdlib.h>
#include <string.h>

#define LATE_MAX (1u << 17) /* more refused places than that are not remembered one by one */

/* ---- sets of places ---- */

void ent__places_clear(ent__places *s) {
	if (s->n) {
		memset(s->keys, 0, s->capacity * sizeof *s->keys);
		memset(s->bits, 0, s->capacity);
		s->n = 0;
	}
}

void ent__places_finish(ent__places *s) {
	free(s->keys);
	free(s->bits);
	*s = (ent__places){0};
}

static size_t slot_of(const ent__places *s, uint64_t key) {
	size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (s->capacity - 1);
	while (s->keys[i] && s->keys[i] != key) {
		i = (i + 1) & (s->capacity - 1);
	}
	return i;
}

uint8_t ent__places_add(ent__places *s, uint64_t place, uint8_t bits) {
	if (2 * s->n >= s->capacity) {
		ent__places old = *s;
		s->capacity = old.capacity ? old.capacity * 2 : 64;
		s->keys = ent_xcalloc(s->capacity, sizeof *s->keys);
		s->bits = ent_xcalloc(s->capacity, 1);
		for (size_t i = 0; i < old.capacity; i++) {
			if (old.keys[i]) {
				size_t k = slot_of(s, old.keys[i]);
				s->keys[k] = old.keys[i];
				s->bits[k] = old.bits[i];
			}
		}
		free(old.keys);
		free(old.bits);
	}
	size_t i = slot_of(s, place + 1);
	uint8_t before = s->bits[i];
	s->n += !s->keys[i];
	s->keys[i] = place + 1;
	s->bits[i] |= bits;
	return before;
}

/* ---- verdicts ---- */

/* About a record whose verdict was already counted, as consumed: a decoder carries it and only now sees what is wrong.
 */
static void late(ent_ctx *c, uint64_t place, uint8_t bits) {
	ent__run *r = &c->run;
	if (!(bits & (ENT__VERDICT_SKIP | ENT__VERDICT_REJECT)) || r->late.n >= LATE_MAX) {
		return;
	}
	if (!ent__places_add(&r->late, place, bits)) {
		if (bits & ENT__VERDICT_REJECT) {
			ent__batch_rejected_late(&c->worker->batch);
		} else {
			ent__batch_skipped_late(&c->worker->batch);
		}
	}
}

void ent__verdict(ent_ctx *c, uint64_t place, uint8_t bits) {
	ent__run *r = &c->run;
	if (r->frame == ENT_FRAME_DELIMITED) {
		if (!r->in_row || place != r->row_place) {
			late(c, place, bits);
			return;
		}
		r->row_rejected |= (bits & ENT__VERDICT_REJECT) != 0;
		r->row_skipped |= (bits & ENT__VERDICT_SKIP) != 0;
		r->row_has_facts |= (bits & ENT__VERDICT_FACT) != 0;
		return;
	}
	if (r->frame == ENT_FRAME_JSONL) {
		if (place < r->piece_place || place >= r->piece_place + r->piece.n) {
			late(c, place, bits);
			return;
		}
		if (bits == ENT__VERDICT_FACT) { /* the usual case must cost nothing: only a skip asks for it */
			r->last_fact = place;
			if (!r->seen.n) {
				return;
			}
		} else if (bits & ENT__VERDICT_SKIP && place == r->last_fact) {
			bits |= ENT__VERDICT_FACT;
		}
		const char *at = r->piece.p + (place - r->piece_place),
				   *before = memrchr(r->piece.p, '\n', (size_t)(at - r->piece.p));
		place = r->piece_place + (uint64_t)(before ? before + 1 - r->piece.p : 0);
	}
	ent__places_add(&r->seen, place, bits);
}

void ent__verdict_row(ent_ctx *c) {
	ent__run *r = &c->run;
	ent__batch *b = &c->worker->batch;
	if (r->row_rejected) {
		b->rejected++;
		if (r->late.n < LATE_MAX) {
			ent__places_add(&r->late, r->row_place, ENT__VERDICT_REJECT);
		}
	} else if (r->row_skipped && !r->row_has_facts) {
		b->skipped++;
		if (r->late.n < LATE_MAX) {
			ent__places_add(&r->late, r->row_place, ENT__VERDICT_SKIP);
		}
	} else {
		ent__batch_consumed(b, 1);
	}
	r->in_row = r->row_rejected = r->row_skipped = r->row_has_facts = false;
}

static void count_seen(const ent__places *s, uint64_t *rejected, uint64_t *skipped) {
	*rejected = *skipped = 0;
	for (size_t i = 0; s->n && i < s->capacity; i++) {
		if (s->keys[i]) {
			*rejected += (s->bits[i] & ENT__VERDICT_REJECT) != 0;
			*skipped += s->bits[i] == ENT__VERDICT_SKIP;
		}
	}
}

void ent__verdict_lines(ent_ctx *c, uint64_t lines) {
	ent__run *r = &c->run;
	ent__batch *b = &c->worker->batch;
	uint64_t rejected, skipped;
	count_seen(&r->seen, &rejected, &skipped);
	b->rejected += rejected;
	b->skipped += skipped;
	ent__batch_consumed(b, lines - rejected - skipped);
	for (size_t i = 0; r->seen.n && i < r->seen.capacity && r->late.n < LATE_MAX; i++) {
		if (r->seen.keys[i] && r->seen.bits[i] & ENT__VERDICT_REJECT) {
			ent__places_add(&r->late, r->seen.keys[i] - 1, ENT__VERDICT_REJECT);
		}
	}
	ent__places_clear(&r->seen);
	r->last_fact = UINT64_MAX;
}

void ent__verdict_document(ent_ctx *c) {
	uint64_t rejected, skipped;
	count_seen(&c->run.seen, &rejected, &skipped);
	c->worker->batch.rejected += rejected;
	c->worker->batch.skipped += skipped;
	ent__batch_consumed(&c->worker->batch, c->run.seen.n - rejected - skipped);
	ent__places_clear(&c->run.seen);
}
