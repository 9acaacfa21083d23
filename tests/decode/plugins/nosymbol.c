/* SPDX-License-Identifier: Apache-2.0
 *
 * A faulty plugin: needs a symbol that nobody has. With lazy binding it would load, and die at the first row. */
#include "faulty.h"

ent_status ent_of_no_library(const ent_row *row);

static ent_status fault(const ent_host *host, ent_ctx *ctx, const ent_row *row) {
	(void)host;
	(void)ctx;
	return ent_of_no_library(row);
}
