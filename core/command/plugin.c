/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente plugin list | show`: which decoders there are, and what may be written about each. Every plugin is asked in
 * a process of its own, so one that cannot be loaded is told and costs nothing else. */
#include "command/plugin_page.h"
#include "command/project.h"
#include "config/options_wire.h"
#include "facts/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct loaded {
	const ent_plugin_info *const *plugins;
	size_t n;
	ent_errors errors; /* of those that cannot be loaded */
} loaded;

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void json_member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text);
}

static void json_options(ent_json *j, const ent_option *table) {
	ent_json_array(j);
	for (const ent_option *o = table; o && o->key; o++) {
		ent_json_object(j);
		json_member(j, "key", o->key);
		json_member(j, "type", ent__option_types[o->type]);
		ent_json_key(j, "required");
		ent_json_bool(j, o->required != 0);
		json_member(j, "default", o->preset);
		json_member(j, "doc", o->doc);
		if (o->choices) {
			ent_json_key(j, "choices");
			ent_json_array(j);
			for (const char *const *c = o->choices; *c; c++) {
				ent_json_text(j, *c);
			}
			ent_json_end(j);
		}
		if (o->item) {
			ent_json_key(j, "items");
			json_options(j, o->item);
		}
		ent_json_end(j);
	}
	ent_json_end(j);
}

/* A column as it comes from the plugin: "Name|Alias|Alias". */
static void json_column(ent_json *j, const char *names, bool required) {
	size_t n = strcspn(names, "|");
	ent_json_object(j);
	ent_json_key(j, "name");
	ent_json_text_n(j, names, n);
	ent_json_key(j, "aliases");
	ent_json_array(j);
	while (names[n]) {
		names += n + 1;
		n = strcspn(names, "|");
		ent_json_text_n(j, names, n);
	}
	ent_json_end(j);
	ent_json_key(j, "required");
	ent_json_bool(j, required);
	ent_json_end(j);
}

static void json_decoder(ent_call *call, ent_engine *engine, const ent_decoder_info *d, bool all) {
	ent_json *j = &call->writer;
	ent_json_object(j);
	json_member(j, "name", d->name);
	json_member(j, "doc", d->doc);
	json_member(j, "version", d->version);
	json_member(j, "system", d->system);
	json_member(j, "frame", ent__frame_text(d));
	ent_json_key(j, "facts");
	ent_json_array(j);
	for (unsigned i = 1; i < ENT_FACT_COUNT; i++) {
		if (d->facts >> i & 1) {
			ent_json_text(j, ent_fact_name(i));
		}
	}
	ent_json_end(j);
	if (all) {
		ent_json_key(j, "restates");
		ent_json_bool(j, (d->flags & ENT_DECODER_RESTATES) != 0);
		ent_json_key(j, "analytics");
		ent_json_bool(j, (d->flags & ENT_DECODER_ANALYTICS) != 0);
		ent_json_key(j, "splittable");
		ent_json_bool(j, d->splittable);
		ent_json_key(j, "options");
		json_options(j, ent_engine_options(engine, d));
		ent_json_key(j, "columns");
		ent_json_array(j);
		for (size_t i = 0; i < d->n_columns; i++) {
			json_column(j, d->columns[i], d->required[i]);
		}
		ent_json_end(j);
	}
	ent_json_end(j);
}

static void json_plugin(ent_call *call, ent_engine *engine, const ent_plugin_info *info, bool all) {
	ent_json *j = &call->writer;
	ent_json_object(j);
	json_member(j, "name", info->name);
	json_member(j, "version", info->version);
	json_member(j, "file", info->path);
	ent_json_key(j, "decoders");
	ent_json_array(j);
	for (uint32_t i = 0; i < info->n_decoders; i++) {
		json_decoder(call, engine, &info->decoders[i], all);
	}
	ent_json_end(j);
	ent_json_end(j);
}

/* ---- list -------------------------------------------------------------------------------------------------------- */

static void list(ent_call *call, ent__project *p, const loaded *l) {
	static const ent_table_column columns[] = {{"plugin", false, true}, {"version", false, true},
		{"decoder", false, true}, {"reads", false, true}, {"facts", false, false}, {"what", false, false},
		{"file", false, false}, {0}};
	ent_table t;
	ent_arena arena = {0};
	if (call->json) {
		ent_json_object(&call->writer);
		ent_json_key(&call->writer, "plugins");
		ent_json_array(&call->writer);
	} else {
		static const unsigned char drop[] = {6, 1, 3};
		ent_table_init(&t, columns);
		t.drop = drop;
		t.n_drop = sizeof drop;
	}
	for (size_t i = 0; i < l->n; i++) {
		const ent_plugin_info *info = l->plugins[i];
		if (call->json) {
			json_plugin(call, p->engine, info, false);
			continue;
		}
		for (uint32_t k = 0; k < info->n_decoders; k++) {
			const ent_decoder_info *d = &info->decoders[k];
			ent_table_styled(&t, ENT_ACCENT, k ? "" : info->name);
			ent_table_cell(&t, k ? "" : info->version);
			ent_table_styled(&t, ENT_BOLD, d->name);
			ent_table_cell(&t, ent__frame_text(d));
			ent_table_cell(&t, ent__facts_text(d, &arena));
			ent_table_cell(&t, d->doc);
			ent_table_styled(&t, ENT_FAINT, k ? "" : info->path);
		}
	}
	if (call->json) {
		ent_json_end(&call->writer);
		ent_json_key(&call->writer, "errors");
		ent_json_array(&call->writer);
		for (size_t i = 0; i < l->errors.n; i++) {
			ent_json_object(&call->writer);
			ent_error_json(&call->writer, &l->errors.e[i]);
			ent_json_end(&call->writer);
		}
		ent_json_end(&call->writer);
		ent_json_end(&call->writer);
	} else {
		if (l->n) {
			ent_table_print(&t, &call->term, &call->out);
		} else {
			ent_buf_printf(&call->out, "no plugins; `entente doctor` shows where they are looked for\n");
		}
		ent_table_finish(&t);
	}
	ent_arena_finish(&arena);
}

/* ---- show -------------------------------------------------------------------------------------------------------- */

static void indented(ent_call *call, unsigned indent, const char *text) {
	ent_buf_printf(&call->out, "%*s", (int)indent, "");
	ent_term_wrap(&call->term, &call->out, indent, text);
	ent_buf_u8(&call->out, '\n');
}

/* `of`: what the table belongs to; ENT_OPT_MAP at the top. */
static void show_options(ent_call *call, const ent_option *table, ent_opt_type of, unsigned indent) {
	for (const ent_option *o = table; o && o->key; o++) {
		bool any = !strcmp(o->key, "*");
		ent_buf_printf(&call->out, "%*s", (int)indent, "");
		ent_term_text(&call->term, &call->out, any || of == ENT_OPT_LIST ? ENT_FAINT : ENT_ACCENT,
			any                  ? "any key"
			: of == ENT_OPT_LIST ? "each item"
								 : o->key);
		ent_buf_printf(&call->out, "  %s", ent__option_types[o->type]);
		for (const char *const *c = o->choices; c && *c; c++) {
			ent_buf_printf(&call->out, "%s%s", c == o->choices ? ": " : " | ", *c);
		}
		if (o->required) {
			ent_term_text(&call->term, &call->out, ENT_BOLD, ", required");
		} else if (o->preset) {
			ent_buf_printf(&call->out, ", default %s", *o->preset ? o->preset : "empty");
		}
		ent_buf_u8(&call->out, '\n');
		if (o->doc && *o->doc) {
			indented(call, indent + 4, o->doc);
		}
		show_options(call, o->item, o->type, indent + 4);
	}
}

static void show_columns(ent_call *call, const ent_decoder_info *d) {
	ent_arena arena = {0};
	for (size_t i = 0; i < d->n_columns; i++) {
		size_t n = strcspn(d->columns[i], "|");
		const char *more = d->columns[i][n] ? d->columns[i] + n + 1 : NULL;
		ent_buf_printf(&call->out, "    ");
		ent_term_text(&call->term, &call->out, ENT_ACCENT, ent_arena_copy(&arena, d->columns[i], n));
		if (d->required[i]) {
			ent_term_text(&call->term, &call->out, ENT_BOLD, ", required");
		}
		for (size_t length; more; more = more[length] ? more + length + 1 : NULL) {
			length = strcspn(more, "|");
			ent_buf_printf(&call->out, ", or %.*s", (int)length, more);
		}
		ent_buf_u8(&call->out, '\n');
	}
	ent_arena_finish(&arena);
}

static void show_decoder(ent_call *call, ent_engine *engine, const ent_decoder_info *d) {
	ent_arena arena = {0};
	ent_buf_u8(&call->out, '\n');
	ent_term_text(&call->term, &call->out, ENT_BOLD, d->name);
	ent_buf_printf(&call->out, "  version %s, system %s\n", d->version, *d->system ? d->system : d->name);
	indented(call, 2, d->doc);
	indented(call, 2,
		ent_arena_printf(&arena, "Reads %s%s; gives %s.%s%s", ent__frame_text(d),
			d->splittable ? ", one file on several cores" : "", ent__facts_text(d, &arena),
			d->flags & ENT_DECODER_ANALYTICS ? " What it sees is analytics, never added to the shop's." : "",
			d->flags & ENT_DECODER_RESTATES ? " A file that comes again, changed, takes back what it brought before."
											: ""));
	const ent_option *options = ent_engine_options(engine, d);
	size_t own = ent_options_count(d->options);
	if (own) {
		ent_buf_printf(&call->out, "\n  Options, under `decode: {%s: {…}}`:\n", d->name);
		show_options(call, d->options, ENT_OPT_MAP, 4);
	}
	if (options[own].key) {
		ent_buf_printf(&call->out, "\n  Options of the host, beside those, for every %s:\n",
			d->frame == ENT_FRAME_DELIMITED ? "delimited file" : "document that is read as text");
		show_options(call, options + own, ENT_OPT_MAP, 4);
	}
	if (d->n_columns) {
		ent_buf_printf(&call->out, "\n  Columns, by name, in any order:\n");
		show_columns(call, d);
	}
	ent_arena_finish(&arena);
}

static int show(ent_call *call, ent__project *p, const loaded *l, const char *name) {
	const char *names[512];
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++) {
		const ent_plugin_info *info = l->plugins[i];
		bool wanted = !strcmp(info->name, name);
		for (uint32_t k = 0; k < info->n_decoders && !wanted; k++) { /* as the configuration names it */
			wanted = !strcmp(info->decoders[k].name, name);
			names[n < 510 ? n++ : n] = info->decoders[k].name;
		}
		names[n < 510 ? n++ : n] = info->name;
		if (!wanted) {
			continue;
		}
		if (call->json) {
			json_plugin(call, p->engine, info, true);
			return ENT_EXIT_OK;
		}
		if (ent_call_has(call, "markdown")) {
			ent__plugin_page(p->engine, info, &call->out);
			return ENT_EXIT_OK;
		}
		ent_term_text(&call->term, &call->out, ENT_BOLD, info->name);
		ent_buf_printf(&call->out, "  plugin, version %s\n%s\n", info->version, info->path);
		for (uint32_t k = 0; k < info->n_decoders; k++) {
			show_decoder(call, p->engine, &info->decoders[k]);
		}
		return ENT_EXIT_OK;
	}
	if (l->errors.n) { /* it may be the one that cannot be loaded */
		return ent_call_errors(call, &l->errors);
	}
	const char *near = ent_nearest(name, names, n);
	ent_error e;
	ent_error_set(&e, ENT_ERR_NOTFOUND, "there is no plugin or decoder '%s'", name);
	if (near) {
		ent_error_todo(&e, "did you mean '%s'?", near);
	} else {
		ent_error_todo(&e, "`entente plugin list` shows all");
	}
	return ent_call_error(call, &e);
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static int run(ent_call *call) {
	ent__project p;
	loaded *l = ent_xcalloc(1, sizeof *l);
	const char *name = ent_call_operand(call, 0);
	if (call->json && name && ent_call_has(call, "markdown")) {
		free(l);
		return ent_call_usage(call, "leave one of them out", "--markdown and --json are two ways to write the same");
	}
	int exit = ent__project_open_any(call, &p);
	if (!exit) {
		ent_engine_plugins(p.engine, &l->plugins, &l->n, &l->errors);
		if (name) {
			exit = show(call, &p, l, name);
		} else if (l->errors.n && !call->json) {
			list(call, &p, l);
			ent_call_flush(call);
			exit = ent_call_errors(call, &l->errors);
		} else {
			list(call, &p, l);
			exit = l->errors.n ? ENT_EXIT_ERROR : ENT_EXIT_OK;
		}
	}
	ent__project_finish(&p);
	free(l);
	return exit;
}

static const ent_arg show_args[] = {
	{.name = "markdown", .type = ENT_ARG_SWITCH, .doc = "As a page in Markdown, the same on every machine."},
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "NAME", .required = true, .doc = "A plugin, or one of its decoders."},
	{.name = NULL},
};

const ent_command ent_command_plugin_list = {
	.name = "plugin list",
	.doc = "List the plugins and their decoders.",
	.text =
		"Those that the configuration names, or, if it names none, all that are found in the project's folder "
		"plugins, in ENTENTE_PLUGINS and in the installation. One that cannot be loaded is told, and the exit status "
		"is 1.",
	.run = run,
};

const ent_command ent_command_plugin_show = {
	.name = "plugin show",
	.doc = "Show what a plugin reads, its options and its columns.",
	.text = "Made from the tables that the plugin declares, which are those that check the configuration.\n\n"
			"  entente plugin show csv\n"
			"  entente plugin show csv --markdown > csv.md",
	.args = show_args,
	.operands = operands,
	.run = run,
};
