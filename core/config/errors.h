/* SPDX-License-Identifier: Apache-2.0
 *
 * config/errors.h: a list of errors with places, so that one reading of a configuration tells all that is wrong with
 * it.
 *
 * The first ENT_ERRORS_KEPT are kept, the rest are only counted. A zeroed struct is an empty list; a plain value, about
 * 26 KB, so keep it off small stacks. One thread.
 */
#ifndef ENT_CONFIG_ERRORS_H
#define ENT_CONFIG_ERRORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ENT_ERRORS_KEPT 20

/* Where something stands in a file that a person wrote. */
typedef struct ent_place {
	const char *file;      /* name for messages; borrowed from who read the file; NULL: not known */
	uint32_t line, column; /* 1-based, columns in characters; 0: not known */
} ent_place;

typedef struct ent_errors {
	size_t n;     /* kept */
	size_t total; /* told */
	ent_error e[ENT_ERRORS_KEPT];
} ent_errors;

/* Adds ENT_ERR_INVALID at a place. `todo` may be NULL or empty: then only `what` is told. Returns ENT_ERR_INVALID. */
int ent_errors_add(ent_errors *errors, ent_place at, const char *todo, const char *what_format, ...)
	__attribute__((format(printf, 4, 5)));

/* Adds a whole error. Returns its code. */
int ent_errors_take(ent_errors *errors, const ent_error *e);

/* The best of n candidates for what was meant by `word` (edit distance with swaps, without regard to case, at most a
 * third of its length), or NULL. */
const char *ent_nearest(const char *word, const char *const *candidates, size_t n);

#endif
