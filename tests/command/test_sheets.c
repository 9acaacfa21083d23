/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente balance`, `entente rejects list` and the part of `entente doctor` that looks into the store, as they are
 * typed, over a store that is made here. */
#include "base/arena.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct fixture {
	char folder[64];
	ent_store *s;
	char out[16384]; /* of the last command, with what it said on standard error */
} fixture;

static int set_up(void **state) {
	fixture *f = ent_xcalloc(1, sizeof *f);
	char path[128];
	ent_error e;
	strcpy(f->folder, "/tmp/entente-sheets-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(path, sizeof path, "%s/entente.yaml", f->folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs("version: 1\nstore: store\ncurrency: EUR\npartners:\n  meadow: {currency: EUR, zone: UTC}\nsources:\n"
		  "  shop:\n    partner: meadow\n    from: {file: a.csv}\n    decode: shopify.orders\n"
		  "  web:\n    partner: meadow\n    from: {file: b.jsonl}\n    decode: ga4.events\n",
		file);
	fclose(file);
	snprintf(path, sizeof path, "%s/store", f->folder);
	assert_int_equal(ent_store_open(&f->s, path, ENT_STORE_CREATE, &e), 0);
	assert_int_equal(ent_store_code_add(f->s, ENT_CODE_TEXT, 3, "shop", 4, &e), 0);
	assert_int_equal(ent_store_code_add(f->s, ENT_CODE_TEXT, 9, "old", 3, &e), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state) {
	fixture *f = *state;
	char command[128];
	ent_store_close(f->s);
	snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static int entente(fixture *f, const char *words) {
	char command[512];
	snprintf(command, sizeof command, "cd '%s' && '%s/bin/entente' %s 2>&1", f->folder, ENTENTE_BUILD_DIR, words);
	FILE *p = popen(command, "r");
	assert_non_null(p);
	size_t n = fread(f->out, 1, sizeof f->out - 1, p);
	f->out[n] = 0;
	int status = pclose(p);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void says(const fixture *f, const char *text) {
	if (!strstr(f->out, text)) {
		fail_msg("'%s' is not in: %s", text, f->out);
	}
}

static void balance(void **state) {
	fixture *f = *state;
	ent_error e;
	assert_int_equal(entente(f, "balance"), 0);
	says(f, "nothing was read yet");
	assert_int_equal(entente(f, "balance --json"), 0);
	says(f, "\"closes\": true");
	ent_balance b = {.source = 3,
		.records = 12345,
		.consumed = 12300,
		.rejected = 40,
		.skipped = 5,
		.received = 12300,
		.stored = 12000,
		.replaced = 100,
		.duplicate = 100,
		.superseded = 50,
		.merged = 40,
		.refused = 10,
		.parked = 7,
		.waits = 6789,
		.waited_us = 4200000};
	assert_int_equal(ent_store_balance_add(f->s, &b, &e), 0);
	assert_int_equal(entente(f, "balance"), 0);
	says(f, "12,345");
	says(f, "closes");
	says(f, "6,789");
	says(f, "4.2 s");
	assert_null(strstr(f->out, "off by"));
	ent_balance lost = {.source = 9, .records = 10, .consumed = 8, .rejected = 1, .received = 3, .stored = 5};
	assert_int_equal(ent_store_balance_add(f->s, &lost, &e), 0);
	assert_int_equal(entente(f, "balance"), 3);
	says(f, "off by 1");
	says(f, "off by -2");
	says(f, "of 1 of 2 sources does not close");
	assert_int_equal(entente(f, "balance --json -q"), 3);
	says(f, "\"source\": \"old\"");
	says(f, "\"superseded\": 50");
	says(f, "\"waits\": 6789");
	says(f, "\"waited_seconds\": 4.2");
	says(f, "\"closes\": false");
	assert_int_equal(f->out[0], '{'); /* nothing but the value */
}

static void rejects(void **state) {
	fixture *f = *state;
	ent_error e;
	assert_int_equal(entente(f, "rejects list"), 0);
	assert_string_equal(f->out, "no rejects\n");
	ent_reject r = {.source = 3,
		.input = 1,
		.place = 700,
		.line = 12,
		.input_name = "a.csv",
		.reason = "no date",
		.column = "Created at",
		.excerpt = "2024-**\033[31m"};
	assert_int_equal(ent_store_reject_add(f->s, &r, &e), 0);
	r.line = 0, r.place = 900, r.source = 9, r.column = "";
	assert_int_equal(ent_store_reject_add(f->s, &r, &e), 0);
	assert_int_equal(entente(f, "rejects list"), 0);
	says(f, "a.csv:12");
	says(f, "a.csv, byte 900");
	says(f, "Created at");
	assert_null(strchr(f->out, '\033')); /* what comes from data does not drive the terminal */
	assert_int_equal(entente(f, "rejects list shop"), 0);
	says(f, "a.csv:12");
	assert_null(strstr(f->out, "byte 900"));
	assert_int_equal(entente(f, "rejects list web"), 0); /* configured, never read */
	assert_string_equal(f->out, "no rejects\n");
	assert_int_equal(entente(f, "rejects list old"), 0); /* read, and no longer configured */
	says(f, "byte 900");
	assert_int_equal(entente(f, "rejects list shpo"), 2);
	says(f, "did you mean 'shop'?");
	assert_int_equal(entente(f, "rejects list --limit 1"), 0);
	says(f, "1 of 2 rejects are shown");
	assert_int_equal(entente(f, "rejects list --json web"), 0);
	assert_string_equal(f->out, "[]\n");
	assert_int_equal(entente(f, "rejects list --json"), 0);
	says(f, "\"column\": null");
	says(f, "\"line\": 12");
	says(f, "\"place\": 900");
}

static void doctor(void **state) {
	fixture *f = *state;
	ent_error e;
	ent_ledger_report report;
	ent_ledger *l;
	assert_int_equal(ent_ledger_open(&l, ent_store_folder(f->s), NULL, 0, true, true, &report, &e), 0);
	for (int i = 0; i < 1234; i++) {
		assert_true(ent_ledger_append(l, "a document", 10, &e) != 0);
	}
	assert_int_equal(ent_ledger_sync(l, &e), 0);
	size_t n;
	const ent_segment *segments = ent_ledger_segments(l, &n);
	assert_int_equal(ent_store_segments_save(f->s, segments, n, &e), 0);
	ent_ledger_close(l);
	entente(f, "doctor");
	says(f, "entente.db is whole");
	says(f, "1,234 entries, every checksum is right");
	says(f, "held: a run is at work"); /* this test's; the doctor needs no lock */
	char path[128];
	snprintf(path, sizeof path, "%s/store/ledger/000001.log", f->folder);
	FILE *file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fseek(file, 18 * 1000 + 8, SEEK_SET), 0);
	assert_int_equal(fputc('A', file), 'A');
	fclose(file);
	assert_int_equal(entente(f, "doctor"), 1);
	says(f, "000001.log has no valid frame at offset 18000");
	assert_int_equal(access(path, F_OK), 0); /* it looks, and leaves all as it is */
}

static void no_store(void **state) {
	fixture *f = *state;
	char command[128];
	ent_store_close(f->s);
	f->s = NULL;
	snprintf(command, sizeof command, "rm -rf '%s/store'", f->folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(entente(f, "balance"), 1);
	says(f, "there is no store in");
	says(f, "entente run");
	assert_int_equal(entente(f, "rejects list"), 1);
	says(f, "there is no store in");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(balance, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rejects, set_up, tear_down),
		cmocka_unit_test_setup_teardown(doctor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_store, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
