/* SPDX-License-Identifier: Apache-2.0
 *
 * The inbox: what was acknowledged is there, whatever happens; what was not leaves no trace that could be read. */
#include "inbox_bench.h"
#include "transport/inbox_ids.h"
#include "transport/inbox_line.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- a disk that can be told to fail -------------------------------------------------------------------------------- */

static atomic_int fail_syncs, fail_writes, hold_syncs;
static atomic_int failed;
static sem_t held, go_on;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd) {
	if (atomic_load(&hold_syncs) > 0 && atomic_fetch_sub(&hold_syncs, 1) > 0) {
		sem_post(&held);
		sem_wait(&go_on);
	}
	if (atomic_load(&fail_syncs) > 0) {
		atomic_fetch_sub(&fail_syncs, 1);
		atomic_fetch_add(&failed, 1);
		errno = EIO;
		return -1;
	}
	return __real_fdatasync(fd);
}

ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at) {
	int left = atomic_load(&fail_writes);
	if (left > 0) { /* first half of it, then nothing */
		atomic_fetch_sub(&fail_writes, 1);
		if (left > 1) {
			return __real_pwrite(fd, p, n / 2, at);
		}
		atomic_fetch_add(&failed, 1);
		errno = ENOSPC;
		return -1;
	}
	return __real_pwrite(fd, p, n, at);
}

static _Atomic int64_t stopped_us; /* a clock that stands still; 0: it goes */

int64_t __real_ent__inbox_now(void);
int64_t __wrap_ent__inbox_now(void);
int64_t __wrap_ent__inbox_now(void) {
	int64_t now = atomic_load(&stopped_us);
	return now ? now : __real_ent__inbox_now();
}

/* ---- looking at it -------------------------------------------------------------------------------------------------- */

/* All records of a source that are durable, in order, a line each. */
static char *records(bench *b, const char *source) {
	ent_inbox_file *files;
	size_t n;
	ent_buf out = {0};
	ent_inbox_files(b->inbox, source, &files, &n);
	for (size_t i = 0; i < n; i++) {
		int fd = open(files[i].path, O_RDONLY);
		assert_true(fd >= 0);
		char *bytes = ent_xmalloc(files[i].size + 1);
		assert_int_equal(read(fd, bytes, files[i].size), files[i].size);
		close(fd);
		ent__line line;
		for (size_t at = 0; files[i].log && at < files[i].size; at += line.bytes) {
			assert_true(ent__line_read(bytes + at, files[i].size - at, &line));
			if (line.kind == 'r') {
				ent_buf_add(&out, line.body.p, line.body.n);
				ent_buf_u8(&out, '\n');
			}
		}
		if (!files[i].log) {
			ent_buf_add(&out, bytes, files[i].size);
			ent_buf_u8(&out, '\n');
		}
		free(bytes);
	}
	ent_inbox_files_free(files, n);
	ent_buf_u8(&out, 0);
	return (char *)out.data;
}

static void assert_records(bench *b, const char *source, const char *expected) {
	char *got = records(b, source);
	assert_string_equal(got, expected);
	free(got);
}

static unsigned count_files(const bench *b, const char *source, const char *suffix) {
	char command[256], line[64] = "";
	snprintf(command, sizeof command, "ls '%s/%s' 2>/dev/null | grep -c '%s$'", b->folder, source, suffix);
	FILE *p = popen(command, "r");
	assert_non_null(p);
	assert_non_null(fgets(line, sizeof line, p));
	pclose(p);
	return (unsigned)atoi(line);
}

static ent_inbox_file only_file(bench *b, const char *source) {
	ent_inbox_file *files, file;
	size_t n;
	ent_inbox_files(b->inbox, source, &files, &n);
	assert_int_equal(n, 1);
	file = files[0];
	file.path = ent_xstrdup(file.path);
	ent_inbox_files_free(files, n);
	return file;
}

/* ---- the tests ------------------------------------------------------------------------------------------------------ */

static void what_is_put_is_there(void **state) {
	bench *b = *state;
	assert_int_equal(put(b, "shop", "{\"id\": 1}", NULL), 0);
	assert_int_equal(put(b, "shop", "\xef\xbb\xbf{\"id\":\r\n 2,\n \"name\": \"\xc3\xa4\xff\"}\n", NULL), 0);
	assert_int_equal(put(b, "till", "{}", NULL), 0);
	assert_int_equal(b->arrivals, 3);
	const char *shop = "{\"id\": 1}\n{\"id\":   2,  \"name\": \"\xc3\xa4\xef\xbf\xbd\"} \n";
	assert_records(b, "shop", shop);
	ent_str text = {"a\n\n  \nb\r\nc", 10};
	assert_int_equal(put_item(b, &(ent_inbox_item){.source = "lines", .lines = &text}), 0);
	reopen_inbox(b);
	assert_records(b, "shop", shop);
	assert_records(b, "till", "{}\n");
	assert_records(b, "lines", "a\nb \nc\n");
	assert_int_equal(put(b, "till", "[]", NULL), 0);
	assert_records(b, "till", "{}\n[]\n");
	char **names;
	assert_int_equal(ent_inbox_sources(b->inbox, &names), 3);
	assert_string_equal(names[0], "lines");
	for (int i = 0; i < 3; i++) {
		free(names[i]);
	}
	free(names);
}

static void many_are_one_sync(void **state) {
	bench *b = *state;
	put(b, "shop", "0", NULL);
	ent_inbox_status before, after;
	ent_inbox_status_of(b->inbox, "shop", &before);
	atomic_store(&hold_syncs, 1);
	put_async(b, "shop", "1", NULL);
	sem_wait(&held); /* the writer is within its sync */
	for (int i = 0; i < 200; i++) {
		put_async(b, "shop", "2", NULL);
	}
	ent_inbox_status_of(b->inbox, "shop", &after);
	assert_int_equal(after.items, 1);
	assert_true(after.in_memory > 201 * ENT_ENVELOPE);
	sem_post(&go_on);
	wait_told(b, 202);
	ent_inbox_status_of(b->inbox, "shop", &after);
	assert_int_equal(after.syncs - before.syncs, 2);
	assert_int_equal(after.items, 202);
	assert_int_equal(after.in_memory, 0);
}

static void a_delivery_counts_once(void **state) {
	bench *b = *state;
	atomic_store(&hold_syncs, 1);
	put_async(b, "shop", "first", "d-1");
	sem_wait(&held);
	put_async(b, "shop", "again", "d-1"); /* while the first one is on its way */
	put_async(b, "other", "own", "d-1");  /* ids are each source's own */
	assert_int_equal(b->told, 0);
	sem_post(&go_on);
	wait_told(b, 3);
	assert_int_equal(put(b, "shop", "again", "d-1"), ENT_INBOX_REPEATED);
	reopen_inbox(b);
	assert_int_equal(put(b, "shop", "again", "d-1"), ENT_INBOX_REPEATED);
	assert_int_equal(put(b, "shop", "second", "d-2"), 0);
	assert_records(b, "shop", "first\nsecond\n");
	assert_records(b, "other", "own\n");
	/* one that failed was not there: both hear so, and it may come again */
	atomic_store(&hold_syncs, 1);
	put_async(b, "other", "x", NULL);
	sem_wait(&held);
	unsigned told = b->told;
	put_async(b, "shop", "third", "d-3");
	put_async(b, "shop", "third", "d-3");
	atomic_store(&fail_writes, 1);
	sem_post(&go_on);
	wait_told(b, told + 3);
	assert_int_equal(b->outcome, ENT_ERR_IO);
	assert_int_equal(put(b, "shop", "third", "d-3"), 0);
	assert_records(b, "shop", "first\nsecond\nthird\n");
}

static void ids_outlive_their_log(void **state) {
	bench *b = *state;
	b->set.log = 1;
	b->set.keep_us = 0;
	reopen_inbox(b);
	assert_int_equal(put(b, "shop", "one", "d-1"), 0);
	assert_int_equal(put(b, "shop", "two", "d-2"), 0); /* a log of its own */
	ent_inbox_consumed(b->inbox, "shop", ".inbox/00000001.log", 1 << 20);
	while (count_files(b, "shop", "00000001.log")) {
		usleep(1000);
	}
	assert_int_equal(count_files(b, "shop", "00000001.ids"), 1);
	assert_records(b, "shop", "two\n");
	reopen_inbox(b);
	assert_int_equal(put(b, "shop", "one", "d-1"), ENT_INBOX_REPEATED);
	/* forgotten after their time, file and all */
	b->set.remember_us = 0;
	reopen_inbox(b);
	while (count_files(b, "shop", "ids")) {
		usleep(1000);
	}
	int outcome;
	while ((outcome = put(b, "shop", "one", "d-1")) == ENT_INBOX_REPEATED) { /* the file goes first, then what is in memory */
		usleep(1000);
	}
	assert_int_equal(outcome, 0);
}

static void what_was_torn_is_cut_off(void **state) {
	bench *b = *state;
	put(b, "shop", "one", NULL);
	ent_str page[2] = {{"two", 3}, {"three", 5}};
	put_item(b, &(ent_inbox_item){.source = "shop", .records = page, .n_records = 2, .cursor = "p 2%\n"});
	ent_inbox_file file = only_file(b, "shop");
	close_inbox(b);
	assert_int_equal(truncate(file.path, (off_t)file.size - 70), 0); /* the cursor is gone, and with it its item */
	open_inbox(b);
	assert_records(b, "shop", "one\n");
	assert_null(ent_inbox_cursor(b->inbox, "shop"));
	struct stat st;
	assert_int_equal(stat(file.path, &st), 0);
	assert_int_equal(put_item(b, &(ent_inbox_item){.source = "shop", .records = page, .n_records = 2, .cursor = "p 2%\n"}), 0);
	assert_string_equal(ent_inbox_cursor(b->inbox, "shop"), "p 2%\n");
	close_inbox(b);
	for (int half = 0; half < 3; half++) { /* rubbish behind the end: of no line, of half a line, of a line that is damaged */
		const char *rubbish[] = {"\0\0\0\0", "1a2b3c4d 0643a1f0", "00000000 0643a1f0c2b3d4 -------------------------------- R x\n"};
		size_t n[] = {4, 17, 61};
		int fd = open(file.path, O_WRONLY | O_APPEND);
		assert_int_equal(write(fd, rubbish[half], n[half]), n[half]);
		close(fd);
		open_inbox(b);
		assert_records(b, "shop", "one\ntwo\nthree\n");
		assert_string_equal(ent_inbox_cursor(b->inbox, "shop"), "p 2%\n");
		close_inbox(b);
		struct stat now;
		assert_int_equal(stat(file.path, &now), 0);
		assert_int_equal(now.st_size, file.size);
	}
	open_inbox(b);
	free(file.path);
}

static void a_full_disk_is_told_and_leaves_nothing(void **state) {
	bench *b = *state;
	put(b, "shop", "one", NULL);
	ent_inbox_file file = only_file(b, "shop");
	for (int from = 1; from <= 2; from++) { /* at once, and after half of it was written */
		atomic_store(&fail_writes, from);
		atomic_store(&failed, 0);
		assert_int_equal(put(b, "shop", "lost", NULL), ENT_ERR_IO);
		assert_int_equal(atomic_load(&failed), 1);
		assert_non_null(strstr(b->error.todo, "make room"));
		struct stat st;
		assert_int_equal(stat(file.path, &st), 0);
		assert_int_equal(st.st_size, file.size);
	}
	atomic_store(&fail_writes, 2); /* a log that cannot begin */
	assert_int_equal(put(b, "new", "lost", NULL), ENT_ERR_IO);
	assert_int_equal(count_files(b, "new", "log"), 0);
	assert_int_equal(put(b, "new", "kept", NULL), 0);
	assert_int_equal(put(b, "shop", "two", NULL), 0);
	reopen_inbox(b);
	assert_records(b, "shop", "one\ntwo\n");
	assert_records(b, "new", "kept\n");
	free(file.path);
}

static void a_log_whose_sync_failed_is_left(void **state) {
	bench *b = *state;
	put(b, "shop", "one", "d-1");
	ent_inbox_file file = only_file(b, "shop");
	atomic_store(&fail_syncs, 1);
	atomic_store(&failed, 0);
	assert_int_equal(put(b, "shop", "lost", "d-2"), ENT_ERR_IO);
	assert_int_equal(atomic_load(&failed), 1);
	assert_int_equal(put(b, "shop", "two", "d-3"), 0);
	assert_int_equal(count_files(b, "shop", "log"), 2);
	assert_records(b, "shop", "one\ntwo\n");
	close_inbox(b);
	/* the disk may have kept more than it said: whole lines behind the end that the next log states do not count, nor their ids */
	ent_buf line = {0};
	uint8_t id[16] = {7};
	ent__line_put(&line, INT64_C(1700000000000000), id, 'R', "lost", 4);
	int fd = open(file.path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, line.data, line.n), line.n);
	close(fd);
	ent_buf_finish(&line);
	open_inbox(b);
	assert_records(b, "shop", "one\ntwo\n");
	assert_int_equal(put(b, "shop", "lost", "d-2"), 0);
	free(file.path);
}

static void too_much_is_refused(void **state) {
	bench *b = *state;
	b->set.memory = 10000;
	b->set.waiting = 20000;
	reopen_inbox(b);
	char large[4000];
	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = 0;
	atomic_store(&hold_syncs, 1);
	put_async(b, "flood", "x", NULL);
	sem_wait(&held);
	put_async(b, "flood", large, NULL);
	put_async(b, "flood", large, NULL); /* over its half */
	wait_told(b, 1);
	assert_int_equal(b->outcome, ENT_ERR_BUSY);
	put_async(b, "calm", large, NULL);  /* another one has room */
	sem_post(&go_on);
	wait_told(b, 4);
	assert_int_equal(b->outcome, 0);
	/* on the disk */
	int outcome = 0;
	for (int i = 0; i < 10 && !outcome; i++) {
		outcome = put(b, "flood", large, NULL);
	}
	assert_int_equal(outcome, ENT_ERR_BUSY);
	assert_non_null(strstr(b->error.todo, "inbox.waiting"));
	assert_true(ent_inbox_waiting(b->inbox, "flood") <= 20000);
	assert_true(ent_inbox_waiting(b->inbox, "flood") > 12000);
	ent_inbox_file file = only_file(b, "flood");
	ent_inbox_consumed(b->inbox, "flood", file.name, file.size);
	assert_int_equal(ent_inbox_waiting(b->inbox, "flood"), 0);
	assert_int_equal(put(b, "flood", large, NULL), 0);
	char *huge = ent_xcalloc(1, 20001);
	memset(huge, 'x', 20000);
	assert_int_equal(put(b, "calm", huge, NULL), ENT_ERR_RANGE);
	free(huge);
	free(file.path);
}

/* Without being opened anew. */
static void settings_change(void **state) {
	bench *b = *state;
	put(b, "shop", "one", "d-1");
	put(b, "shop", "two", NULL);
	assert_int_equal(count_files(b, "shop", "log"), 1);
	b->set.log = 1;
	b->set.keep_us = 0;
	b->set.remember_us = 0;
	ent_inbox_file file = only_file(b, "shop");
	ent_inbox_consumed(b->inbox, "shop", file.name, file.size);
	ent_inbox_configure(b->inbox, &b->set);
	put(b, "shop", "three", NULL);
	while (access(file.path, F_OK) == 0) {
		usleep(1000);
	}
	while (put(b, "shop", "one", "d-1")) { /* the log goes first, then what it told */
	}
	b->set.memory = 40;
	ent_inbox_configure(b->inbox, &b->set);
	assert_int_equal(put(b, "shop", "four", NULL), ENT_ERR_RANGE);
	free(file.path);
}

/* The order of arrival is kept whatever the clock does: it decides which of two deliveries counts. */
static void arrival_grows_when_the_clock_does_not(void **state) {
	bench *b = *state;
	int64_t clock = __real_ent__inbox_now();
	ent_str texts[3] = {{"a", 1}, {"b", 1}, {"c", 1}};
	for (int i = 0; i < 4; i++) {
		atomic_store(&stopped_us, clock - i * 1000000); /* it is even set back */
		put_item(b, &(ent_inbox_item){.source = "shop", .records = texts, .n_records = 3});
		if (i == 1) {
			reopen_inbox(b);
		}
	}
	atomic_store(&stopped_us, 0);
	ent_inbox_file file = only_file(b, "shop");
	char *bytes = ent_xmalloc(file.size);
	int fd = open(file.path, O_RDONLY);
	assert_int_equal(read(fd, bytes, file.size), file.size);
	close(fd);
	ent__line line;
	int64_t last = 0;
	unsigned n = 0;
	for (size_t at = 0; at < file.size; at += line.bytes, n++) {
		assert_true(ent__line_read(bytes + at, file.size - at, &line));
		assert_true(line.arrival > last);
		last = line.arrival;
	}
	assert_int_equal(n, 13);
	free(bytes);
	free(file.path);
}

/* A log that was put back from an older copy: what is appended to it would be taken for what was read before. */
static void a_log_older_than_the_store_is_left(void **state) {
	bench *b = *state;
	put(b, "shop", "one", NULL);
	ent_inbox_file file = only_file(b, "shop");
	ent_inbox_consumed(b->inbox, "shop", file.name, file.size + 100);
	assert_int_equal(put(b, "shop", "two", NULL), 0);
	assert_int_equal(count_files(b, "shop", "log"), 2);
	free(file.path);
}

static void documents_are_files_of_their_own(void **state) {
	bench *b = *state;
	b->set.keep_us = 0;
	reopen_inbox(b);
	ent_str first = {"a,b\n1,2\n", 8}, second = {"{\n}", 3};
	assert_int_equal(put_item(b, &(ent_inbox_item){.source = "csv", .document = &first, .suffix = ".csv", .id = "x", .id_n = 1}), 0);
	assert_int_equal(put_item(b, &(ent_inbox_item){.source = "csv", .document = &first, .suffix = ".csv", .id = "x", .id_n = 1}), 1);
	assert_int_equal(put_item(b, &(ent_inbox_item){.source = "csv", .document = &second, .suffix = "../x"}), 0);
	assert_records(b, "csv", "a,b\n1,2\n\n{\n}\n");
	ent_inbox_file *files;
	size_t n;
	ent_inbox_files(b->inbox, "csv", &files, &n);
	assert_int_equal(n, 2);
	assert_string_equal(files[0].name, ".inbox/00000001-000001.doc.csv");
	assert_string_equal(files[1].name, ".inbox/00000001-000002.doc");
	assert_false(files[0].log);
	assert_int_equal(ent_inbox_waiting(b->inbox, "csv"), 11);
	int64_t arrived = files[0].arrived_us;
	uint64_t identity = files[0].identity;
	ent_inbox_files_free(files, n);
	/* one that no log names was never acknowledged */
	char path[160];
	snprintf(path, sizeof path, "%s/csv/00000001-000003.doc", b->folder);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	reopen_inbox(b);
	assert_int_equal(count_files(b, "csv", "000003.doc"), 0);
	ent_inbox_files(b->inbox, "csv", &files, &n);
	assert_int_equal(n, 2);
	assert_true(files[0].arrived_us == arrived && files[0].identity == identity);
	ent_inbox_files_free(files, n);
	ent_inbox_consumed(b->inbox, "csv", ".inbox/00000001-000001.doc.csv", 8);
	while (count_files(b, "csv", "csv")) {
		usleep(1000);
	}
	reopen_inbox(b);
	assert_records(b, "csv", "{\n}\n");
	assert_int_equal(put_item(b, &(ent_inbox_item){.source = "csv", .document = &second}), 0);
	assert_int_equal(count_files(b, "csv", "000003.doc"), 1); /* no name comes twice */
	atomic_store(&fail_writes, 2);
	assert_int_equal(put_item(b, &(ent_inbox_item){.source = "csv", .document = &second}), ENT_ERR_IO);
	assert_int_equal(count_files(b, "csv", "doc"), 2);
}

static void what_is_committed_goes_and_the_cursor_stays(void **state) {
	bench *b = *state;
	b->set.keep_us = 0;
	b->set.age_us = 100000;
	reopen_inbox(b);
	ent_str record = {"1", 1};
	put_item(b, &(ent_inbox_item){.source = "poll", .records = &record, .n_records = 1, .cursor = "2025-01-31T00:00:00Z"});
	ent_inbox_file file = only_file(b, "poll");
	ent_inbox_consumed(b->inbox, "poll", file.name, file.size - 1); /* not all */
	assert_int_equal(ent_inbox_waiting(b->inbox, "poll"), 1);
	ent_inbox_consumed(b->inbox, "poll", file.name, file.size);
	while (access(file.path, F_OK) == 0) { /* old enough: another one begins, and it goes */
		usleep(1000);
	}
	assert_int_equal(count_files(b, "poll", "log"), 1);
	reopen_inbox(b);
	assert_string_equal(ent_inbox_cursor(b->inbox, "poll"), "2025-01-31T00:00:00Z");
	assert_records(b, "poll", "");
	assert_int_equal(put_item(b, &(ent_inbox_item){.source = "poll", .cursor = "next"}), 0);
	assert_string_equal(ent_inbox_cursor(b->inbox, "poll"), "next");
	free(file.path);
}

static void one_process_has_it(void **state) {
	bench *b = *state;
	put(b, "shop", "one", NULL);
	ent_inbox *other;
	ent_error e = {0};
	assert_int_equal(ent_inbox_open(&other, NULL, b->folder, NULL, NULL, NULL, &e), ENT_ERR_BUSY);
	assert_null(other);
	close_inbox(b);
	assert_int_equal(ent_inbox_open(&other, NULL, b->folder, NULL, NULL, NULL, &e), 0);
	ent_inbox *own = b->inbox;
	b->inbox = other;
	assert_records(b, "shop", "one\n");
	b->inbox = own;
	ent_inbox_close(other);
	assert_int_equal(ent_inbox_open(&other, NULL, "/tmp/entente-no-inbox", NULL, NULL, NULL, &e), 0);
	ent_inbox_close(other);
	open_inbox(b);
}

static void closing_writes_what_waits(void **state) {
	bench *b = *state;
	for (int i = 0; i < 50; i++) {
		put_async(b, "shop", "x", NULL);
	}
	close_inbox(b);
	assert_int_equal(b->told, 50);
	assert_int_equal(b->outcome, 0);
	open_inbox(b);
	char *got = records(b, "shop");
	assert_int_equal(strlen(got), 100);
	free(got);
}

/* A process that puts numbers with ids, and writes to a pipe which of them were acknowledged. */
static void child_on_done(void *ctx, int outcome, const ent_error *e) {
	(void)e;
	int *pipe_and_number = ctx;
	if (outcome >= 0 && write(pipe_and_number[0], &pipe_and_number[1], sizeof(int)) < 0) {
		_exit(1);
	}
}

static void run_child(const bench *b, int to, int first) {
	uv_loop_t loop;
	ent_inbox *inbox;
	ent_error e;
	uv_loop_init(&loop);
	if (ent_inbox_open(&inbox, &loop, b->folder, &b->set, NULL, NULL, &e)) {
		_exit(1);
	}
	for (int n = first;; n++) {
		int *ctx = ent_xmalloc(2 * sizeof *ctx);
		char text[32], id[32];
		ctx[0] = to;
		ctx[1] = n;
		snprintf(text, sizeof text, "{\"n\": %d}", n);
		snprintf(id, sizeof id, "id-%d", n);
		ent_str record = {text, strlen(text)};
		ent_inbox_put(inbox, &(ent_inbox_item){.source = "shop", .records = &record, .n_records = 1, .id = id, .id_n = strlen(id)},
			child_on_done, ctx);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
}

static void killed_at_any_moment(void **state) {
	bench *b = *state;
	b->set.log = 4000; /* many logs */
	b->set.ids = 1000000;
	bool acknowledged[100000] = {false};
	int highest = -1;
	for (int round = 0; round < 12; round++) {
		close_inbox(b);
		int ends[2], first = highest < 0 ? 0 : highest; /* what was not told is sent again, and one that was */
		assert_int_equal(pipe(ends), 0);
		pid_t pid = fork();
		if (!pid) {
			close(ends[0]);
			run_child(b, ends[1], first);
		}
		close(ends[1]);
		int n, got = 0, until = 20 + round * 37;
		while (got < until && read(ends[0], &n, sizeof n) == sizeof n) {
			got++;
			assert_in_range(n, 0, 99999);
			acknowledged[n] = true;
			highest = n > highest ? n : highest;
		}
		assert_int_equal(got, until);
		assert_int_equal(kill(pid, SIGKILL), 0);
		int status;
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status)); /* it was killed while it worked */
		while (read(ends[0], &n, sizeof n) == sizeof n) {
			acknowledged[n] = true;
			highest = n > highest ? n : highest;
		}
		close(ends[0]);
		open_inbox(b);
		char *got_records = records(b, "shop");
		unsigned times[100000] = {0};
		for (char *line = strtok(got_records, "\n"); line; line = strtok(NULL, "\n")) {
			assert_int_equal(sscanf(line, "{\"n\": %d}", &n), 1);
			times[n]++;
		}
		for (int i = 0; i < 100000; i++) {
			assert_true(times[i] <= 1);
			assert_true(times[i] == 1 || !acknowledged[i]);
		}
		free(got_records);
	}
}

static void ids_are_found_until_they_are_forgotten(void **state) {
	(void)state;
	enum { ALL = 5000, MOST = 700 };
	ent__ids t = {0};
	uint32_t seed = 7;
	for (uint32_t i = 0; i < ALL; i++) {
		uint8_t id[16] = {0};
		seed = seed * 1664525u + 1013904223u;
		uint32_t low = seed >> 24; /* few homes: long chains */
		memcpy(id, &low, 4);
		memcpy(id + 12, &i, 4);
		assert_false(ent__ids_find(&t, id));
		ent__ids_add(&t, id, i, MOST);
		ent__ids_add(&t, id, i, MOST);
		assert_true(ent__ids_find(&t, id));
		assert_true(t.end - t.first <= MOST);
	}
	assert_int_equal(t.end - t.first, MOST);
	ent__ids_forget(&t, ALL - 10);
	assert_int_equal(t.end - t.first, 10);
	seed = 7;
	for (uint32_t i = 0; i < ALL; i++) {
		uint8_t id[16] = {0};
		seed = seed * 1664525u + 1013904223u;
		uint32_t low = seed >> 24;
		memcpy(id, &low, 4);
		memcpy(id + 12, &i, 4);
		assert_int_equal(ent__ids_find(&t, id), i >= ALL - 10);
	}
	ent__ids_finish(&t);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, bench_set_up, bench_tear_down)

int main(void) {
	sem_init(&held, 0, 0);
	sem_init(&go_on, 0, 0);
	const struct CMUnitTest tests[] = {
		EACH(what_is_put_is_there),
		EACH(many_are_one_sync),
		EACH(a_delivery_counts_once),
		EACH(ids_outlive_their_log),
		EACH(what_was_torn_is_cut_off),
		EACH(a_full_disk_is_told_and_leaves_nothing),
		EACH(a_log_whose_sync_failed_is_left),
		EACH(too_much_is_refused),
		EACH(settings_change),
		EACH(arrival_grows_when_the_clock_does_not),
		EACH(a_log_older_than_the_store_is_left),
		EACH(documents_are_files_of_their_own),
		EACH(what_is_committed_goes_and_the_cursor_stays),
		EACH(one_process_has_it),
		EACH(closing_writes_what_waits),
		EACH(killed_at_any_moment),
		cmocka_unit_test(ids_are_found_until_they_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
