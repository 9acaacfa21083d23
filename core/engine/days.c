/* SPDX-License-Identifier: Apache-2.0
 *
 * The day that has begun for each partner, see days.h. There are many partners and few zones: the day of a zone is worked out
 * once for each look. Loop thread only. */
#include "base/arena.h"
#include "base/intern.h"
#include "engine/days.h"

#include <stdlib.h>
#include <string.h>

typedef struct zone_day {
	const ent_zone *zone; /* NULL: free */
	int32_t day;
} zone_day;

/* The zones of all partners that are judged. */
typedef struct days {
	zone_day *slots;
	size_t mask;
	int32_t latest;
	bool differ;
	uint64_t print;
} days;

static const ent_zone *zone_of(const ent_engine *e, uint32_t partner) {
	const ent_zone *z = partner < e->partners_capacity ? e->partners[partner].zone : NULL;
	return z ? z : e->utc;
}

int32_t ent__day_of(const ent_engine *e, uint32_t partner, int64_t us) { return ent_zone_day(zone_of(e, partner), us); }

static bool is_judged(const ent_engine *e, uint32_t partner) {
	return e->partners[partner].known == 1 || e->partners[partner].known == 2;
}

static zone_day *slot_of(const days *d, const ent_zone *zone) {
	size_t at = (size_t)ent_hash64(&zone, sizeof zone, 0) & d->mask;
	while (d->slots[at].zone && d->slots[at].zone != zone) {
		at = (at + 1) & d->mask;
	}
	return &d->slots[at];
}

static days look(const ent_engine *e) {
	days d = {.latest = INT32_MIN};
	const ent_zone *last = NULL;
	for (d.mask = 15; d.mask < 2 * (size_t)e->n_zones + 2;) {
		d.mask = 2 * d.mask + 1;
	}
	d.slots = ent_xcalloc(d.mask + 1, sizeof *d.slots);
	for (uint32_t i = 1; i < e->partners_capacity; i++) {
		const ent_zone *zone = zone_of(e, i);
		if (zone == last || !is_judged(e, i)) {
			continue;
		}
		zone_day *slot = slot_of(&d, last = zone);
		if (!slot->zone) {
			const char *name = ent_zone_name(zone);
			*slot = (zone_day){zone, ent_zone_day(zone, e->now_us)};
			d.print += ent_hash64(name, strlen(name), (uint64_t)(uint32_t)slot->day + 1); /* in whatever order they come */
			d.differ |= d.latest != INT32_MIN && d.latest != slot->day;
			d.latest = slot->day > d.latest ? slot->day : d.latest;
		}
	}
	if (d.latest == INT32_MIN) {
		d.latest = ent_zone_day(e->utc, e->now_us);
		d.print = (uint64_t)(uint32_t)d.latest + 1;
	}
	return d;
}

int32_t ent__days_latest(const ent_engine *e) {
	days d = look(e);
	free(d.slots);
	return d.latest;
}

uint64_t ent__days_print(const ent_engine *e) {
	days d = look(e);
	free(d.slots);
	return d.print;
}

uint8_t *ent__days_behind(const ent_engine *e, int32_t as_of) {
	days d = look(e);
	uint8_t *behind = NULL;
	if (d.differ && d.latest == as_of) {
		behind = ent_xcalloc(e->partners_capacity, 1);
		for (uint32_t i = 1; i < e->partners_capacity; i++) {
			if (is_judged(e, i)) {
				behind[i] = (uint8_t)(as_of - slot_of(&d, zone_of(e, i))->day);
			}
		}
	}
	free(d.slots);
	return behind;
}
