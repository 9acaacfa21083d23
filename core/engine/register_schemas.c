/* SPDX-License-Identifier: Apache-2.0
 *
 * The registers that ship, as tables; see registers.h. */
#include "base/day.h"
#include "engine/registers.h"

#include <stdio.h>
#include <string.h>

#define END                                                                                                            \
	{ NULL, ENT_REG_TEXT, false, NULL, NULL }

static const ent_register_field contacts[] = {
	{"at", ENT_REG_TIME, true, NULL, "when it took place, or was sent"},
	{"kind", ENT_REG_WORD, true, "meeting call mail reply visit", "what it was"},
	{"with", ENT_REG_TEXT, false, NULL, "who took part"},
	{"subject", ENT_REG_TEXT, false, NULL, "what it was about"},
	{"held", ENT_REG_BOOL, false, NULL, "a meeting that was planned took place"},
	{"direction", ENT_REG_WORD, false, "us them", "who began it"},
	{"answered_at", ENT_REG_TIME, false, NULL, "when the other side answered"},
	{"minutes", ENT_REG_NUMBER, false, NULL, "how long it took"},
	END};
static const ent_register_field claims[] = {
	{"text", ENT_REG_TEXT, true, NULL, "what was said, in their words"},
	{"who", ENT_REG_TEXT, false, NULL, "who said it"},
	{"metric", ENT_REG_TEXT, false, NULL, "the metric that it is about, as `entente metrics list` names it"},
	{"value", ENT_REG_NUMBER, false, NULL, "the figure that was promised"},
	{"currency", ENT_REG_TEXT, false, NULL, "of a value in money"},
	{"window", ENT_REG_TEXT, false, NULL, "the span that the figure is of: 28d, 12m"},
	{"said_on", ENT_REG_DATE, true, NULL, "the day on which it was said"},
	{"due", ENT_REG_DATE, false, NULL, "the day by which it should have come true"},
	END};
static const ent_register_field commitments[] = {
	{"text", ENT_REG_TEXT, true, NULL, "what was promised"},
	{"who", ENT_REG_WORD, true, "us them", "who promised it"},
	{"to", ENT_REG_TEXT, false, NULL, "to whom"},
	{"due", ENT_REG_DATE, false, NULL, "by when"},
	{"done_on", ENT_REG_DATE, false, NULL, "the day on which it was done"},
	END};
static const ent_register_field objectives[] = {
	{"text", ENT_REG_TEXT, true, NULL, "what is to be reached"},
	{"metric", ENT_REG_TEXT, false, NULL, "the metric that shows it"},
	{"direction", ENT_REG_WORD, false, "up down hold", "where the metric should go"},
	{"target", ENT_REG_NUMBER, false, NULL, "the figure to be reached"},
	{"due", ENT_REG_DATE, false, NULL, "by when"},
	END};
static const ent_register_field told[] = {
	{"about", ENT_REG_TEXT, true, NULL, "what was told: a metric, or a finding"},
	{"to", ENT_REG_TEXT, false, NULL, "to whom"},
	{"on", ENT_REG_DATE, true, NULL, "when"},
	{"grade", ENT_REG_WORD, false, "A B C D E F", "how sure it is: A audited, F hearsay"},
	END};
static const ent_register_field books[] = {
	{"year", ENT_REG_NUMBER, true, NULL, "the business year that the books are of"},
	{"revenue", ENT_REG_NUMBER, false, NULL, "of that year"},
	{"profit", ENT_REG_NUMBER, false, NULL, "before interest and tax"},
	{"assets", ENT_REG_NUMBER, false, NULL, "in all"},
	{"liabilities", ENT_REG_NUMBER, false, NULL, "in all"},
	{"currency", ENT_REG_TEXT, false, NULL, "of the amounts; the partner's where it is not said"},
	END};

const ent_register ent_registers[] = {
	{"contacts", "Meetings, calls and mails with the partner.", "open done", "done", contacts},
	{"claims", "What the partner says of itself or promises.", "open proven disproven withdrawn", "proven disproven withdrawn",
		claims},
	{"commitments", "Promises of either side.", "open kept broken withdrawn", "kept broken withdrawn", commitments},
	{"objectives", "What the partnership is to reach.", "open reached missed withdrawn", "reached missed withdrawn", objectives},
	{"told", "What was shared with the partner already.", "given withdrawn", "withdrawn", told},
	{"books", "Figures that the partner declared from its books.", "open withdrawn", "withdrawn", books},
	{NULL, NULL, NULL, NULL, NULL},
};

/* ---- checks ---------------------------------------------------------------------------------------------------------------- */

static bool word_in(const char *list, const char *word) {
	size_t n = strlen(word);
	for (const char *p = list; p && *p;) {
		size_t k = strcspn(p, " ");
		if (k == n && !memcmp(p, word, n)) {
			return true;
		}
		p += k;
		p += strspn(p, " ");
	}
	return false;
}

const ent_register *ent_register_find(const char *name, ent_error *e) {
	const char *names[32];
	size_t n = 0;
	for (const ent_register *r = ent_registers; r->name; r++) {
		if (!strcmp(r->name, name)) {
			return r;
		}
		names[n++] = r->name;
	}
	const char *near = ent_nearest(name, names, n);
	ent_error_set(e, ENT_ERR_NOTFOUND, "there is no register '%s'", name);
	if (near) {
		ent_error_todo(e, "did you mean '%s'?", near);
	} else {
		ent_error_todo(e, "there are contacts, claims, commitments, objectives, told and books");
	}
	return NULL;
}

static const ent_register_field *field_of(const ent_register *r, const char *name, ent_error *e) {
	const char *names[64];
	size_t n = 0;
	for (const ent_register_field *f = r->fields; f->name; f++) {
		if (!strcmp(f->name, name)) {
			return f;
		}
		names[n++] = f->name;
	}
	const char *near = ent_nearest(name, names, n);
	ent_error_set(e, ENT_ERR_INVALID, "%s has no field '%s'", r->name, name);
	if (near) {
		ent_error_todo(e, "did you mean '%s'?", near);
	} else {
		ent_error_todo(e, "`entente register %s fields` lists them", r->name);
	}
	return NULL;
}

static bool is_day(const char *v) {
	int32_t day;
	return ent_day_parse(v, strlen(v), &day);
}

static bool is_time(const char *v) {
	size_t n = strlen(v);
	int32_t day;
	unsigned h, m;
	char extra;
	if (n == 10) {
		return ent_day_parse(v, n, &day);
	}
	return n >= 16 && ent_day_parse(v, 10, &day) && (v[10] == ' ' || v[10] == 'T') &&
		   sscanf(v + 11, "%2u:%2u%c", &h, &m, &extra) >= 2 && h < 24 && m < 60;
}

/* As JSON writes numbers, without an exponent: rules get them as numbers. */
bool ent_register_number(const char *v) {
	v += *v == '-';
	size_t whole = strspn(v, "0123456789");
	if (whole == 0 || (whole > 1 && *v == '0')) {
		return false;
	}
	v += whole;
	if (!*v) {
		return true;
	}
	size_t decimals = *v == '.' ? strspn(v + 1, "0123456789") : 0;
	return decimals > 0 && !v[1 + decimals];
}

static int check_value(const ent_register *r, const ent_register_field *f, const char **value, ent_error *e) {
	const char *v = *value;
	switch (f->type) {
	case ENT_REG_DATE:
		if (!is_day(v)) {
			ent_error_set(e, ENT_ERR_INVALID, "%s.%s: '%s' is no date", r->name, f->name, v);
			return ent_error_todo(e, "write YYYY-MM-DD");
		}
		return 0;
	case ENT_REG_TIME:
		if (!is_time(v)) {
			ent_error_set(e, ENT_ERR_INVALID, "%s.%s: '%s' is no time", r->name, f->name, v);
			return ent_error_todo(e, "write YYYY-MM-DD or YYYY-MM-DD HH:MM");
		}
		return 0;
	case ENT_REG_NUMBER:
		if (!ent_register_number(v)) {
			ent_error_set(e, ENT_ERR_INVALID, "%s.%s: '%s' is no number", r->name, f->name, v);
			return ent_error_todo(e, "write digits, with a point before decimals, without separators of thousands");
		}
		return 0;
	case ENT_REG_BOOL:
		if (word_in("yes true 1", v) || word_in("no false 0", v)) {
			*value = word_in("yes true 1", v) ? "true" : "false";
			return 0;
		}
		ent_error_set(e, ENT_ERR_INVALID, "%s.%s: '%s' is neither yes nor no", r->name, f->name, v);
		return ent_error_todo(e, "write yes or no");
	case ENT_REG_WORD:
		if (!word_in(f->choices, v)) {
			ent_error_set(e, ENT_ERR_INVALID, "%s.%s: '%s' is not one of its words", r->name, f->name, v);
			return ent_error_todo(e, "write one of: %s", f->choices);
		}
		return 0;
	default:
		return 0;
	}
}

int ent_register_check(ent_engine *engine, const ent_register *r, ent_register_entry *entry, ent_arena *arena, ent_error *e) {
	(void)engine;
	const char **values = ent_arena_alloc(arena, (entry->n + 1) * sizeof *values);
	for (uint32_t i = 0; i < entry->n; i++) {
		const ent_register_field *f = field_of(r, entry->names[i], e);
		values[i] = entry->values[i];
		if (!f || (values[i][0] && check_value(r, f, &values[i], e))) {
			return e->code;
		}
	}
	entry->values = values;
	for (const ent_register_field *f = r->fields; f->name; f++) {
		bool given = !f->required;
		for (uint32_t i = 0; i < entry->n && !given; i++) {
			given = !strcmp(entry->names[i], f->name) && values[i][0];
		}
		if (!given) {
			ent_error_set(e, ENT_ERR_INVALID, "%s needs '%s': %s", r->name, f->name, f->doc);
			return ent_error_todo(e, "add %s=…", f->name);
		}
	}
	if (entry->state && !word_in(r->states, entry->state)) {
		ent_error_set(e, ENT_ERR_INVALID, "%s knows no state '%s'", r->name, entry->state);
		return ent_error_todo(e, "write one of: %s", r->states);
	}
	if (entry->effective && !is_day(entry->effective)) {
		ent_error_set(e, ENT_ERR_INVALID, "'%s' is no date", entry->effective);
		return ent_error_todo(e, "write YYYY-MM-DD");
	}
	return 0;
}
