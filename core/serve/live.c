/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told to who watches: `committed`, `source` when one changes how it stands or what it brought, `finding` when one comes
 * or changes. See events.h for how it gets there. Front's thread; what differs is found out by the reader's. */
#include "serve/api.h"

#include "base/intern.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

struct ent__live {
	struct shown {
		char name[64];
		uint64_t hash;
	} *sources;
	size_t n;
	bool asking, again; /* the reader looks for changed findings; and has to once more */
};

static void publish(ent__serve *s, const char *name, ent_buf *json) {
	ent_events_publish(s->events, name, (const char *)json->data, json->n);
	json->n = 0;
}

static void member(ent_json *j, const char *key, uint64_t n) {
	ent_json_key(j, key);
	ent_json_uint(j, n);
}

/* ---- sources ------------------------------------------------------------------------------------------------------------- */

static void source_json(const ent_source_status *x, ent_buf *out) {
	ent_json j;
	ent_json_init(&j, out, false);
	ent_json_object(&j);
	ent_json_key(&j, "source");
	ent_json_text(&j, x->name);
	ent_json_key(&j, "state");
	ent_json_text(&j, ent_source_states[x->state]);
	ent_json_key(&j, "late");
	ent_json_bool(&j, x->late);
	member(&j, "records", x->records);
	member(&j, "rejected", x->rejected);
	member(&j, "facts", x->facts);
	member(&j, "waiting_files", x->waiting_files);
	member(&j, "waiting_bytes", x->waiting_bytes);
	ent_json_key(&j, "error");
	ent_json_text(&j, x->error[0] ? x->error : NULL);
	ent_json_end(&j);
}

static struct shown *shown_of(struct ent__live *l, const char *name) {
	for (size_t i = 0; i < l->n; i++) {
		if (!strcmp(l->sources[i].name, name)) {
			return &l->sources[i];
		}
	}
	l->sources = ent_xrealloc(l->sources, (l->n + 1) * sizeof *l->sources);
	struct shown *x = &l->sources[l->n++];
	*x = (struct shown){0};
	snprintf(x->name, sizeof x->name, "%s", name);
	return x;
}

static void tell_sources(ent__serve *s, struct ent__live *l, const ent_service_status *now) {
	ent_buf out = {0};
	for (size_t i = 0; i < now->n_sources; i++) {
		struct shown *x = shown_of(l, now->sources[i].name);
		source_json(&now->sources[i], &out);
		uint64_t hash = ent_hash64(out.data, out.n, 1);
		if (hash != x->hash && x->hash) {
			publish(s, "source", &out);
		}
		x->hash = hash;
		out.n = 0;
	}
	ent_buf_finish(&out);
}

static void tell_commit(ent__serve *s, const ent_service_status *now) {
	ent_buf out = {0};
	ent_json j;
	ent_json_init(&j, &out, false);
	ent_json_object(&j);
	member(&j, "commits", now->commits);
	member(&j, "judgements", now->judgements);
	member(&j, "generation", now->generation);
	ent_json_end(&j);
	publish(s, "committed", &out);
	ent_buf_finish(&out);
}

static void tell_refused(ent__serve *s, const ent_service_status *now) {
	ent_buf out = {0};
	ent_json j;
	ent_json_init(&j, &out, false);
	ent_json_object(&j);
	member(&j, "generation", now->generation);
	member(&j, "errors", now->refused_errors);
	ent_json_key(&j, "error");
	ent_json_text(&j, now->refused);
	ent_json_end(&j);
	publish(s, "refused", &out);
	ent_buf_finish(&out);
}

/* ---- findings ------------------------------------------------------------------------------------------------------------ */

static void on_differences(void *ctx, ent_reader_answer *a) {
	ent__serve *s = ctx;
	struct ent__live *l = s->live;
	if (!l || s->stopping) {
		return;
	}
	l->asking = false;
	const char *at = (const char *)a->out.data, *end = at + a->out.n, *newline;
	for (; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
		size_t n = (size_t)(newline - at);
		ent_events_publish(s->events, !strncmp(at, "{\"more\"", 7) ? "findings" : "finding", at, n);
	}
	if (l->again) {
		l->again = false;
		ent__live_findings(s);
	}
}

void ent__live_findings(ent__serve *s) {
	if (!s->reader || !s->live) {
		return;
	}
	if (s->live->asking) {
		s->live->again = true;
		return;
	}
	s->live->asking = true;
	s->options->reader->differences(s->reader, on_differences, s);
}

/* ---- news ---------------------------------------------------------------------------------------------------------------- */

void ent__live_news(ent__serve *s, unsigned mask, const ent_service_status *now) {
	if (!s->events || s->stopping) {
		return;
	}
	bool first = !s->live;
	if (first) {
		s->live = ent_xcalloc(1, sizeof *s->live);
	}
	if (mask & (ENT_NEWS_COMMITTED | ENT_NEWS_STATUS) || first) {
		tell_sources(s, s->live, now);
	}
	if (mask & (ENT_NEWS_COMMITTED | ENT_NEWS_RELOADED)) {
		tell_commit(s, now);
	}
	if (mask & ENT_NEWS_REFUSED) {
		tell_refused(s, now);
	}
	if (mask & (ENT_NEWS_FINDINGS | ENT_NEWS_JUDGED) || first) { /* the first look is what others are compared with */
		ent__live_findings(s);
	}
}

void ent__live_destroy(ent__serve *s) {
	if (s->live) {
		free(s->live->sources);
		free(s->live);
		s->live = NULL;
	}
}
