/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente rejects list`: the records that were no facts, with place and reason. */
#include "command/command.h"
#include "command/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOWN = 100 };

typedef struct listing {
	ent_call *call;
	const ent__names *names;
	ent_table table;
	int64_t limit;
	uint64_t shown, total;
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
	if (l->total++ >= (uint64_t)l->limit) {
		return 0; /* goes on counting */
	}
	l->shown++;
	const char *source = ent__name(l->names, r->source);
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
	return ent_call_usage(call, todo, "there is no source '%s'", name);
}

static int list(ent_call *call, const ent_config *config, ent_store *store, const ent__names *names) {
	static const ent_table_column columns[] = {{"source", false, false}, {"where", false, false},
		{"column", false, false}, {"reason", false, false}, {"excerpt", false, false}, {0}};
	listing l = {.call = call, .names = names, .limit = ent_call_number(call, "limit", call->json ? INT64_MAX : SHOWN)};
	const char *name = ent_call_operand(call, 0);
	uint32_t code = name ? ent__name_find(names, name) : UINT32_MAX;
	ent_error e;
	if (call->json) {
		ent_json_array(&call->writer);
	} else {
		ent_table_init(&l.table, columns);
	}
	/* UINT32_MAX is all of them; a source that was never read has no code, and no rejects */
	if ((!name || code != UINT32_MAX) && ent_store_rejects_scan(store, code, show, &l, &e)) {
		ent_table_finish(&l.table);
		return ent_call_error(call, &e);
	}
	if (name && !l.total && !ent_config_source_find(config, name)) { /* else it was taken out of the configuration */
		ent_table_finish(&l.table);
		return unknown(call, config, name);
	}
	if (call->json) {
		ent_json_end(&call->writer);
		return ENT_EXIT_OK;
	}
	if (!l.total) {
		ent_term_text(&call->term, &call->out, ENT_GOOD, "no rejects");
		ent_buf_printf(&call->out, "\n");
	} else {
		ent_table_print(&l.table, &call->term, &call->out);
	}
	if (l.total > l.shown) {
		ent_call_note(call, "%" PRIu64 " of %" PRIu64 " rejects are shown; --limit shows more", l.shown, l.total);
	}
	ent_table_finish(&l.table);
	return ENT_EXIT_OK;
}

static int run(ent_call *call) {
	ent_config *config = NULL;
	ent_store *store = NULL;
	ent__names names = {0};
	ent_error e;
	int status = ent_call_config(call, &config);
	if (status) {
		return status;
	}
	if (ent_store_open(&store, config->store.s, ENT_STORE_READ, &e) || ent__names_load(&names, store, &e)) {
		status = ent_call_error(call, &e);
	} else {
		status = list(call, config, store, &names);
	}
	ent__names_finish(&names);
	ent_store_close(store);
	ent_config_destroy(config);
	return status;
}

static const ent_arg args[] = {
	{.name = "limit",
		.type = ENT_ARG_INT,
		.value = "N",
		.least = 1,
		.most = INT64_MAX,
		.doc = "At most N records (default 100, with --json all)."},
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
};
