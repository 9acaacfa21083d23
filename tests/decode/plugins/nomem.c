/* SPDX-License-Identifier: Apache-2.0
 *
 * A faulty plugin: takes memory without end, and does not look whether it got it. */
#include "faulty.h"

static ent_status fault(const ent_host *host, ent_ctx *ctx, const ent_row *row) {
	(void)host;
	(void)ctx;
	(void)row;
	for (;;) {
		memset(malloc(1u << 24), 1, 1u << 24);
	}
	return ENT_OK;
}
