/* SPDX-License-Identifier: Apache-2.0
 *
 * `serve:` of entente.yaml: where the service listens, and what it takes from whom. One thread.
 */
#include "config/schema.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "config/scalar.h"
#include "config/values.h"

#define AT(member) offsetof(ent_serve_config, member)

bool ent_listen_parse(const char *text, ent_listen *out) {
	const char *colon = strrchr(text, ':');
	size_t host = colon ? (size_t)(colon - text) : 0;
	int64_t port;
	*out = (ent_listen){0};
	if (!colon || !host || !ent_int_parse(colon + 1, &port) || port < 0 || port > 65535) {
		return false;
	}
	bool bracket = text[0] == '[' && text[host - 1] == ']';
	if (bracket) {
		text++;
		host -= 2;
	}
	if (host >= sizeof out->host) {
		return false;
	}
	memcpy(out->host, text, host);
	if (strcmp(out->host, "localhost") == 0) {
		strcpy(out->host, "127.0.0.1");
	}
	struct in_addr four;
	struct in6_addr six;
	out->six = bracket && inet_pton(AF_INET6, out->host, &six) == 1;
	if (!out->six && (bracket || inet_pton(AF_INET, out->host, &four) != 1)) {
		return false;
	}
	out->port = (uint16_t)port;
	out->loopback = out->six ? IN6_IS_ADDR_LOOPBACK(&six) : (ntohl(four.s_addr) >> 24) == 127;
	return true;
}

static int listens(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_serve_config *serve = into;
	if (node->kind == ENT_YAML_LIST && node->n == 0) {
		return 0; /* on the socket in the store alone */
	}
	if (!ent__words(p, node, f->key, &serve->listen)) {
		return ENT_ERR_INVALID;
	}
	for (size_t i = 0; i < serve->listen.n; i++) {
		ent_listen address;
		ent_word word = serve->listen.v[i];
		if (!ent_listen_parse(word.s, &address)) {
			ent_errors_add(p->errors, word.at, "write for example 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:443",
				"'%s' is no address to listen on", word.s);
		}
	}
	return 0;
}

/* clang-format off */
static const ent__field tls_fields[] = {
	{.key = "certificate", .type = ENT__PATH, .offset = AT(certificate),
		.doc = "File with the certificate and those between it and the root, PEM. A renewed one is taken up within a minute."},
	{.key = "key", .type = ENT__CUSTOM, .custom = ent__secret, .offset = AT(key),
		.form = "file:PATH, env:NAME or systemd:NAME", .doc = "Its private key, PEM, without a password."},
	{.key = "terminated", .type = ENT__CUSTOM, .custom = ent__flag, .preset = "false", .offset = AT(terminated),
		.form = "true or false",
		.doc = "A proxy in front speaks TLS, and nobody else reaches this port. Clients are then told apart by the last address in "
			"`X-Forwarded-For`."},
	{.key = NULL}};

const ent__field ent__serve_fields[] = {
	{.key = "(place)", .type = ENT__PLACE, .offset = AT(at)},
	{.key = "listen", .type = ENT__CUSTOM, .custom = listens, .preset = "127.0.0.1:8080", .form = "HOST:PORT, or several",
		.doc = "Addresses for the page, the API and webhooks. Port 0: one that is free. Others than this machine's own need `tls`. "
			"`[]`: only `control.sock` in the store, which is always there."},
	{.key = "hosts", .type = ENT__TEXTS, .offset = AT(hosts), .form = "[NAME, …]",
		.doc = "Names by which it is reached, beside localhost and the address itself. Requests for other names are refused, so that "
			"no web site can make a browser talk to it."},
	{.key = "url", .type = ENT__CUSTOM, .custom = ent__url, .form = "https://…", .offset = AT(url),
		.doc = "Where people reach the page: links in messages (`tell`) begin with it. Without it, they have none."},
	{.key = "tls", .type = ENT__STRUCT, .item = tls_fields, .form = "{…}", .doc = "Encryption."},
	{.key = "rate", .type = ENT__CUSTOM, .custom = ent__rate, .preset = "100/s", .offset = AT(rate), .form = "N/s, N/m or N/h",
		.doc = "Requests of one client over a while; twice as many at once. Beyond it, 429. Webhooks that are signed, and whoever comes "
			"through `control.sock`, are not counted."},
	{.key = "body", .type = ENT__SIZE, .preset = "1MB", .least = 1024, .most = INT64_C(1) << 30, .offset = AT(body),
		.doc = "The largest body of a request. Beyond it, 413."},
	{.key = "timeout", .type = ENT__DURATION, .preset = "30s", .least = 100000, .most = INT64_C(3600) * 1000000,
		.offset = AT(timeout_us),
		.doc = "How long the head of a request may take, its body, and the answer; also how long a connection is kept without one."},
	{.key = "connections", .type = ENT__INT, .preset = "512", .least = 4, .most = 65536, .offset = AT(connections),
		.doc = "Connections at once; one client may have a quarter of them, unless it is this machine or behind a proxy."},
	{.key = NULL}};
/* clang-format on */

void ent__serve_check(ent__parser *p, const ent_serve_config *serve) {
	if (serve->certificate.s && !serve->key.s) {
		ent_errors_add(p->errors, serve->certificate.at, "add key: file:PATH", "'tls' has a certificate and no key");
	}
	if (serve->key.s && !serve->certificate.s) {
		ent_errors_add(p->errors, serve->key.at, "add certificate: PATH", "'tls' has a key and no certificate");
	}
	if (serve->terminated && serve->certificate.s) {
		ent_errors_add(p->errors, serve->certificate.at, "take out either",
			"'tls' has a certificate, and says that a proxy terminates TLS");
	}
	for (size_t i = 0; i < serve->listen.n; i++) {
		ent_listen address;
		ent_word word = serve->listen.v[i];
		if (ent_listen_parse(word.s, &address) && !address.loopback && !serve->certificate.s && !serve->terminated) {
			ent_errors_add(p->errors, word.at,
				"add tls: {certificate: PATH, key: file:PATH}, or tls: {terminated: true} if a proxy does it",
				"'%s' can be reached from other machines, and would take tokens without encryption", word.s);
		}
	}
	for (size_t i = 0; i < serve->hosts.n; i++) {
		ent_word word = serve->hosts.v[i];
		if (strpbrk(word.s, "/:@ *")) {
			ent_errors_add(p->errors, word.at, "write the name alone, for example entente.example.org",
				"'%s' is no name of a host", word.s);
		}
	}
}
