/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a test: what rules cost in entente-rules, the real worker with its sandbox. Plays the core, hands over a snapshot
 * of made-up partners with 120 days each, and counts the worker's own CPU time (schedstat): other work on the machine
 * hardly changes it. Prints one JSON object, of each figure the median of the rounds and the least one:
 * - ready_ms, loaded_ms: from its start until it was ready, and until it had loaded the rules that ship;
 * - twelve_us, shipped_us: twelve rules (book/twelve), and the rules that ship, for each partner;
 * - rows_per_second: days walked one by one in Python (book/rows).
 * Arguments: how many partners, how many rounds. */
#include "../rules/driver.h"
#include "metrics/catalogue.h"
#include "snap_build.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define E6 INT64_C(1000000)
enum {
	DAYS = 120,
	FIRST = 20000,
	ROUNDS_MOST = 100,
	WALKED = 4 * 40 * DAYS /* days that rows.py walks for a partner */
};

static int n_partners = 1000, rounds = 15;

/* Deterministic: the same partners in every run. */
static uint32_t dice(void) {
	static uint64_t state = 42;
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33);
}

static void partner(snap_build *b, char *id) {
	int64_t orders[DAYS], gross[DAYS], discount[DAYS], returns[DAYS], units[DAYS], sessions[DAYS];
	uint32_t counts[DAYS], ids[DAYS * 16], n = 0, size = 1 + dice() % 8;
	int p = snap_partner(b, id,
		"{\"profile\": {\"name\": \"Shop\", \"industry\": \"tea\", \"region\": \"DE\", "
		"\"stage\": \"consulting\"}}");
	for (int i = 0; i < DAYS; i++) {
		orders[i] = size + dice() % 8;
		gross[i] = orders[i] * (40 + dice() % 40) * E6 + dice() % E6;
		discount[i] = dice() % 10 * E6;
		returns[i] = dice() % 30 * E6;
		units[i] = orders[i] * 1500;
		sessions[i] = orders[i] * 40 + dice() % 100;
		counts[i] = (uint32_t)orders[i];
		uint32_t id_of_first = (uint32_t)p * 1000 + dice() % 500;
		for (int64_t k = 0; k < orders[i]; k++) {
			ids[n++] = id_of_first += 1 + dice() % 20;
		}
	}
	snap_series(b, p, ENT_M_ORDERS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "", FIRST, DAYS, orders);
	snap_series(b, p, ENT_M_GROSS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "EUR", FIRST, DAYS, gross);
	snap_series(b, p, ENT_M_DISCOUNT, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "EUR", FIRST, DAYS, discount);
	snap_series(b, p, ENT_M_RETURNS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "EUR", FIRST, DAYS, returns);
	snap_series(b, p, ENT_M_UNITS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "", FIRST, DAYS, units);
	snap_series(b, p, ENT_M_SESSIONS, ENT_ORIGIN_ANALYTICS, ENT_VIEW_TOTAL, "", "", FIRST, DAYS, sessions);
	snap_set(b, p, ENT_SET_CUSTOMERS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", FIRST, DAYS, counts, ids);
	snap_cover(b, p, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", FIRST, FIRST + DAYS);
	snap_cover(b, p, ENT_TRAFFIC, ENT_ORIGIN_ANALYTICS, 1, "traffic", FIRST, FIRST + DAYS);
}

static int make_snapshot(void) {
	snap_build b;
	snap_init(&b, FIRST + DAYS - 1, "EUR");
	for (int i = 0; i < n_partners; i++) {
		char id[16];
		snprintf(id, sizeof id, "p%06d", i);
		partner(&b, id);
	}
	size_t bytes;
	void *block = snap_block(&b, &bytes);
	int fd = driver_memfd(block, bytes, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	free(block);
	return fd;
}

/* Nanoseconds that the worker was on a processor. */
static double cpu(const driver *d) {
	char path[64];
	unsigned long long ns = 0;
	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)d->pid);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%llu", &ns), 1);
	fclose(f);
	return (double)ns;
}

static void start(driver *d, const char *book, double *ready, double *loaded) {
	const char *folders[] = {ENTENTE_SOURCE_DIR "/scripts", ENTENTE_SOURCE_DIR "/tests/bench/book", NULL};
	driver_spawn(d);
	driver_hello(d, ENT_RULES_PROTOCOL_VERSION, ENT_SANDBOX_BEST_EFFORT, 0, folders, "");
	if (driver_receive(d, 60) != ENT_RULES_READY) {
		fail_msg("not ready: %.*s", (int)d->packet.n, (const char *)d->packet.data);
	}
	*ready = cpu(d);
	char *said = driver_load(d, book);
	*loaded = cpu(d);
	if (!said || !strstr(said, "\"errors\": []")) {
		fail_msg("not loaded: %s", said ? said : "it failed");
	}
	free(said);
}

/* Rules that ask the core for single facts, or come after one that does: nobody answers here. */
#define ASKING                                                                                                         \
	"[\"agents_keep_their_pay\", \"online_growth_is_new\", \"missing_mix\", \"faster_site\", \"financial_health\", "   \
	"\"carts_leak\", \"sources_disagree\", \"dont_rush\"]"

/* CPU nanoseconds of one evaluation of all other rules of the book over all partners. */
static double evaluate(driver *d, int snapshot, uint64_t run) {
	double before = cpu(d);
	ent_buf b = {0};
	ent_buf_u32(&b, ENT_RULES_EVALUATE);
	ent_buf_u64(&b, run);
	ent_buf_text(&b, "{\"skip\": " ASKING ", \"only\": null}");
	driver_send(d, &b, snapshot);
	ent_buf_finish(&b);
	int last;
	char *records = driver_records(d, &last);
	double after = cpu(d);
	if (last != ENT_RULES_DONE || strstr(records, "\"verdict\":\"failed\"")) {
		fail_msg("ends with %d: %.3000s", last, records);
	}
	free(records);
	return after - before;
}

static int by_size(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Middle and least of the rounds. */
typedef struct spent {
	double rounds[ROUNDS_MOST], middle, least;
} spent;

static void settle(spent *s) {
	qsort(s->rounds, (size_t)rounds, sizeof *s->rounds, by_size);
	s->middle = s->rounds[rounds / 2];
	s->least = s->rounds[0];
}

/* For each partner. */
static spent cost(const char *book, int snapshot) {
	spent s;
	double ready, loaded;
	driver d;
	start(&d, book, &ready, &loaded);
	for (int i = 0; i < rounds; i++) {
		s.rounds[i] = evaluate(&d, snapshot, (uint64_t)i + 1) / n_partners;
	}
	driver_finish(&d);
	settle(&s);
	return s;
}

static void print(const char *name, const spent *s, double unit) {
	printf(", \"%s\": %.1f, \"%s_least\": %.1f", name, s->middle / unit, name, s->least / unit);
}

static void measure(void **state) {
	(void)state;
	spent ready, loaded;
	for (int i = 0; i < rounds; i++) {
		driver d;
		start(&d, ENTENTE_SOURCE_DIR "/scripts/rulebook", &ready.rounds[i], &loaded.rounds[i]);
		driver_finish(&d);
	}
	settle(&ready);
	settle(&loaded);
	int snapshot = make_snapshot();
	spent twelve = cost(ENTENTE_SOURCE_DIR "/tests/bench/book/twelve", snapshot);
	spent shipped = cost(ENTENTE_SOURCE_DIR "/scripts/rulebook", snapshot);
	spent walk = cost(ENTENTE_SOURCE_DIR "/tests/bench/book/rows", snapshot);
	close(snapshot);
	printf("{\"partners\": %d, \"rounds\": %d", n_partners, rounds);
	print("ready_ms", &ready, 1e6);
	print("loaded_ms", &loaded, 1e6);
	print("twelve_us", &twelve, 1e3);
	print("shipped_us", &shipped, 1e3);
	printf(", \"rows_per_second\": %.0f}\n", WALKED / (walk.middle / 1e9));
}

int main(int argc, char **argv) {
	n_partners = argc > 1 ? (int)strtol(argv[1], NULL, 10) : n_partners;
	rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : rounds;
	if (n_partners < 1 || rounds < 1 || rounds > ROUNDS_MOST) {
		fprintf(stderr, "bench_rules [PARTNERS [ROUNDS]]: at least one of each, at most %d rounds\n", ROUNDS_MOST);
		return 2;
	}
	const struct CMUnitTest all[] = {cmocka_unit_test(measure)};
	return cmocka_run_group_tests(all, NULL, NULL);
}
