/* SPDX-License-Identifier: Apache-2.0
 *
 * Options as bytes: what goes in comes out; cut or altered bytes are refused or sound, never read beyond their end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/options_wire.h"

static const char *const colours[] = {"red", "green", NULL};
static const ent_option any[] = {{.key = "*", .type = ENT_OPT_STR, .doc = "any"}, {.key = NULL}};
static const ent_option inner[] = {
	{.key = "from", .type = ENT_OPT_STR, .required = 1, .doc = "column"},
	{.key = "wait", .type = ENT_OPT_DURATION, .preset = "90s"},
	{.key = "names", .type = ENT_OPT_MAP, .item = any},
	{.key = NULL},
};
static const ent_option list_of[] = {{.key = "*", .type = ENT_OPT_MAP, .item = inner}, {.key = NULL}};
static const ent_option table[] = {
	{.key = "strict", .type = ENT_OPT_BOOL, .preset = "true", .doc = "Be strict."},
	{.key = "colour", .type = ENT_OPT_ENUM, .choices = colours, .preset = "red"},
	{.key = "columns", .type = ENT_OPT_LIST, .item = list_of, .doc = "What to read.\nTwo lines."},
	{.key = "token", .type = ENT_OPT_SECRET},
	{.key = "limit", .type = ENT_OPT_INT, .preset = ""},
	{.key = NULL},
};

static void same_text(const char *a, const char *b) {
	if (a && b) {
		assert_string_equal(a, b);
	} else {
		assert_ptr_equal(a, b);
	}
}

static void same_table(const ent_option *a, const ent_option *b) {
	assert_int_equal(ent_options_count(a), ent_options_count(b));
	for (size_t i = 0; a && a[i].key; i++) {
		assert_string_equal(a[i].key, b[i].key);
		assert_int_equal(a[i].type, b[i].type);
		assert_int_equal(a[i].required, b[i].required);
		same_text(a[i].preset, b[i].preset);
		same_text(a[i].doc, b[i].doc);
		assert_int_equal(a[i].choices != NULL, b[i].choices != NULL);
		for (size_t k = 0; a[i].choices && (a[i].choices[k] || b[i].choices[k]); k++) {
			assert_string_equal(a[i].choices[k], b[i].choices[k]);
		}
		same_table(a[i].item, b[i].item);
	}
}

static void tables(void **state) {
	(void)state;
	ent_buf out = {0};
	ent_arena arena = {0};
	ent_error e;
	const ent_option *read;
	ent_buf_text(&out, "before");
	size_t start = out.n;
	assert_int_equal(ent_options_write(table, &out, &e), 0);
	assert_int_equal(ent_options_write(NULL, &out, &e), 0);
	ent_read from = ent_read_of(out.data + start, out.n - start);
	assert_int_equal(ent_options_read(&from, &arena, &read, &e), 0);
	same_table(table, read);
	assert_int_equal(ent_options_read(&from, &arena, &read, &e), 0);
	assert_int_equal(ent_options_count(read), 0);
	assert_ptr_equal(from.p, from.end);
	ent_arena_finish(&arena);
	ent_buf_finish(&out);
}

#define TEXT(s)                                                                                                        \
	{ (s), sizeof(s) - 1 }

static const ent_value row[] = {
	{.type = ENT_OPT_STR, .set = 1, .s = TEXT("a\0b")},
	{.type = ENT_OPT_DURATION, .set = 1, .i = INT64_MIN},
	{.type = ENT_OPT_STR},
};
static const ent_str names[] = {TEXT("x"), TEXT(""), TEXT("zz")};
static const ent_value values[] = {
	{.type = ENT_OPT_BOOL, .set = 1, .i = 1, .s = TEXT("yes")},
	{.type = ENT_OPT_MAP, .set = 1, .n = 3, .items = row, .keys = names},
	{.type = ENT_OPT_LIST, .set = 1, .n = 3, .items = row},
	{.type = ENT_OPT_LIST},
};

static void same_values(const ent_value *a, const ent_value *b, size_t n) {
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(a[i].type, b[i].type);
		assert_int_equal(a[i].set, b[i].set);
		assert_int_equal(a[i].i, b[i].i);
		assert_int_equal(a[i].s.p != NULL, b[i].s.p != NULL);
		assert_int_equal(a[i].s.n, b[i].s.n);
		if (a[i].s.p) {
			assert_memory_equal(a[i].s.p, b[i].s.p, a[i].s.n);
			assert_int_equal(b[i].s.p[b[i].s.n], 0);
		}
		assert_int_equal(a[i].n, b[i].n);
		assert_int_equal(a[i].keys != NULL, b[i].keys != NULL);
		for (size_t k = 0; a[i].keys && k < a[i].n; k++) {
			assert_int_equal(a[i].keys[k].n, b[i].keys[k].n);
			assert_memory_equal(a[i].keys[k].p, b[i].keys[k].p, a[i].keys[k].n);
		}
		same_values(a[i].items, b[i].items, a[i].n);
	}
}

static void value_arrays(void **state) {
	(void)state;
	ent_buf out = {0};
	ent_arena arena = {0};
	ent_error e;
	const ent_value *read;
	size_t n;
	assert_int_equal(ent_values_write(values, 4, &out, &e), 0);
	assert_int_equal(ent_values_write(NULL, 0, &out, &e), 0);
	ent_read from = ent_read_of(out.data, out.n);
	assert_int_equal(ent_values_read(&from, &arena, &read, &n, &e), 0);
	assert_int_equal(n, 4);
	same_values(values, read, n);
	assert_int_equal(ent_values_read(&from, &arena, &read, &n, &e), 0);
	assert_int_equal(n, 0);
	assert_null(read);
	assert_ptr_equal(from.p, from.end);
	ent_arena_finish(&arena);
	ent_buf_finish(&out);
}

/* Reads from a block of just that size, so that a sanitizer sees a step beyond it. */
static int read_exact(const uint8_t *bytes, size_t n, bool options) {
	uint8_t *copy = malloc(n ? n : 1);
	ent_arena arena = {0};
	ent_error e;
	memcpy(copy, bytes, n);
	ent_read from = ent_read_of(copy, n);
	int status;
	if (options) {
		const ent_option *read;
		ent_buf again = {0};
		status = ent_options_read(&from, &arena, &read, &e);
		if (status == 0) {
			assert_int_equal(ent_options_write(read, &again, &e), 0); /* what was taken is sound */
		}
		ent_buf_finish(&again);
	} else {
		const ent_value *read;
		size_t count;
		status = ent_values_read(&from, &arena, &read, &count, &e);
	}
	ent_arena_finish(&arena);
	free(copy);
	return status;
}

static void broken_bytes(void **state) {
	(void)state;
	ent_error e;
	for (int options = 0; options < 2; options++) {
		ent_buf out = {0};
		assert_int_equal(options ? ent_options_write(table, &out, &e) : ent_values_write(values, 4, &out, &e), 0);
		for (size_t n = 0; n < out.n; n++) {
			assert_int_equal(read_exact(out.data, n, options), ENT_ERR_CORRUPT);
		}
		for (size_t i = 0; i < out.n; i++) {
			uint8_t was = out.data[i];
			for (unsigned bit = 0; bit < 8; bit++) {
				out.data[i] = (uint8_t)(was ^ (1u << bit));
				read_exact(out.data, out.n, options);
			}
			out.data[i] = 0xff;
			read_exact(out.data, out.n, options);
			out.data[i] = was;
		}
		ent_buf_finish(&out);
	}
	/* noise, with a fixed seed */
	uint32_t seed = 12345;
	for (int round = 0; round < 2000; round++) {
		uint8_t noise[256];
		for (size_t i = 0; i < sizeof noise; i++) {
			seed = seed * 1664525u + 1013904223u;
			noise[i] = (uint8_t)(seed >> 24) & (round & 1 ? 0xff : 0x03);
		}
		read_exact(noise, sizeof noise, round & 2);
	}
}

static void refused(const ent_option *broken, int at_write, const char *why) {
	ent_buf out = {0};
	ent_arena arena = {0};
	ent_error e = {0};
	const ent_option *read;
	int status = ent_options_write(broken, &out, &e);
	assert_int_equal(status, at_write);
	if (!status) {
		ent_read from = ent_read_of(out.data, out.n);
		assert_int_equal(ent_options_read(&from, &arena, &read, &e), ENT_ERR_CORRUPT);
	} else {
		assert_int_equal(out.n, 0);
	}
	assert_non_null(strstr(e.what, why));
	ent_arena_finish(&arena);
	ent_buf_finish(&out);
}

static void unsound_tables(void **state) {
	(void)state;
	static ent_option cyclic[] = {{.key = "again", .type = ENT_OPT_MAP}, {.key = NULL}};
	cyclic[0].item = cyclic;
	refused(cyclic, ENT_ERR_RANGE, "nested deeper");
	refused(
		(const ent_option[]){{.key = "x", .type = (ent_opt_type)99}, {.key = NULL}}, ENT_ERR_RANGE, "unknown type 99");
	refused((const ent_option[]){{.key = "x", .type = ENT_OPT_ENUM}, {.key = NULL}}, 0, "has no choices");
	refused((const ent_option[]){{.key = "x", .type = ENT_OPT_INT, .choices = colours}, {.key = NULL}}, 0,
		"is not of type ENUM");
	refused((const ent_option[]){{.key = "x", .type = ENT_OPT_LIST}, {.key = NULL}}, 0, "does not say what it holds");
	refused(
		(const ent_option[]){{.key = "x", .type = ENT_OPT_LIST, .item = inner}, {.key = NULL}}, 0, "exactly one row");
	refused((const ent_option[]){{.key = "x", .type = ENT_OPT_MAP, .item = any, .preset = "1"}, {.key = NULL}}, 0,
		"no preset");
	refused((const ent_option[]){{.key = "x", .type = ENT_OPT_STR}, {.key = "x", .type = ENT_OPT_STR}, {.key = NULL}},
		0, "twice");
	refused((const ent_option[]){{.key = "*", .type = ENT_OPT_STR}, {.key = NULL}}, 0, "outermost");
	refused(
		(const ent_option[]){{.key = "x", .type = ENT_OPT_STR, .doc = "\033[2J"}, {.key = NULL}}, 0, "make no sense");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),
		cmocka_unit_test(value_arrays),
		cmocka_unit_test(broken_bytes),
		cmocka_unit_test(unsound_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
