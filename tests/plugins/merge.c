/* SPDX-License-Identifier: Apache-2.0
 *
 * See merge.h. Reads the lines that write.c wrote, so it may take their form for granted.
 */
#include "merge.h"
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUMS = 5, MOST = 6, TEXTS = 6, VALUE_MAX = 300 };

static const char *const sums[SUMS] = {"pageviews", "purchases", "load_ms", "loads", "engaged_us"};
static const char *const most[MOST] = {"day", "until", "visitor", "consent", "engaged", "is_new"};
static const char *const texts[TEXTS] = {"channel", "source", "campaign", "country", "device", "landing"};

typedef struct visit {
	char key[VALUE_MAX], at[VALUE_MAX], most[MOST][VALUE_MAX], text[TEXTS][VALUE_MAX];
	long long sum[SUMS];
	unsigned steps;
	long long place;
} visit;

struct merged {
	visit *visits;
	size_t n;
	host_text rest;
};

static int field(const char *line, const char *name, char out[VALUE_MAX]) {
	char mark[64];
	size_t n = 0;
	snprintf(mark, sizeof mark, "\"%s\":", name);
	const char *end = strchr(line, '\n'), *p = strstr(line, mark);
	out[0] = 0;
	if (!p || p > end)
		return 0;
	p += strlen(mark);
	int quoted = *p == '"';
	for (p += quoted; n < VALUE_MAX - 1 && (quoted ? *p != '"' : *p != ',' && *p != '}'); p++)
		out[n++] = *p;
	out[n] = 0;
	return 1;
}

static void add(merged *m, const char *line) {
	char key[VALUE_MAX], v[VALUE_MAX];
	size_t i = 0;
	field(line, "key", key);
	while (i < m->n && strcmp(m->visits[i].key, key))
		i++;
	if (i == m->n) {
		m->visits = realloc(m->visits, (m->n + 1) * sizeof *m->visits);
		if (!m->visits)
			abort();
		memset(&m->visits[m->n++], 0, sizeof *m->visits);
		strcpy(m->visits[i].key, key);
	}
	visit *x = &m->visits[i];
	for (int k = 0; k < SUMS; k++)
		x->sum[k] += field(line, sums[k], v) ? strtoll(v, NULL, 10) : 0;
	for (int k = 0; k < MOST; k++)
		if (field(line, most[k], v) && strcmp(v, x->most[k]) > 0)
			strcpy(x->most[k], v);
	char at[VALUE_MAX];
	field(line, "at", at);
	long long place = field(line, "place", v) ? strtoll(v, NULL, 10) : 0;
	int order = strcmp(at, x->at);
	if (!x->at[0] || order < 0 || (!order && place < x->place)) {
		strcpy(x->at, at);
		x->place = place;
		for (int k = 0; k < TEXTS; k++)
			field(line, texts[k], x->text[k]);
	}
	x->steps |= field(line, "steps", v) ? (unsigned)strtoul(v, NULL, 10) : 0;
}

merged *merge_read(const char *p) {
	merged *m = calloc(1, sizeof *m);
	if (!m)
		abort();
	host_text_add(&m->rest, "", 0);
	for (; *p; p = strchr(p, '\n') + 1) {
		char fact[VALUE_MAX], place[VALUE_MAX];
		const char *end = strchr(p, '\n') + 1;
		field(p, "fact", fact);
		if (!strcmp(fact, "visit"))
			add(m, p);
		else if (!strncmp(p, "{\"covers\"", 9) || !strncmp(p, "{\"slice\"", 8))
			continue; /* said per chunk: what two chunks cover is the union */
		else {
			int has = field(p, "place", place);
			const char *at = has ? strstr(p, "\"place\":") : p;
			host_text_add(&m->rest, p, (size_t)(at - p));
			at += has ? strlen("\"place\":") + strlen(place) : 0;
			host_text_add(&m->rest, at, (size_t)(end - at));
		}
	}
	return m;
}

static int by_key(const void *a, const void *b) { return strcmp(((const visit *)a)->key, ((const visit *)b)->key); }

char *merge_text(const merged *m) {
	host_text t = {0};
	char b[64];
	visit *sorted = malloc((m->n + 1) * sizeof *sorted);
	if (!sorted)
		abort();
	if (m->n)
		memcpy(sorted, m->visits, m->n * sizeof *sorted);
	qsort(sorted, m->n, sizeof *sorted, by_key);
	for (size_t i = 0; i < m->n; i++) {
		const visit *x = &sorted[i];
		host_text_add(&t, x->key, strlen(x->key));
		host_text_add(&t, " ", 1);
		host_text_add(&t, x->at, strlen(x->at));
		for (int k = 0; k < SUMS; k++)
			host_text_add(&t, b, (size_t)snprintf(b, sizeof b, " %s %lld", sums[k], x->sum[k]));
		host_text_add(&t, b, (size_t)snprintf(b, sizeof b, " steps %u", x->steps));
		for (int k = 0; k < MOST + TEXTS; k++) {
			const char *v = k < MOST ? x->most[k] : x->text[k - MOST];
			host_text_add(&t, "|", 1);
			host_text_add(&t, v, strlen(v));
		}
		host_text_add(&t, "\n", 1);
	}
	free(sorted);
	host_text_add(&t, m->rest.p, m->rest.n);
	return t.p;
}

void merge_free(merged *m) {
	free(m->visits);
	host_text_free(&m->rest);
	free(m);
}
