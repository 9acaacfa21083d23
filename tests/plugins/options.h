/* SPDX-License-Identifier: Apache-2.0
 *
 * Options written in YAML to the values that a decoder's create() gets. For the test host.
 */
#ifndef ENTENTE_TESTS_PLUGINS_OPTIONS_H
#define ENTENTE_TESTS_PLUGINS_OPTIONS_H

#include "entente/plugin.h"

typedef struct options options;

/* NULL if the text does not fit the table, with the reason in why[200]. `table` may be NULL. */
options *options_read(const ent_option *table, const char *yaml, char *why);
const ent_value *options_values(const options *o);
void options_free(options *o);

#endif
