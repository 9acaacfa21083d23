/* SPDX-License-Identifier: Apache-2.0
 *
 * command/answer.h: commands answer for a service: the same code that the command line runs, with an engine that stays open.
 *
 * Two threads read, each with an engine of its own (ENT_ENGINE_READ): one for what is answered at once, one for what starts
 * the rules worker (briefs, rules). A commit closes both engines; the next question opens one again, so that an idle reader
 * holds no old moment of the database. Nothing here is called but by way of the table. */
#ifndef ENT_COMMAND_ANSWER_H
#define ENT_COMMAND_ANSWER_H

#include "serve/reader.h"

extern const ent_reader_way ent_command_reader;

#endif
