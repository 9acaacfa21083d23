/* SPDX-License-Identifier: Apache-2.0
 *
 * What a rule asks the core for while it runs: the single facts of a partner, or its figures cut by a view that no cell
 * keeps. Both are made of the ledger's documents as they stand, for one partner and some days, when they are asked for.
 * Loop thread only. */
#ifndef ENT_ENGINE_FACTS_TABLE_H
#define ENT_ENGINE_FACTS_TABLE_H

#include "engine/internal.h"
#include "metrics/facts.h"

typedef struct ent__facts_want {
	uint32_t partner;                  /* code */
	int32_t from, to;                  /* days [from, to) of the partner */
	int32_t last;                      /* the moment of judgement: nothing of a later day is told */
	uint8_t origins[ENT_FAMILY_COUNT]; /* of which origin facts of a family are read; ENT_ORIGIN_COUNT: of any */
} ent__facts_want;

/* facts_table_index.c: every document of some kinds (1 << ent_fact) that a partner has a part of, once, as it counts
 * now, or, while a past day is judged, as it was known then. What the visitor returns ends it. Tables and views see
 * documents through this alone. */
typedef int (*ent__facts_visit)(void *ctx, ent_document *);
int ent__facts_each(ent_engine *, uint32_t partner, unsigned kinds, ent__facts_visit, void *ctx, ent_error *e);
/* As it counts now, whatever is judged. */
int ent__facts_each_now(ent_engine *, uint32_t partner, unsigned kinds, ent__facts_visit, void *ctx, ent_error *e);
/* NULL allowed. */
void ent__facts_index_free(struct ent__facts_index *);

/* facts_table_rows.c: a block as metrics/facts.h has it. */
int ent__facts_rows(ent_engine *, const ent__facts_want *, unsigned kind, ent_snapshot_block *out, ent_error *e);
/* facts_table_cut.c: a snapshot of this partner and these days that holds nothing but a view, of the families 1 <<
 * ent_family; rates are those of `base`. */
int ent__facts_view(ent_engine *, const ent__facts_want *, ent_view, unsigned families, const ent_snapshot_block *base,
	ent_snapshot_block *out, ent_error *e);
/* The text by which rules know an identity: of one person at one partner, and no way back. */
enum { ENT__TOKEN = 12 };
void ent__facts_token(ent_engine *, uint32_t partner, uint32_t dense, char out[ENT__TOKEN + 1]);
/* agents.c: the same of an agent by the name that people write into a register, as a decoder would key it; "" of no name. */
void ent__facts_agent_token(ent_engine *, uint32_t partner, const char *name, char out[ENT__TOKEN + 1]);
/* The token of a keyed identity. */
void ent__facts_token_of(ent_engine *, uint32_t partner, const uint8_t id[16], char out[ENT__TOKEN + 1]);

#endif
