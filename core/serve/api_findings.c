/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings and their life, see api.h. */
#include "serve/api.h"
#include "serve/api_members.h"

#include <string.h>

static const char *const kinds[] = {"red_flag", "gate", "opportunity", "insight", "proposal", "ask", "failure", NULL};
static const char *const states[] = {
	"open", "acknowledged", "explained", "accepted", "resolved", "reopened", "cleared", "stale", NULL};

#define FINDING_MEMBERS                                                                                                \
	TEXT("id", "Short, and the same from run to run."), TEXT("partner", "Whom it is about."), TEXT("rule", "Which rule says it."), \
		MAYBE("key", ENT_SHAPE_TEXT, "Which of those that the rule says of the partner."),                             \
		{.key = "kind", .shape = ENT_SHAPE_TEXT, .choices = kinds, .doc = "What it is."},                              \
		{.key = "state", .shape = ENT_SHAPE_TEXT, .choices = states, .doc = "How it stands."},                         \
		MAYBE("life", ENT_SHAPE_TEXT, "What was made of it, also while it is stale or cleared."),                      \
		MAYBE("until", ENT_SHAPE_DAY, "Accepted: the last day for which it is."),                                      \
		MAYBE("until_worth", ENT_SHAPE_NUMBER, "Accepted: the most that it may be worth."),                            \
		MAYBE("severity", ENT_SHAPE_TEXT, "How bad a red flag is."), MAYBE("practice", ENT_SHAPE_TEXT, "Of the rule."), \
		MAYBE("audience", ENT_SHAPE_TEXT, "us, or both: the partner may see it."), MAYBE("text", ENT_SHAPE_TEXT, "What the rule says."), \
		MAYBE("worth", ENT_SHAPE_NUMBER, "In the reporting currency."),                                                \
		{.key = "since", .shape = ENT_SHAPE_DAY, .doc = "The day of which it was said first."},                        \
		{.key = "as_of", .shape = ENT_SHAPE_DAY, .doc = "The day of which it was said last."}

static const ent_member finding_members[] = {FINDING_MEMBERS, {.key = NULL}};
static const ent_schema finding = {.name = "Finding", .doc = "What a rule says of a partner.", .members = finding_members};
static const ent_member change_members[] = {TEXT("state", "What was made of it."), MAYBE("actor", ENT_SHAPE_TEXT, "By whom."),
	MAYBE("reason", ENT_SHAPE_TEXT, "Why."), MAYBE("until", ENT_SHAPE_DAY, "Accepted: the last day."),
	MAYBE("until_worth", ENT_SHAPE_NUMBER, "Accepted: the most that it may be worth."),
	TEXT("at", "When, by the partner's clock."), {.key = NULL}};
static const ent_schema change = {.name = "FindingChange", .doc = "A change in the life of a finding.", .members = change_members};
static const ent_member page_members[] = {FINDING_MEMBERS, MAYBE("verdict", ENT_SHAPE_TEXT, "Of its rule, now."),
	{.key = "finding", .shape = ENT_SHAPE_ANY, .doc = "All that the rule said with it: rows, charts."},
	{.key = "evidence", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_ANY, .doc = "What the rule read."},
	{.key = "asks", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_ANY, .doc = "Which data would decide it."},
	{.key = "missed", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_ANY, .doc = "What it missed."},
	{.key = "held", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_ANY,
		.doc = "What the rule read that the partner may not know of, though it is for both sides: then it is not published."},
	{.key = "changes", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &change, .doc = "Its life, oldest first."},
	{.key = NULL}};
static const ent_schema finding_page = {.name = "FindingPage", .doc = "A finding with its evidence and its life.", .members = page_members};

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static void get_findings(ent_request *r, void *ctx) {
	static const char *const options[] = {"kind", "rule", "state", "practice"};
	const char *partner = ent_request_text(r, "partner");
	ent__words w = {0};
	ent__words_add(&w, "findings");
	ent__words_add(&w, "--json");
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		ent__words_param(&w, r, options[i]);
	}
	if (ent_request_bool(r, "all", false)) {
		ent__words_add(&w, "--all");
	}
	ent__words_page(&w, r);
	ent__words_end(&w);
	if (partner) {
		ent__words_add(&w, partner);
	}
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_VERSIONED);
}

static void get_finding(ent_request *r, void *ctx) {
	ent__words w = {0};
	ent__words_add(&w, "findings");
	ent__words_add(&w, "show");
	ent__words_add(&w, "--json");
	ent__words_end(&w);
	ent__words_add(&w, ent_request_text(r, "finding"));
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_VERSIONED);
}

static const ent_param list_params[] = {
	{.name = "partner", .type = ENT_PARAM_TEXT, .doc = "Only those about this partner."},
	{.name = "kind", .type = ENT_PARAM_CHOICE, .choices = kinds, .doc = "Only these."},
	{.name = "state", .type = ENT_PARAM_CHOICE, .choices = states, .doc = "Only those in this state."},
	{.name = "practice", .type = ENT_PARAM_TEXT, .doc = "Only those of rules of this practice."},
	{.name = "rule", .type = ENT_PARAM_TEXT, .doc = "Only those of this rule."},
	{.name = "all", .type = ENT_PARAM_BOOL, .doc = "Also those that are over: cleared and resolved ones."},
	ENT_PARAM_ROWS_PAGE, {.name = NULL}};
#define FINDING_PARAM                                                                                                  \
	{.name = "finding", .in = ENT_PARAM_PATH, .type = ENT_PARAM_TEXT, .doc = "Its id, or the beginning of it."}
static const ent_param one_params[] = {FINDING_PARAM, {.name = NULL}};
static const ent_reply list_replies[] = {
	{200, ENT_MEDIA_JSON, &finding, true, "By partner, what matters most first."}, {404, NULL, NULL, false, "There is no such partner."}, {0}};
static const ent_reply one_replies[] = {
	{200, ENT_MEDIA_JSON, &finding_page, false, "The finding."}, {404, NULL, NULL, false, "There is no such finding."}, {0}};

/* ---- its life ----------------------------------------------------------------------------------------------------------- */

static const ent_member reason_members[] = {TEXT("reason", "Why; it is shown with the finding."), {.key = NULL}};
static const ent_schema reason = {.name = "FindingReason", .doc = "Why a finding is changed.", .members = reason_members};
static const ent_member accept_members[] = {TEXT("reason", "Why; it is shown with the finding."),
	{.key = "until", .shape = ENT_SHAPE_DAY, .optional = true, .null = true, .doc = "The last day for which it is accepted."},
	{.key = "worth", .shape = ENT_SHAPE_NUMBER, .optional = true, .null = true, .doc = "It is accepted while it is not worth more."},
	{.key = NULL}};
static const ent_schema acceptance = {.name = "FindingAcceptance", .doc = "For how long a finding is lived with, and why.",
	.members = accept_members};

static void post_change(ent_request *r, void *ctx, const char *verb) {
	struct json_object *body = ent_request_json(r);
	ent__words w = {0};
	ent__words_add(&w, "findings");
	ent__words_add(&w, verb);
	ent__words_add(&w, "--json");
	ent__words_option(&w, "reason", ent__body_text(body, "reason"));
	if (!strcmp(verb, "accept")) {
		ent__words_option(&w, "until", ent__body_text(body, "until"));
		ent__words_option(&w, "worth", ent__body_text(body, "worth"));
	}
	ent__words_end(&w);
	ent__words_add(&w, ent_request_text(r, "finding"));
	ent__api_change(r, ctx, &w, 200, NULL);
}

static void post_acknowledge(ent_request *r, void *ctx) { post_change(r, ctx, "acknowledge"); }
static void post_explain(ent_request *r, void *ctx) { post_change(r, ctx, "explain"); }
static void post_accept(ent_request *r, void *ctx) { post_change(r, ctx, "accept"); }
static void post_resolve(ent_request *r, void *ctx) { post_change(r, ctx, "resolve"); }
static void post_reopen(ent_request *r, void *ctx) { post_change(r, ctx, "reopen"); }

static const ent_reply change_replies[] = {{200, ENT_MEDIA_JSON, &finding, false, "The finding as it stands now."},
	{404, NULL, NULL, false, "There is no such finding."}, {409, NULL, NULL, false, "It is in no state for that."}, {0}};

#define CHANGES(verb, name_, body_, doc_)                                                                              \
	{                                                                                                                  \
		.method = "POST", .path = "/api/v1/findings/{finding}/" #verb, .name = name_, .group = "findings",             \
		.least = ENT_ROLE_STRATEGIST, .doc = doc_, .params = one_params, .body = &body_, .replies = change_replies,    \
		.run = post_##verb                                                                                             \
	}

const ent_route ent__api_finding_routes[] = {
	{.method = "GET", .path = "/api/v1/findings", .name = "listFindings", .group = "findings", .least = ENT_ROLE_VIEWER,
		.doc = "List what the rules found.", .params = list_params, .replies = list_replies, .run = get_findings},
	{.method = "GET", .path = "/api/v1/findings/{finding}", .name = "getFinding", .group = "findings", .least = ENT_ROLE_VIEWER,
		.doc = "Show one finding. With the evidence it rests on and what people made of it.", .params = one_params,
		.replies = one_replies, .run = get_finding},
	CHANGES(acknowledge, "acknowledgeFinding", reason, "Say that somebody looks after a finding."),
	CHANGES(explain, "explainFinding", reason, "Say what a finding comes from."),
	CHANGES(accept, "acceptFinding", acceptance, "Live with a finding until a day, or while it is not worth more."),
	CHANGES(resolve, "resolveFinding", reason, "Say that a finding is done with."),
	CHANGES(reopen, "reopenFinding", reason, "Take back what was made of a finding."),
	{.path = NULL}};
