/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente findings acknowledge | explain | accept | resolve | reopen`: what people make of a finding. Where a service has
 * the store, it does it (control.h). */
#include "command/control.h"
#include "command/findings.h"

#include "engine/life.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MOST = 2000 };

/* What each of them makes of a finding, and of which it can be made. */
static const struct verb {
	const char *name, *state;
	const char *from; /* states, separated by blanks */
} verbs[] = {
	{"findings acknowledge", "acknowledged", "open reopened stale explained accepted"},
	{"findings explain", "explained", "open acknowledged accepted reopened stale"},
	{"findings accept", "accepted", "open acknowledged explained accepted reopened stale"},
	{"findings resolve", "resolved", "open acknowledged explained accepted reopened stale"},
	{"findings reopen", "reopened", "acknowledged explained accepted resolved stale"},
};

static const struct verb *verb_of(const ent_call *call) {
	const struct verb *v = verbs;
	while (strcmp(v->name, call->command->name) != 0) {
		v++;
	}
	return v;
}

static bool word_in(const char *list, const char *word) {
	size_t n = strlen(word);
	for (const char *p = list; *p; p += strspn(p, " ")) {
		size_t k = strcspn(p, " ");
		if (k == n && !memcmp(p, word, n)) {
			return true;
		}
		p += k;
	}
	return false;
}

/* A decimal number in micro-units. */
static bool worth_of(const char *text, int64_t *out) {
	__int128 value = 0;
	bool negative = *text == '-', point = false;
	unsigned digits = 0, decimals = 0;
	for (const char *p = text + negative; *p; p++) {
		if (*p == '.' && !point && digits) {
			point = true;
		} else if (*p >= '0' && *p <= '9' && digits < 18 && decimals < 6) {
			value = value * 10 + (*p - '0');
			digits++;
			decimals += point;
		} else {
			return false;
		}
	}
	while (decimals++ < 6) {
		value *= 10;
	}
	*out = (int64_t)(negative ? -value : value);
	return digits && (!point || text[strlen(text) - 1] != '.') && value <= INT64_MAX;
}

/* What the options say. */
static int take_options(ent_call *call, const struct verb *v, ent_finding_change *c) {
	bool accepts = !strcmp(v->state, "accepted");
	const char *worth = accepts ? ent_call_text(call, "worth", NULL) : NULL;
	c->state = v->state;
	c->reason = ent_call_text(call, "because", ent_call_text(call, "reason", ""));
	if (ent_call_has(call, "because") && ent_call_has(call, "reason")) {
		return ent_call_usage(call, "write one of them", "--because and --reason say the same");
	}
	c->actor = ent_call_text(call, "by", ent__control_user(call));
	c->until_day = accepts ? (int32_t)ent_call_number(call, "until", INT32_MAX) : INT32_MAX;
	if (!c->reason[strspn(c->reason, " \t\r\n")]) {
		return ent_call_usage(call, "write --because TEXT: who looks at it next wants to know", "'%s' needs a reason", v->name);
	}
	if (strlen(c->reason) > REASON_MOST) {
		return ent_call_usage(call, "shorten it", "a reason has at most %d bytes", REASON_MOST);
	}
	if (worth && !worth_of(worth, &c->until_worth)) {
		return ent_call_usage(call, "write digits, with a point before decimals", "--worth takes a number, not '%s'", worth);
	}
	c->has_until_worth = worth != NULL;
	if (accepts && !worth && c->until_day == INT32_MAX) {
		return ent_call_usage(call, "write --until DAY, --worth N, or both; or resolve it",
			"a finding is accepted until a day, or while it is not worth more than so much");
	}
	return ENT_EXIT_OK;
}

static int check(ent_call *call, const struct verb *v, const ent_finding_change *c, const ent__finding *f) {
	if (c->has_until_worth && !f->has_worth) {
		return ent_call_usage(call, "accept it --until DAY", "%s has no worth that could grow", f->id);
	}
	const char *stands = !strcmp(f->state, "stale") && *f->life ? f->life : f->state;
	if (word_in(v->from, stands)) {
		return ENT_EXIT_OK;
	}
	ent_error e;
	if (!strcmp(f->state, "cleared")) {
		ent_error_set(&e, ENT_ERR_CONFLICT, "%s is over: its rule does not say it any more", f->id);
		ent_error_todo(&e, "nothing is left to be done about it");
	} else {
		ent_error_set(&e, ENT_ERR_CONFLICT, "%s is %s", f->id, stands);
		ent_error_todo(&e, "`%s` takes one that is: %s", v->name, v->from);
	}
	return ent_call_error(call, &e);
}

/* As it stands now. */
static int show(ent_call *call, ent__findings *before, const struct verb *v) {
	ent__findings now = {.call = call, .project = before->project, .wanted = before->found[0].id};
	int exit = ent__findings_one(&now);
	if (!exit && call->json) {
		ent_json_object(&call->writer);
		ent__finding_json(&call->writer, &now.found[0]);
		ent_json_end(&call->writer);
	} else if (!exit) {
		ent_buf_printf(&call->out, "%s: %s\n", now.found[0].id, v->state);
	}
	now.project = (ent__project){.lent = true};
	ent__findings_finish(&now);
	return exit;
}

static int run(ent_call *call) {
	const struct verb *v = verb_of(call);
	ent__findings l = {.call = call, .wanted = ent_call_operand(call, 0)};
	ent_finding_change c = {0};
	ent_error e = {0};
	int exit = take_options(call, v, &c);
	if (exit || ent__control_forward(call, NULL, &exit)) {
		return exit;
	}
	exit = ent__project_open(call, &l.project, ENT_ENGINE_WRITE);
	exit = exit ? exit : ent__findings_one(&l);
	exit = exit ? exit : check(call, v, &c, &l.found[0]);
	if (!exit) {
		c.rule = l.found[0].rule;
		c.named = l.found[0].named;
		c.partner = l.found[0].partner;
		c.key = l.found[0].key;
		if (ent_engine_finding_change(l.project.engine, &c, &e)) {
			exit = ent_call_error(call, &e);
		}
	}
	exit = exit ? exit : show(call, &l, v);
	ent__findings_finish(&l);
	return exit;
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

#define REASON                                                                                                         \
	{.name = "because", .type = ENT_ARG_TEXT, .value = "TEXT", .doc = "Why; it is shown with the finding."},           \
	{.name = "reason", .type = ENT_ARG_TEXT, .value = "TEXT", .doc = "The same as --because."},                    \
	{.name = "by", .type = ENT_ARG_TEXT, .value = "NAME", .doc = "Who says so; without it, the name of the user."}

static const ent_arg args[] = {REASON, {.name = NULL}};
static const ent_arg accept_args[] = {
	REASON,
	{.name = "until", .type = ENT_ARG_DATE, .value = "DAY", .doc = "The last day for which it is accepted."},
	{.name = "worth", .type = ENT_ARG_TEXT, .value = "N", .doc = "It is accepted while it is not worth more."},
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "ID", .required = true, .doc = "Its id, or the beginning of it; `entente findings` shows them."},
	{.name = NULL},
};

#define VERB(symbol, name_, args_, doc_, text_)                                                                        \
	const ent_command ent_command_findings_##symbol = {                                                                \
		.name = name_, .doc = doc_, .text = text_, .args = args_, .operands = operands, .run = run, .served = true}

VERB(acknowledge, "findings acknowledge", args, "Say that somebody looks after a finding.",
	"It stays acknowledged while its rule says it. When it was gone and comes back, it is reopened.\n\n"
	"  entente findings acknowledge 3f2a --because \"asked the shop on Tuesday\"");
VERB(explain, "findings explain", args, "Say what a finding comes from.",
	"It stays explained while its rule says it. When it was gone and comes back, it is reopened: the explanation may not "
	"hold again.\n\n  entente findings explain 3f2a --because \"the price list was late\"");
VERB(accept, "findings accept", accept_args, "Live with a finding until a day, or while it is not worth more.",
	"When the day is over, or the finding is worth more, it is reopened. That it was gone for a while changes nothing.\n\n"
	"  entente findings accept 3f2a --until 2026-12-31 --because \"the contract runs until then\"\n"
	"  entente findings accept 3f2a --worth 5000 --because \"too small to be worth a talk\"");
VERB(resolve, "findings resolve", args, "Say that a finding is done with.",
	"When its rule says it of a later day, it is reopened.\n\n"
	"  entente findings resolve 3f2a --because \"the feed is whole again\"");
VERB(reopen, "findings reopen", args, "Take back what was made of a finding.",
	"  entente findings reopen 3f2a --because \"it was not the price list\"");
