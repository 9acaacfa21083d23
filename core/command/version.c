/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente version`. */
#include "command/command.h"
#include "entente/plugin.h"

static int run(ent_call *call) {
	if (call->json) {
		ent_json_object(&call->writer);
		ent_json_key(&call->writer, "version");
		ent_json_text(&call->writer, ENTENTE_VERSION);
		ent_json_key(&call->writer, "plugin_abi");
		ent_json_object(&call->writer);
		ent_json_key(&call->writer, "major");
		ent_json_uint(&call->writer, ENT_PLUGIN_MAJOR);
		ent_json_key(&call->writer, "minor");
		ent_json_uint(&call->writer, ENT_PLUGIN_MINOR);
		ent_json_end(&call->writer);
		ent_json_end(&call->writer);
	} else {
		ent_buf_printf(
			&call->out, "entente %s, plugin ABI %u.%u\n", ENTENTE_VERSION, ENT_PLUGIN_MAJOR, ENT_PLUGIN_MINOR);
	}
	return ENT_EXIT_OK;
}

const ent_command ent_command_version = {
	.name = "version",
	.doc = "Say which version this is, and for which plugins.",
	.run = run,
};
