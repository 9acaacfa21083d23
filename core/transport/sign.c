/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures of deliveries, see sign.h. */
#include "transport/sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

size_t ent_sign(ent_sign_hash hash, ent_str secret, const void *body, size_t n, uint8_t out[ENT_SIGN_BYTES]) {
	const EVP_MD *md = hash == ENT_SIGN_SHA512 ? EVP_sha512() : hash == ENT_SIGN_SHA1 ? EVP_sha1() : EVP_sha256();
	unsigned length = 0;
	/* without a key, OpenSSL would take that of the call before */
	if (!HMAC(md, secret.n ? secret.p : "", (int)secret.n, body ? body : "", n, out, &length)) {
		return 0;
	}
	return length;
}

size_t ent_sign_text(ent_sign_form form, const uint8_t *mac, size_t n, char out[ENT_SIGN_TEXT_MAX]) {
	if (form == ENT_SIGN_HEX) {
		sodium_bin2hex(out, ENT_SIGN_TEXT_MAX, mac, n);
	} else {
		sodium_bin2base64(out, ENT_SIGN_TEXT_MAX, mac, n, sodium_base64_VARIANT_ORIGINAL);
	}
	return strlen(out);
}

/* What the header says, as bytes of the HMAC; 0: it cannot be one. Its form is no secret. */
static size_t read_mac(const ent_sign_config *c, const char *text, size_t n, uint8_t out[ENT_SIGN_BYTES]) {
	size_t got = 0;
	const char *end = NULL;
	if (c->form == ENT_SIGN_HEX) {
		return sodium_hex2bin(out, ENT_SIGN_BYTES, text, n, NULL, &got, &end) == 0 && end == text + n ? got : 0;
	}
	for (int variant = sodium_base64_VARIANT_ORIGINAL; variant <= sodium_base64_VARIANT_ORIGINAL_NO_PADDING; variant += 2) {
		if (sodium_base642bin(out, ENT_SIGN_BYTES, text, n, NULL, &got, &end, variant) == 0 && end == text + n) {
			return got;
		}
	}
	return 0;
}

/* Without telling by the time at which byte they differ. Lengths are compared openly for an HMAC, of a plain secret by their
 * hashes. */
static bool plain_equal(ent_str secret, const char *text, size_t n) {
	uint8_t a[crypto_generichash_BYTES], b[crypto_generichash_BYTES];
	crypto_generichash(a, sizeof a, (const uint8_t *)secret.p, secret.n, NULL, 0);
	crypto_generichash(b, sizeof b, (const uint8_t *)text, n, NULL, 0);
	return sodium_memcmp(a, b, sizeof a) == 0;
}

bool ent_sign_check(const ent_sign_config *c, const ent_str *secrets, size_t n_secrets, const char *given, const void *body,
	size_t n) {
	size_t prefix = c->prefix.s ? strlen(c->prefix.s) : 0;
	if (!given || strncasecmp(given, prefix ? c->prefix.s : "", prefix) != 0) {
		return false;
	}
	const char *text = given + prefix;
	size_t text_n = strlen(text);
	while (text_n && (text[text_n - 1] == ' ' || text[text_n - 1] == '\t')) {
		text_n--;
	}
	uint8_t told[ENT_SIGN_BYTES], mac[ENT_SIGN_BYTES];
	size_t told_n = c->form == ENT_SIGN_PLAIN ? 0 : read_mac(c, text, text_n, told);
	bool good = false;
	for (size_t i = 0; i < n_secrets; i++) { /* all of them, whichever it is */
		if (c->form == ENT_SIGN_PLAIN) {
			good |= plain_equal(secrets[i], text, text_n);
			continue;
		}
		size_t mac_n = ent_sign(c->hash, secrets[i], body, n, mac);
		good |= mac_n && mac_n == told_n && sodium_memcmp(mac, told, mac_n) == 0;
	}
	sodium_memzero(mac, sizeof mac);
	return good;
}
