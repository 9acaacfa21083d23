/* SPDX-License-Identifier: Apache-2.0
 *
 * A fact as people read it, see fact_text.h. */
#include "command/fact_text.h"
#include "base/day.h"
#include "command/term.h"
#include "metrics/catalogue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { QUANTITY_SCALE = 3, MONEY_SCALE = 6 };

/* Fields that may be absent: without its bit a field is not there, and that is not zero. */
static const struct {
	const char *field;
	uint64_t bit;
} bits[] = {{"gross", ENT_HAS_GROSS}, {"discount", ENT_HAS_DISCOUNT}, {"shipping", ENT_HAS_SHIPPING},
	{"tax", ENT_HAS_TAX}, {"total", ENT_HAS_TOTAL}, {"refunded", ENT_HAS_REFUNDED}, {"due", ENT_HAS_DUE},
	{"tax_included", ENT_HAS_TAX_INCLUDED}, {"cost", ENT_HAS_COST}, {"quantity", ENT_HAS_QUANTITY},
	{"unit_price", ENT_HAS_UNIT_PRICE}, {"net", ENT_HAS_NET}, {"amount", ENT_HAS_AMOUNT}, {"value", ENT_HAS_VALUE},
	{"items", ENT_HAS_ITEMS}, {"load_ms", ENT_HAS_LOAD}, {"loads", ENT_HAS_LOAD}, {"minutes", ENT_HAS_MINUTES},
	{"held", ENT_HAS_HELD}, {"is_new", ENT_HAS_NEW}, {"engaged", ENT_HAS_ENGAGED}, {NULL, 0}};

static const char *const statuses[] = {"sold", "pending", "quote", "cancelled", "test"};
static const char *const refund_kinds[] = {"goods", "shipping", "adjustment"};
static const char *const consents[] = {NULL, "given", "denied"};
static const char *const directions[] = {NULL, "from us", "from them"};
static const char *const steps[] = {"item", "cart", "checkout", "shipping", "payment", "purchase"};

/* Small numbers that stand for words; of kind 0: in every kind. */
static const struct {
	unsigned kind;
	const char *field;
	const char *const *words;
	unsigned n;
} words[] = {{ENT_ORDER, "status", statuses, 5}, {ENT_REFUND, "kind", refund_kinds, 3}, {0, "consent", consents, 3},
	{0, "direction", directions, 3}, {0, "origin", ent_origin_names, ENT_ORIGIN_COUNT}, {0, NULL, NULL, 0}};

char *ent__time_text(ent_time t, bool iso, char out[48]) {
	char day[16];
	out[0] = 0;
	if (t.kind == ENT_TIME_DATE) {
		snprintf(out, 48, "%s", ent_day_text((int32_t)t.v, day));
	} else if (t.kind == ENT_TIME_MONTH) {
		snprintf(out, 48, "%.7s", ent_day_text(ent_day_of_month(t.v), day));
	} else if (t.kind == ENT_TIME_INSTANT || t.kind == ENT_TIME_LOCAL) {
		bool offset = t.kind == ENT_TIME_INSTANT && t.offset_min != ENT_NO_OFFSET;
		int64_t us = t.v + (offset ? t.offset_min * INT64_C(60000000) : 0);
		int32_t days = ent_day_of_us(us);
		int64_t rest = us - days * ENT_US_PER_DAY, seconds = rest / 1000000;
		int n = snprintf(out, 48, "%s%c%02d:%02d:%02d", ent_day_text(days, day), iso ? 'T' : ' ', (int)(seconds / 3600),
			(int)(seconds / 60 % 60), (int)(seconds % 60));
		if (rest % 1000000) {
			n += snprintf(out + n, 48 - (size_t)n, ".%06d", (int)(rest % 1000000));
		}
		int minutes = t.offset_min < 0 ? -t.offset_min : t.offset_min;
		if (t.kind == ENT_TIME_INSTANT && (!offset || !t.offset_min)) {
			snprintf(out + n, 48 - (size_t)n, iso ? "Z" : " UTC");
		} else if (offset) {
			snprintf(out + n, 48 - (size_t)n, "%s%c%02d:%02d", iso ? "" : " ", t.offset_min < 0 ? '-' : '+',
				minutes / 60, minutes % 60);
		}
	}
	return out;
}

/* ---- what a field says
 * ------------------------------------------------------------------------------------------------- */

typedef struct said {
	const char *name;
	enum { NOTHING, TEXT, NUMBER, MONEY, TRUTH } what;
	char text[64]; /* TEXT of its own making */
	const char *p; /* TEXT: it or another one */
	__int128 value;
	unsigned scale;
} said;

/* The bit that says whether it is there; 0: it has none. */
static uint64_t may_lack(const ent_field *f) {
	for (size_t i = 0; bits[i].field; i++) {
		if (!strcmp(bits[i].field, f->name)) {
			return bits[i].bit;
		}
	}
	return 0;
}

static bool absent(const ent_item *item, const ent_field *f) {
	uint64_t bit = may_lack(f);
	return bit && !(item->has & bit);
}

static void say_small(const ent_item *item, const ent_field *f, uint8_t v, said *s) {
	for (size_t i = 0; words[i].field; i++) {
		if ((!words[i].kind || words[i].kind == item->kind) && !strcmp(words[i].field, f->name)) {
			s->p = v < words[i].n ? words[i].words[v] : "?";
			s->what = s->p ? TEXT : NOTHING;
			return;
		}
	}
	if (!strcmp(f->name, "grade")) {
		snprintf(s->text, sizeof s->text, "%c", v);
		s->what = v ? TEXT : NOTHING;
	} else if (strcmp(f->name, "scale") != 0 && (v || strcmp(f->name, "additive") != 0)) {
		s->what = TRUTH; /* scale is in the value */
		s->value = v != 0;
	}
}

static void say_amount(const ent_item *item, const ent_field *f, int64_t v, said *s) {
	s->value = v;
	s->what = NUMBER;
	if (!strcmp(f->name, "quantity")) {
		s->scale = QUANTITY_SCALE;
	} else if (!strcmp(f->name, "engaged_us")) {
		s->name = "engaged_seconds";
		s->scale = 6;
		s->what = v ? NUMBER : NOTHING;
	} else if (item->kind == ENT_OBSERVATION) {
		s->scale = item->body.observation.scale ? item->body.observation.scale : MONEY_SCALE;
	} else {
		s->what = MONEY;
		s->scale = MONEY_SCALE;
	}
}

static void say_count(const ent_field *f, uint32_t v, said *s) {
	if (!strcmp(f->name, "steps")) {
		for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
			if (v >> i & 1) {
				size_t n = strlen(s->text);
				snprintf(s->text + n, sizeof s->text - n, "%s%s", n ? "+" : "", steps[i]);
			}
		}
		s->what = v ? TEXT : NOTHING;
	} else if (strcmp(f->name, "n") != 0) {
		s->what = NUMBER;
		s->value = v;
	}
}

/* *s is the caller's: what it says may point into it. */
static void say(const ent_engine *e, const ent_item *item, const ent_field *f, said *s) {
	const uint8_t *at = (const uint8_t *)&item->body + f->offset;
	*s = (said){.name = f->name, .p = s->text};
	uint64_t wide;
	int64_t amount;
	uint32_t u;
	ent_id id;
	if (absent(item, f)) {
		return;
	}
	switch (f->type) {
	case ENT_FIELD_TIME:
		memcpy(&wide, at, sizeof wide);
		s->what = wide ? TEXT : NOTHING;
		break; /* its form is the caller's */
	case ENT_FIELD_I64:
		memcpy(&amount, at, sizeof amount);
		say_amount(item, f, amount, s);
		break;
	case ENT_FIELD_CODE:
		memcpy(&u, at, sizeof u);
		s->p = ent_engine_text(e, u);
		s->what = u ? TEXT : NOTHING;
		break;
	case ENT_FIELD_ID:
		memcpy(&id, at, sizeof id);
		for (size_t i = 0; i < sizeof id.b; i++) {
			snprintf(s->text + 2 * i, 3, "%02x", id.b[i]);
			s->what = id.b[i] ? TEXT : s->what;
		}
		break;
	case ENT_FIELD_U32:
		memcpy(&u, at, sizeof u);
		say_count(f, u, s);
		break;
	case ENT_FIELD_U8:
		say_small(item, f, *at, s);
		break;
	default: /* ENT_FIELD_CURRENCY */
		snprintf(s->text, sizeof s->text, "%.3s", (const char *)at);
		s->what = *at ? TEXT : NOTHING;
		break;
	}
}

static ent_time time_at(const ent_item *item, const ent_field *f) {
	uint64_t wide;
	memcpy(&wide, (const uint8_t *)&item->body + f->offset, sizeof wide);
	return ent_wire_time_unpack(wide);
}

const char *ent__fact_currency(const ent_item *item) {
	for (const ent_field *f = ent_fact_fields(item->kind); f->name; f++) {
		if (f->type == ENT_FIELD_CURRENCY) {
			return (const char *)&item->body + f->offset;
		}
	}
	return "";
}

/* ---- written
 * ----------------------------------------------------------------------------------------------------------- */

void ent__fact_json(const ent_engine *e, const ent_item *item, ent_json *j) {
	char text[48];
	for (const ent_field *f = ent_fact_fields(item->kind); f->name; f++) {
		said s;
		say(e, item, f, &s);
		if (s.what == NOTHING) {
			continue;
		}
		ent_json_key(j, s.name);
		if (f->type == ENT_FIELD_TIME) {
			ent_json_text(j, ent__time_text(time_at(item, f), true, text));
		} else if (s.what == TEXT) {
			ent_json_text(j, s.p);
		} else if (s.what == TRUTH) {
			ent_json_bool(j, s.value != 0);
		} else {
			ent_json_decimal(j, s.value, s.scale);
		}
	}
	if (item->kind == ENT_ENTRY) {
		ent_json_key(j, "values");
		ent_json_object(j);
		for (uint32_t i = 0; i < item->body.entry.n; i++) {
			ent_json_key(j, ent_engine_text(e, item->pairs[i * 2]));
			ent_json_text(j, ent_engine_text(e, item->pairs[i * 2 + 1]));
		}
		ent_json_end(j);
	}
}

/* The first time of a kind is when it was: it stands first and needs no name. */
static bool is_moment(const ent_field *f) {
	return !strcmp(f->name, "at") || !strcmp(f->name, "started_at") || !strcmp(f->name, "from") ||
		   !strcmp(f->name, "effective");
}

void ent__fact_line(const ent_engine *e, const ent_item *item, const char *currency, ent_buf *out) {
	char text[ENT_NUMBER_TEXT > 48 ? ENT_NUMBER_TEXT : 48];
	const char *own = ent__fact_currency(item), *comma = "";
	currency = *own ? own : currency;
	for (const ent_field *f = ent_fact_fields(item->kind); f->name; f++) {
		said s;
		say(e, item, f, &s);
		if (s.what == NOTHING || f->type == ENT_FIELD_CURRENCY ||
			(f->type == ENT_FIELD_U32 && s.what == NUMBER && !s.value && !may_lack(f))) {
			continue; /* a currency stands with its amounts; a count of nothing says nothing */
		}
		ent_buf_printf(out, "%s%s%s", comma, is_moment(f) ? "" : s.name, is_moment(f) ? "" : " ");
		comma = ", ";
		if (f->type == ENT_FIELD_TIME) {
			ent_buf_printf(out, "%s", ent__time_text(time_at(item, f), false, text));
		} else if (f->type == ENT_FIELD_ID) {
			ent_buf_printf(out, "#%.12s", s.p);
		} else if (s.what == TEXT) {
			ent_buf_printf(out, "%s", s.p);
		} else if (s.what == TRUTH) {
			ent_buf_printf(out, "%s", s.value ? "yes" : "no");
		} else {
			ent_decimal_text(s.value, s.scale, s.what == MONEY ? 2 : 0, text);
			ent_buf_printf(
				out, "%s%s%.3s", text, s.what == MONEY && *currency ? " " : "", s.what == MONEY ? currency : "");
		}
	}
	for (uint32_t i = 0; item->kind == ENT_ENTRY && i < item->body.entry.n; i++) {
		ent_buf_printf(
			out, "%s%s: %s", comma, ent_engine_text(e, item->pairs[i * 2]), ent_engine_text(e, item->pairs[i * 2 + 1]));
		comma = ", ";
	}
}
