/* SPDX-License-Identifier: Apache-2.0
 *
 * The outbox: who is still to be told which change of a finding, and what became of it. Rows are written in the transaction in
 * which the finding changes, so that no change is lost and none is told that was not committed. And the feeds: when each
 * source was last seen to bring anything. As all of the store: one thread at a time.
 *
 * The life of a notice:
 *   pending   next_us says when it is due. What changed back before anybody was told is told to nobody.
 *   sending   it goes with `message`, committed before the first byte leaves. Found in a store that is opened, nobody knows what
 *             became of it: it becomes `unknown`, and is not sent again; an Alertmanager's, which may hear it twice, `pending`.
 *   told      of an Alertmanager: next_us says when it has to hear it again
 *   failed    refused, or tried for too long; `answer` says why
 *   unknown   may have been told */
#ifndef ENT_STORE_NOTICES_H
#define ENT_STORE_NOTICES_H

#include "store/store.h"

typedef struct ent_notice {
	uint64_t id;
	const char *target; /* its name in the configuration */
	const char *way;    /* webhook, mail, alertmanager */
	const char *rule, *partner, *key; /* the finding */
	const char *change; /* opened, reopened, cleared, worse */
	const char *kind, *severity, *practice, *text;
	const char *evidence; /* for people, a line for each figure */
	int64_t worth;
	uint8_t has_worth;
	uint8_t weight; /* of the severity: 0 none, 1 low, 2 medium, 3 high */
	int32_t as_of, first_day;
	int64_t at_us;    /* when it changed */
	const char *status;
	uint32_t attempts;
	int64_t next_us;  /* when something has to be done; 0: nothing */
	const char *message; /* the message that it goes with; "": none so far */
	int64_t told_us;
	const char *answer;  /* what the last try came to */
	const char *named;   /* of the finding; NULL, "": its rule */
} ent_notice;
static inline const char *ent_notice_named(const ent_notice *x) { return x->named && *x->named ? x->named : x->rule; }

/* Notes a change for a target. Where one of the same finding waits, which nobody has heard of, they become one, or none. Not
 * `wanted`: it only takes away what it makes untrue. */
int ent_store_notice_put(ent_store *, const ent_notice *, bool wanted, ent_error *e);
/* The same for an Alertmanager, which knows alerts, not changes: one row for each finding with its kind and severity. */
int ent_store_notice_alert(ent_store *, const ent_notice *, bool open, ent_error *e);
/* Between both, what is open is given to ent_store_notice_alert: what an Alertmanager knows beside that is over. */
int ent_store_alerts_doubt(ent_store *, const char *target, ent_error *e);
int ent_store_alerts_sure(ent_store *, const char *target, int64_t now_us, ent_error *e);

/* What the process before left in the middle; *unknown is how many may have been told. */
int ent_store_notices_recover(ent_store *, int64_t now_us, uint64_t *unknown, ent_error *e);
/* Takes for a target what is due, as one message, and marks it as being sent: that which a try before was made for, if it is
 * due again, else all that is pending, of `least` weight. `fresh` is the name of a new message. *n is how many there are, 0:
 * nothing is due; `message` gets which. At once: also what waits for others to come. */
typedef struct ent_notice_take {
	const char *target, *fresh;
	int64_t now_us;
	unsigned least;
	bool at_once;
} ent_notice_take;
int ent_store_notices_take(ent_store *, const ent_notice_take *, char message[40], uint64_t *n, ent_error *e);
typedef int (*ent_notice_visit)(void *ctx, const ent_notice *);
/* Of a message: what weighs most comes first. */
int ent_store_notices_of(ent_store *, const char *message, unsigned most, ent_notice_visit, void *ctx, ent_error *e);
/* What became of a message. `next_us`: when it is tried again; 0: never. */
int ent_store_notices_settle(ent_store *, const char *message, const char *status, int64_t at_us, int64_t next_us,
	const char *answer, ent_error *e);
/* Of an Alertmanager's: what is open is due again at next_us, what is cleared is over. */
int ent_store_notices_alerted(ent_store *, const char *message, int64_t at_us, int64_t next_us, ent_error *e);
/* When the next is due for a target, of `least` weight; 0: none. */
int ent_store_notices_next(ent_store *, const char *target, unsigned least, int64_t *next_us, ent_error *e);
/* Whatever waits for a target that is none any more: `failed`, with `answer`. */
int ent_store_notices_drop(ent_store *, const char *target, const char *answer, ent_error *e);
/* Targets for which something waits: to be compared with the configuration. */
typedef int (*ent_target_visit)(void *ctx, const char *target);
int ent_store_notices_targets(ent_store *, ent_target_visit, void *ctx, ent_error *e);
/* Forgets what is over since before. */
int ent_store_notices_forget(ent_store *, int64_t before_us, ent_error *e);
/* The newest first. target NULL: of all; status NULL: any. */
int ent_store_notices_scan(ent_store *, const char *target, const char *status, unsigned most, ent_notice_visit, void *ctx,
	ent_error *e);
/* Of one target by status; a row for each with its number and the newest at_us. */
typedef int (*ent_notice_count_visit)(void *ctx, const char *target, const char *status, uint64_t n, int64_t newest_us);
int ent_store_notices_count(ent_store *, ent_notice_count_visit, void *ctx, ent_error *e);

/* ---- feeds ------------------------------------------------------------------------------------------------------- */

typedef struct ent_feed {
	const char *source, *partner; /* partner "": of the source as a whole */
	uint64_t mark;       /* hash of what was seen of it: another one means that something arrived */
	int64_t arrived_us;  /* 0: never */
	int64_t since_us;    /* when it was looked at first */
} ent_feed;
int ent_store_feed_put(ent_store *, const ent_feed *, ent_error *e);
typedef int (*ent_feed_visit)(void *ctx, const ent_feed *);
int ent_store_feeds_scan(ent_store *, ent_feed_visit, void *ctx, ent_error *e); /* by source, partner */

#endif
