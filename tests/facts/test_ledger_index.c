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
	*(uint64_t *)ctx += e->content;
	return e->content == UINT64_MAX ? 3 : 0;
}

/* Random adds, finds and removes; `spread` keys, so that with few of them most are there several times. */
static void against_model(uint64_t spread, unsigned shift, size_t steps) {
	typedef struct item {
		uint64_t key, content;
	} item;
	item *model = ent_xmalloc(steps * sizeof *model);
	size_t n = 0;
	ent_index *x = ent_index_create(0);
	for (size_t step = 0; step < steps; step++) {
		uint64_t key = next_random() % spread << shift;
		if (!n || next_random() % 8 < 5) {
			ent_index_entry *e = ent_index_add(x, key, step, step + 1);
			assert_int_equal(e->key, key);
			model[n++] = (item){key, step};
		} else {
			size_t at = next_random() % n;
			ent_index_entry *e = NULL;
			do {
				e = ent_index_find(x, model[at].key, e);
				assert_non_null(e);
			} while (e->content != model[at].content);
			assert_int_equal(e->at, model[at].content + 1);
			ent_index_remove(x, e);
			model[at] = model[--n];
		}
	}
	assert_int_equal(ent_index_count(x), n);
	uint64_t total = 0, expected = 0;
	for (size_t i = 0; i < n; i++) {
		ent_index_entry *e = NULL;
		ent_index_prefetch(x, model[i].key);
		do {
			e = ent_index_find(x, model[i].key, e);
			assert_non_null(e);
		} while (e->content != model[i].content);
		expected += model[i].content;
	}
	assert_int_equal(ent_index_each(x, sum, &total), 0);
	assert_int_equal(total, expected);
	assert_null(ent_index_find(x, UINT64_MAX - 12345, NULL));
	ent_index_destroy(x);
	free(model);
}

static void index_model(void **state) {
	(void)state;
	against_model(UINT64_C(1) << 40, 0, 60000);
	against_model(UINT64_C(1) << 40, 23, 20000);
	against_model(300, 0, 20000);   /* many of the same key */
	against_model(2, 63, 3000);     /* two keys: all entries at one or two homes, far beyond the end of the homes */
	against_model(50000, 0, 60000); /* small numbers for keys */
}

static void index_in_place(void **state) {
	(void)state;
	ent_index *x = ent_index_create(10);
	ent_index_entry *e = ent_index_add(x, 7, 1, 9);
	e->content = UINT64_MAX;
	e->at = 10;
	e = ent_index_find(x, 7, NULL);
	assert_true(e->content == UINT64_MAX && e->at == 10);
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
		ent_index_add(x, next_random(), i, i + 1);
		if (i == checked) { /* at many sizes, so just after growing, too */
			assert_true(mapped_now() - before <= i * 40 + (1u << 20));
			checked += checked / 50;
		}
	}
	assert_true(mapped_now() - before >= UINT64_C(1000000) * 24); /* so it was the index that was measured */
	ent_index_destroy(x);
	x = ent_index_create(1000000);
	uint64_t empty = mapped_now();
	for (uint64_t i = 0; i < 1000000; i++) {
		ent_index_add(x, next_random(), i, i + 1);
	}
	assert_int_equal(mapped_now(), empty); /* what was expected never grows */
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
		if (i % 3 == 0) {
			make_id(i / 2, id);
			assert_int_equal(ent_identities_put(x, id), i / 2);
		}
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

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_model),
		cmocka_unit_test(index_in_place),
		cmocka_unit_test(index_memory),
		cmocka_unit_test(identities),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
