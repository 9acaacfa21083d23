/* SPDX-License-Identifier: Apache-2.0
 *
 * Pipes with real writers, over a real inbox: lines become records as they come, sessions become documents, and who writes too
 * fast waits. */
#include "base/arena.h"
#include "config/errors.h"
#include "transport/pipe.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct world {
	char folder[64], inbox_folder[96];
	uv_loop_t loop;
	uv_timer_t deadline;
	ent_config *config;
	ent_inbox *inbox;
	ent_pipe *pipe;
	bool late;
} world;

static void on_deadline(uv_timer_t *timer) { ((world *)timer->data)->late = true; }

static void begin(world *w, const char *from, ent_inbox_form form, const ent_inbox_settings *set) {
	*w = (world){.late = false};
	snprintf(w->folder, sizeof w->folder, "/tmp/entente-pipe-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->inbox_folder, sizeof w->inbox_folder, "%s/inbox", w->folder);
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
	ent_error e = {0};
	if (ent_inbox_open(&w->inbox, &w->loop, w->inbox_folder, set ? set : &w->config->inbox, NULL, NULL, &e)) {
		fail_msg("%s", e.what);
	}
	ent_inbox_form_set(w->inbox, "s", form);
	if (ent_pipe_create(&w->pipe, &w->loop, w->inbox, &w->config->sources[0], &e)) {
		fail_msg("%s", e.what);
	}
}

static void end(world *w) {
	ent_pipe_destroy(w->pipe);
	ent_inbox_close(w->inbox);
	uv_close((uv_handle_t *)&w->deadline, NULL);
	while (uv_run(&w->loop, UV_RUN_DEFAULT)) {
	}
	assert_int_equal(uv_loop_close(&w->loop), 0);
	ent_config_destroy(w->config);
	char line[128];
	snprintf(line, sizeof line, "rm -rf %s", w->folder);
	assert_int_equal(system(line), 0);
}

/* A process that writes, in the shell's words, with the pipe as $P. */
static pid_t writer(const world *w, const char *command) {
	pid_t child = fork();
	if (child == 0) {
		char path[128];
		snprintf(path, sizeof path, "%s/p", w->folder);
		setenv("P", path, 1);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	assert_true(child > 0);
	return child;
}

static ent_inbox_status kept(const world *w) {
	ent_inbox_status s;
	ent_inbox_status_of(w->inbox, "s", &s);
	return s;
}

static void until_records(world *w, uint64_t n) {
	uv_timer_start(&w->deadline, on_deadline, 60000, 0);
	while (kept(w).records < n && !w->late) {
		uv_run(&w->loop, UV_RUN_ONCE);
	}
	uv_timer_stop(&w->deadline);
	assert_int_equal(kept(w).records, n);
}

/* All that the inbox holds of the source, file after file. */
static char *content(const world *w) {
	ent_inbox_file *files;
	size_t n, at = 0, capacity = 1 << 20;
	char *text = ent_xcalloc(1, capacity);
	ent_inbox_files(w->inbox, "s", &files, &n);
	for (size_t i = 0; i < n; i++) {
		FILE *f = fopen(files[i].path, "r");
		assert_non_null(f);
		at += fread(text + at, 1, capacity - 1 - at, f);
		fclose(f);
	}
	ent_inbox_files_free(files, n);
	return text;
}

static void done(pid_t child) {
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void lines_as_they_come(void **state) {
	(void)state;
	world w;
	begin(&w, "pipe: ./p", ENT_INBOX_LINES, NULL);
	struct stat st;
	char path[128];
	snprintf(path, sizeof path, "%s/p", w.folder);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0600);
	/* it stays open: the first two lines are kept nevertheless, the third once it is whole */
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "{\"a\":1}\n{\"a\":2}\n{\"a\"", 20), 20);
	until_records(&w, 2);
	assert_int_equal(write(fd, ":3}\n", 4), 4);
	until_records(&w, 3);
	close(fd);
	/* other writers come and go; the last line of one has no end but the closing */
	for (int i = 4; i < 9; i++) {
		char command[128];
		snprintf(command, sizeof command, "printf '{\"a\":%d}' > \"$P\"", i);
		done(writer(&w, command));
		until_records(&w, (uint64_t)i);
	}
	char *text = content(&w), one[16];
	for (int i = 1; i < 9; i++) {
		snprintf(one, sizeof one, "{\"a\":%d}", i);
		assert_non_null(strstr(text, one));
	}
	free(text);
	end(&w);
}

static void sessions_become_documents(void **state) {
	(void)state;
	world w;
	begin(&w, "pipe: ./p", ENT_INBOX_DOCUMENTS, NULL);
	done(writer(&w, "{ echo one; echo two; seq 100; } > \"$P\""));
	until_records(&w, 1);
	done(writer(&w, "echo three > \"$P\""));
	until_records(&w, 2);
	ent_inbox_file *files;
	size_t n;
	ent_inbox_files(w.inbox, "s", &files, &n);
	assert_int_equal(n, 2);
	assert_false(files[0].log);
	ent_inbox_files_free(files, n);
	char *text = content(&w);
	assert_non_null(strstr(text, "one\ntwo\n1\n2\n"));
	assert_non_null(strstr(text, "\n100\nthree\n"));
	free(text);
	ent_pipe_status s;
	ent_pipe_status_of(w.pipe, &s);
	assert_int_equal(s.sessions, 2);
	assert_int_equal(s.lost, 0);
	end(&w);
}

/* What lies in the inbox of this source has reached its bound: the writer waits; when it was read, all goes on. */
static void who_writes_too_fast_waits(void **state) {
	(void)state;
	world w;
	ent_inbox_settings set = {.memory = 1 << 20, .waiting = 1 << 19, .log = 1 << 16, .age_us = INT64_C(3600000000),
		.remember_us = 1, .ids = 1, .keep_us = 0};
	begin(&w, "pipe: ./p", ENT_INBOX_LINES, &set);
	pid_t child = writer(&w, "i=0; while [ $i -lt 400 ]; do printf '{\"n\":%d,\"x\":\"%04000d\"}\\n' $i 0; i=$((i+1)); done > \"$P\"");
	ent_pipe_status s = {.full = false};
	uv_timer_start(&w.deadline, on_deadline, 60000, 0);
	while (!s.full && !w.late) {
		uv_run(&w.loop, UV_RUN_ONCE);
		ent_pipe_status_of(w.pipe, &s);
	}
	assert_true(s.full);
	assert_true(kept(&w).records < 400);
	assert_int_equal(waitpid(child, NULL, WNOHANG), 0); /* it is not through */
	while (kept(&w).records < 400 && !w.late) { /* as an ingest would */
		ent_inbox_file *files;
		size_t n;
		ent_inbox_files(w.inbox, "s", &files, &n);
		for (size_t i = 0; i < n; i++) {
			ent_inbox_consumed(w.inbox, "s", files[i].name, files[i].size);
		}
		ent_inbox_files_free(files, n);
		uv_run(&w.loop, UV_RUN_ONCE);
	}
	uv_timer_stop(&w.deadline);
	assert_int_equal(kept(&w).records, 400);
	done(child);
	ent_pipe_status_of(w.pipe, &s);
	assert_int_equal(s.lost, 0);
	end(&w);
}

/* More than the inbox takes at once is put in parts. */
static void an_inbox_with_little_memory(void **state) {
	(void)state;
	world w;
	ent_inbox_settings set = {.memory = 4000, .waiting = 1 << 30, .log = 1 << 20, .age_us = INT64_C(3600000000), .remember_us = 1, .ids = 1,
		.keep_us = INT64_C(3600000000)};
	begin(&w, "pipe: ./p", ENT_INBOX_LINES, &set);
	pid_t child = writer(&w, "seq 5000 > \"$P\"");
	until_records(&w, 5000);
	done(child);
	end(&w);
}

static void a_line_that_is_too_long(void **state) {
	(void)state;
	world w;
	begin(&w, "pipe: ./p", ENT_INBOX_LINES, NULL);
	pid_t child = writer(&w, "{ echo 1; head -c 20000000 /dev/zero | tr '\\0' x; echo; echo 2; } > \"$P\"");
	until_records(&w, 2);
	done(child);
	ent_pipe_status s;
	ent_pipe_status_of(w.pipe, &s);
	assert_int_equal(s.lost, 1);
	end(&w);
}

static void something_else_lies_there(void **state) {
	(void)state;
	world w;
	begin(&w, "pipe: ./p", ENT_INBOX_LINES, NULL);
	char path[128];
	snprintf(path, sizeof path, "%s/p", w.folder);
	ent_pipe_destroy(w.pipe);
	w.pipe = NULL;
	unlink(path);
	fclose(fopen(path, "w"));
	ent_error e = {0};
	assert_int_equal(ent_pipe_create(&w.pipe, &w.loop, w.inbox, &w.config->sources[0], &e), ENT_ERR_INVALID);
	assert_non_null(strstr(e.what, "is no pipe"));
	assert_int_equal(e.line, 6);
	end(&w);
}

/* Standard input: a pipe, and a file that cannot be polled. */
static void standard_input(void **state) {
	(void)state;
	int before = dup(STDIN_FILENO), ends[2];
	world w;
	assert_int_equal(pipe(ends), 0);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	begin(&w, "stdin: orders", ENT_INBOX_LINES, NULL);
	assert_int_equal(write(ends[1], "1\n2\n", 4), 4);
	until_records(&w, 2);
	close(ends[1]);
	ent_pipe_status s = {.ended = false};
	uv_timer_start(&w.deadline, on_deadline, 60000, 0);
	while (!s.ended && !w.late) {
		uv_run(&w.loop, UV_RUN_ONCE);
		ent_pipe_status_of(w.pipe, &s);
	}
	uv_timer_stop(&w.deadline);
	assert_true(s.ended);
	end(&w);
	FILE *f = tmpfile();
	fputs("1\n2\n3\n", f);
	fflush(f);
	rewind(f);
	dup2(fileno(f), STDIN_FILENO);
	begin(&w, "stdin: orders", ENT_INBOX_LINES, NULL);
	until_records(&w, 3);
	end(&w);
	fclose(f);
	dup2(before, STDIN_FILENO);
	close(before);
}

int main(void) {
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_as_they_come),
		cmocka_unit_test(sessions_become_documents),
		cmocka_unit_test(who_writes_too_fast_waits),
		cmocka_unit_test(an_inbox_with_little_memory),
		cmocka_unit_test(a_line_that_is_too_long),
		cmocka_unit_test(something_else_lies_there),
		cmocka_unit_test(standard_input),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
