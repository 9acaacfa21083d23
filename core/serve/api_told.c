/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is told, what was told and what waits, see api.h. */
#include "serve/api.h"
#include "serve/api_members.h"

static const ent_member target_members[] = {TEXT("name", "Its name."), TEXT("way", "webhook, mail or alertmanager."),
	MAYBE("to", ENT_SHAPE_TEXT, "Where to; null: it may hold a secret."), {.key = NULL}};
static const ent_schema target = {.name = "Target", .doc = "Who is told.", .members = target_members};
static const ent_member count_members[] = {TEXT("target", "Its name."), TEXT("status", "pending, sending, told, failed or unknown."),
	COUNT("changes", "So many."), MAYBE("newest", ENT_SHAPE_INSTANT, "When the newest changed, or was told."), {.key = NULL}};
static const ent_schema count = {.name = "ToldCount", .doc = "How many changes stand how.", .members = count_members};
static const ent_member notice_members[] = {COUNT("id", "Grows with time."), TEXT("target", "Who is told."),
	TEXT("change", "opened, reopened, cleared or worse."), MAYBE("partner", ENT_SHAPE_TEXT, "Whom the finding is about."),
	TEXT("rule", "Its rule."), MAYBE("key", ENT_SHAPE_TEXT, "Its key."), TEXT("kind", "Its kind."),
	MAYBE("severity", ENT_SHAPE_TEXT, "Its severity."), MAYBE("text", ENT_SHAPE_TEXT, "What it says."),
	TEXT("status", "pending, sending, told, failed, or unknown: it may have been told."),
	MAYBE("at", ENT_SHAPE_INSTANT, "When it changed."), MAYBE("told", ENT_SHAPE_INSTANT, "When it was told."),
	MAYBE("next", ENT_SHAPE_INSTANT, "When it is due."), COUNT("tries", "So far."),
	MAYBE("delivery", ENT_SHAPE_TEXT, "Id of the message."), MAYBE("answer", ENT_SHAPE_TEXT, "What the last try came to."),
	{.key = NULL}};
static const ent_schema notice = {.name = "Notice", .doc = "A change that is to be told, or was.", .members = notice_members};
static const ent_member told_members[] = {
	{.key = "targets", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &target, .doc = "Who is told."},
	{.key = "counts", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &count, .doc = "How many changes stand how."},
	{.key = "notices", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &notice, .doc = "The newest first."}, {.key = NULL}};
static const ent_schema told = {.name = "Told", .doc = "Who is told, and what became of it.", .members = told_members};

static void get_told(ent_request *r, void *ctx) {
	ent__words w = {0};
	ent__words_add(&w, "tell");
	ent__words_add(&w, "list");
	ent__words_add(&w, "--json");
	ent__words_param(&w, r, "status");
	ent__words_param(&w, r, "limit");
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_PLAIN);
}

static const char *const statuses[] = {"pending", "sending", "told", "failed", "unknown", NULL};
static const ent_param params[] = {
	{.name = "status", .type = ENT_PARAM_CHOICE, .choices = statuses, .doc = "Only these."},
	{.name = "limit", .type = ENT_PARAM_INT, .least = 1, .most = 10000, .preset = "20", .doc = "At most so many changes."},
	{.name = NULL}};
static const ent_reply replies[] = {{200, ENT_MEDIA_JSON, &told, false, "Targets, counts, and the newest changes."}, {0}};

const ent_route ent__api_told_routes[] = {
	{.method = "GET", .path = "/api/v1/told", .name = "getTold", .group = "findings", .least = ENT_ROLE_VIEWER,
		.doc = "Show who is told, what was told and what waits.", .params = params, .replies = replies, .run = get_told},
	{.path = NULL}};
