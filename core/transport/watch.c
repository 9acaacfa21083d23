/* SPDX-License-Identifier: Apache-2.0
 *
 * Watching folders, see watch.h. inotify watches single folders, so each one gets a handle: the root, all below it, or all that
 * the folders of a glob match; of a root that is not there yet, the nearest folder above it. When folders come and go, the set
 * is made anew and compared. Front's thread. */
#include "transport/watch.h"
#include "base/arena.h"
#include "base/intern.h"
#include "base/log.h"

#include <dirent.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEBOUNCE_MS = 200, FOLDERS_MAX = 4096, DEPTH_MAX = 32 };

/* A folder that is watched: a handle, so that libuv says when it may be freed. */
typedef struct folder {
	uv_fs_event_t handle;
	ent_watch *watch;
	char *path;
	uint64_t device, inode;
	bool wanted;
	bool above; /* the root is not there yet, and may appear in it */
	struct folder *next;
} folder;

struct ent_watch {
	const ent_config_source *source;
	uv_loop_t *loop;
	uv_timer_t timer;
	void (*touched)(void *ctx, const char *source);
	void *ctx;
	folder *folders;
	unsigned closing; /* handles that are not closed yet */
	bool destroyed;
	bool folders_changed; /* since the set was made */
	bool told;            /* that some cannot be watched */
	char why[128];
	ent_watch_status status;
	/* while the set is made */
	ent_intern seen; /* device and inode: links may lead in circles */
};

static void free_if_closed(ent_watch *w) {
	if (w->destroyed && !w->closing) {
		free(w);
	}
}

static void on_folder_closed(uv_handle_t *handle) {
	folder *f = handle->data;
	ent_watch *w = f->watch;
	free(f->path);
	free(f);
	w->closing--;
	free_if_closed(w);
}

static void close_folder(folder *f) {
	f->watch->closing++;
	uv_close((uv_handle_t *)&f->handle, on_folder_closed);
}

/* ---- what happens ------------------------------------------------------------------------------------------------------------ */

static void make_set(ent_watch *w);

static void on_timer(uv_timer_t *timer) {
	ent_watch *w = timer->data;
	if (w->folders_changed) {
		w->folders_changed = false;
		make_set(w);
	}
	w->status.touches++;
	w->touched(w->ctx, w->source->name.s);
}

static char *join(const char *a, const char *b) {
	size_t n = strlen(a), m = strlen(b), slash = n && a[n - 1] != '/';
	char *path = ent_xmalloc(n + slash + m + 1);
	memcpy(path, a, n);
	memcpy(path + n, "/", slash);
	memcpy(path + n + slash, b, m + 1);
	return path;
}

static bool is_watched(const ent_watch *w, const char *path) {
	bool found = false;
	for (const folder *f = w->folders; f && !found; f = f->next) {
		found = !strcmp(f->path, path);
	}
	return found;
}

/* Can it be one of the source's files, or does it change where these lie? */
static bool matters(ent_watch *w, const folder *f, const char *name, int events) {
	struct stat st;
	if (!name || f->above) {
		w->folders_changed = true;
		return true;
	}
	const ent_transport_config *from = &w->source->from;
	char *path = join(f->path, name);
	if (events & UV_RENAME) { /* something came or went */
		w->folders_changed |= stat(path, &st) ? is_watched(w, path) : S_ISDIR(st.st_mode);
	}
	bool file = from->kind == ENT_FROM_FILE ? !strcmp(path, from->path.s) : name[0] != '.';
	if (from->kind == ENT_FROM_GLOB && !strpbrk(from->path.s, "{[\\")) {
		const char *last = strrchr(from->path.s, '/');
		file = !fnmatch(last ? last + 1 : from->path.s, name, FNM_PERIOD);
	}
	free(path);
	return file || w->folders_changed;
}

static void on_event(uv_fs_event_t *handle, const char *name, int events, int status) {
	folder *f = handle->data;
	ent_watch *w = f->watch;
	w->status.events++;
	if (!status && !matters(w, f, name, events)) {
		return;
	}
	w->folders_changed |= status != 0;
	if (!uv_is_active((const uv_handle_t *)&w->timer)) { /* the first of many: the others need not be told */
		uv_timer_start(&w->timer, on_timer, DEBOUNCE_MS, 0);
	}
}

/* ---- the set ------------------------------------------------------------------------------------------------------------------ */

static void cannot(ent_watch *w, const char *why) {
	w->status.missed++;
	snprintf(w->why, sizeof w->why, "%s", why);
}

static folder *known(ent_watch *w, const char *path, const struct stat *st) {
	for (folder *f = w->folders; f; f = f->next) {
		if (f->inode == st->st_ino && f->device == st->st_dev && !strcmp(f->path, path)) {
			return f;
		}
	}
	return NULL;
}

static bool want(ent_watch *w, const char *path, const struct stat *st, bool above) {
	uint64_t key[] = {st->st_dev, st->st_ino};
	if (ent_intern_find(&w->seen, (const char *)key, sizeof key) != UINT32_MAX) {
		return false;
	}
	ent_intern_put(&w->seen, (const char *)key, sizeof key);
	folder *f = known(w, path, st);
	if (f) {
		f->wanted = true;
		f->above = above;
		return true;
	}
	if (w->status.folders >= FOLDERS_MAX) {
		cannot(w, "too many folders");
		return true;
	}
	f = ent_xcalloc(1, sizeof *f);
	*f = (folder){.watch = w, .path = ent_xstrdup(path), .device = st->st_dev, .inode = st->st_ino, .wanted = true, .above = above};
	uv_fs_event_init(w->loop, &f->handle);
	f->handle.data = f;
	int status = uv_fs_event_start(&f->handle, on_event, path, 0);
	if (status) { /* ENOSPC: the kernel's limit; gone again, or not to be read */
		if (status != UV_ENOENT) {
			cannot(w, uv_strerror(status));
		}
		close_folder(f);
		return true;
	}
	w->status.folders++;
	f->next = w->folders;
	w->folders = f;
	return true;
}

/* The folder, or the nearest one above it that is there. */
static bool want_or_above(ent_watch *w, const char *path) {
	struct stat st;
	char *at = ent_xstrdup(path);
	bool there = true;
	while (stat(at, &st) || !S_ISDIR(st.st_mode)) {
		char *slash = strrchr(at, '/');
		there = false;
		if (!slash || !at[1]) {
			free(at);
			return false;
		}
		slash[slash == at] = 0;
	}
	want(w, at, &st, !there);
	free(at);
	return there;
}

static void want_below(ent_watch *w, const char *path, unsigned depth) {
	DIR *d = opendir(path);
	struct dirent *item;
	while (d && (item = readdir(d))) {
		struct stat st;
		if (item->d_name[0] == '.' || item->d_type == DT_REG || fstatat(dirfd(d), item->d_name, &st, 0) || !S_ISDIR(st.st_mode)) {
			continue;
		}
		char *below = join(path, item->d_name);
		if (want(w, below, &st, false) && depth < DEPTH_MAX) {
			want_below(w, below, depth + 1);
		}
		free(below);
	}
	if (d) {
		closedir(d);
	}
}

/* Up to the last slash before the first special character. */
static size_t plain_part(const char *pattern) {
	size_t n = strcspn(pattern, "*?[{\\");
	while (n && pattern[n] != '/') {
		n--;
	}
	return n;
}

/* All folders that the pattern's folders match: of `in` with folders `2024-??` in it that is `in` and each of those. */
static void want_glob(ent_watch *w, const char *pattern) {
	size_t root = plain_part(pattern), n = strlen(pattern);
	char *part = ent_xmalloc(n + 2);
	memcpy(part, root ? pattern : "/", root ? root : 1);
	part[root ? root : 1] = 0;
	bool there = want_or_above(w, part);
	unsigned braces = 0;
	for (size_t i = root + 1; i < n && there; i++) {
		braces += pattern[i] == '{';
		braces -= pattern[i] == '}' && braces;
		if (pattern[i] != '/' || braces) {
			continue;
		}
		memcpy(part, pattern, i);
		part[i] = 0;
		glob_t g;
		if (glob(part, GLOB_BRACE | GLOB_NOSORT | GLOB_ONLYDIR, NULL, &g) == 0) {
			for (size_t k = 0; k < g.gl_pathc; k++) {
				struct stat st;
				if (!stat(g.gl_pathv[k], &st) && S_ISDIR(st.st_mode)) {
					want(w, g.gl_pathv[k], &st, false);
				}
			}
			globfree(&g);
		}
	}
	free(part);
}

static void want_all(ent_watch *w) {
	const ent_transport_config *from = &w->source->from;
	const char *slash = strrchr(from->path.s, '/');
	switch (from->kind) {
	case ENT_FROM_DIRECTORY:
		if (want_or_above(w, from->path.s)) {
			want_below(w, from->path.s, 0);
		}
		break;
	case ENT_FROM_GLOB:
		want_glob(w, from->path.s);
		break;
	default: {
		char *parent = ent_xstrdup(from->path.s);
		size_t n = slash && slash > from->path.s ? (size_t)(slash - from->path.s) : 1;
		parent[n] = 0;
		want_or_above(w, parent);
		free(parent);
	}
	}
}

static void make_set(ent_watch *w) {
	for (folder *f = w->folders; f; f = f->next) {
		f->wanted = false;
	}
	w->status.missed = 0;
	ent_intern_init(&w->seen);
	want_all(w);
	ent_intern_finish(&w->seen);
	for (folder **at = &w->folders; *at;) {
		folder *f = *at;
		if (f->wanted) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		w->status.folders--;
		close_folder(f);
	}
	if (w->status.missed && !w->told) {
		w->told = true;
		ent_log(ENT_SEVERITY_WARNING, "watch.limited", ent_log_text("source", w->source->name.s), ent_log_text("why", w->why),
			ent_log_uint("folders", w->status.folders), ent_log_uint("missed", w->status.missed),
			ent_log_text("todo", "these are looked at every `service: scan`; the limit is fs.inotify.max_user_watches"));
	}
	w->told = w->told && w->status.missed;
}

/* ---- from begin to end ---------------------------------------------------------------------------------------------------------- */

int ent_watch_create(ent_watch **out, uv_loop_t *loop, const ent_config_source *source,
	void (*touched)(void *ctx, const char *source), void *ctx, ent_error *e) {
	ent_watch *w = ent_xcalloc(1, sizeof *w);
	*out = NULL;
	*w = (ent_watch){.source = source, .loop = loop, .touched = touched, .ctx = ctx};
	int status = uv_timer_init(loop, &w->timer);
	if (status) {
		free(w);
		return ent_error_set(e, ENT_ERR_IO, "cannot watch files: %s", uv_strerror(status));
	}
	w->timer.data = w;
	make_set(w);
	*out = w;
	return 0;
}

static void on_timer_closed(uv_handle_t *handle) {
	ent_watch *w = handle->data;
	w->closing--;
	free_if_closed(w);
}

void ent_watch_destroy(ent_watch *w) {
	if (!w) {
		return;
	}
	w->destroyed = true;
	w->closing++;
	uv_close((uv_handle_t *)&w->timer, on_timer_closed);
	while (w->folders) {
		folder *f = w->folders;
		w->folders = f->next;
		close_folder(f);
	}
}

void ent_watch_status_of(const ent_watch *w, ent_watch_status *out) { *out = w->status; }
