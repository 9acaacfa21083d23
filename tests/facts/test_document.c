/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of documents: the stored form gives back what went in; joining does not depend on order or repetition. */
#include "base/arena.h"
#include "base/intern.h"
#include "facts/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static void random_body(ent_item *item) {
	uint8_t *base = (uint8_t *)&item->body;
	static const int64_t amounts[] = {0, 1, -1, 10000, -10000, 59500000, 1234567, INT64_MAX, INT64_MIN, INT64_MAX / 4 + 1,
		INT64_MIN / 4 - 3, INT64_MAX - 1};
	for (const ent_field *f = ent_fact_fields(item->kind); f->name; f++) {
		if (rnd() % 3 == 0) {
			continue;
		}
		uint64_t u = rnd();
		ent_time t = {.kind = (uint8_t)(1 + u % 4), .offset_min = ENT_NO_OFFSET};
		switch (f->type) {
		case ENT_FIELD_TIME:
			t.v = (int64_t)(u >> 16) % (t.kind < 3 ? INT64_C(4000000000000000) : 40000);
			t.v -= u % 5 == 0 ? t.v % 1000000 : 0;
			if (t.kind == ENT_TIME_INSTANT && u % 2) {
				t.offset_min = (int16_t)((int)(u % 100 - 50) * 15);
			}
			u = ent_wire_time_pack(t);
			memcpy(base + f->offset, &u, 8);
			break;
		case ENT_FIELD_I64:
			memcpy(base + f->offset, &amounts[u % 12], 8);
			break;
		case ENT_FIELD_U8:
			base[f->offset] = (uint8_t)u;
			break;
		case ENT_FIELD_CURRENCY:
			memcpy(base + f->offset, "EUR", 4);
			break;
		default:
			memcpy(base + f->offset, &u, 4);
			if (!strcmp(f->name, "n")) {
				memset(base + f->offset, 0, 4);
			}
		}
	}
}

static const char *const line_keys[] = {"1", "2", "3", "10", "a"};

static void random_order(ent_document *d, bool head, bool complete, int64_t rank) {
	ent_document_clear(d);
	d->kind = ENT_ORDER;
	d->key = "#1001";
	d->key_n = 5;
	d->key_hash = 77;
	d->system = 3;
	d->scope = 4;
	uint64_t content = rnd() % 3 + (complete ? 11 : 1); /* the hash covers the flags */
	if (head) {
		ent_item *item = ent_document_add(d);
		item->kind = ENT_ORDER;
		item->flags = complete ? ENT_DOC_LINES_COMPLETE : 0;
		item->rank = (ent_rank){rank, rank, content};
		item->body.order.total = (int64_t)content;
		item->partner = 4;
	}
	for (size_t i = 0; i < 5; i++) {
		if (rnd() % 2) {
			ent_item *item = ent_document_add(d);
			item->kind = ENT_LINE;
			item->key = line_keys[i];
			item->key_n = (uint16_t)strlen(line_keys[i]);
			item->rank = (ent_rank){rank, rank, complete ? content : rnd() % 3 + 1};
			item->body.line.quantity = (int64_t)item->rank.content;
			item->partner = 4;
		}
	}
	if (head && complete) {
		d->has_complete = true;
		d->complete = d->items[0].rank;
	}
	ent_join j = {0};
	ent_document_normalize(d, &j);
}

static void same(const ent_document *a, const ent_document *b) {
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->has_complete, b->has_complete);
	assert_int_equal(ent_rank_compare(&a->complete, &b->complete), 0);
	for (uint32_t i = 0; i < a->n; i++) {
		const ent_item *x = &a->items[i], *y = &b->items[i];
		assert_int_equal(x->kind, y->kind);
		assert_int_equal(x->flags, y->flags);
		assert_int_equal(x->key_n, y->key_n);
		assert_memory_equal(x->key_n ? x->key : "", y->key_n ? y->key : "", x->key_n);
		assert_int_equal(ent_rank_compare(&x->rank, &y->rank), 0);
		assert_int_equal(x->partner, y->partner);
		assert_int_equal(x->source, y->source);
		assert_int_equal(x->input, y->input);
		assert_true(x->place == y->place && x->has == y->has && x->arrival == y->arrival);
		assert_memory_equal(&x->body, &y->body, ent_fact_body_size(x->kind));
	}
}

static void stored_form_round_trip(void **state) {
	(void)state;
	for (int round = 0; round < 3000; round++) {
		ent_document d = {0}, back = {0};
		random_order(&d, rnd() % 4 != 0, rnd() % 2, (int64_t)(rnd() % 5));
		static const uint8_t kinds[] = {ENT_ORDER, ENT_CART, ENT_VISIT, ENT_TOUCH, ENT_CONTACT, ENT_OBSERVATION, ENT_ENTRY};
		d.kind = kinds[rnd() % 7];
		if (d.kind != ENT_ORDER) {
			d.n = 0;
			d.has_complete = false;
			d.complete = (ent_rank){0};
			ent_document_add(&d)->kind = d.kind;
		}
		uint32_t pairs[6];
		for (uint32_t i = 0; i < d.n; i++) {
			ent_item *item = &d.items[i];
			random_body(item);
			item->source = (uint32_t)(rnd() % 3);
			item->input = (uint32_t)rnd();
			item->place = rnd() >> 20;
			item->arrival = (int64_t)(rnd() % 1000000) * 1000000;
			item->has = rnd() & 0xfff;
			item->partner = (uint32_t)(rnd() % 3 + 3);
			if (item->kind == ENT_ENTRY) {
				item->body.entry.n = 3;
				for (int k = 0; k < 6; k++) {
					pairs[k] = (uint32_t)rnd();
				}
				item->pairs = pairs;
			}
		}
		ent_buf body = {0};
		ent_document_encode(&d, &body);
		assert_true(ent_document_decode(&back, body.data, body.n));
		same(&d, &back);
		assert_true(ent_document_same_key(&d, &back));
		if (d.kind == ENT_ENTRY) {
			assert_memory_equal(back.items[0].pairs, pairs, sizeof pairs);
		}
		uint64_t items, index_key = ent_document_index_key(&back);
		assert_true(ent_document_decode_head(&back, body.data, body.n, &items));
		assert_true(items == d.n && back.n == 0 && ent_document_same_key(&d, &back));
		assert_int_equal(ent_document_index_key(&back), index_key);
		ent_buf old = {0};
		ent_document_supersede(body.data, body.n, 1700000000123456, &old);
		assert_true(ent_document_decode(&back, old.data, old.n));
		assert_true(back.superseded && back.until == (d.superseded ? d.until : 1700000000000000));
		back.superseded = d.superseded;
		back.until = d.until;
		same(&d, &back);
		ent_buf again = {0};
		ent_document_supersede(old.data, old.n, 1800000000000000, &again); /* it is since it was */
		assert_int_equal(again.n, old.n);
		assert_memory_equal(again.data, old.data, old.n);
		ent_buf_finish(&again);
		ent_buf_finish(&old);
		/* cut or with a byte too much, it is refused, never read past its end */
		for (size_t cut = 0; cut < body.n; cut += 1 + body.n / 40) {
			uint8_t *copy = ent_xmalloc(cut);
			memcpy(copy, body.data, cut);
			assert_false(ent_document_decode(&back, copy, cut));
			free(copy);
		}
		ent_buf_u8(&body, 0);
		assert_false(ent_document_decode(&back, body.data, body.n));
		ent_buf_finish(&body);
		ent_document_finish(&d);
		ent_document_finish(&back);
	}
}

static void join_is_independent_of_order_and_repetition(void **state) {
	(void)state;
	for (int round = 0; round < 3000; round++) {
		enum { PARTS = 4 };
		ent_document parts[PARTS] = {0}, first = {0}, second = {0};
		int order[PARTS * 2];
		for (int i = 0; i < PARTS; i++) {
			bool head = rnd() % 3 != 0;
			random_order(&parts[i], head, head && rnd() % 2, (int64_t)(rnd() % 3));
			order[i] = order[PARTS + i] = i;
		}
		random_order(&first, false, false, 0);
		random_order(&second, false, false, 0);
		first.n = second.n = 0;
		for (int i = 0; i < PARTS; i++) {
			ent_document_join(&first, &parts[i]);
		}
		for (int i = PARTS * 2 - 1; i > 0; i--) {
			int k = (int)(rnd() % (unsigned)(i + 1)), t = order[i];
			order[i] = order[k];
			order[k] = t;
		}
		for (int i = 0; i < PARTS * 2; i++) {
			ent_join j = ent_document_join(&second, &parts[order[i]]);
			assert_int_equal(j.stored + j.replaced + j.duplicate + j.superseded + j.merged, parts[order[i]].n);
		}
		same(&first, &second);
		assert_int_equal(ent_document_content(&first), ent_document_content(&second));
		for (int i = 0; i < PARTS; i++) {
			ent_document_finish(&parts[i]);
		}
		ent_document_finish(&first);
		ent_document_finish(&second);
	}
}

static void a_line_missing_from_a_newer_export_is_gone(void **state) {
	(void)state;
	ent_document old = {0}, new = {0};
	do {
		random_order(&old, true, true, 1);
	} while (old.n != 4);
	do {
		random_order(&new, true, true, 2);
	} while (new.n != 2);
	ent_join j = ent_document_join(&old, &new);
	assert_true(j.changed);
	assert_int_equal(old.n, 2);
	/* and the old export, read again, does not bring it back */
	do {
		random_order(&new, true, true, 1);
	} while (new.n != 4);
	j = ent_document_join(&old, &new);
	assert_int_equal(old.n, 2);
	assert_int_equal(j.superseded + j.duplicate, 4);
	ent_document_finish(&old);
	ent_document_finish(&new);
}

static void visits_add_up(void **state) {
	(void)state;
	ent_document a = {0}, b = {0};
	ent_document *both[] = {&a, &b};
	for (int i = 0; i < 2; i++) {
		ent_document *d = both[i];
		d->kind = ENT_VISIT;
		d->key = "v";
		d->key_n = 1;
		ent_item *item = ent_document_add(d);
		item->kind = ENT_VISIT;
		item->input = 9;
		item->body.visit.at = ent_wire_time_pack((ent_time){.v = 100 - i, .kind = ENT_TIME_INSTANT, .offset_min = ENT_NO_OFFSET});
		item->body.visit.until = ent_wire_time_pack((ent_time){.v = 200 - i, .kind = ENT_TIME_INSTANT, .offset_min = ENT_NO_OFFSET});
		item->body.visit.pageviews = 3;
		item->body.visit.steps = i ? ENT_STEP_CART : ENT_STEP_ITEM;
		item->body.visit.channel = (uint32_t)(10 + i);
	}
	ent_join j = ent_document_join(&a, &b);
	assert_int_equal(j.merged, 1);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.items[0].body.visit.pageviews, 6);
	assert_int_equal(a.items[0].body.visit.steps, ENT_STEP_CART | ENT_STEP_ITEM);
	assert_int_equal(a.items[0].body.visit.channel, 11); /* of the part that starts first */
	assert_int_equal(ent_wire_time_unpack(a.items[0].body.visit.until).v, 200);
	ent_document_finish(&a);
	ent_document_finish(&b);
}

/* Ledgers are kept for years: what a document looks like in the log may not change unnoticed. */
static void the_stored_form_stays_as_it_is(void **state) {
	(void)state;
	seed = UINT64_C(0x123456789abcdef);
	uint64_t sum = 0;
	ent_buf out = {0};
	for (unsigned kind = 1; kind < ENT_FACT_COUNT; kind++) {
		for (int round = 0; round < 300; round++) {
			ent_document d = {.kind = (uint8_t)kind, .key = "key", .key_n = 3, .system = 2, .scope = 5, .origin = 1};
			for (unsigned i = 0; i < 1 + rnd() % 3; i++) {
				ent_item *item = ent_document_add(&d);
				item->kind = (uint8_t)kind;
				item->flags = rnd() % 8 ? 0 : ENT_DOC_RETRACT;
				item->partner = rnd() % 2 ? 5 : 6;
				item->rank = (ent_rank){(int64_t)(rnd() % 1000), 10, rnd()};
				item->place = rnd() % 100000;
				item->arrival = 7000000;
				random_body(item);
				item->body.entry.n = kind == ENT_ENTRY ? 0 : item->body.entry.n;
			}
			ent_document_encode(&d, &out);
			ent_document_finish(&d);
		}
		sum = ent_hash64(out.data, out.n, sum);
		out.n = 0;
	}
	ent_buf_finish(&out);
	assert_true(sum == UINT64_C(0x50ea3a5392f649ad));
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(stored_form_round_trip),
		cmocka_unit_test(the_stored_form_stays_as_it_is),
		cmocka_unit_test(join_is_independent_of_order_and_repetition),
		cmocka_unit_test(a_line_missing_from_a_newer_export_is_gone), cmocka_unit_test(visits_add_up)};
	return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}
