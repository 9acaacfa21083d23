/* SPDX-License-Identifier: Apache-2.0
 *
 * A decoder's options, checked against a table like those that plugins have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/options.h"

static const char *const colours[] = {"red", "green", NULL};
static const ent_option any[] = {{.key = "*", .type = ENT_OPT_STR}, {.key = NULL}};
static const ent_option column[] = {
	{.key = "from", .type = ENT_OPT_STR, .required = 1, .doc = "the column"},
	{.key = "decimals", .type = ENT_OPT_INT, .preset = "2"},
	{.key = NULL},
};
static const ent_option columns[] = {{.key = "*", .type = ENT_OPT_MAP, .item = column}, {.key = NULL}};
static const ent_option texts[] = {{.key = "*", .type = ENT_OPT_STR}, {.key = NULL}};
static const ent_option table[] = {
	{.key = "strict", .type = ENT_OPT_BOOL, .preset = "true"},
	{.key = "colour", .type = ENT_OPT_ENUM, .choices = colours, .preset = "green"},
	{.key = "wait", .type = ENT_OPT_DURATION, .preset = "90s"},
	{.key = "limit", .type = ENT_OPT_INT},
	{.key = "columns", .type = ENT_OPT_MAP, .item = columns},
	{.key = "constants", .type = ENT_OPT_MAP, .item = any},
	{.key = "formats", .type = ENT_OPT_LIST, .item = texts},
	{.key = "token", .type = ENT_OPT_SECRET},
	{.key = NULL},
};
enum { STRICT, COLOUR, WAIT, LIMIT, COLUMNS, CONSTANTS, FORMATS, TOKEN };

static ent_errors errors;

static int check(ent_arena *arena, const ent_option *options, const char *text, ent_value **values) {
	memset(&errors, 0, sizeof errors);
	const ent_yaml_node *node = text ? ent_yaml_load(arena, text, strlen(text), "t.yaml", &errors) : NULL;
	return ent_config_options_check(options, node, (ent_place){"t.yaml", 7, 3}, "/nowhere", arena, values, &errors);
}

static void defaults(void **state) {
	(void)state;
	ent_arena arena = {0};
	ent_value *v;
	assert_int_equal(check(&arena, table, NULL, &v), 0);
	assert_int_equal(v[STRICT].i, 1);
	assert_int_equal(v[COLOUR].i, 1);
	assert_string_equal(v[COLOUR].s.p, "green");
	assert_int_equal(v[WAIT].i, 90000000);
	assert_int_equal(v[LIMIT].set, 0);
	assert_int_equal(v[COLUMNS].set, 0);
	assert_int_equal(v[FORMATS].type, ENT_OPT_LIST);
	assert_int_equal(check(&arena, NULL, NULL, &v), 0);
	assert_null(v);
	ent_arena_finish(&arena);
}

static void written(void **state) {
	(void)state;
	ent_arena arena = {0};
	ent_value *v;
	setenv("ENT_T_TOKEN", "s3cret", 1);
	assert_int_equal(check(&arena, table,
						 "strict: no\ncolour: red\nwait: 36h\nlimit: -5\n"
						 "columns: {total: {from: Betrag}, tax: {from: 'Steuer', decimals: 4}}\n"
						 "constants: {country: NO, kind: 7}\nformats: ['%d.%m.%Y', '%Y']\ntoken: env:ENT_T_TOKEN\n",
						 &v),
		0);
	assert_int_equal(v[STRICT].i, 0);
	assert_int_equal(v[COLOUR].i, 0);
	assert_int_equal(v[WAIT].i, INT64_C(36) * 3600 * 1000000);
	assert_int_equal(v[LIMIT].i, -5);
	assert_int_equal(v[COLUMNS].n, 2);
	assert_string_equal(v[COLUMNS].keys[1].p, "tax");
	assert_string_equal(v[COLUMNS].items[0].items[0].s.p, "Betrag");
	assert_int_equal(v[COLUMNS].items[0].items[1].i, 2);
	assert_int_equal(v[COLUMNS].items[1].items[1].i, 4);
	assert_string_equal(v[CONSTANTS].items[0].s.p, "NO");
	assert_string_equal(v[CONSTANTS].items[1].s.p, "7");
	assert_int_equal(v[FORMATS].n, 2);
	assert_string_equal(v[TOKEN].s.p, "s3cret");
	assert_int_equal(check(&arena, table, "formats: '%Y'\n", &v), 0); /* one for a list of one */
	assert_int_equal(v[FORMATS].n, 1);
	ent_arena_finish(&arena);
}

static void refused(const char *text, const char *expected) {
	ent_arena arena = {0};
	ent_value *v = (ent_value *)&arena;
	char line[2048];
	assert_int_equal(check(&arena, table, text, &v), ENT_ERR_INVALID);
	assert_null(v);
	assert_int_equal(errors.total, 1);
	assert_string_equal(ent_error_text(&errors.e[0], line, sizeof line), expected);
	ent_arena_finish(&arena);
}

static void faults(void **state) {
	(void)state;
	unsetenv("ENT_T_NONE");
	refused("colur: red\n", "t.yaml:1:1: unknown key 'colur'; did you mean 'colour'?");
	refused("colour: grene\n", "t.yaml:1:9: 'colour' does not take 'grene'; did you mean 'green'?");
	refused("colour: blue\n", "t.yaml:1:9: 'colour' does not take 'blue'; one of: red, green");
	refused("limit: 1.5\n", "t.yaml:1:8: 'limit' takes a whole number, not '1.5'; write for example limit: 1");
	refused("wait: 5 minutes\n",
		"t.yaml:1:7: 'wait' takes a duration (ms, s, m, h, d, w), not '5 minutes'; write for example "
		"wait: 90s");
	refused("strict: [yes]\n", "t.yaml:1:9: 'strict' takes a single value, not a list; write strict: true");
	refused("columns:\n  total: {decimal: 2, from: x}\n",
		"t.yaml:2:11: unknown key 'decimal' in total; did you mean 'decimals'?");
	refused("columns:\n  total: {decimals: 2}\n", "t.yaml:2:10: option 'from' is missing (the column); add from: TEXT");
	refused(
		"columns: [a]\n", "t.yaml:1:10: 'columns' takes a map, not a list; write KEY: VALUE lines below it, indented");
	refused("formats: {a: b}\n", "t.yaml:1:10: 'formats' takes a list; write formats: [A, B, …]");
	/* the text may be the secret itself: it is not repeated */
	refused("token: hunter2\n",
		"t.yaml:1:8: a secret has to be a reference; write where it is kept: file:PATH, env:NAME or systemd:NAME");
	refused("token: env:ENT_T_NONE\n",
		"t.yaml:1:8: environment variable ENT_T_NONE, which holds a secret, is not set; set it, or "
		"use file: or systemd:");
	refused("[a]\n", "t.yaml:1:1: 'options' takes a map, not a list; write {OPTION: VALUE}");
	/* every fault is told, and each at its own place */
	ent_arena arena = {0};
	ent_value *v;
	assert_int_equal(check(&arena, table, "limit: x\nwait: y\nnothing: 1\n", &v), ENT_ERR_INVALID);
	assert_int_equal(errors.total, 3);
	/* without a map of its own, what is missing is missing where the decoder was named */
	static const ent_option need[] = {{.key = "from", .type = ENT_OPT_STR, .required = 1}, {.key = NULL}};
	assert_int_equal(check(&arena, need, NULL, &v), ENT_ERR_INVALID);
	assert_int_equal(errors.e[0].line, 7);
	assert_int_equal(check(&arena, NULL, "a: 1\n", &v), ENT_ERR_INVALID);
	assert_string_equal(errors.e[0].what, "unknown key 'a': there are no options here");
	ent_arena_finish(&arena);
}

static void secrets(void **state) {
	(void)state;
	ent_arena arena = {0};
	ent_error e;
	ent_str out;
	char path[] = "/tmp/ent_secret_XXXXXX", reference[64];
	int fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, "two words\r\n", 11) == 11);
	snprintf(reference, sizeof reference, "file:%s", strrchr(path, '/') + 1);
	assert_int_equal(ent_config_secret(reference, "/tmp", &arena, &out, &e), 0);
	assert_string_equal(out.p, "two words");
	setenv("CREDENTIALS_DIRECTORY", "/tmp", 1);
	snprintf(reference, sizeof reference, "systemd:%s", strrchr(path, '/') + 1);
	assert_int_equal(ent_config_secret(reference, "/", &arena, &out, &e), 0);
	assert_string_equal(out.p, "two words");
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ent_config_secret(reference, "/", &arena, &out, &e), ENT_ERR_INVALID);
	close(fd);
	unlink(path);
	assert_int_equal(ent_config_secret(reference, "/", &arena, &out, &e), ENT_ERR_IO);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(ent_config_secret("systemd:x", "/", &arena, &out, &e), ENT_ERR_NOTFOUND);
	assert_false(ent_config_secret_form("systemd:../x"));
	assert_false(ent_config_secret_form("file:"));
	ent_arena_finish(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(written),
		cmocka_unit_test(faults),
		cmocka_unit_test(secrets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
