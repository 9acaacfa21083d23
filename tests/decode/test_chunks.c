/* SPDX-License-Identifier: Apache-2.0
 *
 * Wherever a document is cut, the facts are those of a worker that reads from its first byte to its last. */
#include "base/arena.h"
#include "documents.h"
#include "driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define PLUGINS ENTENTE_BUILD_DIR "/tests/plugins/"
#define WHOLE 0, UINT64_MAX, false, -1

enum { ROWS = 1, FLAT, LINES };

static driver worker;

static int start(void **state) {
	(void)state;
	driver_start(&worker, NULL);
	if (!driver_load(&worker, PLUGINS "shop.so")) {
		fail_msg("%s; %s", worker.failed.what, worker.failed.todo);
	}
	assert_true(driver_open(&worker, ROWS, "rows", 1, NULL));
	assert_true(driver_open(&worker, FLAT, "flat", 0, NULL));
	assert_true(driver_open(&worker, LINES, "lines", 0, NULL));
	return 0;
}

static int stop(void **state) {
	(void)state;
	assert_int_equal(driver_finish(&worker), 0);
	return 0;
}

/* Decodes in ranges of `chunk` bytes (0: of any size), as the core does: ranges that do not continue the one before are
 * decoded again from where they must begin. Returns how many that were. */
static unsigned decode_chunks(uint32_t instance, int fd, uint64_t size, uint64_t chunk) {
	driver_clear(&worker);
	driver_outcome sum = {0};
	size_t capacity = 0;
	uint64_t expected = 0;
	unsigned again = 0;
	for (uint64_t begin = 0, next; begin < size; begin = next) {
		next = begin + (chunk ? chunk : 1 + dice(dice(3) ? 2000 : (uint32_t)size));
		uint64_t end = next < size ? next : UINT64_MAX;
		driver_clear(&worker);
		bool ok = driver_decode(&worker, instance, fd, begin, end, false, -1);
		if (!ok || (begin && worker.done.begin != expected)) {
			again++;
			driver_clear(&worker);
			if (!driver_decode(&worker, instance, fd, expected, end, true, -1)) {
				fail_msg("range %llu: %s", (unsigned long long)begin, worker.failed.what);
			}
			assert_int_equal(worker.done.begin, expected);
		}
		expected = worker.done.end;
		while (sum.n_docs + worker.n_docs > capacity) {
			capacity = capacity ? capacity * 2 : 1024;
			sum.docs = ent_xrealloc(sum.docs, capacity * sizeof *sum.docs);
		}
		if (worker.n_docs) {
			memcpy(sum.docs + sum.n_docs, worker.docs, worker.n_docs * sizeof *sum.docs);
		}
		sum.n_docs += worker.n_docs;
		sum.n_rejects += worker.n_rejects;
		sum.records += worker.records;
		sum.consumed += worker.consumed;
		sum.rejected += worker.rejected;
		sum.skipped += worker.skipped;
		sum.facts += worker.facts;
		sum.skips += worker.skips;
		sum.covers += worker.covers;
		sum.slices += worker.slices;
		assert_int_equal(worker.done.eof, end == UINT64_MAX || expected == size);
	}
	assert_int_equal(expected, size);
	free(worker.docs);
	worker.docs = sum.docs;
	worker.docs_capacity = capacity;
	worker.n_docs = sum.n_docs;
	worker.n_rejects = 0;
	worker.records = sum.records;
	worker.consumed = sum.consumed;
	worker.rejected = sum.rejected;
	worker.skipped = sum.skipped;
	worker.facts = sum.facts;
	worker.skips = sum.skips;
	worker.covers = sum.covers;
	worker.slices = sum.slices;
	(void)sum.n_rejects;
	return again;
}

static void any_chunks_give_the_same(
	uint32_t instance, ent_buf b, const uint64_t *sizes, size_t n_sizes, unsigned may_repeat) {
	int fd = driver_file(b.data, b.n);
	driver_clear(&worker);
	if (!driver_decode(&worker, instance, fd, WHOLE)) {
		fail_msg("%s", worker.failed.what);
	}
	driver_outcome whole = driver_result(&worker);
	assert_true(whole.records > 20);
	for (size_t i = 0; i < n_sizes; i++) {
		unsigned again = decode_chunks(instance, fd, b.n, sizes[i]);
		driver_same(&worker, &whole, sizes[i]);
		if (again > may_repeat) {
			fail_msg("chunks of %llu: %u of them had to be decoded again", (unsigned long long)sizes[i], again);
		}
	}
	free(whole.docs);
	close(fd);
	ent_buf_finish(&b);
}

static void chunks_of_orders(void **state) {
	(void)state;
	static const uint64_t tiny[] = {13, 64, 127, 500}, usual[] = {10000, 33333, 65536, 250000, 700001, 1u << 20};
	any_chunks_give_the_same(ROWS, orders(12000), tiny, 4, 0);
	any_chunks_give_the_same(ROWS, orders_after("\xef\xbb\xbf", 12000), tiny, 4, 0);
	any_chunks_give_the_same(ROWS, orders(1600000), usual, 6, 0);
}

static void chunks_of_single_rows(void **state) {
	(void)state;
	static const uint64_t sizes[] = {333, 5000, 65537};
	any_chunks_give_the_same(FLAT, orders(60000), sizes, 3, 0);
}

static void chunks_of_lines(void **state) {
	(void)state;
	static const uint64_t sizes[] = {1, 17, 300, 5000}, usual[] = {65536, 300000, 999999};
	any_chunks_give_the_same(LINES, json(3000), sizes, 4, 0);
	any_chunks_give_the_same(LINES, json(1600000), usual, 3, 0);
}

/* A note so long that its inside looks like the file itself, from further back than the worker looks. */
static void a_wrong_guess_is_slow_but_not_wrong(void **state) {
	(void)state;
	ent_buf b = orders(20000);
	ent_buf_printf(&b, "#long,2024-03-01,EUR,1,SKU,1,x@example.org,shop,\"");
	for (int i = 0; i < 6000; i++) {
		ent_buf_printf(&b, "#%d,2024-03-01,EUR,1,SKU,1,x@example.org,shop,said in the note\n", i);
	}
	ent_buf_printf(&b, "\"\n");
	for (int i = 0; i < 3000; i++) {
		ent_buf_printf(&b, "#after %d,2024-03-01,EUR,1,SKU,1,x@example.org,shop,note\n", i);
	}
	int fd = driver_file(b.data, b.n);
	driver_clear(&worker);
	assert_true(driver_decode(&worker, ROWS, fd, WHOLE));
	driver_outcome whole = driver_result(&worker);
	unsigned again = decode_chunks(ROWS, fd, b.n, 150000);
	assert_true(again > 0);
	driver_same(&worker, &whole, 150000);
	free(whole.docs);
	close(fd);
	ent_buf_finish(&b);
}

static void archives_cannot_be_cut(void **state) {
	(void)state;
	ent_buf b = orders(300000);
	driver_clear(&worker);
	int fd = driver_file(b.data, b.n);
	assert_true(driver_decode(&worker, ROWS, fd, WHOLE));
	close(fd);
	driver_outcome whole = driver_result(&worker);
	size_t room = b.n + 1024;
	uint8_t *packed = ent_xmalloc(room);
	size_t n = ZSTD_compress(packed, room, b.data, b.n, 1);
	fd = driver_file(packed, n);
	assert_int_equal(
		decode_chunks(ROWS, fd, n, n / 3), 0); /* the first range takes all; the others are empty, and fit */
	driver_same(&worker, &whole, n / 3);
	close(fd);
	z_stream z = {0};
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = b.data;
	z.avail_in = (uInt)b.n;
	z.next_out = packed;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	n = z.total_out;
	deflateEnd(&z);
	fd = driver_file(packed, n);
	driver_clear(&worker);
	assert_true(driver_decode(&worker, ROWS, fd, WHOLE));
	driver_same(&worker, &whole, n);
	assert_int_equal(worker.done.bytes, b.n);
	close(fd);
	fd = driver_file(packed, n - 9);
	driver_clear(&worker);
	assert_false(driver_decode(&worker, ROWS, fd, WHOLE));
	assert_non_null(strstr(worker.failed.what, "gzip archive ends in the middle"));
	assert_int_equal(worker.failed.place, b.n);
	close(fd);
	free(packed);
	free(whole.docs);
	ent_buf_finish(&b);
}

/* The property that all else rests on: whatever is in the cells, and wherever a document is cut, the facts, their
 * places and the counts are those of a worker that reads from the first byte to the last. Short documents are read from
 * their header on, and only tell where one range ends and the next begins; in long ones the worker has to guess. */
static void any_cells_in_any_chunks(void **state) {
	(void)state;
	unsigned again = 0;
	for (unsigned i = 0; i < 80; i++) {
		seed = i * UINT64_C(2654435761) + 99;
		bool large = i % 2;
		ent_buf b = misleading(large ? 70000 + dice(500000) : 200 + dice(3000));
		int fd = driver_file(b.data, b.n);
		uint32_t instance = i % 3 ? ROWS : FLAT;
		driver_clear(&worker);
		if (!driver_decode(&worker, instance, fd, WHOLE)) {
			fail_msg("round %u: %s", i, worker.failed.what);
		}
		driver_outcome whole = driver_result(&worker);
		for (int k = 0; k < 4; k++) {
			uint64_t chunk = k % 2 && !large ? 0 : large ? 5000 + dice(50000) : 1 + dice(400);
			again += decode_chunks(instance, fd, b.n, chunk);
			driver_same(&worker, &whole, chunk);
		}
		free(whole.docs);
		close(fd);
		ent_buf_finish(&b);
	}
	assert_true(again > 30); /* else the cells mislead nobody, and nothing is tested */
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_of_orders),
		cmocka_unit_test(chunks_of_single_rows),
		cmocka_unit_test(chunks_of_lines),
		cmocka_unit_test(a_wrong_guess_is_slow_but_not_wrong),
		cmocka_unit_test(archives_cannot_be_cut),
		cmocka_unit_test(any_cells_in_any_chunks),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
