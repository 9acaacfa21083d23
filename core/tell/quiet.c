/* SPDX-License-Identifier: Apache-2.0
 *
 * Quiet hours, see message.h. They are cut by the wall clock of their zone: a night in which clocks change is longer or shorter. */
#include "base/day.h"
#include "tell/message.h"

static bool within(const ent_tell_quiet *q, const ent_zone *zone, int64_t now_us, int64_t *end) {
	int32_t today = ent_zone_day(zone, now_us);
	for (int32_t day = today - 1; day <= today; day++) {
		if (q->days && !(q->days >> ent_day_weekday(day) & 1)) {
			continue;
		}
		int32_t last = day + (q->to <= q->from);
		int64_t from = ent_zone_instant(zone, day * ENT_US_PER_DAY + q->from * INT64_C(60000000));
		int64_t to = ent_zone_instant(zone, last * ENT_US_PER_DAY + q->to * INT64_C(60000000));
		if (from <= now_us && now_us < to) {
			*end = to;
			return true;
		}
	}
	return false;
}

unsigned ent__quiet(const ent_config_tell *t, ent_zone *const *zones, int64_t now_us, int64_t *until) {
	unsigned least = 0;
	*until = 0;
	for (size_t i = 0; i < t->n_quiet; i++) {
		const ent_tell_quiet *q = &t->quiet[i];
		unsigned passes = q->except < 0 ? 4 : (unsigned)q->except + 1;
		int64_t end;
		if (within(q, zones[i], now_us, &end)) {
			least = passes > least ? passes : least;
			*until = !*until || end < *until ? end : *until;
		}
	}
	return least;
}
