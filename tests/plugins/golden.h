/* SPDX-License-Identifier: Apache-2.0
 *
 * The cases in plugins/NAME/golden/cases, one a line: case, input, decoder, name of the document, options in YAML.
 */
#ifndef ENTENTE_TESTS_PLUGINS_GOLDEN_H
#define ENTENTE_TESTS_PLUGINS_GOLDEN_H

#include "host.h"

typedef struct golden {
	char plugin[64], name[64], decoder[64], document[256], options[4096];
	char *bytes; /* of the input */
	size_t n;
	char facts[1024]; /* path of what must come out */
	char *beside;     /* NAME.beside: what lies beside the input; NULL: nothing */
	size_t beside_n;
} golden;

/* Calls `check` for each case of a plugin. Returns how many there were. */
int golden_each(const char *plugin, void (*check)(const golden *g));
/* The whole file, NUL-terminated, to be freed; NULL if there is none. */
char *golden_slurp(const char *path, size_t *n);

#endif
