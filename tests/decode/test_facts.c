/* SPDX-License-Identifier: Apache-2.0
 *
 * What entente-decoder makes of facts: which belong into one document, which are refused and why, what counts as
 * content, and that every row gets exactly one verdict. */
#include "driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define HEADER "Kind,Key,Order,Partner,How\n"

static driver worker;

static int start(void **state) {
	(void)state;
	driver_start(&worker, NULL);
	if (!driver_load(
			&worker, ENTENTE_BUILD_DIR "/tests/plugins/kinds.so")) { /* of a later minor, with a longer table */
		fail_msg("%s", worker.failed.what);
	}
	assert_true(driver_open(&worker, 1, "kinds", 0, NULL));
	return 0;
}

static int stop(void **state) {
	(void)state;
	assert_int_equal(driver_finish(&worker), 0);
	return 0;
}

static void decode(const char *text) {
	driver_clear(&worker);
	int fd = driver_file(text, strlen(text));
	if (!driver_decode(&worker, 1, fd, 0, UINT64_MAX, false, -1)) {
		fail_msg("%s %s", worker.dead ? "dead" : "failed", worker.failed.what);
	}
	assert_false(worker.torn);
	close(fd);
}

static void document(size_t i, uint8_t kind, const char *key, const char *partner, uint8_t flags, uint32_t subs) {
	assert_true(i < worker.n_docs);
	const driver_doc *d = &worker.docs[i];
	if (d->kind != kind || strcmp(d->key, key) != 0 || strcmp(d->partner, partner) != 0 || d->flags != flags ||
		d->n_subs != subs) {
		fail_msg("document %zu: kind %u key %s partner '%s' flags %u subs %u", i, d->kind, d->key, d->partner, d->flags,
			d->n_subs);
	}
}

/* Texts are looked up by length and ends first: those that differ in one byte, wherever it is, stay apart. */
static void texts_that_nearly_agree_are_told_apart(void **state) {
	(void)state;
	for (size_t n = 1; n <= 56; n++) {
		ent_buf doc = {0};
		ent_buf_printf(&doc, HEADER);
		for (size_t round = 0; round < 2; round++) {
			for (size_t at = 0; at <= n; at++) {
				char partner[64] = "";
				memset(partner, 'a', n);
				partner[at] = at < n ? 'b' : 0;
				ent_buf_printf(&doc, "visit,V%zu,,%s,\n", at, partner);
			}
		}
		ent_buf_u8(&doc, 0);
		decode((char *)doc.data);
		ent_buf_finish(&doc);
		assert_int_equal(worker.n_docs, 2 * (n + 1));
		for (size_t i = 0; i < worker.n_docs; i++) {
			size_t at = i % (n + 1);
			char partner[64] = "";
			memset(partner, 'a', n);
			partner[at] = at < n ? 'b' : 0;
			assert_string_equal(worker.docs[i].partner, partner);
			assert_true(worker.docs[i].content == worker.docs[at].content);
			assert_true(!at || worker.docs[i].content != worker.docs[i - 1].content);
		}
	}
}

static void lines_and_refunds_are_gathered(void **state) {
	(void)state;
	decode(HEADER "order,A,,p,\n"
				  "line,1,A,,\n" /* names no partner: its order's */
				  "line,2,A,p,\n"
				  "visit,V,,,\n" /* something else between them does not part them */
				  "refund,1,A,p,\n"
				  "line,3,A,q,\n" /* another partner's: a document of its own */
				  "line,1,B,q,\n" /* lines without their order */
				  "line,2,B,q,\n"
				  "line,1,B,r,\n"
				  "order,B,,q,\n"
				  "order,C,,q,retract\n"
				  "line,9,D,q,retract\n");
	assert_int_equal(worker.n_docs, 8);
	assert_int_equal(worker.facts, 12);
	assert_int_equal(worker.consumed, 12);
	document(0, ENT_VISIT, "V", "", ENT_DOC_HEAD, 0);
	document(1, ENT_ORDER, "A", "p", ENT_DOC_HEAD, 3);
	document(2, ENT_ORDER, "A", "q", 0, 1);
	document(3, ENT_ORDER, "B", "q", 0, 2);
	document(4, ENT_ORDER, "B", "r", 0, 1);
	document(5, ENT_ORDER, "B", "q", ENT_DOC_HEAD, 0);
	document(6, ENT_ORDER, "C", "q", ENT_DOC_RETRACT, 0);
	document(7, ENT_ORDER, "D", "q", 0, 1);
}

static void refused(const char *row, const char *why) {
	char text[400];
	snprintf(text, sizeof text, HEADER "visit,before,,,\n%s\nvisit,after,,,\n", row);
	decode(text);
	if (worker.n_docs != 2 || worker.rejected != 1 || worker.consumed != 2 || worker.n_rejects != 1) {
		fail_msg("%s: %zu documents, %llu rejected", row, worker.n_docs, (unsigned long long)worker.rejected);
	}
	if (!strstr(worker.rejects[0].reason, why)) {
		fail_msg("%s: '%s' has no '%s'", row, worker.rejects[0].reason, why);
	}
	assert_int_equal(worker.rejects[0].line, 3);
}

static void facts_that_break_the_contract(void **state) {
	(void)state;
	refused("visit,k,,,nokey", "without a key");
	refused("visit,,,,", "without a key");
	refused("order,k,,,longkey", "longer than 255");
	refused("order,k,,,year", "1828 to 2112");
	refused("order,k,,,currency", "three letters");
	refused("order,k,,,code", "a code that is not one of its kind");
	refused("line,k,,,", "without the key of its order");
	refused("line,k,o,,currency", "three letters");
	refused("refund,k,o,,year", "1828 to 2112");
	refused("refund,k,o,,code", "a code");
	refused("refund,k,,,", "without the key of its order");
	refused("cart,k,,,year", "1828 to 2112");
	refused("visit,k,,,year", "1828 to 2112");
	refused("visit,k,,,code", "a code");
	refused("touch,k,,,currency", "three letters");
	refused("contact,k,,,code", "a code");
	refused("observation,k,,,code", "a code");
	refused("entry,k,,,many", "more than 64");
}

static void every_kind_arrives(void **state) {
	(void)state;
	decode(HEADER "order,k,,,\ncart,k,,,\nvisit,k,,,\nobservation,k,,,\nvisit,k,,,kind\n");
	assert_int_equal(worker.consumed, 5);
	assert_int_equal(worker.n_docs, 4);
	decode(HEADER "cart,k,,,retract\nvisit,k,,,retract\ntouch,k,,,retract\ncontact,k,,,retract\nentry,k,,,retract\n");
	assert_int_equal(worker.n_docs, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(worker.docs[i].flags, ENT_DOC_RETRACT);
	}
}

static uint64_t content(const char *row) {
	char text[400];
	snprintf(text, sizeof text, HEADER "%s\n", row);
	decode(text);
	assert_int_equal(worker.n_docs, 1);
	return worker.docs[0].n_subs ? worker.docs[0].subs : worker.docs[0].content;
}

static void only_what_is_said_is_content(void **state) {
	(void)state;
	/* a struct of an older minor, and what stands in fields that are said to be absent, make no difference */
	assert_true(content("order,k,,p,") == content("order,k,,p,short"));
	assert_true(content("order,k,,p,") == content("order,k,,p,dirty"));
	assert_true(content("line,k,o,p,") == content("line,k,o,p,dirty"));
	assert_true(content("order,k,,p,") != content("order,l,,p,"));
	assert_true(content("order,k,,p,") != content("order,k,,q,"));
	assert_true(content("order,k,,p,") != content("order,k,,p,retract"));
	assert_true(content("visit,k,,p,") != content("cart,k,,p,"));
}

static void one_verdict_a_row(void **state) {
	(void)state;
	decode(HEADER "visit,1,,,\n"
				  "visit,2,,,late\n"     /* row 1 is rejected after it was consumed, twice: counted once */
				  "visit,3,,,lateskip\n" /* row 2 is skipped after it was consumed */
				  "visit,4,,,twice\n"    /* rejected, although it brings a fact */
				  "visit,5,,,late\n");   /* row 4 is rejected already */
	assert_int_equal(worker.records, 5);
	assert_int_equal(worker.rejected, 2);
	assert_int_equal(worker.skipped, 1);
	assert_int_equal(worker.consumed, 2);
	assert_int_equal(worker.n_rejects, 6);
	assert_string_equal(worker.rejects[2].column, "Key");
	assert_string_equal(worker.rejects[3].column, "Order");
	assert_int_equal(worker.facts, 5);
	assert_int_equal(worker.done.rejected, 2);
}

static void logs_are_held_back(void **state) {
	(void)state;
	worker.log[0] = 0;
	decode(HEADER "visit,1,,,log\nvisit,2,,,log\n");
	size_t lines = strlen(worker.log) / strlen("said;");
	assert_in_range(lines, 5, 10); /* five a second; the second may have changed meanwhile */
	worker.log[0] = 0;
	sleep(1);
	decode(HEADER "visit,1,,,covers\n");
	assert_int_equal(worker.covers, 0);
	assert_non_null(strstr(worker.log, "covers()"));
	assert_int_equal(worker.consumed, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_that_nearly_agree_are_told_apart),
		cmocka_unit_test(lines_and_refunds_are_gathered),
		cmocka_unit_test(facts_that_break_the_contract),
		cmocka_unit_test(every_kind_arrives),
		cmocka_unit_test(only_what_is_said_is_content),
		cmocka_unit_test(one_verdict_a_row),
		cmocka_unit_test(logs_are_held_back),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
