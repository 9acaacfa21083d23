/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints what the rules said, a record a line, for the tests in Python: in the store it is packed. */
#include "store/store.h"

#include <stdio.h>

static int put(void *ctx, const char *rule, const char *partner, const char *verdict, int32_t as_of, const char *json) {
	(void)ctx;
	(void)rule;
	(void)partner;
	(void)verdict;
	(void)as_of;
	puts(json);
	return 0;
}

int main(int argc, char **argv) {
	ent_store *store;
	ent_error e = {0};
	if (argc != 2) {
		fputs("usage: project_records STORE\n", stderr);
		return 2;
	}
	if (ent_store_open(&store, argv[1], ENT_STORE_READ, &e) ||
		ent_store_verdicts_scan(store, NULL, true, put, NULL, &e)) {
		fprintf(stderr, "%s\n", e.what);
		return 1;
	}
	ent_store_close(store);
	return 0;
}
