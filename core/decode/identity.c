/* SPDX-License-Identifier: Apache-2.0
 *
 * Identities: a text is normalized by its kind and keyed with SipHash-2-4 of 128 bits. Customers, visitors and agents
 * have keys of their own, derived from the deployment's, so that a cookie never equals a customer. The text goes no
 * further. */
#include "decode/worker.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(crypto_shorthash_siphashx24_KEYBYTES == 16 && crypto_shorthash_siphashx24_BYTES == 16, "");

enum { CUSTOMERS, VISITORS, AGENTS };

static const struct {
	uint8_t space;
	uint8_t tag; /* what is hashed starts with it: the telephone number 123 is not the customer key 123 */
} kinds[5] = {
	[ENT_ID_EMAIL] = {CUSTOMERS, 'e'},
	[ENT_ID_PHONE] = {CUSTOMERS, 'p'},
	[ENT_ID_CUSTOMER] = {CUSTOMERS, 'c'},
	[ENT_ID_COOKIE] = {VISITORS, 'v'},
	[ENT_ID_STAFF] = {AGENTS, 's'},
};

void ent__identity_init(ent__identity *t, const uint8_t key[32]) {
	memset(t, 0, sizeof *t);
	for (int i = 0; i < 3; i++) {
		crypto_kdf_derive_from_key(t->key[i], sizeof t->key[i], (uint64_t)i + 1, "ententid", key);
	}
}

static bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* A-Z to a-z, 8 bytes at a time: addresses come by the million, and no two alike. */
static void fold(char *to, const char *p, size_t n) {
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		uint64_t v;
		memcpy(&v, p + i, 8);
		uint64_t low = v & ~high; /* no carry leaves a byte */
		uint64_t upper = (low + ones * (0x80 - 'A')) & ~(low + ones * (0x7f - 'Z')) & ~v & high; /* A to Z, and ASCII */
		v |= upper >> 2;
		memcpy(to + i, &v, 8);
	}
	for (; i < n; i++) {
		to[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] + 32) : p[i];
	}
}

ent_id ent__identity_of(ent__identity *t, ent_id_kind kind, ent_str s) {
	ent_id id = {0};
	while (s.n && blank(*s.p)) {
		s.p++;
		s.n--;
	}
	while (s.n && blank(s.p[s.n - 1])) {
		s.n--;
	}
	if (!s.n || (unsigned)kind > ENT_ID_STAFF) {
		return id;
	}
	if (t->memo[kind].n == s.n && !memcmp(t->memo[kind].text, s.p, s.n)) {
		return t->memo[kind].id;
	}
	char small[512], *text = s.n < sizeof small ? small : ent_xmalloc(s.n + 1);
	size_t n = 1;
	text[0] = (char)kinds[kind].tag;
	if (kind == ENT_ID_PHONE) {
		for (size_t i = 0; i < s.n; i++) {
			if (s.p[i] >= '0' && s.p[i] <= '9') {
				text[n++] = s.p[i];
			}
		}
	} else {
		if (kind == ENT_ID_EMAIL || kind == ENT_ID_STAFF) {
			fold(text + 1, s.p, s.n);
		} else {
			memcpy(text + 1, s.p, s.n);
		}
		n += s.n;
	}
	if (n > 1) {
		crypto_shorthash_siphashx24(id.b, (const unsigned char *)text, n, t->key[kinds[kind].space]);
	}
	if (s.n <= sizeof t->memo[kind].text) {
		memcpy(t->memo[kind].text, s.p, s.n);
		t->memo[kind].n = s.n;
		t->memo[kind].id = id;
	}
	if (text != small) {
		free(text);
	}
	return id;
}
