/* SPDX-License-Identifier: Apache-2.0
 *
 * The transports of a one-shot run: a file, a glob, a directory with all below it, standard input. Each gives a list of
 * files with their names below the source's root, in order of the names. Hidden files are left alone. */
#include "transport/files.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct list {
	ent_file *files;
	size_t n, capacity;
} list;

static int64_t ns_of(struct timespec t) { return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec; }

static void add(list *l, const char *path, const char *name, const struct stat *st) {
	ENT_GROW(l->files, l->n, l->capacity);
	l->files[l->n++] = (ent_file){ent_xstrdup(path), ent_xstrdup(name), (uint64_t)st->st_size, st->st_ino, st->st_dev,
		ns_of(st->st_mtim), ns_of(st->st_ctim)};
}

static int by_name(const void *a, const void *b) {
	return strcmp(((const ent_file *)a)->name, ((const ent_file *)b)->name);
}

/* "a/b", or "b" where a is empty; malloc'ed. */
static char *join(const char *a, const char *b) {
	size_t n = strlen(a), m = strlen(b), slash = n != 0;
	char *path = ent_xmalloc(n + slash + m + 1);
	memcpy(path, a, n);
	memcpy(path + n, "/", slash);
	memcpy(path + n + slash, b, m + 1);
	return path;
}

static int walk(list *l, const char *root, const char *below, unsigned depth, ent_error *e) {
	char *path = below[0] ? join(root, below) : ent_xstrdup(root);
	DIR *d = opendir(path);
	int status = 0;
	if (!d) {
		ent_error_errno(e, ENT_ERR_IO, "cannot read the directory %s", path);
		status = ent_error_todo(e, "check the path in `from:`, and that it may be read");
	}
	struct dirent *item;
	while (d && !status && (item = readdir(d))) {
		struct stat st;
		if (item->d_name[0] == '.' || fstatat(dirfd(d), item->d_name, &st, 0)) {
			continue; /* hidden, or gone since */
		}
		char *name = join(below, item->d_name);
		if (S_ISDIR(st.st_mode) && depth < 32) {
			status = walk(l, root, name, depth + 1, e);
		} else if (S_ISREG(st.st_mode)) {
			char *full = join(root, name);
			add(l, full, name, &st);
			free(full);
		}
		free(name);
	}
	if (d) {
		closedir(d);
	}
	free(path);
	return status;
}

/* Where the names of a glob begin: behind the last slash before its first special character. */
static size_t glob_root(const char *pattern) {
	size_t special = strcspn(pattern, "*?[{");
	while (special && pattern[special - 1] != '/') {
		special--;
	}
	return special;
}

int ent_files_list(const ent_config_source *s, ent_file **out, size_t *n, ent_error *e) {
	const ent_transport_config *from = &s->from;
	const char *path = from->path.s;
	list l = {0};
	int status = 0;
	glob_t g;
	struct stat st;
	switch (from->kind) {
	case ENT_FROM_FILE:
		if (stat(path, &st)) {
			status = ent_error_errno(e, ENT_ERR_IO, "cannot read %s", path);
			ent_error_todo(e, "check the path in `from:`");
		} else if (S_ISDIR(st.st_mode)) {
			status = ent_error_set(e, ENT_ERR_IO, "%s is a directory, not a file", path);
			ent_error_todo(e, "write `directory:` in place of `file:`");
		} else if (!S_ISREG(st.st_mode)) { /* a pipe would be waited for, a device has no end */
			status = ent_error_set(e, ENT_ERR_IO, "%s is no regular file", path);
			ent_error_todo(e, "write `stdin: NAME` in place of `file:`, and pipe it in");
		}
		if (status) {
			ent_error_at(e, from->path.at.file, from->path.at.line, from->path.at.column);
			break;
		}
		add(&l, path, strrchr(path, '/') ? strrchr(path, '/') + 1 : path, &st);
		break;
	case ENT_FROM_GLOB:
		if (glob(path, GLOB_BRACE | GLOB_NOSORT, NULL, &g) == 0) {
			size_t root = glob_root(path);
			for (size_t i = 0; i < g.gl_pathc; i++) {
				if (!stat(g.gl_pathv[i], &st) && S_ISREG(st.st_mode)) {
					add(&l, g.gl_pathv[i], g.gl_pathv[i] + root, &st);
				}
			}
			globfree(&g);
		}
		break;
	case ENT_FROM_DIRECTORY:
		status = walk(&l, path, "", 0, e);
		if (status) {
			ent_error_at(e, from->path.at.file, from->path.at.line, from->path.at.column);
		}
		break;
	case ENT_FROM_STDIN:
		st = (struct stat){0};
		add(&l, "/dev/stdin", path ? path : "stdin", &st);
		break;
	case ENT_FROM_WEBHOOK:
	case ENT_FROM_POLL:
	case ENT_FROM_PIPE:
		break; /* the inbox has what came */
	}
	ENT_SORT(l.files, l.n, by_name);
	*out = l.files;
	*n = l.n;
	return status;
}

void ent_files_free(ent_file *files, size_t n) {
	for (size_t i = 0; i < n; i++) {
		free(files[i].path);
		free(files[i].name);
	}
	free(files);
}
