/* SPDX-License-Identifier: Apache-2.0
 *
 * Time zones: IANA names ("Europe/Berlin") and fixed offsets ("+01:00", "UTC"). The rules come from the C library and
 * the system's tzdata: a zone is loaded once by switching TZ and probing localtime_r, and kept as a table of
 * transitions for as long as the process lives, so that look-ups are pure and cheap. Any thread may load; local time of the C library
 * (localtime, strftime) is then nobody's to use, for it may be that of the zone being loaded. */
#ifndef ENT_BASE_ZONE_H
#define ENT_BASE_ZONE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct ent_zone ent_zone;

/* Loads a zone. NULL and `e` set if the name is unknown. To be given back by the caller. */
ent_zone *ent_zone_load(const char *name, ent_error *e);
void ent_zone_destroy(ent_zone *);
const char *ent_zone_name(const ent_zone *);
/* Seconds east of UTC at an instant (microseconds since 1970 UTC). */
int32_t ent_zone_offset(const ent_zone *, int64_t instant_us);
/* Instant of a wall clock time. A time that a change of clocks skipped is moved forward by the gap; of a time that
 * occurs twice the first is meant. */
int64_t ent_zone_instant(const ent_zone *, int64_t local_us);
/* Calendar day (since 1970-01-01) of an instant. */
int32_t ent_zone_day(const ent_zone *, int64_t instant_us);

#endif
