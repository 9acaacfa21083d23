/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks from the configuration to the inbox: path, secrets, what is genuine, which form it is kept in. */
#include "inbox_bench.h"
#include "transport/sign.h"
#include "transport/webhook.h"

static const char yaml[] =
	"version: 1\ncurrency: EUR\npartners: {p: {}, q: {}}\nsources:\n"
	"  p-hooks:\n    partner: p\n    decode: shopify\n    from:\n      webhook:\n        path: /in/p/shopify\n"
	"        sign: {header: X-Shopify-Hmac-Sha256, secrets: [env:ENT_T_NEW, env:ENT_T_OLD]}\n"
	"        once_by: {header: X-Shopify-Webhook-Id}\n        limit: 2kB\n"
	"  q-hooks:\n    partner: q\n    decode: shop\n    from: {webhook: {path: /in/p, sign: {header: X-S, form: plain, secrets: env:ENT_T_OLD}}}\n";

typedef struct request {
	const char *signature, *id, *type;
} request;

static const char *header(void *ctx, const char *name) {
	const request *r = ctx;
	return !strcmp(name, "X-Shopify-Hmac-Sha256") || !strcmp(name, "X-S") ? r->signature
		   : !strcmp(name, "X-Shopify-Webhook-Id")                         ? r->id
		   : !strcmp(name, "Content-Type")                                 ? r->type
																		   : NULL;
}

static ent_config *config(void) {
	static ent_errors errors;
	ent_config *c = NULL;
	errors = (ent_errors){0};
	if (ent_config_parse(yaml, sizeof yaml - 1, "e.yaml", "/tmp", &c, &errors)) {
		fail_msg("%s", errors.e[0].what);
	}
	return c;
}

static void from_path_to_inbox(void **state) {
	bench *b = *state;
	setenv("ENT_T_NEW", "new", 1);
	setenv("ENT_T_OLD", "old", 1);
	ent_config *c = config();
	static ent_errors errors;
	ent_webhooks *hooks;
	assert_int_equal(ent_webhooks_open(&hooks, c, &errors), 0);
	assert_null(ent_webhook_find(hooks, "/in/p/shopif", 12));
	assert_null(ent_webhook_find(hooks, "/in/p/shopify/", 14));
	assert_null(ent_webhook_find(hooks, "/in/p\0", 6));
	assert_null(ent_webhook_find(hooks, "", 0));
	assert_string_equal(ent_webhook_source(ent_webhook_find(hooks, "/in/p", 5)), "q-hooks");
	const ent_webhook *w = ent_webhook_find(hooks, "/in/p/shopify?x", 13);
	assert_non_null(w);
	assert_string_equal(ent_webhook_source(w), "p-hooks");
	assert_int_equal(ent_webhook_limit(w), 2048);
	static const char body[] = "{\n \"id\": 5\n}\n";
	size_t n = sizeof body - 1;
	for (int i = 0; i < 3; i++) {
		const char *secrets[] = {"new", "old", "other"};
		uint8_t mac[ENT_SIGN_BYTES];
		char text[ENT_SIGN_TEXT_MAX];
		ent_sign_text(ENT_SIGN_BASE64, mac, ent_sign(ENT_SIGN_SHA256, (ent_str){secrets[i], strlen(secrets[i])}, body, n, mac), text);
		request r = {.signature = text};
		assert_int_equal(ent_webhook_verify(w, header, &r, body, n), i < 2);
		assert_false(ent_webhook_verify(w, header, &r, body, n - 1));
	}
	request none = {0}, once = {.id = "d-1", .type = "application/json; charset=utf-8"};
	assert_false(ent_webhook_verify(w, header, &none, body, n));
	ent_inbox_form_set(b->inbox, "p-hooks", ENT_INBOX_LINES);
	ent_webhook_put(w, b->inbox, header, &once, body, n, on_done, b);
	wait_told(b, 1);
	assert_int_equal(b->outcome, 0);
	ent_webhook_put(w, b->inbox, header, &once, body, n, on_done, b);
	wait_told(b, 2);
	assert_int_equal(b->outcome, ENT_INBOX_REPEATED);
	ent_webhook_put(w, b->inbox, header, &none, body, n, on_done, b);
	wait_told(b, 3);
	ent_inbox_status status;
	ent_inbox_status_of(b->inbox, "p-hooks", &status);
	assert_int_equal(status.records, 2);
	ent_inbox_file *files;
	size_t n_files;
	ent_inbox_files(b->inbox, "p-hooks", &files, &n_files);
	assert_int_equal(n_files, 1);
	assert_true(files[0].log);
	ent_inbox_files_free(files, n_files);
	/* a decoder that wants documents gets them, and knows by the name what they are */
	ent_webhook_put(ent_webhook_find(hooks, "/in/p", 5), b->inbox, header, &once, body, n, on_done, b);
	wait_told(b, 4);
	ent_inbox_files(b->inbox, "q-hooks", &files, &n_files);
	assert_int_equal(n_files, 1);
	assert_string_equal(files[0].name, ".inbox/00000001-000001.doc.json");
	assert_int_equal(files[0].size, n);
	ent_inbox_files_free(files, n_files);
	ent_webhooks_close(hooks);
	ent_config_destroy(c);
}

static void a_secret_that_is_missing_is_told_with_its_place(void **state) {
	(void)state;
	setenv("ENT_T_NEW", "new", 1);
	unsetenv("ENT_T_OLD");
	ent_config *c = config();
	static ent_errors errors;
	ent_webhooks *hooks;
	errors = (ent_errors){0};
	assert_int_equal(ent_webhooks_open(&hooks, c, &errors), ENT_ERR_INVALID);
	assert_null(hooks);
	assert_int_equal(errors.total, 2);
	char line[1400];
	assert_string_equal(ent_error_text(&errors.e[0], line, sizeof line),
		"e.yaml:11:72: environment variable ENT_T_OLD, which holds a secret, is not set; set it, or use file: or systemd:");
	ent_config_destroy(c);
}

static void answers(void **state) {
	(void)state;
	assert_int_equal(ent_webhook_answer(0), 200);
	assert_int_equal(ent_webhook_answer(ENT_INBOX_REPEATED), 200);
	assert_int_equal(ent_webhook_answer(ENT_ERR_BUSY), 429);
	assert_int_equal(ent_webhook_answer(ENT_ERR_IO), 503);
	assert_int_equal(ent_webhook_answer(ENT_ERR_STOPPED), 503);
	assert_int_equal(ent_webhook_answer(ENT_ERR_RANGE), 413);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(from_path_to_inbox, bench_set_up, bench_tear_down),
		cmocka_unit_test(a_secret_that_is_missing_is_told_with_its_place),
		cmocka_unit_test(answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
