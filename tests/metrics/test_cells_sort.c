/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of sorting cells for the commit, against a naive model under random changes: every cell, set and distribution once,
 * in order, with the right sums; sets of cells that differ in currency alone are one set. */
#include "base/arena.h"
#include "metrics/cells.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { PARTNERS = 4, DAYS = 3, VALUES = 3, CURRENCIES = 3, ORIGINS = 3, MEMBERS = 90, MOST = 60000 };

static uint64_t seed = 88172645463325252u;

static uint32_t rnd(uint32_t below) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % below;
}

/* One thing that was done; what it adds up to is found by sorting all. */
typedef struct act {
	ent_cell_key key;
	int64_t member, n;
} act;

typedef struct model {
	act acts[3][MOST]; /* of cells, sets, distributions */
	size_t n[3];
} model;

static int by_act(const void *a, const void *b) {
	const act *x = a, *y = b;
	int order = ent_cell_key_compare(&x->key, &y->key);
	return order ? order : x->member < y->member ? -1 : x->member > y->member;
}

/* Sorts and adds up; what comes to nothing is left out. */
static size_t settle(act *acts, size_t n) {
	size_t kept = 0;
	qsort(acts, n, sizeof *acts, by_act);
	for (size_t i = 0; i < n;) {
		act sum = acts[i++];
		for (; i < n && !by_act(&sum, &acts[i]); i++) {
			sum.n += acts[i].n;
		}
		if (sum.n) {
			acts[kept++] = sum;
		}
	}
	return kept;
}

static void note(model *m, int kind, ent_cell_key key, int64_t member, int64_t n) {
	assert_true(m->n[kind] < MOST);
	m->acts[kind][m->n[kind]++] = (act){key, member, n};
}

/* `wide`: keys that differ in more bits than fit into one word. */
static void act_at_random(ent_cells *c, model *m, bool wide) {
	ent_cell_key key = {.partner = wide ? rnd(PARTNERS) << 29 : rnd(PARTNERS), .day = (int32_t)rnd(DAYS) - 1,
		.view = (uint8_t)rnd(2), .value = wide ? rnd(VALUES) << 30 : rnd(VALUES), .currency = rnd(CURRENCIES) << (wide ? 20 : 0),
		.origin = (uint8_t)rnd(ORIGINS), .family = (uint8_t)rnd(2)};
	int32_t net = rnd(4) ? 1 : -1;
	uint32_t cell = ent_cells_at(c, &key);
	ent_cells_row(c, cell)[rnd(2) ? 0 : ent_family_width(key.family) - 1] += net;
	note(m, 0, key, 0, net); /* the sum over its columns, enough to tell cells apart */
	if (rnd(3)) {
		ent_cell_key set = key;
		uint32_t id = rnd(MEMBERS) * 40000000u;
		set.currency = 0;
		ent_cells_set(c, cell, key.family == ENT_SALES ? ENT_SET_CUSTOMERS : ENT_SET_VISITORS, id, net);
		set.family = key.family == ENT_SALES ? ENT_SET_CUSTOMERS : ENT_SET_VISITORS;
		note(m, 1, set, id, net);
	}
	for (int i = 0; key.family == ENT_SALES && i < 2; i++) {
		ent_cell_key dist = key;
		int32_t bucket = ((int32_t)rnd(MEMBERS) - MEMBERS / 2) * 1000;
		bool first = rnd(2);
		dist.family = first ? ENT_DIST_ORDER_VALUE : ENT_DIST_DAYS_TO_PAID;
		dist.currency = first ? key.currency : 0;
		ent_cells_dist(c, cell, dist.family, first, bucket, net);
		note(m, 2, dist, bucket, net);
	}
}

static void check_members(const ent_members_change *changes, size_t n, const act *acts, size_t n_acts, bool dists) {
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		assert_true(changes[i].n > 0);
		assert_true(!i || ent_cell_key_compare(changes[i - 1].key, changes[i].key) < 0);
		for (uint32_t k = 0; k < changes[i].n; k++, at++) {
			uint32_t member = ent_change_member(changes[i].items[k]);
			assert_true(at < n_acts);
			assert_int_equal(ent_cell_key_compare(changes[i].key, &acts[at].key), 0);
			assert_int_equal(dists ? ent_member_bucket(member) : (int64_t)member, acts[at].member);
			assert_int_equal(ent_change_net(changes[i].items[k]), acts[at].n);
		}
	}
	assert_int_equal(at, n_acts);
}

static void against_model(void **state) {
	(void)state;
	ent_cells *c = ent_cells_create();
	model *m = ent_xcalloc(1, sizeof *m);
	static const unsigned rounds[] = {0, 1, 2, 30, 500, 5000, 20000, 300};
	for (size_t round = 0; round < 2 * sizeof rounds / sizeof *rounds; round++) {
		memset(m->n, 0, sizeof m->n);
		for (unsigned i = 0; i < rounds[round / 2]; i++) {
			act_at_random(c, m, round % 2);
		}
		assert_int_equal(ent_cells_empty(c), rounds[round / 2] == 0);
		size_t n[3];
		for (int kind = 0; kind < 3; kind++) {
			n[kind] = settle(m->acts[kind], m->n[kind]);
		}
		ent_cells_flush f = ent_cells_sort(c);
		size_t at = 0;
		for (size_t i = 0; i < f.n_cells; i++) {
			int64_t sum = 0;
			for (unsigned k = 0; k < ent_family_width(f.cells[i].key->family); k++) {
				sum += f.cells[i].m[k];
			}
			assert_true(!i || ent_cell_key_compare(f.cells[i - 1].key, f.cells[i].key) < 0);
			if (sum) {
				assert_true(at < n[0]);
				assert_int_equal(ent_cell_key_compare(f.cells[i].key, &m->acts[0][at].key), 0);
				assert_int_equal(sum, m->acts[0][at++].n);
			}
		}
		assert_int_equal(at, n[0]);
		check_members(f.sets, f.n_sets, m->acts[1], n[1], false);
		check_members(f.dists, f.n_dists, m->acts[2], n[2], true);
		ent_cells_reset(c);
	}
	ent_cells_destroy(c);
	free(m);
}

/* Few members, many, and very many of one set: each is sorted in another way. */
static void many_members(void **state) {
	(void)state;
	static const uint32_t sizes[] = {1, 60, 70, 1000, 5000, 200000};
	ent_cells *c = ent_cells_create();
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		ent_cell_key key = {.partner = 1, .day = 1, .family = ENT_SALES};
		uint32_t cell = ent_cells_at(c, &key), step = UINT32_MAX / sizes[s];
		for (uint32_t i = 0; i < sizes[s]; i++) {
			ent_cells_set(c, cell, ENT_SET_CUSTOMERS, (uint32_t)((uint64_t)i * 7919 % sizes[s]) * step, 1);
		}
		ent_cells_flush f = ent_cells_sort(c);
		assert_int_equal(f.n_sets, 1);
		assert_int_equal(f.sets[0].n, sizes[s]);
		for (uint32_t i = 0; i < sizes[s]; i++) {
			assert_true(f.sets[0].items[i] == ent_change(i * step, 1));
		}
		ent_cells_reset(c);
	}
	ent_cells_destroy(c);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(against_model), cmocka_unit_test(many_members)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
