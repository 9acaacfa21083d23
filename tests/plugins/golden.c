/* SPDX-License-Identifier: Apache-2.0
 *
 * See golden.h.
 */
#include "golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *golden_slurp(const char *path, size_t *n) {
	FILE *f = fopen(path, "rb");
	host_text t = {0};
	char b[65536];
	size_t got;
	if (!f)
		return NULL;
	host_text_add(&t, "", 0);
	while ((got = fread(b, 1, sizeof b, f)) > 0)
		host_text_add(&t, b, got);
	fclose(f);
	*n = t.n;
	return t.p;
}

int golden_each(const char *plugin, void (*check)(const golden *g)) {
	char path[700], line[6000], input[128];
	int count = 0;
	snprintf(path, sizeof path, "%s/plugins/%s/golden/cases", ENTENTE_SOURCE_DIR, plugin);
	FILE *f = fopen(path, "r");
	if (!f) {
		perror(path);
		abort();
	}
	while (fgets(line, sizeof line, f)) {
		golden g = {.bytes = NULL};
		int at = 0;
		if (line[0] == '#' || line[0] == '\n')
			continue;
		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "%63s %127s %63s %255s %n", g.name, input, g.decoder, g.document, &at) != 4) {
			fprintf(stderr, "%s: not a case: %s\n", path, line);
			abort();
		}
		snprintf(g.plugin, sizeof g.plugin, "%s", plugin);
		snprintf(g.options, sizeof g.options, "%s", line + at);
		snprintf(path, sizeof path, "%s/plugins/%s/golden/%s", ENTENTE_SOURCE_DIR, plugin, input);
		snprintf(g.facts, sizeof g.facts, "%s/plugins/%s/golden/%s.facts.jsonl", ENTENTE_SOURCE_DIR, plugin, g.name);
		g.bytes = golden_slurp(path, &g.n);
		if (!g.bytes) {
			perror(path);
			abort();
		}
		snprintf(path, sizeof path, "%s/plugins/%s/golden/%s.beside", ENTENTE_SOURCE_DIR, plugin, g.name);
		g.beside = golden_slurp(path, &g.beside_n);
		check(&g);
		free(g.bytes);
		free(g.beside);
		count++;
	}
	fclose(f);
	return count;
}
