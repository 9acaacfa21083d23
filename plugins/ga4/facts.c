/* SPDX-License-Identifier: Apache-2.0
 *
 * What an event means: a step of a visit, a purchase, a refund.
 */
#include "ga4.h"

#include <stdio.h>

static const char no_currency[] =
	"a purchase without a currency; set the option currency to what the property reports in";

/* A load time beyond an hour is a clock that was set, not a page that loaded. */
enum { LOAD_MS_MAX = 3600000 };

static int day_of(ga4 *g, const event_value *v, int64_t *day) {
	int64_t n;
	if (v->n != 8 || (v->kind != VALUE_STRING && v->kind != VALUE_NUMBER))
		return -1;
	if (memcmp(v->p, g->date_text, 8)) {
		if (text_digits(v->p, 8, &n) ||
			text_date_of((unsigned)(n / 10000), (unsigned)(n / 100 % 100), (unsigned)(n % 100), &g->date_day)) {
			g->date_text[0] = 0;
			return -1;
		}
		memcpy(g->date_text, v->p, 8);
	}
	*day = g->date_day;
	return 0;
}

/* Days seen, for documents whose name says nothing. Beyond GA4_DAYS_MAX days the rest is simply not declared. */
static void saw_day(ga4 *g, int64_t day) {
	uint32_t i = g->n_days;
	if (i && g->days[i - 1] == day)
		return;
	while (i && g->days[i - 1] > day)
		i--;
	if ((i && g->days[i - 1] == day) || g->n_days == GA4_DAYS_MAX)
		return;
	memmove(g->days + i + 1, g->days + i, (g->n_days - i) * sizeof *g->days);
	g->days[i] = day;
	g->n_days++;
}

static uint32_t step_of(ent_str s) {
	switch (s.n) {
	case 8:
		return TEXT_IS(s, "purchase") ? ENT_STEP_PURCHASE : 0;
	case 9:
		return TEXT_IS(s, "view_item") ? ENT_STEP_ITEM : 0;
	case 11:
		return TEXT_IS(s, "add_to_cart") ? ENT_STEP_CART : 0;
	case 14:
		return TEXT_IS(s, "begin_checkout") ? ENT_STEP_CHECKOUT : 0;
	case 16:
		return TEXT_IS(s, "add_payment_info") ? ENT_STEP_PAYMENT : 0;
	case 17:
		return TEXT_IS(s, "add_shipping_info") ? ENT_STEP_SHIPPING : 0;
	default:
		return 0;
	}
}

static int given(const event_value *v) { return v->kind == VALUE_STRING && v->n && !TEXT_IS(*v, "(not set)"); }

static int names_source(const event_value traffic[TRAFFIC_COUNT]) {
	return given(&traffic[TRAFFIC_MEDIUM]) || given(&traffic[TRAFFIC_SOURCE]);
}

/* The session's own last click where the export has it (since July 2024): by the marks in the address, else as Google's
 * advertisements tell. Else what this event came with; an advertisement's click id alone means what it means to Google.
 * Else the user's first touch, all that older exports have. */
static const event_value *traffic(const event *e, int which) {
	static const event_value clicked[TRAFFIC_COUNT] = {
		[TRAFFIC_MEDIUM] = {"cpc", 3, VALUE_STRING}, [TRAFFIC_SOURCE] = {"google", 6, VALUE_STRING}};
	if (names_source(e->last_click))
		return &e->last_click[which];
	if (names_source(e->cross_channel))
		return &e->cross_channel[which];
	if (names_source(e->collected))
		return &e->collected[which];
	return given(&e->collected[TRAFFIC_COUNT]) ? &clicked[which] : &e->first_user[which];
}

static int truth(const event_value *v) { return v->n == 1 ? v->p[0] == '1' : v->kind == VALUE_WORD && v->p[0] == 't'; }

static uint32_t add32(uint32_t a, uint32_t b) { return a > UINT32_MAX - b ? UINT32_MAX : a + b; }

static void counters(ga4 *g, session *x, const event *e, ent_str name) {
	int64_t v;
	x->steps |= step_of(name);
	if (TEXT_IS(name, "page_view") || TEXT_IS(name, "screen_view"))
		x->pageviews = add32(x->pageviews, 1);
	if (TEXT_IS(name, "purchase"))
		x->purchases = add32(x->purchases, 1);
	if (truth(&e->param[PARAM_ENGAGED]) || truth(&e->param[PARAM_ENGAGED_EVENT]))
		x->engaged = 1;
	if (e->param[PARAM_SESSION_NUMBER].kind) {
		x->has_new = 1;
		if (truth(&e->param[PARAM_SESSION_NUMBER]))
			x->is_new = 1;
	}
	if (e->param[PARAM_ENGAGEMENT].kind && !ga4__int(&e->param[PARAM_ENGAGEMENT], &v) && v > 0 && v < 86400000)
		x->engaged_us += v * 1000;
	if (e->param[PARAM_LOAD].kind && !ga4__decimal(g, &e->param[PARAM_LOAD], &v) && v > 0 &&
		v / 1000000 <= LOAD_MS_MAX) {
		x->load_ms = add32(x->load_ms, (uint32_t)((v + 500000) / 1000000));
		x->loads = add32(x->loads, 1);
	}
	if (e->consent.kind == VALUE_STRING && e->consent.n) {
		uint8_t consent = text_lower(e->consent.p[0]) == 'y' ? 1 : text_lower(e->consent.p[0]) == 'n' ? 2 : 0;
		if (consent > x->consent)
			x->consent = consent;
	}
}

/* Where the visit came from, and where it landed, is what its first event says: the click is recorded there, and later
 * events repeat it or not. */
static int texts(ga4 *g, session *x, const event *e) {
	sessions *s = &g->sessions;
	for (int i = 0; i < TRAFFIC_COUNT; i++)
		if (sessions_text(s, x, SESSION_CHANNEL + i, ga4__word(g, traffic(e, i))))
			return -1;
	if (sessions_text(s, x, SESSION_LANDING, ga4__path(ga4__text(g, &e->param[PARAM_LOCATION]))) ||
		sessions_text(s, x, SESSION_COUNTRY, ga4__word(g, &e->country)) ||
		sessions_text(s, x, SESSION_DEVICE, ga4__word(g, &e->category)))
		return -1;
	return 0;
}

static ent_status visit(
	ga4 *g, const event *e, uint64_t place, int64_t day, int64_t stamp, ent_str name, ent_str user, ent_str number) {
	int fresh;
	if (sessions_full(&g->sessions)) {
		ent_status s = ga4__flush(g);
		if (s)
			return s;
	}
	session *x = sessions_get(&g->sessions, e->date.p, user, number, &fresh);
	if (!x)
		return ENT_ENOMEM;
	counters(g, x, e, name);
	if (fresh || stamp > x->until)
		x->until = stamp;
	if (!fresh && stamp >= x->at)
		return ENT_OK;
	x->day = day;
	x->at = stamp;
	x->place = place;
	return texts(g, x, e) ? ENT_ENOMEM : ENT_OK;
}

/* `<user>/<timestamp>`, for purchases that nobody numbered. */
static ent_str made_key(char *room, size_t size, ent_str user, int64_t stamp, const char *mark) {
	int n = snprintf(room, size, "%.*s/%s%lld", (int)user.n, user.n ? user.p : "", mark, (long long)stamp);
	return (ent_str){room, n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1};
}

static ent_str transaction_of(ga4 *g, const event *e) {
	ent_str key = ga4__word(g, &e->money[MONEY_TRANSACTION]);
	return key.n ? key : ga4__word(g, &e->param[PARAM_TRANSACTION]);
}

static int currency_of(ga4 *g, const event *e, char out[4]) {
	ent_str s = ga4__word(g, &e->param[PARAM_CURRENCY]);
	memcpy(out, g->currency, 4);
	if (s.n == 3) {
		for (int i = 0; i < 3; i++)
			out[i] = (char)(s.p[i] >= 'a' && s.p[i] <= 'z' ? s.p[i] & ~0x20 : s.p[i]);
		out[3] = 0;
	}
	return out[0] ? 0 : -1;
}

/* *has gets `bit` if an amount was given. -1: given, and no amount. */
static int amount_of(
	ga4 *g, const event_value *v, const event_value *other, int64_t *out, uint64_t bit, uint64_t *has) {
	if (!v->kind)
		v = other;
	if (!v->kind)
		return 0;
	if (ga4__decimal(g, v, out))
		return -1;
	*has |= bit;
	return 0;
}

static ent_status purchase(ga4 *g, const event *e, uint64_t place, int64_t day, int64_t stamp, ent_str user) {
	char room[SESSION_KEY_MAX + 32];
	ent_order o = {.h = {.place = place, .key = transaction_of(g, e)},
		.at = {.v = day, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_DATE}};
	if (!o.h.key.n)
		o.h.key = made_key(room, sizeof room, user, stamp, "");
	if (o.h.key.n > SESSION_KEY_MAX) {
		g->host->reject(g->ctx, place, ENT_NO_COLUMN, "transaction_id is longer than 255 bytes");
		return ENT_OK;
	}
	if (currency_of(g, e, o.currency)) {
		g->host->reject(g->ctx, place, ENT_NO_COLUMN, no_currency);
		return ENT_OK;
	}
	if (amount_of(
			g, &e->money[MONEY_REVENUE], &e->param[PARAM_VALUE], &o.total, ENT_HAS_TOTAL | ENT_HAS_GROSS, &o.h.has)) {
		g->host->reject(g->ctx, place, ENT_NO_COLUMN, "purchase_revenue is not an amount");
		return ENT_OK;
	}
	o.gross = o.total;
	o.channel = ga4__word(g, traffic(e, TRAFFIC_MEDIUM));
	o.campaign = ga4__word(g, traffic(e, TRAFFIC_CAMPAIGN));
	return g->host->push(g->ctx, ENT_ORDER, &o, sizeof o, 1);
}

static ent_status refund(ga4 *g, const event *e, uint64_t place, int64_t day, int64_t stamp) {
	char room[SESSION_KEY_MAX + 32];
	ent_refund r = {.h = {.place = place},
		.order_key = transaction_of(g, e),
		.at = {.v = day, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_DATE}};
	if (!r.order_key.n) {
		g->host->reject(
			g->ctx, place, ENT_NO_COLUMN, "a refund without a transaction_id: of which purchase is not known");
		return ENT_OK;
	}
	r.h.key = made_key(room, sizeof room, r.order_key, stamp, "refund/");
	if (r.h.key.n > SESSION_KEY_MAX) {
		g->host->reject(g->ctx, place, ENT_NO_COLUMN, "transaction_id is longer than 255 bytes");
		return ENT_OK;
	}
	if (currency_of(g, e, r.currency))
		r.currency[0] = 0; /* that of the purchase */
	if (amount_of(g, &e->money[MONEY_REFUND], &e->param[PARAM_VALUE], &r.amount, ENT_HAS_AMOUNT, &r.h.has)) {
		g->host->reject(g->ctx, place, ENT_NO_COLUMN, "refund_value is not an amount");
		return ENT_OK;
	}
	return g->host->push(g->ctx, ENT_REFUND, &r, sizeof r, 1);
}

ent_status ga4__event(ga4 *g, const event *e, uint64_t place) {
	int64_t day, stamp = 0;
	g->scratch_used = 0;
	if (day_of(g, &e->date, &day)) {
		g->host->reject(g->ctx, place, ENT_NO_COLUMN, "event_date is not a day written YYYYMMDD");
		return ENT_OK;
	}
	if (ga4__int(&e->timestamp, &stamp)) {
		g->host->reject(g->ctx, place, ENT_NO_COLUMN, "event_timestamp is not a number of microseconds");
		return ENT_OK;
	}
	ent_str name = ga4__text(g, &e->name), user = ga4__word(g, &e->user), number = {NULL, 0};
	int64_t any;
	if (e->param[PARAM_SESSION_ID].kind && !ga4__int(&e->param[PARAM_SESSION_ID], &any))
		number = (ent_str){e->param[PARAM_SESSION_ID].p, e->param[PARAM_SESSION_ID].n};
	if (user.n > SESSION_KEY_MAX - 40) {
		g->host->reject(g->ctx, place, ENT_NO_COLUMN, "user_pseudo_id is too long");
		return ENT_OK;
	}
	saw_day(g, day);
	if (number.n) {
		ent_status s = visit(g, e, place, day, stamp, name, user, number);
		if (s)
			return s;
	}
	if (TEXT_IS(name, "purchase"))
		return purchase(g, e, place, day, stamp, user);
	if (TEXT_IS(name, "refund"))
		return refund(g, e, place, day, stamp);
	if (!number.n)
		g->host->skip(g->ctx, place, "an event outside of any session: it has no ga_session_id");
	return ENT_OK;
}

ent_status ga4__flush(ga4 *g) {
	sessions *s = &g->sessions;
	ent_visit batch[64];
	ent_status e = ENT_OK;
	for (uint32_t i = 0; i < s->n && !e;) {
		size_t n = 0;
		for (; n < sizeof batch / sizeof *batch && i < s->n; n++, i++) {
			const session *x = &s->items[i];
			ent_visit *v = &batch[n];
			*v = (ent_visit){.h = {.has = ENT_HAS_ENGAGED, .place = x->place, .key = {s->texts + x->key, x->key_n}},
				.at = {.v = x->at, .kind = ENT_TIME_INSTANT},
				.until = {.v = x->until, .kind = ENT_TIME_INSTANT},
				.day = {.v = x->day, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_DATE},
				.consent = x->consent,
				.engaged = x->engaged,
				.is_new = x->is_new,
				.steps = x->steps,
				.pageviews = x->pageviews,
				.purchases = x->purchases,
				.load_ms = x->load_ms,
				.loads = x->loads,
				.engaged_us = x->engaged_us,
				.channel = sessions_get_text(s, x, SESSION_CHANNEL),
				.source = sessions_get_text(s, x, SESSION_SOURCE),
				.campaign = sessions_get_text(s, x, SESSION_CAMPAIGN),
				.country = sessions_get_text(s, x, SESSION_COUNTRY),
				.device = sessions_get_text(s, x, SESSION_DEVICE),
				.landing = sessions_get_text(s, x, SESSION_LANDING)};
			if (x->has_new)
				v->h.has |= ENT_HAS_NEW;
			if (x->loads)
				v->h.has |= ENT_HAS_LOAD;
			if (x->user_n)
				v->visitor = g->host->identity(g->ctx, ENT_ID_COOKIE, (ent_str){s->texts + x->user, x->user_n});
		}
		e = g->host->push(g->ctx, ENT_VISIT, batch, sizeof *batch, n);
	}
	sessions_clear(s);
	return e;
}
