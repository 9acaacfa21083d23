/* SPDX-License-Identifier: Apache-2.0
 *
 * Another configuration in place of the one that an engine was opened with, between two runs. What hangs on the configuration
 * (partners, channels, sources and their streams) is made anew beside the old; only when all of it is good does it take the
 * old one's place. A source that says the same as before keeps its streams, and so its instances in the workers; so do all
 * workers, unless their own limits changed. Loop thread only. */
#include "config/install.h"
#include "engine/judged.h"
#include "engine/rules_worker.h"
#include "engine/service_internal.h"
#include "engine/warm.h"

#include <stdlib.h>
#include <string.h>

/* So many streams may have been let go before their instances are cleared out of the workers, by starting these anew. */
enum { STALE_MOST = 256 };

/* What hangs on a configuration. */
typedef struct parts {
	const ent_config *config;
	ent_zone **zones;
	uint32_t n_zones, zones_capacity;
	ent_zone *utc;
	ent__source *sources;
	uint32_t n_sources, last_source;
	ent__member *partners;
	uint32_t partners_capacity;
	ent_intern also, channels;
	uint32_t *also_partner, also_capacity, *channel_code, channel_capacity;
	uint32_t *channel_cache, channel_cache_n, channel_cache_system;
} parts;

static void take_out(ent_engine *e, parts *p) {
	*p = (parts){e->config, e->zones, e->n_zones, e->zones_capacity, e->utc, e->sources, e->n_sources, e->last_source, e->partners,
		e->partners_capacity, e->also, e->channels, e->also_partner, e->also_capacity, e->channel_code, e->channel_capacity,
		e->channel_cache, e->channel_cache_n, e->channel_cache_system};
	e->zones = NULL;
	e->sources = NULL;
	e->partners = NULL;
	e->also_partner = e->channel_code = e->channel_cache = NULL;
	e->n_zones = e->zones_capacity = e->n_sources = e->last_source = e->partners_capacity = 0;
	e->also_capacity = e->channel_capacity = e->channel_cache_n = e->channel_cache_system = 0;
	e->utc = NULL;
}

static void put_in(ent_engine *e, const parts *p) {
	e->config = p->config;
	e->zones = p->zones;
	e->n_zones = p->n_zones;
	e->zones_capacity = p->zones_capacity;
	e->utc = p->utc;
	e->sources = p->sources;
	e->n_sources = p->n_sources;
	e->last_source = p->last_source;
	e->partners = p->partners;
	e->partners_capacity = p->partners_capacity;
	e->also = p->also;
	e->channels = p->channels;
	e->also_partner = p->also_partner;
	e->also_capacity = p->also_capacity;
	e->channel_code = p->channel_code;
	e->channel_capacity = p->channel_capacity;
	e->channel_cache = p->channel_cache;
	e->channel_cache_n = p->channel_cache_n;
	e->channel_cache_system = p->channel_cache_system;
}

static void drop(ent_engine *e) {
	ent__sources_close(e);
	ent__partners_close(e);
}

/* ---- what is the same ----------------------------------------------------------------------------------------------------------- */

static const char *encoding_of(const ent_config_source *s) {
	const ent_yaml_node *node = ent_yaml_get(s->decode.options, "encoding");
	return node && node->kind == ENT_YAML_SCALAR ? node->text : NULL;
}

/* Workers opened all encodings that were declared when they started, and can open no other. */
static bool same_encodings(const ent_config *old, const ent_config *fresh) {
	bool same = true;
	for (size_t i = 0; i < fresh->n_sources && same; i++) {
		const char *wanted = encoding_of(&fresh->sources[i]);
		same = !wanted;
		for (size_t k = 0; k < old->n_sources && !same; k++) {
			const char *had = encoding_of(&old->sources[k]);
			same = had && !strcmp(had, wanted);
		}
	}
	return same;
}

static bool same_pool(const ent_config *a, const ent_config *b) {
	return same_encodings(a, b) && a->workers == b->workers && a->sandbox == b->sandbox && !memcmp(&a->decoders, &b->decoders, sizeof a->decoders);
}

static bool same_word(const ent_word *a, const ent_word *b) {
	return a->s && b->s ? !strcmp(a->s, b->s) : a->s == b->s;
}

/* What an open store cannot change under way. */
static void check_lasting(const ent_config *old, const ent_config *fresh, ent_errors *errors) {
	static const char todo[] = "stop the service and start it again";
	if (!same_word(&old->store, &fresh->store)) {
		ent_errors_add(errors, fresh->store.at, todo, "the store cannot be another one while the service runs");
	}
	if (!same_word(&old->identity_key, &fresh->identity_key)) {
		ent_errors_add(errors, fresh->identity_key.at, todo, "the identity key cannot change while the service runs");
	}
}

/* ---- the exchange --------------------------------------------------------------------------------------------------------------- */

/* Streams of a source that says the same go on under the new one. */
static void keep_streams(ent_engine *e, parts *old) {
	for (uint32_t i = 0; i < old->n_sources; i++) {
		ent__source *before = &old->sources[i], *now = ent__source_of(e, before->code);
		bool own = before->config < old->config->sources || before->config >= old->config->sources + old->config->n_sources;
		if (own && !now && before->streams) {
			now = ent__source_own(e, before->config);
		}
		if (!now) {
			continue;
		}
		now->parked = before->parked;
		now->pending = before->pending;
		if (!own && !ent_config_same(old->config, e->config, "sources", before->config->name.s)) {
			continue;
		}
		while (now->streams) { /* that checking made */
			ent__stream *s = now->streams;
			now->streams = s->next;
			ent_buf_finish(&s->options);
			free(s->partner_cache);
			free(s);
		}
		now->streams = before->streams;
		before->streams = NULL;
		ent__aside_keep(now, before);
		for (ent__stream *s = now->streams; s; s = s->next) {
			s->source = now;
			free(s->partner_cache);
			s->partner_cache = NULL;
			s->partner_cache_n = 0;
		}
	}
	for (uint32_t i = 0; i < old->n_sources; i++) {
		for (const ent__stream *s = old->sources[i].streams; s; s = s->next) {
			e->stale_instances++;
		}
	}
}

/* The books as they are now: loaded, set, and tried. */
static int load_rules(ent_engine *e, const ent_config *fresh, ent_errors *errors) {
	ent_engine *trial;
	ent_buf json = {0};
	ent_error error = {0};
	int status = ent_engine_open(&trial, fresh, ENT_ENGINE_PLUGINS, errors);
	if (status) {
		return status;
	}
	if (ent_engine_rules(trial, &json, &error)) {
		ent_errors_take(errors, &error);
	} else {
		ent__rules_errors(trial, errors);
	}
	if (!errors->total) {
		ent__generation_try(trial, e, errors);
	}
	if (errors->total) {
		ent__generation_refuse(e, errors);
	}
	ent_buf_finish(&json);
	ent_engine_close(trial);
	return errors->total ? ENT_ERR_INVALID : 0;
}

int ent__engine_adopt(ent_engine *e, const ent_config *fresh, ent_errors *errors) {
	parts old;
	const ent_plugin_info *const *plugins;
	size_t n;
	ent__plugins plugins_before = e->plugins;
	char print[65];
	ent__rules_print(e, print);
	bool rules = !ent_config_same(e->config, fresh, "rules", NULL) || strcmp(print, e->rules_print) != 0;
	check_lasting(e->config, fresh, errors);
	if (errors->total || (rules && load_rules(e, fresh, errors))) {
		return ENT_ERR_INVALID;
	}
	ent_custom *custom;
	if (ent__declared_compile(e, fresh, &custom, errors)) {
		return ENT_ERR_INVALID;
	}
	bool same = ent__plugins_same(e, fresh);
	take_out(e, &old);
	e->config = fresh;
	ent__partners_open(e, errors);
	const struct ent_register *registers_before = e->registers;
	ent__registers_open(e, errors);
	if (!same) {
		e->plugins = (ent__plugins){0};
		ent_engine_plugins(e, &plugins, &n, errors);
	} else {
		ent__plugins_needed(e, errors); /* another decoder than before, maybe */
	}
	if (!errors->total && !ent__sources_open(e, errors)) {
		ent_engine_check(e, errors);
	}
	ent_error error;
	if (!errors->total && ent__sources_states(e, &error)) {
		ent_errors_take(errors, &error);
	}
	if (errors->total) {
		drop(e);
		put_in(e, &old);
		ent_custom_destroy(custom);
		e->plugins = plugins_before;
		e->registers = registers_before;
		return ENT_ERR_INVALID;
	}
	if (same) {
		keep_streams(e, &old);
	} else {
		for (uint32_t i = 1; i < e->n_inputs; i++) {
			e->stored[i].looked_ns = 0; /* a file may be what it was, and its decoder another version */
		}
	}
	parts fresh_parts;
	take_out(e, &fresh_parts);
	put_in(e, &old);
	drop(e);
	put_in(e, &fresh_parts);
	ent_custom_destroy(e->custom);
	e->custom = custom; /* the next run counts anew what changed, before it folds anything */
	ent__fold_setup(e);
	ent__inbox_forms(e);
	if (!same_pool(old.config, fresh) || e->stale_instances > STALE_MOST) {
		e->stale_instances = 0;
		ent__pool_renew(e);
	}
	if (rules) {
		ent_engine_rules_reload(e);
		memcpy(e->rules_print, print, sizeof print);
	}
	ent__generation_accept(e);
	ent__warm_all(e, "the configuration is another one");
	e->completes_read = false;
	return 0;
}
