/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente plugin fuzz`: has entente-fuzz look for inputs that a plugin does not survive, one target (a decoder with
 * options) after another; what it finds is made small, and saved where `entente plugin test` finds it. The plugin is
 * never loaded here: each run, each attempt to repeat what it found, is a process of its own. One thread, which waits.
 */
#include "command/command.h"
#include "config/install.h"
#include "conform/fuzz_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>
#include <xxhash.h>

extern char **environ;

enum { SECONDS = 60, SHRINK_SECONDS = 10, SAME_MOST = 3, LOOK_MS = 100, WORDS_MOST = 16 };

typedef struct found {
	const char *end, *rule, *what, *todo, *file;
	int64_t place; /* -1: none */
	uint64_t signature, bytes, before;
} found;

typedef struct target {
	const char *decoder, *options, *document;
	ent_fuzz_state state;
	found *of;
	size_t n, capacity;
	unsigned same; /* runs that ended with what was known */
	bool stopped;  /* ... which was too often */
} target;

typedef struct fuzz {
	ent_call *call;
	ent_arena arena;
	const char *program, *plugin, *work, *folder; /* folder: where finds are saved */
	const char **words;                           /* that every process gets */
	size_t n_words;
	target *targets;
	size_t n;
	ent_progress progress;
	ent_error error;
} fuzz;

static uint64_t now_ms(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static const char *text_of(struct json_object *o, const char *key) {
	struct json_object *v;
	return json_object_object_get_ex(o, key, &v) && v ? json_object_get_string(v) : NULL;
}

static int64_t number_of(struct json_object *o, const char *key) {
	struct json_object *v;
	return json_object_object_get_ex(o, key, &v) && v ? json_object_get_int64(v) : -1;
}

static char *kept(fuzz *z, const char *text) { return text ? ent_arena_copy(&z->arena, text, strlen(text)) : NULL; }

/* ---- processes ------------------------------------------------------------------------------------------------------
 */

/* The last words of the log, for an error. */
static void last_words(const char *log, char *out, size_t size) {
	FILE *f = fopen(log, "re");
	out[0] = 0;
	if (!f) {
		return;
	}
	if (fseek(f, -(long)size + 1, SEEK_END)) {
		rewind(f);
	}
	out[fread(out, 1, size - 1, f)] = 0;
	fclose(f);
}

static void look(fuzz *z, const target *t, const char *work, uint64_t began) {
	ent_fuzz_state s;
	char what[200];
	int fd = open(ent_arena_printf(&z->arena, "%s/state", work), O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, &s, sizeof s) == (ssize_t)sizeof s) {
		snprintf(what, sizeof what, "fuzzing %s: %llu inputs, %zu found, %llu s", t->decoder,
			(unsigned long long)s.inputs, t->n, (unsigned long long)(now_ms() - began) / 1000);
		ent_progress_show(&z->progress, what, 0, 0, 0);
	}
	if (fd >= 0) {
		close(fd);
	}
}

/* Runs entente-fuzz; what it answers is *out, or NULL. Returns its wait status, or -1 with z->error. */
static int process(fuzz *z, const char *const *more, const target *t, const char *work, struct json_object **out) {
	char *argv[WORDS_MOST + 64];
	size_t n = 0;
	ent_buf said = {0};
	const char *answer = ent_arena_printf(&z->arena, "%s/answer", z->work),
			   *log = ent_arena_printf(&z->arena, "%s/log", z->work);
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status = 0;
	uint64_t began = now_ms();
	argv[n++] = (char *)z->program;
	argv[n++] = (char *)z->plugin;
	for (size_t i = 0; more[i] && n < WORDS_MOST; i++) {
		argv[n++] = (char *)more[i];
	}
	char **all = ent_arena_alloc(&z->arena, (n + z->n_words + 1) * sizeof *all);
	memcpy(all, argv, n * sizeof *all);
	memcpy(all + n, z->words, z->n_words * sizeof *all);
	all[n + z->n_words] = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, answer, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int failed = posix_spawn(&pid, z->program, &actions, NULL, all, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (failed) {
		ent_error_set(&z->error, ENT_ERR_WORKER, "%s cannot be started: %s", z->program, strerror(failed));
		return -1;
	}
	for (pid_t done = 0; done == 0;) {
		done = waitpid(pid, &status, WNOHANG);
		if (done == 0) {
			if (t) {
				look(z, t, work, began);
			}
			nanosleep(&(struct timespec){0, LOOK_MS * 1000000L}, NULL);
		}
	}
	FILE *f = fopen(answer, "re");
	char chunk[4096];
	for (size_t got; f && (got = fread(chunk, 1, sizeof chunk, f)) > 0;) {
		ent_buf_add(&said, chunk, got);
	}
	if (f) {
		fclose(f);
	}
	ent_buf_u8(&said, 0);
	*out = json_tokener_parse((char *)said.data);
	ent_buf_finish(&said);
	struct json_object *error;
	if (json_object_object_get_ex(*out, "error", &error)) {
		const char *file = text_of(error, "file");
		ent_error_set(&z->error, ENT_ERR_INVALID, "%s", text_of(error, "what"));
		ent_error_todo(&z->error, "%s", text_of(error, "todo"));
		if (file && *file) {
			ent_error_at(&z->error, file, 0, 0);
		}
		json_object_put(*out);
		*out = NULL;
		return -1;
	}
	return status;
}

/* ---- what was found
 * -------------------------------------------------------------------------------------------------- */

static int copy_file(const char *from, const char *to, uint64_t *hash, ent_error *e) {
	FILE *in = fopen(from, "re"), *out = to ? fopen(to, "we") : NULL;
	XXH64_state_t *state = XXH64_createState();
	char chunk[16384];
	bool bad = !in || (to && !out) || !state;
	if (!bad) {
		XXH64_reset(state, 0);
		for (size_t n; (n = fread(chunk, 1, sizeof chunk, in)) > 0;) {
			XXH64_update(state, chunk, n);
			bad |= out && fwrite(chunk, 1, n, out) != n;
		}
		*hash = XXH64_digest(state);
	}
	bad |= in && fclose(in);
	bad |= out && fclose(out);
	XXH64_freeState(state);
	return bad ? ent_error_errno(e, ENT_ERR_IO, "%s", to ? to : from) : 0;
}

static int make_folders(const char *path, ent_error *e) {
	char part[4096];
	size_t n = strlen(path);
	for (size_t i = 1; i <= n && n < sizeof part; i++) {
		if (path[i] == '/' || i == n) {
			memcpy(part, path, i);
			part[i] = 0;
			if (mkdir(part, 0755) && errno != EEXIST) {
				return ent_error_errno(e, ENT_ERR_IO, "%s", part);
			}
		}
	}
	return 0;
}

/* The find becomes a case of the folder: NAME.in, and a line in `cases`. */
static int save(fuzz *z, const target *t, found *f, const char *small) {
	uint64_t hash;
	ent_arena *a = &z->arena;
	const char *cases = ent_arena_printf(a, "%s/cases", z->folder);
	if (copy_file(small, NULL, &hash, &z->error) || make_folders(z->folder, &z->error)) {
		return z->error.code;
	}
	const char *name =
		ent_arena_printf(a, "%s-%s-%08x", t->decoder, f->rule ? f->rule : f->end, (unsigned)(hash ^ hash >> 32));
	f->file = ent_arena_printf(a, "%s/%s.in", z->folder, name);
	bool there = access(f->file, F_OK) == 0, new_list = access(cases, F_OK) != 0;
	if (there) {
		return 0; /* found before, and not mended yet */
	}
	const char *temporary = ent_arena_printf(a, "%s.new", f->file);
	if (copy_file(small, temporary, &hash, &z->error)) {
		return z->error.code;
	}
	if (rename(temporary, f->file)) {
		return ent_error_errno(&z->error, ENT_ERR_IO, "%s", f->file);
	}
	FILE *list = fopen(cases, "ae");
	bool bad =
		!list ||
		(new_list &&
			fputs("# What `entente plugin fuzz` found, and the test `found` of `entente plugin test` tries: case, "
				  "input, decoder, document, options.\n",
				list) < 0) ||
		fprintf(list, "%s  %s.in  %s  %s  %s\n", name, name, t->decoder, t->document, t->options) < 0;
	bad |= list && fclose(list);
	return bad ? ent_error_errno(&z->error, ENT_ERR_IO, "%s", cases) : 0;
}

static const char *signatures(fuzz *z, const target *t) {
	const char *all = ",";
	for (size_t i = 0; i < t->n; i++) {
		all = ent_arena_printf(&z->arena, "%s%llu,", all, (unsigned long long)t->of[i].signature);
	}
	return all;
}

/* Repeats it, makes it small, and saves it unless it is known. */
static int take(fuzz *z, target *t, const char *number, const char *file) {
	const char *small = ent_arena_printf(&z->arena, "%s/small", z->work);
	const char *const words[] = {"shrink", "--target", number, "--file", file, "--out", small, "--seconds",
		ent_arena_printf(&z->arena, "%d", SHRINK_SECONDS), "--known", signatures(z, t), NULL};
	struct json_object *said;
	ent_progress_show(&z->progress, "making what was found small", 0, 0, 0);
	if (process(z, words, NULL, NULL, &said) == -1) {
		return z->error.code;
	}
	const char *end = text_of(said, "end");
	int status = 0;
	found f = {.end = kept(z, end),
		.rule = kept(z, text_of(said, "rule")),
		.what = kept(z, text_of(said, "what")),
		.todo = kept(z, text_of(said, "todo")),
		.place = number_of(said, "place"),
		.signature = (uint64_t)number_of(said, "signature"),
		.bytes = (uint64_t)number_of(said, "bytes"),
		.before = (uint64_t)number_of(said, "before")};
	bool known = !end || !strcmp(end, "fine"); /* cannot be repeated: a hang on a machine that was busy */
	for (size_t i = 0; i < t->n && !known; i++) {
		known = t->of[i].signature == f.signature;
	}
	if (known) {
		t->same += end && !strcmp(end, "hang") ? SAME_MOST : 1; /* each takes seconds */
	} else if (!(status = save(z, t, &f, small))) {
		t->same = 0;
		ENT_GROW(t->of, t->n, t->capacity);
		t->of[t->n++] = f;
	}
	json_object_put(said);
	unlink(file);
	return status;
}

/* What is in the folder of the run. */
static int take_all(fuzz *z, target *t, const char *number, const char *work, size_t *n) {
	DIR *d = opendir(work);
	int status = 0;
	*n = 0;
	for (struct dirent *entry; d && !status && (entry = readdir(d));) {
		if (!strncmp(entry->d_name, "artifact-", 9) || !strncmp(entry->d_name, "broken-", 7)) {
			(*n)++;
			if (strncmp(entry->d_name, "artifact-slow-unit-", 19) != 0) {
				status = take(z, t, number, ent_arena_printf(&z->arena, "%s/%s", work, entry->d_name));
			}
		}
	}
	if (d) {
		closedir(d);
	}
	return status;
}

/* ---- one target
 * ------------------------------------------------------------------------------------------------------ */

static int read_state(fuzz *z, target *t, const char *work) {
	const char *path = ent_arena_printf(&z->arena, "%s/state", work);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool bad = fd < 0 || read(fd, &t->state, sizeof t->state) != (ssize_t)sizeof t->state;
	if (fd >= 0) {
		close(fd);
	}
	return bad ? ent_error_errno(&z->error, ENT_ERR_IO, "%s", path) : 0;
}

static int feed(fuzz *z, size_t i, uint64_t seconds) {
	target *t = &z->targets[i];
	const char *number = ent_arena_printf(&z->arena, "%zu", i),
			   *work = ent_arena_printf(&z->arena, "%s/%zu", z->work, i);
	uint64_t fed_ms = 0;
	if (mkdir(work, 0755)) {
		return ent_error_errno(&z->error, ENT_ERR_IO, "%s", work);
	}
	while (fed_ms / 1000 < seconds) {
		const char *const words[] = {"run", "--target", number, "--work", work, "--seconds",
			ent_arena_printf(&z->arena, "%llu", (unsigned long long)(seconds - fed_ms / 1000)),
			ent_call_has(z->call, "first") ? "--first" : NULL, NULL};
		struct json_object *said;
		size_t n;
		uint64_t began = now_ms();
		int ended = process(z, words, t, work, &said);
		json_object_put(said);
		fed_ms += now_ms() - began + 200; /* each start takes its time: this ends */
		if (ended == -1 || take_all(z, t, number, work, &n)) {
			return z->error.code;
		}
		if (!ended || (t->n && ent_call_has(z->call, "first"))) {
			break;
		}
		if (!n) {
			char last[600];
			last_words(ent_arena_printf(&z->arena, "%s/log", z->work), last, sizeof last);
			ent_error_set(
				&z->error, ENT_ERR_WORKER, "%s ended with status %d and without an input: %s", z->program, ended, last);
			return ent_error_todo(&z->error, "a golden input may end the process: `entente plugin test` first");
		}
		if (t->same >= SAME_MOST) {
			t->stopped = true;
			break;
		}
	}
	return read_state(z, t, work);
}

/* ---- for people and programs
 * ------------------------------------------------------------------------------------------ */

static const char *repeat(fuzz *z) {
	const char *slash = strrchr(z->folder, '/');
	return ent_arena_printf(
		&z->arena, "entente plugin test %s --golden %.*s --only found", z->plugin, (int)(slash - z->folder), z->folder);
}

static void show_found(fuzz *z, const found *f) {
	ent_call *call = z->call;
	ent_buf_printf(&call->out, "    ");
	ent_term_printf(&call->term, &call->out, ENT_BAD, "%s", f->rule ? f->rule : f->end);
	ent_buf_printf(&call->out, "  ");
	ent_term_wrap(&call->term, &call->out, 6, ent_arena_printf(&z->arena, "%s; %s", f->what, f->todo));
	ent_buf_printf(&call->out, "\n      saved: %s, %llu bytes of %llu\n", f->file, (unsigned long long)f->bytes,
		(unsigned long long)f->before);
}

static void show_target(fuzz *z, const target *t) {
	ent_call *call = z->call;
	char inputs[ENT_NUMBER_TEXT];
	ent_number_text((__int128)t->state.inputs, 0, 0, inputs);
	ent_buf_printf(&call->out, "  ");
	ent_term_printf(&call->term, &call->out, ENT_ACCENT, "%s", t->decoder);
	ent_buf_printf(&call->out, "%s%s  %s inputs, ", strcmp(t->options, "{}") ? " " : "",
		strcmp(t->options, "{}") ? t->options : "", inputs);
	if (t->n) {
		ent_term_printf(&call->term, &call->out, ENT_BAD, "%zu found", t->n);
	} else {
		ent_term_printf(&call->term, &call->out, ENT_GOOD, "nothing found");
	}
	ent_buf_printf(&call->out, "%s\n",
		t->state.answers ? ""
						 : "; a verdict for each record was not looked for, as there is none in its golden inputs");
	for (size_t i = 0; i < t->n; i++) {
		show_found(z, &t->of[i]);
	}
	if (t->stopped) {
		ent_buf_printf(&call->out, "    stopped early: the same ended it again and again; mend it, and fuzz again\n");
	}
}

static const char *guide(const target *t) {
	return t->state.instrumented
			   ? "by the branches of the plugin, which is instrumented"
			   : "by what the plugin does towards the host and compares: build it with ENTENTE_FUZZ=ON to be "
				 "guided by its branches, see docs/plugins.md";
}

static void json_member(ent_json *w, const char *key, const char *text) {
	ent_json_key(w, key);
	ent_json_text(w, text);
}

static void json_found(fuzz *z, const found *f) {
	ent_json *w = &z->call->writer;
	ent_json_object(w);
	json_member(w, "end", f->end);
	json_member(w, "rule", f->rule);
	json_member(w, "what", f->what);
	json_member(w, "todo", f->todo);
	ent_json_key(w, "place");
	if (f->place >= 0) {
		ent_json_int(w, f->place);
	} else {
		ent_json_null(w);
	}
	json_member(w, "file", f->file);
	ent_json_key(w, "bytes");
	ent_json_uint(w, f->bytes);
	ent_json_key(w, "before");
	ent_json_uint(w, f->before);
	json_member(w, "repeat", repeat(z));
	ent_json_end(w);
}

static void json_all(fuzz *z) {
	ent_json *w = &z->call->writer;
	ent_json_object(w);
	json_member(w, "file", z->plugin);
	json_member(w, "folder", z->folder);
	ent_json_key(w, "targets");
	ent_json_array(w);
	for (size_t i = 0; i < z->n; i++) {
		const target *t = &z->targets[i];
		ent_json_object(w);
		json_member(w, "decoder", t->decoder);
		json_member(w, "options", t->options);
		ent_json_key(w, "inputs");
		ent_json_uint(w, t->state.inputs);
		json_member(w, "guide", t->state.instrumented ? "branches" : "host");
		ent_json_key(w, "verdicts");
		ent_json_bool(w, t->state.answers);
		ent_json_key(w, "stopped");
		ent_json_bool(w, t->stopped);
		ent_json_key(w, "found");
		ent_json_array(w);
		for (size_t k = 0; k < t->n; k++) {
			json_found(z, &t->of[k]);
		}
		ent_json_end(w);
		ent_json_end(w);
	}
	ent_json_end(w);
	ent_json_end(w);
}

/* ---- the command
 * ------------------------------------------------------------------------------------------------------ */

static int find_targets(fuzz *z) {
	static const char *const words[] = {"list", NULL};
	struct json_object *said, *list = NULL;
	int status = process(z, words, NULL, NULL, &said);
	if (status == -1) {
		return z->error.code;
	}
	if (!json_object_object_get_ex(said, "targets", &list)) {
		char last[600];
		last_words(ent_arena_printf(&z->arena, "%s/log", z->work), last, sizeof last);
		json_object_put(said);
		ent_error_set(&z->error, ENT_ERR_WORKER, "the plugin ended the process when it was loaded: %s", last);
		return ent_error_todo(&z->error, "`entente plugin test` says more");
	}
	z->n = json_object_array_length(list);
	z->targets = ent_xcalloc(z->n + 1, sizeof *z->targets);
	for (size_t i = 0; i < z->n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		z->targets[i] = (target){.decoder = kept(z, text_of(o, "decoder")),
			.options = kept(z, text_of(o, "options")),
			.document = kept(z, text_of(o, "document"))};
	}
	const char *golden = text_of(said, "golden"), *slash = strrchr(z->plugin, '/');
	z->folder = ent_call_has(z->call, "found") ? ent_call_text(z->call, "found", "")
				: golden                       ? ent_arena_printf(&z->arena, "%s/found", golden)
						 : ent_arena_printf(&z->arena, "%.*s/golden/found", (int)(slash - z->plugin), z->plugin);
	json_object_put(said);
	if (!strchr(z->folder, '/')) {
		z->folder = ent_arena_printf(&z->arena, "./%s", z->folder);
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void read_words(fuzz *z) {
	static const char *const passed_on[] = {"golden", "decoder", "options"};
	size_t inputs = 0;
	while (ent_call_each(z->call, "input", inputs)) {
		inputs++;
	}
	z->words = ent_arena_alloc(&z->arena, 2 * (inputs + 4) * sizeof *z->words);
	for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++) {
		if (ent_call_has(z->call, passed_on[i])) {
			z->words[z->n_words++] = ent_arena_printf(&z->arena, "--%s", passed_on[i]);
			z->words[z->n_words++] = ent_call_text(z->call, passed_on[i], "");
		}
	}
	for (size_t i = 0; i < inputs; i++) {
		z->words[z->n_words++] = "--input";
		z->words[z->n_words++] = ent_call_each(z->call, "input", i);
	}
}

static int feed_all(fuzz *z) {
	uint64_t seconds = (uint64_t)ent_call_number(z->call, "seconds", SECONDS), each = seconds / (z->n ? z->n : 1);
	ent_call *call = z->call;
	size_t all = 0;
	each = each ? each : 1;
	for (size_t i = 0; i < z->n; i++) {
		int status = feed(z, i, each);
		ent_progress_clear(&z->progress);
		if (status) {
			return ent_call_error(call, &z->error);
		}
		all += z->targets[i].n;
		if (!call->json) {
			if (!i) {
				ent_buf_printf(&call->out, "%zu target%s, %llu s each; guided ", z->n, z->n == 1 ? "" : "s",
					(unsigned long long)each);
				ent_term_wrap(&call->term, &call->out, 2, guide(&z->targets[0]));
				ent_buf_printf(&call->out, "\n\n");
			}
			show_target(z, &z->targets[i]);
			ent_call_flush(call);
		}
		if (all && ent_call_has(call, "first")) {
			z->n = i + 1;
		}
	}
	if (call->json) {
		json_all(z);
	} else if (all) {
		ent_buf_printf(&call->out, "\nto repeat: %s\n", repeat(z));
	}
	return all ? ENT_EXIT_ERROR : ENT_EXIT_OK;
}

static int run(ent_call *call) {
	fuzz z = {.call = call};
	const char *name = ent_call_operand(call, 0);
	const char *temporary = getenv("TMPDIR");
	int exit;
	if (!name) {
		return ent_call_usage(call, "name a plugin, or the file that you built: entente plugin fuzz build/shop.so",
			"which plugin is to be fuzzed?");
	}
	ent_progress_init(&z.progress, call->quiet || call->json);
	if (!strchr(name, '/') && access(name, R_OK) == 0 && strlen(name) > 3 && !strcmp(name + strlen(name) - 3, ".so")) {
		z.plugin = ent_arena_printf(&z.arena, "./%s", name);
	} else {
		z.plugin = ent_plugin_find(name, ".", &z.arena, &z.error);
	}
	z.program = ent_install_program("entente-fuzz", &z.arena);
	char *work = ent_arena_printf(&z.arena, "%s/entente-fuzz-XXXXXX", temporary && *temporary ? temporary : "/tmp");
	if (!z.plugin) {
		exit = ent_call_error(call, &z.error);
	} else if (access(z.program, X_OK)) {
		ent_error_set(
			&z.error, ENT_ERR_NOTFOUND, "there is no %s: it is built where clang has its libFuzzer", z.program);
		ent_error_todo(&z.error, "apt-get install clang libclang-rt-dev, then configure and build again");
		exit = ent_call_error(call, &z.error);
	} else if (!mkdtemp(work)) {
		ent_error_errno(&z.error, ENT_ERR_IO, "%s", work);
		exit = ent_call_error(call, &z.error);
	} else {
		z.work = work;
		read_words(&z);
		exit = find_targets(&z) ? ent_call_error(call, &z.error) : feed_all(&z);
		nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	for (size_t i = 0; i < z.n; i++) {
		free(z.targets[i].of);
	}
	free(z.targets);
	ent_arena_finish(&z.arena);
	return exit;
}

static const ent_operand operands[] = {
	{.name = "PLUGIN", .doc = "The file that you built, or the name of an installed plugin."},
	{.name = NULL},
};

static const ent_arg args[] = {
	{.name = "seconds",
		.type = ENT_ARG_INT,
		.value = "N",
		.least = 1,
		.most = 604800,
		.doc = "For so long in all, shared by the decoders and options of the golden files; 60 without it."},
	{.name = "input",
		.type = ENT_ARG_TEXT,
		.value = "FILE",
		.many = true,
		.doc = "Begin with this document; may be given more than once. Without it, with the golden files."},
	{.name = "golden",
		.type = ENT_ARG_TEXT,
		.value = "DIR",
		.doc =
			"The folder of golden files. Without it: `golden` beside the plugin or beside its folder, or what ships."},
	{.name = "decoder", .type = ENT_ARG_TEXT, .value = "NAME", .doc = "This decoder alone."},
	{.name = "options",
		.type = ENT_ARG_TEXT,
		.value = "YAML",
		.doc = "Options of that decoder for --input, or where it has no golden file."},
	{.name = "first", .type = ENT_ARG_SWITCH, .doc = "End with the first that is found."},
	{.name = "found",
		.type = ENT_ARG_TEXT,
		.value = "DIR",
		.doc = "Where to save what is found. Without it: `found` in the folder of golden files."},
	{.name = NULL},
};

const ent_command ent_command_plugin_fuzz = {
	.name = "plugin fuzz",
	.doc = "Look for input that a plugin does not survive.",
	.text = "Makes up inputs from the golden files, the words of the decoder's tables and those in the plugin's file, "
			"and feeds "
			"them for some time. A crash, a hang, a leak or a broken rule is repeated, made small and saved in "
			"golden/found, "
			"where `entente plugin test` tries it from then on. The exit status is 0 if nothing was found, and 1 if "
			"something "
			"was.\n\n"
			"  entente plugin fuzz build/shop.so --seconds 300\n"
			"  entente plugin fuzz build/shop.so --input orders.csv --decoder shop",
	.operands = operands,
	.args = args,
	.run = run,
};
