/* SPDX-License-Identifier: Apache-2.0
 *
 * A faulty plugin: never returns. */
#include "faulty.h"

static ent_status fault(const ent_host *host, ent_ctx *ctx, const ent_row *row) {
	(void)host;
	(void)ctx;
	(void)row;
	for (volatile unsigned i = 0;; i++) {
	}
	return ENT_OK;
}
