/* SPDX-License-Identifier: Apache-2.0
 *
 * The page and what it is made of. The page itself is asked for each time whether it changed; all else lies under a path that
 * has a hash of everything in it, and may be kept for ever. None of it says anything about partners: it needs no token.
 * Front's thread. */
#include "serve/internal.h"
#include "serve/static.h"

#include <string.h>

static void answer(ent_request *r, const ent__asset *asset, const char *keep) {
	ent_answer_header(r, "Cache-Control", keep);
	if (!ent_answer_unchanged(r, asset->hash)) {
		ent_answer_static(r, 200, asset->media, asset->bytes, (size_t)(asset->end - asset->bytes));
	}
}

bool ent__static(ent_request *r) {
	bool page = r->n_segments == 1 && (!*r->segments[0] || strcmp(r->segments[0], "favicon.ico") == 0);
	bool asset = r->n_segments == 3 && strcmp(r->segments[0], "assets") == 0 && strcmp(r->segments[1], ent__assets_prefix) == 0;
	const char *name = asset ? r->segments[2] : *r->segments[0] ? "favicon.ico" : "index.html";
	for (const ent__asset *a = ent__assets; (page || asset) && a->name; a++) {
		if (strcmp(a->name, name) == 0) {
			answer(r, a, asset ? "public, max-age=31536000, immutable" : "no-cache");
			return true;
		}
	}
	return false;
}
