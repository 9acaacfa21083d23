/* SPDX-License-Identifier: Apache-2.0
 *
 * The shipped plugins in the real worker: the golden inputs, whole and as two ranges cut at any byte, bring the same
 * documents and the same count of verdicts; and a directory's files find their decoder by probing.
 */
#include "../decode/driver.h"
#include "golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static driver worker;

typedef struct counts {
	uint64_t records, consumed, rejected, skipped;
} counts;

static void add(counts *c) {
	c->records += worker.records;
	c->consumed += worker.consumed;
	c->rejected += worker.rejected;
	c->skipped += worker.skipped;
}

/* Visits are pushed in parts, as many as there are chunks that know of them: they are left to the host's joining. */
static size_t without_visits(driver_doc *to, size_t room) {
	size_t n = 0;
	for (size_t i = 0; i < worker.n_docs; i++)
		if (worker.docs[i].kind != ENT_VISIT) {
			assert_true(n < room);
			to[n++] = worker.docs[i];
		}
	return n;
}

static void cut_anywhere(const golden *g) {
	enum { ROOM = 256 };
	driver_doc *whole = calloc(ROOM, sizeof *whole), *parts = calloc(ROOM, sizeof *parts);
	counts all = {0};
	unsigned options = strcmp(g->plugin, "csv") ? 1 : 0;
	if (!options || strcmp(g->options, "{}")) { /* the driver sends options that are not set */
		free(whole);
		free(parts);
		return;
	}
	char path[700];
	snprintf(path, sizeof path, "%s/plugins/%s.so", ENTENTE_BUILD_DIR, g->plugin);
	driver_start(&worker, NULL);
	if (!driver_load(&worker, path))
		fail_msg("%s; %s", worker.failed.what, worker.failed.todo);
	assert_true(driver_open(&worker, 1, g->decoder, options, NULL));
	int fd = driver_file(g->bytes, g->n);
	bool taken = driver_decode(&worker, 1, fd, 0, UINT64_MAX, false, -1);
	size_t n = without_visits(whole, ROOM);
	add(&all);
	if (!taken)
		assert_true(worker.failed.what[0] && worker.failed.todo[0]);
	for (size_t cut = 1; taken && cut < g->n; cut += 41) {
		counts sum = {0};
		driver_clear(&worker);
		assert_true(driver_decode(&worker, 1, fd, 0, cut, false, -1));
		add(&sum);
		size_t k = without_visits(parts, ROOM);
		driver_clear(&worker);
		assert_true(driver_decode(&worker, 1, fd, cut, UINT64_MAX, false, -1));
		add(&sum);
		k += without_visits(parts + k, ROOM - k);
		assert_int_equal(k, n);
		for (size_t i = 0; i < n; i++) {
			assert_string_equal(parts[i].key, whole[i].key);
			assert_int_equal(parts[i].place, whole[i].place);
			assert_true(parts[i].content == whole[i].content);
			assert_int_equal(parts[i].n_subs, whole[i].n_subs);
		}
		assert_memory_equal(&sum, &all, sizeof sum);
	}
	close(fd);
	assert_int_equal(driver_finish(&worker), 0);
	free(whole);
	free(parts);
}

static void test_cuts(void **state) {
	(void)state;
	assert_true(golden_each("shopify", cut_anywhere) > 0);
	assert_true(golden_each("ga4", cut_anywhere) > 0);
}

/* The place is where the line broke, the excerpt begins there, and what is kept is the line. */
static void test_broken_line(void **state) {
	static const char good[] = "{\"event_date\":\"20240301\",\"event_name\":\"x\",\"event_timestamp\":1}\n";
	static const char bad[] = "{\"event_date\":\"20240301\",\"event_name\" 12}\n";
	char text[400];
	(void)state;
	snprintf(text, sizeof text, "%s%s%s", good, bad, good);
	driver_start(&worker, NULL);
	assert_true(driver_load(&worker, ENTENTE_BUILD_DIR "/plugins/ga4.so"));
	assert_true(driver_open(&worker, 1, "ga4", 1, NULL));
	int fd = driver_file(text, strlen(text));
	assert_true(driver_decode(&worker, 1, fd, 0, UINT64_MAX, false, -1));
	assert_int_equal(worker.n_rejects, 1);
	assert_int_equal(worker.rejects[0].place, strstr(text, " 12}") + 1 - text);
	assert_string_equal(worker.rejects[0].excerpt, "99}");
	assert_int_equal(worker.rejects[0].sealed_n, 24 + 16 + sizeof bad - 2); /* nonce, tag, the line without its end */
	assert_int_equal(worker.rejected, 1);
	close(fd);
	assert_int_equal(driver_finish(&worker), 0);
}

static void probed(const golden *g) {
	static const char *const plugins[] = {"shopify", "ga4", "csv"};
	static const char *const of_shopify[] = {"shopify", "shopify-checkouts", "shopify-json"};
	int fd = driver_file(g->bytes, g->n);
	for (size_t p = 0; p < 3; p++) {
		char path[700];
		uint32_t scores[8] = {0}, n = 0;
		snprintf(path, sizeof path, "%s/plugins/%s.so", ENTENTE_BUILD_DIR, plugins[p]);
		driver_start(&worker, NULL);
		assert_true(driver_load(&worker, path));
		assert_true(driver_probe(&worker, fd, scores, &n));
		/* its own decoder is sure, and no other claims the file */
		assert_int_equal(n, p ? 1 : 3);
		for (uint32_t i = 0; i < n; i++) {
			bool own = !strcmp(g->plugin, plugins[p]) && (p || !strcmp(g->decoder, of_shopify[i]));
			bool mixed = !strncmp(g->name, "mixed", 5) || !strcmp(g->name, "not-events");
			if (!mixed)
				assert_int_equal(scores[i] > 90, own && p != 2);
		}
		assert_int_equal(driver_finish(&worker), 0);
	}
	close(fd);
}

static void test_probes(void **state) {
	(void)state;
	golden_each("shopify", probed);
	golden_each("ga4", probed);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts), cmocka_unit_test(test_broken_line), cmocka_unit_test(test_probes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
