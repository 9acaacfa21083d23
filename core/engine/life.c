/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes of findings by people, see life.h. Each is an entry of its own, with the number of the change behind a hash of
 * the finding as its id: nothing takes the place of anything. */
#include "engine/life.h"
#include "base/day.h"
#include "base/json.h"
#include "engine/internal.h"
#include "engine/registers.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

typedef struct reading {
	uint32_t topic;
	const char *rule, *key;
	struct kept {
		unsigned long number;
		json_object *fields;
	} *kept;
	size_t n, capacity;
} reading;

static const char *text_of(json_object *o, const char *key) {
	json_object *v;
	return json_object_object_get_ex(o, key, &v) && v ? json_object_get_string(v) : "";
}

static int take_record(void *ctx, const ent_record *r) {
	reading *x = ctx;
	if (r->kind != ENT_ENTRY || r->register_ != x->topic) {
		return 0;
	}
	char *text = strndup(r->json, r->n);
	json_object *o = text ? json_tokener_parse(text) : NULL;
	free(text);
	if (!o) {
		return ENT_ERR_CORRUPT;
	}
	if (strcmp(text_of(o, "rule"), x->rule) != 0 || strcmp(text_of(o, "said_key"), x->key) != 0) {
		json_object_put(o);
		return 0;
	}
	const char *id = text_of(o, "id"), *dot = strchr(id, '.');
	ENT_GROW(x->kept, x->n, x->capacity);
	x->kept[x->n++] = (struct kept){dot ? strtoul(dot + 1, NULL, 10) : 0, o};
	return 0;
}

static int by_number(const void *a, const void *b) {
	const struct kept *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

int ent_finding_life(ent_store *store, uint32_t topic, uint32_t partner, const char *named, const char *key,
	ent_life_visit visit, void *ctx, ent_error *error) {
	reading x = {.topic = topic, .rule = named, .key = key};
	if (topic == UINT32_MAX || partner == UINT32_MAX) {
		return 0; /* nobody ever changed one, or one of this partner's */
	}
	int status = ent_store_records_scan(store, ENT_ENTRY, partner, take_record, &x, error);
	if (x.n) {
		ENT_SORT(x.kept, x.n, by_number);
	}
	for (size_t i = 0; i < x.n; i++) {
		json_object *o = x.kept[i].fields;
		ent_finding_event event = {.state = text_of(o, "state"), .actor = text_of(o, "actor"), .reason = text_of(o, "reason"),
			.until = text_of(o, "until"), .worth = text_of(o, "worth"), .at = text_of(o, "recorded")};
		status = status ? status : visit(ctx, &event);
		json_object_put(o);
	}
	free(x.kept);
	return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static int count(void *ctx, const ent_finding_event *event) {
	(void)event;
	++*(unsigned *)ctx;
	return 0;
}

int ent_engine_finding_change(ent_engine *e, const ent_finding_change *c, ent_error *error) {
	static const ent_register journal = {.name = ENT_LIFE_REGISTER, .doc = "", .states = "acknowledged", .closing = ""};
	const char *named = c->named && *c->named ? c->named : c->rule;
	const char *names[5] = {"rule", "said_key", "reason", "until", "worth"}, *values[5] = {named, c->key, c->reason, "", ""};
	char id[48], day[16], worth[48];
	unsigned before = 0;
	int status = ent_finding_life(e->store, ent_engine_code(e, ENT_LIFE_REGISTER), ent_engine_code(e, c->partner), named,
		c->key, count, &before, error);
	if (status) {
		return status;
	}
	uint64_t hash = ent_hash64(c->key, strlen(c->key), ent_hash64(named, strlen(named), 0));
	snprintf(id, sizeof id, "%016llx.%u", (unsigned long long)hash, before + 1);
	if (c->until_day != INT32_MAX) {
		values[3] = ent_day_text(c->until_day, day);
	}
	if (c->has_until_worth) {
		worth[ent_decimal_text(c->until_worth, 6, 0, worth)] = 0;
		values[4] = worth;
	}
	ent_finding row = {.rule = c->rule, .partner = c->partner, .key = c->key, .life = c->state, .until_day = c->until_day,
		.until_worth = c->until_worth, .has_until_worth = c->has_until_worth};
	ent_register_entry entry = {.id = id, .partner = c->partner, .state = c->state, .actor = c->actor, .names = names,
		.values = values, .n = 5};
	ent_arena arena = {0};
	ent__pending_finding(e, &row);
	status = ent_engine_entries_put(e, &journal, &entry, 1, NULL, &arena, error);
	ent_arena_finish(&arena);
	return status;
}
