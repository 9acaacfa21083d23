/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of cells, distinct sets and distributions in the store: sums, limits, rows that vanish, order of scans, and
 * sets against a naive model under random changes. */
#include "store_fixture.h"

#include <sqlite3.h>

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void) {
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static ent_cell_key key_of(uint32_t partner, int32_t day, uint8_t view, uint32_t value, uint8_t family) {
	return (ent_cell_key){.partner = partner, .day = day, .view = view, .value = value, .family = family};
}

typedef struct found {
	ent_cell cells[64];
	size_t n, stop;
} found;

static int collect(void *ctx, const ent_cell *c) {
	found *f = ctx;
	assert_true(f->n < 64);
	f->cells[f->n++] = *c;
	return f->n == f->stop ? 9 : 0;
}

static found scan(fixture *f, ent_family family, uint32_t partner) {
	found r = {0};
	OK(f, ent_store_cells_scan(f->s, family, partner, collect, &r, &f->e));
	return r;
}

static void sql(fixture *f, const char *statement) {
	char path[128];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/entente.db", f->folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, statement, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* Rows of the table: days of partners. */
static int rows(fixture *f) {
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *q;
	snprintf(path, sizeof path, "%s/entente.db", f->folder);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM cell", -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	int n = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return n;
}

static void sums(void **state) {
	fixture *f = *state;
	ent_cell c[] = {
		{.key = key_of(1, -3, 0, 0, ENT_SALES), .m = {1, 2, 3}},
		{.key = key_of(1, 5, 0, 0, ENT_SALES), .m = {[22] = -7}},
		{.key = key_of(1, 5, 1, 0xfffffff0u, ENT_SALES), .m = {4}},
		{.key = {.partner = 2, .day = 5, .currency = 3, .origin = 1, .family = ENT_SALES}, .m = {INT64_MAX, INT64_MIN}},
		{.key = {.partner = 2, .day = 5, .currency = 3, .origin = 2, .family = ENT_SALES}, .m = {6}},
		{.key = key_of(1, 5, 0, 0, ENT_TRAFFIC), .m = {11, [13] = 12}},
		{.key = key_of(1, 5, 0, 0, ENT_CARTS), .m = {21, [3] = 22}},
		{.key = key_of(1, 5, 1, 0, ENT_CARTS)}, /* all zero: no cell */
	};
	OK(f, ent_store_begin(f->s, &f->e));
	OK(f, add_cells(f, c, sizeof c / sizeof *c));
	OK(f, ent_store_commit(f->s, &f->e));
	reopen(f, ENT_STORE_READ);
	found r = scan(f, ENT_SALES, UINT32_MAX);
	assert_int_equal(r.n, 5);
	assert_memory_equal(r.cells, c, 5 * sizeof *c); /* in the order in which they came, as they were */
	r = scan(f, ENT_SALES, 2);
	assert_int_equal(r.n, 2);
	assert_memory_equal(r.cells, c + 3, 2 * sizeof *c);
	assert_int_equal(scan(f, ENT_SALES, 3).n, 0);
	r = scan(f, ENT_TRAFFIC, 1);
	assert_memory_equal(r.cells, c + 5, sizeof *c);
	r = scan(f, ENT_CARTS, UINT32_MAX);
	assert_int_equal(r.n, 1);
	assert_memory_equal(r.cells, c + 6, sizeof *c);
	r = (found){.stop = 2};
	assert_int_equal(ent_store_cells_scan(f->s, ENT_SALES, UINT32_MAX, collect, &r, &f->e), 9);

	/* known and new cells in turns, some of them to nothing */
	reopen(f, ENT_STORE_WRITE);
	ent_cell d[] = {c[0], c[1], c[2], c[3], c[4]};
	d[0].m[0] = -1, d[0].m[1] = -2, d[0].m[2] = -3;
	d[1].key.day = 4;
	d[2].m[0] = 38;
	d[3].m[0] = -INT64_MAX, d[3].m[1] = INT64_MAX;
	d[4].m[0] = -6, d[4].m[5] = 1;
	OK(f, add_cells(f, d, 5));
	r = scan(f, ENT_SALES, UINT32_MAX);
	assert_int_equal(r.n, 5);
	assert_int_equal(r.cells[0].key.day, 4); /* the one of day -3 is gone */
	assert_int_equal(r.cells[2].m[0], 42);
	assert_true(r.cells[3].m[0] == 0 && r.cells[3].m[1] == -1);
	assert_true(r.cells[4].m[0] == 0 && r.cells[4].m[5] == 1);
	/* one cell of a day to nothing: the others of its day stay; then the last of a day, and its row is gone */
	ent_cell nothing = r.cells[2];
	nothing.m[0] = -42;
	OK(f, add_cells(f, &nothing, 1));
	r = scan(f, ENT_SALES, UINT32_MAX);
	assert_true(r.n == 4 && r.cells[1].key.day == 5 && r.cells[2].key.partner == 2);
	for (int i = 2; i < 4; i++) {
		for (int k = 0; k < ENT_FAMILY_WIDTH; k++) {
			r.cells[i].m[k] = -r.cells[i].m[k];
		}
		OK(f, add_cells(f, &r.cells[i], 1));
	}
	assert_int_equal(scan(f, ENT_SALES, UINT32_MAX).n, 2);
	assert_int_equal(rows(f), 2); /* of partner 1, days 4 and 5 */
	OK(f, ent_store_begin(f->s, &f->e));
	OK(f, ent_store_cells_clear(f->s, &f->e));
	OK(f, ent_store_commit(f->s, &f->e));
	assert_int_equal(scan(f, ENT_SALES, UINT32_MAX).n, 0);
	assert_int_equal(scan(f, ENT_CARTS, UINT32_MAX).n, 0);
}

static void limits(void **state) {
	fixture *f = *state;
	for (unsigned column = 0; column < 23;
		 column += 11) { /* the first, one between, and the last, which is added apart */
		for (int sign = -1; sign <= 1; sign += 2) {
			ent_cell c = {.key = key_of(1, 1, 0, 0, ENT_SALES)};
			c.m[column] = sign > 0 ? INT64_MAX : INT64_MIN;
			c.m[1] = 5;
			OK(f, add_cells(f, &c, 1));
			ent_cell more = {.key = c.key};
			more.m[column] = sign;
			OK(f, ent_store_begin(f->s, &f->e));
			assert_int_equal(add_cells(f, &more, 1), ENT_ERR_RANGE);
			assert_int_equal(f->e.code, ENT_ERR_RANGE);
			ent_store_rollback(f->s);
			found r = scan(f, ENT_SALES, 1);
			assert_int_equal(r.n, 1);
			assert_memory_equal(&r.cells[0], &c, sizeof c);
			OK(f, ent_store_cells_clear(f->s, &f->e));
		}
	}
	ent_cell c = {.key = key_of(1, 1, 0, 0, ENT_SALES), .m = {1}};
	c.key.partner = 1u << 31;
	assert_int_equal(add_cells(f, &c, 1), ENT_ERR_RANGE);
	c.key.partner = 1, c.key.family = ENT_FAMILY_OF_SETS;
	assert_int_equal(add_cells(f, &c, 1), ENT_ERR_INVALID);
	/* the ends of what a key can hold keep their order */
	ent_cell ends[] = {
		{.key = key_of(0, INT32_MIN, 0, 0, ENT_SALES), .m = {1}},
		{.key = key_of(0, -1, UINT8_MAX, UINT32_MAX, ENT_SALES), .m = {2}},
		{.key = key_of(0, 0, 0, 0, ENT_SALES), .m = {3}},
		{.key = key_of(INT32_MAX, INT32_MAX, UINT8_MAX, UINT32_MAX, ENT_SALES), .m = {[22] = INT64_MIN}},
	};
	ends[3].key.currency = UINT32_MAX, ends[3].key.origin = UINT8_MAX;
	OK(f, add_cells(f, ends, 4));
	found r = scan(f, ENT_SALES, UINT32_MAX);
	assert_int_equal(r.n, 4);
	assert_memory_equal(r.cells, ends, sizeof ends);
	assert_int_equal(scan(f, ENT_SALES, INT32_MAX).n, 1);
}

/* ---- sets -------------------------------------------------------------------------------------------------------- */

enum { CELLS = 12, IDS = 40 };

typedef struct model {
	uint32_t times[CELLS][IDS];
	unsigned seen;
	int last;
} model;

static ent_cell_key model_key(unsigned cell) { /* sorted as the store sorts: partner, day, set, view, value */
	return key_of(cell / 6 + 1, (int32_t)(cell / 2 % 3) - 1, 1, cell, (uint8_t)(cell % 2));
}

static uint32_t model_id(unsigned id) { return id * id * 2600000u; } /* up to the end of 32 bits */

static int check_set(void *ctx, const ent_cell_key *k, const uint32_t *ids, const uint32_t *times, size_t n) {
	model *m = ctx;
	unsigned cell = k->value;
	ent_cell_key expected = model_key(cell);
	assert_true((int)cell > m->last);
	m->last = (int)cell;
	assert_memory_equal(k, &expected, sizeof *k);
	size_t at = 0;
	for (unsigned id = 0; id < IDS; id++) {
		if (m->times[cell][id]) {
			assert_true(at < n);
			assert_int_equal(ids[at], model_id(id));
			assert_int_equal(times[at], m->times[cell][id]);
			at++;
		}
	}
	assert_int_equal(at, n);
	assert_true(n > 0);
	m->seen++;
	return 0;
}

static void check_model(fixture *f, model *m) {
	unsigned rows = 0;
	for (unsigned cell = 0; cell < CELLS; cell++) {
		unsigned any = 0;
		for (unsigned id = 0; id < IDS; id++) {
			any |= m->times[cell][id];
		}
		rows += any > 0;
	}
	m->seen = 0, m->last = -1;
	OK(f, ent_store_sets_scan(f->s, UINT32_MAX, check_set, m, &f->e));
	assert_int_equal(m->seen, rows);
	m->seen = 0;
	for (uint32_t partner = 1; partner <= 2; partner++) {
		m->last = -1;
		OK(f, ent_store_sets_scan(f->s, partner, check_set, m, &f->e));
	}
	assert_int_equal(m->seen, rows);
}

static void sets_model(void **state) {
	fixture *f = *state;
	model *m = ent_xcalloc(1, sizeof *m);
	member_change *changes = ent_xmalloc(CELLS * IDS * sizeof *changes);
	unsigned emptied = 0;
	for (unsigned round = 0; round < 300; round++) {
		size_t n = 0;
		unsigned density = 1 + (unsigned)(next_random() % 8);
		for (unsigned cell = 0; cell < CELLS; cell++) {
			bool empty = round % 7 == 6 && cell % 3 == 0; /* take everything away */
			for (unsigned id = 0; id < IDS; id++) {
				int64_t net = 0;
				if (empty) {
					net = -(int64_t)m->times[cell][id];
				} else if (next_random() % 8 < density) {
					net = (int64_t)(next_random() % 4) - (int64_t)(next_random() % 3);
					net = net < -(int64_t)m->times[cell][id] ? -(int64_t)m->times[cell][id] : net;
					net = next_random() % 50 == 0 ? 1000000 : net;
				}
				if (net) {
					changes[n++] = (member_change){.key = model_key(cell), .id = model_id(id), .net = (int32_t)net};
					m->times[cell][id] += (uint32_t)net;
				}
			}
			emptied += empty;
		}
		OK(f, ent_store_begin(f->s, &f->e));
		OK(f, add_members(f, false, changes, n));
		OK(f, ent_store_commit(f->s, &f->e));
		if (round % 10 == 6) {
			check_model(f, m);
		}
	}
	assert_true(emptied > 100);
	check_model(f, m);
	free(changes);
	free(m);
}

static void sets_corrupt(void **state) {
	fixture *f = *state;
	member_change c[] = {{.key = key_of(1, 1, 0, 0, ENT_SET_CUSTOMERS), .id = 7, .net = 1},
		{.key = key_of(1, 1, 0, 0, ENT_SET_CUSTOMERS), .id = 7, .net = 1}};
	OK(f, add_members(f, false, c, 1));
	OK(f, add_members(f, false, c + 1, 1));
	c[0].net = -3;
	assert_int_equal(add_members(f, false, c, 1), ENT_ERR_CORRUPT);
	assert_non_null(strstr(f->e.what, "member 7"));
	c[0].net = -2;
	OK(f, add_members(f, false, c, 1));
	c[0].net = -1;
	assert_int_equal(add_members(f, false, c, 1), ENT_ERR_CORRUPT); /* the row is gone */
	c[0].key.family = ENT_SET_COUNT + ENT_CUSTOM_SETS;
	assert_int_equal(add_members(f, false, c, 1), ENT_ERR_INVALID);
	/* bytes that are no set are said, not read */
	c[0] = c[1];
	OK(f, add_members(f, false, c, 1));
	char path[128];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/entente.db", f->folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE cell SET sets = '[[0,0,0,0,0,1,7]]', set_members = x'ffffffffffff7f'", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_close(db);
	model m = {0};
	assert_int_equal(ent_store_sets_scan(f->s, UINT32_MAX, check_set, &m, &f->e), ENT_ERR_CORRUPT);
	assert_int_equal(add_members(f, false, c, 1), ENT_ERR_CORRUPT);
}

static int count_set(void *ctx, const ent_cell_key *k, const uint32_t *ids, const uint32_t *times, size_t n) {
	(void)k;
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(times[i] > 0 && (!i || ids[i] > ids[i - 1]));
	}
	++*(unsigned *)ctx;
	return 0;
}

static int count_dist(void *ctx, const ent_cell_key *k, const int32_t *buckets, const int64_t *counts, size_t n) {
	(void)k;
	for (size_t i = 0; i < n; i++) {
		assert_true(counts[i] > 0 && (!i || buckets[i] > buckets[i - 1]));
	}
	++*(unsigned *)ctx;
	return 0;
}

/* Whatever bytes stand in the column: they are a set or a distribution, or they are damage. */
static void any_bytes(void **state) {
	fixture *f = *state;
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *put[2];
	snprintf(path, sizeof path, "%s/entente.db", f->folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	const char *puts[] = {"INSERT OR REPLACE INTO cell(partner_day, sets, set_members) "
						 "VALUES(4294967296, '[[0,0,0,0,0,' || ?1 || ',' || length(?2) || ']]', ?2)",
		"INSERT OR REPLACE INTO cell(partner_day, dists, dist_members) "
		"VALUES(4294967296, '[[0,0,0,0,0,' || ?1 || ',' || length(?2) || ']]', ?2)"};
	unsigned good = 0, bad = 0;
	for (int t = 0; t < 2; t++) {
		assert_int_equal(sqlite3_prepare_v2(db, puts[t], -1, &put[t], NULL), SQLITE_OK);
		for (unsigned round = 0; round < 3000; round++) {
			uint8_t bytes[24];
			size_t n = 1 + next_random() % (sizeof bytes - 1);
			for (size_t i = 0; i < n; i++) {
				bytes[i] = (uint8_t)(next_random() % 4 ? next_random() % 5 : next_random());
			}
			sqlite3_bind_int64(put[t], 1, (int64_t)(next_random() % 12) - 1);
			sqlite3_bind_blob(put[t], 2, bytes, (int)n, SQLITE_STATIC);
			assert_int_equal(sqlite3_step(put[t]), SQLITE_DONE);
			sqlite3_reset(put[t]);
			int status = t ? ent_store_dists_scan(f->s, 1, count_dist, &good, &f->e)
						   : ent_store_sets_scan(f->s, 1, count_set, &good, &f->e);
			assert_true(status == 0 || status == ENT_ERR_CORRUPT);
			bad += status != 0;
		}
		sqlite3_finalize(put[t]);
	}
	sqlite3_close(db);
	assert_true(good > 100 && bad > 1000);
}

typedef struct buckets {
	unsigned rows;
	int64_t sum;
	int32_t first, last;
	size_t n;
} buckets;

static int see_dist(void *ctx, const ent_cell_key *k, const int32_t *bucket, const int64_t *count, size_t n) {
	buckets *b = ctx;
	b->rows++;
	b->n += n;
	for (size_t i = 0; i < n; i++) {
		b->sum += count[i] * (k->family + 1);
		assert_true(!i || bucket[i] > bucket[i - 1]);
	}
	b->first = bucket[0];
	b->last = bucket[n - 1];
	return 0;
}

static void distributions(void **state) {
	fixture *f = *state;
	ent_cell_key a = key_of(1, 3, 0, 0, ENT_DIST_ORDER_VALUE), b = key_of(1, 3, 0, 0, ENT_DIST_LOAD_TIME);
	a.currency = 2;
	member_change c[] = {
		{.key = a, .id = ent_bucket_member(INT32_MIN), .net = 1},
		{.key = a, .id = ent_bucket_member(-4), .net = 10},
		{.key = a, .id = ent_bucket_member(INT32_MAX), .net = INT32_MAX},
		{.key = b, .id = ent_bucket_member(0), .net = 3},
	};
	OK(f, add_members(f, true, c, 4));
	buckets r = {0};
	OK(f, ent_store_dists_scan(f->s, 1, see_dist, &r, &f->e));
	assert_true(r.rows == 2 && r.n == 4 && r.sum == 11 + (int64_t)INT32_MAX + 9);
	for (unsigned i = 0; i < 4; i++) {
		c[i].net = i == 1 ? 5 : -c[i].net;
	}
	OK(f, add_members(f, true, c, 4));
	r = (buckets){0};
	OK(f, ent_store_dists_scan(f->s, UINT32_MAX, see_dist, &r, &f->e));
	assert_true(r.rows == 1 && r.n == 1 && r.sum == 15 && r.first == -4);
	assert_int_equal(add_members(f, true, c, 1), ENT_ERR_CORRUPT);
	/* bucket 1, INT64_MAX - 1 times: one more is too many, and so is another bucket, whose sum leaves 64 bits */
	sql(f, "UPDATE cell SET dists = '[[0,0,0,2,0,9223372036854775806,10]]', dist_members = x'02feffffffffffffff7f'");
	member_change more = {.key = a, .id = ent_bucket_member(1), .net = 1};
	assert_int_equal(add_members(f, true, &more, 1), ENT_ERR_RANGE);
	more.id++, more.net = 2;
	assert_int_equal(add_members(f, true, &more, 1), ENT_ERR_RANGE);
	more.net = 1;
	OK(f, add_members(f, true, &more, 1));
	OK(f, ent_store_cells_clear(f->s, &f->e));
	r = (buckets){0};
	OK(f, ent_store_dists_scan(f->s, UINT32_MAX, see_dist, &r, &f->e));
	assert_int_equal(r.rows, 0);
}

static int count_cell(void *ctx, const ent_cell *c) {
	(void)c;
	++*(unsigned *)ctx;
	return 0;
}

/* Texts that are no such list are damage, told with the day, to those who read and to those who add. */
static void no_lists(void **state) {
	fixture *f = *state;
	static const char *const lists[] = {"[", "[]", "[[]]", "[[0,0,0,0]]", "[[0,0,0,0,1]", "[[0,0,0,0,1]]]", "[[0,0,0,0,1],]",
		"[[0,0,0,0,1]] ", "[[0,0,0,0,x]]", "[[0,0,0,0,1.5]]", "[[0,0,0,0,-]]", "[[256,0,0,0,1]]", "[[0,-1,0,0,1]]",
		"[[0,0,0,0,9223372036854775808]]", "[[0,0,0,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]]", "null", "{}"};
	ent_cell one = {.key = key_of(1, 1, 0, 0, ENT_SALES), .m = {1}};
	member_change member = {.key = key_of(1, 1, 0, 0, 0), .id = 1, .net = 1};
	unsigned n = 0;
	OK(f, add_cells(f, &one, 1));
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		char text[200];
		snprintf(text, sizeof text, "UPDATE cell SET sales = '%s'", lists[i]);
		sql(f, text);
		assert_int_equal(ent_store_cells_scan(f->s, ENT_SALES, 1, count_cell, &n, &f->e), ENT_ERR_CORRUPT);
		assert_non_null(strstr(f->e.what, "partner 1, day 1"));
		assert_int_equal(add_cells(f, &one, 1), ENT_ERR_CORRUPT);
	}
	sql(f, "UPDATE cell SET sales = NULL");
	static const char *const sets[] = {"[[26,0,0,0,0,1,1]]", "[[0,0,0,0,0,1]]", "[[0,0,0,0,0,1,2]]", "[[0,0,0,0,0,1,0]]",
		"[[0,0,0,0,0,1,-1]]", "[[0,0,1,0,0,1,1],[0,0,0,0,0,1,1]]"};
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		char text[200];
		snprintf(text, sizeof text, "UPDATE cell SET sets = '%s', set_members = %s", sets[i], i == 5 ? "x'0101'" : "x'01'");
		sql(f, text);
		n = 0;
		assert_int_equal(ent_store_sets_scan(f->s, UINT32_MAX, count_set, &n, &f->e), ENT_ERR_CORRUPT);
		assert_int_equal(add_members(f, false, &member, 1), ENT_ERR_CORRUPT);
	}
	sql(f, "UPDATE cell SET sets = '[[0,0,0,0,0,1,1]]', set_members = x'0102'"); /* bytes that belong to no set */
	assert_int_equal(ent_store_sets_scan(f->s, UINT32_MAX, count_set, &n, &f->e), ENT_ERR_CORRUPT);
}

/* What a person sees who opens the database. */
static void views(void **state) {
	fixture *f = *state;
	OK(f, ent_store_code_add(f->s, ENT_CODE_TEXT, 4, "meadow", 6, &f->e));
	OK(f, ent_store_code_add(f->s, ENT_CODE_TEXT, 5, "web", 3, &f->e));
	OK(f, ent_store_code_add(f->s, ENT_CODE_TEXT, 6, "EUR", 3, &f->e));
	ent_cell c = {.key = key_of(4, 20000, ENT_VIEW_CHANNEL, 5, ENT_SALES), .m = {3}};
	c.key.currency = 6, c.key.origin = ENT_ORIGIN_ANALYTICS;
	OK(f, add_cells(f, &c, 1));
	member_change s[] = {
		{.key = key_of(4, -1, 0, 0, 1), .id = 1, .net = 1}, {.key = key_of(4, -1, 0, 0, 1), .id = 2, .net = 1}};
	OK(f, add_members(f, false, s, 2));
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *q;
	snprintf(path, sizeof path, "%s/entente.db", f->folder);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
						 "SELECT partner || ' ' || day || ' ' || view || ' ' || value || ' ' || currency || ' ' || "
						 "origin || ' ' || orders "
						 "FROM v_cell_sales",
						 -1, &q, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(q, 0), "meadow 2024-10-04 channel web EUR analytics 3");
	sqlite3_finalize(q);
	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT partner || day || view || value || space || n FROM v_cell_set", -1, &q, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(q, 0), "meadow1969-12-31totalvisitors2");
	sqlite3_finalize(q);
	/* every view can be read: a misspelt column would only show here */
	static const char *const names[] = {"cell_traffic", "cell_carts", "cell_dist", "input", "record", "coverage",
		"reject", "balance", "finding", "verdict"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char text[64];
		snprintf(text, sizeof text, "SELECT * FROM v_%s", names[i]);
		assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	}
	sqlite3_close(db);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sums, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sets_model, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sets_corrupt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(distributions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(views, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
