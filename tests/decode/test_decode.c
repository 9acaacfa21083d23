/* SPDX-License-Identifier: Apache-2.0
 *
 * entente-decoder from outside: documents of every frame, encodings, archives, rejects, verdicts. */
#include "base/arena.h"
#include "documents.h"
#include "driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>
#include <sys/wait.h>
#include <unistd.h>
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
	assert_false(worker.torn);
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
	assert_true(decode(
		LINES, "\xef\xbb\xbf{\"k\":\"a\"}\n\n{\"k\":\"b\"}\r\n \r\n{\"x\":\"bad\"}\n{\"x\":\"skip\"}\n{\"k\":\"c\"}"));
	expect(5, 3, 1, 1, 3);
	assert_int_equal(worker.n_docs, 3);
	assert_int_equal(worker.docs[1].place, 14);
	assert_string_equal(worker.docs[2].key, "c");
	assert_int_equal(worker.skips, 1);
}

static void documents_and_bytes(void **state) {
	(void)state;
	static const char text[] = "{\"k\":\"a\"}\n{\"k\":\"b\"}\n{\"x\":\"bad\"}\n{\"x\":\"skip\"}\n{\"k\":\"c\"}";
	assert_true(decode(DOCUMENT, text));
	expect(5, 3, 1, 1, 3);
	assert_int_equal(worker.docs[2].place, 45);
	assert_true(decode(BYTES, text));
	expect(5, 3, 1, 1, 3);
	assert_int_equal(worker.docs[2].place, 45);
	assert_true(decode_bytes(DOCUMENT, "\xff\xfe{\0\"\0k\0\"\0:\0\"\0a\0\"\0}\0", 20)); /* UTF-16 with its mark */
	expect(1, 1, 0, 0, 1);
	assert_string_equal(worker.docs[0].key, "a");
	assert_true(decode(BYTES, ""));
	expect(0, 0, 0, 0, 0);
	ent_buf large = {0}; /* more than one piece, cut anywhere */
	for (int i = 0; i < 60000; i++) {
		ent_buf_printf(&large, "{\"k\":\"key %d\"}\n", i);
	}
	assert_true(decode_bytes(BYTES, large.data, large.n));
	expect(60000, 60000, 0, 0, 60000);
	assert_string_equal(worker.docs[59999].key, "key 59999");
	ent_buf_finish(&large);
}

static void rejects_say_why(void **state) {
	(void)state;
	static const char text[] = "Name,At,Currency,Total,Email\n"
							   "#1,yesterday,EUR,1,Ann.Lee@example.org\n"
							   "#2,2024-03-02,EUR,many,x\n"
							   "skip,,,,\n"
							   "#3,2024-03-02,EUR\n"
							   "#4,2024-03-02,euro,4,x\n"
							   "#5,2024-03-02,EUR,5,x\n"
							   ",2024-03-02,EUR,5,x\n";
	assert_true(decode(ROWS, text));
	expect(7, 1, 5, 1, 3);
	/* #4 is refused with its currency; its line is a fact without a header, and stays: `pending` is for the ledger */
	assert_int_equal(worker.n_docs, 2);
	assert_string_equal(worker.docs[0].key, "#4");
	assert_int_equal(worker.docs[0].flags, 0);
	assert_int_equal(worker.n_rejects, 6);
	driver_reject *r = worker.rejects;
	assert_string_equal(r[0].reason, "not a time");
	assert_string_equal(r[0].column, "At");
	assert_string_equal(r[0].excerpt, "aaaaaaaaa");
	assert_int_equal(r[0].place, 29);
	assert_int_equal(r[0].line, 2);
	assert_string_equal(r[1].column, "Total");
	assert_string_equal(r[2].reason, "3 fields where the header has 5");
	assert_string_equal(r[2].excerpt, "#9,9999-99-99,AAA");
	assert_non_null(strstr(r[3].reason, "three letters"));
	assert_string_equal(r[4].reason, "a fact without a key");
	/* the record itself is there for whoever has the key */
	uint8_t key[32], plain[200];
	memset(key, 2, sizeof key);
	size_t n = r[0].sealed_n - crypto_secretbox_NONCEBYTES;
	assert_int_equal(
		crypto_secretbox_open_easy(plain, r[0].sealed + crypto_secretbox_NONCEBYTES, n, r[0].sealed, key), 0);
	static const char record[] = "#1,yesterday,EUR,1,Ann.Lee@example.org";
	assert_int_equal(n - crypto_secretbox_MACBYTES, sizeof record - 1);
	assert_memory_equal(plain, record, sizeof record - 1);
	for (uint32_t i = 1; i < worker.n_texts; i++) {
		assert_null(strstr(worker.texts[i], "Ann")); /* and nowhere else */
	}
}

static void content_is_what_is_said(void **state) {
	(void)state;
	assert_true(decode(ROWS, small));
	uint64_t first = worker.docs[0].content, second = worker.docs[1].content;
	assert_int_not_equal(first, second);
	/* other columns, another order of rows, another spelling of the amount: the same facts */
	assert_true(decode(ROWS,
		"Vendor;Currency;Name;Note;Date;Total;Qty;Sku;Email\r\n"
		"south;EUR;#2;;2024-03-02;1.00;1;C;B@example.org\r\n"
		"north;EUR;#1;\"two\nlines\";2024-03-01T10:00:00+01:00;10.5;1;A;a@example.org\r\n;;#1;;;;2;B;\r\n"));
	assert_true(worker.docs[1].content == first);
	assert_true(worker.docs[0].content == second);
	/* one line less, one other quantity, one other buyer */
	static const char *const changed[] = {
		"#2,2024-03-02,EUR,1,C,2,b@example.org,south,\n",
		"#2,2024-03-02,EUR,1,C,1,c@example.org,south,\n",
		"#2,2024-03-02,EUR,1,C,1,b@example.org,south,\n#2,,,,C,1,,,\n",
		"#2,2024-03-02,EUR,1,C,,b@example.org,south,\n",
		"#2,2024-03-02,EUR,1,C,1,b@example.org,north,\n",
	};
	for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
		char text[300];
		snprintf(text, sizeof text, "Name,At,Currency,Total,Sku,Qty,Email,Vendor,Note\n%s", changed[i]);
		assert_true(decode(ROWS, text));
		assert_int_equal(worker.n_docs, 1);
		assert_true(worker.docs[0].content != second);
	}
}

static void documents_that_are_refused(void **state) {
	(void)state;
	assert_false(decode(ROWS, "Nome,At,Total\n"));
	assert_int_equal(worker.failed.about, ENT_MSG_DECODE);
	assert_non_null(strstr(worker.failed.what, "'Name', 'Currency'"));
	assert_non_null(strstr(worker.failed.todo, "'Name' looks like 'Nome'"));
	assert_false(decode(ROWS, "Name,At,Currency,Total\n#1,2024-03-02,EUR,5\nfail,,,\n"));
	assert_string_equal(worker.failed.what, "this is no order");
	assert_string_equal(worker.failed.todo, "export orders");
	assert_string_equal(worker.failed.column, "Name");
	assert_int_equal(worker.failed.place, 43);
	assert_int_equal(worker.failed.line, 3);
	assert_false(decode(ROWS, "Name,At,Currency,Total\n#1,\"2024-03-02,EUR,5\n"));
	assert_int_equal(worker.failed.place, 26);
	/* texts that a refused document defined count as defined: the driver checks that none is left out */
	assert_false(
		decode(ROWS, "Name,At,Currency,Total,Vendor,Sku\n#1,2024-03-02,EUR,5,only here,and here\nfail,,,,,\n"));
	assert_true(decode(ROWS, "Name,At,Currency,Total,Vendor,Sku\n#1,2024-03-02,EUR,5,elsewhere,only here\n"));
	assert_string_equal(worker.docs[0].partner, "elsewhere");
	assert_true(decode(ROWS, small)); /* and the worker goes on */
	expect(3, 3, 0, 0, 5);
}

static void framing_options(void **state) {
	(void)state;
	const char *const good[] = {"encoding", "latin1", "delimiter", "tab", "skip_lines", "1", NULL};
	assert_true(driver_open(&worker, 20, "rows", 1, good));
	assert_true(decode(20, "Export\nName\tAt\tCurrency\tTotal\tSku\n#\xe9\t2024-03-02\tEUR\t1\t\"x\n"));
	expect(1, 1, 0, 0, 2);
	assert_string_equal(worker.docs[0].key, "#\xc3\xa9");
	assert_string_equal(worker.done.notes, "latin1, tab");
	const char *const bad[] = {"encoding", "klingon", NULL};
	assert_false(driver_open(&worker, 21, "rows", 1, bad));
	assert_int_equal(worker.failed.about, ENT_MSG_OPEN);
	assert_non_null(strstr(worker.failed.what, "klingon"));
	assert_false(driver_open(&worker, 21, "bytes", 0, good));
	assert_non_null(strstr(worker.failed.what, "no framing option 'encoding'"));
	assert_false(driver_open(&worker, 21, "lines", 0, good));
	assert_non_null(strstr(worker.failed.what, "no framing option 'delimiter'"));
	assert_false(driver_open(&worker, 22, "nobody", 0, NULL));
	assert_non_null(strstr(worker.failed.what, "no decoder 'nobody'"));
}

static void companions_reach_the_plugin(void **state) {
	(void)state;
	driver_clear(&worker);
	int fd = driver_file(small, sizeof small - 1), side = driver_file("beside", 6);
	assert_true(driver_decode(&worker, ROWS, fd, 0, UINT64_MAX, false, side));
	close(fd);
	close(side);
	assert_string_equal(worker.cursor, "companion=beside");
}

static void probing(void **state) {
	(void)state;
	uint32_t scores[8], n;
	int fd = driver_file(small, sizeof small - 1);
	assert_true(driver_probe(&worker, fd, scores, &n));
	close(fd);
	assert_int_equal(n, 5);
	assert_int_equal(scores[0], 90);
	assert_int_equal(scores[1], 0);
	uint8_t packed[300];
	size_t bytes = ZSTD_compress(packed, sizeof packed, "Name,\n", 6, 1);
	fd = driver_file(packed, bytes);
	assert_true(driver_probe(&worker, fd, scores, &n));
	close(fd);
	assert_int_equal(scores[0], 90);
	fd = driver_file("Name \xfc", 6); /* nobody has said yet that it is latin1 */
	assert_true(driver_probe(&worker, fd, scores, &n));
	close(fd);
	assert_int_equal(scores[0], 90);
	fd = driver_file("\0\1\2\3", 4);
	assert_true(driver_probe(&worker, fd, scores, &n));
	close(fd);
	assert_int_equal(scores[0], 0);
}

/* Bytes turned, cut out and doubled at random, packed or not, as any frame, in any range: the worker answers and lives.
 */
static void garbage_is_survived(void **state) {
	(void)state;
	ent_buf csv_text = orders(3000), json_text = json(3000);
	for (int i = 0; i < 600; i++) {
		const ent_buf *from = i % 2 ? &csv_text : &json_text;
		ent_buf b = {0};
		ent_buf_add(&b, from->data, from->n);
		for (uint32_t k = dice(12); k && b.n; k--) {
			uint32_t at = dice((uint32_t)b.n), n = dice(64);
			n = n > b.n - at ? (uint32_t)(b.n - at) : n;
			switch (dice(5)) {
			case 0:
				b.data[at] = (uint8_t)dice(256);
				break;
			case 1:
				b.data[at] = (uint8_t) "\",\n\r;\t\\{}"[dice(9)];
				break;
			case 2:
				b.n -= n;
				memmove(b.data + at, b.data + at + n, b.n - at);
				break;
			case 3:
				b.n = at + 1;
				break;
			default:
				ent_buf_add(&b, b.data + at, 0);
				ent_buf_reserve(&b, n);
				memcpy(b.data + b.n, b.data + at, n);
				b.n += n;
			}
		}
		if (dice(4) == 0) { /* packed, and the archive then damaged */
			uint8_t *packed = ent_xmalloc(b.n + 1024);
			size_t n = ZSTD_compress(packed, b.n + 1024, b.data, b.n, 1);
			packed[dice((uint32_t)n)] ^= (uint8_t)(1u << dice(8));
			ent_buf_finish(&b);
			ent_buf_add(&b, packed, n);
			free(packed);
		}
		uint64_t begin = dice(2) ? 0 : dice((uint32_t)b.n + 10), end = dice(2) ? UINT64_MAX : begin + dice(4000);
		driver_clear(&worker);
		int fd = driver_file(b.data, b.n);
		bool ok = driver_decode(&worker, 1 + dice(5), fd, begin, end, dice(2), -1);
		close(fd);
		if (worker.dead || worker.torn || (!ok && !worker.failed.what[0])) {
			fail_msg("round %d: the worker is gone", i);
		}
		if (ok) {
			assert_int_equal(worker.done.records, worker.records);
			assert_int_equal(worker.done.facts, worker.facts);
			assert_true(worker.done.begin <= worker.done.end);
		} else {
			assert_true(worker.failed.todo[0]);
		}
		ent_buf_finish(&b);
	}
	ent_buf_finish(&csv_text);
	ent_buf_finish(&json_text);
	assert_true(decode(ROWS, small));
	expect(3, 3, 0, 0, 5);
}

/* ---- the ring ---- */

static void a_small_ring_is_used_again_and_again(void **state) {
	(void)state;
	driver own = worker; /* the tests' worker waits meanwhile */
	driver_start(&worker, &(driver_setup){.slots = 3, .slot_bytes = 8192});
	assert_true(driver_load(&worker, PLUGINS "shop.so"));
	assert_true(driver_open(&worker, ROWS, "rows", 1, NULL));
	ent_buf b = orders(1000000);
	assert_true(decode_bytes(ROWS, b.data, b.n));
	assert_true(worker.batches > 20);
	driver_outcome small_ring = driver_result(&worker);
	/* an order larger than a slot takes several; one larger than the ring is refused, and only that one */
	ent_buf l = {0};
	ent_buf_printf(&l, "Name,At,Currency,Total,Sku\n#1,2024-03-01,EUR,1,x\n");
	for (int i = 0; i < 800; i++) {
		ent_buf_printf(&l, "#2,2024-03-01,EUR,1,x\n");
	}
	for (int i = 0; i < 4000; i++) {
		ent_buf_printf(&l, "#3,2024-03-01,EUR,1,x\n");
	}
	ent_buf_printf(&l, "#4,2024-03-01,EUR,1,x\n");
	assert_true(decode_bytes(ROWS, l.data, l.n));
	expect(4802, 4801, 1, 0, 2 + 801 + 2);
	assert_int_equal(worker.n_docs, 3);
	assert_int_equal(worker.docs[1].n_subs, 800);
	assert_string_equal(worker.docs[2].key, "#4");
	assert_non_null(strstr(worker.rejects[0].reason, "larger than the ring"));
	/* the same at the very end, when nothing else is to come */
	size_t until = l.n - strlen("#4,2024-03-01,EUR,1,x\n");
	assert_true(decode_bytes(ROWS, l.data, until));
	expect(4801, 4800, 1, 0, 2 + 801);
	assert_int_equal(driver_finish(&worker), 0);
	worker = own;
	driver_clear(&worker);
	int fd = driver_file(b.data, b.n);
	assert_true(driver_decode(&worker, ROWS, fd, WHOLE));
	driver_same(&worker, &small_ring, 0);
	close(fd);
	free(small_ring.docs);
	ent_buf_finish(&b);
	ent_buf_finish(&l);
}

static void the_next_decode_may_be_sent_ahead(void **state) {
	(void)state;
	ent_buf b = orders(4000000); /* more than the ring holds: the second DECODE is read while waiting for room */
	int fd = driver_file(b.data, b.n);
	driver_clear(&worker);
	driver_send_decode(&worker, ROWS, fd, 0, UINT64_MAX, false, -1);
	driver_send_decode(&worker, ROWS, fd, 0, UINT64_MAX, false, -1);
	worker.assignment--;
	assert_true(driver_take_decode(&worker, 10000));
	driver_outcome first = driver_result(&worker);
	driver_clear(&worker);
	worker.assignment++;
	assert_true(driver_take_decode(&worker, 10000));
	driver_same(&worker, &first, 0);
	free(first.docs);
	close(fd);
	ent_buf_finish(&b);
}

static void a_document_that_shrinks_is_noticed(void **state) {
	(void)state;
	for (uint32_t instance = ROWS; instance <= LINES; instance += LINES - ROWS) {
		ent_buf b = instance == ROWS ? orders(9000000) : json(9000000), more = {0};
		size_t cut = b.n; /* at the end of a record, so that only the length tells */
		ent_buf_add(&more, b.data, 3000000);
		ent_buf_add(&b, more.data, more.n);
		int fd = driver_file(b.data, b.n);
		driver_clear(&worker);
		driver_send_decode(&worker, instance, fd, 0, UINT64_MAX, false, -1);
		const ent_ring_head *head = (const ent_ring_head *)worker.ring;
		for (int i = 0; i < 500 && atomic_load(&head->state) != ENT_WORKER_WAITING; i++) {
			usleep(10000);
		}
		assert_int_equal(ftruncate(fd, (off_t)cut), 0);
		assert_false(driver_take_decode(&worker, 10000));
		assert_non_null(strstr(worker.failed.what, "became shorter"));
		close(fd);
		ent_buf_finish(&b);
		ent_buf_finish(&more);
	}
}

static void stop_ends_a_wait_for_room(void **state) {
	(void)state;
	driver d;
	driver_start(&d, &(driver_setup){.slots = 2, .slot_bytes = 8192});
	assert_true(driver_load(&d, PLUGINS "shop.so"));
	assert_true(driver_open(&d, ROWS, "rows", 1, NULL));
	ent_buf b = orders(100000);
	int fd = driver_file(b.data, b.n);
	driver_send_decode(&d, ROWS, fd, 0, UINT64_MAX, false, -1);
	for (int i = 0; i < 500 && atomic_load(&((ent_ring_head *)d.ring)->state) != ENT_WORKER_WAITING; i++) {
		usleep(10000);
	}
	assert_int_equal(atomic_load(&((ent_ring_head *)d.ring)->state), ENT_WORKER_WAITING);
	int socket = dup(d.socket); /* keep it open: it is STOP that ends the worker, not end-of-file */
	assert_int_equal(driver_finish(&d), 0);
	close(socket);
	close(fd);
	ent_buf_finish(&b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_become_orders),
		cmocka_unit_test(lines_become_visits),
		cmocka_unit_test(documents_and_bytes),
		cmocka_unit_test(rejects_say_why),
		cmocka_unit_test(content_is_what_is_said),
		cmocka_unit_test(documents_that_are_refused),
		cmocka_unit_test(framing_options),
		cmocka_unit_test(companions_reach_the_plugin),
		cmocka_unit_test(probing),
		cmocka_unit_test(garbage_is_survived),
		cmocka_unit_test(a_small_ring_is_used_again_and_again),
		cmocka_unit_test(the_next_decode_may_be_sent_ahead),
		cmocka_unit_test(a_document_that_shrinks_is_noticed),
		cmocka_unit_test(stop_ends_a_wait_for_room),
	};
	if (sodium_init() < 0) {
		return 1;
	}
	return cmocka_run_group_tests(tests, start, stop);
}
