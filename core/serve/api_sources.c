/* SPDX-License-Identifier: Apache-2.0
 *
 * Sources, what they could not read, and handing data in, see api.h. */
#include "serve/api.h"
#include "serve/api_members.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static const ent_member source_members[] = {TEXT("source", "Its name."),
	{.key = "configured", .shape = ENT_SHAPE_BOOL, .doc = "The configuration has it."},
	MAYBE("transport", ENT_SHAPE_TEXT, "How its bytes come."), MAYBE("from", ENT_SHAPE_TEXT, "From where."),
	MAYBE("decoder", ENT_SHAPE_TEXT, "Who reads them; auto: whoever knows them."),
	MAYBE("partner", ENT_SHAPE_TEXT, "Whose they are; null: the data says it."), COUNT("files", "That count."),
	COUNT("unfinished", "Of those: not read to their end."), COUNT("bytes", "Of those."), COUNT("records", "Read, ever."),
	COUNT("consumed", "Of those: became facts."), COUNT("rejected", "Could not be read."), COUNT("skipped", "Hold nothing of interest."),
	COUNT("facts", "Received."), COUNT("parked", "Facts of words that mean no partner yet."),
	COUNT("pending", "Facts without their order."), MAYBE("last_day", ENT_SHAPE_DAY, "Of its facts."),
	MAYBE("arrived", ENT_SHAPE_INSTANT, "When something of it came last."),
	MAYBE("every_s", ENT_SHAPE_INT, "How often something is expected, in seconds."),
	MAYBE("late_after_s", ENT_SHAPE_INT, "After how long it is late."), MAYBE("late", ENT_SHAPE_BOOL, "It is; null: nothing is expected."),
	MAYBE("state", ENT_SHAPE_TEXT, "idle, waiting, failing or quarantined."),
	MAYBE("waiting_files", ENT_SHAPE_INT, "That are not read yet."), MAYBE("waiting_bytes", ENT_SHAPE_INT, "Of those."),
	MAYBE("waiting_since", ENT_SHAPE_INSTANT, "The oldest of those."),
	MAYBE("failures", ENT_SHAPE_INT, "Of files, since the service started."),
	MAYBE("restarts", ENT_SHAPE_INT, "Of workers on its account, since then."), MAYBE("error", ENT_SHAPE_TEXT, "Of the last failure."),
	MAYBE("retry", ENT_SHAPE_INSTANT, "When it is tried again."), {.key = NULL}};
static const ent_schema source = {.name = "Source", .doc = "A way in.", .members = source_members};
static const ent_member reject_members[] = {TEXT("source", "Its source."), TEXT("input", "The file."), COUNT("place", "Byte in the file."),
	MAYBE("line", ENT_SHAPE_INT, "Line of the file."), MAYBE("column", ENT_SHAPE_TEXT, "Which column."),
	TEXT("reason", "Why it could not be read."), TEXT("excerpt", "What stands there, masked."),
	COUNT("seen_us", "When, microseconds since 1970."), {.key = NULL}};
static const ent_schema reject = {.name = "Reject", .doc = "A record that could not be read.", .members = reject_members};

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static void get_sources(ent_request *r, void *ctx) {
	ent__words w = {0};
	ent__words_add(&w, "sources");
	ent__words_add(&w, "--json");
	ent__words_page(&w, r);
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_PLAIN);
}

static void get_source(ent_request *r, void *ctx) {
	ent__words w = {0};
	ent__words_add(&w, "sources");
	ent__words_add(&w, "--json");
	ent__words_end(&w);
	ent__words_add(&w, ent_request_text(r, "source"));
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_PLAIN);
}

static void get_rejects(ent_request *r, void *ctx) {
	const char *name = ent_request_text(r, "source");
	ent__words w = {0};
	ent__words_add(&w, "rejects");
	ent__words_add(&w, "list");
	ent__words_add(&w, "--json");
	ent__words_page(&w, r);
	ent__words_end(&w);
	if (name) {
		ent__words_add(&w, name);
	}
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_VERSIONED);
}

/* ---- handing in --------------------------------------------------------------------------------------------------------- */

static const ent_member taken_members[] = {TEXT("source", "The source."),
	{.key = "repeated", .shape = ENT_SHAPE_BOOL, .doc = "It came before under this key, and counts once."}, {.key = NULL}};
static const ent_schema taken = {.name = "Taken", .doc = "What was handed in is durable, and will be read.", .members = taken_members};

typedef struct putting {
	ent_request *r;
	char source[128];
} putting;

static void on_put(void *ctx, int outcome, const ent_error *e) {
	putting *p = ctx;
	if (outcome < 0) {
		ent_answer_error(p->r, e);
	} else {
		ent_buf out = {0};
		ent_json j;
		ent_json_init(&j, &out, true);
		ent_json_object(&j);
		ent_json_key(&j, "source");
		ent_json_text(&j, p->source);
		ent_json_key(&j, "repeated");
		ent_json_bool(&j, outcome == ENT_INBOX_REPEATED);
		ent_json_end(&j);
		ent_answer_json(p->r, 202, &out);
	}
	free(p);
}

/* Sources whose bytes come over the network are read from the inbox; what lies in files is read where it lies. */
static void post_ingest(ent_request *r, void *ctx) {
	ent__serve *s = ctx;
	const char *name = ent_request_text(r, "source"), *key = ent_request_header(r, "Idempotency-Key");
	const ent_config_source *x = ent_config_source_find(s->now->config, name);
	ent_str body = ent_request_body(r);
	if (!x) {
		ent_answer_problem(r, 404, "there is no source '%s'", name);
		return;
	}
	if (x->from.kind < ENT_FROM_WEBHOOK) {
		ent_answer_problem(r, 409, "'%s' is read from %s: put the file there", name, x->from.path.s ? x->from.path.s : "its files");
		return;
	}
	if (!body.n) {
		ent_answer_problem(r, 422, "there is nothing in the body");
		return;
	}
	putting *p = ent_xcalloc(1, sizeof *p);
	p->r = r;
	snprintf(p->source, sizeof p->source, "%s", name);
	ent_inbox_item item = {.source = name, .suffix = ent_request_text(r, "suffix"), .id = key, .id_n = key ? strlen(key) : 0};
	*(ent_inbox_form_of(s->inbox, name) == ENT_INBOX_LINES ? &item.lines : &item.document) = &body;
	ent_inbox_put(s->inbox, &item, on_put, p);
}

/* ---- the table ------------------------------------------------------------------------------------------------------------ */

static const char *const anything[] = {"*" "/" "*", NULL};
static const ent_param page_params[] = {ENT_PARAM_ROWS_PAGE, {.name = NULL}};
#define SOURCE_PARAM                                                                                                   \
	{.name = "source", .in = ENT_PARAM_PATH, .type = ENT_PARAM_TEXT, .doc = "Its name."}
static const ent_param source_params[] = {SOURCE_PARAM, {.name = NULL}};
static const ent_param ingest_params[] = {SOURCE_PARAM,
	{.name = "suffix", .type = ENT_PARAM_TEXT, .example = ".csv",
		.doc = "What the name of a document ends with, where its decoder goes by it: .csv, .csv.gz."},
	{.name = NULL}};
static const ent_param rejects_params[] = {
	{.name = "source", .type = ENT_PARAM_TEXT, .doc = "Only those of this source."}, ENT_PARAM_ROWS_PAGE, {.name = NULL}};
#define NO_SOURCE                                                                                                      \
	{ 404, NULL, NULL, false, "There is no such source." }
static const ent_reply sources_replies[] = {{200, ENT_MEDIA_JSON, &source, true, "As they are configured."}, {0}};
static const ent_reply source_replies[] = {{200, ENT_MEDIA_JSON, &source, false, "The source."}, NO_SOURCE, {0}};
static const ent_reply rejects_replies[] = {{200, ENT_MEDIA_JSON, &reject, true, "The records of this page."}, NO_SOURCE, {0}};
static const ent_reply ingest_replies[] = {{202, ENT_MEDIA_JSON, &taken, false, "It is durable, and will be read."}, NO_SOURCE,
	{409, NULL, NULL, false, "This source reads files."}, {503, NULL, NULL, false, "Too much waits, or the disk is full."}, {0}};

const ent_route ent__api_source_routes[] = {
	{.method = "GET", .path = "/api/v1/sources", .name = "listSources", .group = "sources", .least = ENT_ROLE_VIEWER,
		.doc = "List the sources. What they brought, what waits, what is late or fails.", .params = page_params,
		.replies = sources_replies, .run = get_sources},
	{.method = "GET", .path = "/api/v1/sources/{source}", .name = "getSource", .group = "sources", .least = ENT_ROLE_VIEWER,
		.doc = "Show one source.", .params = source_params, .replies = source_replies, .run = get_source},
	{.method = "GET", .path = "/api/v1/rejects", .name = "listRejects", .group = "sources", .least = ENT_ROLE_VIEWER,
		.doc = "List the records that could not be read. With place and reason.", .params = rejects_params,
		.replies = rejects_replies, .run = get_rejects},
	{.method = "POST", .path = "/api/v1/sources/{source}/ingest", .name = "ingest", .group = "sources", .least = ENT_ROLE_OPERATOR,
		.doc = "Hand in data of a source. It is durable when this is answered, and read soon after; the same `Idempotency-Key` counts "
			   "once.",
		.params = ingest_params, .takes = anything, .replies = ingest_replies, .run = post_ingest},
	{.path = NULL}};
