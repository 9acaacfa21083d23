/* SPDX-License-Identifier: Apache-2.0
 *
 * Which plugins there are, and what they say of themselves. A run asks those alone that its sources need, for each is a
 * process that starts before the first byte is read; who wants to see all of them asks one process that holds them all,
 * and each by itself only where that one dies. Loop thread only. */
#include "config/install.h"
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- files
 * --------------------------------------------------------------------------------------------------------------- */

static void see(ent__plugin_file *f) {
	struct stat st;
	bool there = !stat(f->path, &st);
	f->inode = there ? st.st_ino : 0;
	f->size = there ? (uint64_t)st.st_size : 0;
	f->mtime_ns = there ? (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec : 0;
}

static const char *name_of(const char *path, ent_arena *arena) {
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t n = strlen(name);
	return ent_arena_copy(arena, name, n > 3 && !strcmp(name + n - 3, ".so") ? n - 3 : n);
}

static void list(const ent_config *c, ent_arena *arena, ent__plugins *out, ent_errors *errors) {
	const ent_plugin_file *found = NULL;
	size_t n = c->plugins.n ? c->plugins.n : ent_plugin_list(c->folder, arena, &found);
	*out = (ent__plugins){.listed = true};
	out->files = ent_arena_alloc(arena, (n + 1) * sizeof *out->files);
	for (size_t i = 0; i < n; i++) {
		ent_error error = {0};
		const char *path = found ? found[i].path : ent_plugin_find(c->plugins.v[i].s, c->folder, arena, &error);
		if (path) {
			ent__plugin_file *f = &out->files[out->n_files++];
			*f = (ent__plugin_file){.path = path, .name = name_of(path, arena)};
			see(f);
		} else if (errors) {
			ent_errors_add(errors, c->plugins.v[i].at, error.todo, "%s", error.what);
		}
	}
}

bool ent__plugins_same(const ent_engine *e, const ent_config *fresh) {
	const ent__plugins *have = &e->plugins;
	if (!have->listed || !ent_config_same(e->config, fresh, "plugins", NULL)) {
		return false;
	}
	ent_arena arena = {0};
	ent__plugins now;
	list(fresh, &arena, &now, NULL);
	bool same = now.n_files == have->n_files;
	for (size_t i = 0; i < now.n_files && same; i++) {
		const ent__plugin_file *a = &have->files[i], *b = &now.files[i];
		same = !strcmp(a->path, b->path) && a->inode == b->inode && a->size == b->size && a->mtime_ns == b->mtime_ns;
	}
	ent_arena_finish(&arena);
	return same;
}

/* ---- what they say
 * ------------------------------------------------------------------------------------------------------- */

static bool due(const ent__plugin_file *f) { return f->wanted && !f->tried; }

/* Each in a process of its own, side by side: such a one decodes, too. */
static void describe_each(ent_engine *e, ent_errors *errors) {
	ent__plugins *p = &e->plugins;
	ent_worker **workers = ent_xcalloc(p->n_files + 1, sizeof *workers);
	for (size_t i = 0; i < p->n_files; i++) {
		ent_error error = {0};
		if (due(&p->files[i]) &&
			!(workers[i] = ent_pool_describe_begin(e->pool, p->files[i].path, &e->arena, &error))) {
			ent_errors_take(errors, &error);
		}
	}
	for (size_t i = 0; i < p->n_files; i++) {
		ent_error error = {0};
		p->files[i].tried |= p->files[i].wanted;
		if (workers[i] && ent_pool_describe_end(workers[i], &p->files[i].info, &error)) {
			p->files[i].info = NULL;
			ent_errors_take(errors, &error);
		}
	}
	free(workers);
}

/* All of them in one process. false: it died, or said nonsense; nothing is known. */
static bool describe_together(ent_engine *e, ent_errors *errors) {
	ent__plugins *p = &e->plugins;
	const char **paths = ent_xcalloc(p->n_files, sizeof *paths);
	const ent_plugin_info **infos = ent_xcalloc(p->n_files, sizeof *infos);
	ent_error *refused = ent_xcalloc(p->n_files, sizeof *refused), error;
	size_t n = 0;
	for (size_t i = 0; i < p->n_files; i++) {
		if (due(&p->files[i])) {
			paths[n++] = p->files[i].path;
		}
	}
	bool good = !ent_pool_look(e->pool, paths, n, &e->arena, infos, refused, &error);
	n = 0;
	for (size_t i = 0; i < p->n_files && good; i++) {
		ent__plugin_file *f = &p->files[i];
		if (!due(f)) {
			continue;
		}
		f->tried = true;
		f->info = infos[n];
		if (!f->info) {
			ent_errors_take(errors, &refused[n]);
		}
		n++;
	}
	free(refused);
	free(infos);
	free(paths);
	return good;
}

static void describe(ent_engine *e, ent_errors *errors) {
	ent__plugins *p = &e->plugins;
	size_t n = 0;
	for (size_t i = 0; i < p->n_files; i++) {
		n += due(&p->files[i]);
	}
	if (n && (n <= ent_pool_limit(e->pool) || !describe_together(e, errors))) {
		describe_each(e, errors);
	}
	p->v = ent_arena_alloc(&e->arena, (p->n_files + 1) * sizeof *p->v);
	p->n = 0;
	for (size_t i = 0; i < p->n_files; i++) {
		if (p->files[i].info) {
			p->v[p->n++] = p->files[i].info;
		}
	}
}

static void want_all(ent__plugins *p) {
	for (size_t i = 0; i < p->n_files; i++) {
		p->files[i].wanted = true;
	}
}

int ent_engine_plugins(ent_engine *e, const ent_plugin_info *const **out, size_t *n, ent_errors *errors) {
	if (!e->plugins.listed) {
		list(e->config, &e->arena, &e->plugins, errors);
	}
	want_all(&e->plugins);
	describe(e, errors);
	*out = e->plugins.v;
	*n = e->plugins.n;
	return errors->total ? ENT_ERR_INVALID : 0;
}

/* `shopify` and `shopify-json` are looked for in shopify.so. */
static bool named_after(const ent__plugin_file *f, const char *decoder) {
	size_t n = strlen(f->name);
	return !strncmp(decoder, f->name, n) && (!decoder[n] || decoder[n] == '-');
}

void ent__plugins_needed(ent_engine *e, ent_errors *errors) {
	const ent_config *c = e->config;
	ent__plugins *p = &e->plugins;
	if (!p->listed) {
		list(c, &e->arena, p, errors);
	}
	bool all = c->plugins.n > 0; /* somebody named them: each has to be good */
	for (size_t i = 0; i < c->n_sources; i++) {
		const char *name = c->sources[i].decode.name.s;
		all |= !name;
		for (size_t k = 0; name && k < p->n_files; k++) {
			p->files[k].wanted |= named_after(&p->files[k], name);
		}
	}
	if (!all) {
		describe(e, errors);
	}
	for (size_t i = 0; i < c->n_sources && !all; i++) {
		all = !ent__decoder_find(e, c->sources[i].decode.name.s);
	}
	if (all) {
		want_all(p);
		describe(e, errors);
	}
}

/* ---- decoders
 * ------------------------------------------------------------------------------------------------------------ */

const ent_decoder_info *ent__decoder_find(const ent_engine *e, const char *name) {
	for (size_t i = 0; i < e->plugins.n; i++) {
		for (uint32_t k = 0; k < e->plugins.v[i]->n_decoders; k++) {
			if (!strcmp(e->plugins.v[i]->decoders[k].name, name)) {
				return &e->plugins.v[i]->decoders[k];
			}
		}
	}
	return NULL;
}

/* Decoder by the name in a source's `decode:`; NULL: *error says what was meant. */
const ent_decoder_info *ent__decoder_named(const ent_engine *e, const ent_word *word, ent_error *error) {
	const ent_decoder_info *d = ent__decoder_find(e, word->s);
	if (d) {
		return d;
	}
	const char *names[256];
	size_t n = 0;
	for (size_t i = 0; i < e->plugins.n; i++) {
		for (uint32_t k = 0; k < e->plugins.v[i]->n_decoders && n < 256; k++) {
			names[n++] = e->plugins.v[i]->decoders[k].name;
		}
	}
	const char *near = ent_nearest(word->s, names, n);
	ent_error_set(error, ENT_ERR_INVALID, "no plugin holds a decoder '%s'", word->s);
	ent_error_at(error, word->at.file, word->at.line, word->at.column);
	if (near) {
		ent_error_todo(error, "did you mean '%s'?", near);
	} else {
		ent_error_todo(error, "`entente plugin list` shows all; `plugins:` says which are loaded");
	}
	return NULL;
}
