/* SPDX-License-Identifier: Apache-2.0
 *
 * Server-sent events, see events.h.
 *
 * Events lie in one ring of bytes, as they are sent; each listener has a place in it. MHD asks for bytes when the socket takes
 * them; when there are none, the connection is suspended until the next event or heartbeat. A listener whose place was
 * overwritten is cut. Numbers begin at the time of the start in milliseconds, so that those of an earlier run of the service are
 * known to be old: who comes with one is told to look anew (event "reset"). */
#include "serve/events.h"

#include "serve/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MEMORY = 1 << 20, EVENTS = 4096, HEARTBEAT_MS = 15000, LISTENERS = 256 };

typedef struct event {
	uint64_t id;
	uint64_t begin, end; /* bytes since the start; in the ring modulo its size */
} event;

typedef struct listener {
	ent_events *events;
	struct listener *next, *before;
	struct MHD_Connection *mhd;
	ent__connection *connection;
	uint64_t at;      /* byte since the start */
	char first[160];  /* what is sent before events */
	size_t first_n, first_at;
	bool suspended, beat, ended;
} listener;

struct ent_events {
	ent_http *http;
	char *ring;
	uint64_t end;      /* bytes ever */
	event events[EVENTS];
	uint64_t n, next_id; /* events ever; number of the next one */
	uint64_t first_id;
	listener *listeners;
	size_t n_listeners;
	uint64_t cut;
	uv_timer_t beat;
	bool closing;
};

static uint64_t oldest(const ent_events *v) {
	uint64_t first = v->end > MEMORY ? v->end - MEMORY : 0;
	return v->n > EVENTS && v->events[v->n % EVENTS].begin > first ? v->events[v->n % EVENTS].begin : first;
}

static void wake(listener *l) {
	if (l->suspended) {
		l->suspended = false;
		MHD_resume_connection(l->mhd);
		ent__wake(l->connection->listener);
	}
}

static ssize_t give(void *cls, uint64_t position, char *out, size_t room) {
	listener *l = cls;
	ent_events *v = l->events;
	(void)position;
	if (l->ended || !v) {
		return MHD_CONTENT_READER_END_OF_STREAM;
	}
	if (l->first_at < l->first_n) {
		size_t n = l->first_n - l->first_at < room ? l->first_n - l->first_at : room;
		memcpy(out, l->first + l->first_at, n);
		l->first_at += n;
		return (ssize_t)n;
	}
	if (l->at < oldest(v)) { /* too slow: what it should get now is gone */
		v->cut++;
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (l->at < v->end) {
		uint64_t from = l->at % MEMORY;
		size_t n = (size_t)(v->end - l->at) < room ? (size_t)(v->end - l->at) : room;
		n = n < MEMORY - from ? n : MEMORY - from;
		memcpy(out, v->ring + from, n);
		l->at += n;
		l->beat = false;
		return (ssize_t)n;
	}
	if (l->beat && room >= 3) {
		l->beat = false;
		memcpy(out, ":\n\n", 3);
		return 3;
	}
	l->suspended = true;
	MHD_suspend_connection(l->mhd);
	return 0;
}

static void gone(void *cls) {
	listener *l = cls;
	if (l->events) {
		if (l->next) {
			l->next->before = l->before;
		}
		*(l->before ? &l->before->next : &l->events->listeners) = l->next;
		l->events->n_listeners--;
	}
	free(l);
}

static void append(ent_events *v, const char *bytes, size_t n) {
	for (size_t done = 0; done < n;) {
		size_t at = v->end % MEMORY, part = n - done < MEMORY - at ? n - done : MEMORY - at;
		memcpy(v->ring + at, bytes + done, part);
		v->end += part;
		done += part;
	}
}

void ent_events_publish(ent_events *v, const char *name, const char *json, size_t n) {
	ent_buf out = {0};
	if (!json) {
		json = "{}";
		n = 2;
	}
	if (n > MEMORY / 4) { /* it would push out all else: say only that there is something */
		json = "{}";
		n = 2;
	}
	event *e = &v->events[v->n % EVENTS];
	ent_buf_printf(&out, "id: %llu\nevent: %s\ndata: ", (unsigned long long)v->next_id, name);
	for (size_t i = 0; i < n; i++) {
		ent_buf_u8(&out, json[i] == '\n' || json[i] == '\r' ? ' ' : (uint8_t)json[i]);
	}
	ent_buf_add(&out, "\n\n", 2);
	*e = (event){.id = v->next_id++, .begin = v->end};
	append(v, (char *)out.data, out.n);
	e->end = v->end;
	v->n++;
	ent_buf_finish(&out);
	for (listener *l = v->listeners; l; l = l->next) {
		wake(l);
	}
}

/* Where somebody goes on who has seen the event `last`. False: what came behind it is not there any more. */
static bool place_of(const ent_events *v, uint64_t last, uint64_t *at) {
	*at = v->end;
	if (last + 1 == v->next_id) {
		return true;
	}
	uint64_t first = v->n > EVENTS ? v->n - EVENTS : 0;
	if (last + 1 < v->first_id || last >= v->next_id) {
		return false;
	}
	uint64_t index = last + 1 - v->first_id;
	if (index < first || v->events[index % EVENTS].begin < oldest(v)) {
		return false;
	}
	*at = v->events[index % EVENTS].begin;
	return true;
}

static void listen_to(ent_request *r, void *ctx) {
	ent_events *v = ctx;
	const char *header = ent_request_header(r, "Last-Event-ID");
	const char *text = header ? header : ent_request_text(r, "last");
	char *end;
	if (v->n_listeners >= LISTENERS) {
		ent_answer_header(r, "Retry-After", "30");
		ent_answer_problem(r, 503, "%d clients listen already", LISTENERS);
		return;
	}
	listener *l = ent_xcalloc(1, sizeof *l);
	l->at = v->end;
	bool all = true;
	if (text && *text) {
		uint64_t last = strtoull(text, &end, 10);
		all = !*end && place_of(v, last, &l->at);
	}
	/* the number of the newest event goes first: who is cut before there was one still knows where it was */
	unsigned long long newest = v->next_id - 1;
	l->first_n = (size_t)(all && text && *text
							  ? snprintf(l->first, sizeof l->first, "retry: 2000\n\n")
							  : snprintf(l->first, sizeof l->first, "retry: 2000\nid: %llu\nevent: %s\ndata: {}\n\n", newest,
									all ? "hello" : "reset"));
	l->events = v;
	l->mhd = r->mhd;
	l->connection = r->connection;
	l->connection->stream = true;
	l->next = v->listeners;
	if (l->next) {
		l->next->before = l;
	}
	v->listeners = l;
	v->n_listeners++;
	ent_answer_header(r, "X-Accel-Buffering", "no"); /* nginx in front passes each event on at once */
	ent__answer_usual(r, 200, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, give, l, gone), ENT_MEDIA_EVENTS);
}

static void beat(uv_timer_t *timer) {
	ent_events *v = timer->data;
	for (listener *l = v->listeners; l; l = l->next) {
		l->beat = true;
		wake(l);
	}
}

static void end_all(void *ctx) {
	ent_events *v = ctx;
	for (listener *l = v->listeners; l; l = l->next) {
		l->ended = true;
		wake(l);
	}
}

/* clang-format off */
static const ent_param params[] = {
	{.name = "last", .type = ENT_PARAM_TEXT, .doc = "Goes on behind this event, as the header `Last-Event-ID` does."}, {.name = NULL}};
static const ent_reply replies[] = {
	{.status = 200, .media = ENT_MEDIA_EVENTS, .doc = "Events, as they come."}, {.status = 0}};
static const ent_route routes[] = {
	{.method = "GET", .path = "/api/v1/events", .name = "events", .group = "events", .least = ENT_ROLE_VIEWER,
		.doc = "What changes, as server-sent events. The first is `hello`; `reset` says that events were missed, and that what is shown "
			"should be asked for anew. Each has an id; a client that comes again with the last one it saw gets what it missed.",
		.params = params, .replies = replies, .run = listen_to},
	{.path = NULL}};
/* clang-format on */

ent_events *ent_events_create(ent_http *h) {
	ent_events *v = ent_xcalloc(1, sizeof *v);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	v->http = h;
	v->ring = ent_xmalloc(MEMORY);
	v->first_id = v->next_id = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	h->ending = end_all;
	h->ending_ctx = v;
	uint64_t often = (uint64_t)h->config->serve.timeout_us / 2000; /* MHD cuts who is silent for that long */
	often = often < HEARTBEAT_MS ? often : HEARTBEAT_MS;
	uv_timer_init(h->loop, &v->beat);
	v->beat.data = v;
	uv_timer_start(&v->beat, beat, often, often);
	uv_unref((uv_handle_t *)&v->beat);
	h->events = v;
	ent_http_routes(h, routes, v);
	return v;
}

static void closed(uv_handle_t *handle) {
	ent_events *v = handle->data;
	free(v->ring);
	free(v);
}

void ent_events_destroy(ent_events *v) {
	if (!v || v->closing) {
		return;
	}
	v->closing = true;
	end_all(v);
	for (listener *l = v->listeners, *next; l; l = next) {
		next = l->next;
		l->events = NULL;
		l->next = l->before = NULL;
	}
	v->listeners = NULL;
	v->http->ending = NULL;
	v->http->events = NULL;
	uv_close((uv_handle_t *)&v->beat, closed);
}

size_t ent_events_listeners(const ent_events *v) { return v->n_listeners; }
uint64_t ent_events_cut(const ent_events *v) { return v->cut; }
