/* SPDX-License-Identifier: Apache-2.0
 *
 * From the target of a request to its route and checked parameters, and which media type is asked for. Front's thread. */
#include "serve/internal.h"

#include "base/day.h"
#include "config/scalar.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- tables ----------------------------------------------------------------------------------------------------------- */

static void faulty(const ent_route *route, const char *what) {
	fprintf(stderr, "fault in the table of routes: %s %s: %s\n", route->method, route->path, what);
	abort();
}

static void check(const ent_http *h, const ent_route *route) {
	if (route->path[0] != '/' || !route->name || !route->doc || !route->run || !route->replies || !route->group) {
		faulty(route, "path, name, group, doc, replies or run is missing");
	}
	for (const ent_param *p = route->params; p && p->name; p++) {
		char braced[80];
		snprintf(braced, sizeof braced, "{%s}", p->name);
		if ((strstr(route->path, braced) != NULL) != (p->in == ENT_PARAM_PATH)) {
			faulty(route, p->name);
		}
	}
	for (const char *brace = strchr(route->path, '{'); brace; brace = strchr(brace + 1, '{')) {
		bool known = false;
		for (const ent_param *p = route->params; p && p->name; p++) {
			size_t n = strlen(p->name);
			known |= strncmp(brace + 1, p->name, n) == 0 && brace[1 + n] == '}';
		}
		if (!known) {
			faulty(route, brace);
		}
	}
	for (size_t t = 0; t < h->n_tables; t++) {
		for (const ent_route *other = h->tables[t].routes; other->path && other != route; other++) {
			if (strcmp(other->name, route->name) == 0 ||
				(strcmp(other->path, route->path) == 0 && strcmp(other->method, route->method) == 0)) {
				faulty(route, "is there twice");
			}
		}
	}
}

void ent_http_routes(ent_http *h, const ent_route *routes, void *ctx) {
	ENT_GROW(h->tables, h->n_tables, h->tables_capacity);
	h->tables[h->n_tables++] = (ent__table){routes, ctx};
	for (const ent_route *route = routes; route->path; route++) {
		check(h, route);
	}
}

/* ---- the target ------------------------------------------------------------------------------------------------------- */

static int hex(char c) {
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Decodes n bytes behind what is decoded already; NULL: malformed. */
static char *decoded(ent_request *r, const char *p, size_t n, bool plus) {
	char *out = r->space + r->space_n, *to = out;
	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)p[i];
		if (c == '%') {
			int high = i + 2 < n ? hex(p[i + 1]) : -1, low = i + 2 < n ? hex(p[i + 2]) : -1;
			if (high < 0 || low < 0) {
				return NULL;
			}
			c = high * 16 + low;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f) {
			return NULL;
		}
		*to++ = (char)c;
	}
	*to = 0;
	for (size_t i = 0, length; i < (size_t)(to - out); i += length) {
		length = ent_utf8_length(out + i, (size_t)(to - out) - i);
		if (!length) {
			return NULL;
		}
	}
	r->space_n += (size_t)(to - out) + 1;
	return out;
}

bool ent__route_split(ent_request *r) {
	char *question = strchr(r->target, '?');
	if (question) {
		*question = 0;
		r->query = question + 1;
	}
	if (r->target[0] != '/') {
		ent_answer_problem(r, 400, "the target of the request is no path");
		return false;
	}
	for (char *p = r->target + 1;;) {
		size_t n = strcspn(p, "/");
		char *segment = r->n_segments < ENT__SEGMENTS ? decoded(r, p, n, false) : NULL;
		if (!segment) {
			ent_answer_problem(r, r->n_segments < ENT__SEGMENTS ? 400 : 404, "the path is malformed or too deep");
			return false;
		}
		r->segments[r->n_segments++] = segment;
		if (!p[n]) {
			return true;
		}
		p += n + 1;
	}
}

/* Does the path match, and which segment is each {parameter}? */
static bool matches(const ent_request *r, const char *path) {
	size_t i = 0;
	for (const char *p = path + 1;; i++) {
		size_t n = strcspn(p, "/");
		if (i >= r->n_segments) {
			return false;
		}
		const char *segment = r->segments[i];
		bool same = *p == '{' ? *segment != 0 : strlen(segment) == n && memcmp(segment, p, n) == 0;
		if (!same) {
			return false;
		}
		if (!p[n]) {
			return i + 1 == r->n_segments;
		}
		p += n + 1;
	}
}

void ent__route_find(ent_request *r, const char *method, char allow[ENT__ALLOW]) {
	ent_http *h = r->http;
	allow[0] = 0;
	const char *wanted = r->head ? "GET" : method;
	const ent_route *best = NULL;
	for (size_t t = 0; t < h->n_tables; t++) {
		for (const ent_route *route = h->tables[t].routes; route->path; route++) {
			if (!matches(r, route->path)) {
				continue;
			}
			/* words before parameters: /findings/states is not the finding "states" */
			if (best && strcmp(best->path, route->path) != 0) {
				size_t i = 0;
				while (best->path[i] == route->path[i]) {
					i++;
				}
				if (best->path[i] != '{') {
					continue;
				}
				allow[0] = 0;
				r->route = NULL;
			}
			best = route;
			if (!strstr(allow, route->method)) {
				size_t n = strlen(allow);
				snprintf(allow + n, ENT__ALLOW - n, "%s%s%s", n ? ", " : "", route->method,
					strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
			}
			if (strcmp(route->method, wanted) == 0) {
				r->route = route;
				r->ctx = h->tables[t].ctx;
			}
		}
	}
}

void ent__route_missing(ent_request *r, const char *method, const char *methods) {
	char allow[ENT__ALLOW + 16];
	if (!*methods) {
		ent_answer_problem(r, 404, "there is nothing at %s", r->target);
		return;
	}
	snprintf(allow, sizeof allow, "%s, OPTIONS", methods);
	ent_answer_header(r, "Allow", allow);
	if (strcmp(method, "OPTIONS") == 0) {
		ent_answer_nothing(r, 204);
	} else {
		ent_answer_problem(r, 405, "%s takes %s, not %s", r->target, allow, method);
	}
}

/* ---- parameters ------------------------------------------------------------------------------------------------------- */

typedef struct wrong_param {
	const char *name;
} wrong_param;

static void wrong_members(ent_json *json, const void *ctx) {
	ent_json_key(json, "parameter");
	ent_json_text(json, ((const wrong_param *)ctx)->name);
}

static bool wrong(ent_request *r, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool wrong(ent_request *r, const char *name, const char *format, ...) {
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	wrong_param param = {name};
	ent__problem(r, 400, text, wrong_members, &param);
	return false;
}

static void choices_text(const char *const *choices, char *out, size_t size) {
	size_t n = 0;
	*out = 0;
	for (size_t i = 0; choices[i] && n < size; i++) {
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : "", choices[i]);
	}
}

static bool value(ent_request *r, const ent_param *p, const char *text) {
	ent__value v = {.param = p, .text = text};
	bool flag;
	int32_t day;
	char choices[256];
	switch (p->type) {
	case ENT_PARAM_TEXT:
		break;
	case ENT_PARAM_INT:
		if (!ent_int_parse(text, &v.number)) {
			return wrong(r, p->name, "'%s' takes a whole number, not '%s'", p->name, text);
		}
		if ((p->least || p->most) && (v.number < p->least || v.number > p->most)) {
			return wrong(r, p->name, "'%s' takes %lld to %lld, not %s", p->name, (long long)p->least, (long long)p->most, text);
		}
		break;
	case ENT_PARAM_DAY:
		if (!ent_day_parse(text, strlen(text), &day)) {
			return wrong(r, p->name, "'%s' takes a date like 2025-01-31, not '%s'", p->name, text);
		}
		v.number = day;
		break;
	case ENT_PARAM_BOOL:
		if (!ent_bool_parse(text, &flag)) {
			return wrong(r, p->name, "'%s' takes true or false, not '%s'", p->name, text);
		}
		v.number = flag;
		break;
	case ENT_PARAM_CHOICE:
		v.number = -1;
		for (int i = 0; p->choices[i]; i++) {
			v.number = strcmp(text, p->choices[i]) == 0 ? i : v.number;
		}
		if (v.number < 0) {
			choices_text(p->choices, choices, sizeof choices);
			return wrong(r, p->name, "'%s' takes one of %s, not '%s'", p->name, choices, text);
		}
	}
	if (r->n_values >= ENT__VALUES) {
		return wrong(r, p->name, "more than %d parameters", ENT__VALUES);
	}
	r->values[r->n_values++] = v;
	return true;
}

static const ent__value *value_of(const ent_request *r, const char *name, size_t i) {
	for (size_t k = 0; k < r->n_values; k++) {
		if (strcmp(r->values[k].param->name, name) == 0 && i-- == 0) {
			return &r->values[k];
		}
	}
	return NULL;
}

static bool query(ent_request *r) {
	const char *known[ENT__VALUES];
	size_t n_known = 0;
	for (const ent_param *p = r->route->params; p && p->name && n_known < ENT__VALUES; p++) {
		if (p->in == ENT_PARAM_QUERY) {
			known[n_known++] = p->name;
		}
	}
	for (const char *p = r->query; p && *p;) {
		size_t n = strcspn(p, "&"), key = strcspn(p, "&=");
		if (n) {
			const char *name = decoded(r, p, key, true);
			const char *text = name ? decoded(r, p + key + (key < n), n - key - (key < n), true) : NULL;
			if (!text) {
				return wrong(r, "", "the query is malformed");
			}
			const ent_param *param = r->route->params;
			while (param && param->name && (param->in != ENT_PARAM_QUERY || strcmp(param->name, name) != 0)) {
				param++;
			}
			if (!param || !param->name) {
				const char *near = ent_nearest(name, known, n_known);
				return wrong(r, name, "there is no parameter '%s'%s%s%s", name, near ? "; did you mean '" : "", near ? near : "",
					near ? "'?" : "");
			}
			if (!param->many && value_of(r, name, 0)) {
				return wrong(r, name, "'%s' is given twice", name);
			}
			if (!value(r, param, text)) {
				return false;
			}
		}
		p += n + (p[n] == '&');
	}
	return true;
}

bool ent__route_params(ent_request *r) {
	const ent_route *route = r->route;
	size_t i = 0;
	for (const char *p = route->path + 1;; i++) {
		size_t n = strcspn(p, "/");
		if (*p == '{') {
			for (const ent_param *param = route->params; param->name; param++) {
				if (param->in == ENT_PARAM_PATH && strlen(param->name) == n - 2 && memcmp(param->name, p + 1, n - 2) == 0 &&
					!value(r, param, r->segments[i])) {
					return false;
				}
			}
		}
		if (!p[n]) {
			break;
		}
		p += n + 1;
	}
	if (!query(r)) {
		return false;
	}
	for (const ent_param *param = route->params; param && param->name; param++) {
		if (value_of(r, param->name, 0)) {
			continue;
		}
		if (param->required) {
			return wrong(r, param->name, "'%s' is missing", param->name);
		}
		if (param->preset && !value(r, param, param->preset)) {
			return false;
		}
	}
	return true;
}

const char *ent_request_text(const ent_request *r, const char *name) {
	const ent__value *v = value_of(r, name, 0);
	return v ? v->text : NULL;
}

int64_t ent_request_int(const ent_request *r, const char *name, int64_t otherwise) {
	const ent__value *v = value_of(r, name, 0);
	return v ? v->number : otherwise;
}

bool ent_request_bool(const ent_request *r, const char *name, bool otherwise) {
	const ent__value *v = value_of(r, name, 0);
	return v ? v->number != 0 : otherwise;
}

const char *ent_request_each(const ent_request *r, const char *name, size_t i) {
	const ent__value *v = value_of(r, name, i);
	return v ? v->text : NULL;
}

/* ---- media types ------------------------------------------------------------------------------------------------------ */

bool ent__media_is(const char *one, const char *other) {
	size_t n = strcspn(one, "; \t,"), m = strcspn(other, "; \t,");
	return n == m && strncasecmp(one, other, n) == 0;
}

/* How much the range (type/subtype, either may be *) says of the media type: 0 nothing, 3 exactly this. */
static int range_fits(const char *range, size_t n, const char *media) {
	size_t type = strcspn(media, "/") + 1;
	if (n == 3 && memcmp(range, "*/*", 3) == 0) {
		return 1;
	}
	if (n == type + 1 && range[n - 1] == '*' && strncasecmp(range, media, type) == 0) {
		return 2;
	}
	return n == strlen(media) && strncasecmp(range, media, n) == 0 ? 3 : 0;
}

/* What Accept says of a media type, in thousandths. */
static int liked(const char *accept, const char *media) {
	int best = 0, q = 0;
	for (const char *p = accept; *p;) {
		p += strspn(p, " \t,");
		size_t n = strcspn(p, ",;");
		size_t all = strcspn(p, ",");
		size_t end = n;
		while (end && (p[end - 1] == ' ' || p[end - 1] == '\t')) {
			end--;
		}
		int fits = range_fits(p, end, media), this = 1000;
		for (const char *s = p + n; s < p + all; s += 1 + strcspn(s + 1, ",;")) {
			const char *word = s + 1 + strspn(s + 1, " \t");
			if ((*word == 'q' || *word == 'Q') && word[1] == '=') {
				this = (int)(strtod(word + 2, NULL) * 1000);
			}
		}
		if (fits > best) {
			best = fits;
			q = this;
		}
		p += all;
	}
	return q;
}

static bool negotiate(ent_request *r) {
	const char *text = ent_request_header(r, "Accept");
	int best = 0;
	bool any = false;
	char offered[256] = "";
	for (const ent_reply *reply = r->route->replies; reply->status; reply++) {
		if (reply->status >= 300 || !reply->media) {
			continue;
		}
		any = true;
		int q = text && *text ? liked(text, reply->media) : r->media ? 0 : 1000;
		if (q > best) {
			best = q;
			r->media = reply->media;
		}
		size_t n = strlen(offered);
		snprintf(offered + n, sizeof offered - n, "%s%s", n ? ", " : "", reply->media);
	}
	if (any && !r->media) {
		ent_answer_problem(r, 406, "this can be had as %s", offered);
		return false;
	}
	return true;
}

bool ent__route_media(ent_request *r) {
	const ent_route *route = r->route;
	if (!negotiate(r)) {
		return false;
	}
	if (route->limit) {
		r->limit = route->limit;
	}
	const char *length = ent_request_header(r, "Content-Length");
	bool some = (length && strcmp(length, "0") != 0) || ent_request_header(r, "Transfer-Encoding");
	const char *type = ent_request_header(r, "Content-Type");
	if (!route->body && !route->takes) {
		if (some) {
			ent_answer_problem(r, 415, "%s %s takes no body", route->method, route->path);
			return false;
		}
		return true;
	}
	const char *coding = ent_request_header(r, "Content-Encoding");
	if (coding && strcasecmp(coding, "identity") != 0) {
		ent_answer_header(r, "Accept-Encoding", "identity");
		ent_answer_problem(r, 415, "the body is taken as it is, not as %s", coding);
		return false;
	}
	if (route->body && (!some || (type && ent__media_is(type, ENT_MEDIA_JSON)))) {
		return true; /* no body at all: the schema says what is missing */
	}
	for (const char *const *takes = route->takes; takes && *takes; takes++) {
		if (strcmp(*takes, "*/*") == 0 || (type && ent__media_is(type, *takes))) {
			return true;
		}
	}
	const char *first = route->body ? ENT_MEDIA_JSON : route->takes[0];
	ent_answer_header(r, "Accept", first);
	ent_answer_problem(r, 415, "the body has to be %s, and Content-Type has to say so", first);
	return false;
}

const char *ent_request_media(const ent_request *r) { return r->media; }
