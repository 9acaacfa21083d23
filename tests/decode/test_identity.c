/* SPDX-License-Identifier: Apache-2.0
 *
 * Identities: what is one person and what is not. */
#include "decode/worker.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static ent__identity table;

static ent_id of(ent_id_kind kind, const char *text) {
	return ent__identity_of(&table, kind, (ent_str){text, strlen(text)});
}

static bool same(ent_id a, ent_id b) { return !memcmp(&a, &b, sizeof a); }

static bool absent(ent_id a) { return same(a, (ent_id){0}); }

static int start(void **state) {
	(void)state;
	uint8_t key[32];
	memset(key, 7, sizeof key);
	ent__identity_init(&table, key);
	return 0;
}

static void spellings_are_one_person(void **state) {
	(void)state;
	assert_true(same(of(ENT_ID_EMAIL, "Ann@Example.org"), of(ENT_ID_EMAIL, "  ann@example.ORG\t")));
	assert_true(same(of(ENT_ID_PHONE, "+49 (30) 12-34"), of(ENT_ID_PHONE, "49301234")));
	assert_true(same(of(ENT_ID_STAFF, "Ann Lee"), of(ENT_ID_STAFF, "ann lee")));
	assert_false(same(of(ENT_ID_CUSTOMER, "a1"), of(ENT_ID_CUSTOMER, "A1"))); /* keys of the source are what they are */
	assert_false(same(of(ENT_ID_EMAIL, "a@example.org"), of(ENT_ID_EMAIL, "b@example.org")));
	assert_true(absent(of(ENT_ID_EMAIL, "")));
	assert_true(absent(of(ENT_ID_EMAIL, " \t")));
	assert_true(absent(of(ENT_ID_PHONE, "unknown")));
	assert_false(absent(of(ENT_ID_COOKIE, "x")));
}

/* Every byte at every place, with neighbours of every kind: only A to Z are folded. */
static void only_ascii_letters_are_folded(void **state) {
	(void)state;
	for (size_t n = 1; n < 26; n++) {
		for (int c = 0x21; c < 256; c++) {
			for (int filler = 0; filler < 3; filler++) {
				char a[32], b[32];
				memset(a, "zZ\xff"[filler], n);
				memset(b, "zz\xff"[filler], n);
				a[c % n] = (char)c;
				b[c % n] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
				ent_id staff = ent__identity_of(&table, ENT_ID_STAFF, (ent_str){a, n});
				ent_id memo = ent__identity_of(&table, ENT_ID_STAFF, (ent_str){"another", 7});
				assert_false(same(staff, memo));
				assert_true(same(staff, ent__identity_of(&table, ENT_ID_STAFF, (ent_str){b, n})));
				if (a[c % n] != b[c % n]) { /* and it is the lower case that is hashed */
					ent_id exact = ent__identity_of(&table, ENT_ID_CUSTOMER, (ent_str){a, n});
					assert_false(same(exact, ent__identity_of(&table, ENT_ID_CUSTOMER, (ent_str){b, n})));
				}
			}
		}
	}
}

static void spaces_are_apart(void **state) {
	(void)state;
	ent_id all[5];
	for (int i = 0; i < 5; i++) {
		all[i] = of((ent_id_kind)i, "123");
		for (int k = 0; k < i; k++) {
			assert_false(same(all[i], all[k]));
		}
	}
}

static void the_key_decides(void **state) {
	(void)state;
	ent_id before = of(ENT_ID_EMAIL, "ann@example.org");
	uint8_t key[32];
	memset(key, 8, sizeof key);
	ent__identity_init(&table, key);
	assert_false(same(before, of(ENT_ID_EMAIL, "ann@example.org")));
	start(NULL);
	assert_true(same(before, of(ENT_ID_EMAIL, "ann@example.org")));
}

static void long_texts(void **state) {
	(void)state;
	char a[2000], b[2000];
	memset(a, 'a', sizeof a);
	memset(b, 'a', sizeof b);
	a[sizeof a - 1] = b[sizeof b - 1] = 0;
	assert_true(same(of(ENT_ID_EMAIL, a), of(ENT_ID_EMAIL, b)));
	b[1990] = 'b';
	assert_false(same(of(ENT_ID_EMAIL, a), of(ENT_ID_EMAIL, b)));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings_are_one_person),
		cmocka_unit_test(only_ascii_letters_are_folded),
		cmocka_unit_test(spaces_are_apart),
		cmocka_unit_test(the_key_decides),
		cmocka_unit_test(long_texts),
	};
	if (sodium_init() < 0) {
		return 1;
	}
	return cmocka_run_group_tests(tests, start, NULL);
}
