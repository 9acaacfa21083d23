/* SPDX-License-Identifier: Apache-2.0
 *
 * Worker processes that start ahead, see spare.h. Loop thread only. */
#include "engine/spare.h"

#include "base/arena.h"

#include <stdlib.h>

enum { MOST = 8 };

struct ent_spares {
	ent_child *children[MOST];
	unsigned n;
};

/* A worker speaks when it is spoken to; one that ends before is found dead when it is taken. */
static void on_message(void *ctx, ent_child *child, uint32_t type, ent_read *r) {
	(void)ctx;
	(void)child;
	(void)type;
	(void)r;
}

static void on_gone(void *ctx, ent_child *child, int64_t status, int signal) {
	(void)ctx;
	(void)child;
	(void)status;
	(void)signal;
}

static const ent_child_events none = {on_message, on_gone};

ent_spares *ent_spares_create(uv_loop_t *loop, const char *program, size_t shared, unsigned n) {
	ent_spares *s = ent_xcalloc(1, sizeof *s);
	ent_error later;
	while (s->n < n && s->n < MOST) {
		ent_child *child = ent_child_start(loop, program, shared, &none, NULL, &later);
		if (!child) {
			break;
		}
		s->children[s->n++] = child;
	}
	return s;
}

ent_child *ent_spares_take(ent_spares *s, uv_loop_t *loop, const char *program, size_t shared, const ent_child_events *events,
	void *ctx, ent_error *e) {
	while (s && s->n) {
		ent_child *child = s->children[--s->n];
		if (ent_child_alive(child)) {
			ent_child_give(child, events, ctx);
			return child;
		}
		ent_child_destroy(child);
	}
	return ent_child_start(loop, program, shared, events, ctx, e);
}

void ent_spares_stop(ent_spares *s) {
	while (s && s->n) {
		ent_child_destroy(s->children[--s->n]);
	}
}

void ent_spares_destroy(ent_spares *s) {
	ent_spares_stop(s);
	free(s);
}
