/* SPDX-License-Identifier: Apache-2.0
 *
 * Polls as the service runs them, without the rest of the service: driver CONFIG INBOX [documents] polls all sources until its
 * input ends, and tells each change of a status as a line of JSON. driver --list INBOX SOURCE prints what is kept, a record a
 * line, a document as one text of JSON. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "transport/inbox_line.h"
#include "transport/poll.h"

static ent_poll *polls[16];
static const ent_config *config;
static uv_loop_t loop;

static void changed(void *ctx, const char *source) {
	(void)ctx;
	ent_poll_status s = {0};
	for (size_t i = 0; i < config->n_sources; i++) {
		if (polls[i] && strcmp(config->sources[i].name.s, source) == 0) {
			ent_poll_status_of(polls[i], &s);
		}
	}
	ent_buf out = {0};
	ent_json j;
	char text[1400];
	ent_json_init(&j, &out, false);
	ent_json_object(&j);
	ent_json_key(&j, "source");
	ent_json_text(&j, source);
	ent_json_key(&j, "state");
	ent_json_text(&j, ent_poll_states[s.state]);
	ent_json_key(&j, "error");
	ent_json_text(&j, s.error.code ? ent_error_text(&s.error, text, sizeof text) : "");
	ent_json_key(&j, "said");
	ent_json_text(&j, s.said);
	ent_json_key(&j, "since");
	ent_json_text(&j, s.since);
	ent_json_key(&j, "failing");
	ent_json_bool(&j, s.failing);
	ent_json_key(&j, "behind");
	ent_json_bool(&j, s.behind);
	const struct {
		const char *key;
		uint64_t n;
	} counts[] = {{"turns", s.turns}, {"requests", s.requests}, {"unchanged", s.unchanged}, {"pages", s.pages}, {"records", s.records},
		{"retries", s.retries}, {"failures", s.failures}, {"bytes", s.bytes}, {"http", (uint64_t)s.http},
		{"next_us", (uint64_t)s.next_us}};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		ent_json_key(&j, counts[i].key);
		ent_json_uint(&j, counts[i].n);
	}
	ent_json_end(&j);
	printf("%.*s\n", (int)out.n, (const char *)out.data);
	fflush(stdout);
	ent_buf_finish(&out);
}

static void room(uv_handle_t *h, size_t hint, uv_buf_t *buf) {
	static char bytes[256];
	(void)h;
	(void)hint;
	*buf = uv_buf_init(bytes, sizeof bytes);
}

static void input(uv_stream_t *s, ssize_t n, const uv_buf_t *buf) {
	(void)buf;
	if (n < 0) {
		uv_close((uv_handle_t *)s, NULL);
		uv_stop(&loop);
	}
	for (size_t i = 0; n > 0 && i < config->n_sources; i++) {
		ent_poll_now(polls[i]);
	}
}

static int list(const char *folder, const char *source) {
	ent_error e = {0};
	ent_inbox *inbox;
	ent_inbox_file *files;
	size_t n;
	char text[1400];
	if (ent_inbox_open(&inbox, NULL, folder, NULL, NULL, NULL, &e)) {
		fprintf(stderr, "%s\n", ent_error_text(&e, text, sizeof text));
		return 1;
	}
	ent_inbox_files(inbox, source, &files, &n);
	for (size_t i = 0; i < n; i++) {
		FILE *f = fopen(files[i].path, "re");
		char *bytes = malloc(files[i].size + 1);
		size_t size = fread(bytes, 1, files[i].size, f);
		fclose(f);
		ent_buf out = {0};
		if (!files[i].log) {
			ent_json_quote(&out, bytes, size);
			printf("%.*s\n", (int)out.n, (const char *)out.data);
			ent_buf_finish(&out);
		}
		ent__line line;
		for (size_t at = 0; files[i].log && at < size; at += line.bytes) {
			if (!ent__line_read(bytes + at, size - at, &line)) {
				return 3;
			}
			if (line.kind == 'r') {
				printf("%.*s\n", (int)line.body.n, line.body.p);
			}
		}
		free(bytes);
	}
	ent_inbox_files_free(files, n);
	ent_inbox_close(inbox);
	return 0;
}

int main(int argc, char **argv) {
	static ent_errors errors;
	ent_error e = {0};
	char text[1400];
	ent_config *read;
	ent_inbox *inbox;
	uv_pipe_t in;
	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && strcmp(argv[1], "--list") == 0) {
		return list(argv[2], argv[3]);
	}
	uv_loop_init(&loop);
	ent_client *client = ent_client_create(&loop, &e);
	if (!client || ent_config_load(argv[1], &read, &errors) || ent_inbox_open(&inbox, &loop, argv[2], NULL, NULL, NULL, &e)) {
		fprintf(stderr, "%s\n", ent_error_text(errors.n ? &errors.e[0] : &e, text, sizeof text));
		return 1;
	}
	config = read;
	for (size_t i = 0; i < config->n_sources; i++) {
		ent_inbox_form_set(inbox, config->sources[i].name.s, argc > 3 ? ENT_INBOX_DOCUMENTS : ENT_INBOX_LINES);
		if (ent_poll_create(&polls[i], &loop, config, &config->sources[i], client, inbox, changed, NULL, &errors)) {
			fprintf(stderr, "%s\n", ent_error_text(&errors.e[0], text, sizeof text));
			return 1;
		}
	}
	uv_pipe_init(&loop, &in, 0);
	uv_pipe_open(&in, 0);
	uv_read_start((uv_stream_t *)&in, room, input);
	uv_run(&loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < config->n_sources; i++) {
		ent_poll_destroy(polls[i]);
	}
	ent_client_destroy(client);
	ent_inbox_close(inbox);
	uv_run(&loop, UV_RUN_DEFAULT);
	int left = uv_loop_close(&loop);
	ent_config_destroy(read);
	return left ? 2 : 0;
}
