/* SPDX-License-Identifier: Apache-2.0
 *
 * Mistakes in a mapping are found before the first row, each with what is wrong and what to do; and dates that only the
 * rest of their column explains.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_mistakes(void **state) {
	static const struct {
		const char *options, *what, *todo;
	} cases[] = {
		{"{fact: order, columns: {key: id, att: d, currency: c}}", "columns: order has no field att",
			"did you mean at?"},
		{"{fact: order, columns: {key: id, at: d, sku: s, currency: c}}", "order has no field sku", "Fields: key"},
		{"{fact: order, columns: {key: id, at: d}}", "order needs the field currency (ISO 4217)", "under constants"},
		{"{fact: order, columns: {key: id, at: d}, constants: {currency: euro}}", "currency: euro is not a currency",
			""},
		{"{fact: order, columns: {key: id, at: d}, constants: {currency: EUR, stauts: sold}}", "no field stauts",
			"status"},
		{"{fact: order, columns: {key: id, at: d}, constants: {currency: EUR, status: paid}}", "status: paid is a word",
			""},
		{"{fact: order, columns: {key: id, at: d}, constants: {currency: EUR}, values: {status: {a: sold}}}",
			"values: no column gives status", "map a column"},
		{"{fact: order, columns: {key: id, at: d}, constants: {currency: EUR}, values: {nope: {a: b}}}",
			"has no field nope", ""},
		{"{fact: order, columns: {key: id, at: d}, constants: {currency: EUR}, dates_of: {key: auto}}",
			"key is no date", ""},
		{"{fact: order, columns: {key: id, at: d}, constants: {currency: EUR}, negate: [at]}", "at is no number", ""},
		{"{fact: order, columns: {key: id, at: d}, constants: {currency: EUR}, optional: [total]}",
			"no column gives total", ""},
		{"{fact: order, columns: {key: id, at: d}, constants: {currency: EUR}, decimal: \",\", group: \",\"}",
			"the same mark", ""},
		{"{fact: order, columns: {key: id, at: d}, constants: {currency: EUR}, repeats: facts}",
			"is for the facts line", ""},
		{"{fact: order, columns: {key: id, at: d}, constants: {currency: EUR}, complete: true}", "order-lines", ""},
		{"{fact: line, columns: {key: n, gross: g}}", "order is missing", "the order's number"},
		{"{fact: line, columns: {order: o, gross: g}}", "line needs the field key", "set repeats: facts"},
		{"{fact: line, columns: {key: n, order: o, gross: g}, repeats: facts}", "rows have no key", "leave out one"},
		{"{fact: order, columns: {key: \"\", at: d}, constants: {currency: EUR}}", "key has no column", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *why = NULL;
		host *h = host_open("csv", "csv", cases[i].options, &why);
		if (h)
			fail_msg("taken: %s", cases[i].options);
		if (!strstr(why, cases[i].what) || !strstr(why, cases[i].todo))
			fail_msg("%s: %s", cases[i].options, why);
		free(why);
	}
}

static ent_status decode(const char *options, const char *text, host_text *out) {
	char *why = NULL;
	host *h = host_open("csv", "csv", options, &why);
	if (!h)
		fail_msg("%s", why);
	ent_status e = host_run(h, "x.csv", text, strlen(text), (host_cut){0}, out);
	host_close(h);
	return e;
}

/* 5,000 rows wait for the one that decides, and come out in their order. */
static void test_held_back(void **state) {
	static const char options[] =
		"{fact: order, columns: {key: id, at: date, paid_at: paid}, constants: {currency: EUR}}";
	host_text in = {0}, out = {0};
	char line[80];
	(void)state;
	host_text_add(&in, "id,date,paid\n", 13);
	for (int i = 0; i < 5000; i++)
		host_text_add(&in, line, (size_t)snprintf(line, sizeof line, "%d,0%d/0%d/2024,\n", i, i % 9 + 1, i % 7 + 1));
	host_text_add(&in, "last,13/01/2024,05/05/2024\n", 27);
	assert_int_equal(decode(options, in.p, &out), ENT_OK);
	assert_non_null(strstr(out.p, "\"key\":\"0\",\"at\":\"2024-01-01\""));
	assert_non_null(strstr(out.p, "\"key\":\"4001\",\"at\":\"2024-05-06\"")); /* day 4001 % 9 + 1, month 4001 % 7 + 1 */
	assert_true(strstr(out.p, "\"key\":\"4001\"") < strstr(out.p, "\"key\":\"4002\""));
	assert_non_null(strstr(out.p, "\"key\":\"last\",\"at\":\"2024-01-13\",\"paid_at\":\"2024-05-05\""));
	assert_null(strstr(out.p, "verdict"));
	host_text_free(&in);
	host_text_free(&out);
}

/* Each column decides for itself. */
static void test_two_columns(void **state) {
	static const char options[] =
		"{fact: order, columns: {key: id, at: date, paid_at: paid}, constants: {currency: EUR}}";
	host_text out = {0};
	(void)state;
	assert_int_equal(decode(options, "id,date,paid\n1,13/04/2024,04/13/2024\n2,01/02/2024,01/02/2024\n", &out), ENT_OK);
	assert_non_null(strstr(out.p, "\"key\":\"2\",\"at\":\"2024-02-01\",\"paid_at\":\"2024-01-02\""));
	host_text_free(&out);
	assert_int_equal(decode(options, "id,date,paid\n1,13/04/2024,\n2,01/02/2024,01/02/2024\n", &out), ENT_ENOTFORMAT);
	assert_non_null(strstr(out.p, "\"column\":\"paid\""));
	host_text_free(&out);
	/* the same day either way: nothing to decide */
	assert_int_equal(decode(options, "id,date,paid\n1,04/04/2024,05/05/2024\n", &out), ENT_OK);
	assert_non_null(strstr(out.p, "\"at\":\"2024-04-04\",\"paid_at\":\"2024-05-05\""));
	host_text_free(&out);
}

static void test_numbers(void **state) {
	static const char options[] = "{fact: order, columns: {key: id, at: date, total: total, customer: who}, "
								  "constants: {currency: EUR}, decimal: \",\", group: space}";
	host_text out = {0};
	(void)state;
	assert_int_equal(
		decode(options, "id;date;total;who\n1;2024-03-01;1 234,5;'17850.0\n2;2024-03-01;-3;17850\n", &out), ENT_OK);
	assert_non_null(strstr(out.p, "\"total\":1234500000"));
	assert_non_null(strstr(out.p, "\"total\":-3000000"));
	const char *a = strstr(out.p, "\"customer\""), *b = strstr(a + 1, "\"customer\"");
	assert_memory_equal(a, b, 45); /* one customer, however the number was written */
	host_text_free(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_mistakes), cmocka_unit_test(test_held_back),
		cmocka_unit_test(test_two_columns), cmocka_unit_test(test_numbers)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
