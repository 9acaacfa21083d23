/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of the Data API's metrics and dimensions, and where the rows of an answer stand in its text.
 */
#include "report.h"

#include <stdlib.h>

/* Rates and averages are left out: they can be made of the sums, and not the other way. */
static const report_metric metrics[] = {
	{"sessions", "sessions", "count", 1},
	{"engagedSessions", "sessions.engaged", "count", 1},
	{"newUsers", "sessions.new", "count", 1},
	{"totalUsers", "visitors", "count", 0},
	{"activeUsers", "visitors.active", "count", 0},
	{"screenPageViews", "pageviews", "count", 1},
	{"userEngagementDuration", "attention", "seconds", 1},
	{"ecommercePurchases", "purchases", "count", 1},
	{"transactions", "orders", "count", 1},
	{"purchaseRevenue", "total", "money", 1},
	{"grossPurchaseRevenue", "total.placed", "money", 1},
	{"itemRevenue", "revenue.net", "money", 1},
	{"grossItemRevenue", "revenue.placed", "money", 1},
	{"itemsPurchased", "units", "count", 1},
	{"refundAmount", "refunds", "money", 1},
	{"shippingAmount", "shipping", "money", 1},
	{"taxAmount", "tax", "money", 1},
	{"addToCarts", "carts.added", "count", 1},
	{"checkouts", "checkouts", "count", 1},
};

static const struct {
	const char *name, *view;
} dims[] = {
	{"sessionMedium", "channel"},
	{"medium", "channel"},
	{"sessionDefaultChannelGroup", "channel"},
	{"defaultChannelGroup", "channel"},
	{"sessionSource", "source"},
	{"source", "source"},
	{"sessionCampaignName", "campaign"},
	{"campaignName", "campaign"},
	{"countryId", "country"},
	{"country", "country"},
	{"deviceCategory", "device"},
	{"landingPage", "landing"},
	{"itemId", "product"},
	{"itemName", "product"},
	{"itemCategory", "category"},
};

static int is(ent_str s, const char *name) { return strlen(name) == s.n && !memcmp(s.p, name, s.n); }

const report_metric *report_metric_of(ent_str name) {
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
		if (is(name, metrics[i].name))
			return &metrics[i];
	return NULL;
}

const char *report_dim_of(ent_str name) {
	for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
		if (is(name, dims[i].name))
			return dims[i].view;
	return NULL;
}

/* ---- places ---- */

static int note_row(report_places *p, uint64_t at) {
	if (p->n == p->room) {
		size_t room = p->room * 2 + 256;
		uint64_t *q = realloc(p->at, room * sizeof *q);
		if (!q)
			return -1;
		p->at = q;
		p->room = room;
	}
	p->at[p->n++] = at;
	return 0;
}

static int note_report(report_places *p) {
	if (p->reports == p->reports_room) {
		size_t room = p->reports_room * 2 + 16;
		size_t *q = realloc(p->first, room * sizeof *q);
		if (!q)
			return -1;
		p->first = q;
		p->reports_room = room;
	}
	p->first[p->reports++] = p->n;
	return 0;
}

/* Behind the string that begins at s. */
static const char *behind_string(const char *s, const char *end) {
	for (s++; s < end && *s != '"'; s++)
		s += *s == '\\' && s + 1 < end;
	return s < end ? s + 1 : end;
}

int report_places_find(report_places *p, ent_str text) {
	const char *end = text.p + text.n;
	int depth = 0, inside = 0; /* inside: depth within a list of rows; 0: outside of one */
	p->n = p->reports = 0;
	for (const char *s = text.p; s < end;) {
		if (*s == '"') {
			const char *after = behind_string(s, end), *next = after;
			while (next < end && text_blank(*next))
				next++;
			int key = next < end && *next == ':' && after - s == 6 && !memcmp(s, "\"rows\"", 6) && !inside;
			s = after;
			if (!key)
				continue;
			for (s = next + 1; s < end && text_blank(*s); s++)
				;
			if (s < end && *s == '[') {
				inside = ++depth;
				if (note_report(p))
					return -1;
				s++;
			}
			continue;
		}
		if (*s == '{' && inside && depth == inside && note_row(p, (uint64_t)(s - text.p)))
			return -1;
		depth += *s == '{' || *s == '[';
		if (*s == '}' || *s == ']') {
			if (inside && depth == inside)
				inside = 0;
			depth--;
		}
		s++;
	}
	return 0;
}

uint64_t report_place(const report_places *p, size_t number, size_t i) {
	size_t n = number < p->reports ? p->first[number] + i : p->n;
	return n < p->n ? p->at[n] : 0;
}

void report_places_finish(report_places *p) {
	free(p->at);
	free(p->first);
	*p = (report_places){0};
}
