/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente run --explain-skips`, see skips.h. What is told rests on the store: the rules that last judged, what they
 * said of each partner, and the last judgement. */
#include "command/skips.h"
#include "base/arena.h"
#include "store/store.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAMED = 4 }; /* partners and rules that a line names; the others are counted */

typedef struct skip {
	const char *kind, *rule, *partner, *why; /* in the arena */
} skip;

typedef struct skips {
	ent_arena arena;
	skip *all;
	size_t n, capacity;
	json_object *rules; /* as loaded */
	json_object *said;  /* by partner and rule: the record */
	const ent_config *config;
	ent_run last;
	bool unchanged;
} skips;

static json_object *get(json_object *o, const char *key) {
	json_object *v = NULL;
	return o && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static const char *text_of(json_object *o, const char *key) {
	json_object *v = get(o, key);
	return v ? json_object_get_string(v) : "";
}

static void add(skips *s, const char *kind, const char *rule, const char *partner, const char *why) {
	ENT_GROW(s->all, s->n, s->capacity);
	s->all[s->n++] = (skip){kind, rule, partner, why};
}

/* ---- reasons
 * --------------------------------------------------------------------------------------------------------- */

static const char *attribute(const ent_config_partner *p, const char *name) {
	const struct {
		const char *name, *value;
	} fields[] = {{"industry", p->industry.s}, {"region", p->region.s}, {"stage", p->stage.s},
		{"currency", p->currency.s}, {"zone", p->zone.s}, {"id", p->id.s}, {"name", p->name.s}};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (!strcmp(fields[i].name, name)) {
			return fields[i].value ? fields[i].value : "";
		}
	}
	for (size_t i = 0; i < p->n_attributes; i++) {
		if (!strcmp(p->attributes[i].key.s, name)) {
			return p->attributes[i].value.s;
		}
	}
	return "";
}

/* Scopes of one partner are added up, as worker.py does. NULL: the practice speaks of it. */
static const char *out_of_scope(skips *s, const ent_config_partner *p, const char *practice) {
	const ent_rules_config *c = &s->config->rules;
	const char *why = NULL;
	for (size_t i = 0; i < c->n_scopes; i++) {
		const ent_rule_scope *x = &c->scopes[i];
		if (strcmp(attribute(p, x->attribute.s), x->value.s) != 0) {
			continue;
		}
		for (size_t k = 0; k < x->practices.n; k++) {
			if (!strcmp(x->practices.v[k].s, practice)) {
				return NULL;
			}
		}
		why = why ? why
				  : ent_arena_printf(&s->arena, "the practice %s is not for %s %s (rules.for)", practice,
						x->attribute.s, x->value.s);
	}
	return why;
}

/* What is said of it, and why that is nothing. */
static void look(skips *s, const ent_config_partner *p, json_object *rule) {
	const char *name = text_of(rule, "name"), *partner = p->id.s, *why = out_of_scope(s, p, text_of(rule, "practice"));
	json_object *record = get(get(s->said, partner), name), *error = get(record, "error"),
				*missed = get(record, "missed");
	if (why) {
		add(s, "scope", name, partner, why);
	} else if (!record) {
		add(s, "nothing", name, partner, "nothing is known of the partner as of that day");
	} else if (error && !missed) { /* written down by the core: the rule did not live to say it */
		json_object *line = get(error, "line");
		add(s, "set_aside", name, partner,
			ent_arena_printf(&s->arena, "set aside: %s, %s:%d", text_of(error, "text"), text_of(error, "file"),
				line ? json_object_get_int(line) : 0));
	} else if (s->unchanged) {
		char at[32];
		time_t when = (time_t)(s->last.at_us / 1000000);
		struct tm utc;
		strftime(at, sizeof at, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&when, &utc));
		add(s, "unchanged", name, partner,
			ent_arena_printf(&s->arena, "facts, rules, settings and day are those of run %llu, %s",
				(unsigned long long)s->last.number, at));
	} else if (missed && json_object_array_length(missed) && !strcmp(text_of(record, "verdict"), "unknown")) {
		add(s, "unknown", name, partner,
			ent_arena_printf(&s->arena, "%s", json_object_get_string(json_object_array_get_idx(missed, 0))));
	}
}

/* ---- reading
 * --------------------------------------------------------------------------------------------------------- */

static int take_record(
	void *ctx, const char *rule, const char *partner, const char *verdict, int32_t day, const char *json) {
	skips *s = ctx;
	(void)verdict;
	(void)day;
	json_object *of = get(s->said, partner);
	if (!of) {
		json_object_object_add(s->said, partner, of = json_object_new_object());
	}
	json_object *record = json ? json_tokener_parse(json) : NULL;
	json_object_object_del(record, "evidence"); /* the largest part, and not looked at */
	json_object_object_add(of, rule, record);
	return 0;
}

static int take_run(void *ctx, const ent_run *run) {
	*(ent_run *)ctx = *run;
	return 1; /* the newest is the first */
}

static int read_all(skips *s, ent_store *store, ent_error *e) {
	char *text = NULL;
	int status = ent_store_meta_get(store, ENT_META_RULES_ACTIVE, &text, e);
	json_object *active = text && *text ? json_tokener_parse(text) : NULL;
	free(text);
	s->rules = json_object_get(get(get(active, "loaded"), "rules"));
	json_object_put(active);
	s->said = json_object_new_object();
	status = status ? status : ent_store_verdicts_scan(store, NULL, true, take_record, s, e);
	if (!status && ent_store_runs_scan(store, take_run, &s->last, e) < 0) {
		status = e->code;
	}
	for (size_t i = 0; i < s->config->n_partners && !status; i++) {
		for (size_t k = 0; s->rules && k < json_object_array_length(s->rules); k++) {
			look(s, &s->config->partners[i], json_object_array_get_idx(s->rules, k));
		}
	}
	return status;
}

/* ---- telling
 * --------------------------------------------------------------------------------------------------------- */

static int by_reason(const void *a, const void *b) {
	const skip *x = a, *y = b;
	int order = strcmp(x->kind, y->kind);
	order = order ? order : strcmp(x->why, y->why);
	order = order ? order : strcmp(x->rule, y->rule);
	return order ? order : strcmp(x->partner, y->partner);
}

/* The different names among n skips: a few of them, and how many more. */
static const char *names(skips *s, const skip *from, size_t n, bool partners) {
	json_object *seen = json_object_new_object();
	const char *text = "";
	for (size_t i = 0; i < n; i++) {
		const char *name = partners ? from[i].partner : from[i].rule;
		if (!json_object_object_get_ex(seen, name, NULL)) {
			json_object_object_add(seen, name, NULL);
			if (json_object_object_length(seen) <= NAMED) {
				text = ent_arena_printf(&s->arena, "%s%s%s", text, *text ? ", " : "", name);
			}
		}
	}
	int more = json_object_object_length(seen) - NAMED;
	json_object_put(seen);
	return more > 0 ? ent_arena_printf(&s->arena, "%s and %d more", text, more) : text;
}

static void tell(ent_call *call, skips *s) {
	ent_buf_printf(&call->out, s->n ? "\nNot run, or not known:\n" : "\nAll rules ran for all partners.\n");
	for (size_t i = 0, n; i < s->n; i += n) {
		for (n = 1;
			 i + n < s->n && !strcmp(s->all[i].kind, s->all[i + n].kind) && !strcmp(s->all[i].why, s->all[i + n].why);
			 n++) {
		}
		ent_buf_printf(&call->out, "  ");
		ent_term_text(&call->term, &call->out, ENT_ACCENT, names(s, s->all + i, n, false));
		ent_buf_printf(&call->out, " for %s\n      ", names(s, s->all + i, n, true));
		ent_term_wrap(&call->term, &call->out, 6, s->all[i].why);
		ent_buf_u8(&call->out, '\n');
	}
}

static void tell_json(ent_json *j, const skips *s) {
	ent_json_key(j, "skips");
	ent_json_array(j);
	for (size_t i = 0; i < s->n; i++) {
		ent_json_object(j);
		ent_json_key(j, "rule");
		ent_json_text(j, s->all[i].rule);
		ent_json_key(j, "partner");
		ent_json_text(j, s->all[i].partner);
		ent_json_key(j, "kind");
		ent_json_text(j, s->all[i].kind);
		ent_json_key(j, "why");
		ent_json_text(j, s->all[i].why);
		ent_json_end(j);
	}
	ent_json_end(j);
}

int ent__skips_show(ent_call *call, ent_engine *engine, const ent_config *config, bool unchanged, ent_error *e) {
	skips s = {.config = config, .unchanged = unchanged};
	int status = read_all(&s, ent_engine_store(engine), e);
	if (!status) {
		if (s.n) {
			qsort(s.all, s.n, sizeof *s.all, by_reason);
		}
		if (call->json) {
			tell_json(&call->writer, &s);
		} else {
			tell(call, &s);
		}
	}
	json_object_put(s.said);
	json_object_put(s.rules);
	free(s.all);
	ent_arena_finish(&s.arena);
	return status;
}
