/* SPDX-License-Identifier: Apache-2.0
 *
 * Is the snapshot of a past moment the one that the store gives for that day? project_past PATH/entente.yaml
 * arrival|event DAY [DAY...]: goes through the days and compares that of the last, byte by byte. Prints "same", or what
 * differs. Opens the store read-only. One thread. */
#include "base/day.h"
#include "engine/past.h"
#include "metrics/window.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const ent_error *e) {
	char text[1400];
	fprintf(stderr, "%s\n", ent_error_text(e, text, sizeof text));
	return 1;
}

/* The JSON of the whole, without the log of releases: only the store's has it. */
static char *meta_of(const ent_snapshot_block *b) {
	const ent_snap_head *head = b->data;
	char *text = strndup((const char *)b->data + head->meta.offset, head->meta.n);
	char *log = text ? strstr(text, ",\"released\":") : NULL, *behind = log ? log + 12 : NULL;
	int depth = 0;
	bool quoted = false;
	while (behind && *behind && (depth || quoted || *behind != ',')) {
		quoted ^= *behind == '"';
		depth += quoted ? 0 : (*behind == '{' || *behind == '[') - (*behind == '}' || *behind == ']');
		behind++;
	}
	if (behind) {
		memmove(log, behind, strlen(behind) + 1);
	}
	return text;
}

static const char *text_at(const ent_snapshot_block *b, uint64_t i) {
	const ent_snap_head *head = b->data;
	const ent_snap_text *texts = (const ent_snap_text *)((const uint8_t *)b->data + head->texts.offset);
	return (const char *)b->data + texts[i].offset;
}

/* To the byte, but for that JSON; declared metrics and texts stand behind it. */
static bool equal(const ent_snapshot_block *a, const ent_snapshot_block *b) {
	ent_snap_head x = *(const ent_snap_head *)a->data, y = *(const ent_snap_head *)b->data;
	char *p = meta_of(a), *q = meta_of(b);
	bool same = p && q && !strcmp(p, q) && x.meta.offset == y.meta.offset && x.texts.n == y.texts.n;
	free(p);
	free(q);
	for (uint64_t i = 0; same && i < x.texts.n; i++) {
		same = !strcmp(text_at(a, i), text_at(b, i));
	}
	same = same && x.custom.n == y.custom.n &&
		   !memcmp((const char *)a->data + x.custom.offset, (const char *)b->data + y.custom.offset, x.custom.n);
	x.custom.offset = y.custom.offset = 0;
	x.meta.n = y.meta.n = x.bytes = y.bytes = x.texts.offset = y.texts.offset = 0;
	return same && !memcmp(&x, &y, sizeof x) &&
		   !memcmp((const char *)a->data + sizeof x, (const char *)b->data + sizeof x, x.meta.offset - sizeof x);
}

static void compare(const ent_snapshot_block *a, const ent_snapshot_block *b) {
	ent_snap x = {0}, y = {0};
	ent_error e = {0};
	if (equal(a, b)) {
		puts("same");
		return;
	}
	printf("%zu and %zu bytes", a->bytes, b->bytes);
	if (!ent_snap_open(&x, a->data, a->bytes, &e) && !ent_snap_open(&y, b->data, b->bytes, &e)) {
		printf("; series %llu %llu, sets %llu %llu, dists %llu %llu, covers %llu %llu, rates %u %u, texts %u %u",
			(unsigned long long)x.head->series.n, (unsigned long long)y.head->series.n,
			(unsigned long long)x.head->sets.n, (unsigned long long)y.head->sets.n, (unsigned long long)x.head->dists.n,
			(unsigned long long)y.head->dists.n, (unsigned long long)x.head->covers.n,
			(unsigned long long)y.head->covers.n, x.n_rates, y.n_rates, x.n_texts, y.n_texts);
		for (uint32_t i = 0; i < x.n_partners && i < y.n_partners; i++) {
			const ent_snap_partner *p = &x.partners[i], *q = &y.partners[i];
			if (p->n_json != q->n_json || memcmp(x.base + p->json, y.base + q->json, p->n_json) != 0) {
				printf("\n%.*s\n%.*s", (int)p->n_json, (const char *)x.base + p->json, (int)q->n_json,
					(const char *)y.base + q->json);
			}
		}
	}
	puts("");
	ent_snap_finish(&x);
	ent_snap_finish(&y);
}

int main(int argc, char **argv) {
	if (argc < 4) {
		fputs("usage: project_past PATH/entente.yaml arrival|event DAY [DAY...]\n", stderr);
		return 2;
	}
	ent_errors *errors = calloc(1, sizeof *errors);
	ent_error e = {0};
	ent_config *config = NULL;
	ent_engine *engine = NULL;
	ent_past *past = NULL;
	ent_snapshot_block then = {.fd = -1}, now = {.fd = -1};
	size_t n = (size_t)argc - 3;
	int32_t *days = calloc(n, sizeof *days);
	ent_knowledge knowledge = strcmp(argv[2], "event") ? ENT_KNOWLEDGE_ARRIVAL : ENT_KNOWLEDGE_EVENT;
	for (size_t i = 0; i < n; i++) {
		ent_day_parse(argv[3 + i], strlen(argv[3 + i]), &days[i]);
	}
	int status = 0;
	if (!errors || ent_config_load(argv[1], &config, errors) ||
		ent_engine_open(&engine, config, ENT_ENGINE_READ, errors)) {
		status = errors ? fail(&errors->e[0]) : 1;
	} else if (ent_engine_snapshot(engine, days[n - 1], "date", &now, &e) ||
			   ent_past_open(&past, engine, knowledge, days, n, NULL, NULL, &e)) {
		status = fail(&e);
	}
	for (size_t i = 0; i < n && !status; i++) {
		ent_snapshot_block_finish(&then);
		status = ent_past_next(past, &then, &e) ? fail(&e) : 0;
	}
	if (!status) {
		compare(&then, &now);
	}
	ent_snapshot_block_finish(&then);
	ent_snapshot_block_finish(&now);
	ent_past_close(past);
	ent_engine_close(engine);
	ent_config_destroy(config);
	free(days);
	free(errors);
	return status;
}
