/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente records`: of which records of which files a partner's figures come. */
#include "command/lines.h"
#include "command/project.h"
#include "base/day.h"
#include "engine/lineage.h"
#include "facts/document.h"
#include "metrics/catalogue.h"

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
	ent__lines lines;
} listing;

static const char *const kinds[] = {"order", "cart", "visit", "touch", "contact", "observation", "entry", NULL};
static const unsigned facts[] = {ENT_ORDER, ENT_CART, ENT_VISIT, ENT_TOUCH, ENT_CONTACT, ENT_OBSERVATION, ENT_ENTRY};

/* Keys of visits are made of identities and say nothing to people. */
static bool telling(unsigned kind) { return kind != ENT_VISIT && kind != ENT_TOUCH; }

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text);
}

static void as_json(ent_json *j, const ent_lineage_row *r, const char *source, uint64_t line) {
	char day[16];
	ent_json_object(j);
	member(j, "kind", ent_fact_name(r->kind));
	member(j, "day", ent_day_text(r->day, day));
	ent_json_key(j, "key");
	if (telling(r->kind)) {
		ent_json_text_n(j, r->key, r->key_n);
	} else {
		ent_json_null(j);
	}
	member(j, "origin", ent_origin_names[r->origin]);
	member(j, "source", source);
	member(j, "file", r->file);
	ent_json_key(j, "line");
	if (line) {
		ent_json_uint(j, line);
	} else {
		ent_json_null(j);
	}
	ent_json_key(j, "place");
	ent_json_uint(j, r->place);
	ent_json_end(j);
}

static int show(void *ctx, const ent_lineage_row *r) {
	listing *l = ctx;
	char id[96], day[16], key[64];
	snprintf(id, sizeof id, "%s.%s.%.40s.%" PRIu64, ent_day_text(r->day, day), ent_fact_name(r->kind), r->file, r->place);
	if (!ent_page_take(&l->page, id)) {
		return 0; /* goes on counting */
	}
	const char *source = ent__project_text(l->project, r->source);
	uint64_t line = ent__line_of(&l->lines, ent_config_source_find(l->project->config, source), r->file, r->place);
	if (l->call->json) {
		as_json(&l->call->writer, r, source, line);
		return 0;
	}
	snprintf(key, sizeof key, "%.*s", telling(r->kind) ? (int)(r->key_n < 60 ? r->key_n : 60) : 0, r->key);
	ent_table_cell(&l->table, ent_day_text(r->day, day));
	ent_table_cell(&l->table, ent_fact_name(r->kind));
	ent_table_styled(&l->table, ENT_ACCENT, key);
	ent_table_cell(&l->table, ent_origin_names[r->origin]);
	ent_table_cell(&l->table, source);
	if (line) {
		ent_table_printf(&l->table, ENT_PLAIN, "%s:%" PRIu64, r->file, line);
	} else {
		ent_table_printf(&l->table, ENT_PLAIN, "%s, byte %" PRIu64, r->file, r->place);
	}
	return 0;
}

static int list(ent_call *call, const ent__project *p, const ent_lineage_what *what) {
	static const ent_table_column columns[] = {
		{"day", false, true}, {"kind", false, false}, {"key", false, false}, {"origin", false, true}, {"source", false, false},
		{"where", false, false}, {0}};
	listing l = {.call = call, .project = p, .page = ent_page_of(call, call->json ? 0 : SHOWN)};
	ent_error e;
	if (call->json) {
		ent_json_array(&call->writer);
	} else {
		ent_table_init(&l.table, columns);
	}
	int status = ent_engine_lineage(p->engine, what, show, &l, &e);
	ent__lines_finish(&l.lines);
	if (call->json) {
		ent_json_end(&call->writer);
	} else if (!status) {
		ent_table_print(&l.table, &call->term, &call->out);
	}
	ent_table_finish(&l.table);
	return status ? ent_call_error(call, &e) : ent_page_end(call, &l.page, "records");
}

static int run(ent_call *call) {
	ent__project p;
	const char *partner = ent_call_operand(call, 0), *kind = ent_call_text(call, "kind", NULL);
	ent_lineage_what what = {.from = (int32_t)ent_call_number(call, "from", INT32_MIN),
		.to = (int32_t)ent_call_number(call, "to", INT32_MAX - 1) + 1};
	for (size_t i = 0; kind && kinds[i]; i++) {
		what.kind = strcmp(kinds[i], kind) ? what.kind : facts[i];
	}
	int exit = ent__project_open(call, &p, ENT_ENGINE_READ);
	exit = exit ? exit : ent__project_snapshot(call, &p);
	if (!exit && ent__project_partner(call, &p, partner) < 0) {
		exit = ENT_EXIT_ERROR;
	}
	if (!exit) {
		what.partner = ent__project_code(&p, partner);
		exit = list(call, &p, &what);
	}
	ent__project_finish(&p);
	return exit;
}

static const ent_arg args[] = {
	{.name = "from", .type = ENT_ARG_DATE, .value = "DAY", .doc = "First day, as the partner's clock has it."},
	{.name = "to", .type = ENT_ARG_DATE, .value = "DAY", .doc = "Last day, included."},
	{.name = "kind", .type = ENT_ARG_CHOICE, .value = "KIND", .choices = kinds, .doc = "Only these facts."},
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
	{.name = "PARTNER", .required = true, .doc = "Its id; `entente partners` lists them."},
	{.name = NULL},
};

const ent_command ent_command_records = {
	.name = "records",
	.doc = "List the records behind a partner's figures, with file and line.",
	.text = "An order is one row, at the place of its first line. What a newer export replaced is left out; orders that analytics "
			"saw stand beside those of the shop, for they are compared and never added. The ledger is read for it, so it takes as long as the ledger is large; a file that is packed or was moved has a byte and no line.\n\n"
			"  entente records nordwind --kind order --from 2026-06-03 --to 2026-06-30",
	.args = args,
	.operands = operands,
	.run = run,
	.served = true,
};
