/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of declared metrics where no store is needed: what expressions become, what definitions depend on, the form in
 * which a snapshot carries them. Messages and figures are tested by tests/e2e/test_own_metrics.py. */
#include "metrics/custom.h"
#include "metrics/custom_pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static ent_custom *make(const char *json) {
	ent_arena arena = {0};
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	const ent_metric_config *list;
	size_t n;
	ent_custom *c = NULL;
	if (ent_metrics_parse(&arena, json, strlen(json), &list, &n, errors) ||
		ent_custom_create(&c, NULL, 0, list, n, errors)) {
		fail_msg("%s: %s", errors->e[0].what, errors->e[0].todo);
	}
	free(errors);
	ent_arena_finish(&arena);
	return c;
}

static const ent_metric *metric(const ent_custom *c, const char *name) {
	const ent_catalogue *all = ent_custom_catalogue(c);
	int i = ent_catalogue_find(all, name, strlen(name));
	assert_true(i >= 0);
	return &all->metrics[i];
}

/* What an expression is, as text: "3*orders -1*lines / 2 | set 1". */
static void said(
	const ent_metric_term *terms, unsigned set, uint32_t times, const ent_catalogue *c, char *out, size_t size) {
	size_t n = 0;
	out[0] = 0;
	for (unsigned i = 0; i < ENT_TERMS && terms[i].sign; i++) {
		n += (size_t)snprintf(out + n, size - n, "%s%lld*%s", n ? " " : "", (long long)ent_term_factor(&terms[i]),
			c->measures[terms[i].measure].name);
	}
	if (set) {
		snprintf(out + n, size - n, "%u*set %s", times, c->sets[set - 1].name);
	}
}

static void expressions(void **state) {
	static const struct {
		const char *text, *top, *bottom;
		uint32_t over;
		uint8_t unit;
	} cases[] = {
		{"orders", "1*orders", "", 1, ENT_UNIT_COUNT},
		{"-orders + 3 * lines", "-1*orders 3*lines", "", 1, ENT_UNIT_COUNT},
		{"revenue.net - cost", "1*gross -1*discount -1*returns -1*cost", "", 1, ENT_UNIT_MONEY},
		{"revenue.net * 0.15", "3*gross -3*discount -3*returns", "", 20, ENT_UNIT_MONEY},
		{"(revenue.net - revenue.gross) / 2 + discounts", "1*discount -1*returns", "", 2, ENT_UNIT_MONEY},
		{"1 - refund_rate", "1*gross -1*discount -1*returns", "1*gross -1*discount", 0, ENT_UNIT_RATIO},
		{"refund_rate + 2", "1*returns 2*gross -2*discount", "1*gross -1*discount", 0, ENT_UNIT_RATIO},
		{"orders.guest / orders - orders.cancelled / orders", "1*orders_guest -1*orders_cancelled", "1*orders", 0,
			ENT_UNIT_RATIO},
		{"revenue.gross / units", "1000*gross", "1*units", 0, ENT_UNIT_MONEY},
		{"revenue.gross / customers", "1*gross", "1*set customers", 0, ENT_UNIT_MONEY},
		{"2 * customers / orders * 0.5", "1*set customers", "1*orders", 0, ENT_UNIT_RATIO},
		{"orders / 2 / (lines / 3)", "3*orders", "2*lines", 0, ENT_UNIT_RATIO},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char json[200], top[300], bottom[300];
		snprintf(json, sizeof json, "{\"a\": {\"derived\": \"%s\"}}", cases[i].text);
		ent_custom *c = make(json);
		const ent_metric *m = metric(c, "a");
		said(m->top, m->top_set, m->top_times, ent_custom_catalogue(c), top, sizeof top);
		said(m->bottom, m->bottom_set, m->bottom_times, ent_custom_catalogue(c), bottom, sizeof bottom);
		assert_string_equal(top, cases[i].top);
		assert_string_equal(bottom, cases[i].bottom);
		assert_int_equal(m->over, cases[i].over);
		assert_int_equal(m->unit, cases[i].unit);
		ent_custom_destroy(c);
	}
}

static void hash_of(const char *json, char out[17]) {
	ent_custom *c = make(json);
	ent_metric_definition(metric(c, "a"), out);
	ent_custom_destroy(c);
}

static void definitions(void **state) {
	char one[17], other[17];
	(void)state;
	hash_of("{\"a\": {\"count\": \"order\", \"where\": {\"total\": {\"at_least\": 500}, \"payment\": [\"x\", \"y\"]}}}",
		one);
	/* the order of conditions, of a list, how a number is written, name, tags and doc say nothing else */
	hash_of(
		"{\"b\": {\"count\": \"line\"}, \"a\": {\"count\": \"orders\", \"doc\": \"d\", \"tags\": [\"t\"], \"where\": "
		"{\"payment\": [\"y\", \"x\"], \"total\": {\"at_least\": \"500.00\"}}}}",
		other);
	assert_string_equal(one, other);
	static const char *const others[] = {
		"{\"a\": {\"count\": \"order\", \"where\": {\"total\": {\"above\": 500}, \"payment\": [\"x\", \"y\"]}}}",
		"{\"a\": {\"count\": \"order\", \"where\": {\"total\": {\"at_least\": 500}, \"payment\": [\"x\", \"z\"]}}}",
		"{\"a\": {\"count\": \"order\", \"where\": {\"total\": {\"at_least\": 500}, \"payment\": {\"starts_with\": "
		"[\"x\", \"y\"]}}}}",
		"{\"a\": {\"count\": \"order\", \"where\": {\"total\": {\"at_least\": 500}, \"payment\": {\"not\": [\"x\", "
		"\"y\"]}}}}",
		"{\"a\": {\"count\": \"line\", \"where\": {\"order.total\": {\"at_least\": 500}, \"order.payment\": [\"x\", "
		"\"y\"]}}}",
		"{\"a\": {\"sum\": \"order.units\", \"where\": {\"total\": {\"at_least\": 500}, \"payment\": [\"x\", \"y\"]}}}",
	};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		hash_of(others[i], other);
		assert_string_not_equal(one, other);
	}
	/* what is derived changes with what it is made of */
	hash_of("{\"a\": {\"ratio\": {\"of\": \"b\", \"to\": \"orders\"}}, \"b\": {\"count\": \"order\", \"where\": "
			"{\"weekday\": \"monday\"}}}",
		one);
	hash_of(
		"{\"a\": {\"derived\": \"b / orders\"}, \"b\": {\"count\": \"order\", \"where\": {\"weekday\": \"monday\"}}}",
		other);
	assert_string_equal(one, other);
	hash_of(
		"{\"a\": {\"derived\": \"b / orders\"}, \"b\": {\"count\": \"order\", \"where\": {\"weekday\": \"sunday\"}}}",
		other);
	assert_string_not_equal(one, other);
}

static const char many[] =
	"{\"large\": {\"count\": \"order\", \"where\": {\"total\": {\"at_least\": 500}}}, "
	"\"net\": {\"sum\": \"line.net\", \"tags\": [\"one\", \"two\"]}, \"skus\": {\"distinct\": \"line.sku\"}, "
	"\"who\": {\"distinct\": \"visit.visitor\"}, \"price\": {\"distribution\": \"line.price\"}, "
	"\"share\": {\"ratio\": {\"of\": \"large\", \"to\": \"orders\"}}, \"each\": {\"derived\": \"net / skus\"}, "
	"\"far\": {\"count\": \"visit\", \"where\": {\"pageviews\": {\"above\": 3}}}, \"part\": {\"derived\": \"net * "
	"0.25\"}}";

static void packed(void **state) {
	(void)state;
	ent_custom *c = make(many);
	const ent_catalogue *a = ent_custom_catalogue(c);
	ent_buf bytes = {0}, again = {0};
	ent_error e;
	ent_custom_put(a, &bytes);
	ent_custom_pack *p = ent_custom_unpack(bytes.data, bytes.n, &e);
	assert_non_null(p);
	assert_int_equal(p->catalogue.n_metrics, a->n_metrics);
	assert_int_equal(p->catalogue.n_measures, a->n_measures);
	assert_int_equal(a->n_measures, ENT_MEASURE_COUNT + 2 * ENT_FAMILY_WIDTH); /* orders and lines; visits */
	ent_custom_put(&p->catalogue, &again);
	assert_int_equal(again.n, bytes.n);
	assert_memory_equal(again.data, bytes.data, bytes.n);
	for (unsigned i = 0; i < p->catalogue.n_metrics; i++) {
		char one[17], other[17];
		ent_metric_definition(&p->catalogue.metrics[i], one);
		ent_metric_definition(&a->metrics[i], other);
		assert_string_equal(one, other);
		assert_int_equal(ent_metric_families(&p->catalogue.metrics[i]), ent_metric_families(&a->metrics[i]));
	}
	ent_custom_pack_destroy(p);
	/* cut anywhere, or with any byte another one: refused, or at least nothing that points anywhere */
	for (size_t n = 0; n < bytes.n; n++) {
		assert_null(ent_custom_unpack(bytes.data, n, &e));
	}
	unsigned refused = 0;
	for (size_t i = 0; i < bytes.n; i++) {
		uint8_t was = bytes.data[i];
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes.data[i] = was ^ (uint8_t)(1u << bit);
			p = ent_custom_unpack(bytes.data, bytes.n, &e);
			refused += p == NULL;
			for (unsigned m = 0; p && m < p->catalogue.n_metrics; m++) {
				const ent_metric *x = &p->catalogue.metrics[m];
				for (unsigned t = 0; t < ENT_TERMS && x->top[t].sign; t++) {
					assert_true(
						x->top[t].measure < p->catalogue.n_measures && p->catalogue.measures[x->top[t].measure].name);
				}
				assert_true(x->top_set <= p->catalogue.n_sets && x->bottom_set <= p->catalogue.n_sets);
			}
			ent_custom_pack_destroy(p);
		}
		bytes.data[i] = was;
	}
	assert_true(refused > bytes.n);
	ent_buf_finish(&bytes);
	ent_buf_finish(&again);
	ent_custom_destroy(c);
}

/* More than a block: the next one; more than fit: said with the place. */
static void limits(void **state) {
	(void)state;
	ent_buf json = {0};
	ent_buf_printf(&json, "{");
	for (int i = 0; i < 30; i++) {
		ent_buf_printf(&json, "%s\"m%02d\": {\"count\": \"order\"}", i ? ", " : "", i);
	}
	ent_buf_printf(&json, "}");
	ent_buf_u8(&json, 0);
	ent_custom *c = make((const char *)json.data);
	const ent_catalogue *a = ent_custom_catalogue(c);
	assert_int_equal(a->n_measures, ENT_MEASURE_COUNT + 3 * ENT_FAMILY_WIDTH); /* each with what is shared beside it */
	const ent_measure_def *last = &a->measures[metric(c, "m29")->top[0].measure];
	assert_string_equal(last->name, "m29");
	assert_string_equal(a->measures[last->shared].name, "m29.shared");
	ent_custom_destroy(c);
	json.n = 0;
	ent_buf_printf(&json, "{");
	for (unsigned i = 0; i <= ENT_CUSTOM_SETS; i++) {
		ent_buf_printf(
			&json, "%s\"m%02u\": {\"distinct\": \"line.sku\", \"at\": [\"book.py\", %u, 3]}", i ? ", " : "", i, i + 1);
	}
	ent_buf_printf(&json, "}");
	ent_arena arena = {0};
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	const ent_metric_config *list;
	size_t n;
	assert_int_equal(ent_metrics_parse(&arena, (const char *)json.data, json.n, &list, &n, errors), 0);
	assert_true(ent_custom_create(&c, NULL, 0, list, n, errors) != 0);
	assert_string_equal(errors->e[0].file, "book.py");
	assert_int_equal(errors->e[0].line, 25);
	assert_int_equal(errors->e[0].column, 3);
	assert_non_null(strstr(errors->e[0].what, "more metrics that count different ones than fit: 24"));
	free(errors);
	ent_arena_finish(&arena);
	ent_buf_finish(&json);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions),
		cmocka_unit_test(definitions),
		cmocka_unit_test(packed),
		cmocka_unit_test(limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
