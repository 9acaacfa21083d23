/* SPDX-License-Identifier: Apache-2.0
 *
 * Feeds that are late: a source says how often it is expected to bring something (`expect`), and that it does not is a finding
 * like others, of the rule `feed_late`, though no rule runs. Loop thread only. */
#ifndef ENT_ENGINE_FEEDS_H
#define ENT_ENGINE_FEEDS_H

#include "engine/engine.h"

#define ENT_FEED_RULE "feed_late"

/* When something came last, and what is expected; microseconds. */
typedef struct ent_feed_times {
	int64_t every_us, late_after_us;
	int64_t arrived_us; /* 0: never */
	int64_t since_us;   /* it is expected since then */
} ent_feed_times;

typedef enum ent_feed_state { ENT_FEED_FINE, ENT_FEED_LATE, ENT_FEED_VERY_LATE /* three times as late */ } ent_feed_state;

/* How a feed stands. *next_us: when that changes if nothing comes; 0: it does not. */
ent_feed_state ent_feed_judge(const ent_feed_times *, int64_t now_us, int64_t *next_us);

typedef struct ent_feeds_report {
	unsigned late;   /* feeds */
	bool changed;    /* a finding was opened, cleared or became worse */
	int64_t next_us; /* call again by then, or when something was ingested; 0: nothing is expected */
} ent_feeds_report;

/* Looks what came since the last call, and opens and clears findings by it; a commit of its own if anything changed. Between
 * runs and judgements. now_us 0: the moment. Which sources are late: ent_store_findings_of(…, ENT_FEED_RULE, NULL, …), their key
 * is the source. */
int ent_engine_feeds(ent_engine *, int64_t now_us, ent_feeds_report *, ent_error *e);

#endif
