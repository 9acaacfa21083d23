/* SPDX-License-Identifier: Apache-2.0
 *
 * Who a poll says that we are. See poll_internal.h. */
#include "transport/poll_internal.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"

static void wipe(char *text) {
	if (text) {
		explicit_bzero(text, strlen(text));
	}
}

void ent__auth_finish(ent__auth *a) {
	wipe(a->user);
	wipe(a->secret);
	wipe(a->token);
	free(a->token);
	ent_arena_finish(&a->arena);
	*a = (ent__auth){0};
}

static int read_one(ent__auth *a, const ent_config *config, ent_word word, char **out, ent_error *e) {
	ent_str value = {0};
	if (!word.s) {
		return 0;
	}
	if (!ent_config_secret_form(word.s)) {
		*out = ent_arena_copy(&a->arena, word.s, strlen(word.s));
		return 0;
	}
	int status = ent_config_secret(word.s, config->folder, &a->arena, &value, e);
	if (!status && (memchr(value.p, '\n', value.n) || memchr(value.p, '\r', value.n) || memchr(value.p, 0, value.n))) {
		status = ent_error_set(e, ENT_ERR_INVALID, "the secret has more than one line");
	}
	if (status) {
		return ent_error_at(e, word.at.file, word.at.line, word.at.column);
	}
	*out = (char *)value.p;
	return 0;
}

int ent__auth_read(ent__auth *a, const ent_config *config, const ent_poll_config *c, ent_error *e) {
	ent__auth fresh = {.token = a->token, .until_us = a->until_us, .in_body = a->in_body};
	if (c->auth == ENT_AUTH_NONE) {
		return 0;
	}
	int status = c->auth == ENT_AUTH_BASIC || c->auth == ENT_AUTH_OAUTH2 ? read_one(&fresh, config, c->user, &fresh.user, e) : 0;
	status = status ? status : read_one(&fresh, config, c->secret, &fresh.secret, e);
	if (status) {
		fresh.token = NULL; /* it is a's still */
		ent__auth_finish(&fresh);
		return status;
	}
	a->token = NULL;
	ent__auth_finish(a);
	*a = fresh;
	return 0;
}

bool ent__auth_wants_token(const ent__auth *a, const ent_poll_config *c, int64_t now_us) {
	return c->auth == ENT_AUTH_OAUTH2 && (!a->token || now_us >= a->until_us);
}

static const char *escaped(ent_arena *arena, const char *text) {
	ent_buf out = {0};
	ent__escape(&out, text);
	const char *copy = ent_arena_copy(arena, (const char *)out.data, out.n);
	ent_buf_finish(&out);
	return copy;
}

void ent__auth_token_request(const ent__auth *a, const ent_poll_config *c, ent_arena *arena, ent_client_request *out) {
	static const ent_client_header headers[] = {
		{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
	ent_buf body = {0};
	ent_buf_printf(&body, "grant_type=client_credentials");
	if (c->scope.s) {
		ent_buf_printf(&body, "&scope=");
		ent__escape(&body, c->scope.s);
	}
	if (a->in_body) {
		ent_buf_printf(&body, "&client_id=");
		ent__escape(&body, a->user);
		ent_buf_printf(&body, "&client_secret=");
		ent__escape(&body, a->secret);
	}
	*out = (ent_client_request){.url = c->token_url.s,
		.headers = headers,
		.n_headers = 2,
		.body = ent_arena_copy(arena, (const char *)body.data, body.n),
		.body_n = body.n,
		.timeout_us = c->timeout_us,
		.connect_us = c->connect_us,
		.most_body = 64 << 10,
		.ca = c->ca.s};
	if (!a->in_body) { /* as RFC 6749, 2.3.1 has it: encoded as in a form */
		out->user = escaped(arena, a->user);
		out->password = escaped(arena, a->secret);
	}
	ent_buf_finish(&body);
}

int ent__auth_token_take(
	ent__auth *a, const ent_poll_config *c, const ent_client_answer *answer, int64_t now_us, bool *again, ent_error *e) {
	*again = false;
	if (answer->status == 400 || answer->status == 401) {
		*again = !a->in_body;
		a->in_body = true;
	}
	if (answer->status != 200) {
		ent_error_set(e, ENT_ERR_INVALID, "no token: the server answered %d", answer->status);
		ent_error_at(e, c->token_url.at.file, c->token_url.at.line, c->token_url.at.column);
		return ent_error_todo(e, "compare client_id, client_secret and scope with what the server has");
	}
	struct json_object *o = json_tokener_parse(answer->body), *token = NULL, *life = NULL;
	int status = 0;
	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, "access_token", &token) ||
		!json_object_is_type(token, json_type_string) || strpbrk(json_object_get_string(token), "\r\n")) {
		status = ent_error_set(e, ENT_ERR_INVALID, "no token: there is no 'access_token' in the answer");
		ent_error_at(e, c->token_url.at.file, c->token_url.at.line, c->token_url.at.column);
	} else {
		int64_t seconds = json_object_object_get_ex(o, "expires_in", &life) ? json_object_get_int64(life) : 3600;
		seconds = seconds < 1 ? 1 : seconds > 86400 ? 86400 : seconds;
		wipe(a->token);
		free(a->token);
		a->token = ent_xstrdup(json_object_get_string(token));
		a->until_us = now_us + seconds * 1000000 - (seconds > 60 ? 30 * INT64_C(1000000) : seconds * 500000);
	}
	json_object_put(o);
	return status;
}

void ent__auth_add(
	const ent__auth *a, const ent_poll_config *c, ent_arena *arena, ent_client_request *r, ent_client_header *headers) {
	ent_client_header *mine = &headers[r->n_headers];
	switch (c->auth) {
	case ENT_AUTH_NONE:
		return;
	case ENT_AUTH_BASIC:
		r->user = a->user;
		r->password = a->secret;
		return;
	case ENT_AUTH_HEADER:
		*mine = (ent_client_header){c->user.s, a->secret};
		break;
	case ENT_AUTH_BEARER:
	case ENT_AUTH_OAUTH2:
		*mine = (ent_client_header){
			"Authorization", ent_arena_printf(arena, "Bearer %s", c->auth == ENT_AUTH_OAUTH2 ? a->token : a->secret)};
		break;
	}
	r->n_headers++;
}

static size_t hidden(const char *at, const char *secret) {
	size_t n = secret ? strlen(secret) : 0;
	return n >= 4 && strncmp(at, secret, n) == 0 ? n : 0;
}

void ent__auth_mask(const ent__auth *a, const char *body, size_t n, char *out, size_t size) {
	char *text = ent_xmalloc(n + 1);
	size_t used = 0;
	memcpy(text, body, n);
	text[n] = 0;
	bool blank = true;
	for (const char *p = text; *p && used + 8 < size;) {
		size_t secret = hidden(p, a->secret), token = hidden(p, a->token), user = hidden(p, a->user);
		size_t digits = strspn(p, "0123456789");
		size_t skip = secret ? secret : token ? token : user;
		size_t word = strcspn(p, " \t\r\n\"'<>,;()[]{}=");
		bool starts = p == text || strchr(" \t\r\n\"'<>,;()[]{}=", p[-1]);
		if (!skip && starts && word && memchr(p, '@', word)) { /* an address */
			skip = word;
		}
		if (!skip && digits >= 6) {
			skip = digits;
		}
		if (skip) {
			used += (size_t)snprintf(out + used, size - used, "***");
			p += skip;
			blank = false;
		} else if ((unsigned char)*p <= ' ' || *p == 127) {
			if (!blank) {
				out[used++] = ' ';
			}
			blank = true;
			p++;
		} else {
			out[used++] = *p++;
			blank = false;
		}
	}
	while (used && ((out[used - 1] & 0x80) || out[used - 1] == ' ') && used + 8 >= size) { /* no half a character at the end */
		used--;
	}
	out[used] = 0;
	explicit_bzero(text, n);
	free(text);
}
