/* SPDX-License-Identifier: Apache-2.0
 *
 * What rules said on one past day after the other: which findings opened, which cleared, and of whom nothing was known.
 * As in the store a finding is known by rule, partner and key; what is not said again although it could be judged is
 * cleared, and what could not be judged again is stale. One thread. */
#include "command/rules_replay.h"

#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const ent__replay_words[] = {[ENT__REPLAY_STANDS] = "stands",
	[ENT__REPLAY_OPENED] = "opened",
	[ENT__REPLAY_CLEARED] = "cleared",
	[ENT__REPLAY_UNKNOWN] = "unknown",
	[ENT__REPLAY_KNOWN] = "known",
	[ENT__REPLAY_FAILED] = "failed"};

void ent__replay_begin(ent__replay *r, const char *const *rules, size_t n_rules, size_t n_sets, size_t n_steps) {
	*r = (ent__replay){
		.rules = rules, .n_rules = n_rules, .n_sets = n_sets, .n_steps = n_steps, .tokener = json_tokener_new()};
	ent_intern_init(&r->pairs_by);
	ent_intern_init(&r->found_by);
	ent_intern_init(&r->partners_by);
	r->totals = ent_xcalloc(n_sets * n_rules + 1, sizeof *r->totals);
	for (size_t i = 0; i < n_sets * n_rules; i++) {
		r->totals[i].by_step = ent_xcalloc(n_steps, sizeof *r->totals[i].by_step);
		r->totals[i].unknown_by_step = ent_xcalloc(n_steps, sizeof *r->totals[i].unknown_by_step);
		r->totals[i].worth_by_step = ent_xcalloc(n_steps, sizeof *r->totals[i].worth_by_step);
	}
}

void ent__replay_finish(ent__replay *r) {
	if (!r->tokener) {
		return;
	}
	for (size_t i = 0; i < r->n_found; i++) {
		free(r->found[i].kind);
		free(r->found[i].text);
	}
	for (size_t i = 0; i < r->n_pairs; i++) {
		free(r->pairs[i].why);
	}
	for (size_t i = 0; i < r->n_sets * r->n_rules; i++) {
		free(r->totals[i].by_step);
		free(r->totals[i].unknown_by_step);
		free(r->totals[i].worth_by_step);
	}
	free(r->totals);
	free(r->pairs);
	free(r->found);
	free(r->changes);
	free(r->partners);
	ent_intern_finish(&r->pairs_by);
	ent_intern_finish(&r->found_by);
	ent_intern_finish(&r->partners_by);
	json_tokener_free(r->tokener);
	ent_arena_finish(&r->arena);
	*r = (ent__replay){0};
}

static ent__replay_total *total_of(const ent__replay *r, uint32_t set, uint32_t rule) {
	return &r->totals[set * r->n_rules + rule];
}

static const char *text_of(json_object *o, const char *key) {
	json_object *v;
	const char *text = o && json_object_object_get_ex(o, key, &v) && v ? json_object_get_string(v) : NULL;
	return text ? text : "";
}

static const char *partner_of(ent__replay *r, const char *id) {
	uint32_t n = ent_intern_put(&r->partners_by, id, strlen(id));
	while (r->partners_n <= n) {
		ENT_GROW(r->partners, r->partners_n, r->partners_capacity);
		r->partners[r->partners_n++] = NULL;
	}
	if (!r->partners[n]) {
		r->partners[n] = ent_arena_copy(&r->arena, id, strlen(id));
	}
	return r->partners[n];
}

/* ---- taking
 * ------------------------------------------------------------------------------------------------------------ */

/* The record without its evidence, which is most of it. */
static json_object *read_front(ent__replay *r, const char *record, size_t n, const char *behind) {
	const char *evidence = memmem(behind, (size_t)(record + n - behind), ",\"evidence\":[", 13);
	json_tokener_reset(r->tokener);
	if (!evidence) {
		return json_tokener_parse_ex(r->tokener, record, (int)n);
	}
	json_object *none = json_tokener_parse_ex(r->tokener, record, (int)(evidence - record));
	return none ? none : json_tokener_parse_ex(r->tokener, "}", 1);
}

/* Why it is not known: the first sentence. */
static char *reason(ent__replay *r, const char *record, size_t n) {
	json_object *missed, *error, *o;
	json_tokener_reset(r->tokener);
	o = json_tokener_parse_ex(r->tokener, record, (int)n);
	const char *why = "";
	if (o && json_object_object_get_ex(o, "error", &error) && error) {
		why = text_of(error, "text");
	} else if (o && json_object_object_get_ex(o, "missed", &missed) && missed && json_object_array_length(missed)) {
		why = json_object_get_string(json_object_array_get_idx(missed, 0));
	}
	char *copy = ent_xstrdup(why);
	json_object_put(o);
	return copy;
}

static ent__replay_pair *pair_of(ent__replay *r, uint32_t set, uint32_t rule, const char *partner) {
	char name[24];
	int n = snprintf(name, sizeof name, "%u %u ", set, rule);
	ent_buf key = {0};
	ent_buf_add(&key, name, (size_t)n);
	ent_buf_add(&key, partner, strlen(partner));
	uint32_t number = ent_intern_put(&r->pairs_by, (const char *)key.data, key.n);
	ent_buf_finish(&key);
	while (r->n_pairs <= number) { /* numbers begin with 1: 0 is the empty text */
		ENT_GROW(r->pairs, r->n_pairs, r->pairs_capacity);
		r->pairs[r->n_pairs++] = (ent__replay_pair){.at = -1};
	}
	ent__replay_pair *p = &r->pairs[number];
	if (!p->partner) {
		*p = (ent__replay_pair){.set = set, .rule = rule, .partner = partner, .at = -1};
	}
	return p;
}

static void take_finding(ent__replay *r, uint32_t pair, json_object *f) {
	ent__replay_pair *p = &r->pairs[pair];
	json_object *key, *worth;
	const char *kind = text_of(f, "kind"), *name = text_of(f, "key");
	char number[32];
	if (!strcmp(kind, "unknown")) {
		return;
	}
	/* as in the store: keys may be tuples or numbers, and a failure has its own */
	if (json_object_object_get_ex(f, "key", &key) && key && !json_object_is_type(key, json_type_string)) {
		name = json_object_to_json_string_ext(key, JSON_C_TO_STRING_PLAIN);
	}
	name = !strcmp(kind, "failure") ? "!failure" : name;
	ent_buf id = {0};
	ent_buf_add(&id, number, (size_t)snprintf(number, sizeof number, "%u ", pair));
	ent_buf_add(&id, name, strlen(name));
	uint32_t at = ent_intern_put(&r->found_by, (const char *)id.data, id.n);
	ent_buf_finish(&id);
	while (r->n_found <= at) {
		ENT_GROW(r->found, r->n_found, r->found_capacity);
		r->found[r->n_found++] = (ent__replayed){.at = -1, .since = -1, .first = -1};
	}
	ent__replayed *x = &r->found[at];
	if (!x->partner) {
		*x = (ent__replayed){.set = p->set,
			.rule = p->rule,
			.pair = pair,
			.partner = p->partner,
			.key = ent_arena_copy(&r->arena, name, strlen(name)),
			.at = -1,
			.since = -1,
			.first = -1};
	}
	free(x->kind);
	free(x->text);
	x->kind = ent_xstrdup(kind);
	x->text = ent_xstrdup(text_of(f, "text"));
	x->has_worth = json_object_object_get_ex(f, "worth", &worth) && worth;
	x->worth = x->has_worth ? json_object_get_int64(worth) : 0;
	x->at = r->step;
}

void ent__replay_take(void *ctx, size_t set, const char *record, size_t n) {
	static const char nothing[] = ",\"findings\":[]";
	ent__replay *r = ctx;
	ent_said_head h;
	if (!ent_said_head_of(record, n, &h) || set >= r->n_sets) {
		return;
	}
	uint32_t rule = 0;
	while (rule < r->n_rules && (strlen(r->rules[rule]) != h.n_rule || memcmp(r->rules[rule], h.rule, h.n_rule) != 0)) {
		rule++;
	}
	if (rule == r->n_rules) {
		return; /* judged because another one reads what it says */
	}
	char id[1024];
	snprintf(id, sizeof id, "%.*s", h.n_partner > 2 ? (int)h.n_partner - 2 : 0, h.partner + 1);
	if (memchr(h.partner, '\\', h.n_partner)) { /* escaped: as JSON reads it */
		json_tokener_reset(r->tokener);
		json_object *text = json_tokener_parse_ex(r->tokener, h.partner, (int)h.n_partner);
		snprintf(id, sizeof id, "%s", text ? json_object_get_string(text) : "");
		json_object_put(text);
	}
	ent__replay_pair *p = pair_of(r, (uint32_t)set, rule, partner_of(r, id));
	uint32_t pair = (uint32_t)(p - r->pairs);
	if (p->at != r->step) {
		p->before = p->verdict;
	}
	p->at = r->step;
	p->verdict = h.n_verdict == 6 ? 'x' : h.verdict[0] == 't' ? 't' : h.verdict[0] == 'f' ? 'f' : 'u';
	free(p->why);
	p->why = NULL;
	if ((p->verdict == 'u' && p->before && p->before != 'u') || (p->verdict == 'x' && p->before != 'x')) {
		p->why = reason(r, record, n);
	}
	size_t left = (size_t)(record + n - h.end);
	if (left >= sizeof nothing - 1 && !memcmp(h.end, nothing, sizeof nothing - 1)) {
		return;
	}
	json_object *front = read_front(r, record, n, h.end), *list;
	if (front && json_object_object_get_ex(front, "findings", &list) && list) {
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			take_finding(r, pair, json_object_array_get_idx(list, i));
		}
	}
	json_object_put(front);
}

/* ---- what changed
 * -------------------------------------------------------------------------------------------------------- */

static const char *keep(ent__replay *r, const char *text) {
	return text ? ent_arena_copy(&r->arena, text, strlen(text)) : "";
}

static void note(ent__replay *r, ent__replay_change c) {
	ENT_GROW(r->changes, r->n_changes, r->changes_capacity);
	c.step = r->step;
	r->changes[r->n_changes++] = c;
}

static void note_finding(ent__replay *r, const ent__replayed *x, ent__replay_what what) {
	note(r, (ent__replay_change){.what = (uint8_t)what,
				.set = x->set,
				.rule = x->rule,
				.partner = x->partner,
				.key = x->key,
				.kind = keep(r, x->kind),
				.text = keep(r, x->text),
				.worth = x->worth,
				.has_worth = x->has_worth});
}

static void note_pair(ent__replay *r, const ent__replay_pair *p, ent__replay_what what) {
	note(r, (ent__replay_change){
				.what = (uint8_t)what, .set = p->set, .rule = p->rule, .partner = p->partner, .text = keep(r, p->why)});
}

static void step_pairs(ent__replay *r) {
	for (size_t i = 0; i < r->n_pairs; i++) {
		const ent__replay_pair *p = &r->pairs[i];
		if (!p->partner || p->at != r->step) {
			continue;
		}
		ent__replay_total *t = total_of(r, p->set, p->rule);
		t->said_true += p->verdict == 't';
		t->said_false += p->verdict == 'f';
		t->unknown += p->verdict == 'u';
		t->failed += p->verdict == 'x';
		t->unknown_by_step[r->step] += p->verdict == 'u';
		if (p->verdict == 'x' && p->before != 'x') {
			note_pair(r, p, ENT__REPLAY_FAILED);
		} else if (p->verdict == 'u' && p->before && p->before != 'u') {
			note_pair(r, p, ENT__REPLAY_UNKNOWN);
		} else if (p->verdict == 'f' && p->before == 'u') {
			note_pair(r, p, ENT__REPLAY_KNOWN);
		}
	}
}

void ent__replay_step(ent__replay *r) {
	step_pairs(r);
	for (size_t i = 0; i < r->n_found; i++) {
		ent__replayed *x = &r->found[i];
		if (!x->partner) {
			continue;
		}
		const ent__replay_pair *p = &r->pairs[x->pair];
		ent__replay_total *t = total_of(r, x->set, x->rule);
		if (x->at == r->step) {
			if (!x->said) {
				x->since = r->step;
				x->first = x->first < 0 ? r->step : x->first;
				x->times++;
				t->opened += r->step > 0;
				note_finding(r, x, r->step ? ENT__REPLAY_OPENED : ENT__REPLAY_STANDS);
			}
			x->said = true;
			x->stale = false;
		} else if (x->said && p->at == r->step && (p->verdict == 't' || p->verdict == 'f')) {
			x->said = x->stale = false;
			t->cleared++;
			note_finding(r, x, ENT__REPLAY_CLEARED);
		} else if (x->said) {
			x->stale = true;
		}
		if (x->said) {
			t->by_step[r->step]++;
			t->worth_by_step[r->step] += x->worth;
		}
	}
	r->step++;
}

void ent__replay_end(ent__replay *r) {
	/* partners of a rule's findings, each once */
	uint8_t *seen = ent_xcalloc(r->n_pairs + 1, 1);
	for (size_t i = 0; i < r->n_found; i++) {
		const ent__replayed *x = &r->found[i];
		if (!x->partner) {
			continue;
		}
		ent__replay_total *t = total_of(r, x->set, x->rule);
		t->findings++;
		t->standing += x->said;
		t->partners += !seen[x->pair];
		t->has_worth |= x->has_worth;
		t->worth += x->said ? x->worth : 0;
		t->worth_all += x->worth;
		seen[x->pair] = 1;
	}
	free(seen);
}
