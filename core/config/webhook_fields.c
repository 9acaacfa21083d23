/* SPDX-License-Identifier: Apache-2.0
 *
 * sources.NAME.from.webhook: where deliveries come in, and how one knows that they are genuine. One thread. */
#include <stdio.h>
#include <string.h>

#include "base/intern.h"
#include "config/options.h"
#include "config/schema.h"
#include "config/values.h"

#define AT(type, member) offsetof(type, member)
#define END                                                                                                            \
	{ .key = NULL }

static const char *const form_words[] = {"base64", "hex", "plain", NULL};
static const char *const hash_words[] = {"sha256", "sha512", "sha1", NULL};
static const char *const over_words[] = {"body", NULL};

static int header(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	if (!ent__is_token(word.s)) {
		return ent_errors_add(
			p->errors, word.at, "write for example X-Shopify-Hmac-Sha256", "'%s' cannot be the name of a header", word.s);
	}
	*(ent_word *)into = word;
	return 0;
}

static int secrets(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	size_t n = node->kind == ENT_YAML_LIST ? node->n : 1;
	ent_word *v = ent_arena_alloc(p->arena, (n + 1) * sizeof *v);
	bool good = true;
	for (size_t i = 0; i < n; i++) {
		good &= ent__secret(p, f, node->kind == ENT_YAML_LIST ? node->items[i] : node, &v[i]) == 0;
	}
	if (good && !n) {
		return ent_errors_add(p->errors, node->at, "write where it is kept: file:PATH, env:NAME or systemd:NAME",
			"'%s' is empty: nothing could be genuine", f->key);
	}
	if (good) {
		*(ent_words *)into = (ent_words){v, n};
	}
	return good ? 0 : ENT_ERR_INVALID;
}

/* What a server would take apart differently than it was meant is refused here. */
static int path(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	if (strncmp(word.s, "/in/", 4) != 0 || !word.s[4]) {
		return ent_errors_add(p->errors, word.at, "write for example /in/nordwind/shopify",
			"'%s' is no path for a webhook: they all begin with /in/", word.s);
	}
	bool bad = strstr(word.s, "//") || strstr(word.s, "/./") || strstr(word.s, "/../") || word.s[strlen(word.s) - 1] == '/';
	for (const char *c = word.s; *c; c++) {
		bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
		bad |= !letter && !strchr("/-_.~", *c);
	}
	if (bad) {
		return ent_errors_add(p->errors, word.at, "use letters, digits, '-', '_', '.' and single slashes",
			"'%s' cannot be the path of a webhook", word.s);
	}
	*(ent_word *)into = word;
	return 0;
}

/* clang-format off */
static const ent__field sign_fields[] = {
	{.key = "(place)", .type = ENT__PLACE, .offset = AT(ent_sign_config, at)},
	{.key = "header", .type = ENT__CUSTOM, .required = true, .custom = header, .offset = AT(ent_sign_config, header),
		.form = "NAME", .doc = "The header that carries the signature, for example `X-Shopify-Hmac-Sha256`."},
	{.key = "secrets", .type = ENT__CUSTOM, .required = true, .custom = secrets, .offset = AT(ent_sign_config, secrets),
		.form = "[file:PATH, …], or env:NAME, systemd:NAME",
		.doc = "What sender and receiver share. Any of them will do: to change it, write the new one beside the old one, "
			"change it at the sender, take the old one out."},
	{.key = "form", .type = ENT__ENUM, .preset = "base64", .choices = form_words, .offset = AT(ent_sign_config, form),
		.doc = "How the signature is written. `plain`: there is none, the header carries the secret itself."},
	{.key = "prefix", .type = ENT__TEXT, .offset = AT(ent_sign_config, prefix),
		.doc = "What stands before it in the header, for example `sha256=`."},
	{.key = "hash", .type = ENT__ENUM, .preset = "sha256", .choices = hash_words, .offset = AT(ent_sign_config, hash),
		.doc = "The hash of the HMAC."},
	{.key = "over", .type = ENT__ENUM, .preset = "body", .choices = over_words, .offset = AT(ent_sign_config, over),
		.doc = "What is signed: the body, byte by byte as it came."},
	END};

static const ent__field once_fields[] = {
	{.key = "header", .type = ENT__CUSTOM, .required = true, .custom = header, .form = "NAME", .offset = 0,
		.doc = "The header with the id of the delivery, for example `X-Shopify-Webhook-Id`."},
	END};

const ent__field ent__webhook_fields[] = {
	{.key = "(place)", .type = ENT__PLACE, .offset = AT(ent_webhook_config, at)},
	{.key = "path", .type = ENT__CUSTOM, .required = true, .custom = path, .offset = AT(ent_webhook_config, path),
		.form = "/in/NAME", .doc = "Path of the endpoint. The source's partner follows from it alone, never from what is sent."},
	{.key = "sign", .type = ENT__STRUCT, .required = true, .item = sign_fields, .offset = AT(ent_webhook_config, sign),
		.form = "{header: …, secrets: […]}", .doc = "How a delivery proves that it is genuine."},
	{.key = "once_by", .type = ENT__STRUCT, .item = once_fields, .offset = AT(ent_webhook_config, once_by),
		.form = "{header: NAME}",
		.doc = "A delivery whose id came before (see `inbox.remember`) is acknowledged and not read again."},
	{.key = "limit", .type = ENT__SIZE, .preset = "1MB", .least = 1, .most = INT64_C(1) << 30,
		.offset = AT(ent_webhook_config, limit), .doc = "Bytes of one delivery; more is refused (413)."},
	END};
/* clang-format on */

int ent__webhook(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent_webhook_config *w = ent_arena_alloc(p->arena, sizeof *w);
	ent__fill(p, ent__webhook_fields, node, w);
	*(const ent_webhook_config **)into = w;
	return 0;
}

void ent__webhooks_check(ent__parser *p, const ent_config *config) {
	ent_intern paths;
	ent_intern_init(&paths);
	for (size_t i = 0; i < config->n_sources; i++) {
		const ent_config_source *s = &config->sources[i];
		const ent_webhook_config *w = s->from.webhook;
		if (!w) {
			continue;
		}
		if (s->partner.from != ENT_PARTNER_FIXED) {
			ent_errors_add(p->errors, s->partner.at.line ? s->partner.at : w->at, "write partner: ID",
				"a webhook is one partner's: its path and its secret say whose");
		}
		if (!s->decode.name.s) {
			ent_errors_add(p->errors, s->decode.at.line ? s->decode.at : w->at, "name the decoder in decode:",
				"a webhook has no file whose first bytes could tell the format");
		}
		if (!w->path.s) {
			continue;
		}
		if (ent_intern_find(&paths, w->path.s, strlen(w->path.s)) != UINT32_MAX) {
			ent_errors_add(p->errors, w->path.at, "give each source a path of its own", "two sources listen at %s", w->path.s);
		}
		ent_intern_put(&paths, w->path.s, strlen(w->path.s));
	}
	ent_intern_finish(&paths);
}
