/* SPDX-License-Identifier: Apache-2.0
 *
 * What a test finds, gathered as JSON; and where it is, written to the memory that whoever watches us shares. */
#include "conform/conform.h"

#include "base/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FAILURES_KEPT = 20 };

void ent__doing(const ent__case *c, const char *format, ...) {
	ent_conform_where *w = ent__where;
	va_list args;
	va_start(args, format);
	vsnprintf(w->doing, sizeof w->doing, format, args);
	va_end(args);
	snprintf(w->decoder, sizeof w->decoder, "%s", c && c->decoder && c->decoder->name ? c->decoder->name : "");
	snprintf(w->input, sizeof w->input, "%s", c ? c->path : "");
	atomic_store_explicit(&w->head.position, 0, memory_order_relaxed);
}

void ent__check_ran(ent__check *k) { k->runs++; }

void ent__check_skip(ent__check *k, const char *format, ...) {
	va_list args;
	va_start(args, format);
	vsnprintf(k->why, sizeof k->why, format, args);
	va_end(args);
}

void ent__check_fail(ent__check *k, const ent__case *c, uint64_t place, const char *todo, const char *format, ...) {
	char what[1200];
	ent_json j;
	if (k->n_failures++ >= FAILURES_KEPT) {
		return;
	}
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	if (k->failures.n) {
		ent_buf_u8(&k->failures, ',');
	}
	ent_json_init(&j, &k->failures, false);
	ent_json_object(&j);
	ent_json_key(&j, "decoder");
	ent_json_text(&j, c && c->decoder ? c->decoder->name : NULL);
	ent_json_key(&j, "case");
	ent_json_text(&j, c ? c->name : NULL);
	ent_json_key(&j, "input");
	ent_json_text(&j, c ? c->path : NULL);
	ent_json_key(&j, "place");
	if (place == ENT__NO_PLACE) {
		ent_json_null(&j);
	} else {
		ent_json_uint(&j, place);
	}
	ent_json_key(&j, "line");
	if (c && c->bytes && place < c->n) {
		uint64_t line = 1;
		for (const char *p = c->bytes; (p = memchr(p, '\n', place - (size_t)(p - c->bytes))); p++) {
			line++;
		}
		ent_json_uint(&j, line);
	} else {
		ent_json_null(&j);
	}
	ent_json_key(&j, "what");
	ent_json_text(&j, what);
	ent_json_key(&j, "todo");
	ent_json_text(&j, todo ? todo : "");
	ent_json_end(&j);
}

void ent__check_number(ent__check *k, const char *name, double value) {
	ent_json j;
	if (k->numbers.n) {
		ent_buf_u8(&k->numbers, ',');
	}
	ent_json_quote(&k->numbers, name, strlen(name));
	ent_buf_u8(&k->numbers, ':');
	ent_json_init(&j, &k->numbers, false);
	ent_json_double(&j, value);
}

/* "place" of a line in the form of a golden file. */
static uint64_t place_of(const char *line) {
	const char *p = strstr(line, "\"place\":"), *end = strchr(line, '\n');
	unsigned long long place;
	return p && (!end || p < end) && sscanf(p + 8, "%llu", &place) == 1 ? place : ENT__NO_PLACE;
}

bool ent__check_same(
	ent__check *k, const ent__case *c, const char *want, const char *got, const char *todo, const char *how) {
	const char *w = want, *g = got;
	size_t number = 1;
	if (!strcmp(want, got)) {
		return true;
	}
	for (;;) { /* the first line that differs */
		size_t wn = strcspn(w, "\n"), gn = strcspn(g, "\n");
		if (wn != gn || memcmp(w, g, wn) != 0 || !w[wn] || !g[gn]) {
			break;
		}
		w += wn + 1;
		g += gn + 1;
		number++;
	}
	enum { SHOWN = 330 };
	size_t wn = strcspn(w, "\n"), gn = strcspn(g, "\n"), same = 0;
	while (same < wn && same < gn && w[same] == g[same]) {
		same++;
	}
	/* of long lines only what stands around the difference */
	size_t from = same > 60 && (wn > SHOWN || gn > SHOWN) ? same - 60 : 0;
	char text[2][SHOWN + 24];
	const char *lines[2] = {w, g};
	const size_t length[2] = {wn, gn};
	for (int i = 0; i < 2; i++) {
		size_t left = length[i] > from ? length[i] - from : 0;
		snprintf(text[i], sizeof text[i], "%s%.*s%s", from ? "…" : "", (int)(left < SHOWN ? left : SHOWN),
			lines[i] + (left ? from : 0), left > SHOWN ? "…" : "");
	}
	ent__check_fail(k, c, place_of(*g ? g : w), todo, "%s: fact %zu differs: expected %s, got %s", how, number,
		wn ? text[0] : "no more", gn ? text[1] : "no more");
	return false;
}
