/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the index in a file: whatever a log went through, the index from the file and the frames behind it is the
 * index from a scan; and a file that is damaged, cut off, old or of another log is never believed. A frame here is a
 * number for a key and one that says whether the key is gone. */
#include "base/arena.h"
#include "facts/index_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void) {
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

typedef struct log {
	char folder[64];
	ent_ledger *l;
	ent_index *x;
	ent_segment *committed;
	size_t n;
} log;

static void apply(ent_index *x, uint64_t key, bool gone, ent_position at) {
	ent_index_entry *e = ent_index_find(x, key, NULL);
	if (gone) {
		if (e) {
			ent_index_remove(x, e);
		}
	} else if (e) {
		e->at = at;
	} else {
		ent_index_add(x, key, at);
	}
}

static void change(log *l, uint64_t keys, size_t bytes) {
	uint8_t *body = ent_xcalloc(1, bytes);
	uint64_t key = next_random() % keys * 1000003;
	body[8] = next_random() % 5 == 0;
	memcpy(body, &key, 8);
	ent_error e;
	ent_position at = ent_ledger_append(l->l, body, bytes, &e);
	assert_true(at != 0);
	apply(l->x, key, body[8], at);
	free(body);
}

static void commit(log *l) {
	ent_error e;
	assert_int_equal(ent_ledger_sync(l->l, &e), 0);
	const ent_segment *s = ent_ledger_segments(l->l, &l->n);
	l->committed = ent_xrealloc(l->committed, l->n * sizeof *s + 1);
	if (l->n) {
		memcpy(l->committed, s, l->n * sizeof *s);
	}
}

static int by_scan(void *ctx, ent_position at, const uint8_t *body, size_t n) {
	uint64_t key;
	assert_true(n > 8);
	memcpy(&key, body, 8);
	apply(ctx, key, body[8], at);
	return 0;
}

static void open_log(log *l) {
	ent_error e;
	assert_int_equal(ent_ledger_open(&l->l, l->folder, l->committed, l->n, true, true, NULL, &e), 0);
	l->x = ent_index_create(0);
	assert_int_equal(ent_ledger_scan(l->l, by_scan, l->x, &e), 0);
}

static void close_log(log *l) {
	ent_ledger_close(l->l);
	ent_index_destroy(l->x);
	l->l = NULL;
	l->x = NULL;
}

static int find_in(void *other, ent_index_entry *e) {
	const ent_index_entry *found = ent_index_find(other, e->key, NULL);
	return found && found->at == e->at ? 0 : 1;
}

/* 1: there is a file, and with what lies behind it it makes the same index; 0: it is not believed. */
static int restored(log *l) {
	ent_segment *seen;
	size_t n;
	ent_error e;
	ent_index *x = ent_index_restore(l->folder, l->committed, l->n, &seen, &n);
	if (!x) {
		assert_null(seen);
		return 0;
	}
	assert_int_equal(ent_ledger_scan_after(l->l, seen, n, by_scan, x, &e), 0);
	assert_int_equal(ent_index_count(x), ent_index_count(l->x));
	assert_int_equal(ent_index_each(x, find_in, l->x), 0);
	ent_index_destroy(x);
	free(seen);
	return 1;
}

static void save(log *l) {
	ent_index_save *s;
	ent_error e;
	bool done;
	assert_int_equal(ent_index_save_begin(&s, l->folder, l->committed, l->n, &e), 0);
	assert_int_equal(ent_index_save_step(s, l->x, SIZE_MAX, &done, &e), 0);
	assert_true(done);
	assert_int_equal(ent_index_save_finish(s, l->committed, l->n, &e), 0);
}

static int set_up(void **state) {
	log *l = ent_xcalloc(1, sizeof *l);
	strcpy(l->folder, "/tmp/entente-index-XXXXXX");
	assert_non_null(mkdtemp(l->folder));
	open_log(l);
	*state = l;
	return 0;
}

static int tear_down(void **state) {
	log *l = *state;
	char command[128];
	close_log(l);
	snprintf(command, sizeof command, "rm -rf '%s'", l->folder);
	assert_int_equal(system(command), 0);
	free(l->committed);
	free(l);
	return 0;
}

static char *path(const log *l, const char *name) {
	static char out[128];
	snprintf(out, sizeof out, "%s/ledger/%s", l->folder, name);
	return out;
}

/* Any course of changes, commits, saves in steps between them, crashes and new starts. */
static void any_course(void **state) {
	log *l = *state;
	ent_index_save *s = NULL;
	ent_error e;
	unsigned restores = 0, saves = 0;
	commit(l);
	for (unsigned step = 0; step < 2000; step++) {
		unsigned what = next_random() % 100;
		if (what < 60) {
			for (unsigned i = next_random() % 40; i > 0; i--) {
				change(l, 3000, 9 + next_random() % 50);
			}
		} else if (step % 400 == 399) { /* a new segment now and then */
			change(l, 3000, 33u << 20);
		} else if (what < 80) {
			commit(l);
		} else if (what < 90 && s) {
			bool done;
			assert_int_equal(ent_index_save_step(s, l->x, 1 + next_random() % 1500, &done, &e), 0);
			if (done) {
				commit(l);
				assert_int_equal(ent_index_save_finish(s, l->committed, l->n, &e), 0);
				s = NULL;
				saves++;
				assert_int_equal(restored(l), 1);
			}
		} else if (what < 94 && !s) {
			commit(l);
			assert_int_equal(ent_index_save_begin(&s, l->folder, l->committed, l->n, &e), 0);
		} else if (what < 96) { /* a crash: what was not committed is gone */
			ent_index_save_abandon(s);
			s = NULL;
			close_log(l);
			open_log(l);
			restores += (unsigned)restored(l);
		} else {
			commit(l);
			restores += (unsigned)restored(l);
		}
	}
	ent_index_save_abandon(s);
	assert_true(saves > 10);
	assert_true(restores > 50);
}

static void fill(log *l, unsigned n) {
	for (unsigned i = 0; i < n; i++) {
		change(l, 100000, 9 + i % 40);
	}
	commit(l);
}

static void flip(const char *file, uint64_t bit) {
	uint8_t c;
	int fd = open(file, O_RDWR);
	assert_int_equal(pread(fd, &c, 1, (off_t)(bit / 8)), 1);
	c ^= (uint8_t)(1u << bit % 8);
	assert_int_equal(pwrite(fd, &c, 1, (off_t)(bit / 8)), 1);
	close(fd);
}

static void any_damage(void **state) {
	log *l = *state;
	fill(l, 40000);
	assert_int_equal(restored(l), 0); /* there is none yet */
	save(l);
	assert_int_equal(restored(l), 1);
	struct stat st;
	char file[128];
	strcpy(file, path(l, "index"));
	assert_int_equal(stat(file, &st), 0);
	for (unsigned i = 0; i < 600; i++) {
		uint64_t bit = i < 300 ? i : next_random() % ((uint64_t)st.st_size * 8);
		bool unused = bit / 8 >= 64 && bit / 8 < 4096; /* behind what it says of one segment */
		flip(file, bit);
		assert_int_equal(restored(l), unused);
		flip(file, bit);
	}
	assert_int_equal(restored(l), 1);
	for (unsigned i = 0; i < 100; i++) {
		char command[300];
		snprintf(command, sizeof command, "cp '%s' '%s.whole'", file, file);
		assert_int_equal(system(command), 0);
		assert_int_equal(truncate(file, (off_t)(i < 2 ? i * 40 : next_random() % (uint64_t)st.st_size)), 0);
		assert_int_equal(restored(l), 0);
		snprintf(command, sizeof command, "mv '%s.whole' '%s'", file, file);
		assert_int_equal(system(command), 0);
	}
	assert_int_equal(restored(l), 1);
}

/* A log that was cut behind the file and grew anew, and one that has lost or got a segment. */
static void of_another_log(void **state) {
	log *l = *state;
	fill(l, 2000);
	ent_segment before = l->committed[0];
	fill(l, 2000);
	save(l);
	assert_int_equal(restored(l), 1);
	uint64_t upto = l->committed[0].valid;
	l->committed[0] = before; /* the store knows of the first half only */
	assert_int_equal(restored(l), 0);
	close_log(l);
	open_log(l);
	assert_int_equal(restored(l), 0);
	fill(l, 3000);
	assert_true(l->committed[0].valid > upto);
	assert_int_equal(restored(l), 0);
	save(l);
	assert_int_equal(restored(l), 1);
	change(l, 1000, ENT_SEGMENT_BYTES - 8);
	change(l, 1000, 100);
	commit(l);
	assert_int_equal(l->n, 3);
	assert_int_equal(restored(l), 1); /* segments that came after it are scanned */
	save(l);
	l->n--; /* compacted away, say: an entry may lead there */
	ent_segment *seen;
	size_t n;
	assert_null(ent_index_restore(l->folder, l->committed, l->n, &seen, &n));
	l->n++;
	l->committed[1].state = ENT_SEGMENT_DEAD;
	assert_null(ent_index_restore(l->folder, l->committed, l->n, &seen, &n));
	l->committed[1].state = ENT_SEGMENT_LIVE;
	assert_int_equal(restored(l), 1);
}

static void many_entries(void **state) { /* more than a block, and empty */
	log *l = *state;
	commit(l);
	save(l);
	assert_int_equal(restored(l), 1);
	for (uint64_t i = 0; i < 100000; i++) {
		change(l, UINT64_C(1) << 40, 9);
	}
	commit(l);
	save(l);
	assert_int_equal(restored(l), 1);
	ent_error e;
	ent_index_save *s;
	assert_int_equal(ent_index_save_begin(&s, "/nonexistent/place", l->committed, l->n, &e), ENT_ERR_IO);
	assert_null(s);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_course, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_damage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_another_log, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_entries, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
