/* SPDX-License-Identifier: Apache-2.0
 *
 * entente-rules with the real package and the rulebook that ships, inside the sandbox, over a snapshot built by hand. */
#include "driver.h"
#include "metrics/facts.h"
#include "metrics/window.h"
#include "snap_build.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define E6 INT64_C(1000000)

static void contains(const char *text, const char *part) {
	if (!strstr(text, part)) {
		fail_msg("%s\n  is not in\n%s", part, text);
	}
}

static void ended_well(driver *d, int last, const char *records) {
	if (last != ENT_RULES_DONE) {
		fail_msg("ends with %d: %.*s\n%s\n%s", last, (int)d->packet.n, (const char *)d->packet.data, records,
			driver_errors(d, 1));
	}
}

/* Two years of two partners; the third is only a name. */
static int make_snapshot(void) {
	enum { DAYS = 730, FIRST = 19000 };
	static int64_t orders[DAYS], gross[DAYS];
	for (int i = 0; i < DAYS; i++) {
		orders[i] = 20 + i % 7;
		gross[i] = orders[i] * 50 * E6;
	}
	snap_build b;
	snap_init(&b, FIRST + DAYS - 1, "EUR");
	const char *const names[] = {"ada", "bobby", "nobody"};
	for (int p = 0; p < 3; p++) {
		snap_partner(&b, names[p], "{\"profile\": {\"name\": \"Shop\", \"industry\": \"tea\", \"stage\": \"consulting\"}}");
		if (p < 2) {
			snap_series(&b, p, ENT_M_ORDERS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "", FIRST, DAYS, orders);
			snap_series(&b, p, ENT_M_GROSS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "EUR", FIRST, DAYS, gross);
			snap_cover(&b, p, ENT_SALES, ENT_ORIGIN_SHOP, 1, "shop", FIRST, FIRST + DAYS);
		}
	}
	size_t bytes;
	void *block = snap_block(&b, &bytes);
	int fd = driver_memfd(block, bytes, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	free(block);
	return fd;
}

/* What real/twin.py builds with entente.fixture, day by day the same. */
static int make_twin(void) {
	enum { DAYS = 40, FIRST = 19000 };
	int64_t orders[DAYS], gross[DAYS], discount[DAYS], sessions[DAYS], load[DAYS], web[DAYS], seen[DAYS];
	uint32_t counts[DAYS], ids[DAYS * 10];
	uint32_t n = 0;
	for (int i = 0; i < DAYS; i++) {
		orders[i] = 5 + i % 7;
		gross[i] = orders[i] * 50 * E6;
		discount[i] = i % 3 * E6;
		sessions[i] = 100 + i;
		load[i] = 1000 + i;
		web[i] = i % 4;
		seen[i] = 2;
		counts[i] = 10;
		for (uint32_t k = 0; k < 10; k++) {
			ids[n++] = (uint32_t)i * 5 + k;
		}
	}
	const ent_snap_bucket paid[] = {{FIRST + 20, 1, 3}, {FIRST + 20, 9, 1}, {FIRST + 35, 30, 4}, {FIRST + 39, 60, 1}};
	snap_build b;
	snap_init(&b, FIRST + DAYS - 1, "EUR");
	snap_partner(&b, "ada", "{}");
	snap_partner(&b, "bobby", "{}");
	snap_series(&b, 0, ENT_M_ORDERS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "", FIRST, DAYS, orders);
	snap_series(&b, 0, ENT_M_GROSS, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "EUR", FIRST, DAYS, gross);
	snap_series(&b, 0, ENT_M_DISCOUNT, ENT_ORIGIN_SHOP, ENT_VIEW_TOTAL, "", "EUR", FIRST, DAYS, discount);
	snap_series(&b, 0, ENT_M_ORDERS, ENT_ORIGIN_SHOP, ENT_VIEW_CHANNEL, "web", "", FIRST, DAYS, web);
	snap_series(&b, 0, ENT_M_ORDERS, ENT_ORIGIN_ANALYTICS, ENT_VIEW_TOTAL, "", "", FIRST, DAYS, seen);
	snap_series(&b, 0, ENT_M_SESSIONS, ENT_ORIGIN_ANALYTICS, ENT_VIEW_TOTAL, "", "", FIRST, DAYS, sessions);
	snap_series(&b, 0, ENT_M_LOAD_MS, ENT_ORIGIN_ANALYTICS, ENT_VIEW_TOTAL, "", "", FIRST, DAYS, load);
	snap_series(&b, 0, ENT_M_LOADS, ENT_ORIGIN_ANALYTICS, ENT_VIEW_TOTAL, "", "", FIRST, DAYS, seen);
	snap_set(&b, 0, ENT_SET_VISITORS, ENT_ORIGIN_ANALYTICS, ENT_VIEW_TOTAL, "", FIRST, DAYS, counts, ids);
	snap_dist(&b, 0, ENT_DIST_DAYS_TO_PAID, ENT_ORIGIN_SHOP, "", 4, paid);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_SHOP, 1, "ada-sales", FIRST, FIRST + DAYS);
	snap_cover(&b, 0, ENT_SALES, ENT_ORIGIN_ANALYTICS, 1, "ada-sales", FIRST, FIRST + DAYS);
	snap_cover(&b, 0, ENT_TRAFFIC, ENT_ORIGIN_ANALYTICS, 1, "ada-traffic", FIRST, FIRST + DAYS - 10);
	size_t bytes;
	void *block = snap_block(&b, &bytes);
	int fd = driver_memfd(block, bytes, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	free(block);
	return fd;
}

static void open_worker(driver *d, const char *book, char **loaded) {
	const char *folders[] = {ENTENTE_SOURCE_DIR "/scripts", NULL};
	driver_spawn(d);
	driver_hello(d, ENT_RULES_PROTOCOL_VERSION, ENT_SANDBOX_BEST_EFFORT, 0, folders, "");
	int type = driver_receive(d, 60);
	if (type != ENT_RULES_READY) {
		fail_msg("not ready: %.*s", (int)d->packet.n, (const char *)d->packet.data);
	}
	*loaded = driver_load(d, book);
	assert_non_null(*loaded);
	contains(*loaded, "\"errors\": []");
}

static void judges_and_says_why(void **state) {
	(void)state;
	driver d;
	char *loaded;
	open_worker(&d, ENTENTE_SOURCE_DIR "/tests/rules/real", &loaded);
	contains(loaded, "\"name\": \"sells\"");
	free(loaded);
	int snapshot = make_snapshot(), last;
	driver_evaluate(&d, 3, "sells", snapshot);
	char *r = driver_records(&d, &last);
	ended_well(&d, last, r);
	assert_int_equal(d.evaluations, 3);
	contains(r, "\"rule\":\"sells\"");
	contains(r, "\"partner\":\"ada\",\"verdict\":true");
	contains(r, "\"metric\":\"orders\"");
	contains(r, "looked at ada");
	contains(r, "\"partner\":\"nobody\",\"verdict\":\"unknown\"");
	free(r);
	/* A mistake in a rule is a record with its file and line, and the other partners are judged. */
	driver_evaluate(&d, 4, "breaks", snapshot);
	r = driver_records(&d, &last);
	ended_well(&d, last, r);
	contains(r, "/tests/rules/real/first.py\",\"line\":18,\"text\":\"ZeroDivisionError");
	contains(r, "\"partner\":\"bobby\",\"verdict\":true");
	free(r);
	close(snapshot);
	driver_finish(&d);
}

/* `rule` compares two things, and finds where they differ: nowhere. */
static void finds_no_difference(const char *rule) {
	driver d;
	char *loaded;
	open_worker(&d, ENTENTE_SOURCE_DIR "/tests/rules/real", &loaded);
	free(loaded);
	int snapshot = make_twin(), last;
	driver_evaluate(&d, 3, rule, snapshot);
	close(snapshot);
	char *r = driver_records(&d, &last);
	ended_well(&d, last, r);
	if (strstr(r, "\"verdict\":true") || strstr(r, "\"verdict\":\"failed\"") || !strstr(r, "compared ")) {
		fputs(r, stderr); /* more than a message holds */
		fail();
	}
	free(r);
	driver_finish(&d);
}

/* Rules are tried on fixtures: what those say must be what the engine would say. */
static void fixtures_read_as_the_engine_does(void **state) {
	(void)state;
	finds_no_difference("twin");
}

/* ... and what is C in the worker is Python there. */
static void quantities_and_evidence_are_those_of_python(void **state) {
	(void)state;
	finds_no_difference("frame");
}

/* Reads are kept as numbers into measures, and quantities and their JSON with them. */
static void what_was_read_is_kept_as_it_was(void **state) {
	(void)state;
	finds_no_difference("keeps");
}

static void exchanged_values(void **state) {
	(void)state;
	finds_no_difference("exchange");
}

/* What a record says from its verdict to its evidence, malloc'd. */
static char *said_of(const char *records, const char *partner) {
	char wanted[64];
	snprintf(wanted, sizeof wanted, "\"partner\":\"%s\",", partner);
	const char *from = strstr(records, wanted), *to = from ? strstr(from, ",\"evidence\":[") : NULL;
	if (!to) {
		fail_msg("nothing is said of %s in %s", partner, records);
	}
	return strndup(from + strlen(wanted), (size_t)(to - from) - strlen(wanted));
}

static void findings_are_written_as_python_does(void **state) {
	(void)state;
	driver d;
	char *loaded;
	open_worker(&d, ENTENTE_SOURCE_DIR "/tests/rules/real", &loaded);
	free(loaded);
	static const char *const rules[] = {"says", "shrugs", "mumbles"};
	static const char *const verdicts[] = {"\"verdict\":true,", "\"verdict\":\"unknown\",", "\"verdict\":\"failed\","};
	int snapshot = make_snapshot(), last;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		driver_evaluate(&d, 3, rules[i], snapshot);
		char *r = driver_records(&d, &last);
		ended_well(&d, last, r);
		contains(r, "\"output\":\"written by Python\\n\"");
		char *python = said_of(r, "ada"), *c = said_of(r, "bobby");
		contains(c, verdicts[i]);
		if (i < 2) { /* a failure names its partner */
			assert_string_equal(c, python);
		}
		free(python);
		free(c);
		free(r);
	}
	close(snapshot);
	driver_finish(&d);
}

/* Whatever the package imports, every worker waits for when it starts. */
static void imports_little_at_its_start(void **state) {
	(void)state;
	static const char *const heavy[] = {"typing", "re", "enum", "dataclasses", "inspect", "json", "datetime", "functools",
		"collections", "contextlib", "ast", "traceback", "difflib", "fractions", "decimal", "importlib", "entente.plain",
		"entente.brief", "entente.catalogue"};
	driver d;
	char *loaded;
	open_worker(&d, ENTENTE_SOURCE_DIR "/tests/rules/start", &loaded);
	free(loaded);
	int snapshot = make_snapshot(), last;
	driver_evaluate(&d, 3, "modules", snapshot);
	close(snapshot);
	char *r = driver_records(&d, &last);
	ended_well(&d, last, r);
	contains(r, "\"text\":\"entente.worker\"");
	for (size_t i = 0; i < sizeof heavy / sizeof *heavy; i++) {
		char text[64];
		snprintf(text, sizeof text, "\"text\":\"%s\"", heavy[i]);
		if (strstr(r, text)) {
			fail_msg("%s is imported", heavy[i]);
		}
	}
	free(r);
	driver_finish(&d);
}

/* What the core says of a partner that has no single facts: an empty table, a view without a value, no order that was tested. */
static void answer_with_nothing(driver *d) {
	enum { SEALED = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL };
	unsigned asked = ent_read_u8(&d->read);
	size_t n;
	const char *who = ent_read_bytes(&d->read, &n);
	char partner[32];
	snprintf(partner, sizeof partner, "%.*s", (int)n, who);
	unsigned of = ent_read_u8(&d->read);
	int fd;
	if (asked == ENT_RULES_ASK_VIEW) {
		snap_build b;
		snap_init(&b, 19729, "EUR");
		snap_partner(&b, partner, "{}");
		void *block = snap_block(&b, &n);
		fd = driver_memfd(block, n, SEALED);
		free(block);
	} else if (asked == ENT_RULES_ASK_INTEGRITY) {
		static const char none[] = "{\"orders\":0,\"found\":[]}";
		fd = driver_memfd(none, sizeof none - 1, SEALED);
	} else {
		const ent_facts_kind_def *kind = ent_facts_kind(of);
		assert_non_null(kind);
		struct {
			ent_facts_head head;
			uint64_t columns[64];
			ent_facts_text text;
			uint64_t end;
		} table = {.head = {ENT_FACTS_MAGIC, ENT_FACTS_VERSION, sizeof table, of, kind->n_columns, 0,
					   offsetof(__typeof__(table), columns), offsetof(__typeof__(table), text), 1, 0},
			.text = {offsetof(__typeof__(table), end), 0}};
		for (unsigned i = 0; i < kind->n_columns; i++) {
			table.columns[i] = offsetof(__typeof__(table), end);
		}
		fd = driver_memfd(&table, sizeof table, SEALED);
	}
	ent_buf b = {0};
	ent_buf_u32(&b, ENT_RULES_ANSWER);
	ent_buf_u8(&b, 1);
	ent_buf_text(&b, "");
	ent_buf_text(&b, "");
	driver_send(d, &b, fd);
	ent_buf_finish(&b);
	close(fd);
}

static void runs_the_shipped_rulebook(void **state) {
	(void)state;
	driver d;
	char *loaded;
	open_worker(&d, ENTENTE_SOURCE_DIR "/scripts/rulebook", &loaded);
	free(loaded);
	int snapshot = make_snapshot(), last;
	ent_buf b = {0};
	ent_buf_u32(&b, ENT_RULES_EVALUATE);
	ent_buf_u64(&b, 9);
	/* it asks the core for tests of single orders, and there is none here (tests/e2e/test_integrity.py has one); the other reads
	 * what it found */
	ent_buf_text(&b, "{\"skip\": [\"sources_disagree\", \"dont_rush\"], \"only\": null}");
	driver_send(&d, &b, snapshot);
	unsigned asked = 0;
	for (bool done = false; !done;) { /* rules that read single facts ask the core for them */
		char *r = driver_records(&d, &last);
		if (strstr(r, "\"verdict\":\"failed\"")) {
			fail_msg("a shipped rule fails: %.900s", strstr(r, "\"error\":{"));
		}
		done = last != ENT_RULES_ASK;
		if (done) {
			ended_well(&d, last, r);
		} else {
			answer_with_nothing(&d);
			asked++;
		}
		free(r);
	}
	assert_true(d.evaluations >= 3 * 8);
	assert_true(asked > 0);
	/* And the brief of one of them. */
	b.n = 0;
	ent_buf_u32(&b, ENT_RULES_BRIEF);
	ent_buf_u64(&b, 10);
	ent_buf_text(&b, "{\"partner\": \"ada\", \"format\": \"html\", \"for\": \"us\"}");
	driver_send(&d, &b, snapshot);
	ent_buf_finish(&b);
	int type = driver_receive(&d, 60);
	if (type != ENT_RULES_PAGE) {
		fail_msg("no page but %d: %.*s", type, (int)d.packet.n, (const char *)d.packet.data);
	}
	ent_read_u64(&d.read);
	ent_read_u8(&d.read);
	size_t n;
	const char *page = ent_read_bytes(&d.read, &n);
	assert_non_null(memmem(page, n, "<html", 5));
	close(snapshot);
	driver_finish(&d);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_and_says_why),
		cmocka_unit_test(fixtures_read_as_the_engine_does),
		cmocka_unit_test(quantities_and_evidence_are_those_of_python),
		cmocka_unit_test(what_was_read_is_kept_as_it_was),
		cmocka_unit_test(findings_are_written_as_python_does),
		cmocka_unit_test(imports_little_at_its_start),
		cmocka_unit_test(runs_the_shipped_rulebook),
		cmocka_unit_test(exchanged_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
