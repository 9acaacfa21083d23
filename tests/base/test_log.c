/* SPDX-License-Identifier: Apache-2.0
 *
 * The log: how lines look, what is blanked out, what is held back, that lines of threads do not mix, and that a reader
 * that stands still stops nobody. */
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static uint64_t clock_now;
static uint64_t clock_of_test(void) { return clock_now; }

static int ends[2];
static char got[1 << 16];

static void begin(const ent_log_options *o) {
	ent_log_options mine = *o;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	mine.fd = ends[1];
	mine.clock = mine.clock ? mine.clock : clock_of_test;
	clock_now = 1000000000000;
	ent_log_init(&mine);
}

/* What was written since the last call. */
static char *lines(void) {
	ssize_t n = read(ends[0], got, sizeof got - 1);
	got[n > 0 ? n : 0] = 0;
	return got;
}

static void end(void) {
	ent_log_finish();
	close(ends[0]);
	close(ends[1]);
}

/* Behind the time, which is another at each run. */
static const char *untimed(const char *line) {
	assert_non_null(strchr(line, ' '));
	return strchr(line, ' ') + 1;
}

static void text(void **state) {
	(void)state;
	ent_error e;
	begin(&(ent_log_options){.form = ENT_LOG_TEXT, .level = ENT_SEVERITY_INFO});
	ent_log(ENT_SEVERITY_DEBUG, "never.seen");
	ent_log(ENT_SEVERITY_INFO, "service.started");
	assert_string_equal(untimed(lines()), "info service.started\n");
	assert_int_equal(strspn(got, "0123456789-T:.Z"), 24);
	ent_log(ENT_SEVERITY_INFO, "commit", ent_log_text("source", "nordwind"), ent_log_int("by", -3),
		ent_log_uint("facts", 1234567), ent_log_ns("took", 12345678), ent_log_bytes("read", 1234567),
		ent_log_bool("more", true), ent_log_double("rate", 0.25));
	assert_string_equal(untimed(lines()),
		"info commit source=nordwind by=-3 facts=1234567 took=12.3ms read=1.23MB more=yes rate=0.25\n");
	ent_log(ENT_SEVERITY_WARNING, "spans", ent_log_ns("a", 1500), ent_log_ns("b", 2500000000),
		ent_log_ns("c", 3600000000000), ent_log_bytes("d", 17), ent_log_bytes("e", 999999));
	assert_string_equal(untimed(lines()), "warning spans a=2us b=2.5s c=3600s d=17B e=1MB\n");
	/* what would break a line or drive a terminal is quoted; a value that is not there is left out */
	ent_log(ENT_SEVERITY_ERROR, "odd", ent_log_text("name", "a b\n\x1b[2J"), ent_log_text("none", NULL),
		ent_log_text("empty", ""), ent_log_say("Two\nlines\x1b, \xc3\xa4nd \xff."));
	assert_string_equal(
		untimed(lines()), "error odd: Two lines , \xc3\xa4nd  . name=\"a b\\n\\u001b[2J\" empty=\"\"\n");
	ent_error_set(&e, ENT_ERR_INVALID, "no such key 'urll'");
	ent_error_at(&e, "entente.yaml", 3, 7);
	ent_error_todo(&e, "did you mean 'url'?");
	ent_log(ENT_SEVERITY_ERROR, "reload.failed", ent_log_uint("generation", 4), ent_log_error(&e), ent_log_error(NULL));
	assert_string_equal(untimed(lines()),
		"error reload.failed: entente.yaml:3:7: no such key 'urll'; did you mean 'url'? generation=4\n");
	end();
	ent_log(ENT_SEVERITY_ERROR, "after.the.end");
}

static void json(void **state) {
	(void)state;
	ent_error e;
	begin(&(ent_log_options){.form = ENT_LOG_JSON, .level = ENT_SEVERITY_DEBUG});
	ent_error_set(&e, ENT_ERR_IO, "cannot \"read\"");
	ent_log(ENT_SEVERITY_DEBUG, "commit", ent_log_text("source", "a\nb"), ent_log_ns("took", 12345678),
		ent_log_bytes("read", 1234567), ent_log_bool("more", false), ent_log_error(&e));
	const char *line = lines();
	assert_memory_equal(line, "{\"time\":\"20", 11);
	assert_string_equal(strstr(line, ",\"level\""),
		",\"level\":\"debug\",\"event\":\"commit\",\"source\":\"a\\nb\","
		"\"took_seconds\":0.012345678,\"read_bytes\":1234567,\"more\":false,"
		"\"error\":\"cannot \\\"read\\\"\"}\n");
	end();
}

/* A last line of defence: see log.h for what may be logged at all. */
static void blanked(void **state) {
	(void)state;
	begin(&(ent_log_options){.form = ENT_LOG_TEXT, .level = ENT_SEVERITY_INFO});
	ent_log(ENT_SEVERITY_INFO, "x", ent_log_say("mail of <ada.lovelace@example.org>, or key=bob@shop.example; at 12@noon"));
	assert_string_equal(untimed(lines()), "info x: mail of <(address)>, or key=(address); at 12@noon\n");
	ent_log(ENT_SEVERITY_INFO, "x", ent_log_say("GET https://user:pass@host.example/a/b?token=s3cret;x=1&y=2 failed"));
	assert_string_equal(untimed(lines()), "info x: GET https://host.example/a/b?... failed\n");
	ent_log(ENT_SEVERITY_INFO, "x", ent_log_text("url", "http://host/?q=ada@example.org"),
		ent_log_text("who", "ada@example.org"));
	assert_string_equal(untimed(lines()), "info x url=http://host/?... who=(address)\n");
	ent_error e;
	ent_error_set(&e, ENT_ERR_INVALID, "no partner for 'ada@example.org'");
	ent_log(ENT_SEVERITY_INFO, "x", ent_log_error(&e));
	assert_string_equal(untimed(lines()), "info x: no partner for '(address)'\n");
	end();
}

static void cut(void **state) {
	(void)state;
	char longer[2001];
	memset(longer, 'a', 2000);
	longer[2000] = 0;
	memcpy(longer + 511, "\xc3\xa4", 2); /* the limit is in the middle of a character */
	for (int form = ENT_LOG_TEXT; form <= ENT_LOG_JSON; form++) {
		begin(&(ent_log_options){.form = (ent_log_form)form, .level = ENT_SEVERITY_INFO});
		ent_log(ENT_SEVERITY_INFO, "long", ent_log_text("a", longer), ent_log_text("b", longer), ent_log_text("c", longer),
			ent_log_text("d", longer), ent_log_text("e", longer), ent_log_text("f", longer), ent_log_text("g", longer),
			ent_log_text("h", longer));
		const char *line = lines();
		assert_true(strlen(line) <= 4000);
		assert_null(strstr(line, "\xc3"));
		assert_non_null(strstr(line, "aa\xe2\x80\xa6"));
		assert_non_null(strstr(line, form == ENT_LOG_TEXT ? " cut=yes\n" : ",\"cut\":true}\n"));
		end();
	}
}

static size_t count(const char *in, const char *what) {
	size_t n = 0;
	for (const char *p = in; (p = strstr(p, what)); p++) {
		n++;
	}
	return n;
}

static void limited(void **state) {
	(void)state;
	const uint64_t second = 1000000000;
	begin(&(ent_log_options){.form = ENT_LOG_TEXT, .level = ENT_SEVERITY_INFO, .burst = 3, .every_ns = 5 * second});
	for (int i = 0; i < 10; i++) {
		ent_log(ENT_SEVERITY_WARNING, "poll.failed", ent_log_text("source", "a"));
	}
	ent_log(ENT_SEVERITY_WARNING, "poll.failed", ent_log_text("source", "b"));
	ent_log(ENT_SEVERITY_WARNING, "other");
	assert_int_equal(count(lines(), "poll.failed source=a\n"), 3);
	assert_int_equal(count(got, "poll.failed source=b\n"), 1);
	assert_int_equal(count(got, "\n"), 5);
	clock_now += 5 * second; /* one more */
	ent_log(ENT_SEVERITY_WARNING, "poll.failed", ent_log_text("source", "a"));
	ent_log(ENT_SEVERITY_WARNING, "poll.failed", ent_log_text("source", "a"));
	assert_string_equal(untimed(lines()), "warning poll.failed source=a held_back=7\n");
	/* nothing of its kind follows: the next line of any other says it */
	clock_now += 60 * second;
	ent_log(ENT_SEVERITY_INFO, "other");
	assert_int_equal(count(lines(), "warning log.held_back of=poll.failed about=a held_back=1\n"), 1);
	assert_int_equal(count(got, "\n"), 2);
	for (int i = 0; i < 10; i++) {
		ent_log(ENT_SEVERITY_WARNING, "poll.failed", ent_log_text("source", "a"));
	}
	assert_int_equal(count(lines(), "\n"), 3);
	ent_log_finish();
	assert_int_equal(count(lines(), "log.held_back of=poll.failed about=a held_back=7\n"), 1);
	end();
}

/* A thousand sources fail again and again: there are not that many places, and still no flood. */
static void many_subjects(void **state) {
	(void)state;
	begin(&(ent_log_options){.form = ENT_LOG_TEXT, .level = ENT_SEVERITY_INFO, .burst = 2});
	size_t n = 0;
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 1000; i++) {
			char name[16];
			snprintf(name, sizeof name, "s%d", i);
			ent_log(ENT_SEVERITY_WARNING, "poll.failed", ent_log_text("source", name));
			n += count(lines(), "poll.failed source=");
		}
	}
	assert_true(n <= 256 * 2 + 2);
	end();
}

static void *floods(void *arg) {
	for (int i = 0; i < 2000; i++) {
		ent_log(ENT_SEVERITY_INFO, "flood", ent_log_text("thread", arg), ent_log_int("i", i));
	}
	return NULL;
}

static void threads(void **state) {
	(void)state;
	char path[] = "/tmp/test_log_XXXXXX", line[256];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	ent_log_init(&(ent_log_options){.form = ENT_LOG_JSON, .level = ENT_SEVERITY_INFO, .burst = 1000000, .fd = fd});
	static const char *const names[] = {"one", "two", "three", "four"};
	pthread_t ids[4];
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_create(&ids[i], NULL, floods, (void *)names[i]), 0);
	}
	/* and someone reloads meanwhile */
	for (int i = 0; i < 200; i++) {
		ent_log_init(&(ent_log_options){.form = ENT_LOG_JSON, .level = ENT_SEVERITY_INFO, .burst = 1000000, .fd = fd});
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(ids[i], NULL);
	}
	ent_log_finish();
	lseek(fd, 0, SEEK_SET);
	FILE *file = fdopen(fd, "r");
	size_t n = 0;
	while (fgets(line, sizeof line, file)) {
		n++;
		assert_memory_equal(line, "{\"time\":", 8);
		assert_string_equal(line + strlen(line) - 2, "}\n");
		assert_int_equal(count(line, "\"event\":\"flood\""), 1);
	}
	assert_int_equal(n, 8000);
	fclose(file);
}

/* Nobody reads: the writer goes on, and says afterwards how many lines are gone. */
static void full(void **state) {
	(void)state;
	begin(&(ent_log_options){.form = ENT_LOG_TEXT, .level = ENT_SEVERITY_INFO, .burst = 1000000});
	for (int i = 0; i < 5000; i++) {
		ent_log(ENT_SEVERITY_INFO, "nobody.reads", ent_log_int("i", i));
	}
	size_t out = count(lines(), "\n");
	while (*lines()) {
		out += count(got, "\n");
	}
	assert_true(out > 100 && out < 5000);
	ent_log(ENT_SEVERITY_INFO, "again");
	char expected[64];
	snprintf(expected, sizeof expected, "info again dropped=%zu\n", 5000 - out);
	assert_string_equal(untimed(lines()), expected);
	end();
}

/* Under systemd standard error is a socket of the journal, named by device and inode. */
static void journal(void **state) {
	(void)state;
	struct stat st;
	char name[64];
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(fstat(pair[1], &st), 0);
	snprintf(name, sizeof name, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", name, 1);
	ent_log_init(&(ent_log_options){.form = ENT_LOG_TEXT, .level = ENT_SEVERITY_INFO, .fd = pair[1]});
	ent_log(ENT_SEVERITY_WARNING, "source.quarantined", ent_log_text("source", "a"));
	ent_log(ENT_SEVERITY_INFO, "commit");
	ent_log_finish();
	ssize_t n = read(pair[0], got, sizeof got - 1);
	got[n] = 0;
	assert_string_equal(got, "<4>source.quarantined source=a\n<6>commit\n");
	/* the variable is inherited by what writes into a file, where no priority belongs */
	begin(&(ent_log_options){.form = ENT_LOG_TEXT, .level = ENT_SEVERITY_INFO});
	ent_log(ENT_SEVERITY_INFO, "commit");
	assert_true(lines()[0] == '2');
	end();
	unsetenv("JOURNAL_STREAM");
	close(pair[0]);
	close(pair[1]);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text),
		cmocka_unit_test(json),
		cmocka_unit_test(blanked),
		cmocka_unit_test(cut),
		cmocka_unit_test(limited),
		cmocka_unit_test(many_subjects),
		cmocka_unit_test(threads),
		cmocka_unit_test(full),
		cmocka_unit_test(journal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
