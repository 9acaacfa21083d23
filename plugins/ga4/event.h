/* SPDX-License-Identifier: Apache-2.0
 *
 * One event of GA4's BigQuery export, as far as facts are made of it. Strings point into the line (still escaped where
 * it has a backslash) and live as long as it does.
 */
#ifndef ENTENTE_PLUGIN_GA4_EVENT_H
#define ENTENTE_PLUGIN_GA4_EVENT_H

#include "../common/text.h"
#include "scan.h"

typedef enum event_value_kind {
	VALUE_NONE = 0, /* the key is not there, or null */
	VALUE_STRING,
	VALUE_NUMBER,
	VALUE_WORD, /* true, false */
	VALUE_OBJECT,
	VALUE_ARRAY
} event_value_kind;

/* p: the content of a string, the number, or the opening bracket. */
typedef struct event_value {
	const char *p;
	uint32_t n;
	uint32_t kind;
} event_value;

enum { /* event_params that are of interest */
	PARAM_SESSION_ID,
	PARAM_SESSION_NUMBER,
	PARAM_LOCATION,
	PARAM_ENGAGEMENT,
	PARAM_ENGAGED_EVENT,
	PARAM_ENGAGED,
	PARAM_CURRENCY,
	PARAM_VALUE,
	PARAM_TRANSACTION,
	PARAM_LOAD,
	PARAM_COUNT
};

enum { TRAFFIC_MEDIUM, TRAFFIC_SOURCE, TRAFFIC_CAMPAIGN, TRAFFIC_COUNT };
enum { MONEY_REVENUE, MONEY_REFUND, MONEY_TRANSACTION, MONEY_COUNT };

typedef struct event {
	event_value date, name, timestamp, user, consent, category, country;
	event_value param[PARAM_COUNT];
	event_value last_click[TRAFFIC_COUNT], cross_channel[TRAFFIC_COUNT]; /* of the session */
	event_value collected[TRAFFIC_COUNT + 1];                            /* with this event; the last is the gclid */
	event_value first_user[TRAFFIC_COUNT];
	event_value money[MONEY_COUNT];
} event;

/* NULL, or a constant text that says what is wrong with the JSON, and its byte in *at. `s` was filled from this line.
 */
const char *event_parse(const scan *s, const char *line, event *e, size_t *at);

#endif
