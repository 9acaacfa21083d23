/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's multi interface on a uv loop: sockets as uv_poll_t, its timer as one uv_timer_t. See client.h; what one
 * request is, is in client_call.c. Thread of the loop. */
#include "transport/client_internal.h"

#include <stdlib.h>

/* Enough for many partners at once; a single host is not overrun, and what waits here costs no connection. */
enum { OPEN_CONNECTIONS = 128, KEPT_CONNECTIONS = 64, CONNECTIONS_OF_A_HOST = 6 };

struct ent_client {
	uv_loop_t *loop;
	uv_timer_t timer;
	CURLM *multi;
	ent_client_call *calls;
	size_t busy;
	bool mailing; /* a mail is out with its thread */
	unsigned handles; /* of the loop, not closed yet */
	bool closing;
};

typedef struct watch {
	uv_poll_t poll;
	ent_client *client;
	curl_socket_t fd;
} watch;

static void forget(ent_client_call *call) {
	*call->link = call->next;
	if (call->next) {
		call->next->link = call->link;
	}
	call->client->busy--;
}

static void finish(ent_client_call *call, const ent_client_answer *answer) {
	forget(call);
	call->done(call->ctx, answer);
	ent__client_free(call);
}

/* Takes what is through. A `done` may send, cancel and destroy. */
static void drain(ent_client *client) {
	CURLMsg *message;
	int left;
	while (!client->closing && (message = curl_multi_info_read(client->multi, &left))) {
		if (message->msg != CURLMSG_DONE) {
			continue;
		}
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result;
		ent_client_call *call = NULL;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
		ent_client_answer answer = {0};
		bool again = ent__client_ended(call, code, &answer);
		curl_multi_remove_handle(client->multi, easy);
		if (!again) {
			finish(call, &answer);
		} else if (curl_multi_add_handle(client->multi, easy) != CURLM_OK) {
			answer.failure = ENT_CLIENT_UNREACHABLE;
			ent_error_set(&answer.error, ENT_ERR_IO, "a redirect could not be followed");
			ent__client_fill(call, &answer);
			finish(call, &answer);
		}
	}
}

static void on_closed(ent_client *client) {
	if (--client->handles == 0) {
		free(client);
	}
}

static void timer_closed(uv_handle_t *handle) { on_closed(handle->data); }

static void watch_closed(uv_handle_t *handle) {
	watch *w = handle->data;
	ent_client *client = w->client;
	free(w);
	on_closed(client);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
	watch *w = poll->data;
	ent_client *client = w->client;
	int running, flags = status < 0 ? CURL_CSELECT_ERR : 0;
	flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	curl_multi_socket_action(client->multi, w->fd, flags, &running);
	drain(client);
}

static void on_time(uv_timer_t *timer) {
	ent_client *client = timer->data;
	int running;
	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	drain(client);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *at_socket) {
	(void)easy;
	ent_client *client = user;
	watch *w = at_socket;
	if (what == CURL_POLL_REMOVE) {
		if (w) {
			uv_poll_stop(&w->poll);
			uv_close((uv_handle_t *)&w->poll, watch_closed);
			curl_multi_assign(client->multi, fd, NULL);
		}
		return 0;
	}
	if (!w) {
		w = ent_xcalloc(1, sizeof *w);
		if (uv_poll_init_socket(client->loop, &w->poll, fd) != 0) {
			free(w);
			return -1;
		}
		w->poll.data = w;
		w->client = client;
		w->fd = fd;
		client->handles++;
		curl_multi_assign(client->multi, fd, w);
	}
	int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	return uv_poll_start(&w->poll, events, on_ready) == 0 ? 0 : -1;
}

static int on_timer(CURLM *multi, long ms, void *user) {
	(void)multi;
	ent_client *client = user;
	if (client->closing) {
		return 0;
	}
	if (ms < 0) {
		return uv_timer_stop(&client->timer);
	}
	uv_update_time(client->loop); /* a loop that was busy would let it go off too early */
	return uv_timer_start(&client->timer, on_time, (uint64_t)ms, 0) == 0 ? 0 : -1;
}

ent_client *ent_client_create(uv_loop_t *loop, ent_error *e) {
	if (ent_curl_load(e)) {
		return NULL;
	}
	CURLM *multi = curl_multi_init();
	if (!multi) {
		ent_error_set(e, ENT_ERR_NOMEM, "libcurl cannot be set up");
		return NULL;
	}
	ent_client *client = ent_xcalloc(1, sizeof *client);
	client->loop = loop;
	client->multi = multi;
	client->handles = 1;
	uv_timer_init(loop, &client->timer);
	client->timer.data = client;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)OPEN_CONNECTIONS);
	curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_OF_A_HOST);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
	return client;
}

/* The mail that waits longest. */
static void next_mail(ent_client *client) {
	ent_client_call *oldest = NULL;
	for (ent_client_call *call = client->calls; call; call = call->next) {
		oldest = call->request.mail ? call : oldest;
	}
	if (oldest && !client->mailing && !client->closing) {
		client->mailing = ent__client_mail_start(client->loop, oldest) == 0;
		client->handles += client->mailing;
	}
}

void ent__client_mailed(ent_client_call *call, CURLcode code) {
	ent_client *client = call->client;
	client->mailing = false;
	if (atomic_load(&call->abandoned)) {
		ent__client_free(call); /* its `done` was called when it was given up */
	} else {
		ent_client_answer answer = {0};
		ent__client_ended(call, code, &answer);
		finish(call, &answer);
	}
	next_mail(client);
	on_closed(client);
}

static void cancel(ent_client_call *call, const char *why) {
	ent_client_answer answer = {.failure = ENT_CLIENT_CANCELLED};
	ent_error_set(&answer.error, ENT_ERR_STOPPED, "%s", why);
	if (!call->mailing) {
		ent__client_fill(call, &answer);
		if (!call->request.mail) {
			curl_multi_remove_handle(call->client->multi, call->easy);
		}
		finish(call, &answer);
		return;
	}
	static const struct ent__client_headers none; /* all else belongs to the thread */
	answer.body = "";
	answer.url = call->request.url;
	answer.headers = &none;
	atomic_store(&call->abandoned, 1);
	forget(call);
	call->done(call->ctx, &answer);
}

void ent_client_cancel(ent_client *client, ent_client_call *call) {
	(void)client;
	cancel(call, "the request was given up");
}

void ent_client_destroy(ent_client *client) {
	if (!client || client->closing) {
		return;
	}
	client->closing = true;
	while (client->calls) {
		cancel(client->calls, "the request was given up, as the service stops");
	}
	curl_multi_cleanup(client->multi);
	uv_close((uv_handle_t *)&client->timer, timer_closed);
}

int ent_client_send(ent_client *client, const ent_client_request *request, ent_client_done *done, void *ctx,
	ent_client_call **out, ent_error *e) {
	if (client->closing) {
		return ent_error_set(e, ENT_ERR_STOPPED, "the service stops");
	}
	ent_client_call *call = ent_xcalloc(1, sizeof *call);
	call->client = client;
	call->request = *request;
	call->done = done;
	call->ctx = ctx;
	call->started = uv_hrtime();
	int status = ent__client_prepare(call, e);
	if (!status && !call->request.mail && curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
		status = ent_error_set(e, ENT_ERR_NOMEM, "libcurl does not take the request");
	}
	if (status) {
		ent__client_free(call);
		return status;
	}
	call->next = client->calls;
	call->link = &client->calls;
	if (call->next) {
		call->next->link = &call->next;
	}
	client->calls = call;
	client->busy++;
	if (out) {
		*out = call;
	}
	if (call->request.mail) {
		next_mail(client);
	}
	return 0;
}

size_t ent_client_busy(const ent_client *client) { return client->busy; }
