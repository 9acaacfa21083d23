/* SPDX-License-Identifier: Apache-2.0
 *
 * Of which records a partner's facts of some days came: source, file, place in the file. The ledger is read once, from its
 * beginning to its end: nothing keeps this in memory. Thread of the engine. */
#ifndef ENT_ENGINE_LINEAGE_H
#define ENT_ENGINE_LINEAGE_H

#include "engine/engine.h"

typedef struct ent_lineage_what {
	uint32_t partner; /* code */
	unsigned kind;    /* ent_fact of the documents: order, cart, visit, touch, contact, observation, entry; 0: all */
	int32_t from, to; /* days [from, to) of the partner */
	bool undated;     /* and those that have no day: entries of registers, as a rule. Theirs is 0 */
} ent_lineage_what;

typedef struct ent_lineage_row {
	unsigned kind; /* ent_fact */
	uint8_t origin; /* ent_origin */
	int32_t day;
	uint64_t id;      /* as in the ledger's index, and of its record in the store */
	uint32_t source;  /* code */
	const char *file; /* as the source names it */
	uint64_t place;   /* byte of it, unpacked, at which the record begins */
	const char *key;  /* of the document, as the source writes it; not terminated */
	size_t key_n;
} ent_lineage_row;

typedef int (*ent_lineage_visit)(void *ctx, const ent_lineage_row *);
/* Every document as it stands, by day, then file and place; what was replaced is left out. What the visitor returns
 * ends it. */
int ent_engine_lineage(ent_engine *, const ent_lineage_what *, ent_lineage_visit, void *ctx, ent_error *);

#endif
