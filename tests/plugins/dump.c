/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin-dump PLUGIN DECODER FILE [OPTIONS.yaml]: what a decoder says of a file, as lines of JSON. For trying a plugin
 * on a file by hand, and for making golden files.
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *slurp(const char *path, size_t *n) {
	FILE *f = fopen(path, "rb");
	host_text t = {0};
	char b[65536];
	size_t got;
	if (!f) {
		perror(path);
		exit(2);
	}
	host_text_add(&t, "", 0);
	while ((got = fread(b, 1, sizeof b, f)) > 0)
		host_text_add(&t, b, got);
	fclose(f);
	*n = t.n;
	return t.p;
}

int main(int argc, char **argv) {
	size_t n, on = 0;
	if (argc < 4)
		return fprintf(stderr, "usage: plugin-dump PLUGIN DECODER FILE [OPTIONS.yaml]\n"), 2;
	char *why = NULL, *bytes = slurp(argv[3], &n), *options = argc > 4 ? slurp(argv[4], &on) : NULL;
	host *h = host_open(argv[1], argv[2], options, &why);
	if (!h)
		return fprintf(stderr, "%s\n", why), 1;
	const char *name = strrchr(argv[3], '/');
	host_text out = {0};
	ent_status e = host_run(h, name ? name + 1 : argv[3], bytes, n, (host_cut){0}, &out);
	fwrite(out.p ? out.p : "", 1, out.n, stdout);
	host_close(h);
	host_text_free(&out);
	free(bytes);
	free(options);
	return e ? 1 : 0;
}
