/* SPDX-License-Identifier: Apache-2.0
 *
 * A calendar in parts: events as they stand in the file, each with its place; the versions of one event; its
 * occurrences. */
#ifndef ENTENTE_PLUGIN_CONTACTS_CALENDAR_H
#define ENTENTE_PLUGIN_CONTACTS_CALENDAR_H

#include "contacts.h"

#include <libical/ical.h>

enum { OCCURRENCES_MAX = 4000 };

typedef struct event {
	uint64_t place;
	icalcomponent *c; /* within the calendar that has the zones */
	const char *uid;  /* of c */
	char at[32];      /* RECURRENCE-ID as it goes into keys, or "" */
	int sequence;
	int64_t stamp; /* when this version was made, seconds; 0 unknown */
	size_t n;      /* in the file */
} event;

typedef struct calendar {
	people people; /* first */
	int64_t ahead; /* microseconds */
	int64_t now;   /* when the file was made, microseconds; 0 not known */
	icalcomponent *zones;
	event *events;
	size_t n, room;
	int cancels; /* METHOD:CANCEL */
} calendar;

/* event.c. A time of a property as it was written. 0, or -1 and *why. */
int event__time(icalcomponent *c, icalproperty *p, ent_time *out, const char **why);
/* As it goes into keys: 20240305T090000Z, 20240305T100000 where no zone is written, 20240305. */
void event__stamp(ent_time t, char out[32]);
/* Pushes what an event brings. `others`: the n events of its UID, itself among them; those with a RECURRENCE-ID take
 * the place of occurrences. */
ent_status event__push(calendar *k, const event *e, const event *others, size_t n);

#endif
