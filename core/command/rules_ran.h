/* SPDX-License-Identifier: Apache-2.0
 *
 * command/rules_ran.h: what the store knows of how rules ran: when, of how many partners they said what, how long it
 * took, and what they read. One thread; owned by the command. */
#ifndef ENT_COMMAND_RULES_RAN_H
#define ENT_COMMAND_RULES_RAN_H

#include "base/intern.h"
#include "command/project.h"

typedef struct ent__ran_rule {
	const char *name;
	ent_rule_run run; /* run.run 0: it never ran, or before this was remembered */
	uint64_t said[4]; /* partners by what it says of them: true, false, unknown, failed */
	ent_intern reads; /* "metric revenue.net", "cohort orders by industry", "register contacts", ...; from 1 on */
} ent__ran_rule;

typedef struct ent__ran {
	bool known; /* there is a store */
	ent__ran_rule *rules;
	size_t n, capacity;
	ent_arena arena;
} ent__ran;

/* Of all rules, or of one alone (`rule`). `inputs`: what they read as well, for which every record is unpacked. A
 * project without a store yet has run nothing. */
int ent__ran_read(ent__ran *, const ent__project *, const char *rule, bool inputs, ent_error *e);
void ent__ran_finish(ent__ran *);
/* NULL: nothing is known of it. */
const ent__ran_rule *ent__ran_of(const ent__ran *, const char *rule);
/* "2026-11-22 20:15 UTC, as of 2026-11-21: 12 partners in 4.1 ms" and what it says of them. Into the arena. */
const char *ent__ran_text(ent__ran *, const ent__ran_rule *);
void ent__ran_show(ent_call *, ent__ran *, const ent__ran_rule *);
/* Members last_run and reads of the object; NULL rule: both null. */
struct json_object;
void ent__ran_json(const ent__ran_rule *, struct json_object *into);

#endif
