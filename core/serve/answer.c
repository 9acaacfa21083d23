/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers: bodies, problems, headers that every answer has, what has not changed. Front's thread. */
#include "serve/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static const char api_policy[] = "default-src 'none'; frame-ancestors 'none'";
/* The page: its own scripts and styles, nothing inline, nothing from elsewhere. */
static const char page_policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
								  "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const char *ent__status_text(unsigned status) {
	static const struct {
		unsigned status;
		const char *text;
	} texts[] = {{413, "Content Too Large"}, {422, "Unprocessable Content"}, {421, "Misdirected Request"}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (texts[i].status == status) {
			return texts[i].text;
		}
	}
	return MHD_get_reason_phrase_for(status);
}

static bool given(const ent_request *r, const char *name) {
	for (size_t i = 0; i < r->n_headers; i++) {
		if (strcmp(r->headers[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

void ent_answer_header(ent_request *r, const char *name, const char *value) {
	if (r->done || r->answered || strpbrk(value, "\r\n")) {
		return;
	}
	for (size_t i = 0; i < r->n_headers; i++) {
		if (strcmp(r->headers[i].name, name) == 0 && strcmp(name, "Set-Cookie") != 0) {
			free(r->headers[i].value);
			r->headers[i].value = ent_xstrdup(value);
			return;
		}
	}
	if (r->n_headers < ENT__HEADERS) {
		r->headers[r->n_headers].name = name;
		r->headers[r->n_headers++].value = ent_xstrdup(value);
	}
}

void ent__answer_usual(ent_request *r, unsigned status, struct MHD_Response *response, const char *media) {
	if (r->done || r->answered) {
		ent__answer(r, status, response);
		return;
	}
	static const char *const usual[][2] = {{"X-Content-Type-Options", "nosniff"}, {"Referrer-Policy", "no-referrer"},
		{"X-Frame-Options", "DENY"}, {"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"}};
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
		MHD_add_response_header(response, usual[i][0], usual[i][1]);
	}
	bool html = media && strcmp(media, ENT_MEDIA_HTML) == 0;
	/* headers of a 304 take the place of those that were kept with the page: its policy stays as it is */
	if (!given(r, "Content-Security-Policy") && status != 304) {
		MHD_add_response_header(response, "Content-Security-Policy", html ? page_policy : api_policy);
	}
	if (!given(r, "Cache-Control")) {
		MHD_add_response_header(response, "Cache-Control", status < 400 && r->version[0] ? "private, no-cache" : "no-store");
	}
	if (media) {
		char text[128];
		bool utf8 = strncmp(media, "text/", 5) == 0 && strcmp(media, ENT_MEDIA_EVENTS) != 0;
		snprintf(text, sizeof text, "%s%s", media, utf8 ? "; charset=utf-8" : "");
		MHD_add_response_header(response, "Content-Type", text);
	}
	if (r->route && !r->route->hidden) {
		MHD_add_response_header(response, "Vary", "Accept, Authorization, Cookie");
	}
	if (r->version[0] && (status < 300 || status == 304)) {
		MHD_add_response_header(response, "ETag", r->version);
	}
	for (size_t i = 0; i < r->n_headers; i++) {
		MHD_add_response_header(response, r->headers[i].name, r->headers[i].value);
	}
	ent__answer(r, status, response);
}

/* If-None-Match: a list of tags, or *. Weak ones count as well (RFC 9110, 13.1.2). */
static bool client_has(const ent_request *r) {
	const char *list = ent_request_header(r, "If-None-Match");
	size_t n = strlen(r->version);
	while (list && *list) {
		list += strspn(list, " \t,");
		if (*list == '*') {
			return true;
		}
		list += strncmp(list, "W/", 2) == 0 ? 2 : 0;
		if (strncmp(list, r->version, n) == 0) {
			return true;
		}
		const char *end = *list == '"' ? strchr(list + 1, '"') : NULL;
		list = end ? end + 1 : list + strcspn(list, ",");
	}
	return false;
}

static bool reads(const ent_request *r) { return r->head || !r->route || strcmp(r->route->method, "GET") == 0; }

static void unchanged(ent_request *r) {
	ent__answer_usual(r, 304, MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT), NULL);
}

bool ent_answer_unchanged(ent_request *r, const char *version) {
	if (r->done || r->answered || !reads(r)) {
		return false;
	}
	snprintf(r->version, sizeof r->version, "\"%s\"", version);
	if (!client_has(r)) {
		return false;
	}
	unchanged(r);
	return true;
}

/* True: 304 was answered. Answers in different media types have different tags, for their bytes differ. */
static bool tagged(ent_request *r, int status, const void *bytes, size_t n) {
	if (status != 200 || r->done || r->answered || !reads(r)) {
		return false;
	}
	if (!r->version[0]) {
		XXH128_hash_t hash = XXH3_128bits(bytes, n);
		snprintf(r->version, sizeof r->version, "\"%016llx%016llx\"", (unsigned long long)hash.high64,
			(unsigned long long)hash.low64);
		if (client_has(r)) {
			unchanged(r);
			return true;
		}
	}
	return false;
}

static void count(ent_request *r, size_t n) {
	r->size = r->head || r->answered ? r->size : n;
	if (r->http) {
		r->http->figures.bytes_out += r->head ? 0 : n;
	}
}

void ent_answer_bytes(ent_request *r, int status, const char *media, ent_buf *bytes) {
	if (tagged(r, status, bytes->data, bytes->n)) {
		ent_buf_finish(bytes);
		return;
	}
	count(r, bytes->n);
	/* MHD frees it with free(), which is what made it */
	struct MHD_Response *response = MHD_create_response_from_buffer(bytes->n, bytes->data, MHD_RESPMEM_MUST_FREE);
	*bytes = (ent_buf){0};
	ent__answer_usual(r, (unsigned)status, response, media);
}

void ent_answer_json(ent_request *r, int status, ent_buf *json) { ent_answer_bytes(r, status, ENT_MEDIA_JSON, json); }

void ent_answer_static(ent_request *r, int status, const char *media, const void *bytes, size_t n) {
	if (!r->version[0] && tagged(r, status, bytes, n)) {
		return;
	}
	count(r, n);
	ent__answer_usual(r, (unsigned)status, MHD_create_response_from_buffer(n, (void *)bytes, MHD_RESPMEM_PERSISTENT), media);
}

void ent_answer_nothing(ent_request *r, int status) {
	ent__answer_usual(r, (unsigned)status, MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT), NULL);
}

/* ---- problems --------------------------------------------------------------------------------------------------------- */

void ent__problem(ent_request *r, unsigned status, const char *detail, void (*members)(ent_json *, const void *), const void *ctx) {
	ent_buf out = {0};
	ent_json json;
	ent_json_init(&json, &out, false);
	ent_json_object(&json);
	ent_json_key(&json, "type");
	ent_json_text(&json, "about:blank");
	ent_json_key(&json, "title");
	ent_json_text(&json, ent__status_text(status));
	ent_json_key(&json, "status");
	ent_json_uint(&json, status);
	ent_json_key(&json, "detail");
	ent_json_text(&json, detail);
	if (members) {
		members(&json, ctx);
	}
	ent_json_end(&json);
	if (r->http && !r->answered) {
		r->http->figures.limited += status == 429;
		r->http->figures.refused += status == 401 || status == 403;
	}
	ent_answer_bytes(r, (int)status, ENT_MEDIA_PROBLEM, &out);
}

void ent_answer_problem(ent_request *r, int status, const char *format, ...) {
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	ent__problem(r, (unsigned)status, text, NULL, NULL);
}

static void error_members(ent_json *json, const void *ctx) {
	const ent_error *e = ctx;
	if (e->file[0]) {
		ent_json_key(json, "file");
		ent_json_text(json, e->file);
	}
	if (e->line) {
		ent_json_key(json, "line");
		ent_json_uint(json, e->line);
		ent_json_key(json, "column");
		ent_json_uint(json, e->column);
	}
	ent_json_key(json, "what");
	ent_json_text(json, e->what);
	ent_json_key(json, "todo");
	ent_json_text(json, e->todo);
}

void ent_answer_error(ent_request *r, const ent_error *e) {
	static const struct {
		int code;
		unsigned status;
	} table[] = {{ENT_ERR_NOTFOUND, 404}, {ENT_ERR_INVALID, 422}, {ENT_ERR_RANGE, 422}, {ENT_ERR_FENCED, 409},
		{ENT_ERR_BUSY, 503}, {ENT_ERR_IO, 503}, {ENT_ERR_STOPPED, 503}, {ENT_ERR_WORKER, 503}};
	unsigned status = 500;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		status = table[i].code == e->code ? table[i].status : status;
	}
	char text[sizeof *e + 64];
	ent_error_text(e, text, sizeof text);
	ent__problem(r, status, text, error_members, e);
}

static void errors_members(ent_json *json, const void *ctx) {
	const ent_errors *errors = ctx;
	ent_json_key(json, "errors");
	ent_json_array(json);
	for (size_t i = 0; i < errors->n; i++) {
		ent_json_object(json);
		error_members(json, &errors->e[i]);
		ent_json_end(json);
	}
	ent_json_end(json);
}

void ent_answer_errors(ent_request *r, int status, const ent_errors *errors) {
	char text[sizeof(ent_error) + 96];
	ent_error none = {0};
	ent_error_text(errors->n ? &errors->e[0] : &none, text, sizeof text);
	if (errors->total > 1) {
		size_t n = strlen(text);
		snprintf(text + n, sizeof text - n, " (and %zu more)", errors->total - 1);
	}
	ent__problem(r, (unsigned)status, text, errors_members, errors);
}

/* ---- pages ------------------------------------------------------------------------------------------------------------ */

static void escaped(ent_buf *out, const char *text) {
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || strchr("-._~", c);
		if (plain) {
			ent_buf_u8(out, c);
		} else {
			ent_buf_printf(out, "%%%02X", c);
		}
	}
}

void ent_answer_next(ent_request *r, const char *after) {
	if (r->done || r->answered || !r->route) {
		return;
	}
	ent_buf link = {0};
	ent_buf_printf(&link, "<%s?", r->target);
	for (size_t i = 0; i < r->n_values; i++) {
		const ent__value *v = &r->values[i];
		if (v->param->in == ENT_PARAM_QUERY && strcmp(v->param->name, "after") != 0 && v->text != v->param->preset) {
			ent_buf_printf(&link, "%s=", v->param->name);
			escaped(&link, v->text);
			ent_buf_u8(&link, '&');
		}
	}
	ent_buf_printf(&link, "after=");
	escaped(&link, after);
	ent_buf_printf(&link, ">; rel=\"next\"");
	ent_buf_u8(&link, 0);
	ent_answer_header(r, "Link", (char *)link.data);
	ent_buf_finish(&link);
}

/* ---- the rest of a request -------------------------------------------------------------------------------------------- */

const char *ent_request_header(const ent_request *r, const char *name) {
	return r->mhd ? MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, name) : NULL;
}

ent_str ent_request_body(const ent_request *r) { return (ent_str){(const char *)r->body.data, r->body.n}; }
struct json_object *ent_request_json(const ent_request *r) { return r->json; }
const char *ent_request_path(const ent_request *r) { return r->target; }
ent_role ent_request_role(const ent_request *r) { return r->role; }
const char *ent_request_who(const ent_request *r) { return r->who; }
const char *ent_request_partner(const ent_request *r) { return r->role == ENT_ROLE_PARTNER ? r->partner : NULL; }
bool ent_request_gone(const ent_request *r) { return r->done || r->answered; }
