/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a rule did not run for a partner, or ran and could say nothing: `entente run --explain-skips`. */
#ifndef ENT_COMMAND_SKIPS_H
#define ENT_COMMAND_SKIPS_H

#include "command/command.h"
#include "engine/engine.h"

/* After a judgement: told as a table, or as the member `skips` of the object at hand. */
int ent__skips_show(ent_call *, ent_engine *, const ent_config *, bool unchanged, ent_error *);

#endif
