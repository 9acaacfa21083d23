/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics that users declare, in an engine: those of the configuration and of the rulebooks, compiled for folding, and
 * those with which the cells of the store were made, which is what can be read of them. The two are the same from the
 * first run on that has the definitions: rebuild.c counts anew where they differ. The store keeps the second as it goes
 * into snapshots, and the definitions of rulebooks, which no configuration has. Loop thread only. */
#include "engine/internal.h"
#include "engine/rules_worker.h"
#include "metrics/custom_pack.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(void *engine, uint32_t code) { return ent__text(engine, code); }

void ent__declared_fold(ent_engine *e) {
	e->fold.custom = e->custom;
	e->fold.text = text_of;
}

static int compile(const ent_config *config, const char *of_books, ent_custom **out, ent_errors *errors) {
	ent_arena arena = {0};
	const ent_metric_config *of_rules = NULL;
	size_t n = 0;
	int status = 0;
	*out = NULL;
	if (of_books && *of_books) {
		status = ent_metrics_parse(&arena, of_books, strlen(of_books), &of_rules, &n, errors);
	}
	status = status ? status : ent_custom_create(out, config->metrics, config->n_metrics, of_rules, n, errors);
	ent_arena_finish(&arena);
	return status;
}

int ent__declared_compile(ent_engine *e, const ent_config *config, ent_custom **out, ent_errors *errors) {
	return compile(config, e->rules_metrics, out, errors);
}

/* ---- those of rulebooks ------------------------------------------------------------------------------------------------------ */

void ent__declared_take(ent__rules *all, json_object *loaded) {
	json_object *metrics;
	ent_custom *trial = NULL;
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	bool any = loaded && json_object_object_get_ex(loaded, "metrics", &metrics);
	const char *text = any ? json_object_to_json_string_ext(metrics, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE) : "";
	free(all->metrics);
	all->metrics = NULL;
	if (!any || !compile(all->e->config, text, &trial, errors)) {
		all->metrics = ent_xstrdup(text);
	}
	for (size_t i = 0; i < errors->n; i++) {
		ent_errors_take(&all->books, &errors->e[i]);
	}
	ent_custom_destroy(trial);
	free(errors);
}

ent_custom *ent__declared_loaded(ent_engine *e) {
	ent_custom *c = NULL;
	ent_errors *ignored = ent_xcalloc(1, sizeof *ignored);
	if (e->rules && e->rules->metrics) {
		compile(e->config, e->rules->metrics, &c, ignored);
	}
	free(ignored);
	return c;
}

bool ent__declared_differ(const ent_engine *e) {
	const char *now = e->rules ? e->rules->metrics : NULL;
	return e->writable && e->store && now && strcmp(now, e->rules_metrics ? e->rules_metrics : "") != 0;
}

int ent_engine_declare(ent_engine *e, ent_error *error) {
	ent_custom *fresh;
	if (!ent__declared_differ(e)) {
		return 0;
	}
	int status = ent__commit_wait(e, error);
	if (!status && !ent_cells_empty(e->cells)) { /* what is folded anew begins with nothing */
		status = ent__commit(e, error);
	}
	if (status) {
		return status;
	}
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	status = compile(e->config, e->rules->metrics, &fresh, errors);
	if (status) {
		*error = errors->e[0];
	} else {
		free(e->rules_metrics);
		e->rules_metrics = ent_xstrdup(e->rules->metrics);
		e->rules_metrics_told = true;
		ent_custom_destroy(e->custom);
		e->custom = fresh;
		ent__declared_fold(e);
		status = ent__rebuild_if_changed(e, error);
	}
	free(errors);
	return status;
}

/* ---- what the cells were made with
 * ------------------------------------------------------------------------------------------ */

static int unpack(const char *text, ent_custom_pack **out, ent_error *error) {
	size_t n = strlen(text) / 2, got = 0;
	uint8_t *bytes = ent_xmalloc(n + 1);
	*out = NULL;
	int status = 0;
	if (sodium_hex2bin(bytes, n, text, strlen(text), NULL, &got, NULL) || got != n) {
		status = ent_error_set(error, ENT_ERR_CORRUPT, "the store does not say with which metrics it counted");
		ent_error_todo(error, "restore it from a backup");
	} else if (n) {
		*out = ent_custom_unpack(bytes, n, error);
		status = *out ? 0 : error->code;
	}
	free(bytes);
	return status;
}

int ent__declared_load(ent_engine *e, ent_error *error) {
	char *text = NULL;
	ent_custom_pack *pack = NULL;
	int status = ent_store_meta_get(e->store, "custom", &text, error);
	status = status || !text ? status : unpack(text, &pack, error);
	if (!status) {
		ent_custom_pack_destroy(e->counted);
		free(e->counted_text);
		e->counted = pack;
		e->counted_text = text;
		text = NULL;
	}
	free(text);
	return status;
}

int ent__declared_open(ent_engine *e, ent_errors *errors) {
	ent_error error;
	if (e->store && (ent_store_meta_get(e->store, "metrics of rules", &e->rules_metrics, &error) ||
						ent__declared_load(e, &error))) {
		return ent_errors_take(errors, &error);
	}
	if (e->writable || !e->store) {
		return ent__declared_compile(e, e->config, &e->custom, errors);
	}
	/* Who only reads folds at most what it looks back at, and then as it was counted: a definition that is another one
	 * by now, or wrong, is no reason to read nothing. */
	ent_errors *ignored = ent_xcalloc(1, sizeof *ignored);
	ent__declared_compile(e, e->config, &e->custom, ignored);
	char *text = ent__declared_text(e);
	if (strcmp(text, e->counted_text ? e->counted_text : "") != 0) {
		ent_custom_destroy(e->custom);
		e->custom = NULL;
	}
	free(text);
	free(ignored);
	return 0;
}

void ent__declared_close(ent_engine *e) {
	ent_custom_destroy(e->custom);
	ent_custom_pack_destroy(e->counted);
	free(e->counted_text);
	free(e->rules_metrics);
}

char *ent__declared_text(const ent_engine *e) {
	ent_buf b = {0};
	if (e->custom) {
		ent_custom_put(ent_custom_catalogue(e->custom), &b);
	}
	char *text = ent_xmalloc(b.n * 2 + 1);
	sodium_bin2hex(text, b.n * 2 + 1, b.data ? b.data : (const uint8_t *)"", b.n);
	ent_buf_finish(&b);
	return text;
}

const ent_catalogue *ent_engine_catalogue(const ent_engine *e) {
	return e->store ? e->counted ? &e->counted->catalogue : &ent_builtin : ent_custom_catalogue(e->custom);
}
