/* SPDX-License-Identifier: Apache-2.0
 *
 * command/control.h: talking to the service that has the store, over STORE/control.sock: HTTP, with full rights for whoever
 * may open the socket. One thread; nothing is kept between calls. */
#ifndef ENT_COMMAND_CONTROL_H
#define ENT_COMMAND_CONTROL_H

#include "command/command.h"

#define ENT_CONTROL_SOCKET "control.sock"

typedef struct ent__control_answer {
	long status; /* of HTTP */
	ent_buf body; /* terminated, whatever its length */
} ent__control_answer;

/* Sends one request ("POST", "/api/v1/reload") to the service of the store in `folder`; `body` is JSON, or NULL. 0: it
 * answered, whatever the status. ENT_ERR_NOTFOUND: no service runs there. The caller finishes body. */
int ent__control_send(const char *folder, const char *method, const char *path, const ent_buf *body,
	ent__control_answer *out, ent_error *e);

/* For a command that needs the store for writing: has the service do it, if one has the store. True: it did, or could not,
 * and *exit is how the command ends; its result, notes and errors are the call's. False: no service runs (or this is the
 * service): the command does it itself. `input` stands for the file "-"; NULL: nothing does. */
bool ent__control_forward(ent_call *call, const ent_buf *input, int *exit);

/* The same for a command that reads, and that a running service knows more about. */
bool ent__control_ask(ent_call *call, int *exit);

/* Who runs the command: of the session, or of the system; NULL: not known. */
const char *ent__control_user(const ent_call *call);

#endif
