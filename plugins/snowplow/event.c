/* SPDX-License-Identifier: Apache-2.0
 *
 * What an event means: a part of a session, a step of its cart, a purchase.
 */
#include "snowplow.h"

#include <stdio.h>

json_object *context(const snowplow *s, const char *name) {
	json_object *data = jsonl_member(s->contexts, "data");
	char part[64];
	snprintf(part, sizeof part, "/%s/", name);
	for (size_t i = 0; i < jsonl_length(data); i++) {
		json_object *c = json_object_array_get_idx(data, i);
		if (text_has_fold(jsonl_text(c, "schema"), part))
			return jsonl_member(c, "data");
	}
	return NULL;
}

/* YYYY-MM-DD HH:MM:SS[.mmm], in UTC. 0 or -1. */
static int time_of(ent_str t, int64_t *us, int64_t *day) {
	int64_t y, m, d, hour, minute, second, part = 0;
	if (t.n < 19 || t.n > 26 || t.p[4] != '-' || t.p[7] != '-' || (t.p[10] != ' ' && t.p[10] != 'T') ||
		t.p[13] != ':' || t.p[16] != ':' || text_digits(t.p, 4, &y) || text_digits(t.p + 5, 2, &m) ||
		text_digits(t.p + 8, 2, &d) || text_digits(t.p + 11, 2, &hour) || text_digits(t.p + 14, 2, &minute) ||
		text_digits(t.p + 17, 2, &second) || hour > 23 || minute > 59 || second > 60 ||
		text_date_of((unsigned)y, (unsigned)m, (unsigned)d, day))
		return -1;
	if (t.n > 20 && t.p[19] == '.') {
		if (text_digits(t.p + 20, t.n - 20, &part))
			return -1;
		for (size_t i = t.n - 20; i < 6; i++)
			part *= 10;
	} else if (t.n != 19 && !(t.n == 20 && t.p[19] == 'Z')) {
		return -1;
	}
	*us = ((*day * 24 + hour) * 60 + minute) * 60000000 + second * 1000000 + part;
	return 0;
}

static void saw_day(snowplow *s, int64_t day) {
	int i = s->n_days;
	while (i && s->days[i - 1] > day)
		i--;
	if ((i && s->days[i - 1] == day) || s->n_days == DAYS_MAX)
		return;
	memmove(s->days + i + 1, s->days + i, (size_t)(s->n_days - i) * sizeof *s->days);
	s->days[i] = day;
	s->n_days++;
}

/* A field of JSON. ENT_OK and *out (NULL: it is empty), ENT_ENOTFORMAT: broken, or ENT_ENOMEM. */
static ent_status parse(snowplow *s, int field, json_object **out) {
	ent_str text = s->f[field];
	*out = NULL;
	if (!text.n)
		return ENT_OK;
	json_tokener_reset(s->tokener);
	errno = 0;
	*out = json_tokener_parse_ex(s->tokener, text.p, (int)text.n);
	int no_memory = jsonl_no_memory(s->tokener, *out, text);
	if (!no_memory && *out && json_tokener_get_parse_end(s->tokener) == text.n &&
		json_object_is_type(*out, json_type_object))
		return ENT_OK;
	json_object_put(*out);
	*out = NULL;
	return no_memory ? ENT_ENOMEM : ENT_ENOTFORMAT;
}

/* What the enrichments say of it: the list of the IAB, or the reading of the user agent. */
static int is_robot(ent_str derived) {
	return text_has_fold(derived, "\"spiderorrobot\":true") || text_has_fold(derived, "\"deviceclass\":\"robot") ||
		   text_has_fold(derived, "\"agentclass\":\"robot");
}

/* The browser's session, else that of an app; a server has none. */
static void session_of(snowplow *s) {
	ent_str *f = s->f, who = f[F_DOMAIN_USER];
	json_object *app = context(s, "client_session");
	int n = -1;
	if (f[F_SESSION].n && f[F_SESSION].n <= KEY_MAX)
		n = snprintf(s->session, sizeof s->session, "%.*s", (int)f[F_SESSION].n, f[F_SESSION].p);
	else if (who.n && who.n < 128 && f[F_SESSION_INDEX].n && f[F_SESSION_INDEX].n < 24)
		n = snprintf(s->session, sizeof s->session, "%.*s/%.*s", (int)who.n, who.p, (int)f[F_SESSION_INDEX].n,
			f[F_SESSION_INDEX].p);
	else if (app && jsonl_text(app, "sessionId").n)
		n = snprintf(s->session, sizeof s->session, "%.*s", KEY_MAX, jsonl_text(app, "sessionId").p);
	s->key = n > 0 ? (ent_str){s->session, (size_t)n} : (ent_str){NULL, 0};
	if (!who.n)
		who = app ? jsonl_text(app, "userId") : f[F_NETWORK_USER];
	s->visitor = s->host->identity(s->ctx, ENT_ID_COOKIE, who);
}

static ent_time instant(int64_t us) {
	return (ent_time){.v = us, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT};
}

/* Steps of a self-describing event: of the e-commerce schemas, or the older ones of single actions. *shop: it is one.
 */
static uint32_t steps_of(json_object *unstruct, ent_str *action) {
	json_object *event = jsonl_member(unstruct, "data"), *data = jsonl_member(event, "data");
	ent_str schema = jsonl_text(event, "schema");
	static const struct {
		const char *word;
		uint32_t step;
	} actions[] = {{"product_view", ENT_STEP_ITEM}, {"add_to_cart", ENT_STEP_CART},
		{"checkout_step", ENT_STEP_CHECKOUT}, {"transaction", ENT_STEP_PURCHASE}};
	*action = text_has_fold(schema, "/snowplow_ecommerce_action/") ? jsonl_text(data, "type")
			  : text_has_fold(schema, "/add_to_cart/")             ? TEXT("add_to_cart")
			  : text_has_fold(schema, "/remove_from_cart/")        ? TEXT("remove_from_cart")
																   : (ent_str){NULL, 0};
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (text_is_fold(*action, actions[i].word))
			return actions[i].step;
	return 0;
}

static ent_status visit(snowplow *s, uint64_t place, uint32_t steps, int screen) {
	ent_str *f = s->f;
	ent_visit v = {.h = {.place = place, .key = s->key, .has = ENT_HAS_ENGAGED},
		.at = instant(s->at),
		.until = instant(s->at),
		.visitor = s->visitor};
	v.steps = steps;
	v.pageviews = screen || TEXT_IS(f[F_EVENT], "page_view");
	v.purchases = (steps & ENT_STEP_PURCHASE) != 0;
	v.engaged = TEXT_IS(f[F_EVENT], "page_ping");
	if (f[F_SESSION_INDEX].n) {
		v.h.has |= ENT_HAS_NEW;
		v.is_new = TEXT_IS(f[F_SESSION_INDEX], "1");
	}
	v.channel = text_given(f[F_MEDIUM].n ? f[F_MEDIUM] : f[F_REFR_MEDIUM]);
	v.source = text_given(f[F_SOURCE].n ? f[F_SOURCE] : f[F_REFR_SOURCE].n ? f[F_REFR_SOURCE] : f[F_REFR_HOST]);
	v.campaign = text_given(f[F_CAMPAIGN]);
	v.country = text_given(f[F_COUNTRY]);
	v.device = text_given(f[F_DEVICE]);
	v.landing = text_given(f[F_PATH]);
	return s->host->push(s->ctx, ENT_VISIT, &v, sizeof v, 1);
}

static ent_status cart_step(snowplow *s, uint64_t place, ent_str action, uint32_t steps, ent_str bought) {
	int changes = TEXT_IS(action, "add_to_cart") || TEXT_IS(action, "remove_from_cart");
	if (!changes && !(steps & (ENT_STEP_CHECKOUT | ENT_STEP_PURCHASE)))
		return ENT_OK;
	cart *x = carts_get(&s->carts, s->key, place);
	if (!x)
		return ENT_ENOMEM;
	x->visitor = s->visitor;
	if (TEXT_IS(action, "add_to_cart") && s->at < x->first) {
		x->first = s->at;
		x->place = place;
	}
	x->last = s->at > x->last ? s->at : x->last;
	x->checkout |= (steps & ENT_STEP_CHECKOUT) != 0;
	json_object *p;
	for (size_t i = 0; changes && (p = product(s, i)); i++)
		carts_content(x, jsonl_text(p, "id"), TEXT_IS(action, "add_to_cart") ? 1 : -1);
	json_object *c = changes ? context(s, "cart") : NULL;
	ent_str value = jsonl_text(c, "total_value");
	int64_t micro;
	if (value.n && s->at >= x->valued && !text_money(s->host, value, &micro) &&
		!currency_of(s, jsonl_text(c, "currency"), x->currency)) {
		x->value = micro;
		x->valued = s->at;
	}
	return bought.n && carts_order(&s->carts, x, bought) ? ENT_ENOMEM : ENT_OK;
}

static ent_status with_json(snowplow *s, uint64_t place) {
	ent_str action = {NULL, 0}, bought = {NULL, 0};
	ent_status e = ENT_OK;
	uint32_t steps = s->unstruct ? steps_of(s->unstruct, &action) : 0;
	int old = TEXT_IS(s->f[F_EVENT], "transaction"), item = TEXT_IS(s->f[F_EVENT], "transaction_item");
	steps |= old ? (uint32_t)ENT_STEP_PURCHASE : 0;
	session_of(s);
	if (steps & ENT_STEP_PURCHASE)
		e = old ? old_transaction(s, place, &bought) : transaction(s, place, &bought);
	if (!e && item)
		e = old_item(s, place);
	if (e)
		return e;
	if (!s->key.n) {
		if (!bought.n && !item)
			s->host->skip(s->ctx, place, "an event without a session");
		return ENT_OK;
	}
	json_object *self = jsonl_member(s->unstruct, "data");
	e = visit(s, place, steps, text_has_fold(jsonl_text(self, "schema"), "/screen_view/"));
	return e ? e : cart_step(s, place, action, steps, bought);
}

ent_status event(snowplow *s, uint64_t place) {
	ent_str *f = s->f;
	int64_t day;
	if (!f[F_EVENT_ID].n) {
		s->host->reject(s->ctx, place, ENT_NO_COLUMN, "an event without event_id");
		return ENT_OK;
	}
	if (is_robot(f[F_DERIVED_CONTEXTS])) {
		s->host->skip(s->ctx, place, "an event of a robot, as the enrichments say");
		return ENT_OK;
	}
	int before = seen_before(&s->events, f[F_EVENT_ID], f[F_FINGERPRINT]);
	if (before) {
		if (before > 0)
			s->host->skip(s->ctx, place, "an event that came before: they are delivered at least once");
		return before > 0 ? ENT_OK : ENT_ENOMEM;
	}
	ent_str when = f[F_TRUE].n ? f[F_TRUE] : f[F_DERIVED].n ? f[F_DERIVED] : f[F_COLLECTOR];
	if (time_of(when, &s->at, &day)) {
		s->host->reject(s->ctx, place, ENT_NO_COLUMN, "its time is none: YYYY-MM-DD HH:MM:SS.mmm is expected");
		return ENT_OK;
	}
	ent_status e = parse(s, F_CONTEXTS, &s->contexts);
	const char *why = e ? "contexts is no JSON object" : "unstruct_event is no JSON object";
	e = e ? e : parse(s, F_UNSTRUCT, &s->unstruct);
	if (e) {
		json_object_put(s->contexts);
		s->contexts = NULL;
		if (e == ENT_ENOTFORMAT)
			s->host->reject(s->ctx, place, ENT_NO_COLUMN, why);
		return e == ENT_ENOTFORMAT ? ENT_OK : e;
	}
	saw_day(s, day);
	errno = 0; /* numbers of JSON become texts in memory of their own */
	e = with_json(s, place);
	json_object_put(s->contexts);
	json_object_put(s->unstruct);
	s->contexts = s->unstruct = NULL;
	return !e && errno == ENOMEM ? ENT_ENOMEM : e;
}
