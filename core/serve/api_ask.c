/* SPDX-License-Identifier: Apache-2.0
 *
 * From a request to the words of a command, and from what it says to the answer; see api.h. Front's thread, but for the work
 * of a change, which is done on the engine's. */
#include "serve/api.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* ---- words -------------------------------------------------------------------------------------------------------------- */

void ent__words_add(ent__words *w, const char *text) {
	ENT_GROW(w->list, w->n, w->capacity);
	w->list[w->n++] = ent_arena_copy(&w->arena, text, strlen(text));
}

void ent__words_option(ent__words *w, const char *option, const char *value) {
	if (value) {
		ent__words_add(w, ent_arena_printf(&w->arena, "--%s=%s", option, value));
	}
}

void ent__words_param(ent__words *w, const ent_request *r, const char *param) {
	char *option = ent_arena_copy(&w->arena, param, strlen(param));
	for (char *p = option; *p; p++) {
		*p = *p == '_' ? '-' : *p;
	}
	const char *value;
	for (size_t i = 0; (value = ent_request_each(r, param, i)); i++) {
		ent__words_option(w, option, value);
	}
}

void ent__words_page(ent__words *w, const ent_request *r) {
	ent__words_option(w, "limit", ent_request_text(r, "limit"));
	ent__words_option(w, "after", ent_request_text(r, "after"));
}

void ent__words_end(ent__words *w) { ent__words_add(w, "--"); }

void ent__words_finish(ent__words *w) {
	free(w->list);
	ent_arena_finish(&w->arena);
	*w = (ent__words){0};
}

const char *ent__body_text(json_object *body, const char *key) {
	json_object *v = NULL;
	return body && json_object_object_get_ex(body, key, &v) && v ? json_object_get_string(v) : NULL;
}

/* ---- answers ------------------------------------------------------------------------------------------------------------ */

/* Commands call it a conflict, HTTP too; ent_answer_error() knows it by another name. */
static void answer_errors(ent_request *r, const ent_errors *errors) {
	ent_error e = errors->e[0];
	if (errors->n > 1) {
		ent_answer_errors(r, 422, errors);
		return;
	}
	e.code = e.code == ENT_ERR_CONFLICT ? ENT_ERR_FENCED : e.code;
	ent_answer_error(r, &e);
}

static void answer(ent_request *r, int status, const char *media, ent_reader_answer *a) {
	if (a->errors->n) {
		answer_errors(r, a->errors);
		return;
	}
	if (a->next[0]) {
		ent_answer_next(r, a->next);
	}
	if (!strcmp(media, ENT_MEDIA_JSON)) {
		ent_answer_json(r, status, &a->out);
	} else {
		ent_answer_bytes(r, status, media, &a->out);
	}
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

typedef struct asked {
	ent_request *r;
	const char *media;
} asked;

static void on_answer(void *ctx, ent_reader_answer *a) {
	asked *x = ctx;
	answer(x->r, 200, x->media, a);
	free(x);
}

void ent__api_ask(ent_request *r, ent__serve *s, ent__words *w, const char *media, ent__ask_how how) {
	const ent_reader_way *way = s->options->reader;
	char version[96];
	if (how == ENT__ASK_VERSIONED) {
		way->version(s->reader, version);
		/* another form of the same is another version */
		snprintf(version + strlen(version), sizeof version - strlen(version), "-%s", strrchr(media, '/') + 1);
		if (ent_answer_unchanged(r, version)) {
			ent__words_finish(w);
			return;
		}
	}
	asked *x = ent_xcalloc(1, sizeof *x);
	*x = (asked){r, media};
	way->ask(s->reader, w->list, w->n, on_answer, x);
	ent__words_finish(w);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

typedef struct changing {
	ent__serve *s;
	ent_request *r;
	int status;
	ent__words words;
	ent_buf input;
	bool has_input;
	char user[160];
	ent_reader_answer answer;
} changing;

static int work(ent_engine *engine, void *ctx, ent_error *e) {
	changing *c = ctx;
	const ent_reader_words words = {.words = c->words.list, .n = c->words.n, .user = c->user[0] ? c->user : NULL,
		.input = c->has_input ? &c->input : NULL};
	int status = c->s->options->reader->change(engine, c->s->options->config_path, &words, &c->answer);
	if (status) {
		*e = c->answer.errors->e[0];
	}
	return status;
}

static void on_changed(void *ctx, int status, const ent_error *e) {
	changing *c = ctx;
	const ent_reader_way *way = c->s->options->reader;
	if (c->answer.errors) {
		if (!c->answer.errors->n && c->s->reader) {
			way->anew(c->s->reader, false); /* who writes and then reads finds it */
			ent__live_findings(c->s);
		}
		answer(c->r, c->status, ENT_MEDIA_JSON, &c->answer);
		way->forget(&c->answer);
	} else {
		ent_error stopped;
		ent_error_set(&stopped, status ? status : ENT_ERR_STOPPED, "%s", e && e->what[0] ? e->what : "the service is being stopped");
		ent_answer_error(c->r, &stopped);
	}
	ent__words_finish(&c->words);
	ent_buf_finish(&c->input);
	free(c);
}

void ent__api_change(ent_request *r, ent__serve *s, ent__words *w, int status, ent_buf *input) {
	changing *c = ent_xcalloc(1, sizeof *c);
	*c = (changing){.s = s, .r = r, .status = status, .words = *w, .has_input = input != NULL};
	if (input) {
		c->input = *input;
		*input = (ent_buf){0};
	}
	snprintf(c->user, sizeof c->user, "%s", ent_request_who(r));
	*w = (ent__words){0};
	ent_service_do_writing(s->service, &(ent_service_job){.work = work, .done = on_changed, .ctx = c});
}
