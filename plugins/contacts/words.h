/* SPDX-License-Identifier: Apache-2.0
 *
 * Encoded words of headers (RFC 2047) to UTF-8. */
#ifndef ENTENTE_PLUGIN_CONTACTS_WORDS_H
#define ENTENTE_PLUGIN_CONTACTS_WORDS_H

#include "../common/text.h"

/* At most n bytes, always UTF-8; what cannot be decoded stays as it is written. Returns how many. Any thread. */
size_t words__decode(ent_str text, char *out, size_t n);

#endif
