/* SPDX-License-Identifier: Apache-2.0
 *
 * Judgements and the rules that judged, see store.h; and a rule that got another name. One thread. */
#include "store/sql.h"

#include <stdlib.h>

enum { KEPT = 20000 /* judgements: a service makes one for each change that comes */ };

typedef struct visitor {
	union {
		ent_run_visit run;
		ent_rule_run_visit rule;
	} visit;
	void *ctx;
} visitor;

/* One statement with texts as its parameters. */
static int run_with(
	ent_store *s, const char *sql, const char *first, const char *second, int64_t number, ent_error *e) {
	sqlite3_stmt *statement = NULL;
	int status = ent__sql_keep(s, &statement, sql, e);
	if (!status) {
		sqlite3_bind_text(statement, 1, first, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 2, second, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 3, number);
		status = ent__sql_do(s, statement, "rule", e);
	}
	sqlite3_finalize(statement);
	return status;
}

int ent_store_run_put(ent_store *s, const ent_run *r, ent_error *e) {
	int status = ent__row_put(s, ENT__RUNS, r, e);
	return status || r->number <= KEPT
			   ? status
			   : run_with(s, "DELETE FROM run WHERE number < ?3", "", "", (int64_t)r->number - KEPT, e);
}

static int visit_run(void *ctx, const void *row) {
	const visitor *v = ctx;
	return v->visit.run(v->ctx, row);
}

int ent_store_runs_scan(ent_store *s, ent_run_visit visit, void *ctx, ent_error *e) {
	visitor v = {.visit.run = visit, .ctx = ctx};
	return ent__row_scan(s, ENT__RUNS, "ORDER BY number DESC", (ent__row_args){0}, visit_run, &v, e);
}

int ent_store_rule_run_put(ent_store *s, const ent_rule_run *r, ent_error *e) {
	return ent__row_put(s, ENT__RULE_RUNS, r, e);
}

static int visit_rule(void *ctx, const void *row) {
	const visitor *v = ctx;
	return v->visit.rule(v->ctx, row);
}

int ent_store_rule_runs_scan(ent_store *s, ent_rule_run_visit visit, void *ctx, ent_error *e) {
	visitor v = {.visit.rule = visit, .ctx = ctx};
	return ent__row_scan(s, ENT__RULE_RUNS, "ORDER BY rule", (ent__row_args){0}, visit_rule, &v, e);
}

int ent_store_rule_rename(ent_store *s, const char *from, const char *to, uint64_t *moved, ent_error *e) {
	static const char *const steps[] = {
		/* said under both names: the one of which a person made something, else the new one */
		("DELETE FROM finding AS n WHERE rule = ?2 AND life = '' AND EXISTS (SELECT 1 FROM finding AS o WHERE o.rule = ?1 "
		 "AND o.partner = n.partner AND o.key = n.key AND o.life <> '')"),
		("DELETE FROM finding AS o WHERE rule = ?1 AND EXISTS (SELECT 1 FROM finding AS n WHERE n.rule = ?2 "
		 "AND n.partner = o.partner AND n.key = o.key)"),
		"UPDATE finding SET rule = ?2 WHERE rule = ?1",
	};
	static const char *const rest[] = {
		"UPDATE notice SET rule = ?2 WHERE rule = ?1",
		"DELETE FROM rule_run WHERE rule = ?1",
	};
	int status = 0;
	for (size_t i = 0; i < sizeof steps / sizeof *steps && !status; i++) {
		status = run_with(s, steps[i], from, to, 0, e);
	}
	*moved = status ? 0 : (uint64_t)sqlite3_changes64(s->db);
	for (size_t i = 0; i < sizeof rest / sizeof *rest && !status; i++) {
		status = run_with(s, rest[i], from, to, 0, e);
	}
	return status;
}
