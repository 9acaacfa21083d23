/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands of the command line that need the store while a service has it: they come over STORE/control.sock, are done here,
 * and their output, notes and errors go back as they are. See api.h and core/command/control.h. */
#include "serve/api.h"

#include "base/json.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

typedef struct controlled {
	ent__serve *s;
	ent_request *r;
	ent__words words;
	ent_buf input;
	bool has_input;
	char *user;
	ent_reader_answer answer;
} controlled;

static void finish(controlled *c) {
	ent__words_finish(&c->words);
	ent_buf_finish(&c->input);
	free(c->user);
	free(c);
}

static void error_json(ent_json *j, const ent_error *e) {
	ent_json_object(j);
	ent_json_key(j, "file");
	ent_json_text(j, e->file);
	ent_json_key(j, "line");
	ent_json_uint(j, e->line);
	ent_json_key(j, "column");
	ent_json_uint(j, e->column);
	ent_json_key(j, "what");
	ent_json_text(j, e->what);
	ent_json_key(j, "todo");
	ent_json_text(j, e->todo);
	ent_json_end(j);
}

static void answer(ent_request *r, const ent_reader_answer *a) {
	ent_buf out = {0};
	ent_json j;
	ent_json_init(&j, &out, false);
	ent_json_object(&j);
	ent_json_key(&j, "exit");
	ent_json_int(&j, a->status);
	ent_json_key(&j, "out");
	ent_json_text_n(&j, (const char *)a->out.data, a->out.n);
	ent_json_key(&j, "notes");
	ent_json_text(&j, a->notes);
	ent_json_key(&j, "errors");
	ent_json_array(&j);
	for (size_t i = 0; i < a->errors->n; i++) {
		error_json(&j, &a->errors->e[i]);
	}
	ent_json_end(&j);
	ent_json_end(&j);
	ent_answer_json(r, 200, &out);
}

static void on_read(void *ctx, ent_reader_answer *a) {
	controlled *c = ctx;
	answer(c->r, a);
	finish(c);
}

static int work(ent_engine *engine, void *ctx, ent_error *e) {
	controlled *c = ctx;
	const ent_reader_words words = {
		.words = c->words.list, .n = c->words.n, .user = c->user, .input = c->has_input ? &c->input : NULL};
	int status = c->s->options->reader->change(engine, c->s->options->config_path, &words, &c->answer);
	if (status) {
		*e = c->answer.errors->e[0];
	}
	return status;
}

static void on_changed(void *ctx, int status, const ent_error *e) {
	controlled *c = ctx;
	const ent_reader_way *way = c->s->options->reader;
	if (c->answer.errors) {
		if (c->s->reader) {
			way->anew(c->s->reader, false);
			ent__live_findings(c->s);
		}
		answer(c->r, &c->answer);
		way->forget(&c->answer);
	} else {
		ent_answer_problem(c->r, 503, "%s", status && e && e->what[0] ? e->what : "the service is being stopped");
	}
	finish(c);
}

static void post_command(ent_request *r, void *ctx) {
	ent__serve *s = ctx;
	json_object *body = ent_request_json(r), *list = NULL, *input = NULL, *reads = NULL;
	controlled *c = ent_xcalloc(1, sizeof *c);
	*c = (controlled){.s = s, .r = r};
	json_object_object_get_ex(body, "words", &list);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		ent__words_add(&c->words, json_object_get_string(json_object_array_get_idx(list, i)));
	}
	if (json_object_object_get_ex(body, "input", &input) && input) {
		c->has_input = true;
		ent_buf_add(&c->input, json_object_get_string(input), (size_t)json_object_get_string_len(input));
	}
	const char *user = ent__body_text(body, "user");
	c->user = ent_xstrdup(user ? user : ent_request_who(r));
	if (json_object_object_get_ex(body, "reads", &reads) && json_object_get_boolean(reads)) {
		s->options->reader->ask(s->reader, c->words.list, c->words.n, on_read, c);
	} else {
		ent_service_do_writing(s->service, &(ent_service_job){.work = work, .done = on_changed, .ctx = c});
	}
}

static const ent_member members[] = {
	{.key = "words", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_TEXT, .doc = "As they were typed."},
	{.key = "user", .shape = ENT_SHAPE_TEXT, .optional = true, .doc = "Who typed them."},
	{.key = "input", .shape = ENT_SHAPE_TEXT, .optional = true, .doc = "What stands in the file that the command reads."},
	{.key = "reads", .shape = ENT_SHAPE_BOOL, .optional = true, .doc = "It changes nothing."}, {.key = NULL}};
static const ent_schema command = {.name = "ControlCommand", .doc = "A command of the command line.", .members = members};
static const ent_reply replies[] = {{200, ENT_MEDIA_JSON, NULL, false, "What the command said."}, {0}};

const ent_route ent__api_control_routes[] = {
	{.method = "POST", .path = "/control/command", .name = "controlCommand", .group = "control", .least = ENT_ROLE_ADMIN, .hidden = true,
		.doc = "Run a command with the service's store.", .body = &command, .limit = 64 << 20, .replies = replies, .run = post_command},
	{.path = NULL}};
