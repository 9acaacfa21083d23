/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents that failed in this process. Loop thread only. */
#include "engine/internal.h"

#include <string.h>

int ent_engine_set_aside(const ent_engine *e, ent_set_aside_visit visit, void *ctx) {
	int status = 0;
	for (uint32_t i = 1; i < e->skipped.count && !status; i++) {
		size_t n;
		const char *source = ent_intern_text(&e->skipped, i, &n);
		ent_set_aside x = {.source = source, .file = source + strlen(source) + 1, .what = "", .todo = ""};
		status = visit(ctx, &x);
	}
	return status;
}
