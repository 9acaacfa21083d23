/* SPDX-License-Identifier: Apache-2.0
 *
 * Compaction of the ledger in steps, see compact.c. Loop thread only, on an engine that is open for writing; between two
 * steps the engine may take facts in and commit. After an error the engine has to be closed. */
#ifndef ENT_ENGINE_COMPACT_H
#define ENT_ENGINE_COMPACT_H

#include "engine/engine.h"

typedef struct ent_compact_report {
	uint64_t segments, compacted;       /* there were; of them became none */
	uint64_t bytes_before, bytes_after; /* of the log */
	uint64_t steps_done, steps_total;   /* frames looked at; there are at most */
	uint64_t waits;                     /* steps that found the disk at work */
	unsigned most_in_step;              /* frames */
} ent_compact_report;

typedef struct ent_compact ent_compact;

#define ENT_COMPACT_WORTH 25u

/* Loads the index. A segment is worth it if so many hundredths of it would go; 0: all are. `report` is kept up to date
 * and outlives the compaction. */
int ent_engine_compact_begin(
	ent_compact **out, ent_engine *, unsigned worth, ent_compact_report *report, ent_error *e);
/* One step: at most so many frames, and about so much time. *done: there is nothing left. */
int ent_engine_compact_step(ent_compact *, unsigned frames, uint64_t ns, bool *done, ent_error *e);
/* Does it wait for the disk just now? Then the next step may as well come later. */
bool ent_engine_compact_waits(const ent_compact *);
void ent_engine_compact_end(ent_compact *); /* also where it was not done; NULL allowed */

#endif
