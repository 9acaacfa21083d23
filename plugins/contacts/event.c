/* SPDX-License-Identifier: Apache-2.0
 *
 * An event to contacts: its occurrences, who was there, whether it took place. */
#include "calendar.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND INT64_C(1000000)
#define DAY (INT64_C(86400) * SECOND)
#define LAST_YEAR 2100 /* nothing is planned beyond it */

/* Seconds since 1970 of the wall clock, as if it were UTC. */
static int64_t clock_of(struct icaltimetype t) {
	return text_civil(t.year, (unsigned)t.month, (unsigned)t.day) * 86400 + t.hour * 3600 + t.minute * 60 + t.second;
}

/* A moment of a zone, or of none. */
static ent_time time_of(struct icaltimetype t) {
	if (t.is_date)
		return (ent_time){.v = text_civil(t.year, (unsigned)t.month, (unsigned)t.day),
			.offset_min = ENT_NO_OFFSET,
			.kind = ENT_TIME_DATE};
	int64_t wall = clock_of(t);
	if (!t.zone && !icaltime_is_utc(t))
		return (ent_time){.v = wall * SECOND, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_LOCAL};
	int in_summer = 0;
	int offset =
		icaltime_is_utc(t) ? 0 : icaltimezone_get_utc_offset((icaltimezone *)(uintptr_t)t.zone, &t, &in_summer);
	return (ent_time){.v = (wall - offset) * SECOND, .offset_min = (int16_t)(offset / 60), .kind = ENT_TIME_INSTANT};
}

/* Once a day or less: meetings. Rules by the hour or second may be searched for longer than anybody waits. */
static int calm(icalcomponent *c) {
	for (icalproperty *p = icalcomponent_get_first_property(c, ICAL_RRULE_PROPERTY); p;
		 p = icalcomponent_get_next_property(c, ICAL_RRULE_PROPERTY)) {
		icalrecurrencetype_frequency f = icalproperty_get_rrule(p).freq;
		if (f != ICAL_DAILY_RECURRENCE && f != ICAL_WEEKLY_RECURRENCE && f != ICAL_MONTHLY_RECURRENCE &&
			f != ICAL_YEARLY_RECURRENCE)
			return 0;
	}
	return 1;
}

static int readable(struct icaltimetype t) {
	return !icaltime_is_null_time(t) && icaltime_is_valid_time(t) && t.year >= 1900 && t.year < LAST_YEAR &&
		   t.month >= 1 && t.month <= 12 && t.day >= 1 && t.day <= 31;
}

/* A zone that the file does not define is not looked up: libical would open files for it, which the sandbox refuses,
 * and what it found would depend on the machine. */
static int time_and_zone(icalcomponent *c, icalproperty *p, struct icaltimetype *out, const char **why) {
	icalparameter *zone = icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER);
	const char *name = zone ? icalparameter_get_tzid(zone) : NULL;
	icaltimezone *known = NULL;
	icalvalue *value = icalproperty_get_value(p);
	if (name && value && icalvalue_isa(value) != ICAL_DATE_VALUE) {
		known = icalcomponent_get_timezone(icalcomponent_get_parent(c), name);
		*why = "a time in a zone that the file does not define (VTIMEZONE): export it with its zones";
		if (!known)
			return -1;
	}
	*why = "a time that cannot be read";
	struct icaltimetype t = value ? icalvalue_get_datetimedate(value) : icaltime_null_time();
	if (!readable(t))
		return -1;
	if (known && !icaltime_is_utc(t))
		t.zone = known;
	*out = t;
	return 0;
}

int event__time(icalcomponent *c, icalproperty *p, ent_time *out, const char **why) {
	struct icaltimetype t;
	if (time_and_zone(c, p, &t, why))
		return -1;
	*out = time_of(t);
	return 0;
}

void event__stamp(ent_time t, char out[32]) {
	int year;
	unsigned m, d;
	int64_t day = t.kind == ENT_TIME_DATE ? t.v : t.v / DAY - (t.v % DAY < 0);
	int64_t s = t.kind == ENT_TIME_DATE ? 0 : (t.v - day * DAY) / SECOND;
	text_date_back(day, &year, &m, &d);
	if (t.kind == ENT_TIME_DATE)
		snprintf(out, 32, "%04d%02u%02u", year, m, d);
	else
		snprintf(out, 32, "%04d%02u%02uT%02d%02d%02d%s", year, m, d, (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60),
			t.kind == ENT_TIME_INSTANT ? "Z" : "");
}

/* ---- occurrences ---- */

typedef struct dates {
	ent_time *at;
	size_t n, room;
} dates;

static int add(dates *d, ent_time t) {
	if (d->n == d->room) {
		size_t room = d->room ? d->room * 2 : 64;
		ent_time *more = realloc(d->at, room * sizeof *more);
		if (!more)
			return -1;
		d->at = more;
		d->room = room;
	}
	d->at[d->n++] = t;
	return 0;
}

static int64_t moment(ent_time t) { return t.kind == ENT_TIME_DATE ? t.v * DAY : t.v; }

static int by_moment(const void *x, const void *y) {
	int64_t a = moment(*(const ent_time *)x), b = moment(*(const ent_time *)y);
	return a < b ? -1 : a > b;
}

/* EXDATE may name the day alone. */
static int is_out(ent_time t, ent_time out, int64_t offset) {
	if (out.kind == t.kind)
		return out.v == t.v;
	int64_t wall = moment(t) + (t.kind == ENT_TIME_INSTANT ? offset * 60 * SECOND : 0);
	return out.kind == ENT_TIME_DATE && out.v == wall / DAY - (wall % DAY < 0);
}

/* All occurrences up to the bound. 0; 1: there are more than are told; -1: out of memory. */
static int occurrences(const calendar *k, icalcomponent *c, struct icaltimetype start, dates *out) {
	int64_t last = text_civil(LAST_YEAR, 1, 1) * DAY - DAY;
	int64_t bound = k->now && k->now + k->ahead < last ? k->now + k->ahead : last;
	int more = 0;
	ent_time first = time_of(start);
	if (add(out, first))
		return -1;
	for (icalproperty *p = icalcomponent_get_first_property(c, ICAL_RRULE_PROPERTY); p;
		 p = icalcomponent_get_next_property(c, ICAL_RRULE_PROPERTY)) {
		struct icalrecurrencetype rule = icalproperty_get_rrule(p);
		if (icaltime_is_null_time(rule.until) && !rule.count) /* what never comes is searched for until then */
			rule.until = icaltime_from_timet_with_zone((time_t)(bound / SECOND) + 86400, 1, NULL);
		icalerror_clear_errno();
		icalrecur_iterator *i = icalrecur_iterator_new(rule, start);
		if (!i && icalerrno == ICAL_NEWFAILED_ERROR)
			return -1;
		if (!i)
			continue;
		for (struct icaltimetype t = icalrecur_iterator_next(i); !icaltime_is_null_time(t);
			 t = icalrecur_iterator_next(i)) {
			t.zone = start.zone;
			ent_time at = time_of(t);
			if (moment(at) > bound)
				break;
			if (out->n >= OCCURRENCES_MAX) {
				more = 1;
				break;
			}
			if (add(out, at)) {
				icalrecur_iterator_free(i);
				return -1;
			}
		}
		icalrecur_iterator_free(i);
	}
	for (icalproperty *p = icalcomponent_get_first_property(c, ICAL_RDATE_PROPERTY); p && out->n < OCCURRENCES_MAX;
		 p = icalcomponent_get_next_property(c, ICAL_RDATE_PROPERTY)) {
		struct icaldatetimeperiodtype d = icalproperty_get_rdate(p);
		struct icaltimetype t = icaltime_is_null_time(d.time) ? d.period.start : d.time;
		if (!readable(t))
			continue;
		if (!icaltime_is_utc(t))
			t.zone = start.zone;
		if (add(out, time_of(t)))
			return -1;
	}
	qsort(out->at, out->n, sizeof *out->at, by_moment);
	size_t n = 0;
	for (size_t i = 0; i < out->n; i++)
		if (!n || moment(out->at[i]) != moment(out->at[n - 1]))
			out->at[n++] = out->at[i];
	out->n = n;
	for (icalproperty *p = icalcomponent_get_first_property(c, ICAL_EXDATE_PROPERTY); p;
		 p = icalcomponent_get_next_property(c, ICAL_EXDATE_PROPERTY)) {
		struct icaltimetype t = icalproperty_get_exdate(p);
		if (!readable(t))
			continue;
		if (!icaltime_is_utc(t))
			t.zone = start.zone;
		ent_time gone = time_of(t);
		for (size_t i = n = 0; i < out->n; i++)
			if (!is_out(out->at[i], gone, out->at[i].offset_min == ENT_NO_OFFSET ? 0 : out->at[i].offset_min))
				out->at[n++] = out->at[i];
		out->n = n;
	}
	return more;
}

/* ---- who, and whether ---- */

static answer answer_of(icalproperty *p) {
	icalparameter *x = icalproperty_get_first_parameter(p, ICAL_PARTSTAT_PARAMETER);
	icalparameter_partstat s = x ? icalparameter_get_partstat(x) : ICAL_PARTSTAT_NONE;
	return s == ICAL_PARTSTAT_ACCEPTED ? ANSWER_YES : s == ICAL_PARTSTAT_DECLINED ? ANSWER_NO : ANSWER_NONE;
}

/* Rooms and projectors are invited like people. */
static int is_person(icalproperty *p) {
	icalparameter *x = icalproperty_get_first_parameter(p, ICAL_CUTYPE_PARAMETER);
	icalparameter_cutype kind = x ? icalparameter_get_cutype(x) : ICAL_CUTYPE_INDIVIDUAL;
	return kind != ICAL_CUTYPE_ROOM && kind != ICAL_CUTYPE_RESOURCE;
}

static uint8_t gather(const calendar *k, icalcomponent *c, party *who) {
	char domain[DOMAIN_MAX];
	uint8_t direction = 0;
	*who = (party){.n = 0};
	for (icalproperty *p = icalcomponent_get_first_property(c, ICAL_ATTENDEE_PROPERTY); p;
		 p = icalcomponent_get_next_property(c, ICAL_ATTENDEE_PROPERTY)) {
		const char *address = icalproperty_get_attendee(p);
		if (address && is_person(p))
			people__add(&k->people, who, (ent_str){address, strlen(address)}, answer_of(p));
	}
	icalproperty *p = icalcomponent_get_first_property(c, ICAL_ORGANIZER_PROPERTY);
	const char *address = p ? icalproperty_get_organizer(p) : NULL;
	if (address) {
		ent_str a = {address, strlen(address)};
		side s = people__side(&k->people, a, domain);
		direction = s == SIDE_US ? 1 : s == SIDE_THEM ? 2 : 0;
		size_t before = who->n;
		party alone = {.n = 0};
		people__add(&k->people, &alone, a, ANSWER_YES);
		int listed = 0;
		for (size_t i = 0; i < before; i++)
			listed |= alone.n && !strcmp(who->domains[i].name, alone.domains[0].name);
		if (alone.n && !listed)
			people__add(&k->people, who, a, ANSWER_YES); /* who invites comes, and need not be listed */
	}
	return direction;
}

typedef struct meeting {
	const calendar *k;
	const event *e;
	const party *who;
	uint8_t direction;
	int cancelled;
	int64_t length; /* seconds; -1 not known */
	const char *subject;
} meeting;

static ent_status push_at(const meeting *m, ent_time at, const char *occurrence) {
	const calendar *k = m->k;
	char hash[33];
	ent_status status = ENT_OK;
	people__hash(&k->people, (ent_str){m->e->uid, strlen(m->e->uid)}, hash);
	for (size_t i = 0; i < people__parties(&k->people, m->who) && !status; i++) {
		const struct party_domain *d = &m->who->domains[i];
		unsigned accepted = d->accepted, declined = d->declined, others = d->others;
		char key[KEY_MAX + 1];
		if (k->people.n_theirs) /* all of them are one party */
			for (size_t x = 1; x < m->who->n; x++) {
				accepted += m->who->domains[x].accepted;
				declined += m->who->domains[x].declined;
				others += m->who->domains[x].others;
			}
		ent_contact c = {.h = {.place = m->e->place}, .at = at, .kind = TEXT("meeting"), .direction = m->direction};
		snprintf(key, sizeof key, "%s%s%s", hash, *occurrence ? "/" : "", occurrence);
		people__name(&k->people, m->who, i, &c, key);
		if (m->e->stamp)
			c.h.version = (ent_time){.v = m->e->stamp * SECOND, .kind = ENT_TIME_INSTANT};
		if (m->subject && k->people.subjects)
			c.subject = (ent_str){m->subject, strlen(m->subject)};
		int64_t over = moment(at) + (m->length > 0 ? m->length : 0) * SECOND;
		if (m->cancelled || (declined && !accepted && !others)) {
			c.h.has |= ENT_HAS_HELD;
		} else if (accepted && k->now && over <= k->now) {
			c.h.has |= ENT_HAS_HELD;
			c.held = 1;
		}
		if (m->length >= 0 && at.kind != ENT_TIME_DATE) {
			c.h.has |= ENT_HAS_MINUTES;
			c.minutes = (uint32_t)(m->length / 60);
		}
		status = k->people.host->push(k->people.ctx, ENT_CONTACT, &c, sizeof c, 1);
	}
	return status;
}

static int overridden(const event *others, size_t n, const char *occurrence) {
	for (size_t i = 0; i < n; i++)
		if (!strcmp(others[i].at, occurrence))
			return 1;
	return 0;
}

ent_status event__push(calendar *k, const event *e, const event *others, size_t n) {
	const ent_host *host = k->people.host;
	const char *why = "an event without a start";
	icalproperty *p = icalcomponent_get_first_property(e->c, ICAL_DTSTART_PROPERTY);
	struct icaltimetype start;
	if (!p || time_and_zone(e->c, p, &start, &why)) {
		host->reject(k->people.ctx, e->place, ENT_NO_COLUMN, why);
		return ENT_OK;
	}
	if (!calm(e->c)) {
		host->reject(k->people.ctx, e->place, ENT_NO_COLUMN, "an event that recurs within a day");
		return ENT_OK;
	}
	party *who = calloc(1, sizeof *who);
	if (!who)
		return ENT_ENOMEM;
	meeting m = {.k = k, .e = e, .who = who, .direction = gather(k, e->c, who), .length = -1};
	if (!who->n) {
		host->skip(k->people.ctx, e->place, "nobody of the other side takes part");
		free(who);
		return ENT_OK;
	}
	m.cancelled = k->cancels || icalcomponent_get_status(e->c) == ICAL_STATUS_CANCELLED;
	m.subject = icalcomponent_get_summary(e->c);
	icalproperty *ends = icalcomponent_get_first_property(e->c, ICAL_DTEND_PROPERTY);
	struct icaltimetype until;
	if (ends && !time_and_zone(e->c, ends, &until, &why))
		m.length = (moment(time_of(until)) - moment(time_of(start))) / SECOND;
	else if (icalcomponent_get_first_property(e->c, ICAL_DURATION_PROPERTY))
		m.length = icaldurationtype_as_int(icalcomponent_get_duration(e->c));
	m.length = m.length < 0 || m.length > 366 * 86400 ? -1 : m.length;
	ent_status status = ENT_OK;
	int recurs = icalcomponent_get_first_property(e->c, ICAL_RRULE_PROPERTY) ||
				 icalcomponent_get_first_property(e->c, ICAL_RDATE_PROPERTY);
	if (*e->at || !recurs) {
		status = push_at(&m, time_of(start), e->at);
		free(who);
		return status;
	}
	dates all = {NULL, 0, 0};
	int more = occurrences(k, e->c, start, &all);
	size_t told = 0;
	status = more < 0 ? ENT_ENOMEM : ENT_OK;
	for (size_t i = 0; i < all.n && !status; i++) {
		char occurrence[32];
		event__stamp(all.at[i], occurrence);
		if (overridden(others, n, occurrence))
			continue;
		status = push_at(&m, all.at[i], occurrence);
		told++;
	}
	if (!status && !told)
		host->skip(k->people.ctx, e->place, "an event all of whose occurrences were taken out or moved");
	if (more > 0)
		host->log(k->people.ctx, ENT_LOG_WARNING, "an event recurs more than 4000 times: the rest is not told");
	free(all.at);
	free(who);
	return status;
}
