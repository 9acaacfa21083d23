/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells are a cache of the ledger. When what they depend on besides facts changes (a definition of a measure, a view, the
 * zone of a partner or a source, a name of a channel), they are cleared and folded anew from the live documents, in one
 * commit. The fingerprint of all that is kept in the store. Loop thread only. */
#include "base/buf.h"
#include "engine/internal.h"
#include "engine/warm.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* What users declared, with the numbers by which cells know it. Where nothing is, nothing is written: stores from before stay. */
static void custom(const ent_catalogue *c, ent_buf *text) {
	for (unsigned m = ENT_MEASURE_COUNT; m < c->n_measures; m++) {
		if (c->measures[m].name) {
			ent_buf_printf(text, "measure %u %s %s\n", m, c->measures[m].name, c->measures[m].definition);
		}
	}
	for (unsigned i = ENT_SET_COUNT; i < c->n_sets; i++) {
		ent_buf_printf(text, "set %u %s %s\n", i, c->sets[i].name, c->sets[i].definition);
	}
	for (unsigned i = ENT_DIST_COUNT; i < c->n_dists; i++) {
		ent_buf_printf(text, "dist %u %s %s\n", i, c->dists[i].name, c->dists[i].definition);
	}
}

/* 64 hex digits over everything that decides into which cell a fact goes. */
static void fingerprint(const ent_engine *e, char out[65]) {
	const ent_config *c = e->config;
	ent_buf text = {0};
	char definition[17];
	for (unsigned m = 0; m < ENT_MEASURE_COUNT; m++) {
		ent_measure_definition(&ent_measures[m], definition);
		ent_buf_printf(&text, "%s %s\n", ent_measures[m].name, definition);
	}
	custom(ent_custom_catalogue(e->custom), &text);
	ent_buf_printf(&text, "views %u\n", c->views);
	ent_arena arena = {0};
	size_t n = 0;
	const char **lines = ent_arena_alloc(&arena, (c->n_partners + c->n_sources + c->n_channels + 1) * sizeof *lines);
	for (size_t i = 0; i < c->n_partners; i++) {
		if (strcmp(c->partners[i].zone.s, "UTC") != 0) { /* so that a new partner without a zone changes nothing */
			lines[n++] = ent_arena_printf(&arena, "partner %s zone %s\n", c->partners[i].id.s, c->partners[i].zone.s);
		}
	}
	for (size_t i = 0; i < c->n_sources; i++) {
		if (e->sources[i].zone) {
			lines[n++] = ent_arena_printf(&arena, "source %s zone %s\n", c->sources[i].name.s, c->sources[i].zone.s);
		}
	}
	for (size_t i = 0; i < c->n_channels; i++) {
		const ent_channel_map *m = &c->channels[i];
		lines[n++] = ent_arena_printf(&arena, "channel %s %s %s/%s\n", m->system.s, m->raw.s, m->side.s, m->channel.s);
	}
	qsort(lines, n, sizeof *lines, by_text);
	for (size_t i = 0; i < n; i++) {
		ent_buf_add(&text, lines[i], strlen(lines[i]));
	}
	uint8_t hash[32];
	crypto_generichash(hash, 32, text.data, text.n, NULL, 0);
	sodium_bin2hex(out, 65, hash, 32);
	ent_arena_finish(&arena);
	ent_buf_finish(&text);
}

typedef struct fold_all {
	ent_engine *e;
	ent_error *error;
} fold_all;

static int fold_entry(void *ctx, ent_index_entry *entry) {
	fold_all *f = ctx;
	ent_engine *e = f->e;
	if (ent_ledger_read(e->ledger, entry->at, &e->frame, f->error)) {
		return f->error->code;
	}
	if (!ent_document_decode(&e->current, e->frame.data, e->frame.n)) {
		return ent_error_set(f->error, ENT_ERR_CORRUPT, "a frame of the ledger cannot be read as a document");
	}
	return ent_fold_document(&e->fold, &e->current, 1, f->error);
}

int ent__rebuild_if_changed(ent_engine *e, ent_error *error) {
	char now[65], *before = NULL;
	fingerprint(e, now);
	int status = ent_store_meta_get(e->store, "cells", &before, error);
	bool same = before && !strcmp(before, now);
	free(before);
	char *declared = ent__declared_text(e);
	bool told = !strcmp(declared, e->counted_text ? e->counted_text : "") && !e->rules_metrics_told;
	if (status || (same && told)) {
		free(declared);
		return status;
	}
	if (same) { /* what is derived of others is only told: no cell knows of it */
		free(e->declared_text);
		e->declared_text = declared;
		status = ent__commit(e, error);
		ent__warm_all(e, "what metrics are derived from others changed");
		return status ? status : ent__declared_load(e, error);
	}
	size_t segments;
	ent_ledger_segments(e->ledger, &segments);
	if (segments) {
		fold_all f = {e, error};
		status = ent__index_load(e, error);
		e->clear_cells = true;
		if (!status) {
			status = ent_index_each(e->index, fold_entry, &f);
		}
	}
	if (status) {
		free(declared);
		return status;
	}
	free(e->declared_text);
	e->declared_text = declared;
	snprintf(e->fingerprint, sizeof e->fingerprint, "%s", now);
	status = ent__commit(e, error);
	return status ? status : ent__declared_load(e, error);
}
