/* SPDX-License-Identifier: Apache-2.0
 *
 * How polls stand, and asking now, see api.h. */
#include "serve/api.h"
#include "serve/api_members.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void text(ent_json *j, const char *key, const char *value) {
	ent_json_key(j, key);
	ent_json_text(j, value && *value ? value : NULL);
}

static void count(ent_json *j, const char *key, uint64_t n) {
	ent_json_key(j, key);
	ent_json_uint(j, n);
}

static void instant(ent_json *j, const char *key, int64_t us) {
	char out[40];
	struct tm at;
	time_t seconds = (time_t)(us / 1000000);
	size_t n = us && gmtime_r(&seconds, &at) ? strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%S", &at) : 0;
	if (n) {
		snprintf(out + n, sizeof out - n, ".%03dZ", (int)(us / 1000 % 1000));
	}
	text(j, key, n ? out : NULL);
}

static void poll_json(ent_json *j, const char *source, const ent_poll_status *s) {
	char error[sizeof s->error];
	ent_json_object(j);
	text(j, "source", source);
	text(j, "state", ent_poll_states[s->state]);
	ent_json_key(j, "failing");
	ent_json_bool(j, s->failing);
	text(j, "error", s->error.code ? ent_error_text(&s->error, error, sizeof error) : NULL);
	text(j, "said", s->said);
	ent_json_key(j, "status");
	if (s->http) {
		ent_json_int(j, s->http);
	} else {
		ent_json_null(j);
	}
	text(j, "since", s->since);
	ent_json_key(j, "behind");
	ent_json_bool(j, s->behind);
	instant(j, "succeeded", s->succeeded_us);
	instant(j, "failed", s->failed_us);
	instant(j, "next", s->next_us);
	count(j, "turns", s->turns);
	count(j, "failures", s->failures);
	count(j, "requests", s->requests);
	count(j, "retries", s->retries);
	count(j, "unchanged", s->unchanged);
	count(j, "pages", s->pages);
	count(j, "records", s->records);
	count(j, "bytes", s->bytes);
	ent_json_end(j);
}

static void get_polls(ent_request *r, void *ctx) {
	ent__serve *s = ctx;
	ent_buf out = {0};
	ent_json j;
	ent_poll_status status;
	ent_json_init(&j, &out, true);
	ent_json_array(&j);
	for (size_t i = 0; i < s->now->config->n_sources && s->sources; i++) {
		const char *name = s->now->config->sources[i].name.s;
		if (ent__sources_poll(s->sources, name, &status)) {
			poll_json(&j, name, &status);
		}
	}
	ent_json_end(&j);
	ent_answer_json(r, 200, &out);
}

static void post_poll(ent_request *r, void *ctx) {
	ent__serve *s = ctx;
	const char *name = ent_request_text(r, "source");
	ent_poll_status status;
	if (!ent_config_source_find(s->now->config, name)) {
		ent_answer_problem(r, 404, "there is no source '%s'", name);
		return;
	}
	if (!s->sources || !ent__sources_poll_now(s->sources, name)) {
		ent_answer_problem(r, 409, "'%s' is not polled", name);
		return;
	}
	ent_buf out = {0};
	ent_json j;
	ent__sources_poll(s->sources, name, &status);
	ent_json_init(&j, &out, true);
	poll_json(&j, name, &status);
	ent_answer_json(r, 202, &out);
}

/* ---- the table ------------------------------------------------------------------------------------------------------------ */

static const ent_member members[] = {TEXT("source", "Its name."), TEXT("state", "idle, asking, trying again, keeping or failing."),
	{.key = "failing", .shape = ENT_SHAPE_BOOL, .doc = "The last turn did not end well."},
	MAYBE("error", ENT_SHAPE_TEXT, "Why, or what is tried again."), MAYBE("said", ENT_SHAPE_TEXT, "What the server said with it, masked."),
	MAYBE("status", ENT_SHAPE_INT, "Of the last answer."), MAYBE("since", ENT_SHAPE_TEXT, "How far it has read."),
	{.key = "behind", .shape = ENT_SHAPE_BOOL, .doc = "It is within the pages of a turn."},
	MAYBE("succeeded", ENT_SHAPE_INSTANT, "When a turn last ended well."), MAYBE("failed", ENT_SHAPE_INSTANT, "When one last did not."),
	MAYBE("next", ENT_SHAPE_INSTANT, "When it asks next; null: something is under way."), COUNT("turns", "Since the service started."),
	COUNT("failures", "Of those."), COUNT("requests", "With those for tokens."), COUNT("retries", "Of those."),
	COUNT("unchanged", "Turns that brought nothing new."), COUNT("pages", "Kept."), COUNT("records", "Kept."),
	COUNT("bytes", "Of answers, as they came."), {.key = NULL}};
static const ent_schema poll = {.name = "Poll", .doc = "A source that is polled.", .members = members};
static const ent_param post_params[] = {
	{.name = "source", .in = ENT_PARAM_PATH, .type = ENT_PARAM_TEXT, .doc = "Its name."}, {.name = NULL}};
static const ent_reply get_replies[] = {{200, ENT_MEDIA_JSON, &poll, true, "All of them."}, {0}};
static const ent_reply post_replies[] = {{202, ENT_MEDIA_JSON, &poll, false, "It begins now, or is under way."},
	{404, NULL, NULL, false, "There is no such source."}, {409, NULL, NULL, false, "It is not polled."}, {0}};

const ent_route ent__api_poll_routes[] = {
	{.method = "GET", .path = "/api/v1/polls", .name = "listPolls", .group = "sources", .least = ENT_ROLE_OPERATOR,
		.doc = "List the sources that are polled. How each stands.", .replies = get_replies, .run = get_polls},
	{.method = "POST", .path = "/api/v1/sources/{source}/poll", .name = "poll", .group = "sources", .least = ENT_ROLE_OPERATOR,
		.doc = "Ask a source that is polled now. Without waiting for its interval.", .params = post_params, .replies = post_replies,
		.run = post_poll},
	{.path = NULL}};
