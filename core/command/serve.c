/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente serve`: the engine as a service. The process's first thread becomes its front. */
#include "command/answer.h"
#include "command/command.h"
#include "serve/serve.h"

#include <stdlib.h>

static int run(ent_call *call) {
	ent_config *config;
	int exit = ent_call_config(call, &config);
	if (exit) {
		return exit;
	}
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	ent_serve_options options = {.config_path = call->config_path, .config = config, .version = ENTENTE_VERSION,
		.reader = &ent_command_reader};
	if (ent_serve(&options, errors)) {
		exit = ent_call_errors(call, errors);
	}
	free(errors);
	return exit;
}

const ent_command ent_command_serve = {
	.name = "serve",
	.doc = "Run as a service: read what comes, judge what changed, tell who should know.",
	.text = "Watches every source of the configuration, day and night, commits what it finds within seconds, has the rules judge "
			"what changed, and answers the page, the API and webhooks at the address of `serve: {listen}`. It runs until SIGTERM "
			"or SIGINT, and then commits what it has; SIGHUP, or a change of the file, has it read its configuration again. What "
			"happens is written to standard error, a line for each event.\n\n"
			"  entente serve\n"
			"  entente serve -c /etc/entente/entente.yaml",
	.run = run,
};
