/* SPDX-License-Identifier: Apache-2.0
 *
 * inbox: how much may wait there, and for how long things are remembered. One thread. */
#include "config/schema.h"

#define AT(member) offsetof(ent_inbox_config, member)
#define HOURS INT64_C(3600000000)
#define MB (INT64_C(1) << 20)

/* clang-format off */
const ent__field ent__inbox_fields[] = {
	{.key = "memory", .type = ENT__SIZE, .preset = "64MB", .least = 1000, .most = MB << 16, .offset = AT(memory),
		.doc = "What may wait in memory for the disk; a single source may have half of it. More is refused until there is "
			"room (a webhook answers 429). As much again may be on its way in: bodies of requests that are not there as a whole."},
	{.key = "waiting", .type = ENT__SIZE, .preset = "4GB", .least = 1000, .most = MB << 26, .offset = AT(waiting),
		.doc = "What may lie on the disk of one source and not be read yet. More is refused."},
	{.key = "log", .type = ENT__SIZE, .preset = "64MB", .least = 1000, .most = MB << 12, .offset = AT(log),
		.doc = "At this size a log of the inbox ends and the next one begins."},
	{.key = "age", .type = ENT__DURATION, .preset = "1h", .least = 1000, .most = 24 * 365 * HOURS, .offset = AT(age_us),
		.doc = "A log older than this ends as well."},
	{.key = "remember", .type = ENT__DURATION, .preset = "3d", .least = 0, .most = 24 * 365 * HOURS, .offset = AT(remember_us),
		.doc = "How long the id of a delivery is remembered, so that it counts once however often it is sent."},
	{.key = "ids", .type = ENT__INT, .preset = "1000000", .least = 1, .most = 100000000, .offset = AT(ids),
		.doc = "And at most so many for each source, about 50 bytes of memory each; the oldest are forgotten first."},
	{.key = "keep", .type = ENT__DURATION, .preset = "10m", .least = 0, .most = 24 * 365 * HOURS, .offset = AT(keep_us),
		.doc = "How long what has been read and committed stays in the inbox."},
	{.key = NULL}};
/* clang-format on */
