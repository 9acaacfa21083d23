/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors as values, see error.h. Any thread. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int set(ent_error *e, int code, const char *format, va_list args) {
	if (!e) {
		return code;
	}
	memset(e, 0, sizeof *e);
	e->code = code;
	vsnprintf(e->what, sizeof e->what, format, args);
	return code;
}

int ent_error_set(ent_error *e, int code, const char *format, ...) {
	va_list args;
	va_start(args, format);
	set(e, code, format, args);
	va_end(args);
	return code;
}

int ent_error_errno(ent_error *e, int code, const char *format, ...) {
	int number = errno;
	va_list args;
	va_start(args, format);
	set(e, code, format, args);
	va_end(args);
	if (e) {
		size_t n = strlen(e->what);
		snprintf(e->what + n, sizeof e->what - n, ": %s", strerror(number));
	}
	return code;
}

int ent_error_at(ent_error *e, const char *file, uint32_t line, uint32_t column) {
	if (!e) {
		return 0;
	}
	if (file) {
		snprintf(e->file, sizeof e->file, "%s", file);
	}
	e->line = line;
	e->column = column;
	return e->code;
}

int ent_error_todo(ent_error *e, const char *format, ...) {
	if (!e) {
		return 0;
	}
	va_list args;
	va_start(args, format);
	vsnprintf(e->todo, sizeof e->todo, format, args);
	va_end(args);
	return e->code;
}

char *ent_error_text(const ent_error *e, char *out, size_t size) {
	char place[300] = "";
	if (e->file[0] && e->line && e->column) {
		snprintf(place, sizeof place, "%s:%u:%u: ", e->file, e->line, e->column);
	} else if (e->file[0] && e->line) {
		snprintf(place, sizeof place, "%s:%u: ", e->file, e->line);
	} else if (e->file[0]) {
		snprintf(place, sizeof place, "%s: ", e->file);
	}
	snprintf(out, size, "%s%s%s%s", place, e->what, e->todo[0] ? "; " : "", e->todo);
	return out;
}
