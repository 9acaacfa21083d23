/* SPDX-License-Identifier: Apache-2.0
 *
 * What the ledger costs: as many orders as the 1 GB job has, as varint documents of 61 to 100 bytes, appended and
 * indexed, with a sync of all that is new at each 100,000, by a second thread as the commit does it, one under way at
 * most; then an index of 20 million. Prints a line for each figure. The folder to write in is the first argument (a
 * disk, not a file system in memory), how many orders the second. */
#include "base/arena.h"
#include "facts/ledger.h"
#include "base/crc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { ORDERS = 1265392, SYNC = 100000, ROUNDS = 5, AHEAD = 16, BODIES = 4096, LARGE = 20000000, FORESEEN = 10000 };

static double seconds(clockid_t clock) {
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t hash(uint64_t i) {
	i = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
	i = (i ^ i >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	return i ^ i >> 27;
}

static uint8_t bodies[BODIES][128];
static uint8_t lengths[BODIES];

static void make_bodies(void) {
	for (unsigned i = 0; i < BODIES; i++) {
		lengths[i] = (uint8_t)(61 + hash(i) % 40);
		for (unsigned k = 0; k < sizeof bodies[i]; k++) {
			bodies[i][k] = (uint8_t)hash(i * 128 + k);
		}
	}
}

static void die(const ent_error *e) {
	fprintf(stderr, "bench_ledger: %s\n", e->what);
	exit(1);
}

typedef struct result {
	double wall, own, process; /* seconds: by the clock, of this thread, of the process */
	double waited, last;       /* by the clock: for syncs that were not over in time; for the last one */
	uint64_t bytes, index;
} result;

typedef struct sync_ahead {
	ent_ledger *l;
	ent_ledger_mark mark;
	pthread_t thread;
	bool under_way;
	int status;
	ent_error e;
} sync_ahead;

static void *sync_mark(void *ctx) {
	sync_ahead *s = ctx;
	s->status = ent_ledger_sync_to(s->l, &s->mark, &s->e);
	return NULL;
}

/* Waits for the sync under way; seconds that took. */
static double end_sync(sync_ahead *s) {
	double before = seconds(CLOCK_MONOTONIC);
	if (s->under_way) {
		pthread_join(s->thread, NULL);
		ent_ledger_mark_finish(&s->mark);
		s->under_way = false;
		if (s->status) {
			die(&s->e);
		}
	}
	return seconds(CLOCK_MONOTONIC) - before;
}

static void begin_sync(sync_ahead *s) {
	if (ent_ledger_freeze(s->l, &s->mark, &s->e)) {
		die(&s->e);
	}
	if (pthread_create(&s->thread, NULL, sync_mark, s)) {
		exit(1);
	}
	s->under_way = true;
}

/* With `to_disk` false everything but the syncs is done: what the processor costs, whatever the disk does. */
static result round_of(const char *folder, uint64_t orders, bool to_disk) {
	char place[512], command[600];
	snprintf(place, sizeof place, "%s/ledger-bench-XXXXXX", folder);
	if (!mkdtemp(place)) {
		perror(place);
		exit(1);
	}
	ent_error e;
	ent_ledger *l;
	if (ent_ledger_open(&l, place, NULL, 0, true, false, NULL, &e)) {
		die(&e);
	}
	ent_index *x = ent_index_create(1024); /* a first run does not know how many there will be */
	result r = {0};
	sync_ahead sync = {.l = l};
	double wall = seconds(CLOCK_MONOTONIC), own = seconds(CLOCK_THREAD_CPUTIME_ID),
		   process = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (uint64_t i = 0; i < orders; i++) {
		uint64_t key = hash(i);
		if (i == FORESEEN) {
			ent_index_expect(x, orders); /* as a run does when the first chunk of a file is read */
		}
		ent_index_prefetch(x, hash(i + AHEAD));
		unsigned n = lengths[i % BODIES];
		uint8_t *p = ent_ledger_reserve(l, 128, &e);
		if (!p) {
			die(&e);
		}
		memcpy(p, bodies[i % BODIES], 128); /* more than it takes is written, as an encoder does */
		memcpy(p, &key, sizeof key);
		ent_position at = ent_ledger_commit_frame(l, n);
		ent_index_slot slot;
		if (!ent_index_find_or_slot(x, key, &slot)) {
			ent_index_add_at(x, slot, key, at);
		}
		r.bytes += n + 8;
		if (to_disk && (i % SYNC == SYNC - 1 || i + 1 == orders)) {
			r.waited += end_sync(&sync);
			begin_sync(&sync);
		}
	}
	r.last = end_sync(&sync);
	r.wall = seconds(CLOCK_MONOTONIC) - wall;
	r.own = seconds(CLOCK_THREAD_CPUTIME_ID) - own;
	r.process = seconds(CLOCK_PROCESS_CPUTIME_ID) - process;
	r.index = ent_index_bytes(x);
	ent_index_destroy(x);
	ent_ledger_close(l);
	snprintf(command, sizeof command, "rm -rf '%s'", place);
	if (system(command)) {
		exit(1);
	}
	return r;
}

/* The best of some rounds: others may use the machine, nothing makes it faster than it is. */
static void append_and_index(const char *folder, uint64_t orders) {
	result best = {.wall = 1e9, .own = 1e9, .process = 1e9}, alone = best;
	for (unsigned i = 0; i < ROUNDS; i++) {
		result r = round_of(folder, orders, true), a = round_of(folder, orders, false);
		best = r.wall < best.wall ? r : best;
		alone = a.own < alone.own ? a : alone;
	}
	double n = (double)orders;
	printf("durable            %6.1f M orders/s, %.2f GB/s (%.3f s by the clock; waited %.3f s for %llu syncs, %.3f s "
		   "for the last)\n",
		n / best.wall / 1e6, (double)best.bytes / best.wall / 1e9, best.wall, best.waited,
		(unsigned long long)((orders + SYNC - 1) / SYNC), best.last);
	printf("without the syncs  %6.1f M orders/s of the appending thread's processor, %.1f of all threads'\n",
		n / alone.own / 1e6, n / alone.process / 1e6);
	printf("index              %6.1f bytes an order at %llu\n", (double)best.index / n, (unsigned long long)orders);
}

static void large_index(uint64_t n) {
	ent_index *x = ent_index_create(1024);
	double start = seconds(CLOCK_THREAD_CPUTIME_ID), longest = 0, most = 0;
	enum { SLICE = 1000 };
	for (uint64_t i = 0; i < n; i += SLICE) {
		double before = seconds(CLOCK_THREAD_CPUTIME_ID);
		for (uint64_t k = i; k < i + SLICE; k++) {
			ent_index_prefetch(x, hash(k + AHEAD));
			ent_index_add(x, hash(k), k + 1);
		}
		double took = seconds(CLOCK_THREAD_CPUTIME_ID) - before;
		longest = took > longest ? took : longest;
		double each = (double)ent_index_bytes(x) / (double)(i + SLICE);
		most = i > 1000000 && each > most ? each : most;
	}
	printf("index of %llu M     %6.1f M adds/s, %.1f bytes an entry at most, longest 1,000 adds %.2f ms\n",
		(unsigned long long)(n / 1000000), (double)n / (seconds(CLOCK_THREAD_CPUTIME_ID) - start) / 1e6, most,
		longest * 1e3);
	ent_index_destroy(x);
}

static void many_identities(const char *folder, uint64_t n) {
	char place[512], command[600];
	ent_identities *x;
	ent_error e;
	snprintf(place, sizeof place, "%s/ledger-bench-XXXXXX", folder);
	if (!mkdtemp(place) || ent_identities_open(&x, place, 0, true, &e)) {
		exit(1);
	}
	double start = seconds(CLOCK_THREAD_CPUTIME_ID), longest = 0;
	enum { SLICE = 1000 };
	for (uint64_t i = 0; i < n; i += SLICE) {
		double before = seconds(CLOCK_THREAD_CPUTIME_ID);
		for (uint64_t k = i; k < i + SLICE; k++) {
			uint64_t id[2] = {hash(k), hash(~k)}, next[2] = {hash(k + AHEAD), hash(~(k + AHEAD))};
			ent_identities_prefetch(x, (const uint8_t *)next);
			ent_identities_put(x, (const uint8_t *)id);
		}
		double took = seconds(CLOCK_THREAD_CPUTIME_ID) - before;
		longest = took > longest ? took : longest;
	}
	printf("identities, %llu M  %6.1f M puts/s, longest 1,000 puts %.2f ms\n", (unsigned long long)(n / 1000000),
		(double)n / (seconds(CLOCK_THREAD_CPUTIME_ID) - start) / 1e6, longest * 1e3);
	ent_identities_close(x);
	snprintf(command, sizeof command, "rm -rf '%s'", place);
	if (system(command)) {
		exit(1);
	}
}

int main(int n, char **arguments) {
	const char *folder = n > 1 ? arguments[1] : ".";
	uint64_t orders = n > 2 ? strtoull(arguments[2], NULL, 10) : ORDERS;
	make_bodies();
	append_and_index(folder, orders);
	double start = seconds(CLOCK_THREAD_CPUTIME_ID);
	uint32_t sum = 0;
	for (uint64_t i = 0; i < orders; i++) {
		sum += ent_crc32c(bodies[i % BODIES], lengths[i % BODIES]);
	}
	printf("checksums          %6.1f M orders/s (%08x)\n",
		(double)orders / (seconds(CLOCK_THREAD_CPUTIME_ID) - start) / 1e6, (unsigned)sum);
	if (orders == ORDERS) {
		large_index(LARGE);
		many_identities(folder, LARGE);
	}
	return 0;
}
