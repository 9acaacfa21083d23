/* SPDX-License-Identifier: Apache-2.0
 *
 * serve/http.h: the HTTP server of the service: tables of routes, requests, answers.
 *
 * A part of the service that has something to say over HTTP writes a const table of ent_route and hands it to
 * ent_http_routes(). The server does the rest: it knows the caller and the role, checks parameters and bodies against the
 * table, negotiates the media type, and describes all of it at /openapi.json. A handler gets a request that is in order
 * and answers it, at once or later:
 *
 *     static void show(ent_request *r, void *ctx) {
 *         ent_buf out = {0};
 *         ... write JSON into out; ent_request_text(r, "id") is never NULL if the route has {id}
 *         ent_answer_json(r, 200, &out);              // takes what is in `out`; sets the ETag, knows 304
 *     }
 *     static const ent_param show_params[] = {
 *         {.name = "id", .in = ENT_PARAM_PATH, .type = ENT_PARAM_TEXT, .doc = "The partner's id."}, {.name = NULL}};
 *     static const ent_reply show_replies[] = {
 *         {.status = 200, .media = ENT_MEDIA_JSON, .schema = &partner, .doc = "The partner."},
 *         {.status = 404, .doc = "There is no such partner."}, {.status = 0}};
 *     static const ent_route routes[] = {
 *         {.method = "GET", .path = "/api/v1/partners/{id}", .name = "partner", .group = "partners",
 *          .least = ENT_ROLE_VIEWER, .doc = "One partner.", .params = show_params, .replies = show_replies, .run = show},
 *         {.path = NULL}};
 *
 * Every request is answered exactly once, by one of ent_answer_*; from the handler, or later from any callback on the
 * same loop. It is valid until then and not afterwards, also when the client has gone or its time was up meanwhile: the
 * answer is then thrown away.
 *
 * Threads: everything here belongs to the thread of the loop ("front"). Nothing blocks.
 */
#ifndef ENT_SERVE_HTTP_H
#define ENT_SERVE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "entente/plugin.h" /* ent_str */

struct json_object; /* of json-c */

/* ---- who calls ---------------------------------------------------------------------------------------------------- */

typedef enum ent_role {
	ENT_ROLE_ANYONE, /* of a route: needs no token; of a caller: has none */
	ENT_ROLE_PARTNER, /* sees only what was released to one partner; routes with `released` alone */
	ENT_ROLE_VIEWER, /* reads */
	ENT_ROLE_STRATEGIST, /* and handles findings, writes registers */
	ENT_ROLE_OPERATOR, /* and reloads, hands in data */
	ENT_ROLE_ADMIN /* and all else */
} ent_role;

extern const char *const ent_role_words[]; /* by role from PARTNER on: ent_role_words[role - 1]; ends with NULL */

/* ---- tables -------------------------------------------------------------------------------------------------------- */

#define ENT_MEDIA_JSON "application/json"
#define ENT_MEDIA_PROBLEM "application/problem+json"
#define ENT_MEDIA_CSV "text/csv"
#define ENT_MEDIA_HTML "text/html"
#define ENT_MEDIA_TEXT "text/plain"
#define ENT_MEDIA_ARROW "application/vnd.apache.arrow.stream"
#define ENT_MEDIA_EVENTS "text/event-stream"

/* What a JSON value is. */
typedef enum ent_shape {
	ENT_SHAPE_TEXT,
	ENT_SHAPE_INT,
	ENT_SHAPE_NUMBER,
	ENT_SHAPE_BOOL,
	ENT_SHAPE_DAY,     /* text, YYYY-MM-DD */
	ENT_SHAPE_INSTANT, /* text, RFC 3339 */
	ENT_SHAPE_OBJECT,  /* by `schema` */
	ENT_SHAPE_LIST,    /* of `of` */
	ENT_SHAPE_MAP,     /* free keys to `of` */
	ENT_SHAPE_ANY
} ent_shape;

typedef struct ent_member {
	const char *key; /* NULL ends a table */
	ent_shape shape;
	ent_shape of;                    /* LIST, MAP: of what; an OBJECT by `schema` */
	const struct ent_schema *schema; /* OBJECT, and LIST or MAP of OBJECT */
	const char *const *choices;      /* TEXT; ends with NULL */
	bool optional;                   /* may be absent */
	bool null;                       /* may be null */
	const char *doc;
} ent_member;

typedef struct ent_schema {
	const char *name; /* unique over all tables; its name in /openapi.json */
	const char *doc;
	const ent_member *members; /* ends with key NULL; NULL: none named */
	bool open;                 /* has members beside those named */
} ent_schema;

typedef enum ent_param_in { ENT_PARAM_QUERY, ENT_PARAM_PATH } ent_param_in;
typedef enum ent_param_type { ENT_PARAM_TEXT, ENT_PARAM_INT, ENT_PARAM_DAY, ENT_PARAM_BOOL, ENT_PARAM_CHOICE } ent_param_type;

typedef struct ent_param {
	const char *name; /* NULL ends a table */
	ent_param_in in;
	ent_param_type type;
	bool required;              /* of the query; what stands in the path always is */
	bool many;                  /* of the query: may be given several times, see ent_request_each() */
	int64_t least, most;        /* INT */
	const char *preset;         /* what holds when it is not given; NULL: nothing */
	const char *const *choices; /* CHOICE; ends with NULL */
	const char *example;        /* a value that a test may send */
	const char *doc;
} ent_param;

/* The two parameters of lists, rows for tables; see ent_answer_next(). */
#define ENT_PARAM_ROWS_PAGE                                                                                            \
	{.name = "limit", .type = ENT_PARAM_INT, .least = 1, .most = 10000, .preset = "100", .doc = "At most so many."},   \
	{.name = "after", .type = ENT_PARAM_TEXT, .doc = "Behind this one: as the `Link` header of the page before says."}

typedef struct ent_reply {
	int status;               /* 0 ends a table */
	const char *media;        /* NULL: problem+json from 400 on, no body below */
	const ent_schema *schema; /* of JSON; NULL: anything */
	bool list;                /* a list of `schema` */
	const char *doc;
} ent_reply;

typedef struct ent_request ent_request;

typedef struct ent_route {
	const char *method; /* GET (which answers HEAD, too), POST, PUT, PATCH, DELETE */
	const char *path;   /* segments in braces take any text: "/api/v1/partners/{id}"; NULL ends a table */
	const char *name;   /* unique; operationId */
	const char *group;  /* of the documentation */
	const char *doc;    /* first sentence: the summary */
	ent_role least;
	bool released;            /* role partner may call it, too; the handler gives what ent_request_partner() may see */
	bool hidden;              /* not in /openapi.json */
	bool unlimited;           /* by rate: probes */
	const ent_param *params;  /* NULL: none */
	const ent_schema *body;   /* JSON that is checked before the handler runs; NULL: no JSON */
	const char *const *takes; /* media types of a body that is not JSON; ends with NULL; "*" + "/" + "*": any. NULL: none */
	int64_t limit;            /* of the body, in bytes; 0: that of the configuration */
	const ent_reply *replies; /* what the server itself answers (400, 401, 403, 429 …) is added to the documentation */
	void (*run)(ent_request *r, void *ctx);
} ent_route;

/* ---- the server ------------------------------------------------------------------------------------------------------ */

typedef struct ent_http ent_http;

typedef struct ent_http_options {
	const ent_config *config; /* borrowed until ent_http_configure() brings another or the end; uses `serve` and `store` */
	const char *version;      /* of the program; static */
	void (*log)(void *ctx, const char *event, const ent_error *e); /* NULL: nothing is told */
	void *log_ctx;
} ent_http_options;

/* Makes a server that has no routes and does not listen yet. */
int ent_http_create(ent_http **out, uv_loop_t *loop, const ent_http_options *options, ent_error *e);
/* Adds a table, which must stay. Faults of a table (a name twice, a parameter that its path has not) end the process: they
 * are the program's. Before ent_http_listen(). */
void ent_http_routes(ent_http *, const ent_route *routes, void *ctx);
/* Listens where the configuration says and on STORE/control.sock. ENT_ERR_BUSY: another service uses this store. Errors
 * have the place in the configuration. */
int ent_http_listen(ent_http *, ent_error *e);
/* Takes over a changed configuration: limits, hosts, certificate, addresses. On error everything stays as it was, the old
 * configuration in use; else the old one is used no more. */
int ent_http_configure(ent_http *, const ent_config *config, ent_error *e);
/* Takes no new connections or requests and ends streams; done(ctx) once every request has been answered, or after
 * `within_ms`, when the rest is cut. */
void ent_http_drain(ent_http *, uint64_t within_ms, void (*done)(void *ctx), void *ctx);
/* Ends at once. No handler may hold a request any more: ent_answer_* would touch what is gone. Its handles on the loop are
 * closed by the next turns of the loop; run it until then. NULL is fine. */
void ent_http_destroy(ent_http *);

/* The i-th address that it listens on, as a URL without a slash at its end ("http://127.0.0.1:8080"); NULL behind the last.
 * A port 0 of the configuration is the one that the system gave. */
const char *ent_http_address(const ent_http *, size_t i);
/* A link for a person at the terminal or behind the socket: good for one login within ten minutes, with this role. Into
 * `out`. ENT_ERR_NOTFOUND: it listens nowhere but on the socket. */
int ent_http_login_link(ent_http *, ent_role role, char *out, size_t size, ent_error *e);

/* For /metrics. */
typedef struct ent_http_figures {
	uint64_t requests[6];  /* by first digit of the status */
	uint64_t connections;  /* open now */
	uint64_t under_way;    /* requests now */
	uint64_t accepted;     /* connections ever */
	uint64_t limited;      /* answered 429 */
	uint64_t refused;      /* answered 401 or 403 */
	uint64_t slow;         /* connections cut because they took too long */
	uint64_t late;         /* requests answered 503 because the handler took too long */
	uint64_t bytes_in, bytes_out; /* bodies */
	uint64_t nanoseconds;  /* from the whole request to its answer, sum over requests */
} ent_http_figures;
void ent_http_figures_read(const ent_http *, ent_http_figures *out);

/* /openapi.json, from all tables. */
void ent_http_openapi(const ent_http *, ent_buf *out);

/* ---- a request ------------------------------------------------------------------------------------------------------- */

/* Parameters by name, from path or query, decoded and checked against the table: the text, or the preset, or NULL. */
const char *ent_request_text(const ent_request *, const char *name);
int64_t ent_request_int(const ent_request *, const char *name, int64_t otherwise);  /* INT; DAY: days since 1970-01-01 */
bool ent_request_bool(const ent_request *, const char *name, bool otherwise);
const char *ent_request_each(const ent_request *, const char *name, size_t i); /* NULL behind the last */

/* A header, NULL where there is none. */
const char *ent_request_header(const ent_request *, const char *name);
/* The body as it came. */
ent_str ent_request_body(const ent_request *);
/* The body of a route with a schema, parsed and checked; owned by the request. */
struct json_object *ent_request_json(const ent_request *);
/* The media type to answer with: that of the replies which Accept likes best, the first if it does not care. */
const char *ent_request_media(const ent_request *);
const char *ent_request_path(const ent_request *); /* as it was sent, without the query */

ent_role ent_request_role(const ent_request *);
/* Name of the token, or of the user behind the socket ("uid 1000"): who did it, for journals. Never NULL. */
const char *ent_request_who(const ent_request *);
/* Role partner: the only partner that may be shown, and only what was released to it. NULL for all other roles. */
const char *ent_request_partner(const ent_request *);
/* For a handler that answers later and wants to stop early: the client has gone, or was told 503. */
bool ent_request_gone(const ent_request *);

/* ---- answers --------------------------------------------------------------------------------------------------------- */

/* For the answer to come. Name must be static; the value is copied. A policy of its own (Content-Security-Policy) or
 * Cache-Control set here stands in place of the usual one. */
void ent_answer_header(ent_request *, const char *name, const char *value);
/* Link to the next page: this request with after=`after`. */
void ent_answer_next(ent_request *, const char *after);
/* True: the client has this version already and was told so (304): the request is answered. `version` without quotes. */
bool ent_answer_unchanged(ent_request *, const char *version);

/* Takes the bytes out of `json` (left empty). ETag from them, unless ent_answer_unchanged() has set one. */
void ent_answer_json(ent_request *, int status, ent_buf *json);
/* The same for any other type; `media` is static. */
void ent_answer_bytes(ent_request *, int status, const char *media, ent_buf *bytes);
/* As ent_answer_bytes, with bytes that stay for ever. */
void ent_answer_static(ent_request *, int status, const char *media, const void *bytes, size_t n);
void ent_answer_nothing(ent_request *, int status); /* 204, 201, 202: no body */
/* RFC 9457. `detail` for people, printf-like. */
void ent_answer_problem(ent_request *, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The problem that an error is: 404 for ENT_ERR_NOTFOUND, 422 for INVALID and RANGE, 409 for FENCED, 503 for BUSY, IO,
 * STOPPED and WORKER, 500 for all else. With its place, what and todo as members. */
void ent_answer_error(ent_request *, const ent_error *e);
/* Several, as for a configuration: status, and the member `errors` with one object each. */
void ent_answer_errors(ent_request *, int status, const ent_errors *errors);

#endif
