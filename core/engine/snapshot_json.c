/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON of a snapshot: what is known of each partner (profile, registers, observations, sources) and of the whole; the
 * form is in docs/rules.md, "What a snapshot holds". Loop thread only. */
#include "base/day.h"
#include "base/json.h"
#include "engine/facts_table.h"
#include "engine/life.h"
#include "engine/registers.h"
#include "engine/released.h"
#include "engine/snapshot_build.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static int take_record(void *ctx, const ent_record *r) {
	ent__build *b = ctx;
	bool wanted = r->kind == ENT_CONTACT || r->kind == ENT_ENTRY || r->kind == ENT_OBSERVATION;
	if (r->kind == ENT_OBSERVATION && !strncmp(ent__text(b->e, r->register_), "rate/", 5)) {
		return 0; /* read by snapshot_rates.c */
	}
	int32_t last = ent__build_included(b, r->partner) ? ent__build_day_of(b, r->partner) : b->as_of;
	/* an observation of a month not over, or a claim about next year, was known when it arrived: rules look at its days */
	if (!wanted || (r->kind != ENT_OBSERVATION && r->kind != ENT_ENTRY && r->day > last)) {
		return 0;
	}
	if (r->kind == ENT_ENTRY && !strcmp(ent__text(b->e, r->register_), ENT_LIFE_REGISTER)) {
		return 0; /* what people make of findings is nothing for rules to judge by */
	}
	ENT_GROW(b->records, b->n_records, b->records_capacity);
	b->records[b->n_records] =
		(ent__build_record){r->partner, r->kind, r->register_, ent_arena_copy(&b->arena, r->json, r->n), r->n, b->n_records};
	b->n_records++;
	return 0;
}

static int by_partner(const void *x, const void *y) {
	const ent__build_record *a = x, *b = y;
	if (a->partner != b->partner) {
		return a->partner < b->partner ? -1 : 1;
	}
	bool p = a->kind == ENT_OBSERVATION, q = b->kind == ENT_OBSERVATION;
	if (p != q) {
		return p ? 1 : -1;
	}
	if (a->topic != b->topic) {
		return a->topic < b->topic ? -1 : 1;
	}
	return a->order < b->order ? -1 : a->order > b->order; /* as they came: by day */
}

int ent__build_records(ent__build *b, uint32_t partner, ent_error *error) {
	int status = ent__build_scan_records(b, 0, partner, take_record, b, error);
	if (b->n_records) {
		qsort(b->records, b->n_records, sizeof *b->records, by_partner);
	}
	return status;
}

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text);
}

/* `until`: the day after which nothing is known. */
static void profile(ent_json *j, const ent_config_partner *p, const char *id, int32_t until) {
	char day[16];
	bool signed_on = p && p->signed_on != INT32_MIN && p->signed_on <= until;
	ent_json_key(j, "profile");
	ent_json_object(j);
	member(j, "id", id);
	member(j, "name", p ? p->name.s : id);
	member(j, "industry", p ? p->industry.s : NULL);
	member(j, "region", p ? p->region.s : NULL);
	member(j, "stage", p ? p->stage.s : NULL);
	member(j, "currency", p ? p->currency.s : NULL);
	member(j, "zone", p ? p->zone.s : "UTC");
	member(j, "signed_on", signed_on ? ent_day_text(p->signed_on, day) : NULL);
	ent_json_key(j, "attributes");
	ent_json_object(j);
	for (size_t i = 0; p && i < p->n_attributes; i++) {
		member(j, p->attributes[i].key.s, p->attributes[i].value.s);
	}
	ent_json_end(j);
	ent_json_end(j);
}

static size_t first_record(const ent__build *b, uint32_t partner) {
	size_t low = 0, high = b->n_records;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (b->records[middle].partner < partner) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static void records(ent__build *b, ent_json *j, uint32_t partner) {
	size_t i = first_record(b, partner);
	ent_json_key(j, "registers");
	ent_json_object(j);
	while (i < b->n_records && b->records[i].partner == partner && b->records[i].kind != ENT_OBSERVATION) {
		uint32_t topic = b->records[i].topic;
		ent_json_key(j, ent__text(b->e, topic));
		ent_json_array(j);
		for (; i < b->n_records && b->records[i].partner == partner && b->records[i].kind != ENT_OBSERVATION &&
			   b->records[i].topic == topic;
			 i++) {
			ent_json_raw(j, b->records[i].json, b->records[i].n);
		}
		ent_json_end(j);
	}
	ent_json_end(j);
	ent_json_key(j, "observations");
	ent_json_array(j);
	for (; i < b->n_records && b->records[i].partner == partner; i++) {
		ent_json_raw(j, b->records[i].json, b->records[i].n);
	}
	ent_json_end(j);
}

/* Which token of an order's agent is whose: of the names that stand in its terms. */
static void agents(ent__build *b, ent_json *j, uint32_t partner) {
	char token[ENT__TOKEN + 1];
	bool any = false;
	for (size_t i = first_record(b, partner); i < b->n_records && b->records[i].partner == partner; i++) {
		const ent__build_record *r = &b->records[i];
		if (r->kind != ENT_ENTRY || strcmp(ent__text(b->e, r->topic), "terms") != 0 || !memmem(r->json, r->n, "\"agent\"", 7)) {
			continue;
		}
		json_tokener *tokener = json_tokener_new();
		json_object *o = tokener ? json_tokener_parse_ex(tokener, r->json, (int)r->n) : NULL, *name;
		if (o && json_object_object_get_ex(o, "agent", &name) && json_object_is_type(name, json_type_string)) {
			if (!any) {
				ent_json_key(j, "agents");
				ent_json_object(j);
				any = true;
			}
			ent__facts_agent_token(b->e, partner, json_object_get_string(name), token);
			member(j, json_object_get_string(name), token);
		}
		json_object_put(o);
		json_tokener_free(tokener);
	}
	if (any) {
		ent_json_end(j);
	}
}

void ent__build_partner_json(ent__build *b, uint32_t partner, ent_buf *out) {
	const ent_config *c = b->e->config;
	ent_json j;
	char day[16];
	ent_json_init(&j, out, false);
	ent_json_object(&j);
	profile(&j, b->e->partners[partner].config, ent__text(b->e, partner), b->from ? b->as_of : INT32_MAX);
	records(b, &j, partner);
	agents(b, &j, partner);
	ent_json_key(&j, "kept_since");
	ent_json_object(&j);
	for (size_t i = 0; i < c->n_registers; i++) {
		if (c->registers[i].kept_since != INT32_MIN) {
			member(&j, c->registers[i].name.s, ent_day_text(c->registers[i].kept_since, day));
		}
	}
	ent_json_end(&j);
	ent_json_key(&j, "sources");
	ent_json_array(&j);
	for (size_t i = 0; i < c->n_sources; i++) {
		const ent_config_source *s = &c->sources[i];
		if (s->partner.fallback.s && !strcmp(s->partner.fallback.s, ent__text(b->e, partner))) {
			ent_json_object(&j);
			member(&j, "name", s->name.s);
			ent_json_end(&j);
		}
	}
	ent_json_end(&j);
	ent_json_end(&j);
}

static void priors(ent_json *j, const ent_config *c) {
	ent_json_key(j, "priors"); /* what the organization believes */
	ent_json_object(j);
	for (size_t i = 0; i < c->n_priors; i++) {
		const ent_prior_config *p = &c->priors[i];
		const ent_word *const numbers[] = {&p->p10, &p->p50, &p->p90};
		static const char *const names[] = {"p10", "p50", "p90"};
		ent_json_key(j, p->name.s);
		ent_json_object(j);
		for (int k = 0; k < 3; k++) { /* as they were written: the configuration took nothing that is no number */
			ent_json_key(j, names[k]);
			ent_json_raw(j, numbers[k]->s, strlen(numbers[k]->s));
		}
		member(j, "unit", ent_prior_units[p->unit]);
		member(j, "audience", ent_prior_audiences[p->audience]);
		member(j, "source", p->source.s);
		ent_json_end(j);
	}
	ent_json_end(j);
}

/* Schemas of registers that the organization adds; the package knows those that ship. */
static void own_registers(ent__build *b, ent_json *j) {
	ent_json_key(j, "registers");
	ent_json_object(j);
	size_t n = 0;
	while (ent_registers[n].name) {
		n++;
	}
	for (const ent_register *r = ent_engine_registers(b->e) + n; r->name; r++) {
		ent_json_key(j, r->name);
		ent_json_object(j);
		member(j, "audience", ent_register_audiences[r->audience]);
		member(j, "closing", r->closing);
		ent_json_key(j, "fields");
		ent_json_object(j);
		for (const ent_register_field *f = r->fields; f->name; f++) {
			member(j, f->name, ent_register_types[f->type]);
		}
		ent_json_end(j);
		ent_json_end(j);
	}
	ent_json_end(j);
}

void ent__build_meta_json(ent__build *b, ent_buf *out) {
	ent_json j;
	char day[16];
	ent_json_init(&j, out, false);
	ent_json_object(&j);
	member(&j, "as_of", ent_day_text(b->as_of, day));
	member(&j, "as_of_mode", b->as_of_mode);
	member(&j, "currency", b->e->config->currency.s);
	ent_json_key(&j, "min_cohort");
	ent_json_int(&j, b->e->config->rules.min_cohort);
	own_registers(b, &j);
	ent_json_key(&j, "most_of_one");
	ent_json_int(&j, b->e->config->rules.most_of_one);
	ent_json_key(&j, "most_of_two");
	ent_json_int(&j, b->e->config->rules.most_of_two);
	if (b->logged) {
		ent_json_key(&j, "released");
		ent__released_json(b->e, b->partners, b->n_partners, &j);
	}
	ent_json_key(&j, "views"); /* that cells keep */
	ent_json_array(&j);
	for (unsigned v = ENT_VIEW_TOTAL + 1; v < ENT_VIEW_KEPT; v++) {
		if (b->e->fold.views[v]) {
			ent_json_text(&j, ent_view_names[v]);
		}
	}
	ent_json_end(&j);
	ent_json_key(&j, "benchmarks"); /* what is nobody's own: of an industry, a market */
	ent_json_array(&j);
	for (size_t i = 0; i < b->n_records && !b->records[i].partner; i++) { /* sorted by partner: these come first */
		if (b->records[i].kind == ENT_OBSERVATION) {
			ent_json_raw(&j, b->records[i].json, b->records[i].n);
		}
	}
	ent_json_end(&j);
	priors(&j, b->e->config);
	ent_json_end(&j);
}
