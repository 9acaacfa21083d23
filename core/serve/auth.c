/* SPDX-License-Identifier: Apache-2.0
 *
 * Who calls, and whether the request may be believed: names of this host, tokens, sessions, where a page's request came from.
 *
 * A session is a token of its own, in a cookie that scripts cannot read and that other sites' requests do not carry
 * (HttpOnly, SameSite=Strict). It lasts a week, ends with the token that it was made from, and what it changes must come
 * with an Origin that is ours, or with a header that no other site can send. Front's thread. */
#include "serve/internal.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

enum { SESSION_SECONDS = 7 * 86400, CODE_SECONDS = 600 };

static const char own_header[] = "X-Entente-Request";

/* The client's address; behind a proxy, what the proxy says. */
const char *ent__client(const ent_request *r) {
	const char *list = r->http->config->serve.terminated ? ent_request_header(r, "X-Forwarded-For") : NULL;
	if (!list || r->connection->listener->local) {
		return r->connection->client;
	}
	const char *last = strrchr(list, ',');
	last = last ? last + 1 : list;
	return last + strspn(last, " \t");
}

/* ---- names of this host ----------------------------------------------------------------------------------------------- */

/* Cuts "name:port" or "[v6]:port". False: malformed. */
static bool host_name(const char *text, char *name, size_t size) {
	const char *end = *text == '[' ? strchr(text, ']') : text + strcspn(text, ":");
	const char *begin = *text == '[' ? text + 1 : text;
	if (!end || end == begin || (size_t)(end - begin) >= size) {
		return false;
	}
	memcpy(name, begin, (size_t)(end - begin));
	name[end - begin] = 0;
	end += *text == '[';
	return !*end || (*end == ':' && strspn(end + 1, "0123456789") == strlen(end + 1));
}

/* The address that this connection came to. */
static bool own_address(const ent_request *r, const char *name) {
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} own = {0};
	socklen_t n = sizeof own;
	char text[INET6_ADDRSTRLEN];
	if (getsockname(r->connection->fd, &own.any, &n)) {
		return false;
	}
	inet_ntop(own.any.sa_family,
		own.any.sa_family == AF_INET6 ? (const void *)&own.six.sin6_addr : (const void *)&own.four.sin_addr, text, sizeof text);
	return strcmp(text, name) == 0;
}

bool ent__auth_host(ent_request *r) {
	if (r->connection->listener->local) {
		return true;
	}
	const char *host = ent_request_header(r, "Host");
	const ent_serve_config *serve = &r->http->config->serve;
	char name[256];
	if (!host || !host_name(host, name, sizeof name)) {
		ent_answer_problem(r, 400, "the Host header is missing or malformed");
		return false;
	}
	bool good = strcasecmp(name, "localhost") == 0 || strcmp(name, "127.0.0.1") == 0 || strcmp(name, "::1") == 0 ||
				own_address(r, name);
	for (size_t i = 0; !good && i < serve->hosts.n; i++) {
		good = strcasecmp(name, serve->hosts.v[i].s) == 0;
	}
	if (!good) {
		ent_answer_problem(r, 421, "this service does not answer for '%s'; add it to serve.hosts if it should", name);
	}
	return good;
}

static bool secure(const ent_request *r) { return r->connection->listener->tls || r->http->config->serve.terminated; }

/* Is Origin that of our own page? */
static bool same_origin(const ent_request *r, const char *origin) {
	const char *host = ent_request_header(r, "Host");
	const char *scheme = secure(r) ? "https://" : "http://";
	size_t n = strlen(scheme);
	return host && strncasecmp(origin, scheme, n) == 0 && strcasecmp(origin + n, host) == 0;
}

bool ent__auth_origin(ent_request *r, bool unsafe) {
	const char *origin = ent_request_header(r, "Origin");
	if (r->connection->listener->local) {
		return true;
	}
	if (origin && !same_origin(r, origin)) {
		ent_answer_problem(r, 403, "requests from the pages of other sites are not taken (Origin: %.200s)", origin);
		return false;
	}
	const char *site = ent_request_header(r, "Sec-Fetch-Site");
	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0) {
		ent_answer_problem(r, 403, "requests from the pages of other sites are not taken");
		return false;
	}
	if (unsafe && r->cookie && !origin && !ent_request_header(r, own_header)) {
		ent_answer_problem(r, 403, "a change with a session needs an Origin, or the header %s: 1", own_header);
		return false;
	}
	return true;
}

/* ---- who it is -------------------------------------------------------------------------------------------------------- */

static void cookie_name(const ent_request *r, char out[40]) {
	/* cookies do not know ports: two services on one host must not overwrite each other's */
	snprintf(out, 40, "entente_%u", r->connection->listener->port);
}

static void is(ent_request *r, const ent_token *token) {
	r->role = token->role;
	memcpy(r->who, token->name, sizeof r->who);
	memcpy(r->partner, token->partner, sizeof r->partner);
}

static const ent_token *session(const ent_request *r) {
	static const uint8_t none[ENT_TOKEN_HASH];
	ent_http *h = r->http;
	char name[40];
	cookie_name(r, name);
	const char *text = MHD_lookup_connection_value(r->mhd, MHD_COOKIE_KIND, name);
	const ent_token *found = text && *text ? ent_tokens_find(h->sessions, text, strlen(text)) : NULL;
	if (found && memcmp(found->of, none, sizeof none) != 0 && !ent_tokens_find_hash(h->tokens, found->of)) {
		return NULL; /* the token that it was made from was revoked, or has expired */
	}
	return found;
}

static bool failed(ent_request *r, const char *what) {
	ent__limits_fail(r->http->limits, ent__client(r), uv_hrtime());
	ent_answer_header(r, "WWW-Authenticate", "Bearer realm=\"entente\", error=\"invalid_token\"");
	ent_answer_problem(r, 401, "%s", what);
	return false;
}

static bool may_try(ent_request *r) {
	unsigned wait = 0;
	if (r->connection->listener->local || ent__limits_may_fail(r->http->limits, ent__client(r), uv_hrtime(), &wait)) {
		return true;
	}
	char text[16];
	snprintf(text, sizeof text, "%u", wait);
	ent_answer_header(r, "Retry-After", text);
	ent_answer_problem(r, 429, "too many failed logins from %s; try again in %u s", ent__client(r), wait);
	return false;
}

bool ent__auth_caller(ent_request *r) {
	ent__connection *c = r->connection;
	if (c->listener->local) {
		r->role = ENT_ROLE_ADMIN;
		snprintf(r->who, sizeof r->who, "uid %u", (unsigned)c->user);
		return true;
	}
	strcpy(r->who, "anyone");
	const char *header = ent_request_header(r, "Authorization");
	if (header) {
		if (strncasecmp(header, "Bearer ", 7) != 0) {
			ent_answer_header(r, "WWW-Authenticate", "Bearer realm=\"entente\"");
			ent_answer_problem(r, 401, "write Authorization: Bearer TOKEN");
			return false;
		}
		if (!may_try(r)) {
			return false;
		}
		const char *text = header + 7 + strspn(header + 7, " ");
		const ent_token *token = ent_tokens_find(r->http->tokens, text, strlen(text));
		if (!token) {
			return failed(r, "there is no such token, or it has expired or was revoked");
		}
		is(r, token);
		return true;
	}
	const ent_token *token = session(r);
	if (token) {
		is(r, token);
		r->cookie = true;
	}
	return true;
}

bool ent__auth_route(ent_request *r, const char *method) {
	const ent_route *route = r->route;
	bool unsafe = strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
	if (r->role == ENT_ROLE_ANYONE && route->least > ENT_ROLE_ANYONE) {
		ent_answer_header(r, "WWW-Authenticate", "Bearer realm=\"entente\"");
		ent_answer_problem(r, 401, "this needs a token; `entente token add NAME --role %s` makes one", ent_role_word(route->least));
		return false;
	}
	bool partner = r->role == ENT_ROLE_PARTNER && route->least > ENT_ROLE_ANYONE;
	if (partner ? !route->released : r->role < route->least) {
		ent_answer_problem(r, 403, "this needs the role %s, and '%s' has the role %s", ent_role_word(route->least), r->who,
			ent_role_word(r->role));
		return false;
	}
	bool events = route->replies[0].media && strcmp(route->replies[0].media, ENT_MEDIA_EVENTS) == 0;
	return !(unsafe || events) || ent__auth_origin(r, unsafe);
}

/* ---- sessions --------------------------------------------------------------------------------------------------------- */

static void set_cookie(ent_request *r, const char *text, int seconds) {
	char name[40], line[256];
	cookie_name(r, name);
	snprintf(line, sizeof line, "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s", name, text, seconds,
		secure(r) ? "; Secure" : "");
	ent_answer_header(r, "Set-Cookie", line);
}

static void tell(ent_request *r, int status, const ent_token *token) {
	ent_buf out = {0};
	ent_json json;
	ent_json_init(&json, &out, false);
	ent_json_object(&json);
	ent_json_key(&json, "name");
	ent_json_text(&json, token->name);
	ent_json_key(&json, "role");
	ent_json_text(&json, ent_role_word(token->role));
	ent_json_key(&json, "partner");
	ent_json_text(&json, token->partner[0] ? token->partner : NULL);
	ent_json_end(&json);
	ent_answer_json(r, status, &out);
}

static const char *word(struct json_object *body, const char *key) {
	struct json_object *value;
	return json_object_object_get_ex(body, key, &value) ? json_object_get_string(value) : NULL;
}

/* A code of a link is good once. */
static bool code_take(ent_http *h, const char *text, ent_token *out) {
	uint8_t hash[ENT_TOKEN_HASH];
	bool good = false;
	uint64_t now = uv_hrtime();
	ent_token_hash(text, strlen(text), hash);
	for (size_t i = 0; i < ENT__CODES; i++) {
		ent__code *code = &h->codes[i];
		bool same = sodium_memcmp(code->hash, hash, sizeof hash) == 0;
		if (same && code->until > now) {
			out->role = code->role;
			snprintf(out->name, sizeof out->name, "login link");
			*code = (ent__code){0};
			good = true;
		}
	}
	return good;
}

static void session_begin(ent_request *r, void *ctx) {
	ent_http *h = ctx;
	struct json_object *body = ent_request_json(r);
	const char *text = word(body, "token"), *code = word(body, "code");
	ent_token like = {0};
	ent_error e;
	char made[ENT_TOKEN_TEXT];
	if (!text == !code) {
		ent_answer_problem(r, 422, "give either a token or a code");
		return;
	}
	if (!may_try(r)) {
		return;
	}
	if (text) {
		const ent_token *token = ent_tokens_find(h->tokens, text, strlen(text));
		if (!token) {
			failed(r, "there is no such token, or it has expired or was revoked");
			return;
		}
		like = *token;
		memcpy(like.of, token->hash, sizeof like.of);
	} else if (!code_take(h, code, &like)) {
		failed(r, "this link was used, or is older than ten minutes");
		return;
	}
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t until = ((int64_t)now.tv_sec + SESSION_SECONDS) * 1000000;
	like.expires = like.expires && like.expires < until ? like.expires : until;
	if (ent_tokens_add(h->sessions, &like, true, made, &e)) {
		ent_answer_error(r, &e);
		return;
	}
	set_cookie(r, made, SESSION_SECONDS);
	tell(r, 201, &like);
	sodium_memzero(made, sizeof made);
}

static void session_show(ent_request *r, void *ctx) {
	(void)ctx;
	ent_token who = {.role = r->role};
	memcpy(who.name, r->who, sizeof who.name);
	memcpy(who.partner, r->partner, sizeof who.partner);
	tell(r, 200, &who);
}

static void session_end(ent_request *r, void *ctx) {
	ent_http *h = ctx;
	const ent_token *token = session(r);
	if (token) {
		uint8_t hash[ENT_TOKEN_HASH];
		memcpy(hash, token->hash, sizeof hash);
		ent_tokens_remove(h->sessions, NULL, hash, NULL);
	}
	set_cookie(r, "", 0);
	ent_answer_nothing(r, 204);
}

/* ---- links ------------------------------------------------------------------------------------------------------------ */

int ent_http_login_link(ent_http *h, ent_role role, char *out, size_t size, ent_error *e) {
	char code[ENT_TOKEN_TEXT];
	const char *address = ent_http_address(h, 0);
	ent__code *oldest = h->codes;
	if (!address) {
		ent_error_set(e, ENT_ERR_NOTFOUND, "the service listens nowhere that a browser can reach");
		return ent_error_todo(e, "set serve.listen");
	}
	for (size_t i = 0; i < ENT__CODES; i++) {
		oldest = h->codes[i].until < oldest->until ? &h->codes[i] : oldest;
	}
	ent_token_random("", code, oldest->hash);
	oldest->role = role;
	oldest->until = uv_hrtime() + (uint64_t)CODE_SECONDS * 1000000000;
	const ent_serve_config *serve = &h->config->serve;
	if (serve->hosts.n && (serve->terminated || serve->certificate.s)) { /* as it is known outside */
		const char *port = serve->terminated ? "" : strrchr(address, ':');
		snprintf(out, size, "https://%s%s/#login=%s", serve->hosts.v[0].s, port, code);
	} else {
		bool any = strstr(address, "//0.0.0.0:") || strstr(address, "//[::]:");
		snprintf(out, size, "%.*s%s%s/#login=%s", (int)(strstr(address, "//") + 2 - address), address,
			any ? "localhost" : "", any ? strrchr(address, ':') : strstr(address, "//") + 2, code);
	}
	sodium_memzero(code, sizeof code);
	return 0;
}

static void link_make(ent_request *r, void *ctx) {
	char url[512];
	ent_error e;
	ent_role role = ENT_ROLE_ADMIN;
	const char *text = word(ent_request_json(r), "role");
	if (text) {
		ent_role_parse(text, &role);
	}
	if (ent_http_login_link(ctx, role, url, sizeof url, &e)) {
		ent_answer_error(r, &e);
		return;
	}
	ent_buf out = {0};
	ent_json json;
	ent_json_init(&json, &out, false);
	ent_json_object(&json);
	ent_json_key(&json, "url");
	ent_json_text(&json, url);
	ent_json_key(&json, "seconds");
	ent_json_int(&json, CODE_SECONDS);
	ent_json_end(&json);
	ent_answer_json(r, 201, &out);
}

/* clang-format off */
static const ent_member login_members[] = {
	{.key = "token", .shape = ENT_SHAPE_TEXT, .optional = true, .doc = "A bearer token."},
	{.key = "code", .shape = ENT_SHAPE_TEXT, .optional = true, .doc = "What stands behind `#login=` of a login link."},
	{.key = NULL}};
static const ent_schema login_schema = {.name = "Login", .doc = "One of the two.", .members = login_members};
static const ent_member session_members[] = {
	{.key = "name", .shape = ENT_SHAPE_TEXT, .doc = "Name of the token."},
	{.key = "role", .shape = ENT_SHAPE_TEXT, .choices = ent_role_words, .doc = "What it may do."},
	{.key = "partner", .shape = ENT_SHAPE_TEXT, .null = true, .doc = "With the role partner: which one it sees."},
	{.key = NULL}};
static const ent_schema session_schema = {.name = "Session", .doc = "Who is logged in.", .members = session_members};
static const char *const link_roles[] = {"viewer", "strategist", "operator", "admin", NULL};
static const ent_member link_wish_members[] = {
	{.key = "role", .shape = ENT_SHAPE_TEXT, .choices = link_roles, .optional = true, .doc = "What it may do; without it, admin."},
	{.key = NULL}};
static const ent_schema link_wish_schema = {.name = "LoginLinkWish", .doc = "For whom.", .members = link_wish_members};
static const ent_member link_members[] = {
	{.key = "url", .shape = ENT_SHAPE_TEXT, .doc = "To be opened in a browser, once."},
	{.key = "seconds", .shape = ENT_SHAPE_INT, .doc = "How long it is good."},
	{.key = NULL}};
static const ent_schema link_schema = {.name = "LoginLink", .doc = "A link that logs a browser in.", .members = link_members};

static const ent_reply begin_replies[] = {
	{.status = 201, .media = ENT_MEDIA_JSON, .schema = &session_schema, .doc = "Logged in; the cookie is set."}, {.status = 0}};
static const ent_reply show_replies[] = {
	{.status = 200, .media = ENT_MEDIA_JSON, .schema = &session_schema, .doc = "Who is logged in."}, {.status = 0}};
static const ent_reply end_replies[] = {{.status = 204, .doc = "Logged out."}, {.status = 0}};
static const ent_reply link_replies[] = {
	{.status = 201, .media = ENT_MEDIA_JSON, .schema = &link_schema, .doc = "The link."},
	{.status = 404, .doc = "The service listens nowhere that a browser can reach."}, {.status = 0}};

const ent_route ent__auth_routes[] = {
	{.method = "POST", .path = "/api/v1/session", .name = "login", .group = "session", .least = ENT_ROLE_ANYONE,
		.doc = "Log in with a token or the code of a login link. Sets a cookie for browsers; programs send the token itself with "
			"each request.", .body = &login_schema, .limit = 4096, .replies = begin_replies, .run = session_begin},
	{.method = "GET", .path = "/api/v1/session", .name = "whoami", .group = "session", .least = ENT_ROLE_VIEWER, .released = true,
		.doc = "Who is logged in.", .replies = show_replies, .run = session_show},
	{.method = "DELETE", .path = "/api/v1/session", .name = "logout", .group = "session", .least = ENT_ROLE_ANYONE,
		.doc = "Log out: the session ends and the cookie goes.", .replies = end_replies, .run = session_end},
	{.method = "POST", .path = "/api/v1/login-links", .name = "make_login_link", .group = "session", .least = ENT_ROLE_ADMIN,
		.doc = "Make a link that logs a browser in, once. It is good for ten minutes.", .body = &link_wish_schema, .limit = 4096,
		.replies = link_replies, .run = link_make},
	{.path = NULL}};
/* clang-format on */
