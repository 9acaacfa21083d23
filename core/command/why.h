/* SPDX-License-Identifier: Apache-2.0
 *
 * command/why.h: why a figure changed: what came, changed or went between two moments, and how much each moved it. The
 * parts add up to the difference. One thread; owned by the command. */
#ifndef ENT_COMMAND_WHY_H
#define ENT_COMMAND_WHY_H

#include "command/trace.h"

/* The option --since, a row for the tables of commands that compare. */
#define ENT__ARG_ROW_SINCE                                                                                             \
	{                                                                                                                  \
		.name = "since", .type = ENT_ARG_TEXT, .value = "WHEN",                                                        \
		.doc = "A run by its number, a day, or a time as the partner's clock has it: 12, 2026-11-20, \"2026-11-20 "    \
			   "14:30\"."                                                                                              \
	}

/* A moment, as it was asked for. */
typedef struct ent__since {
	bool given;
	ent_moment then;
	ent_run run; /* the judgement that stands for it; number 0: none that is remembered */
	bool old;    /* compaction may have taken what was replaced before it */
} ent__since;

/* Reads the option of that name; without it the run before the last if `preset`, else nothing is given. ENT_EXIT_OK, or
 * told. */
int ent__since_take(ent__since *, ent_call *, ent__trace *, const char *option, bool preset);
void ent__since_show(const ent__since *, ent_call *);
/* One object. */
void ent__since_json(const ent__since *, ent_json *);

typedef struct ent__why {
	ent__trace *trace;
	const ent_metric *m;
	ent_account account;
	ent_account_side then, now;
	ent_account_part **order; /* parts that moved it, the most first */
	size_t n;
} ent__why;

/* The versions of the trace are of both moments. */
int ent__why_read(ent__why *, ent__trace *, const ent__wanted *, const ent_account_side *then,
	const ent_account_side *now, ent_error *);
void ent__why_finish(ent__why *); /* zeroed is fine */
/* What a part moved: of a quotient its share of the change, in its own unit. NAN: nobody can say. */
double ent__why_moved(const ent__why *, const ent_account_part *);
void ent__why_show(const ent__why *, size_t rows, bool detailed);
/* One object; rows: at most so many parts. */
void ent__why_json(const ent__why *, size_t rows);

#endif
