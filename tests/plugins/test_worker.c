/* SPDX-License-Identifier: Apache-2.0
 *
 * The shipped plugins in the real worker: the golden inputs, whole and as two ranges cut at any byte, bring the same
 * documents and the same count of verdicts; and a directory's files find their decoder by probing.
 */
#include "../decode/driver.h"
#include "config/options_wire.h"
#include "golden.h"
#include "options.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const plugins[] = {PLUGIN_NAMES};
enum { N_PLUGINS = sizeof plugins / sizeof *plugins, CLAIMS = 50 };

/* Inputs that nothing can know by looking: rows of two formats, headings that only the configuration explains, or none. */
static const char *const untold[] = {"mixed-orders", "mixed-checkouts", "not-events", "german", "untold"};

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

/* Starts a worker with the plugin of a case, its decoder opened with the options of the case. */
static void open_case(const golden *g) {
	char path[700], why[200] = "";
	char *refused = NULL;
	ent_buf values = {0};
	ent_error e = {0};
	host *h = host_open(g->plugin, g->decoder, g->options, &refused); /* knows the table */
	if (!h)
		fail_msg("%s/%s: %s", g->plugin, g->name, refused);
	const ent_option *table = host_decoder(h)->options;
	options *o = options_read(table, g->options, why);
	if (!o || ent_values_write(options_values(o), ent_options_count(table), &values, &e))
		fail_msg("%s/%s: %s%s", g->plugin, g->name, why, e.what);
	snprintf(path, sizeof path, "%s/plugins/%s.so", ENTENTE_BUILD_DIR, g->plugin);
	driver_start(&worker, NULL);
	if (!driver_load(&worker, path))
		fail_msg("%s; %s", worker.failed.what, worker.failed.todo);
	if (!driver_open_with(&worker, 1, g->decoder, values.data, values.n, NULL))
		fail_msg("%s/%s: %s; %s", g->plugin, g->name, worker.failed.what, worker.failed.todo);
	ent_buf_finish(&values);
	options_free(o);
	host_close(h);
}

/* Lines that came without their order are documents of neighbours only: cut between two of one order, there are two of
 * them, and the ledger joins those. Returns which one that was, or `n`. */
static size_t join_at(driver_doc *parts, size_t *k, size_t border, size_t n) {
	if (*k != n + 1 || !border || border == *k || strcmp(parts[border - 1].key, parts[border].key) != 0)
		return n;
	parts[border - 1].n_subs += parts[border].n_subs;
	memmove(&parts[border], &parts[border + 1], (*k - border - 1) * sizeof *parts);
	--*k;
	return border - 1;
}

static void cut_anywhere(const golden *g) {
	enum { ROOM = 256 };
	driver_doc *whole = calloc(ROOM, sizeof *whole), *parts = calloc(ROOM, sizeof *parts);
	counts all = {0};
	open_case(g);
	int fd = driver_file(g->bytes, g->n), beside = g->beside ? driver_file(g->beside, g->beside_n) : -1;
	bool taken = driver_decode(&worker, 1, fd, 0, UINT64_MAX, false, beside);
	size_t n = without_visits(whole, ROOM);
	add(&all);
	if (!taken)
		assert_true(worker.failed.what[0] && worker.failed.todo[0]);
	size_t step = g->n / 300 < 41 ? 41 : g->n / 300;
	for (size_t cut = 1; taken && cut < g->n; cut += step) {
		counts sum = {0};
		driver_clear(&worker);
		assert_true(driver_decode(&worker, 1, fd, 0, cut, false, beside));
		add(&sum);
		size_t k = without_visits(parts, ROOM), border = k;
		driver_clear(&worker);
		assert_true(driver_decode(&worker, 1, fd, cut, UINT64_MAX, false, beside));
		add(&sum);
		k += without_visits(parts + k, ROOM - k);
		size_t joined = join_at(parts, &k, border, n);
		if (k != n)
			fail_msg("%s/%s, cut at %zu: %zu documents instead of %zu", g->plugin, g->name, cut, k, n);
		for (size_t i = 0; i < n; i++) {
			assert_string_equal(parts[i].key, whole[i].key);
			assert_int_equal(parts[i].place, whole[i].place);
			assert_true(parts[i].content == whole[i].content || i == joined);
			assert_int_equal(parts[i].n_subs, whole[i].n_subs);
		}
		assert_memory_equal(&sum, &all, sizeof sum);
	}
	close(fd);
	if (beside >= 0)
		close(beside);
	assert_int_equal(driver_finish(&worker), 0);
	free(whole);
	free(parts);
}

static void test_cuts(void **state) {
	(void)state;
	for (size_t p = 0; p < N_PLUGINS; p++)
		if (strcmp(plugins[p], "csv") != 0) /* may have to see a file as a whole, by its options */
			assert_true(golden_each(plugins[p], cut_anywhere) > 0);
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

/* Its decoder refuses it, or takes nothing from it; or its headings are what the configuration says. */
static bool unlike(const golden *g) {
	size_t n;
	char *facts = golden_slurp(g->facts, &n);
	bool yes = !facts || strstr(facts, "\"verdict\":\"error\"") || !strstr(facts, "\"fact\"") ||
			   strstr(g->options, "columns:") || strstr(g->options, "series:");
	free(facts);
	return yes;
}

static const ent_decoder *const *decoders; /* of the plugin that probes */
static const char *probing;

/* Its own decoder is sure, and no other claims the file. */
static void probed(const golden *g) {
	uint32_t scores[8] = {0}, n = 0;
	int fd = driver_file(g->bytes, g->n);
	assert_true(driver_probe(&worker, fd, scores, &n));
	close(fd);
	for (uint32_t i = 0; i < n; i++) {
		const char *name = decoders[i]->name;
		bool own = !strcmp(g->plugin, probing) && !strcmp(g->decoder, name);
		bool told = g->beside != NULL; /* what it is, only its companion says */
		for (size_t k = 0; k < sizeof untold / sizeof *untold; k++)
			told |= !strcmp(g->name, untold[k]);
		if (own && decoders[i]->probe && !told && scores[i] <= 90 && !unlike(g))
			fail_msg("%s is %u sure of its own %s", name, scores[i], g->name);
		if (!own && !told && scores[i] >= CLAIMS)
			fail_msg("%s claims %s/%s, %u sure", name, g->plugin, g->name, scores[i]);
	}
}

static void test_probes(void **state) {
	(void)state;
	for (size_t p = 0; p < N_PLUGINS; p++) {
		char path[700];
		snprintf(path, sizeof path, "%s/plugins/%s.so", ENTENTE_BUILD_DIR, plugins[p]);
		void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		assert_non_null(so);
		decoders = ((const ent_plugin *)dlsym(so, "ent_plugin_entry"))->decoders;
		probing = plugins[p];
		driver_start(&worker, NULL);
		assert_true(driver_load(&worker, path));
		for (size_t k = 0; k < N_PLUGINS; k++)
			golden_each(plugins[k], probed);
		assert_int_equal(driver_finish(&worker), 0);
		dlclose(so);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts), cmocka_unit_test(test_broken_line), cmocka_unit_test(test_probes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
