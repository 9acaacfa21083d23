/* SPDX-License-Identifier: Apache-2.0
 *
 * sources.NAME.from.poll: whom to ask, how often, how its pages follow each other, where one left off. One thread. */
#include <stdio.h>
#include <string.h>

#include "config/options.h"
#include "config/scalar.h"
#include "config/schema.h"
#include "config/stamp.h"
#include "config/values.h"

#define AT(member) offsetof(ent_poll_config, member)
#define SECOND INT64_C(1000000)
#define DAY (INT64_C(86400) * SECOND)

static const char *const pages_words[] = {"none", "header", "cursor", "number", "offset", NULL};

/* A JSON pointer, or the name of a member, which is written as a pointer from then on. */
static int pointer(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	for (const char *c = word.s; *c; c++) {
		if (*c == '~' && c[1] != '0' && c[1] != '1') {
			return ent_errors_add(p->errors, word.at, "write ~0 for a '~', ~1 for a '/'", "'%s' is no JSON pointer", word.s);
		}
	}
	if (*word.s != '/') {
		word.s = ent_arena_printf(p->arena, "/%s", word.s);
	}
	*(ent_word *)into = word;
	return 0;
}

static int query(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_poll_config *poll = into;
	return ent__pairs(p, f, node, &poll->query, &poll->n_query);
}

static int headers(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	static const ent__own_header own[] = {{"host", NULL}, {"content-length", NULL}, {"transfer-encoding", NULL}, {"connection", NULL},
		{"authorization", "write it under auth, where it is a reference to a secret"}, {"if-none-match", NULL},
		{"if-modified-since", NULL}, {"accept-encoding", NULL}, {NULL, NULL}};
	ent_poll_config *poll = into;
	return ent__headers(p, f, node, own, "poll", &poll->headers, &poll->n_headers);
}

/* A name need not be secret, but may be kept where the secrets are. */
static int name_or_secret(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	if (ent_config_secret_form(word.s)) {
		return ent__secret(p, f, node, into);
	}
	*(ent_word *)into = word;
	if (word.s[strcspn(word.s, "\r\n")]) {
		return ent_errors_add(p->errors, word.at, "write it in one line", "'%s' has more than one line", f->key);
	}
	return 0;
}

/* ---- since ------------------------------------------------------------------------------------------------------- */

static const char since_form[] = "{value: modified_gmt, start: 2023-01-01T00:00:00Z, overlap: 10m}";

/* clang-format off */
static const ent__field since_fields[] = {
	{.key = "value", .type = ENT__CUSTOM, .required = true, .custom = pointer, .form = "MEMBER or JSON pointer", .offset = AT(since),
		.doc = "Where in a record it stands. The largest one seen goes into `{since}` at the next interval, once all pages are in."},
	{.key = "start", .type = ENT__TEXT, .offset = AT(start),
		.doc = "Its value before anything was read. Without it, parts of `query` with `{since}` are left out the first time."},
	{.key = "overlap", .type = ENT__TEXT, .offset = AT(overlap),
		.doc = "How far before it to ask again: a duration for times, a number for numbers. What is not new counts once."},
	{.key = NULL}};
/* clang-format on */

static int since(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_poll_config *poll = into;
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent__fill(p, since_fields, node, poll);
	ent_stamp start = {0};
	if (poll->start.s) {
		start = ent_stamp_of(poll->start.s, strlen(poll->start.s));
	}
	poll->overlap_us = poll->overlap_n = 0;
	if (!poll->overlap.s) {
		return 0;
	}
	bool number = ent_int_parse(poll->overlap.s, &poll->overlap_n);
	if (!number && !ent_duration_parse(poll->overlap.s, &poll->overlap_us)) {
		return ent_errors_add(p->errors, poll->overlap.at, "write a duration like 10m, or a number for values that are numbers",
			"'overlap' does not take '%s'", poll->overlap.s);
	}
	if (poll->overlap_n < 0) {
		return ent_errors_add(p->errors, poll->overlap.at, "write how far to go back, without a sign", "'overlap' is below 0");
	}
	if (poll->start.s && poll->overlap_n | poll->overlap_us && (start.kind == ENT_STAMP_TIME) == number) {
		return ent_errors_add(p->errors, poll->overlap.at,
			start.kind == ENT_STAMP_TIME ? "write a duration like 10m" : "write a number", "'start' is %s, 'overlap' is not",
			start.kind == ENT_STAMP_TIME ? "a time" : "no time");
	}
	if (poll->start.s && poll->overlap_n | poll->overlap_us && start.kind == ENT_STAMP_TEXT) {
		return ent_errors_add(p->errors, poll->overlap.at, "take it out", "'start' is a text, from which nothing can be subtracted");
	}
	return 0;
}

/* ---- pages ------------------------------------------------------------------------------------------------------- */

static const char pages_form[] = "{by: header|cursor|number|offset, …}";

/* clang-format off */
static const ent__field pages_fields[] = {
	{.key = "(place)", .type = ENT__PLACE, .offset = AT(pages_at)},
	{.key = "by", .type = ENT__ENUM, .required = true, .choices = pages_words, .offset = AT(pages),
		.doc = "How the next page is found: `header`, its address is in a header as RFC 8288 has it (`Link: <…>; rel=\"next\"`); `cursor`, "
			"its address or what to ask with is in the page; `number`, the pages are counted; `offset`, the records are; "
			"`none`, there is one page."},
	{.key = "next", .type = ENT__TEXT, .offset = AT(next),
		.doc = "`header`: the header, `Link` if nothing is written. `cursor`: JSON pointer into the page, for example "
			"`/paging/next`; nothing, null or an empty text there: it was the last page."},
	{.key = "more", .type = ENT__CUSTOM, .custom = pointer, .form = "JSON pointer", .offset = AT(more),
		.doc = "`cursor`: where the page says `false` if it is the last one."},
	{.key = "param", .type = ENT__TEXT, .offset = AT(param),
		.doc = "Name in the query that carries cursor, number or offset. For `number` it is `page`, for `offset` it is `offset` if nothing "
			"is written; for `cursor`, without it the page holds an address."},
	{.key = "first", .type = ENT__INT, .least = 0, .most = INT64_C(1) << 40, .offset = AT(first),
		.doc = "Number or offset of the first page; 1 and 0 if nothing is written."},
	{.key = "size", .type = ENT__INT, .least = 1, .most = 1000000, .offset = AT(size),
		.doc = "Records of a full page: a page with fewer is the last one. Needed for `offset`; for `number` without it, the last one is "
			"the one that is empty."},
	{.key = NULL}};
/* clang-format on */

static int pages(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_poll_config *poll = into;
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent__fill(p, pages_fields, node, poll);
	static const struct {
		const char *key;
		bool by[ENT_PAGES_OFFSET + 1];
	} belongs[] = {{"next", {[ENT_PAGES_HEADER] = true, [ENT_PAGES_CURSOR] = true}}, {"more", {[ENT_PAGES_CURSOR] = true}},
		{"param", {[ENT_PAGES_CURSOR] = true, [ENT_PAGES_NUMBER] = true, [ENT_PAGES_OFFSET] = true}},
		{"first", {[ENT_PAGES_NUMBER] = true, [ENT_PAGES_OFFSET] = true}},
		{"size", {[ENT_PAGES_NUMBER] = true, [ENT_PAGES_OFFSET] = true}}};
	int by = (int)poll->pages;
	if (by < 0) {
		poll->pages = ENT_PAGES_NONE;
		return ENT_ERR_INVALID;
	}
	for (size_t i = 0; i < sizeof belongs / sizeof *belongs; i++) {
		const ent_yaml_node *item = ent_yaml_get(node, belongs[i].key);
		if (item && !belongs[i].by[by]) {
			ent_errors_add(p->errors, item->at, "take it out", "'%s' has no meaning with by: %s", belongs[i].key, pages_words[by]);
		}
	}
	if (by == ENT_PAGES_HEADER) {
		poll->next = poll->next.s ? poll->next : (ent_word){.s = "Link"};
		if (!ent__is_token(poll->next.s)) {
			ent_errors_add(p->errors, poll->next.at, "write for example Link", "'%s' cannot be the name of a header", poll->next.s);
		}
	}
	if (by == ENT_PAGES_CURSOR) {
		if (!poll->next.s) {
			return ent_errors_add(p->errors, node->at, "add next: JSON pointer, for example /paging/next", "'by: cursor' needs 'next'");
		}
		poll->next.s = *poll->next.s == '/' ? poll->next.s : ent_arena_printf(p->arena, "/%s", poll->next.s);
	}
	if (by == ENT_PAGES_NUMBER || by == ENT_PAGES_OFFSET) {
		poll->param = poll->param.s ? poll->param : (ent_word){.s = by == ENT_PAGES_NUMBER ? "page" : "offset"};
		poll->first = ent_yaml_get(node, "first") ? poll->first : by == ENT_PAGES_NUMBER;
	}
	if (by == ENT_PAGES_OFFSET && !poll->size) {
		return ent_errors_add(p->errors, node->at, "add size: records of a full page", "'by: offset' needs 'size'");
	}
	return 0;
}

/* ---- who we are -------------------------------------------------------------------------------------------------- */

static const char auth_form[] = "{bearer: SECRET}, or basic, header, oauth2";
static const char secret_form[] = "file:PATH, env:NAME or systemd:NAME";
static const char name_form[] = "TEXT, or file:PATH, env:NAME, systemd:NAME";

/* clang-format off */
static const ent__field basic_fields[] = {
	{.key = "user", .type = ENT__CUSTOM, .required = true, .custom = name_or_secret, .form = name_form, .offset = AT(user),
		.doc = "The name, or where it is kept."},
	{.key = "password", .type = ENT__CUSTOM, .required = true, .custom = ent__secret, .form = secret_form, .offset = AT(secret),
		.doc = "Where the password is kept."},
	{.key = NULL}};

static const ent__field header_fields[] = {
	{.key = "name", .type = ENT__TEXT, .required = true, .form = "X-Shopify-Access-Token", .offset = AT(user), .doc = "Of the header."},
	{.key = "value", .type = ENT__CUSTOM, .required = true, .custom = ent__secret, .form = secret_form, .offset = AT(secret),
		.doc = "Where its value is kept."},
	{.key = NULL}};

static const ent__field oauth2_fields[] = {
	{.key = "token_url", .type = ENT__CUSTOM, .required = true, .custom = ent__url, .form = "https://…", .offset = AT(token_url),
		.doc = "Where tokens are given out."},
	{.key = "client_id", .type = ENT__CUSTOM, .required = true, .custom = name_or_secret, .form = name_form, .offset = AT(user),
		.doc = "Who we are there."},
	{.key = "client_secret", .type = ENT__CUSTOM, .required = true, .custom = ent__secret, .form = secret_form, .offset = AT(secret),
		.doc = "Where the secret that goes with it is kept."},
	{.key = "scope", .type = ENT__TEXT, .offset = AT(scope), .doc = "What for, if the server asks."},
	{.key = NULL}};

static const ent__field auth_fields[] = {
	{.key = "bearer", .type = ENT__CUSTOM, .custom = ent__secret, .form = secret_form, .offset = AT(bearer),
		.doc = "A token that does not change: `Authorization: Bearer …`."},
	{.key = "basic", .type = ENT__STRUCT, .item = basic_fields, .form = "{user: …, password: …}", .doc = "Name and password."},
	{.key = "header", .type = ENT__STRUCT, .item = header_fields, .form = "{name: …, value: …}", .doc = "A header of its own."},
	{.key = "oauth2", .type = ENT__STRUCT, .item = oauth2_fields, .form = "{token_url: …, client_id: …, client_secret: …}",
		.doc = "Client credentials (RFC 6749, 4.4): a token is fetched, and another one before it expires or when it is refused."},
	{.key = NULL}};
/* clang-format on */

static int auth(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_poll_config *poll = into;
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	if (node->n != 1) {
		return ent_errors_add(p->errors, node->at, "write one of bearer, basic, header, oauth2",
			node->n ? "'auth' says in more than one way who we are" : "'auth' does not say who we are");
	}
	static const char *const words[] = {"", "bearer", "basic", "header", "oauth2"};
	for (int i = ENT_AUTH_BEARER; i <= ENT_AUTH_OAUTH2; i++) {
		poll->auth = strcmp(node->keys[0]->text, words[i]) == 0 ? (ent_auth_kind)i : poll->auth;
	}
	ent__fill(p, auth_fields, node, poll);
	poll->secret = poll->bearer.s ? poll->bearer : poll->secret;
	if (poll->auth == ENT_AUTH_HEADER && poll->user.s && !ent__is_token(poll->user.s)) {
		return ent_errors_add(p->errors, poll->user.at, "use letters, digits and '-'", "'%s' cannot be the name of a header",
			poll->user.s);
	}
	return 0;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const ent__field limits_fields[] = {
	{.key = "rate", .type = ENT__CUSTOM, .custom = ent__rate, .preset = "2/s", .form = "N/s, N/m or N/h", .offset = AT(rate),
		.doc = "Requests over a while, evenly spread, those for tokens and those that are tried again too."},
	{.key = "retry", .type = ENT__INT, .preset = "5", .least = 0, .most = 100, .offset = AT(retry),
		.doc = "How often a request is tried again that failed on the way, or was answered with 429, 500, 502, 503 or 504: after up to 1 s, "
			"2 s, 4 s, and so on to 5 minutes, by chance, or when the server says (`Retry-After`, at most an hour). After that, at the next "
			"interval."},
	{.key = "timeout", .type = ENT__DURATION, .preset = "30s", .least = 10000, .most = INT64_C(3600) * SECOND, .offset = AT(timeout_us),
		.doc = "How long a request may take, with its answer."},
	{.key = "connect", .type = ENT__DURATION, .preset = "10s", .least = 10000, .most = INT64_C(600) * SECOND, .offset = AT(connect_us),
		.doc = "How long finding and connecting to the server may take, TLS included."},
	{.key = "body", .type = ENT__SIZE, .preset = "20MB", .least = 1, .most = INT64_C(1) << 30, .offset = AT(body),
		.doc = "Bytes of one page, unpacked. A larger one is not read."},
	{.key = "pages", .type = ENT__INT, .preset = "1000", .least = 1, .most = 1000000, .offset = AT(pages_most),
		.doc = "Pages of one turn. What is left is fetched in the next one."},
	{.key = "redirects", .type = ENT__INT, .preset = "0", .least = 0, .most = 10, .offset = AT(redirects),
		.doc = "How often an answer may send us elsewhere. Another server is not told who we are."},
	{.key = NULL}};

const ent__field ent__poll_fields[] = {
	{.key = "(place)", .type = ENT__PLACE, .offset = AT(at)},
	{.key = "url", .type = ENT__CUSTOM, .required = true, .custom = ent__url, .form = "https://…", .offset = AT(url),
		.doc = "What to ask, without the query."},
	{.key = "every", .type = ENT__DURATION, .required = true, .least = 100000, .most = 400 * DAY, .offset = AT(every_us),
		.doc = "How often; up to a tenth earlier or later, by chance, so that not all ask at once."},
	{.key = "query", .type = ENT__CUSTOM, .custom = query, .form = "{NAME: TEXT}",
		.doc = "The query. `{since}` in a text stands for where one left off."},
	{.key = "headers", .type = ENT__CUSTOM, .custom = headers, .form = "{NAME: TEXT}", .doc = "More headers. Secrets stand under `auth`."},
	{.key = "records", .type = ENT__CUSTOM, .custom = pointer, .form = "JSON pointer", .offset = AT(records),
		.doc = "Where in a page the list of its records is, for example `/orders`. Without it, the page is the list, or one record. For "
			"decoders of JSON lines; others get the page as one document."},
	{.key = "since", .type = ENT__CUSTOM, .custom = since, .item = since_fields, .form = since_form,
		.doc = "Ask only for what is newer than what one has. Kept together with the records, so that it is never ahead of them."},
	{.key = "pages", .type = ENT__CUSTOM, .custom = pages, .item = pages_fields, .form = pages_form,
		.doc = "How pages follow each other. Without it, there is one."},
	{.key = "auth", .type = ENT__CUSTOM, .custom = auth, .item = auth_fields, .form = auth_form, .doc = "Who we are."},
	{.key = "ca", .type = ENT__PATH, .offset = AT(ca), .doc = "File of certificates (PEM) to trust in place of the system's."},
	{.key = "limits", .type = ENT__STRUCT, .item = limits_fields, .form = "{…}", .doc = "What one may ask of the server, and it of us."},
	{.key = NULL}};
/* clang-format on */

int ent__poll(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent_poll_config *poll = ent_arena_alloc(p->arena, sizeof *poll);
	poll->url.at = node->at;
	ent__fill(p, ent__poll_fields, node, poll);
	bool asks = false;
	for (size_t i = 0; i < poll->n_query; i++) {
		asks |= strstr(poll->query[i].value.s, "{since}") != NULL;
		if (!ent_yaml_get(node, "since") && strstr(poll->query[i].value.s, "{since}")) {
			ent_errors_add(p->errors, poll->query[i].value.at, "add since: {value: …}", "there is no 'since' that {since} could stand for");
		}
		if (poll->param.s && strcmp(poll->query[i].key.s, poll->param.s) == 0) {
			ent_errors_add(p->errors, poll->query[i].key.at, "take it out", "'%s' in 'query' is written by 'pages'", poll->param.s);
		}
	}
	if (poll->since.s && !asks) {
		ent_errors_add(p->errors, poll->since.at, "write it where it belongs, for example query: {modified_after: \"{since}\"}",
			"'since' is found in no text of 'query'");
	}
	const char *authority = poll->url.s ? strstr(poll->url.s, "//") + 2 : "";
	if (memchr(authority, '@', strcspn(authority, "/?#"))) { /* the address is not repeated */
		ent_errors_add(p->errors, poll->url.at, "take them out, and write auth: {basic: {user: …, password: file:PATH}}",
			"'url' has a name or a password in it");
	}
	if (poll->url.s && strpbrk(poll->url.s, "?#")) {
		ent_errors_add(p->errors, poll->url.at, "write it under query", "'url' has a query in it");
	}
	*(const ent_poll_config **)into = poll;
	return 0;
}

void ent__polls_check(ent__parser *p, const ent_config *config) {
	for (size_t i = 0; i < config->n_sources; i++) {
		const ent_config_source *s = &config->sources[i];
		if (!s->from.poll) {
			continue;
		}
		if (s->partner.from == ENT_PARTNER_PATH) {
			ent_errors_add(p->errors, s->partner.at, "write partner: ID, or {from: fact}", "what is polled has no path");
		}
		if (!s->decode.name.s) {
			ent_errors_add(p->errors, s->decode.at.line ? s->decode.at : s->from.poll->at, "name the decoder in decode:",
				"a poll has no file whose first bytes could tell the format");
		}
	}
}
