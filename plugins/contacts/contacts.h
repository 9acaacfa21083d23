/* SPDX-License-Identifier: Apache-2.0
 *
 * The two decoders of the contacts plugin, see contacts.c. */
#ifndef ENTENTE_PLUGIN_CONTACTS_H
#define ENTENTE_PLUGIN_CONTACTS_H

#include "people.h"

/* Shared by both; contacts.c. `self` begins with a people. */
ent_status contacts__refuse(people *p, const char *wrong);

extern const ent_decoder contacts__calendar, contacts__mbox;
extern const ent_option contacts__options[];

#endif
