/* SPDX-License-Identifier: Apache-2.0
 *
 * Probes, figures, status and compaction over HTTP, see operate.h. Front's thread. */
#include "serve/operate.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/json.h"
#include "engine/compact_task.h"
#include "serve/exposition.h"

enum {
	STUCK_S = 300, /* a round may last as long as a document that cannot be cut, or cells that are folded anew */
	WHY = 200
};

#define OPENMETRICS "application/openmetrics-text"

static int64_t now_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- probes -------------------------------------------------------------------------------------------------------------- */

bool ent__operate_alive(ent__serve *s, char *why) {
	ent_service_status now;
	uint64_t at = uv_hrtime() / 1000000;
	ent_service_status_take(s->service, &now);
	if (now.beat != s->beat_seen || !s->beat_at) { /* by a clock that nobody sets back */
		s->beat_seen = now.beat;
		s->beat_at = at;
	}
	bool alive = at - s->beat_at < (uint64_t)STUCK_S * 1000;
	if (!alive && why) {
		snprintf(why, WHY, "the engine has shown no progress for %llu s; it was %s", (unsigned long long)(at - s->beat_at) / 1000,
			now.doing);
	}
	ent_service_status_finish(&now);
	return alive;
}

bool ent__operate_ready(ent__serve *s, char *why) {
	ent_service_status now;
	ent_service_status_take(s->service, &now);
	const char *not = s->stopping				 ? "the service is being stopped"
					  : !now.running && now.error[0] ? "the engine fails, and is tried again: see the log"
					  : !now.running				 ? "the store is not open yet"
					  : !now.ready					 ? "what was there at the start is still being read"
													 : NULL;
	ent_service_status_finish(&now);
	if (not && why) {
		snprintf(why, WHY, "%s", not);
	}
	return !not;
}

static void probe(ent_request *r, bool well, const char *word, const char *why) {
	ent_buf out = {0};
	ent_json j;
	ent_answer_header(r, "Cache-Control", "no-store");
	ent_json_init(&j, &out, false);
	ent_json_object(&j);
	ent_json_key(&j, word);
	ent_json_bool(&j, well);
	if (!well) {
		ent_json_key(&j, "why");
		ent_json_text(&j, why);
	}
	ent_json_end(&j);
	ent_buf_u8(&out, '\n');
	ent_answer_bytes(r, well ? 200 : 503, ENT_MEDIA_JSON, &out);
}

static void healthz(ent_request *r, void *ctx) {
	char why[WHY] = "";
	bool well = ent__operate_alive(ctx, why);
	probe(r, well, "alive", why);
}

static void readyz(ent_request *r, void *ctx) {
	char why[WHY] = "";
	bool well = ent__operate_ready(ctx, why);
	probe(r, well, "ready", why);
}

/* ---- figures ---------------------------------------------------------------------------------------------------------------- */

static ent_inbox_status *inbox_of(ent__serve *s, const ent_service_status *now) {
	ent_inbox_status *all = ent_xcalloc(now->n_sources + 1, sizeof *all);
	for (size_t i = 0; s->inbox && i < now->n_sources; i++) {
		ent_inbox_status_of(s->inbox, now->sources[i].name, &all[i]);
	}
	return all;
}

static void metrics(ent_request *r, void *ctx) {
	ent__serve *s = ctx;
	ent_buf out = {0};
	ent_service_status now;
	ent_http_figures http;
	ent_process_figures process;
	ent_hooks_figures hooks;
	const char *media = ent_request_media(r);
	bool openmetrics = strcmp(media, OPENMETRICS) == 0;
	ent_service_status_take(s->service, &now);
	ent_inbox_status *inbox = inbox_of(s, &now);
	ent_http_figures_read(s->http, &http);
	ent_process_figures_read(&process);
	ent_hooks_figures_read(s->http, &hooks);
	ent_tell_status *tell = ent_xcalloc(s->now->config->n_tell + 1, sizeof *tell);
	size_t n_tell = s->tell ? ent_tell_statuses(s->tell, tell, s->now->config->n_tell) : 0;
	ent_exposition(&(ent_figures){.version = s->options->version, .now_us = now_us(), .service = &now, .inbox = inbox,
					   .http = &http, .hooks = &hooks, .tell = tell, .n_tell = n_tell, .process = &process},
		openmetrics, &out);
	free(tell);
	free(inbox);
	ent_service_status_finish(&now);
	ent_answer_header(r, "Cache-Control", "no-store");
	ent_answer_bytes(r, 200, openmetrics ? ENT_MEDIA_OPENMETRICS : ENT_MEDIA_PROMETHEUS, &out);
}

static void status(ent_request *r, void *ctx) {
	ent__serve *s = ctx;
	ent_buf out = {0};
	ent_service_status now;
	ent_http_figures http;
	ent_process_figures process;
	ent_service_status_take(s->service, &now);
	ent_inbox_status *inbox = inbox_of(s, &now);
	ent_http_figures_read(s->http, &http);
	ent_process_figures_read(&process);
	now.draining |= s->stopping;
	ent__status_json(&(ent__status){.version = s->options->version, .now_us = now_us(), .service = &now, .inbox = inbox,
						 .http = &http, .memory_bytes = process.resident_bytes},
		&out);
	free(inbox);
	ent_service_status_finish(&now);
	ent_answer_json(r, 200, &out);
}

/* ---- compaction ------------------------------------------------------------------------------------------------------------- */

struct ent__operate {
	ent_compact_task *task; /* NULL: none is under way */
	bool begun;             /* there was one since the start */
	ent_compact_progress last;
	int status; /* of the last one */
	ent_error error;
};

static struct ent__operate *state_of(ent__serve *s) {
	if (!s->operate) {
		s->operate = ent_xcalloc(1, sizeof *s->operate);
	}
	return s->operate;
}

static void compaction_json(const struct ent__operate *o, ent_buf *out) {
	const ent_compact_progress *p = o->task ? ent_compact_task_progress(o->task) : &o->last;
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {{"segments", p->report.segments}, {"compacted", p->report.compacted},
		{"bytes_before", p->report.bytes_before}, {"bytes_after", p->report.bytes_after}, {"frames", p->report.steps_done},
		{"frames_most", p->report.steps_total}, {"slices", p->slices}};
	ent_json j;
	ent_json_init(&j, out, false);
	ent_json_object(&j);
	ent_json_key(&j, "state");
	ent_json_text(&j, o->task ? "running" : !o->begun ? "never" : o->status ? "failed" : "done");
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		ent_json_key(&j, numbers[i].key);
		ent_json_uint(&j, numbers[i].value);
	}
	ent_json_key(&j, "longest_slice_seconds");
	ent_json_decimal(&j, p->longest_ns, 9);
	ent_json_key(&j, "seconds");
	ent_json_decimal(&j, p->ns, 9);
	ent_json_key(&j, "error");
	if (o->status) {
		char text[1400];
		ent_json_text(&j, ent_error_text(&o->error, text, sizeof text));
	} else {
		ent_json_null(&j);
	}
	ent_json_end(&j);
}

static void answer_compaction(ent_request *r, const struct ent__operate *o, int code) {
	ent_buf out = {0};
	compaction_json(o, &out);
	ent_answer_json(r, code, &out);
}

static void compacted(void *ctx, const ent_compact_progress *p, int code, const ent_error *e) {
	struct ent__operate *o = ctx;
	o->task = NULL;
	o->last = *p;
	o->status = code;
	if (code) {
		o->error = *e;
		ent_log(code == ENT_ERR_STOPPED ? ENT_SEVERITY_INFO : ENT_SEVERITY_ERROR, "compact.ended", ent_log_error(e));
	} else {
		ent_log(ENT_SEVERITY_INFO, "compacted", ent_log_uint("segments", p->report.segments),
			ent_log_uint("compacted", p->report.compacted), ent_log_bytes("before", p->report.bytes_before),
			ent_log_bytes("after", p->report.bytes_after), ent_log_ns("took", (int64_t)p->ns),
			ent_log_ns("longest_slice", (int64_t)p->longest_ns));
	}
}

static void compact(ent_request *r, void *ctx) {
	ent__serve *s = ctx;
	struct ent__operate *o = state_of(s);
	ent_error e = {0};
	if (s->stopping) {
		ent_answer_problem(r, 503, "the service is being stopped");
	} else if (o->task) {
		answer_compaction(r, o, 202); /* the one that is under way does it */
	} else if (ent_compact_task_start(&o->task, s->service, &s->loop, ENT_COMPACT_WORTH, compacted, o, &e)) {
		ent_answer_error(r, &e);
	} else {
		o->begun = true;
		o->status = 0;
		ent_log(ENT_SEVERITY_INFO, "compact.begun", ent_log_text("by", ent_request_who(r)));
		answer_compaction(r, o, 202);
	}
}

static void compaction(ent_request *r, void *ctx) { answer_compaction(r, state_of(ctx), 200); }

void ent__operate_stop(ent__serve *s) {
	if (s->operate && s->operate->task) {
		ent_compact_task_stop(s->operate->task);
	}
}

void ent__operate_destroy(ent__serve *s) {
	free(s->operate);
	s->operate = NULL;
}

/* ---- the table --------------------------------------------------------------------------------------------------------------- */

static const ent_member probe_members[] = {
	{.key = "alive", .shape = ENT_SHAPE_BOOL, .optional = true, .doc = "Of /healthz."},
	{.key = "ready", .shape = ENT_SHAPE_BOOL, .optional = true, .doc = "Of /readyz."},
	{.key = "why", .shape = ENT_SHAPE_TEXT, .optional = true, .doc = "Why not."}, {.key = NULL}};
static const ent_schema probe_schema = {.name = "Probe", .doc = "What a probe is told.", .members = probe_members};
static const ent_reply probe_replies[] = {
	{.status = 200, .media = ENT_MEDIA_JSON, .schema = &probe_schema, .doc = "Yes."},
	{.status = 503, .media = ENT_MEDIA_JSON, .schema = &probe_schema, .doc = "No, and why."}, {.status = 0}};
static const ent_reply metrics_replies[] = {
	{.status = 200, .media = ENT_MEDIA_TEXT, .doc = "Prometheus' text format."},
	{.status = 200, .media = OPENMETRICS, .doc = "OpenMetrics, where it is asked for."}, {.status = 0}};
static const ent_reply status_replies[] = {
	{.status = 200, .media = ENT_MEDIA_JSON, .schema = &ent__status_schema, .doc = "How it stands."}, {.status = 0}};
static const ent_member compaction_members[] = {
	{.key = "state", .shape = ENT_SHAPE_TEXT, .doc = "never, running, done or failed."},
	{.key = "segments", .shape = ENT_SHAPE_INT, .doc = "Files of the ledger when it began."},
	{.key = "compacted", .shape = ENT_SHAPE_INT, .doc = "Of them are gone."},
	{.key = "bytes_before", .shape = ENT_SHAPE_INT, .doc = "Of the ledger when it began."},
	{.key = "bytes_after", .shape = ENT_SHAPE_INT, .doc = "And now."},
	{.key = "frames", .shape = ENT_SHAPE_INT, .doc = "Frames looked at."},
	{.key = "frames_most", .shape = ENT_SHAPE_INT, .doc = "At most there are."},
	{.key = "slices", .shape = ENT_SHAPE_INT, .doc = "Slices of the engine's time that it took."},
	{.key = "longest_slice_seconds", .shape = ENT_SHAPE_NUMBER, .doc = "The longest of them."},
	{.key = "seconds", .shape = ENT_SHAPE_NUMBER, .doc = "In all."},
	{.key = "error", .shape = ENT_SHAPE_TEXT, .null = true, .doc = "Why it failed."}, {.key = NULL}};
static const ent_schema compaction_schema = {
	.name = "Compaction", .doc = "How far a compaction is.", .members = compaction_members};
static const ent_reply compact_replies[] = {
	{.status = 202, .media = ENT_MEDIA_JSON, .schema = &compaction_schema, .doc = "It is under way."},
	{.status = 503, .doc = "The service is being stopped."}, {.status = 0}};
static const ent_reply compaction_replies[] = {
	{.status = 200, .media = ENT_MEDIA_JSON, .schema = &compaction_schema, .doc = "The one under way, or the last."}, {.status = 0}};

const ent_route ent__operate_routes[] = {
	{.method = "GET", .path = "/healthz", .name = "healthz", .group = "operating", .least = ENT_ROLE_ANYONE, .unlimited = true,
		.doc = "Is the service alive? Its front answers, and the engine has shown progress within five minutes.",
		.replies = probe_replies, .run = healthz},
	{.method = "GET", .path = "/readyz", .name = "readyz", .group = "operating", .least = ENT_ROLE_ANYONE, .unlimited = true,
		.doc = "Is the service ready? The store is open, what was there at the start is read, and it was not asked to stop.",
		.replies = probe_replies, .run = readyz},
	{.method = "GET", .path = "/metrics", .name = "prometheus", .group = "operating", .least = ENT_ROLE_VIEWER, .unlimited = true,
		.doc = "Figures for Prometheus. docs/operating.md lists them.", .replies = metrics_replies, .run = metrics},
	{.method = "GET", .path = "/api/v1/status", .name = "status", .group = "operating", .least = ENT_ROLE_VIEWER,
		.doc = "How the service stands: sources, workers, rules, store.", .replies = status_replies, .run = status},
	{.method = "POST", .path = "/api/v1/compact", .name = "compact", .group = "operating", .least = ENT_ROLE_OPERATOR,
		.doc = "Take old history out of the ledger, in slices while the service goes on.", .replies = compact_replies, .run = compact},
	{.method = "GET", .path = "/api/v1/compact", .name = "compaction", .group = "operating", .least = ENT_ROLE_VIEWER,
		.doc = "How far the compaction is.", .replies = compaction_replies, .run = compaction},
	{.path = NULL}};
