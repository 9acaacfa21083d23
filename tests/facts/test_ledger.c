/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the ledger's log: append, read, scan, sync, and what open does with each kind of broken folder. Every fault
 * is made on purpose and shown to be there before the log is opened on it. */
#include "base/arena.h"
#include "facts/ledger.h"
#include "base/crc.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct fixture {
	char folder[64];
	ent_segment *table; /* what a store would have committed */
	size_t n;
} fixture;

static int set_up(void **state) {
	fixture *f = ent_xcalloc(1, sizeof *f);
	strcpy(f->folder, "/tmp/entente-ledger-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	*state = f;
	return 0;
}

static int tear_down(void **state) {
	fixture *f = *state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
	assert_int_equal(system(command), 0);
	free(f->table);
	free(f);
	return 0;
}

static void commit(fixture *f, ent_ledger *l) {
	ent_error e;
	assert_int_equal(ent_ledger_sync(l, &e), 0);
	const ent_segment *s = ent_ledger_segments(l, &f->n);
	f->table = ent_xrealloc(f->table, f->n * sizeof *s + 1);
	memcpy(f->table, s, f->n * sizeof *s);
}

static ent_ledger *reopen(fixture *f, bool writable, ent_ledger_report *r) {
	ent_ledger *l;
	ent_error e;
	assert_int_equal(ent_ledger_open(&l, f->folder, f->table, f->n, writable, true, r, &e), 0);
	return l;
}

static char *path(const fixture *f, const char *name) {
	static char out[128];
	snprintf(out, sizeof out, "%s/ledger/%s", f->folder, name);
	return out;
}

static int64_t size_of(const fixture *f, const char *name) {
	struct stat st;
	return stat(path(f, name), &st) ? -1 : (int64_t)st.st_size;
}

/* A body that tells its own number and has a length that depends on it. */
static size_t body(uint64_t i, uint8_t out[400]) {
	size_t n = 8 + i * 37 % 300;
	memset(out, (int)(i & 0xff), n);
	memcpy(out, &i, 8);
	return n;
}

static ent_position append(ent_ledger *l, uint64_t i) {
	uint8_t b[400];
	ent_error e;
	ent_position at = ent_ledger_append(l, b, body(i, b), &e);
	assert_true(at != 0);
	return at;
}

static void expect(ent_ledger *l, ent_position at, uint64_t i) {
	uint8_t b[400];
	ent_buf out = {0};
	ent_error e;
	size_t n = body(i, b);
	assert_int_equal(ent_ledger_read(l, at, &out, &e), 0);
	assert_int_equal(out.n, n);
	assert_memory_equal(out.data, b, n);
	ent_buf_finish(&out);
}

typedef struct seen {
	uint64_t count, stop_at;
	ent_position last;
} seen;

static int visit(void *ctx, ent_position at, const uint8_t *p, size_t n) {
	seen *s = ctx;
	uint8_t b[400];
	assert_int_equal(n, body(s->count, b));
	assert_memory_equal(p, b, n);
	assert_true(at > s->last);
	s->last = at;
	s->count++;
	return s->count == s->stop_at ? 7 : 0;
}

static void checksum(void **state) {
	(void)state;
	assert_int_equal(ent_crc32c("123456789", 9), 0xe3069283u); /* the check value of the CRC catalogue */
	assert_int_equal(ent_crc32c_table("123456789", 9), 0xe3069283u);
	uint8_t b[257];
	for (size_t i = 0; i < sizeof b; i++) {
		b[i] = (uint8_t)(i * 131 + 7);
		assert_int_equal(ent_crc32c(b, i), ent_crc32c_table(b, i));
	}
}

static void append_read_scan(void **state) {
	fixture *f = *state;
	ent_ledger_report r;
	ent_ledger *l = reopen(f, true, &r);
	ent_position *at = ent_xmalloc(20000 * sizeof *at);
	for (uint64_t i = 0; i < 20000; i++) { /* 3 MB: some pieces are written, the last one is not */
		at[i] = append(l, i);
	}
	assert_true(ent_ledger_dirty(l) > 2u << 20);
	size_t n;
	ent_ledger_segments(l, &n);
	assert_int_equal(n, 0);                                               /* nothing is synced */
	assert_true(size_of(f, "000001.log") < (int64_t)ent_ledger_dirty(l)); /* the end is in memory only */
	for (uint64_t i = 0; i < 20000; i += 7) {
		expect(l, at[i], i);
	}
	expect(l, at[19999], 19999);
	seen s = {0};
	ent_error e;
	assert_int_equal(ent_ledger_scan(l, visit, &s, &e), 0);
	assert_int_equal(s.count, 20000);
	commit(f, l);
	assert_int_equal(ent_ledger_dirty(l), 0);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->table[0].frames, 20000);
	assert_int_equal(f->table[0].valid, size_of(f, "000001.log"));
	at[0] = append(l, 0); /* not committed */
	ent_ledger_close(l);

	l = reopen(f, true, &r);
	assert_string_equal(r.damage, "");
	s = (seen){.stop_at = 5};
	assert_int_equal(ent_ledger_scan(l, visit, &s, &e), 7);
	assert_int_equal(s.count, 5);
	s = (seen){0};
	assert_int_equal(ent_ledger_scan(l, visit, &s, &e), 0);
	assert_int_equal(s.count, 20000);
	ent_buf out = {0};
	assert_int_equal(ent_ledger_read(l, at[3] + 1, &out, &e), ENT_ERR_CORRUPT); /* not where a frame begins */
	assert_int_equal(ent_ledger_read(l, 0, &out, &e), ENT_ERR_CORRUPT);
	assert_int_equal(ent_ledger_read(l, UINT64_C(9) << 32, &out, &e), ENT_ERR_CORRUPT);
	assert_true(ent_ledger_append(l, "", 0, &e) == 0);
	assert_int_equal(e.code, ENT_ERR_RANGE);
	/* a frame larger than the piece and than one read of the scan */
	size_t large = (5u << 20) + 3;
	uint8_t *b = ent_xcalloc(1, large);
	b[large - 1] = 42;
	append(l, 20000);
	ent_position big = ent_ledger_append(l, b, large, &e), next = append(l, 20001);
	assert_true(big != 0);
	assert_int_equal(ent_ledger_read(l, big, &out, &e), 0);
	assert_int_equal(out.n, large);
	commit(f, l);
	assert_int_equal(ent_ledger_read(l, big, &out, &e), 0);
	assert_int_equal(out.data[large - 1], 42);
	expect(l, next, 20001);
	ent_ledger_close(l);
	ent_ledger_close(reopen(f, false, &r)); /* verifies the large one */
	ent_buf_finish(&out);
	free(b);
	free(at);
}

/* Three segments of two large frames each. */
static void fill_segments(fixture *f) {
	ent_ledger_report r;
	ent_error e;
	ent_ledger *l = reopen(f, true, &r);
	size_t n = 30u << 20;
	uint8_t *b = ent_xcalloc(1, n);
	for (uint8_t i = 0; i < 6; i++) {
		b[0] = i;
		ent_position at = ent_ledger_append(l, b, n, &e);
		assert_int_equal(at >> 32, 1 + i / 2);
	}
	commit(f, l);
	assert_int_equal(f->n, 3);
	ent_ledger_close(l);
	free(b);
}

static int count(void *ctx, ent_position at, const uint8_t *p, size_t n) {
	(void)at;
	(void)n;
	assert_int_equal(p[0], *(int *)ctx);
	++*(int *)ctx;
	return 0;
}

static void segments(void **state) {
	fixture *f = *state;
	fill_segments(f);
	ent_ledger_report r;
	ent_error e;
	ent_ledger *l = reopen(f, true, &r);
	int n = 0;
	assert_int_equal(ent_ledger_scan(l, count, &n, &e), 0);
	assert_int_equal(n, 6);
	ent_ledger_close(l);

	/* a segment that is not in the table: a run that never committed */
	ent_segment third = f->table[2];
	f->n = 2;
	assert_true(size_of(f, "000003.log") > 0);
	ent_ledger_close(reopen(f, false, &r));
	assert_true(size_of(f, "000003.log") > 0); /* read-only changes nothing */
	ent_ledger_close(reopen(f, true, &r));
	assert_int_equal(r.deleted_segments, 1);
	assert_int_equal(size_of(f, "000003.log"), -1);

	/* a dead one goes without a word, and its number is not given again while the table knows it */
	f->table[1].state = ENT_SEGMENT_DEAD;
	l = reopen(f, true, &r);
	assert_int_equal(r.deleted_segments, 0);
	assert_int_equal(size_of(f, "000002.log"), -1);
	f->table[1].state = ENT_SEGMENT_LIVE;
	uint8_t *b = ent_xcalloc(1, 60u << 20);
	assert_int_equal(ent_ledger_append(l, b, 60u << 20, &e) >> 32, 3);
	free(b);
	ent_ledger_close(l);

	/* missing ones */
	f->n = 3;
	f->table[2] = third;
	assert_int_equal(size_of(f, "000002.log"), -1);
	assert_int_equal(ent_ledger_open(&l, f->folder, f->table, f->n, true, false, &r, &e), ENT_ERR_CORRUPT);
	assert_non_null(strstr(r.damage, "000002.log is missing"));
	assert_null(strstr(r.damage, "000001"));
	assert_int_equal(e.code, ENT_ERR_CORRUPT);
	assert_non_null(strstr(e.what, "000002.log"));
	assert_true(size_of(f, "000001.log") > 0);
}

static void torn_tail(void **state) {
	fixture *f = *state;
	ent_ledger_report r;
	ent_ledger *l = reopen(f, true, &r);
	for (uint64_t i = 0; i < 100; i++) {
		append(l, i);
	}
	commit(f, l);
	ent_ledger_close(l);
	int64_t good = size_of(f, "000001.log");
	int fd = open(path(f, "000001.log"), O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "\x40\0\0\0half a frame", 16), 16);
	close(fd);
	assert_int_equal(size_of(f, "000001.log"), good + 16);

	ent_ledger_close(reopen(f, false, &r)); /* a reader leaves it alone: it may be a writer's */
	assert_int_equal(r.truncated_bytes, 0);
	assert_int_equal(size_of(f, "000001.log"), good + 16);
	l = reopen(f, true, &r);
	assert_int_equal(r.truncated_bytes, 16);
	assert_int_equal(size_of(f, "000001.log"), good);
	expect(l, append(l, 100), 100);
	commit(f, l);
	seen s = {0};
	ent_error e;
	assert_int_equal(ent_ledger_scan(l, visit, &s, &e), 0);
	assert_int_equal(s.count, 101);
	ent_ledger_close(l);
}

static void flipped_bit(void **state) {
	fixture *f = *state;
	ent_ledger_report r;
	ent_error e;
	ent_ledger *l = reopen(f, true, &r);
	ent_position at = 0;
	for (uint64_t i = 0; i < 1000; i++) {
		ent_position p = append(l, i);
		at = i == 600 ? p : at;
	}
	commit(f, l);
	ent_ledger_close(l);
	uint8_t c;
	int fd = open(path(f, "000001.log"), O_RDWR);
	assert_int_equal(pread(fd, &c, 1, (off_t)(uint32_t)at + 12), 1);
	c ^= 0x10;
	assert_int_equal(pwrite(fd, &c, 1, (off_t)(uint32_t)at + 12), 1);
	close(fd);
	int64_t size = size_of(f, "000001.log");

	/* unverified it opens, and only the frame itself cannot be read */
	assert_int_equal(ent_ledger_open(&l, f->folder, f->table, f->n, false, false, &r, &e), 0);
	ent_buf out = {0};
	assert_int_equal(ent_ledger_read(l, at, &out, &e), ENT_ERR_CORRUPT);
	expect(l, (UINT64_C(1) << 32), 0);
	seen s = {0};
	assert_int_equal(ent_ledger_scan(l, visit, &s, &e), ENT_ERR_CORRUPT);
	assert_int_equal(s.count, 600);
	ent_ledger_close(l);

	char offset[64];
	snprintf(offset, sizeof offset, "000001.log has no valid frame at offset %u", (uint32_t)at);
	assert_int_equal(ent_ledger_open(&l, f->folder, f->table, f->n, false, true, &r, &e), ENT_ERR_CORRUPT);
	assert_string_equal(r.damage, offset);
	assert_int_equal(size_of(f, "000001.log"), size); /* a reader does not rename */
	assert_int_equal(ent_ledger_open(&l, f->folder, f->table, f->n, true, true, &r, &e), ENT_ERR_CORRUPT);
	assert_null(l);
	assert_non_null(strstr(r.damage, offset));
	assert_non_null(strstr(r.damage, "kept as 000001.log.damaged"));
	assert_int_equal(size_of(f, "000001.log"), -1);
	assert_int_equal(size_of(f, "000001.log.damaged"), size);
	/* and it stays refused: nothing starts afresh beside it */
	assert_int_equal(ent_ledger_open(&l, f->folder, f->table, f->n, true, true, &r, &e), ENT_ERR_CORRUPT);
	assert_non_null(strstr(r.damage, "set aside"));

	/* a writer that did not verify finds it when it scans, sets it aside and writes no more */
	char damaged[160];
	snprintf(damaged, sizeof damaged, "%s.damaged", path(f, "000001.log"));
	assert_int_equal(rename(damaged, path(f, "000001.log")), 0);
	assert_int_equal(ent_ledger_open(&l, f->folder, f->table, f->n, true, false, &r, &e), 0);
	s = (seen){.stop_at = 3};
	assert_int_equal(ent_ledger_scan(l, visit, &s, &e), 7);
	append(l, 1000);
	s = (seen){0};
	assert_int_equal(ent_ledger_scan(l, visit, &s, &e), ENT_ERR_CORRUPT);
	assert_non_null(strstr(e.what, "kept as 000001.log.damaged"));
	assert_true(size_of(f, "000001.log.damaged") > size);
	assert_int_equal(ent_ledger_sync(l, &e), ENT_ERR_CORRUPT);
	assert_int_equal(ent_ledger_read(l, at, &out, &e), ENT_ERR_CORRUPT);
	ent_ledger_close(l);
	ent_buf_finish(&out);
}

static void shorter(void **state) {
	fixture *f = *state;
	ent_ledger_report r;
	ent_error e;
	ent_ledger *l = reopen(f, true, &r);
	for (uint64_t i = 0; i < 100; i++) {
		append(l, i);
	}
	commit(f, l);
	ent_ledger_close(l);
	assert_int_equal(truncate(path(f, "000001.log"), (off_t)f->table[0].valid - 3), 0);
	close(open(path(f, "000001.log.damaged"), O_CREAT | O_WRONLY, 0600)); /* of an earlier accident: it is kept */
	assert_int_equal(ent_ledger_open(&l, f->folder, f->table, f->n, true, false, &r, &e), ENT_ERR_CORRUPT);
	assert_non_null(strstr(r.damage, "000001.log ends at offset"));
	assert_int_equal(size_of(f, "000001.log.damaged"), 0);
	assert_int_equal(size_of(f, "000001.log.damaged.1"), (int64_t)f->table[0].valid - 3);
}

static void reading_only(void **state) {
	fixture *f = *state;
	ent_ledger_report r;
	ent_error e;
	ent_ledger *l = reopen(f, false, &r); /* no folder yet: an empty ledger */
	assert_true(ent_ledger_append(l, "x", 1, &e) == 0);
	assert_int_equal(e.code, ENT_ERR_INVALID);
	assert_int_equal(size_of(f, "."), -1);
	ent_ledger_close(l);
	ent_ledger *writer = reopen(f, true, &r);
	append(writer, 0);
	commit(f, writer);
	append(writer, 1);
	l = reopen(f, false, &r);
	seen s = {0};
	assert_int_equal(ent_ledger_scan(l, visit, &s, &e), 0);
	assert_int_equal(s.count, 1); /* what is committed, not what the writer is at */
	ent_ledger_close(l);
	ent_ledger_close(writer);
	ent_ledger_close(NULL);
	writer = NULL;
	assert_int_equal(ent_ledger_open(&writer, "/nonexistent/place", NULL, 0, true, true, NULL, &e), ENT_ERR_IO);
}

static void failed_write(void **state) {
	fixture *f = *state;
	ent_ledger_report r;
	ent_error e;
	ent_ledger *l = reopen(f, true, &r);
	append(l, 0);
	commit(f, l);
	/* The name of the next segment is taken: it cannot be made. From then on nothing is accepted. */
	close(open(path(f, "000002.log"), O_CREAT | O_WRONLY, 0600));
	uint8_t *b = ent_xcalloc(1, ENT_SEGMENT_BYTES - 8);
	assert_true(ent_ledger_append(l, b, ENT_SEGMENT_BYTES - 8, &e) == 0);
	assert_int_equal(e.code, ENT_ERR_IO);
	assert_true(ent_ledger_append(l, b, 10, &e) == 0);
	assert_int_equal(e.code, ENT_ERR_IO);
	assert_int_equal(ent_ledger_sync(l, &e), ENT_ERR_IO);
	free(b);
	ent_ledger_close(l);
}

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void) {
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void flip(const fixture *f, uint64_t bit) {
	uint8_t c;
	int fd = open(path(f, "000001.log"), O_RDWR);
	assert_int_equal(pread(fd, &c, 1, (off_t)(bit / 8)), 1);
	c ^= (uint8_t)(1u << bit % 8);
	assert_int_equal(pwrite(fd, &c, 1, (off_t)(bit / 8)), 1);
	close(fd);
}

/* Any single bit, any shorter length is noticed, and what is mended is a good log again; any longer tail is cut. */
static void any_damage(void **state) {
	fixture *f = *state;
	ent_ledger_report r;
	ent_error e;
	ent_ledger *l = reopen(f, true, &r);
	for (uint64_t i = 0; i < 60; i++) {
		append(l, i);
	}
	commit(f, l);
	ent_ledger_close(l);
	uint64_t valid = f->table[0].valid;
	char damaged[160];
	snprintf(damaged, sizeof damaged, "%s.damaged", path(f, "000001.log"));
	for (unsigned round = 0; round < 400; round++) {
		uint64_t bit = round < 64 ? round : next_random() % (valid * 8); /* the first frame's head in full */
		flip(f, bit);
		assert_int_equal(ent_ledger_open(&l, f->folder, f->table, f->n, true, true, &r, &e), ENT_ERR_CORRUPT);
		assert_true(r.damage[0]);
		assert_int_equal(rename(damaged, path(f, "000001.log")), 0);
		flip(f, bit);
	}
	for (unsigned round = 0; round < 50; round++) {
		uint64_t more = 1 + next_random() % 300;
		assert_int_equal(truncate(path(f, "000001.log"), (off_t)(valid + more)), 0); /* zeros: no frame either */
		ent_ledger_close(reopen(f, true, &r));
		assert_int_equal(r.truncated_bytes, more);
		assert_int_equal(size_of(f, "000001.log"), valid);
	}
	assert_int_equal(truncate(path(f, "000001.log"), (off_t)(next_random() % valid)), 0);
	assert_int_equal(ent_ledger_open(&l, f->folder, f->table, f->n, true, false, &r, &e), ENT_ERR_CORRUPT);
}

/* A disk that takes no more: the error stays, so that nobody syncs again and believes it. */
static void full_disk(void **state) {
	fixture *f = *state;
	ent_ledger_report r;
	ent_error e;
	ent_ledger *l = reopen(f, true, &r);
	append(l, 0);
	commit(f, l);
	struct rlimit before, small;
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 4096;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (uint64_t i = 1; i < 100; i++) {
		append(l, i);
	}
	assert_int_equal(ent_ledger_sync(l, &e), ENT_ERR_IO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(ent_ledger_sync(l, &e), ENT_ERR_IO); /* there is room again, and it is not tried again */
	assert_non_null(strstr(e.what, "000001.log"));
	ent_ledger_close(l);
	l = reopen(f, true, &r);
	assert_true(r.truncated_bytes > 0); /* the part that went to the disk */
	seen s = {0};
	assert_int_equal(ent_ledger_scan(l, visit, &s, &e), 0);
	assert_int_equal(s.count, 1);
	ent_ledger_close(l);
}

/* Bodies written in place are frames like others; what was reserved and not used leaves no trace. */
static void written_in_place(void **state) {
	fixture *f = *state;
	ent_ledger_report r;
	ent_error e;
	ent_ledger *l = reopen(f, true, &r);
	ent_position *at = ent_xmalloc(20000 * sizeof *at);
	for (uint64_t i = 0; i < 20000; i++) {
		uint8_t b[400], *p;
		size_t n = body(i, b);
		if (i % 7 == 0) {
			memset(ent_ledger_reserve(l, 5000, &e), 0xee, 5000);
		}
		if (i % 3) {
			p = ent_ledger_reserve(l, i % 5 ? n : sizeof b, &e);
			assert_non_null(p);
			memcpy(p, b, n);
			at[i] = ent_ledger_commit_frame(l, n);
		} else {
			at[i] = append(l, i);
		}
		expect(l, at[i], i);
		expect(l, at[i / 2], i / 2);
	}
	uint8_t *large = ent_ledger_reserve(l, 3u << 20, &e); /* larger than any piece */
	memset(large, 1, 3u << 20);
	ent_position last = ent_ledger_commit_frame(l, 2u << 20);
	ent_buf out = {0};
	for (unsigned round = 0; round < 2; round++) {
		assert_int_equal(ent_ledger_read(l, last, &out, &e), 0);
		assert_int_equal(out.n, 2u << 20);
		commit(f, l);
	}
	ent_buf_finish(&out);
	assert_null(ent_ledger_reserve(l, 0, &e));
	assert_null(ent_ledger_reserve(l, ENT_SEGMENT_BYTES, &e));
	ent_ledger_close(l);
	l = reopen(f, false, &r);
	for (uint64_t i = 0; i < 20000; i++) {
		expect(l, at[i], i);
	}
	assert_null(ent_ledger_reserve(l, 10, &e));
	ent_ledger_close(l);
	free(at);
}

/* A second thread that syncs marks while the owner goes on. */
typedef struct committer {
	fixture *f;
	ent_ledger *l;
	ent_identities *ids;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct {
		ent_ledger_mark log;
		ent_identities_mark ids;
	} marks[64];
	unsigned made, synced, wrong;
	bool end;
} committer;

static void *commit_all(void *ctx) {
	committer *c = ctx;
	pthread_mutex_lock(&c->lock);
	while (!c->end || c->synced < c->made) {
		if (c->synced == c->made) {
			pthread_cond_wait(&c->moved, &c->lock);
			continue;
		}
		unsigned i = c->synced;
		pthread_mutex_unlock(&c->lock);
		ent_error e;
		bool well =
			!ent_identities_sync_to(c->ids, &c->marks[i].ids, &e) && !ent_ledger_sync_to(c->l, &c->marks[i].log, &e);
		for (size_t k = 0; k < c->marks[i].log.n; k++) { /* all of it is in the files now */
			char name[160];
			struct stat st;
			const ent_segment *s = &c->marks[i].log.segments[k];
			snprintf(name, sizeof name, "%s/ledger/%06u.log", c->f->folder, s->number);
			well = well && !stat(name, &st) && (uint64_t)st.st_size >= s->valid;
		}
		pthread_mutex_lock(&c->lock);
		c->wrong += !well;
		c->synced++;
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void two_threads(void **state) {
	fixture *f = *state;
	ent_ledger_report r;
	ent_error e;
	committer c = {.f = f, .l = reopen(f, true, &r)};
	assert_int_equal(ent_identities_open(&c.ids, f->folder, 0, true, &e), 0);
	pthread_mutex_init(&c.lock, NULL);
	pthread_cond_init(&c.moved, NULL);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, commit_all, &c), 0);
	enum { MARKS = 40, EACH = 3000 };
	ent_position *at = ent_xmalloc(MARKS * EACH * sizeof *at);
	uint64_t i = 0;
	for (unsigned m = 0; m < MARKS; m++) {
		for (unsigned k = 0; k < EACH; k++, i++) {
			at[i] = append(c.l, i);
			uint8_t id[16] = {1};
			memcpy(id + 8, &i, 8);
			assert_int_equal(ent_identities_put(c.ids, id), i);
			if (i % 64 == 0) {
				expect(c.l, at[i / 2], i / 2);
			}
		}
		if (m % 16 == 15) {
			seen s = {0};
			assert_int_equal(ent_ledger_scan(c.l, visit, &s, &e), 0);
			assert_int_equal(s.count, i);
		}
		assert_int_equal(ent_identities_freeze(c.ids, &c.marks[m].ids, &e), 0);
		assert_int_equal(ent_ledger_freeze(c.l, &c.marks[m].log, &e), 0);
		assert_int_equal(c.marks[m].ids.count, i);
		assert_int_equal(ent_ledger_dirty(c.l), 0);
		pthread_mutex_lock(&c.lock);
		c.made++;
		pthread_cond_signal(&c.moved);
		pthread_mutex_unlock(&c.lock);
	}
	append(c.l, i); /* in no mark */
	pthread_mutex_lock(&c.lock);
	c.end = true;
	pthread_cond_signal(&c.moved);
	pthread_mutex_unlock(&c.lock);
	pthread_join(thread, NULL);
	assert_int_equal(c.wrong, 0);
	assert_int_equal(c.synced, MARKS);
	ent_ledger_close(c.l);
	ent_identities_close(c.ids);
	for (unsigned m = MARKS; m-- > 0;) { /* what any mark says is there; what came after it is cut */
		f->n = c.marks[m].log.n;
		f->table = ent_xrealloc(f->table, f->n * sizeof *f->table);
		memcpy(f->table, c.marks[m].log.segments, f->n * sizeof *f->table);
		if (m % 13 == 0) {
			seen s = {0};
			ent_ledger *l = reopen(f, true, &r);
			assert_int_equal(ent_ledger_scan(l, visit, &s, &e), 0);
			assert_int_equal(s.count, (m + 1) * EACH);
			ent_ledger_close(l);
			assert_int_equal(ent_identities_open(&c.ids, f->folder, c.marks[m].ids.count, true, &e), 0);
			ent_identities_close(c.ids);
		}
		ent_ledger_mark_finish(&c.marks[m].log);
	}
	pthread_mutex_destroy(&c.lock);
	pthread_cond_destroy(&c.moved);
	free(at);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum),
		cmocka_unit_test_setup_teardown(append_read_scan, set_up, tear_down),
		cmocka_unit_test_setup_teardown(written_in_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_threads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(segments, set_up, tear_down),
		cmocka_unit_test_setup_teardown(torn_tail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(flipped_bit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(shorter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reading_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(failed_write, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_damage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_disk, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
