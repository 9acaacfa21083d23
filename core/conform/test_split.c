/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of how an input comes: in memory that is lent, in pieces, with a stop between, in ranges that are decoded
 * apart. */
#include "conform/merge.h"
#include "conform/tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool in_pieces(ent__check *k, const ent__case *c) {
	if (c->decoder->frame == ENT_FRAME_BYTES || c->decoder->frame == ENT_FRAME_JSONL) {
		return true;
	}
	ent__check_skip(k, "no decoder here is given pieces: rows, and whole documents, are not split");
	return false;
}

/* ---- lent memory
 * ------------------------------------------------------------------------------------------------------ */

void ent__test_borrowed(ent__check *k, const ent__case *c) {
	char *want = ent__expected(k, c, NULL);
	ent__trial *t = want ? ent__open(k, c) : NULL;
	if (t) {
		ent__doing(c, "decoding it, with what was lent overwritten after each call");
		t->manner.poison = true;
		ent__check_ran(k);
		ent__trial_decode(t, c->bytes, c->n);
		ent__check_same(k, c, want, ent__trial_text(t),
			"copy what is needed after the call that brought it: strings are borrowed until it returns",
			"what was lent is overwritten when a call returns");
	}
	ent__trial_close(t);
	free(want);
}

/* ---- pieces
 * ------------------------------------------------------------------------------------------------------------ */

#define CARRY "carry what a piece leaves unfinished to the next one, and count places over all pieces"

/* The places where it is split: after every byte, or after every line. */
static size_t *places(const ent__case *c, size_t n, size_t *count) {
	size_t *at = ent_xmalloc((n + 1) * sizeof *at);
	*count = 0;
	for (size_t i = 1; i < n; i++) {
		if (c->decoder->frame == ENT_FRAME_BYTES || c->bytes[i - 1] == '\n') {
			at[(*count)++] = i;
		}
	}
	return at;
}

void ent__test_splits(ent__check *k, const ent__case *c) {
	ent__case part = *c;
	if (!in_pieces(k, c)) {
		return;
	}
	part.n = ent__small(c);
	char *want = ent__expected(k, &part, NULL);
	ent__trial *t = want ? ent__open(k, c) : NULL;
	size_t n, i, *at = places(c, part.n, &n);
	bool good = t != NULL;
	for (ent__sample s = ent__sample_of(n, ent__runs(part.n, 400)); good && ent__sample_next(&s, &i);) {
		const size_t cuts[] = {at[i], SIZE_MAX};
		char how[64];
		snprintf(how, sizeof how, "split in two at byte %zu", at[i]);
		ent__doing(c, "decoding it, %s", how);
		t->manner = (ent__manner){.poison = true, .cuts = cuts};
		ent__check_ran(k);
		ent__trial_decode(t, part.bytes, part.n);
		good = ent__check_same(k, c, want, ent__trial_text(t), CARRY, how);
	}
	if (good && !n) {
		ent__check_ran(k); /* one byte, or one line: there is no way to split it */
	}
	ent__trial_close(t);
	free(at);
	free(want);
}

void ent__test_pieces(ent__check *k, const ent__case *c) {
	enum { ROUNDS = 60 };
	ent__case part = *c;
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
	if (!in_pieces(k, c)) {
		return;
	}
	part.n = ent__small(c);
	char *want = ent__expected(k, &part, NULL);
	ent__trial *t = want ? ent__open(k, c) : NULL;
	size_t rounds = ent__runs(part.n * 8, ROUNDS), *cuts = ent_xmalloc((part.n + 2) * sizeof *cuts);
	bool good = t != NULL;
	for (size_t round = 0; round < rounds && good; round++) {
		size_t longest = round < 3 ? round + 1 : ent__random(&seed, (size_t)1 << (1 + round % 12)) + 2, n = 0;
		for (size_t at = 0; at < part.n;) { /* round 0: every byte or line is a piece of its own */
			at += round < 3 ? longest : 1 + ent__random(&seed, longest);
			cuts[n++] = at;
		}
		cuts[n] = SIZE_MAX;
		char how[96];
		snprintf(
			how, sizeof how, "in pieces of at most %zu byte%s (round %zu)", longest, longest == 1 ? "" : "s", round);
		ent__doing(c, "decoding it %s", how);
		t->manner = (ent__manner){.poison = true, .cuts = cuts};
		ent__check_ran(k);
		ent__trial_decode(t, part.bytes, part.n);
		good = ent__check_same(k, c, want, ent__trial_text(t), CARRY, how);
	}
	ent__trial_close(t);
	free(cuts);
	free(want);
}

/* ---- state
 * ------------------------------------------------------------------------------------------------------------- */

void ent__test_state(ent__check *k, const ent__case *c) {
	ent__case part = *c;
	const ent_decoder *d = c->decoder;
	if (!d->save || d->frame == ENT_FRAME_DOCUMENT) {
		ent__check_skip(k, "no decoder here has save() and load()");
		return;
	}
	part.n = ent__small(c);
	char *want = ent__expected(k, &part, NULL);
	ent__trial *t = want ? ent__open(k, c) : NULL;
	size_t n = 1, i, *at = d->frame == ENT_FRAME_DELIMITED ? NULL : places(c, part.n, &n);
	bool good = t != NULL;
	for (ent__sample s = ent__sample_of(n, ent__runs(part.n, 400)); good && ent__sample_next(&s, &i);) {
		const size_t cuts[] = {at ? at[i] : SIZE_MAX, SIZE_MAX};
		char how[96] = "saved and loaded after every row";
		if (at) {
			snprintf(how, sizeof how, "saved at byte %zu, and loaded by another instance", at[i]);
		}
		ent__doing(c, "decoding it, %s", how);
		t->manner = (ent__manner){.poison = true, .cuts = at ? cuts : NULL, .resume = true};
		ent__check_ran(k);
		ent__trial_decode(t, part.bytes, part.n);
		good = ent__check_same(k, c, want, ent__trial_text(t),
			"save() writes all that a later record depends on; load() comes after create() and begin()", how);
	}
	ent__trial_close(t);
	free(at);
	free(want);
}

/* ---- ranges
 * ------------------------------------------------------------------------------------------------------------ */

#define ASK_STARTS                                                                                                     \
	"starts() may say yes only where nothing of earlier rows is needed; for JSON lines nothing may be decided from "   \
	"the "                                                                                                             \
	"first line"

/* Decodes the document that was given in ranges of `size` bytes, as the core does: where a range did not begin where
 * the one before it ended, it is decoded again from there. false: a range failed. */
static bool in_ranges(ent__trial *t, ent__merge *m, uint64_t n, uint64_t first, uint64_t size) {
	uint64_t border = 0, end;
	bool good = true;
	ent__trial_forget(t);
	for (uint64_t begin = 0; good && (begin < n || !begin); begin = end) {
		end = begin ? begin + size : first;
		end = end >= n ? UINT64_MAX : end;
		size_t text = t->text.n, events = t->n_events, visits = m->n;
		good = ent__trial_range(t, begin, end, false);
		if (good && t->begin != border) {
			t->text.n = text;
			t->n_events = events;
			m->n = visits;
			good = ent__trial_range(t, border, end, true);
		}
		border = t->end;
		if (end == UINT64_MAX) {
			break;
		}
	}
	return good;
}

static bool same_in_ranges(ent__check *k, const ent__case *c, ent__trial *t, ent__merge *m, const char *want, size_t n,
	uint64_t first, uint64_t size, const char *how) {
	ent__doing(c, "decoding it %s", how);
	ent__check_ran(k);
	ent__merge_begin(m, t);
	bool good = in_ranges(t, m, n, first, size);
	if (!good) {
		ent__check_fail(
			k, c, t->fault.place, ASK_STARTS, "%s: refused, which the whole is not: %s", how, t->fault.e.what);
	} else {
		char *got = ent__merge_end(m, t);
		good = ent__check_same(k, c, want, got, ASK_STARTS, how);
		free(got);
	}
	return good;
}

void ent__test_starts(ent__check *k, const ent__case *c) {
	ent_frame frame = c->decoder->frame;
	size_t n = ent__small(c), at;
	ent__merge merge = {0};
	if (frame != ENT_FRAME_DELIMITED && frame != ENT_FRAME_JSONL) {
		ent__check_skip(k, "no decoder here reads rows or lines: their documents are not decoded in ranges");
		return;
	}
	ent__doing(c, "decoding it as a whole");
	ent__trial *t = ent__open(k, c);
	if (!t) {
		return;
	}
	ent__merge_begin(&merge, t);
	ent__trial_decode(t, c->bytes, n);
	char *want = ent__merge_end(&merge, t);
	bool good = !t->failed;
	if (t->failed) {
		ent__check_skip(k, "the inputs are refused as a whole");
	}
	for (ent__sample s = ent__sample_of(n, ent__runs(n, 400)); good && ent__sample_next(&s, &at);) {
		char how[64];
		snprintf(how, sizeof how, "in two ranges, cut at byte %zu", at);
		good = same_in_ranges(k, c, t, &merge, want, n, at ? at : 1, n, how);
	}
	size_t least = n / 256 + 1; /* no more than 256 ranges a time */
	for (ent__sample s = ent__sample_of(n - least, ent__runs(n * 16, 400));
		 good && n > least && ent__sample_next(&s, &at);) {
		char how[64];
		snprintf(how, sizeof how, "in chunks of %zu bytes", least + at);
		good = same_in_ranges(k, c, t, &merge, want, n, least + at, least + at, how);
	}
	ent__merge_finish(&merge);
	free(want);
	ent__trial_close(t);
}
