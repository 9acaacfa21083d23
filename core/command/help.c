/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente help`, made from the commands' tables. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"

enum { MARGIN = 2, DOC_AT = 24 };

static void indent(ent_buf *out, size_t n) {
	while (n--) {
		ent_buf_u8(out, ' ');
	}
}

static void row(const ent_term *term, ent_buf *out, const char *name, const char *doc) {
	indent(out, MARGIN);
	ent_term_text(term, out, ENT_ACCENT, name);
	size_t used = MARGIN + ent_text_width(name, strlen(name));
	if (used + 2 > DOC_AT) {
		ent_buf_u8(out, '\n');
		used = 0;
	}
	indent(out, DOC_AT - used);
	ent_term_wrap(term, out, DOC_AT, doc);
	ent_buf_u8(out, '\n');
}

static void options(const ent_term *term, ent_buf *out, const ent_arg *args) {
	for (; args && args->name; args++) {
		char name[96], doc[512], letter[8] = "";
		if (args->letter) {
			snprintf(letter, sizeof letter, "-%c, ", args->letter);
		}
		snprintf(name, sizeof name, "%s--%s%s%s", letter, args->name, args->value ? " " : "",
			args->value ? args->value : "");
		size_t n = (size_t)snprintf(doc, sizeof doc, "%s", args->doc);
		for (size_t i = 0; args->type == ENT_ARG_CHOICE && args->choices[i] && n < sizeof doc; i++) {
			n += (size_t)snprintf(doc + n, sizeof doc - n, "%s%s", i ? ", " : " One of: ", args->choices[i]);
		}
		if (args->many && n < sizeof doc) {
			snprintf(doc + n, sizeof doc - n, " May be given more than once.");
		}
		row(term, out, name, doc);
	}
}

static void heading(const ent_term *term, ent_buf *out, const char *text) {
	ent_buf_u8(out, '\n');
	ent_term_text(term, out, ENT_BOLD, text);
	ent_buf_u8(out, '\n');
}

void ent__help_command(const ent_command *command, const ent_term *term, ent_buf *out) {
	ent_term_wrap(term, out, 0, command->doc);
	ent_buf_printf(out, "\n");
	heading(term, out, "Usage");
	ent_buf_printf(out, "  entente %s", command->name);
	for (const ent_operand *o = command->operands; o && o->name; o++) {
		ent_buf_printf(out, o->required ? " %s%s" : " [%s%s]", o->name, o->many ? "..." : "");
	}
	ent_buf_printf(out, " [options]\n");
	if (command->operands && command->operands->name) {
		ent_buf_u8(out, '\n');
		for (const ent_operand *o = command->operands; o->name; o++) {
			row(term, out, o->name, o->doc);
		}
	}
	if (command->text) {
		ent_buf_u8(out, '\n');
		ent_term_wrap(term, out, 0, command->text);
		ent_buf_u8(out, '\n');
	}
	heading(term, out, "Options");
	options(term, out, command->args);
	options(term, out, ent__common_args);
}

void ent__help_group(const char *group, const ent_term *term, ent_buf *out) {
	size_t n = group ? strlen(group) : 0;
	for (size_t i = 0; ent_commands[i]; i++) {
		const ent_command *c = ent_commands[i];
		if (!group || (strncmp(c->name, group, n) == 0 && c->name[n] == ' ')) {
			row(term, out, c->name, c->doc);
		}
	}
}

static void overview(const ent_term *term, ent_buf *out) {
	ent_term_wrap(term, out, 0,
		"Entente turns the exports and feeds of partner organizations into figures, and tells where each partnership "
		"stands.");
	ent_buf_u8(out, '\n');
	heading(term, out, "Usage");
	ent_buf_printf(out, "  entente COMMAND [options]\n");
	heading(term, out, "Commands");
	ent__help_group(NULL, term, out);
	heading(term, out, "Options of every command");
	options(term, out, ent__common_args);
	heading(term, out, "Exit status");
	for (const ent_exit_row *e = ent_exits; e->doc; e++) {
		char status[8];
		snprintf(status, sizeof status, "%d", e->status);
		row(term, out, status, e->doc);
	}
	ent_buf_printf(out, "\n`entente help COMMAND` tells more of one command.\n");
}

static void arg_json(ent_json *json, const ent_arg *a) {
	ent_json_object(json);
	ent_json_key(json, "name");
	ent_json_text(json, a->name);
	ent_json_key(json, "letter");
	ent_json_text_n(json, &a->letter, a->letter != 0);
	ent_json_key(json, "value");
	ent_json_text(json, a->value);
	ent_json_key(json, "doc");
	ent_json_text(json, a->doc);
	ent_json_end(json);
}

static void commands_json(ent_json *json, const char *only) {
	ent_json_array(json);
	for (size_t i = 0; ent_commands[i]; i++) {
		const ent_command *c = ent_commands[i];
		size_t n = only ? strlen(only) : 0;
		if (only && (strncmp(c->name, only, n) != 0 || (c->name[n] && c->name[n] != ' '))) {
			continue;
		}
		ent_json_object(json);
		ent_json_key(json, "name");
		ent_json_text(json, c->name);
		ent_json_key(json, "doc");
		ent_json_text(json, c->doc);
		ent_json_key(json, "options");
		ent_json_array(json);
		for (const ent_arg *a = c->args; a && a->name; a++) {
			arg_json(json, a);
		}
		ent_json_end(json);
		ent_json_end(json);
	}
	ent_json_end(json);
}

static int run(ent_call *call) {
	size_t taken;
	if (ent_call_has(call, "configuration")) {
		ent_buf text = {0};
		ent_config_docs(&text);
		if (call->json) {
			ent_json_text_n(&call->writer, (const char *)text.data, text.n);
		} else {
			ent_buf_add(&call->out, text.data, text.n);
		}
		ent_buf_finish(&text);
		return ENT_EXIT_OK;
	}
	if (!call->n_operands) {
		if (call->json) {
			commands_json(&call->writer, NULL);
		} else {
			overview(&call->term, &call->out);
		}
		return ENT_EXIT_OK;
	}
	const ent_command *command = ent__command_find(call->operands, call->n_operands, &taken);
	if (command && taken == call->n_operands) {
		if (call->json) {
			commands_json(&call->writer, command->name);
		} else {
			ent__help_command(command, &call->term, &call->out);
		}
		return ENT_EXIT_OK;
	}
	if (!command && call->n_operands == 1) {
		ent_buf group = {0};
		ent__help_group(call->operands[0], &call->term, &group);
		bool found = group.n > 0;
		if (found && call->json) {
			commands_json(&call->writer, call->operands[0]);
		} else if (found) {
			ent_buf_add(&call->out, group.data, group.n);
		}
		ent_buf_finish(&group);
		if (found) {
			return ENT_EXIT_OK;
		}
	}
	ent_error e;
	ent__command_unknown(call->operands, call->n_operands, &e);
	ent_call_error(call, &e);
	return ENT_EXIT_USAGE;
}

static const ent_arg args[] = {
	{.name = "configuration", .type = ENT_ARG_SWITCH, .doc = "Write the reference of entente.yaml, as Markdown."},
	{.name = NULL},
};

static const ent_operand operands[] = {
	{.name = "COMMAND", .many = true, .doc = "The command, or the first word of several."},
	{.name = NULL},
};

const ent_command ent_command_help = {
	.name = "help",
	.doc = "Show the commands, or all about one of them.",
	.args = args,
	.operands = operands,
	.run = run,
};
