/* SPDX-License-Identifier: Apache-2.0
 *
 * What several commands show alike: the balance sheet and the portfolio. One thread. */
#ifndef ENT_COMMAND_PORTFOLIO_H
#define ENT_COMMAND_PORTFOLIO_H

#include "base/intern.h"
#include "command/command.h"
#include "engine/engine.h"

/* Both equations for every source, from the store; *closes is set to whether all do. In JSON: a member "balance". */
int ent__balance_show(ent_call *call, ent_engine *engine, bool *closes, ent_error *e);
/* What the rules said of one partner. */
typedef struct ent__standing {
	char *partner;
	unsigned red_flags, gates, opportunities, insights, other, unknown, failed;
	int64_t worth; /* of the opportunities, micro-units of the reporting currency */
	char *first;   /* what to look at first; NULL: nothing */
	int first_weight;
} ent__standing;

typedef struct ent__portfolio {
	ent__standing *rows;
	size_t n, capacity;
	ent_intern names;  /* of the partners, numbered from 1 in the order in which they came */
	uint32_t *row_of;  /* by number: row + 1 */
	uint32_t row_of_n; /* capacity */
} ent__portfolio;

int ent__portfolio_load(ent__portfolio *, ent_store *, ent_error *e);
void ent__portfolio_finish(ent__portfolio *);
/* NULL: the rules said nothing of the partner. */
const ent__standing *ent__portfolio_find(const ent__portfolio *, const char *partner);
/* How much a finding matters; the greatest is looked at first. */
int ent__finding_weight(const char *kind, const char *severity);
/* Members of the object in hand. */
void ent__standing_json(ent_json *, const ent__standing *);
/* Count in a table: a dot for none. */
void ent__count_cell(ent_table *, ent_style, unsigned n);

/* One row for each partner with what the rules said of it. In JSON: a member "partners". */
int ent__portfolio_show(ent_call *call, ent_engine *engine, ent_error *e);

#endif
