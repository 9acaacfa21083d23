/* SPDX-License-Identifier: Apache-2.0
 *
 * How the service stands, as JSON: from the same tables its description in /openapi.json is made. Any thread. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/day.h"
#include "base/json.h"
#include "serve/operate.h"

/* ---- members --------------------------------------------------------------------------------------------------------- */

typedef enum how { U64, U32, UINT, SIZE, BOOL, DOUBLE, TIME, TEXT, TEXT_IF, STATE, DOING, DAY, WORDS } how;

/* A member of an object, and where its value is. */
typedef struct member {
	const char *key; /* NULL ends a table */
	how how;
	size_t at;
	const char *const *words; /* WORDS: an object of so many uint64_t */
} member;

static const char *const verdicts[] = {"true", "false", "unknown", "failed", NULL};

#define SERVICE(member_) offsetof(ent_service_status, member_)
#define SOURCE(member_) offsetof(ent_source_status, member_)
#define RULE(member_) offsetof(ent_rule_status, member_)
/* clang-format off */
/* Each list is written once: X(how, where, key, shape, of, words, may be null, documentation). */
#define ROW(how_, at_, key_, shape_, of_, words_, null_, doc_) {.key = key_, .how = how_, .at = at_, .words = words_},
#define TOLD(how_, at_, key_, shape_, of_, words_, null_, doc_) \
	{.key = key_, .shape = ENT_SHAPE_##shape_, .of = ENT_SHAPE_##of_, .null = null_, .doc = doc_},

#define SERVICE_ROWS(X) \
	X(BOOL, SERVICE(running), "running", BOOL, TEXT, NULL, false, "The engine works; false while it fails and is tried again.") \
	X(BOOL, SERVICE(ready), "ready", BOOL, TEXT, NULL, false, "The store is open, and everything was looked at once.") \
	X(BOOL, SERVICE(draining), "draining", BOOL, TEXT, NULL, false, "The service was asked to stop.") \
	X(DOING, SERVICE(doing), "doing", TEXT, TEXT, NULL, false, "What the engine does: starting, waiting, reading, judging, failing.") \
	X(TEXT_IF, SERVICE(error), "error", TEXT, TEXT, NULL, true, "Why it fails.") \
	X(U64, SERVICE(generation), "generation", INT, TEXT, NULL, false, "Of the configuration, from 1.") \
	X(TIME, SERVICE(started_us), "started", INSTANT, TEXT, NULL, true, "When it started.") \
	X(TIME, SERVICE(reloaded_us), "reloaded", INSTANT, TEXT, NULL, true, "When this generation became active.") \
	X(TIME, SERVICE(refused_us), "refused", INSTANT, TEXT, NULL, true, "When a newer one was refused, if none was good since.") \
	X(SIZE, SERVICE(refused_errors), "refused_errors", INT, TEXT, NULL, false, "What was wrong with that one.") \
	X(TEXT_IF, SERVICE(refused), "refused_error", TEXT, TEXT, NULL, true, "The first of it, with file and line.") \
	X(TIME, SERVICE(committed_us), "committed", INSTANT, TEXT, NULL, true, "When something new was last committed.") \
	X(TIME, SERVICE(judged_us), "judged", INSTANT, TEXT, NULL, true, "When the rules last judged.") \
	X(TIME, SERVICE(next_scan_us), "next_scan", INSTANT, TEXT, NULL, true, "When everything is looked at again, if nothing tells of itself before.") \
	X(TIME, SERVICE(beat_us), "progress", INSTANT, TEXT, NULL, true, "When the engine last showed that it goes on.") \
	X(U64, SERVICE(cycles), "cycles", INT, TEXT, NULL, false, "Times that sources were looked at, since the start.") \
	X(U64, SERVICE(commits), "commits", INT, TEXT, NULL, false, "Cycles that committed something new, since the start.") \
	X(U64, SERVICE(judgements), "judgements", INT, TEXT, NULL, false, "Times that rules judged, since the start.") \
	X(U64, SERVICE(evaluations), "evaluations", INT, TEXT, NULL, false, "Evaluations of a rule for a partner, since the start.") \
	X(DOUBLE, SERVICE(ingest_seconds), "ingest_seconds", NUMBER, TEXT, NULL, false, "How long the last cycle read.") \
	X(DOUBLE, SERVICE(judge_seconds), "judge_seconds", NUMBER, TEXT, NULL, false, "How long the last judgement took.") \
	X(DAY, SERVICE(as_of), "as_of", DAY, TEXT, NULL, true, "Day of the last judgement.") \
	X(WORDS, SERVICE(said_true), "verdicts", MAP, INT, verdicts, false, "Of the last judgement, by verdict.") \
	X(WORDS, SERVICE(findings), "findings", MAP, INT, ent_finding_kinds, false, "Open ones, by kind.") \
	X(SIZE, SERVICE(rules_errors), "rules_errors", INT, TEXT, NULL, false, "Faults of rulebooks, and rules that were stopped, at the last judgement.") \
	X(TEXT_IF, SERVICE(rules_error), "rules_error", TEXT, TEXT, NULL, true, "The first of them.")


#define WORKER_ROWS(X) \
	X(UINT, SERVICE(workers), "running", INT, TEXT, NULL, false, "Decoder workers that run.") \
	X(UINT, SERVICE(workers_most), "most", INT, TEXT, NULL, false, "That may run.") \
	X(U64, SERVICE(workers_started), "started", INT, TEXT, NULL, false, "Since the start of the service.") \
	X(U64, SERVICE(workers_died), "died", INT, TEXT, NULL, false, "Died, or had to be stopped.") \
	X(TEXT_IF, SERVICE(decoder_sandbox), "decoder_sandbox", TEXT, TEXT, NULL, true, "The level that decoders have reached.") \
	X(TEXT_IF, SERVICE(rules_sandbox), "rules_sandbox", TEXT, TEXT, NULL, true, "The level that the rules have reached.")


#define STORE_ROWS(X) \
	X(U64, SERVICE(ledger_bytes), "ledger_bytes", INT, TEXT, NULL, false, "Bytes of the ledger.") \
	X(U64, SERVICE(ledger_segments), "ledger_segments", INT, TEXT, NULL, false, "Files of the ledger.") \
	X(U64, SERVICE(store_bytes), "database_bytes", INT, TEXT, NULL, false, "Bytes of the database, its log included.") \
	X(U64, SERVICE(documents), "documents", INT, TEXT, NULL, false, "Documents that count.") \
	X(U64, SERVICE(identities), "identities", INT, TEXT, NULL, false, "Customers and visitors told apart.")


#define SOURCE_ROWS(X) \
	X(TEXT, SOURCE(name), "source", TEXT, TEXT, NULL, false, "Its name.") \
	X(TEXT_IF, SOURCE(partner), "partner", TEXT, TEXT, NULL, true, "Its partner; null: of many.") \
	X(TEXT, SOURCE(transport), "transport", TEXT, TEXT, NULL, false, "How it comes.") \
	X(STATE, SOURCE(state), "state", TEXT, TEXT, NULL, false, "idle, waiting, failing, quarantined.") \
	X(BOOL, SOURCE(late), "late", BOOL, TEXT, NULL, false, "Later than its `expect` allows.") \
	X(U64, SOURCE(bytes), "bytes", INT, TEXT, NULL, false, "Bytes read, unpacked, since the store was made.") \
	X(U64, SOURCE(records), "records", INT, TEXT, NULL, false, "Records read.") \
	X(U64, SOURCE(consumed), "consumed", INT, TEXT, NULL, false, "Of them, became facts.") \
	X(U64, SOURCE(rejected), "rejected", INT, TEXT, NULL, false, "Were refused.") \
	X(U64, SOURCE(skipped), "skipped", INT, TEXT, NULL, false, "Mean nothing to the decoder.") \
	X(U64, SOURCE(facts), "facts", INT, TEXT, NULL, false, "Facts received.") \
	X(U64, SOURCE(parked), "parked", INT, TEXT, NULL, false, "Facts under a word that means no partner yet.") \
	X(U64, SOURCE(pending), "pending", INT, TEXT, NULL, false, "Documents without their header.") \
	X(U64, SOURCE(waiting_bytes), "waiting_bytes", INT, TEXT, NULL, false, "Bytes that are not committed yet.") \
	X(U32, SOURCE(waiting_files), "waiting_files", INT, TEXT, NULL, false, "Files that are not committed yet.") \
	X(TIME, SOURCE(waiting_since_us), "waiting_since", INSTANT, TEXT, NULL, true, "Since when the oldest of it waits.") \
	X(TIME, SOURCE(last_read_us), "last_read", INSTANT, TEXT, NULL, true, "When something new of it was last committed, since the start.") \
	X(TIME, SOURCE(retry_us), "retry", INSTANT, TEXT, NULL, true, "When what failed is tried again.") \
	X(U32, SOURCE(failures), "failures", INT, TEXT, NULL, false, "Files that stand aside.") \
	X(U32, SOURCE(restarts), "restarts", INT, TEXT, NULL, false, "Workers that died while they read it.") \
	X(TEXT_IF, SOURCE(error), "error", TEXT, TEXT, NULL, true, "Of the last failure.")


#define RULE_ROWS(X) \
	X(TEXT, RULE(name), "rule", TEXT, TEXT, NULL, false, "Its name.") \
	X(U64, RULE(runs), "runs", INT, TEXT, NULL, false, "Evaluations, one for each partner, since the start.") \
	X(U64, RULE(said_true), "true", INT, TEXT, NULL, false, "Of these, true.") \
	X(U64, RULE(said_false), "false", INT, TEXT, NULL, false, "Of these, false.") \
	X(U64, RULE(unknown), "unknown", INT, TEXT, NULL, false, "Of these, unknown.") \
	X(U64, RULE(failed), "failed", INT, TEXT, NULL, false, "Of these, failed.") \
	X(DOUBLE, RULE(seconds), "seconds", NUMBER, TEXT, NULL, false, "Time spent in it.")

#define TABLES(name, LIST) \
	static const member name##_rows[] = {LIST(ROW){.key = NULL}}; \
	static const ent_member name##_members[] = {LIST(TOLD){.key = NULL}}

TABLES(worker, WORKER_ROWS);
TABLES(store, STORE_ROWS);
TABLES(rule, RULE_ROWS);
static const member source_rows[] = {SOURCE_ROWS(ROW){.key = NULL}};
static const ent_member source_members[] = {SOURCE_ROWS(TOLD)
	{.key = "inbox_bytes", .shape = ENT_SHAPE_INT, .doc = "Bytes in the inbox that are not committed yet."}, {.key = NULL}};
static const member service_rows[] = {SERVICE_ROWS(ROW){.key = NULL}};

static const ent_schema worker_schema = {.name = "WorkerStatus", .doc = "The decoder workers.", .members = worker_members};
static const ent_schema store_schema = {.name = "StoreStatus", .doc = "What is kept.", .members = store_members};
static const ent_schema source_schema = {.name = "SourceStatus", .doc = "How a source stands.", .members = source_members};
static const ent_schema rule_schema = {.name = "RuleStatus", .doc = "What a rule did since the start.", .members = rule_members};
static const ent_member status_members[] = {
	{.key = "version", .shape = ENT_SHAPE_TEXT, .doc = "Of the program."},
	{.key = "now", .shape = ENT_SHAPE_INSTANT, .doc = "When this was said."},
	SERVICE_ROWS(TOLD)
	{.key = "workers", .shape = ENT_SHAPE_OBJECT, .schema = &worker_schema, .doc = "The decoder workers."},
	{.key = "store", .shape = ENT_SHAPE_OBJECT, .schema = &store_schema, .doc = "What is kept."},
	{.key = "memory_bytes", .shape = ENT_SHAPE_INT, .doc = "Memory of the process, without its workers."},
	{.key = "http_requests", .shape = ENT_SHAPE_INT, .doc = "Requests answered since the start."},
	{.key = "sources", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &source_schema, .doc = "In the configuration's order."},
	{.key = "rules", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &rule_schema, .doc = "Those that ran."},
	{.key = NULL}};
const ent_schema ent__status_schema = {.name = "Status", .doc = "How the service stands.", .members = status_members};
/* clang-format on */

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static void instant(ent_json *j, int64_t us) {
	char text[48];
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;
	if (!us) {
		ent_json_null(j);
		return;
	}
	gmtime_r(&seconds, &tm);
	size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof text - n, ".%03dZ", (int)(us % 1000000 / 1000));
	ent_json_text(j, text);
}

static void value(ent_json *j, const member *m, const void *row) {
	const void *p = (const char *)row + m->at;
	switch (m->how) {
	case U64: ent_json_uint(j, *(const uint64_t *)p); break;
	case U32: ent_json_uint(j, *(const uint32_t *)p); break;
	case UINT: ent_json_uint(j, *(const unsigned *)p); break;
	case SIZE: ent_json_uint(j, *(const size_t *)p); break;
	case BOOL: ent_json_bool(j, *(const bool *)p); break;
	case DOUBLE: ent_json_double(j, *(const double *)p); break;
	case TIME: instant(j, *(const int64_t *)p); break;
	case TEXT: ent_json_text(j, p); break;
	case TEXT_IF: ent_json_text(j, *(const char *)p ? p : NULL); break;
	case STATE: ent_json_text(j, ent_source_states[*(const ent_source_state *)p]); break;
	case DOING: ent_json_text(j, *(const char *const *)p); break;
	case DAY: {
		int32_t day = *(const int32_t *)p;
		time_t seconds = (time_t)day * 86400;
		struct tm tm;
		char text[24];
		gmtime_r(&seconds, &tm);
		strftime(text, sizeof text, "%Y-%m-%d", &tm);
		ent_json_text(j, day ? text : NULL);
		break;
	}
	case WORDS:
		ent_json_object(j);
		for (size_t i = 0; m->words[i]; i++) {
			ent_json_key(j, m->words[i]);
			ent_json_uint(j, ((const uint64_t *)p)[i]);
		}
		ent_json_end(j);
		break;
	}
}

static void members(ent_json *j, const member *rows, const void *row) {
	for (const member *m = rows; m->key; m++) {
		ent_json_key(j, m->key);
		value(j, m, row);
	}
}

static void object(ent_json *j, const char *key, const member *rows, const void *row) {
	if (key) {
		ent_json_key(j, key);
	}
	ent_json_object(j);
	members(j, rows, row);
	ent_json_end(j);
}

void ent__status_json(const ent__status *s, ent_buf *out) {
	ent_json j;
	ent_json_init(&j, out, false);
	ent_json_object(&j);
	ent_json_key(&j, "version");
	ent_json_text(&j, s->version);
	ent_json_key(&j, "now");
	instant(&j, s->now_us);
	members(&j, service_rows, s->service);
	object(&j, "workers", worker_rows, s->service);
	object(&j, "store", store_rows, s->service);
	ent_json_key(&j, "memory_bytes");
	ent_json_uint(&j, s->memory_bytes);
	ent_json_key(&j, "http_requests");
	uint64_t requests = 0;
	for (size_t i = 0; s->http && i < 6; i++) {
		requests += s->http->requests[i];
	}
	ent_json_uint(&j, requests);
	ent_json_key(&j, "sources");
	ent_json_array(&j);
	for (size_t i = 0; i < s->service->n_sources; i++) {
		ent_json_object(&j);
		members(&j, source_rows, &s->service->sources[i]);
		ent_json_key(&j, "inbox_bytes");
		ent_json_uint(&j, s->inbox ? s->inbox[i].waiting + s->inbox[i].in_memory : 0);
		ent_json_end(&j);
	}
	ent_json_end(&j);
	ent_json_key(&j, "rules");
	ent_json_array(&j);
	for (size_t i = 0; i < s->service->n_rules; i++) {
		object(&j, NULL, rule_rows, &s->service->rules[i]);
	}
	ent_json_end(&j);
	ent_json_end(&j);
}
