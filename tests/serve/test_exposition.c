/* SPDX-License-Identifier: Apache-2.0
 *
 * /metrics: what it says of a service, that promtool finds no fault with it, and that docs/operating.md lists the same.
 */
#include "serve/exposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "serve/exposition_table.h"

static ent_source_status sources[] = {
	{.name = "shop",
		.transport = "directory",
		.state = ENT_SOURCE_WAITING,
		.records = 1234567,
		.consumed = 1234000,
		.rejected = 560,
		.skipped = 7,
		.facts = 2000000,
		.bytes = UINT64_C(123456789012),
		.waiting_bytes = 4096,
		.waiting_files = 2,
		.failures = 1,
		.restarts = 3,
		.waiting_since_us = INT64_C(1795356000000000),
		.last_read_us = INT64_C(1795356111250000)},
	{.name = "ho\"ok\\s\n",
		.transport = "webhook",
		.state = ENT_SOURCE_QUARANTINED,
		.late = true,
		.parked = 5,
		.pending = 6},
};
static ent_rule_status rules[] = {
	{.name = "conversion_trails_cohort",
		.runs = 4000,
		.said_true = 10,
		.said_false = 80,
		.unknown = 9,
		.failed = 1,
		.seconds = 1.25},
	{.name = "never_run"},
};
static const ent_inbox_status inbox[] = {
	{0}, {.waiting = 10, .in_memory = 11, .items = 12, .bytes = 13, .repeated = 14, .refused = 15, .failed = 16}};

static ent_service_status service(void) {
	return (ent_service_status){.running = true,
		.ready = true,
		.doing = "reading",
		.beat_us = INT64_C(1795356119000001),
		.generation = 3,
		.cycles = 100,
		.commits = 40,
		.judgements = 12,
		.evaluations = 5000,
		.judge_seconds = 0.5,
		.ingest_seconds = 0.125,
		.reloaded_us = INT64_C(1795350000000000),
		.committed_us = INT64_C(1795356111250000),
		.said_true = 1,
		.said_false = 2,
		.unknown = 3,
		.failed = 4,
		.findings = {1, 2, 3, 4, 5, 6, 7},
		.workers = 2,
		.workers_most = 4,
		.workers_started = 9,
		.workers_died = 1,
		.ledger_bytes = 1 << 20,
		.ledger_segments = 2,
		.store_bytes = 1 << 22,
		.documents = 77,
		.identities = 55,
		.rules_errors = 2,
		.sources = sources,
		.n_sources = 2,
		.rules = rules,
		.n_rules = 2};
}

static char *expose(bool openmetrics, bool all) {
	ent_buf out = {0};
	ent_service_status s = service();
	ent_http_figures http = {.requests = {0, 1, 2, 3, 4, 5}, .nanoseconds = 1500000000, .under_way = 7, .bytes_out = 8};
	ent_process_figures process = {
		.cpu_seconds = 1.5, .resident_bytes = 1000, .open_fds = 20, .started_us = 1795350000000000};
	ent_hooks_figures hooks = {.taken = 21, .repeated = 22, .forged = 23, .put_off = 24};
	ent_tell_status tell[] = {
		{.name = "team", .told = 31, .failed = 32, .unknown = 33, .tries = 34, .last_us = INT64_C(1795356111250000)},
		{.name = "desk", .next_us = INT64_C(1795356120000000)}};
	ent_figures f = {.version = "0.1.0",
		.now_us = INT64_C(1795356120000000),
		.service = &s,
		.inbox = inbox,
		.http = &http,
		.hooks = &hooks,
		.tell = tell,
		.n_tell = 2,
		.process = &process};
	if (!all) {
		f = (ent_figures){.version = "0.1.0"};
	}
	ent_exposition(&f, openmetrics, &out);
	ent_buf_u8(&out, 0);
	return (char *)out.data;
}

static void has(const char *text, const char *line) {
	char with[600];
	snprintf(with, sizeof with, "\n%s\n", line);
	if (!strstr(text, with)) {
		fail_msg("no line: %s", line);
	}
}

static void values(void **state) {
	(void)state;
	char *text = expose(false, true);
	has(text, "# TYPE entente_source_records_total counter");
	has(text, "# HELP entente_source_lag_seconds For how long the oldest of what waits has waited; 0: nothing does.");
	has(text, "entente_build_info{version=\"0.1.0\"} 1");
	has(text, "entente_ready 1");
	has(text, "entente_draining 0");
	has(text, "entente_engine_progress_timestamp_seconds 1795356119.000001");
	has(text, "entente_source_bytes_total{source=\"shop\"} 123456789012");
	has(text, "entente_source_records_total{source=\"shop\"} 1234567");
	has(text, "entente_source_records_rejected_total{source=\"shop\"} 560");
	has(text, "entente_source_facts_total{source=\"shop\"} 2000000");
	has(text, "entente_source_lag_seconds{source=\"shop\"} 120.000000");
	has(text, "entente_source_lag_seconds{source=\"ho\\\"ok\\\\s\\n\"} 0.000000");
	has(text, "entente_source_worker_restarts_total{source=\"shop\"} 3");
	has(text, "entente_source_state{source=\"shop\",state=\"waiting\"} 1");
	has(text, "entente_source_state{source=\"shop\",state=\"quarantined\"} 0");
	has(text, "entente_source_state{source=\"ho\\\"ok\\\\s\\n\",state=\"quarantined\"} 1");
	has(text, "entente_source_late{source=\"ho\\\"ok\\\\s\\n\"} 1");
	has(text, "entente_inbox_refused_total{source=\"ho\\\"ok\\\\s\\n\"} 15");
	assert_null(strstr(text, "entente_inbox_refused_total{source=\"shop\"}"));           /* its files lie elsewhere */
	assert_null(strstr(text, "entente_source_last_read_timestamp_seconds{source=\"ho")); /* never is no time */
	has(text, "entente_webhook_deliveries_total{outcome=\"taken\"} 21");
	has(text, "entente_webhook_deliveries_total{outcome=\"forged\"} 23");
	has(text, "entente_webhook_deliveries_total{outcome=\"put_off\"} 24");
	has(text, "entente_tell_messages_total{target=\"team\",outcome=\"told\"} 31");
	has(text, "entente_tell_messages_total{target=\"team\",outcome=\"unknown\"} 33");
	has(text, "entente_tell_tries_total{target=\"team\"} 34");
	has(text, "entente_tell_last_told_timestamp_seconds{target=\"team\"} 1795356111.250000");
	has(text, "entente_tell_next_try_timestamp_seconds{target=\"desk\"} 1795356120.000000");
	assert_null(strstr(text, "entente_tell_last_told_timestamp_seconds{target=\"desk"));
	has(text, "entente_findings_open{kind=\"red_flag\"} 1");
	has(text, "entente_findings_open{kind=\"failure\"} 7");
	has(text, "entente_verdicts{verdict=\"failed\"} 4");
	has(text, "entente_rule_runs_total{rule=\"conversion_trails_cohort\"} 4000");
	has(text, "entente_rule_duration_seconds_total{rule=\"conversion_trails_cohort\"} 1.25");
	has(text, "entente_rule_verdicts_total{rule=\"conversion_trails_cohort\",verdict=\"unknown\"} 9");
	has(text, "entente_rule_runs_total{rule=\"never_run\"} 0");
	has(text, "entente_http_requests_total{code=\"1xx\"} 1");
	has(text, "entente_http_requests_total{code=\"5xx\"} 5");
	has(text, "entente_http_request_duration_seconds_total 1.500000000");
	has(text, "process_cpu_seconds_total 1.5");
	has(text, "process_start_time_seconds 1795350000.000000");
	free(text);
	/* what there is nothing to say of has no heading either */
	text = expose(false, false);
	assert_string_equal(text, "# HELP entente_build_info The version of the program; always 1.\n"
							  "# TYPE entente_build_info gauge\nentente_build_info{version=\"0.1.0\"} 1\n");
	free(text);
}

static void openmetrics(void **state) {
	(void)state;
	char *text = expose(true, true);
	size_t n = strlen(text);
	assert_string_equal(text + n - 6, "# EOF\n");
	assert_memory_equal(text, "# HELP entente_build ", 21);
	has(text, "# TYPE entente_build info");
	has(text, "entente_build_info{version=\"0.1.0\"} 1");
	has(text, "# TYPE entente_source_bytes counter");
	has(text, "# UNIT entente_source_bytes bytes");
	has(text, "entente_source_bytes_total{source=\"shop\"} 123456789012");
	free(text);
}

static void process(void **state) {
	(void)state;
	ent_process_figures p, again;
	ent_process_figures_read(&p);
	assert_true(p.resident_bytes > 100000 && p.resident_bytes < p.virtual_bytes);
	assert_true(p.open_fds >= 3 && p.open_fds < p.max_fds);
	int fd = dup(0);
	ent_process_figures_read(&again);
	close(fd);
	assert_int_equal(again.open_fds, p.open_fds + 1);
	assert_int_equal(again.started_us, p.started_us);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	assert_true(llabs((long long)now.tv_sec * 1000000 - p.started_us) < INT64_C(600000000));
}

/* A unit is the end of the name, as conventions want it; and nothing is there twice. */
static void table(void **state) {
	(void)state;
	for (const ent__metric *m = ent__metrics; m->name; m++) {
		size_t n = strlen(m->name), u = strlen(m->unit);
		assert_true(n > u && strcmp(m->name + n - u, m->unit) == 0);
		assert_true((m->how != ENT__WORDS && m->how != ENT__STATE) || (m->label && m->words));
		assert_int_equal(m->help[strlen(m->help) - 1], '.');
		assert_null(strpbrk(m->help, "\n\\|"));
		for (const ent__metric *other = m + 1; other->name; other++) {
			assert_string_not_equal(m->name, other->name);
		}
	}
}

static void promtool(void **state) {
	(void)state;
	if (system("command -v promtool >/dev/null 2>&1") != 0) {
		skip();
	}
	char *text = expose(false, true);
	FILE *tool = popen("promtool check metrics 2>&1", "w");
	assert_non_null(tool);
	fputs(text, tool);
	int status = pclose(tool);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0); /* what it says is in the output */
	free(text);
}

static void docs(void **state) {
	(void)state;
	ent_buf table_now = {0};
	ent_exposition_docs(&table_now);
	ent_buf_u8(&table_now, 0);
	FILE *file = fopen(ENTENTE_SOURCE_DIR "/docs/operating.md", "r");
	assert_non_null(file);
	static char page[1 << 18];
	page[fread(page, 1, sizeof page - 1, file)] = 0;
	fclose(file);
	if (!strstr(page, (char *)table_now.data)) {
		FILE *out = fopen(ENTENTE_BUILD_DIR "/metrics.md", "w");
		assert_non_null(out);
		fputs((char *)table_now.data, out);
		fclose(out);
		fail_msg("docs/operating.md has another table of metrics: put %s/metrics.md in its place", ENTENTE_BUILD_DIR);
	}
	ent_buf_finish(&table_now);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(openmetrics),
		cmocka_unit_test(process),
		cmocka_unit_test(table),
		cmocka_unit_test(promtool),
		cmocka_unit_test(docs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
