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

#endif
