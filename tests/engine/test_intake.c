/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of what the ledger and the cells hold after documents came: the same facts in any order, split over any inputs,
 * with any of those taken back again, leave the same digest; what is retracted leaves no cell behind. Documents are made
 * by hand, over a real store in a folder of its own; no worker takes part. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "by_hand.h"

static void shuffle(fact *facts, unsigned n) {
	for (unsigned i = n; i > 1; i--) {
		unsigned k = rnd(i);
		fact swap = facts[i - 1];
		facts[i - 1] = facts[k];
		facts[k] = swap;
	}
}

/* A visit's part of an input comes once; what an input says of a key twice, decides by content: all else would be two
 * documents. */
static unsigned random_facts(fact *facts) {
	unsigned n = 0;
	for (unsigned i = 0; i < FACTS; i++) {
		facts[n++] = random_fact();
	}
	return n;
}

/* ---- tests -------------------------------------------------------------------------------------------------------------------- */

static void test_any_order(void **state) {
	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		fact facts[FACTS];
		ent_digest first = {0};
		seed = 88172645463325252u + round;
		unsigned n = random_facts(facts);
		for (unsigned order = 0; order < 3; order++) {
			bench b;
			feed f;
			bench_open(&b);
			feed_open(&b, &f);
			shuffle(facts, order ? n : 0);
			for (unsigned i = 0; i < n; i++) {
				take(&b, &f, &facts[i], false);
				if (order == 2 && rnd(20) == 0) {
					commit(&b);
				}
			}
			commit(&b);
			ent_digest d = digest(&b);
			if (order) {
				same_facts(&first, &d);
			}
			first = d;
			feed_close(&f);
			bench_close(&b);
		}
	}
}

static void test_taken_back_as_if_it_never_came(void **state) {
	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		fact facts[FACTS];
		ent_digest without = {0};
		seed = 521288629u + round;
		unsigned n = random_facts(facts), gone = rnd(INPUTS), also_gone = rnd(INPUTS);
		for (unsigned way = 0; way < 3; way++) {
			bench b;
			feed f;
			bench_open(&b);
			feed_open(&b, &f);
			shuffle(facts, n);
			for (unsigned i = 0; i < n; i++) {
				bool theirs = facts[i].input == gone || facts[i].input == also_gone;
				if (way || !theirs) {
					take(&b, &f, &facts[i], false);
				}
			}
			if (way) {
				commit(&b);
				take_back(&b, &f, gone);
				if (way == 2) { /* a new process in between: the index is read from the log */
					commit(&b);
					feed_close(&f);
					feed kept = f;
					engine_close(&b);
					engine_open(&b);
					feed_open(&b, &f);
					memcpy(f.input, kept.input, sizeof f.input);
				}
				take_back(&b, &f, also_gone);
			}
			commit(&b);
			ent_digest d = digest(&b);
			if (way) {
				same_facts(&without, &d);
			} else {
				without = d;
			}
			feed_close(&f);
			bench_close(&b);
		}
	}
}

static int count_cell(void *ctx, const ent_cell *c) {
	(void)c;
	++*(unsigned *)ctx;
	return 0;
}

static unsigned cells(bench *b) {
	unsigned n = 0;
	ent_error error = {0};
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		assert_int_equal(ent_store_cells_scan(b->e->store, (ent_family)f, UINT32_MAX, count_cell, &n, &error), 0);
	}
	return n;
}

static int count_set(void *ctx, const ent_cell_key *key, const uint32_t *ids, const uint32_t *multiplicity, size_t n) {
	(void)key;
	(void)ids;
	(void)multiplicity;
	*(unsigned *)ctx += (unsigned)n;
	return 0;
}

/* Everything retracted, or all its inputs taken back: no cell, no member of a set is left. */
static void test_nothing_is_left_behind(void **state) {
	(void)state;
	for (unsigned way = 0; way < 2; way++) {
		bench b;
		feed f;
		fact facts[FACTS];
		seed = 362436069u + way;
		bench_open(&b);
		feed_open(&b, &f);
		unsigned n = random_facts(facts);
		for (unsigned i = 0; i < n; i++) {
			if (way == 0 || facts[i].kind != ENT_VISIT) {
				take(&b, &f, &facts[i], false);
			}
		}
		commit(&b);
		assert_true(cells(&b) > 10);
		for (unsigned i = 0; i < (way ? 0 : INPUTS); i++) {
			take_back(&b, &f, i);
		}
		for (unsigned i = 0; i < (way ? n : 0); i++) {
			fact retract = {.source = facts[i].source, .kind = facts[i].kind, .key = facts[i].key, .input = INPUTS - 1,
				.updated = 100, .head = true, .retract = true};
			if (facts[i].kind != ENT_VISIT) {
				take(&b, &f, &retract, false);
			}
		}
		commit(&b);
		unsigned members = 0;
		ent_error error = {0};
		assert_int_equal(ent_store_sets_scan(b.e->store, UINT32_MAX, count_set, &members, &error), 0);
		assert_int_equal(cells(&b), 0);
		assert_int_equal(members, 0);
		feed_close(&f);
		bench_close(&b);
	}
}

/* What is kept as superseded (of a lower edition of a slice) counts nowhere, not even when others are taken back. */
static void test_superseded_counts_nowhere(void **state) {
	(void)state;
	ent_digest alone = {0};
	for (unsigned way = 0; way < 2; way++) {
		bench b;
		feed f;
		fact facts[FACTS];
		seed = 123456789u;
		bench_open(&b);
		feed_open(&b, &f);
		unsigned n = random_facts(facts);
		for (unsigned i = 0; i < n; i++) {
			bool lower = facts[i].input == 0;
			if (!lower || way) {
				take(&b, &f, &facts[i], lower);
			}
		}
		for (unsigned s = 0; s < 2 && way; s++) {
			b.e->inputs[f.input[0][s]].live = 0;
		}
		take_back(&b, &f, 1);
		commit(&b);
		ent_digest d = digest(&b);
		if (way) {
			same_facts(&alone, &d);
		}
		alone = d;
		feed_close(&f);
		bench_close(&b);
	}
}

/* Cells folded anew from the ledger are those that were folded as the facts came. */
static void test_rebuilt_cells_are_the_same(void **state) {
	(void)state;
	bench b;
	feed f;
	fact facts[FACTS];
	ent_error error = {0};
	seed = 2463534242u;
	bench_open(&b);
	feed_open(&b, &f);
	unsigned n = random_facts(facts);
	for (unsigned i = 0; i < n; i++) {
		take(&b, &f, &facts[i], false);
	}
	take_back(&b, &f, 2);
	commit(&b);
	ent_digest before = digest(&b);
	assert_int_equal(ent_store_begin(b.e->store, &error), 0);
	assert_int_equal(ent_store_meta_set(b.e->store, "cells", "of another configuration", &error), 0);
	assert_int_equal(ent_store_commit(b.e->store, &error), 0);
	assert_int_equal(ent__rebuild_if_changed(b.e, &error), 0);
	ent_digest after = digest(&b);
	assert_memory_equal(before.all, after.all, 32);
	feed_close(&f);
	bench_close(&b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_taken_back_as_if_it_never_came),
		cmocka_unit_test(test_nothing_is_left_behind),
		cmocka_unit_test(test_superseded_counts_nowhere),
		cmocka_unit_test(test_rebuilt_cells_are_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
