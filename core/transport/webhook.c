/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks without HTTP, see webhook.h. */
#include "transport/webhook.h"

#include "base/arena.h"
#include "config/options.h"
#include "transport/sign.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct ent_webhook {
	const ent_webhook_config *config;
	const char *source;
	ent_str *secrets;
};

struct ent_webhooks {
	ent_arena arena;
	ent_webhook *all; /* by path */
	size_t n;
};

static int by_path(const void *a, const void *b) {
	return strcmp(((const ent_webhook *)a)->config->path.s, ((const ent_webhook *)b)->config->path.s);
}

int ent_webhooks_open(ent_webhooks **out, const ent_config *config, ent_errors *errors) {
	size_t before = errors->total;
	ent_webhooks *w = ent_xcalloc(1, sizeof *w);
	w->all = ent_arena_alloc(&w->arena, (config->n_sources + 1) * sizeof *w->all);
	for (size_t i = 0; i < config->n_sources; i++) {
		const ent_config_source *s = &config->sources[i];
		const ent_webhook_config *c = s->from.webhook;
		if (!c) {
			continue;
		}
		ent_webhook *hook = &w->all[w->n++];
		*hook = (ent_webhook){c, s->name.s, ent_arena_alloc(&w->arena, c->sign.secrets.n * sizeof *hook->secrets)};
		for (size_t k = 0; k < c->sign.secrets.n; k++) {
			const ent_word *secret = &c->sign.secrets.v[k];
			ent_error e = {0};
			if (ent_config_secret(secret->s, config->folder, &w->arena, &hook->secrets[k], &e)) {
				ent_errors_add(errors, secret->at, e.todo, "%s", e.what);
			}
		}
	}
	ENT_SORT(w->all, w->n, by_path);
	*out = w;
	if (errors->total > before) {
		ent_webhooks_close(w);
		*out = NULL;
		return ENT_ERR_INVALID;
	}
	return 0;
}

void ent_webhooks_close(ent_webhooks *w) {
	if (!w) {
		return;
	}
	for (size_t i = 0; i < w->n; i++) {
		for (size_t k = 0; k < w->all[i].config->sign.secrets.n; k++) {
			if (w->all[i].secrets[k].n) {
				sodium_memzero((char *)w->all[i].secrets[k].p, w->all[i].secrets[k].n);
			}
		}
	}
	ent_arena_finish(&w->arena);
	free(w);
}

const ent_webhook *ent_webhook_find(const ent_webhooks *w, const char *path, size_t n) {
	size_t low = 0, high = memchr(path, 0, n) ? 0 : w->n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		const char *at = w->all[middle].config->path.s;
		int order = strncmp(path, at, n);
		if (!order && !at[n]) {
			return &w->all[middle];
		}
		if (order > 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

const char *ent_webhook_source(const ent_webhook *w) { return w->source; }
size_t ent_webhook_limit(const ent_webhook *w) { return (size_t)w->config->limit; }

bool ent_webhook_verify(const ent_webhook *w, ent_webhook_header *header, void *ctx, const void *body, size_t n) {
	const ent_sign_config *sign = &w->config->sign;
	return ent_sign_check(sign, w->secrets, sign->secrets.n, header(ctx, sign->header.s), body, n);
}

/* So that a decoder which goes by the name sees what it is. */
static const char *suffix_of(const char *type) {
	static const char *const known[][2] = {{"application/json", ".json"}, {"text/json", ".json"}, {"text/csv", ".csv"},
		{"application/xml", ".xml"}, {"text/xml", ".xml"}, {"application/gzip", ".gz"}, {"application/zstd", ".zst"}};
	for (size_t i = 0; type && i < sizeof known / sizeof *known; i++) {
		size_t n = strlen(known[i][0]);
		if (!strncasecmp(type, known[i][0], n) && (!type[n] || type[n] == ';' || type[n] == ' ')) {
			return known[i][1];
		}
	}
	return NULL;
}

void ent_webhook_put(const ent_webhook *w, ent_inbox *inbox, ent_webhook_header *header, void *header_ctx, const void *body,
	size_t n, ent_inbox_done *done, void *ctx) {
	ent_str bytes = {body ? body : "", n};
	ent_inbox_item item = {.source = w->source};
	if (w->config->once_by.s && (item.id = header(header_ctx, w->config->once_by.s))) {
		item.id_n = strlen(item.id);
		item.id = item.id_n ? item.id : NULL;
	}
	if (ent_inbox_form_of(inbox, w->source) == ENT_INBOX_DOCUMENTS) {
		item.document = &bytes;
		item.suffix = suffix_of(header(header_ctx, "Content-Type"));
	} else {
		item.records = &bytes;
		item.n_records = 1;
	}
	ent_inbox_put(inbox, &item, done, ctx);
}

int ent_webhook_answer(int outcome) {
	switch (outcome) {
	case 0:
	case ENT_INBOX_REPEATED:
		return 200;
	case ENT_ERR_BUSY:
		return 429;
	case ENT_ERR_RANGE:
		return 413;
	default:
		return 503;
	}
}
