/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts behind codes, see names.h. */
#include "command/names.h"

#include <stdlib.h>
#include <string.h>

static int take(void *ctx, uint32_t kind, uint32_t id, const char *text, size_t n) {
	ent__names *names = ctx;
	if (kind != ENT_CODE_TEXT || id >= 1u << 30) {
		return 0;
	}
	while (names->n <= id) { /* codes are dense and come in order, so this seldom goes round twice */
		ENT_GROW(names->texts, names->n, names->capacity);
		names->texts[names->n++] = NULL;
	}
	names->texts[id] = ent_arena_copy(&names->arena, text, n);
	return 0;
}

int ent__names_load(ent__names *names, ent_store *store, ent_error *e) {
	return ent_store_codes_load(store, take, names, e);
}

void ent__names_finish(ent__names *names) {
	free(names->texts);
	ent_arena_finish(&names->arena);
	*names = (ent__names){0};
}

const char *ent__name(const ent__names *names, uint32_t code) {
	return code == 0 ? "" : code < names->n && names->texts[code] ? names->texts[code] : "?";
}

uint32_t ent__name_find(const ent__names *names, const char *text) {
	for (size_t i = 0; i < names->n; i++) {
		if (names->texts[i] && !strcmp(names->texts[i], text)) {
			return (uint32_t)i;
		}
	}
	return UINT32_MAX;
}
