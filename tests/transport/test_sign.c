/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures of deliveries: the vectors of RFC 4231 and RFC 2202, and headers as senders write them. */
#include "transport/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define S(text) ((ent_str){text, sizeof(text) - 1})

static const char long_key[] = "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
	"\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
	"\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
	"\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
	"\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"; /* 131 */

static void vectors(void **state) {
	(void)state;
	static const struct {
		ent_sign_hash hash;
		ent_str key, data;
		const char *hex;
	} v[] = {
		{ENT_SIGN_SHA256, S("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"), S("Hi There"),
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{ENT_SIGN_SHA512, S("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"), S("Hi There"),
			"87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
		{ENT_SIGN_SHA256, S("Jefe"), S("what do ya want for nothing?"),
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{ENT_SIGN_SHA512, S("Jefe"), S("what do ya want for nothing?"),
			"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
		{ENT_SIGN_SHA256, {long_key, 131}, S("Test Using Larger Than Block-Size Key - Hash Key First"),
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{ENT_SIGN_SHA1, S("Jefe"), S("what do ya want for nothing?"), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"}, /* RFC 2202 */
	};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		uint8_t mac[ENT_SIGN_BYTES];
		char text[ENT_SIGN_TEXT_MAX];
		size_t n = ent_sign(v[i].hash, v[i].key, v[i].data.p, v[i].data.n, mac);
		ent_sign_text(ENT_SIGN_HEX, mac, n, text);
		assert_string_equal(text, v[i].hex);
	}
}

static const char body[] = "{\"id\":820982911946154508,\"email\":\"jon@example.com\"}";

/* openssl dgst -sha256 -hmac hush -binary | base64, over that body; secrets: hush, the-new-one, another */
#define SHOPIFY "D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8="
#define SHOPIFY_NEW "F9/l6PXKwGJE9bKre1mD9iRMRFUcfGrlFVV7q0heG0o="
#define SHOPIFY_OTHER "/gY2U/4mmnv1IF8xCCIlBCu6MvtG31ch7AwTu3ujaW8="
#define GITHUB "0f450c5e6863c01462e32eba4e6849ac3961400043ef32367e6de9ebf40b328f"
#define GITHUB_1 "a14b110eb3eb15d651646878b8dee97eb197df36"

static bool check(ent_sign_form form, ent_sign_hash hash, const char *prefix, const char *given) {
	ent_sign_config c = {.form = form, .hash = hash, .prefix = {.s = prefix}};
	ent_str secrets[] = {S("the-new-one"), S("hush")};
	return ent_sign_check(&c, secrets, 2, given, body, sizeof body - 1);
}

static void headers_as_they_come(void **state) {
	(void)state;
	/* X-Shopify-Hmac-Sha256, X-WC-Webhook-Signature */
	assert_true(check(ENT_SIGN_BASE64, ENT_SIGN_SHA256, NULL, SHOPIFY));
	assert_true(check(ENT_SIGN_BASE64, ENT_SIGN_SHA256, NULL, SHOPIFY_NEW)); /* with the other secret */
	/* X-Hub-Signature-256, X-Hub-Signature */
	assert_true(check(ENT_SIGN_HEX, ENT_SIGN_SHA256, "sha256=", "sha256=" GITHUB));
	assert_true(check(ENT_SIGN_HEX, ENT_SIGN_SHA1, "sha1=", "sha1=" GITHUB_1));
	/* X-Gitlab-Token */
	assert_true(check(ENT_SIGN_PLAIN, ENT_SIGN_SHA256, NULL, "hush"));
	assert_true(check(ENT_SIGN_PLAIN, ENT_SIGN_SHA256, "Bearer ", "Bearer hush"));
}

static void what_is_wrong_is_refused(void **state) {
	(void)state;
	const char *wrong[] = {NULL, "", "x", SHOPIFY_OTHER, GITHUB, SHOPIFY "x", "====", " "};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_false(check(ENT_SIGN_BASE64, ENT_SIGN_SHA256, NULL, wrong[i]));
		assert_false(check(ENT_SIGN_HEX, ENT_SIGN_SHA256, "sha256=", wrong[i]));
		assert_false(check(ENT_SIGN_PLAIN, ENT_SIGN_SHA256, NULL, wrong[i]));
	}
	char text[sizeof GITHUB + 8];
	for (size_t i = 0; i < sizeof GITHUB - 1; i++) { /* each digit matters */
		strcpy(text, GITHUB);
		text[i] = text[i] == '0' ? '1' : '0';
		assert_false(check(ENT_SIGN_HEX, ENT_SIGN_SHA256, NULL, text));
	}
	strcpy(text, GITHUB);
	text[20] = 0;
	assert_false(check(ENT_SIGN_HEX, ENT_SIGN_SHA256, NULL, text));
	assert_false(check(ENT_SIGN_HEX, ENT_SIGN_SHA512, NULL, GITHUB));
	assert_false(check(ENT_SIGN_HEX, ENT_SIGN_SHA256, "sha256=", GITHUB));
	assert_false(check(ENT_SIGN_PLAIN, ENT_SIGN_SHA256, NULL, "hus"));
	assert_false(check(ENT_SIGN_PLAIN, ENT_SIGN_SHA256, NULL, "hushh"));
	ent_sign_config c = {.form = ENT_SIGN_HEX};
	assert_false(ent_sign_check(&c, NULL, 0, GITHUB, body, sizeof body - 1));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(headers_as_they_come),
		cmocka_unit_test(what_is_wrong_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
