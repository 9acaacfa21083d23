/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking ahead in a batch: asks for the memory that the documents to come will look up. Index and identities are far larger
 * than any cache, and one after another each look-up would wait for it. Two look-ups go ahead of the fold: the further one
 * asks for the slots, the nearer one, whose slots have come by then, for what they lead to. Further ahead than this they
 * would push each other out of the nearest cache. What stands in the batch is only a hint: the worker may still change it.
 * Loop thread only. */
#ifndef ENT_ENGINE_AHEAD_H
#define ENT_ENGINE_AHEAD_H

#include "engine/internal.h"

enum { ENT__AHEAD_FAR = 16, ENT__AHEAD_NEAR = 8 }; /* documents */

typedef struct ent__ahead {
	const ent_engine *e;
	const ent__stream *stream;
	const ent_dictionary *texts;
	const uint8_t *batch;
	uint32_t bytes, at;
	ent_document key;
	uint32_t partner; /* of documents that name none */
	unsigned n;       /* documents seen */
	const uint8_t *ids[ENT__AHEAD_FAR];
} ent__ahead;

/* Begins with a batch, which stays the caller's, and looks at its first documents. */
void ent__look_ahead_from(
	ent__ahead *, const ent_engine *, const ent__work *, const ent_dictionary *, const uint8_t *batch, uint32_t bytes);
/* Goes on by one document. */
void ent__look_ahead(ent__ahead *);

#endif
