/* SPDX-License-Identifier: Apache-2.0
 *
 * command/python.h: a Python of the system's, in which the package `entente` can be imported, for what is no rule: the
 * sample, the tests of rules. It is the user's own process, with the user's rights. Called by commands, on their
 * thread. */
#ifndef ENT_COMMAND_PYTHON_H
#define ENT_COMMAND_PYTHON_H

#include "base/error.h"

#include <stdbool.h>

/* All borrowed. */
typedef struct ent__python {
	const char *venv;         /* whose Python it is; NULL: the system's */
	const char *const *words; /* behind `python3 -B`; NULL ends them */
	const char *const *more;  /* NAME=value, added to the environment; NULL ends them; NULL: none */
	const char *out;          /* file for standard output; NULL: the terminal's, or wherever ours goes */
	bool out_to_err;          /* standard output goes where standard error goes */
} ent__python;

/* Runs it to its end. *status: its exit status, or 128 and the signal that ended it. An error: it could not be started.
 */
int ent__python_run(const ent__python *, int *status, ent_error *e);

#endif
