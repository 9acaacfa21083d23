/* SPDX-License-Identifier: Apache-2.0
 *
 * command/findings.h: findings as the commands of `entente findings` share them. A finding is known by partner, rule and
 * key; the short id that stands for them is a hash of these, so it stays the same from run to run. One thread. */
#ifndef ENT_COMMAND_FINDINGS_H
#define ENT_COMMAND_FINDINGS_H

#include "command/portfolio.h"
#include "command/project.h"

/* A copy of what a scan shows; see ent_finding. */
typedef struct ent__finding {
	const char *rule, *named, *partner, *key, *kind, *state, *text, *severity, *audience, *practice, *json, *life;
	int64_t worth, until_worth;
	bool has_worth, has_until_worth;
	int32_t as_of, first_day, until_day;
	char id[9];
} ent__finding;

typedef struct ent__findings {
	ent_call *call;
	ent__project project;
	ent_arena arena;
	ent__finding *found;
	size_t n, capacity;
	/* which of them, NULL: all; wanted: the beginning of an id */
	const char *rule, *kind, *state, *practice, *audience, *wanted;
	bool all; /* those that are over, too */
} ent__findings;

/* Reads them: by partner, what matters most first. The project is open. `partner` NULL: of all. */
int ent__findings_load(ent__findings *, const char *partner, ent_error *e);
/* Reads the one whose id begins with `wanted`; ENT_EXIT_OK, or told. */
int ent__findings_one(ent__findings *);
void ent__findings_finish(ent__findings *);

/* Members of the object in hand. */
void ent__finding_json(ent_json *, const ent__finding *);
ent_style ent__finding_style(const char *kind);

#endif
