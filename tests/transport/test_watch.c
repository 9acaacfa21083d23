/* SPDX-License-Identifier: Apache-2.0
 *
 * Watches over real folders: what happens in them is told, wherever it happens and whatever was there before. */
#include "base/arena.h"
#include "config/errors.h"
#include "transport/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct world {
	char folder[64];
	uv_loop_t loop;
	uv_timer_t deadline;
	ent_config *config;
	ent_watch *watch;
	unsigned touched;
	bool late;
} world;

static unsigned refused; /* from this many folders on the kernel's limit is reached; 0: never */
static unsigned started;

int __real_uv_fs_event_start(uv_fs_event_t *, uv_fs_event_cb, const char *, unsigned);
int __wrap_uv_fs_event_start(uv_fs_event_t *handle, uv_fs_event_cb cb, const char *path, unsigned flags);
int __wrap_uv_fs_event_start(uv_fs_event_t *handle, uv_fs_event_cb cb, const char *path, unsigned flags) {
	return refused && ++started > refused ? UV_ENOSPC : __real_uv_fs_event_start(handle, cb, path, flags);
}

static void on_deadline(uv_timer_t *timer) { ((world *)timer->data)->late = true; }

static void touched(void *ctx, const char *source) {
	world *w = ctx;
	assert_string_equal(source, "s");
	w->touched++;
}

static void shell(const world *w, const char *command) {
	char line[1024];
	snprintf(line, sizeof line, "cd %s && { %s; }", w->folder, command);
	assert_int_equal(system(line), 0);
}

static void begin(world *w, const char *from, const char *before) {
	*w = (world){.touched = 0};
	snprintf(w->folder, sizeof w->folder, "/tmp/entente-watch-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	shell(w, before);
	char text[1024];
	snprintf(text, sizeof text,
		"version: 1\nstore: ./store\ncurrency: EUR\npartners: {p: {name: P}}\nsources:\n  s: {partner: p, from: {%s}, decode: csv}\n", from);
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	if (ent_config_parse(text, strlen(text), "e.yaml", w->folder, &w->config, errors)) {
		fail_msg("%s", errors->e[0].what);
	}
	free(errors);
	assert_int_equal(uv_loop_init(&w->loop), 0);
	uv_timer_init(&w->loop, &w->deadline);
	w->deadline.data = w;
	ent_error e;
	assert_int_equal(ent_watch_create(&w->watch, &w->loop, &w->config->sources[0], touched, w, &e), 0);
}

static void end(world *w) {
	ent_watch_destroy(w->watch);
	uv_close((uv_handle_t *)&w->deadline, NULL);
	while (uv_run(&w->loop, UV_RUN_DEFAULT)) {
	}
	assert_int_equal(uv_loop_close(&w->loop), 0);
	ent_config_destroy(w->config);
	shell(w, "rm -rf \"$PWD\"");
}

/* Something happens, and is told. */
static void told(world *w, const char *command) {
	unsigned before = w->touched;
	shell(w, command);
	uv_timer_start(&w->deadline, on_deadline, 60000, 0);
	while (w->touched == before && !w->late) {
		uv_run(&w->loop, UV_RUN_ONCE);
	}
	uv_timer_stop(&w->deadline);
	if (w->late) {
		fail_msg("not told: %s", command);
	}
}

static unsigned folders(const world *w) {
	ent_watch_status s;
	ent_watch_status_of(w->watch, &s);
	return s.folders;
}

/* Folders are watched once what made them was told. */
static void until_folders(world *w, unsigned n) {
	uv_timer_start(&w->deadline, on_deadline, 60000, 0);
	while (folders(w) != n && !w->late) {
		uv_run(&w->loop, UV_RUN_ONCE);
	}
	uv_timer_stop(&w->deadline);
	assert_int_equal(folders(w), n);
}

static void a_file(void **state) {
	(void)state;
	world w;
	begin(&w, "file: ./in/a.csv", "mkdir in");
	assert_int_equal(folders(&w), 1);
	told(&w, "echo x > in/a.csv");
	told(&w, "echo y >> in/a.csv");
	told(&w, "echo z > in/new && mv in/new in/a.csv");
	told(&w, "truncate -s 0 in/a.csv");
	told(&w, "mv in/a.csv in/b.csv");
	end(&w);
}

static void a_folder_with_folders(void **state) {
	(void)state;
	world w;
	begin(&w, "directory: ./in", "mkdir -p in/one/two");
	assert_int_equal(folders(&w), 3);
	told(&w, "echo x > in/one/two/a.csv");
	told(&w, "mkdir -p in/later/still && echo x > in/later/still/b.csv");
	until_folders(&w, 5);
	told(&w, "echo y >> in/later/still/b.csv");
	told(&w, "mv in/later in/other"); /* the same folders under other names */
	until_folders(&w, 5);
	told(&w, "echo z >> in/other/still/b.csv");
	told(&w, "rm -r in/other");
	until_folders(&w, 3);
	told(&w, "rm -r in");
	told(&w, "mkdir -p in/one && echo x > in/one/a.csv");
	until_folders(&w, 2);
	told(&w, "echo y >> in/one/a.csv");
	end(&w);
}

static void a_root_that_is_not_there_yet(void **state) {
	(void)state;
	world w;
	begin(&w, "directory: ./some/where/in", "true");
	assert_int_equal(folders(&w), 1);
	told(&w, "mkdir some");
	told(&w, "mkdir some/where");
	told(&w, "mkdir some/where/in");
	told(&w, "echo x > some/where/in/a.csv");
	end(&w);
}

static void a_glob_over_levels(void **state) {
	(void)state;
	world w;
	begin(&w, "glob: \"./in/2024-*/shop?/*.csv\"", "mkdir -p in/2024-01/shop1 in/2024-01/no in/1999-01/shop1");
	assert_int_equal(folders(&w), 3); /* in, in/2024-01, in/2024-01/shop1 */
	told(&w, "echo x > in/2024-01/shop1/a.csv");
	told(&w, "mkdir -p in/2024-02/shop2");
	until_folders(&w, 5);
	told(&w, "echo x > in/2024-02/shop2/a.csv");
	end(&w);
}

static void links_that_lead_in_circles(void **state) {
	(void)state;
	world w;
	begin(&w, "directory: ./in", "mkdir -p in/one && ln -s .. in/one/back && ln -s . in/here");
	assert_int_equal(folders(&w), 2);
	end(&w);
}

static void a_hundred_folders(void **state) {
	(void)state;
	world w;
	begin(&w, "directory: ./in", "mkdir -p in && for i in $(seq 100); do mkdir in/$i; done");
	assert_int_equal(folders(&w), 101);
	told(&w, "for i in $(seq 100); do for k in $(seq 50); do echo x > in/$i/$k; done; done");
	ent_watch_status s;
	ent_watch_status_of(w.watch, &s);
	assert_true(s.touches < 100); /* many at once are told as one */
	end(&w);
}

static void no_more_watches(void **state) {
	(void)state;
	world w;
	refused = 3;
	started = 0;
	begin(&w, "directory: ./in", "mkdir -p in/1 in/2 in/3 in/4");
	ent_watch_status s;
	ent_watch_status_of(w.watch, &s);
	assert_int_equal(s.folders, 3);
	assert_int_equal(s.missed, 2);
	told(&w, "echo x > in/a.csv"); /* what is watched goes on */
	refused = 0;
	told(&w, "mkdir in/5"); /* and all is, as soon as there is room */
	until_folders(&w, 6);
	end(&w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file),
		cmocka_unit_test(a_folder_with_folders),
		cmocka_unit_test(a_root_that_is_not_there_yet),
		cmocka_unit_test(a_glob_over_levels),
		cmocka_unit_test(links_that_lead_in_circles),
		cmocka_unit_test(a_hundred_folders),
		cmocka_unit_test(no_more_watches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
