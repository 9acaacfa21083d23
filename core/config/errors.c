/* SPDX-License-Identifier: Apache-2.0
 *
 * List of errors and the guess at what was meant, see errors.h. One thread per list.
 */
#include "config/errors.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int ent_errors_take(ent_errors *errors, const ent_error *e) {
	errors->total++;
	if (errors->n < ENT_ERRORS_KEPT) {
		errors->e[errors->n++] = *e;
	}
	return e->code;
}

int ent_errors_add(ent_errors *errors, ent_place at, const char *todo, const char *what_format, ...) {
	ent_error e = {.code = ENT_ERR_INVALID, .line = at.line, .column = at.column};
	va_list args;
	va_start(args, what_format);
	vsnprintf(e.what, sizeof e.what, what_format, args);
	va_end(args);
	snprintf(e.file, sizeof e.file, "%s", at.file ? at.file : "");
	snprintf(e.todo, sizeof e.todo, "%s", todo ? todo : "");
	return ent_errors_take(errors, &e);
}

enum { LONGEST = 64 }; /* words longer than this are not guessed at */

/* Optimal string alignment: insert, delete, replace and swap of neighbours cost one each. */
static size_t distance(const char *a, size_t n, const char *b, size_t m) {
	size_t rows[3][LONGEST + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];
	for (size_t j = 0; j <= m; j++) {
		last[j] = j;
		before[j] = 0;
	}
	for (size_t i = 1; i <= n; i++) {
		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
			size_t best = last[j - 1] + (x != y);
			best = last[j] + 1 < best ? last[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]) &&
				before[j - 2] + 1 < best) {
				best = before[j - 2] + 1;
			}
			now[j] = best;
		}
		size_t *oldest = before;
		before = last;
		last = now;
		now = oldest;
	}
	return last[m];
}

const char *ent_nearest(const char *word, const char *const *candidates, size_t n) {
	size_t length = strlen(word), best = SIZE_MAX;
	const char *found = NULL;
	if (length == 0 || length > LONGEST) {
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		size_t m = strlen(candidates[i]);
		if (m == 0 || m > LONGEST) {
			continue;
		}
		size_t longer = m > length ? m : length;
		size_t limit = longer < 4 ? 1 : (longer + 2) / 3;
		size_t d = distance(word, length, candidates[i], m);
		/* A word of two letters is one edit away from every other: demand that something of it is right. */
		if (d <= limit && d < longer && d < best) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}
