/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of folding share. */
#ifndef ENT_METRICS_FOLD_INTERNAL_H
#define ENT_METRICS_FOLD_INTERNAL_H

#include "metrics/fold.h"

bool ent__fold_day_of(const ent_fold *, ent_time, uint32_t source, uint32_t partner, int32_t *day);
/* Adds measures to a cell, or takes them off; *cell is its number. */
int ent__fold_add(ent_fold *, const ent_cell_key *, const int64_t m[ENT_FAMILY_WIDTH], int sign, uint32_t *cell, ent_error *e);
/* The same with the cell already found. */
int ent__fold_add_at(ent_fold *, uint32_t cell, int32_t day, const int64_t m[ENT_FAMILY_WIDTH], int sign, ent_error *e);
int ent__fold_order(ent_fold *, const ent_document *, int sign, ent_error *e);

#endif
