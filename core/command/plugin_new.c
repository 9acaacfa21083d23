/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente plugin new`: a plugin to start one's own from. What it writes are the folders of examples/plugin, which are
 * built and tested as they stand, with the plugin's name in place of theirs. The folder appears whole or not at all;
 * nothing that is there is written over. */
#include "command/plugin_new.h"
#include "command/command.h"
#include "config/install.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_LENGTH = 40 };

static const char *const frames[] = {"delimited", "jsonl", "document", NULL};

/* Names that mean something else where the plugin's name is written: targets of CMake, `decode: auto`, words of YAML.
 */
static const char *const taken[] = {"all", "auto", "clean", "depend", "edit_cache", "entente", "false", "help",
	"install", "list_install_components", "no", "null", "off", "on", "package", "package_source", "rebuild_cache",
	"test", "true", "yes", NULL};

/* ---- the name
 * ---------------------------------------------------------------------------------------------------------- */

static int name_check(ent_call *call, const char *name) {
	static const char todo[] = "take letters, digits and '_', a letter first, as in my_shop";
	size_t n = strlen(name);
	if (n > NAME_MAX_LENGTH) {
		return ent_call_usage(call, todo, "the name of a plugin has at most %d characters", NAME_MAX_LENGTH);
	}
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];
		if (c >= 128 || !(isalpha(c) || (i && (isdigit(c) || c == '_')))) {
			return ent_call_usage(call, todo, "'%s' cannot be the name of a plugin", name);
		}
	}
	if (!n) {
		return ent_call_usage(call, todo, "the name of a plugin is empty");
	}
	for (const char *const *t = taken; *t; t++) {
		if (!strcasecmp(*t, name)) {
			return ent_call_usage(
				call, "take another one", "'%s' means something else to CMake or in entente.yaml", name);
		}
	}
	return ENT_EXIT_OK;
}

/* Of two plugins with one name only the first is found. */
static int name_free(ent_call *call, const char *name, ent_arena *arena) {
	const ent_plugin_file *files;
	size_t n = ent_plugin_list(".", arena, &files);
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(files[i].name, name)) {
			ent_error e;
			ent_error_set(&e, ENT_ERR_BUSY, "there is a plugin '%s' already", name);
			ent_error_at(&e, files[i].path, 0, 0);
			ent_error_todo(&e, "take another name: of two with one name only one is found");
			return ent_call_error(call, &e);
		}
	}
	return ENT_EXIT_OK;
}

/* ---- what is written
 * --------------------------------------------------------------------------------------------------- */

/* The name that the folder's own plugin has. */
static const char *name_of(const char *frame, ent_arena *arena) {
	for (const ent__template *t = ent__templates; t->frame; t++) {
		const char *dot = strrchr(t->path, '.');
		if (!strcmp(t->frame, frame) && dot && !strcmp(dot, ".c")) {
			return ent_arena_copy(arena, t->path, (size_t)(dot - t->path));
		}
	}
	return "";
}

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* The text with each word `was` in place of which stands `is`. */
static void rename_words(ent_buf *out, const char *p, const char *end, const char *was, const char *is) {
	size_t n = strlen(was);
	for (const char *from = p; p < end; p++) {
		if ((size_t)(end - p) >= n && !memcmp(p, was, n) && (p == from || !in_word(p[-1])) &&
			(p + n == end || !in_word(p[n]))) {
			ent_buf_add(out, is, strlen(is));
			p += n - 1;
		} else {
			ent_buf_u8(out, (uint8_t)*p);
		}
	}
}

static int write_file(const char *path, const ent_buf *text) {
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0) {
		return -1;
	}
	for (size_t at = 0; at < text->n;) {
		ssize_t n = write(fd, text->data + at, text->n - at);
		if (n < 0 && errno != EINTR) {
			int why = errno;
			close(fd);
			errno = why;
			return -1;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	return close(fd);
}

typedef struct writing {
	const char *frame, *was, *name;
	const char *folder; /* under its name for now */
	const char **paths; /* below it, as they are written */
	size_t n;
	ent_arena arena;
} writing;

static const char *below(writing *w, const char *path) { return ent_arena_printf(&w->arena, "%s/%s", w->folder, path); }

/* 0, or -1 with errno and *at: what it could not write. */
static int write_all(writing *w, const char **at) {
	*at = w->folder;
	if (mkdir(w->folder, 0777)) {
		return -1;
	}
	for (const ent__template *t = ent__templates; t->frame; t++) {
		if (strcmp(t->frame, w->frame) != 0) {
			continue;
		}
		ent_buf path = {0}, text = {0};
		rename_words(&path, t->path, t->path + strlen(t->path), w->was, w->name);
		rename_words(&text, t->bytes, t->end, w->was, w->name);
		const char *file = ent_arena_copy(&w->arena, (char *)path.data, path.n), *slash = strchr(file, '/');
		ent_buf_finish(&path);
		*at = below(w, file);
		w->paths[w->n++] = file; /* also if it gets half there */
		int status = 0;
		if (slash) {
			status = mkdir(below(w, ent_arena_copy(&w->arena, file, (size_t)(slash - file))), 0777);
			status = status && errno == EEXIST ? 0 : status;
		}
		status = status ? status : write_file(*at, &text);
		ent_buf_finish(&text);
		if (status) {
			return -1;
		}
	}
	return 0;
}

/* What was written is taken away again. */
static void take_back(writing *w) {
	for (size_t i = 0; i < w->n; i++) {
		unlink(below(w, w->paths[i]));
	}
	for (const ent__template *t = ent__templates; t->frame; t++) {
		const char *slash = strchr(t->path, '/');
		if (slash) {
			rmdir(below(w, ent_arena_copy(&w->arena, t->path, (size_t)(slash - t->path))));
		}
	}
	rmdir(w->folder);
}

static int failed(ent_call *call, const char *at, const char *what) {
	ent_error e;
	int why = errno;
	if (why == EEXIST) {
		ent_error_set(&e, ENT_ERR_BUSY, "is there already");
		ent_error_todo(&e, "take another name or --dir, or remove it first");
	} else {
		ent_error_errno(&e, ENT_ERR_IO, "%s", what);
	}
	ent_error_at(&e, at, 0, 0);
	return ent_call_error(call, &e);
}

static int make(ent_call *call, writing *w, const char *folder) {
	const char *at;
	struct stat st;
	if (!lstat(folder, &st)) {
		errno = EEXIST;
		return failed(call, folder, "");
	}
	if (write_all(w, &at)) {
		int exit = failed(call, at, "cannot be written");
		take_back(w);
		return exit;
	}
	int status = renameat2(AT_FDCWD, w->folder, AT_FDCWD, folder, RENAME_NOREPLACE);
	if (status && (errno == EINVAL ||
					  errno == ENOSYS)) { /* a file system without it: takes the place of an empty folder at most */
		status = rename(w->folder, folder);
	}
	if (status) {
		int exit = failed(call, folder, "cannot be put into its place");
		take_back(w);
		return exit;
	}
	return ENT_EXIT_OK;
}

/* ---- what is said
 * ------------------------------------------------------------------------------------------------------ */

/* A word as a shell takes it. */
static const char *quoted(const char *text, ent_arena *arena) {
	if (*text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:@%,")] == 0) {
		return text;
	}
	ent_buf b = {0};
	ent_buf_u8(&b, '\'');
	for (; *text; text++) {
		if (*text == '\'') {
			ent_buf_printf(&b, "'\\''");
		} else {
			ent_buf_u8(&b, (uint8_t)*text);
		}
	}
	ent_buf_u8(&b, '\'');
	const char *out = ent_arena_copy(arena, (char *)b.data, b.n);
	ent_buf_finish(&b);
	return out;
}

/* How CMake is told where this installation is; NULL: what a plugin is built against is not there. */
static const char *prefix_flag(ent_arena *arena) {
	static const char *const folders[] = {ENTENTE_LIBDIR, "lib"}; /* of an installation, of a build tree */
	const char *bin = ent_install_bin(arena), *slash = strrchr(bin, '/');
	const char *prefix = slash ? ent_arena_copy(arena, bin, (size_t)(slash - bin)) : "..";
	for (size_t i = 0; i < 2; i++) {
		if (!access(ent_arena_printf(arena, "%s/%s/cmake/entente/entente-config.cmake", prefix, folders[i]), R_OK)) {
			bool usual = !strcmp(prefix, "/usr") || !strcmp(prefix, "/usr/local");
			return usual ? "" : ent_arena_printf(arena, " -DCMAKE_PREFIX_PATH=%s", quoted(prefix, arena));
		}
	}
	return NULL;
}

/* The page that leads on, where this installation has it. */
static const char *page(ent_arena *arena) {
	const char *bin = ent_install_bin(arena), *slash = strrchr(bin, '/');
	const char *path =
		ent_arena_printf(arena, "%.*s/%s/docs/plugins.md", (int)(slash ? slash - bin : 0), bin, ENTENTE_DOCDIR);
	return access(path, R_OK) ? "docs/plugins.md" : path;
}

static void tell(ent_call *call, const writing *w, const char *folder, ent_arena *arena) {
	const char *flag = prefix_flag(arena);
	const char *const next[] = {
		ent_arena_printf(arena, "cmake -B build%s && cmake --build build", flag ? flag : ""),
		ent_arena_printf(arena, "entente plugin test build/%s.so", w->name),
		"entente run",
	};
	if (!flag) {
		ent_call_note(call, "the header and the CMake package that a plugin is built against are not installed here: "
							"`cmake --install BUILD --component plugin-author` brings them");
	}
	if (call->json) {
		ent_json *j = &call->writer;
		ent_json_object(j);
		ent_json_key(j, "folder");
		ent_json_text(j, folder);
		ent_json_key(j, "frame");
		ent_json_text(j, w->frame);
		ent_json_key(j, "files");
		ent_json_array(j);
		for (size_t i = 0; i < w->n; i++) {
			ent_json_text(j, w->paths[i]);
		}
		ent_json_end(j);
		ent_json_key(j, "next");
		ent_json_array(j);
		for (size_t i = 0; i < sizeof next / sizeof *next; i++) {
			ent_json_text(j, next[i]);
		}
		ent_json_end(j);
		ent_json_end(j);
		return;
	}
	ent_buf_printf(&call->out,
		"%s is written: a plugin that works as it stands. Build it, have it tested, read files with it:\n\n", folder);
	ent_term_printf(&call->term, &call->out, ENT_ACCENT, "  cd %s\n", quoted(folder, arena));
	for (size_t i = 0; i < sizeof next / sizeof *next; i++) {
		ent_term_printf(&call->term, &call->out, ENT_ACCENT, "  %s\n", next[i]);
	}
	ent_buf_printf(&call->out, "\nThen make %s.c read your format; %s leads through it.\n", w->name, page(arena));
}

static int run(ent_call *call) {
	const char *name = ent_call_operand(call, 0), *dir = ent_call_text(call, "dir", ".");
	writing w = {.frame = frames[ent_call_number(call, "frame", 0)], .name = name};
	size_t n = 0;
	while (ent__templates[n].frame) {
		n++;
	}
	int exit = name_check(call, name);
	exit = exit ? exit : name_free(call, name, &w.arena);
	struct stat st;
	if (!exit && (stat(dir, &st) || !S_ISDIR(st.st_mode))) {
		errno = errno ? errno : ENOTDIR;
		exit = failed(call, dir, "is no folder that a plugin can be written into");
	}
	if (!exit) {
		bool here = !strcmp(dir, ".");
		const char *folder = here ? name : ent_arena_printf(&w.arena, "%s/%s", dir, name);
		w.was = name_of(w.frame, &w.arena);
		w.folder = ent_arena_printf(&w.arena, "%s/.%s.new-%ld", dir, name, (long)getpid());
		w.paths = ent_arena_alloc(&w.arena, n * sizeof *w.paths);
		exit = make(call, &w, folder);
		if (!exit) {
			tell(call, &w, folder, &w.arena);
		}
	}
	ent_arena_finish(&w.arena);
	return exit;
}

static const ent_arg args[] = {
	{.name = "dir", .type = ENT_ARG_TEXT, .value = "DIR", .doc = "The folder NAME is made in DIR; without it, here."},
	{.name = "frame",
		.type = ENT_ARG_CHOICE,
		.value = "FRAME",
		.choices = frames,
		.doc = "What it reads: delimited (rows of CSV and its relatives, the default), jsonl (JSON lines), document (a "
			   "whole "
			   "body, as an interface answers)."},
	{.name = NULL},
};

static const ent_operand operands[] = {
	{.name = "NAME",
		.required = true,
		.doc = "Of the plugin and its decoder: letters, digits and '_', a letter first."},
	{.name = NULL},
};

const ent_command ent_command_plugin_new = {
	.name = "plugin new",
	.doc = "Write a plugin to start your own from.",
	.text = "A folder that is built outside of Entente's sources: the decoder in C, its CMakeLists.txt, inputs with "
			"the facts that must "
			"come out, a README and a small project that reads files with it. It works as it stands, and shows a "
			"reject, a skip, an option, "
			"a figure that may be absent and what is carried from record to record. Nothing that is there is written "
			"over.\n\n"
			"  entente plugin new my_shop\n"
			"  entente plugin new my_events --frame jsonl",
	.args = args,
	.operands = operands,
	.run = run,
};
