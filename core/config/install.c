/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the parts of this installation are, see install.h. */
#include "config/install.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/errors.h"

enum { FOLDERS = 32 };

const char *ent_install_bin(ent_arena *arena) {
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n <= 0) {
		return ".";
	}
	path[n] = 0;
	char *slash = strrchr(path, '/');
	return ent_arena_copy(arena, path, slash > path ? (size_t)(slash - path) : 1);
}

/* Programs of the build tree stand in BUILD/bin or BUILD/tests; an installation has no CMakeCache.txt. */
static const char *build_tree(ent_arena *arena) {
	const char *bin = ent_install_bin(arena);
	const char *cache = ent_arena_printf(arena, "%s/../CMakeCache.txt", bin);
	return access(cache, F_OK) == 0 ? ent_arena_copy(arena, bin, (size_t)(strrchr(bin, '/') - bin)) : NULL;
}

const char *ent_install_program(const char *name, ent_arena *arena) {
	const char *build = build_tree(arena);
	return build ? ent_arena_printf(arena, "%s/bin/%s", build, name)
				 : ent_arena_printf(arena, "%s/%s", ent_install_bin(arena), name);
}

const char *ent_install_scripts(ent_arena *arena) {
	const char *named = getenv("ENTENTE_SCRIPTS");
	if (named && *named) {
		return ent_arena_copy(arena, named, strlen(named));
	}
	if (build_tree(arena)) {
		return ENTENTE_SOURCE_SCRIPTS;
	}
	const char *bin = ent_install_bin(arena);
	return ent_arena_printf(arena, "%.*s/share/entente/scripts", (int)(strrchr(bin, '/') - bin), bin);
}

size_t ent_plugin_folders(const char *folder, ent_arena *arena, const char *const **out) {
	const char **list = ent_arena_alloc(arena, FOLDERS * sizeof *list);
	const char *named = getenv("ENTENTE_PLUGINS"), *bin = ent_install_bin(arena), *build = build_tree(arena);
	size_t n = 0;
	if (folder) {
		list[n++] = ent_arena_printf(arena, "%s/plugins", folder);
	}
	while (named && *named && n < FOLDERS - 1) {
		size_t length = strcspn(named, ":");
		if (length) {
			list[n++] = ent_arena_copy(arena, named, length);
		}
		named += length + (named[length] == ':');
	}
	if (build) {
		list[n++] = ent_arena_printf(arena, "%s/plugins", build);
	} else {
		list[n++] =
			ent_arena_printf(arena, "%.*s/%s/entente/plugins", (int)(strrchr(bin, '/') - bin), bin, ENTENTE_LIBDIR);
	}
	*out = list;
	return n;
}

static int by_name(const void *a, const void *b) {
	return strcmp(((const ent_plugin_file *)a)->name, ((const ent_plugin_file *)b)->name);
}

size_t ent_plugin_list(const char *folder, ent_arena *arena, const ent_plugin_file **out) {
	const char *const *folders;
	size_t count = ent_plugin_folders(folder, arena, &folders), n = 0, capacity = 0;
	ent_plugin_file *found = NULL;
	for (size_t i = 0; i < count; i++) {
		DIR *dir = opendir(folders[i]);
		const struct dirent *entry;
		while (dir && (entry = readdir(dir))) {
			size_t length = strlen(entry->d_name);
			if (length <= 3 || strcmp(entry->d_name + length - 3, ".so") != 0 || entry->d_name[0] == '.') {
				continue;
			}
			const char *name = ent_arena_copy(arena, entry->d_name, length - 3);
			size_t k = 0;
			while (k < n && strcmp(found[k].name, name) != 0) {
				k++;
			}
			if (k == n) {
				ENT_GROW(found, n, capacity);
				found[n++] = (ent_plugin_file){name, ent_arena_printf(arena, "%s/%s", folders[i], entry->d_name)};
			}
		}
		if (dir) {
			closedir(dir);
		}
	}
	ent_plugin_file *list = ent_arena_alloc(arena, (n + 1) * sizeof *list);
	if (n) {
		qsort(found, n, sizeof *found, by_name);
		memcpy(list, found, n * sizeof *list);
	}
	free(found);
	*out = list;
	return n;
}

const char *ent_plugin_find(const char *name, const char *folder, ent_arena *arena, ent_error *e) {
	if (strchr(name, '/')) {
		if (access(name, R_OK) == 0) {
			return ent_arena_copy(arena, name, strlen(name));
		}
		ent_error_errno(e, ENT_ERR_NOTFOUND, "the plugin %s cannot be read", name);
		ent_error_todo(e, "correct the path, or write a name to have it looked for");
		return NULL;
	}
	const ent_plugin_file *files;
	const char *const *folders;
	size_t n = ent_plugin_list(folder, arena, &files);
	const char **names = ent_arena_alloc(arena, (n + 1) * sizeof *names);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(files[i].name, name) == 0) {
			return files[i].path;
		}
		names[i] = files[i].name;
	}
	const char *near = ent_nearest(name, names, n);
	ent_error_set(e, ENT_ERR_NOTFOUND, "there is no plugin '%s'", name);
	if (near) {
		ent_error_todo(e, "did you mean '%s'?", near);
		return NULL;
	}
	char where[200] = "";
	n = ent_plugin_folders(folder, arena, &folders);
	for (size_t i = 0, length = 0; i < n && length + strlen(folders[i]) + 3 < sizeof where; i++) {
		strcat(where, i ? ", " : "");
		strcat(where, folders[i]);
		length = strlen(where);
	}
	ent_error_todo(e, "put %s.so into one of %s", name, where);
	return NULL;
}
