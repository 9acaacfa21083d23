/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of what sources could speak for on a past day: of documents that had not come, that grew since, and whose
 * edition took the place of an older one. The engine is made by hand: only its inputs and its zone are asked. */
#include "base/arena.h"
#include "base/day.h"
#include "engine/past_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { DAY = 20000, SOURCE = 7, OTHER = 8 };

typedef struct fixture {
	ent_engine *e;
	ent__past_inputs p;
	ent_input inputs[5];
	char said[256];
} fixture;

static int64_t noon(int32_t day) { return day * ENT_US_PER_DAY + ENT_US_PER_DAY / 2; }

static int set_up(void **state) {
	fixture *f = calloc(1, sizeof *f);
	ent_error e;
	f->e = calloc(1, sizeof *f->e);
	f->e->utc = ent_zone_load("UTC", &e);
	f->e->inputs = f->inputs;
	f->e->n_inputs = 5;
	f->p = (ent__past_inputs){.e = f->e, .n = 5, .v = calloc(6, sizeof *f->p.v)};
	*state = f;
	return 0;
}

static int tear_down(void **state) {
	fixture *f = *state;
	ent__past_inputs_close(&f->p);
	ent_zone_destroy(f->e->utc);
	free(f->e);
	free(f);
	return 0;
}

static void input(fixture *f, uint32_t id, uint32_t source, const char *name, bool live) {
	ent_input *x = &f->inputs[id];
	*x = (ent_input){.id = id, .source = source, .live = live, .done = 1};
	snprintf(x->name, sizeof x->name, "%s", name);
}

/* Facts of days from `first` to `last` came at noon of a day. */
static void brought(fixture *f, uint32_t id, int32_t on, int32_t first, int32_t last) {
	ent__past_input *x = &f->p.v[id];
	ENT_GROW(x->parts, x->n, x->capacity);
	x->parts[x->n++] = (ent__past_part){noon(on), first, last};
}

static void cover(fixture *f, uint32_t id, int32_t from, int32_t to, bool declared) {
	ENT_GROW(f->p.covers, f->p.n_covers, f->p.covers_capacity);
	f->p.covers[f->p.n_covers++] =
		(ent_cover){.source = SOURCE, .input = id, .kind = ENT_ORDER, .from = from, .to = to, .declared = declared};
}

static int say(void *ctx, const ent_cover *c) {
	fixture *f = ctx;
	size_t n = strlen(f->said);
	snprintf(f->said + n, sizeof f->said - n, "%u:%d-%d ", c->input, c->from - DAY, c->to - DAY);
	return 0;
}

static const char *known(fixture *f, ent_knowledge knowledge, int32_t day) {
	ent_error e;
	f->said[0] = 0;
	assert_int_equal(ent__past_covers(&f->p, knowledge, DAY + day, say, f, &e), 0);
	return f->said;
}

static void a_document_that_grew(void **state) {
	fixture *f = *state;
	input(f, 1, SOURCE, "log", true);
	brought(f, 1, DAY + 2, DAY, DAY + 1);
	brought(f, 1, DAY + 9, DAY - 1, DAY + 8);
	cover(f, 1, DAY - 1, DAY + 9, false);
	ent__past_inputs_settle(&f->p);
	assert_string_equal(known(f, ENT_KNOWLEDGE_ARRIVAL, 1), "");
	assert_string_equal(known(f, ENT_KNOWLEDGE_ARRIVAL, 2), "1:0-2 ");
	assert_string_equal(known(f, ENT_KNOWLEDGE_ARRIVAL, 8), "1:0-2 ");
	assert_string_equal(known(f, ENT_KNOWLEDGE_ARRIVAL, 9), "1:-1-9 ");
	assert_string_equal(known(f, ENT_KNOWLEDGE_EVENT, 1), "1:-1-9 ");
}

static void days_that_are_declared(void **state) {
	fixture *f = *state;
	input(f, 1, SOURCE, "log", true);
	brought(f, 1, DAY + 2, DAY + 1, DAY + 1);
	brought(f, 1, DAY + 9, DAY + 8, DAY + 8);
	cover(f, 1, DAY - 5, DAY + 20, true);
	ent__past_inputs_settle(&f->p);
	assert_string_equal(known(f, ENT_KNOWLEDGE_ARRIVAL, 5), "1:-5-2 ");
	assert_string_equal(known(f, ENT_KNOWLEDGE_ARRIVAL, 9), "1:-5-20 ");
}

/* Without any fact it still speaks for its days, once it has come. */
static void a_quiet_day(void **state) {
	fixture *f = *state;
	input(f, 1, SOURCE, "log", true);
	f->inputs[1].arrived_us = noon(DAY + 3);
	cover(f, 1, DAY, DAY + 1, true);
	ent__past_inputs_settle(&f->p);
	assert_string_equal(known(f, ENT_KNOWLEDGE_ARRIVAL, 2), "");
	assert_string_equal(known(f, ENT_KNOWLEDGE_ARRIVAL, 3), "1:0-1 ");
}

static void an_edition_before(void **state) {
	fixture *f = *state;
	input(f, 1, SOURCE, "file", false);
	input(f, 2, SOURCE, "file", true);
	input(f, 3, OTHER, "file", true); /* of another source: nothing to do with it */
	brought(f, 1, DAY + 1, DAY - 3, DAY);
	brought(f, 2, DAY + 6, DAY - 3, DAY + 5);
	brought(f, 3, DAY, DAY, DAY);
	f->inputs[1].gone_us = noon(DAY + 6);
	cover(f, 2, DAY - 3, DAY + 6, true);
	ent__past_inputs_settle(&f->p);
	assert_string_equal(known(f, ENT_KNOWLEDGE_ARRIVAL, 0), "");
	assert_string_equal(known(f, ENT_KNOWLEDGE_ARRIVAL, 1), "2:-3-1 ");
	assert_string_equal(known(f, ENT_KNOWLEDGE_ARRIVAL, 6), "2:-3-6 ");
}

/* A store that did not keep when: its facts say when it came, and the edition that followed when it went. */
static void of_an_older_store(void **state) {
	fixture *f = *state;
	input(f, 1, SOURCE, "file", false);
	input(f, 2, SOURCE, "file", true);
	input(f, 4, SOURCE, "gone", false);
	brought(f, 1, DAY + 1, DAY, DAY);
	brought(f, 2, DAY + 6, DAY, DAY);
	brought(f, 4, DAY + 2, DAY, DAY);
	ent__past_inputs_settle(&f->p);
	assert_true(f->p.v[1].arrived == noon(DAY + 1) && f->p.v[1].gone == noon(DAY + 6));
	assert_true(f->p.v[2].gone == INT64_MAX && f->p.v[4].gone == INT64_MIN);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {TEST(a_document_that_grew), TEST(days_that_are_declared), TEST(a_quiet_day),
		TEST(an_edition_before), TEST(of_an_older_store)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
