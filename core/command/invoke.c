/* SPDX-License-Identifier: Apache-2.0
 *
 * One run of a command: finds it, parses its options, runs it. For the command line, and for a service that answers with
 * what commands say (answer.c). A run has one thread, whichever it is. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"

void ent__call_begin(ent_call *call, struct ent__session *session) {
	memset(call, 0, sizeof *call);
	call->session = session;
	if (!session) { /* a service has no terminal */
		ent_term_init(&call->term, STDOUT_FILENO);
		ent_term_init(&call->err, STDERR_FILENO);
	}
	ent_json_init(&call->writer, &call->json_out, true);
}

void ent__call_finish(ent_call *call) {
	ent_buf_finish(&call->out);
	ent_buf_finish(&call->json_out);
	free(call->given);
	free((void *)call->operands);
}

static int usage(ent_call *call, const ent_error *e) {
	ent_call_error(call, e);
	return ENT_EXIT_USAGE;
}

/* Words of the command may stand behind options of every command: `entente -c FILE run`. */
static size_t options_first(const char *const *words, size_t n) {
	size_t i = 0;
	while (i < n && words[i][0] == '-' && words[i][1]) {
		bool takes = strcmp(words[i], "-c") == 0 || strcmp(words[i], "--config") == 0;
		i += takes ? 2 : 1;
	}
	return i < n ? i : n;
}

int ent__command_run(ent_call *call, const char *const *words, size_t n) {
	call->words = words;
	call->n_words = n;
	ent_error e;
	bool help = false;
	size_t before = options_first(words, n), taken = 0;
	const ent_command *command = ent__command_find(words + before, n - before, &taken);
	if (!command && before < n) {
		for (size_t i = 0; i < n; i++) {
			call->json = call->json || strcmp(words[i], "--json") == 0;
			help = help || strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0;
		}
		if (help) { /* of a group: entente metrics --help */
			ent__help_group(words[before], &call->term, &call->out);
			return call->out.n ? ENT_EXIT_OK : (ent__command_unknown(words + before, n - before, &e), usage(call, &e));
		}
		ent__command_unknown(words + before, n - before, &e);
		return usage(call, &e);
	}
	const char **rest = ent_xcalloc(n + 1, sizeof *rest);
	size_t n_rest = 0;
	for (size_t i = 0; i < n; i++) {
		if (i < before || i >= before + taken) {
			rest[n_rest++] = words[i];
		}
	}
	call->command = command;
	int status;
	if (call->session && !(command && command->served)) {
		ent_error_set(&e, ENT_ERR_INVALID, "a service does not answer with `%s`", command ? command->name : n ? words[0] : "");
		ent_error_todo(&e, "type it at the command line");
		status = 1;
	} else if (!command) { /* options alone: `entente --help`, `entente --version` */
		const char *only = n_rest ? rest[0] : "--help";
		bool version = strcmp(only, "--version") == 0 || strcmp(only, "-V") == 0;
		const char *name = version ? "version" : "help";
		call->command = ent__command_find(&name, 1, &taken);
		status = version && n_rest == 1 ? 0 : ent__args_parse(call, rest, n_rest, &help, &e);
	} else {
		status = ent__args_parse(call, rest, n_rest, &help, &e);
	}
	if (status) {
		for (size_t i = 0; i < n_rest; i++) {
			call->json = call->json || strcmp(rest[i], "--json") == 0;
		}
		status = usage(call, &e);
	} else if (help && command) {
		call->json = false;
		ent__help_command(command, &call->term, &call->out);
	} else {
		status = call->command->run(call);
		status = n == 0 ? ENT_EXIT_USAGE : status;
	}
	free(rest);
	return status;
}
