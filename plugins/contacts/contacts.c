/* SPDX-License-Identifier: Apache-2.0
 *
 * The contacts plugin: meetings from calendars (iCalendar, by libical) and mails from mailboxes (mbox, headers only).
 * Both tell who met or wrote to whom by domain, and when the other side answered. calendar.c and mbox.c are the
 * decoders. */
#include "contacts.h"

#include <stddef.h>

static const char *const with_words[] = {"domain", "identity", NULL};
static const ent_option domain[] = {
	{.key = "domain", .type = ENT_OPT_STR, .doc = "A domain; those below it belong to it."}, {.key = NULL}};

const ent_option contacts__options[] = {
	[OPT_SYSTEM] = {.key = "system",
		.type = ENT_OPT_STR,
		.preset = "contacts",
		.doc = "Keyspace: sources of one system tell of the same meetings and mails."},
	[OPT_OWN] = {.key = "own",
		.type = ENT_OPT_LIST,
		.required = 1,
		.item = domain,
		.doc = "Our own domains: who has an address in them is on our side."},
	[OPT_THEIRS] = {.key = "theirs",
		.type = ENT_OPT_LIST,
		.item = domain,
		.doc = "Domains of the one partner that the source is of; others are left out. Without it each foreign domain "
			   "is a "
			   "partner of its own (partner: {from: fact})."},
	[OPT_WITH] = {.key = "with",
		.type = ENT_OPT_ENUM,
		.preset = "domain",
		.choices = with_words,
		.doc = "What is told of the people: their domain, or a keyed identity of each."},
	[OPT_SUBJECTS] = {.key = "subjects",
		.type = ENT_OPT_BOOL,
		.preset = "false",
		.doc = "Keep subjects and titles. They are written by people, and may name some."},
	[OPT_AHEAD] = {.key = "ahead",
		.type = ENT_OPT_DURATION,
		.preset = "35d",
		.doc = "Calendars: how far beyond the day of the file meetings that recur are told."},
	{.key = NULL},
};

ent_status contacts__refuse(people *p, const char *wrong) {
	if (!*wrong)
		return ENT_ENOMEM;
	p->host->error(p->ctx, 0, ENT_NO_COLUMN, wrong, "write own: [our-company.example]");
	return ENT_EOPTION;
}

static const ent_decoder *const decoders[] = {&contacts__calendar, &contacts__mbox, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "contacts",
	.version = "1.0.0",
	.decoders = decoders,
};
