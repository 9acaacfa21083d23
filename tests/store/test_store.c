/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the store's life (lock, schema, transactions, a process that dies) and of its tables of rows. */
#include "store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* Nobody else reads along. */
static void modes(void **state) {
	fixture *f = *state;
	static const char *const names[] = {"entente.db", "entente.db-wal", "lock"};
	OK(f, ent_store_meta_set(f->s, "a", "1", &f->e));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[128];
		struct stat st;
		snprintf(path, sizeof path, "%s/%s", f->folder, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 077, 0);
	}
}

static void small_values(void **state) {
	fixture *f = *state;
	char *value;
	OK(f, ent_store_meta_get(f->s, "absent", &value, &f->e));
	assert_null(value);
	OK(f, ent_store_meta_set(f->s, "a", "1", &f->e));
	OK(f, ent_store_meta_set(f->s, "a", "two", &f->e));
	OK(f, ent_store_meta_get(f->s, "a", &value, &f->e));
	assert_string_equal(value, "two");
	free(value);
	assert_string_equal(ent_store_folder(f->s), f->folder);
	ent_segment *segments, two[] = {{1, ENT_SEGMENT_LIVE, 100, 3, 60}, {2, ENT_SEGMENT_DEAD, UINT64_C(1) << 40, 9, 0}};
	size_t n;
	OK(f, ent_store_segments_load(f->s, &segments, &n, &f->e));
	assert_int_equal(n, 0);
	free(segments);
	OK(f, ent_store_segments_save(f->s, two, 2, &f->e));
	OK(f, ent_store_segments_load(f->s, &segments, &n, &f->e));
	assert_int_equal(n, 2);
	assert_memory_equal(segments, two, sizeof two);
	free(segments);
	OK(f, ent_store_segments_save(f->s, two + 1, 1, &f->e)); /* what is not in the list is gone */
	OK(f, ent_store_segments_load(f->s, &segments, &n, &f->e));
	assert_int_equal(n, 1);
	free(segments);
}

static int concat(void *ctx, uint32_t kind, uint32_t id, const char *text, size_t n) {
	ent_buf_printf(ctx, "%u:%u:%.*s(%zu) ", kind, id, (int)n, text, n);
	return 0;
}

static void codes(void **state) {
	fixture *f = *state;
	OK(f, ent_store_code_add(f->s, 2, 1, "Zürich", 7, &f->e));
	OK(f, ent_store_code_add(f->s, 1, 2, "ab\0cd", 5, &f->e)); /* texts are counted, not terminated */
	OK(f, ent_store_code_add(f->s, 1, 0, "", 0, &f->e));
	ent_buf b = {0};
	OK(f, ent_store_codes_load(f->s, concat, &b, &f->e));
	const char expected[] = "1:0:(0) 1:2:ab(5) 2:1:Zürich(7) ";
	assert_int_equal(b.n, sizeof expected - 1);
	assert_memory_equal(b.data, expected, b.n);
	ent_buf_finish(&b);
}

static off_t size_of(const fixture *f, const char *name) {
	char path[128];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", f->folder, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void put_large(fixture *f, unsigned number, size_t n) {
	char key[32], *value = ent_xmalloc(n + 1);
	memset(value, 'a' + (int)number % 26, n);
	value[n] = 0;
	snprintf(key, sizeof key, "large%u", number);
	OK(f, ent_store_meta_set(f->s, key, value, &f->e));
	free(value);
}

/* What was committed comes into the database beside the work, while the store is open; and its log has an end. */
static void tidied(void **state) {
	enum { LARGE = 8 << 20, TURNS = 24 };
	fixture *f = *state;
	put_large(f, 0, LARGE);
	for (int i = 0; size_of(f, "entente.db") < LARGE; i++) {
		assert_int_not_equal(i, 6000);
		usleep(10000);
	}
	for (unsigned i = 1; i < TURNS; i++) {
		put_large(f, i % 4, LARGE);
	}
	assert_in_range(size_of(f, "entente.db-wal"), 1, 14 * LARGE);
	reopen(f, ENT_STORE_READ);
	char *value;
	OK(f, ent_store_meta_get(f->s, "large3", &value, &f->e));
	assert_int_equal(strlen(value), LARGE);
	assert_int_equal(value[0], 'd');
	free(value);
}

static void lock(void **state) {
	fixture *f = *state;
	ent_store *other;
	assert_int_equal(ent_store_open(&other, f->folder, ENT_STORE_WRITE, &f->e), ENT_ERR_BUSY);
	assert_null(other);
	char text[1400], pid[32];
	snprintf(pid, sizeof pid, "process %ld", (long)getpid());
	assert_non_null(strstr(ent_error_text(&f->e, text, sizeof text), pid));
	/* who only reads works meanwhile, and sees what is committed */
	OK(f, ent_store_begin(f->s, &f->e));
	OK(f, ent_store_meta_set(f->s, "a", "not yet", &f->e));
	OK(f, ent_store_open(&other, f->folder, ENT_STORE_READ, &f->e));
	char *value;
	OK(f, ent_store_meta_get(other, "a", &value, &f->e));
	assert_null(value);
	OK(f, ent_store_begin(other, &f->e)); /* a reader's moment */
	OK(f, ent_store_meta_get(other, "a", &value, &f->e));
	OK(f, ent_store_commit(f->s, &f->e));
	OK(f, ent_store_meta_get(other, "a", &value, &f->e));
	assert_null(value);
	OK(f, ent_store_commit(other, &f->e));
	OK(f, ent_store_meta_get(other, "a", &value, &f->e));
	assert_string_equal(value, "not yet");
	free(value);
	assert_int_equal(ent_store_meta_set(other, "a", "x", &f->e), ENT_ERR_IO); /* and cannot write */
	ent_store_close(other);
	ent_store_close(f->s);
	f->s = NULL;
	OK(f, ent_store_open(&f->s, f->folder, ENT_STORE_WRITE, &f->e)); /* the lock goes with its holder */
	ent_store_close(NULL);
}

/* A holder that is killed while it starts a worker leaves its lock to that worker, for the moment until its exec. */
static void lock_left_behind(void **state) {
	fixture *f = *state;
	ent_store_close(f->s);
	f->s = NULL;
	pid_t holder = fork();
	if (!holder) {
		ent_store *s;
		if (ent_store_open(&s, f->folder, ENT_STORE_WRITE, &f->e)) {
			_exit(1);
		}
		if (!fork()) {
			nanosleep(&(struct timespec){.tv_nsec = 400000000}, NULL);
			_exit(0);
		}
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(holder, &status, 0), holder);
	assert_int_equal(status, 0);
	char path[160];
	struct flock try = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	snprintf(path, sizeof path, "%s/lock", f->folder);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &try), -1); /* somebody has it, and not who is named in it */
	close(fd);
	OK(f, ent_store_open(&f->s, f->folder, ENT_STORE_WRITE, &f->e));
}

static void places(void **state) {
	fixture *f = *state;
	ent_store *s;
	char path[128], file[192];
	struct stat st;
	snprintf(path, sizeof path, "%s/none", f->folder);
	assert_int_equal(ent_store_open(&s, path, ENT_STORE_READ, &f->e), ENT_ERR_NOTFOUND);
	assert_int_equal(ent_store_open(&s, path, ENT_STORE_WRITE, &f->e), ENT_ERR_NOTFOUND);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(ent_store_open(&s, path, ENT_STORE_WRITE, &f->e), ENT_ERR_NOTFOUND);
	snprintf(file, sizeof file, "%s/lock", path);
	assert_int_equal(stat(file, &st), -1); /* a folder that is no store stays as it was */
	/* a database of somebody else */
	sqlite3 *db;
	snprintf(file, sizeof file, "%s/entente.db", path);
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE x(a); PRAGMA user_version = 7", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(ent_store_open(&s, path, ENT_STORE_CREATE, &f->e), ENT_ERR_INVALID);
	assert_non_null(strstr(f->e.what, "not a store"));
	FILE *junk = fopen(file, "w");
	for (int i = 0; i < 1000; i++) {
		fputs("this is no database", junk);
	}
	fclose(junk);
	assert_int_equal(ent_store_open(&s, path, ENT_STORE_CREATE, &f->e), ENT_ERR_CORRUPT);
}

/* A program that reads the tables in another way brings its views along; a reader leaves them alone. */
static void other_views(void **state) {
	fixture *f = *state;
	char path[128];
	sqlite3 *db;
	OK(f, ent_store_meta_set(f->s, "views", "0000000000000000", &f->e));
	reopen(f, ENT_STORE_READ);
	snprintf(path, sizeof path, "%s/entente.db", f->folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "DROP VIEW v_cell_sales; CREATE VIEW v_balance2 AS SELECT 1", NULL, NULL, NULL), 0);
	assert_int_equal(sqlite3_exec(db, "SELECT * FROM v_cell_sales", NULL, NULL, NULL), SQLITE_ERROR);
	reopen(f, ENT_STORE_WRITE);
	assert_int_equal(sqlite3_exec(db, "SELECT * FROM v_cell_sales", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "SELECT * FROM v_balance2", NULL, NULL, NULL), SQLITE_OK); /* not ours: kept */
	sqlite3_close(db);
	char *value;
	OK(f, ent_store_meta_get(f->s, "views", &value, &f->e));
	assert_string_not_equal(value, "0000000000000000");
	free(value);
}

/* A page in the middle of the database that is not what it was. */
static void damaged_page(void **state) {
	fixture *f = *state;
	enum { CELLS = 5000 };
	ent_cell *cells = ent_xcalloc(CELLS, sizeof *cells);
	for (int i = 0; i < CELLS; i++) {
		cells[i] = (ent_cell){.key = {.partner = 1, .day = i}, .m = {i + 1, INT64_MAX}};
	}
	OK(f, add_cells(f, cells, CELLS));
	free(cells);
	OK(f, ent_store_check(f->s, &f->e));
	reopen(f, ENT_STORE_READ);
	OK(f, ent_store_check(f->s, &f->e));
	char path[128];
	struct stat st;
	snprintf(path, sizeof path, "%s/entente.db", f->folder);
	ent_store_close(f->s);
	f->s = NULL;
	assert_int_equal(stat(path, &st), 0);
	FILE *file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fseek(file, (long)(st.st_size - 8192 * 3), SEEK_SET), 0);
	for (int i = 0; i < 64; i++) {
		fputc(0xff, file);
	}
	fclose(file);
	OK(f, ent_store_open(&f->s, f->folder, ENT_STORE_READ, &f->e));
	assert_int_equal(ent_store_check(f->s, &f->e), ENT_ERR_CORRUPT);
	assert_non_null(strstr(f->e.what, "damaged"));
}

static void other_schema(void **state) {
	fixture *f = *state;
	OK(f, ent_store_meta_set(f->s, "schema", "0000000000000000", &f->e)); /* as of a catalogue with other measures */
	ent_store_close(f->s);
	f->s = NULL;
	assert_int_equal(ent_store_open(&f->s, f->folder, ENT_STORE_CREATE, &f->e), ENT_ERR_INVALID);
	assert_non_null(strstr(f->e.what, "schema"));
	assert_true(f->e.todo[0]);
	assert_int_equal(ent_store_open(&f->s, f->folder, ENT_STORE_READ, &f->e), ENT_ERR_INVALID);
}

static void put_number(fixture *f, const char *key, int number) {
	char text[16];
	snprintf(text, sizeof text, "%d", number);
	OK(f, ent_store_meta_set(f->s, key, text, &f->e));
}

/* A process that dies in the middle of a transaction, with the log of the database not moved into it. */
static void killed(void **state) {
	fixture *f = *state;
	ent_store_close(f->s);
	f->s = NULL;
	pid_t child = fork();
	if (!child) {
		enum { BATCH = 4000 };
		ent_cell *cells = ent_xcalloc(BATCH, sizeof *cells);
		if (ent_store_open(&f->s, f->folder, ENT_STORE_WRITE, &f->e) || ent_store_begin(f->s, &f->e) ||
			ent_store_meta_set(f->s, "a", "committed", &f->e) || ent_store_commit(f->s, &f->e) ||
			ent_store_begin(f->s, &f->e) || ent_store_meta_set(f->s, "a", "lost", &f->e)) {
			_exit(1);
		}
		for (int day = 0; day < 200000; day++) { /* more than the cache holds: uncommitted pages reach the disk */
			ent_cell *c = &cells[day % BATCH];
			c->key = (ent_cell_key){.partner = 1, .day = day};
			for (int i = 0; i < ENT_FAMILY_WIDTH; i++) {
				c->m[i] = INT64_MAX - i;
			}
			if (day % BATCH == BATCH - 1 && add_cells(f, cells, BATCH)) {
				_exit(2);
			}
		}
		_exit(42);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	char path[128];
	struct stat st;
	snprintf(path, sizeof path, "%s/entente.db-wal", f->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 1 << 20); /* not closed cleanly, and with pages that nobody committed */
	for (int mode = ENT_STORE_READ; mode <= ENT_STORE_WRITE; mode++) { /* a reader may be the first who comes */
		OK(f, ent_store_open(&f->s, f->folder, mode, &f->e));
		char *value;
		OK(f, ent_store_meta_get(f->s, "a", &value, &f->e));
		assert_string_equal(value, "committed");
		free(value);
		if (mode == ENT_STORE_WRITE) {
			put_number(f, "b", 1);
		}
		ent_store_close(f->s);
		f->s = NULL;
	}
}

/* A disk that takes no more: the commit fails whole, and what was committed before is there. */
static void full_disk(void **state) {
	fixture *f = *state;
	put_number(f, "a", 1);
	struct rlimit before, small;
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 200000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	OK(f, ent_store_begin(f->s, &f->e));
	put_number(f, "a", 2);
	int status = 0;
	for (int day = 0; day < 20000 && !status; day++) {
		ent_cell c = {.key = {.partner = 1, .day = day}, .m = {1}};
		status = add_cells(f, &c, 1);
	}
	status = status ? status : ent_store_commit(f->s, &f->e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(status, ENT_ERR_IO);
	reopen(f, ENT_STORE_WRITE);
	char *value;
	OK(f, ent_store_meta_get(f->s, "a", &value, &f->e));
	assert_string_equal(value, "1");
	free(value);
}

static void rollback(void **state) {
	fixture *f = *state;
	put_number(f, "a", 1);
	OK(f, ent_store_begin(f->s, &f->e));
	put_number(f, "a", 2);
	ent_store_rollback(f->s);
	ent_store_rollback(f->s); /* nothing to undo: nothing happens */
	char *value;
	OK(f, ent_store_meta_get(f->s, "a", &value, &f->e));
	assert_string_equal(value, "1");
	free(value);
	assert_true(ent_store_commit(f->s, &f->e) < 0); /* there is no transaction */
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static int last_input(void *ctx, const ent_input *in) {
	*(ent_input *)ctx = *in;
	return 0;
}

static void inputs(void **state) {
	fixture *f = *state;
	static ent_input in = {.id = 5,
		.source = 2,
		.name = "orders/2024.csv",
		.size = UINT64_MAX,
		.mtime_ns = 3,
		.inode = 4,
		.device = 5,
		.head_sum = UINT64_C(1) << 63,
		.tail_sum = 7,
		.content = 8,
		.snapshot_us = -9,
		.position = 100,
		.generation = 1,
		.done = 1,
		.live = 1,
		.slice_grade = 3,
		.slice = 12,
		.first_day = INT32_MAX,
		.last_day = INT32_MIN,
		.records = 1,
		.consumed = 2,
		.rejected = 3,
		.skipped = 4,
		.facts = 5,
		.decoder = "shopify.orders",
		.version = "1",
		.arrived_us = 10,
		.gone_us = 11};
	memset(in.name + 15, 'x', sizeof in.name - 16); /* as long as it can be */
	OK(f, ent_store_input_put(f->s, &in, UINT64_MAX, 0, &f->e));
	ent_input got = {0};
	OK(f, ent_store_inputs_load(f->s, last_input, &got, &f->e));
	assert_memory_equal(&got, &in, sizeof in); /* static: padding is zero in both */
	assert_int_equal(ent_store_input_put(f->s, &in, UINT64_MAX, 0, &f->e), ENT_ERR_FENCED); /* it is there already */
	in.position = 200;
	OK(f, ent_store_input_put(f->s, &in, 100, 1, &f->e));
	assert_int_equal(ent_store_input_put(f->s, &in, 100, 1, &f->e), ENT_ERR_FENCED);
	assert_int_equal(ent_store_input_put(f->s, &in, 200, 2, &f->e), ENT_ERR_FENCED);
	assert_non_null(strstr(f->e.what, "input 5"));
	in.id = 6;
	assert_int_equal(ent_store_input_put(f->s, &in, 200, 1, &f->e), ENT_ERR_FENCED); /* there is no such row */
	OK(f, ent_store_inputs_load(f->s, last_input, &got, &f->e));
	assert_true(got.id == 5 && got.position == 200);

	/* A zombie: it holds a connection from before, another writer went on, and its commit must not land. */
	OK(f, ent_store_begin(f->s, &f->e));
	in.id = 5, in.position = 300;
	OK(f, ent_store_input_put(f->s, &in, 200, 1, &f->e));
	put_number(f, "orders", 75);
	OK(f, ent_store_commit(f->s, &f->e));
	OK(f, ent_store_begin(f->s, &f->e));
	put_number(f, "orders", 150);
	assert_int_equal(ent_store_input_put(f->s, &in, 200, 1, &f->e), ENT_ERR_FENCED);
	ent_store_rollback(f->s);
	char *value;
	OK(f, ent_store_meta_get(f->s, "orders", &value, &f->e));
	assert_string_equal(value, "75");
	free(value);
}

static int concat_record(void *ctx, const ent_record *r) {
	ent_buf_printf(ctx, "%u/%u/%d/%llu/%u=%.*s ", r->partner, r->kind, r->day, (unsigned long long)r->key, r->register_,
		(int)r->n, r->json);
	return 0;
}

static int concat_cover(void *ctx, const ent_cover *c) {
	ent_buf_printf(ctx, "%u/%u/%u/%u/%u:%d-%d%s%s ", c->partner, c->source, c->input, c->kind, c->origin, c->from,
		c->to, c->declared ? "d" : "", c->complete ? "c" : "");
	return 0;
}

#define EXPECT_TEXT(b, text)                                                                                           \
	do {                                                                                                               \
		ent_buf_u8(&(b), 0);                                                                                           \
		assert_string_equal((const char *)(b).data, text);                                                             \
		(b).n = 0;                                                                                                     \
	} while (0)

static void records_and_coverage(void **state) {
	fixture *f = *state;
	ent_buf b = {0};
	ent_record r[] = {
		{.key = UINT64_MAX, .kind = 7, .partner = 2, .day = 10, .register_ = 3, .json = "{\"a\":1}", .n = 7},
		{.key = 5, .kind = 7, .partner = 1, .day = 11, .json = "{}", .n = 2},
		{.key = 5, .kind = 8, .partner = 1, .day = 9, .json = "{}", .n = 2},
		{.key = 6, .kind = 7, .partner = 1, .day = -2, .json = "{}", .n = 2},
	};
	for (int i = 0; i < 4; i++) {
		OK(f, ent_store_record_put(f->s, &r[i], &f->e));
	}
	r[1].json = "{\"b\":2}", r[1].n = 7, r[1].day = 12;
	OK(f, ent_store_record_put(f->s, &r[1], &f->e));
	OK(f, ent_store_records_scan(f->s, 0, UINT32_MAX, concat_record, &b, &f->e));
	EXPECT_TEXT(b, "1/7/-2/6/0={} 1/7/12/5/0={\"b\":2} 1/8/9/5/0={} 2/7/10/18446744073709551615/3={\"a\":1} ");
	OK(f, ent_store_records_scan(f->s, 7, 1, concat_record, &b, &f->e));
	EXPECT_TEXT(b, "1/7/-2/6/0={} 1/7/12/5/0={\"b\":2} ");
	OK(f, ent_store_records_scan(f->s, 8, UINT32_MAX, concat_record, &b, &f->e));
	EXPECT_TEXT(b, "1/8/9/5/0={} ");
	OK(f, ent_store_record_drop(f->s, 7, UINT64_MAX, &f->e));
	OK(f, ent_store_records_scan(f->s, 0, 2, concat_record, &b, &f->e));
	EXPECT_TEXT(b, "");

	ent_cover c = {.partner = 1, .source = 2, .input = 3, .kind = 4, .from = 10, .to = 20, .origin = 1};
	OK(f, ent_store_cover_put(f->s, &c, &f->e));
	c.to = 25, c.declared = 1, c.complete = 1;
	OK(f, ent_store_cover_put(f->s, &c, &f->e));
	c.input = 2;
	OK(f, ent_store_cover_put(f->s, &c, &f->e));
	OK(f, ent_store_covers_scan(f->s, concat_cover, &b, &f->e));
	EXPECT_TEXT(b, "1/2/2/4/1:10-25dc 1/2/3/4/1:10-25dc ");
	OK(f, ent_store_covers_drop(f->s, 3, &f->e));
	OK(f, ent_store_covers_scan(f->s, concat_cover, &b, &f->e));
	EXPECT_TEXT(b, "1/2/2/4/1:10-25dc ");
	ent_buf_finish(&b);
}

static int concat_reject(void *ctx, const ent_reject *r) {
	ent_buf_printf(ctx, "%u:%s:%llu:%llu:%s:%s:%s:%zu:%llx ", r->source, r->input_name, (unsigned long long)r->place,
		(unsigned long long)r->line, r->reason, r->column, r->excerpt, r->sealed_n, (unsigned long long)r->hash);
	assert_true(!r->sealed_n || r->sealed[1] == 0);
	return 0;
}

static int last_balance(void *ctx, const ent_balance *b) {
	*(ent_balance *)ctx = *b;
	return 0;
}

static void rejects_and_balance(void **state) {
	fixture *f = *state;
	ent_buf b = {0};
	ent_reject r = {.source = 1,
		.input = 2,
		.place = 30,
		.line = 4,
		.hash = UINT64_MAX,
		.input_name = "a.csv",
		.reason = "no date",
		.column = "Created at",
		.excerpt = "2024-**",
		.sealed = (const uint8_t *)"x\0y",
		.sealed_n = 3,
		.seen_us = 5};
	OK(f, ent_store_reject_add(f->s, &r, &f->e));
	r.excerpt = "again";
	OK(f, ent_store_reject_add(f->s, &r, &f->e)); /* the same is kept once, as it was first seen */
	r.reason = "no key", r.column = NULL, r.sealed = NULL, r.sealed_n = 0, r.source = 9, r.place = 29, r.hash = 1;
	OK(f, ent_store_reject_add(f->s, &r, &f->e));
	OK(f, ent_store_rejects_scan(f->s, UINT32_MAX, concat_reject, &b, &f->e));
	EXPECT_TEXT(b, "9:a.csv:29:4:no key::again:0:1 1:a.csv:30:4:no date:Created at:2024-**:3:ffffffffffffffff ");
	OK(f, ent_store_rejects_scan(f->s, 9, concat_reject, &b, &f->e));
	EXPECT_TEXT(b, "9:a.csv:29:4:no key::again:0:1 ");
	OK(f, ent_store_rejects_drop(f->s, 2, &f->e));
	OK(f, ent_store_rejects_scan(f->s, UINT32_MAX, concat_reject, &b, &f->e));
	EXPECT_TEXT(b, "");
	ent_buf_finish(&b);

	ent_balance d = {.source = 3,
		.records = 10,
		.consumed = 7,
		.rejected = 2,
		.skipped = 1,
		.received = 7,
		.stored = 1,
		.replaced = 2,
		.duplicate = 1,
		.superseded = 1,
		.merged = 1,
		.refused = 1,
		.parked = 4,
		.pending = 5,
		.bytes = 99};
	OK(f, ent_store_balance_add(f->s, &d, &f->e));
	d.parked = 1, d.pending = 0;
	OK(f, ent_store_balance_add(f->s, &d, &f->e));
	ent_balance got;
	OK(f, ent_store_balance_scan(f->s, last_balance, &got, &f->e));
	static const ent_balance expected = {.source = 3,
		.records = 20,
		.consumed = 14,
		.rejected = 4,
		.skipped = 2,
		.received = 14,
		.stored = 2,
		.replaced = 4,
		.duplicate = 2,
		.superseded = 2,
		.merged = 2,
		.refused = 2,
		.parked = 1,
		.pending = 0,
		.bytes = 198};
	assert_memory_equal(&got, &expected, sizeof got);
	d.bytes = INT64_MAX;
	assert_int_equal(ent_store_balance_add(f->s, &d, &f->e), ENT_ERR_RANGE);
}

static int concat_finding(void *ctx, const ent_finding *x) {
	ent_buf_printf(ctx, "%s/%s/%s %s %s %s w%lld%s first %d as of %d\n", x->rule, x->partner, x->key, x->kind, x->state,
		x->text, (long long)x->worth, x->has_worth ? "!" : "", x->first_day, x->as_of);
	return 0;
}

static int concat_verdict(
	void *ctx, const char *rule, const char *partner, const char *verdict, int32_t as_of, const char *json) {
	ent_buf_printf(ctx, "%s/%s %s %d %s\n", rule, partner, verdict, as_of, json ? json : "");
	return 0;
}

static void findings(void **state) {
	fixture *f = *state;
	ent_buf b = {0};
	ent_finding x = {.rule = "r",
		.partner = "p",
		.key = "",
		.kind = "insight",
		.state = "open",
		.text = "first",
		.severity = "",
		.worth = -5,
		.has_worth = 1,
		.as_of = 10,
		.first_day = 10,
		.run = 1,
		.json = "{}"};
	OK(f, ent_store_finding_put(f->s, &x, &f->e));
	x.key = "b", x.life = "acknowledged";
	OK(f, ent_store_finding_put(f->s, &x, &f->e));
	OK(f, ent_store_finding_live(f->s, &x, &f->e));
	/* said again by the next run: text and day are new, the first day and what a person said stay */
	x.text = "second", x.as_of = x.first_day = 11, x.run = 2;
	OK(f, ent_store_finding_put(f->s, &x, &f->e));
	OK(f, ent_store_findings_close(f->s, "r", "p", 2, "cleared", &f->e));
	OK(f, ent_store_findings_close(f->s, "r", "other", 9, "cleared", &f->e));
	OK(f, ent_store_findings_scan(f->s, "p", concat_finding, &b, &f->e));
	EXPECT_TEXT(b, "r/p/ insight cleared first w-5! first 10 as of 10\n"
				   "r/p/b insight acknowledged second w-5! first 10 as of 11\n");
	OK(f, ent_store_findings_close(f->s, "r", "p", 3, "stale", &f->e)); /* what is cleared does not become stale */
	OK(f, ent_store_findings_scan(f->s, NULL, concat_finding, &b, &f->e));
	EXPECT_TEXT(b, "r/p/ insight cleared first w-5! first 10 as of 10\n"
				   "r/p/b insight stale second w-5! first 10 as of 11\n");
	x.run = 4, x.text = "third";
	OK(f, ent_store_finding_put(f->s, &x, &f->e)); /* and comes back as it was, with what a person said */
	x.partner = "q", x.rule = "a";
	OK(f, ent_store_finding_put(f->s, &x, &f->e));
	OK(f, ent_store_findings_scan(f->s, "p", concat_finding, &b, &f->e));
	EXPECT_TEXT(b, "r/p/ insight cleared first w-5! first 10 as of 10\n"
				   "r/p/b insight acknowledged third w-5! first 10 as of 11\n");
	OK(f, ent_store_findings_scan(f->s, "nobody", concat_finding, &b, &f->e));
	EXPECT_TEXT(b, "");
	ent_buf_finish(&b);
}

/* The state after it is said of `day`, worth `worth`; "" for `life`: nobody does anything before that. */
static void said_of(fixture *f, ent_finding *x, int32_t day, int64_t worth) {
	x->as_of = day, x->worth = worth, x->run++;
	OK(f, ent_store_finding_put(f->s, x, &f->e));
}

static int take_state(void *ctx, const ent_finding *x) {
	snprintf(ctx, 32, "%s", x->state);
	return 0;
}

static const char *state_of(fixture *f) {
	static char state[32];
	OK(f, ent_store_findings_scan(f->s, "p", take_state, state, &f->e));
	return state;
}

static void lives(fixture *f, ent_finding *x, const char *life) {
	x->life = life;
	OK(f, ent_store_finding_live(f->s, x, &f->e));
	assert_string_equal(state_of(f), life);
}

static void closes(fixture *f, ent_finding *x, const char *state) {
	OK(f, ent_store_findings_close(f->s, "r", "p", ++x->run, state, &f->e));
}

static void life(void **state) {
	fixture *f = *state;
	ent_finding x = {.rule = "r", .partner = "p", .key = "k", .kind = "insight", .state = "open", .text = "t", .has_worth = 1,
		.until_day = INT32_MAX, .json = "{}"};
	said_of(f, &x, 10, 100);
	assert_string_equal(state_of(f), "open");
	/* acknowledged: until it is gone and comes back */
	lives(f, &x, "acknowledged");
	said_of(f, &x, 11, 100);
	assert_string_equal(state_of(f), "acknowledged");
	closes(f, &x, "stale");
	assert_string_equal(state_of(f), "stale");
	said_of(f, &x, 12, 100);
	assert_string_equal(state_of(f), "acknowledged");
	closes(f, &x, "cleared");
	assert_string_equal(state_of(f), "cleared");
	said_of(f, &x, 13, 100);
	assert_string_equal(state_of(f), "reopened");
	said_of(f, &x, 14, 100);
	assert_string_equal(state_of(f), "reopened");
	/* resolved: until it is said of a later day, or again after it was not */
	lives(f, &x, "resolved");
	said_of(f, &x, 14, 100);
	assert_string_equal(state_of(f), "resolved");
	said_of(f, &x, 15, 100);
	assert_string_equal(state_of(f), "reopened");
	lives(f, &x, "resolved");
	closes(f, &x, "cleared");
	assert_string_equal(state_of(f), "resolved");
	said_of(f, &x, 15, 100);
	assert_string_equal(state_of(f), "reopened");
	/* accepted: until the day is over, or it is worth more; that it is gone for a while changes nothing */
	x.until_day = 20;
	lives(f, &x, "accepted");
	said_of(f, &x, 20, 5000);
	assert_string_equal(state_of(f), "accepted");
	closes(f, &x, "cleared");
	said_of(f, &x, 20, 5000);
	assert_string_equal(state_of(f), "accepted");
	said_of(f, &x, 21, 100);
	assert_string_equal(state_of(f), "reopened");
	x.until_day = INT32_MAX, x.has_until_worth = 1, x.until_worth = 1000;
	lives(f, &x, "accepted");
	said_of(f, &x, 400, 1000);
	assert_string_equal(state_of(f), "accepted");
	said_of(f, &x, 400, 1001);
	assert_string_equal(state_of(f), "reopened");
	x.key = "other";
	assert_int_equal(ent_store_finding_live(f->s, &x, &f->e), ENT_ERR_NOTFOUND);
}

#define SAID(rule, partner, verdict) "{\"rule\":\"" rule "\",\"row\":1,\"partner\":\"" partner "\",\"verdict\":" verdict ",\"findings\":[]}"

static void said(void **state) {
	fixture *f = *state;
	ent_buf b = {0};
	static const char first[] = SAID("r", "p", "false") "\n";
	static const char second[] = SAID("r", "p", "\"unknown\"") "\n" SAID("s", "p", "\"failed\"") "\n";
	static const char other[] = SAID("a", "\\\"q\\\"", "true") "\n" SAID("r", "\\\"q\\\"", "false") "\n";
	OK(f, ent_store_begin(f->s, &f->e));
	OK(f, ent_store_said_put(f->s, "p", 10, 1, first, sizeof first - 1, &f->e));
	OK(f, ent_store_said_put(f->s, "p", 11, 2, second, sizeof second - 1, &f->e));
	OK(f, ent_store_said_put(f->s, "\"q\"", 11, 2, other, sizeof other - 1, &f->e));
	OK(f, ent_store_verdicts_scan(f->s, NULL, false, concat_verdict, &b, &f->e));
	EXPECT_TEXT(b, "r/\"q\" false 11 \na/\"q\" true 11 \nr/p unknown 11 \ns/p failed 11 \n"); /* by the numbers of the rules */
	OK(f, ent_store_verdicts_scan(f->s, "p", true, concat_verdict, &b, &f->e));
	EXPECT_TEXT(b, "r/p unknown 11 " SAID("r", "p", "\"unknown\"") "\ns/p failed 11 " SAID("s", "p", "\"failed\"") "\n");
	OK(f, ent_store_said_get(f->s, "\"q\"", &b, &f->e));
	EXPECT_TEXT(b, other);
	OK(f, ent_store_said_get(f->s, "nobody", &b, &f->e));
	EXPECT_TEXT(b, "");
	OK(f, ent_store_commit(f->s, &f->e));
	/* numbers that a transaction gave go with it */
	static const char third[] = SAID("t", "p", "true") "\n", fourth[] = SAID("u", "p", "true") "\n";
	OK(f, ent_store_begin(f->s, &f->e));
	OK(f, ent_store_said_put(f->s, "p", 12, 3, third, sizeof third - 1, &f->e));
	ent_store_rollback(f->s);
	OK(f, ent_store_said_put(f->s, "p", 12, 3, fourth, sizeof fourth - 1, &f->e));
	OK(f, ent_store_verdicts_scan(f->s, "p", false, concat_verdict, &b, &f->e));
	EXPECT_TEXT(b, "u/p true 12 \n");
	/* what is no record is refused, and changes nothing */
	assert_int_equal(ent_store_said_put(f->s, "p", 13, 4, "{}\n", 3, &f->e), ENT_ERR_INVALID);
	assert_int_equal(ent_store_said_put(f->s, "p", 13, 4, first, sizeof first - 2, &f->e), ENT_ERR_INVALID);
	OK(f, ent_store_verdicts_scan(f->s, "p", true, concat_verdict, &b, &f->e));
	EXPECT_TEXT(b, "u/p true 12 " SAID("u", "p", "true") "\n");
	ent_buf_finish(&b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(modes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(small_values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(codes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lock_left_behind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_views, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_page, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_schema, set_up, tear_down),
		cmocka_unit_test_setup_teardown(killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rollback, set_up, tear_down),
		cmocka_unit_test_setup_teardown(inputs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(records_and_coverage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rejects_and_balance, set_up, tear_down),
		cmocka_unit_test_setup_teardown(findings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tidied, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
