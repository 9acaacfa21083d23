/* SPDX-License-Identifier: Apache-2.0
 *
 * All metrics that the service exposes, in the order in which they are shown. A name says what is counted and in which
 * unit, as https://prometheus.io/docs/practices/naming/ wants it; a counter gets its _total where it is written.
 * Constant. */
#include "serve/exposition_table.h"

#include <stddef.h>

static const char *const classes[] = {"1xx", "2xx", "3xx", "4xx", "5xx", NULL};
static const char *const deliveries[] = {"taken", "repeated", "forged", "put_off", NULL};
static const char *const outcomes[] = {"told", "failed", "unknown", NULL};
static const char *const verdicts[] = {"true", "false", "unknown", "failed", NULL};
/* ent_service_status.said_true and those behind it, and of a rule, lie one behind the other */
_Static_assert(
	offsetof(ent_service_status, failed) == offsetof(ent_service_status, said_true) + 3 * sizeof(uint64_t), "");
_Static_assert(offsetof(ent_rule_status, failed) == offsetof(ent_rule_status, said_true) + 3 * sizeof(uint64_t), "");
_Static_assert(offsetof(ent_hooks_figures, put_off) == offsetof(ent_hooks_figures, taken) + 3 * sizeof(uint64_t), "");
_Static_assert(offsetof(ent_tell_status, unknown) == offsetof(ent_tell_status, told) + 2 * sizeof(uint64_t), "");
_Static_assert(offsetof(ent_http_figures, requests) == 0, "");

/* clang-format off */
#define GAUGE(name_, unit_, of_, how_, at_, help_) \
	{.name = name_, .type = ENT__GAUGE, .unit = unit_, .of = of_, .how = how_, .at = at_, .help = help_}
#define COUNTER(name_, unit_, of_, how_, at_, help_) \
	{.name = name_, .type = ENT__COUNTER, .unit = unit_, .of = of_, .how = how_, .at = at_, .help = help_}
#define SERVICE(member) offsetof(ent_service_status, member)
#define SOURCE(member) offsetof(ent_source_status, member)
#define RULE(member) offsetof(ent_rule_status, member)
#define INBOX(member) offsetof(ent_inbox_status, member)
#define HTTP(member) offsetof(ent_http_figures, member)
#define TELL(member) offsetof(ent_tell_status, member)
#define PROCESS(member) offsetof(ent_process_figures, member)

const ent__metric ent__metrics[] = {
	{.name = "entente_build_info", .type = ENT__GAUGE, .unit = "", .of = ENT__OF_ALL, .how = ENT__INFO,
		.help = "The version of the program; always 1."},

	/* ---- the service */
	GAUGE("entente_ready", "", ENT__OF_SERVICE, ENT__BOOL, SERVICE(ready),
		"Whether the store is open and everything was looked at once since the start: 1 or 0."),
	GAUGE("entente_engine_running", "", ENT__OF_SERVICE, ENT__BOOL, SERVICE(running),
		"Whether the engine works: 1, or 0 while it fails and is tried again."),
	GAUGE("entente_draining", "", ENT__OF_SERVICE, ENT__BOOL, SERVICE(draining), "Whether the service was asked to stop: 1 or 0."),
	GAUGE("entente_engine_progress_timestamp_seconds", "seconds", ENT__OF_SERVICE, ENT__TIME, SERVICE(beat_us),
		"When the engine last showed that it goes on, since 1970."),
	COUNTER("entente_cycles", "", ENT__OF_SERVICE, ENT__U64, SERVICE(cycles), "Times that sources were looked at for something new."),
	COUNTER("entente_commits", "", ENT__OF_SERVICE, ENT__U64, SERVICE(commits), "Cycles that committed something new."),
	GAUGE("entente_last_commit_timestamp_seconds", "seconds", ENT__OF_SERVICE, ENT__TIME, SERVICE(committed_us),
		"When something new was last committed, since 1970."),
	GAUGE("entente_last_cycle_duration_seconds", "seconds", ENT__OF_SERVICE, ENT__DOUBLE, SERVICE(ingest_seconds),
		"How long the last cycle read."),
	GAUGE("entente_config_generation", "", ENT__OF_SERVICE, ENT__U64, SERVICE(generation),
		"Generation of the configuration that is active, from 1 on."),
	GAUGE("entente_config_last_reload_timestamp_seconds", "seconds", ENT__OF_SERVICE, ENT__TIME, SERVICE(reloaded_us),
		"When the configuration that is active became so, since 1970."),

	/* ---- sources */
	COUNTER("entente_source_bytes", "bytes", ENT__OF_SOURCE, ENT__U64, SOURCE(bytes), "Bytes read, unpacked, since the store was made."),
	COUNTER("entente_source_records", "", ENT__OF_SOURCE, ENT__U64, SOURCE(records), "Records read, since the store was made."),
	COUNTER("entente_source_records_consumed", "", ENT__OF_SOURCE, ENT__U64, SOURCE(consumed), "Records that became facts."),
	COUNTER("entente_source_records_rejected", "", ENT__OF_SOURCE, ENT__U64, SOURCE(rejected), "Records that were refused."),
	COUNTER("entente_source_records_skipped", "", ENT__OF_SOURCE, ENT__U64, SOURCE(skipped), "Records that mean nothing to the decoder."),
	COUNTER("entente_source_facts", "", ENT__OF_SOURCE, ENT__U64, SOURCE(facts), "Facts received, since the store was made."),
	GAUGE("entente_source_parked_facts", "", ENT__OF_SOURCE, ENT__U64, SOURCE(parked),
		"Facts stored under a word that means no partner yet."),
	GAUGE("entente_source_pending_documents", "", ENT__OF_SOURCE, ENT__U64, SOURCE(pending), "Documents of which the header has not come yet."),
	GAUGE("entente_source_waiting_bytes", "bytes", ENT__OF_SOURCE, ENT__U64, SOURCE(waiting_bytes),
		"Bytes that lie there, packed, and are not committed yet."),
	GAUGE("entente_source_waiting_files", "", ENT__OF_SOURCE, ENT__U32, SOURCE(waiting_files), "Files that are not committed yet."),
	GAUGE("entente_source_lag_seconds", "seconds", ENT__OF_SOURCE, ENT__SINCE, SOURCE(waiting_since_us),
		"For how long the oldest of what waits has waited; 0: nothing does."),
	GAUGE("entente_source_last_read_timestamp_seconds", "seconds", ENT__OF_SOURCE, ENT__TIME, SOURCE(last_read_us),
		"When something new of it was last committed, since 1970; absent: not since the start."),
	GAUGE("entente_source_late", "", ENT__OF_SOURCE, ENT__BOOL, SOURCE(late), "Whether it is later than its `expect` allows: 1 or 0."),
	{.name = "entente_source_state", .type = ENT__GAUGE, .unit = "", .of = ENT__OF_SOURCE, .how = ENT__STATE, .at = SOURCE(state),
		.label = "state", .words = ent_source_states, .help = "1 for the state that the source is in, 0 for the others."},
	GAUGE("entente_source_set_aside_files", "", ENT__OF_SOURCE, ENT__U32, SOURCE(failures),
		"Files that could not be read and stand aside until they change or their time comes."),
	COUNTER("entente_source_worker_restarts", "", ENT__OF_SOURCE, ENT__U32, SOURCE(restarts), "Decoder workers that died while they read it."),

	/* ---- inbox */
	GAUGE("entente_inbox_waiting_bytes", "bytes", ENT__OF_INBOX, ENT__U64, INBOX(waiting), "Bytes that are durable in the inbox and not committed."),
	GAUGE("entente_inbox_memory_bytes", "bytes", ENT__OF_INBOX, ENT__U64, INBOX(in_memory), "Bytes that wait for the disk, unanswered."),
	COUNTER("entente_inbox_items", "", ENT__OF_INBOX, ENT__U64, INBOX(items), "Deliveries, pages and pieces made durable."),
	COUNTER("entente_inbox_bytes", "bytes", ENT__OF_INBOX, ENT__U64, INBOX(bytes), "Bytes made durable."),
	COUNTER("entente_inbox_repeated", "", ENT__OF_INBOX, ENT__U64, INBOX(repeated), "Deliveries that had come before."),
	COUNTER("entente_inbox_refused", "", ENT__OF_INBOX, ENT__U64, INBOX(refused), "Deliveries refused because too much waited."),
	COUNTER("entente_inbox_failed", "", ENT__OF_INBOX, ENT__U64, INBOX(failed), "Deliveries refused because the disk was full or failed."),

	/* ---- workers */
	GAUGE("entente_workers", "", ENT__OF_SERVICE, ENT__UINT, SERVICE(workers), "Decoder workers that run."),
	GAUGE("entente_workers_max", "", ENT__OF_SERVICE, ENT__UINT, SERVICE(workers_most), "Decoder workers that may run."),
	COUNTER("entente_workers_started", "", ENT__OF_SERVICE, ENT__U64, SERVICE(workers_started), "Decoder workers started."),
	COUNTER("entente_workers_died", "", ENT__OF_SERVICE, ENT__U64, SERVICE(workers_died), "Decoder workers that died or had to be stopped."),

	/* ---- rules */
	COUNTER("entente_judgements", "", ENT__OF_SERVICE, ENT__U64, SERVICE(judgements), "Times that rules judged."),
	COUNTER("entente_rule_evaluations", "", ENT__OF_SERVICE, ENT__U64, SERVICE(evaluations), "Evaluations of one rule for one partner, of all rules."),
	GAUGE("entente_last_judgement_timestamp_seconds", "seconds", ENT__OF_SERVICE, ENT__TIME, SERVICE(judged_us),
		"When the rules last judged, since 1970."),
	GAUGE("entente_last_judgement_duration_seconds", "seconds", ENT__OF_SERVICE, ENT__DOUBLE, SERVICE(judge_seconds),
		"How long the last judgement took."),
	GAUGE("entente_rulebook_errors", "", ENT__OF_SERVICE, ENT__SIZE, SERVICE(rules_errors),
		"What is wrong with rulebooks, and rules that had to be stopped, at the last judgement."),
	{.name = "entente_verdicts", .type = ENT__GAUGE, .unit = "", .of = ENT__OF_SERVICE, .how = ENT__WORDS, .at = SERVICE(said_true),
		.label = "verdict", .words = verdicts, .help = "Verdicts of the last judgement."},
	{.name = "entente_findings_open", .type = ENT__GAUGE, .unit = "", .of = ENT__OF_SERVICE, .how = ENT__WORDS, .at = SERVICE(findings),
		.label = "kind", .words = ent_finding_kinds, .help = "Findings that are open, by kind."},
	COUNTER("entente_rule_runs", "", ENT__OF_RULE, ENT__U64, RULE(runs), "Evaluations of the rule, one for each partner."),
	COUNTER("entente_rule_duration_seconds", "seconds", ENT__OF_RULE, ENT__DOUBLE, RULE(seconds), "Time spent in the rule."),
	{.name = "entente_rule_verdicts", .type = ENT__COUNTER, .unit = "", .of = ENT__OF_RULE, .how = ENT__WORDS, .at = RULE(said_true),
		.label = "verdict", .words = verdicts, .help = "What the rule said, each time that it judged a partner."},

	/* ---- what is kept */
	GAUGE("entente_ledger_bytes", "bytes", ENT__OF_SERVICE, ENT__U64, SERVICE(ledger_bytes), "Bytes of the ledger."),
	GAUGE("entente_ledger_segments", "", ENT__OF_SERVICE, ENT__U64, SERVICE(ledger_segments), "Files of the ledger."),
	GAUGE("entente_store_bytes", "bytes", ENT__OF_SERVICE, ENT__U64, SERVICE(store_bytes), "Bytes of the database, its log included."),
	GAUGE("entente_documents", "", ENT__OF_SERVICE, ENT__U64, SERVICE(documents), "Documents that count: orders, visits, entries."),
	GAUGE("entente_identities", "", ENT__OF_SERVICE, ENT__U64, SERVICE(identities), "Customers and visitors told apart, as keyed hashes."),

	/* ---- HTTP */
	{.name = "entente_http_requests", .type = ENT__COUNTER, .unit = "", .of = ENT__OF_HTTP, .how = ENT__WORDS,
		.at = HTTP(requests) + sizeof(uint64_t), .label = "code", .words = classes, .help = "Requests answered, by class of status."},
	COUNTER("entente_http_request_duration_seconds", "seconds", ENT__OF_HTTP, ENT__NANOSECONDS, HTTP(nanoseconds),
		"Time from whole requests to their answers, summed up."),
	GAUGE("entente_http_requests_in_flight", "", ENT__OF_HTTP, ENT__U64, HTTP(under_way), "Requests that are being answered."),
	GAUGE("entente_http_connections", "", ENT__OF_HTTP, ENT__U64, HTTP(connections), "Connections that are open."),
	COUNTER("entente_http_connections_accepted", "", ENT__OF_HTTP, ENT__U64, HTTP(accepted), "Connections accepted."),
	COUNTER("entente_http_requests_limited", "", ENT__OF_HTTP, ENT__U64, HTTP(limited), "Requests refused because too many came (429)."),
	COUNTER("entente_http_requests_refused", "", ENT__OF_HTTP, ENT__U64, HTTP(refused), "Requests without the right to what they ask (401, 403)."),
	COUNTER("entente_http_connections_slow", "", ENT__OF_HTTP, ENT__U64, HTTP(slow), "Connections cut because they took too long to ask."),
	COUNTER("entente_http_requests_late", "", ENT__OF_HTTP, ENT__U64, HTTP(late), "Requests answered 503 because their answer took too long."),
	COUNTER("entente_http_received_bytes", "bytes", ENT__OF_HTTP, ENT__U64, HTTP(bytes_in), "Bytes of bodies received."),
	COUNTER("entente_http_sent_bytes", "bytes", ENT__OF_HTTP, ENT__U64, HTTP(bytes_out), "Bytes of bodies sent."),

	/* ---- webhooks */
	{.name = "entente_webhook_deliveries", .type = ENT__COUNTER, .unit = "", .of = ENT__OF_HOOKS, .how = ENT__WORDS,
		.at = offsetof(ent_hooks_figures, taken), .label = "outcome", .words = deliveries,
		.help = "Deliveries to webhooks: durable, known already, without a good signature (401), told to come again (429, 503)."},

	/* ---- telling */
	{.name = "entente_tell_messages", .type = ENT__COUNTER, .unit = "", .of = ENT__OF_TELL, .how = ENT__WORDS, .at = TELL(told),
		.label = "outcome", .words = outcomes, .help = "Messages to a target by what became of them."},
	COUNTER("entente_tell_tries", "", ENT__OF_TELL, ENT__U64, TELL(tries), "Times that a message to the target was sent, repetitions included."),
	GAUGE("entente_tell_last_told_timestamp_seconds", "seconds", ENT__OF_TELL, ENT__TIME, TELL(last_us),
		"When a message to the target last arrived, since 1970; absent: not since the start."),
	GAUGE("entente_tell_next_try_timestamp_seconds", "seconds", ENT__OF_TELL, ENT__TIME, TELL(next_us),
		"When a message that waits is tried next, since 1970; absent: none waits."),

	/* ---- the process, under the names that every exporter uses */
	COUNTER("process_cpu_seconds", "seconds", ENT__OF_PROCESS, ENT__DOUBLE, PROCESS(cpu_seconds), "Processor time of the process, without its workers."),
	GAUGE("process_resident_memory_bytes", "bytes", ENT__OF_PROCESS, ENT__U64, PROCESS(resident_bytes), "Memory of the process that is in RAM."),
	GAUGE("process_virtual_memory_bytes", "bytes", ENT__OF_PROCESS, ENT__U64, PROCESS(virtual_bytes), "Address space of the process."),
	GAUGE("process_open_fds", "", ENT__OF_PROCESS, ENT__U64, PROCESS(open_fds), "File descriptors that are open."),
	GAUGE("process_max_fds", "", ENT__OF_PROCESS, ENT__U64, PROCESS(max_fds), "File descriptors that may be open."),
	GAUGE("process_start_time_seconds", "seconds", ENT__OF_PROCESS, ENT__TIME, PROCESS(started_us), "When the process started, since 1970."),
	{.name = NULL},
};
/* clang-format on */
