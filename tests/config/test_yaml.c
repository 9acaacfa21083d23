/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML trees: places, environment references, what is refused, and JSON of a tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "config/yaml.h"

static const ent_yaml_node *load(ent_arena *arena, const char *text, ent_errors *errors) {
	memset(errors, 0, sizeof *errors);
	return ent_yaml_load(arena, text, strlen(text), "t.yaml", errors);
}

static void refused(const char *text, const char *expected) {
	static ent_errors errors;
	ent_arena arena = {0};
	char line[2048];
	load(&arena, text, &errors);
	assert_int_equal(errors.total, 1);
	assert_string_equal(ent_error_text(&errors.e[0], line, sizeof line), expected);
	ent_arena_finish(&arena);
}

static void places(void **state) {
	(void)state;
	static ent_errors errors;
	ent_arena arena = {0};
	const ent_yaml_node *root = load(&arena, "# note\na: 1\nb:\n  - é: {x: \"y\"}\n", &errors);
	assert_non_null(root);
	const ent_yaml_node *b = ent_yaml_get(root, "b");
	assert_int_equal(b->kind, ENT_YAML_LIST);
	const ent_yaml_node *inner = ent_yaml_get(b->items[0], "é");
	assert_int_equal(inner->at.line, 4);
	assert_int_equal(inner->at.column, 8); /* characters, not bytes */
	assert_true(ent_yaml_get(inner, "x")->quoted);
	assert_string_equal(inner->at.file, "t.yaml");
	assert_null(ent_yaml_get(root, "c"));
	ent_arena_finish(&arena);
}

static void environment(void **state) {
	(void)state;
	static ent_errors errors;
	ent_arena arena = {0};
	setenv("ENT_T_A", "left", 1);
	setenv("ENT_T_N", "4", 1);
	unsetenv("ENT_T_NONE");
	const ent_yaml_node *root =
		load(&arena, "a: ${ENT_T_A}/x${ENT_T_A}\nb: \"$${ENT_T_A} $5 {x}\"\nn: ${ENT_T_N}\n", &errors);
	int64_t n = 0;
	assert_int_equal(errors.total, 0);
	assert_string_equal(ent_yaml_get(root, "a")->text, "left/xleft");
	assert_string_equal(ent_yaml_get(root, "b")->text, "${ENT_T_A} $5 {x}");
	assert_true(ent_yaml_int(ent_yaml_get(root, "n"), &n));
	assert_int_equal(n, 4);
	ent_arena_finish(&arena);
	refused("x: 1\npath: in/${ENT_T_NONE}/a\n",
		"t.yaml:2:10: environment variable ENT_T_NONE is not set; set it, or write the value itself");
	refused("path: ${1A}\n",
		"t.yaml:1:7: this is no reference to an environment variable; write ${NAME} with letters, digits and "
		"_, or $${ for the characters themselves");
}

/* Keys of large maps are looked up in a table: what is found twice is the same as in small ones. */
static void keys_of_large_maps(void **state) {
	(void)state;
	for (unsigned twice = 0; twice < 100; twice += 33) {
		ent_buf text = {0};
		char expected[200];
		for (unsigned i = 0; i < 100; i++) {
			ent_buf_printf(&text, "k%u: 1\n", i);
		}
		ent_buf_printf(&text, "k%u: 1\nlast: 1\n", twice);
		ent_buf_u8(&text, 0);
		snprintf(expected, sizeof expected,
			"t.yaml:101:1: 'k%u' stands here twice; keep one of them; the first is in line %u", twice, twice + 1);
		refused((const char *)text.data, expected);
		ent_buf_finish(&text);
	}
	ent_buf text = {0};
	ent_buf_printf(&text, "\"\": 1\n");
	for (unsigned i = 0; i < 40; i++) {
		ent_buf_printf(&text, "k%u: 1\n", i);
	}
	ent_buf_printf(&text, "'': 1\n");
	ent_buf_u8(&text, 0);
	refused((const char *)text.data, "t.yaml:42:1: '' stands here twice; keep one of them; the first is in line 1");
	ent_buf_finish(&text);
}

static void what_is_refused(void **state) {
	(void)state;
	refused("a: 1\na: 2\n", "t.yaml:2:1: 'a' stands here twice; keep one of them; the first is in line 1");
	refused("a: &x 1\n",
		"t.yaml:1:4: anchors and aliases (x) are not taken; write the value out where it is needed, or put it in "
		"quotes if it is text");
	refused("a: !!str 1\n",
		"t.yaml:1:4: tags (tag:yaml.org,2002:str) are not taken; leave it out, or put the value in quotes if it "
		"is text");
	refused("a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document begins; keep one document: take out the line '---'");
	refused(
		"{a: 1}: 2\n", "t.yaml:1:1: a key must be text; put text in front of the colon; {NAME} alone has to be quoted");
	refused("a:\n\tb: 1\n",
		"t.yaml:2:1: not valid YAML: found character that cannot start any token; indent with blanks, not with "
		"tabs, and quote text that begins with %, @ or `");
	refused("a: \"x\\0y\"\n", "t.yaml:1:4: a NUL character cannot be part of a value; take it out");
	static ent_errors errors;
	ent_arena arena = {0};
	char deep[200];
	memset(deep, '[', sizeof deep - 1);
	deep[sizeof deep - 1] = 0;
	assert_null(load(&arena, deep, &errors));
	assert_string_equal(errors.e[0].what, "more than 64 levels");
	assert_null(load(&arena, "a: [1, 2\nb: 3\n", &errors));
	assert_null(load(&arena, "a: \xff\xfe\n", &errors));
	assert_non_null(load(&arena, "", &errors));
	assert_int_equal(errors.total, 0);
	ent_arena_finish(&arena);
}

/* Every start of a document is either taken or refused with an error. */
static void cut_short(void **state) {
	(void)state;
	static const char text[] =
		"version: 1\nlist: [a, 'b', {c: \"d\"}]\nmap:\n  key: |\n    block\n  other: ${ENT_T_A}\n";
	static ent_errors errors;
	for (size_t n = 0; n < sizeof text; n++) {
		ent_arena arena = {0};
		memset(&errors, 0, sizeof errors);
		const ent_yaml_node *root = ent_yaml_load(&arena, text, n, "t.yaml", &errors);
		assert_true(root || errors.total);
		ent_arena_finish(&arena);
	}
}

static void json(void **state) {
	(void)state;
	static ent_errors errors;
	ent_arena arena = {0};
	ent_buf out = {0};
	const ent_yaml_node *root = load(&arena,
		"{i: -007, f: +.50, e: 1e3, t: true, n: ~, s: 'true', no: no, l: [a\t, \"q\\\"\\u0001\"], "
		"h: 0x1f, v: 1.2.3, m: {}}",
		&errors);
	assert_non_null(root);
	ent_yaml_json(root, &out);
	ent_buf_u8(&out, 0);
	assert_string_equal((char *)out.data,
		"{\"i\":-7,\"f\":0.50,\"e\":1e3,\"t\":true,\"n\":null,\"s\":\"true\",\"no\":\"no\","
		"\"l\":[\"a\",\"q\\\"\\u0001\"],\"h\":31,\"v\":\"1.2.3\",\"m\":{}}");
	ent_buf_finish(&out);
	ent_arena_finish(&arena);
}

static void nearest(void **state) {
	(void)state;
	static const char *const words[] = {"industry", "region", "stage", "currency", "zone", "id"};
	assert_string_equal(ent_nearest("industri", words, 6), "industry");
	assert_string_equal(ent_nearest("idnustry", words, 6), "industry");
	assert_string_equal(ent_nearest("Zone", words, 6), "zone");
	assert_string_equal(ent_nearest("curency", words, 6), "currency");
	assert_null(ent_nearest("webhook", words, 6));
	assert_null(ent_nearest("xy", words, 6));
	assert_null(ent_nearest("", words, 6));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(environment),
		cmocka_unit_test(keys_of_large_maps),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(json),
		cmocka_unit_test(nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
