/* SPDX-License-Identifier: Apache-2.0
 *
 * A visit, from an answer of Live.getLastVisitsDetails or from a row of its CSV export.
 */
#include "matomo.h"

enum { DURATION_MAX = 7 * 86400 }; /* seconds: a longer visit is a clock that was set */

static ent_status reject(matomo *m, uint64_t place, const char *why) {
	m->host->reject(m->ctx, place, ENT_NO_COLUMN, why);
	return ENT_OK;
}

static int number(ent_str s, int64_t most, int64_t *out) {
	int64_t v;
	if (!s.n || text_digits(s.p, s.n, &v))
		return -1;
	*out = v > most ? most : v;
	return 0;
}

/* Where a visit began. NULL, or what is wrong. */
static const char *times(matomo *m, const ent_str f[VISIT_FIELDS], ent_visit *v) {
	report_days day;
	if (f[VISIT_FIRST].n && mat__stamp(f[VISIT_FIRST], &v->at))
		return "firstActionTimestamp is no number of seconds";
	if (f[VISIT_LAST].n && mat__stamp(f[VISIT_LAST], &v->until))
		return "lastActionTimestamp is no number of seconds";
	if (f[VISIT_DAY].n && (report_date(f[VISIT_DAY], &day) || day.to != day.from + 1))
		return "serverDate is no day";
	if (f[VISIT_DAY].n)
		v->day = report_day(day.from);
	if (v->at.kind == ENT_TIME_NONE)
		v->at = v->until;
	if (v->at.kind == ENT_TIME_NONE)
		v->at = v->day;
	if (v->at.kind == ENT_TIME_NONE && m->days.to == m->days.from + 1)
		v->at = report_day(m->days.from);
	return v->at.kind == ENT_TIME_NONE
			   ? "a visit without a time, in a document that names no day: set the option period to it"
			   : NULL;
}

/* What became of it, as the visit itself says: in CSV there are no actions to tell. -1: an unknown word. */
static int status(ent_str s, uint32_t *steps) {
	if (!s.n || TEXT_IS(s, "none"))
		return 0;
	if (TEXT_IS(s, "ordered") || TEXT_IS(s, "orderedThenAbandonedCart"))
		*steps |= ENT_STEP_PURCHASE | ENT_STEP_CART;
	else if (TEXT_IS(s, "abandonedCart"))
		*steps |= ENT_STEP_CART;
	else
		return -1;
	return 0;
}

ent_str mat__channel(const ent_str f[VISIT_FIELDS]) {
	return f[VISIT_CAMPAIGN_MEDIUM].n ? f[VISIT_CAMPAIGN_MEDIUM] : f[VISIT_REFERRER_TYPE];
}

ent_str mat__campaign(const ent_str f[VISIT_FIELDS]) {
	int named = !f[VISIT_CAMPAIGN].n && TEXT_IS(f[VISIT_REFERRER_TYPE], "campaign");
	return named ? f[VISIT_REFERRER] : f[VISIT_CAMPAIGN];
}

static void origin(const ent_str f[VISIT_FIELDS], ent_visit *v) {
	v->channel = mat__channel(f);
	v->campaign = mat__campaign(f);
	v->source = f[VISIT_CAMPAIGN_SOURCE].n                    ? f[VISIT_CAMPAIGN_SOURCE]
				: TEXT_IS(f[VISIT_REFERRER_TYPE], "campaign") ? (ent_str){NULL, 0}
															  : f[VISIT_REFERRER];
}

ent_status mat__visit(matomo *m, const ent_str f[VISIT_FIELDS], json_object *actions, uint64_t place) {
	char key[128], country[2];
	ent_visit v = {.h = {.place = place}, .device = f[VISIT_DEVICE]};
	int64_t n = 0;
	int k = snprintf(key, sizeof key, "%.*s/%.*s", (int)f[VISIT_SITE].n, f[VISIT_SITE].n ? f[VISIT_SITE].p : "",
		(int)f[VISIT_ID].n, f[VISIT_ID].n ? f[VISIT_ID].p : "");
	if (!f[VISIT_ID].n || f[VISIT_ID].n > 40 || f[VISIT_SITE].n > 40)
		return reject(m, place, "a visit without an idVisit");
	v.h.key = (ent_str){key, (size_t)k};
	const char *why = times(m, f, &v);
	if (why)
		return reject(m, place, why);
	if (TEXT_IS(f[VISIT_TYPE], "new") || TEXT_IS(f[VISIT_TYPE], "returning") ||
		TEXT_IS(f[VISIT_TYPE], "returningCustomer")) {
		v.is_new = f[VISIT_TYPE].n == 3;
		v.h.has |= ENT_HAS_NEW;
	} else if (f[VISIT_TYPE].n) {
		return reject(m, place, "an unknown visitorType: new, returning and returningCustomer are known");
	}
	if (status(f[VISIT_STATUS], &v.steps))
		return reject(m, place,
			"an unknown visitEcommerceStatus: none, ordered, abandonedCart and orderedThenAbandonedCart are known");
	if (!number(f[VISIT_DURATION], DURATION_MAX, &n))
		v.engaged_us = n * 1000000;
	if (!number(f[VISIT_INTERACTIONS], UINT32_MAX, &n)) { /* Matomo's own bounce: one interaction, or none */
		v.engaged = n > 1;
		v.h.has |= ENT_HAS_ENGAGED;
	}
	if (f[VISIT_VISITOR].n || f[VISIT_USER].n)
		v.visitor = m->host->identity(m->ctx, ENT_ID_COOKIE, f[VISIT_VISITOR].n ? f[VISIT_VISITOR] : f[VISIT_USER]);
	origin(f, &v);
	for (int i = 0; i < 2 && f[VISIT_COUNTRY].n == 2; i++)
		country[i] = (char)(text_lower(f[VISIT_COUNTRY].p[i]) & ~0x20);
	if (f[VISIT_COUNTRY].n == 2 && memcmp(country, "XX", 2) && country[0] >= 'A' && country[0] <= 'Z' &&
		country[1] >= 'A' && country[1] <= 'Z')
		v.country = (ent_str){country, 2};
	if (json_object_is_type(actions, json_type_array)) {
		mat_seen seen = {0};
		ent_status e = mat__actions(m, f, actions, place, v.until.kind ? v.until : v.at, &seen);
		if (e)
			return e;
		v.steps |= seen.steps;
		v.pageviews = seen.pageviews;
		v.purchases = seen.purchases;
		v.load_ms = seen.load_ms;
		v.loads = seen.loads;
		v.landing = seen.landing;
		v.h.has |= seen.loads ? ENT_HAS_LOAD : 0;
	} else if (!number(f[VISIT_ACTIONS], UINT32_MAX, &n)) {
		v.pageviews = (uint32_t)n;
	}
	m->seen |= 1u << ENT_VISIT;
	return m->host->push(m->ctx, ENT_VISIT, &v, sizeof v, 1);
}
