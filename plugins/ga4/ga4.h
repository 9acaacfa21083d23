/* SPDX-License-Identifier: Apache-2.0
 *
 * State of one GA4 decoder instance, and what its files share. One instance is used from one thread.
 */
#ifndef ENTENTE_PLUGIN_GA4_H
#define ENTENTE_PLUGIN_GA4_H

#include "event.h"
#include "sessions.h"

enum { GA4_OPT_CURRENCY };
enum { GA4_DAYS_MAX = 1024, GA4_SCRATCH = 16384 };

typedef struct ga4 {
	const ent_host *host;
	ent_ctx *ctx;
	char currency[4]; /* of purchases that name none; empty: they are rejected */
	scan scan;
	sessions sessions;
	/* the document */
	uint64_t at;                /* bytes fed so far */
	int64_t length;             /* of the whole document; -1: not known, and then it comes whole */
	int named_day;              /* the file's name says which day it holds: covered as a whole */
	uint32_t tried;             /* lines looked at while no event was seen */
	uint32_t events;            /* 0: none yet, 1: there were */
	uint64_t first_wrong;       /* place of the first line, when it was no event */
	const char *wrong;          /* what was wrong with it */
	int64_t days[GA4_DAYS_MAX]; /* event dates seen, ascending */
	uint32_t n_days;
	char date_text[8]; /* the last date read, and its day */
	int64_t date_day;
	char scratch[GA4_SCRATCH]; /* texts of the event in hand that had to be unescaped */
	size_t scratch_used;
} ga4;

/* Plain text of a string value: itself, or unescaped into the scratch. Absent if it is no string, or too long there. */
ent_str ga4__text(ga4 *g, const event_value *v);
/* As ga4__text, and the bytes of a number. "" and GA4's placeholders for nothing are absent. */
ent_str ga4__word(ga4 *g, const event_value *v);
/* Whole number, written as a number or as a string. 0 or -1. */
int ga4__int(const event_value *v, int64_t *out);
/* Decimal in micro-units, written as a number, also with an exponent, or as a string. 0 or -1. */
int ga4__decimal(ga4 *g, const event_value *v, int64_t *micro);
/* Path of a page's address, without host, query and fragment. */
ent_str ga4__path(ent_str location);

/* facts.c: what one event means. `place`: of its line. */
ent_status ga4__event(ga4 *g, const event *e, uint64_t place);
ent_status ga4__flush(ga4 *g); /* pushes and forgets the sessions in hand */

#endif
