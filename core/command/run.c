/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente run`: reads what is new, judges, tells. One thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/day.h"
#include "command/command.h"
#include "command/portfolio.h"
#include "command/skips.h"
#include "engine/feeds.h"

static const ent_arg args[] = {ENT_ARG_ROW_AS_OF,
	{.name = "no-rules", .type = ENT_ARG_SWITCH, .doc = "Only read what is new; judge nothing."},
	{.name = "explain-skips",
		.type = ENT_ARG_SWITCH,
		.doc = "Tell why a rule did not run for a partner: nothing changed, not for its stage, set aside, not known."},
	{.name = NULL}};

static void on_progress(void *ctx, const ent_ingest_progress *p) {
	ent_progress_show(ctx, p->doing, p->bytes_done, p->bytes_total, p->records);
}

static void tell_recovery(ent_call *call, const ent_ledger_report *r) {
	if (r->truncated_bytes || r->deleted_segments) {
		ent_call_note(call, "an interrupted run was found: %llu bytes and %u segments that it had not committed were cut off",
			(unsigned long long)r->truncated_bytes, r->deleted_segments);
	}
	if (r->damage[0]) {
		ent_call_note(call, "%s", r->damage);
	}
}

static void tell_errors(ent_call *call, const ent_errors *errors) {
	char text[1400];
	for (size_t i = 0; i < errors->n; i++) {
		ent_call_note(call, "%s", ent_error_text(&errors->e[i], text, sizeof text));
	}
	if (errors->total > errors->n) {
		ent_call_note(call, "and %zu more", errors->total - errors->n);
	}
}

static void json_errors(ent_json *j, const char *key, const ent_errors *errors) {
	ent_json_key(j, key);
	ent_json_array(j);
	for (size_t i = 0; i < errors->n; i++) {
		ent_json_object(j);
		ent_error_json(j, &errors->e[i]);
		ent_json_end(j);
	}
	ent_json_end(j);
}

static void tell_reading(ent_call *call, const ent_run_report *r) {
	const ent_ingest_progress *p = &r->progress;
	char bytes[ENT_NUMBER_TEXT], rate[ENT_NUMBER_TEXT], records[ENT_NUMBER_TEXT];
	if (call->json) {
		ent_json *j = &call->writer;
		ent_json_key(j, "read");
		ent_json_object(j);
		const struct {
			const char *key;
			uint64_t value;
		} numbers[] = {{"inputs", p->inputs_done}, {"unchanged", p->inputs_unchanged}, {"failed", r->inputs_failed},
			{"bytes", p->bytes_done}, {"records", p->records}, {"facts", p->facts},
			{"workers_started", r->workers_started}, {"workers_died", r->workers_died}, {"waits", r->waits}};
		for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
			ent_json_key(j, numbers[i].key);
			ent_json_uint(j, numbers[i].value);
		}
		ent_json_key(j, "seconds");
		ent_json_double(j, r->seconds);
		ent_json_key(j, "waited_seconds");
		ent_json_double(j, (double)r->waited_ns / 1e9);
		const struct {
			const char *key;
			uint64_t ns;
		} stages[] = {{"decoding", r->stages.decoding}, {"preparing", r->stages.preparing}, {"waiting", r->stages.waiting},
			{"folding", r->stages.folding}, {"committing", r->stages.committing},
			{"storing", r->stages.storing}};
		ent_json_key(j, "stages");
		ent_json_object(j);
		for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
			ent_json_key(j, stages[i].key);
			ent_json_double(j, (double)stages[i].ns / 1e9);
		}
		ent_json_end(j);
		ent_json_key(j, "sandbox");
		ent_json_text(j, r->sandbox);
		ent_json_end(j);
		return;
	}
	ent_number_text((__int128)p->records, 0, 0, records);
	ent_bytes_text(p->bytes_done, bytes);
	ent_bytes_text(r->seconds > 0 ? (uint64_t)((double)p->bytes_done / r->seconds) : 0, rate);
	ent_buf_printf(&call->out, "Read %u file%s: %s records, %s in %.2f s (%s/s)", p->inputs_done, p->inputs_done == 1 ? "" : "s",
		records, bytes, r->seconds, rate);
	if (p->inputs_unchanged) {
		ent_buf_printf(&call->out, "; %u unchanged", p->inputs_unchanged);
	}
	if (r->inputs_failed) {
		ent_buf_printf(&call->out, "; %u could not be read", r->inputs_failed);
	}
	ent_buf_printf(&call->out, "\n");
}

static void tell_judging(ent_call *call, const ent_judge_report *r, const char *day, const char *mode) {
	if (call->json) {
		ent_json *j = &call->writer;
		ent_json_key(j, "judged");
		ent_json_object(j);
		const struct {
			const char *key;
			uint64_t value;
		} numbers[] = {{"rules", r->rules}, {"partners", r->partners}, {"evaluations", r->evaluations}, {"true", r->said_true},
			{"false", r->said_false}, {"unknown", r->unknown}, {"failed", r->failed}, {"findings", r->findings}};
		for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
			ent_json_key(j, numbers[i].key);
			ent_json_uint(j, numbers[i].value);
		}
		ent_json_key(j, "unchanged");
		ent_json_bool(j, r->unchanged);
		ent_json_key(j, "as_of");
		ent_json_text(j, day);
		ent_json_key(j, "as_of_mode");
		ent_json_text(j, mode);
		ent_json_key(j, "seconds");
		ent_json_double(j, r->seconds);
		ent_json_end(j);
		json_errors(j, "rule_errors", &r->errors);
		return;
	}
	char took[32];
	snprintf(took, sizeof took, " in %.2f s", r->seconds);
	ent_buf_printf(&call->out, "%s %u partner%s by %u rule%s as of %s (%s)%s: %llu true, %llu false, %llu unknown",
		r->unchanged ? "Nothing new to judge, as before" : "Judged", r->partners, r->partners == 1 ? "" : "s", r->rules,
		r->rules == 1 ? "" : "s", day, mode, r->unchanged ? "" : took, (unsigned long long)r->said_true, (unsigned long long)r->said_false, (unsigned long long)r->unknown);
	if (r->failed) {
		ent_buf_printf(&call->out, ", %llu failed", (unsigned long long)r->failed);
	}
	ent_buf_printf(&call->out, "\n");
}

static int judge(ent_call *call, ent_engine *engine, const ent_config *config, ent_judge_report *report, ent_error *e) {
	static const char *const modes[] = {[ENT_AS_OF_NOW] = "now", [ENT_AS_OF_LATEST] = "latest", [ENT_AS_OF_DAY] = "date"};
	ent_as_of as_of = ent_call_as_of(call, config);
	int32_t day;
	ent_snapshot_block snapshot;
	uint64_t began = uv_hrtime();
	int status = ent_engine_as_of(engine, &as_of, &day, e);
	double seconds = 0;
	if (!status && !ent_engine_judged(engine, day, modes[as_of.kind], report)) {
		do { /* rulebooks may declare metrics: those are counted, and then there is more to judge by */
			status = ent_engine_snapshot(engine, day, modes[as_of.kind], &snapshot, e);
			seconds = (double)(uv_hrtime() - began) / 1e9;
			if (!status) {
				status = ent_engine_judge(engine, &snapshot, report, e);
				ent_snapshot_block_finish(&snapshot);
			}
			if (status == ENT_ENGINE_DECLARED && ent_engine_declare(engine, e)) {
				status = e->code;
			}
		} while (status == ENT_ENGINE_DECLARED);
	}
	char text[16];
	if (!status && call->json) {
		ent_json_key(&call->writer, "snapshot_seconds");
		ent_json_double(&call->writer, seconds);
	}
	if (!status) {
		tell_judging(call, report, ent_day_text(day, text), modes[as_of.kind]);
		tell_errors(call, &report->errors);
	}
	return status;
}

/* All that follows the opening of the engine. */
static int run_engine(ent_call *call, ent_engine *engine, const ent_config *config) {
	ent_error e = {0};
	ent_progress progress;
	ent_run_report *report = ent_xcalloc(1, sizeof *report);
	ent_judge_report *judged = ent_xcalloc(1, sizeof *judged);
	ent_progress_init(&progress, call->quiet || call->json);
	tell_recovery(call, ent_engine_recovery(engine));
	int status = ent_engine_ingest(engine, on_progress, &progress, report, &e);
	ent_progress_clear(&progress);
	bool closes = report->balanced;
	int exit = ENT_EXIT_OK;
	if (call->json) {
		ent_json_object(&call->writer);
	}
	if (status) {
		exit = report->errors.total ? ent_call_errors(call, &report->errors) : ent_call_error(call, &e);
	} else {
		tell_reading(call, report);
		if (call->json) {
			json_errors(&call->writer, "input_errors", &report->errors);
		}
		tell_errors(call, &report->errors);
		status = ent__balance_show(call, engine, &closes, &e);
		if (!status && !ent_call_has(call, "no-rules")) {
			status = judge(call, engine, config, judged, &e);
			if (!status && ent_call_as_of(call, config).kind == ENT_AS_OF_NOW) { /* another moment says nothing of feeds */
				ent_feeds_report feeds;
				status = ent_engine_feeds(engine, 0, &feeds, &e);
			}
			if (!status) {
				status = ent__portfolio_show(call, engine, &e);
			}
			if (!status && ent_call_has(call, "explain-skips")) {
				status = ent__skips_show(call, engine, config, judged->unchanged, &e);
			}
		}
		exit = status ? ent_call_error(call, &e) : ENT_EXIT_OK;
	}
	if (exit == ENT_EXIT_OK && call->json) {
		ent_json_end(&call->writer);
	}
	if (exit == ENT_EXIT_OK && !(report->balanced && closes)) {
		tell_errors(call, &report->imbalances);
		exit = ENT_EXIT_BALANCE;
	} else if (exit == ENT_EXIT_OK && (report->errors.total || judged->errors.total || judged->failed)) {
		exit = ENT_EXIT_SET_ASIDE;
	}
	free(report);
	free(judged);
	return exit;
}

static int run(ent_call *call) {
	ent_config *config;
	int exit = ent_call_config(call, &config);
	if (exit) {
		return exit;
	}
	ent_engine *engine;
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	if (ent_engine_open(&engine, config, ent_call_has(call, "no-rules") ? ENT_ENGINE_WRITE : ENT_ENGINE_RUN, errors)) {
		exit = ent_call_errors(call, errors);
	} else {
		exit = run_engine(call, engine, config);
		ent_engine_close(engine);
	}
	free(errors);
	ent_config_destroy(config);
	return exit;
}

const ent_command ent_command_run = {
	.name = "run",
	.doc = "Read what is new, judge every partner, and show the portfolio.",
	.text = "Reads every source of the configuration once, commits what it found, and lets the rules judge. Files that "
			"have not changed since the last run are not read again; an interrupted run goes on where it was. A file "
			"that cannot be read, or a rule that fails, is set aside and told; the rest goes on, and the exit status is 4. "
			"If a balance equation does not close, it is 3.\n\n"
			"  entente run\n"
			"  entente run --as-of 2026-03-31",
	.args = args,
	.run = run,
};
