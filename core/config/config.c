/* SPDX-License-Identifier: Apache-2.0
 *
 * entente.yaml to an ent_config, see config.h. Reading is single-threaded; the result is read-only.
 */
#include "config/config.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/day.h"
#include "config/schema.h"

bool ent_as_of_parse(const char *text, ent_as_of *out) {
	if (strcmp(text, "now") == 0) {
		*out = (ent_as_of){.kind = ENT_AS_OF_NOW};
		return true;
	}
	if (strcmp(text, "latest") == 0) {
		*out = (ent_as_of){.kind = ENT_AS_OF_LATEST};
		return true;
	}
	int32_t day;
	if (!ent_day_parse(text, strlen(text), &day)) {
		return false;
	}
	*out = (ent_as_of){.kind = ENT_AS_OF_DAY, .day = day};
	return true;
}

/* Cores that this process may use: a container is often allowed fewer than the machine has. */
static int64_t cores(void) {
	cpu_set_t set;
	return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}

static ent_config *begin(const char *name, const char *folder) {
	ent_arena *arena = ent_xcalloc(1, sizeof *arena);
	ent_config *config = ent_arena_alloc(arena, sizeof *config);
	config->arena = arena;
	config->file = ent_arena_copy(arena, name, strlen(name));
	config->folder = ent_arena_copy(arena, folder, strlen(folder));
	return config;
}

static int finish(ent_config *config, size_t before, ent_config **out, ent_errors *errors) {
	*out = NULL;
	if (config->root) {
		ent__parser p = {.arena = config->arena, .errors = errors, .folder = config->folder};
		if (ent__map(&p, config->root, config->file, "version: 1 and so on, as `entente init` does")) {
			ent__fill(&p, ent__config_fields, config->root, config);
			if (!config->workers) {
				config->workers = cores();
			}
			ent__check(&p, config);
		}
	}
	if (errors->total > before) {
		ent_config_destroy(config);
		/* `before` is beyond what is kept only if the list was full already */
		return before < errors->n ? errors->e[before].code : ENT_ERR_INVALID;
	}
	*out = config;
	return 0;
}

/* The folder that a path stands in: a link to a configuration file means the folder of the link, not that of its
 * target. */
static char *folder_of(const char *path) {
	const char *slash = strrchr(path, '/');
	char *folder = slash == path ? ent_xstrdup("/") : slash ? strndup(path, (size_t)(slash - path)) : ent_xstrdup(".");
	char *real = realpath(folder, NULL);
	free(folder);
	return real;
}

int ent_config_load(const char *path, ent_config **out, ent_errors *errors) {
	size_t before = errors->total;
	char *folder = folder_of(path);
	ent_config *config = begin(path, folder ? folder : "/");
	free(folder);
	config->root = ent_yaml_load_file(config->arena, path, path, errors);
	return finish(config, before, out, errors);
}

int ent_config_parse(
	const char *bytes, size_t n, const char *name, const char *folder, ent_config **out, ent_errors *errors) {
	ent_config *config = begin(name, folder);
	size_t before = errors->total;
	config->root = ent_yaml_load(config->arena, bytes, n, name, errors);
	return finish(config, before, out, errors);
}

void ent_config_destroy(ent_config *config) {
	if (config) {
		ent_arena *arena = config->arena;
		ent_arena_finish(arena);
		free(arena);
	}
}

const ent_config_partner *ent_config_partner_find(const ent_config *config, const char *id) {
	for (size_t i = 0; i < config->n_partners; i++) {
		if (strcmp(config->partners[i].id.s, id) == 0) {
			return &config->partners[i];
		}
	}
	return NULL;
}

const ent_config_source *ent_config_source_find(const ent_config *config, const char *name) {
	for (size_t i = 0; i < config->n_sources; i++) {
		if (strcmp(config->sources[i].name.s, name) == 0) {
			return &config->sources[i];
		}
	}
	return NULL;
}

bool ent_config_same(const ent_config *a, const ent_config *b, const char *section, const char *name) {
	const ent_yaml_node *x = ent_yaml_get(a->root, section), *y = ent_yaml_get(b->root, section);
	x = x && name ? ent_yaml_get(x, name) : x;
	y = y && name ? ent_yaml_get(y, name) : y;
	if (!x || !y || strcmp(a->folder, b->folder) != 0) {
		return !x && !y;
	}
	ent_buf p = {0}, q = {0};
	ent_yaml_json(x, &p);
	ent_yaml_json(y, &q);
	bool same = p.n == q.n && !memcmp(p.data, q.data, p.n);
	ent_buf_finish(&p);
	ent_buf_finish(&q);
	return same;
}
