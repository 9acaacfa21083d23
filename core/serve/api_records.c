/* SPDX-License-Identifier: Apache-2.0
 *
 * The records behind a partner's figures, see api.h. */
#include "serve/api.h"
#include "serve/api_members.h"

static const char *const kinds[] = {"order", "cart", "visit", "touch", "contact", "observation", "entry", NULL};

static const ent_member record_members[] = {
	{.key = "kind", .shape = ENT_SHAPE_TEXT, .choices = kinds, .doc = "What came of it."},
	{.key = "day", .shape = ENT_SHAPE_DAY, .doc = "The partner's day on which it counts."},
	MAYBE("key", ENT_SHAPE_TEXT, "As the source writes it; null where it is made of identities."),
	TEXT("origin", "Whose word it is: shop, analytics, declared, …"), TEXT("source", "Its source."),
	TEXT("file", "As the source names it."),
	MAYBE("line", ENT_SHAPE_INT, "Line of the file; null where that is packed, gone or came over the network."),
	{.key = "place", .shape = ENT_SHAPE_INT, .doc = "Byte of the file at which it begins."}, {.key = NULL}};
static const ent_schema record = {.name = "Record", .doc = "A record that counts.", .members = record_members};

static void get_records(ent_request *r, void *ctx) {
	ent__words w = {0};
	ent__words_add(&w, "records");
	ent__words_add(&w, "--json");
	ent__words_param(&w, r, "kind");
	ent__words_param(&w, r, "from");
	ent__words_param(&w, r, "to");
	ent__words_page(&w, r);
	ent__words_end(&w);
	ent__words_add(&w, ent_request_text(r, "partner"));
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_VERSIONED);
}

static const ent_param params[] = {
	{.name = "partner", .in = ENT_PARAM_PATH, .type = ENT_PARAM_TEXT, .example = "nordwind", .doc = "The partner's id."},
	{.name = "kind", .type = ENT_PARAM_CHOICE, .choices = kinds, .doc = "Only these."},
	{.name = "from", .type = ENT_PARAM_DAY, .doc = "First day."},
	{.name = "to", .type = ENT_PARAM_DAY, .doc = "Last day, included."},
	ENT_PARAM_ROWS_PAGE, {.name = NULL}};
static const ent_reply replies[] = {{200, ENT_MEDIA_JSON, &record, true, "By day, then file and place."},
	{404, NULL, NULL, false, "There is no such partner."}, {0}};

const ent_route ent__api_record_routes[] = {
	{.method = "GET", .path = "/api/v1/partners/{partner}/records", .name = "listRecords", .group = "partners",
		.least = ENT_ROLE_VIEWER,
		.doc = "List the records behind a partner's figures. With file and line; what was replaced is left out.", .params = params,
		.replies = replies, .run = get_records},
	{.path = NULL}};
