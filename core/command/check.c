/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente check`: all that is wrong with a configuration, at once, without running anything. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "command/project.h"
#include "tell/tell.h"

typedef struct counts {
	size_t plugins, rules;
} counts;

/* What only the plugins and the rules can say: decoders, options, zones, books and settings. Nothing is read or kept.
 */
static void ask(ent_config *config, ent_errors *errors, counts *found) {
	const ent_plugin_info *const *plugins;
	ent__project p = {.config = config, .block = {.fd = -1}};
	if (ent_engine_open(&p.engine, config, ENT_ENGINE_PLUGINS, errors)) {
		return;
	}
	size_t before = errors->total;
	ent_engine_plugins(p.engine, &plugins, &found->plugins, errors);
	if (errors->total == before) { /* else each source would miss its decoder, too */
		ent_engine_check(p.engine, errors);
	}
	json_object *root, *rules;
	ent_error e = {0};
	if (ent__project_rules(&p, &root, errors, &e)) {
		ent_errors_take(errors, &e);
	}
	if (root && json_object_object_get_ex(root, "rules", &rules)) {
		found->rules = json_object_array_length(rules);
	}
	json_object_put(root);
	ent_engine_close(p.engine);
}

/* An export that has not come yet is no error, but good to know. */
static bool there(const ent_transport_config *from) {
	struct stat st;
	glob_t found = {0};
	bool any = true;
	if (from->kind == ENT_FROM_GLOB) {
		any = glob(from->path.s, GLOB_NOSORT, NULL, &found) == 0 && found.gl_pathc > 0;
		globfree(&found);
	} else if (from->kind < ENT_FROM_STDIN) {
		any = stat(from->path.s, &st) == 0;
	}
	return any;
}

/* What rules take for granted without having measured it stands where it can be read before anything is judged. */
static void show_priors(ent_call *call, const ent_config *config) {
	ent_json *json = &call->writer;
	if (call->json) {
		ent_json_key(json, "priors");
		ent_json_object(json);
	}
	for (size_t i = 0; i < config->n_priors; i++) {
		const ent_prior_config *p = &config->priors[i];
		if (!call->json) {
			ent_buf_printf(&call->out, "prior %s: %s, from %s to %s (%s); %s\n", p->name.s, p->p50.s, p->p10.s,
				p->p90.s, ent_prior_units[p->unit], p->source.s);
			continue;
		}
		const char *const members[][2] = {{"p10", p->p10.s}, {"p50", p->p50.s}, {"p90", p->p90.s}};
		ent_json_key(json, p->name.s);
		ent_json_object(json);
		for (size_t k = 0; k < 3; k++) {
			ent_json_key(json, members[k][0]);
			ent_json_raw(json, members[k][1], strlen(members[k][1]));
		}
		ent_json_key(json, "unit");
		ent_json_text(json, ent_prior_units[p->unit]);
		ent_json_key(json, "audience");
		ent_json_text(json, ent_prior_audiences[p->audience]);
		ent_json_key(json, "source");
		ent_json_text(json, p->source.s);
		ent_json_end(json);
	}
	if (call->json) {
		ent_json_end(json);
	}
}

static int run(ent_call *call) {
	ent_config *config = NULL;
	counts found = {0};
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	if (ent_config_load(call->config_path, &config, errors) == 0) {
		ent_tell_check_templates(config, errors);
		ask(config, errors, &found);
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
		ent_json_key(json, "plugins");
		ent_json_uint(json, found.plugins);
		ent_json_key(json, "rules");
		ent_json_uint(json, found.rules);
		show_priors(call, config);
		ent_json_key(json, "nothing_there");
		ent_json_array(json);
	} else {
		ent_term_text(&call->term, &call->out, ENT_GOOD, "good: ");
		ent_buf_printf(&call->out, "%s: %zu partner%s, %zu source%s, %zu rule%s\n", call->config_path,
			config->n_partners, config->n_partners == 1 ? "" : "s", config->n_sources,
			config->n_sources == 1 ? "" : "s", found.rules, found.rules == 1 ? "" : "s");
		show_priors(call, config);
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
	.text = "Each error says where it stands and what to do about it. The exit status is 1 if there is one. Plugins "
			"are asked "
			"for their decoders and options, rulebooks are loaded and set, each in a process of its own; no source is "
			"read, and nothing is written. A file that has not come yet is told, and is no error. What the "
			"configuration believes (`priors`) is shown.\n\n"
			"  entente check -c project/entente.yaml",
	.run = run,
};
