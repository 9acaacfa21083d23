/* SPDX-License-Identifier: Apache-2.0
 *
 * Agents by name: people write a name into the register of terms, while orders hold a keyed identity, and rules a token
 * made of it. What is written is keyed as decode/identity.c keys it (ENT_ID_STAFF: blanks around it taken off, A to Z
 * made small, tag 's', the third of the derived keys), so that both come to the same token; tests/e2e/test_facts.py
 * holds them together. Loop thread only. */
#include "engine/facts_table.h"
#include "engine/internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { AGENTS_KEY = 3, STAFF = 's' };

static bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

void ent__facts_agent_token(ent_engine *e, uint32_t partner, const char *name, char out[ENT__TOKEN + 1]) {
	out[0] = 0;
	size_t n = strlen(name);
	while (n && blank(*name)) {
		name++;
		n--;
	}
	while (n && blank(name[n - 1])) {
		n--;
	}
	if (!n) {
		return;
	}
	uint8_t key[crypto_shorthash_siphashx24_KEYBYTES], id[crypto_shorthash_siphashx24_BYTES];
	crypto_kdf_derive_from_key(key, sizeof key, AGENTS_KEY, "ententid", e->identity_key);
	char *text = ent_xmalloc(n + 1);
	text[0] = STAFF;
	for (size_t i = 0; i < n; i++) {
		text[i + 1] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	}
	crypto_shorthash_siphashx24(id, (const unsigned char *)text, n + 1, key);
	free(text);
	ent__facts_token_of(e, partner, id, out);
}
