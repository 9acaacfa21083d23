/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of a decoder's tables and of its making: options, create() and destroy(), probe(). */
#include "conform/tests.h"

#include "config/options.h"
#include "config/options_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tests that need no case load the plugin themselves: `abi` says what is wrong with one that cannot be. */
static const ent_plugin *plugin_of(ent__check *k, ent__set *own) {
	ent_error e;
	if (k->set->plugin) {
		return k->set->plugin;
	}
	if (ent__set_load(own, k->set->path, &e)) {
		ent__check_skip(k, "the plugin cannot be loaded");
		return NULL;
	}
	return own->plugin;
}

/* ---- options ------------------------------------------------------------------------------------------------------
 */

static const char *const types[] = {"BOOL", "INT", "STR", "ENUM", "DURATION", "SECRET", "LIST", "MAP"};

/* Does the type of the option take its own default? It is read as if somebody had written it. */
static bool preset_good(const ent_option *o, ent_error *e) {
	ent_arena arena = {0};
	const ent_decoder alone = {.options = (const ent_option[]){*o, {.key = NULL}}};
	ent__case about = {.decoder = &alone};
	ent_buf yaml = {0};
	ent_buf_printf(&yaml, "{\"%s\": ", o->key);
	if (o->type == ENT_OPT_BOOL || o->type == ENT_OPT_INT) {
		ent_buf_printf(&yaml, "%s", *o->preset ? o->preset : "\"\"");
	} else {
		ent_buf_u8(&yaml, '"');
		for (const char *p = o->preset; *p; p++) {
			ent_buf_printf(&yaml, "%s%c", *p == '"' || *p == '\\' ? "\\" : *p == '$' ? "$" : "", *p);
		}
		ent_buf_u8(&yaml, '"');
	}
	ent_buf_printf(&yaml, "}");
	ent_buf_u8(&yaml, 0);
	int status = o->type == ENT_OPT_SECRET ? 0 : ent__options_read(&arena, &about, (char *)yaml.data, e);
	ent_buf_finish(&yaml);
	ent_arena_finish(&arena);
	return !status;
}

static void check_options(
	ent__check *k, const ent__case *about, const ent_option *table, const char *above, unsigned depth) {
	const char *dot = *above ? "." : "";
	for (const ent_option *o = table; o && o->key && depth < ENT_WIRE_DEPTH; o++) {
		ent_error e = {0};
		char name[300];
		snprintf(name, sizeof name, "%s%s%s", above, dot, o->key);
		if ((unsigned)o->type > ENT_OPT_MAP) {
			ent__check_fail(
				k, about, ENT__NO_PLACE, "take one of ent_opt_type", "option %s has no type that is known", name);
			continue;
		}
		bool nested = o->type == ENT_OPT_LIST || o->type == ENT_OPT_MAP;
		if (!*o->key || o->key[strcspn(o->key, " :{}[],\t\"'#")]) {
			ent__check_fail(k, about, ENT__NO_PLACE, "a key is written in YAML: small letters, digits and underlines",
				"option '%s'", name);
		}
		if (!ent__is_sentence(o->doc)) {
			ent__check_fail(k, about, ENT__NO_PLACE,
				"help and documentation are made of it: write one sentence, with its full stop",
				"option %s is not documented: '%s'", name, o->doc ? o->doc : "");
		}
		if ((o->type == ENT_OPT_ENUM) != (o->choices && o->choices[0])) {
			ent__check_fail(k, about, ENT__NO_PLACE, "an ENUM has choices, which end with NULL; nothing else has any",
				"option %s of type %s %s choices", name, types[o->type], o->choices ? "has" : "has no");
		}
		if (nested != (o->item && o->item->key)) {
			ent__check_fail(k, about, ENT__NO_PLACE, "a LIST or MAP has a schema in `item`; nothing else has one",
				"option %s of type %s %s items", name, types[o->type], o->item ? "has" : "has no");
		}
		if (nested && o->preset) {
			ent__check_fail(k, about, ENT__NO_PLACE, "take it out, and do in create() what it is to do",
				"option %s of type %s has a default", name, types[o->type]);
		} else if (o->preset && o->required) {
			ent__check_fail(
				k, about, ENT__NO_PLACE, "it is one or the other", "option %s is required and has a default", name);
		} else if (o->preset && !preset_good(o, &e)) {
			ent__check_fail(k, about, ENT__NO_PLACE, e.todo[0] ? e.todo : "write it as a user would write it",
				"the default '%s' of option %s is none: %s", o->preset, name, e.what);
		}
		for (const ent_option *b = table; b != o; b++) {
			if (!strcmp(b->key, o->key)) {
				ent__check_fail(k, about, ENT__NO_PLACE, "take one out", "option %s is in its table twice", name);
			}
		}
		if (nested) {
			check_options(k, about, o->item, name, depth + 1);
		}
	}
}

void ent__test_options(ent__check *k, const ent__case *c) {
	ent__set own = {0};
	const ent_plugin *p = plugin_of(k, &own);
	(void)c;
	for (const ent_decoder *const *d = p ? p->decoders : NULL; d && *d; d++) {
		const ent__case about = {.decoder = *d, .path = "", .name = ""};
		ent_arena arena = {0};
		ent_buf wire = {0};
		ent_error e = {0};
		const ent_option *back;
		unsigned before = k->n_failures;
		ent__doing(&about, "reading its table of options");
		ent__check_ran(k);
		check_options(k, &about, (*d)->options, "", 0);
		int status = k->n_failures == before ? ent_options_write((*d)->options, &wire, &e) : 0;
		if (!status && wire.n) {
			ent_read r = ent_read_of(wire.data, wire.n);
			status = ent_options_read(&r, &arena, &back, &e);
		}
		if (status) {
			ent__check_fail(k, &about, ENT__NO_PLACE, "see ent_option in entente/plugin.h",
				"the table of options does not reach the core: %s", e.what);
		}
		ent_buf_finish(&wire);
		ent_arena_finish(&arena);
	}
	ent__set_finish(&own);
}

/* ---- create() and destroy() -----------------------------------------------------------------------------------------
 */

static bool make(ent__check *k, const ent__case *about, const ent_value *values, const char *how) {
	ent_status status;
	ent_fault f = {0};
	ent__doing(about, "create() with %s", how);
	ent__check_ran(k);
	ent__trial *t = ent__trial_open_with(about, values, &status, &f);
	ent__doing(about, "destroy() after create() with %s", how);
	if (!t && (!f.e.what[0] || !f.e.todo[0]) && status != ENT_ENOMEM) {
		ent__check_fail(k, about, ENT__NO_PLACE,
			"call host->error() with what is wrong and what to do, then return ENT_EOPTION",
			"create() with %s returns %d without a reason", how, status);
	}
	ent__trial_close(t);
	return t != NULL;
}

void ent__test_create(ent__check *k, const ent__case *c) {
	ent__set own = {0};
	const ent_plugin *p = plugin_of(k, &own);
	(void)c;
	for (const ent_decoder *const *d = p ? p->decoders : NULL; d && *d; d++) {
		ent_arena arena = {0};
		ent__case about = {.decoder = *d, .path = "", .name = "", .document = ""};
		size_t n = ent_options_count((*d)->options);
		ent_value *unset = n ? ent_arena_alloc(&arena, n * sizeof *unset) : NULL;
		ent_error e;
		for (size_t i = 0; i < n; i++) {
			unset[i].type = (uint8_t)(*d)->options[i].type;
		}
		make(k, &about, unset, "every option unset");
		if (!ent__options_read(&arena, &about, NULL, &e)) { /* else options are required: the core asks for them */
			make(k, &about, about.values, "the default options");
		}
		ent__doing(&about, "destroy(NULL)");
		ent__inside++;
		(*d)->destroy(NULL);
		ent__inside--;
		ent_arena_finish(&arena);
	}
	ent__set_finish(&own);
}

/* ---- probe() ------------------------------------------------------------------------------------------------------
 */

static int ask(ent__check *k, const ent__case *c, const ent_decoder *d, const char *p, size_t n, const char *what) {
	/* the head has no bytes behind it: who reads on is seen by a sanitizer, and by what stands there */
	char *head = ent_xmalloc(n + 1);
	ent_doc doc = {.size = sizeof doc, .name = {c->document, strlen(c->document)}, .length = (int64_t)n};
	const char *why = NULL;
	memcpy(head, p, n);
	head[n] = '"';
	ent__doing(c, "probe() of decoder %s with %s", d->name, what);
	ent__inside++;
	int score = d->probe((ent_str){head, n}, &doc, &why);
	ent__inside--;
	free(head);
	if (score < 0 || score > 100) {
		ent__check_fail(k, c, ENT__NO_PLACE, "it is from 0, not this format, to 100",
			"probe() of %s with %s returns %d", d->name, what, score);
	} else if (!why || !*why) {
		ent__check_fail(k, c, ENT__NO_PLACE,
			"set *why in either case: it is shown when no decoder, or two, take a file",
			"probe() of %s with %s does not say why", d->name, what);
	}
	return score;
}

/* Does it know another input of this decoder? Of rare layouts it may be unsure; they are then named in the
 * configuration. */
static bool knows_one(ent__check *k, const ent__case *c) {
	for (size_t i = 0; i < k->set->n; i++) {
		const ent__case *o = &k->set->cases[i];
		size_t head = o->n < (64 << 10) ? o->n : 64 << 10;
		if (o != c && o->decoder == c->decoder && ask(k, o, o->decoder, o->bytes, head, "the input") > 0) {
			return true;
		}
	}
	return false;
}

void ent__test_probe(ent__check *k, const ent__case *c) {
	enum { HEAD = 64 << 10, NOISE = 4096, SURE = 50 };
	const ent_decoder *d = c->decoder;
	size_t head = c->n < HEAD ? c->n : HEAD;
	unsigned before = k->n_failures;
	char noise[NOISE];
	uint64_t seed = UINT64_C(0x2545f4914f6cdd1d);
	if (!d->probe) {
		ent__check_skip(k, "no decoder has a probe(): they have to be named in the configuration");
		return;
	}
	bool refused = false;
	char *text = ent__expected(k, c, &refused);
	ent__check_ran(k);
	int score = ask(k, c, d, c->bytes, head, "the input");
	if (text && !refused && !c->tables && !c->beside && strstr(text, "{\"fact\"") && !score &&
		k->n_failures == before && !knows_one(k, c)) {
		ent__check_fail(k, c, ENT__NO_PLACE, "look at the header and the first records, rather than at the name",
			"probe() of %s knows no input that it decodes", d->name);
	}
	free(text);
	for (const ent_decoder *const *o = k->set->plugin->decoders; *o && k->n_failures == before; o++) {
		if (*o != d && (*o)->probe && !refused && ask(k, c, *o, c->bytes, head, "the input") > score) {
			ent__check_fail(k, c, ENT__NO_PLACE, "of two decoders of one plugin, the right one is to be surer",
				"probe() of %s is surer of it than that of %s", (*o)->name, d->name);
		}
	}
	for (size_t i = 0; i < sizeof noise; i++) {
		noise[i] = (char)ent__random(&seed, 256);
	}
	if (k->n_failures == before && ask(k, c, d, "", 0, "nothing") > SURE) {
		ent__check_fail(
			k, c, ENT__NO_PLACE, "give 0 where nothing was seen", "probe() of %s is sure of an empty file", d->name);
	}
	if (k->n_failures == before && ask(k, c, d, noise, sizeof noise, "noise") > SURE) {
		ent__check_fail(
			k, c, ENT__NO_PLACE, "give 0 where nothing was seen", "probe() of %s is sure of noise", d->name);
	}
	for (size_t n = 1; n < 200 && n < head && k->n_failures == before; n += 1 + n / 8) {
		ask(k, c, d, c->bytes, n, "the first bytes of the input");
	}
}
