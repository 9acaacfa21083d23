/* SPDX-License-Identifier: Apache-2.0
 *
 * config/pattern.h: patterns of paths that name their parts, like "drop/{partner}/{year}-{month}/" followed by a glob.
 *
 * A pattern is matched against the end of a path, whole folders: "in/{partner}/x.csv" fits /data/in/acme/x.csv. One
 * that begins with '/' is matched against all of it. {name} is at least one character, and no '/'; {year} is four
 * digits, {month}, {day}, {hour}, {minute}, {second} are two. '*' is anything without '/', '**' anything, '?' one
 * character but '/'. Where a pattern fits in several ways, the first name takes as few characters as it can. Pure
 * functions; any thread.
 */
#ifndef ENT_CONFIG_PATTERN_H
#define ENT_CONFIG_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "entente/plugin.h"

#define ENT_PATTERN_NAMES 16 /* most that one pattern may have */

typedef struct ent_match {
	unsigned n;
	ent_str name[ENT_PATTERN_NAMES];  /* into the pattern */
	ent_str value[ENT_PATTERN_NAMES]; /* into the path */
} ent_match;

/* Is it well-formed? NULL, or what is wrong with it. */
const char *ent_pattern_fault(const char *pattern);

/* Does it fit? *match (may be NULL) is filled if it does. A faulty pattern fits nothing. */
bool ent_pattern_match(const char *pattern, const char *path, ent_match *match);

/* The part called `name`; {NULL, 0} if the pattern has none. */
ent_str ent_match_get(const ent_match *match, const char *name);

/* Does the pattern have a part called `name`? */
bool ent_pattern_has(const char *pattern, const char *name);

/* Microseconds since 1970-01-01 00:00:00 of the wall clock that year, month (1), day (1), hour, minute and second (0)
 * of a match spell. false if there is no year or they are no date. */
bool ent_match_time(const ent_match *match, int64_t *local_us);

#endif
