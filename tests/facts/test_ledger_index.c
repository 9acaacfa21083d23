/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the ledger's index and of the identities: against a naive model, with collisions, growth and removal; and
 * what open does with a file of identities that does not fit. */
#include "base/arena.h"
#include "facts/ledger.h"

#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void) {
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static int sum(void *ctx, ent_index_entry *e) {
	*(uint64_t *)ctx += e->at;
	return e->at == UINT64_MAX ? 3 : 0;
}

static ent_index_entry *entry_of(const ent_index *x, uint64_t key, ent_position at) {
	ent_index_entry *e = NULL;
	do {
		e = ent_index_find(x, key, e);
		assert_non_null(e);
	} while (e->at != at);
	return e;
}

/* Every entry once, in slices of some length, and an index filled with them is the same. */
static void sliced_and_filled(const ent_index *x, size_t length) {
	ent_index_cursor c = {0};
	ent_index_entry *out = ent_xmalloc(length * sizeof *out);
	ent_index *filled = ent_index_create(ent_index_count(x));
	for (size_t n; (n = ent_index_slice(x, &c, out, length));) {
		for (size_t i = 0; i < n; i++) {
			entry_of(x, out[i].key, out[i].at);
		}
		assert_true(ent_index_fill(filled, out, n));
	}
	assert_int_equal(ent_index_count(filled), ent_index_count(x));
	uint64_t total = 0, expected = 0;
	ent_index_each(filled, sum, &total);
	ent_index_each((ent_index *)x, sum, &expected);
	assert_int_equal(total, expected);
	c = (ent_index_cursor){0};
	for (size_t n; (n = ent_index_slice(x, &c, out, length));) {
		for (size_t i = 0; i < n; i++) {
			entry_of(filled, out[i].key, out[i].at);
		}
	}
	ent_index_destroy(filled);
	free(out);
}

/* Random adds, finds and removes; `spread` keys, so that with few of them most are there several times. */
static void against_model(uint64_t spread, unsigned shift, size_t steps) {
	typedef struct item {
		uint64_t key;
		ent_position at;
	} item;
	item *model = ent_xmalloc(steps * sizeof *model);
	size_t n = 0;
	ent_index *x = ent_index_create(0);
	for (size_t step = 0; step < steps; step++) {
		uint64_t key = next_random() % spread << shift;
		if (step % 977 == 0) { /* whatever is expected */
			ent_index_expect(x, next_random() % (steps * 3));
		}
		if (!n || next_random() % 8 < 5) {
			ent_index_slot slot;
			ent_index_entry *e = step % 2 ? NULL : ent_index_find_or_slot(x, key, &slot);
			if (e) { /* one with this key; then it is added beside it */
				assert_int_equal(e->key, key);
			} else if (step % 2 == 0) {
				assert_null(ent_index_find(x, key, NULL));
				e = ent_index_add_at(x, slot, key, step + 1);
				assert_int_equal(e->at, step + 1);
				model[n++] = (item){key, step + 1};
				continue;
			}
			e = ent_index_add(x, key, step + 1);
			assert_int_equal(e->key, key);
			model[n++] = (item){key, step + 1};
		} else {
			size_t at = next_random() % n;
			ent_index_remove(x, entry_of(x, model[at].key, model[at].at));
			model[at] = model[--n];
		}
		if (step % 4096 == 77) { /* also while the table is growing */
			for (size_t i = 0; i < n; i++) {
				entry_of(x, model[i].key, model[i].at);
			}
		}
	}
	assert_int_equal(ent_index_count(x), n);
	uint64_t total = 0, expected = 0;
	for (size_t i = 0; i < n; i++) {
		ent_index_prefetch(x, model[i].key);
		entry_of(x, model[i].key, model[i].at);
		expected += model[i].at;
	}
	assert_int_equal(ent_index_each(x, sum, &total), 0);
	assert_int_equal(total, expected);
	assert_null(ent_index_find(x, UINT64_MAX - 12345, NULL));
	sliced_and_filled(x, 1 << 20);
	sliced_and_filled(x, n / 7 + 2000);
	if (spread > 1000) {
		sliced_and_filled(x, 1000);
	}
	ent_index_destroy(x);
	free(model);
}

static void index_model(void **state) {
	(void)state;
	against_model(UINT64_C(1) << 40, 0, 60000);
	against_model(UINT64_C(1) << 40, 23, 20000);
	against_model(300, 0, 20000);       /* many of the same key */
	against_model(2, 63, 3000);         /* two keys: all entries at one or two homes, far beyond the end of the homes */
	against_model(50000, 0, 60000);     /* small numbers for keys */
	for (unsigned i = 0; i < 60; i++) { /* ends at all stages of growing */
		against_model(UINT64_C(1) << 50, 0, 3000 + i * 97);
	}
}

/* Entries that stay are given once, whatever is added and removed between the slices. */
static void index_sliced_while_it_changes(void **state) {
	(void)state;
	enum { STAY = 30000 };
	ent_index *x = ent_index_create(0);
	uint64_t *keys = ent_xmalloc(STAY * sizeof *keys);
	for (uint64_t i = 0; i < STAY; i++) {
		ent_index_add(x, keys[i] = next_random(), i + 1);
	}
	uint8_t *seen = ent_xcalloc(STAY, 1);
	ent_index_entry out[512];
	ent_index_cursor c = {0};
	uint64_t others[400], n_others = 0;
	for (size_t n; (n = ent_index_slice(x, &c, out, 512));) {
		for (size_t i = 0; i < n; i++) {
			if (out[i].at <= STAY) {
				assert_int_equal(keys[out[i].at - 1], out[i].key);
				assert_int_equal(seen[out[i].at - 1]++, 0);
			}
		}
		for (uint64_t i = 0; i < n_others; i++) {
			ent_index_remove(x, ent_index_find(x, others[i], NULL));
		}
		for (n_others = 0; n_others < 400; n_others++) {
			ent_index_add(x, others[n_others] = next_random(), STAY + 1);
			ent_index_add(x, next_random(), STAY + 2); /* stays: the table grows meanwhile */
		}
	}
	for (uint64_t i = 0; i < STAY; i++) {
		assert_int_equal(seen[i], 1);
	}
	ent_index_destroy(x);
	free(seen);
	free(keys);
}

/* Entries that are not in the order are refused: a file that gives them is damaged. */
static void index_filled_wrongly(void **state) {
	(void)state;
	ent_index *x = ent_index_create(0);
	ent_index_entry out[8], swapped[8];
	for (uint64_t i = 0; i < 8; i++) {
		ent_index_add(x, i, i + 1);
	}
	ent_index_cursor c = {0};
	assert_int_equal(ent_index_slice(x, &c, out, 8), 8);
	ent_index_destroy(x);
	for (unsigned i = 0; i < 7; i++) {
		memcpy(swapped, out, sizeof out);
		swapped[i] = out[i + 1];
		swapped[i + 1] = out[i];
		x = ent_index_create(8);
		assert_false(ent_index_fill(x, swapped, 8));
		ent_index_destroy(x);
	}
	out[3].at = 0;
	x = ent_index_create(8);
	assert_false(ent_index_fill(x, out, 8));
	ent_index_destroy(x);
}

static void index_in_place(void **state) {
	(void)state;
	ent_index *x = ent_index_create(10);
	ent_index_entry *e = ent_index_add(x, 7, 9);
	e->at = UINT64_MAX;
	e = ent_index_find(x, 7, NULL);
	assert_true(e->at == UINT64_MAX);
	assert_null(ent_index_find(x, 7, e));
	uint64_t total = 0;
	assert_int_equal(ent_index_each(x, sum, &total), 3); /* the visitor's answer ends it */
	ent_index_remove(x, e);
	assert_null(ent_index_find(x, 7, NULL));
	assert_int_equal(ent_index_count(x), 0);
	ent_index_destroy(x);
	ent_index_destroy(NULL);
}

/* Virtual size of the process in bytes. */
static uint64_t mapped_now(void) {
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &pages), 1);
	fclose(f);
	return (uint64_t)pages * 4096;
}

static void index_memory(void **state) {
	(void)state;
	uint64_t before = mapped_now();
	ent_index *x = ent_index_create(0);
	uint64_t checked = 100000;
	for (uint64_t i = 0; i < 1000000; i++) {
		ent_index_add(x, next_random(), i + 1);
		if (i == checked) { /* at many sizes, so just after growing, too */
			assert_true(mapped_now() - before <= i * 38 + (1u << 20));
			checked += checked / 50;
		}
	}
	assert_true(mapped_now() - before >= UINT64_C(1000000) * 16); /* so it was the index that was measured */
	ent_index_destroy(x);
	x = ent_index_create(1000000);
	uint64_t empty = mapped_now();
	for (uint64_t i = 0; i < 1000000; i++) {
		ent_index_add(x, next_random(), i + 1);
	}
	assert_int_equal(mapped_now(), empty); /* what was expected never grows */
	ent_index_destroy(x);
	x = ent_index_create(0);
	for (uint64_t i = 0; i < 1000000; i++) {
		if (i == 10000) {
			ent_index_expect(x, 1000000);
		}
		ent_index_add(x, next_random(), i + 1);
	}
	assert_true(ent_index_bytes(x) < 1000000 * 22); /* and it grew once */
	ent_index_destroy(x);
}

static void make_id(uint64_t i, uint8_t out[16]) {
	uint64_t a = i * UINT64_C(0x9e3779b97f4a7c15), b = i % 100;
	memcpy(out, &a, 8);
	memcpy(out + 8, &b, 8);
}

static void identities(void **state) {
	(void)state;
	char folder[] = "/tmp/entente-identities-XXXXXX", file[128], command[128];
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/identities", folder);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	ent_identities *x;
	ent_error e;
	assert_int_equal(
		ent_identities_open(&x, folder, 0, false, &e), 0); /* not there yet, and a reader does not make it */
	assert_int_equal(ent_identities_count(x), 0);
	assert_null(ent_identities_get(x, 0));
	ent_identities_close(x);
	assert_int_equal(access(file, F_OK), -1);

	assert_int_equal(ent_identities_open(&x, folder, 0, true, &e), 0);
	uint8_t id[16];
	const uint64_t n = 150000; /* more than one piece */
	for (uint64_t i = 0; i < n; i++) {
		make_id(i, id);
		ent_identities_prefetch(x, id);
		assert_int_equal(ent_identities_put(x, id), i);
		uint64_t earlier = i * UINT64_C(2654435761) % (i + 1); /* also while the table grows */
		make_id(earlier, id);
		ent_identities_prefetch_found(x, id);
		assert_int_equal(ent_identities_put(x, id), earlier);
	}
	assert_int_equal(ent_identities_count(x), n);
	assert_int_equal(ent_identities_sync(x, &e), 0);
	make_id(n, id);
	assert_int_equal(ent_identities_put(x, id), n); /* committed by nobody */
	assert_int_equal(ent_identities_sync(x, &e), 0);
	ent_identities_close(x);
	struct stat st;
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_size, (n + 1) * 16);

	assert_int_equal(ent_identities_open(&x, folder, n, false, &e), 0);
	assert_int_equal(ent_identities_count(x), n);
	ent_identities_close(x);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_size, (n + 1) * 16); /* a reader cuts nothing */
	assert_int_equal(ent_identities_open(&x, folder, n, true, &e), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_size, n * 16);
	make_id(n + 5, id);
	assert_int_equal(ent_identities_put(x, id), n);
	for (uint64_t i = 0; i < n; i += 11) {
		make_id(i, id);
		assert_memory_equal(ent_identities_get(x, (uint32_t)i), id, 16);
		assert_int_equal(ent_identities_put(x, id), i);
	}
	assert_null(ent_identities_get(x, (uint32_t)n + 1));
	ent_identities_close(x);

	assert_int_equal(truncate(file, 16 * 10 + 3), 0);
	assert_int_equal(ent_identities_open(&x, folder, 11, true, &e), ENT_ERR_CORRUPT);
	assert_null(x);
	assert_int_equal(ent_identities_open(&x, folder, 10, true, &e), 0); /* the torn one was never vouched for */
	ent_identities_close(x);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(ent_identities_open(&x, folder, 10, true, &e), ENT_ERR_CORRUPT);
	ent_identities_close(NULL);
	assert_int_equal(system(command), 0);
}

static void identities_memory(void **state) {
	(void)state;
	char folder[] = "/tmp/entente-identities-XXXXXX", command[128];
	assert_non_null(mkdtemp(folder));
	ent_identities *x;
	ent_error e;
	assert_int_equal(ent_identities_open(&x, folder, 0, true, &e), 0);
	uint64_t before = mapped_now(), checked = 100000;
	for (uint64_t i = 0; i < 1000000; i++) {
		uint8_t id[16];
		make_id(i, id);
		assert_int_equal(ent_identities_put(x, id), i);
		if (i == checked) {
			assert_true(mapped_now() - before <= i * 40 + (1u << 20));
			checked += checked / 100;
		}
	}
	ent_identities_close(x);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	assert_int_equal(system(command), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_model),
		cmocka_unit_test(index_sliced_while_it_changes),
		cmocka_unit_test(index_filled_wrongly),
		cmocka_unit_test(index_in_place),
		cmocka_unit_test(index_memory),
		cmocka_unit_test(identities),
		cmocka_unit_test(identities_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
