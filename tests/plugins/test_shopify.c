/* SPDX-License-Identifier: Apache-2.0
 *
 * How the Shopify plugin tells its two exports apart, and the short ways of plugins/common/text.h against the host's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../plugins/common/text.h"
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER                                                                                                         \
	"Name,Email,Financial Status,Paid at,Currency,Subtotal,Total,Created at,Lineitem quantity,Lineitem name,Lineitem " \
	"price,Notes,Id\n"

static int probe(const char *decoder, const char *name, const char *head) {
	char *why = NULL;
	const char *seen = NULL;
	host *h = host_open("shopify", decoder, NULL, &why);
	ent_doc doc = {.size = sizeof doc, .name = {name, strlen(name)}};
	assert_non_null(h);
	int score = host_decoder(h)->probe((ent_str){head, strlen(head)}, &doc, &seen);
	assert_non_null(seen);
	host_close(h);
	return score;
}

static void check(const char *name, const char *head, int orders, int checkouts) {
	assert_int_equal(probe("shopify", name, head), orders);
	assert_int_equal(probe("shopify-checkouts", name, head), checkouts);
}

static void test_probe(void **state) {
	(void)state;
	/* rows decide, whatever the file is called */
	check("checkouts.csv", HEADER "#1001,,paid,2024-03-01 10:00:00 +0000,EUR,1.00,1.00,x,1,a,1.00,,5800000001001\n", 95,
		0);
	check("orders.csv", HEADER "#35140927750001,,,,EUR,1.00,1.00,x,1,a,1.00,,35140927750001\n", 0, 95);
	/* the first order is pending and says nothing; a note with a line break and quotes is stepped over */
	check("export.csv",
		"\xef\xbb\xbf" HEADER "#1002,,,,EUR,1.00,1.00,x,1,a,1.00,\"say \"\"hi\"\",\nthanks\",5800000001002\n"
		"#1001,,paid,,EUR,1.00,1.00,x,1,a,1.00,,5800000001001\n",
		95, 0);
	/* no row tells: the name does, else nobody is sure */
	check("shop/Orders_export.csv", HEADER, 95, 0);
	check("checkouts_export.csv", HEADER, 0, 95);
	check("export.csv", HEADER, 50, 40);
	check("export.csv", HEADER "#35140927750001,,,,EUR,1.00,1.", 50, 40); /* the head ends within the row */
	check("orders.csv", "order_id,total\n1,2\n", 0, 0);
	check("orders.csv", "", 0, 0);
	check("orders.csv", "\"unclosed", 0, 0);
}

static void test_probe_json(void **state) {
	(void)state;
	static const char order[] = "{\"id\":1,\"financial_status\":\"paid\",\"order_number\":1001,"
								"\"total_line_items_price\":\"1.00\",\"line_items\":[]}\n";
	static const char woo[] = "{\"id\":1,\"order_key\":\"a\",\"date_created_gmt\":\"\",\"prices_include_tax\":false,"
							  "\"line_items\":[]}\n";
	assert_int_equal(probe("shopify-json", "orders.jsonl", order), 95);
	assert_int_equal(probe("shopify-json", "orders.jsonl", strstr(order, "\"order_number\"") - 1), 0); /* no object */
	assert_int_equal(
		probe("shopify-json", "a", "{\"order_number\":1,\"financial_status\":null,\"line_items\":[]}\n"), 50);
	assert_int_equal(probe("shopify-json", "a", "{\"order_number\":1,\"line_items\":[]}\n"), 0);
	assert_int_equal(probe("shopify-json", "orders.jsonl", woo), 0);
	assert_int_equal(probe("shopify-json", "orders.csv", HEADER), 0);
	assert_int_equal(probe("shopify-json", "orders.jsonl", ""), 0);
	check("orders.jsonl", order, 0, 0);
	/* an answer that was saved is one document, on however many lines; one order on one line is a line */
	char page[600];
	snprintf(page, sizeof page, " {\"orders\": [%s]}", order);
	assert_int_equal(probe("shopify-document", "orders.json", page), 95);
	assert_int_equal(probe("shopify-json", "orders.json", page), 0);
	snprintf(page, sizeof page, "{\"order\":\n%s}", order);
	assert_int_equal(probe("shopify-document", "order.json", page), 95);
	assert_int_equal(probe("shopify-json", "order.json", page), 0);
	assert_int_equal(probe("shopify-document", "orders.jsonl", order), 0);
}

static void test_text(void **state) {
	static const char *const amounts[] = {"0", "12", "12.5", "-12.50", "1234567.891234", "0.0000005", "0.0000015",
		"12.", ".5", "", "-", "1,234.50", "12.5.0", "999999999999", "9999999999999", "99999999999999", "1e5", "$3",
		"3.00 ", "+4"};
	ent_host h = {.money = host_money};
	(void)state;
	for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
		ent_str s = {amounts[i], strlen(amounts[i])};
		int64_t a = 7, b = 7;
		int x = text_money(&h, s, &a), y = host_money(s, '.', 0, &b);
		assert_int_equal(x, y);
		if (!x)
			assert_int_equal(a, b);
	}
	for (int64_t day = text_civil(1899, 12, 31), y = 1899, m = 12, d = 31; y < 2201; day++) {
		int64_t got;
		assert_int_equal(text_date_of((unsigned)y, (unsigned)m, (unsigned)d, &got), 0);
		assert_int_equal(got, day); /* every day is the one after the day before */
		if (++d > (int64_t)text_month_days((unsigned)y, (unsigned)m)) {
			d = 1;
			m = m % 12 + 1;
			y += m == 1;
		}
	}
	assert_int_equal(text_civil(1970, 1, 1), 0);
	assert_int_equal(text_civil(2024, 3, 1), 19783);
	int64_t v;
	assert_int_equal(text_times(1, 1500, &v), 0); /* 1.5 micro: half to even */
	assert_int_equal(v, 2);
	assert_int_equal(text_times(-1, 500, &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(text_times(-1, 1500, &v), 0);
	assert_int_equal(v, -2);
	assert_int_equal(text_times(INT64_MAX, 2000, &v), -1);
}

/* A date that is none, and one in another spelling of ISO 8601, go to the host; the last date read is not mistaken. */
static void test_dates(void **state) {
	static const char body[] =
		HEADER "#1,,paid,2024-03-01 10:00:00 +0530,EUR,1.00,1.00,2024-03-01T04:30:00Z,1,a,1.00,,1\n"
			   "#2,,paid,2024-03-01 10:00:00 -0330,EUR,1.00,1.00,2024-03-01 10:00:00 +0530,1,a,1.00,,2\n"
			   "#3,,paid,,EUR,1.00,1.00,2024-13-01 10:00:00 +0530,1,a,1.00,,3\n"
			   "#4,,paid,,EUR,1.00,1.00,2024-03-01 25:00:00 +0530,1,a,1.00,,4\n"
			   "#5,,paid,,EUR,1.00,1.00,2024-03-01 10:00:00 +0530,1,a,1.00,,5\n";
	char *why = NULL;
	host *h = host_open("shopify", "shopify", NULL, &why);
	host_text t = {0};
	(void)state;
	assert_int_equal(host_run(h, "orders.csv", body, strlen(body), (host_cut){0}, &t), ENT_OK);
	assert_non_null(
		strstr(t.p, "\"key\":\"1\",\"at\":\"2024-03-01T04:30:00+00:00\",\"paid_at\":\"2024-03-01T10:00:00+05:30\""));
	assert_non_null(
		strstr(t.p, "\"key\":\"2\",\"at\":\"2024-03-01T10:00:00+05:30\",\"paid_at\":\"2024-03-01T10:00:00-03:30\""));
	assert_non_null(strstr(t.p, "\"key\":\"5\",\"at\":\"2024-03-01T10:00:00+05:30\""));
	int rejects = 0;
	for (const char *p = t.p; (p = strstr(p, "\"column\":\"Created at\",\"why\":\"not a date\"")); p++)
		rejects++;
	assert_int_equal(rejects, 2);
	host_text_free(&t);
	host_close(h);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_probe), cmocka_unit_test(test_probe_json),
		cmocka_unit_test(test_text), cmocka_unit_test(test_dates)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
