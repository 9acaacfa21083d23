/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's own tests of data: what one sees of a partner's orders alone, without knowing what they should be. Each
 * says nothing of data that is as it should be; from which point on it speaks is a constant beside it, told in
 * docs/findings.md. Loop thread only. */
#ifndef ENT_ENGINE_INTEGRITY_H
#define ENT_ENGINE_INTEGRITY_H

#include "engine/facts_table.h"

typedef enum ent_integrity_check {
	ENT_CHECK_LINES,      /* lines_against_total */
	ENT_CHECK_SWAPPED,    /* swapped_dates */
	ENT_CHECK_GAP,        /* gap */
	ENT_CHECK_DUPLICATES, /* duplicates */
	ENT_CHECK_COUNT
} ent_integrity_check;

extern const char *const ent_integrity_checks[ENT_CHECK_COUNT + 1]; /* ends with NULL */

typedef struct ent__integrity ent__integrity;

/* Over the partner's orders of the days [from, to), `wanted`: 1 << ent_integrity_check. */
ent__integrity *ent__integrity_create(ent_engine *, uint32_t partner, int32_t from, int32_t to, unsigned wanted);
void ent__integrity_destroy(ent__integrity *); /* NULL is fine */
/* One document as it counts now, in any order; each once. */
void ent__integrity_take(ent__integrity *, const ent_document *);
/* What is wrong, as JSON: {"orders": n, "found": [{"check", "source", "text", "count", "of", "from", "through", "rows":
 * [[names of columns], [...], ...]}, ...]}; orders: how many were looked at. */
int ent__integrity_end(ent__integrity *, ent_buf *json, ent_error *e);
/* All of that for a rule that asks: the JSON in a sealed block. */
int ent__integrity_of(ent_engine *, const ent__facts_want *, unsigned wanted, ent_snapshot_block *out, ent_error *e);

#endif
