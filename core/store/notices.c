/* SPDX-License-Identifier: Apache-2.0
 *
 * The outbox and the feeds, see notices.h. One thread. */
#include "store/notices.h"
#include "store/sql.h"

#include <stdio.h>
#include <string.h>

/* Binds texts and numbers to ?1, ?2, … as `types` says (t, i), and runs the statement; it is finished unless it is kept. */
static int run(ent_store *s, sqlite3_stmt **kept, const char *sql, ent_error *e, const char *types, ...) {
	sqlite3_stmt *own = NULL, **statement = kept ? kept : &own;
	int status = ent__sql_keep(s, statement, sql, e);
	va_list list;
	va_start(list, types);
	for (int i = 1; !status && types[i - 1]; i++) {
		if (types[i - 1] == 't') {
			sqlite3_bind_text(*statement, i, va_arg(list, const char *), -1, SQLITE_STATIC);
		} else {
			sqlite3_bind_int64(*statement, i, va_arg(list, int64_t));
		}
	}
	va_end(list);
	status = status ? status : ent__sql_do(s, *statement, "notices", e);
	sqlite3_finalize(own);
	return status;
}

/* The first column of the first row: a number. */
static int ask(ent_store *s, sqlite3_stmt *statement, int64_t *out, ent_error *e) {
	int step = sqlite3_step(statement), status = 0;
	*out = 0;
	if (step == SQLITE_ROW) {
		*out = sqlite3_column_int64(statement, 0);
	} else if (step != SQLITE_DONE) {
		status = ent__sql_error(s, "notices", e);
	}
	sqlite3_reset(statement);
	return status;
}

static void bind_finding(sqlite3_stmt *statement, const ent_notice *x) {
	sqlite3_bind_text(statement, 1, x->partner, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, x->rule, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, x->key, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 4, x->target, -1, SQLITE_STATIC);
}

#define FINDING "partner = ?1 AND rule = ?2 AND key = ?3 AND target = ?4"

static int add(ent_store *s, const ent_notice *x, ent_error *e) {
	int64_t last = 0;
	int status = ent__sql_keep(s, &s->notice_id, "SELECT coalesce(max(id), 0) FROM notice", e);
	status = status ? status : ask(s, s->notice_id, &last, e);
	ent_notice row = *x;
	row.id = (uint64_t)last + 1;
	return status ? status : ent__row_put(s, ENT__NOTICES, &row, e);
}

static int drop(ent_store *s, uint64_t id, ent_error *e) {
	return run(s, &s->notice_drop, "DELETE FROM notice WHERE id = ?1", e, "i", (int64_t)id);
}

static bool is(const char *a, const char *b) { return !strcmp(a, b); }

int ent_store_notice_put(ent_store *s, const ent_notice *x, bool wanted, ent_error *e) {
	int status = ent__sql_keep(s, &s->notice_waiting,
		"SELECT id, change, next_us FROM notice WHERE " FINDING " AND status = 'pending' AND message = ''", e);
	if (status) {
		return status;
	}
	bind_finding(s->notice_waiting, x);
	char before[16] = "";
	ent_notice row = *x;
	int step = sqlite3_step(s->notice_waiting);
	if (step == SQLITE_ROW) {
		row.id = (uint64_t)sqlite3_column_int64(s->notice_waiting, 0);
		snprintf(before, sizeof before, "%s", (const char *)sqlite3_column_text(s->notice_waiting, 1));
		row.next_us = sqlite3_column_int64(s->notice_waiting, 2);
	} else if (step != SQLITE_DONE) {
		status = ent__sql_error(s, "notices", e);
	}
	sqlite3_reset(s->notice_waiting);
	if (status || !before[0]) {
		return status || !wanted ? status : add(s, x, e);
	}
	bool was_open = is(before, "opened") || is(before, "reopened");
	if ((is(x->change, "cleared") && was_open) || (is(x->change, "reopened") && is(before, "cleared"))) {
		return drop(s, row.id, e); /* as it was when it was told of last, or never told of */
	}
	if (is(x->change, "cleared") && !wanted) {
		return drop(s, row.id, e);
	}
	if (was_open && !is(x->change, "cleared")) {
		row.change = before;
	}
	return ent__row_put(s, ENT__NOTICES, &row, e);
}

int ent_store_notice_alert(ent_store *s, const ent_notice *x, bool open, ent_error *e) {
	/* What it knows under other labels, or knows as open although it is not, is over. It leaves the message that it may be in:
	 * what becomes of that says nothing of this. */
	int status = ent__sql_keep(s, &s->notice_over,
		"UPDATE notice SET change = 'cleared', status = 'pending', message = '', next_us = ?5, at_us = ?5 WHERE " FINDING
		" AND change <> 'cleared' AND (?6 = 0 OR kind <> ?7 OR severity <> ?8)",
		e);
	if (status) {
		return status;
	}
	bind_finding(s->notice_over, x);
	sqlite3_bind_int64(s->notice_over, 5, x->next_us);
	sqlite3_bind_int64(s->notice_over, 6, open);
	sqlite3_bind_text(s->notice_over, 7, x->kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->notice_over, 8, x->severity, -1, SQLITE_STATIC);
	status = ent__sql_do(s, s->notice_over, "notices", e);
	status = status || !open
				 ? status
				 : ent__sql_keep(s, &s->notice_alert,
					   "SELECT id, CASE change WHEN 'cleared' THEN 0 ELSE at_us END FROM notice WHERE " FINDING
					   " AND kind = ?5 AND severity = ?6",
					   e);
	if (status || !open) {
		return status;
	}
	ent_notice row = *x;
	row.change = "opened";
	bind_finding(s->notice_alert, x);
	sqlite3_bind_text(s->notice_alert, 5, x->kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->notice_alert, 6, x->severity, -1, SQLITE_STATIC);
	int step = sqlite3_step(s->notice_alert);
	if (step == SQLITE_ROW) {
		int64_t since = sqlite3_column_int64(s->notice_alert, 1);
		row.id = (uint64_t)sqlite3_column_int64(s->notice_alert, 0);
		row.at_us = since ? since : x->at_us; /* the same alert goes on since then */
	} else if (step != SQLITE_DONE) {
		status = ent__sql_error(s, "notices", e);
	}
	sqlite3_reset(s->notice_alert);
	if (!status && row.id && !row.evidence[0]) { /* only to be heard again */
		return run(s, NULL, "UPDATE notice SET change = 'opened', status = 'pending', message = '', next_us = ?2, at_us = ?3 WHERE id = ?1",
			e, "iii", (int64_t)row.id, row.next_us, row.at_us);
	}
	return status ? status : row.id ? ent__row_put(s, ENT__NOTICES, &row, e) : add(s, &row, e);
}

int ent_store_alerts_doubt(ent_store *s, const char *target, ent_error *e) {
	return run(s, NULL, "UPDATE notice SET change = 'doubt' WHERE target = ?1 AND way = 'alertmanager' AND change <> 'cleared'", e,
		"t", target);
}

int ent_store_alerts_sure(ent_store *s, const char *target, int64_t now_us, ent_error *e) {
	return run(s, NULL,
		"UPDATE notice SET change = 'cleared', status = 'pending', message = '', next_us = ?2, at_us = ?2 WHERE target = ?1 AND change = "
		"'doubt'",
		e, "ti", target, now_us);
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

int ent_store_notices_recover(ent_store *s, int64_t now_us, uint64_t *unknown, ent_error *e) {
	int status = run(s, NULL,
		"UPDATE notice SET status = 'pending', message = '', next_us = ?1 WHERE status = 'sending' AND way = 'alertmanager'",
		e, "i", now_us);
	status = status ? status
					: run(s, NULL,
						  "UPDATE notice SET status = 'unknown', next_us = 0, answer = "
						  "'the service ended before it was known what became of it' WHERE status = 'sending'",
						  e, "");
	*unknown = status ? 0 : (uint64_t)sqlite3_changes64(s->db);
	return status;
}

/* One number or text of a statement that is asked rarely. */
static int ask_once(ent_store *s, const char *sql, ent_error *e, int64_t *number, char text[40], const char *target,
	int64_t a, int64_t b) {
	sqlite3_stmt *statement = NULL;
	int status = ent__sql_keep(s, &statement, sql, e);
	if (!status) {
		sqlite3_bind_text(statement, 1, target, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 2, a);
		sqlite3_bind_int64(statement, 3, b);
		int step = sqlite3_step(statement);
		if (step == SQLITE_ROW) {
			*number = sqlite3_column_int64(statement, 0);
			if (text) {
				snprintf(text, 40, "%s", (const char *)sqlite3_column_text(statement, 1));
			}
		} else if (step != SQLITE_DONE) {
			status = ent__sql_error(s, "notices", e);
		}
	}
	sqlite3_finalize(statement);
	return status;
}

int ent_store_notices_take(ent_store *s, const ent_notice_take *t, char message[40], uint64_t *n, ent_error *e) {
	int64_t due = 0, weight = 0;
	*n = 0;
	message[0] = 0;
	/* One message of a target after the other: what a later one says must not arrive before. */
	int status = ask_once(s,
		"SELECT next_us, message FROM notice WHERE target = ?1 AND next_us > 0 AND status = 'pending' AND message <> '' "
		"LIMIT 1",
		e, &due, message, t->target, 0, 0);
	if (status || (due > t->now_us && !t->at_once)) {
		message[0] = 0;
		return status;
	}
	if (message[0]) {
		/* what weighs too little now was given to this message when it was not so: it waits as a whole */
		status = ask_once(
			s, "SELECT max(weight) FROM notice WHERE target = ?1 AND message <> '' AND status = 'pending'", e, &weight,
			NULL, t->target, 0, 0);
		if (status || weight < (int64_t)t->least) {
			message[0] = 0;
			return status;
		}
		status = run(s, NULL,
			"UPDATE notice SET status = 'sending', attempts = attempts + 1, next_us = 0 WHERE message = ?1 AND status = "
			"'pending'",
			e, "t", message);
	} else {
		status = ask_once(s, "SELECT min(next_us) FROM notice WHERE target = ?1 AND next_us > 0 AND weight >= ?2", e, &due,
			NULL, t->target, t->least, 0);
		if (status || !due || (due > t->now_us && !t->at_once)) {
			return status;
		}
		snprintf(message, 40, "%s", t->fresh);
		status = run(s, NULL,
			"UPDATE notice SET status = 'sending', attempts = attempts + 1, next_us = 0, message = ?1 "
			"WHERE target = ?2 AND next_us > 0 AND weight >= ?3 AND (status = 'pending' OR next_us <= ?4)",
			e, "ttii", message, t->target, (int64_t)t->least, t->now_us);
	}
	*n = status ? 0 : (uint64_t)sqlite3_changes64(s->db);
	if (!*n) {
		message[0] = 0;
	}
	return status;
}

int ent_store_notices_settle(ent_store *s, const char *message, const char *word, int64_t at_us, int64_t next_us,
	const char *answer, ent_error *e) {
	return run(s, NULL,
		"UPDATE notice SET status = ?2, next_us = ?3, answer = ?4, told_us = CASE ?2 WHEN 'told' THEN ?5 ELSE told_us END, "
		"message = CASE way WHEN 'alertmanager' THEN '' ELSE message END WHERE message = ?1 AND status = 'sending'",
		e, "ttiti", message, word, next_us, answer, at_us);
}

int ent_store_notices_alerted(ent_store *s, const char *message, int64_t at_us, int64_t next_us, ent_error *e) {
	return run(s, NULL,
		"UPDATE notice SET status = 'told', message = '', answer = '', told_us = ?2, next_us = CASE change WHEN 'cleared' THEN 0 "
		"ELSE ?3 END WHERE message = ?1 AND status = 'sending'",
		e, "tii", message, at_us, next_us);
}

int ent_store_notices_next(ent_store *s, const char *target, unsigned least, int64_t *next_us, ent_error *e) {
	int64_t retry = 0;
	*next_us = 0;
	int status = ask_once(s,
		"SELECT max(next_us) FROM notice WHERE target = ?1 AND next_us > 0 AND status = 'pending' AND message <> ''", e,
		&retry, NULL, target, 0, 0);
	status = status ? status
					: ask_once(s, "SELECT min(next_us) FROM notice WHERE target = ?1 AND next_us > 0 AND weight >= ?2", e,
						  next_us, NULL, target, least, 0);
	*next_us = retry && *next_us ? retry : *next_us;
	return status;
}

int ent_store_notices_drop(ent_store *s, const char *target, const char *answer, ent_error *e) {
	return run(s, NULL,
		"UPDATE notice SET status = CASE status WHEN 'told' THEN 'told' ELSE 'failed' END, answer = ?2, next_us = 0 "
		"WHERE target = ?1 AND next_us > 0",
		e, "tt", target, answer);
}

int ent_store_notices_forget(ent_store *s, int64_t before_us, ent_error *e) {
	return run(s, NULL, "DELETE FROM notice WHERE next_us = 0 AND status <> 'sending' AND at_us < ?1", e, "i", before_us);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

typedef struct visitor {
	ent_notice_visit notice;
	ent_feed_visit feed;
	void *ctx;
} visitor;

static int visit_notice(void *ctx, const void *row) {
	const visitor *v = ctx;
	return v->notice(v->ctx, row);
}

int ent_store_notices_of(
	ent_store *s, const char *message, unsigned most, ent_notice_visit visit, void *ctx, ent_error *e) {
	visitor v = {.notice = visit, .ctx = ctx};
	/* told things by what must be looked at first; alike, by the order in which they happened */
	return ent__row_scan(s, ENT__NOTICES,
		"WHERE message = ?1 ORDER BY change = 'cleared', weight DESC, kind <> 'red_flag', partner, id LIMIT ?2",
		(ent__row_args){.text = message, .b = most}, visit_notice, &v, e);
}

int ent_store_notices_scan(ent_store *s, const char *target, const char *word, unsigned most, ent_notice_visit visit,
	void *ctx, ent_error *e) {
	visitor v = {.notice = visit, .ctx = ctx};
	return ent__row_scan(s, ENT__NOTICES,
		"WHERE (?1 = '' OR target = ?1) AND (?3 = '' OR status = ?3) ORDER BY id DESC LIMIT ?2",
		(ent__row_args){.text = target ? target : "", .b = most, .more = {NULL, word ? word : ""}}, visit_notice, &v, e);
}

int ent_store_notices_targets(ent_store *s, ent_target_visit visit, void *ctx, ent_error *e) {
	sqlite3_stmt *statement = NULL;
	int status = ent__sql_keep(s, &statement, "SELECT DISTINCT target FROM notice WHERE next_us > 0 ORDER BY 1", e), step;
	while (!status && (step = sqlite3_step(statement)) != SQLITE_DONE) {
		status = step == SQLITE_ROW ? visit(ctx, (const char *)sqlite3_column_text(statement, 0))
									: ent__sql_error(s, "notices", e);
	}
	sqlite3_finalize(statement);
	return status;
}

int ent_store_notices_count(ent_store *s, ent_notice_count_visit visit, void *ctx, ent_error *e) {
	sqlite3_stmt *statement = NULL;
	int step, status = ent__sql_keep(s, &statement,
				  "SELECT target, status, count(*), max(max(at_us), max(told_us)) FROM notice GROUP BY 1, 2 ORDER BY 1, 2", e);
	while (!status && (step = sqlite3_step(statement)) != SQLITE_DONE) {
		status = step == SQLITE_ROW ? visit(ctx, (const char *)sqlite3_column_text(statement, 0),
										  (const char *)sqlite3_column_text(statement, 1),
										  (uint64_t)sqlite3_column_int64(statement, 2), sqlite3_column_int64(statement, 3))
									: ent__sql_error(s, "notices", e);
	}
	sqlite3_finalize(statement);
	return status;
}

/* ---- feeds ------------------------------------------------------------------------------------------------------- */

int ent_store_feed_put(ent_store *s, const ent_feed *x, ent_error *e) { return ent__row_put(s, ENT__FEEDS, x, e); }

static int visit_feed(void *ctx, const void *row) {
	const visitor *v = ctx;
	return v->feed(v->ctx, row);
}

int ent_store_feeds_scan(ent_store *s, ent_feed_visit visit, void *ctx, ent_error *e) {
	visitor v = {.feed = visit, .ctx = ctx};
	return ent__row_scan(s, ENT__FEEDS, "ORDER BY source, partner", (ent__row_args){0}, visit_feed, &v, e);
}
