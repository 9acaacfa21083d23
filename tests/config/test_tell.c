/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of `tell:` in the configuration: what it gives, and the place of each error. */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define HEAD "version: 1\ncurrency: EUR\npartners: {alder: {}}\ntell:\n  team:\n"
#define HOOK HEAD "    to: {webhook: {url: https://hooks.example.com/x}}\n"
#define MAIL HEAD "    to: {mail: {server: mail.example.com, from: e@example.com, to: a@example.com"
#define ALERT HEAD "    to: {alertmanager: {url: http://alerts:9093}}\n"

static ent_errors errors;

static ent_config *parse(const char *text) {
	ent_config *config;
	memset(&errors, 0, sizeof errors);
	ent_config_parse(text, strlen(text), "e.yaml", "/etc/entente", &config, &errors);
	return config;
}

static void whole(void **state) {
	(void)state;
	ent_config *c = parse(HEAD
		"    to:\n      webhook:\n        url: http://10.0.0.1/hook\n        secret: file:key\n        allow_private: true\n"
		"        headers: {Authorization: file:token, X-Team: sales}\n"
		"    for: {partners: alder, kinds: [red_flag, gate], severity: medium, practices: [pace], rules: [r], on: [opened, worse]}\n"
		"    group: 30s\n    retry: 2h\n    template: told.txt\n"
		"    quiet: [{from: \"20:00\", to: \"07:30\", zone: Europe/Berlin, except: high}, {days: [sat, sun]}]\n"
		"  ops: {to: {alertmanager: {url: \"http://alerts:9093\", repeat: 30s}}}\n"
		"  mail: {to: {mail: {server: mail.example.com:2525, from: e@example.com, to: [a@example.com, b@example.com], user: u, "
		"password: env:P}}}\n"
		"serve: {url: https://entente.example.com}\n");
	char line[2048];
	if (!c) {
		fail_msg("%s", ent_error_text(&errors.e[0], line, sizeof line));
	}
	assert_int_equal(c->n_tell, 3);
	const ent_config_tell *t = &c->tell[0];
	assert_string_equal(t->name.s, "team");
	assert_int_equal(t->way, ENT_TELL_WEBHOOK);
	assert_string_equal(t->url.s, "http://10.0.0.1/hook");
	assert_string_equal(t->secret.s, "file:/etc/entente/key");
	assert_true(t->allow_private);
	assert_int_equal(t->n_headers, 2);
	assert_string_equal(t->headers[0].value.s, "file:/etc/entente/token");
	assert_int_equal(t->kinds, 3);
	assert_int_equal(t->severity, 1);
	assert_int_equal(t->on, 1 << ENT_TELL_OPENED | 1 << ENT_TELL_WORSE);
	assert_int_equal(t->group_us, 30000000);
	assert_int_equal(t->retry_us, INT64_C(7200000000));
	assert_string_equal(t->template.s, "/etc/entente/told.txt");
	assert_int_equal(t->n_quiet, 2);
	assert_int_equal(t->quiet[0].from, 20 * 60);
	assert_int_equal(t->quiet[0].to, 7 * 60 + 30);
	assert_int_equal(t->quiet[0].except, 2);
	assert_int_equal(t->quiet[0].days, 0);
	assert_int_equal(t->quiet[1].from, 0);
	assert_int_equal(t->quiet[1].to, 24 * 60);
	assert_int_equal(t->quiet[1].except, -1);
	assert_int_equal(t->quiet[1].days, 0x60);
	assert_int_equal(c->tell[1].way, ENT_TELL_ALERTMANAGER);
	assert_int_equal(c->tell[1].repeat_us, 30000000);
	assert_int_equal(c->tell[1].on, 15);
	t = &c->tell[2];
	assert_int_equal(t->way, ENT_TELL_MAIL);
	assert_int_equal(t->mail_to.n, 2);
	assert_int_equal(t->severity, -1);
	assert_int_equal(t->group_us, 60000000);
	assert_int_equal(t->tls, ENT_TELL_TLS_START);
	assert_string_equal(c->serve.url.s, "https://entente.example.com");
	ent_config_destroy(c);
}

static const struct fault {
	const char *text, *expected;
} faults[] = {
	{HEAD "    group: 1m\n", "e.yaml:6:5: 'to' is missing; add to: {webhook: {…}}, or mail, alertmanager"},
	{HEAD "    to: {}\n", "e.yaml:6:9: 'to' does not say where; write one of webhook, mail, alertmanager; a second one is a target of its own"},
	{HEAD "    to: {webhook: {url: https://a}, alertmanager: {url: http://b}}\n",
		"e.yaml:6:9: 'to' names more than one way; write one of webhook, mail, alertmanager; a second one is a target of its own"},
	{HEAD "    to: {webhook: {url: hooks.example.com/secret}}\n",
		"e.yaml:6:25: 'url' is no address of a web server; write for example https://hooks.example.com/entente"},
	{HEAD "    to: {webhook: {}}\n", "e.yaml:6:19: 'url' is missing; add url: https://…"},
	{HEAD "    to: {webhook: {url: https://a, secret: hush}}\n",
		"e.yaml:6:44: 'secret' takes a reference, not the secret itself; write where it is kept: file:PATH, env:NAME or systemd:NAME"},
	{HEAD "    to: {webhook: {url: https://a, allow_private: perhaps}}\n",
		"e.yaml:6:51: 'allow_private' does not take 'perhaps'; write true or false"},
	{HEAD "    to: {webhook: {url: https://a, headers: {\"X Y\": a}}}\n",
		"e.yaml:6:46: 'X Y' cannot be the name of a header; use letters, digits and '-'"},
	{HEAD "    to: {webhook: {url: https://a, headers: {Entente-Signature: a}}}\n",
		"e.yaml:6:46: the header 'Entente-Signature' is written by the service itself; take it out"},
	{HEAD "    to: {webhook: {url: https://a, headers: {X-A: \"a\\r\\nX-B: b\"}}}\n",
		"e.yaml:6:51: the header 'X-A' has a control character; write it in one line"},
	{HEAD "    to: {mail: {server: mail.example.com, from: e@example.com}}\n", "e.yaml:6:16: 'to' is missing; add to: [NAME@HOST, …]"},
	{HEAD "    to: {mail: {server: \"smtp://mail\", from: e@example.com, to: a@b}}\n",
		"e.yaml:6:25: 'smtp://mail' is no mail server; write for example mail.example.com:587"},
	{HEAD "    to: {mail: {server: mail, from: e@example.com, to: [\"a@b\\r\\nRCPT TO:<x@y>\"]}}\n",
		"e.yaml:6:57: 'a@b\r\nRCPT TO:<x@y>' is no mail address; write it bare, for example team@example.com"},
	{HEAD "    to: {mail: {server: mail, from: Team, to: a@b}}\n",
		"e.yaml:6:37: 'Team' is no mail address; write it bare, for example team@example.com"},
	{MAIL ", user: u}}\n", "e.yaml:6:89: a login has a user and a password; write both, or none"},
	{MAIL ", user: u, password: env:P, tls: none}}\n",
		"e.yaml:6:89: the password would be sent for anybody to read; write tls: starttls, or take out user and password"},
	{MAIL "}}\n    template: a.json\n",
		"e.yaml:7:15: the template of a mail cannot be '/etc/entente/a.json'; name it .txt for plain text, or .html"},
	{HOOK "    template: a.html\n",
		"e.yaml:7:15: the template of a webhook cannot be '/etc/entente/a.html'; name it .txt for the text of the message, or "
		".json for all of it"},
	{HOOK "    for: {kinds: [red_flags]}\n", "e.yaml:7:19: 'kinds' does not take 'red_flags'; did you mean 'red_flag'?"},
	{HOOK "    for: {partners: [adler]}\n", "e.yaml:7:22: there is no partner 'adler'; did you mean 'alder'?"},
	{HOOK "    for: {on: [closed]}\n", "e.yaml:7:16: 'on' does not take 'closed'; did you mean 'cleared'?"},
	{HOOK "    for: {severity: highest}\n", "e.yaml:7:21: 'severity' does not take 'highest'; did you mean 'high'?"},
	{HOOK "    quiet: {from: 8pm}\n", "e.yaml:7:19: '8pm' is no time of day; write for example \"22:00\""},
	{HOOK "    quiet: {from: \"20:00\", zone: Europe/Berlni}\n",
		"e.yaml:7:34: 'zone' does not know the time zone 'Europe/Berlni'; did you mean 'Europe/Berlin'?"},
	{HOOK "    quiet: {zone: UTC}\n", "e.yaml:7:12: 'quiet' names neither hours nor days: it would never end; write for example "
								   "quiet: {from: \"20:00\", to: \"07:00\", zone: Europe/Berlin}"},
	{HOOK "    quiet: {days: [monday]}\n", "e.yaml:7:20: 'days' does not take 'monday'; one of: mon, tue, wed, thu, fri, sat, sun"},
	{ALERT "    quiet: {days: [sun]}\n", "e.yaml:7:12: 'quiet' does nothing for an alertmanager; take it out; Alertmanager groups, "
										 "waits and words by its own configuration"},
	{ALERT "    for: {on: opened}\n", "e.yaml:7:15: 'on' does nothing for an alertmanager; take it out; an alert fires while the "
									  "finding is open, and is resolved then"},
};

static void each_fault(void **state) {
	(void)state;
	char line[2048];
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		assert_null(parse(faults[i].text));
		assert_string_equal(ent_error_text(&errors.e[0], line, sizeof line), faults[i].expected);
		assert_int_equal(errors.total, 1);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(whole), cmocka_unit_test(each_fault)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
