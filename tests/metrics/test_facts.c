/* SPDX-License-Identifier: Apache-2.0
 *
 * A block of facts is read only if every offset, number and text in it holds: no byte of it may lead outside. */
#include "metrics/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 3 };

/* Two texts, one of them "", and three rows of the kind. The caller frees. */
static uint8_t *make(unsigned kind, size_t *bytes) {
	const ent_facts_kind_def *k = ent_facts_kind(kind);
	uint64_t columns[64], at = sizeof(ent_facts_head);
	uint8_t *block = calloc(1, 1 << 16);
	for (unsigned c = 0; c < k->n_columns; c++) {
		columns[c] = at;
		for (unsigned r = 0; r < ROWS && k->columns[c].type == ENT_FACTS_TEXT; r++) {
			((uint32_t *)(block + at))[r] = r % 2;
		}
		at += (ROWS * ent_facts_width(k->columns[c].type) + 7) / 8 * 8;
	}
	ent_facts_head head = {.magic = ENT_FACTS_MAGIC, .version = ENT_FACTS_VERSION, .kind = kind, .n_columns = k->n_columns,
		.rows = ROWS, .columns = at, .n_texts = 2, .ever = ROWS};
	memcpy(block + at, columns, k->n_columns * sizeof *columns);
	at += k->n_columns * sizeof *columns;
	memcpy(block + at, "\0web", 5);
	ent_facts_text texts[2] = {{at, 0}, {at + 1, 3}};
	head.texts = at += 8;
	memcpy(block + at, texts, sizeof texts);
	*bytes = head.bytes = at + sizeof texts;
	memcpy(block, &head, sizeof head);
	return block;
}

static void every_kind_opens(void **state) {
	(void)state;
	for (unsigned kind = 0; kind < 20; kind++) {
		const ent_facts_kind_def *k = ent_facts_kind(kind);
		if (!k) {
			continue;
		}
		assert_string_equal(k->columns[0].name, "at");
		assert_string_equal(k->columns[1].name, "day");
		assert_true(k->n_columns <= 32);
		bool currency = false;
		for (unsigned c = 0; c < k->n_columns; c++) {
			currency |= !strcmp(k->columns[c].name, "currency");
			assert_true(k->columns[c].type != ENT_FACTS_MONEY || currency);
		}
		size_t bytes;
		uint8_t *block = make(kind, &bytes);
		ent_facts f;
		ent_error e;
		assert_int_equal(ent_facts_open(&f, block, bytes, &e), 0);
		assert_int_equal(f.rows, ROWS);
		free(block);
	}
}

/* Each eight bytes of the block, made large or odd: refused, or read without leaving it (which the sanitizer sees). */
static void broken_blocks_are_refused(void **state) {
	(void)state;
	size_t bytes, refused = 0;
	uint8_t *block = make(ENT_ORDER, &bytes);
	static const uint64_t wrong[] = {UINT64_MAX, UINT64_MAX / 2, 3, 1 << 20, UINT64_C(1) << 33, 0};
	for (size_t at = 0; at + 8 <= bytes; at += 4) {
		for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
			uint8_t *copy = malloc(bytes); /* of just this size */
			memcpy(copy, block, bytes);
			memcpy(copy + at, &wrong[i], 8);
			ent_facts f;
			ent_error e = {0};
			int status = ent_facts_open(&f, copy, bytes, &e);
			if (status) {
				assert_int_equal(status, ENT_ERR_CORRUPT);
				assert_non_null(strstr(e.what, "the table of facts is broken"));
				refused++;
			}
			free(copy);
		}
	}
	assert_true(refused > 500);
	for (size_t n = 0; n < bytes; n += 7) {
		uint8_t *copy = malloc(n ? n : 1);
		memcpy(copy, block, n);
		ent_facts f;
		ent_error e;
		assert_int_equal(ent_facts_open(&f, copy, n, &e), ENT_ERR_CORRUPT);
		free(copy);
	}
	free(block);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind_opens), cmocka_unit_test(broken_blocks_are_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
