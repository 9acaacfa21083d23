/* SPDX-License-Identifier: Apache-2.0
 *
 * What several commands show alike: the balance sheet and the portfolio. One thread. */
#ifndef ENT_COMMAND_PORTFOLIO_H
#define ENT_COMMAND_PORTFOLIO_H

#include "command/command.h"
#include "engine/engine.h"

/* Both equations for every source, from the store; *closes is set to whether all do. In JSON: a member "balance". */
int ent__balance_show(ent_call *call, ent_engine *engine, bool *closes, ent_error *e);
/* One row for each partner with what the rules said of it. In JSON: a member "partners". */
int ent__portfolio_show(ent_call *call, ent_engine *engine, ent_error *e);

#endif
