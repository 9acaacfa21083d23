/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads a plugin: who may have written it, does it speak our ABI, what does it hold. See the rules in docs/plugins.md.
 * A plugin is never unloaded: the process ends instead. */
#include "config/options_wire.h"
#include "decode/worker.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ours(const struct stat *st) { return st->st_uid == 0 || st->st_uid == geteuid(); }

/* Bytes of `path` up to the last folder that this program lies in, too. Who can write there can replace the program, so
 * to look at those folders would protect nothing; and a checkout often belongs to another user than the one who runs it
 * (root in a container), or may be written by a group. */
static size_t shared_folders(const char *path) {
	char program[4096];
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
	size_t shared = 0;
	for (size_t i = 0; n > 0 && i < (size_t)n && path[i] == program[i]; i++) {
		shared = path[i] == '/' ? i : shared;
	}
	return shared;
}

/* File and folders belong to root or to us, and nobody else can write them. A folder that all may write is accepted if
 * it is sticky (/tmp): then nobody else can replace what is ours in it, and what is in it is checked as well. */
static int check_owner(const char *path, ent_error *e) {
	char part[4096];
	size_t n = strlen(path);
	for (size_t i = shared_folders(path) + 1; i <= n; i++) {
		if (i < n && path[i] != '/' && i != 1) {
			continue;
		}
		size_t length = i == 1 && n > 1 ? 1 : i;
		memcpy(part, path, length);
		part[length] = 0;
		struct stat st;
		if (lstat(part, &st)) {
			return ent_error_errno(e, ENT_ERR_NOTFOUND, "%s", part);
		}
		bool folder = S_ISDIR(st.st_mode);
		if (!ours(&st)) {
			ent_error_set(e, ENT_ERR_INVALID, "%s belongs to user %u, so that user could replace the plugin %s", part,
				(unsigned)st.st_uid, path);
			return ent_error_todo(e, "let root or the user who runs entente own it");
		}
		if (!S_ISLNK(st.st_mode) && st.st_mode & 022 && !(folder && st.st_mode & S_ISVTX)) {
			ent_error_set(e, ENT_ERR_INVALID, "%s can be written by %s, who could replace the plugin %s", part,
				st.st_mode & 02 ? "everybody" : "its group", path);
			return ent_error_todo(e, "chmod go-w %s", part);
		}
		if (i == n && !S_ISREG(st.st_mode)) {
			return ent_error_set(e, ENT_ERR_INVALID, "%s is no file", path);
		}
	}
	return 0;
}

static int check_table(const char *path, const ent_plugin *p, ent_error *e) {
	if (p->magic != ENT_PLUGIN_MAGIC) {
		ent_error_set(
			e, ENT_ERR_INVALID, "%s: ent_plugin_entry does not start with the mark of an Entente plugin", path);
		return ent_error_todo(e, "set .magic = ENT_PLUGIN_MAGIC");
	}
	if (p->major != ENT_PLUGIN_MAJOR) {
		ent_error_set(e, ENT_ERR_INVALID, "%s was built for plugin ABI %u.%u, this is Entente with plugin ABI %u.%u",
			path, p->major, p->minor, ENT_PLUGIN_MAJOR, ENT_PLUGIN_MINOR);
		return ent_error_todo(e, "build the plugin against the installed entente/plugin.h");
	}
	if (p->size < offsetof(ent_plugin, transports) + sizeof p->transports) {
		return ent_error_set(e, ENT_ERR_INVALID, "%s: its table has %u bytes where ABI %u.%u needs %zu", path, p->size,
			p->major, p->minor, sizeof *p);
	}
	if (!p->name || !p->version || !p->decoders || !p->decoders[0]) {
		return ent_error_set(e, ENT_ERR_INVALID, "%s: its table has no name, no version or no decoders", path);
	}
	if (p->transports) {
		return ent_error_set(
			e, ENT_ERR_INVALID, "%s: transports in plugins are not part of ABI %u", path, ENT_PLUGIN_MAJOR);
	}
	for (const ent_decoder *const *d = p->decoders; *d; d++) {
		const ent_decoder *k = *d;
		const char *name = k->name ? k->name : "(no name)";
		if (k->size < offsetof(ent_decoder, destroy) + sizeof k->destroy) {
			return ent_error_set(e, ENT_ERR_INVALID,
				"%s: the table of decoder %s has %u bytes where ABI %u.%u needs %zu", path, name, k->size, p->major,
				p->minor, sizeof *k);
		}
		const char *lacks = !k->name                                                      ? "name"
							: !k->doc                                                     ? "doc"
							: !k->version                                                 ? "version"
							: !k->system                                                  ? "system"
							: !k->create                                                  ? "create"
							: !k->begin                                                   ? "begin"
							: !k->end                                                     ? "end"
							: !k->destroy                                                 ? "destroy"
							: (unsigned)k->frame > ENT_FRAME_DOCUMENT                     ? "frame that is known"
							: k->frame == ENT_FRAME_DELIMITED && !k->row                  ? "row"
							: k->frame == ENT_FRAME_DELIMITED && !k->columns && !k->wants ? "columns"
							: k->frame != ENT_FRAME_DELIMITED && !k->feed                 ? "feed"
							: !k->save != !k->load ? "save and load, which belong together"
												   : NULL;
		if (lacks) {
			return ent_error_set(e, ENT_ERR_INVALID, "%s: decoder %s has no %s", path, name, lacks);
		}
	}
	return 0;
}

int ent__plugin_find(const char *given, char **path, ent_error *e) {
	*path = realpath(given, NULL);
	if (!*path) {
		return ent_error_errno(e, ENT_ERR_NOTFOUND, "%s", given);
	}
	int status = check_owner(*path, e);
	if (status) {
		free(*path);
		*path = NULL;
	}
	return status;
}

int ent__plugin_open(const char *path, const ent_plugin **out, ent_error *e) {
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		const char *why = dlerror();
		ent_error_set(e, ENT_ERR_INVALID, "%s", why ? why : path);
		return ent_error_todo(e, "%s",
			why && strstr(why, "cannot open shared object")
				? "a plugin's libraries are read below /usr, /lib, /opt, in the plugin's own folder and in "
				  "LD_LIBRARY_PATH: install it there"
				: "build it with -Wl,--no-undefined: a plugin resolves no symbol of Entente");
	}
	const ent_plugin *p = dlsym(handle, "ent_plugin_entry");
	if (!p) {
		ent_error_set(e, ENT_ERR_INVALID, "%s exports no ent_plugin_entry: it is no Entente plugin", path);
		return ent_error_todo(e, "define `const ent_plugin ent_plugin_entry`, see entente/plugin.h");
	}
	int status = check_table(path, p, e);
	*out = status ? NULL : p;
	return status;
}

int ent__plugin_describe(const ent_plugin *p, ent_buf *b, ent_error *e) {
	uint32_t n = 0;
	while (p->decoders[n]) {
		n++;
	}
	ent__message(b, ENT_MSG_LOADED);
	ent_buf_text(b, p->name);
	ent_buf_text(b, p->version);
	ent_buf_u32(b, n);
	for (uint32_t i = 0; i < n; i++) {
		const ent_decoder *d = p->decoders[i];
		ent_buf_text(b, d->name);
		ent_buf_text(b, d->doc);
		ent_buf_text(b, d->version);
		ent_buf_text(b, d->system);
		ent_buf_u32(b, d->flags);
		ent_buf_u64(b, d->facts);
		ent_buf_u32(b, d->frame);
		ent_buf_u8(b, d->frame == ENT_FRAME_DELIMITED || d->frame == ENT_FRAME_JSONL);
		ent_buf table = {0};
		int status = ent_options_write(d->options, &table, e);
		if (!status) {
			ent_buf_bytes(b, table.data, table.n);
		}
		ent_buf_finish(&table);
		if (status) {
			return status;
		}
		uint32_t columns = 0;
		while (d->columns && d->columns[columns].name) {
			columns++;
		}
		ent_buf_u32(b, columns);
		for (uint32_t k = 0; k < columns; k++) {
			const char *also = d->columns[k].aliases;
			ent_buf name = {0};
			ent_buf_printf(&name, "%s%s%s", d->columns[k].name, also && *also ? "|" : "", also ? also : "");
			ent_buf_bytes(b, name.data, name.n);
			ent_buf_finish(&name);
			ent_buf_u8(b, d->columns[k].required != 0);
		}
	}
	if (b->n > ENT_MSG_MAX) {
		return ent_error_set(e, ENT_ERR_RANGE, "the description of plugin %s takes %zu bytes; at most %u fit a message",
			p->name, b->n, ENT_MSG_MAX);
	}
	return 0;
}
