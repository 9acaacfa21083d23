/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers of a message as RFC 5322 writes them: fields, addresses, dates, message ids. Pure functions over text that is
 * the caller's. */
#ifndef ENTENTE_PLUGIN_CONTACTS_HEADER_H
#define ENTENTE_PLUGIN_CONTACTS_HEADER_H

#include "../common/text.h"

enum { HEADER_MAX = 256 * 1024, FIELD_MAX = 8192 };

/* The n-th field of this name (in lower case), its lines joined; cut at FIELD_MAX. Absent: {NULL, 0}. */
ent_str header__field(ent_str head, const char *name, unsigned n, char room[FIELD_MAX]);
/* Takes the next address off a list. 0, or -1: there are no more. */
int header__address(ent_str *list, ent_str *out);
/* Takes the next <id> off a list of ids, without its brackets. 0, or -1. */
int header__id(ent_str *list, ent_str *out);
/* "Tue, 5 Mar 2024 10:00:00 +0100 (CET)". 0 or -1. */
int header__date(const ent_host *host, ent_str text, ent_time *out);
/* "From sender Tue Mar  5 10:00:00 2024": the line before a message in a mailbox. */
int header__from_line(ent_str line);

#endif
