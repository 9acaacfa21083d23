/* SPDX-License-Identifier: Apache-2.0
 *
 * What a key's own table cannot check, because it depends on others. One thread (zones are loaded to see that they
 * exist).
 */
#include "config/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/zone.h"
#include "config/pattern.h"

enum { ZONE_NAMES = 2048 };

/* Names of the system's zones, for suggestions; none is fine. */
static size_t zone_names(ent_arena *arena, const char **names) {
	FILE *file = fopen("/usr/share/zoneinfo/tzdata.zi", "re");
	char line[512], type[4], a[256], b[256];
	size_t n = 0;
	while (file && n < ZONE_NAMES && fgets(line, sizeof line, file)) {
		int got = sscanf(line, "%3s %255s %255s", type, a, b);
		const char *name = got >= 2 && strcmp(type, "Z") == 0 ? a : got == 3 && strcmp(type, "L") == 0 ? b : NULL;
		if (name) {
			names[n++] = ent_arena_copy(arena, name, strlen(name));
		}
	}
	if (file) {
		fclose(file);
	}
	return n;
}

static void zone(ent__parser *p, ent_intern *good, const char *key, ent_word word, const char *also) {
	if (!word.s || (also && strcmp(word.s, also) == 0) || ent_intern_find(good, word.s, strlen(word.s)) != UINT32_MAX) {
		return;
	}
	ent_error e;
	ent_zone *loaded = ent_zone_load(word.s, &e);
	if (loaded) {
		ent_zone_destroy(loaded);
		ent_intern_put(good, word.s, strlen(word.s));
		return;
	}
	const char *names[ZONE_NAMES];
	char todo[128];
	const char *near = ent_nearest(word.s, names, zone_names(p->arena, names));
	if (near) {
		snprintf(todo, sizeof todo, "did you mean '%s'?", near);
	} else {
		snprintf(todo, sizeof todo, "write %s%sUTC, a name like Europe/Berlin, or an offset like +01:00",
			also ? also : "", also ? ", " : "");
	}
	ent_errors_add(p->errors, word.at, todo, "'%s' does not know the time zone '%s'", key, word.s);
}

static void pattern(ent__parser *p, const char *key, ent_word word, const char *needs) {
	char todo[96];
	if (!word.s) {
		return;
	}
	const char *fault = ent_pattern_fault(word.s);
	if (fault) {
		ent_errors_add(p->errors, word.at, "write for example \"drop/{partner}/{year}-{month}-*.csv\"",
			"'%s' is no pattern: %s", key, fault);
	} else if (!ent_pattern_has(word.s, needs)) {
		snprintf(todo, sizeof todo, "put {%s} where it stands in the path", needs);
		ent_errors_add(p->errors, word.at, todo, "'%s' has no {%s}", key, needs);
	}
}

/* Names of side files, and the parts of the path that stand in them. */
static void companions(ent__parser *p, const ent_transport_config *from) {
	const char *fault = from->named.s ? ent_pattern_fault(from->named.s) : NULL;
	if (fault) {
		ent_errors_add(p->errors, from->named.at, "write for example \"{no}-{suite}_{date}.tsv.gz\"", "'named' is no pattern: %s", fault);
	} else if (from->named.s && !from->companions.n) {
		ent_errors_add(p->errors, from->named.at, "take it out, or write companions: [...]", "'named' is for names of companions, and there are none");
	}
	if (from->companions.n > ENT_COMPANIONS_MAX) {
		ent_errors_add(p->errors, from->companions.v[ENT_COMPANIONS_MAX].at, "put what belongs together into one file, such as a .tar.gz",
			"a file has %u companions at most", ENT_COMPANIONS_MAX);
	}
	if (from->companions.n && from->kind == ENT_FROM_STDIN) {
		ent_errors_add(p->errors, from->companions.v[0].at, "read it as a file, with from: {file: ...}", "standard input has no files beside it");
	}
	for (size_t i = 0; i < from->companions.n; i++) {
		const ent_word *word = &from->companions.v[i];
		char part[64];
		fault = ent_pattern_fault(word->s);
		if (!word->s[0] || fault || strpbrk(word->s, "*?")) {
			ent_errors_add(p->errors, word->at, "name one file; parts of its name that vary stand in {} and in `named`",
				fault ? "'%s' is no name of a companion: %s" : "'%s' is no name of a companion", word->s, fault);
			continue;
		}
		for (const char *at = strchr(word->s, '{'); at && !(from->named.s && ent_pattern_fault(from->named.s)); at = strchr(at + 1, '{')) {
			snprintf(part, sizeof part, "%.*s", (int)strcspn(at + 1, "}"), at + 1);
			if (!from->named.s || !ent_pattern_has(from->named.s, part)) {
				ent_errors_add(p->errors, word->at, "name it in `named`, the pattern of the file's own name", "nothing says what {%s} is", part);
			}
		}
	}
}

static void partner_exists(ent__parser *p, const ent_config *config, ent_word word, const char *const *ids) {
	if (!word.s || ent_config_partner_find(config, word.s)) {
		return;
	}
	char todo[160];
	const char *near = ent_nearest(word.s, ids, config->n_partners);
	if (near) {
		snprintf(todo, sizeof todo, "did you mean '%s'?", near);
	} else {
		snprintf(todo, sizeof todo, "add it to 'partners'");
	}
	ent_errors_add(p->errors, word.at, todo, "there is no partner '%s'", word.s);
}

/* One name in one system cannot be two partners'. */
static void also_once(ent__parser *p, const ent_config *config) {
	ent_intern seen;
	const ent_word **first = NULL;
	const char **owner = NULL;
	size_t n = 0, capacity = 0, owners = 0;
	ent_intern_init(&seen);
	for (size_t i = 0; i < config->n_partners; i++) {
		const ent_config_partner *partner = &config->partners[i];
		for (size_t k = 0; k < partner->n_also; k++) {
			const ent_partner_also *a = &partner->also[k];
			char *key = ent_arena_printf(p->arena, "%s\n%s", a->system.s, a->value.s);
			uint32_t number = ent_intern_put(&seen, key, strlen(key)) - 1;
			if (number < n) {
				char todo[128];
				snprintf(todo, sizeof todo, "keep one of them; the first is in line %u", first[number]->at.line);
				ent_errors_add(
					p->errors, a->value.at, todo, "'%s' of %s is %s already", a->value.s, a->system.s, owner[number]);
				continue;
			}
			ENT_GROW(owner, n, owners);
			ENT_GROW(first, n, capacity);
			owner[n] = partner->id.s;
			first[n++] = &a->value;
		}
	}
	free(first);
	free(owner);
	ent_intern_finish(&seen);
}

void ent__check(ent__parser *p, ent_config *config) {
	ent_intern zones;
	ent_intern_init(&zones);
	const char **ids = ent_arena_alloc(p->arena, (config->n_partners + 1) * sizeof *ids);
	for (size_t i = 0; i < config->n_partners; i++) {
		/* The array is ours until the configuration is handed out. */
		ent_config_partner *partner = (ent_config_partner *)&config->partners[i];
		ids[i] = partner->id.s;
		if (!partner->name.s) {
			partner->name.s = partner->id.s;
		}
		if (!partner->currency.s) {
			partner->currency.s = config->currency.s;
		}
		zone(p, &zones, "zone", partner->zone, NULL);
	}
	bool stdin_taken = false;
	for (size_t i = 0; i < config->n_sources; i++) {
		const ent_config_source *source = &config->sources[i];
		zone(p, &zones, "zone", source->zone, "partner");
		partner_exists(p, config, source->partner.fallback, ids);
		pattern(p, "pattern", source->partner.pattern, "partner");
		pattern(p, "snapshot", source->from.snapshot, "year");
		companions(p, &source->from);
		if (source->from.path.s && source->from.kind == ENT_FROM_STDIN) {
			if (stdin_taken) {
				ent_errors_add(
					p->errors, source->from.path.at, "keep one of them", "standard input is read by two sources");
			}
			stdin_taken = true;
		}
	}
	also_once(p, config);
	ent__serve_check(p, &config->serve);
	ent__tell_check(p, config);
	for (size_t i = 0; i < config->n_tell; i++) {
		for (size_t k = 0; k < config->tell[i].n_quiet; k++) {
			zone(p, &zones, "zone", config->tell[i].quiet[k].zone, NULL);
		}
	}
	ent__webhooks_check(p, config);
	ent__polls_check(p, config);
	ent__priors_check(p, config);
	ent_intern_finish(&zones);
}
