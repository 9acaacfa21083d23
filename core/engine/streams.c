/* SPDX-License-Identifier: Apache-2.0
 *
 * Sources and the decoders that read them. The options of a decoder are checked against the table that its plugin
 * declares; the options of framing (delimiter, quote, encoding, skip_lines, short_rows) are the host's and the same for every decoder
 * of delimited files. Loop thread only. */
#include "base/encoding.h"
#include "config/framing.h"
#include "config/options.h"
#include "config/options_wire.h"
#include "engine/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OWN_SOURCES = 1 /* the registers; streams point into the array, so it must not grow */ };

int ent__sources_open(ent_engine *e, ent_errors *errors) {
	const ent_config *c = e->config;
	e->sources = ent_xcalloc(c->n_sources + OWN_SOURCES, sizeof *e->sources);
	for (size_t i = 0; i < c->n_sources; i++) {
		ent__source *s = &e->sources[e->n_sources++];
		s->config = &c->sources[i];
		s->code = ent__code_of(e, s->config->name.s);
		s->delta.source = s->total.source = s->code;
		if (s->config->partner.fallback.s) {
			s->fixed = ent__code_of(e, s->config->partner.fallback.s);
			ent__member *p = ent__partner(e, s->fixed);
			p->known = p->known ? p->known : 1;
		}
		if (s->config->zone.s && strcmp(s->config->zone.s, "partner") != 0) {
			ent_error error;
			s->zone = ent__zone(e, s->config->zone.s, &error);
			if (!s->zone) {
				ent_errors_add(errors, s->config->zone.at, error.todo, "%s", error.what);
			}
		}
	}
	return errors->total ? ENT_ERR_INVALID : 0;
}

ent__source *ent__source_of(ent_engine *e, uint32_t code) {
	if (e->last_source < e->n_sources && e->sources[e->last_source].code == code) {
		return &e->sources[e->last_source]; /* asked for every document, and there may be hundreds */
	}
	for (uint32_t i = 0; i < e->n_sources; i++) {
		if (e->sources[i].code == code) {
			e->last_source = i;
			return &e->sources[i];
		}
	}
	return NULL;
}

ent__source *ent__source_own(ent_engine *e, const ent_config_source *config) {
	uint32_t code = ent__code_of(e, config->name.s);
	ent__source *s = ent__source_of(e, code);
	if (!s) {
		s = &e->sources[e->n_sources++];
		s->config = config;
		s->code = s->delta.source = s->total.source = code;
	}
	return s;
}

bool ent__source_is_own(const ent_engine *e, const ent__source *s) {
	return s->config < e->config->sources || s->config >= e->config->sources + e->config->n_sources;
}

/* How many documents of each source were parked and pending at the last commit. */
static int take_states(void *ctx, const ent_balance *b) {
	ent__source *s = ent__source_of(ctx, b->source);
	if (s) {
		s->parked = b->parked;
		s->pending = b->pending;
	}
	return 0;
}

int ent__sources_states(ent_engine *e, ent_error *error) {
	return e->store ? ent_store_balance_scan(e->store, take_states, e, error) : 0;
}

void ent__sources_close(ent_engine *e) {
	for (uint32_t i = 0; i < e->n_sources; i++) {
		ent__stream *s = e->sources[i].streams;
		ent__aside_free(&e->sources[i]);
		while (s) {
			ent__stream *next = s->next;
			ent_buf_finish(&s->options);
			free(s->partner_cache);
			free(s);
			s = next;
		}
	}
	free(e->sources);
}

/* The decoder's table, and behind it that of the framing, if the host frames: a decoder's own option of that name goes first. */
const ent_option *ent_engine_options(ent_engine *e, const ent_decoder_info *d) {
	return ent_framing_options(d->options, (ent_frame)d->frame, &e->arena);
}

/* Is the encoding one that can be read, and of this source? */
static void check_encoding(const ent__source *s, const ent_decoder_info *d, const ent_yaml_node *node, ent_errors *errors) {
	ent_encoding encoding;
	ent_charset charset;
	ent_transport_kind from = s->config->from.kind;
	if (!ent_encoding_parse(node->text, strlen(node->text), &encoding, &charset)) {
		size_t n = 0;
		while (ent_encoding_names[n]) {
			n++;
		}
		const char *near = ent_nearest(node->text, ent_encoding_names, n);
		char todo[80];
		snprintf(todo, sizeof todo, "did you mean '%s'?", near ? near : "");
		ent_errors_add(errors, node->at, near ? todo : ent_encoding_help, "unknown encoding '%s'", node->text);
	} else if (d->frame == ENT_FRAME_JSONL && encoding > ENT_ENCODING_UTF8 &&
			   (from == ENT_FROM_WEBHOOK || from == ENT_FROM_POLL || from == ENT_FROM_PIPE)) {
		ent_errors_add(errors, node->at, "take `encoding` out, and have the sender write UTF-8",
			"lines that are sent to a service are UTF-8: they are cut and checked before a decoder sees them");
	}
}

ent__stream *ent__stream_of(ent_engine *e, ent__source *source, const ent_decoder_info *d, ent_errors *errors) {
	for (ent__stream *s = source->streams; s; s = s->next) {
		if (s->decoder == d) {
			return s;
		}
	}
	size_t n = ent_options_count(d->options);
	const ent_option *table = ent_engine_options(e, d);
	ent_value *values = NULL;
	const ent_decode_config *decode = &source->config->decode;
	/* options belong to the decoder that the configuration names; under `auto` every decoder has its defaults */
	const ent_yaml_node *node = decode->name.s ? decode->options : NULL;
	size_t before = errors->total;
	if (ent_config_options_check(table, node, decode->at, e->config->folder, &e->arena, &values, errors)) {
		return NULL;
	}
	for (size_t i = n; table[i].key; i++) {
		if (!strcmp(table[i].key, "encoding") && values[i].set) {
			check_encoding(source, d, ent_yaml_get(node, "encoding"), errors);
		}
	}
	if (errors->total > before) {
		return NULL;
	}
	ent__stream *s = ent_xcalloc(1, sizeof *s);
	s->source = source;
	s->decoder = d;
	s->instance = e->n_instances++;
	const char *system = d->system;
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(table[i].key, "system") && values[i].set && values[i].s.n) {
			system = values[i].s.p;
		}
	}
	s->system = ent__code_of(e, system);
	s->origin = (uint8_t)(source->config->origin >= 0
			? source->config->origin
			: d->flags & ENT_DECODER_ANALYTICS ? ENT_ORIGIN_ANALYTICS : ENT_ORIGIN_SHOP);
	s->restates = d->flags & ENT_DECODER_RESTATES;
	ent_error error;
	if (ent_values_write(values, n, &s->options, &error)) {
		ent_errors_add(errors, decode->at, error.todo, "%s", error.what);
		free(s);
		return NULL;
	}
	unsigned k = 0;
	for (size_t i = n; table[i].key; i++) {
		if (values[i].set) {
			/* copies: the stream may outlive the configuration */
			s->framing[k++] = table[i].key;
			s->framing[k++] = ent_arena_copy(&e->arena, values[i].s.p, values[i].s.n);
		}
	}
	s->next = source->streams;
	source->streams = s;
	return s;
}

int ent_engine_check(ent_engine *e, ent_errors *errors) {
	for (uint32_t i = 0; i < e->n_sources; i++) {
		const ent_word *name = &e->sources[i].config->decode.name;
		ent_error error = {0};
		const ent_decoder_info *d = name->s ? ent__decoder_named(e, name, &error) : NULL;
		if (error.code) {
			ent_errors_take(errors, &error);
		} else if (d) {
			ent__stream_of(e, &e->sources[i], d, errors);
		}
	}
	return errors->total ? ENT_ERR_INVALID : 0;
}
