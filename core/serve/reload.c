/* SPDX-License-Identifier: Apache-2.0
 *
 * Another configuration in place of the one that is active: by SIGHUP, by a change of the file or of a rulebook, or because
 * somebody asked over HTTP. Read and checked here, then handed to everybody in turn, first to who may refuse: the server its
 * addresses, the engine its plugins, decoders and rules. Whoever asked hears the generation that is active now, or every error
 * with its place; then all goes on as before. Front's thread. */
#include "base/json.h"
#include "serve/front.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Editors write a file in several steps: changes are looked at when none came for so long. */
enum { SETTLE_MS = 300, LOOK_MS = 2000 };

typedef struct asked {
	ent__reloaded *done;
	void *ctx;
	struct asked *next;
} asked;

typedef struct seen {
	uint64_t inode, size, mtime_ns;
} seen;

struct ent__reload {
	ent__serve *serve;
	asked *asked, **asked_end; /* of the next one */
	asked *waiting;            /* of the one under way */
	bool under_way;
	ent__generation *next;
	ent_errors errors;
	char path[4096];
	seen file;
	uv_timer_t *look; /* at the file: cheaper than a watch on every folder that it may be moved in from */
};

static void look_at(const char *path, seen *out) {
	struct stat st;
	*out = (seen){0};
	if (!stat(path, &st)) {
		*out = (seen){st.st_ino, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec};
	}
}

static void begin(ent__reload *r);

/* Tells everybody, and begins again if somebody asked meanwhile. */
static void end(ent__reload *r, bool good) {
	ent_service_status status;
	ent_service_status_take(r->serve->service, &status);
	uint64_t generation = status.generation;
	ent_service_status_finish(&status);
	asked *all = r->waiting;
	r->waiting = NULL;
	r->under_way = false;
	if (good) {
		ent_log(ENT_SEVERITY_INFO, "reload.active", ent_log_uint("generation", generation));
		ent_notify_ready(r->serve->notify);
	} else {
		for (size_t i = 0; i < r->errors.n; i++) {
			ent_log(ENT_SEVERITY_ERROR, "reload.refused", ent_log_error(&r->errors.e[i]));
		}
		ent_log(ENT_SEVERITY_WARNING, "reload.kept", ent_log_uint("generation", generation),
			ent_log_say("the configuration that was active goes on"));
		ent_notify_ready(r->serve->notify);
	}
	while (all) {
		asked *next = all->next;
		if (all->done) {
			all->done(all->ctx, generation, good ? NULL : &r->errors);
		}
		free(all);
		all = next;
	}
	if (r->asked) {
		begin(r);
	}
}

/* The engine has adopted it, or not. */
static void on_adopted(void *ctx, int status, const ent_errors *errors) {
	ent__reload *r = ctx;
	ent__serve *s = r->serve;
	ent__generation *before = s->now;
	if (status) {
		ent_error back;
		r->errors = *errors;
		if (ent_http_configure(s->http, before->config, &back)) {
			ent_errors_take(&r->errors, &back);
		}
		ent__generation_leave(r->next);
		r->next = NULL;
		end(r, false);
		return;
	}
	s->now = r->next;
	r->next = NULL;
	ent__serve_configured(s, before);
	ent__generation_leave(before);
	end(r, true);
}

static void begin(ent__reload *r) {
	ent__serve *s = r->serve;
	ent_config *config;
	ent_error error = {0};
	r->waiting = r->asked;
	r->asked = NULL;
	r->under_way = true;
	r->errors = (ent_errors){0};
	ent_notify_reloading(s->notify);
	look_at(r->path, &r->file);
	if (ent_config_load(s->options->config_path, &config, &r->errors)) {
		end(r, false);
		return;
	}
	r->next = ent__generation_make(config);
	if (ent_tell_check(config, &r->errors)) {
		ent__generation_leave(r->next);
		r->next = NULL;
		end(r, false);
		return;
	}
	if (ent_http_configure(s->http, config, &error)) {
		ent_errors_take(&r->errors, &error);
		ent__generation_leave(r->next);
		r->next = NULL;
		end(r, false);
		return;
	}
	ent_service_reload(s->service, config, on_adopted, r);
}

void ent__reload_ask(ent__reload *r, const char *why, ent__reloaded *done, void *ctx) {
	asked *a = ent_xcalloc(1, sizeof *a);
	*a = (asked){.done = done, .ctx = ctx};
	ent_log(ENT_SEVERITY_INFO, "reload.asked", ent_log_text("by", why));
	*(r->asked ? r->asked_end : &r->asked) = a;
	r->asked_end = &a->next;
	if (!r->under_way) {
		begin(r);
	}
}

bool ent__reload_under_way(const ent__reload *r) { return r && r->under_way; }

static void on_look(uv_timer_t *timer) {
	ent__reload *r = timer->data;
	seen now;
	look_at(r->path, &now);
	if (!memcmp(&now, &r->file, sizeof now) || !now.inode || r->under_way) {
		uv_timer_set_repeat(timer, LOOK_MS);
		return;
	}
	if (uv_timer_get_repeat(timer) == LOOK_MS) { /* it changed: is it through? */
		r->file = (seen){.inode = now.inode, .size = ~now.size, .mtime_ns = now.mtime_ns};
		uv_timer_set_repeat(timer, SETTLE_MS);
		return;
	}
	uv_timer_set_repeat(timer, LOOK_MS);
	ent__reload_ask(r, "a change of the file", NULL, NULL);
}

int ent__reload_create(ent__reload **out, ent__serve *s, ent_error *e) {
	ent__reload *r = ent_xcalloc(1, sizeof *r);
	(void)e;
	r->serve = s;
	snprintf(r->path, sizeof r->path, "%s", s->options->config_path);
	look_at(r->path, &r->file);
	r->look = ent_xcalloc(1, sizeof *r->look);
	uv_timer_init(&s->loop, r->look);
	r->look->data = r;
	uv_timer_start(r->look, on_look, LOOK_MS, LOOK_MS);
	*out = r;
	return 0;
}

static void free_handle(uv_handle_t *handle) { free(handle); }

void ent__reload_destroy(ent__reload *r) {
	if (!r) {
		return;
	}
	uv_close((uv_handle_t *)r->look, free_handle);
	for (asked *a = r->asked, *next; a; a = next) {
		next = a->next;
		free(a);
	}
	ent__generation_leave(r->next);
	free(r);
}

/* ---- over HTTP ------------------------------------------------------------------------------------------------------------ */

static void answer(void *ctx, uint64_t generation, const ent_errors *errors) {
	ent_request *request = ctx;
	if (errors) {
		ent_answer_errors(request, 422, errors);
		return;
	}
	ent_buf out = {0};
	ent_json json;
	ent_json_init(&json, &out, true);
	ent_json_object(&json);
	ent_json_key(&json, "generation");
	ent_json_uint(&json, generation);
	ent_json_end(&json);
	ent_answer_json(request, 200, &out);
}

static void post(ent_request *request, void *ctx) {
	ent__serve *s = ctx;
	if (s->stopping) {
		ent_answer_problem(request, 503, "the service is being stopped");
		return;
	}
	ent__reload_ask(s->reload, ent_request_who(request), answer, request);
}

static const ent_member reloaded_members[] = {
	{.key = "generation", .shape = ENT_SHAPE_INT, .doc = "Number of the configuration that is active now, from 1."},
	{.key = NULL}};
static const ent_schema reloaded = {.name = "Reloaded", .doc = "The configuration that is active.", .members = reloaded_members};
static const ent_reply replies[] = {
	{.status = 200, .media = ENT_MEDIA_JSON, .schema = &reloaded, .doc = "It is active."},
	{.status = 422, .doc = "It is not good: every error with file, line and column. The one before goes on."}, {.status = 0}};

const ent_route ent__reload_routes[] = {
	{.method = "POST", .path = "/api/v1/reload", .name = "reload", .group = "service", .least = ENT_ROLE_OPERATOR,
		.doc = "Read the configuration, the rules and the plugins again. Answers when the new generation is active, or has been "
			   "refused.",
		.replies = replies, .run = post},
	{.path = NULL}};
