/* SPDX-License-Identifier: Apache-2.0
 *
 * driver: the HTTP server on a loop with a few routes of its own and an inbox, for the tests of tests/serve/http. Reads a configuration, prints its
 * addresses, a login link and "ready" as lines, and obeys words on standard input: `publish NAME JSON`, `flood N`, `listeners`, `release` (answers all
 * that wait), `configure FILE`, `drain MS`, `link`, `figures`; the end of its input ends it. One thread. */
#include "serve/events.h"
#include "serve/hook.h"
#include "serve/http.h"

#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/json.h"

static uv_loop_t loop;
static ent_http *http;
static ent_events *events;
static ent_inbox *inbox;
static ent_config *config;
static ent_request *waiting[1024];
static size_t n_waiting;
static uv_pipe_t input;
static char line[4096];
static size_t line_n;

/* ---- routes ----------------------------------------------------------------------------------------------------------- */

static void object_of(ent_request *r, int status, const char *const *pairs) {
	ent_buf out = {0};
	ent_json json;
	ent_json_init(&json, &out, false);
	ent_json_object(&json);
	for (; *pairs; pairs += 2) {
		ent_json_key(&json, pairs[0]);
		ent_json_text(&json, pairs[1]);
	}
	ent_json_end(&json);
	ent_answer_json(r, status, &out);
}

static void thing(ent_request *r, void *ctx) {
	(void)ctx;
	if (strcmp(ent_request_text(r, "id"), "none") == 0) {
		ent_answer_problem(r, 404, "there is no thing '%s'", ent_request_text(r, "id"));
		return;
	}
	if (strcmp(ent_request_media(r), ENT_MEDIA_CSV) == 0) {
		ent_buf out = {0};
		ent_buf_printf(&out, "id,kind\n%s,%s\n", ent_request_text(r, "id"), ent_request_text(r, "kind"));
		ent_answer_bytes(r, 200, ENT_MEDIA_CSV, &out);
		return;
	}
	object_of(r, 200, (const char *const[]){"id", ent_request_text(r, "id"), "kind", ent_request_text(r, "kind"), "who",
						  ent_request_who(r), "partner", ent_request_partner(r), NULL});
}

static void versioned(ent_request *r, void *ctx) {
	(void)ctx;
	if (!ent_answer_unchanged(r, "v7")) {
		object_of(r, 200, (const char *const[]){"id", "v", "kind", "big", "who", "", "partner", NULL, NULL});
	}
}

static void things(ent_request *r, void *ctx) {
	(void)ctx;
	int64_t limit = ent_request_int(r, "limit", 0);
	const char *after = ent_request_text(r, "after");
	int64_t first = after ? strtoll(after, NULL, 10) + 1 : 0, last = first + limit < 250 ? first + limit : 250;
	ent_buf out = {0};
	ent_json json;
	ent_json_init(&json, &out, false);
	ent_json_array(&json);
	for (int64_t i = first; i < last; i++) {
		ent_json_int(&json, i);
	}
	ent_json_end(&json);
	if (last < 250) {
		char text[24];
		snprintf(text, sizeof text, "%lld", (long long)last - 1);
		ent_answer_next(r, text);
	}
	ent_answer_json(r, 200, &out);
}

static void make(ent_request *r, void *ctx) {
	(void)ctx;
	struct json_object *name;
	json_object_object_get_ex(ent_request_json(r), "name", &name);
	object_of(r, 201, (const char *const[]){"id", json_object_get_string(name), "kind", "big", "who", ent_request_who(r),
						  "partner", NULL, NULL});
}

static void echo(ent_request *r, void *ctx) {
	(void)ctx;
	ent_str body = ent_request_body(r);
	ent_buf out = {0};
	ent_buf_add(&out, body.p, body.n);
	ent_answer_bytes(r, 200, ENT_MEDIA_TEXT, &out);
}

static void later(ent_request *r, void *ctx) {
	(void)ctx;
	if (n_waiting < sizeof waiting / sizeof *waiting) {
		waiting[n_waiting++] = r;
	}
}

static void big(ent_request *r, void *ctx) {
	(void)ctx;
	size_t n = (size_t)ent_request_int(r, "bytes", 0);
	ent_buf out = {0};
	ent_buf_reserve(&out, n);
	memset(out.data, 'x', n);
	out.n = n;
	ent_answer_bytes(r, 200, ENT_MEDIA_TEXT, &out);
}

static void fails(ent_request *r, void *ctx) {
	(void)ctx;
	ent_error e;
	ent_error_set(&e, ENT_ERR_BUSY, "the disk is asleep");
	ent_error_todo(&e, "wake it");
	ent_error_at(&e, "entente.yaml", 3, 7);
	ent_answer_error(r, &e);
}

/* clang-format off */
static const char *const kinds[] = {"big", "small", NULL};
static const ent_member thing_members[] = {
	{.key = "id", .shape = ENT_SHAPE_TEXT, .doc = "Its id."}, {.key = "kind", .shape = ENT_SHAPE_TEXT, .choices = kinds, .doc = "Its kind."},
	{.key = "who", .shape = ENT_SHAPE_TEXT, .doc = "Who asked."}, {.key = "partner", .shape = ENT_SHAPE_TEXT, .null = true, .doc = "For whom."},
	{.key = NULL}};
static const ent_schema thing_schema = {.name = "Thing", .doc = "A thing.", .members = thing_members};
static const ent_member part_members[] = {{.key = "size", .shape = ENT_SHAPE_NUMBER, .doc = "Its size."}, {.key = NULL}};
static const ent_schema part_schema = {.name = "Part", .doc = "A part.", .members = part_members};
static const ent_member wish_members[] = {
	{.key = "name", .shape = ENT_SHAPE_TEXT, .doc = "Its name."},
	{.key = "kind", .shape = ENT_SHAPE_TEXT, .choices = kinds, .optional = true, .doc = "Its kind."},
	{.key = "count", .shape = ENT_SHAPE_INT, .optional = true, .null = true, .doc = "How many."},
	{.key = "due", .shape = ENT_SHAPE_DAY, .optional = true, .doc = "When."},
	{.key = "parts", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &part_schema, .optional = true, .doc = "Of what."},
	{.key = "notes", .shape = ENT_SHAPE_MAP, .of = ENT_SHAPE_TEXT, .optional = true, .doc = "More."}, {.key = NULL}};
static const ent_schema wish_schema = {.name = "Wish", .doc = "A wish.", .members = wish_members};
static const ent_param thing_params[] = {
	{.name = "id", .in = ENT_PARAM_PATH, .type = ENT_PARAM_TEXT, .example = "a", .doc = "Which."},
	{.name = "kind", .type = ENT_PARAM_CHOICE, .choices = kinds, .preset = "big", .doc = "What kind."}, {.name = NULL}};
static const ent_param things_params[] = {
	ENT_PARAM_ROWS_PAGE, {.name = "since", .type = ENT_PARAM_DAY, .doc = "From."},
	{.name = "tag", .type = ENT_PARAM_TEXT, .many = true, .doc = "Any of these."}, {.name = NULL}};
static const ent_param big_params[] = {
	{.name = "bytes", .type = ENT_PARAM_INT, .least = 0, .most = 100000000, .required = true, .example = "5", .doc = "How many."}, {.name = NULL}};
static const ent_reply thing_replies[] = {
	{.status = 200, .media = ENT_MEDIA_JSON, .schema = &thing_schema, .doc = "The thing."},
	{.status = 200, .media = ENT_MEDIA_CSV, .doc = "The thing, as a row."},
	{.status = 404, .doc = "There is no such thing."}, {.status = 0}};
static const ent_reply made_replies[] = {{.status = 201, .media = ENT_MEDIA_JSON, .schema = &thing_schema, .doc = "Made."}, {.status = 0}};
static const ent_reply any_replies[] = {{.status = 200, .media = ENT_MEDIA_JSON, .doc = "Something."}, {.status = 0}};
static const ent_reply text_replies[] = {{.status = 200, .media = ENT_MEDIA_TEXT, .doc = "Text."}, {.status = 0}};
static const ent_reply failed_replies[] = {{.status = 200, .media = ENT_MEDIA_JSON, .doc = "Never."}, {.status = 0}};
static const char *const texts[] = {ENT_MEDIA_TEXT, ENT_MEDIA_CSV, NULL};

static const ent_route routes[] = {
	{.method = "GET", .path = "/api/v1/things/{id}", .name = "thing", .group = "things", .least = ENT_ROLE_VIEWER, .released = true,
		.doc = "One thing. Of a kind.", .params = thing_params, .replies = thing_replies, .run = thing},
	{.method = "GET", .path = "/api/v1/things/versioned", .name = "versioned", .group = "things", .least = ENT_ROLE_VIEWER,
		.doc = "The thing that has a version.", .replies = any_replies, .run = versioned},
	{.method = "GET", .path = "/api/v1/things", .name = "things", .group = "things", .least = ENT_ROLE_VIEWER, .doc = "All things.",
		.params = things_params, .replies = any_replies, .run = things},
	{.method = "POST", .path = "/api/v1/things", .name = "make_thing", .group = "things", .least = ENT_ROLE_STRATEGIST,
		.doc = "Make a thing.", .body = &wish_schema, .replies = made_replies, .run = make},
	{.method = "POST", .path = "/api/v1/echo", .name = "echo", .group = "things", .least = ENT_ROLE_OPERATOR, .doc = "The body again.",
		.takes = texts, .limit = 100000, .replies = text_replies, .run = echo},
	{.method = "GET", .path = "/api/v1/later", .name = "later", .group = "things", .least = ENT_ROLE_ADMIN, .hidden = true,
		.doc = "Answers when it is let.", .replies = text_replies, .run = later},
	{.method = "GET", .path = "/api/v1/big", .name = "big", .group = "things", .least = ENT_ROLE_ANYONE, .doc = "Many bytes.",
		.params = big_params, .replies = text_replies, .run = big},
	{.method = "GET", .path = "/api/v1/fails", .name = "fails", .group = "things", .least = ENT_ROLE_ANYONE, .hidden = true,
		.doc = "An error.", .replies = failed_replies, .run = fails},
	{.method = "GET", .path = "/healthz", .name = "healthz", .group = "service", .least = ENT_ROLE_ANYONE, .unlimited = true,
		.doc = "Alive.", .replies = any_replies, .run = things},
	{.path = NULL}};
/* clang-format on */

/* ---- words on standard input ------------------------------------------------------------------------------------------ */

static void told(void *ctx, const char *event, const ent_error *e) {
	char text[1400] = "";
	(void)ctx;
	if (e) {
		ent_error_text(e, text, sizeof text);
	}
	printf("log %s %s\n", event, text);
	fflush(stdout);
}

static void stop(void) {
	ent_inbox_close(inbox); /* tells whoever still waits for it */
	ent_http_destroy(http);
	http = NULL;
	for (size_t i = 0; i < n_waiting; i++) { /* whoever is late must not be harmed */
		ent_answer_problem(waiting[i], 500, "too late");
	}
	n_waiting = 0;
	uv_close((uv_handle_t *)&input, NULL);
}

static void drained(void *ctx) {
	(void)ctx;
	printf("drained\n");
	fflush(stdout);
}

static ent_config *load(const char *path) {
	static ent_errors errors;
	ent_config *read = NULL;
	memset(&errors, 0, sizeof errors);
	if (ent_config_load(path, &read, &errors)) {
		told(NULL, "error", &errors.e[0]);
	}
	return read;
}

static void obey(char *word) {
	ent_error e;
	char text[512];
	char *rest = strchr(word, ' ');
	if (rest) {
		*rest++ = 0;
	}
	if (strcmp(word, "release") == 0) {
		for (size_t i = 0; i < n_waiting; i++) {
			static const char done[] = "released";
			ent_answer_static(waiting[i], 200, ENT_MEDIA_TEXT, done, sizeof done - 1);
		}
		printf("released %zu\n", n_waiting);
		n_waiting = 0;
	} else if (strcmp(word, "publish") == 0) {
		char *json = strchr(rest, ' ');
		*json++ = 0;
		ent_events_publish(events, rest, json, strlen(json));
	} else if (strcmp(word, "flood") == 0) {
		static char many[2048];
		memset(many, '1', sizeof many);
		for (unsigned long i = 0; i < strtoul(rest, NULL, 10); i++) {
			ent_events_publish(events, "flood", many, sizeof many);
		}
		printf("flooded\n");
	} else if (strcmp(word, "listeners") == 0) {
		printf("listeners %zu cut %llu\n", ent_events_listeners(events), (unsigned long long)ent_events_cut(events));
	} else if (strcmp(word, "hooks") == 0) {
		ent_hooks_figures f;
		ent_hooks_figures_read(http, &f);
		printf("hooks {\"taken\": %llu, \"repeated\": %llu, \"forged\": %llu, \"put_off\": %llu}\n", (unsigned long long)f.taken,
			(unsigned long long)f.repeated, (unsigned long long)f.forged, (unsigned long long)f.put_off);
	} else if (strcmp(word, "waiting") == 0) {
		size_t gone = 0;
		for (size_t i = 0; i < n_waiting; i++) {
			gone += ent_request_gone(waiting[i]);
		}
		printf("waiting %zu gone %zu\n", n_waiting, gone);
	} else if (strcmp(word, "configure") == 0) {
		ent_config *next = load(rest);
		if (next && ent_http_configure(http, next, &e)) {
			told(NULL, "error", &e);
			ent_config_destroy(next);
		} else if (next) {
			ent_config_destroy(config);
			config = next;
			printf("configured\n");
			for (size_t i = 0; ent_http_address(http, i); i++) {
				printf("address %s\n", ent_http_address(http, i));
			}
			printf("ready\n");
		}
	} else if (strcmp(word, "drain") == 0) {
		ent_http_drain(http, strtoull(rest, NULL, 10), drained, NULL);
	} else if (strcmp(word, "link") == 0) {
		if (ent_http_login_link(http, ENT_ROLE_ADMIN, text, sizeof text, &e)) {
			told(NULL, "error", &e);
		} else {
			printf("link %s\n", text);
		}
	} else if (strcmp(word, "figures") == 0) {
		ent_http_figures f;
		ent_http_figures_read(http, &f);
		printf("figures {\"connections\": %llu, \"under_way\": %llu, \"slow\": %llu, \"late\": %llu, \"limited\": %llu, \"refused\": "
			   "%llu, \"ok\": %llu}\n",
			(unsigned long long)f.connections, (unsigned long long)f.under_way, (unsigned long long)f.slow,
			(unsigned long long)f.late, (unsigned long long)f.limited, (unsigned long long)f.refused,
			(unsigned long long)f.requests[2]);
	}
	fflush(stdout);
}

static void room(uv_handle_t *handle, size_t wanted, uv_buf_t *out) {
	(void)handle;
	(void)wanted;
	*out = uv_buf_init(line + line_n, (unsigned)(sizeof line - line_n - 1));
}

static void read_words(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
	(void)stream;
	(void)buf;
	if (n < 0) {
		stop();
		return;
	}
	line_n += (size_t)n;
	line[line_n] = 0;
	for (char *end; http && (end = strchr(line, '\n'));) {
		*end = 0;
		obey(line);
		line_n -= (size_t)(end + 1 - line);
		memmove(line, end + 1, line_n + 1);
	}
}

int main(int argc, char **argv) {
	ent_error e;
	signal(SIGPIPE, SIG_IGN);
	if (argc != 2 || !(config = load(argv[1]))) {
		return 2;
	}
	uv_loop_init(&loop);
	ent_http_options options = {.config = config, .version = "test", .log = told};
	if (ent_http_create(&http, &loop, &options, &e)) {
		told(NULL, "error", &e);
		return 1;
	}
	ent_http_routes(http, routes, NULL);
	events = ent_events_create(http);
	static ent_errors errors;
	char folder[4096];
	snprintf(folder, sizeof folder, "%s/inbox", config->store.s);
	if (mkdir(config->store.s, 0700) && errno != EEXIST) {
		return 1;
	}
	int status = ent_http_listen(http, &e);
	status = status ? status : ent_inbox_open(&inbox, &loop, folder, &config->inbox, NULL, NULL, &e);
	for (size_t i = 0; !status && i < config->n_sources; i++) {
		ent_inbox_form_set(inbox, config->sources[i].name.s, ENT_INBOX_LINES);
	}
	if (!status && ent_hooks_create(http, inbox, &errors)) {
		e = errors.e[0];
		status = e.code;
	}
	if (status) {
		told(NULL, "error", &e);
		ent_inbox_close(inbox);
		ent_http_destroy(http);
	} else {
		for (size_t i = 0; ent_http_address(http, i); i++) {
			printf("address %s\n", ent_http_address(http, i));
		}
		printf("ready\n");
		fflush(stdout);
		uv_pipe_init(&loop, &input, 0);
		uv_pipe_open(&input, 0);
		uv_read_start((uv_stream_t *)&input, room, read_words);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	ent_config_destroy(config);
	uv_loop_close(&loop);
	return status ? 1 : 0;
}
