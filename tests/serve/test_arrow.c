/* SPDX-License-Identifier: Apache-2.0
 *
 * Series as an Arrow stream: the bytes are those of tests/serve/data/series.arrow, which pyarrow read as the table that it was
 * made from (data/make_arrow.py), and the buffers of the batch are those that pyarrow itself writes. */
#include "serve/arrow.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA ENTENTE_SOURCE_DIR "/tests/serve/data/"

static ent_buf read_file(const char *path) {
	ent_buf b = {0};
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	for (size_t n = 1; n;) {
		ent_buf_reserve(&b, 4096);
		n = fread(b.data + b.n, 1, 4096, f);
		b.n += n;
	}
	fclose(f);
	return b;
}

static ent_buf series(void) {
	ent_buf json = read_file(DATA "series.json"), out = {0};
	ent_error e = {0};
	int status = ent_arrow_series((const char *)json.data, json.n, &out, &e);
	assert_string_equal(e.what, "");
	assert_int_equal(status, 0);
	ent_buf_finish(&json);
	return out;
}

static void same_bytes(void **state) {
	(void)state;
	ent_buf ours = series();
	if (getenv("ENTENTE_MAKE_GOLDEN")) {
		FILE *f = fopen(DATA "series.arrow", "wb");
		assert_true(f && fwrite(ours.data, 1, ours.n, f) == ours.n && fclose(f) == 0);
	}
	ent_buf golden = read_file(DATA "series.arrow");
	assert_int_equal(ours.n, golden.n);
	assert_memory_equal(ours.data, golden.data, golden.n);
	ent_buf_finish(&ours);
	ent_buf_finish(&golden);
}

static uint32_t u32(const ent_buf *b, size_t at) {
	uint32_t v;
	assert_true(at + sizeof v <= b->n);
	memcpy(&v, b->data + at, sizeof v);
	return v;
}

/* Where the body of the second message begins: behind the schema, which has none, and the metadata of the batch. */
static size_t body_of(const ent_buf *b) {
	size_t at = 0;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(u32(b, at), UINT32_MAX);
		assert_int_equal(u32(b, at + 4) % 8, 0);
		at += 8 + u32(b, at + 4);
	}
	return at;
}

static void same_buffers(void **state) {
	(void)state;
	ent_buf ours = series(), theirs = read_file(DATA "pyarrow.arrow");
	size_t a = body_of(&ours), b = body_of(&theirs);
	assert_int_equal(ours.n - a, theirs.n - b);
	assert_memory_equal(ours.data + a, theirs.data + b, ours.n - a); /* and the mark of the end */
	ent_buf_finish(&ours);
	ent_buf_finish(&theirs);
}

static void nothing(void **state) {
	(void)state;
	ent_buf out = {0};
	ent_error e;
	static const char empty[] = "{\"by\": null, \"metrics\": [], \"rows\": []}";
	assert_int_equal(ent_arrow_series(empty, sizeof empty - 1, &out, &e), 0);
	assert_int_equal(body_of(&out) % 8, 0);
	assert_int_equal(u32(&out, out.n - 4), 0);
	assert_int_equal(ent_arrow_series("[", 1, &out, &e), ENT_ERR_CORRUPT);
	ent_buf_finish(&out);
}

int main(void) {
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_bytes),
		cmocka_unit_test(same_buffers),
		cmocka_unit_test(nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
