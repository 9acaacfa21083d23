/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's own tests of data: each finds what is planted for it, and none says anything of orders as they should
 * be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/day.h"
#include "by_hand.h"
#include "engine/integrity.h"

enum { ALL = (1 << ENT_CHECK_COUNT) - 1, FIRST = DAY, DAYS = 120, A_DAY = 6 };

typedef struct made {
	int32_t day;
	int64_t second, cents; /* of the day; of its goods */
	unsigned key, customer;
	int64_t lost; /* cents that its lines lack */
	uint64_t place;
	bool dated_only, cancelled;
} made;

typedef struct world {
	bench b;
	uint32_t partner, source, input;
	made orders[DAYS * A_DAY + 64];
	size_t n;
	char told[1 << 16];
} world;

static made *add(world *w, int32_t day, unsigned k) {
	made *m = &w->orders[w->n];
	*m = (made){.day = day,
		.second = 3600 + 97 * k + day % 60,
		.cents = 1000 + (int64_t)(w->n * 37 % 9000),
		.key = (unsigned)w->n,
		.customer = (unsigned)(w->n % 50) + 1,
		.place = w->n * 100};
	w->n++;
	return m;
}

static void cover(world *w) {
	ent_error e = {0};
	ent_cover c = {.partner = w->partner,
		.source = w->source,
		.input = w->input,
		.kind = ENT_ORDER,
		.from = FIRST,
		.to = FIRST + DAYS,
		.origin = ENT_ORIGIN_SHOP,
		.declared = 1};
	assert_int_equal(ent_store_begin(w->b.e->store, &e), 0);
	assert_int_equal(ent_store_cover_put(w->b.e->store, &c, &e), 0);
	assert_int_equal(ent_store_commit(w->b.e->store, &e), 0);
}

/* Six orders a day for 120 days, but on Sundays. */
static void begin(world *w) {
	memset(w, 0, sizeof *w);
	bench_open(&w->b);
	w->partner = ent__code_of(w->b.e, "one");
	w->source = ent__code_of(w->b.e, "own");
	ent_input *x = ent__input_add(w->b.e);
	w->input = x->id;
	snprintf(x->name, sizeof x->name, "orders.csv");
	for (int32_t day = FIRST; day < FIRST + DAYS; day++) {
		for (unsigned k = 0; k < A_DAY && (day + 3) % 7 != 6; k++) {
			add(w, day, k);
		}
	}
	cover(w);
}

static void document(const world *w, const made *m, ent_document *d, char key[24]) {
	ent_document_clear(d);
	d->kind = ENT_ORDER;
	d->origin = ENT_ORIGIN_SHOP;
	d->key = key;
	d->key_n = (uint16_t)snprintf(key, 24, "A%u", m->key);
	ent_item *head = ent_document_add(d);
	head->kind = ENT_ORDER;
	head->partner = w->partner;
	head->source = w->source;
	head->input = w->input;
	head->place = m->place;
	head->has = ENT_HAS_TOTAL | ENT_HAS_SHIPPING;
	ent_time at = {.v = m->dated_only ? m->day : m->day * INT64_C(86400000000) + m->second * 1000000,
		.kind = m->dated_only ? ENT_TIME_DATE : ENT_TIME_INSTANT,
		.offset_min = ENT_NO_OFFSET};
	head->body.order.at = ent_wire_time_pack(at);
	head->body.order.total = (m->cents + 490) * 10000;
	head->body.order.shipping = 4900000;
	head->body.order.status = m->cancelled ? ENT_ORDER_CANCELLED : ENT_ORDER_SOLD;
	memcpy(head->body.order.currency, "EUR", 4);
	uint32_t customer = m->customer;
	memcpy(head->body.order.customer.b, &customer, 4);
	for (unsigned i = 0; i < 2; i++) {
		ent_item *line = ent_document_add(d);
		line->kind = ENT_LINE;
		line->partner = w->partner;
		line->has = ENT_HAS_GROSS | ENT_HAS_QUANTITY;
		line->body.line.quantity = 1000;
		line->body.line.sku = 7 + i;
		line->body.line.gross = (i ? m->cents - m->cents / 3 - m->lost : m->cents / 3) * 10000;
	}
}

static const char *test(world *w, unsigned wanted) {
	ent__integrity *x = ent__integrity_create(w->b.e, w->partner, FIRST, FIRST + DAYS, wanted);
	ent_document d = {0};
	ent_buf json = {0};
	ent_error e = {0};
	char key[24];
	for (size_t i = w->n; i-- > 0;) { /* in whatever order */
		document(w, &w->orders[i], &d, key);
		ent__integrity_take(x, &d);
	}
	assert_int_equal(ent__integrity_end(x, &json, &e), 0);
	snprintf(w->told, sizeof w->told, "%.*s", (int)json.n, (const char *)json.data);
	ent_document_finish(&d);
	ent_buf_finish(&json);
	ent__integrity_destroy(x);
	return w->told;
}

static void end(world *w) { bench_close(&w->b); }

static bool says(const char *told, const char *check) {
	char text[80];
	snprintf(text, sizeof text, "\"check\":\"%s\"", check);
	return strstr(told, text) != NULL;
}

static void only(const char *told, const char *check) {
	for (unsigned i = 0; i < ENT_CHECK_COUNT; i++) {
		if (says(told, ent_integrity_checks[i]) != !strcmp(ent_integrity_checks[i], check)) {
			fail_msg("%s: %s", check, told);
		}
	}
}

static world w;

static void test_clean(void **state) {
	(void)state;
	begin(&w);
	only(test(&w, ALL), "nothing");
	assert_non_null(strstr(w.told, "\"found\":[]"));
	end(&w);
}

static void test_lines(void **state) {
	(void)state;
	begin(&w);
	for (unsigned i = 0; i < 40; i++) {
		w.orders[i * 11].lost = w.orders[i * 11].cents / 2;
	}
	w.orders[22].cancelled = true;
	only(test(&w, ALL), "lines_against_total");
	assert_non_null(strstr(w.told, "39 of 617 orders from own are not what their lines add up to"));
	assert_non_null(strstr(w.told, "[\"A0\",\"2024-01-01\",\"10.00\",\"5.00\",\"orders.csv, byte 0\"]"));
	assert_false(says(test(&w, 1 << ENT_CHECK_GAP), "lines_against_total"));
	end(&w);
	begin(&w); /* cents that rounding makes, and two orders that are off: that happens */
	for (size_t i = 0; i < w.n; i++) {
		w.orders[i].lost = i % 3;
	}
	w.orders[5].lost = w.orders[9].lost = 500;
	only(test(&w, ALL), "nothing");
	end(&w);
}

static void test_swapped(void **state) {
	(void)state;
	begin(&w);
	unsigned planted = 0;
	for (size_t i = 0; i < w.n && planted < 5; i += 7) { /* 3 April becomes 4 March */
		int year;
		unsigned month, day;
		ent_day_civil(w.orders[i].day, &year, &month, &day);
		if (day <= 4 && month <= 4 && day != month) {
			w.orders[i].day = ent_day_of(year, day, month);
			planted++;
		}
	}
	assert_int_equal(planted, 5);
	only(test(&w, ALL), "swapped_dates");
	assert_non_null(strstr(w.told, "5 orders from own seem to have day and month swapped"));
	end(&w);
	begin(&w); /* a file in no order says nothing of its days */
	for (size_t i = 0; i < w.n; i++) {
		w.orders[i].place = (uint64_t)(w.orders[i].key * 7919u % 10007u);
	}
	only(test(&w, ALL), "nothing");
	end(&w);
}

static void test_gap(void **state) {
	(void)state;
	begin(&w);
	for (size_t i = 0; i < w.n;) { /* Tuesday to Thursday */
		if (w.orders[i].day >= FIRST + 50 && w.orders[i].day < FIRST + 53) {
			w.orders[i] = w.orders[--w.n];
		} else {
			i++;
		}
	}
	only(test(&w, ALL), "gap");
	assert_non_null(strstr(w.told, "no order from 2024-02-20 to 2024-02-22, where 16 would be usual"));
	end(&w);
	begin(&w); /* one day of five or six orders may well be without any */
	for (size_t i = 0; i < w.n;) {
		if (w.orders[i].day == FIRST + 50) {
			w.orders[i] = w.orders[--w.n];
		} else {
			i++;
		}
	}
	only(test(&w, ALL), "nothing");
	end(&w);
}

static void test_duplicates(void **state) {
	(void)state;
	begin(&w);
	for (unsigned i = 0; i < 3; i++) {
		made again = w.orders[100 + i];
		again.key = 9000 + i;
		again.place = 900000 + i;
		w.orders[w.n++] = again;
	}
	only(test(&w, ALL), "duplicates");
	assert_non_null(strstr(w.told, "3 orders stand there twice, under different keys"));
	assert_non_null(strstr(w.told, "\"A100\""));
	for (unsigned i = 0; i < 3; i++) { /* of one day, and no more is known: they may well be two */
		w.orders[w.n - 1 - i].dated_only = w.orders[100 + i].dated_only = true;
	}
	only(test(&w, ALL), "nothing");
	end(&w);
	begin(&w); /* another customer in the same second */
	for (unsigned i = 0; i < 3; i++) {
		made again = w.orders[100 + i];
		again.key = 9000 + i;
		again.customer += 500;
		w.orders[w.n++] = again;
	}
	only(test(&w, ALL), "nothing");
	end(&w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_swapped),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_duplicates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
