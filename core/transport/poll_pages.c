/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages of a poll: their addresses, what is in them, which one follows. See poll_internal.h. */
#include "transport/poll_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <json-c/json_pointer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "transport/curl.h"

enum { DEPTH = 64, LONGEST_ADDRESS = 64 << 10 };

/* ---- addresses --------------------------------------------------------------------------------------------------- */

void ent__escape(ent_buf *out, const char *text) {
	static const char digits[] = "0123456789ABCDEF";
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-._~", *p);
		char hex[3] = {'%', digits[*p >> 4], digits[*p & 15]};
		ent_buf_add(out, plain ? (const char *)p : hex, plain ? 1 : 3);
	}
}

/* A text of the query with {since} put in; false: there is nothing to put in yet. */
static bool filled(ent_buf *out, const char *text, const char *since) {
	const char *place;
	for (; (place = strstr(text, "{since}")); text = place + 7) {
		if (!*since) {
			return false;
		}
		ent_buf_add(out, text, (size_t)(place - text));
		ent_buf_add(out, since, strlen(since));
	}
	ent_buf_add(out, text, strlen(text) + 1);
	return true;
}

static void parameter(ent_buf *out, const char *name, const char *value) {
	ent_buf_u8(out, memchr(out->data, '?', out->n) ? '&' : '?');
	ent__escape(out, name);
	ent_buf_u8(out, '=');
	ent__escape(out, value);
}

/* Is `next` an address of its own, or what to put into the query? */
static bool is_address(const ent_poll_config *c) {
	return c->pages == ENT_PAGES_HEADER || (c->pages == ENT_PAGES_CURSOR && !c->param.s);
}

char *ent__page_address(const ent_poll_config *c, const ent__where *w, ent_error *e) {
	if (w->next && is_address(c)) {
		return ent_xstrdup(w->next);
	}
	char since[72] = "";
	if (w->used.kind) {
		ent_stamp_before(&w->used, c->overlap_us, c->overlap_n, since);
	}
	ent_buf out = {0};
	ent_buf_printf(&out, "%s", c->url.s);
	for (size_t i = 0; i < c->n_query; i++) {
		ent_buf value = {0};
		if (filled(&value, c->query[i].value.s, since)) {
			parameter(&out, c->query[i].key.s, (const char *)value.data);
		}
		ent_buf_finish(&value);
	}
	char first[24];
	snprintf(first, sizeof first, "%" PRId64, c->first);
	bool counted = c->pages == ENT_PAGES_NUMBER || c->pages == ENT_PAGES_OFFSET;
	if (w->next || counted) {
		parameter(&out, c->param.s, w->next ? w->next : first);
	}
	ent_buf_u8(&out, 0);
	if (out.n > LONGEST_ADDRESS) {
		ent_buf_finish(&out);
		ent_error_set(e, ENT_ERR_RANGE, "the address of the next page is longer than %d bytes", LONGEST_ADDRESS);
		return NULL;
	}
	return (char *)out.data;
}

static char *part(CURLU *u, CURLUPart which) {
	char *text = NULL;
	curl_url_get(u, which, &text, which == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0);
	return text;
}

static bool same(CURLU *a, CURLU *b, CURLUPart which) {
	char *x = part(a, which), *y = part(b, which);
	bool equal = x && y && strcasecmp(x, y) == 0;
	curl_free(x);
	curl_free(y);
	return equal;
}

/* `next` as it stands in a page, made whole. It must lead to the server that was configured, which is told who we are. */
static int follow(const ent_poll_config *c, const char *base, const char *next, size_t n, char **out, ent_error *e) {
	CURLU *u = curl_url(), *home = curl_url();
	char *copy = strndup(next, n), *whole = NULL;
	int status = 0;
	if (curl_url_set(home, CURLUPART_URL, c->url.s, 0) != CURLUE_OK || curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK ||
		curl_url_set(u, CURLUPART_URL, copy, 0) != CURLUE_OK || curl_url_get(u, CURLUPART_URL, &whole, 0) != CURLUE_OK ||
		strlen(whole) > LONGEST_ADDRESS) {
		status = ent_error_set(e, ENT_ERR_INVALID, "what should be the address of the next page is none");
	} else if (!same(u, home, CURLUPART_SCHEME) || !same(u, home, CURLUPART_HOST) || !same(u, home, CURLUPART_PORT)) {
		char *host = part(u, CURLUPART_HOST);
		status = ent_error_set(e, ENT_ERR_INVALID, "the next page is on another server: %s", host ? host : "?");
		ent_error_todo(e, "pages are fetched only from where 'url' is, with the same scheme and port");
		curl_free(host);
	} else {
		*out = ent_xstrdup(whole);
	}
	curl_free(whole);
	free(copy);
	curl_url_cleanup(u);
	curl_url_cleanup(home);
	return status;
}

/* ---- Link (RFC 8288) --------------------------------------------------------------------------------------------- */

/* Does the list of relations have "next"? */
static bool has_next(const char *p, size_t n) {
	const char *end = p + n;
	while (p < end) {
		p += strspn(p, " \t");
		size_t word = 0;
		while (p + word < end && p[word] != ' ' && p[word] != '\t') {
			word++;
		}
		if (word == 4 && strncasecmp(p, "next", 4) == 0) {
			return true;
		}
		p += word ? word : 1;
	}
	return false;
}

/* The target of the link whose relation is "next"; false: there is none. */
static bool link_next(const char *p, const char **target, size_t *n) {
	while (*p) {
		p += strspn(p, " \t,");
		if (*p != '<') {
			return false;
		}
		const char *to = p + 1, *close = strchr(to, '>');
		if (!close) {
			return false;
		}
		bool next = false, first = true;
		p = close + 1;
		while (*(p += strspn(p, " \t")) == ';') {
			p += 1 + strspn(p + 1, " \t");
			size_t name = strcspn(p, " \t=;,");
			bool rel = name == 3 && strncasecmp(p, "rel", 3) == 0 && first;
			p += name;
			p += strspn(p, " \t");
			if (*p != '=') {
				continue;
			}
			p += 1 + strspn(p + 1, " \t");
			const char *value = p;
			size_t length;
			if (*p == '"') {
				for (value = ++p; *p && *p != '"'; p++) {
					p += *p == '\\' && p[1];
				}
				length = (size_t)(p - value);
				p += *p == '"';
			} else {
				length = strcspn(p, " \t;,");
				p += length;
			}
			if (rel) { /* only the first one counts */
				first = false;
				next = has_next(value, length);
			}
		}
		if (next) {
			*target = to;
			*n = (size_t)(close - to);
			return true;
		}
		p += strcspn(p, ",");
	}
	return false;
}

static int next_of_headers(ent__page *page, const ent_poll_config *c, const ent_client_answer *answer, ent_error *e) {
	const char *value, *target;
	size_t n;
	bool link = strcasecmp(c->next.s, "Link") == 0;
	for (size_t i = 0; (value = ent_client_header_of(answer, c->next.s, i)); i++) {
		value += strspn(value, " \t");
		if (link ? link_next(value, &target, &n) : *value != 0) {
			return follow(c, answer->url, link ? target : value, link ? n : strlen(value), &page->next, e);
		}
	}
	return 0;
}

/* ---- what is in a page ------------------------------------------------------------------------------------------- */

static struct json_object *at(struct json_object *o, const char *pointer) {
	struct json_object *found = NULL;
	return o && json_pointer_get(o, pointer, &found) == 0 ? found : NULL;
}

static void look(ent__page *page, const ent_poll_config *c, struct json_object *record) {
	struct json_object *v = c->since.s ? at(record, c->since.s) : NULL;
	ent_stamp stamp = {0};
	if (json_object_is_type(v, json_type_string)) {
		stamp = ent_stamp_of(json_object_get_string(v), (size_t)json_object_get_string_len(v));
	} else if (json_object_is_type(v, json_type_int)) {
		const char *text = json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN);
		stamp = ent_stamp_of(text, strlen(text));
	}
	if (stamp.kind && ent_stamp_compare(&stamp, &page->seen) > 0) {
		page->seen = stamp;
	}
}

static struct json_object *parse(const char *p, size_t n, ent_error *e) {
	json_tokener *t = json_tokener_new_ex(DEPTH);
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *o = n <= INT32_MAX ? json_tokener_parse_ex(t, p, (int)n) : NULL;
	enum json_tokener_error fault = json_tokener_get_error(t);
	bool early;
	size_t end = json_tokener_get_parse_end(t);
	if (!o && fault == json_tokener_continue) { /* a number alone ends with what is behind it */
		o = json_tokener_parse_ex(t, "", 1);
		fault = json_tokener_get_error(t);
	}
	early = fault == json_tokener_continue || fault == json_tokener_error_parse_eof;
	if (fault != json_tokener_success || end + strspn(p + (end < n ? end : n), " \t\r\n") < n) {
		ent_error_set(e, ENT_ERR_INVALID, "the answer is no JSON: at byte %zu, %s", end,
			fault == json_tokener_success ? "more behind the end" : early ? "it ends too early" : json_tokener_error_desc(fault));
		ent_error_todo(e, "look at what the address really gives");
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(t);
	return o;
}

static int split(ent__page *page, const ent_poll_config *c, ent_error *e) {
	struct json_object *list = page->json;
	if (c->records.s && json_pointer_get(page->json, c->records.s, &list)) {
		ent_error_set(e, ENT_ERR_INVALID, "there is no %s in the page", c->records.s);
		ent_error_at(e, c->records.at.file, c->records.at.line, c->records.at.column);
		return ent_error_todo(e, "write where the list of records is");
	}
	bool many = json_object_is_type(list, json_type_array);
	if (!many && list && !json_object_is_type(list, json_type_object)) {
		ent_error_set(e, ENT_ERR_INVALID, "what is at '%s' of the page is no list of records", c->records.s ? c->records.s : "");
		ent_error_at(e, c->records.at.file, c->records.at.line, c->records.at.column);
		return ent_error_todo(e, "write where the list of records is");
	}
	size_t n = many ? json_object_array_length(list) : list != NULL;
	page->records = ent_xcalloc(n ? n : 1, sizeof *page->records);
	for (size_t i = 0; i < n; i++) {
		struct json_object *record = many ? json_object_array_get_idx(list, i) : list;
		ent_str *r = &page->records[page->n_records++];
		r->p = record ? json_object_to_json_string_length(
							record, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &r->n)
					  : "null";
		r->n = record ? r->n : 4;
		look(page, c, record);
	}
	page->counted = n;
	return 0;
}

static int split_lines(ent__page *page, const ent_poll_config *c, const ent_client_answer *answer, ent_error *e) {
	page->lines = (ent_str){answer->body, answer->body_n};
	page->is_lines = true;
	for (const char *p = answer->body, *end = p + answer->body_n; p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((stop ? stop : end) - p);
		if (strspn(p, " \t\r") < n) {
			page->counted++;
			struct json_object *record = c->since.s ? parse(p, n, e) : NULL;
			if (c->since.s && !record) {
				return e->code;
			}
			look(page, c, record);
			json_object_put(record);
		}
		p += n + 1;
	}
	return 0;
}

static bool says(const ent_client_answer *answer, const char *word) {
	const char *type = ent_client_header_of(answer, "Content-Type", 0);
	return type && strcasestr(type, word);
}

static int next_of_body(ent__page *page, const ent_poll_config *c, const ent__where *w, const ent_client_answer *answer, ent_error *e) {
	char number[24];
	switch (c->pages) {
	case ENT_PAGES_NONE:
		return 0;
	case ENT_PAGES_HEADER:
		return next_of_headers(page, c, answer, e);
	case ENT_PAGES_CURSOR: {
		struct json_object *more = c->more.s ? at(page->json, c->more.s) : NULL, *next = at(page->json, c->next.s);
		bool last = json_object_is_type(more, json_type_boolean) && !json_object_get_boolean(more);
		bool some = json_object_is_type(next, json_type_string) || json_object_is_type(next, json_type_int);
		const char *text = some ? json_object_get_string(next) : "";
		if (last || !*text) {
			return 0;
		}
		if (!c->param.s) {
			return follow(c, answer->url, text, strlen(text), &page->next, e);
		}
		page->next = ent_xstrdup(text);
		return 0;
	}
	case ENT_PAGES_NUMBER:
	case ENT_PAGES_OFFSET: {
		if (page->counted < (size_t)(c->size ? c->size : 1)) {
			return 0;
		}
		int64_t here = w->next ? strtoll(w->next, NULL, 10) : c->first;
		snprintf(number, sizeof number, "%" PRId64, here + (c->pages == ENT_PAGES_NUMBER ? 1 : (int64_t)page->counted));
		page->next = ent_xstrdup(number);
		return 0;
	}
	}
	return 0;
}

int ent__page_read(ent__page *page, const ent_poll_config *c, const ent__where *w, const char *address,
	const ent_client_answer *answer, ent_inbox_form form, ent_error *e) {
	bool lines = says(answer, "ndjson") || says(answer, "jsonl") || says(answer, "json-seq") || says(answer, "json-lines");
	bool counts = c->since.s || c->pages == ENT_PAGES_CURSOR || c->pages == ENT_PAGES_NUMBER || c->pages == ENT_PAGES_OFFSET;
	bool empty = answer->status == 204 || strspn(answer->body, " \t\r\n") == answer->body_n;
	int status = 0;
	*page = (ent__page){0};
	if (empty) {
		return next_of_body(page, c, w, answer, e);
	}
	if (form == ENT_INBOX_LINES && lines) {
		status = split_lines(page, c, answer, e);
	} else if (form == ENT_INBOX_LINES || counts) {
		page->json = parse(answer->body, answer->body_n, e);
		status = page->json || e->code == 0 ? split(page, c, e) : e->code;
	}
	if (!status && form == ENT_INBOX_DOCUMENTS) {
		page->is_document = true;
		page->document = (ent_str){answer->body, answer->body_n};
		page->suffix = says(answer, "json") ? ".json" : says(answer, "csv") ? ".csv" : says(answer, "tab-separated") ? ".tsv" : NULL;
		page->n_records = 0; /* it goes as a whole */
	}
	status = status ? status : next_of_body(page, c, w, answer, e);
	if (!status && page->next && is_address(c) && strcmp(page->next, address) == 0) {
		ent_error_set(e, ENT_ERR_INVALID, "a page says that it is followed by itself");
		ent_error_at(e, c->pages_at.file, c->pages_at.line, c->pages_at.column);
		status = ent_error_todo(e, "look at 'pages': by, next");
	}
	return status;
}

void ent__page_finish(ent__page *page) {
	json_object_put(page->json);
	free(page->records);
	free(page->next);
	*page = (ent__page){0};
}
