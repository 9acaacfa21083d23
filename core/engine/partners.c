/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts to codes, words of a source to partners, raw channels to configured ones, names to zones. Loop thread only.
 *
 * A partner that the configuration does not know is created, parked or refused, as its source says. The facts of a parked
 * one are kept in the ledger and folded under the word that the source used; it is listed, judged by no rule, and its
 * facts move to the partner that `also:` names for it one day (replay.c). */
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>

uint32_t ent__code(ent_engine *e, const char *p, size_t n) { return n ? ent_intern_put(&e->texts, p, n) : 0; }
uint32_t ent__code_of(ent_engine *e, const char *text) { return text ? ent__code(e, text, strlen(text)) : 0; }
const char *ent__text(const ent_engine *e, uint32_t code) {
	return code < e->texts.count ? ent_intern_text(&e->texts, code, NULL) : "";
}

ent__member *ent__partner(ent_engine *e, uint32_t code) {
	if (code >= e->partners_capacity) {
		uint32_t capacity = e->partners_capacity ? e->partners_capacity : 1024;
		while (capacity <= code) {
			capacity *= 2;
		}
		e->partners = ent_xrealloc(e->partners, capacity * sizeof *e->partners);
		memset(e->partners + e->partners_capacity, 0, (capacity - e->partners_capacity) * sizeof *e->partners);
		e->partners_capacity = capacity;
	}
	return &e->partners[code];
}

ent_zone *ent__zone(ent_engine *e, const char *name, ent_error *error) {
	for (uint32_t i = 0; i < e->n_zones; i++) {
		if (!strcmp(ent_zone_name(e->zones[i]), name)) {
			return e->zones[i];
		}
	}
	ent_zone *z = ent_zone_load(name, error);
	if (z) {
		ENT_GROW(e->zones, e->n_zones, e->zones_capacity);
		e->zones[e->n_zones++] = z;
	}
	return z;
}

/* A number for two words, made of one text with a NUL between them. */
static uint32_t pair_put(ent_intern *t, const char *a, const char *b, size_t n) {
	char text[2048];
	size_t k = strlen(a);
	if (k + 1 + n > sizeof text) {
		return UINT32_MAX;
	}
	memcpy(text, a, k + 1);
	memcpy(text + k + 1, b, n);
	return ent_intern_put(t, text, k + 1 + n);
}

static uint32_t pair_find(const ent_intern *t, const char *a, const char *b, size_t n) {
	char text[2048];
	size_t k = strlen(a);
	if (k + 1 + n > sizeof text) {
		return UINT32_MAX;
	}
	memcpy(text, a, k + 1);
	memcpy(text + k + 1, b, n);
	return ent_intern_find(t, text, k + 1 + n);
}

static void set_at(uint32_t **array, uint32_t *capacity, uint32_t at, uint32_t value) {
	if (at >= *capacity) {
		uint32_t grown = *capacity ? *capacity * 2 : 256;
		while (grown <= at) {
			grown *= 2;
		}
		*array = ent_xrealloc(*array, grown * sizeof **array);
		memset(*array + *capacity, 0, (grown - *capacity) * sizeof **array);
		*capacity = grown;
	}
	(*array)[at] = value;
}

static int take_created(void *ctx, const ent_record *r) {
	ent_engine *e = ctx;
	ent__member *p = ent__partner(e, r->partner);
	if (!p->known) {
		p->known = strstr(r->json, "\"parked\"") ? 3 : 2;
	}
	return 0;
}

int ent__partners_reload(ent_engine *e, ent_error *error) {
	for (uint32_t i = 0; i < e->partners_capacity; i++) {
		if (e->partners[i].known > 1) {
			e->partners[i].known = 0;
		}
	}
	for (uint32_t i = 0; i < e->n_sources; i++) {
		for (ent__stream *s = e->sources[i].streams; s; s = s->next) {
			free(s->partner_cache);
			s->partner_cache = NULL;
			s->partner_cache_n = 0;
		}
	}
	return ent_store_records_scan(e->store, ENT__RECORD_PARTNER, UINT32_MAX, take_created, e, error);
}

int ent__partners_open(ent_engine *e, ent_errors *errors) {
	const ent_config *c = e->config;
	ent_error error;
	ent_intern_init(&e->also);
	ent_intern_init(&e->channels);
	e->utc = ent__zone(e, "UTC", &error);
	for (size_t i = 0; i < c->n_partners; i++) {
		const ent_config_partner *p = &c->partners[i];
		ent__member *mine = ent__partner(e, ent__code_of(e, p->id.s));
		mine->known = 1;
		mine->config = p;
		mine->zone = ent__zone(e, p->zone.s, &error);
		if (!mine->zone) {
			ent_errors_add(errors, p->zone.at, error.todo, "%s", error.what);
		}
		for (size_t k = 0; k < p->n_also; k++) {
			uint32_t number = pair_put(&e->also, p->also[k].system.s, p->also[k].value.s, strlen(p->also[k].value.s));
			set_at(&e->also_partner, &e->also_capacity, number, ent__code_of(e, p->id.s));
		}
	}
	for (size_t i = 0; i < c->n_channels; i++) {
		const ent_channel_map *m = &c->channels[i];
		char text[512];
		int n = snprintf(text, sizeof text, "%s/%s", m->side.s, m->channel.s);
		uint32_t number = pair_put(&e->channels, m->system.s, m->raw.s, strlen(m->raw.s));
		set_at(&e->channel_code, &e->channel_capacity, number, ent__code(e, text, (size_t)n));
	}
	if (e->store && ent_store_records_scan(e->store, ENT__RECORD_PARTNER, UINT32_MAX, take_created, e, &error)) {
		ent_errors_take(errors, &error);
	}
	return errors->total ? ENT_ERR_INVALID : 0;
}

int ent_engine_partners(ent_engine *e, ent_partner_visit visit, void *ctx) {
	int status = 0;
	for (uint32_t code = 1; code < e->partners_capacity && !status; code++) {
		const ent__member *p = &e->partners[code];
		if (p->known) {
			status = visit(ctx, ent__text(e, code), (ent_partner_kind)p->known, p->config);
		}
	}
	return status;
}

void ent__partners_close(ent_engine *e) {
	ent_intern_finish(&e->also);
	ent_intern_finish(&e->channels);
	free(e->also_partner);
	free(e->channel_code);
	free(e->channel_cache);
	free(e->partners);
	for (uint32_t i = 0; i < e->n_zones; i++) {
		ent_zone_destroy(e->zones[i]);
	}
	free(e->zones);
}

uint32_t ent__also(const ent_engine *e, const char *system, const char *value, size_t n) {
	uint32_t number = pair_find(&e->also, system, value, n);
	return number < e->also_capacity ? e->also_partner[number] : 0;
}

bool ent__also_any(const ent_engine *e, const char *word) {
	for (size_t i = 0; i < e->config->n_partners; i++) {
		const ent_config_partner *p = &e->config->partners[i];
		for (size_t k = 0; k < p->n_also; k++) {
			if (!strcmp(p->also[k].value.s, word)) {
				return true;
			}
		}
	}
	return false;
}

static uint32_t resolve(ent_engine *e, ent__stream *s, uint32_t raw) {
	const ent_partner_rule *rule = &s->source->config->partner;
	size_t n;
	const char *text = ent_intern_text(&e->texts, raw, &n);
	uint32_t code;
	if (rule->as.s) {
		code = ent__also(e, rule->as.s, text, n);
	} else if (ent__partner(e, raw)->known == 1) {
		code = raw;
	} else {
		code = ent__also(e, ent__text(e, s->system), text, n);
	}
	if (code) {
		return code;
	}
	if (rule->unknown == ENT_UNKNOWN_REJECT) {
		return 0;
	}
	ent__member *p = ent__partner(e, raw);
	if (!p->known) {
		p->known = rule->unknown == ENT_UNKNOWN_CREATE ? 2 : 3;
		ent_record r = {.key = raw, .kind = ENT__RECORD_PARTNER, .partner = raw,
			.json = p->known == 2 ? "{\"state\":\"created\"}" : "{\"state\":\"parked\"}"};
		r.n = strlen(r.json);
		ent__pending_record(e, &r, false);
	}
	return raw;
}

uint32_t ent__partner_of(ent_engine *e, ent__stream *s, uint32_t raw) {
	if (raw < s->partner_cache_n && s->partner_cache[raw]) {
		return s->partner_cache[raw] - 1;
	}
	uint32_t code = resolve(e, s, raw);
	set_at(&s->partner_cache, &s->partner_cache_n, raw, code + 1);
	return code;
}

/* ---- what folding asks ------------------------------------------------------------------------------------------------ */

static const ent_zone *zone_of(void *ctx, uint32_t partner) {
	ent_engine *e = ctx;
	const ent_zone *z = partner < e->partners_capacity ? e->partners[partner].zone : NULL;
	return z ? z : e->utc;
}

static const ent_zone *source_zone_of(void *ctx, uint32_t source) {
	const ent__source *s = ent__source_of(ctx, source);
	return s ? s->zone : NULL;
}

static uint32_t channel_of(void *ctx, uint32_t system, uint32_t raw) {
	ent_engine *e = ctx;
	if (raw == 0 || e->channels.count <= 1) {
		return raw;
	}
	if (system != e->channel_cache_system) {
		if (e->channel_cache_n) {
			memset(e->channel_cache, 0, e->channel_cache_n * sizeof *e->channel_cache);
		}
		e->channel_cache_system = system;
	}
	if (raw < e->channel_cache_n && e->channel_cache[raw]) {
		return e->channel_cache[raw] - 1;
	}
	size_t n;
	const char *text = ent_intern_text(&e->texts, raw, &n);
	uint32_t number = pair_find(&e->channels, ent__text(e, system), text, n);
	uint32_t code = number < e->channel_capacity && e->channel_code[number] ? e->channel_code[number] : raw;
	set_at(&e->channel_cache, &e->channel_cache_n, raw, code + 1);
	return code;
}

static uint32_t currency_of(void *ctx, const char currency[4]) {
	ent_engine *e = ctx;
	static const char none[4];
	return memcmp(currency, none, 3) ? ent_intern_put(&e->texts, currency, strnlen(currency, 3)) : 0;
}

static int compare_partners(void *ctx, uint32_t a, uint32_t b) {
	const ent_engine *e = ctx;
	return strcmp(ent__text(e, a), ent__text(e, b));
}

void ent__fold_setup(ent_engine *e) {
	static const struct {
		uint32_t bit;
		ent_view view;
	} views[] = {{ENT_CONFIG_VIEW_CHANNEL, ENT_VIEW_CHANNEL}, {ENT_CONFIG_VIEW_CATEGORY, ENT_VIEW_CATEGORY},
		{ENT_CONFIG_VIEW_COUNTRY, ENT_VIEW_COUNTRY}, {ENT_CONFIG_VIEW_CAMPAIGN, ENT_VIEW_CAMPAIGN},
		{ENT_CONFIG_VIEW_REGION, ENT_VIEW_REGION}, {ENT_CONFIG_VIEW_PRODUCT, ENT_VIEW_PRODUCT},
		{ENT_CONFIG_VIEW_VENDOR, ENT_VIEW_VENDOR}, {ENT_CONFIG_VIEW_DEVICE, ENT_VIEW_DEVICE},
		{ENT_CONFIG_VIEW_SOURCE, ENT_VIEW_SOURCE}};
	e->fold = (ent_fold){.cells = e->cells, .zone = zone_of, .source_zone = source_zone_of, .channel = channel_of,
		.currency = currency_of, .compare_partners = compare_partners, .record = ent__record, .ctx = e};
	e->fold.views[ENT_VIEW_TOTAL] = true;
	for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
		e->fold.views[views[i].view] = e->config->views & views[i].bit;
	}
	ent__declared_fold(e);
}
