/* SPDX-License-Identifier: Apache-2.0
 *
 * The server: listeners on the loop, and the life of the whole, see http.h and internal.h. */
#include "serve/events.h"
#include "serve/internal.h"
#include "transport/webhook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	ent__drain_look(l->http);
}

static void listener_timer(uv_timer_t *timer) { listener_run(timer->data); }

static void listener_ready(uv_poll_t *poll, int status, int events) {
	(void)status;
	(void)events;
	listener_run(poll->data);
}

static void listener_closed(uv_handle_t *handle) {
	ent__listener *l = handle->data;
	if (--l->handles == 0) {
		free(l);
	}
}

/* Ends a listener that nobody is connected to. */
void ent__listener_end(ent__listener *l) {
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
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)ent__request_uri, l};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)ent__request_completed, l};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)ent__connection_notice, l};
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
	l->daemon = MHD_start_daemon(flags, 0, NULL, NULL, ent__request_access, l, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
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
	uv_timer_start(&h->sweep, ent__sweep, (uint64_t)every, (uint64_t)every);
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
	uv_timer_start(&h->sweep, ent__sweep, 0, 20);
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
		ent__listener_end(h->listeners);
	}
	if (h->bound) {
		unlinkat(h->store_fd, "control.sock", 0);
	}
	if (h->store_fd >= 0) {
		close(h->store_fd);
	}
	ent_events_destroy(h->events);
	ent__hooks_destroy(h->hooks);
	ent__requests_free(h);
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
