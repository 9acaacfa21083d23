/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the outbox and the feeds, and of a store of the version before, which has neither. */
#include "store/notices.h"
#include "store/schema.h"
#include "base/intern.h"
#include "store_fixture.h"

#include <sqlite3.h>

static const ent_notice model = {.target = "team",
	.way = "webhook",
	.rule = "r",
	.partner = "nordwind",
	.key = "",
	.change = "opened",
	.kind = "red_flag",
	.severity = "low",
	.practice = "pace",
	.text = "it is so",
	.evidence = "orders: 3",
	.weight = 1,
	.as_of = 20000,
	.first_day = 20000,
	.at_us = 100,
	.status = "pending",
	.next_us = 160,
	.message = "",
	.answer = ""};

static void put(fixture *f, const char *key, const char *change, bool wanted) {
	ent_notice x = model;
	x.key = key;
	x.change = change;
	OK(f, ent_store_notice_put(f->s, &x, wanted, &f->e));
}

static int concat(void *ctx, const ent_notice *x) {
	ent_buf_printf(ctx, "%s:%s:%s:%lld ", x->key, x->change, x->status, (long long)x->next_us);
	return 0;
}

static void expect(fixture *f, const char *target, const char *expected) {
	ent_buf b = {0};
	OK(f, ent_store_notices_scan(f->s, target, NULL, 100, concat, &b, &f->e));
	ent_buf_u8(&b, 0);
	assert_string_equal((char *)b.data, expected);
	ent_buf_finish(&b);
}

static uint64_t take(fixture *f, const char *target, int64_t now, unsigned least, const char *fresh, char message[40]) {
	uint64_t n;
	ent_notice_take t = {.target = target, .fresh = fresh, .now_us = now, .least = least};
	OK(f, ent_store_notices_take(f->s, &t, message, &n, &f->e));
	return n;
}

/* What changed back before anybody heard of it is told to nobody; what changed further is told once. */
static void become_one(void **state) {
	fixture *f = *state;
	put(f, "gone", "opened", true);
	put(f, "gone", "cleared", true);
	put(f, "unwanted", "opened", true);
	put(f, "unwanted", "cleared", false); /* the target does not hear of what is cleared: nor, then, of this */
	put(f, "back", "cleared", true);
	put(f, "back", "reopened", true);
	put(f, "never", "cleared", false);
	expect(f, NULL, "");
	put(f, "a", "opened", true);
	put(f, "a", "worse", true);
	put(f, "b", "worse", true);
	put(f, "b", "cleared", true);
	expect(f, NULL, "b:cleared:pending:160 a:opened:pending:160 ");
}

static void taken_as_one(void **state) {
	fixture *f = *state;
	char message[40];
	ent_buf b = {0};
	int64_t next;
	put(f, "a", "opened", true);
	put(f, "b", "opened", true);
	OK(f, ent_store_notices_next(f->s, "team", 0, &next, &f->e));
	assert_int_equal(next, 160);
	assert_int_equal(take(f, "team", 159, 0, "m1", message), 0); /* others may come */
	assert_string_equal(message, "");
	assert_int_equal(take(f, "other", 500, 0, "m1", message), 0);
	assert_int_equal(take(f, "team", 160, 0, "m1", message), 2);
	assert_string_equal(message, "m1");
	expect(f, "team", "b:opened:sending:0 a:opened:sending:0 ");
	/* what comes now is another message, and waits for the first to end */
	put(f, "a", "cleared", true);
	OK(f, ent_store_notices_settle(f->s, "m1", "pending", 170, 900, "answered 503", &f->e));
	assert_int_equal(take(f, "team", 500, 0, "m2", message), 0);
	OK(f, ent_store_notices_next(f->s, "team", 0, &next, &f->e));
	assert_int_equal(next, 900);
	assert_int_equal(take(f, "team", 900, 0, "m2", message), 2);
	assert_string_equal(message, "m1");
	OK(f, ent_store_notices_of(f->s, "m1", 10, concat, &b, &f->e));
	ent_buf_u8(&b, 0);
	assert_string_equal((char *)b.data, "a:opened:sending:0 b:opened:sending:0 ");
	ent_buf_finish(&b);
	OK(f, ent_store_notices_settle(f->s, "m1", "told", 901, 0, "200", &f->e));
	assert_int_equal(take(f, "team", 901, 0, "m2", message), 1);
	expect(f, "team", "a:cleared:sending:0 b:opened:told:0 a:opened:told:0 ");
	OK(f, ent_store_notices_settle(f->s, "m2", "failed", 902, 0, "410", &f->e));
	OK(f, ent_store_notices_next(f->s, "team", 0, &next, &f->e));
	assert_int_equal(next, 0);
	OK(f, ent_store_notices_forget(f->s, 100, &f->e));
	expect(f, NULL, "a:cleared:failed:0 b:opened:told:0 a:opened:told:0 ");
	OK(f, ent_store_notices_forget(f->s, 101, &f->e));
	expect(f, NULL, "");
}

/* In quiet hours what weighs enough goes, and the rest waits. */
static void by_weight(void **state) {
	fixture *f = *state;
	char message[40];
	int64_t next;
	ent_notice high = model;
	high.key = "high";
	high.weight = 3;
	put(f, "low", "opened", true);
	OK(f, ent_store_notices_next(f->s, "team", 3, &next, &f->e));
	assert_int_equal(next, 0);
	assert_int_equal(take(f, "team", 200, 3, "m1", message), 0);
	OK(f, ent_store_notice_put(f->s, &high, true, &f->e));
	OK(f, ent_store_notices_next(f->s, "team", 3, &next, &f->e));
	assert_int_equal(next, 160);
	assert_int_equal(take(f, "team", 200, 3, "m1", message), 1);
	expect(f, NULL, "high:opened:sending:0 low:opened:pending:160 ");
}

/* A process that died while it told: an Alertmanager may hear it twice, nobody else does. */
static void recovered(void **state) {
	fixture *f = *state;
	char message[40];
	uint64_t unknown;
	ent_notice alert = model;
	alert.target = "alerts";
	alert.way = "alertmanager";
	put(f, "a", "opened", true);
	OK(f, ent_store_notice_alert(f->s, &alert, true, &f->e));
	assert_int_equal(take(f, "team", 200, 0, "m1", message), 1);
	assert_int_equal(take(f, "alerts", 200, 0, "m2", message), 1);
	reopen(f, ENT_STORE_WRITE);
	OK(f, ent_store_notices_recover(f->s, 300, &unknown, &f->e));
	assert_int_equal(unknown, 1);
	expect(f, "team", "a:opened:unknown:0 ");
	expect(f, "alerts", ":opened:pending:300 ");
	assert_int_equal(take(f, "team", 10000, 0, "m3", message), 0);
	assert_int_equal(take(f, "alerts", 300, 0, "m3", message), 1);
}

static void alerts(void **state) {
	fixture *f = *state;
	char message[40];
	ent_notice x = model;
	x.way = "alertmanager";
	x.next_us = x.at_us = 100;
	OK(f, ent_store_notice_alert(f->s, &x, true, &f->e));
	assert_int_equal(take(f, "team", 100, 0, "m1", message), 1);
	OK(f, ent_store_notices_alerted(f->s, "m1", 101, 1000, &f->e));
	expect(f, NULL, ":opened:told:1000 "); /* it has to hear it again */
	assert_int_equal(take(f, "team", 999, 0, "m2", message), 0);
	assert_int_equal(take(f, "team", 1000, 0, "m2", message), 1);
	/* it is over while it is being told: the outcome of that says nothing of the end */
	x.next_us = x.at_us = 1001;
	OK(f, ent_store_notice_alert(f->s, &x, false, &f->e));
	OK(f, ent_store_notices_alerted(f->s, "m2", 1002, 2000, &f->e));
	expect(f, NULL, ":cleared:pending:1001 ");
	assert_int_equal(take(f, "team", 1001, 0, "m3", message), 1);
	OK(f, ent_store_notices_alerted(f->s, "m3", 1003, 2000, &f->e));
	expect(f, NULL, ":cleared:told:0 ");
	/* with another severity it is another alert */
	OK(f, ent_store_notice_alert(f->s, &x, true, &f->e));
	x.severity = "high";
	OK(f, ent_store_notice_alert(f->s, &x, true, &f->e));
	expect(f, NULL, ":opened:pending:1001 :cleared:pending:1001 ");
}

static int name_of(void *ctx, const char *target) {
	ent_buf_printf(ctx, "%s ", target);
	return 0;
}

static void targets_that_are_gone(void **state) {
	fixture *f = *state;
	ent_buf b = {0};
	put(f, "a", "opened", true);
	OK(f, ent_store_notices_targets(f->s, name_of, &b, &f->e));
	ent_buf_u8(&b, 0);
	assert_string_equal((char *)b.data, "team ");
	ent_buf_finish(&b);
	OK(f, ent_store_notices_drop(f->s, "team", "no longer configured", &f->e));
	expect(f, NULL, "a:opened:failed:0 ");
}

static int concat_feed(void *ctx, const ent_feed *x) {
	ent_buf_printf(ctx, "%s/%s:%lld ", x->source, x->partner, (long long)x->arrived_us);
	return 0;
}

static void feeds(void **state) {
	fixture *f = *state;
	ent_buf b = {0};
	ent_feed x = {"orders", "", UINT64_MAX, 5, 1};
	OK(f, ent_store_feed_put(f->s, &x, &f->e));
	x.arrived_us = 7;
	OK(f, ent_store_feed_put(f->s, &x, &f->e));
	x.partner = "b";
	OK(f, ent_store_feed_put(f->s, &x, &f->e));
	OK(f, ent_store_feeds_scan(f->s, concat_feed, &b, &f->e));
	ent_buf_u8(&b, 0);
	assert_string_equal((char *)b.data, "orders/:7 orders/b:7 ");
	ent_buf_finish(&b);
}

/* ---- a store of version 2 ---------------------------------------------------------------------------------------- */

static void make_old(fixture *f, const char *more) {
	char path[128];
	ent_buf sql = {0};
	sqlite3 *db;
	uint64_t print;
	snprintf(path, sizeof path, "%s/entente.db", f->folder);
	ent_store_close(f->s);
	f->s = NULL;
	assert_int_equal(unlink(path), 0);
	ent__schema_tables(&sql, 2);
	print = ent_hash64(sql.data, sql.n, 2);
	assert_null(strstr((char *)sql.data, "notice"));
	assert_null(strstr((char *)sql.data, "life"));
	ent_buf_printf(&sql,
		"INSERT INTO meta VALUES('schema', '%016llx'), ('kept', 'yes');\n"
		"INSERT INTO finding VALUES('r', 'p', 'k', 'red_flag', 'open', 'it is so', 'high', 'us', 'pace', 7, 1, 20000, 19999, 3, '{}');"
		"CREATE VIEW v_finding AS SELECT rule FROM finding;"
		"PRAGMA application_id = %d; PRAGMA user_version = 2; PRAGMA journal_mode = WAL; %s",
		(unsigned long long)print, ENT__SCHEMA_APPLICATION, more);
	ent_buf_u8(&sql, 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	char *message = NULL;
	if (sqlite3_exec(db, (char *)sql.data, NULL, NULL, &message) != SQLITE_OK) {
		fail_msg("%s", message);
	}
	sqlite3_close(db);
	ent_buf_finish(&sql);
}

static int concat_finding(void *ctx, const ent_finding *x) {
	ent_buf_printf(ctx, "%s/%s/%s %s '%s' %s %s %lld %d %d %s ", x->rule, x->partner, x->key, x->state, x->life, x->text,
		x->severity, (long long)x->worth, x->as_of, x->first_day, x->json);
	return 0;
}

static void upgraded(void **state) {
	fixture *f = *state;
	char *value;
	make_old(f, "");
	/* who may not write says what to do */
	assert_int_equal(ent_store_open(&f->s, f->folder, ENT_STORE_READ, &f->e), ENT_ERR_INVALID);
	assert_non_null(strstr(f->e.what, "earlier version"));
	assert_non_null(strstr(f->e.todo, "entente run"));
	reopen(f, ENT_STORE_CREATE);
	put(f, "a", "opened", true);
	feeds(state);
	ent_buf b = {0};
	OK(f, ent_store_findings_of(f->s, "r", NULL, concat_finding, &b, &f->e));
	ent_buf_u8(&b, 0);
	assert_string_equal((char *)b.data, "r/p/k open '' it is so high 7 20000 19999 {} ");
	ent_buf_finish(&b);
	OK(f, ent_store_check(f->s, &f->e));
	OK(f, ent_store_meta_get(f->s, "kept", &value, &f->e));
	assert_string_equal(value, "yes");
	free(value);
	reopen(f, ENT_STORE_READ); /* once only, and then for all */
	expect(f, NULL, "a:opened:pending:160 ");
}

/* Made with other measures: its figures would be misread. */
static void not_upgraded(void **state) {
	fixture *f = *state;
	make_old(f, "UPDATE meta SET value = '0000000000000000' WHERE key = 'schema'");
	assert_int_equal(ent_store_open(&f->s, f->folder, ENT_STORE_CREATE, &f->e), ENT_ERR_INVALID);
	assert_non_null(strstr(f->e.what, "schema"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {TEST(become_one), TEST(taken_as_one), TEST(by_weight), TEST(recovered), TEST(alerts),
		TEST(targets_that_are_gone), TEST(feeds), TEST(upgraded), TEST(not_upgraded)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
