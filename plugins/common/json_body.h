/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole body of JSON taken apart (ENT_FRAME_DOCUMENT): a list of records as an API answers it and people save it, one
 * record, or records one after another, written on as many lines as one likes. The same records as jsonl.h gives line
 * by line. One decoder instance, one thread.
 */
#ifndef ENTENTE_PLUGINS_JSON_BODY_H
#define ENTENTE_PLUGINS_JSON_BODY_H

#include "jsonl.h"

static inline const char *json_body_blank(const char *p, const char *end) {
	while (p < end && text_blank(*p))
		p++;
	return p;
}

/* One value, to which *p points and behind which it points then. */
static inline ent_status json_body_value(
	jsonl *j, const char *start, const char **p, const char *end, jsonl_record *record, void *self) {
	uint64_t place = (uint64_t)(*p - start);
	json_tokener_reset(j->tokener);
	errno = 0;
	json_object *o = end - *p < INT32_MAX ? json_tokener_parse_ex(j->tokener, *p, (int)(end - *p)) : NULL;
	size_t n = json_tokener_get_parse_end(j->tokener);
	int null =
		!o && end - *p >= 4 && !memcmp(*p, "null", 4) && json_tokener_get_error(j->tokener) == json_tokener_success;
	if (!null && jsonl_no_memory(j->tokener, o, (ent_str){*p, n})) {
		json_object_put(o);
		return ENT_ENOMEM;
	}
	if (!o && !null) /* where the next record begins, nobody knows */
		return j->host->error(j->ctx, place + n, ENT_NO_COLUMN, "broken JSON, or a body that was cut off",
			"get the whole answer again; nothing of this one was taken");
	ent_status e = ENT_OK;
	*p += n;
	if (json_object_is_type(o, json_type_object))
		e = record(self, o, place);
	else
		j->host->reject(j->ctx, place, ENT_NO_COLUMN, "no JSON object: an order is expected");
	json_object_put(o);
	return !e && errno == ENOMEM ? ENT_ENOMEM : e;
}

/* The elements of a list, behind whose bracket *p stands. */
static inline ent_status json_body_list(
	jsonl *j, const char *start, const char **p, const char *end, jsonl_record *record, void *self) {
	*p = json_body_blank(*p, end);
	if (*p < end && **p == ']') {
		++*p;
		return ENT_OK;
	}
	for (;;) {
		ent_status e = json_body_value(j, start, p, end, record, self);
		if (e)
			return e;
		*p = json_body_blank(*p, end);
		char c = *p < end ? *(*p)++ : 0;
		if (c == ']')
			return ENT_OK;
		if (c != ',')
			return j->host->error(j->ctx, (uint64_t)(*p - start), ENT_NO_COLUMN,
				"neither , nor ] behind a record of the list",
				"get the whole answer again; nothing of this one was taken");
		*p = json_body_blank(*p, end);
	}
}

/* Something follows each value that is read. */
static inline void json_body_flags(jsonl *j) {
	json_tokener_set_flags(
		j->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS | JSON_TOKENER_VALIDATE_UTF8);
}

/* feed() of a decoder of documents. `greeting`: as for jsonl_feed(). */
static inline ent_status json_body_feed(
	jsonl *j, ent_str bytes, const char *greeting, jsonl_record *record, void *self) {
	const char *p = bytes.p, *end = p + bytes.n;
	size_t hello = greeting ? strlen(greeting) : 0;
	json_body_flags(j);
	p = json_body_blank(p, end);
	if (hello && (size_t)(end - p) > hello && !memcmp(p, greeting, hello)) {
		j->host->skip(j->ctx, 0, "the greeting of a webhook");
		return ENT_OK;
	}
	while (p < end) {
		ent_status e;
		if (*p == '[') {
			p++;
			e = json_body_list(j, bytes.p, &p, end, record, self);
		} else {
			e = json_body_value(j, bytes.p, &p, end, record, self);
		}
		if (e)
			return e;
		p = json_body_blank(p, end);
	}
	return ENT_OK;
}

/* As jsonl_probe(), for what is not one object a line: a list, or an object on several lines. */
static inline int json_body_probe(
	ent_str head, const char *const keys[4], const char *const whys[3], const char **why) {
	ent_str all = text_trim(head);
	int found = 0, list = all.n && all.p[0] == '[';
	const char *end = all.n ? memchr(all.p, '\n', all.n) : NULL;
	ent_str line = {all.p, end ? (size_t)(end - all.p) : all.n};
	if (list || (all.n && all.p[0] == '{' && line.n < all.n && text_trim(line).p[text_trim(line).n - 1] != '}'))
		for (int i = 0; i < 4; i++)
			found += text_has_fold(all, keys[i]);
	*why = whys[found == 4 ? 0 : found == 3 ? 1 : 2];
	return found == 4 ? 95 : found == 3 ? 40 : 0;
}

#endif
