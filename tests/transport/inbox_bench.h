/* SPDX-License-Identifier: Apache-2.0
 *
 * An inbox in a folder of its own, for each test of it, and someone who waits for what is put. */
#ifndef TESTS_TRANSPORT_INBOX_BENCH_H
#define TESTS_TRANSPORT_INBOX_BENCH_H

#include "base/arena.h"
#include "transport/inbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct bench {
	char folder[64];
	ent_inbox_settings set;
	uv_loop_t loop;
	ent_inbox *inbox;
	unsigned told, arrivals;
	int outcome; /* of the last that was told */
	ent_error error;
} bench;

static inline void on_done(void *ctx, int outcome, const ent_error *e) {
	bench *b = ctx;
	b->told++;
	b->outcome = outcome;
	b->error = e ? *e : (ent_error){0};
}

static inline void on_arrived(void *ctx, const char *source) {
	(void)source;
	((bench *)ctx)->arrivals++;
}

static inline void open_inbox(bench *b) {
	ent_error e = {0};
	uv_loop_init(&b->loop);
	if (ent_inbox_open(&b->inbox, &b->loop, b->folder, &b->set, on_arrived, b, &e)) {
		fail_msg("%s", e.what);
	}
}

static inline void close_inbox(bench *b) {
	ent_inbox_close(b->inbox);
	b->inbox = NULL;
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
}

static inline void reopen_inbox(bench *b) {
	close_inbox(b);
	open_inbox(b);
}

static inline int bench_set_up(void **state) {
	bench *b = ent_xcalloc(1, sizeof *b);
	strcpy(b->folder, "/tmp/entente-inbox-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	b->set = (ent_inbox_settings){.memory = 1 << 20, .waiting = 1 << 24, .log = 1 << 20, .age_us = INT64_C(3600000000),
		.remember_us = INT64_C(3600000000), .ids = 1000, .keep_us = INT64_C(3600000000)};
	open_inbox(b);
	*state = b;
	return 0;
}

static inline int bench_tear_down(void **state) {
	bench *b = *state;
	char command[128];
	close_inbox(b);
	snprintf(command, sizeof command, "rm -rf '%s'", b->folder);
	assert_int_equal(system(command), 0);
	free(b);
	return 0;
}

/* Turns the loop until so many were told. */
static inline void wait_told(bench *b, unsigned n) {
	while (b->told < n) {
		uv_run(&b->loop, UV_RUN_ONCE);
	}
}

static inline void put_async(bench *b, const char *source, const char *record, const char *id) {
	ent_str text = {record, strlen(record)};
	ent_inbox_put(b->inbox, &(ent_inbox_item){.source = source, .records = &text, .n_records = 1, .id = id, .id_n = id ? strlen(id) : 0},
		on_done, b);
}

static inline int put_item(bench *b, const ent_inbox_item *item) {
	ent_inbox_put(b->inbox, item, on_done, b);
	wait_told(b, b->told + 1);
	return b->outcome;
}

static inline int put(bench *b, const char *source, const char *record, const char *id) {
	put_async(b, source, record, id);
	wait_told(b, b->told + 1);
	return b->outcome;
}

#endif
