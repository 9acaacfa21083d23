/* SPDX-License-Identifier: Apache-2.0
 *
 * Encoded words of headers (RFC 2047) to UTF-8. */
#ifndef ENTENTE_PLUGIN_CONTACTS_WORDS_H
#define ENTENTE_PLUGIN_CONTACTS_WORDS_H

#include "../common/text.h"

/* At most *n bytes, always UTF-8; *n becomes how many. What cannot be decoded stays as it is written. 0, or -1: out of
 * memory. Any thread. */
int words__decode(ent_str text, char *out, size_t *n);

#endif
