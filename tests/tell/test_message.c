/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of what needs no other machine: quiet hours, templates, what an answer means, how long to wait, when a feed is late. */
#include "base/day.h"
#include "engine/feeds.h"
#include "tell/deliver.h"
#include "transport/client_internal.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const int64_t SECOND = 1000000, HOUR = INT64_C(3600) * 1000000;

static int64_t at(const ent_zone *zone, int year, unsigned month, unsigned day, int hour, int minute) {
	return ent_zone_instant(zone, ent_day_of(year, month, day) * ENT_US_PER_DAY + hour * HOUR + minute * 60 * SECOND);
}

/* ---- quiet hours ------------------------------------------------------------------------------------------------- */

static unsigned quiet(const ent_config_tell *t, ent_zone *zone, int64_t now, int64_t *until) {
	ent_zone *zones[2] = {zone, zone};
	return ent__quiet(t, zones, now, until);
}

static void nights(void **state) {
	(void)state;
	ent_error e;
	ent_zone *berlin = ent_zone_load("Europe/Berlin", &e);
	ent_tell_quiet night = {.from = 22 * 60, .to = 7 * 60, .except = -1};
	ent_config_tell t = {.quiet = &night, .n_quiet = 1};
	int64_t until;
	assert_int_equal(quiet(&t, berlin, at(berlin, 2026, 6, 10, 21, 59), &until), 0);
	assert_int_equal(quiet(&t, berlin, at(berlin, 2026, 6, 10, 22, 0), &until), 4);
	assert_int_equal(until, at(berlin, 2026, 6, 11, 7, 0));
	assert_int_equal(quiet(&t, berlin, at(berlin, 2026, 6, 11, 6, 59), &until), 4);
	assert_int_equal(quiet(&t, berlin, at(berlin, 2026, 6, 11, 7, 0), &until), 0);
	/* the night in which clocks go forward is an hour shorter, the one in which they go back an hour longer */
	assert_int_equal(quiet(&t, berlin, at(berlin, 2026, 3, 28, 22, 0), &until), 4);
	assert_int_equal(until - at(berlin, 2026, 3, 28, 22, 0), 8 * HOUR);
	assert_int_equal(quiet(&t, berlin, at(berlin, 2026, 10, 24, 22, 0), &until), 4);
	assert_int_equal(until - at(berlin, 2026, 10, 24, 22, 0), 10 * HOUR);
	/* of a Friday's night, Saturday's morning; what is severe enough passes */
	night.days = 1 << 4;
	night.except = 2;
	assert_int_equal(quiet(&t, berlin, at(berlin, 2026, 6, 13, 6, 0), &until), 3);
	assert_int_equal(quiet(&t, berlin, at(berlin, 2026, 6, 13, 23, 0), &until), 0);
	ent_zone_destroy(berlin);
}

static void weekends(void **state) {
	(void)state;
	ent_error e;
	ent_zone *zone = ent_zone_load("+02:00", &e);
	ent_tell_quiet two[] = {
		{.from = 0, .to = 24 * 60, .days = 0x60, .except = -1}, {.from = 20 * 60, .to = 8 * 60, .except = 1}};
	ent_config_tell t = {.quiet = two, .n_quiet = 2};
	int64_t until;
	assert_int_equal(quiet(&t, zone, at(zone, 2026, 6, 13, 12, 0), &until), 4); /* a Saturday */
	assert_int_equal(until, at(zone, 2026, 6, 14, 0, 0));
	assert_int_equal(quiet(&t, zone, at(zone, 2026, 6, 12, 21, 0), &until), 2);
	assert_int_equal(quiet(&t, zone, at(zone, 2026, 6, 14, 21, 0), &until), 4); /* both: the stricter one */
	assert_int_equal(until, at(zone, 2026, 6, 15, 0, 0));
	assert_int_equal(quiet(&t, zone, at(zone, 2026, 6, 15, 12, 0), &until), 0);
	ent_zone_destroy(zone);
}

/* ---- templates --------------------------------------------------------------------------------------------------- */

static const ent_config_partner partners[] = {{.id = {.s = "nord"}, .name = {.s = "Nord & Söhne"}}};
static const ent_config config = {.partners = partners, .n_partners = 1, .currency = {.s = "EUR"}};
static const ent_config_tell team = {.name = {.s = "team"}};
static const ent__letter letter = {.config = &config, .target = &team};

static void fill(ent__message *m) {
	ent_notice x = {.target = "team", .way = "mail", .rule = "r", .partner = "nord", .key = "k", .change = "opened", .kind = "red_flag",
		.severity = "high", .practice = "pace", .text = "a <b> \"c\"\r\nBcc: d", .evidence = "one\ntwo\n", .worth = 1500000,
		.has_worth = 1, .at_us = INT64_C(1700000000) * 1000000};
	snprintf(m->id, sizeof m->id, "0123");
	ent__message_add(m, &x);
	x.change = "cleared";
	x.has_worth = 0;
	x.evidence = "";
	ent__message_add(m, &x);
	m->total = 5;
}

static void check(const char *template, ent__form form, const char *expected) {
	ent__message m = {0};
	ent_buf out = {0};
	ent_error e;
	fill(&m);
	assert_int_equal(ent__template_check(template, "t", &e), 0);
	ent__template_render(template, form, &letter, &m, &out);
	ent_buf_u8(&out, 0);
	assert_string_equal((char *)out.data, expected);
	ent_buf_finish(&out);
	ent__message_finish(&m);
}

static void rendered(void **state) {
	(void)state;
	check("{summary} of {when}\n", ENT__FORM_TEXT, "5 changes of 2023-11-14T22:13:20Z\n");
	/* a line whose placeholders are all empty is left out; further lines of a value stand below its first */
	check("{#findings}\n* {change} {partner_name}\n  worth {worth}\n  {evidence}\n{/findings}\nend\n", ENT__FORM_TEXT,
		"* opened Nord & Söhne\n  worth 1.5 EUR\n  one\n  two\n* cleared Nord & Söhne\nend\n");
	check("<p>{#findings}<b>{text}</b>{/findings}", ENT__FORM_HTML,
		"<p><b>a &lt;b&gt; &quot;c&quot; <br>Bcc: d</b><b>a &lt;b&gt; &quot;c&quot; <br>Bcc: d</b>");
	check("[{#findings}{\"w\": \"{worth}\"}{comma}{/findings}]", ENT__FORM_JSON, "[{\"w\": \"1.5 EUR\"},{\"w\": \"\"}]");
	check("a {b c} {} {B} {1} {", ENT__FORM_TEXT, "a {b c} {} {B} {1} {");
	check("{more}", ENT__FORM_TEXT, "and 3 more; `entente findings` shows all of them");
}

static void faulty(void **state) {
	(void)state;
	static const char *const cases[][2] = {
		{"{#findings}\n {txet}{/findings}", "t:2:2: unknown placeholder {txet}; did you mean {text}?"},
		{"{text}", "t:1:1: {text} is something of one finding; put it between {#findings} and {/findings}"},
		{"x\n{#findings}", "t:2:1: {#findings} has no end; write {/findings} behind it"},
		{"{/findings}", "t:1:1: {/findings} ends what did not begin; write {#findings} before it"},
		{"{#findings}{/findings}{#findings}{/findings}",
			"t:1:23: {#findings} stands here a second time; write one part for findings"},
		{"{nothing_like_it}", "t:1:1: unknown placeholder {nothing_like_it}; docs/telling.md lists all of them"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ent_error e;
		char line[2048];
		assert_int_equal(ent__template_check(cases[i][0], "t", &e), ENT_ERR_INVALID);
		assert_string_equal(ent_error_text(&e, line, sizeof line), cases[i][1]);
	}
	ent_error e;
	assert_int_equal(ent__template_check(ent__text_template, "t", &e), 0);
	assert_int_equal(ent__template_check(ent__html_template, "t", &e), 0);
}

static void signature(void **state) {
	(void)state;
	char out[72]; /* as `printf '1700000000.{}' | openssl dgst -sha256 -hmac secret` says */
	ent__webhook_sign("secret", 6, 1700000000, "{}", 2, out);
	assert_string_equal(out, "v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163");
}

/* Whatever a finding says, what is sent is JSON. */
static void bodies(void **state) {
	(void)state;
	ent__message m = {0};
	fill(&m);
	for (int i = 0; i < 2; i++) {
		ent_buf out = {0};
		if (i) {
			ent__alerts(&letter, &m, 0, &out);
		} else {
			ent__webhook_body(&letter, &m, &out);
		}
		ent_buf_u8(&out, 0);
		json_object *o = json_tokener_parse((char *)out.data);
		assert_non_null(o);
		json_object_put(o);
		ent_buf_finish(&out);
	}
	ent__message_finish(&m);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void answers(void **state) {
	(void)state;
	struct ent__client_headers none = {0};
	static const struct {
		int way, failure, status;
		uint64_t sent;
		int result;
	} cases[] = {
		{ENT_TELL_WEBHOOK, ENT_CLIENT_OK, 204, 9, ENT_TELL_TOLD},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_OK, 301, 9, ENT_TELL_FAILED},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_OK, 404, 9, ENT_TELL_FAILED},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_OK, 408, 9, ENT_TELL_AGAIN},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_OK, 429, 9, ENT_TELL_AGAIN},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_OK, 503, 9, ENT_TELL_AGAIN},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_UNREACHABLE, 0, 0, ENT_TELL_AGAIN},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_UNREACHABLE, 0, 9, ENT_TELL_UNKNOWN},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_TIMEOUT, 0, 0, ENT_TELL_AGAIN},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_TIMEOUT, 0, 9, ENT_TELL_UNKNOWN},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_CANCELLED, 0, 9, ENT_TELL_UNKNOWN},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_TLS, 0, 9, ENT_TELL_AGAIN},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_FORBIDDEN, 0, 0, ENT_TELL_FAILED},
		{ENT_TELL_WEBHOOK, ENT_CLIENT_TOO_LARGE, 200, 9, ENT_TELL_TOLD},
		{ENT_TELL_MAIL, ENT_CLIENT_OK, 250, 9, ENT_TELL_TOLD},
		{ENT_TELL_MAIL, ENT_CLIENT_DENIED, 550, 9, ENT_TELL_FAILED},
		{ENT_TELL_MAIL, ENT_CLIENT_DENIED, 451, 9, ENT_TELL_AGAIN},
		{ENT_TELL_MAIL, ENT_CLIENT_TIMEOUT, 354, 9, ENT_TELL_UNKNOWN},
		{ENT_TELL_ALERTMANAGER, ENT_CLIENT_TIMEOUT, 0, 9, ENT_TELL_AGAIN},
		{ENT_TELL_ALERTMANAGER, ENT_CLIENT_OK, 400, 9, ENT_TELL_FAILED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ent_config_tell t = {.way = cases[i].way};
		ent_client_answer a = {.failure = (ent_client_failure)cases[i].failure, .status = cases[i].status, .sent = cases[i].sent,
			.body = "no", .body_n = 2, .headers = &none};
		ent__outcome out;
		ent__judge_answer(&t, &a, &out);
		if ((int)out.result != cases[i].result) {
			fail_msg("case %zu: %d (%s)", i, out.result, out.what);
		}
		assert_true(out.what[0]);
	}
}

static void waiting(void **state) {
	(void)state;
	assert_int_equal(ent__backoff(1, HOUR, 0.5), SECOND);
	assert_int_equal(ent__backoff(2, HOUR, 0.5), 2 * SECOND);
	assert_int_equal(ent__backoff(5, HOUR, 0.5), 16 * SECOND);
	assert_int_equal(ent__backoff(1, HOUR, 0), 750000);
	assert_int_equal(ent__backoff(1, HOUR, 1), 1250000);
	assert_int_equal(ent__backoff(1, 0, 0.5), 0); /* no second try */
	assert_int_equal(ent__backoff(3, 6 * SECOND, 0.5), 0); /* 1 + 2 have passed, 4 more are too much */
	assert_int_equal(ent__backoff(40, INT64_C(400) * 86400 * SECOND, 0.5), 600 * SECOND);
}

/* ---- feeds ------------------------------------------------------------------------------------------------------- */

static void late(void **state) {
	(void)state;
	int64_t next;
	ent_feed_times t = {.every_us = 24 * HOUR, .late_after_us = 36 * HOUR, .arrived_us = 100 * HOUR, .since_us = 500 * HOUR};
	assert_int_equal(ent_feed_judge(&t, 100 * HOUR, &next), ENT_FEED_FINE);
	assert_int_equal(next, 136 * HOUR);
	assert_int_equal(ent_feed_judge(&t, 136 * HOUR - 1, &next), ENT_FEED_FINE);
	assert_int_equal(ent_feed_judge(&t, 136 * HOUR, &next), ENT_FEED_LATE);
	assert_int_equal(next, 208 * HOUR);
	assert_int_equal(ent_feed_judge(&t, 208 * HOUR, &next), ENT_FEED_VERY_LATE);
	assert_int_equal(next, 0);
	t.arrived_us = 0; /* never: it is expected since it was looked at first */
	assert_int_equal(ent_feed_judge(&t, 510 * HOUR, &next), ENT_FEED_FINE);
	assert_int_equal(ent_feed_judge(&t, 536 * HOUR, &next), ENT_FEED_LATE);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(nights), cmocka_unit_test(weekends), cmocka_unit_test(rendered),
		cmocka_unit_test(faulty), cmocka_unit_test(signature), cmocka_unit_test(bodies), cmocka_unit_test(answers),
		cmocka_unit_test(waiting), cmocka_unit_test(late)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
