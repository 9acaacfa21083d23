/* SPDX-License-Identifier: Apache-2.0
 *
 * The server: listeners on the loop, connections and requests from MHD's notices, see http.h and internal.h.
 *
 * MHD calls us for each request: first with its first line (uri), then at the end of its head, for each piece of its body,
 * and at its end (access). A handler that does not answer at once leaves the connection suspended; ent__answer() resumes it.
 */
#include "serve/events.h"
#include "serve/internal.h"
#include "transport/webhook.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void ent__http_told(ent_http *h, const char *event, const ent_error *e) {
	if (h->log) {
		h->log(h->log_ctx, event, e);
	}
}

static void listener_timer(uv_timer_t *timer);

/* MHD looks at what was resumed only when it runs, and says so to nobody while an outer loop polls for it. */
void ent__wake(ent__listener *l) {
	if (!l->woken) {
		l->woken = true;
		uv_timer_start(&l->timer, listener_timer, 0, 0);
	}
}

/* ---- requests -------------------------------------------------------------------------------------------------------- */

static void request_free(ent_request *r) {
	ent_buf_finish(&r->text);
	ent_buf_finish(&r->body);
	free(r);
}

static ent_request *request_new(ent_http *h) {
	ent_request *r = h->unused;
	if (r) {
		h->unused = r->next;
		h->n_unused--;
	} else {
		r = ent_xcalloc(1, sizeof *r);
	}
	ent_buf text = r->text, body = r->body;
	memset(r, 0, offsetof(ent_request, values));
	memset(&r->n_values, 0, sizeof *r - offsetof(ent_request, n_values));
	r->text = text;
	r->body = body;
	r->body.n = 0;
	r->http = h;
	h->n_requests++;
	return r;
}

/* Both MHD and the handler are through with it. */
static void request_end(ent_request *r) {
	ent_http *h = r->http;
	json_object_put(r->json);
	r->json = NULL;
	for (size_t i = 0; i < r->n_headers; i++) {
		free(r->headers[i].value);
	}
	r->n_headers = 0;
	if (!h) {
		request_free(r);
		return;
	}
	h->n_requests--;
	if (r->body.capacity > ENT__BODY_KEPT) {
		ent_buf_finish(&r->body);
	}
	if (h->n_unused >= 256) {
		request_free(r);
		return;
	}
	r->next = h->unused;
	h->unused = r;
	h->n_unused++;
}

void ent__answer_drop(ent_request *r) {
	r->owed = false;
	if (r->done) {
		request_end(r);
	}
}

void ent__answer(ent_request *r, unsigned status, struct MHD_Response *response) {
	if (r->answered || r->done) { /* told 503 already, or nobody is there any more */
		MHD_destroy_response(response);
		ent__answer_drop(r);
		return;
	}
	r->owed = false;
	r->answer = response;
	r->status = status;
	r->answered = true;
	if (r->suspended) {
		r->suspended = false;
		MHD_resume_connection(r->mhd);
		ent__wake(r->connection->listener);
	}
}

static enum MHD_Result queue(ent_request *r) {
	ent_http *h = r->http;
	struct MHD_Response *response = r->answer;
	r->answer = NULL;
	if (!response) {
		return MHD_NO;
	}
	ent__connection *c = r->connection;
	uint64_t now = uv_hrtime();
	h->figures.requests[r->status / 100 < 6 ? r->status / 100 : 5]++;
	h->figures.nanoseconds += r->began ? now - r->began : 0;
	h->figures.bytes_in += r->body.n;
	uint64_t seconds = r->size / ENT__BYTES_A_SECOND;
	c->due = c->stream ? 0 : now + (uint64_t)h->config->serve.timeout_us * 1000 + seconds * 1000000000;
	enum MHD_Result result = MHD_queue_response(r->mhd, r->status, response);
	if (!r->shared) {
		MHD_destroy_response(response);
	}
	return result;
}

/* The head is there: everything that can be said before the body. True: go on. */
static bool head(ent_request *r, const char *method) {
	ent_http *h = r->http;
	ent__connection *c = r->connection;
	r->head = strcmp(method, "HEAD") == 0;
	r->limit = h->config->serve.body;
	if (c->stranger) {
		ent_answer_problem(r, 403, "this socket is for the user that runs the service");
		return false;
	}
	if (h->draining) {
		ent_answer_header(r, "Retry-After", "5");
		ent_answer_problem(r, 503, "the service is stopping");
		return false;
	}
	if (!ent__route_split(r)) {
		return false;
	}
	if (h->hooks && ent__hook_begin(r, method)) {
		r->hook = true;
		return !r->answered;
	}
	if (!ent__auth_host(r)) {
		return false;
	}
	bool reads = strcmp(method, "GET") == 0 || r->head;
	if (reads && ent__static(r)) {
		return false;
	}
	char allow[ENT__ALLOW];
	unsigned wait = 0;
	ent__route_find(r, method, allow);
	if (!(r->route && r->route->unlimited) && !c->listener->local &&
		!ent__limits_take(h->limits, ent__client(r), h->config->serve.rate, uv_hrtime(), &wait)) {
		char text[16];
		snprintf(text, sizeof text, "%u", wait);
		ent_answer_header(r, "Retry-After", text);
		ent_answer_problem(r, 429, "more than %lld requests in %lld s; come again in %u s", (long long)h->config->serve.rate.n,
			(long long)(h->config->serve.rate.per_us / 1000000), wait);
		return false;
	}
	if (!r->route) {
		ent__route_missing(r, method, allow);
		return false;
	}
	return ent__auth_caller(r) && ent__auth_route(r, method) && ent__route_params(r) && ent__route_media(r);
}

/* Length of the body, or -1: it comes in chunks. */
static int64_t body_length(struct MHD_Connection *mhd) {
	const char *length = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Content-Length");
	if (MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Transfer-Encoding")) {
		return -1;
	}
	return length ? strtoll(length, NULL, 10) : 0;
}

static enum MHD_Result begin(ent_request *r, struct MHD_Connection *mhd, const char *method) {
	ent_http *h = r->http;
	ent__connection *c = r->connection;
	uint64_t now = uv_hrtime();
	r->started = true;
	r->mhd = mhd;
	c->due = now + (uint64_t)h->config->serve.timeout_us * 1000;
	int64_t length = body_length(mhd);
	if (head(r, method) && length > r->limit) {
		ent_answer_problem(r, 413, "the body has %lld bytes, and at most %lld are taken", (long long)length, (long long)r->limit);
	}
	if (!r->answered) {
		return MHD_YES;
	}
	if (length > ENT__DISCARD) {
		c->linger = true;
		return queue(r);
	}
	r->discard = true; /* so short that it is read, and the connection lives on: an answer before the end would close it */
	return MHD_YES;
}

static enum MHD_Result more(ent_request *r, const char *bytes, size_t *n) {
	ent__connection *c = r->connection;
	size_t got = *n;
	*n = 0;
	if (!r->discard && (int64_t)(r->body.n + got) > r->limit) { /* chunks: only now is it seen */
		r->discard = true;
		r->body.n = 0;
		ent_answer_problem(r, 413, "the body is longer than %lld bytes", (long long)r->limit);
	}
	if (!r->discard) {
		ent_buf_add(&r->body, bytes, got);
	} else {
		r->discarded += got;
		if (r->discarded > (size_t)r->limit + ENT__DISCARD) {
			ent__http_cut(c);
			return MHD_NO;
		}
	}
	return MHD_YES;
}

static void run(ent_request *r) {
	if (r->hook) {
		r->owed = true;
		ent__hook_run(r);
		return;
	}
	if (r->route->body && !ent__schema_check(r)) {
		return;
	}
	r->owed = true;
	r->route->run(r, r->ctx);
}

/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): MHD's */
static enum MHD_Result access_handler(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *upload, size_t *n, void **con) {
	ent_request *r = *con;
	(void)cls;
	(void)url;
	(void)version;
	if (!r) {
		return MHD_NO;
	}
	if (!r->started) {
		return begin(r, mhd, method);
	}
	if (*n) {
		return more(r, upload, n);
	}
	if (r->answered) { /* refused, or resumed */
		return queue(r);
	}
	r->began = uv_hrtime();
	r->connection->due = 0;
	run(r);
	if (r->answered) {
		return queue(r);
	}
	r->due = r->began + (uint64_t)r->http->config->serve.timeout_us * 1000;
	r->suspended = true;
	MHD_suspend_connection(mhd);
	return MHD_YES;
}

static void *uri(void *cls, const char *target, struct MHD_Connection *mhd) {
	ent__listener *l = cls;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	ent__connection *c = info ? info->socket_context : NULL;
	if (!c || c->request) {
		return NULL;
	}
	ent_http *h = l->http;
	ent_request *r = request_new(h);
	size_t n = strlen(target);
	bool long_one = n > ENT__TARGET_MOST;
	n = long_one ? 0 : n;
	/* as sent, and room for all of it decoded */
	r->text.n = 0;
	ent_buf_reserve(&r->text, 2 * n + 2 * ENT__VALUES + 64);
	r->target = (char *)r->text.data;
	memcpy(r->target, target, n);
	r->target[n] = 0;
	r->space = r->target + n + 1;
	r->connection = c;
	r->mhd = mhd;
	c->request = r;
	c->due = uv_hrtime() + (uint64_t)h->config->serve.timeout_us * 1000;
	if (long_one) {
		ent_answer_problem(r, 414, "the target of the request is longer than %d bytes", ENT__TARGET_MOST);
	}
	return r;
}

static void completed(void *cls, struct MHD_Connection *mhd, void **con, enum MHD_RequestTerminationCode why) {
	ent__listener *l = cls;
	ent_request *r = *con;
	(void)mhd;
	if (!r) {
		return;
	}
	l->http->figures.slow += why == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED; /* nothing went for as long */
	*con = NULL;
	ent__connection *c = r->connection;
	c->request = NULL;
	c->stream = false;
	c->due = uv_hrtime() + (uint64_t)r->http->config->serve.timeout_us * 1000;
	r->connection = NULL;
	r->mhd = NULL;
	r->done = true;
	r->suspended = false;
	if (r->answer && !r->shared) {
		MHD_destroy_response(r->answer);
	}
	r->answer = NULL;
	if (!r->owed) {
		request_end(r);
	} else if (l->http->stopping) { /* whoever still answers it finds it alone */
		l->http->n_requests--;
		r->http = NULL;
	}
}

/* ---- connections ------------------------------------------------------------------------------------------------------ */

void ent__http_cut(ent__connection *c) {
	shutdown(c->fd, SHUT_RDWR); /* MHD sees the end of it at once, and closes */
	if (c->request && c->request->suspended) {
		c->request->suspended = false;
		MHD_resume_connection(c->mhd);
		ent__wake(c->listener);
	}
}

static void listener_closed(uv_handle_t *handle) {
	ent__listener *l = handle->data;
	if (--l->handles == 0) {
		free(l);
	}
}

/* Ends a listener that nobody is connected to. */
static void listener_end(ent__listener *l) {
	ent_http *h = l->http;
	ent__listener **at = &h->listeners;
	while (*at && *at != l) {
		at = &(*at)->next;
	}
	if (*at) {
		*at = l->next;
	}
	uv_poll_stop(&l->poll);
	uv_timer_stop(&l->timer);
	if (l->fd >= 0) {
		MHD_socket fd = MHD_quiesce_daemon(l->daemon);
		close(fd >= 0 ? fd : l->fd);
		l->fd = -1;
	}
	MHD_stop_daemon(l->daemon);
	l->daemon = NULL;
	uv_close((uv_handle_t *)&l->poll, listener_closed);
	uv_close((uv_handle_t *)&l->timer, listener_closed);
}

static void drain_look(ent_http *h) {
	if (h->draining && h->drained && (h->n_connections == 0 || uv_hrtime() >= h->drain_until)) {
		void (*drained)(void *) = h->drained;
		h->drained = NULL;
		drained(h->drained_ctx);
	}
}

/* MHD stops reading when it got less than it had room for. If the end of the connection came together with these bytes, it never
 * hears of it: epoll tells it once. */
static bool left(const ent__connection *c) {
	char byte;
	bool reads = !c->request || (!c->request->suspended && !c->request->answered) || c->request->discard;
	return reads && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void sweep(uv_timer_t *timer) {
	ent_http *h = timer->data;
	uint64_t now = uv_hrtime();
	ent__tls_refresh(h);
	for (ent__connection *c = h->connections, *next; c; c = next) {
		next = c->next;
		ent_request *r = c->request;
		if (r && r->suspended && r->due && now > r->due) {
			/* the handler still holds it, and its answer will be thrown away */
			h->figures.late++;
			bool owed = r->owed;
			r->due = 0;
			ent_answer_header(r, "Retry-After", "5");
			ent_answer_problem(r, 503, "no answer within %lld ms", (long long)(h->config->serve.timeout_us / 1000));
			r->owed = owed;
		} else if (c->due && now > c->due) {
			c->due = 0;
			if (r) {
				h->figures.slow++;
			}
			ent__http_cut(c);
		} else if ((h->draining && !r) || left(c)) {
			ent__http_cut(c);
		}
	}
	for (ent__listener *l = h->listeners, *next; l; l = next) {
		next = l->next;
		if (l->gone && !l->connections) {
			listener_end(l);
		}
	}
	drain_look(h);
}

static void connected(ent__listener *l, struct MHD_Connection *mhd, void **context) {
	ent_http *h = l->http;
	ent__connection *c = ent_xcalloc(1, sizeof *c);
	c->listener = l;
	c->mhd = mhd;
	c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	c->due = uv_hrtime() + (uint64_t)h->config->serve.timeout_us * 1000;
	c->next = h->connections;
	if (c->next) {
		c->next->before = c;
	}
	h->connections = c;
	h->n_connections++;
	h->figures.accepted++;
	l->connections++;
	if (l->local) {
		struct ucred who = {0};
		socklen_t n = sizeof who;
		bool known = getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0;
		c->user = who.uid;
		c->stranger = !known || (who.uid != 0 && who.uid != geteuid());
		strcpy(c->client, "control.sock");
	} else {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
		if (info && info->client_addr) {
			getnameinfo(info->client_addr,
				info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in), c->client,
				sizeof c->client, NULL, 0, NI_NUMERICHOST);
		}
	}
	if (l->tls) {
		ent__tls_begin(c);
	}
	*context = c;
}

static void notice(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code) {
	ent__listener *l = cls;
	ent_http *h = l->http;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connected(l, mhd, context);
		return;
	}
	ent__connection *c = *context;
	if (!c) {
		return;
	}
	*context = NULL;
	if (c->linger) {
		ent__linger(h->loop, c->fd);
	}
	if (c->next) {
		c->next->before = c->before;
	}
	*(c->before ? &c->before->next : &h->connections) = c->next;
	h->n_connections--;
	l->connections--;
	free(c);
	ent__wake(l); /* beyond the limit MHD listened no more, and starts again only when it runs */
}

/* ---- listeners -------------------------------------------------------------------------------------------------------- */

static void listener_run(ent__listener *l) {
	MHD_UNSIGNED_LONG_LONG wait;
	l->woken = false;
	MHD_run(l->daemon);
	if (l->woken) {
		uv_timer_start(&l->timer, listener_timer, 0, 0);
	} else if (MHD_get_timeout(l->daemon, &wait) == MHD_YES) {
		uv_timer_start(&l->timer, listener_timer, wait, 0);
	} else {
		uv_timer_stop(&l->timer);
	}
	drain_look(l->http);
}

static void listener_timer(uv_timer_t *timer) { listener_run(timer->data); }

static void listener_ready(uv_poll_t *poll, int status, int events) {
	(void)status;
	(void)events;
	listener_run(poll->data);
}

static int daemon_start(ent__listener *l, ent_error *e) {
	ent_http *h = l->http;
	const ent_serve_config *serve = &h->config->serve;
	struct rlimit files;
	int64_t most = serve->connections;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY && most > (int64_t)files.rlim_cur / 2) {
		most = (int64_t)files.rlim_cur / 2; /* the rest is for files, workers and polls */
	}
	struct MHD_OptionItem options[16];
	size_t n = 0;
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_LISTEN_SOCKET, l->fd, NULL};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_LIMIT, (intptr_t)most, NULL};
	options[n++] = (struct MHD_OptionItem){
		MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)((serve->timeout_us + 999999) / 1000000 + 1), NULL};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_MEMORY_LIMIT, ENT__HEAD_MOST, NULL};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)uri, l};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)completed, l};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)notice, l};
	bool own = strncmp(l->url, "http://127.", 11) == 0 || strstr(l->url, "//[::1]") || strncmp(l->url, "https://127.", 12) == 0;
	if (!l->local && !own && !serve->terminated) {
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_PER_IP_CONNECTION_LIMIT, most / 4 > 1 ? most / 4 : 1, NULL};
	}
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (l->six ? MHD_USE_IPv6 : 0);
	if (l->tls) {
		flags |= MHD_USE_TLS;
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, ent__tls_callback};
		options[n++] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"};
	}
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	l->daemon = MHD_start_daemon(flags, 0, NULL, NULL, access_handler, l, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
	const union MHD_DaemonInfo *info = l->daemon ? MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info || info->epoll_fd < 0) {
		if (l->daemon) {
			MHD_stop_daemon(l->daemon);
		} else {
			close(l->fd);
		}
		return ent_error_set(e, ENT_ERR_IO, "the HTTP server cannot be started on %s", l->text);
	}
	uv_poll_init(h->loop, &l->poll, info->epoll_fd);
	uv_timer_init(h->loop, &l->timer);
	l->poll.data = l->timer.data = l;
	l->handles = 2;
	uv_poll_start(&l->poll, UV_READABLE, listener_ready);
	listener_run(l);
	return 0;
}

/* A listener on `fd`, which it owns. */
static int listener_start(ent_http *h, const ent__listener *like, ent_error *e) {
	ent__listener *l = ent_xcalloc(1, sizeof *l);
	*l = *like;
	l->http = h;
	int status = daemon_start(l, e);
	if (status) {
		free(l);
		return status;
	}
	l->next = h->listeners;
	h->listeners = l;
	return 0;
}

/* Opens what the configuration names and is not open yet; `fresh` gets the descriptors, so that all or none are used. */
static int listen_all(ent_http *h, const ent_config *config, ent_error *e) {
	const ent_serve_config *serve = &config->serve;
	ent__listener fresh[64];
	size_t n = 0;
	int status = 0;
	for (size_t i = 0; !status && i < serve->listen.n && n < sizeof fresh / sizeof *fresh; i++) {
		ent_word word = serve->listen.v[i];
		bool there = false;
		for (ent__listener *l = h->listeners; l; l = l->next) {
			there |= !l->local && !l->gone && strcmp(l->text, word.s) == 0 && l->tls == (serve->certificate.s != NULL);
		}
		if (there) {
			continue;
		}
		ent__listener *l = &fresh[n];
		*l = (ent__listener){.text = word.s, .tls = serve->certificate.s != NULL, .six = word.s[0] == '['};
		status = ent__listen_address(word.s, &l->fd, l->url, sizeof l->url, &l->port, e);
		if (status) {
			ent_error_at(e, word.at.file, word.at.line, word.at.column);
		} else {
			n++;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (status) {
			close(fresh[i].fd);
			continue;
		}
		if (fresh[i].tls) {
			memmove(fresh[i].url + 5, fresh[i].url + 4, strlen(fresh[i].url + 4) + 1);
			fresh[i].url[4] = 's';
		}
		status = listener_start(h, &fresh[i], e);
	}
	return status;
}

int ent_http_listen(ent_http *h, ent_error *e) {
	if (h->config->serve.certificate.s) {
		int status = ent__tls_load(&h->tls, h->config, e);
		if (status) {
			return status;
		}
	}
	const char *folder = h->config->store.s;
	if (mkdir(folder, 0700) && errno != EEXIST) {
		return ent_error_errno(e, ENT_ERR_IO, "%s cannot be made", folder);
	}
	h->store_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->store_fd < 0) {
		return ent_error_errno(e, ENT_ERR_IO, "%s cannot be opened", folder);
	}
	ent__listener local = {.local = true, .text = "control.sock", .url = "unix:control.sock"};
	int status = ent__listen_local(h->store_fd, folder, &local.fd, e);
	if (!status) {
		h->bound = true;
		status = listener_start(h, &local, e);
	}
	return status ? status : listen_all(h, h->config, e);
}

static bool named(const ent_serve_config *serve, const ent__listener *l) {
	for (size_t i = 0; i < serve->listen.n; i++) {
		if (strcmp(serve->listen.v[i].s, l->text) == 0) {
			return l->tls == (serve->certificate.s != NULL);
		}
	}
	return false;
}

static const char *text_of(const ent_serve_config *serve, const ent__listener *l) {
	for (size_t i = 0; i < serve->listen.n; i++) {
		if (strcmp(serve->listen.v[i].s, l->text) == 0) {
			return serve->listen.v[i].s;
		}
	}
	return "(closed)";
}

static void sweep_start(ent_http *h) {
	int64_t every = h->config->serve.timeout_us / 8000;
	every = every < 20 ? 20 : every > 1000 ? 1000 : every;
	uv_timer_start(&h->sweep, sweep, (uint64_t)every, (uint64_t)every);
	uv_unref((uv_handle_t *)&h->sweep);
}

int ent_http_configure(ent_http *h, const ent_config *config, ent_error *e) {
	struct ent__tls *tls = NULL, *before = h->tls;
	struct ent_webhooks *hooks = NULL;
	int status = config->serve.certificate.s ? ent__tls_load(&tls, config, e) : 0;
	if (status) {
		return status;
	}
	const ent_config *old = h->config;
	h->tls = tls;
	h->config = config;
	status = h->hooks ? ent__hooks_prepare(config, &hooks, e) : 0;
	status = status ? status : listen_all(h, config, e);
	if (status) {
		ent_webhooks_close(hooks);
		h->tls = before;
		h->config = old;
		ent__tls_destroy(tls);
		return status;
	}
	if (h->hooks) {
		ent__hooks_take(h->hooks, hooks);
	}
	if (tls) {
		ent__tls_follow(tls, before);
	} else {
		ent__tls_destroy(before);
	}
	for (ent__listener *l = h->listeners; l; l = l->next) {
		if (l->local || l->gone) {
			l->text = l->local ? "control.sock" : "(closed)";
			continue;
		}
		bool stays = named(&config->serve, l);
		l->text = text_of(&config->serve, l);
		if (!stays) { /* connections that are there go on; it ends with the last of them */
			l->gone = true;
			MHD_socket fd = MHD_quiesce_daemon(l->daemon);
			close(fd >= 0 ? fd : l->fd);
			l->fd = -1;
		}
	}
	sweep_start(h);
	return 0;
}

const char *ent_http_address(const ent_http *h, size_t i) {
	/* they were put in front of each other */
	size_t n = 0;
	for (const ent__listener *l = h->listeners; l; l = l->next) {
		n += !l->local && !l->gone;
	}
	for (const ent__listener *l = h->listeners; l; l = l->next) {
		if (!l->local && !l->gone && --n == i) {
			return l->url;
		}
	}
	return NULL;
}

/* ---- the server ------------------------------------------------------------------------------------------------------- */

int ent_http_create(ent_http **out, uv_loop_t *loop, const ent_http_options *options, ent_error *e) {
	*out = NULL;
	int status = ent__mhd_load(e);
	if (status) {
		return status;
	}
	ent_http *h = ent_xcalloc(1, sizeof *h);
	h->loop = loop;
	h->config = options->config;
	h->version = options->version;
	h->log = options->log;
	h->log_ctx = options->log_ctx;
	h->store_fd = -1;
	status = ent_tokens_open(&h->tokens, h->config->store.s, "tokens", e);
	if (!status) {
		status = ent_tokens_open(&h->sessions, h->config->store.s, "sessions", e);
	}
	if (status) {
		ent_tokens_close(h->tokens);
		free(h);
		return status;
	}
	h->limits = ent__limits_create();
	uv_timer_init(loop, &h->sweep);
	h->sweep.data = h;
	sweep_start(h);
	ent_http_routes(h, ent__auth_routes, h);
	ent_http_routes(h, ent__openapi_routes, h);
	*out = h;
	return 0;
}

void ent_http_drain(ent_http *h, uint64_t within_ms, void (*done)(void *ctx), void *ctx) {
	h->draining = true;
	h->drain_until = uv_hrtime() + within_ms * 1000000;
	h->drained = done;
	h->drained_ctx = ctx;
	if (h->ending) {
		h->ending(h->ending_ctx);
	}
	for (ent__listener *l = h->listeners; l; l = l->next) {
		if (l->fd >= 0) {
			MHD_socket fd = MHD_quiesce_daemon(l->daemon);
			close(fd >= 0 ? fd : l->fd);
			l->fd = -1;
		}
	}
	uv_timer_start(&h->sweep, sweep, 0, 20);
	uv_ref((uv_handle_t *)&h->sweep);
}

static void freed(uv_handle_t *handle) { free(handle->data); }

void ent_http_destroy(ent_http *h) {
	if (!h) {
		return;
	}
	h->draining = h->stopping = true;
	if (h->ending) {
		h->ending(h->ending_ctx);
	}
	for (ent__connection *c = h->connections; c; c = c->next) {
		ent__http_cut(c);
	}
	while (h->listeners) {
		listener_end(h->listeners);
	}
	if (h->bound) {
		unlinkat(h->store_fd, "control.sock", 0);
	}
	if (h->store_fd >= 0) {
		close(h->store_fd);
	}
	ent_events_destroy(h->events);
	ent__hooks_destroy(h->hooks);
	while (h->unused) {
		ent_request *r = h->unused;
		h->unused = r->next;
		request_free(r);
	}
	ent__tls_destroy(h->tls);
	ent_tokens_close(h->tokens);
	ent_tokens_close(h->sessions);
	ent__limits_destroy(h->limits);
	free(h->tables);
	uv_close((uv_handle_t *)&h->sweep, freed);
}

void ent_http_figures_read(const ent_http *h, ent_http_figures *out) {
	*out = h->figures;
	out->connections = h->n_connections;
	out->under_way = h->n_requests;
}
