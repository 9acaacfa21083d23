/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a finding: what people make of what the rules say. Each change has an actor, a reason and a time, and is an
 * entry in the ledger, as those of registers are; the state of the finding follows in the same transaction. What becomes of
 * it when the rules speak again is in store.h. Loop thread only, but for ent_finding_life, which any thread calls that has
 * the store. */
#ifndef ENT_ENGINE_LIFE_H
#define ENT_ENGINE_LIFE_H

#include "engine/engine.h"

/* The register under which changes are kept in the ledger; people write it by `entente findings` alone. */
#define ENT_LIFE_REGISTER "findings"

typedef struct ent_finding_change {
	const char *rule, *partner, *key; /* the finding */
	const char *named;                /* see ent_finding: what its changes are kept under */
	const char *state;                /* acknowledged, explained, accepted, resolved, reopened */
	const char *actor, *reason;
	int32_t until_day;                /* of accepted: the last day; INT32_MAX: none */
	bool has_until_worth;
	int64_t until_worth;              /* and the most, micro-units of the reporting currency */
} ent_finding_change;

/* Writes it, and commits. The finding must be in the store. */
int ent_engine_finding_change(ent_engine *, const ent_finding_change *, ent_error *e);

/* One change as it was written; texts live during the call, "" what was not given. */
typedef struct ent_finding_event {
	const char *state, *actor, *reason, *until, *worth; /* until: a day; worth: a decimal number */
	const char *at; /* as the partner's clock showed it: YYYY-MM-DD HH:MM:SS */
} ent_finding_event;

/* All changes of a finding, in the order in which they were made. `topic` and `partner` are codes of the store: of
 * ENT_LIFE_REGISTER and of the partner. */
typedef int (*ent_life_visit)(void *ctx, const ent_finding_event *);
int ent_finding_life(ent_store *, uint32_t topic, uint32_t partner, const char *named, const char *key, ent_life_visit visit,
	void *ctx, ent_error *e);

#endif
