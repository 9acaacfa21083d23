/* SPDX-License-Identifier: Apache-2.0
 *
 * Small inline helpers for the shipped plugins that read JSON lines with json-c: taking the lines apart, one record
 * each, and reading texts and members of a record. One decoder instance, one thread; nothing global. A plugin that
 * includes it links json-c.
 */
#ifndef ENTENTE_PLUGINS_JSONL_H
#define ENTENTE_PLUGINS_JSONL_H

#include "text.h"

#include <errno.h>
#include <json-c/json.h>

enum { JSONL_DEPTH = 32 };

typedef struct jsonl {
	const ent_host *host;
	ent_ctx *ctx;
	json_tokener *tokener;
	uint64_t at; /* bytes fed so far; begin() sets it to 0 */
} jsonl;

/* One record of a document. ENT_OK also where it was rejected. */
typedef ent_status jsonl_record(void *self, json_object *record, uint64_t place);

static inline ent_status jsonl_init(jsonl *j, const ent_host *host, ent_ctx *ctx) {
	*j = (jsonl){.host = host, .ctx = ctx, .tokener = json_tokener_new_ex(JSONL_DEPTH)};
	if (!j->tokener)
		return ENT_ENOMEM;
	json_tokener_set_flags(j->tokener, JSON_TOKENER_STRICT);
	return ENT_OK;
}

static inline void jsonl_finish(jsonl *j) {
	if (j->tokener)
		json_tokener_free(j->tokener);
	j->tokener = NULL;
}

/* Whether json-c had no memory for a value, or since errno was set to 0 for a text of one: its functions then say that
 * there is nothing, as of a value that is broken or absent. */
static inline int jsonl_no_memory(json_tokener *t, json_object *o, ent_str text) {
	text = text_trim(text);
	return errno == ENOMEM || (!o && json_tokener_get_error(t) == json_tokener_success && !TEXT_IS(text, "null"));
}

static inline ent_status jsonl_line(jsonl *j, const char *p, size_t n, jsonl_record *record, void *self) {
	json_tokener_reset(j->tokener);
	errno = 0;
	json_object *o = n < INT32_MAX ? json_tokener_parse_ex(j->tokener, p, (int)n) : NULL;
	size_t end = json_tokener_get_parse_end(j->tokener);
	if (n < INT32_MAX && jsonl_no_memory(j->tokener, o, (ent_str){p, n})) {
		json_object_put(o);
		return ENT_ENOMEM;
	}
	if (!o) { /* a number alone needs an end to be one; neither is an order */
		j->host->reject(j->ctx, j->at + end, ENT_NO_COLUMN, "no JSON object, or a broken one: an order is expected");
		return ENT_OK;
	}
	ent_status e = ENT_OK;
	if (text_trim((ent_str){p + end, n - end}).n)
		j->host->reject(j->ctx, j->at + end, ENT_NO_COLUMN, "more than one value in a line");
	else if (!json_object_is_type(o, json_type_object))
		j->host->reject(j->ctx, j->at, ENT_NO_COLUMN, "no JSON object: an order is expected");
	else
		e = record(self, o, j->at);
	json_object_put(o);
	return !e && errno == ENOMEM ? ENT_ENOMEM : e;
}

/* feed() of a decoder of JSON lines. `greeting`: lines that begin so are skipped, or NULL. */
static inline ent_status jsonl_feed(jsonl *j, ent_str bytes, const char *greeting, jsonl_record *record, void *self) {
	const char *p = bytes.p, *end = bytes.p + bytes.n;
	size_t hello = greeting ? strlen(greeting) : 0;
	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		if (!stop)
			return ENT_EINTERNAL; /* lines come whole */
		size_t n = (size_t)(stop - p);
		ent_status e = ENT_OK;
		if (hello && n > hello && !memcmp(p, greeting, hello))
			j->host->skip(j->ctx, j->at, "the greeting of a webhook");
		else if (text_trim((ent_str){p, n}).n)
			e = jsonl_line(j, p, n, record, self);
		if (e)
			return e;
		j->at += n + 1;
		p = stop + 1;
	}
	return ENT_OK;
}

/* How sure a probe is, of 100: how many of four keys the first line has, if it is an object. */
static inline int jsonl_probe(ent_str head, const char *const keys[4], const char *const whys[3], const char **why) {
	int found = 0;
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;
	ent_str line = text_trim((ent_str){head.p, end ? (size_t)(end - head.p) : head.n});
	for (int i = 0; i < 4 && line.n && line.p[0] == '{'; i++)
		found += text_has_fold(line, keys[i]);
	if (why)
		*why = whys[found == 4 ? 0 : found == 3 ? 1 : 2];
	return found == 4 ? 95 : found == 3 ? 50 : 0;
}

/* Text, or a number as it was written; absent for anything else. It lives as long as `o`. */
static inline ent_str jsonl_text_of(json_object *o) {
	if (!o || json_object_is_type(o, json_type_object) || json_object_is_type(o, json_type_array))
		return (ent_str){NULL, 0};
	if (json_object_is_type(o, json_type_string))
		return (ent_str){json_object_get_string(o), (size_t)json_object_get_string_len(o)};
	const char *s = json_object_get_string(o);
	return s ? (ent_str){s, strlen(s)} : (ent_str){NULL, 0};
}

static inline json_object *jsonl_member(json_object *o, const char *key) {
	json_object *v = NULL;
	return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static inline ent_str jsonl_text(json_object *o, const char *key) { return jsonl_text_of(jsonl_member(o, key)); }

static inline size_t jsonl_length(json_object *list) {
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

/* Sets *out and the bit if there is something. -1: there is, and it is no amount. */
static inline int jsonl_amount(
	const ent_host *host, json_object *o, const char *key, uint64_t bit, int64_t *out, uint64_t *has) {
	ent_str s = jsonl_text(o, key);
	if (!s.n)
		return 0;
	if (text_money(host, s, out))
		return -1;
	*has |= bit;
	return 0;
}

#endif
