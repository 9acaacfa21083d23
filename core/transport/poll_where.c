/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a poll stands, as text. See poll_internal.h. */
#include "transport/poll_internal.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

void ent__where_finish(ent__where *w) {
	free(w->next);
	free(w->etag);
	free(w->modified);
	*w = (ent__where){0};
}

static uint64_t mix(const char *text, uint64_t seed) { return text ? ent_hash64(text, strlen(text) + 1, seed) : seed + 1; }

/* What is read, and by what one knows how far: another address or value, and one begins anew. */
static uint64_t what_of(const ent_poll_config *c) { return mix(c->since.s, mix(c->url.s, 1)); }

/* How it is asked: another way, and a turn under way begins anew. */
static uint64_t how_of(const ent_poll_config *c) {
	uint64_t h = mix(c->param.s, mix(c->next.s, (uint64_t)c->pages));
	h = mix(c->records.s, h + (uint64_t)c->size);
	for (size_t i = 0; i < c->n_query; i++) {
		h = mix(c->query[i].value.s, mix(c->query[i].key.s, h));
	}
	for (size_t i = 0; i < c->n_headers; i++) {
		h = mix(c->headers[i].value.s, mix(c->headers[i].key.s, h));
	}
	return h;
}

static const char *text_of(struct json_object *o, const char *key) {
	struct json_object *v;
	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

static uint64_t hash_of(struct json_object *o, const char *key) {
	const char *text = text_of(o, key);
	return text ? strtoull(text, NULL, 16) : 0;
}

static ent_stamp stamp_of(struct json_object *o, const char *key) {
	const char *text = text_of(o, key);
	return text ? ent_stamp_of(text, strlen(text)) : (ent_stamp){0};
}

static char *copy_of(struct json_object *o, const char *key) {
	const char *text = text_of(o, key);
	return text ? ent_xstrdup(text) : NULL;
}

void ent__where_read(ent__where *w, const ent_poll_config *c, const char *kept) {
	ent__where_finish(w);
	struct json_object *o = kept ? json_tokener_parse(kept) : NULL;
	if (json_object_is_type(o, json_type_object) && hash_of(o, "what") == what_of(c)) {
		w->since = stamp_of(o, "since");
		if (hash_of(o, "how") == how_of(c)) {
			struct json_object *within;
			w->within = json_object_object_get_ex(o, "within", &within) && json_object_get_boolean(within);
			w->used = stamp_of(o, "used");
			w->seen = stamp_of(o, "seen");
			w->next = copy_of(o, "next");
			w->asked = hash_of(o, "asked");
			w->answered = hash_of(o, "answered");
			w->etag = copy_of(o, "etag");
			w->modified = copy_of(o, "modified");
		}
	}
	json_object_put(o);
	if (!w->since.kind && c->start.s) {
		w->since = ent_stamp_of(c->start.s, strlen(c->start.s));
	}
}

static void put(ent_json *j, const char *key, const char *text) {
	if (text && *text) {
		ent_json_key(j, key);
		ent_json_text(j, text);
	}
}

static void put_hash(ent_json *j, const char *key, uint64_t hash) {
	char text[24];
	snprintf(text, sizeof text, "%016" PRIx64, hash);
	put(j, key, text);
}

char *ent__where_text(const ent__where *w, const ent_poll_config *c) {
	ent_buf out = {0};
	ent_json j;
	ent_json_init(&j, &out, false);
	ent_json_object(&j);
	put_hash(&j, "what", what_of(c));
	put_hash(&j, "how", how_of(c));
	put(&j, "since", w->since.as);
	if (w->within) {
		ent_json_key(&j, "within");
		ent_json_bool(&j, true);
		put(&j, "used", w->used.as);
		put(&j, "seen", w->seen.as);
		put(&j, "next", w->next);
	}
	if (w->asked) {
		put_hash(&j, "asked", w->asked);
		put_hash(&j, "answered", w->answered);
		put(&j, "etag", w->etag);
		put(&j, "modified", w->modified);
	}
	ent_json_end(&j);
	ent_buf_u8(&out, 0);
	return (char *)out.data;
}
