/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the canonical digest of a project's store as JSON, a member for each group: project_digest PATH/entente.yaml.
 * Opens the store read-only. One thread. */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>

static int fail(const ent_error *e) {
	char text[1400];
	fprintf(stderr, "%s\n", ent_error_text(e, text, sizeof text));
	return 1;
}

static void print(const char *name, const uint8_t hash[32], const char *after) {
	printf("\"%s\": \"", name);
	for (int i = 0; i < 32; i++) {
		printf("%02x", hash[i]);
	}
	printf("\"%s", after);
}

int main(int argc, char **argv) {
	if (argc != 2) {
		fputs("usage: project_digest PATH/entente.yaml\n", stderr);
		return 2;
	}
	ent_errors *errors = calloc(1, sizeof *errors);
	ent_error e = {0};
	ent_config *config = NULL;
	ent_engine *engine = NULL;
	ent_digest d;
	int status = 0;
	if (!errors || ent_config_load(argv[1], &config, errors) || ent_engine_open(&engine, config, ENT_ENGINE_READ, errors)) {
		status = errors ? fail(&errors->e[0]) : 1;
	} else if (ent_engine_digest(engine, &d, &e)) {
		status = fail(&e);
	} else {
		fputs("{", stdout);
		print("documents", d.documents, ", ");
		print("cells", d.cells, ", ");
		print("members", d.members, ", ");
		print("rejects", d.rejects, ", ");
		print("inputs", d.inputs, ", ");
		print("all", d.all, "}\n");
	}
	ent_engine_close(engine);
	ent_config_destroy(config);
	free(errors);
	return status;
}
