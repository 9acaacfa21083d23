/* SPDX-License-Identifier: Apache-2.0
 *
 * sources.NAME.from.poll as it is written, each fault at its place, and the values that say how far one has read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/stamp.h"

static const char head[] =
	"version: 1\ncurrency: EUR\npartners: {a: {}}\nsources:\n  s:\n    partner: a\n    decode: x\n    from:\n      poll:\n";

static ent_config *read_it(const char *poll, ent_errors *errors) {
	char *text;
	int n = asprintf(&text, "%s%s", head, poll);
	ent_config *config = NULL;
	memset(errors, 0, sizeof *errors);
	ent_config_parse(text, (size_t)n, "e.yaml", "/etc/x", &config, errors);
	free(text);
	return config;
}

static void test_whole(void **state) {
	(void)state;
	ent_errors *errors = calloc(1, sizeof *errors);
	ent_config *config =
		read_it("        url: https://shop.example/wp-json/wc/v3/orders\n"
				"        every: 5m\n"
				"        query: {per_page: 100, modified_after: \"{since}\"}\n"
				"        headers: {X-Channel: \"7\"}\n"
				"        records: orders\n"
				"        since: {value: date_modified_gmt, start: 2023-01-01T00:00:00, overlap: 10m}\n"
				"        pages: {by: header}\n"
				"        auth: {basic: {user: env:KEY, password: file:secret}}\n"
				"        limits: {rate: 60/m, retry: 7, timeout: 3s, connect: 2s, body: 1MB, pages: 9, redirects: 1}\n",
			errors);
	assert_int_equal(errors->total, 0);
	const ent_config_source *s = ent_config_source_find(config, "s");
	assert_int_equal(s->from.kind, ENT_FROM_POLL);
	const ent_poll_config *p = s->from.poll;
	assert_int_equal(p->every_us, 300000000);
	assert_int_equal(p->n_query, 2);
	assert_string_equal(p->query[1].value.s, "{since}");
	assert_string_equal(p->headers[0].key.s, "X-Channel");
	assert_string_equal(p->records.s, "/orders");
	assert_string_equal(p->since.s, "/date_modified_gmt");
	assert_int_equal(p->overlap_us, 600000000);
	assert_int_equal(p->pages, ENT_PAGES_HEADER);
	assert_string_equal(p->next.s, "Link");
	assert_int_equal(p->auth, ENT_AUTH_BASIC);
	assert_string_equal(p->user.s, "env:KEY");
	assert_string_equal(p->secret.s, "file:/etc/x/secret");
	assert_int_equal(p->rate.n, 60);
	assert_int_equal(p->retry, 7);
	assert_int_equal(p->timeout_us, 3000000);
	assert_int_equal(p->connect_us, 2000000);
	assert_int_equal(p->body, 1 << 20);
	assert_int_equal(p->pages_most, 9);
	assert_int_equal(p->redirects, 1);
	ent_config_destroy(config);

	config = read_it(
		"        {url: http://x/, every: 1h, pages: {by: number}, auth: {oauth2: {token_url: https://x/t, client_id: me, "
		"client_secret: env:S, scope: read}}}\n",
		errors);
	assert_int_equal(errors->total, 0);
	p = config->sources[0].from.poll;
	assert_string_equal(p->param.s, "page");
	assert_int_equal(p->first, 1);
	assert_int_equal(p->auth, ENT_AUTH_OAUTH2);
	assert_string_equal(p->user.s, "me");
	assert_string_equal(p->scope.s, "read");
	assert_int_equal(p->timeout_us, 30000000); /* defaults */
	assert_int_equal(p->redirects, 0);
	ent_config_destroy(config);

	config = read_it("        {url: http://x/, every: 1h, pages: {by: offset, size: 50, first: 0}, auth: {header: {name: "
					 "X-Key, value: env:S}}}\n",
		errors);
	assert_int_equal(errors->total, 0);
	p = config->sources[0].from.poll;
	assert_string_equal(p->param.s, "offset");
	assert_int_equal(p->first, 0);
	assert_string_equal(p->user.s, "X-Key");
	ent_config_destroy(config);
	config = read_it(
		"        {url: http://x/, every: 1h, pages: {by: cursor, next: a/b, more: more}, auth: {bearer: env:S}}\n", errors);
	assert_int_equal(errors->total, 0);
	p = config->sources[0].from.poll;
	assert_string_equal(p->next.s, "/a/b");
	assert_string_equal(p->more.s, "/more");
	assert_string_equal(p->secret.s, "env:S");
	ent_config_destroy(config);
	free(errors);
}

static void test_faults(void **state) {
	(void)state;
	static const struct {
		const char *poll, *what, *todo;
		unsigned column;
	} cases[] = {
		{"{every: 1h}", "'url' is missing", "add url", 9},
		{"{url: http://x}", "'every' is missing", "add every", 9},
		{"{url: ftp://x, every: 1h}", "'url' is no address of a web server", "https://", 15},
		{"{url: http://x?a=b, every: 1h}", "'url' has a query in it", "under query", 15},
		{"{url: \"http://u:p@x/\", every: 1h}", "'url' has a name or a password in it", "auth", 15},
		{"{url: http://x, every: 1ms}", "'every' is out of its range", "100ms to", 32},
		{"{url: http://x, every: 1h, query: {a: \"{since}\"}}", "no 'since' that {since} could stand for", "add since", 47},
		{"{url: http://x, every: 1h, since: {value: a}}", "'since' is found in no text of 'query'", "query:", 51},
		{"{url: http://x, every: 1h, query: {a: \"{since}\"}, since: {value: a, overlap: soon}}",
			"'overlap' does not take 'soon'", "10m", 86},
		{"{url: http://x, every: 1h, query: {a: \"{since}\"}, since: {value: a, start: 7, overlap: 10m}}", "'start' is no time",
			"a number", 96},
		{"{url: http://x, every: 1h, query: {a: \"{since}\"}, since: {value: a, start: 2024-01-01, overlap: 7}}",
			"'start' is a time", "a duration", 105},
		{"{url: http://x, every: 1h, query: {a: \"{since}\"}, since: {value: \"/a~b\"}}", "is no JSON pointer", "~0", 74},
		{"{url: http://x, every: 1h, pages: {by: link}}", "'by' does not take 'link'", "one of", 48},
		{"{url: http://x, every: 1h, pages: {by: cursor}}", "'by: cursor' needs 'next'", "/paging/next", 43},
		{"{url: http://x, every: 1h, pages: {by: offset}}", "'by: offset' needs 'size'", "add size", 43},
		{"{url: http://x, every: 1h, pages: {by: header, size: 7}}", "'size' has no meaning with by: header", "take it out",
			62},
		{"{url: http://x, every: 1h, query: {page: 2}, pages: {by: number}}", "'page' in 'query' is written by 'pages'",
			"take it out", 44},
		{"{url: http://x, every: 1h, auth: {}}", "'auth' does not say who we are", "one of bearer", 42},
		{"{url: http://x, every: 1h, auth: {bearer: abc}}", "takes a reference, not the secret itself", "file:PATH", 51},
		{"{url: http://x, every: 1h, auth: {basic: {user: a}}}", "'password' is missing", "add password", 50},
		{"{url: http://x, every: 1h, auth: {bearer: env:A, basic: {user: a, password: env:B}}}", "in more than one way",
			"one of", 42},
		{"{url: http://x, every: 1h, auth: {header: {name: \"a b\", value: env:B}}}", "'a b' cannot be the name of a header",
			"letters", 58},
		{"{url: http://x, every: 1h, headers: {Authorization: x}}", "'Authorization' is written by the poll itself",
			"under auth", 46},
		{"{url: http://x, every: 1h, headers: {\"a b\": x}}", "'a b' cannot be the name of a header", "letters", 46},
		{"{url: http://x, every: 1h, limits: {rate: fast}}", "'fast' is no rate", "2/s", 51},
		{"{url: http://x, every: 1h, limits: {retry: 101}}", "'retry' is out of its range", "0 to 100", 52},
		{"{url: http://x, every: 1h, limits: {pages: 0}}", "'pages' is out of its range", "1 to", 52},
		{"{url: http://x, every: 1h, limits: {bodies: 0}}", "unknown key 'bodies'", "body", 45},
	};
	ent_errors *errors = calloc(1, sizeof *errors);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		snprintf(text, sizeof text, "        %s\n", cases[i].poll);
		ent_config *config = read_it(text, errors);
		if (config || !strstr(errors->e[0].what, cases[i].what) || !strstr(errors->e[0].todo, cases[i].todo) ||
			errors->e[0].line != 10 || errors->e[0].column != cases[i].column || errors->total != 1) {
			fail_msg("%s: %zu, %u:%u: %s; %s", cases[i].poll, errors->total, errors->e[0].line, errors->e[0].column,
				errors->e[0].what, errors->e[0].todo);
		}
	}
	free(errors);
}

static void test_of_the_source(void **state) {
	(void)state;
	static const char with[] =
		"version: 1\ncurrency: EUR\nsources:\n  s:\n    partner: {from: path, pattern: \"{partner}/x\"}\n"
		"    from: {poll: {url: http://x, every: 1h}}\n";
	static const char both[] =
		"version: 1\ncurrency: EUR\nsources:\n  s: {decode: x, from: {poll: {url: http://x, every: 1h}, file: x}}\n";
	ent_errors *errors = calloc(1, sizeof *errors);
	ent_config *config = NULL;
	ent_config_parse(with, sizeof with - 1, "e.yaml", "/", &config, errors);
	assert_null(config);
	assert_int_equal(errors->total, 2);
	assert_non_null(strstr(errors->e[0].what, "has no path"));
	assert_non_null(strstr(errors->e[1].what, "no file whose first bytes"));
	memset(errors, 0, sizeof *errors);
	ent_config_parse(both, sizeof both - 1, "e.yaml", "/", &config, errors);
	assert_null(config);
	assert_non_null(strstr(errors->e[0].what, "more than one way in"));
	free(errors);
}

static ent_stamp of(const char *text) { return ent_stamp_of(text, strlen(text)); }

static int order(const char *a, const char *b) {
	ent_stamp x = of(a), y = of(b);
	return ent_stamp_compare(&x, &y);
}

static void test_stamps(void **state) {
	(void)state;
	assert_int_equal(of("2024-02-29").kind, ENT_STAMP_TIME);
	assert_int_equal(of("2024-02-30").kind, ENT_STAMP_TEXT);
	assert_int_equal(of("1700000000").kind, ENT_STAMP_NUMBER);
	assert_int_equal(of("abc").kind, ENT_STAMP_TEXT);
	assert_int_equal(of("").kind, ENT_STAMP_NONE);
	assert_int_equal(order("2024-01-01T00:00:00Z", "2024-01-01T00:30:00+01:00"), 1);
	assert_int_equal(order("2024-01-01T00:00:00Z", "2024-01-01T01:00:00+0100"), 0);
	assert_int_equal(order("2024-01-01T00:00:00.5Z", "2024-01-01T00:00:00.45Z"), 1);
	assert_int_equal(order("9", "10"), -1);
	assert_int_equal(order("b", "abc"), 1);
	assert_int_equal(order("", "abc"), -1);
	/* as mails and some APIs write times: compared as texts, Wednesdays would be behind everything */
	assert_int_equal(order("Thu, 11 Jan 2018 21:05:30 +0000", "Wed, 10 Jan 2018 21:05:30 +0000"), 1);
	assert_int_equal(order("Wed, 10 Jan 2018 21:05:30 +0000", "Fri, 05 Jan 2018 21:05:30 +0000"), 1);
	assert_int_equal(order("Wed, 10 Jan 2018 21:05:30 +0000", "2018-01-10T21:05:30Z"), 0);
	assert_int_equal(order("10 Jan 2018 22:05:30 +0100", "Wed, 10 Jan 2018 21:05:30 GMT"), 0);
	assert_int_equal(of("Wed, 10 Jan 2018 21:05 +0000").kind, ENT_STAMP_TEXT);
	assert_int_equal(of("Wed, 32 Jan 2018 21:05:30 +0000").kind, ENT_STAMP_TEXT);
	assert_int_equal(of("Wed, 10 Jan 2018 21:05:30 +0000 x").kind, ENT_STAMP_TEXT);
	assert_int_equal(of("Wed").kind, ENT_STAMP_TEXT);
	static const struct {
		const char *from, *to;
		int64_t us, n;
	} before[] = {
		{"2024-03-01T00:05:00Z", "2024-02-29T23:55:00Z", INT64_C(600000000), 0},
		{"2024-03-01T00:05:00", "2024-02-29T23:55:00", INT64_C(600000000), 0},
		{"2024-03-01 00:05:00", "2024-02-29 23:55:00", INT64_C(600000000), 0},
		{"2024-03-01T00:05:00.250+01:30", "2024-02-29T23:55:00.250+01:30", INT64_C(600000000), 0},
		{"2024-03-01T00:05:00-0500", "2024-02-29T23:55:00-05:00", INT64_C(600000000), 0},
		{"2024-03-01", "2024-02-29", INT64_C(86400000000), 0},
		{"Fri, 01 Mar 2024 00:05:00 +0000", "Thu, 29 Feb 2024 23:55:00 +0000", INT64_C(600000000), 0},
		{"Fri, 1 Mar 2024 00:05:00 -0530", "Thu, 29 Feb 2024 23:55:00 -0530", INT64_C(600000000), 0},
		{"1700000000", "1699999940", 0, 60},
		{"abc", "abc", 0, 0},
	};
	for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
		char out[72];
		ent_stamp s = of(before[i].from);
		assert_string_equal(ent_stamp_before(&s, before[i].us, before[i].n, out), before[i].to);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_of_the_source),
		cmocka_unit_test(test_stamps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
