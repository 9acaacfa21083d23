/* SPDX-License-Identifier: Apache-2.0
 *
 * serve/internal.h: what the files of the HTTP server share. Everything belongs to the thread of the loop.
 *
 * A listener is one address with one MHD_Daemon, whose epoll descriptor stands in a uv_poll_t and whose timeout in a
 * uv_timer_t. A connection is ours from MHD's first notice to its last. A request lives from its first line until both
 * MHD is done with it and the handler, if one was called, has answered.
 */
#ifndef ENT_SERVE_INTERNAL_H
#define ENT_SERVE_INTERNAL_H

#include "serve/http.h"

#include "base/arena.h"
#include "base/json.h"
#include "serve/mhd.h"
#include "serve/tokens.h"

#include <sys/types.h>

enum {
	ENT__HEAD_MOST = 16 * 1024, /* request line and headers */
	ENT__TARGET_MOST = 8 * 1024,
	ENT__SEGMENTS = 16,
	ENT__ALLOW = 96,
	ENT__VALUES = 64,        /* parameters of one request */
	ENT__HEADERS = 8,        /* of one answer, beside the usual ones */
	ENT__DISCARD = 64 * 1024, /* a refused body of at most this size is read, so that the connection lives on */
	ENT__BODY_KEPT = 64 * 1024, /* a buffer up to this size stays with the request for the next one */
	ENT__BYTES_A_SECOND = 64 * 1024, /* who reads an answer more slowly is cut */
	ENT__CODES = 16
};

typedef struct ent__listener {
	ent_http *http;
	struct ent__listener *next;
	struct MHD_Daemon *daemon;
	int fd; /* that it listens on; -1 once it does no more */
	bool local; /* the socket in the store */
	bool tls, six;
	bool gone;         /* of an older configuration: closed when its last connection is */
	uint16_t port;     /* as it was given by the system */
	const char *text;  /* as it is configured */
	char url[96];
	uv_poll_t poll;
	uv_timer_t timer;
	bool woken;  /* the timer will run it at once */
	int handles; /* that are not closed yet */
	size_t connections;
} ent__listener;

typedef struct ent__connection {
	ent__listener *listener;
	struct ent__connection *next, *before;
	struct MHD_Connection *mhd;
	int fd;
	ent_request *request; /* under way, or NULL */
	uint64_t due;         /* ns of uv_hrtime(); 0: something else looks after it */
	bool stream;          /* an answer without end */
	bool linger;          /* bytes of a refused body may still come: read them before closing, or the answer is lost */
	bool stranger;        /* on the socket in the store: not the same user */
	uid_t user;
	char client[48];      /* address */
} ent__connection;

typedef struct ent__value {
	const ent_param *param;
	const char *text;
	int64_t number;
} ent__value;

typedef struct ent__table {
	const ent_route *routes;
	void *ctx;
} ent__table;

struct ent_request {
	ent_http *http; /* NULL: the server is gone */
	ent_request *next; /* in the list of unused ones */
	ent__connection *connection;
	struct MHD_Connection *mhd;
	const ent_route *route; /* NULL until it is found, and for assets */
	void *ctx;
	char *target;  /* as sent; the path ends at `query` */
	const char *query; /* NULL: none */
	char *space;   /* decoded texts */
	size_t space_n;
	ent_buf text;  /* memory of both */
	char *segments[ENT__SEGMENTS];
	size_t n_segments;
	ent__value values[ENT__VALUES];
	size_t n_values;
	ent_buf body;
	size_t discarded; /* bytes of it */
	size_t held;      /* bytes of it in memory, as far as they came */
	struct json_object *json;
	int64_t limit; /* of the body */
	ent_role role;
	bool cookie; /* the role comes from a session */
	char who[ENT_TOKEN_NAME + 1], partner[ENT_TOKEN_NAME + 1];
	const char *media;
	struct {
		const char *name;
		char *value;
	} headers[ENT__HEADERS];
	size_t n_headers;
	char version[48]; /* ETag with its quotes, or empty */
	struct MHD_Response *answer;
	unsigned status;
	size_t size; /* of its body */
	uint64_t began, due;
	bool hook;      /* a webhook's */
	bool shared;    /* `answer` is somebody else's, too */
	bool head;      /* HEAD */
	bool started;   /* the head was looked at */
	bool discard;   /* refused: the body is read and forgotten */
	bool owed;      /* a handler has it and will answer */
	bool answered;  /* `answer` is there, or was */
	bool suspended; /* in MHD */
	bool done;      /* MHD knows it no more */
};

typedef struct ent__code { /* of a login link */
	uint8_t hash[32];
	ent_role role;
	uint64_t until; /* ns; 0: unused */
} ent__code;

struct ent_http {
	uv_loop_t *loop;
	const ent_config *config;
	const char *version;
	void (*log)(void *ctx, const char *event, const ent_error *e);
	void *log_ctx;
	ent__table *tables;
	size_t n_tables, tables_capacity;
	ent__listener *listeners;
	ent__connection *connections;
	size_t n_connections, n_requests;
	uint64_t held; /* bytes of bodies, of all requests */
	ent_request *unused;
	size_t n_unused;
	uv_timer_t sweep;
	bool sweeping;
	struct ent__limits *limits;
	struct ent__tls *tls;
	ent_tokens *tokens, *sessions;
	ent__code codes[ENT__CODES];
	void (*ending)(void *ctx); /* ends all streams */
	void *ending_ctx;
	struct ent__hooks *hooks; /* NULL: none */
	struct ent_events *events; /* goes with the server; NULL */
	bool draining, stopping;
	uint64_t drain_until;
	void (*drained)(void *ctx);
	void *drained_ctx;
	int store_fd; /* the folder of the socket; -1 */
	bool bound;   /* the socket is ours */
	ent_http_figures figures;
};

/* ---- listen.c: sockets ------------------------------------------------------------------------------------------------ */

int ent__listen_address(const char *text, int *fd, char *url, size_t size, uint16_t *port, ent_error *e);
/* Binds control.sock in the folder `at`; ENT_ERR_BUSY if somebody answers there. */
int ent__listen_local(int at, const char *folder, int *fd, ent_error *e);

/* ---- tls.c ------------------------------------------------------------------------------------------------------------ */

int ent__tls_load(struct ent__tls **out, const ent_config *config, ent_error *e);
void ent__tls_destroy(struct ent__tls *);
/* Keeps what was used before until the next change. */
void ent__tls_follow(struct ent__tls *, struct ent__tls *previous);
/* Takes up a certificate that was renewed; keeps the old one if the new one cannot be used, and says so once. */
void ent__tls_refresh(ent_http *);
/* For MHD_OPTION_HTTPS_CERT_CALLBACK, with the connection as the session's pointer. */
extern void *const ent__tls_callback;
void ent__tls_begin(ent__connection *);

/* ---- route.c ---------------------------------------------------------------------------------------------------------- */

/* Cuts the target into path and query, decodes. False, and answered, where it is malformed. */
bool ent__route_split(ent_request *);
/* Finds the route, and which methods its path takes. */
void ent__route_find(ent_request *, const char *method, char allow[ENT__ALLOW]);
/* There is none: 404, 405, or what OPTIONS asks. */
void ent__route_missing(ent_request *, const char *method, const char *methods);
bool ent__route_params(ent_request *);
/* Accept, Content-Type, Content-Length, in this order. */
bool ent__route_media(ent_request *);
/* Does the media type `one` ("text/csv; charset=utf-8") mean `other`, without parameters? */
bool ent__media_is(const char *one, const char *other);

/* ---- schema.c --------------------------------------------------------------------------------------------------------- */

/* Parses the body and checks it; false: answered. */
bool ent__schema_check(ent_request *);

/* ---- answer.c --------------------------------------------------------------------------------------------------------- */

/* The last step of every answer; takes the reference. */
void ent__answer(ent_request *, unsigned status, struct MHD_Response *);
/* The handler has nothing to say any more: ent_request_gone(). */
void ent__answer_drop(ent_request *);
/* Response with the headers that every answer has. */
void ent__answer_usual(ent_request *, unsigned status, struct MHD_Response *, const char *media);
/* A problem with members of the caller's: `members` writes them, or NULL. */
void ent__problem(ent_request *, unsigned status, const char *detail, void (*members)(ent_json *, const void *), const void *);
const char *ent__status_text(unsigned status);

/* ---- limits.c --------------------------------------------------------------------------------------------------------- */

struct ent__limits *ent__limits_create(void);
void ent__limits_destroy(struct ent__limits *);
/* True: this client may go on. Else *wait is how many seconds from now it may. */
bool ent__limits_take(struct ent__limits *, const char *client, ent_rate, uint64_t now_ns, unsigned *wait);
/* Would ent__limits_fail() leave something? For logins. */
bool ent__limits_may_fail(struct ent__limits *, const char *client, uint64_t now_ns, unsigned *wait);
void ent__limits_fail(struct ent__limits *, const char *client, uint64_t now_ns);
/* Reads what still comes on a copy of fd for a moment, then closes it. */
void ent__linger(uv_loop_t *, int fd);

/* ---- auth.c ----------------------------------------------------------------------------------------------------------- */

bool ent__auth_host(ent_request *);
/* Role, who and partner from the socket, a bearer token or a session; false: answered 401 or 429. */
bool ent__auth_caller(ent_request *);
/* Does the role suffice, and did the request come from our own page? False: answered. */
bool ent__auth_route(ent_request *, const char *method);
bool ent__auth_origin(ent_request *, bool unsafe);
const char *ent__client(const ent_request *);
extern const ent_route ent__auth_routes[];

/* ---- openapi.c -------------------------------------------------------------------------------------------------------- */

extern const ent_route ent__openapi_routes[];

/* ---- static.c --------------------------------------------------------------------------------------------------------- */

/* Answers if the path is that of an asset. */
bool ent__static(ent_request *);

/* ---- hook.c ----------------------------------------------------------------------------------------------------------- */

struct ent_webhooks;
/* True: the path is that of a webhook, whether it is answered already or not. */
bool ent__hook_begin(ent_request *, const char *method);
void ent__hook_run(ent_request *);
/* Another configuration: prepared, then taken. */
int ent__hooks_prepare(const ent_config *, struct ent_webhooks **out, ent_error *e);
void ent__hooks_take(struct ent__hooks *, struct ent_webhooks *);
void ent__hooks_destroy(struct ent__hooks *);

/* ---- request.c -------------------------------------------------------------------------------------------------------- */

/* For MHD, with the listener as cls. */
void *ent__request_uri(void *cls, const char *target, struct MHD_Connection *);
enum MHD_Result ent__request_access(void *cls, struct MHD_Connection *, const char *url, const char *method, const char *version,
	const char *upload, size_t *n, void **con);
void ent__request_completed(void *cls, struct MHD_Connection *, void **con, enum MHD_RequestTerminationCode why);
/* Memory that is kept for the next ones. */
void ent__requests_free(ent_http *);

/* ---- connection.c ----------------------------------------------------------------------------------------------------- */

void ent__connection_notice(void *cls, struct MHD_Connection *, void **context, enum MHD_ConnectionNotificationCode code);
/* Cuts what takes too long, and ends what is gone. */
void ent__sweep(uv_timer_t *);
void ent__drain_look(ent_http *);
void ent__http_cut(ent__connection *);

/* ---- http.c ----------------------------------------------------------------------------------------------------------- */

/* Ends a listener that nobody is connected to. */
void ent__listener_end(ent__listener *);
/* After MHD_resume_connection(). */
void ent__wake(ent__listener *);
void ent__http_told(ent_http *, const char *event, const ent_error *e);

#endif
