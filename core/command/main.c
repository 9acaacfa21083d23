/* SPDX-License-Identifier: Apache-2.0
 *
 * The program `entente`: runs the command that its words name (invoke.c), and writes its result. Exit statuses: ent_exits.
 */
#include <errno.h>
#include <signal.h>

#include "command/command.h"

int main(int argc, char **argv) {
	ent_call call;
	/* A reader that goes away ends a write with an error, never the process: the store may be in the middle of a
	 * commit. */
	signal(SIGPIPE, SIG_IGN);
	ent__call_begin(&call, NULL);
	int status = ent__command_run(&call, (const char *const *)argv + 1, argc > 0 ? (size_t)argc - 1 : 0);
	if (!ent_call_flush(&call) && errno != EPIPE && status == ENT_EXIT_OK) {
		ent_error e;
		ent_error_errno(&e, ENT_ERR_IO, "the result cannot be written");
		call.json = false;
		status = ent_call_error(&call, &e);
	}
	ent__call_finish(&call);
	return status;
}
