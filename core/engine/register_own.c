/* SPDX-License-Identifier: Apache-2.0
 *
 * Registers that an organization adds in entente.yaml, as schemas like those that ship, see registers.h. They lie in
 * the memory of the configuration, and live as long. Loop thread only. */
#include "base/arena.h"
#include "engine/internal.h"
#include "engine/registers.h"

#include <stdio.h>
#include <string.h>

/* What every entry has besides the fields of its register, and what the snapshot calls it by. */
static const char taken[] = "id partner state actor effective recorded key source reg day system";

static const ent_register *shipped(const char *name) {
	for (const ent_register *r = ent_registers; r->name; r++) {
		if (!strcmp(r->name, name)) {
			return r;
		}
	}
	return NULL;
}

/* Words with blanks between them; without any, NULL. */
static const char *joined(const ent_words *words, ent_arena *arena) {
	char *text = NULL;
	for (size_t i = 0; i < words->n; i++) {
		text = ent_arena_printf(arena, "%s%s%s", text ? text : "", text ? " " : "", words->v[i].s);
	}
	return text;
}

static void check_words(const ent_words *words, const char *what, ent_errors *errors) {
	for (size_t i = 0; i < words->n; i++) {
		if (strpbrk(words->v[i].s, " \t\n")) {
			ent_errors_add(errors, words->v[i].at, "write it without blanks, with - or _ in their place",
				"'%s' cannot be %s", words->v[i].s, what);
		}
	}
}

/* Rules read it as an attribute. */
static bool is_attribute(const char *name) {
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == 0 && *name >= 'a' && *name <= 'z';
}

static ent_register_field field_of(const ent_register_field_config *c, ent_arena *arena, ent_errors *errors) {
	ent_register_field f = {.name = c->name.s,
		.type = c->type < 0 ? ENT_REG_TEXT : (ent_register_type)c->type,
		.required = c->required,
		.doc = c->doc.s ? c->doc.s : ""};
	if (!is_attribute(c->name.s)) {
		ent_errors_add(errors, c->name.at, "begin with a small letter; go on with small letters, digits and '_'",
			"'%s' cannot be a field", c->name.s);
	} else if (ent_register_word_in(taken, c->name.s) || !strcmp(c->name.s, "audience")) {
		ent_errors_add(errors, c->name.at, "take another name", "'%s' is what every entry has", c->name.s);
	}
	if (f.type == ENT_REG_WORD) {
		check_words(&c->choices, "a word", errors);
		f.choices = joined(&c->choices, arena);
		if (!f.choices) {
			ent_errors_add(
				errors, c->at, "add choices: [WORD, …]", "the field '%s' is a word, and has no choices", c->name.s);
			f.choices = "";
		}
	} else if (c->choices.n) {
		ent_errors_add(errors, c->choices.v[0].at, "add type: word, or take them out",
			"the field '%s' is no word, and has choices", c->name.s);
	} else if (f.type == ENT_REG_PAIRS) {
		f.choices = "numbers";
	}
	return f;
}

/* All but the first of them. */
static const char *all_but_first(const char *states) {
	const char *blank = strchr(states, ' ');
	return blank ? blank + 1 : states;
}

static void check_states(const ent_register_config *c, ent_errors *errors) {
	check_words(&c->states, "a state", errors);
	for (size_t i = 0; i < c->closing.n; i++) {
		const ent_word *word = &c->closing.v[i];
		bool known = !c->states.n && (!strcmp(word->s, "open") || !strcmp(word->s, "closed"));
		for (size_t k = 0; k < c->states.n && !known; k++) {
			known = !strcmp(c->states.v[k].s, word->s);
		}
		if (!known) {
			ent_errors_add(errors, word->at, "add it to states, or take it out", "'%s' is none of the states of '%s'",
				word->s, c->name.s);
		}
	}
}

static ent_register own(const ent_register_config *c, ent_arena *arena, ent_errors *errors) {
	static const ent_register_field audience = {
		"audience", ENT_REG_WORD, false, "both us confidential", "who may know of it, where that is not as usual here"};
	ent_register_field *fields = ent_arena_alloc(arena, (c->n_fields + 2) * sizeof *fields);
	for (size_t i = 0; i < c->n_fields; i++) {
		fields[i] = field_of(&c->fields[i], arena, errors);
	}
	fields[c->n_fields] = audience;
	fields[c->n_fields + 1] = (ent_register_field){0};
	check_states(c, errors);
	const char *states = joined(&c->states, arena), *closing = joined(&c->closing, arena);
	states = states ? states : "open closed";
	return (ent_register){.name = c->name.s,
		.doc = c->doc.s ? c->doc.s : "",
		.states = states,
		.closing = closing ? closing : all_but_first(states),
		.audience = c->audience < 0 ? ENT_AUDIENCE_US : (ent_register_audience)c->audience,
		.fields = fields};
}

/* What is written of one that ships. */
static void check_shipped(const ent_register_config *c, ent_errors *errors) {
	if (c->fields || c->states.n || c->closing.n || c->doc.s || c->audience >= 0) {
		ent_errors_add(errors, c->name.at, "give yours another name; of this one only kept_since can be said",
			"the register '%s' ships with Entente", c->name.s);
	} else if (c->kept_since == INT32_MIN) {
		ent_errors_add(errors, c->at, "add kept_since: 2025-01-31", "'kept_since' is missing");
	}
}

static void unknown(const ent_register_config *c, ent_errors *errors) {
	const char *names[ENT_REGISTERS_MOST];
	char todo[160];
	size_t n = 0;
	for (const ent_register *r = ent_registers; r->name && n < ENT_REGISTERS_MOST; r++) {
		names[n++] = r->name;
	}
	const char *near = ent_nearest(c->name.s, names, n);
	if (near) {
		snprintf(todo, sizeof todo, "did you mean '%s'?", near);
	} else {
		snprintf(todo, sizeof todo, "add fields: {FIELD: {type: text}}, which makes it one of your own");
	}
	ent_errors_add(errors, c->name.at, todo, "there is no register '%s'", c->name.s);
}

int ent__registers_open(ent_engine *e, ent_errors *errors) {
	const ent_config *c = e->config;
	ent_register *all = ent_arena_alloc(c->arena, ENT_REGISTERS_MOST * sizeof *all);
	size_t n = 0, before = errors->total;
	for (const ent_register *r = ent_registers; r->name; r++) {
		all[n++] = *r;
	}
	for (size_t i = 0; i < c->n_registers; i++) {
		const ent_register_config *r = &c->registers[i];
		if (shipped(r->name.s)) {
			check_shipped(r, errors);
		} else if (!r->n_fields) {
			unknown(r, errors);
		} else if (n + 1 == ENT_REGISTERS_MOST) {
			ent_errors_add(
				errors, r->name.at, "take one out", "there are more than %d registers", ENT_REGISTERS_MOST - 1);
			break;
		} else {
			all[n++] = own(r, c->arena, errors);
		}
	}
	all[n] = (ent_register){0};
	e->registers = all;
	return errors->total == before ? 0 : ENT_ERR_INVALID;
}

const ent_register *ent_engine_registers(const ent_engine *e) { return e->registers ? e->registers : ent_registers; }
