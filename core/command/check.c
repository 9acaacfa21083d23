/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente check`: all that is wrong with a configuration, at once, without running anything. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"
#include "config/install.h"

/* Plugins that are named have to be there. */
static void plugins(const ent_config *config, ent_errors *errors) {
	ent_arena arena = {0};
	for (size_t i = 0; i < config->plugins.n; i++) {
		ent_error e;
		ent_word word = config->plugins.v[i];
		if (!ent_plugin_find(word.s, config->folder, &arena, &e)) {
			ent_error_at(&e, word.at.file, word.at.line, word.at.column);
			ent_errors_take(errors, &e);
		}
	}
	ent_arena_finish(&arena);
}

/* An export that has not come yet is no error, but good to know. */
static bool there(const ent_transport_config *from) {
	struct stat st;
	glob_t found = {0};
	bool any = true;
	if (from->kind == ENT_FROM_GLOB) {
		any = glob(from->path.s, GLOB_NOSORT, NULL, &found) == 0 && found.gl_pathc > 0;
		globfree(&found);
	} else if (from->kind != ENT_FROM_STDIN) {
		any = stat(from->path.s, &st) == 0;
	}
	return any;
}

static int run(ent_call *call) {
	ent_config *config = NULL;
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	if (ent_config_load(call->config_path, &config, errors) == 0) {
		plugins(config, errors);
	}
	int status = errors->total ? ent_call_errors(call, errors) : ENT_EXIT_OK;
	free(errors);
	if (status) {
		ent_config_destroy(config);
		return status;
	}
	ent_json *json = &call->writer;
	if (call->json) {
		ent_json_object(json);
		ent_json_key(json, "errors");
		ent_json_array(json);
		ent_json_end(json);
		ent_json_key(json, "partners");
		ent_json_uint(json, config->n_partners);
		ent_json_key(json, "sources");
		ent_json_uint(json, config->n_sources);
		ent_json_key(json, "nothing_there");
		ent_json_array(json);
	} else {
		ent_term_text(&call->term, &call->out, ENT_GOOD, "good: ");
		ent_buf_printf(&call->out, "%s: %zu partner%s, %zu source%s\n", call->config_path, config->n_partners,
			config->n_partners == 1 ? "" : "s", config->n_sources, config->n_sources == 1 ? "" : "s");
	}
	for (size_t i = 0; i < config->n_sources; i++) {
		const ent_config_source *source = &config->sources[i];
		if (there(&source->from)) {
			continue;
		}
		if (call->json) {
			ent_json_text(json, source->name.s);
		} else {
			ent_call_note(call, "%s:%u:%u: source '%s' finds nothing at %s yet", source->from.path.at.file,
				source->from.path.at.line, source->from.path.at.column, source->name.s, source->from.path.s);
		}
	}
	if (call->json) {
		ent_json_end(json);
		ent_json_end(json);
	}
	ent_config_destroy(config);
	return ENT_EXIT_OK;
}

const ent_command ent_command_check = {
	.name = "check",
	.doc = "Tell everything that is wrong with the configuration.",
	.text = "Each error says where it stands and what to do about it. The exit status is 1 if there is one. Nothing is "
			"read but the "
			"configuration, and nothing is written.",
	.run = run,
};
