/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of compaction: whatever was compacted in between, in steps of few frames with facts and commits and new processes
 * between them, the digest is what it is without; what is younger than `history` stays, also for who takes back what
 * replaced it; no step looks at more frames than it may. */
#include "base/arena.h"
#include "engine/compact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "by_hand.h"

#define US_DAY INT64_C(86400000000)

typedef struct work {
	fact facts[FACTS];
	unsigned n, next;
} work;

static void shuffle(work *w) {
	for (unsigned i = w->n; i > 1; i--) {
		unsigned k = rnd(i);
		fact swap = w->facts[i - 1];
		w->facts[i - 1] = w->facts[k];
		w->facts[k] = swap;
	}
}

/* A compaction to its end, or up to some step; facts come between the steps. */
static ent_compact_report compact(bench *b, feed *f, work *w, unsigned frames, unsigned most_steps) {
	ent_error error = {0};
	ent_compact *x;
	ent_compact_report r;
	bool done = false;
	if (ent_engine_compact_begin(&x, b->e, 0, &r, &error)) {
		fail_msg("%s", error.what);
	}
	for (unsigned i = 0; i < most_steps && !done; i++) {
		if (ent_engine_compact_step(x, frames, UINT64_MAX / 2, &done, &error)) {
			fail_msg("%s", error.what);
		}
		if (w && w->next < w->n && rnd(3) == 0) {
			take(b, f, &w->facts[w->next++], false);
		}
		if (w && rnd(9) == 0) {
			commit(b);
		}
		if (ent_engine_compact_waits(x)) {
			usleep(200);
			i--; /* the disk may take as long as it likes */
		}
	}
	assert_true(r.most_in_step <= frames);
	ent_engine_compact_end(x);
	return r;
}

/* A new process, which finds the index in its file, or scans. */
static void again(bench *b, feed *f, bool scans) {
	int64_t history = b->config->history_us, now = b->e->now_us;
	commit(b);
	feed kept = *f;
	feed_close(f);
	engine_close(b);
	if (scans) {
		char path[128];
		snprintf(path, sizeof path, "%s/store/ledger/index", b->folder);
		unlink(path);
	}
	engine_open(b);
	b->config->history_us = history;
	b->e->now_us = now;
	feed_open(b, f);
	memcpy(f->input, kept.input, sizeof f->input);
}

static void no_digest_changes(void **state) {
	(void)state;
	uint64_t compacted = 0;
	for (unsigned round = 0; round < 5; round++) {
		ent_digest first = {0};
		for (unsigned way = 0; way < 3; way++) {
			bench b;
			feed f;
			work w = {.n = FACTS};
			seed = 88172645463325252u + round;
			for (unsigned i = 0; i < w.n; i++) {
				w.facts[i] = random_fact();
			}
			bench_open(&b);
			feed_open(&b, &f);
			b.config->history_us = way == 2 ? 0 : 400 * US_DAY;
			shuffle(&w);
			while (w.next < w.n) {
				take(&b, &f, &w.facts[w.next++], false);
				b.e->now_us += 3600000000;
				if (rnd(8) == 0) {
					commit(&b);
					if (way) {
						compacted += compact(&b, &f, &w, 1 + rnd(5), rnd(4) ? 1000 : rnd(12)).compacted;
					}
				}
				if (way && rnd(12) == 0) {
					again(&b, &f, rnd(2));
				}
			}
			commit(&b);
			ent_digest d = digest(&b);
			if (way) {
				same_facts(&first, &d);
				for (unsigned scans = 0; scans < 2; scans++) {
					again(&b, &f, scans);
					d = digest(&b);
					same_facts(&first, &d);
				}
			}
			first = d;
			feed_close(&f);
			bench_close(&b);
		}
	}
	assert_true(compacted > 25);
}

/* History that is kept is as good as it was: what replaced it is taken back, and it counts again. */
static void history_counts_again(void **state) {
	(void)state;
	for (unsigned round = 0; round < 6; round++) {
		ent_digest without = {0};
		for (unsigned way = 0; way < 2; way++) {
			bench b;
			feed f;
			work w = {.n = FACTS};
			seed = 521288629u + round;
			for (unsigned i = 0; i < w.n; i++) {
				w.facts[i] = random_fact();
			}
			bench_open(&b);
			feed_open(&b, &f);
			while (w.next < w.n) {
				take(&b, &f, &w.facts[w.next++], false);
				if (way && w.next % 9 == 0) {
					commit(&b);
					assert_true(compact(&b, &f, NULL, 4, 1000).compacted > 0);
				}
			}
			commit(&b);
			for (unsigned gone = 0; gone < 2; gone++) {
				take_back(&b, &f, (round + gone * 2) % INPUTS);
				if (way) {
					commit(&b);
					compact(&b, &f, NULL, 4, 1000);
					again(&b, &f, true);
				}
			}
			commit(&b);
			ent_digest d = digest(&b);
			if (way) {
				same_facts(&without, &d);
			}
			without = d;
			feed_close(&f);
			bench_close(&b);
		}
	}
}

static uint64_t frames(bench *b) {
	size_t n;
	uint64_t sum = 0;
	const ent_segment *s = ent_ledger_segments(b->e->ledger, &n);
	for (size_t i = 0; i < n; i++) {
		sum += s[i].state == ENT_SEGMENT_LIVE ? s[i].frames : 0;
	}
	return sum;
}

/* What counts is when a version was replaced, not when it came; and a compaction in between forgets nothing of that. */
static void history_is_kept_from_its_end(void **state) {
	(void)state;
	bench b;
	feed f;
	bench_open(&b);
	feed_open(&b, &f);
	const int64_t start = b.e->now_us;
	fact x = {.source = 0, .kind = ENT_CART, .key = 1, .head = true, .updated = 1};
	struct {
		int day;
		unsigned key;
	} came[] = {{0, 1}, {50, 2}, {60, 2}, {100, 1}};
	for (unsigned i = 0; i < 4; i++) {
		b.e->now_us = start + came[i].day * US_DAY;
		x.key = came[i].key;
		x.updated++;
		x.salt = i;
		take(&b, &f, &x, false);
	}
	x.updated = 1; /* this one loses when it comes, on day 100 */
	x.salt = 7;
	take(&b, &f, &x, false);
	commit(&b);
	ent_digest d = digest(&b), now;
	assert_int_equal(frames(&b), 5);
	static const struct {
		int day;
		unsigned left;
	} moments[] = {{100, 5}, {455, 5}, {470, 4}, {499, 4}, {501, 2}, {2000, 2}};
	for (unsigned i = 0; i < 6; i++) {
		b.e->now_us = start + moments[i].day * US_DAY;
		assert_int_equal(compact(&b, &f, NULL, 100, 1000).compacted, 1);
		assert_int_equal(frames(&b), moments[i].left);
		again(&b, &f, true);
		b.e->now_us = start + moments[i].day * US_DAY;
		now = digest(&b);
		same_facts(&d, &now);
	}
	feed_close(&f);
	bench_close(&b);
}

/* A key that is gone stays so, however the log is compacted, and in the end leaves no trace. */
static void gone_stays_gone(void **state) {
	(void)state;
	bench b;
	feed f;
	bench_open(&b);
	feed_open(&b, &f);
	fact x = {.source = 0, .kind = ENT_CART, .key = 1, .head = true, .updated = 1, .input = 1};
	take(&b, &f, &x, false);
	x = (fact){.source = 0, .kind = ENT_CART, .key = 2, .head = true, .updated = 1, .input = 3};
	take(&b, &f, &x, false);
	commit(&b);
	take_back(&b, &f, 1);
	commit(&b);
	ent_digest d = digest(&b), now;
	assert_int_equal(frames(&b), 3);
	for (unsigned i = 0; i < 3; i++) {
		compact(&b, &f, NULL, 100, 1000);
		again(&b, &f, true);
		now = digest(&b);
		same_facts(&d, &now);
	}
	assert_int_equal(frames(&b), 2); /* what was gone is history now, and says so itself */
	b.e->now_us += 401 * US_DAY;
	compact(&b, &f, NULL, 100, 1000);
	assert_int_equal(frames(&b), 1);
	again(&b, &f, true);
	now = digest(&b);
	same_facts(&d, &now);
	feed_close(&f);
	bench_close(&b);
}

/* What says that a key is gone stays as long as an older segment, which is left alone, may say otherwise. */
static void gone_is_said_while_it_matters(void **state) {
	(void)state;
	bench b;
	feed f;
	ent_error error = {0};
	bench_open(&b);
	feed_open(&b, &f);
	b.config->history_us = 0;
	for (unsigned i = 0; i < 10; i++) {
		fact x = {.source = 0, .kind = ENT_CART, .key = i, .head = true, .updated = 1, .input = i ? 3 : 1};
		take(&b, &f, &x, false);
	}
	commit(&b);
	assert_int_equal(ent_ledger_seal(b.e->ledger, 1, &error), 0);
	take_back(&b, &f, 1);
	commit(&b);
	ent_digest d = digest(&b), now;
	b.e->now_us += 10 * US_DAY;
	ent_compact *x;
	ent_compact_report r;
	bool done = false;
	assert_int_equal(ent_engine_compact_begin(&x, b.e, ENT_COMPACT_WORTH, &r, &error), 0);
	while (!done) {
		assert_int_equal(ent_engine_compact_step(x, 5, UINT64_MAX / 2, &done, &error), 0);
	}
	ent_engine_compact_end(x);
	again(&b, &f, true);
	now = digest(&b);
	same_facts(&d, &now);
	assert_int_equal(r.segments, 2);
	feed_close(&f);
	bench_close(&b);
}

/* That a document that is complete for its days had a key is known for as long as it matters, though it lost. */
static void complete_documents_are_remembered(void **state) {
	(void)state;
	for (unsigned complete = 0; complete < 2; complete++) {
		bench b;
		feed f;
		bench_open(&b);
		feed_open(&b, &f);
		fact x = {.source = 0, .kind = ENT_CART, .key = 1, .head = true, .updated = 5, .input = 1};
		take(&b, &f, &x, false);
		x = (fact){.source = 0, .kind = ENT_CART, .key = 1, .head = true, .updated = 1, .input = 3, .salt = 1};
		take(&b, &f, &x, false);
		ent_cover c = {.partner = ent__code_of(b.e, "one"), .source = b.e->sources[0].code, .input = f.input[3][0],
			.kind = ENT_CART, .from = DAY, .to = DAY + 9, .declared = 1, .complete = complete != 0};
		ent__pending_cover(b.e, &c);
		b.e->inputs[f.input[3][0]].live = 1;
		commit(&b);
		b.e->now_us += 500 * US_DAY;
		compact(&b, &f, NULL, 100, 1000);
		assert_int_equal(frames(&b), 1 + complete);
		feed_close(&f);
		bench_close(&b);
	}
}

/* Segments with little to win are left alone, and nothing is done where nothing is old. */
static void little_is_left_alone(void **state) {
	(void)state;
	bench b;
	feed f;
	bench_open(&b);
	feed_open(&b, &f);
	b.config->history_us = 0;
	for (unsigned i = 0; i < 12; i++) {
		fact x = {.source = 0, .kind = ENT_CART, .key = i % 10, .head = true, .updated = 1 + i / 10, .salt = i / 10};
		take(&b, &f, &x, false);
	}
	commit(&b);
	b.e->now_us += 10 * US_DAY;
	for (unsigned worth = 10; worth <= 90; worth += 80) {
		ent_error error = {0};
		ent_compact *x;
		ent_compact_report r;
		bool done = false;
		assert_int_equal(ent_engine_compact_begin(&x, b.e, 100 - worth, &r, &error), 0);
		while (!done) {
			assert_int_equal(ent_engine_compact_step(x, 5, UINT64_MAX / 2, &done, &error), 0);
		}
		ent_engine_compact_end(x);
		assert_int_equal(r.segments, 1);
		assert_int_equal(r.compacted, worth == 90);
		assert_int_equal(frames(&b), worth == 90 ? 10 : 12);
	}
	feed_close(&f);
	bench_close(&b);
}

/* An ingest beside it may go back to the last commit at any moment: what was copied since is gone, and so is every entry of
 * the index that leads there. The compaction begins with its segment again, and nothing is lost. */
static void goes_back_with_the_engine(void **state) {
	(void)state;
	unsigned went_back = 0;
	for (unsigned after = 1; after < 40; after++) {
		bench b;
		feed f;
		ent_error error = {0};
		ent_compact *x;
		ent_compact_report r;
		bool done = false;
		seed = 88172645463325252u;
		bench_open(&b);
		feed_open(&b, &f);
		b.config->history_us = 0;
		for (unsigned i = 0; i < FACTS; i++) {
			fact one = random_fact();
			take(&b, &f, &one, false);
		}
		commit(&b);
		ent_digest d = digest(&b), now;
		b.e->now_us += 10 * US_DAY;
		b.e->report = b.report;
		assert_int_equal(ent_engine_compact_begin(&x, b.e, 0, &r, &error), 0);
		for (unsigned i = 0; i < after && !done; i++) {
			assert_int_equal(ent_engine_compact_step(x, 4, UINT64_MAX / 2, &done, &error), 0);
		}
		if (!done) {
			went_back++;
			assert_int_equal(ent__commit_wait(b.e, &error), 0);
			assert_int_equal(ent__roll_back(b.e, &error), 0);
		}
		while (!done) {
			assert_int_equal(ent_engine_compact_step(x, 4, UINT64_MAX / 2, &done, &error), 0);
		}
		ent_engine_compact_end(x);
		commit(&b);
		again(&b, &f, true);
		now = digest(&b);
		same_facts(&d, &now);
		feed_close(&f);
		bench_close(&b);
	}
	assert_true(went_back > 20);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_digest_changes), cmocka_unit_test(history_counts_again),
		cmocka_unit_test(history_is_kept_from_its_end), cmocka_unit_test(gone_stays_gone),
		cmocka_unit_test(gone_is_said_while_it_matters), cmocka_unit_test(complete_documents_are_remembered),
		cmocka_unit_test(little_is_left_alone), cmocka_unit_test(goes_back_with_the_engine)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
