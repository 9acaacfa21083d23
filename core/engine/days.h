/* SPDX-License-Identifier: Apache-2.0
 *
 * The day that has begun for each partner in its own zone, at the engine's moment (now_us). With `as_of: now` a partner is
 * judged as of that day; the day of a snapshot is the latest of them. Loop thread only. */
#ifndef ENT_ENGINE_DAYS_H
#define ENT_ENGINE_DAYS_H

#include "engine/internal.h"

enum { ENT__BEHIND_MOST = 2 }; /* days between two zones: from -12:00 to +14:00 lie 26 hours */

/* Of one partner, by its code, at a moment. */
int32_t ent__day_of(const ent_engine *, uint32_t partner, int64_t us);
/* The latest of all partners that are judged; without any, that of UTC. */
int32_t ent__days_latest(const ent_engine *);
/* Which day it is in which zone of a partner: another number as soon as the day turns in one of them. The same in every
 * process. */
uint64_t ent__days_print(const ent_engine *);
/* By code of the partner, how many days its own day lies before the latest one, `as_of`: partners_capacity of them, malloc'd.
 * NULL if that is the day of all, as it mostly is. */
uint8_t *ent__days_behind(const ent_engine *, int32_t as_of);

#endif
