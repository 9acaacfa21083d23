/* SPDX-License-Identifier: Apache-2.0
 *
 * Which documents a plugin is tested with: those of a folder of golden files, and those that are named. */
#include "conform/conform.h"

#include "config/framing.h"
#include "config/install.h"
#include "config/options.h"
#include "config/options_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INPUT_MAX = 64 << 20, HEAD = 64 << 10 };

char *ent__file_read(ent_arena *arena, const char *path, size_t *n, ent_error *e) {
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *bytes = NULL;
	*n = 0;
	if (fd < 0 || fstat(fd, &st)) {
		ent_error_errno(e, ENT_ERR_NOTFOUND, "%s", path);
		ent_error_todo(e, "correct the path");
	} else if (!S_ISREG(st.st_mode) || st.st_size > INPUT_MAX) {
		ent_error_set(e, ENT_ERR_INVALID, "%s is %s", path, S_ISREG(st.st_mode) ? "larger than 64 MiB" : "no file");
		ent_error_todo(e, "give a file with some hundred records: every test decodes it many times");
	} else {
		bytes = ent_arena_alloc(arena, (size_t)st.st_size + 1);
		while (*n < (size_t)st.st_size) {
			ssize_t got = read(fd, bytes + *n, (size_t)st.st_size - *n);
			if (got < 0 && errno == EINTR) {
				continue;
			}
			if (got <= 0) {
				break;
			}
			*n += (size_t)got;
		}
	}
	if (fd >= 0) {
		close(fd);
	}
	return bytes;
}

int ent__options_read(ent_arena *arena, ent__case *c, const char *yaml, ent_error *e) {
	ent_errors *errors = ent_arena_alloc(arena, sizeof *errors);
	const ent_option *table = ent_framing_options(c->decoder->options, c->decoder->frame, arena);
	size_t own = ent_options_count(c->decoder->options), n = ent_options_count(table);
	const char *text = yaml ? yaml : "{}";
	const ent_yaml_node *node = ent_yaml_load(arena, text, strlen(text), "options", errors);
	ent_value *values = NULL;
	if (!errors->total) {
		ent_config_options_check(
			table, node, (ent_place){.file = "options", .line = 1, .column = 1}, ".", arena, &values, errors);
	}
	c->framing.quote = ENT_QUOTE_AUTO;
	for (size_t i = 0; i < n && !errors->total; i++) {
		c->tables |= i < own && (table[i].type == ENT_OPT_LIST || table[i].type == ENT_OPT_MAP) && values[i].set;
		ent_str key = {table[i].key, strlen(table[i].key)};
		if (i >= own && values[i].set && ent_csv_option(&c->framing, key, values[i].s, e)) {
			return e->code;
		}
	}
	c->values = own ? values : NULL;
	if (errors->total) {
		*e = errors->e[0];
		return e->code;
	}
	return 0;
}

int ent__set_load(ent__set *s, const char *path, ent_error *e) {
	char *real = NULL;
	s->path = ent_arena_copy(&s->arena, path, strlen(path));
	int status = ent__plugin_find(path, &real, e);
	if (!status) {
		ent__inside++; /* constructors, too, are the plugin's */
		status = ent__plugin_open(real, &s->plugin, e);
		ent__inside--;
	}
	free(real);
	return status;
}

void ent__set_finish(ent__set *s) {
	free(s->cases);
	ent_arena_finish(&s->arena);
	*s = (ent__set){0};
}

static const ent_decoder *decoder_of(const ent__set *s, const char *name, ent_error *e) {
	char all[400] = "";
	for (const ent_decoder *const *d = s->plugin->decoders; *d; d++) {
		if (!strcmp((*d)->name, name)) {
			return *d;
		}
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", *all ? ", " : "", (*d)->name);
	}
	ent_error_set(e, ENT_ERR_NOTFOUND, "plugin %s has no decoder '%s'", s->plugin->name, name);
	ent_error_todo(e, "it has %s", all);
	return NULL;
}

static ent__case *add(ent__set *s) {
	ENT_GROW(s->cases, s->n, s->capacity);
	s->cases[s->n] = (ent__case){0};
	return &s->cases[s->n++];
}

/* ---- golden files ------------------------------------------------------------------------------------------------ */

/* Cuts the next word off *p. NULL: none. */
static const char *word(ent_arena *arena, const char **p) {
	*p += strspn(*p, " \t");
	size_t n = strcspn(*p, " \t");
	const char *out = n ? ent_arena_copy(arena, *p, n) : NULL;
	*p += n;
	return out;
}

static int read_case(ent__set *s, const char *line, ent_error *e) {
	const char *p = line;
	const char *name = word(&s->arena, &p), *input = word(&s->arena, &p), *decoder = word(&s->arena, &p),
			   *document = word(&s->arena, &p);
	if (!document) {
		ent_error_set(e, ENT_ERR_INVALID, "'%s' is no case", line);
		return ent_error_todo(e, "write: case, input, decoder, name of the document, options");
	}
	p += strspn(p, " \t");
	ent__case *c = add(s);
	c->name = name;
	c->document = document;
	c->path = ent_arena_printf(&s->arena, "%s/%s", s->golden, input);
	c->golden = ent_arena_printf(&s->arena, "%s/%s.facts.jsonl", s->golden, name);
	const char *beside = ent_arena_printf(&s->arena, "%s/%s.beside", s->golden, name);
	c->beside = access(beside, R_OK) ? NULL : ent__file_read(&s->arena, beside, &c->beside_n, e);
	c->bytes = ent__file_read(&s->arena, c->path, &c->n, e);
	c->decoder = c->bytes ? decoder_of(s, decoder, e) : NULL;
	if (!c->decoder) {
		return e->code;
	}
	c->options = *p ? ent_arena_copy(&s->arena, p, strlen(p)) : "{}";
	return ent__options_read(&s->arena, c, c->options, e);
}

static int read_golden(ent__set *s, ent_error *e) {
	const char *path = ent_arena_printf(&s->arena, "%s/cases", s->golden);
	size_t n;
	char *text = ent__file_read(&s->arena, path, &n, e);
	if (!text) {
		return e->code;
	}
	uint32_t number = 0;
	for (char *line = text, *next; line < text + n; line = next) {
		size_t length = strcspn(line, "\n");
		next = line + length + 1;
		line[length] = 0;
		number++;
		if (line[0] && line[0] != '#') {
			int status = read_case(s, line, e);
			if (status) {
				if (!e->file[0] || !strcmp(e->file, "options")) {
					ent_error_at(e, path, number, 0);
				}
				return status;
			}
		}
	}
	return 0;
}

static bool holds_cases(ent__set *s, const char *folder) {
	return access(ent_arena_printf(&s->arena, "%s/cases", folder), R_OK) == 0;
}

int ent__set_read_found(const ent__set *of, ent__set *s, ent_error *e) {
	s->path = of->path;
	s->plugin = of->plugin;
	s->golden = of->golden ? ent_arena_printf(&s->arena, "%s/found", of->golden) : NULL;
	return s->golden && holds_cases(s, s->golden) ? read_golden(s, e) : 0;
}

/* Beside the plugin, beside the folder it is built in, or, of one that ships, where that is. NULL: none. */
static const char *find_golden(ent__set *s) {
	char *real = realpath(s->path, NULL);
	const char *slash = real ? strrchr(real, '/') : NULL, *found = NULL;
	if (slash) {
		int folder = (int)(slash - real), name = (int)strcspn(slash + 1, ".");
		const char *scripts = ent_install_scripts(&s->arena); /* SOURCE/scripts, or PREFIX/share/entente/scripts */
		int above = (int)(strrchr(scripts, '/') - scripts);
		const char *const tried[] = {
			ent_arena_printf(&s->arena, "%.*s/golden", folder, real),
			ent_arena_printf(&s->arena, "%.*s/../golden", folder, real),
			ent_arena_printf(&s->arena, "%.*s/plugins/%.*s/golden", above, scripts, name, slash + 1),
		};
		for (size_t i = 0; i < sizeof tried / sizeof *tried && !found; i++) {
			found = holds_cases(s, tried[i]) || holds_cases(s, ent_arena_printf(&s->arena, "%s/found", tried[i]))
						? tried[i]
						: NULL;
		}
	}
	free(real);
	return found;
}

/* ---- inputs that are named ----------------------------------------------------------------------------------------
 */

/* The decoder that is surest of a document. */
static const ent_decoder *probe(ent__set *s, const ent__case *c, ent_error *e) {
	const ent_decoder *best = NULL;
	int most = 0;
	ent_doc doc = {.size = sizeof doc, .name = {c->document, strlen(c->document)}, .length = (int64_t)c->n};
	for (const ent_decoder *const *d = s->plugin->decoders; *d; d++) {
		const char *why = NULL;
		int score = 0;
		if ((*d)->probe) {
			ent__inside++;
			score = (*d)->probe((ent_str){c->bytes, c->n < HEAD ? c->n : HEAD}, &doc, &why);
			ent__inside--;
		}
		if (score > most) {
			most = score;
			best = *d;
		}
	}
	if (!best && !s->plugin->decoders[1]) {
		best = s->plugin->decoders[0];
	}
	if (!best) {
		ent_error_set(e, ENT_ERR_INVALID, "no decoder of plugin %s takes %s for its own", s->plugin->name, c->path);
		ent_error_todo(e, "name one with --decoder");
	}
	return best;
}

static int read_input(ent__set *s, const char *path, const ent__given *g, ent_error *e) {
	const char *slash = strrchr(path, '/');
	ent__case *c = add(s);
	c->name = c->path = ent_arena_copy(&s->arena, path, strlen(path));
	c->document = slash ? ent_arena_copy(&s->arena, slash + 1, strlen(slash + 1)) : c->name;
	c->bytes = ent__file_read(&s->arena, path, &c->n, e);
	if (!c->bytes) {
		return e->code;
	}
	c->decoder = g->decoder ? decoder_of(s, g->decoder, e) : probe(s, c, e);
	c->options = g->options ? g->options : "{}";
	return c->decoder ? ent__options_read(&s->arena, c, c->options, e) : e->code;
}

int ent__set_read(ent__set *s, const ent__given *g, ent_error *e) {
	int status = 0;
	if (g->golden) {
		s->golden = ent_arena_copy(&s->arena, g->golden, strlen(g->golden));
	} else if (!g->n_inputs) {
		s->golden = find_golden(s);
	}
	bool alone = s->golden && !holds_cases(s, s->golden) && /* nothing but what fuzzing found */
				 holds_cases(s, ent_arena_printf(&s->arena, "%s/found", s->golden));
	if (s->golden && !alone) {
		status = read_golden(s, e);
	}
	for (size_t i = 0; i < g->n_inputs && !status; i++) {
		status = read_input(s, g->inputs[i], g, e);
	}
	return status;
}
