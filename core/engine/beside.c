/* SPDX-License-Identifier: Apache-2.0
 *
 * Companions: files that lie beside a document and belong to it, such as the one that names its columns. They are part
 * of what the document is: one that changed makes it another document, one that is missing keeps it from being read.
 * Loop thread only. */
#include "engine/beside.h"

#include "config/pattern.h"
#include "engine/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fills the parts of the name. */
static int fill(const char *name, const ent_match *parts, ent_buf *out) {
	for (const char *at = name; *at;) {
		size_t n = strcspn(at, "{");
		ent_buf_add(out, at, n);
		at += n;
		if (*at) {
			char part[64];
			n = strcspn(at + 1, "}");
			snprintf(part, sizeof part, "%.*s", (int)n, at + 1);
			ent_str value = ent_match_get(parts, part);
			ent_buf_add(out, value.p, value.n);
			at += n + 1 + (at[n + 1] == '}');
		}
	}
	return 0;
}

int ent__beside_find(const ent_config_source *s, const char *path, ent__beside *out, ent_error *e) {
	*out = (ent__beside){0};
	const ent_words *words = &s->from.companions;
	ent_match parts = {0};
	if (!words->n) {
		return 0;
	}
	if (s->from.named.s && !ent_pattern_match(s->from.named.s, path, &parts)) {
		ent_error_set(e, ENT_ERR_INVALID,
			"its name does not fit the pattern '%s', from which the names of its companions come", s->from.named.s);
		return ent_error_todo(e, "rename the file, or change `named:` of source %s", s->name.s);
	}
	const char *slash = strrchr(path, '/');
	out->paths = ent_xcalloc(words->n, sizeof *out->paths);
	for (size_t i = 0; i < words->n; i++) {
		ent_buf text = {0};
		if (words->v[i].s[0] != '/' && slash) {
			ent_buf_add(&text, path, (size_t)(slash - path) + 1);
		}
		fill(words->v[i].s, &parts, &text);
		ent_buf_u8(&text, 0);
		out->paths[out->n++] = ent_xstrdup((const char *)text.data);
		ent_buf_finish(&text);
	}
	return 0;
}

void ent__beside_free(ent__beside *b) {
	for (size_t i = 0; i < b->n; i++) {
		free(b->paths[i]);
	}
	free(b->paths);
	*b = (ent__beside){0};
}

static int open_one(const ent_config_source *s, size_t i, const char *path, struct stat *st, ent_error *e) {
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && !fstat(fd, st) && S_ISREG(st->st_mode)) {
		return fd;
	}
	const ent_word *word = &s->from.companions.v[i];
	const char *base = strrchr(path, '/');
	int why = errno;
	ent_error_set(e, ENT_ERR_IO, "its companion '%s' %s%s", base ? base + 1 : path,
		fd >= 0         ? "is no file"
		: why == ENOENT ? "is not there: "
						: "cannot be read: ",
		fd >= 0 ? "" : strerror(why));
	ent_error_todo(
		e, "put it at %.120s, or change `companions:` (%s:%u:%u)", path, word->at.file, word->at.line, word->at.column);
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}

static uint64_t stamp_of(uint64_t before, const struct stat *st) {
	uint64_t says[] = {before, st->st_ino, st->st_dev, (uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
		(uint64_t)st->st_mtim.tv_nsec, (uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec};
	return ent_hash64(says, sizeof says, 0);
}

int ent__beside_open(
	const ent_config_source *s, const ent__beside *b, int *fds, uint64_t *stamp, uint64_t *content, ent_error *e) {
	*stamp = *content = 0;
	for (size_t i = 0; i < b->n; i++) {
		struct stat st;
		fds[i] = open_one(s, i, b->paths[i], &st, e);
		if (fds[i] < 0) {
			while (i) {
				close(fds[--i]);
			}
			return e->code;
		}
		uint64_t size = (uint64_t)st.st_size, tail = size > ENT__SUM_BYTES ? size - ENT__SUM_BYTES : 0;
		/* of a large one the sums do not say all */
		uint64_t changed =
			size > 2 * ENT__SUM_BYTES ? (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec : 0;
		uint64_t says[] = {*content, size, ent__sum_at(fds[i], 0, size), ent__sum_at(fds[i], tail, size), changed};
		*content = ent_hash64(says, sizeof says, 0);
		*stamp = stamp_of(*stamp, &st);
	}
	return 0;
}

void ent__beside_close(const ent__beside *b, const int *fds) {
	for (size_t i = 0; i < b->n; i++) {
		close(fds[i]);
	}
}

int ent__beside_sum(const ent_config_source *s, const char *path, uint64_t *stamp, uint64_t *content, ent_error *e) {
	ent__beside b;
	int fds[ENT_COMPANIONS_MAX];
	*stamp = *content = 0;
	int status = ent__beside_find(s, path, &b, e);
	if (!status && b.n && !(status = ent__beside_open(s, &b, fds, stamp, content, e))) {
		ent__beside_close(&b, fds);
	}
	ent__beside_free(&b);
	return status;
}

uint64_t ent__beside_stamp(const ent_config_source *s, const char *path) {
	ent__beside b;
	ent_error e = {0};
	uint64_t stamp = 0;
	if (!ent__beside_find(s, path, &b, &e)) {
		for (size_t i = 0; i < b.n; i++) {
			struct stat st = {0};
			stat(b.paths[i], &st);
			stamp = stamp_of(stamp, &st);
		}
	}
	ent__beside_free(&b);
	return stamp;
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

void ent__beside_leave_out(const ent_config_source *s, ent_file *files, size_t *n) {
	const char **paths = NULL;
	ent__beside *all = ent_xcalloc(*n + 1, sizeof *all);
	size_t found = 0, capacity = 0, kept = 0;
	for (size_t i = 0; i < *n && s->from.companions.n; i++) {
		ent_error e = {0};
		if (!ent__beside_find(s, files[i].path, &all[i], &e)) {
			for (size_t k = 0; k < all[i].n; k++) {
				ENT_GROW(paths, found, capacity);
				paths[found++] = all[i].paths[k];
			}
		}
	}
	if (found) {
		qsort(paths, found, sizeof *paths, by_text);
	}
	for (size_t i = 0; i < *n; i++) {
		const char *path = files[i].path;
		if (found && bsearch(&path, paths, found, sizeof *paths, by_text)) {
			free(files[i].path);
			free(files[i].name);
		} else {
			files[kept++] = files[i];
		}
	}
	for (size_t i = 0; i < *n; i++) {
		ent__beside_free(&all[i]);
	}
	*n = kept;
	free(all);
	free(paths);
}
