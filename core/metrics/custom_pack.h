/* SPDX-License-Identifier: Apache-2.0
 *
 * What users declared as bytes: how a snapshot carries it to whoever reads it, who need know nothing of configurations.
 * Pure functions; what they make belongs to the caller, and is constant. */
#ifndef ENT_METRICS_CUSTOM_PACK_H
#define ENT_METRICS_CUSTOM_PACK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "metrics/catalogue.h"

typedef struct ent_custom_pack {
	ent_catalogue catalogue; /* the built-in one, and behind it what was declared */
	ent_arena arena;
} ent_custom_pack;

/* Appends what the catalogue has behind the built-in one. */
void ent_custom_put(const ent_catalogue *, ent_buf *out);
/* NULL: ENT_ERR_CORRUPT. Nothing of the bytes is kept. */
ent_custom_pack *ent_custom_unpack(const uint8_t *, size_t n, ent_error *);
void ent_custom_pack_destroy(ent_custom_pack *);

/* The built-in tables with room for so many more rows behind them, in an arena: metrics, measures, sets and
 * distributions. */
ent_catalogue ent_catalogue_extend(ent_arena *, unsigned metrics, unsigned measures, unsigned sets, unsigned dists);

#endif
