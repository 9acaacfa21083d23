/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways in that the front runs itself: watches on files and folders, polls, pipes. One for each source that needs one. After
 * a reload those that say what they said before go on untouched, under the configuration that they began with. Front's thread. */
#include "serve/front.h"
#include "transport/client.h"
#include "transport/pipe.h"
#include "transport/poll.h"
#include "transport/watch.h"

#include <stdlib.h>
#include <string.h>

typedef struct way {
	ent__generation *generation; /* that `source` lives in */
	const ent_config_source *source;
	ent_poll *poll; /* NULL: it is none */
	ent_watch *watch;
	ent_pipe *pipe;
	bool kept; /* while sources are brought to another configuration */
	struct way *next;
} way;

struct ent__sources {
	ent__serve *serve;
	ent_client *client; /* NULL until something is polled */
	way *ways;
};

int ent__sources_create(ent__sources **out, ent__serve *serve, ent_error *e) {
	(void)e;
	*out = ent_xcalloc(1, sizeof **out);
	(*out)->serve = serve;
	return 0;
}

static void close_way(way *w) {
	ent_poll_destroy(w->poll);
	ent_watch_destroy(w->watch);
	ent_pipe_destroy(w->pipe);
	ent__generation_leave(w->generation);
	free(w);
}

static way *way_of(ent__sources *s, const char *name) {
	for (way *w = s->ways; w; w = w->next) {
		if (!strcmp(w->source->name.s, name)) {
			return w;
		}
	}
	return NULL;
}

static void told(ent__sources *s, const char *name, const ent_error *e, int64_t retry_us) {
	char text[600];
	ent_service_way(s->serve->service, name, e ? ent_error_text(e, text, sizeof text) : NULL, retry_us);
}

/* A poll that fails makes its source one that fails: in status and figures, for an alert to see. */
static void on_polled(void *ctx, const char *source) {
	ent__sources *s = ctx;
	ent_poll_status status;
	if (ent__sources_poll(s, source, &status)) {
		told(s, source, status.failing ? &status.error : NULL, status.next_us);
	}
}

/* What a poll brought comes by way of the inbox. */
static int open_poll(ent__sources *s, way *w, ent_errors *errors) {
	ent_error e = {0};
	s->client = s->client ? s->client : ent_client_create(&s->serve->loop, &e);
	if (!s->client) {
		return ent_errors_take(errors, &e);
	}
	return ent_poll_create(&w->poll, &s->serve->loop, w->generation->config, w->source, s->client, s->serve->inbox, on_polled, s, errors);
}

static void on_touched(void *ctx, const char *source) {
	const ent__serve *serve = ctx;
	ent_service_touched(serve->service, source);
}

static int begin(ent__sources *s, way *w, ent_errors *errors) {
	ent__serve *serve = s->serve;
	ent_error e = {0};
	int status = 0;
	switch (w->source->from.kind) {
	case ENT_FROM_FILE:
	case ENT_FROM_GLOB:
	case ENT_FROM_DIRECTORY:
		status = ent_watch_create(&w->watch, &serve->loop, w->source, on_touched, serve, &e);
		break;
	case ENT_FROM_STDIN:
	case ENT_FROM_PIPE:
		status = ent_pipe_create(&w->pipe, &serve->loop, serve->inbox, w->source, &e);
		break;
	case ENT_FROM_POLL:
		return open_poll(s, w, errors);
	default: /* a webhook has its route */
		break;
	}
	return status ? ent_errors_take(errors, &e) : 0;
}

static int open_way(ent__sources *s, ent__generation *g, const ent_config_source *source, ent_errors *errors) {
	way *w = ent_xcalloc(1, sizeof *w);
	w->generation = ent__generation_use(g);
	w->source = source;
	w->kept = true;
	w->next = s->ways;
	s->ways = w;
	size_t before = errors->n;
	int status = begin(s, w, errors);
	if (status) {
		told(s, source->name.s, errors->n > before ? &errors->e[before] : &errors->e[0], 0);
	}
	return status;
}

int ent__sources_bring(ent__sources *s, ent__generation *g, ent_errors *errors) {
	size_t before = errors->total;
	for (way *w = s->ways; w; w = w->next) {
		w->kept = ent_config_source_find(g->config, w->source->name.s) &&
				  ent_config_same(w->generation->config, g->config, "sources", w->source->name.s);
	}
	for (way **at = &s->ways; *at;) {
		way *w = *at;
		if (w->kept) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		told(s, w->source->name.s, NULL, 0);
		close_way(w);
	}
	for (size_t i = 0; i < g->config->n_sources; i++) {
		if (!way_of(s, g->config->sources[i].name.s)) {
			open_way(s, g, &g->config->sources[i], errors);
		}
	}
	return errors->total > before ? errors->e[0].code : 0;
}

bool ent__sources_poll(const ent__sources *s, const char *name, ent_poll_status *out) {
	for (const way *w = s->ways; w; w = w->next) {
		if (w->poll && !strcmp(w->source->name.s, name)) {
			ent_poll_status_of(w->poll, out);
			return true;
		}
	}
	return false;
}

bool ent__sources_poll_now(ent__sources *s, const char *name) {
	const way *w = way_of(s, name);
	if (w && w->poll) {
		ent_poll_now(w->poll);
	}
	return w && w->poll;
}

void ent__sources_destroy(ent__sources *s) {
	if (!s) {
		return;
	}
	while (s->ways) {
		way *next = s->ways->next;
		close_way(s->ways);
		s->ways = next;
	}
	ent_client_destroy(s->client);
	free(s);
}
