/* SPDX-License-Identifier: Apache-2.0
 *
 * From a line and its bitmaps to an event. Keys are told by their length first, and whatever is not wanted is jumped
 * over: parts that are jumped over are checked for quotes and brackets that close, and no further.
 */
#include "event.h"

typedef struct cursor {
	const scan *s;
	const char *p; /* p[s->n] can be read: it is the line's end */
	size_t at;
	const char *wrong;
} cursor;

typedef struct want {
	const char *key;
	uint32_t n;
} want;

#define WANT(text)                                                                                                     \
	{ text, sizeof(text) - 1 }
#define IS(k, n, text) ((n) == sizeof(text) - 1 && !memcmp(k, text, sizeof(text) - 1))

static inline void blanks(cursor *c) {
	while (c->p[c->at] == ' ' || c->p[c->at] == '\t' || c->p[c->at] == '\r')
		c->at++;
}

static int wrong(cursor *c, const char *what) {
	if (!c->wrong)
		c->wrong = what;
	return -1;
}

/* At an opening brace: enters. 1: a key follows, 0: the object is empty and behind us. */
static inline int enter(cursor *c, char close) {
	c->at++;
	blanks(c);
	if (c->p[c->at] != close)
		return 1;
	c->at++;
	return 0;
}

/* Behind a value: 1: another follows, 0: the container is behind us, -1: broken. */
static inline int more(cursor *c, char close) {
	blanks(c);
	char ch = c->p[c->at];
	if (ch == ',') {
		c->at++;
		blanks(c);
		return 1;
	}
	if (ch == close) {
		c->at++;
		return 0;
	}
	return wrong(c, "broken JSON: a comma or a closing bracket is missing");
}

static inline int key(cursor *c, const char **k, size_t *n) {
	if (c->p[c->at] != '"')
		return wrong(c, "broken JSON: a key in quotes is missing");
	size_t end = scan_quote(c->s, c->at + 1);
	if (end >= c->s->n)
		return wrong(c, "broken JSON: a string does not end");
	*k = c->p + c->at + 1;
	*n = end - c->at - 1;
	c->at = end + 1;
	blanks(c);
	if (c->p[c->at] != ':')
		return wrong(c, "broken JSON: a colon is missing");
	c->at++;
	blanks(c);
	return 0;
}

/* Takes any value. A container is jumped over; the caller may come back to it. */
static inline int value(cursor *c, event_value *v) {
	const char *p = c->p + c->at;
	if (*p == '"') {
		size_t end = scan_quote(c->s, c->at + 1);
		if (end >= c->s->n)
			return wrong(c, "broken JSON: a string does not end");
		*v = (event_value){p + 1, (uint32_t)(end - c->at - 1), VALUE_STRING};
		c->at = end + 1;
		return 0;
	}
	if (*p == '{' || *p == '[') {
		size_t end = scan_close(c->s, c->p, c->at + 1, 1);
		if (!end)
			return wrong(c, "broken JSON: a bracket is not closed");
		*v = (event_value){p, (uint32_t)(end - c->at), *p == '{' ? VALUE_OBJECT : VALUE_ARRAY};
		c->at = end;
		return 0;
	}
	size_t n = 0;
	while ((p[n] >= '0' && p[n] <= '9') || (p[n] >= 'a' && p[n] <= 'z') || p[n] == '.' || p[n] == '-' || p[n] == '+' ||
		   p[n] == 'E')
		n++;
	c->at += n;
	if (IS(p, n, "null")) {
		*v = (event_value){0};
		return 0;
	}
	if (IS(p, n, "true") || IS(p, n, "false"))
		*v = (event_value){p, (uint32_t)n, VALUE_WORD};
	else if (n && (*p == '-' || (*p >= '0' && *p <= '9')))
		*v = (event_value){p, (uint32_t)n, VALUE_NUMBER};
	else
		return wrong(c, "broken JSON: a value is missing");
	return 0;
}

/* Reads `count` wanted keys of the object at the cursor into out, then leaves it, at once if all were seen. Anything
 * but an object is taken and leaves out as it was. */
static int object(cursor *c, const want *wants, int count, event_value *out) {
	int missing = count, m = 1;
	if (c->p[c->at] != '{') {
		event_value any;
		return value(c, &any);
	}
	if (!enter(c, '}'))
		return 0;
	while (m == 1) {
		const char *k;
		size_t n;
		event_value v;
		if (key(c, &k, &n) || value(c, &v))
			return -1;
		for (int i = 0; i < count; i++)
			if (wants[i].n == n && text_same(k, wants[i].key, n)) {
				out[i] = v;
				if (!--missing) {
					c->at = scan_close(c->s, c->p, c->at, 1);
					return c->at ? 0 : wrong(c, "broken JSON: a bracket is not closed");
				}
				break;
			}
		m = more(c, '}');
	}
	return m;
}

/* Goes back to a container that value() jumped over. */
static int inner(cursor *c, const event_value *v, const want *wants, int count, event_value *out) {
	cursor in = *c;
	if (v->kind != VALUE_OBJECT)
		return 0;
	in.at = (size_t)(v->p - c->p);
	if (!object(&in, wants, count, out))
		return 0;
	c->at = in.at;
	c->wrong = in.wrong;
	return -1;
}

static inline int param_of(const char *k, size_t n) {
	switch (n) {
	case 5:
		return IS(k, n, "value") ? PARAM_VALUE : -1;
	case 8:
		return IS(k, n, "currency") ? PARAM_CURRENCY : -1;
	case 13:
		return IS(k, n, "ga_session_id") ? PARAM_SESSION_ID : IS(k, n, "page_location") ? PARAM_LOCATION : -1;
	case 14:
		return IS(k, n, "transaction_id")                                 ? PARAM_TRANSACTION
			   : IS(k, n, "load_time_msec") || IS(k, n, "page_load_time") ? PARAM_LOAD
																		  : -1;
	case 15:
		return IS(k, n, "session_engaged") ? PARAM_ENGAGED : -1;
	case 17:
		return IS(k, n, "ga_session_number") ? PARAM_SESSION_NUMBER : -1;
	case 20:
		return IS(k, n, "engagement_time_msec") ? PARAM_ENGAGEMENT : -1;
	case 21:
		return IS(k, n, "engaged_session_event") ? PARAM_ENGAGED_EVENT : -1;
	default:
		return -1;
	}
}

/* One key arrives as any of the four types, even within one property: the first that is there counts. */
static int typed(cursor *c, const event_value *v, event_value *out) {
	static const want types[4] = {WANT("string_value"), WANT("int_value"), WANT("double_value"), WANT("float_value")};
	event_value t[4] = {{0}};
	if (inner(c, v, types, 4, t))
		return -1;
	for (int i = 0; i < 4; i++)
		if (t[i].kind) {
			*out = t[i];
			return 0;
		}
	return 0;
}

static int is_type(const char *k, size_t n) {
	switch (n) {
	case 9:
		return IS(k, n, "int_value");
	case 11:
		return IS(k, n, "float_value");
	case 12:
		return IS(k, n, "string_value") || IS(k, n, "double_value");
	default:
		return 0;
	}
}

/* The rest of a parameter as BigQuery writes it, from the quote behind its name on: `","value":{"int_value":"1"}}`.
 * 1: taken, and the cursor is behind it. 0: written in another way, and nothing has moved. */
static inline int plain_param(cursor *c, size_t at, event_value *out) {
	static const char middle[] = "\",\"value\":{\"";
	cursor in = *c;
	event_value v;
	if (c->s->n - at < sizeof middle || memcmp(c->p + at, middle, sizeof middle - 1) != 0)
		return 0;
	at += sizeof middle - 1;
	size_t end = scan_quote(c->s, at);
	if (end >= c->s->n || !is_type(c->p + at, end - at) || c->p[end + 1] != ':')
		return 0;
	in.at = end + 2;
	if (value(&in, &v) || !v.kind || c->p[in.at] != '}' || c->p[in.at + 1] != '}')
		return 0;
	*out = v;
	c->at = in.at + 2;
	return 1;
}

static int params(cursor *c, event *e) {
	static const want fields[2] = {WANT("key"), WANT("value")};
	static const char opening[] = "{\"key\":\"";
	int m = 1;
	if (c->p[c->at] != '[') {
		event_value any;
		return value(c, &any);
	}
	if (!enter(c, ']'))
		return 0;
	while (m == 1) {
		const char *p = c->p + c->at;
		int known = -1;
		if (c->s->n - c->at > sizeof opening && !memcmp(p, opening, sizeof opening - 1)) {
			/* As BigQuery writes it: the name tells at once whether the rest is worth reading. */
			size_t k = c->at + sizeof opening - 1, end = scan_quote(c->s, k);
			if (end >= c->s->n)
				return wrong(c, "broken JSON: a string does not end");
			known = param_of(c->p + k, end - k);
			if (known < 0) {
				size_t behind = scan_close(c->s, c->p, end + 1, 1);
				if (!behind)
					return wrong(c, "broken JSON: a bracket is not closed");
				c->at = behind;
				m = more(c, ']');
				continue;
			}
			if (plain_param(c, end, &e->param[known])) {
				m = more(c, ']');
				continue;
			}
		}
		event_value f[2] = {{0}};
		if (*p != '{')
			return wrong(c, "event_params is not a list of objects");
		if (object(c, fields, 2, f))
			return -1;
		if (known < 0 && f[0].kind == VALUE_STRING)
			known = param_of(f[0].p, f[0].n);
		if (known >= 0 && typed(c, &f[1], &e->param[known]))
			return -1;
		m = more(c, ']');
	}
	return m;
}

static const want privacy[] = {WANT("analytics_storage")}, device[] = {WANT("category")}, geo[] = {WANT("country")},
				  first_user[] = {WANT("medium"), WANT("source"), WANT("name")},
				  collected[] = {WANT("manual_medium"), WANT("manual_source"), WANT("manual_campaign_name"),
					  WANT("gclid")},
				  clicks[] = {WANT("manual_campaign"), WANT("cross_channel_campaign")},
				  campaign[] = {WANT("medium"), WANT("source"), WANT("campaign_name")},
				  ecommerce[] = {WANT("purchase_revenue"), WANT("refund_value"), WANT("transaction_id")};

static int member(cursor *c, const char *k, size_t n, event *e) {
	event_value v = {0};
	switch (n) {
	case 3:
		if (IS(k, n, "geo"))
			return object(c, geo, 1, &e->country);
		break;
	case 6:
		if (IS(k, n, "device"))
			return object(c, device, 1, &e->category);
		break;
	case 9:
		if (IS(k, n, "ecommerce"))
			return object(c, ecommerce, MONEY_COUNT, e->money);
		break;
	case 10:
		if (IS(k, n, "event_date"))
			return value(c, &e->date);
		if (IS(k, n, "event_name"))
			return value(c, &e->name);
		break;
	case 12:
		if (IS(k, n, "event_params"))
			return params(c, e);
		if (IS(k, n, "privacy_info"))
			return object(c, privacy, 1, &e->consent);
		break;
	case 14:
		if (IS(k, n, "user_pseudo_id"))
			return value(c, &e->user);
		if (IS(k, n, "traffic_source"))
			return object(c, first_user, TRAFFIC_COUNT, e->first_user);
		break;
	case 15:
		if (IS(k, n, "event_timestamp"))
			return value(c, &e->timestamp);
		break;
	case 24:
		if (IS(k, n, "collected_traffic_source"))
			return object(c, collected, TRAFFIC_COUNT + 1, e->collected);
		break;
	case 33:
		if (IS(k, n, "session_traffic_source_last_click")) {
			event_value kinds[2] = {{0}};
			return object(c, clicks, 2, kinds) || inner(c, &kinds[0], campaign, TRAFFIC_COUNT, e->last_click) ||
				   inner(c, &kinds[1], campaign, TRAFFIC_COUNT, e->cross_channel);
		}
		break;
	default:
		break;
	}
	return value(c, &v);
}

static const event none; /* to copy it is faster than the loop that a memset() of this size becomes */

const char *event_parse(const scan *s, const char *line, event *e, size_t *at) {
	cursor c = {.s = s, .p = line};
	int m = 1;
	*e = none;
	blanks(&c);
	if (s->open) {
		*at = s->n;
		return "broken JSON: a string does not end";
	}
	if (line[c.at] != '{') {
		*at = c.at;
		return "broken JSON: the line is no object";
	}
	if (!enter(&c, '}'))
		m = 0;
	while (m == 1) {
		const char *k;
		size_t n;
		m = key(&c, &k, &n) || member(&c, k, n, e) ? -1 : more(&c, '}');
	}
	if (!m) {
		blanks(&c);
		if (c.at != s->n)
			wrong(&c, "broken JSON: more text behind the object");
	}
	*at = c.at;
	return c.wrong;
}
