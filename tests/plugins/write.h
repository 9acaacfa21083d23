/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts to lines of JSON, fields in the order of plugin.h, absent ones left out. For the test host and its golden
 * files.
 */
#ifndef ENTENTE_TESTS_PLUGINS_WRITE_H
#define ENTENTE_TESTS_PLUGINS_WRITE_H

#include "host.h"

void write_fact(host_text *t, ent_fact kind, const void *fact);
void write_string(host_text *t, const char *name, ent_str s);
void write_number(host_text *t, const char *name, int64_t v);
void write_time(host_text *t, const char *name, ent_time v);

#endif
