/* SPDX-License-Identifier: Apache-2.0
 *
 * /openapi.json, from the tables of routes. Front's thread. */
#include "serve/internal.h"

#include "config/scalar.h"

#include <stdlib.h>
#include <string.h>

typedef struct known {
	const ent_schema **list;
	size_t n, capacity;
} known;

/* ---- schemas ---------------------------------------------------------------------------------------------------------- */

static void pair(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text);
}

static void collect(known *k, const ent_schema *schema) {
	if (!schema) {
		return;
	}
	for (size_t i = 0; i < k->n; i++) {
		if (k->list[i] == schema) {
			return;
		}
	}
	ENT_GROW(k->list, k->n, k->capacity);
	k->list[k->n++] = schema;
	for (const ent_member *m = schema->members; m && m->key; m++) {
		collect(k, m->schema);
	}
}

static void reference(ent_json *j, const char *kind, const char *name) {
	ent_json_key(j, "$ref");
	ent_buf text = {0};
	ent_buf_printf(&text, "#/components/%s/%s", kind, name);
	ent_json_text_n(j, (char *)text.data, text.n);
	ent_buf_finish(&text);
}

/* "type" of a shape, with null where it may be that. */
static void type(ent_json *j, const char *name, bool null) {
	ent_json_key(j, "type");
	if (!null) {
		ent_json_text(j, name);
		return;
	}
	ent_json_array(j);
	ent_json_text(j, name);
	ent_json_text(j, "null");
	ent_json_end(j);
}

/* Members of the schema of one value, into an object that is open. */
static void shape_of(ent_json *j, const ent_member *m, ent_shape shape, bool null) {
	static const char *const formats[] = {[ENT_SHAPE_DAY] = "date", [ENT_SHAPE_INSTANT] = "date-time"};
	switch (shape) {
	case ENT_SHAPE_TEXT:
	case ENT_SHAPE_DAY:
	case ENT_SHAPE_INSTANT:
		type(j, "string", null);
		if (shape != ENT_SHAPE_TEXT) {
			pair(j, "format", formats[shape]);
		} else if (m->choices) {
			ent_json_key(j, "enum");
			ent_json_array(j);
			for (size_t i = 0; m->choices[i]; i++) {
				ent_json_text(j, m->choices[i]);
			}
			if (null) {
				ent_json_null(j);
			}
			ent_json_end(j);
		}
		break;
	case ENT_SHAPE_INT:
		type(j, "integer", null);
		break;
	case ENT_SHAPE_NUMBER:
		type(j, "number", null);
		break;
	case ENT_SHAPE_BOOL:
		type(j, "boolean", null);
		break;
	case ENT_SHAPE_OBJECT:
		if (!m->schema) {
			type(j, "object", null);
		} else if (!null) {
			reference(j, "schemas", m->schema->name);
		} else {
			ent_json_key(j, "anyOf");
			ent_json_array(j);
			ent_json_object(j);
			reference(j, "schemas", m->schema->name);
			ent_json_end(j);
			ent_json_object(j);
			pair(j, "type", "null");
			ent_json_end(j);
			ent_json_end(j);
		}
		break;
	case ENT_SHAPE_LIST:
	case ENT_SHAPE_MAP:
		type(j, shape == ENT_SHAPE_LIST ? "array" : "object", null);
		ent_json_key(j, shape == ENT_SHAPE_LIST ? "items" : "additionalProperties");
		ent_json_object(j);
		shape_of(j, m, m->of, false);
		ent_json_end(j);
		break;
	case ENT_SHAPE_ANY:
		break;
	}
}

static void schema(ent_json *j, const ent_schema *s) {
	bool some = false;
	ent_json_key(j, s->name);
	ent_json_object(j);
	pair(j, "type", "object");
	if (s->doc) {
		pair(j, "description", s->doc);
	}
	ent_json_key(j, "properties");
	ent_json_object(j);
	for (const ent_member *m = s->members; m && m->key; m++) {
		some |= !m->optional;
		ent_json_key(j, m->key);
		ent_json_object(j);
		shape_of(j, m, m->shape, m->null);
		if (m->doc) {
			pair(j, "description", m->doc);
		}
		ent_json_end(j);
	}
	ent_json_end(j);
	if (some) {
		ent_json_key(j, "required");
		ent_json_array(j);
		for (const ent_member *m = s->members; m->key; m++) {
			if (!m->optional) {
				ent_json_text(j, m->key);
			}
		}
		ent_json_end(j);
	}
	if (!s->open) {
		ent_json_key(j, "additionalProperties");
		ent_json_bool(j, false);
	}
	ent_json_end(j);
}

/* ---- operations ------------------------------------------------------------------------------------------------------- */

static void parameter(ent_json *j, const ent_param *p) {
	static const char *const types[] = {"string", "integer", "string", "boolean", "string"};
	ent_json_object(j);
	pair(j, "name", p->name);
	pair(j, "in", p->in == ENT_PARAM_PATH ? "path" : "query");
	ent_json_key(j, "required");
	ent_json_bool(j, p->in == ENT_PARAM_PATH || p->required);
	if (p->doc) {
		pair(j, "description", p->doc);
	}
	if (p->example) {
		pair(j, "example", p->example);
	}
	ent_json_key(j, "schema");
	ent_json_object(j);
	if (p->many) {
		pair(j, "type", "array");
		ent_json_key(j, "items");
		ent_json_object(j);
	}
	pair(j, "type", types[p->type]);
	if (p->type == ENT_PARAM_DAY) {
		pair(j, "format", "date");
	}
	if (p->type == ENT_PARAM_INT && (p->least || p->most)) {
		ent_json_key(j, "minimum");
		ent_json_int(j, p->least);
		ent_json_key(j, "maximum");
		ent_json_int(j, p->most);
	}
	if (p->type == ENT_PARAM_CHOICE) {
		ent_json_key(j, "enum");
		ent_json_array(j);
		for (size_t i = 0; p->choices[i]; i++) {
			ent_json_text(j, p->choices[i]);
		}
		ent_json_end(j);
	}
	int64_t number;
	bool flag;
	if (p->preset && !p->many) {
		ent_json_key(j, "default");
		if (p->type == ENT_PARAM_INT && ent_int_parse(p->preset, &number)) {
			ent_json_int(j, number);
		} else if (p->type == ENT_PARAM_BOOL && ent_bool_parse(p->preset, &flag)) {
			ent_json_bool(j, flag);
		} else {
			ent_json_text(j, p->preset);
		}
	}
	if (p->many) {
		ent_json_end(j);
	}
	ent_json_end(j);
	ent_json_end(j);
}

static void content_of(ent_json *j, const ent_reply *reply) {
	ent_json_key(j, reply->media);
	ent_json_object(j);
	ent_json_key(j, "schema");
	ent_json_object(j);
	if (reply->list) {
		pair(j, "type", "array");
		ent_json_key(j, "items");
		ent_json_object(j);
	}
	if (reply->schema) {
		reference(j, "schemas", reply->schema->name);
	} else if (strcmp(reply->media, ENT_MEDIA_JSON) != 0) {
		pair(j, "type", "string");
	}
	if (reply->list) {
		ent_json_end(j);
	}
	ent_json_end(j);
	ent_json_end(j);
}

static bool says(const ent_route *route, int status) {
	for (const ent_reply *reply = route->replies; reply->status; reply++) {
		if (reply->status == status) {
			return true;
		}
	}
	return false;
}

static void problem(ent_json *j, int status, const char *doc) {
	char key[8];
	ent_buf text = {0};
	ent_buf_printf(&text, "%d", status);
	memcpy(key, text.data, text.n);
	ent_json_key_n(j, key, text.n);
	ent_buf_finish(&text);
	ent_json_object(j);
	pair(j, "description", doc);
	ent_json_key(j, "content");
	ent_json_object(j);
	ent_json_key(j, ENT_MEDIA_PROBLEM);
	ent_json_object(j);
	ent_json_key(j, "schema");
	ent_json_object(j);
	reference(j, "schemas", "Problem");
	ent_json_end(j);
	ent_json_end(j);
	ent_json_end(j);
	ent_json_end(j);
}

static void replies(ent_json *j, const ent_route *route) {
	ent_json_key(j, "responses");
	ent_json_object(j);
	for (const ent_reply *reply = route->replies; reply->status; reply++) {
		bool first = true;
		for (const ent_reply *before = route->replies; before < reply; before++) {
			first &= before->status != reply->status;
		}
		if (!first) {
			continue;
		}
		if (reply->status >= 400 && !reply->media) {
			problem(j, reply->status, reply->doc);
			continue;
		}
		ent_buf text = {0};
		ent_buf_printf(&text, "%d", reply->status);
		ent_json_key_n(j, (char *)text.data, text.n);
		ent_buf_finish(&text);
		ent_json_object(j);
		pair(j, "description", reply->doc);
		if (reply->media) {
			ent_json_key(j, "content");
			ent_json_object(j);
			for (const ent_reply *other = reply; other->status; other++) {
				if (other->status == reply->status) {
					content_of(j, other);
				}
			}
			ent_json_end(j);
		}
		ent_json_end(j);
	}
	/* what the server itself answers */
	bool get = strcmp(route->method, "GET") == 0;
	if (get && says(route, 200) && !says(route, 304)) {
		ent_json_key(j, "304");
		ent_json_object(j);
		pair(j, "description", "The client has this version already (If-None-Match).");
		ent_json_end(j);
	}
	const struct {
		int status;
		bool holds;
		const char *doc;
	} own[] = {
		{400, true, "The request is malformed; `detail` says what is wrong."},
		{401, route->least > ENT_ROLE_ANYONE || strcmp(route->name, "login") == 0, "A token is missing or not good."},
		{403, true, "The role does not suffice, or the request came from the page of another site."},
		{406, route->replies[0].media != NULL, "No media type of `Accept` can be had."},
		{413, route->body || route->takes, "The body is too large."},
		{415, true, "The body has a media type that is not taken, or there should be none."},
		{421, true, "The Host header names a host that this service does not answer for."},
		{422, route->body || route->takes, "The body can be read, but is not what is expected; `detail` says where."},
		{429, !route->unlimited, "Too many requests; come again after `Retry-After` seconds."},
		{503, true, "The service cannot answer now; come again after `Retry-After` seconds."},
	};
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		if (own[i].holds && !says(route, own[i].status)) {
			problem(j, own[i].status, own[i].doc);
		}
	}
	ent_json_end(j);
}

static void operation(ent_json *j, const ent_route *route) {
	char lower[8] = "";
	for (size_t i = 0; route->method[i] && i < sizeof lower - 1; i++) {
		lower[i] = (char)(route->method[i] | 32);
	}
	const char *end = strstr(route->doc, ". ");
	size_t n = end ? (size_t)(end - route->doc) : strlen(route->doc) - (route->doc[strlen(route->doc) - 1] == '.');
	ent_json_key(j, lower);
	ent_json_object(j);
	pair(j, "operationId", route->name);
	ent_json_key(j, "tags");
	ent_json_array(j);
	ent_json_text(j, route->group);
	ent_json_end(j);
	ent_json_key(j, "summary");
	ent_json_text_n(j, route->doc, n);
	pair(j, "description", route->doc);
	ent_json_key(j, "security");
	ent_json_array(j);
	for (size_t i = 0; i < 2 && route->least > ENT_ROLE_ANYONE; i++) {
		ent_json_object(j);
		ent_json_key(j, i ? "session" : "token");
		ent_json_array(j);
		ent_json_end(j);
		ent_json_end(j);
	}
	ent_json_end(j);
	pair(j, "x-least-role", ent_role_word(route->least));
	ent_json_key(j, "x-released");
	ent_json_bool(j, route->released);
	if (route->params && route->params->name) {
		ent_json_key(j, "parameters");
		ent_json_array(j);
		for (const ent_param *p = route->params; p->name; p++) {
			parameter(j, p);
		}
		ent_json_end(j);
	}
	if (route->body || route->takes) {
		bool needed = route->takes != NULL;
		for (const ent_member *m = route->body ? route->body->members : NULL; m && m->key; m++) {
			needed |= !m->optional;
		}
		ent_json_key(j, "requestBody");
		ent_json_object(j);
		ent_json_key(j, "required");
		ent_json_bool(j, needed);
		ent_json_key(j, "content");
		ent_json_object(j);
		if (route->body) {
			content_of(j, &(ent_reply){.media = ENT_MEDIA_JSON, .schema = route->body});
		}
		for (const char *const *takes = route->takes; takes && *takes; takes++) {
			content_of(j, &(ent_reply){.media = *takes});
		}
		ent_json_end(j);
		ent_json_end(j);
	}
	replies(j, route);
	ent_json_end(j);
}

static const ent_member problem_members[] = {
	{.key = "type", .shape = ENT_SHAPE_TEXT, .doc = "`about:blank`: `status` says what kind it is."},
	{.key = "title", .shape = ENT_SHAPE_TEXT, .doc = "Of the status."},
	{.key = "status", .shape = ENT_SHAPE_INT, .doc = "As in the answer itself."},
	{.key = "detail", .shape = ENT_SHAPE_TEXT, .doc = "What is wrong, and what to do."}, {.key = NULL}};
static const ent_schema problem_schema = {
	.name = "Problem", .doc = "What went wrong (RFC 9457).", .members = problem_members, .open = true};

static bool shown(const ent_http *h, size_t table, const ent_route *route) {
	/* a path is described once, with all of its methods */
	for (size_t t = 0; t <= table; t++) {
		for (const ent_route *other = h->tables[t].routes; other->path && other != route; other++) {
			if (!other->hidden && strcmp(other->path, route->path) == 0) {
				return true;
			}
		}
	}
	return false;
}

static void components(ent_json *j, const known *k) {
	ent_json_key(j, "components");
	ent_json_object(j);
	ent_json_key(j, "securitySchemes");
	ent_json_object(j);
	ent_json_key(j, "token");
	ent_json_object(j);
	pair(j, "type", "http");
	pair(j, "scheme", "bearer");
	pair(j, "description", "`entente token add NAME --role ROLE` makes one.");
	ent_json_end(j);
	ent_json_key(j, "session");
	ent_json_object(j);
	pair(j, "type", "apiKey");
	pair(j, "in", "cookie");
	pair(j, "name", "entente_PORT");
	pair(j, "description", "Of a browser that has logged in. What changes something needs the header X-Entente-Request: 1 as well.");
	ent_json_end(j);
	ent_json_end(j);
	ent_json_key(j, "schemas");
	ent_json_object(j);
	for (size_t i = 0; i < k->n; i++) {
		schema(j, k->list[i]);
	}
	ent_json_end(j);
	ent_json_end(j);
}

void ent_http_openapi(const ent_http *h, ent_buf *out) {
	ent_json json, *j = &json;
	known k = {0};
	collect(&k, &problem_schema);
	ent_json_init(j, out, true);
	ent_json_object(j);
	pair(j, "openapi", "3.1.0");
	ent_json_key(j, "info");
	ent_json_object(j);
	pair(j, "title", "Entente");
	pair(j, "version", h->version ? h->version : "0");
	pair(j, "description", "Partners, what is known of them, and what follows from it.");
	ent_json_key(j, "license");
	ent_json_object(j);
	pair(j, "name", "Apache-2.0");
	pair(j, "identifier", "Apache-2.0");
	ent_json_end(j);
	ent_json_end(j);
	ent_json_key(j, "paths");
	ent_json_object(j);
	for (size_t t = 0; t < h->n_tables; t++) {
		for (const ent_route *route = h->tables[t].routes; route->path; route++) {
			if (route->hidden || shown(h, t, route)) {
				continue;
			}
			ent_json_key(j, route->path);
			ent_json_object(j);
			for (size_t u = t; u < h->n_tables; u++) {
				for (const ent_route *other = h->tables[u].routes; other->path; other++) {
					if (!other->hidden && strcmp(other->path, route->path) == 0) {
						operation(j, other);
						collect(&k, other->body);
						for (const ent_reply *reply = other->replies; reply->status; reply++) {
							collect(&k, reply->schema);
						}
					}
				}
			}
			ent_json_end(j);
		}
	}
	ent_json_end(j);
	components(j, &k);
	ent_json_end(j);
	ent_buf_u8(out, '\n');
	free(k.list);
}

static void show(ent_request *r, void *ctx) {
	ent_buf out = {0};
	ent_http_openapi(ctx, &out);
	ent_answer_json(r, 200, &out);
}

static const ent_reply show_replies[] = {
	{.status = 200, .media = ENT_MEDIA_JSON, .doc = "The document."}, {.status = 0}};

const ent_route ent__openapi_routes[] = {
	{.method = "GET", .path = "/openapi.json", .name = "openapi", .group = "service", .least = ENT_ROLE_ANYONE,
		.doc = "This description of the API, in OpenAPI 3.1.", .replies = show_replies, .run = show},
	{.path = NULL}};
