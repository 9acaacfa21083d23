/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of reading logs of the inbox: envelopes, lines that are no records, damage, from any place to any place. */
#include "base/buf.h"
#include "base/envelope.h"
#include "decode/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int file_of(const void *bytes, size_t n) {
	int fd = memfd_create("document", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(write(fd, bytes, n) == (ssize_t)n);
	return fd;
}

/* A line of a log of the inbox. */
static void put_line(ent_buf *out, char kind, const char *body) {
	char line[256];
	int n = snprintf(line, sizeof line, "........ 0643a1f0c2b3d4 -------------------------------- %c %s", kind, body);
	char sum[9];
	snprintf(sum, sizeof sum, "%08x", ent_crc32c(line + ENT_ENVELOPE_ARRIVAL, (size_t)n - ENT_ENVELOPE_ARRIVAL));
	memcpy(line, sum, 8);
	ent_buf_add(out, line, (size_t)n);
	ent_buf_u8(out, '\n');
}

/* Envelopes are taken off, what is no record is left out, what is damaged is said to be; from any place, to any place. */
static void envelopes(void **state) {
	(void)state;
	ent_buf log = {0};
	uint64_t place[8], ends[8];
	const char *kinds = "HrRCDRRR", *bodies[] = {"1 head", "{\"a\":1}", "[]", "cursor", "name 1 2", "  ", "x", "{}"};
	for (int i = 0; i < 8; i++) {
		place[i] = log.n;
		put_line(&log, kinds[i], bodies[i]);
		ends[i] = log.n;
	}
	log.data[place[6] + 70 - 12] ^= 1; /* the blank before its body */
	size_t whole = log.n;
	ent_buf_add(&log, "1a2b3c4d 0643\xc3", 14); /* half a line, being written; half a character of it */
	int fd = file_of(log.data, log.n);
	static const int records[] = {1, 2, 6, 7};
	for (uint64_t from = 0; from <= whole; from++) {
		for (unsigned to = 0; to < 8; to++) {
			ent_input file;
			ent_lines lines;
			ent_fault f = {0};
			assert_int_equal(ent_input_open(&file, fd, 0, 0, &f), 0);
			ent_input_limit(&file, whole);
			assert_int_equal(ent_lines_open(&lines, &file, ENT_ENCODING_AUTO, NULL, &f), 0);
			lines.enveloped = true;
			assert_true(ent_lines_can_seek(&lines));
			if (from) {
				assert_int_equal(ent_lines_seek(&lines, from, &f), 0);
			}
			for (int k = 0; k < 4; k++) {
				int i = records[k];
				if (place[i] < from || ends[i] > ends[to]) {
					continue;
				}
				ent_lines_piece piece;
				assert_int_equal(ent_lines_next(&lines, ends[to], &piece, &f), 1);
				assert_int_equal(piece.lines, 1);
				assert_int_equal(piece.damaged, i == 6);
				assert_int_equal(piece.place, place[i] + (i == 6 ? 0 : ENT_ENVELOPE));
				assert_memory_equal(piece.bytes.p, log.data + piece.place, piece.bytes.n);
				assert_int_equal(piece.place + piece.bytes.n, ends[i]);
			}
			ent_lines_piece piece;
			assert_int_equal(ent_lines_next(&lines, ends[to], &piece, &f), 0);
			assert_true(ent_lines_place(&lines) >= ends[to] || from > ends[to]);
			ent_lines_finish(&lines);
			ent_input_finish(&file);
		}
	}
	close(fd);
	ent_buf_finish(&log);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(envelopes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
