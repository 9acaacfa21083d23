/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of releases, see releases.h. One thread. */
#include "store/releases.h"
#include "store/sql.h"

int ent_store_release_put(ent_store *s, const ent_release *x, ent_error *e) {
	return ent__row_put(s, ENT__RELEASES, x, e);
}

int ent_store_release_drop(ent_store *s, uint64_t id, ent_error *e) {
	int status = ent__sql_keep(s, &s->release_drop, "DELETE FROM release WHERE id = ?1", e);
	if (!status) {
		sqlite3_bind_int64(s->release_drop, 1, (int64_t)id);
		status = ent__sql_do(s, s->release_drop, "releases", e);
	}
	return status;
}

typedef struct visitor {
	ent_release_visit visit;
	void *ctx;
} visitor;

static int visit_release(void *ctx, const void *row) {
	const visitor *v = ctx;
	return v->visit(v->ctx, row);
}

int ent_store_releases_scan(ent_store *s, ent_release_visit visit, void *ctx, ent_error *e) {
	visitor v = {visit, ctx};
	return ent__row_scan(s, ENT__RELEASES, "ORDER BY id", (ent__row_args){0}, visit_release, &v, e);
}
