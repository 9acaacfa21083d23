/* SPDX-License-Identifier: Apache-2.0
 *
 * entente-decoder from outside: documents of every frame, encodings, archives, chunks, rejects, verdicts. */
#include "base/arena.h"
#include "driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define PLUGINS ENTENTE_BUILD_DIR "/tests/plugins/"
#define WHOLE 0, UINT64_MAX, false, -1

enum { ROWS = 1, FLAT, LINES, DOCUMENT, BYTES };

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
	assert_true(driver_open(&worker, DOCUMENT, "whole", 0, NULL));
	assert_true(driver_open(&worker, BYTES, "bytes", 0, NULL));
	return 0;
}

static int stop(void **state) {
	(void)state;
	assert_int_equal(driver_finish(&worker), 0);
	return 0;
}

static bool decode_bytes(uint32_t instance, const void *bytes, size_t n) {
	driver_clear(&worker);
	int fd = driver_file(bytes, n);
	bool ok = driver_decode(&worker, instance, fd, WHOLE);
	close(fd);
	return ok;
}

static bool decode(uint32_t instance, const char *text) { return decode_bytes(instance, text, strlen(text)); }

static void expect(uint64_t records, uint64_t consumed, uint64_t rejected, uint64_t skipped, uint64_t facts) {
	if (worker.failed.what[0]) {
		fail_msg("%s", worker.failed.what);
	}
	assert_int_equal(worker.records, records);
	assert_int_equal(worker.consumed, consumed);
	assert_int_equal(worker.rejected, rejected);
	assert_int_equal(worker.skipped, skipped);
	assert_int_equal(worker.facts, facts);
	assert_int_equal(worker.done.records, records);
	assert_int_equal(worker.done.facts, facts);
}

static const char small[] = "Name,At,Currency,Total,Sku,Qty,Email,Vendor,Note,Extra\n"
	"#1,2024-03-01 10:00:00 +0100,EUR,10.50,A,1,a@example.org,north,\"two\nlines\",x\n"
	"#1,,,,B,2,,,,x\n"
	"#2,2024-03-02,EUR,\"1\",C,1,b@example.org,south,,x\n";

static void rows_become_orders(void **state) {
	(void)state;
	assert_true(decode(ROWS, small));
	expect(3, 3, 0, 0, 5);
	assert_int_equal(worker.n_docs, 2);
	assert_string_equal(worker.docs[0].key, "#1");
	assert_string_equal(worker.docs[0].partner, "north");
	assert_int_equal(worker.docs[0].n_subs, 2);
	assert_int_equal(worker.docs[0].flags, ENT_DOC_HEAD | ENT_DOC_LINES_COMPLETE);
	assert_int_equal(worker.docs[0].place, strchr(small, '\n') + 1 - small);
	assert_int_equal(worker.docs[1].n_subs, 1);
	assert_int_equal(worker.covers, 1);
	assert_int_equal(worker.slices, 1);
	assert_true(worker.done.eof);
	assert_int_equal(worker.done.end, sizeof small - 1);
	assert_string_equal(worker.done.notes, "UTF-8, ,");
}

static void lines_become_visits(void **state) {
	(void)state;
	assert_true(decode(LINES, "\xef\xbb\xbf{\"k\":\"a\"}\n\n{\"k\":\"b\"}\r\n \r\n{\"x\":\"bad\"}\n{\"x\":\"skip\"}\n{\"k\":\"c\"}"));
	expect(5, 3, 1, 1, 3);
	assert_int_equal(worker.n_docs, 3);
	assert_int_equal(worker.docs[1].place, 14);
	assert_string_equal(worker.docs[2].key, "c");
	assert_int_equal(worker.skips, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_become_orders),
		cmocka_unit_test(lines_become_visits),
	};
	if (sodium_init() < 0) {
		return 1;
	}
	return cmocka_run_group_tests(tests, start, stop);
}
