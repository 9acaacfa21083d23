/* SPDX-License-Identifier: Apache-2.0
 *
 * What a webhook is sent: a JSON object that programs read, with a `text` that chat rooms show. See message.h. */
#include "base/day.h"
#include "base/json.h"
#include "tell/message.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text && *text ? text : NULL);
}

static void change(ent_json *j, const ent__letter *letter, const ent_notice *x) {
	char id[9], day[16], at[32];
	ent_buf link = {0};
	ent_finding_id(ent_notice_named(x), x->partner, x->key, id);
	ent__instant(x->at_us, at);
	ent_json_object(j);
	member(j, "change", x->change);
	member(j, "at", at);
	member(j, "id", id);
	member(j, "partner", x->partner);
	member(j, "partner_name", ent__partner_name(letter->config, x->partner));
	member(j, "rule", x->rule);
	member(j, "key", x->key);
	member(j, "kind", x->kind);
	member(j, "severity", x->severity);
	member(j, "practice", x->practice);
	member(j, "text", x->text);
	ent_json_key(j, "worth");
	if (x->has_worth) {
		ent_json_decimal(j, x->worth, 6);
	} else {
		ent_json_null(j);
	}
	member(j, "since", ent_day_text(x->first_day, day));
	member(j, "as_of", ent_day_text(x->as_of, day));
	ent_json_key(j, "evidence");
	ent_json_array(j);
	for (const char *p = x->evidence, *end; *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, '\n');
		ent_json_text_n(j, p, (size_t)(end - p));
	}
	ent_json_end(j);
	ent__finding_link(letter->config, x, &link);
	ent_buf_u8(&link, 0);
	member(j, "link", (char *)link.data);
	ent_buf_finish(&link);
	ent_json_end(j);
}

void ent__webhook_body(const ent__letter *letter, const ent__message *m, ent_buf *out) {
	const char *file = letter->target->template.s, *dot = file ? strrchr(file, '.') : NULL;
	if (letter->template && dot && !strcmp(dot, ".json")) {
		ent__template_render(letter->template, ENT__FORM_JSON, letter, m, out);
		return;
	}
	ent_json j;
	ent_buf text = {0};
	char at[32];
	ent__instant(ent__message_at(m), at);
	ent__template_render(letter->template ? letter->template : ent__text_template, ENT__FORM_TEXT, letter, m, &text);
	size_t skip = text.n > 9 && !memcmp(text.data, "Subject: ", 9) ? 9 : 0;
	ent_json_init(&j, out, false);
	ent_json_object(&j);
	member(&j, "delivery", m->id);
	member(&j, "target", letter->target->name.s);
	member(&j, "at", at);
	ent_json_key(&j, "test");
	ent_json_bool(&j, m->test);
	ent_json_key(&j, "text");
	ent_json_text_n(&j, text.n ? (char *)text.data + skip : "", text.n - skip);
	ent_json_key(&j, "count");
	ent_json_uint(&j, m->test ? 0 : m->total);
	ent_json_key(&j, "changes");
	ent_json_array(&j);
	for (size_t i = 0; i < m->n; i++) {
		change(&j, letter, &m->changes[i]);
	}
	ent_json_end(&j);
	ent_json_end(&j);
	ent_buf_finish(&text);
}

void ent__webhook_sign(const char *secret, size_t n, int64_t seconds, const char *body, size_t body_n, char out[72]) {
	crypto_auth_hmacsha256_state h;
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	char time[32];
	int length = snprintf(time, sizeof time, "%lld.", (long long)seconds);
	crypto_auth_hmacsha256_init(&h, (const uint8_t *)secret, n);
	crypto_auth_hmacsha256_update(&h, (const uint8_t *)time, (size_t)length);
	crypto_auth_hmacsha256_update(&h, (const uint8_t *)body, body_n);
	crypto_auth_hmacsha256_final(&h, mac);
	memcpy(out, "v1=", 3);
	sodium_bin2hex(out + 3, 65, mac, sizeof mac);
}
