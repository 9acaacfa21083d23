/* SPDX-License-Identifier: Apache-2.0
 *
 * The stored form of bodies as it crosses the border between processes: what the core takes from a worker is what it reads
 * back from the ledger later, whatever the worker wrote; and nothing is read from beyond the room that it was promised. */
#include "facts/body.h"
#include "facts/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

enum { CODES = 300 };

static uint32_t codes[CODES];
static const ent_id ids[ENT_BODY_IDS] = {{.b = {1, 2, 3}}, {.b = {0, 0, 0, 0, 9}}};

/* The bytes lie at the very end of a page that is followed by one that cannot be read. */
static uint8_t *last_page;
static size_t page;

static int setup(void **state) {
	(void)state;
	page = (size_t)sysconf(_SC_PAGESIZE);
	last_page = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(last_page != MAP_FAILED);
	assert_int_equal(mprotect(last_page + page, page, PROT_NONE), 0);
	for (uint32_t i = 1; i < CODES; i++) {
		codes[i] = 1000 * i;
	}
	return 0;
}

static int teardown(void **state) {
	(void)state;
	return munmap(last_page, 2 * page);
}

static bool take(unsigned kind, const uint8_t *bytes, size_t n, union ent_body *body, uint64_t *has, uint32_t *plain_n,
	uint32_t n_ids, size_t *used) {
	ent_body_map map = {.codes = codes, .n_codes = CODES, .ids = ids, .n_ids = n_ids};
	ent_read r = ent_read_of(bytes, n);
	memset(body, 0xa5, sizeof *body);
	bool ok = ent_body_take(kind, &r, body, has, plain_n, &map);
	*used = n - (size_t)(r.end - r.p);
	return ok;
}

/* What was taken, written as the ledger keeps it and read again: every field is the same. */
static void check_ledger(unsigned kind, const uint8_t *plain, uint32_t plain_n, union ent_body *body, uint64_t has) {
	for (const uint16_t *at = ent_fact_ids(kind); *at != UINT16_MAX; at++) { /* the core numbers identities in between */
		ent_id *id = (ent_id *)((uint8_t *)body + *at), none = {{0}};
		if (memcmp(id, &none, sizeof none) != 0) {
			uint32_t dense = id->b[0] ? 7 : 70000;
			*id = none;
			memcpy(id->b, &dense, 4);
		}
	}
	uint8_t frame[2 * ENT_BODY_MAX];
	memcpy(frame, plain, plain_n);
	size_t n = (size_t)(ent_body_put_codes(kind, frame + plain_n, body, true) - frame);
	assert_true(n <= sizeof frame);
	uint8_t *end = last_page + page - n; /* reading the ledger's form needs no room behind it */
	memcpy(end, frame, n);
	union ent_body again;
	memset(&again, 0x5a, sizeof again);
	uint64_t has_again;
	uint32_t plain_again;
	ent_read r = ent_read_of(end, n);
	assert_true(ent_body_take(kind, &r, &again, &has_again, &plain_again, NULL));
	assert_ptr_equal(r.p, r.end);
	assert_int_equal(plain_again, plain_n);
	assert_true(has_again == has);
	for (const ent_field *f = ent_fact_fields(kind); f->name; f++) {
		static const size_t sizes[] = {[ENT_FIELD_TIME] = 8, [ENT_FIELD_I64] = 8, [ENT_FIELD_ID] = 16,
			[ENT_FIELD_CODE] = 4, [ENT_FIELD_U32] = 4, [ENT_FIELD_U8] = 1, [ENT_FIELD_CURRENCY] = 4};
		assert_memory_equal((uint8_t *)body + f->offset, (uint8_t *)&again + f->offset, sizes[f->type]);
	}
}

static void whatever_a_worker_writes_reads_back_the_same(void **state) {
	(void)state;
	unsigned accepted = 0, refused = 0;
	for (unsigned round = 0; round < 200000; round++) {
		unsigned kind = 1 + round % (ENT_FACT_COUNT - 1);
		/* the room that was promised ends with the page */
		uint8_t *bytes = last_page + page - ENT_BODY_ROOM;
		for (unsigned i = 0; i < ENT_BODY_ROOM; i += 8) {
			uint64_t v = rnd();
			if (round % 3 == 1) {
				v &= UINT64_C(0x0101010101010101) * (1 + rnd() % 7); /* short lengths and small numbers */
			} else if (round % 3 == 2) {
				v |= UINT64_C(0x9999999999999999); /* the longest */
			}
			memcpy(bytes + i, &v, 8);
		}
		size_t n = rnd() % (ENT_BODY_ROOM + 1), used;
		union ent_body body;
		uint64_t has;
		uint32_t plain_n, n_ids = (uint32_t)(rnd() % (ENT_BODY_IDS + 1));
		bool ok = take(kind, bytes, n, &body, &has, &plain_n, n_ids, &used);
		assert_true(used <= n);
		accepted += ok;
		refused += !ok;
		if (ok) {
			uint8_t copy[ENT_BODY_ROOM];
			assert_true(plain_n <= ENT_BODY_MAX);
			memcpy(copy, bytes, plain_n);
			check_ledger(kind, copy, plain_n, &body, has);
		}
	}
	assert_true(accepted > 5000 && refused > 5000); /* both were tried */
}

static void a_body_cut_off_is_refused(void **state) {
	(void)state;
	union ent_body body = {.order = {.gross = 59500000, .channel = 7, .country = 299, .currency = "EUR", .customer = ids[0]}};
	uint8_t bytes[2 * ENT_BODY_MAX + ENT_BODY_ROOM] = {0};
	uint8_t *p = ent_body_put_plain(ENT_ORDER, bytes, &body, ENT_HAS_GROSS);
	size_t n = (size_t)(ent_body_put_codes(ENT_ORDER, p, &body, false) - bytes), used;
	union ent_body out;
	uint64_t has;
	uint32_t plain_n;
	assert_true(take(ENT_ORDER, bytes, n, &out, &has, &plain_n, 1, &used));
	assert_int_equal(used, n);
	assert_true(out.order.gross == 59500000 && out.order.channel == 7000 && out.order.country == 299000);
	assert_memory_equal(&out.order.customer, &ids[0], sizeof ids[0]);
	for (size_t less = 0; less < n; less++) {
		assert_false(take(ENT_ORDER, bytes, less, &out, &has, &plain_n, 1, &used));
	}
	/* identities that nobody told, and some too many */
	assert_false(take(ENT_ORDER, bytes, n, &out, &has, &plain_n, 0, &used));
	assert_false(take(ENT_ORDER, bytes, n, &out, &has, &plain_n, 2, &used));
}

static void a_text_that_was_never_defined_is_named(void **state) {
	(void)state;
	union ent_body body = {.line = {.quantity = 1000, .sku = CODES, .name = 1}};
	uint8_t bytes[2 * ENT_BODY_MAX + ENT_BODY_ROOM] = {0};
	uint8_t *p = ent_body_put_plain(ENT_LINE, bytes, &body, ENT_HAS_QUANTITY);
	size_t n = (size_t)(ent_body_put_codes(ENT_LINE, p, &body, false) - bytes);
	ent_body_map map = {.codes = codes, .n_codes = CODES};
	ent_read r = ent_read_of(bytes, n);
	union ent_body out;
	uint64_t has;
	uint32_t plain_n;
	assert_false(ent_body_take(ENT_LINE, &r, &out, &has, &plain_n, &map));
	assert_int_equal(map.undefined, CODES);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_a_worker_writes_reads_back_the_same),
		cmocka_unit_test(a_body_cut_off_is_refused), cmocka_unit_test(a_text_that_was_never_defined_is_named)};
	return cmocka_run_group_tests_name("body", tests, setup, teardown);
}
