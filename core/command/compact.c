/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente compact`: takes out of the ledger what counts no more and is older than `history`. */
#include "command/control.h"
#include "command/project.h"
#include "engine/compact.h"

#include <json-c/json.h>
#include <string.h>
#include <time.h>
#include <uv.h>

enum { FRAMES = 16384, STEP_NS = 10000000, WAIT_NS = 1000000, ASK_NS = 100000000 };

static void tell(ent_call *call, const ent_compact_report *r, double longest, double seconds) {
	uint64_t won = r->bytes_before > r->bytes_after ? r->bytes_before - r->bytes_after : 0;
	if (call->json) {
		const struct {
			const char *key;
			uint64_t value;
		} numbers[] = {{"segments", r->segments}, {"compacted", r->compacted}, {"bytes_before", r->bytes_before},
			{"bytes_after", r->bytes_after}, {"bytes_won", won}, {"frames", r->steps_done}};
		ent_json_object(&call->writer);
		for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
			ent_json_key(&call->writer, numbers[i].key);
			ent_json_uint(&call->writer, numbers[i].value);
		}
		ent_json_key(&call->writer, "longest_step_ms");
		ent_json_double(&call->writer, longest * 1e3);
		ent_json_key(&call->writer, "seconds");
		ent_json_double(&call->writer, seconds);
		ent_json_end(&call->writer);
		return;
	}
	char before[ENT_NUMBER_TEXT], less[ENT_NUMBER_TEXT];
	ent_bytes_text(r->bytes_before, before);
	if (!r->compacted) {
		ent_buf_printf(&call->out, "Nothing to win: %s in %llu segment%s, none of which holds enough that is old\n",
			before, (unsigned long long)r->segments, r->segments == 1 ? "" : "s");
		return;
	}
	ent_buf_printf(&call->out, "Won %s of %s: %llu of %llu segment%s compacted in %.2f s, longest step %.1f ms\n",
		ent_bytes_text(won, less), before, (unsigned long long)r->compacted, (unsigned long long)r->segments,
		r->segments == 1 ? "" : "s", seconds, longest * 1e3);
}

/* ---- by a service that has the store ---------------------------------------------------------------------------------- */

static uint64_t number(struct json_object *o, const char *key) {
	struct json_object *v;
	return json_object_object_get_ex(o, key, &v) ? (uint64_t)json_object_get_int64(v) : 0;
}

static double seconds(struct json_object *o, const char *key) {
	struct json_object *v;
	return json_object_object_get_ex(o, key, &v) ? json_object_get_double(v) : 0;
}

static const char *text(struct json_object *o, const char *key) {
	struct json_object *v;
	const char *found = json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : NULL;
	return found ? found : "";
}

/* One request about the compaction. NULL: *e, ENT_ERR_NOTFOUND where no service runs. */
static struct json_object *ask(const char *store, const char *method, ent_error *e) {
	ent__control_answer a;
	if (ent__control_send(store, method, "/api/v1/compact", NULL, &a, e)) {
		ent_buf_finish(&a.body);
		return NULL;
	}
	struct json_object *o = json_tokener_parse((const char *)a.body.data);
	if (a.status >= 300 || !o) {
		ent_error_set(e, ENT_ERR_IO, "the service that has the store said %ld: %s", a.status, o ? text(o, "detail") : "nothing");
		ent_error_todo(e, "its log says why");
		json_object_put(o);
		o = NULL;
	}
	ent_buf_finish(&a.body);
	return o;
}

/* False: no service runs, the command does it itself. */
static bool by_service(ent_call *call, int *exit) {
	ent_config *config;
	ent_error e = {0};
	ent_progress progress;
	*exit = ent_call_config(call, &config);
	if (*exit) {
		return true;
	}
	ent_progress_init(&progress, call->quiet || call->json);
	struct json_object *o = ask(config->store.s, "POST", &e);
	while (o && strcmp(text(o, "state"), "running") == 0) {
		ent_progress_show(&progress, "the service compacts", number(o, "frames"), number(o, "frames_most"), 0);
		json_object_put(o);
		nanosleep(&(struct timespec){.tv_nsec = ASK_NS}, NULL);
		o = ask(config->store.s, "GET", &e);
	}
	ent_progress_clear(&progress);
	bool none = !o && e.code == ENT_ERR_NOTFOUND;
	if (o && strcmp(text(o, "state"), "done") != 0) {
		ent_error_set(&e, ENT_ERR_IO, "the service did not get through: %s", text(o, "error"));
		ent_error_todo(&e, "what it had compacted by then stays; ask again");
	}
	if (o && !e.code) {
		ent_compact_report r = {.segments = number(o, "segments"), .compacted = number(o, "compacted"),
			.bytes_before = number(o, "bytes_before"), .bytes_after = number(o, "bytes_after"), .steps_done = number(o, "frames")};
		tell(call, &r, seconds(o, "longest_slice_seconds"), seconds(o, "seconds"));
	} else if (!none) {
		*exit = ent_call_error(call, &e);
	}
	json_object_put(o);
	ent_config_destroy(config);
	return !none;
}

static int run(ent_call *call) {
	int by;
	if (by_service(call, &by)) {
		return by;
	}
	ent__project p;
	ent_compact *compact = NULL;
	ent_compact_report report;
	ent_progress progress;
	ent_error e = {0};
	int exit = ent__project_open(call, &p, ENT_ENGINE_WRITE);
	if (exit) {
		ent__project_finish(&p);
		return exit;
	}
	ent_progress_init(&progress, call->quiet || call->json);
	uint64_t began = uv_hrtime(), longest = 0;
	bool done = false;
	int status = ent_engine_compact_begin(&compact, p.engine, ENT_COMPACT_WORTH, &report, &e);
	while (!status && !done) {
		uint64_t before = uv_hrtime();
		status = ent_engine_compact_step(compact, FRAMES, STEP_NS, &done, &e);
		uint64_t took = uv_hrtime() - before;
		longest = took > longest ? took : longest;
		ent_progress_show(&progress, "compacting", report.steps_done, report.steps_total, 0);
		if (!status && ent_engine_compact_waits(compact)) {
			nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
		}
	}
	ent_progress_clear(&progress);
	ent_engine_compact_end(compact);
	if (status) {
		exit = ent_call_error(call, &e);
	} else {
		tell(call, &report, (double)longest / 1e9, (double)(uv_hrtime() - began) / 1e9);
	}
	ent__project_finish(&p);
	return exit;
}

const ent_command ent_command_compact = {
	.name = "compact",
	.doc = "Take old history out of the store.",
	.text = "The store keeps every version of every fact. A version that another one has replaced longer ago than "
			"`history` (of the configuration; 400 days) may go: figures, findings and the digest stay as they are. What "
			"cannot be done any more afterwards: taking back a document brings back no fact that it had replaced so "
			"long ago.\n\n"
			"Files of the ledger with little to win are left alone. A service that has the store does it itself, a little at a "
			"time beside its work, when this command asks it to. Else no run may be under way; commands that only read go on. It "
			"may be interrupted at any time.",
	.run = run,
};
