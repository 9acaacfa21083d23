/* SPDX-License-Identifier: Apache-2.0
 *
 * Another configuration in place of the one that is active: by SIGHUP, by a change of its file, of a rulebook or of a
 * plugin, or because somebody asked over HTTP. Read and checked here, then handed to everybody in turn, first to who may refuse: the server its
 * addresses, the engine its plugins, decoders and rules. Whoever asked hears the generation that is active now, or every error
 * with its place; then all goes on as before. Front's thread. */
#include "base/intern.h"
#include "base/json.h"
#include "config/install.h"
#include "serve/front.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Editors write a file in several steps: changes are looked at when none came for so long. */
enum { SETTLE_MS = 300, LOOK_MS = 2000, DEEPEST = 16 };

typedef struct asked {
	ent__reloaded *done;
	void *ctx;
	struct asked *next;
} asked;

struct ent__reload {
	ent__serve *serve;
	asked *asked, **asked_end; /* of the next one */
	asked *waiting;            /* of the one under way */
	bool under_way;
	ent__generation *next;
	ent_errors errors;
	char path[4096];
	uint64_t loaded; /* print of all files that the configuration is made of, when they were last read; see print_of */
	uint64_t looked; /* and at the last look */
	uv_timer_t *look; /* cheaper than a watch on every folder that a file may be moved in from */
};

/* ---- the files that a configuration is made of ------------------------------------------------------------------------------- */

static void add_file(ent_buf *b, const char *path) {
	struct stat st;
	ent_buf_text(b, path);
	if (!stat(path, &st)) {
		ent_buf_u64(b, st.st_ino);
		ent_buf_u64(b, (uint64_t)st.st_size);
		ent_buf_u64(b, (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec);
	}
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

/* What Python compiles on the way, and what an editor hides, is none of them. */
static int counts(const struct dirent *d) { return d->d_name[0] != '.' && strcmp(d->d_name, "__pycache__") != 0; }

static void add_folder(ent_buf *b, ent_arena *arena, const char *path, unsigned depth) {
	struct dirent **list = NULL;
	int n = depth < DEEPEST ? scandir(path, &list, counts, by_name) : 0;
	for (int i = 0; i < n; i++) {
		const char *child = ent_arena_printf(arena, "%s/%s", path, list[i]->d_name);
		struct stat st;
		if (!stat(child, &st) && S_ISDIR(st.st_mode)) {
			add_folder(b, arena, child, depth + 1);
		} else {
			add_file(b, child);
		}
		free(list[i]);
	}
	free(list);
}

/* One number for the configuration's file, the rulebooks and the plugins, as they lie there now. */
static uint64_t print_of(const ent__reload *r) {
	const ent_config *c = r->serve->now->config;
	ent_arena arena = {0};
	ent_buf b = {0};
	ent_error e;
	const ent_plugin_file *files;
	add_file(&b, r->path);
	for (size_t i = 0; i < c->rules.books.n; i++) {
		const char *book = c->rules.books.v[i].s;
		bool shipped = !strcmp(book, "shipped");
		add_folder(&b, &arena, shipped ? ent_arena_printf(&arena, "%s/rulebook", ent_install_scripts(&arena)) : book, 0);
	}
	size_t n = c->plugins.n ? 0 : ent_plugin_list(c->folder, &arena, &files);
	for (size_t i = 0; i < n; i++) {
		add_file(&b, files[i].path);
	}
	for (size_t i = 0; i < c->plugins.n; i++) {
		const char *path = ent_plugin_find(c->plugins.v[i].s, c->folder, &arena, &e);
		if (path) {
			add_file(&b, path);
		}
	}
	uint64_t print = ent_hash64(b.data, b.n, 0);
	ent_buf_finish(&b);
	ent_arena_finish(&arena);
	return print;
}

/* ---- a reload ------------------------------------------------------------------------------------------------------------------ */

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
	} else {
		for (size_t i = 0; i < r->errors.n; i++) {
			ent_log(ENT_SEVERITY_ERROR, "reload.refused", ent_log_error(&r->errors.e[i]));
		}
		ent_log(ENT_SEVERITY_WARNING, "reload.kept", ent_log_uint("generation", generation),
			ent_log_say("the configuration that was active goes on"));
	}
	if (r->serve->ready_told) { /* or else it is told when everything was looked at once */
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
	if (r->asked && !r->serve->stopping) {
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
	if (s->ready_told) {
		ent_notify_reloading(s->notify);
	}
	r->loaded = r->looked = print_of(r);
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
	uint64_t now = r->under_way ? r->loaded : print_of(r);
	bool changed = now != r->loaded, still = now == r->looked;
	r->looked = now;
	uv_timer_set_repeat(timer, changed && !still ? SETTLE_MS : LOOK_MS);
	if (changed && still) {
		ent__reload_ask(r, "a change of a file", NULL, NULL);
	}
}

int ent__reload_create(ent__reload **out, ent__serve *s, ent_error *e) {
	ent__reload *r = ent_xcalloc(1, sizeof *r);
	(void)e;
	r->serve = s;
	snprintf(r->path, sizeof r->path, "%s", s->options->config_path);
	r->loaded = r->looked = print_of(r);
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
	r->errors = (ent_errors){0};
	ent_errors_add(&r->errors, (ent_place){0}, "ask again when it runs", "the service stopped before it came to that");
	for (asked *a = r->asked, *next; a; a = next) {
		next = a->next;
		if (a->done) {
			a->done(a->ctx, 0, &r->errors);
		}
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
