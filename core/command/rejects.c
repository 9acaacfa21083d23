/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente rejects list`: the records that were no facts, with place and reason. */
#include "command/project.h"

#include "base/intern.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 100 };

typedef struct listing {
	ent_call *call;
	const ent__project *project;
	ent_table table;
	ent_page page;
} listing;

static void as_json(ent_json *json, const ent_reject *r, const char *source) {
	ent_json_object(json);
	ent_json_key(json, "source");
	ent_json_text(json, source);
	ent_json_key(json, "input");
	ent_json_text(json, r->input_name);
	ent_json_key(json, "place");
	ent_json_uint(json, r->place);
	ent_json_key(json, "line");
	if (r->line) {
		ent_json_uint(json, r->line);
	} else {
		ent_json_null(json);
	}
	ent_json_key(json, "column");
	ent_json_text(json, r->column[0] ? r->column : NULL);
	ent_json_key(json, "reason");
	ent_json_text(json, r->reason);
	ent_json_key(json, "excerpt");
	ent_json_text(json, r->excerpt);
	ent_json_key(json, "seen_us");
	ent_json_int(json, r->seen_us);
	ent_json_end(json);
}

static int show(void *ctx, const ent_reject *r) {
	listing *l = ctx;
	char id[64];
	snprintf(id, sizeof id, "%" PRIu32 ".%" PRIu64 ".%08x", r->input, r->place,
		(unsigned)ent_hash64(r->reason, strlen(r->reason), 0));
	if (!ent_page_take(&l->page, id)) {
		return 0; /* goes on counting */
	}
	const char *source = ent__project_text(l->project, r->source);
	if (l->call->json) {
		as_json(&l->call->writer, r, source);
		return 0;
	}
	ent_table_styled(&l->table, ENT_ACCENT, source);
	if (r->line) {
		ent_table_printf(&l->table, ENT_PLAIN, "%s:%" PRIu64, r->input_name, r->line);
	} else {
		ent_table_printf(&l->table, ENT_PLAIN, "%s, byte %" PRIu64, r->input_name, r->place);
	}
	ent_table_cell(&l->table, r->column);
	ent_table_cell(&l->table, r->reason);
	ent_table_styled(&l->table, ENT_FAINT, r->excerpt);
	return 0;
}

static int unknown(ent_call *call, const ent_config *config, const char *name) {
	const char **known = ent_xmalloc(config->n_sources * sizeof *known);
	for (size_t i = 0; i < config->n_sources; i++) {
		known[i] = config->sources[i].name.s;
	}
	const char *meant = ent_nearest(name, known, config->n_sources);
	char todo[160];
	snprintf(todo, sizeof todo, meant ? "did you mean '%.100s'?" : "%s has the names of the sources",
		meant ? meant : call->config_path);
	free(known);
	return ent_call_unknown(call, todo, "there is no source '%s'", name);
}

static int list(ent_call *call, const ent__project *p) {
	static const ent_table_column columns[] = {{"source", false, false}, {"where", false, false},
		{"column", false, false}, {"reason", false, false}, {"excerpt", false, false}, {0}};
	listing l = {.call = call, .project = p, .page = ent_page_of(call, call->json ? 0 : SHOWN)};
	const char *name = ent_call_operand(call, 0);
	uint32_t code = name ? ent__project_code(p, name) : UINT32_MAX;
	ent_error e;
	if (call->json) {
		ent_json_array(&call->writer);
	} else {
		ent_table_init(&l.table, columns);
	}
	/* UINT32_MAX is all of them; a source that was never read has no code, and no rejects */
	if ((!name || code != UINT32_MAX) && ent_store_rejects_scan(p->store, code, show, &l, &e)) {
		ent_table_finish(&l.table);
		return ent_call_error(call, &e);
	}
	bool any = l.page.total || l.page.after;
	if (name && !any && !ent_config_source_find(p->config, name)) { /* else it was taken out of the configuration */
		ent_table_finish(&l.table);
		return unknown(call, p->config, name);
	}
	if (call->json) {
		ent_json_end(&call->writer);
	} else if (!any) {
		ent_term_text(&call->term, &call->out, ENT_GOOD, "no rejects");
		ent_buf_printf(&call->out, "\n");
	} else {
		ent_table_print(&l.table, &call->term, &call->out);
	}
	ent_table_finish(&l.table);
	return ent_page_end(call, &l.page, "rejects");
}

static int run(ent_call *call) {
	ent__project p;
	int exit = ent__project_store(call, &p);
	exit = exit ? exit : list(call, &p);
	ent__project_finish(&p);
	return exit;
}

static const ent_arg args[] = {
	{.name = "limit",
		.type = ENT_ARG_INT,
		.value = "N",
		.least = 1,
		.most = INT64_MAX,
		.doc = "At most N records (default 100, with --json all)."},
	ENT_ARG_ROW_AFTER,
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "SOURCE", .doc = "Only the records of this source."},
	{.name = NULL},
};

const ent_command ent_command_rejects = {
	.name = "rejects list",
	.doc = "List the records that could not be read, with place and reason.",
	.text = "A record that is no fact is set aside and never stops its source. The excerpt is masked. A record leaves "
			"the list when its file comes again without the fault.\n\n  entente rejects list orders --limit 20",
	.args = args,
	.operands = operands,
	.run = run,
	.served = true,
};
