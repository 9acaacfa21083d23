/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, and what exit statuses mean. */
#include "command/command.h"

#define ENT_COMMAND(name) extern const ent_command ent_command_##name;
#include "command/commands.def"
#undef ENT_COMMAND

const ent_command *const ent_commands[] = {
#define ENT_COMMAND(name) &ent_command_##name,
#include "command/commands.def"
#undef ENT_COMMAND
	NULL,
};

const ent_exit_row ent_exits[] = {
	{ENT_EXIT_OK, "done"},
	{ENT_EXIT_ERROR, "an error, which was told on standard error"},
	{ENT_EXIT_USAGE, "the command was typed wrongly; nothing was done"},
	{ENT_EXIT_BALANCE, "the balance sheet of a source does not close: figures cannot be trusted"},
	{ENT_EXIT_SET_ASIDE, "done, but a source, a file or a rule was set aside and said so"},
	{0, NULL},
};
