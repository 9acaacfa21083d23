/* SPDX-License-Identifier: Apache-2.0
 *
 * A store in a folder of its own, for each test of the store. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "base/arena.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct fixture {
	char folder[64];
	ent_store *s;
	ent_error e;
} fixture;

/* The call must succeed; if not, its message is printed. */
#define OK(f, call)                                                                                                    \
	do {                                                                                                               \
		int ok_status = (call);                                                                                        \
		if (ok_status) {                                                                                               \
			char ok_text[1400];                                                                                        \
			fail_msg("%s: %s", #call, ent_error_text(&(f)->e, ok_text, sizeof ok_text));                               \
		}                                                                                                              \
	} while (0)

static int set_up(void **state) {
	fixture *f = ent_xcalloc(1, sizeof *f);
	strcpy(f->folder, "/tmp/entente-store-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	OK(f, ent_store_open(&f->s, f->folder, ENT_STORE_CREATE, &f->e));
	*state = f;
	return 0;
}

static int tear_down(void **state) {
	fixture *f = *state;
	char command[128];
	ent_store_close(f->s);
	snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static inline void reopen(fixture *f, int mode) {
	ent_store_close(f->s);
	f->s = NULL;
	OK(f, ent_store_open(&f->s, f->folder, mode, &f->e));
}

/* ---- changes of cells as tests write them down ---- */

typedef struct member_change {
	ent_cell_key key;
	uint32_t id; /* or ent_bucket_member() */
	int32_t net;
} member_change;

static inline int by_cell(const void *a, const void *b) {
	return ent_cell_key_compare(((const ent_cell_change *)a)->key, ((const ent_cell_change *)b)->key);
}

static inline int by_member(const void *a, const void *b) {
	const member_change *x = a, *y = b;
	int order = ent_cell_key_compare(&x->key, &y->key);
	return order ? order : x->id < y->id ? -1 : x->id > y->id;
}

static inline int add_cells(fixture *f, const ent_cell *cells, size_t n) {
	ent_cell_change *changes = ent_xmalloc(n * sizeof *changes);
	for (size_t i = 0; i < n; i++) {
		changes[i] = (ent_cell_change){&cells[i].key, cells[i].m};
	}
	qsort(changes, n, sizeof *changes, by_cell);
	int status = ent_store_cells_add(f->s, &(ent_cells_flush){.cells = changes, .n_cells = n}, NULL, &f->e);
	free(changes);
	return status;
}

/* Changes of sets, or of distributions. */
static inline int add_members(fixture *f, bool dists, const member_change *given, size_t n) {
	member_change *sorted = ent_xmalloc((n + 1) * sizeof *sorted);
	uint64_t *items = ent_xmalloc((n + 1) * sizeof *items);
	ent_members_change *changes = ent_xmalloc((n + 1) * sizeof *changes);
	size_t kept = 0;
	memcpy(sorted, given, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_member);
	for (size_t i = 0; i < n; i++) {
		items[i] = ent_change(sorted[i].id, sorted[i].net);
		if (!i || ent_cell_key_compare(&sorted[i].key, &sorted[i - 1].key)) {
			changes[kept++] = (ent_members_change){.key = &sorted[i].key, .items = items + i};
		}
		changes[kept - 1].n++;
	}
	ent_cells_flush flush = dists ? (ent_cells_flush){.dists = changes, .n_dists = kept}
								  : (ent_cells_flush){.sets = changes, .n_sets = kept};
	int status = ent_store_cells_add(f->s, &flush, NULL, &f->e);
	free(sorted);
	free(items);
	free(changes);
	return status;
}

#endif
