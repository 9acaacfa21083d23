/* SPDX-License-Identifier: Apache-2.0
 *
 * A faulty plugin: aborts, as a failed assertion does. */
#include "faulty.h"

static ent_status fault(const ent_host *host, ent_ctx *ctx, const ent_row *row) {
	(void)host;
	(void)ctx;
	(void)row;
	abort();
}
