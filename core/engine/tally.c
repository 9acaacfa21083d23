/* SPDX-License-Identifier: Apache-2.0
 *
 * What each rule said, and how long it took, over all judgements of an engine: for whoever operates it. Records come in the
 * order of the rules, so that the rule of a record is nearly always the one behind that of the record before. Loop thread only. */
#include "engine/rules_worker.h"

#include <stdlib.h>
#include <string.h>

static uint32_t row_of(ent_engine *e, const char *name) {
	for (size_t i = 0; i < e->n_tallies; i++) {
		if (!strcmp(e->tallies[i].name, name)) {
			return (uint32_t)i;
		}
	}
	e->tallies = ent_xrealloc(e->tallies, (e->n_tallies + 1) * sizeof *e->tallies);
	e->tallies[e->n_tallies] = (ent_rule_tally){0};
	snprintf(e->tallies[e->n_tallies].name, sizeof e->tallies->name, "%s", name);
	return (uint32_t)e->n_tallies++;
}

void ent__tally_open(ent__rules *all) {
	size_t n = all->rules ? json_object_array_length(all->rules) : 0;
	free(all->tally_of);
	all->tally_of = ent_xcalloc(n + 1, sizeof *all->tally_of);
	all->n_rules = (uint32_t)n;
	all->next_rule = 0;
	for (size_t i = 0; i < n; i++) {
		all->tally_of[i] = row_of(all->e, ent__json_text(json_object_array_get_idx(all->rules, i), "name"));
	}
}

void ent__tally_times(ent__rules *all, ent_read *r) {
	uint32_t n = ent_read_u32(r);
	for (uint32_t i = 0; i < n && i < all->n_rules; i++) {
		ent_rule_tally *t = &all->e->tallies[all->tally_of[i]];
		t->runs += ent_read_u64(r);
		t->ns += ent_read_u64(r);
	}
}

void ent__tally_verdict(ent__rules *all, const char *rule, size_t n, char verdict) {
	for (uint32_t tried = 0; all && tried < all->n_rules; tried++) {
		uint32_t i = all->next_rule < all->n_rules ? all->next_rule : 0;
		ent_rule_tally *t = &all->e->tallies[all->tally_of[i]];
		all->next_rule = i + 1;
		if (!strncmp(t->name, rule, n) && !t->name[n]) {
			uint64_t *counts[] = {&t->said_true, &t->said_false, &t->failed, &t->unknown};
			++*counts[verdict == 't' ? 0 : verdict == 'f' ? 1 : verdict == '!' ? 2 : 3];
			return;
		}
	}
}

const ent_rule_tally *ent_engine_tallies(const ent_engine *e, size_t *n) {
	*n = e->n_tallies;
	return e->tallies;
}
