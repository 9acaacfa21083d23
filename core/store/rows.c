/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables whose rows are structs: names and codes, segments, inputs, records, coverage, rejects, balance, findings,
 * verdicts; see store.h. What a column does when its row is there already stands in the schema. One thread. */
#include "base/arena.h"
#include "base/intern.h"
#include "store/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A visitor of the public kind; each trampoline below knows the type of its rows. */
typedef struct visitor {
	union {
		ent_store_code_visit code;
		ent_input_visit input;
		ent_record_visit record;
		ent_cover_visit cover;
		ent_reject_visit reject;
		ent_balance_visit balance;
		ent_finding_visit finding;
	} visit;
	void *ctx;
} visitor;

/* ---- meta, codes, segments --------------------------------------------------------------------------------------- */

int ent_store_meta_get(ent_store *s, const char *key, char **out, ent_error *e) {
	*out = NULL;
	int status = ent__sql_keep(s, &s->meta_get, "SELECT value FROM meta WHERE key = ?1", e);
	if (status) {
		return status;
	}
	sqlite3_bind_text(s->meta_get, 1, key, -1, SQLITE_STATIC);
	int step = sqlite3_step(s->meta_get);
	if (step == SQLITE_ROW) {
		*out = ent_xstrdup((const char *)sqlite3_column_text(s->meta_get, 0));
	} else if (step != SQLITE_DONE) {
		status = ent__sql_error(s, "meta", e);
	}
	sqlite3_reset(s->meta_get);
	return status;
}

int ent_store_meta_set(ent_store *s, const char *key, const char *value, ent_error *e) {
	return ent__row_put(s, ENT__META, &(ent__meta_row){key, value}, e);
}

static int visit_code(void *ctx, const void *row) {
	const visitor *v = ctx;
	const ent__code_row *c = row;
	return v->visit.code(v->ctx, c->kind, c->id, c->text, c->n);
}

int ent_store_codes_load(ent_store *s, ent_store_code_visit visit, void *ctx, ent_error *e) {
	visitor v = {.visit.code = visit, .ctx = ctx};
	return ent__row_scan(s, ENT__CODES, "ORDER BY kind, id", (ent__row_args){0}, visit_code, &v, e);
}

int ent_store_code_add(ent_store *s, uint32_t kind, uint32_t id, const char *text, size_t n, ent_error *e) {
	return ent__row_put(s, ENT__CODES, &(ent__code_row){kind, id, text, n}, e);
}

typedef struct segments {
	ent_segment *items;
	size_t n, capacity;
} segments;

static int visit_segment(void *ctx, const void *row) {
	segments *list = ctx;
	ENT_GROW(list->items, list->n, list->capacity);
	memcpy(&list->items[list->n++], row, sizeof *list->items);
	return 0;
}

int ent_store_segments_load(ent_store *s, ent_segment **out, size_t *n, ent_error *e) {
	segments list = {0};
	int status = ent__row_scan(s, ENT__SEGMENTS, "ORDER BY number", (ent__row_args){0}, visit_segment, &list, e);
	if (status) {
		free(list.items);
		list = (segments){0};
	}
	*out = list.items;
	*n = list.n;
	return status;
}

int ent_store_segments_save(ent_store *s, const ent_segment *items, size_t n, ent_error *e) {
	int status = ent__sql_run(s, "DELETE FROM segment", e);
	for (size_t i = 0; i < n && !status; i++) {
		status = ent__row_put(s, ENT__SEGMENTS, &items[i], e);
	}
	return status;
}

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

static int visit_input(void *ctx, const void *row) {
	const visitor *v = ctx;
	return v->visit.input(v->ctx, row);
}

int ent_store_inputs_load(ent_store *s, ent_input_visit visit, void *ctx, ent_error *e) {
	visitor v = {.visit.input = visit, .ctx = ctx};
	return ent__row_scan(s, ENT__INPUTS, "ORDER BY id", (ent__row_args){0}, visit_input, &v, e);
}

int ent_store_input_put(
	ent_store *s, const ent_input *in, uint64_t expected_position, uint32_t expected_generation, ent_error *e) {
	const ent__table *t = &ent__tables[ENT__INPUTS];
	bool add = expected_position == UINT64_MAX;
	sqlite3_stmt **kept = add ? &s->input_add : &s->input_set;
	int columns = 0;
	while (t->columns[columns].name) {
		columns++;
	}
	if (!*kept) {
		ent_buf sql = {0};
		if (add) {
			ent__schema_insert(&sql, t);
			ent_buf_printf(&sql, " ON CONFLICT DO NOTHING");
		} else {
			ent__schema_update(&sql, t);
			ent_buf_printf(&sql, " AND position = ?%d AND generation = ?%d", columns + 1, columns + 2);
		}
		ent_buf_u8(&sql, 0);
		int status = ent__sql_keep(s, kept, (const char *)sql.data, e);
		ent_buf_finish(&sql);
		if (status) {
			return status;
		}
	}
	ent__row_bind(*kept, t, in);
	if (!add) {
		sqlite3_bind_int64(*kept, columns + 1, (int64_t)expected_position);
		sqlite3_bind_int64(*kept, columns + 2, expected_generation);
	}
	int status = ent__sql_do(s, *kept, "input", e);
	if (!status && sqlite3_changes(s->db) != 1) {
		status = ent_error_set(e, ENT_ERR_FENCED,
			"input %u (%.300s) is no longer where this run left it: another writer was here", in->id, in->name);
		ent_error_at(e, s->file, 0, 0);
	}
	return status;
}

/* ---- records, coverage
 * ------------------------------------------------------------------------------------------------ */

int ent_store_record_put(ent_store *s, const ent_record *r, ent_error *e) {
	return ent__row_put(s, ENT__RECORDS, r, e);
}

int ent_store_record_drop(ent_store *s, uint32_t kind, uint64_t key, ent_error *e) {
	int status = ent__sql_keep(s, &s->record_drop, "DELETE FROM record WHERE kind = ?1 AND key = ?2", e);
	if (status) {
		return status;
	}
	sqlite3_bind_int64(s->record_drop, 1, kind);
	sqlite3_bind_int64(s->record_drop, 2, (int64_t)key);
	return ent__sql_do(s, s->record_drop, "record", e);
}

static int visit_record(void *ctx, const void *row) {
	const visitor *v = ctx;
	return v->visit.record(v->ctx, row);
}

int ent_store_records_scan(
	ent_store *s, uint32_t kind, uint32_t partner, ent_record_visit visit, void *ctx, ent_error *e) {
	visitor v = {.visit.record = visit, .ctx = ctx};
	const char *tail = partner == UINT32_MAX
						   ? "WHERE (?1 = 0 OR kind = ?1) ORDER BY partner, kind, day, key"
						   : "WHERE (?1 = 0 OR kind = ?1) AND partner = ?2 ORDER BY partner, kind, day, key";
	return ent__row_scan(s, ENT__RECORDS, tail, (ent__row_args){.a = kind, .b = partner}, visit_record, &v, e);
}

int ent_store_cover_put(ent_store *s, const ent_cover *c, ent_error *e) { return ent__row_put(s, ENT__COVERS, c, e); }

static int drop_of_input(ent_store *s, sqlite3_stmt **kept, const char *sql, uint32_t input, ent_error *e) {
	int status = ent__sql_keep(s, kept, sql, e);
	if (status) {
		return status;
	}
	sqlite3_bind_int64(*kept, 1, input);
	return ent__sql_do(s, *kept, "input", e);
}

int ent_store_covers_drop(ent_store *s, uint32_t input, ent_error *e) {
	return drop_of_input(s, &s->covers_drop, "DELETE FROM coverage WHERE input = ?1", input, e);
}

static int visit_cover(void *ctx, const void *row) {
	const visitor *v = ctx;
	return v->visit.cover(v->ctx, row);
}

int ent_store_covers_scan(ent_store *s, ent_cover_visit visit, void *ctx, ent_error *e) {
	visitor v = {.visit.cover = visit, .ctx = ctx};
	return ent__row_scan(s, ENT__COVERS, "ORDER BY partner, source, input, kind, origin, \"from\"", (ent__row_args){0},
		visit_cover, &v, e);
}

int ent_store_covers_of(ent_store *s, uint32_t partner, ent_cover_visit visit, void *ctx, ent_error *e) {
	visitor v = {.visit.cover = visit, .ctx = ctx};
	return ent__row_scan(s, ENT__COVERS, "WHERE partner = ?1 ORDER BY partner, source, input, kind, origin, \"from\"",
		(ent__row_args){.a = partner}, visit_cover, &v, e);
}

/* ---- rejects, balance
 * --------------------------------------------------------------------------------------------------- */

int ent_store_reject_add(ent_store *s, const ent_reject *r, ent_error *e) {
	return ent__row_put(s, ENT__REJECTS, r, e);
}

int ent_store_rejects_drop(ent_store *s, uint32_t input, ent_error *e) {
	return drop_of_input(s, &s->rejects_drop, "DELETE FROM reject WHERE input = ?1", input, e);
}

int ent_store_rejects_expire(ent_store *s, int64_t before_us, ent_error *e) {
	int status = ent__sql_keep(s, &s->rejects_expire,
		"UPDATE reject SET sealed = NULL WHERE sealed IS NOT NULL AND seen_us < ?1", e);
	if (status) {
		return status;
	}
	sqlite3_bind_int64(s->rejects_expire, 1, before_us);
	return ent__sql_do(s, s->rejects_expire, "rejects", e);
}

static int visit_reject(void *ctx, const void *row) {
	const visitor *v = ctx;
	return v->visit.reject(v->ctx, row);
}

int ent_store_rejects_scan(ent_store *s, uint32_t source, ent_reject_visit visit, void *ctx, ent_error *e) {
	visitor v = {.visit.reject = visit, .ctx = ctx};
	const char *tail =
		source == UINT32_MAX ? "ORDER BY input, place, reason" : "WHERE source = ?1 ORDER BY input, place, reason";
	return ent__row_scan(s, ENT__REJECTS, tail, (ent__row_args){.a = source}, visit_reject, &v, e);
}

int ent_store_balance_add(ent_store *s, const ent_balance *delta, ent_error *e) {
	return ent__row_put(s, ENT__BALANCES, delta, e);
}

static int visit_balance(void *ctx, const void *row) {
	const visitor *v = ctx;
	return v->visit.balance(v->ctx, row);
}

int ent_store_balance_scan(ent_store *s, ent_balance_visit visit, void *ctx, ent_error *e) {
	visitor v = {.visit.balance = visit, .ctx = ctx};
	return ent__row_scan(s, ENT__BALANCES, "ORDER BY source", (ent__row_args){0}, visit_balance, &v, e);
}

/* ---- findings
 * -------------------------------------------------------------------------------------------------- */

void ent_finding_id(const char *rule, const char *partner, const char *key, char out[9]) {
	uint64_t hash = ent_hash64(partner, strlen(partner), 0);
	hash = ent_hash64(rule, strlen(rule), hash);
	hash = ent_hash64(key, strlen(key), hash);
	snprintf(out, 9, "%08x", (unsigned)(hash ^ hash >> 32));
}

int ent_store_finding_put(ent_store *s, const ent_finding *f, ent_error *e) {
	ent_finding row = *f;
	row.named = f->named && *f->named ? f->named : f->rule;
	return ent__row_put(s, ENT__FINDINGS, &row, e);
}

/* A resolved one that is not said stays resolved; whatever day it is said of after that, it is said again. */
int ent_store_findings_close(
	ent_store *s, const char *rule, const char *partner, uint64_t run, const char *state, ent_error *e) {
	int status = ent__sql_keep(s, &s->findings_close,
		"UPDATE finding SET state = CASE WHEN life = 'resolved' THEN state ELSE ?4 END, "
		"life_as_of = CASE WHEN life = 'resolved' AND ?4 = 'cleared' THEN -2147483648 ELSE life_as_of END "
		"WHERE rule = ?1 AND partner = ?2 AND run < ?3 AND state <> ?4 "
		"AND (?4 <> 'stale' OR state <> 'cleared')", /* nobody waits for news of what is cleared */
		e);
	if (status) {
		return status;
	}
	sqlite3_bind_text(s->findings_close, 1, rule, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->findings_close, 2, partner, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s->findings_close, 3, (int64_t)run);
	sqlite3_bind_text(s->findings_close, 4, state, -1, SQLITE_STATIC);
	return ent__sql_do(s, s->findings_close, "finding", e);
}

/* What is cleared or stale is shown as that, until it is said again. */
int ent_store_finding_live(ent_store *s, const ent_finding *f, ent_error *e) {
	int status = ent__sql_keep(s, &s->finding_live,
		"UPDATE finding SET life = ?4, life_as_of = as_of, until_day = ?5, until_worth = ?6, has_until_worth = ?7, "
		"state = CASE WHEN state IN ('cleared', 'stale') AND ?4 <> 'resolved' THEN state ELSE ?4 END "
		"WHERE rule = ?1 AND partner = ?2 AND key = ?3",
		e);
	if (status) {
		return status;
	}
	sqlite3_bind_text(s->finding_live, 1, f->rule, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->finding_live, 2, f->partner, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->finding_live, 3, f->key, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->finding_live, 4, f->life, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s->finding_live, 5, f->until_day);
	sqlite3_bind_int64(s->finding_live, 6, f->until_worth);
	sqlite3_bind_int64(s->finding_live, 7, f->has_until_worth);
	status = ent__sql_do(s, s->finding_live, "finding", e);
	if (!status && sqlite3_changes(s->db) == 0) {
		status = ent_error_set(e, ENT_ERR_NOTFOUND, "%s said nothing of %s under this key", f->rule, f->partner);
	}
	return status;
}

static int visit_finding(void *ctx, const void *row) {
	const visitor *v = ctx;
	return v->visit.finding(v->ctx, row);
}

int ent_store_findings_scan(ent_store *s, const char *partner, ent_finding_visit visit, void *ctx, ent_error *e) {
	visitor v = {.visit.finding = visit, .ctx = ctx};
	const char *tail = partner ? "WHERE partner = ?1 ORDER BY partner, rule, key" : "ORDER BY partner, rule, key";
	return ent__row_scan(s, ENT__FINDINGS, tail, (ent__row_args){.text = partner}, visit_finding, &v, e);
}

int ent_store_findings_of(
	ent_store *s, const char *rule, const char *partner, ent_finding_visit visit, void *ctx, ent_error *e) {
	visitor v = {.visit.finding = visit, .ctx = ctx};
	const char *tail = partner ? "WHERE rule = ?1 AND partner = ?2 ORDER BY key" : "WHERE rule = ?1 ORDER BY partner, key";
	return ent__row_scan(
		s, ENT__FINDINGS, tail, (ent__row_args){.text = rule, .more = {partner}}, visit_finding, &v, e);
}

int ent_store_finding_one(ent_store *s, const char *rule, const char *partner, const char *key, ent_finding_visit visit, void *ctx,
	ent_error *e) {
	visitor v = {.visit.finding = visit, .ctx = ctx};
	return ent__row_scan(s, ENT__FINDINGS, "WHERE rule = ?1 AND partner = ?2 AND key = ?3",
		(ent__row_args){.text = rule, .more = {partner, key}}, visit_finding, &v, e);
}

int ent_store_finding_state(
	ent_store *s, const char *rule, const char *partner, const char *key, const char *state, ent_error *e) {
	sqlite3_stmt *statement = NULL;
	int status = ent__sql_keep(
		s, &statement, "UPDATE finding SET state = ?4 WHERE rule = ?1 AND partner = ?2 AND key = ?3", e);
	if (!status) {
		sqlite3_bind_text(statement, 1, rule, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 2, partner, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 3, key, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 4, state, -1, SQLITE_STATIC);
		status = ent__sql_do(s, statement, "finding", e);
	}
	sqlite3_finalize(statement);
	return status;
}
