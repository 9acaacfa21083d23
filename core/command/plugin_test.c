/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente plugin test`: runs every conformance test of core/conform in a process of its own, two at a time, each with
 * a timeout, and tells how they went. The plugin is never loaded here. One thread, one loop; a job is a test's process.
 */
#include "command/command.h"
#include "config/install.h"
#include "conform/report.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

#include <json-c/json.h>

enum { AT_ONCE = 2, ERRORS_KEPT = 2000, SECONDS = 60 };

typedef struct test {
	const char *name, *sentence;
	bool each_input;
} test;

#define PLUGIN false
#define CASE true
#define SET false
static const test tests[] = {
#define ENT_CONFORM(id, needs, sentence) {#id, sentence, needs},
#include "conform/tests.def"
#undef ENT_CONFORM
};
#undef PLUGIN
#undef CASE
#undef SET

enum { TESTS = sizeof tests / sizeof *tests };

typedef enum outcome { WAITING, PASSED, FAILED, CRASHED, TIMED_OUT, SKIPPED, OUTCOMES } outcome;

static const struct {
	const char *word;
	ent_style style;
} outcomes[OUTCOMES] = {[WAITING] = {"-", ENT_FAINT},
	[PASSED] = {"passed", ENT_GOOD},
	[FAILED] = {"failed", ENT_BAD},
	[CRASHED] = {"crashed", ENT_BAD},
	[TIMED_OUT] = {"timed out", ENT_BAD},
	[SKIPPED] = {"skipped", ENT_FAINT}};

typedef struct job {
	struct suite *suite;
	const test *test;
	uv_process_t process;
	uv_pipe_t out, err;
	uv_timer_t timer;
	unsigned handles; /* that are open */
	bool late;
	int64_t status;
	int signal;
	uint64_t began, ended; /* ns */
	int where_fd;
	ent_conform_where *where;
	ent_buf said;                 /* standard output */
	char errors[ERRORS_KEPT + 1]; /* the last of standard error */
	size_t n_errors;
	char chunk[16384];
	outcome outcome;
	struct json_object *report; /* NULL: none came */
} job;

typedef struct suite {
	ent_call *call;
	ent_arena arena;
	uv_loop_t loop;
	const char *program, *plugin;
	const char **words; /* of entente-conform; [2] is the test */
	uint64_t timeout_ms;
	job *jobs;
	size_t n, next, shown;
	ent_error error; /* code: a test could not be run at all */
} suite;

/* ---- one process --------------------------------------------------------------------------------------------------
 */

static void start_next(suite *s);
static void show_done(suite *s);

static void decide(job *j) {
	j->report = j->said.n ? json_tokener_parse(((ent_buf_u8(&j->said, 0), (char *)j->said.data))) : NULL;
	struct json_object *status;
	const char *word = json_object_object_get_ex(j->report, "status", &status) ? json_object_get_string(status) : "";
	if (j->late) {
		j->outcome = TIMED_OUT;
	} else if (j->signal || j->status || !j->report) { /* also one that ended well but said nothing: the plugin left */
		j->outcome = CRASHED;
	} else {
		j->outcome = !strcmp(word, "passed") ? PASSED : !strcmp(word, "skipped") ? SKIPPED : FAILED;
	}
}

static void closed(uv_handle_t *handle) {
	job *j = handle->data;
	if (--j->handles == 0) {
		j->ended = uv_hrtime();
		if (!j->outcome) {
			decide(j);
		}
		show_done(j->suite);
		start_next(j->suite);
	}
}

static void room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
	job *j = handle->data;
	(void)suggested;
	*buf = uv_buf_init(j->chunk, sizeof j->chunk);
}

static void read_out(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
	job *j = stream->data;
	if (n > 0) {
		ent_buf_add(&j->said, buf->base, (size_t)n);
	} else if (n < 0) {
		uv_close((uv_handle_t *)stream, closed);
	}
}

static void read_err(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
	job *j = stream->data;
	if (n < 0) {
		uv_close((uv_handle_t *)stream, closed);
		return;
	}
	size_t got = (size_t)n, keep = got > ERRORS_KEPT ? ERRORS_KEPT : got;
	size_t old = j->n_errors + keep > ERRORS_KEPT ? ERRORS_KEPT - keep : j->n_errors;
	memmove(j->errors, j->errors + j->n_errors - old, old);
	memcpy(j->errors + old, buf->base + got - keep, keep);
	j->n_errors = old + keep;
	j->errors[j->n_errors] = 0;
}

static void exited(uv_process_t *process, int64_t status, int signal) {
	job *j = process->data;
	j->status = status;
	j->signal = signal;
	uv_timer_stop(&j->timer);
	uv_close((uv_handle_t *)&j->timer, closed);
	uv_close((uv_handle_t *)process, closed);
}

static void too_late(uv_timer_t *timer) {
	job *j = timer->data;
	j->late = true;
	uv_process_kill(&j->process, SIGKILL);
}

/* A pipe to the job that is read from now on. */
static void listen_to(job *j, uv_pipe_t *pipe, uv_read_cb read) {
	pipe->data = j;
	j->handles++;
	uv_read_start((uv_stream_t *)pipe, room, read);
}

static int start(job *j) {
	suite *s = j->suite;
	uv_stdio_container_t stdio[4] = {{.flags = UV_IGNORE},
		{.flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE), .data.stream = (uv_stream_t *)&j->out},
		{.flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE), .data.stream = (uv_stream_t *)&j->err},
		{.flags = UV_INHERIT_FD}};
	j->where_fd = memfd_create("where", MFD_CLOEXEC);
	if (j->where_fd < 0 || ftruncate(j->where_fd, sizeof *j->where)) {
		return ent_error_errno(&s->error, ENT_ERR_IO, "no shared memory");
	}
	void *p = mmap(NULL, sizeof *j->where, PROT_READ | PROT_WRITE, MAP_SHARED, j->where_fd, 0);
	if (p == MAP_FAILED) {
		return ent_error_errno(&s->error, ENT_ERR_IO, "no shared memory");
	}
	j->where = p;
	stdio[3].data.fd = j->where_fd;
	s->words[2] = j->test ? j->test->name : s->words[2];
	uv_process_options_t options = {
		.file = s->program, .args = (char **)s->words, .stdio = stdio, .stdio_count = 4, .exit_cb = exited};
	uv_pipe_init(&s->loop, &j->out, 0);
	uv_pipe_init(&s->loop, &j->err, 0);
	uv_timer_init(&s->loop, &j->timer);
	j->process.data = j->timer.data = j;
	j->began = uv_hrtime();
	int status = uv_spawn(&s->loop, &j->process, &options);
	j->handles = 2;
	listen_to(j, &j->out, read_out);
	listen_to(j, &j->err, read_err);
	if (status) { /* nothing will come of its pipes */
		ent_error_set(&s->error, ENT_ERR_WORKER, "%s cannot be started: %s", s->program, uv_strerror(status));
		ent_error_todo(&s->error, "it belongs beside entente: install both from one build");
		j->outcome = SKIPPED;
		uv_close((uv_handle_t *)&j->out, closed);
		uv_close((uv_handle_t *)&j->err, closed);
		uv_close((uv_handle_t *)&j->timer, closed);
		uv_close((uv_handle_t *)&j->process, closed);
		return s->error.code;
	}
	uv_timer_start(&j->timer, too_late, s->timeout_ms, 0);
	return 0;
}

static void start_next(suite *s) {
	if (s->next < s->n && !s->error.code) {
		start(&s->jobs[s->next++]);
	}
}

static void job_finish(job *j) {
	json_object_put(j->report);
	ent_buf_finish(&j->said);
	if (j->where) {
		munmap(j->where, sizeof *j->where);
		close(j->where_fd);
	}
}

/* ---- what it said -------------------------------------------------------------------------------------------------
 */

static const char *text_of(struct json_object *o, const char *key) {
	struct json_object *v;
	const char *text = json_object_object_get_ex(o, key, &v) && v ? json_object_get_string(v) : NULL;
	return text ? text : "";
}

static int64_t number_of(struct json_object *o, const char *key, int64_t otherwise) {
	struct json_object *v;
	return json_object_object_get_ex(o, key, &v) && v ? json_object_get_int64(v) : otherwise;
}

static struct json_object *list_of(struct json_object *o, const char *key) {
	struct json_object *v;
	return json_object_object_get_ex(o, key, &v) ? v : NULL;
}

/* What happened to a process that did not come back, as an error. */
static void lost(const job *j, ent_error *e) {
	const ent_conform_where *w = j->where;
	const suite *s = j->suite;
	char how[200];
	size_t n = j->n_errors;
	if (j->late) {
		snprintf(how, sizeof how, "no end after %llu s", (unsigned long long)(s->timeout_ms / 1000));
	} else if (j->signal) {
		snprintf(how, sizeof how, "killed by %s (%s)", sigabbrev_np(j->signal) ? sigabbrev_np(j->signal) : "a signal",
			strsignal(j->signal));
	} else {
		snprintf(how, sizeof how, "the process was ended, with status %lld", (long long)j->status);
	}
	while (n && (j->errors[n - 1] == '\n' || j->errors[n - 1] == ' ')) {
		n--;
	}
	const char *last = n > 300 ? j->errors + n - 300 : j->errors;
	ent_error_set(e, ENT_ERR_WORKER, "%s%.*s: %s, near byte %llu%s%.*s", w->decoder[0] ? "decoder " : "",
		(int)strnlen(w->decoder, sizeof w->decoder), w->decoder, how,
		(unsigned long long)atomic_load(&w->head.position), n ? "; it wrote: " : "",
		(int)(n - (size_t)(last - j->errors)), last);
	if (!w->decoder[0]) {
		ent_error_set(
			e, ENT_ERR_WORKER, "%s%s%.*s", how, n ? "; it wrote: " : "", (int)(n - (size_t)(last - j->errors)), last);
	}
	if (w->doing[0]) {
		size_t at = strlen(e->what);
		snprintf(e->what + at, sizeof e->what - at, ", while %.*s", (int)strnlen(w->doing, sizeof w->doing), w->doing);
	}
	snprintf(e->file, sizeof e->file, "%.*s", (int)strnlen(w->input, sizeof w->input), w->input);
	ent_error_todo(e, "look at it below a debugger: gdb --args %s %s %s", s->program, s->plugin, j->test->name);
}

/* ---- for people ---------------------------------------------------------------------------------------------------
 */

static void show_numbers(ent_call *call, const job *j) {
	json_object_object_foreach(list_of(j->report, "numbers"), key, value) {
		ent_buf_printf(&call->out, "%*s%s: %.6g\n", 23, "", key, json_object_get_double(value));
	}
}

static void show_row(suite *s, const job *j) {
	ent_call *call = s->call;
	ent_buf_printf(&call->out, "  ");
	ent_term_printf(&call->term, &call->out, outcomes[j->outcome].style, "%-9s", outcomes[j->outcome].word);
	ent_buf_printf(&call->out, "  ");
	ent_term_printf(&call->term, &call->out, ENT_ACCENT, "%-11s", j->test->name);
	ent_buf_printf(&call->out, " ");
	ent_term_wrap(&call->term, &call->out, 25, j->test->sentence);
	if (j->outcome == SKIPPED) {
		ent_buf_printf(&call->out, "\n%25s", "");
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "%s", text_of(j->report, "why"));
	}
	ent_buf_u8(&call->out, '\n');
	if (j->report && json_object_object_length(list_of(j->report, "numbers"))) {
		show_numbers(call, j);
	}
}

static void show_done(suite *s) {
	if (s->call->json) {
		return;
	}
	while (s->shown < s->n && s->jobs[s->shown].outcome && !s->jobs[s->shown].handles) {
		show_row(s, &s->jobs[s->shown++]);
	}
	ent_call_flush(s->call);
}

static void show_error(ent_call *call, const ent_error *e) {
	char text[1400];
	ent_buf_printf(&call->out, "    ");
	ent_term_wrap(&call->term, &call->out, 6, ent_error_text(e, text, sizeof text));
	ent_buf_u8(&call->out, '\n');
}

static void show_failures(suite *s, const job *j) {
	ent_call *call = s->call;
	ent_buf_u8(&call->out, '\n');
	ent_term_printf(&call->term, &call->out, ENT_BAD, "%s: %s", j->test->name, outcomes[j->outcome].word);
	ent_buf_u8(&call->out, '\n');
	ent_error e;
	if (j->outcome != FAILED) {
		lost(j, &e);
		show_error(call, &e);
		return;
	}
	struct json_object *list = list_of(j->report, "failures");
	size_t n = list ? json_object_array_length(list) : 0;
	for (size_t i = 0; i < n; i++) {
		struct json_object *f = json_object_array_get_idx(list, i);
		const char *decoder = text_of(f, "decoder"), *which = text_of(f, "case"), *input = text_of(f, "input");
		int64_t place = number_of(f, "place", -1), line = number_of(f, "line", 0);
		char at[40] = "";
		if (place >= 0 && !line) {
			snprintf(at, sizeof at, " (byte %lld)", (long long)place);
		}
		ent_error_set(&e, ENT_ERR_INVALID, "%s%s%s%s%s%s%s", decoder,
			*decoder && *which && strcmp(which, input) ? ", case " : "", strcmp(which, input) ? which : "",
			*decoder ? ": " : "", text_of(f, "what"), at, "");
		ent_error_at(&e, *input ? input : s->plugin, (uint32_t)line, 0);
		ent_error_todo(&e, "%s", text_of(f, "todo"));
		show_error(call, &e);
	}
	int64_t all = number_of(j->report, "failed", (int64_t)n);
	if ((size_t)all > n) {
		ent_buf_printf(&call->out, "    and %lld more of the kind\n", (long long)all - (long long)n);
	}
}

static void show_summary(suite *s, const size_t count[OUTCOMES], uint64_t began) {
	ent_call *call = s->call;
	bool good = count[PASSED] + count[SKIPPED] == s->n;
	for (size_t i = 0; i < s->n; i++) {
		if (s->jobs[i].outcome != PASSED && s->jobs[i].outcome != SKIPPED) {
			show_failures(s, &s->jobs[i]);
		}
	}
	ent_buf_u8(&call->out, '\n');
	for (unsigned o = PASSED, any = 0; o < OUTCOMES; o++) {
		if (count[o] || o == PASSED) {
			ent_term_printf(&call->term, &call->out, good ? ENT_GOOD : ENT_BOLD, "%s%zu %s", any++ ? ", " : "",
				count[o], outcomes[o].word);
		}
	}
	ent_buf_printf(&call->out, " in %.1f s\n", (double)(uv_hrtime() - began) / 1e9);
}

static void show_head(suite *s, struct json_object *plan) {
	ent_call *call = s->call;
	struct json_object *inputs = list_of(plan, "inputs"), *decoders = list_of(plan, "decoders");
	size_t n = inputs ? json_object_array_length(inputs) : 0;
	ent_term_printf(&call->term, &call->out, ENT_BOLD, "%s", plan ? text_of(plan, "plugin") : s->plugin);
	if (plan) {
		ent_buf_printf(
			&call->out, " %s, decoder%s", text_of(plan, "version"), json_object_array_length(decoders) == 1 ? "" : "s");
		for (size_t i = 0; i < json_object_array_length(decoders); i++) {
			ent_buf_printf(
				&call->out, "%s %s", i ? "," : "", json_object_get_string(json_object_array_get_idx(decoders, i)));
		}
		ent_buf_printf(&call->out, "; %zu input%s", n, n == 1 ? "" : "s");
		if (*text_of(plan, "golden")) {
			ent_buf_printf(&call->out, " of %s", text_of(plan, "golden"));
		}
	}
	ent_buf_printf(&call->out, "\n\n");
	ent_call_flush(call);
}

/* ---- for programs -------------------------------------------------------------------------------------------------
 */

static void json_member(ent_json *w, const char *key, const char *text) {
	ent_json_key(w, key);
	ent_json_text(w, *text ? text : NULL);
}

static void json_raw(ent_json *w, const char *key, struct json_object *value, const char *otherwise) {
	const char *text =
		value ? json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
			  : otherwise;
	ent_json_key(w, key);
	ent_json_raw(w, text, strlen(text));
}

static void json_job(ent_json *w, const job *j) {
	ent_error e;
	ent_json_object(w);
	json_member(w, "name", j->test->name);
	json_member(w, "sentence", j->test->sentence);
	json_member(w, "status", outcomes[j->outcome].word);
	json_member(w, "why", j->outcome == SKIPPED ? text_of(j->report, "why") : "");
	ent_json_key(w, "seconds");
	ent_json_double(w, (double)((j->ended - j->began) / 1000000) / 1000);
	ent_json_key(w, "runs");
	ent_json_int(w, number_of(j->report, "runs", 0));
	if (j->outcome == CRASHED || j->outcome == TIMED_OUT) {
		const ent_conform_where *where = j->where;
		lost(j, &e);
		ent_json_key(w, "failures");
		ent_json_array(w);
		ent_json_object(w);
		ent_json_key(w, "decoder");
		ent_json_text_n(w, where->decoder, strnlen(where->decoder, sizeof where->decoder));
		json_member(w, "input", e.file);
		ent_json_key(w, "place");
		ent_json_uint(w, atomic_load(&where->head.position));
		json_member(w, "what", e.what);
		json_member(w, "todo", e.todo);
		ent_json_end(w);
		ent_json_end(w);
	} else {
		json_raw(w, "failures", list_of(j->report, "failures"), "[]");
	}
	json_raw(w, "numbers", list_of(j->report, "numbers"), "{}");
	ent_json_end(w);
}

static void json_all(suite *s, struct json_object *plan, const size_t count[OUTCOMES]) {
	ent_json *w = &s->call->writer;
	ent_json_object(w);
	json_member(w, "file", s->plugin);
	json_raw(w, "plan", plan, "null");
	ent_json_key(w, "tests");
	ent_json_array(w);
	for (size_t i = 0; i < s->n; i++) {
		json_job(w, &s->jobs[i]);
	}
	ent_json_end(w);
	for (unsigned o = PASSED; o < OUTCOMES; o++) {
		ent_json_key(w, outcomes[o].word);
		ent_json_uint(w, count[o]);
	}
	ent_json_end(w);
}

/* ---- the command --------------------------------------------------------------------------------------------------
 */

static int list(ent_call *call) {
	static const ent_table_column columns[] = {
		{"test", false, true}, {"of each input", false, true}, {"what must hold", false, false}, {0}};
	ent_table t;
	if (call->json) {
		ent_json_array(&call->writer);
		for (size_t i = 0; i < TESTS; i++) {
			ent_json_object(&call->writer);
			json_member(&call->writer, "name", tests[i].name);
			ent_json_key(&call->writer, "each_input");
			ent_json_bool(&call->writer, tests[i].each_input);
			json_member(&call->writer, "sentence", tests[i].sentence);
			ent_json_end(&call->writer);
		}
		ent_json_end(&call->writer);
		return ENT_EXIT_OK;
	}
	ent_table_init(&t, columns);
	for (size_t i = 0; i < TESTS; i++) {
		ent_table_styled(&t, ENT_ACCENT, tests[i].name);
		ent_table_cell(&t, tests[i].each_input ? "yes" : "");
		ent_table_cell(&t, tests[i].sentence);
	}
	ent_table_print(&t, &call->term, &call->out);
	ent_table_finish(&t);
	return ENT_EXIT_OK;
}

/* The tests that --only names, or all, without those of --except. */
static int choose(suite *s) {
	const char *names[TESTS + 1] = {0};
	for (size_t i = 0; i < TESTS; i++) {
		names[i] = tests[i].name;
	}
	s->jobs = ent_xcalloc(TESTS, sizeof *s->jobs);
	for (size_t i = 0; i < TESTS; i++) {
		bool wanted = !ent_call_has(s->call, "only");
		for (size_t k = 0; !wanted && ent_call_each(s->call, "only", k); k++) {
			wanted = !strcmp(ent_call_each(s->call, "only", k), tests[i].name);
		}
		for (size_t k = 0; wanted && ent_call_each(s->call, "except", k); k++) {
			wanted = strcmp(ent_call_each(s->call, "except", k), tests[i].name) != 0;
		}
		if (wanted) {
			s->jobs[s->n++] = (job){.suite = s, .test = &tests[i], .where_fd = -1};
		}
	}
	static const char *const named[] = {"only", "except"};
	for (size_t o = 0; o < 2; o++) {
		for (size_t k = 0; ent_call_each(s->call, named[o], k); k++) {
			const char *name = ent_call_each(s->call, named[o], k);
			size_t i = 0;
			while (i < TESTS && strcmp(names[i], name) != 0) {
				i++;
			}
			if (i == TESTS) {
				const char *near = ent_nearest(name, names, TESTS);
				return ent_call_unknown(s->call,
					near ? ent_arena_printf(&s->arena, "did you mean '%s'?", near)
						 : "`entente plugin test --list` names them",
					"there is no test '%s'", name);
			}
		}
	}
	return ENT_EXIT_OK;
}

static void words(suite *s) {
	static const char *const passed_on[] = {"golden", "decoder", "options"};
	size_t n = 3, inputs = 0;
	while (ent_call_each(s->call, "input", inputs)) {
		inputs++;
	}
	s->words = ent_arena_alloc(&s->arena, (4 + 2 * (inputs + 3)) * sizeof *s->words);
	s->words[0] = s->program;
	s->words[1] = s->plugin;
	for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++) {
		if (ent_call_has(s->call, passed_on[i])) {
			s->words[n++] = ent_arena_printf(&s->arena, "--%s", passed_on[i]);
			s->words[n++] = ent_call_text(s->call, passed_on[i], "");
		}
	}
	for (size_t i = 0; i < inputs; i++) {
		s->words[n++] = "--input";
		s->words[n++] = ent_call_each(s->call, "input", i);
	}
	s->words[n] = NULL;
}

/* Asks what there is, in a process as the tests are. *plan NULL: the plugin cannot even be loaded, or ends the process.
 */
static int look(suite *s, struct json_object **plan) {
	job *j = ent_xcalloc(1, sizeof *j);
	size_t n = s->n;
	int exit = ENT_EXIT_OK;
	static const test none = {.name = "-"}, golden = {.name = "+"};
	*j = (job){.suite = s, .test = ent_call_has(s->call, "write-golden") ? &golden : &none, .where_fd = -1};
	s->n = 0; /* no other starts, and no row is shown */
	*plan = NULL;
	if (!start(j)) {
		uv_run(&s->loop, UV_RUN_DEFAULT);
		struct json_object *error = list_of(j->report, "error");
		if (error && !json_object_get_boolean(list_of(error, "load"))) {
			ent_error e;
			ent_error_set(&e, ENT_ERR_INVALID, "%s", text_of(error, "what"));
			ent_error_todo(&e, "%s", text_of(error, "todo"));
			if (*text_of(error, "file")) {
				ent_error_at(&e, text_of(error, "file"), (uint32_t)number_of(error, "line", 0), 0);
			}
			ent_call_error(s->call, &e);
			exit = ENT_EXIT_USAGE;
		} else if (!error && j->report && !j->status) {
			*plan = json_object_get(j->report);
		}
	} else {
		uv_run(&s->loop, UV_RUN_DEFAULT);
		exit = ent_call_error(s->call, &s->error);
	}
	s->n = n;
	job_finish(j);
	free(j);
	return exit;
}

static int run_all(suite *s) {
	struct json_object *plan;
	size_t count[OUTCOMES] = {0};
	uint64_t began = uv_hrtime();
	int exit = look(s, &plan);
	if (exit) {
		return exit;
	}
	if (!s->call->json) {
		show_head(s, plan);
	}
	for (int i = 0; i < AT_ONCE; i++) {
		start_next(s);
	}
	uv_run(&s->loop, UV_RUN_DEFAULT);
	if (s->error.code) {
		json_object_put(plan);
		return ent_call_error(s->call, &s->error);
	}
	for (size_t i = 0; i < s->n; i++) {
		count[s->jobs[i].outcome]++;
	}
	if (s->call->json) {
		json_all(s, plan, count);
	} else {
		show_summary(s, count, began);
	}
	json_object_put(plan);
	return count[PASSED] + count[SKIPPED] == s->n ? ENT_EXIT_OK : ENT_EXIT_ERROR;
}

static int run(ent_call *call) {
	suite s = {.call = call};
	const char *name = ent_call_operand(call, 0);
	int exit;
	if (ent_call_has(call, "list")) {
		return list(call);
	}
	if (!name) {
		return ent_call_usage(call, "name a plugin, or the file that you built: entente plugin test build/shop.so",
			"which plugin is to be tested?");
	}
	if (!strchr(name, '/') && access(name, R_OK) == 0 && strlen(name) > 3 && !strcmp(name + strlen(name) - 3, ".so")) {
		s.plugin = ent_arena_printf(&s.arena, "./%s", name);
	} else {
		ent_error e;
		s.plugin = ent_plugin_find(name, ".", &s.arena, &e);
		if (!s.plugin) {
			ent_arena_finish(&s.arena);
			return ent_call_error(call, &e);
		}
	}
	s.program = ent_install_program("entente-conform", &s.arena);
	s.timeout_ms = (uint64_t)ent_call_number(call, "timeout", SECONDS) * 1000;
	words(&s);
	uv_loop_init(&s.loop);
	exit = choose(&s);
	if (!exit) {
		exit = run_all(&s);
	}
	uv_run(&s.loop, UV_RUN_DEFAULT);
	uv_loop_close(&s.loop);
	for (size_t i = 0; i < s.n; i++) {
		job_finish(&s.jobs[i]);
	}
	free(s.jobs);
	ent_arena_finish(&s.arena);
	return exit;
}

static const ent_operand operands[] = {
	{.name = "PLUGIN", .doc = "The file that you built, or the name of an installed plugin."},
	{.name = NULL},
};

static const ent_arg args[] = {
	{.name = "input",
		.type = ENT_ARG_TEXT,
		.value = "FILE",
		.many = true,
		.doc = "Test with this document; may be given more than once. Without it, with the golden files."},
	{.name = "golden",
		.type = ENT_ARG_TEXT,
		.value = "DIR",
		.doc =
			"The folder of golden files. Without it: `golden` beside the plugin or beside its folder, or what ships."},
	{.name = "decoder",
		.type = ENT_ARG_TEXT,
		.value = "NAME",
		.doc = "The decoder of --input; without it, the surest one."},
	{.name = "options",
		.type = ENT_ARG_TEXT,
		.value = "YAML",
		.doc = "Options of that decoder, as in entente.yaml: \"{partner: vendor}\"."},
	{.name = "only",
		.type = ENT_ARG_TEXT,
		.value = "TEST",
		.many = true,
		.doc = "Run this test alone; may be given more than once."},
	{.name = "except",
		.type = ENT_ARG_TEXT,
		.value = "TEST",
		.many = true,
		.doc = "Leave this test out; may be given more than once."},
	{.name = "timeout",
		.type = ENT_ARG_INT,
		.value = "SECONDS",
		.least = 1,
		.most = 86400,
		.doc = "End a test that takes longer; 60 without it."},
	{.name = "write-golden",
		.type = ENT_ARG_SWITCH,
		.doc = "First write the golden outputs anew. Read the difference."},
	{.name = "list", .type = ENT_ARG_SWITCH, .doc = "Name the tests, and run nothing."},
	{.name = NULL},
};

const ent_command ent_command_plugin_test = {
	.name = "plugin test",
	.doc = "Test a plugin: its tables, its facts, its memory, damaged files.",
	.text =
		"Each test runs in a process of its own and ends as passed, failed, crashed, timed out or skipped. The exit "
		"status is 0 if none failed, and 1 if one did. Large inputs are sampled, always in the same way.\n\n"
		"  entente plugin test build/shop.so\n"
		"  entente plugin test build/shop.so --input orders.csv --only golden",
	.operands = operands,
	.args = args,
	.run = run,
};
