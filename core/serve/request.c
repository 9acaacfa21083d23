/* SPDX-License-Identifier: Apache-2.0
 *
 * One request, from its first line to its last byte.
 *
 * MHD calls us first with the first line (uri), then at the end of the head, for each piece of the body, and at its end
 * (access), and when it is through (completed). A handler that does not answer at once leaves the connection suspended; ent__answer()
 * resumes it. Front's thread. */
#include "serve/internal.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* What of a body is in memory counts for all of them: none of it was looked at before its end, whoever sent it. */
static void let_go(ent_request *r) {
	r->http->held -= r->held;
	r->held = 0;
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
	let_go(r);
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

/* A body that fits alone fits when nothing else is there. */
static bool room(const ent_http *h, uint64_t more) {
	return !h->held || h->held + more <= (uint64_t)h->config->inbox.memory;
}

static void too_much(ent_request *r) {
	ent_answer_header(r, "Retry-After", "5");
	ent_answer_problem(r, 429, "too much is coming in at once");
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
		ent_answer_problem(r, 413, "the body has %lld bytes, and at most %lld are taken", (long long)length,
			(long long)r->limit);
	} else if (!r->answered && length > 0 && !room(h, (uint64_t)length)) {
		too_much(r);
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
		let_go(r);
		ent_answer_problem(r, 413, "the body is longer than %lld bytes", (long long)r->limit);
	}
	if (!r->discard && !room(r->http, got)) {
		r->discard = true;
		ent_buf_finish(&r->body);
		let_go(r);
		too_much(r);
	}
	if (!r->discard) {
		ent_buf_add(&r->body, bytes, got);
		r->held += got;
		r->http->held += got;
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
enum MHD_Result ent__request_access(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
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

void *ent__request_uri(void *cls, const char *target, struct MHD_Connection *mhd) {
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

void ent__request_completed(void *cls, struct MHD_Connection *mhd, void **con, enum MHD_RequestTerminationCode why) {
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

void ent__requests_free(ent_http *h) {
	while (h->unused) {
		ent_request *r = h->unused;
		h->unused = r->next;
		request_free(r);
	}
}
