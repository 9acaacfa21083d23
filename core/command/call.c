/* SPDX-License-Identifier: Apache-2.0
 *
 * What a command does with its result and its errors, see command.h. This is the edge where errors are printed, once.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/session.h"

static bool put(int fd, const ent_buf *text) {
	for (size_t done = 0; done < text->n;) {
		ssize_t n = write(fd, text->data + done, text->n - done);
		if (n < 0 && errno != EINTR) {
			return false;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

bool ent_call_flush(ent_call *call) {
	bool good = true;
	if (call->json) {
		if (call->writer.depth == 0 && call->json_out.n) {
			ent_buf_u8(&call->json_out, '\n');
		}
		good = put(STDOUT_FILENO, &call->json_out);
		call->json_out.n = 0;
	} else {
		good = put(STDOUT_FILENO, &call->out);
	}
	call->out.n = 0;
	return good;
}

void ent_error_json(ent_json *json, const ent_error *e) {
	ent_json_key(json, "file");
	ent_json_text(json, e->file[0] ? e->file : NULL);
	ent_json_key(json, "line");
	if (e->line) {
		ent_json_int(json, e->line);
	} else {
		ent_json_null(json);
	}
	ent_json_key(json, "column");
	if (e->column) {
		ent_json_int(json, e->column);
	} else {
		ent_json_null(json);
	}
	ent_json_key(json, "what");
	ent_json_text(json, e->what);
	ent_json_key(json, "todo");
	ent_json_text(json, e->todo[0] ? e->todo : NULL);
}

static void tell_one(const ent_call *call, ent_buf *out, const ent_error *e) {
	ent_error place = *e;
	char text[640];
	place.what[0] = place.todo[0] = 0;
	ent_error_text(&place, text, sizeof text); /* "file:line:column: " */
	ent_term_text(&call->err, out, ENT_BOLD, *text ? text : "entente: ");
	ent_term_text(&call->err, out, ENT_BAD, e->what);
	if (e->todo[0]) {
		ent_term_text(&call->err, out, ENT_PLAIN, "; ");
		ent_term_text(&call->err, out, ENT_PLAIN, e->todo);
	}
	ent_buf_u8(out, '\n');
}

static void tell(ent_call *call, const ent_error *e, size_t n, size_t total) {
	ent_buf out = {0};
	if (call->session) {
		ent__session_told(call->session, e, n, total);
		call->out.n = call->json_out.n = 0;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		tell_one(call, &out, &e[i]);
	}
	if (total > n) {
		ent_buf_printf(&out, "and %zu more\n", total - n);
	}
	/* if standard error is closed there is nobody left to tell */
	if (!put(STDERR_FILENO, &out)) {
		out.n = 0;
	}
	ent_buf_finish(&out);
	call->out.n = 0;
	if (call->json) {
		call->json_out.n = 0;
		ent_json_init(&call->writer, &call->json_out, true);
		ent_json_object(&call->writer);
		ent_json_key(&call->writer, "errors");
		ent_json_array(&call->writer);
		for (size_t i = 0; i < n; i++) {
			ent_json_object(&call->writer);
			ent_error_json(&call->writer, &e[i]);
			ent_json_end(&call->writer);
		}
		ent_json_end(&call->writer);
		if (total > n) {
			ent_json_key(&call->writer, "more");
			ent_json_uint(&call->writer, total - n);
		}
		ent_json_end(&call->writer);
	}
}

int ent_call_error(ent_call *call, const ent_error *e) {
	tell(call, e, 1, 1);
	return ENT_EXIT_ERROR;
}

int ent_call_errors(ent_call *call, const ent_errors *errors) {
	tell(call, errors->e, errors->n, errors->total);
	return ENT_EXIT_ERROR;
}

static int typed_wrongly(ent_call *call, int code, const char *todo, const char *format, va_list args) {
	ent_error e = {.code = code};
	vsnprintf(e.what, sizeof e.what, format, args);
	snprintf(e.todo, sizeof e.todo, "%s", todo ? todo : "");
	tell(call, &e, 1, 1);
	return ENT_EXIT_USAGE;
}

int ent_call_usage(ent_call *call, const char *todo, const char *what_format, ...) {
	va_list args;
	va_start(args, what_format);
	int exit = typed_wrongly(call, ENT_ERR_INVALID, todo, what_format, args);
	va_end(args);
	return exit;
}

int ent_call_unknown(ent_call *call, const char *todo, const char *what_format, ...) {
	va_list args;
	va_start(args, what_format);
	int exit = typed_wrongly(call, ENT_ERR_NOTFOUND, todo, what_format, args);
	va_end(args);
	return exit;
}

void ent_call_note(ent_call *call, const char *format, ...) {
	char *text = NULL;
	ent_buf out = {0};
	va_list args;
	if (call->quiet) {
		return;
	}
	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0) {
		return;
	}
	if (call->session) {
		ent__session_note(call->session, text);
		free(text);
		return;
	}
	ent_term_text(&call->err, &out, ENT_WARN, "note: ");
	ent_term_text(&call->err, &out, ENT_PLAIN, text);
	ent_buf_u8(&out, '\n');
	if (!put(STDERR_FILENO, &out)) {
		call->quiet = true;
	}
	ent_buf_finish(&out);
	free(text);
}

int ent_call_config(ent_call *call, ent_config **config) {
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	int status = ent_config_load(call->config_path, config, errors);
	if (status) {
		ent_call_errors(call, errors);
	}
	free(errors);
	return status ? ENT_EXIT_ERROR : ENT_EXIT_OK;
}
