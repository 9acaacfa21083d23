/* SPDX-License-Identifier: Apache-2.0
 *
 * The GA4 plugin's line scanner in all its widths against a plain reading of JSON, and the decoder on broken input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../plugins/ga4/scan.h"
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 88172645463325252ULL;

static uint32_t rnd(uint32_t n) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

/* What the bitmaps must say of the line at p. */
static void plainly(const char *p, size_t n, char *quote, char *bracket, size_t *length, int *open) {
	int in = 0, escaped = 0;
	size_t i = 0;
	for (; i < n && p[i] != '\n'; i++) {
		quote[i] = p[i] == '"' && !escaped;
		in ^= quote[i];
		bracket[i] = !in && p[i] && strchr("{}[]", p[i]); /* a backslash has no meaning outside of strings */
		escaped = !escaped && p[i] == '\\';
	}
	*length = i;
	*open = in;
}

static void agree(scan *s, const char *text, size_t n, char *quote, char *bracket) {
	size_t length;
	int open;
	plainly(text, n, quote, bracket, &length, &open);
	assert_int_equal(scan_line(s, text, n), 0);
	assert_int_equal(s->n, length);
	assert_int_equal(s->open, open);
	for (size_t i = 0; i < length; i++) {
		assert_int_equal(s->quote[i >> 6] >> (i & 63) & 1, quote[i]);
		assert_int_equal(s->bracket[i >> 6] >> (i & 63) & 1, bracket[i]);
	}
	for (size_t i = 0, next; i <= length; i = next + 1) { /* every search ends, at the line's end if not before */
		for (next = i; next < length && !quote[next];)
			next++;
		assert_int_equal(scan_quote(s, i), next);
		assert_int_equal(scan_quote(s, (i + next) / 2), next);
	}
}

static void test_widths(void **state) {
	static const char alphabet[] = "\"\"\"\\\\{}[],:ab\n";
	enum { MOST = 70000 };
	char *text = malloc(MOST + 64), *quote = malloc(MOST), *bracket = malloc(MOST);
	scan s;
	(void)state;
	assert_int_equal(scan_init(&s), 0);
	for (int width = 0; scan_choose(&s, width); width++)
		for (int round = 0; round < 4000; round++) {
			size_t n = round < 3990 ? rnd(260) : rnd(MOST); /* the last ones need more room than there is at first */
			int kinds =
				round & 1 ? (int)sizeof alphabet - 1 : (int)sizeof alphabet - 2; /* with line ends and without */
			memset(text, round & 2 ? '"' : ' ', n + 64);                         /* what follows must not matter */
			for (size_t i = 0; i < n; i++)
				text[i] = alphabet[rnd((uint32_t)kinds)];
			agree(&s, text, n, quote, bracket);
		}
	scan_finish(&s);
	scan_finish(&s); /* nothing to do */
	free(text);
	free(quote);
	free(bracket);
}

static char *read_golden(size_t *n) {
	FILE *f = fopen(ENTENTE_SOURCE_DIR "/plugins/ga4/golden/events.in", "rb");
	assert_non_null(f);
	char *p = malloc(1 << 20);
	*n = fread(p, 1, 1 << 20, f);
	fclose(f);
	return p;
}

static size_t count(const char *text, const char *word) {
	size_t n = 0;
	for (const char *p = text; (p = strstr(p, word)); p++)
		n++;
	return n;
}

/* Torn, flipped and cut lines end as rejects; nothing is read outside of the line, and good lines stay good. */
static void test_broken(void **state) {
	size_t n;
	char *good = read_golden(&n), *bad = malloc(n + 1);
	char *why = NULL;
	host *h = host_open("ga4", "ga4", "{currency: EUR}", &why);
	(void)state;
	assert_non_null(h);
	for (int round = 0; round < 300; round++) {
		host_text t = {0};
		memcpy(bad, good, n);
		size_t size = n;
		for (uint32_t k = rnd(6) + 1; k && size > 2200; k--) {
			size_t at =
				2000 + rnd((uint32_t)(size - 2100)); /* the first events stay, so that it is still of this format */
			switch (rnd(3)) {
			case 0:
				bad[at] = (char)rnd(256);
				break;
			case 1:
				memmove(bad + at, bad + at + 1, size - at - 1);
				size--;
				break;
			default:
				size = at;
				break;
			}
		}
		bad[size - 1] = '\n';
		assert_int_equal(host_run(h, "x.jsonl", bad, size, (host_cut){0}, &t), ENT_OK);
		host_text_free(&t);
	}
	host_close(h);
	free(good);
	free(bad);
}

/* One torn line at the start is a reject; nothing but such lines is another format. */
static void test_first_lines(void **state) {
	char text[4096] = "\"torn\": 1}\n", *why = NULL;
	host *h = host_open("ga4", "ga4", NULL, &why);
	host_text t = {0};
	(void)state;
	assert_non_null(h);
	strcat(text, "{\"event_date\":\"20240301\",\"event_name\":\"x\",\"event_timestamp\":1,\"event_params\":[]}\n");
	assert_int_equal(host_run(h, "x", text, strlen(text), (host_cut){0}, &t), ENT_OK);
	assert_int_equal(count(t.p, "\"verdict\":\"reject\""), 1);
	assert_int_equal(count(t.p, "\"verdict\":\"skip\""), 1);
	host_text_free(&t);
	/* a part of a document that holds but a torn line, its last one: the document is what it was */
	assert_int_equal(host_run(h, "x", text, strlen(text), (host_cut){.to = 1}, &t), ENT_ENOTFORMAT);
	host_text_free(&t);
	for (int i = 0; i < 40; i++)
		strcat(text, "{\"event_date\":\"20240301\",\"event_name\":\"x\"}\n");
	assert_int_equal(host_run(h, "x", text, strlen(text), (host_cut){.to = 1}, &t), ENT_OK);
	host_text_free(&t);
	host_text many = {0};
	for (int i = 0; i < 1000; i++)
		host_text_add(&many, "{\"order\":1}\n", 12);
	host_text_add(&many, text, strlen(text));
	assert_int_equal(host_run(h, "x", many.p, many.n, (host_cut){0}, &t), ENT_ENOTFORMAT);
	host_text_free(&many);
	host_text_free(&t);
	host_close(h);
}

/* More sessions than are held at once: every one is pushed, and none twice for being in the same part. */
static void test_many_sessions(void **state) {
	enum { SESSIONS = 40000 };
	host_text in = {0}, out = {0};
	char line[400], *why = NULL;
	host *h = host_open("ga4", "ga4", NULL, &why);
	(void)state;
	for (int i = 0; i < SESSIONS; i++)
		host_text_add(&in, line,
			(size_t)snprintf(line, sizeof line,
				"{\"event_date\":\"20240301\",\"event_name\":\"page_view\",\"event_timestamp\":%d,\"user_pseudo_id\":"
				"\"u.%d\","
				"\"event_params\":[{\"key\":\"ga_session_id\",\"value\":{\"int_value\":\"%d\"}}]}\n",
				i + 1, i, i % 7));
	assert_int_equal(host_run(h, "x", in.p, in.n, (host_cut){.step = 1000}, &out), ENT_OK);
	assert_int_equal(count(out.p, "\"fact\":\"visit\""), SESSIONS);
	assert_int_equal(count(out.p, "\"verdict\""), 0);
	host_text_free(&in);
	host_text_free(&out);
	host_close(h);
}

/* A parameter in BigQuery's own spelling is read by a shorter way: with blanks between, it must mean the same. */
static void test_spellings(void **state) {
	static const char *const values[] = {"{\"int_value\":\"12\"}", "{\"int_value\":12}", "{\"string_value\":\"12\"}",
		"{\"double_value\":12.5}", "{\"float_value\":1e1}", "{\"int_value\":null}",
		"{\"string_value\":null,\"int_value\":\"12\"}", "{\"int_value\":\"12\",\"string_value\":\"13\"}",
		"{\"other_value\":\"12\"}", "{\"int_value\":{\"a\":1}}", "{}", "\"12\"", "{\"int_value\":\"1\\u0032\"}",
		"{\"int_value\":}", "{\"int_value\":\"12\"", "{\"int_value\" \"12\"}", "[12]"};
	static const char *const keys[] = {"ga_session_id", "page_location", "engagement_time_msec", "session_engaged"};
	host_text in[2] = {{0}, {0}}, out[2] = {{0}, {0}};
	char *why = NULL;
	host *h = host_open("ga4", "ga4", NULL, &why);
	(void)state;
	for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
		for (size_t v = 0; v < sizeof values / sizeof *values; v++)
			for (int spaced = 0; spaced < 2; spaced++) {
				char line[400];
				int n = snprintf(line, sizeof line,
					"{\"event_date\":\"20240301\",\"event_name\":\"page_view\",\"event_timestamp\":%zu,"
					"\"user_pseudo_id\":\"u\",\"event_params\":%s[{\"key\":%s\"%s\",\"value\":%s},"
					"{\"key\":\"ga_session_id\",\"value\":{\"int_value\":\"%zu\"}}]}",
					k * 100 + v + 1, spaced ? "" : " ", spaced ? " " : "", keys[k], values[v], k * 100 + v + 1);
				assert_true(n > 0 && (size_t)n + 1 < sizeof line);
				line[n++] = '\n';
				host_text_add(&in[spaced], line, (size_t)n);
			}
	for (int spaced = 0; spaced < 2; spaced++)
		assert_int_equal(host_run(h, "x", in[spaced].p, in[spaced].n, (host_cut){0}, &out[spaced]), ENT_OK);
	assert_true(count(out[0].p, "\"fact\":\"visit\"") > 30);
	assert_true(count(out[0].p, "\"verdict\":\"reject\"") > 0);
	assert_int_equal(out[0].n, out[1].n);
	assert_memory_equal(out[0].p, out[1].p, out[0].n);
	for (int spaced = 0; spaced < 2; spaced++) {
		host_text_free(&in[spaced]);
		host_text_free(&out[spaced]);
	}
	host_close(h);
}

static void test_probe(void **state) {
	char *why = NULL;
	const char *seen = NULL;
	host *h = host_open("ga4", "ga4", NULL, &why);
	ent_doc doc = {.size = sizeof doc, .name = {"a.json", 6}};
	const char *yes =
		"{\"event_date\":\"20240301\",\"event_timestamp\":\"1\",\"event_name\":\"x\",\"event_params\":[]}\n";
	const char *no = "{\"id\":1,\"line_items\":[]}\n";
	(void)state;
	assert_true(host_decoder(h)->probe((ent_str){yes, strlen(yes)}, &doc, &seen) > 90);
	assert_non_null(seen);
	assert_int_equal(host_decoder(h)->probe((ent_str){no, strlen(no)}, &doc, &seen), 0);
	assert_int_equal(host_decoder(h)->probe((ent_str){"", 0}, &doc, &seen), 0);
	host_close(h);
	assert_null(host_open("ga4", "ga4", "{currency: euro}", &why));
	assert_non_null(strstr(why, "three capital letters"));
	free(why);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_widths), cmocka_unit_test(test_broken),
		cmocka_unit_test(test_first_lines), cmocka_unit_test(test_many_sessions), cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_probe)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
