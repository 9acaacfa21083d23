/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente balance`: two equations for every source. What came in is what is accounted for, or figures are wrong. And
 * the canonical digest, by which two stores can be seen to hold the same. */
#include "command/project.h"
#include "command/sheet.h"

#include <stdio.h>

static const char *name_of(const void *project, uint32_t code) { return ent__project_text(project, code); }

static int print(ent_call *call, const ent__project *p) {
	ent__sheet sheet = {0};
	ent_error e;
	int exit = ENT_EXIT_OK;
	if (ent__sheet_load(&sheet, p->store, name_of, p, &e)) {
		exit = ent_call_error(call, &e);
	} else if (call->json) {
		ent_json *json = &call->writer;
		ent_json_object(json);
		ent_json_key(json, "sources");
		ent__sheet_json(&sheet, json);
		ent_json_key(json, "closes");
		ent_json_bool(json, !sheet.open);
		ent_json_end(json);
	} else if (sheet.n) {
		ent__sheet_tables(&sheet, &call->term, &call->out);
	} else {
		ent_buf_printf(&call->out, "nothing was read yet\n");
	}
	if (!exit && sheet.open) {
		ent_call_note(call, "the balance sheet of %zu of %zu source%s does not close: figures cannot be trusted",
			sheet.open, sheet.n, sheet.n == 1 ? "" : "s");
		exit = ENT_EXIT_BALANCE;
	}
	ent__sheet_finish(&sheet);
	return exit;
}

/* ---- digest ------------------------------------------------------------------------------------------------------ */

static int digest(ent_call *call) {
	ent__project p;
	ent_digest d;
	ent_error e = {0};
	int exit = ent__project_open(call, &p, ENT_ENGINE_READ);
	if (!exit && ent_engine_digest(p.engine, &d, &e)) {
		exit = ent_call_error(call, &e);
	}
	ent__project_finish(&p);
	if (exit) {
		return exit;
	}
	const struct {
		const char *name;
		const uint8_t *hash;
	} groups[] = {{"documents", d.documents}, {"cells", d.cells}, {"members", d.members}, {"rejects", d.rejects},
		{"inputs", d.inputs}, {"all", d.all}};
	if (call->json) {
		ent_json_object(&call->writer);
	}
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		char hex[65];
		for (size_t k = 0; k < 32; k++) {
			snprintf(hex + 2 * k, 3, "%02x", groups[i].hash[k]);
		}
		if (call->json) {
			ent_json_key(&call->writer, groups[i].name);
			ent_json_text(&call->writer, hex);
		} else {
			ent_buf_printf(&call->out, "%-10s %s\n", groups[i].name, hex);
		}
	}
	if (call->json) {
		ent_json_end(&call->writer);
	}
	return ENT_EXIT_OK;
}

/* ---- command ----------------------------------------------------------------------------------------------------- */

static int run(ent_call *call) {
	ent__project p;
	if (ent_call_has(call, "digest")) {
		return digest(call);
	}
	int exit = ent__project_store(call, &p);
	exit = exit ? exit : print(call, &p);
	ent__project_finish(&p);
	return exit;
}

static const ent_arg args[] = {
	{.name = "digest",
		.type = ENT_ARG_SWITCH,
		.doc = "Show the canonical digest instead: equal where two stores hold the same, whatever order it came in."},
	{.name = NULL},
};

const ent_command ent_command_balance = {
	.name = "balance",
	.doc = "Show that every record and every fact is accounted for.",
	.text =
		"Two equations for each source, over all runs since the store was made. Of records read: consumed, rejected "
		"or skipped. Of facts received: stored, replaced, duplicate, superseded, merged or refused. Parked facts "
		"wait for their partner, pending ones for their order; both are stored. Waits are how often, and how long in all, "
		"decoders waited until the core had folded what they had read. The exit status is 3 if an equation does not "
		"close.\n\n"
		"The digest (BLAKE2b-256) is over documents, cells, members of sets and distributions, rejects, inputs, and "
		"all "
		"of them. It can be compared under one identity key only.\n\n"
		"  entente balance --digest",
	.args = args,
	.run = run,
	.served = true,
};
