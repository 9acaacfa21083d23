/* SPDX-License-Identifier: Apache-2.0
 *
 * The schema, see schema.h. STRICT tables are not a matter of taste: where a sum leaves int64, SQLite goes on in
 * floating point and would store that; a STRICT column refuses it. WITHOUT ROWID, or an INTEGER PRIMARY KEY: the key's order
 * is the order of the file, so that what is written sorted is written in sequence and read back in one piece. */
#include "store/notices.h"
#include "store/releases.h"
#include "store/schema.h"
#include "store/store.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define F(s, f) offsetof(s, f)
#define SIZE(s, f) sizeof(((s *)0)->f)

static const ent__column meta[] = {
	{"key", ENT__TEXT, ENT__KEY, ENT__PLAIN, F(ent__meta_row, key), 0},
	{"value", ENT__TEXT, ENT__SET, ENT__PLAIN, F(ent__meta_row, value), 0},
	{0},
};
static const ent__column code[] = {
	{"kind", ENT__U32, ENT__KEY, ENT__PLAIN, F(ent__code_row, kind), 0},
	{"id", ENT__U32, ENT__KEY, ENT__PLAIN, F(ent__code_row, id), 0},
	{"text", ENT__TEXT_N, ENT__SET, ENT__PLAIN, F(ent__code_row, text), F(ent__code_row, n)},
	{0},
};
static const ent__column segment[] = {
	{"number", ENT__U32, ENT__KEY, ENT__PLAIN, F(ent_segment, number), 0},
	{"state", ENT__U32, ENT__SET, ENT__PLAIN, F(ent_segment, state), 0},
	{"valid", ENT__U64, ENT__SET, ENT__PLAIN, F(ent_segment, valid), 0},
	{"frames", ENT__U64, ENT__SET, ENT__PLAIN, F(ent_segment, frames), 0},
	{"live_bytes", ENT__U64, ENT__SET, ENT__PLAIN, F(ent_segment, live), 0},
	{0},
};
#define IN(name, type, show) {#name, type, ENT__SET, show, F(ent_input, name), SIZE(ent_input, name)}
static const ent__column input[] = {
	{"id", ENT__U32, ENT__KEY, ENT__PLAIN, F(ent_input, id), 0},
	IN(source, ENT__U32, ENT__CODE),
	IN(name, ENT__CHARS, ENT__PLAIN),
	IN(size, ENT__U64, ENT__PLAIN),
	IN(mtime_ns, ENT__U64, ENT__PLAIN),
	IN(inode, ENT__U64, ENT__PLAIN),
	IN(device, ENT__U64, ENT__PLAIN),
	IN(head_sum, ENT__U64, ENT__PLAIN),
	IN(tail_sum, ENT__U64, ENT__PLAIN),
	IN(content, ENT__U64, ENT__PLAIN),
	IN(snapshot_us, ENT__I64, ENT__PLAIN),
	IN(position, ENT__U64, ENT__PLAIN),
	IN(generation, ENT__U32, ENT__PLAIN),
	IN(done, ENT__U8, ENT__PLAIN),
	IN(live, ENT__U8, ENT__PLAIN),
	IN(slice_grade, ENT__U8, ENT__PLAIN),
	IN(slice, ENT__U32, ENT__CODE),
	IN(first_day, ENT__I32, ENT__DAY),
	IN(last_day, ENT__I32, ENT__DAY),
	IN(records, ENT__U64, ENT__PLAIN),
	IN(consumed, ENT__U64, ENT__PLAIN),
	IN(rejected, ENT__U64, ENT__PLAIN),
	IN(skipped, ENT__U64, ENT__PLAIN),
	IN(facts, ENT__U64, ENT__PLAIN),
	IN(decoder, ENT__CHARS, ENT__PLAIN),
	IN(version, ENT__CHARS, ENT__PLAIN),
	IN(arrived_us, ENT__I64, ENT__PLAIN),
	IN(gone_us, ENT__I64, ENT__PLAIN),
	{0},
};
static const ent__column record[] = {
	{"kind", ENT__U32, ENT__KEY, ENT__PLAIN, F(ent_record, kind), 0},
	{"key", ENT__U64, ENT__KEY, ENT__PLAIN, F(ent_record, key), 0},
	{"partner", ENT__U32, ENT__SET, ENT__CODE, F(ent_record, partner), 0},
	{"day", ENT__I32, ENT__SET, ENT__DAY, F(ent_record, day), 0},
	{"register", ENT__U32, ENT__SET, ENT__CODE, F(ent_record, register_), 0},
	{"json", ENT__TEXT_N, ENT__SET, ENT__PLAIN, F(ent_record, json), F(ent_record, n)},
	{0},
};
static const ent__column coverage[] = {
	{"partner", ENT__U32, ENT__KEY, ENT__CODE, F(ent_cover, partner), 0},
	{"source", ENT__U32, ENT__KEY, ENT__CODE, F(ent_cover, source), 0},
	{"input", ENT__U32, ENT__KEY, ENT__PLAIN, F(ent_cover, input), 0},
	{"kind", ENT__U32, ENT__KEY, ENT__PLAIN, F(ent_cover, kind), 0},
	{"origin", ENT__U8, ENT__KEY, ENT__PLAIN, F(ent_cover, origin), 0},
	{"from", ENT__I32, ENT__KEY, ENT__DAY, F(ent_cover, from), 0},
	{"to", ENT__I32, ENT__SET, ENT__DAY, F(ent_cover, to), 0},
	{"declared", ENT__U8, ENT__SET, ENT__PLAIN, F(ent_cover, declared), 0},
	{"complete", ENT__U8, ENT__SET, ENT__PLAIN, F(ent_cover, complete), 0},
	{0},
};
static const ent__column reject[] = {
	{"input", ENT__U32, ENT__KEY, ENT__PLAIN, F(ent_reject, input), 0},
	{"place", ENT__U64, ENT__KEY, ENT__PLAIN, F(ent_reject, place), 0},
	{"reason", ENT__TEXT, ENT__KEY, ENT__PLAIN, F(ent_reject, reason), 0},
	{"source", ENT__U32, ENT__KEEP, ENT__CODE, F(ent_reject, source), 0},
	{"line", ENT__U64, ENT__KEEP, ENT__PLAIN, F(ent_reject, line), 0},
	{"hash", ENT__U64, ENT__KEEP, ENT__PLAIN, F(ent_reject, hash), 0},
	{"input_name", ENT__TEXT, ENT__KEEP, ENT__PLAIN, F(ent_reject, input_name), 0},
	{"column", ENT__TEXT, ENT__KEEP, ENT__PLAIN, F(ent_reject, column), 0},
	{"excerpt", ENT__TEXT, ENT__KEEP, ENT__PLAIN, F(ent_reject, excerpt), 0},
	{"sealed", ENT__BLOB_N, ENT__KEEP, ENT__PLAIN, F(ent_reject, sealed), F(ent_reject, sealed_n)},
	{"seen_us", ENT__I64, ENT__KEEP, ENT__PLAIN, F(ent_reject, seen_us), 0},
	{0},
};
#define BALANCE(name, update) {#name, ENT__U64, update, ENT__PLAIN, F(ent_balance, name), 0}
static const ent__column balance[] = {
	{"source", ENT__U32, ENT__KEY, ENT__CODE, F(ent_balance, source), 0},
	BALANCE(records, ENT__ADD),
	BALANCE(consumed, ENT__ADD),
	BALANCE(rejected, ENT__ADD),
	BALANCE(skipped, ENT__ADD),
	BALANCE(received, ENT__ADD),
	BALANCE(stored, ENT__ADD),
	BALANCE(replaced, ENT__ADD),
	BALANCE(duplicate, ENT__ADD),
	BALANCE(superseded, ENT__ADD),
	BALANCE(merged, ENT__ADD),
	BALANCE(refused, ENT__ADD),
	BALANCE(parked, ENT__SET),
	BALANCE(pending, ENT__SET),
	BALANCE(bytes, ENT__ADD),
	BALANCE(waits, ENT__ADD),
	BALANCE(waited_us, ENT__ADD),
	{0},
};
#define SAID(name) {#name, ENT__TEXT, ENT__SET, ENT__PLAIN, F(ent_finding, name), 0}
static const ent__column finding[] = {
	{"rule", ENT__TEXT, ENT__KEY, ENT__PLAIN, F(ent_finding, rule), 0},
	{"partner", ENT__TEXT, ENT__KEY, ENT__PLAIN, F(ent_finding, partner), 0},
	{"key", ENT__TEXT, ENT__KEY, ENT__PLAIN, F(ent_finding, key), 0},
	SAID(kind),
	{"state", ENT__TEXT, ENT__STATE, ENT__PLAIN, F(ent_finding, state), 0},
	{"life", ENT__TEXT, ENT__LIFE, ENT__PLAIN, F(ent_finding, life), 0},
	{"life_as_of", ENT__I32, ENT__KEEP, ENT__DAY, F(ent_finding, life_as_of), 0},
	{"until_day", ENT__I32, ENT__KEEP, ENT__DAY, F(ent_finding, until_day), 0},
	{"until_worth", ENT__I64, ENT__KEEP, ENT__PLAIN, F(ent_finding, until_worth), 0},
	{"has_until_worth", ENT__U8, ENT__KEEP, ENT__PLAIN, F(ent_finding, has_until_worth), 0},
	SAID(text),
	SAID(severity),
	SAID(audience),
	SAID(practice),
	{"worth", ENT__I64, ENT__SET, ENT__PLAIN, F(ent_finding, worth), 0},
	{"has_worth", ENT__U8, ENT__SET, ENT__PLAIN, F(ent_finding, has_worth), 0},
	{"as_of", ENT__I32, ENT__SET, ENT__DAY, F(ent_finding, as_of), 0},
	{"first_day", ENT__I32, ENT__KEEP, ENT__DAY, F(ent_finding, first_day), 0},
	{"run", ENT__U64, ENT__SET, ENT__PLAIN, F(ent_finding, run), 0},
	SAID(json),
	{"named", ENT__TEXT, ENT__KEEP, ENT__PLAIN, F(ent_finding, named), 0},
	{0},
};
static const ent__column rule[] = {
	{"number", ENT__U32, ENT__KEY, ENT__PLAIN, F(ent__rule_row, number), 0},
	{"name", ENT__TEXT, ENT__SET, ENT__PLAIN, F(ent__rule_row, name), 0},
	{0},
};
static const ent__column said[] = {
	{"partner", ENT__TEXT, ENT__KEY, ENT__PLAIN, F(ent__said_row, partner), 0},
	{"as_of", ENT__I32, ENT__SET, ENT__DAY, F(ent__said_row, as_of), 0},
	{"run", ENT__U64, ENT__SET, ENT__PLAIN, F(ent__said_row, run), 0},
	{"verdicts", ENT__TEXT_N, ENT__SET, ENT__PLAIN, F(ent__said_row, verdicts), F(ent__said_row, n_verdicts)},
	{"size", ENT__U64, ENT__SET, ENT__PLAIN, F(ent__said_row, size), 0},
	{"records", ENT__BLOB_N, ENT__SET, ENT__PLAIN, F(ent__said_row, packed), F(ent__said_row, n_packed)},
	{0},
};
#define NOTICE(name, type) {#name, type, ENT__SET, ENT__PLAIN, F(ent_notice, name), 0}
static const ent__column notice[] = {
	{"id", ENT__U64, ENT__KEY, ENT__PLAIN, F(ent_notice, id), 0},
	NOTICE(target, ENT__TEXT),
	NOTICE(way, ENT__TEXT),
	NOTICE(rule, ENT__TEXT),
	NOTICE(partner, ENT__TEXT),
	NOTICE(key, ENT__TEXT),
	NOTICE(change, ENT__TEXT),
	NOTICE(kind, ENT__TEXT),
	NOTICE(severity, ENT__TEXT),
	NOTICE(practice, ENT__TEXT),
	NOTICE(text, ENT__TEXT),
	NOTICE(evidence, ENT__TEXT),
	NOTICE(worth, ENT__I64),
	NOTICE(has_worth, ENT__U8),
	NOTICE(weight, ENT__U8),
	{"as_of", ENT__I32, ENT__SET, ENT__DAY, F(ent_notice, as_of), 0},
	{"first_day", ENT__I32, ENT__SET, ENT__DAY, F(ent_notice, first_day), 0},
	NOTICE(at_us, ENT__I64),
	NOTICE(status, ENT__TEXT),
	NOTICE(attempts, ENT__U32),
	NOTICE(next_us, ENT__I64),
	NOTICE(message, ENT__TEXT),
	NOTICE(told_us, ENT__I64),
	NOTICE(answer, ENT__TEXT),
	NOTICE(named, ENT__TEXT),
	{0},
};
static const ent__column feed[] = {
	{"source", ENT__TEXT, ENT__KEY, ENT__PLAIN, F(ent_feed, source), 0},
	{"partner", ENT__TEXT, ENT__KEY, ENT__PLAIN, F(ent_feed, partner), 0},
	{"mark", ENT__U64, ENT__SET, ENT__PLAIN, F(ent_feed, mark), 0},
	{"arrived_us", ENT__I64, ENT__SET, ENT__PLAIN, F(ent_feed, arrived_us), 0},
	{"since_us", ENT__I64, ENT__SET, ENT__PLAIN, F(ent_feed, since_us), 0},
	{0},
};

#define RUN(name, type, update, show) {#name, type, update, show, F(ent_run, name), 0}
static const ent__column run[] = {
	RUN(number, ENT__U64, ENT__KEY, ENT__PLAIN),
	RUN(at_us, ENT__I64, ENT__SET, ENT__PLAIN),
	RUN(arrived_us, ENT__I64, ENT__SET, ENT__PLAIN),
	RUN(segment, ENT__U32, ENT__SET, ENT__PLAIN),
	RUN(length, ENT__U64, ENT__SET, ENT__PLAIN),
	RUN(segments, ENT__U32, ENT__SET, ENT__PLAIN),
	RUN(as_of, ENT__I32, ENT__SET, ENT__DAY),
	RUN(whole, ENT__U8, ENT__SET, ENT__PLAIN),
	{0},
};
#undef RUN
#define RULE_RUN(name, type, update, show) {#name, type, update, show, F(ent_rule_run, name), 0}
static const ent__column rule_run[] = {
	RULE_RUN(rule, ENT__TEXT, ENT__KEY, ENT__PLAIN),
	RULE_RUN(run, ENT__U64, ENT__SET, ENT__PLAIN),
	RULE_RUN(at_us, ENT__I64, ENT__SET, ENT__PLAIN),
	RULE_RUN(as_of, ENT__I32, ENT__SET, ENT__DAY),
	RULE_RUN(evaluations, ENT__U64, ENT__SET, ENT__PLAIN),
	RULE_RUN(ns, ENT__U64, ENT__SET, ENT__PLAIN),
	{0},
};
#undef RULE_RUN

#define RELEASE(name, type, show) {#name, type, ENT__SET, show, F(ent_release, name), 0}
static const ent__column release[] = {
	{"id", ENT__U64, ENT__KEY, ENT__PLAIN, F(ent_release, id), 0},
	RELEASE(slice, ENT__TEXT, ENT__PLAIN),
	RELEASE(cohort, ENT__TEXT, ENT__PLAIN),
	RELEASE(state, ENT__TEXT, ENT__PLAIN),
	RELEASE(why, ENT__TEXT, ENT__PLAIN),
	RELEASE(first_end, ENT__I32, ENT__DAY),
	RELEASE(last_end, ENT__I32, ENT__DAY),
	RELEASE(days, ENT__U32, ENT__PLAIN),
	RELEASE(size, ENT__U32, ENT__PLAIN),
	RELEASE(since, ENT__I32, ENT__DAY),
	RELEASE(as_of, ENT__I32, ENT__DAY),
	RELEASE(run, ENT__U64, ENT__PLAIN),
	{"members", ENT__BLOB_N, ENT__SET, ENT__PLAIN, F(ent_release, members), F(ent_release, n_members)},
	{0},
};
#undef RELEASE

const char *const ent__verdict_words[ENT__VERDICT_WORDS] = {"true", "false", "unknown", "failed"};

const ent__table ent__tables[ENT__TABLES] = {
	[ENT__META] = {"meta", sizeof(ent__meta_row), meta, NULL, NULL, 0},
	[ENT__CODES] = {"code", sizeof(ent__code_row), code, NULL, NULL, 0},
	[ENT__SEGMENTS] = {"segment", sizeof(ent_segment), segment, NULL, NULL, 0},
	[ENT__INPUTS] = {"input", sizeof(ent_input), input, NULL, NULL, 0},
	[ENT__RECORDS] = {"record", sizeof(ent_record), record, "\"partner\", \"kind\", \"day\", \"key\"", NULL, 0},
	[ENT__COVERS] = {"coverage", sizeof(ent_cover), coverage, "\"input\"", NULL, 0},
	[ENT__REJECTS] = {"reject", sizeof(ent_reject), reject, NULL, NULL, 0},
	[ENT__BALANCES] = {"balance", sizeof(ent_balance), balance, NULL, NULL, 0},
	[ENT__FINDINGS] = {"finding", sizeof(ent_finding), finding, "\"partner\"", NULL, 0},
	[ENT__RULES] = {"rule", sizeof(ent__rule_row), rule, NULL, NULL, 0},
	[ENT__SAID] = {"said", sizeof(ent__said_row), said, NULL, NULL, 0},
	[ENT__NOTICES] = {"notice", sizeof(ent_notice), notice, "\"partner\", \"rule\", \"key\", \"target\"",
		"(\"target\", \"next_us\") WHERE \"next_us\" > 0", 3},
	[ENT__FEEDS] = {"feed", sizeof(ent_feed), feed, NULL, NULL, 3},
	[ENT__RUNS] = {"run", sizeof(ent_run), run, NULL, NULL, 4},
	[ENT__RULE_RUNS] = {"rule_run", sizeof(ent_rule_run), rule_run, NULL, NULL, 4},
	[ENT__RELEASES] = {"release", sizeof(ent_release), release, NULL, NULL, 4},
};

static const char *const declared[] = {
	[ENT__U8] = "INTEGER",    [ENT__U32] = "INTEGER", [ENT__I32] = "INTEGER",
	[ENT__U64] = "INTEGER",   [ENT__I64] = "INTEGER", [ENT__CHARS] = "TEXT",
	[ENT__TEXT] = "TEXT",     [ENT__TEXT_N] = "TEXT", [ENT__BLOB_N] = "BLOB",
};

#define DAY_TEXT(expression) "date((" expression ") * 86400, 'unixepoch')"
#define TEXT_OF(expression) "coalesce((SELECT text FROM code WHERE kind = 0 AND id = " expression "), '')"
_Static_assert(ENT_CODE_TEXT == 0, "the kind stands in TEXT_OF");

/* Columns that a table did not always have, and what they are in rows that were there before. */
static const struct added {
	ent__table_id table;
	const char *column, *fresh;
	int since;
} added[] = {
	{ENT__FINDINGS, "life", "''", 3},
	{ENT__FINDINGS, "life_as_of", "0", 3},
	{ENT__FINDINGS, "until_day", "0", 3},
	{ENT__FINDINGS, "until_worth", "0", 3},
	{ENT__FINDINGS, "has_until_worth", "0", 3},
	{ENT__FINDINGS, "named", "\"rule\"", 4},
	{ENT__NOTICES, "named", "\"rule\"", 4},
	{ENT__INPUTS, "arrived_us", "0", 4},
	{ENT__INPUTS, "gone_us", "0", 4},
};

/* What fills a column that came after a version; NULL: it was there. */
static const char *fresh_in(const ent__table *t, const ent__column *c, int version) {
	for (size_t i = 0; i < sizeof added / sizeof *added; i++) {
		if (&ent__tables[added[i].table] == t && added[i].since > version && !strcmp(added[i].column, c->name)) {
			return added[i].fresh;
		}
	}
	return NULL;
}

enum { CUSTOM_SINCE = 5 }; /* the column of metrics that users declare, the last of the table cell */

static void write_table(ent_buf *b, const ent__table *t, int version) {
	ent_buf_printf(b, "CREATE TABLE %s(\n", t->name);
	for (const ent__column *c = t->columns; c->name; c++) {
		if (!fresh_in(t, c, version)) {
			ent_buf_printf(b, "  \"%s\" %s NOT NULL,\n", c->name, declared[c->type]);
		}
	}
	ent_buf_printf(b, "  PRIMARY KEY(");
	for (const ent__column *c = t->columns; c->update == ENT__KEY; c++) {
		ent_buf_printf(b, "%s\"%s\"", c == t->columns ? "" : ", ", c->name);
	}
	ent_buf_printf(b, ")) STRICT, WITHOUT ROWID;\n");
	if (t->index) {
		ent_buf_printf(b, "CREATE INDEX %s_second ON %s(%s);\n", t->name, t->name, t->index);
	}
	if (t->due) {
		ent_buf_printf(b, "CREATE INDEX %s_due ON %s%s;\n", t->name, t->name, t->due);
	}
}

/* Copies a table into one that has all columns. */
static void write_copy(ent_buf *b, const ent__table *t, int version) {
	ent_buf_printf(b, "CREATE TABLE before AS SELECT * FROM %s;\nDROP TABLE %s;\n", t->name, t->name);
	write_table(b, t, ENT__SCHEMA_VERSION);
	ent_buf_printf(b, "INSERT INTO %s SELECT", t->name);
	for (const ent__column *c = t->columns; c->name; c++) {
		const char *fresh = fresh_in(t, c, version), *comma = c == t->columns ? "" : ",";
		if (fresh) {
			ent_buf_printf(b, "%s %s", comma, fresh);
		} else {
			ent_buf_printf(b, "%s \"%s\"", comma, c->name);
		}
	}
	ent_buf_printf(b, " FROM before;\nDROP TABLE before;\n");
}

static void begin_view(ent_buf *b, const char *prefix, const char *name) {
	ent_buf_printf(b, "DROP VIEW IF EXISTS v_%s%s;\nCREATE VIEW v_%s%s AS SELECT\n", prefix, name, prefix, name);
}

static void write_view(ent_buf *b, const ent__table *t) {
	begin_view(b, "", t->name);
	for (const ent__column *c = t->columns; c->name; c++) {
		const char *comma = c[1].name ? "," : "";
		if (c->show == ENT__PLAIN) {
			ent_buf_printf(b, "  c.\"%s\"%s\n", c->name, comma);
		} else if (c->show == ENT__DAY) {
			ent_buf_printf(b, "  date(c.\"%s\" * 86400, 'unixepoch') AS \"%s\"%s\n", c->name, c->name, comma);
		} else {
			ent_buf_printf(b, "  " TEXT_OF("c.\"%s\"") " AS \"%s\"%s\n", c->name, c->name, comma);
		}
	}
	ent_buf_printf(b, "FROM %s c;\n", t->name);
}

static void write_names(ent_buf *b, const char *expression, const char *const *names, unsigned n, const char *as) {
	ent_buf_printf(b, ",\n  CASE %s", expression);
	for (unsigned i = 0; i < n; i++) {
		ent_buf_printf(b, " WHEN %u THEN '%s'", i, names[i]);
	}
	ent_buf_printf(b, " END AS %s", as);
}

/* The columns of a cell's key as people read them: `c` is the row of the day, `j` a list whose numbers from `at` on are view,
 * value, currency and origin. */
static void write_cell_key(ent_buf *b, unsigned at) {
	char number[32];
	ent_buf_printf(b, "  " TEXT_OF("c.partner_day >> 32") " AS partner,\n");
	ent_buf_printf(b, "  " DAY_TEXT("(c.partner_day & 4294967295) - 2147483648") " AS day");
	snprintf(number, sizeof number, "j.value ->> %u", at);
	write_names(b, number, ent_view_names, ENT_VIEW_KEPT, "view");
	ent_buf_printf(b, ",\n  " TEXT_OF("(j.value ->> %u)") " AS value", at + 1);
	ent_buf_printf(b, ",\n  " TEXT_OF("(j.value ->> %u)") " AS currency", at + 2);
	snprintf(number, sizeof number, "j.value ->> %u", at + 3);
	write_names(b, number, ent_origin_names, ENT_ORIGIN_COUNT, "origin");
}

/* The comments say what stands where, and make the catalogue a part of the schema: a store made with other measures is
 * refused. */
static void write_cells(ent_buf *b, int version) {
	ent_buf_printf(b, "CREATE TABLE cell(\n  partner_day INTEGER PRIMARY KEY, -- partner << 32 | day + 2^31\n");
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		const ent_measure_def *m = ent_measures + ent_family_first(f);
		ent_buf_printf(b, "  %s TEXT, -- JSON: [[view, value, currency, origin", ent_family_name(f));
		for (unsigned i = 0; i < ent_family_width(f); i++) {
			ent_buf_printf(b, ", %s", m[i].name);
		}
		ent_buf_printf(b, "], ...]; zeros at the end are left out\n");
	}
	ent_buf_printf(b, "  sets TEXT, -- JSON: [[space, view, value, currency, origin, n, bytes of set_members], ...]\n");
	ent_buf_printf(b, "  dists TEXT, -- the same\n  set_members BLOB,\n  dist_members BLOB%s) STRICT;\n",
		version < CUSTOM_SINCE ? "" : ",\n  custom TEXT -- JSON: [[block, view, value, currency, origin, up to 24 measures], ...]: of metrics that users declare\n");
}

static void write_family_view(ent_buf *b, ent_family f) {
	const ent_measure_def *m = ent_measures + ent_family_first(f);
	begin_view(b, "cell_", ent_family_name(f));
	write_cell_key(b, 0);
	for (unsigned i = 0; i < ent_family_width(f); i++) {
		ent_buf_printf(b, ",\n  coalesce(j.value ->> %u, 0) AS \"%s\"", i + 4, m[i].name);
	}
	ent_buf_printf(b, "\nFROM cell c, json_each(c.%s) j;\n", ent_family_name(f));
}

static void write_members_view(ent_buf *b, const char *name, const char *const *spaces, unsigned n) {
	begin_view(b, "cell_", name);
	write_cell_key(b, 1);
	write_names(b, "j.value ->> 0", spaces, n, "space");
	ent_buf_printf(b, ",\n  j.value ->> 5 AS n\nFROM cell c, json_each(c.%ss) j;\n", name);
}

/* Which measure is which stands in the definitions, so numbers are all that can be shown here. */
static void write_custom_view(ent_buf *b) {
	begin_view(b, "cell_", "custom");
	write_cell_key(b, 1);
	ent_buf_printf(b, ",\n  j.value ->> 0 AS block,\n  j.value AS numbers\nFROM cell c, json_each(c.custom) j;\n");
}

static void terminate(ent_buf *b) {
	ent_buf_u8(b, 0);
	b->n--;
}

void ent__schema_upgrade(ent_buf *b, int version) {
	for (unsigned i = 0; i < ENT__TABLES; i++) {
		const ent__table *t = &ent__tables[i];
		bool grew = false;
		for (const ent__column *c = t->columns; c->name; c++) {
			grew |= fresh_in(t, c, version) != NULL;
		}
		if (t->since > version) {
			write_table(b, t, ENT__SCHEMA_VERSION);
		} else if (grew) {
			write_copy(b, t, version);
		}
	}
	if (version < CUSTOM_SINCE) {
		ent_buf_printf(b, "ALTER TABLE cell ADD COLUMN custom TEXT;\n");
	}
	terminate(b);
}

void ent__schema_tables(ent_buf *b, int version) {
	for (unsigned i = 0; i < ENT__TABLES; i++) {
		if (ent__tables[i].since <= version) {
			write_table(b, &ent__tables[i], version);
		}
	}
	write_cells(b, version);
	terminate(b);
}

void ent__schema_views(ent_buf *b) {
	static const char *const sets[ENT_SET_COUNT] = {
		[ENT_SET_CUSTOMERS] = "customers", [ENT_SET_VISITORS] = "visitors"};
	static const char *const dists[ENT_DIST_COUNT] = {[ENT_DIST_ORDER_VALUE] = "order_value",
		[ENT_DIST_DAYS_TO_PAID] = "days_to_paid", [ENT_DIST_LOAD_TIME] = "load_time"};
	/* the first three have nothing to decode, rules and what they said have a view of their own */
	for (unsigned i = ENT__SEGMENTS + 1; i < ENT__RULES; i++) {
		write_view(b, &ent__tables[i]);
	}
	write_view(b, &ent__tables[ENT__NOTICES]);
	write_view(b, &ent__tables[ENT__RUNS]);
	write_view(b, &ent__tables[ENT__RULE_RUNS]);
	write_view(b, &ent__tables[ENT__RELEASES]);
	begin_view(b, "", "verdict");
	ent_buf_printf(b, "  r.name AS rule,\n  s.partner,\n  CASE substr(s.verdicts, r.number + 1, 1)");
	for (unsigned i = 0; i < ENT__VERDICT_WORDS; i++) {
		ent_buf_printf(b, " WHEN '%c' THEN '%s'", ent__verdict_letter(ent__verdict_words[i]), ent__verdict_words[i]);
	}
	ent_buf_printf(b,
		" END AS verdict,\n  " DAY_TEXT("s.as_of") " AS as_of,\n  s.run\n"
		"FROM said s, rule r WHERE substr(s.verdicts, r.number + 1, 1) NOT IN ('', ' ');\n");
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		write_family_view(b, f);
	}
	write_custom_view(b);
	write_members_view(b, "set", sets, ENT_SET_COUNT);
	write_members_view(b, "dist", dists, ENT_DIST_COUNT);
	terminate(b);
}

void ent__schema_insert(ent_buf *b, const ent__table *t) {
	ent_buf_printf(b, "INSERT INTO %s VALUES(", t->name);
	for (const ent__column *c = t->columns; c->name; c++) {
		ent_buf_printf(b, "%s?%d", c == t->columns ? "" : ",", (int)(c - t->columns) + 1);
	}
	ent_buf_printf(b, ")");
}

/* Does what a person made of the finding end, now that it is said again? See ent_store_finding_put. */
#define REOPENS                                                                                                        \
	"(life = 'resolved' AND excluded.as_of > life_as_of) "                                                             \
	"OR (life IN ('acknowledged', 'explained') AND state = 'cleared') "                                                \
	"OR (life = 'accepted' AND (excluded.as_of > until_day "                                                           \
	"OR (has_until_worth AND excluded.has_worth AND excluded.worth > until_worth)))"

void ent__schema_upsert(ent_buf *b, const ent__table *t) {
	const char *word = " ON CONFLICT DO UPDATE SET ";
	for (const ent__column *c = t->columns; c->name; c++) {
		if (c->update == ENT__KEY || c->update == ENT__KEEP) {
			continue;
		}
		ent_buf_printf(b, "%s\"%s\" = ", word, c->name);
		if (c->update == ENT__ADD) {
			ent_buf_printf(b, "\"%s\" + excluded.\"%s\"", c->name, c->name);
		} else if (c->update == ENT__STATE) {
			/* What a person did to a finding stays; what the engine said of it itself does not. */
			ent_buf_printf(b, "CASE WHEN " REOPENS " THEN 'reopened' WHEN life = '' THEN excluded.state ELSE life END");
		} else if (c->update == ENT__LIFE) {
			ent_buf_printf(b, "CASE WHEN " REOPENS " THEN 'reopened' ELSE life END");
		} else {
			ent_buf_printf(b, "excluded.\"%s\"", c->name);
		}
		word = ", ";
	}
	if (word[0] == ' ') {
		ent_buf_printf(b, " ON CONFLICT DO NOTHING");
	}
}

void ent__schema_update(ent_buf *b, const ent__table *t) {
	ent_buf_printf(b, "UPDATE %s", t->name);
	const char *word = " SET ";
	for (const ent__column *c = t->columns; c->name; c++) {
		if (c->update != ENT__KEY) {
			ent_buf_printf(b, "%s\"%s\" = ?%d", word, c->name, (int)(c - t->columns) + 1);
			word = ", ";
		}
	}
	word = " WHERE ";
	for (const ent__column *c = t->columns; c->update == ENT__KEY; c++) {
		ent_buf_printf(b, "%s\"%s\" = ?%d", word, c->name, (int)(c - t->columns) + 1);
		word = " AND ";
	}
}

void ent__schema_select(ent_buf *b, const ent__table *t) {
	ent_buf_printf(b, "SELECT ");
	for (const ent__column *c = t->columns; c->name; c++) {
		ent_buf_printf(b, "%s\"%s\"", c == t->columns ? "" : ", ", c->name);
	}
	ent_buf_printf(b, " FROM %s", t->name);
}
