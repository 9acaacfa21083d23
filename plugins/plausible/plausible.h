/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the Plausible plugin share. One thread, that of the worker.
 */
#ifndef ENTENTE_PLUGINS_PLAUSIBLE_H
#define ENTENTE_PLUGINS_PLAUSIBLE_H

#include "../common/report.h"

/* Columns of all ten tables, and those of the dashboard's export, by which that is known. */
enum {
	C_DATE,
	C_VISITORS,
	C_VISITS,
	C_PAGEVIEWS,
	C_BOUNCES,
	C_DURATION,
	C_EVENTS,
	C_SOURCE,
	C_MEDIUM,
	C_CAMPAIGN,
	C_PAGE,
	C_ENTRY_PAGE,
	C_EXIT_PAGE,
	C_NAME,
	C_COUNTRY,
	C_DEVICE,
	C_BROWSER,
	C_SYSTEM,
	C_BOUNCE_RATE,
	C_VIEWS_PER_VISIT,
	C_COUNT
};

enum { OPT_EVENTS };

typedef enum sum { SUM_VISITS, SUM_BOUNCES, SUM_PAGEVIEWS, SUM_SECONDS, SUM_EVENTS, SUM_COUNT } sum;

/* Figures of one day and one value of a view. */
typedef struct group {
	int64_t day;
	const char *dim; /* name of the view; NULL: the whole of the day */
	size_t value;    /* where its text begins */
	size_t value_n;
	uint64_t place;
	int64_t sums[SUM_COUNT];
	int64_t visitors; /* -1: rows of which none may be added to another */
	uint8_t has;      /* 1 << sum */
} group;

typedef struct plausible {
	const ent_host *host;
	ent_ctx *ctx;
	const ent_value *events; /* the host keeps it */
	report_days named;       /* as the file's name says */
	report_days seen;
	int holes; /* a row was rejected */
	int whole; /* days as a whole are in it, imported_visitors */
	group *groups;
	size_t n, room;
	uint32_t *slots; /* of a hash table: number of a group + 1 */
	size_t n_slots;
	char *texts;
	size_t texts_n, texts_room;
} plausible;

ent_status plausible__row(void *self, const ent_row *r);
/* Pushes what was added up. */
ent_status plausible__end(void *self);

void plausible__clear(plausible *p);
/* The group of a day and a value, made if it is not there. NULL: out of memory, or there are too many. */
group *plausible__group(plausible *p, int64_t day, const char *dim, ent_str value, uint64_t place);

#endif
